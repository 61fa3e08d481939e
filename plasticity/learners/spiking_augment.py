"""AuGMEnT on spikes: what `rate_augment` does with rates, wholly inside a compiled program that looks the world up in a table.

The network is drawn in `plasticity.networks.augment`. Parameters and weights are those of the rate form, so that either may go on
with the weights of the other.

Source: Karamanis, Zambrano & Bohte 2018, doi:10.1007/978-3-030-01421-6_25; Rombouts, Bohte & Roelfsema 2015,
doi:10.1371/journal.pcbi.1004060.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import numpy as np
from brian2 import Quantity, ms
from sklearn.utils.validation import check_is_fitted

from plasticity.augment import Augment, Criterion, Weights, check_fit, types_of_states
from plasticity.checked import checked
from plasticity.engine import Program, backend
from plasticity.errors import WrongUse
from plasticity.learners.rate_augment import RateAugment, of_episodes
from plasticity.networks.augment import AugmentNetwork
from plasticity.rules import attention_gated
from plasticity.settings import estimator, setting
from plasticity.tasks import Episodes

__all__ = ["Spikes", "SpikingAugment", "learn"]

BLOCK = 5000  # steps in one run of the program: a network that meets the criterion stops at the end of it
GREEDY = 1000  # steps in which it is seen what networks do without exploring
Tell = Callable[[float], None]


class Spikes:
    """Networks side by side in one compiled program, for worlds of one size.

    Parameters
    ----------
    augment : Augment
    networks : int
    episodes : Episodes
        Whose world, and whose starts.
    most : float
        Spikes of a unit that fires all it can, in a step.
    step, dt : Quantity
        How long a step of an episode lasts, and the time step of the simulation.
    starts : int
        How many starts the program has room for; as many as there are episodes where 0.
    compiled : bool
        With False it runs on Brian2's NumPy target, for some steps alone.

    Raises
    ------
    WrongUse
        Observations other than 0 and 1, more spikes in a step than it has time steps.
    """

    @checked
    def __init__(
        self, augment: Augment, networks: int, episodes: Episodes, most: float = 20.0, step: Quantity = 50 * ms,
        dt: Quantity = 1 * ms, starts: int = 0, compiled: bool = True,
    ) -> None:  # fmt: skip
        if not np.isin(episodes.observation, (0, 1)).all():
            raise WrongUse("an observation is neither 0 nor 1; an input of the spiking form fires once in a step or not at all.")
        self.augment, self.networks, self.most, self.step = augment, networks, most, step
        self.network = AugmentNetwork(
            networks=networks, features=episodes.observation.shape[1], actions=episodes.classes, regular=augment.regular,
            memory=augment.memory, states=len(episodes.goal), starts=max(starts, len(episodes)),
            decay=augment.lambda_ * augment.gamma, offset=augment.offset, step=step, dt=dt, block=max(BLOCK, GREEDY),
        )  # fmt: skip
        if most > self.network.firing:
            raise WrongUse(f"most={most:g} spikes do not fit into a step; give at most {self.network.firing}, or a longer step.")
        self.program: Program = self.network.program(compiled)

    def run(
        self,
        weights: Weights,
        episodes: Episodes,
        seed: int,
        steps: int,
        learning: np.ndarray,
        epsilon: float,
        in_order: bool = False,
    ) -> tuple[Weights, Mapping[str, np.ndarray]]:
        """So many steps of each network, in episodes drawn from these, or in these one after the other: weights at the end, and
        all outputs. learning (networks,) is 0 or 1."""
        check_fit(weights, episodes)
        n, regular = self.networks, weights.regular.shape
        onto_units = [weights.regular.reshape(n, -1), weights.memory.reshape(n, -1)]
        given: dict[str, Any] = {
            "observation": episodes.observation,
            "next_state": episodes.next_state.astype(float),
            "reward": episodes.reward,
            "ends": episodes.ends.astype(float),
            "start": episodes.start.astype(float),
            "begins": float(len(episodes)),
            "in_order": float(in_order),
            "longest": float(episodes.longest),
            "learning": learning.astype(float),
            "gamma": self.augment.gamma,
            "epsilon": epsilon,
            "most": self.most,
            "eta_below": self.augment.beta,
            "eta_values": self.augment.beta / self.most,
            "w_below": np.concatenate(onto_units, axis=1).ravel(),
            "w_values": weights.values.ravel(),
            "back_values": weights.values.ravel(),
        }
        out = self.program.run(seed, given, duration=steps * self.step)
        below = out["w_below"].reshape(n, -1)
        parts = below[:, : regular[1] * regular[2]], below[:, regular[1] * regular[2] :]
        found = Weights(
            parts[0].reshape(regular), parts[1].reshape(weights.memory.shape), out["w_values"].reshape(weights.values.shape)
        )
        return found, out

    def greedy(self, weights: Weights, episodes: Episodes, seed: int) -> np.ndarray:
        """The share of episodes, drawn from these, in which each network reaches a goal without learning or exploring."""
        _, out = self.run(weights, episodes, seed, GREEDY, np.zeros(self.networks), 0.0)
        number = out["network"].astype(int)
        ended = np.bincount(number, minlength=self.networks)
        return np.bincount(number, episodes.goal[out["state"].astype(int)], minlength=self.networks) / np.maximum(ended, 1)

    def actions(self, weights: Weights, episodes: Episodes, seed: int) -> np.ndarray:
        """The actions (episodes, longest) of one network in each episode, without learning or exploring; -1 behind its end."""
        steps, found = episodes.longest + 1, []  # an episode ends in a step of its own
        for begin in range(0, len(episodes), BLOCK // steps):
            some = episodes.take(slice(begin, begin + BLOCK // steps))
            _, out = self.run(weights, some, seed + begin, len(some) * steps, np.zeros(1), 0.0, in_order=True)
            chosen = np.full(len(some) * steps, -1)
            chosen[np.floor(out["choices.t"] / float(self.step)).astype(int)] = out["choices.i"]
            ends = np.floor(out["ended.t"] / float(self.step)).astype(int)[: len(some)]
            row = np.full((len(some), episodes.longest), -1)
            for number, (first, end) in enumerate(zip(np.append(0, ends[:-1] + 1), ends, strict=True)):
                row[number, : end - first] = chosen[first:end]
            found.append(row)
        return np.concatenate(found)


@checked
def learn(
    spikes: Spikes,
    weights: Weights,
    episodes: Episodes,
    types: np.ndarray,
    rng: np.random.Generator,
    criterion: Criterion,
    tell: Tell | None = None,
) -> Weights:
    """As `rate_augment.learn`; feedback weights start equal to the forward ones and learn by the same changes."""
    kind_of = types_of_states(episodes, types)
    while not criterion.stopped.all():
        weights, out = spikes.run(weights, episodes, int(rng.integers(2**31)), BLOCK, ~criterion.stopped, spikes.augment.epsilon)
        network, reached = out["network"].astype(int), episodes.goal[out["state"].astype(int)]
        kind = kind_of[out["begun"].astype(int)]
        order = np.argsort(network, kind="stable")
        place = np.arange(len(network)) - np.searchsorted(network[order], network[order])  # which episode of its network
        for number in range(int(place.max(initial=-1)) + 1):
            some = order[place == number]
            some = some[~criterion.stopped[network[some]]]
            criterion.add(network[some], kind[some], reached[some])
        if tell is not None:
            tell(criterion.done)
    return weights


@estimator
class SpikingAugment(RateAugment):
    """One AuGMEnT network of spiking neurons in a compiled Brian2 program; else as `RateAugment`.

    Raises
    ------
    WrongUse
        What `RateAugment` refuses; observations other than 0 and 1.
    """

    name: ClassVar[str] = "spiking_augment"
    summary: ClassVar[str] = "spiking neurons with memory and synaptic tags, which learn from rewards what to remember and do"
    side: ClassVar[str] = "spiking"
    source: ClassVar[str] = (
        "Karamanis, Zambrano & Bohte 2018, doi:10.1007/978-3-030-01421-6_25; "
        "Rombouts, Bohte & Roelfsema 2015, doi:10.1371/journal.pcbi.1004060"
    )
    uses: ClassVar[tuple[str, ...]] = (attention_gated.name,)
    cost: ClassVar[float] = 30.0

    spikes: float = setting(20.0, "spikes of a unit that fires all it can, in a step", low=1, high=1e4)
    step_ms: float = setting(50.0, "how long a step of an episode lasts", "ms", above=0, high=1e5)
    dt_ms: float = setting(1.0, "time step", "ms", low=1e-3, high=1e5)

    def _network(self, X: Episodes) -> Spikes:
        started = time.perf_counter()
        made = Spikes(self._augment, 1, X, self.spikes, self.step_ms * ms, self.dt_ms * ms, getattr(self, "starts_", 0))
        self.compile_seconds_, self.backend_ = time.perf_counter() - started, backend()
        return made

    def _learn(
        self, weights: Weights, X: Episodes, rng: np.random.Generator, criterion: Criterion, progress: Tell | None
    ) -> Weights:
        self.starts_ = len(X)
        return learn(self._network(X), weights, X, np.zeros(len(X), dtype=int), rng, criterion, progress)

    def predict(self, X: Any) -> np.ndarray:
        """The actions (episodes, longest) of each episode, without exploring; -1 behind its end."""
        check_is_fitted(self, "value_weights_")
        X = of_episodes(self.name, X)
        check_fit(self._weights, X)
        return self._network(X).actions(self._weights, X, self.random_state % 2**30)
