"""Streams: images or vectors shown at once, a cue that says which of them matters, one answer."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral
from typing import Any, ClassVar

import numpy as np

from plasticity import given
from plasticity.errors import WrongUse
from plasticity.tasks.trials import Trials, numbers, several, share_right, whole_numbers, within_unit_interval


@dataclass(frozen=True, eq=False)
class Streams(Trials):
    """What is shown at once in some streams, which of them is cued, and the answer.

    Attributes
    ----------
    stimulus : (trials, streams, features) float64
        Intensity of each feature, from 0 to 1, no unit.
    cue : (trials,) int64
        The attended stream.
    label : (trials,) int64
        The answer, from 0 to `classes` - 1.
    stream_label : (trials, streams) int64
        The class of what is shown in each stream.
    image : (trials, streams) int64
        Index of each shown image in its data set: proves that training and test never overlap.
    classes : int
        Number of possible answers.

    Raises
    ------
    WrongUse
        Shapes that do not agree, no trials, NaN, a stimulus outside 0 to 1, a label or a cue out of range.
    """

    family: ClassVar[str] = "streams"

    stimulus: np.ndarray
    cue: np.ndarray
    label: np.ndarray
    stream_label: np.ndarray
    image: np.ndarray
    classes: int = 0  # refused: it has to be said

    def __post_init__(self) -> None:
        stimulus = numbers("stimulus", self.stimulus, 3, "(trials, streams, features)")
        stimulus = within_unit_interval("trials: stimulus", stimulus, self.stimulus)
        several(self.classes)
        trials, streams, _ = stimulus.shape
        checked = {
            "stimulus": stimulus,
            "cue": whole_numbers("cue", self.cue, (trials,), streams),
            "label": whole_numbers("label", self.label, (trials,), self.classes),
            "stream_label": whole_numbers("stream_label", self.stream_label, (trials, streams), self.classes),
            "image": whole_numbers("image", self.image, (trials, streams), None),
        }
        for name, values in checked.items():
            object.__setattr__(self, name, values)

    def __len__(self) -> int:
        return len(self.label)

    @property
    def X(self) -> np.ndarray:
        """What every learner's `fit` and `predict` get: (trials, streams*features + streams) float64.

        The streams one after another, then the cue as one-hot; `split_streams` is the inverse. With a single stream there is
        nothing to cue: X is the stimulus alone, (trials, features).
        """
        trials, streams, _ = self.stimulus.shape
        if streams == 1:
            return self.stimulus[:, 0]
        return np.hstack([self.stimulus.reshape(trials, -1), np.eye(streams)[self.cue]])

    @property
    def y(self) -> np.ndarray:
        """The answers, (trials,) int64."""
        return self.label

    def right(self, answers: Any) -> np.ndarray:
        """1 for each right answer, else 0; (trials,)."""
        return share_right(answers, self.label)

    def conditions(self) -> np.ndarray:
        """Class and cued stream as one number, (trials,)."""
        return self.label * self.stimulus.shape[1] + self.cue


def split_streams(X: Any, streams: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """The stimulus and the cue of a matrix made by `Streams.X`.

    Parameters
    ----------
    X : (trials, streams*features + streams)
        The streams one after another, then the cue as one-hot; of a single stream (trials, features), the cue is 0.
    streams : int
        Number of streams.

    Returns
    -------
    stimulus : (trials, streams, features) float64
    cue : (trials,) int64

    Raises
    ------
    WrongUse
        A wrong shape, NaN, a stimulus outside 0 to 1, a cue that is not exactly one-hot.
    """
    if isinstance(streams, bool) or not isinstance(streams, Integral) or streams < 1:
        raise WrongUse(f"split_streams: streams={streams}; it must be at least 1.")
    matrix = given.real(X)
    if matrix is None:
        raise WrongUse("X is not a matrix of numbers; give Streams.X.")
    if matrix.ndim != 2 or 0 in matrix.shape or (streams > 1 and (matrix.shape[1] % streams or matrix.shape[1] < 2 * streams)):
        wanted = f"(trials, {streams}*features + {streams})" if streams > 1 else "(trials, features)"
        raise WrongUse(f"X has the shape {matrix.shape}; with {streams} streams it must be {wanted}, as Streams.X is.")
    if streams == 1:
        return within_unit_interval("the stimulus in X", matrix, X)[:, None], np.zeros(len(matrix), np.int64)
    shown, one_hot = matrix[:, :-streams], matrix[:, -streams:]
    shown = within_unit_interval("the stimulus in X", shown, X)
    if not (np.isin(one_hot, (0.0, 1.0)).all() and (one_hot.sum(axis=1) == 1).all()):
        raise WrongUse(
            f"the last {streams} columns of X are the cue: one 1 in each row, otherwise 0;"
            " give Streams.X, or streams=1 for X without a cue."
        )
    return shown.reshape(len(matrix), streams, -1), one_hot.argmax(axis=1)
