"""Data of one's own: tables from files, arrays and DataFrames, and images in MNIST's format."""

from __future__ import annotations

import datetime
import gzip
import hashlib
import json
import struct
import warnings

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.datasets import load_breast_cancer, load_digits, load_iris

import bridges
import plasticity as pl
from bridges import compare
from bridges.comparison import Comparison
from plasticity import datasets, settings
from plasticity.datasets.rows import read_csv
from plasticity.errors import PlasticityError, WrongUse
from plasticity.tasks import CuedDigits, Digits, Table
from simulations.command_line import main
from simulations.frame import results

PARTS = ("train", "validation", "test")
RNG = np.random.default_rng(0)


def ended(command):
    """The exit status of a command."""
    with pytest.raises(SystemExit) as done:
        main(command)
    return done.value.code


def drawn(task, seed=0):
    draw = task.draw(np.random.default_rng(seed))
    return draw, [getattr(draw, part) for part in PARTS]


def written(path, X, y, names=None, between=","):
    heads = [*(names or [f"x{k}" for k in range(np.shape(X)[1])]), "label"]
    lines = [between.join(map(str, [*row, label])) for row, label in zip(X, y, strict=True)]
    path.write_text("\n".join([between.join(heads), *lines]) + "\n")
    return path


# ---- what a table is


