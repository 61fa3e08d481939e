"""New neurons: two tasks in sequence, with and without a reserve that new neurons come from.

Scans of digits are learnt by the spiking classifier, first `train` of them as they are, then as many others turned by an angle,
with the same labels. Its neurons compete, a fixed number for each class:

    none           a half of the neurons, all the time
    new            a half at first; when the task changes births begin, and within some ten seconds all of the reserve is there:
                   neurons hyperexcitable while they are young, which go back where nothing used them
                   (`plasticity.structure.new_neurons`)
    not excitable  the same with thresholds like those of a neuron that has not fired yet
    late           the same as `new`, with births from the middle of the second task on
    all along      births from the first trial on, so slow that half of the reserve is left when the task changes
    from start     all neurons from the start: as many as `new` has in the end
    interleaved    all neurons from the start, and the trials of both tasks mixed: what can be had at best

So births are told when the task changes in `new` and `not excitable`, and not in the others. Interference is by how many
points the accuracy on the first task falls: that of a network which saw the first task alone minus that of the one which saw
both. Similarity of codes is the cosine between the spike counts of all neurons for a test image and for the same one turned,
mean over images in which both fire: low where similar inputs are kept apart (pattern separation). That of the images
themselves stands beside it. The models say that new neurons lessen both (Wiskott et al. 2006; Sahay et al. 2011 in mice); the
control with as many neurons from the start says how much of that is their number.

What ten seeds say, turned by 30 degrees: interference is .6 points [-.7, 1.8] with new neurons that come when the task
changes, 23.5 without any, 6.1 with all neurons from the start. That births come then is what makes the difference to the
latter: where they come all along (9.0) or late (8.0), it is no smaller than with all neurons from the start. That young
neurons are excitable makes no difference there (.7 without); turned by 10 degrees it is all of it: -1.1 points [-1.8, -.5]
against those that are not, which are where a network with all neurons from the start is. There new neurons, too, are not told
from that network by interference (-1.1 [-2.6, .3]), and have 1.4 points [.4, 2.4] less on the second task. Codes of images
turned by 10 degrees are .11 alike with new neurons, as where both tasks are mixed, .36 with all neurons from the start, .63
with a half. All excitable new neurons are used: none goes back, so that turnover is not what these numbers speak of.

Sources: Wiskott, Rasch & Kempermann 2006, doi:10.1002/hipo.20167; Sahay et al. 2011, doi:10.1038/nature09817; Aimone, Wiles &
Gage 2009, doi:10.1016/j.neuron.2008.11.017 (who say that young neurons bind what comes together in time, which is not looked
at).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from scipy import ndimage
from sklearn.metrics.pairwise import paired_cosine_distances

from plasticity.errors import WrongUse
from plasticity.gates import NoGate
from plasticity.learners.neurogenesis_classifier import NeurogenesisClassifier
from plasticity.parallel import Progress
from plasticity.settings import setting
from plasticity.statistics import mean_and_interval, paired_difference
from plasticity.tasks import Digits
from simulations.figures import BLACK, BLUE, GREEN, ORANGE, PURPLE, SKY, VERMILION, over_seeds
from simulations.figures.kinds import band, level, line, means, page, panel
from simulations.frame.checks import Check, beyond
from simulations.frame.execute import script
from simulations.frame.experiment import Arrays, Experiment, Measure, Session, Table, stack
from simulations.frame.shown import told

if TYPE_CHECKING:
    from simulations.figures.kinds import Drawing

WISKOTT = "Wiskott, Rasch & Kempermann 2006, doi:10.1002/hipo.20167"
SAHAY = "Sahay et al. 2011, doi:10.1038/nature09817"
SOURCE = f"{WISKOTT}; {SAHAY}; Aimone, Wiles & Gage 2009, doi:10.1016/j.neuron.2008.11.017"
OWN = "statement of this simulation"
LOOKS: dict[str, dict[str, Any]] = {
    "none": {"color": BLUE, "linestyle": "--", "marker": "s"},
    "new": {"color": VERMILION, "linestyle": "-", "marker": "o"},
    "not excitable": {"color": PURPLE, "linestyle": "-.", "marker": "^"},
    "from start": {"color": GREEN, "linestyle": ":", "marker": "D"},
    "late": {"color": SKY, "linestyle": "-", "marker": "P"},
    "all along": {"color": ORANGE, "linestyle": "--", "marker": "X"},
    "interleaved": {"color": BLACK, "linestyle": "-", "marker": "v"},
}
CONDITIONS = tuple(LOOKS)
SIDE = 8  # pixels of a scan
EVERY = 10  # trials between updates


@dataclass(frozen=True)
class Neurogenesis(Experiment):
    __doc__ = __doc__

    name: ClassVar[str] = "neurogenesis"
    summary: ClassVar[str] = "two tasks in sequence with and without new neurons: interference, and how similar codes are"
    source: ClassVar[str] = SOURCE
    default_seeds: ClassVar[int] = 10
    uses: ClassVar[tuple[str, ...]] = ("new_neurons", "pair_stdp")
    short: ClassVar[Mapping[str, Any]] = {"angles": (30.0,), "conditions": ("none", "new"), "train": 200}
    measures: ClassVar[tuple[Measure, ...]] = (
        Measure(
            "new", "points", "interference with new neurons, at the first angle",
            ("results", {"condition": "new"}, "interference"),
        ),
        Measure("none", "points", "interference without", ("results", {"condition": "none"}, "interference")),
        Measure("similar_new", "", "similarity of codes with new neurons", ("results", {"condition": "new"}, "similarity")),
        Measure("similar_none", "", "similarity of codes without", ("results", {"condition": "none"}, "similarity")),
    )  # fmt: skip

    angles: tuple[float, ...] = setting((30.0, 20.0, 10.0), "by how much the second task is turned, falling", above=0, high=180)
    conditions: tuple[str, ...] = setting(CONDITIONS, "what is compared", choices=CONDITIONS)
    per_class: int = setting(10, "neurons of each class, those of the reserve among them", low=2, high=1000)
    train: int = setting(600, "training trials of each task", low=20, high=600)
    birth_hz: float = setting(0.3, "rate at which a neuron in the reserve is born", "Hz", above=0, high=100)
    excess: float = setting(0.5, "by how much the threshold of a new neuron is lower, of the threshold", low=0, below=1)
    youth: int = setting(200, "trials after which a new neuron that was not used goes", low=1, high=100_000)
    dt_ms: float = setting(1.0, "time step", "ms", low=0.1, high=2)

    def refuse(self) -> None:
        if not self.angles or (np.diff(self.angles) >= 0).any():
            raise WrongUse(f"angles={self.angles} must fall, for example --set angles=30,20,10.")
        if not self.conditions or len(set(self.conditions)) < len(self.conditions):
            raise WrongUse(f"conditions={self.conditions} must name each once; known: {', '.join(CONDITIONS)}.")

    def tasks(self, angle: float, seed: int) -> tuple[tuple[np.ndarray, np.ndarray], ...]:
        """Images and labels: training of the first and of the second task, which share no image, and test of both."""
        draw = Digits(train=2 * self.train).draw(np.random.default_rng(seed))
        X, y, shown, answers = draw.train.X, draw.train.y, draw.test.X, draw.test.y
        return (X[: self.train], y[: self.train]), (turned(X[self.train :], angle), y[self.train :]), (shown, answers), (
            turned(shown, angle), answers,
        )  # fmt: skip

    def learner(self, condition: str, seed: int) -> NeurogenesisClassifier:
        begin = {"late": self.train + self.train // 2, "all along": 0}.get(condition, self.train)
        rates = {"new": self.birth_hz, "not excitable": self.birth_hz, "late": self.birth_hz}
        rates["all along"] = np.log(2) / (0.1 * self.train)  # half of them by the end of the first task
        made = NeurogenesisClassifier(
            gate=NoGate(), streams=1, random_state=seed, begin=begin, youth=self.youth, every_trials=EVERY, dt_ms=self.dt_ms,
            excess=0.0 if condition == "not excitable" else self.excess, birth_hz=float(rates.get(condition, 0.0)),
            reserve=0.0 if condition in ("from start", "interleaved") else 0.5,
        )  # fmt: skip
        return made.set_params(**made.of_size(self.per_class))

    def collect(self, session: Session) -> dict[str, np.ndarray]:
        """(conditions, angles, seeds, ...): `accuracy` (3: of the first task before the second and in the end, of the second),
        `similarity` of codes, `images` (the same of the images), `there` (updates: neurons over time)."""
        todo = [(c, angle, seed) for c in self.conditions for angle in self.angles for seed in session.seeds]
        found = dict(session.each(partial(_one, self), todo))
        return stack([found[run] for run in todo], len(self.conditions), len(self.angles), len(session.seeds))

    def interference(self, a: Arrays) -> np.ndarray:
        """Points by which the accuracy on the first task falls, (conditions, angles, seeds)."""
        return 100 * (a["accuracy"][..., 0] - a["accuracy"][..., 1])

    def numbers(self, a: Arrays) -> dict[str, Any]:
        lost, rows = self.interference(a), []
        for c, condition in enumerate(self.conditions):
            for k, angle in enumerate(self.angles):
                row: dict[str, Any] = {"condition": condition, "angle": angle}
                if condition != "interleaved":
                    row["interference"] = mean_and_interval(lost[c, k])
                of = 100 * a["accuracy"][c, k]
                row["first"], row["second"] = (mean_and_interval(of[:, n], within=(0, 100)) for n in (1, 2))
                row["similarity"] = mean_and_interval(a["similarity"][c, k], within=(0, 1))
                row |= {"images": float(a["images"][c, k].mean()), "neurons": float(a["there"][c, k, :, -1].mean())}
                row["gone"] = float(np.maximum(-np.diff(a["there"][c, k], axis=1), 0).sum(axis=1).mean())
                rows.append(row)
        return {"results": rows}

    @classmethod
    def tables(cls, numbers: Mapping[str, Any]) -> dict[str, Table]:
        heads = ["neurons", "angle", "interference, points", "first task, %", "second task, %", "similarity of codes"]
        heads += ["of images", "n", "went"]
        rows = [
            [
                row["condition"], f"{row['angle']:g}", told(row["interference"], 3) or "" if "interference" in row else "",
                told(row["first"], 3) or "", told(row["second"], 3) or "", told(row["similarity"], 2) or "",
                f"{row['images']:.2f}", f"{row['neurons']:.0f}", f"{row['gone']:.1f}",
            ]
            for row in numbers["results"]
        ]  # fmt: skip
        return {
            "two tasks in sequence, means over seeds [95 % interval]; n: neurons in the end, went: went back": (
                heads,
                rows,
            )
        }

    def checks(self, a: Arrays) -> Iterable[Check]:
        at = {name: c for c, name in enumerate(self.conditions)}
        if "new" not in at:
            return
        told_of = (
            ("interference, points", self.interference(a), 0, WISKOTT),  # where the tasks differ most
            ("similarity of codes", a["similarity"], len(self.angles) - 1, SAHAY),  # where images are most alike
        )
        for what, values, k, source in told_of:
            for other, kind, of in (("none", "paper", source), ("from start", "own", OWN)):
                if other in at:
                    yield beyond(
                        f"turned by {self.angles[k]:g} degrees, {what}: new neurons minus {other}",
                        paired_difference(values[at["new"], k], values[at[other], k]), below=0, kind=kind, source=of,
                    )  # fmt: skip

    def figures(self, a: Arrays) -> Mapping[str, Drawing]:
        x, seeds = np.array(self.angles), a["accuracy"].shape[2]
        lost, shown = self.interference(a), [(c, name, LOOKS[name]) for c, name in enumerate(self.conditions)]
        forgotten = panel(
            *(means(x, lost[c].T, label=name, **look) for c, name, look in shown if name != "interleaved"),
            level(0, color="0.6", linestyle=":", linewidth=0.8),
            x="second task turned by (degrees)", y="lost of the first task (points)", title="interference",
        )  # fmt: skip
        codes = panel(
            *(means(x, a["similarity"][c].T, (0, 1), label=name, **look) for c, name, look in shown),
            line(x, a["images"][0].mean(axis=1), color="0.6", linestyle=":", label="images"),
            x="turned by (degrees)", y="similarity of codes (cosine)", title="pattern separation", ylim=(0, 1),
        )  # fmt: skip
        k = int(np.argmin(np.abs(x - 20)))
        at = np.arange(a["there"].shape[-1]) * EVERY
        number = panel(
            *(band(at, a["there"][c, k], label=name, **{key: value for key, value in look.items() if key != "marker"})
              for c, name, look in shown),
            level(0, color="1"), x="trials", y="neurons", title=f"{x[k]:g} degrees", ylim=(0, None),
        )  # fmt: skip
        return {"neurogenesis": page([codes, forgotten, number], size=(11.4, 4.2), legend=6, caption=over_seeds(seeds))}


def turned(X: np.ndarray, angle: float) -> np.ndarray:
    """Images (n, 64) turned by so many degrees."""
    images = ndimage.rotate(X.reshape(-1, SIDE, SIDE), angle, axes=(1, 2), reshape=False, order=1)
    return np.asarray(images.reshape(len(X), -1).clip(0, 1))


def similarity(one: np.ndarray, other: np.ndarray) -> float:
    """Cosine of each row with the same row of the other, the mean over rows that are nowhere 0."""
    both = one.any(axis=1) & other.any(axis=1)
    return float(1 - paired_cosine_distances(one[both], other[both]).mean()) if both.any() else float("nan")


def _one(asked: Neurogenesis, item: tuple[str, float, int], progress: Progress) -> dict[str, np.ndarray]:
    condition, angle, seed = item
    (X, y), (later, labels), *tests = asked.tasks(angle, seed)
    right = []
    if condition == "interleaved":
        order = np.random.default_rng([seed, 7]).permutation(2 * len(X))
        learner = asked.learner(condition, seed).fit(np.concatenate([X, later])[order], np.concatenate([y, labels])[order])
        before = learner
    else:
        before = asked.learner(condition, seed).fit(X, y)
        progress(0.4)
        learner = asked.learner(condition, seed).fit(np.concatenate([X, later]), np.concatenate([y, labels]))
    for one, (shown, answers) in ((before, tests[0]), (learner, tests[0]), (learner, tests[1])):
        right.append(float((one.predict(shown) == answers).mean()))
    codes = [learner.represent(shown).astype(float) for shown, _ in tests]
    progress(1.0)
    features = X.shape[1]
    return {
        "accuracy": np.array(right), "similarity": np.array(similarity(*codes)),
        "images": np.array(similarity(tests[0][0], tests[1][0])), "there": learner.living_[1:] / features,
    }  # fmt: skip


if __name__ == "__main__":
    script(Neurogenesis.name)
