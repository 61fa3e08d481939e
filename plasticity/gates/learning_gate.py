"""Attention as a third factor of learning."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

import numpy as np

from plasticity.checked import Count, checked
from plasticity.gates.input_gain import InputGain


@dataclasses.dataclass(frozen=True)
class LearningGate(InputGain):
    """The cue leaves the input alone and multiplies the weight change of each stream's synapses."""

    name: ClassVar[str] = "learning_gate"
    summary: ClassVar[str] = "attention multiplies the weight change instead of the input (a third factor)"
    source: ClassVar[str] = "Roelfsema & Holtmaat 2018, doi:10.1038/s41583-018-0018-5"

    @checked
    def gains(self, cue: np.ndarray, streams: Count, rng: np.random.Generator) -> np.ndarray:
        return np.ones((len(cue), streams))

    def learning(self, cue: np.ndarray, streams: int, rng: np.random.Generator) -> np.ndarray:
        return self.favour(cue, streams)
