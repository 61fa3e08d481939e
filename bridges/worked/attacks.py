"""Images changed a little so that a classifier is wrong, by its gradient: one step (FGSM) or several (PGD); and training on them.

With L the cross-entropy of the right label, within eps of each pixel and within 0 to 1:

    FGSM   x + eps sign(dL/dx)                                               Goodfellow et al. 2015, arXiv:1412.6572
    PGD    from a random point, steps of eps/4 along the sign, cut off       Madry et al. 2018, arXiv:1706.06083

A spiking network is attacked through its twin in rates: rectified units with its very weights, whose gradient is known.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from bridges.torch_classifier import TorchClassifier
from bridges.training import one_thread, seeded
from plasticity.learners import SpikingBrainProp

Logits = Callable[[Tensor], Tensor]  # of images (n, pixels), (n, classes)
CPU = torch.device("cpu")


def logits_of(learner: Any) -> Logits:
    """The outputs of a torch classifier of one stream, or of the rate twin of a spiking network."""
    if isinstance(learner, TorchClassifier):
        model = learner.model_
        return lambda x: model(x[:, None, :], torch.zeros(len(x), dtype=torch.int64))
    weights = [torch.as_tensor(w, dtype=torch.float32) for w in learner.weights_]

    def rates(x: Tensor) -> Tensor:
        for w in weights[:-1]:
            x = torch.relu(x @ w)
        return x @ weights[-1]

    return rates


def _slope(logits: Logits, x: Tensor, label: Tensor) -> Tensor:
    at = x.detach().requires_grad_()
    (found,) = torch.autograd.grad(functional.cross_entropy(logits(at), label), at)
    return found


def _pgd(logits: Logits, x: Tensor, label: Tensor, eps: float, steps: int) -> Tensor:
    now = (x + eps * (2 * torch.rand_like(x) - 1)).clamp(0, 1)
    for _ in range(steps):
        now = now + eps / 4 * _slope(logits, now, label).sign()
        now = torch.clamp(torch.minimum(torch.maximum(now, x - eps), x + eps), 0, 1)
    return now


def _given(learner: Any, X: np.ndarray, y: np.ndarray) -> tuple[Tensor, Tensor]:
    return torch.as_tensor(X, dtype=torch.float32), torch.as_tensor(np.searchsorted(learner.classes_, y))


def fgsm(learner: TorchClassifier | SpikingBrainProp, X: np.ndarray, y: np.ndarray, eps: float) -> np.ndarray:
    """Images (n, pixels) after one step."""
    with one_thread():
        x, label = _given(learner, X, y)
        return (x + eps * _slope(logits_of(learner), x, label).sign()).clamp(0, 1).double().numpy()


def pgd(
    learner: TorchClassifier | SpikingBrainProp, X: np.ndarray, y: np.ndarray, eps: float, steps: int, seed: int
) -> np.ndarray:
    """Images (n, pixels) after so many steps from a random point."""
    with one_thread(), seeded(seed, CPU):
        return _pgd(logits_of(learner), *_given(learner, X, y), eps, steps).double().numpy()


def trained_against(
    learner: TorchClassifier, X: np.ndarray, y: np.ndarray, eps: float, steps: int, epochs: int, seed: int
) -> TorchClassifier:
    """A copy of a trained classifier that goes on learning, on images that PGD makes anew in every step (Madry et al. 2018)."""
    made = copy.copy(learner)
    made.model_ = copy.deepcopy(learner.model_)
    with one_thread(), seeded(seed, CPU):
        x, label = _given(made, X, y)
        moving = torch.optim.AdamW(made.model_.parameters(), lr=3e-3, weight_decay=0.01)
        falling = torch.optim.lr_scheduler.CosineAnnealingLR(moving, epochs)
        for _ in range(epochs):
            for part in torch.randperm(len(x)).split(64):
                made.model_.eval()
                hard = _pgd(logits_of(made), x[part], label[part], eps, steps)
                made.model_.train()
                moving.zero_grad()
                functional.cross_entropy(logits_of(made)(hard), label[part]).backward()
                moving.step()
            falling.step()
        made.model_.eval()
    return made
