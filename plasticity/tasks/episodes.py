"""Episodes: a world as a table, in which a learner acts for rewards until it reaches a goal or the time is over."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from plasticity.checked import checked
from plasticity.errors import WrongUse
from plasticity.settings import setting
from plasticity.tasks.task import Task
from plasticity.tasks.trials import Draw, Trials, at_least, numbers, several, whole_numbers, yes_or_no


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
        Shapes that do not agree, no episodes, NaN, states that are not there, an episode that begins at its end, one that no
        actions bring to an end within `longest`.
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
        away = _distances(next_state, ends, self.longest)[start]
        if (away > self.longest).any():
            raise WrongUse(
                f"trials: episode {int(away.argmax())} never ends: no {self.longest} actions lead from its start to a state that"
                " ends it; give a larger longest, or a table with a way to an end."
            )
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

    def best_actions(self) -> np.ndarray:
        """Actions (episodes, longest) that reach a goal on the shortest way, for who knows table and state; -1 behind the end."""
        away = np.where(self.ends & ~self.goal, self.longest + 1, _distances(self.next_state, self.goal, self.longest, self.ends))
        state, chosen = self.start.copy(), np.full((len(self), self.longest), -1)
        for step in range(self.longest):
            on = ~self.ends[state]
            chosen[on, step] = away[self.next_state[state[on]]].argmin(axis=1)
            state[on] = self.next_state[state[on], chosen[on, step]]
        return chosen

    def right(self, answers: Any) -> np.ndarray:
        """1 for each episode that reached a goal by these actions, else 0; (episodes,)."""
        return self.play(answers)[0].astype(np.float64)


def _distances(next_state: np.ndarray, wanted: np.ndarray, longest: int, closed: np.ndarray | None = None) -> np.ndarray:
    """The fewest actions from each state to a wanted one, longest + 1 where there are more; nothing leads on from `closed`."""
    away = np.where(wanted, 0, longest + 1)
    for _ in range(longest):
        nearer = np.minimum(away, away[next_state].min(axis=1) + 1)
        away = nearer if closed is None else np.where(closed, away, nearer)
    return away


class World:
    """A world in the making, from its ends to its starts: each state is told with where its actions lead."""

    def __init__(self, features: int, actions: int, longest: int) -> None:
        self.features, self.actions, self.longest = features, actions, longest
        self._seen: list[np.ndarray] = []
        self._leads: list[list[tuple[int, float]]] = []
        self._starts: dict[int, float] = {}
        self.failed, self.reached = (self._add((), [(number, 0.0)] * actions) for number in (0, 1))

    def _add(self, seen: tuple[int, ...], leads: list[tuple[int, float]]) -> int:
        self._seen.append(np.isin(np.arange(self.features), seen).astype(float))
        self._leads.append(leads)
        return len(self._seen) - 1

    def state(self, seen: tuple[int, ...], leads: Mapping[int, tuple[int, float]], otherwise: int | None = None) -> int:
        """A new state, in which these features are 1: for actions the state they lead to and the reward.

        All other actions lead to `otherwise` (where None: to the end of the episode, failed) for no reward.
        """
        rest = (self.failed if otherwise is None else otherwise, 0.0)
        return self._add(seen, [leads.get(action, rest) for action in range(self.actions)])

    def start(self, state: int, share: float = 1.0) -> None:
        """Episodes begin there as often as `share` says, beside other starts."""
        self._starts[state] = self._starts.get(state, 0.0) + share

    def episodes(self, rng: np.random.Generator, number: int) -> Episodes:
        """So many episodes in this world, whose starts are drawn."""
        leads, share = np.array(self._leads), np.array(list(self._starts.values()))
        goal = np.arange(len(leads)) == self.reached
        start = rng.choice(list(self._starts), size=number, p=share / share.sum())
        ends = goal | (np.arange(len(leads)) == self.failed)
        seen, ahead = np.array(self._seen), leads[:, :, 0].astype(int)
        return Episodes(seen, ahead, leads[:, :, 1], goal, ends, start, self.longest, self.actions)


@dataclass(frozen=True)
class EpisodeTask(Task):
    """A task of episodes: what it says of itself is a world."""

    family: ClassVar[str] = "episodes"
    window: ClassVar[int] = 50  # a criterion of learning looks at so many episodes of each type

    train: int = setting(20_000, "training episodes", "episodes", low=10, high=10_000_000)
    validation: int = setting(200, "validation episodes", "episodes", low=10, high=10_000_000)
    test: int = setting(400, "test episodes", "episodes", low=10, high=10_000_000)

    @abstractmethod
    def world(self) -> World:
        """The table, and where episodes may begin."""

    @checked
    def types(self, trials: Episodes) -> np.ndarray:
        """Which episodes are of one type for a criterion of learning, (episodes,) int64 from 0: those of the same start."""
        return np.unique(trials.start, return_inverse=True)[1]

    @property
    def numbers(self) -> float:
        return self.train + self.validation + self.test

    def draw(self, rng: np.random.Generator) -> Draw:
        seeds, world = self.seeds_of(rng)[1:], self.world()
        sizes = (self.train, self.validation, self.test)
        return Draw(*(world.episodes(np.random.default_rng(seed), n) for seed, n in zip(seeds, sizes, strict=True)))

    @checked
    def ideal(self, trials: Episodes) -> np.ndarray:
        """What reaches a goal on the shortest way, for who knows the table and the state."""
        return trials.best_actions()
