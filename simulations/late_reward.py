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
from simulations.figures import BLACK, BLUE, GREEN, GREY, VERMILION, YELLOW
from simulations.figures.kinds import Layer, Panel, band, each_seed, level, line, moment, page, panel, raster, span, steps
from simulations.frame.checks import Check, every_seed, within
from simulations.frame.execute import script
from simulations.frame.experiment import Arrays, Experiment, Session

if TYPE_CHECKING:
    from simulations.figures.kinds import Drawing

IZHIKEVICH = "Izhikevich 2007, doi:10.1093/cercor/bhl152"
PROGRAM = f"{IZHIKEVICH}; range from runs of the author's program"
OWN = "statement of this simulation"
CONDITIONS = {"reward": "reward after the pair", "none": "no reward", "random": "rewards at random times"}
LOOKS = {"reward": (VERMILION, "-"), "none": (BLACK, ":"), "random": (BLUE, "--")}
BINS = np.linspace(0.0, 1.0, 41)  # of the weights at the end, as shares of the largest
EARLY, ENOUGH, OTHERS = (900.0, 2200.0), 0.8, 0.25  # accepted: first crossing in seconds, shares of the largest weight
REACHED = 0.9  # of the largest weight: the synapse has been found
TAU_D_S = -0.001 / np.log(0.995)


