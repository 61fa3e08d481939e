"""Plasticity rules by name. A new rule is one file and one import line here."""

from plasticity.registry import Registry
from plasticity.rules.hebb import hebb
from plasticity.rules.landing import Eligibility, Landing
from plasticity.rules.pair_stdp import pair_stdp
from plasticity.rules.rule import Rule, Trace
from plasticity.rules.short_term import ShortTerm
from plasticity.rules.triplet_stdp import triplet_stdp

RULES: Registry[Rule] = Registry("rule", [value for value in list(globals().values()) if isinstance(value, Rule)])

__all__ = ["RULES", "Eligibility", "Landing", "Rule", "ShortTerm", "Trace", "hebb", "pair_stdp", "triplet_stdp"]
