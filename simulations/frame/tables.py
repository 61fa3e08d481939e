"""Every part of the README files that is generated: `plasticity tables`.

A part stands in any *.md file of the checkout between two marks, and is whatever the function of that name gives:

    <!-- costs -->
    | learner | per training trial | ...
    <!-- /costs -->

What has one line stands within a sentence (`by <!-- win -->14.7 [13.3, 16.6]<!-- /win --> points`), what has several on lines of
its own. A new part is a function below with `@part`, which takes the folder of the reference runs and gives Markdown.
results/README.md is generated as a whole (`results_readme`), and so is the index of names of the command line.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from plasticity.errors import WrongUse, unknown
from plasticity.files import read_sealed, write_text
from simulations.frame.checks import KINDS
from simulations.frame.shown import CHECKS, by_kind, checked, counted, counted_by_kind, kind_of, number

# Markdown


def markdown(columns: Sequence[str], body: Iterable[Sequence[str]]) -> str:
    """A table in Markdown."""

    def line(cells: Iterable[str]) -> str:
        return "| " + " | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in cells) + " |"

    return "\n".join([line(columns), line(["---"] * len(columns)), *map(line, body)])


def held(found: Mapping[str, Mapping[str, Any]]) -> str:
    """How many checks of each of these summaries, by the names of their runs, hold: of each kind apart; and which do not."""
    kinds, body = [*by_kind(found.values())], []
    for name, summary in found.items():
        own = by_kind([summary])
        failing = [
            f"{check['name']} ({number(check['published'])}; {number(check['ours'])})"
            for check in summary["checks"]
            if not check["holds"]
        ]
        shares = ["{} of {}".format(*own[kind]) if kind in own else "" for kind in kinds]
        body.append((f"`{name}`", *shares, ". ".join(failing) or "-"))
    return markdown(("checks that hold", *kinds, "that do not (expected; ours)"), body)


def percent(value: Mapping[str, Any], sign: str = "") -> str:
    """A share in percent with its 95 % interval."""
    bounds = [value["low"], value["high"]]
    interval = "" if None in bounds else f" [{', '.join(format(100 * bound, f'{sign}.1f') for bound in bounds)}]"
    return f"{100 * value['mean']:{sign}.1f}{interval}"


def strength(value: Mapping[str, Any]) -> str:
    """A difference of mean weights with its 95 % interval."""
    return f"{value['mean']:.3f} [{value['low']:.3f}, {value['high']:.3f}]"


def accuracies(summary: Mapping[str, Any]) -> str:
    """The table of a comparison."""
    apart = {entry["a"]: entry for entry in summary["differences"]}
    heads = ("learner", "is given", "has to learn", "accuracy % [95 % interval]", "to the best, points [95 % interval]", "fit s")
    body = []
    for learner in sorted(summary["learners"], key=lambda one: ("gate" not in one["given"], "gate" not in one["learns"])):
        other = apart.get(learner["name"])
        known = other is not None and other["mean"] is not None
        body.append((
            learner["name"], *(", ".join(learner[what]) or "nothing" for what in ("given", "learns")),
            percent(learner["accuracy"]), percent(other, "+") if other and known else "best", f"{learner['seconds']:.1f}",
        ))  # fmt: skip
    return markdown(heads, body)


def summaries(folder: Path, names: Iterable[str]) -> dict[str, dict[str, Any]]:
    """The summaries of the finished runs of these experiments in a folder by the runs' names, in the order of the experiments."""
    places = {name: read_sealed(folder / name / "run.json")["configuration"] for name in sorted(runs(folder))}
    of = [(name, run) for name in names for run, asked in places.items() if asked.get("simulation") == name]
    return {run: read_sealed(folder / run / "summary.json") for _, run in of}


def runs(folder: Path) -> list[str]:
    """The names of the finished runs in a folder."""
    return [path.parent.name for path in folder.glob("*/summary.json")]


# The parts of the README files

Part = Callable[[Path], str]
PARTS: dict[str, Part] = {}
"""By name; each takes the folder of the reference runs."""


def part(make: Part) -> Part:
    """Know a function as the part of its name."""
    PARTS[make.__name__] = make
    return make


def _summary(reference: Path, name: str) -> dict[str, Any]:
    return read_sealed(reference / name / "summary.json")


def published() -> list[str]:
    """The experiments of which every reference is a run, in their order."""
    from simulations import SIMULATIONS

    return [name for name, kind in SIMULATIONS.items() if kind.published and not kind.part_of]


