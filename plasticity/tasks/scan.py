"""SCAN: commands, and the sequences of actions that they ask for."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from plasticity import datasets
from plasticity.checked import checked
from plasticity.datasets.pairs import Pairs
from plasticity.errors import WrongUse
from plasticity.settings import setting
from plasticity.tasks.sequences import Sequences, known_words, trials_of
from plasticity.tasks.task import Task
from plasticity.tasks.trials import Draw

MOST = 1_000_000


@dataclass(frozen=True)
class Scan(Task):
    """A command such as "jump left twice" is shown; the answer is what it asks for: turn left, jump, turn left, jump.

    - Training and test commands are the publisher's: split at random ("simple"), by the number of actions ("length": up to 22 in
      training, 24 to 48 in the test), or by a word ("add_jump": alone in training, within commands in the test). Validation
      commands are cut from the training ones, anew for each seed; those that are there many times (jump, in "add_jump") stay.
      So all seeds draw their test commands from the same ones, or (`test=0`) have them all.
    - Symbols are words and actions of the training commands of the draw; 0 is every other one.
    - Right is a sequence of actions that is right from its first to its last. Nobody guesses one: chance is 0.

    Shapes: `source` (trials, up to 9), `target` (trials, up to 48), -1 behind the end; `number` counts the different commands.

    Source: Lake & Baroni 2018, Generalization without systematicity, arXiv:1711.00350.
    """

    name: ClassVar[str] = "scan"
    summary: ClassVar[str] = "Commands in words, each asks for a sequence of actions."
    source: ClassVar[str] = "Lake & Baroni 2018, arXiv:1711.00350"
    family: ClassVar[str] = "sequences"
    default_seeds: ClassVar[int] = 3

    split: str = setting("simple", "which commands are test", choices=("simple", "length", "add_jump"))
    train: int = setting(2000, "the most training commands; 0: all", "trials", low=0, high=MOST)
    validation: int = setting(500, "validation commands", "trials", low=1, high=10_000)
    test: int = setting(500, "the most test commands; 0: all", "trials", low=0, high=MOST)

    @property
    def classes(self) -> int:
        return 7  # six actions, and the unknown one

    @property
    def numbers(self) -> float:
        return 110.0 * (min(self.train or MOST, 17_000) + self.validation + min(self.test or MOST, 8_000))

    def draw(self, rng: np.random.Generator) -> Draw:
        seeds = self.seeds_of(rng)
        pairs, number = _read()
        own, apart = (pairs.parts[f"{self.split} {part}"] for part in ("train", "test"))
        own = own[~np.isin(number[own], number[apart])]
        once, times = np.unique(number[own], return_counts=True)
        different = np.random.default_rng(seeds[0]).permutation(once[times == 1])
        if self.validation >= len(different):
            raise WrongUse(
                f"scan: validation={self.validation} leaves none of the {len(different)} training commands; give less."
            )
        held = different[: self.validation]
        parts = [own[~np.isin(number[own], held)], own[np.isin(number[own], held)], apart]
        parts = [np.random.default_rng(seed).permutation(part) for seed, part in zip(seeds[1:], parts, strict=True)]
        for place, most in ((0, self.train), (2, self.test)):
            parts[place] = parts[place][: most or None]
        words = known_words([pairs.sources[k] for k in parts[0]], [pairs.targets[k] for k in parts[0]], MOST)
        made = [
            trials_of([pairs.sources[k] for k in part], [[pairs.targets[k]] for k in part], number[part], words) for part in parts
        ]
        return Draw(*made, test_set=len(np.unique(number[apart])))

    @checked
    def ideal(self, trials: Sequences) -> np.ndarray:
        """What the command asks for, by the grammar of the paper (figure 6 there)."""
        answers = [_actions(trials.text(row, 0).split()) for row in trials.source]
        known = {action: place for place, action in enumerate(trials.words[1])}
        found = np.full((len(answers), max(map(len, answers))), -1, dtype=np.int64)
        for row, answer in zip(found, answers, strict=True):
            row[: len(answer)] = [known.get(action, 0) for action in answer]
        return found


@functools.lru_cache(maxsize=1)
def _read() -> tuple[Pairs, np.ndarray]:
    """The commands, and of each the number of the first one that is the same."""
    pairs = datasets.DATASETS["scan"]()
    assert isinstance(pairs, Pairs)
    first: dict[tuple[str, ...], int] = {}
    return pairs, np.array([first.setdefault(source, len(first)) for source in pairs.sources])


def _actions(command: list[str]) -> list[str]:
    """The actions of a command."""
    for word, swapped in (("and", False), ("after", True)):
        if word in command:
            place = command.index(word)
            first, second = _actions(command[:place]), _actions(command[place + 1 :])
            return second + first if swapped else first + second
    for word, times in (("twice", 2), ("thrice", 3)):
        if command[-1] == word:
            return times * _actions(command[:-1])
    verb = [] if command[0] == "turn" else [f"I_{command[0].upper()}"]
    turns = [f"I_TURN_{word.upper()}" for word in command if word in ("left", "right")]
    if "around" in command:
        return 4 * (turns + verb)
    return (2 if "opposite" in command else 1) * turns + verb
