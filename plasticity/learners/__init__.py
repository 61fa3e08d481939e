"""Learners that need no PyTorch: spiking networks, memories, guessing. A new learner is one file and one line here.

All learners, those of PyTorch as well, are in `bridges.LEARNERS`.
"""

from __future__ import annotations

from plasticity.learners.baseline import Baseline
from plasticity.learners.diehl_cook import DiehlCookClassifier
from plasticity.learners.guessing import Guessing
from plasticity.learners.learner import VALIDATION, Learner, LearnerEntry, Variant, entries_of
from plasticity.learners.rate_memory import RateMemory
from plasticity.learners.spiking_classifier import SpikingClassifier
from plasticity.learners.spiking_memory import SpikingMemory

CLASSES: tuple[type[Learner], ...] = (
    *(SpikingClassifier, DiehlCookClassifier, SpikingMemory),
    *(RateMemory, Baseline, Guessing),
)
"""In the order in which tables show them, what is trained by gradient between the spiking learners and the controls."""

__all__ = [
    "CLASSES", "VALIDATION", "Baseline",
    "DiehlCookClassifier", "Guessing", "Learner", "LearnerEntry", "RateMemory", "SpikingClassifier",
    "SpikingMemory", "Variant", "entries_of",
]  # fmt: skip
