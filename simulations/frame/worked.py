"""A worked example: what a text states, what is right, what comes out here, and where the right value comes from.

An example is a check with a sentence before it. Checks, and the one table of a suite, follow from its examples.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from plasticity.datasets import DATASETS
from plasticity.learners import SpikingBrainProp
from plasticity.statistics import SHARE, mean_and_interval
from simulations.frame.checks import Check
from simulations.frame.experiment import Arrays, Experiment, Table
from simulations.frame.shown import number

TABLE = "examples"  # the list in the numbers
TITLE = "Worked examples"


@dataclass(frozen=True)
class Example:
    """`stated`: what the text says, in a few words; the check has the right value, ours and the source."""

    stated: str
    check: Check


class Worked(Experiment):
    """An experiment whose checks are worked examples."""

    default_seeds: ClassVar[int] = 5
    part_of: ClassVar[str] = "worked_examples"

    @abstractmethod
    def examples(self, a: Arrays) -> Iterable[Example]:
        """What is stated, with its check."""

    @abstractmethod
    def found(self, a: Arrays) -> dict[str, Any]:
        """Numbers for the summary beside the table."""

    def checks(self, a: Arrays) -> Iterable[Check]:
        return [example.check for example in self.examples(a)]

    def numbers(self, a: Arrays) -> dict[str, Any]:
        rows = [
            {
                "example": self.name, "what": one.check.name, "stated": one.stated, "right": one.check.published,
                "ours": one.check.ours, "holds": one.check.holds, "source": one.check.source,
            }
            for one in self.examples(a)
        ]  # fmt: skip
        return {**self.found(a), TABLE: rows}

    @classmethod
    def tables(cls, numbers: Mapping[str, Any]) -> dict[str, Table]:
        columns = ["example", "what", "stated", "right", "ours", "holds", "source of the right value"]
        rows = [
            [
                row["example"], row["what"], row["stated"], number(row["right"]), number(row["ours"]),
                "yes" if row["holds"] else "cannot tell" if "[-]" in str(row["ours"]) else "NO", row["source"],
            ]
            for row in numbers[TABLE]
        ]  # fmt: skip
        return {TITLE: (columns, rows)}


class OnBothSides(Worked):
    """A worked example for which a spiking network is trained, and a torch model."""

    own_process: ClassVar[bool] = True
    time_step: ClassVar[str] = "None of its own: that of the spiking learner is a setting of this learner."
    uses: ClassVar[tuple[str, ...]] = ("attention_gated", "lif_subtractive")


def share(values: Any, shared: float = 0.0) -> dict[str, float]:
    """Mean and 95 % interval over seeds of a share; `shared` as in `plasticity.statistics.interval`."""
    return mean_and_interval(values, shared, SHARE)


def told(values: Any, shared: float = 0.0) -> str:
    """The same in words: 0.503 [0.480, 0.526]."""
    found = share(values, shared)
    known = np.isfinite(found["low"])  # one seed has no interval
    return f"{found['mean']:.3f} " + (f"[{found['low']:.3f}, {found['high']:.3f}]" if known else "[-]")


def spiking(seed: int, hidden: tuple[int, ...] = (100,), passes: int = 1, **changed: Any) -> SpikingBrainProp:
    """A spiking network of one stream that learns from reward alone, not yet trained."""
    return SpikingBrainProp(hidden=hidden, passes=passes, gate="none", streams=1, random_state=seed, **changed)


ON_DIGITS: dict[str, Any] = {"eta_output": 0.01, "block": 1000}
"""Settings of `spiking` for digits, chosen on draws of seeds 1000 to 1017."""
SHARED = 0.3  # of digits: each seed splits the same 1797 scans anew, at most 400 for the test (`plasticity.statistics.interval`)


def digits(seed: int, train: int, test: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """scikit-learn's scans of digits, intensities (n, 64) from 0 to 1 and labels, for training and, apart, for the test."""
    scans = DATASETS["digits"]()
    X = scans.pixels.reshape(len(scans.labels), -1) / scans.pixels.max()
    order = np.random.default_rng([seed, 30]).permutation(len(X))
    kept, held = order[:train], order[len(order) - test :]
    return X[kept], scans.labels[kept], X[held], scans.labels[held]
