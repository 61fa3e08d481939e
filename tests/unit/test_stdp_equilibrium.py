"""The weights go where the loop over events, the theory of diffusion and the start-independence of an equilibrium say."""

from __future__ import annotations

import numpy as np
import pytest
from brian2 import ms, second

from plasticity.engine import Program, canonical, compiler
from plasticity.errors import WrongUse
from plasticity.networks.driven_neuron import DrivenNeuron
from plasticity.networks.network import build
from plasticity.networks.poisson_pairs import PoissonPairs
from plasticity.records import Record
from plasticity.rules import Landing, pair_stdp
from plasticity.weight_equilibrium import fixed_point, fokker_planck, linear_sd
from simulations.figures import draw_all
from simulations.frame.execute import from_configuration
from simulations.soft_bounds import SoftBounds
from simulations.stdp_competition import StdpCompetition, regularity
from simulations.stdp_equilibrium import StdpEquilibrium

needs_compiler = pytest.mark.skipif(not compiler(), reason="100 s at 0.1 ms take an hour without a C++ compiler")
DT = 1e-4


# What does not run a network


def test_the_diffusion_has_its_closed_forms():
    # mu = 1, small lambda: linear noise; the corrections are of the order of lambda itself, here 0.1 %, and the grid's cells
    # of 1/2000 are a twentieth of the standard deviation.
    small = fokker_planck(1.0, 1.05, 0.001, 15.0)
    assert small.mean == pytest.approx(fixed_point(1.0, 1.05), abs=1e-4)
    assert small.sd == pytest.approx(linear_sd(fixed_point(1.0, 1.05), 1.05, 0.001), rel=3e-3)
    assert small.relaxation_s == pytest.approx(1 / (0.001 * 15**2 * 0.02 * 2.05), rel=3e-3)  # 1/(lambda r^2 tau (1 + alpha))
    # mu = 0: drift and diffusion are constant, p(w) = k exp(-k w)/(1 - exp(-k)), and the slowest mode of a diffusion between two
    # walls is (k^2/4 + pi^2) B/2; the grid of 2000 cells is good to 1e-3 of it
    drift, pairs = 0.01 * 15**2 * 0.02 * -0.05, 0.15 * (1 + 1.05**2) + 2 * (0.3 * 0.05) ** 2
    diffusion = 0.01**2 * 15 * pairs
    k = -2 * drift / diffusion
    hard = fokker_planck(0.0, 1.05, 0.01, 15.0)
    assert hard.mean == pytest.approx(1 / k - 1 / np.expm1(k), rel=1e-3)
    assert hard.relaxation_s == pytest.approx(2 / (diffusion * (k**2 / 4 + np.pi**2)), rel=1e-3)


def test_the_fixed_point_is_where_potentiation_equals_depression():
    for mu in (0.05, 0.1, 1.0, 3.0):
        w = fixed_point(mu, 1.05)
        assert (1 - w) ** mu == pytest.approx(1.05 * w**mu, rel=1e-12)
    assert fixed_point(0.0, 1.05) == 0 and fixed_point(0.0, 0.95) == 1 and fixed_point(0.0, 1.0) == 0.5
    assert fixed_point(1e-6, 1.05) == 0  # alpha^(1/mu) would overflow


def test_rate_and_cv_of_a_known_train():
    regular = np.arange(0.05, 100, 0.1)
    rate, cv = regularity(regular, 100.0)
    assert rate == 10 and cv == pytest.approx(0, abs=1e-12)  # rounding of the spike times
    rate, cv = regularity(np.sort(np.concatenate([regular, regular + 0.02])), 100.0)  # gaps of 20 and 80 ms: sd 30, mean 50
    assert rate == 20 and cv == pytest.approx(0.6, abs=2e-3)  # 399 gaps, one more of 20 than of 80 ms
    assert regularity(np.array([95.0]), 100.0)[0] == 1 / 20 and np.isnan(regularity(np.array([95.0]), 100.0)[1])


def test_one_compiled_program_serves_every_number():
    changed = {"A_plus": 0.02, "alpha": 1.2, "rate_hz": 20.0}
    driven, pairs = StdpCompetition(g_max=0.02, duration_s=30.0, **changed), SoftBounds(**changed)
    for one, two in ((SoftBounds().network(0.0), pairs.network(2.0)), (StdpCompetition().network(), driven.network())):
        assert canonical(one.structure()) == canonical(two.structure()) and one.values() != two.values()


def test_settings_that_make_no_sense_are_refused_before_anything_is_compiled():
    with pytest.raises(WrongUse, match="give each once"):
        StdpEquilibrium(mu=(0.1, 0.1)).outcome([0])
    with pytest.raises(WrongUse, match="choose a higher rate_hz"):
        StdpEquilibrium(mu=(1.0,), rate_hz=0.1).outcome([0])
    with pytest.raises(WrongUse, match="outside 0 to 10"):
        StdpEquilibrium.configure({"mu": "-0.1"})
    with pytest.raises(WrongUse, match="none, potentiate"):
        DrivenNeuron(ties="both")


