"""What every learner that trains a torch model by gradient has in common: how it is trained, kept, asked, and what it costs."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import math
import os
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import torch
from sklearn.base import ClassifierMixin
from sklearn.model_selection import train_test_split
from torch import Tensor

import plasticity
from bridges import saving
from bridges.counting import decided, trained
from bridges.models import Model
from bridges.own_model import plain
from bridges.training import LOSSES, OPTIMISERS, SCHEDULES, Batch, Log, one_thread, seeded, together, train
from plasticity import settings
from plasticity.checked import checked
from plasticity.checkpoints import Checkpoints
from plasticity.engine.operations import TOGETHER, Costs
from plasticity.errors import WrongUse
from plasticity.learners import Learner, inputs
from plasticity.settings import setting

WEIGHTS = "model_numbers"  # what `state` calls the numbers of the model
HELD_OUT = 0.15  # share of the training trials that decides when to stop, where no probe is given


@dataclasses.dataclass(eq=False, repr=False, kw_only=True)
class ByGradient(Learner):
    """How a torch model is trained, whatever its trials are; what is kept of a training that is killed."""

    side: ClassVar[str] = "torch"
    made_anew: ClassVar[tuple[str, ...]] = ("model_", "device_")
    remark: ClassVar[str] = "stops by validation trials, and keeps the weights that did best there"
    of_answers: ClassVar[tuple[str, ...]] = ()  # settings that training does not depend on

    epochs: int = setting(
        30,
        "at most this often is every training trial shown; `schedule` runs over so many, even where training stops before",
        low=1,
        high=100_000,
    )
    learning_rate: float = setting(6e-3, "of the first step; afterwards by `schedule`", above=0, high=1e30)
    weight_decay: float = setting(
        0.3,
        'lambda on the matrices of linear layers. With "adamw" it is decoupled (each step takes the share learning_rate * lambda'
        ' of a weight), with "sgd" an L2 penalty (lambda w is added to the gradient): see `bridges.training.make_optimiser`',
        low=0,
        high=1000,
    )
    dropout: float = setting(0.3, "probability that a hidden unit is silenced in a training step", low=0, below=1)
    batch: int = setting(64, "trials per gradient step", low=1, high=10_000_000)
    patience: int = setting(
        10,
        "training stops after this many epochs in a row without a lower validation loss; the weights of the lowest are kept",
        low=1,
        high=1_000_000,
    )
    device: str = setting("auto", '"auto" (CUDA where there is one, otherwise the CPU), "cpu" or "cuda"')
    optimiser: str = setting("adamw", '"adamw", or "sgd" with Nesterov\'s momentum', choices=OPTIMISERS)
    momentum: float = setting(0.9, 'of "sgd"', low=0, below=1)
    schedule: str = setting("cosine", '"cosine", "step" or "constant": see `bridges.training.make_schedule`', choices=SCHEDULES)
    clip: float = setting(1.0, "the largest norm of the gradient in a step; infinity leaves it as it is", above=0, high=math.inf)
    checkpoint: str | os.PathLike[str] | None = setting(
        None,
        "a folder for the checkpoints of one training: `fit` goes on from the last whole one there and ends with the same weights"
        " as if it had never stopped (to the bit on a CPU); other data or parameters are refused (so none of it in a grid"
        " search). When the training is finished they are deleted. Without one, nothing is written",
    )
    log: str | os.PathLike[str] | None = setting(
        None,
        "a folder for TensorBoard: loss, accuracy and learning rate of each epoch. Needs the package tensorboard",
    )

    def check(self) -> None:
        """WrongUse for parameters that cannot be, or a device that is not there."""
        for name in ("checkpoint", "log"):
            value = getattr(self, name)
            if value is not None and not (isinstance(value, (str, os.PathLike)) and str(value).strip()):
                raise WrongUse(f"{type(self).__name__}: {name}={value!r} names no folder; leave it out to write none.")
        settings.check(self)
        device_of(self.device)

    @contextlib.contextmanager
    def _kept(self, tensors: Sequence[Tensor], epochs: int = 1) -> Iterator[tuple[Checkpoints | None, Log | None]]:
        """The checkpoints and the log of a training on these trials; the checkpoints are cleared when it is finished."""
        with contextlib.ExitStack() as stack:
            checkpoints: Checkpoints | None = None
            log: Log | None = None
            if self.checkpoint is not None and epochs:
                configuration = self._configuration(tensors)
                checkpoints = stack.enter_context(Checkpoints.open(os.fspath(self.checkpoint), configuration))
            if self.log is not None and epochs:
                log = stack.enter_context(contextlib.closing(Log(os.fspath(self.log))))
            yield checkpoints, log
            if checkpoints is not None:
                checkpoints.clear()

    def _configuration(self, tensors: Sequence[Tensor]) -> dict[str, str]:
        """What training depends on: two trainings with the same go through the same states."""
        left = ("checkpoint", "log", "device", *self.of_answers)
        given = {k: str(plain(v)) for k, v in self.get_params(deep=False).items() if k not in left}
        data = hashlib.sha256()
        for tensor in tensors:
            data.update(f"{tensor.dtype} {tuple(tensor.shape)};".encode())
            data.update(tensor.cpu().numpy().tobytes())
        versions = {"torch": torch.__version__, "plasticity": plasticity.__version__}
        return given | {"data": data.hexdigest(), "device": tensors[0].device.type, **versions}

    def learnt(self) -> dict[str, Any]:
        """Every parameter of the model by its name there."""
        return {name.replace(".", "_"): values.detach().cpu().numpy() for name, values in self.model_.named_parameters()}

    def costs(self) -> Costs:
        """Training steps and decisions of its model, in batches and one by one, on zeros; the model stays as it is."""
        found = {"training": trained(self), "decision": decided(self), "decision_together": decided(self, TOGETHER)}
        with contextlib.suppress(ValueError):  # a model may refuse a batch of one trial, as normalisation over a batch does
            found["training_alone"] = trained(self, 1)
        unknown = sorted(set[str]().union(*(names for _, names, _ in found.values())))
        done = {phase: operations for phase, (operations, _, _) in found.items()}
        stored = {phase: words for phase, (_, _, words) in found.items()}
        return Costs(
            "torch", done["training"], done["decision"], uncounted=tuple(unknown), stored=stored,
            training_alone=done.get("training_alone", {}), decision_together=done["decision_together"],
        )  # fmt: skip

    @abstractmethod
    def _blank(self, model: Any, trials: int) -> tuple[Callable[[], Tensor], Callable[[], Any]]:
        """What computes the loss of so many trials, and what answers them: to be counted, whatever these trials hold."""


@dataclasses.dataclass(eq=False, repr=False, kw_only=True)
class TorchLearner(ClassifierMixin, ByGradient):
    """A torch model trained by gradient on trials with one answer each. A subclass says what it reads and which model it makes.

    Training is `bridges.training.train`; the same `random_state` gives the same model to the bit on a CPU. Torch's generator and
    thread count are as before afterwards.
    """

    cost: ClassVar[float] = 5.0

    model: Any = setting("softmax_attention", "name in `MODELS`")
    hidden: int = setting(192, "units in each hidden layer, and the dimension of keys, queries and values", low=1, high=20_000)

    @one_thread()
    def fit(
        self, X: Any, y: Any = None, probe: tuple[Any, Any] | None = None, progress: Callable[[float], None] | None = None
    ) -> Any:
        """Train on (X, y); `probe` = (X, y) of validation trials for the learning curve and for stopping.

        Without a probe 15 % of the training trials are held out for it. `progress` is called with the share done, up to 1.
        """
        return self._fit(X, y, probe, progress, int(self.epochs))

    @one_thread()
    def untrained(self, X: Any, y: Any) -> Any:
        """The control: everything that `fit` does but training; the weights are those at its start."""
        return self._fit(X, y, None, None, 0)

    @abstractmethod
    def _parts(
        self, X: Any, y: Any, probe: tuple[Any, Any] | None, device: torch.device
    ) -> tuple[Batch, Batch, Callable[[], Model]]:
        """Training and validation trials, and what makes the model of them; `classes_` is set."""

    @abstractmethod
    def _remade(self, sizes: Mapping[str, int]) -> Model:
        """The model of these sizes, as `bridges.saving` kept them."""

    def _known_by_name(self) -> bool:
        """Whether the model can be made again from its name and sizes."""
        return True

    @abstractmethod
    def _inputs(self, X: Any) -> tuple[Tensor, Tensor]:
        """What the model gets of each trial, and the cue."""

    def _fit(self, X: Any, y: Any, probe: tuple[Any, Any] | None, progress: Callable[[float], None] | None, epochs: int) -> Any:
        """Trained for so many epochs at most."""
        self.check()
        device = device_of(self.device)
        training, validation, make = self._parts(X, y, probe, device)
        tensors = [tensor for batch in (training, validation) for tensor in (batch.stimulus, batch.cue, batch.label)]
        with self._kept(tensors, epochs) as (checkpoints, log), one_thread(), seeded(int(self.random_state), device):
            network = make().to(device)
            history = train(
                network,
                training,
                validation,
                epochs=epochs,
                learning_rate=float(self.learning_rate),
                weight_decay=float(self.weight_decay),
                batch=int(self.batch),
                patience=int(self.patience),
                optimiser=self.optimiser,
                momentum=float(self.momentum),
                schedule=self.schedule,
                clip=float(self.clip),
                checkpoints=checkpoints,
                log=log,
                progress=progress,
            )
        self.model_ = network
        self.device_ = device
        self.parameters_ = sum(p.numel() for p in network.parameters() if p.grad is not None)
        network.zero_grad(set_to_none=True)
        self.history_ = {"trials": history.trials, "accuracy": history.accuracy, "loss": history.loss}
        shown = int(history.trials[-1])
        self.gradient_steps_ = shown // len(training) * math.ceil(len(training) / int(self.batch))
        self.best_trials_ = history.best_trials
        self.arrays_ = self._arrays(validation)
        if self.arrays_:
            self.arrays_["history_attended"] = history.attended
        return self

    def _arrays(self, validation: Batch) -> dict[str, np.ndarray]:
        """Arrays for figures."""
        return {}

    def _enough(self, labels: list[np.ndarray], trials: int) -> None:
        """Note the classes of these labels; WrongUse where they are too few, or training trials fewer than they."""
        self.classes_ = np.unique(np.concatenate(labels))
        if len(self.classes_) < 2:
            raise WrongUse(f"all labels are {self.classes_[0]}, 1 class; give trials of at least two classes.")
        if trials < len(self.classes_):
            raise WrongUse(
                f"{trials} training trials are fewer than the {len(self.classes_)} classes; give at least one trial of each."
            )

    def decision_function(self, X: Any) -> np.ndarray:
        """The outputs of the model, (n, classes); of two classes the second one's minus the first one's, (n,)."""
        return inputs.decisions(self._logits(X).double().cpu().numpy())

    def state(self) -> dict[str, Any]:
        """What `fit` made, the numbers of the model as arrays."""
        return super().state() | {WEIGHTS: saving.numbers(self)}

    @checked
    def restore(self, state: Mapping[str, Any]) -> None:
        """Take over what `state` gave, and make the model of these numbers on the device of the settings."""
        kept = dict(state)
        self._held(kept, WEIGHTS)
        self.device_ = device_of(self.device)
        self.model_ = saving.model(self, kept.pop(WEIGHTS), self.device_)
        super().restore(kept)

    def predict(self, X: Any) -> np.ndarray:
        """The most probable label of each trial, (n,)."""
        chosen = self._logits(X).argmax(dim=1)  # (n,)
        return self.classes_[chosen.cpu().numpy()]

    def predict_proba(self, X: Any) -> np.ndarray:
        """Probability of each class, (n, classes), in the order of `classes_`; rows sum to one.

        The softmax of the outputs; of a model trained by squared error, whose outputs estimate probabilities, the nearest point
        that is one: what is below zero after a shift becomes zero (Duchi et al. 2008, doi:10.1145/1390156.1390191, fig. 1).
        """
        output = self._logits(X).double()
        likely = _onto_simplex(output) if self.model_.loss == "squared_error" else torch.softmax(output, dim=1)
        return likely.cpu().numpy()

    def _logits(self, X: Any) -> Tensor:
        stimulus, cue = self._inputs(X)
        with one_thread(), torch.inference_mode():
            return torch.cat([self.model_(*part) for part in together(self.model_, stimulus, cue)])  # (n, classes)

    def _blank(self, model: Any, trials: int) -> tuple[Callable[[], Tensor], Callable[[], Any]]:
        cue, label = (torch.zeros(trials, dtype=torch.int64) for _ in range(2))
        stimulus = model.blank(trials)
        return lambda: LOSSES[model.loss](model(stimulus, cue), label), lambda: model(stimulus, cue)


def device_of(name: Any) -> torch.device:
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
    except (RuntimeError, TypeError):
        device = None
    if device is None or device.type not in ("cpu", "cuda"):
        raise WrongUse(f"unknown device {name!r}; give 'auto', 'cpu' or 'cuda'.")
    if device.type == "cuda":
        if not torch.cuda.is_available():
            raise WrongUse(f"device={name!r}, but torch finds no CUDA here; give device='auto' or 'cpu'.")
        index = torch.cuda.current_device() if device.index is None else device.index
        if index >= torch.cuda.device_count():
            raise WrongUse(f"device={name!r}, but torch finds {torch.cuda.device_count()} CUDA device(s); count from cuda:0.")
        device = torch.device("cuda", index)
    return device


def hold_out(label: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Indices of the trials to train on and of those held out, by class where every class has enough."""
    if len(label) < 2:
        few = f"{len(label)} trial is too few to hold one out for stopping (n_samples={len(label)})"
        raise WrongUse(f"{few}; give at least 2, or give probe=(X, y).")
    _, counts = np.unique(label, return_counts=True)
    by_class = counts.min() >= 2 and HELD_OUT * len(label) >= len(counts)
    kept, held = train_test_split(
        np.arange(len(label)), test_size=HELD_OUT, stratify=label if by_class else None, random_state=int(seed) % 2**32
    )
    return kept, held


def _onto_simplex(outputs: Tensor) -> Tensor:
    """The nearest points (n, classes) whose entries are 0 or more and sum to one in each row."""
    falling = outputs.sort(dim=1, descending=True).values
    above = falling.cumsum(dim=1) - 1  # how much too large the sum of the k largest is
    count = torch.arange(1, outputs.shape[1] + 1, device=outputs.device)
    k = (falling > above / count).sum(dim=1, keepdim=True)  # (n, 1)
    return (outputs - above.gather(1, k - 1) / k).clamp(min=0)
