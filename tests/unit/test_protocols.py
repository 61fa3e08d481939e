"""The pairing protocol, and the simulation of a rule's window that stands on it."""

from __future__ import annotations

import os
import signal
import sys

import numpy as np
import pytest
from brian2 import Hz, Network, NetworkOperation, NeuronGroup, ms, prefs, second
from brian2.devices.device import get_device, reset_device, set_device

from plasticity import extensions, pair_fit, protocols, published
from plasticity.errors import WrongUse
from plasticity.rules import RULES, Landing, Rule, calcium, pair_stdp, triplet_stdp
from plasticity.rules.rule import SPIKES
from simulations.figures import draw_all
from simulations.stdp_window import StdpWindow

RATES = Rule("rates", "", "", {}, {}, drift="dw = rate_pre", needs={"rate_pre": "its rate"})
EXACT = [name for name, rule in RULES.items() if rule.has_closed_form]
SHORT = {"repetitions": 5, "frequency": 20, "longest_lag": 20, "dt_ms": 1}


@pytest.mark.full
@pytest.mark.parametrize("name", EXACT)
def test_one_pair_changes_the_weight_by_the_closed_form_at_every_lag(name):
    rule = RULES[name]
    pre, post = protocols.pairs([-20, -10, -0.1, 0, 0.1, 10, 20] * ms, repetitions=1)
    expected = [rule.change(a / second, b / second) for a, b in zip(pre, post, strict=True)]
    change = protocols.weight_change(rule, pre, post)
    assert change == pytest.approx(expected, abs=1e-15)  # one exponential times a number below 0.1
    assert change[4] != change[3] or change[2] != change[3]  # a rule of triplets does not potentiate by a pair


def test_pairs_have_the_lag_and_the_frequency_asked_for():
    pre, post = protocols.pairs([-10, 7.5] * ms, repetitions=4, frequency=20 * Hz)
    for k, lag in enumerate((-10, 7.5)):
        assert (post[k] - pre[k]) / ms == pytest.approx([lag] * 4, abs=1e-9)  # rounding of a time of 100 ms
        assert np.diff(pre[k] / ms) == pytest.approx([50] * 3, abs=1e-9)
        assert min(pre[k]) > 0 * ms and min(post[k]) > 0 * ms


def test_the_frequency_dependence_of_triplet_stdp_comes_out_of_any_spike_times():
    """Pfister & Gerstner 2006, visual cortex, minimal, all-to-all, 60 pairs at 10, 20, 40, 50 Hz: post 10 ms after and before."""
    trains = [protocols.pairs([10, -10] * ms, 60, rate * Hz, 5 * ms) for rate in (10, 20, 40, 50)]
    pre, post = ([train for pair in trains for train in pair[side]] for side in (0, 1))
    change = protocols.weight_change(triplet_stdp("visual_cortex_all_to_all_minimal"), pre, post, dt=5 * ms)
    golden = [0.1186, -0.3322, 0.2278, -0.3417, 0.5321, 0.1737, 0.7627, 0.7492]
    assert change == pytest.approx(golden, abs=1e-4)  # printed with four digits


def test_the_change_ends_at_the_bounds():
    pre, post = protocols.pairs([-5, 5] * ms, repetitions=20, frequency=20 * Hz, dt=1 * ms)
    change = protocols.weight_change(pair_stdp(A_plus=0.1, A_minus=0.1), pre, post, landing=Landing(0, 1), w=0.25, dt=1 * ms)
    assert change == pytest.approx([-0.25, 0.75], abs=0)


