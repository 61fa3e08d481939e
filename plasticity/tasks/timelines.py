"""Timelines: signals over time, with answers wherever they are asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from plasticity import given
from plasticity.errors import WrongUse
from plasticity.tasks.trials import Trials, asked_somewhere, numbers, several, share_right, whole_numbers, within_unit_interval


@dataclass(frozen=True, eq=False)
class Timelines(Trials):
    """Signals over time, step by step.

    Attributes
    ----------
    signal : (trials, steps, channels) float64
        Intensity of each channel in each step, from 0 to 1, no unit.
    target : (trials, steps) int64
        The answer that is asked for in a step, from 0 to `classes` - 1; -1 where none is asked. Of a task with one answer a
        trial it stands in the last step.
    number : (trials,) int64
        Of what is shown: proves that training and test never overlap.
    classes : int
        Number of possible answers.
    step_ms : float
        How long a step lasts.

    Raises
    ------
    WrongUse
        Shapes that do not agree, no trials, NaN, a signal outside 0 to 1, an answer out of range, a trial that asks for nothing,
        a step of no length.
    """

    family: ClassVar[str] = "timelines"

    signal: np.ndarray
    target: np.ndarray
    number: np.ndarray
    classes: int = 0  # refused: it has to be said
    step_ms: float = 1.0

    def __post_init__(self) -> None:
        signal = numbers("signal", self.signal, 3, "(trials, steps, channels)")
        signal = within_unit_interval("trials: signal", signal, self.signal)
        target = whole_numbers("target", self.target, signal.shape[:2], several(self.classes), low=-1)
        asked_somewhere("target", target)
        if not (given.one(self.step_ms) or 0) > 0:
            raise WrongUse(f"trials: step_ms={self.step_ms} must be a finite number above 0.")
        number = whole_numbers("number", self.number, (len(signal),), None)
        for name, values in (("signal", signal), ("target", target), ("number", number)):
            object.__setattr__(self, name, values)

    def __len__(self) -> int:
        return len(self.signal)

    @property
    def X(self) -> np.ndarray:
        """The signals, (trials, steps, channels) float64."""
        return self.signal

    @property
    def y(self) -> np.ndarray:
        """The answers, (trials, steps) int64; -1 where none is asked."""
        return self.target

    def right(self, answers: Any) -> np.ndarray:
        """Share of the asked steps that were answered rightly, (trials,)."""
        return share_right(answers, self.target)
