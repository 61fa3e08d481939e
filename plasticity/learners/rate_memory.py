"""Memories of rates: what a spiking memory computes, without its noise, and two other ways of storing pairs."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from scipy.special import softmax
from sklearn.utils.validation import check_is_fitted

from plasticity.learners.learner import Variant
from plasticity.learners.memory import Memory
from plasticity.settings import estimator, setting


@estimator
class RateMemory(Memory):
    """A memory of rates: exact arithmetic on unit keys, no noise.

    Raises
    ------
    WrongUse
        An unknown rule; trials that are not pairs of 0 and 1 with a query.
    """

    side: ClassVar[str] = "control"
    cost: ClassVar[float] = 0.2
    variants: ClassVar[tuple[Variant, ...]] = (
        Variant(
            "hebb_memory",
            "sum of Hebbian outer products of rates: unnormalised linear attention, no training",
            {"rule": "hebb"},
            frozenset({"pairs"}),
            "Kohonen 1972, doi:10.1109/TC.1972.5008975",
        ),
        Variant(
            "delta_memory",
            "fast weights written by the delta rule, no training",
            {"rule": "delta"},
            frozenset({"pairs"}),
            "Schlag, Irie & Schmidhuber 2021, arXiv:2102.11174",
        ),
        Variant(
            "softmax_memory",
            "scaled dot-product attention on the keys as they are, no training",
            {"rule": "softmax"},
            frozenset({"pairs"}),
            "Vaswani et al. 2017, arXiv:1706.03762; Ramsauer et al. 2021, arXiv:2008.02217",
        ),
    )

    rule: str = setting("hebb", "how pairs are stored and called", choices=("hebb", "delta", "softmax"))

    def match(self, X: Any) -> np.ndarray:
        """How strongly the query calls each pair, (trials, pairs): y = sum_s match_s v_s."""
        keys, _, query = self._pairs(X)
        signs, asked = (2 * keys - 1) / np.sqrt(self.dimension), (2 * query - 1) / np.sqrt(self.dimension)
        inner = np.einsum("tpd,td->tp", signs, asked)
        if self.rule == "hebb":
            return inner
        if self.rule == "softmax":
            return softmax(np.sqrt(self.dimension) * inner, axis=1)
        # W = V C with one row of C a pair: writing pair s takes (k_s.k_r) of what was called by k_s from each earlier row r
        gram = np.einsum("tpd,tqd->tpq", signs, signs)
        called = inner.copy()
        for late in range(inner.shape[1] - 1, 0, -1):
            called[:, :late] -= called[:, late, None] * gram[:, late, :late]
        return called

    def recall(self, X: Any) -> np.ndarray:
        """y = sum_s match_s v_s, (trials, values)."""
        check_is_fitted(self, "classes_")
        _, values, _ = self._pairs(X)
        return np.einsum("tp,tpv->tv", self.match(X), values)

    def attention_weights(self, X: Any) -> np.ndarray:
        """`match` of every stream, (trials, streams); the query itself has 0."""
        return np.pad(self.match(X), ((0, 0), (0, 1)))
