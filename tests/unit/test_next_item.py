"""The next item: the law and its ceiling, tables of one's own, and what learns it."""

from __future__ import annotations

import numpy as np
import pytest

from bridges import compare
from bridges.comparison.answers import sentence
from plasticity.engine import compiler
from plasticity.errors import PlasticityError, WrongUse
from plasticity.learners.item_baseline import ItemBaseline
from plasticity.learners.spiking_association import SpikingAssociation
from plasticity.tasks import NextItem

PARTS = ("train", "validation", "test")


@pytest.mark.parametrize("changes", [{}, {"items": 7, "follows": 0.5, "aside": 0.2}, {"items": 6, "follows": 0.1}])
def test_the_ceiling_and_chance_are_what_the_best_answers_score_on_many_users(changes):
    task = NextItem(asked=20_000, train=2000, **changes)
    test = task.draw(np.random.default_rng(0)).test
    best, error = test.right(task.ideal(test)).mean(), 0.5 / 20_000**0.5
    assert abs(best - task.ceiling) < 4 * error
    assert abs(np.bincount(test.target).max() / len(test) - task.chance) < 4 * error
    assert task.chance < task.ceiling <= 1


def test_no_user_is_in_two_parts_and_no_answer_is_an_aside():
    task = NextItem(train=60, asked=60)
    draw = task.draw(np.random.default_rng(0))
    numbers = [set(getattr(draw, part).number) for part in PARTS]
    assert not numbers[0] & numbers[1] and not numbers[0] & numbers[2] and not numbers[1] & numbers[2]
    assert draw.fingerprint() == task.draw(np.random.default_rng(0)).fingerprint()
    for part in PARTS:
        trials = getattr(draw, part)
        asked = [int(trials.words[k].removeprefix("item ")) for k in trials.target if k]
        assert max(asked) < 25 and trials.lengths.max() <= task.longest


def written(path, rows, head="user,item,time"):
    path.write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    return str(path)


def test_a_table_is_read_by_the_times_and_an_item_of_test_users_alone_is_unknown(tmp_path):
    rows = [f"u{user},{item},{time}" for user in range(8) for time, item in ((3, "c"), (1, f"own {user}"), (2, "b"))]
    task = NextItem(file=written(tmp_path / "mine.csv", [*rows, "one,c,1"]), test=0.25, validation=0.25)
    draw = task.draw(np.random.default_rng(0))
    assert len(draw.test) == len(draw.validation) == 2 and len(draw.train) == 4
    assert {draw.train.words[k] for k in draw.train.target} == {"c"}
    assert [draw.test.words[k] for k in draw.test.token[0] if k >= 0] == ["?", "b"]
    assert task.facts["notes"] == ["1 users with fewer than 3 items are left out"] and list(task.hints([]))
    assert task.chance == 1 and not set(draw.train.number) & set(draw.test.number)


@pytest.mark.parametrize(
    "times",
    [
        ("2026-11-30", "2026-12-01T08:00", "2026-12-01T12:00:00.5"),
        ("2026-12-01T10:00:00+05:00", "2026-12-01T06:00:00Z", "2026-12-01T02:00-06:00"),
        ("-1", "2.5", "1e2"),
    ],
)
def test_times_may_be_dates(tmp_path, times):
    rows = [f"u{user},{item},{time}" for user in range(8) for item, time in zip("cab", (times[2], *times[:2]), strict=True)]
    draw = NextItem(file=written(tmp_path / "mine.csv", rows)).draw(np.random.default_rng(0))
    assert [draw.train.words[k] for k in draw.train.token[0] if k >= 0] == ["a", "b"]
    assert draw.train.words[draw.train.target[0]] == "c"


