"""The page of an ablation: what each ingredient of a learner is worth."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bridges.comparison.ingredients import rows
from bridges.comparison.tables import many
from plasticity.ablations import INTACT
from plasticity.statistics import told_ends
from simulations.figures import ablation as drawing
from simulations.report import comparison as whole
from simulations.report.html import Section, Table, Text, pictures

if TYPE_CHECKING:
    from bridges.comparison import Comparison

HEADS = ("ablation", "accuracy % [95 % interval]", "to intact, points [95 % interval]", "undecided %", "what is taken away")
NOTE = (
    "Accuracy: share of right answers on the test trials, mean over seeds. To intact: the ablated learner minus the learner as it"
    " is, paired by seed; what an ingredient is worth is the opposite of it. Undecided: test trials in which no class spoke"
    " louder than another, or none at all; where they are many the level of the thresholds was lost, or what tells winners apart."
)
OWN = ("result", "learners", "identities")  # sections that the page of a comparison has and this one has not, or has its own of


def cells(comparison: Comparison) -> list[list[str]]:
    """The rows of the table, as texts."""
    return [
        [
            row["ablation"],
            _shown(row["accuracy"], ""),
            "" if row["difference"] is None else _shown(row["difference"], "+"),
            "-" if row["undecided"] is None else f"{100 * row['undecided']:.0f}",
            row["summary"],
        ]
        for row in rows(comparison)
    ]


def _shown(value: Mapping[str, Any], sign: str) -> str:
    if value["mean"] is None:
        return "-"
    return f"{100 * value['mean']:{sign}.1f} {told_ends(value, sign)}"


def lead(comparison: Comparison) -> str:
    """How good the learner is as it is, and which ablation costs most."""
    found = rows(comparison)
    told = f"{comparison.configuration['ablates']['learner']} as it is and without {many(len(found) - 1, 'ingredient')}, one at"
    told += f" a time, on the same trials, {many(len(comparison.seeds), 'seed')}."
    known = [row for row in found if row["difference"] is not None and row["difference"]["mean"] is not None]
    if known and found[0]["ablation"] == INTACT:
        most = min(known, key=lambda row: row["difference"]["mean"])
        told += f" Intact {_shown(found[0]['accuracy'], '')} %; what costs most is {most['ablation']},"
        told += f" {_shown(most['difference'], '+')} points; chance is {100 * comparison.chance:.3g} %."
    return f"Not finished. {told}" if comparison.missing else told


def sections(comparison: Comparison, folder: Path) -> list[Section]:
    """Everything that stands on the page."""
    drawn = {"ablations": drawing.ablations(comparison)}
    caption = " ".join((inspect.getdoc(drawing.ablations) or "").split())
    table = Table("What each ingredient is worth", HEADS, cells(comparison), [NOTE], frozenset({1, 2, 3}))
    first = Section("result", "The result", [table, *pictures(drawn, {"ablations": caption})])
    asked = "What does the learner lose when one ingredient is taken from it and all else stays?"
    others = [one for one in whole.sections(comparison, folder) if one.name not in OWN]
    for one in others:
        if one.name == "question":
            one.blocks.insert(0, Text(asked))
    return [first, *others]
