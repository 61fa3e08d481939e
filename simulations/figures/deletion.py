"""What it costs to take attended words out of texts, beside random ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.lines import Line2D

from bridges.comparison.reading import deletion as told
from simulations.figures.style import BLACK, looks_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from bridges.comparison import Comparison

ACROSS = 3  # panels in a row
LOOKS: dict[str, tuple[str, dict[str, Any], float]] = {  # what is said of the words, line and mark, how far it stands aside
    "attended": ("the most attended", {"linestyle": "-", "fillstyle": "full"}, -0.12),
    "chi_square": ("of largest chi-square", {"linestyle": "--", "fillstyle": "left"}, 0.0),
    "random": ("drawn at random", {"linestyle": ":", "fillstyle": "none"}, 0.12),
}


def deletion(comparison: Comparison) -> Figure | None:
    """Fall of the accuracy when the most attended words of each text are taken out, those of largest chi-square, random ones.

    Bars: 95 % intervals over seeds. A panel for each learner that reads words; attended words of naive Bayes and logistic
    regression are those that speak most for the answer, and one without attention has none.
    """
    rows = told(comparison)
    names = list(dict.fromkeys(row["learner"] for row in rows))
    if not names:
        return None
    things, whole = ("items", "history") if comparison.task == "next_item" else ("words", "text")
    across = min(ACROSS, len(names))
    down = -(-len(names) // across)
    size = (3.0 * across + 0.6, 2.4 * down + 0.4)
    figure, axes = plt.subplots(down, across, figsize=size, sharex=True, sharey=True, squeeze=False)
    looks = looks_of(comparison)
    for axis, name in zip(axes.flat, names, strict=False):
        colour, _, marker = looks[name]
        mine = [row for row in rows if row["learner"] == name]
        place = np.arange(len(mine))
        for which, (_, drawn, aside) in LOOKS.items():
            if mine[0][which] is None:
                continue
            mean, low, high = (
                np.array([np.nan if row[which][end] is None else 100 * row[which][end] for row in mine])
                for end in ("mean", "low", "high")
            )
            ends = np.nan_to_num(np.maximum([mean - low, high - mean], 0))  # seeds that are alike, but for rounding
            axis.errorbar(place + aside, mean, ends, color=colour, marker=marker, capsize=2, markersize=5, linewidth=1.2, **drawn)
        axis.axhline(0, color="0.6", linewidth=0.8, zorder=0)
        axis.set_title(name.replace("_", " "), fontsize=8)
        axis.set_xticks(place, [str(row["removed"]) for row in mine])
    for axis in axes.flat[len(names) :]:
        axis.set_visible(False)
    for column in range(across):
        last = axes[(len(names) - 1 - column) // across, column]
        last.set_xlabel(f"{things} taken out of each {whole}")
        last.tick_params(labelbottom=True)
    for row in axes:
        row[0].set_ylabel("fall of accuracy (points)")
    there = [LOOKS[which] for which in LOOKS if any(row[which] is not None for row in rows)]
    made = [Line2D([], [], color=BLACK, marker="o", markersize=5, label=label, **drawn) for label, drawn, _ in there]
    figure.legend(
        handles=made,
        loc="upper center",
        ncols=len(made),
        fontsize=8,
        frameon=False,
        title=f"{things} taken out",
        title_fontsize=8,
    )
    figure.tight_layout(rect=(0, 0, 1, 1 - 0.5 / figure.get_figheight()))
    return figure
