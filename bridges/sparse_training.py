"""Training of `sparse_digits`: a network with few connections, a smaller one, a linear one, or a dense one."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from brian2 import Hz
from torch import nn
from torch.nn import functional

from bridges.sparse import Sparse
from bridges.training import one_thread, seeded
from plasticity.parallel import Progress
from plasticity.structure import deep_r, sparse_evolution

PENALTY, NOISE = (
    1e-5,
    1e-5,
)  # of the authors' script: L1, and a random step; both times the learning rate
FALLS = 0.8  # the learning rate in an epoch


def one(asked: Any, item: tuple[str, int, int], progress: Progress) -> dict[str, np.ndarray]:
    """One training, by epoch: `accuracy` on the test images, `alive`, `turnover` (came alive); `range` least and most alive."""
    condition, number, seed = item
    share = asked.shares[number] if condition != "dense" else 1.0
    images = asked.images(seed)
    X, y, shown, answers = (torch.from_numpy(np.ascontiguousarray(part)) for part in images)
    y, answers = y.long(), answers.long()
    layers, alive = asked.sizes(X.shape[1], share)
    if condition == "smaller":
        wanted = share * sum(a * b for a, b in layers) + sum(b for _, b in layers)
        hidden = max(1, round((wanted - 10) / (X.shape[1] + 1 + 10)))
        layers = [(X.shape[1], hidden), (hidden, 10)]
    elif condition == "linear":
        layers = [(X.shape[1], 10)]
    with one_thread(), seeded(seed, torch.device("cpu")):
        linear = [nn.Linear(a, b) for a, b in layers]
        for layer, part in zip(linear, alive, strict=False):
            nn.init.normal_(
                layer.weight, std=(2 / (layer.in_features * (part if condition in ("deep_r", "set", "fixed") else 1))) ** 0.5
            )
            nn.init.zeros_(layer.bias)
        model = nn.Sequential(*[part for layer in linear for part in (layer, nn.ReLU())][:-1])
        rate = asked.plain_rate if condition in ("smaller", "linear") else asked.learning_rate
        per_epoch = -(-len(X) // asked.batch)
        sparse = None
        if condition in ("deep_r", "set", "fixed"):
            law = deep_r(decay=rate * PENALTY * Hz, temperature=(rate * NOISE) ** 2 / 2 * Hz, w_new=1e-12)
            law = law if condition == "deep_r" else sparse_evolution(w_new=0.0)
            steps = {"deep_r": asked.steps, "set": per_epoch, "fixed": 2**62}[condition]
            sparse = Sparse(linear, law, alive, steps=steps, signs=condition == "deep_r", seed=seed)
        optimiser = torch.optim.SGD(model.parameters(), lr=rate)
        total = sum(layer.in_features * layer.out_features for layer in linear)
        told: dict[str, list[float]] = {"accuracy": [], "alive": [], "turnover": []}
        counts = [sparse.alive if sparse else total]
        for epoch in range(asked.epochs):
            order = torch.randperm(len(X))
            before = sum(sparse.born) if sparse else 0
            for step in range(per_epoch):
                part_of = order[step * asked.batch : (step + 1) * asked.batch]
                optimiser.zero_grad()
                functional.cross_entropy(model(X[part_of]), y[part_of]).backward()
                optimiser.step()
                if sparse:
                    updates = len(sparse.born)
                    sparse.step(optimiser)
                    if len(sparse.born) > updates:  # between updates no mask changes
                        counts.append(sparse.alive)
                if step % 500 == 0:
                    progress((epoch + step / per_epoch) / asked.epochs)
            for group in optimiser.param_groups:
                group["lr"] *= FALLS
            with torch.inference_mode():
                told["accuracy"].append(float((model(shown).argmax(dim=1) == answers).double().mean()))
            told["alive"].append(counts[-1])
            told["turnover"].append(sum(sparse.born) - before if sparse else 0)
        progress(1.0)
    return {name: np.array(values, dtype=float) for name, values in told.items()} | {
        "range": np.array([min(counts), max(counts)], dtype=float)
    }
