import errno
import json
import math
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import plasticity
from plasticity.errors import PlasticityError, WrongUse
from plasticity.files import TEMPORARY, read_json, read_npz, read_sealed, write_json, write_npz, write_text
from plasticity.records import Record, RunFolder, provenance, refuse_no_run, refuse_taken

CONFIGURATION = {"task": "cued_digits", "seeds": [0, 1], "train": 2000, "gain": 2.0}


def record(seed=0, accuracy=0.9):
    return Record(
        simulation="spiking_gated",
        configuration={"gate": "input_gain", "attended": 2.0},
        seed=seed,
        numbers={"accuracy": accuracy},
        arrays={"weights": np.arange(12.0).reshape(3, 4) * accuracy, "neuron_class": np.array([0, 1, 1, 2])},
        wall_s=1.5,
        backend="numpy",
        threads=1,
    )


def files(folder):
    return sorted(str(path.relative_to(folder)) for path in Path(folder).rglob("*") if path.is_file())


def python(code, *arguments, **options):
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)], capture_output=True, text=True, timeout=120, **options
    )


# Files


def test_what_is_written_is_read_back(tmp_path):
    value = {"a": [1, 2.5, None, True], "b": {"c": "Grüße"}}
    write_json(tmp_path / "new" / "folder" / "v.json", value)
    assert read_json(tmp_path / "new" / "folder" / "v.json") == value
    arrays = {
        "weights": np.random.default_rng(0).random((3, 4)),
        "label": np.arange(3),
        "name": np.array(["a", "bc"]),
        "x": np.array(2.0),
    }
    write_npz(tmp_path / "v.npz", arrays)
    back = read_npz(tmp_path / "v.npz")
    assert list(back) == list(arrays)
    for name, array in arrays.items():
        assert back[name].dtype == array.dtype
        np.testing.assert_array_equal(back[name], array)
    write_text(tmp_path / "v.txt", "a,b\r\nä\n")
    assert (tmp_path / "v.txt").read_bytes() == "a,b\r\nä\n".encode()


def test_numpy_values_are_written_as_plain_json(tmp_path):
    value = {
        "float": np.float64(0.1),
        "single": np.float32(0.5),
        "int": np.int64(3),
        "bool": np.bool_(True),
        "text": np.str_("x"),
        "array": np.array([[1, 2], [3, 4]]),
        "tuple": (np.uint8(7), Path("a/b")),
    }
    write_json(tmp_path / "v.json", value)
    expected = {"float": 0.1, "single": 0.5, "int": 3, "bool": True, "text": "x", "array": [[1, 2], [3, 4]], "tuple": [7, "a/b"]}
    back = read_json(tmp_path / "v.json")
    assert back == expected
    assert type(back["bool"]) is bool and type(back["int"]) is int


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf, np.float32("nan"), np.array(np.inf)])
def test_nan_and_infinity_are_written_as_null(tmp_path, number):
    write_json(tmp_path / "v.json", {"p": number, "row": np.array([1.0, number]), "list": [number]})
    assert json.loads((tmp_path / "v.json").read_text(), parse_constant=pytest.fail) == {
        "p": None,
        "row": [1.0, None],
        "list": [None],
    }


def test_what_json_cannot_hold_is_refused_by_its_place(tmp_path):
    import brian2

    for value, place in [
        ({"a": {"b": [0, object()]}}, r"value\.a\.b\[1\]"),
        ({"a": {1, 2}}, r"value\.a"),
        ({"tau": 20 * brian2.ms}, r"value\.tau .*unit"),
        ({"taus": [20, 30] * brian2.ms}, r"value\.taus .*unit"),
        ({"a": 1j}, r"value\.a"),
        ({3: "x"}, "key 3"),
    ]:
        with pytest.raises(WrongUse, match=place):
            write_json(tmp_path / "v.json", value)
    assert files(tmp_path) == []


def test_the_same_arrays_give_the_same_bytes_at_any_time(tmp_path, monkeypatch):
    arrays = {"w": np.arange(1000.0), "y": np.arange(3)}
    write_npz(tmp_path / "a.npz", arrays)
    later = time.localtime(time.time() + 1e6)
    monkeypatch.setattr(time, "localtime", lambda *_: later)  # a zip file may keep the time of each member
    write_npz(tmp_path / "b.npz", arrays)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_arrays_of_python_objects_are_refused_on_writing(tmp_path):
    with pytest.raises(WrongUse, match="'history' holds Python objects"):
        write_npz(tmp_path / "v.npz", {"history": np.array([None, [1, 2]], dtype=object)})
    assert files(tmp_path) == []


@pytest.mark.parametrize("name", ["file", "allow_pickle", "a/b", "", "../w"])
def test_names_that_an_npz_file_cannot_keep_are_refused(tmp_path, name):
    with pytest.raises(WrongUse, match="cannot name an array"):
        write_npz(tmp_path / "v.npz", {name: np.zeros(2)})


def test_arrays_of_python_objects_are_refused_on_reading_and_never_run(tmp_path):
    class Trap:
        def __reduce__(self):
            return (os.mkdir, (str(tmp_path / "sprung"),))

    np.savez(tmp_path / "trap.npz", w=np.array([Trap()], dtype=object))
    with pytest.raises(PlasticityError, match=r"trap\.npz is damaged"):
        read_npz(tmp_path / "trap.npz")
    np.save(tmp_path / "trap2.npy", np.array([Trap()], dtype=object), allow_pickle=True)
    with pytest.raises(PlasticityError, match=r"trap2\.npy is damaged"):
        read_npz(tmp_path / "trap2.npy")
    assert not (tmp_path / "sprung").exists()
    np.load(tmp_path / "trap.npz", allow_pickle=True)["w"]
    assert (tmp_path / "sprung").exists()  # the trap was a real one


