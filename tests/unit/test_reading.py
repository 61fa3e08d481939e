"""Spiking layers that read: their weights and gains change as in a loop over texts; what learns which words matter."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from brian2 import ms

from bridges.comparison.reading import REMOVED, _ranked, _without, read, speaking
from plasticity.engine import compiler
from plasticity.errors import WrongUse
from plasticity.learners import CountingWords, SpikingReader
from plasticity.networks.reading import Reading
from plasticity.saving import load
from plasticity.tasks import Tokens

needs_compiler = pytest.mark.skipif(not compiler(), reason="hundreds of texts take minutes without a C++ compiler")


def texts(count: int, seed: int = 0, vocabulary: int = 12, length: int = 8) -> Tokens:
    """Texts of random words in which word 1, 2 or 3 says the class, and all others nothing."""
    rng = np.random.default_rng(seed)
    label = rng.integers(3, size=count)
    token = rng.integers(4, vocabulary, size=(count, length))
    token[np.arange(count), rng.integers(length, size=count)] = 1 + label
    token[::3, -2:] = np.where(token[::3, -2:] > 3, -1, token[::3, -2:])  # some are shorter
    token[np.maximum.accumulate(token < 0, axis=1)] = -1
    known = (np.isin(token, (1, 2, 3))).any(axis=1)
    token[~known, 0] = 1 + label[~known]
    return Tokens(token, label, np.arange(count), vocabulary, 3)


@pytest.mark.full
@pytest.mark.parametrize("timed", [False, True])
@needs_compiler
def test_weights_and_gains_change_as_in_a_loop_over_texts(timed):
    """From the recorded spikes and choices, one text after the other; traces forget with 10 s."""
    words, hidden, actions, trials, steps, eta, eta_gate = 12, 9, 3, 40, 50, 0.004, 0.3
    net = Reading(streams=1, features=words, hidden=(hidden,), actions=actions, record=True, block=trials, timed=timed)
    due = {phase: steps - len(net.phases) + k for k, phase in enumerate(net.phases)}
    age = steps - 1 - np.arange(steps)[:, None]
    left = np.where(age > 0, np.exp(-age / 1e4), 0)  # of a spike's trace when weights change; in that very step it is too late
    lowest = left if timed else np.where(age > 0, (1 - 1e-4) ** age, 0)  # inputs at rates are integrated by Euler's method
    rng = np.random.default_rng(0)
    weights, back = ([1.5 * rng.standard_normal(s) for s in ((words, hidden), (hidden, actions))] for _ in range(2))
    gate, norm, label = 0.5 + rng.random(words), 0.3 + rng.random(trials), rng.integers(actions, size=trials)
    start = [weights[0].copy(), gate.copy()]
    drive, size = (1.0, 1 / 8), 1.0 if timed else 12.0
    given = {"label": label.astype(float), "learning": 1.0, "explore": 0.3, "norm": norm, "w_gate": gate.copy()}
    given |= {"eta_gate": eta_gate, "per_spike": 1 / size}
    for k in (1, 2):
        given |= {f"w_{k}": weights[k - 1].ravel(), f"back_{k}": back[k - 1].ravel(), f"eta_{k}": eta, f"drive_{k}": drive[k - 1]}
    word = np.where((np.arange(trials * steps) % steps >= 3) & (np.arange(trials * steps) % steps < 30), 0, -1)
    word = np.where(word == 0, rng.integers(words, size=trials * steps), -1)
    given |= {"word": word.astype(float)} if timed else {"rates": rng.random((trials, words)) * 240 * (rng.random(words) < 0.6)}
    out = net.program().run(0, given, duration=trials * steps * ms)

    def trains(name, neurons):
        found = np.zeros((trials * steps, neurons))
        np.add.at(found, ((out[f"{name}.t"] * 1e3 + 0.5).astype(int), out[f"{name}.i"]), 1)
        return found.reshape(trials, steps, neurons)

    shown, fired = trains("streams", words), trains("hidden_1", hidden)
    if timed:
        np.testing.assert_array_equal(shown.reshape(-1, words).sum(axis=0), np.bincount(word[word >= 0], minlength=words))
    for n in range(trials):
        chosen = int(out["choice"][n])
        predicted = drive[1] * fired[n, : due["compare"] + 1].sum(axis=0) @ weights[1][:, chosen]
        surprise = (chosen == label[n]) - predicted
        told = np.eye(actions)[chosen]
        attention = back[1] @ told
        below = back[0] @ (attention * fired[n, : due["echo_1"]].any(axis=0))
        change = eta * surprise * np.outer((fired[n] * left).sum(axis=0), told * left[due["choose"]])
        weights[1], back[1] = weights[1] + change, back[1] + change
        seen = (shown[n] * lowest).sum(axis=0) * gate * norm[n]
        change = eta * surprise * np.outer(seen, attention * (fired[n] * left).max(axis=0))
        weights[0], back[0] = weights[0] + change, back[0] + change
        heard = shown[n, : due["report"]].sum(axis=0) * below * norm[n] / size
        gate = np.clip(gate + eta_gate * surprise * heard * left[0] * left[1], 0, 4)
    assert np.abs(weights[0] - start[0]).max() > 0.01 and np.abs(gate - start[1]).max() > 0.01  # they have changed
    np.testing.assert_allclose(out["w_1"].reshape(words, hidden), weights[0], rtol=0, atol=1e-8)
    np.testing.assert_allclose(out["w_2"].reshape(hidden, actions), weights[1], rtol=0, atol=1e-8)
    np.testing.assert_allclose(out["w_gate"], gate, rtol=0, atol=1e-8)


@pytest.mark.full
@needs_compiler
def test_without_a_gate_hidden_neurons_fire_as_with_one_whose_gains_are_all_1():
    rng, trials = np.random.default_rng(0), 20
    given = {"rates": rng.random((trials, 12)) * 240, "norm": 0.3 + rng.random(trials), "drive_1": 1.0, "learning": 0.0}
    given |= {"w_1": rng.standard_normal(12 * 9)}
    fired = []
    for gated in (True, False):
        net = Reading(streams=1, features=12, hidden=(9,), actions=3, record=True, block=trials, gated=gated)
        out = net.program().run(0, given | ({"w_gate": np.ones(12)} if gated else {}), duration=trials * 50 * ms)
        fired.append(sorted(zip(out["hidden_1.t"].tolist(), out["hidden_1.i"].tolist(), strict=True)))
    assert len(fired[0]) > 100 and fired[0] == fired[1]


@pytest.mark.full
@needs_compiler
def test_the_gate_opens_for_words_that_tell_the_class_and_what_was_saved_answers_the_same(tmp_path):
    train, test = texts(600), texts(200, seed=1)
    learner = SpikingReader(hidden=(30,), passes=6, vocabulary=12).fit(train.X, train.y)
    gains = learner.gate_weights_
    assert np.sort(gains[1:4])[1] > gains[4:].max()  # two classes are told by their words, and the third by neither
    assert np.mean(learner.predict(test.X) == test.y) > 0.9  # chance is 1/3
    weights = learner.attention_weights(test.X)
    assert weights.shape == test.X.shape and (weights[test.X < 0] == 0).all()
    np.testing.assert_allclose(weights.sum(axis=1), 1)
    learner.save(tmp_path / "reader")
    np.testing.assert_array_equal(load(tmp_path / "reader").predict(test.X), learner.predict(test.X))
    found = read(learner, test, train, seed=0)
    assert (found["deletion_attended"] < found["deletion_random"])[:1].all()
    shuffled = SpikingReader(hidden=(30,), passes=6, vocabulary=12, feedback="shuffled").fit(train.X, train.y)
    ratio = [g[1:4].mean() / g[4:].mean() for g in (shuffled.gate_weights_, gains)]
    assert ratio[0] < ratio[1]  # attention from an action drawn at random tells them apart less


def test_intensities_grow_with_the_logarithm_of_the_count_and_all_texts_are_as_strong():
    learner = SpikingReader(vocabulary=5)
    X = learner._read(np.array([[1, 1, 1, 2], [3, -1, -1, -1]]), fitting=True)
    found = learner._intensities(X).toarray()
    np.testing.assert_allclose(found, [[0, 2 / 3, 1 / 3, 0, 0], [0, 0, 0, 1 / 3, 0]])
    given = learner._stimuli(X, np.zeros(2))
    length = np.linalg.norm(given["rates"] * given["norm"][:, None], axis=1)
    np.testing.assert_allclose(length, length[0])
    timed = SpikingReader(vocabulary=5, words="in_time", longest=4)
    timed._read(X, fitting=True)
    word = timed._stimuli(X, np.zeros(2))["word"].reshape(2, -1)
    assert [row[row >= 0].tolist() for row in word] == [[1, 1, 1, 2], [3]]


def test_words_are_counted_as_scikit_learn_counts_them(tmp_path):
    from sklearn.feature_extraction.text import TfidfTransformer
    from sklearn.linear_model import LogisticRegression
    from sklearn.naive_bayes import MultinomialNB

    train, test = texts(200), texts(100, seed=1)

    def counts(trials):
        return np.array([np.bincount(text[text >= 0], minlength=12) for text in trials.X])

    bayes = CountingWords(kind="naive_bayes", vocabulary=12).fit(train.X, train.y)
    theirs = MultinomialNB(alpha=0.1).fit(counts(train), train.y)
    np.testing.assert_allclose(bayes.predict_proba(test.X), theirs.predict_proba(counts(test)), atol=1e-12)
    for classes in (3, 2):
        y = np.minimum(train.y, classes - 1)
        ours = CountingWords(vocabulary=12).fit(train.X, y)
        weighing = TfidfTransformer(sublinear_tf=True).fit(counts(train))
        theirs = LogisticRegression(C=10, max_iter=1000).fit(weighing.transform(counts(train)), y)
        np.testing.assert_allclose(ours.predict_proba(test.X), theirs.predict_proba(weighing.transform(counts(test))), atol=1e-6)
    ours.save(tmp_path / "counting")
    np.testing.assert_array_equal(load(tmp_path / "counting").predict_proba(test.X), ours.predict_proba(test.X))


def test_the_most_attended_words_go_first_with_all_their_occurrences():
    text, attention = np.array([5, 2, 5, 7, -1]), np.array([0.1, 0.2, 0.9, 0.45, 0.0])
    attended = _ranked(text, attention, np.random.default_rng(0))
    assert attended.tolist() == [5, 7, 2]
    first = [_ranked(text, np.zeros(5), np.random.default_rng(k))[0] for k in range(300)]  # equal scores: a random order
    assert all(70 < first.count(word) < 130 for word in (2, 5, 7))
    assert _without(text, attended[:1]).tolist() == [2, 7]
    assert _without(text, attended).tolist() == [0]  # one unknown word where none is left


def test_taking_out_the_words_that_decide_costs_what_random_words_do_not():
    train, test = texts(400), texts(200, seed=1)
    found = read(CountingWords(vocabulary=12).fit(train.X, train.y), test, train, seed=0)
    assert found["deletion_whole"] > 0.95 and found["deletion_attended"].shape == (len(REMOVED),)
    assert found["deletion_attended"][0] < 0.6 < 0.75 < found["deletion_random"][0]
    assert found["read_words"].shape == found["read_attention"].shape
    assert found["deletion_chi_square"][0] < 0.6


def test_a_learner_without_attention_loses_the_words_of_chi_square_and_random_ones():
    train, test = texts(400), texts(200, seed=1)

    class Blind:
        def predict(self, X):
            return np.where((X == 1).any(axis=1), 0, np.where((X == 2).any(axis=1), 1, 2))

    found = read(Blind(), test, train, seed=0)
    assert not [name for name in found if "attended" in name or name.startswith("read_")]
    assert found["deletion_whole"] == 1
    assert found["deletion_chi_square"][0] < 0.6 < 0.75 < found["deletion_random"][0]


def test_the_words_of_largest_chi_square_are_those_of_a_table_of_texts_and_classes():
    train = texts(300)
    found = speaking(train)
    assert set(np.argsort(-found)[:3]) == {1, 2, 3} and found.shape == (12,)
    present = np.array([(train.token == word).any(axis=1) for word in range(12)])
    seen = np.array([[present[word][train.y == k].sum() for k in range(3)] for word in (1, 7)])
    expected = seen.sum(axis=1)[:, None] * np.bincount(train.y) / len(train)
    np.testing.assert_allclose(found[[1, 7]], ((seen - expected) ** 2 / expected).sum(axis=1))


@pytest.mark.parametrize(
    ("X", "told"),
    [
        (np.array([[0.5, 1.0]]), "holds no sequences"),
        (np.array([[1, -1, 2]]), "sequence 0 has a gap"),
        (np.array([[-1, -1]]), "sequence 0 is empty"),
        ([[1, 2], [3]], "holds no sequences"),
        (np.zeros((0, 3), dtype=int), "holds no sequences"),
    ],
)
def test_what_are_no_symbols_is_refused_in_one_sentence(X, told):
    for learner in (CountingWords(), SpikingReader()):
        with pytest.raises(WrongUse, match=told):
            learner.fit(X, [0] * len(X))


def test_a_symbol_beyond_the_vocabulary_and_one_class_are_refused():
    learner = CountingWords(vocabulary=12).fit(texts(50).X, texts(50).y)
    with pytest.raises(WrongUse, match="symbol 12.*ends at 11"):
        learner.predict(np.array([[12]]))
    with pytest.raises(WrongUse, match="two classes"):
        CountingWords().fit(np.array([[1], [2]]), [0, 0])


def test_both_sides_of_a_comparison_are_written_for_tensorboard(tmp_path):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    from bridges import compare
    from bridges.comparison.tensorboard import write
    from plasticity.tasks import Digits

    task = Digits(train=60, validation=20, test=20)
    settings = {"rate_brainprop": {"passes": 2, "hidden": (8,)}, "mlp": {"epochs": 2, "hidden": 8}}
    comparison = compare(["rate_brainprop", "mlp"], task, seeds=[3, 4], jobs=1, settings=settings)
    write(comparison, tmp_path)
    for learner, group in (("rate_brainprop", "weights/weights_1"), ("mlp", "weights/head_2_weight")):
        events = EventAccumulator(str(tmp_path / "seed-0004" / learner)).Reload()
        curve = [event.value for event in events.Scalars("validation/accuracy")]
        np.testing.assert_allclose(curve, comparison.records[4, learner].arrays["history_accuracy"], rtol=1e-6)
        assert events.Scalars("test/accuracy")[0].value == pytest.approx(comparison.records[4, learner].numbers["accuracy"])
        after = events.Histograms(group)[-1].histogram_value
        assert after.num > 8 and sum(after.bucket) == after.num


@pytest.mark.parametrize("numbers", [[1, 1], [1, np.nextafter(1, 2)], [1e300, 1e300], [0, 5e-324], [-1, 2], [1e17, 1e17 + 16]])
def test_weights_that_hardly_differ_have_a_histogram(numbers):
    from bridges.comparison.tensorboard import histograms

    edges, counts = histograms(SimpleNamespace(learnt=lambda: {"w": numbers}), "after")["histogram_after_w"]
    assert counts.sum() == 2 and (np.diff(edges) > 0).all() and edges[0] <= numbers[0] and numbers[1] <= edges[-1]
