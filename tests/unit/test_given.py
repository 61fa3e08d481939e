"""Who was given what: what a learner declares, the simple baselines of each group, what an interval is for, nulls of weights."""

from __future__ import annotations

import re

import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import NearestCentroid
from sklearn.svm import SVC

import plasticity
from bridges import LEARNERS, compare
from bridges.learners import resolve
from plasticity.datasets import images
from plasticity.errors import PlasticityError, WrongUse
from plasticity.gates import Gate, InputGain, NoGate
from plasticity.learners import SpikingClassifier
from plasticity.learners.baseline import KINDS, UNGATED, Baseline
from plasticity.learners.learner import GIVEN, LEARNS
from plasticity.learners.spiking_classifier import NULLS, selected_weights
from plasticity.statistics import interval
from plasticity.tasks import TASKS, CuedDigits, Digits, NextItem, Scan, table

TASK = CuedDigits(train=200, validation=40, test=100)


@pytest.fixture(scope="module")
def draw():
    return TASK.draw(np.random.default_rng(3))


@pytest.mark.parametrize("name", LEARNERS)
def test_every_learner_says_what_it_is_given_and_learns(name):
    takes = LEARNERS[name].build().takes
    task = next(TASKS[one]() for one in TASKS if TASKS[one]().kind in takes)
    (learner,) = resolve([name], {}, task)
    assert set(learner.given) <= GIVEN.keys() and set(learner.learns) <= LEARNS.keys()
    assert not set(learner.given) & set(learner.learns)  # nobody learns what he is told


def test_the_default_learners_of_a_cued_task_hold_baselines_with_the_gate_and_without():
    learners = {one.name: one for one in resolve(None, {}, TASK)}
    assert learners["support_vectors_of_a_reading"].learns == ("gate", "classes")
    for name in [kind for kind in KINDS if kind not in UNGATED]:
        assert learners[f"{name}_gated"].given == ("gate", "teacher") and learners[name].learns == ("gate", "classes")
    assert learners["spiking_gated"].given == learners["gated_attention"].given == ("gate", "teacher")
    assert "gate" in learners["softmax_attention"].learns and learners["softmax_attention"].given == ("teacher",)
    assert learners["spiking_learned_gate"].given == ("reward",) and "gate" in learners["spiking_learned_gate"].learns
    learners |= {one.name: one for one in resolve(["spiking_equal_gain"], {}, TASK)}  # a control that is asked for by name
    for control in ("spiking_no_gate", "spiking_shuffled_gate", "spiking_equal_gain", "uniform_attention"):
        assert (learners[control].given, learners[control].learns) == (("teacher",), ("classes",))
    of_images = {one.name: one for one in resolve(["spiking_gated", "diehl_cook", "mlp"], {}, Digits())}
    assert {name: one.given for name, one in of_images.items()} == {
        "spiking_gated": ("teacher",), "diehl_cook": ("labels",), "mlp": ("teacher",),
    }  # fmt: skip


def test_an_estimator_of_somebody_says_it_itself_or_has_to_learn_all():
    class Told(NearestCentroid):
        given, learns = ("gate", "teacher"), ("classes",)

    plain, told = resolve([("plain", NearestCentroid()), ("told", Told())], {}, TASK)
    assert plain.learns == ("gate", "classes") and told.given == ("gate", "teacher")
    Told.given = ("the answer",)
    with pytest.raises(WrongUse, match="unknown word in what told says as `given`: 'the answer'|unknown word.*the answer"):
        resolve([("told", Told())], {}, TASK)


def test_baselines_are_those_of_scikit_learn_on_what_the_relay_sees(draw):
    X, y = draw.train.X, draw.train.y
    cue, features = draw.train.cue, draw.train.stimulus.shape[2]
    gains = np.where(np.arange(2) == cue[:, None], 2.0, 0.2)
    seen = (draw.train.stimulus * gains[:, :, None]).sum(axis=1)
    assert np.allclose(InputGain().superpose(draw.train.stimulus, cue, np.random.default_rng(0)), seen)
    means = Baseline(kind="class_means").fit(X, y)
    assert np.allclose(means._fitted.centroids_, NearestCentroid().fit(seen, y).centroids_)
    one = Baseline(kind="kmeans_prototypes", prototypes=3).fit(X, y)
    centres = KMeans(3, n_init=4, random_state=0).fit(seen[y == 0]).cluster_centers_
    assert np.allclose(one._fitted.centroids_[:3], centres) and one.parameters_ == 30 * features
    line = Baseline(kind="logistic_regression", gate=Gate()).fit(X, y)
    assert np.allclose(line._fitted.coef_, LogisticRegression(max_iter=2000).fit(X, y).coef_)  # the row as it is, with its cue
    near = Baseline().fit(X, y)
    assert near.score(X, y) == 1.0 and near.score(draw.test.X, draw.test.y) > 0.8