@pytest.mark.parametrize("keep", [0, 1, 10, 0.5, 0.99])
def test_a_truncated_file_is_refused_by_name(tmp_path, keep):
    write_npz(tmp_path / "v.npz", {"w": np.random.default_rng(0).random(100)})
    write_json(tmp_path / "v.json", {"w": list(range(100))})
    for name, read in (("v.npz", read_npz), ("v.json", read_json)):
        content = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(content[: int(keep * len(content)) if isinstance(keep, float) else keep])
        with pytest.raises(PlasticityError, match=rf"{name} is damaged"):
            read(tmp_path / name)


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"[" * 100_000, b"not json", b"PK\x03\x04 not a zip"])
def test_a_file_of_another_kind_is_refused_by_name(tmp_path, content):
    (tmp_path / "v").write_bytes(content)
    for read in (read_json, read_npz):
        with pytest.raises(PlasticityError, match="v is damaged"):
            read(tmp_path / "v")


def test_a_missing_file_or_a_folder_in_its_place_is_refused_by_name(tmp_path):
    (tmp_path / "folder.json").mkdir()
    for read in (read_json, read_npz, Record.load):
        with pytest.raises(PlasticityError, match="there is no file .*absent"):
            read(tmp_path / "absent")
        with pytest.raises(PlasticityError, match=r"cannot read .*folder\.json"):
            read(tmp_path / "folder.json")


# Atomic writing

WRITERS = {
    "text": lambda path: write_text(path, "new"),
    "json": lambda path: write_json(path, {"new": 1}),
    "npz": lambda path: write_npz(path, {"new": np.zeros(5)}),
}


def full(*_):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("kind", WRITERS)
@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch, kind, step):
    (tmp_path / "v").write_text("old")
    monkeypatch.setattr(os, step, full)
    with pytest.raises(PlasticityError, match=rf"cannot write v in the folder {tmp_path}: No space left.*--out") as refused:
        WRITERS[kind](tmp_path / "v")
    assert not isinstance(refused.value, WrongUse)  # exit status 1: it was asked for correctly
    assert files(tmp_path) == ["v"] and (tmp_path / "v").read_text() == "old"


def test_a_write_cut_short_by_ctrl_c_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    (tmp_path / "v").write_text("old")
    monkeypatch.setattr(os, "replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_text(tmp_path / "v", "new")
    assert files(tmp_path) == ["v"] and (tmp_path / "v").read_text() == "old"


def test_a_file_reaches_the_disk_before_it_gets_its_name(tmp_path, monkeypatch):
    order: list[str] = []
    fsync, replace = os.fsync, os.replace

    def noted_fsync(handle):
        order.append("fsync")
        fsync(handle)

    def noted_replace(source, target):
        order.append("replace")
        replace(source, target)

    monkeypatch.setattr(os, "fsync", noted_fsync)
    monkeypatch.setattr(os, "replace", noted_replace)
    write_text(tmp_path / "v", "new")
    assert order == ["fsync", "replace"]


def test_a_written_file_has_the_usual_permissions(tmp_path):
    (tmp_path / "usual").write_text("x")
    write_text(tmp_path / "ours", "x")
    assert (tmp_path / "ours").stat().st_mode == (tmp_path / "usual").stat().st_mode


@pytest.mark.parametrize("kind", WRITERS)
def test_an_unwritable_folder_is_an_error_that_names_it(tmp_path, kind):
    (tmp_path / "file").write_text("")  # nothing can be written below a file, not even by root
    with pytest.raises(PlasticityError, match=rf"{tmp_path}/file/results is no folder, so v.* cannot be written there"):
        WRITERS[kind](tmp_path / "file" / "results" / "v")


WRITE_TOO_MUCH = """
import sys, pathlib, numpy as np
from plasticity.errors import PlasticityError
from plasticity.files import write_npz
target = pathlib.Path(sys.argv[1]) / "w.npz"
write_npz(target, {"w": np.zeros(3)})
old = target.read_bytes()
try:
    write_npz(target, {"w": np.random.default_rng(0).random(50_000)})
except PlasticityError as error:
    assert target.read_bytes() == old and len(list(target.parent.iterdir())) == 1
    print(error)
"""


def test_a_file_larger_than_the_system_allows_leaves_the_old_one(tmp_path):
    limit = (64 * 1024, resource.getrlimit(resource.RLIMIT_FSIZE)[1])
    done = python(WRITE_TOO_MUCH, tmp_path, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, limit))
    assert done.returncode == 0, done.stderr
    assert f"cannot write w.npz in the folder {tmp_path}: File too large" in done.stdout