@part
def brief(reference: Path) -> str:
    """The main comparison in one sentence: the best of each side among those that are given the same."""
    summary = _summary(reference, "cued_digits")
    told = []
    for title, key in (("given the gate", "given"), ("with the gate to be learnt", "learns")):
        best: dict[str, Any] = {}
        for learner in summary["learners"]:
            held = best.get(learner["side"])
            if "gate" in learner[key] and (held is None or learner["accuracy"]["mean"] > held["accuracy"]["mean"]):
                best[learner["side"]] = learner
        told.append(f"{title} " + ", ".join(f"`{one['name']}` {percent(one['accuracy'])}" for one in best.values()))
    return f"Right answers on cued digits, % (chance {100 * summary['chance']:.0f}): {'; '.join(told)}."


@part
def cued_digits(reference: Path) -> str:
    """The main comparison: accuracy of every learner."""
    return accuracies(_summary(reference, "cued_digits"))


@part
def weights(reference: Path) -> str:
    """By how much attended synapses end stronger than ignored ones in the main comparison."""
    found = _summary(reference, "cued_digits")["attended_minus_ignored"]
    told = ", ".join(f"{strength(value)} ({name})" for name, value in found.items())
    nulls = ", ".join(f"{name} {strength(value)}" for name, value in found["spiking_gated"]["nulls"].items())
    return f"{told}. The same measure elsewhere: {nulls}"


@part
def ablations(reference: Path) -> str:
    """What each ingredient of the spiking classifier is worth, on a task where order does not matter and on one where it does."""
    tasks = ("cued_digits", "latencies")
    rows = {task: {row["ablation"]: row for row in _summary(reference, f"ablate_{task}")["rows"]} for task in tasks}
    body = []
    for name in rows[tasks[0]]:
        cells = [(rows[task][name]["accuracy"], rows[task][name]["difference"]) for task in tasks if name in rows[task]]
        body.append((name, *(text for value, apart in cells for text in (percent(value), percent(apart, "+") if apart else ""))))
    return markdown(("spiking_gated", *(head for task in tasks for head in (f"{task}, %", "to intact"))), body)


@part
def costs(reference: Path) -> str:
    """What every learner of the main comparison costs, in joules and spikes."""
    from bridges.comparison.energy import joules

    table = _summary(reference, "cued_digits")["costs"]

    def cell(row: Mapping[str, Any], column: Mapping[str, Any]) -> str:
        value = row[column["key"]]
        if isinstance(value, Mapping):
            value = joules(value["mean"]) if column["unit"] == "J" else format(value["mean"], column["format"])
        return "-" if value is None else str(value)

    body = [[cell(row, column) for column in table["columns"]] for row in table["rows"]]
    return markdown([column["title"] for column in table["columns"]], body)


@part
def digits(reference: Path) -> str:
    """Digits without a cue: accuracy of every learner."""
    return accuracies(_summary(reference, "digits"))


@part
def unsupervised(reference: Path) -> str:
    """Digits without labels: each network beside what is published."""
    from simulations.digits_unsupervised import PUBLISHED

    heads = ("network", "images", "test, all activity % [95 % interval]", "test, proportion weighting %", "Diehl & Cook %")
    body = []
    for end in ("", "_mnist_100", "_mnist_400", "_mnist_1600"):
        found = _summary(reference, f"digits_unsupervised{end}")["numbers"]
        theirs = PUBLISHED.get(found["neurons"]) if found["data"] == "mnist" else None
        body.append((
            f"{found['data']}, {found['neurons']} neurons", f"{found['training_images']:,} x {found['passes']}",
            percent(found["accuracy_all"]), percent(found["accuracy_proportion"]),
            f"{100 * theirs:.1f}" if theirs else "-", percent(found["control_all"]), ", ".join(map(str, found["seeds"])),
            f"{found['training_ms_per_image']['mean']:.1f}",
        ))  # fmt: skip
    return markdown((*heads, "before learning %", "seeds", "training, ms an image"), body)


@part
def recall(reference: Path) -> str:
    """Associative recall: what memories and trained models recall of n pairs."""
    from simulations.hebbian_attention import markdown as table

    return table(_summary(reference, "hebbian_attention")["numbers"])


@part
def win(reference: Path) -> str:
    """By how many points softmax attention recalls more than the spiking memory, at 32 pairs of length 32."""
    return percent(_summary(reference, "hebbian_attention")["numbers"]["softmax_memory - spiking_memory, d 32, n 32"])


