"""A neuron finds back to its target rate by scaling all its synapses alike when its inputs change.

Synaptic scaling (the network: plasticity.networks.scaled). One LIF neuron with Poisson inputs; all its weights are multiplied by
the same factor until it fires at its target. The input rates are doubled, set back, and halved; after each step the rate is taken
from the second half of the phase, when scaling has had time to act. The ratios of weights must not change at all.

Sources: Turrigiano, Leslie, Desai, Rutherford & Nelson 1998, doi:10.1038/36103; van Rossum, Bi & Turrigiano 2000,
doi:10.1523/JNEUROSCI.20-23-08812.2000.
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
from plasticity.rules import synaptic_scaling
from plasticity.settings import setting
from plasticity.statistics import over_seeds
from simulations.figures import BLUE, GREY, VERMILION
from simulations.figures.kinds import band, each_seed, level, moment, note, page, panel
from simulations.frame.checks import Check, near
from simulations.frame.execute import script
from simulations.frame.experiment import Arrays, Experiment, Measure, Session

if TYPE_CHECKING:
    from simulations.figures.kinds import Drawing

SCALING = "van Rossum, Bi & Turrigiano 2000, doi:10.1523/JNEUROSCI.20-23-08812.2000"
MULTIPLICATIVE = "Turrigiano, Leslie, Desai, Rutherford & Nelson 1998, doi:10.1038/36103"
FIXED = f"fixed point rate = target of the rule of {SCALING}"
PHASES = {"start": 1.0, "doubled": 2.0, "set back": 1.0, "halved": 0.5}  # gains of the inputs
BIN_S = 5  # of the rates over time
SHOWN = 10  # weights in the figure


@dataclass(frozen=True)
class ScaledNeuron(Experiment):
    __doc__ = __doc__

    name: ClassVar[str] = "scaled_neuron"
    summary: ClassVar[str] = "a neuron finds back to its target rate by scaling all its synapses alike when its inputs change"
    source: ClassVar[str] = f"{MULTIPLICATIVE}; {SCALING}"
    part_of: ClassVar[str] = "homeostasis"
    uses: ClassVar[tuple[str, ...]] = ("synaptic_scaling", "lif_conductance")
    time_share: ClassVar[float] = 0.3
    short: ClassVar[Mapping[str, Any]] = {"phase_s": 60}
    measures: ClassVar[tuple[Measure, ...]] = (
        Measure(
            "rate_start_hz", "Hz", "rate in the second half of the phase: inputs as they were", ("scaling", "start", "rate_hz")
        ),
        Measure(
            "rate_doubled_hz", "Hz", "rate in the second half of the phase: inputs doubled", ("scaling", "doubled", "rate_hz")
        ),
        Measure(
            "rate_set_back_hz", "Hz", "rate in the second half of the phase: inputs set back", ("scaling", "set back", "rate_hz")
        ),
        Measure("rate_halved_hz", "Hz", "rate in the second half of the phase: inputs halved", ("scaling", "halved", "rate_hz")),
    )

    target_hz: float = setting(10.0, "target rate of the neuron whose inputs change", "Hz", low=1, high=50)
    beta: float = setting(1e-3, "speed of its scaling, per second and hertz", low=1e-5, high=0.1)
    tau_rate_s: float = setting(5.0, "time over which it estimates its rate", "s", low=0.1, high=1000)
    phase_s: int = setting(400, "how long each input rate lasts, in steps of 20", "s", low=20, high=1240)
    input_hz: float = setting(10.0, "rate of each of its 100 inputs at gain 1", "Hz", low=1, high=50)
    dt_ms: float = setting(0.25, "time step", "ms", low=0.01, high=2)

    def network(self) -> Scaled:
        """What is compiled, with its numbers."""
        rule = synaptic_scaling(beta=self.beta, rho0=self.target_hz * Hz, tau_rate=self.tau_rate_s * second)
        return Scaled(rule=rule, neuron=lif_conductance(t_ref=5 * ms), dt=self.dt_ms * ms)

    def refuse(self) -> None:
        if self.phase_s % 20:
            raise WrongUse(f"phase_s={self.phase_s} must be a multiple of 20, for example --set phase_s=400.")

    def run(self, seed: int) -> Arrays:
        """All phases: spikes in each second; every 5 s the mean weight and some weights; the largest change of a ratio."""
        start = np.random.default_rng([seed, 1]).uniform(0.5, 1.5, 100)
        gain = np.repeat(list(PHASES.values()), self.phase_s // 10)[:, None]  # in each epoch of 10 s
        given = {"w": start, "g_max": 0.05, "g_background": 0.0, "rate": self.input_hz, "gain": gain}
        found = self.network().program().run(seed, given, duration=len(PHASES) * self.phase_s * second)
        history = np.vstack([found["w_history"], found["w"]])
        relative = history / history[0]
        return {
            "counts": per_second(found),
            "mean_weight": history[::BIN_S].mean(axis=1),
            "weights": history[::BIN_S, :SHOWN],
            "deviation": np.abs(relative / relative[:, :1] - 1).max(),
        }

    def collect(self, session: Session) -> dict[str, np.ndarray]:
        """Those of all seeds; the single weights of the first alone."""
        arrays = super().collect(session)
        return arrays | {"weights": arrays["weights"][0]}

    def phases(self, a: Arrays) -> np.ndarray:
        """Spikes in each second of each phase, (phases, seeds, seconds)."""
        return a["counts"].reshape(len(a["counts"]), len(PHASES), self.phase_s).swapaxes(0, 1)

    def late(self, counts: np.ndarray) -> np.ndarray:
        """Rate in the second half of a phase, (seeds,)."""
        return counts[:, self.phase_s // 2 :].mean(axis=1)

    def numbers(self, a: Arrays) -> dict[str, Any]:
        told = {
            name: {"gain": gain, "first_5_s_hz": float(counts[:, :5].mean()), "rate_hz": over_seeds(self.late(counts))}
            for (name, gain), counts in zip(PHASES.items(), self.phases(a), strict=True)
        }
        return {"scaling": told, "largest_change_of_a_ratio": float(a["deviation"].max())}

    def checks(self, a: Arrays) -> Iterable[Check]:
        for name, counts in zip(PHASES, self.phases(a), strict=True):
            if name != "start":
                yield near(
                    f"scaling: rate in Hz with input rates {name}, second half of the phase", self.target_hz,
                    self.late(counts).mean(), rel=0.05, kind="closed_form", source=FIXED,
                )  # fmt: skip
        what = "scaling: largest relative change of a ratio of two weights"
        yield near(
            what, 0.0, a["deviation"].max(), 1e-12, kind="closed_form", source=f"one factor for all weights; {MULTIPLICATIVE}"
        )

    def figures(self, a: Arrays) -> Mapping[str, Drawing]:
        t, rates = binned(a["counts"], BIN_S)
        time = BIN_S * np.arange(len(a["weights"]))
        starts = [moment(k * self.phase_s, linewidth=0.6, linestyle=":") for k in range(len(PHASES))]
        words = [
            note(f"inputs x {gain:g} ({name})", ((k + 0.5) * self.phase_s, 1.02), xycoords=("data", "axes fraction"), ha="center")
            for k, (name, gain) in enumerate(PHASES.items())
        ]
        solid = {"frameon": True, "facecolor": "white", "edgecolor": "none", "framealpha": 1.0}
        top = panel(
            band(t, rates, alpha=0.3, color=BLUE, label=f"mean and 95 % interval, {len(rates)} seeds"),
            level(self.target_hz, color=VERMILION, linestyle="--", linewidth=1.5, label="target"),
            *starts, *words, y=f"output rate in bins of {BIN_S} s\n(Hz, log scale above 20 Hz)", then=_logarithmic_above_20,
            legend={"loc": "upper right", **solid},
        )  # fmt: skip
        single = each_seed(time, a["weights"].T, color=GREY, linewidth=0.8, alpha=1, label=f"{SHOWN} single weights, one seed")
        mean = band(time, a["mean_weight"], alpha=0.3, color=BLUE, label="mean of all weights, with interval")
        ticks: dict[str, Any] = {"yticks": [0.2, 0.5, 1, 2, 5], "yticklabels": ["0.2", "0.5", "1", "2", "5"]}
        bottom = panel(
            single, mean, *starts, x="time (s)", y="weight (no unit, log scale)", yscale="log", **ticks,
            then=lambda axis: axis.minorticks_off(), legend={"loc": "upper left", **solid},
        )  # fmt: skip
        return {"scaling": page([top], [bottom], size=(7.0, 5.0), sharex=True)}


def _logarithmic_above_20(axis: Any) -> None:
    axis.set_yscale("symlog", linthresh=20)
    axis.set_yticks([0, 5, 10, 15, 20, 50, 100], ["0", "5", "10", "15", "20", "50", "100"])
    axis.set_ylim(-1, 140)


if __name__ == "__main__":
    script(ScaledNeuron.name)