def test_a_really_full_disk_leaves_the_old_file(tmp_path):
    mount = [
        "unshare",
        "--mount",
        "--map-root-user",
        "sh",
        "-c",
        'mount -t tmpfs -o size=128k none "$1" && shift && exec "$@"',
        "sh",
    ]
    if not shutil.which("unshare") or subprocess.run([*mount, tmp_path, "true"], capture_output=True).returncode:
        pytest.skip("a small disk of its own cannot be mounted here (no right to)")
    done = subprocess.run(
        [*mount, tmp_path, sys.executable, "-c", WRITE_TOO_MUCH, tmp_path], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert f"cannot write w.npz in the folder {tmp_path}: No space left on device" in done.stdout


KILL_WRITERS = """
import os, pathlib, random, signal, sys, time
import numpy as np
from plasticity.files import TEMPORARY, read_json, read_npz, write_json, write_npz, write_text
from plasticity.records import Record
folder = pathlib.Path(sys.argv[1])
large = 8_000_000  # writing this much takes milliseconds: time enough to be killed in
fsync = os.fsync
os.fsync = lambda handle: (time.sleep(0.005), fsync(handle))  # a slow disk

def write(k):
    record = Record("s", {}, 0, {"k": k}, {"w": np.full(3000, k)}, 0.0, "numpy", 1, {})
    writes = [
        lambda: write_text(folder / "a.txt", str(k) * large),
        lambda: write_json(folder / "a.json", str(k) * large),
        lambda: write_npz(folder / "a.npz", {"w": np.full(3000, k)}),
        lambda: record.save(folder / "record"),
    ]
    for place in order:
        writes[place]()

interrupted = without = 0
order = [0, 1, 2, 3]
write(0)
random.seed(0)
for _ in range(30):
    random.shuffle(order)
    child = os.fork()
    if child == 0:
        k = 0
        while True:
            k = 1 - k
            write(k)
    time.sleep(random.uniform(0.005, 0.1))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    for content in ((folder / "a.txt").read_text(), read_json(folder / "a.json")):
        assert content in ("0" * large, "1" * large), len(content)
    assert read_npz(folder / "a.npz")["w"].tolist() in ([0] * 3000, [1] * 3000)
    if (folder / "record.json").exists():
        whole = Record.load(folder / "record")
        assert whole.arrays["w"].tolist() == [whole.numbers["k"]] * 3000
    else:
        without += 1
    for left in folder.glob(TEMPORARY + "*"):
        interrupted += 1
        left.unlink()
print(interrupted, without)
"""


@pytest.mark.full
def test_a_writer_killed_at_any_moment_leaves_the_old_or_the_new_file_and_never_half_a_record(tmp_path):
    done = python(KILL_WRITERS, tmp_path)
    assert done.returncode == 0, done.stderr
    interrupted = int(done.stdout.split()[0])
    assert interrupted > 0  # some of the thirty were killed in the middle of a write, or this proves nothing


# Record


def test_a_record_comes_back_as_it_was_saved(tmp_path):
    saved = record(accuracy=np.float64(0.875))
    saved.save(tmp_path / "seed-0003" / "gain_0.5")
    assert files(tmp_path) == ["seed-0003/gain_0.5.json", "seed-0003/gain_0.5.npz"]
    for path in ("gain_0.5", "gain_0.5.json", "gain_0.5.npz"):
        loaded = Record.load(tmp_path / "seed-0003" / path)
        np.testing.assert_array_equal(loaded.arrays["weights"], saved.arrays["weights"])
        np.testing.assert_array_equal(loaded.arrays["neuron_class"], saved.arrays["neuron_class"])
        assert {**vars(loaded), "arrays": 0} == {**vars(saved), "arrays": 0}
    assert loaded.provenance.keys() == provenance().keys()


def test_a_record_without_arrays_is_a_record(tmp_path):
    saved = record()
    saved.arrays = {}
    saved.save(tmp_path / "a")
    assert Record.load(tmp_path / "a").arrays == {}


def test_arrays_of_another_record_are_refused(tmp_path):
    record(seed=0, accuracy=0.9).save(tmp_path / "a")
    record(seed=1, accuracy=0.8).save(tmp_path / "b")
    shutil.copy(tmp_path / "b.npz", tmp_path / "a.npz")
    with pytest.raises(PlasticityError, match=r"a\.npz is damaged .*SHA-256"):
        Record.load(tmp_path / "a")


def test_a_record_with_one_file_missing_is_refused_by_name(tmp_path):
    record().save(tmp_path / "a")
    (tmp_path / "a.npz").unlink()
    with pytest.raises(PlasticityError, match=r"a\.npz is not there: the arrays"):
        Record.load(tmp_path / "a")


@pytest.mark.parametrize(
    "content", ["[]", "3", '"text"', "{}", '{"simulation": "s", "arrays_sha256": "x"}', '{"arrays_sha256": "x", "new": 1}']
)
def test_json_that_is_no_record_is_refused_by_name(tmp_path, content):
    record().save(tmp_path / "a")
    (tmp_path / "a.json").write_text(content)
    with pytest.raises(PlasticityError, match=r"a\.json is damaged \(not a record"):
        Record.load(tmp_path / "a")


def test_any_changed_byte_of_the_arrays_is_noticed(tmp_path):
    record().save(tmp_path / "a")
    content = (tmp_path / "a.npz").read_bytes()

    @settings(deadline=None)
    @given(st.integers(0, len(content) - 1), st.integers(1, 255))
    def change(place, difference):
        damaged = bytearray(content)
        damaged[place] ^= difference
        (tmp_path / "a.npz").write_bytes(damaged)
        with pytest.raises(PlasticityError, match=r"a\.npz is damaged"):
            Record.load(tmp_path / "a")

    change()


def test_a_record_is_whole_only_after_its_json(tmp_path, monkeypatch):
    record(accuracy=0.9).save(tmp_path / "a")
    done: list[str] = []
    replace = os.replace

    def first_only(source, target):
        if done:
            full()
        done.append(Path(target).name)
        replace(source, target)

    monkeypatch.setattr(os, "replace", first_only)
    with pytest.raises(PlasticityError):
        record(accuracy=0.8).save(tmp_path / "a")
    assert done == ["a.npz"] and files(tmp_path) == ["a.npz"]  # no json: no record, rather than a wrong one


def test_a_record_that_cannot_be_written_leaves_the_old_one(tmp_path):
    record(accuracy=0.9).save(tmp_path / "a")
    bad = record(accuracy=0.8)
    bad.numbers["curve"] = object()
    with pytest.raises(WrongUse, match=r"record\.numbers\.curve"):
        bad.save(tmp_path / "a")
    assert Record.load(tmp_path / "a").numbers == {"accuracy": 0.9}


# Provenance


def test_provenance_tells_versions_machine_and_time():
    told = provenance()
    assert told["versions"]["numpy"] == np.__version__
    assert told["versions"]["python"] == ".".join(map(str, sys.version_info[:3]))
    assert {"brian2", "scipy", "torch", "scikit-learn", "plasticity"} <= told["versions"].keys()
    assert told["cpus"] >= 1 and told["platform"]
    from datetime import UTC, datetime

    created = datetime.fromisoformat(told["created"])
    assert abs((datetime.now(UTC) - created).total_seconds()) < 60  # a minute: this process has just asked
    json.dumps(told)


def test_provenance_asks_git_once_per_process_and_can_be_changed_safely(monkeypatch):
    first = provenance()
    monkeypatch.setattr(subprocess, "run", lambda *a, **k: pytest.fail("git was asked again"))
    first["versions"]["numpy"] = first["commit"] = "changed"
    assert provenance()["versions"]["numpy"] == np.__version__ and provenance()["commit"] != "changed"


def test_provenance_does_not_import_torch():
    done = python("import sys, plasticity.records as r; r.provenance(); print('torch' in sys.modules)")
    assert done.stdout.strip() == "False", done.stderr


def git(folder, *arguments):
    if not shutil.which("git"):
        pytest.skip("git is not installed")
    identity = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"]
    done = subprocess.run(["git", "-C", folder, *identity, *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def make_checkout(folder, *packages):
    """A git checkout that tracks a copy of the package at each of `packages`."""
    for package in packages:
        (folder / package).mkdir(parents=True)
        for name in ("checked.py", "errors.py", "files.py", "given.py", "records.py"):
            shutil.copy(Path(plasticity.__file__).parent / name, folder / package)
        (folder / package / "__init__.py").write_text("")
    git(folder, "init", "--quiet")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message", "one")
    return git(folder, "rev-parse", "HEAD")


ASK = "import json, plasticity.records as r; d = r.provenance(); print(json.dumps([r.__file__, d['commit'], d['clean']]))"


def ask(package_home, cwd, **environment):
    done = python(ASK, cwd=cwd, env={**os.environ, "PYTHONPATH": str(package_home), **environment})
    assert done.returncode == 0, done.stderr
    file, commit, clean = json.loads(done.stdout)
    assert Path(file).parent == package_home / "plasticity"
    return commit, clean


def test_the_commit_is_that_of_the_packages_checkout_wherever_one_stands(tmp_path):
    ours, other = tmp_path / "ours", tmp_path / "other"
    ours.mkdir(), other.mkdir()
    commit = make_checkout(ours, "plasticity")
    (other / "x").write_text("another project")
    git(other, "init", "--quiet"), git(other, "add", "."), git(other, "commit", "--quiet", "--message", "other")
    assert ask(ours, cwd=other) == (commit, True)
    assert ask(ours, cwd=other, GIT_DIR=str(other / ".git")) == (commit, True)  # as inside a git hook


def test_clean_tells_whether_tracked_files_differ(tmp_path):
    commit = make_checkout(tmp_path, "plasticity")
    (tmp_path / "results.txt").write_text("an untracked file is no change")
    assert ask(tmp_path, cwd="/") == (commit, True)
    with open(tmp_path / "plasticity" / "errors.py", "a") as file:
        file.write("# changed\n")
    assert ask(tmp_path, cwd="/") == (commit, False)
    git(tmp_path, "commit", "--quiet", "--all", "--message", "two")
    assert ask(tmp_path, cwd="/") == (git(tmp_path, "rev-parse", "HEAD"), True)


def test_an_installed_copy_has_no_commit_even_inside_a_checkout(tmp_path):
    make_checkout(tmp_path, "plasticity")
    site = tmp_path / ".venv" / "site-packages"
    shutil.copytree(tmp_path / "plasticity", site / "plasticity")
    assert ask(site, cwd=site.parent) == ("unknown", None)


def test_without_a_checkout_or_without_git_the_commit_is_unknown(tmp_path):
    make_checkout(tmp_path / "a", "plasticity")
    shutil.copytree(tmp_path / "a" / "plasticity", tmp_path / "b" / "plasticity")
    assert ask(tmp_path / "b", cwd="/") == ("unknown", None)
    assert ask(tmp_path / "a", cwd="/", PATH=str(tmp_path)) == ("unknown", None)


# RunFolder


def unfinished(path, configuration=CONFIGURATION):
    with RunFolder.open(path, configuration) as folder:
        folder.save("seed-0000/spiking_gated", record())
    return path


def finished(path):
    with RunFolder.open(path, CONFIGURATION) as folder:
        folder.save("seed-0000/spiking_gated", record())
        folder.finish({"accuracy": np.float64(0.9)})
    return path


@pytest.mark.parametrize("lost", ["records/seed-0000/spiking_gated.json", "records/seed-0000/spiking_gated.npz", "report.html"])
def test_a_finished_run_that_lost_something_goes_on(tmp_path, lost):
    with RunFolder.open(tmp_path / "a", CONFIGURATION) as folder:
        folder.save("seed-0000/spiking_gated", record())
        (folder.path / "report.html").write_text("a page")
        folder.finish({"accuracy": 0.9})
    with pytest.raises(WrongUse, match="holds a finished run"):
        refuse_taken(tmp_path / "a")
    (tmp_path / "a" / lost).unlink()
    refuse_taken(tmp_path / "a")
    if lost == "report.html":  # its record is there
        with (
            pytest.raises(WrongUse, match="another configuration"),
            RunFolder.open(tmp_path / "a", {**CONFIGURATION, "train": 7}),
        ):
            pass
    with RunFolder.open(tmp_path / "a", CONFIGURATION) as folder:
        assert folder.holds("seed-0000/spiking_gated") == ("report" in lost)
        with pytest.raises(WrongUse, match="another run is writing"):
            refuse_taken(tmp_path / "a")
        folder.save("seed-0000/spiking_gated", record())
        assert not (tmp_path / "a" / "summary.json").exists()
        (folder.path / "report.html").write_text("a page")
        folder.finish({"accuracy": 0.9})
    with pytest.raises(WrongUse, match="holds a finished run"), RunFolder.open(tmp_path / "a", CONFIGURATION):
        pass


def test_a_finished_run_without_any_record_left_makes_room_for_another(tmp_path):
    path = finished(tmp_path / "a")
    (path / "figures").mkdir()
    (path / "figures" / "old.png").write_text("of the old one")
    shutil.rmtree(path / "records")
    with RunFolder.open(path, {"new": 1}) as folder:
        folder.save("seed-0000/mlp", record())
        assert not (path / "figures").exists() and not (path / "summary.json").exists()
    assert read_json(path / "run.json")["configuration"] == {"new": 1}


def test_a_run_writes_its_configuration_its_records_and_its_summary(tmp_path):
    with RunFolder.open(tmp_path / "results" / "a", CONFIGURATION) as folder:
        assert folder.path == tmp_path / "results" / "a"
        assert read_json(folder.path / "run.json")["configuration"] == CONFIGURATION
        assert folder.record("seed-0000/spiking_gated") is None
        folder.save("seed-0000/spiking_gated", record())
        again = folder.record("seed-0000/spiking_gated")
        assert again is not None and again.numbers == {"accuracy": 0.9}
        assert not (folder.path / "summary.json").exists()
        folder.finish({"accuracy": 0.9})
    assert read_sealed(tmp_path / "results" / "a" / "summary.json") == {"accuracy": 0.9}
    gated = "records/seed-0000/spiking_gated"
    assert files(tmp_path / "results" / "a") == [".lock", f"{gated}.json", f"{gated}.npz", "run.json", "summary.json"]


def test_a_finished_run_is_kept_unless_forced_and_the_refusal_names_the_ways_out(tmp_path):
    path = finished(tmp_path / "a")
    before = {name: (path / name).read_bytes() for name in files(path)}
    with pytest.raises(WrongUse, match=rf"{path} holds a finished run.*--out.*--force.*plasticity plot {path}"):
        with RunFolder.open(path, CONFIGURATION):
            pass
    assert {name: (path / name).read_bytes() for name in files(path)} == before


def test_an_unfinished_run_with_the_same_configuration_goes_on(tmp_path):
    path = unfinished(tmp_path / "a", {**CONFIGURATION, "gains": (1, np.float64(2)), "limit": math.nan})
    before = (path / "run.json").read_bytes()
    (path / "records" / f"{TEMPORARY}1-a").write_text("half")  # of a writer that was killed
    with RunFolder.open(path, {**CONFIGURATION, "gains": [1, 2.0], "limit": None}) as folder:
        again = folder.record("seed-0000/spiking_gated")
        assert again is not None and again.numbers == {"accuracy": 0.9}
        assert folder.record("seed-0001/spiking_gated") is None
    assert (path / "run.json").read_bytes() == before
    assert not any(TEMPORARY in name for name in files(path))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"train": 500}, "train is 2000 there and 500 now"),
        ({"extra": 1}, "extra is None there and 1 now"),
        ({"seeds": [0]}, r"seeds is \[0, 1\] there and \[0\] now"),
    ],
)
def test_an_unfinished_run_with_another_configuration_is_refused_with_the_difference(tmp_path, change, told):
    path = unfinished(tmp_path / "a")
    with pytest.raises(WrongUse, match=f"another configuration: {told}.*--out.*--force"):
        with RunFolder.open(path, {**CONFIGURATION, **change}):
            pass
    assert read_json(path / "run.json")["configuration"] == CONFIGURATION


