"""What is told of each ablation: its accuracy, the difference to the learner as it is, how often nothing was decided."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from plasticity.ablations import INTACT
from plasticity.statistics import APART, finite, if_spread, paired_difference

if TYPE_CHECKING:
    from bridges.comparison.result import Comparison


def rows(comparison: Comparison) -> list[dict[str, Any]]:
    """A row for the learner as it is and for each ablation; a number that does not exist is None.

    "ablation", "summary"; "accuracy" with "mean", "low", "high" (95 % over seeds) and "seeds"; "difference" to intact, paired by
    seed ("mean", "low", "high"; None of intact itself); "undecided", the share of test trials in which all classes were equally
    probable, silence among them.
    """
    told = comparison.configuration["ablates"]["ablations"]
    found = []
    for name in comparison.learners:
        values, (low, high) = comparison.numbers(name, "accuracy"), comparison.intervals[name]
        row = {
            "ablation": name,
            "summary": told.get(name, "as it is"),
            "accuracy": {
                "mean": float(values.mean()), "low": finite(low), "high": finite(high), "seeds": [float(v) for v in values],
                "for": comparison.interval_for
            },
            "difference": None if name == INTACT else _difference(comparison, name),
            "undecided": _undecided(comparison, name),
        }  # fmt: skip
        found.append(row)
    return found


def _difference(comparison: Comparison, name: str) -> dict[str, float | None]:
    """An ablation minus intact, over the seeds that both have."""
    records = comparison.records
    common = [seed for seed in comparison.seeds if (seed, name) in records and (seed, INTACT) in records]
    without, intact = ([records[seed, of].numbers["accuracy"] for seed in common] for of in (name, INTACT))
    if len(common) < 2:
        return {"mean": without[0] - intact[0] if common else None, "low": None, "high": None}
    found = paired_difference(without, intact, shared=comparison.shared, within=APART)
    low, high = if_spread(found.low, found.high)
    return {"mean": found.mean, "low": finite(low), "high": finite(high)}


def _undecided(comparison: Comparison, name: str) -> float | None:
    """Share of test trials in which every class was equally probable; None where no probabilities are kept."""
    kept = [record.arrays.get("probabilities") for record in comparison.of(name)]
    shares = [math.nan if one is None else float(np.mean(np.ptp(one, axis=1) == 0)) for one in kept]
    return finite(float(np.mean(shares)))
