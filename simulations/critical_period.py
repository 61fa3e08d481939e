"""A critical period: overproduction of synapses, then pruning, beside pruning from the start, and never; spikes and gradient.

Scans of digits are learnt by two networks with the same pool of connections, features x 200: the spiking classifier
(`plasticity.learners.RewiringClassifier`, labels and a local rule) and a network of 200 rectified units (AdamW), the first layer
of which follows the same law (`plasticity.structure.critical_period`), asked about as often.

    period      a part is alive at first, nearly all at the onset; then the weakest die, until so many of them are left
    from_start  all are alive at first, and the weakest die from the first update on, until so many are left
    no_growth   the part that is alive at first, three tenths, is pruned from the first update on; none come alive. Where as many
                or more are left it is `fixed`
    random      as period, but those that die are drawn
    deep_r      as many as are left in the others are alive all the time, and rewired (`plasticity.structure.deep_r`)
    fixed       the same without rewiring
    smaller     a network with fewer neurons, and so about as many connections, all alive
    never       as period, and none die (once, for all that is left)
    full        an ordinary network with all connections (once): what `smaller` is without being smaller

For each condition and seed each side is trained with every one of `drives` (spiking: what a typical image adds to a potential;
where fewer inputs are alive a larger one is needed) or `rates` (gradient: of learning), of DEEP R with two of decay each. What is
best on validation trials answers the test trials. That the weakest should be pruned is checked where a tenth or less of the
pool is left; where half is, torch cannot tell. Energy is that of a decision, and of all of training, by the table of prices of
`plasticity compare`; living connections count, each with an address of 32 bits, which a smaller network does not need.

What five seeds say. Spikes lose much by having few synapses (period, a tenth left: 76.5 % right, all: 94.5), more where those
that go are drawn (31); a smaller network has 89, for a quarter of the energy. Overproduction is no better than pruning from the
start (79), which takes less energy to train. By gradient it hardly matters: with 3 % left a period has 95.4 %, pruning from the
start 95.8, connections drawn once and fixed 97.3, a smaller network 89; that the weakest should go is not told there by five
seeds (4.4 points [-.2, 9.0] better than as many at random), and is with a tenth left (2.3 [.4, 4.2]). With 3 % left the largest
drive was chosen in 2 and 4 of 5 seeds (period, from_start), the largest rate in 1 and 5: more might be had there. So might it
by the smaller spiking networks, all of which chose the smallest drive. Where three tenths or more are left no_growth is `fixed`.

On MNIST (the record critical_period_mnist: 5,000 images shown once to spikes, ten times to the gradient, three seeds) spikes
under DEEP R are right in 10 % [3, 16], 72 [63, 81] and 88 [82, 95] with 1, 3 and 30 % of 784 x 200 connections alive, with
fixed ones in 10, 17 and 81, with all in 91 [86, 96]; a network of ten neurons, 5 % of the connections, in 69 [63, 74]. With 1
% a neuron has eight synapses, and no drive up to 1,000 helps. `smaller` and `full` chose the smallest drive, 4, in all seeds.
By gradient DEEP R has 92, 93 and 92, fixed connections 91, 94 and 96: as it is trained here it gains nothing (`sparse_digits`
trains it as its authors do).

Sources: Huttenlocher 1979, doi:10.1016/0006-8993(79)90349-4 (overproduction); Chechik, Meilijson & Ruppin 1998,
doi:10.1162/089976698300017124 (pruning of the weakest); Bellec et al. 2018, arXiv:1711.05136 (DEEP R).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from brian2 import Hz, second

from plasticity.errors import WrongUse
from plasticity.gates import NoGate
from plasticity.learners.rewiring_classifier import RewiringClassifier
from plasticity.learners.spiking_classifier import SpikingClassifier
from plasticity.parallel import Progress, each
from plasticity.settings import setting
from plasticity.statistics import mean_and_interval, paired_difference
from plasticity.structure import Law, critical_period, deep_r
from plasticity.tasks import Digits
from simulations.figures import BLACK, BLUE, GREEN, GREY, ORANGE, PURPLE, SKY, VERMILION, over_seeds
from simulations.figures.kinds import band, level, log_x, means, page, panel
from simulations.frame.checks import Check, beyond, near
from simulations.frame.execute import script
from simulations.frame.experiment import Arrays, Experiment, Measure, Session, Table, stack
from simulations.frame.shown import told

if TYPE_CHECKING:
    from simulations.figures.kinds import Drawing

CHECHIK = "Chechik, Meilijson & Ruppin 1998, doi:10.1162/089976698300017124"
BELLEC = "Bellec et al. 2018, arXiv:1711.05136"
SOURCE = f"{CHECHIK}; Huttenlocher 1979, doi:10.1016/0006-8993(79)90349-4; {BELLEC}"
LOOKS: dict[str, dict[str, Any]] = {
    "period": {"color": VERMILION, "linestyle": "-", "marker": "o"},
    "from_start": {"color": BLUE, "linestyle": "-", "marker": "D"},
    "no_growth": {"color": SKY, "linestyle": "--", "marker": "v"},
    "random": {"color": PURPLE, "linestyle": "-.", "marker": "^"},
    "deep_r": {"color": GREEN, "linestyle": "-", "marker": "P"},
    "fixed": {"color": ORANGE, "linestyle": "--", "marker": "s"},
    "smaller": {"color": GREY, "linestyle": ":", "marker": "X"},
    "never": {"color": BLACK, "linestyle": "--", "marker": "*"},
    "full": {"color": BLACK, "linestyle": ":", "marker": "h"},
}
CONDITIONS = tuple(LOOKS)
ONCE = ("never", "full")
SIDES = ("spiking", "torch")
HIDDEN, PER_CLASS, CLASSES = 200, 20, 10
BEGUN, PEAK = 0.3, 0.97  # shares that are alive at first, and at the onset, where there is a period
ONSET, UNTIL = 1 / 3, 0.9  # of the time of training
UPDATES = 120
FEW = 0.1  # share that is left at most where it must matter which ones these are
DECAYS = (1e-3, 1e-2)  # of DEEP R, per second


@dataclass(frozen=True)
class CriticalPeriod(Experiment):
    __doc__ = __doc__

    name: ClassVar[str] = "critical_period"
    summary: ClassVar[str] = "synapses overproduced, then pruned, against pruning from the start and never; spikes and gradient"
    source: ClassVar[str] = SOURCE
    default_seeds: ClassVar[int] = 5
    own_process: ClassVar[bool] = True
    uses: ClassVar[tuple[str, ...]] = ("critical_period", "deep_r", "pair_stdp")
    short: ClassVar[Mapping[str, Any]] = {
        "left": (0.3,), "conditions": ("period", "full"), "drives": (8.0,), "rates": (0.01,), "epochs": 2,
    }  # fmt: skip
    measures: ClassVar[tuple[Measure, ...]] = (
        Measure(
            "spiking", "%", "test accuracy of spikes after a period, with the fewest synapses",
            ("results", {"side": "spiking", "condition": "period"}, "accuracy"), within=(0, 100),
        ),
        Measure(
            "torch", "%", "the same by gradient", ("results", {"side": "torch", "condition": "period"}, "accuracy"),
            within=(0, 100), time_step="It is trained by steps of the gradient.",
        ),
    )  # fmt: skip

    data: str = setting("digits", "images: scikit-learn's 8x8 scans, or MNIST 28x28", choices=("digits", "mnist"))
    left: tuple[float, ...] = setting(
        (0.03, 0.1, 0.3, 0.5), "shares of the pool that are left in the end, rising", above=0, high=0.9
    )
    conditions: tuple[str, ...] = setting(CONDITIONS, "what is compared", choices=CONDITIONS)
    drives: tuple[float, ...] = setting(
        (4.0, 8.0, 16.0, 32.0, 64.0, 128.0), "of the spiking classifier, to choose from", above=0, high=1000
    )
    rates: tuple[float, ...] = setting((1e-3, 3e-3, 1e-2, 3e-2), "of learning by gradient, to choose from", above=0, high=1)
    train: int = setting(1200, "training images", low=120, high=50_000)
    epochs: int = setting(30, "how often gradient training shows them; spikes see them once", low=1, high=1000)
    dt_ms: float = setting(1.0, "time step of the spiking classifier", "ms", low=0.1, high=2)

    def refuse(self) -> None:
        if not self.left or (np.diff(self.left) <= 0).any():
            raise WrongUse(f"left={self.left} must rise, for example --set left=0.03,0.1,0.3.")
        if not self.conditions or len(set(self.conditions)) < len(self.conditions):
            raise WrongUse(f"conditions={self.conditions} must name each once; known: {', '.join(CONDITIONS)}.")
        if not self.drives or not self.rates:
            raise WrongUse("drives= and rates= need a value each to choose from, for example --set drives=8,16.")

    def law(self, condition: str, left: float, lasts: float, every: float, pool: int) -> tuple[Law, float]:
        """The law of a condition, asked every so many of `lasts` seconds, and the share of the pool that is alive at first."""
        until, onset, ages = UNTIL * lasts, ONSET * lasts, every * np.arange(1, int(lasts / every) + 2)
        creation = np.log((1 - BEGUN) / (1 - PEAK)) / onset * Hz
        if condition in ("period", "random", "never"):
            law = critical_period if condition != "random" else dataclasses.replace(critical_period, rank="rand()")
            updates = int(((ages >= onset) & (ages < until)).sum())
            pruned = 0.0 if condition == "never" else share(PEAK * pool, left * pool, updates)
            return law(creation=creation, onset=onset * second, share=pruned, until=until * second), BEGUN
        begun = {"from_start": 1.0, "no_growth": max(BEGUN, left)}.get(condition, left)
        pruned = share(begun * pool, left * pool, int((ages < until).sum())) if begun > left else 0.0
        return critical_period(creation=0 * Hz, onset=0 * second, share=pruned, until=until * second), begun

    def trials(self, seed: int) -> tuple[np.ndarray, ...]:
        """Stimuli and labels of training, validation and test, in turn: the same for all."""
        task = Digits(data=self.data, train=self.train)
        draw = task.draw(np.random.default_rng(seed))
        parts = (draw.train, draw.validation, draw.test)
        return tuple(array for part in parts for array in (part.stimulus[:, 0], part.y))

    def collect(self, session: Session) -> dict[str, np.ndarray]:
        """(sides, conditions, left, seeds, ...): `accuracy` (test), `validation`, `chosen` (its number), `alive` of the
        `pool`, `decision_j`, `training_j` (joules), `living` (..., 50: over the course of training)."""
        left = range(len(self.left))
        todo = [
            (side, c, k if c not in ONCE else 0, seed)
            for side in SIDES for c in self.conditions for k in left for seed in session.seeds
        ]  # fmt: skip
        found = dict(each(partial(_one, self), sorted(set(todo)), session.jobs, session.progress, processes=True))
        return stack([found[run] for run in todo], len(SIDES), len(self.conditions), len(self.left), len(session.seeds))

    def spiking(self, trials: tuple[np.ndarray, ...], condition: str, left: float, seed: int) -> Iterable[dict[str, Any]]:
        """Every setting in turn."""
        X, y, *_ = trials
        every = max(1, len(X) // UPDATES)
        for drive in self.drives:
            given: dict[str, Any] = {"gate": NoGate(), "streams": 1, "drive": drive, "dt_ms": self.dt_ms, "random_state": seed}
            if condition in ("smaller", "full"):
                made: list[SpikingClassifier] = [SpikingClassifier(**given)]
                made[0].set_params(**made[0].of_size(max(1, round(PER_CLASS * (left if condition == "smaller" else 1)))))
            elif condition == "deep_r":
                laws = [deep_r(decay=decay * Hz, temperature=1e-5 * Hz) for decay in DECAYS]
                made = [RewiringClassifier(law=law, alive=left, every_trials=every, **given) for law in laws]
            else:
                lasts = len(X) * 0.1
                law, begun = self.law(condition, left, lasts, every * 0.1, X.shape[1] * HIDDEN)
                made = [RewiringClassifier(law=law, alive=begun, every_trials=every, **given)]
            for learner in made:
                learner.fit(X, y)
                right = [
                    float((learner.predict(shown) == told).mean()) for shown, told in zip(trials[2::2], trials[3::2], strict=True)
                ]
                living = getattr(learner, "living_", np.array([learner.weights_.size]))
                yield {"accuracy": right, "living": living, "costs": learner.costs()}

    def by_gradient(self, trials: tuple[np.ndarray, ...], condition: str, left: float, seed: int) -> Iterable[dict[str, Any]]:
        """Every setting in turn."""
        from bridges.sparse_training import NOISE, PENALTY, pruned  # not above: torch takes seconds

        lasts = len(trials[0]) * 0.1
        steps = self.epochs * -(-len(trials[0]) // 32)
        for rate in self.rates:
            hidden = max(1, round(HIDDEN * left)) if condition == "smaller" else HIDDEN
            if condition in ("smaller", "full"):
                laws: list[tuple[Law | None, float]] = [(None, 1.0)]
            elif condition == "deep_r":
                each_step = steps / lasts
                laws = [
                    (
                        deep_r(
                            decay=rate * penalty * each_step * Hz,
                            temperature=(rate * NOISE) ** 2 / 2 * each_step * Hz,
                            w_new=1e-12,
                        ),
                        left,
                    )
                    for penalty in (PENALTY, 100 * PENALTY)
                ]
            else:
                each_update = max(1, steps // UPDATES) * lasts / steps
                law, begun = self.law(condition, left, lasts, each_update, trials[0].shape[1] * HIDDEN)
                laws = [(law(w_new=0.0), begun)]
            for one, begun in laws:
                yield pruned(one, begun, trials, hidden, rate, self.epochs, lasts, UPDATES, seed)  # type: ignore[arg-type]

    def numbers(self, a: Arrays) -> dict[str, Any]:
        rows = []
        for s, side in enumerate(SIDES):
            for c, condition in enumerate(self.conditions):
                for k, left in enumerate(self.left if condition not in ONCE else (1.0,)):
                    rows.append(
                        {
                            "side": side, "condition": condition, "left": left,
                            "accuracy": mean_and_interval(100 * a["accuracy"][s, c, k], within=(0, 100)),
                            "alive": float(a["alive"][s, c, k].mean()),
                            "decision_nj": mean_and_interval(1e9 * a["decision_j"][s, c, k]),
                            "training_uj": mean_and_interval(1e6 * a["training_j"][s, c, k]),
                        }
                    )  # fmt: skip
        return {"results": rows}

    @classmethod
    def tables(cls, numbers: Mapping[str, Any]) -> dict[str, Table]:
        heads = ["", "condition", "left, share", "test accuracy, %", "connections left", "nJ a decision", "µJ of training"]
        rows = [
            [
                row["side"], row["condition"], f"{row['left']:g}", told(row["accuracy"], 3) or "", f"{row['alive']:,.0f}",
                told(row["decision_nj"], 3) or "", told(row["training_uj"], 3) or "",
            ]
            for row in numbers["results"]
        ]  # fmt: skip
        return {"pruning, means over seeds [95 % interval]; chance 10 %": (heads, rows)}

    def checks(self, a: Arrays) -> Iterable[Check]:
        at = {name: c for c, name in enumerate(self.conditions)}
        for s, side in enumerate(SIDES):
            if "deep_r" in at:
                living = a["living"][s, at["deep_r"]]
                apart = float(np.abs(living - living[..., :1]).max())
                yield near(f"{side}: deep_r, change of the number alive", 0.0, apart, 0.0, kind="paper", source=BELLEC)
            if not {"period", "random"} <= at.keys():
                continue
            for k, left in enumerate(self.left):
                if left > FEW:
                    continue
                period, random = (100 * a["accuracy"][s, at[name], k] for name in ("period", "random"))
                yield beyond(
                    f"{side}, {left:.0%} left: the weakest pruned minus as many at random, points",
                    paired_difference(period, random), above=0, kind="paper", source=CHECHIK,
                )  # fmt: skip

    def figures(self, a: Arrays) -> Mapping[str, Drawing]:
        x, told = 100 * np.array(self.left), over_seeds(a["accuracy"].shape[3])
        at, k = np.linspace(0, 100, a["living"].shape[-1]), len(self.left) // 2
        by_share, by_energy, course = [], [], []
        for s, side in enumerate(SIDES):
            right, shown = 100 * a["accuracy"][s], [(c, name, LOOKS[name]) for c, name in enumerate(self.conditions)]
            own = [100 * a["alive"][s, c].mean(axis=-1) / a["pool"][s, c].mean(axis=-1) for c in range(len(shown))]
            least = 10 * (right.mean(axis=-1).min() // 10)
            low = least if least > 50 else 0  # where all are near the top, the axis begins near them
            by_share.append(
                panel(
                    *(means(own[c], right[c].T, (0, 100), label=name, **look) for c, name, look in shown if name not in ONCE),
                    *(level(float(right[c, 0].mean()), label=name, **_line(look)) for c, name, look in shown if name in ONCE),
                    level(10, color="0.6", linestyle=":", linewidth=0.8), then=log_x(x, [f"{share:g}" for share in x]),
                    x="connections left (% of the pool)", y="test accuracy (%)", ylim=(low, 100),
                    title=f"{side} ({f'from {low:.0f} %' if low else 'lowest line: chance'})",
                )
            )  # fmt: skip
            spent = 1e9 * a["decision_j"][s].mean(axis=-1)
            ends = [(c, name, look, 1 if name in ONCE else len(x)) for c, name, look in shown]
            by_energy.append(
                panel(
                    *(means(spent[c, :n], right[c, :n].T, (0, 100), label=name, **look) for c, name, look, n in ends),
                    then=log_x((1, 10, 100, 1000, 10_000)), x="energy of a decision (nJ)", y="test accuracy (%)", title=side,
                    ylim=(low, 100),
                )
            )  # fmt: skip
            course.append(
                panel(
                    *(
                        band(at, a["living"][s, c, k], label=name, **_line(look))
                        for c, name, look in shown if name in ("period", "from_start", "no_growth", "deep_r", "never")
                    ),
                    x="time of training (%)", y="connections alive", title=f"{side}, {self.left[k]:.0%} left", ylim=(0, None),
                )
            )  # fmt: skip
        return {
            "accuracy": page(by_share, size=(10, 4.6), legend=5, caption=told),
            "energy": page(by_energy, size=(10, 4.6), legend=5, caption=told),
            "course": page(course, size=(10, 4.2), legend=5, caption=told),
        }  # fmt: skip


def share(begun: float, left: float, updates: int) -> float:
    """Which share has to die at each of so many updates, whole synapses each time, for so many of them to be left."""
    low, high = 0.0, 1.0
    for _ in range(60):
        tried, living = (low + high) / 2, round(begun)
        for _ in range(updates):
            living -= int(tried * living + 1e-9)
        low, high = (tried, high) if living > round(left) else (low, tried)
    return high


def _line(look: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in look.items() if key != "marker"}


def _one(asked: CriticalPeriod, item: tuple[str, str, int, int], progress: Progress) -> dict[str, np.ndarray]:
    """One side, condition, share and seed: the setting that is best on validation trials."""
    from bridges.comparison.energy import spent  # not above: torch takes seconds

    side, condition, k, seed = item
    trials = asked.trials(seed)
    tried = list((asked.spiking if side == "spiking" else asked.by_gradient)(trials, condition, asked.left[k], seed))
    chosen = int(np.argmax([one["accuracy"][0] for one in tried]))
    best = tried[chosen]
    living = np.asarray(best["living"], dtype=float)
    shown = len(trials[0]) * (asked.epochs if side == "torch" else 1)
    progress(1.0)
    return {
        "validation": np.array(best["accuracy"][0]), "accuracy": np.array(best["accuracy"][1]), "chosen": np.array(chosen),
        "alive": living[-1:][0], "decision_j": np.array(spent(best["costs"], "decision")),
        "training_j": np.array(shown * spent(best["costs"], "training")),
        "pool": np.array(trials[0].shape[1] * HIDDEN),
        "living": np.interp(np.linspace(0, 1, 50), np.linspace(0, 1, len(living)), living),
    }  # fmt: skip


if __name__ == "__main__":
    script(CriticalPeriod.name)
