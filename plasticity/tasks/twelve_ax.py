"""12AX: which letters are a target depends on the digit that came last."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from plasticity.checked import checked
from plasticity.settings import setting
from plasticity.tasks.episodes import Episodes, EpisodeTask, World

DIGITS, FIRST, SECOND = "12", "ABC", "XYZ"
SYMBOLS = DIGITS + FIRST + SECOND
TARGETS = {"1": "AX", "2": "BY"}
LEFT, RIGHT = range(2)


@dataclass(frozen=True)
class TwelveAX(EpisodeTask):
    """A digit, then pairs of letters: answer 1 at the X of AX where the digit was 1, and at the Y of BY where it was 2, else 0.

    One symbol a step, each to be answered; a wrong answer ends the episode, a right one brings `reward`, and so on to the last.
    Features are the symbols 1 2 A B C X Y Z. There are 1 to `pairs` pairs, as often as each other; each is with probability
    1/2 the target, otherwise one of the nine pairs of A, B, C with X, Y, Z. The digit is 1 or 2 as often as each other.
    """

    name: ClassVar[str] = "twelve_ax"
    summary: ClassVar[str] = "a digit says which pair of letters is the target among the pairs that follow"
    source: ClassVar[str] = "O'Reilly & Frank 2006, doi:10.1162/089976606775093909"
    window: ClassVar[int] = 500

    train: int = setting(50_000, "training episodes", "episodes", low=10, high=10_000_000)
    pairs: int = setting(2, "the most pairs after a digit", low=1, high=3)
    reward: float = setting(0.5, "reward for each right answer", low=-100, high=100)

    @property
    def classes(self) -> int:
        return 2

    def sequences(self) -> Iterator[tuple[str, float]]:
        """All sequences, with how often each comes."""
        every = ["".join(pair) for pair in itertools.product(FIRST, SECOND)]
        for digit, number in itertools.product(DIGITS, range(1, self.pairs + 1)):
            share = {pair: 0.5 / len(every) + 0.5 * (pair == TARGETS[digit]) for pair in every}
            for pairs in itertools.product(every, repeat=number):
                yield digit + "".join(pairs), float(np.prod([share[pair] for pair in pairs])) / (2 * self.pairs)

    def world(self) -> World:
        made = World(features=len(SYMBOLS), actions=2, longest=1 + 2 * self.pairs)
        known: dict[tuple[str, str, str], int] = {}  # by the digit, the symbol before, and what is still to come

        def state(digit: str, before: str, rest: str) -> int:
            if not rest:
                return made.reached
            if (digit, before, rest) not in known:
                right = RIGHT if before + rest[0] == TARGETS[digit] else LEFT
                leads = {right: (state(digit, rest[0], rest[1:]), self.reward)}
                known[digit, before, rest] = made.state((SYMBOLS.index(rest[0]),), leads)
            return known[digit, before, rest]

        for sequence, share in self.sequences():
            made.start(state(sequence[0], "", sequence), share)
        return made

    @checked
    def types(self, trials: Episodes) -> np.ndarray:
        """One type of all: there are hundreds of sequences."""
        return np.zeros(len(trials), dtype=np.int64)