def test_a_run_that_left_no_record_makes_room_for_another(tmp_path):
    with RunFolder.open(tmp_path / "a", CONFIGURATION):
        pass  # nothing was finished
    with RunFolder.open(tmp_path / "a", {**CONFIGURATION, "train": 500}) as folder:
        assert read_json(folder.path / "run.json")["configuration"]["train"] == 500


def test_a_record_whose_arrays_were_left_out_says_so(tmp_path):
    record().save(tmp_path / "a")
    (tmp_path / "a.npz").unlink()
    with pytest.raises(PlasticityError, match="left out or lost.*summary.json"):
        Record.load(tmp_path / "a")


def test_a_configuration_with_a_setting_less_is_another_one(tmp_path):
    path = unfinished(tmp_path / "a", {**CONFIGURATION, "limit": None})
    with pytest.raises(WrongUse, match="another configuration: limit"):
        with RunFolder.open(path, CONFIGURATION):
            pass


def test_force_removes_what_a_run_wrote_and_nothing_else(tmp_path):
    path = finished(tmp_path / "a")
    for name in ("summary.csv", "figures/accuracy.png", "figures/more/curve.svg", f"records/{TEMPORARY}1-a"):
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_text("of the run")
    users = ["notes.md", "records/notes.md", "figures/paper.tex", "extra/run.json", "extra/w.npz"]
    for name in users:
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_text("of the user")
    with RunFolder.open(path, {"new": 1}, force=True) as folder:
        folder.finish({})
        assert files(path) == sorted([".lock", "run.json", "summary.json", *users])
        assert not (path / "figures" / "more").exists() and not (path / "records" / "seed-0000").exists()
        assert read_json(path / "run.json")["configuration"] == {"new": 1} and read_sealed(path / "summary.json") == {}


