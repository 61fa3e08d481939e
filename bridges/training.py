"""One training loop for every torch model, and the guards around it: seeded, one thread at a time, global state untouched."""

from __future__ import annotations

import contextlib
import copy
import math
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import Optimizer
from torch.optim.lr_scheduler import CosineAnnealingLR, LambdaLR, LRScheduler

from bridges.models.backbone import Model
from plasticity.checkpoints import Checkpoints
from plasticity.errors import PlasticityError, unknown

Row = tuple[float, ...]  # of a learning curve: accuracy, loss, and what else a model has
SHARE = 0.05  # of the time of training that may go into checkpoints


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
    """The learning curve: accuracy and mean loss (the model's, see `LOSSES`) on validation trials after `trials` training trials.

    `trials` starts at 0 and counts repeats; `best_trials` is the point whose weights the model was left with. `attended` is the
    share of the attention that the cued stream gets then, 1 of several streams where it gets all; NaN where there is none.
    """

    trials: np.ndarray
    accuracy: np.ndarray
    loss: np.ndarray
    attended: np.ndarray
    best_trials: int


_ALONE = threading.RLock()  # torch has one generator and one set of switches for the whole process
_COUNT = threading.Lock()
_within = threading.local()  # how often this thread is inside of `limited`
_inside = 0  # how many threads are
_threads = 0  # torch's threads as the first of them found them


@contextlib.contextmanager
def limited() -> Iterator[None]:
    """Torch works on one thread inside, for whichever threads of this process are; outside, it has as many as before.

    Torch keeps the number for each thread of a process, and one that is new begins with the number set last, by whomever.
    """
    global _inside, _threads
    depth = getattr(_within, "depth", 0)
    with _COUNT:
        found = torch.get_num_threads()  # asked in any case: a new thread that is not would take over a number set later
        if not _inside:
            _threads = found
        _inside += not depth
        torch.set_num_threads(1)
    _within.depth = depth + 1
    try:
        yield
    finally:
        _within.depth = depth
        if not depth:
            with _COUNT:
                _inside -= 1
                torch.set_num_threads(_threads)


@contextlib.contextmanager
def _as_imported() -> Iterator[None]:
    """What the caller has switched in torch, and what would change the numbers, is inside as after `import torch`."""
    dtype, precision, place = torch.get_default_dtype(), torch.get_float32_matmul_precision(), torch.get_default_device()
    with contextlib.ExitStack() as stack:
        stack.enter_context(torch.inference_mode(False))
        stack.enter_context(torch.enable_grad())
        for kind in ("cpu", "cuda") if torch.cuda.is_available() else ("cpu",):
            stack.enter_context(torch.autocast(kind, enabled=False))
        if place.type != "cpu":
            stack.enter_context(torch.device("cpu"))
        stack.callback(torch.set_float32_matmul_precision, precision)
        stack.callback(torch.set_default_dtype, dtype)
        torch.set_float32_matmul_precision("highest")
        torch.set_default_dtype(torch.float32)
        yield


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Torch works on one thread inside, and for one thread of this process at a time: the others wait until it leaves.

    Small matrices run faster so, sums keep their order, processes side by side do not fight. And nothing that torch has once in
    a process (its generator, see `seeded`; its switches, see `bridges.counting`) is changed by one thread under another: what
    is trained in threads is the same to the bit as alone. For training side by side take processes. The caller's own switches
    (default type, precision, autocast, inference mode, default device) are set aside too.
    """
    with _ALONE, limited(), _as_imported():
        yield


@contextlib.contextmanager
def seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Torch's generator of this device starts from `seed` inside; outside, it goes on as if nothing had happened.

    One thread of this process at a time is inside, as in `one_thread`.
    """
    with _ALONE, torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.default_generator.manual_seed(seed)
        if device.type == "cuda":
            with torch.cuda.device(device):
                torch.cuda.manual_seed(seed)
        yield


# What is minimised, and how


def squared_error(output: Tensor, label: Tensor) -> Tensor:
    """`(1 / (n C)) sum_n sum_c (output_nc - onehot(label_n)_c)^2` of outputs (n, C) and labels (n,), without a unit.

    The least squares output is the probability of each class given the input (Richard & Lippmann 1991,
    doi:10.1162/neco.1991.3.4.461); as a loss of classifiers see Hui & Belkin 2021, arXiv:2006.07322.
    """
    return functional.mse_loss(output, functional.one_hot(label, output.shape[1]).to(output.dtype))


LOSSES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "cross_entropy": functional.cross_entropy,  # mean over trials of -log softmax(output)_label, nats
    "squared_error": squared_error,
}
OPTIMISERS = ("adamw", "sgd")
SCHEDULES = ("cosine", "step", "constant")


