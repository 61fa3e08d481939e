"""Control: gains without information about the cue."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

import numpy as np

from plasticity.checked import checked_but
from plasticity.gates.input_gain import InputGain


@dataclasses.dataclass(frozen=True)
class ShuffledGate(InputGain):
    """The same gains, but which stream gets the high one is drawn at random in every trial."""

    name: ClassVar[str] = "shuffled_gate"
    summary: ClassVar[str] = "control: the gate's gains, on a stream drawn at random"
    source: ClassVar[str] = "control"
    selects: ClassVar[bool] = False

    @checked_but("cue", "streams")
    def gains(self, cue: np.ndarray, streams: int, rng: np.random.Generator) -> np.ndarray:
        self.favour(cue, streams)  # refuses what is none
        return self.favour(rng.integers(streams, size=len(cue)), streams)
