"""Accuracy against size: pruned and quantised weights on both sides, and adapters on a frozen network.

A multilayer perceptron trained by gradient and a spiking network that hears only whether it was right learn the same scans of
digits. Then, without further training,

    pruning        the smallest weights of each matrix become 0 (by magnitude); as a control as many at random
    quantisation   each matrix keeps 2^bits - 1 evenly spaced values, symmetric about 0, up to its largest weight

Size is that of the weight matrices alone: weights that are left, or bits. An index of what is left after pruning is not counted.

Adapters have a meaning where there is a gradient to train them: the frozen perceptron learns scans that lie on their side (turned
by 90 degrees), of `turned` of which it is told the labels, through low-rank adapters, by its last layer alone, or by all numbers.

Steps and passes were chosen on draws of seeds from 1000 on.

Sources: Han et al. 2015, arXiv:1506.02626 (pruning by magnitude); Jacob et al. 2018, arXiv:1712.05877 (8 bits); Hu et al. 2021,
arXiv:2106.09685 (low-rank adapters).
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from plasticity.settings import setting
from plasticity.statistics import SHARE, paired_difference
from simulations.figures.worked_networks import compressed
from simulations.frame.checks import beyond
from simulations.frame.execute import script
from simulations.frame.experiment import Arrays, Measure
from simulations.frame.worked import ON_DIGITS, SHARED, Example, OnBothSides, digits, share, spiking, told

if TYPE_CHECKING:
    from simulations.figures.kinds import Drawing

HAN = "Han et al. 2015, arXiv:1506.02626"
JACOB = "Jacob et al. 2018, arXiv:1712.05877"
HU = "Hu et al. 2021, arXiv:2106.09685"
SIDES = ("torch", "spiking")


def prune(w: np.ndarray, share: float, rng: np.random.Generator | None = None) -> np.ndarray:
    """The weights with that share of them 0: the smallest, or with a generator as many at random."""
    order = np.argsort(np.abs(w).ravel(), kind="stable") if rng is None else rng.permutation(w.size)
    kept = w.ravel().copy()
    kept[order[: round(share * w.size)]] = 0
    return kept.reshape(w.shape)


def quantise(w: np.ndarray, bits: int) -> np.ndarray:
    """The nearest of 2^bits - 1 evenly spaced values, symmetric about 0, the outer ones at the largest weight."""
    steps, largest = 2 ** (bits - 1) - 1, float(np.abs(w).max())
    return np.round(w / largest * steps) / steps * largest if largest else w


def turned(images: np.ndarray) -> np.ndarray:
    """Scans (n, 64) turned by 90 degrees."""
    return np.rot90(images.reshape(-1, 8, 8), axes=(1, 2)).reshape(len(images), -1).copy()


@contextlib.contextmanager
def changed(matrices: Sequence[np.ndarray], by: Callable[[np.ndarray], np.ndarray]) -> Iterator[None]:
    """Inside, every matrix is what `by` makes of it."""
    kept = [w.copy() for w in matrices]
    for w in matrices:
        w[:] = by(w)
    try:
        yield
    finally:
        for w, was in zip(matrices, kept, strict=True):
            w[:] = was


@dataclass(frozen=True)
class Compression(OnBothSides):
    __doc__ = __doc__

    name: ClassVar[str] = "compression"
    summary: ClassVar[str] = "accuracy against size: pruned and quantised weights on both sides, adapters on a frozen network"
    source: ClassVar[str] = f"{HAN}; {JACOB}; {HU}"
    measures: ClassVar[tuple[Measure, ...]] = tuple(
        Measure(f"{what}_{side}", "", f"accuracy, {told}, {side}", within=SHARE)
        for side in SIDES
        for what, told in (("whole", "weights as learnt"), ("pruned", "most weights pruned"), ("quantised", "fewest bits"))
    )

    pruned: tuple[float, ...] = setting(
        (0.0, 0.5, 0.7, 0.8, 0.9, 0.95), "shares of weights that become 0, in order", low=0, high=1
    )
    bits: tuple[int, ...] = setting((8, 6, 4, 3, 2), "bits of a weight, in order", low=2, high=16)
    ranks: tuple[int, ...] = setting((1, 2, 4, 8), "ranks of adapters, in order", low=1, high=64)
    turned: int = setting(300, "turned scans for training", low=20, high=1400)
    shown_scans: int = setting(800, "scans for training", low=50, high=1400)

    @property
    def ways(self) -> tuple[str | int, ...]:
        """How the frozen network learns turned scans."""
        return ("frozen", "last", *self.ranks, "all")

    def run(self, seed: int) -> Arrays:
        """pruning (sides, by magnitude or at random, shares), quantisation (sides, bits), sizes (sides,) weights; adapters,
        adapter_sizes (ways,)."""
        from bridges.learners import LEARNERS
        from bridges.worked.adapters import learnt, matrices

        X, y, test, asked = digits(seed, self.shown_scans, 400)
        torch = LEARNERS["mlp"].build().set_params(streams=1, random_state=seed, hidden=64, epochs=20, device="cpu").fit(X, y)
        local = spiking(seed, passes=20, **ON_DIGITS).fit(X, y)
        pruning, quantisation = np.empty((2, 2, len(self.pruned))), np.empty((2, len(self.bits)))
        sizes = []
        for s, (learner, weights) in enumerate(((torch, matrices(torch)), (local, local.weights_))):
            sizes.append(sum(w.size for w in weights))
            for k, gone in enumerate(self.pruned):
                for r, rng in enumerate((None, np.random.default_rng([seed, 41, k]))):
                    with changed(weights, functools.partial(prune, share=gone, rng=rng)):
                        pruning[s, r, k] = np.mean(learner.predict(test) == asked)
            for k, bits in enumerate(self.bits):
                with changed(weights, functools.partial(quantise, bits=bits)):
                    quantisation[s, k] = np.mean(learner.predict(test) == asked)
        found = [learnt(torch, turned(X[: self.turned]), y[: self.turned], way, seed) for way in self.ways]
        right = [np.mean(made.predict(turned(test)) == asked) for made, _ in found]
        told = {"sizes": sizes, "adapters": right, "adapter_sizes": [size for _, size in found]}
        return {
            "pruning": pruning,
            "quantisation": quantisation,
            **{name: np.array(value, float) for name, value in told.items()},
        }

    def found(self, a: Arrays) -> dict[str, Any]:
        told: dict[str, Any] = {}
        for s, side in enumerate(SIDES):
            told[f"whole_{side}"] = share(a["pruning"][:, s, 0, 0], SHARED)
            told[f"pruned_{side}"] = share(a["pruning"][:, s, 0, -1], SHARED)
            told[f"quantised_{side}"] = share(a["quantisation"][:, s, -1], SHARED)
            told[f"weights, {side}"] = float(a["sizes"][0, s])
            for k, gone in enumerate(self.pruned):
                for r, how in enumerate(("by magnitude", "at random")):
                    told[f"accuracy, {gone:.0%} pruned {how}, {side}"] = share(a["pruning"][:, s, r, k], SHARED)
            for k, bits in enumerate(self.bits):
                told[f"accuracy, {bits} bits, {side}"] = share(a["quantisation"][:, s, k], SHARED)
        for k, way in enumerate(self.ways):
            name = f"rank {way}" if isinstance(way, int) else str(way)
            told[f"turned scans, {name}"] = share(a["adapters"][:, k], SHARED)
            told[f"numbers that learn, {name}"] = float(a["adapter_sizes"][0, k])
        return told

    def examples(self, a: Arrays) -> Iterable[Example]:
        half = int(np.argmin(np.abs(np.array(self.pruned) - 0.8)))
        for s, side in enumerate(SIDES):
            lost = paired_difference(a["pruning"][:, s, 0, 0], a["quantisation"][:, s, 0], shared=SHARED)
            yield Example("8 bits are enough", beyond(
                f"weights of {self.bits[0]} bits, accuracy lost, {side}", lost, below=0.01, kind="own",
                source=f"a point; {JACOB}",
            ))  # fmt: skip
            yield Example("small weights can go", beyond(
                f"{self.pruned[half]:.0%} pruned: by magnitude above at random, {side}",
                paired_difference(a["pruning"][:, s, 0, half], a["pruning"][:, s, 1, half], shared=SHARED), above=0, kind="paper",
                source=HAN,
            ))  # fmt: skip
        learnt, size = a["adapters"], a["adapter_sizes"][0]
        best = 1 + len(self.ranks)
        yield Example("few numbers learn", beyond(
            f"turned scans: adapters of rank {self.ranks[-1]} above the last layer alone",
            paired_difference(learnt[:, best], learnt[:, 1], shared=SHARED), above=0, kind="own",
            source="control: the last layer alone",
        ))  # fmt: skip
        lost = paired_difference(learnt[:, -1], learnt[:, best], shared=SHARED)
        yield Example("few numbers learn", beyond(
            f"turned scans: all numbers minus adapters of rank {self.ranks[-1]}", lost, below=0.03, kind="own",
            source=f"three points; {HU}", told=f"{lost}: {told(learnt[:, -1], SHARED)} by {size[-1]:.0f} numbers,"
            f" {told(learnt[:, best], SHARED)} by {size[best]:.0f}",
        ))  # fmt: skip

    def figures(self, a: Arrays) -> Mapping[str, Drawing]:
        names = [f"rank {way}" if isinstance(way, int) else str(way) for way in self.ways]
        found = a["pruning"], a["quantisation"], a["adapters"], a["adapter_sizes"][0]
        return {"compression": compressed(self.pruned, self.bits, names, SIDES, *found, SHARED)}


if __name__ == "__main__":
    script(Compression.name)