def test_nothing_of_brian2_is_left_changed():
    before = prefs.codegen.target
    prefs.codegen.target = "auto"
    set_device("cpp_standalone", build_on_run=False)
    try:
        device = get_device()
        protocols.weight_change(pair_stdp, *protocols.pairs([5] * ms, 1))
        assert prefs.codegen.target == "auto" and get_device() is device
        with pytest.raises(WrongUse):
            protocols.weight_change(pair_stdp, [[5]], [[5] * ms])
        assert prefs.codegen.target == "auto" and get_device() is device
    finally:
        reset_device()
        prefs.codegen.target = before


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: protocols.pairs([5]), "unit"),
        (lambda: protocols.pairs([np.nan] * ms), "finite"),
        (lambda: protocols.pairs([5] * ms, 0), "repetitions=0"),
        (lambda: protocols.pairs([5] * ms, 1, -1 * Hz), "positive rate"),
        (lambda: protocols.pairs([5] * ms, 1, 5), "1\\*Hz"),
        (lambda: protocols.pairs([5] * ms, 1, dt=0 * ms), "dt="),
        (lambda: protocols.weight_change(pair_stdp, [[5] * ms], []), "1 and 0 trains"),
        (lambda: protocols.weight_change(pair_stdp, [[-5] * ms], [[5] * ms]), "0 s or later"),
        (lambda: protocols.weight_change(RATES, [[5] * ms], [[5] * ms]), "needs rate_pre of its neurons.*rule.synapses"),
        (lambda: protocols.weight_change(pair_stdp, [[7, 5] * ms], [[5] * ms]), "rising order"),
        (lambda: protocols.weight_change(pair_stdp, [[5, 5.01] * ms], [[5] * ms]), "smaller dt"),
        (lambda: protocols.weight_change(pair_stdp, [3, 4] * ms, [5, 6] * ms), "each synapse needs a list of spike times"),
        (lambda: protocols.weight_change(pair_stdp, ["x"], [[5] * ms]), "spike times"),
        (lambda: protocols.weight_change(pair_stdp, [[5] * ms], [[5] * ms], w=np.nan), "w=nan must be one weight within"),
        (
            lambda: protocols.weight_change(pair_stdp, [[5] * ms], [[5] * ms], landing=Landing(0, 1), w=-5),
            "within the bounds 0 and 1",
        ),
        (lambda: protocols.weight_change(calcium, [[5] * ms], [[9] * ms]), "after the last spike too.*until=2"),
        (lambda: protocols.weight_change(calcium, [[5] * ms], [[9] * ms], until=9 * ms), "before the last spike, at 0.009 s"),
        (lambda: protocols.pairs([1] * ms, 2.5), "whole number"),
        (lambda: protocols.pairs([1] * ms, True), "whole number"),
        (lambda: protocols.pairs("5 ms"), "finite times with a unit"),
        (lambda: protocols.pairs([5 + 1j] * ms), "finite times with a unit"),
        (lambda: protocols.pairs(np.array(["2020-01-01"], "datetime64[D]")), "finite times with a unit"),
        (lambda: protocols.pairs([[1, 2]] * ms), "one time for each synapse"),
        (lambda: protocols.pairs([5] * ms, 1, "fast"), "positive rate"),
        (lambda: protocols.pairs([5] * ms, 1, [1, 2] * Hz), "positive rate"),
        (lambda: protocols.frequency(10 * ms, [10, 20]), "positive rates"),
        (lambda: protocols.pairs([5] * ms, 1, dt="1 ms"), "dt=1 ms must be a positive time"),
        (lambda: protocols.pairs([5] * ms, 1, dt=np.inf * ms), "must be a positive time"),
        (lambda: protocols.poisson([10] * Hz, -1 * second, np.random.default_rng(0)), "0 s or more"),
        (lambda: protocols.poisson([10] * Hz, 1 * second, 3), "must be a NumPy generator"),
        (lambda: protocols.poisson([10j] * Hz, 1 * second, np.random.default_rng(0)), "must be rates"),
        (lambda: protocols.weight_change("pair_stdp", [[5] * ms], [[5] * ms]), "must be a Rule"),
        (lambda: protocols.weight_change(pair_stdp, [[5] * ms], [[5] * ms], landing="soft"), "must be a Landing"),
        (lambda: protocols.weight_change(pair_stdp, [[5] * ms], [[5] * ms], w=1j), "w=1j must be one weight"),
        (lambda: protocols.weight_change(pair_stdp, [[5] * ms], [[5] * ms], w="a"), "w=a must be one weight"),
        (lambda: protocols.weight_change(pair_stdp, [[5] * ms], [[5] * ms], settle=-1 * ms), "0 s or more"),
        (lambda: protocols.weight_change(pair_stdp, [[5] * ms], [[5] * ms], until="1 s"), "one finite time"),
        (lambda: protocols.weight_change(pair_stdp, [[5 + 1j] * ms], [[5] * ms]), "spike times"),
        (lambda: protocols.weight_change(pair_stdp, None, [[5] * ms]), "pre=None must hold a list of spike times"),
        (lambda: pair_fit.best_pair_rule([[5] * ms], [[9] * ms], [0.1], [0.0], (20, 20)), "sem=.*above 0"),
        (lambda: pair_fit.best_pair_rule([[5] * ms], [[9] * ms], [np.nan], [0.1], (20, 20)), "data=.*finite number"),
        (lambda: pair_fit.best_pair_rule([[5] * ms], [[9] * ms], [0.1], [0.1], (20, -20)), "two positive numbers"),
        (lambda: pair_fit.best_amplitudes([[5]], [[9]], [0.1, 0.2], [0.1, 0.2]), "each of the 1 protocols"),
    ],
)
def test_protocols_that_cannot_be_are_refused(call, words):
    with pytest.raises(WrongUse, match=words):
        call()


