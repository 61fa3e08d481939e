"""A torch model as a scikit-learn estimator."""

from __future__ import annotations

from collections.abc import Callable
from numbers import Integral, Real
from typing import Any

import numpy as np
import torch
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.model_selection import train_test_split
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from bridges.models import MODELS
from bridges.training import Batch, one_thread, seeded, train
from plasticity.errors import WrongUse
from plasticity.tasks.task import split_streams

HELD_OUT = 0.15  # share of the training trials that decides when to stop, where no probe is given


class TorchClassifier(ClassifierMixin, BaseEstimator):
    """An attention model of `MODELS`, trained by gradient on cued trials.

    `X` is what `Trials.X` gives: with two streams (n, 2*features + 2), the streams, then the one-hot cue; with one (n, features).
    Training is `bridges.training.train`;
    the same `random_state` gives the same model to the bit on a CPU. Torch's generator and thread count are as before afterwards.

    The defaults were chosen by validation accuracy on `CuedDigits` draws that no reported number uses, with the MLP, the model
    that depends on them most, as the judge; all models share them.

    Parameters
    ----------
    model : str
        Name in `MODELS`.
    hidden : int
        Units in each hidden layer, and the dimension of keys, queries and values.
    epochs : int
        At most this often is every training trial shown; the learning rate falls to zero over them.
    learning_rate, weight_decay : float
        Of AdamW.
    dropout : float
        Probability from 0 up to (not including) 1.
    batch : int
        Trials per gradient step.
    patience : int
        Training stops after this many epochs in a row without a lower validation loss; the weights of the lowest are kept.
    streams : int
        Images shown at once; with one there is no cue.
    random_state : int
        Seed of the first weights, order of trials and dropout, 0 or more.
    device : str
        "auto" (CUDA where there is one, otherwise the CPU), "cpu" or "cuda".

    Attributes
    ----------
    classes_ : (classes,) array
        The labels, sorted: those in `y` and in the labels of the probe.
    history_ : dict
        `trials` (points,) training trials shown so far, from 0, repeats counted; `accuracy` and `loss` (nats) on the probe then.
    best_trials_ : int
        The point of that curve whose weights the model has now.
    arrays_ : dict
        `attention` (streams, streams), for models that have one and more than one stream: mean weight [cued stream, stream] over
        the probe's trials (NaN where a stream is never cued).
    parameters_ : int
        Parameters that training moved (those that a gradient reaches).
    model_ : bridges.models.Model
        The trained network; `device_` is where it lies.

    Raises
    ------
    WrongUse
        An unknown model or device, a parameter out of range; NaN or another shape than above in `X`, labels and `X` of different
        length, fewer trials than classes.
    PlasticityError
        Training diverged.
    """

    def __init__(
        self,
        model: str = "softmax_attention",
        hidden: int = 192,
        epochs: int = 30,
        learning_rate: float = 6e-3,
        weight_decay: float = 0.3,
        dropout: float = 0.3,
        batch: int = 64,
        patience: int = 10,
        streams: int = 2,
        random_state: int = 0,
        device: str = "auto",
    ) -> None:
        self.model = model
        self.hidden = hidden
        self.epochs = epochs
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.dropout = dropout
        self.batch = batch
        self.patience = patience
        self.streams = streams
        self.random_state = random_state
        self.device = device

    def fit(
        self, X: Any, y: Any, probe: tuple[Any, Any] | None = None, progress: Callable[[float], None] | None = None
    ) -> TorchClassifier:
        """Train on (X, y); `probe` = (X, y) of validation trials for the learning curve and for stopping.

        Without a probe 15 % of the training trials are held out for it. `progress` is called with the share done, up to 1.
        """
        self._check_parameters()
        architecture = MODELS[self.model]
        device, streams = _device(self.device), int(self.streams)
        stimulus, cue, label = _trials(X, y, "X and y", streams)
        if probe is None:
            kept, held = _hold_out(label, self.random_state)
            parts = [(stimulus[part], cue[part], label[part]) for part in (kept, held)]
        else:
            if not isinstance(probe, (tuple, list)) or len(probe) != 2:
                raise WrongUse("probe is not a pair; give the validation trials as probe=(X, y).")
            parts = [(stimulus, cue, label), _trials(*probe, "the probe's X and y", streams)]
        features, probed = (part[0].shape[2] for part in parts)
        if features != probed:
            raise WrongUse(f"X has {features} features per stream and the probe {probed}; they must agree.")
        self.classes_ = np.unique(np.concatenate([part[2] for part in parts]))
        if len(self.classes_) < 2:
            raise WrongUse(f"all labels are {self.classes_[0]}; give trials of at least two classes.")
        trials, classes = len(parts[0][2]), len(self.classes_)
        if trials < classes:
            raise WrongUse(f"{trials} training trials are fewer than the {classes} classes; give at least one trial of each.")
        training, validation = (
            Batch(*_tensors(shown, cued, device), torch.from_numpy(np.searchsorted(self.classes_, answer)).to(device))
            for shown, cued, answer in parts
        )
        self.n_features_in_ = streams * features + (streams if streams > 1 else 0)
        with one_thread(), seeded(int(self.random_state), device):
            network = architecture(streams, features, classes, int(self.hidden), self.dropout).to(device)
            history = train(
                network,
                training,
                validation,
                epochs=int(self.epochs),
                learning_rate=self.learning_rate,
                weight_decay=self.weight_decay,
                batch=int(self.batch),
                patience=int(self.patience),
                progress=progress,
            )
        self.model_ = network
        self.device_ = device
        self.parameters_ = sum(p.numel() for p in network.parameters() if p.grad is not None)
        network.zero_grad(set_to_none=True)
        self.history_ = {"trials": history.trials, "accuracy": history.accuracy, "loss": history.loss}
        self.best_trials_ = history.best_trials
        self.arrays_ = self._arrays(validation)
        return self

    def predict(self, X: Any) -> np.ndarray:
        """The most probable label of each trial, (n,)."""
        chosen = self._logits(X).argmax(dim=1)  # (n,)
        return self.classes_[chosen.cpu().numpy()]

    def predict_proba(self, X: Any) -> np.ndarray:
        """Probability of each class, (n, classes), in the order of `classes_`; rows sum to one."""
        return torch.softmax(self._logits(X).double(), dim=1).cpu().numpy()

    def attention_weights(self, X: Any) -> np.ndarray | None:
        """Weight of each stream in each trial, (n, streams), rows summing to one; None where the model has no attention."""
        stimulus, cue = self._inputs(X)
        with one_thread(), torch.inference_mode():
            weights = self.model_.attention_weights(stimulus, cue)  # (n, streams)
        return None if weights is None else weights.double().cpu().numpy()

    def _arrays(self, validation: Batch) -> dict[str, np.ndarray]:
        with one_thread(), torch.inference_mode():
            weights = self.model_.attention_weights(validation.stimulus, validation.cue)  # (n, streams)
        if weights is None or self.streams == 1:
            return {}
        means = [weights[validation.cue == cued].double().mean(dim=0) for cued in range(self.streams)]  # NaN over no trials
        return {"attention": torch.stack(means).cpu().numpy()}

    def _logits(self, X: Any) -> Tensor:
        stimulus, cue = self._inputs(X)
        with one_thread(), torch.inference_mode():
            return self.model_(stimulus, cue)  # (n, classes)

    def _inputs(self, X: Any) -> tuple[Tensor, Tensor]:
        check_is_fitted(self, "model_")
        stimulus, cue = split_streams(X, self.streams)
        if stimulus.shape[2] != self.model_.features:
            raise WrongUse(f"X has {stimulus.shape[2]} features per stream; this model was fitted on {self.model_.features}.")
        return _tensors(stimulus, cue, self.device_)

    def _check_parameters(self) -> None:
        for name, low in (("hidden", 1), ("epochs", 1), ("batch", 1), ("patience", 1), ("streams", 1), ("random_state", 0)):
            value = getattr(self, name)
            if not isinstance(value, Integral) or isinstance(value, bool) or value < low:
                raise WrongUse(f"TorchClassifier: {name}={value!r}; it must be a whole number, {low} or more.")
        for name in ("learning_rate", "weight_decay", "dropout"):
            value = getattr(self, name)
            if not isinstance(value, Real) or isinstance(value, bool) or not 0 <= float(value) < np.inf:
                raise WrongUse(f"TorchClassifier: {name}={value!r}; it must be a number, 0 or more.")
        if self.learning_rate == 0:
            raise WrongUse("TorchClassifier: learning_rate=0 learns nothing; give a positive one, for example 0.001.")
        if self.dropout >= 1:
            raise WrongUse(f"TorchClassifier: dropout={self.dropout} silences every unit; give a probability below 1.")


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


