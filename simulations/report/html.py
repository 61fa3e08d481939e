"""What a page of HTML is made of: headings, paragraphs, lists, code, tables and figures; nothing on it is fetched.

Everything is plain text until the template (templates/report.html) escapes it, so no name or setting can be mistaken for markup.
"""

from __future__ import annotations

import base64
import functools
import inspect
import io
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import quote

import jinja2
from markupsafe import Markup, escape

from plasticity.errors import printable
from plasticity.references import identifiers

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TEMPLATE = "report.html"
BEGINS = (Path(__file__).parent / "templates" / TEMPLATE).read_bytes().partition(b"<title>")[0]  # as every page does
LONG = 12  # a list of more numbers than this is told by its ends


# What a page is made of


@dataclass(frozen=True)
class Heading:
    """A heading within a section: level 3 or 4."""

    text: str
    level: int = 3
    kind: ClassVar[str] = "heading"


@dataclass(frozen=True)
class Text:
    """A paragraph; `code` in backquotes, dois and arXiv numbers become links. A note stands out."""

    text: str
    note: bool = False
    kind: ClassVar[str] = "text"


@dataclass(frozen=True)
class Listing:
    """Points, one below the other."""

    items: Sequence[str]
    kind: ClassVar[str] = "listing"


@dataclass(frozen=True)
class Code:
    """Text whose lines stay as they are; `folds` where a long line may go on in the next."""

    text: str
    label: str
    folds: bool = False
    kind: ClassVar[str] = "code"


