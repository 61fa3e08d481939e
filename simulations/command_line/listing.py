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
            help="rules, landings, gates, neurons, encoders, tasks, models, learners or simulations; all if left out."
        ),
    ] = None,
    with_: With = [],  # noqa: B006  (typer reads it and never changes it)
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """What there is: one line and one source each."""
    from plasticity.errors import unknown
    from simulations.frame import terminal
    from simulations.frame.known import registries

    kinds = registries()
    if kind is not None and kind not in kinds:
        raise unknown("kind", kind, kinds)
    rows = [
        {"kind": title, "name": name, "summary": _line(entry)[0], "source": _line(entry)[1]}
        for title in ([kind] if kind else kinds)
        for name, entry in kinds[title]().items()
    ]
    if as_json:
        print_json(rows)
        return
    for title in [kind] if kind else kinds:
        chosen = [(row["name"], row["summary"], row["source"]) for row in rows if row["kind"] == title]
        terminal.show(terminal.table(title, ("name", "what it is", "source"), chosen, terminal.console().width))
    terminal.show("`plasticity show NAME` tells more about one of them.")


@app.command()
@guarded
def show(
    name: Annotated[str, typer.Argument(help="The name of a rule, gate, neuron, encoder, task, model, learner or simulation.")],
    as_: Annotated[
        str, typer.Option("--as", metavar="nestml|pynn", help="Of a rule: its text for another simulator.", show_default=False)
    ] = "",
    with_: With = [],  # noqa: B006
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """All about one thing: equations, settings with default and unit, source."""
    found = _found(name)
    if as_:
        print(_written(name, dict(found), as_), end="")
        return
    described = [_described(kind, name, entry) for kind, entry in found]
    if as_json:
        print_json(described[0] if len(described) == 1 else described)
        return
    for (kind, entry), about in zip(found, described, strict=True):
        _print(kind, entry, about)


def _written(name: str, found: Mapping[str, Any], way: str) -> str:
    """A rule as text for another simulator; WrongUse for anything else."""
    from plasticity.errors import WrongUse, unknown
    from plasticity.rules.written import WAYS

    if way not in WAYS:
        raise unknown("way of writing a rule (--as)", way, WAYS)
    if "rules" not in found:
        raise WrongUse(f"--as {way} writes rules, and {name} is none; `plasticity list rules` shows them.")
    return WAYS[way](found["rules"])


def _line(entry: Any) -> tuple[str, str]:
    summary = getattr(entry, "summary", "") or (inspect.getdoc(entry) or "").partition("\n")[0]
    return str(summary), str(getattr(entry, "source", ""))


def _found(name: str) -> list[tuple[str, Any]]:
    """Everything of that name, with its kind; a sum of rules, too."""
    from plasticity.errors import unknown
    from simulations.frame.known import registries

    known = {kind: get() for kind, get in registries().items()}
    found = [(kind, registry[name]) for kind, registry in known.items() if name in registry]
    if "+" in name:
        from plasticity.rules import named

        found.append(("rules", named(name)))
    if not found:
        raise unknown("name", name, {entry for registry in known.values() for entry in registry})
    return found


def _tells_itself(entry: Any) -> bool:
    return not inspect.isclass(entry) and callable(getattr(entry, "describe", None))


def _described(kind: str, name: str, entry: Any) -> dict[str, Any]:
    """What `show --json` says of one thing."""
    summary, source = _line(entry)
    if _tells_itself(entry):
        text = entry.describe()
    else:
        text = inspect.getdoc(entry.build() if kind == "learners" else entry) or ""
    if kind == "rules":
        text = _of_a_rule(name, entry, text)
    elif kind == "landings":
        text += f"\n\nin Python, for every rule alike:\n    {entry.example}"
    measures = getattr(entry, "measures", None) if kind == "simulations" else None
    told = {"measures": [{"name": one.name, "unit": one.unit, "meaning": one.meaning} for one in measures or ()]}
    return {
        "kind": kind[:-1], "name": name, "summary": summary, "source": source, "settings": _settings(kind, entry),
        **(told if kind == "simulations" else {}), "description": str(text),
    }  # fmt: skip


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


def _print(kind: str, entry: Any, about: Mapping[str, Any]) -> None:
    from plasticity import settings
    from simulations.frame import terminal

    if _tells_itself(entry):
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
    if use := _use(kind, about["name"], entry):
        terminal.show(f"use: {use}", "")


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
    return ""
