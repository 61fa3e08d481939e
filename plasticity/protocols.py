"""The classic experiments on one synapse: given spike times on both sides, how much does the weight change?

`weight_change` takes any number of independent synapses at once, each with its own spike times. The protocols make those
times: `pairs`, `frequency`, `pre_post_pre`, `post_pre_post`, `quadruplets`, `poisson`; `repeated` makes one of your own.
Every protocol comes back as two lists, `pre, post`, with the spike times of each synapse.
"""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from brian2 import (
    Network,
    NetworkOperation,
    Quantity,
    SpikeGeneratorGroup,
    Synapses,
    ms,
    prefs,
    second,
    set_device,
)
from brian2.devices.device import get_device, reset_device, runtime_device
from brian2.synapses.synapses import SynapticPathway
from brian2.utils.stringtools import get_identifiers

from plasticity import given, memory
from plasticity.checked import checked_but
from plasticity.engine.programs import BRIAN2_LOCK
from plasticity.errors import WrongUse
from plasticity.rules import Landing, Rule

Trains = tuple[list[Quantity], list[Quantity]]

UNBOUNDED = Landing(-1e9, 1e9)


@contextlib.contextmanager
def numpy_target() -> Iterator[None]:
    """Brian2's NumPy target, which compiles nothing; what was set before is set again afterwards.

    Target and device belong to the whole process: one thread of it at a time is inside.
    """
    with BRIAN2_LOCK:
        target, stop, elsewhere = prefs.codegen.target, prefs.core.stop_on_keyboard_interrupt, get_device() is not runtime_device
        if elsewhere:
            set_device("runtime")
        prefs.codegen.target = "numpy"
        prefs.core.stop_on_keyboard_interrupt = False  # Ctrl-C must not hand back half a run
        try:
            yield
        finally:
            prefs.codegen.target = target
            prefs.core.stop_on_keyboard_interrupt = stop
            if elsewhere:
                reset_device()


def pairs(lags: Quantity, repetitions: int = 60, frequency: Quantity | None = None, dt: Quantity | None = None) -> Trains:
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
    lag = _times("lags", lags, 1)
    if lag.ndim != 1:
        raise WrongUse(f"lags={lags} must be one time for each synapse, for example [-10, 10]*ms.")
    lag = np.round(lag / step)
    start = _starts(repetitions, frequency, step) + np.abs(lag).max(initial=0) + 1
    return [start * step * second for _ in lag], [(start + d) * step * second for d in lag]


def frequency(lag: Quantity, frequencies: Quantity, repetitions: int = 60, dt: Quantity | None = None) -> Trains:
    """The frequency protocol: `repetitions` pairs of one lag in one continuous train, one synapse for each frequency.

    Sjoestroem, Turrigiano & Nelson 2001, doi:10.1016/S0896-6273(01)00542-6, in the form in which Pfister & Gerstner 2006,
    doi:10.1523/JNEUROSCI.1425-06.2006, simulate it: the pauses between bursts of the experiment are left out.

    Parameters
    ----------
    lag : Quantity
        t_post - t_pre of every pair.
    frequencies : Quantity, shape (synapses,)
        How many pairs in a second.
    repetitions, dt
        As of `pairs`.
    """
    if not isinstance(frequencies, Quantity):
        raise WrongUse(f"frequencies={frequencies!r} must be positive rates, for example [10, 20]*Hz.")
    each = [pairs(lag, repetitions, one, dt) for one in np.atleast_1d(frequencies)]
    return [pre[0] for pre, _ in each], [post[0] for _, post in each]


def pre_post_pre(
    delays: Quantity, repetitions: int = 60, frequency: Quantity | None = None, dt: Quantity | None = None
) -> Trains:
    """Triplets of one postsynaptic spike between two presynaptic ones.

    Wang, Gerkin, Nauen & Bi 2005, doi:10.1038/nn1387.

    Parameters
    ----------
    delays : Quantity, shape (synapses, 2)
        (d1, d2): t_post minus the time of the first and of the second presynaptic spike, so that d1 > 0 > d2.
    repetitions, frequency, dt
        As of `pairs`.
    """
    d = _ordered("pre_post_pre", delays, down=True)
    return _placed([[-a, -b] for a, b in d], [[0.0] for _ in d], repetitions, frequency, dt)


