"""Texts: archives, words, parts that never overlap, and what is refused; torch learners that read."""

from __future__ import annotations

import io
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pooch
import pytest
import torch

from bridges.torch_reader import READERS, TorchReader, WordReader
from plasticity import datasets
from plasticity.datasets import DATASETS, Archive
from plasticity.datasets.archive import digest
from plasticity.datasets.texts import decoded, read_texts, vocabulary, words
from plasticity.errors import PlasticityError, WrongUse
from plasticity.saving import load
from plasticity.tasks import FilmReviews, News
from tests.unit.test_reading import texts

FILES = {f"set/{kind}/{k}.txt": f"{kind} {k} word".encode() for kind in ("a", "b") for k in range(3)}
PARTS = ("train", "validation", "test")


def archive(**changes) -> Archive:
    given = {
        "name": "small", "summary": "", "source": "", "terms": "", "load": lambda one: one.members(), "count": 6,
        "url": "https://example.org/small.zip", "picked": r"(?:^|/)(set/[ab]/\d\.txt)$", "sha256": digest(FILES),
    }  # fmt: skip
    return Archive(**(given | changes))


def zipped(files: dict[str, bytes], prefix: str = "") -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as made:
        for name, content in files.items():
            made.writestr(prefix + name, content)
    return packed.getvalue()


@pytest.fixture
def place(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("PLASTICITY_DATA", str(tmp_path / "own"))
    monkeypatch.setattr(pooch, "os_cache", lambda project: tmp_path / "cache")
    (tmp_path / "own" / "small").mkdir(parents=True)
    return tmp_path / "own" / "small"


# archives


def test_an_archive_is_read_packed_by_zip_or_tar_or_not_packed_wherever_its_files_lie_in_it(place):
    (place / "by-somebody-1.0.zip").write_bytes(zipped(FILES | {"README": b"not picked"}, "release-1.0/"))
    assert archive()() == FILES and archive().status().state == "present"
    (place / "by-somebody-1.0.zip").unlink()
    with tarfile.open(place / "small.tar.gz", "w:gz") as made:
        for name, content in FILES.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            made.addfile(entry, io.BytesIO(content))
    assert archive()() == FILES
    (place / "small.tar.gz").unlink()
    for name, content in FILES.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(content)
    assert archive()() == FILES and str(archive().where()) == str(place)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"no archive at all", "is damaged"),
        (zipped(FILES)[:-30], "is damaged"),
        (zipped(FILES).replace(b"a 1 word", b"a 2 word"), "is damaged"),  # the checksum of the zip itself
        (zipped(FILES | {"set/a/1.txt": b"another"}), "another version"),
        (zipped(dict(list(FILES.items())[1:])), "5 files of 6"),
        (zipped(FILES | {"../escaped.txt": b""}), "leaves its folder"),
        (zipped(FILES | {"/etc/escaped.txt": b""}), "leaves its folder"),
        (zipped(FILES | {"C:\\escaped.txt": b""}), "leaves its folder"),
    ],
)
def test_a_damaged_archive_or_one_that_would_leave_its_folder_is_one_sentence(place, content, told):
    (place / "small.zip").write_bytes(content)
    with pytest.raises(PlasticityError, match=told) as refused:
        archive()()
    assert "plasticity data --fetch small" in str(refused.value) and "\n" not in str(refused.value)
    assert archive().status().state == "damaged"
    assert sorted(path.name for path in place.parent.rglob("*")) == ["small", "small.zip"]  # nothing was unpacked


def test_a_missing_archive_says_where_it_was_looked_for_and_a_growing_one_may_differ(place):
    with pytest.raises(PlasticityError, match="nothing of it is in .*own.*cache"):
        archive()()
    assert archive().status().state == "missing"
    (place / "small.zip").write_bytes(zipped(FILES | {"set/a/7.txt": b"new"}))
    assert len(archive(grows=True)()) == 7 and "another version" in archive(grows=True).status().detail


# words and parts


def test_words_are_lower_case_without_marks():
    assert words("It’s GREAT,<br /><br />isn't it? £5 &amp; more") == ["it's", "great", "isn't", "it", "5", "more"]
    assert words("...") == []


def test_the_vocabulary_is_of_the_words_in_most_texts_and_ties_go_by_alphabet():
    assert vocabulary([["b", "a", "a"], ["a", "c"], ["b", "c"]], 2) == ("a", "b")
    assert vocabulary([["rare"], ["once"]], 5) == ("once", "rare")


def written(folder: Path, per_class: int = 8, **more: str) -> Path:
    for kind, word in (("good", "fine"), ("bad", "dull")):
        (folder / kind).mkdir(parents=True)
        for k in range(per_class):
            (folder / kind / f"{k}.txt").write_text(f"a {word} film number{k} {kind}{k % 3}", encoding="utf-8")
    for name, text in more.items():
        (folder / name.replace("__", "/")).with_suffix(".txt").write_text(text, encoding="utf-8")
    return folder