def _trials(X: Any, y: Any, what: str, streams: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Stimulus (n, streams, features), cue (n,) and label (n,), checked."""
    stimulus, cue = split_streams(X, streams)
    label = np.asarray(y)
    if label.ndim != 1 or len(label) != len(stimulus):
        raise WrongUse(f"{what}: {len(stimulus)} trials and labels of shape {label.shape}; give one label for each trial.")
    try:
        check_classification_targets(label)
    except ValueError as problem:
        raise WrongUse(f"{what}: the labels are not classes ({problem}).") from None
    return stimulus, cue, label


def _hold_out(label: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Indices of the trials to train on and of those held out, by class where every class has enough."""
    if len(label) < 2:
        raise WrongUse(f"{len(label)} trial is too few to hold one out for stopping; give at least 2, or give probe=(X, y).")
    _, counts = np.unique(label, return_counts=True)
    by_class = counts.min() >= 2 and HELD_OUT * len(label) >= len(counts)
    kept, held = train_test_split(
        np.arange(len(label)), test_size=HELD_OUT, stratify=label if by_class else None, random_state=int(seed) % 2**32
    )
    return kept, held


def _tensors(stimulus: np.ndarray, cue: np.ndarray, device: torch.device) -> tuple[Tensor, Tensor]:
    return torch.from_numpy(stimulus.astype(np.float32)).to(device), torch.from_numpy(cue.astype(np.int64)).to(device)
