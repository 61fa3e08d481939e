"""Delayed match to sample: was what is shown now shown before the delay?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from plasticity.settings import setting
from plasticity.tasks.episodes import EpisodeTask, World

SAME, FIXATE, OTHER = range(3)
MARK = 0  # the feature; the samples are those from 1 on
GO = 8  # steps


@dataclass(frozen=True)
class DelayedMatch(EpisodeTask):
    """A sample, a delay in which nothing but the mark is there, a second sample: say whether it is the same.

    Actions: 0 the same, 1 fixate, 2 another. Features: the fixation mark, then one for each sample.

        fixate 1    the mark; from here on all but to fixate ends the episode; brings `shaping`
        sample 1    and the mark
        delay       1 to `longest_delay` steps, as often as each other: the mark alone
        test 8      a sample without the mark: the first answer ends the episode, and brings `reward` if right

    The sample is the same in half of the episodes.
    """

    name: ClassVar[str] = "delayed_match"
    summary: ClassVar[str] = "remember a sample over a delay, then say whether what is shown is the same"
    source: ClassVar[str] = "Miller, Erickson & Desimone 1996, doi:10.1523/JNEUROSCI.16-16-05154.1996"

    samples: int = setting(2, "how many samples there are", low=2, high=20)
    longest_delay: int = setting(3, "the longest delay", "steps", low=1, high=100)
    shaping: float = setting(0.2, "reward for fixation; 0 for none", low=-100, high=100)
    reward: float = setting(1.5, "reward for the right answer", low=-100, high=100)

    @property
    def classes(self) -> int:
        return 3

    def world(self) -> World:
        made = World(features=1 + self.samples, actions=3, longest=2 + self.longest_delay + GO)
        kinds = range(1, 1 + self.samples)
        for sample in kinds:
            for shown in kinds:
                answer = SAME if shown == sample else OTHER
                asked = made.failed
                for _ in range(GO):
                    asked = made.state((shown,), {answer: (made.reached, self.reward), FIXATE: (asked, 0.0)})
                for delay in range(1, self.longest_delay + 1):
                    state = asked
                    for seen in [(MARK,)] * delay + [(MARK, sample)]:
                        state = made.state(seen, {FIXATE: (state, 0.0)})
                    state = made.state((MARK,), {FIXATE: (state, self.shaping)})
                    made.start(state, 1.0 if shown == sample else 1 / (self.samples - 1))
        return made
