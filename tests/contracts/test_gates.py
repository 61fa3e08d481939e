"""Gates: gains by definition, controls that differ from the gate in one thing only, and what is refused."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from scipy import stats

from plasticity import engine
from plasticity.errors import WrongUse
from plasticity.gates import GATES, EqualGain, Gate, InputGain, LearningGate, NoGate, ShuffledGate
from plasticity.learners import SpikingClassifier
from plasticity.settings import changed, describe, plain

TRIALS = 4000
GAINS = (2.5, 0.25)


def cues(streams: int) -> np.ndarray:
    return np.random.default_rng(11).integers(streams, size=TRIALS)


def made(kind: Any) -> Gate:
    return kind() if kind is NoGate else kind(*GAINS)


def rng(seed: int = 5) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.mark.parametrize("streams", [1, 2, 3])
@pytest.mark.parametrize("kind", GATES.values(), ids=GATES)
def test_gains_are_one_number_for_each_stream_of_each_trial(kind: type[Gate], streams: int):
    for method in (made(kind).gains, made(kind).learning):
        gains = method(cues(streams), streams, rng())
        assert gains.shape == (TRIALS, streams) and gains.dtype == float and np.isfinite(gains).all() and (gains >= 0).all()


@pytest.mark.parametrize("kind", GATES.values(), ids=GATES)
def test_the_same_generator_state_gives_the_same_gains(kind: type[Gate]):
    gate, cue = made(kind), cues(2)
    assert np.array_equal(gate.gains(cue, 2, rng()), gate.gains(cue, 2, rng()))
    assert np.array_equal(gate.learning(cue, 2, rng()), gate.learning(cue, 2, rng()))


def test_no_gate_is_gain_1_everywhere():
    assert (NoGate().gains(cues(3), 3, rng()) == 1).all() and (NoGate().learning(cues(3), 3, rng()) == 1).all()


@pytest.mark.parametrize("streams", [2, 3])
def test_the_input_gate_raises_the_cued_stream_and_lowers_the_others(streams: int):
    cue, gate = cues(streams), InputGain(*GAINS)
    gains = gate.gains(cue, streams, rng())
    for trial in range(50):
        assert [gains[trial, s] for s in range(streams)] == [GAINS[0] if s == cue[trial] else GAINS[1] for s in range(streams)]
    assert (gains.argmax(axis=1) == cue).all() and (gate.learning(cue, streams, rng()) == 1).all()


def test_the_learning_gate_leaves_the_input_alone_and_gates_the_learning():
    gate, cue = LearningGate(*GAINS), cues(2)
    assert (gate.gains(cue, 2, rng()) == 1).all()
    assert np.array_equal(gate.learning(cue, 2, rng()), InputGain(*GAINS).gains(cue, 2, rng()))


@pytest.mark.parametrize("streams", [1, 2, 3, 7])
def test_equal_gain_has_the_gates_total_drive_in_every_trial_without_selection(streams: int):
    cue = cues(streams)
    gate, equal = (kind(*GAINS).gains(cue, streams, rng()) for kind in (InputGain, EqualGain))
    assert np.allclose(equal.sum(axis=1), gate.sum(axis=1), rtol=1e-14, atol=0)  # sums of up to 7 numbers, each rounded
    assert (equal == equal[0, 0]).all()


@pytest.mark.parametrize("streams", [2, 3])
def test_the_shuffled_gate_has_the_gates_gains_on_a_stream_independent_of_the_cue(streams: int):
    cue = cues(streams)
    gains = ShuffledGate(*GAINS).gains(cue, streams, rng())
    assert np.array_equal(np.sort(gains, axis=1), np.sort(InputGain(*GAINS).gains(cue, streams, rng()), axis=1))
    picked = gains.argmax(axis=1)
    table = np.zeros((streams, streams))
    np.add.at(table, (cue, picked), 1)
    assert stats.chi2_contingency(table).pvalue > 1e-3  # with this seed; another one would miss it in 1 of 1000 cases
    hits, chance = (picked == cue).sum(), 1 / streams
    assert abs(hits - TRIALS * chance) < 4 * np.sqrt(TRIALS * chance * (1 - chance))  # four standard errors of a binomial
    assert not np.array_equal(picked, ShuffledGate(*GAINS).gains(cue, streams, rng(6)).argmax(axis=1))


@pytest.mark.parametrize("kind", [InputGain, ShuffledGate, EqualGain, LearningGate], ids=lambda k: k.name)
@pytest.mark.parametrize("field", ["attended", "ignored"])
@pytest.mark.parametrize(
    ("gain", "message"),
    [
        (-0.5, "=-0.5 must be a finite gain of 0 or more"),
        (float("nan"), "=nan must be a finite gain"),
        (float("inf"), "=inf must be a finite gain"),
        ("2", "='2' must be a finite gain"),
        (None, "=None must be a finite gain"),
        (np.ones(2), r"is one number, not an array of shape \(2,\)"),
        (1j, "must be a finite gain"),
        (True, "=True must be a finite gain"),
        (np.datetime64("2020-01-01"), "must be a finite gain"),
    ],
    ids=["negative", "NaN", "infinite", "text", "None", "array", "complex", "bool", "date"],
)
def test_a_gain_that_is_no_gain_is_refused(kind: Any, field: str, gain: Any, message: str):
    with pytest.raises(WrongUse, match=f"{kind.__name__}: {field}.*{message}"):
        kind(**{field: gain})


def test_a_gain_of_zero_shuts_the_stream():
    assert np.array_equal(InputGain(1, 0).gains(np.array([0, 1]), 2, rng()), np.eye(2))


def test_a_cue_that_names_no_stream_is_refused():
    with pytest.raises(WrongUse, match="a stream from 0 to 1; these run from 0 to 2"):
        InputGain().gains(np.array([0, 2]), 2, rng())


@pytest.mark.parametrize(
    "cue", [None, "left", [0, np.nan], [0.5, 1], [0, 1j], [[0], [1]], np.zeros(2, "M8[D]"), [True, False]], ids=str
)
def test_a_cue_that_is_none_is_refused(cue: Any):
    with pytest.raises(WrongUse, match="a cue names a stream|cue=.* must name a stream for each trial"):
        InputGain().gains(cue, 2, rng())


@pytest.mark.parametrize("streams", [0, -1, 2.0, "2", None, True])
def test_a_number_of_streams_that_is_none_is_refused(streams: Any):
    with pytest.raises(WrongUse, match="streams=.* must be a whole number of at least 1"):
        InputGain().gains(np.array([0, 0]), streams, rng())


def test_an_unknown_gate_is_answered_with_the_known_ones():
    with pytest.raises(WrongUse, match="unknown gate 'input_gian'. Did you mean 'input_gain'.*shuffled_gate"):
        GATES["input_gian"]


@pytest.mark.parametrize("kind", GATES.values(), ids=GATES)
def test_a_gate_is_made_from_its_name_with_its_default_gains(kind: type[Gate]):
    assert Gate.from_text(f" {kind.name}") == kind()


def test_the_gains_are_settings_and_a_record_holds_them():
    gate = changed(InputGain(), {"attended": "3"})
    assert [(entry.name, entry.default) for entry in describe(gate)] == [("attended", 2.0), ("ignored", 0.2)]
    assert plain(gate) == {"name": "input_gain", "attended": 3.0, "ignored": 0.2}
    assert (describe(NoGate()), plain(NoGate())) == ([], {"name": "none"})


@pytest.mark.parametrize("kind", GATES.values(), ids=GATES)
def test_every_gate_says_what_it_does_and_where_it_comes_from(kind: type[Gate]):
    assert kind.summary and (kind.source == "control" or "doi:" in kind.source)


@dataclasses.dataclass(frozen=True)
class Wrong(Gate):
    """A gate that gives whatever it was told to."""

    given: Any = None

    def __post_init__(self) -> None:
        pass

    def gains(self, cue: np.ndarray, streams: int, rng: np.random.Generator) -> np.ndarray:
        return self.given(len(cue), streams)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (lambda n, s: np.ones((n, s + 1)), r"gains of shape \(8, 3\); it must be \(trials, streams\) = \(8, 2\)"),
        (lambda n, s: np.ones(n), r"gains of shape \(8,\)"),
        (lambda n, s: np.full((n, s), np.nan), "rates"),
        (lambda n, s: -np.ones((n, s)), "rates holds the rate -"),
    ],
    ids=["streams", "flat", "NaN", "negative"],
)
def test_a_gate_whose_gains_are_wrong_is_refused_by_the_classifier(given: Any, message: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(engine, "backend", lambda: "numpy")  # it is refused before anything runs: no need to compile
    X = np.hstack([np.full((8, 8), 0.5), np.eye(2)[np.arange(8) % 2]])
    with pytest.raises(WrongUse, match=message):
        SpikingClassifier(gate=Wrong(given), neurons_per_class=2, trial_ms=5.0, block=10).fit(X, np.arange(8) % 3)
