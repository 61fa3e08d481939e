"""A recurrent network under STDP runs away, and keeps its rate where its synapses are scaled as well.

LIF neurons are coupled to each other (the network: plasticity.networks.scaled) under pair STDP in which potentiation outweighs
depression: more rate makes stronger synapses, which make more rate. The same network with the same random numbers, with scaling
added to the rule and without (beta = 0). Background input holds the neurons near threshold, at 9 Hz before they learn. A small
error of the rate remains: potentiation D per second is balanced at rho0 + D/(beta w).

Source: van Rossum, Bi & Turrigiano 2000, doi:10.1523/JNEUROSCI.20-23-08812.2000.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from brian2 import Hz, ms, second

from plasticity.errors import WrongUse
from plasticity.networks.scaled import Scaled, binned, per_second
from plasticity.neurons import lif_conductance
from plasticity.rules import Landing, pair_stdp, synaptic_scaling
from plasticity.settings import setting
from plasticity.statistics import over_seeds
from simulations.figures import BLUE, VERMILION
from simulations.figures.kinds import Layer, band, level, page, panel, small_title
from simulations.frame.checks import Check, every_seed, near
from simulations.frame.execute import script
from simulations.frame.experiment import Arrays, Experiment, Measure

if TYPE_CHECKING:
    from simulations.figures.kinds import Drawing

SCALING = "van Rossum, Bi & Turrigiano 2000, doi:10.1523/JNEUROSCI.20-23-08812.2000"
FIXED = f"fixed point rate = target of the rule of {SCALING}, but for D/(beta w)"
BIN_S = 5  # of the rates over time
LOOKS = {"": (BLUE, "-", "pair STDP + scaling"), "_off": (VERMILION, "--", "pair STDP alone")}  # by the ending of the arrays


@dataclass(frozen=True)
class ScaledNetwork(Experiment):
    __doc__ = __doc__

    name: ClassVar[str] = "scaled_network"
    summary: ClassVar[str] = "a recurrent network under STDP runs away, and keeps its rate where its synapses are scaled as well"
    source: ClassVar[str] = SCALING
    part_of: ClassVar[str] = "homeostasis"
    uses: ClassVar[tuple[str, ...]] = ("synaptic_scaling", "pair_stdp", "lif_conductance")
    time_share: ClassVar[float] = 0.46
    short: ClassVar[Mapping[str, Any]] = {"network_s": 60}
    measures: ClassVar[tuple[Measure, ...]] = (
        Measure("with_scaling_hz", "Hz", "rate of the network late in the run, synapses scaled", ("network", "with_scaling_hz")),
        Measure("without_hz", "Hz", "the same without scaling", ("network", "without_hz")),
        Measure("network_weight", "", "mean weight at the end, synapses scaled", ("network", "network_weight")),
        Measure("network_weight_off", "", "the same without scaling", ("network", "network_weight_off")),
    )

    network_hz: float = setting(8.0, "target rate of the recurrent network", "Hz", low=1, high=50)
    network_beta: float = setting(0.01, "speed of its scaling, per second and hertz", low=1e-5, high=0.1)
    network_tau_s: float = setting(1.0, "time over which its neurons estimate their rates", "s", low=0.1, high=1000)
    network_s: int = setting(300, "simulated time of the network, in steps of 10", "s", low=10, high=5000)
    neurons: int = setting(50, "neurons in the network, each with 20 inputs from others", low=21, high=1000)
    A_plus: float = setting(5e-4, "potentiation by a pair in the network; depression by a pair is half of it", low=0, high=0.1)
    dt_ms: float = setting(0.25, "time step", "ms", low=0.01, high=2)

    def network(self) -> Scaled:
        """What is compiled, with its numbers; without scaling it is the same with beta 0."""
        stdp = pair_stdp(A_plus=self.A_plus, A_minus=self.A_plus / 2)
        scaling = synaptic_scaling(beta=self.network_beta, rho0=self.network_hz * Hz, tau_rate=self.network_tau_s * second)
        bounds, neuron = Landing(0, 1), lif_conductance(t_ref=5 * ms)
        return Scaled(20, self.neurons, rule=stdp + scaling, landing=bounds, neuron=neuron, dt=self.dt_ms * ms)

    def refuse(self) -> None:
        if self.network_s % 10:
            raise WrongUse(f"network_s={self.network_s} must be a multiple of 10, for example --set network_s=300.")

    def run(self, seed: int) -> Arrays:
        """With scaling and, ending in _off, without: spikes per neuron in each second, and the mean weight each second."""
        program, arrays = self.network().program(), {}
        for ending, change in (("", {}), ("_off", {"plastic.beta": 0.0})):
            given = {"w": 0.25, "g_max": 0.05, "g_background": 0.0128, **change}
            found = program.run(seed, given, duration=self.network_s * second)
            arrays[f"network_counts{ending}"] = per_second(found)
            arrays[f"network_weight{ending}"] = np.append(found["w_history"].mean(axis=1), found["w"].mean())
        return arrays

    def late(self, a: Arrays, ending: str) -> np.ndarray:
        """Rate in the second half, (seeds,)."""
        return a[f"network_counts{ending}"][:, self.network_s // 2 :].mean(axis=1)

    def numbers(self, a: Arrays) -> dict[str, Any]:
        told = {name: over_seeds(self.late(a, ending)) for name, ending in (("with_scaling_hz", ""), ("without_hz", "_off"))}
        return {"network": told | {name: over_seeds(a[name][:, -1]) for name in ("network_weight", "network_weight_off")}}

    def checks(self, a: Arrays) -> Iterable[Check]:
        what = "pair STDP + scaling: rate in Hz of the recurrent network, second half"
        yield near(what, self.network_hz, self.late(a, "").mean(), rel=0.05, kind="closed_form", source=FIXED)
        off, weight = self.late(a, "_off"), a["network_weight_off"][:, -1]
        yield every_seed(
            "pair STDP without scaling runs away", (off > 3 * self.network_hz) & (weight > 0.95),
            published=f"above {3 * self.network_hz:g} Hz, mean weight above 0.95, in every seed",
            told=f"lowest seed {off.min():.1f} Hz, mean weight {weight.min():.3f} of 1", tolerance="every seed",
            kind="own", source="statement of this simulation: control of the check above",
        )  # fmt: skip

    def figures(self, a: Arrays) -> Mapping[str, Drawing]:
        rates: list[Layer] = []
        weights: list[Layer] = []
        for ending, (colour, stroke, label) in LOOKS.items():
            look: dict[str, Any] = {"alpha": 0.3, "color": colour, "linestyle": stroke, "label": label}
            weight = a[f"network_weight{ending}"]
            rates.append(band(*binned(a[f"network_counts{ending}"], BIN_S), **look))
            weights.append(band(np.arange(weight.shape[1]), weight, **look))
        ticks: dict[str, Any] = {"yticks": [5, 10, 20, 50, 100, 200], "yticklabels": ["5", "10", "20", "50", "100", "200"]}
        left = panel(
            *rates, level(self.network_hz, linestyle=":", linewidth=1.5, label="target"),
            small_title(f"{self.neurons} neurons, bins of {BIN_S} s"), x="time (s)", y="rate of the neurons (Hz, log scale)",
            yscale="log", **ticks, then=lambda axis: axis.minorticks_off(),
        )  # fmt: skip
        right = panel(
            *weights, small_title(f"mean and 95 % interval, {len(a['network_counts'])} seeds"), x="time (s)",
            y="mean weight (bounds 0 and 1)", ylim=(0, 1.05),
        )  # fmt: skip
        return {"network": page([left, right], size=(7.0, 3.2), legend=3, legend_look={"loc": "outside upper center"})}


if __name__ == "__main__":
    script(ScaledNetwork.name)
