"""Neuron models against closed forms and against an independent solution of their equations."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from brian2 import Network, NeuronGroup, SpikeMonitor, StateMonitor, ms, mV, second, volt
from scipy.integrate import solve_ivp

from plasticity.errors import WrongUse
from plasticity.neurons import NEURONS, Neuron, lif_adaptive, lif_conductance, lif_current, lif_rate


def simulate(dt: float, duration: float, group: NeuronGroup, *monitors: Any) -> None:
    """`duration` and `dt` in ms; the group was made with dt."""
    Network(group, *monitors).run(duration * ms, namespace={})


def driven(neuron: Neuron, currents: Any, dt: float, name: str = "cells", **settings: Any) -> NeuronGroup:
    """One neuron for each constant current."""
    unit = "1" if neuron is lif_adaptive or neuron.name == "lif_adaptive" else "volt"
    return neuron.group(
        len(currents), name, current="drive", equations=f"drive : {unit} (constant)", values={"drive": currents},
        dt=dt * ms, namespace={}, **settings,
    )  # fmt: skip


@pytest.mark.full
@pytest.mark.parametrize("dt", [0.1, 0.025])
@pytest.mark.parametrize("neuron", [lif_current, lif_current(tau_m=7 * ms, reset=-62 * mV, t_ref=5 * ms)], ids=["as is", "other"])
def test_the_lif_rate_is_its_closed_form(neuron: Neuron, dt: float):
    currents = np.array([12, 15.9, 16.5, 18, 25, 60]) * mV  # the threshold lies 16 mV above rest
    group = driven(neuron, currents, dt, method="exact")
    monitor = SpikeMonitor(group)
    simulate(dt, 400, group, monitor)
    for k, current in enumerate(currents):
        expected = lif_rate(current, neuron)
        times = np.asarray(monitor.t / ms)[np.asarray(monitor.i) == k]
        if current < 16 * mV:
            assert expected == 0 and len(times) == 0
        else:
            # the membrane is exact at grid times, but a spike counts, for the refractory period too, from the beginning of the
            # step in which it happens: an interval is the true one less what is left of that step, and never longer
            early = 1e3 / expected - np.diff(times)
            assert len(early) >= 4 and early.min() >= -1e-9 and early.max() <= dt + 1e-9


@pytest.mark.full
def test_a_smaller_time_step_brings_the_lif_rate_closer_to_the_closed_form():
    errors = []
    for dt in (0.4, 0.1, 0.025):
        currents = np.linspace(20, 40, 9) * mV
        group = driven(lif_current, currents, dt, method="exact")
        monitor = SpikeMonitor(group)
        simulate(dt, 300, group, monitor)
        periods = [np.diff(np.asarray(monitor.t / ms)[np.asarray(monitor.i) == k]).mean() for k in range(9)]
        errors.append(np.mean([abs(p - 1e3 / lif_rate(c, lif_current)) for p, c in zip(periods, currents, strict=True)]))
    assert errors[0] > 2 * errors[1] > 4 * errors[2]  # first order: 4 times the step, about 4 times the error


@pytest.mark.parametrize("name", [name for name, neuron in NEURONS.items() if "rest" in neuron.parameters])
def test_without_current_the_membrane_rests(name: str):
    neuron = NEURONS[name]
    group = neuron.group(1, "cells", namespace={}, method="euler", dt=0.1 * ms)
    monitor = SpikeMonitor(group)
    simulate(0.1, 20, group, monitor)
    assert len(monitor.t) == 0 and float(group.v_[0]) == float(neuron.parameters["rest"])


@pytest.mark.parametrize("t_ref", [2, 5, 8])
def test_no_neuron_fires_within_its_refractory_period(t_ref: int):
    group = driven(lif_current(t_ref=t_ref * ms), [10] * volt, 0.1, method="exact")  # crosses the threshold in one step
    monitor = SpikeMonitor(group)
    simulate(0.1, 100, group, monitor)
    intervals = np.diff(np.asarray(monitor.t / ms))
    assert intervals.min() >= t_ref - 1e-9 and intervals.max() <= t_ref + 0.1 + 1e-9  # and fires in the step after it


def test_the_adaptive_threshold_rises_by_exactly_theta_plus_at_each_spike():
    neuron = lif_adaptive(theta_plus=0.25, tau_theta=1e20 * ms)  # sums of 0.25 are exact, and nothing decays in 200 ms
    group = driven(neuron, [0.5, 2.0, 4.0], 0.5, method="euler")
    monitor = SpikeMonitor(group)
    simulate(0.5, 200, group, monitor)
    counts = np.bincount(monitor.i, minlength=3)
    assert np.array_equal(group.theta[:], 0.25 * counts) and 0 == counts[0] < counts[1] < counts[2]
    assert counts[1] <= 4  # drive 2 reaches threshold 1 + theta only while theta < 1


def test_a_frozen_threshold_stays_where_it_is_while_the_neuron_fires():
    group = driven(lif_adaptive(adapt=0.0, tau_theta=10 * ms), [4.0], 0.5, method="euler")
    group.theta = 0.125
    monitor = SpikeMonitor(group)
    simulate(0.5, 200, group, monitor)
    assert group.theta[0] == 0.125 and len(monitor.t) > 3


def test_the_adaptive_threshold_decays_exponentially_with_tau_theta():
    group = driven(lif_adaptive(tau_theta=40 * ms), [0.0], 0.5, method="exact")
    group.theta = 0.8
    simulate(0.5, 100, group)
    assert group.theta[0] == pytest.approx(0.8 * np.exp(-100 / 40), rel=1e-12)  # 200 steps, each with one rounding


def test_the_conductance_neuron_follows_an_independent_solution_of_its_equations():
    neuron = lif_conductance(threshold=50 * mV)  # above the reversal potential: no spike
    dt = 0.05
    group = neuron.group(3, "cells", namespace={}, method="rk4", dt=dt * ms)
    group.ge = [0.2, 1.0, 3.0]
    trace = StateMonitor(group, "v", record=True, dt=dt * ms)
    simulate(dt, 40, group, trace)
    p = {name: float(value) for name, value in neuron.parameters.items()}

    def change(t: float, y: np.ndarray) -> list[float]:
        v, ge = y
        return [(p["rest"] - v + ge * (p["E_exc"] - v)) / p["tau_m"], -ge / p["tau_e"]]

    for k, ge in enumerate([0.2, 1.0, 3.0]):
        times = np.asarray(trace.t / second)
        v = solve_ivp(change, (0, 0.041), [p["rest"], ge], t_eval=times, rtol=1e-11, atol=1e-14).y[0]
        # fourth order: the error is about depolarisation * (dt (1 + ge)/tau_m)^4 = 70 mV * (0.02)^4 = 1e-5 mV
        assert np.abs(np.asarray(trace.v[k] / mV) - 1e3 * v).max() < 1e-5
        assert np.ptp(v) > 3e-3  # it did move


def test_a_conductance_cannot_drive_the_membrane_beyond_its_reversal_potential():
    neuron = lif_conductance(threshold=50 * mV, tau_e=1e6 * ms)
    group = neuron.group(1, "cells", namespace={}, method="exponential_euler", dt=0.1 * ms)
    group.ge = 1e4
    simulate(0.1, 20, group)
    assert -1 * mV < group.v[0] <= 0 * mV


def test_the_input_drives_the_membrane_as_a_sum_of_jumps_and_current():
    """Two neurons that differ in `I` only part by I (1 - exp(-t/tau_m)); exact integration."""
    group = driven(lif_current, [0, 5] * mV, 0.1, method="exact")
    simulate(0.1, 10, group)
    assert float((group.v[1] - group.v[0]) / mV) == pytest.approx(5 * (1 - np.exp(-10 / 20)), rel=1e-12)


def test_further_equations_conditions_and_resets_add_to_the_neuron():
    group = lif_adaptive.group(
        2, "cells", current="5.0", equations="count : 1\nallowed : 1", threshold="allowed > 0.5", reset="count += 1",
        values={"count": 0, "allowed": [0, 1]}, dt=0.5 * ms, namespace={}, method="euler",
    )  # fmt: skip
    monitor = SpikeMonitor(group)
    simulate(0.5, 100, group, monitor)
    assert set(monitor.i) == {1} and group.count[1] == len(monitor.t) > 2


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"tau_m": 20}, "tau_m=20 has the wrong unit; write it like tau_m="),
        ({"threshold": 5 * ms}, "has the wrong unit"),
        ({"tau": 20 * ms}, "unknown parameter of lif_current 'tau'.*Known: .*tau_m"),
        ({"tau_m": 0 * ms}, "a time constant positive"),
        ({"tau_m": -5 * ms}, "a time constant positive"),
        ({"rest": np.nan * mV}, "one finite number"),
        ({"rest": [1, 2] * mV}, "one finite number"),
        ({"rest": "-70 mV"}, "is not a number; write it like rest="),
        ({"rest": -70j * mV}, "is not a number; write it like rest="),
        ({"rest": None}, "is not a number|has the wrong unit"),
        ({"t_ref": -2 * ms}, "one finite number, and a time constant positive"),
        ({"tau_m": np.inf * ms}, "one finite number"),
    ],
    ids=str,
)
def test_a_wrong_parameter_is_refused(changes: dict[str, Any], message: str):
    with pytest.raises(WrongUse, match=message):
        lif_current(**changes)


def test_changing_a_parameter_leaves_the_original_alone():
    other = lif_current(tau_m=5 * ms)
    assert other.parameters["tau_m"] == 5 * ms and lif_current.parameters["tau_m"] == 20 * ms


def test_an_unknown_neuron_is_answered_with_the_known_ones():
    with pytest.raises(WrongUse, match="unknown neuron 'lif'.*lif_adaptive, lif_conductance, lif_current"):
        NEURONS["lif"]


@pytest.mark.parametrize("neuron", NEURONS.values(), ids=NEURONS)
def test_every_neuron_explains_each_of_its_parameters_and_cites_its_source(neuron: Neuron):
    assert neuron.meaning.keys() == neuron.parameters.keys() and "doi:" in neuron.source
    assert all(f"{name} = {value}" in neuron.describe() for name, value in neuron.parameters.items())


def test_the_closed_form_is_the_textbook_number():
    # tau_m = 20 ms, 20 mV of drive over a threshold 16 mV up: T = 2 + 20 ln(20/4) ms
    assert lif_rate(20 * mV, lif_current) == pytest.approx(1e3 / (2 + 20 * np.log(5)), rel=1e-12)
    assert lif_rate(16 * mV, lif_current) == 0


def test_a_neuron_is_known_by_its_name():
    assert Neuron.from_text("lif_current") is lif_current
    with pytest.raises(WrongUse, match="unknown neuron 'lif_curent'. Did you mean 'lif_current'"):
        Neuron.from_text("lif_curent")