def post_pre_post(
    delays: Quantity, repetitions: int = 60, frequency: Quantity | None = None, dt: Quantity | None = None
) -> Trains:
    """Triplets of one presynaptic spike between two postsynaptic ones.

    Wang, Gerkin, Nauen & Bi 2005, doi:10.1038/nn1387.

    Parameters
    ----------
    delays : Quantity, shape (synapses, 2)
        (d1, d2): the time of the first and of the second postsynaptic spike minus t_pre, so that d1 < 0 < d2.
    repetitions, frequency, dt
        As of `pairs`.
    """
    d = _ordered("post_pre_post", delays, down=False)
    return _placed([[0.0] for _ in d], [[a, b] for a, b in d], repetitions, frequency, dt)


def quadruplets(
    distances: Quantity,
    lag: Quantity | None = None,
    repetitions: int = 60,
    frequency: Quantity | None = None,
    dt: Quantity | None = None,
) -> Trains:
    """Quadruplets: a pair of one order, then a pair of the other.

    T > 0: post-pre, then pre-post. T < 0: pre-post, then post-pre. |T| is the distance between the centres of the two pairs.
    Wang, Gerkin, Nauen & Bi 2005, doi:10.1038/nn1387; T as in Pfister & Gerstner 2006, doi:10.1523/JNEUROSCI.1425-06.2006.

    Parameters
    ----------
    distances : Quantity, shape (synapses,)
        T of each synapse; |T| must exceed the lag, or the pairs would overlap.
    lag : Quantity
        Distance of the two spikes of a pair; 5 ms unless told.
    repetitions, frequency, dt
        As of `pairs`.
    """
    T = _times("distances", distances, 1)
    d = float(_times("lag", 5 * ms if lag is None else lag, 1)[0])
    if not d > 0 or (np.abs(T) <= d).any():
        raise WrongUse(f"quadruplets: |T| in {distances} must exceed the lag of {1000 * d:g} ms, which must be positive.")
    outer, inner = [[-d / 2, abs(t) + d / 2] for t in T], [[d / 2, abs(t) - d / 2] for t in T]
    pre, post = ([(a, b)[k] for a, b, k in zip(outer, inner, on, strict=True)] for on in ((T > 0) * 1, (T < 0) * 1))
    return _placed(pre, post, repetitions, frequency, dt)


def repeated(
    pre: Sequence[Quantity],
    post: Sequence[Quantity],
    repetitions: int = 60,
    frequency: Quantity | None = None,
    dt: Quantity | None = None,
) -> Trains:
    """A protocol of your own: the spike times of one repetition, `repetitions` times.

    Parameters
    ----------
    pre, post : sequences of Quantity, one entry for each synapse
        Spike times of one repetition in rising order, 0 s or later.
    repetitions, frequency, dt
        As of `pairs`.

    Raises
    ------
    WrongUse
        Times that are negative, out of order, not finite or without unit; repetitions that run into each other.
    """
    step = _step(dt)
    start = _starts(repetitions, frequency, step)
    for side, trains in (("pre", pre), ("post", post)):
        _several(side, trains)
    sides: list[list[Quantity]] = []
    for side, trains in (("pre", pre), ("post", post)):
        made = []
        for train, steps in zip(trains, _on_grid(trains, step, side), strict=True):
            times = (start[:, None] + steps).ravel()
            if (np.diff(times) <= 0).any():
                raise WrongUse(
                    f"{side}={train} lasts longer than one repetition at {frequency or '1 Hz'}; give a lower frequency."
                )
            made.append(times * step * second)
        sides.append(made)
    return sides[0], sides[1]


