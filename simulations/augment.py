"""AuGMEnT: reward teaches a network what to remember and what to do with it, by synaptic tags under attention.

Many small networks, of rate units or of spiking neurons (`--set form=spiking`), learn a task of episodes: saccades and
antisaccades to a cue that has gone, delayed match to sample, or 12AX. Each seed is a batch of networks with weights and episodes
of their own. A network stops when it meets the criterion, 90 % right in the last 50 episodes of each type (of 12AX in the last
500 of all); then it is tried without exploring and without learning. `--set shaping=0` leaves out the reward for fixation.
Networks share nothing but the task, so that a share of them has the interval of so many of so many, whatever their seeds.

Sources: Rombouts, Bohte & Roelfsema 2015, doi:10.1371/journal.pcbi.1004060; Karamanis, Zambrano & Bohte 2018,
doi:10.1007/978-3-030-01421-6_25; a replication: Le Masson & Alexandre 2016, ReScience 2(1).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from plasticity import augment
from plasticity.parallel import Progress
from plasticity.settings import setting
from plasticity.statistics import AMOUNT, SHARE, if_spread, mean_and_interval, share_of
from plasticity.tasks import TASKS, EpisodeTask
from simulations.figures import BLUE, GREEN, GREY, VERMILION
from simulations.figures.kinds import band, bounds, columns, level, moment, page, panel
from simulations.frame.checks import Check, within
from simulations.frame.execute import script
from simulations.frame.experiment import Arrays, Experiment, Measure, Session

if TYPE_CHECKING:
    from simulations.figures.kinds import Drawing

ROMBOUTS = "Rombouts, Bohte & Roelfsema 2015, doi:10.1371/journal.pcbi.1004060"
KARAMANIS = "Karamanis, Zambrano & Bohte 2018, doi:10.1007/978-3-030-01421-6_25"
REPLICATION = "Le Masson & Alexandre 2016, ReScience 2(1)"
BAR = "what this project asks of the spiking form: learned above 90 % in at least 8 of 10 seeds"
SHAPED = 0.2  # of Rombouts et al.
LEARNED = 0.9  # share right: the criterion
PLACES = 100  # of the curves over episodes


@dataclass(frozen=True)
class Augment(Experiment):
    __doc__ = __doc__

    name: ClassVar[str] = "augment"
    summary: ClassVar[str] = (
        "memory units and synaptic tags: what reward alone teaches of a task with a delay, in rates or spikes"
    )
    source: ClassVar[str] = f"{ROMBOUTS}; {KARAMANIS}"
    uses: ClassVar[tuple[str, ...]] = ("attention_gated",)
    time_step: ClassVar[str] = "None in the rate form, whose steps are the task's; those of the spiking one are cut into 50."
    measures: ClassVar[tuple[Measure, ...]] = (
        Measure("learned", "", "share of networks that met the criterion", within=SHARE),
        Measure("greedy", "", "share of networks that met it and are right in 90 % without exploring", within=SHARE),
        Measure("episodes", "episodes", "median number of episodes until the criterion, of networks that met it"),
        Measure("right", "", "share of right episodes without exploring, of all networks", within=SHARE),
    )

    task: str = setting("saccade", "what is learned", choices=("saccade", "delayed_match", "twelve_ax"))
    form: str = setting("rate", "what the units are: rate units, or spiking neurons", choices=("rate", "spiking"))
    networks: int = setting(40, "networks of each seed", low=1, high=1000)
    most: int = setting(25_000, "the most episodes of a network", "episodes", low=100, high=1_000_000)
    shaping: float = setting(SHAPED, "reward for fixation, where the task has one", low=-100, high=100)
    regular: int = setting(3, "regular units", low=1, high=1000)
    memory: int = setting(4, "memory units", low=1, high=1000)
    beta: float = setting(0.15, "rate of learning", low=0, high=10)
    tags: float = setting(0.2, "lambda: what is left of a tag after a step, over gamma", above=0, high=1)
    gamma: float = setting(0.9, "discount of rewards to come", above=0, below=1)
    epsilon: float = setting(0.025, "share of steps in which an action is drawn from the softmax of the values", low=0, high=1)

    def asked(self) -> EpisodeTask:
        """The task with its settings."""
        made = TASKS[self.task]
        return made(**({"shaping": self.shaping} if hasattr(made, "shaping") else {}))  # type: ignore[return-value]

    def collect(self, session: Session) -> dict[str, np.ndarray]:
        """`needed`, `right` (seeds, networks): episodes until the criterion, and the share of right ones without exploring;
        `curve`, `met` (seeds, `PLACES`): share of right episodes, and of networks that have met the criterion; `chance`."""
        task = self.asked()
        drawn = task.draw(np.random.default_rng(0))
        types = task.types(drawn.train)
        features, seeds = drawn.train.observation.shape[1], len(session.seeds)
        network = augment.Augment(
            self.regular, self.memory, beta=self.beta, lambda_=self.tags, gamma=self.gamma, epsilon=self.epsilon
        )

        def begun(of: int) -> augment.Weights:
            return network.draw(np.random.default_rng([of, 7]), self.networks, features, task.classes)

        def new(networks: int) -> augment.Criterion:
            return augment.Criterion(networks, int(types.max()) + 1, self.most, LEARNED, task.window)

        if self.form == "rate":
            from plasticity.learners import rate_augment

            start = augment.Weights(*(np.concatenate(same) for same in zip(*map(begun, session.seeds), strict=True)))
            criterion, rngs = new(seeds * self.networks), [np.random.default_rng([seed, 8]) for seed in session.seeds]
            end = rate_augment.learn(network, start, drawn.train, types, rngs, criterion, session.progress)
            needed, history = criterion.episodes, criterion.right
            right = rate_augment.greedy(network, end, drawn.test)
        else:
            from plasticity.learners import spiking_augment

            spikes = spiking_augment.Spikes(network, self.networks, drawn.train)

            def one(seed: int, tell: Progress) -> tuple[np.ndarray, ...]:
                criterion = new(self.networks)
                rng = np.random.default_rng([seed, 8])
                end = spiking_augment.learn(spikes, begun(seed), drawn.train, types, rng, criterion, tell)
                return criterion.episodes, criterion.right, spikes.greedy(end, drawn.test, int(rng.integers(2**31)))

            found = dict(session.each(one, session.seeds))
            needed, history, right = (np.concatenate([found[seed][k] for seed in session.seeds]) for k in range(3))
        begins = np.linspace(0, self.most, PLACES, endpoint=False).astype(int)
        counts = np.add.reduceat(np.isfinite(history), begins, axis=1, dtype=int)
        sums = np.add.reduceat(np.nan_to_num(history), begins, axis=1)
        share = np.where(counts > 0, sums / np.maximum(counts, 1), right[:, None])  # once it has stopped, without exploring
        met = needed[:, None] <= np.append(begins[1:], self.most)  # a nan is never below
        shaped = {"needed": needed, "right": right, "curve": share, "met": met}
        arrays = {name: values.reshape(seeds, self.networks, *values.shape[1:]) for name, values in shaped.items()}
        means = {name: arrays[name].mean(axis=1) for name in ("curve", "met")}
        return arrays | means | {"begins": begins, "chance": np.array(task.chance)}

    def which(self, a: Arrays) -> dict[str, np.ndarray]:
        """Which networks met the criterion, and which are right without exploring as well, (seeds, networks) each."""
        met = np.isfinite(a["needed"])
        return {"learned": met, "greedy": met & (a["right"] >= LEARNED)}

    def numbers(self, a: Arrays) -> dict[str, Any]:
        told = {name: share_of(int(so.sum()), so.size) for name, so in self.which(a).items()}
        known = [row[np.isfinite(row)] for row in a["needed"]]
        told["episodes"] = mean_and_interval([np.median(row) if len(row) else np.nan for row in known], within=AMOUNT)
        told["right"] = mean_and_interval(a["right"].mean(axis=1), within=SHARE)
        told["right"]["low"], told["right"]["high"] = if_spread(told["right"]["low"], told["right"]["high"])
        every = np.concatenate(known)
        quartiles = np.percentile(every, [25, 50, 75]) if len(every) else np.full(3, np.nan)
        return told | {
            "networks": int(a["needed"].size), "chance": float(a["chance"]),
            "episodes_of_all": dict(zip(("quarter", "median", "three_quarters"), map(float, quartiles), strict=True)),
        }  # fmt: skip

    def checks(self, a: Arrays) -> Iterable[Check]:
        learned, greedy = (float(so.mean()) for so in self.which(a).values())
        median = self.numbers(a)["episodes_of_all"]["median"]
        met, chosen = "networks that meet the criterion", "networks that meet it and choose right without exploring"
        if self.form == "spiking" or self.task != "saccade":
            sure = f"networks that meet it and are right in {100 * LEARNED:g} % or more without exploring"
            for what, so in zip((met, sure), self.which(a).values(), strict=True):
                share = share_of(int(so.sum()), so.size)
                told = f"{so.sum()} of {so.size} [{share['low']:.2f}, {share['high']:.2f}]"
                yield within(
                    f"{self.task}: {what}", share["mean"], low=0.8, kind="own", source=BAR, published="8 of 10 or more", told=told
                )
        elif self.shaping > 0:
            yield within(f"{met} (99.45 %)", learned, low=0.98, kind="paper", source=ROMBOUTS)
            yield within(f"{chosen} (90.55 %)", greedy, 0.86, 0.93, kind="independent", source=REPLICATION)
            yield within("median episodes until the criterion (4100)", median, 3500, 4400, kind="paper", source=ROMBOUTS)
        else:
            yield within(f"{met} (76.41 %), without shaping", learned, 0.64, 0.80, kind="paper", source=ROMBOUTS)
            yield within(f"{chosen} (59.10 %), without shaping", greedy, 0.54, 0.64, kind="independent", source=REPLICATION)

    def figures(self, a: Arrays) -> Mapping[str, Drawing]:
        ends, chance, told, networks = np.append(a["begins"][1:], self.most), float(a["chance"]), self.numbers(a), a["right"].size
        met = [share_of(round(share * networks), networks) for share in a["met"].mean(axis=0)]
        look: dict[str, Any] = {"color": BLUE, "linestyle": "--", "label": "right episodes (once it is met: without exploring)"}
        shares = [
            band(
                ends, a["met"], ends=[[one[end] for one in met] for end in ("low", "high")], color=VERMILION,
                label="networks that have met the criterion",
            ),
            band(ends, a["curve"], ends=bounds(a["curve"], within=SHARE), **look),
            level(chance, linestyle=":", color=GREY, label="right episodes by random actions"),
            moment(float(told["episodes_of_all"]["median"]), color=GREEN, label="median network"),
        ]  # fmt: skip
        seeds = len(a["met"])
        title = f"{self.task}, {self.form}: {a['needed'].size} networks"
        over_episodes = panel(*shares, x="episode", y="share", ylim=(0, 1.02), title=title)
        names = ["criterion", "and without\nexploring", "right\nepisodes"]
        values = [*(so.mean(axis=1) for so in self.which(a).values()), a["right"].mean(axis=1)]
        sure = [(told[name]["low"], told[name]["high"]) for name in ("learned", "greedy", "right")]
        each = "1 network" if self.networks == 1 else f"{self.networks} networks"
        at_the_end = panel(
            columns(names, values, [VERMILION, GREEN, BLUE], ["o", "s", "D"], sure),
            level(chance, linestyle=":", color=GREY), x="at the end", title=f"{seeds} seeds of {each}",
        )  # fmt: skip
        caption = "small: each seed; bars and bands: 95 % interval, of networks by Wilson's score, of episodes over seeds"
        rows = [over_episodes, at_the_end]
        return {"learning": page(rows, size=(7.6, 3.9), legend=2, caption=caption, sharey=True, width_ratios=[1.6, 1])}


if __name__ == "__main__":
    script(Augment.name)
