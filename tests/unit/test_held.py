"""Folders and files that belong to a process: known by a lock, whatever the number of the process is."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import pytest

from plasticity import held
from plasticity.errors import PlasticityError

TOP = Path(__file__).resolve().parents[2]
PREFIX = "plasticity-run-"
HOLD = (
    "import sys, time; from plasticity import held\n"
    "with held.folder(sys.argv[1], sys.argv[2]) as made:\n"
    "    (made / 'rates.in').write_text('x'); (made / 'below').mkdir(); (made / 'below' / 'file').write_text('x')\n"
    "    print(made, flush=True); time.sleep(600)"
)


@pytest.fixture
def holder(tmp_path):
    """A process that holds a folder, and the folder."""
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path), PREFIX], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    yield process, Path(process.stdout.readline().strip())
    process.kill()
    process.communicate()


def kill(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait()


def old(*paths: Path) -> None:
    for path in paths:
        os.utime(path, (0, 0))


def test_what_a_process_holds_stays_until_it_is_killed(tmp_path, holder):
    process, made = holder
    held.clear(tmp_path, PREFIX)
    assert (made / "below" / "file").exists()
    kill(process)
    held.clear(tmp_path, PREFIX)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_gone_afterwards_and_leftovers_before_it(tmp_path, holder):
    kill(holder[0])
    with held.folder(tmp_path, PREFIX) as made:
        assert [path.name for path in tmp_path.iterdir()] == [made.name] and made.stat().st_mode & 0o777 == 0o700
        held.clear(tmp_path, PREFIX)
        assert made.exists()
    assert list(tmp_path.iterdir()) == []


def test_a_number_of_no_process_says_nothing(tmp_path):
    """As of a living process in another container, by an earlier version, or somebody's own folder of that name."""
    foreign = [tmp_path / f"{PREFIX}{name}" for name in ("999999999-x", f"{os.getpid()}-y", "nobody")]
    for folder in foreign:
        folder.mkdir()
        (folder / "rates.in").write_text("x")
    held.clear(tmp_path, PREFIX)
    assert all((folder / "rates.in").exists() for folder in foreign)


def test_what_an_earlier_version_left_goes_after_a_week_unless_its_process_lives(tmp_path, monkeypatch):
    dead, lives, other = (tmp_path / f"{PREFIX}{name}" for name in ("999999999-x", f"{os.getpid()}-y", "nobody"))
    for folder in (dead, lives, other):
        (folder / "below").mkdir(parents=True)
        (folder / "rates.in").write_text("x")
        old(folder / "below", folder / "rates.in", folder)
    (dead / "rates.in").touch()
    held.clear(tmp_path, PREFIX)
    assert dead.exists()  # something goes on there
    old(dead / "rates.in")
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    held.clear(tmp_path, PREFIX)
    assert dead.exists()
    monkeypatch.undo()
    held.clear(tmp_path, PREFIX)
    assert not dead.exists() and lives.exists() and other.exists()


def test_a_link_is_not_followed_and_what_belongs_to_another_user_stays(tmp_path, holder, monkeypatch):
    process, made = holder
    kill(process)
    made.rename(tmp_path / "elsewhere")
    (tmp_path / f"{PREFIX}link").symlink_to(tmp_path / "elsewhere")
    held.clear(tmp_path, PREFIX)
    assert (tmp_path / "elsewhere" / "rates.in").exists()
    (tmp_path / f"{PREFIX}link").unlink()
    (tmp_path / "elsewhere").rename(made)
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    held.clear(tmp_path, PREFIX)
    assert (made / "rates.in").exists()


def test_what_another_machine_left_stays_for_a_week(tmp_path, holder):
    process, made = holder
    kill(process)
    (made / held.LOCK).write_text("of another start of another machine")
    held.clear(tmp_path, PREFIX)
    assert made.exists()
    old(*made.iterdir(), made)
    (made / "rates.in").touch()  # something goes on there
    held.clear(tmp_path, PREFIX)
    assert made.exists()
    old(made / "rates.in")
    held.clear(tmp_path, PREFIX)
    assert not made.exists()


def test_on_a_disk_without_locks_folders_can_be_had_and_nothing_is_a_leftover(tmp_path, holder, monkeypatch):
    def none(file, how):
        raise OSError(errno.ENOLCK, "No locks available")

    kill(holder[0])
    monkeypatch.setattr(fcntl, "flock", none)
    with held.folder(tmp_path, "other-") as made:
        held.clear(tmp_path, PREFIX)
        assert made.exists() and holder[1].exists()
    assert not made.exists()
    with held.alone(tmp_path / "lock"):
        pass


