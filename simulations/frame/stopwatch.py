"""Time and memory of programs: others in environments of their own, on one thread, and the size of compiled networks that run."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
import venv
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import joblib
from brian2 import Quantity

from plasticity import held
from plasticity.engine import Program, cache
from plasticity.errors import PlasticityError


class NotHad(Exception):
    """Why another program could not be measured."""


@contextlib.contextmanager
def not_had(reasons: dict[str, str], name: str) -> Iterator[None]:
    """Notes why a program cannot be measured and goes on."""
    try:
        yield
    except (NotHad, OSError, subprocess.SubprocessError) as error:
        reasons[name] = " ".join(str(error).split())[:300]


def call(words: Sequence[Any]) -> dict[str, Any]:
    """A program on one thread; its last line, as JSON."""
    one = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, env={**os.environ, **one}, timeout=1800)
    try:
        return json.loads(done.stdout.strip().splitlines()[-1])
    except (IndexError, ValueError):
        raise NotHad(f"{Path(str(words[1])).name} ended with status {done.returncode}: {done.stderr.strip()[-200:]}") from None


def fastest(words: Sequence[Any], repeats: int) -> dict[str, Any]:
    """What a program told (`call`) that says its own `seconds`, in the best of several runs."""
    return min((call(words) for _ in range(repeats)), key=lambda told: told["seconds"])


def timed(program: Program, inputs: Mapping[str, Any], period: Quantity, periods: int, repeats: int) -> float:
    """Seconds for one period: of a run of all of them less one of a single one, so that starting up is left out."""

    def seconds(many: int) -> float:
        began = time.perf_counter()
        program.run(0, inputs, duration=many * period)
        return time.perf_counter() - began

    seconds(1)
    short = min(seconds(1) for _ in range(repeats))
    return (min(seconds(periods) for _ in range(repeats)) - short) / (periods - 1)


def starts(code: str, *words: Any) -> tuple[dict[str, float], dict[str, float]]:
    """What a Python program told, as JSON, at its first start (empty cache, compilation included), and at a later one.

    It tells its `seconds`; of three later starts the best counts.
    """
    with held.temporary("plasticity-bench-") as empty:

        def start() -> dict[str, float]:
            asked = [sys.executable, "-c", code, *map(str, words)]
            alone = {**os.environ, "PLASTICITY_CACHE": str(empty)}
            done = subprocess.run(asked, env=alone, capture_output=True, text=True, timeout=600)
            if done.returncode:
                raise PlasticityError(f"the start that was to be timed failed: {done.stderr.strip()[-300:]}")
            return json.loads(done.stdout)

        first = start()
        return first, min((start() for _ in range(3)), key=lambda told: told["seconds"])


def environment(name: str, installed: Sequence[Sequence[str]]) -> Path:
    """The Python of an environment of its own in the cache, made when it is not there: what pip is told, call after call."""
    home = cache.folder()
    cache.make(home)
    folder = home / "peers" / name
    for path in (folder.parent, folder):
        path.mkdir(mode=0o700, exist_ok=True)
        cache.check(path)
    python = folder / "bin" / "python"
    if (folder / "installed").exists():
        (folder / "installed").touch()  # when it was used
    else:
        venv.create(folder, with_pip=True, clear=True)
        for words in installed:
            asked = [str(python), "-m", "pip", "install", "--quiet", *words]
            made = subprocess.run(asked, capture_output=True, text=True, timeout=1800)
            if made.returncode:
                raise NotHad(f"pip install {' '.join(words)} failed: {made.stderr.strip()[-200:]}")
        (folder / "installed").write_text("")
    return python


def processor() -> str:
    """Name of the processor and number of its cores."""
    for line in Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []:
        if line.startswith("model name"):
            return f"{line.partition(':')[2].strip()}, {joblib.cpu_count()} cores"
    return f"{joblib.cpu_count()} cores"


class Watch(threading.Thread):
    """The largest resident size, in bytes, of any compiled program that this process has running (Linux)."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.peak, self.over = 0, threading.Event()

    def __enter__(self) -> Watch:
        self.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self.over.set()
        self.join()

    def run(self) -> None:
        while not self.over.wait(0.002):
            for pid in _children():
                try:
                    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
                except OSError:
                    continue
                told = dict(line.split(":", 1) for line in lines if ":" in line)
                if told.get("Name", "").strip() == "main" and "VmHWM" in told:
                    self.peak = max(self.peak, 1024 * int(told["VmHWM"].split()[0]))


def _children() -> Iterator[str]:
    for listed in Path("/proc/self/task").glob("*/children"):
        try:
            yield from listed.read_text().split()
        except OSError:
            continue
