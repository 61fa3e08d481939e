"""What a torch model does for a training trial and for a decision, counted: matrix products, all between them, the update."""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import torch
from sklearn.utils.validation import check_is_fitted
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode, flop_registry

from bridges.training import one_thread, seeded
from plasticity.engine.operations import Operations, operations

if TYPE_CHECKING:
    from bridges.torch_learner import ByGradient

CLIP = "norm = norm + g**2\ng = g*scale"
UPDATE = {
    "adamw": "w = w*decay\nm = m + (g - m)*rest1\nv = v*beta2 + g*g*rest2\nw = w - eta*m/(sqrt(v)*correction + eps)",
    "sgd": "h = g + decay*w\nb = mu*b + h\nw = w - eta*(h + mu*b)",
    "plain": "w = w - eta*(g + decay*w)",
}
"""A step of `bridges.training` for one parameter w of gradient g: clipping, and the optimiser ("plain" is SGD without momentum).

m, v and b are its moments; all other names are the same for all parameters. Decay is counted for all of them, though biases do
not decay."""

# Operations of PyTorch by name. Those that work on single elements (tag `pointwise`) are a multiplication for each element of
# the result, reductions (tag `reduction`) an addition for each element of what they reduce, but for these:
_ADDITIONS = frozenset("add sub rsub relu threshold_backward clamp clamp_min clamp_max maximum minimum eq ne lt le gt ge".split())
_MOVED = frozenset(  # numbers are moved, made or renamed: memory alone
    "arange bernoulli bitwise_and bitwise_not cat clone constant_pad_nd copy embedding eye fill full full_like index index_put"
    " logical_and logical_not masked_fill neg new_full new_zeros ones ones_like scalar_tensor scatter select_backward"
    " slice_backward stack _to_copy rand_like tril where zeros zeros_like".split()
)
_FREE = frozenset("aminmax detach empty empty_like _local_scalar_dense new_empty unsafe_split _unsafe_view".split())
_BY_HAND = {  # additions and multiplications for each element of the largest array, from the definitions
    "_softmax": (3, 2),  # maximum, difference, exp, sum, quotient
    "_safe_softmax": (3, 2),
    "_softmax_backward_data": (2, 2),  # (g - sum(g y)) y
    "_log_softmax": (4, 1),  # maximum, difference, exp, sum, difference
    "_log_softmax_backward_data": (2, 2),  # g - exp(y) sum(g)
    "nll_loss_forward": (1, 0),
    "nll_loss_backward": (0, 1),
    "mse_loss": (2, 1),
    "mse_loss_backward": (1, 1),
    "native_layer_norm": (4, 3),  # sum, difference, square, sum, scale, gain, bias
    "native_layer_norm_backward": (7, 6),
    "gelu": (1, 4),  # x (1 + erf(x/sqrt(2)))/2
    "gelu_backward": (2, 8),
    "sigmoid_backward": (1, 2),  # g y (1 - y)
    "tanh_backward": (1, 2),
    "elu_backward": (1, 2),
    "linalg_vector_norm": (1, 1),
    "embedding_dense_backward": (1, 0),
    "_adaptive_avg_pool2d": (1, 0),
    "_adaptive_avg_pool2d_backward": (0, 1),
    "max_pool2d_with_indices": (1, 0),
    "max_pool2d_with_indices_backward": (1, 0),
}


