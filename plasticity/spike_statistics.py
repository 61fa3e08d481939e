"""What recorded spikes say: how irregular each train is, how synchronous the neurons are, which rate a pair rule sees.

Spikes are given as two arrays, the neuron of each spike and its time in seconds.
"""

from __future__ import annotations

import numpy as np

from plasticity import memory
from plasticity.checked import Above0, Count, Grid, Indices, Number, Row, alike, checked
from plasticity.errors import WrongUse

__all__ = ["correlation", "decayed", "first_spikes", "intervals_cv", "mean_correlation", "most_isolated", "seen_rate"]

BIN_S = 0.005  # of the spike counts whose correlation says how synchronous the neurons are
FEWEST = 5  # intervals between spikes for a coefficient of variation


def _recorded(which: np.ndarray, when: np.ndarray, n: int) -> None:
    """WrongUse for spikes without a neuron or a time, and for neurons that there are not."""
    alike(which=which, when=when)
    if len(which) and which.max() >= n:
        raise WrongUse(f"a spike is of neuron {which.max()}, but there are n={n} neurons, counted from 0; give a larger n.")


@checked
def intervals_cv(which: Indices, when: Row, n: Count, start: Number, end: Number) -> np.ndarray:
    """Coefficient of variation of the intervals between each neuron's spikes in [start, end); nan for fewer than `FEWEST`.

    sd(ISI)/mean(ISI): 0 for a clock, 1 for a Poisson process.
    """
    _recorded(which, when, n)
    inside = (when >= start) & (when < end)
    order = np.lexsort((when[inside], which[inside]))
    i, t = which[inside][order], when[inside][order]
    same = i[1:] == i[:-1]
    owner, isi = i[1:][same], np.diff(t)[same]
    number = np.bincount(owner, minlength=n)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.bincount(owner, isi, minlength=n) / number
        variance = np.bincount(owner, (isi - mean[owner]) ** 2, minlength=n) / number
        return np.where(number >= FEWEST, np.sqrt(variance) / mean, np.nan)


@checked
def correlation(which: Indices, when: Row, n: Count, start: Number, end: Number) -> float:
    """Mean correlation over all pairs of neurons of their spike counts in bins of 5 ms in [start, end): synchrony."""
    _recorded(which, when, n)
    bins = round((end - start) / BIN_S)
    if bins < 1:
        raise WrongUse(f"start={start} and end={end} must lie {BIN_S} s apart or more, the end behind the start.")
    memory.refuse(f"counts of n={n} neurons in {bins} bins", 24.0 * n * bins, "take a shorter stretch")
    inside = (when >= start) & (when < end)
    at = np.minimum(((when[inside] - start) / BIN_S + 1e-6).astype(int), bins - 1)
    counts = np.zeros((n, bins))
    np.add.at(counts, (which[inside], at), 1)
    return mean_correlation(counts.T)


@checked
def mean_correlation(counts: Grid) -> float:
    """Mean correlation over all pairs of neurons of their spike counts (windows, neurons): noise correlation.

    [Var(sum_i n_i) - sum_i Var(n_i)]/[(sum_i sd_i)^2 - sum_i Var(n_i)]: 0 for independent neurons, 1 for identical ones; nan
    where fewer than two neurons vary.
    """
    variance = counts.var(axis=0) if len(counts) else np.zeros(0)
    if (variance > 0).sum() < 2:
        return np.nan
    total = counts.sum(axis=1).var()
    return float((total - variance.sum()) / (np.sqrt(variance).sum() ** 2 - variance.sum()))


@checked
def first_spikes(which: Indices, when: Row) -> tuple[np.ndarray, np.ndarray]:
    """Which neurons fire, rising, and when each of them does so for the first time."""
    alike(which=which, when=when)
    order = np.argsort(when, kind="stable")
    neurons, first = np.unique(which[order], return_index=True)
    return neurons, when[order][first]


@checked
def most_isolated(times: Row) -> float:
    """Of events in order of time the one with the most room around it, on the side where it has less."""
    if not len(times):
        raise WrongUse("times holds no event; give one or more.")
    gaps = np.diff(np.append(np.append(0.0, times), np.inf))
    return float(times[np.argmax(np.minimum(gaps[:-1], gaps[1:]))])


@checked
def decayed(at: Row, times: Row, tau_s: Above0) -> np.ndarray:
    """What is left at some moments of events that add 1 each and decay: sum of exp(-(t - t_event)/tau)."""
    since = np.subtract.outer(at, times)
    return np.where(since >= 0, np.exp(-np.maximum(since, 0) / tau_s), 0).sum(axis=1)


@checked
def seen_rate(
    pre: tuple[Indices, Row],
    post: tuple[Indices, Row],
    connected: Grid,
    stretch: tuple[float, float],
    tau_s: Above0,
    dt_s: Above0,
) -> tuple[float, float, float]:
    """The postsynaptic rate as the rule sees it, in Hz: pairs of spikes, over presynaptic spikes.

    r_seen = sum over pairs of e^{-|t_post - t_pre|/tau} / (2 tau n_pre). A loop over the spikes, with a trace for each neuron,
    of all pairs of recorded neurons; pairs in one time step are left out.

    Parameters
    ----------
    pre, post : (neuron, time) of each spike
        Times in seconds, rising.
    connected : array of bool, shape (pre, post)
        Which pairs have a synapse.

    Returns
    -------
    r_seen of connected pairs, r_seen of other pairs, and the rate itself, weighted by presynaptic spikes of connected pairs
    as r_seen is.
    """
    connected, events = np.asarray(connected, dtype=bool), []
    shape = connected.shape
    for spikes, n in zip((pre, post), shape, strict=True):
        which, when = np.asarray(spikes[0], dtype=int), np.asarray(spikes[1])
        _recorded(which, when, n)
        inside = (when >= stretch[0] - dt_s / 2) & (when < stretch[1] - dt_s / 2)
        events.append((which[inside], np.round(when[inside] / dt_s).astype(int)))
    traces, sums = [np.zeros(size) for size in shape], np.zeros(shape)
    steps = np.unique(np.concatenate([when for _, when in events]))
    bounds = [(np.searchsorted(when, steps), np.searchsorted(when, steps, side="right")) for _, when in events]
    decay = np.exp(-np.diff(steps, prepend=steps[:1]) * dt_s / tau_s)
    for k in range(len(steps)):
        now = [which[low[k] : high[k]] for (which, _), (low, high) in zip(events, bounds, strict=True)]
        for trace in traces:
            trace *= decay[k]
        if len(now[0]):
            sums[now[0]] += traces[1]
        if len(now[1]):
            sums[:, now[1]] += traces[0][:, None]
        for trace, spiking in zip(traces, now, strict=True):
            trace[spiking] += 1
    n_pre, n_post = (np.bincount(which, minlength=size) for (which, _), size in zip(events, shape, strict=True))
    found = []
    for pairs in (connected, ~connected):
        weight = float((n_pre[:, None] * pairs).sum())
        found.append(float(sums[pairs].sum()) / (2 * tau_s * weight) if weight else np.nan)
    weight = float((n_pre[:, None] * connected).sum())
    rate = float(n_pre @ connected @ n_post) / (weight * (stretch[1] - stretch[0])) if weight else np.nan
    return found[0], found[1], rate
