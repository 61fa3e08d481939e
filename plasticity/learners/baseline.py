"""The simplest things that could do as well: classifiers of scikit-learn, with the gate given, without, or found by trying."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.cluster import KMeans
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC
from sklearn.utils.validation import check_is_fitted

from plasticity import settings
from plasticity.checked import checked
from plasticity.engine.operations import Costs, Operations
from plasticity.errors import WrongUse
from plasticity.gates import Gate, InputGain, NoGate
from plasticity.learners import inputs
from plasticity.learners.learner import Learner, Variant
from plasticity.settings import estimator, setting
from plasticity.tasks import split_streams

SHAPE = "(trials, streams*features + streams)"  # of X
KINDS: Mapping[str, tuple[str, str]] = {
    "nearest_neighbour": ("the class of the training trial that is nearest", "Cover & Hart 1967, doi:10.1109/TIT.1967.1053964"),
    "class_means": ("the class whose mean is nearest", "Tibshirani et al. 2002, doi:10.1073/pnas.082099299 (without shrinkage)"),
    "kmeans_prototypes": (
        "the class of the nearest of 20 k-means prototypes of each class",
        "Lloyd 1982, doi:10.1109/TIT.1982.1056489",
    ),
    "logistic_regression": (
        "multinomial logistic regression: a linear read-out",
        "Cox 1958, doi:10.1111/j.2517-6161.1958.tb00292.x",
    ),
    "random_forest": ("a forest of 300 trees", "Breiman 2001, doi:10.1023/A:1010933404324"),
    "support_vectors": ("support vectors with Gaussian kernels", "Cortes & Vapnik 1995, doi:10.1007/BF00994018"),
}
UNGATED = ("random_forest", "support_vectors")  # kinds that are not made with the gate and without
EACH_CUE = ("logistic_regression", "random_forest")  # kinds that are also made once for each cue


def _variants() -> tuple[Variant, ...]:
    told = "with the gate: streams times their gains, added up, as the relay of the spiking network sees them, without noise"
    plain = "without the gate: both streams and the cue as they are"
    each = "one for the trials of each cue, which is told both streams: it has nothing to attend with, and must not"
    reading = (
        "of the readings of a trial (each stream, the cued one, the others, all) that which suits held-out training trials best"
    )
    streams = frozenset({"streams"})
    return tuple(
        Variant(
            name + suffix,
            f"{summary}; {how}",
            {"kind": name, "gate": gate},
            streams if suffix else frozenset({"image", "streams"}),
            source,
        )
        for suffix, gate, how in (("_gated", InputGain(), told), ("", NoGate(), plain))
        for name, (summary, source) in KINDS.items()
        if name not in UNGATED
    ) + tuple(
        Variant(
            f"{name}_each_cue",
            f"{KINDS[name][0]}; {each}",
            {"kind": name, "gate": NoGate(), "each_cue": True},
            frozenset(),
            KINDS[name][1],
        )
        for name in EACH_CUE
    ) + (
        Variant(
            "support_vectors_of_a_reading", f"{KINDS['support_vectors'][0]}; {reading}",
            {"kind": "support_vectors", "gate": NoGate(), "reading": "chosen"}, streams, KINDS["support_vectors"][1],
        ),
    )  # fmt: skip


@estimator
class Baseline(ClassifierMixin, Learner):
    """A classifier of scikit-learn on what the spiking network's relay sees, or on the rows as they are.

    With a gate a trial is the sum of its streams times their gains (`Gate.superpose`), with `NoGate` the row of X with
    its cue. Intensities, not spikes: no noise.

    Attributes
    ----------
    classes_ : (classes,) array
    rows_, labels_ : what it has learnt from, as it sees it
    parameters_ : int, how many numbers it keeps

    Raises
    ------
    WrongUse
        What every learner refuses in X and y; fewer than two classes.
    """

    variants: ClassVar[tuple[Variant, ...]] = _variants()
    side: ClassVar[str] = "control"
    cost: ClassVar[float] = 0.5
    made_anew: ClassVar[tuple[str, ...]] = ("_fitted",)
    source: ClassVar[str] = "Pedregosa et al. 2011, JMLR 12:2825-2830 (scikit-learn)"

    kind: str = setting("nearest_neighbour", "which classifier", choices=tuple(KINDS))
    gate: Gate = setting(InputGain(), "what it is told of the cue (plasticity.gates); with NoGate the cue is a part of the row")
    each_cue: bool = setting(
        False, "with NoGate: a classifier of its own for each cue; one with fewer than two classes has that of all"
    )
    reading: str = setting(
        "all", "with NoGate, all: the row as it is; chosen: of each stream, the cued one, the mean of the others and that of all"
        " the one reading on which half of the training trials tell most of the other half", choices=("all", "chosen"),
    )  # fmt: skip
    prototypes: int = setting(20, "of kmeans_prototypes: prototypes of each class", low=1, high=10_000)
    C: float = setting(1.0, "of logistic_regression: inverse strength of the L2 penalty", above=0, high=1e9)
    streams: int = setting(2, "streams in X; the rest of X is the cue, one column a stream", low=1, high=1001)

    @property
    def learns(self) -> tuple[str, ...]:
        reads_the_cue = type(self.gate) is Gate and self.streams > 1
        return ("gate", "classes") if reads_the_cue else ("classes",)

    def _shown(self, X: Any, fitting: bool = False) -> np.ndarray:
        X = inputs.matrix(self, X, fitting=fitting, shape=SHAPE)
        stimulus, cue = split_streams(X, self.streams)
        if type(self.gate) is Gate:
            return X
        return self.gate.superpose(stimulus, cue, np.random.default_rng([self.random_state, 2]))

    def _made(self) -> Any:
        made = self._kind()
        if self.reading == "chosen":
            return _Reading(made, self.streams, self.random_state)
        return _EachCue(made, self.streams) if self.each_cue else made

    def _kind(self) -> Any:
        return {
            "nearest_neighbour": lambda: KNeighborsClassifier(1),
            "class_means": lambda: _Prototypes(1, self.random_state),
            "kmeans_prototypes": lambda: _Prototypes(self.prototypes, self.random_state),
            "logistic_regression": lambda: LogisticRegression(C=self.C, max_iter=2000),
            "support_vectors": lambda: SVC(C=10),
            "random_forest": lambda: RandomForestClassifier(300, random_state=self.random_state),
        }[self.kind]()

    def fit(self, X: Any, y: Any) -> Baseline:
        """Learn from all trials at once."""
        settings.check(self)
        for told, asked in (("each_cue=True", self.each_cue), ("reading='chosen'", self.reading == "chosen")):
            if asked and (type(self.gate) is not Gate or self.streams < 2):
                raise WrongUse(f"Baseline: {told} takes the streams as they are; give gate=NoGate() and two streams or more.")
        self.rows_ = self._shown(X, fitting=True)
        self.labels_ = inputs.labels(self, X, y)
        self.classes_ = inputs.several(self.labels_)
        self._fitted = self._made().fit(self.rows_, self.labels_)
        self.parameters_ = sum(map(_kept, self._parts()))
        return self

    def _parts(self) -> list[Any]:
        return self._fitted.parts_ if isinstance(self._fitted, (_EachCue, _Reading)) else [self._fitted]

    def costs(self) -> Costs:
        """A decision: the gate's products and sums, then each number that it keeps once. Training is not counted."""
        check_is_fitted(self, "rows_")
        kept, features = self.parameters_, self.rows_.shape[1]
        gated = 0 if type(self.gate) is Gate else self.streams * features
        used = kept // len(self._parts())  # by a decision: the classifier of its cue
        if self.kind == "random_forest":  # a comparison in each level of each tree, with a feature and a threshold
            levels = round(np.mean([tree.get_depth() for part in self._parts() for tree in part])) * 300
            done = Operations(additions=levels, weight_words=2 * levels, state_words=levels)
        else:
            distances = used if self.kind != "logistic_regression" else 0  # a difference, a square and a sum for each number
            done = Operations(used + distances + gated, used + gated, used, gated + 2 * features, used)
        stored = {"decision": {"weights": kept, "states": gated + features}}
        return Costs("control", {}, {"forward": done}, stored=stored)

    @checked
    def restore(self, state: Mapping[str, Any]) -> None:
        """Take over what `state` gave, and learn it again."""
        self._held(state, "rows_", "labels_", "classes_")
        super().restore(state)
        self._fitted = self._made().fit(self.rows_, self.labels_)

    def predict(self, X: Any) -> np.ndarray:
        """The class of each trial."""
        check_is_fitted(self, "rows_")
        return np.asarray(self._fitted.predict(self._shown(X)))


