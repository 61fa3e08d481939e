"""The rules of rates on linear units: Hebb's growth, the sign of a covariance, Oja's and Sanger's components, BCM's selectivity.

Five experiments under one name, with one record:

    hebbian_growth       rate_hebb: the weight grows by the same factor in each step
    covariance_sign      covariance: the weight changes with the sign of the correlation
    first_component      oja: the weights of a unit go to the first component of its inputs
    leading_components   oja on a chain of units, which is Sanger's rule: each goes to the component of its number
    bcm_selectivity      bcm: a unit answers to one pattern and to no other

Each rule runs in Brian2 on linear rate units y = sum_i w_i x_i (plasticity.networks.rate_units). Inputs x are drawn anew in
every time step of 1 ms, one independent copy of the network for each seed, so that more jobs change nothing. What must come out
follows from the rule's own equation. Intervals are 95 % over seeds. All of it takes half a minute on Brian2's NumPy target;
compiling it would take longer.

Sources: Hebb 1949, doi:10.4324/9781410612403; Sejnowski 1977, doi:10.1007/BF00275079; Oja 1982, doi:10.1007/BF00275687; Sanger
1989, doi:10.1016/0893-6080(89)90044-0; Bienenstock, Cooper & Munro 1982, doi:10.1523/JNEUROSCI.02-01-00032.1982; Intrator &
Cooper 1992, doi:10.1016/S0893-6080(05)80003-6.
"""

from __future__ import annotations

from simulations.bcm_selectivity import BCM, BcmSelectivity
from simulations.covariance_sign import SEJNOWSKI, CovarianceSign
from simulations.first_component import OJA, FirstComponent
from simulations.frame.execute import script
from simulations.frame.experiment import suite
from simulations.hebbian_growth import HEBB, HebbianGrowth
from simulations.leading_components import SANGER, LeadingComponents

RateRules = suite(
    "RateRules",
    [HebbianGrowth, CovarianceSign, FirstComponent, LeadingComponents, BcmSelectivity],
    __doc__ or "",
    name="rate_rules",
    summary="rate rules: Oja and Sanger find the components, BCM becomes selective, covariance has the right sign",
    source=f"{OJA}; {SANGER}; {BCM}; {SEJNOWSKI}; {HEBB}",
)

if __name__ == "__main__":
    script(RateRules.name)
