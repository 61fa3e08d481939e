"""What the page says of every run: what it is made of, settings, checks, how to run it again, whose papers it rests on."""

from __future__ import annotations

import inspect
import json
import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from plasticity.errors import WrongUse
from plasticity.records import Record
from plasticity.references import bibtex
from plasticity.settings import describe, text
from simulations.frame.citations import cited, used
from simulations.frame.known import everything
from simulations.frame.rerun import words
from simulations.frame.shown import COLUMNS, counted, rows
from simulations.report.html import Block, Code, Heading, Table, Text, cell, prose, short

KINDS = {
    "rules": "Rule",
    "landings": "Landing",
    "laws": "Law",
    "gates": "Gate",
    "neurons": "Neuron",
    "encoders": "Encoder",
    "models": "Model",
}


def sentence(told: str) -> str:
    """With a capital letter and an end."""
    told = told.strip()
    return told[:1].upper() + told[1:] + ("" if not told or told.endswith((".", "?")) else ".")


# What a run is made of


def made_of(configuration: Mapping[str, Any], kinds: Iterable[str], level: int) -> list[Block]:
    """The rules, gates, neurons, encoders or models that a run used: equations, symbols, source."""
    blocks: list[Block] = []
    for (kind, name), entry in sorted(used(configuration, everything()).items(), key=lambda item: item[0]):
        if kind in kinds:
            blocks += [Heading(f"{KINDS[kind]} {name}", level), *_about(entry, configuration)]
    return blocks


def _about(entry: Any, configuration: Mapping[str, Any]) -> list[Block]:
    if inspect.isclass(entry) or not callable(getattr(entry, "describe", None)):
        return prose(inspect.getdoc(entry) or sentence(entry.summary), "" if entry.source == "control" else entry.source)
    paragraphs = re.split(r"\n\s*\n", entry.describe())[1:]  # without its summary; its values are defaults, not those of the run
    kept = [part for part in paragraphs if not re.match(r"\s*(parameters|presets|source)\b", part)]
    blocks: list[Block] = [Code(inspect.cleandoc("\n" + "\n\n".join(kept)), f"equations of {entry.name}", folds=True)]
    meaning = getattr(entry, "meaning", {})
    values = {symbol: sorted(_values(configuration, entry.name, symbol)) for symbol in getattr(entry, "parameters", {})}
    lines = [
        [symbol, meaning.get(symbol, ""), *([", ".join(told)] if any(values.values()) else [])] for symbol, told in values.items()
    ]
    if lines:
        blocks.append(Table(f"Symbols of {entry.name}", ["symbol", "meaning", "value here"][: len(lines[0])], lines))
    return [*blocks, Text(f"Source: {entry.source}")]


def _values(value: Any, name: str, symbol: str) -> set[str]:
    """All values that a configuration gives to a parameter of the rule of that name."""
    if not isinstance(value, Mapping):
        return set()
    own = value.get("parameters")
    if value.get("name") == name and isinstance(own, Mapping) and symbol in own:
        return {short(cell(own[symbol]))}
    return {found for entry in value.values() for found in _values(entry, name, symbol)}


# Settings and checks


def settings_table(title: str, owner: Any, values: Mapping[str, Any]) -> list[Block]:
    """The settings of a task or experiment: what each was, its default, its unit and meaning."""
    declared = {entry.name: entry for entry in describe(owner)} if owner is not None else {}
    lines = []
    for name, value in values.items():
        entry = declared.get(name)
        lines.append([name, text(value), *([text(entry.default), entry.unit, entry.help] if entry else ["", "", ""])])
    return [Table(title, ["setting", "value here", "default", "unit", "meaning"], lines)] if lines else []


