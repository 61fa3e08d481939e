"""Plasticity and attention as the same computation: exact identities, each computed on both sides and compared.

Each row is a statement of equality and the largest difference between its two sides over random instances of random size:
max |a - b| / max |b| over all numbers a of the one side and b of the other, in float64. One side is a local rule, step by step in
NumPy or in Brian2, the other PyTorch's attention, autograd or optimiser. Both sides of every row are in `bridges/identities/`,
with equations and symbols; the tests set a wrong version beside each, which differs by far more than any tolerance.

What is equal to what, with a memory W, keys k, queries q, values v:

    I1    W += v k^T, y = W q                     linear attention, sum over s of v_s (k_s . q)
    I2    also z += k, y = W q/(z . q)            normalised linear attention (positive features)
    I3    W = lambda W + v k^T; pair STDP         linear attention whose weights fall with age
    I4    W += beta (v - W k) k^T                 a step of gradient descent on 1/2 |v - W k|^2; exact overwrite
    I5    gradient descent on a linear layer      linear attention over the training examples, with their errors as values
    I6    modern Hopfield network                 softmax attention with K = V; its energy never rises
    I7    Gaussian-kernel regression              softmax attention, if and only if all |k| are equal
    I8    normalisation model of attention        softmax attention with a null key; attention is a bias on the logits
    I9    biased competition                      softmax attention over two tokens
    I10   BrainProp                               backprop of the selected unit's error
    I11   e-prop with the total learning signal   backprop through time
    I12   STDP by traces                          the sum over pairs of spikes; triplet STDP without triplets is pair STDP

I3b runs an all-to-all network of spike trains in Brian2, I12 independent synapses. A difference of 0 means equal to the last bit.

Sources: Schlag, Irie & Schmidhuber 2021, arXiv:2102.11174 (I1, I4); Katharopoulos et al. 2020, arXiv:2006.16236 (I2); Ba et al.
2016, arXiv:1610.06258 (I3); Widrow & Hoff 1960, doi:10.21236/AD0241531 (I4); Irie, Csordas & Schmidhuber 2022, arXiv:2202.05798
(I5); Ramsauer et al. 2020, arXiv:2008.02217 (I6); Nadaraya 1964, doi:10.1137/1109020, Watson 1964 and Tsai et al. 2019,
arXiv:1908.11775 (I7); Reynolds & Heeger 2009, doi:10.1016/j.neuron.2009.01.002 (I8); Reynolds, Chelazzi & Desimone 1999,
doi:10.1523/JNEUROSCI.19-05-01736.1999 (I9); Pozzi, Bohte & Roelfsema 2020, arXiv:1811.01768 (I10); Bellec et al. 2020,
doi:10.1038/s41467-020-17236-y (I11); Song, Miller & Abbott 2000, doi:10.1038/78829, Pfister & Gerstner 2006,
doi:10.1523/JNEUROSCI.1425-06.2006 (I12); attention as in Vaswani et al. 2017, arXiv:1706.03762, by PyTorch, Paszke et al. 2019,
arXiv:1912.01703.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from plasticity.settings import setting
from simulations.figures import BLACK, BLUE, GREY, VERMILION
from simulations.figures.kinds import line, moment, page, panel
from simulations.frame.checks import Check, near
from simulations.frame.execute import script
from simulations.frame.experiment import Arrays, Experiment, Measure, Session

if TYPE_CHECKING:
    from simulations.figures.kinds import Drawing

SOURCE = (
    "Schlag, Irie & Schmidhuber 2021, arXiv:2102.11174; Vaswani et al. 2017, arXiv:1706.03762; Paszke et al. 2019,"
    " arXiv:1912.01703 (PyTorch); each identity has its own source"
)


def worst(numbers: Mapping[str, Any]) -> float:
    """The largest difference of all identities."""
    return max(row["largest_difference"] for row in numbers["identities"])


@dataclass(frozen=True)
class ExactIdentities(Experiment):
    __doc__ = __doc__

    name: ClassVar[str] = "exact_identities"
    summary: ClassVar[str] = (
        "exact identities between local rules and attention: both sides computed, the largest difference of each"
    )
    source: ClassVar[str] = SOURCE
    default_seeds: ClassVar[int] = 1  # of the random instances; the statements hold for all
    compiled: ClassVar[bool] = False
    part_of: ClassVar[str] = "identities"
    uses: ClassVar[tuple[str, ...]] = ("pair_stdp", "triplet_stdp")
    time_step: ClassVar[str] = "None to converge: both sides of each identity take the same steps."
    measures: ClassVar[tuple[Measure, ...]] = (
        Measure("largest_difference", "", "largest difference of both sides, of all identities", worst, scale=1.0),
    )

    instances: int = setting(5, "random instances of each identity and seed", low=1, high=10_000)

    def collect(self, session: Session) -> dict[str, np.ndarray]:
        """`difference` (identities, seeds*instances); more jobs change nothing.

        Each identity has its own random numbers, which follow from the seed and its place.
        """
        from bridges.identities import IDENTITIES
        from bridges.training import one_thread

        found = np.empty((len(IDENTITIES), len(session.seeds) * self.instances))
        with one_thread():
            for k, identity in enumerate(IDENTITIES.values()):
                for j, seed in enumerate(session.seeds):
                    rng = np.random.default_rng([seed, k])
                    for i in range(j * self.instances, (j + 1) * self.instances):
                        found[k, i] = identity.largest_difference(rng)
                        session.progress((found[:k].size + i + 1) / found.size)
        return {"difference": found}

    def numbers(self, a: Arrays) -> dict[str, Any]:
        from bridges.identities import IDENTITIES

        rows = [
            {"name": one.name, "statement": one.statement, "largest_difference": float(most), "tolerance": one.tolerance}
            for one, most in zip(IDENTITIES.values(), a["difference"].max(axis=1), strict=True)
        ]
        return {"instances": a["difference"].shape[1], "identities": rows}

    def checks(self, a: Arrays) -> Iterable[Check]:
        from bridges.identities import IDENTITIES

        for one, most in zip(IDENTITIES.values(), a["difference"].max(axis=1), strict=True):
            yield near(f"{one.name}: {one.statement}", 0.0, most, one.tolerance, kind="closed_form", source=one.source)

    def figures(self, a: Arrays) -> Mapping[str, Drawing]:
        """The largest difference of each identity beside its tolerance, on a logarithmic axis with a place for 0."""
        told = self.numbers(a)
        rows, instances = told["identities"], told["instances"]
        y, labels = range(len(rows)), [_two_lines(f"{row['name']}  {row['statement']}") for row in rows]
        tolerance = np.array([row["tolerance"] for row in rows])
        differs = np.array([row["largest_difference"] for row in rows])
        both = np.append(tolerance, differs)
        smallest, largest = both[both > 0].min(initial=1e-16), both[np.isfinite(both)].max()
        first, last = min(-17, math.floor(math.log10(smallest))), math.ceil(math.log10(max(largest, 1e-10)))
        zero = 10.0 ** (first - 1)  # a logarithmic axis has no 0: it stands left of a line
        tolerance, differs = np.where(tolerance > 0, tolerance, zero), np.where(differs > 0, differs, zero)
        marks = {"markeredgewidth": 2, "zorder": 3}
        powers = range(first, last + 1)
        ticks = [zero, *(10.0**p for p in powers)], ["0", *(f"$10^{{{p}}}$" for p in powers)]
        drawn = panel(
            lambda axis: axis.hlines(y, zero, tolerance, color=GREY, alpha=0.35, linewidth=1, zorder=1) and None,
            line(tolerance, y, "|", color=VERMILION, markersize=11, label="tolerance", **marks),
            line(differs, y, "o", color=BLUE, markersize=5, label=f"largest difference in {instances} instances", **marks),
            moment(10 ** (first - 0.5), color=BLACK, linestyle=":", linewidth=1, label="left of it: exactly 0"),
            moment(np.finfo(float).eps, linestyle="--", linewidth=1, label="spacing of float64 at 1"),
            x="largest difference of the two sides / largest value (no unit)", xscale="log", xticks=ticks[0],
            xticklabels=ticks[1], xlim=(10 ** (first - 1.3), 10 ** (last + 0.3)), ylim=(len(rows) - 0.4, -0.6),
            then=lambda axis: (axis.minorticks_off(), axis.set_yticks(y, labels, fontsize=7)),
        )  # fmt: skip
        return {
            "identities": page([drawn], size=(8.6, 1.4 + 0.36 * len(rows)), legend=2, legend_look={"loc": "outside upper left"})
        }


def _two_lines(text: str, longest: int = 68) -> str:
    """A long text in two lines of about the same length."""
    return text if len(text) <= longest else textwrap.fill(text, len(text) // 2 + 8)


if __name__ == "__main__":
    script(ExactIdentities.name)
