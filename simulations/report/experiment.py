"""The page of an experiment: tables, first figure and checks, then question, what it is made of, numbers, more figures."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bridges.comparison.tables import many
from plasticity.records import Record
from plasticity.settings import describe, text
from simulations.figures import draw_all
from simulations.frame.execute import summarise
from simulations.frame.experiment import Experiment
from simulations.frame.shown import counted, counted_by_kind, few_seeds
from simulations.report.common import KINDS, again, checks_told, made_of, provenance, references, sentence, settings_table
from simulations.report.html import Block, Section, Table, numbers_told, pictures, prose


def lead(experiment: Experiment, record: Record) -> str:
    """What it shows, for how many seeds, and how many checks hold, of each kind apart."""
    seeds, told = many(len(record.configuration["seeds"]), "seed"), [summarise(record)]
    kinds = f" By kind: {counted_by_kind(told)}." if told[0]["checks"] else ""
    return f"{sentence(experiment.summary)} A simulation, {seeds}; {counted(told)}.{kinds}"


def sections(experiment: Experiment, record: Record, folder: Path) -> list[Section]:
    """Everything that stands on the page."""
    configuration, summary = record.configuration, summarise(record)
    changed = changes(experiment, configuration["settings"])
    notes = [f"The checks are meant for the default settings; here {', '.join(changed)}."] if changed else []
    few = few_seeds(experiment, len(configuration["seeds"]))
    drawn = pictures(draw_all(experiment.figures(experiment.arrays_of(record))), {})
    tables = [Table(title, columns, rows) for title, (columns, rows) in experiment.tables(summary["numbers"]).items()]
    return [
        Section("result", "The result", [*tables, *drawn[:1], *checks_told(summary, notes, few)]),
        Section("question", "The question", question(type(experiment), configuration)),
        Section("parts", "What it is made of", made_of(configuration, KINDS, 3)),
        Section("numbers", "Numbers", numbers_told(summary["numbers"])),
        Section("figures", "More figures", drawn[1:]),
        Section("again", "To run it again", [*again(configuration, folder, True), *provenance([record])]),
        Section("references", "References", references(configuration, [str(check["source"]) for check in summary["checks"]])),
    ]


def changes(experiment: Experiment, values: Mapping[str, Any]) -> list[str]:
    """The settings that are not the defaults, as `--set` takes them."""
    defaults = {entry.name: text(entry.default) for entry in describe(experiment)}
    return [f"{key}={text(value)}" for key, value in values.items() if text(value) != defaults.get(key)]


def question(kind: type[Experiment], configuration: Mapping[str, Any]) -> list[Block]:
    """What the docstring says, and the settings."""
    blocks = prose(inspect.getdoc(kind) or "", kind.source)
    values = {**configuration["settings"], **configuration.get("grid", {})}
    return [*blocks, *settings_table(f"Settings of {kind.name}", kind, values)]
