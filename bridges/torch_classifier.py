"""A torch model as a scikit-learn estimator."""

from __future__ import annotations

import contextlib
import hashlib
import inspect
import math
import os
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import numpy as np
import torch
from sklearn.base import ClassifierMixin
from sklearn.model_selection import train_test_split
from sklearn.utils.validation import check_is_fitted
from torch import Tensor, nn

import plasticity
from bridges import saving
from bridges.counting import decided, trained
from bridges.models import MODELS, Model
from bridges.own_model import OwnModel, plain
from bridges.training import OPTIMISERS, SCHEDULES, Batch, Log, one_thread, seeded, train
from plasticity import settings
from plasticity.checked import checked
from plasticity.checkpoints import Checkpoints
from plasticity.engine.operations import TOGETHER, Costs
from plasticity.errors import WrongUse
from plasticity.learners import Learner, inputs
from plasticity.settings import estimator, setting
from plasticity.tasks import split_streams

WEIGHTS = "model_numbers"  # what `state` calls the numbers of the model
HELD_OUT = 0.15  # share of the training trials that decides when to stop, where no probe is given
NOT_NUMBERS = "X is not a matrix of numbers; give Streams.X."


@estimator
class TorchClassifier(ClassifierMixin, Learner):
    """An attention model of `MODELS`, or a PyTorch module of somebody's own, trained by gradient on cued trials.

    `X` is what `Streams.X` gives: with two streams (n, 2*features + 2), the streams, then the one-hot cue; with one (n,
    features). `bridges.own_model` says how a module of one's own is given, and what its `forward` gets.
    Training is `bridges.training.train`; the same `random_state` gives the same model to the bit on a CPU. Torch's
    generator and thread count are as before afterwards.

    The defaults were chosen by validation accuracy on `CuedDigits` draws that no reported number uses, with the MLP, the model
    that depends on them most, as the judge; all models share them. They suit AdamW; with "sgd" begin at
    learning_rate=0.1 and weight_decay=1e-4 (chosen likewise).

    Attributes
    ----------
    classes_ : (classes,) array
        The labels, sorted: those in `y` and in the labels of the probe.
    history_ : dict
        `trials` (points,) training trials shown so far, from 0, repeats counted; `accuracy` and `loss` (that of
        the model: cross-entropy in nats, or squared error) on the probe then.
    gradient_steps_ : int
        How many there were.
    best_trials_ : int
        The point of that curve whose weights the model has now.
    arrays_ : dict
        `attention` (streams, streams), for models that have one and more than one stream: mean weight [cued stream, stream] over
        the probe's trials (NaN where a stream is never cued).
    parameters_ : int
        Parameters that training moved (those that a gradient reaches).
    model_ : bridges.models.Model
        The trained network; `device_` is where it lies. `model_.module` is the trained copy of somebody's own module.
    streams_ : int
        Images shown at once, as given or as found from X.

    Raises
    ------
    WrongUse
        An unknown name, a parameter out of range, a module that does not do what `bridges.own_model` says; NaN
        or another shape than above in `X`, labels and `X` of different
        length, fewer trials than classes; checkpoints of another training.
    PlasticityError
        Training diverged; a checkpoint or the log cannot be written.
    """

    side: ClassVar[str] = "torch"
    takes: ClassVar[frozenset[str]] = frozenset({"image", "pairs", "streams"})
    from_task: ClassVar[tuple[str, ...]] = ("streams", "query")
    cost: ClassVar[float] = 5.0
    made_anew: ClassVar[tuple[str, ...]] = ("model_", "device_")
    remark: ClassVar[str] = "stops by validation trials, and keeps the weights that did best there"

    model: str | nn.Module | Callable[..., nn.Module] = setting(
        "softmax_attention", "name in `MODELS`; or a module, its class or a function that makes it: see `bridges.own_model`"
    )
    hidden: int = setting(192, "units in each hidden layer, and the dimension of keys, queries and values", low=1, high=20_000)
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
    streams: int | None = setting(
        None,
        "images shown at once; with one there is no cue. None: found from X, as many as the columns at its end that are a one-hot"
        " cue, otherwise one (`bridges.torch_classifier.streams_of`)",
        low=1,
        high=1001,
    )
    device: str = setting("auto", '"auto" (CUDA where there is one, otherwise the CPU), "cpu" or "cuda"')
    optimiser: str = setting("adamw", '"adamw", or "sgd" with Nesterov\'s momentum', choices=OPTIMISERS)
    momentum: float = setting(0.9, 'of "sgd"', low=0, below=1)
    schedule: str = setting("cosine", '"cosine", "step" or "constant": see `bridges.training.make_schedule`', choices=SCHEDULES)
    clip: float = setting(1.0, "the largest norm of the gradient in a step; infinity leaves it as it is", above=0, high=math.inf)
    query: str = setting(
        "cue",
        'what asks: "cue" (where to look), or "content" (what the cued stream shows asks about the others): see `Model`',
        choices=("cue", "content"),
    )
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

    @property
    def given(self) -> tuple[str, ...]:
        """What it is told, of `plasticity.learners.learner.GIVEN`."""
        return self._of_model("given") if (self.streams or 1) > 1 and self.query == "cue" else ("teacher",)

    @property
    def learns(self) -> tuple[str, ...]:
        """What it has to learn, of `plasticity.learners.learner.LEARNS`."""
        if (self.streams or 1) == 1:
            return ("classes",)
        return self._of_model("learns") if self.query == "cue" else ("code",)

    def _of_model(self, what: str) -> tuple[str, ...]:
        kind = MODELS.get(self.model) if isinstance(self.model, str) else self.model
        return getattr(kind, what, getattr(Model, what))

    @one_thread()
    def fit(
        self, X: Any, y: Any = None, probe: tuple[Any, Any] | None = None, progress: Callable[[float], None] | None = None
    ) -> TorchClassifier:
        """Train on (X, y); `probe` = (X, y) of validation trials for the learning curve and for stopping.

        Without a probe 15 % of the training trials are held out for it. `progress` is called with the share done, up to 1.
        """
        return self._fit(X, y, probe, progress, int(self.epochs))

    @one_thread()
    def untrained(self, X: Any, y: Any) -> TorchClassifier:
        """The control: everything that `fit` does but training; the weights are those at its start."""
        return self._fit(X, y, None, None, 0)

    def _fit(
        self, X: Any, y: Any, probe: tuple[Any, Any] | None, progress: Callable[[float], None] | None, epochs: int
    ) -> TorchClassifier:
        """Trained for so many epochs at most."""
        self.check()
        device = _device(self.device)
        given, X = X, inputs.matrix(self, X, fitting=True, text=NOT_NUMBERS)
        label = inputs.labels(self, given, y, "X and y")
        streams = self.streams_ = streams_of(X) if self.streams is None else int(self.streams)
        self._fitted_features = (X.shape[1] - streams * (streams > 1)) // streams
        try:
            stimulus, cue = split_streams(X, streams)
        except WrongUse as refusal:
            if self.streams is not None or streams == 1:
                raise
            raise WrongUse(f"{str(refusal).rstrip('.')}; if X is one stream without a cue, give streams=1.") from None
        if probe is None:
            kept, held = _hold_out(label, self.random_state)
            parts = [(stimulus[part], cue[part], label[part]) for part in (kept, held)]
        else:
            answers = inputs.probed(self, probe, label, "the probe's X and y")
            if np.ndim(probe[0]) == 2 and np.shape(probe[0])[1] != X.shape[1]:
                probed = split_streams(probe[0], streams)[0].shape[2]
                raise WrongUse(f"X has {stimulus.shape[2]} features per stream and the probe {probed}; they must agree.")
            others, asked = split_streams(inputs.matrix(self, probe[0], text=NOT_NUMBERS), streams)
            parts = [(stimulus, cue, label), (others, asked, answers)]
        features = stimulus.shape[2]
        self.classes_ = np.unique(np.concatenate([part[2] for part in parts]))
        if len(self.classes_) < 2:
            raise WrongUse(f"all labels are {self.classes_[0]}, 1 class; give trials of at least two classes.")
        trials, classes = len(parts[0][2]), len(self.classes_)
        if trials < classes:
            raise WrongUse(f"{trials} training trials are fewer than the {classes} classes; give at least one trial of each.")
        training, validation = (
            Batch(*_tensors(shown, cued, device), torch.from_numpy(np.searchsorted(self.classes_, answer)).to(device))
            for shown, cued, answer in parts
        )
        with contextlib.ExitStack() as stack:
            checkpoints: Checkpoints | None = None
            log: Log | None = None
            if self.checkpoint is not None and epochs:
                configuration = self._configuration(training, validation)
                checkpoints = stack.enter_context(Checkpoints.open(os.fspath(self.checkpoint), configuration))
            if self.log is not None and epochs:
                log = stack.enter_context(contextlib.closing(Log(os.fspath(self.log))))
            stack.enter_context(one_thread())
            stack.enter_context(seeded(int(self.random_state), device))
            network = self._make(streams, features, classes).to(device)
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
            if checkpoints is not None:
                checkpoints.clear()
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

    def _make(self, streams: int, features: int, classes: int) -> Model:
        """The network before training, on the CPU."""
        made: Any = MODELS[self.model] if isinstance(self.model, str) else self.model
        if inspect.isclass(made) and issubclass(made, Model):
            return made(streams, features, classes, int(self.hidden), self.dropout, self.query)
        given = {"hidden": int(self.hidden), "dropout": self.dropout, "query": self.query}
        return OwnModel(made, streams, features, classes, given)

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
        self.device_ = _device(self.device)
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

    def represent(self, X: Any) -> np.ndarray:
        """What the classifier head reads of each trial, (n, hidden) float64; of a model without hidden units its input."""
        stimulus, cue = self._inputs(X)
        with one_thread(), torch.inference_mode():
            return self.model_.represent(stimulus, cue).double().cpu().numpy()

    def attention_weights(self, X: Any) -> np.ndarray | None:
        """Weight of each stream in each trial, (n, streams); None if there is none. Rows sum to one if `model_.sums_to_one`."""
        stimulus, cue = self._inputs(X)
        with one_thread(), torch.inference_mode():
            weights = self.model_.attention_weights(stimulus, cue)  # (n, streams)
        return None if weights is None else weights.double().cpu().numpy()

    def _arrays(self, validation: Batch) -> dict[str, np.ndarray]:
        with one_thread(), torch.inference_mode():
            weights = self.model_.attention_weights(validation.stimulus, validation.cue)  # (n, streams)
        if weights is None or self.streams_ == 1:
            return {}
        means = [weights[validation.cue == cued].double().mean(dim=0) for cued in range(self.streams_)]  # NaN over no trials
        return {"attention": torch.stack(means).cpu().numpy()}

    def _logits(self, X: Any) -> Tensor:
        stimulus, cue = self._inputs(X)
        with one_thread(), torch.inference_mode():
            return self.model_(stimulus, cue)  # (n, classes)

    @one_thread()
    def _inputs(self, X: Any) -> tuple[Tensor, Tensor]:
        check_is_fitted(self, "model_")
        return _tensors(*split_streams(inputs.matrix(self, X, text=NOT_NUMBERS), self.streams_), self.device_)

    def _fitted_on(self, columns: int) -> str:
        features = (columns - self.streams_ * (self.streams_ > 1)) / self.streams_
        return f"X has {features:g} features per stream; this model was fitted on {self._fitted_features}"

    def _configuration(self, training: Batch, validation: Batch) -> dict[str, str]:
        """What training depends on: two trainings with the same go through the same states."""
        given = {k: str(plain(v)) for k, v in self.get_params(deep=False).items() if k not in ("checkpoint", "log", "device")}
        data = hashlib.sha256()
        for tensor in (t for batch in (training, validation) for t in (batch.stimulus, batch.cue, batch.label)):
            data.update(f"{tensor.dtype} {tuple(tensor.shape)};".encode())
            data.update(tensor.cpu().numpy().tobytes())
        versions = {"torch": torch.__version__, "plasticity": plasticity.__version__}
        return given | {"data": data.hexdigest(), "device": training.label.device.type, **versions}

    def check(self) -> None:
        """WrongUse for parameters that cannot be, an unknown model, a device that is not there."""
        for name in ("checkpoint", "log"):
            value = getattr(self, name)
            if value is not None and not (isinstance(value, (str, os.PathLike)) and str(value).strip()):
                raise WrongUse(f"TorchClassifier: {name}={value!r} names no folder; leave it out to write none.")
        settings.check(self)
        if isinstance(self.model, str):
            MODELS[self.model]
        _device(self.device)

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


def _device(name: Any) -> torch.device:
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


def streams_of(X: np.ndarray) -> int:
    """How many streams a matrix (trials, streams*features + streams) shows: as many as the last columns are a one-hot cue.

    Where several numbers fit, the one of which every stream is cued somewhere, otherwise the smallest. Without such columns it is
    one; where the last column looks like a part of a cue (both 0 and 1, nothing else) it is two, so that what is wrong with the
    cue is told.
    """
    columns = X.shape[1]
    ends = {s: X[:, -s:] for s in range(2, columns // 2 + 1) if columns % s == 0}
    fit = [s for s, end in ends.items() if np.isin(end, (0.0, 1.0)).all() and (end.sum(axis=1) == 1).all()]
    if fit:
        return next((s for s in fit if ends[s].any(axis=0).all()), fit[0])
    return 2 if np.array_equal(np.unique(X[:, -1]), (0.0, 1.0)) else 1


def _hold_out(label: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
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


def _tensors(stimulus: np.ndarray, cue: np.ndarray, device: torch.device) -> tuple[Tensor, Tensor]:
    return torch.from_numpy(stimulus.astype(np.float32)).to(device), torch.from_numpy(cue.astype(np.int64)).to(device)
