"""A reward that comes seconds late strengthens the one synapse that earned it, of 80,000.

1000 neurons fire by themselves at about 1 Hz (the network: plasticity.networks.distal_reward). Whenever neuron 2 fires within
20 ms after neuron 1, a reward comes 1 to 3 s later and releases dopamine, which reaches all plastic synapses. By then hundreds of
other pairs have fired. Only the synapse from 1 to 2 has a fresh eligibility *every* time. Three conditions:

    reward     as told
    none       no reward; dopamine stays at its small tonic level
    random     as many rewards as in the run with reward of the same seed, at random times

Parameters are those of the author's program; nothing was fitted.

Source: Izhikevich 2007, doi:10.1093/cercor/bhl152.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from brian2 import second

from plasticity.engine import Program
from plasticity.errors import WrongUse
from plasticity.networks.distal_reward import DistalReward, daspnet_landing, daspnet_rule
from plasticity.parallel import Progress
from plasticity.settings import setting
from plasticity.statistics import late_mean
from simulations.figures.late_reward import one_reward, target_weight, weights_at_the_end
from simulations.frame.checks import Check, every_seed, within
from simulations.frame.execute import script
from simulations.frame.experiment import Arrays, Experiment, Measure, Session

if TYPE_CHECKING:
    from simulations.figures.kinds import Drawing

IZHIKEVICH = "Izhikevich 2007, doi:10.1093/cercor/bhl152"
SELECTIVE = f"{IZHIKEVICH}: the right synapse is strengthened, selectively; where the bound lies is said here"
TRANSLATION = (
    f"range of four runs of a translation of the author's program (ModelDB 84167) that is not public; model of {IZHIKEVICH}"
)
OWN = "statement of this simulation"
CONDITIONS = ("reward", "none", "random")
BINS = np.linspace(0.0, 1.0, 41)  # of the weights at the end, as shares of the largest
EARLY, ENOUGH, OTHERS = (900.0, 2200.0), 0.8, 0.25  # accepted: first crossing in seconds, shares of the largest weight
REACHED = 0.9  # of the largest weight: the synapse has been found


@dataclass(frozen=True)
class LateReward(Experiment):
    __doc__ = __doc__

    name: ClassVar[str] = "late_reward"
    summary: ClassVar[str] = "a reward that comes seconds late strengthens the one synapse that earned it, of 80,000"
    source: ClassVar[str] = IZHIKEVICH
    part_of: ClassVar[str] = "distal_reward"
    uses: ClassVar[tuple[str, ...]] = ("pair_stdp", "izhikevich")
    time_step: ClassVar[str] = (
        "1 ms, part of the published model: a spike is an input current for one step, v takes two half steps in each, and "
        "a spike's peak depends on them, so that other steps make another network."
    )
    measures: ClassVar[tuple[Measure, ...]] = (
        Measure("target", "", "the rewarded synapse at the end, over the largest weight", ("target_at_the_end",)),
        Measure("others", "", "mean of the others at the end", ("others_at_the_end",)),
        Measure(
            "first_crossing_s",
            "s",
            "median time at which it first comes near the largest weight",
            ("median_first_crossing_s",),
        ),
        Measure("rate_hz", "Hz", "mean rate of the network"),
        Measure("rewards", "", "how many rewards there were"),
        Measure("target_without_reward", "", "the synapse in the last quarter without any reward", ("none_target_last_quarter",)),
    )

    seconds: int = setting(3600, "simulated time of distal reward", unit="s", low=10, high=3600)
    control_seeds: int = setting(
        3, "how many of the seeds also run without reward and with rewards at random times", low=0, high=100
    )
    excitatory: int = setting(800, "excitatory neurons", low=2, high=10_000)
    inhibitory: int = setting(200, "inhibitory neurons", low=1, high=10_000)
    fan_out: int = setting(100, "synapses that each neuron makes", low=1, high=1000)
    jump: float = setting(0.1, "what one pair adds to the eligibility at most", unit="mV", low=0, high=10)
    depression: float = setting(1.5, "depression over potentiation by one pair", low=0, high=10)
    w_max: float = setting(4.0, "largest weight", unit="mV", low=0.1, high=100)
    dose: float = setting(0.5, "dopamine that a reward releases", low=0, high=100)
    tonic: float = setting(0.002, "tonic dopamine", low=0, high=1)

    def network(self) -> DistalReward:
        """What is compiled, with its numbers."""
        rule, landing = daspnet_rule(self.jump, self.depression), daspnet_landing(self.w_max)
        return DistalReward(self.excitatory, self.inhibitory, self.fan_out, rule=rule, landing=landing)

    @property
    def bytes(self) -> float:
        return self.network().bytes

    def inputs(self, condition: str, seed: int, rewards: int = 0) -> dict[str, Any]:
        """The inputs of one run; `rewards` is how many come at random times."""
        if condition not in CONDITIONS:
            raise WrongUse(f"unknown condition {condition!r}; known: {', '.join(CONDITIONS)}.")
        network, rng = self.network(), np.random.default_rng([seed, 2])
        unpaired = network.at_random(rng, rewards, self.seconds, self.dose) if condition == "random" else None
        return network.daspnet(self.dose if condition == "reward" else 0.0, self.tonic, unpaired)

    def one(self, program: Program, condition: str, seed: int, rewards: int, progress: Progress) -> dict[str, np.ndarray]:
        """One run, as arrays over seconds, samples and bins."""
        given = self.inputs(condition, seed, rewards)
        found = program.run(seed, given, duration=self.seconds * second, progress=progress)
        return self.network().shares(found, BINS) | {
            "rate_hz": found["spikes"].mean() / np.float64(self.seconds),
            "reward_t": found["reward_t"],
            "pair_t": found["pair_t"] - 0.001,  # the relays fire one step late
            "pair_i": found["pair_i"],
        }

    def collect(self, session: Session) -> dict[str, np.ndarray]:
        """For each condition CONDITION_chosen, _others, _histogram, _rate_hz, _rewards; of the first seed rewards and pairs."""
        program, seeds = self.network().program(), list(session.seeds)
        controls = seeds[: self.control_seeds]

        def work(item: tuple[str, int, int], tell: Progress) -> dict[str, np.ndarray]:
            return self.one(program, *item, tell)

        first = len(seeds) / (len(seeds) + 2 * len(controls))
        items = [("reward", seed, 0) for seed in seeds]
        found = dict(session.part(0, first).each(work, items))
        # how many rewards come at random times is known after the runs with reward
        rest = [("none", seed, 0) for seed in controls]
        rest += [("random", seed, len(found["reward", seed, 0]["reward_t"])) for seed in controls]
        found |= dict(session.part(first, 1).each(work, rest))
        arrays: dict[str, np.ndarray] = {}
        for condition in CONDITIONS:
            runs = [found[item] for item in (*items, *rest) if item[0] == condition]
            for name in ("chosen", "others", "histogram", "rate_hz") if runs else ():
                arrays[f"{condition}_{name}"] = np.stack([run[name] for run in runs])
            arrays[f"{condition}_rewards"] = np.array([len(run["reward_t"]) for run in runs])
        return arrays | {name: found[items[0]][name] for name in ("reward_t", "pair_t", "pair_i")}

    def numbers(self, a: Arrays) -> dict[str, Any]:
        first = crossing(a["reward_chosen"])
        told: dict[str, Any] = {
            "first_crossing_s": [float(x) for x in first],
            "median_first_crossing_s": float(np.median(first)),
            "target_at_the_end": a["reward_chosen"][:, -1].tolist(),
            "others_at_the_end": a["reward_others"][:, -1].tolist(),
            "rate_hz": a["reward_rate_hz"].tolist(),
            "rewards": a["reward_rewards"].tolist(),
        }
        for condition in (name for name in ("none", "random") if f"{name}_chosen" in a):
            told[f"{condition}_target_last_quarter"] = late_mean(a[f"{condition}_chosen"], 4).tolist()
            told[f"{condition}_others_at_the_end"] = a[f"{condition}_others"][:, -1].tolist()
        return told

    def checks(self, a: Arrays) -> Iterable[Check]:
        end, others, n = a["reward_chosen"][:, -1], a["reward_others"][:, -1], len(a["reward_chosen"])
        median, high, needed = np.median(crossing(a["reward_chosen"])), int((end >= ENOUGH).sum()), int(np.ceil(0.9 * n))
        yield within(
            "median first crossing of 0.9 w_max (s)", median, *EARLY, kind="own", source=TRANSLATION,
            told=float(median) if np.isfinite(median) else "not reached",
        )  # fmt: skip
        yield within(
            f"seeds of {n} that end at 0.8 w_max or above", high, low=needed, kind="paper", source=SELECTIVE,
            published=f">= {needed}", tolerance="count",
        )  # fmt: skip
        yield within(
            "mean of the other excitatory weights / w_max", others.mean(), high=OTHERS, kind="paper", source=SELECTIVE,
            published="< 0.25", strict=True,
        )  # fmt: skip
        for condition, what in (("none", "without reward"), ("random", "with rewards at random times")):
            if f"{condition}_chosen" in a:
                last = late_mean(a[f"{condition}_chosen"], 4)
                ours = late_mean(a["reward_chosen"][: len(last)], 4)
                yield every_seed(
                    f"target {what}, mean of the last quarter", (last < ENOUGH) & (last < ours), kind="own", source=OWN,
                    published="below 0.8 w_max in each seed, and below the same seed with reward",
                    told=f"at most {last.max():.2f} in {len(last)} seeds; with reward at least {ours.min():.2f}",
                    tolerance="each seed",
                )  # fmt: skip

    def figures(self, a: Arrays) -> Mapping[str, Drawing]:
        shown = [condition for condition in CONDITIONS if f"{condition}_chosen" in a]
        return {
            "target_weight": target_weight(a, shown, REACHED, EARLY),
            "weights_at_the_end": weights_at_the_end(a, shown, BINS),
            "one_reward": one_reward(a, self.tonic, self.dose),
        }


def crossing(chosen: np.ndarray) -> np.ndarray:
    """The first second in which a weight (seeds, seconds) reaches `REACHED`; infinite where it never does."""
    above = chosen >= REACHED
    return np.where(above.any(axis=1), above.argmax(axis=1), np.inf)


if __name__ == "__main__":
    script(LateReward.name)
