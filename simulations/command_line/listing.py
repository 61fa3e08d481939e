"""What there is: list, show."""

from __future__ import annotations

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
            help="rules, landings, laws, gates, neurons, encoders, tasks, datasets, models, learners, simulations, or all."
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

    kind = kind_of(kind) or kind
    if kind is not None and kind not in MADE_IN:
        raise unknown("kind", kind, MADE_IN)
    kinds = [kind] if kind else [*MADE_IN]
    rows = [
        {"kind": title, "name": name, "summary": about["summary"], "source": about["source"]}
        for title in kinds
        for name, about in known(title).items()
    ]
    if as_json:
        print_json(rows)
        return
    for title in kinds:
        chosen = [(row["name"], row["summary"], row["source"]) for row in rows if row["kind"] == title]
        terminal.show(terminal.table(title, ("name", "what it is", "source"), chosen, terminal.console().width))
    terminal.show("`plasticity show NAME` tells more about one of them.")


@app.command()
@guarded
def show(
    name: Annotated[
        str, typer.Argument(help="The name of a rule, law, gate, neuron, encoder, task, data set, model, learner or simulation.")
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


def kind_of(word: str | None) -> str | None:
    """The kind that a word means: rules of rule; simulations of experiments; None of any other word."""
    from simulations.command_line.index import MADE_IN

    asked = {"experiment": "simulations", "suite": "simulations"}.get(word.removesuffix("s"), word) if word else None
    return next((kind for kind in MADE_IN if asked in (kind, kind.removesuffix("s"))), None)


TOLD = ("kind", "name", "summary", "source", "settings", "measures", "time_step", "description")  # with --json


def named(name: str) -> list[dict[str, Any]]:
    """Everything of that name, as `described` tells it; a sum of rules, too. A data set where nothing else has the name.

    Raises
    ------
    WrongUse
        Nothing has it.
    """
    from plasticity.errors import WrongUse, unknown
    from simulations.command_line.described import described
    from simulations.command_line.index import MADE_IN, about, names

    found = [(kind, told) for kind in MADE_IN if (told := about(kind, name)) is not None]
    chosen = [told for kind, told in found if kind != "datasets"] or [told for _, told in found]
    if "+" in name:
        from plasticity.rules import named as sum_of

        chosen.append(described("rules", name, sum_of(name)))
    if not chosen and (kind := kind_of(name)):
        raise WrongUse(f"{name} is a kind of thing, not a name; `plasticity list {kind}` has the names.")
    if not chosen:
        raise unknown("name", name, {entry for kind in MADE_IN for entry in names(kind)})
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
    if about.get("time_step"):
        terminal.show(f"time step: {about['time_step']}", "")
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
