"""Digits learnt without labels: the network of Diehl & Cook as a scikit-learn estimator."""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import brian2
import numpy as np
from brian2 import ms
from sklearn.base import ClassifierMixin
from sklearn.utils.validation import check_is_fitted

import plasticity
from plasticity import settings
from plasticity.ablations import Ablation, by_name, of_rule, prototypes
from plasticity.checked import checked
from plasticity.checkpoints import Checkpoints
from plasticity.engine import Program, backend, canonical
from plasticity.engine.operations import CostModel, Costs, SpikeCounts
from plasticity.errors import WrongUse, unknown
from plasticity.learners import inputs, learner
from plasticity.learners.learner import Learner, Variant
from plasticity.networks import diehl_cook
from plasticity.networks.diehl_cook import DiehlCook
from plasticity.parallel import Progress, quiet
from plasticity.rules import RULES, Rule
from plasticity.settings import estimator, setting

READOUTS = ("all", "proportion")
WEIGHTS = ("learnt", "frozen", "examples", "k_means")  # where they come from; without labels there are no class means
FEW = 10  # images of which no accuracy is told
WINDOW = 10_000  # images whose responses say, during training, what the neurons stand for so far
_LABELS, _ANSWERS = 1_000_000, 2_000_000  # what keeps their seeds apart from those of training


MANY = 300  # images that a neuron must answer for


def suited(neurons: int, shown: int) -> dict[str, float]:
    """Values of `theta_plus_mv` and `w_ie` for so many neurons and presentations of images: the paper's, but for few neurons.

    Where each of at most 100 neurons must answer for more than `MANY` images, a threshold that rises by the paper's 0.05 mV at
    every spike outgrows the drive, and several neurons answer an image: half the rise and three times the inhibition do better
    (100 neurons, 50,000 images of MNIST, one seed: 87.1 instead of 79.2 %). Where there are fewer images so much inhibition lets
    a few neurons answer all of them. Chosen on training images 50,001 to 60,000 of MNIST; no test image was looked at.
    """
    few = neurons <= 100 and shown > MANY * neurons
    return {"theta_plus_mv": 0.025, "w_ie": 50.0} if few else {"theta_plus_mv": 0.05, "w_ie": 17.0}


