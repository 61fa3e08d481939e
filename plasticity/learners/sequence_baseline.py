"""The simplest things that could answer a sequence by a sequence."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from scipy import sparse
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.utils.validation import check_is_fitted

from plasticity import settings
from plasticity.errors import WrongUse
from plasticity.learners.learner import Learner, Variant
from plasticity.settings import estimator, setting
from plasticity.tasks.sequences import exact, sequences_given

KINDS = {
    "copy_source": "the source itself; a word that both languages have is the same symbol in both",
    "most_frequent_answer": "the answer that most training trials have",
    "place_unigrams": "at each place the symbol that most training answers have there",
    "nearest_sentence": "the answer to the most similar training source, by its symbols and pairs of neighbours",
}


@estimator
class SequenceBaseline(Learner):
    """An answer without any learning but counting.

    The most similar source has the largest cosine of counts of symbols and of pairs of neighbours, weighted by how rare they are
    (tf-idf: Sparck Jones 1972, doi:10.1108/eb026526); of several the first.

    Attributes
    ----------
    source_, target_ : the training trials
    parameters_ : int, how many numbers it keeps

    Raises
    ------
    WrongUse
        Sequences that are none.
    """

    variants: ClassVar[tuple[Variant, ...]] = tuple(
        Variant(name, summary, {"kind": name}, frozenset({"sequences"})) for name, summary in KINDS.items()
    )
    source: ClassVar[str] = "baseline"
    side: ClassVar[str] = "control"
    takes: ClassVar[frozenset[str]] = frozenset({"sequences"})
    from_task: ClassVar[tuple[str, ...]] = ()
    cost: ClassVar[float] = 0.5
    made_anew: ClassVar[tuple[str, ...]] = ("_weigh", "_rows")

    kind: str = setting("nearest_sentence", "what is answered", choices=tuple(KINDS))

    @property
    def learns(self) -> tuple[str, ...]:
        return () if self.kind == "copy_source" else ("sequences",)

    def fit(self, X: Any, y: Any) -> SequenceBaseline:
        """Count."""
        settings.check(self)
        self.source_, self.target_ = sequences_given("X", X), sequences_given("y", y)
        if len(self.source_) != len(self.target_):
            raise WrongUse(f"X has {len(self.source_)} sequences and y {len(self.target_)}; give one answer for each.")
        self.parameters_ = {"copy_source": 0, "nearest_sentence": self.source_.size + self.target_.size}.get(
            self.kind, self.target_.shape[1]
        )
        return self

    def predict(self, X: Any) -> np.ndarray:
        """The answers, (trials, width) int64, -1 behind the end of each."""
        check_is_fitted(self, "target_")
        source = sequences_given("X", X)
        if self.kind == "copy_source":
            return source
        if self.kind == "nearest_sentence":
            return self.target_[self._nearest(source)]
        if self.kind == "most_frequent_answer":
            rows, counts = np.unique(self.target_, axis=0, return_counts=True)
            one = rows[counts.argmax()]
        else:
            one = np.array([np.bincount(column + 1).argmax() - 1 for column in self.target_.T])
            one = np.where(np.maximum.accumulate(one < 0), -1, one)
        return np.repeat(one[None], len(source), axis=0)

    def _nearest(self, source: np.ndarray) -> np.ndarray:
        """The number of the most similar training source of each."""
        symbols = int(max(self.source_.max(), source.max())) + 1
        weigh = TfidfTransformer()
        known = weigh.fit_transform(_counts(self.source_, symbols))
        asked = weigh.transform(_counts(source, symbols))
        parts = [asked[first : first + 256] @ known.T for first in range(0, len(source), 256)]
        return np.concatenate([np.asarray(part.argmax(axis=1)).ravel() for part in parts])

    def score(self, X: Any, y: Any) -> float:
        """Share of the trials whose answer is wholly y."""
        return float(exact(self.predict(X), sequences_given("y", y)[:, None]).mean())


def _counts(source: np.ndarray, symbols: int) -> sparse.csr_matrix:
    """How often each symbol and each pair of neighbours is in each sequence, (trials, symbols + symbols^2)."""
    row, place = np.nonzero(source >= 0)
    after = source[:, 1:] >= 0
    first, at = np.nonzero(after)
    column = np.concatenate([source[row, place], symbols + source[first, at] * symbols + source[first, at + 1]])
    rows = np.concatenate([row, first])
    shape = (len(source), symbols + symbols**2)
    return sparse.csr_matrix((np.ones(len(rows)), (rows, column)), shape=shape)
