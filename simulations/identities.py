"""Plasticity and attention as the same computation: exact identities, each computed on both sides and compared.

Each row is a statement of equality and the largest difference between its two sides over random instances of random size:
max |a - b| / max |b| over all numbers a of the one side and b of the other, in float64. One side is a local rule, step by step in
NumPy or in Brian2, the other PyTorch's attention, autograd or optimiser. Both sides of every row are in `bridges/identities.py`,
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

One statement is statistical. A Hebbian memory of n random pairs, with keys of length 1 in d dimensions, recalls a value with the
mean squared relative error (n - 1)/d, because keys overlap at random: E (k . k')^2 = 1/d for each of the n - 1 others. The mean
over `memories` random memories stands beside it with its 95 % interval. The checks ask for the 99.9 % interval: with four
intervals of 95 % one seed in five would raise a false alarm.

Sources: Schlag, Irie & Schmidhuber 2021, arXiv:2102.11174 (I1, I4); Katharopoulos et al. 2020, arXiv:2006.16236 (I2); Ba et al.
2016, arXiv:1610.06258 (I3); Widrow & Hoff 1960, doi:10.21236/AD0241531 (I4); Irie, Csordas & Schmidhuber 2022, arXiv:2202.05798
(I5); Ramsauer et al. 2020, arXiv:2008.02217 (I6); Nadaraya 1964, doi:10.1137/1109020, Watson 1964 and Tsai et al. 2019,
arXiv:1908.11775 (I7); Reynolds & Heeger 2009, doi:10.1016/j.neuron.2009.01.002 (I8); Reynolds, Chelazzi & Desimone 1999,
doi:10.1523/JNEUROSCI.19-05-01736.1999 (I9); Pozzi, Bohte & Roelfsema 2020, arXiv:1811.01768 (I10); Bellec et al. 2020,
doi:10.1038/s41467-020-17236-y (I11); Song, Miller & Abbott 2000, doi:10.1038/78829, Pfister & Gerstner 2006,
doi:10.1523/JNEUROSCI.1425-06.2006 (I12); Kohonen 1972, doi:10.1109/TC.1972.5008975 (memory); attention as in Vaswani et al. 2017,
arXiv:1706.03762, by PyTorch, Paszke et al. 2019, arXiv:1912.01703.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from plasticity.parallel import Progress
from plasticity.settings import setting
from plasticity.statistics import interval
from simulations.simulation import Check, Outcome, Simulation, script

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from plasticity.records import Record

MEMORIES = ((5, 10), (10, 50), (50, 50), (100, 20))  # pairs n, dimensions d
KOHONEN = "Kohonen 1972, doi:10.1109/TC.1972.5008975; n - 1 other keys with E (k . k')^2 = 1/d each"


@dataclass(frozen=True)
class Identities(Simulation):
    __doc__ = __doc__

    name: ClassVar[str] = "identities"
    summary: ClassVar[str] = (
        "exact identities between plasticity and attention: both sides computed, the largest difference of each"
    )
    source: ClassVar[str] = (
        "Schlag, Irie & Schmidhuber 2021, arXiv:2102.11174; Vaswani et al. 2017, arXiv:1706.03762; Paszke et al. 2019,"
        " arXiv:1912.01703 (PyTorch); each identity has its own source"
    )
    default_seeds: ClassVar[int] = 1  # of the random instances; the statements hold for all
    uses: ClassVar[tuple[str, ...]] = ("pair_stdp", "triplet_stdp")

    instances: int = setting(5, "random instances of each identity and seed", low=1, high=10_000)
    memories: int = setting(
        400, "random Hebbian memories of each size and seed, for the statistical statement", low=10, high=100_000
    )

    def run(self, seeds: Sequence[int], jobs: int, progress: Progress) -> Outcome:
        """Each identity on its own random numbers, which follow from the seed and its place; more `jobs` change nothing."""
        from bridges.identities import IDENTITIES, memory_errors
        from bridges.training import one_thread

        found = np.empty((len(IDENTITIES), len(seeds) * self.instances))
        with one_thread():
            for k, identity in enumerate(IDENTITIES.values()):
                for j, seed in enumerate(seeds):
                    rng = np.random.default_rng([seed, k])
                    for i in range(self.instances):
                        found[k, j * self.instances + i] = identity.largest_difference(rng)
                        progress((found[:k].size + j * self.instances + i + 1) / (found.size + 1))
        rows = [
            {
                "name": identity.name,
                "statement": identity.statement,
                "largest_difference": float(largest),
                "tolerance": identity.tolerance,
            }
            for identity, largest in zip(IDENTITIES.values(), found.max(axis=1), strict=True)
        ]
        checks = [
            Check(f"{row['name']}: {row['statement']}", 0.0, row["largest_difference"], row["tolerance"], identity.source)
            for row, identity in zip(rows, IDENTITIES.values(), strict=True)
        ]
        numbers: dict[str, Any] = {"instances": found.shape[1], "identities": rows}
        arrays = {"difference": found}
        for k, (n, d) in enumerate(MEMORIES):
            rngs = [np.random.default_rng([seed, len(IDENTITIES) + k]) for seed in seeds]
            errors = np.concatenate([memory_errors(n, d, self.memories, rng) for rng in rngs])
            mean, (low, high), (lowest, highest) = float(errors.mean()), interval(errors), interval(errors, 0.999)
            numbers[f"error of a memory of {n} pairs in {d} dimensions"] = {"mean": mean, "low": low, "high": high}
            arrays[f"memory_{n}_{d}"] = errors
            checks.append(
                Check(
                    name=f"the mean squared relative error of a Hebbian memory of {n} pairs in {d} dimensions is (n - 1)/d",
                    published=(n - 1) / d,
                    ours=f"{mean:.4g} [{lowest:.4g}, {highest:.4g}]",
                    tolerance="99.9 % interval contains it",
                    source=KOHONEN,
                    passed=lowest <= (n - 1) / d <= highest,
                )
            )
        progress(1.0)
        return Outcome(numbers, checks, arrays)

    def figures(self, record: Record) -> dict[str, Figure]:
        """The largest difference of each identity beside its tolerance, on a logarithmic axis with a place for 0."""
        from simulations import figures

        rows = record.numbers["identities"]
        place = {"difference": [row["largest_difference"] for row in rows], "tolerance": [row["tolerance"] for row in rows]}
        smallest = min([value for side in place.values() for value in side if value > 0], default=1e-16)
        largest = max([value for side in place.values() for value in side if math.isfinite(value)])
        first, last = min(-17, math.floor(math.log10(smallest))), math.ceil(math.log10(max(largest, 1e-10)))
        zero = 10.0 ** (first - 1)  # a logarithmic axis has no 0: it stands left of a line
        with figures.style():
            figure, axes = figures.new(8.6, 1.4 + 0.36 * len(rows))
            axis = axes[0, 0]
            y = np.arange(len(rows))
            for x, row in zip(place["tolerance"], y, strict=True):
                axis.plot([zero, max(x, zero)], [row, row], color=figures.GREY, alpha=0.35, linewidth=1, zorder=1)
            marks = (
                ("tolerance", "|", figures.VERMILION, 11, "tolerance"),
                ("difference", "o", figures.BLUE, 5, f"largest difference in {record.numbers['instances']} instances"),
            )
            for key, marker, colour, size, label in marks:
                shown = [value if value > 0 else zero for value in place[key]]
                axis.plot(shown, y, marker, color=colour, markersize=size, markeredgewidth=2, label=label, zorder=3)
            axis.axvline(10 ** (first - 0.5), color=figures.BLACK, linestyle=":", linewidth=1, label="left of it: exactly 0")
            axis.axvline(np.finfo(float).eps, color=figures.GREY, linestyle="--", linewidth=1, label="spacing of float64 at 1")
            axis.set_xscale("log")
            powers = range(first, last + 1)
            axis.set_xticks([zero, *(10.0**p for p in powers)], ["0", *(f"$10^{{{p}}}$" for p in powers)])
            axis.minorticks_off()
            axis.set_xlim(10 ** (first - 1.3), 10 ** (last + 0.3))
            axis.set_ylim(len(rows) - 0.4, -0.6)
            axis.set_yticks(y, [_two_lines(f"{row['name']}  {row['statement']}") for row in rows], fontsize=7)
            axis.set_xlabel("largest difference of the two sides / largest value (no unit)")
            figures.legend(figure, *axis.get_legend_handles_labels(), columns=2, loc="outside upper left")
        return {"identities": figure}


def _two_lines(text: str, longest: int = 68) -> str:
    """A long text in two lines of about the same length."""
    return text if len(text) <= longest else textwrap.fill(text, len(text) // 2 + 8)


if __name__ == "__main__":
    script(Identities)