@pytest.mark.parametrize(
    ("rows", "head", "told"),
    [
        (["a,b"], "user,item", "no single column 'time'"),
        (["a,b,1", "a,,2"], "user,item,time", "line 3 of .* has an empty cell"),
        (["a,b,1,2"], "user,item,time", "4 cells for 3 columns"),
        (["a,b,soon"], "user,item,time", "time 'soon' in line 2"),
        (["a,b,nan"], "user,item,time", "time 'nan' in line 2"),
        (["a,b,inf"], "user,item,time", "time 'inf' in line 2 .* is neither a number nor a time like 2026-11-30T12"),
        (["a,b,2026-13-01"], "user,item,time", "time '2026-13-01' in line 2 .* is neither a number nor a time"),
        (["a,b,1", "a,c,2026-11-30"], "user,item,time", "line 3 .* is a date without zone, the time before it a number; write"),
        (["a,b,2026-11-30", "a,c,2026-11-30T12:00Z"], "user,item,time", "with a zone, the time before it a date without zone"),
        ([f"{user},b,{time}" for user in "abc" for time in range(4)], "user,item,time", "one item alone, so that"),
        (["a,b,1", "a,c,2", "a,d,3"], "user,item,time", "1 users with 3 items or more, too few"),
        ([], "", "no single column 'user'"),
    ],
)
def test_a_table_that_cannot_be_is_refused_in_one_sentence(rows, head, told, tmp_path):
    with pytest.raises(WrongUse, match=told):
        NextItem(file=written(tmp_path / "mine.csv", rows, head))


def test_what_is_no_text_and_what_is_not_there_is_refused(tmp_path):
    (tmp_path / "mine.csv").write_bytes(b"user,item,time\na,\xff,1\n")
    with pytest.raises(PlasticityError, match="no text in UTF-8"):
        NextItem(file=str(tmp_path / "mine.csv"))
    with pytest.raises(WrongUse, match="there is no file"):
        NextItem(file=str(tmp_path / "other.csv"))
    with pytest.raises(WrongUse, match="leave no users"):
        NextItem(test=0.6, validation=0.5)


@pytest.mark.parametrize(("items", "told"), [(8, "No hit rate at 10"), (20, "Hit rate at 10, %: successor_counts ")])
def test_a_hit_rate_at_ten_is_told_or_why_there_is_none(items, told):
    result = compare(["successor_counts"], NextItem(items=items, train=20, asked=20), seeds=[0], jobs=1)
    assert sentence(result).startswith(told)
    assert [column["key"] for column in result.answers[0]["columns"]] == ["name", "first", "hits"][: 2 + (items > 10)]


def test_baselines_count_what_they_say():
    X, y = np.array([[1, 2, -1], [3, 2, -1], [1, 3, 2], [2, 1, -1]]), np.array([3, 3, 1, 2])
    asked = np.array([[5, 2, -1], [2, 1, -1], [4, 4, 4]])
    answers = {kind: ItemBaseline(kind=kind, neighbours=1).fit(X, y).predict(asked).tolist() for kind in
               ("most_popular", "successor_counts", "nearest_history")}  # fmt: skip
    assert answers["most_popular"] == [3, 3, 3]
    assert answers["successor_counts"] == [3, 2, 3] and answers["nearest_history"][1] == 2
    likely = ItemBaseline(kind="successor_counts").fit(X, y).predict_proba(asked)
    np.testing.assert_allclose(likely.sum(axis=1), 1)


needs_compiler = pytest.mark.skipif(not compiler(), reason="needs a C++ compiler")


@pytest.mark.full
@needs_compiler
def test_spikes_associate_an_item_with_what_follows_it_past_asides_and_not_the_reverse():
    task = NextItem(items=12, train=150, asked=200)
    draw = task.draw(np.random.default_rng(3))
    learner = SpikingAssociation().fit(draw.train.X, draw.train.y)
    markov = ItemBaseline(kind="successor_counts").fit(draw.train.X, draw.train.y)
    score = draw.test.right(learner.predict(draw.test.X)).mean()
    assert task.chance + 0.2 < score <= task.ceiling + 0.1
    assert score > draw.test.right(markov.predict(draw.test.X)).mean()
    again = SpikingAssociation().fit(draw.train.X, draw.train.y)
    np.testing.assert_array_equal(again.weights_, learner.weights_)
    _, successor, _ = task.rules
    number = {word: place for place, word in enumerate(draw.train.words)}
    forth = [learner.weights_[number[f"item {k}"], number[f"item {s}"]] for k, s in enumerate(successor)]
    back = [learner.weights_[number[f"item {s}"], number[f"item {k}"]] for k, s in enumerate(successor)]
    assert np.mean(forth) > 0.5 > 0.1 > np.mean(back)


@pytest.mark.full
@needs_compiler
def test_what_stands_behind_a_history_changes_no_answer():
    X, y = np.array([[1, 2, -1], [2, 3, -1], [1, 3, 2]] * 5), np.array([3, 1, 1] * 5)
    learner = SpikingAssociation().fit(X, y)
    np.testing.assert_allclose(learner.drive(X), learner.drive(np.hstack([X, np.full((len(X), 3), -1)])))
