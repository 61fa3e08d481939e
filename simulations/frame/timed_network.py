"""The network of Diehl & Cook as the bench runs it: which images it sees, how it starts, how long an image takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from brian2 import ms

from plasticity.datasets import DATASETS, status
from plasticity.engine import compiler
from plasticity.errors import WrongUse
from plasticity.learners import DiehlCookClassifier
from plasticity.networks.diehl_cook import DiehlCook
from simulations.frame.stopwatch import starts, timed

INPUTS = 784
BRIGHT = np.float32(255 / 4)  # hertz of a pixel of full intensity


def network(neurons: int, images: int, dt_ms: float = 0.5, rest_ms: float = 150.0) -> DiehlCook:
    """What is measured."""
    return DiehlCook(neurons=neurons, images=images, presentations=images, dt=dt_ms * ms, rest=rest_ms * ms)


def run_inputs(start: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """Inputs of a run that shows `start["images"]` (Hz) once each, learning on."""
    numbers = {"first": 1.0, "enough": 0, "total": 78.0, "w_ei": 10.4, "w_ie": 17.0, "learn": 1.0, "plastic": 1.0}
    numbers |= {"control.image": -1, "control.count": 10**6, "control.intensity": 0.0, "last": len(start["images"])}
    return {**numbers, "plastic.w": start["weights"].ravel(), "excitatory.theta": start["theta"], "images": start["images"]}


def per_image(spec: DiehlCook, start: Mapping[str, np.ndarray], repeats: int) -> float:
    """Seconds for an image."""
    return timed(spec.program(), run_inputs(start), spec.presentation, spec.images, repeats)


def warmed(neurons: int, X: np.ndarray) -> dict[str, np.ndarray]:
    """Weights and thresholds after training on these images."""
    learner = DiehlCookClassifier(neurons=neurons, label_images=10, block=max(20, len(X)))
    learner.fit(X, np.arange(len(X)) % 2)  # classes play no part in learning
    return {"weights": learner.weights_.astype(np.float32), "theta": learner.theta_.astype(np.float32)}


def network_starts(neurons: int) -> tuple[dict[str, float], dict[str, float]]:
    """Seconds of the first start and of a later one until an image was shown, and with Python's imports (`whole`)."""
    return starts(_START, neurons)


def refuse_numpy() -> None:
    """WrongUse where networks are not compiled."""
    if not compiler():
        raise WrongUse("bench measures compiled networks: install g++ and make (Debian, Ubuntu: apt install g++ make).")


def pixels() -> tuple[np.ndarray, str]:
    """Images of 784 pixels from 0 to 1, and where they come from."""
    if status("mnist").state == "present":
        return DATASETS["mnist"]().pixels[:60_000] / np.float32(255), "MNIST"
    from scipy.ndimage import zoom

    scans = DATASETS["digits"]().pixels.reshape(-1, 8, 8) / 16
    large = np.clip(zoom(scans, (1, 3.5, 3.5), order=1), 0, 1).reshape(len(scans), -1)
    large *= 0.1307 / large.mean()  # as bright as MNIST
    return np.tile(large.astype(np.float32), (34, 1))[:60_000], "scikit-learn's digits, enlarged (MNIST is not here)"


_START = """
import sys, time
began = time.perf_counter()
import numpy as np
from plasticity.networks.diehl_cook import DiehlCook
imported = time.perf_counter()
spec = DiehlCook(neurons=int(sys.argv[1]), images=17, presentations=17)
spec.program().run(0, {"images": np.full((1, 784), 5.0), "last": 1}, duration=spec.presentation)
now = time.perf_counter()
print('{"seconds": %r, "whole": %r}' % (now - imported, now - began))
"""
