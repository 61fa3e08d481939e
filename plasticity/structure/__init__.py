"""Structural laws by name: which synapses of a pool die and which come alive. A new law is one file and one import line here."""

from plasticity.registry import Registry
from plasticity.structure.contacts import contacts
from plasticity.structure.critical_period import critical_period
from plasticity.structure.deep_r import deep_r
from plasticity.structure.growth_curves import growth_curves
from plasticity.structure.law import Law, Structure
from plasticity.structure.magnitude_pruning import magnitude_pruning
from plasticity.structure.new_neurons import new_neurons
from plasticity.structure.sparse_evolution import sparse_evolution

LAWS: Registry[Law] = Registry("law", [value for value in list(globals().values()) if isinstance(value, Law)], of=Law)

__all__ = [
    "LAWS", "Law", "Structure", "contacts", "critical_period", "deep_r", "growth_curves", "magnitude_pruning", "new_neurons",
    "sparse_evolution",
]  # fmt: skip