def test_a_table_from_arrays_a_frame_and_a_file_is_the_same_table(tmp_path):
    pandas = pytest.importorskip("pandas")
    X, y = load_iris(return_X_y=True)
    names = load_iris().target_names[y]
    frame = pandas.DataFrame(X, columns=[f"x{k}" for k in range(4)]).assign(label=names)
    file = written(tmp_path / "mine.csv", X, names)
    tasks = [
        pl.tasks.table(X, names), pl.tasks.table(frame, "label"), pl.tasks.table(frame.drop(columns="label"), frame["label"]),
        pl.tasks.table(frame, target="label"), pl.tasks.table(file, "label"), pl.tasks.table(str(file)),
        pl.tasks.table(frame.assign(label=frame["label"].astype("category")), "label"),
    ]  # fmt: skip
    expected, _ = drawn(tasks[0])
    for task in tasks:
        assert task.facts["classes"] == ["setosa", "versicolor", "virginica"] and task.chance == 1 / 3
        assert drawn(task)[0].fingerprint() == expected.fingerprint()
    assert tasks[4].facts["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()


def test_columns_are_scaled_by_training_rows_alone_and_what_lies_outside_is_clipped_and_counted():
    X, y = load_breast_cancer(return_X_y=True)
    draw, (train, validation, test) = drawn(pl.tasks.table(X, y), seed=3)
    shown = X[train.image[:, 0]]
    low, high = shown.min(axis=0), shown.max(axis=0)
    for part, trials in zip(PARTS, (train, validation, test), strict=True):
        rows = X[trials.image[:, 0]]
        np.testing.assert_allclose(trials.stimulus[:, 0], np.clip((rows - low) / (high - low), 0, 1), atol=1e-12)
        outside = int(((rows < low) | (rows > high)).sum())
        assert outside == (0 if part == "train" else draw.clipped[part])
    assert draw.clipped["test"] > 0  # this draw has some
    assert train.stimulus.min() == 0 and train.stimulus.max() == 1


def test_opposites_show_every_column_twice():
    X, y = load_iris(return_X_y=True)
    _, (plain, *_) = drawn(pl.tasks.table(X, y))
    _, (both, *_) = drawn(pl.tasks.table(X, y, opposites=True))
    np.testing.assert_array_equal(both.stimulus, np.concatenate([plain.stimulus, 1 - plain.stimulus], axis=2))
    with pytest.raises(WrongUse, match="given twice"):
        pl.tasks.table(X, y, target="label")


def test_parts_never_overlap_and_repeated_rows_stay_on_one_side():
    X = RNG.normal(size=(120, 3))
    y = np.arange(120) % 3
    X, y = np.concatenate([X, X[:90], X[:30]]), np.concatenate([y, y[:90], (y[:30] + 1) % 3])  # also with another label
    task = pl.tasks.table(X, y)
    assert any("120 of 240 rows repeat another" in note for note in task.facts["notes"])
    for seed in range(5):
        _, parts = drawn(task, seed)
        sides = [{tuple(X[row]) for row in part.image[:, 0]} for part in parts]
        assert not sides[0] & sides[1] and not sides[0] & sides[2] and not sides[1] & sides[2]
        assert sorted(np.concatenate([part.image[:, 0] for part in parts])) == list(range(240))


def test_every_part_has_the_shares_of_the_classes_also_where_one_is_rare():
    y = np.repeat([0, 1, 2], [300, 97, 3])
    task = pl.tasks.table(RNG.normal(size=(400, 2)), y, test=0.3, validation=0.1)
    _, (train, validation, test) = drawn(task)
    np.testing.assert_array_equal(np.bincount(test.y), [90, 29, 1])
    np.testing.assert_array_equal(np.bincount(validation.y), [30, 10, 1])
    np.testing.assert_array_equal(np.bincount(train.y), [180, 58, 1])
    assert task.chance == 0.75 and task.classes == 3
    other = drawn(task, 1)[1][2]
    assert not np.array_equal(test.image, other.image)


def test_texts_become_columns_constants_go_and_both_are_told(tmp_path):
    file = tmp_path / "mixed.csv"
    rows = [f"{k * 0.1:.1f};{'red' if k % 3 else 'blue'};7;id{k};{'yes' if k % 2 else 'no'}" for k in range(30)]
    file.write_text("\ufeff" + "\n".join(["size;colour;fixed;name;answer", *rows]) + "\n\n", encoding="utf-8")
    with pytest.raises(WrongUse, match="'name' holds 30 different texts.*--set leave_out='name'"):
        Table(str(file))
    task = Table(str(file), leave_out=(" name",))
    assert task.facts["columns"] == ["size", "colour=blue", "colour=red"] and task.facts["classes"] == ["no", "yes"]
    assert [note.split(":")[0] for note in task.facts["notes"]] == ["left out as told", "colour", "fixed"]
    _, (train, *_) = drawn(task)
    blue = train.image[:, 0] % 3 == 0
    np.testing.assert_array_equal(train.stimulus[:, 0, 1:], np.stack([blue, ~blue], axis=1))
    with pytest.raises(WrongUse, match="has no column 'label'; it has size, colour"):
        Table(str(file), target="label")


GOOD = RNG.normal(size=(40, 3))
CLASSES = np.arange(40) % 2


def spoiled(value):
    X = GOOD.copy()
    X[4, 1] = value
    return X


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        (spoiled(np.nan), CLASSES, r"'column 1' has 1 empty cell or NaN \(the first in row 5\); fill them"),
        (spoiled(np.inf), CLASSES, "'column 1' holds infinity"),
        (GOOD + 1j, CLASSES, "complex numbers"),
        (np.full((40, 2), np.datetime64("2026-01-01")), CLASSES, "holds dates"),
        (csr_matrix(GOOD), CLASSES, r"sparse matrix; give X.toarray\(\)"),
        (GOOD[:, 0], CLASSES, r"shape \(40,\)"),
        (GOOD[:0], CLASSES[:0], r"shape \(0, 3\)"),
        (np.ones((40, 2)), CLASSES, "no column to show"),
        ([[1, 2], [3]], [0, 1], "no table of numbers"),
        (GOOD, None, "y is missing"),
        (GOOD, "label", "X is no DataFrame"),
        (GOOD, CLASSES[:-1], "40 rows and 39 labels"),
        (GOOD, GOOD[:, 0], "a quantity: regression is not done here"),
        (GOOD, np.linspace(0, 5, 40) * 2, "regression is not done"),
        (GOOD, np.stack([CLASSES, CLASSES], axis=1), "several outputs are not done here"),
        (GOOD, GOOD[:, :2], "several outputs are not done here"),
        (GOOD, np.zeros(40, int), "every row is of the class '0'"),
        (GOOD, np.arange(40), "the class '0' of 'y' has 1 different rows.*regression is not done here"),
        (GOOD, np.where(np.arange(40) < 2, "rare", "often"), "class 'rare' of 'y' has 2 different rows, and at least 3"),
        (GOOD, np.where(CLASSES, np.nan, 1.0), "'y' has 20 empty cells or NaN"),
        (GOOD, np.where(CLASSES, np.inf, 1.0), "infinity, which names no class"),
        (GOOD, [None, *CLASSES[1:]], "'y' has 1 empty cell or NaN"),
        (GOOD, np.array(["a", *CLASSES[1:].tolist()], dtype=object), "'y' holds int and str"),
        (GOOD, CLASSES + 0j, "complex numbers, which name no class"),
        (GOOD, np.datetime64("2026-01-01") + CLASSES, "dates, which name no class"),
        (GOOD, [datetime.date(2026, 1, 1 + k) for k in CLASSES], "'y' holds date"),
        (GOOD, csr_matrix(CLASSES), "y is a sparse matrix"),
        (np.where(np.arange(40)[:, None] < 40, GOOD[:1], 0), CLASSES, "no column to show"),
    ],
)  # fmt: skip
def test_what_is_no_table_of_classes_is_refused_in_one_sentence(X, y, message):
    assert len(drawn(pl.tasks.table(GOOD, CLASSES))[1][0]) == 24
    with pytest.raises(WrongUse, match=message) as refused:
        pl.tasks.table(X, y)
    assert "\n" not in str(refused.value)


