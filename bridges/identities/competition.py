"""Attention in cortex as softmax attention: the normalisation model (I8) and biased competition (I9)."""

from __future__ import annotations

import math

import numpy as np

from bridges.identities.identity import Identity, difference, fitting, softmax_attention

REYNOLDS_HEEGER = "Reynolds & Heeger 2009, doi:10.1016/j.neuron.2009.01.002"


@fitting
def normalisation(E: np.ndarray, A: np.ndarray, S: np.ndarray, sigma: float) -> np.ndarray:
    """The normalisation model of attention: R = A E/(S (A E) + sigma) (Reynolds & Heeger 2009).

    Parameters
    ----------
    E, A : arrays (neurons,)
        Stimulus drive and attention field (gain), positive.
    S : array (neurons, neurons)
        Suppressive field: how much neuron j suppresses neuron i; ones where all share one pool.
    sigma : float
        Semi-saturation constant.
    """
    return A * E / (S @ (A * E) + sigma)


@fitting
def normalisation_as_attention(E: np.ndarray, A: np.ndarray, S: np.ndarray, sigma: float) -> np.ndarray:
    """The same by softmax attention: R_i = p_ii/S_ii, where p_i = softmax over j of log E_j + log A_j + log S_ij.

    Each neuron is a key of logit log E_j; a null key, whose value nobody reads, has the logit log sigma. Attention field and
    suppressive field are added to the logits as a bias.
    """
    n = len(E)
    keys = np.log(np.append(E, sigma))[:, None]
    bias = np.hstack([np.log(A) + np.log(S), np.zeros((n, 1))])
    shares = softmax_attention(np.ones((n, 1)), keys, np.eye(n + 1), bias, scale=1.0)
    return np.diagonal(shares) / np.diagonal(S)


@fitting
def fields(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """Drive, attention field with a peak of 2 on a base of 1, Gaussian suppressive field, sigma: an instance of the model."""
    n = rng.integers(20, 121)
    place = np.arange(n)
    E = 10 ** rng.uniform(-3, 0, size=n)
    A = 1 + np.exp(-0.5 * ((place - rng.integers(n)) / rng.uniform(3, 30)) ** 2)
    width = rng.uniform(5, 20)
    S = np.exp(-0.5 * ((place[:, None] - place) / width) ** 2) / (math.sqrt(2 * math.pi) * width)
    return E, A, S, 10 ** rng.uniform(-6, -1)


def _normalisation(rng: np.random.Generator) -> float:
    E, _, _, sigma = fields(rng)
    everywhere, pool = np.ones(len(E)), np.ones((len(E), len(E)))
    return difference(normalisation(E, everywhere, pool, sigma), normalisation_as_attention(E, everywhere, pool, sigma))


def _attention_field(rng: np.random.Generator) -> float:
    E, A, S, sigma = fields(rng)
    return difference(normalisation(E, A, S, sigma), normalisation_as_attention(E, A, S, sigma))


@fitting
def biased_competition(r: np.ndarray, w: np.ndarray, b: float, sigma: float) -> float:
    """R = (b w_1 r_1 + w_2 r_2)/(b w_1 + w_2 + sigma): two stimuli in one receptive field, the first one attended.

    Parameters
    ----------
    r : array (2,)
        Response to each stimulus alone.
    w : array (2,)
        Strength of its input.
    b : float
        What attention multiplies the strength of the first by; 1 without attention.
    sigma : float
        Semi-saturation constant, 0 or more.
    """
    strength = w * np.array([b, 1.0])
    return float(strength @ r / (strength.sum() + sigma))


@fitting
def competition_as_attention(r: np.ndarray, w: np.ndarray, b: float, sigma: float) -> float:
    """The same by softmax attention: tokens of the values r_1, r_2, 0 and of the logits log w_1 + log b, log w_2, log sigma."""
    with np.errstate(divide="ignore"):  # sigma = 0: the third token is masked
        bias = np.array([[math.log(b), 0.0, np.log(sigma)]])
    keys, values = np.append(np.log(w), 0.0)[:, None], np.append(r, 0.0)[:, None]
    return float(softmax_attention(np.ones((1, 1)), keys, values, bias, scale=1.0)[0, 0])


def _competition(rng: np.random.Generator) -> float:
    sides: list[list[float]] = [[], []]
    for _ in range(20):
        sigma = rng.choice([0.0, rng.uniform(0.01, 1.0)])
        r, w, b = rng.uniform(1, 100, size=2), rng.uniform(0.1, 1, size=2), rng.uniform(1, 10)
        for side, compute in zip(sides, (biased_competition, competition_as_attention), strict=True):
            side.append(compute(r, w, b, sigma))
    return difference(np.array(sides[0]), np.array(sides[1]))


IDENTITIES = (
    Identity(
        "I8a",
        "divisive normalisation is softmax attention over log E and a null key of logit log sigma",
        1e-14,
        REYNOLDS_HEEGER,
        _normalisation,
    ),
    Identity(
        "I8b",
        "the normalisation model's attention field is an additive bias log A on the logits",
        1e-14,
        REYNOLDS_HEEGER,
        _attention_field,
    ),
    Identity(
        "I9",
        "biased competition of two stimuli is softmax attention over two tokens with the values r1, r2",
        1e-14,
        "Reynolds, Chelazzi & Desimone 1999, doi:10.1523/JNEUROSCI.19-05-01736.1999",
        _competition,
    ),
)
