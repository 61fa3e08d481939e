"""The families of trials: streams, timelines, tokens, sequences, episodes. What holds for all of them, and what each refuses."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pytest
from sklearn.base import clone

from bridges.comparison import Comparison, compare
from plasticity.datasets.dataset import Missing
from plasticity.errors import PlasticityError, WrongUse
from plasticity.learners import Guessing
from plasticity.settings import setting
from plasticity.tasks import FAMILIES, KINDS, TASKS, Draw, Episodes, Sequences, Streams, Task, Timelines, Tokens, Trials
from plasticity.tasks.streams import split_streams


def streams(**changes: Any) -> Streams:
    """Three trials of two streams with four features and three classes."""
    given = {
        "stimulus": np.linspace(0, 1, 24).reshape(3, 2, 4), "cue": np.array([0, 1, 1]), "label": np.array([2, 0, 1]),
        "stream_label": np.array([[2, 1], [1, 0], [2, 1]]), "image": np.arange(6).reshape(3, 2), "classes": 3,
    }  # fmt: skip
    return Streams(**(given | changes))


def timelines(**changes: Any) -> Timelines:
    """Two trials of five steps; the first is asked twice, the second at its end."""
    target = np.full((2, 5), -1)
    target[0, 1], target[0, 4], target[1, 4] = 0, 2, 1
    given = {"signal": np.linspace(0, 1, 20).reshape(2, 5, 2), "target": target, "number": np.array([7, 8]), "classes": 3}
    return Timelines(**(given | changes))


def tokens(**changes: Any) -> Tokens:
    """A sequence of four symbols and one of two."""
    given = {
        "token": np.array([[3, 1, 0, 2], [1, 1, -1, -1]]), "target": np.array([[-1, -1, 0, 1], [-1, 1, -1, -1]]),
        "number": np.arange(2), "vocabulary": 4, "classes": 2,
    }  # fmt: skip
    return Tokens(**(given | changes))


def sequences(**changes: Any) -> Sequences:
    """Three symbols that ask for two, and one that asks for three."""
    given = {
        "source": np.array([[3, 1, 2], [1, -1, -1]]), "target": np.array([[1, 2, -1], [2, 1, 1]]), "number": np.arange(2),
        "vocabulary": 4, "classes": 3,
    }  # fmt: skip
    return Sequences(**(given | changes))


def episodes(**changes: Any) -> Episodes:
    """A corridor of four places, the last a goal; action 1 goes on, action 0 back; two episodes, of three actions at most."""
    places = np.arange(4)
    given = {
        "observation": np.eye(4), "next_state": np.stack([np.maximum(places - 1, 0), np.minimum(places + 1, 3)], axis=1),
        "reward": np.array([[0.0, 0.0], [0.0, 0.0], [0.0, 1.0], [0.0, 0.0]]), "goal": places == 3, "ends": places == 3,
        "start": np.array([0, 1]), "longest": 3, "classes": 2,
    }  # fmt: skip
    return Episodes(**(given | changes))


MADE: dict[str, Callable[..., Trials]] = {
    "streams": streams, "timelines": timelines, "tokens": tokens, "sequences": sequences, "episodes": episodes
}  # fmt: skip
every_family = pytest.mark.parametrize("family", FAMILIES)


def perfect(trials: Trials) -> np.ndarray:
    """Answers that are right everywhere."""
    if isinstance(trials, Episodes):
        return np.ones((len(trials), trials.longest), dtype=int)
    return trials.y


def test_every_family_is_here_and_every_task_is_of_one():
    assert set(MADE) == set(FAMILIES)
    for kind in TASKS.values():
        task = kind()
        assert task.kind in KINDS
        with contextlib.suppress(Missing):  # of data that are not here
            assert type(task.draw(np.random.default_rng(0)).test).family == task.family


@every_family
def test_taking_some_trials_keeps_what_they_are(family):
    trials = MADE[family]()
    last = trials.take([len(trials) - 1])
    assert type(last) is type(trials) and len(last) == 1 and last.classes == trials.classes
    assert trials.take(slice(None)).right(perfect(trials)).tolist() == [1.0] * len(trials)
    for name, array in last.arrays().items():
        whole = trials.arrays()[name]
        np.testing.assert_array_equal(array, whole if name in trials.shared else whole[-1:])
    with pytest.raises(WrongUse, match="cannot pick"):
        trials.take([99])


@every_family
def test_right_is_one_for_right_answers_and_a_share_in_between(family):
    trials = MADE[family]()
    assert trials.right(perfect(trials)).tolist() == [1.0] * len(trials)
    wrong = np.zeros_like(perfect(trials)) if family == "episodes" else np.where(perfect(trials) >= 0, 1 - perfect(trials), -1)
    assert trials.right(wrong).max() < 1 and trials.right(wrong).min() >= 0


@every_family
def test_the_fingerprint_is_that_of_every_number(family):
    trials = MADE[family]()
    draw = Draw(trials, trials, trials)
    assert draw.fingerprint() == Draw(MADE[family](), trials, trials).fingerprint()
    for name, array in trials.arrays().items():
        if array.dtype == np.float64:
            changed = array.copy()
            changed.flat[-1] = 0.5
            other = MADE[family](**{name: changed})
            assert Draw(other, trials, trials).fingerprint() != draw.fingerprint(), name
    assert Draw(trials, trials.take(slice(1)), trials).fingerprint() != draw.fingerprint()


@every_family
def test_guessing_is_a_learner_on_every_family_and_the_same_seed_guesses_alike(family):
    trials = MADE[family]()
    first, again = (clone(Guessing(random_state=3)).fit(trials.X, trials.y) for _ in range(2))
    answers = first.predict(trials.X)
    np.testing.assert_array_equal(answers, again.predict(trials.X))
    assert 0 <= trials.right(answers).min() <= trials.right(answers).max() <= 1


def test_guessing_scores_chance_where_many_are_asked():
    rng = np.random.default_rng(0)
    target = rng.integers(4, size=(200, 10))
    many = Tokens(rng.integers(5, size=(200, 10)), target, np.arange(200), 5, 4)
    share = many.right(Guessing().fit(many.X, many.y).predict(many.X)).mean()
    assert abs(share - 0.25) < 4 * np.sqrt(0.25 * 0.75 / 2000)  # 4 standard errors of a count


def test_an_episode_ends_at_its_goal_and_brings_what_the_table_says():
    reached, total = episodes().play([[1, 1, 1], [1, 1, -1]])
    assert reached.tolist() == [True, True] and total.tolist() == [1.0, 1.0]
    reached, total = episodes().play([[1, 0, 1], [0, 0, 0]])
    assert reached.tolist() == [False, False] and total.tolist() == [0.0, 0.0]


def test_the_chance_of_an_episode_is_that_of_random_actions_counted_over_all_of_them():
    world = episodes(longest=5)
    every = np.array(list(itertools.product((0, 1), repeat=5)))
    reached = [world.play(np.repeat(actions[None], len(world), axis=0))[0].mean() for actions in every]
    assert world.by_random_actions() == pytest.approx(np.mean(reached), rel=1e-15)
    assert episodes(start=np.array([2]), longest=1).by_random_actions() == 0.5


@dataclass(frozen=True)
class Corridor(Task):
    name: ClassVar[str] = "corridor"
    family: ClassVar[str] = "episodes"
    classes = 2
    longest: int = setting(3, "actions", low=3)

    def draw(self, rng):
        return Draw(*(episodes(longest=self.longest) for _ in range(3)))

    def ideal(self, trials):
        return np.ones((len(trials), trials.longest), int)


def test_a_task_of_episodes_says_what_random_actions_reach_and_refuses_what_is_outside_of_its_bounds():
    assert Corridor().chance == episodes().by_random_actions() not in (0.0, 0.5)
    with pytest.raises(WrongUse, match="longest=1"):
        Corridor(longest=1)


@pytest.mark.parametrize("family", ["timelines", "tokens", "sequences"])
def test_a_record_holds_what_was_asked_so_that_its_accuracy_can_be_had_again(family, tmp_path):
    @dataclass(frozen=True)
    class Asked(Task):
        name: ClassVar[str] = "asked"
        classes = 2

        def draw(self, rng):
            return Draw(*(MADE[family]() for _ in range(3)))

        def ideal(self, trials):
            return trials.y

    Asked.family = family
    compare([("guess", Guessing())], Asked(), seeds=[0], jobs=1, out=tmp_path / "run")
    record = Comparison.load(tmp_path / "run").records[0, "guess"]
    assert record.arrays["target"].shape == MADE[family]().y.shape and "right" not in record.arrays
    record.numbers["accuracy"] += 0.25
    record.save(tmp_path / "run" / "records" / "seed-0000" / "guess")
    with pytest.raises(PlasticityError, match="its predictions give"):
        Comparison.load(tmp_path / "run")


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (lambda: timelines(signal=np.full((2, 5, 2), np.nan)), "signal holds NaN"),
        (lambda: timelines(signal=np.full((2, 5, 2), 1.5)), "scale it to 0 to 1"),
        (lambda: timelines(target=np.full((2, 5), -1)), "asks for nothing"),
        (lambda: timelines(target=np.full((2, 5), 3)), "target runs from 3 to 3"),
        (lambda: timelines(target=np.zeros((2, 4), int)), "target has the shape"),
        (lambda: timelines(step_ms=0.0), "step_ms=0.0"),
        (lambda: timelines(signal="nothing"), "not an array of numbers"),
        (lambda: timelines(signal=np.zeros((2, 5, 2), complex)), "not an array of numbers"),
        (lambda: timelines(signal=np.zeros((2, 5, 2), "datetime64[D]")), "not an array of numbers"),
        (lambda: timelines(signal=np.full((2, 5, 2), "0.5")), "not an array of numbers"),
        *(
            (lambda step=step: timelines(step_ms=step), "step_ms=.* must be a finite")
            for step in (np.nan, "1", None, 1j, True, [1])
        ),
        *((lambda k=k, f=f: MADE[f](classes=k), "classes=.* whole number") for k in (np.nan, 2.0, "2", None, 2j) for f in MADE),
        *(
            (lambda kind=kind: streams(label=np.zeros(3, kind)), "label holds")
            for kind in ("M8[D]", "m8[D]", complex, bool, "U1")
        ),
        (lambda: streams(label=[[0], [0, 1], [1]]), "label is no array"),
        (lambda: streams(image=np.full((3, 2), 2**64 - 1, np.uint64)), "image runs from"),
        (lambda: streams().take(None), "take.. picks trials by"),
        (lambda: streams().take({}), "cannot pick these|picks trials by"),
        (lambda: streams().right(np.zeros(3, "M8[D]")), "answers are of the type"),
        (lambda: split_streams(np.zeros((3, 6), complex)), "not a matrix of numbers"),
        (lambda: split_streams(np.zeros((3, 6)), "2"), "streams=2; it must be at least 1"),
        (lambda: episodes(goal=np.array([0, 0, 0, np.nan])), "goal holds float64 values"),
        (lambda: episodes(ends=np.zeros(4, complex)), "ends holds complex128 values"),
        (lambda: episodes().play(np.full((2, 3), 0.5)), "actions are of the type float64"),
        (lambda: timelines(classes=1), "a choice needs at least 2"),
        (lambda: tokens(token=np.array([[4, 1, 0, 2], [1, 1, -1, -1]])), "token runs from -1 to 4"),
        (lambda: tokens(token=np.array([[3, -1, 0, 2], [1, 1, -1, -1]])), "behind the end of its sequence"),
        (lambda: tokens(token=np.zeros((0, 4), int)), "token has the shape"),
        (lambda: tokens(token=np.array([[0.5, 1, 0, 2], [1, 1, 0, 0]])), "give whole numbers"),
        (lambda: episodes(next_state=np.full((4, 2), 4)), "next_state runs from 4 to 4"),
        (lambda: episodes(reward=np.full((4, 2), np.inf)), "NaN or infinity"),
        (lambda: episodes(reward=np.zeros((4, 3))), "reward has the shape"),
        (lambda: episodes(start=np.array([3])), "begins in a state that ends it"),
        (lambda: episodes(start=np.zeros(0, int)), "start has the shape"),
        (lambda: episodes(longest=0), "at least 1 action"),
        (lambda: episodes().play([[1, 1, 1]]), "actions have the shape"),
        (lambda: episodes().play([[2, 1, 1], [1, 1, 1]]), "numbered 0 to 1"),
        (lambda: tokens().right([[1]]), "answers have the shape"),
        (lambda: timelines().right([1, 2]), "answers have the shape"),
        (lambda: streams().right([2]), r"answers have the shape \(1,\); these trials ask for \(3,\)"),
        (lambda: streams().right(2), "answers have the shape"),
        (lambda: tokens(target=np.array([[-1, -1, 0, 1], [-1, 1, 0, -1]])), "target of trial 1 asks behind the end"),
        (lambda: sequences(source=np.array([[3, 1, 4], [1, -1, -1]])), "source runs from -1 to 4"),
        (lambda: sequences(source=np.array([[3, -1, 2], [1, -1, -1]])), "symbol of source behind the end"),
        (lambda: sequences(target=np.array([[-1, -1], [1, 2]])), "target of trial 0 is empty"),
        (lambda: sequences(target=np.array([[1, 2]])), "target has the shape"),
        (lambda: sequences(references=np.array([[[1, 1, -1]], [[2, 1, 1]]])), "none of its references"),
        (lambda: sequences(references=np.array([[[1, 3, -1]], [[2, 1, 1]]])), "references runs from -1 to 3"),
        (lambda: sequences().right([[1], [2, 1, 1]]), "rows of different lengths"),
        (lambda: sequences().right([[1.5, 2], [2, 1]]), "numbers of symbols"),
        (lambda: sequences().right([1, 2]), "answers have the shape"),
        (lambda: tokens(vocabulary=None), "vocabulary=None is no whole number"),
        (lambda: episodes(longest=True), "longest=True is no whole number; an episode needs at least 1 action"),
        (lambda: episodes(longest=2.5), "longest=2.5 is no whole number"),
        (lambda: streams(classes=3.5), "classes=3.5 is no whole number; a choice needs at least 2"),
        (lambda: streams(classes=None), "classes=None is no whole number"),
        (lambda: Streams(*streams().arrays().values()), "classes=0; a choice needs at least 2"),
    ],
)
def test_trials_that_cannot_be_are_refused_with_a_sentence(made, message):
    with pytest.raises(WrongUse, match=message):
        made()
