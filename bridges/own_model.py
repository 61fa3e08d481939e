"""Somebody's own PyTorch module where a model of ours is expected: trained, costed and compared like the built-in ones.

    TorchClassifier(model=module)       a module: a copy of it is trained on, from the weights that it has
    TorchClassifier(model=Mine)         its class, or a function that makes it: new weights from `random_state`
    compare([("mine", Mine)], task)

A class or a function is called with what its parameters name, and must need nothing else: `streams`, `features` (of a stream),
`columns` (of X), `classes`; and `hidden`, `dropout`, `query` of TorchClassifier where they have no default of their own.

    forward(X)                 one parameter without a default: X (batch, columns), float32
    forward(tokens, cue)       two: tokens (batch, streams, features), float32; cue (batch,), int64, the stream that is cued

Both are as the task draws them, from 0 to 1, not standardised; with a single stream X is (batch, features) and cue is 0. It gives
logits (batch, classes), one for each class; the loss is their cross-entropy. A module may have the methods `represent` and
`attention_weights` of the same parameters, which give (batch, anything) and (batch, streams); what it represents is otherwise
its logits.
"""

from __future__ import annotations

import contextlib
import copy
import functools
import hashlib
import inspect
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from bridges.models import Model
from plasticity import settings
from plasticity.errors import WrongUse

KNOWN = ("streams", "features", "columns", "classes", "hidden", "dropout", "query")


def is_own(given: Any) -> bool:
    """Whether this is a module, the class of one, or a function, which may make one."""
    if isinstance(given, (nn.Module, functools.partial)) or inspect.isroutine(given):
        return True
    return inspect.isclass(given) and issubclass(given, nn.Module)


def is_model(given: Any) -> bool:
    """Whether this is a `Model`, or the class of one."""
    return isinstance(given, Model) or (inspect.isclass(given) and issubclass(given, Model))


def name_of(given: Any) -> str:
    """What messages and tables call it: the name of a class or a function; that of a model of ours."""
    kind = _maker(given)
    if is_model(kind):
        return str(getattr(kind, "name", kind.__name__))
    return str(getattr(kind, "__name__", type(kind).__name__))


def _maker(given: Any) -> Any:
    """The class or the function behind it."""
    if isinstance(given, functools.partial):
        return _maker(given.func)
    return type(given) if isinstance(given, nn.Module) else given


def plain(value: Any) -> Any:
    """A parameter as a record holds it: a module, a class or a function by its name and the SHA-256 of what it is made of.

    That is the source, what a function closes over, and the weights of a module: two that differ are not taken for one another.
    """
    if not is_own(value):
        return settings.plain(value)
    kind = _maker(value)
    digest = hashlib.sha256(repr(settings.plain(value)).encode())
    with contextlib.suppress(OSError, TypeError):  # typed in where no file is, or built in
        digest.update(inspect.getsource(kind).encode())
    if inspect.isfunction(kind):
        digest.update(kind.__code__.co_code)
        held = [cell.cell_contents for cell in kind.__closure__ or ()]
        digest.update(repr(settings.plain([kind.__code__.co_consts, kind.__defaults__, held])).encode())
    for name, tensor in value.state_dict().items() if isinstance(value, nn.Module) else ():
        if isinstance(tensor, Tensor) and not nn.parameter.is_lazy(tensor):
            digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)};".encode())
            digest.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes())
    return {"name": name_of(value), "sha256": digest.hexdigest()}


