"""The page of a comparison: table, first figure, question, learners, figures, every seed, fairness, costs, likeness, settings."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bridges.comparison.tables import many
from plasticity.files import read_sealed
from plasticity.settings import describe, text
from simulations.figures import comparison as drawing
from simulations.frame.citations import estimator, used
from simulations.frame.known import everything
from simulations.frame.rerun import ranges
from simulations.report import reading
from simulations.report.common import (
    again,
    checks_told,
    made_of,
    provenance,
    references,
    sentence,
    settings_table,
)  # fmt: skip
from simulations.report.html import Block, Heading, Listing, Section, Table, Text, cell, given, pictures, prose

if TYPE_CHECKING:
    from bridges.comparison import Comparison

IDENTITIES = "identities"  # the simulation whose checks say that the two sides compute the same where they must
PARTS_OF_A_SUMMARY = {"answers": "Answers", "fairness": "Fairness", "costs": "Costs", "likeness": "Likeness"}
SIDES = {
    "spiking": "Spiking networks: Brian2, local plasticity",
    "torch": "Attention and other models: PyTorch, trained by gradient",
    "control": "Controls",
}


def lead(comparison: Comparison) -> str:
    """How many learners and seeds, and which learner is right most often."""
    best = next(learner for learner in comparison.to_json()["learners"] if learner["name"] == comparison.best)["accuracy"]
    shares = {key: None if value is None else 100 * value for key, value in best.items() if key != "seeds"}
    data = comparison.configuration["settings"].get("file", "")
    told = f"The table: {data}. " if data else ""
    told += (
        f"{many(len(comparison.learners), 'learner')} on the same trials, {many(len(comparison.seeds), 'seed')}. Highest mean"
        f" test accuracy: {comparison.best}, {cell(shares, '.1f')} %; chance is {100 * comparison.chance:.3g} %, the ceiling"
        f" {100 * comparison.ceiling:.3g} %."
    )
    return f"Not finished. {told}" if comparison.missing else told


def sections(comparison: Comparison, folder: Path) -> list[Section]:
    """Everything that stands on the page."""
    summary, configuration = comparison.to_json(), comparison.configuration
    records = list(comparison.records.values())
    told = [(key, title) for key, title in PARTS_OF_A_SUMMARY.items() if summary.get(key)]
    first, *rest = _pictures(comparison)
    return [
        Section("result", "The result", [*_result(comparison), first]),
        Section("question", "The question", _question(comparison)),
        Section("learners", "The learners", _learners(comparison)),
        Section("figures", "More figures", rest),
        Section("seeds", "Every seed", _seeds_tables(comparison)),
        *(Section(key, title, given(title, summary[key])) for key, title in told),
        Section("reading", "Words and their attention", reading.blocks(comparison)),
        Section("identities", "Identity checks", _identities(folder)),
        Section("settings", "Settings of the learners", _settings(configuration)),
        Section("again", "To run it again", [*again(configuration, folder, not comparison.missing), *provenance(records)]),
        Section("references", "References", references(configuration, COLUMNS)),
    ]


ASKED = (
    "Which learner gives the right answer most often on trials that it has not met, and how far apart are they, when all of them"
    " learn from the same trials of the same seeds?"
)
FACTS = {
    "chance": "accuracy of the best answer without looking at the trial",
    "ceiling": "accuracy of an ideal observer, where one is known, else 100 %",
    "without_attention": "best accuracy of one that sees every stream but not the cue",
    "classes": "possible answers",
    "streams": "streams shown at once",
}


def _question(comparison: Comparison) -> list[Block]:
    configuration = comparison.configuration
    task = everything()["tasks"][comparison.task] if comparison.task in everything()["tasks"] else None
    blocks: list[Block] = _missing(comparison)
    if task is None:
        blocks.append(Text(f"The task `{comparison.task}` was given in Python; its settings and facts are below. {ASKED}"))
    else:
        summary, source = task.about(configuration["settings"])
        blocks += [Text(f"{sentence(summary)} {ASKED}"), *(prose(inspect.getdoc(task) or "", source) if source else [])]
    rows = [
        [key.replace("_", " "), cell(value) if isinstance(value, int) else f"{100 * value:.3g} %", FACTS.get(key, "")]
        for key, value in configuration["facts"].items()
        if value is not None
    ]
    blocks.append(Table("Facts of the task", ["fact", "value", "meaning"], rows, numbers=frozenset({1})))
    blocks += settings_table(f"Settings of the task {comparison.task}", task, configuration["settings"])
    if told := _own_data(comparison):
        blocks.append(Listing(told))
    for (kind, name), entry in used(configuration, everything()).items():
        if kind == "datasets":
            blocks.append(Text(f"Data `{name}`: {entry.summary}. Source: {entry.source}. Terms: {entry.terms}."))
    return blocks


def _own_data(comparison: Comparison) -> list[str]:
    """What is to be known of data of somebody's own: classes, columns, what was encoded, left out or clipped, checksums."""
    data = comparison.configuration.get("data", {})
    told = []
    for key, value in data.items():
        if isinstance(value, dict):
            value = [f"{name} {text}" for name, text in value.items()]
        told.append(f"{key.replace('_', ' ')}: {'; '.join(map(str, value)) if isinstance(value, list) else value}")
    clipped = [r.numbers["clipped"] for r in comparison.of(comparison.learners[0]) if "clipped" in r.numbers]
    if clipped:
        means = ", ".join(f"{sum(entry[part] for entry in clipped) / len(clipped):.3g} of the {part}" for part in clipped[0])
        told.append(f"values beyond those of the training rows, set to 0 or 1, mean over seeds: {means} rows")
    return told


