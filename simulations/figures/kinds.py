"""Kinds of figures, so that an experiment says what is drawn and not how.

A panel is made of layers (`line`, `theory`, `band`, `dots`, `bars`, `steps`, `raster`, `matrix`, `level`, `span`, ...), a figure
of one panel or of rows of panels:

    curve(delay_s, dots=credit, theory=closed_form, x="delay T (s)", y="change (s)")
    panel(band(t, weights, label="target"), level(0.9), x="time (s)", y="weight", title="reward")
    page([panel(...), panel(...)], size=(7.4, 3.6), legend=4, caption=over_seeds(10))

Arrays over seeds have the seeds first. What a layer does not name, such as `color`, `linestyle` or `label`, goes to matplotlib.
"""

from __future__ import annotations

import dataclasses
import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from plasticity.checked import checked
from plasticity.statistics import ANY, interval
from simulations.figures.style import BLACK, BLUE, GREY, VERMILION, legend, style
from simulations.figures.style import caption as caption_of

Layer = Callable[[Any], Any]
"""Draws on matplotlib axes; an image, for a colour bar, comes back."""


def bounds(values: ArrayLike, shared: float = 0.0, within: tuple[float, float] = ANY) -> np.ndarray:
    """The 95 % `interval` over seeds (the first axis) at each place, (2, ...); nan where fewer than two seeds have a value."""
    rows = np.asarray(values, dtype=float)
    flat = rows.reshape(len(rows), -1).T
    known = [column[np.isfinite(column)] for column in flat]
    found = np.array([interval(column, shared=shared, within=within) for column in known])
    return found.T.reshape(2, *rows.shape[1:])


def share(values: ArrayLike, edges: ArrayLike) -> np.ndarray:
    """The share of the values (the last axis) that are known in each bin, (..., bins)."""
    rows = np.asarray(values, dtype=float)
    return np.apply_along_axis(lambda row: np.histogram(row, edges)[0] / max(1, np.isfinite(row).sum()), -1, rows)


def for_each(
    layer: Callable[..., Layer], looks: Mapping[str, Mapping[str, Any]], *values: Iterable[Any], **look: Any
) -> list[Layer]:
    """A layer for each of some conditions or groups, of its values, in its look and under its name (or its label there)."""
    rows = zip(looks.items(), *values, strict=True)
    return [layer(*row, **{"label": name.replace("_", " "), **own, **look}) for (name, own), *row in rows]


# Layers


def line(x: ArrayLike, y: ArrayLike, *marker: str, **look: Any) -> Layer:
    """A line, or with a marker ("o") points alone."""
    return lambda axis: axis.plot(x, y, *marker, **look) and None


def either_side(x: ArrayLike, y: ArrayLike, **look: Any) -> Layer:
    """A line on either side of x = 0, where it is not defined."""
    at, values = np.asarray(x), np.asarray(y)

    def draw(axis: Any) -> None:
        axis.plot(at[at < 0], values[at < 0], **look)
        axis.plot(at[at > 0], values[at > 0], **{**look, "label": None})

    return draw


def theory(x: ArrayLike, of: Callable[[Any], Any] | ArrayLike, **look: Any) -> Layer:
    """A closed form: a function of x, or its values."""
    return line(x, of(np.asarray(x)) if callable(of) else of, **{"color": BLACK, "label": "closed form", **look})


def band(
    x: ArrayLike,
    values: ArrayLike,
    alpha: float = 0.2,
    every: int = 1,
    complete: bool = False,
    ends: ArrayLike | None = None,
    **look: Any,
) -> Layer:
    """The mean over seeds (the first axis) that have a value as a line and its 95 % interval as a band.

    With `complete` only places are shown at which all seeds have a value. `ends` (2, places): the interval, where it is not that
    over seeds.
    """
    rows, at = np.asarray(values, dtype=float), np.asarray(x)
    shown = np.arange(rows.shape[1]) % every == 0
    if complete:
        shown &= np.isfinite(rows).all(axis=0)
    rows, at = rows[:, shown], at[shown]
    mean = np.ma.masked_invalid(rows).mean(axis=0).filled(np.nan)

    def draw(axis: Any) -> None:
        (made,) = axis.plot(at, mean, **look)
        if ends is not None or len(rows) > 1:
            low, high = bounds(rows) if ends is None else np.asarray(ends)[:, shown]
            axis.fill_between(at, low, high, color=made.get_color(), alpha=alpha, linewidth=0)

    return draw


