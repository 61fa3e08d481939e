"""Whose setting is what `--set` of a comparison says: the task's, or of a learner or a side. No simulator is imported for it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from plasticity import given, settings
from plasticity.errors import WrongUse

if TYPE_CHECKING:
    from plasticity.tasks import Task


def by_owner(values: Mapping[str, str]) -> tuple[dict[str, str], dict[str, dict[str, str]]]:
    """What `--set` of a comparison says of the task (train=500), and of each learner or side (mlp.hidden=64)."""
    of_task: dict[str, str] = {}
    of_others: dict[str, dict[str, str]] = {}
    for key, value in values.items():
        owner, dot, name = key.partition(".")
        if dot:
            of_others.setdefault(owner, {})[name] = value
        else:
            of_task[key] = value
    return of_task, of_others


def configured(kind: type[Task], values: Mapping[str, Any], learners: Collection[str] = ()) -> Task:
    """The task with these settings; of one that is a learner's (of these, of any if none are named) it is told how to write it.

    Raises
    ------
    WrongUse
        What `plasticity.settings.configure` refuses.
    """
    try:
        return settings.configure(kind, values)
    except WrongUse as refusal:
        from simulations.command_line.index import known

        its = {entry.name for entry in settings.describe(kind)}
        key, value = next(((key, value) for key, value in values.items() if key not in its), ("", ""))
        for name, about in known("learners").items():
            if (name in learners or not learners) and key in {row["name"] for row in about["settings"]}:
                owner = name if about["side"] == "control" else about["side"]
                raise WrongUse(f"{kind.name} has no setting {key}, learners have; did you mean {owner}.{key}={value}?") from None
        raise refusal


def parse_grid(assignments: Sequence[str]) -> dict[str, list[str]]:
    """`["neurons=50,100", "data=digits"]` as lists of texts.

    Raises
    ------
    WrongUse
        Something that is not key=a,b,c, or the same key or value twice.
    """
    grid: dict[str, list[str]] = {}
    for text in assignments:
        key, equals, values = text.partition("=")
        listed = [value.strip() for value in values.split(",")]
        if not equals or not key.strip() or not all(listed):
            raise WrongUse(f"--grid takes key=a,b,c, not {given.shown(text)}; `plasticity show SIMULATION` lists the keys.")
        if key.strip() in grid or len(set(listed)) < len(listed):
            raise WrongUse(f"--grid {given.shown(text)} names a key or a value twice; name each once.")
        grid[key.strip()] = listed
    if not grid:
        raise WrongUse("a sweep needs a grid: --grid key=a,b,c, and --grid once more for each further key.")
    return grid