# ------------------------------------------------------------------------------------------------------------------ stdp_window


@pytest.mark.full
@pytest.mark.parametrize("name", EXACT)
def test_the_simulated_window_of_every_rule_is_its_closed_form(name):
    outcome = StdpWindow.configure({**SHORT, "rule": name}).outcome([0])
    assert all(check.holds for check in outcome.checks)
    assert outcome.arrays["lag_ms"] == pytest.approx(np.arange(-20, 21, 5), abs=1e-9)  # rounding of a time of 1 s
    assert np.abs(outcome.arrays["simulated"]).max() > 1e-3


def test_a_key_that_is_no_setting_is_a_parameter_of_the_rule():
    window = StdpWindow.configure({"A_plus": "0.02", "tau_plus": "10", "repetitions": "3"})
    assert window.repetitions == 3 and window.parameters == ("A_plus=0.02", "tau_plus=10")
    assert window.chosen_rule().parameters == pair_stdp(A_plus=0.02, tau_plus=10 * ms).parameters
    assert StdpWindow.configure({"parameters": window.parameters, "repetitions": 3}) == window  # as read back from a record


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"rule": "stdp"}, "Known: .*hebb, .*pair_stdp, .*triplet_stdp"),
        ({"A_pluss": "1"}, "unknown setting of stdp_window or parameter of pair_stdp 'A_pluss'.*A_plus, .*repetitions"),
        ({"A_plus": "much"}, "not a number"),
        ({"tau_plus": "long"}, "not a number of ms"),
        (
            {"rule": "oja"},
            "oja needs rate_pre, rate_post of its neurons, not spikes alone; stdp_window takes one of .*hebb",
        ),
        ({"tau_plus": "-5"}, "positive"),
        ({"preset": "visual"}, "unknown preset"),
        ({"repetitions": "0"}, "repetitions=0"),
        ({"dt_ms": "3"}, "lag_step"),
    ],
)
def test_a_window_that_cannot_be_is_refused_before_anything_runs(values, words):
    with pytest.raises(WrongUse, match=words):
        StdpWindow.configure(values)


WINDOW = {"repetitions": 2, "frequency": 20, "longest_lag": 10, "lag_step": 10, "dt_ms": 1}


def test_a_rule_without_closed_form_has_a_window_that_depends_on_the_weight_at_the_start():
    """Synaptic scaling alone, a linear equation: w grows by exp of beta times the integral of rho0 - r, whatever w is."""
    changes = []
    for w in (0.25, 0.5):
        outcome = StdpWindow.configure({**WINDOW, "rule": "synaptic_scaling", "w": w}).outcome([0])
        assert outcome.checks == [] and {"lag_ms", "simulated"} == outcome.arrays.keys()
        assert "largest_difference" not in outcome.numbers
        changes.append(outcome.arrays["simulated"] / w)
    assert changes[0] == pytest.approx(changes[1], rel=1e-9) and np.all(changes[0] > 1e-4)
    axis = draw_all(StdpWindow(**WINDOW, rule="synaptic_scaling").figures(outcome.arrays))["window"].axes[0]
    assert [line.get_label() for line in axis.lines if not line.get_label().startswith("_")] == ["simulated in Brian2"]


def test_a_rule_of_ones_own_that_depends_on_the_weight_has_a_window(tmp_path, monkeypatch):
    """dw = A w pre_trace at a postsynaptic spike: one pair changes w by w A exp(-lag/tau)."""
    (tmp_path / "own_window_rule.py").write_text(
        "from brian2 import ms\nfrom plasticity.rules import Rule, Trace\n"
        "grows = Rule(name='grows', summary='by a share of the weight', source='control', parameters={'A': 0.1, 'tau': 20*ms},"
        " meaning={'A': 'share', 'tau': 'window'}, traces=(Trace('pre_trace', 'tau'),), on_post='dw = A*w*pre_trace')\n"
    )
    monkeypatch.setenv(extensions.VARIABLE, "")
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(RULES, "_entries", dict(RULES._entries))  # as before for the tests after this one
    monkeypatch.setattr(RULES, "_seen", set(RULES._seen))
    extensions.add([tmp_path / "own_window_rule.py"])
    outcome = StdpWindow.configure({**WINDOW, "rule": "grows", "w": 2.0, "repetitions": 1}).outcome([0])
    assert outcome.arrays["simulated"] == pytest.approx([0, 0, 2 * 0.1 * np.exp(-10 / 20)], rel=1e-14)


