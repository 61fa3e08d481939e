"""Inhibitory spike-timing-dependent plasticity that holds the postsynaptic rate at a target."""

from __future__ import annotations

import numpy as np
from brian2 import Hz, ms

from plasticity.rules.rule import Parameters, Rule, Trace, before


def closed_form(pre: np.ndarray, post: np.ndarray, parameters: Parameters, spikes: str = "all") -> float:
    """eta times the sum over pairs of e^{-|t_post - t_pre|/tau}, minus eta alpha for each presynaptic spike; alpha = 2 rho0 tau.

    For independent Poisson trains of rates r_pre and r_post the mean drift is dw/dt = 2 eta tau r_pre (r_post - rho0): it is zero
    at r_post = rho0, whatever r_pre is.
    """
    eta, tau = parameters["eta"], parameters["tau"]
    alpha = 2 * float(parameters["rho0"]) * float(tau)
    paired = before(post, pre, tau, spikes).sum() + before(pre, post, tau, spikes).sum()
    return float(eta * (paired - alpha * len(pre)))


inhibitory_stdp = Rule(
    name="inhibitory_stdp",
    summary="inhibitory STDP: coincidence in either order strengthens, each presynaptic spike weakens; holds a target rate",
    source="Vogels, Sprekeler, Zenke, Clopath & Gerstner 2011, doi:10.1126/science.1211095",
    parameters={"eta": 0.01, "tau": 20 * ms, "rho0": 3 * Hz},
    meaning={
        "eta": "learning rate: change of the weight by one pair of coincident spikes",
        "tau": "time constant of both traces, the width of the symmetric window",
        "rho0": "target rate of the postsynaptic neuron; the depression by each presynaptic spike is alpha = 2 rho0 tau",
    },
    traces=(Trace("pre_trace", "tau"), Trace("post_trace", "tau")),
    on_pre="dw = eta*(post_trace - 2*rho0*tau)",
    on_post="dw = eta*pre_trace",
    closed_form=closed_form,
)