def test_a_run_that_is_refused_leaves_nothing_in_a_new_or_empty_folder(tmp_path):
    (tmp_path / "empty").mkdir()
    for path in (tmp_path / "new" / "deep", tmp_path / "empty"):
        with pytest.raises(WrongUse, match="refused"), RunFolder.open(path, CONFIGURATION):
            raise WrongUse("refused")
    assert not (tmp_path / "new" / "deep").exists() and files(tmp_path / "empty") == []
    with pytest.raises(WrongUse, match="refused"), RunFolder.open(tmp_path / "empty", CONFIGURATION) as folder:
        folder.save("seed-0000/mlp", record())
        raise WrongUse("refused later")
    assert "run.json" in files(tmp_path / "empty")


def test_a_run_that_fails_before_its_first_record_leaves_the_one_it_was_to_replace(tmp_path):
    path = finished(tmp_path / "a")
    before = {name: (path / name).read_bytes() for name in files(path)}
    with pytest.raises(WrongUse, match="refused"), RunFolder.open(path, {"new": 1}, force=True) as folder:
        assert not folder.holds("seed-0000/spiking_gated") and folder.record("seed-0000/spiking_gated") is None  # the old one's
        raise WrongUse("refused")
    assert {name: (path / name).read_bytes() for name in files(path)} == before
    with RunFolder.open(path, {"new": 1}, force=True) as folder:
        folder.save("seed-0000/mlp", record())
        assert (
            not (path / "summary.json").exists() and not folder.holds("seed-0000/spiking_gated") and folder.holds("seed-0000/mlp")
        )


