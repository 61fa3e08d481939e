"""A pair of neurons has no contact or several: contacts help each other, for together they make the neuron fire.

Pairs of a Poisson train and a Poisson neuron (the network: plasticity.networks.contacts) have K potential contacts each. Silent
ones come alive at a steady rate; living ones die the sooner the weaker they are (plasticity.structure.contacts). Weights follow
pair STDP in which chance pairs depress: a lone contact, which hardly ever makes its neuron fire, weakens and is lost, while
several that fire it together strengthen each other and stay. So the number of contacts of a pair has two peaks, at none and at
several, and few pairs have one or two.

Every other pair begins with none, the others with `begin` contacts of weight 1; the first half of each run does not count,
and both kinds of pairs must agree in the second (five seeds: they differ by .24 contacts [-.13, .61], of 4.5). Two controls
take the ingredients out:

- no learning: weights stay at what they are born with, which is chosen so that there are as many contacts on average. Each
  contact is on its own then, and their number must be binomial, Bin(K, a/(a + b)), with the probabilities a to come alive and
  b to die in an update.
- no drive: contacts do not drive the neuron (g = 0), which fires at the rate that it had. All pairs are by chance, and none keeps
  several contacts.

The law of deletion, and all numbers, are ours, and were chosen so that both peaks are there, in a narrow window: with a
depression of 1.8 three pairs of four have none and one of six has one or two, with 1.4 nearly all have several (`plasticity
sweep contacts --grid depression=1.4,1.6,1.8`). The papers delete at weight 0 (Deger et al.) or by a sigmoid of the weight
(Fauth et al.), and their times are days. What is compared is the shape that both found, in models and in slices of cortex.

Sources: Deger, Helias, Rotter & Diesmann 2012, doi:10.1371/journal.pcbi.1002689; Fauth, Woergoetter & Tetzlaff 2015,
doi:10.1371/journal.pcbi.1004031.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from brian2 import ms, second
from scipy import stats

from plasticity.engine import Program
from plasticity.errors import WrongUse
from plasticity.networks.contacts import Contacts
from plasticity.parallel import Progress
from plasticity.rules import pair_stdp
from plasticity.settings import setting
from plasticity.statistics import mean_and_interval
from plasticity.structure import contacts
from plasticity.structure.record import lasting, left
from simulations.figures import BLUE, GREEN, ORANGE, VERMILION, over_seeds
from simulations.figures.kinds import band, line, page, panel
from simulations.frame.checks import Check, every_seed, near, within
from simulations.frame.execute import script
from simulations.frame.experiment import Arrays, Experiment, Measure, Session, stack

if TYPE_CHECKING:
    from simulations.figures.kinds import Drawing

PAPERS = "Deger et al. 2012, doi:10.1371/journal.pcbi.1002689; Fauth et al. 2015, doi:10.1371/journal.pcbi.1004031"
CONDITIONS = ("contacts that learn", "no learning", "no drive")
COLOURS = (BLUE, ORANGE, VERMILION)
SHOWN = 2  # pairs of which the number of contacts is drawn over time, one of either kind
AGES = np.arange(0, 1001, 10)  # seconds at which the survival of new contacts is told
ALONE, SEVERAL = 1, 3  # other contacts of the pair when a new one comes: at most, and at least


@dataclass(frozen=True)
class ContactNumbers(Experiment):
    __doc__ = __doc__

    name: ClassVar[str] = "contacts"
    summary: ClassVar[str] = "pairs of neurons have no contact or several, because contacts strengthen each other"
    source: ClassVar[str] = PAPERS
    default_seeds: ClassVar[int] = 5
    uses: ClassVar[tuple[str, ...]] = ("contacts", "pair_stdp")
    short: ClassVar[Mapping[str, Any]] = {"pairs": 20, "lasts_s": 1000}
    measures: ClassVar[tuple[Measure, ...]] = (
        Measure("none", "", "share of the pairs without a contact", ("none",), within=(0, 1)),
        Measure("one_or_two", "", "share of the pairs with one or two contacts", ("one_or_two",), within=(0, 1)),
        Measure("mean", "", "contacts of a pair", ("mean",), scale=1.0),
    )

    pairs: int = setting(100, "pairs of neurons", low=4, high=10_000)
    potential: int = setting(10, "potential contacts of a pair", low=4, high=100)
    begin: int = setting(6, "contacts at the start, of every other pair", low=0, high=100)
    lasts_s: int = setting(40_000, "simulated time, of which the second half counts", "s", low=100, high=100_000)
    rate_hz: float = setting(10.0, "rate of the Poisson trains", "Hz", low=0.1, high=200)
    A_plus: float = setting(0.03, "largest potentiation by one pair", above=0, high=1)
    depression: float = setting(1.6, "A_minus/A_plus", above=0, high=10)
    creation_hz: float = setting(2e-3, "rate at which a silent contact comes alive", "Hz", above=0, high=1)
    deletion_hz: float = setting(0.3, "rate at which a contact of weight 0 dies", "Hz", above=0, high=100)
    w_hold: float = setting(0.18, "weight at which that rate is 1/e of it", above=0, high=10)
    w_new: float = setting(0.3, "weight of a new contact", low=0, high=1)
    dt_ms: float = setting(1.0, "time step", "ms", low=0.05, high=2)

    def refuse(self) -> None:
        if self.begin > self.potential:
            raise WrongUse(f"begin={self.begin} is more than the {self.potential} potential contacts of a pair; give less.")

    @property
    def network(self) -> Contacts:
        rule = pair_stdp(A_plus=self.A_plus, A_minus=self.depression * self.A_plus)
        return Contacts(self.pairs, self.potential, contacts, rule, dt=self.dt_ms * ms)

    @property
    def law(self) -> dict[str, float]:
        """The parameters of the law, as inputs of a run: one program for all of them."""
        told = {"creation": self.creation_hz, "deletion": self.deletion_hz, "w_hold": self.w_hold, "w_new": self.w_new}
        return {f"law.{name}": value for name, value in told.items()}

    @property
    def bytes(self) -> float:
        return self.network.bytes

    def one(self, program: Program, seed: int, progress: Progress) -> dict[str, np.ndarray]:
        """The three conditions: histograms (conditions, 2, K + 1) of the pairs that began with none and with some."""
        found, done = [], 0
        told = {"rate": np.zeros(3), "w_fixed": np.zeros(1)}
        given: dict[str, Any] = {}
        for number in range(len(CONDITIONS)):
            run = self._run(program, seed, given, lambda f: progress((done + f) / len(CONDITIONS)))  # noqa: B023
            told["rate"][number] = run.pop("rate")
            if number == 0:
                told |= {name: run[name] for name in ("course", "death_rate", "survival")}
                mean = float((run["share"].mean(axis=0) * np.arange(self.potential + 1)).sum()) / self.potential
                mean = min(max(mean, 1e-6), 1 - 1e-6)
                fixed = self.w_hold * np.log(self.deletion_hz * mean / (self.creation_hz * (1 - mean)))
                told["w_fixed"][0] = fixed = float(np.clip(fixed, 0, 1))
                given = {"plastic.A_plus": 0.0, "plastic.A_minus": 0.0, "law.w_new": fixed}
            else:
                given = {"post.g": 0.0, "post.nu_0": float(told["rate"][0])}
            found.append(run["share"])
            done += 1
        return told | {"share": np.stack(found)}

    def _run(self, program: Program, seed: int, given: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
        """One condition."""
        alive = np.zeros((self.pairs, self.potential), dtype=bool)
        alive[1::2, : self.begin] = True
        start = np.where(alive, float(given.get("law.w_new", 1.0)), 0.0)
        inputs: dict[str, Any] = (
            {"alive": alive.ravel(), "w": start.ravel(), "rate": self.rate_hz, "key": seed} | self.law | dict(given)
        )
        found = program.run(seed, inputs, duration=self.lasts_s * second, progress=progress)
        synapse, update = np.abs(found["synapse"]) - 1, found["update"]
        pair, came = synapse // self.potential, found["synapse"] > 0
        changes = np.zeros((self.lasts_s, self.pairs), dtype=np.int64)
        np.add.at(changes, (update, pair), np.where(came, 1, -1))
        counts = alive.sum(axis=1) + np.cumsum(changes, axis=0)
        half, sizes = self.lasts_s // 2, np.arange(self.potential + 1)
        share = [np.bincount(counts[half:, kind::2].ravel(), minlength=len(sizes)) for kind in (0, 1)]
        late = update >= half
        before = counts[np.maximum(update - 1, 0), pair]
        deaths = np.bincount(before[late & ~came], minlength=len(sizes))
        exposed = np.bincount(counts[half - 1 : -1].ravel(), minlength=len(sizes)) * sizes
        return {
            "share": np.array([kind / kind.sum() for kind in share]), "rate": found["post.spikes"].mean() / self.lasts_s,
            "course": counts[::100, :SHOWN].T, "death_rate": np.where(exposed, deaths / np.maximum(exposed, 1), np.nan),
            "survival": self._survival(update, found["synapse"], counts[update, pair] - 1),
        }  # fmt: skip

    def _survival(self, update: np.ndarray, synapse: np.ndarray, others: np.ndarray) -> np.ndarray:
        """The share that is left at AGES of contacts that came with at most ALONE, or at least SEVERAL, others (Kaplan-Meier)."""
        kept = (synapse > 0) & (update >= self.lasts_s // 2)
        age, over = lasting(update, synapse, self.lasts_s)
        kinds = (kept & (others <= ALONE), kept & (others >= SEVERAL))
        return np.array([left(age[those], over[those], AGES) for those in kinds])

    def collect(self, session: Session) -> dict[str, np.ndarray]:
        """What `one` gives, over seeds."""
        program = self.network.program()
        made = dict(session.each(lambda seed, tell: self.one(program, seed, tell), session.seeds))
        return stack([made[seed] for seed in session.seeds])

    def numbers(self, a: Arrays) -> dict[str, Any]:
        told: dict[str, Any] = {"no learning: weight": mean_and_interval(a["w_fixed"][:, 0])}
        for k, condition in enumerate(CONDITIONS):
            share = a["share"][:, k].mean(axis=1)
            these = {
                "none": mean_and_interval(share[:, 0]), "one_or_two": mean_and_interval(share[:, 1:3].sum(axis=1)),
                "mean": mean_and_interval(share @ np.arange(self.potential + 1)), "rate_hz": mean_and_interval(a["rate"][:, k]),
            }  # fmt: skip
            told |= {condition: these} if k else these
        return told

    def binomial(self, weight: float) -> np.ndarray:
        """How many contacts a pair has if each is on its own, with this weight."""
        born, dies = -np.expm1(-self.creation_hz), -np.expm1(-self.deletion_hz * np.exp(-weight / self.w_hold))
        return stats.binom.pmf(np.arange(self.potential + 1), self.potential, born / (born + dies))

    def checks(self, a: Arrays) -> Iterable[Check]:
        both = a["share"].mean(axis=2)  # (seeds, conditions, K + 1)
        share = both[:, 0]
        mean = share.mean(axis=0)
        yield within(
            "pairs with one or two contacts", float(mean[1:3].sum()), high=0.1, kind="paper", source=PAPERS, published="< 10 %"
        )
        yield every_seed(
            "more pairs with none than with one", share[:, 0] > share[:, 1], kind="paper", source=PAPERS,
            published="a peak at 0", told=f"{mean[0]:.3f} and {mean[1]:.3f}",
        )  # fmt: skip
        peaks = 1 + share[:, 1:].argmax(axis=1)
        dips = [row[1:peak].min() / min(row[0], row[peak]) if peak > 1 else 1.0 for row, peak in zip(share, peaks, strict=True)]
        yield within(
            "fewest pairs between the peaks, as a share of the lower peak: largest of all seeds", float(max(dips)), high=0.5,
            kind="own", source="two peaks, and not one beside 0; the binomial control has one",
        )  # fmt: skip
        yield within(
            "the other peak, in every seed: lowest", float(peaks.min()), low=3, kind="paper", source=PAPERS, published="3 to 8"
        )
        yield within(
            "the other peak, in every seed: highest", float(peaks.max()), high=8, kind="paper", source=PAPERS, published="3 to 8"
        )
        left = (a["share"][:, 0, 1] - a["share"][:, 0, 0]) @ np.arange(self.potential + 1)
        yield near(
            "mean contacts, started with some minus with none", 0.0, float(left.mean()), 0.5, kind="own",
            source="the start does not matter in equilibrium; allowed: a tenth of the mean",
        )  # fmt: skip
        expected = np.mean([self.binomial(weight) for weight in a["w_fixed"][:, 0]], axis=0)
        apart = float(np.abs(both[:, 1].mean(axis=0) - expected).max())
        yield near(
            "no learning: largest distance to the binomial distribution", 0.0, apart, 0.01, kind="closed_form",
            source="contacts on their own",
        )  # fmt: skip
        yield within(
            "no drive: pairs with three contacts or more", float(both[:, 2, 3:].sum(axis=1).mean()), high=0.02, kind="own",
            source="control: what no contact causes, no contact keeps",
        )  # fmt: skip

    def figures(self, a: Arrays) -> Mapping[str, Drawing]:
        seeds, sizes = len(a["share"]), np.arange(self.potential + 1)
        share = 100 * a["share"].mean(axis=2)
        expected = 100 * np.mean([self.binomial(weight) for weight in a["w_fixed"][:, 0]], axis=0)
        looks: list[dict[str, Any]] = [
            {"color": colour, "linestyle": stroke, "marker": mark, "label": name}
            for name, colour, stroke, mark in zip(CONDITIONS, COLOURS, ("-", "--", ":"), "os^", strict=True)
        ]
        histogram = panel(
            *(band(sizes, share[:, k], **look) for k, look in enumerate(looks)),
            line(sizes, expected, color="0.3", linestyle="-.", linewidth=0.8, label="binomial, as many on average"),
            x="contacts of a pair", y="pairs (%)", title="none or several", legend="upper right", ylim=(0, None),
        )  # fmt: skip
        time = np.arange(a["course"].shape[2]) * 100 / 3600
        strokes = ((BLUE, "-"), (VERMILION, "--"))
        course = panel(
            *(
                line(time, a["course"][0, k], color=colour, linestyle=stroke, linewidth=0.9,
                     label=f"began with {k * self.begin}")
                for k, (colour, stroke) in enumerate(strokes)
            ), x="time (h)", y="contacts", title=f"{SHOWN} pairs, one seed", legend="upper right",
            ylim=(-0.3, self.potential + 2.5),
        )  # fmt: skip
        death = panel(
            band(sizes[1:], 1000 * a["death_rate"][:, 1:], color=GREEN, marker="o"),
            x="contacts of the pair", y="deletion of a contact (1/1000 s)", title="a contact among several stays", ylim=(0, None),
        )  # fmt: skip
        survival = panel(
            *(
                band(AGES, 100 * a["survival"][:, k], color=colour, linestyle=stroke, label=label)
                for k, (colour, stroke, label) in enumerate(
                    ((ORANGE, "--", f"came with {ALONE} other at most"), (BLUE, "-", f"came with {SEVERAL} others or more"))
                )
            ), x="age (s)", y="new contacts that are left (%)", title="survival", legend="upper right", ylim=(0, 105),
        )  # fmt: skip
        return {
            "histogram": histogram,
            "stability": page([course, death, survival], size=(11.4, 3.5), caption=over_seeds(seeds)),
        }


if __name__ == "__main__":
    script(ContactNumbers.name)
