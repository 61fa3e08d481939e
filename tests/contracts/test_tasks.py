"""What holds for every task, and what holds for cued digits alone."""

from __future__ import annotations

import dataclasses
from functools import cache
from typing import Any

import numpy as np
import pooch
import pytest
from sklearn.dummy import DummyClassifier

from plasticity import datasets
from plasticity.datasets.dataset import Missing
from plasticity.errors import PlasticityError, WrongUse
from plasticity.settings import configure, describe
from plasticity.tasks import TASKS, CuedDigits, Draw, Streams, Task, split_streams

PARTS = ("train", "validation", "test")
ARRAYS = ("stimulus", "cue", "label", "stream_label", "image")

every_task = pytest.mark.parametrize("name", TASKS)
of_streams = pytest.mark.parametrize("name", [name for name, kind in TASKS.items() if kind.family == "streams"])
of_episodes = pytest.mark.parametrize("name", [name for name, kind in TASKS.items() if kind.family == "episodes"])
every_part = pytest.mark.parametrize("part", PARTS)


@cache
def drawn(name: str, seed: int = 0) -> tuple[Task, Draw]:
    task = TASKS[name]()
    try:
        return task, task.draw(np.random.default_rng(seed))
    except Missing as missing:
        pytest.skip(str(missing))


def small(**changes) -> Streams:
    """Three trials of two streams with four features and three classes."""
    given: dict[str, Any] = {
        "stimulus": np.linspace(0, 1, 24).reshape(3, 2, 4),
        "cue": np.array([0, 1, 1]),
        "label": np.array([2, 0, 1]),
        "stream_label": np.array([[2, 1], [1, 0], [2, 1]]),
        "image": np.arange(6).reshape(3, 2),
        "classes": 3,
    }
    return Streams(**(given | changes))


# ---- every task


@every_task
def test_a_task_says_its_name_summary_and_source_with_doi(name):
    task = TASKS[name]
    assert task.name == name
    assert task.summary and "\n" not in task.summary
    assert any(one in task.source for one in ("doi:10.", "arXiv:"))
    assert dataclasses.is_dataclass(task) and all(line.help for line in describe(task))


@of_streams
@every_part
def test_the_shapes_agree(name, part):
    task, draw = drawn(name)
    trials = getattr(draw, part)
    assert trials.stimulus.shape[:2] == (len(trials), task.streams)
    assert trials.stimulus.dtype == np.float64
    assert trials.cue.shape == trials.label.shape == (len(trials),)
    assert trials.stream_label.shape == trials.image.shape == (len(trials), task.streams)
    assert all(getattr(trials, array).dtype == np.int64 for array in ARRAYS[1:])
    assert trials.classes == task.classes
    assert trials.y is trials.label


@of_streams
@every_part
def test_x_is_the_streams_and_the_cue_and_nothing_else(name, part):
    task, draw = drawn(name)
    trials = getattr(draw, part)
    features = trials.stimulus.shape[2]
    cue = task.streams if task.streams > 1 else 0  # with one stream there is nothing to cue
    assert trials.X.shape == (len(trials), task.streams * features + cue)
    relabelled = dataclasses.replace(trials, label=(trials.label + 1) % task.classes, stream_label=0 * trials.stream_label)
    np.testing.assert_array_equal(relabelled.X, trials.X)  # no answer in it: other answers leave every bit as it was


@of_streams
@every_part
def test_split_streams_is_the_inverse_of_x(name, part):
    task, draw = drawn(name)
    trials = getattr(draw, part)
    stimulus, cue = split_streams(trials.X, task.streams)
    np.testing.assert_array_equal(stimulus, trials.stimulus)
    np.testing.assert_array_equal(cue, trials.cue)


@of_streams
def test_the_same_generator_state_gives_the_same_trials_to_the_bit(name):
    task, draw = drawn(name)
    generator = np.random.default_rng(0)
    state = generator.bit_generator.state
    first = task.draw(generator)
    generator.bit_generator.state = state
    again = task.draw(generator)
    for part in PARTS:
        for array in ARRAYS:
            expected = getattr(getattr(draw, part), array)
            np.testing.assert_array_equal(getattr(getattr(first, part), array), expected)
            np.testing.assert_array_equal(getattr(getattr(again, part), array), expected)


