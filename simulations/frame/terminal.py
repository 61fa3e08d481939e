"""What is printed for people: tables that fit the window."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

PIPE = 200  # columns of a file or a pipe, which has no width of its own
ROOM_FOR_SOURCES = 120  # columns below which sources are left out of a table of checks


def console() -> Console:
    """Standard output."""
    found = Console()
    return found if found.is_terminal else Console(width=PIPE)


def show(*things: Any) -> None:
    """Print texts as they are, and tables."""
    out = console()
    for thing in things:
        out.print(thing, highlight=False, markup=False) if isinstance(thing, str) else out.print(thing)


def table(
    title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], width: int, whole: Sequence[str] | None = None
) -> Table:
    """A table that folds its cells, but for those of the columns in `whole`, the first one if not told; a doi is not folded."""
    made = Table(title=title, title_justify="left")
    for place, column in enumerate(columns):
        longest = max((len(word) for row in rows for word in str(row[place]).split()), default=0)
        made.add_column(
            column,
            overflow="fold",
            no_wrap=not place if whole is None else column in whole,
            min_width=min(longest, width // 4) if column == "source" else None,
        )
    for row in rows:
        made.add_row(*(Text(str(cell)) for cell in row))
    return made


def checks(title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], width: int) -> Table:
    """A table of checks, whose last column are sources; a narrow window has no room for these."""
    if width >= ROOM_FOR_SOURCES:
        return table(title, columns, rows, width, whole=("holds",))
    made = table(title, columns[:-1], [row[:-1] for row in rows], width, whole=("holds",))
    made.caption = "Sources: summary.json, or a wider window."
    made.caption_justify = "left"
    return made
