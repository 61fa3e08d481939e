"""Figures, drawn from records alone: the same records give the same bytes.

Colours are those of Okabe & Ito (2008), "Color Universal Design", which people with any colour vision can tell apart, and wine of
Tol (2021), "Colour Schemes", for the same readers; line styles and markers differ as well.
"""

from __future__ import annotations

import contextlib
import io
import os
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from plasticity.checked import checked
from plasticity.files import refuse_foreign, write_bytes

if TYPE_CHECKING:
    from bridges.comparison import Comparison

BLACK, ORANGE, SKY, GREEN, YELLOW, BLUE, VERMILION, PURPLE = (
    "#000000",
    "#E69F00",
    "#56B4E9",
    "#009E73",
    "#F0E442",
    "#0072B2",
    "#D55E00",
    "#CC79A7",
)
GREY = "#7F7F7F"
WINE = "#882255"

STYLE: dict[str, Any] = {
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same letters on every machine
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "figure.dpi": 100,
    "savefig.dpi": 150,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "legend.handlelength": 3.0,
    "lines.linewidth": 1.5,
    "svg.hashsalt": "plasticity",  # otherwise ids in an SVG are random
}

SIDES = {  # colours of learners by their side, and what is said of them
    "spiking": ((VERMILION, ORANGE, PURPLE, WINE), "red, orange: spiking"),
    "torch": ((BLUE, SKY, GREEN), "blue, green: by gradient"),
    "control": ((GREY, BLACK), "grey, black: controls"),
}
_LOOK = {  # colour, line style, marker
    "spiking_learned_gate": (VERMILION, "-", "o"),
    "spiking_gated": (ORANGE, "-", "s"),
    "spiking_no_gate": (PURPLE, "--", "s"),
    "spiking_shuffled_gate": (WINE, "-.", "^"),
    "spiking_equal_gain": (WINE, ":", "v"),
    "softmax_attention": (BLUE, "-", "D"),
    "gated_attention": (GREEN, "--", "D"),
    "uniform_attention": (SKY, "--", "P"),
    "relu_backprop": (SKY, "-", "s"),
    "mlp": (BLUE, "-.", "X"),
    "guessing": (GREY, ":", "."),
}
_COLOURS = (VERMILION, ORANGE, PURPLE, BLACK, BLUE, SKY, GREEN)
_STROKES = (("-", "o"), ("--", "s"), ("-.", "^"), (":", "v"), ("-", "D"), ("--", "P"), ("-.", "X"), (":", "<"), ("-", ">"))


@checked
def look(names: Sequence[str], sides: Mapping[str, str] | None = None) -> dict[str, tuple[str, str, str]]:
    """Colour, line style and marker of each learner; the known ones always look the same, the others as unlike them as can be.

    With `sides` each has a colour of its own side.
    """
    of_side = {name: SIDES[sides[name]][0] if sides else _COLOURS for name in names}
    found = {name: _LOOK[name] for name in names if name in _LOOK and not (sides and _LOOK[name][0] not in of_side[name])}
    for name in (name for name in names if name not in found):
        taken = list(found.values())

        def alike(spare: tuple[str, str, str], taken: list[tuple[str, str, str]] = taken) -> tuple[int, int, int]:
            return (
                taken.count(spare),
                sum(other[0] == spare[0] for other in taken),
                sum(other[1:] == spare[1:] for other in taken),
            )

        found[name] = min(((colour, *stroke) for stroke in _STROKES for colour in of_side[name]), key=alike)
    return {name: found[name] for name in names}


def looks_of(comparison: Comparison) -> dict[str, tuple[str, str, str]]:
    """The `look` of every learner of a comparison, for all of its figures."""
    return look(comparison.learners, comparison.configuration["sides"])


@contextlib.contextmanager
def style() -> Iterator[None]:
    """The style of every figure, whatever the user's own matplotlib settings are."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(STYLE)  # type: ignore[arg-type]
        yield


@checked
def new(width: float = 6.4, height: float = 4.0, rows: int = 1, columns: int = 1, **kwargs: Any) -> tuple[Figure, np.ndarray]:
    """A figure (size in inches) and its axes (rows, columns); use within `style()`."""
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots(rows, columns, squeeze=False, **kwargs)


@checked
def legend(figure: Figure, handles: Any, labels: Any, *, columns: int, loc: Any = "outside lower center", **kwargs: Any) -> None:
    """One legend for all panels, outside of them; in fewer columns where the figure is too narrow for as many."""
    renderer = FigureCanvasAgg(figure).get_renderer()
    for fewer in range(max(1, columns), 0, -1):
        made = figure.legend(handles, labels, loc=loc, ncols=fewer, **kwargs)
        if fewer == 1 or made.get_window_extent(renderer).width <= figure.bbox.width:
            return
        made.remove()


@checked
def caption(figure: Figure, text: str) -> None:
    """A line above all panels; several where the figure is too narrow for it."""
    made = figure.suptitle(text, x=0.01, ha="left", fontsize=8)
    renderer = FigureCanvasAgg(figure).get_renderer()
    columns = len(text)
    while columns > 1 and made.get_window_extent(renderer).width > 0.98 * figure.bbox.width:
        columns -= 1
        made.set_text(textwrap.fill(text, columns))


ONE_SEED = "one seed, no interval"
ENOUGH_SEEDS = 5  # seeds, from which on a band says more than a line for each


@checked
def mean_of(seeds: int) -> str:
    """What a line with its band is, or with a thin line for each of a few seeds, whose interval would fill the panel."""
    if seeds < ENOUGH_SEEDS:
        return ONE_SEED if seeds < 2 else f"thick: mean, thin: each of {seeds} seeds"
    return f"mean and 95 % interval over {seeds} seeds"


@checked
def over_seeds(seeds: int) -> str:
    """What marks with bars are; intervals are often smaller than the marks, and then it looks as if there were none."""
    if seeds < 2:
        return ONE_SEED
    return f"mean over {seeds} seeds; bars or bands: 95 % interval, smaller than the mark where none is seen"


BEGINS = {"png": b"\x89PNG\r\n\x1a\n", "svg": b"<?xml"}


@checked
def save(figures: Mapping[str, Figure], folder: str | os.PathLike[str], svg: bool = False, force: bool = True) -> list[Path]:
    """Write each figure as NAME.png, with `svg` as NAME.svg too, the same bytes each time; the paths come back.

    Raises
    ------
    WrongUse
        Something has the name of a figure that is no figure; without `force` also a figure. Nothing is written then.
    PlasticityError
        The folder is full or cannot be written.
    """
    written: list[Path] = []
    kinds: list[tuple[str, dict[str, None]]] = [("png", {"Software": None})]
    kinds += [("svg", {"Date": None, "Creator": None})] if svg else []
    for kind, _ in kinds:
        for name in figures:
            refuse_foreign(Path(folder) / f"{name}.{kind}", force, BEGINS[kind])
    for name, figure in figures.items():
        for kind, metadata in kinds:
            content = io.BytesIO()
            with style():
                figure.savefig(content, format=kind, metadata=metadata)
            path = Path(folder) / f"{name}.{kind}"
            write_bytes(path, content.getvalue())
            written.append(path)
    return written
