"""Pair and triplet STDP in Brian2: linear attention over spikes (I3b), and sums over pairs of spikes (I12)."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from brian2 import Hz, Network, Quantity, SpikeGeneratorGroup, ms, second
from torch.nn import functional

from bridges.identities.identity import KATHAROPOULOS, Identity, difference, fitting
from plasticity import protocols
from plasticity.rules import Rule, pair_stdp, triplet_stdp

SONG = "Song, Miller & Abbott 2000, doi:10.1038/78829"

DT = 1 * ms  # the grid of spike times; traces are exact at any


@fitting
def spikes(rng: np.random.Generator, trains: int, rate_hz: float = 40.0, duration_s: float = 0.3) -> list[Quantity]:
    """Independent Poisson spike trains on the grid `DT`."""
    return protocols.poisson(np.full(trains, rate_hz) * Hz, duration_s * second, rng, DT)


def _group(trains: Sequence[Quantity]) -> SpikeGeneratorGroup:
    neuron = np.repeat(np.arange(len(trains)), [len(train) for train in trains])
    return SpikeGeneratorGroup(len(trains), neuron, np.concatenate([np.asarray(train) for train in trains]) * second, dt=DT)


@fitting
def network_weights(rule: Rule, pre: Sequence[Quantity], post: Sequence[Quantity]) -> np.ndarray:
    """The weights (pre, post) of an all-to-all network of given spike trains under a rule, simulated in Brian2 from w = 0."""
    with protocols.numpy_target():
        source, target = (_group(side) for side in (pre, post))
        synapses = rule.synapses(source, target, landing=protocols.UNBOUNDED, namespace={}, dt=DT)
        synapses.connect()
        last = max(float(train[-1]) for side in (pre, post) for train in side if len(train))
        Network(source, target, synapses).run(last * second + 2 * DT, namespace={})
        W = np.zeros((len(pre), len(post)))
        W[synapses.i[:], synapses.j[:]] = synapses.w[:]
        return W


@fitting
def spike_attention(pre: Sequence[Quantity], post: Sequence[Quantity], A: float, tau: Quantity) -> np.ndarray:
    """Linear attention over spikes, as weights (pre, post): W^T = A sum over s of v_s (sum over t < s of exp(-(s-t)/tau) k_t)^T.

    t runs over the presynaptic spikes, k_t is 1 for the neuron that fired and 0 for the others; s and v_s likewise on the
    postsynaptic side. For any query q over presynaptic neurons W^T q = A sum_s v_s sum_{t<s} exp(-(s-t)/tau) (k_t . q).
    """
    t, s = (torch.from_numpy(np.concatenate([np.asarray(train) for train in side])) for side in (pre, post))
    k, v = (
        functional.one_hot(torch.arange(len(side)).repeat_interleave(torch.tensor([len(train) for train in side])), len(side))
        for side in (pre, post)
    )
    lag = s[:, None] - t  # (postsynaptic spikes, presynaptic spikes)
    recency = torch.where(lag > float(DT) / 2, torch.exp(-lag / float(tau)), 0.0)
    recent = recency @ k.to(recency.dtype)
    return (A * recent.T @ v.to(recency.dtype)).numpy()


@fitting
def pairs_sum(pre: Quantity, post: Quantity, rule: Rule) -> float:
    """Pair STDP as its definition: every pre- with every postsynaptic spike, one term for each, no trace."""
    p, step = rule.parameters, float(DT)
    total = 0.0
    for t in np.round(np.asarray(pre) / step):
        for s in np.round(np.asarray(post) / step):
            d = (s - t) * step  # s; the steps are whole numbers, so that equal times are equal
            if d > 0:
                total += p["A_plus"] * math.exp(-d / float(p["tau_plus"]))
            elif d < 0:
                total -= p["A_minus"] * math.exp(d / float(p["tau_minus"]))
    return total


def _random_pair_rule(rng: np.random.Generator) -> Rule:
    tau_plus, tau_minus = rng.uniform(10, 40, size=2) * ms
    return pair_stdp(A_plus=rng.uniform(0.001, 0.1), A_minus=rng.uniform(0.001, 0.1), tau_plus=tau_plus, tau_minus=tau_minus)


@fitting
def as_triplet(rule: Rule, **third: float) -> Rule:
    """Triplet STDP with the pair amplitudes and time constants of a pair rule, and A3 = 0 unless told."""
    p = rule.parameters
    taus = {name: p[name] for name in ("tau_plus", "tau_minus")}
    return triplet_stdp(**{"A2_plus": p["A_plus"], "A2_minus": p["A_minus"], "A3_plus": 0.0, "A3_minus": 0.0, **taus, **third})


def _stdp_attention(rng: np.random.Generator) -> float:
    rule = _random_pair_rule(rng)(A_minus=0.0)
    pre, post = spikes(rng, int(rng.integers(2, 8))), spikes(rng, int(rng.integers(2, 8)))
    W = network_weights(rule, pre, post)
    return difference(W, spike_attention(pre, post, rule.parameters["A_plus"], rule.parameters["tau_plus"]))


def _traces(rng: np.random.Generator) -> float:
    rule, pre, post = _random_pair_rule(rng), spikes(rng, 10), spikes(rng, 10)
    by_pairs = np.array([pairs_sum(a, b, rule) for a, b in zip(pre, post, strict=True)])
    return difference(protocols.weight_change(rule, pre, post, dt=DT), by_pairs)


def _triplet(rng: np.random.Generator) -> float:
    rule, pre, post = _random_pair_rule(rng), spikes(rng, 10), spikes(rng, 10)
    triplet, pair = (protocols.weight_change(one, pre, post, dt=DT) for one in (as_triplet(rule), rule))
    return difference(triplet, pair)


IDENTITIES = (
    Identity(
        "I3b",
        "pair STDP with A_minus = 0, in Brian2, is linear attention over spikes with recency weights exp(-(t-s)/tau_plus)",
        1e-12,
        f"rule of {SONG}; linear attention of {KATHAROPOULOS}",
        _stdp_attention,
    ),
    Identity(
        "I12a",
        "pair STDP by traces, in Brian2, is the double sum over pairs of spikes",
        1e-12,
        f"{SONG}; Morrison, Diesmann & Gerstner 2008, doi:10.1007/s00422-008-0233-1",
        _traces,
    ),
    Identity(
        "I12b",
        "triplet STDP with A3 = 0 is pair STDP, bit for bit, in Brian2",
        0.0,
        "Pfister & Gerstner 2006, doi:10.1523/JNEUROSCI.1425-06.2006",
        _triplet,
    ),
)
