"""Figures of networks that learn from images without labels: their course, fields, what neurons stand for, how many spikes.

What is known of each seed comes as a list of arrays, one a seed; a course is the images shown so far and values there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from simulations.figures.kinds import Layer, Page, Panel, level, line, moment, page, panel, tiles
from simulations.figures.style import BLACK, BLUE, ORANGE, SKY, VERMILION

MOST_FIELDS = 100  # receptive fields that are drawn


def courses(*quantities: Sequence[np.ndarray]) -> list[list[np.ndarray]]:
    """Of each seed its courses, without the short blocks at the end of a pass; the first quantity is the images shown so far."""
    found = []
    for columns in zip(*quantities, strict=True):
        step = np.diff(columns[0], prepend=0)
        whole = 2 * step >= np.median(step) if len(step) else np.zeros(0, bool)
        found.append([column[whole] for column in columns])
    return found


def learning(
    course: Sequence[Sequence[np.ndarray]],
    end: float,
    tests: Mapping[str, Mapping[str, Any]],
    before: Mapping[str, Any] | None,
    *levels: Layer,
) -> Panel:
    """Right answers while it learns, a line a seed, and at the `end`, in images, those of the tests.

    `tests` are mean, low and high of two readouts by their titles; `before` are those of the first one before learning.
    """
    layers = [line(trials, 100 * right, color=SKY, linewidth=0.9, label=None) for trials, right in course]
    layers.append(line([], [], color=SKY, linewidth=0.9, label="training images, neurons named by those before; one line a seed"))
    looks = ((1.04, VERMILION, "o"), (1.07, BLUE, "s"))
    for k, ((title, found), (x, colour, marker)) in enumerate(zip(tests.items(), looks, strict=True)):
        mean, low, high = (100 * found[key] for key in ("mean", "low", "high"))
        layers.append(line([x * end, x * end], [low, high], color=colour, linewidth=2))
        layers.append(line([x * end], [mean], marker, color=colour, markersize=5, label=f"test, {title}: {mean:.1f} %"))
        if k == 0 and before is not None:
            layers.append(
                level(100 * before["mean"], color=BLACK, linestyle="-.", linewidth=1, label="before learning (control)")
            )
    return panel(*layers, *levels, x="images shown", y="right answers (%)", ylim=(0, 100), xlim=(0, None))


def receptive_fields(weights: np.ndarray, classes: np.ndarray, what: str, whose: str) -> Page:
    """The weights (inputs, neurons) onto each neuron as an image, named by its class and in their order."""
    chosen = np.linspace(0, len(classes) - 1, min(MOST_FIELDS, len(classes))).round().astype(int)
    order = np.argsort(classes, kind="stable")[chosen]
    fields = tiles(weights.T[order].reshape(len(order), int(np.sqrt(len(weights))), -1), classes[order])
    number = f"all {len(classes)}" if len(order) == len(classes) else f"{len(order)} of {len(classes)}"
    caption = f"weights onto {number} neurons, and the {what} of each; {whose}"
    return page([panel(fields)], size=(6.4, 6.2), bar="weight (no unit)", bar_look={"shrink": 0.7}, caption=caption)


def assignment(classes: Sequence[np.ndarray], number: int, what: str, whose: str) -> Page:
    """How many neurons stand for each class: the mean as a bar, a dot a seed."""
    counts = np.stack([np.bincount(belongs, minlength=number) for belongs in classes])  # (seeds, classes)
    apart = np.linspace(-0.2, 0.2, len(counts)) if len(counts) > 1 else np.zeros(1)
    drawn = panel(
        lambda axis: axis.bar(range(number), counts.mean(axis=0), color=SKY, width=0.7) and None,
        line((np.arange(number) + apart[:, None]).ravel(), counts.ravel(), "o", color=BLACK, markersize=3),
        level(len(classes[0]) / number, linestyle=":", linewidth=1.5, label="an equal share"),
        x=what, y="neurons that stand for it", legend="upper right", xticks=range(number), ylim=(0, 1.25 * counts.max()),
    )  # fmt: skip
    return page([drawn], size=(6.0, 3.6), caption=f"{whose}; bars: mean, dots: one a seed")


def spikes(course: Sequence[Sequence[np.ndarray]], tested: Sequence[np.ndarray]) -> list[Panel]:
    """Spikes of all neurons at an image and its intensity over training, a line a seed; and the spikes in the test."""
    pooled = np.concatenate(tested)
    top = int(np.percentile(pooled, 99.5)) + 2
    bins = np.arange(-0.5, top + 1, max(1, top // 40))
    answered = [line(trials, fired, color=SKY, linewidth=1) for trials, fired, _ in course]
    bright = [line(trials, intensity, color=ORANGE, linewidth=1) for trials, _, intensity in course]
    shown: dict[str, Any] = {"x": "images shown", "xlim": (0, None), "ylim": (0, None)}
    shown["then"] = lambda axis: axis.locator_params(axis="x", nbins=4)
    return [
        panel(*answered, y="spikes at an image", title="in training, one line a seed", **shown),
        panel(*bright, y="intensity at the answer", title="raised where spikes are few", **shown),
        panel(
            lambda axis: axis.hist(pooled, bins=bins, color=VERMILION) and None,
            moment(5, linestyle=":", linewidth=1.5, label="fewer than 5: shown again"),
            x="spikes at an image", y="test images", title="in the test, all seeds", legend="upper right",
        ),
    ]  # fmt: skip
