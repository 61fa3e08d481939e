"""Keys and values shown once, then a key: which value was it?"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from plasticity.checked import checked
from plasticity.errors import WrongUse
from plasticity.settings import setting
from plasticity.tasks.streams import Streams
from plasticity.tasks.task import Task
from plasticity.tasks.trials import Draw


@dataclass(frozen=True)
class AssociativeRecall(Task):
    """Pairs of a key and a value are shown once; then one of the keys is shown again, and its value is the answer.

    One trial (pairs 3, dimension 4, values 2)::

            key        value
        [1 0 0 1     1 0]     pair 0      stimulus[t, 0]
        [0 0 1 0     0 1]     pair 1      stimulus[t, 1]
        [1 1 0 1     0 1]     pair 2      stimulus[t, 2]
        [0 0 1 0     0 0]     the query   stimulus[t, 3], cue[t] = 3     answer: 1, the value of pair 1

    - A key is a vector of independent random signs, shown as 1 (plus) and 0 (minus); the keys of a trial all differ. Scaled to
      unit length, two of them have an inner product of mean 0 and mean square 1/dimension, but for what the condition that they
      differ takes away (3 % of the mean square at dimension 8, 0.02 % at 16).
    - The value of a pair is drawn uniformly, so that values may repeat within a trial; it is shown one-hot.
    - Nothing learnt from one trial helps with the pairs of another: what can be learnt from training trials is how to recall.
    - With more than one query to each memory, as many trials in a row show the same pairs and ask for different ones.
    - `image` numbers the pairs drawn; training, validation and test never share one. A query has the number of its pair.

    Shapes: `stimulus` (trials, pairs + 1, dimension + values), each 0 or 1.

    Raises
    ------
    WrongUse
        More keys than there are patterns of signs, trials that are no multiple of `queries`.

    Source: Ba, Hinton, Mnih, Leibo & Ionescu (2016), Using fast weights to attend to the recent past, arXiv:1610.06258; several
    queries: Arora et al. (2024), Zoology, arXiv:2312.04927. Linear memories of such pairs: Kohonen (1972), IEEE Transactions on
    Computers C-21, doi:10.1109/TC.1972.5008975.
    """

    name: ClassVar[str] = "associative_recall"
    summary: ClassVar[str] = "Keys and values shown once, then a key: which value was it?"
    source: ClassVar[str] = (
        "Kohonen 1972 doi:10.1109/TC.1972.5008975; Ba et al. 2016 arXiv:1610.06258; Arora et al. 2024 arXiv:2312.04927"
    )
    query: ClassVar[str] = "content"

    pairs: int = setting(8, "pairs to be remembered in a trial", "pairs", low=1, high=1000)
    dimension: int = setting(32, "length of a key", low=1, high=1000)
    values: int = setting(10, "possible values", low=2, high=1000)
    queries: int = setting(1, "trials in a row that ask about the same pairs", "trials", low=1, high=1000)
    train: int = setting(4000, "training trials", "trials", low=10, high=10_000_000)
    validation: int = setting(300, "validation trials", "trials", low=10, high=10_000_000)
    test: int = setting(500, "test trials", "trials", low=10, high=10_000_000)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.dimension < 60 and self.pairs > 2**self.dimension / 2:
            raise WrongUse(
                f"{self.name}: {self.pairs} different keys of {self.dimension} signs are more than half of those that there are;"
                " set a larger dimension."
            )
        if self.queries > self.pairs:
            raise WrongUse(
                f"{self.name}: queries={self.queries} is more than the {self.pairs} pairs; ask about each at most once."
            )
        for part in ("train", "validation", "test"):
            if getattr(self, part) % self.queries:
                raise WrongUse(f"{self.name}: {part}={getattr(self, part)} is no multiple of queries={self.queries}.")

    @property
    def numbers(self) -> float:
        return (self.train + self.validation + self.test) * self.streams * (self.dimension + self.values)

    @property
    def classes(self) -> int:
        return self.values

    @property
    def streams(self) -> int:
        return self.pairs + 1

    def draw(self, rng: np.random.Generator) -> Draw:
        seeds = self.seeds_of(rng)
        parts, first = [], seeds[0]
        for trials, seed in zip((self.train, self.validation, self.test), seeds[1:], strict=True):
            parts.append(self._deal(trials // self.queries, first, np.random.default_rng(seed)))
            first += trials // self.queries * self.pairs
        return Draw(*parts)

    def _deal(self, memories: int, first: int, rng: np.random.Generator) -> Streams:
        """The trials of some memories, whose pairs are numbered from `first`."""
        keys = distinct_signs(rng, memories, self.pairs, self.dimension)
        label = rng.integers(self.values, size=(memories, self.pairs))
        asked = rng.permuted(np.tile(np.arange(self.pairs), (memories, 1)), axis=1)[:, : self.queries]  # (memories, queries)
        number = first + np.arange(memories * self.pairs).reshape(memories, self.pairs)
        shown = np.zeros((memories, self.queries, self.streams, self.dimension + self.values))
        shown[:, :, :-1] = np.concatenate([keys, np.eye(self.values)[label]], axis=2)[:, None]
        shown[:, :, -1, : self.dimension] = np.take_along_axis(keys, asked[:, :, None], axis=1)
        answer = np.take_along_axis(label, asked, axis=1)  # (memories, queries)

        def per_trial(of_pairs: np.ndarray, of_query: np.ndarray) -> np.ndarray:
            repeated = np.repeat(of_pairs[:, None], self.queries, axis=1)  # (memories, queries, pairs)
            return np.concatenate([repeated, of_query[:, :, None]], axis=2).reshape(-1, self.streams)

        return Streams(
            shown.reshape(-1, *shown.shape[2:]),
            np.full(memories * self.queries, self.pairs),
            answer.ravel(),
            per_trial(label, answer),
            per_trial(number, np.take_along_axis(number, asked, axis=1)),
            self.values,
        )

    @checked
    def ideal(self, trials: Streams) -> np.ndarray:
        """The value shown with the very key that is asked for."""
        keys, values = np.split(trials.stimulus, [self.dimension], axis=2)
        found = (keys[:, :-1] == keys[:, -1:]).all(axis=2).argmax(axis=1)
        return values[np.arange(len(trials)), found].argmax(axis=1)


def distinct_signs(rng: np.random.Generator, memories: int, pairs: int, dimension: int) -> np.ndarray:
    """Random signs as 0 and 1, (memories, pairs, dimension); a memory with two equal keys is drawn again.

    Where keys are many and short, that would hardly ever end: after 100 times only the keys that repeat are drawn again. Each set
    of different keys is equally likely in either way, since no pattern of signs is unlike another.
    """
    keys = rng.integers(2, size=(memories, pairs, dimension)).astype(float)
    address = rng.random(dimension)  # equal keys have equal sums of it
    for tries in itertools.count():
        sums = keys @ address  # (memories, pairs)
        order = sums.argsort(axis=1)
        repeats = np.diff(np.take_along_axis(sums, order, axis=1), axis=1) < 1e-9
        memory, place = np.nonzero(repeats)
        if not len(memory):
            break
        if tries < 100:
            alike = np.unique(memory)
            keys[alike] = rng.integers(2, size=(len(alike), pairs, dimension))
        else:
            keys[memory, order[memory, place + 1]] = rng.integers(2, size=(len(memory), dimension))
    return keys
