"""How well the spikes of one neuron find a pattern that returns: hits, false alarms, latency, and when it was found.

A hit is a pattern with an output spike within it, a false alarm an output spike outside of any; the latency of a spike is the
time since its pattern began. Success, as in Masquelier, Guyonneau & Thorpe 2008 (doi:10.1371/journal.pone.0001377) and Hathway &
Goodman 2018 (doi:10.5281/zenodo.1327348): over the last third of the run more than 98 % hits, no false alarm and a mean latency
below 10 ms. The pattern is found at the first output spike after the last false alarm in the first 50 s.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from plasticity import memory
from plasticity.checked import Above0, Row, checked
from plasticity.errors import WrongUse

__all__ = ["firsts", "measure", "place"]

SLOT_MS = 50  # length of the pattern
HITS, LATENCY_MS = 0.98, 10.0  # success: more hits, a lower latency, and no false alarm
EARLY_S = 50.0  # the time of finding is looked for in here
BIN_S = 10.0  # of the curves over time


@checked
def place(spike_s: Row, onsets_s: Row) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of each output spike: the last pattern that had begun (-1: none), the time since then in seconds, and whether within it.

    Parameters
    ----------
    spike_s : (spikes,)
        When the neuron fired, in seconds.
    onsets_s : (patterns,)
        When each pattern began, rising.
    """
    pattern = np.searchsorted(onsets_s, spike_s, side="right") - 1
    late = spike_s - np.concatenate([[-np.inf], onsets_s])[pattern + 1]
    return pattern, late, late < SLOT_MS / 1000


@checked
def firsts(spike_s: Row, onsets_s: Row) -> np.ndarray:
    """Whether each output spike is the first one within a pattern."""
    pattern, _, inside = place(spike_s, onsets_s)
    return inside & np.concatenate([[True], pattern[1:] != pattern[:-1]])[: len(pattern)]


@checked
def measure(spike_s: Row, onsets_ms: Row, duration_s: Above0, stretch_s: float = np.inf) -> dict[str, Any]:
    """What the output spikes of one run say about its patterns.

    Parameters
    ----------
    spike_s : (spikes,)
        When the neuron fired, rising, in seconds.
    onsets_ms : (patterns,)
        When each pattern began.
    duration_s : float
        Length of the run.
    stretch_s : float
        When the trains begin to repeat.

    Returns
    -------
    dict
        Over the last third `hits` (share of the patterns), `false_alarms` (how many), `latency_ms` (mean, nan without a hit) and
        `success`; `found_s` and `found_spikes`, when and after how many output spikes the pattern was found (nan without
        success); `start_hz` and `end_hz`, the output rate in the first second and in the last third; `last_s`, the last output
        spike, `quiet_s`, the last one before the trains repeat, and `between_s`, the last one but for the length of a pattern at
        the beginning of each repeat; and for each `BIN_S` of the run `hits_curve`, `false_alarms_curve` (per second) and
        `latency_curve`.
    """
    if not stretch_s > 0:
        raise WrongUse(f"stretch_s={stretch_s} must be above 0, like 150.")
    memory.refuse(f"curves over duration_s={duration_s:g}", 500.0 * duration_s / BIN_S, "give the length of the run in seconds")
    onsets, slot = onsets_ms / 1000, SLOT_MS / 1000
    pattern, late, inside = place(spike_s, onsets)

    def within(low: float, high: float) -> tuple[float, int, float]:
        there = (onsets >= low) & (onsets + slot <= high + 1e-9)
        spikes = (spike_s >= low) & (spike_s < high)
        caught = np.isin(np.flatnonzero(there), pattern[spikes & inside])
        mean = 1000 * float(late[spikes & inside].mean()) if (spikes & inside).any() else np.nan
        return float(caught.mean()) if len(caught) else np.nan, int((spikes & ~inside).sum()), mean

    begin = duration_s * 2 / 3
    hits, false_alarms, latency_ms = within(begin, duration_s)
    good = bool(hits > HITS and false_alarms == 0 and latency_ms < LATENCY_MS)
    found_s = found_spikes = np.nan
    if good:
        wrong = np.flatnonzero(~inside & (spike_s < EARLY_S))
        found_spikes = wrong[-1] + 1 if len(wrong) else 0
        found_s = spike_s[found_spikes]
    bins = [within(low, min(low + BIN_S, duration_s)) for low in np.arange(0, duration_s, BIN_S).tolist()]
    return {
        "hits": hits,
        "false_alarms": false_alarms,
        "latency_ms": latency_ms,
        "success": good,
        "found_s": found_s,
        "found_spikes": found_spikes,
        "start_hz": float((spike_s < 1).sum()),
        "end_hz": float((spike_s >= begin).sum() / (duration_s - begin)),
        "last_s": spike_s[-1] if len(spike_s) else np.nan,
        "quiet_s": spike_s[spike_s < stretch_s].max(initial=0.0),
        "between_s": spike_s[(spike_s < stretch_s) | (spike_s % stretch_s >= slot)].max(initial=0.0),
        "hits_curve": [hit for hit, _, _ in bins],
        "false_alarms_curve": [count / BIN_S for _, count, _ in bins],
        "latency_curve": [mean for _, _, mean in bins],
    }