def test_parts_share_no_text_and_copies_stay_together(tmp_path):
    task = News(
        data="folder",
        folder=str(written(tmp_path / "mine", 12, good__x="a fine film number1 good1", bad__y="A dull film: number2, bad2")),
    )
    for seed in range(5):
        draw = task.draw(np.random.default_rng(seed))
        shown = [{tuple(text[text >= 0]) for text in getattr(draw, part).token} for part in PARTS]
        numbers = [set(getattr(draw, part).number) for part in PARTS]
        for k, other in ((0, 1), (0, 2), (1, 2)):
            assert not numbers[k] & numbers[other]
        where = [next(k for k in range(3) if number in numbers[k]) for number in range(26)]
        read = task.read.documents
        assert all(where[i] == where[j] for i in range(26) for j in range(i) if read[i] == read[j])
        assert sum(map(len, shown)) <= 24
    assert "2 texts are copies" in task.facts["notes"][0]


def test_the_vocabulary_is_that_of_training_texts_alone(tmp_path):
    task = News(data="folder", folder=str(written(tmp_path / "mine", 12)))
    draw = task.draw(np.random.default_rng(0))
    known = set(draw.train.words[1:])
    told = {word for number in draw.train.number for word in task.read.documents[number]}
    assert known <= told
    for part in PARTS:
        trials = getattr(draw, part)
        assert trials.words == draw.train.words and trials.vocabulary == draw.train.vocabulary
        for text, number in zip(trials.token, trials.number, strict=True):
            expected = [word if word in known else "?" for word in task.read.documents[number]]
            assert [trials.words[k] for k in text if k >= 0] == expected


def test_training_texts_that_are_copies_of_test_texts_are_left_out_and_it_is_said(tmp_path):
    for part in ("train", "test"):
        written(tmp_path / "mine" / part, 9 if part == "train" else 2)
    task = News(data="folder", folder=str(tmp_path / "mine"))
    draw = task.draw(np.random.default_rng(0))
    assert len(draw.test) == 4 and len(draw.train) + len(draw.validation) == 18 - 4
    assert any("4 training texts are copies of test texts, and are left out" in hint for hint in task.hints([]))


def test_texts_of_ones_own_are_nobody_elses_and_learners_are_as_large_as_their_vocabulary(tmp_path):
    from simulations.frame.citations import cited
    from simulations.frame.known import everything

    own = {"data": "folder", "folder": str(written(tmp_path / "mine", 12))}
    for task, doi in ((News, "10.1145/1143844.1143892"), (FilmReviews, "10.1561/1500000011")):
        assert task.about(own) == ("Texts of your own, each to be put into its class.", "")
        assert task.about({"data": task().data}) == (task.summary, task.source)
        assert doi in cited({"task": task.name, "settings": {"data": task().data}}, everything(), [])
        assert doi not in cited({"task": task.name, "settings": own}, everything(), [])
    words_there = {word for document in News(**own).read.documents for word in document}
    assert News(**own).vocabulary == len(words_there) + 1 < 5001
    assert News(**own, words=3).vocabulary == 4


def test_the_same_seed_gives_the_same_texts_in_another_process(tmp_path):
    folder = written(tmp_path / "mine", 12)
    ask = (
        "import numpy as np; from plasticity.tasks import News;"
        f" print(News(data='folder', folder={str(folder)!r}).draw(np.random.default_rng(3)).fingerprint())"
    )
    told = [
        subprocess.run(
            [sys.executable, "-c", ask],
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONHASHSEED": seed, "PATH": "", "PYTHONPATH": ":".join(sys.path)},
        ).stdout
        for seed in ("1", "2")
    ]
    assert told[0] == told[1] and len(told[0].strip()) == 64


def test_texts_of_no_word_of_one_word_and_of_ten_thousand_are_shown(tmp_path):
    folder = written(tmp_path / "mine", 8, good__empty="", good__one="fine", bad__long="dull " * 10_000)
    task = News(data="folder", folder=str(folder), longest=20)
    draw = task.draw(np.random.default_rng(0))
    lengths = np.concatenate([getattr(draw, part).lengths for part in PARTS])
    assert lengths.min() == 1 and lengths.max() == 20
    assert any("1 texts have no words" in hint for hint in task.hints([]))


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda place: None, "there is no folder"),
        (lambda place: (place / "one").mkdir(parents=True), "texts of 0 classes"),
        (lambda place: written(place, 2), "too few for training"),
        (lambda place: written(place / "train") and (written(place / "test") / "odd").mkdir(), None),
    ],
)
def test_folders_that_are_no_texts_are_refused_in_one_sentence(tmp_path, make, told):
    make(tmp_path / "mine")
    if told is None:
        (tmp_path / "mine" / "test" / "odd" / "1.txt").write_text("odd", encoding="utf-8")
        told = "'odd' has test texts and none for training"
    with pytest.raises(WrongUse, match=told):
        News(data="folder", folder=str(tmp_path / "mine")).draw(np.random.default_rng(0))