# A second implementation: a loop over events. It knows the spike trains, nothing of the rule's text, and uses no trace.


def step_numbers(spikes: dict[str, np.ndarray], side: str, n: int) -> list[np.ndarray]:
    steps = np.rint(spikes[f"{side}_t"] / DT).astype(int)
    return [steps[spikes[f"{side}_i"] == k] for k in range(n)]


def left(earlier: np.ndarray, now: int, tau: float, with_now: bool = False) -> float:
    lag = now - earlier
    lag = lag[lag >= 0] if with_now else lag[lag > 0]
    return float(np.exp(-lag * DT / tau).sum())


@pytest.mark.full
@needs_compiler
@pytest.mark.parametrize("mu", [0.0, 0.1, 1.0])
def test_weights_between_given_trains_equal_a_loop_over_events(mu):
    rule = pair_stdp(A_plus=0.2, A_minus=0.23, tau_plus=15 * ms, tau_minus=25 * ms)  # large steps reach the bounds
    spec = PoissonPairs(rule=rule, landing=Landing(mu=mu), pre=400, post=1, trains=True)
    start = np.linspace(0, 1, 400)
    got = spec.program().run(4, {"pre_rate": 40.0, "post_rate": 30.0, "w": start}, duration=10 * second)
    pre, post = step_numbers(got, "pre", 400), step_numbers(got, "post", 1)
    reached = set()
    for synapse in range(0, 400, 50):
        i, j = synapse, 0
        w = start[synapse]
        events = sorted([(step, "post") for step in post[j]] + [(step, "pre") for step in pre[i]])
        assert len(events) > 500
        for step, side in events:
            if side == "post":
                w = min(w + 0.2 * (1 - w) ** mu * left(pre[i], step, 0.015), 1.0)
            else:
                w = max(w - 0.23 * w**mu * left(post[j], step, 0.025), 0.0)
            reached.add(w)
        # 1e-9: about 700 events, each good to rounding of 1e-16 and a trace of 1e5 multiplications good to 1e-11
        assert got["w"][synapse] == pytest.approx(w, abs=1e-9)
    assert mu or {0.0, 1.0} <= reached


def runge_kutta(v, ge):
    """Potential and conductance one step later."""

    def slope(y):
        return np.array([(-0.074 - y[0] - y[1] * y[0]) / 0.01, -y[1] / 0.005])

    y = np.array([v, ge])
    a = slope(y)
    b = slope(y + DT / 2 * a)
    c = slope(y + DT / 2 * b)
    return y + DT / 6 * (a + 2 * b + 2 * c + slope(y + DT * c))


@pytest.mark.full
@pytest.mark.parametrize("ties", ["none", "potentiate"])
def test_the_driven_neuron_and_its_weights_equal_a_loop_over_steps(ties):
    spec = DrivenNeuron(rule=pair_stdp(A_plus=0.02, A_minus=0.021), inputs=20, trains=True, ties=ties)
    start = np.linspace(0.1, 1, 20)
    steps = 4000
    got = Program(build, spec.structure(), None, {}).run(  # Brian2's NumPy target: nothing to compile
        2, spec.values() | {"rate": 150.0, "g_max": 0.05, "w": start}, duration=steps * DT * second
    )
    arriving: dict[int, list[int]] = {}
    for step, i in zip(np.rint(got["pre_t"] / DT).astype(int), got["pre_i"], strict=True):
        arriving.setdefault(int(step), []).append(int(i))
    w, v, ge = start.copy(), -0.074, 0.0
    pre: list[list[int]] = [[] for _ in range(20)]
    post: list[int] = []
    ties_met = 0
    for step in range(steps):
        v, ge = runge_kutta(v, ge)
        fires, now = v > -0.054, arriving.get(step, [])
        ties_met += fires * len(now)
        for side in ("pre", "post") if ties == "potentiate" else ("post", "pre"):
            if side == "pre":
                for i in now:
                    ge += 0.05 * w[i]
                    w[i] = max(w[i] - 0.021 * left(np.array(post), step, 0.02), 0.0)
                    if ties == "potentiate":
                        pre[i].append(step)
            elif fires:
                for i in range(20):
                    w[i] = min(w[i] + 0.02 * left(np.array(pre[i]), step, 0.02, with_now=True), 1.0)
        if ties == "none":
            for i in now:
                pre[i].append(step)
        if fires:
            above, rise = v + 0.054, (-0.074 + 0.054 + ge * 0.054) / 0.01  # how long ago it crossed, and where it is since then
            v = -0.06 + min(above / rise, DT) * (-0.074 + 0.06 + ge * 0.06) / 0.01
            post.append(step)
    np.testing.assert_array_equal(np.rint(got["post_t"] / DT).astype(int), post)
    assert len(post) > 10 and ties_met > 1
    np.testing.assert_allclose(got["w"], w, atol=1e-9)  # rounding only, as above


# Statistics, with fixed seeds


