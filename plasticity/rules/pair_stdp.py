"""Pair-based spike-timing-dependent plasticity."""

from __future__ import annotations

import numpy as np
from brian2 import ms

from plasticity.rules.rule import Parameters, Rule, Trace


def window(lag: np.ndarray, parameters: Parameters) -> np.ndarray:
    """The change by one pair, lag = t_post - t_pre in seconds; 0 at lag 0."""
    tau_plus, tau_minus = float(parameters["tau_plus"]), float(parameters["tau_minus"])
    up = parameters["A_plus"] * np.exp(-np.abs(lag) / tau_plus)
    down = -parameters["A_minus"] * np.exp(-np.abs(lag) / tau_minus)
    return np.where(lag > 0, up, np.where(lag < 0, down, 0.0))


def closed_form(pre: np.ndarray, post: np.ndarray, parameters: Parameters) -> float:
    """The double sum of the window over all pairs."""
    return float(window(np.subtract.outer(post, pre), parameters).sum())


pair_stdp = Rule(
    name="pair_stdp",
    summary="pair STDP, all-to-all: potentiation where pre leads, depression where post leads",
    source="Song, Miller & Abbott 2000, doi:10.1038/78829; window measured by Bi & Poo 1998, doi:10.1523/JNEUROSCI.18-24-10464.1998",
    parameters={"A_plus": 0.01, "A_minus": 0.0105, "tau_plus": 20 * ms, "tau_minus": 20 * ms},
    meaning={
        "A_plus": "largest potentiation by one pair, as a share of the weight's range",
        "A_minus": "largest depression by one pair, as a share of the weight's range",
        "tau_plus": "time constant of the potentiation window",
        "tau_minus": "time constant of the depression window",
    },
    traces=(Trace("pre_trace", "tau_plus"), Trace("post_trace", "tau_minus")),
    on_pre="dw = -A_minus*post_trace",
    on_post="dw = A_plus*pre_trace",
    closed_form=closed_form,
)
