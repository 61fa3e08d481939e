"""A signal ends the program in one sentence, whenever it comes; what is finished stays."""

from __future__ import annotations

import _thread
import json
import os
import signal
import subprocess
import sys
import threading
import time
import weakref
from pathlib import Path

import pytest
from brian2.core.tracking import InstanceTrackerSet
from joblib.externals.loky import process_executor

from plasticity import parallel
from simulations.command_line import stopping

SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT]
COMPARE = (
    "compare cued_digits --learners guessing,mlp --seeds 2 --jobs 1 --set train=100 --set test=50 --set mlp.epochs=400".split()
)


def start(words, **options):
    process = subprocess.Popen(
        [sys.executable, "-m", "simulations", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL), **options,  # the tests may run under nohup
    )  # fmt: skip
    hangup = 1 << (signal.SIGHUP - 1)
    for _ in range(2000):  # until the program listens: before, it is Python that is interrupted
        caught = next(line for line in Path(f"/proc/{process.pid}/status").read_text().splitlines() if line.startswith("SigCgt"))
        if int(caught.split()[1], 16) & hangup:
            return process
        time.sleep(0.002)
    raise AssertionError("it never listened to signals")


def interrupted(process):
    out, err = process.communicate(timeout=60)
    told = [line for line in err.splitlines() if "elapsed" not in line]  # how far it is, where there is no terminal
    assert process.returncode == 130, (process.returncode, out, err)
    assert len(told) == 1 and told[0].startswith("interrupted") and not out, (out, err)
    return told[0]


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="looks into /proc")
@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize("after_s", [0.0, pytest.param(0.3, marks=pytest.mark.full), pytest.param(1.0, marks=pytest.mark.full)])
def test_a_signal_during_the_imports_is_neither_lost_nor_a_traceback(tmp_path, number, after_s):
    process = start([*COMPARE, "--out", str(tmp_path / "a")])
    time.sleep(after_s)
    process.send_signal(number)
    interrupted(process)


@pytest.mark.full
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="looks into /proc")
@pytest.mark.parametrize("first", SIGNALS)
def test_further_signals_are_ignored_while_it_ends_and_what_is_finished_stays(tmp_path, first):
    process = start([*COMPARE, "--out", str(tmp_path / "a")])
    for _ in range(3000):
        if list((tmp_path / "a" / "records").glob("*/*.json")):
            break
        time.sleep(0.02)
    process.send_signal(first)
    for number in SIGNALS * 5:
        time.sleep(0.01)
        process.send_signal(number)
    assert "kept in" in interrupted(process)
    for record in (tmp_path / "a" / "records").glob("*/*.json"):
        assert json.loads(record.read_text())["sha256"]
    assert not (tmp_path / "a" / "summary.json").exists()


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="looks into /proc")
def test_what_nohup_ignores_stays_ignored(tmp_path):
    words = ["nohup", sys.executable, "-m", "simulations", "list", "rules"]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    time.sleep(0.1)
    process.send_signal(signal.SIGHUP)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0 and "pair_stdp" in out


class Thing:
    pass


class Finalised:
    def __del__(self):
        signal.raise_signal(signal.SIGINT)


def with_del():
    return Finalised(), None


def tracked():
    thing, followed = Thing(), InstanceTrackerSet()
    followed.add(thing)
    return thing, followed


def in_a_set():
    thing = Thing()
    return thing, weakref.WeakSet([thing])


def in_a_dictionary():
    thing = Thing()
    return thing, weakref.WeakValueDictionary({1: thing})


def with_a_finaliser():
    thing = Thing()
    return thing, weakref.finalize(thing, signal.raise_signal, signal.SIGINT)


@pytest.mark.parametrize("made", [with_del, tracked, in_a_set, in_a_dictionary, with_a_finaliser])
def test_a_signal_while_an_object_is_finalised_waits_until_that_is_over(made, monkeypatch):
    lost, sent = [], []
    monkeypatch.setattr(sys, "unraisablehook", lost.append)

    def send(frame, event, _):
        if event == "call" and frame.f_code.co_name in ("remove", "_remove"):  # what is called when the weak reference dies
            sys.setprofile(None)
            sent.append(frame.f_code.co_filename)
            signal.raise_signal(signal.SIGINT)

    thing, keeper = made()
    by_profile = isinstance(keeper, InstanceTrackerSet | weakref.WeakSet | weakref.WeakValueDictionary)
    with pytest.raises(KeyboardInterrupt), stopping.interrupting(last=False):
        if by_profile:
            sys.setprofile(send)
        del thing
        sys.setprofile(None)
        assert not stopping.stopped() and len(sent) == by_profile
        time.sleep(5)
    assert not lost and stopping.stopped()


@pytest.mark.parametrize("closed", ["2>&-", "<&-", ">&- 2>&-"])
def test_closed_streams_are_no_files_that_are_written_to(tmp_path, closed):
    words = f"{sys.executable} -m simulations list rules --json {closed}"
    done = subprocess.run(["bash", "-c", words], capture_output=True, text=True, cwd=os.getcwd())
    assert done.returncode == 0 and not done.stderr
    assert "1>" in closed or ">&- 2" in closed or json.loads(done.stdout)


def test_an_error_is_never_told_on_standard_output():
    words = f"{sys.executable} -m simulations show nothing_of_that_name 2>&-"
    done = subprocess.run(["bash", "-c", words], capture_output=True, text=True, cwd=os.getcwd())
    assert (done.returncode, done.stdout) == (2, "")


@pytest.mark.full
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="looks into /proc")
@pytest.mark.parametrize("after_s", [0.0, 0.05, 0.1, 0.3])
def test_a_signal_while_workers_start_is_one_sentence(tmp_path, after_s):
    """They would end, in the midst of their imports, with a traceback each."""
    words = " ".join(COMPARE).replace("--jobs 1", "--jobs 2").split()
    process = start([*words, "--out", str(tmp_path / "a")], start_new_session=True)
    there = time.monotonic() + 60
    while not any(b"popen_loky" in line for line in commands_of(process.pid)):
        assert process.poll() is None and time.monotonic() < there
        time.sleep(0.005)
    time.sleep(after_s)
    os.killpg(process.pid, signal.SIGINT)
    interrupted(process)


def test_a_job_that_is_taken_away_before_a_process_has_it_leaves_no_traceback(monkeypatch):
    """Loky's thread looks for it in vain then."""
    raised, told = [], []
    give = process_executor._ExecutorManagerThread.add_call_item_to_queue
    interruption = threading.Timer(0.2, _thread.interrupt_main)

    def late(thread):  # as if the signal came before any job was given to a process
        if not thread.is_shutting_down():
            if interruption.ident is None:  # it is asked several times, and a second one would end the tests
                interruption.start()
            return
        try:
            give(thread)
        except KeyError as error:
            raised.append(error)
            raise

    monkeypatch.setattr(process_executor._ExecutorManagerThread, "add_call_item_to_queue", late)
    monkeypatch.setattr(threading, "excepthook", told.append)
    with pytest.raises(KeyboardInterrupt):
        list(parallel.each(lambda item, tell: item, range(3), jobs=2, processes=True))
    assert raised and not told and threading.excepthook == told.append


def commands_of(group):
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if os.getpgid(int(folder.name)) == group:
                yield (folder / "cmdline").read_bytes()
        except OSError:
            continue
