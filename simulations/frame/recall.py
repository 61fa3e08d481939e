"""What the experiments on associative recall have in common: their task, the settings that they share, the table for people.

Sources: Schlag, Irie & Schmidhuber 2021, arXiv:2102.11174; Ramsauer et al. 2021, arXiv:2008.02217.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from plasticity.settings import setting
from plasticity.tasks import AssociativeRecall
from simulations.frame.experiment import Table

SOURCE = "Schlag, Irie & Schmidhuber 2021, arXiv:2102.11174; Ramsauer et al. 2021, arXiv:2008.02217"
SHOWN = 8  # pairs whose maps are drawn: as many values are needed at least

VALUES = setting(10, "possible values", low=SHOWN, high=1000)
TRIALS = setting(50, "memories for each condition and seed", low=1, high=100_000)
QUERIES = setting(4, "queries to each memory, at most one a pair", low=1, high=1000)


def recall_task(pairs: int, dimension: int, values: int, queries: int, memories: int = 10, train: int = 10) -> AssociativeRecall:
    """The task of one condition: so many memories to be tested, each asked for some pairs at most."""
    queries = min(queries, pairs)
    rounded = {name: -(-trials // queries) * queries for name, trials in (("train", train), ("validation", 300))}
    return AssociativeRecall(pairs=pairs, dimension=dimension, values=values, queries=queries, test=memories * queries, **rounded)


def recalled(numbers: Mapping[str, Any]) -> dict[str, Table]:
    """Accuracy of every learner, in percent: a table for each length of the keys."""

    def percent(share: Mapping[str, Any] | None) -> str:
        if share is None:
            return ""
        known = share["low"] is not None and share["low"] < share["high"]
        return f"{100 * share['mean']:.1f}" + (f" [{100 * share['low']:.1f}, {100 * share['high']:.1f}]" if known else "")

    tables = {}
    for dimension in sorted({row["dimension"] for row in numbers["results"]}):
        told = [row for row in numbers["results"] if row["dimension"] == dimension]
        pairs = sorted({row["pairs"] for row in told})
        fixed = {row["learner"] for row in told if "error" in row}
        rows = []
        for name in dict.fromkeys(row["learner"] for row in told):
            found = {row["pairs"]: row["accuracy"] for row in told if row["learner"] == name}
            rows.append([f"{name}{'' if name in fixed else ', trained'}", *(percent(found.get(n)) for n in pairs)])
        title = f"values recalled of n pairs, % of test trials [95 % interval], keys of length {dimension}"
        tables[title] = (["learner", *(f"n = {n}" for n in pairs)], rows)
    return tables
