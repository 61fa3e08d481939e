"""The window of the voltage-based rule: the weight over the lag of pairs in bursts at 20 Hz.

The bursts of `voltage_frequency` at one frequency, five spikes on each side; the paper's fig. 2a is at 20 Hz too. Spikes are
50 ms apart, so that a lag beyond 25 ms is a shorter one to the neighbouring pair. The steps left of 0 come from the lateness:
the low-passes are read 3 steps of 1 ms late (plasticity.networks.voltage_pairs). Nothing is random.

Sources: Clopath, Buesing, Vasilaki & Gerstner 2010, doi:10.1038/nn.2479, with ModelDB 144566; Sjoestroem, Turrigiano & Nelson
2001, doi:10.1016/S0896-6273(01)00542-6.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from plasticity.errors import WrongUse
from plasticity.networks.voltage_pairs import bursts
from plasticity.settings import setting
from simulations.figures import BLUE
from simulations.figures.kinds import level, line, measured, moment, panel
from simulations.frame.execute import script
from simulations.frame.experiment import Arrays, Measure, Session
from simulations.frame.voltage_pairing import SOURCE, VoltagePairing, measured_weights

if TYPE_CHECKING:
    from simulations.figures.kinds import Drawing


@dataclass(frozen=True)
class VoltageWindow(VoltagePairing):
    __doc__ = __doc__

    name: ClassVar[str] = "voltage_window"
    summary: ClassVar[str] = "weight over the lag of five pairs at 20 Hz under the voltage-based rule"
    source: ClassVar[str] = SOURCE
    part_of: ClassVar[str] = "voltage_stdp"
    uses: ClassVar[tuple[str, ...]] = ("voltage_stdp", "adex_clopath")
    time_share: ClassVar[float] = 0.7
    measures: ClassVar[tuple[Measure, ...]] = ()  # a curve alone

    window_hz: float = setting(20.0, "pairs in a second for the window over the lag", "Hz", low=1, high=100)
    longest_lag_ms: int = setting(50, "the window goes from minus to plus this", "ms", low=1, high=1000)

    def refuse(self) -> None:
        if abs(1000 / self.window_hz - round(1000 / self.window_hz)) > 1e-9:
            raise WrongUse(
                f"window_hz={self.window_hz:g} does not fit a whole number of ms between pairs; set 20 or 25, for example."
            )

    def collect(self, session: Session) -> dict[str, np.ndarray]:
        window = np.arange(-self.longest_lag_ms, self.longest_lag_ms + 1)
        protocols = [bursts(lag, self.window_hz) for lag in window.tolist()]
        return {"window_lag_ms": window, "window": self.paired(session, protocols, self.b_pA)["percent"]}

    def figures(self, a: Arrays) -> Mapping[str, Drawing]:
        lags, rates, data, sem = measured_weights()
        layers = [
            level(100),
            moment(0),
            line(a["window_lag_ms"], a["window"], ".-", markersize=4, linewidth=1, color=BLUE, label="voltage rule"),
        ]
        at = (rates == self.window_hz) & (np.abs(lags) <= self.longest_lag_ms)
        if at.any():
            layers.append(measured(lags[at], data[at], sem[at], fmt="s", capsize=3, label="measured, sem"))
        return {
            "window": panel(
                *layers,
                x="lag $t_\\mathrm{post} - t_\\mathrm{pre}$ (ms)",
                y="weight after 15 bursts (% of start)",
                title=f"five pairs at {self.window_hz:g} Hz, 15 times",
                legend="best",
                size=(5.6, 3.6),
            )  # fmt: skip
        }


if __name__ == "__main__":
    script(VoltageWindow.name)
