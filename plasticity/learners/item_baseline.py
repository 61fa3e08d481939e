"""The simplest things that could know the next item."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from plasticity import settings
from plasticity.learners import inputs
from plasticity.learners.learner import Learner, Variant
from plasticity.settings import estimator, setting
from plasticity.tasks.sequences import sequences_given

KINDS = {
    "most_popular": "the item that is most often next",
    "successor_counts": "the item that was most often next after the same last item (a Markov chain)",
    "last_answer_counts": "the item that was most often next after the same last item that ever was an answer",
    "nearest_history": "what came next after the most similar histories, by how many of their last items agree",
}


@estimator
class ItemBaseline(ClassifierMixin, Learner):
    """What training trials had next, counted: in all, after the same last item, or after the histories that end most alike.

    "last_answer_counts" looks at the last item of a history that was an answer in training, as no aside ever is.

    Of "nearest_history" a training history counts with `recency`^-1 for the last item, `recency`^-2 for the one before, ...,
    where it holds the same item at that place from its end; the answers of the `neighbours` that have most are counted.
    Ties, and what was never seen, go by popularity.

    Attributes
    ----------
    classes_ : (classes,) array
    parameters_ : int, how many numbers it keeps

    Raises
    ------
    WrongUse
        Histories that are none, fewer than two items.
    """

    variants: ClassVar[tuple[Variant, ...]] = tuple(
        Variant(name, summary, {"kind": name}, frozenset({"items"})) for name, summary in KINDS.items()
    )
    source: ClassVar[str] = "baseline"
    side: ClassVar[str] = "control"
    takes: ClassVar[frozenset[str]] = frozenset({"items"})
    from_task: ClassVar[tuple[str, ...]] = ()
    cost: ClassVar[float] = 0.5

    kind: str = setting("most_popular", "what is counted", choices=tuple(KINDS))
    recency: float = setting(2.0, "of nearest_history: how much less an item counts a place further back", low=1, high=100)
    neighbours: int = setting(10, "of nearest_history: how many histories are counted", low=1, high=100_000)

    @property
    def learns(self) -> tuple[str, ...]:
        return ("items",)

    def fit(self, X: Any, y: Any) -> ItemBaseline:
        """Count."""
        settings.check(self)
        history = sequences_given("X", X)
        label = inputs.labels(self, X, y)
        self.classes_ = inputs.several(label)
        self.label_ = np.searchsorted(self.classes_, label)
        self.backward_ = _backward(history if self.kind != "last_answer_counts" else self._answers(history))
        self.popular_ = np.bincount(self.label_, minlength=len(self.classes_)) / len(label)
        self.after_ = np.zeros((int(history.max()) + 1, len(self.classes_)))
        told = self.backward_[:, 0] >= 0
        np.add.at(self.after_, (self.backward_[told, 0], self.label_[told]), 1)
        kept = {"most_popular": self.popular_, "nearest_history": self.backward_}.get(self.kind, self.after_)
        self.parameters_ = kept.size
        return self

    def predict_proba(self, X: Any) -> np.ndarray:
        """Shares of the counts, (trials, classes)."""
        check_is_fitted(self, "popular_")
        history = sequences_given("X", X)
        last = _backward(history if self.kind != "last_answer_counts" else self._answers(history))
        counts = np.zeros((len(last), len(self.classes_)))
        if self.kind in ("successor_counts", "last_answer_counts"):
            known = (last[:, 0] >= 0) & (last[:, 0] < len(self.after_))
            counts[known] = self.after_[last[known, 0]]
        elif self.kind == "nearest_history":
            width = min(last.shape[1], self.backward_.shape[1])
            worth = self.recency ** -np.arange(1.0, width + 1)
            for trial, row in enumerate(last[:, :width]):
                alike = ((self.backward_[:, :width] == row) & (row >= 0)) @ worth
                nearest = np.argsort(-alike, kind="stable")[: self.neighbours]
                np.add.at(counts[trial], self.label_[nearest], alike[nearest])
        counts += 1e-6 * self.popular_
        return counts / counts.sum(axis=1, keepdims=True)

    def _answers(self, history: np.ndarray) -> np.ndarray:
        """The histories without what never was an answer, (trials, length), -1 behind the end."""
        kept = np.isin(history, self.classes_)
        found = np.full_like(history, -1)
        for row, items, those in zip(found, history, kept, strict=True):
            row[: those.sum()] = items[those]
        return found

    def predict(self, X: Any) -> np.ndarray:
        """The item that counts most, (trials,)."""
        check_is_fitted(self, "popular_")
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


def _backward(history: np.ndarray) -> np.ndarray:
    """The items from the last one back, (trials, length), -1 before the first."""
    place = (history >= 0).sum(axis=1)[:, None] - 1 - np.arange(history.shape[1])
    return np.where(place >= 0, np.take_along_axis(history, place.clip(min=0), axis=1), -1)
