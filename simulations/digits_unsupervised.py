"""How well does a network that was never told a label tell digits apart? Diehl & Cook 2015, on MNIST or on scikit-learn's digits.

A layer of spiking neurons sees one image after another; their synapses follow the paper's rule, they silence each other, and
the threshold of each rises with its own spikes (network: plasticity.networks.diehl_cook; estimator:
plasticity.learners.diehl_cook). After that, learning is switched off and training images alone say which digit each neuron stands
for.

    plasticity run digits_unsupervised                                          scikit-learn's digits, no download
    plasticity run digits_unsupervised --set data=mnist --set neurons=400       as in the paper

Split. mnist: training images are the first `images` of the 60,000, test images the 10,000. digits: 500 of the 1797 scans are
test images, drawn anew for each seed, stratified by class. The first `labels` training images, shown once more with learning
off, assign neurons to classes; the test images chose nothing. (In the authors' public demonstration neurons are assigned on the
test images.)

Control: the very same network before it has learnt anything (random weights, thresholds at their start), assigned and
tested in the same way, on at most `control` images each.

Two readouts: all activity (the paper's) and proportion weighting. Both are told; the checks are on the first.

Source: Diehl & Cook 2015, doi:10.3389/fncom.2015.00099 (accuracies for 100, 400, 1600 and 6400 neurons: its fig. 3).
"""

from __future__ import annotations

import functools
import shutil
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from plasticity.datasets import DATASETS
from plasticity.engine import backend
from plasticity.errors import WrongUse
from plasticity.learners import DiehlCookClassifier
from plasticity.learners.diehl_cook import check_rule, suited
from plasticity.parallel import Progress
from plasticity.records import Record
from plasticity.settings import setting
from plasticity.statistics import interval
from simulations.figures import BLACK, BLUE, GREEN, ORANGE, SKY, VERMILION, over_seeds
from simulations.figures.kinds import Panel, confusion, level, line, moment, page, panel, tiles
from simulations.frame.checks import Check, every_seed, within
from simulations.frame.execute import script, seen
from simulations.frame.experiment import Arrays, Experiment, Session

if TYPE_CHECKING:
    from simulations.figures.kinds import Drawing, Page

PAPER = "Diehl & Cook 2015, doi:10.3389/fncom.2015.00099"
PUBLISHED = {100: 0.829, 400: 0.870, 1600: 0.919, 6400: 0.950}
READOUTS = {"all": "all activity", "proportion": "proportion weighting"}
INTENSITY = 2.0  # at which an image is first shown
SCANS = 500  # test images of scikit-learn's digits
MOST_FIELDS = 100  # receptive fields that are drawn


