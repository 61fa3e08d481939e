"""Tokens: sequences of symbols, with one answer each, or answers wherever they are asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from plasticity import given
from plasticity.errors import WrongUse
from plasticity.tasks.trials import Trials, asked_somewhere, at_least, several, share_right, whole_numbers


@dataclass(frozen=True, eq=False)
class Tokens(Trials):
    """Sequences of symbols.

    Attributes
    ----------
    token : (trials, length) int64
        Each symbol, from 0 to `vocabulary` - 1; -1 behind the end of a shorter sequence.
    target : (trials,) or (trials, length) int64
        The answer to a trial, from 0 to `classes` - 1; or that which is asked for at a place, -1 where none is asked.
    number : (trials,) int64
        Of what is shown: proves that training and test never overlap.
    vocabulary, classes : int
        Number of symbols, and of possible answers.
    words : tuple of str
        What the symbols are called; empty where their numbers are their names.

    Raises
    ------
    WrongUse
        Shapes that do not agree, no trials, symbols or answers out of range, a gap within a sequence, a trial that asks for
        nothing or behind its end, words of another number.
    """

    family: ClassVar[str] = "tokens"

    token: np.ndarray
    target: np.ndarray
    number: np.ndarray
    vocabulary: int
    classes: int = 0  # refused: it has to be said
    words: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        found = given.array(self.token)
        shape = found.shape if found is not None and found.ndim == 2 and found.size else (1, 1)
        vocabulary = at_least(1, "vocabulary", self.vocabulary, "a sequence needs at least 1 symbol")
        token = whole_numbers("token", self.token, shape, vocabulary, low=-1)
        ended = np.maximum.accumulate(token < 0, axis=1)
        whole_numbers("a symbol behind the end of its sequence", np.where(ended, token, -1), shape, 0, low=-1)
        one_each = np.ndim(self.target) == 1
        target = whole_numbers("target", self.target, shape[: 2 - one_each], several(self.classes), low=0 if one_each else -1)
        if not one_each:
            asked_somewhere("target", target)
            behind = (ended & (target >= 0)).any(axis=1)
            if behind.any():
                raise WrongUse(
                    f"trials: target of trial {int(behind.argmax())} asks behind the end of its sequence; put -1 there."
                )
        number = whole_numbers("number", self.number, (len(token),), None)
        if self.words and len(self.words) != vocabulary:
            raise WrongUse(f"trials: {len(self.words)} words name {vocabulary} symbols; give one for each, or none.")
        for name, values in (("token", token), ("target", target), ("number", number)):
            object.__setattr__(self, name, values)

    def __len__(self) -> int:
        return len(self.token)

    @property
    def X(self) -> np.ndarray:
        """The symbols, (trials, length) int64; -1 behind the end of a sequence."""
        return self.token

    @property
    def y(self) -> np.ndarray:
        """The answers, (trials,) or (trials, length) int64; -1 where none is asked."""
        return self.target

    @property
    def mask(self) -> np.ndarray:
        """Where a symbol is, (trials, length) bool."""
        return self.token >= 0

    @property
    def lengths(self) -> np.ndarray:
        """Symbols of each sequence, (trials,) int64."""
        return self.mask.sum(axis=1)

    def right(self, answers: Any) -> np.ndarray:
        """Share of the asked places that were answered rightly, (trials,)."""
        return share_right(answers, self.target)

    def conditions(self) -> np.ndarray | None:
        """The answer, (trials,); None where each place may have one."""
        return self.target if self.target.ndim == 1 else None
