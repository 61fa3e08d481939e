"""Ablations: a rule without depression or order, spikes moved before plasticity sees them, weights that no rule has learnt."""

from __future__ import annotations

import json

import numpy as np
import pytest
from brian2 import ms, second

from plasticity import displaced
from plasticity.ablations import JITTERS_MS, WEIGHTS, prototypes
from plasticity.errors import WrongUse
from plasticity.learners import DiehlCookClassifier, Guessing, SpikingClassifier, SpikingMemory
from plasticity.protocols import weight_change
from plasticity.rules import RULES, Rule, hebb, pair_stdp, synaptic_scaling, triplet_stdp
from plasticity.tasks import CuedDigits, Latencies

SPIKES = [name for name, rule in RULES.items() if rule.has_closed_form]
REVERSIBLE = [name for name in SPIKES if not RULES[name].needs and not any(t.delay for t in RULES[name].traces)]


def trains(seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return tuple(np.sort(rng.choice(400, 12, replace=False)) * 5e-4 for _ in range(2))


def simulated(rule: Rule, pre, post) -> float:
    return float(weight_change(rule, [np.asarray(pre) * second], [np.asarray(post) * second], dt=0.5 * ms)[0])


# ---- rules


@pytest.mark.parametrize("name", REVERSIBLE)
def test_a_reversed_rule_does_with_two_trains_what_the_rule_does_with_the_trains_exchanged(name):
    rule = RULES[name]
    pre, post = trains(3)
    assert rule.reversed().change(pre, post) == pytest.approx(rule.change(post, pre), rel=1e-12)
    again = rule.reversed().reversed()
    assert (again.on_pre, again.on_post, again.traces) == (rule.on_pre, rule.on_post, rule.traces)


@pytest.mark.parametrize("rule", [pair_stdp, triplet_stdp], ids=lambda rule: rule.name)
def test_the_text_of_a_reversed_rule_says_what_its_closed_form_says(rule):
    pre, post = trains(4)
    found = simulated(rule.reversed(), pre, post)
    assert found == pytest.approx(rule.change(post, pre), abs=1e-9)
    assert abs(found - rule.change(pre, post)) > 1e-4


def test_the_window_of_reversed_pair_stdp_is_mirrored():
    for lag in (-0.03, -0.005, 0.005, 0.03):
        first, second = np.array([0.1]), np.array([0.1 + lag])
        assert pair_stdp.reversed().change(first, second) == pytest.approx(pair_stdp.change(second, first))
    assert pair_stdp.reversed().change([0.1], [0.11]) < 0 < pair_stdp.reversed().change([0.11], [0.1])


def test_what_is_symmetric_stays_what_it_is():
    pre, post = trains(5)
    assert hebb.reversed().change(pre, post) == pytest.approx(hebb.change(pre, post), rel=1e-12)


@pytest.mark.parametrize("rule", [pair_stdp, triplet_stdp], ids=lambda rule: rule.name)
def test_without_depression_nothing_weakens_and_what_strengthens_stays(rule):
    pre, post = trains(6)
    up = {name: 0.0 for name in rule.parameters if name in ("A_minus", "A2_minus", "A3_minus")}
    changed = simulated(rule.without_depression(), pre, post)
    assert changed == pytest.approx(rule(**up).change(pre, post), abs=1e-9)
    assert simulated(rule.without_depression(), [0.11], [0.1]) == pytest.approx(0, abs=1e-12)


def test_of_a_sum_each_part_is_changed_with_the_parameters_of_the_sum():
    both = (pair_stdp + synaptic_scaling)(A_plus=0.03)
    assert both.reversed().parameters == both.parameters
    assert both.reversed().drift == both.drift  # a companion has no order
    assert both.reversed().on_pre == "dw = A_plus*post_trace"
    assert both.without_depression().on_pre.count("clip") == both.without_depression().drift.count("clip") == 1


@pytest.mark.parametrize(
    ("name", "why"),
    [("voltage_stdp", "it reads"), ("oja", "it changes nothing at spikes"), ("synaptic_scaling", "it changes nothing at spikes")],
)
def test_a_rule_that_has_no_other_side_cannot_be_reversed(name, why):
    with pytest.raises(WrongUse, match=f"{name} cannot be reversed: {why}"):
        RULES[name].reversed()


# ---- spikes


def random_trains(rate: float, shape: tuple[int, int, int] = (200, 100, 16)) -> np.ndarray:
    return (np.random.default_rng(0).random(shape) < rate).astype(float)


@pytest.mark.parametrize("steps", JITTERS_MS)
def test_jitter_keeps_each_trains_count_and_moves_spikes_by_what_it_says(steps):
    there = random_trains(0.2)
    moved = displaced.jittered(there, steps, np.random.default_rng(1))
    assert np.array_equal(moved.sum(axis=1), there.sum(axis=1)) and set(np.unique(moved)) == {0.0, 1.0}
    single = np.zeros((4000, 100, 1))
    single[:, 50] = 1
    lags = displaced.jittered(single, steps, np.random.default_rng(2)).argmax(axis=1).ravel() - 50.0
    wide = np.random.default_rng(3).normal(0, steps, 100_000) + 50.5
    expected = np.abs((wide + 100) % 200 - 100)  # reflected at the ends of the trial
    assert abs(lags.mean()) < 4 * expected.std() / np.sqrt(4000) + 0.05  # no shift on average: nothing to compensate
    assert lags.std() == pytest.approx(expected.std(), rel=0.05)  # 1.1 % is the standard error
    assert abs(moved.mean(axis=(0, 2)) - 0.2).max() < 0.05  # a steady rate stays steady


def test_no_jitter_moves_nothing_and_what_cannot_be_is_refused():
    there = random_trains(0.3)
    assert np.array_equal(displaced.jittered(there, 0.0, np.random.default_rng(1)), there)
    with pytest.raises(WrongUse, match="finite number of time steps"):
        displaced.jittered(there, -1.0, np.random.default_rng(1))
    with pytest.raises(WrongUse, match="trials, steps, neurons"):
        displaced.shuffled(there[0], np.random.default_rng(1))


def test_shuffling_keeps_counts_and_nothing_of_the_times():
    there = np.zeros((500, 100, 4))
    there[:, :10] = 1
    moved = displaced.shuffled(there, np.random.default_rng(1))
    assert np.array_equal(moved.sum(axis=1), there.sum(axis=1))
    assert abs(moved.mean(axis=(0, 2)) - 0.1).max() < 0.05


# ---- weights


@pytest.mark.parametrize("weights", WEIGHTS[2:])
def test_prototypes_are_columns_of_their_class(weights):
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1, 2], 12)
    patterns = np.eye(3)[labels] + 0.01 * rng.random((36, 3))
    found = prototypes(weights, patterns, labels, np.array([4, 4, 20]), np.random.default_rng(1))
    assert found.shape == (3, 28)
    assert np.array_equal(found.argmax(axis=0), np.repeat([0, 1, 2], [4, 4, 20]))
    if weights == "class_means":
        assert np.allclose(found[:, 0], patterns[labels == 0].mean(axis=0))
    if weights == "examples":
        assert all((patterns == column).all(axis=1).any() for column in found.T)