def test_spikes_of_one_time_step_pair_neither_in_the_closed_form_nor_in_the_simulation():
    """Equal but for rounding: 0.3 and 0.1 + 0.2 (issue 13, F14)."""
    pre, post = [0.3], [0.1 + 0.2]
    assert pre != post
    for name in EXACT:
        for spikes in SPIKES:
            rule = RULES[name].with_traces(spikes)
            tie, apart = rule.change(pre, post), rule.change(pre, [0.3])
            assert tie == apart, name  # what a lone presynaptic spike does may be left
            assert rule.change(pre, post, 1 * ms) == apart, name
    assert pair_stdp.change(pre, post) == 0 == protocols.weight_change(pair_stdp, [pre * second], [post * second])[0]
    assert pair_stdp.change([0.3], [0.3 + 2e-9]) == pytest.approx(0.01, rel=1e-6)  # apart: no rounding is as large


def test_the_closed_form_rounds_times_to_steps_as_the_simulation_does():
    rng = np.random.default_rng(4)
    pre, post = (np.sort(rng.choice(400, 30, replace=False) + rng.uniform(-0.45, 0.45, 30)) / 1000 + 0.001 for _ in range(2))
    change = protocols.weight_change(pair_stdp, [pre * second], [post * second], dt=1 * ms)[0]
    assert pair_stdp.change(pre, post, 1 * ms) == pytest.approx(change, abs=1e-14)  # rounding of a sum of 900 terms
    assert abs(pair_stdp.change(pre, post) - change) > 1e-4
    with pytest.raises(WrongUse, match="same step of 1 ms"):
        pair_stdp.change([0.1, 0.1001], [0.2], 1 * ms)
    with pytest.raises(WrongUse, match="dt=1 must be a positive time"):
        pair_stdp.change(pre, post, 1)


def test_measured_cells_stand_beside_the_pair_rule_alone():
    outcome = StdpWindow.configure(SHORT).outcome([0])
    table = published.bi_poo_1998()
    assert np.array_equal(outcome.arrays["cells_change"], table["change"])
    # The fitted amplitude makes the sum of squares stationary: a second way to least squares.
    scale = {name: one["value"] / pair_stdp.parameters[name] for name, one in outcome.numbers["fit_to_cells"].items()}
    lag, change = table["lag_ms"], table["change"]
    for name, side in (("A_plus", lag >= 4), ("A_minus", lag <= -4)):
        pre, post = protocols.pairs(lag[side] * ms, 5, 20 * Hz, 1e-3 * ms)
        window = np.array([pair_stdp.change(np.asarray(a), np.asarray(b)) for a, b in zip(pre, post, strict=True)])
        assert abs(window @ (change[side] - scale[name] * window)) < 1e-12  # rounding of a sum of about 20 terms
    assert "cells_change" not in StdpWindow.configure({**SHORT, "rule": "hebb"}).outcome([0]).arrays


def test_a_parameter_takes_the_unit_of_its_default():
    rule = StdpWindow.configure({"rule": "inhibitory_stdp", "rho0": "5", "tau": "30"}).chosen_rule()
    assert rule.parameters["rho0"] == 5 * Hz and rule.parameters["tau"] == 30 * ms


def test_the_figure_shows_dots_over_the_closed_form_from_the_record_alone():
    lags = np.array([-5.0, 0.0, 5.0])
    arrays = {"lag_ms": lags, "simulated": lags / 100, "line_lag_ms": lags, "line": lags / 100}
    axis = draw_all(StdpWindow().figures(arrays))["window"].axes[0]
    assert "(ms)" in axis.get_xlabel() and "(no unit)" in axis.get_ylabel()
    dots = [line for line in axis.lines if line.get_label() == "simulated in Brian2"]
    assert np.array_equal(dots[0].get_ydata(), lags / 100)


@pytest.mark.full
def test_what_a_rule_does_after_the_last_spike_counts_until_told_and_one_synapse_does_not_matter_to_another():
    quiet = calcium("DP", sigma=0.0)
    one = protocols.weight_change(quiet, [[50] * ms], [[60] * ms], until=1 * second)
    two = protocols.weight_change(quiet, [[50] * ms, [50] * ms], [[60] * ms, [400] * ms], until=1 * second)
    assert one[0] == two[0] and one[0] != protocols.weight_change(quiet, [[50] * ms], [[60] * ms], until=70 * ms)[0]


def test_an_interrupt_ends_the_run_and_hands_back_no_half_of_it():
    """Brian2 by itself stops the run at Ctrl-C and goes on with what is there."""
    with protocols.numpy_target():
        group = NeuronGroup(1, "x : 1")
        strike = NetworkOperation(lambda: os.kill(os.getpid(), signal.SIGINT), dt=1 * ms)
        with pytest.raises(KeyboardInterrupt):
            Network(group, strike).run(5 * ms)
    assert prefs.core.stop_on_keyboard_interrupt  # as it was
