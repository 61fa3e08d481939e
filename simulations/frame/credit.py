"""What the experiments on credit assignment have in common: their trials, the spiking learner, settings that they share."""

from __future__ import annotations

from typing import Any

import numpy as np

from plasticity.learners import SpikingBrainProp
from plasticity.parallel import trials_generator
from plasticity.settings import setting
from plasticity.tasks import CuedDigits
from plasticity.tasks.trials import Draw

BRAINPROP = "Pozzi, Bohte & Roelfsema 2020, Attention-Gated Brain Propagation, NeurIPS 33"

SMALL: dict[str, Any] = {"hidden": (200,), "eta_end": 0.38, "explore": 0.02}
"""Half the neurons of the learner's defaults and hardly any exploration, so that 12 passes and many conditions take minutes."""
PASSES = setting(12, "how often the training trials are shown", low=1, high=1000)
TRAIN = setting(2000, "training trials", "trials", low=50, high=1_000_000)
TEST = setting(500, "test trials", "trials", low=50, high=1_000_000)


def trials_of(seed: int, train: int, test: int) -> Draw:
    """The trials of a seed."""
    return CuedDigits(train=train, test=test).draw(trials_generator(seed))


def spiking(seed: int, passes: int, **changed: Any) -> SpikingBrainProp:
    """The spiking learner with a learned gate, of `SMALL`, not yet trained."""
    return SpikingBrainProp(passes=passes, random_state=seed, **SMALL, **changed)


def right(learner: Any, trials: Any, X: np.ndarray | None = None) -> float:
    """Share of these trials that are answered rightly, as they are or shown as X."""
    return float(np.mean(learner.predict(trials.X if X is None else X) == trials.y))