@part
def measures(reference: Path) -> str:
    """What a sweep follows of each experiment, with units; a suite has those of its members."""
    from simulations import SIMULATIONS
    from simulations.frame.experiment import Suite

    body = []
    for name, kind in SIMULATIONS.items():
        told = [one.title for one in kind.measures or () if not issubclass(kind, Suite)]
        body += [(f"`{name}`", ", ".join(told))] if told else []
    return markdown(("experiment", "measures"), body)


@part
def bench(reference: Path) -> str:
    """Time beside other programs."""
    from simulations.bench import markdown as table

    return table(_summary(reference, "bench")["numbers"])


@part
def checks(reference: Path) -> str:
    """How many checks of each experiment hold, of each kind apart, and which do not."""
    return held(summaries(reference, published()))


@part
def kinds(reference: Path) -> str:
    """How many checks of each kind hold, in all references of experiments."""
    return counted_by_kind(summaries(reference, published()).values())


@part
def kinds_of_checks(reference: Path) -> str:
    """Who stands behind the value that a check is held to, and how many of each kind hold."""
    found = by_kind(summaries(reference, published()).values())
    body = [(kind_of({"kind": kind}), meaning, found.get(kind_of({"kind": kind}), (0, 0))) for kind, meaning in KINDS.items()]
    return markdown(
        ("kind", "whose value ours is held to", "hold"), [(kind, meaning, "{} of {}".format(*n)) for kind, meaning, n in body]
    )


# The whole of results/README.md


def results_readme(reference: Path) -> str:
    """All tables, all checks and all figures of all reference runs."""
    found = {path.parent.name: read_sealed(path)["configuration"] for path in sorted(reference.glob("*/run.json"))}
    order = {name: place for place, name in enumerate(["", *published()])}  # comparisons first, what is not published last
    names = sorted(found, key=lambda name: (order.get(str(found[name].get("simulation", "")), len(order)), name))
    listed = "\n".join(f"- [{name}](#{name})" for name in names)
    head = (
        "# Reference results\n\n"
        "Every number here comes from a run whose record lies in `results/reference`; this page is written by"
        " `plasticity tables --write` and by nobody else. Means over seeds stand with their 95 % interval (Student;"
        " where seeds split one set of data anew corrected as by Nadeau & Bengio 2003). A check that does not hold stays in its"
        " table. Checks of different kinds are counted apart.\n\n"
        f"{kinds_of_checks(reference)}\n\n{checks(reference)}\n\n{listed}"
    )
    return "\n\n".join([head, *(_reference(reference / name, found[name]) for name in names)]) + "\n"


def _reference(folder: Path, configuration: Mapping[str, Any]) -> str:
    """What stands about one reference run."""
    from simulations.frame.rerun import words

    summary = read_sealed(folder / "summary.json")
    try:
        command = f"\n\n`{shlex.join(words(configuration, f'results/{folder.name}')[0])}`"
    except WrongUse:  # this code knows it no more
        command = ""
    shown = _of_comparison(summary) if configuration["command"] == "compare" else _of_experiment(summary)
    drawn = [f"![{path.stem}](reference/{folder.name}/figures/{path.name})" for path in sorted(folder.glob("figures/*.png"))]
    return "\n\n".join([f"## {folder.name}{command}", *shown, *drawn])


def _of_comparison(summary: Mapping[str, Any]) -> Iterator[str]:
    from simulations.report.html import given

    yield f"Chance {100 * summary['chance']:.3g} %, ceiling {100 * summary['ceiling']:.3g} %; {len(summary['seeds'])} seeds."
    yield accuracies(summary)
    if summary.get("attended_minus_ignored"):
        apart = (f"{strength(value)} ({name})" for name, value in summary["attended_minus_ignored"].items())
        yield f"Weight of attended minus ignored synapses after training: {', '.join(apart)}."
    blocks = [block for key in ("fairness", "costs", "likeness") for block in given(key, summary.get(key) or [])]
    yield _folded("What each learner was given and took, what it costs, how alike they are", map(_written, blocks))


def _of_experiment(summary: Mapping[str, Any]) -> Iterator[str]:
    from simulations import SIMULATIONS
    from simulations.report.html import numbers_told

    kind = SIMULATIONS[summary["simulation"]]
    yield f"{kind.summary[:1].upper()}{kind.summary[1:]}. Source: {kind.source}."
    for title, (columns, body) in kind.tables(summary["numbers"]).items():
        yield f"{title}:\n\n{markdown(columns, body)}"
    if summary["checks"]:
        told = markdown(CHECKS, (checked(check, 4) for check in summary["checks"]))
        yield f"{counted([summary])} ({counted_by_kind([summary])}):\n\n{told}"
    if summary["numbers"]:
        yield _folded("All numbers", map(_written, numbers_told(summary["numbers"])))