def each_seed(x: ArrayLike, values: ArrayLike, **look: Any) -> Layer:
    """A thin line for every seed."""

    def draw(axis: Any) -> None:
        for k, row in enumerate(np.asarray(values)):
            kept = look if k == 0 else {key: value for key, value in look.items() if key != "label"}
            axis.plot(x, row, **{"linewidth": 0.6, "alpha": 0.5, **kept})

    return draw


def seeds_and_mean(x: ArrayLike, values: ArrayLike, *, color: str, **look: Any) -> Layer:
    """A thin line for every seed and a thick one for their mean."""
    rows = np.asarray(values, dtype=float)

    def draw(axis: Any) -> None:
        each_seed(x, rows, color=color, linewidth=0.4, alpha=0.4)(axis)
        axis.plot(x, rows.mean(axis=0), color=color, **{"linewidth": 2, **look})

    return draw


def dots(x: ArrayLike, values: ArrayLike, **look: Any) -> Layer:
    """The mean over seeds (the first axis) at each place as a mark, with its 95 % interval as a bar."""
    rows = np.asarray(values, dtype=float)
    mean = rows.mean(axis=0)

    def draw(axis: Any) -> None:
        error = np.nan_to_num(np.abs(bounds(rows) - mean))
        axis.errorbar(x, mean, yerr=error, **{"fmt": "o", "color": VERMILION, "markersize": 5, "elinewidth": 1.5, **look})

    return draw


def means(x: ArrayLike, values: ArrayLike, within: tuple[float, float] = ANY, shared: float = 0.0, **look: Any) -> Layer:
    """The mean over seeds (the first axis) as a line or marks, of those that have a value, and its 95 % interval as bars."""
    rows = np.asarray(values, dtype=float)

    def draw(axis: Any) -> None:
        (made,) = axis.plot(x, np.ma.masked_invalid(rows).mean(axis=0).filled(np.nan), **look)
        axis.vlines(x, *bounds(rows, shared, within), color=made.get_color(), linewidth=1.5)

    return draw


def binned(x: ArrayLike, y: ArrayLike, edges: ArrayLike, **look: Any) -> Layer:
    """The mean of y in each bin of x that holds any, as a line through the middles of the bins."""
    ends, found = np.asarray(edges, dtype=float), np.asarray(y)
    bins = np.clip(np.digitize(np.asarray(x), ends) - 1, 0, len(ends) - 2)
    held = np.unique(bins)
    return line((ends[held] + ends[held + 1]) / 2, [found[bins == k].mean() for k in held], **look)


def bars(x: ArrayLike, values: ArrayLike, **look: Any) -> Layer:
    """The 95 % interval over seeds (the first axis) at each place, as a bar alone."""
    return lambda axis: axis.vlines(x, *bounds(values), **look) and None


def measured(x: ArrayLike, y: ArrayLike, error: ArrayLike, **look: Any) -> Layer:
    """Values as marks with their known errors as bars."""
    given = {"fmt": "o", "color": BLACK, "markersize": 4, "capsize": 2, **look}
    return lambda axis: axis.errorbar(x, y, error, **given) and None