def make_optimiser(model: nn.Module, name: str, learning_rate: float, weight_decay: float, momentum: float = 0.9) -> Optimizer:
    """The optimiser of a model's parameters w with gradient g, learning rate eta and weight decay lambda.

    "adamw" (Loshchilov & Hutter 2019, arXiv:1711.05101) has moments m and v of g with beta = 0.9 and 0.999 (Kingma & Ba 2015,
    arXiv:1412.6980), and its decay is decoupled from them: `w <- (1 - eta lambda) w - eta m_hat / (sqrt(v_hat) + 1e-8)`.

    "sgd" has Nesterov's momentum mu (Sutskever et al. 2013, PMLR 28:1139-1147, in the form of torch; none where it is 0), and its
    decay is an L2 penalty, the gradient of lambda/2 |w|^2 added to g: `h = g + lambda w; b <- mu b + h; w <- w - eta (h + mu b)`,
    b from 0.

    Only the matrices of linear layers decay: no biases, embeddings, norms, convolutions or recurrent weights. Beware: the same
    lambda is not the same strength in both. In a step a weight without gradient shrinks by the share eta lambda in AdamW, and in
    the long run by about eta lambda / (1 - mu) in SGD.
    """
    decayed = [module.weight for module in model.modules() if isinstance(module, nn.Linear)]
    plain = [p for p in model.parameters() if all(p is not weight for weight in decayed)]
    groups = [{"params": decayed, "weight_decay": weight_decay}, {"params": plain, "weight_decay": 0.0}]
    if name == "adamw":
        return torch.optim.AdamW(groups, lr=learning_rate, fused=True)
    if name == "sgd":
        return torch.optim.SGD(groups, lr=learning_rate, momentum=momentum, nesterov=momentum > 0, fused=True)
    raise unknown("optimiser", str(name), OPTIMISERS)


def make_schedule(optimiser: Optimizer, name: str, steps: int, rising: int = 0) -> LRScheduler:
    """The learning rate eta_t in step t of `steps`, from that of the optimiser, eta_0.

    "cosine": `eta_0 (1 + cos(pi t / steps)) / 2`, down to zero (Loshchilov & Hutter 2017, arXiv:1608.03983). "step": a tenth
    after half of the steps, a hundredth after three quarters (He et al. 2016, doi:10.1109/CVPR.2016.90). "constant": eta_0.
    In the first steps, so many as `rising`, it is times `(t + 1) / rising`.
    """
    shapes: dict[str, Callable[[int], float]] = {
        "cosine": lambda t: (1 + math.cos(math.pi * t / steps)) / 2,
        "step": lambda t: 0.1 ** ((2 * t >= steps) + (4 * t >= 3 * steps)),
        "constant": lambda t: 1.0,
    }
    if name not in shapes:
        raise unknown("schedule", str(name), SCHEDULES)
    if name == "cosine" and not rising:
        return CosineAnnealingLR(optimiser, T_max=steps)
    return LambdaLR(optimiser, lambda t: shapes[name](t) * min(1.0, (t + 1) / max(1, rising)))


# Training


