"""The calcium rule follows its equation, its noise is that of the Correction, and its curve has the analytic probabilities."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from brian2 import Hz, ms, second
from scipy.special import erf

from plasticity import protocols
from plasticity.calcium_transitions import fraction_above, strength, transitions
from plasticity.engine import Program, canonical
from plasticity.errors import WrongUse
from plasticity.networks.network import build
from plasticity.networks.paired_synapses import PairedSynapses
from plasticity.records import Record
from plasticity.rules import Landing
from plasticity.rules.calcium import calcium
from simulations.calcium_rule import FREE, CalciumRule
from simulations.figures import draw_all
from simulations.frame.execute import from_configuration

STEP = 1e-4
NOISELESS = {name: calcium(name)(sigma=0.0) for name in calcium.presets}


def plain_loop(rule, pre, post, rho, steps):
    """rho after each step, spike by spike, in plain Python; spike times in steps of STEP."""
    p = {name: float(value) for name, value in rule.parameters.items()}
    arrivals = {t + round(p["D"] / STEP) for t in pre}
    keep, ca = np.exp(-STEP / p["tau_ca"]), 0.0
    history = []
    for n in range(steps):
        ca = ca * keep + p["Cpre"] * (n in arrivals) + p["Cpost"] * (n in post)
        slope = -rho * (1 - rho) * (p["rho_star"] - rho)
        if ca > p["theta_p"]:
            slope += p["gamma_p"] * (1 - rho)
        if ca > p["theta_d"]:
            slope -= p["gamma_d"] * rho
        rho += slope * STEP / p["tau"]
        history.append(rho)
    return history


@pytest.mark.full
@pytest.mark.parametrize("start", [0.0, 0.4, 1.0])
def test_without_noise_brian2_agrees_with_a_plain_loop(start):
    rng = np.random.default_rng(3)
    lags = np.array([-31.7, -5.0, 0.0, 8.3])
    pre, post = protocols.pairs(lags * ms, 4, 20 * Hz, 0.1 * ms)
    extra = np.sort(rng.choice(np.arange(2300, 2600), 12, replace=False)) * STEP * second  # a burst, so that calcium adds up
    pre, post = [np.append(t, extra[:6]) * second for t in pre], [np.append(t, extra[6:]) * second for t in post]
    rule = NOISELESS["DP"](tau=1 * second)  # faster than the paper's 150 s: the weights move
    last = max(float(t[-1]) for t in (*pre, *post))
    until = (round(last / STEP) + 2) * STEP * second
    change = protocols.weight_change(rule, pre, post, landing=FREE, w=start, until=until)
    for k in range(len(lags)):
        spikes = ({round(float(t) / STEP) for t in side[k]} for side in (pre, post))
        expected = plain_loop(rule, *spikes, start, round(last / STEP) + 2)[-1] - start
        # the same operations in another order: rounding of 2600 steps
        assert change[k] == pytest.approx(expected, abs=1e-9)
    assert np.abs(change).max() > 0.05


@pytest.mark.full
def test_calcium_of_a_presynaptic_spike_comes_after_the_delay():
    for delay in (0.0, 13.7):
        rule = calcium(sigma=0.0, Cpost=0.0, Cpre=5.0, gamma_d=0.0, tau=1 * second, D=delay * ms)
        for seconds, moved in ((0.010 + delay / 1000, False), (0.0104 + delay / 1000, True)):
            spec = PairedSynapses(rule, ((0.0102,),), ((0.5,),), 1, seconds, FREE)
            w = Program(build, spec, None, {}).run(0, spec.values() | {"w": 0.0})["w"]
            assert bool(w[0] != 0) == moved, (delay, seconds)


# The analytic solution


def test_the_fraction_of_time_above_a_threshold_is_that_of_a_fine_sum():
    rng = np.random.default_rng(4)
    for _ in range(20):
        period, tau = rng.uniform(0.03, 0.5), 0.02
        times, amounts = rng.uniform(-0.2, 0.5, 3), rng.uniform(0.3, 2.0, 3)
        at = (np.arange(200_000) + 0.5) / 200_000 * period
        total = sum(
            a * np.exp(-((at - t) % period) / tau) / (1 - np.exp(-period / tau)) for t, a in zip(times, amounts, strict=True)
        )
        for threshold in (0.6, 1.3):
            # each crossing of the threshold is found to half a step of 1/200000 of the period
            found = fraction_above(threshold, times, amounts, tau, period)
            assert found == pytest.approx((total > threshold).mean(), abs=3e-5)


def test_transients_at_the_same_moment_add_up():
    expected = 0.02 * np.log(3 / (1 - np.exp(-50)) / 1.5)
    assert fraction_above(1.5, (0.1, 0.1), (1.0, 2.0), 0.02, 1.0) == pytest.approx(expected, rel=1e-12)
    assert fraction_above(1.5, (0.1, 1.1), (2.0, 1.0), 0.02, 1.0) == pytest.approx(expected, rel=1e-12)
    assert fraction_above(3.5, (0.1, 0.1), (1.0, 2.0), 0.02, 1.0) == 0.0
    assert fraction_above(0.1, (0.0, 0.5), (9e30, 9e30), 0.02, 1.0) == 1.0


def pulsed(rule, lag, pairs, start):
    """Mean and variance of rho under the transients themselves, one pair in a second, without the cubic term; by Euler."""
    p = {name: float(value) for name, value in rule.parameters.items()}
    dt, mean, variance = 2e-5, start, 0.0
    t = np.arange(round(0.3 / dt)) * dt  # what is above a threshold, ends within 0.3 s; the rest of a second changes nothing
    first = min(p["D"], lag)
    ca = sum(
        c * (t >= at - first - dt / 2) * np.exp(-(t - at + first) / p["tau_ca"])
        for c, at in ((p["Cpre"], p["D"]), (p["Cpost"], lag))
    )
    up, down = ca > p["theta_p"], ca > p["theta_d"]
    pull = (p["gamma_p"] * up + p["gamma_d"] * down) * dt / p["tau"]
    push = p["gamma_p"] * up * dt / p["tau"]
    noise = p["sigma"] ** 2 * (up * 1.0 + down) * dt / p["tau"]
    for _ in range(pairs):
        for a, b, c in zip(pull[down | up], push[down | up], noise[down | up], strict=True):
            mean += b - a * mean
            variance += c - 2 * a * variance
    return mean, variance


@pytest.mark.parametrize("lag", [-0.02, 0.01])
def test_the_analytic_probabilities_are_those_of_the_transients_but_for_the_averaging(lag):
    rule = calcium("DP")
    U, D, from_down, from_up = transitions(rule, lag, 1.0, 60)
    for start, probability, mean_there, sign in ((0.0, U, from_down, 1), (1.0, D, from_up, -1)):
        mean, variance = pulsed(rule, lag, 60, start)
        exact = (1 + sign * erf((mean - 0.5) / np.sqrt(2 * variance))) / 2
        assert mean == pytest.approx(mean_there, abs=0.005)  # potentiation ends before depression does, in every pair
        assert probability == pytest.approx(exact, abs=0.01)  # the same for the probabilities
    # the noise as first printed, once where any threshold is exceeded, has the variance of alpha_d alone; U tells them apart
    fractions = [fraction_above(rule.parameters[name], (0.0137, lag), (1.0, 2.0), 0.02, 1.0) for name in ("theta_d", "theta_p")]
    printed = rule(sigma=rule.parameters["sigma"] * np.sqrt(fractions[0] / sum(fractions)))
    assert abs(transitions(printed, lag, 1.0, 60)[0] - U) > 0.02


def test_strength_counts_up_synapses_b_times():
    assert strength(0.0, 0.0, 0.5, 5.0) == 1.0
    assert strength(1.0, 0.0, 0.5, 5.0) == pytest.approx(5 / 3, rel=1e-15)  # all UP: 5 where (1 + 5)/2 were
    assert strength(0.0, 1.0, 0.5, 5.0) == pytest.approx(1 / 3, rel=1e-15)
    assert strength(0.3, 0.3, 0.5, 5.0) == pytest.approx(1.0, rel=1e-15)


def test_each_preset_has_the_curve_that_its_name_says():
    lags = np.arange(-40, 41) / 1000
    curves = {}
    for name in calcium.presets:
        values = np.array([strength(*transitions(calcium(name), lag, 1.0, 60)[:2], 0.5, 5.0) for lag in lags])
        signs = [int(s) for s in np.sign(np.round(values - 1, 2)) if s]
        curves[name] = "".join("DP"[s > 0] for k, s in enumerate(signs) if k == 0 or s != signs[k - 1])
    expected = {"DP": "DP", "DPD": "DPD", "DPD_prime": "DPD", "P": "P", "D": "D", "D_prime": "D"}
    assert curves == expected


def test_where_calcium_reaches_no_threshold_nothing_happens():
    assert transitions(calcium("D"), 0.1, 1.0, 60) == (0.0, 0.0, 0.0, 1.0)


# The noise


@pytest.mark.full
def test_the_variance_grows_with_twice_sigma_squared_above_both_thresholds_and_once_above_one():
    copies = 4000
    for theta_p, times in ((1.3, 2), (50.0, 1)):
        rule = calcium(Cpre=0.0, Cpost=20.0, gamma_p=0.0, gamma_d=0.0, theta_p=theta_p, tau=1 * second, D=0 * ms)
        spec = PairedSynapses(rule, ((0.4,),), ((0.001,),), copies, 0.021, FREE)
        w = Program(build, spec, None, {}).run(5, spec.values() | {"w": 0.5})["w"]
        expected = times * 2.8284**2 * 0.020
        # a variance of 4000 samples has the relative standard error 2.2 %: 4 of these. The cubic term adds less than 1 %.
        assert w.var() == pytest.approx(expected, rel=0.1), theta_p


# The simulation

FAST = CalciumRule(lags=(-20.0, 10.0), synapses=600, pairs=20, frequency=20.0)


@pytest.fixture(scope="module")
def ended():
    """One seed and one run without noise, on Brian2's NumPy target: no compiling for a second of simulated time."""
    spec = FAST.network()
    start = np.tile(np.repeat([0.0, 1.0], FAST.synapses), len(FAST.lags))
    noisy = Program(build, spec, None, {}).run(0, spec.values() | {"w": start})["w"]
    quiet_spec = dataclasses.replace(spec, copies=2)
    inputs = spec.values() | {"synapses.sigma": 0.0, "w": np.tile([0.0, 1.0], len(FAST.lags))}
    quiet = Program(build, quiet_spec, None, {}).run(0, inputs)["w"]
    return noisy.reshape(1, len(FAST.lags), 2, FAST.synapses), quiet.reshape(len(FAST.lags), 2)


