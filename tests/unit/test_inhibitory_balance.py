"""Inhibitory plasticity: its fixed point, its network against a plain loop, and what the simulation measures."""

from __future__ import annotations

from dataclasses import replace
from math import exp

import numpy as np
import pytest
from brian2 import Hz, ms, second, volt
from brian2 import seed as brian2_seed

from plasticity import protocols
from plasticity.engine import canonical, compiler
from plasticity.errors import WrongUse
from plasticity.networks.balanced import Balanced
from plasticity.networks.network import build
from plasticity.records import Record
from plasticity.rules import Landing, inhibitory_stdp
from plasticity.spike_statistics import correlation, intervals_cv, seen_rate
from simulations.figures import draw_all
from simulations.inhibitory_balance import InhibitoryBalance

needs_compiler = pytest.mark.skipif(not compiler(), reason="seconds of network time take minutes without a C++ compiler")
SMALL = InhibitoryBalance(
    excitatory=160, inhibitory=40, p=0.3, w_E_nS=0.9, rho0_hz=(3.0, 5.0), before_s=1, learning_s=8, after_s=3, eta=0.05
)


def poisson(rng, rate, seconds):
    return np.sort(rng.uniform(0, seconds, rng.poisson(rate * seconds)))


# The rule


def by_events(pre, post, w, w_min, w_max, eta=0.01, tau=0.02, rho0=3.0):
    """One synapse, spike after spike: no trace, the sum over all earlier spikes of the other side at each of them."""
    for time, is_pre in sorted([(t, True) for t in pre] + [(t, False) for t in post]):
        paired = sum(exp(-(time - other) / tau) for other in (post if is_pre else pre) if other < time)
        w = min(max(w + eta * (paired - 2 * rho0 * tau * is_pre), w_min), w_max)
    return w


@pytest.mark.full
@pytest.mark.parametrize("bounds", [(-1e9, 1e9), (0.0, 0.06)])
def test_a_loop_over_events_gives_the_same_weights_as_brian2(bounds):
    rng, step = np.random.default_rng(0), 1e-4
    pre, post = ([np.unique(rng.integers(1, 8000, 40)) * step for _ in range(6)] for _ in range(2))
    post = [np.setdiff1d(b.round(4), a.round(4)) for a, b in zip(pre, post, strict=True)]
    found = protocols.weight_change(
        inhibitory_stdp, [t * second for t in pre], [t * second for t in post], landing=Landing(*bounds), w=0.03
    )
    expected = [by_events(a, b, 0.03, *bounds) - 0.03 for a, b in zip(pre, post, strict=True)]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9)  # rounding of about 80 changes of size 0.01 is below 1e-15
    assert np.abs(found).min() > 1e-3  # the weights moved


@pytest.mark.parametrize("rho0", [3.0, 5.0])
def test_independent_poisson_trains_drift_to_the_target_rate_from_either_side(rho0):
    # dw/dt = 2 eta tau r_pre (r_post - rho0), exactly 0 at r_post = rho0 whatever r_pre
    rng, seconds, rule = np.random.default_rng(1), 40.0, inhibitory_stdp(rho0=rho0 * Hz)
    for r_pre in (4.0, 12.0):
        for r_post in (rho0 - 1.5, rho0, rho0 + 1.5):
            changes = [rule.change(poisson(rng, r_pre, seconds), poisson(rng, r_post, seconds)) for _ in range(150)]
            drift, error = np.mean(changes) / seconds, np.std(changes) / np.sqrt(150) / seconds
            expected = 2 * 0.01 * 0.02 * r_pre * (r_post - rho0)
            assert abs(drift - expected) < 4 * error  # 4 standard errors; ends of the trains cost 0.02/40 = 0.05 % of the pairs
            if r_post != rho0:
                assert np.sign(drift) == np.sign(r_post - rho0) and abs(drift) > 4 * error


def test_the_window_is_symmetric_and_every_presynaptic_spike_costs_alpha():
    rule = inhibitory_stdp(eta=0.1, tau=10 * ms, rho0=5 * Hz)  # alpha = 0.1
    for lag in (-0.01, 0.01):
        assert rule.change(np.array([0.5]), np.array([0.5 + lag])) == pytest.approx(0.1 * (exp(-1) - 0.1), abs=1e-15)  # rounding
    assert rule.change(np.array([0.5]), np.array([])) == pytest.approx(-0.01, abs=1e-17)
    assert rule.change(np.array([]), np.array([0.5])) == 0


