"""A late reward finds its synapse: the network against plain loops, one trial against its closed form, planted results."""

from __future__ import annotations

import json

import numpy as np
import pytest
from brian2 import Network, StateMonitor, ms, mV, second

from plasticity.engine import canonical, compiler
from plasticity.errors import WrongUse
from plasticity.networks.distal_reward import DistalReward, earned_by
from plasticity.networks.reward_expectation import RewardExpectation
from plasticity.neurons import half_steps, izhikevich
from plasticity.protocols import numpy_target
from plasticity.records import Record
from plasticity.rules import hebb, pair_stdp
from plasticity.spike_statistics import decayed, most_isolated
from simulations.distal_reward import DistalRewardSuite
from simulations.figures import draw_all
from simulations.frame.execute import from_configuration
from simulations.late_reward import CONDITIONS, LateReward, crossing
from simulations.one_trial import DELAYS_S, closed_form, one_trial
from simulations.reward_expectation import SIGNALS, RewardExpectationTask

needs_compiler = pytest.mark.skipif(not compiler(), reason="without a C++ compiler this takes minutes")
STEPS = 8000


# The neuron


def test_the_izhikevich_neuron_is_the_authors_two_half_steps():
    currents, steps = np.array([0.0, 3.0, 5.0, 10.0, 20.0]), 400
    with numpy_target():
        group = izhikevich.group(
            5, "cells", current="drive", equations="drive : volt (constant)", values={"drive": currents * mV},
            method=half_steps, namespace={}, dt=1 * ms,
        )  # fmt: skip
        group.a, group.d = [0.02, 0.02, 0.02, 0.1, 0.1] / ms, [8, 8, 8, 2, 2] * mV  # RS and FS
        monitor = StateMonitor(group, ["v", "u"], record=True, when="end", dt=1 * ms)
        Network(group, monitor).run(steps * ms, namespace={})
        membrane, recovery = (np.asarray(values / mV) for values in (monitor.v, monitor.u))
    for k, current in enumerate(currents):
        a, d = (0.02, 8.0) if k < 3 else (0.1, 2.0)
        v, u, fired = -65.0, -13.0, 0
        for step in range(steps):
            v += 0.5 * (0.04 * v * v + 5 * v + 140 - u + current)
            v += 0.5 * (0.04 * v * v + 5 * v + 140 - u + current)
            u += a * (0.2 * v - u)
            if v >= 30:
                v, u, fired = -65.0, u + d, fired + 1
            # The same operations in another unit. Each step begins from what Brian2 had, as an upstroke multiplies roundings.
            assert abs(v - membrane[k, step]) < 1e-9 and abs(u - recovery[k, step]) < 1e-9
            v, u = membrane[k, step], recovery[k, step]
        assert (fired > 0) == (current >= 5)  # it rests below a current of about 4


# The network of distal reward, on Brian2's NumPy target


