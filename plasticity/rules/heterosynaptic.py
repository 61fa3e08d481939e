"""Heterosynaptic plasticity with consolidation: bursts pull every weight of a neuron back to a slow reference weight."""

from __future__ import annotations

from brian2 import ms, second

from plasticity.rules.rule import Rule, Trace

# At a postsynaptic spike   dw = -beta_het (w - w_ref) z^3, z the trace of the neuron's earlier spikes (tau_het)
# at a presynaptic spike    dw = +delta                      (transmitter-induced)
# all the time              tau_cons dw_ref/dt = w - w_ref - P w_ref (w_P/2 - w_ref) (w_P - w_ref)
#
# The reference follows the weight, and a double well holds it at 0 or at w_P: without w it would rest at one of the two.
# In the paper these terms go with triplet STDP, whose tau_minus is tau_het; its beta is beta_het here, as synaptic scaling has
# a beta too, and its w tilde is w_ref. The reference starts at 0 unless set: `synapses.w_ref = 0.5`.
heterosynaptic = Rule(
    name="heterosynaptic",
    summary="heterosynaptic term: bursts pull weights to a slowly consolidating reference, presynaptic spikes add a little",
    source="Zenke, Agnes & Gerstner 2015, doi:10.1038/ncomms7922; the values are those of the authors' public simulation",
    parameters={"beta_het": 0.05, "delta": 2e-5, "tau_het": 20 * ms, "tau_cons": 1200 * second, "P": 20.0, "w_P": 0.5},
    meaning={
        "beta_het": "strength of the pull towards the reference weight (beta in the paper)",
        "delta": "potentiation by a presynaptic spike, whatever the neuron does",
        "tau_het": "trace of the neuron's spikes, whose cube tells a burst from single spikes",
        "tau_cons": "time constant of the consolidation",
        "P": "depth of the double well of the reference weight",
        "w_P": "upper resting point of the reference weight; the lower one is 0",
    },
    traces=(Trace("post_burst", "tau_het"),),
    on_pre="dw = delta",
    on_post="dw = -beta_het*(w - w_ref)*post_burst**3",
    tested="a loop over events",
    state={"w_ref": "(w - w_ref - P*w_ref*(w_P/2 - w_ref)*(w_P - w_ref))/tau_cons"},
)
