"""A torch model as a scikit-learn estimator."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import numpy as np
import torch
from sklearn.utils.validation import check_is_fitted
from torch import Tensor, nn

from bridges.models import MODELS, Model
from bridges.own_model import OwnModel
from bridges.torch_learner import TorchLearner, hold_out
from bridges.training import Batch, one_thread
from plasticity.errors import WrongUse
from plasticity.learners import inputs
from plasticity.settings import estimator, setting
from plasticity.tasks import split_streams

NOT_NUMBERS = "X is not a matrix of numbers; give Streams.X."


@estimator
class TorchClassifier(TorchLearner):
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

    takes: ClassVar[frozenset[str]] = frozenset({"image", "pairs", "streams"})
    from_task: ClassVar[tuple[str, ...]] = ("streams", "query")

    model: str | nn.Module | Callable[..., nn.Module] = setting(
        "softmax_attention", "name in `MODELS`; or a module, its class or a function that makes it: see `bridges.own_model`"
    )
    streams: int | None = setting(
        None,
        "images shown at once; with one there is no cue. None: found from X, as many as the columns at its end that are a one-hot"
        " cue, otherwise one (`bridges.torch_classifier.streams_of`)",
        low=1,
        high=1001,
    )
    query: str = setting(
        "cue",
        'what asks: "cue" (where to look), or "content" (what the cued stream shows asks about the others): see `Model`',
        choices=("cue", "content"),
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

    def _parts(
        self, X: Any, y: Any, probe: tuple[Any, Any] | None, device: torch.device
    ) -> tuple[Batch, Batch, Callable[[], Model]]:
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
            kept, held = hold_out(label, self.random_state)
            parts = [(stimulus[part], cue[part], label[part]) for part in (kept, held)]
        else:
            answers = inputs.probed(self, probe, label, "the probe's X and y")
            if np.ndim(probe[0]) == 2 and np.shape(probe[0])[1] != X.shape[1]:
                probed = split_streams(probe[0], streams)[0].shape[2]
                raise WrongUse(f"X has {stimulus.shape[2]} features per stream and the probe {probed}; they must agree.")
            others, asked = split_streams(inputs.matrix(self, probe[0], text=NOT_NUMBERS), streams)
            parts = [(stimulus, cue, label), (others, asked, answers)]
        features = stimulus.shape[2]
        self._enough([part[2] for part in parts], len(parts[0][2]))
        training, validation = (
            Batch(*_tensors(shown, cued, device), torch.from_numpy(np.searchsorted(self.classes_, answer)).to(device))
            for shown, cued, answer in parts
        )
        return training, validation, lambda: self._make(streams, features, len(self.classes_))

    def _known_by_name(self) -> bool:
        return isinstance(self.model, str) and MODELS.get(self.model) is type(self.model_)

    def _remade(self, sizes: Mapping[str, int]) -> Model:
        assert isinstance(self.model, str)
        made = MODELS[self.model]
        return made(sizes["streams"], sizes["features"], sizes["classes"], sizes["hidden"], self.dropout, self.query)

    def _make(self, streams: int, features: int, classes: int) -> Model:
        """The network before training, on the CPU."""
        made: Any = MODELS[self.model] if isinstance(self.model, str) else self.model
        if inspect.isclass(made) and issubclass(made, Model):
            return made(streams, features, classes, int(self.hidden), self.dropout, self.query)
        given = {"hidden": int(self.hidden), "dropout": self.dropout, "query": self.query}
        return OwnModel(made, streams, features, classes, given)

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

    @one_thread()
    def _inputs(self, X: Any) -> tuple[Tensor, Tensor]:
        check_is_fitted(self, "model_")
        return _tensors(*split_streams(inputs.matrix(self, X, text=NOT_NUMBERS), self.streams_), self.device_)

    def _fitted_on(self, columns: int) -> str:
        features = (columns - self.streams_ * (self.streams_ > 1)) / self.streams_
        return f"X has {features:g} features per stream; this model was fitted on {self._fitted_features}"

    def check(self) -> None:
        """WrongUse for parameters that cannot be, an unknown model, a device that is not there."""
        super().check()
        if isinstance(self.model, str):
            MODELS[self.model]


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


def _tensors(stimulus: np.ndarray, cue: np.ndarray, device: torch.device) -> tuple[Tensor, Tensor]:
    return torch.from_numpy(stimulus.astype(np.float32)).to(device), torch.from_numpy(cue.astype(np.int64)).to(device)