@of_streams
@every_part
def test_another_generator_state_gives_other_trials(name, part):
    task, draw = drawn(name)
    _, other = drawn(name, seed=1)
    for array in ARRAYS:
        if array == "cue" and (task.streams == 1 or task.query == "content"):
            continue  # nothing is cued, or the question always stands in the same place
        assert (getattr(getattr(draw, part), array) != getattr(getattr(other, part), array)).any(), array


@of_streams
def test_guessing_scores_chance(name):
    task, draw = drawn(name)
    guess = DummyClassifier(strategy="uniform", random_state=0).fit(draw.train.X, draw.train.y)
    error = np.sqrt(task.chance * (1 - task.chance) / len(draw.test))
    assert abs(guess.score(draw.test.X, draw.test.y) - task.chance) < 4 * error  # 4 binomial standard errors: 1 in 16,000


@of_streams
@every_part
def test_the_ideal_observer_scores_the_ceiling_without_reading_the_answer(name, part):
    task, draw = drawn(name)
    trials = getattr(draw, part)
    blank = dataclasses.replace(trials, label=np.zeros_like(trials.label))
    assert np.mean(task.ideal(blank) == trials.label) == task.ceiling == 1


@of_streams
def test_training_validation_and_test_share_no_image(name):
    for seed in range(3):
        _, draw = drawn(name, seed)
        train, validation, test = (set(getattr(draw, part).image.ravel()) for part in PARTS)
        assert not train & validation and not train & test and not validation & test


@every_task
def test_a_seed_instead_of_a_generator_is_refused(name):
    with pytest.raises(WrongUse, match="default_rng"):
        TASKS[name]().draw(0)


@of_episodes
def test_the_same_generator_state_gives_the_same_episodes_and_another_one_others(name):
    first, again, other = (TASKS[name]().draw(np.random.default_rng(seed)) for seed in (0, 0, 1))
    for part in PARTS:
        one, same, another = (getattr(draw, part) for draw in (first, again, other))
        for field in dataclasses.fields(one):
            np.testing.assert_array_equal(getattr(one, field.name), getattr(same, field.name), err_msg=field.name)
        assert (one.start != another.start).any()
        assert len(one) == getattr(TASKS[name](), part)


def test_an_unknown_task_is_answered_with_the_known_ones():
    with pytest.raises(WrongUse, match="Did you mean 'cued_digits'.*Known: "):
        TASKS["cued_digit"]


# ---- Streams


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"stimulus": np.full((3, 2, 4), np.nan)}, "NaN"),
        ({"stimulus": np.full((3, 2, 4), np.inf)}, "infinity"),
        ({"stimulus": np.full((3, 2, 4), 16.0)}, "scale it to 0 to 1"),
        ({"stimulus": np.full((3, 2, 4), -0.1)}, "scale it to 0 to 1"),
        ({"stimulus": np.zeros((3, 8))}, r"\(trials, streams, features\)"),
        ({"stimulus": np.zeros((0, 2, 4))}, "none 0"),
        ({"stimulus": "image"}, "not an array of numbers"),
        ({"cue": np.array([0, 1])}, r"cue has the shape \(2,\)"),
        ({"cue": np.array([0, 1, 2])}, "cue runs from 0 to 2"),
        ({"cue": np.array([0, 1, -1])}, "cue runs from -1"),
        ({"label": np.array([0, 1, 3])}, "label runs from 0 to 3"),
        ({"label": np.array([-1, 1, 2])}, "label runs from -1"),
        ({"label": np.array([0.0, 1.0, np.nan])}, "label holds float64"),
        ({"label": np.zeros((3, 1), dtype=int)}, r"label has the shape \(3, 1\)"),
        ({"stream_label": np.full((3, 2), 3)}, "stream_label runs"),
        ({"stream_label": np.zeros((2, 3), dtype=int)}, "stream_label has the shape"),
        ({"image": np.full((3, 2), -1)}, "image runs from -1"),
        ({"image": np.arange(3)}, "image has the shape"),
        ({"classes": 1}, "classes=1"),
    ],
)
def test_trials_refuse_what_cannot_be(changes, message):
    assert len(small()) == 3  # without the change they are accepted
    with pytest.raises(WrongUse, match=message):
        small(**changes)