def together(model: Model, stimulus: Tensor, cue: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """Trials, as many at a time as the model answers together."""
    return zip(stimulus.split(model.together), cue.split(model.together), strict=True)


def evaluate(model: Model, batch: Batch) -> tuple[float, float]:
    """Accuracy and mean loss of the model on these trials, dropout off."""
    model.eval()
    with torch.inference_mode():
        logits = torch.cat([model(*part) for part in together(model, batch.stimulus, batch.cue)])  # (n, classes)
        loss = LOSSES[model.loss](logits, batch.label).item()
        accuracy = (logits.argmax(dim=1) == batch.label).double().mean().item()
    return accuracy, loss


def attended(model: Model, batch: Batch) -> float:
    """The mean share of the cued stream in the attention of these trials; NaN of a model without, or of one stream."""
    with torch.inference_mode():
        if not model.cued:
            return math.nan
        weights = model.attention_weights(batch.stimulus, batch.cue)  # (n, streams)
    if weights is None or weights.shape[1] == 1:
        return math.nan
    share = weights / weights.sum(dim=1, keepdim=True)
    return float(share.gather(1, batch.cue[:, None]).double().mean())


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
    optimiser: str = "adamw",
    momentum: float = 0.9,
    schedule: str = "cosine",
    clip: float = 1.0,
    checkpoints: Checkpoints | None = None,
    log: Callable[[int, float, float, float], None] | None = None,
    progress: Callable[[float], None] | None = None,
) -> History:
    """Train by gradient and leave the model with its best weights.

    The loss is the model's (`LOSSES`), optimiser and weight decay are those of `make_optimiser`, the learning rate that of
    `make_schedule`. The norm of the gradient of the loss, over all parameters, is scaled down to `clip` where it is larger
    (Pascanu, Mikolov & Bengio 2013, arXiv:1211.5063; infinity: never). After every epoch the validation loss is measured; the
    weights of the epoch with the lowest are kept, and training stops when `patience` epochs in a row brought none lower (early
    stopping: Prechelt 1998, doi:10.1007/3-540-49430-8_3). The training trials alone set the standardisation. No augmentation.

    The order of the trials and the dropout come from torch's generator of the device: call it inside `seeded`.

    With `checkpoints` all that training goes on from is saved at ends of epochs, as often as `SHARE` of the time allows. A call
    with the same model, trials and arguments then goes on there, and ends with the same weights as if it had never stopped (to
    the bit on a CPU). Nothing is saved after the last epoch. `log` is called with the number of epochs done, from 0, and
    validation accuracy, validation loss and learning rate then.

    Raises
    ------
    WrongUse
        An unknown optimiser or schedule; checkpoints of another training.
    PlasticityError
        The loss is no longer finite; a checkpoint cannot be read or written.
    """
    model.standardise_by(training.stimulus)
    moving = make_optimiser(model, optimiser, learning_rate, weight_decay, momentum)
    per_epoch = math.ceil(len(training) / batch)
    rate = make_schedule(moving, schedule, epochs * per_epoch)
    loss_of = LOSSES[model.loss]
    points = curve_points(len(training), batch)

    def row() -> Row:
        return (*evaluate(model, validation), attended(model, validation))

    def one(epoch: int, curve: list[Any]) -> Row:
        order = torch.randperm(len(training), device=training.label.device)  # (n,)
        shuffled = Batch(training.stimulus[order], training.cue[order], training.label[order])
        model.train()
        for step, start in enumerate(range(0, len(training), batch), start=epoch * per_epoch + 1):
            part = slice(start, start + batch)
            moving.zero_grad(set_to_none=True)
            loss_of(model(shuffled.stimulus[part], shuffled.cue[part]), shuffled.label[part]).backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), clip)
            moving.step()
            rate.step()
            if step in points and step % per_epoch:
                curve.append((epoch * len(training) + start + batch, *row()))
                model.train()
        return row()

    curve, best_trials = by_epochs(
        model, moving, rate, row, one, epochs=epochs, trials=len(training), patience=patience, checkpoints=checkpoints, log=log,
        progress=progress, diverged=f"training {model.name} diverged in epoch {{}}: the validation loss is {{}}; give a smaller"
        f" learning_rate than {learning_rate}.",
    )  # fmt: skip
    trials, accuracies, losses, shares = (np.array(column, dtype=float) for column in zip(*curve, strict=True))
    return History(trials.astype(np.int64), accuracies, losses, shares, best_trials)


def by_epochs(
    model: nn.Module,
    moving: Optimizer,
    rate: LRScheduler,
    first: Callable[[], Row],
    one: Callable[[int, list[Any]], Row],
    *,
    epochs: int,
    trials: int,
    patience: int,
    diverged: str,
    checkpoints: Checkpoints | None = None,
    log: Callable[[int, float, float, float], None] | None = None,
    progress: Callable[[float], None] | None = None,
) -> tuple[list[Any], int]:
    """Epoch after epoch, with early stopping, checkpoints and a log as `train` has them; the model is left with its best weights.

    Parameters
    ----------
    first, one : callable
        `first()` measures the model before training; `one(epoch, curve)` trains it for the epoch of this number, from 0, and
        measures it then. Both give (validation accuracy, validation loss, whatever else belongs to a point of the curve). `one`
        may add points on the way: (training trials shown, ...).
    trials : int
        Training trials of an epoch.
    diverged : str
        What is said of a loss that is no longer finite, with {} for the epoch, from 1, and {} for the loss.

    Returns
    -------
    curve : list of (training trials shown, accuracy, loss, ...)
    best_trials : int
        The point of it whose weights the model has.
    """
    found = None if checkpoints is None else checkpoints.latest()
    if found is None:
        curve = [(0, *first())]
        best, best_loss, best_trials, waited, begun, before_s = copy.deepcopy(model.state_dict()), curve[0][2], 0, 0, 0, 0.0
        if log is not None:
            log(0, curve[0][1], best_loss, float(rate.get_last_lr()[0]))
    else:
        curve, best = restore_to(found.arrays, found.numbers, model, moving, rate)
        best_loss, best_trials, waited, begun = (found.numbers[name] for name in ("best_loss", "best_trials", "waited", "epochs"))
        before_s = found.wall_s
    began_s = saved_s = time.perf_counter()
    cost_s = 0.0
    for epoch in range(begun, epochs):
        row, shown = one(epoch, curve), (epoch + 1) * trials
        accuracy, loss = row[:2]
        curve.append((shown, *row))
        if not math.isfinite(loss):
            if checkpoints is not None:
                checkpoints.clear()  # going on from there would end here again
            raise PlasticityError(diverged.format(epoch + 1, loss))
        if log is not None:
            log(epoch + 1, accuracy, loss, float(rate.get_last_lr()[0]))
        if progress is not None:
            progress((epoch + 1) / epochs)
        if loss < best_loss:
            best, best_loss, best_trials, waited = copy.deepcopy(model.state_dict()), loss, shown, 0
        else:
            waited += 1
            if waited >= patience:
                break
        now_s = time.perf_counter()
        if checkpoints is not None and epoch + 1 < epochs and now_s - saved_s >= cost_s / SHARE:
            numbers, arrays = state_of(model, best, moving, rate, curve)
            numbers |= {"epochs": epoch + 1, "best_loss": best_loss, "best_trials": best_trials, "waited": waited}
            checkpoints.save(epoch + 1, numbers, arrays, before_s + now_s - began_s, "torch")
            saved_s = time.perf_counter()
            cost_s = saved_s - now_s
    if progress is not None:
        progress(1.0)
    model.load_state_dict(best)
    model.eval()
    return curve, best_trials


