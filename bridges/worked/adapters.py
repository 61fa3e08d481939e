"""A trained network that learns something else: through small adapters on frozen weights, its last layer alone, or as a whole.

An adapter of rank r adds B A to a weight matrix W (out, in) that stays as it is: A (r, in) starts at random, B (out, r) at 0, so
that nothing changes at first; r (in + out) numbers learn instead of in * out (Hu et al. 2021, arXiv:2106.09685).
"""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from bridges.torch_classifier import TorchClassifier
from bridges.training import one_thread, seeded

EPOCHS, RATE, BATCH = 80, 1e-2, 32  # chosen on draws of seeds 1000 to 1002, the same for all ways


class Adapted(nn.Module):
    """A linear layer that stays as it is, with an adapter beside it."""

    def __init__(self, layer: nn.Linear, rank: int) -> None:
        super().__init__()
        self.layer = layer
        self.A = nn.Parameter(torch.randn(rank, layer.in_features) / layer.in_features**0.5)
        self.B = nn.Parameter(torch.zeros(layer.out_features, rank))

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x) + x @ self.A.T @ self.B.T


def _linear(model: nn.Module) -> list[tuple[nn.Module, str, nn.Linear]]:
    """Its linear layers, each with what holds it and under which name."""
    return [
        (holder, name, one) for holder in model.modules() for name, one in holder.named_children() if isinstance(one, nn.Linear)
    ]


def learnt(
    learner: TorchClassifier, X: np.ndarray, y: np.ndarray, way: str | int, seed: int, rate: float = RATE
) -> tuple[TorchClassifier, int]:
    """A copy that has learnt these trials of the same classes, and how many numbers learnt.

    `way`: the rank of adapters on all linear layers; "frozen": none learns; "last": the last layer alone; "all": every number.
    """
    made: Any = copy.copy(learner)
    made.model_ = copy.deepcopy(learner.model_)
    model: Any = made.model_
    with one_thread(), seeded(seed, torch.device("cpu")):
        for number in model.parameters():
            number.requires_grad_(way == "all")
        layers = _linear(model)
        if isinstance(way, int):
            for holder, name, layer in layers:
                setattr(holder, name, Adapted(layer, way))
        elif way == "last":
            for number in model.head[-1].parameters():
                number.requires_grad_(True)
        moving = [number for number in model.parameters() if number.requires_grad]
        if moving:
            shown, cue = torch.as_tensor(X[:, None, :], dtype=torch.float32), torch.zeros(len(X), dtype=torch.int64)
            label = torch.as_tensor(np.searchsorted(learner.classes_, y))
            optimiser = torch.optim.AdamW(moving, lr=rate, weight_decay=0.01)
            falling = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, EPOCHS)
            model.train()
            for _ in range(EPOCHS):
                for part in torch.randperm(len(label)).split(BATCH):
                    optimiser.zero_grad()
                    functional.cross_entropy(model(shown[part], cue[part]), label[part]).backward()
                    optimiser.step()
                falling.step()
        model.eval()
    return made, sum(number.numel() for number in moving)


def matrices(learner: TorchClassifier) -> list[np.ndarray]:
    """Its weight matrices, as they lie in the model: what is written into them is in the model."""
    return [layer.weight.detach().numpy() for _, _, layer in _linear(learner.model_)]