def poisson(rates: Quantity, duration: Quantity, rng: np.random.Generator, dt: Quantity | None = None) -> list[Quantity]:
    """Independent Poisson spike trains, one for each rate: a spike in each time step with the probability rate*dt.

    Parameters
    ----------
    rates : Quantity, shape (synapses,)
        Rate of each train.
    duration : Quantity
        How long the trains are.
    rng : numpy.random.Generator
        What draws them.
    dt : Quantity
        Time step; 0.1 ms unless told.

    Raises
    ------
    WrongUse
        Rates without unit, negative, or with more than one spike in a step.
    """
    step = _step(dt)
    if not isinstance(rng, np.random.Generator):
        raise WrongUse(f"rng={rng!r} must be a NumPy generator, for example np.random.default_rng(0).")
    chance = given.real(np.asarray(rates)) if isinstance(rates, Quantity) and rates.dim == (1 / second).dim else None
    if chance is not None:
        chance = np.atleast_1d(chance) * step
    if chance is None or chance.ndim != 1 or not ((chance >= 0) & (chance <= 1)).all():
        raise WrongUse(
            f"rates={rates} must be rates from 0 Hz to one spike in a step of {1000 * step:g} ms, for example [10]*Hz."
        )
    steps = _moment("duration", duration, step)
    trains: list[Quantity] = [np.zeros(0) * second] * len(chance)
    for p in np.unique(chance[chance > 0]):  # trains of one rate are one Bernoulli process, cut into pieces
        where = np.flatnonzero(chance == p)
        total = len(where) * steps
        gaps = rng.geometric(p, size=int(total * p + 10 * np.sqrt(total * p) + 20))
        while gaps.sum() < total:
            gaps = np.append(gaps, rng.geometric(p, size=len(gaps)))
        at = np.cumsum(gaps) - 1
        at = at[at < total]
        edges = np.searchsorted(at, np.arange(len(where) + 1) * steps)
        times = (at % steps) * step * second
        for k, synapse in enumerate(where):
            trains[synapse] = times[edges[k] : edges[k + 1]]
    return trains


def weight_change(
    rule: Rule,
    pre: Sequence[Quantity],
    post: Sequence[Quantity],
    landing: Landing = UNBOUNDED,
    w: float = 0.0,
    dt: Quantity | None = None,
    settle: Quantity | None = None,
    until: Quantity | None = None,
) -> np.ndarray:
    """The change of the weight of independent synapses with given spike times, simulated in Brian2.

    It runs on Brian2's NumPy target, with no compiler; `prefs` and the device are as before afterwards. Traces are
    event-driven, so that the time step sets nothing but the grid of spike times. Where everything on the synapse happens at
    spikes, time steps in which no synapse has one are left out: the traces are told how much time has passed (Brian2's
    `lastupdate` is moved back by it), and a minute of rare pairs takes as long as its spikes.

    Parameters
    ----------
    rule : Rule
        Any rule.
    pre, post : sequences of Quantity, one entry for each synapse
        Times of the pre- and postsynaptic spikes in rising order; rounded to the grid of `dt`.
    landing : Landing
        Bounds; none that matter unless told.
    w : float
        The weight at the start.
    dt : Quantity
        Time step; 0.1 ms unless told.
    settle : Quantity
        What happens before this time fills the traces, but its change is not counted; 0 s unless told.
    until : Quantity
        When the experiment ends; one time step after the last spike of all synapses unless told. A rule with a drift changes the
        weight between spikes and after them too, so that it must be told.

    Returns
    -------
    array, shape (synapses,)
        Weight at the end minus weight at the start, or at `settle`.

    Raises
    ------
    WrongUse
        Not as many trains on one side as on the other; times that are negative, out of order, not finite or without unit;
        two spikes of one train in the same time step; a rule that needs more of its neurons than spikes; a rule with a drift and
        no `until`, or one before the last spike; a weight outside the bounds; a rule, landing or time that is none.
    """
    if not isinstance(rule, Rule):
        raise WrongUse(f"rule={rule!r} must be a Rule, for example pl.rules.pair_stdp.")
    if not isinstance(landing, Landing):
        raise WrongUse(f"landing={landing!r} must be a Landing, for example Landing(0, 1, mu=1).")
    if rule.needs:
        needs = ", ".join(rule.needs)
        raise WrongUse(f"{rule.name} needs {needs} of its neurons, not spike times alone; put it on groups with rule.synapses.")
    for name, each in (("pre", pre), ("post", post)):
        single = isinstance(each, np.ndarray) and not each.ndim
        if single or not isinstance(each, (Sequence, np.ndarray)) or isinstance(each, (str, bytes)) or not np.ndim(each[:1]):
            raise WrongUse(f"{name}={each!r} must hold a list of spike times for each synapse, for example [[10, 20]*ms].")
    _as_many(pre, post)
    if rule.drift.strip() and until is None:
        raise WrongUse(
            f"{rule.name} changes the weight after the last spike too; say how long to look, for example until=2*second."
        )
    start_w = given.one(w)
    if start_w is None or not landing.w_min <= start_w <= landing.w_max:
        raise WrongUse(f"w={w} must be one weight within the bounds {landing.w_min:g} and {landing.w_max:g}.")
    step = _step(dt)
    sides = [_on_grid(trains, step, side) for side, trains in (("pre", pre), ("post", post))]
    counted_from = 0 if settle is None else _moment("settle", settle, step)
    happening = np.unique(np.concatenate([np.concatenate(side) for side in sides]))
    end = happening.max(initial=0) + 2 if until is None else _moment("until", until, step)
    if not 0 <= happening.max(initial=0) < end:
        raise WrongUse(f"until={until} lies before the last spike, at {happening.max() * step:g} s.")
    with numpy_target():
        source, target = (SpikeGeneratorGroup(len(side), [], [] * second, dt=step * second) for side in sides)
        synapses = rule.synapses(source, target, landing=landing, namespace={}, dt=step * second)
        synapses.connect(j="i")
        synapses.w = w
        if not _only_at_spikes(synapses):
            happening = np.arange(end - 1)
        for group, side in zip((source, target), sides, strict=True):
            steps = np.searchsorted(happening, np.concatenate(side))
            group.set_spikes(np.repeat(np.arange(len(side)), [len(train) for train in side]), steps * step * second)
        skipped = iter(np.diff(happening, prepend=happening[:1] - 1) - 1)

        def skip() -> None:
            steps = next(skipped, 0)
            if steps:
                last = synapses.variables["lastupdate"]
                last.set_value(last.get_value() - steps * step)

        network = Network(source, target, synapses, NetworkOperation(skip, dt=step * second, when="start"))
        before = int(np.searchsorted(happening, counted_from))
        if before:
            network.run(before * step * second, namespace={})
        start = np.array(synapses.w[:])
        network.run((len(happening) - before + 1) * step * second, namespace={})
        return np.array(synapses.w[:]) - start


