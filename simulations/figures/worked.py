"""The figures of `worked_examples`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from plasticity.statistics import ANY, PERCENT
from simulations.figures.kinds import Layer, Page, Panel, band, level, line, means, page, panel
from simulations.figures.style import BLACK, BLUE, GREEN, GREY, ORANGE, PURPLE, SKY, VERMILION, over_seeds

SHADES = (BLUE, GREEN, ORANGE, VERMILION, PURPLE, BLACK)
COLOURS = {"gradient": BLUE, "torch": BLUE, "spiking": VERMILION, "local": VERMILION}
STROKES = ("-", "--", "-", "--", ":", "-.")


def descent(
    scores: np.ndarray,
    shares: Mapping[str, np.ndarray],
    stated: Sequence[float],
    losses: np.ndarray,
    bound: np.ndarray,
    near: Sequence[float],
    texts: Sequence[float],
) -> Page:
    """Shares of weights by kind, and losses (seeds, raw or not, steps tried, descent steps + 1) of the first seed."""

    def bars(axis: Any) -> None:
        rows = {**{f"{kind} weights": row for kind, row in shares.items()}, "the text": np.array(stated)}
        for k, ((name, row), colour, hatch) in enumerate(zip(rows.items(), (SKY, BLUE, GREY), ("", "", "//"), strict=True)):
            drawn = axis.bar(scores + 0.28 * (k - 1), row, 0.26, color=colour, label=name, hatch=hatch, edgecolor="white")
            axis.bar_label(drawn, fmt="%.3g", fontsize=6)
        axis.set_xticks(scores)

    left = panel(bars, x="score", y="share of the weights", title="weights of (1, 2, 3)", legend="upper left", ylim=(0, 0.8))
    names = [*(f"{share:g} of 2/λ" for share in near), *(f"step {eta:g}" for eta in texts)]
    curves: list[Panel] = []
    for k, title in enumerate(("raw features", "standardised features")):
        lines = [
            line(
                np.arange(losses.shape[-1]),
                np.where(row < 1e12, row, np.nan),
                color=SHADES[n % 6],
                linestyle=STROKES[n % 6],
                label=name,
            )
            for n, (row, name) in enumerate(zip(losses[0, k], names, strict=True))
        ]
        curves.append(
            panel(
                *lines,
                x="step",
                y="mean squared error / 2",
                title=f"{title}: 2/λ = {bound[k]:.2g}",
                yscale="log",
                ylim=(1e-3, 1e12),
            )
        )
    return page(
        [left, *curves],
        size=(10.4, 3.8),
        legend=6,
        legend_from=(0, 1),
        caption="descents of one seed; a line that leaves the panel diverges",
    )


def classifiers(
    kinds: Sequence[str], sides: Sequence[str], scores: np.ndarray, looks: np.ndarray, losses: np.ndarray, printed: float
) -> Page:
    """Scores (seeds, kinds, sides, scores: training and held-out first), and losses (seeds, kinds, parts, looks and the end)."""
    names = [kind.replace("_", "\n") for kind in kinds]
    panels = []
    for s, side in enumerate(sides):
        parts = [
            panel_columns(names, 100 * scores[:, :, s, part], colour, marker, shift, label)
            for part, (colour, marker, shift, label) in enumerate(
                ((GREY, "s", -0.15, "training rows"), (COLOURS[side], "o", 0.15, "held-out rows"))
            )
        ]  # fmt: skip
        panels.append(panel(
            level(50, linestyle=":", label="chance"), level(100 * printed, color=BLACK, linestyle="--", label="the text"),
            *parts, y="rows answered rightly (%)", title=side, ylim=(35, 103), legend={"loc": "lower right", "fontsize": 6},
        ))  # fmt: skip
    at = np.append(looks + 1, looks[-1] + 2)
    curves = [
        band(at, losses[:, k, part], color=colour, linestyle=stroke, label=f"{kinds[k]}, {name}".replace("_", " "))
        for k, colour in ((0, VERMILION), (1, BLUE), (3, GREEN))
        for part, (stroke, name) in enumerate((("--", "training"), ("-", "held-out")))
    ]
    panels.append(
        panel(
            *curves,
            level(np.log(2), linestyle=":"),
            x="step of descent",
            y="cross-entropy (nats)",
            title="gradient",
            xscale="log",
            yscale="log",
            legend={"fontsize": 6},
        )
    )
    return page(panels, size=(12.0, 4.0), caption=over_seeds(len(scores)) + "; dotted in the last panel: a coin")


def panel_columns(names: Sequence[str], values: np.ndarray, colour: str, marker: str, shift: float, label: str) -> Layer:
    """Means (seeds, places) beside those of another condition, with their intervals."""
    at = np.arange(len(names)) + shift

    def draw(axis: Any) -> None:
        means(at, values, PERCENT, color=colour, marker=marker, linestyle="", label=label)(axis)
        axis.set_xticks(range(len(names)), list(names), fontsize=7)

    return draw


def gates(
    prices: Sequence[float],
    sides: Sequence[str],
    names: Sequence[str],
    right: np.ndarray,
    gated: np.ndarray,
    reward: np.ndarray,
    shared: float,
) -> Page:
    """Right answers, share attended and reward of each gate, (seeds, sides, gates, prices)."""
    looks = dict(
        zip(
            names,
            (
                (VERMILION, "-", "o"),
                (BLUE, "--", "s"),
                (SKY, ":", "D"),
                (BLACK, "-.", "^"),
                (GREY, "--", "v"),
                (GREEN, (0, (4, 1, 1, 1, 1, 1)), "P"),
            ),
            strict=True,
        )
    )
    rows = []
    for s, side in enumerate(sides):
        panels = []
        for values, y, possible in (
            (100 * gated, "trials attended (%)", PERCENT),
            (100 * right, "test trials answered rightly (%)", PERCENT),
            (reward, "right minus price", ANY),
        ):
            lines = [
                means(
                    np.array(prices) + 0.011 * (g - 2.5),
                    values[:, s, g],
                    possible,
                    shared,
                    color=colour,
                    linestyle=stroke,
                    marker=marker,
                    markersize=4,
                    label=name,
                )
                for g, (name, (colour, stroke, marker)) in enumerate(looks.items())
            ]
            panels.append(panel(*lines, x="price of attention (right answers)", y=y, title=side))
        rows.append(panels)
    return page(*rows, size=(10.4, 6.0), legend=6, caption=over_seeds(len(right)))


def disturbed(
    sizes: Mapping[str, Sequence[float]],
    sides: Sequence[str],
    ways: Sequence[str],
    found: Mapping[str, np.ndarray],
    chance: float,
    shared: float,
) -> Page:
    """Accuracy (seeds, sides, ways, sizes) against the size of each disturbance."""
    looks = dict(zip(ways, ((BLACK, ":", "s"), (BLUE, "--", "D"), (VERMILION, "-", "o")), strict=True))
    labels = {"noise": "noise (spreads of a measure)", "missing": "missing values (%)", "outlying": "outlying values (%)"}
    rows = []
    for s, side in enumerate(sides):
        panels = []
        for what, given in sizes.items():
            scale = 1.0 if what == "noise" else 100.0
            width = 0.012 * scale * max(given)
            lines = [
                means(
                    scale * np.array(given) + width * (w - 1),
                    100 * found[what][:, s, w],
                    PERCENT,
                    shared,
                    color=colour,
                    linestyle=stroke,
                    marker=marker,
                    label=name,
                )
                for w, (name, (colour, stroke, marker)) in enumerate(looks.items())
            ]
            panels.append(
                panel(
                    level(chance, linestyle=":", label="the larger class"),
                    *lines,
                    x=labels[what],
                    y="right (%)",
                    title=side,
                    ylim=(45, 101),
                )
            )
        rows.append(panels)
    return page(*rows, size=(9.6, 6.0), legend=4, caption=over_seeds(len(next(iter(found.values())))), sharey=True)
