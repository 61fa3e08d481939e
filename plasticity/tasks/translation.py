"""Short English sentences, to be said in French."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from plasticity import datasets
from plasticity.checked import checked
from plasticity.datasets.pairs import Pairs
from plasticity.errors import WrongUse
from plasticity.settings import setting
from plasticity.tasks.sequences import Sequences, known_words, trials_of
from plasticity.tasks.task import Task
from plasticity.tasks.trials import Draw


@dataclass(frozen=True)
class Translation(Task):
    """A short English sentence is shown; the answer is a French one.

    - Words are in lower case; marks of punctuation are symbols of their own, as is in French what ends in an apostrophe. Of both
      sentences none has more than `longest` words, marks not counted.
    - Parts are drawn anew for each seed by English sentence: sentences that differ in punctuation alone, and all translations of
      them, are in one part. (A French sentence may be the translation of two English ones in different parts.)
    - A training trial is a pair of sentences. In validation and test a trial is an English sentence; `target` is its first
      translation, `references` are all.
    - Symbols are the `words` of either side that stand in most training sentences, of those in two or more; 0 is every other
      word, and where every translation has one, no answer is wholly right.
    - Right is an answer that is one of the translations to the letter; what is asked of a translation is BLEU, beside the table.

    Source: sentences of Tatoeba; BLEU: Papineni et al. 2002, doi:10.3115/1073083.1073135.
    """

    name: ClassVar[str] = "translation"
    summary: ClassVar[str] = "Short English sentences, to be said in French."
    source: ClassVar[str] = "Tatoeba, https://tatoeba.org; Papineni et al. 2002, doi:10.3115/1073083.1073135"
    family: ClassVar[str] = "sequences"
    default_seeds: ClassVar[int] = 3

    longest: int = setting(8, "words of a sentence at most, on either side", "words", low=1, high=100)
    words: int = setting(3000, "words that are known on either side, those in most training sentences", low=1, high=1_000_000)
    train: int = setting(3000, "the most training pairs; 0: all", "pairs", low=0, high=10_000_000)
    validation: int = setting(500, "validation sentences", "sentences", low=1, high=20_000)
    test: int = setting(500, "test sentences", "sentences", low=1, high=20_000)

    @property
    def classes(self) -> int:
        return self.words + 1

    @property
    def numbers(self) -> float:
        return 3.0 * self.longest * (min(self.train or 100_000, 100_000) + 10 * (self.validation + self.test))

    def draw(self, rng: np.random.Generator) -> Draw:
        seeds, read = self.seeds_of(rng), _read(self.longest)
        there = len(read.by_number)
        if self.test + self.validation >= there:
            raise WrongUse(
                f"translation: test={self.test} and validation={self.validation} leave none of the {there} sentences of up to"
                f" {self.longest} words for training; give less."
            )
        order = np.random.default_rng(seeds[0]).permutation(there)
        test, held, rest = np.split(order, [self.test, self.test + self.validation])
        shown = np.concatenate([read.by_number[k] for k in np.random.default_rng(seeds[1]).permutation(rest)])
        shown = np.random.default_rng(seeds[1]).permutation(shown[: self.train or None])
        sources, targets = [read.sources[k] for k in shown], [read.targets[k] for k in shown]
        words = known_words(sources, targets, self.words)
        training = trials_of(sources, [[target] for target in targets], read.number[shown], words)
        return Draw(training, *(self._asked(read, part, words) for part in (held, test)), drawn_from=there)

    def _asked(self, read: _Sentences, numbers: np.ndarray, words: tuple[tuple[str, ...], tuple[str, ...]]) -> Sequences:
        """A trial for each of these sentences, with all of its translations."""
        sources = [read.sources[read.by_number[k][0]] for k in numbers]
        targets = [list(dict.fromkeys(read.targets[pair] for pair in read.by_number[k])) for k in numbers]
        return trials_of(sources, targets, np.asarray(numbers), words)

    @checked
    def ideal(self, trials: Sequences) -> np.ndarray:
        """The first translation, by one who knows them."""
        return trials.target


class _Sentences(NamedTuple):
    """Pairs of sentences, the number of the English one of each, and the pairs of each number."""

    sources: tuple[tuple[str, ...], ...]
    targets: tuple[tuple[str, ...], ...]
    number: np.ndarray
    by_number: list[np.ndarray]


@functools.lru_cache(maxsize=2)
def _read(longest: int) -> _Sentences:
    pairs = datasets.DATASETS["tatoeba"]()
    assert isinstance(pairs, Pairs)
    both = [
        (source, target)
        for source, target in zip(pairs.sources, pairs.targets, strict=True)
        if 0 < len(_said(source)) <= longest and 0 < len(_said(target)) <= longest
    ]
    both = list(dict.fromkeys(both))
    if not both:
        raise WrongUse(f"translation: no pair of sentences has up to {longest} words; give a larger longest.")
    first: dict[tuple[str, ...], int] = {}
    number = np.array([first.setdefault(_said(source), len(first)) for source, _ in both])
    order = np.argsort(number, kind="stable")
    by_number = np.split(order, np.flatnonzero(np.diff(number[order])) + 1)
    return _Sentences(tuple(source for source, _ in both), tuple(target for _, target in both), number, by_number)


def _said(text: tuple[str, ...]) -> tuple[str, ...]:
    """Its words, without marks."""
    return tuple(word for word in text if word[0].isalnum())
