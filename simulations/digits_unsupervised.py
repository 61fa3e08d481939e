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

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from plasticity.datasets import DATASETS
from plasticity.errors import WrongUse
from plasticity.learners import DiehlCookClassifier
from plasticity.learners.diehl_cook import check_rule, suited
from plasticity.networks.diehl_cook import DiehlCook
from plasticity.parallel import Progress
from plasticity.settings import setting
from plasticity.statistics import SHARE, each_and_mean
from simulations.figures import GREEN, over_seeds
from simulations.figures.kinds import Panel, confusion, level, page
from simulations.figures.unsupervised import assignment, courses, learning, receptive_fields, spikes
from simulations.frame.apart import SeedsApart, of
from simulations.frame.checks import Check, every_seed, within
from simulations.frame.execute import script
from simulations.frame.experiment import Arrays, Measure

if TYPE_CHECKING:
    from simulations.figures.kinds import Drawing

PAPER = "Diehl & Cook 2015, doi:10.3389/fncom.2015.00099"
PUBLISHED = {100: 0.829, 400: 0.870, 1600: 0.919, 6400: 0.950}
READOUTS = {"all": "all activity", "proportion": "proportion weighting"}
INTENSITY = 2.0  # at which an image is first shown
SCANS = 500  # test images of scikit-learn's digits


