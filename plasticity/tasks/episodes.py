"""Episodes: a world as a table, in which a learner acts for rewards until it reaches a goal or the time is over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from plasticity.errors import WrongUse
from plasticity.tasks.trials import Trials, at_least, numbers, several, whole_numbers, yes_or_no


@dataclass(frozen=True, eq=False)
class Episodes(Trials):
    """A world as arrays, which Python steps through and a compiled network looks up, and where each episode begins.

    What happens next follows from state and action alone; what is left to chance is in the table, as states that an episode may
    begin in.

    Attributes
    ----------
    observation : (states, features) float64
        What is seen in a state, no unit.
    next_state : (states, actions) int64
        Where an action leads.
    reward : (states, actions) float64
        What it brings.
    goal : (states,) bool
        Reaching such a state ends the episode, and it counts as right.
    ends : (states,) bool
        Reaching such a state ends the episode; so does every goal.
    start : (episodes,) int64
        The state in which an episode begins.
    longest : int
        The most actions of an episode.
    classes : int
        Number of actions.

    Raises
    ------
    WrongUse
        Shapes that do not agree, no episodes, NaN, states that are not there, an episode that begins at its end.
    """

    family: ClassVar[str] = "episodes"
    shared: ClassVar[tuple[str, ...]] = ("observation", "next_state", "reward", "goal", "ends")

    observation: np.ndarray
    next_state: np.ndarray
    reward: np.ndarray
    goal: np.ndarray
    ends: np.ndarray
    start: np.ndarray
    longest: int
    classes: int = 0  # refused: it has to be said

    def __post_init__(self) -> None:
        observation = numbers("observation", self.observation, 2, "(states, features)")
        reward = numbers("reward", self.reward, 2, "(states, actions)")
        if not (np.isfinite(observation).all() and np.isfinite(reward).all()):
            raise WrongUse("trials: observation or reward holds NaN or infinity; every value must be a finite number.")
        states, actions = len(observation), several(self.classes)
        next_state = whole_numbers("next_state", self.next_state, (states, actions), states)
        if reward.shape != (states, actions):
            raise WrongUse(
                f"trials: reward has the shape {reward.shape}; with these states and actions it must be {(states, actions)}."
            )
        goal = yes_or_no("goal", self.goal, states)
        ends = yes_or_no("ends", self.ends, states) | goal
        start = whole_numbers("start", self.start, (max(1, np.size(self.start)),), states)
        if ends[start].any():
            raise WrongUse(f"trials: episode {int(ends[start].argmax())} begins in a state that ends it.")
        at_least(1, "longest", self.longest, "an episode needs at least 1 action")
        checked = {
            "observation": observation,
            "next_state": next_state,
            "reward": reward,
            "goal": goal,
            "ends": ends,
            "start": start,
        }
        for name, values in checked.items():
            object.__setattr__(self, name, values)

    def __len__(self) -> int:
        return len(self.start)

    @property
    def X(self) -> Episodes:
        """The episodes themselves: `predict` gives their actions, (episodes, longest), -1 behind the end of one."""
        return self

    @property
    def y(self) -> None:
        """Nobody says what would have been right; there are rewards."""
        return None

    def play(self, actions: Any) -> tuple[np.ndarray, np.ndarray]:
        """What these actions (episodes, longest) lead to: whether each episode reached a goal, and its sum of rewards.

        Raises
        ------
        WrongUse
            Another shape, or an action that is not there before its episode has ended.
        """
        given = np.asarray(actions)
        if given.dtype.kind not in "biu":
            raise WrongUse(f"actions are of the type {given.dtype}; they are whole numbers from 0 to {self.classes - 1}.")
        if given.shape != (len(self), self.longest):
            raise WrongUse(f"actions have the shape {given.shape}; these episodes take {(len(self), self.longest)}.")
        state, over, total = self.start.copy(), np.zeros(len(self), bool), np.zeros(len(self))
        for step in range(self.longest):
            chosen = np.where(over, 0, given[:, step])
            if ((chosen < 0) | (chosen >= self.classes)).any():
                wrong = f"actions of step {step} run from {chosen.min()} to {chosen.max()}"
                raise WrongUse(f"{wrong}; they are numbered 0 to {self.classes - 1}.")
            total += np.where(over, 0.0, self.reward[state, chosen])
            state = np.where(over, state, self.next_state[state, chosen])
            over |= self.ends[state]
        return self.goal[state], total

    def by_random_actions(self) -> float:
        """The share of episodes that reach a goal where every action is drawn alike, exactly."""
        reaches = self.goal.astype(np.float64)
        for _ in range(self.longest):
            reaches = np.where(self.ends, self.goal, reaches[self.next_state].mean(axis=1))
        return float(reaches[self.start].mean())

    def right(self, answers: Any) -> np.ndarray:
        """1 for each episode that reached a goal by these actions, else 0; (episodes,)."""
        return self.play(answers)[0].astype(np.float64)