def test_what_is_half_deleted_is_still_a_leftover(tmp_path, holder):
    process, made = holder
    kill(process)
    (made / "rates.in").unlink()
    held.clear(tmp_path, PREFIX)
    assert not made.exists()


def test_a_folder_taken_for_a_leftover_before_it_is_locked_is_made_once_more(tmp_path, monkeypatch):
    hold, lost = held._hold, []

    def late(made):
        if not lost:
            lost.append(made)
            made.rmdir()
        return hold(made)

    monkeypatch.setattr(held, "_hold", late)
    with held.folder(tmp_path, PREFIX) as made:
        assert made not in lost and made.is_dir() and len(lost) == 1


def test_where_no_folder_can_be_made_that_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    with pytest.raises(PlasticityError, match="cannot write run files in .*nowhere: No such file.*; set TMPDIR to a folder"):
        with held.temporary(PREFIX):
            pass


def test_one_at_a_time_is_inside_and_no_file_stays(tmp_path):
    inside, most = [], []

    def work():
        for _ in range(20):
            with held.alone(tmp_path / "lock"):
                inside.append(1)
                most.append(len(inside))
                time.sleep(1e-3)
                inside.pop()

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert set(most) == {1} and len(most) == 80 and list(tmp_path.iterdir()) == []


def test_what_is_used_is_not_unused(tmp_path):
    file = tmp_path / "main"
    with held.unused(file) as free:
        assert free  # not there
    file.write_text("x")
    with held.using(file), held.using(file), held.unused(file) as free:
        assert not free
    with held.unused(file) as free:
        assert free


@pytest.mark.parametrize("words", [["-m", "simulations", "data", "--with"], []], ids=["the program", "a script of one's own"])
def test_a_killed_program_leaves_no_debug_file_of_brian2_and_a_script_has_its_own(tmp_path, words):
    script = tmp_path / "killed.py"
    script.write_text("import os, signal\nimport plasticity\nimport brian2\nos.kill(os.getpid(), signal.SIGKILL)\n")
    (tmp_path / "tmp").mkdir()
    environment = {**os.environ, "PYTHONPATH": str(TOP), "TMPDIR": str(tmp_path / "tmp")}
    environment.pop("PLASTICITY_PROGRAM", None)
    ended = subprocess.run([sys.executable, *words, str(script)], env=environment, cwd=tmp_path, timeout=120)
    assert ended.returncode == -signal.SIGKILL
    assert len(list((tmp_path / "tmp").glob("brian_*"))) == (0 if words else 2)


@pytest.mark.parametrize("program", [True, False], ids=["the program", "a script of one's own"])
def test_the_program_runs_nothing_that_stands_in_the_working_folder(tmp_path, program):
    (tmp_path / "brian_preferences").write_text("codegen.target = open('made', 'w') and 'auto'\n")
    environment = {name: value for name, value in os.environ.items() if name != "PLASTICITY_PROGRAM"}
    environment |= {"PYTHONPATH": str(TOP), **({"PLASTICITY_PROGRAM": "1"} if program else {})}
    subprocess.run([sys.executable, "-c", "import plasticity, brian2"], env=environment, cwd=tmp_path, timeout=120, check=True)
    assert (tmp_path / "made").exists() != program


def test_brian2_is_told_nothing_where_it_is_there_already():
    code = "import brian2; import plasticity; print(brian2.prefs['logging.file_log'])"
    environment = {**os.environ, "PLASTICITY_PROGRAM": "1", "PYTHONPATH": str(TOP)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert done.stdout == "True\n", done.stderr


@pytest.mark.parametrize("order", ["import brian2, plasticity", "import plasticity, brian2"])
@pytest.mark.parametrize("error", ["errors.PlasticityError", "errors.WrongUse", "RuntimeError"])
def test_a_refusal_that_ends_a_script_is_no_bug_of_brian2(tmp_path, order, error):
    script = tmp_path / "script.py"
    script.write_text(f"{order}\nfrom plasticity import errors\nraise {error}('give another folder.')\n")
    (tmp_path / "tmp").mkdir()
    environment = {name: value for name, value in os.environ.items() if name != "PLASTICITY_PROGRAM"}
    environment |= {"PYTHONPATH": str(TOP), "TMPDIR": str(tmp_path / "tmp")}
    done = subprocess.run(
        [sys.executable, str(script)], env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 1 and not done.stdout and "give another folder." in done.stderr
    other = error == "RuntimeError"
    assert ("Brian 2 encountered" in done.stderr) == other, done.stderr
    assert len(list((tmp_path / "tmp").iterdir())) == (2 if other else 0)
    assert other or done.stderr.splitlines()[-1] == f"plasticity.{error}: give another folder."
