"""Hebb's rule for spikes: what fires together, in whichever order, is strengthened."""

from __future__ import annotations

import numpy as np
from brian2 import ms

from plasticity.rules.rule import Parameters, Rule, Trace, before


def closed_form(pre: np.ndarray, post: np.ndarray, parameters: Parameters, spikes: str = "all") -> float:
    """eta * sum over pairs of exp(-|t_post - t_pre|/tau), pairs of the same time step left out.

    All pairs; or with "nearest" traces each spike with the last earlier one of the other side, and with "reduced" ones only
    if no other spike has been paired with that one.
    """
    tau = parameters["tau"]
    return float(parameters["eta"] * (before(pre, post, tau, spikes).sum() + before(post, pre, tau, spikes).sum()))


hebb = Rule(
    name="hebb",
    summary="Hebb for spikes: a symmetric coincidence window, potentiation only",
    source="Gerstner & Kistler 2002, doi:10.1007/s00422-002-0353-y; "
    "Kempter, Gerstner & van Hemmen 1999, doi:10.1103/PhysRevE.59.4498",
    parameters={"eta": 0.01, "tau": 20 * ms},
    meaning={
        "eta": "potentiation by one coincident pair, in units of the weight",
        "tau": "time constant of the coincidence window",
    },
    traces=(Trace("pre_trace", "tau"), Trace("post_trace", "tau")),
    on_pre="dw = eta*post_trace",
    on_post="dw = eta*pre_trace",
    closed_form=closed_form,
)