def _missing(comparison: Comparison) -> list[Block]:
    """Which jobs of an interrupted comparison have no record."""
    if not comparison.missing:
        return []
    names, seeds = comparison.configuration["learners"], comparison.seeds
    gone = {name: [seed for seed in seeds if (seed, name) not in comparison.records] for name in names}
    told = (
        f"Not finished: {comparison.missing} of {many(len(seeds) * len(names), 'job')} have no record yet. This page is about"
        " the rest; two learners are compared over the seeds that both have. The last part but one says how to go on."
    )
    lines = [
        f"{name}: {'every seed' if lost == seeds else f'seeds {ranges(lost)}'} missing" for name, lost in gone.items() if lost
    ]
    return [Text(told, note=True), Listing(lines)]


PARTS = {"spiking": ("rules", "landings", "laws", "gates", "neurons", "encoders"), "torch": ("models",)}


def _learners(comparison: Comparison) -> list[Block]:
    configuration = comparison.configuration
    blocks: list[Block] = []
    for side, groups in _sides(configuration).items():
        rows = [[name, *_line(name, comparison)] for names in groups.values() for name in names]
        heads = ["learner", "what it is", "trained numbers", "source"]
        blocks += [Heading(SIDES.get(side, side)), Table(f"Who they are: {side}", heads, rows, numbers=frozenset({2}))]
        for title, (name, *_) in groups.items():
            made = _estimator(name, configuration)
            if type(made).__module__.startswith(("plasticity.", "bridges.")):
                blocks += [Heading(title, 4), *prose(inspect.getdoc(made) or "")]
        blocks += made_of(configuration, PARTS.get(side, ()), 4)
    return blocks


def _sides(configuration: Mapping[str, Any]) -> dict[str, dict[str, list[str]]]:
    """The learners by side and, within a side, by the class of the estimator (or the name of one that was given in Python)."""
    sides: dict[str, dict[str, list[str]]] = {}
    for name in configuration["learners"]:
        made = _estimator(name, configuration)
        groups = sides.setdefault(configuration["sides"][name], {})
        groups.setdefault(name if made is None else type(made).__name__, []).append(name)
    return sides


def _estimator(name: str, configuration: Mapping[str, Any]) -> Any:
    return estimator(name, configuration["parameters"][name], everything()["learners"])


def _line(name: str, comparison: Comparison) -> list[str]:
    count = next((record.numbers["parameters"] for record in comparison.of(name)), None)
    number = "\N{EN DASH}" if count is None else f"{count:,}"
    if _estimator(name, comparison.configuration) is None:
        return ["an estimator that was given in Python; its class is not in the records", number, ""]
    entry = everything()["learners"][name]
    return [entry.summary, number, entry.source]


