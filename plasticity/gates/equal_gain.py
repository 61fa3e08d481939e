"""Control: the gate's total drive without selection."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

import numpy as np

from plasticity.checked import checked
from plasticity.gates.input_gain import InputGain


@dataclasses.dataclass(frozen=True)
class EqualGain(InputGain):
    """The mean of the gate's gains on every stream: the same total drive without selection."""

    name: ClassVar[str] = "equal_gain"
    summary: ClassVar[str] = "control: the mean of the gate's gains on every stream, the same total drive"
    source: ClassVar[str] = "control"
    selects: ClassVar[bool] = False

    @checked
    def gains(self, cue: np.ndarray, streams: int, rng: np.random.Generator) -> np.ndarray:
        self.favour(cue, streams)  # refuses what is none
        return np.full((len(cue), streams), (self.attended + (streams - 1) * self.ignored) / streams)
