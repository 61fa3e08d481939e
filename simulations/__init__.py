"""Experiments, one question a file; `ls simulations/*.py` is the table of contents. How they are run lies in the folders.

`SIMULATIONS` holds them by name. A new experiment is one file and one line in `_CLASSES`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from plasticity.registry import Registry
    from simulations.frame.experiment import Experiment

    SIMULATIONS: Registry[type[Experiment]]

_CLASSES: tuple[str, ...] = (  # file:class, in the order of the tables; the members of a suite come behind it
    "stdp_window:StdpWindow",
    "triplet_frequency:TripletFrequencySuite",
    "pairing_frequency:PairingFrequency",
    "bcm_threshold:BcmThreshold",
    "triplet_protocols:TripletProtocols",
    "stdp_equilibrium:StdpEquilibrium",
    "stdp_competition:StdpCompetition",
    "soft_bounds:SoftBounds",
    "inhibitory_balance:InhibitoryBalance",
    "contacts:ContactNumbers",
    "attention_structure:AttentionStructure",
    "remapping:Remapping",
    "sparse_digits:SparseDigits",
    "critical_period:CriticalPeriod",
    "neurogenesis:Neurogenesis",
    "structural_homeostasis:StructuralHomeostasis",
    "homeostasis:Homeostasis",
    "scaled_neuron:ScaledNeuron",
    "scaled_network:ScaledNetwork",
    "exponential_output:ExponentialOutput",
    "short_term_release:ShortTermRelease",
    "rate_rules:RateRules",
    "hebbian_growth:HebbianGrowth",
    "covariance_sign:CovarianceSign",
    "first_component:FirstComponent",
    "leading_components:LeadingComponents",
    "bcm_selectivity:BcmSelectivity",
    "calcium_rule:CalciumRule",
    "attention_gain:AttentionGain",
    "attention_map:AttentionMap",
    "distal_reward:DistalRewardSuite",
    "late_reward:LateReward",
    "one_trial:OneTrial",
    "reward_expectation:RewardExpectationTask",
    "augment:Augment",
    "pattern_detection:PatternDetection",
    "voltage_stdp:VoltageStdpSuite",
    "voltage_frequency:VoltageFrequency",
    "voltage_window:VoltageWindow",
    "digits_unsupervised:DigitsUnsupervised",
    "hebbian_attention:HebbianAttention",
    "memory_recall:MemoryRecall",
    "trained_recall:TrainedRecall",
    "recall_maps:RecallMaps",
    "identities:IdentitiesSuite",
    "exact_identities:ExactIdentities",
    "superposition_law:SuperpositionLaw",
    "credit_assignment:CreditAssignment",
    "update_direction:UpdateDirection",
    "beside_backprop:BesideBackprop",
    "worked_examples:WorkedExamples",
    "softmax_weights:SoftmaxWeights",
    "binary_classifier:BinaryClassifier",
    "needs_attention:NeedsAttention",
    "preprocessing:Preprocessing",
    "tuning:Tuning",
    "robustness:Robustness",
    "compression:Compression",
    "time_steps:TimeSteps",
    "bench:Bench",
    "structure_time:StructureTime",
    "network_time:NetworkTime",
    "network_growth:NetworkGrowth",
)


def __getattr__(name: str) -> Any:
    if name != "SIMULATIONS":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from plasticity.registry import Registry  # imported on use: `plasticity --help` needs no simulator
    from simulations.frame.experiment import Experiment

    classes = [getattr(import_module(f"simulations.{file}"), title) for file, title in (text.split(":") for text in _CLASSES)]
    globals()["SIMULATIONS"] = Registry("simulation", classes, of=Experiment)
    return globals()["SIMULATIONS"]


def __dir__() -> list[str]:
    """What can be asked for, imported or not."""
    return sorted({*globals(), "SIMULATIONS"})
