"""Saccades and antisaccades: look where the cue was, or away from it, once the fixation mark has gone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from plasticity.settings import setting
from plasticity.tasks.episodes import EpisodeTask, World

LEFT, FIXATE, RIGHT = range(3)
CUE_LEFT, PRO, ANTI, CUE_RIGHT = range(4)
BEGIN, WAIT, DELAY, GO = 1, 10, 2, 8  # steps; to fixate and the cue take one each


@dataclass(frozen=True)
class Saccade(EpisodeTask):
    """Fixate a mark, see a cue left or right of it, wait, and look to its side (pro) or to the other (anti) when the mark goes.

    Actions: 0 look left, 1 fixate, 2 look right. Features: cue left, mark of pro, mark of anti, cue right.

        begin 1    nothing is there; any action
        wait  10   the mark appears; to fixate goes on, without it for 10 steps the episode ends
        fixate 1   from here on all but to fixate ends the episode; brings `shaping`
        cue 1      at one side
        delay 2    the mark alone
        go  8      the mark is gone: the first look to a side ends the episode, and brings `reward` on the right one

    Four types of episodes, pro and anti with the cue left and right, as often as each other.
    """

    name: ClassVar[str] = "saccade"
    summary: ClassVar[str] = "remember a cue over a delay, then look there or, by the mark, to the other side"
    source: ClassVar[str] = "Rombouts, Bohte & Roelfsema 2015, doi:10.1371/journal.pcbi.1004060"

    shaping: float = setting(0.2, "reward for fixation; 0 for none", low=-100, high=100)
    reward: float = setting(1.5, "reward for the right look", low=-100, high=100)

    @property
    def classes(self) -> int:
        return 3

    def world(self) -> World:
        made = World(features=4, actions=3, longest=BEGIN + WAIT + 1 + 1 + DELAY + GO)
        for mark in (PRO, ANTI):
            for cue in (CUE_LEFT, CUE_RIGHT):
                look = LEFT if (cue == CUE_LEFT) == (mark == PRO) else RIGHT
                state = made.failed
                for _ in range(GO):
                    state = made.state((), {look: (made.reached, self.reward), FIXATE: (state, 0.0)})
                for seen in [(mark,)] * DELAY + [(mark, cue)]:
                    state = made.state(seen, {FIXATE: (state, 0.0)})
                fixated = made.state((mark,), {FIXATE: (state, self.shaping)})
                state = made.failed
                for _ in range(WAIT):
                    state = made.state((mark,), {FIXATE: (fixated, 0.0)}, otherwise=state)
                for _ in range(BEGIN):
                    state = made.state((), {}, otherwise=state)
                made.start(state)
        return made
