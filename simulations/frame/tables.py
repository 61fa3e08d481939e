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
from plasticity.statistics import told_ends
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
    return f"{100 * value['mean']:{sign}.1f} {told_ends(value, sign)}"


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
    for title, key in (("with the gate to be learnt", "learns"), ("given the gate", "given")):
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
def learned_gate(reference: Path) -> str:
    """What learns the gate from reward, its controls, and the same networks by gradient."""
    return accuracies(_summary(reference, "learned_gate"))


@part
def spatial_attention(reference: Path) -> str:
    """A digit in one of nine places, cued by its place, and of three colours, cued by its colour."""
    told = [{one["name"]: one for one in _summary(reference, name)["learners"]} for name in NINE]
    rows = [
        (name, ", ".join(one["given"]) or "nothing", ", ".join(one["learns"]) or "nothing",
         *(percent(by[name]["accuracy"]) if name in by else "" for by in told))
        for name, one in told[0].items()
    ]  # fmt: skip
    return markdown(("learner", "is given", "has to learn", "by place, % [95 % interval]", "by colour, % [95 % interval]"), rows)


NINE = ("spatial_attention", "spatial_attention_feature")


@part
def next_item(reference: Path) -> str:
    """The next item of users of the law."""
    return accuracies(_summary(reference, "next_item"))


BEYOND = {  # of the README's sentence on what else there is: run, what it is, learners
    "news": ("news articles, five classes", ("spiking_reader", "words_softmax_attention", "naive_bayes")),
    "film_reviews": ("film reviews", ("spiking_reader", "words_softmax_attention", "naive_bayes")),
    "spoken_digits": ("spoken digits", ("spiking_brainprop", "column_lstm", "nearest_neighbour")),
    "cocktail_party": ("one of two voices", ("spiking_learned_gate", "softmax_attention")),
    "next_item": ("the next item of a user", ("spiking_association", "words_lstm_attention", "last_answer_counts")),
    "spatial_attention": ("a digit in one of nine places", ("spiking_learned_gate", "conv_attention")),
}


@part
def beyond(reference: Path) -> str:
    """Accuracies on texts, sounds and scenes, of some learners of both sides."""
    told = []
    for run, (what, names) in BEYOND.items():
        if not (reference / run).is_dir():
            continue
        summary = _summary(reference, run)
        by = {one["name"]: one["accuracy"] for one in summary["learners"]}
        shown = ", ".join(f"`{name}` {percent(by[name])}" for name in names)
        told.append(f"{what} (chance {100 * summary['chance']:.0f}) {shown}")
    return "; ".join(told) + "."


@part
def texts(reference: Path) -> str:
    """News and film reviews: accuracy of every learner, and what taking out 30 words costs it: attended ones, beside others."""
    costs = ("attended, points", "chi-square", "random")
    heads = {"news": ("news, % [95 % interval]", *costs), "film_reviews": ("film reviews, %", *costs)}
    told = {name: _summary(reference, name) for name in heads if (reference / name).is_dir()}
    by = {name: {one["name"]: one for one in summary["learners"]} for name, summary in told.items()}
    falls = {
        name: {row["learner"]: row for row in summary.get("deletion", []) if row["removed"] == 30}
        for name, summary in told.items()
    }
    rows = []
    for name, one in by["news"].items():
        given, learns = (", ".join(one[what]) or "nothing" for what in ("given", "learns"))
        cells = []
        for task in told:
            cells.append(percent(by[task][name]["accuracy"]) if name in by[task] else "")
            fall = falls[task].get(name, {})
            cells += [percent(fall[which], "+") if fall.get(which) else "" for which in ("attended", "chi_square", "random")]
        rows.append((name, given, learns, *cells))
    return markdown(("learner", "is given", "has to learn", *(head for name in told for head in heads[name])), rows)


@part
def spoken_digits(reference: Path) -> str:
    """Spoken digits, split by recording and by speaker: accuracy of every learner in both."""
    told = [
        {one["name"]: one for one in _summary(reference, name)["learners"]}
        for name in ("spoken_digits", "spoken_digits_speakers")
    ]
    rows = [
        (name, one["side"], *(percent(by[name]["accuracy"]) if name in by else "" for by in told))
        for name, one in told[0].items()
    ]
    return markdown(("learner", "side", "new recordings, % [95 % interval]", "new speakers, % [95 % interval]"), rows)