def test_take_picks_trials_by_number_slice_and_mask():
    trials = small()
    for index, expected in [([2, 0], [2, 0]), (slice(1, None), [1, 2]), (np.array([True, False, True]), [0, 2]), (1, [1])]:
        taken = trials.take(index)
        assert taken.classes == trials.classes
        for array in ARRAYS:
            np.testing.assert_array_equal(getattr(taken, array), getattr(trials, array)[expected])


@pytest.mark.parametrize("index", [[3], [True, False], []])
def test_take_refuses_what_is_not_there(index):
    with pytest.raises(WrongUse):
        small().take(index)


def test_split_streams_knows_any_number_of_streams():
    three = np.hstack([np.arange(12).reshape(2, 6) / 12, [[0, 0, 1], [1, 0, 0]]])
    stimulus, cue = split_streams(three, streams=3)
    np.testing.assert_array_equal(stimulus[1], np.array([[6, 7], [8, 9], [10, 11]]) / 12)
    np.testing.assert_array_equal(cue, [2, 0])


def spoiled(column: int, value: float) -> np.ndarray:
    X = small().X
    X[1, column] = value
    return X


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (spoiled(0, np.nan), "NaN"),
        (spoiled(0, 16.0), "scale it to 0 to 1"),
        (spoiled(-1, np.nan), "one 1 in each row"),
        (spoiled(-1, 0.0), "one 1 in each row"),
        (spoiled(-2, 1.0), "one 1 in each row"),
        (spoiled(-1, 0.999), "one 1 in each row"),
        (np.hstack([small().X[:, :-2], np.full((3, 2), 0.5)]), "one 1 in each row"),
        (small().X[:, :-1], r"shape \(3, 9\)"),
        (small().X[0], r"shape \(10,\)"),
        (small().X[:, -2:], r"shape \(3, 2\)"),
        (small().X[:0], r"shape \(0, 10\)"),
        ([["a", "b", "c", "d"]], "not a matrix of numbers"),
    ],
)
def test_split_streams_refuses_what_is_not_x(X, message):
    with pytest.raises(WrongUse, match=message):
        split_streams(X)


def test_split_streams_refuses_no_streams():
    with pytest.raises(WrongUse, match="streams=0"):
        split_streams(small().X, streams=0)


# ---- cued digits


def present(data: str) -> bool:
    return datasets.status(data).state != "missing"  # a damaged file fails the tests, it does not skip them


needs_mnist = pytest.mark.skipif(not present("mnist"), reason="MNIST is not here: set PLASTICITY_DATA or fetch it")
DATA = ["digits", pytest.param("mnist", marks=needs_mnist)]
both_data = pytest.mark.parametrize("data", DATA)


@cache
def digits_drawn(data: str, train: int = 2000, seed: int = 0) -> Draw:
    return CuedDigits(data=data, train=train).draw(np.random.default_rng(seed))


@cache
def loaded(data: str) -> datasets.Images:
    return datasets.DATASETS[data]()


@both_data
@every_part
def test_the_shown_images_are_those_that_image_and_stream_label_name(data, part):
    trials, images = getattr(digits_drawn(data), part), loaded(data)
    np.testing.assert_array_equal(trials.stream_label, images.labels[trials.image])
    np.testing.assert_array_equal(trials.stimulus, images.pixels[trials.image].astype(float) / images.brightest)
    assert trials.stimulus.min() == 0 and trials.stimulus.max() == 1


@both_data
@every_part
def test_the_distractor_is_never_the_attended_digit(data, part):
    trials = getattr(digits_drawn(data), part)
    assert (trials.stream_label[:, 0] != trials.stream_label[:, 1]).all()


