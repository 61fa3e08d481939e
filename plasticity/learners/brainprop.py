"""What networks that learn from reward by attention-gated plasticity have in common, of spikes or of rates.

Sources
-------
Pozzi, Bohte & Roelfsema 2018, arXiv:1811.01768 (and 2020, NeurIPS 33). Rates of learning: Nagumo & Noda 1967,
doi:10.1109/TAC.1967.1098599. On and off cells: Kuffler 1953, doi:10.1152/jn.1953.16.1.37.
"""

from __future__ import annotations

import dataclasses
import itertools
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
from sklearn.base import ClassifierMixin

from plasticity.checked import checked
from plasticity.errors import WrongUse
from plasticity.learners.learner import Learner
from plasticity.settings import setting
from plasticity.tasks import split_streams

SHARED = 0.72  # of their squared length that stimuli have in common, from which on it is told that weights learn slowly


@dataclasses.dataclass(eq=False, repr=False, kw_only=True)
class BrainProp(ClassifierMixin, Learner):
    """What they share: what a stimulus drives, how fast which weights learn, where weights start."""

    hidden: tuple[int, ...] = setting((400,), "neurons of each hidden layer, from below", low=1, high=100_000)
    passes: int = setting(40, "how often the training trials are shown", low=1, high=1000)
    eta_hidden: float = setting(
        12.0, "rate of learning of weights onto hidden neurons, over the mean squared length of their input", low=0, high=1e4
    )
    eta_output: float = setting(0.005, "rate of learning of weights onto the actions", low=0, high=100)
    eta_gate: float = setting(0.01, "rate of learning of the gate, of weights from cue neurons onto gate units", low=0, high=100)
    eta_end: float = setting(0.13, "all rates of learning fall, step by step, to this share at the end", above=0, high=1)
    explore: float = setting(0.2, "share of training trials in which the action is drawn at random", low=0, high=1)
    weight_start: float = setting(
        0.5,
        "spread of the weights at the start, 1 for that of He et al. 2015, which those between hidden layers have",
        low=0,
        high=100,
    )
    gate = "learned"  # a setting of each of them

    @property
    def given(self) -> tuple[str, ...]:
        return ("reward",)

    def _start_of(self, length: float) -> tuple[np.ndarray, list[float]]:
        """Rates of learning and spreads of weights at the start, of each layer from below; `length` is the inputs' mean square.

        A change moves the activity of a neuron by the rate times the squared length of its input; hidden rates are divided by
        that, so that the step is the same for every kind of input (normalised least mean squares: Nagumo & Noda 1967,
        doi:10.1109/TAC.1967.1098599). n hidden neurons start with n/4 (at weight_start=.5), in every layer.
        """
        below = (length, *(n / 4 for n in self.hidden[:-1]))
        first, last = self.weight_start * float(np.sqrt(2 / length)), self.weight_start * 0.3 / float(np.sqrt(self.hidden[-1]))
        spread = [first, *(float(np.sqrt(2 / n)) for n in self.hidden[:-1]), last]
        return np.array([*(self.eta_hidden / each for each in below), self.eta_output]), spread

    @checked
    def restore(self, state: Mapping[str, Any]) -> None:
        """Take over what `state` gave; WrongUse for weights, forward or back, of other layers than its settings make."""
        self._held(state, "weights_", "classes_")
        self._check_layers(state)
        super().restore(state)

    def _check_layers(self, state: Mapping[str, Any]) -> None:
        """WrongUse unless all weights in there lie between its layers, those back as well."""
        lowest = np.shape(state["weights_"][0])[:1] if len(state["weights_"]) else (0,)
        wanted = list(itertools.pairwise((*lowest, *self.hidden, len(state["classes_"]))))
        for name in ("weights_", "feedback_"):
            shapes = [np.shape(w) for w in state.get(name, state["weights_"])]
            if shapes != wanted:
                found, needed = (", ".join(" and ".join(map(str, size)) for size in sizes) for sizes in (shapes, wanted))
                raise WrongUse(
                    f"{name} lie between layers of the sizes {found}; hidden={self.hidden} and {len(state['classes_'])} classes"
                    f" need {needed}."
                )


@dataclasses.dataclass(eq=False, repr=False, kw_only=True)
class OfStreams(BrainProp):
    """What those share whose trials are streams and a cue."""

    cells: str = setting(
        "direct",
        "what a stimulus drives. direct: an input for each intensity; on_off: two, one by how far it is above its mean over"
        " training trials and one by how far below, of the largest difference there (on and off cells: Kuffler 1953,"
        " doi:10.1152/jn.1953.16.1.37), for bright images",
        choices=("direct", "on_off"),
        later=True,
    )
    streams: int = setting(2, "streams in X; the rest of X is the cue, one column a stream", low=1, high=1001)

    @property
    def learns(self) -> tuple[str, ...]:
        return ("gate", "classes") if self.streams > 1 else ("classes",)

    @property
    def _gated(self) -> bool:
        return self.gate != "none" and self.streams > 1

    def _shown(self, X: np.ndarray, fitting: bool = False) -> tuple[np.ndarray, np.ndarray]:
        """Intensities (trials, streams, inputs) and the cue (trials,); without a gate all columns of X are one stream."""
        stimulus, cue = split_streams(X, self.streams) if self._gated else (X[:, None, :], np.zeros(len(X), dtype=int))
        if fitting:
            self.mean_stimulus_ = stimulus.mean(axis=(0, 1)) if self.cells == "on_off" else None
            self.contrast_ = 1.0 if self.mean_stimulus_ is None else float(np.abs(stimulus - self.mean_stimulus_).max())
            self._warn_of_bright(stimulus)
        mean = vars(self).get("mean_stimulus_")
        if mean is None:
            return stimulus, cue
        apart = (stimulus - mean) / (self.contrast_ or 1.0)
        return np.clip(np.concatenate([apart, -apart], axis=2), 0, 1), cue

    def _warn_of_bright(self, stimulus: np.ndarray) -> None:
        with np.errstate(invalid="ignore", over="ignore"):
            same = (stimulus.mean(axis=(0, 1)) ** 2).sum() / np.maximum((stimulus**2).sum(axis=2).mean(), 1e-300)
        if self.cells == "direct" and same > SHARED:
            warnings.warn(
                f"{self._name}: stimuli have most of their squared length in common, as bright images do, and are learnt slowly;"
                f" with cells='on_off'{self._typed('cells=on_off')} inputs tell differences to the mean.",
                stacklevel=4,
            )