def state_of(
    model: nn.Module, best: dict[str, Tensor], moving: Optimizer, rate: LRScheduler, curve: Sequence[tuple[float, ...]]
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """All that training goes on from, as plain data and arrays; `restore_to` is the inverse."""
    told = moving.state_dict()
    tensors = {f"model_{name}": tensor for name, tensor in model.state_dict().items()}
    tensors |= {f"best_{name}": tensor for name, tensor in best.items()}
    tensors |= {f"moment_{number}_{name}": tensor for number, own in told["state"].items() for name, tensor in own.items()}
    tensors["generator"] = torch.get_rng_state()
    if next(model.parameters()).is_cuda:
        tensors["generator_cuda"] = torch.cuda.get_rng_state(next(model.parameters()).device)
    arrays = {name.replace(".", "__"): tensor.cpu().numpy() for name, tensor in tensors.items()}
    return {"groups": told["param_groups"], "schedule": rate.state_dict()}, arrays | {"curve": np.array(curve)}


def restore_to(
    arrays: dict[str, np.ndarray], numbers: dict[str, Any], model: nn.Module, moving: Optimizer, rate: LRScheduler
) -> tuple[list[Any], dict[str, Tensor]]:
    """Model, optimiser, schedule and generators as `state_of` found them; the learning curve and the best weights."""

    def weights(which: str) -> dict[str, Tensor]:
        return {name: torch.tensor(arrays[f"{which}_{name}".replace(".", "__")]) for name in model.state_dict()}

    moments: dict[int, dict[str, Tensor]] = {}
    for key, array in arrays.items():
        if key.startswith("moment_"):
            _, number, name = key.split("_", 2)
            moments.setdefault(int(number), {})[name] = torch.tensor(array)
    model.load_state_dict(weights("model"))
    moving.load_state_dict({"state": moments, "param_groups": numbers["groups"]})
    rate.load_state_dict(numbers["schedule"])
    torch.set_rng_state(torch.tensor(arrays["generator"]))
    if next(model.parameters()).is_cuda:
        torch.cuda.set_rng_state(torch.tensor(arrays["generator_cuda"]), next(model.parameters()).device)
    curve = [(int(trials), *measured) for trials, *measured in arrays["curve"].tolist()]
    return curve, weights("best")


class Log:
    """What `train` calls as `log`: writes each epoch to a folder for TensorBoard (`tensorboard --logdir FOLDER`).

    Scalars over epochs done: `validation/loss`, `validation/accuracy`, `learning_rate`. What a training before wrote there of the
    first epoch written and of later ones is hidden: one that was killed and goes on leaves one curve.

    Raises
    ------
    PlasticityError
        TensorBoard is not installed, or the folder cannot be written.
    """

    def __init__(self, folder: str | Path) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            raise PlasticityError("log needs TensorBoard; type: pip install tensorboard") from None
        self.folder = Path(folder)
        self.make = SummaryWriter
        self.writer: SummaryWriter | None = None

    def __call__(self, epoch: int, accuracy: float, loss: float, learning_rate: float) -> None:
        try:
            if self.writer is None:
                self.writer = self.make(str(self.folder), purge_step=epoch)
            for tag, value in (("validation/loss", loss), ("validation/accuracy", accuracy), ("learning_rate", learning_rate)):
                self.writer.add_scalar(tag, value, epoch)
            self.writer.flush()  # on the disk before a checkpoint says that this epoch is done
        except OSError as error:
            raise PlasticityError(f"cannot write the log in {self.folder}: {error.strerror or error}; give another.") from None

    def close(self) -> None:
        if self.writer is not None:
            self.writer.close()
