"""What runs of a balanced network say of its activity before, while and after its weights change.

Measured are rates, irregularity (the coefficient of variation of intervals between spikes), synchrony (the correlation of spike
counts), the weights, and the rate as the rule of its inhibitory synapses sees it in pairs of spikes. The network:
`plasticity.networks.balanced`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np

from plasticity.checked import Above0, Count, checked
from plasticity.networks.balanced import Balanced
from plasticity.spike_statistics import correlation, intervals_cv, seen_rate
from plasticity.statistics import known_mean

__all__ = ["Stretches", "activity", "judged", "raster"]

WINDOW_S = 10  # about: stretch of learning in which coefficients of variation are taken
SHOWN, SHOWN_S = 200, 0.4  # neurons and seconds of the raster
WEIGHT_EDGES = np.linspace(0, 15, 61)  # nS


@checked
@dataclass(frozen=True)
class Stretches:
    """A run in three parts, in whole seconds: `before` learning, `learning`, and `after` it, when the weights are held again."""

    before: Count
    learning: Count
    after: Count

    @property
    def ends(self) -> tuple[int, int, int]:
        """When learning begins, when it ends, and when the run ends."""
        return self.before, self.before + self.learning, self.before + self.learning + self.after

    def windows(self) -> np.ndarray:
        """Edges in seconds of the stretches in which coefficients of variation are taken."""
        begin, end, total = self.ends
        return np.array([0.0, *np.linspace(begin, end, max(1, round(self.learning / WINDOW_S)) + 1), total])


@checked
def activity(network: Balanced, found: Mapping[str, np.ndarray], parts: Stretches, tau_s: Above0) -> dict[str, np.ndarray]:
    """One run, from what its program gave; `tau_s` is the time constant of the rule's traces.

    Returns
    -------
    `rate_E`, `rate_I` (hertz), `mean_weight` and `correlation` in each second; `cv_windows` in each of the `Stretches.windows`;
    `neuron_rate` and `neuron_cv` of each neuron after learning, and before it with the ending _before; `weights`: the share of
    synapses in the bins of `WEIGHT_EDGES` at the end; `seen`, see `seen_rate`; raster_* as `raster` has them, of the last moments
    before and after learning
    """
    begin, end, total = parts.ends
    edges, n, step = parts.windows(), network.recorded_E, float(network.dt)
    trains = {kind: (found[f"spike_i_{kind}"], found[f"spike_t_{kind}"]) for kind in ("E", "I")}
    cv = partial(intervals_cv, *trains["E"], n)
    count = np.vstack([found["count_history"], found["count"]])  # (seconds + 1, excitatory)
    inhibition = np.vstack([found["inhibition_history"], found["inhibition"]])
    connected = np.zeros((network.recorded_I, n), dtype=bool)
    inside = (found["synapse_i"] < network.recorded_I) & (found["synapse_j"] < n)
    connected[found["synapse_i"][inside], found["synapse_j"][inside]] = True
    return {
        "rate_E": np.diff(count.mean(axis=1)),
        "rate_I": found["rate_I"].reshape(total, -1).mean(axis=1),
        "mean_weight": inhibition.sum(axis=1)[1:] / len(found["w"]),
        "cv_windows": np.array([known_mean(cv(a, b)) for a, b in zip(edges, edges[1:], strict=False)]),
        "correlation": np.array([correlation(*trains["E"], n, a, a + 1) for a in range(total)]),
        "neuron_rate": (count[-1] - count[end]) / parts.after,
        "neuron_rate_before": count[begin] / parts.before,
        "neuron_cv": cv(end, total),
        "neuron_cv_before": cv(0, begin),
        "weights": np.histogram(found["w"], WEIGHT_EDGES)[0] / len(found["w"]),
        "seen": np.array(seen_rate(trains["I"], trains["E"], connected, (end, total), tau_s, step)),
        **raster(found, "before", begin, min(SHOWN_S, float(parts.before)), step),
        **raster(found, "after", total, min(SHOWN_S, float(parts.before)), step),
    }


@checked
def raster(found: Mapping[str, np.ndarray], name: str, end: Count, length: Above0, step: Above0) -> dict[str, np.ndarray]:
    """Spikes of some excitatory neurons (time, neuron) and both population rates in bins of 1 ms, just before `end`."""
    which, when = found["spike_i_E"], found["spike_t_E"]
    chosen = (which < SHOWN) & (when >= end - length - step / 2) & (when < end - step / 2)
    last, per_bin = slice(round(end / step) - round(length / step), round(end / step)), round(0.001 / step)
    rates = {kind: found[f"rate_{kind}"][last].reshape(-1, per_bin).mean(axis=1) for kind in ("E", "I")}
    spikes = np.stack([when[chosen] - (end - length), which[chosen]])
    return {f"raster_{name}": spikes} | {f"raster_rate_{kind}_{name}": rate for kind, rate in rates.items()}


@checked
def judged(a: Mapping[str, np.ndarray], condition: int, parts: Stretches) -> dict[str, np.ndarray]:
    """From the `activity` of several conditions and seeds, (conditions, seeds, ...), one value for each seed of a condition.

    Rates in hertz: of both kinds of neurons before and after learning, in the last fifth of learning and in the fifth before,
    and as the rule sees them; mean coefficients of variation and correlations before and after; the mean weight at the end.
    """
    rate, seen, before, after = a["rate_E"][condition], a["seen"][condition], slice(parts.before), slice(-parts.after, None)
    learning = rate[:, parts.before : rate.shape[1] - parts.after]
    fifth = max(1, learning.shape[1] // 5)
    two = 2 * fifth <= learning.shape[1]
    return {
        "rate_E_before_hz": rate[:, before].mean(axis=1),
        "rate_I_before_hz": a["rate_I"][condition][:, before].mean(axis=1),
        "rate_E_hz": rate[:, after].mean(axis=1),
        "rate_I_hz": a["rate_I"][condition][:, after].mean(axis=1),
        "rate_E_median_hz": np.median(a["neuron_rate"][condition], axis=1),
        "rate_E_last_fifth_of_learning_hz": learning[:, -fifth:].mean(axis=1),
        "rate_E_fifth_before_hz": learning[:, -2 * fifth : -fifth].mean(axis=1) if two else rate[:, 0],
        "rate_seen_connected_hz": seen[:, 0],
        "rate_seen_unconnected_hz": seen[:, 1],
        "rate_weighted_hz": seen[:, 2],
        "cv_before": np.array([known_mean(row) for row in a["neuron_cv_before"][condition]]),
        "cv": np.array([known_mean(row) for row in a["neuron_cv"][condition]]),
        "correlation_before": np.array([known_mean(row[before]) for row in a["correlation"][condition]]),
        "correlation": np.array([known_mean(row[after]) for row in a["correlation"][condition]]),
        "mean_weight_nS": a["mean_weight"][condition, :, -1],
    }
