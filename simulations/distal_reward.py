"""A reward that comes seconds late strengthens the one synapse that earned it, of 80,000; and when a reward needs an expectation.

Distal reward (the network: plasticity.networks.distal_reward). 1000 neurons fire by themselves at about 1 Hz. Whenever neuron 2
fires within 20 ms after neuron 1, a reward comes 1 to 3 s later and releases dopamine, which reaches all plastic synapses. By
then hundreds of other pairs have fired. Only the synapse from 1 to 2 has a fresh eligibility *every* time. Three conditions:

    reward     as told
    none       no reward; dopamine stays at its small tonic level
    random     as many rewards as in the run with reward of the same seed, at random times

One trial (one synapse, simulated in Brian2 through the same landing). A pair leaves the eligibility c_0, a time T later a
reward releases the dopamine d_0; both decay. The weight changes by the integral of their product,

    Delta s = c_0 d_0 exp(-T/tau_c) / (1/tau_c + 1/tau_d)

With an update every 10 ms, as in the network, the integral becomes a sum, which is larger or smaller by up to 3 % (half an
interval of the product's decay), according to when in an interval the reward comes. The check is on updates in each time step.

Reward expectation (the network: plasticity.networks.reward_expectation). One neuron learns which of four stimuli to answer, by
a reward of 1 or -1 at the end of each trial, under four signals: the reward R; R + constant; R minus its mean for the stimulus
shown; (R + constant) minus its mean. With the mean taken away a constant is gone from the first trial on. Without, it adds a
drift, the constant times the mean eligibility, which has nothing to do with being right. Each stimulus has inputs of its own.
Where they shared a third or half of them, R failed without any constant (0.39 to 0.68 of the trials rewarded, means over seeds
100 to 103 in ten settings): once a stimulus is mostly rewarded, R itself has a mean above 0 for it, and that drift spreads to
the others. The first trial of a stimulus, of
which nothing is expected yet, changes no weight when expectations are used.

Parameters of distal reward are those of the author's program; nothing was fitted. Those of the task with stimuli were chosen by
runs on seeds 100 to 103.

Sources: Izhikevich 2007, doi:10.1093/cercor/bhl152; Fremaux, Sprekeler & Gerstner 2010, doi:10.1523/JNEUROSCI.6249-09.2010.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from brian2 import Network, NeuronGroup, SpikeGeneratorGroup, Synapses, defaultclock, ms, second

from plasticity.engine import Program, backend, program
from plasticity.errors import WrongUse
from plasticity.networks import distal_reward as distal
from plasticity.networks import reward_expectation as expectation
from plasticity.parallel import Progress, each
from plasticity.protocols import numpy_target
from plasticity.rules import Eligibility, Landing, Rule, pair_stdp
from plasticity.settings import setting
from plasticity.statistics import interval, paired_difference
from simulations.simulation import Check, Outcome, Simulation, script

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from plasticity.records import Record

IZHIKEVICH = "Izhikevich 2007, doi:10.1093/cercor/bhl152"
FREMAUX = "Fremaux, Sprekeler & Gerstner 2010, doi:10.1523/JNEUROSCI.6249-09.2010"
OWN = "statement of this simulation"
CONDITIONS = ("reward", "none", "random")
SIGNALS = ("R", "R + constant", "R - expected", "R - expected + constant")
BINS = np.linspace(0.0, 1.0, 41)  # of the weights at the end, as shares of the largest
EARLY, ENOUGH, OTHERS = (900.0, 2200.0), 0.8, 0.25  # accepted: first crossing in seconds, shares of the largest weight
REACHED = 0.9  # of the largest weight: the synapse has been found
DELAYS_S = (0.0, 0.1, 0.5, 1.0, 2.0)
TRIAL_T_S, TRIAL_SHARE = 0.1, 0.15081  # Delta s / (c_0 d_0) with tau_c 1 s and tau_d 0.2 s
PERIOD = 50  # trials between two records of the weights; scores are averaged over as many


@dataclass(frozen=True)
class DistalRewardSimulation(Simulation):
    __doc__ = __doc__

    name: ClassVar[str] = "distal_reward"
    summary: ClassVar[str] = "a reward that comes seconds late finds its synapse; and when a reward needs an expectation"
    source: ClassVar[str] = IZHIKEVICH
    default_seeds: ClassVar[int] = 10
    uses: ClassVar[tuple[str, ...]] = ("pair_stdp", "izhikevich", "lif_current")

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
    trials: int = setting(2000, "trials of the task with stimuli", low=8, high=2000)
    constant: float = setting(1.0, "added to the reward of 1 or -1", low=-10, high=10)
    learning_rate: float = setting(0.01, "of the task with stimuli, times the eligibility", low=0, high=10)

    def network(self) -> distal.DistalReward:
        """What is compiled for distal reward, with its numbers."""
        return distal.DistalReward(
            self.excitatory,
            self.inhibitory,
            self.fan_out,
            rule=distal.daspnet_rule(self.jump, self.depression),
            landing=distal.daspnet_landing(self.w_max),
        )

    def inputs(self, condition: str, seed: int, rewards: int = 0) -> dict[str, Any]:
        """The inputs of distal reward for one run; `rewards` is how many come at random times."""
        network = self.network()
        w = np.ones(self.excitatory * self.fan_out)
        w[0] = 0.0
        rows = np.zeros(10 * network.seconds)
        if condition == "random":
            drawn = np.random.default_rng([seed, 2]).integers(1, 10 * self.seconds, size=rewards)
            rows += self.dose * np.bincount(drawn, minlength=len(rows))
        elif condition not in CONDITIONS:
            raise WrongUse(f"unknown condition {condition!r}; known: {', '.join(CONDITIONS)}.")
        return network.values() | {
            "noise": 0.013,
            "w": w,
            "w_inhibitory": 1.0,
            "dose": self.dose if condition == "reward" else 0.0,
            "unpaired": rows,
            "tonic": self.tonic,
            "tau_d": -0.001 / np.log(0.995),
        }

    def one(self, compiled: Program, condition: str, seed: int, rewards: int, progress: Progress) -> dict[str, np.ndarray]:
        """One run of distal reward, as arrays over seconds, samples and bins."""
        given = self.inputs(condition, seed, rewards)
        found = compiled.run(seed, given, duration=self.seconds * second, progress=progress)
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

    def task(self) -> expectation.RewardExpectation:
        """What is compiled for the task with stimuli, with its numbers."""
        return expectation.RewardExpectation(rule=pair_stdp(A_plus=1.0, A_minus=1.0))

    def task_inputs(self, signal: str, seed: int) -> dict[str, Any]:
        """The inputs of the task for one run: the same stimuli, in the same order, for every signal."""
        task = self.task()
        rng = np.random.default_rng([seed, 1])
        active = np.arange(task.inputs) * task.stimuli // task.inputs == np.arange(task.stimuli)[:, None]  # none in common
        shown = np.concatenate([rng.permutation(task.stimuli) for _ in range(-(-self.trials // task.stimuli))])[: self.trials]
        return task.values() | {
            "rates": np.where(active[shown], 40.0, 0.0),
            "stimulus": shown,
            "wanted": (shown < task.stimuli // 2) * 1.0,
            "w": np.full(task.inputs, 0.5),
            "jump": 0.0024,
            "needed": 1.0,
            "rate": self.learning_rate,
            "offset": self.constant if "constant" in signal else 0.0,
            "expectation": float("expected" in signal),
            "memory": 50.0,
        }

    def learn(self, compiled: Program, signal: str, seed: int) -> dict[str, np.ndarray]:
        """One run of the task: share of rewarded trials, in stretches of `PERIOD`, and in the last quarter."""
        task = self.task()
        found = compiled.run(seed, self.task_inputs(signal, seed), duration=self.trials * task.trial + 1 * ms)
        right = found["reward"].ravel()[1 : self.trials + 1] > 0
        stretches = max(1, self.trials // PERIOD)
        return {
            "learning": np.array([part.mean() for part in np.array_split(right, stretches)]),
            "score": right[-max(1, self.trials // 4) :].mean(),
            "task_weights": found["w"],
        }

    def run(self, seeds: Sequence[int], jobs: int, progress: Progress) -> Outcome:
        progress(0.0)
        network, task = program(distal.build, self.network().structure()), program(expectation.build, self.task().structure())
        controls = list(seeds)[: self.control_seeds]

        def cost(key: tuple[str, int, int]) -> float:  # a run of the task takes about as long as 30 s of distal reward
            return self.seconds if key[0] in CONDITIONS else 30.0

        def work(key: tuple[str, int, int], tell: Progress) -> dict[str, np.ndarray]:
            what, seed, rewards = key
            if what in CONDITIONS:
                return self.one(network, what, seed, rewards, tell)
            return self.learn(task, what, seed)

        found: dict[tuple[str, int], dict[str, np.ndarray]] = {}
        rest = [(condition, seed) for condition in CONDITIONS[1:] for seed in controls]
        rest += [(signal, seed) for signal in SIGNALS for seed in seeds]
        own = float(len(seeds) * self.seconds)
        part = own / (own + sum(cost((*key, 0)) for key in rest))
        # how many rewards come at random times is known after the first stage
        first = [("reward", seed, 0) for seed in seeds]
        for (what, seed, _), made in each(work, first, jobs, lambda fraction, note="": progress(part * fraction), cost):
            found[what, seed] = made
        second = [(what, seed, len(found["reward", seed]["reward_t"]) if what == "random" else 0) for what, seed in rest]
        for (what, seed, _), made in each(work, second, jobs, lambda f, note="": progress(part + (1 - part) * f), cost):
            found[what, seed] = made

        arrays: dict[str, np.ndarray] = {}
        for condition in CONDITIONS:
            runs = [found[condition, seed] for seed in (seeds if condition == "reward" else controls)]
            for name in ("chosen", "others", "histogram", "rate_hz") if runs else ():
                arrays[f"{condition}_{name}"] = np.stack([made[name] for made in runs])
            arrays[f"{condition}_rewards"] = np.array([len(made["reward_t"]) for made in runs])
        for name in ("reward_t", "pair_t", "pair_i"):
            arrays[name] = found["reward", seeds[0]][name]
        for name in ("learning", "score", "task_weights"):
            arrays[name] = np.stack([np.stack([found[signal, seed][name] for seed in seeds]) for signal in SIGNALS])
        arrays["delay_s"] = np.array(DELAYS_S)
        arrays["credit"] = one_trial(DELAYS_S)
        progress(1.0)
        numbers, checks = judge(arrays, self.trials, self.constant)
        return Outcome(numbers, checks, arrays, backend())

    def figures(self, record: Record) -> dict[str, Figure]:
        from simulations import figures

        with figures.style():
            return {
                "target_weight": target_weight(record),
                "weights_at_the_end": weights_at_the_end(record),
                "one_reward": one_reward(record),
                "one_trial": credit(record),
                "reward_expectation": learning(record),
            }


def closed_form(delay_s: Any, tau_c_s: float = 1.0, tau_d_s: float = 0.2) -> Any:
    """Delta s / (c_0 d_0) = exp(-T/tau_c) / (1/tau_c + 1/tau_d), in seconds, with no bound on the weight."""
    return np.exp(-np.asarray(delay_s) / tau_c_s) / (1 / tau_c_s + 1 / tau_d_s)


def one_trial(
    delays_s: Sequence[float],
    rule: Rule = pair_stdp,
    tau_c_s: float = 1.0,
    tau_d_s: float = 0.2,
    d_0: float = 0.5,
    dt_s: float = 0.0002,
    interval_s: float | None = None,
) -> np.ndarray:
    """Delta s / (c_0 d_0) of one pair and one reward, simulated in Brian2 through the eligibility landing.

    Parameters
    ----------
    delays_s : sequence of float
        T: from the later spike of the pair to the reward, one synapse for each. The pair is 10 ms apart, pre before post.
    interval_s : float or None
        Between two updates; each time step where None.

    Returns
    -------
    array, one value for each delay
        c_0 is the rule's closed form for the pair.
    """
    steps = np.round(np.asarray(delays_s) / dt_s).astype(int)
    lag = round(0.010 / dt_s)
    at = steps.max() + lag + 1  # the step of the reward
    count, previous = len(steps), float(defaultclock.dt)
    with numpy_target():
        defaultclock.dt = dt_s * second
        try:
            index = np.arange(count)
            source = SpikeGeneratorGroup(count, index, (at - steps - lag) * dt_s * second, name="trial_source")
            reward = SpikeGeneratorGroup(1, [0], [at * dt_s] * second, name="trial_reward")
            modulator = NeuronGroup(
                1, f"ddopamine/dt = -dopamine/({tau_d_s!r}*second) : 1", method="exact", name="trial_modulator"
            )
            target = SpikeGeneratorGroup(count, index, (at - steps) * dt_s * second, name="trial_target")
            every = None if interval_s is None else interval_s * second
            landing = Landing(-1e9, 1e9, eligibility=Eligibility("dopamine", tau_c_s * second, every))
            plastic = rule.synapses(source, target, landing=landing, namespace={}, name="trial_plastic")
            plastic.variables.add_reference("dopamine", modulator, index="0")
            plastic.connect(j="i")
            release = Synapses(reward, modulator, on_pre=f"dopamine_post += {d_0!r}", name="trial_release", namespace={})
            release.connect()
            network = Network(source, reward, modulator, target, plastic, release)
            network.run((at * dt_s + 15 / (1 / tau_c_s + 1 / tau_d_s)) * second, namespace={})  # e^-15 is left
            change = np.array(plastic.w[:])
        finally:
            defaultclock.dt = previous * second
    c_0 = np.array([rule.change(np.array([0.0]), np.array([lag * dt_s]))])
    return change / (c_0 * d_0)


def crossing(chosen: np.ndarray) -> np.ndarray:
    """The first second in which a weight (seeds, seconds) reaches `REACHED`; infinite where it never does."""
    above = chosen >= REACHED
    return np.where(above.any(axis=1), above.argmax(axis=1), np.inf)


def judge(arrays: dict[str, np.ndarray], trials: int, constant: float) -> tuple[dict[str, Any], list[Check]]:
    """Numbers, and whether the published results hold; weights are shares of the largest possible."""
    first, end, others = crossing(arrays["reward_chosen"]), arrays["reward_chosen"][:, -1], arrays["reward_others"][:, -1]
    n, median = len(first), float(np.median(first))
    high = int((end >= ENOUGH).sum())
    numbers: dict[str, Any] = {
        "first_crossing_s": [float(x) for x in first],
        "median_first_crossing_s": median,
        "target_at_the_end": end.tolist(),
        "others_at_the_end": others.tolist(),
        "rate_hz": arrays["reward_rate_hz"].tolist(),
        "rewards": arrays["reward_rewards"].tolist(),
    }
    program_of = f"{IZHIKEVICH}; range from runs of the author's program"
    needed = int(np.ceil(0.9 * n))
    checks = [
        Check(
            "median first crossing of 0.9 w_max (s)", f"{EARLY[0]:g} to {EARLY[1]:g}",
            median if np.isfinite(median) else "not reached", "range", program_of,
            bool(EARLY[0] <= median <= EARLY[1]),
        ),
        Check(f"seeds of {n} that end at 0.8 w_max or above", f">= {needed}", high, "count", program_of, high >= needed),
        Check(
            "mean of the other excitatory weights / w_max", "< 0.25", float(others.mean()), "bound", program_of,
            bool(others.mean() < OTHERS),
        ),
    ]  # fmt: skip
    for condition, what in (("none", "without reward"), ("random", "with rewards at random times")):
        if f"{condition}_chosen" not in arrays:
            continue
        controls = arrays[f"{condition}_chosen"]
        last = controls[:, -controls.shape[1] // 4 :].mean(axis=1)  # a single weight wanders: the last quarter
        ours = arrays["reward_chosen"][: len(last), -controls.shape[1] // 4 :].mean(axis=1)
        numbers[f"{condition}_target_last_quarter"] = last.tolist()
        numbers[f"{condition}_others_at_the_end"] = arrays[f"{condition}_others"][:, -1].tolist()
        text = f"at most {last.max():.2f} in {len(last)} seeds; with reward at least {ours.min():.2f}"
        wanted = "below 0.8 w_max in each seed, and below the same seed with reward"
        holds = bool((last < ENOUGH).all() and (last < ours).all())
        checks.append(Check(f"target {what}, mean of the last quarter", wanted, text, "each seed", OWN, holds))
    k = DELAYS_S.index(TRIAL_T_S)
    numbers["one_trial"] = {f"{d:g}": float(x) for d, x in zip(arrays["delay_s"], arrays["credit"], strict=True)}
    checks.append(
        Check(
            "one trial: Delta s/(c_0 d_0), T = 0.1 s", TRIAL_SHARE, float(arrays["credit"][k]), 0.005 * TRIAL_SHARE,
            f"c_0 d_0 exp(-T/tau_c)/(1/tau_c + 1/tau_d), {IZHIKEVICH}",
        )
    )  # fmt: skip
    deviation = float(np.abs(arrays["credit"] / closed_form(arrays["delay_s"]) - 1).max())
    checks.append(Check("one trial: largest relative deviation over delays 0 to 2 s", 0.0, deviation, 0.005, "closed form"))

    score = dict(zip(SIGNALS, arrays["score"], strict=True))
    bounds = {signal: interval(values) for signal, values in score.items()}
    numbers["score"] = {
        signal: {"mean": float(values.mean()), "low": bounds[signal][0], "high": bounds[signal][1]}
        for signal, values in score.items()
    }
    numbers["constant"] = constant

    def said(signal: str) -> str:
        return f"{score[signal].mean():.3f} [{bounds[signal][0]:.3f}, {bounds[signal][1]:.3f}]"

    for signal in ("R", "R - expected"):
        holds = bool(bounds[signal][0] > 0.5)
        checks.append(Check(f"score under {signal}", "95 % interval above chance 0.5", said(signal), "interval", FREMAUX, holds))
    lost = paired_difference(score["R + constant"], score["R"])
    ours = f"{said('R + constant')}, difference {lost.mean:+.3f} [{lost.low:+.3f}, {lost.high:+.3f}]"
    wanted = "95 % interval of the difference to R below 0"
    checks.append(Check(f"a constant of {constant:g} breaks R", wanted, ours, "interval", FREMAUX, bool(lost.high < 0)))
    kept = np.abs(score["R - expected + constant"] - score["R - expected"])
    wanted = "the same score in each seed, largest difference"
    checks.append(
        Check("with expectation the constant changes the score by at most", 0.0, float(kept.max()), 0.02, f"{FREMAUX}; {wanted}")
    )
    return numbers, checks


# Figures


def _mean_and_interval(values: np.ndarray, every: int = 1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(seeds, points) to mean and 95 % interval at each `every`-th point."""
    values = values[:, ::every]
    low, high = np.array([interval(column) for column in values.T]).T if len(values) > 1 else (values[0], values[0])
    return values.mean(axis=0), low, high


