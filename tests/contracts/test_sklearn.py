"""The scikit-learn contract: its own checks on every estimator, and the inputs that its users bring."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_digits
from sklearn.exceptions import DataConversionWarning, NotFittedError
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler
from sklearn.utils import estimator_checks
from sklearn.utils.validation import check_array

from bridges import TorchClassifier
from bridges.learner import TorchClassifier as torch_by_its_old_name
from plasticity.engine import compiler
from plasticity.errors import WrongUse
from plasticity.gates import InputGain
from plasticity.learners import DiehlCookClassifier, Guessing, RateMemory, SpikingClassifier, SpikingMemory, inputs
from plasticity.tasks import AssociativeRecall, split_streams
from plasticity.unsupervised import DiehlCookClassifier as diehl_cook_by_its_old_name

SCANS, DIGITS = load_digits(n_class=2, return_X_y=True)
X, Y = SCANS[:60] / 16, DIGITS[:60]


def torch_learner(**more: Any) -> TorchClassifier:
    return TorchClassifier("mlp", hidden=8, epochs=3, device="cpu", **more)


# scikit-learn's own checks


class Scaling:
    """What the checks bring is scaled to 0 to 1 before the learner gets it; what is no table of finite numbers stays as it is."""

    def _scaled(self, X: Any, fitting: bool = False) -> Any:
        try:
            numbers = check_array(X)
        except (TypeError, ValueError):
            return X
        if fitting:
            self._low, self._range = numbers.min(axis=0), np.ptp(numbers, axis=0)
        if not hasattr(self, "_low") or numbers.shape[1] != len(self._low):
            return X
        return np.clip((numbers - self._low) / np.where(self._range > 0, self._range, 1), 0, 1)

    def fit(self, X: Any, y: Any = None, **more: Any) -> Any:
        return super().fit(self._scaled(X, fitting=True), y, **more)

    def predict(self, X: Any) -> Any:
        return super().predict(self._scaled(X))

    def decision_function(self, X: Any) -> Any:
        return super().decision_function(self._scaled(X))

    def predict_proba(self, X: Any) -> Any:
        return super().predict_proba(self._scaled(X))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.poor_score = True  # two or three columns of blobs are no patterns, and the networks are tiny
        return tags


class ScalingSpiking(Scaling, SpikingClassifier):
    pass


class ScalingDiehlCook(Scaling, DiehlCookClassifier):
    pass


class ScalingTorch(Scaling, TorchClassifier):
    pass


OBJECTS = {"check_dtype_object": "what is no number is refused as WrongUse, a ValueError, not as the TypeError of float()"}
PLACE = {
    name: "Poisson spikes of all trials are one stream of random numbers: a trial at another place in X draws others"
    for name in ("check_methods_sample_order_invariance", "check_methods_subset_invariance")
}
EXCEPTIONS: dict[type, dict[str, str]] = {
    ScalingTorch: OBJECTS,
    ScalingSpiking: {
        **OBJECTS,
        **PLACE,
        "check_parameters_default_constructible": "the defaults of gate and rule are frozen objects, not plain numbers or texts",
    },
    ScalingDiehlCook: {**OBJECTS, **PLACE},
    Guessing: {
        **{name: "answers are drawn at random, one after another, as DummyClassifier draws them" for name in PLACE},
        "check_classifiers_train": "it draws its answer, so that it is not the most probable class, all of which are equal",
    },
}
"""Checks that an estimator does not pass, and why; each is shown to fail."""

ESTIMATORS = [
    pytest.param(lambda: ScalingTorch("mlp", hidden=16, epochs=10, streams=1, device="cpu"), id="torch"),
    pytest.param(Guessing, id="guessing"),
    *(
        pytest.param(
            make,
            id=name,
            marks=[pytest.mark.full, pytest.mark.skipif(not compiler(), reason="a program for each width: needs a C++ compiler")],
        )
        for make, name in (
            (lambda: ScalingSpiking(streams=1, neurons_per_class=3, trial_ms=50.0), "spiking"),
            # dim at first: what has no light is given up at 20 times the first intensity, brighter by 1 each time
            (lambda: ScalingDiehlCook(neurons=10, block=200, enough=1, weight_mean=0.9, intensity=0.25), "diehl_cook"),
        )
    ),
]


@pytest.mark.parametrize("make", ESTIMATORS)
def test_an_estimator_passes_the_checks_of_scikit_learn_but_those_that_are_listed_with_a_reason(make):
    learner = make()
    expected = EXCEPTIONS[type(learner)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        done = estimator_checks.check_estimator(learner, expected_failed_checks=expected, on_fail=None)
    by_status: dict[str, set[str]] = {}
    for check in done:
        by_status.setdefault(check["status"], set()).add(check["check_name"])
    failed = [(check["check_name"], str(check["exception"])) for check in done if check["status"] == "failed"]
    assert not failed
    assert by_status["xfail"] == set(expected)
    assert by_status.get("skipped", set()) <= {"check_array_api_input"}  # asks for a variable of the environment
    assert len(by_status["passed"]) > 35


@pytest.mark.parametrize("learner", [RateMemory(), SpikingMemory()], ids=lambda learner: type(learner).__name__)
@pytest.mark.parametrize(
    "check",
    ["check_get_params_invariance", "check_set_params", "check_no_attributes_set_in_init", "check_estimator_cloneable",
     "check_estimators_unfitted", "check_do_not_raise_errors_in_init_or_set_params"],
)  # fmt: skip
def test_a_memory_passes_those_that_bring_no_trials_for_it_takes_pairs_alone(learner, check):
    getattr(estimator_checks, check)(type(learner).__name__, learner)


# What users bring


def test_the_names_of_before_are_the_same_classes():
    assert diehl_cook_by_its_old_name is DiehlCookClassifier and torch_by_its_old_name is TorchClassifier


LEARNERS = [
    pytest.param(lambda: SpikingClassifier(streams=1, neurons_per_class=5), id="spiking", marks=pytest.mark.full),
    pytest.param(lambda: DiehlCookClassifier(neurons=10, block=60), id="diehl_cook", marks=pytest.mark.full),
    pytest.param(torch_learner, id="torch"),
]


def memory_trials(pairs: int = 3) -> Any:
    return AssociativeRecall(pairs=pairs, dimension=16, train=40, validation=20, test=20).draw(np.random.default_rng(0)).train


@pytest.mark.parametrize("make", LEARNERS)
def test_columns_in_another_order_than_fitted_are_refused_as_scikit_learn_refuses_them(make):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=[f"pixel {k}" for k in range(64)])
    learner = make().fit(frame, Y)
    assert list(learner.feature_names_in_) == list(frame.columns) and learner.n_features_in_ == 64
    with pytest.raises(WrongUse, match="The feature names should match those that were passed during fit"):
        learner.predict(frame[frame.columns[::-1]])
    np.testing.assert_array_equal(learner.predict(frame), make().fit(frame, Y).predict(frame))


def test_a_memory_notes_its_columns_too():
    pandas = pytest.importorskip("pandas")
    trials = memory_trials()
    frame = pandas.DataFrame(trials.X, columns=[f"c{k}" for k in range(trials.X.shape[1])])
    memory = RateMemory(streams=4, dimension=16).fit(frame, trials.y)
    with pytest.raises(WrongUse, match="feature names should match"):
        memory.predict(frame[frame.columns[::-1]])
    with pytest.raises(WrongUse, match=r"X has \d+ features, but RateMemory is expecting"):
        memory.predict(trials.X[:, 4:])


@pytest.mark.parametrize("make", LEARNERS)
def test_labels_may_be_objects_categories_truth_values_or_a_column(make):
    pandas = pytest.importorskip("pandas")
    texts = Y.astype(str)
    wanted = make().fit(X, texts).score(X, texts)
    for labels in (texts.astype(object), pandas.Series(texts, dtype="category"), pandas.Series(texts, dtype="string")):
        learner = make().fit(X, labels)
        assert learner.score(X, labels) == wanted and set(learner.classes_) == {"0", "1"}
    for labels in (Y.astype(bool), Y.astype(object), pandas.Series(Y, dtype="Int64")):
        assert np.mean(make().fit(X, labels).predict(X) == Y) == wanted
    with pytest.warns(DataConversionWarning, match="column-vector y"):
        column = make().fit(X, texts[:, None])
    np.testing.assert_array_equal(column.predict(X), make().fit(X, texts).predict(X))


NO_CLASSES = {
    "dates": Y.astype("datetime64[D]"),
    "complex": Y * 1j,
    "None": np.where(Y > 0, None, "a"),
    "mixed": np.array([1, "a"] * 30, dtype=object),
    "fractions": Y * 0.5,
    "NaN": np.where(Y > 0, np.nan, 1.0),
    "missing text": np.array([np.nan, "a"] * 30, dtype=object),
    "no y": None,
    "too few": Y[:-1],
    "one-hot": np.eye(2)[Y],
}


@pytest.mark.parametrize("make", LEARNERS)
@pytest.mark.parametrize("what", NO_CLASSES)
def test_labels_that_name_no_class_are_refused(make, what):
    with pytest.raises(WrongUse, match="the labels are not classes|requires y to be passed|one label for each"):
        make().fit(X, NO_CLASSES[what])


@pytest.mark.parametrize("what", sorted(set(NO_CLASSES) - {"one-hot"}))  # guessing takes answers at several places of a trial
def test_guessing_refuses_them_too(what):
    with pytest.raises(WrongUse, match="the labels are not classes|requires y to be passed|one label for each"):
        Guessing().fit(X, NO_CLASSES[what])


@pytest.mark.parametrize("make", LEARNERS)
@pytest.mark.parametrize("kind", [sparse.csr_matrix, sparse.csr_array, sparse.coo_matrix])
def test_a_sparse_matrix_is_refused_by_its_name(make, kind):
    with pytest.raises(WrongUse, match="[Ss]parse .*dense"):
        make().fit(kind(X), Y)


@pytest.mark.parametrize("make", LEARNERS)
@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (X[0], "shape .64,.*Reshape your data"),
        (X[None], "shape .1, 60, 64.*Reshape"),
        (X * 1j, "Complex data not supported"),
        (np.full((60, 64), "dark"), "X is not a (table|matrix) of numbers"),
        (np.full((60, 64), "2020-01-01", "datetime64[D]"), "X is not a (table|matrix) of numbers"),
        (np.zeros((0, 64)), r"0 sample\(s\)"),
        (np.zeros((60, 0)), r"0 feature\(s\)"),
        (X + 1e-9, "0 to 1"),
        (X - 1e-9, "0 to 1"),
    ],
)
def test_an_x_that_is_none_is_refused_in_one_sentence(make, wrong, told):
    with pytest.raises(WrongUse, match=told):
        make().fit(wrong, Y[: len(wrong)] if len(wrong) != 64 else Y)


@pytest.mark.parametrize("make", LEARNERS)
def test_an_index_in_another_order_is_told(make):
    pandas = pytest.importorskip("pandas")
    frame, labels = pandas.DataFrame(X), pandas.Series(Y)
    with pytest.warns(UserWarning, match="has the index of X in another order; rows are paired by their place"):
        make().fit(frame, labels.sample(frac=1, random_state=0))
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message=".*another order")
        make().fit(frame, labels)


@pytest.mark.full
@pytest.mark.parametrize("low", [-1e-17, 0.0])
def test_what_is_outside_of_0_to_1_by_rounding_fits_and_is_clipped(low):
    raw = np.random.default_rng(0).normal(size=(60, 6)) * 3 + 1
    labels = (raw[:, 0] > 1).astype(int)
    scaled = MinMaxScaler().fit_transform(raw)
    assert scaled.max() == 1.0000000000000002
    make_pipeline(MinMaxScaler(), SpikingClassifier(streams=1, neurons_per_class=2)).fit(raw, labels)
    clipped = np.clip(scaled, 0, 1)
    scaled[clipped == 0] = low
    stimulus, _ = split_streams(scaled, 1)
    np.testing.assert_array_equal(stimulus[:, 0], clipped)
    for learner in (torch_learner(), RateMemory(streams=4, dimension=16)):
        shown, y = (scaled, labels) if isinstance(learner, TorchClassifier) else (memory_trials().X, memory_trials().y)
        nearly = np.where(shown == shown.max(), np.nextafter(shown.max(), 2), shown)
        np.testing.assert_array_equal(clone(learner).fit(nearly, y).predict(nearly), learner.fit(shown, y).predict(shown))


@pytest.mark.parametrize("precision", [np.float32, np.float16])
def test_rounding_is_that_of_the_precision_that_was_given(precision):
    nearly = X.astype(precision)
    nearly[nearly == 1] = np.nextafter(precision(1), precision(2))
    np.testing.assert_array_equal(split_streams(nearly, 1)[0][:, 0], X)  # sixteenths, which either holds exactly
    with pytest.raises(WrongUse, match="scale it"):
        split_streams(nearly.astype(float), 1)  # of a float64 it is more than rounding


@pytest.mark.parametrize("make", LEARNERS)
def test_a_decision_between_two_classes_is_one_number_a_trial(make):
    learner = make().fit(X, Y)
    decision = learner.decision_function(X)
    assert decision.shape == (60,)
    np.testing.assert_array_equal(learner.classes_[(decision > 0).astype(int)], learner.predict(X))
    assert learner.predict_proba(X).shape == (60, 2)


def test_a_decision_among_more_classes_is_a_number_for_each():
    more, labels = load_digits(n_class=3, return_X_y=True)
    learner = torch_learner().fit(more[:90] / 16, labels[:90])
    assert learner.decision_function(more[:5] / 16).shape == (5, 3)


@pytest.mark.full
@pytest.mark.parametrize("make", LEARNERS)
def test_scores_and_calibration_of_scikit_learn_work_with_two_classes(make):
    found = cross_val_score(make(), X, Y, cv=2, scoring="roc_auc")
    assert found.shape == (2,) and (found > 0.5).all()
    assert CalibratedClassifierCV(make(), cv=2).fit(X, Y).predict_proba(X).shape == (60, 2)


def test_memories_that_are_not_fitted_say_so():
    trials = memory_trials()
    for memory in (RateMemory(streams=4, dimension=16), SpikingMemory(streams=4, dimension=16)):
        for method in ("predict", "recall", "decision_function"):
            with pytest.raises(NotFittedError):
                getattr(memory, method)(trials.X)
    for method in ("match", "attention_weights"):
        with pytest.raises(NotFittedError):
            getattr(RateMemory(streams=4, dimension=16), method)(trials.X)


# Silence

NOT_NORMALISED = {"semisaturation": 1e9, "max_rate_hz": 120.0, "drive": 2.5}  # rates as they are, which silences more easily


@pytest.mark.full
@pytest.mark.parametrize(
    ("neurons", "trials", "passes", "calmer", "relay"),
    [(10, 437, 3, 0.02, {}), (10, 437, 3, 0.02, NOT_NORMALISED), (5, 437, 3, 0.01, {})],  # 20 neurons are no longer silenced
)
def test_more_training_that_silences_the_network_is_told_and_what_is_told_helps(neurons, trials, passes, calmer, relay):
    shown, labels = load_digits(n_class=3, return_X_y=True)
    shown = shown / 16
    learner = SpikingClassifier(streams=1, neurons_per_class=neurons, passes=passes, **relay)
    learner.fit(shown[:trials], labels[:trials])
    with pytest.warns(UserWarning, match=r"in \d+% of the trials nothing fired .*smaller theta_plus \(it is 0.08"):
        silent = learner.score(shown[trials:], labels[trials:])
    learner.set_params(theta_plus=calmer).fit(shown[:trials], labels[:trials])
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message=".*nothing fired")
        assert learner.score(shown[trials:], labels[trials:]) > max(0.93, silent + 0.1)  # .97 to 1 was measured


@pytest.mark.full
def test_a_network_in_which_nothing_fires_is_told_and_gives_equal_chances():
    learner = SpikingClassifier(streams=1, neurons_per_class=2, drive=0.0).fit(X, Y)
    with pytest.warns(UserWarning, match="in 100% of the trials nothing fired"):
        assert set(learner.predict(X)) == {0}
    with pytest.warns(UserWarning, match="larger drive"):
        np.testing.assert_array_equal(learner.predict_proba(X), np.full((60, 2), 0.5))


@pytest.mark.parametrize(
    ("gains", "shown", "told"),
    [
        ((0.0, 0.0), 1.0, "the gains of the gate input_gain are 0; give larger ones"),
        ((2.0, 0.2), 0.0, "the intensities in X are 0"),
        ((2.0, 0.2), 1.0, "smaller theta_plus .it is 0.08"),
    ],
)
def test_what_is_told_of_silence_fits_its_cause(monkeypatch, gains, shown, told):
    learner = SpikingClassifier(gate=InputGain(*gains))
    learner.theta_, learner.called, learner._typical_sum = np.zeros(3), "spiking_gated", 1.0
    monkeypatch.setattr(learner, "_checked", lambda X: X, raising=False)
    monkeypatch.setattr(learner, "_deciding", lambda: np.random.default_rng(0), raising=False)
    trials = np.hstack([np.full((4, 6), shown), np.eye(2)[[0, 1, 0, 1]]])
    with pytest.warns(UserWarning, match=f"^spiking_gated: in 100% .* {told}"):
        inputs.warn_of_silence(learner, np.zeros((4, 2)), lambda: learner._why_silent(trials))
    np.testing.assert_allclose(learner.attention_weights(trials).sum(axis=1), 1.0)