@dataclass(frozen=True)
class LateReward(Experiment):
    __doc__ = __doc__

    name: ClassVar[str] = "late_reward"
    summary: ClassVar[str] = "a reward that comes seconds late strengthens the one synapse that earned it, of 80,000"
    source: ClassVar[str] = IZHIKEVICH
    part_of: ClassVar[str] = "distal_reward"
    uses: ClassVar[tuple[str, ...]] = ("pair_stdp", "izhikevich")

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

    def inputs(self, condition: str, seed: int, rewards: int = 0) -> dict[str, Any]:
        """The inputs of one run; `rewards` is how many come at random times."""
        if condition not in CONDITIONS:
            raise WrongUse(f"unknown condition {condition!r}; known: {', '.join(CONDITIONS)}.")
        w = np.ones(self.excitatory * self.fan_out)
        w[0] = 0.0
        rows = np.zeros(10 * self.network().seconds)
        if condition == "random":
            drawn = np.random.default_rng([seed, 2]).integers(1, 10 * self.seconds, size=rewards)
            rows += self.dose * np.bincount(drawn, minlength=len(rows))
        return {
            "noise": 0.013,
            "w": w,
            "w_inhibitory": 1.0,
            "dose": self.dose if condition == "reward" else 0.0,
            "unpaired": rows,
            "tonic": self.tonic,
            "tau_d": TAU_D_S,
        }

    def one(self, program: Program, condition: str, seed: int, rewards: int, progress: Progress) -> dict[str, np.ndarray]:
        """One run, as arrays over seconds, samples and bins."""
        given = self.inputs(condition, seed, rewards)
        found = program.run(seed, given, duration=self.seconds * second, progress=progress)
        samples = found["weights"].reshape(-1, self.excitatory * self.fan_out)
        return {
            "chosen": np.append(found["chosen"].ravel(), found["w"][0]) / self.w_max,
            "others": np.append(samples[:, 1:].mean(axis=1), found["w"][1:].mean()) / self.w_max,
            "histogram": np.histogram(found["w"][1:] / self.w_max, BINS)[0] / (len(found["w"]) - 1),
            "rate_hz": found["spikes"].mean() / np.float64(self.seconds),
            "reward_t": found["reward_t"],
            "pair_t": found["pair_t"] - 0.001,  # the relays fire one step late
            "pair_i": found["pair_i"],
        }

    def collect(self, session: Session) -> dict[str, np.ndarray]:
        """For each condition CONDITION_chosen, _others, _histogram, _rate_hz, _rewards; of the first seed rewards and pairs."""
        program = self.network().program()
        seeds, controls = list(session.seeds), list(session.seeds)[: self.control_seeds]
        found: dict[tuple[str, int], dict[str, np.ndarray]] = {}

        def work(item: tuple[str, int, int], tell: Progress) -> dict[str, np.ndarray]:
            return self.one(program, *item, tell)

        first = len(seeds) / (len(seeds) + 2 * len(controls))
        # how many rewards come at random times is known after the runs with reward
        for (_, seed, _), made in session.part(0, first).each(work, [("reward", seed, 0) for seed in seeds]):
            found["reward", seed] = made
        rest = [("none", seed, 0) for seed in controls]
        rest += [("random", seed, len(found["reward", seed]["reward_t"])) for seed in controls]
        for (condition, seed, _), made in session.part(first, 1).each(work, rest):
            found[condition, seed] = made
        arrays: dict[str, np.ndarray] = {}
        for condition in CONDITIONS:
            runs = [found[condition, seed] for seed in (seeds if condition == "reward" else controls)]
            for name in ("chosen", "others", "histogram", "rate_hz") if runs else ():
                arrays[f"{condition}_{name}"] = np.stack([made[name] for made in runs])
            arrays[f"{condition}_rewards"] = np.array([len(made["reward_t"]) for made in runs])
        return arrays | {name: found["reward", seeds[0]][name] for name in ("reward_t", "pair_t", "pair_i")}

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
            told[f"{condition}_target_last_quarter"] = last_quarter(a[f"{condition}_chosen"]).tolist()
            told[f"{condition}_others_at_the_end"] = a[f"{condition}_others"][:, -1].tolist()
        return told

    def checks(self, a: Arrays) -> Iterable[Check]:
        end, others, n = a["reward_chosen"][:, -1], a["reward_others"][:, -1], len(a["reward_chosen"])
        median, high, needed = np.median(crossing(a["reward_chosen"])), int((end >= ENOUGH).sum()), int(np.ceil(0.9 * n))
        yield within(
            "median first crossing of 0.9 w_max (s)", median, *EARLY, source=PROGRAM,
            told=float(median) if np.isfinite(median) else "not reached",
        )  # fmt: skip
        yield within(
            f"seeds of {n} that end at 0.8 w_max or above", high, low=needed, source=PROGRAM, published=f">= {needed}",
            tolerance="count",
        )  # fmt: skip
        yield within(
            "mean of the other excitatory weights / w_max", others.mean(), high=OTHERS, source=PROGRAM, published="< 0.25",
            strict=True,
        )  # fmt: skip
        for condition, what in (("none", "without reward"), ("random", "with rewards at random times")):
            if f"{condition}_chosen" in a:
                last = last_quarter(a[f"{condition}_chosen"])
                ours = last_quarter(a["reward_chosen"][: len(last)])
                yield every_seed(
                    f"target {what}, mean of the last quarter", (last < ENOUGH) & (last < ours), source=OWN,
                    published="below 0.8 w_max in each seed, and below the same seed with reward",
                    told=f"at most {last.max():.2f} in {len(last)} seeds; with reward at least {ours.min():.2f}",
                    tolerance="each seed",
                )  # fmt: skip

    def figures(self, a: Arrays) -> Mapping[str, Drawing]:
        shown = [condition for condition in CONDITIONS if f"{condition}_chosen" in a]
        width = max(4.2, 3.0 + 2.6 * (len(shown) - 1))
        courses = [_course(a, condition) for condition in shown]
        return {
            "target_weight": page(courses, size=(width, 3.4), legend=3, sharey=True),
            "weights_at_the_end": page([_at_the_end(a, shown)], size=(6.4, 3.6), legend=2),
            "one_reward": page(*([one] for one in self._one_reward(a)), size=(6.4, 3.4), sharex=True, height_ratios=[1, 1.4]),
        }

    def _one_reward(self, a: Arrays) -> tuple[Panel, Panel]:
        """Spikes of neurons 1 and 2 and dopamine around the reward with the most room around it, in the first seed."""
        spikes, cells, rewards = a["pair_t"], a["pair_i"], a["reward_t"]
        above: list[Layer] = []
        below: list[Layer] = []
        if len(rewards):
            gaps = np.diff(np.append(np.append(0.0, rewards), np.inf))
            at = float(rewards[np.argmax(np.minimum(gaps[:-1], gaps[1:]))])
            start, end = at - 4.0, at + 2.0  # the pair that this reward came of is 1 to 3 s earlier
            t = np.arange(start, end, 0.001)
            since = np.subtract.outer(t, rewards[rewards < end])
            left = np.where(since >= 0, np.exp(-np.maximum(since, 0) / TAU_D_S), 0).sum(axis=1)
            for cell, colour in ((0, BLUE), (1, VERMILION)):
                own = spikes[(cells == cell) & (spikes > start) & (spikes < end)] - at
                above.append(raster(own, np.full(len(own), 1.5 - cell), color=colour, linewidth=1.2))
            ones, twos = spikes[cells == 0], spikes[cells == 1]
            for t_2 in twos[(twos > at - 3.0015) & (twos < at - 0.9995)]:
                before = ones[(ones < t_2 - 0.0005) & (ones > t_2 - 0.0195)]
                if len(before):
                    above.append(span(before[-1] - at - 0.02, t_2 - at + 0.02, color=YELLOW, alpha=0.6, zorder=0))
            below = [line(t - at, self.tonic + self.dose * left, color=GREEN), moment(0, linestyle=":")]
        title = "yellow: 2 fires within 20 ms of 1; dotted: the reward"
        return (
            panel(*above, title=title, yticks=[0.5, 1.5], yticklabels=["neuron 2", "neuron 1"], ylim=(0, 2)),
            panel(*below, x="time from the reward (s)", y="dopamine (no unit)", ylim=(0, None)),
        )


