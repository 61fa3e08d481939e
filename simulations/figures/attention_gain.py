"""The figures of `attention_gain`: two groups of synapses under a gain, in seven conditions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from simulations.figures.kinds import (
    Page,
    Panel,
    for_each,
    histogram,
    keyed,
    level,
    means,
    page,
    panel,
    seeds_and_mean,
    small_title,
)  # fmt: skip
from simulations.figures.style import BLACK, BLUE, GREEN, ORANGE, PURPLE, SKY, VERMILION, over_seeds

LOOKS: dict[str, dict[str, Any]] = {
    "attention": {"color": VERMILION, "linestyle": "-", "marker": "o"},
    "mean_only": {"color": SKY, "linestyle": "-", "marker": "X"},
    "redistributed": {"color": BLUE, "linestyle": "-", "marker": "D"},
    "equal_gain": {"color": BLACK, "linestyle": "--", "marker": "v"},
    "shuffled": {"color": PURPLE, "linestyle": "-.", "marker": "^"},
    "learning_gate": {"color": ORANGE, "linestyle": "--", "marker": "s"},
    "uncorrelated": {"color": GREEN, "linestyle": ":", "marker": "P"},
}
GROUPS = {
    "attended": {"color": VERMILION, "linestyle": "-", "marker": "o"},
    "ignored": {"color": BLUE, "linestyle": "--", "marker": "s"},
}
GAIN, WEIGHT = "gain g (no unit)", "mean weight (no unit)"
SHARED: dict[str, Any] = {"outer": True, "sharey": True}


def dose_response(gains: Sequence[float], difference: np.ndarray) -> Page:
    """Mean weight, attended minus ignored, against the gain, (conditions, gains, seeds): one line for each condition."""
    beside = np.array(gains) + 0.03 * (np.arange(len(LOOKS)) - (len(LOOKS) - 1) / 2)[:, None]
    drawn = panel(
        level(0, linewidth=1, zorder=1),
        *for_each(means, LOOKS, beside, difference.swapaxes(1, 2), markersize=5, zorder=3),
        x=GAIN, y="mean weight, attended minus ignored (no unit)", xticks=gains,
    )  # fmt: skip
    look = {"loc": "outside right upper"}
    return page([drawn], size=(7.0, 4.2), legend=1, legend_look=look, caption=over_seeds(difference.shape[2]))


def weights(gains: Sequence[float], found: np.ndarray) -> Page:
    """Mean weight of each group against the gain, (conditions, gains, seeds, groups): one panel for each condition."""

    def one(condition: str, rows: np.ndarray) -> Panel:
        both = for_each(partial(means, gains), GROUPS, rows.T, markersize=4)
        return panel(*both, x=GAIN, y=WEIGHT, title=condition.replace("_", " "), ylim=(0, 1), xticks=gains)

    panels = keyed([one(*named) for named in zip(LOOKS, found, strict=True)], "lower left")
    return page(panels[:4], panels[4:], size=(9.0, 4.6), caption=over_seeds(found.shape[2]), sharex=True, **SHARED)


def time_course(gains: Sequence[float], history: np.ndarray) -> Page:
    """Mean weight of each group over time, (gains, seeds, seconds, groups): one panel for each gain."""
    _, seeds, seconds, _ = history.shape

    def one(gain: float, rows: np.ndarray) -> Panel:
        both = for_each(partial(seeds_and_mean, np.arange(seconds)), GROUPS, np.moveaxis(rows, -1, 0), marker="")
        return panel(*both, x="time (s)", y=WEIGHT, title=f"gain {gain:g}", ylim=(0, 1))

    thin = {"title": f"thin: each of {seeds} seeds,\nthick: their mean", "title_fontsize": 7, "loc": "lower left"}
    panels = [one(*named) for named in zip(gains, history, strict=True)]
    return page(keyed(panels, thin), size=(_wide(gains), 2.8), **SHARED)


def distributions(gains: Sequence[float], found: Mapping[str, np.ndarray]) -> Page:
    """The weights at the end, all seeds together, (gains, seeds, groups, inputs): a row for each of these conditions."""

    def one(condition: str, gain: float, rows: np.ndarray) -> Panel:
        both = for_each(partial(histogram, edges=np.linspace(0, 1, 21)), GROUPS, rows.swapaxes(0, 1))
        title = small_title(f"{condition.replace('_', ' ')}, g = {gain:g}")
        return panel(title, *both, x="weight at the end\n(no unit)", y="share of synapses")

    rows = [[one(c, *named) for named in zip(gains, rows, strict=True)] for c, rows in found.items()]
    seeds = np.shape(next(iter(found.values())))[1]
    told = f"all synapses of {seeds} seeds together" if seeds > 1 else "the synapses of one seed"
    return page(*rows, size=(_wide(gains), 4.6), legend=2, caption=told, sharex=True, **SHARED)


def _wide(gains: Sequence[float]) -> float:
    return max(4.0, 1.9 * len(gains))
