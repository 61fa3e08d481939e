"""Trials: what a task draws and every learner gets alike. NumPy arrays, nothing else.

There are five families, a file each:

    streams     images or vectors shown at once, a cue says which matters       one answer a trial       `Streams`
    timelines   signals over time                                               answers where asked      `Timelines`
    tokens      sequences of symbols, such as texts                             one answer, or several   `Tokens`
    sequences   a sequence of symbols that asks for another one                 a sequence a trial       `Sequences`
    episodes    a world as a table: states, actions, rewards                    actions until a goal     `Episodes`

A learner is a scikit-learn estimator on every family: `fit(trials.X, trials.y)`, `predict(trials.X)`; `trials.right(answers)`
says what share of each trial was answered rightly.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from numbers import Integral
from typing import Any, ClassVar, TypeVar

import numpy as np

from plasticity import given as numbers_given
from plasticity.checked import checked
from plasticity.errors import WrongUse

T = TypeVar("T", bound="Trials")
ROUNDING = 4  # by how many steps of its precision rounding may leave a scaled value outside of 0 to 1


class Trials(ABC):
    """Trials of one family; a subclass is a frozen dataclass whose arrays have one row a trial, unless `shared` names them.

    Attributes
    ----------
    family : str
        "streams", "timelines", "tokens", "sequences" or "episodes".
    shared : tuple of str
        Arrays that all trials have in common.
    classes : int
        Number of possible answers.
    """

    family: ClassVar[str]
    shared: ClassVar[tuple[str, ...]] = ()
    classes: int

    @abstractmethod
    def __len__(self) -> int: ...

    @property
    @abstractmethod
    def X(self) -> Any:
        """What every learner's `fit` and `predict` get."""

    @property
    @abstractmethod
    def y(self) -> Any:
        """The answers, as `fit` gets them."""

    @abstractmethod
    def right(self, answers: Any) -> np.ndarray:
        """Share of each trial that was answered rightly, (trials,) float64 from 0 to 1."""

    def arrays(self) -> dict[str, np.ndarray]:
        """All arrays by name, in the order of their declaration."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}  # type: ignore[arg-type]
        return {name: value for name, value in values.items() if isinstance(value, np.ndarray)}

    def take(self: T, index: Any) -> T:
        """The trials that `index` (whole numbers, a slice or a mask) picks, in that order."""
        try:
            chosen = np.atleast_1d(np.arange(len(self))[index])
        except (IndexError, TypeError, ValueError) as problem:
            raise WrongUse(f"trials: take() cannot pick these from {len(self)} trials: {problem}.") from None
        if chosen.ndim != 1:
            raise WrongUse(f"trials: take() picks trials by a list of whole numbers, a slice or a mask, not by {index!r}.")
        picked = {name: array if name in self.shared else array[chosen] for name, array in self.arrays().items()}
        rest = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in picked}  # type: ignore[arg-type]
        return type(self)(**picked, **rest)

    def conditions(self) -> np.ndarray | None:
        """A number for each trial, the same for trials that are alike to an observer; None where there is no such order."""
        return None


@checked
@dataclass(frozen=True, eq=False)
class Draw:
    """Training, validation and test trials of one seed; nothing that is shown in one of them is shown in another.

    `clipped` counts by part the values beyond those of the training trials, where these say what is 0 and 1. `drawn_from` says of
    how many items (images, rows) every draw takes its training and its test items anew; 0 where draws share none, or where test
    items are a set apart, of which `test_set` is the size.
    """

    train: Any
    validation: Any
    test: Any
    clipped: Mapping[str, int] = field(default_factory=dict, kw_only=True)
    drawn_from: int = field(default=0, kw_only=True)
    test_set: int = field(default=0, kw_only=True)

    @property
    def _shown(self) -> int:
        """How many different images, texts or rows the test trials show."""
        return len(np.unique(self.test.image if hasattr(self.test, "image") else self.test.number))

    @property
    def shared(self) -> float:
        """Test items over all others, where each draw splits the same items anew: see `plasticity.statistics.interval`."""
        tested = self._shown if self.drawn_from else 0
        return tested / (self.drawn_from - tested) if tested < self.drawn_from else 0.0

    @property
    def tested(self) -> float:
        """The share of a test set apart that is shown: draws have about that share of their test items in common; else 0."""
        return self._shown / self.test_set if self.test_set else 0.0

    def fingerprint(self) -> str:
        """sha256 over all arrays: equal exactly if the trials are equal."""
        digest = hashlib.sha256()
        for part in (self.train, self.validation, self.test):
            for name, values in part.arrays().items():
                array = np.ascontiguousarray(values)
                digest.update(f"{name} {array.dtype.str} {array.shape};".encode())
                digest.update(array.tobytes())
        return digest.hexdigest()


def whole_numbers(name: str, given: Any, shape: tuple[int, ...], below: int | None, low: int = 0) -> np.ndarray:
    """`given` as int64 of this shape, each value from `low` up to `below` (exclusive; None: no limit)."""
    try:
        values = np.asarray(given)
    except ValueError:  # rows of different lengths
        raise WrongUse(f"trials: {name} is no array; with this stimulus it must have the shape {shape}.") from None
    if values.shape != shape:
        raise WrongUse(f"trials: {name} has the shape {values.shape}; with this stimulus it must be {shape}.")
    if values.dtype.kind not in "iu":  # NumPy counts spans of time (timedelta64) among its integers
        raise WrongUse(f"trials: {name} holds {values.dtype} values; give whole numbers, for example {name}.astype(int).")
    if values.size and (values.min() < low or values.max() >= (2**63 if below is None else below)):
        wanted = f"{low} or more" if below is None else f"from {low} to {below - 1}"
        raise WrongUse(f"trials: {name} runs from {values.min()} to {values.max()}; every value must be {wanted}.")
    return values.astype(np.int64, copy=False)


def numbers(name: str, given: Any, dimensions: int, shape: str) -> np.ndarray:
    """`given` as float64 with so many dimensions, none of them 0."""
    values = numbers_given.real(given)
    if values is None:
        raise WrongUse(f"trials: {name} is not an array of numbers of the shape {shape}.")
    if values.ndim != dimensions or 0 in values.shape:
        raise WrongUse(f"trials: {name} has the shape {values.shape}; it must be {shape}, none 0.")
    return values


def yes_or_no(name: str, given: Any, states: int) -> np.ndarray:
    """`given` as bool, one for each state; 0 and 1 are taken too."""
    values = np.asarray(given)
    return whole_numbers(name, values.astype(np.int64) if values.dtype == bool else values, (states,), 2).astype(bool)


def without_rounding(values: np.ndarray, given: Any = None) -> np.ndarray:
    """The values, where those outside of 0 to 1 by rounding alone are clipped: at most `ROUNDING` steps of the given precision.

    `given` is what the values were made of, float32 say; themselves where None. What is further outside stays as it is.
    """
    precision = np.asarray(values if given is None else given).dtype
    slack = ROUNDING * float(np.finfo(precision if precision.kind == "f" else np.float64).eps)
    low, high = values.min(), values.max()
    if (0 <= low and high <= 1) or not (low >= -slack and high <= 1 + slack):
        return values
    return values.clip(0, 1)


def within_unit_interval(what: str, values: np.ndarray, given: Any = None) -> np.ndarray:
    """The values, `without_rounding`; WrongUse for NaN, infinity, or a value outside 0 to 1."""
    if not np.isfinite(values).all():
        raise WrongUse(f"{what} holds NaN or infinity; every value must be a number from 0 to 1.")
    values = without_rounding(values, given)
    if values.min() < 0 or values.max() > 1:
        raise WrongUse(f"{what} runs from {values.min():.9g} to {values.max():.9g}; scale it to 0 to 1.")
    return values


def at_least(low: int, name: str, given: Any, needs: str) -> int:
    """`given` as a whole number of `low` or more; `needs` says of what, as in "a choice needs at least 2"."""
    if isinstance(given, bool) or not isinstance(given, Integral):
        raise WrongUse(f"trials: {name}={given!r} is no whole number; {needs}.")
    if given < low:
        raise WrongUse(f"trials: {name}={given}; {needs}.")
    return int(given)


def several(classes: Any) -> int:
    """The number of classes, at least 2."""
    return at_least(2, "classes", classes, "a choice needs at least 2")


def share_right(answers: Any, target: np.ndarray) -> np.ndarray:
    """Share of the asked places (target of 0 or more) that hold the target, of each trial; (trials,)."""
    try:
        given = np.asarray(answers)
    except ValueError:  # rows of different lengths
        given = np.zeros(0)
    if given.dtype.kind in "cmM":
        raise WrongUse(f"answers are of the type {given.dtype}; give the numbers of the classes.")
    if given.shape != target.shape:
        raise WrongUse(f"answers have the shape {given.shape}; these trials ask for {target.shape}.")
    asked = (target >= 0).reshape(len(target), -1)
    return ((given == target).reshape(asked.shape) & asked).sum(axis=1) / asked.sum(axis=1)


def asked_somewhere(name: str, target: np.ndarray) -> None:
    """WrongUse where a trial asks for nothing."""
    if not (target >= 0).any(axis=1).all():
        trial = int((target < 0).all(axis=1).argmax())
        raise WrongUse(f"trials: {name} of trial {trial} asks for nothing; -1 stands where no answer is asked.")