def checks_told(summary: Mapping[str, Any], notes: Sequence[str] = (), few: str = "") -> list[Block]:
    """The checks of a run, those that do not hold standing out; what is said of these in a run of too few seeds."""
    found = [row[1:] for row in rows([summary], few)]
    failing = frozenset(place for place, check in enumerate(summary["checks"]) if not check["holds"])
    if not found:
        return [Text("This run has no value to be held against.")]
    return [Table(f"{summary['simulation']}: {counted([summary])}", COLUMNS[1:], found, notes, strong=failing)]


# The command that does it again, and where the numbers came from


def again(configuration: Mapping[str, Any], folder: Path, finished: bool) -> list[Block]:
    """What to type for the same run, and what of it cannot be typed."""
    out = Path("results") / f"{folder.resolve().name}{'_again' if finished else ''}"
    try:
        command, unsaid = words(configuration, str(out))
    except WrongUse as error:
        return [Text(f"This code cannot run it again: {error}", note=True)]
    blocks: list[Block] = [Code(shlex.join(command), "command", folds=True)]
    if finished:
        blocks.append(Text("The output folder is a new one: a finished run is not overwritten unless `--force` is given."))
    else:
        blocks.append(Text("With the folder of this page after `--out` it goes on from what is finished; nothing is run twice."))
    if unsaid:
        why = "what no option says" if "with" in configuration else "because it was given in Python"
        blocks.append(Text(f"Not in this command, {why}: {'; '.join(unsaid)}.", note=True))
    return blocks


def provenance(records: Sequence[Record]) -> list[Block]:
    """Commit, versions and machine of the records; where they differ, a table for each."""
    groups: dict[str, list[Record]] = {}
    for record in records:
        same = {key: value for key, value in record.provenance.items() if key != "created"}
        groups.setdefault(json.dumps(same, sort_keys=True), []).append(record)
    blocks: list[Block] = [
        Text("The numbers are those of the records; the descriptions are those of the code that wrote this page.")
    ]
    if len(groups) > 1:
        blocks.append(Text(f"The records come from {len(groups)} different states of code or machine; each has its table.", True))
    for place, group in enumerate(groups.values()):
        told = group[0].provenance
        begun = sorted({_moment(record.provenance["created"]) for record in group if "created" in record.provenance})
        clean = {"True": ", no tracked file changed", "False": ", with changes that are not in it"}.get(
            str(told.get("clean")), ""
        )
        lines = {
            "records": str(len(group)),
            "commit": str(told.get("commit", "unknown")) + clean,
            "versions": ", ".join(f"{name} {version}" for name, version in told.get("versions", {}).items()),
            "machine": told.get("platform", "unknown") + (f", {told['cpus']} cores" if "cpus" in told else ""),
            "begun": " and ".join(dict.fromkeys([*begun[:1], *begun[-1:]])),
            "ran on": ", ".join(sorted({record.backend for record in group})),
            "threads of each job": ", ".join(map(str, sorted({record.threads for record in group}))),
            "time, all jobs together": _duration(sum(record.wall_s for record in group)),
        }
        title = "What ran it" + (f", {place + 1} of {len(groups)}" if len(groups) > 1 else "")
        blocks.append(Table(title, ["what", "as recorded"], [[key, value] for key, value in lines.items() if value]))
    return blocks


def _moment(stamp: str) -> str:
    """2026-01-31T12:00:00+00:00 as 2026-01-31 12:00:00 UTC."""
    return stamp.replace("T", " ").replace("+00:00", " UTC")


def _duration(seconds: float) -> str:
    if not seconds:
        return ""
    whole = round(seconds)
    return f"{whole // 60} min {whole % 60} s" if whole >= 60 else f"{seconds:.1f} s"


def references(configuration: Mapping[str, Any], sources: Iterable[str]) -> list[Block]:
    """BibTeX of the papers behind a run, and of those that these texts name."""
    found = cited(configuration, everything(), list(sources))
    return [Text("The papers behind this run; `plasticity cite` prints them, too."), Code(bibtex(found), "BibTeX", folds=True)]
