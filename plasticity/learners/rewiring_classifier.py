"""The spiking classifier, its synapses coming and going by a structural law."""

from __future__ import annotations

import dataclasses
import warnings
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from brian2 import ms

from plasticity.engine import Program
from plasticity.engine.operations import SpikeCounts
from plasticity.errors import WrongUse, unknown
from plasticity.learners.learner import Variant
from plasticity.learners.spiking_classifier import Progress, SpikingClassifier
from plasticity.networks.competition import Competition
from plasticity.settings import estimator, setting
from plasticity.structure import LAWS, Law, Structure, magnitude_pruning
from plasticity.structure.record import living


@estimator
class OnPool(SpikingClassifier, ABC):
    """`SpikingClassifier` on a pool of synapses, of which those that are alive are chosen by a law, beside its rule.

    The law is asked every so many trials while it learns; what is alive in the end stays for all decisions, and dead synapses
    have the weight 0. Costs count living synapses.

    Attributes
    ----------
    alive_ : array (features, neurons) of bool
    living_ : array (updates,)
        How many were alive after each update, the first one before anything was learnt.
    """

    variants: ClassVar[tuple[Variant, ...]] = ()
    made_anew: ClassVar[tuple[str, ...]] = ("_program", "_decider")

    every_trials: int = setting(10, "trials from one update of the structure to the next", low=1, high=1_000_000)

    @abstractmethod
    def _law(self) -> Law:
        """Which synapses come and go."""

    @abstractmethod
    def _at_first(self) -> np.ndarray:
        """Which synapses are alive at first, (features, neurons) bool, once the weights are there."""

    def _more(self, learning: bool, updates: int) -> dict[str, Any]:
        """Further inputs of a run."""
        return {}

    def _take(self, out: Mapping[str, np.ndarray]) -> None:
        """Keep what else a run that learnt has left."""

    def _block(self, features: int) -> int:
        most = super()._block(features)
        return max(int(self.every_trials), most - most % int(self.every_trials))

    def _boundary(self, trials: int, total: int) -> int:
        return min(-(-trials // int(self.every_trials)) * int(self.every_trials), total)  # where an update is due

    def _network(self, features: int, classes: int) -> Competition:
        structure = Structure(self._law(), every=int(self.every_trials) * self.trial_ms * ms)
        return dataclasses.replace(super()._network(features, classes), pool=structure)

    def _compile(self, network: Competition) -> None:
        super()._compile(network)
        self._decider: Program = dataclasses.replace(network, pool=None).program()

    def _shown(self, *args: Any, **kwargs: Any) -> Any:
        self._updates: int | None = None  # how many there were; None before the first
        super()._shown(*args, **kwargs)
        self._start()  # where no trial was shown
        if not self.alive_.any():
            warnings.warn(f"{self._name}: no synapse is left alive; let fewer die.", stacklevel=3)
        self.parameters_ = int(self.alive_.sum())
        return self

    def _start(self) -> None:
        if self._updates is None:
            self._updates = 0
            self.alive_ = self._at_first()
            self.living_ = np.array([self.alive_.sum()])
            self.weights_ = np.where(self.alive_, self.weights_, 0.0)

    def _simulated(
        self, given: dict[str, Any], learning: bool, seed: int, trials: int, counts: SpikeCounts, progress: Progress | None
    ) -> Mapping[str, np.ndarray]:
        self._start()
        steps, before = trials * round(self.trial_ms / self.dt_ms), self.alive_.ravel()
        duration, updates = trials * self.trial_ms * ms, self._updates or 0
        given |= {"w": self.weights_.ravel(), **self._more(learning, updates)}
        if not learning:
            out = self._decider.run(seed, given, duration=duration, progress=progress)
            counts.add(out, trials, steps, trials, _degrees(self.alive_.astype(float)))
            return out
        given |= {"alive": before, "key": int(self.random_state), "updates": updates, "past": updates}
        out = dict(self._program.run(seed, given, duration=duration, progress=progress))
        ran = -(-trials // int(self.every_trials))
        course = living(before, out["update"] - updates, out["synapse"], ran)
        counts.add(out, trials, steps, trials, _degrees(course.reshape(ran, *self.alive_.shape).mean(axis=0)))
        self.alive_ = out["alive"].astype(bool).reshape(self.alive_.shape)
        self._updates = updates + ran
        self.living_ = np.append(self.living_, course.sum(axis=1))
        out["w"] = np.where(self.alive_.ravel(), out["w"], 0.0)
        self._take(out)
        return out


@estimator
class RewiringClassifier(OnPool):
    """`SpikingClassifier` whose synapses come and go by a law of weights: see `OnPool`."""

    variants: ClassVar[tuple[Variant, ...]] = ()

    law: Law | str = setting(magnitude_pruning(share=0.01), "which synapses come and go (plasticity.structure)")
    alive: float = setting(1.0, "share of the synapses that is alive at first, drawn at random", above=0, high=1)

    def _check_settings(self) -> None:
        super()._check_settings()
        self._law()

    def _law(self) -> Law:
        if isinstance(self.law, Law):
            law = self.law
        elif isinstance(self.law, str) and self.law in LAWS:
            law = LAWS[self.law]
        else:
            raise unknown("law", str(self.law), LAWS)
        if law.elements or law.needs:
            raise WrongUse(f"{self._name}: {law.name} asks for variables that its neurons have not; give a law of weights.")
        return law

    def _at_first(self) -> np.ndarray:
        size = self.weights_.size
        alive = np.zeros(size, dtype=bool)
        rng = np.random.default_rng([int(self.random_state), 6])
        alive[rng.permutation(size)[: max(1, round(self.alive * size))]] = True
        return alive.reshape(self.weights_.shape)


def _degrees(alive: np.ndarray) -> dict[str, np.ndarray]:
    """How many living synapses each neuron at either end has."""
    return {"relay": alive.sum(axis=1), "output": alive.sum(axis=0)}