def test_an_npz_file_with_something_that_is_no_array_is_damaged(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("a.npy", b"no array")
    with pytest.raises(PlasticityError, match=r"a.npz is damaged \('a' in it is no array\)"):
        read_npz(tmp_path / "a.npz")


def test_force_removes_the_parts_of_the_old_run_and_none_of_the_new_one(tmp_path):
    path = tmp_path / "run"
    with RunFolder.open(path, {"old": 1}) as folder:
        write_json(folder.parts() / "seed" / "old.json", 1)
    with RunFolder.open(path, {"new": 1}, force=True) as folder:
        parts = folder.parts()
        assert not (parts / "seed").exists() and "new" in read_json(path / "run.json")["configuration"]
        write_json(parts / "seed" / "new.json", 1)
        folder.save("one", record())
        assert (parts / "seed" / "new.json").exists()


def test_force_does_not_reach_through_a_link(tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "precious.json").write_text("{}")
    path = unfinished(tmp_path / "a")
    shutil.rmtree(path / "records")
    (path / "records").symlink_to(elsewhere)
    with pytest.raises(WrongUse, match="records is a link; remove it, or give another folder"):
        with RunFolder.open(path, CONFIGURATION, force=True):
            pass
    (path / "records").unlink()
    (path / "records").mkdir()
    (path / "records" / "seed-0000").symlink_to(elsewhere)
    with RunFolder.open(path, CONFIGURATION, force=True) as folder:
        folder.finish({})
    assert files(elsewhere) == ["precious.json"]


@pytest.mark.parametrize("name", ["run.json", "summary.json", "summary.csv", "report.html", "records", "figures", ".lock"])
@pytest.mark.parametrize("kind", ["a link", "a pipe (FIFO)"])
def test_a_run_neither_follows_a_link_nor_waits_for_a_pipe(tmp_path, name, kind):
    path = unfinished(tmp_path / "a")
    place, elsewhere = path / name, tmp_path / "elsewhere"
    shutil.rmtree(place) if place.is_dir() else place.unlink(missing_ok=True)
    if kind == "a link":
        place.symlink_to(elsewhere)
    else:
        os.mkfifo(place)
    if name == "run.json":
        (path / "records").mkdir(exist_ok=True)
    with pytest.raises(WrongUse, match=re.escape(f"{place} is {kind}; remove it")):
        with RunFolder.open(path, CONFIGURATION, force=True):
            pass
    assert not elsewhere.exists()


def test_a_pipe_in_place_of_a_record_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "a.json")
    with pytest.raises(PlasticityError, match=r"cannot read .*a\.json: it is a pipe"):
        Record.load(tmp_path / "a")