class OwnModel(Model):
    """A module of somebody's own as a `Model`; see above.

    Attributes
    ----------
    module : nn.Module
        A copy of what was given, or what was made.

    Raises
    ------
    WrongUse
        It cannot be made or takes other inputs, has nothing to train, or gives something other than a logit for each class.
    """

    name: ClassVar[str] = "own_model"

    def __init__(self, made: Any, streams: int, features: int, classes: int, given: Mapping[str, Any]) -> None:
        super().__init__(streams, features, classes, hidden=1, dropout=0.0)
        vars(self)["name"] = name_of(made)  # what messages call it
        self.head = nn.Identity()
        columns = streams * features + (streams if streams > 1 else 0)
        known = {**given, "streams": streams, "features": features, "classes": classes, "columns": columns}
        self.module = (copy.deepcopy(made) if isinstance(made, nn.Module) else _called(made, self.name, known)).float()
        needed = _needed(self.module.forward)
        if len(needed) not in (1, 2):
            takes = ", ".join(needed) or "nothing"
            raise WrongUse(f"{self.name}: its forward takes {takes}; it gets X (batch, columns), or tokens and cue.")
        self.takes_cue = len(needed) == 2
        if isinstance(self.module, Model):
            vars(self).update(loss=self.module.loss, sums_to_one=self.module.sums_to_one)
        self._try()
        if not any(p.requires_grad for p in self.module.parameters()):
            raise WrongUse(f"{self.name} has no parameters to train; give a module with some, or a scikit-learn estimator.")

    def standardise_by(self, stimulus: Tensor, mask: Tensor | None = None) -> None:
        """Nothing: it gets the trials as they are, unless it is a `Model`, which standardises them."""
        if isinstance(self.module, Model):
            self.module.standardise_by(stimulus, mask)

    def _given(self, tokens: Tensor, cue: Tensor) -> tuple[Tensor, ...]:
        """What its forward takes."""
        if self.takes_cue:
            return tokens, cue
        if self.streams == 1:
            return (tokens[:, 0],)  # (n, features)
        asked = nn.functional.one_hot(cue, self.streams).to(tokens.dtype)  # (n, streams)
        return (torch.cat([tokens.flatten(1), asked], dim=1),)  # (n, streams*features + streams)

    def _try(self) -> None:
        """Two trials without gradient: what is wrong with it is told before anything is trained."""
        tokens, cue = torch.zeros(2, self.streams, self.features), torch.zeros(2, dtype=torch.int64)
        shown = "tokens (batch, streams, features) = {} and cue (batch,)" if self.takes_cue else "X (batch, columns) = {}"
        told = shown.format(tuple(self._given(tokens, cue)[0].shape))
        self.module.eval()
        try:
            with torch.no_grad():
                found = self(tokens, cue)
        except Exception as error:
            why = " ".join(f"{type(error).__name__}: {error}".split())
            raise WrongUse(f"{self.name}: its forward does not take {told} ({why}); see `bridges.own_model`.") from error
        if not isinstance(found, Tensor) or found.shape != (2, self.classes) or not found.is_floating_point():
            gave = f"{found.dtype} of shape {tuple(found.shape)}" if isinstance(found, Tensor) else f"a {type(found).__name__}"
            wanted = f"logits (batch, classes) = {(2, self.classes)}"
            raise WrongUse(f"{self.name}: its forward gave {gave} for {told}; it must give {wanted}, one for each class.")

    def forward(self, stimulus: Tensor, cue: Tensor, mask: Tensor | None = None) -> Tensor:
        """Logits (n, classes) of stimuli (n, streams, features) and cues (n,)."""
        return self.module(*self._given(stimulus, cue))

    def context(self, tokens: Tensor, cue: Tensor, mask: Tensor | None = None) -> Tensor:
        return getattr(self.module, "represent", self.module)(*self._given(tokens, cue)).flatten(1)

    def weights(self, tokens: Tensor, cue: Tensor, mask: Tensor | None = None) -> Tensor | None:
        weights = getattr(self.module, "attention_weights", None)
        return weights(*self._given(tokens, cue)) if callable(weights) else None


def _needed(function: Callable[..., Any]) -> list[str]:
    """The parameters without a default that are given by their place; all of them, where it takes any number, is one."""
    parameters = inspect.signature(function).parameters.values()
    return [p.name for p in parameters if p.default is p.empty and p.kind is not p.VAR_KEYWORD]


def _called(make: Callable[..., Any], title: str, known: Mapping[str, Any]) -> nn.Module:
    """The module that a class or a function makes of what its parameters name."""
    parameters = inspect.signature(make).parameters.values()
    lacks = [
        p.name
        for p in parameters
        if p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD) and p.name not in known
    ]
    if lacks:
        raise WrongUse(
            f"{title} needs {', '.join(lacks)}, which a model is not told; give a function that makes it of some of:"
            f" {', '.join(KNOWN)}."
        )
    shape = ("streams", "features", "columns", "classes")
    made = make(**{p.name: known[p.name] for p in parameters if p.name in (shape if p.default is not p.empty else known)})
    if not isinstance(made, nn.Module):
        raise WrongUse(f"{title} made a {type(made).__name__}; a model is a torch.nn.Module.")
    return made
