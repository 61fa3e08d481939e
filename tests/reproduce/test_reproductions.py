"""Long reproductions, run by `make reproduce`: every simulation as published, and the main comparison, from nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from plasticity.files import read_json
from simulations import SIMULATIONS
from simulations.frame.shown import counted, rows

pytestmark = pytest.mark.slow
REFERENCE = Path(__file__).resolve().parents[2] / "results" / "reference"


def program(*words: str) -> dict:
    done = subprocess.run([sys.executable, "-m", "simulations", *words, "--json"], capture_output=True, text=True, timeout=3600)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


def test_attention_is_what_solves_cued_digits_on_either_side(tmp_path: Path):
    default = program("compare", "cued_digits", "--out", str(tmp_path / "cued_digits"))
    equal = program("compare", "cued_digits", "--learners", "spiking_equal_gain", "--out", str(tmp_path / "equal_gain"))
    mean = {learner["name"]: learner["accuracy"]["mean"] for learner in default["learners"] + equal["learners"]}
    print("\n" + "\n".join(f"{name:24s} {100 * value:5.1f} %" for name, value in mean.items()))
    assert mean["spiking_gated"] >= 0.85
    assert mean["spiking_learned_gate"] >= 0.95
    assert max(mean["spiking_no_gate"], mean["spiking_shuffled_gate"], mean["spiking_equal_gain"]) <= 0.60
    assert mean["softmax_attention"] >= 0.95


@pytest.fixture(scope="module")
def reproduced():
    """The summaries of this session; at its end one table of all checks."""
    told: list[dict] = []
    yield told
    print("\n\n" + "\n".join(f"{r[5]:3s}  {r[0]}: {r[1]}: {r[3]} (expected {r[2]}, tolerance {r[4]})" for r in rows(told)))
    print(counted(told))


@pytest.mark.parametrize("name", [name for name, kind in SIMULATIONS.items() if kind.published and not kind.part_of])
def test_every_check_that_holds_in_the_reference_holds_again(tmp_path: Path, name: str, reproduced: list[dict]):
    """A check that does not hold stays in the table and in the README; which ones those are is what the reference says."""
    summary = program("run", name, "--out", str(tmp_path / name))
    reproduced.append(summary)
    reference = read_json(REFERENCE / name / "summary.json")
    wanted = [(check["name"], str(check["published"])) for check in reference["checks"] if check["holds"]]
    found = [(check["name"], str(check["published"])) for check in summary["checks"] if check["holds"]]
    assert summary["checks"] and set(wanted) <= set(found), sorted(set(wanted) - set(found))
