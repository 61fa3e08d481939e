"""BrainProp on rate units: the reference that the spiking network is held against, itself held to the gradient."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple

import numpy as np
from sklearn.utils.validation import check_is_fitted

from plasticity import settings
from plasticity.learners import inputs
from plasticity.learners.brainprop import OfStreams
from plasticity.learners.learner import Variant
from plasticity.settings import estimator, setting

Progress = Callable[[float], None]
SHAPE = "(trials, streams*features + streams)"  # of X


class Changes(NamedTuple):
    """What one trial changes: of each layer's weights (below, above), and of the gate's (cue, stream) where there is one."""

    weights: list[np.ndarray]
    gate: np.ndarray | None


def activities(streams: np.ndarray, cue: np.ndarray, weights: list[np.ndarray], gate: np.ndarray | None) -> list[np.ndarray]:
    """Rates of all layers, from the lowest to what each action predicts, (trials, neurons) each.

    streams (trials, streams, features), cue (trials,), weights (below, above) of each layer, gate (cue, stream) or None for 1.
    """
    gains = 1.0 if gate is None else gate[cue][:, :, None]
    found = [(gains * streams).sum(axis=1)]
    for w in weights[:-1]:
        found.append(np.maximum(found[-1] @ w, 0))
    return [*found, found[-1] @ weights[-1]]


def changes(
    streams: np.ndarray,
    cue: np.ndarray,
    rates: list[np.ndarray],
    chosen: np.ndarray,
    reward: np.ndarray,
    feedback: list[np.ndarray],
    gate: np.ndarray | None,
) -> Changes:
    """The changes of all weights, summed over trials, of learning rate 1.

    Attention starts as 1 at the chosen action and 0 at the others, goes down over the feedback weights (below, above)
    through neurons that are active, and multiplies at each synapse presynaptic rate and (reward - prediction). With feedback
    weights equal to the forward ones it is minus the gradient of the sum of (reward - prediction)^2/2.
    """
    here = np.arange(len(chosen))
    attention = np.zeros_like(rates[-1])
    attention[here, chosen] = 1
    surprise = (reward - rates[-1][here, chosen])[:, None]
    made: list[np.ndarray] = []
    for below, back in zip(rates[-2::-1], feedback[::-1], strict=True):
        made.append(below.T @ (surprise * attention))
        attention = attention @ back.T
        if below is not rates[0]:
            attention = attention * (below > 0)
    told = None
    if gate is not None:
        told = np.zeros_like(gate)
        np.add.at(told, cue, surprise * (streams * attention[:, None, :]).sum(axis=2))
    return Changes(made[::-1], told)


@estimator
class RateBrainProp(OfStreams):
    """Rectified rate units that learn from reward by attention-gated plasticity, one trial at a time.

    What `SpikingBrainProp` does with spikes, with intensities as rates and without time; its feedback weights mirror the forward
    ones from the start, so that each change is the gradient of the chosen action's squared error.

    Attributes
    ----------
    weights_ : list of arrays (below, above)
    gate_weights_ : array (streams, streams) or None
    mean_stimulus_ : array (features,), contrast_ : float
        The mean over training trials and the largest difference to it, with `cells="on_off"`; else None and 1.
    history_ : dict of arrays `trials`, `accuracy` (on the probe, at the end of each pass)
    parameters_ : int

    Raises
    ------
    WrongUse
        What every learner refuses in X and y; fewer than two classes.
    """

    name: ClassVar[str] = "rate_brainprop"
    summary: ClassVar[str] = "rectified rate units that learn from reward; each change is the gradient of the chosen action alone"
    side: ClassVar[str] = "control"
    source: ClassVar[str] = "Pozzi, Bohte & Roelfsema 2018, arXiv:1811.01768 (and 2020, NeurIPS 33)"
    cost: ClassVar[float] = 10.0
    variants: ClassVar[tuple[Variant, ...]] = ()

    gate: str = setting(
        "learned", "of several streams: learned gains, or none: the rows as they are", choices=("learned", "none")
    )

    def fit(self, X: Any, y: Any, probe: tuple[Any, Any] | None = None, progress: Progress | None = None) -> RateBrainProp:
        """Learn from the trials one by one; see `SpikingBrainProp.fit`."""
        settings.check(self)
        given, X = X, inputs.matrix(self, X, fitting=True, shape=SHAPE)
        y = inputs.labels(self, given, y)
        self.classes_ = inputs.several(y)
        labels = np.searchsorted(self.classes_, y)
        rng = np.random.default_rng([self.random_state, 1])
        streams, cue = self._shown(X, fitting=True)
        sizes = (streams.shape[2], *self.hidden, len(self.classes_))
        length = max(float((streams**2).sum(axis=2).mean()), 1e-12)
        eta, spread = self._start_of(length)
        shapes = zip(sizes[:-1], sizes[1:], spread, strict=True)
        self.weights_ = [sd * rng.standard_normal((n, m)) for n, m, sd in shapes]
        self.gate_weights_ = np.full((self.streams, self.streams), 1 / self.streams) if self._gated else None
        trials, accuracy, total = [0], [self._score(probe)] if probe is not None else [], self.passes * len(X)
        for number in range(self.passes):
            for k, trial in enumerate(np.arange(len(X)) if number == 0 else rng.permutation(len(X))):
                one = slice(trial, trial + 1)
                rates = activities(streams[one], cue[one], self.weights_, self.gate_weights_)
                chosen = rates[-1].argmax(axis=1) if rng.random() >= self.explore else rng.integers(len(self.classes_), size=1)
                reward = (chosen == labels[one]).astype(float)
                made = changes(streams[one], cue[one], rates, chosen, reward, self.weights_, self.gate_weights_)
                scale = self.eta_end ** ((number * len(X) + k) / total)
                for w, change, rate in zip(self.weights_, made.weights, eta, strict=True):
                    w += scale * rate * change
                if self.gate_weights_ is not None and made.gate is not None:
                    row = np.clip(self.gate_weights_[cue[trial]] + scale * self.eta_gate * made.gate[cue[trial]], 0, 1)
                    self.gate_weights_[cue[trial]] = row / row.sum() if row.any() else 1 / self.streams  # all closed: equal again
            trials.append((number + 1) * len(X))
            if probe is not None:
                accuracy.append(self._score(probe))
            if progress is not None:
                progress((number + 1) / self.passes)
        self.history_ = {"trials": np.array(trials)} | ({"accuracy": np.array(accuracy)} if probe is not None else {})
        self.parameters_ = int(sum(w.size for w in self.weights_))
        return self

    def _score(self, probe: tuple[Any, Any]) -> float:
        return float(np.mean(self.classes_[self._values(np.asarray(probe[0], dtype=float)).argmax(axis=1)] == probe[1]))

    def _values(self, X: np.ndarray) -> np.ndarray:
        return activities(*self._shown(X), self.weights_, self.gate_weights_)[-1]

    def decision_function(self, X: Any) -> np.ndarray:
        """The reward that each action predicts, (trials, classes); of two classes the difference."""
        check_is_fitted(self, "weights_")
        return inputs.decisions(self._values(inputs.matrix(self, X, shape=SHAPE)))

    def predict(self, X: Any) -> np.ndarray:
        """The action that predicts the largest reward in each trial."""
        check_is_fitted(self, "weights_")
        return self.classes_[self._values(inputs.matrix(self, X, shape=SHAPE)).argmax(axis=1)]

    def represent(self, X: Any) -> np.ndarray:
        """Rates of the highest hidden layer, (trials, neurons)."""
        check_is_fitted(self, "weights_")
        return activities(*self._shown(inputs.matrix(self, X, shape=SHAPE)), self.weights_, self.gate_weights_)[-2]

    def attention_weights(self, X: Any) -> np.ndarray | None:
        """The gain of each stream in each trial, (trials, streams); None without a gate."""
        check_is_fitted(self, "weights_")
        return None if self.gate_weights_ is None else self.gate_weights_[self._shown(inputs.matrix(self, X, shape=SHAPE))[1]]
