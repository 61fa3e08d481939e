"""Triplet STDP over the frequency of pairs: against visual cortex beside the best pair rule, and its BCM threshold.

Two experiments under one name, with one record:

    pairing_frequency   60 pairs at .1 to 50 Hz, the eight rows of parameters and the best pair rule against the data
    bcm_threshold       the rate at which Poisson trains turn from depression to potentiation; where its row is among `presets`

Sources: Pfister & Gerstner 2006, doi:10.1523/JNEUROSCI.1425-06.2006; Sjoestroem, Turrigiano & Nelson 2001,
doi:10.1016/S0896-6273(01)00542-6; Bienenstock, Cooper & Munro 1982, doi:10.1523/JNEUROSCI.02-01-00032.1982.
"""

from __future__ import annotations

from simulations.bcm_threshold import BCM_ROW, BcmThreshold
from simulations.frame.execute import script
from simulations.frame.experiment import Experiment, Suite, suite
from simulations.pairing_frequency import PairingFrequency


def _made(own: Suite) -> list[Experiment]:
    """The BCM threshold is that of one row."""
    return Suite.made(own)[: 2 if BCM_ROW in own.presets else 1]  # type: ignore[attr-defined]


TripletFrequencySuite = suite(
    "TripletFrequencySuite",
    [PairingFrequency, BcmThreshold],
    __doc__ or "",
    name="triplet_frequency",
    summary="60 pairs at .1 to 50 Hz: triplet STDP against visual cortex, the best pair rule, the BCM threshold",
    source=PairingFrequency.source,
    default_seeds=1,  # only the Poisson trains of the BCM threshold are drawn at random
    made=_made,
)

if __name__ == "__main__":
    script(TripletFrequencySuite.name)
