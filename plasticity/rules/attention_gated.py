"""Attention-gated plasticity: what was active on both sides of a synapse may change; attention and reward say how much.

    dw = eta x_pre a_post          where it lands: w <- w + attention_post surprise dw

x_pre          how often the presynaptic neuron fired in the trial (a trace)
a_post         1 where the postsynaptic neuron fired in the trial: the derivative of a rectified neuron (a nearest trace)
attention_post what the chosen action sends back to the neuron through the feedback weights: a gate on the synapse
surprise       reward minus the reward that the chosen action predicted, broadcast to all synapses: a second factor of the gate

The first line is the rule; the factors of the second belong to the landing (`gate="attention_post*surprise"`, or an `Eligibility`
with such a `signal` where the reward comes late), as for every other rule. With feedback weights that equal the forward ones the
change of all weights is, for rectified rate units, minus eta times the gradient of (reward - predicted)^2/2 of the chosen action
alone (Pozzi, Bohte & Roelfsema 2020; Roelfsema & van Ooyen 2005 for its expectation); `plasticity.learners.RateBrainProp` is held
to that. Feedback weights may learn by the same changes (`reciprocal="back"`): synapses in both directions see the same factors.
"""

from __future__ import annotations

from brian2 import second

from plasticity.rules.rule import Rule, Trace

attention_gated = Rule(
    name="attention_gated",
    summary="attention-gated plasticity: presynaptic count times postsynaptic activity, for a gate of attention and reward",
    source="Pozzi, Bohte & Roelfsema 2018, arXiv:1811.01768 (and 2020, NeurIPS 33); "
    "Roelfsema & van Ooyen 2005, doi:10.1162/0899766054615699",
    parameters={"eta": 0.01, "tau_count": 10 * second, "tau_active": 10 * second},
    meaning={
        "eta": "change of the weight by one presynaptic spike where both factors are 1, in units of the weight",
        "tau_count": "how long presynaptic spikes are remembered: several trials, so that the trace is a count",
        "tau_active": "how long a postsynaptic neuron counts as active",
    },
    traces=(Trace("pre_count", "tau_count"), Trace("post_active", "tau_active", "nearest")),
    on_pre="dw = eta*pre_count*post_active",
    factors={
        "attention_post": "what the chosen action sends back to the neuron over the feedback weights",
        "surprise": "reward minus the reward that the action predicted; that of an Eligibility where it comes late (AuGMEnT)",
    },
    tested="a loop over trials",
)