def _written(block: Any) -> str:
    """A block of a report in Markdown."""
    if block.kind != "table":
        return str(block.text)
    return "\n\n".join([f"{block.title}:", markdown(block.columns, block.rows), *block.notes])


def _folded(title: str, parts: Iterable[str]) -> str:
    return "\n\n".join([f"<details><summary>{title}</summary>", *parts, "</details>"])


def index(_: Path) -> str:
    """What `list`, `show` and `cite` say of everything built in."""
    from simulations.command_line import index as kept

    return kept.text()


FILES: dict[str, Part] = {"results/README.md": results_readme, "simulations/command_line/index.json": index}
"""Files that are generated as a whole, by their place in the checkout."""


# Writing and checking them


def checkout() -> Path:
    """The checkout that this package lies in; WrongUse outside of one."""
    import simulations

    top = Path(simulations.__file__).resolve().parents[1]
    if not (top / "pyproject.toml").is_file() or not (top / "results" / "reference").is_dir():
        raise WrongUse(
            f"`plasticity tables` is about the README files and reference results of a checkout of the repository; {top} is none."
        )
    return top


def files(top: Path) -> list[Path]:
    """The *.md files of a checkout; nothing hidden, no folder of a run."""
    inner = [folder for folder in sorted(top.iterdir()) if folder.is_dir() and not folder.name.startswith((".", "build"))]
    found = [*sorted(top.glob("*.md")), *(path for folder in inner for path in sorted(folder.rglob("*.md")))]
    return [path for path in found if str(path.relative_to(top)) not in FILES]


def stands(top: Path) -> dict[str, list[str]]:
    """In which files each part stands."""
    found: dict[str, list[str]] = {name: [] for name in PARTS}
    for path in files(top):
        for name in _marks(path, path.read_text(encoding="utf-8")):
            found[name].append(str(path.relative_to(top)))
    return found


def _marks(path: Path, text: str) -> list[str]:
    """The names of the parts in a file. WrongUse: an unknown one, or a mark without the other."""
    opened = ""
    names = []
    for end, name in re.findall(r"<!-- (/?)(\w+) -->", text):
        if name not in PARTS:
            raise unknown(f"part in {path}", name, PARTS)
        if (opened == name) != bool(end) or (opened and not end):
            raise WrongUse(f"{path}: a part stands between <!-- {name} --> and <!-- /{name} -->; one of the two is missing.")
        opened = "" if end else name
        names += [] if end else [name]
    if opened:
        raise WrongUse(f"{path}: a part stands between <!-- {opened} --> and <!-- /{opened} -->; one of the two is missing.")
    return names


def written(top: Path) -> Iterator[tuple[Path, str, str, str]]:
    """For each generated part and file: the file, the part ("" for the whole), what stands there, what should stand there."""
    reference = top / "results" / "reference"
    for path in files(top):
        text = path.read_text(encoding="utf-8")
        for name in dict.fromkeys(_marks(path, text)):
            made = PARTS[name](reference)
            wanted = f"\n{made}\n" if "\n" in made else made
            for found in re.findall(rf"<!-- {name} -->(.*?)<!-- /{name} -->", text, flags=re.DOTALL):
                yield path, name, found, wanted
    for place, make in FILES.items():
        path = top / place
        yield path, "", path.read_text(encoding="utf-8") if path.exists() else "", make(reference)


def check(top: Path) -> list[str]:
    """A sentence for each part that is not what it should be."""
    differing = [(path.relative_to(top), name) for path, name, found, wanted in written(top) if found != wanted]
    return [
        f"{place}: {f'the part {name}' if name else 'the file'} is not what the reference results and the code give"
        for place, name in dict.fromkeys(differing)
    ]


def write(top: Path) -> list[Path]:
    """Write every part anew; the files that changed come back."""
    texts: dict[Path, str] = {}
    for path, name, found, wanted in written(top):
        if found == wanted:
            continue
        if name:
            text = texts.get(path) or path.read_text(encoding="utf-8")
            open_, close = f"<!-- {name} -->", f"<!-- /{name} -->"
            texts[path] = text.replace(f"{open_}{found}{close}", f"{open_}{wanted}{close}")
        else:
            texts[path] = wanted
    for path, text in texts.items():
        write_text(path, text)
    return list(texts)