def test_a_column_of_labels_and_labels_that_are_whole_floats_are_classes():
    expected = drawn(pl.tasks.table(GOOD, CLASSES))[0].fingerprint()
    for y in (CLASSES[:, None], CLASSES.astype(float), CLASSES.astype(object), list(map(str, CLASSES)), CLASSES.astype(bool)):
        assert drawn(pl.tasks.table(GOOD, y))[0].fingerprint() == expected


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "holds no rows"),
        ("a,b,label\n", "holds no rows"),
        ("1,2,3\n4,5,6\n", "the first line of .* names no columns"),
        ("a,a,label\n1,2,x\n", "two columns of .* are called 'a'"),
        ("a,b,label\n1,2,x\n1,2\n", "line 3 of .* has 2 values, its line of names 3"),
        ("a,b,label\n1,,x\n2,3,y\n", "'b' has 1 empty cell"),
        ("a,b,label\n1,NaN,x\n2,3,y\n", "'b' has 1 empty cell"),
        ("a,b,label\n1,2,x\n2,3,\n", "'label' has 1 empty cell"),
    ],
)
def test_a_file_that_is_no_table_is_refused_in_one_sentence(tmp_path, content, message):
    (tmp_path / "bad.csv").write_text(content)
    with pytest.raises(WrongUse, match=message) as refused:
        read_csv(tmp_path / "bad.csv")
    assert "\n" not in str(refused.value)


def test_a_file_that_is_missing_or_no_text_is_refused(tmp_path):
    with pytest.raises(WrongUse, match="there is no file 'none.csv'.*--set file=my.csv"):
        Table("none.csv")
    (tmp_path / "binary.csv").write_bytes(b"\xff\xfe\x00a,b")
    with pytest.raises(PlasticityError, match="no text in UTF-8"):
        Table(str(tmp_path / "binary.csv"))
    with pytest.raises(WrongUse, match="leave no rows for training"):
        Table(test=0.6, validation=0.4)


# ---- compared


