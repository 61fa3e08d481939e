"""What plasticity changes against the gradient of its twin, and the experiments that stand on it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from bridges.credit import LOSSES, by_gradient, change, cosine, course, deleted, downhill
from bridges.models import SurrogateTwin
from plasticity.engine import compiler
from plasticity.errors import WrongUse
from plasticity.learners import SpikingBrainProp
from plasticity.tasks import CuedDigits, split_streams
from simulations.beside_backprop import (
    BOTH,
    GATE_ALONE,
    PAIRS,
    SIDES,
    BesideBackprop,
    behind_gate_of,
    made,
    mislabelled,
    noisy,
    reached,
)
from simulations.credit_assignment import CreditAssignment
from simulations.figures.kinds import draw
from simulations.update_direction import LAYERS, RULES, UpdateDirection

needs_compiler = pytest.mark.skipif(not compiler(), reason="thousands of trials take minutes without a C++ compiler")


@pytest.fixture(scope="module")
def trials():
    return CuedDigits(train=600, validation=50, test=100).draw(np.random.default_rng(1))


def untrained(trials, **changed) -> SpikingBrainProp:
    return SpikingBrainProp(hidden=(30,), **changed).untrained(trials.train.X, trials.train.y)


def test_the_cosine_is_that_of_what_both_know():
    rng = np.random.default_rng(0)
    a = rng.standard_normal((4, 3))
    assert cosine(a, 3 * a) == pytest.approx(1) and cosine(a, -a) == pytest.approx(-1)
    b = rng.standard_normal((4, 3))
    half = np.where(np.arange(4)[:, None] < 2, b, np.nan)
    assert cosine(a, half) == pytest.approx(cosine(a[:2], b[:2]))
    assert np.isnan(cosine(a, 0 * a))


@pytest.mark.full
@needs_compiler
def test_with_mirrored_feedback_the_change_points_downhill_and_permuted_it_does_not(trials):
    learner = untrained(trials, feedback="mirrored")
    for _ in course(learner, trials.train.X, trials.train.y, passes=1):
        pass
    before = [w.copy() for w in (*learner.weights_, *learner.feedback_, learner.gate_weights_)]
    ours, theirs = change(learner, trials.train.X, trials.train.y), downhill(learner, trials.train.X, trials.train.y)
    for was, now in zip(before, (*learner.weights_, *learner.feedback_, learner.gate_weights_), strict=True):
        np.testing.assert_array_equal(was, now)  # it was asked, and not taught
    assert set(theirs) == set(LOSSES)
    rng = np.random.default_rng(0)
    for layer, (a, b) in enumerate(zip(ours, theirs["chosen"], strict=True)):
        assert a.shape == b.shape
        assert cosine(a, b) > 0.8
        if layer < 2:
            assert abs(cosine(rng.permutation(a.ravel()).reshape(a.shape), b)) < 0.3


@pytest.mark.full
@needs_compiler
def test_the_gradient_is_that_of_the_output_weights_in_closed_form_and_of_the_gains(trials):
    learner = untrained(trials)
    learner.gate_weights_ = np.array([[0.7, 0.3], [0.2, 0.8]])
    X, y = trials.train.X[:80], trials.train.y[:80]
    found = downhill(learner, X, y)

    twin = SurrogateTwin(2, 64, 10, hidden=30).double().eval()
    twin.take_over(learner)
    stimulus, cue = (torch.as_tensor(part) for part in split_streams(X, 2))
    fired = twin.fire(twin.encode(stimulus.double()), twin.weights(stimulus, cue))
    counts = fired.layers[-1][:, : twin.steps - 6].sum(dim=1).detach().numpy() / learner.levels  # before actions are compared
    output = twin.head(fired.activities)
    values = output.detach().numpy()
    error = (np.arange(10) == y[:, None]) - values
    np.testing.assert_allclose(found["all"][1], counts.T @ error, atol=1e-10)  # float64
    chosen = values.argmax(axis=1)[:, None] == np.arange(10)
    np.testing.assert_allclose(found["chosen"][1], counts.T @ (error * chosen), atol=1e-10)

    loss = ((torch.as_tensor(y[:, None] == np.arange(10)).double() - output) ** 2).sum() / 2
    (by_parameter,) = torch.autograd.grad(loss, twin.query.weight)
    for g, gain, parameter in zip(learner.gate_weights_, found["all"][2], by_parameter.numpy(), strict=True):
        np.testing.assert_allclose(-(np.diag(g) - np.outer(g, g)) @ gain, parameter, atol=1e-10)  # the softmax in between
    learner.gate_weights_ = np.array([[1.0, 0.0], [0.2, 0.8]])
    closed = downhill(learner, X, y)["all"][2]
    assert np.isnan(closed[0]).all() and np.isfinite(closed[1]).all()


@pytest.mark.full
@needs_compiler
def test_without_reward_every_change_strengthens_and_uniform_feedback_stays(trials):
    learner = untrained(trials, feedback="uniform", reward="constant")
    assert np.ptp(learner.feedback_[1]) == 0 < learner.feedback_[1].min()
    for layer in change(learner, trials.train.X[:100], trials.train.y[:100])[:2]:
        assert layer.min() >= 0 < layer.max()
    wrong = (trials.train.y[:100] + 1) % 10
    ours = [change(learner, trials.train.X[:100], y) for y in (trials.train.y[:100], wrong)]
    np.testing.assert_array_equal(ours[0][0], ours[1][0])  # whatever is right
    feedback = learner.feedback_[1].copy()
    learner.learn_more(trials.train.X[:100], trials.train.y[:100])
    np.testing.assert_array_equal(feedback, learner.feedback_[1])
    with pytest.raises(WrongUse, match="labels beside"):
        learner.learn_more(trials.train.X[:10], np.full(10, 11))


@pytest.mark.full
@needs_compiler
def test_the_gate_alone_is_that_of_the_learnt_before_weights_of_the_start(trials):
    learnt, start = untrained(trials), untrained(trials, random_state=1)
    learnt.gate_weights_ = np.eye(2)
    alone, before = behind_gate_of(learnt, start), start.represent(trials.test.X)
    np.testing.assert_array_equal(alone.attention_weights(trials.test.X), trials.test.X[:, -2:])  # the cued stream alone
    np.testing.assert_array_equal(alone.weights_[0], start.weights_[0])
    assert not np.array_equal(alone.represent(trials.test.X), before)
    np.testing.assert_array_equal(start.represent(trials.test.X), before)  # it stays as it was


@pytest.mark.full
@needs_compiler
def test_synapses_are_deleted_and_come_back(trials):
    both = untrained(trials), made("plain_backprop", 0, 1).fit(trials.train.X, trials.train.y)
    for learner in both:
        before = learner.predict(trials.test.X)
        for layer in (0, 1):
            with deleted(learner, layer, 1.0, np.random.default_rng(0)):
                assert np.ptp(learner.represent(trials.test.X), axis=0).any() == layer  # nothing comes from the inputs
                assert len(np.unique(learner.predict(trials.test.X))) == 1
            np.testing.assert_array_equal(learner.predict(trials.test.X), before)
    with deleted(both[0], 0, 0.3, np.random.default_rng(0)):
        assert np.mean(both[0].weights_[0] == 0) == pytest.approx(0.3, abs=0.05)


def test_by_gradient_goes_on_from_the_weights_as_they_are(trials):
    learner = made("backprop", 0, 1).untrained(trials.train.X, trials.train.y)
    accuracy = []
    for _ in range(3):
        by_gradient(learner, trials.train.X, trials.train.y, passes=4)
        accuracy.append(np.mean(learner.predict(trials.train.X) == trials.train.y))
    assert accuracy[0] > 0.4 and accuracy[2] > accuracy[0] + 0.05


def test_noise_wrong_labels_and_when_a_level_is_reached():
    rng = np.random.default_rng(0)
    X = np.hstack([rng.random((50, 128)), np.tile([1.0, 0.0], (50, 1))])
    shown = noisy(X, 0.3, rng)
    assert shown.min() >= 0 and shown.max() <= 1 and 0.15 < np.abs(shown - X)[:, :-2].mean() < 0.3
    np.testing.assert_array_equal(shown[:, -2:], X[:, -2:])
    np.testing.assert_array_equal(noisy(X, 0.0, rng), X)
    y = rng.integers(10, size=4000)
    assert np.mean(mislabelled(y, 0.25, rng) != y) == pytest.approx(0.25, abs=0.03)
    np.testing.assert_array_equal(mislabelled(y, 0.0, rng), y)
    np.testing.assert_array_equal(reached(np.array([[0, 100, 200], [0.1, 0.92, 0.96]])), [100, 200, np.nan])


def test_numbers_checks_and_figures_follow_from_the_arrays():
    rng, seeds = np.random.default_rng(0), 3
    asked = UpdateDirection()
    shape = seeds, len(RULES), 2, len(asked.looks), len(LAYERS)
    cosines = 0.05 * rng.standard_normal(shape)
    cosines[:, 0] += 0.9
    told = {
        "cosine": cosines, "permuted": 0.01 * rng.standard_normal(shape), "accuracy": rng.random((seeds, len(RULES), shape[3])),
        "presentations": np.tile(np.array(asked.looks) * 24_000, (seeds, 1)), "shared": np.full(seeds, 0.3),
    }  # fmt: skip
    assert asked.numbers(told)["hidden_attention_gated"]["mean"] == pytest.approx(0.9, abs=0.05)
    checks = {check.name: check.holds for check in asked.checks(told)}
    assert (
        sum(checks.values()) == 6
        and not checks["random_feedback, hidden weights: the cosine rises, from before training to its end"]
    )
    beside = BesideBackprop()
    curve = np.array([np.arange(5.0), np.linspace(0.1, 0.96, 5)])
    told |= {
        "cka": rng.random((seeds, len(PAIRS))), **{f"curve_{side}": np.tile(curve, (seeds, 1, 1)) for side in SIDES},
        "noise": rng.random((seeds, 3, 6)), "deleted": rng.random((seeds, 3, 2, 6)), "wrong": rng.random((seeds, 3, 4)),
        "turns": rng.random((seeds, 3, 2, 2)),
    }  # fmt: skip
    found = CreditAssignment()
    numbers = found.numbers(told)
    assert numbers["presentations to 95%, backprop"]["mean"] == 4 and numbers["seeds that reach 97%, plasticity"] == 0
    both, gate = list(PAIRS).index(BOTH), list(PAIRS).index(GATE_ALONE)
    for above in (0.1, 0.0):  # an open gate alone makes hidden layers alike, which is no credit of learning
        told["cka"][:, both] = told["cka"][:, gate] + above + 0.01 * np.arange(-1, 2)
        assert found.numbers(told)["cka_above_gate"]["mean"] == pytest.approx(above)
        (alike,) = (check for check in beside.checks(told) if check.name.startswith("alignment with backprop"))
        assert alike.holds == (above > 0)
    late = told | {"curve_backprop": told["curve_backprop"] * np.array([1, 1, 900])[:, None, None] ** np.array([1, 0])[:, None]}
    assert found.numbers(late)["presentations to 95%, backprop"]["low"] == 0
    for measure in (*asked.measures, *beside.measures):
        assert np.isfinite(measure.of(numbers)), measure.name
    for drawing in found.figures(told).values():
        draw(drawing)


@pytest.mark.full
@needs_compiler
def test_a_small_run_has_everything():
    small = CreditAssignment.configure(
        {"passes": "1", "train": "500", "test": "60", "block": "50", "looks": "0,1", "wrong": "0,0.4"}
    )
    outcome = small.outcome([0, 1])
    assert np.isfinite(outcome.arrays["cosine"][:, :, :, :, :2]).all()
    assert outcome.numbers["hidden_mirrored_feedback"]["mean"] > 0.5
    assert np.isfinite(outcome.arrays["cka"]).all() and outcome.arrays["cka"].shape == (2, len(PAIRS))
    assert len(outcome.checks) == 11
