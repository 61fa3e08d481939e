"""The law of superposed memories: n random pairs in one weight matrix disturb each other by (n - 1)/d.

A Hebbian memory of n random pairs, with keys of length 1 in d dimensions, recalls a value with the mean squared relative error
(n - 1)/d, because keys overlap at random: E (k . k')^2 = 1/d for each of the n - 1 others. The statement is statistical. The mean
over `memories` random memories stands beside it with its 95 % interval. The checks ask for the 99.9 % interval: with four
intervals of 95 % one seed in five would raise a false alarm.

Source: Kohonen 1972, doi:10.1109/TC.1972.5008975.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from plasticity.settings import setting
from plasticity.statistics import interval
from simulations.frame.checks import Check, no_difference
from simulations.frame.execute import script
from simulations.frame.experiment import Arrays, Experiment, Measure, Session

if TYPE_CHECKING:
    from simulations.figures.kinds import Drawing

MEMORIES = ((5, 10), (10, 50), (50, 50), (100, 20))  # pairs n, dimensions d
KOHONEN = "Kohonen 1972, doi:10.1109/TC.1972.5008975"


@dataclass(frozen=True)
class SuperpositionLaw(Experiment):
    __doc__ = __doc__

    name: ClassVar[str] = "superposition_law"
    summary: ClassVar[str] = "the error of Hebbian memories of n random pairs in d dimensions, against (n - 1)/d"
    source: ClassVar[str] = KOHONEN
    default_seeds: ClassVar[int] = 1
    compiled: ClassVar[bool] = False
    part_of: ClassVar[str] = "identities"
    time_share: ClassVar[float] = 0.02
    time_step: ClassVar[str] = "None: sums of outer products."
    measures: ClassVar[tuple[Measure, ...]] = tuple(
        Measure(f"error_{n}_in_{d}", "", f"squared error of {what}", (f"error of {what}",))
        for n, d in MEMORIES
        for what in [f"a memory of {n} pairs in {d} dimensions"]
    )

    memories: int = setting(
        400, "random Hebbian memories of each size and seed, for the statistical statement", low=10, high=100_000
    )

    def collect(self, session: Session) -> dict[str, np.ndarray]:
        """For each size memory_PAIRS_DIMENSIONS (seeds*memories,): the mean squared relative error of each memory."""
        from bridges.identities import IDENTITIES, memory_errors

        found = {}
        for k, (n, d) in enumerate(MEMORIES, start=len(IDENTITIES)):  # random numbers apart from those of the identities
            rngs = [np.random.default_rng([seed, k]) for seed in session.seeds]
            found[f"memory_{n}_{d}"] = np.concatenate([memory_errors(n, d, self.memories, rng) for rng in rngs])
        session.progress(1.0)
        return found

    def numbers(self, a: Arrays) -> dict[str, Any]:
        told = {}
        for n, d in MEMORIES:
            low, high = interval(a[f"memory_{n}_{d}"])
            mean = float(a[f"memory_{n}_{d}"].mean())
            told[f"error of a memory of {n} pairs in {d} dimensions"] = {"mean": mean, "low": low, "high": high}
        return told

    def checks(self, a: Arrays) -> Iterable[Check]:
        for n, d in MEMORIES:
            low, high = interval(a[f"memory_{n}_{d}"], 0.999)
            yield no_difference(
                f"the mean squared relative error of a Hebbian memory of {n} pairs in {d} dimensions is (n - 1)/d",
                value=(n - 1) / d, bounds=(low, high), published=(n - 1) / d, tolerance="99.9 % interval contains it",
                told=f"{a[f'memory_{n}_{d}'].mean():.4g} [{low:.4g}, {high:.4g}]",
                kind="closed_form", source=f"{KOHONEN}; n - 1 other keys with E (k . k')^2 = 1/d each",
            )  # fmt: skip

    def figures(self, a: Arrays) -> Mapping[str, Drawing]:
        return {}  # four numbers beside four


if __name__ == "__main__":
    script(SuperpositionLaw.name)
