"""Spikes moved in time within their trial: what plasticity is shown in place of the spikes that there were."""

from __future__ import annotations

import numpy as np

from plasticity.checked import checked
from plasticity.errors import WrongUse


@checked
def jittered(trains: np.ndarray, steps: float, rng: np.random.Generator) -> np.ndarray:
    """Each spike moved by a normal number, reflected at both ends of the trial.

    Where two spikes of a train meet in one step the later one goes to the next that is free, at the end of the trial to the one
    before; so a train keeps its number of spikes.

    Parameters
    ----------
    trains : (trials, steps, neurons) of 0 and 1
    steps : float
        Standard deviation, in time steps.

    Raises
    ------
    WrongUse
        Another shape, or a deviation that is negative or no finite number.
    """
    _check(trains)
    if not (np.isfinite(steps) and steps >= 0):
        raise WrongUse(f"steps={steps} must be a finite number of time steps, 0 or more.")
    there = trains.shape[1]
    trial, at, neuron = np.nonzero(trains)
    moved = at + 0.5 + rng.normal(0.0, steps, len(at))
    moved = np.abs((moved + there) % (2 * there) - there)  # reflected at 0 and at the end
    step = np.minimum(moved.astype(np.int64), there - 1)
    train = trial * trains.shape[2] + neuron
    order = np.lexsort((step, train))
    train, step = train[order], step[order]
    starts = np.flatnonzero(np.diff(train, prepend=-1))
    count = np.diff(starts, append=len(train))
    place = np.arange(len(train)) - np.repeat(starts, count)  # of a spike within its train
    apart = 2 * there * np.repeat(np.arange(len(starts)), count)  # no maximum reaches into the next train
    step = np.maximum.accumulate(step - place + apart) - apart + place
    step = np.minimum(step, there - np.repeat(count, count) + place)
    found = np.zeros_like(trains)
    found[train // trains.shape[2], step, train % trains.shape[2]] = 1
    return found


@checked
def shuffled(trains: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The spikes of each train at random steps of the trial: it keeps its number of them, and nothing of their times.

    `trains` is (trials, steps, neurons) of 0 and 1; WrongUse for another shape.
    """
    _check(trains)
    return rng.permuted(trains, axis=1)


def _check(trains: np.ndarray) -> None:
    if np.ndim(trains) != 3 or 0 in np.shape(trains):
        raise WrongUse(f"trains have the shape {np.shape(trains)}; they must be (trials, steps, neurons), none 0.")
