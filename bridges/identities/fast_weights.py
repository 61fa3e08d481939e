"""Local rules that write a memory step by step are linear attention: I1 to I5, without spikes."""

from __future__ import annotations

import numpy as np
import torch
from torch.nn import functional

from bridges.identities.identity import KATHAROPOULOS, Identity, difference, fitting, tokens, units

SCHLAG = "Schlag, Irie & Schmidhuber 2021, arXiv:2102.11174"


@fitting
def linear_attention(q: np.ndarray, k: np.ndarray, v: np.ndarray, decay: float = 1.0, normalised: bool = False) -> np.ndarray:
    """Causal attention without softmax: y_t = sum over s <= t of decay^(t-s) (k_s . q_t) v_s, all steps at once.

    Where `normalised`, divided by the sum of the weights decay^(t-s) (k_s . q_t). Arrays as of `hebb`.
    """
    queries, keys, values = (torch.from_numpy(x) for x in (q, k, v))
    step = torch.arange(len(q), dtype=queries.dtype)
    weights = torch.tril(queries @ keys.T) * decay ** (step[:, None] - step).clamp(min=0)
    if normalised:
        weights = weights / weights.sum(dim=1, keepdim=True)
    return (weights @ values).numpy()


@fitting
def hebb(q: np.ndarray, k: np.ndarray, v: np.ndarray, decay: float = 1.0, trace: float | None = None) -> np.ndarray:
    """A Hebbian memory, step by step: W = decay W + v_t k_t^T, then the output y_t = W q_t.

    Parameters
    ----------
    q, k, v : arrays (steps, d), (steps, d), (steps, outputs)
    decay : float
        What is left of the weights after a step; 1 where nothing is forgotten.
    trace : float
        What is left, after a step, of a presynaptic trace z = trace z + k_t, by which the output is divided:
        y_t = W q_t/(z . q_t). None is a memory without trace.

    Returns
    -------
    array (steps, outputs)
    """
    W, z = np.zeros((v.shape[1], k.shape[1])), np.zeros(k.shape[1])
    y = np.empty_like(v)
    for t in range(len(q)):
        W = decay * W + np.outer(v[t], k[t])
        y[t] = W @ q[t]
        if trace is not None:
            z = trace * z + k[t]
            y[t] /= z @ q[t]
    return y


@fitting
def delta_rule(W: np.ndarray, k: np.ndarray, v: np.ndarray, beta: float) -> np.ndarray:
    """W += beta (v_t - W k_t) k_t^T, step by step; the weights after each step (steps, outputs, d)."""
    after = []
    for k_t, v_t in zip(k, v, strict=True):
        W = W + beta * np.outer(v_t - W @ k_t, k_t)
        after.append(W)
    return np.array(after)


@fitting
def sgd(W: np.ndarray, k: np.ndarray, v: np.ndarray, beta: float) -> np.ndarray:
    """`torch.optim.SGD` at the rate beta on 1/2 |v_t - W k_t|^2, one step for each t; the weights after each."""
    weights = torch.from_numpy(W.copy()).requires_grad_()
    optimiser = torch.optim.SGD([weights], lr=beta)
    after = []
    for k_t, v_t in zip(torch.from_numpy(k), torch.from_numpy(v), strict=True):
        optimiser.zero_grad()
        (0.5 * (v_t - weights @ k_t).square().sum()).backward()
        optimiser.step()
        after.append(weights.detach().numpy().copy())
    return np.array(after)