def test_a_classifier_for_each_cue_is_fitted_to_the_trials_of_that_cue_alone(draw):
    X, y, cue = draw.train.X, draw.train.y, draw.train.cue
    rows = draw.train.stimulus.reshape(len(X), -1)
    made = Baseline(kind="logistic_regression", gate=NoGate(), each_cue=True).fit(X, y)
    for k in range(2):
        alone = LogisticRegression(max_iter=2000).fit(rows[cue == k], y[cue == k])
        assert np.array_equal(made.predict(X[cue == k]), alone.predict(rows[cue == k]))
    forest = Baseline(kind="random_forest", gate=NoGate(), each_cue=True).fit(X, y)
    assert forest.parameters_ > 0 and forest.costs().decision["forward"].additions > 300
    both = forest.score(draw.test.X, draw.test.y)
    assert both > Baseline(kind="random_forest", gate=NoGate()).fit(X, y).score(draw.test.X, draw.test.y)
    assert np.array_equal(  # a cue of one class alone has the classifier of all trials
        Baseline(kind="logistic_regression", gate=NoGate(), each_cue=True).fit(X, np.where(cue == 0, y, 3)).predict(X[cue == 1]),
        LogisticRegression(max_iter=2000).fit(rows, np.where(cue == 0, y, 3)).predict(rows[cue == 1]),
    )
    with pytest.raises(WrongUse, match="give gate=NoGate"):
        Baseline(each_cue=True).fit(X, y)


def test_the_reading_that_suits_is_found_on_training_trials_alone(draw):
    X, y, cue = draw.train.X, draw.train.y, draw.train.cue
    made = Baseline(kind="support_vectors", gate=NoGate(), reading="chosen").fit(X, y)
    assert made._fitted.reading_ == "cued"
    cued = draw.train.stimulus[np.arange(len(X)), cue]
    assert np.array_equal(made.predict(X), SVC(C=10).fit(cued, y).predict(cued))
    other = Baseline(kind="support_vectors", gate=NoGate(), reading="chosen").fit(
        X, draw.train.stream_label[np.arange(len(X)), 1 - cue]
    )
    assert other._fitted.reading_ == "others"
    first = Baseline(kind="support_vectors", gate=NoGate(), reading="chosen").fit(X, draw.train.stream_label[:, 0])
    assert first._fitted.reading_ == "stream 0"
    assert (
        made.parameters_ == sum(map(np.size, (made._fitted.parts_[0].support_vectors_, made._fitted.parts_[0].dual_coef_))) + 45
    )
    with pytest.raises(WrongUse, match="give gate=NoGate"):
        Baseline(reading="chosen").fit(X, y)


@pytest.mark.parametrize("kind", KINDS)
def test_a_baseline_is_saved_and_answers_as_before(tmp_path, draw, kind):
    made = Baseline(kind=kind).fit(draw.train.X, draw.train.y)
    made.save(tmp_path / "mine")
    assert np.array_equal(plasticity.load(tmp_path / "mine").predict(draw.test.X), made.predict(draw.test.X))


def test_draws_of_one_set_say_how_much_they_share_and_the_intervals_allow_for_it(draw):
    tested = len(np.unique(draw.test.image))
    assert draw.drawn_from == 1797 and draw.shared == tested / (1797 - tested)
    whole = Digits(train=100, validation=50, test=400).draw(np.random.default_rng(0))
    assert whole.shared == 400 / 1397
    rows = table(np.random.default_rng(0).random((60, 3)), np.arange(60) % 3).draw(np.random.default_rng(0))
    assert rows.shared == pytest.approx(15 / 45)
    found = compare(["class_means_gated", "guessing"], TASK, seeds=3, jobs=1)
    told = {one["name"]: one["accuracy"] for one in found.to_json()["learners"]}["class_means_gated"]
    assert (told["low"], told["high"]) == interval(told["seeds"], shared=found.shared) and "new data" in told["for"]
    assert all("new data" in one["for"] for one in found.to_json()["differences"])