@dataclass(frozen=True)
class Table:
    """Cells as texts; the first of a row names it. `numbers` are the columns to the right, `strong` the rows that stand out."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str] = ()
    numbers: frozenset[int] = frozenset()
    strong: frozenset[int] = frozenset()
    foot: Sequence[str] = ()
    kind: ClassVar[str] = "table"

    def look(self, column: int) -> str:
        """How a column is set: "number", "wide" (sentences, which need room) or nothing special."""
        if column in self.numbers:
            return "number"
        return "wide" if any(len(line) > 40 for row in self.rows for line in row[column].splitlines()) else "word"


@dataclass(frozen=True)
class Picture:
    """A figure as data: its title, what is drawn, and the same for those who cannot see it."""

    title: str
    caption: str
    alt: str
    data: str
    width: int
    kind: ClassVar[str] = "picture"


@dataclass(frozen=True)
class Words:
    """A text whose words are shaded, each by a share from 0 to 1 of the strongest shade."""

    title: str
    words: Sequence[tuple[str, float]]
    kind: ClassVar[str] = "words"


Block = Heading | Text | Listing | Code | Table | Picture | Words


@dataclass(frozen=True)
class Section:
    """A part of the page with a heading of level 2; `name` is where the contents point to."""

    name: str
    title: str
    blocks: list[Any] = field(default_factory=list)


# Text as HTML


def inline(text: str) -> Markup:
    """Plain text as HTML: what stands in backquotes as code, dois and arXiv numbers as links; everything else is escaped."""
    parts = re.split(r"(`+)(.+?)\1", str(text))
    made = [_linked(parts[0])]
    for code, after in zip(parts[2::3], parts[3::3], strict=True):
        made += [Markup("<code>{}</code>").format(code), _linked(after)]
    return Markup("").join(made)


def breakable(text: str, mark: str) -> Markup:
    """A text whose lines may be broken behind each mark as well."""
    return (escape(mark) + Markup("<wbr>")).join(text.split(mark))


def _linked(text: str) -> Markup:
    names = sorted(identifiers(text), key=len, reverse=True)
    if not names:
        return escape(text)
    pattern = "(" + "|".join(rf"(?:doi:\s?)?{re.escape(name)}" for name in names) + ")"
    link = Markup('<a href="{}"><span>{}</span></a>')
    parts = re.split(pattern, text)
    return Markup("").join(link.format(_address(part), part) if place % 2 else escape(part) for place, part in enumerate(parts))


def _address(reference: str) -> str:
    if reference.startswith("arXiv:"):
        return "https://arxiv.org/abs/" + quote(reference.removeprefix("arXiv:"), safe="")
    return "https://doi.org/" + quote(re.sub(r"^doi:\s?", "", reference), safe="/:();.")


def prose(text: str, source: str = "") -> list[Block]:
    """A docstring as blocks: paragraphs flow, lists become lists, indented lines stay as they are.

    The sections on parameters, attributes and errors are left out. `source` stands at the end if the docstring names none.
    """
    (_, body), *others = _sections(text)
    blocks = [*_flowing(body)]
    blocks += [Text(f"{title}: {' '.join(body.split())}") for title, body in others if title in ("Source", "Sources")]
    named = any(isinstance(block, Text) and re.match(r"Sources?:", block.text) for block in blocks)
    return blocks if named or not source else [*blocks, Text(f"Source: {source}")]


def _sections(text: str) -> list[tuple[str, str]]:
    """(title, body) of each underlined section; the first has no title."""
    parts = re.split(r"^(\w[\w ]*)\n-{3,}$", text, flags=re.MULTILINE)
    return [("", parts[0]), *zip(parts[1::2], parts[2::2], strict=True)]


def _flowing(text: str) -> Iterator[Block]:
    for kind, lines in _stretches(text):
        if kind == "code":
            yield Code(inspect.cleandoc("\n".join(["", *lines])), "drawing or equations")
        elif kind == "list":
            items = re.split(r"^- ", "\n".join(lines), flags=re.MULTILINE)[1:]
            yield Listing([" ".join(item.split()) for item in items])
        else:
            yield Text(re.sub(r"::$", ":", " ".join(" ".join(lines).split())))


def _stretches(text: str) -> list[tuple[str, list[str]]]:
    """Lines that belong together: paragraphs, lists and (over empty lines as well) indented text."""
    found: list[tuple[str, list[str]]] = []
    apart = True
    for line in text.strip("\n").splitlines():
        if not line.strip():
            if found and found[-1][0] == "code":
                found[-1][1].append("")
            apart = True
            continue
        last = found[-1][0] if found else ""
        if last == "list" and line.startswith("  ") and not apart:
            kind = "list"
        elif line.startswith("- ") and (apart or last == "list"):
            kind = "list"
        else:
            kind = "code" if line[0].isspace() or re.match(r"[=+-]{4,}", line) else "text"
        joins = bool(found) and kind == last and (kind != "text" or not apart)
        if joins:
            found[-1][1].append(line)
        else:
            found.append((kind, [line]))
        apart = False
    return found


# Numbers and settings as text


def cell(value: Any, pattern: str = "") -> str:
    """Anything that a summary holds as the text of one cell; numbers by the `pattern` (as of `format`), else 4 digits."""
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return "\N{EN DASH}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (int, float)):
        told = format(value, pattern or (".4g" if isinstance(value, float) else ""))
        return told if told.strip("-0.") else told.lstrip("-")  # no minus before a zero
    if isinstance(value, Mapping) and {"mean", "median"} & {*value}:
        bounds = [value.get("low"), value.get("high")]
        middle = cell(value.get("mean", value.get("median")), pattern)
        low, high = (cell(bound, pattern) for bound in bounds)
        shows = None not in bounds and {low, high} != {middle}
        return middle + (f" [{low}, {high}]" if shows else "")
    if isinstance(value, Mapping):
        return _named(value)
    if isinstance(value, (list, tuple)):
        numbers = [entry for entry in value if isinstance(entry, (int, float))]
        if len(value) > LONG and len(numbers) == len(value):
            return f"{len(value)} numbers from {cell(min(numbers), pattern)} to {cell(max(numbers), pattern)}"
        return ", ".join(cell(entry, pattern) for entry in value)
    return str(value)


def _named(value: Mapping[str, Any]) -> str:
    """A rule or a gate as a record holds it: pair_stdp(A_plus=0.015, tau_plus=20 ms)."""
    inner = value.get("parameters") if isinstance(value.get("parameters"), Mapping) else None
    numbers = inner if inner is not None else {key: entry for key, entry in value.items() if key != "name"}
    told = ", ".join(f"{key}={short(cell(entry))}" for key, entry in numbers.items())
    return (f"{value['name']}({told})" if told else str(value["name"])) if "name" in value else told


def short(quantity: str) -> str:
    """20. ms as 20 ms."""
    return re.sub(r"(\d)\. ", r"\1 ", quantity)


def given(title: str, value: Any) -> list[Block]:
    """A part of a summary that says itself how it is shown, such as `fairness`, `costs` and `likeness` of a comparison.

    Parameters
    ----------
    title : str
        Of the tables that have none of their own.
    value : dict, or a list of such
        `rows`, a list of dicts; `columns`, a list of {"key", "title", "unit", "format"} of which all but `key` may be left out
        (without `columns`: the keys of the first row); `title` of the table; `text` above and `notes` below it, a sentence or a
        list of them. A cell may be a number, a text, a truth value, null, a list, or {"mean" or "median", "low", "high"};
        `format` is that of Python, such as ".3g". A list of dicts without `rows` is taken as rows; of empty `rows` the page says
        that there are no numbers.
    """
    if isinstance(value, list):
        if any("rows" not in entry for entry in value):
            return given(title, {"rows": value})
        return [block for entry in value for block in given(title, entry)]
    rows = value.get("rows", [])
    if "rows" in value and not rows:
        return [Text(f"Not in these records: {value.get('title') or title}.")]
    columns = value.get("columns") or [{"key": key} for key in dict.fromkeys(key for row in rows for key in row)]
    units = [f" ({column['unit']})" if column.get("unit") not in (None, "", "J") else "" for column in columns]
    titles = [str(column.get("title") or column["key"].replace("_", " ")) for column in columns]
    heads = [title + unit for title, unit in zip(titles, units, strict=True)]
    cells = [[_told(row.get(column["key"]), column) for column in columns] for row in rows]
    numbers = {
        place
        for place, column in enumerate(columns)
        if place and not any(isinstance(row.get(column["key"]), (str, list)) for row in rows)
    }
    blocks: list[Block] = [Text(text) for text in _sentences(value.get("text"))]
    notes = _sentences(value.get("notes"))
    if not rows:
        return blocks + [Text(note) for note in notes]
    return [*blocks, Table(value.get("title") or title, heads, cells, notes, frozenset(numbers))]


def _told(value: Any, column: Mapping[str, Any]) -> str:
    """A cell of this column; joules with a prefix in place of powers of ten."""
    from bridges.comparison.energy import joules  # imports PyTorch

    if column.get("unit") == "J" and isinstance(value, Mapping):
        return joules(value["mean"], value.get("low"), value.get("high"))
    return cell(value, column.get("format") or "")


def _sentences(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value or [])


def numbers_told(numbers: Mapping[str, Any]) -> list[Block]:
    """Single numbers in one table, nested names joined by dots; a list of dicts is a table of its own."""
    rows: list[list[str]] = []
    tables: list[Block] = []

    def collect(values: Mapping[str, Any], prefix: str) -> None:
        for name, value in values.items():
            if isinstance(value, Mapping) and not {"mean", "median"} & {*value}:
                collect(value, f"{prefix}{name}.")
            elif isinstance(value, list) and value and all(isinstance(entry, Mapping) for entry in value):
                tables.extend(given(f"{prefix}{name}", {"rows": value}))
            else:
                rows.append([f"{prefix}{name}", cell(value)])

    collect(numbers, "")
    return [*([Table("What the run found", ["number", "value"], rows)] if rows else []), *tables]


# Figures


def pictures(figures: Mapping[str, Figure], captions: Mapping[str, str]) -> list[Block]:
    """Each figure as an SVG in a data address; a caption that is not given is read off the figure."""
    from simulations.figures.style import style

    made: list[Block] = []
    for name, figure in figures.items():
        content = io.BytesIO()
        with style():
            figure.savefig(content, format="svg", metadata={"Date": None, "Creator": None})
        panels = _panels(figure)
        title = name.replace("_", " ")
        made.append(
            Picture(
                title=title[:1].upper() + title[1:],
                caption=captions.get(name) or "Drawn: " + "; ".join(panels) + ".",
                alt=f"{title}: {len(panels)} panel{'s' if len(panels) != 1 else ''}. " + "; ".join(panels) + ".",
                data="data:image/svg+xml;base64," + base64.b64encode(content.getvalue()).decode(),
                width=round(96 * figure.get_size_inches()[0]),
            )
        )
    return made


def _panels(figure: Figure) -> list[str]:
    """What each pair of axes shows, in the words on it."""
    told = []
    for axis in figure.axes:
        if axis.get_label() == "<colorbar>" or not axis.axison:
            continue
        title = axis.get_title("left") or axis.get_title()
        down = axis.get_ylabel() or _ticks(axis.get_yticklabels())
        across = axis.get_xlabel() or _ticks(axis.get_xticklabels())
        lines = [str(label) for label in axis.get_legend_handles_labels()[1]]
        told.append(
            (f"{_plain(title)}: " if title else "")
            + _plain(" over ".join(filter(None, (down, across))) or "an image")
            + (f" ({', '.join(map(_plain, dict.fromkeys(lines)))})" if lines else "")
        )
    return list(dict.fromkeys(told))


def _ticks(labels: Iterable[Any]) -> str:
    words = [label.get_text() for label in labels]
    return ", ".join(word for word in words if not re.fullmatch(r"[\d.,\N{MINUS SIGN} ]*", word))


def _plain(text: str) -> str:
    """A label without the marks of mathematical type."""
    return " ".join(re.sub(r"[${}\\]", "", re.sub(r"\\(?:mathrm|mathit|text)\b", "", text)).split())


# The page


@functools.cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("simulations.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"inline": inline, "breakable": breakable}
    return environment.get_template(TEMPLATE)


def render(title: str, lead: str, sections: Iterable[Section]) -> str:
    """The page as text; sections without a block are left out, and so are control characters."""
    return printable(_template().render(title=title, lead=lead, sections=[section for section in sections if section.blocks]))