def test_every_change_of_a_record_is_noticed(tmp_path):
    path = finished(tmp_path / "a")
    rng = np.random.default_rng(0)
    for name in ("run.json", "summary.json", "records/seed-0000/spiking_gated.json"):
        file = path / name
        whole, told = file.read_text(), read_sealed(file)
        for _ in range(200):
            place = int(rng.integers(len(whole)))
            changed = whole[:place] + chr(rng.integers(32, 127)) + whole[place + 1 :]
            file.write_text(changed)
            try:
                assert read_sealed(file) == told, changed  # white space between two entries
            except PlasticityError as error:
                assert "is damaged" in str(error) and name.rpartition("/")[2] in str(error)
        file.write_text(whole)


@pytest.mark.parametrize("text", ['{"a": NaN}', '{"a": -Infinity}', f'{{"a": 1{"0" * 400}}}'])
def test_numbers_that_json_does_not_have_are_damage(tmp_path, text):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(PlasticityError, match=r"a\.json is damaged"):
        read_json(tmp_path / "a.json")


def test_an_archive_that_unpacks_to_more_than_a_record_may_hold_is_refused_unread(tmp_path, monkeypatch):
    write_npz(tmp_path / "a.npz", {"w": np.zeros(1_000_000)})
    assert (tmp_path / "a.npz").stat().st_size < 50_000
    monkeypatch.setattr(plasticity.files, "MOST_BYTES", 2**22)
    with pytest.raises(PlasticityError, match=r"a\.npz is damaged \(0\.0 GiB when unpacked"):
        read_npz(tmp_path / "a.npz")
    with pytest.raises(WrongUse, match="is the most"):
        write_npz(tmp_path / "b.npz", {"w": np.zeros(1_000_000)})


@pytest.mark.parametrize("how", ["removed", "made anew", "made anew as a run"])
def test_a_folder_that_is_removed_during_the_run_stops_it(tmp_path, how):
    with pytest.raises(PlasticityError, match=r"a was removed or replaced during the run"):
        with RunFolder.open(tmp_path / "a", CONFIGURATION) as folder:
            folder.save("seed-0000/spiking_gated", record())
            shutil.rmtree(tmp_path / "a")
            if how != "removed":
                (tmp_path / "a").mkdir()
            if how == "made anew as a run":
                finished(tmp_path / "a")
            folder.save("seed-0001/spiking_gated", record())
    assert not (tmp_path / "a" / "records" / "seed-0001").exists()


def test_a_run_does_not_go_on_with_another_backend(tmp_path):
    with RunFolder.open(tmp_path / "a", CONFIGURATION, backend="cpp_standalone") as folder:
        folder.save("seed-0000/spiking_gated", record())
    with pytest.raises(WrongUse, match="backend is 'cpp_standalone' there and 'numpy' now"):
        with RunFolder.open(tmp_path / "a", CONFIGURATION, backend="numpy"):
            pass
    with RunFolder.open(tmp_path / "a", CONFIGURATION, backend="cpp_standalone") as folder:
        assert folder.holds("seed-0000/spiking_gated")


@pytest.mark.parametrize("force", [False, True])
def test_a_folder_that_is_not_of_a_run_is_refused_and_left_as_it_was(tmp_path, force):
    (tmp_path / "thesis.tex").write_text("years of work")
    (tmp_path / "summary.json").write_text("{}")
    with pytest.raises(WrongUse, match=r"no run\.json.*--out"):
        with RunFolder.open(tmp_path, CONFIGURATION, force=force):
            pass
    assert files(tmp_path) == ["summary.json", "thesis.tex"]


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize("content", ["{", "[]", '{"lr": 0.1}', '{"configuration": {"lr": 0.1}}'])
def test_a_run_json_that_no_run_wrote_makes_no_run_of_a_folder(tmp_path, content, force):
    (tmp_path / "run.json").write_text(content)
    (tmp_path / "records").mkdir()
    for name in ("summary.json", "records/precious.json", "summary.csv"):
        (tmp_path / name).write_text("{}")
    before = files(tmp_path)
    for claim in (refuse_taken, lambda path, force: RunFolder.open(path, CONFIGURATION, force).__enter__()):
        with pytest.raises(WrongUse, match=r"run\.json is not that of a run, or is damaged.*--out, or delete this one by hand"):
            claim(tmp_path, force)
    assert files(tmp_path) == before and (tmp_path / "run.json").read_text() == content


@pytest.mark.parametrize("force", [False, True])
def test_a_run_that_lost_its_run_json_is_refused_in_one_sentence_whatever_is_asked(tmp_path, force):
    path = finished(tmp_path / "a")
    (path / "run.json").unlink()
    for claim in (refuse_taken, lambda path, force: RunFolder.open(path, CONFIGURATION, force).__enter__()):
        with pytest.raises(WrongUse, match=r"a holds no run \(there is no run\.json\) but other files; give another folder"):
            claim(path, force)
    with pytest.raises(WrongUse, match=r"a holds no run \(there is no run\.json\); give a folder"):
        refuse_no_run(path)


