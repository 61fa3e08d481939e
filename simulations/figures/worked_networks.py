"""The figures of `worked_examples` that are of one network: searches, attacks, sizes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from plasticity.statistics import PERCENT, interval
from simulations.figures.kinds import Page, band, columns, level, means, page, panel
from simulations.figures.style import BLACK, BLUE, GREEN, GREY, ORANGE, SKY, VERMILION, over_seeds
from simulations.figures.worked import COLOURS


def searches(
    scores: Mapping[str, tuple[np.ndarray, np.ndarray]], fits: np.ndarray, epochs: np.ndarray, accuracy: np.ndarray, shared: float
) -> Page:
    """Of each search epochs spent and scores (seeds, settings); fits, epochs and accuracy (seeds, searches)."""
    colours = dict(zip(scores, (BLACK, BLUE, VERMILION), strict=True))
    best = [
        band(spent.mean(axis=0), np.maximum.accumulate(found, axis=1), color=colours[name], linestyle=stroke, label=name)
        for (name, (spent, found)), stroke in zip(scores.items(), ("--", "-.", "-"), strict=True)
    ]
    names, shades = list(scores), list(colours.values())
    reached = [f"{name}\n{np.isfinite(row).sum()} of {len(row)}" for name, row in zip(names, fits.T, strict=True)]
    known = [[row[np.isfinite(row)] if np.isfinite(row).any() else row[:1] for row in rows.T] for rows in (fits, epochs)]
    ends = [interval(row, shared=shared, within=(0, 1)) for row in accuracy.T]
    return page([
        panel(*best, x="epochs spent", y="best score seen so far", title="searches", legend="lower right", ylim=(0, 1)),
        panel(columns(reached, known[0], shades), y="fits (below: seeds)", title="to 95 % of the best", ylim=(0, None)),
        panel(columns(reached, known[1], shades), y="epochs (below: seeds)", title="to 95 % of the best", ylim=(0, None)),
        panel(columns(names, list(accuracy.T), shades, ends=ends), y="right on test rows", title="what they choose"),
    ], size=(12.0, 3.6), caption="small: each seed; " + over_seeds(len(accuracy)))  # fmt: skip


def attacked(eps: Sequence[float], attacks: Sequence[str], networks: Sequence[str], found: np.ndarray, shared: float) -> Page:
    """Accuracy (seeds, attacks, networks, eps)."""
    titles = {"noise": "random signs", "fgsm": "FGSM on plain", "pgd": "PGD on plain", "own": "PGD on itself"}
    looks = ((BLUE, "-", "s"), (SKY, "--", "D"), (GREEN, "-.", "^"), (VERMILION, "-", "o"), (ORANGE, "--", "v"))
    panels = []
    for k, attack in enumerate(attacks):
        lines = [
            means(
                np.array(eps) + 0.003 * (n - 2),
                100 * found[:, k, n],
                PERCENT,
                shared,
                color=colour,
                linestyle=stroke,
                marker=marker,
                markersize=4,
                label=name.replace("_", " "),
            )
            for n, (name, (colour, stroke, marker)) in enumerate(zip(networks, looks, strict=True))
        ]
        panels.append(
            panel(
                level(10, linestyle=":", label="chance"),
                *lines,
                x="largest change of a pixel",
                y="test scans answered rightly (%)",
                title=titles[attack],
                ylim=(0, 103),
            )
        )
    return page(panels, size=(12.0, 3.8), legend=6, caption=over_seeds(len(found)), outer=True, sharey=True)


def compressed(
    pruned: Sequence[float],
    bits: Sequence[int],
    ways: Sequence[str],
    sides: Sequence[str],
    pruning: np.ndarray,
    quantisation: np.ndarray,
    adapters: np.ndarray,
    sizes: np.ndarray,
    shared: float,
) -> Page:
    """Accuracy of pruned (seeds, sides, by magnitude or not, shares), quantised (seeds, sides, bits), adapted (seeds, ways)."""
    lines, others = [], []
    for s, side in enumerate(sides):
        for r, (how, stroke) in enumerate((("by magnitude", "-"), ("at random", ":"))):
            look: dict[str, Any] = {"color": COLOURS[side], "linestyle": stroke, "marker": "os"[r], "markersize": 4}
            lines.append(
                means(
                    100 - 100 * np.array(pruned) + 0.5 * s,
                    100 * pruning[:, s, r],
                    PERCENT,
                    shared,
                    label=f"{side}, {how}",
                    **look,
                )
            )
        others.append(
            means(
                np.array(bits) + 0.08 * s, 100 * quantisation[:, s], PERCENT, shared, color=COLOURS[side], marker="o", label=side
            )
        )
    chance, y = level(10, linestyle=":", label="chance"), "test scans answered rightly (%)"
    at = np.maximum(sizes, 100)  # none learns of a frozen one, which stands at the left edge
    marks = [
        means(at[k : k + 1], 100 * adapters[:, k : k + 1], PERCENT, shared, color=colour, marker=marker, linestyle="", label=name)
        for k, (name, colour, marker) in enumerate(
            zip(ways, (GREY, BLACK, *[BLUE] * (len(ways) - 3), VERMILION), ("X", "s", *"ovD^"[: len(ways) - 3], "P"), strict=True)
        )
    ]
    beneath = {"loc": "lower left", "bbox_to_anchor": (0, 0.11), "fontsize": 7}  # above the line of chance
    return page([
        panel(chance, *lines, x="weights left (%)", y=y, title="pruning", ylim=(0, 103), legend=beneath, xlim=(103, 0)),
        panel(
            chance, *others, x="bits of a weight", y=y, title="quantisation", ylim=(0, 103), legend=beneath,
            then=lambda axis: axis.invert_xaxis(),
        ),
        panel(
            chance, *marks, x="numbers that learn (none: at 100)", y=y, title="turned scans, frozen network", ylim=(0, 103),
            xscale="log", legend={**beneath, "loc": "lower right", "bbox_to_anchor": (1, 0.11)},
        ),
    ], size=(11.4, 3.8), caption=over_seeds(len(pruning)))  # fmt: skip