# ---- learners


def test_who_has_which_ablations():
    names = ["depression_off", "order_reversed", "jitter_5_ms", "jitter_20_ms", "jitter_50_ms", "rates_only", "weights_frozen"]
    names += ["weights_class_means", "weights_examples", "weights_k_means", "competition_off", "adaptation_off"]
    assert [*SpikingClassifier().ablations()] == names
    apart = ("jitter_5_ms", "jitter_20_ms", "jitter_50_ms", "weights_class_means")
    assert [*DiehlCookClassifier().ablations()] == [name for name in names if name not in apart]
    assert not Guessing().ablations() and not SpikingMemory().ablations()
    for made in (SpikingClassifier(), DiehlCookClassifier()):
        for one in made.ablations().values():
            type(made)(**one.settings).check()


@pytest.fixture(scope="module")
def draw():
    return CuedDigits(train=60, validation=20, test=40).draw(np.random.default_rng(5))


def weights(draw, **changes) -> np.ndarray:
    return SpikingClassifier(neurons_per_class=3, block=60, **changes).fit(draw.train.X, draw.train.y).weights_


@pytest.mark.full
def test_plasticity_that_is_shown_the_very_spikes_learns_the_very_weights(draw, monkeypatch):
    intact = weights(draw)
    monkeypatch.setattr(displaced, "jittered", lambda trains, steps, rng: trains)
    assert np.array_equal(weights(draw, jitter_ms=1.0), intact)


@pytest.mark.full
def test_every_ablation_of_rule_and_timing_ends_at_other_weights_and_those_of_weights_learn_nothing(draw):
    intact = weights(draw)
    made = SpikingClassifier(neurons_per_class=3).ablations()
    for name in ("order_reversed", "jitter_20_ms", "rates_only"):
        other = weights(draw, **made[name].settings)
        assert np.abs(other - intact).max() > 0.01, name
    frozen = weights(draw, weights="frozen")
    rng = np.random.default_rng([0, 1])
    start = rng.uniform(0.2, 0.8, intact.shape)
    assert np.allclose(frozen, start * np.linalg.norm(frozen, axis=0) / np.linalg.norm(start, axis=0))


@pytest.mark.full
@pytest.mark.parametrize("weights", ["frozen", "examples", "k_means"])
def test_the_network_of_diehl_and_cook_keeps_weights_that_are_not_learnt(weights):
    rng = np.random.default_rng(0)
    X, y = rng.random((40, 16)), np.arange(40) % 2
    made = DiehlCookClassifier(neurons=6, block=60, weights=weights).fit(X, y)
    assert np.allclose(made.weights_.sum(axis=0), 16 * made.weight_mean, rtol=1e-4)
    if weights == "examples":
        sums = X / X.sum(axis=1, keepdims=True) * 16 * made.weight_mean
        assert all(np.isclose(sums, column, atol=1e-4).all(axis=1).any() for column in made.weights_.T)


