"""When a reward needs an expectation: a constant added to it breaks learning, unless its mean is taken away.

One neuron learns which of four stimuli to answer, by a reward of 1 or -1 at the end of each trial (the network:
plasticity.networks.reward_expectation), under four signals: the reward R; R + constant; R minus its mean for the stimulus shown;
(R + constant) minus its mean. With the mean taken away a constant is gone from the first trial on. Without, it adds a drift, the
constant times the mean eligibility, which has nothing to do with being right. Each stimulus has inputs of its own. Where they
shared a third or half of them, R failed without any constant (0.39 to 0.68 of the trials rewarded, means over seeds 100 to 103 in
ten settings): once a stimulus is mostly rewarded, R itself has a mean above 0 for it, and that drift spreads to the others. The
first trial of a stimulus, of which nothing is expected yet, changes no weight when expectations are used.

The settings were chosen by runs on seeds 100 to 103.

Source: Fremaux, Sprekeler & Gerstner 2010, doi:10.1523/JNEUROSCI.6249-09.2010.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from brian2 import ms

from plasticity.engine import Program
from plasticity.networks.reward_expectation import RewardExpectation
from plasticity.rules import pair_stdp
from plasticity.settings import setting
from plasticity.statistics import interval, paired_difference
from simulations.figures import BLACK, BLUE, ORANGE, VERMILION
from simulations.figures.kinds import band, columns, level, page, panel
from simulations.frame.checks import Check, beyond, near
from simulations.frame.execute import script
from simulations.frame.experiment import Arrays, Experiment, Measure, Session

if TYPE_CHECKING:
    from simulations.figures.kinds import Drawing

FREMAUX = "Fremaux, Sprekeler & Gerstner 2010, doi:10.1523/JNEUROSCI.6249-09.2010"
TASK = "statement of this simulation, whose stimuli share no input: without a constant R alone teaches it too"
SIGNALS = ("R", "R + constant", "R - expected", "R - expected + constant")
LOOKS = {
    "R": (ORANGE, "-", "o"),
    "R + constant": (BLACK, "--", "s"),
    "R - expected": (BLUE, "-", "D"),
    "R - expected + constant": (VERMILION, ":", "^"),
}
PERIOD = 50  # trials between two records of the weights; scores are averaged over as many


@dataclass(frozen=True)
class RewardExpectationTask(Experiment):
    __doc__ = __doc__

    name: ClassVar[str] = "reward_expectation"
    summary: ClassVar[str] = "a constant added to the reward breaks learning, unless the reward that is expected is taken away"
    source: ClassVar[str] = FREMAUX
    part_of: ClassVar[str] = "distal_reward"
    uses: ClassVar[tuple[str, ...]] = ("pair_stdp", "lif_current")
    time_share: ClassVar[float] = 0.03
    short: ClassVar[Mapping[str, Any]] = {"trials": 400}
    measures: ClassVar[tuple[Measure, ...]] = (
        Measure("score", "", "share of right answers in the last quarter, reward as it is", ("score", "R")),
        Measure("score_constant", "", "share of right answers in the last quarter, a constant added", ("score", "R + constant")),
        Measure(
            "score_expected",
            "",
            "share of right answers in the last quarter, the expected reward taken away",
            ("score", "R - expected"),
        ),
        Measure(
            "score_expected_constant",
            "",
            "share of right answers in the last quarter, the expected taken away, the constant added",
            ("score", "R - expected + constant"),
        ),
    )

    trials: int = setting(2000, "trials of the task with stimuli", low=8, high=2000)
    constant: float = setting(1.0, "added to the reward of 1 or -1", low=-10, high=10)
    learning_rate: float = setting(0.01, "of the task with stimuli, times the eligibility", low=0, high=10)
    dt_ms: float = setting(1.0, "time step of the task with stimuli", "ms", low=0.01, high=2)

    def network(self) -> RewardExpectation:
        """What is compiled."""
        return RewardExpectation(rule=pair_stdp(A_plus=1.0, A_minus=1.0), dt=self.dt_ms * ms)

    def inputs(self, signal: str, seed: int) -> dict[str, Any]:
        """The inputs of one run: the same stimuli, in the same order, for every signal."""
        task = self.network()
        rng = np.random.default_rng([seed, 1])
        active = np.arange(task.inputs) * task.stimuli // task.inputs == np.arange(task.stimuli)[:, None]  # none in common
        shown = np.concatenate([rng.permutation(task.stimuli) for _ in range(-(-self.trials // task.stimuli))])[: self.trials]
        return {
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

    def learn(self, program: Program, signal: str, seed: int) -> dict[str, np.ndarray]:
        """One run: share of rewarded trials, in stretches of `PERIOD`, and in the last quarter."""
        found = program.run(seed, self.inputs(signal, seed), duration=self.trials * self.network().trial + self.dt_ms * ms)
        right = found["reward"].ravel()[1 : self.trials + 1] > 0
        stretches = max(1, self.trials // PERIOD)
        return {
            "learning": np.array([part.mean() for part in np.array_split(right, stretches)]),
            "score": right[-max(1, self.trials // 4) :].mean(),
            "task_weights": found["w"],
        }

    def collect(self, session: Session) -> dict[str, np.ndarray]:
        """`learning` (signals, seeds, stretches), `score` (signals, seeds), `task_weights` (signals, seeds, inputs)."""
        program = self.network().program()
        items = [(signal, seed) for signal in SIGNALS for seed in session.seeds]
        found = dict(session.each(lambda item, tell: self.learn(program, *item), items))
        names = ("learning", "score", "task_weights")
        return {name: np.stack([np.stack([found[s, seed][name] for seed in session.seeds]) for s in SIGNALS]) for name in names}

    def numbers(self, a: Arrays) -> dict[str, Any]:
        scores = {signal: (row, interval(row)) for signal, row in zip(SIGNALS, a["score"], strict=True)}
        told = {signal: {"mean": float(row.mean()), "low": low, "high": high} for signal, (row, (low, high)) in scores.items()}
        return {"score": told, "constant": self.constant}

    def checks(self, a: Arrays) -> Iterable[Check]:
        score = dict(zip(SIGNALS, a["score"], strict=True))
        bounds = {signal: interval(values) for signal, values in score.items()}

        def said(signal: str) -> str:
            return f"{score[signal].mean():.3f} [{bounds[signal][0]:.3f}, {bounds[signal][1]:.3f}]"

        for signal in ("R", "R - expected"):
            yield beyond(
                f"score under {signal}", score[signal], above=0.5, bounds=bounds[signal], told=said(signal),
                published="95 % interval above chance 0.5", kind="own" if signal == "R" else "paper",
                source=TASK if signal == "R" else FREMAUX,
            )  # fmt: skip
        lost = paired_difference(score["R + constant"], score["R"])
        yield beyond(
            f"a constant of {self.constant:g} breaks R", score["R + constant"], below=0.0, bounds=(lost.low, lost.high),
            told=f"{said('R + constant')}, difference {lost.mean:+.3f} [{lost.low:+.3f}, {lost.high:+.3f}]", kind="paper",
            source=FREMAUX, published="95 % interval of the difference to R below 0",
        )  # fmt: skip
        kept = np.abs(score["R - expected + constant"] - score["R - expected"])
        yield near(
            "with expectation the constant changes the score by at most", 0.0, kept.max(), 0.02,
            kind="closed_form", source=f"(R + c) - <R + c> = R - <R>, {FREMAUX}; the same score in each seed, largest difference",
        )  # fmt: skip

    def figures(self, a: Arrays) -> Mapping[str, Drawing]:
        seeds, stretches = a["learning"].shape[1:]
        place = (np.arange(stretches) + 0.5) * self.trials / stretches
        curves = [
            band(place, rows, alpha=0.15, color=LOOKS[s][0], linestyle=LOOKS[s][1], label=s.replace("-", "\N{MINUS SIGN}"))
            for s, rows in zip(SIGNALS, a["learning"], strict=True)
        ]
        names = ["R", "R +\nconst.", "R \N{MINUS SIGN}\nexp.", "R \N{MINUS SIGN} exp.\n+ const."]
        chance = level(0.5, linestyle=":")
        over_trials = panel(
            *curves, chance, x="trial", y="share of rewarded trials", ylim=(0.3, 1.02),
            title=f"mean and 95 % interval, {seeds} seeds",
        )  # fmt: skip
        at_the_end = panel(
            columns(names, list(a["score"]), [LOOKS[s][0] for s in SIGNALS], [LOOKS[s][2] for s in SIGNALS]), chance,
            x="signal, last quarter of the trials",
            title="small: single seeds; large: mean,\nbar: its 95 % interval, if larger",
        )  # fmt: skip
        return {
            "reward_expectation": page([over_trials, at_the_end], size=(7.4, 3.6), legend=4, sharey=True, width_ratios=[1.5, 1])
        }


if __name__ == "__main__":
    script(RewardExpectationTask.name)
