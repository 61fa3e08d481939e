"""One page of HTML about a folder that `compare`, `run` or `sweep` wrote, for people who were not there.

It is made from the records in the folder, and from what the code says of the things that they name: the same records give the
same bytes. It needs no other file, no script and no network.
"""

from __future__ import annotations

import inspect
import json
import os
import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from plasticity.errors import PlasticityError, WrongUse
from plasticity.records import Record, read_json, write_text
from plasticity.references import bibtex
from plasticity.settings import describe
from simulations.again import ranges, words
from simulations.page import Block, Code, Heading, Listing, Section, Table, Text, cell, given, pictures, prose, render, short

if TYPE_CHECKING:
    from bridges.comparison import Comparison

FILE = "report.html"
IDENTITIES = "identities"  # the simulation whose checks say that the two sides compute the same where they must
PARTS_OF_A_SUMMARY = {"fairness": "Fairness", "costs": "Costs", "alignment": "Alignment"}
SIDES = {
    "spiking": "Spiking networks: Brian2, local plasticity",
    "torch": "Attention and other models: PyTorch, trained by gradient",
    "control": "Controls",
}


# What the things are that a run is made of


def known() -> dict[str, Mapping[str, Any]]:
    """All registries by their kind, those of `plasticity list` and the data sets."""
    from plasticity.datasets import DATASETS
    from simulations.cli import registries

    return {**{kind: get() for kind, get in registries().items()}, "datasets": DATASETS}


KINDS = {"rules": "Rule", "landings": "Landing", "gates": "Gate", "neurons": "Neuron", "encoders": "Encoder", "models": "Model"}


def made_of(configuration: Mapping[str, Any], kinds: Iterable[str], level: int) -> list[Block]:
    """The rules, gates, neurons, encoders or models that a run used: equations, symbols, source."""
    from simulations.citations import used

    blocks: list[Block] = []
    for (kind, name), entry in sorted(used(configuration, known()).items(), key=lambda item: item[0]):
        if kind in kinds:
            blocks += [Heading(f"{KINDS[kind]} {name}", level), *_about(entry, configuration)]
    return blocks


def _about(entry: Any, configuration: Mapping[str, Any]) -> list[Block]:
    if inspect.isclass(entry) or not callable(getattr(entry, "describe", None)):
        return prose(inspect.getdoc(entry) or _sentence(entry.summary), "" if entry.source == "control" else entry.source)
    paragraphs = re.split(r"\n\s*\n", entry.describe())[1:]  # without its summary; its values are defaults, not those of the run
    kept = [part for part in paragraphs if not re.match(r"\s*(parameters|presets|source)\b", part)]
    blocks: list[Block] = [Code(inspect.cleandoc("\n" + "\n\n".join(kept)), f"equations of {entry.name}", folds=True)]
    meaning = getattr(entry, "meaning", {})
    values = {symbol: sorted(_values(configuration, entry.name, symbol)) for symbol in getattr(entry, "parameters", {})}
    rows = [
        [symbol, meaning.get(symbol, ""), *([", ".join(told)] if any(values.values()) else [])] for symbol, told in values.items()
    ]
    if rows:
        blocks.append(Table(f"Symbols of {entry.name}", ["symbol", "meaning", "value here"][: len(rows[0])], rows))
    return [*blocks, Text(f"Source: {entry.source}")]


def _values(value: Any, name: str, symbol: str) -> set[str]:
    """All values that a configuration gives to a parameter of the rule of that name."""
    if not isinstance(value, Mapping):
        return set()
    own = value.get("parameters")
    if value.get("name") == name and isinstance(own, Mapping) and symbol in own:
        return {short(cell(own[symbol]))}
    return {found for entry in value.values() for found in _values(entry, name, symbol)}


def _sentence(text: str) -> str:
    text = text.strip()
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "?")) else ".")


