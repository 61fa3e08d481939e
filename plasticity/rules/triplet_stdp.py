"""Triplet STDP: a second, slow trace on each side lets the rate matter as well as the order."""

from __future__ import annotations

from typing import Any

import numpy as np
from brian2 import ms

from plasticity.rules.rule import Parameters, Rule, Trace, before


def closed_form(pre: np.ndarray, post: np.ndarray, parameters: Parameters, spikes: str = "all") -> float:
    """Sums over spikes, each exponential written out.

    sum_post sum_{pre < post} e^{-(post-pre)/tau_plus} (A2_plus + A3_plus sum_{post' < post} e^{-(post-post')/tau_y})
    - sum_pre sum_{post < pre} e^{-(pre-post)/tau_minus} (A2_minus + A3_minus sum_{pre' < pre} e^{-(pre-pre')/tau_x})

    With "nearest" traces each inner sum is its last term alone.
    """
    p = parameters
    slow_post = before(post, post, p["tau_y"], spikes)
    slow_pre = before(pre, pre, p["tau_x"], spikes)
    up = before(pre, post, p["tau_plus"], spikes) * (p["A2_plus"] + p["A3_plus"] * slow_post)
    down = before(post, pre, p["tau_minus"], spikes) * (p["A2_minus"] + p["A3_minus"] * slow_pre)
    return float(up.sum() - down.sum())


def _row(
    A2_plus: float, A3_plus: float, A2_minus: float, A3_minus: float, tau_x: float, tau_y: float, spikes: str = "all"
) -> dict[str, Any]:
    return {
        "A2_plus": A2_plus, "A3_plus": A3_plus, "A2_minus": A2_minus, "A3_minus": A3_minus,
        "tau_x": tau_x * ms, "tau_y": tau_y * ms, "spikes": spikes,
    }  # fmt: skip


# Tables 3 and 4 of the paper. The minimal rows have no presynaptic triplet term, so that their tau_x is without effect;
# it is given the value of the full row.
PRESETS = {
    "visual_cortex_all_to_all_full": _row(5e-10, 6.2e-3, 7e-3, 2.3e-4, 101, 125),
    "visual_cortex_all_to_all_minimal": _row(0, 6.5e-3, 7.1e-3, 0, 101, 114),
    "visual_cortex_nearest_full": _row(8.8e-11, 5.3e-2, 6.6e-3, 3.1e-3, 714, 40, "nearest"),
    "visual_cortex_nearest_minimal": _row(0, 5e-2, 8e-3, 0, 714, 40, "nearest"),
    "hippocampus_all_to_all_full": _row(6.1e-3, 6.7e-3, 1.6e-3, 1.4e-3, 946, 27),
    "hippocampus_all_to_all_minimal": _row(5.3e-3, 8e-3, 3.5e-3, 0, 946, 40),
    "hippocampus_nearest_full": _row(4.6e-3, 9.1e-3, 3e-3, 7.5e-9, 575, 47, "nearest"),
    "hippocampus_nearest_minimal": _row(4.6e-3, 9.1e-3, 3e-3, 0, 575, 48, "nearest"),
}

DEFAULT = {name: value for name, value in PRESETS["visual_cortex_all_to_all_full"].items() if name != "spikes"}

triplet_stdp = Rule(
    name="triplet_stdp",
    summary="triplet STDP, eight parameter rows by name: pairs plus a term in the neuron's own recent spikes",
    source="Pfister & Gerstner 2006, doi:10.1523/JNEUROSCI.1425-06.2006",
    parameters={**DEFAULT, "tau_plus": 16.8 * ms, "tau_minus": 33.7 * ms},
    meaning={
        "A2_plus": "potentiation by a pair, in units of the weight",
        "A3_plus": "potentiation by a triplet post-pre-post",
        "A2_minus": "depression by a pair, in units of the weight",
        "A3_minus": "depression by a triplet pre-post-pre",
        "tau_x": "slow presynaptic trace",
        "tau_y": "slow postsynaptic trace",
        "tau_plus": "fast presynaptic trace",
        "tau_minus": "fast postsynaptic trace",
    },
    traces=(
        Trace("pre_trace", "tau_plus"),
        Trace("pre_slow", "tau_x"),
        Trace("post_trace", "tau_minus"),
        Trace("post_slow", "tau_y"),
    ),
    on_pre="dw = -post_trace*(A2_minus + A3_minus*pre_slow)",
    on_post="dw = pre_trace*(A2_plus + A3_plus*post_slow)",
    closed_form=closed_form,
    presets=PRESETS,
)