@part
def cocktail_party(reference: Path) -> str:
    """Two digits spoken at once: one voice at each ear, and each voice at the other ear as well."""
    told = [
        {one["name"]: one for one in _summary(reference, name)["learners"]} for name in ("cocktail_party", "cocktail_party_mixed")
    ]
    rows = [
        (name, ", ".join(one["given"]) or "nothing", *(percent(by[name]["accuracy"]) if name in by else "" for by in told))
        for name, one in told[0].items()
    ]
    return markdown(("learner", "is given", "mix 0, % [95 % interval]", "mix 0.2, % [95 % interval]"), rows)


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
def budgets(reference: Path) -> str:
    """Who overtakes whom along trials, energy and parameters, spiking learners beside the others; with the figures."""
    from bridges.comparison.tables import many

    told, drawn = [], []
    for name in (name for name in ("budget_trials", "budget_energy", "budget_parameters") if (reference / name).is_dir()):
        found = _summary(reference, name)
        sides = {point["learner"]: point["side"] for point in found["points"]}
        apart = [one for one in found["crossings"] if [sides[one["a"]], sides[one["b"]]].count("spiking") == 1]
        told += [
            f"- [{found['budget']}](../results/README.md#{name}), {many(len(found['seeds']), 'seed')}: {one['told']}"
            for one in apart
        ]
        of = f"accuracy against {found['budget']}"
        drawn += [
            f"![{of}](../results/reference/{name}/figures/{path.name})"
            for path in sorted((reference / name).glob("figures/*.png"))
        ]
    return "\n".join([*told, *(f"\n{image}" for image in drawn)])


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


def _ours(reference: Path, run: str, check: str) -> str:
    """What a check of a reference run says of ours."""
    return next(str(one["ours"]) for one in _summary(reference, run)["checks"] if one["name"] == check)


def _of_rules(reference: Path) -> dict[str, str]:
    """At how many points of those that have a sign it is that of the change in noise correlation, by rule."""
    found = _summary(reference, "attention_map")["numbers"]["signs"]
    return {one["rule"]: f"{one['noise_correlation']} of {one['decided']}" for one in found}


@part
def map_law(reference: Path) -> str:
    """Of the map: points at which the noise correlation has the sign of the difference, under both rules of pair STDP."""
    found = _of_rules(reference)
    return f"{found['soft_bounds']} and {found['additive']}"


@part
def map_others(reference: Path) -> str:
    """The same under triplet STDP and with synaptic scaling."""
    found = _of_rules(reference)
    return f"{found['triplet']} points, with scaling at {found['homeostatic']}"


@part
def map_cortex(reference: Path) -> str:
    """Of the map: attended minus ignored weights at gains of cortex with a lower noise correlation."""
    soft, hard = (
        _ours(reference, "attention_map", f"{rule}: gains to 1.5 with a lower noise correlation, as in V4")
        for rule in ("soft_bounds", "additive")
    )
    return f"{soft} with soft bounds and {hard} with hard ones"


@part
def map_cortex_undecided(reference: Path) -> str:
    """How many of these differences, at fluctuation 1, cannot be told from 0."""
    rows = _summary(reference, "attention_map")["numbers"]["map"]
    first = (rows[0]["tau_c_ms"], rows[0]["dt_ms"])
    own = [
        row["difference"]
        for row in rows
        if row["rule"] in ("soft_bounds", "additive") and (row["tau_c_ms"], row["dt_ms"]) == first
        if 1 < row["gain"] <= 1.5 and row["fluctuation"] == 1
    ]
    inside = sum(d["low"] <= 0 <= d["high"] for d in own)
    return f"{inside} of {len(own)} differences cannot be told from 0 (hard bounds, gain 1.5: {strength(own[-1])})"