def crossing(chosen: np.ndarray) -> np.ndarray:
    """The first second in which a weight (seeds, seconds) reaches `REACHED`; infinite where it never does."""
    above = chosen >= REACHED
    return np.where(above.any(axis=1), above.argmax(axis=1), np.inf)


def last_quarter(chosen: np.ndarray) -> np.ndarray:
    """Mean weight over the last quarter of a run, (seeds,): a single weight wanders."""
    return chosen[:, -chosen.shape[1] // 4 :].mean(axis=1)


def _course(a: Arrays, condition: str) -> Panel:
    """The chosen synapse's weight over time: each seed, mean and interval; beside it the mean of all others."""
    values, others = a[f"{condition}_chosen"], a[f"{condition}_others"]
    every, seconds = max(1, values.shape[1] // 60), np.arange(values.shape[1])
    layers = [
        each_seed(seconds[::every], values[:, ::every], color=VERMILION, linewidth=0.5, alpha=0.45),
        band(seconds, values, every=every, color=VERMILION, linewidth=2.2, label="target: each seed, mean and 95 % interval"),
        line(
            np.linspace(0, values.shape[1] - 1, others.shape[1]), others.mean(axis=0), color=GREY, linestyle="-.",
            label="all others, mean",
        ),
    ]  # fmt: skip
    if condition == "reward":
        accepted = f"accepted for the median crossing of {REACHED:g}"
        layers += [level(REACHED, linewidth=0.6), span(*EARLY, ymax=0.03, color=GREEN, alpha=0.7, label=accepted)]
    label = "weight / largest weight" if condition == "reward" else ""
    return panel(*layers, x="time (s)", y=label, title=f"{CONDITIONS[condition]}, {len(values)} seeds", ylim=(0, 1.02))


def _at_the_end(a: Arrays, shown: list[str]) -> Panel:
    """The distribution of the other plastic weights at the end, and where the target is."""
    layers: list[Layer] = []
    for place, condition in enumerate(shown):
        colour, look = LOOKS[condition]
        histogram, end = a[f"{condition}_histogram"], a[f"{condition}_chosen"][:, -1]
        label = f"{CONDITIONS[condition]} ({len(histogram)} seeds)"
        layers.append(steps(histogram.mean(axis=0), BINS, color=colour, linestyle=look, label=label, baseline=None))
        height = np.full(len(end), 1.6 * 1.8**place)
        layers.append(line(end, height, "o", color=colour, markersize=4, alpha=0.8, clip_on=False))
    return panel(
        *layers, x="weight / largest weight at the end", y="share of the other plastic synapses", yscale="log", xlim=(0, 1.02),
        ylim=(1e-6, 10), yticks=[1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1], title="dots: the target synapse in each seed",
    )  # fmt: skip


if __name__ == "__main__":
    script(LateReward.name)
