"""Figures of the activity of a recurrent network before, while and after its weights change, for several target rates.

Arrays are those of `plasticity.balance.activity`, the target rates first, then the seeds; `looks` are colour and line style of
each target rate by its name, which begins with "target".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from plasticity.balance import Stretches
from simulations.figures.kinds import (
    Layer,
    Page,
    Panel,
    band,
    for_each,
    level,
    line,
    moment,
    page,
    panel,
    share,
    span,
    steps_band,
)
from simulations.figures.style import BLACK, BLUE, VERMILION

Looks = Mapping[str, Mapping[str, Any]]


def targets(layer: Any, looks: Looks, rates: Sequence[float]) -> list[Layer]:
    """The target rates as thin lines, `level` or `moment`."""
    return for_each(layer, looks, rates, linestyle=":", linewidth=1, label="")


def rasters(a: Mapping[str, np.ndarray], caption: str) -> Page:
    """Spikes of some excitatory neurons, and both population rates in bins of 1 ms, before and after learning."""
    sides = [_raster(a, name) for name in ("before", "after")]
    look: dict[str, Any] = {"sharex": True, "height_ratios": [2, 1]}
    return page(*zip(*sides, strict=True), size=(7.2, 4.8), legend=2, legend_from=(1, 0), caption=caption, **look)


def _raster(a: Mapping[str, np.ndarray], name: str) -> tuple[Panel, Panel]:
    (when, which), first = a[f"raster_{name}"], name == "before"
    rates = [
        line(np.arange(len(rate)) + 0.5, rate, color=colour, linestyle=stroke, linewidth=0.9, label=label)
        for kind, colour, stroke, label in (("E", BLUE, "-", "excitatory"), ("I", VERMILION, "--", "inhibitory"))
        for rate in [a[f"raster_rate_{kind}_{name}"]]
    ]
    length = len(a[f"raster_rate_E_{name}"])  # before learning, so many spikes that fewer ms are clear
    shown: dict[str, Any] = {"xlim": (length / 2, length)}
    spikes = line(1000 * when, which, ".", markersize=1.5, color=BLACK)
    return (
        panel(spikes, y="excitatory neuron" if first else "", title=f"{name} learning, weights held", **shown),
        panel(*rates, x="time (ms)", y="population rate (Hz)" if first else "", ylim=(0, None), **shown),
    )


def time_course(
    a: Mapping[str, np.ndarray], looks: Looks, rates: Sequence[float], irregular: float, parts: Stretches, caption: str
) -> Page:
    """Rates, irregularity, synchrony and the mean plastic weight over time; mean and 95 % interval over seeds."""
    seconds, middle = np.arange(a["rate_E"].shape[2]) + 0.5, (a["windows"][1:] + a["windows"][:-1]) / 2
    within, between = partial(band, seconds, alpha=0.25), partial(band, seconds + 0.5, alpha=0.25)  # a second, two of them
    both = [{f"{kind}, {name}": look for name, look in looks.items()} for kind in ("excitatory", "inhibitory")]
    rate = [*for_each(within, both[0], a["rate_E"]), *for_each(within, both[1], a["rate_I"], linewidth=0.6)]
    cv = for_each(partial(band, middle, alpha=0.25), looks, a["cv_windows"], marker="o", markersize=3)
    synchrony, weights = for_each(within, looks, a["correlation"], linewidth=0.9), for_each(between, looks, a["mean_weight"])

    def near_0(axis: Any) -> None:  # the correlation of independent neurons may be below 0
        axis.set_yscale("symlog", linthresh=1e-3)
        axis.set_ylim(min(0.0, axis.dataLim.y0), 1)

    begin, end, total = parts.ends
    held = [span(0, begin, alpha=0.25), span(end, total, alpha=0.25)]
    shared: dict[str, Any] = {"x": "time (s)", "xlim": (0, total)}
    panels = [
        panel(*rate, *targets(level, looks, rates), *held, y="mean rate\n(Hz, log scale)", yscale="log", **shared),
        panel(*cv, level(irregular, linestyle=":", linewidth=1), *held, y="CV of intervals", ylim=(0, None), **shared),
        panel(*synchrony, *held, y="mean correlation\n(log scale above 0.001)", then=near_0, **shared),
        panel(*weights, *held, y="mean weight (nS)", **shared),
    ]
    return page(
        *([one] for one in panels), size=(7.2, 7.6), legend=len(rates), outer=True, sharex=True,
        legend_key=lambda label: label.partition("target")[2], caption=f"{caption}; grey: weights held",
    )  # fmt: skip


def distributions(
    a: Mapping[str, np.ndarray], looks: Looks, rates: Sequence[float], irregular: float, parts: Stretches, caption: str
) -> Page:
    """Rates and coefficients of variation of single neurons and the weights at the end: mean and 95 % interval over seeds."""
    quantum = 1 / parts.after  # rates are multiples of it: a bin holds as many of them as the next
    width = quantum * np.ceil(max(1.0, float(np.percentile(a["neuron_rate"], 99.5))) / 30 / quantum)
    edges = np.arange(31) * width - quantum / 2, np.linspace(0, 2, 41), a["weight_edges"]
    shares = *(share(a[name], bins) for name, bins in zip(("neuron_rate", "neuron_cv"), edges, strict=False)), a["weights"]
    steps = [for_each(partial(steps_band, edges=bins), looks, rows) for rows, bins in zip(shares, edges, strict=True)]
    limits = [(bins[0], bins[-1]) for bins in edges]
    wanted, rate = targets(moment, looks, rates), "rate of a neuron (Hz)"
    panels = [
        panel(*steps[0], *wanted, x=rate, y="share of neurons or synapses", xlim=limits[0]),
        panel(*steps[1], moment(irregular, linestyle=":", linewidth=1), x="CV of a neuron's intervals", xlim=limits[1]),
        panel(*steps[2], x="plastic weight (nS)", xlim=limits[2]),
    ]
    right = {"loc": "outside lower right"}
    return page(panels, size=(7.6, 3.1), legend=len(rates), legend_look=right, caption=f"after learning, {caption}")
