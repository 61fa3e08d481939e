"""The figures of `memory_recall`: accuracy and squared error of each memory against the number of pairs that it holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from plasticity.statistics import PERCENT
from simulations.figures.kinds import Layer, Page, Panel, level, line, log_x, means, note, page, panel
from simulations.figures.style import BLACK, BLUE, ORANGE, PURPLE, VERMILION, over_seeds

Arrays = Mapping[str, np.ndarray]
LOOKS: dict[str, dict[str, Any]] = {
    "spiking_memory": {"color": VERMILION, "linestyle": "-", "marker": "o", "markersize": 4, "label": "spiking memory (Brian2)"},
    "hebb_memory": {
        "color": ORANGE,
        "linestyle": "--",
        "marker": "s",
        "markersize": 4,
        "label": "Hebb, rates = linear attention",
    },
    "delta_memory": {"color": PURPLE, "linestyle": "-.", "marker": "^", "markersize": 4, "label": "delta rule"},
    "softmax_memory": {"color": BLUE, "linestyle": "-", "marker": "D", "markersize": 4, "label": "softmax attention, fixed"},
}


def accuracy(
    a: Arrays, memories: Sequence[str], pairs: Sequence[int], dimensions: Sequence[int], chance: float,
    added: Mapping[int, Sequence[Layer]],
) -> Page:  # fmt: skip
    """Accuracy against the number of pairs, one panel for each length of the keys; `added` are layers of some of them."""
    panels = []
    for i, d in enumerate(dimensions):
        shares = 100 * a["accuracy"][:, i].swapaxes(1, 2)  # (memories, seeds, pairs)
        layers = [means(pairs, share, PERCENT, **LOOKS[name]) for name, share in zip(memories, shares, strict=True)]
        layers += [*added.get(d, ()), level(100 * chance, linestyle=":", linewidth=1)]
        layers.append(note("chance", (1, 100 * chance), xytext=(2, 3), textcoords="offset points"))
        panels.append(_panel(layers, pairs, d, "" if i else "value recalled (% of test trials)", ylim=(0, 103)))
    fullest = next((i for i, d in enumerate(dimensions) if d in added), 0)
    told = over_seeds(a["accuracy"].shape[3])
    return page(panels, size=_size(panels), legend=4, legend_from=(0, fullest), caption=told, sharey=True)


def error(a: Arrays, memories: Sequence[str], pairs: Sequence[int], dimensions: Sequence[int], n: np.ndarray) -> Page:
    """Squared error of a recall against the number of pairs, with the law (n - 1)/d at these `n`."""
    panels = []
    for i, d in enumerate(dimensions):
        layers = [
            line(n, (n - 1) / d, color=BLACK, linewidth=1, label="law: (n \N{MINUS SIGN} 1)/d"),
            line(n, a["law_and_spikes"][i], color=BLACK, linestyle=":", linewidth=1.2, label="law and what spikes add"),
        ]
        for row, name in enumerate(memories):
            seen = a["error"][row, i].mean(axis=1) > 1e-5
            layers.append(means(np.array(pairs)[seen], a["error"][row, i][seen].T, **{**LOOKS[name], "linestyle": ""}))
        y = "" if i else "squared error |y \N{MINUS SIGN} v|², |v| = 1"
        panels.append(_panel(layers, pairs, d, y, yscale="log", ylim=(1e-4, 10)))
    told = over_seeds(a["error"].shape[3]) + "; errors below 0.0001 are not shown"
    return page(panels, size=_size(panels), legend=3, caption=told, sharey=True)


def _size(panels: Sequence[Panel]) -> tuple[float, float]:
    return (3.1 * len(panels) + 0.4, 3.9)


def _panel(layers: Sequence[Layer], pairs: Sequence[int], d: int, y: str, **axes: Any) -> Panel:
    return panel(*layers, x="pairs n", y=y, title=f"keys of length d = {d}", then=log_x(pairs, base=2), **axes)
