"""What a task is: it draws trials, plain NumPy arrays that every learner gets alike."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Mapping
from typing import Any, ClassVar

import numpy as np

from plasticity import memory
from plasticity.checked import checked
from plasticity.errors import WrongUse, unknown
from plasticity.settings import check
from plasticity.tasks.trials import Draw

FAMILIES = ("streams", "timelines", "tokens", "sequences", "episodes")
KINDS = {
    "image": "one stream, without a cue",
    "streams": "several streams, of which a cue names one",
    "pairs": "several streams, of which the cued one asks about the others",
    "timelines": "signals over time",
    "tokens": "sequences of symbols that ask at places",
    "texts": "sequences of symbols, words say, each with one answer",
    "items": "what a user took, one after another, and which is next",
    "sequences": "a sequence of symbols that asks for another one",
    "episodes": "a world, actions and rewards",
}
"""What a learner may say that it `takes`, and where it is `chosen_for` a task when no learners are named."""


class Task(ABC):
    """A question put to every learner alike: a frozen dataclass whose fields are its settings.

    Attributes
    ----------
    name, summary, source : str
        What it is called, what it asks in one line, and where it comes from (citation with doi).
    family : str
        Of its trials: "streams", "timelines", "tokens", "sequences" or "episodes".
    query : str
        Of streams. "cue": the cue says which to answer for; "content": the cued stream shows a question about the others.
    default_seeds : int
        How many `plasticity compare` takes where none are named.
    kind : str
        What it asks of a learner, one of `KINDS`.
    classes, streams : int
        Number of possible answers, and of streams shown at once.
    chance, ceiling : float
        Accuracy of guessing, and of the ideal observer.
    facts : dict
        Of data of somebody's own: what a record keeps of them.
    compared : mapping from the name of a learner to settings
        The learners that it is put to where none are named, each with the settings that were chosen for this task; empty: those
        that suit its kind, with their own settings.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    source: ClassVar[str]
    family: ClassVar[str] = "streams"
    query: ClassVar[str] = "cue"
    default_seeds: ClassVar[int] = 10

    @classmethod
    @checked
    def about(cls, settings: Mapping[str, Any]) -> tuple[str, str]:
        """What it asks, in one line, and whose it is, with these settings; nobody's (empty) where the data are the user's own."""
        return cls.summary, cls.source

    @property
    def compared(self) -> Mapping[str, Mapping[str, Any]]:
        """Learners that it is put to where none are named, and settings chosen for this task; empty: those of its kind."""
        return {}

    def __post_init__(self) -> None:
        """Settings beyond their bounds and more trials than memory holds are refused; a task that refuses more calls it too."""
        check(self)
        if not isinstance(getattr(self, "name", None), str):
            raise WrongUse(f"{type(self).__name__} is no task yet: it has no name; put one of those built on it to learners.")
        memory.refuse(f"{self.name}: its trials", self.bytes, "ask for fewer trials")

    @property
    def kind(self) -> str:
        """What this task asks of a learner, one of `KINDS`."""
        if self.family not in FAMILIES:
            raise unknown(f"family of {self.name}", str(self.family), FAMILIES)
        if self.family != "streams":
            return self.family
        return "pairs" if self.query == "content" else "image" if self.streams == 1 else "streams"

    @property
    @abstractmethod
    def classes(self) -> int:
        """Number of possible answers."""

    @property
    def streams(self) -> int:
        """Number of streams shown at once."""
        return 1

    @property
    def chance(self) -> float:
        """Accuracy of guessing among all classes; of episodes what random actions reach, in the draw of seed 0; of sequences 0,
        for nobody guesses a whole one."""
        if self.family == "episodes":
            from plasticity.parallel import trials_generator  # not above: trials need no simulator

            return self.draw(trials_generator(0)).test.by_random_actions()
        return 0.0 if self.family == "sequences" else 1 / self.classes

    @property
    def numbers(self) -> float:
        """About how many numbers all its trials hold; 0 where it does not say."""
        return 0

    @property
    def bytes(self) -> float:
        """About how much memory its trials take while somebody learns them; 0 where it does not say."""
        return 8.0 * memory.COPIES * self.numbers

    @property
    def facts(self) -> dict[str, Any]:
        """What a record keeps of data of somebody's own, as JSON holds it: names of classes, SHA-256 of files, what was done."""
        return {}

    @checked
    def hints(self, sides: Collection[str]) -> Iterable[str]:
        """What to think of before learners of these sides meet it, a sentence each: warnings at the start of a comparison."""
        return ()

    @property
    def ceiling(self) -> float:
        """Accuracy of the ideal observer."""
        return 1.0

    @abstractmethod
    def draw(self, rng: np.random.Generator) -> Draw:
        """Training, validation and test trials; a generator in the same state gives the same trials to the bit."""

    @abstractmethod
    def ideal(self, trials: Any) -> np.ndarray:
        """The answers (trials,) of an observer who sees the trial perfectly and never reads its answer."""

    def seeds_of(self, rng: np.random.Generator) -> list[int]:
        """Four seeds: of what the whole draw shares, and of training, validation and test trials.

        So the test trials of a generator do not change with the number of training trials.
        """
        if not isinstance(rng, np.random.Generator):
            raise WrongUse(f"{self.name}: draw() takes a numpy Generator, not {rng!r}; write draw(np.random.default_rng(0)).")
        return [int(seed) for seed in rng.integers(2**32, size=4)]
