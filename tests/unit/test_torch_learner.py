"""The torch estimator: it learns the cue, repeats to the bit, leaves torch as it was, and is what scikit-learn expects."""

from __future__ import annotations

import contextlib
import pickle
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.utils import estimator_checks

from bridges.models import MODELS
from bridges.torch_classifier import TorchClassifier
from plasticity.errors import PlasticityError, WrongUse

CLASSES, FEATURES = 4, 12
SMALL: dict[str, Any] = {"hidden": 32, "epochs": 30, "batch": 32, "device": "cpu"}
FITTED = ("softmax_attention", "uniform_attention", "mlp")  # that selects, that cannot, and that has no attention


def small_problem(n: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """X, the answer, and the other stream's class: noisy copies of one pattern per class, always of two different classes."""
    pattern = np.random.default_rng(99).uniform(size=(CLASSES, FEATURES))
    rng = np.random.default_rng(seed)
    label = rng.permutation(np.arange(n) % CLASSES)
    other = (label + rng.integers(1, CLASSES, n)) % CLASSES
    cue = rng.permutation(np.arange(n) % 2)
    shown = np.where((cue == 0)[:, None], np.stack([label, other], 1), np.stack([other, label], 1))
    stimulus = np.clip(pattern[shown] + rng.normal(0, 0.15, (n, 2, FEATURES)), 0, 1)
    return np.hstack([stimulus.reshape(n, -1), np.eye(2)[cue]]), label, other


X, Y, OTHER = small_problem(400, 0)
PROBE = small_problem(200, 1)[:2]
X_TEST, Y_TEST, OTHER_TEST = small_problem(200, 2)


@pytest.fixture(scope="module")
def fitted() -> dict[str, TorchClassifier]:
    return {name: TorchClassifier(name, **SMALL).fit(X, Y, probe=PROBE) for name in FITTED}


def test_softmax_attention_learns_to_attend_the_cued_stream(fitted: dict[str, TorchClassifier]) -> None:
    learner = fitted["softmax_attention"]
    assert learner.score(X_TEST, Y_TEST) > 0.95
    weights = learner.attention_weights(X_TEST)
    assert weights is not None and weights.shape == (200, 2)
    cue = X_TEST[:, -2:].argmax(axis=1)
    assert weights[np.arange(200), cue].mean() > 0.9
    assert learner.arrays_["attention"].shape == (2, 2)
    assert learner.arrays_["attention"].diagonal().min() > 0.9
    np.testing.assert_allclose(learner.arrays_["attention"].sum(axis=1), 1, atol=1e-6)  # means of float32 rows that sum to one


def test_softmax_attention_answers_the_other_stream_when_the_cue_is_flipped(fitted: dict[str, TorchClassifier]) -> None:
    flipped = X_TEST.copy()
    flipped[:, -2:] = 1 - flipped[:, -2:]
    assert (fitted["softmax_attention"].predict(flipped) == OTHER_TEST).mean() > 0.95


def test_uniform_attention_does_not_beat_a_guess_between_the_two_streams(fitted: dict[str, TorchClassifier]) -> None:
    learner = fitted["uniform_attention"]
    accuracy = learner.score(X_TEST, Y_TEST)
    assert 1 / CLASSES < accuracy < 0.5 + 4 * np.sqrt(0.25 / 200)  # 4 standard errors of 200 fair coins above one half
    predicted = learner.predict(X_TEST)
    assert ((predicted == Y_TEST) | (predicted == OTHER_TEST)).mean() > 0.9  # it does see both streams
    flipped = X_TEST.copy()
    flipped[:, -2:] = 1 - flipped[:, -2:]
    assert np.array_equal(learner.predict_proba(flipped), learner.predict_proba(X_TEST))
    assert np.array_equal(learner.arrays_["attention"], np.full((2, 2), 0.5))


def test_the_mlp_learns_the_task_and_has_no_attention(fitted: dict[str, TorchClassifier]) -> None:
    assert fitted["mlp"].score(X_TEST, Y_TEST) > 0.9
    assert fitted["mlp"].attention_weights(X_TEST) is None
    assert fitted["mlp"].arrays_ == {}


@pytest.mark.parametrize("name", ["mlp", "softmax_attention"])
def test_untrained_it_has_the_weights_that_training_begins_with(name: str, tmp_path: Path) -> None:
    control = TorchClassifier(name, random_state=5, checkpoint=tmp_path / "kept", **SMALL).untrained(X, Y)
    still = TorchClassifier(name, random_state=5, learning_rate=1e-30, weight_decay=0, **{**SMALL, "epochs": 1}).fit(X, Y)
    assert control.gradient_steps_ == 0 and not (tmp_path / "kept").exists()
    for name, tensor in control.model_.state_dict().items():
        torch.testing.assert_close(tensor, still.model_.state_dict()[name], rtol=0, atol=0)
    assert control.represent(X_TEST).shape == still.represent(X_TEST).shape


@pytest.mark.full
@pytest.mark.parametrize("name", MODELS)
def test_an_untrained_model_is_at_chance(name: str) -> None:
    settings = {"hidden": 16, "epochs": 1, "batch": 400, "device": "cpu"}
    untrained = np.array(
        [
            TorchClassifier(name, random_state=seed, **settings).fit(X, Y, probe=PROBE).history_["accuracy"][0]
            for seed in range(20)
        ]
    )
    # 4 standard errors over 20 networks, whose accuracies differ because their first weights do (one that gives every trial the
    # same answer is right in exactly a quarter of them)
    assert abs(untrained.mean() - 1 / CLASSES) <= 4 * untrained.std(ddof=1) / np.sqrt(20)


@pytest.mark.full
@pytest.mark.parametrize("name", MODELS)
def test_the_same_random_state_gives_the_same_predictions_to_the_bit_and_another_state_others(name: str) -> None:
    def fit(seed: int) -> TorchClassifier:
        return TorchClassifier(name, random_state=seed, **{**SMALL, "epochs": 2}).fit(X[:150], Y[:150], probe=PROBE)

    first = fit(0)
    torch.rand(5)  # whatever the global generator did in between
    again, other = fit(0), fit(1)
    assert np.array_equal(again.predict_proba(X_TEST), first.predict_proba(X_TEST))
    for key, values in again.history_.items():
        assert np.array_equal(values, first.history_[key])
    assert not np.array_equal(other.predict_proba(X_TEST), first.predict_proba(X_TEST))


@contextlib.contextmanager
def default_type(dtype: torch.dtype) -> Iterator[None]:
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(torch.float32)


@contextlib.contextmanager
def matmul_precision(precision: str) -> Iterator[None]:
    torch.set_float32_matmul_precision(precision)
    try:
        yield
    finally:
        torch.set_float32_matmul_precision("highest")


SWITCHES: dict[str, Callable[[], contextlib.AbstractContextManager[Any]]] = {
    "default type": lambda: default_type(torch.float64),
    "precision": lambda: matmul_precision("medium"),
    "autocast": lambda: torch.autocast("cpu"),
    "inference mode": torch.inference_mode,
    "no gradients": torch.no_grad,
    "default device": lambda: torch.device("meta"),
}


@pytest.mark.parametrize("switch", SWITCHES)
def test_what_the_caller_has_switched_in_torch_changes_no_number_and_stays(switch: str) -> None:
    def answers() -> np.ndarray:
        learner = TorchClassifier("mlp", random_state=0, **{**SMALL, "epochs": 2}).fit(X[:150], Y[:150], probe=PROBE)
        return np.hstack([learner.predict_proba(X_TEST), learner.represent(X_TEST)])

    def state() -> list[Any]:
        return [
            torch.get_default_dtype(), torch.get_float32_matmul_precision(), torch.is_autocast_enabled("cpu"),
            torch.is_inference_mode_enabled(), torch.is_grad_enabled(), torch.get_default_device(),
        ]  # fmt: skip

    plain = answers()
    with SWITCHES[switch]():
        before = state()
        switched = answers()
        assert state() == before
    assert np.array_equal(switched, plain)


@pytest.mark.parametrize("settings", [{}, {"learning_rate": 1e30}])
def test_fit_leaves_generators_and_thread_count_as_they_were_even_when_it_fails(settings: dict[str, Any]) -> None:
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        torch_state, numpy_state = torch.get_rng_state(), np.random.get_state(legacy=False)["state"]["key"].copy()  # noqa: NPY002
        learner = TorchClassifier(**{**SMALL, "epochs": 1, **settings})
        if settings:
            with pytest.raises(PlasticityError, match="diverged"):
                learner.fit(X, Y)
        else:
            learner.fit(X, Y).predict(X_TEST)
        assert torch.equal(torch.get_rng_state(), torch_state)
        assert np.array_equal(np.random.get_state(legacy=False)["state"]["key"], numpy_state)  # noqa: NPY002
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(threads)


@pytest.mark.parametrize("name", FITTED)
def test_the_learning_curve_starts_at_zero_and_resolves_the_first_epoch(name: str, fitted: dict[str, TorchClassifier]) -> None:
    trials, accuracy, loss = (fitted[name].history_[key] for key in ("trials", "accuracy", "loss"))
    assert trials[0] == 0
    assert (np.diff(trials) > 0).all()
    assert ((trials > 0) & (trials < len(X))).sum() >= 4
    assert trials.shape == accuracy.shape == loss.shape
    assert ((accuracy >= 0) & (accuracy <= 1)).all()


@pytest.mark.parametrize("name", FITTED)
def test_the_fitted_model_is_the_best_point_of_its_learning_curve(name: str, fitted: dict[str, TorchClassifier]) -> None:
    learner = fitted[name]
    best = learner.history_["trials"] == learner.best_trials_
    assert learner.history_["accuracy"][best].item() == pytest.approx(learner.score(*PROBE), abs=1e-12)  # a ratio of counts


def test_standardisation_is_learned_on_the_training_trials_alone(fitted: dict[str, TorchClassifier]) -> None:
    pooled = X[:, :-2].reshape(-1, FEATURES)
    mean = fitted["mlp"].model_.mean.numpy()
    np.testing.assert_allclose(mean, pooled.mean(axis=0), atol=1e-5)  # float32 mean of 800 numbers
    assert np.abs(mean - PROBE[0][:, :-2].reshape(-1, FEATURES).mean(axis=0)).max() > 1e-3


def test_parameters_counts_what_training_moved(fitted: dict[str, TorchClassifier]) -> None:
    head = 32 * 32 + 32 + CLASSES * 32 + CLASSES
    value = FEATURES * 32 + 32
    assert fitted["uniform_attention"].parameters_ == head + value
    assert fitted["softmax_attention"].parameters_ == head + value + FEATURES * 32 + 2 * 32 + 2 * 32  # keys, queries, positions
    assert fitted["mlp"].parameters_ == head + (2 * FEATURES + 2) * 32 + 32


def test_progress_grows_to_one() -> None:
    told: list[float] = []
    TorchClassifier(**SMALL).fit(X, Y, probe=PROBE, progress=told.append)
    assert len(told) > 2
    assert told == sorted(told)
    assert told[-1] == 1.0


def test_without_a_probe_fifteen_percent_are_held_out_for_the_learning_curve() -> None:
    learner = TorchClassifier(**{**SMALL, "epochs": 2}).fit(X, Y)
    assert learner.history_["trials"][-1] == 2 * 340  # 85 % of 400, shown twice


def test_probabilities_sum_to_one_and_their_greatest_is_the_prediction(fitted: dict[str, TorchClassifier]) -> None:
    probability = fitted["softmax_attention"].predict_proba(X_TEST)
    assert probability.shape == (200, CLASSES)
    np.testing.assert_allclose(probability.sum(axis=1), 1, atol=1e-12)  # softmax in float64
    assert np.array_equal(probability.argmax(axis=1), fitted["softmax_attention"].predict(X_TEST))


def test_labels_may_be_any_names() -> None:
    names = np.array(["ant", "bee", "cat", "dog"])
    learner = TorchClassifier(**SMALL).fit(X, names[Y])
    assert list(learner.classes_) == list(names)
    assert learner.score(X_TEST, names[Y_TEST]) > 0.9


def test_a_pickled_learner_predicts_the_same(fitted: dict[str, TorchClassifier]) -> None:
    again = pickle.loads(pickle.dumps(fitted["softmax_attention"]))
    assert np.array_equal(again.predict_proba(X_TEST), fitted["softmax_attention"].predict_proba(X_TEST))


@pytest.mark.parametrize(
    "check",
    ["check_parameters_default_constructible", "check_get_params_invariance", "check_set_params", "check_requires_y_none"],
)  # those of scikit-learn's own checks that do not bring an X of another shape
def test_the_parameter_checks_of_scikit_learn_pass(check: str) -> None:
    getattr(estimator_checks, check)("TorchClassifier", TorchClassifier())


def test_a_clone_has_the_parameters_and_not_the_fit(fitted: dict[str, TorchClassifier]) -> None:
    copied = clone(fitted["mlp"])
    assert copied.get_params() == fitted["mlp"].get_params()
    assert not hasattr(copied, "model_")


def test_grid_search_finds_the_learning_rate_that_learns() -> None:
    search = GridSearchCV(TorchClassifier(**SMALL), {"learning_rate": [1e-6, 1e-2]}, cv=2).fit(X, Y)
    assert search.best_params_ == {"learning_rate": 1e-2}
    assert search.best_estimator_.score(X_TEST, Y_TEST) > 0.9


def test_predicting_before_fitting_is_refused() -> None:
    with pytest.raises(NotFittedError):
        TorchClassifier().predict(X)


def with_nan() -> np.ndarray:
    spoiled = X.copy()
    spoiled[3, 5] = np.nan
    return spoiled


ONE_OF_EACH = [int(np.flatnonzero(Y == c)[0]) for c in range(CLASSES)]


@pytest.mark.parametrize(
    ("settings", "data", "message"),
    [
        ({"model": "softmax_atention"}, (X, Y), "unknown model 'softmax_atention'. Did you mean 'softmax_attention'"),
        ({}, (with_nan(), Y), "NaN"),
        ({}, (X, Y[:-1]), "400 trials and labels of shape \\(399,\\)"),
        ({}, (X[ONE_OF_EACH], Y[ONE_OF_EACH]), "3 training trials are fewer than the 4 classes"),
        ({}, (X[:3], Y[:3], PROBE), "3 training trials are fewer than the 4 classes"),
        ({}, (X, np.zeros(400, int)), "at least two classes"),
        ({}, (X, Y + 0.5), "the labels are not classes"),
        ({}, (X[:, :-1], Y), "must be \\(trials, 2\\*features \\+ 2\\)"),
        ({}, (X, Y, (PROBE[0][:, 2:], PROBE[1])), "12 features per stream and the probe 11"),
        ({}, (X, Y, PROBE[0]), "probe=\\(X, y\\)"),
        ({"hidden": 0}, (X, Y), "hidden=0"),
        ({"epochs": 1.5}, (X, Y), "epochs=1.5"),
        ({"batch": 0}, (X, Y), "batch=0"),
        ({"patience": 0}, (X, Y), "patience=0"),
        ({"random_state": None}, (X, Y), "random_state=None"),
        ({"learning_rate": 0}, (X, Y), "learning_rate=0"),
        ({"weight_decay": -1.0}, (X, Y), "weight_decay=-1.0"),
        ({"dropout": 1.0}, (X, Y), "dropout=1.0"),
        ({"device": "abacus"}, (X, Y), "unknown device 'abacus'"),
        ({"optimiser": "adam"}, (X, Y), "unknown value for optimiser of TorchClassifier 'adam'. Did you mean 'adamw'"),
        ({"schedule": None}, (X, Y), "schedule=None is not of type str; an example is 'cosine'"),
        ({"momentum": 1.0}, (X, Y), "momentum=1.0 must be finite and below 1 and 0 or more"),
        ({"momentum": "much"}, (X, Y), "momentum='much' is not of type float"),
        ({"clip": 0}, (X, Y), "clip=0 must be finite and above 0"),
        ({"clip": np.nan}, (X, Y), "clip=nan must be finite and above 0"),
        ({"query": "contents"}, (X, Y), "unknown value for query of TorchClassifier 'contents'. Did you mean 'content'"),
        ({"query": "content", "streams": 1}, (X, Y), "query='content' leaves 0 streams"),
        ({"checkpoint": " "}, (X, Y), "checkpoint=' ' names no folder"),
        ({"log": 3}, (X, Y), "log=3 names no folder"),
        ({}, (X,), "requires y to be passed, but the target y is None; give fit\\(X, y\\)"),
        ({}, (X, [None, *Y[1:]]), "the labels are not classes"),
        ({}, (X, np.where(Y == 0, np.nan, Y)), "the labels are not classes \\(NaN"),
        ({}, (X[0], Y), "X has the shape \\(26,\\)"),
        ({}, (X, np.eye(4)[Y]), "400 trials and labels of shape \\(400, 4\\)"),
        ({}, ([["a", "b"]], [0]), "X is not a matrix of numbers"),
    ],
)
def test_wrong_use_is_refused_with_a_sentence(settings: dict[str, Any], data: tuple[Any, ...], message: str) -> None:
    with pytest.raises(WrongUse, match=message):
        TorchClassifier(**settings).fit(*data)


def test_trials_with_another_number_of_features_are_refused_at_prediction(fitted: dict[str, TorchClassifier]) -> None:
    with pytest.raises(WrongUse, match="11 features per stream; this model was fitted on 12"):
        fitted["mlp"].predict(X[:, 2:])


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device here")
def test_cuda_where_there_is_none_is_refused_and_auto_falls_back_to_the_cpu(fitted: dict[str, TorchClassifier]) -> None:
    with pytest.raises(WrongUse, match="torch finds no CUDA here"):
        TorchClassifier(device="cuda").fit(X, Y)
    automatic = TorchClassifier(**{**SMALL, "device": "auto"}).fit(X, Y, probe=PROBE)
    assert automatic.device_ == torch.device("cpu")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")
def test_auto_trains_on_cuda_and_leaves_its_generator_as_it_was() -> None:
    before = torch.cuda.get_rng_state()
    learner = TorchClassifier(**{**SMALL, "device": "auto"}).fit(X, Y, probe=PROBE)
    assert learner.device_.type == "cuda"
    assert learner.score(X_TEST, Y_TEST) > 0.95
    assert torch.equal(torch.cuda.get_rng_state(), before)
