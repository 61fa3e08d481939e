"""Killed outright at any moment, also while figures and page are made: the same command completes what is missing."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

OWN = '''
from dataclasses import dataclass

import numpy as np

from plasticity.settings import setting
from simulations.figures.kinds import line, panel
from simulations.frame.experiment import Experiment, Measure


@dataclass(frozen=True)
class Throw(Experiment):
    """Dice."""

    name, summary, source, compiled = "throw", "the mean of many dice", "Pearson 1900, doi:10.1080/14786440009463897", False
    default_seeds = 2
    measures = (Measure("mean", "", "of the dice", "mean"),)
    dice: int = setting(60, "dice in a throw", low=1)

    def run(self, seed):
        return {"means": np.random.default_rng(seed).integers(1, 7, self.dice).mean()}

    def numbers(self, a):
        return {"mean": float(a["means"].mean())}

    def figures(self, a):
        one = panel(line(range(len(a["means"])), a["means"], "o"), x="seed", y="mean")
        return {f"throws_{place}": one for place in range(3)}
'''
COMMANDS = {
    "run": ["run", "throw"],
    "sweep": ["sweep", "throw", "--grid", "dice=10,60", "--seeds", "2"],
    "compare": "compare cued_digits --learners guessing,mlp --seeds 2 --set train=60 --set test=50 --set mlp.epochs=2".split(),
}


def start(words, own, out):
    words = [*words, "--jobs", "1", "--out", str(out), *(["--with", str(own)] if "throw" in words else [])]
    return subprocess.Popen(
        [sys.executable, "-m", "simulations", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def made(out):
    """All that a run leaves but when it was and how long it took."""
    found = {path.relative_to(out).as_posix(): path for path in out.rglob("*") if path.is_file() and path.name != ".lock"}
    pictures = {name: path.read_bytes() for name, path in found.items() if name.endswith(".png") and "time" not in name}
    return sorted(found), pictures


STAGES = ("run.json", "records/**/*.json", "figures/*.png", "report.html")


@pytest.mark.full
@pytest.mark.parametrize("command", COMMANDS)
def test_the_same_command_completes_what_was_killed_at_any_stage(tmp_path, command):
    own = tmp_path / "own_throw.py"
    own.write_text(OWN)
    whole = start(COMMANDS[command], own, tmp_path / "whole")
    assert whole.wait() == 0
    expected, cut_short = made(tmp_path / "whole"), 0
    for number, stage in enumerate(STAGES):
        out = tmp_path / f"killed-{number}"
        process = start(COMMANDS[command], own, out)
        while process.poll() is None and not list(out.glob(stage)):
            time.sleep(0.002)
        process.kill()
        process.communicate()
        if (out / "summary.json").exists():
            assert made(out)[0] == expected[0]  # what counts as finished is whole
            continue
        cut_short += 1
        again = start(COMMANDS[command], own, out)
        _, err = again.communicate()
        assert again.returncode == 0, err
        assert made(out)[0] == expected[0]
        if command != "compare":  # whose figures show times
            assert made(out)[1] == expected[1]
    assert cut_short >= len(STAGES) - 1  # after the page the summary may have been quicker
