"""Pairs of spikes under the voltage-based rule of Clopath et al. 2010: over their frequency, and over their lag.

Two experiments under one name, with one record:

    voltage_frequency   bursts of five pairs at .1 to 50 Hz, and the best pair rule, against visual cortex
    voltage_window      the weight over the lag of the pairs at one frequency

Sources: Clopath, Buesing, Vasilaki & Gerstner 2010, doi:10.1038/nn.2479, with ModelDB 144566; Sjoestroem, Turrigiano & Nelson
2001, doi:10.1016/S0896-6273(01)00542-6.
"""

from __future__ import annotations

from simulations.frame.execute import script
from simulations.frame.experiment import suite
from simulations.voltage_frequency import VoltageFrequency
from simulations.voltage_window import VoltageWindow

VoltageStdpSuite = suite(
    "VoltageStdpSuite",
    [VoltageFrequency, VoltageWindow],
    __doc__ or "",
    name="voltage_stdp",
    summary="bursts of five pairs at .1 to 50 Hz: the voltage-based rule and the best pair rule against visual cortex",
    source=VoltageFrequency.source,
    default_seeds=1,
    seeded=False,
)

if __name__ == "__main__":
    script(VoltageStdpSuite.name)
