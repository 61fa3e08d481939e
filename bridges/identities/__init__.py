"""Where plasticity and attention are the same computation: exact identities, each side computed by code of its own.

The plasticity side is the plain local rule in NumPy (outer products, traces, feedback along a layer), or one of this project's
rules in Brian2 on its NumPy target; the attention side is PyTorch's `scaled_dot_product_attention`, its autograd and its
optimiser. Everything is float64. `IDENTITIES` holds them by name; `IDENTITIES["I4a"].largest_difference(rng)` draws one random
instance, of random size, and says how far apart the two sides are. The functions of the two sides are public, so that a test can
put a wrong one beside a right one and see the difference.

    fast_weights         I1 to I5     Hebb, traces, the delta rule, a trained layer: linear attention
    stdp                 I3b, I12     pair and triplet STDP in Brian2: linear attention over spikes, sums over pairs
    hopfield             I6, I7       modern Hopfield networks, regression by a Gaussian kernel: softmax attention
    competition          I8, I9       the normalisation model of attention, biased competition: softmax attention
    attention_feedback   I10          BrainProp: backprop of the selected unit's error
    eprop                I11          backprop through time
    superposition                     the law of superposed memories, which is statistical

A new identity is one entry in `IDENTITIES` of one of these files.

Notation. Keys k_t and queries q_t have d components, values v_t as many as there are outputs; sequences are arrays (steps,
components). W is a weight matrix (outputs, d). No quantity has a unit, except times (s) in the rules for spikes.

What the identities do not say: that the brain computes attention, or that a rule learns what a trained attention model learns.
They say which rule, with which memory, computes which attention.
"""

from __future__ import annotations

from bridges.identities import attention_feedback, competition, eprop, fast_weights, hopfield, stdp
from bridges.identities.attention_feedback import backprop, brainprop, cosine, trials
from bridges.identities.competition import (
    biased_competition,
    competition_as_attention,
    fields,
    normalisation,
    normalisation_as_attention,
)
from bridges.identities.eprop import Recurrent, bptt, eligibility
from bridges.identities.fast_weights import delta_rule, hebb, linear_attention, positive, sgd, trained_layer
from bridges.identities.hopfield import gaussian_weights, hopfield_energy, hopfield_update
from bridges.identities.identity import Identity, difference, softmax_attention
from bridges.identities.stdp import DT, as_triplet, network_weights, pairs_sum, spike_attention, spikes
from bridges.identities.superposition import memory_errors
from plasticity.registry import Registry

_GROUPS = (fast_weights, stdp, hopfield, competition, attention_feedback, eprop)


def _place(identity: Identity) -> tuple[int, str]:
    """By number, then by letter: I3b before I12a."""
    return int("".join(filter(str.isdigit, identity.name))), identity.name


IDENTITIES: Registry[Identity] = Registry(
    "identity", sorted((identity for group in _GROUPS for identity in group.IDENTITIES), key=_place)
)
"""By name, in the order of their numbers; the random numbers of each follow from its place."""

__all__ = [
    "DT", "IDENTITIES", "Identity", "Recurrent", "as_triplet", "backprop", "biased_competition", "bptt", "brainprop",
    "competition_as_attention", "cosine", "delta_rule", "difference", "eligibility", "fields", "gaussian_weights", "hebb",
    "hopfield_energy", "hopfield_update", "linear_attention", "memory_errors", "network_weights", "normalisation",
    "normalisation_as_attention", "pairs_sum", "positive", "sgd", "softmax_attention", "spike_attention", "spikes",
    "trained_layer", "trials",
]  # fmt: skip
