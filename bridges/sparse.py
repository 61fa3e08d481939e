"""Structural laws on torch: connections of a model come and go by the same law as synapses of a spiking network.

    sparse = Sparse([model.below, model.head], deep_r(decay=1e-5 * Hz), alive=0.03, seed=1)
    for X, y in batches:
        loss(model(X), y).backward()
        optimiser.step()
        sparse.step(optimiser)

Masks follow the conventions of `torch.nn.utils.prune`: a module's parameter is `weight_orig`, its buffer `weight_mask`, and what
it computes with their product, `weight`; `prune.remove(module, "weight")` makes it permanent. The texts of a `Law` are
evaluated on NumPy arrays, and who dies and comes alive is said by `plasticity.structure.settle`, as for Brian2.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from brian2 import Quantity, second
from torch import nn
from torch.nn.utils import prune
from torch.optim import Optimizer

from plasticity import given
from plasticity.checked import checked
from plasticity.errors import PlasticityError, WrongUse
from plasticity.structure.law import Law
from plasticity.structure.pool import assignments
from plasticity.structure.settle import settle, uniform

__all__ = ["Sparse"]


class Sparse:
    """The connections of some modules of a model, of which those alive are chosen by a law.

    Parameters
    ----------
    modules : sequence of modules
        Each with a parameter `weight`, on the CPU.
    law : Law
        One whose texts name the weight `w` and its own parameters alone; none of elements.
    alive : float, or one for each module
        The share of the weights that is alive at first, drawn at random: the nearest whole number, and at least one a module.
    steps : int
        The law is asked at every so many calls of `step`.
    every : Quantity
        The time that stands for one step: at each update the law is told that `steps` of these have passed.
    signs : bool
        Each connection keeps the sign that it began with, as in DEEP R: the law sees w without its sign, and a weight that would
        change its sign is 0. Without, the law sees the weight as it is.
    seed : int
        Of who is alive at first and of all draws of the law.

    Attributes
    ----------
    born, died : list of int
        How many connections came alive, and died, at each update.

    Raises
    ------
    WrongUse
        No module, one without weights or that is pruned already, a law that asks for what torch has not, shares that are none.
    """

    @checked
    def __init__(
        self, modules: Sequence[nn.Module], law: Law, alive: float | Sequence[float], *, steps: int = 1,
        every: Quantity = 1 * second, signs: bool = True, seed: int = 0,
    ) -> None:  # fmt: skip
        self.modules, self.law, self.steps, self.signs, self.seed = list(modules), law, int(steps), bool(signs), int(seed)
        if not self.modules:
            raise WrongUse("modules=[] names none; give those whose weights come and go, for example [model.below].")
        if law.elements or law.needs:
            raise WrongUse(f"{law.name} asks for variables of neurons, which torch has not; give a law of weights, like deep_r.")
        shares: list[Any] = [alive] * len(self.modules) if np.ndim(alive) == 0 else list(np.asarray(alive))
        if len(shares) != len(self.modules) or not all(0 < float(share) <= 1 for share in shares):
            raise WrongUse(f"alive={alive} must be a share above 0 and at most 1, or one a module, like alive=0.03.")
        if self.steps < 1 or not (given.seconds(every) or 0) > 0 or self.seed < 0:
            raise WrongUse(f"steps={steps}, every={every} and seed={seed} must be 1 or more, a positive time, and 0 or more.")
        self._names = {name: float(np.asarray(value)) for name, value in law.parameters.items()} | {
            "every": self.steps * float(every)
        }
        self._rng = np.random.default_rng([self.seed, 1])
        self._signs: list[np.ndarray] = []
        self._pairs: list[tuple[np.ndarray, np.ndarray]] = []
        for number, module in enumerate(self.modules):
            weight = getattr(module, "weight", None)
            if prune.is_pruned(module) or not isinstance(weight, nn.Parameter) or not _usable(weight):
                raise WrongUse(
                    f"module {number}, {type(module).__name__}, has no weights on the CPU, contiguous and not pruned yet."
                )
            size = weight.numel()
            draws = uniform(self.seed, 0, np.arange(size) + number * 2**32, "grows")
            mask = np.zeros(size, dtype=np.float32)
            mask[np.argsort(draws, kind="stable")[: max(1, round(float(shares[number]) * size))]] = 1
            prune.custom_from_mask(module, "weight", torch.from_numpy(mask).reshape(weight.shape))
            values = self._values(module)
            self._signs.append(np.where(values < 0, -1.0, 1.0).astype(np.float32))
            values *= mask
            rows = np.arange(size)
            self._pairs.append((rows % (size // weight.shape[0]), rows // (size // weight.shape[0])))
        self.updates = 0
        self.born: list[int] = []
        self.died: list[int] = []

    @property
    def alive(self) -> int:
        """How many connections are alive."""
        return int(sum(self._mask(module).sum() for module in self.modules))

    @property
    def size(self) -> int:
        """How many there can be."""
        return sum(self._mask(module).size for module in self.modules)

    def _values(self, module: nn.Module) -> np.ndarray:
        parameter: Any = module.weight_orig
        return parameter.detach().numpy().reshape(-1)

    def _mask(self, module: nn.Module) -> np.ndarray:
        mask: Any = module.weight_mask
        return mask.detach().numpy().reshape(-1)

    def step(self, optimiser: Optimizer | None = None) -> None:
        """After each step of the optimiser, whose moments of connections that die or come alive begin anew at 0.

        Give the optimiser where it has moments (momentum, Adam): else they go on moving what is silent, unseen behind its mask.

        Raises
        ------
        WrongUse
            An optimiser that does not move these weights.
        """
        if optimiser is not None:
            moved = {id(parameter) for group in optimiser.param_groups for parameter in group["params"]}
            if any(id(module.weight_orig) not in moved for module in self.modules):
                raise WrongUse(
                    "this optimiser does not move the weights of these modules; make it after Sparse, of their parameters:"
                    " torch.optim.SGD(model.parameters(), lr=0.1)."
                )
        for module, sign in zip(self.modules, self._signs, strict=True):
            values = self._values(module)
            if self.signs:
                np.multiply(np.maximum(values * sign, 0), sign, out=values)
        self.updates += 1
        if self.updates % self.steps == 0:
            counts = [self._update(number, optimiser) for number in range(len(self.modules))]
            self.died.append(sum(died for died, _ in counts))
            self.born.append(sum(born for _, born in counts))

    def _update(self, number: int, optimiser: Optimizer | None) -> tuple[int, int]:
        """How many connections of a module die, and come alive."""
        module, sign = self.modules[number], self._signs[number]
        values, mask = self._values(module), self._mask(module)
        alive = mask > 0
        living = np.flatnonzero(alive)
        names = self._names | {"w": (values * sign if self.signs else values)[living].astype(float)}
        names["age"] = (self.updates // self.steps) * self._names["every"]
        self._say(self.law.each, names, len(living))
        values[living] = names["w"] * sign[living] if self.signs else names["w"]
        if not np.isfinite(values[living]).all():
            raise PlasticityError(f"weights of module {number} are no longer finite; give a smaller learning rate.")
        law: dict[str, np.ndarray] = {}
        for name, text in self.law.computed().items():
            if name == "law_share":
                law[name] = np.array([self._ask(text, names, 1)])
                continue
            law[name] = np.zeros(len(values))
            if name == "law_grows":
                law[name][:] = self._ask(text, names | {"w": np.zeros(len(values))}, len(values))
            else:
                law[name][living] = self._ask(text, names, len(living))
        pre, post = self._pairs[number]
        found = settle(alive, law, pre, post, self.law.kept, self.seed + 2**20 * (number + 1), self.updates)
        mask[found.died], values[found.died], mask[found.born] = 0, 0, 1
        fresh: dict[str, Any] = self._names | {"w": np.zeros(len(found.born))}
        self._say(self.law.born, fresh, len(found.born))
        values[found.born] = fresh["w"] * sign[found.born]
        parameter: Any = module.weight_orig
        state: dict[str, Any] = {} if optimiser is None else optimiser.state.get(parameter, {})
        for moment in state.values():
            if isinstance(moment, torch.Tensor) and moment.shape == parameter.shape:
                moment.view(-1)[torch.from_numpy(np.concatenate([found.died, found.born]))] = 0
        return len(found.died), len(found.born)

    def _known(self, count: int) -> dict[str, Any]:
        """What the texts of a law may call, as Brian2 has it."""
        return {
            "clip": np.clip, "exp": np.exp, "log": np.log, "sqrt": np.sqrt, "abs": np.abs, "w_max": np.inf, "inf": np.inf,
            "int": lambda x: np.asarray(x).astype(int), "randn": lambda: self._rng.standard_normal(count),
            "rand": lambda: self._rng.random(count), "__builtins__": {},
        }  # fmt: skip

    def _say(self, text: str, names: dict[str, Any], count: int) -> None:
        """Carry out statements, which change the names."""
        for variable, value in assignments(text):
            names[variable] = np.broadcast_to(self._ask(value, names, count), (count,)).astype(float)

    def _ask(self, text: str, names: dict[str, Any], count: int) -> Any:
        try:
            return eval(text.strip(), self._known(count), names)
        except NameError as missing:
            raise WrongUse(f"the law {self.law.name} says {text.strip()!r}, and torch has no {missing.name!r}.") from None
        except SyntaxError:
            raise WrongUse(f"the law {self.law.name} says {text.strip()!r}, which is no expression.") from None


def _usable(weight: nn.Parameter) -> bool:
    """Whether what is written into its array is written into it."""
    return weight.device.type == "cpu" and weight.is_contiguous()
