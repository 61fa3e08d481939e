"""AuGMEnT, what its rate and its spiking form share: parameters, weights, the criterion of learning.

Source: Rombouts, Bohte & Roelfsema 2015, doi:10.1371/journal.pcbi.1004060.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from plasticity.checked import Count, From0, checked
from plasticity.errors import WrongUse
from plasticity.tasks import Episodes

__all__ = ["Augment", "Criterion", "Weights", "check_fit", "types_of_states"]


class Weights(NamedTuple):
    """Of many networks: onto regular units (networks, 1 + features, regular), onto memory units (networks, 2*features, memory),
    and onto Q units (networks, 1 + regular + memory, actions). What comes first of the inputs is a bias, where there is a 1."""

    regular: np.ndarray
    memory: np.ndarray
    values: np.ndarray

    def take(self, which: np.ndarray) -> Weights:
        """Those of some networks."""
        return Weights(*(w[which] for w in self))

    def copy(self) -> Weights:
        """The same, to be changed."""
        return Weights(*(w.copy() for w in self))


class Augment(NamedTuple):
    """What a network is made of, and how it learns; the defaults are those of the paper."""

    regular: int = 3
    memory: int = 4
    offset: float = 2.5
    span: float = 0.25
    beta: float = 0.15
    lambda_: float = 0.20
    gamma: float = 0.90
    epsilon: float = 0.025

    def draw(self, rng: np.random.Generator, networks: int, features: int, actions: int) -> Weights:
        """Weights at the start, uniform from -span to span."""
        shapes = ((1 + features, self.regular), (2 * features, self.memory), (1 + self.regular + self.memory, actions))
        return Weights(*(rng.uniform(-self.span, self.span, (networks, *shape)) for shape in shapes))


@checked
def check_fit(weights: Weights, episodes: Episodes) -> None:
    """WrongUse where these weights are for other features or actions than the episodes have."""
    features, actions = episodes.observation.shape[1], episodes.classes
    if (weights.regular.shape[1] - 1, weights.values.shape[2]) != (features, actions):
        wanted = f"{features} features and {actions} actions"
        raise WrongUse(f"these weights do not fit episodes of {wanted}; draw them with Augment().draw for these numbers.")


@checked
def types_of_states(episodes: Episodes, types: np.ndarray) -> np.ndarray:
    """The type of the episodes that begin in each state, (states,) int64; 0 where none does."""
    found = np.zeros(len(episodes.goal), dtype=np.int64)
    found[episodes.start] = types
    return found


@checked
@checked
class Criterion:
    """Which networks have learned: a share of the last so many episodes of each type was right.

    Attributes
    ----------
    episodes : (networks,) float64
        After how many episodes each met the criterion, nan where it has not.
    right : (networks, most) float32
        Whether each episode reached a goal, nan behind the last.
    stopped : (networks,) bool
        Which have met the criterion, or had all the episodes that they may have.
    """

    def __init__(self, networks: Count, types: Count, most: Count, share: From0 = 0.9, window: Count = 50) -> None:
        self.share, self.window, self.most = share, window, most
        self.episodes = np.full(networks, np.nan)
        self.right = np.full((networks, most), np.nan, dtype=np.float32)
        self.stopped = np.zeros(networks, dtype=bool)
        self._done = np.zeros(networks, dtype=int)
        self._recent = np.zeros((networks, types, window))  # a ring for each type
        self._of_type = np.zeros((networks, types), dtype=int)

    def add(self, which: np.ndarray, kind: np.ndarray, reached: np.ndarray) -> None:
        """An episode of each of some networks has ended: its type, and whether it reached a goal, (some,) each."""
        self._recent[which, kind, self._of_type[which, kind] % self.window] = reached
        self._of_type[which, kind] += 1
        self.right[which, self._done[which]] = reached
        self._done[which] += 1
        learned = (self._recent[which].mean(axis=2) >= self.share).all(axis=1)
        self.episodes[which[learned]] = self._done[which[learned]]
        self.stopped[which] = learned | (self._done[which] >= self.most)

    @property
    def done(self) -> float:
        """The share of the work that is done at least, from 0 to 1."""
        return float(np.where(self.stopped, 1.0, self._done / self.most).mean())
