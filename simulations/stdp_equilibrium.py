"""Where pair STDP takes the weights: bimodal under competition (Song 2000), unimodal or not by the exponent mu (Guetig 2003).

Two experiments under one name, with one record. With `--set mu=0.1` only the second one runs, for that mu.

    stdp_competition   inputs drive a neuron and compete for its output spikes
    soft_bounds        synapses between independent trains, for each exponent of soft bounds

Sources: Song, Miller & Abbott 2000, doi:10.1038/78829; Guetig, Aharonov, Rotter & Sompolinsky 2003,
doi:10.1523/JNEUROSCI.23-09-03697.2003.
"""

from __future__ import annotations

from typing import Any

from simulations.frame.execute import script
from simulations.frame.experiment import Experiment, Suite, suite
from simulations.soft_bounds import SoftBounds
from simulations.stdp_competition import StdpCompetition


def made(self: Any) -> list[Experiment]:
    """The members with the settings of this suite; where exponents are given, the one that is about them."""
    return [member for member in Suite.made(self) if not self.mu or isinstance(member, SoftBounds)]


StdpEquilibrium = suite(
    "StdpEquilibrium",
    [StdpCompetition, SoftBounds],
    __doc__ or "",
    name="stdp_equilibrium",
    summary="weights in equilibrium: bimodal under competition, and mean and scatter for each exponent of soft bounds",
    source="Song, Miller & Abbott 2000, doi:10.1038/78829; Guetig et al. 2003, doi:10.1523/JNEUROSCI.23-09-03697.2003",
    default_seeds=8,
    made=made,
)

if __name__ == "__main__":
    script(StdpEquilibrium.name)
