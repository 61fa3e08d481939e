"""The rule of Diehl & Cook's digit recognition: potentiation at an output spike that follows an earlier one, weak depression.

at a presynaptic spike    dw = -A_minus post_trace
at a postsynaptic spike   dw = +A_plus pre_trace post_slow

pre_trace, post_trace, post_slow   set to 1 by each spike (nearest neighbour) and decaying with tau_plus, tau_minus, tau_y

It is the triplet rule of Pfister & Gerstner 2006 (doi:10.1523/JNEUROSCI.1425-06.2006), nearest neighbour, without the pair term
of potentiation and the triplet term of depression: a first output spike after silence does not potentiate. With 100 times less
depression than potentiation the weights only grow; the network keeps their sum at a set value (plasticity.networks.diehl_cook).
The paper describes several rules; this is the one of the authors' public program.

Diehl & Cook 2015, doi:10.3389/fncom.2015.00099.
"""

from __future__ import annotations

import numpy as np
from brian2 import ms

from plasticity.rules.rule import Parameters, Rule, Trace, before


def closed_form(pre: np.ndarray, post: np.ndarray, parameters: Parameters, spikes: str = "nearest") -> float:
    """Sums over spikes, each trace the exponential of the last earlier spike alone ("nearest") or a sum over all of them ("all").

    sum_post A_plus e^{-(post-pre)/tau_plus} e^{-(post-post')/tau_y} - sum_pre A_minus e^{-(pre-post)/tau_minus}
    """
    p = parameters
    up = before(pre, post, p["tau_plus"], spikes) * before(post, post, p["tau_y"], spikes)
    return float(p["A_plus"] * up.sum() - p["A_minus"] * before(post, pre, p["tau_minus"], spikes).sum())


diehl_cook = Rule(
    name="diehl_cook",
    summary="Diehl & Cook's rule: potentiation by post-pre-post triplets, depression a hundred times weaker, nearest neighbour",
    source="Diehl & Cook 2015, doi:10.3389/fncom.2015.00099, as in the authors' public program",
    parameters={"A_plus": 0.01, "A_minus": 1e-4, "tau_plus": 20 * ms, "tau_minus": 20 * ms, "tau_y": 40 * ms},
    meaning={
        "A_plus": "largest potentiation at a postsynaptic spike, in units of the weight",
        "A_minus": "largest depression at a presynaptic spike, in units of the weight",
        "tau_plus": "presynaptic trace",
        "tau_minus": "fast postsynaptic trace",
        "tau_y": "slow postsynaptic trace",
    },
    traces=(
        Trace("pre_trace", "tau_plus", spikes="nearest"),
        Trace("post_trace", "tau_minus", spikes="nearest"),
        Trace("post_slow", "tau_y", spikes="nearest"),
    ),
    on_pre="dw = -A_minus*post_trace",
    on_post="dw = A_plus*pre_trace*post_slow",
    closed_form=closed_form,
)
