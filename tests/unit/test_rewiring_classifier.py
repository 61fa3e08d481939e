"""The spiking classifier on a pool of synapses: what lives, what it costs, what is kept."""

from __future__ import annotations

import numpy as np
import pytest
from brian2 import Hz, second

import plasticity as pl
from plasticity.engine import compiler
from plasticity.errors import WrongUse
from plasticity.gates import NoGate
from plasticity.learners import RewiringClassifier, SpikingClassifier
from plasticity.structure import critical_period, growth_curves, magnitude_pruning

GIVEN = {"gate": NoGate(), "streams": 1, "neurons_per_class": 3, "block": 100}
needs_compiler = pytest.mark.skipif(not compiler(), reason="needs a C++ compiler")


def trials(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    y = rng.integers(2, size=n)
    return np.where(np.arange(10) // 5 == y[:, None], 0.8, 0.1) + 0.1 * rng.random((n, 10)), y


@needs_compiler
def test_a_pool_that_is_all_alive_is_the_ordinary_classifier():
    X, y = trials(120)
    plain = SpikingClassifier(**GIVEN).fit(X, y)
    pool = RewiringClassifier(law=magnitude_pruning(share=0.0), **GIVEN).fit(X, y)
    np.testing.assert_allclose(pool.weights_, plain.weights_, rtol=1e-12)
    np.testing.assert_array_equal(pool.represent(X), plain.represent(X))
    for phase in ("training", "decision"):
        ours, theirs = pool.activity_[phase], plain.activity_[phase]
        for key in ("synaptic_operations", "weight_updates", "weights_scaled", "spikes", "synapses"):
            assert ours[key] == pytest.approx(theirs[key], rel=1e-12), key
        words = [told["operations"]["synapses"]["weight_words"] for told in (ours, theirs)]
        relay = ours["spikes"]["relay"] * ours["fan_out"]["relay"]
        assert words[0] - words[1] == pytest.approx(relay)  # an address for each arrival


@pytest.mark.full
@needs_compiler
def test_what_is_pruned_stays_dead_costs_nothing_and_is_kept(tmp_path):
    X, y = trials(120)
    law = critical_period(creation=0.3 * Hz, onset=4 * second, share=0.2, until=9 * second)
    learner = RewiringClassifier(law=law, alive=0.4, **GIVEN).fit(X, y)
    course = learner.living_
    assert (
        course[0] == course[1] == 24 and len(course) == 13
    )  # of 60; then after each of 12 updates, the first one before anything
    assert (np.diff(course[1:5]) >= 0).all() and course[4] > 24 and (np.diff(course[5:10]) < 0).all() and len({*course[10:]}) == 1
    assert course[-1] == learner.alive_.sum() == learner.parameters_ and (learner.weights_[~learner.alive_] == 0).all()
    share = learner.parameters_ / 60
    learner.predict(X)
    decision = learner.activity_["decision"]
    assert decision["synapses"]["relay"] == pytest.approx(60 * share) and decision["stored"]["weights"] == 2 * learner.parameters_
    full = RewiringClassifier(law=magnitude_pruning(share=0.0), **GIVEN).fit(X, y)
    full.predict(X)
    assert decision["synaptic_operations"] < 0.9 * full.activity_["decision"]["synaptic_operations"]
    again = pl.load(learner.save(tmp_path / "kept") or tmp_path / "kept")
    np.testing.assert_array_equal(again.represent(X), learner.represent(X))
    other = RewiringClassifier(law=law, alive=0.4, **GIVEN).fit(X, y)
    np.testing.assert_array_equal(other.alive_, learner.alive_)
    np.testing.assert_array_equal(other.weights_, learner.weights_)


@pytest.mark.full
@needs_compiler
@pytest.mark.parametrize(("every", "block"), [(7, 100), (10, 13), (150, 100), (1000, 100)])
def test_the_law_is_asked_as_often_as_it_says_wherever_runs_end(every, block):
    X, y = trials(300)
    learner = RewiringClassifier(law=magnitude_pruning(share=0.1), every_trials=every, **{**GIVEN, "block": block}).fit(X, y)
    assert len(learner.living_) - 1 == -(-300 // every)


@needs_compiler
def test_what_was_shown_nothing_has_what_is_alive_at_first():
    X, y = trials(60)
    learner = RewiringClassifier(alive=0.5, **GIVEN).untrained(X, y)  # the program of the test above
    assert learner.alive_.sum() == 30 and (learner.weights_[~learner.alive_] == 0).all()


@pytest.mark.full
@needs_compiler
def test_a_network_of_which_nothing_is_left_is_told():
    X, y = trials(60)
    with pytest.warns(UserWarning, match="no synapse is left alive; let fewer die"):
        RewiringClassifier(law=magnitude_pruning(share=1.0), **GIVEN).fit(X, y)


@pytest.mark.parametrize(
    "make",
    [
        lambda: magnitude_pruning(share=1.5),
        lambda: critical_period(share=-1.0),
        lambda: critical_period(onset=50 * second, until=40 * second),
    ],
)
def test_laws_refuse_numbers_that_cannot_be(make):
    with pytest.raises(WrongUse, match="it needs 0 <= share <= 1"):
        make()


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"law": "magnitude"}, "unknown law 'magnitude'.*magnitude_pruning"),
        ({"law": growth_curves}, "growth_curves asks for variables that its neurons have not"),
        ({"alive": 0.0}, "alive"),
        ({"every_trials": 0}, "every_trials"),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(settings, told):
    with pytest.raises(WrongUse, match=told):
        RewiringClassifier(**settings).check()