def _kept(fitted: Any) -> int:
    """How many numbers a classifier keeps; of each node of a tree its feature, threshold, two children and class."""
    if isinstance(fitted, RandomForestClassifier):
        return 5 * sum(tree.tree_.node_count for tree in fitted)
    kept = (
        getattr(fitted, name, None) for name in ("_fit_X", "support_vectors_", "dual_coef_", "centroids_", "coef_", "intercept_")
    )
    return int(sum(np.size(array) for array in kept if array is not None))


class _EachCue(ClassifierMixin, BaseEstimator):
    """A clone of a classifier for the trials of each cue, on both streams; for one with fewer than two classes, of all trials."""

    def __init__(self, one: Any, streams: int) -> None:
        self.one, self.streams = one, streams

    def fit(self, X: np.ndarray, y: np.ndarray) -> _EachCue:
        stimulus, cue = split_streams(X, self.streams)
        rows, self.classes_ = stimulus.reshape(len(X), -1), np.unique(y)
        several = [cue == k if len(np.unique(y[cue == k])) > 1 else np.full(len(y), True) for k in range(self.streams)]
        self.parts_ = [clone(self.one).fit(rows[own], y[own]) for own in several]
        return self

    def predict(self, X: np.ndarray) -> np.ndarray:
        stimulus, cue = split_streams(X, self.streams)
        found = np.empty(len(X), dtype=self.classes_.dtype)
        for k, part in enumerate(self.parts_):
            if (cue == k).any():
                found[cue == k] = part.predict(stimulus[cue == k].reshape(-1, part.n_features_in_))
        return found


