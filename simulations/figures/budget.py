"""The figure of a budget, drawn from its records."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from bridges.comparison.curves import BUDGETS, ONCE, Curves, in_every_seed
from bridges.comparison.energy import joules
from plasticity.statistics import PERCENT
from simulations.figures.kinds import bounds
from simulations.figures.style import BLACK, GREY, ONE_SEED, caption, legend, look, new, style


def budget_figures(curves: Curves) -> dict[str, Figure]:
    """All figures of a budget, by name."""
    with style():
        return {"budget": budget(curves)}


def budget(curves: Curves) -> Figure:
    """Accuracy along the budget: the best learner of each group with its 95 % interval and where two cross, and all learners.

    A crossing with a spiking learner is a ring on the curves, its interval a bar, which goes to the edge where it has no end; a
    ring without a bar is where every seed crosses, or the only one.
    """
    looks = look([name for name in curves.curves if not name.endswith(ONCE)], curves.configuration["sides"])
    for name in (name for name in curves.curves if name.endswith(ONCE)):
        colour, _, marker = looks[name.removesuffix(ONCE)]
        looks[name] = colour, ":", marker
    best = [name for name in curves.curves if name in curves.best.values()]
    alone = len(best) == len(curves.curves)
    figure, axes = new(6.6 if alone else 10.4, 5.6, columns=1 if alone else 2, sharey=True)
    for axis, names in zip(axes[0], (best,) if alone else (best, list(curves.curves)), strict=True):
        chance, ceiling = (100 * float(curves.configuration["facts"][key]) for key in ("chance", "ceiling"))
        axis.axhline(chance, color=GREY, linestyle=":", linewidth=1)
        axis.annotate("chance", (0.01, chance), (0, 3), ("axes fraction", "data"), "offset points", fontsize=8)
        axis.axhline(ceiling, color=GREY, linewidth=1)
        for name in names:
            _line(axis, curves, name, looks[name], band=names is best)
        axis.set_xlabel(BUDGETS[curves.budget])
        _axis(axis, curves, [curves.x(point) for name in names for point in curves.curves[name]])
    told = ", with 95 % intervals" if len(curves.seeds) > 1 else ""
    axes[0, 0].set_title("" if alone else f"the best of each group{told}", loc="left")
    if not alone:
        axes[0, 1].set_title("all learners", loc="left")
    _crossings(axes[0, 0], curves)
    axes[0, 0].set_ylim(0, 104)
    axes[0, 0].set_ylabel("test accuracy (%)")
    handles, labels = axes[0, -1].get_legend_handles_labels()
    caption(
        figure,
        f"{curves.task}; {ONE_SEED if len(curves.seeds) < 2 else f'mean over {len(curves.seeds)} seeds'};"
        " rings: where the best of two groups cross" + (", bars its 95 % interval" if len(curves.seeds) > 1 else ""),
    )
    legend(figure, handles, labels, columns=4)
    return figure


def _line(axis: Any, curves: Curves, name: str, of: tuple[str, str, str], band: bool) -> None:
    colour, stroke, marker = of
    points = curves.curves[name]
    x = np.array([curves.x(point) for point in points])
    values = 100 * np.array([curves.accuracy(point) for point in points]).T  # (seeds, points)
    label = name.replace(ONCE, ", each trial once").replace("_", " ")
    axis.plot(x, values.mean(axis=0), color=colour, linestyle=stroke, marker=marker, markersize=5, label=label)
    if band and len(values) > 1:
        low, high = bounds(values, curves.shared, PERCENT)
        axis.fill_between(x, low, high, color=colour, alpha=0.2, linewidth=0)
        if len(points) == 1:
            axis.vlines(x, low, high, color=colour, linewidth=1.5)


def _axis(axis: Any, curves: Curves, places: Sequence[float]) -> None:
    axis.set_xscale("log")
    axis.set_xlim(min(places) / 1.2, max(places) * 1.2)
    if curves.budget == "trials":
        ticks = sorted({*places})
        axis.set_xticks(ticks, [f"{tick:,.0f}" for tick in ticks])
        axis.minorticks_off()
    else:
        show = joules if curves.budget == "energy" else "{:,.0f}".format
        axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: show(value)))


def _crossings(axis: Any, curves: Curves) -> None:
    """A ring where two curves cross; its interval as a bar."""
    for one in curves.asked_for:
        if one["at"] is None:
            continue
        at = one["at"]["mean"]
        height = 100 * float(curves.line(one["a"], np.array([at])).mean())
        edges = axis.get_xlim()
        low, high = (edge if one["at"][key] is None else one["at"][key] for key, edge in zip(("low", "high"), edges, strict=True))
        if len(curves.seeds) > 1 and not in_every_seed(one["at"]):
            axis.hlines(height, low, high, color=BLACK, linewidth=1, zorder=5)
        axis.plot(at, height, marker="o", markerfacecolor="none", markeredgecolor=BLACK, markersize=9, zorder=6, linestyle="")
