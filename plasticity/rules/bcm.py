"""The BCM rule: potentiation above a threshold of the unit's activity, depression below it; the threshold follows the activity.

dw/dt = eta x y (y - theta),     tau_theta dtheta/dt = y^2 - theta

x, y        activities of input and unit, no unit
theta       the sliding threshold (the trace post_theta), the running mean of y^2
eta         rate of learning, 1/second
tau_theta   how long that mean remembers, second

Bienenstock, Cooper & Munro 1982, doi:10.1523/JNEUROSCI.02-01-00032.1982, let the threshold be a power of the mean activity. The
mean of the square is the form of Intrator & Cooper 1992, doi:10.1016/S0893-6080(05)80003-6. With it a linear unit that sees K
independent patterns equally often has stable states of one kind: y = K for one pattern and 0 for all others.

Beware: the threshold must remember many patterns and still be faster than the weights. About the selective state the averaged
equations are stable where eta |x|^2 tau_theta < 1; with a slower threshold the responses oscillate. With patterns shown in random
order for one step of dt each, the threshold follows in part the very response that it is compared with, and that response settles
at K/(1 + (K - 1) a) instead of K, a = 1 - exp(-dt/tau_theta).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from brian2 import Hz, second

from plasticity.rules.rule import Parameters, Rule, Trace


def clamped(rate_pre: Any, rate_post: Any, w: Any, seconds: float, parameters: Parameters) -> Any:
    """w + eta x y (y t - y^2 (t - tau (1 - exp(-t/tau)))), with x and y the rates, tau = tau_theta, theta = 0 at the start."""
    tau = float(parameters["tau_theta"])
    threshold = rate_post**2 * (seconds - tau * (1 - np.exp(-seconds / tau)))
    return w + float(parameters["eta"]) * rate_pre * rate_post * (rate_post * seconds - threshold)


bcm = Rule(
    name="bcm",
    summary="BCM for rates: potentiation above a sliding threshold, depression below it; a unit becomes selective",
    source="Bienenstock, Cooper & Munro 1982, doi:10.1523/JNEUROSCI.02-01-00032.1982; "
    "threshold <y^2>: Intrator & Cooper 1992, doi:10.1016/S0893-6080(05)80003-6",
    parameters={"eta": 0.1 * Hz, "tau_theta": 1 * second},
    meaning={
        "eta": "rate of learning: change of the weight per second where both rates are 1 and the threshold is 0",
        "tau_theta": "time constant of the threshold, the running mean of y^2",
    },
    traces=(Trace("post_theta", "tau_theta", of="rate**2"),),
    drift="dw = eta*rate_pre*rate_post*(rate_post - post_theta)",
    needs={"rate_pre": "activity x of the input, no unit", "rate_post": "activity y of the unit, no unit"},
    clamped=clamped,
)