@both_data
@every_part
def test_each_stream_is_cued_in_half_of_the_trials_of_every_class_in_random_order(data, part):
    trials = getattr(digits_drawn(data), part)
    assert abs(np.sum(trials.cue == 0) - np.sum(trials.cue == 1)) <= 1
    for digit in range(10):
        assert abs(np.sum(trials.cue[trials.label == digit] * 2 - 1)) <= 1
    changes = np.sum(trials.cue[1:] != trials.cue[:-1])
    # in random order the cue changes after half of the trials; standard deviation sqrt(n)/2, 4 of them allowed
    assert abs(changes - len(trials) / 2) < 4 * np.sqrt(len(trials)) / 2


@pytest.mark.parametrize("trials", [11, 500, 777])
def test_cue_and_attended_classes_are_balanced_for_any_number_of_trials(trials):
    test = CuedDigits(test=trials).draw(np.random.default_rng(3)).test
    assert abs(np.sum(test.cue == 0) - np.sum(test.cue == 1)) == trials % 2
    assert np.ptp(np.bincount(test.label, minlength=10)) <= 1


def test_which_stream_and_class_get_the_odd_trial_is_drawn_by_chance():
    tests = [CuedDigits(test=11).draw(np.random.default_rng(seed)).test for seed in range(20)]
    assert {int(np.sum(test.cue)) for test in tests} == {5, 6}
    assert len({int(np.bincount(test.label).argmax()) for test in tests}) > 3


@both_data
@every_part
def test_images_of_a_class_are_used_evenly(data, part):
    trials, images = getattr(digits_drawn(data), part), loaded(data)
    for digit in range(10):
        shown = trials.image[images.labels[trials.image] == digit]
        times_used = np.unique(shown, return_counts=True)[1]
        assert np.ptp(times_used) <= 1


def test_every_test_scan_is_shown_when_there_are_more_places_than_images():
    assert len(np.unique(digits_drawn("digits").test.image)) == 400  # 500 trials have 1000 places


@needs_mnist
def test_no_mnist_test_image_is_shown_twice_when_there_are_enough():
    assert len(np.unique(digits_drawn("mnist").test.image)) == 1000  # 500 trials, about 100 places of 1000 images in each class


def test_the_1797_scans_are_split_1200_197_400_anew_in_each_draw():
    draws = [digits_drawn("digits", train=5000, seed=seed) for seed in (0, 1)]  # enough trials to show every image
    labels = loaded("digits").labels
    for draw in draws:
        shown = [np.unique(getattr(draw, part).image) for part in PARTS]
        assert [len(images) for images in shown] == [1200, 197, 400]
        for images in shown:  # stratified: the share of each class is that of the whole, but for rounding to whole images
            share = np.bincount(labels[images]) - np.bincount(labels) * len(images) / len(labels)
            assert np.abs(share).max() <= 1
    assert set(draws[0].test.image.ravel()) != set(draws[1].test.image.ravel())


@needs_mnist
def test_mnist_test_images_come_from_its_own_test_set():
    draw = digits_drawn("mnist")
    assert draw.train.image.max() < 60_000 and draw.validation.image.max() < 60_000
    assert draw.test.image.min() >= 60_000
    assert draw.test.stimulus.shape == (500, 2, 784)
    assert not set(draw.train.image.ravel()) & set(draw.validation.image.ravel())


@both_data
def test_test_trials_do_not_change_with_the_number_of_training_trials(data):
    few, many = digits_drawn(data, train=100), digits_drawn(data)
    np.testing.assert_array_equal(few.test.X, many.test.X)
    np.testing.assert_array_equal(few.validation.X, many.validation.X)


@both_data
def test_without_the_cue_the_best_observer_scores_one_half(data):
    task, trials = CuedDigits(data=data), digits_drawn(data).train
    assert task.without_attention == 0.5
    error = 0.5 / np.sqrt(len(trials))
    assert np.mean(trials.stream_label[:, 0] == trials.label) == 0.5  # always the same stream: exactly half of 2000 trials
    for digit in (trials.stream_label.max(axis=1), trials.stream_label.min(axis=1)):  # a rule on the digits: no help either
        assert abs(np.mean(digit == trials.label) - 0.5) < 4 * error  # 4 binomial standard errors: 1 in 16,000


