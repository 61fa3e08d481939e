"""A classifier of two classes with one hidden layer, its derivatives by hand, and the same by autograd.

    z = X W + b,   h = f(z),   p = s(h v + c),   s(a) = 1/(1 + exp(-a))

f is a rectifier ("relu"), s ("sigmoid") or nothing ("none": p = s(X v + c), one unit). The loss is the mean over rows of
-y log p - (1 - y) log(1 - p) ("cross_entropy") or of (p - y)^2/2 ("squared_error"). By hand, with e the derivative of the loss by
the argument of s, which is (p - y)/n or (p - y) p (1 - p)/n:

    dL/dv = h^T e,   dL/dc = sum e,   dL/dW = X^T (e v^T * f'(z)),   dL/db = sum over rows of e v^T * f'(z)
"""

from __future__ import annotations

import numpy as np
import torch
from scipy.special import expit
from torch.nn import functional

from bridges.training import one_thread

UNITS = ("relu", "sigmoid", "none")
LOSSES = ("cross_entropy", "squared_error")
Weights = dict[str, np.ndarray]


def start(features: int, hidden: int, unit: str, rng: np.random.Generator) -> Weights:
    """Weights W (features, hidden), b (hidden,), v (hidden,), c (1,); of "none" v (features,) and c."""
    if unit == "none":
        return {"v": np.zeros(features), "c": np.zeros(1)}
    W = rng.normal(0, np.sqrt(2 / features), (features, hidden))
    return {"W": W, "b": np.zeros(hidden), "v": rng.normal(0, np.sqrt(1 / hidden), hidden), "c": np.zeros(1)}


def _hidden(w: Weights, X: np.ndarray, unit: str) -> np.ndarray:
    if unit == "none":
        return X
    z = X @ w["W"] + w["b"]
    return np.maximum(z, 0) if unit == "relu" else expit(z)


def probability(w: Weights, X: np.ndarray, unit: str) -> np.ndarray:
    """p of each row of X (n, features), (n,)."""
    return expit(_hidden(w, X, unit) @ w["v"] + w["c"])


def by_hand(w: Weights, X: np.ndarray, y: np.ndarray, unit: str, loss: str) -> tuple[float, Weights]:
    """The loss, and its derivative by each weight; y (n,) of 0 and 1."""
    h = _hidden(w, X, unit)
    a = h @ w["v"] + w["c"]
    p = expit(a)
    if loss == "cross_entropy":
        value, e = float(np.mean(np.logaddexp(0, a) - y * a)), (p - y) / len(y)
    else:
        value, e = float(np.mean((p - y) ** 2) / 2), (p - y) * p * (1 - p) / len(y)
    found = {"v": h.T @ e, "c": e.sum(keepdims=True)}
    if unit != "none":
        back = np.outer(e, w["v"]) * ((h > 0) if unit == "relu" else h * (1 - h))
        found |= {"W": X.T @ back, "b": back.sum(axis=0)}
    return value, {name: found[name] for name in w}


def by_autograd(w: Weights, X: np.ndarray, y: np.ndarray, unit: str, loss: str) -> tuple[float, Weights]:
    """The same by PyTorch, in double precision."""
    act = {"relu": torch.relu, "sigmoid": torch.sigmoid}
    with one_thread():
        at = {name: torch.tensor(value, requires_grad=True) for name, value in w.items()}
        shown, asked = torch.as_tensor(X), torch.as_tensor(y, dtype=torch.float64)
        h = shown if unit == "none" else act[unit](shown @ at["W"] + at["b"])
        a = h @ at["v"] + at["c"]
        if loss == "cross_entropy":
            value = functional.binary_cross_entropy_with_logits(a, asked)
        else:
            value = (torch.sigmoid(a) - asked).square().mean() / 2
        value.backward()
        return float(value.detach()), {name: one.grad.numpy() for name, one in at.items() if one.grad is not None}


def descend(
    w: Weights, X: np.ndarray, y: np.ndarray, unit: str, loss: str, eta: float, steps: int, looks: np.ndarray
) -> list[Weights]:
    """Gradient descent on all rows at once: the weights after each of the numbers of steps `looks`, rising, and at the end."""
    now, kept = {name: value.copy() for name, value in w.items()}, []
    for step in range(steps):
        if step in looks:
            kept.append(now)
        _, slope = by_hand(now, X, y, unit, loss)
        now = {name: value - eta * slope[name] for name, value in now.items()}
    return [*kept, now]
