"""Voltage-based plasticity: depression and potentiation are decided by the postsynaptic membrane potential, not by its spikes."""

from __future__ import annotations

import dataclasses

from brian2 import ms, mV

from plasticity.rules.rule import Rule, Trace

# dw/dt = -A_LTD X (ubar_- - theta_-)+ + A_LTP xbar (u - theta_+)+ (ubar_+ - theta_-)+
#
# X      the presynaptic spike train, a sum of delta functions (per second); here on_pre
# xbar   its low-pass, tau_x dxbar/dt = -xbar + X, with jumps of 1/tau_x; here pre_trace/tau_x, as pre_trace jumps by 1
# u      the postsynaptic membrane potential; ubar_-, ubar_+ its low-passes with tau_minus and tau_plus; here theta_- lower, so
#        that a low-pass that starts at 0 starts at theta_-, the resting potential of the paper's neuron, and changes nothing
voltage_stdp = Rule(
    name="voltage_stdp",
    summary="voltage-based STDP: the membrane potential and two low-passes of it decide on depression and potentiation",
    source="Clopath, Buesing, Vasilaki & Gerstner 2010, doi:10.1038/nn.2479; parameters of visual cortex, without the homeostasis"
    " of A_LTD; authors' program: ModelDB 144566",
    parameters={
        "A_LTD": 1.4e-4 / mV, "A_LTP": 8e-5 / mV**2, "theta_minus": -70.6 * mV, "theta_plus": -45.3 * mV,
        "tau_x": 15 * ms, "tau_minus": 10 * ms, "tau_plus": 7 * ms,
    },
    meaning={
        "A_LTD": "depression by one presynaptic spike, for each mV of ubar_- above theta_minus",
        "A_LTP": "potentiation by one presynaptic spike, for each mV of u above theta_plus and of ubar_+ above theta_minus",
        "theta_minus": "potential that the low-passes must exceed; the neuron's resting potential",
        "theta_plus": "potential that the membrane must exceed for potentiation",
        "tau_x": "low-pass of the presynaptic spikes",
        "tau_minus": "low-pass of the potential that depression reads",
        "tau_plus": "low-pass of the potential that potentiation reads",
    },
    traces=(
        Trace("pre_trace", "tau_x"),
        Trace("post_u_minus", "tau_minus", of="v - theta_minus", unit="volt"),
        Trace("post_u_plus", "tau_plus", of="v - theta_minus", unit="volt"),
    ),
    on_pre="dw = -A_LTD*int(post_u_minus > 0*theta_minus)*post_u_minus",
    drift="above = int(v_post > theta_plus)*(v_post - theta_plus)\n"
    "dw = A_LTP*pre_trace/tau_x*above*int(post_u_plus > 0*theta_minus)*post_u_plus",
    needs={"v_post": "the membrane potential, with the shape of its spikes; adex_clopath has one"},
)  # fmt: skip


def late(rule: Rule = voltage_stdp) -> Rule:
    """The rule with low-passes of a potential that the neuron passes on late, `v_late`, as `adex_clopath` does.

    A low-pass of a delayed signal is the delayed low-pass of the signal. The authors' program, not the paper, reads both
    low-passes 3 steps of 1 ms late (a spike of 2 ms and one step), so that no spike sees itself in them.
    """
    traces = tuple(dataclasses.replace(t, of=t.of.replace("v ", "v_late ")) if t.of else t for t in rule.traces)
    needs = {**rule.needs, "v_late_post": "the membrane potential a spike's length ago; adex_clopath has it"}
    return dataclasses.replace(rule, traces=traces, needs=needs)
