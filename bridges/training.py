"""One training loop for every torch model, and the guards around it: seeded, one thread, global state untouched."""

from __future__ import annotations

import contextlib
import copy
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from bridges.models.backbone import Model
from plasticity.errors import PlasticityError


@dataclass(frozen=True)
class Batch:
    """Trials as tensors on one device: stimulus (n, streams, features) float, cue (n,) and label (n,) int64."""

    stimulus: Tensor
    cue: Tensor
    label: Tensor

    def __len__(self) -> int:
        return len(self.label)


@dataclass(frozen=True)
class History:
    """The learning curve: accuracy and mean loss (nats) on validation trials after `trials` training trials.

    `trials` starts at 0 and counts repeats; `best_trials` is the point whose weights the model was left with.
    """

    trials: np.ndarray
    accuracy: np.ndarray
    loss: np.ndarray
    best_trials: int


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Torch works on one thread inside: small matrices run faster, sums keep their order, processes side by side do not fight."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


@contextlib.contextmanager
def seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Torch's generator of this device starts from `seed` inside; outside, it goes on as if nothing had happened."""
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.default_generator.manual_seed(seed)
        if device.type == "cuda":
            with torch.cuda.device(device):
                torch.cuda.manual_seed(seed)
        yield


def evaluate(model: Model, batch: Batch) -> tuple[float, float]:
    """Accuracy and mean cross-entropy (nats) of the model on these trials, dropout off."""
    model.eval()
    with torch.inference_mode():
        logits = model(batch.stimulus, batch.cue)  # (n, classes)
        loss = functional.cross_entropy(logits, batch.label).item()
        accuracy = (logits.argmax(dim=1) == batch.label).double().mean().item()
    return accuracy, loss


def curve_points(trials: int, batch: int, points: int = 10) -> set[int]:
    """Steps after which the learning curve is measured besides every epoch's end: log-spaced over the first two epochs."""
    per_epoch = math.ceil(trials / batch)
    return {round(step) for step in np.geomspace(1, 2 * per_epoch, points)}


def train(
    model: Model,
    training: Batch,
    validation: Batch,
    *,
    epochs: int,
    learning_rate: float,
    weight_decay: float,
    batch: int,
    patience: int,
    clip: float = 1.0,
    progress: Callable[[float], None] | None = None,
) -> History:
    """Train by gradient and leave the model with its best weights.

    Cross-entropy; AdamW (Loshchilov & Hutter 2019, arXiv:1711.05101), weight decay on the matrices of linear layers alone;
    learning rate down to zero along a cosine (Loshchilov & Hutter 2017, arXiv:1608.03983); gradient norm clipped at `clip`
    (Pascanu, Mikolov & Bengio 2013, arXiv:1211.5063). After every epoch the validation loss is measured; the weights of the
    epoch with the lowest are kept, and training stops when `patience` epochs in a row brought none lower. The training trials
    alone set the standardisation. No augmentation.

    The order of the trials and the dropout come from torch's generator of the device: call it inside `seeded`.

    Raises
    ------
    PlasticityError
        The loss is no longer finite.
    """
    model.standardise_by(training.stimulus)
    decayed = [module.weight for module in model.modules() if isinstance(module, nn.Linear)]
    plain = [p for p in model.parameters() if all(p is not weight for weight in decayed)]  # biases, embeddings: no decay
    optimiser = torch.optim.AdamW(
        [{"params": decayed, "weight_decay": weight_decay}, {"params": plain, "weight_decay": 0.0}], lr=learning_rate, fused=True
    )
    per_epoch = math.ceil(len(training) / batch)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, T_max=epochs * per_epoch)
    points = curve_points(len(training), batch)
    accuracy, best_loss = evaluate(model, validation)
    curve = [(0, accuracy, best_loss)]
    best, best_trials, waited, step, shown = copy.deepcopy(model.state_dict()), 0, 0, 0, 0
    for epoch in range(epochs):
        order = torch.randperm(len(training), device=training.label.device)  # (n,)
        shuffled = Batch(training.stimulus[order], training.cue[order], training.label[order])
        model.train()
        for start in range(0, len(training), batch):
            part = slice(start, start + batch)
            optimiser.zero_grad(set_to_none=True)
            functional.cross_entropy(model(shuffled.stimulus[part], shuffled.cue[part]), shuffled.label[part]).backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), clip)
            optimiser.step()
            schedule.step()
            step += 1
            shown += len(shuffled.label[part])
            if step in points and step % per_epoch:
                curve.append((shown, *evaluate(model, validation)))
                model.train()
        accuracy, loss = evaluate(model, validation)
        curve.append((shown, accuracy, loss))
        if not math.isfinite(loss):
            raise PlasticityError(
                f"training {model.name} diverged in epoch {epoch + 1}: the validation loss is {loss}; "
                f"give a smaller learning_rate than {learning_rate}."
            )
        if progress is not None:
            progress((epoch + 1) / epochs)
        if loss < best_loss:
            best, best_loss, best_trials, waited = copy.deepcopy(model.state_dict()), loss, shown, 0
        else:
            waited += 1
            if waited >= patience:
                break
    if progress is not None:
        progress(1.0)
    model.load_state_dict(best)
    model.eval()
    trials, accuracies, losses = (np.array(column) for column in zip(*curve, strict=True))
    return History(trials.astype(np.int64), accuracies.astype(float), losses.astype(float), best_trials)