def _settings(configuration: Mapping[str, Any]) -> list[Block]:
    """A row for each parameter of each class of estimator; where learners differ, a line for each of them."""
    blocks: list[Block] = []
    for groups in _sides(configuration).values():
        for names in groups.values():
            made = _estimator(names[0], configuration)
            declared = {} if made is None else {entry.name: entry for entry in describe(made)}
            every = {name: configuration["parameters"][name] for name in names}
            rows = []
            for key in sorted({key for values in every.values() for key in values}):
                texts = {name: _value(values[key]) for name, values in every.items() if key in values}
                alike = len({*texts.values()}) == 1
                told = texts[names[0]] if alike else "\n".join(f"{name}: {value}" for name, value in texts.items())
                unit, meaning = (declared[key].unit, sentence(declared[key].help)) if key in declared else ("", "")
                rows.append([key, told, unit, meaning])
            if rows:
                blocks.append(Table(", ".join(names), ["setting", "value here", "unit", "meaning"], rows))
    return blocks


def _value(value: Any) -> str:
    """As `--set` takes it; a rule or a gate with its own settings."""
    return cell(value) if isinstance(value, Mapping) else text(value)


COLUMNS = (
    "Accuracy: share of right answers on the test trials, mean over seeds, with its 95 % interval (Student's t, within 0 to"
    " 100 %; where seeds split one set of data anew corrected as by Nadeau & Bengio 2003, doi:10.1023/A:1024068626366).",
    "To the best: the learner minus the one with the highest mean, paired by seed. Compare within a group: what learners are"
    " given and what they have to learn is not alike between groups. Fit: median over seeds. p, Holm-corrected: summary.csv.",
)


def _result(comparison: Comparison) -> list[Block]:
    """The table that the terminal shows."""
    table = comparison.table()
    heads = [str(column.header) for column in table.columns]
    rows = list(zip(*(map(str, column.cells) for column in table.columns), strict=True))
    right = frozenset(place for place, column in enumerate(table.columns) if column.justify == "right")
    strong = frozenset(place for place, row in enumerate(table.rows) if row.style == "bold")
    return [Table(str(table.title), heads, rows, [*comparison.caption().splitlines(), *COLUMNS], right, strong)]


def _pictures(comparison: Comparison) -> list[Block]:
    """The figures; their captions are what the functions that draw them say."""
    drawn = drawing.comparison_figures(comparison)
    return pictures(drawn, {name: " ".join((inspect.getdoc(vars(drawing)[name]) or "").split()) for name in drawn})


SIDE_BY_SIDE = 8  # learners in a table of seeds that a printed sheet holds


def _seeds_tables(comparison: Comparison) -> list[Block]:
    """Every learner at every seed, so many learners in a table as are read side by side."""
    names = comparison.learners
    parts = [names[first : first + SIDE_BY_SIDE] for first in range(0, len(names), SIDE_BY_SIDE)]
    return [_seeds_table(comparison, part, place, place == len(parts)) for place, part in enumerate(parts, 1)]


def _seeds_table(comparison: Comparison, names: Sequence[str], part: int, last: bool) -> Block:
    digits = 1 if len(next(iter(comparison.records.values())).arrays["predictions"]) <= 1000 else 2
    rows = []
    for seed in comparison.seeds:
        found = [comparison.records.get((seed, name)) for name in names]
        prints = [str(record.numbers["trials_sha256"])[:12] for record in found if record is not None]
        values = ["missing" if record is None else f"{100 * record.numbers['accuracy']:.{digits}f}" for record in found]
        rows.append([str(seed), *values, prints[0] if prints else ""])
    foot = ["mean", *(f"{100 * comparison.numbers(name, 'accuracy').mean():.{digits}f}" for name in names), ""]
    note = (
        "Every seed that was asked for is shown. All learners of a seed met the very same trials: each record holds their sha256"
        " (here its first 12 digits), and records that differ are not paired."
    )
    heads = ["seed", *names, "sha256 of the trials"]
    right = frozenset(range(1, len(heads)))
    title = "Test accuracy of every learner at every seed, %" + (f" (part {part})" if part > 1 else "")
    return Table(title, heads, rows, [note] if last else [], right, foot=foot)


def _identities(folder: Path) -> list[Block]:
    """The checks of a finished run of `identities` in this folder or beside it, or what to type for one."""
    for place in (folder / IDENTITIES, folder.resolve().parent / IDENTITIES):
        if (place / "summary.json").exists():
            summary = read_sealed(place / "summary.json")
            if summary.get("simulation") == IDENTITIES:
                return checks_told(summary)
    return [
        Text(
            "No finished run of the identity checks lies in this folder or beside it. `plasticity run identities` makes one in"
            " `results/identities`; written again, this page shows its checks."
        )
    ]
