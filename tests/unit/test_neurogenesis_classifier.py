"""New neurons: who is in the reserve, who is born when, who goes, and what is kept."""

from __future__ import annotations

import numpy as np
import pytest

import plasticity as pl
from plasticity.engine import compiler
from plasticity.gates import NoGate
from plasticity.learners import NeurogenesisClassifier
from simulations.neurogenesis import similarity, turned
from tests.unit.test_rewiring_classifier import trials

GIVEN = {"gate": NoGate(), "streams": 1, "neurons_per_class": 4, "theta_plus": 0.02, "block": 100}
pytestmark = pytest.mark.skipif(not compiler(), reason="needs a C++ compiler")


@pytest.mark.full
def test_without_births_the_reserve_is_silent_and_the_others_learn_as_ever():
    X, y = trials(120)
    learner = NeurogenesisClassifier(birth_hz=0.0, **GIVEN).fit(X, y)
    assert learner.there_.tolist() == [1, 1, 0, 0] * 2 and (learner.living_ == 40).all()
    silent = learner.there_ == 0
    assert (learner.weights_[:, silent] == 0).all() and not learner.represent(X)[:, silent].any()
    everyone = NeurogenesisClassifier(birth_hz=1000.0, reserve=0.0, **GIVEN).fit(X, y)
    assert (everyone.there_ == 1).all() and (everyone.living_ == 80).all()
    shown, answers = trials(100, seed=1)
    assert (learner.predict(shown) == answers).mean() > 0.9 < (everyone.predict(shown) == answers).mean()


def test_neurons_are_born_from_their_trial_on_stay_where_they_are_used_and_go_where_they_are_not(tmp_path):
    X, y = trials(300)
    born = NeurogenesisClassifier(birth_hz=1000.0, begin=100, youth=1000, **GIVEN).fit(X, y)
    neurons = born.living_[1:] / 10
    assert (neurons[:10] == 4).all() and (neurons[11:] == 8).all()  # an update every 10 trials
    assert born.represent(X)[:, [2, 3, 6, 7]].any() and (born.there_ == 1).all()
    lost = NeurogenesisClassifier(birth_hz=1000.0, begin=100, youth=50, enough=1_000_000, **GIVEN).fit(X, y)
    neurons = lost.living_[1:] / 10
    assert {*neurons[11:]} == {4.0, 8.0}  # nobody has so many spikes: all of them go, and are born anew
    kept = NeurogenesisClassifier(birth_hz=1000.0, begin=100, youth=50, enough=0, **GIVEN).fit(X, y)
    assert (kept.living_[12:] == 80).all()
    again = pl.load(born.save(tmp_path / "kept") or tmp_path / "kept")
    np.testing.assert_array_equal(again.represent(X), born.represent(X))


@pytest.mark.full
def test_young_neurons_win_more_often_the_more_excitable_they_are():
    X, y = trials(200)
    given = {"birth_hz": 1000.0, "begin": 100, "youth": 1000, **GIVEN}
    calm, eager = (NeurogenesisClassifier(excess=excess, **given).fit(X, y) for excess in (0.0, 0.9))
    young = [2, 3, 6, 7]
    assert eager._used[young].sum() > calm._used[young].sum()


def test_turned_images_and_similarity_are_what_they_say():
    image = np.zeros((1, 64))
    image[0, 8 * 3 + 1] = 1.0
    assert np.argmax(turned(image, 180.0)) == 8 * 4 + 6 and turned(image, 180.0).max() == pytest.approx(1)
    one, other = np.array([[1.0, 0.0], [1.0, 1.0], [0.0, 0.0]]), np.array([[1.0, 1.0], [1.0, 1.0], [1.0, 0.0]])
    assert similarity(one, other) == pytest.approx((0.5**0.5 + 1) / 2)