def settings_table(title: str, owner: Any, values: Mapping[str, Any]) -> list[Block]:
    """The settings of a task or simulation: what each was, its default, its unit and meaning."""
    declared = {entry.name: entry for entry in describe(owner)} if owner is not None else {}
    rows = []
    for name, value in values.items():
        entry = declared.get(name)
        default = cell(entry.default) if entry else ""
        rows.append([name, cell(value), default, entry.unit if entry else "", entry.help if entry else ""])
    return [Table(title, ["setting", "value here", "default", "unit", "meaning"], rows)] if rows else []


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
        blocks.append(Text(f"Not in this command, because it was given in Python: {'; '.join(unsaid)}.", note=True))
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
        rows = {
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
        blocks.append(Table(title, ["what", "as recorded"], [[key, value] for key, value in rows.items() if value]))
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
    from simulations.citations import cited

    found = cited(configuration, known(), list(sources))
    return [Text("The papers behind this run; `plasticity cite` prints them, too."), Code(bibtex(found), "BibTeX", folds=True)]


# A comparison


def _comparison(folder: Path) -> tuple[str, str, list[Section]]:
    from bridges.comparison import Comparison

    comparison = Comparison.load(folder)
    summary, configuration = comparison.to_json(), comparison.configuration
    records = list(comparison.records.values())
    best = next(learner for learner in summary["learners"] if learner["name"] == comparison.best)["accuracy"]
    shares = {key: None if value is None else 100 * value for key, value in best.items() if key != "seeds"}
    lead = (
        f"{_many(len(comparison.learners), 'learner')} on the same trials, {_many(len(comparison.seeds), 'seed')}. Highest mean"
        f" test accuracy: {comparison.best}, {cell(shares, '.1f')} %; chance is {100 * comparison.chance:.3g} %, the ceiling"
        f" {100 * comparison.ceiling:.3g} %."
    )
    finished = not comparison.missing
    told = [(key, title) for key, title in PARTS_OF_A_SUMMARY.items() if summary.get(key)]
    sections = [
        Section("question", "The question", _question(comparison)),
        Section("learners", "The learners", _learners(comparison)),
        Section("result", "The result", _result(comparison)),
        Section("figures", "Figures", _comparison_pictures(comparison)),
        Section("seeds", "Every seed", _seeds_table(comparison)),
        *(Section(key, title, given(title, summary[key])) for key, title in told),
        Section("identities", "Identity checks", _identities(folder)),
        Section("settings", "Settings of the learners", _settings(configuration)),
        Section("again", "To run it again", [*again(configuration, folder, finished), *provenance(records)]),
        Section("references", "References", references(configuration, COLUMNS)),
    ]
    return f"plasticity: {comparison.task}", lead if finished else f"Not finished. {lead}", sections


def _many(count: int, word: str) -> str:
    return f"{count} {word}{'s' if count != 1 else ''}"


ASKED = (
    "Which learner gives the right answer most often on trials that it has not met, and how far apart are they, when all of them"
    " learn from the same trials of the same seeds?"
)
FACTS = {
    "chance": "accuracy of guessing",
    "ceiling": "accuracy of an ideal observer",
    "without_attention": "best accuracy of one that sees every stream but not the cue",
    "classes": "possible answers",
    "streams": "streams shown at once",
}


def _question(comparison: Comparison) -> list[Block]:
    from simulations.citations import used

    configuration = comparison.configuration
    task = known()["tasks"][comparison.task] if comparison.task in known()["tasks"] else None
    blocks: list[Block] = _missing(comparison)
    if task is None:
        blocks.append(Text(f"The task `{comparison.task}` was given in Python; its settings and facts are below. {ASKED}"))
    else:
        blocks += [Text(f"{_sentence(task.summary)} {ASKED}"), *prose(inspect.getdoc(task) or "", task.source)]
    rows = [
        [key.replace("_", " "), cell(value) if isinstance(value, int) else f"{100 * value:.3g} %", FACTS.get(key, "")]
        for key, value in configuration["facts"].items()
        if value is not None
    ]
    blocks.append(Table("Facts of the task", ["fact", "value", "meaning"], rows, numbers=frozenset({1})))
    blocks += settings_table(f"Settings of the task {comparison.task}", task, configuration["settings"])
    for (kind, name), entry in used(configuration, known()).items():
        if kind == "datasets":
            blocks.append(Text(f"Data `{name}`: {entry.summary}. Source: {entry.source}. Terms: {entry.terms}."))
    return blocks


def _missing(comparison: Comparison) -> list[Block]:
    """Which jobs of an interrupted comparison have no record."""
    if not comparison.missing:
        return []
    names, seeds = comparison.configuration["learners"], comparison.seeds
    gone = {name: [seed for seed in seeds if (seed, name) not in comparison.records] for name in names}
    told = (
        f"Not finished: {comparison.missing} of {_many(len(seeds) * len(names), 'job')} have no record yet. This page is about"
        " the rest; two learners are compared over the seeds that both have. The last part but one says how to go on."
    )
    lines = [
        f"{name}: {'every seed' if lost == seeds else f'seeds {ranges(lost)}'} missing" for name, lost in gone.items() if lost
    ]
    return [Text(told, note=True), Listing(lines)]


PARTS = {"spiking": ("rules", "landings", "gates", "neurons", "encoders"), "torch": ("models",)}


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
    """A learner as the registry makes it; None for one that was given in Python, also under a known name."""
    learners = known()["learners"]
    if name not in learners:
        return None
    made = learners[name].build()
    return made if {*configuration["parameters"][name]} <= {*made.get_params(deep=False)} else None


def _line(name: str, comparison: Comparison) -> list[str]:
    count = next((record.numbers["parameters"] for record in comparison.of(name)), None)
    number = "\N{EN DASH}" if count is None else f"{count:,}"
    if _estimator(name, comparison.configuration) is None:
        return ["an estimator that was given in Python; its class is not in the records", number, ""]
    entry = known()["learners"][name]
    return [entry.summary, number, entry.source]


def _settings(configuration: Mapping[str, Any]) -> list[Block]:
    """A row for each parameter of each class of estimator; where learners differ, a line for each of them."""
    from simulations.cli import documented

    blocks: list[Block] = []
    for groups in _sides(configuration).values():
        for names in groups.values():
            made = _estimator(names[0], configuration)
            meaning = {} if made is None else documented(made)
            every = {name: configuration["parameters"][name] for name in names}
            rows = []
            for key in sorted({key for values in every.values() for key in values}):
                texts = {name: cell(values[key]) for name, values in every.items() if key in values}
                alike = len({*texts.values()}) == 1
                told = texts[names[0]] if alike else "\n".join(f"{name}: {text}" for name, text in texts.items())
                rows.append([key, told, meaning.get(key, "").replace("``", "`")])
            if rows:
                blocks.append(Table(", ".join(names), ["setting", "value here", "meaning"], rows))
    return blocks


COLUMNS = (
    "Accuracy: share of right answers on the test trials, mean over seeds, with its 95 % interval (BCa bootstrap over seeds,"
    " doi:10.1080/01621459.1987.10478410).",
    "To the best: the learner minus the one with the highest mean, paired by seed. Effect g_z: that difference in standard"
    " deviations over seeds (Cohen's d_z, doi:10.3389/fpsyg.2013.00863), corrected for its bias in small samples"
    " (doi:10.3102/10769986006002107). p: sign-flip permutation test, two-sided, Holm-corrected over all differences.",
    "Trials to 80 % of the end: training trials, repeats counted, until the validation accuracy first reaches 80 % of its last"
    " value; median over seeds and range; none for a learner that ends less than a tenth of the way from chance to the ceiling."
    " Fit: median over seeds.",
)


def _result(comparison: Comparison) -> list[Block]:
    """The table that the terminal shows."""
    table = comparison.table()
    heads = [str(column.header) for column in table.columns]
    rows = list(zip(*(map(str, column.cells) for column in table.columns), strict=True))
    right = frozenset(place for place, column in enumerate(table.columns) if column.justify == "right")
    strong = frozenset(place for place, row in enumerate(table.rows) if row.style == "bold")
    return [Table(str(table.title), heads, rows, [*comparison.caption().splitlines(), *COLUMNS], right, strong)]


def _comparison_pictures(comparison: Comparison) -> list[Block]:
    """The figures; their captions are what the functions that draw them say."""
    from simulations import figures

    drawn = figures.comparison_figures(comparison)
    captions = {name: " ".join((inspect.getdoc(vars(figures)[name]) or "").split()) for name in drawn if name in vars(figures)}
    return pictures(drawn, captions)


def _seeds_table(comparison: Comparison) -> list[Block]:
    names = comparison.learners
    digits = 1 if len(next(iter(comparison.records.values())).arrays["labels"]) <= 1000 else 2
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
    return [Table("Test accuracy of every learner at every seed, %", heads, rows, [note], right, foot=foot)]


def _identities(folder: Path) -> list[Block]:
    """The checks of a finished run of `identities` in this folder or beside it, or what to type for one."""
    for place in (folder / IDENTITIES, folder.resolve().parent / IDENTITIES):
        if (place / "summary.json").exists():
            summary = read_json(place / "summary.json")
            if summary.get("simulation") == IDENTITIES:
                return _checks(summary)
    return [
        Text(
            "No finished run of the identity checks lies in this folder or beside it. `plasticity run identities` makes one in"
            " `results/identities`; written again, this page shows its checks."
        )
    ]


def _checks(summary: Mapping[str, Any], notes: Sequence[str] = ()) -> list[Block]:
    from simulations.reproductions import COLUMNS as heads
    from simulations.reproductions import counted, rows

    found = [row[1:] for row in rows([summary])]
    failing = frozenset(place for place, check in enumerate(summary["checks"]) if not check["holds"])
    if not found:
        return [Text("This run has no value to be held against.")]
    return [Table(f"{summary['simulation']}: {counted([summary])}", heads[1:], found, notes, strong=failing)]


# A simulation, a sweep


def _simulation(folder: Path, configuration: Mapping[str, Any]) -> tuple[str, str, list[Section]]:
    from simulations.reproductions import counted
    from simulations.simulation import RECORD, from_configuration, summarise

    kind = known()["simulations"][configuration["simulation"]]
    path = folder / "records" / RECORD
    if not path.with_suffix(".json").exists():
        raise PlasticityError(f"{folder} holds no finished run of {kind.name}; give the `plasticity run` command again.")
    record = Record.load(path)
    summary = summarise(record)
    defaults = {entry.name: cell(entry.default) for entry in describe(kind)}
    changed = [f"{key}={cell(value)}" for key, value in configuration["settings"].items() if cell(value) != defaults.get(key)]
    notes = [f"The checks are meant for the default settings; here {', '.join(changed)}."] if changed else []
    sections = [
        Section("question", "The question", _simulation_question(kind, configuration)),
        Section("parts", "What it is made of", made_of(configuration, KINDS, 3)),
        Section("checks", "Checks", _checks(summary, notes)),
        Section("numbers", "Numbers", numbers_told(summary["numbers"])),
        Section("figures", "Figures", pictures(from_configuration(kind, configuration["settings"]).figures(record), {})),
        Section("again", "To run it again", [*again(configuration, folder, True), *provenance([record])]),
        Section("references", "References", references(configuration, [str(check["source"]) for check in summary["checks"]])),
    ]
    seeds = _many(len(configuration["seeds"]), "seed")
    return f"plasticity: {kind.name}", f"{_sentence(kind.summary)} A simulation, {seeds}; {counted([summary])}.", sections


def _simulation_question(kind: Any, configuration: Mapping[str, Any]) -> list[Block]:
    blocks = prose(inspect.getdoc(kind) or "", kind.source)
    values = {**configuration["settings"], **configuration.get("grid", {})}
    return [*blocks, *settings_table(f"Settings of {kind.name}", kind, values)]


def numbers_told(numbers: Mapping[str, Any]) -> list[Block]:
    """Single numbers in one table, nested names joined by dots; a list of dicts is a table of its own."""
    rows: list[list[str]] = []
    tables: list[Block] = []

    def collect(values: Mapping[str, Any], prefix: str) -> None:
        for name, value in values.items():
            if isinstance(value, Mapping) and not {"mean", "median"} & {*value}:
                collect(value, f"{prefix}{name}.")
            elif isinstance(value, list) and value and all(isinstance(entry, Mapping) for entry in value):
                tables.extend(given(f"{prefix}{name}", {"rows": value}))
            else:
                rows.append([f"{prefix}{name}", cell(value)])

    collect(numbers, "")
    return [*([Table("What the run found", ["number", "value"], rows)] if rows else []), *tables]


def _sweep(folder: Path, configuration: Mapping[str, Any]) -> tuple[str, str, list[Section]]:
    from simulations.sweep import Sweep, record_name

    swept = Sweep.load(folder)
    kind = known()["simulations"][configuration["simulation"]]
    heads, rows = swept.rows(())
    keys, picked = len(configuration["grid"]), swept.chosen(())
    every = [
        [
            *(text for _, text in point.values),
            str(seed),
            *(cell(float(swept.values[name][point.number, place])) for name in picked),
        ]
        for point in swept.points
        for place, seed in enumerate(configuration["seeds"])
    ]
    note = "Mean over seeds with its 95 % interval. Measures that differ between the runs are shown; all are in summary.csv."
    right = frozenset(range(keys, len(heads)))
    records = [
        Record.load(folder / "records" / record_name(point.number, seed))
        for point in swept.points
        for seed in configuration["seeds"]
    ]
    sources = [str(check["source"]) for check in records[0].numbers.get("checks", [])]
    title = f"{kind.name}: {_many(len(swept.points), 'point')}, {_many(len(configuration['seeds']), 'seed')}"
    sections = [
        Section("question", "The question", _simulation_question(kind, configuration)),
        Section("result", "The result", [Table(title, heads, rows, [note], right)]),
        Section("figures", "Figures", pictures(swept.figures(), {"sweep": " ".join((Sweep.figures.__doc__ or "").split())})),
        Section(
            "seeds",
            "Every seed",
            [Table("Each run", [*heads[:keys], "seed", *heads[keys:]], every, numbers=frozenset(range(keys, len(heads) + 1)))],
        ),
        Section("again", "To run it again", [*again(configuration, folder, True), *provenance(records)]),
        Section("references", "References", references(configuration, sources)),
    ]
    lead = f"{_sentence(kind.summary)} A simulation over a grid of settings, {title.partition(': ')[2]}."
    return f"plasticity: {kind.name}, a sweep", lead, sections


# The page


def page(folder: str | os.PathLike[str]) -> str:
    """The page of a folder as text.

    Raises
    ------
    WrongUse
        The folder holds no run.
    PlasticityError
        Nothing in it is finished, or a record is damaged (it is named).
    """
    from bridges.comparison import read_configuration

    place = Path(folder)
    configuration = read_configuration(place)
    command = configuration["command"]
    if command == "compare":
        title, lead, sections = _comparison(place)
    else:
        title, lead, sections = (_sweep if command == "sweep" else _simulation)(place, configuration)
    return render(title, lead, sections)


def write(folder: str | os.PathLike[str], out: str | os.PathLike[str] | None = None) -> Path:
    """Write the page of a folder, whole or not at all, into it (report.html) or into the file `out`; the path comes back."""
    target = Path(out) if out is not None else Path(folder) / FILE
    write_text(target, page(folder))
    return target
