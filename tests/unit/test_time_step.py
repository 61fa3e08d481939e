"""Learners that spike answer as well and fire as often with half the time step."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pytest

from plasticity.engine import compiler
from plasticity.learners import DiehlCookClassifier, SpikingBrainProp, SpikingClassifier, SpikingMemory
from plasticity.statistics import interval, paired_difference
from plasticity.tasks import AssociativeRecall, CuedDigits, Digits

pytestmark = [
    pytest.mark.full,
    pytest.mark.skipif(not compiler(), reason="ten thousand trials: needs a C++ compiler"),
]
SEEDS = range(10)
# What is left and goes with the step, as inputs fire at most once in it and a trace is that of its beginning: with 10 seeds a
# class neuron fires 0.8 % less while it learns in 800 trials (0.3 % in 2000), and 0.2 % more afterwards. That is more than the
# interval, and these are the most that it may be.
LEFT = {"output, training": 0.01, "output, decision": 0.005}
# A learned gate opens in the third time step of a trial, and what arrives before does not pass: 4 % of 50 ms with 1 ms, 2 % with
# .5 ms. The relay fires 3.2 % less for it, and the layer that it drives 5 to 7 % less; the accuracy stays.
LEFT |= {"relay, training": 0.035, "relay, decision": 0.035, "hidden_1, training": 0.08, "hidden_1, decision": 0.08}
NOT_YET = "measured: 14.4 excitatory spikes an image at 0.5 ms, 11.5 at 0.25 ms, where fewer neurons fire before inhibition comes"


def told(learner: Any, task: Any, dt_ms: float, seed: int) -> dict[str, float]:
    """Accuracy on validation trials; spikes a trial of each population, in training and as training trials are answered."""
    draw = task.draw(np.random.default_rng(seed))
    made = learner(random_state=seed, dt_ms=dt_ms).suit(task).fit(draw.train.X, draw.train.y)
    found = {"accuracy": float(np.mean(made.predict(draw.validation.X) == draw.validation.y))}
    made.predict(draw.train.X)
    return found | {
        f"{population}, {when}": spikes
        for when in ("training", "decision")
        for population, spikes in made.activity_.get(when, {"spikes": {}})["spikes"].items()
    }


@pytest.mark.parametrize(
    ("learner", "task"),
    [
        (SpikingClassifier, CuedDigits(train=800, validation=300, test=10)),
        (SpikingMemory, AssociativeRecall(train=300, validation=300, test=10)),
        (functools.partial(SpikingBrainProp, hidden=(100,), passes=8), CuedDigits(train=1500, validation=300, test=10)),
        (functools.partial(SpikingBrainProp, hidden=(100,), passes=8, gate="none"), Digits(train=1000, validation=190, test=10)),
        pytest.param(
            DiehlCookClassifier, Digits(train=300, validation=100, test=10), marks=pytest.mark.xfail(reason=NOT_YET, strict=True)
        ),
    ],
)
def test_half_the_time_step_gives_the_same_accuracy_and_spikes(learner, task):
    """What changes by more than its interval fails: by more than that of the number itself where all seeds change alike.

    95 % over all quantities together (Bonferroni). What is known to go with the step may change by `LEFT`, a share, and no more.
    """
    whole = learner().dt_ms
    found = {dt: [told(learner, task, dt, seed) for seed in SEEDS] for dt in (whole, whole / 2)}
    for name in found[whole][0]:
        ours, halved = (np.array([run[name] for run in found[dt]]) for dt in (whole, whole / 2))
        difference = paired_difference(ours, halved, confidence=1 - 0.05 / len(found[whole][0]))
        low, high = interval(ours)
        own = max(ours.mean() - low, high - ours.mean())
        if name not in LEFT:
            assert difference.low <= 0 <= difference.high or abs(difference.mean) <= own, (name, difference, own)
        assert abs(difference.mean) < LEFT.get(name, 0.02) * ours.mean(), (name, ours.mean(), halved.mean())