@checked_but("pre", "post", "dt")
def closed_form(rule: Rule, pre: Sequence[Quantity], post: Sequence[Quantity], dt: Quantity | None = None) -> np.ndarray:
    """What `weight_change` should give of a rule that has a closed form (`Rule.change`), with no bounds: a sum over spikes.

    With `dt` spike times are rounded to its multiples as there; else they are taken as they are.
    """
    for side, trains in (("pre", pre), ("post", post)):
        _several(side, trains)
    _as_many(pre, post)
    return np.array([rule.change(a, b, dt) for a, b in zip(pre, post, strict=True)])


def _only_at_spikes(synapses: Synapses) -> bool:
    """Whether nothing on the synapse happens between spikes, later than a spike, or by the clock."""
    parts = synapses.contained_objects
    pathways = [part for part in parts if isinstance(part, SynapticPathway)]
    return (
        len(pathways) == len(parts)
        and "lastupdate" in synapses.variables
        and all(not np.any(path.delay[:]) for path in pathways)
        and not any(get_identifiers(path.code) & {"t", "t_in_timesteps", "lastupdate"} for path in pathways)
    )


def _several(side: str, trains: Any) -> None:
    """WrongUse for what is no list of spike trains, one for each synapse."""
    whole = isinstance(trains, (str, bytes, Mapping)) or isinstance(trains, np.ndarray) and not trains.ndim
    if whole or not isinstance(trains, Collection) or inspect.isclass(trains):
        raise WrongUse(f"{side}={given.shown(trains)} must hold a list of spike times for each synapse, like [[10, 20]*ms].")


def _as_many(pre: Sequence[Quantity], post: Sequence[Quantity]) -> None:
    if len(pre) != len(post) or not len(pre):
        raise WrongUse(f"each synapse needs its pre- and its postsynaptic spike times, not {len(pre)} and {len(post)} trains.")


