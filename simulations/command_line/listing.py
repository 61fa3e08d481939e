"""What there is: list, show."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from simulations.command_line.options import Debug, Json, With
from simulations.command_line.program import app, guarded, print_json


@app.command("list")
@guarded
def list_(
    kind: Annotated[
        str | None,
        typer.Argument(
            help="rules, landings, gates, neurons, encoders, tasks, datasets, models, learners or simulations; all if left out."
        ),
    ] = None,
    with_: With = [],  # noqa: B006  (typer reads it and never changes it)
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """What there is: one line and one source each."""
    from plasticity.errors import unknown
    from simulations.command_line.index import MADE_IN, known
    from simulations.frame import terminal

    if kind is not None and kind not in MADE_IN:
        raise unknown("kind", kind, MADE_IN)
    rows = [
        {"kind": title, "name": name, "summary": about["summary"], "source": about["source"]}
        for title in ([kind] if kind else MADE_IN)
        for name, about in known(title).items()
    ]
    if as_json:
        print_json(rows)
        return
    for title in [kind] if kind else MADE_IN:
        chosen = [(row["name"], row["summary"], row["source"]) for row in rows if row["kind"] == title]
        terminal.show(terminal.table(title, ("name", "what it is", "source"), chosen, terminal.console().width))
    terminal.show("`plasticity show NAME` tells more about one of them.")


@app.command()
@guarded
def show(
    name: Annotated[
        str, typer.Argument(help="The name of a rule, gate, neuron, encoder, task, data set, model, learner or simulation.")
    ],
    as_: Annotated[
        str, typer.Option("--as", metavar="nestml|pynn", help="Of a rule: its text for another simulator.", show_default=False)
    ] = "",
    with_: With = [],  # noqa: B006
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """All about one thing: equations, settings with default and unit, source."""
    if as_:
        print(_written(name, as_), end="")
        return
    found = named(name)
    if as_json:
        told = [{key: about[key] for key in TOLD if key in about} for about in found]
        print_json(told[0] if len(told) == 1 else told)
        return
    for about in found:
        _print(about)


TOLD = ("kind", "name", "summary", "source", "settings", "measures", "description")  # with --json


def named(name: str) -> list[dict[str, Any]]:
    """Everything of that name, as `described` tells it; a sum of rules, too. A data set where nothing else has the name.

    Raises
    ------
    WrongUse
        Nothing has it.
    """
    from plasticity.errors import unknown
    from simulations.command_line.index import MADE_IN, known

    every = {kind: known(kind) for kind in MADE_IN}
    found = [(kind, entries[name]) for kind, entries in every.items() if name in entries]
    chosen = [about for kind, about in found if kind != "datasets"] or [about for _, about in found]
    if "+" in name:
        from plasticity.rules import named as sum_of

        chosen.append(described("rules", name, sum_of(name)))
    if not chosen:
        raise unknown("name", name, {entry for entries in every.values() for entry in entries})
    return chosen


def _written(name: str, way: str) -> str:
    """A rule as text for another simulator; WrongUse for anything else."""
    from plasticity.errors import WrongUse, unknown
    from plasticity.rules import RULES
    from plasticity.rules.written import WAYS

    if way not in WAYS:
        raise unknown("way of writing a rule (--as)", way, WAYS)
    if name not in RULES:
        raise WrongUse(f"--as {way} writes rules, and {name} is none; `plasticity list rules` shows them.")
    return WAYS[way](RULES[name])


def _line(entry: Any) -> tuple[str, str]:
    summary = getattr(entry, "summary", "") or (inspect.getdoc(entry) or "").partition("\n")[0]
    return str(summary), str(getattr(entry, "source", ""))


def _tells_itself(entry: Any) -> bool:
    return not inspect.isclass(entry) and callable(getattr(entry, "describe", None))


def described(kind: str, name: str, entry: Any) -> dict[str, Any]:
    """What `show` says of one thing, as plain data; beside what --json prints: `itself`, `use`, `references`."""
    from simulations.frame.citations import papers

    summary, source = _line(entry)
    if _tells_itself(entry):
        text = entry.describe()
    else:
        text = inspect.getdoc(entry.build() if kind == "learners" else entry) or ""
    if kind == "rules":
        text = _of_a_rule(name, entry, text)
    elif kind == "landings":
        text += f"\n\nin Python, for every rule alike:\n    {entry.example}"
    elif kind == "tasks":
        text += f"\n\n{_trial(entry)}"
    elif kind == "datasets":
        text = f"terms: {entry.terms}"
    measures = getattr(entry, "measures", None) if kind == "simulations" else None
    told = {"measures": [{"name": one.name, "unit": one.unit, "meaning": one.meaning} for one in measures or ()]}
    return {
        "kind": kind[:-1], "name": name, "summary": summary, "source": source, "settings": _settings(kind, entry),
        **(told if kind == "simulations" else {}), "description": str(text), "itself": _tells_itself(entry),
        "use": _use(kind, name, entry), "references": papers(kind, name, entry),
    }  # fmt: skip


NUMBERS = ("image", "number")  # arrays of trials that say which trial it is, not what is shown
SMALL = ("train", "validation", "test")  # how the sizes of a task are called


def _trial(kind: Any) -> str:
    """What one trial holds: of each array its shape and range, or its values where they are few."""
    from plasticity import settings
    from plasticity.errors import PlasticityError
    from plasticity.parallel import trials_generator

    few = {one.name: min(one.default, 100) for one in settings.describe(kind) if one.name in SMALL}
    try:
        made = settings.configure(kind, few)
        trials = made.draw(trials_generator(0)).test
    except PlasticityError:  # too few for it, or its data are not there
        return f"a trial is of the family {kind.family}"
    own = {name: array[0] for name, array in trials.arrays().items() if name not in (*trials.shared, *NUMBERS)}
    parts = [f"{name} {_values(array)}" for name, array in own.items()]
    shared = [f"{name} {_values(trials.arrays()[name])}" for name in trials.shared]
    return f"one trial: {'; '.join(parts)}" + (f"\nin all trials: {'; '.join(shared)}" if shared else "")


def _values(array: Any) -> str:
    if array.size > 8:
        return f"{array.shape} from {array.min():g} to {array.max():g}"
    return str(array.tolist())


def _of_a_rule(name: str, rule: Any, text: str) -> str:
    """Its equations, its curve, the simulations that are made of it, how it is used in Python."""
    from plasticity.rules import RULES
    from plasticity.rules.shown import preview
    from simulations import SIMULATIONS
    from simulations.frame.citations import reproductions

    each = [part.name for part in rule.parts] or [name]
    lines = dict.fromkeys(line for part in each for line in reproductions(part, SIMULATIONS))
    told = ", ".join(f"plasticity {line}" for line in lines)
    tested = {RULES[part].tested for part in each if part in RULES.built_in} if RULES.built_in.issuperset(each) else {""}
    held = "" if "" in tested else f"; the tests hold it against {' and '.join(sorted(tested))}"
    runs = f"  reproductions: {told or 'none' + held}"
    curve = preview(rule) or "  no curve here: the rule states no formula of the lag of two spikes, or of two held rates, alone"
    code = " + ".join(f"pl.rules.{part}" for part in each)
    use = f"  in Python: rule = {code}; help(rule.synapses) says what goes with it (gate, landing, short_term, traces)"
    return "\n\n".join([text, curve, runs, use])


def _settings(kind: str, entry: Any) -> list[dict[str, Any]]:
    """What can be set: name, default, unit, meaning, choices."""
    from plasticity import settings

    if kind == "learners":
        made = entry.build()
        told = [dataclasses.replace(one, default=getattr(made, one.name)).told() for one in settings.describe(made)]
    elif isinstance(getattr(entry, "parameters", None), Mapping):
        meaning = getattr(entry, "meaning", {})
        told = [_plain(key, value, meaning.get(key, "")) for key, value in entry.parameters.items()]
    elif not dataclasses.is_dataclass(entry):
        return []
    else:
        told = [one.told() for one in settings.describe(entry)]
    simple = (bool, int, float, str, type(None))
    return [
        {**row, "default": row["default"] if isinstance(row["default"], simple) else settings.text(row["default"])}
        for row in told
    ]


def _plain(name: str, default: Any, meaning: str = "") -> dict[str, Any]:
    return {"name": name, "default": default, "unit": "", "help": meaning, "choices": ()}


def _print(about: Mapping[str, Any]) -> None:
    from plasticity import settings
    from simulations.frame import terminal

    if about["itself"]:
        terminal.show(about["description"], "")  # it tells all of this itself
        return
    source = f"source: {about['source']}" if about["source"] else ""
    terminal.show(f"{about['name']} ({about['kind']}): {about['summary']}", source, "")
    if about["description"]:
        terminal.show(about["description"], "")
    if about["settings"]:
        rows = []
        for row in about["settings"]:
            known = f" ({', '.join(row['choices'])})" if row["choices"] else ""
            rows.append((row["name"], settings.text(row["default"]), row["unit"], row["help"] + known))
        heads = ("name", "default", "unit", "meaning")
        terminal.show(terminal.table("settings", heads, rows, terminal.console().width))
    if about.get("measures"):
        measures = [(row["name"], row["unit"], row["meaning"]) for row in about["measures"]]
        terminal.show(terminal.table("measures of a sweep", ("name", "unit", "meaning"), measures, terminal.console().width))
    if about["kind"] == "dataset":
        terminal.show(*_there(about["name"]))
    if about["use"]:
        terminal.show(f"use: {about['use']}", "")


def _there(name: str) -> list[str]:
    """What `plasticity data` knows of a data set."""
    from plasticity import datasets

    state = datasets.status(name)
    where = f"folder: {state.folder}" if state.folder else ""
    return [f"state: {state.state}" + (f" ({state.detail})" if state.detail else ""), *filter(None, [where])]


def _use(kind: str, name: str, entry: Any) -> str:
    """What to type."""
    if kind == "tasks":
        return f"plasticity compare {name} --set KEY=VALUE"
    if kind == "simulations":
        return f"plasticity run {name} --set KEY=VALUE"
    if kind == "learners":
        from plasticity.tasks import TASKS

        takes = entry.build().takes
        task = next((title for title, task in TASKS.items() if task().kind in takes), "TASK")
        return f"plasticity compare {task} --learners {name} --set {name}.KEY=VALUE"
    if kind == "datasets":
        return "--set data=" + name + " of a task or simulation; `plasticity data` tells of all data sets"
    return ""
