"""The spiking classifier with a reserve of neurons, from which new ones come."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from plasticity.learners.learner import Variant
from plasticity.learners.rewiring_classifier import OnPool
from plasticity.settings import estimator, setting
from plasticity.structure import Law, new_neurons


@estimator
class NeurogenesisClassifier(OnPool):
    """`SpikingClassifier` of which a share of the neurons of each class is a reserve that new neurons come from.

    What a new neuron is, and when it survives: `plasticity.structure.new_neurons`. Neurons in the reserve are silent.

    Attributes
    ----------
    there_ : array (neurons,)
        1 for a neuron that is there in the end, 0 for one in the reserve.
    """

    variants: ClassVar[tuple[Variant, ...]] = ()

    reserve: float = setting(0.5, "share of the neurons of each class that is in the reserve at first", low=0, below=1)
    birth_hz: float = setting(0.1, "rate at which each of these is born", "Hz", low=0, high=1000)
    begin: int = setting(0, "trial from which on neurons are born", "trials", low=0, high=1_000_000_000)
    excess: float = setting(0.5, "by how much the threshold of a new neuron is lower, of the threshold", low=0, below=1)
    youth: int = setting(200, "trials after which a neuron that was not used goes", "trials", low=1, high=1_000_000_000)
    enough: int = setting(1, "spikes by which it has been used", "spikes", low=0, high=1_000_000)

    def _law(self) -> Law:
        return new_neurons

    def _at_first(self) -> np.ndarray:
        number = np.arange(self.weights_.shape[1]) % self.neurons_per_class
        self.there_ = (number < max(1, round((1 - self.reserve) * self.neurons_per_class))).astype(float)
        self._lived = np.where(self.there_ > 0, 1e9, 0.0)  # nobody at first is young
        self._used = np.zeros(len(self.there_))
        return np.broadcast_to(self.there_ > 0, self.weights_.shape).copy()

    def _more(self, learning: bool, updates: int) -> dict[str, Any]:
        if not learning:
            return {"theta": self.theta_[self.there_ > 0].mean()}
        trial = self.trial_ms / 1e3
        return {
            "law.w_new": self._values["length"] / np.sqrt(self.weights_.shape[0]), "output.there": self.there_,
            "output.lived": self._lived, "output.used": self._used, "output.elapsed": updates * int(self.every_trials) * trial,
            "output.birth": self.birth_hz, "output.begin": int(self.begin) * trial, "output.excess": self.excess,
            "output.youth": int(self.youth) * trial, "output.enough": float(self.enough),
        }  # fmt: skip

    def _take(self, out: Mapping[str, np.ndarray]) -> None:
        self.there_, self._lived, self._used = (out[f"output.{name}"] for name in ("there", "lived", "used"))
