"""The classic experiments on one synapse: given spike times on both sides, how much does the weight change?

`weight_change` takes any number of independent synapses at once, each with its own spike times; `pairs` makes the spike
times of the pairing protocol. Other protocols are other lists of spike times.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence

import numpy as np
from brian2 import Network, Quantity, SpikeGeneratorGroup, get_dimensions, ms, prefs, second, set_device
from brian2.devices.device import get_device, reset_device, runtime_device

from plasticity.errors import WrongUse
from plasticity.rules import Landing, Rule

UNBOUNDED = Landing(-1e9, 1e9)


@contextlib.contextmanager
def numpy_target() -> Iterator[None]:
    """Brian2's NumPy target, which compiles nothing; what was set before is set again afterwards."""
    target, elsewhere = prefs.codegen.target, get_device() is not runtime_device
    if elsewhere:
        set_device("runtime")
    prefs.codegen.target = "numpy"
    try:
        yield
    finally:
        prefs.codegen.target = target
        if elsewhere:
            reset_device()


def pairs(
    lags: Quantity, repetitions: int = 60, frequency: Quantity | None = None, dt: Quantity | None = None
) -> tuple[list[Quantity], list[Quantity]]:
    """Spike times of the pairing protocol: one pre- and one postsynaptic spike, `repetitions` times.

    Parameters
    ----------
    lags : Quantity, shape (synapses,)
        t_post - t_pre of each synapse.
    repetitions : int
        How many pairs.
    frequency : Quantity
        How many pairs in a second; 1 Hz unless told.
    dt : Quantity
        All times are rounded to multiples of it; 0.1 ms unless told.

    Returns
    -------
    pre, post : lists of Quantity
        Spike times of each synapse, for `weight_change`.

    Raises
    ------
    WrongUse
        Less than one repetition, a frequency that is not positive, lags that are not times.
    """
    step = _step(dt)
    if get_dimensions(lags) != second.dim or not np.isfinite(lags).all():
        raise WrongUse(f"lags={lags} must be finite times with a unit, for example [-10, 10]*ms.")
    rate = 1.0 if frequency is None else float(frequency)
    if frequency is not None and get_dimensions(frequency) != (1 / second).dim or not 0 < rate < np.inf:
        raise WrongUse(f"frequency={frequency} must be a positive rate, for example 1*Hz.")
    if repetitions < 1:
        raise WrongUse(f"repetitions={repetitions} must be at least 1.")
    lag = np.round(np.atleast_1d(np.asarray(lags, dtype=float)) / step)
    start = np.round(np.arange(repetitions) / rate / step) + np.abs(lag).max(initial=0) + 1
    return [start * step * second for _ in lag], [(start + d) * step * second for d in lag]


def weight_change(
    rule: Rule,
    pre: Sequence[Quantity],
    post: Sequence[Quantity],
    landing: Landing = UNBOUNDED,
    w: float = 0.0,
    dt: Quantity | None = None,
) -> np.ndarray:
    """The change of the weight of independent synapses with given spike times, simulated in Brian2.

    It runs on Brian2's NumPy target, with no compiler; `prefs` and the device are as before afterwards.
    Traces are event-driven, so that the time step sets nothing but the grid of spike times.

    Parameters
    ----------
    rule : Rule
        Any rule.
    pre, post : sequences of Quantity, one entry for each synapse
        Times of the pre- and postsynaptic spikes; rounded to the grid of `dt`.
    landing : Landing
        Bounds; none that matter unless told.
    w : float
        The weight at the start.
    dt : Quantity
        Time step; 0.1 ms unless told.

    Returns
    -------
    array, shape (synapses,)
        Weight at the end minus weight at the start.

    Raises
    ------
    WrongUse
        Not as many trains on one side as on the other; times that are negative, not finite or without unit; two spikes of
        one train in the same time step.
    """
    if len(pre) != len(post) or not len(pre):
        raise WrongUse(f"each synapse needs its pre- and its postsynaptic spike times, not {len(pre)} and {len(post)} trains.")
    step = _step(dt)
    sides = [[_on_grid(train, step, side) for train in trains] for side, trains in (("pre", pre), ("post", post))]
    last = max((train[-1] for side in sides for train in side if len(train)), default=0)
    with numpy_target():
        source, target = (
            SpikeGeneratorGroup(
                len(side),
                np.repeat(np.arange(len(side)), [len(train) for train in side]),
                np.concatenate(side) * step * second,
                dt=step * second,
            )
            for side in sides
        )
        synapses = rule.synapses(source, target, landing=landing, namespace={}, dt=step * second)
        synapses.connect(j="i")
        synapses.w = w
        Network(source, target, synapses).run((last + 2) * step * second, namespace={})
        return np.array(synapses.w[:]) - w


def _step(dt: Quantity | None) -> float:
    dt = 0.1 * ms if dt is None else dt
    if get_dimensions(dt) != second.dim or not 0 < float(dt) < np.inf:
        raise WrongUse(f"dt={dt} must be a positive time, for example 0.1*ms.")
    return float(dt)


def _on_grid(train: Quantity, step: float, side: str) -> np.ndarray:
    """Spike times as whole numbers of steps, in order."""
    times = np.asarray(train, dtype=float)
    if get_dimensions(train) != second.dim and times.size or not np.isfinite(times).all() or (times < 0).any():
        raise WrongUse(f"{side}={train} must be spike times of 0 s or later with a unit, for example [10, 20]*ms.")
    steps = np.sort(np.round(times / step).astype(int))
    if (np.diff(steps) == 0).any():
        raise WrongUse(f"{side}: two spikes of one neuron fall into the same step of {1000 * step:g} ms; give a smaller dt.")
    return steps