def columns(
    names: Sequence[str],
    values: Sequence[ArrayLike],
    colours: Sequence[str],
    markers: Sequence[str] = (),
    ends: Sequence[tuple[float, float]] = (),
    **look: Any,
) -> Layer:
    """For each name a column: every seed as a small mark, the mean as a large one with its 95 % interval as a bar.

    `ends`: the interval of each, where it is not that over seeds.
    """

    def draw(axis: Any) -> None:
        for place, (row, colour) in enumerate(zip(values, colours, strict=True)):
            found, marker = np.asarray(row, dtype=float), markers[place] if markers else "o"
            small = {"markersize": 4, "alpha": 0.5, "markeredgewidth": 0}
            axis.plot(np.full(len(found), place + 0.12), found, marker, color=colour, **small)
            low, high = ends[place] if ends else bounds(found[:, None])[:, 0]
            axis.vlines(place - 0.12, low, high, color=colour, linewidth=2)
            axis.plot(place - 0.12, found.mean(), marker, color=colour, markersize=6, **look)
        axis.set_xticks(range(len(names)), list(names))
        axis.set_xlim(-0.5, len(names) - 0.5)

    return draw


def each_run(values: Sequence[ArrayLike], holds: Sequence[ArrayLike], colours: Sequence[str], marker: str = "o") -> Layer:
    """A row for each condition, a mark for each run: a cross where it does not hold, and "none" where no run has a value."""

    def draw(axis: Any) -> None:
        for row, (found, kept, colour) in enumerate(zip(values, holds, colours, strict=True)):
            x, good = np.asarray(found, dtype=float), np.asarray(kept, dtype=bool)
            y = row + (np.linspace(-0.25, 0.25, len(x)) if len(x) > 1 else np.zeros(1))
            axis.plot(x[good], y[good], marker, markersize=4, color=colour)
            axis.plot(x[~good], y[~good], "x", markersize=5, color=colour)
            if not np.isfinite(x).any():
                axis.text(0.5, row, "none", transform=axis.get_yaxis_transform(), ha="center", va="center", color=GREY)

    return draw


def steps(values: ArrayLike, edges: ArrayLike, **look: Any) -> Layer:
    """A histogram that is known: the height of each bin."""
    return lambda axis: axis.stairs(values, edges, **{"linewidth": 1.5, **look}) and None


def histogram(values: ArrayLike, edges: ArrayLike, percent: bool = False, marker: str = "", **look: Any) -> Layer:
    """The share of all the values in each bin; nothing where there are none. It has no marks: a look's marker is left out."""
    found = np.ravel(values)
    return steps((100 if percent else 1) * share(found, edges), edges, **look) if found.size else lambda axis: None


def steps_band(values: ArrayLike, edges: ArrayLike, alpha: float = 0.25, **look: Any) -> Layer:
    """Histograms that are known, one for each seed (the first axis): their mean as steps, its 95 % interval as a band."""
    rows = np.asarray(values, dtype=float)

    def draw(axis: Any) -> None:
        made = axis.stairs(rows.mean(axis=0), edges, **{"linewidth": 1.5, **look})
        low, high = bounds(rows)
        if np.isfinite(low).any():
            axis.stairs(high, edges, baseline=low, fill=True, color=made.get_edgecolor(), alpha=alpha)

    return draw


def raster(times: ArrayLike, rows: ArrayLike, **look: Any) -> Layer:
    """Spikes: a tick at each time in the row of its neuron."""
    at, of = np.asarray(times, dtype=float), np.asarray(rows, dtype=float)
    return lambda axis: axis.vlines(at, of - 0.4, of + 0.4, **{"color": BLACK, "linewidth": 0.8, **look}) and None


def matrix(values: ArrayLike, texts: str = "", least: float = -np.inf, **look: Any) -> Layer:
    """An image of a matrix; `texts` is the format of the number in each cell of `least` or more, none where empty."""
    cells = np.asarray(values, dtype=float)

    def draw(axis: Any) -> Any:
        image = axis.imshow(cells, **{"cmap": "cividis", **look})
        low, high = image.get_clim()
        for row, column in np.argwhere(np.isfinite(cells) & (cells >= least)) if texts else ():
            light = cells[row, column] > (low + high) / 2
            text = format(cells[row, column], texts)
            axis.text(column, row, text, ha="center", va="center", fontsize=7, color="black" if light else "white")
        return image

    return draw