@pytest.mark.parametrize("content", ["{", None])
def test_a_damaged_run_json_of_a_finished_run_says_what_can_be_done_and_that_does_it(tmp_path, content):
    path = finished(tmp_path / "a")
    whole = (path / "run.json").read_text()
    (path / "run.json").write_text(content or whole.replace("2000", "3000"))
    refuse_taken(path)
    with pytest.raises(
        PlasticityError,
        match=r"run\.json is damaged .*; run again with --force or into another folder, or restore it from a copy",
    ):
        with RunFolder.open(path, CONFIGURATION):
            pass
    with RunFolder.open(path, CONFIGURATION, force=True) as folder:
        folder.finish({})
    assert read_sealed(path / "run.json")["configuration"] == CONFIGURATION


def test_a_run_killed_before_its_first_file_can_begin_again(tmp_path):
    (tmp_path / ".lock").write_text("")
    (tmp_path / f"{TEMPORARY}1-a").write_text("{")
    with RunFolder.open(tmp_path, CONFIGURATION):
        assert read_json(tmp_path / "run.json")["configuration"] == CONFIGURATION


def test_a_removal_cut_short_leaves_an_unfinished_run_and_not_a_finished_looking_one(tmp_path, monkeypatch):
    path = finished(tmp_path / "a")
    unlink = Path.unlink

    def cut_short(self, *arguments, **options):
        if self.suffix == ".npz":
            raise OSError(errno.EIO, "the disk is gone")
        unlink(self, *arguments, **options)

    monkeypatch.setattr(Path, "unlink", cut_short)
    with pytest.raises(PlasticityError, match="cannot remove the old run"):
        with RunFolder.open(path, CONFIGURATION, force=True) as folder:
            folder.finish({})
    assert not (path / "summary.json").exists() and (path / "run.json").exists()


HOLD = """
import sys, time
from plasticity.records import RunFolder
with RunFolder.open(sys.argv[1], {"a": 1}) as folder:
    print("open", flush=True)
    time.sleep(60)
"""


@pytest.mark.parametrize("force", [False, True])
def test_a_second_run_into_the_same_folder_is_refused_until_the_first_is_dead(tmp_path, force):
    holder = subprocess.Popen([sys.executable, "-c", HOLD, tmp_path / "a"], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout is not None and holder.stdout.readline() == "open\n"
        with pytest.raises(WrongUse, match=f"another run is writing to {tmp_path}/a"):
            with RunFolder.open(tmp_path / "a", {"a": 1}, force=force):
                pass
    finally:
        holder.send_signal(signal.SIGKILL)
        holder.communicate()
    with RunFolder.open(tmp_path / "a", {"a": 1}, force=force) as folder:  # the lock died with its process
        folder.finish({})


def test_a_second_run_in_the_same_process_is_refused_and_an_error_frees_the_folder(tmp_path):
    with pytest.raises(ZeroDivisionError):
        with RunFolder.open(tmp_path / "a", CONFIGURATION):
            with pytest.raises(WrongUse, match="another run is writing"):
                with RunFolder.open(tmp_path / "a", CONFIGURATION):
                    pass
            1 / 0  # noqa: B018
    with RunFolder.open(tmp_path / "a", CONFIGURATION) as folder:
        folder.finish({})


def test_an_output_folder_that_cannot_be_made_is_an_error_and_not_wrong_use(tmp_path):
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file", tmp_path / "file" / "results"):
        with pytest.raises(PlasticityError, match=f"{path} is no folder.*--out") as refused:
            with RunFolder.open(path, CONFIGURATION):
                pass
        assert not isinstance(refused.value, WrongUse)


def test_a_full_disk_at_the_start_leaves_a_folder_that_can_be_used_later(tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(PlasticityError, match="No space left"):
            with RunFolder.open(tmp_path / "a", CONFIGURATION):
                pass
    assert files(tmp_path / "a") == [".lock"]
    with RunFolder.open(tmp_path / "a", CONFIGURATION) as folder:
        folder.finish({})


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"configuration": 3}'])
def test_a_damaged_run_json_is_refused_by_name_and_replaced_by_force(tmp_path, content):
    path = unfinished(tmp_path / "a")
    (path / "run.json").write_text(content)
    with pytest.raises(PlasticityError, match=r"run\.json is damaged"):
        with RunFolder.open(path, CONFIGURATION):
            pass
    with RunFolder.open(path, CONFIGURATION, force=True) as folder:
        folder.finish({})
        assert files(path) == [".lock", "run.json", "summary.json"]


def test_a_damaged_record_is_refused_by_name_and_not_taken_for_missing(tmp_path):
    path = unfinished(tmp_path / "a")
    (path / "records" / "seed-0000" / "spiking_gated.npz").write_bytes(b"PK")
    with RunFolder.open(path, CONFIGURATION) as folder:
        with pytest.raises(PlasticityError, match=r"spiking_gated\.npz is damaged"):
            folder.record("seed-0000/spiking_gated")


@pytest.mark.parametrize("name", ["", "..", "../a", "/etc/a", "a//b", "a/", "a\n", ".hidden", "a b"])
def test_record_names_that_leave_the_folder_or_make_odd_files_are_refused(tmp_path, name):
    with RunFolder.open(tmp_path / "a", CONFIGURATION) as folder:
        with pytest.raises(WrongUse, match="cannot name a record"):
            folder.save(name, record())
    assert files(tmp_path) == ["a/.lock", "a/run.json"]


def test_a_configuration_with_a_unit_is_refused_before_the_folder_is_made(tmp_path):
    import brian2

    with pytest.raises(WrongUse, match=r"configuration\.tau .*unit"):
        with RunFolder.open(tmp_path / "a", {"tau": 20 * brian2.ms}):
            pass
    assert not (tmp_path / "a").exists()