def test_columns_that_number_the_rows_or_have_both_signs_are_warned_of_in_a_line_each(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    numbers = np.arange(40)
    written(tmp_path / "my.csv", np.column_stack([numbers + 7, GOOD[:, 0], numbers % 9]), CLASSES, ["row no", "tilt", "count"])
    few = ["--set", "file=my.csv", "--learners", "guessing", "--seeds", "1", "--jobs", "1", "--force", "--json"]
    assert ended(["compare", "table", *few]) == 0
    (line,) = (line for line in capfd.readouterr().err.splitlines() if "warning" in line)
    assert line == "warning: table: column 'row no' numbers the rows; leave it out, --set leave_out='row no'."
    assert ended(["compare", "table", *few, "--set", "leave_out=row no"]) == 0 and "warning" not in capfd.readouterr().err
    task = Table("my.csv", leave_out=("row no",))
    (hint,) = task.hints({"spiking", "torch"})
    assert hint.startswith("table: 'tilt': negative and positive values") and "--set opposites=true" in hint
    assert not [*task.hints({"torch"})] and not [*Table("my.csv", leave_out=("row no",), opposites=True).hints({"spiking"})]
    with pytest.warns(UserWarning, match="column 'column 0' numbers the rows"):
        compare(["guessing"], (numbers[:, None], CLASSES), seeds=[0], jobs=1)


def test_a_pair_of_arrays_can_be_compared_and_the_record_names_classes_and_checksum(tmp_path):
    X, y = load_iris(return_X_y=True)
    names = load_iris().target_names[y]
    found = compare(["mlp", "guessing"], (X, names), seeds=[0], jobs=1, out=tmp_path / "out", settings={"mlp": {"epochs": 3}})
    data = found.configuration["data"]
    assert data["classes"] == ["setosa", "versicolor", "virginica"] and len(data["sha256"]) == 64
    record = Comparison.load(tmp_path / "out").records[0, "mlp"]
    assert record.configuration["data"] == data and set(record.numbers["clipped"]) == {"validation", "test"}
    assert record.numbers["chance"] == 1 / 3
    page = results.load(tmp_path / "out").page()  # the arrays are not there any more
    assert "versicolor" in page and "given in Python" in page
    with pytest.raises(WrongUse, match=r"a task is a name, a Task or a pair \(X, y\), not a ndarray"):
        compare(["guessing"], X, seeds=[0])


def test_a_table_is_compared_on_the_command_line(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    written(tmp_path / "my.csv", GOOD, np.where(CLASSES, "go", "stop"))
    command = ["compare", "table", "--set", "file=my.csv", "--set", "target=label", "--learners", "guessing", "--seeds", "2"]
    assert ended([*command, "--jobs", "1", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["chance"] == 0.5
    told = json.loads((tmp_path / "results" / "table" / "run.json").read_text())["configuration"]
    assert told["data"]["sha256"] == hashlib.sha256((tmp_path / "my.csv").read_bytes()).hexdigest()
    assert told["data"]["classes"] == ["go", "stop"]
    again = results.load(tmp_path / "results" / "table").command("other")
    assert "--set file=my.csv" in again and "--set target=label" in again
    (tmp_path / "my.csv").unlink()
    assert ended(["report", "results/table"]) == 0  # from the records alone
    for wrong in ("file=none.csv", "target=colour", "test=0.9", "leave_out=x9", "train=5"):
        assert ended(["compare", "table", "--set", wrong, "--learners", "guessing"]) == 2
    assert len([line for line in capsys.readouterr().err.splitlines() if "error:" in line]) == 5


# ---- images in MNIST's format


def idx(values):
    values = np.asarray(values, dtype=np.uint8)
    return bytes([0, 0, 8, values.ndim]) + struct.pack(f">{values.ndim}I", *values.shape) + values.tobytes()


def put(folder, images, labels, part="train", pack=lambda content: content, gz=""):
    folder.mkdir(exist_ok=True)
    (folder / f"{part}-images-idx3-ubyte{gz}").write_bytes(pack(idx(images)))
    (folder / f"{part}-labels-idx1-ubyte{gz}").write_bytes(pack(idx(labels)))


@pytest.fixture
def scans():
    pixels, labels = load_digits(return_X_y=True)
    return (pixels * 255 / 16).round().reshape(-1, 8, 8), labels


@pytest.mark.parametrize("packed", [False, True])
def test_images_of_ones_own_in_mnists_format_are_a_task(tmp_path, scans, packed):
    images, labels = scans
    few = labels < 4
    put(tmp_path / "own", images[few], labels[few] * 3 + 1, pack=gzip.compress if packed else bytes, gz=".gz" * packed)
    for task in (
        Digits(data="idx", folder=str(tmp_path / "own"), train=400, validation=60, test=120),
        CuedDigits(data="idx", folder=str(tmp_path / "own"), train=100, validation=20, test=40),
    ):
        assert task.classes == 4 and task.chance == 0.25
        assert task.facts["classes"] == ["1", "4", "7", "10"] and len(task.facts["sha256"]) == 2
        _, parts = drawn(task)
        shown = [set(part.image.ravel()) for part in parts]
        assert not shown[0] & shown[1] and not shown[0] & shown[2] and not shown[1] & shown[2]
        np.testing.assert_array_equal(parts[0].stimulus, images[few].reshape(-1, 64)[parts[0].image] / 255)
        np.testing.assert_array_equal(parts[0].stream_label, labels[few][parts[0].image])


def test_test_images_of_ones_own_are_the_test(tmp_path, scans):
    images, labels = scans
    put(tmp_path / "own", images[:1200], labels[:1200])
    put(tmp_path / "own", images[1200:], labels[1200:], part="t10k", pack=gzip.compress, gz=".gz")
    _, (train, validation, test) = drawn(Digits("idx", str(tmp_path / "own"), train=900, validation=200, test=300))
    with pytest.raises(WrongUse, match="more than the 1000 images .* at most train=1000, validation=200, test=597"):
        drawn(Digits("idx", str(tmp_path / "own"), train=1200))
    assert test.image.min() >= 1200 and max(train.image.max(), validation.image.max()) < 1200


def test_folders_that_hold_no_such_images_are_refused_in_one_sentence(tmp_path, scans):
    images, labels = scans
    own = tmp_path / "own"
    with pytest.raises(WrongUse, match="add --set folder=DIR .*; it holds train-images-idx3-ubyte"):
        datasets.images("idx")
    with pytest.raises(WrongUse, match="folder='nowhere' is no folder; give the one that holds train-images-idx3-ubyte"):
        datasets.images("idx", "nowhere")
    with pytest.raises(WrongUse, match="Known: .*idx"):
        Digits(data="foo")
    assert "idx" in next(row for row in settings.describe(Digits) if row.name == "data").told()["choices"]
    own.mkdir()
    with pytest.raises(WrongUse, match="holds no images of train"):
        datasets.images("idx", str(own))
    with pytest.raises(WrongUse, match="folder='own' is for images of your own; with it write data=idx"):
        datasets.images("digits", "own")
    for shown, told, message in (
        (images[:9], labels[:8], "9 images and .* 8 labels"),
        (images[:9], np.zeros(9), "all images .* are of the class 0"),
        (0 * images[:9], labels[:9], "every image .* is dark"),
        (images[:12], labels[:12], "12 images of 10 classes, 1 of the rarest, are too few"),
    ):
        put(own, shown, told)
        with pytest.raises(WrongUse, match=message) as refused:
            Digits("idx", str(own), train=10, validation=10, test=10).draw(np.random.default_rng(0))
        assert "\n" not in str(refused.value)
    put(own, images[:50], labels[:50])
    (own / "train-images-idx3-ubyte").write_bytes(idx(images[:50])[:-9])
    with pytest.raises(PlasticityError, match="train-images-idx3-ubyte is damaged: .* replace it"):
        datasets.images("idx", str(own))
    put(own, images[:50], labels[:50], gz=".gz", pack=gzip.compress)
    with pytest.raises(WrongUse, match="leave one of them there"):
        datasets.images("idx", str(own))


def test_images_of_ones_own_are_compared_on_the_command_line(tmp_path, scans, capsys):
    images, labels = scans
    put(tmp_path / "own", images, labels)
    command = ["compare", "digits", "--learners", "guessing", "--seeds", "1", "--jobs", "1", "--out", str(tmp_path / "out")]
    sizes = ["--json", "--set", "train=100", "--set", "validation=20", "--set", "test=40"]
    assert ended([*command, *sizes, "--set", "data=idx", "--set", f"folder={tmp_path / 'own'}"]) == 0
    assert json.loads(capsys.readouterr().out)["chance"] == 0.1
    told = json.loads((tmp_path / "out" / "run.json").read_text())["configuration"]["data"]
    assert told["classes"] == [str(k) for k in range(10)] and set(map(len, told["sha256"].values())) == {64}
    assert ended([*command, "--set", "data=idx", "--force"]) == 2


# ---- MNIST's files as they may lie there


def test_mnist_is_known_by_its_content_packed_anew_or_not_at_all(tmp_path, monkeypatch):
    whole = datasets.DATASETS["mnist"]
    if whole.status().state != "present":
        pytest.skip("MNIST is not here: set PLASTICITY_DATA or fetch it")
    labels = "t10k-labels-idx1-ubyte.gz"
    content = gzip.decompress(whole.content(labels))
    monkeypatch.setenv("PLASTICITY_DATA", str(tmp_path))
    (tmp_path / "mnist").mkdir()
    for name, packed in ((labels, gzip.compress(content, 1)), (labels[:-3], content), (labels, content)):
        file = tmp_path / "mnist" / name
        file.write_bytes(packed)
        np.testing.assert_array_equal(datasets.parse_idx(whole.content(labels), 1, labels)[:3], [7, 2, 1])
        file.write_bytes(packed[:-8] + bytes([packed[-8] ^ 1]) + packed[-7:])  # changed content
        with pytest.raises(PlasticityError, match="is damaged"):
            whole.content(labels)
        file.unlink()


@pytest.mark.parametrize(
    ("words", "classes"),
    [
        (["007", "010", "3"], ("007", "010", "3")),
        (["90071992547409921", "90071992547409922", "5"], ("5", "90071992547409921", "90071992547409922")),
        (["1_0", "10", "3"], ("10", "1_0", "3")),
        (["10", "9", "-1"], ("-1", "9", "10")),
        (["none", "mild", "severe"], ("mild", "none", "severe")),
        (["EU", "NA", "-"], ("-", "EU", "NA")),
        (["1.0", "2.0", "3.0"], ("1", "2", "3")),
    ],
)
def test_classes_of_a_file_are_told_apart_as_they_are_written(tmp_path, words, classes):
    lines = [f"{row},{row * row % 17},{words[row % 3]}" for row in range(30)]
    (tmp_path / "a.csv").write_text("\n".join(["x,z,label", *lines]))
    task = pl.tasks.table(tmp_path / "a.csv", "label")
    assert sorted(task.facts["classes"]) == sorted(classes)
    names = np.array(task.facts["classes"])[task.rows.labels]
    assert len({(name, words[row % 3]) for row, name in enumerate(names)}) == 3


def test_two_ways_to_write_one_number_and_rows_without_a_class_are_refused(tmp_path):
    for label, message in (("1", "'01' and '1', which are one number"), ("", "which name no class; leave these rows out")):
        lines = [f"{row},{row * row % 17},{['01', label, '2'][row % 3]}" for row in range(30)]
        (tmp_path / "a.csv").write_text("\n".join(["x,z,label", *lines]))
        with pytest.raises(WrongUse, match=message):
            pl.tasks.table(tmp_path / "a.csv", "label")
    X, y = np.random.default_rng(0).random((12, 2)), np.array([1, 2**60, 2**60 + 1] * 4, dtype=object)
    with pytest.raises(WrongUse, match="cannot tell apart"):
        pl.tasks.table(X, y)


def test_masked_values_are_refused():
    rng = np.random.default_rng(0)
    X, y = rng.random((12, 2)), np.repeat([0, 1], 6)
    hidden = np.zeros(12, bool)
    hidden[3] = True
    for given in ((np.ma.array(X, mask=np.c_[hidden, hidden]), y), (X, np.ma.array(y, mask=hidden))):
        with pytest.raises(WrongUse, match="masked values"):
            pl.tasks.table(*given)
    assert pl.tasks.table(np.ma.array(X), np.ma.array(y)).facts["rows"] == 12


def test_rows_that_are_alike_count_once_for_the_class_that_most_of_them_have():
    X = np.vstack([np.zeros((500, 2)), np.random.default_rng(0).random((100, 2))])
    y = np.r_[np.repeat([0, 1, 1, 1, 1], 100), np.arange(100) % 2]
    order = np.random.default_rng(1).permutation(600)
    sizes = []
    for rows in (np.arange(600), order):
        drawn = pl.tasks.table(X[rows], y[rows]).draw(np.random.default_rng(3))
        parts = (drawn.train, drawn.validation, drawn.test)
        sizes.append([len(np.unique(part.stimulus[:, 0], axis=0)) for part in parts])
    assert sizes[0] == sizes[1] and sizes[0][1:] == [16, 25]  # of 101 different rows, whatever their order


def test_a_compressed_file_is_said_to_be_one_and_line_ends_of_any_kind_are_read(tmp_path):
    import gzip

    lines = ["x,z,label", *(f"{row},{row * row % 17},{'ab'[row % 2]}" for row in range(30))]
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress("\n".join(lines).encode()))
    with pytest.raises(WrongUse, match="is compressed; unpack it first, gunzip"):
        read_csv(tmp_path / "a.csv.gz")
    for end in ("\r", "\r\n", "\n"):
        (tmp_path / "a.csv").write_bytes(end.join(lines).encode())
        assert read_csv(tmp_path / "a.csv").classes == ("a", "b")


def test_a_sweep_over_folders_that_are_not_meant_is_refused():
    from simulations.frame.on_task import on_task

    with pytest.raises(WrongUse, match="with it write data=idx"):
        on_task(CuedDigits, ["guessing"]).configure({"folder": "no_such_name"})


def test_draws_of_one_set_of_test_images_say_what_their_interval_is_for(tmp_path, scans):
    images, labels = scans
    own = tmp_path / "own"
    put(own, images[:1200], labels[:1200])
    put(own, images[1200:1500], labels[1200:1500], part="t10k")
    task = Digits("idx", str(own), train=200, validation=50, test=150)
    draw = task.draw(np.random.default_rng(0))
    assert (draw.test_set, draw.tested, draw.shared) == (300, 0.5, 0.0)
    told = bridges.compare(["guessing"], task, seeds=2, jobs=1)
    assert "test images drawn from the same 300, 95 %; other test images scatter it further" in told.interval_for
    few = bridges.compare(["guessing"], Digits("idx", str(own), train=200, validation=50, test=20), seeds=2, jobs=1)
    assert few.interval_for == "what is to be expected over new draws of this task, 95 %"
    split = Digits(train=200, validation=50, test=150).draw(np.random.default_rng(0))
    assert (split.test_set, split.tested) == (0, 0.0) and split.shared > 0


def test_of_a_learning_rate_only_those_are_reminded_who_gave_none_and_have_larger_images(tmp_path, scans):
    images, labels = scans
    small, large = tmp_path / "small", tmp_path / "large"
    put(small, images[:600], labels[:600])
    put(large, np.kron(images[:600], np.ones((1, 2, 2), np.uint8)), labels[:600])
    for folder, settings_, wanted in ((small, {}, 0), (large, {}, 1), (large, {"torch": {"learning_rate": 0.002}}, 0)):
        task = CuedDigits("idx", str(folder), train=60, validation=20, test=40)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            bridges.compare(["mlp"], task, seeds=1, jobs=1, settings={"mlp": {"epochs": 1}, **settings_})
        assert sum("chosen on images of 64 pixels" in str(one.message) for one in caught) == wanted
