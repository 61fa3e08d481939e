"""The worked examples: what is by hand is what it should be, nothing is trained on and tested, and what is shown follows."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.special import softmax

from bridges.learners import LEARNERS
from bridges.worked import adapters, attacks, one_layer
from bridges.worked.optional_attention import gate_by_gradient
from bridges.worked.weighted_sum import by_autograd, weights
from plasticity.engine import compiler
from simulations.binary_classifier import COLUMNS, FORMS, KINDS, ROWS, rows_of
from simulations.compression import changed, prune, quantise, turned
from simulations.figures.kinds import draw
from simulations.frame.worked import TABLE, TITLE, digits
from simulations.needs_attention import GATES, SIDES, NeedsAttention, brightest, gate_by_reward, trials
from simulations.preprocessing import disturb, way
from simulations.robustness import augment, moved
from simulations.softmax_weights import KINDS as WEIGHTINGS
from simulations.softmax_weights import SCORES, SoftmaxWeights, alpha, by_hand, descend
from simulations.tuning import Tuning
from simulations.worked_examples import MEMBERS, WorkedExamples

needs_compiler = pytest.mark.skipif(not compiler(), reason="thousands of trials take minutes without a C++ compiler")


@pytest.fixture
def rng():
    return np.random.default_rng(5)


@pytest.fixture(scope="module")
def network():
    X, y, test, asked = digits(2000, 300, 100)
    made = LEARNERS["mlp"].build().set_params(streams=1, random_state=0, hidden=32, epochs=10, device="cpu").fit(X, y)
    return made, X, y, test, asked


# Softmax weights


def test_the_softmax_of_1_2_3_rounds_to_1_2_7_tenths_and_not_to_1_3_6():
    ours = weights(SCORES, "softmax")
    assert np.allclose(ours, [0.0900, 0.2447, 0.6652], atol=5e-5) and np.round(ours, 1).tolist() == [0.1, 0.2, 0.7]


@pytest.mark.parametrize("kind", WEIGHTINGS)
def test_the_gradient_of_a_weighted_sum_by_hand_is_that_of_autograd_and_of_small_differences(kind, rng):
    X, y, w = rng.normal(size=(20, 3)), rng.normal(size=20), rng.normal(size=3)
    loss, gradient = by_hand(w, X, y, kind)
    value, theirs, hessian = by_autograd(w, X, y, kind)
    assert loss == pytest.approx(value, rel=1e-12) and np.allclose(gradient, theirs, rtol=1e-10)
    step = 1e-5 * np.eye(3)
    slopes = [(by_hand(w + d, X, y, kind)[0] - by_hand(w - d, X, y, kind)[0]) / 2e-5 for d in step]
    curved = [(by_hand(w + d, X, y, kind)[1] - by_hand(w - d, X, y, kind)[1]) / 2e-5 for d in step]
    assert np.allclose(gradient, slopes, atol=1e-7) and np.allclose(hessian, curved, atol=1e-6)


def test_a_step_a_little_below_the_bound_converges_and_a_little_above_diverges_whatever_the_targets(rng):
    X, y = rng.uniform(0, 20, (50, 4)), rng.normal(size=50)
    bound = 2 / np.linalg.eigvalsh(X.T @ X / 50)[-1]
    least = by_hand(np.linalg.lstsq(X, y)[0], X, y, "linear")[0]
    below, above = (descend(np.zeros(4), X, y, "linear", k * bound, 3000)[0] for k in (0.99, 1.01))
    assert below[-1] < below[0] and below[-1] == pytest.approx(least, rel=0.2) and above[-1] > 1e3 * above[0]


def test_softmax_weights_do_not_change_with_a_constant_and_linear_ones_do():
    assert np.allclose(alpha(SCORES + 7, "softmax"), softmax(SCORES)) and not np.allclose(alpha(SCORES + 7, "linear"), SCORES)


# The classifier


@pytest.mark.parametrize("unit, loss", FORMS)
def test_the_derivatives_of_the_layer_by_hand_are_those_of_autograd(unit, loss, rng):
    X, y = rng.normal(size=(30, 5)), rng.integers(2, size=30)
    w = {name: value + rng.normal(size=value.shape) for name, value in one_layer.start(5, 7, unit, rng).items()}
    (value, ours), (known, theirs) = (found(w, X, y, unit, loss) for found in (one_layer.by_hand, one_layer.by_autograd))
    assert value == pytest.approx(known, rel=1e-12)
    assert all(np.allclose(ours[name], theirs[name], rtol=1e-9, atol=1e-14) for name in w) and set(ours) == set(theirs)


@pytest.mark.parametrize("kind", KINDS)
def test_no_row_is_trained_on_and_held_out_and_both_parts_hold_all_rows_but_two(kind):
    rows = rows_of(kind, 3, 0, 50)
    train, held = (set(part.tolist()) for part in rows.which)
    assert not train & held and len(train | held) == ROWS - 2 and rows.train.shape == (len(train), COLUMNS)
    assert rows.train.min() == 0 and rows.train.max() == 1 and len(rows.held) == len(rows.test) == len(held)


def test_features_chosen_by_all_rows_know_the_held_out_labels_and_those_chosen_by_training_rows_do_not():
    def known(kind):
        found = []
        for number in range(6):
            rows = rows_of(kind, 4, number, 1000)
            with_label = [np.corrcoef(column, rows.y)[0, 1] for column in rows.train.T]
            found.append(
                np.mean([s * np.corrcoef(c, rows.held)[0, 1] for s, c in zip(np.sign(with_label), rows.test.T, strict=True)])
            )
        return np.mean(found)

    assert known("chosen_on_all") > 0.2 and abs(known("chosen_in_train")) < 0.1


# The gate


def test_trials_of_reader_gate_and_test_show_other_images_and_what_is_alone_is_the_same_without_attention():
    seen = trials(7, 200, 0.5)
    shown = {name: {image.tobytes() for image in part.attended} for name, part in seen.items()}
    assert not (shown["reader"] & shown["test"] or shown["gate"] & shown["test"] or shown["reader"] & shown["gate"])
    for part in seen.values():
        assert np.array_equal(part.attended[~part.crowded], part.passed[~part.crowded])
        assert (part.passed[part.crowded] >= part.attended[part.crowded]).all()


def test_both_gates_open_where_attention_pays_and_never_at_a_price_above_what_it_brings(rng):
    X = rng.normal(size=(600, 3))
    pays = X[:, 0] > 0
    attended, passed = np.ones(600), (~pays).astype(float)
    for price, opened in ((0.2, pays), (1.3, np.zeros(600, dtype=bool))):
        by_gradient = gate_by_gradient(X, attended - passed, price, 0)
        by_reward = gate_by_reward(X, attended, passed, price, 10, 0)
        for w in (by_gradient, by_reward):
            assert np.mean((X @ w[:-1] + w[-1] > 0) == opened) > 0.9


def test_the_brightness_is_that_from_which_on_attention_brings_most_and_none_where_it_brings_less_than_it_costs(rng):
    light = rng.permutation(np.linspace(0, 1, 101))
    gain = (light >= 0.6).astype(float)
    assert brightest(light, gain, 0.1) == light[light >= 0.6].min() and brightest(light, gain, 1.5) == np.inf
    assert brightest(light, np.ones(101), 0.1) == 0 and brightest(light, gain + 0.2, 0.1) == 0


def test_the_table_of_gates_has_a_row_for_every_gate_with_what_it_attends_gives_and_costs(rng):
    experiment = NeedsAttention()
    prices = len(experiment.prices) + 1
    a = {name: rng.random((3, len(SIDES), len(GATES), prices)) for name in ("right", "gated", "of_crowded")}
    columns, rows = experiment.tables(experiment.numbers(a))["Gates, at `price`"]
    assert [row[:2] for row in rows] == [[side, gate] for side in SIDES for gate in GATES] and len(columns) == 6
    bright = next(row for row in rows if row[:2] == ["local", "brightness"])
    assert bright[5] == f"{128 * a['gated'][:, 1, 5, -1].mean():.3g}"


# Preprocessing


def test_robust_scaling_is_not_moved_by_outlying_values_and_every_way_gives_numbers_from_0_to_1(rng):
    X = rng.normal(size=(200, 4)) * [1, 10, 100, 1000]
    spread = X.std(axis=0)
    hit = disturb(X, "outlying", 0.05, spread, 1e4, rng)
    same = (hit == X).all(axis=1)
    robust, plain = (np.abs(way(name).fit_transform(hit) - way(name).fit_transform(X))[same].max() for name in ("robust", "none"))
    assert robust < 0.2 < plain
    gone = disturb(X, "missing", 0.3, spread, 0, rng)
    for name in ("none", "median", "robust"):
        found = way(name).fit_transform(gone)
        assert np.isfinite(found).all() and found.min() >= 0 and found.max() <= 1
    assert 0.25 < np.isnan(gone).mean() < 0.35


# Robustness, compression


def test_attacks_stay_within_eps_and_within_0_to_1_and_raise_the_loss_above_that_of_noise(network, rng):
    made, _, _, test, asked = network
    logits, label = attacks.logits_of(made), torch.as_tensor(asked)

    def loss(images):
        return float(torch.nn.functional.cross_entropy(logits(torch.as_tensor(images, dtype=torch.float32)), label).detach())

    noise = np.clip(test + 0.1 * rng.choice((-1.0, 1.0), test.shape), 0, 1)
    found = {"fgsm": attacks.fgsm(made, test, asked, 0.1), "pgd": attacks.pgd(made, test, asked, 0.1, 10, 0)}
    for images in found.values():
        assert np.abs(images - test).max() <= 0.1 + 1e-6 and images.min() >= 0 and images.max() <= 1
    assert loss(found["pgd"]) > loss(found["fgsm"]) > loss(noise)
    assert np.array_equal(attacks.fgsm(made, test, asked, 0.0).astype(np.float32), test.astype(np.float32))


def test_training_and_test_scans_are_apart_and_augmented_ones_come_from_training_scans_alone(rng):
    X, _, test, _ = digits(1, 800, 400)
    assert not {one.tobytes() for one in X} & {one.tobytes() for one in test}
    assert augment(X[:5], rng).shape == (15, 64) and np.array_equal(augment(X[:5], rng)[:5], X[:5])
    assert (moved(X, rng).sum(axis=1) <= X.sum(axis=1) + 1e-9).all()  # what leaves the scan is lost, nothing comes in


def test_pruning_takes_the_smallest_weights_and_quantisation_is_off_by_half_a_step_at_most(rng):
    w = rng.normal(size=(20, 30))
    kept = prune(w, 0.7)
    assert np.count_nonzero(kept) == 180 and np.abs(w[kept == 0]).max() <= np.abs(kept[kept != 0]).min()
    assert np.count_nonzero(prune(w, 0.7, rng)) == 180 and np.array_equal(prune(w, 0.0), w)
    for bits in (8, 4, 2):
        found, step = quantise(w, bits), np.abs(w).max() / (2 ** (bits - 1) - 1)
        assert len(np.unique(found)) <= 2**bits - 1 and np.abs(found - w).max() <= step / 2 + 1e-12
    before = w.copy()
    with changed([w], lambda one: 0 * one):
        assert not w.any()
    assert np.array_equal(w, before)


def test_adapters_change_nothing_at_first_and_leave_the_frozen_weights_as_they_are(network):
    made, X, y, test, _ = network
    before = [w.copy() for w in adapters.matrices(made)]
    frozen, none = adapters.learnt(made, X, y, "frozen", 0)
    assert none == 0 and np.array_equal(frozen.predict(test), made.predict(test))
    one = adapters.Adapted(torch.nn.Linear(6, 4), 2)
    x = torch.randn(3, 6)
    assert torch.equal(one(x), one.layer(x))
    adapted, numbers = adapters.learnt(made, turned(X[:60]), y[:60], 1, 0)
    assert numbers == sum(sum(w.shape) for w in before)
    assert all(np.array_equal(a, b) for a, b in zip(before, adapters.matrices(made), strict=True))
    inside = [m.layer.weight.detach().numpy() for m in adapted.model_.modules() if isinstance(m, adapters.Adapted)]
    assert all(any(np.array_equal(a, b) for b in inside) for a in before)
    _, last = adapters.learnt(made, turned(X[:60]), y[:60], "last", 0)
    assert last == 10 * (32 + 1)


# Tuning, the suite


def test_fits_and_epochs_until_a_good_score_are_counted_over_all_parts():
    scores = {"grid": [[0.1, 0.2, 0.9]], "random": [[0.95, 0.1, 0.1]], "halving": [[0.1, 0.5, 1.0]]}
    a = {f"{name}_score": np.array(rows) for name, rows in scores.items()}
    a |= {f"{name}_epochs": np.array([[9.0, 9.0, 9.0]]) for name in ("grid", "random")} | {
        "halving_epochs": np.array([[1.0, 1.0, 3.0]])
    }
    fits, epochs, good = Tuning().reached(a)
    assert np.isnan(fits[0, 0]) and fits[0, 1:].tolist() == [2, 6] and epochs[0, 1:].tolist() == [18, 10] and good.tolist() == [0]


def test_the_suite_has_one_table_of_what_is_stated_right_and_ours():
    experiment = SoftmaxWeights(descent_steps=60)
    outcome = experiment.outcome([0, 1])
    (columns, rows) = WorkedExamples.tables(outcome.numbers)[TITLE]
    assert columns[2:5] == ["stated", "right", "ours"] and len(rows) == len(outcome.checks) == len(outcome.numbers[TABLE])
    assert rows[2][2:4] == ["0.6", "0.6652"] and all(check.holds for check in outcome.checks)
    assert draw(experiment.figures(outcome.arrays)["softmax_weights"]) is not None
    assert [kind.part_of for kind in MEMBERS] == ["worked_examples"] * len(MEMBERS)


SMALL = {
    "draws": 1, "number": 200, "prices": (0.0, 1.0), "noise": (1.0,), "missing": (0.2,), "outlying": (0.1,), "search_rows": 80,
    "search_epochs": 3, "scans": 100, "tests": 50, "eps": (0.0, 0.1), "shown_scans": 100, "turned": 50, "ranks": (1, 2),
}  # fmt: skip


@pytest.mark.full
@needs_compiler
def test_the_suite_keeps_the_arrays_of_every_example_and_gives_the_same_twice():
    suite = WorkedExamples(**SMALL)
    outcome = suite.outcome([1000, 1001])
    alone = [one.outcome([1000, 1001]) for one in suite.made()]
    names = [name for one in alone for name in one.arrays]
    assert len(set(names)) == len(names)
    for one in alone:
        assert all(np.array_equal(outcome.arrays[name], array, equal_nan=True) for name, array in one.arrays.items())
    assert [check.name for check in outcome.checks] == [check.name for one in alone for check in one.checks]
    assert len(outcome.numbers[TABLE]) == len(outcome.checks)
    drawn = suite.figures(outcome.arrays)
    assert set(drawn) == {kind.name for kind in MEMBERS} and all(draw(one) for one in drawn.values())
