"""Experiments on the voltage-based rule: pairs of neurons under bursts of forced spikes.

Source: Clopath, Buesing, Vasilaki & Gerstner 2010, doi:10.1038/nn.2479.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from plasticity import published
from plasticity.networks.voltage_pairs import FIRST_STEP, W_START, Schedule, VoltagePairs, schedules
from plasticity.settings import setting
from simulations.frame.experiment import Experiment, Session

PAPER = "Clopath, Buesing, Vasilaki & Gerstner 2010, doi:10.1038/nn.2479"
SOURCE = f"{PAPER}; data of Sjoestroem, Turrigiano & Nelson 2001, doi:10.1016/S0896-6273(01)00542-6"


@dataclass(frozen=True)
class VoltagePairing(Experiment):
    """Runs protocols under the rule; the weight starts at 0.5, has no bounds, and is given in % of its start."""

    default_seeds: ClassVar[int] = 1
    seeded: ClassVar[bool] = False
    time_step: ClassVar[str] = (
        "1 ms, part of the authors' program: a spike has three values, one for each step, so that it has no half step."
    )

    A_LTD: float = setting(1.4e-4, "amplitude of depression", "per mV", low=0, high=1)
    A_LTP: float = setting(8e-5, "amplitude of potentiation", "per mV squared", low=0, high=1)
    b_pA: float = setting(
        0.0805, "spike-triggered adaptation as the authors' program has it; the paper: 80.5", "pA", low=0, high=1000
    )

    def paired(
        self, session: Session, protocols: Sequence[tuple[Schedule, Schedule]], b_pA: Any, watched: tuple[int, ...] = ()
    ) -> dict[str, np.ndarray]:
        """What the network gives under these protocols, with the weights at the end in %: `percent`."""
        longest = max(pre.period * pre.bursts for pre, _ in protocols) - FIRST_STEP
        network = VoltagePairs(len(protocols), watched, longest)
        inputs = schedules(protocols) | {"b": b_pA * 1e-12, "A_LTD": self.A_LTD * 1e3, "A_LTP": self.A_LTP * 1e6}
        found = network.program().run(0, inputs, progress=session.progress)
        return {**found, "percent": 100 * found["w"] / W_START}


def measured_weights() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Lag (ms), frequency of pairs (Hz), weight (%) and its standard error, of each measured point."""
    table = published.sjoestroem_2001()
    return table["lag_ms"].astype(int), table["frequency_hz"], 100 + 100 * table["change"], 100 * table["sem"]
