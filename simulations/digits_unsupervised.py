"""How well does a network that was never told a label tell digits apart? Diehl & Cook 2015, on MNIST or on scikit-learn's digits.

A layer of spiking neurons sees one image after another; their synapses follow the paper's rule, they silence each other, and
the threshold of each rises with its own spikes (network: plasticity.networks.diehl_cook; estimator:
plasticity.unsupervised). After that, learning is switched off and training images alone say which digit each neuron stands for.

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

import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from plasticity.datasets import LOADERS
from plasticity.engine import backend
from plasticity.errors import WrongUse
from plasticity.parallel import Progress, each
from plasticity.records import Record
from plasticity.settings import setting
from plasticity.statistics import interval
from simulations.simulation import Check, Outcome, Simulation, script

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PAPER = "Diehl & Cook 2015, doi:10.3389/fncom.2015.00099"
PUBLISHED = {100: 0.829, 400: 0.870, 1600: 0.919, 6400: 0.950}
READOUTS = {"all": "all activity", "proportion": "proportion weighting"}
INTENSITY = 2.0  # at which an image is first shown
SCANS = 500  # test images of scikit-learn's digits
MOST_FIELDS = 100  # receptive fields that are drawn


@dataclass(frozen=True)
class DigitsUnsupervised(Simulation):
    __doc__ = __doc__

    name: ClassVar[str] = "digits_unsupervised"
    summary: ClassVar[str] = "digits learnt by STDP and competition without labels, on MNIST or scikit-learn's scans"
    source: ClassVar[str] = PAPER
    default_seeds: ClassVar[int] = 5
    uses: ClassVar[tuple[str, ...]] = ("diehl_cook", "lif_conductance")

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

    def __post_init__(self) -> None:
        from plasticity.unsupervised import check_rule

        check_rule(self.rule)
        if 0 < self.images < 60:
            raise WrongUse(f"{self.name}: images={self.images} are too few for ten classes; give at least 60, or 0 for all.")

    parts: str = ""  # folder in which each seed keeps its checkpoints and its result, until the whole is recorded

    def split(self, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Training images (0 to 1), their classes, test images, their classes."""
        known = LOADERS[self.data]()
        if known.test_from is None:
            from sklearn.model_selection import train_test_split

            everything = np.arange(len(known.labels))
            train, test = train_test_split(everything, test_size=SCANS, stratify=known.labels, random_state=seed)
        else:
            train, test = np.arange(known.test_from), np.arange(known.test_from, len(known.labels))
        train, test = train[: self.images or None], test[: self.test or None]
        shades = (known.pixels / np.float32(known.brightest)).astype(np.float32)
        return shades[train], known.labels[train], shades[test], known.labels[test]

    def values(self, images: int) -> dict[str, Any]:
        """`theta_plus_mv` and `w_ie`: as set, or what suits so many neurons and images."""
        from plasticity.unsupervised import suited

        chosen = {name: float(getattr(self, name)) for name in ("theta_plus_mv", "w_ie") if getattr(self, name) >= 0}
        return suited(self.neurons, images * self.passes) | chosen

    def kept(self, seed: int) -> Path | None:
        """Where a seed keeps what is finished; nowhere on a machine of a cluster that does not see the output folder."""
        parts = Path(self.parts)
        seen = self.parts and parts.parent.parent.exists()
        return parts / f"seed-{seed:04d}" if seen else None

    def learner(self, seed: int, images: int) -> Any:
        """The estimator of a seed."""
        from plasticity.unsupervised import DiehlCookClassifier

        kept = self.kept(seed)
        return DiehlCookClassifier(
            neurons=self.neurons, passes=self.passes, rule=self.rule, intensity=INTENSITY, label_images=self.labels,
            **self.values(images), dt_ms=self.dt_ms,
            block=self.block or max(10, min(1000, images // 6)),
            checkpoint=None if kept is None else str(kept / "blocks"), random_state=seed,
        )  # fmt: skip

    def one(self, seed: int, tell: Progress) -> dict[str, np.ndarray]:
        """Train, assign and test one seed; what is finished is kept in `parts`."""
        X, y, X_test, y_test = self.split(seed)
        folder = self.kept(seed)
        kept = None if folder is None else folder / "result"
        if kept is not None and kept.with_suffix(".json").exists():
            return Record.load(kept).arrays
        learner = self.learner(seed, len(X))
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
                right = before.answers(first, readout) == y_test[:few_test]
                arrays[f"control_{readout}"] = np.array(np.mean(right))
        if kept is not None:
            asked = {"seed": seed}
            Record(self.name, asked, seed, {}, arrays, float(arrays["train_s"]), backend(), 1).save(kept)
            shutil.rmtree(kept.parent / "blocks", ignore_errors=True)
        return arrays

    def run(self, seeds: Sequence[int], jobs: int, progress: Progress) -> Outcome:
        self.split(seeds[0])  # missing data is told before any work
        found = dict(each(self.one, seeds, jobs, progress))
        arrays: dict[str, np.ndarray] = {"seeds": np.array(seeds)}
        for seed in seeds:
            for name, array in found[seed].items():
                if name != "weights" or seed == seeds[0]:  # the weights of one seed are for the figure
                    arrays[f"seed{seed}_{name}"] = array
        numbers, checks = self.judge(arrays, list(seeds))
        return Outcome(numbers, checks, arrays, backend())

    def judge(self, arrays: dict[str, np.ndarray], seeds: list[int]) -> tuple[dict[str, Any], list[Check]]:
        """Numbers over seeds with their intervals, and the checks."""

        def of(name: str) -> list[np.ndarray]:
            return [arrays[f"seed{seed}_{name}"] for seed in seeds]

        def over_seeds(values: Sequence[float]) -> dict[str, Any]:
            known = np.asarray(values, float)
            low, high = interval(known)
            return {"mean": float(known.mean()), "low": low, "high": high, "each": known.tolist()}

        images = int(of("training_images")[0])
        numbers: dict[str, Any] = {
            "data": self.data, "neurons": self.neurons, "passes": self.passes, "training_images": images,
            "label_images": min(self.labels, images), "test_images": len(of("label")[0]),
            **self.values(images), "seeds": seeds, "chance": 0.1, "ceiling": 1.0,
        }  # fmt: skip
        for readout in READOUTS:
            pairs = zip(of(f"answer_{readout}"), of("label"), strict=True)
            numbers[f"accuracy_{readout}"] = over_seeds([float(np.mean(answer == label)) for answer, label in pairs])
            if self.control:
                numbers[f"control_{readout}"] = over_seeds([float(value) for value in of(f"control_{readout}")])
        numbers["spikes_per_image"] = over_seeds([float(spikes.mean()) for spikes in of("test_spikes")])
        if all(len(line) for line in of("history_intensity")):
            numbers["intensity"] = over_seeds([float(line[-1]) for line in of("history_intensity")])
        numbers["theta_mv"] = over_seeds([float(theta.mean()) for theta in of("theta_mv")])
        shown = images * self.passes
        numbers["training_ms_per_image"] = over_seeds([1e3 * float(seconds) / shown for seconds in of("train_s")])

        checks = []
        if "intensity" in numbers:
            times = numbers["intensity"]["mean"] / INTENSITY
            text = "mean intensity at which the last training images were answered, in multiples of the first (1: at once)"
            source = "where it rises, thresholds have outgrown the drive: fewer passes, more neurons, a smaller theta_plus_mv"
            checks.append(Check(text, "below 1.5", times, "below", source, bool(times < 1.5)))
        mean = numbers["accuracy_all"]["mean"]
        if self.data == "mnist" and not self.images and not self.test and self.neurons in PUBLISHED:
            wanted = PUBLISHED[self.neurons]
            text = f"{self.neurons} neurons: accuracy on the 10,000 test images, all activity"
            checks.append(Check(text, wanted, mean, "at least the published", PAPER, bool(mean >= wanted)))
        if self.control:
            before = numbers["control_all"]["mean"]
            checks.append(
                Check(
                    "accuracy after learning against the same network before (all activity)", f"above {before:.3f}", mean,
                    "above in every seed", "control: no learning",
                    bool(np.all(np.array(numbers["accuracy_all"]["each"]) > np.array(numbers["control_all"]["each"]))),
                )
            )  # fmt: skip
        return numbers, checks

    def figures(self, record: Record) -> dict[str, Figure]:
        from simulations import figures

        with figures.style():
            return {
                "accuracy": accuracy(record),
                "confusion": confusion(record),
                "receptive_fields": receptive_fields(record),
                "assignment": assignment(record),
                "spikes": spikes(record),
            }


COLUMNS = (
    "network", "images", "test, all activity % [95 % interval]", "test, proportion weighting %", "Diehl & Cook %",
    "before learning %", "seeds", "training, ms an image",
)  # fmt: skip


def markdown(told: Sequence[dict[str, Any]]) -> str:
    """The numbers of several runs as a table for the README."""

    def percent(value: dict[str, Any]) -> str:
        known = value["low"] is not None and value["high"] is not None
        return f"{100 * value['mean']:.1f}" + (f" [{100 * value['low']:.1f}, {100 * value['high']:.1f}]" if known else "")

    lines = ["| " + " | ".join(COLUMNS) + " |", "|" + "---|" * len(COLUMNS)]
    for numbers in told:
        published = PUBLISHED.get(numbers["neurons"]) if numbers["data"] == "mnist" else None
        cells = (
            f"{numbers['data']}, {numbers['neurons']} neurons",
            f"{numbers['training_images']:,} x {numbers['passes']}",
            percent(numbers["accuracy_all"]),
            percent(numbers["accuracy_proportion"]),
            f"{100 * published:.1f}" if published else "-",
            percent(numbers["control_all"]),
            ", ".join(map(str, numbers["seeds"])),
            f"{numbers['training_ms_per_image']['mean']:.1f}",
        )
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


# Figures


def _of(record: Record, name: str) -> list[np.ndarray]:
    return [record.arrays[f"seed{seed}_{name}"] for seed in record.arrays["seeds"]]


def _courses(record: Record, *names: str) -> list[list[np.ndarray]]:
    """The courses of training of each seed, without the short blocks at the end of a pass."""
    found = []
    for columns in zip(*(_of(record, f"history_{name}") for name in ("trials", *names)), strict=True):
        step = np.diff(columns[0], prepend=0)
        whole = 2 * step >= np.median(step) if len(step) else np.zeros(0, bool)
        found.append([column[whole] for column in columns])
    return found


def _what(record: Record) -> str:
    told = record.numbers
    images = f"{told['training_images']:,} training images x {told['passes']}, {told['label_images']:,} of them name the neurons"
    return f"{told['data']}, {told['neurons']} neurons, {images}, {told['test_images']:,} test images"


def accuracy(record: Record) -> Figure:
    """Accuracy while it learns (DiehlCookClassifier.history_), one line a seed; at the end the test."""
    from simulations import figures

    figure, axes = figures.new(6.8, 4.0)
    axis = axes[0, 0]
    for k, (trials, line) in enumerate(_courses(record, "accuracy")):
        label = "training images, neurons named by those before; one line a seed" if k == 0 else None
        axis.plot(trials, 100 * line, color=figures.SKY, linewidth=0.9, label=label)
    end = float(record.numbers["training_images"] * record.numbers["passes"])
    for k, (readout, colour, marker) in enumerate((("all", figures.VERMILION, "o"), ("proportion", figures.BLUE, "s"))):
        told = record.numbers[f"accuracy_{readout}"]
        x = end * (1.04 + 0.03 * k)
        if told["low"] is not None and np.isfinite(told["low"]):
            axis.plot([x, x], [100 * told["low"], 100 * told["high"]], color=colour, linewidth=2)
        label = f"test, {READOUTS[readout]}: {100 * told['mean']:.1f} %"
        axis.plot([x], [100 * told["mean"]], marker, color=colour, markersize=5, label=label)
        control = record.numbers.get(f"control_{readout}")
        if control and readout == "all":
            axis.axhline(
                100 * control["mean"], color=figures.BLACK, linestyle="-.", linewidth=1, label="before learning (control)"
            )
    axis.axhline(10, color=figures.GREY, linestyle=":", linewidth=1, label="chance")
    published = PUBLISHED.get(record.numbers["neurons"]) if record.numbers["data"] == "mnist" else None
    if published:
        axis.axhline(100 * published, color=figures.GREEN, linestyle="--", linewidth=1, label="Diehl & Cook 2015, test")
    axis.set_ylim(0, 100)
    axis.set_xlim(left=0)
    axis.set_xlabel("images shown")
    axis.set_ylabel("right answers (%)")
    figures.legend(figure, *axis.get_legend_handles_labels(), columns=2)
    figures.caption(figure, f"{_what(record)}\ntest: {figures.over_seeds(len(record.arrays['seeds']))}")
    return figure


def confusion(record: Record) -> Figure:
    """Which digit was taken for which, in percent of the test images of a digit, all seeds together."""
    from simulations import figures

    figure, axes = figures.new(8.6, 4.5, columns=2)
    shown: Any = None
    for axis, readout in zip(axes[0], READOUTS, strict=True):
        counts = np.zeros((10, 10))
        for answer, label in zip(_of(record, f"answer_{readout}"), _of(record, "label"), strict=True):
            np.add.at(counts, (label, answer), 1)
        share = 100 * counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        shown = axis.imshow(share, cmap="cividis", vmin=0, vmax=100)
        for row in range(10):
            for column in range(10):
                if share[row, column] >= 0.5:
                    colour = "black" if share[row, column] > 50 else "white"
                    axis.text(column, row, f"{share[row, column]:.0f}", ha="center", va="center", color=colour, fontsize=7)
        axis.set_xticks(range(10))
        axis.set_yticks(range(10))
        axis.set_xlabel("answer")
        axis.set_ylabel("digit")
        axis.set_title(f"{READOUTS[readout]}: {100 * record.numbers[f'accuracy_{readout}']['mean']:.1f} % right", loc="left")
    figure.colorbar(shown, ax=list(axes[0]), shrink=0.75, label="share of a digit's test images (%)")
    figures.caption(figure, f"{_what(record)}, {len(record.arrays['seeds'])} seeds")
    return figure


def receptive_fields(record: Record) -> Figure:
    """The weights onto each neuron as an image, with the digit it stands for; the first seed."""
    from simulations import figures

    seed = record.arrays["seeds"][0]
    weights, belongs = record.arrays[f"seed{seed}_weights"].astype(float), record.arrays[f"seed{seed}_assignment"]
    side = int(np.sqrt(len(weights)))
    chosen = np.linspace(0, len(belongs) - 1, min(MOST_FIELDS, len(belongs))).round().astype(int)
    order = np.argsort(belongs, kind="stable")[chosen]
    columns = int(np.ceil(np.sqrt(len(order))))
    rows = -(-len(order) // columns)
    gap = 1
    places: list[tuple[int, int, str]] = []
    canvas = np.full((rows * (side + gap) - gap, columns * (side + gap) - gap), np.nan)
    for place, neuron in enumerate(order):
        top, left = place // columns * (side + gap), place % columns * (side + gap)
        canvas[top : top + side, left : left + side] = weights[:, neuron].reshape(side, side)
        places.append((left, top, str(belongs[neuron])))
    figure, axes = figures.new(6.4, 6.2)
    axis = axes[0, 0]
    shown = axis.imshow(canvas, cmap="cividis", vmin=0, vmax=float(np.nanpercentile(canvas, 99.5)), interpolation="nearest")
    axis.set_xticks([])
    axis.set_yticks([])
    for left, top, digit in places:
        axis.text(left, top, digit, color="white", fontsize=6, ha="left", va="top")
    for spine in axis.spines.values():
        spine.set_visible(False)
    figure.colorbar(shown, ax=axis, shrink=0.7, label="weight (no unit)")
    number = f"all {len(belongs)}" if len(order) == len(belongs) else f"{len(order)} of {len(belongs)}"
    figures.caption(figure, f"weights onto {number} neurons, and the digit of each; {record.numbers['data']}, seed {seed}")
    return figure


def assignment(record: Record) -> Figure:
    """How many neurons stand for each digit."""
    from simulations import figures

    counts = np.stack([np.bincount(belongs, minlength=10) for belongs in _of(record, "assignment")])  # (seeds, digits)
    figure, axes = figures.new(6.0, 3.6)
    axis = axes[0, 0]
    axis.bar(range(10), counts.mean(axis=0), color=figures.SKY, width=0.7)
    for digit in range(10):
        places = digit + (np.linspace(-0.2, 0.2, len(counts)) if len(counts) > 1 else np.zeros(1))
        axis.plot(places, counts[:, digit], "o", color=figures.BLACK, markersize=3)
    axis.axhline(record.numbers["neurons"] / 10, color=figures.GREY, linestyle=":", label="an equal share")
    axis.set_xticks(range(10))
    axis.set_xlabel("digit")
    axis.set_ylabel("neurons that stand for it")
    axis.legend(loc="upper right")
    axis.set_ylim(0, 1.25 * counts.max())
    figures.caption(figure, f"{record.numbers['data']}, {record.numbers['neurons']} neurons; bars: mean, dots: one a seed")
    return figure


def spikes(record: Record) -> Figure:
    """Spikes of all neurons at an image: over training, and in the test."""
    from simulations import figures

    figure, axes = figures.new(8.4, 3.6, columns=3)
    for trials, line, bright in _courses(record, "spikes", "intensity"):
        axes[0, 0].plot(trials, line, color=figures.SKY, linewidth=1)
        axes[0, 1].plot(trials, bright, color=figures.ORANGE, linewidth=1)
    axes[0, 0].set_ylabel("spikes at an image")
    axes[0, 0].set_title("in training, one line a seed", loc="left")
    axes[0, 1].set_ylabel("intensity at the answer")
    axes[0, 1].set_title("raised where spikes are few", loc="left")
    for axis in axes[0, :2]:
        axis.set_xlabel("images shown")
        axis.set_xlim(left=0)
        axis.set_ylim(bottom=0)
        axis.locator_params(axis="x", nbins=4)
    pooled = np.concatenate(_of(record, "test_spikes"))
    top = int(np.percentile(pooled, 99.5)) + 2
    axes[0, 2].hist(pooled, bins=np.arange(-0.5, top + 1, max(1, top // 40)), color=figures.VERMILION)
    axes[0, 2].axvline(5, color=figures.GREY, linestyle=":", label="fewer than 5: shown again")
    axes[0, 2].set_xlabel("spikes at an image")
    axes[0, 2].set_ylabel("test images")
    axes[0, 2].set_title("in the test, all seeds", loc="left")
    axes[0, 2].legend(loc="upper right")
    figures.caption(figure, _what(record))
    return figure


if __name__ == "__main__":
    script(DigitsUnsupervised)