# The network


def by_loop(connections, v, w, steps, learn_from, learn_until, rho0=3.0):
    """The network of `Balanced` as a plain loop over time steps and synapses: numbers in nS, mV and ms.

    Order in a step: Euler step, spikes, learning at postsynaptic spikes, transmission and learning at presynaptic ones, resets.
    """
    dt, n = 0.1, {kind: len(x) for kind, x in v.items()}
    v = {kind: x * 1000 for kind, x in v.items()}
    g = {kind: np.zeros((2, size)) for kind, size in n.items()}  # excitatory and inhibitory, nS
    last = {kind: np.full(size, -(10**6)) for kind, size in n.items()}
    trace, w = {kind: np.zeros(size) for kind, size in n.items()}, w.copy()
    count = {kind: np.zeros(size, dtype=int) for kind, size in n.items()}
    strength = {"EE": 0.3, "EI": 0.3, "II": 3.0}
    for k in range(steps):
        spiking = {}
        for kind in n:
            free = k - last[kind] >= 50  # 5 ms
            ge, gi = g[kind]
            slope = (10 * (-60 - v[kind]) + ge * (0 - v[kind]) + gi * (-80 - v[kind]) + 200) / 200  # pA/pF = mV/ms
            v[kind] = np.where(free, v[kind] + dt * slope, v[kind])
            g[kind] = g[kind] * (1 - dt / np.array([[5.0], [10.0]]))
            trace[kind] = trace[kind] * (1 - dt / 20)
            spiking[kind] = np.flatnonzero((v[kind] > -50) & free)
            last[kind][spiking[kind]] = k
        learning = learn_from <= k < learn_until
        pre, post = connections["IE"]
        for s in np.flatnonzero(np.isin(post, spiking["E"])) if learning else ():
            w[s] = min(max(w[s] + 0.01 * trace["I"][pre[s]], 0), 100)
        for s in np.flatnonzero(np.isin(pre, spiking["I"])):
            g["E"][1, post[s]] += w[s]
            if learning:
                w[s] = min(max(w[s] + 0.01 * (trace["E"][post[s]] - 2 * rho0 * 0.02), 0), 100)
        for pair, nS in strength.items():
            source, target = connections[pair]
            for s in np.flatnonzero(np.isin(source, spiking[pair[0]])):
                g[pair[1]][int(pair[0] == "I"), target[s]] += nS
        for kind in n:
            v[kind][spiking[kind]] = -60
            trace[kind][spiking[kind]] += 1
            count[kind][spiking[kind]] += 1
    return w, v, count


@pytest.mark.full
def test_a_plain_loop_gives_the_same_network_as_brian2():
    spec = Balanced(60, 15, 0.3, recorded_E=60, recorded_I=15, sample=50 * ms)
    rng, steps = np.random.default_rng(2), 2000
    v = {"E": rng.uniform(-0.06, -0.05, 60), "I": rng.uniform(-0.06, -0.05, 15)}
    with protocols.numpy_target():
        brian2_seed(3)
        network = build(spec).network
        plastic = network["plastic"]
        for kind, start in v.items():
            network[kind].v = start * volt
        plastic.w = 1.5
        plastic.learn_from, plastic.learn_until = 50 * ms, 180 * ms
        network.run(steps * 0.1 * ms, namespace={})
        found = np.array(plastic.w)
        connections = {pair: (np.array(network[pair].i), np.array(network[pair].j)) for pair in ("EE", "EI", "II")}
        connections["IE"] = np.array(plastic.i), np.array(plastic.j)
        w, potential, count = by_loop(connections, v, np.full(len(found), 1.5), steps, 500, 1800)
        # One network, one order of additions per neuron and step up to rounding: no spike differs, so nothing can grow apart.
        np.testing.assert_allclose(found, w, rtol=0, atol=1e-9)
        np.testing.assert_array_equal(np.array(network["E"].count), count["E"])
        np.testing.assert_allclose(np.array(network["E"].v) * 1000, potential["E"], rtol=0, atol=1e-9)
        onto = np.bincount(connections["IE"][1], w, minlength=60)
        np.testing.assert_allclose(np.array(network["E"].inhibition), onto, rtol=1e-12)  # weights were held at the last sample
    assert count["E"].sum() > 500 and np.abs(found - 1.5).max() > 0.01  # it fired and learned
    assert connections["IE"][0].size == pytest.approx(0.3 * 900, abs=60)  # 4 sd of the binomial: 55


