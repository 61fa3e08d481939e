"""Do synapses of attended inputs live longer? A gain on one of two groups of inputs whose synapses come and go.

The network is that of `attention_gain` (plasticity.networks.two_groups): two groups of Poisson inputs with the same statistics on
one neuron, pair STDP with soft bounds, a gain g that singles out group 0. Here each input has a potential synapse. Silent ones
come alive at a steady rate with the weight `w_new`, living ones die the sooner the weaker they are (the law `contacts`).

    attention       rates of the attended group times g; structure sees weights alone
    equal_gain      rates of both groups times g: more drive, no selection
    shuffled        every 0.5 s one group, drawn at random, has the gain
    survival        rates stay; the probability of attended synapses to die is divided by g: consolidation of what is attended
    growth          rates stay; the probability of attended synapses to come alive is multiplied by g
    both            rates of the attended group times g, and their probability to die divided by g
    uncorrelated    attention, where the rates of a group fluctuate each on its own
    fixed weights   attention, where no weight changes
    fixed survival  survival, where no weight changes
    fixed growth    growth, where no weight changes

What it says. With weights that learn, and rates of a group that fluctuate together, attended synapses live longer than ignored
ones, and the more so the larger the gain. They live longer than without attention as well, by 28 s [17, 39], 30 [19, 40] and 16
[5, 27] at gains of 1.5, 2 and 3; the ignored ones, which STDP depresses, live shorter. Without common fluctuations the effect is
the opposite one. Under the controls of equal gain and of a shuffled gate attended synapses live a little longer in this sample,
too, at most by .29 log2 in any interval; corrected for nine comparisons none of these differences is told. Growth alone makes
more synapses of attended inputs, and these live longer too, perhaps for more of them fire together.
Where weights do not change, a gain on rates does nothing to the structure, to the bit: spikes reach it through the weights alone.
There a factor g on survival makes lives g times as long, and more growth makes none longer.

That attention acts on survival directly is a hypothesis, and g there no measured number: spines that learning makes or
strengthens persist (Yang, Pan & Gan 2009), and by which path attention would take part is open. Lives of minutes stand for days.

Lives are the time that synapses were alive, divided by how many died; turnover is its inverse. Survival curves are those of
synapses that came after the first third of the run, which does not count (Kaplan-Meier).

Sources: Deger, Helias, Rotter & Diesmann 2012, doi:10.1371/journal.pcbi.1002689 and Fauth, Woergoetter & Tetzlaff 2015,
doi:10.1371/journal.pcbi.1004031 (structure by weight); Song & Abbott 2001, doi:10.1016/S0896-6273(01)00451-2 (inputs and rule);
Yang, Pan & Gan 2009, doi:10.1038/nature08577 (spines that stay).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from brian2 import ms, second

from plasticity.engine import Program
from plasticity.errors import WrongUse
from plasticity.networks.two_groups import GROUPS, TwoGroups
from plasticity.rules import Landing, pair_stdp
from plasticity.settings import setting
from plasticity.statistics import PairedDifference, holm, mean_and_interval, paired_difference
from plasticity.structure import Structure, contacts
from plasticity.structure.record import lasting, left, living
from simulations.figures import BLACK, BLUE, GREEN, ORANGE, PURPLE, SKY, VERMILION, over_seeds
from simulations.figures.kinds import band, level, means, page, panel
from simulations.frame.checks import Check, beyond, near, no_difference
from simulations.frame.execute import script
from simulations.frame.experiment import Arrays, Experiment, Measure, Session, Table, stack
from simulations.frame.shown import told

if TYPE_CHECKING:
    from simulations.figures.kinds import Drawing

PAPERS = (
    "Deger et al. 2012, doi:10.1371/journal.pcbi.1002689; Fauth et al. 2015, doi:10.1371/journal.pcbi.1004031;"
    " Song & Abbott 2001, doi:10.1016/S0896-6273(01)00451-2; Yang, Pan & Gan 2009, doi:10.1038/nature08577"
)
OWN = "statement of this simulation"
LOOKS: dict[str, dict[str, Any]] = {
    "attention": {"color": VERMILION, "linestyle": "-", "marker": "o"},
    "equal_gain": {"color": BLACK, "linestyle": "--", "marker": "v"},
    "shuffled": {"color": PURPLE, "linestyle": "-.", "marker": "^"},
    "survival": {"color": BLUE, "linestyle": "-", "marker": "D"},
    "growth": {"color": GREEN, "linestyle": ":", "marker": "P"},
    "both": {"color": SKY, "linestyle": "-", "marker": "X"},
    "uncorrelated": {"color": GREEN, "linestyle": "--", "marker": "<"},
    "fixed weights": {"color": ORANGE, "linestyle": "--", "marker": "s"},
    "fixed survival": {"color": "0.5", "linestyle": "-", "marker": "*"},
    "fixed growth": {"color": "0.7", "linestyle": ":", "marker": "p"},
}
CONDITIONS = tuple(LOOKS)
FIXED = ("fixed weights", "fixed survival", "fixed growth")
SELECTIVE = ("attention", "survival", "both")
NEUTRAL = ("equal_gain", "shuffled", "fixed growth")
AGES = np.arange(0, 601, 10)


@dataclass(frozen=True)
class AttentionStructure(Experiment):
    __doc__ = __doc__

    name: ClassVar[str] = "attention_structure"
    summary: ClassVar[str] = "how long synapses of attended and ignored inputs live, where synapses come and go"
    source: ClassVar[str] = PAPERS
    default_seeds: ClassVar[int] = 10
    uses: ClassVar[tuple[str, ...]] = ("contacts", "pair_stdp")
    short: ClassVar[Mapping[str, Any]] = {"gains": (3.0,), "duration_s": 60, "inputs": 20}
    measures: ClassVar[tuple[Measure, ...]] = (
        Measure(
            "attended_s",
            "s",
            "life of attended synapses at the highest gain",
            ("results", {"condition": "attention"}, "attended_s"),
        ),
        Measure("ignored_s", "s", "life of ignored synapses there", ("results", {"condition": "attention"}, "ignored_s")),
        Measure("ratio", "", "log2 of attended over ignored life there", ("results", {"condition": "attention"}, "log2_ratio")),
    )

    inputs: int = setting(100, "inputs in each of the two groups", low=2, high=1000)
    gains: tuple[float, ...] = setting((1.0, 1.5, 2.0, 3.0), "gains, rising", low=1, high=10)
    duration_s: int = setting(900, "simulated time of a run, of which the first third does not count", "s", low=30, high=5000)
    base_hz: float = setting(15.0, "mean rate of every input at gain 1", "Hz", low=0, high=100)
    correlation: float = setting(0.6, "fluctuation that a group's rates have in common, as a share of the rate", low=0, high=1)
    A_plus: float = setting(0.01, "largest potentiation by one pair", low=0, high=1)
    alpha: float = setting(1.05, "A_minus/A_plus", low=0, high=10)
    mu: float = setting(0.08, "exponent of the soft bounds", above=0, high=1)
    creation_hz: float = setting(0.007, "rate at which a silent synapse comes alive", "Hz", above=0, high=1)
    deletion_hz: float = setting(0.05, "rate at which a synapse of weight 0 dies", "Hz", above=0, high=10)
    w_hold: float = setting(0.25, "weight at which that rate is 1/e of it", above=0, high=10)
    w_new: float = setting(0.5, "weight of a new synapse", low=0, high=1)
    dt_ms: float = setting(0.5, "time step", "ms", low=0.01, high=2)

    def refuse(self) -> None:
        if not self.gains or (np.diff(self.gains) <= 0).any():
            raise WrongUse(f"gains={self.gains} must rise, for example --set gains=1,2,4.")

    def network(self) -> TwoGroups:
        """What is compiled: the same for every gain, condition and seed."""
        rule = pair_stdp(A_plus=self.A_plus, A_minus=self.alpha * self.A_plus)
        pool = Structure(contacts, every=1 * second, growth="growth_pre", survival="survival_pre")
        return TwoGroups(
            self.inputs, rule=rule, landing=Landing(mu=self.mu), pool=pool, epochs=2 * self.duration_s, dt=self.dt_ms * ms
        )

    def run_inputs(self, condition: str, gain: float, seed: int) -> dict[str, Any]:
        """The inputs of one run; which synapses are alive at first is drawn by the seed alone."""
        n = GROUPS * self.inputs
        how = "attention" if condition in ("both", "fixed weights", "uncorrelated") else condition
        by_rates = how in ("attention", "equal_gain", "shuffled")
        factor = np.where(np.arange(n) < self.inputs, gain, 1.0)
        given = self.network().singled_out(how if by_rates else "attention", gain if by_rates else 1.0, seed)
        given["learning"] = np.zeros(n) if condition in FIXED else given["learning"]
        given["survival"] = factor if condition in ("survival", "both", "fixed survival") else np.ones(n)
        given["growth"] = factor if condition in ("growth", "fixed growth") else np.ones(n)
        law = {"creation": self.creation_hz, "deletion": self.deletion_hz, "w_hold": self.w_hold, "w_new": self.w_new}
        return given | {f"law.{name}": value for name, value in law.items()} | {
            "alive": np.random.default_rng([seed, 2]).random(n) < 0.5, "w": np.full(n, self.w_new), "key": seed,
            "base": self.base_hz,
            "correlation": self.correlation * (condition != "uncorrelated"), "tau_c": 0.01, "g_max": 0.0066,
            "g_background": 0.0121,
        }  # fmt: skip

    def one(self, program: Program, condition: str, gain: float, seed: int) -> dict[str, np.ndarray]:
        """One run, by group: `living` synapses, `life_s`, `weight` of living ones, `came` per minute, `left` (groups, ages)."""
        given, n = self.run_inputs(condition, gain, seed), self.inputs
        found = program.run(seed, given, duration=self.duration_s * second)
        synapse, came, update = np.abs(found["synapse"]) - 1, found["synapse"] > 0, found["update"]
        alive = living(given["alive"], update, found["synapse"], self.duration_s)
        ages, over = lasting(update, found["synapse"], self.duration_s)
        first = self.duration_s // 3
        seconds, late = self.duration_s - first, update >= first
        weights = np.where(alive, found["w_history"].reshape(-1, GROUPS * n)[: len(alive)], np.nan)[first:]
        told: dict[str, Any] = {"living": [], "life_s": [], "weight": [], "came": [], "left": []}
        for group in range(GROUPS):
            own, here = slice(group * n, (group + 1) * n), synapse // n == group
            lived, died, born = alive[first:, own].sum(), here & late & ~came, here & late & came
            told["living"].append(lived / seconds)
            told["life_s"].append(max(lived, 1) / max(died.sum(), 1))
            told["weight"].append(np.nanmean(weights[:, own]) if lived else np.nan)
            told["came"].append(60 * born.sum() / seconds)
            survived = left(ages[born], over[born], AGES)
            told["left"].append(np.where(AGES <= seconds, survived, np.nan))  # nobody was watched for longer
        return {name: np.array(values) for name, values in told.items()} | {
            "output_hz": found["spikes"][0] / np.float64(self.duration_s)
        }

    def collect(self, session: Session) -> dict[str, np.ndarray]:
        """What `one` gives, (conditions, gains, seeds, ...); at gain 1 conditions with one kind of weights are one run."""
        program = self.network().program()
        grid = [(c, g, s) for c in CONDITIONS for g in self.gains for s in session.seeds]
        same = {c: FIXED[0] if c in FIXED else c if c == "uncorrelated" else "attention" for c in CONDITIONS}
        runs = [(same[c], g, s) if g == 1 else (c, g, s) for c, g, s in grid]
        found = dict(session.each(lambda item, tell: self.one(program, *item), sorted(set(runs))))
        return stack([found[run] for run in runs], len(CONDITIONS), len(self.gains), len(session.seeds))

    def differences(self, a: Arrays) -> dict[tuple[str, float], PairedDifference]:
        """log2 of life, attended minus ignored, by condition and gain."""
        rows = np.log2(a["life_s"])
        return {
            (c, gain): paired_difference(*rows[k, g].T) for k, c in enumerate(CONDITIONS) for g, gain in enumerate(self.gains)
        }

    def numbers(self, a: Arrays) -> dict[str, Any]:
        results = []
        for k, ((condition, gain), d) in enumerate(self.differences(a).items()):
            c, g = divmod(k, len(self.gains))
            row: dict[str, Any] = {
                "condition": condition,
                "gain": gain,
                "log2_ratio": {"mean": d.mean, "low": d.low, "high": d.high},
            }
            for key, name in (("life_s", "s"), ("living", "living"), ("weight", "weight"), ("came", "came_per_min")):
                row |= {f"{side}_{name}": mean_and_interval(a[key][c, g, :, n]) for n, side in enumerate(("attended", "ignored"))}
            results.append(row | {"output_hz": mean_and_interval(a["output_hz"][c, g])})
        return {"results": results}

    @classmethod
    def tables(cls, numbers: Mapping[str, Any]) -> dict[str, Table]:
        """Lives at the highest gain."""
        gain = max(row["gain"] for row in numbers["results"])
        keys = ("attended_s", "ignored_s", "log2_ratio", "attended_living", "ignored_living")
        columns = ["condition", "life of attended (s)", "of ignored (s)", "log2 ratio", "attended alive", "ignored alive"]
        rows = [
            [row["condition"], *(told(row[key], 3) or "" for key in keys)] for row in numbers["results"] if row["gain"] == gain
        ]
        return {f"synapses of attended and ignored inputs at gain {gain:g}, means over seeds [95 % interval]": (columns, rows)}

    def checks(self, a: Arrays) -> Iterable[Check]:
        found, above = self.differences(a), [gain for gain in self.gains if gain > 1]
        for condition in SELECTIVE:
            for gain, p in zip(above, holm([found[condition, gain].p for gain in above]), strict=True):
                d = found[condition, gain]
                yield beyond(
                    f"{condition}, gain {gain:g}: log2 of attended over ignored life", d, above=0, kind="own", source=OWN,
                    told=f"{d}, Holm p {p:.2g}",
                )  # fmt: skip
        ratio = np.diff(np.log2(a["life_s"]), axis=-1)[..., 0] * -1  # (conditions, gains, seeds)
        for condition in SELECTIVE if len(self.gains) > 1 else ():
            slopes = np.polyfit(np.log2(self.gains), ratio[CONDITIONS.index(condition)], 1)[0]
            yield beyond(
                f"{condition}: the ratio grows with the gain", paired_difference(slopes, 0 * slopes), above=0, kind="own",
                source=OWN,
                published="slope per doubling of the gain above 0",
            )  # fmt: skip
        family = [(condition, gain) for condition in NEUTRAL for gain in above]
        corrected = dict(zip(family, holm([found[key].p for key in family]), strict=True))
        for condition in NEUTRAL if above else ():
            own = [found[condition, gain] for gain in above]
            furthest, p = max(own, key=lambda d: abs(d.mean)), min(corrected[condition, gain] for gain in above)
            yield no_difference(
                f"{condition}: attended and ignored live as long", p=p, kind="own", source=OWN,
                published="0 at every gain above 1", told=f"largest {furthest}, smallest Holm p {p:.2g}",
                tolerance=f"no Holm p below 0.05 over the {len(family)} comparisons",
            )  # fmt: skip
        most = len(self.gains) - 1
        fixed = a["life_s"][CONDITIONS.index("fixed weights")]
        yield near(
            "fixed weights: largest change of a life by the gain (s)", 0.0, float(np.abs(fixed - fixed[:1]).max()), 0.0,
            kind="closed_form", source="the law sees weights, and no spikes",
        )  # fmt: skip
        if above:
            own, other = (ratio[CONDITIONS.index(name), most] for name in ("attention", "uncorrelated"))
            yield beyond(
                f"gain {self.gains[most]:g}: log2 ratio of attention minus that of uncorrelated",
                paired_difference(own, other), above=0, kind="own", source=OWN,
            )  # fmt: skip
        dies = -np.expm1(-self.deletion_hz * np.exp(-self.w_new / self.w_hold))
        for group, name, factor in ((0, "attended", self.gains[most]), (1, "ignored", 1.0)):
            yield near(
                f"fixed survival, gain {self.gains[most]:g}: life of {name} synapses (s)", factor / dies,
                float(np.exp(np.log(a["life_s"][CONDITIONS.index("fixed survival"), most, :, group]).mean())), rel=0.1,
                kind="closed_form", source="1/(probability to die in an update), divided by the factor",
            )  # fmt: skip
        if above:
            more = a["living"][CONDITIONS.index("growth"), most]
            yield beyond(
                f"growth, gain {self.gains[most]:g}: living synapses, attended minus ignored", paired_difference(*more.T),
                above=0, kind="own", source=OWN,
            )  # fmt: skip

    def figures(self, a: Arrays) -> Mapping[str, Drawing]:
        seeds = a["life_s"].shape[2]
        ratio = np.log2(a["life_s"][..., 0] / a["life_s"][..., 1])
        beside = np.array(self.gains) + 0.012 * (np.arange(len(LOOKS)) - (len(LOOKS) - 1) / 2)[:, None]
        dose = panel(
            level(0, linewidth=1, zorder=1),
            *(
                means(x, rows.T, label=name, markersize=5, **look)
                for x, rows, (name, look) in zip(beside, ratio, LOOKS.items(), strict=True)
            ),
            x="gain g (no unit)", y="log2 of life, attended over ignored", xticks=self.gains,
        )  # fmt: skip
        groups = (("attended", VERMILION, "-"), ("ignored", BLUE, "--"))
        most = len(self.gains) - 1
        curves, lives = [], []
        for condition in ("attention", "shuffled", "survival", "fixed weights"):
            k = CONDITIONS.index(condition)
            largest = 1.25 * float(np.nanmax(a["life_s"][k]))
            curves.append(
                panel(
                    *(
                        band(AGES, 100 * a["left"][k, most, :, n], color=colour, linestyle=stroke, label=name)
                        for n, (name, colour, stroke) in enumerate(groups)
                    ), x="age (s)", y="synapses left (%)", title=f"{condition}, gain {self.gains[most]:g}",
                    ylim=(0, 130),
                    legend="upper right" if condition == "attention" else None,
                )
            )  # fmt: skip
            lives.append(
                panel(
                    *(
                        means(self.gains, a["life_s"][k, :, :, n].T, color=colour, linestyle=stroke, marker="os"[n], label=name)
                        for n, (name, colour, stroke) in enumerate(groups)
                    ), x="gain g (no unit)", y="mean life (s)", title=condition, xticks=self.gains, ylim=(0, largest),
                )
            )  # fmt: skip
        look = {"loc": "outside right upper"}
        return {
            "dose_response": page([dose], size=(7.4, 4.2), legend=1, legend_look=look, caption=over_seeds(seeds)),
            "survival": page(curves, lives, size=(11.0, 5.4), caption=over_seeds(seeds)),
        }


if __name__ == "__main__":
    script(AttentionStructure.name)