_CONDITIONS = {"reward": ("VERMILION", "-"), "none": ("BLACK", ":"), "random": ("BLUE", "--")}
_CONDITION_NAMES = {"reward": "reward after the pair", "none": "no reward", "random": "rewards at random times"}


def target_weight(record: Record) -> Figure:
    """The chosen synapse's weight over time: each seed, mean and interval; beside it both controls."""
    from simulations import figures

    shown = [condition for condition in CONDITIONS if f"{condition}_chosen" in record.arrays]
    figure, axes = figures.new(max(4.2, 3.0 + 2.6 * (len(shown) - 1)), 3.4, columns=len(shown), sharey=True)
    for axis, condition in zip(axes[0], shown, strict=True):
        colour = figures.VERMILION
        values, others = record.arrays[f"{condition}_chosen"], record.arrays[f"{condition}_others"]
        every = max(1, values.shape[1] // 60)
        mean, low, high = _mean_and_interval(values, every)
        seconds = np.arange(values.shape[1])
        for curve in values:
            axis.plot(seconds[::every], curve[::every], color=colour, linewidth=0.5, alpha=0.45)
        axis.fill_between(seconds[::every], low, high, color=colour, alpha=0.2, linewidth=0)
        label = "target: each seed, mean and 95 % interval"
        axis.plot(seconds[::every], mean, color=colour, linewidth=2.2, label=label)
        place = np.linspace(0, values.shape[1] - 1, others.shape[1])
        axis.plot(place, others.mean(axis=0), color=figures.GREY, linestyle="-.", label="all others, mean")
        if condition == "reward":
            axis.axhline(REACHED, color=figures.GREY, linewidth=0.6)
            label = f"accepted for the median crossing of {REACHED:g}"
            axis.axvspan(*EARLY, ymax=0.03, color=figures.GREEN, alpha=0.7, linewidth=0, label=label)
        axis.set_title(f"{_CONDITION_NAMES[condition]}, {len(values)} seeds", loc="left", fontsize=9)
        axis.set_xlabel("time (s)")
        axis.set_ylim(0, 1.02)
    axes[0, 0].set_ylabel("weight / largest weight")
    figures.legend(figure, *axes[0, 0].get_legend_handles_labels(), columns=3)
    return figure


def weights_at_the_end(record: Record) -> Figure:
    """The distribution of the other plastic weights at the end, and where the target is."""
    from simulations import figures

    figure, axes = figures.new(6.4, 3.6)
    axis = axes[0, 0]
    for place, condition in enumerate(c for c in CONDITIONS if f"{c}_chosen" in record.arrays):
        colour, line = getattr(figures, _CONDITIONS[condition][0]), _CONDITIONS[condition][1]
        histogram = record.arrays[f"{condition}_histogram"]
        label = f"{_CONDITION_NAMES[condition]} ({len(histogram)} seeds)"
        axis.stairs(histogram.mean(axis=0), BINS, color=colour, linestyle=line, linewidth=1.5, label=label, baseline=None)
        end = record.arrays[f"{condition}_chosen"][:, -1]
        axis.plot(end, np.full(len(end), 1.6 * 1.8**place), "o", color=colour, markersize=4, alpha=0.8, clip_on=False)
    axis.set_yscale("log")
    axis.set_ylim(1e-6, 10)
    axis.set_yticks([1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1])
    axis.set_xlim(0, 1.02)
    axis.set_xlabel("weight / largest weight at the end")
    axis.set_ylabel("share of the other plastic synapses")
    axis.set_title("dots: the target synapse in each seed", loc="left")
    figures.legend(figure, *axis.get_legend_handles_labels(), columns=2)
    return figure


def one_reward(record: Record) -> Figure:
    """Spikes of neurons 1 and 2 and dopamine around one reward, in the first seed."""
    from simulations import figures

    spikes, cells, rewards = (record.arrays[name] for name in ("pair_t", "pair_i", "reward_t"))
    settings = record.configuration["settings"]
    figure, axes = figures.new(6.4, 3.4, rows=2, sharex=True, height_ratios=[1, 1.4])
    raster, axis = axes[:, 0]
    if len(rewards):
        gaps = np.diff(np.append(np.append(0.0, rewards), np.inf))
        at = float(rewards[np.argmax(np.minimum(gaps[:-1], gaps[1:]))])  # the one with the most room around it
        # reward times of the pairs that are close enough: the pair this one came of is 1 to 3 s earlier
        start, end = at - 4.0, at + 2.0
        t = np.arange(start, end, 0.001)
        tau = -0.001 / np.log(0.995)
        since = np.subtract.outer(t, rewards[rewards < end])
        dopamine = settings["tonic"] + settings["dose"] * np.where(since >= 0, np.exp(-np.maximum(since, 0) / tau), 0).sum(axis=1)
        for cell, colour in ((0, figures.BLUE), (1, figures.VERMILION)):
            own = spikes[(cells == cell) & (spikes > start) & (spikes < end)] - at
            raster.vlines(own, 1 - cell + 0.1, 1 - cell + 0.9, color=colour, linewidth=1.2)
        ones, twos = spikes[cells == 0], spikes[cells == 1]
        for t_2 in twos[(twos > at - 3.0015) & (twos < at - 0.9995)]:
            before = ones[(ones < t_2 - 0.0005) & (ones > t_2 - 0.0195)]
            if len(before):
                raster.axvspan(before[-1] - at - 0.02, t_2 - at + 0.02, color=figures.YELLOW, alpha=0.6, linewidth=0, zorder=0)
        axis.plot(t - at, dopamine, color=figures.GREEN)
        axis.axvline(0, color=figures.GREY, linewidth=0.8, linestyle=":")
    raster.set_yticks([0.5, 1.5], ["neuron 2", "neuron 1"])
    raster.set_ylim(0, 2)
    raster.set_title("yellow: 2 fires within 20 ms of 1; dotted: the reward", loc="left")
    axis.set_xlabel("time from the reward (s)")
    axis.set_ylabel("dopamine (no unit)")
    axis.set_ylim(0, None)
    return figure


def credit(record: Record) -> Figure:
    """Weight change by one pair and one reward against their delay."""
    from simulations import figures

    figure, axes = figures.new(4.6, 3.2)
    axis, fine = axes[0, 0], np.linspace(0, max(DELAYS_S), 100)
    axis.plot(fine, closed_form(fine), color=figures.BLACK, label="closed form")
    axis.plot(record.arrays["delay_s"], record.arrays["credit"], "o", color=figures.VERMILION, label="simulated")
    axis.set_xlabel("delay T of the reward (s)")
    axis.set_ylabel("$\\Delta s / (c_0 d_0)$ (s)")
    axis.set_ylim(0, None)
    axis.legend()
    return figure


_SIGNALS = {
    "R": ("ORANGE", "-", "o"),
    "R + constant": ("BLACK", "--", "s"),
    "R - expected": ("BLUE", "-", "D"),
    "R - expected + constant": ("VERMILION", ":", "^"),
}


def learning(record: Record) -> Figure:
    """Share of rewarded trials under the four signals: over trials, and in the last quarter for each seed."""
    from simulations import figures

    figure, axes = figures.new(7.4, 3.6, columns=2, sharey=True, width_ratios=[1.5, 1])
    curves, dots = axes[0]
    trials = record.configuration["settings"]["trials"]
    for k, signal in enumerate(SIGNALS):
        colour, line, marker = _SIGNALS[signal]
        colour = getattr(figures, colour)
        values, score = record.arrays["learning"][k], record.arrays["score"][k]
        mean, low, high = _mean_and_interval(values)
        place = (np.arange(len(mean)) + 0.5) * trials / len(mean)
        curves.fill_between(place, low, high, color=colour, alpha=0.15, linewidth=0)
        curves.plot(place, mean, color=colour, linestyle=line, label=signal.replace("-", "\N{MINUS SIGN}"))
        dots.plot(np.full(len(score), k) + 0.12, score, marker, color=colour, markersize=4, alpha=0.5, markeredgewidth=0)
        bounds = interval(score) if len(score) > 1 else (score[0], score[0])
        dots.vlines(k - 0.12, *bounds, color=colour, linewidth=2)
        dots.plot(k - 0.12, score.mean(), marker, color=colour, markersize=6)
    for axis in (curves, dots):
        axis.axhline(0.5, color=figures.GREY, linewidth=0.8, linestyle=":")
        axis.set_ylim(0.3, 1.02)
    curves.set_xlabel("trial")
    curves.set_ylabel("share of rewarded trials")
    curves.set_title(f"mean and 95 % interval, {record.arrays['score'].shape[1]} seeds", loc="left")
    dots.set_xticks(range(len(SIGNALS)), ["R", "R +\nconst.", "R \N{MINUS SIGN}\nexp.", "R \N{MINUS SIGN} exp.\n+ const."])
    dots.set_xlabel("signal, last quarter of the trials")
    dots.set_xlim(-0.5, len(SIGNALS) - 0.5)
    dots.set_title("small: single seeds; large: mean,\nbar: its 95 % interval, if larger", loc="left", fontsize=9)
    figures.legend(figure, *curves.get_legend_handles_labels(), columns=4)
    return figure


if __name__ == "__main__":
    script(DistalRewardSimulation)
