"""Softmax attention as an associative memory: modern Hopfield networks (I6) and regression by a Gaussian kernel (I7)."""

from __future__ import annotations

import math

import numpy as np
from scipy.spatial.distance import cdist
from scipy.special import logsumexp, softmax

from bridges.identities.identity import Identity, difference, fitting, softmax_attention, tokens, units

RAMSAUER = "Ramsauer et al. 2020, arXiv:2008.02217"
KERNEL = "Nadaraya 1964, doi:10.1137/1109020; Watson 1964, Sankhya A 26:359-372; Tsai et al. 2019, arXiv:1908.11775"


@fitting
def hopfield_update(patterns: np.ndarray, state: np.ndarray, beta: float) -> np.ndarray:
    """One update of a modern Hopfield network: xi = X softmax(beta X^T xi), in NumPy.

    Parameters
    ----------
    patterns : array (N, d)
        The stored patterns x_i, the columns of X.
    state : array (d,)
        xi.
    beta : float
        Inverse temperature.
    """
    return patterns.T @ softmax(beta * patterns @ state)


@fitting
def hopfield_energy(patterns: np.ndarray, state: np.ndarray, beta: float) -> float:
    """E = -log(sum_i exp(beta x_i . xi))/beta + 1/2 xi . xi + log(N)/beta + 1/2 max_i |x_i|^2 (Ramsauer et al. 2020)."""
    largest = np.square(patterns).sum(axis=1).max()
    return float(
        -logsumexp(beta * patterns @ state) / beta + 0.5 * state @ state + math.log(len(patterns)) / beta + 0.5 * largest
    )


def _hopfield_instance(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, float]:
    n, d = rng.integers(2, 65), rng.integers(2, 65)
    return rng.normal(size=(n, d)), 2 * rng.normal(size=d), float(rng.uniform(0.1, 2.0) / math.sqrt(d))


def _hopfield(rng: np.random.Generator) -> float:
    patterns, state, beta = _hopfield_instance(rng)
    attention = softmax_attention(state[None], patterns, patterns, scale=beta)[0]
    return difference(hopfield_update(patterns, state, beta), attention)


def _energy(rng: np.random.Generator) -> float:
    patterns, state, beta = _hopfield_instance(rng)
    energies = [hopfield_energy(patterns, state, beta)]
    for _ in range(30):
        state = hopfield_update(patterns, state, beta)
        energies.append(hopfield_energy(patterns, state, beta))
    return float(np.diff(energies).max(initial=0.0) / np.abs(energies).max())


@fitting
def gaussian_weights(q: np.ndarray, k: np.ndarray) -> np.ndarray:
    """Shares exp(-|q - k_i|^2/(2 sqrt(d))), normalised over the keys: (queries, keys).

    The kernel's variance is sqrt(d), which belongs to the scale 1/sqrt(d) of attention.
    """
    weights = np.exp(-cdist(q, k, "sqeuclidean") / (2 * math.sqrt(q.shape[1])))
    return weights / weights.sum(axis=1, keepdims=True)


def _equal_norms(rng: np.random.Generator) -> float:
    q, k, v = tokens(rng)
    k = rng.uniform(0.5, 2.0) * math.sqrt(k.shape[1]) * units(k)
    return difference(gaussian_weights(q, k) @ v, softmax_attention(q, k, v))


def _unequal_norms(rng: np.random.Generator) -> float:
    q, k, _ = tokens(rng, (5, 100))
    k = k * rng.uniform(0.5, 2.0, size=(len(k), 1))
    ratio = np.log(softmax_attention(q, k, np.eye(len(k)))) - np.log(gaussian_weights(q, k))
    norms = np.square(k).sum(axis=1)
    found = 2 * math.sqrt(k.shape[1]) * (ratio - ratio[:, :1])
    return difference(found, np.broadcast_to(norms - norms[0], found.shape))


IDENTITIES = (
    Identity("I6a", "the update of a modern Hopfield network is softmax attention with K = V", 1e-12, RAMSAUER, _hopfield),
    Identity("I6b", "no update of a modern Hopfield network raises its energy", 1e-12, RAMSAUER, _energy),
    Identity("I7a", "softmax attention over keys of equal norm is Gaussian-kernel regression", 1e-12, KERNEL, _equal_norms),
    Identity(
        "I7b",
        "over other keys it is not: key j gains exp((|k_j|^2 - |k_i|^2)/(2 sqrt d)) on key i, 1 for equal norms only",
        1e-12,
        KERNEL,
        _unequal_norms,
    ),
)
