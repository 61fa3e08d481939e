"""Sequences: a sequence of symbols is shown, another one is the answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from plasticity import given
from plasticity.checked import checked
from plasticity.datasets.texts import vocabulary
from plasticity.errors import WrongUse
from plasticity.tasks.trials import Trials, at_least, several, whole_numbers

UNKNOWN = 0
"""The symbol that stands, on either side, for every word that the vocabulary does not hold; as an answer it is never right."""


@dataclass(frozen=True, eq=False)
class Sequences(Trials):
    """A sequence of symbols, and the sequence that it asks for.

    Attributes
    ----------
    source : (trials, length) int64
        What is shown, symbols from 0 to `vocabulary` - 1; -1 behind the end of a shorter one.
    target : (trials, length') int64
        What is asked for, symbols from 0 to `classes` - 1; -1 behind the end.
    number : (trials,) int64
        Of what is shown: proves that training and test never overlap.
    vocabulary, classes : int
        How many symbols there are on either side; 0 is `UNKNOWN`.
    references : (trials, several, length') int64
        All answers that are right, such as several translations; `target` alone where None. A row of -1 is none.
    words : (tuple of str, tuple of str)
        What the symbols of either side stand for; empty where they are nothing but numbers.

    Raises
    ------
    WrongUse
        Shapes that do not agree, no trials, symbols out of range, an empty sequence, a gap within one.
    """

    family: ClassVar[str] = "sequences"

    source: np.ndarray
    target: np.ndarray
    number: np.ndarray
    vocabulary: int
    classes: int = 0  # refused: it has to be said
    references: np.ndarray | None = None
    words: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())

    def __post_init__(self) -> None:
        vocabulary = at_least(1, "vocabulary", self.vocabulary, "a sequence needs at least 1 symbol")
        source = _sequences("source", self.source, vocabulary)
        target = _sequences("target", self.target, several(self.classes))
        references = target[:, None] if self.references is None else self.references
        found = given.array(references)
        shape = found.shape if found is not None and found.ndim == 3 and found.size else (len(target), 1, target.shape[1])
        references = whole_numbers("references", references, (len(target), *shape[1:]), self.classes, low=-1)
        whole_numbers("target", target, (len(source), target.shape[1]), None, low=-1)
        number = whole_numbers("number", self.number, (len(source),), None)
        if not (matches(target, references).any(axis=1) | (target == UNKNOWN).any(axis=1)).all():
            raise WrongUse("trials: the target of a trial is none of its references; put it among them.")
        for name, values in (("source", source), ("target", target), ("number", number), ("references", references)):
            object.__setattr__(self, name, values)

    def __len__(self) -> int:
        return len(self.source)

    @property
    def X(self) -> np.ndarray:
        """What is shown, (trials, length) int64; -1 behind the end."""
        return self.source

    @property
    def y(self) -> np.ndarray:
        """What is asked for, (trials, length') int64; -1 behind the end."""
        return self.target

    def right(self, answers: Any) -> np.ndarray:
        """1 where an answer is, from its first to its last symbol, one of the references, else 0: (trials,).

        Answers are (trials, any width), -1 behind the end of each.
        """
        return exact(answers, self._known)

    def places(self, answers: Any) -> np.ndarray:
        """Share of places that hold the right symbol, of as many as the longer one has, answer or reference; of the references
        the one that fits best. (trials,)"""
        return share_of_places(answers, self._known)

    @property
    def _known(self) -> np.ndarray:
        assert self.references is not None
        return self.references

    def text(self, row: np.ndarray, side: int = 1) -> str:
        """A sequence (length,) in words; `side` 0 is the source, 1 the target."""
        names = self.words[side]
        return " ".join(names[symbol] if names else str(symbol) for symbol in np.asarray(row) if symbol >= 0)


def _sequences(name: str, values: Any, symbols: int) -> np.ndarray:
    """Symbols (trials, length), -1 behind the end of each."""
    found = given.array(values)
    shape = found.shape if found is not None and found.ndim == 2 and found.size else (1, 1)
    found = whole_numbers(name, values, shape, symbols, low=-1)
    if (found[:, 0] < 0).any():
        raise WrongUse(f"trials: {name} of trial {int((found[:, 0] < 0).argmax())} is empty; leave the trial out.")
    ended = np.maximum.accumulate(found < 0, axis=1)
    whole_numbers(f"a symbol of {name} behind the end of its sequence", np.where(ended, found, -1), shape, 0, low=-1)
    return found


@checked
def answered(answers: Any, trials: int) -> np.ndarray:
    """Answers as whole numbers (trials, width), everything behind the first -1 of a row -1.

    Raises
    ------
    WrongUse
        Rows of different lengths, no whole numbers, another number of trials.
    """
    found = given.array(answers)
    if found is None or found.ndim != 2 or len(found) != trials:
        told = "rows of different lengths" if found is None else f"the shape {found.shape}"
        raise WrongUse(f"answers have {told}; these trials ask for ({trials}, any width), -1 behind the end of each.")
    if found.dtype.kind not in "iuf" or not np.equal(found, np.floor(found)).all():
        raise WrongUse(f"answers are of the type {found.dtype}; give the numbers of symbols.")
    return (
        np.where(np.maximum.accumulate(found < 0, axis=1), -1, found).astype(np.int64) if found.size else found.astype(np.int64)
    )


@checked
def sequences_given(name: str, values: Any) -> np.ndarray:
    """Numbers of symbols as a learner takes them, (trials, length) int64, -1 behind the end of each.

    Raises
    ------
    WrongUse
        No matrix of whole numbers, no trials, an empty sequence or one with a gap.
    """
    found = given.array(values)
    if found is None or found.ndim != 2 or not found.size or found.dtype.kind not in "iu":
        raise WrongUse(f"{name} holds no sequences; give whole numbers (trials, length), -1 behind the end of each.")
    there = found >= 0
    if not there[:, 0].all():
        raise WrongUse(f"{name}: sequence {int((~there[:, 0]).argmax())} is empty; leave its trial out.")
    gap = (there[:, 1:] & ~there[:, :-1]).any(axis=1)
    if gap.any():
        raise WrongUse(f"{name}: sequence {int(gap.argmax())} has a gap; -1 stands behind its end alone.")
    return np.where(there, found, -1).astype(np.int64)


def _alike(answers: np.ndarray, references: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both as wide as the wider one."""
    width = max(answers.shape[1], references.shape[2])
    return (
        np.pad(answers, ((0, 0), (0, width - answers.shape[1])), constant_values=-1),
        np.pad(references, ((0, 0), (0, 0), (0, width - references.shape[2])), constant_values=-1),
    )


@checked
def matches(answers: np.ndarray, references: np.ndarray) -> np.ndarray:
    """Whether an answer (trials, width) is each of its references (trials, several, length'); (trials, several)."""
    found, wanted = _alike(answers, references)
    return (found[:, None] == wanted).all(axis=2) & (wanted[:, :, 0] >= 0) & (found != UNKNOWN).all(axis=1)[:, None]


@checked
def exact(answers: Any, references: np.ndarray) -> np.ndarray:
    """1 where an answer is one of its references, else 0; (trials,) float64."""
    return matches(answered(answers, len(references)), references).any(axis=1).astype(float)


@checked
def share_of_places(answers: Any, references: np.ndarray) -> np.ndarray:
    """Share of places with the right symbol, of the reference that fits best; (trials,)."""
    found, wanted = _alike(answered(answers, len(references)), references)
    right = ((found[:, None] == wanted) & (wanted > UNKNOWN)).sum(axis=2)  # (trials, several)
    longer = np.maximum((found >= 0).sum(axis=1)[:, None], (wanted >= 0).sum(axis=2))
    return np.where(wanted[:, :, 0] >= 0, right / np.maximum(longer, 1), 0.0).max(axis=1)


@checked
def numbered(texts: Sequence[Sequence[str]], words: Sequence[str], width: int = 0) -> np.ndarray:
    """Texts as numbers of their words, (texts, longest or `width`) int64; `UNKNOWN` for the others, -1 behind the end."""
    number = {word: place for place, word in enumerate(words)}
    found = np.full((len(texts), max(width, *map(len, texts), 1)), -1, dtype=np.int64)
    for row, text in zip(found, texts, strict=True):
        row[: len(text)] = [number.get(word, UNKNOWN) for word in text]
    return found


@checked
def trials_of(
    sources: Sequence[Sequence[str]],
    targets: Sequence[Sequence[Sequence[str]]],
    number: np.ndarray,
    words: tuple[tuple[str, ...], tuple[str, ...]],
) -> Sequences:
    """Trials of texts: of each its source, the targets that are right (the first is `target`), and its number."""
    told = numbered([reference for of in targets for reference in of], words[1])
    several = np.array([len(of) for of in targets])
    references = np.full((len(several), several.max(), told.shape[1]), -1, dtype=np.int64)
    references[np.arange(several.max()) < several[:, None]] = told
    shown = numbered(sources, words[0])
    return Sequences(shown, references[:, 0], number, len(words[0]), len(words[1]), references, words)


@checked
def known_words(
    sources: Sequence[Sequence[str]], targets: Sequence[Sequence[str]], most: int
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What the symbols of both sides stand for: the unknown one, the words that both sides have, the others of each.

    Of a side these are the `most` words that stand in most training texts (`plasticity.datasets.texts.vocabulary`).
    """
    shown, asked = vocabulary(sources, most), vocabulary(targets, most)
    both = [word for word in shown if word in set(asked)]
    first, second = (tuple(word for word in side if word not in set(both)) for side in (shown, asked))
    return ("?", *both, *first), ("?", *both, *second)