# ---- the task in which order is all


def test_in_latencies_every_line_fires_once_and_the_pattern_is_in_the_order():
    draw = Latencies().draw(np.random.default_rng(0))
    X, y = draw.train.X, draw.train.y
    assert X.min() >= 0.02 and X.max() <= 0.98  # above 0: the encoder fires
    means = np.array([X[y == label].mean(axis=0) for label in range(10)])
    nearest = ((draw.test.X[:, None] - means) ** 2).sum(axis=2).argmin(axis=1)
    assert (nearest == draw.test.y).mean() == 1
    assert np.ptp(np.bincount(y)) <= 1
    fewer = Latencies(train=50).draw(np.random.default_rng(0))
    assert np.array_equal(fewer.test.X, draw.test.X)


@pytest.mark.full
def test_without_order_nothing_is_learnt_of_latencies():
    task = Latencies(patterns=4, train=200, test=200)
    draw = task.draw(np.random.default_rng(102))
    made = SpikingClassifier(neurons_per_class=5, block=100).suit(task)
    assert (made.encoder, made.tau_m_ms, made.streams) == ("latency", 20.0, 1)
    assert made.fit(draw.train.X, draw.train.y).score(draw.test.X, draw.test.y) > 0.8
    blind = made.set_params(rates_only=True).fit(draw.train.X, draw.train.y)
    assert blind.score(draw.test.X, draw.test.y) < 0.25 + 4 * np.sqrt(0.25 * 0.75 / 200)  # chance is .25


# ---- the command


SMALL = ["--set", "train=40", "--set", "validation=20", "--set", "test=20", "--set", "spiking_gated.neurons_per_class=3"]


@pytest.mark.full
def test_the_command_prints_the_table_and_its_page_says_how_to_run_it_again(tmp_path, capsys):
    from simulations.command_line import main
    from simulations.frame import results

    words = ["ablate", "spiking_gated", "--task", "cued_digits", *SMALL, "--seeds", "2", "--jobs", "1"]
    words += ["--only", "order_reversed,weights_k_means", "--out", str(tmp_path / "a")]
    with pytest.raises(SystemExit) as ended:
        main([*words, "--json"])
    assert ended.value.code == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["learner"], told["task"]) == ("spiking_gated", "cued_digits")
    assert [row["ablation"] for row in told["rows"]] == ["intact", "order_reversed", "weights_k_means"]
    for row in told["rows"]:
        assert {*row["accuracy"]} == {"mean", "low", "high", "seeds", "for"} and len(row["accuracy"]["seeds"]) == 2
    difference = np.mean(told["rows"][1]["accuracy"]["seeds"]) - np.mean(told["rows"][0]["accuracy"]["seeds"])
    assert told["rows"][1]["difference"]["mean"] == pytest.approx(difference)
    found = results.load(tmp_path / "a")
    assert found.summary() == told
    assert (tmp_path / "a" / "figures" / "ablations.png").is_file() and "order_reversed" in found.page()
    command = found.command(tmp_path / "b")
    assert command.startswith("plasticity ablate spiking_gated --task cued_digits --only order_reversed,weights_k_means")
    assert "spiking_gated.neurons_per_class=3" in command and "rule" not in command


@pytest.mark.parametrize(
    ("learner", "only", "message"),
    [
        ("guessing", "", "guessing has no rule that could be ablated; learners that have one: spiking_gated"),
        ("spiking_gated", "order_revered", "Did you mean 'order_reversed'"),
        ("spiking_gatd", "", "Did you mean 'spiking_gated'"),
        ("spiking_memory", "", "spiking_memory cannot do cued_digits"),
    ],
)
def test_what_cannot_be_ablated_is_refused_in_a_sentence(learner, only, message):
    from bridges import ablate

    with pytest.raises(WrongUse, match=message):
        ablate(learner, "cued_digits", seeds=1, only=[only] if only else ())


@pytest.mark.full
def test_untrained_it_is_the_learner_whose_weights_stay():
    draw = CuedDigits(train=60, validation=10, test=30).draw(np.random.default_rng(0))
    control = SpikingClassifier(neurons_per_class=2, random_state=3).untrained(draw.train.X, draw.train.y)
    frozen = SpikingClassifier(neurons_per_class=2, random_state=3, weights="frozen").fit(draw.train.X, draw.train.y)
    np.testing.assert_allclose(control.weights_, frozen.weights_, rtol=1e-12)  # scaled to the same length once more
    assert not control.theta_.any() and control.represent(draw.test.X).shape == (30, 20)