def test_chance_and_ceiling_of_cued_digits_stand_next_to_every_score():
    task = CuedDigits()
    assert (task.chance, task.without_attention, task.ceiling, task.classes, task.streams) == (0.1, 0.5, 1.0, 10, 2)


def test_the_ideal_observer_is_wrong_when_the_cue_points_to_the_other_stream():
    trials = digits_drawn("digits").test
    miscued = dataclasses.replace(trials, cue=1 - trials.cue)
    assert not (CuedDigits().ideal(miscued) == trials.label).any()


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("trials", [9, 1, 0, -5])
def test_fewer_trials_than_classes_are_refused(part, trials):
    with pytest.raises(WrongUse, match=f"{part}={trials} .*10 classes"):
        CuedDigits(**{part: trials})
    assert getattr(CuedDigits(**{part: 10}), part) == 10


@pytest.mark.parametrize("trials", [20.5, float("nan"), "20", True, None])
def test_a_number_of_trials_that_is_not_whole_is_refused(trials):
    with pytest.raises(WrongUse, match="whole number"):
        CuedDigits(train=trials)


def test_settings_given_as_text_are_converted_and_unknown_ones_refused():
    assert configure(CuedDigits, {"train": "100", "data": "mnist"}) == CuedDigits(train=100, data="mnist")
    with pytest.raises(WrongUse, match="Did you mean 'train'"):
        configure(CuedDigits, {"trian": "100"})


def test_unknown_data_is_answered_with_the_known_ones():
    with pytest.raises(WrongUse, match="unknown value for data.*Known: digits, idx, mnist"):
        CuedDigits(data="cifar")


def test_missing_mnist_is_one_sentence_from_the_task(tmp_path, monkeypatch):
    monkeypatch.setenv("PLASTICITY_DATA", str(tmp_path))
    monkeypatch.setattr(pooch, "os_cache", lambda project: tmp_path / "cache")
    with pytest.raises(PlasticityError, match="train-images-idx3-ubyte.gz is missing.*plasticity data --fetch mnist"):
        CuedDigits(data="mnist").draw(np.random.default_rng(0))


# ---- associative recall


def recall(**changes) -> Streams:
    return (
        TASKS["associative_recall"](**{"train": 200, "test": 400, "validation": 40, **changes})
        .draw(np.random.default_rng(0))
        .test
    )


def test_keys_of_a_trial_differ_and_their_inner_products_have_mean_square_one_over_d():
    shown = recall(pairs=8, dimension=16)
    signs = (2 * shown.stimulus[:, :-1, :16] - 1) / 4
    inner = np.einsum("tpd,tqd->tpq", signs, signs)[:, *np.triu_indices(8, 1)]
    assert (inner < 1 - 1e-9).all()
    # 400 x 28 products, their square has mean 1/16 and a standard deviation of nearly sqrt(2)/16; 4 standard errors
    assert abs(np.mean(inner**2) - 1 / 16) < 4 * np.sqrt(2) / 16 / np.sqrt(inner.size)


def test_queries_of_one_memory_ask_for_different_pairs_of_the_same_keys_and_values():
    shown = recall(pairs=5, queries=4)
    pairs = shown.stimulus[:, :-1].reshape(100, 4, 5, -1)
    assert (pairs == pairs[:, :1]).all()
    asked = shown.image[:, -1].reshape(100, 4)
    assert all(len(set(row)) == 4 for row in asked)
    assert (shown.stimulus[:, -1, 32:] == 0).all() and (shown.cue == 5).all()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"pairs": 9, "dimension": 4}, "more than half of those that there are"),
        ({"pairs": 4, "queries": 5}, "ask about each at most once"),
        ({"train": 201, "queries": 2}, "no multiple of queries=2"),
    ],
)
def test_a_recall_that_cannot_be_asked_is_refused(settings, message):
    with pytest.raises(WrongUse, match=message):
        recall(**settings)
