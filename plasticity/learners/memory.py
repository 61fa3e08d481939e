"""What memories that store pairs in one shot and recall by a key have in common, as scikit-learn estimators.

They answer the trials of `AssociativeRecall`. Nothing is carried over from one trial to the next: `fit` learns nothing but what
the classes are called, and each trial begins with empty synapses. With unit keys k_s, one-hot values v_s and the query q:

    Hebb      y = W q,  W = sum_s v_s k_s^T                                unnormalised linear attention
    delta     y = W q,  W <- W + (v_s - W k_s) k_s^T, pair after pair      attention that overwrites
    softmax   y = sum_s a_s v_s,  a = softmax(sqrt(d) k_s.q)               scaled dot-product attention, modern Hopfield network

n superposed pairs disturb a Hebbian recall by (n - 1)/d of the squared length of a value, on average over random keys.

Sources
-------
Kohonen 1972, Correlation matrix memories, IEEE Transactions on Computers C-21:353-359, doi:10.1109/TC.1972.5008975.
Schlag, Irie & Schmidhuber 2021, Linear Transformers are secretly fast weight programmers, arXiv:2102.11174.
Ramsauer et al. 2021, Hopfield networks is all you need, arXiv:2008.02217. Vaswani et al. 2017, arXiv:1706.03762.
"""

from __future__ import annotations

import dataclasses
from abc import abstractmethod
from typing import Any, ClassVar

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from plasticity.errors import WrongUse
from plasticity.learners import inputs
from plasticity.learners.learner import Learner
from plasticity.settings import setting
from plasticity.tasks import split_streams


@dataclasses.dataclass(eq=False, repr=False, kw_only=True)
class Memory(ClassifierMixin, Learner):
    """What the memories share: reading trials, answering with the value recalled most."""

    takes: ClassVar[frozenset[str]] = frozenset({"pairs"})
    chosen_for: ClassVar[frozenset[str]] = frozenset({"pairs"})
    from_task: ClassVar[tuple[str, ...]] = ("streams", "dimension")
    remark: ClassVar[str] = (
        "is built for this: told what is key, value and query, it stores and recalls each trial by itself and learns nothing from"
        " training trials"
    )

    streams: int = setting(9, "pairs and the query", low=2, high=1001)
    dimension: int = setting(32, "length of a key; the rest of a stream is the one-hot value", low=1, high=10_000)

    @property
    def given(self) -> tuple[str, ...]:
        return ("code",)

    @property
    def learns(self) -> tuple[str, ...]:
        return ()

    def _pairs(self, X: Any, fitting: bool = False) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Keys (trials, pairs, dimension), values (trials, pairs, values) and queries (trials, dimension), each 0 or 1."""
        if not fitting:
            check_is_fitted(self, "classes_")
        stimulus, cue = split_streams(inputs.matrix(self, X, fitting, "(trials, streams*features + streams)"), int(self.streams))
        if stimulus.shape[2] < self.dimension + 2:
            raise WrongUse(
                f"X has {stimulus.shape[2]} features per stream; with keys of dimension={self.dimension} at least two values must"
                " follow, as in the task associative_recall."
            )
        if not ((cue == self.streams - 1).all() and np.isin(stimulus, (0.0, 1.0)).all()):
            raise WrongUse(
                "a memory takes pairs of 0 and 1 with the query as the last, cued stream; give AssociativeRecall trials."
            )
        keys, values = np.split(stimulus, [int(self.dimension)], axis=2)
        if not (values[:, :-1].sum(axis=2) == 1).all():
            raise WrongUse("the value of each pair must be one-hot; give AssociativeRecall trials.")
        return keys[:, :-1], values[:, :-1], keys[:, -1]

    def fit(self, X: Any, y: Any, probe: tuple[Any, Any] | None = None) -> Any:
        """Check the trials and note the classes; nothing is learnt from one trial for another.

        `probe` is a pair (X, y) of validation trials, for a learning curve of one point.
        """
        self.check()
        _, values, _ = self._pairs(X, fitting=True)
        labels = inputs.labels(self, X, y)
        self.classes_ = np.arange(values.shape[2])
        if not np.isin(labels, self.classes_).all():
            raise WrongUse(f"y must hold whole numbers from 0 to {len(self.classes_) - 1}, the values that a pair can have.")
        self._prepare(len(self.classes_))
        self.parameters_ = 0  # nothing that training trials change
        self.history_ = {"trials": np.zeros(1)}
        if probe is not None:
            inputs.probed(self, probe, labels)
            self.history_["accuracy"] = np.array([self.score(*probe)])
        return self

    def _prepare(self, values: int) -> None:
        """What has to be there before the first trial."""

    @abstractmethod
    def recall(self, X: Any) -> np.ndarray:
        """What is recalled, (trials, values); the one-hot value of the pair asked for, if nothing disturbed it."""

    def decision_function(self, X: Any) -> np.ndarray:
        """`recall`: what speaks for each value, (trials, values); of two values the second's minus the first's, (trials,)."""
        return inputs.decisions(self.recall(X))

    def predict(self, X: Any) -> np.ndarray:
        """The value that is recalled most."""
        winner = self.recall(X).argmax(axis=1)
        return self.classes_[winner]