@part
def map_slow(reference: Path) -> str:
    """Of the map: attended minus ignored weights where rates are multiplied, by slow and by fast fluctuations."""
    name = "rates multiplied: a fluctuation of 100 ms favours the attended less than one of 10 ms"
    slow, fast = _ours(reference, "attention_map", name).split(" and ")
    return f"{slow} on average of the gains, with 10 ms {fast}"


@part
def map_scaling(reference: Path) -> str:
    """Of the map: what synaptic scaling does at gain 4 on the mean alone."""
    rows = _summary(reference, "attention_map")["numbers"]["map"]
    row = next(row for row in rows if (row["rule"], row["gain"], row["fluctuation"]) == ("homeostatic", 4, 1))
    attended, ignored = (f"{-row[group]['mean']:.2f}" for group in ("attended", "ignored"))
    return (
        f"{strength(row['difference'])} above ignored ones (pair STDP), as they fall by {attended} and the ignored by {ignored}"
    )


@part
def gain_rates(reference: Path) -> str:
    """Of attention_gain: attended minus ignored weights at gain 4, and how far each moved."""
    whole = _ours(reference, "attention_gain", "attention, gain 4").partition(", Holm")[0]
    told = _ours(reference, "attention_gain", "attention, gain 4: the ignored synapses fall more than the attended rise")
    rise, fall = (words.partition(" ")[2] for words in told.split(", ignored"))
    return f"{whole}: mostly by depression of the ignored ({fall}) and little by their own rise ({rise})"


@part
def gain_mean(reference: Path) -> str:
    """The same with the gain on the mean alone."""
    return _ours(reference, "attention_gain", "mean_only, gain 4").partition(", Holm")[0]


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
def time_steps(reference: Path) -> str:
    """What half its time step does to each experiment: the measure that changes most surely, and the narrowest intervals."""
    from simulations.time_steps import table

    return markdown(*table(_summary(reference, "time_steps")["numbers"]))


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
        " `plasticity tables --write` and by nobody else. Means over seeds stand with their 95 % interval (Student,"
        " within what is possible; where seeds split one set of data anew corrected as by Nadeau & Bengio 2003). A check"
        " that does not hold stays in its table. Checks of different kinds are counted apart.\n\n"
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
    of: dict[str, Callable[[Mapping[str, Any]], Iterator[str]]] = {"compare": _of_comparison, "budget": _of_budget}
    shown = of.get(configuration["command"], _of_experiment)(summary)
    drawn = [f"![{path.stem}](reference/{folder.name}/figures/{path.name})" for path in sorted(folder.glob("figures/*.png"))]
    return "\n\n".join([f"## {folder.name}{command}", *shown, *drawn])


def _scale(summary: Mapping[str, Any]) -> str:
    """What lies below and above every accuracy, and how many seeds there are."""
    from bridges.comparison.tables import many

    told = f"Chance {100 * summary['chance']:.3g} %, ceiling {100 * summary['ceiling']:.3g} %"
    return f"{told}; {many(len(summary['seeds']), 'seed')}."


def _of_comparison(summary: Mapping[str, Any]) -> Iterator[str]:
    from simulations.report.html import given

    yield _scale(summary)
    yield accuracies(summary)
    if summary.get("attended_minus_ignored"):
        apart = (f"{strength(value)} ({name})" for name, value in summary["attended_minus_ignored"].items())
        yield f"Weight of attended minus ignored synapses after training: {', '.join(apart)}."
    blocks = [block for key in ("answers", "fairness", "costs", "likeness") for block in given(key, summary.get(key) or [])]
    yield _folded("What each learner was given and took, what it costs, how alike they are", map(_written, blocks))


def _of_budget(summary: Mapping[str, Any]) -> Iterator[str]:
    from bridges.comparison.energy import joules

    yield _scale(summary)
    yield "\n".join(f"- {one['told']}" for one in summary["crossings"])
    heads = ("learner", "size", "trials", "accuracy % [95 % interval]", "a decision", "numbers learnt")
    body = [
        (
            one["learner"], str(one["size"] or "-"), f"{one['trials']:,}", percent(one["accuracy"]), joules(one["energy"]),
            f"{one['parameters']:,}" if one["parameters"] else "-",
        )
        for one in summary["points"]
    ]  # fmt: skip
    yield _folded("All points", [markdown(heads, body)])


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
