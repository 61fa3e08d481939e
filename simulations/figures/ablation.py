"""The figure of an ablation, drawn from its records."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from plasticity.ablations import INTACT
from plasticity.statistics import finite, told_ends
from simulations.figures.style import BLUE, GREY, ONE_SEED, VERMILION, caption, new, style

if TYPE_CHECKING:
    from bridges.comparison import Comparison


def ablations(comparison: Comparison) -> Figure:
    """Test accuracy of the learner as it is and without each ingredient: seeds as dots, the mean with its 95 % interval, both
    in figures on the right (no interval where all seeds agree); the band is the interval of the learner as it is.
    """
    names = comparison.learners
    with style():
        figure, axes = new(7.6, 1.4 + 0.34 * len(names))
        axis = axes[0, 0]
        for row, name in enumerate(names):
            colour = VERMILION if name == INTACT else BLUE
            values, (low, high) = 100 * comparison.numbers(name, "accuracy"), comparison.intervals[name]
            axis.scatter(values, np.full(len(values), row + 0.2), s=10, color=colour, alpha=0.5, linewidths=0, zorder=2)
            bar = [[values.mean() - 100 * low], [100 * high - values.mean()]] if math.isfinite(low) else None
            axis.errorbar(
                values.mean(),
                row - 0.1,
                xerr=bar,
                color=colour,
                marker="|",
                markersize=9,
                markeredgewidth=1.5,
                capsize=2,
                zorder=3,
            )
            told = told_ends({"low": finite(low), "high": finite(high)})
            axis.annotate(
                f"{values.mean():.1f} {told}",
                (1, row),
                (6, 0),
                ("axes fraction", "data"),
                "offset points",
                va="center",
                fontsize=8,
            )
            if name == INTACT:
                axis.axvline(values.mean(), color=colour, linewidth=0.8, zorder=1)
                if math.isfinite(low):
                    axis.axvspan(100 * low, 100 * high, color=colour, alpha=0.12, linewidth=0, zorder=0)
        axis.axvline(100 * comparison.chance, color=GREY, linestyle=":", linewidth=1, zorder=1)
        axis.annotate(
            "chance", (100 * comparison.chance, 1), xycoords=("data", "axes fraction"), xytext=(0, 3),
            textcoords="offset points", ha="center", fontsize=8,
        )  # fmt: skip
        axis.set_yticks(range(len(names)), [name.replace("_", " ") for name in names])
        axis.set_ylim(len(names) - 0.4, -0.6)
        axis.set_xlim(-2, 103)  # marks at 0 and 100 are seen whole
        axis.set_xlabel("test accuracy (%)")
        learner = comparison.configuration["ablates"]["learner"]
        seeds = len(comparison.seeds)
        told = ONE_SEED if seeds < 2 else f"mean [95 % interval] over {seeds} seeds; dots: seeds, [-]: no interval"
        caption(figure, f"{learner} on {comparison.task}: {told}")
    return figure
