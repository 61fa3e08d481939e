"""Plasticity rules by name. A new rule is one file and one import line here."""

from typing import Any

from plasticity.errors import unknown
from plasticity.registry import Registry
from plasticity.rules.attention_gated import attention_gated
from plasticity.rules.bcm import bcm
from plasticity.rules.calcium import calcium
from plasticity.rules.covariance import covariance
from plasticity.rules.diehl_cook import diehl_cook
from plasticity.rules.hebb import hebb
from plasticity.rules.heterosynaptic import heterosynaptic
from plasticity.rules.inhibitory_stdp import inhibitory_stdp
from plasticity.rules.landing import Eligibility, Landing
from plasticity.rules.oja import oja
from plasticity.rules.pair_stdp import pair_stdp
from plasticity.rules.rate_hebb import rate_hebb
from plasticity.rules.rule import Rule, Trace
from plasticity.rules.short_term import ShortTerm
from plasticity.rules.synaptic_scaling import synaptic_scaling
from plasticity.rules.triplet_stdp import triplet_stdp
from plasticity.rules.voltage_stdp import voltage_stdp
from plasticity.structure.law import Structure

RULES: Registry[Rule] = Registry("rule", [value for value in list(globals().values()) if isinstance(value, Rule)], of=Rule)
LANDINGS: Registry[Any] = Registry("landing", [Landing, Eligibility, ShortTerm, Structure])

Rule.known = RULES
named = Rule.from_text


def __getattr__(name: str) -> Any:
    if not name.startswith("_") and name in RULES:  # one from outside
        return RULES[name]
    raise AttributeError(str(unknown("rule", name, RULES)))


def __dir__() -> list[str]:
    """What is here, and the rules from outside."""
    return sorted({*globals(), *RULES})
