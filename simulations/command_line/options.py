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
        help="How many seeds, or which ones: 0,3,5 or 5-9. [default: the simulation's own]",
        show_default=False,
    ),
]
Jobs = Annotated[
    int | None, typer.Option("--jobs", metavar="N", help="Processes at a time. [default: one per core]", show_default=False)
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
Force = Annotated[bool, typer.Option("--force", help="Replace what is there: a finished run, a page, figures.")]
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


def names(text: str) -> list[str]:
    """What stands between commas."""
    return [name.strip() for name in text.split(",") if name.strip()]


def parse_seeds(text: str) -> list[int]:
    """ "10" as 0 to 9; "0,3,5", "5-9" and "0-4,8" as written.

    Raises
    ------
    WrongUse
        No seeds, or something that is not a whole number.
    """
    from plasticity.errors import WrongUse
    from plasticity.parallel import check_seeds

    try:
        if text.strip().isdigit():
            return check_seeds(range(_at_most(int(text))))
        listed: list[int] = []
        for part in filter(None, (part.strip() for part in text.split(","))):
            first, dash, last = part.partition("-")
            if dash and int(last) < int(first):
                raise WrongUse(f"--seeds {part} ends before it begins; write the smaller seed first, such as {last}-{first}.")
            _at_most(int(last) - int(first) if dash else 1)
            listed.extend(range(int(first), int(last) + 1) if dash else [int(part)])
    except ValueError as error:
        if isinstance(error, WrongUse):
            raise
        raise WrongUse(f"--seeds takes a number of seeds or a list, such as 10 or 0,3,5 or 5-9, not {text!r}.") from None
    return check_seeds(listed)


def _at_most(number: int, most: int = 100_000) -> int:
    from plasticity.errors import WrongUse

    if number > most:
        raise WrongUse(f"--seeds asks for {number} seeds; {most} is the most. One seed is written with a comma: {number},")
    return number
