"""What is printed for people: tables that fit the window."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from typing import Any

from rich.cells import cell_len
from rich.console import Console
from rich.segment import Segments
from rich.table import Table
from rich.text import Text

from plasticity.errors import printable

PIPE = 120  # columns of a file, or of a pipe that no terminal is seen behind
NARROWEST = 6  # columns of text that a column has at least, where its words are that long
ROOM_FOR_DOIS = 60  # columns; below, a doi is folded like anything else
ROOM_FOR_SOURCES = 120  # columns below which sources have no column of their own; a table of checks leaves them out


def console() -> Console:
    """Standard output, as wide as COLUMNS says, else as the terminal, also behind a pipe (`plasticity list | less`)."""
    columns = os.environ.get("COLUMNS", "")
    widths = [int(columns)] if columns.isdigit() else []
    for stream in (1, 2, 0):
        with contextlib.suppress(OSError):
            widths.append(os.get_terminal_size(stream).columns)
    return Console(width=next(filter(None, widths), PIPE))


def show(*things: Any) -> None:
    """Print texts as they are, and tables; only a terminal folds the lines of a text."""
    out = console()
    for thing in things:
        if isinstance(thing, str):
            out.print(printable(thing), highlight=False, markup=False, soft_wrap=not out.is_terminal)
        else:
            width, caption, segments = getattr(thing, "drawn", (0, None, ()))  # drawing one takes a while: once is enough
            out.print(Segments(segments) if (width, caption) == (out.width, thing.caption) else thing)


def table(
    title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], width: int, whole: Sequence[str] | None = None
) -> Table:
    """A table that folds its cells, but for those of the columns in `whole`, the first one if not told; a doi is not folded.

    In a narrow window a source stands below what is said in the column before it. Where there is no room for all this, any
    cell is folded, or all of them stand below each other: nothing is cut at the edge of the window.
    """
    if "source" in columns and width < ROOM_FOR_SOURCES:
        at = columns.index("source")
        rows = [[*row[: at - 1], f"{row[at - 1]}\n{row[at]}".strip(), *row[at + 1 :]] for row in rows]
        columns = [*columns[: at - 1], f"{columns[at - 1]}, source", *columns[at + 1 :]]
    kept = columns[:1] if whole is None else whole
    half, wide = width // 2, 2 * width // 3  # names are folded before a doi is
    roomy = width >= ROOM_FOR_DOIS
    between = [((), wide, True)] if roomy else []
    tries = ((kept, half, False), (kept, half, True), *between, (kept, 0, False), ((), 0, False))
    names = {word for row in rows for cell in row for word in str(cell).split() if word.startswith(("doi:", "arXiv:"))}
    split, held = [], False
    for how in tries:  # laying one out and drawing it takes a while: mostly the first will do
        made = _laid(title, columns, rows, *how)
        drawn = _drawn(made, width)
        whole_names, fits = not roomy or all(name in drawn for name in names), _fits(made, width, drawn)
        if whole_names and fits:
            return made
        held = held or whole_names
        if fits:
            split.append(made)
    if split and not held:
        return split[0]
    below = [["\n".join(f"{head}: {cell}" for head, cell in zip(columns, row, strict=True))] for row in rows]
    return _laid(title, [""], below, (), 0, False)


def _laid(
    title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], whole: Sequence[str], most: int, fixed: bool
) -> Table:
    """A table whose sources are as wide as their longest word, up to `most`; at least, or where `fixed` exactly."""
    made = Table(title=Text(printable(title)), title_justify="left", show_header=any(columns))
    for place, column in enumerate(columns):
        longest = max((len(word) for row in rows for word in str(row[place]).split()), default=0)
        least = min(longest, most if most and column.endswith("source") else NARROWEST)
        room: dict[str, Any] = {"width" if fixed and least > NARROWEST else "min_width": least}
        if not whole and most and not place:
            room = {"max_width": most // 2}
        made.add_column(column, overflow="fold", no_wrap=column in whole, **room)
    for row in rows:
        made.add_row(*(Text(printable(str(cell))) for cell in row))
    return made


def _drawn(made: Table, width: int) -> str:
    """A table in a window, which it keeps as `drawn` with the width and its caption."""
    segments = list(Console(width=width).render(made))
    vars(made)["drawn"] = (width, made.caption, segments)
    return "".join(segment.text for segment in segments)


def _fits(made: Table, width: int, drawn: str = "") -> bool:
    """Whether no line of a table is longer than the window is wide."""
    return all(cell_len(line) <= width for line in (drawn or _drawn(made, width)).splitlines())


def checks(title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], width: int) -> Table:
    """A table of checks, whose last column are sources; a narrow window has no room for these.

    Where the names of the checks do not fit beside their numbers, these stand below them.
    """
    if width >= ROOM_FOR_SOURCES:
        longest = max((len(word) for row in rows for word in str(row[-1]).split()), default=0)
        whole = [_laid(title, columns, rows, ("holds",), longest, fixed) for fixed in (False, True)]
        if made := next((made for made in whole if _fits(made, width)), None):
            return made
    made = _laid(title, columns[:-1], [row[:-1] for row in rows], ("check", "holds"), 0, False)
    if not _fits(made, width):
        at, holds = columns.index("check"), columns.index("holds")
        heads = [*columns[at + 1 : holds], *columns[holds + 1 : -1]]
        below = []
        for row in rows:
            numbers = zip(heads, [*row[at + 1 : holds], *row[holds + 1 : -1]], strict=True)
            told = ", ".join(f"{head} {cell}" for head, cell in numbers if str(cell))
            below.append([": ".join(map(str, row[: at + 1])) + f"\n  {told}", row[holds]])
        made = table(title, ("check", "holds"), below, width, whole=("holds",))
    made.caption = "Sources: summary.json, or a wider window."
    made.caption_justify = "left"
    return made
