"""Encoders: the statistics of their spikes against the process that each stands for.

Random ones are tested with a fixed seed; a bound of 4 standard errors would be missed by 1 in 16,000 seeds.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from brian2 import Hz, Network, Quantity, SpikeMonitor, TimedArray, defaultclock, ms, seed
from scipy import stats

from plasticity.encoders import ENCODERS, RATE_MAX, WINDOW, Encoder, check_rates, latency, poisson, regular
from plasticity.errors import WrongUse

DT = 0.5  # ms


def spikes(encoder: Any, rates_hz: np.ndarray, period: Quantity, start: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Neurons and steps of all spikes while the rows of rates_hz (stimuli, neurons) are shown, `period` each."""
    before = defaultclock.dt
    try:
        defaultclock.dt = DT * ms
        seed(start)
        rates = TimedArray(rates_hz * Hz, dt=period, name="rates")
        group = encoder.group(rates_hz.shape[1], "inputs", "rates(t, i)", period, namespace={"rates": rates}, method="euler")
        monitor = SpikeMonitor(group)
        Network(group, monitor).run(len(rates_hz) * period, namespace={})
        return np.array(monitor.i), np.round(np.asarray(monitor.t / ms) / DT).astype(int)
    finally:
        defaultclock.dt = before


NEURONS, STEPS, RATE = 1000, 2000, 20.0
P = RATE * DT / 1e3  # probability of a spike in a step: 0.01


@pytest.fixture(scope="module")
def poisson_spikes() -> tuple[np.ndarray, np.ndarray]:
    return spikes(poisson, np.full((1, NEURONS), RATE), STEPS * DT * ms)


