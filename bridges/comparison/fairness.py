"""Whether a comparison is fair: what each learner was given and took, and in what that is not alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from bridges.comparison.columns import column
from bridges.comparison.energy import EnergyTable, of_training
from plasticity.learners import VALIDATION
from plasticity.statistics import AMOUNT, over_seeds

if TYPE_CHECKING:
    from bridges.comparison.result import Comparison

ALIKE = 2.0  # the largest may be this often the smallest and still count as alike


def _middle(values: np.ndarray) -> dict[str, float]:
    """Median and range over seeds."""
    return {"median": float(np.median(values)), "low": float(values.min()), "high": float(values.max())}


def fairness_table(comparison: Comparison, table: EnergyTable) -> dict[str, Any]:
    """What each learner was given and took, and in what the comparison is not fair."""
    rows = []
    for name in comparison.learners:
        records = comparison.of(name)
        spent = [of_training(record.numbers, table) for record in records]
        first = records[0].numbers
        rows.append(
            {
                "learner": name,
                "side": comparison.side(name),
                "given": ", ".join(comparison.given(name)) or "nothing",
                "learns": ", ".join(comparison.learns(name)) or "nothing",
                "parameters": first["parameters"],
                "training_trials": first["training_trials"],
                "trials_shown": over_seeds(comparison.numbers(name, "trials_shown"), comparison.shared, AMOUNT),
                "gradient_steps": over_seeds(comparison.numbers(name, "gradient_steps"), comparison.shared, AMOUNT),
                "seconds": _middle(comparison.numbers(name, "seconds")),
                "energy": over_seeds([np.nan if value is None else value for value in spent], comparison.shared, AMOUNT),
            }
        )
    notes = ["Every learner met the very same trials of every seed: the SHA-256 of the trials is in each record, and they agree."]
    notes += _unfair(comparison, rows)
    columns = [
        column("learner", "learner"),
        column("side", "side"),
        column("given", "given"),
        column("learns", "learns"),
        column("parameters", "parameters that learning changes", format=",.0f"),
        column("training_trials", "different training trials", format=",.0f"),
        column("trials_shown", "training trials shown, repeats counted", format=",.0f"),
        column("gradient_steps", "gradient steps", format=",.0f"),
        column("seconds", "training", "s", ".2f"),
        column("energy", "energy of training", "J", ".3g"),
    ]
    return {"title": "What each learner was given, and took", "columns": columns, "rows": rows, "notes": notes}


def _unfair(comparison: Comparison, rows: list[dict[str, Any]]) -> list[str]:
    """Sentences on what is not alike."""
    told = []
    given = [name for name in comparison.learners if "gate" in comparison.given(name)]
    learning = [name for name in comparison.learners if "gate" in comparison.learns(name)]
    if given and learning:
        told.append(
            f"Not fair: {', '.join(given)} are told by their gate what the cue means; {', '.join(learning)} have to learn it."
            " Compare within these groups."
        )
    trained = [row for row in rows if row["side"] != "control" and row["trials_shown"]]
    for key, what in (("trials_shown", "training trials shown, repeats counted"), ("parameters", "parameters")):
        sizes = {row["learner"]: row[key]["mean"] if isinstance(row[key], Mapping) else row[key] for row in trained}
        known = {name: size for name, size in sizes.items() if size}
        if known and max(known.values()) > ALIKE * min(known.values()):
            least, most = min(known, key=known.__getitem__), max(known, key=known.__getitem__)
            told.append(f"Not alike: {what}, from {known[least]:,.0f} ({least}) to {known[most]:,.0f} ({most}).")
    remarks: dict[str, list[str]] = {}
    for name in comparison.learners:
        if remark := comparison.of(name)[0].numbers.get("remark"):
            remarks.setdefault(remark, []).append(name)
    told += [f"{', '.join(names)}: {remark}." for remark, names in remarks.items()]
    for name in comparison.learners:
        if (curve := comparison.of(name)[0].numbers.get("curve", VALIDATION)) != VALIDATION:
            told.append(
                f"Not alike: the learning curve of {name} is measured on {curve}, and by it how soon a level is reached and what"
                " that takes."
            )
    told.append(
        "Seconds (median and range) are those of one thread beside other jobs on the same machine, with the learning curve,"
        " compilation apart."
    )
    return told
