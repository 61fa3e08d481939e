"""X and y as every learner reads them: as scikit-learn does, and what cannot be is refused in one sentence.

Names of columns are noted by `fit` and held to afterwards; X may be a DataFrame, y a column or a categorical.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _num_samples, column_or_1d, validate_data

from plasticity import given
from plasticity.errors import WrongUse
from plasticity.tasks.sequences import sequences_given
from plasticity.tasks.trials import without_rounding

SILENT = 0.05  # share of trials in which nothing fires from which on it is told


def matrix(
    learner: Any,
    X: Any,
    fitting: bool = False,
    shape: str = "(trials, columns)",
    dtype: Any = np.float64,
    text: str = "",
) -> np.ndarray:
    """X as a matrix of numbers (trials, columns); by `fit` with its width and the names of its columns noted in the learner.

    `dtype` is a type or several that are left as they are; `text` says of what is no number what it is not.

    Raises
    ------
    WrongUse
        A sparse matrix, complex numbers, texts, another number of dimensions, no trials or columns; after `fit` another number
        of columns, other names or another order of them. NaN is not refused here.
    """
    not_numbers = text or f"X is not a table of numbers; it needs the shape {shape}."
    if getattr(getattr(X, "dtype", None), "kind", "") in ("M", "m", "S", "U"):
        raise WrongUse(not_numbers)
    try:
        return without_rounding(validate_data(learner, X, reset=fitting, dtype=dtype, ensure_all_finite=False), X)
    except (TypeError, ValueError, OverflowError) as error:
        told = str(error)
    if "dim 3" in told or told.startswith("Expected 2D array"):
        raise WrongUse(
            f"X has the shape {np.shape(X)}; it needs the shape {shape}. Reshape your data: for one trial X.reshape(1, -1)."
        )
    if told.startswith("Complex data not supported"):
        raise WrongUse("Complex data not supported; X holds intensities, real numbers from 0 to 1.")
    if " features, but " in told:
        raise WrongUse(f"{told.rstrip('.')}: {learner._fitted_on(np.shape(X)[1])}.")
    if "feature" in told or "sample(s)" in told or "parse" in told:  # names of columns, nothing there, sparse
        raise WrongUse(told)
    raise WrongUse(not_numbers)


def symbols(learner: Any, X: Any, fitting: bool = False) -> np.ndarray:
    """X as symbols (trials, length) int64, -1 behind the end of a sequence.

    `fit` notes as `vocabulary_` and `longest_` how many symbols there are and how long a sequence may be: what the learner's
    settings `vocabulary` and `longest` say, or else what X holds.

    Raises
    ------
    WrongUse
        What `sequences_given` refuses, or a symbol beyond the vocabulary.
    """
    found = sequences_given("X", X)
    if fitting:
        learner.vocabulary_ = int(getattr(learner, "vocabulary", None) or found.max() + 1)
        learner.longest_ = int(getattr(learner, "longest", None) or found.shape[1])
        learner.n_features_in_ = found.shape[1]
    if found.max() >= learner.vocabulary_:
        raise WrongUse(
            f"X holds the symbol {found.max()}, and the vocabulary of {type(learner).__name__} ends at {learner.vocabulary_ - 1};"
            " words that are not known from training are the symbol 0."
        )
    return found


def counts(X: np.ndarray, vocabulary: int) -> sparse.csr_matrix:
    """How often each symbol stands in each sequence of `symbols`, (trials, vocabulary)."""
    there = X >= 0
    row = np.repeat(np.arange(len(X)), there.sum(axis=1))
    found = sparse.csr_matrix((np.ones(len(row)), (row, X[there])), shape=(len(X), vocabulary))
    found.sum_duplicates()
    return found


def labels(learner: Any, X: Any, y: Any, what: str = "y") -> np.ndarray:
    """y as labels (trials,): whole numbers, truth values, or texts (also as objects, as pandas and OpenML give them).

    A column (trials, 1) is taken with scikit-learn's warning. Rows of X and y are paired by their place; where both have an index
    and it is the same in another order, a warning says so.

    Raises
    ------
    WrongUse
        No y, not one label a trial, or labels that name no class: NaN, None, fractions, dates, complex numbers, mixed types.
    """
    if y is None:
        name = type(learner).__name__
        raise WrongUse(f"{name} requires y to be passed, but the target y is None; give fit(X, y).")
    rows: Any
    named: Any
    rows, named = (getattr(part, "index", None) for part in (X, y))  # of pandas; a list has a method of that name
    if (
        hasattr(rows, "equals")
        and hasattr(named, "equals")
        and not rows.equals(named)
        and not rows.symmetric_difference(named).size
    ):
        warnings.warn(
            f"{what} has the index of X in another order; rows are paired by their place. If they should be paired by the index,"
            " give y.loc[X.index].",
            UserWarning,
            stacklevel=3,
        )
    trials = _num_samples(X)
    found = array(y, f"{what}: y")
    if found.ndim == 2 and found.shape[1] == 1:
        found = column_or_1d(found, warn=True)
    if found.shape != (trials,):
        raise WrongUse(f"{what}: {trials} trials and labels of shape {found.shape}; give one label for each trial.")
    why = ""
    if found.dtype.kind == "O":
        if all(isinstance(one, (bool, np.bool_, int, np.integer, float, np.floating)) for one in found):
            found = np.array(found.tolist())
        elif not all(isinstance(one, str) for one in found):
            why = "None, a missing value or one of mixed types names no class"
    if found.dtype.kind not in "biufUSO":
        why = f"{found.dtype} names no class"
    elif found.dtype.kind == "f" and not np.isfinite(found).all():
        unfit = "NaN" if np.isnan(found).any() else "infinity"
        why = f"NaN or infinity names no class. Input y contains {unfit}"
    elif not why:
        try:
            check_classification_targets(found)
        except ValueError as problem:
            why = f"{str(problem).partition('.')[0]}: fractions name no class"
    if why:
        raise WrongUse(f"{what}: the labels are not classes ({why}); a class is a whole number or a text.")
    return found


def array(told: Any, what: str) -> np.ndarray:
    """What NumPy makes of it; WrongUse for lists of unequal lengths."""
    found = given.array(told)
    if found is None:
        raise WrongUse(f"{what} holds lists of unequal lengths; give one value for each trial, or as many for every trial.")
    return found


def several(labels: np.ndarray) -> np.ndarray:
    """The classes that the labels name, sorted; WrongUse for fewer than two."""
    classes = np.unique(labels)
    if len(classes) < 2:
        raise WrongUse(f"learning to classify needs trials of at least two classes; y holds 1 class, {classes[0]}.")
    return classes


def pair(probe: Any) -> None:
    """WrongUse for a probe that is no pair (X, y)."""
    if not isinstance(probe, (tuple, list)) or len(probe) != 2:
        raise WrongUse("probe is not a pair; give the validation trials as probe=(X, y).")


def probed(learner: Any, probe: Any, y: np.ndarray, what: str = "the probe's y") -> np.ndarray:
    """The labels of a probe, a pair (X, y): of the kind of those of training, texts beside texts or numbers beside numbers.

    Raises
    ------
    WrongUse
        No pair, what `labels` refuses, or labels of another kind.
    """
    pair(probe)
    found = labels(learner, probe[0], probe[1], what)
    if (found.dtype.kind in "USO") != (np.asarray(y).dtype.kind in "USO"):
        raise WrongUse(f"{what} holds {found.dtype} and y {np.asarray(y).dtype}; give labels of one type, numbers or texts.")
    return found


def decisions(scores: np.ndarray) -> np.ndarray:
    """What speaks for each class (trials, classes) as scikit-learn has it: of two classes the difference, (trials,)."""
    return scores[:, 1] - scores[:, 0] if scores.shape[1] == 2 else scores


def warn_of_silence(learner: Any, scores: np.ndarray, advice: Callable[[], str]) -> None:
    """Say of how many trials nothing speaks for any class, (trials, classes), where they are more than `SILENT` of all."""
    silent = 1 - scores.any(axis=1).mean()
    if silent > SILENT:
        warnings.warn(
            f"{learner._name}: in {silent:.0%} of the trials nothing fired that speaks for any class;"
            f" their answer, the first class, says nothing. {advice()}",
            UserWarning,
            stacklevel=4,
        )