def _step(dt: Quantity | None) -> float:
    step = given.seconds(0.1 * ms if dt is None else dt)
    if step is None or step <= 0:
        raise WrongUse(f"dt={dt} must be a positive time, for example 0.1*ms.")
    return step


def _times(name: str, told: Quantity, dimensions: int) -> np.ndarray:
    """Finite times in seconds, with at least so many dimensions."""
    values = given.times(told)
    if values is None:
        raise WrongUse(f"{name}={told} must be finite times with a unit, for example [-10, 10]*ms.")
    return values.reshape((1,) * (dimensions - values.ndim) + values.shape)


def _moment(name: str, told: Quantity, step: float) -> int:
    """One time of 0 s or more, in steps."""
    time = given.seconds(told)
    if time is None or time < 0:
        raise WrongUse(f"{name}={told} must be one finite time of 0 s or more, for example 2*second.")
    return round(time / step)


def _starts(repetitions: int, frequency: Quantity | None, step: float) -> np.ndarray:
    """The steps at which the repetitions begin."""
    rate: float | None = 1.0
    if frequency is not None:
        is_rate = isinstance(frequency, Quantity) and frequency.dim == (1 / second).dim
        rate = given.one(np.asarray(frequency)) if is_rate else None
    if rate is None or rate <= 0:
        raise WrongUse(f"frequency={frequency} must be a positive rate, for example 1*Hz.")
    if isinstance(repetitions, bool) or not isinstance(repetitions, (int, np.integer)) or repetitions < 1:
        raise WrongUse(f"repetitions={repetitions} must be a whole number of at least 1.")
    memory.refuse(f"a protocol of repetitions={given.shown(repetitions)}", 32.0 * min(repetitions, 10**30), "take fewer")
    return np.round(np.arange(repetitions) / rate / step)


def _ordered(kind: str, delays: Quantity, down: bool) -> np.ndarray:
    """Delays of triplets (synapses, 2) in seconds, of the signs that their names say."""
    d = _times("delays", delays, 2)
    sign = 1 if down else -1
    if d.ndim != 2 or d.shape[1] != 2 or not ((sign * d[:, 0] > 0) & (sign * d[:, 1] < 0)).all():
        example, order = ("[(5, -5)]*ms", "d1 > 0 > d2") if down else ("[(-5, 5)]*ms", "d1 < 0 < d2")
        raise WrongUse(f"{kind}: delays={delays} must be pairs (d1, d2) with {order}, for example {example}.")
    return d


def _placed(
    pre: list[list[float]], post: list[list[float]], repetitions: int, frequency: Quantity | None, dt: Quantity | None
) -> Trains:
    """`repeated`, with each synapse's repetition (in seconds, of either sign) moved to begin one step after 0 s."""
    step = _step(dt)
    first = [step - min(*a, *b) for a, b in zip(pre, post, strict=True)]
    at_pre, at_post = ([(np.array(train) + s) * second for train, s in zip(side, first, strict=True)] for side in (pre, post))
    return repeated(at_pre, at_post, repetitions, frequency, dt)


def _on_grid(trains: Sequence[Quantity], step: float, side: str) -> list[np.ndarray]:
    """Spike times of each train as whole numbers of steps."""
    _several(side, trains)
    found = []
    for train in trains:
        times = np.zeros(0) if not isinstance(train, str) and np.size(train) == 0 else given.times(train)
        if np.ndim(train) != 1:
            raise WrongUse(
                f"{side}: each synapse needs a list of spike times, for example [[10, 20]*ms, [15]*ms], not {train!r}."
            )
        if times is None or (times < 0).any():
            raise WrongUse(f"{side}={train} must be spike times of 0 s or later with a unit, for example [10, 20]*ms.")
        if (times[1:] < times[:-1]).any():
            raise WrongUse(f"{side}={train} must be spike times in rising order; sort them, for example with np.sort.")
        steps = np.round(times / step).astype(int)
        if (steps[1:] == steps[:-1]).any():
            raise WrongUse(f"{side}: two spikes of one neuron fall into the same step of {1000 * step:g} ms; give a smaller dt.")
        found.append(steps)
    return found
