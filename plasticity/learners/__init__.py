"""Learners that need no PyTorch: spiking networks, memories, guessing. A new learner is one file and one line here.

All learners, those of PyTorch as well, are in `bridges.LEARNERS`.
"""

from __future__ import annotations

from plasticity.learners.baseline import Baseline
from plasticity.learners.counting_words import CountingWords
from plasticity.learners.diehl_cook import DiehlCookClassifier
from plasticity.learners.guessing import Guessing
from plasticity.learners.hebbian_translator import HebbianTranslator
from plasticity.learners.item_baseline import ItemBaseline
from plasticity.learners.learner import VALIDATION, Learner, LearnerEntry, Variant, entries_of
from plasticity.learners.neurogenesis_classifier import NeurogenesisClassifier
from plasticity.learners.rate_augment import RateAugment
from plasticity.learners.rate_brainprop import RateBrainProp
from plasticity.learners.rate_memory import RateMemory
from plasticity.learners.rewiring_classifier import RewiringClassifier
from plasticity.learners.sequence_baseline import SequenceBaseline
from plasticity.learners.spiking_association import SpikingAssociation
from plasticity.learners.spiking_augment import SpikingAugment
from plasticity.learners.spiking_brainprop import SpikingBrainProp
from plasticity.learners.spiking_classifier import SpikingClassifier
from plasticity.learners.spiking_memory import SpikingMemory
from plasticity.learners.spiking_reader import SpikingReader

CLASSES: tuple[type[Learner], ...] = (
    *(SpikingBrainProp, SpikingClassifier, RewiringClassifier, NeurogenesisClassifier, DiehlCookClassifier, SpikingMemory),
    *(SpikingAugment, SpikingReader, SpikingAssociation, RateAugment, RateBrainProp, RateMemory, Baseline, CountingWords),
    *(HebbianTranslator, SequenceBaseline, ItemBaseline, Guessing),
)
"""In the order in which tables show them, what is trained by gradient between the spiking learners and the controls."""

__all__ = [
    "Baseline", "CLASSES", "CountingWords", "DiehlCookClassifier", "Guessing", "HebbianTranslator", "ItemBaseline", "Learner",
    "LearnerEntry", "NeurogenesisClassifier", "RateAugment", "RateBrainProp", "RateMemory", "RewiringClassifier",
    "SequenceBaseline", "SpikingAssociation", "SpikingAugment", "SpikingBrainProp", "SpikingClassifier", "SpikingMemory",
    "SpikingReader", "VALIDATION", "Variant", "entries_of",
]  # fmt: skip
