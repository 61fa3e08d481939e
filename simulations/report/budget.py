"""The page of a budget: table, figure, sentences, question, every seed, what it rests on."""

from __future__ import annotations

import inspect
from pathlib import Path

from bridges.comparison.curves import BUDGETS, Curves
from bridges.comparison.tables import many
from plasticity.settings import text
from simulations.figures import budget as drawing
from simulations.frame.known import everything
from simulations.report.common import again, provenance, references, sentence, settings_table
from simulations.report.html import Listing, Section, Table, Text, pictures, prose


def lead(curves: Curves) -> str:
    """How many learners and seeds, and along what."""
    return f"{many(len(curves.curves), 'learner')} by {BUDGETS[curves.budget]}, {many(len(curves.seeds), 'seed')}."


def sections(curves: Curves, folder: Path) -> list[Section]:
    """Everything that stands on the page."""
    configuration = curves.configuration
    heads, rows = curves.table()
    right = frozenset(range(1, len(heads)))
    caption = " ".join((inspect.getdoc(drawing.budget) or "").split())
    drawn = pictures(drawing.budget_figures(curves), {"budget": caption})
    tasks = everything()["tasks"]
    task = tasks[curves.task] if curves.task in tasks else None
    summary, source = ("", "") if task is None else task.about(configuration["settings"])
    about = [*([Text(sentence(summary))] if summary else []), *(prose(inspect.getdoc(task) or "", source) if source else [])]
    each = [[point.name, *(f"{100 * value:.1f}" for value in curves.accuracy(point))] for point in curves.points]
    seeds = Table(
        "Test accuracy of every point at every seed, %", ["point", *(f"seed {seed}" for seed in curves.seeds)], each,
        numbers=frozenset(range(1, len(curves.seeds) + 1)),
    )  # fmt: skip
    priced = Table(f"A decision at {100 * curves.stated:.1f} % right (size), by prices", *curves.prices())
    measured = [[key, text(value)] for key, value in configuration["measured"].items()]
    return [
        Section(
            "result", "The result", [Table(curves.task, heads, rows, curves.notes(), right), *drawn, Listing(curves.sentences())]
        ),
        Section(
            "question",
            "The question",
            [
                Text(f"How often is each learner right for what it is given: {BUDGETS[curves.budget]}?"),
                *about,
                *settings_table(f"Settings of the task {curves.task}", task, configuration["settings"]),
                Table("Settings of the budget", ["setting", "value here"], measured),
            ],
        ),
        Section("seeds", "Every seed", [seeds]),
        Section("costs", "What the estimates of energy rest on", [priced, Listing(curves.notes(True))]),
        Section("again", "To run it again", [*again(configuration, folder, True), *provenance(list(curves.records.values()))]),
        Section("references", "References", references(configuration, curves.notes(True))),
    ]
