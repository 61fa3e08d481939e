"""The figures of `voltage_frequency`: the weight over the frequency of pairs, and one burst from the inside."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from plasticity.networks.voltage_pairs import FIRST_STEP, W_START, bursts
from plasticity.rules import voltage_stdp
from simulations.figures.kinds import Layer, Page, Panel, level, line, measured, page, panel
from simulations.figures.style import BLACK, BLUE, GREEN, GREY, ORANGE, PURPLE, VERMILION

Arrays = Mapping[str, np.ndarray]


def frequency(a: Arrays, sign: int) -> Panel:
    """Weight over the frequency of pairs: rule, data, and what the paper's text would give."""
    side = np.sign(a["lag_ms"]) == sign
    x, colour, title = (
        a["frequency_hz"][side],
        BLUE if sign > 0 else VERMILION,
        "pre before post" if sign > 0 else "post before pre",
    )

    def curve(name: str, look: str, label: str, **more: Any) -> Layer:
        return line(x, a[name][side], look, label=label, **more)

    layers = [level(100), curve("authors", "o-", "voltage rule, authors' protocol", color=colour, markersize=4)]
    if sign < 0:  # at a positive lag the same
        layers.append(curve("five_pairs", ":", "five postsynaptic spikes, not six", color=PURPLE))
    return panel(
        *layers,
        curve("adaptation", "-.", "adaptation b = 80.5 pA", color=GREEN, linewidth=1.1),
        curve("pair_rule", "--", "best pair rule", color=ORANGE),
        measured(x, a["data"][side], a["sem"][side], fmt="s", capsize=3, label="measured, mean and sem"),
        x="frequency of pairs (Hz)", y="weight after the protocol (% of start)", ylim=(20, 240), legend="upper left",
        title=f"{title}, {10 * sign:+d} ms".replace("-", "\N{MINUS SIGN}"),
    )  # fmt: skip


def burst(a: Arrays) -> Page:
    """Membrane, low-passes and weight during the first burst at 20 Hz."""
    low, high = (float(voltage_stdp.parameters[name]) * 1e3 for name in ("theta_minus", "theta_plus"))
    time = np.arange(len(a["v"])) + FIRST_STEP
    legend = {"loc": "upper right", "ncols": 3, "columnspacing": 1.2, "handletextpad": 0.5, "handlelength": 1.6}
    columns = []
    for k, lag in enumerate((10, -10)):
        pre, post = (side.steps() + FIRST_STEP for side in bursts(lag, 20.0))
        spikes = [
            line(inside, np.full(len(inside), 62), marker, color=colour, markersize=5, label=text)
            for times, marker, colour, text in (
                (pre, "v", BLUE, "presynaptic spike"),
                (post, "^", VERMILION, "postsynaptic current"),
            )
            for inside in [times[times < time[-1]]]
        ]
        top = panel(
            line(time, 1e3 * a["v"][:, k], color=BLACK, linewidth=1),
            level(high, linestyle="--", linewidth=1, label="$\\theta_+$"),
            *spikes,
            y="membrane (mV)", ylim=(-80, 125), legend=None if k else legend,
            title=f"lag {lag:+d} ms, 20 Hz, first burst".replace("-", "\N{MINUS SIGN}"),
        )  # fmt: skip
        middle = panel(
            line(time, 1e3 * a["u_minus"][:, k] + low, color=VERMILION, linewidth=1.2, label="$\\bar u_-$"),
            line(time, 1e3 * a["u_plus"][:, k] + low, "-.", color=BLUE, linewidth=1.2, label="$\\bar u_+$"),
            level(low, linestyle="--", linewidth=1, label="$\\theta_-$"),
            y="low-passes, 3 ms late (mV)", ylim=(-75, -15), legend=None if k else legend,
        )  # fmt: skip
        weight = line(time, 100 * a["w_watched"][:, k] / W_START, color=GREEN)
        columns.append((top, middle, panel(weight, level(100, color=GREY), x="time (ms)", y="weight (% of start)")))
    return page(
        *zip(*columns, strict=True), size=(8.4, 6.0), sharex=True, sharey="row", outer=True,
        caption="simulated here with five spikes on each side; "
        "at \N{MINUS SIGN}10 ms the authors' program has six postsynaptic ones",
    )  # fmt: skip
