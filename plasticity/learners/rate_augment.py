"""AuGMEnT on rate units: memory units and synaptic tags, by which reward teaches what to remember and what to do with it.

    features --plastic--> regular units --plastic--.
    (and a bias)                                    >--> Q units, one for each action: one is chosen
    on and off --plastic--> memory units --plastic-'

Regular units see the features, memory units add up what appears and disappears (on and off, one transient for each feature) until
the episode ends. Units are sigmoids, 1/(1 + exp(offset - input)); Q units are linear and predict the rewards to come. The chosen
one sends feedback over its weights, and what is active then leaves a tag:

    onto Q units        tag <- lambda gamma tag + y_j z_k                       z_k = 1 where action k was chosen
    onto regular units  tag <- lambda gamma tag + x_i f'_j w_ja                 w_ja the feedback of the chosen action a
    onto memory units   tag <- lambda gamma tag + (sum of x_i so far) f'_j w_ja
    all weights         w <- w + beta delta tag,  delta = r + gamma q' - q      by the tags as they were before

The tags of one step are the gradient of the chosen action's Q (exactly: of the same network with all weights held).

Source: Rombouts, Bohte & Roelfsema 2015, doi:10.1371/journal.pcbi.1004060.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np
from sklearn.utils.validation import check_is_fitted

from plasticity.augment import Augment, Criterion, Weights, check_fit, types_of_states
from plasticity.checked import checked
from plasticity.errors import WrongUse
from plasticity.learners.learner import Learner
from plasticity.settings import check, estimator, setting
from plasticity.tasks import Episodes

__all__ = ["RateAugment", "State", "greedy", "learn"]

BLOCK = 256  # steps for which random numbers are drawn at once
Tell = Callable[[float], None]


@checked
class State:
    """What networks side by side carry from step to step within an episode."""

    def __init__(self, augment: Augment, weights: Weights) -> None:
        self.augment, self.weights = augment, weights
        networks, self.features = len(weights.regular), weights.regular.shape[1] - 1
        self.before = np.zeros((networks, self.features))  # what was seen in the last step
        self.changes = np.zeros((networks, 2 * self.features))  # sum of all transients
        self.held = np.zeros((networks, weights.memory.shape[2]))  # what memory units got of them, by the weights of then
        self.tags = [np.zeros_like(w) for w in weights]

    def arrays(self) -> list[np.ndarray]:
        """All of it, networks first."""
        return [self.before, self.changes, self.held, *self.tags]

    def keep(self, which: np.ndarray) -> None:
        """Go on with some networks alone."""
        self.weights = self.weights.take(which)
        self.before, self.changes, self.held, *self.tags = (array[which] for array in self.arrays())

    def forget(self, over: np.ndarray) -> None:
        """What happens in these networks (networks,) at the end of an episode."""
        for array in self.arrays():
            array[over] = 0

    def see(self, seen: np.ndarray) -> np.ndarray:
        """What the Q units predict, (networks, actions), of features (networks, features)."""
        change, one = seen - self.before, np.ones((len(seen), 1))
        transients = np.concatenate([np.maximum(change, 0), np.maximum(-change, 0)], axis=1)
        self.before, self.inputs = seen, np.concatenate([one, seen], axis=1)
        self.changes += transients
        self.held += (transients[:, :, None] * self.weights.memory).sum(axis=1)
        drive = np.concatenate([(self.inputs[:, :, None] * self.weights.regular).sum(axis=1), self.held], axis=1)
        self.units = np.concatenate([one, 1 / (1 + np.exp(self.augment.offset - drive))], axis=1)
        return (self.units[:, :, None] * self.weights.values).sum(axis=1)

    def learn(self, delta: np.ndarray) -> None:
        """Change all weights by the tags, for errors of prediction times the rate of learning (networks,)."""
        for w, tag in zip(self.weights, self.tags, strict=True):
            w += delta[:, None, None] * tag

    def tag(self, chosen: np.ndarray) -> None:
        """Let the tags fade, and add those of the chosen actions (networks,)."""
        decay, here = self.augment.lambda_ * self.augment.gamma, np.arange(len(chosen))
        attention = self.weights.values[here, :, chosen]  # sent back to each unit
        sent = (attention * self.units * (1 - self.units))[:, 1:]
        for tag in self.tags:
            tag *= decay
        regular, memory, values = self.tags
        values[here, :, chosen] += self.units
        regular += self.inputs[:, :, None] * sent[:, None, : regular.shape[2]]
        memory += self.changes[:, :, None] * sent[:, None, regular.shape[2] :]


def greedy(augment: Augment, weights: Weights, episodes: Episodes) -> np.ndarray:
    """The share of these episodes in which each network reaches a goal without learning or exploring, (networks,)."""
    check_fit(weights, episodes)
    start, often = np.unique(episodes.start, return_counts=True)
    networks, many = len(weights.regular), len(start)
    state = State(augment, Weights(*(np.repeat(w, many, axis=0) for w in weights)))
    place = np.tile(start, networks)
    for _ in range(episodes.longest):
        chosen = state.see(episodes.observation[place]).argmax(axis=1)
        place = np.where(episodes.ends[place], place, episodes.next_state[place, chosen])
    return episodes.goal[place].reshape(networks, many) @ often / len(episodes)


@checked
def learn(
    augment: Augment,
    weights: Weights,
    episodes: Episodes,
    types: np.ndarray,
    rngs: Sequence[np.random.Generator],
    criterion: Criterion,
    tell: Tell | None = None,
) -> Weights:
    """Let networks learn side by side, each in episodes of its own that are drawn from those given, until it meets the criterion.

    Parameters
    ----------
    weights : Weights
        At the start; they are not changed.
    episodes, types : Episodes, (episodes,) int
        What episodes are drawn from, and the type of each.
    rngs : sequence of Generator
        Each for as many networks: what becomes of them does not depend on the others.
    criterion : Criterion
        A new one, for so many networks; it holds what became of them.

    Returns
    -------
    Weights
        Of each network when it stopped.

    Raises
    ------
    WrongUse
        Networks that do not divide by the generators, or do not fit the episodes.
    """
    networks, each = len(weights.regular), len(weights.regular) // len(rngs)
    if networks % len(rngs):
        raise WrongUse(f"{networks} networks do not divide by {len(rngs)} generators; give a multiple.")
    check_fit(weights, episodes)
    state, last, kind_of = State(augment, weights.copy()), weights.copy(), types_of_states(episodes, types)
    alive, begun = np.arange(networks), episodes.start[np.concatenate([rng.integers(len(episodes), size=each) for rng in rngs])]
    place, steps = begun.copy(), np.zeros(networks, dtype=int)
    reward, before = np.zeros(networks), np.zeros(networks)
    while len(alive):
        drawn = np.concatenate([rng.random((BLOCK, 3, each)) for rng in rngs], axis=2)
        for lucky, which, start in drawn:
            values = state.see(episodes.observation[place])
            chosen = values.argmax(axis=1)
            exploring = np.flatnonzero(lucky[alive] < augment.epsilon)
            odds = np.exp(values[exploring] - values[exploring].max(axis=1, keepdims=True)).cumsum(axis=1)
            chosen[exploring] = (odds < which[alive[exploring], None] * odds[:, -1:]).sum(axis=1)
            over = episodes.ends[place] | (steps >= episodes.longest)
            predicted = np.where(over, 0.0, values[np.arange(len(alive)), chosen])
            state.learn(augment.beta * (reward + augment.gamma * predicted - before))
            state.tag(chosen)
            reward, before = np.where(over, 0.0, episodes.reward[place, chosen]), predicted
            if over.any():
                state.forget(over)
                criterion.add(alive[over], kind_of[begun[over]], episodes.goal[place[over]])
                begun[over] = episodes.start[(start[alive[over]] * len(episodes)).astype(int)]
            place, steps = np.where(over, begun, episodes.next_state[place, chosen]), np.where(over, 0, steps + 1)
            stops = criterion.stopped[alive]
            if stops.any():
                for end, now in zip(last, state.weights, strict=True):
                    end[alive[stops]] = now[stops]
                state.keep(~stops)
                place, steps, reward, before, begun, alive = (x[~stops] for x in (place, steps, reward, before, begun, alive))
                if not len(alive):
                    break
        if tell is not None:
            tell(criterion.done)
    return last


def of_episodes(title: str, X: Any) -> Episodes:
    """X where it is episodes; WrongUse for anything else."""
    if not isinstance(X, Episodes):
        raise WrongUse(f"{title} learns in episodes, not from a {type(X).__name__}; give plasticity.tasks.Episodes as X.")
    return X


@estimator
class RateAugment(Learner):
    """One AuGMEnT network of rate units, which learns from the rewards of episodes what to remember and what to do.

    It is never told which action was right. X is `plasticity.tasks.Episodes`; y is None.

    Attributes
    ----------
    regular_weights_, memory_weights_, value_weights_ : arrays (inputs, units)
        As in `plasticity.augment.Weights`, of one network.
    history_ : dict of arrays
        `trials` and `accuracy`: the share of right training episodes, exploration included, in twenty stretches.
    parameters_ : int

    Raises
    ------
    WrongUse
        X that is no `Episodes`, or episodes with other features or actions than those of `fit`.
    """

    name: ClassVar[str] = "rate_augment"
    summary: ClassVar[str] = "rate units with memory and synaptic tags, which learn from rewards what to remember and what to do"
    side: ClassVar[str] = "control"
    source: ClassVar[str] = "Rombouts, Bohte & Roelfsema 2015, doi:10.1371/journal.pcbi.1004060"
    takes: ClassVar[frozenset[str]] = frozenset({"episodes"})
    chosen_for: ClassVar[frozenset[str]] = frozenset({"episodes"})
    from_task: ClassVar[tuple[str, ...]] = ()
    curve: ClassVar[str] = "training episodes"
    cost: ClassVar[float] = 10.0

    regular: int = setting(3, "regular units", low=1, high=1000)
    memory: int = setting(4, "memory units", low=1, high=1000)
    beta: float = setting(0.15, "rate of learning", low=0, high=10)
    tags: float = setting(0.2, "lambda: what is left of a tag after a step, over gamma", above=0, high=1)
    gamma: float = setting(0.9, "discount of rewards to come", above=0, below=1)
    epsilon: float = setting(0.025, "share of steps in which an action is drawn from the softmax of the values", low=0, high=1)

    @property
    def given(self) -> tuple[str, ...]:
        return ("reward",)

    @property
    def learns(self) -> tuple[str, ...]:
        return ("memory",)

    @property
    def _augment(self) -> Augment:
        return Augment(self.regular, self.memory, beta=self.beta, lambda_=self.tags, gamma=self.gamma, epsilon=self.epsilon)

    @property
    def _weights(self) -> Weights:
        return Weights(self.regular_weights_[None], self.memory_weights_[None], self.value_weights_[None])

    def fit(self, X: Any, y: Any = None, progress: Tell | None = None) -> RateAugment:
        """Learn in as many episodes as X holds, drawn from these."""
        check(self)
        X, rng = of_episodes(self.name, X), np.random.default_rng([self.random_state, 1])
        weights, criterion = self._augment.draw(rng, 1, X.observation.shape[1], X.classes), Criterion(1, 1, len(X), share=2.0)
        weights = self._learn(weights, X, rng, criterion, progress)
        self.regular_weights_, self.memory_weights_, self.value_weights_ = (w[0] for w in weights)
        parts = np.array_split(criterion.right[0].astype(float), min(20, len(X)))
        trials = np.cumsum([len(part) for part in parts])
        self.history_ = {"trials": trials, "accuracy": np.array([part.mean() for part in parts])}
        self.parameters_ = int(sum(w.size for w in weights))
        self.classes_ = np.arange(X.classes)
        return self

    def _learn(
        self, weights: Weights, X: Episodes, rng: np.random.Generator, criterion: Criterion, progress: Tell | None
    ) -> Weights:
        return learn(self._augment, weights, X, np.zeros(len(X), dtype=int), [rng], criterion, progress)

    def predict(self, X: Any) -> np.ndarray:
        """The actions (episodes, longest) of each episode, without exploring; -1 behind its end."""
        check_is_fitted(self, "value_weights_")
        X = of_episodes(self.name, X)
        check_fit(self._weights, X)
        state = State(self._augment, Weights(*(np.repeat(w, len(X), axis=0) for w in self._weights)))
        place, actions = X.start.copy(), np.full((len(X), X.longest), -1)
        for step in range(X.longest):
            on = ~X.ends[place]
            chosen = state.see(X.observation[place]).argmax(axis=1)
            actions[on, step] = chosen[on]
            place = np.where(on, X.next_state[place, chosen], place)
        return actions
