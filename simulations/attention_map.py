"""When does attention-gated input strengthen synapses? The plane of gain and common fluctuation, rule by rule, beside a theory.

Two groups of Poisson inputs drive one neuron, every synapse is plastic (plasticity.networks.two_groups). Attention multiplies the
mean rate of one group by `gain` and what its inputs fluctuate in common, in hertz, by `fluctuation`: 1 for a gain on the mean
alone, the gain itself where whole rates are multiplied, less than 1 where attention makes the inputs steadier. The noise
correlation of a group (spike counts in 100 ms, all pairs) is measured; at gain 1 it is what `noise_correlation` asks for.

    soft_bounds   pair STDP with soft bounds                      homeostatic   the same with slow synaptic scaling
    additive      pair STDP with hard bounds                      triplet       triplet STDP with fast scaling

All rules have the whole plane; the first of them also every further time constant of the fluctuation and time step, on the two
lines fluctuation = 1 and fluctuation = gain. `attended` and `ignored` are changes of the mean weight over the second half of the
run from where it is in the run of the same seed in which nothing is singled out; `difference` is attended minus ignored.

Result. A gain does not say what becomes of the synapses: the noise correlation does. With pair STDP the attended synapses end
above the ignored ones where attention makes their inputs more correlated, and below them where it makes them less so; the sign
turns near fluctuation = sqrt(gain), where the noise correlation stays as it is. In V4 attention raises rates by 26 % (median,
McAdams & Maunsell 1999) and lowers noise correlations (Cohen & Maunsell 2009, Mitchell, Sundberg & Reynolds 2009): below that
line, where pair STDP does not favour attended synapses. Where whole rates are multiplied they win; at gain 4 with soft bounds
because the ignored ones fall (-0.10), not because they rise (+0.04). And they win only if the inputs fluctuate within some 10 ms:
with 100 ms and the same noise correlation that is gone, and in V4 the fluctuations are slow (below 5 Hz, Mitchell et al. 2009).
Synaptic scaling moves the line down at high gains: what it takes away goes with the weight and not with the rate, so that the
group with fewer spikes loses more. Both groups fall there, and the attended one wins by falling less.

The theory has the sign of nearly every point, and differences that are larger than the simulated ones, by 1.4 with pair STDP:
it leaves out the neuron's threshold and the scatter of the weights about their mean.

Theory. The linear theory of Kempter, Gerstner & van Hemmen 1999 for two pools as in Gilson et al. 2009
(plasticity.weight_drift): it takes from the neuron its rate as a function of the drive, measured without plasticity.

Left out. voltage_stdp: its authors' neuron and spike are made for steps of 1 ms, so that there is no dt to converge. calcium: a
synapse there has two states that change over minutes and drift without spikes, and it counts spikes late: it does not fit this
network. Triplet STDP does not hold its rate: its threshold for potentiation is set to the target of the scaling, A2_minus =
A3_plus tau_plus tau_y rho0/tau_minus, the other numbers are those of the paper (visual cortex, minimal, all-to-all), halved.

Sources: Kempter, Gerstner & van Hemmen 1999, doi:10.1103/PhysRevE.59.4498; Gilson, Burkitt, Grayden, Thomas & van Hemmen 2009,
doi:10.1007/s00422-009-0319-4; McAdams & Maunsell 1999, doi:10.1523/JNEUROSCI.19-01-00431.1999; Cohen & Maunsell 2009,
doi:10.1038/nn.2439; Mitchell, Sundberg & Reynolds 2009, doi:10.1016/j.neuron.2009.09.013; Pfister & Gerstner 2006,
doi:10.1523/JNEUROSCI.1425-06.2006.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from brian2 import ms, second

from plasticity.engine import Program
from plasticity.errors import WrongUse, unknown
from plasticity.networks.two_groups import GROUPS, TwoGroups
from plasticity.rules import Landing, Rule
from plasticity.settings import setting
from plasticity.statistics import late_mean
from plasticity.weight_drift import LinearDrift, share_for
from simulations.figures.attention_map import changes, further, noise, plane
from simulations.frame import gain_plane
from simulations.frame.checks import Check
from simulations.frame.execute import script
from simulations.frame.experiment import Arrays, Experiment, Measure, Session
from simulations.frame.gain_plane import LAW, RULES, Point, Row, signs

if TYPE_CHECKING:
    from simulations.figures.kinds import Drawing

BACKGROUND_HZ = 5000.0


@dataclass(frozen=True)
class AttentionMap(Experiment):
    __doc__ = __doc__

    name: ClassVar[str] = "attention_map"
    summary: ClassVar[str] = "when attention-gated input strengthens synapses: gain, fluctuation and rule, beside the theory"
    source: ClassVar[str] = "Kempter, Gerstner & van Hemmen 1999, doi:10.1103/PhysRevE.59.4498"
    default_seeds: ClassVar[int] = 8
    uses: ClassVar[tuple[str, ...]] = ("pair_stdp", "triplet_stdp", "synaptic_scaling", "lif_conductance", "poisson")
    measures: ClassVar[tuple[Measure, ...]] = tuple(
        Measure(f"difference_{name}", "", f"attended minus ignored mean weight at the highest gain and {told}",
                (f"difference_{name}", "mean"))
        for name, told in (("mean_alone", "fluctuation 1"), ("multiplied", "the highest fluctuation"))
    )  # fmt: skip

    gains: tuple[float, ...] = setting((1.0, 1.25, 1.5, 2.0, 4.0), "gains on the mean rate, rising from 1", low=1, high=10)
    fluctuations: tuple[float, ...] = setting(
        (0.5, 1.0, 1.25, 1.5, 2.0, 4.0), "factors on the common fluctuation in hertz, rising, 1 among them", low=0, high=10
    )
    rules: tuple[str, ...] = setting(RULES, "rules; the first has further time constants and time steps", choices=RULES)
    tau_c_ms: tuple[float, ...] = setting((10.0, 30.0, 100.0), "time constants of the fluctuation", "ms", low=2, high=1000)
    dt_ms: tuple[float, ...] = setting((0.5, 0.25), "time steps", "ms", low=0.01, high=2)
    noise_correlation: float = setting(0.08, "of two inputs of a group at gain 1", low=0, below=1)
    inputs: int = setting(60, "inputs in each of the two groups", low=2, high=1000)
    base_hz: float = setting(15.0, "mean rate of every input at gain 1", "Hz", above=0, high=100)
    duration_s: float = setting(60.0, "simulated time of a run; weights are averaged over its second half", "s", low=4, high=500)
    A_plus: float = setting(0.01, "largest potentiation by one pair", low=0, high=1)
    alpha: float = setting(1.05, "A_minus/A_plus of the pair rules", low=0, high=10)
    mu: float = setting(0.08, "exponent of the soft bounds", above=0, high=1)
    beta: float = setting(2e-3, "speed of the scaling beside pair STDP; beside triplet STDP 25 times that", low=0, high=0.02)
    rho0_hz: float = setting(10.0, "target rate of the scaling", "Hz", above=0, high=100)
    w_start: float = setting(0.5, "weight of every synapse at the start", low=0, high=1)
    g_max: float = setting(0.0066, "conductance of a synapse of weight 1, in units of the leak", low=0, high=1)
    g_background: float = setting(0.0121, "of each of the 5000 background spikes per second", low=0, high=1)

    def refuse(self) -> None:
        rising = all(len(x) and (np.diff(x) > 0).all() for x in (self.gains, self.fluctuations))
        if not rising or self.gains[0] != 1 or 1 not in self.fluctuations:
            raise WrongUse("gains must rise from 1 and fluctuations rise with 1 among them, like --set gains=1,2.")
        if not (self.rules and self.tau_c_ms and self.dt_ms):
            raise WrongUse("rules, tau_c_ms and dt_ms each need a value, for example --set rules=additive.")
        for rule in set(self.rules) - {*RULES}:
            raise unknown("rule of attention_map", rule, RULES)

    def points(self) -> list[Point]:
        """All conditions: the plane for each rule, then the lines for what else the first rule is run with."""
        plane = [(g, f) for g in self.gains for f in self.fluctuations]
        lines = [(g, f) for g, f in plane if f in (1, g)]
        more = [(tau, self.dt_ms[0]) for tau in self.tau_c_ms[1:]] + [(self.tau_c_ms[0], dt) for dt in self.dt_ms[1:]]
        first = [Point(rule, self.tau_c_ms[0], self.dt_ms[0], g, f) for rule in self.rules for g, f in plane]
        return first + [Point(self.rules[0], tau, dt, g, f) for tau, dt in more for g, f in lines]

    def rule(self, name: str) -> tuple[Rule, float]:
        """The rule of this name and the exponent of its bounds."""
        return gain_plane.plane_rule(name, self.A_plus, self.alpha, self.mu, self.beta, self.rho0_hz)

    def network(self, rule: str, dt_ms: float) -> TwoGroups:
        """What is compiled: one program for the pair rules, one for those with scaling."""
        return TwoGroups(self.inputs, rule=self.rule(rule)[0], landing=Landing(mu=self.mu), dt=dt_ms * ms)

    def levels(self) -> list[tuple[float, float]]:
        """(gain on both groups, weight) at which the neuron's rate is measured without plasticity."""
        return [(1.0, w) for w in (0.0, 0.25, 0.5, 0.75, 1.0)] + [((1 + self.gains[-1]) / 2, w) for w in (0.75, 1.0)]

    def one(self, program: Program, point: Point, seed: int, level: tuple[float, float] | None = None) -> dict[str, np.ndarray]:
        """One run; at a level both groups have its gain, and no synapse learns."""
        network = self.network(point.rule, point.dt_ms)
        both, w = (1.0, self.w_start) if level is None else level
        gain, fluctuation = (np.ones((network.epochs, GROUPS)) for _ in range(2))
        gain[:] = (point.gain, 1) if level is None else both
        fluctuation[:, 0] = point.fluctuation
        given = {
            **network.values(), "plastic.mu": self.rule(point.rule)[1], "gain": gain, "fluctuation": fluctuation,
            "learning": float(level is None), "w": w, "base": self.base_hz, "correlation": self.share(point.tau_c_ms),
            "tau_c": point.tau_c_ms / 1000, "g_max": self.g_max, "g_background": self.g_background,
        }  # fmt: skip
        found = program.run(seed, given, duration=self.duration_s * second)
        groups = network.by_group(found)
        return {
            "weights": late_mean(groups["history"], 2, axis=0), "noise": groups["noise_correlation"],
            "input_hz": groups["input_spikes"].mean(axis=1) / self.duration_s, "output_hz": found["spikes"][0] / self.duration_s,
        }  # fmt: skip

    def share(self, tau_c_ms: float) -> float:
        """The common fluctuation as a share of the rate at gain 1."""
        return share_for(self.noise_correlation, self.base_hz, tau_c_ms / 1000, 0.1)

    def collect(self, session: Session) -> dict[str, np.ndarray]:
        """What runs give, (points, seeds, ...), and `level_hz` (levels, seeds). Every run has random numbers of its own."""
        points, levels = self.points(), self.levels()
        programs = {(p.rule in LAW, p.dt_ms): self.network(p.rule, p.dt_ms).program() for p in points}
        start = Point(next((r for r in self.rules if r in LAW), self.rules[0]), self.tau_c_ms[0], self.dt_ms[0], 1.0, 1.0)
        work = [(point, None) for point in points] + [(start, level) for level in levels]

        def run(item: tuple[int, int]) -> dict[str, np.ndarray]:
            point, level = work[item[0]]
            return self.one(programs[point.rule in LAW, point.dt_ms], point, item[1] * len(work) + item[0], level)

        items = [(k, seed) for k in range(len(work)) for seed in session.seeds]
        found = dict(session.each(lambda item, tell: run(item), items, lambda item: 1 / work[item[0]][0].dt_ms))
        rows = {
            name: np.array([[found[k, seed][name] for seed in session.seeds] for k in range(len(work))])
            for name in ("weights", "noise", "input_hz", "output_hz")
        }
        return {name: row[: len(points)] for name, row in rows.items()} | {"level_hz": rows["output_hz"][len(points) :]}

    def theory(self, a: Arrays, rule: str, tau_c_ms: float) -> LinearDrift:
        """The linear theory of these inputs and this rule, with the neuron's rate as it was measured."""
        drive = np.array([GROUPS * self.inputs * w * self.base_hz * gain for gain, w in self.levels()])
        synaptic = BACKGROUND_HZ * self.g_background + self.g_max * drive[2]
        return gain_plane.drift_of(
            self.rule(rule), drive, a["level_hz"].mean(axis=1), tau_v=0.01 / (1 + 0.005 * synaptic), inputs=self.inputs,
            base=self.base_hz, share=self.share(tau_c_ms), tau_c=tau_c_ms / 1000,
        )  # fmt: skip

    def rows(self, a: Arrays) -> list[Row]:
        """A row for each point."""
        theories = {key: self.theory(a, *key) for key in {(p.rule, p.tau_c_ms) for p in self.points()}}
        said = gain_plane.predicted(self.points(), theories, self.w_start, self.duration_s)
        return gain_plane.rows(self.points(), a, said)

    def numbers(self, a: Arrays) -> dict[str, Any]:
        found = self.rows(a)
        planes = {rule: self.plane(found, rule) for rule in self.rules}
        last = {row["fluctuation"]: row["difference"] for row in planes[self.rules[0]] if row["gain"] == self.gains[-1]}
        return {
            "difference_mean_alone": last[1.0], "difference_multiplied": last[self.fluctuations[-1]],
            "signs": [{"rule": rule, **signs(plane)} for rule, plane in planes.items()], "map": found,
        }  # fmt: skip

    def plane(self, rows: Sequence[Row], rule: str) -> list[Row]:
        """The rows of a rule with the first time constant and time step."""
        return [r for r in rows if (r["rule"], r["tau_c_ms"], r["dt_ms"]) == (rule, self.tau_c_ms[0], self.dt_ms[0])]

    def checks(self, a: Arrays) -> Iterable[Check]:
        every = self.rows(a)
        found = {rule: signs(self.plane(every, rule)) for rule in self.rules}
        return gain_plane.checks(found, self.points(), a, self.tau_c_ms, self.dt_ms)

    def figures(self, a: Arrays) -> Mapping[str, Drawing]:
        every = self.rows(a)
        fine = [np.geomspace(0.94 * x[0], 1.06 * x[-1], 31) for x in (self.gains, self.fluctuations)]
        gain, fluctuation = np.meshgrid(*fine)
        planes = {}
        for rule in self.rules:
            w = self.theory(a, rule, self.tau_c_ms[0]).weights(gain, fluctuation, self.w_start, self.duration_s)
            planes[rule] = self.plane(every, rule), w[..., 0] - w[..., 1]
        more = {p[1:3] for p in self.points()}
        lines = {pair: [r for r in every if (r["rule"], r["tau_c_ms"], r["dt_ms"]) == (self.rules[0], *pair)] for pair in more}
        return {
            "map": plane(planes, fine), "noise_correlation": noise({rule: found for rule, (found, _) in planes.items()}),
            "changes": changes({rule: found for rule, (found, _) in planes.items()}),
            "time_constants": further(dict(sorted(lines.items()))),
        }  # fmt: skip


if __name__ == "__main__":
    script(AttentionMap.name)
