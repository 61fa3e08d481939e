"""Why attention-gated plasticity works: it gives credit as the gradient does, from reward and feedback alone.

Two experiments under one name, with one record:

    update_direction   what it changes, against the gradient of the same spiking network, and five other ways to give credit
    beside_backprop    beside backprop on the same trials: representation, presentations, noise, deletion, labels, two tasks

Sources: Pozzi, Bohte & Roelfsema 2020, NeurIPS 33; Lillicrap et al. 2016, doi:10.1038/ncomms13276; Kornblith et al. 2019,
arXiv:1905.00414; McCloskey & Cohen 1989, doi:10.1016/S0079-7421(08)60536-8.
"""

from __future__ import annotations

from simulations.beside_backprop import FORGETTING, KORNBLITH, BesideBackprop
from simulations.frame.credit import BRAINPROP
from simulations.frame.execute import script
from simulations.frame.experiment import suite
from simulations.update_direction import LILLICRAP, UpdateDirection

CreditAssignment = suite(
    "CreditAssignment",
    [UpdateDirection, BesideBackprop],
    __doc__ or "",
    name="credit_assignment",
    summary="attention-gated plasticity against the gradient of its own network, and beside backprop",
    source=f"{BRAINPROP}; {LILLICRAP}; {KORNBLITH}; {FORGETTING}",
    default_seeds=5,
)

if __name__ == "__main__":
    script(CreditAssignment.name)