def test_tasks_whose_draws_share_nothing_have_the_plain_interval():
    found = compare(["hebb_memory", "guessing"], TASKS["associative_recall"](train=20, validation=20, test=50), seeds=3, jobs=1)
    told = found.to_json()["learners"][0]["accuracy"]
    assert found.shared == 0 and "new draws" in told["for"] and told["low"] == max(0, interval(told["seeds"])[0])


@pytest.mark.full
def test_weights_of_attended_and_ignored_synapses_are_told_beside_their_nulls(draw):
    made = SpikingClassifier(neurons_per_class=3).fit(draw.train.X, draw.train.y)
    null = made.arrays_["weights_null"]
    assert null.shape == (len(NULLS), 2)
    before, permuted, without, single = null[:, 0] - null[:, 1]
    trained = made.arrays_["weights_attended"][-1] - made.arrays_["weights_ignored"][-1]
    assert abs(before) < 0.02 and abs(permuted) < trained / 2 and single > without > 0  # template matching makes it, too
    cue, labels = draw.train.cue, draw.train.label
    means = np.stack([draw.train.stimulus[np.arange(200), cue][labels == k].mean(axis=0) for k in range(10)], axis=1)
    means *= np.linalg.norm(made.weights_, axis=0).mean() / np.linalg.norm(means, axis=0)
    assert np.allclose(selected_weights(means, draw.train.stimulus, cue, labels), null[3])


@pytest.mark.parametrize(
    ("name", "task", "there", "instead"),
    [
        ("softmax_attention", NextItem(), ["spiking_association", "words_additive_attention"], "words_softmax_attention"),
        ("spiking_gated", NextItem(), ["words_softmax_attention", "most_popular"], "spiking_association"),
        ("mlp", Scan(), ["fast_weight_translator", "hebbian_translator"], "transformer_translator"),
        ("diehl_cook", TASK, ["spiking_gated", "mlp", "guessing"], "spiking_learned_gate"),
    ],
)
def test_who_cannot_do_a_task_is_told_who_can_and_what_to_write(name, task, there, instead):
    with pytest.raises(WrongUse, match=f"{name} cannot do {task.name}; it is for tasks like ") as told:
        resolve([name], {}, task)
    can = re.search(rf"and for {task.name} there are (.*); write {instead} instead, say\.$", str(told.value))
    assert can and {*there, instead} <= {*can[1].split(", ")} <= {*LEARNERS} and name not in can[1].split(", ")


def test_a_learner_below_chance_is_named():
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1], [45, 15])

    class Wrong(NearestCentroid):
        def predict(self, X):
            return np.ones(len(X), dtype=int)

    from bridges.comparison import tables

    found = compare([("wrong", Wrong()), "guessing"], (rng.random((60, 3)), y), seeds=2, jobs=1)
    assert any(text.startswith("Below chance (75 %): wrong") for text in map(str, tables.brief(found)))


@pytest.mark.parametrize(("right", "named"), [(0, True), (20, True), (30, False), (35, False)])
def test_of_one_seed_a_learner_is_below_chance_where_the_exact_interval_of_its_trials_is(right, named):
    """40 trials, chance .8: the upper end of 20 of 40 is .66, of 30 .873 (Clopper & Pearson)."""
    from bridges.comparison import tables

    found = compare(["nearest_neighbour", "guessing"], Digits(train=40, validation=20, test=40), seeds=1, jobs=1)
    found.configuration["facts"]["chance"] = 0.8
    for kept in found.records.values():
        kept.numbers["accuracy"] = right / 40
    said = [text for text in map(str, tables.brief(found)) if text.startswith("Below chance")]
    assert said == ["Below chance (80 %): nearest_neighbour; nothing that was learnt helps there."] * named


def test_mnist_in_8x8_is_pooled_in_blocks_of_the_framed_image():
    try:
        small, large = images("mnist8"), images("mnist")
    except PlasticityError as missing:
        pytest.skip(str(missing))
    framed = np.zeros((32, 32))
    framed[2:30, 2:30] = large.pixels[5].reshape(28, 28)
    assert small.pixels.shape == (70_000, 64) and np.array_equal(small.labels, large.labels) and small.test_from == 60_000
    assert small.pixels[5].reshape(8, 8)[3, 4] == np.rint(framed[12:16, 16:20].mean())