@dataclass(frozen=True)
class DigitsUnsupervised(SeedsApart):
    __doc__ = __doc__

    name: ClassVar[str] = "digits_unsupervised"
    summary: ClassVar[str] = "digits learnt by STDP and competition without labels, on MNIST or scikit-learn's scans"
    source: ClassVar[str] = PAPER
    default_seeds: ClassVar[int] = 5
    uses: ClassVar[tuple[str, ...]] = ("diehl_cook", "lif_conductance")
    of_first: ClassVar[tuple[str, ...]] = ("weights",)  # for the figure
    short: ClassVar[Mapping[str, Any]] = {"images": 300, "test": 200, "passes": 1, "control": 60}
    measures: ClassVar[tuple[Measure, ...]] = (
        Measure("accuracy_all", "", "share of test images named rightly by all activity", within=SHARE),
        Measure("control_all", "", "the same before learning", within=SHARE),
        Measure("accuracy_proportion", "", "share of test images named rightly by proportion weighting", within=SHARE),
        Measure("control_proportion", "", "the same before learning", within=SHARE),
        Measure("spikes_per_image", "", "output spikes for a test image"),
        Measure("intensity", "", "intensity at which the last training images were answered"),
        Measure("theta_mv", "mV", "mean rise of the thresholds"),
    )

    data: str = setting("digits", "images: scikit-learn's 8x8 scans, or MNIST 28x28", choices=("digits", "mnist"))
    neurons: int = setting(100, "excitatory neurons, and as many inhibitory ones", low=2, high=20_000)
    passes: int = setting(3, "how often the training images are shown", low=1, high=100)
    images: int = setting(0, "training images; 0: all there are", low=0, high=60_000)
    test: int = setting(0, "test images; 0: all there are", low=0, high=10_000)
    labels: int = setting(10_000, "how many training images say what the neurons stand for", low=10, high=60_000)
    control: int = setting(
        2000, "the most images that assign, and that test, the network before learning; 0: none", low=0, high=60_000
    )
    rule: str = setting("diehl_cook", "rule of the plastic synapses")
    theta_plus_mv: float | None = setting(
        None, "rise of a threshold at a spike (the paper: 0.05); none: see w_ie", "mV", low=0, high=10, once=-1.0
    )
    w_ie: float | None = setting(
        None,
        "inhibition, in units of the leak (the paper: 17); none: the paper's, or what suits many images for each neuron",
        low=0,
        high=1000,
        once=-1.0,
    )
    dt_ms: float = setting(0.5, "time step", "ms", low=0.1, high=1)
    block: int = setting(
        0, "presentations between two checkpoints; 0: 1000, or a sixth of the images if that is less", low=0, high=1_000_000
    )

    def refuse(self) -> None:
        check_rule(self.rule)
        if 0 < self.images < 60:
            raise WrongUse(f"{self.name}: images={self.images} are too few for ten classes; give at least 60, or 0 for all.")

    def split(self, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Training images (0 to 1), their classes, test images, their classes."""
        known = DATASETS[self.data]()
        train, test = known.apart(SCANS, seed)
        train, test = train[: self.images or None], test[: self.test or None]
        return *(known.intensity(train, np.float32), known.labels[train]), known.intensity(test, np.float32), known.labels[test]

    @property
    def bytes(self) -> float:
        block = self.block or 1000
        return DiehlCook(inputs=DATASETS[self.data].features, neurons=self.neurons, images=block, presentations=block).bytes

    def values(self, images: int) -> dict[str, Any]:
        """`theta_plus_mv` and `w_ie`: as set, or what suits so many neurons and images."""
        chosen = {name: float(getattr(self, name)) for name in ("theta_plus_mv", "w_ie") if getattr(self, name) is not None}
        return suited(self.neurons, images * self.passes) | chosen

    def learner(self, seed: int, images: int, checkpoints: Path | None = None) -> DiehlCookClassifier:
        """The estimator of a seed."""
        return DiehlCookClassifier(
            neurons=self.neurons, passes=self.passes, rule=self.rule, intensity=INTENSITY, label_images=self.labels,
            **self.values(images), dt_ms=self.dt_ms, block=self.block or max(10, min(1000, images // 6)),
            checkpoint=None if checkpoints is None else str(checkpoints), random_state=seed,
        )  # fmt: skip

    def one(self, seed: int, tell: Progress, checkpoints: Path | None) -> dict[str, np.ndarray]:
        """Train, assign and test one seed."""
        X, y, X_test, y_test = self.split(seed)
        share = 1.0 if not self.control else 0.9  # of the time, about
        learner = self.learner(seed, len(X), checkpoints)
        arrays = learner.evaluated(X, y, X_test, y_test, lambda fraction, note="": tell(share * fraction, note=note))
        if self.control:
            few = slice(self.control)
            before = self.learner(seed, len(X)).untrained(X[few], y[few]).accuracies(X_test[few], y_test[few])
            arrays |= {f"control_{readout}": np.array(right) for readout, right in before.items()}
        return arrays

    def numbers(self, a: Arrays) -> dict[str, Any]:
        images = int(of(a, "training_images")[0])
        told: dict[str, Any] = {
            "data": self.data, "neurons": self.neurons, "passes": self.passes, "training_images": images,
            "label_images": min(self.labels, images), "test_images": len(of(a, "label")[0]),
            **self.values(images), "seeds": a["seeds"].tolist(), "chance": 0.1, "ceiling": 1.0,
        }  # fmt: skip
        for readout in READOUTS:
            pairs = zip(of(a, f"answer_{readout}"), of(a, "label"), strict=True)
            told[f"accuracy_{readout}"] = each_and_mean([np.mean(answer == label) for answer, label in pairs], SHARE)
            if self.control:
                told[f"control_{readout}"] = each_and_mean(of(a, f"control_{readout}"), SHARE)
        told["spikes_per_image"] = each_and_mean([spikes.mean() for spikes in of(a, "test_spikes")])
        if all(len(line) for line in of(a, "history_intensity")):
            told["intensity"] = each_and_mean([line[-1] for line in of(a, "history_intensity")])
        told["theta_mv"] = each_and_mean([theta.mean() for theta in of(a, "theta_mv")])
        told["training_ms_per_image"] = each_and_mean([1e3 * float(s) / (images * self.passes) for s in of(a, "train_s")])
        return told

    def checks(self, a: Arrays) -> Iterable[Check]:
        told = self.numbers(a)
        if "intensity" in told:
            yield within(
                "mean intensity at which the last training images were answered, in multiples of the first (1: at once)",
                told["intensity"]["mean"] / INTENSITY, high=1.5, strict=True, tolerance="below", kind="own",
                source="where it rises, thresholds have outgrown the drive: fewer passes, more neurons, a smaller theta_plus_mv",
            )  # fmt: skip
        accuracy, control, published = told["accuracy_all"], told.get("control_all"), PUBLISHED.get(self.neurons)
        if published and self.data == "mnist" and not self.images and not self.test:
            yield within(
                f"{self.neurons} neurons: accuracy on the 10,000 test images, all activity", accuracy["mean"], low=published,
                published=published, tolerance="at least the published", kind="paper", source=PAPER,
            )  # fmt: skip
        if control:
            yield every_seed(
                "accuracy after learning against the same network before (all activity)",
                np.array(accuracy["each"]) > np.array(control["each"]), published=f"above {control['mean']:.3f}",
                told=accuracy["mean"], tolerance="above in every seed", kind="own", source="control: no learning",
            )  # fmt: skip

    def figures(self, a: Arrays) -> Mapping[str, Drawing]:
        told, seeds, network = self.numbers(a), len(a["seeds"]), f"{self.data}, {self.neurons} neurons"
        what = f"{network}, {told['training_images']:,} training images x {self.passes}, {told['label_images']:,} of them name"
        what += f" the neurons, {told['test_images']:,} test images"
        shares = [
            confusion(
                np.concatenate(of(a, f"answer_{readout}")), np.concatenate(of(a, "label")), 10, y="digit",
                title=f"{title}: {100 * told[f'accuracy_{readout}']['mean']:.1f} % right",
            )
            for readout, title in READOUTS.items()
        ]  # fmt: skip
        label, look, first = "share of a digit's test images (%)", {"shrink": 0.75}, a["seeds"][0]
        weights, belongs = a[f"seed{first}_weights"], of(a, "assignment")
        return {
            "accuracy": page([self._accuracy(a, told)], size=(6.8, 4.0), legend=2, caption=f"{what}\ntest: {over_seeds(seeds)}"),
            "confusion": page(shares, size=(8.6, 4.5), bar=label, bar_look=look, caption=f"{what}, {seeds} seeds"),
            "receptive_fields": receptive_fields(weights, belongs[0], "digit", f"{self.data}, seed {first}"),
            "assignment": assignment(belongs, 10, "digit", network),
            "spikes": page(spikes(_courses(a, "spikes", "intensity"), of(a, "test_spikes")), size=(8.4, 3.6), caption=what),
        }

    def _accuracy(self, a: Arrays, told: Mapping[str, Any]) -> Panel:
        """Accuracy while it learns (DiehlCookClassifier.history_), at the end that of the test."""
        levels = [level(10, linestyle=":", linewidth=1, label="chance")]
        if self.data == "mnist" and self.neurons in PUBLISHED:
            published = 100 * PUBLISHED[self.neurons]
            levels.append(level(published, color=GREEN, linestyle="--", linewidth=1, label="Diehl & Cook 2015, test"))
        tests, end = {title: told[f"accuracy_{key}"] for key, title in READOUTS.items()}, told["training_images"] * self.passes
        return learning(_courses(a, "accuracy"), end, tests, told.get("control_all"), *levels)


def _courses(a: Arrays, *names: str) -> list[list[np.ndarray]]:
    return courses(*(of(a, f"history_{name}") for name in ("trials", *names)))


if __name__ == "__main__":
    script(DigitsUnsupervised.name)
