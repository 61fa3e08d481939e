"""Training with few connections: networks of `sparse_digits`, and those of `critical_period`, whose pool follows a law."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import torch
from brian2 import Hz, second
from torch import nn
from torch.nn import functional
from torch.nn.utils import prune

from bridges.counting import UPDATE, counting
from bridges.sparse import Sparse
from bridges.training import one_thread, seeded
from plasticity.engine.operations import Costs, Operations, operations
from plasticity.parallel import Progress
from plasticity.structure import Law, deep_r, sparse_evolution

Trials = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]
BATCH = 32

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


def pruned(law: Law | None, alive: float, trials: Trials, hidden: int, rate: float, epochs: int, lasts: float, updates: int,
           seed: int) -> dict[str, Any]:  # fmt: skip
    """A network of one hidden layer whose first layer follows a law while it is trained by AdamW; without one it stays full.

    Parameters
    ----------
    law : Law or None
    alive : float
        The share of the first layer that is alive at first.
    trials : tuple of arrays
        Training, validation and test stimuli (trials, features) and labels, in turn.
    hidden, rate, epochs, seed : int, float, int, int
    lasts : float
        Seconds that the law is told that all of training takes.
    updates : int
        About how often the law is asked.

    Returns
    -------
    dict
        `accuracy` on validation and on test trials, `living` (after each update), `costs` (`Costs`, on average over training).
    """
    X, y, *others = (torch.from_numpy(np.ascontiguousarray(part)) for part in trials)
    X, y = X.float(), y.long()
    classes, per_epoch = int(y.max()) + 1, -(-len(X) // BATCH)
    total = per_epoch * epochs
    with one_thread(), seeded(seed, torch.device("cpu")):
        first = nn.Linear(X.shape[1], hidden)
        model = nn.Sequential(first, nn.ReLU(), nn.Linear(hidden, classes))
        nn.init.normal_(first.weight, std=(2 / (X.shape[1] * alive)) ** 0.5)
        sparse, steps = None, max(1, total // updates)
        if law is not None:
            sparse = Sparse([first], law, alive, steps=steps, every=lasts / total * second, signs=False, seed=seed)
        optimiser = torch.optim.AdamW(model.parameters(), lr=rate)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, total)
        living = [sparse.alive if sparse else first.weight.numel()]
        for _ in range(epochs):
            order = torch.randperm(len(X))
            for step in range(per_epoch):
                part = order[step * BATCH : (step + 1) * BATCH]
                optimiser.zero_grad()
                functional.cross_entropy(model(X[part]), y[part]).backward()
                optimiser.step()
                schedule.step()
                if sparse:
                    sparse.step(optimiser)
                    if sparse.updates % steps == 0:
                        living.append(sparse.alive)
        model.eval()
        with torch.inference_mode():
            right = [
                float((model(shown.float()).argmax(dim=1) == told.long()).double().mean())
                for shown, told in zip(others[::2], others[1::2], strict=True)
            ]
    if sparse:
        prune.remove(first, "weight")
    costs = _costs(model, first.weight.numel(), X.shape[1], living[-1], float(np.mean(living)), sparse is not None)
    return {"accuracy": right, "living": np.array(living), "costs": costs}


def _costs(model: nn.Module, pool: int, features: int, alive: float, mean: float, addressed: bool) -> Costs:
    """Of a training trial and of a decision, by the counter of all torch models, where the living connections alone count.

    A dead one takes no product, no word of weights, no gradient, no update. Each living one has an address, a word that is kept
    with its weight, and read where the connection is used.
    """
    size = sum(p.numel() for p in model.parameters())
    with one_thread(), counting(model) as decision:
        model(torch.zeros(1, features))
    with one_thread(), counting(model) as forward:
        loss = functional.cross_entropy(model(torch.zeros(BATCH, features)), torch.zeros(BATCH, dtype=torch.long))
    with one_thread(), counting(model) as backward:
        loss.backward()
    update = operations(UPDATE["adamw"], {"g", "m", "v"})
    update = dataclasses.replace(update, weight_words=update.weight_words + update.state_words, state_words=0.0)

    dead, lost = pool - alive, pool - mean
    read, kept = (mean, alive) if addressed else (0.0, 0.0)  # addresses, in training and in the end

    def without(dead: float, addresses: float, batch: int) -> Operations:
        """What dead connections do not do, a product a trial, a word a batch; and the addresses of the others, which are read."""
        return Operations(-dead, -dead, (addresses - dead) / batch, 0.0, -dead)

    gradients = Operations(weight_words=size - lost, state_words=-size)  # they lie where the weights lie, those of living ones
    training = {
        "forward": (1 / BATCH) * forward.done + without(lost, read, BATCH),
        "backward": (1 / BATCH) * (backward.done + gradients) + Operations(-lost, -lost, sums=-lost),
        "update": ((size - lost) / BATCH) * update,
    }
    assert all(number >= 0 for done in training.values() for number in dataclasses.astuple(done))
    return Costs(
        "torch", training, {"forward": decision.done + without(dead, kept, 1)},
        stored={
            "training": {"weights": 4 * (size - lost) + read, "states": forward.written},
            "decision": {"weights": size - dead + kept, "states": decision.held},
        },
    )  # fmt: skip