@pytest.mark.full
def test_simulated_transitions_have_the_analytic_probabilities(ended):
    rho, quiet = ended
    for k, lag in enumerate(FAST.lags):
        U, D, *means = transitions(calcium("DP"), lag / 1000, FAST.frequency, FAST.pairs)
        found = (rho[0, k, 0] > 0.5).mean(), (rho[0, k, 1] < 0.5).mean()
        for ours, theory in zip(found, (U, D), strict=True):
            error = np.sqrt(theory * (1 - theory) / FAST.synapses)
            # 3.5 standard errors, and 0.03 for 20 pairs at 20 Hz: the first of them meets no calcium of earlier ones
            assert abs(ours - theory) < 3.5 * error + 0.03
        np.testing.assert_allclose(quiet[k], means, rtol=0, atol=0.03)
    assert rho.std(axis=3).min() > 0.05  # the noise is there


def planted(U, D, seeds=10, synapses=50):
    rng = np.random.default_rng(6)
    up, down = (rng.random((seeds, len(U), synapses)) < np.asarray(p)[:, None] for p in (U, D))
    return np.stack([np.where(up, 1.0, 0.0), np.where(down, 0.0, 1.0)], axis=2)


def test_the_checks_hold_where_they_are_true_and_only_there():
    made = CalciumRule(synapses=50)
    U, D, low, high = np.array([transitions(calcium("DP"), lag / 1000, 1.0, 60) for lag in made.lags]).T
    quiet = np.stack([low, high], axis=1)
    good = list(made.checks(made.arrays(planted(U, D), quiet)))
    assert len(good) == 4 and all(check.holds for check in good)
    reversed_in_time = made.checks(made.arrays(planted(U[::-1], D[::-1]), quiet[::-1]))
    assert not any(check.holds for check in reversed_in_time)


