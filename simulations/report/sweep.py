"""The page of a sweep: table over the grid and figure, question, every run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bridges.comparison.tables import many
from plasticity.records import Record
from simulations.frame.experiment import Experiment
from simulations.frame.sweep import Sweep
from simulations.report.common import again, provenance, references, sentence
from simulations.report.experiment import question
from simulations.report.html import Section, Table, cell, pictures


def lead(kind: type[Experiment], swept: Sweep) -> str:
    """What it shows, and over how many points and seeds."""
    what = f"{many(len(swept.configuration['learners']), 'learner')} on a task" if kind.one_axis else "A simulation"
    return f"{sentence(kind.summary)} {sentence(what).rstrip('.')} over a grid of settings, {swept.counted}."


def sections(kind: type[Experiment], swept: Sweep, records: Sequence[Record], folder: Path) -> list[Section]:
    """Everything that stands on the page."""
    configuration = swept.configuration
    heads, rows = swept.rows(())
    keys, picked = len(configuration["grid"]), swept.chosen(())
    every = [
        [
            *(told for _, told in point.values),
            str(seed),
            *(cell(float(swept.values[name][point.number, place])) for name in picked),
        ]
        for point in swept.points
        for place, seed in enumerate(configuration["seeds"])
    ]
    notes = ["Mean over seeds with its 95 % interval. Measures that differ between the points are shown; all are in summary.csv."]
    notes += map(sentence, swept.notes())
    meaning = [[one.name, one.unit, one.meaning] for name, one in swept.declared.items() if name in picked]
    told = [Table("What was measured", ["measure", "unit", "meaning"], meaning)] if meaning else []
    right = frozenset(range(keys, len(heads)))
    each = Table("Each run", [*heads[:keys], "seed", *heads[keys:]], every, numbers=frozenset(range(keys, len(heads) + 1)))
    sources = [str(check["source"]) for check in records[0].numbers.get("checks", [])]
    caption = " ".join((Sweep.figures.__doc__ or "").split())
    shown = pictures(swept.figures(), {"sweep": caption})
    return [
        Section("result", "The result", [Table(f"{kind.name}: {swept.counted}", heads, rows, notes, right), *told, *shown[:1]]),
        Section("question", "The question", question(kind, configuration)),
        Section("figures", "More figures", shown[1:]),
        Section("seeds", "Every seed", [each]),
        Section("again", "To run it again", [*again(configuration, folder, True), *provenance(records)]),
        Section("references", "References", references(configuration, sources)),
    ]
