"""Mean and scatter of the weights between independent trains, for each exponent mu of soft bounds (Guetig 2003).

Synapses between Poisson trains that do not drive each other (the network: plasticity.networks.poisson_pairs), with

    potentiation  lambda (1 - w)^mu x,    depression  alpha lambda w^mu y

(x, y: traces of the pre- and postsynaptic spikes, 20 ms, r = 15 Hz on both sides). The drift vanishes at

    w* = 1/(1 + alpha^(1/mu))

and for mu = 1 the weights scatter about it with sd = sqrt(lambda [(1 - w*)^2 + alpha^2 w*^2]/(4 (1 + alpha))), to the first order
in lambda. For every mu we hold our mean and sd against the stationary solution of the Fokker-Planck equation
(plasticity.weight_equilibrium), which also says how long the equilibrium takes: its slowest mode decays with 11 s for mu = 1,
53 s for mu = 0.1, 130 s for mu = 0. Half the synapses start at 0 and half at 1, the run begins to count after six of these times,
and both halves must agree.

Ties. Spikes of one time step do not pair here. A program in which they potentiate adds a share of dt/tau to all potentiation,
which moves the mean weight at mu = 0.1 from 0.386 to 0.391 at a time step of 0.05 ms and to 0.397 at 0.1 ms (the Fokker-Planck
equation with alpha/(1 + dt/tau)). A loop over events in continuous time without any time step gives 0.3852 (3 x 3000 independent
synapses, standard error 0.0005).

Where the values come from that we compare with. The paper shows them in figures. The numbers are what NEST gave
(`peers/nest_rules.py`: `stdp_synapse` at 0.1 ms; ties do nothing there either): 0.3820 with a standard error of 0.0006 for the
weights as it stores them, after the last presynaptic spike. The potentiation that it adds at the next one,
lambda (1 - w)^mu r tau = 0.0029 on average, is counted in.

Source: Guetig, Aharonov, Rotter & Sompolinsky 2003, doi:10.1523/JNEUROSCI.23-09-03697.2003.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from brian2 import ms, second

from plasticity.engine import Program
from plasticity.errors import WrongUse
from plasticity.networks.poisson_pairs import PoissonPairs
from plasticity.rules import Landing, pair_stdp
from plasticity.settings import setting
from plasticity.statistics import padded
from plasticity.weight_equilibrium import Equilibrium, fixed_point, fokker_planck, linear_sd, met, pooled, settled
from simulations.figures.soft_bounds import REACHED, equilibrium, settling
from simulations.frame.checks import Check, near
from simulations.frame.execute import script
from simulations.frame.experiment import Arrays, Experiment, Measure, Session, stack

if TYPE_CHECKING:
    from simulations.figures.kinds import Drawing

DOI = "Guetig et al. 2003, doi:10.1523/JNEUROSCI.23-09-03697.2003"
NEST = f"NEST 3.10.0 (nest-simulator), stdp_synapse with mu_plus = mu_minus = mu, 4 runs of 900 synapses; {DOI}"
THEORY = f"fixed point and linear noise of the rule of {DOI}"
DIFFUSION = f"Fokker-Planck equation of the rule of {DOI}; spikes of one time step do not pair"
START = "the start does not matter in equilibrium; allowed: as much as for the mean"
COUNT = "the setting; allowed: 4 standard errors of the count"
GIVEN = {0.1: (0.3848, 0.1031)}  # by NEST for each mu: mean and sd
MUS = (0.0, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)


@dataclass(frozen=True)
class SoftBounds(Experiment):
    __doc__ = __doc__

    name: ClassVar[str] = "soft_bounds"
    summary: ClassVar[str] = "mean and scatter of weights between independent trains, for each exponent of soft bounds"
    source: ClassVar[str] = DOI
    default_seeds: ClassVar[int] = 8
    part_of: ClassVar[str] = "stdp_equilibrium"
    uses: ClassVar[tuple[str, ...]] = ("pair_stdp",)
    time_share: ClassVar[float] = 0.55
    short: ClassVar[Mapping[str, Any]] = {"mu": (1.0,), "trains": 15}
    measures: ClassVar[tuple[Measure, ...]] = (
        Measure("soft_mean", "", "mean weight in equilibrium, at the last mu", ("pairs", -1, "mean")),
        Measure("soft_sd", "", "standard deviation of the weights there", ("pairs", -1, "sd")),
        Measure("soft_mean_theory", "", "mean weight by theory", ("pairs", -1, "theory_mean")),
        Measure("soft_sd_theory", "", "standard deviation by theory", ("pairs", -1, "theory_sd")),
    )

    mu: tuple[float, ...] = setting(
        (), "exponents of the soft bounds, 0 for hard ones; empty: the whole simulation", low=0, high=10
    )
    trains: int = setting(30, "independent trains on each side; as many synapses as the square of it", low=2, high=200)
    rate_hz: float = setting(15.0, "rate of every Poisson train", "Hz", low=0.1, high=200)
    A_plus: float = setting(
        0.01, "largest potentiation by one pair (lambda), as a share of the weight's range", low=1e-4, high=0.2
    )
    alpha: float = setting(1.05, "A_minus/A_plus", low=0.1, high=10)
    dt_ms: float = setting(0.1, "time step", "ms", low=0.01, high=1)

    def network(self, mu: float = 1.0) -> PoissonPairs:
        """What is compiled; one program for every mu."""
        rule = pair_stdp(A_plus=self.A_plus, A_minus=self.alpha * self.A_plus)
        return PoissonPairs(rule=rule, landing=Landing(mu=mu), pre=self.trains, post=self.trains, dt=self.dt_ms * ms)

    @property
    def bytes(self) -> float:
        return self.network().bytes

    def theory(self, mu: float) -> Equilibrium:
        """Mean, standard deviation and relaxation time for one mu."""
        return fokker_planck(mu, self.alpha, self.A_plus, self.rate_hz)

    def measured_s(self, mu: float) -> tuple[float, float]:
        """Seconds before the measurement of one mu, and until its end: whole samples."""
        return self.theory(mu).measured(float(self.network().sample))

    def refuse(self) -> None:
        if len(set(self.mu)) < len(self.mu):
            raise WrongUse(f"mu={self.mu} names an exponent twice; give each once, for example --set mu=0.1,1.")
        longest = float(self.network().longest)
        for mu in self.mu or MUS:
            end = self.measured_s(mu)[1]
            if end > longest:
                raise WrongUse(
                    f"mu={mu:g} with rate_hz={self.rate_hz:g} and A_plus={self.A_plus:g} takes {end:.0f} s to settle and to be"
                    f" measured, more than {longest:.0f} s; choose a higher rate_hz or A_plus, or mu between 0 and 5."
                )

    def settle(self, program: Program, mu: float, seed: int) -> dict[str, np.ndarray]:
        """One run: half the synapses start at 0, half at 1. What `settled` says, and `pair_hz` (2) the rates of both sides."""
        (start_s, end_s), start = self.measured_s(mu), self.network().half_at_each_bound()
        inputs = {"plastic.mu": mu, "pre_rate": self.rate_hz, "post_rate": self.rate_hz, "w": start}
        got = program.run(seed, inputs, duration=end_s * second)
        pair_hz = np.array([got["pre_spikes"].mean(), got["post_spikes"].mean()]) / end_s
        return settled(got["w_history"], start, round(start_s / float(self.network().sample))) | {"pair_hz": pair_hz}

    def collect(self, session: Session) -> dict[str, np.ndarray]:
        """What `settle` gives, (exponents, seeds, ...); `course` is the mean over seeds; `theory` (121, mu and Equilibrium)."""
        mus, program = self.mu or MUS, self.network().program()
        items = [(mu, seed) for mu in mus for seed in session.seeds]
        done = session.each(lambda item, tell: self.settle(program, *item), items, cost=lambda item: self.measured_s(item[0])[1])
        found = dict(done)
        courses = [np.mean([found[mu, seed].pop("course") for seed in session.seeds], axis=0) for mu in mus]
        arrays = stack([found[item] for item in items], len(mus), len(session.seeds))
        arrays |= {"mu": np.array(mus), "course": padded(courses)}
        arrays["course_s"] = np.arange(arrays["course"].shape[1]) * float(self.network().sample)
        fine = np.linspace(0, np.sqrt(max(1.0, *mus)), 121) ** 2
        return arrays | {"theory": np.array([[mu, *self.theory(mu)] for mu in fine])}

    def rows(self, a: Arrays) -> list[dict[str, Any]]:
        """The numbers of each mu."""
        rows = []
        for k, mu in enumerate(a["mu"].tolist()):
            theory, (begin, end) = self.theory(mu), self.measured_s(mu)
            expected = {"theory_mean": theory.mean, "theory_sd": theory.sd, "relaxation_s": theory.relaxation_s}
            times = {REACHED: met(a["course"][k], a["course_s"], 0.05), "measured_from_s": begin, "measured_to_s": end}
            found = pooled(a["pair_mean"][k], a["pair_sd"][k]) | {"fixed_point": fixed_point(mu, self.alpha)}
            rows.append({"mu": mu} | found | expected | times)
        return rows

    def numbers(self, a: Arrays) -> dict[str, Any]:
        rows = self.rows(a)
        return {"pairs": rows} | (rows[0] if len(rows) == 1 else {})

    def checks(self, a: Arrays) -> Iterable[Check]:
        rows = self.rows(a)
        as_published = self == replace(type(self)(), mu=self.mu, trains=self.trains)
        for row, left in zip(rows, np.diff(a["half_means"].mean(axis=1))[:, 0], strict=True):
            mu, mean, sd, title = row["mu"], row["mean"], row["sd"], f"mu = {row['mu']:g}"
            if mu in GIVEN and as_published:
                yield near(f"{title}: mean weight", GIVEN[mu][0], mean, 0.005, kind="independent", source=NEST)
                yield near(f"{title}: standard deviation", GIVEN[mu][1], sd, rel=0.05, kind="independent", source=NEST)
            if mu == 1:
                linear = linear_sd(row["fixed_point"], self.alpha, self.A_plus)
                yield near(
                    f"{title}: mean is the fixed point w*", row["fixed_point"], mean, 0.005, kind="closed_form", source=THEORY
                )
                yield near(
                    f"{title}: standard deviation of linear theory", linear, sd, rel=0.05, kind="closed_form", source=THEORY
                )
            yield near(f"{title}: mean of the diffusion", row["theory_mean"], mean, 0.005, kind="closed_form", source=DIFFUSION)
            yield near(
                f"{title}: standard deviation of the diffusion",
                row["theory_sd"],
                sd,
                rel=0.05,
                kind="closed_form",
                source=DIFFUSION,
            )
            yield near(f"{title}: mean weight, started at 1 minus started at 0", 0.0, left, 0.005, kind="own", source=START)
        # The runs of one seed share random numbers between exponents, so that only seeds count as independent.
        seconds = self.trains * 2 * sum(row["measured_to_s"] for row in rows) / len(rows)
        error = float(np.sqrt(self.rate_hz / (seconds * a["pair_hz"].shape[1])))
        yield near(
            "rate of the independent trains (Hz)",
            self.rate_hz,
            a["pair_hz"].mean(axis=2).mean(),
            4 * error,
            kind="own",
            source=COUNT,
        )

    def figures(self, a: Arrays) -> Mapping[str, Drawing]:
        given = {mu: GIVEN[mu] for mu in GIVEN if mu in a["mu"]}
        return {"equilibrium": equilibrium(a, self.rows(a), self.alpha, given), "settling": settling(a, self.rows(a))}


if __name__ == "__main__":
    script(SoftBounds.name)
