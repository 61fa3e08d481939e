"""The figures of `pattern_detection`: measures over time, latencies and weights of one seed, each run at its end."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from plasticity.detection import BIN_S, EARLY_S, HITS, LATENCY_MS, SLOT_MS, firsts, place
from plasticity.spike_statistics import first_spikes
from simulations.figures.kinds import (
    Layer,
    Page,
    Panel,
    band,
    binned,
    each_run,
    for_each,
    histogram,
    level,
    line,
    moment,
    near_zero,
    page,
    panel,
    small_title,
)
from simulations.figures.style import BLACK, BLUE, SKY, VERMILION

Arrays = Mapping[str, np.ndarray]
LOOKS = {
    "reduced": {"color": VERMILION, "linestyle": "-", "label": "reduced nearest neighbour"},
    "reduced_apart": {"color": BLUE, "linestyle": "--", "label": "the same, spikes of one time step do not pair"},
    "all": {"color": BLACK, "linestyle": ":", "label": "all-to-all (control)"},
}
SPIKES: dict[str, dict[str, Any]] = {
    "first spike in a pattern": {"marker": ".", "markersize": 3, "color": VERMILION},
    "further spikes in a pattern": {"marker": ".", "markersize": 2, "color": SKY},
    "outside of patterns": {"marker": "|", "markersize": 6, "color": BLACK},
}
PARTS = {"in the pattern": {"color": VERMILION, "linestyle": "-"}, "outside of it": {"color": BLUE, "linestyle": "--"}}
SIDE: dict[str, Any] = {"sharey": True, "size": (7.4, 3.4)}


def over_time(a: Arrays) -> Page:
    """Hit rate, false alarms and latency over time: mean over seeds with its 95 % interval."""
    runs = {name: len(a[f"{name}_success"]) for name in LOOKS if f"{name}_success" in a}
    looks = {name: {**LOOKS[name], "label": f"{LOOKS[name]['label']}, {count} seeds"} for name, count in runs.items()}
    at = (np.arange(a["reduced_hits_curve"].shape[1]) + 0.5) * BIN_S
    curve = partial(band, at, alpha=0.25, complete=True, marker=".")  # a latency needs a hit

    def curves(key: str, factor: int = 1) -> list[Layer]:
        return for_each(curve, looks, [factor * a[f"{name}_{key}"] for name in looks])

    title = small_title(f"mean over seeds and its 95 % interval, bins of {BIN_S:g} s; grey: bounds of success")
    rows = [
        panel(*curves("hits_curve", 100), level(100 * HITS), title, y="patterns with a spike (%)", ylim=(0, None)),
        panel(*curves("false_alarms_curve"), near_zero(0.1, linscale=0.5), y="false alarms per second", ylim=(0, 100)),
        panel(*curves("latency_curve"), level(LATENCY_MS), x="time (s)", y="latency (ms)", ylim=(0, None)),
    ]
    return page(*([row] for row in rows), size=(7.0, 6.4), legend=1, outer=True, sharex=True)


def latency(a: Arrays) -> Page:
    """The latency of each output spike after the beginning of the pattern, one seed; spikes outside of patterns below 0."""
    spike_s, onsets_s, found = a["reduced_shown_spike_s"], a["shown_onsets_s"], float(a["reduced_found_s"][0])
    _, late_s, inside = place(spike_s, onsets_s)
    first, end = firsts(spike_s, onsets_s), float(spike_s[-1]) if len(spike_s) else 1.0
    height = np.where(inside, 1000 * late_s, -4.0)

    def until(last: float, title: str) -> Panel:
        kinds = [kind & (spike_s <= last) for kind in (first, inside & ~first, ~inside)]
        layers = for_each(line, SPIKES, [spike_s[kind] for kind in kinds], [height[kind] for kind in kinds], linestyle="")
        axes: dict[str, Any] = {"xlim": (0.0, last), "ylim": (-8, SLOT_MS)}
        return panel(
            *layers, moment(found, linestyle="--"), x="time (s)", y="latency of the output spike (ms)", title=title, **axes
        )

    dashed = f", found after {found:.1f} s (dashed)" if np.isfinite(found) else ""
    panels = [until(min(EARLY_S, end), f"seed {int(a['seeds'][0])}{dashed}"), until(end, "whole run")]
    return page(panels, legend=3, legend_look={"markerscale": 2}, outer=True, width_ratios=(3, 2), **SIDE)


def weights(a: Arrays, in_pattern: int) -> Page:
    """Weights at the end: of inputs in the pattern against the time of their first spike in it, and of the others."""
    w, (fires, first_ms) = a["reduced_w"], first_spikes(a["shown_pattern_neuron"], a["shown_pattern_ms"])
    of_first, parts = w[0, fires], [w[:, :in_pattern], w[:, in_pattern:]]
    shares = partial(histogram, edges=np.linspace(0, 1, 21), percent=True, orientation="horizontal")
    left = panel(
        line(first_ms, of_first, ".", markersize=3, color=VERMILION, alpha=0.6),
        binned(first_ms, of_first, np.arange(0, SLOT_MS + 1, 2.5), color=BLACK, label="mean of 2.5 ms"),
        moment(a["reduced_latency_ms"][0], linestyle="--", linewidth=1, label="mean latency of the output"),
        x="first spike of the input in the pattern (ms)", y="weight at the end (no unit)",
        title=f"inputs in the pattern, seed {int(a['seeds'][0])}", legend={"loc": "center", "bbox_to_anchor": (0.5, 0.6)},
    )  # fmt: skip
    title, x = f"all inputs, {len(w)} seeds", "share of the inputs (%)"
    right = panel(*for_each(shares, PARTS, parts), x=x, title=title, legend="center right")
    return page([left, right], width_ratios=(3, 1.6), **SIDE)


def success(a: Arrays) -> Page:
    """Each run with its measures over the last third, and how many succeed with each way to pair spikes."""
    good = {name: a[f"{name}_success"] for name in LOOKS if f"{name}_success" in a}
    colours = [LOOKS[name]["color"] for name in good]

    def marks(key: str, factor: int = 1) -> Layer:
        return each_run([factor * a[f"{name}_{key}"].astype(float) for name in good], [*good.values()], colours)

    texts = [f"{name.replace('_', ' ')}\n{int(kept.sum())} of {len(kept)} succeed" for name, kept in good.items()]
    rows: dict[str, Any] = {"yticks": range(len(good)), "yticklabels": texts, "ylim": (len(good) - 0.5, -0.5)}
    panels = [
        panel(marks("hits", 100), moment(100 * HITS), x="hits (%)", xlim=(-4, 104), **rows),
        panel(marks("false_alarms"), x="false alarms", then=lambda axis: axis.set_xlim(-0.5, max(5.0, axis.get_xlim()[1]))),
        panel(marks("latency_ms"), moment(LATENCY_MS), x="latency (ms)", xlim=(0, 12)),
        panel(marks("found_s"), x="found (s)", xlim=(0, None)),
    ]
    caption = "one mark for each run (dot: success, cross: not); grey: bounds of success"
    return page(panels, size=(8.6, 1.5 + 0.75 * len(good)), outer=True, sharey=True, caption=caption)