@dataclass(frozen=True)
class DigitsUnsupervised(Experiment):
    __doc__ = __doc__

    name: ClassVar[str] = "digits_unsupervised"
    summary: ClassVar[str] = "digits learnt by STDP and competition without labels, on MNIST or scikit-learn's scans"
    source: ClassVar[str] = PAPER
    default_seeds: ClassVar[int] = 5
    uses: ClassVar[tuple[str, ...]] = ("diehl_cook", "lif_conductance")
    keeps: ClassVar[bool] = True

    data: str = setting("digits", "images: scikit-learn's 8x8 scans, or MNIST 28x28", choices=("digits", "mnist"))
    neurons: int = setting(100, "excitatory neurons, and as many inhibitory ones", low=2, high=20_000)
    passes: int = setting(3, "how often the training images are shown", low=1, high=100)
    images: int = setting(0, "training images; 0: all there are", low=0, high=60_000)
    test: int = setting(0, "test images; 0: all there are", low=0, high=10_000)
    labels: int = setting(10_000, "how many training images say what the neurons stand for", low=10, high=60_000)
    control: int = setting(2000, "the most images that assign, and that test, the network before learning; 0: none", low=0)
    rule: str = setting("diehl_cook", "rule of the plastic synapses")
    theta_plus_mv: float = setting(-1.0, "rise of a threshold at a spike (the paper: 0.05); -1: see w_ie", "mV", low=-1, high=10)
    w_ie: float = setting(
        -1.0,
        "inhibition, in units of the leak (the paper: 17); -1: the paper's, or what suits many images for each neuron",
        low=-1,
        high=1000,
    )
    dt_ms: float = setting(0.5, "time step", "ms", low=0.1, high=1)
    block: int = setting(0, "presentations between two checkpoints; 0: 1000, or a sixth of the images if that is less", low=0)

    def refuse(self) -> None:
        check_rule(self.rule)
        if 0 < self.images < 60:
            raise WrongUse(f"{self.name}: images={self.images} are too few for ten classes; give at least 60, or 0 for all.")

    def split(self, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Training images (0 to 1), their classes, test images, their classes."""
        known = DATASETS[self.data]()
        train, test = known.apart(SCANS, seed)
        train, test = train[: self.images or None], test[: self.test or None]
        shades = (known.pixels / np.float32(known.brightest)).astype(np.float32)
        return shades[train], known.labels[train], shades[test], known.labels[test]

    def values(self, images: int) -> dict[str, Any]:
        """`theta_plus_mv` and `w_ie`: as set, or what suits so many neurons and images."""
        chosen = {name: float(getattr(self, name)) for name in ("theta_plus_mv", "w_ie") if getattr(self, name) >= 0}
        return suited(self.neurons, images * self.passes) | chosen

    def learner(self, seed: int, images: int, folder: Path | None = None) -> DiehlCookClassifier:
        """The estimator of a seed."""
        return DiehlCookClassifier(
            neurons=self.neurons, passes=self.passes, rule=self.rule, intensity=INTENSITY, label_images=self.labels,
            **self.values(images), dt_ms=self.dt_ms, block=self.block or max(10, min(1000, images // 6)),
            checkpoint=None if folder is None else str(folder / "blocks"), random_state=seed,
        )  # fmt: skip

    def one(self, seed: int, tell: Progress, parts: Path | None = None) -> dict[str, np.ndarray]:
        """Train, assign and test one seed; what is finished is kept in a folder of its own."""
        X, y, X_test, y_test = self.split(seed)
        parts = seen(parts)
        folder = None if parts is None else parts / f"seed-{seed:04d}"
        if folder is not None and (folder / "result.json").exists():
            return Record.load(folder / "result").arrays
        learner = self.learner(seed, len(X), folder)
        share = len(X) * self.passes / (len(X) * self.passes + len(X_test) + 2 * min(self.control, len(X)))
        learner.fit(X, y, progress=lambda fraction, note="": tell(share * fraction, note=note))
        began = time.perf_counter()
        spikes = learner.spikes(X_test, lambda fraction, note="": tell(share + (1 - share) * 0.8 * fraction, note="testing"))
        arrays = {
            "test_s": np.array(time.perf_counter() - began), "train_s": np.array(learner.seconds_["training"]),
            "label": y_test.astype(np.uint8), "test_spikes": spikes.sum(axis=1).astype(np.int16),
            "assignment": learner.assignment_.astype(np.uint8), "theta_mv": (1e3 * learner.theta_).astype(np.float32),
            "weights": learner.weights_.astype(np.float16), "training_images": np.array(len(X)),
            **{f"answer_{readout}": learner.answers(spikes, readout).astype(np.uint8) for readout in READOUTS},
            **{f"history_{name}": line for name, line in learner.history_.items()},
        }  # fmt: skip
        if self.control:
            few, few_test = min(self.control, len(X)), min(self.control, len(X_test))
            before = self.learner(seed, len(X)).untrained(X[:few], y[:few])
            first = before.spikes(X_test[:few_test])
            for readout in READOUTS:
                arrays[f"control_{readout}"] = np.array(np.mean(before.answers(first, readout) == y_test[:few_test]))
        if folder is not None:
            record = Record(self.name, {"seed": seed}, seed, {}, arrays, float(arrays["train_s"]), backend(), 1)
            record.save(folder / "result")
            shutil.rmtree(folder / "blocks", ignore_errors=True)
        return arrays

    def collect(self, session: Session) -> dict[str, np.ndarray]:
        """`seeds`, and of each seed what `one` gives, as seed0_label and so on; the weights of the first seed alone."""
        self.split(session.seeds[0])  # missing data is told before any work
        found = dict(session.each(functools.partial(self.one, parts=session.folder), session.seeds))
        arrays: dict[str, np.ndarray] = {"seeds": np.array(session.seeds)}
        for seed in session.seeds:
            for name, array in found[seed].items():
                if name != "weights" or seed == session.seeds[0]:  # the weights of one seed are for the figure
                    arrays[f"seed{seed}_{name}"] = array
        return arrays

    def numbers(self, a: Arrays) -> dict[str, Any]:
        images = int(_of(a, "training_images")[0])
        told: dict[str, Any] = {
            "data": self.data, "neurons": self.neurons, "passes": self.passes, "training_images": images,
            "label_images": min(self.labels, images), "test_images": len(_of(a, "label")[0]),
            **self.values(images), "seeds": a["seeds"].tolist(), "chance": 0.1, "ceiling": 1.0,
        }  # fmt: skip
        for readout in READOUTS:
            pairs = zip(_of(a, f"answer_{readout}"), _of(a, "label"), strict=True)
            told[f"accuracy_{readout}"] = _summary([np.mean(answer == label) for answer, label in pairs])
            if self.control:
                told[f"control_{readout}"] = _summary(_of(a, f"control_{readout}"))
        told["spikes_per_image"] = _summary([spikes.mean() for spikes in _of(a, "test_spikes")])
        if all(len(line) for line in _of(a, "history_intensity")):
            told["intensity"] = _summary([line[-1] for line in _of(a, "history_intensity")])
        told["theta_mv"] = _summary([theta.mean() for theta in _of(a, "theta_mv")])
        told["training_ms_per_image"] = _summary([1e3 * float(s) / (images * self.passes) for s in _of(a, "train_s")])
        return told

    def checks(self, a: Arrays) -> Iterable[Check]:
        told = self.numbers(a)
        if "intensity" in told:
            yield within(
                "mean intensity at which the last training images were answered, in multiples of the first (1: at once)",
                told["intensity"]["mean"] / INTENSITY, high=1.5, strict=True, tolerance="below",
                source="where it rises, thresholds have outgrown the drive: fewer passes, more neurons, a smaller theta_plus_mv",
            )  # fmt: skip
        accuracy, published = told["accuracy_all"], PUBLISHED.get(self.neurons)
        if published and self.data == "mnist" and not self.images and not self.test:
            yield within(
                f"{self.neurons} neurons: accuracy on the 10,000 test images, all activity", accuracy["mean"], low=published,
                published=published, tolerance="at least the published", source=PAPER,
            )  # fmt: skip
        if self.control:
            control = told["control_all"]
            yield every_seed(
                "accuracy after learning against the same network before (all activity)",
                np.array(accuracy["each"]) > np.array(control["each"]), published=f"above {control['mean']:.3f}",
                told=accuracy["mean"], tolerance="above in every seed", source="control: no learning",
            )  # fmt: skip

    def figures(self, a: Arrays) -> Mapping[str, Drawing]:
        told, seeds, network = self.numbers(a), len(a["seeds"]), f"{self.data}, {self.neurons} neurons"
        what = (
            f"{network}, {told['training_images']:,} training images x {self.passes}, {told['label_images']:,} of them name the"
        )
        what += f" neurons, {told['test_images']:,} test images"
        right = [100 * told[f"accuracy_{readout}"]["mean"] for readout in READOUTS]
        shares = [
            confusion(
                np.concatenate(_of(a, f"answer_{readout}")), np.concatenate(_of(a, "label")), 10, y="digit",
                title=f"{title}: {share:.1f} % right",
            )
            for (readout, title), share in zip(READOUTS.items(), right, strict=True)
        ]  # fmt: skip
        label, look = "share of a digit's test images (%)", {"shrink": 0.75}
        return {
            "accuracy": page([self._accuracy(a, told)], size=(6.8, 4.0), legend=2, caption=f"{what}\ntest: {over_seeds(seeds)}"),
            "confusion": page(shares, size=(8.6, 4.5), bar=label, bar_look=look, caption=f"{what}, {seeds} seeds"),
            "receptive_fields": self._receptive_fields(a),
            "assignment": page([self._assignment(a)], size=(6.0, 3.6), caption=f"{network}; bars: mean, dots: one a seed"),
            "spikes": page(_spikes(a), size=(8.4, 3.6), caption=what),
        }

    def _accuracy(self, a: Arrays, told: Mapping[str, Any]) -> Panel:
        """Accuracy while it learns (DiehlCookClassifier.history_), one line a seed; at the end the test."""
        layers = [line(trials, 100 * course, color=SKY, linewidth=0.9, label=None) for trials, course in _courses(a, "accuracy")]
        layers.append(
            line([], [], color=SKY, linewidth=0.9, label="training images, neurons named by those before; one line a seed")
        )
        end = float(told["training_images"] * self.passes)
        for readout, x, colour, marker in (("all", 1.04 * end, VERMILION, "o"), ("proportion", 1.07 * end, BLUE, "s")):
            mean, low, high = (100 * told[f"accuracy_{readout}"][key] for key in ("mean", "low", "high"))
            layers.append(line([x, x], [low, high], color=colour, linewidth=2))
            layers.append(line([x], [mean], marker, color=colour, markersize=5, label=f"test, {READOUTS[readout]}: {mean:.1f} %"))
            if readout == "all" and self.control:
                before = 100 * told["control_all"]["mean"]
                layers.append(level(before, color=BLACK, linestyle="-.", linewidth=1, label="before learning (control)"))
        layers.append(level(10, linestyle=":", linewidth=1, label="chance"))
        if self.data == "mnist" and self.neurons in PUBLISHED:
            published = 100 * PUBLISHED[self.neurons]
            layers.append(level(published, color=GREEN, linestyle="--", linewidth=1, label="Diehl & Cook 2015, test"))
        return panel(*layers, x="images shown", y="right answers (%)", ylim=(0, 100), xlim=(0, None))

    def _receptive_fields(self, a: Arrays) -> Page:
        """The weights onto each neuron as an image, with the digit it stands for; the first seed."""
        seed = a["seeds"][0]
        weights, belongs = a[f"seed{seed}_weights"], a[f"seed{seed}_assignment"]
        chosen = np.linspace(0, len(belongs) - 1, min(MOST_FIELDS, len(belongs))).round().astype(int)
        order = np.argsort(belongs, kind="stable")[chosen]
        fields = tiles(weights.T[order].reshape(len(order), int(np.sqrt(len(weights))), -1), belongs[order])
        number = f"all {len(belongs)}" if len(order) == len(belongs) else f"{len(order)} of {len(belongs)}"
        caption = f"weights onto {number} neurons, and the digit of each; {self.data}, seed {seed}"
        return page([panel(fields)], size=(6.4, 6.2), bar="weight (no unit)", bar_look={"shrink": 0.7}, caption=caption)

    def _assignment(self, a: Arrays) -> Panel:
        """How many neurons stand for each digit."""
        counts = np.stack([np.bincount(belongs, minlength=10) for belongs in _of(a, "assignment")])  # (seeds, digits)
        apart = np.linspace(-0.2, 0.2, len(counts)) if len(counts) > 1 else np.zeros(1)
        return panel(
            lambda axis: axis.bar(range(10), counts.mean(axis=0), color=SKY, width=0.7) and None,
            line((np.arange(10) + apart[:, None]).ravel(), counts.ravel(), "o", color=BLACK, markersize=3),
            level(self.neurons / 10, linestyle=":", linewidth=1.5, label="an equal share"),
            x="digit", y="neurons that stand for it", legend="upper right", xticks=range(10), ylim=(0, 1.25 * counts.max()),
        )  # fmt: skip


def _of(a: Arrays, name: str) -> list[np.ndarray]:
    """What was found under a name, for each seed."""
    return [a[f"seed{seed}_{name}"] for seed in a["seeds"]]


def _summary(values: Sequence[Any]) -> dict[str, Any]:
    known = np.asarray(values, float)
    low, high = interval(known)
    return {"mean": float(known.mean()), "low": low, "high": high, "each": known.tolist()}


def _courses(a: Arrays, *names: str) -> list[list[np.ndarray]]:
    """The courses of training of each seed, without the short blocks at the end of a pass."""
    found = []
    for columns in zip(*(_of(a, f"history_{name}") for name in ("trials", *names)), strict=True):
        step = np.diff(columns[0], prepend=0)
        whole = 2 * step >= np.median(step) if len(step) else np.zeros(0, bool)
        found.append([column[whole] for column in columns])
    return found


def _spikes(a: Arrays) -> list[Panel]:
    """Spikes of all neurons at an image: over training, and in the test."""
    courses, pooled = _courses(a, "spikes", "intensity"), np.concatenate(_of(a, "test_spikes"))
    top = int(np.percentile(pooled, 99.5)) + 2
    bins = np.arange(-0.5, top + 1, max(1, top // 40))
    answered = [line(trials, spikes, color=SKY, linewidth=1) for trials, spikes, _ in courses]
    bright = [line(trials, intensity, color=ORANGE, linewidth=1) for trials, _, intensity in courses]
    shown: dict[str, Any] = {"x": "images shown", "xlim": (0, None), "ylim": (0, None)}
    shown["then"] = lambda axis: axis.locator_params(axis="x", nbins=4)
    return [
        panel(*answered, y="spikes at an image", title="in training, one line a seed", **shown),
        panel(*bright, y="intensity at the answer", title="raised where spikes are few", **shown),
        panel(
            lambda axis: axis.hist(pooled, bins=bins, color=VERMILION) and None,
            moment(5, linestyle=":", linewidth=1.5, label="fewer than 5: shown again"),
            x="spikes at an image", y="test images", title="in the test, all seeds", legend="upper right",
        ),
    ]  # fmt: skip


COLUMNS = (
    "network", "images", "test, all activity % [95 % interval]", "test, proportion weighting %", "Diehl & Cook %",
    "before learning %", "seeds", "training, ms an image",
)  # fmt: skip


def markdown(told: Sequence[dict[str, Any]]) -> str:
    """The numbers of several runs as a table for the README."""

    def percent(value: dict[str, Any]) -> str:
        known = value["low"] is not None and value["high"] is not None
        return f"{100 * value['mean']:.1f}" + (f" [{100 * value['low']:.1f}, {100 * value['high']:.1f}]" if known else "")

    lines = [COLUMNS]
    for numbers in told:
        published = PUBLISHED.get(numbers["neurons"]) if numbers["data"] == "mnist" else None
        lines.append((
            f"{numbers['data']}, {numbers['neurons']} neurons", f"{numbers['training_images']:,} x {numbers['passes']}",
            percent(numbers["accuracy_all"]), percent(numbers["accuracy_proportion"]),
            f"{100 * published:.1f}" if published else "-", percent(numbers["control_all"]),
            ", ".join(map(str, numbers["seeds"])), f"{numbers['training_ms_per_image']['mean']:.1f}",
        ))  # fmt: skip
    written = [f"| {' | '.join(cells)} |" for cells in lines]
    return "\n".join([written[0], "|" + "---|" * len(COLUMNS), *written[1:]])


if __name__ == "__main__":
    script(DigitsUnsupervised.name)