def test_one_compiled_program_serves_every_number():
    other = InhibitoryBalance(excitatory=160, inhibitory=40, p=0.3, eta=0.5, tau_ms=10.0, w_E_nS=1.0, learning_s=3)
    assert canonical(SMALL.network(3.0).structure()) == canonical(other.network(7.0).structure())
    assert SMALL.network(3.0).values() != other.network(7.0).values()


def test_what_cannot_be_is_refused():
    with pytest.raises(WrongUse, match="record at most"):
        Balanced(10, 5, recorded_E=11, recorded_I=5)
    with pytest.raises(WrongUse, match="above 0"):
        Balanced(p=0.0)
    with pytest.raises(WrongUse, match="multiple of dt"):
        Balanced(sample=0.25 * ms)
    with pytest.raises(WrongUse, match="--set rho0_hz=3,5"):
        InhibitoryBalance(rho0_hz=(5.0, 3.0)).outcome([0])


# What is measured


def test_a_clock_has_cv_0_a_poisson_process_1_and_few_spikes_none():
    rng = np.random.default_rng(4)
    trains = [np.arange(0, 400, 0.25), poisson(rng, 4, 400), np.arange(5.0)]
    which, when = np.repeat(np.arange(3), [len(t) for t in trains]), np.concatenate(trains)
    order = rng.permutation(len(when))
    cv = intervals_cv(which[order], when[order], 4, 0, 400)
    assert cv[0] == pytest.approx(0, abs=1e-9)  # rounding of differences of times up to 400 s
    assert cv[1] == pytest.approx(1, abs=4 / np.sqrt(1600))  # the error of a CV of 1 from 1600 intervals is 1/sqrt(1600)
    assert np.isnan(cv[2:]).all()


def test_correlation_is_1_for_one_train_and_0_for_independent_ones():
    rng, n = np.random.default_rng(5), 50
    one = poisson(rng, 20, 10)
    same = np.repeat(np.arange(n), len(one)), np.tile(one, n)
    assert correlation(*same, n, 0, 10) == pytest.approx(1, abs=1e-12)  # rounding
    trains = [poisson(rng, 20, 10) for _ in range(n)]
    own = np.repeat(np.arange(n), [len(t) for t in trains]), np.concatenate(trains)
    # One pair's correlation scatters with 1/sqrt(2000 bins), the mean of 1225 pairs with a 35th of it: 6e-4, four times of which.
    assert abs(correlation(*own, n, 0, 10)) < 2.6e-3
    assert np.isnan(correlation(np.array([0]), np.array([0.5]), n, 0, 1))


def test_the_rate_seen_by_the_rule_is_the_sum_over_pairs():
    rng, dt, tau, shape = np.random.default_rng(6), 1e-4, 0.02, (3, 4)
    trains = [[np.unique(rng.integers(0, 20000, 30)) * dt for _ in range(size)] for size in shape]
    packed = []
    for side in trains:
        which, when = np.repeat(np.arange(len(side)), [len(t) for t in side]), np.concatenate(side)
        order = np.argsort(when, kind="stable")
        packed.append((which[order], when[order]))
    connected = rng.random(shape) < 0.5
    seen = seen_rate(packed[0], packed[1], connected, (0.0, 2.0), tau, dt)

    def expected(pairs):
        total = weight = product = 0.0
        for i, j in zip(*np.nonzero(pairs), strict=True):
            lag = np.abs(np.subtract.outer(trains[0][i], trains[1][j]))
            total += np.exp(-lag / tau)[lag > dt / 2].sum()
            weight += len(trains[0][i])
            product += len(trains[0][i]) * len(trains[1][j])
        return total / (2 * tau * weight), product / weight / 2.0

    assert seen[0] == pytest.approx(expected(connected)[0], rel=1e-9)  # rounding of some hundred exponentials
    assert seen[1] == pytest.approx(expected(~connected)[0], rel=1e-9)
    assert seen[2] == pytest.approx(expected(connected)[1], rel=1e-12)