@pytest.fixture(scope="module")
def small():
    """50 neurons, driven hard so that there are many pairs in little time."""
    spec = DistalReward(excitatory=40, inhibitory=10, fan_out=10, seconds=STEPS // 1000, sample=4 * second, record=True)
    w = np.ones(400)
    w[0] = 0
    inputs = {"noise": 0.024, "w": w, "w_inhibitory": 1.0, "dose": 0.5, "tonic": 0.002, "tau_d": -0.001 / np.log(0.995)}
    rows = np.zeros(10 * spec.seconds)
    rows[30] = 0.25  # and dopamine that comes anyway, at 3 s
    return spec.program(compiled=False).run(3, inputs | {"unpaired": rows}) | {"w_start": w}


def steps_of(times):
    return np.round(np.asarray(times) * 1000).astype(int)


@pytest.mark.full
def test_weights_and_eligibilities_are_those_of_a_plain_loop_over_the_spikes(small):
    source, target = small["source"], small["target"]
    fired = [[] for _ in range(STEPS)]
    for step, cell in zip(steps_of(small["spike_t"]), small["spike_i"], strict=True):
        fired[step].append(cell)
    rewards = np.bincount(steps_of(small["reward_t"]), minlength=STEPS)
    w, c, dopamine = small["w_start"].copy(), np.zeros(len(source)), 0.0
    last = np.full(50, -100_000)
    simultaneous = 0
    for step in range(STEPS):
        dopamine = dopamine * 0.995 + 0.5 * rewards[step] + (0.25 if step == 3000 else 0.0)
        now = last.copy()
        now[fired[step]] = step
        for cell in fired[step]:
            out, into = np.flatnonzero(source == cell), np.flatnonzero(target == cell)
            simultaneous += int((now[target[out]] == step).sum())
            c[out] -= 0.15 * 0.95 ** (step - now[target[out]])  # a spike of the same step depresses
            c[into] += 0.1 * 0.95 ** (step - last[source[into]] - 1)  # one step later it is worth the whole jump
        last = now
        if step % 10 == 0:
            w = np.clip(w + (0.002 + dopamine) * c, 0, 4)
            c *= 0.99
    assert simultaneous > 10 and len(small["reward_t"]) > 3 and np.ptp(w) > 0.01  # there was something to get wrong
    # one rounding for each of some thousand additions of numbers below 4
    np.testing.assert_allclose(small["w"], w, rtol=0, atol=1e-12)
    np.testing.assert_allclose(small["eligibility"], c, rtol=0, atol=1e-12)
    assert small["dopamine"][0] == pytest.approx(dopamine, abs=1e-12)


def test_each_pair_is_rewarded_once_one_to_three_seconds_later(small):
    second_cell = small["target"][0]
    assert second_cell != 0 and small["source"][0] == 0
    spikes, cells = steps_of(small["spike_t"]), small["spike_i"]
    ones, twos = spikes[cells == 0], spikes[cells == second_cell]
    pairs = [t for t in twos if (before := ones[ones <= t]).size and 0 < t - before[-1] < 20]
    rewards = steps_of(small["reward_t"])
    assert (
        len(pairs) > 5 and ((np.subtract.outer(rewards, pairs) > 1000) & (np.subtract.outer(rewards, pairs) <= 3000)).any(1).all()
    )
    # those of pairs in the last 3 s may still be on their way
    assert sum(t < STEPS - 3000 for t in pairs) <= len(rewards) <= sum(t < STEPS - 1000 for t in pairs)
    # and the recorded relays of the two are their spikes, one step late
    for k, train in enumerate((ones, twos)):
        np.testing.assert_array_equal(steps_of(small["pair_t"][small["pair_i"] == k]), train[train < STEPS - 1] + 1)


def test_every_neuron_has_its_synapses(small):
    assert (np.bincount(small["source"], minlength=50) == [10] * 40 + [0] * 10).all()
    assert small["target"].min() >= 0 and small["target"].max() < 50


def test_one_compiled_program_serves_every_number():
    other, mine = LateReward(jump=0.2, depression=1.0, dose=1.0, tonic=0.0, seconds=50), LateReward()
    assert canonical(mine.network().structure()) == canonical(other.network().structure())
    assert mine.network().values()["plastic.A_plus"] != other.network().values()["plastic.A_plus"]
    task = RewardExpectationTask()
    assert canonical(task.network().structure()) == canonical(RewardExpectationTask(100, 2.0).network().structure())


def test_rewards_at_random_times_are_as_many_and_do_not_follow_pairs():
    simulation = LateReward(seconds=100)
    given = simulation.inputs("random", 4, 37)
    assert given["dose"] == 0 and given["unpaired"].sum() == pytest.approx(37 * 0.5, abs=1e-12)
    assert not given["unpaired"][1000:].any() and not simulation.inputs("none", 4)["unpaired"].any()
    assert not np.array_equal(given["unpaired"], simulation.inputs("random", 5, 37)["unpaired"])
    with pytest.raises(WrongUse, match="reward, none, random"):
        simulation.inputs("late", 0)


# One trial


@pytest.mark.full
def test_one_trial_is_its_closed_form():
    # the sum over steps of 0.5 ms differs from the integral by half a step times 6 per second: 0.15 %
    np.testing.assert_allclose(one_trial(DELAYS_S, dt_s=0.0005), closed_form(DELAYS_S), rtol=0.0016)
    np.testing.assert_allclose(one_trial((0.1, 0.3), rule=hebb, dt_s=0.0005), closed_form((0.1, 0.3)), rtol=0.0016)
    assert closed_form(0.1) == pytest.approx(0.15081, abs=5e-6)  # as published, to its digits


@pytest.mark.full
def test_one_trial_is_the_geometric_sum_of_its_updates():
    # c and d at the k-th update after the reward: both have decayed by whole steps
    dt = 0.0005
    after = np.exp(-(np.arange(int(15 / 6 / dt) + 1)) * dt * 6).sum() * dt * np.exp(-np.asarray(DELAYS_S))
    # rounding of 5000 additions; the trace's own decay multiplies as often
    np.testing.assert_allclose(one_trial(DELAYS_S, dt_s=dt), after, rtol=1e-9)


# The task with stimuli


@pytest.mark.full
def test_the_signal_is_the_reward_less_what_was_expected_of_its_stimulus():
    spec = RewardExpectation(inputs=8, stimuli=2, trials=24, rule=pair_stdp(A_plus=1.0, A_minus=1.0))
    rng = np.random.default_rng(0)
    shown = rng.integers(2, size=24)
    rates = np.where(shown[:, None] == np.arange(8) % 2, 150.0, 20.0)
    given = {
        "rates": rates, "stimulus": shown, "wanted": (shown == 0) * 1.0, "w": np.full(8, 0.5), "jump": 0.006, "needed": 1.0,
        "rate": 0.002, "offset": 0.5, "expectation": 1.0, "memory": 5.0,
    }  # fmt: skip
    found = spec.program(compiled=False).run(1, given)
    reward, signal, fired = (found[name].ravel()[1:] for name in ("reward", "signal", "fired"))
    np.testing.assert_array_equal(reward, np.where((fired >= 1) == (shown == 0), 1, -1))
    assert 0 < (reward > 0).sum() < 24  # both happened
    mean, visits = np.zeros(2), np.zeros(2)
    for s, r, given_signal in zip(shown, reward, signal, strict=True):
        expected = mean[s] if visits[s] else r + 0.5
        assert given_signal == pytest.approx(r + 0.5 - expected, abs=1e-12)  # a few roundings of numbers near 1
        visits[s] += 1
        mean[s] += (r + 0.5 - mean[s]) / min(visits[s], 5)


def test_all_signals_see_the_same_stimuli_and_differ_in_nothing_else():
    simulation = RewardExpectationTask(trials=40)
    first = simulation.inputs(SIGNALS[0], 3)
    for signal in SIGNALS[1:]:
        given = simulation.inputs(signal, 3)
        differing = {name for name in first if not np.array_equal(first[name], given[name])}
        assert differing <= {"offset", "expectation"}
        assert ("offset" in differing) == ("constant" in signal) and ("expectation" in differing) == ("expected" in signal)
    assert set(np.bincount(first["stimulus"].astype(int))) == {10}


# Judgement and figures, on planted results


def planted(seeds=10, seconds=3600, found_at=1500, others=0.18, lost=0.4, kept=0.0):
    rng = np.random.default_rng(3)
    time = np.arange(seconds + 1)
    arrays = {}
    for condition, n in zip(CONDITIONS, (seeds, 3, 3), strict=True):
        rise = np.clip(time / found_at, 0, 1) if condition == "reward" else 0.0 * time
        arrays[f"{condition}_chosen"] = np.clip(rise + rng.uniform(-0.02, 0.02, (n, seconds + 1)), 0, 1)
        arrays[f"{condition}_others"] = np.linspace(0.25, others, 13) + rng.normal(0, 0.002, (n, 1))
        arrays[f"{condition}_histogram"] = np.tile(np.diff(1 - np.exp(-8 * np.linspace(0, 1, 41))), (n, 1))
        arrays[f"{condition}_rate_hz"] = np.full(n, 1.2)
        arrays[f"{condition}_rewards"] = np.full(n, 200)
    arrays["pair_t"], arrays["pair_i"], arrays["reward_t"] = np.array([8.0, 8.006, 9.0]), np.array([0, 1, 1]), np.array([10.1])
    arrays["delay_s"], arrays["credit"] = np.array(DELAYS_S), closed_form(DELAYS_S)
    right = np.array([0.9, 0.9 - lost, 0.92, 0.92 - kept])
    arrays["score"] = right[:, None] + rng.normal(0, 0.01, (1, seeds))
    arrays["learning"] = np.linspace(0.5, right, 40).T[:, None, :] + np.zeros((1, seeds, 1))
    return arrays


def failing(**changes):
    return {check.name.split(",")[0] for check in DistalRewardSuite().checks(planted(**changes)) if not check.holds}


def test_every_statement_holds_where_it_is_true_and_only_there():
    assert failing() == set()
    assert failing(found_at=800) == failing(found_at=2600) == {"median first crossing of 0.9 w_max (s)"}
    assert failing(others=0.3) == {"mean of the other excitatory weights / w_max"}
    assert failing(lost=0.0) == {"a constant of 1 breaks R"}
    assert failing(kept=0.05) == {"with expectation the constant changes the score by at most"}
    never = failing(found_at=1e6)
    assert {"median first crossing of 0.9 w_max (s)", "seeds of 10 that end at 0.8 w_max or above"} <= never


def test_a_weight_that_never_gets_there_counts_as_infinitely_late():
    np.testing.assert_array_equal(crossing(np.array([[0.0, 0.95, 0.1], [0.0, 0.1, 0.2]])), [1, np.inf])


def test_the_reward_with_the_most_room_and_the_pairs_that_it_may_have_come_of():
    assert most_isolated(np.array([1.0, 5.0, 9.5, 11.0])) == 5.0  # 4 s before it and 4.5 s behind
    ones, twos = np.array([7.0, 7.99, 8.5, 9.1]), np.array([7.005, 8.0, 8.52, 9.11])
    # by a reward at 10.05 s: not 7.005, more than 3 s before; nor 8.52, 20 ms after its partner; nor 9.11, less than 1 s before
    assert earned_by(10.05, ones, twos) == [(7.99, 8.0)]


def test_what_is_left_of_events_decays_from_each_of_them():
    left = decayed(np.array([0.0, 1.0, 2.0]), np.array([1.0, 1.5]), 0.5)
    np.testing.assert_allclose(left, [0, 1, np.exp(-2) + np.exp(-1)], rtol=1e-15)


def test_figures_are_drawn_from_the_record_alone(tmp_path):
    arrays, made = planted(), DistalRewardSuite(tonic=0.003)
    settings = {"tonic": 0.003, "dose": 0.5, "trials": 2000}
    numbers = json.loads(json.dumps(made.numbers(arrays)))
    record = Record("distal_reward", {"settings": settings}, None, numbers, arrays, 1.0, "numpy", 1, {})
    record.save(tmp_path / "outcome")
    found = Record.load(tmp_path / "outcome")
    drawn = draw_all(from_configuration(DistalRewardSuite, found.configuration["settings"]).figures(found.arrays))
    assert set(drawn) == {"target_weight", "weights_at_the_end", "one_reward", "one_trial", "reward_expectation"}
    for name, figure in drawn.items():
        for axis in figure.axes:
            assert axis.get_xlabel() or not any(label.get_visible() for label in axis.get_xticklabels()), name


@needs_compiler
@pytest.mark.slow
def test_a_short_run_ends_in_numbers_and_the_same_seed_gives_the_same_bits():
    simulation = DistalRewardSuite(seconds=20, control_seeds=1, trials=100)
    fractions: list[float] = []
    made = simulation.outcome([0, 1], 2, lambda fraction, note="": fractions.append(fraction))
    assert fractions == sorted(fractions) and fractions[-1] == 1
    again = simulation.outcome([1])
    np.testing.assert_array_equal(again.arrays["reward_chosen"][0], made.arrays["reward_chosen"][1])
    np.testing.assert_array_equal(again.arrays["score"][:, 0], made.arrays["score"][:, 1])
    assert 0.5 < made.arrays["reward_rate_hz"].mean() < 3  # it fires by itself, at about 1 Hz
