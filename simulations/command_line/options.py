"""Options that several commands have, and how their texts are read."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Set = Annotated[
    list[str],
    typer.Option("--set", metavar="KEY=VALUE", help="Change a setting; repeat for more. `plasticity show NAME` lists them."),
]
Seeds = Annotated[
    str, typer.Option("--seeds", metavar="N|LIST", help="How many seeds (10 means 0 to 9), or which ones: 0,3,5 or 5-9.")
]
SomeSeeds = Annotated[
    str,
    typer.Option(
        "--seeds",
        metavar="N|LIST",
        help="How many seeds, or which ones: 0,3,5 or 5-9. [default: that of the task or simulation]",
        show_default=False,
    ),
]
Jobs = Annotated[
    int | None,
    typer.Option(
        "--jobs",
        metavar="N",
        help="Processes at a time. [default: one per core]",
        show_default=False,
        parser=lambda text: parse_jobs(text),
    ),
]
Cluster = Annotated[
    str,
    typer.Option(
        "--cluster",
        metavar="ADDRESS",
        help="Send the jobs to a Dask scheduler, such as tcp://10.0.0.1:8786. As pickles: use tls:// where others reach it.",
        show_default=False,
    ),
]
Measure = Annotated[
    str,
    typer.Option(
        "--measure", metavar="A,B", help="Of a sweep: which numbers to print and draw. [default: some]", show_default=False
    ),
]
Out = Annotated[
    Path | None,
    typer.Option(
        "--out",
        metavar="DIR",
        help="Folder for records, table and figures. [default: results/NAME, of a sweep results/sweep_NAME]",
        show_default=False,
    ),
]
ForceCopy = Annotated[bool, typer.Option("--force", help="With --out: replace what was drawn there before.")]
Force = Annotated[bool, typer.Option("--force", help="Replace what is there, a finished run with its figures and page.")]
All = Annotated[bool, typer.Option("--all", help="Of a comparison: print the whole table, the costs and what they rest on.")]
Svg = Annotated[bool, typer.Option("--svg", help="Draw the figures as SVG, too.")]
With = Annotated[
    list[str],
    typer.Option(
        "--with",
        metavar="FILE",
        help="Know the rules, tasks, learners, ... of a Python file, too; repeat for more.",
        show_default=False,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print the summary as JSON on standard output, and nothing else there.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]


def names(text: str, option: str) -> list[str]:
    """What stands between commas, none where the option is not given.

    Raises
    ------
    WrongUse
        Nothing between two commas, or a name twice.
    """
    from plasticity.errors import WrongUse

    listed = [name.strip() for name in text.split(",")] if text else []
    if not all(listed):
        raise WrongUse(f"{option} takes names with commas between, like A,B, not {text!r}.")
    if twice := next((name for name in listed if listed.count(name) > 1), ""):
        raise WrongUse(f"{option} names {twice} twice; name it once.")
    return listed


def parse_seeds(text: str) -> list[int]:
    """ "10" as 0 to 9; "0,3,5", "5-9" and "0-4,8" as written.

    Raises
    ------
    WrongUse
        No seeds, or something that is not a whole number.
    """
    from plasticity import given
    from plasticity.errors import WrongUse
    from plasticity.parallel import check_seeds

    try:
        if (count := given.whole(text)) is not None and count >= 0:
            return check_seeds(range(_at_most(count)))
        listed: list[int] = []
        for part in _parts(text):
            first, last = _range(part)
            if last < first:
                raise WrongUse(f"--seeds {part} ends before it begins; write the smaller seed first, such as {last}-{first}.")
            _at_most(len(listed) + last - first + 1)
            listed.extend(range(first, last + 1))
    except ValueError as error:
        if isinstance(error, WrongUse):
            raise
        raise WrongUse(
            f"--seeds takes a number of seeds or a list, such as 10 or 0,3,5 or 5-9, not {given.shown(text)}."
        ) from None
    return check_seeds(listed)


def _parts(text: str) -> list[str]:
    """What stands between commas; one at the end says that a single number is a list."""
    parts = [part.strip() for part in text.split(",")]
    return parts[:-1] if len(parts) > 1 and not parts[-1] else parts


def _range(part: str) -> tuple[int, int]:
    """5 and 9 of "5-9", 5 twice of "5"; ValueError for anything else."""
    from plasticity import given

    first, dash, last = part.partition("-")
    ends = [given.whole(end) for end in ((first, last) if dash else (part, part))]
    if None in ends:
        raise ValueError
    return ends[0], ends[1]  # type: ignore[return-value]


def _at_most(number: int) -> int:
    from plasticity.errors import WrongUse
    from plasticity.parallel import MOST_SEEDS

    if number > MOST_SEEDS:
        raise WrongUse(f"--seeds asks for {number} seeds; {MOST_SEEDS} is the most. One seed is written with a comma: {number},")
    return number


def parse_jobs(text: str) -> int:
    """How many processes; a usage error for what is no whole number."""
    from plasticity import given

    found = given.whole(text)
    if found is None:
        raise typer.BadParameter(f"{text!r} is no whole number, such as 4.")
    return found
