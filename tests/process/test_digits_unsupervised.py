"""The simulation of digits learnt without labels: its split, its record, and that a run that is stopped in any way goes on."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from plasticity.datasets import status
from plasticity.engine import compiler
from plasticity.errors import WrongUse
from plasticity.records import Record
from simulations.digits_unsupervised import DigitsUnsupervised
from simulations.frame.execute import execute, seen

needs_compiler = pytest.mark.skipif(not compiler(), reason="trains for thousands of steps: needs a C++ compiler")
SMALL = {"images": 120, "neurons": 12, "passes": 2, "labels": 60, "test": 60, "control": 60}
WORDS = [word for key, value in SMALL.items() for word in ("--set", f"{key}={value}")]
COMMAND = [sys.executable, "-m", "simulations", "run", "digits_unsupervised", *WORDS, "--seeds", "2", "--jobs", "2", "--json"]


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    """A run that nobody interrupts."""
    if not compiler():
        pytest.skip("trains for thousands of steps: needs a C++ compiler")
    folder = tmp_path_factory.mktemp("digits") / "run"
    execute(DigitsUnsupervised.configure(SMALL), folder, [0, 1], 2)
    return folder


def outcome(folder: Path) -> dict[str, np.ndarray]:
    arrays = Record.load(folder / "records" / "outcome").arrays
    return {name: array for name, array in arrays.items() if not name.endswith(("train_s", "test_s"))}


def same(folder: Path, other: Path) -> None:
    ours, theirs = outcome(folder), outcome(other)
    assert ours.keys() == theirs.keys()
    for name in ours:
        np.testing.assert_array_equal(ours[name], theirs[name], err_msg=name)


@pytest.mark.full
@pytest.mark.parametrize("data", ["digits", "mnist"])
def test_training_and_test_images_never_overlap_and_the_limits_are_kept(data):
    if status(data).state != "present":
        pytest.skip("runs on the real MNIST, which is not here: set PLASTICITY_DATA to the folder that holds mnist/")
    simulation = DigitsUnsupervised.configure({"data": data, "images": 800, "test": 300})
    X, y, X_test, y_test = simulation.split(3)
    assert X.shape[0] == len(y) == 800 and X_test.shape[0] == len(y_test) == 300 and X.dtype == np.float32
    assert 0 <= X.min() and X.max() == 1
    assert not {row.tobytes() for row in X} & {row.tobytes() for row in X_test}
    other = simulation.split(4)
    assert (data == "mnist") == np.array_equal(other[0], X)  # MNIST has a split of its own


@pytest.mark.full
@needs_compiler
def test_the_summary_says_what_was_trained_how_and_how_well(whole):
    told = json.loads((whole / "summary.json").read_text())["numbers"]
    wanted = {"data": "digits", "neurons": 12, "passes": 2, "training_images": 120, "label_images": 60, "test_images": 60}
    assert wanted.items() <= told.items() and told["chance"] == 0.1
    arrays = outcome(whole)
    for readout in ("all", "proportion"):
        right = [np.mean(arrays[f"seed{seed}_answer_{readout}"] == arrays[f"seed{seed}_label"]) for seed in (0, 1)]
        assert told[f"accuracy_{readout}"]["each"] == right
        assert len(told[f"control_{readout}"]["each"]) == 2
    assert arrays["seed0_history_trials"][-1] == 240 and "seed1_weights" not in arrays
    checks = json.loads((whole / "summary.json").read_text())["checks"]
    assert [check["name"].partition(" ")[0] for check in checks] == ["mean", "accuracy"]


@pytest.mark.full
@needs_compiler
def test_the_figures_are_drawn_from_the_record_alone_and_the_parts_are_gone(whole):
    names = {"accuracy", "confusion", "receptive_fields", "assignment", "spikes"}
    assert {path.stem for path in (whole / "figures").glob("*.png")} == names
    assert not (whole / "records" / "parts").exists()
    assert set(DigitsUnsupervised.configure(SMALL).figures(Record.load(whole / "records" / "outcome").arrays)) == names


def start(folder: Path, **more) -> subprocess.Popen:
    words = [*COMMAND, "--out", str(folder)]
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True, **more)


def blocks(folder: Path) -> int:
    return len(list((folder / "records" / "parts").glob("seed-*/blocks/block-*.json")))


def wait_for_blocks(process: subprocess.Popen, folder: Path, many: int) -> None:
    while process.poll() is None and blocks(folder) < many:
        time.sleep(0.005)
    assert process.poll() is None, process.communicate()


@pytest.mark.full
@needs_compiler
@pytest.mark.parametrize("many", [1, 4])
def test_kill_9_at_any_time_and_the_same_command_gives_the_same_to_the_bit(whole, tmp_path, many):
    folder = tmp_path / "run"
    process = start(folder)
    wait_for_blocks(process, folder, many)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert not (folder / "summary.json").exists()
    done = subprocess.run([*COMMAND, "--out", str(folder)], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    same(folder, whole)


def gone(group: int, seconds: float) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


@pytest.mark.full
@needs_compiler
@pytest.mark.parametrize("to_all", [True, False], ids=["as a terminal does, to all processes", "to the program alone"])
def test_ctrl_c_stops_within_two_seconds_says_how_to_go_on_and_leaves_no_process(whole, tmp_path, to_all):
    folder, scratch = tmp_path / "run", tmp_path / "scratch"
    scratch.mkdir()
    process = start(folder, env=os.environ | {"TMPDIR": str(scratch)})
    wait_for_blocks(process, folder, 2)
    began = time.monotonic()
    (os.killpg if to_all else os.kill)(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert time.monotonic() - began < 2
    assert process.returncode == 130 and out == "" and "Traceback" not in err
    assert f"what is finished is kept in {folder}; the same command goes on from there" in err
    assert gone(process.pid, 10), "processes are left behind"
    assert not list(scratch.glob("plasticity-*")), "files are left behind"
    if not to_all:
        done = subprocess.run([*COMMAND, "--out", str(folder)], capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
        same(folder, whole)


@pytest.mark.full
@needs_compiler
def test_an_unfinished_run_with_other_settings_is_refused(tmp_path):
    folder = tmp_path / "run"
    process = start(folder)
    wait_for_blocks(process, folder, 1)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    with pytest.raises(WrongUse, match="unfinished run with another configuration"):
        execute(DigitsUnsupervised.configure({**SMALL, "passes": 1}), folder, [0, 1], 2)


@pytest.mark.full
@needs_compiler
def test_a_run_of_a_single_block_says_nothing_of_its_course_and_ends_well(tmp_path):
    compiled = {"neurons": 60, "block": 200}  # for other tests as well
    made = DigitsUnsupervised.configure({**SMALL, **compiled, "images": 60, "passes": 1, "control": 0})
    told = execute(made, tmp_path / "run", [0], 1)
    assert "intensity" not in told["numbers"] and told["numbers"]["theta_plus_mv"] == 0.05
    assert (tmp_path / "run" / "figures" / "accuracy.png").exists()


def test_nothing_is_kept_on_a_machine_that_does_not_see_the_folder_of_the_run(tmp_path):
    assert seen(None) is None and seen(tmp_path / "anywhere") == tmp_path / "anywhere"
    for inner in ("", "point-000/seed-0001", "a_member"):
        folder = tmp_path / "run" / "records" / "parts" / inner
        assert seen(folder) is None
        (tmp_path / "run").mkdir()
        assert seen(folder) is None  # made anew by somebody: no run
        (tmp_path / "run" / "run.json").write_text("{}")
        assert seen(folder) == folder
        shutil.rmtree(tmp_path / "run")


def test_what_cannot_be_is_refused():
    with pytest.raises(WrongUse, match="images=20 are too few"):
        DigitsUnsupervised.configure({"images": 20})
    with pytest.raises(WrongUse, match="needs more than spikes"):
        DigitsUnsupervised.configure({"rule": "bcm"})
    with pytest.raises(WrongUse, match="outside 2 to 20000"):
        DigitsUnsupervised.configure({"neurons": 1})