@pytest.fixture(scope="module")
def poisson_intervals(poisson_spikes: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """Intervals in steps, all neurons one after another in one long train: no interval is lost at the end of a window."""
    neuron, step = poisson_spikes
    return np.diff(np.sort(neuron * STEPS + step))


def test_poisson_spikes_come_at_the_rate_and_their_counts_vary_as_a_poisson_process(poisson_spikes: Any):
    counts = np.bincount(poisson_spikes[0], minlength=NEURONS)
    # a count is binomial(2000, 0.01): mean 20, variance 20*(1 - p), which is Poisson's in the limit of small steps
    assert abs(counts.mean() - STEPS * P) < 4 * np.sqrt(STEPS * P * (1 - P) / NEURONS)
    fano = counts.var(ddof=1) / counts.mean()
    assert abs(fano - (1 - P)) < 4 * np.sqrt(2 / (NEURONS - 1))  # standard error of a variance, relative


def test_poisson_intervals_are_exponential_with_cv_1(poisson_intervals: np.ndarray):
    # in steps they are geometric; moved to a random place in their step they are exponential up to p^2/8 = 1e-5 of the
    # distribution function, far below what 20,000 intervals can tell
    moved = poisson_intervals - np.random.default_rng(1).uniform(size=len(poisson_intervals))
    assert stats.kstest(moved, stats.expon(scale=-1 / np.log1p(-P)).cdf).pvalue > 1e-3
    cv = poisson_intervals.std(ddof=1) / poisson_intervals.mean()
    assert abs(cv - np.sqrt(1 - P)) < 4 / np.sqrt(len(poisson_intervals))  # standard error of the CV of an exponential: 1/sqrt(n)


def test_poisson_intervals_are_independent_of_the_one_before(poisson_intervals: np.ndarray):
    r = stats.spearmanr(poisson_intervals[:-1], poisson_intervals[1:]).statistic
    assert abs(r) < 4 / np.sqrt(len(poisson_intervals))


def test_poisson_neurons_follow_each_stimulus(poisson_spikes: Any):
    neuron, step = spikes(poisson, np.array([[0.0] * 200 + [80.0] * 200, [80.0] * 200 + [0.0] * 200]), 100 * ms)
    assert ((neuron >= 200) == (step < 200)).all()
    assert abs(len(step) - 3200) < 4 * np.sqrt(3200)  # 400 neuron stimuli of 8 expected spikes each


@pytest.mark.parametrize("rate", [40.0, 37.3, 150.0])
def test_regular_spikes_are_evenly_spaced_at_exactly_the_rate(rate: float):
    neuron, step = spikes(regular, np.full((1, 50), rate), 1000 * ms)
    for k in range(50):
        intervals = np.diff(step[neuron == k]) * DT
        # a spike waits for the end of its step, so an interval is off by less than a step, and those errors do not add up
        assert np.abs(intervals - 1e3 / rate).max() <= DT * (1 + 1e-9)
        assert abs(intervals.mean() - 1e3 / rate) <= DT * (1 + 1e-9) / len(intervals)
        assert intervals.std() <= DT / 2 * (1 + 1e-9)  # they take two neighbouring values: CV below rate dt/2
        assert abs((neuron == k).sum() - rate) < 1 + 1e-9  # in one second


def test_regular_trains_start_at_a_random_phase():
    neuron, step = spikes(regular, np.full((1, 500), 40.0), 25 * ms)  # one interval
    assert np.array_equal(np.sort(neuron), np.arange(500))
    assert stats.kstest((step + 0.5) * DT / 25, "uniform").pvalue > 1e-3  # steps of 1/50 shift the distribution by at most 0.01


def test_latency_is_the_formula_with_one_spike_a_stimulus():
    rng = np.random.default_rng(3)
    rates = rng.uniform(5, float(RATE_MAX), (3, 60))
    neuron, step = spikes(latency, rates, 60 * ms)
    assert np.array_equal(np.bincount(neuron * 3 + step // 120, minlength=180), np.ones(180))
    expected = np.arange(3)[:, None] * 60 + float(WINDOW / ms) * (1 - rates / float(RATE_MAX))
    fired = np.empty((3, 60))
    fired[step // 120, neuron] = step * DT
    assert np.abs(fired - expected).max() <= DT / 2 * (1 + 1e-6)  # the nearest time step


def test_latency_fires_at_once_at_the_highest_rate_and_beyond():
    neuron, step = spikes(latency, np.full((2, 2), [float(RATE_MAX), 3 * float(RATE_MAX)]), 60 * ms)
    assert sorted(zip(neuron, step, strict=True)) == [(0, 0), (0, 120), (1, 0), (1, 120)]


@pytest.mark.parametrize("encoder", ENCODERS.values(), ids=ENCODERS)
def test_a_rate_of_zero_never_fires(encoder: Any):
    neuron, _ = spikes(encoder, np.tile([0.0, 100.0], (5, 20)), 100 * ms)
    assert set(neuron) == set(range(1, 40, 2))  # the silent neurons stand between firing ones


@pytest.mark.full
@pytest.mark.parametrize("encoder", ENCODERS.values(), ids=ENCODERS)
def test_the_same_seed_gives_the_same_spikes(encoder: Any):
    rates = np.full((2, 20), 60.0)
    first, again, other = (np.array(spikes(encoder, rates, 100 * ms, start)).tolist() for start in (5, 5, 6))
    assert first == again and (first != other or encoder is latency)  # latency draws nothing


@pytest.mark.parametrize("encoder", ENCODERS.values(), ids=ENCODERS)
def test_every_encoder_says_what_it_is_and_where_it_comes_from(encoder: Any):
    assert encoder.summary in encoder.describe() and encoder.threshold in encoder.describe()
    assert "doi:" in encoder.source or "ISBN" in encoder.source


def test_an_unknown_encoder_is_answered_with_the_known_ones():
    with pytest.raises(WrongUse, match="unknown encoder 'poison'. Did you mean 'poisson'.* latency, poisson, regular"):
        ENCODERS["poison"]


@pytest.mark.parametrize(
    "period", [0 * ms, -5 * ms, 100, 100 * Hz, np.inf * ms, np.nan * ms, [1, 2] * ms, "9 ms", None, 1j * ms], ids=str
)
def test_a_period_that_is_no_positive_time_is_refused(period: Any):
    with pytest.raises(WrongUse, match="must be a positive time, for example 100"):
        poisson.group(1, "inputs", "10*Hz", period)


@pytest.mark.parametrize("wrong", [-1.0, np.nan, np.inf])
def test_a_rate_that_is_no_rate_is_refused(wrong: float):
    with pytest.raises(WrongUse, match=f"stimulus holds the rate {wrong} Hz; a firing rate is a finite number of 0 or more"):
        check_rates([[5.0, wrong]], "stimulus")


@pytest.mark.parametrize("wrong", ["fast", [1j], np.array([1j]), None, [[1], [1, 2]], np.zeros(2, "M8[D]"), 5 * ms], ids=str)
def test_rates_that_are_no_numbers_are_refused(wrong: Any):
    with pytest.raises(WrongUse, match="stimulus=.* must be firing rates in hertz"):
        check_rates(wrong, "stimulus")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n": 0}, "n=0 must be a whole number of neurons"),
        ({"n": 1.5}, "n=1.5 must be"),
        ({"n": True}, "n=True must be"),
        ({"rate": 5}, "rate=5 must be Brian2 text"),
        ({"equations": None}, "equations=None must be Brian2 text"),
    ],
)
def test_a_group_of_inputs_that_cannot_be_is_refused(options: dict[str, Any], message: str):
    with pytest.raises(WrongUse, match=message):
        poisson.group(**{"n": 1, "name": "inputs", "rate": "10*Hz", "period": 5 * ms, **options})


def test_an_encoder_of_the_wrong_types_is_refused():
    for wrong in ({"threshold": None}, {"start": "0"}, {"onset": 3}):
        with pytest.raises(WrongUse, match=f"poisson: {next(iter(wrong))}=.* must be a"):
            dataclasses.replace(poisson, **wrong)


def test_rates_come_back_as_they_were_given():
    assert np.array_equal(check_rates([0, 2.5]), [0.0, 2.5]) and np.array_equal(check_rates(3 * Hz), 3.0)


def test_an_encoder_is_known_by_its_name():
    assert Encoder.from_text("poisson") is poisson
    with pytest.raises(WrongUse, match="unknown encoder 'posson'. Did you mean 'poisson'"):
        Encoder.from_text("posson")
