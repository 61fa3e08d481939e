"""Oja's rule: Hebb with a decay that keeps the length of the weight vector at 1, so that a linear unit finds the first component.

dw_i/dt = eta y (x_i - y w_i)

x_i   activity of input i, no unit; with a mean other than 0 the unit finds the direction of the largest mean square
y     activity of the unit, no unit; on a linear unit y = sum_i w_i x_i
eta   rate of learning, 1/second

On a linear unit the averaged equation is dw/dt = eta (C w - (w'Cw) w), with C = <x x'>. Its components along the eigenvectors e_k
of C (eigenvalues l_1 > l_2 > ...) obey d ln(w_k/w_1)/dt = -eta (l_1 - l_k), so that w goes to +-e_1 with |w| = 1; the tangent of
the angle to e_1 falls as exp(-eta (l_1 - l_2) t).

Sanger's rule for several components, dw_ki/dt = eta y_k (x_i - sum_{j<=k} y_j w_ji), is no rule of one synapse: the sum needs the
weights of other units. It is this rule where the input, as the synapse sees it, lacks what the units before have explained; see
`plasticity.networks.rate_units`.

Oja 1982, A simplified neuron model as a principal component analyzer, doi:10.1007/BF00275687.
Sanger 1989, doi:10.1016/0893-6080(89)90044-0.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from brian2 import Hz

from plasticity.rules.rule import Parameters, Rule


def clamped(rate_pre: Any, rate_post: Any, w: Any, seconds: float, parameters: Parameters) -> Any:
    """x/y + (w - x/y) exp(-eta y^2 t), with x and y the two rates; w where y is 0."""
    x, y = np.asarray(rate_pre, dtype=float), np.asarray(rate_post, dtype=float)
    left = np.exp(-float(parameters["eta"]) * y**2 * seconds)
    return np.where(y == 0, w, w * left + x / np.where(y == 0, 1.0, y) * (1 - left))


oja = Rule(
    name="oja",
    summary="Oja for rates: Hebb with a decay that normalises, a linear unit finds the first principal component",
    source="Oja 1982, doi:10.1007/BF00275687; several components: Sanger 1989, doi:10.1016/0893-6080(89)90044-0",
    parameters={"eta": 1 * Hz},
    meaning={"eta": "rate of learning: change of the weight per second where both rates are 1 and the weight is 0"},
    drift="dw = eta*rate_post*(rate_pre - rate_post*w)",
    needs={"rate_pre": "activity x of the input, no unit", "rate_post": "activity y of the unit, no unit"},
    clamped=clamped,
)