def planted(rate, seen, cv, before, after, seeds=4, seconds=30):
    rng = np.random.default_rng(7)
    shape = 1, seeds
    rates = np.full((*shape, seconds), 100.0)
    rates[..., 1:] = rate + rng.normal(0, 0.01, (*shape, seconds - 1))
    synchrony = np.full((*shape, seconds), after)
    synchrony[..., 0] = before
    return {
        "rate_E": rates, "rate_I": rates, "mean_weight": np.ones((*shape, seconds)), "correlation": synchrony,
        "neuron_rate": np.full((*shape, 10), rate), "neuron_cv": np.full((*shape, 10), cv),
        "neuron_cv_before": np.full((*shape, 10), 0.01), "seen": np.tile([seen, rate, rate], (*shape, 1)),
    }  # fmt: skip


def test_every_statement_holds_where_it_is_true_and_only_there():
    short = InhibitoryBalance(rho0_hz=(3.0,), before_s=1, after_s=5)
    long = replace(short, tau_ms=100.0)  # only a window that is long against the effect of a spike promises the target itself
    for planned, rate in ((short, 3.9), (long, 3.1)):
        assert [check.holds for check in planned.checks(planted(rate, 3.0, 0.9, 0.5, 0.001))] == [True] * 4
        checks = planned.checks(planted(rate, 2.6, 0.6, 0.5, 0.06))
        assert [check.holds for check in checks] == [True, False, False, False]
    for planned, rate in ((short, 2.9), (long, 3.9)):
        checks = planned.checks(planted(rate, 3.0, 0.9, 0.5, 0.001))
        assert [check.holds for check in checks] == [False, True, True, True]


# What runs the compiled network


@pytest.fixture(scope="module")
def outcome():
    fractions: list[float] = []
    made = SMALL.outcome([0, 1], 2, lambda fraction, note="": fractions.append(fraction))
    assert fractions == sorted(fractions) and fractions[-1] == 1
    return made


@pytest.mark.full
@needs_compiler
def test_inhibition_grows_and_slows_and_desynchronises_the_network(outcome):
    rate, synchrony = outcome.arrays["rate_E"], outcome.arrays["correlation"]
    assert (outcome.arrays["mean_weight"][..., 0] == SMALL.w_start).all() and (outcome.arrays["mean_weight"][..., -1] > 0.5).all()
    assert (rate[..., -SMALL.after_s :].mean(axis=-1) < rate[..., 0] / 5).all()  # at the full size: from 170 to 4 Hz
    assert (synchrony[..., -SMALL.after_s :].mean(axis=-1) < synchrony[..., 0] / 2).all()
    held = outcome.arrays["mean_weight"][..., -SMALL.after_s - 1 :]
    assert (held == held[..., :1]).all()  # nothing is learned any more


@pytest.mark.full
@needs_compiler
def test_a_higher_target_gives_a_higher_rate(outcome):
    after = outcome.arrays["rate_E"][..., -SMALL.after_s :].mean(axis=(1, 2))
    assert after[1] > after[0]


@pytest.mark.full
@needs_compiler
def test_one_seed_gives_the_same_bits_alone_and_among_parallel_runs(outcome):
    program = SMALL.network(5.0).program()
    again = SMALL.one(program, 5.0, 1, lambda fraction: None)
    for name in ("rate_E", "neuron_cv", "mean_weight", "seen", "weights"):
        np.testing.assert_array_equal(again[name], outcome.arrays[name][1, 1], err_msg=name)
    other = SMALL.one(program, 5.0, 2, lambda fraction: None)
    assert not np.array_equal(other["rate_E"], again["rate_E"])


@pytest.mark.full
@needs_compiler
def test_figures_are_drawn_from_the_record_alone(outcome, tmp_path):
    settings = {"before_s": SMALL.before_s, "learning_s": SMALL.learning_s, "after_s": SMALL.after_s}
    made = Record(
        "inhibitory_balance", {"settings": settings}, None, outcome.numbers, outcome.arrays, 1.0, outcome.backend, 2, {}
    )
    made.save(tmp_path / "outcome")
    drawn = draw_all(SMALL.figures(Record.load(tmp_path / "outcome").arrays))
    assert set(drawn) == {"raster", "time_course", "distributions", "fixed_point"}
    line = drawn["time_course"].axes[0].lines[0]
    np.testing.assert_allclose(line.get_ydata(), outcome.arrays["rate_E"][0].mean(axis=0), rtol=1e-12)  # the same numbers
