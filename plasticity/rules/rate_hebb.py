"""Hebb's rule for rates: the weight grows with the product of both activities.

dw/dt = eta x y

x, y   activities of input and unit, no unit
eta    rate of learning, 1/second

Hebb 1949, The Organization of Behavior (doi:10.4324/9781410612403, the edition of 2002), states the principle in words; the
product of rates is its usual form. Beware: on a linear unit each step multiplies the weight along x by 1 + eta dt |x|^2. It grows
without end, and only a landing or another rule limits it.
"""

from __future__ import annotations

from typing import Any

from brian2 import Hz

from plasticity.rules.rule import Parameters, Rule


def clamped(rate_pre: Any, rate_post: Any, w: Any, seconds: float, parameters: Parameters) -> Any:
    """w + eta x y t, with x and y the two rates."""
    return w + float(parameters["eta"]) * rate_pre * rate_post * seconds


rate_hebb = Rule(
    name="rate_hebb",
    summary="Hebb for rates: dw/dt = eta x y, without any limit of its own",
    source="Hebb 1949, The Organization of Behavior, Wiley, doi:10.4324/9781410612403",
    parameters={"eta": 1 * Hz},
    meaning={"eta": "rate of learning: change of the weight per second where both rates are 1"},
    drift="dw = eta*rate_pre*rate_post",
    needs={"rate_pre": "activity x of the input, no unit", "rate_post": "activity y of the unit, no unit"},
    clamped=clamped,
)