class _Reading(ClassifierMixin, BaseEstimator):
    """A classifier on one reading of the streams, the same for all trials: that which does best on held-out training trials."""

    def __init__(self, one: Any, streams: int, random_state: int) -> None:
        self.one, self.streams, self.random_state = one, streams, random_state

    def _read(self, X: np.ndarray) -> dict[str, np.ndarray]:
        stimulus, cue = split_streams(X, self.streams)
        cued = np.eye(self.streams)[cue]
        weights = {f"stream {k}": np.eye(self.streams)[np.full(len(X), k)] for k in range(self.streams)}
        weights |= {"cued": cued, "others": (1 - cued) / (self.streams - 1), "all": np.full(cued.shape, 1 / self.streams)}
        return {name: (stimulus * given[:, :, None]).sum(axis=1) for name, given in weights.items()}

    def fit(self, X: np.ndarray, y: np.ndarray) -> _Reading:
        half = np.random.default_rng(self.random_state).permutation(len(X)) < len(X) // 2
        read, found, several = self._read(X), {}, len(np.unique(y[half])) > 1
        for name, rows in read.items():
            found[name] = clone(self.one).fit(rows[half], y[half]).score(rows[~half], y[~half]) if several else 0.0
        self.reading_ = max(found, key=found.__getitem__)
        self.classes_, self.parts_ = np.unique(y), [clone(self.one).fit(read[self.reading_], y)]
        return self

    def predict(self, X: np.ndarray) -> np.ndarray:
        return self.parts_[0].predict(self._read(X)[self.reading_])


class _Prototypes(ClassifierMixin, BaseEstimator):
    """k-means within each class; the class of the nearest prototype."""

    def __init__(self, prototypes: int, random_state: int) -> None:
        self.prototypes, self.random_state = prototypes, random_state

    def fit(self, X: np.ndarray, y: np.ndarray) -> _Prototypes:
        self.classes_ = np.unique(y)
        made = []
        for label in self.classes_:
            rows = X[y == label]
            count = min(self.prototypes, len(np.unique(rows, axis=0)))
            made.append(KMeans(count, n_init=4, random_state=self.random_state).fit(rows).cluster_centers_)
        self.centroids_ = np.concatenate(made)
        self.nearest_ = KNeighborsClassifier(1).fit(self.centroids_, np.repeat(self.classes_, [len(part) for part in made]))
        return self

    def predict(self, X: np.ndarray) -> np.ndarray:
        return self.nearest_.predict(X)