def test_a_text_that_is_not_utf_8_is_refused_by_its_name_and_place(tmp_path):
    folder = written(tmp_path / "mine")
    (folder / "good" / "9.txt").write_bytes(b"caf\xe9")
    with pytest.raises(WrongUse, match=r"9.txt is not UTF-8 \(byte 0xe9 at 3\); save it as UTF-8"):
        read_texts(folder)
    assert decoded(b"\xa35", "x", "cp1252") == "£5"


def test_texts_without_any_word_and_an_unknown_class_are_refused(tmp_path):
    for kind in "ab":
        (tmp_path / "mine" / kind).mkdir(parents=True)
        for k in range(9):
            (tmp_path / "mine" / kind / f"{k}.txt").write_text("..." * k)
    with pytest.raises(WrongUse, match="none of the 18 texts holds a word"):
        News(data="folder", folder=str(tmp_path / "mine")).draw(np.random.default_rng(0))
    folder = written(tmp_path / "other")
    with pytest.raises(WrongUse, match="against='sport' is no class.*bad, good"):
        News(data="folder", folder=str(folder), against="sport").classes  # noqa: B018
    assert News(data="folder", folder=str(folder), against="good").names == ("rest", "good")
    with pytest.raises(WrongUse, match="folder='x' is for texts of your own"):
        News(folder="x").classes  # noqa: B018


@pytest.mark.parametrize("task", [News, FilmReviews])
def test_the_data_are_those_that_the_numbers_stand_on(task):
    name = task().data
    if datasets.status(name).state == "missing":
        pytest.skip(f"{name} is not here: set PLASTICITY_DATA or fetch it")
    found = DATASETS[name]()
    assert len(found.texts) == len(found.labels) == {"bbc": 2225, "imdb": 15_000}[name]
    counts = {"bbc": [510, 386, 417, 511, 401], "imdb": None}[name]
    assert counts is None or np.bincount(found.labels).tolist() == counts
    assert found.test_from == {"bbc": None, "imdb": 10_000}[name]
    draw = task(words=500, longest=20).draw(np.random.default_rng(0))
    assert not set(draw.train.number) & set(draw.test.number)


# attention models that read


@pytest.mark.parametrize("kind", READERS)
def test_what_stands_behind_the_end_of_a_text_changes_nothing(kind):
    torch.manual_seed(0)
    reader = WordReader(kind, 9, 6, 3, 8, vocabulary=12, dropout=0.0, forget=0.0).eval()
    text = torch.tensor([[3, 1, 4, -1, -1, -1, -1, -1, -1], [5, 9, 2, 6, 5, 3, 5, 8, 9]])
    cue = torch.zeros(2, dtype=torch.int64)
    with torch.inference_mode():
        both, alone = reader(text, cue), reader(text[:1], cue[:1])
        torch.testing.assert_close(both[:1], alone)
        weights = reader.attention_weights(text, cue)
        assert (weights[0, 3:] == 0).all() and (weights[:, :3] > 0).all()
        if reader.sums_to_one:
            torch.testing.assert_close(weights.sum(dim=1), torch.ones(2))
        reader.embedding.weight[0] = 100.0  # of no word
        torch.testing.assert_close(reader(text, cue), both)


@pytest.mark.parametrize("kind", ["softmax_attention", pytest.param("lstm_attention", marks=pytest.mark.full)])
def test_a_reader_learns_attends_what_tells_the_class_and_is_kept_to_the_bit(kind, tmp_path):
    train, test = texts(400), texts(150, seed=1)
    learner = TorchReader(kind, width=16, hidden=16, vocabulary=12, epochs=15, random_state=3)
    learner.fit(train.X, train.y, probe=(test.X, test.y))
    assert learner.score(test.X, test.y) > 0.95
    weights = learner.attention_weights(test.X)
    tells = np.isin(test.X, (1, 2, 3))
    assert weights[tells].mean() > 2 * weights[(test.X > 3)].mean()
    learner.save(tmp_path / "reader")
    np.testing.assert_array_equal(load(tmp_path / "reader").predict_proba(test.X), learner.predict_proba(test.X))
    again = TorchReader(kind, width=16, hidden=16, vocabulary=12, epochs=15, random_state=3)
    again.fit(train.X, train.y, probe=(test.X, test.y))
    np.testing.assert_array_equal(again.predict_proba(test.X), learner.predict_proba(test.X))
    assert learner.costs().training and learner.represent(test.X).shape == (150, 16)
    with pytest.raises(WrongUse, match="more than"):
        learner.predict(np.zeros((1, 99), dtype=int))
