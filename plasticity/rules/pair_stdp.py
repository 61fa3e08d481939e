"""Pair-based spike-timing-dependent plasticity."""

from __future__ import annotations

import numpy as np
from brian2 import ms

from plasticity.rules.rule import Parameters, Rule, Trace, before


def closed_form(pre: np.ndarray, post: np.ndarray, parameters: Parameters, spikes: str = "all") -> float:
    """The sum over pairs of A_plus e^{-d/tau_plus} where d = t_post - t_pre > 0 and of -A_minus e^{d/tau_minus} where d < 0.

    All pairs; or with "nearest" traces each spike with the last earlier one of the other side, and with "reduced" ones only
    if no other spike has been paired with that one.
    """
    up = parameters["A_plus"] * before(pre, post, parameters["tau_plus"], spikes)
    down = parameters["A_minus"] * before(post, pre, parameters["tau_minus"], spikes)
    return float(up.sum() - down.sum())


pair_stdp = Rule(
    name="pair_stdp",
    summary="pair STDP: potentiation where pre leads, depression where post leads",
    source="Song, Miller & Abbott 2000, doi:10.1038/78829; "
    "window measured by Bi & Poo 1998, doi:10.1523/JNEUROSCI.18-24-10464.1998",
    parameters={"A_plus": 0.01, "A_minus": 0.0105, "tau_plus": 20 * ms, "tau_minus": 20 * ms},
    meaning={
        "A_plus": "largest potentiation by one pair, in units of the weight",
        "A_minus": "largest depression by one pair, in units of the weight",
        "tau_plus": "time constant of the potentiation window",
        "tau_minus": "time constant of the depression window",
    },
    traces=(Trace("pre_trace", "tau_plus"), Trace("post_trace", "tau_minus")),
    on_pre="dw = -A_minus*post_trace",
    on_post="dw = A_plus*pre_trace",
    closed_form=closed_form,
)