class Between(TorchDispatchMode):
    """Counts what PyTorch's counter of matrix products does not: arithmetic by element, and the words that operations move.

    `done` is the sum, `uncounted` the names of operations that it does not know either. Weights are words of the parameters
    of the model, whose rows alone are read by an embedding; each operation reads its operands and writes its result.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.weights = {p.untyped_storage().data_ptr() for p in model.parameters()}
        self.done = Operations()
        self.uncounted: set[str] = set()
        self.written = 0  # words of all results, which a backward pass needs again
        self.held = 0  # words of state that an operation reads and writes, at most

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        given = _floats((args, kwargs))
        result = func(*args, **(kwargs or {}))
        name = func._overloadpacket.__name__.removesuffix("_")
        renamed = any(r.alias_info is not None and not r.alias_info.is_write for r in func._schema.returns)
        if not renamed and name not in _FREE:
            self.done += self._counted(func, name, given, _floats(result))
        return result

    def _counted(self, func: Any, name: str, given: list[Tensor], made: list[Tensor]) -> Operations:
        elements = max((t.numel() for t in (*given, *made)), default=0)
        result = made[0].numel() if made else 0
        additions = multiplications = 0.0
        if func._overloadpacket in flop_registry:  # the products are counted, a bias is not
            additions = result if name == "addmm" or (name == "convolution" and len(given) > 2) else 0
        elif name in _BY_HAND:
            additions, multiplications = (each * elements for each in _BY_HAND[name])
        elif name == "linalg_solve_triangular":  # of a unit diagonal: a row takes a product with each row before it
            additions = multiplications = result * (given[0].shape[-1] - 1) / 2
        elif name in _MOVED:
            pass
        elif torch.Tag.reduction in func.tags:
            additions = elements
        elif torch.Tag.pointwise in func.tags:
            additions, multiplications = (result, 0) if name in _ADDITIONS else (0, result)
        else:
            self.uncounted.add(name)
        read = [(result if name == "embedding" else t.numel(), t.untyped_storage().data_ptr() in self.weights) for t in given]
        weights = sum(words for words, of_model in read if of_model)
        states = sum(words for words, of_model in read if not of_model) + sum(t.numel() for t in made)
        self.written += sum(t.numel() for t in made)
        self.held = max(self.held, states)
        return Operations(additions, multiplications, weights, states)


def _floats(nest: Any) -> list[Tensor]:
    return [leaf for leaf in tree_leaves(nest) if isinstance(leaf, Tensor) and leaf.is_floating_point()]


@contextlib.contextmanager
def counting(model: nn.Module) -> Iterator[Between]:
    """Count what runs inside: PyTorch's counter of matrix products, halved to multiply-accumulates, and `Between`.

    Gradients are on: in inference mode PyTorch runs fused kernels, of attention above all, which its counter does not know. It
    does not know some kernels of the CPU either, so that attention and recurrent layers run as plain matrix products here.
    """
    products, between = FlopCounterMode(display=False), Between(model)
    with contextlib.ExitStack() as stack:
        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")  # setting the next flag, also back again, warns of GPUs that are not there
        stack.enter_context(torch.backends.mkldnn.flags(enabled=False))
        stack.enter_context(sdpa_kernel(SDPBackend.MATH))
        stack.enter_context(torch.enable_grad())
        stack.enter_context(products)
        stack.enter_context(between)
        yield between
    macs = products.get_total_flops() / 2
    between.done += Operations(macs, macs, sums=macs)


MOMENTS = {"adamw": 2, "sgd": 1, "plain": 0}  # words beside each parameter and its gradient


def trained(estimator: ByGradient, batch: int | None = None) -> tuple[dict[str, Operations], set[str], dict[str, int]]:
    """Operations of one training trial, forward, backward and update apart; what is not counted, by name; words to be stored.

    A gradient step for a batch of blank trials, of the size that it was trained with unless told, over the trials in it. The
    model of the estimator stays as it is.
    """
    check_is_fitted(estimator, "model_")
    model = copy.deepcopy(estimator.model_).cpu().train()
    # the first point of the learning curve after 0 is one batch, also where all trials are fewer than a batch
    batch = batch or int(min(estimator.batch, estimator.history_["trials"][1]))
    run, _ = estimator._blank(model, batch)
    with one_thread(), seeded(0, torch.device("cpu")):
        with counting(model) as forward:
            loss = run()
        with counting(model) as backward:
            loss.backward()
    moved = sum(p.numel() for p in model.parameters() if p.grad is not None)
    gradients = Operations(weight_words=moved, state_words=-moved)  # they lie where the weights lie
    name = "plain" if estimator.optimiser == "sgd" and not estimator.momentum else estimator.optimiser
    update = operations(f"{CLIP}\n{UPDATE[name]}", {"g", "m", "v", "b"})
    update = dataclasses.replace(update, weight_words=update.weight_words + update.state_words, state_words=0.0)
    step = {"forward": forward.done, "backward": backward.done + gradients, "update": moved * update}
    stored = {"weights": (2 + MOMENTS[name]) * moved, "states": forward.written}
    return {kind: (1 / batch) * done for kind, done in step.items()}, forward.uncounted | backward.uncounted, stored


def decided(estimator: ByGradient, batch: int = 1) -> tuple[dict[str, Operations], set[str], dict[str, int]]:
    """Operations of one of so many decisions made together, dropout off; what is not counted, by name; words to be stored."""
    check_is_fitted(estimator, "model_")
    model = copy.deepcopy(estimator.model_).cpu().eval()
    _, answer = estimator._blank(model, batch)
    with one_thread(), counting(model) as forward:
        answer()
    stored = {"weights": sum(p.numel() for p in model.parameters()), "states": forward.held}
    return {"forward": (1 / batch) * forward.done}, forward.uncounted, stored
