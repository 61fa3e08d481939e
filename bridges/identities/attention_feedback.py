"""Learning with attention: BrainProp is backprop of the selected unit's error (I10)."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch.nn import functional

from bridges.identities.identity import Identity, difference, fitting


@fitting
def brainprop(
    weights: Sequence[np.ndarray], feedback: Sequence[np.ndarray], x: np.ndarray, action: np.ndarray, reward: np.ndarray
) -> list[np.ndarray]:
    """The change of each layer's weights by what is present at the synapse: presynaptic activity, attention, a global error.

    Forward y_l = relu(W_l y_{l-1}), Q = W_L y_{L-1}. The selected output unit a alone sends feedback: its attention is 1, that
    of the other output units 0; a layer below has the attention f_l = (y_l > 0) B_{l+1} f_{l+1}. With the reward prediction
    error delta = r - Q_a, which is broadcast to all synapses, dW_l = delta f_l y_{l-1}^T, at the learning rate 1 and added up
    over the trials.

    Parameters
    ----------
    weights : W_l, arrays (units of layer l, units of layer l-1)
    feedback : B_l, arrays (units of layer l-1, units of layer l); those of the first layer are not used
    x : array (trials, inputs)
    action : array (trials,) of int
        The selected unit a.
    reward : array (trials,)
        r.

    Source: Pozzi, Bohte & Roelfsema 2020, Advances in Neural Information Processing Systems 33; arXiv:1811.01768.
    """
    weights, feedback = (list(map(np.asarray, some)) for some in (weights, feedback))
    activity = [x]
    for W in weights[:-1]:
        activity.append(np.maximum(activity[-1] @ W.T, 0))
    Q = activity[-1] @ weights[-1].T
    trial = np.arange(len(x))
    delta = reward - Q[trial, action]
    attention = np.zeros_like(Q)
    attention[trial, action] = 1
    changes = []
    for below, B in zip(reversed(activity), reversed(feedback), strict=True):
        changes.append((delta[:, None] * attention).T @ below)
        attention = (below > 0) * (attention @ B.T)
    return changes[::-1]


@fitting
def backprop(weights: Sequence[np.ndarray], x: np.ndarray, action: np.ndarray, reward: np.ndarray) -> list[np.ndarray]:
    """Minus the gradient of the sum over trials of 1/2 (r - Q_a)^2, a the selected unit, by autograd through the same network."""
    tensors = [torch.from_numpy(W).requires_grad_() for W in weights]
    y = torch.from_numpy(x)
    for W in tensors[:-1]:
        y = functional.relu(functional.linear(y, W))
    selected = functional.linear(y, tensors[-1]).gather(1, torch.from_numpy(action)[:, None])[:, 0]
    loss = 0.5 * (torch.from_numpy(reward) - selected).square().sum()
    return [-gradient.numpy() for gradient in torch.autograd.grad(loss, tensors)]


@fitting
def trials(rng: np.random.Generator) -> tuple[list[np.ndarray], np.ndarray, np.ndarray, np.ndarray]:
    """Weights of three to five layers of 3 to 40 units; inputs, selected units and rewards (0 or 1) of 32 trials."""
    units = rng.integers(3, 41, size=rng.integers(4, 7))
    weights = [rng.normal(size=(m, n)) * math.sqrt(2 / n) for n, m in zip(units[:-1], units[1:], strict=True)]
    return weights, rng.normal(size=(32, units[0])), rng.integers(units[-1], size=32), rng.integers(2, size=32).astype(float)


def _joined(arrays: Sequence[np.ndarray]) -> np.ndarray:
    return np.concatenate([np.ravel(array) for array in arrays])


@fitting
def cosine(a: Sequence[np.ndarray], b: Sequence[np.ndarray]) -> float:
    """The cosine of the angle between two lists of arrays, each taken as one long vector."""
    u, v = _joined(a), _joined(b)
    return float(u @ v / (np.linalg.norm(u) * np.linalg.norm(v)))


def _brainprop(rng: np.random.Generator) -> float:
    weights, *drawn = trials(rng)
    local, gradient = brainprop(weights, [W.T for W in weights], *drawn), backprop(weights, *drawn)
    return max(difference(_joined(local), _joined(gradient)), 1 - cosine(local, gradient))


IDENTITIES = (
    Identity(
        "I10",
        "the BrainProp update is the backprop gradient of the selected unit",
        1e-12,
        "Pozzi, Bohte & Roelfsema 2020, NeurIPS 33; arXiv:1811.01768",
        _brainprop,
    ),
)
