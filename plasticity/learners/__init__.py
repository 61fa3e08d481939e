"""Learners that need no PyTorch: spiking networks, memories, guessing. A new learner is one file and one line here.

All learners, those of PyTorch as well, are in `bridges.LEARNERS`.
"""

from __future__ import annotations

from plasticity.learners.baseline import Baseline
from plasticity.learners.diehl_cook import DiehlCookClassifier
from plasticity.learners.guessing import Guessing
from plasticity.learners.learner import VALIDATION, Learner, LearnerEntry, Variant, entries_of
from plasticity.learners.rate_augment import RateAugment
from plasticity.learners.rate_brainprop import RateBrainProp
from plasticity.learners.rate_memory import RateMemory
from plasticity.learners.spiking_augment import SpikingAugment
from plasticity.learners.spiking_brainprop import SpikingBrainProp
from plasticity.learners.spiking_classifier import SpikingClassifier
from plasticity.learners.spiking_memory import SpikingMemory

CLASSES: tuple[type[Learner], ...] = (
    *(SpikingBrainProp, SpikingClassifier, DiehlCookClassifier, SpikingMemory, SpikingAugment),
    *(RateAugment, RateBrainProp, RateMemory, Baseline, Guessing),
)
"""In the order in which tables show them, what is trained by gradient between the spiking learners and the controls."""

__all__ = [
    "CLASSES", "VALIDATION", "Baseline",
    "DiehlCookClassifier", "Guessing", "Learner", "LearnerEntry", "RateAugment", "RateBrainProp", "RateMemory",
    "SpikingAugment", "SpikingBrainProp", "SpikingClassifier", "SpikingMemory", "Variant", "entries_of",
]  # fmt: skip
