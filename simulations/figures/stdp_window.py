"""The figure of `stdp_window`: the change over the lag, simulated and by closed form, and that of the cells of Bi & Poo 1998."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from simulations.figures.kinds import Layer, Panel, either_side, level, line, moment, panel, small_title, span
from simulations.figures.style import BLACK, BLUE, ORANGE, VERMILION

Arrays = Mapping[str, np.ndarray]
BELOW = {"loc": "upper left", "bbox_to_anchor": (0, -0.16), "borderaxespad": 0}  # a legend covers nothing there


def weight_over_lag(a: Arrays, title: str, half: float) -> Panel:
    """The simulated window and, where there is one, the closed form; shaded beyond `half` a period, in ms."""
    far = np.abs(a["lag_ms"]).max()  # ms
    layers = [either_side(a["line_lag_ms"], a["line"], color=BLUE, label="closed form")] if "line" in a else []
    layers += [
        line(a["lag_ms"], a["simulated"], "o", markersize=4, color=VERMILION, label="simulated in Brian2"),
        small_title(title, wrap=70),
    ]
    if far > half:
        note = f"beyond half a period ({half:g} ms): nearer to a neighbouring pair"
        layers += [span(-far, -half, label=note), span(half, far)]
    return _over_lag(*layers, y="change of the weight (no unit)")


def cells_over_lag(a: Arrays, fits: Mapping[str, Mapping[str, float]], closest: float) -> Panel:
    """The cells, those nearer to 0 than `closest` ms apart, and the window fitted to the others."""
    at, words = a["cells_lag_ms"], "window, fitted by least squares:"
    for name, fit in fits.items():
        words += f"\n{name} {fit['value']:.4f}, 95 % interval {fit['low']:.4f} to {fit['high']:.4f}"
    layers = [
        line(at[inside], a["cells_change"][inside], "o", markersize=4, color=colour, markerfacecolor="none", label=label)
        for inside, colour, label in (
            (np.abs(at) >= closest, BLACK, "one cell each"),
            (np.abs(at) < closest, ORANGE, f"within {closest:g} ms of 0, not in the fit"),
        )
    ]
    layers.append(either_side(a["line_lag_ms"], a["cells_line"], color=BLUE, label=words))
    layers.append(small_title("measured: Bi & Poo 1998, 60 pairs at 1 Hz"))
    return _over_lag(*layers, y="relative change of the synaptic current", xlim=(-105, 105))


def _over_lag(*layers: Layer, **told: Any) -> Panel:
    return panel(level(0), moment(0), *layers, x="lag $t_\\mathrm{post} - t_\\mathrm{pre}$ (ms)", legend=BELOW, **told)
