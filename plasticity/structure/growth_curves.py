"""Synaptic elements that grow by the calcium of their neuron: homeostasis by structure.

Calcium follows the spikes of a neuron, dCa/dt = -Ca/tau_Ca, Ca += beta at each. Its axonal elements and its dendritic ones, for
exciting and for inhibiting synapses, each grow by a Gaussian curve,

    dz/dt = nu (2 exp(-((Ca - xi)/zeta)^2) - 1),   xi = (eta + eps)/2,   zeta = (eps - eta)/(2 sqrt(ln 2)),

which is 0 at Ca = eta and at Ca = eps, the set point, positive between and negative outside. At each update a neuron that has
fewer elements than synapses loses as many, and free elements are paired at random.

Butz & van Ooyen 2013, doi:10.1371/journal.pcbi.1003259; in the form of NEST's public example (Diaz-Pier, Naveau, Butz-Ostendorf &
Morrison 2016, doi:10.3389/fnana.2016.00057).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from plasticity.checked import checked
from plasticity.errors import WrongUse
from plasticity.structure.law import Law

growth_curves = Law(
    name="growth_curves",
    summary="axonal and dendritic elements, which grow by the calcium of their neuron, are paired at random",
    source="Butz & van Ooyen 2013, doi:10.1371/journal.pcbi.1003259; Diaz-Pier et al. 2016, doi:10.3389/fnana.2016.00057",
    parameters={"w_new": 1.0},
    meaning={"w_new": "weight of a synapse"},
    elements=("axon_pre", "dendrite_post"),
    born="w = w_new",
    needs={"axon_pre": "how many axonal elements the neuron has", "dendrite_post": "how many dendritic ones"},
)


CURVE = "2*exp(-log(2)*((2*Ca/eps - 1 - eta)/(1 - eta))**2) - 1"
"""The curve of a neuron with the variables `Ca` and `eps` in units of nu, as Brian2 reads it; its lower end is eta eps there."""


@checked
def growth(calcium: ArrayLike, nu: float, eta: float, eps: float) -> np.ndarray:
    """The growth curve at these calcium concentrations, in the unit of nu; exactly 0 at both ends."""
    if not -np.inf < eta < eps < np.inf or eps <= 0:
        raise WrongUse(
            f"a growth curve needs eta < eps and eps > 0, not eta={eta} and eps={eps}: eps is the set point, growth lies between."
        )
    calcium = np.asarray(calcium, dtype=float)
    return nu * (2 * np.exp2(-((((calcium - eta) - (eps - calcium)) / (eps - eta)) ** 2)) - 1)
