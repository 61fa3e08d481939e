"""The network of Diehl & Cook as an estimator: what it may look at, what it learns, and that nothing of a training is lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone

from plasticity import checkpoints, records
from plasticity.datasets import digits
from plasticity.engine import compiler
from plasticity.errors import PlasticityError, WrongUse
from plasticity.learners import DiehlCookClassifier
from plasticity.learners.diehl_cook import votes
from plasticity.rules import pair_stdp

pytestmark = [
    pytest.mark.full,
    pytest.mark.skipif(not compiler(), reason="trains for thousands of steps: needs a C++ compiler"),
]

SCANS = digits()
X, Y = (SCANS.pixels / np.float32(16)).astype(np.float32), SCANS.labels
SMALL = {"neurons": 30, "block": 50, "passes": 2, "label_images": 200}
TRAIN = slice(0, 230)


@pytest.fixture(scope="module")
def fitted() -> DiehlCookClassifier:
    return DiehlCookClassifier(**SMALL).fit(X[TRAIN], Y[TRAIN])


def same(one: DiehlCookClassifier, other: DiehlCookClassifier) -> None:
    np.testing.assert_array_equal(one.weights_, other.weights_)
    np.testing.assert_array_equal(one.theta_, other.theta_)
    np.testing.assert_array_equal(one.responses_, other.responses_)
    for name in one.history_:
        np.testing.assert_array_equal(one.history_[name], other.history_[name])


def test_it_tells_digits_apart_that_it_has_not_seen_and_the_same_network_before_learning_does_not():
    learner = DiehlCookClassifier(neurons=60, block=200, label_images=1000)
    answers = learner.fit(X[:1000], Y[:1000]).predict(X[1000:1500])
    before = clone(learner).untrained(X[:1000], Y[:1000]).predict(X[1000:1500])
    learnt, control = np.mean(answers == Y[1000:1500]), np.mean(before == Y[1000:1500])
    assert learnt > 0.6 and learnt > control + 0.15, (learnt, control)


def test_every_image_counts_once_and_the_weights_of_a_neuron_keep_their_sum(fitted):
    assert len(fitted.label_spikes_) == 200
    assert (fitted.label_spikes_.sum(axis=1) >= 5).mean() > 0.9  # answered, or given up at 20 times the intensity
    np.testing.assert_allclose(fitted.weights_.sum(axis=0), 64 * 78 / 784, rtol=0.05)  # as set before the last image
    assert np.abs(fitted.weights_ - clone(fitted)._begin(X[TRAIN], Y[TRAIN])[0].mean()).max() > 0.05


def test_nothing_but_training_images_is_shown_before_a_question_is_asked(monkeypatch):
    from plasticity.engine import Program

    shown: list[np.ndarray] = []
    own = Program.run

    def spy(self, seed, inputs, **more):
        shown.append(inputs["images"][: inputs["last"]])
        return own(self, seed, inputs, **more)

    monkeypatch.setattr(Program, "run", spy)
    learner = DiehlCookClassifier(**{**SMALL, "passes": 1}).fit(X[TRAIN], Y[TRAIN])
    seen = np.unique(np.rint(np.concatenate(shown) / learner._max_rate_hz * 16).astype(np.uint8), axis=0)
    training = {row.tobytes() for row in SCANS.pixels[TRAIN]}
    assert len(seen) > 200 and all(row.tobytes() in training for row in seen)
    assignment, weights = learner.assignment_.copy(), learner.weights_.copy()
    learner.predict(X[400:450])  # no label of these is ever given
    assert np.array_equal(assignment, learner.assignment_) and np.array_equal(weights, learner.weights_)


def test_other_labels_assign_otherwise_and_learn_the_very_same_weights(fitted):
    other = clone(fitted).fit(X[TRAIN], (Y[TRAIN] + 1) % 10)
    np.testing.assert_array_equal(other.weights_, fitted.weights_)
    np.testing.assert_array_equal(other.assignment_, (fitted.assignment_ + 1) % 10)


def test_the_same_seed_gives_the_same_to_the_bit_and_questions_change_nothing(fitted):
    first = fitted.spikes(X[300:340])
    same(clone(fitted).fit(X[TRAIN], Y[TRAIN]), fitted)
    np.testing.assert_array_equal(fitted.spikes(X[300:340]), first)
    assert np.abs(clone(fitted).set_params(random_state=1).fit(X[TRAIN], Y[TRAIN]).weights_ - fitted.weights_).max() > 0.01


def test_votes_of_a_hand_made_network():
    responses = np.array([[4.0, 0, 0, 2], [0, 3, 0, 2], [0, 1, 0, 4]])  # (classes, neurons); the third neuron never fired
    spikes = np.array([[2, 0, 5, 0], [0, 4, 0, 4]])
    np.testing.assert_allclose(votes(spikes, responses, "all"), [[2, 0, 0], [0, 4, 4]])
    np.testing.assert_allclose(votes(spikes, responses, "proportion"), [[2, 0, 0], [1, 3 + 1, 1 + 2]])


# Checkpoints

_SCRIPT = """
import sys
from tests_of_unsupervised import DiehlCookClassifier, SMALL, TRAIN, X, Y
DiehlCookClassifier(**SMALL, checkpoint=sys.argv[1]).fit(X[TRAIN], Y[TRAIN])
print("done", flush=True)
"""


def start(folder: Path) -> subprocess.Popen:
    here = Path(__file__).resolve()
    code = _SCRIPT.replace("tests_of_unsupervised", here.stem)
    environment = {**os.environ, "PYTHONPATH": f"{here.parent}{os.pathsep}{here.parents[2]}"}
    return subprocess.Popen([sys.executable, "-c", code, str(folder)], env=environment, stdout=subprocess.PIPE, text=True)


def blocks(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("block-*.json"))


@pytest.mark.parametrize("after", [1, 3, 6])
def test_a_training_that_was_killed_goes_on_and_ends_with_the_very_same_weights(tmp_path, fitted, after):
    """kill -9 while the block after so many finished ones runs; the pass ends after the fifth."""
    process = start(tmp_path)
    while process.poll() is None:
        found = blocks(tmp_path)
        if found and int(found[-1][6:12]) >= after:
            break
        time.sleep(0.002)
    assert process.poll() is None, "it was over before it could be killed"
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert 1 <= len(blocks(tmp_path)) <= 3  # two are kept, and the oldest goes after the newest was written
    there = int(blocks(tmp_path)[-1][6:12])
    calls = []
    resumed = (
        clone(fitted).set_params(checkpoint=str(tmp_path)).fit(X[TRAIN], Y[TRAIN], progress=lambda f, note="": calls.append(f))
    )
    same(resumed, fitted)
    assert len(blocks(tmp_path)) == 2
    assert min(fraction for fraction in calls if fraction > 0) > 0.06 * there  # it did not begin anew


def trained(folder: Path, **more) -> DiehlCookClassifier:
    return DiehlCookClassifier(**{**SMALL, **more}, checkpoint=str(folder)).fit(X[TRAIN], Y[TRAIN])


@pytest.mark.parametrize("how", ["cut", "flipped", "json"])
def test_a_damaged_checkpoint_is_named_and_the_one_before_is_used(tmp_path, fitted, how, capfd):
    trained(tmp_path)
    assert len(blocks(tmp_path)) == 2
    newest = tmp_path / blocks(tmp_path)[-1]
    file = newest if how == "json" else newest.with_suffix(".npz")
    content = bytearray(file.read_bytes())
    if how == "flipped":
        content[len(content) // 2] ^= 1
    file.write_bytes(content if how == "flipped" else content[: len(content) // 2])
    same(trained(tmp_path), fitted)
    told = capfd.readouterr().err
    assert str(file) in told and "damaged" in told and "the checkpoint before it is used" in told


def test_where_every_checkpoint_is_damaged_it_is_refused(tmp_path):
    trained(tmp_path, passes=1)
    for path in tmp_path.glob("block-*.npz"):
        path.write_bytes(b"")
    with pytest.raises(PlasticityError, match="no other checkpoint; delete"):
        trained(tmp_path, passes=1)


def test_checkpoints_of_another_training_are_refused(tmp_path):
    trained(tmp_path, passes=1)
    with pytest.raises(WrongUse, match=r"another training \(theta_plus_mv differ\)"):
        trained(tmp_path, passes=1, theta_plus_mv=0.02)
    with pytest.raises(WrongUse, match="another training"):
        DiehlCookClassifier(**{**SMALL, "passes": 1}, checkpoint=str(tmp_path)).fit(X[TRAIN][::-1], Y[TRAIN])


def test_two_trainings_in_one_folder_are_refused(tmp_path):
    with checkpoints.Checkpoints.open(tmp_path, {}), pytest.raises(WrongUse, match="another process trains"):
        trained(tmp_path)


def test_a_full_disk_stops_with_a_sentence_and_keeps_the_last_good_block(tmp_path, fitted, monkeypatch):
    own, written = os.fsync, []

    def fsync(number):
        written.append(number)
        if len(written) > 6:  # two files a block: in the fourth
            raise OSError(28, "No space left on device")
        own(number)

    monkeypatch.setattr(records.os, "fsync", fsync)
    with pytest.raises(PlasticityError, match="No space left on device"):
        trained(tmp_path)
    assert blocks(tmp_path) == ["block-000002.json", "block-000003.json"]
    assert not list(tmp_path.glob(f"{records.TEMPORARY}*"))
    monkeypatch.setattr(records.os, "fsync", own)
    same(trained(tmp_path), fitted)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"neurons": 0}, "neurons=0"),
        ({"readout": "most"}, "unknown value for readout"),
        ({"rule": "nobody"}, "unknown rule"),
        ({"input_hz": float("nan")}, "input_hz=nan"),
        ({"random_state": -1}, "random_state=-1"),
    ],
)
def test_wrong_parameters_are_refused(change, text):
    with pytest.raises(WrongUse, match=text):
        DiehlCookClassifier(**{**SMALL, **change}).fit(X[TRAIN], Y[TRAIN])


@pytest.mark.parametrize(
    ("images", "labels", "text"),
    [
        (X[:20] * 16, Y[:20], "run from 0 to 16"),
        (np.full((20, 64), np.nan), Y[:20], "from nan"),
        (X[:20], Y[:19], "one label for each"),
        (X[:20], np.zeros(20), "two classes"),
        (np.zeros((20, 64)), Y[:20], "dark"),
        (X[0], Y[:64], "needs the shape"),
        ([["a"]], [1], "not a table of numbers"),
    ],
)
def test_wrong_images_and_labels_are_refused(images, labels, text):
    with pytest.raises(WrongUse, match=text):
        DiehlCookClassifier(**SMALL).fit(images, labels)


def test_images_of_another_size_than_learnt_are_refused(fitted):
    with pytest.raises(WrongUse, match="fitted on 64"):
        fitted.predict(X[:3, :60])


def test_no_image_is_named_by_itself_in_any_pass():
    """With labels drawn at random, the accuracy during training is chance in later passes as well."""
    labels = np.random.default_rng(0).integers(0, 10, 400)
    labels[:10] = np.arange(10)
    learner = DiehlCookClassifier(neurons=30, block=50, passes=6, label_images=20).fit(X[:400], labels)
    late = learner.history_["trials"] > 400
    found = learner.history_["accuracy"][late]
    assert len(found) > 25
    assert found.mean() < 0.1 + 4 * np.sqrt(0.09 / (50 * len(found)))  # 4 standard errors of chance


def test_the_control_begins_with_the_sum_that_training_begins_with(fitted):
    before = clone(fitted).untrained(X[TRAIN], Y[TRAIN])
    np.testing.assert_allclose(before.weights_.sum(axis=0), 64 * 78 / 784, rtol=1e-6)


def test_what_is_told_of_a_training_without_a_second_block_is_empty():
    learner = DiehlCookClassifier(neurons=30, block=50, label_images=20).fit(X[:30], Y[:30])
    assert all(len(line) == 0 for line in learner.history_.values())


def test_parameters_that_were_changed_after_fit_are_refused(fitted):
    other = clone(fitted).untrained(X[TRAIN], Y[TRAIN])
    other.set_params(neurons=20)
    with pytest.raises(WrongUse, match="changed after fit"):
        other.predict(X[:3])
    other.set_params(neurons=30, readout="proportion")
    assert other.predict(X[:3]).shape == (3,)


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        ("bcm", "needs more than .*; known to fit: attention_gated, diehl_cook, hebb, inhibitory_stdp, pair_stdp, triplet_stdp"),
        ("voltage_stdp", "needs more"),
        (pair_stdp.with_traces("reduced"), "the rule pair_stdp remembers spikes at its synapses"),
        (3, "is not of type Rule or str"),
    ],
)
def test_rules_that_do_not_fit_are_refused_before_anything_is_compiled(rule, text):
    with pytest.raises(WrongUse, match=text):
        DiehlCookClassifier(**{**SMALL, "rule": rule}).fit(X[TRAIN], Y[TRAIN])


@pytest.mark.parametrize("labels", [np.where(np.arange(20) == 3, np.nan, 1.0 * Y[:20]), np.array([None, *Y[1:20]], dtype=object)])
def test_labels_that_name_no_class_are_refused(labels):
    with pytest.raises(WrongUse, match="names no class"):
        DiehlCookClassifier(**SMALL).fit(X[:20], labels)


@pytest.mark.parametrize("change", [{"neurons": True}, {"checkpoint": ""}])
def test_odd_parameters_are_refused(change):
    with pytest.raises(WrongUse, match=next(iter(change))):
        DiehlCookClassifier(**{**SMALL, **change}).fit(X[:20], Y[:20])


# Which images name the neurons


def test_the_first_images_name_the_neurons_unless_they_lack_a_class():
    naming = DiehlCookClassifier(label_images=50)._naming
    mixed = np.arange(150) % 3
    np.testing.assert_array_equal(naming(mixed), np.arange(50))
    chosen = naming(np.sort(mixed))
    assert len(chosen) == 50 and (np.diff(chosen) > 0).all()
    counts = np.bincount(np.sort(mixed)[chosen])
    assert counts.max() - counts.min() <= 1 and {0, 50, 100} <= set(chosen)
    rare = np.repeat([0, 1, 2], [140, 8, 2])  # in proportion, and one of each at least
    assert np.bincount(rare[naming(rare)]).tolist() == [46, 3, 1]
    few = DiehlCookClassifier(label_images=2)
    with pytest.warns(UserWarning, match="label_images=2 are fewer than the 3 classes.*give label_images=3 or more"):
        assert len(few._naming(mixed)) == 2
    np.testing.assert_array_equal(DiehlCookClassifier()._naming(np.sort(mixed)), np.arange(150))  # all of them


def test_images_in_the_order_of_their_classes_name_all_classes():
    shown, labels = X[Y < 3][:150], Y[Y < 3][:150]
    order = np.argsort(labels, kind="stable")
    learner = DiehlCookClassifier(neurons=20, block=50, label_images=50).fit(shown[order], labels[order])
    assert set(learner.predict(shown)) == {0, 1, 2}
    assert learner.score(shown, labels) > 0.75  # .92 was measured, .33 where the first images alone name
    assert (learner.responses_.sum(axis=1) > 5).all()


@pytest.mark.parametrize("precision", [np.float16, np.float32])
def test_the_precision_of_the_images_does_not_change_their_rates(precision):
    """Sixteenths are exact in every precision: what float16 rounded were the rates, three digits of them."""
    shown, labels = X[:60], Y[:60]
    given, exact = (DiehlCookClassifier(neurons=10, block=60) for _ in range(2))
    given.fit(shown.astype(precision), labels)
    exact.fit(shown.astype(np.float64), labels)
    seen = [learner._images(part) * learner._max_rate_hz for learner, part in ((given, shown.astype(precision)), (exact, shown))]
    np.testing.assert_allclose(seen[0], seen[1], rtol=1e-6)  # float32
    if precision is np.float16:
        same(given, exact)


def test_a_place_in_x_changes_an_answer_as_much_as_other_noise_and_the_image_before_does_not(fitted):
    """The spikes of an image after two different ones, over 12 draws of noise: no further apart than the noise explains."""
    asked, counts = X[300:330], []
    learner = clone(fitted).fit(X[TRAIN], Y[TRAIN])
    for before in (X[400:430], X[500:530]):
        pairs = np.empty((60, 64), np.float32)
        pairs[0::2], pairs[1::2] = before, asked
        draws = []
        for seed in range(12):
            learner.random_state = seed
            learner._fitted = learner._parameters()
            draws.append(learner.spikes(pairs)[1::2].sum(axis=1))
        counts.append(np.array(draws))
    a, b = counts
    z2 = np.square(a.mean(axis=0) - b.mean(axis=0)) / np.maximum((a.var(axis=0, ddof=1) + b.var(axis=0, ddof=1)) / 12, 1e-9)
    # 1 without an effect (1.1 with 11 degrees of freedom each), standard deviation sqrt(2/30) = .26: four of them above
    assert z2.mean() < 1.1 + 4 * 0.28
