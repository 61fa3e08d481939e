"""Whom plasticity gives the credit: what a spiking learner changes beside what the gradient of the same network would change.

The network is that of `plasticity.learners.SpikingBrainProp`, its gradient that of `bridges.models.SurrogateTwin` with the same
weights on the same trials. The change is that of one block of trials from these weights, at rates so small that they stay where
they are meanwhile, so that it is a direction at a point as the gradient is.
"""

from __future__ import annotations

import contextlib
import copy
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from bridges.models import SurrogateTwin
from bridges.torch_classifier import TorchClassifier
from bridges.training import LOSSES as LOSSES_OF_MODELS
from bridges.training import make_optimiser, make_schedule, one_thread, seeded
from plasticity.checked import checked
from plasticity.learners import SpikingBrainProp
from plasticity.tasks import split_streams

STILL = 1e-4  # of the rates of learning: the weights hardly move in a block

LOSSES = ("chosen", "all")
"""chosen: (reward - predicted)^2/2 of the chosen action, from which the rule is derived; all: the sum of this over all actions,
which takes a teacher who tells what each would bring. Both summed over trials."""


@checked
def change(learner: SpikingBrainProp, X: Any, y: Any, seed: int = 0) -> list[np.ndarray]:
    """What these trials change: of each layer (below, above) from below, then of the gate (cue, stream). The learner stays."""
    moved = copy.copy(learner).learn_more(X, y, STILL, seed)
    return [now - was for was, now in zip(_parts(learner), _parts(moved), strict=True)]


def _parts(learner: SpikingBrainProp) -> list[np.ndarray]:
    return [*learner.weights_, *([] if learner.gate_weights_ is None else [learner.gate_weights_])]


@checked
@one_thread()
def downhill(learner: SpikingBrainProp, X: Any, y: Any) -> dict[str, list[np.ndarray]]:
    """Minus the gradient of each of `LOSSES` on these trials, in the form of `change`.

    By the surrogate twin, back through time. That of the gate is by its gains, whose sum stays 1: nan under a cue for which a
    gain is 0 or 1, from which the twin cannot move it.

    Raises
    ------
    WrongUse
        A learner that the twin cannot express (`SurrogateTwin.take_over`).
    """
    gains, streams = learner.gate_weights_, learner.streams if learner.gate_weights_ is not None else 1
    stimulus, cue = split_streams(np.asarray(X, dtype=float), streams)
    sizes = [len(learner.weights_[0]), *(w.shape[1] for w in learner.weights_)]
    twin = SurrogateTwin(streams, sizes[0], sizes[-1], layers=sizes[1:-1]).double().eval()
    twin.take_over(learner)
    values = twin(torch.as_tensor(stimulus), torch.as_tensor(cue))
    brings = functional.one_hot(torch.as_tensor(np.searchsorted(learner.classes_, y)), sizes[-1]).double()
    error = (brings - values).square() / 2  # (trials, actions)
    losses = {"chosen": error.gather(1, values.argmax(dim=1, keepdim=True)).sum(), "all": error.sum()}
    found = {}
    weights = [layer.weight for layer in (*twin.maps, twin.head)]
    for name, loss in losses.items():
        found[name] = [-one.numpy().T for one in torch.autograd.grad(loss, weights, retain_graph=True)]
        if gains is not None:
            (by_parameter,) = torch.autograd.grad(loss, twin.query.weight, retain_graph=True)
            moves = (gains * (1 - gains) > 1e-9).all(axis=1, keepdims=True)
            by_gain = by_parameter.numpy() / np.where(moves, gains, np.nan)  # up to what is the same for all streams
            found[name].append(by_gain.mean(axis=1, keepdims=True) - by_gain)
    return found


@checked
def cosine(a: np.ndarray, b: np.ndarray) -> float:
    """Of two arrays of one shape, over the numbers that both have; nan where one of them is all 0."""
    known = np.isfinite(a) & np.isfinite(b)
    length = np.linalg.norm(a[known]) * np.linalg.norm(b[known])
    return float((a[known] * b[known]).sum() / length) if length > 0 else float("nan")


@checked
def course(learner: SpikingBrainProp, X: Any, y: Any, passes: int, seed: int = 0) -> Iterator[int]:
    """Learn from the weights as they are, with rates that fall as in `fit`: yields the trials shown so far, from 0, by blocks."""
    yield 0
    rng, total, done = np.random.default_rng([seed, 5]), passes * len(X), 0
    for _ in range(passes):
        order = rng.permutation(len(X))
        for part in np.split(order, range(learner.block, len(order), learner.block)):
            learner.learn_more(X[part], y[part], learner.eta_end ** (done / total), seed=done)
            done += len(part)
            yield done


@checked
def by_gradient(classifier: TorchClassifier, X: Any, y: Any, passes: int, seed: int = 0) -> None:
    """The same of a torch classifier: its optimiser and schedule, from the weights as they are, without stopping early."""
    model, device = classifier.model_, torch.device("cpu")
    images, cued = split_streams(np.asarray(X), classifier.streams_)
    stimulus, cue = torch.as_tensor(images, dtype=torch.float32), torch.as_tensor(cued)
    label = torch.as_tensor(np.searchsorted(classifier.classes_, y))
    moving = make_optimiser(model, classifier.optimiser, classifier.learning_rate, classifier.weight_decay, classifier.momentum)
    rate = make_schedule(moving, classifier.schedule, passes * math.ceil(len(X) / classifier.batch))
    with one_thread(), seeded(seed, device):
        model.train()
        for _ in range(passes):
            for part in torch.randperm(len(X)).split(classifier.batch):
                moving.zero_grad()
                output = model(stimulus[part], cue[part])
                LOSSES_OF_MODELS[model.loss](output, label[part]).backward()
                torch.nn.utils.clip_grad_norm_(model.parameters(), classifier.clip)
                moving.step()
                rate.step()
        model.eval()


@contextlib.contextmanager
def deleted(learner: SpikingBrainProp | TorchClassifier, layer: int, share: float, rng: np.random.Generator) -> Iterator[None]:
    """Inside, that share of the synapses of a layer, drawn at random, has weight 0; layer 0 is that from the inputs.

    A torch classifier is one of the model `relu_backprop`, whose layers are 0 and 1.
    """
    if isinstance(learner, SpikingBrainProp):
        w = learner.weights_[layer]
    else:
        model: Any = learner.model_
        w = (model.below, model.head[-1])[layer].weight.detach().numpy()
    kept = w.copy()
    w[rng.random(w.shape) < share] = 0
    try:
        yield
    finally:
        w[:] = kept
