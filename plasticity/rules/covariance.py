"""The covariance rule: what varies together is strengthened, what varies in opposite directions is weakened.

dw/dt = eta (x - <x>)(y - <y>),     tau_mean d<x>/dt = x - <x>,     tau_mean d<y>/dt = y - <y>

x, y       activities of input and unit, no unit
<x>, <y>   their running means (the traces pre_mean and post_mean)
eta        rate of learning, 1/second
tau_mean   how long the means remember, second

For fluctuations faster than tau_mean the weight drifts with eta times the covariance of x and y. A running mean follows the very
activity that it is subtracted from: where x and y are drawn anew in each step of dt, the share (1 - a)^2 2/(2 - a) of their
covariance is left, with a = 1 - exp(-dt/tau_mean). Beware: while the means grow from 0, activities exceed them.

Sejnowski 1977, Storing covariance with nonlinearly interacting neurons, doi:10.1007/BF00275079.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from brian2 import Hz, second

from plasticity.rules.rule import Parameters, Rule, Trace


def clamped(rate_pre: Any, rate_post: Any, w: Any, seconds: float, parameters: Parameters) -> Any:
    """w + eta x y (tau/2) (1 - exp(-2 t/tau)), with x and y the two rates, tau = tau_mean, and means of 0 at the start."""
    tau = float(parameters["tau_mean"])
    return w + float(parameters["eta"]) * rate_pre * rate_post * tau / 2 * (1 - np.exp(-2 * seconds / tau))


covariance = Rule(
    name="covariance",
    summary="covariance rule for rates: the change has the sign of the correlation and vanishes for independent activities",
    source="Sejnowski 1977, doi:10.1007/BF00275079",
    parameters={"eta": 1 * Hz, "tau_mean": 1 * second},
    meaning={
        "eta": "rate of learning: change of the weight per second where both rates are 1 above their means",
        "tau_mean": "time constant of the running means",
    },
    traces=(Trace("pre_mean", "tau_mean", of="rate"), Trace("post_mean", "tau_mean", of="rate")),
    drift="dw = eta*(rate_pre - pre_mean)*(rate_post - post_mean)",
    needs={"rate_pre": "activity x of the input, no unit", "rate_post": "activity y of the unit, no unit"},
    clamped=clamped,
)