def test_figures_are_drawn_from_the_record_alone(ended, tmp_path):
    arrays = FAST.arrays(np.repeat(ended[0], 3, axis=0), ended[1])
    configuration = {"settings": dataclasses.asdict(FAST)}
    Record("calcium_rule", configuration, None, FAST.numbers(arrays), arrays, 1.0, "numpy", 1, {}).save(tmp_path / "outcome")
    record = Record.load(tmp_path / "outcome")
    drawn = draw_all(from_configuration(CalciumRule, record.configuration["settings"]).figures(record.arrays))
    assert set(drawn) == {"curve"}
    assert all("ms" in axis.get_xlabel() and axis.get_ylabel() for axis in drawn["curve"].axes)


@pytest.mark.parametrize(
    "settings", [{"lags": (10.05,)}, {"lags": ()}, {"lags": (5.0, 0.0)}, {"dt_ms": 0.2}, {"lags": (0.0, 60.0), "frequency": 10.0}]
)
def test_settings_that_do_not_fit_are_refused_before_anything_is_compiled(settings):
    with pytest.raises(WrongUse, match="lags="):
        CalciumRule(**settings).outcome([0])


def test_one_compiled_program_serves_every_number_but_the_delay():
    spec = CalciumRule().network()
    other = dataclasses.replace(spec, rule=calcium(gamma_p=1.0, sigma=0.0, tau_ca=5 * ms))
    assert canonical(spec.structure()) == canonical(other.structure())
    assert spec.structure().rule.parameters["D"] == 13.7 * ms
    assert canonical(spec.structure()) != canonical(dataclasses.replace(spec, rule=calcium(D=1 * ms)).structure())
    assert spec.landing == Landing(-10, 11)