@estimator
class DiehlCookClassifier(ClassifierMixin, Learner):
    """The network of Diehl & Cook 2015: it learns from images alone, and is told afterwards which neuron stands for which class.

    Plastic synapses lead from Poisson inputs to excitatory neurons that silence each other by way of inhibitory ones; it is drawn
    in `plasticity.networks.diehl_cook`. `fit` shows the images, without their labels. Then learning is switched off and the first
    `label_images` of the very same training images say what each neuron responds to. No other image is looked at.

    Two readouts. "all" (all activity, the paper's): a neuron belongs to the class to whose images it fires most on average; the
    answer is the class whose neurons fire most on average. "proportion" (proportion weighting): a neuron votes for every class
    in proportion to its mean response to it.

    Attributes
    ----------
    weights_ : array (inputs, neurons)
    theta_ : array (neurons,), volt
    responses_ : array (classes, neurons), mean spikes at an image of each class, learning switched off
    assignment_ : array (neurons,), the class of each neuron
    history_ : dict of arrays, a value for each block of a pass from its second on, blocks of fewer than `FEW` images left out:
        `trials` (images so far), `accuracy` (the images of the block, neurons named by the other images of this pass, in the
        blocks before; the spikes are those of training, and after the first pass the weights have seen the image before),
        `spikes` and `intensity` (means over its images), `theta_mv` (mean)
    activity_ : dict
        What the network did, means over images as plain numbers: "training" (after a checkpoint the whole of it),
        "naming" (what the neurons stand for), and "decision" (of the last call of `spikes` or `predict`). See
        `plasticity.engine.operations.CostModel.activity`; an image that is shown again counts with all its presentations.
    seconds_ : dict, wall time of `training`, `labels`, `compilation`
    parameters_ : int, number of plastic synapses
    backend_ : str, `cpp_standalone` or `numpy`

    Raises
    ------
    WrongUse
        X outside 0 to 1 or with NaN, labels of another length, unknown names, values out of range.

    Source: Diehl & Cook 2015, doi:10.3389/fncom.2015.00099.
    """

    source: ClassVar[str] = "Diehl & Cook 2015, doi:10.3389/fncom.2015.00099"
    cost: ClassVar[float] = 30.0
    takes: ClassVar[frozenset[str]] = frozenset({"image"})
    from_task: ClassVar[tuple[str, ...]] = ()
    remark: ClassVar[str] = "learns without labels; they only name its neurons afterwards"
    curve: ClassVar[str] = "training images, named by other images"
    uses: ClassVar[tuple[str, ...]] = ("diehl_cook", "lif_conductance")
    made_anew: ClassVar[tuple[str, ...]] = ("_program", "_spec")
    variants: ClassVar[tuple[Variant, ...]] = (
        Variant(
            "diehl_cook",
            "spiking network that learns from images without labels, which then name its neurons",
            {"neurons": 100, "passes": 3, "block": 200, "readout": "proportion"},
            frozenset({"image"}),
        ),
    )

    neurons: int = setting(400, "excitatory neurons; there are as many inhibitory ones", low=1, high=20_000)
    passes: int = setting(1, "how often the training images are shown, in their order", low=1, high=1000)
    readout: str = setting("all", '"all" or "proportion", for `predict`; `answers` takes either', choices=READOUTS)
    rule: Rule | str = setting("diehl_cook", "of the plastic synapses")
    label_images: int = setting(10_000, "how many of the training images say what the neurons stand for", low=1, high=10_000_000)
    theta_plus_mv: float = setting(
        0.05,
        "rise of a neuron's threshold at each of its spikes. The paper: 0.05 mV. For few neurons see `suited`",
        "mV",
        low=0,
        high=1000,
    )
    input_hz: float = setting(
        3265.0,
        "rates of all inputs together at intensity 1, mean over the training images. With MNIST it is the paper's pixel/8 Hz",
        "Hz",
        above=0,
        high=1e6,
    )
    weight_mean: float = setting(
        78 / 784,
        "mean weight of the synapses onto a neuron; the sum is set to it at each presentation. The paper: 78 for 784 inputs",
        above=0,
        high=1000,
    )
    intensity: float = setting(2.0, "intensity at which an image is first shown", above=0, high=1000)
    enough: int = setting(5, "how many spikes an image must draw; else it is shown again, brighter by 1", low=1, high=1000)
    w_ei: float = setting(
        10.4,
        "conductance of the fixed synapses onto inhibitory neurons, in units of the leak. The paper's program: 10.4",
        low=0,
        high=1e4,
    )
    w_ie: float = setting(
        17.0,
        "conductance of the fixed synapses onto excitatory neurons, in units of the leak. The paper's program: 17",
        low=0,
        high=1e4,
    )
    dt_ms: float = setting(0.5, "time step", "ms", low=1e-3, high=1e5)
    block: int = setting(
        1000, "presentations in one run of the compiled program; a checkpoint is written after each", low=1, high=1_000_000
    )
    checkpoint: str | os.PathLike[str] | None = setting(
        None,
        "a folder for the checkpoints of one training: `fit` goes on from the last whole one there; other data or parameters are"
        " refused (so none of it in a grid search). Without one, nothing is written",
    )

    @property
    def given(self) -> tuple[str, ...]:
        return ("labels",)

    @property
    def learns(self) -> tuple[str, ...]:
        return ("images",)

    weights: str = setting(
        "learnt",
        "where the weights come from; a control where they are not learnt. frozen: as drawn at random; examples, k_means:"
        " patterns of the training images, whatever their class, with the same sum. Thresholds adapt as ever",
        choices=WEIGHTS,
        later=True,
    )
    rates_only: bool = setting(
        False, "a control: plasticity sees Poisson spikes of the same rates, drawn apart from those transmitted", later=True
    )

    def ablations(self) -> Mapping[str, Ablation]:
        """Of its rule, of the timing that plasticity sees, of its weights, of competition and of adaptation."""
        rule = RULES[self.rule] if isinstance(self.rule, str) else self.rule
        return by_name(
            [
                *of_rule(rule),
                Ablation(
                    "rates_only",
                    "plasticity sees Poisson spikes of the same rates, drawn apart from those transmitted",
                    {"rates_only": True},
                ),
                Ablation("weights_frozen", "weights stay as they were drawn", {"weights": "frozen"}),
                Ablation("weights_examples", "weights are training images, drawn at random", {"weights": "examples"}),
                Ablation("weights_k_means", "weights are centres of k-means of all training images", {"weights": "k_means"}),
                Ablation("competition_off", "excitatory neurons do not inhibit each other", {"w_ie": 0.0}),
                Ablation("adaptation_off", "thresholds do not rise", {"theta_plus_mv": 0.0}),
            ]
        )

    def check(self) -> None:
        """WrongUse for parameters that cannot be, or a rule that the network cannot have."""
        settings.check(self)
        DiehlCook(dt=self.dt_ms * ms)  # the presentation must be a multiple of it
        check_rule(self.rule)
        if self.checkpoint is not None and not str(self.checkpoint).strip():
            raise WrongUse("DiehlCookClassifier: checkpoint='' names no folder; leave it out to write none.")

    # -- running ------------------------------------------------------------------------------------------------------

    def _prepare(self, inputs: int) -> None:
        rule = RULES[self.rule] if isinstance(self.rule, str) else self.rule
        spec = DiehlCook(
            inputs=inputs, neurons=self.neurons, images=self.block, presentations=self.block, rule=rule, dt=self.dt_ms * ms,
            apart=self.rates_only,
        )  # fmt: skip
        started = time.perf_counter()
        self._spec = spec
        self._cost_model: CostModel = spec.costs()
        self._program: Program = spec.program()
        self._compilation = time.perf_counter() - started
        self.backend_ = backend()
        values = {"first": self.intensity, "enough": self.enough, "total": self.weight_mean * inputs}
        self._values: dict[str, Any] = values | {"w_ei": self.w_ei, "w_ie": self.w_ie}
        self._values["excitatory.theta_plus"] = self.theta_plus_mv / 1e3

    def _blocks(
        self,
        X: np.ndarray,
        state: dict[str, Any],
        what: int,
        counts: SpikeCounts,
        start: int = 0,
        number: int = 0,
        tell: Progress = quiet,
    ) -> Iterator[_Block]:
        """Show the images from number `start` on, in blocks of so many presentations.

        The image that drew too few spikes at the end of a block is the first of the next one. Learning is on in training
        (`what` is the number of the pass), off while labels are assigned and questions answered.
        """
        period = float(self._spec.presentation)
        learn = float(what < _LABELS)
        while start < len(X):
            there = min(self.block, len(X) - start)
            # the last images may need more presentations than there are images
            presentations = self.block if there == self.block else min(self.block, there + max(10, there // 10))
            given = {**self._values, **state, "images": X[start : start + there] * self._max_rate_hz, "last": there}
            given |= {"learn": learn, "plastic": learn * (self.weights == "learnt")}
            seed = int(np.random.SeedSequence([self.random_state, what, number]).generate_state(1)[0])
            out = self._program.run(seed, given, duration=presentations * self._spec.presentation, progress=tell)
            which = np.minimum((out["spike_time"] / period + 1e-6).astype(int), presentations - 1)
            flat = np.bincount(which * self.neurons + out["spike_neuron"], minlength=presentations * self.neurons)
            shown, intensity = (out[f"shown_{name}"].ravel()[:presentations] for name in ("image", "intensity"))
            given_up = intensity[-1] >= diehl_cook.BRIGHTEST * self.intensity
            last = bool(out["control.count"][0] >= self.enough or given_up)
            answered = np.append(np.diff(shown) > 0, last) & (shown < there)
            state = {name: out[name] for name in self._spec.state()}
            state["control.image"] = np.array([-1 if last or shown[-1] >= there else 0])  # 0: the same image again
            spikes = flat.reshape(presentations, self.neurons)[answered]
            lit = int((shown < there).sum())  # after the last image the network waits for the end of the run, silent
            counts.add(out, len(spikes), lit * round(period / float(self._spec.dt)), lit)
            yield _Block(start, number, spikes, intensity[answered], state)
            start, number = start + len(spikes), number + 1

    def _frozen(self, X: np.ndarray, what: int, name: str, tell: Progress = quiet) -> np.ndarray:
        """Spikes of each neuron at each image with learning switched off, (images, neurons); counted in `activity_[name]`."""
        counts = SpikeCounts()
        state = {"plastic.w": self.weights_.ravel(), "excitatory.theta": self.theta_, **_FRESH}
        found: list[np.ndarray] = []

        def told(fraction: float, note: str = "") -> None:
            done = sum(map(len, found))
            tell((done + fraction * min(self.block, len(X) - done)) / len(X))

        for block in self._blocks(X, state, what, counts, tell=told):
            found.append(block.spikes)
        self.activity_[name] = self._cost_model.activity(counts, learning=False)
        return np.concatenate(found)

    def _begin(self, X: Any, y: Any) -> tuple[np.ndarray, np.ndarray]:
        """Images and class numbers, checked; the program, compiled; the weights before learning."""
        self.check()
        given, X = X, self._images(X, fitting=True)
        y = inputs.labels(self, given, y)
        self.classes_, labels = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise WrongUse("learning to classify needs images of at least two classes; y holds 1 class.")
        mean = float(X.mean(dtype=np.float64)) * X.shape[1]
        if not mean > 0:
            raise WrongUse("every image in X is dark; nothing would fire.")
        self._max_rate_hz = self.input_hz / mean
        self._prepare(X.shape[1])
        self.parameters_ = X.shape[1] * self.neurons
        rng = np.random.default_rng([self.random_state, 0])
        self.weights_ = 0.3 * rng.random((X.shape[1], self.neurons))
        self.theta_ = np.full(self.neurons, float(diehl_cook.THETA))
        self.activity_: dict[str, dict[str, Any]] = {}
        return X, labels

    def _images(self, X: Any, fitting: bool = False) -> np.ndarray:
        """X (images, inputs), from 0 to 1; float64, or float32 where it is given."""
        images = inputs.matrix(self, X, fitting, "(images, inputs)", dtype=[np.float64, np.float32])
        low, high = float(images.min()), float(images.max())
        if not (low >= 0 and high <= 1):  # NaN fails as well
            wanted = "every value must be a number from 0 to 1, none NaN"
            raise WrongUse(f"the images in X run from {low:.9g} to {high:.9g}; {wanted}.")
        return images

    def untrained(self, X: Any, y: Any) -> DiehlCookClassifier:
        """The control: everything that `fit` does but learning; the weights have the sum that training begins with."""
        X, labels = self._begin(X, y)
        self.weights_ = np.clip(self.weights_ * self._values["total"] / self.weights_.sum(axis=0), 0, 1)
        naming = self._naming(labels)
        self._fitted = self._parameters()
        self._assign(self._frozen(X[naming], _LABELS, "naming"), labels[naming])
        return self

    def _replace_weights(self, X: np.ndarray) -> None:
        """The weights that stay, with the sum that learnt ones are set to at each presentation."""
        made = self.weights_
        if self.weights != "frozen":
            rng = np.random.default_rng([self.random_state, 3])
            made = prototypes(self.weights, X, np.zeros(len(X), np.int64), np.array([self.neurons]), rng)
        self.weights_ = np.clip(made * self._values["total"] / np.maximum(made.sum(axis=0), 1e-12), 0, 1)

    def _naming(self, labels: np.ndarray) -> np.ndarray:
        """Which images say what the neurons stand for: the first `label_images`.

        Where these lack a class or hold less than half of its share, as of images in the order of their classes, it is the first
        images of each class in proportion, at least one of each. A warning says which classes have none, where they are more
        classes than images.
        """
        there, wanted = len(labels), min(self.label_images, len(labels))
        of_class = np.bincount(labels)
        share = wanted * of_class / there
        if (np.bincount(labels[:wanted], minlength=len(of_class)) >= np.maximum(1, share / 2)).all():
            return np.arange(wanted)
        if wanted < len(of_class):
            warnings.warn(
                f"DiehlCookClassifier: label_images={wanted} are fewer than the {len(of_class)} classes, so that no neuron stands"
                f" for some of them; give label_images={len(of_class)} or more.",
                UserWarning,
                stacklevel=3,
            )
        order = np.argsort(labels, kind="stable")
        place = np.empty(there, np.int64)  # of an image among those of its class
        place[order] = np.arange(there) - np.repeat(np.cumsum(of_class) - of_class, of_class)
        # the first of each class, then by the share of its class that an image completes
        return np.sort(np.lexsort((labels, np.where(place == 0, 0.0, (place + 0.5) / of_class[labels])))[:wanted])

    @checked
    def restore(self, state: Mapping[str, Any]) -> None:
        """Take over what `state` gave, and find or compile the program."""
        self._held(state, "n_features_in_", "classes_")
        self._prepare(int(state["n_features_in_"]))
        super().restore(state)

    def _parameters(self) -> dict[str, Any]:
        """What the network is made of."""
        apart = {"checkpoint", "readout", "label_images", *settings.unsaid(self)}
        return {k: v for k, v in self.get_params(deep=False).items() if k not in apart}

    @checked
    def fit(self, X: Any, y: Any, progress: Progress = quiet) -> DiehlCookClassifier:
        """Learn from the images X (images, inputs), from 0 to 1, in their order; y (images,) names them afterwards.

        `progress` takes the fraction that is done and a note: images, accuracy so far, images per second.
        """
        X, labels = self._begin(X, y)
        if self.weights != "learnt":
            self._replace_weights(X)
        naming = self._naming(labels)
        share = self.passes * len(X) / (self.passes * len(X) + len(naming))
        with contextlib.ExitStack() as stack:
            kept = None
            if self.checkpoint is not None:
                kept = stack.enter_context(Checkpoints.open(Path(self.checkpoint), self._configuration(X, labels)))
            self._train(X, labels, kept, lambda fraction, note="": progress(share * fraction, note))
        started = time.perf_counter()
        self._fitted = self._parameters()
        spikes = self._frozen(
            X[naming], _LABELS, "naming", lambda fraction, note="": progress(share + (1 - share) * fraction, "naming")
        )
        self._assign(spikes, labels[naming])
        self.seconds_ = {"training": self._trained_s, "labels": time.perf_counter() - started, "compilation": self._compilation}
        self.compile_seconds_ = self._compilation
        self.arrays_ = {
            "weights": self.weights_.astype(np.float32), "theta": self.theta_, "neuron_class": self.classes_[self.assignment_]
        }  # fmt: skip
        return self

    def _configuration(self, X: np.ndarray, y: np.ndarray) -> dict[str, Any]:
        """What training depends on: two trainings with the same go through the same states."""
        given = self._parameters()
        data = "".join(hashlib.sha256(np.ascontiguousarray(part).data).hexdigest() for part in (X, y))
        versions = {"backend": self.backend_, "brian2": brian2.__version__, "plasticity": plasticity.__version__}
        return {name: canonical(value) for name, value in given.items()} | {"data": data, **versions}

    def _train(self, X: np.ndarray, labels: np.ndarray, kept: Checkpoints | None, progress: Progress) -> None:
        state: dict[str, Any] = {"plastic.w": self.weights_.ravel(), "excitatory.theta": self.theta_, **_FRESH}
        sums = np.zeros((0, len(self.classes_), self.neurons), np.float32)  # of each of the last blocks: spikes at each class
        shown = np.zeros((0, len(self.classes_)), np.int64)  # and how many images of it there were
        history = {name: np.zeros(0) for name in ("trials", "accuracy", "spikes", "intensity", "theta_mv")}
        first, start, number, counter, before_s = 0, 0, 0, 0, 0.0
        counts = SpikeCounts()
        found = kept.latest() if kept is not None else None
        if found is not None:
            places = ("pass", "start", "block", "counter", "seconds")
            first, start, number, counter, before_s = (found.numbers[name] for name in places)
            counts = SpikeCounts(**found.numbers.get("tally", {}))
            arrays = found.arrays
            state = {name: arrays[name.replace(".", "__")] for name in self._spec.state()}
            sums, shown = arrays["sums"], arrays["shown"]
            history = {name: arrays[f"history_{name}"] for name in history}
        total, began_s, began = self.passes * len(X), time.perf_counter(), first * len(X) + start
        told = ""
        for turn in range(first, self.passes):
            if start == 0:  # no image may be named by what it showed itself in the pass before
                sums, shown = sums[:0], shown[:0]
            done = turn * len(X) + start

            def tell(fraction: float, note: str = "") -> None:
                progress(min(1.0, (done + fraction * self.block) / total), told)  # noqa: B023

            for block in self._blocks(X, state, turn, counts, start, number, tell):
                state, of = block.state, labels[block.start : block.start + len(block.spikes)]
                done = turn * len(X) + block.start + len(of)
                accuracy = np.nan
                if len(shown) and len(of):
                    answers = votes(block.spikes, _means(sums, shown), "all").argmax(axis=1)
                    accuracy = float(np.mean(answers == of))
                own = np.zeros((1, *sums.shape[1:]), np.float32)
                np.add.at(own[0], of, block.spikes)
                sums = np.concatenate([sums, own])
                shown = np.concatenate([shown, np.bincount(of, minlength=len(self.classes_))[None]])
                while len(shown) > 1 and shown[1:].sum() >= WINDOW:
                    sums, shown = sums[1:], shown[1:]
                row = (
                    done, accuracy, block.spikes.sum(axis=1).mean() if len(of) else np.nan,
                    block.intensity.mean() if len(of) else np.nan, 1e3 * float(np.mean(state["excitatory.theta"])),
                )  # fmt: skip
                if len(of) >= FEW:
                    history = {name: np.append(history[name], value) for name, value in zip(history, row, strict=True)}
                spent = time.perf_counter() - began_s
                told = f"{done:,} images" + (f", {accuracy:.0%} right" if np.isfinite(accuracy) else "")
                told += f", {(done - began) / spent:.0f} images/s"
                progress(done / total, told)
                at_end = block.start + len(of) == len(X)
                if at_end:
                    state = {**state, **_FRESH}
                counter += 1
                if kept is not None:
                    place = {
                        "pass": turn + at_end, "start": 0 if at_end else block.start + len(of),
                        "block": 0 if at_end else block.number + 1, "seconds": before_s + spent, "counter": counter,
                        "tally": vars(counts),
                    }  # fmt: skip
                    arrays = {name.replace(".", "__"): np.asarray(value) for name, value in state.items()}
                    arrays |= {"sums": sums, "shown": shown, **{f"history_{name}": line for name, line in history.items()}}
                    kept.save(counter, place, arrays, before_s + spent, self.backend_)
            start = number = 0
        self.weights_ = np.asarray(state["plastic.w"]).reshape(X.shape[1], self.neurons)
        self.theta_ = np.asarray(state["excitatory.theta"])
        self.activity_["training"] = self._cost_model.activity(counts, learning=True)
        known = np.isfinite(history["accuracy"])  # not of the first
        self.history_ = {name: line[known] for name, line in history.items()}
        self._trained_s = before_s + time.perf_counter() - began_s

    def _assign(self, spikes: np.ndarray, labels: np.ndarray) -> None:
        sums = np.zeros((len(self.classes_), self.neurons))
        np.add.at(sums, labels, spikes)
        self.responses_ = _means(sums[None], np.bincount(labels, minlength=len(self.classes_))[None])
        self.assignment_ = self.responses_.argmax(axis=0)
        self.label_spikes_ = spikes

    @checked
    def spikes(self, X: Any, progress: Progress = quiet) -> np.ndarray:
        """Spikes of each neuron at each image with learning switched off, (images, neurons).

        The same at each call with the same X. What an image draws depends on its place in X, since the Poisson inputs of all
        images are one stream of random numbers: at another place it meets other noise, as with another seed (400 scans, 60
        neurons: 16 % of the answers changed when the images were shuffled, 17 % with another seed and nothing moved). What the
        image before leaves behind is not seen beside that: means over 12 draws after two different images differ by what
        the noise explains (mean z^2 1.01 over 40 images, 1 without an effect).
        """
        check_is_fitted(self, "responses_")
        if self._parameters() != self._fitted:
            raise WrongUse("parameters were changed after fit; fit again, or set them back.")
        return self._frozen(self._images(X), _ANSWERS, "decision", progress)

    @checked
    def answers(self, spikes: np.ndarray, readout: str | None = None) -> np.ndarray:
        """The class that these spikes (images, neurons) speak for, by a readout."""
        check_is_fitted(self, "classes_")
        return self.classes_[votes(spikes, self.responses_, readout or self.readout).argmax(axis=1)]

    def accuracies(self, X: Any, y: Any) -> dict[str, float]:
        """The share of right answers by each readout."""
        spikes = self.spikes(X)
        return {readout: float(np.mean(self.answers(spikes, readout) == y)) for readout in READOUTS}

    @checked
    def evaluated(self, X: Any, y: Any, X_test: Any, y_test: Any, progress: Progress = quiet) -> dict[str, np.ndarray]:
        """`fit`, then a test: what came out, as arrays that are small enough to be kept.

        Returns
        -------
        `train_s`, `test_s`, `training_images`; `label`, `test_spikes` and answer_READOUT of each test image; `assignment`,
        `theta_mv` of each neuron; `weights`; and what `history_` holds as history_NAME
        """
        inputs.matrix(self, X, fitting=True, shape="(images, pixels)")
        inputs.matrix(self, X_test, shape="(images, pixels)")
        share = len(X) * self.passes / (len(X) * self.passes + len(X_test))
        self.fit(X, y, progress=lambda fraction, note="": progress(share * fraction, note=note))
        began = time.perf_counter()
        spikes = self.spikes(X_test, lambda fraction, note="": progress(share + (1 - share) * fraction, note="testing"))
        return {
            "test_s": np.array(time.perf_counter() - began), "train_s": np.array(self.seconds_["training"]),
            "label": y_test.astype(np.uint8), "test_spikes": spikes.sum(axis=1).astype(np.int16),
            "assignment": self.assignment_.astype(np.uint8), "theta_mv": (1e3 * self.theta_).astype(np.float32),
            "weights": self.weights_.astype(np.float16), "training_images": np.array(len(X)),
            **{f"answer_{readout}": self.answers(spikes, readout).astype(np.uint8) for readout in READOUTS},
            **{f"history_{name}": line for name, line in self.history_.items()},
        }  # fmt: skip

    def _votes(self, X: Any) -> np.ndarray:
        """Votes for each class, (images, classes); a warning where nothing speaks for any class at many images."""
        found = votes(self.spikes(X), self.responses_, self.readout)
        inputs.warn_of_silence(
            self,
            found,
            lambda: (
                f"Give a larger input_hz (it is {self.input_hz:g}), fewer spikes for the same rise of thresholds (theta_plus_mv="
                f"{self.theta_plus_mv:g}), or more label_images (it is {self.label_images}), so that more neurons stand for a"
                " class."
            ),
        )
        return found

    def decision_function(self, X: Any) -> np.ndarray:
        """Votes for each class, (images, classes); of two classes those for the second minus those for the first, (images,)."""
        return inputs.decisions(self._votes(X))

    def represent(self, X: Any) -> np.ndarray:
        """`spikes`: what the network makes of each image, (images, neurons)."""
        return self.spikes(X)

    def predict_proba(self, X: Any) -> np.ndarray:
        """Each class's share of the votes, (images, classes); equal shares where nothing fired."""
        found = self._votes(X)
        total = found.sum(axis=1, keepdims=True)
        return np.where(total > 0, found / np.where(total > 0, total, 1.0), 1 / found.shape[1])

    def costs(self) -> Costs:
        """What `fit` and the last decisions took; naming the neurons once."""
        check_is_fitted(self, "activity_")
        return Costs.of_spiking(self.activity_)

    def predict(self, X: Any) -> np.ndarray:
        """The class of each image: the one with the most votes, the first of those with as many.

        Where nothing speaks for any class at many images, a warning says how many and what to do.
        """
        winner = self._votes(X).argmax(axis=1)
        return self.classes_[winner]


def check_rule(rule: Any) -> None:
    """WrongUse unless it is a rule of pairs and triplets of spikes alone."""
    found = rule if isinstance(rule, Rule) else RULES[rule] if isinstance(rule, str) else None
    if found is None:
        raise WrongUse(f"DiehlCookClassifier: rule={rule!r} is no rule; give a name or a Rule: {', '.join(sorted(RULES))}.")
    learner.check_rule(found, _unfit)


def _unfit(rule: Rule) -> str:
    if rule.drift or rule.state:
        return "needs more than spikes, which this network does not have"
    return DiehlCook().unfit(rule)


_FRESH = {"control.image": -1, "control.count": 10**6, "control.intensity": 0.0}  # the next presentation shows image 0


class _Block(NamedTuple):
    start: int  # number of its first image
    number: int  # of the block
    spikes: np.ndarray  # (images, neurons)
    intensity: np.ndarray  # (images,), at which each was answered
    state: dict[str, np.ndarray]


def votes(spikes: np.ndarray, responses: np.ndarray, readout: str) -> np.ndarray:
    """What the spikes (images, neurons) say of each class, (images, classes), by the mean responses (classes, neurons).

    "all": mean spikes of the neurons whose largest response is to that class. "proportion": each spike is shared out among the
    classes in proportion to the responses of its neuron. A neuron that never responded says nothing.
    """
    if readout not in READOUTS:
        raise unknown("readout", str(readout), READOUTS)
    heard = responses.sum(axis=0) > 0
    if readout == "all":
        belongs = np.eye(len(responses))[responses.argmax(axis=0)] * heard[:, None]  # (neurons, classes)
        return spikes @ (belongs / np.maximum(belongs.sum(axis=0), 1))
    return spikes @ (responses / np.where(heard, responses.sum(axis=0), 1.0)).T


def _means(sums: np.ndarray, shown: np.ndarray) -> np.ndarray:
    """Mean spikes (classes, neurons) at an image of each class."""
    return sums.sum(axis=0) / np.maximum(shown.sum(axis=0), 1)[:, None]
