"""A digit in one of nine places: what is balanced, what the cue is worth, where digits of a colour stand."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from plasticity.datasets import DATASETS
from plasticity.errors import WrongUse
from plasticity.parallel import trials_generator
from plasticity.tasks import Draw, SpatialAttention, Streams
from plasticity.tasks.spatial_attention import PLACES

WAYS = ("place", "feature")
both = pytest.mark.parametrize("by", WAYS)


@cache
def drawn(by: str, seed: int = 0) -> Draw:
    return SpatialAttention(by=by, train=720, validation=200, test=400).draw(trials_generator(seed))


def parts(by: str, seed: int = 0) -> list[Streams]:
    draw = drawn(by, seed)
    return [draw.train, draw.validation, draw.test]


@both
def test_no_image_is_shown_in_two_parts(by):
    for seed in range(3):
        shown = [set(part.image.ravel()) for part in parts(by, seed)]
        assert not shown[0] & shown[1] and not shown[0] & shown[2] and not shown[1] & shown[2]


@both
def test_cues_and_answers_are_balanced_and_images_used_evenly(by):
    task = SpatialAttention(by=by)
    for part in parts(by):
        assert np.ptp(np.bincount(part.label, minlength=10)) <= 1
        assert np.ptp(np.bincount(part.cue, minlength=task.streams)) <= 1
        for digit in range(10):
            assert np.ptp(np.bincount(part.cue[part.label == digit], minlength=task.streams)) <= 1
        times = np.unique(part.image, return_counts=True)[1]
        of = DATASETS["digits"]().labels[np.unique(part.image)]
        assert all(np.ptp(times[of == digit]) <= 1 for digit in range(10))


@both
def test_without_the_cue_the_best_is_the_digit_that_is_shown_most_often(by):
    task, part = SpatialAttention(by=by), drawn(by).train
    counts = (part.stream_label[:, :, None] == np.arange(10)).sum(axis=1)
    error = 0.5 / np.sqrt(len(part))
    assert abs(np.mean(counts.argmax(axis=1) == part.label) - task.without_attention) < 4 * error
    for guess in (*part.stream_label.T, part.stream_label.max(axis=1), part.stream_label.min(axis=1)):
        assert np.mean(guess == part.label) < task.without_attention + 4 * error  # no place and no other rule is better
    rng = np.random.default_rng(0)
    most = [np.bincount(row).max() for row in rng.integers(10, size=(20000, task.streams))]
    assert abs(np.mean(most) / task.streams - task.without_attention) < 0.01 and task.chance == 0.1


@both
def test_the_cue_is_all_that_the_ideal_observer_needs(by):
    task, part = SpatialAttention(by=by), drawn(by).test
    assert (task.ideal(part) == part.label).all() and task.ceiling == 1
    elsewhere = Streams(part.stimulus, (part.cue + 1) % task.streams, part.label, part.stream_label, part.image, part.classes)
    assert abs(np.mean(task.ideal(elsewhere) == part.label) - task.chance) < 4 * np.sqrt(0.1 * 0.9 / len(part))


def test_by_place_a_stream_is_an_image():
    part = drawn("place").test
    digits = DATASETS["digits"]()
    assert part.stimulus.shape == (400, PLACES, 64)
    np.testing.assert_array_equal(part.stimulus, digits.intensity(part.image))


def test_by_feature_a_colour_has_its_digit_at_a_random_place_of_the_whole_scene_and_no_two_at_the_same():
    part = drawn("feature").test
    digits = DATASETS["digits"]()
    scene = part.stimulus.reshape(400, 3, 3, 8, 3, 8).swapaxes(3, 4).reshape(400, 3, PLACES, 64)  # (..., places, pixels)
    lit = scene.any(axis=3)
    assert (lit.sum(axis=2) == 1).all() and (lit.sum(axis=1) <= 1).all()
    place = lit.argmax(axis=2)
    np.testing.assert_array_equal(scene[np.arange(400)[:, None], np.arange(3), place], digits.intensity(part.image))
    counts = np.bincount(place.ravel(), minlength=PLACES)
    assert np.abs(counts - counts.mean()).max() < 4 * np.sqrt(counts.mean())  # every place as often: 4 standard deviations
    told = np.corrcoef(place[np.arange(400), part.cue], part.cue)[0, 1]
    assert abs(told) < 4 / np.sqrt(400)  # the cue says nothing of the place


def test_test_trials_do_not_change_with_the_number_of_training_trials():
    for by in WAYS:
        few = SpatialAttention(by=by, train=20, validation=200, test=400).draw(trials_generator(0))
        np.testing.assert_array_equal(few.test.X, drawn(by).test.X)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"train": 9}, "9 trials are fewer than its 10 classes"),
        ({"by": "colour"}, "unknown value for by"),
        ({"by": "feature", "colours": 10}, "colours=10 is outside 2 to 9"),
    ],
)
def test_what_cannot_be_shown_is_refused(settings, message):
    with pytest.raises(WrongUse, match=message):
        SpatialAttention(**settings).draw(trials_generator(0))


def test_images_that_are_no_squares_cannot_stand_in_a_scene_of_colours(monkeypatch):
    from plasticity.datasets import Images
    from plasticity.tasks import spatial_attention

    odd = Images(np.full((200, 6), 9, np.uint8), np.arange(200) % 10, brightest=16)
    monkeypatch.setattr(spatial_attention, "images", lambda data, folder: odd)
    few = {"train": 10, "validation": 10, "test": 10}
    assert SpatialAttention(**few).draw(trials_generator(0)).train.stimulus.shape == (10, 9, 6)
    with pytest.raises(WrongUse, match="6 pixels are no squares"):
        SpatialAttention(**few, by="feature").draw(trials_generator(0))