@fitting
def trained_layer(
    W: np.ndarray, x: np.ndarray, labels: np.ndarray, rate: float, momentum: float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """A linear layer under softmax cross-entropy, trained by SGD on one example after the other.

    Returns
    -------
    W_T : array (classes, d)
        The weights at the end.
    e : array (steps, classes)
        The errors as autograd finds them at the layer's output, e_t = -rate dE/dy_t, y_t = W x_t.
    """
    weights = torch.from_numpy(W.copy()).requires_grad_()
    optimiser = torch.optim.SGD([weights], lr=rate, momentum=momentum)
    errors = []
    for x_t, label in zip(torch.from_numpy(x), torch.from_numpy(labels), strict=True):
        y = weights @ x_t
        y.retain_grad()
        optimiser.zero_grad()
        functional.cross_entropy(y, label).backward()
        assert y.grad is not None
        errors.append(-rate * y.grad.numpy())
        optimiser.step()
    return weights.detach().numpy(), np.array(errors)


def _hebb(rng: np.random.Generator) -> float:
    q, k, v = tokens(rng)
    return difference(hebb(q, k, v), linear_attention(q, k, v))


@fitting
def positive(x: np.ndarray) -> np.ndarray:
    """The features of Katharopoulos et al. 2020, phi(x) = elu(x) + 1, in NumPy: x + 1 above 0, e^x below."""
    return np.where(x > 0, x + 1, np.exp(np.minimum(x, 0)))


def _trace(rng: np.random.Generator) -> float:
    q, k, v = tokens(rng)
    phi_q, phi_k = ((functional.elu(torch.from_numpy(x)) + 1).numpy() for x in (q, k))
    return difference(hebb(positive(q), positive(k), v, trace=1.0), linear_attention(phi_q, phi_k, v, normalised=True))


def _decaying_hebb(rng: np.random.Generator) -> float:
    q, k, v = tokens(rng)
    decay = rng.uniform(0.5, 1.0)
    return difference(hebb(q, k, v, decay), linear_attention(q, k, v, decay))


def _delta_rule(rng: np.random.Generator) -> float:
    _, k, v = tokens(rng, (1, 100))
    k = units(k) * rng.uniform(0.5, 1.2, size=(len(k), 1))  # beta |k|^2 < 2: the rule does not diverge
    W, beta = rng.normal(size=(v.shape[1], k.shape[1])), rng.uniform(0.1, 1.0)
    return difference(delta_rule(W, k, v, beta), sgd(W, k, v, beta))


def _overwrite(rng: np.random.Generator) -> float:
    _, k, v = tokens(rng, (1, 100))
    k = units(k)
    after = delta_rule(rng.normal(size=(v.shape[1], k.shape[1])), k, v, beta=1.0)
    return difference(np.einsum("toi,ti->to", after, k), v)


def _dual_form(rng: np.random.Generator) -> float:
    steps, d, classes = 1000, rng.integers(2, 33), rng.integers(2, 11)
    W, x, labels = rng.normal(size=(classes, d)), rng.normal(size=(steps, d)), rng.integers(classes, size=steps)
    W_T, e = trained_layer(W, x, labels, rate=rng.uniform(0.01, 0.2))
    q = rng.normal(size=(20, d))
    return difference(q @ W_T.T, q @ W.T + (q @ x.T) @ e)


IDENTITIES = (
    Identity("I1", "Hebbian outer products are unnormalised linear attention", 1e-12, SCHLAG, _hebb),
    Identity(
        "I2",
        "a presynaptic trace that does not decay turns them into normalised linear attention",
        1e-12,
        KATHAROPOULOS,
        _trace,
    ),
    Identity(
        "I3a",
        "a Hebbian memory that decays is linear attention with recency weights lambda^(t-s)",
        1e-12,
        "Ba, Hinton, Mnih, Leibo & Ionescu 2016, arXiv:1610.06258",
        _decaying_hebb,
    ),
    Identity(
        "I4a",
        "the delta rule is one step of SGD on 1/2 |v - W k|^2",
        1e-12,
        f"Widrow & Hoff 1960, doi:10.21236/AD0241531; {SCHLAG}",
        _delta_rule,
    ),
    Identity("I4b", "the delta rule with beta = 1 and |k| = 1 overwrites exactly: W k = v", 1e-12, SCHLAG, _overwrite),
    Identity(
        "I5",
        "a linear layer after 1000 steps of SGD is linear attention over its training examples",
        1e-10,
        "Irie, Csordas & Schmidhuber 2022, arXiv:2202.05798",
        _dual_form,
    ),
)