@pytest.mark.full
@needs_compiler
def test_trains_are_poisson_with_their_rate():
    spec = PoissonPairs(pre=400, post=1, trains=True)
    got = spec.program().run(7, {"pre_rate": 15.0, "post_rate": 40.0}, duration=50 * second)
    counts = got["pre_spikes"]
    n = counts.size
    assert counts.mean() == pytest.approx(750, abs=4 * np.sqrt(750 / n))  # 4 standard errors
    assert counts.var() / counts.mean() == pytest.approx(1, abs=4 * np.sqrt(2 / n))  # Fano factor 1: 4 standard errors
    assert got["post_spikes"][0] == pytest.approx(2000, abs=4 * np.sqrt(2000))
    steps = step_numbers(got, "pre", n)
    gaps = np.concatenate([np.diff(train) for train in steps])
    assert gaps.min() == 1  # a spike in the very next step is possible
    p = 15 * DT
    for k in (10, 100, 1000):  # geometric: P(gap > k) = (1 - p)^k, to 4 standard errors of 300,000 gaps, cut off at 50 s: 0.2 %
        expected = (1 - p) ** k
        assert (gaps > k).mean() == pytest.approx(expected, abs=4 * np.sqrt(expected * (1 - expected) / gaps.size) + 2e-3)
    first = np.array([train[0] for train in steps]) * DT
    assert first.mean() == pytest.approx(1 / 15, abs=4 / 15 / np.sqrt(n))  # from the start no preferred time: exponential


SMALL = {"inputs": 200, "g_max": 0.05, "duration_s": 100.0, "trains": 16}


@pytest.fixture(scope="module")
def whole():
    """The whole simulation, small: 200 inputs of five times the conductance for 100 s, and 16 x 16 independent trains."""
    fractions: list[float] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("simulations.soft_bounds.MUS", (0.2, 1.0))
        patch.setattr("simulations.stdp_competition.VARIANTS", {"potentiate": "ties potentiate"})
        made = StdpEquilibrium(**SMALL).outcome([0, 1, 2], 1, lambda fraction, note="": fractions.append(fraction))
    assert fractions == sorted(fractions) and fractions[-1] == pytest.approx(1)
    return made


@pytest.mark.full
@needs_compiler
def test_independent_trains_reach_the_equilibrium_of_theory_from_either_start(whole):
    failed = [check.name for check in whole.checks if check.name.startswith("mu = ") and not check.holds]
    # 256 synapses x 3 seeds x at least 13 relaxation times: standard errors of 1 % of the sd, a fifth of what is allowed
    assert not failed
    for row, half in zip(whole.numbers["pairs"], whole.arrays["half_means"], strict=True):
        assert abs(np.diff(half.mean(axis=0))[0]) < 0.005, row["mu"]
        assert row["relaxation_s"] < row["starts_within_0.05_after_s"] < 5 * row["relaxation_s"]  # ln 20 = 3 of one mode
    assert (whole.arrays["course"][:, 0] == [0, 1]).all()


@pytest.mark.full
@needs_compiler
def test_competition_makes_the_weights_bimodal_and_the_rates_are_as_set(whole):
    assert all(check.holds for check in whole.checks if check.name.startswith("rate"))
    found = whole.arrays["moments"][0, :, 0]  # (seeds, quantities)
    # uniform weights have a tenth below 0.1, a tenth above 0.9; more than these in every seed, whatever the number of inputs
    assert (found[:, 1] > 0.15).all() and (found[:, 2] > 0.13).all()
    assert not any(check.name.startswith("competition") for check in whole.checks)  # other numbers than the published: no claim


@pytest.mark.full
@needs_compiler
def test_one_mu_gives_mean_and_sd_and_the_same_bits_again():
    simulation = StdpEquilibrium(mu=(1.0,), trains=16)  # the program of the test above
    first, second_ = (simulation.outcome([5]) for _ in range(2))
    assert first.numbers["mean"] == second_.numbers["mean"] == first.numbers["pairs"][0]["mean"]
    assert 0.45 < first.numbers["mean"] < 0.52 and 0.02 < first.numbers["sd"] < 0.03
    assert "competition" not in first.numbers and "moments" not in first.arrays


@pytest.mark.full
@needs_compiler
def test_figures_are_drawn_from_the_record_alone(whole, tmp_path):
    made = Record("stdp_equilibrium", {"settings": SMALL}, None, whole.numbers, whole.arrays, 1.0, whole.backend, 1, {})
    made.save(tmp_path / "outcome")
    record = Record.load(tmp_path / "outcome")
    drawn = draw_all(from_configuration(StdpEquilibrium, record.configuration["settings"]).figures(record.arrays))
    assert set(drawn) == {"equilibrium", "settling", "weights", "rate_and_cv"}
    points = next(line for line in drawn["equilibrium"].axes[0].lines if line.get_label().startswith("ours"))
    np.testing.assert_allclose(
        points.get_ydata(), [row["mean"] for row in whole.numbers["pairs"]], rtol=1e-12
    )  # the same numbers