def tiles(images: ArrayLike, names: Sequence[Any], **look: Any) -> Layer:
    """Small images (images, rows, columns) side by side in about a square, each with a name in its corner."""
    shown = np.asarray(images, dtype=float)
    high, wide = shown.shape[1] + 1, shown.shape[2] + 1  # with a gap
    columns = int(np.ceil(np.sqrt(len(shown))))
    canvas = np.full((-(-len(shown) // columns) * high - 1, columns * wide - 1), np.nan)
    corners = [(place // columns * high, place % columns * wide) for place in range(len(shown))]
    for (top, left), image in zip(corners, shown, strict=True):
        canvas[top : top + high - 1, left : left + wide - 1] = image

    def draw(axis: Any) -> Any:
        largest = float(np.nanpercentile(canvas, 99.5))
        made = axis.imshow(canvas, **{"cmap": "cividis", "vmin": 0, "vmax": largest, "interpolation": "nearest", **look})
        for (top, left), name in zip(corners, names, strict=True):
            axis.text(left, top, str(name), color="white", fontsize=6, ha="left", va="top")
        axis.set(xticks=[], yticks=[])
        axis.spines[:].set_visible(False)
        return made

    return draw


def level(value: float, **look: Any) -> Layer:
    """A horizontal line, such as chance."""
    return lambda axis: axis.axhline(value, **{"color": GREY, "linewidth": 0.8, **look}) and None


def moment(value: float, **look: Any) -> Layer:
    """A vertical line, where the value is known (no nan)."""
    given = {"color": GREY, "linewidth": 0.8, **look}
    return lambda axis: (axis.axvline(value, **given) if np.isfinite(value) else None) and None


def span(low: float, high: float, **look: Any) -> Layer:
    """A stretch along x that is shaded."""
    return lambda axis: axis.axvspan(low, high, **{"color": GREY, "alpha": 0.2, "linewidth": 0, **look}) and None


def note(text: str, at: tuple[float, float], **look: Any) -> Layer:
    """Words at a place."""
    return lambda axis: axis.annotate(text, at, **{"fontsize": 8, **look}) and None


def log_x(places: Iterable[Any], texts: Sequence[str] | None = None, base: float = 10.0, **look: Any) -> Layer:
    """A logarithmic x axis with ticks at these places alone; draw it last (`then`)."""
    at = list(places)

    def draw(axis: Any) -> None:
        axis.set_xscale("log", base=base)
        axis.set_xticks(at, list(map(str, at)) if texts is None else list(texts), **look)
        axis.minorticks_off()

    return draw


def root_x(places: Iterable[float]) -> Layer:
    """An x axis from 0 on a scale of the square root, for what happens near 0; the last layer.

    It has ticks at the end of the data, and at those of these places that lie before it.
    """

    def draw(axis: Any) -> None:
        end = float(axis.dataLim.x1)
        at = sorted({*(place for place in places if place <= end), end})
        axis.set_xscale("function", functions=(lambda x: np.sqrt(np.maximum(x, 0)), np.square))
        axis.set_xticks(at, [f"{place:g}" for place in at])

    return draw


def near_zero(linear: float, **look: Any) -> Layer:
    """A y axis that is linear up to that value and logarithmic from there on: what may be 0 and spans orders of magnitude."""
    return lambda axis: axis.set_yscale("symlog", linthresh=linear, **look) and None


def small_title(text: str, size: float = 8, wrap: int = 1000) -> Layer:
    """A title in the letters of a legend, for long ones; in lines of so many letters."""
    lines = textwrap.fill(text, wrap, break_on_hyphens=False) if len(text) > wrap else text
    return lambda axis: axis.set_title(lines, loc="left", fontsize=size) and None


# Panels and figures


@dataclass(frozen=True)
class Panel:
    """One pair of axes: layers, labels with units, and what else matplotlib's `axis.set` takes, such as xlim or yscale.

    `legend` is where its own legend stands, None for none; `then` does what nothing else does, on the axes.
    """

    layers: tuple[Layer, ...]
    x: str = ""
    y: str = ""
    title: str = ""
    legend: str | Mapping[str, Any] | None = None
    axes: Mapping[str, Any] = field(default_factory=dict)
    then: Callable[[Any], Any] | None = None
    size: tuple[float, float] = (4.6, 3.4)

    def draw(self, axis: Any) -> Any:
        """Draw it; an image, for a colour bar, comes back."""
        images = [image for image in (layer(axis) for layer in self.layers) if image is not None]
        told = {"xlabel": self.x, "ylabel": self.y}
        axis.set(**{key: text for key, text in told.items() if text}, **self.axes)
        if self.title:
            axis.set_title(self.title, loc="left")
        if self.legend is not None:
            axis.legend(**({"loc": self.legend} if isinstance(self.legend, str) else self.legend))
        if self.then is not None:
            self.then(axis)
        return images[0] if images else None


@dataclass(frozen=True)
class Page:
    """A figure of rows of panels.

    `legend` is the number of columns of one legend for all panels, below them (0: none); `bar` the label of a colour bar. With
    `outer` labels stand at the outermost panels alone. `legend_key` orders the legend by what it makes of a label; `then` does
    what nothing else does, on all axes (rows, columns).
    """

    rows: tuple[tuple[Panel, ...], ...]
    size: tuple[float, float]
    legend: int = 0
    legend_from: tuple[int, int] = (0, 0)
    legend_look: Mapping[str, Any] = field(default_factory=dict)
    caption: str = ""
    bar: str = ""
    bar_look: Mapping[str, Any] = field(default_factory=dict)
    layout: Mapping[str, Any] = field(default_factory=dict)
    outer: bool = False
    legend_key: Callable[[str], Any] | None = None
    then: Callable[[np.ndarray], Any] | None = None


Drawing = Panel | Page | Figure


def panel(
    *layers: Layer,
    x: str = "",
    y: str = "",
    title: str = "",
    legend: str | Mapping[str, Any] | None = None,
    then: Callable[[Any], Any] | None = None,
    size: tuple[float, float] = (4.6, 3.4),
    **axes: Any,
) -> Panel:
    """A panel of these layers."""
    return Panel(layers, x, y, title, legend, axes, then, size)


def curve(
    at: ArrayLike,
    *,
    dots: ArrayLike | None = None,
    mean: ArrayLike | None = None,
    theory: Callable[[Any], Any] | ArrayLike | None = None,
    label: str = "simulated",
    x: str = "",
    y: str = "",
    legend: str | None = "best",
    **axes: Any,
) -> Panel:
    """A curve over `at`: `dots` (one value at each place, or seeds first), or the `mean` with its interval as a band, and theory.

    A function is drawn finely from the smallest to the largest place, values as they are.
    """
    places = np.asarray(at, dtype=float)
    layers: list[Layer] = []
    if theory is not None:
        fine = np.linspace(places.min(), places.max(), 200) if callable(theory) else places
        layers.append(globals()["theory"](fine, theory))
    if mean is not None:
        layers.append(band(places, mean, color=BLUE, label=f"{label}, mean and 95 % interval"))
    if dots is not None:
        values = np.asarray(dots, dtype=float)
        if values.ndim == 1:
            layers.append(line(places, values, "o", color=VERMILION, label=label))
        else:
            layers.append(globals()["dots"](places, values, label=f"{label}, mean and 95 % interval"))
    return panel(*layers, x=x, y=y, legend=legend, **axes)


def confusion(
    answers: ArrayLike, labels: ArrayLike, classes: int, *, x: str = "answer", y: str = "class", title: str = ""
) -> Panel:
    """Which class was taken for which, in percent of the trials of a class."""
    counts = np.zeros((classes, classes))
    np.add.at(counts, (np.asarray(labels), np.asarray(answers)), 1)
    share = matrix(100 * counts / np.maximum(counts.sum(axis=1, keepdims=True), 1), ".0f", least=0.5, vmin=0, vmax=100)
    return panel(share, x=x, y=y, title=title, xticks=range(classes), yticks=range(classes))


def page(
    *rows: Sequence[Panel],
    size: tuple[float, float],
    legend: int = 0,
    legend_from: tuple[int, int] = (0, 0),
    legend_look: Mapping[str, Any] | None = None,
    caption: str = "",
    bar: str = "",
    bar_look: Mapping[str, Any] | None = None,
    outer: bool = False,
    legend_key: Callable[[str], Any] | None = None,
    then: Callable[[np.ndarray], Any] | None = None,
    **layout: Any,
) -> Page:
    """A figure of rows of panels; `layout` is what matplotlib's `subplots` takes, such as sharey or width_ratios."""
    panels = tuple(map(tuple, rows))
    looks = legend_look or {}, caption, bar, bar_look or {}
    return Page(panels, size, legend, legend_from, *looks, layout, outer, legend_key, then)


def keyed(panels: Sequence[Panel], legend: str | Mapping[str, Any]) -> list[Panel]:
    """The same panels, with a legend in the first alone."""
    return [dataclasses.replace(panels[0], legend=legend), *panels[1:]]


def beside(left: Drawing, right: Drawing) -> Page:
    """Two figures of as many rows as one, the panels of the second on the right; all else is that of the first."""
    pages = [Page(((one,),), one.size) if isinstance(one, Panel) else one for one in (left, right)]
    first, second = (one for one in pages if isinstance(one, Page))
    rows = tuple(a + b for a, b in zip(first.rows, second.rows, strict=True))
    size = (first.size[0] + second.size[0], max(first.size[1], second.size[1]))
    return dataclasses.replace(first, rows=rows, size=size)


def draw(drawing: Drawing) -> Figure:
    """The figure of a panel or page; a figure that is one already stays as it is."""
    if isinstance(drawing, Figure):
        return drawing
    if isinstance(drawing, Panel):
        drawing = Page(((drawing,),), drawing.size)
    with style():
        figure = Figure(figsize=drawing.size, layout="constrained")
        width = max(map(len, drawing.rows))
        axes = figure.subplots(len(drawing.rows), width, squeeze=False, **drawing.layout)
        image: Any = None
        for row, panels in zip(axes, drawing.rows, strict=True):
            for axis, one in zip(row, panels, strict=False):
                image = one.draw(axis) or image
            for axis in row[len(panels) :]:
                axis.set_axis_off()
        for axis in axes.ravel() if drawing.outer else ():
            axis.label_outer()
        for above, panels, row in zip(axes, drawing.rows, drawing.rows[1:], strict=False):  # of a shorter row
            for axis, one in zip(above[len(row) :], panels[len(row) :], strict=False):
                axis.tick_params(labelbottom=True)
                axis.set_xlabel(one.x)
        if drawing.then is not None:
            drawing.then(axes)
        if drawing.bar and image is not None:
            figure.colorbar(image, ax=list(axes.ravel()), label=drawing.bar, **drawing.bar_look)
        if drawing.caption:
            caption_of(figure, drawing.caption)
        if drawing.legend:
            told: Any = axes[drawing.legend_from].get_legend_handles_labels()
            if drawing.legend_key is not None:
                key = drawing.legend_key
                told = zip(*sorted(zip(*told, strict=True), key=lambda entry: key(entry[1])), strict=True)
            legend(figure, *told, columns=drawing.legend, **drawing.legend_look)
    return figure


@checked
def draw_all(drawings: Mapping[str, Drawing]) -> dict[str, Figure]:
    """Each drawing as a figure, by name."""
    with style():
        return {name: draw(drawing) for name, drawing in drawings.items()}
