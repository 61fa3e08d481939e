"""What counting words does: naive Bayes and logistic regression of scikit-learn, which know nothing of their order."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from scipy import sparse
from scipy.special import softmax
from sklearn.base import ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import MultinomialNB
from sklearn.preprocessing import normalize
from sklearn.utils.validation import check_is_fitted

from plasticity import settings
from plasticity.learners import inputs
from plasticity.learners.learner import Learner, Variant
from plasticity.settings import estimator, setting


@estimator
class CountingWords(ClassifierMixin, Learner):
    """A classifier of scikit-learn on the numbers of times that each word stands in a text.

    naive_bayes: multinomial naive Bayes on the counts. logistic_regression: on tf-idf, log(1 + count) by the inverse share of
    training texts with the word, each text of length 1. X is what `Tokens.X` gives.

    Attributes
    ----------
    classes_ : (classes,) array
    parameters_ : int

    Raises
    ------
    WrongUse
        What `plasticity.learners.inputs.symbols` and `labels` refuse; fewer than two classes.
    """

    side: ClassVar[str] = "control"
    takes: ClassVar[frozenset[str]] = frozenset({"texts"})
    from_task: ClassVar[tuple[str, ...]] = ("vocabulary",)
    cost: ClassVar[float] = 0.5
    remark: ClassVar[str] = "counts words, and knows nothing of their order"
    variants: ClassVar[tuple[Variant, ...]] = (
        Variant("naive_bayes", "multinomial naive Bayes on counts of words", {"kind": "naive_bayes"}, frozenset({"texts"}),
                "McCallum & Nigam 1998, AAAI Workshop on Learning for Text Categorization; baseline of scikit-learn"),
        Variant("logistic_regression_tf_idf", "logistic regression on tf-idf of words", {"kind": "logistic_regression"},
                frozenset({"texts"}), "Cox 1958, doi:10.1111/j.2517-6161.1958.tb00292.x; tf-idf: Salton & Buckley 1988,"
                " doi:10.1016/0306-4573(88)90021-0"),
    )  # fmt: skip

    kind: str = setting("logistic_regression", "which classifier of scikit-learn", choices=("naive_bayes", "logistic_regression"))
    alpha: float = setting(0.1, "of naive Bayes: what is added to each count", above=0, high=1e6)
    C: float = setting(10.0, "of logistic regression: the inverse strength of its L2 penalty", above=0, high=1e9)
    vocabulary: int | None = setting(None, "how many symbols there are; None: those in X", low=1, high=10_000_000)

    def _shown(self, X: np.ndarray) -> sparse.csr_matrix:
        """Counts of each word, (trials, vocabulary); for logistic regression by tf-idf, each text of length 1."""
        found = inputs.counts(X, self.vocabulary_)
        if self.kind == "naive_bayes":
            return found
        found.data = 1 + np.log(found.data)
        return normalize(found @ sparse.diags(self.idf_))

    def fit(self, X: Any, y: Any) -> CountingWords:
        """Learn from the texts X (trials, length) and their classes y (trials,)."""
        settings.check(self)
        given, X = X, inputs.symbols(self, X, fitting=True)
        y = inputs.labels(self, given, y)
        self.classes_ = inputs.several(y)
        texts = np.bincount(np.concatenate([np.unique(text[text >= 0]) for text in X]), minlength=self.vocabulary_)
        self.idf_ = np.log((1 + len(X)) / (1 + texts)) + 1
        if self.kind == "naive_bayes":
            made = MultinomialNB(alpha=self.alpha).fit(self._shown(X), y)
            self.weights_, self.bias_ = made.feature_log_prob_, made.class_log_prior_
        else:
            made = LogisticRegression(C=self.C, max_iter=1000, random_state=self.random_state).fit(self._shown(X), y)
            two = len(self.classes_) == 2  # scikit-learn keeps the weights of the second of two classes alone
            self.weights_ = np.vstack([0 * made.coef_, made.coef_]) if two else made.coef_
            self.bias_ = np.append(0.0, made.intercept_) if two else made.intercept_
        self.parameters_ = int(self.weights_.size + self.bias_.size)
        return self

    def _evidence(self, X: Any) -> np.ndarray:
        check_is_fitted(self, "weights_")
        return self._shown(inputs.symbols(self, X)) @ self.weights_.T + self.bias_

    def decision_function(self, X: Any) -> np.ndarray:
        """What speaks for each class, (trials, classes); of two classes the difference, (trials,)."""
        return inputs.decisions(self._evidence(X))

    def predict(self, X: Any) -> np.ndarray:
        """The class of each text, (trials,)."""
        check_is_fitted(self, "classes_")
        return self.classes_[self._evidence(X).argmax(axis=1)]

    def predict_proba(self, X: Any) -> np.ndarray:
        """The probability of every class, (trials, classes)."""
        return softmax(self._evidence(X), axis=1)

    def attention_weights(self, X: Any) -> np.ndarray:
        """What each word says for the class that is answered, where it speaks for it, as a share of all; (trials, length)."""
        chosen = self._evidence(X).argmax(axis=1)
        X = inputs.symbols(self, X)
        says = (self.weights_ - self.weights_.mean(axis=0)) * (1 if self.kind == "naive_bayes" else self.idf_)
        told = np.where(X >= 0, np.maximum(says[chosen[:, None], np.maximum(X, 0)], 0), 0.0)
        return told / np.maximum(told.sum(axis=1, keepdims=True), 1e-12)
