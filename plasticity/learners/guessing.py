"""Guessing: the chance level of a task, measured as every learner is."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.dummy import DummyClassifier
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted, validate_data

from plasticity import given, settings
from plasticity.errors import WrongUse
from plasticity.learners import inputs
from plasticity.learners.learner import Learner
from plasticity.settings import estimator, setting
from plasticity.tasks import KINDS, Episodes


@estimator
class Guessing(ClassifierMixin, Learner):
    """A class drawn uniformly at random, at every place that is asked; of a world an action.

    Raises
    ------
    NotFittedError
        It is asked before `fit`, by which it knows the classes.
    """

    name: ClassVar[str] = "guessing"
    summary: ClassVar[str] = "a class drawn uniformly at random"
    source: ClassVar[str] = "baseline: scikit-learn, sklearn.dummy.DummyClassifier"
    side: ClassVar[str] = "control"
    takes: ClassVar[frozenset[str]] = frozenset(KINDS)
    chosen_for: ClassVar[frozenset[str]] = frozenset(KINDS)
    from_task: ClassVar[tuple[str, ...]] = ()
    cost: ClassVar[float] = 0.1

    strategy: str = setting(
        "uniform",
        "how a class is drawn: uniformly, or as often as the training trials have it, or always the most frequent one",
        choices=("uniform", "stratified", "prior", "most_frequent", "constant"),
    )
    constant: int | None = setting(None, "the class that is always answered, with strategy=constant", low=-(2**62), high=2**62)

    @property
    def given(self) -> tuple[str, ...]:
        return ()

    @property
    def learns(self) -> tuple[str, ...]:
        return ()

    def fit(self, X: Any, y: Any) -> Guessing:
        """Note the classes; nothing else is learnt."""
        settings.check(self)
        self.__dict__.pop("_dummy", None)
        if not isinstance(X, Episodes):
            answers, shown = inputs.array(y, "guessing: y"), inputs.array(X, "guessing: X").shape
            shape = answers.shape
            column = shape[1:] == (1,) != shown[1:]  # as scikit-learn takes it; but it may be a sequence of length 1
            y = inputs.labels(self, X, y) if y is None or len(shape) == 1 or column else answers
            if np.asarray(y).dtype.kind not in "biuf" and np.ndim(y) != 1:
                raise WrongUse(
                    f"guessing: y={given.shown(y)} holds no answers; give whole numbers, (trials,) or (trials, steps)."
                )
        if not (np.ndim(y) == 1 or self.strategy == "uniform"):
            raise WrongUse(f"guessing: strategy={self.strategy} is for one answer a trial; here take uniform.")
        if isinstance(X, Episodes):
            self.classes_ = np.arange(X.classes)
        elif np.ndim(y) == 1:
            validate_data(self, X, skip_check_array=True)  # notes the columns
            self._dummy = DummyClassifier(strategy=self.strategy, constant=self.constant, random_state=self.random_state).fit(
                X, y
            )
            self.classes_ = self._dummy.classes_
        else:
            self.classes_ = np.unique(np.asarray(y)[np.asarray(y) >= 0])
        return self

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = tags.no_validation = tags.classifier_tags.poor_score = True  # X is not looked at
        return tags

    def predict(self, X: Any) -> np.ndarray:
        """A class for each trial, or for each step, symbol or action of it."""
        check_is_fitted(self, "classes_")
        if hasattr(self, "_dummy"):
            validate_data(self, X, reset=False, skip_check_array=True)
            return self._dummy.predict(X)
        shape = (len(X), X.longest) if isinstance(X, Episodes) else inputs.array(X, "guessing: X").shape[:2]
        return np.random.default_rng([self.random_state, 1]).choice(self.classes_, size=shape)

    def predict_proba(self, X: Any) -> np.ndarray:
        """The probability of every class, (trials, classes); of tasks with one answer a trial."""
        check_is_fitted(self, "_dummy")
        return self._dummy.predict_proba(X)
