"""Long reproductions, run by `make reproduce`: what the README's figures show, from nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow


def program(*words: str) -> dict:
    done = subprocess.run([sys.executable, "-m", "simulations", *words, "--json"], capture_output=True, text=True, timeout=1800)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


def test_attention_is_what_solves_cued_digits_on_either_side(tmp_path: Path):
    summary = program("compare", "cued_digits", "--out", str(tmp_path / "cued_digits"))
    mean = {learner["name"]: learner["accuracy"]["mean"] for learner in summary["learners"]}
    print("\n" + "\n".join(f"{name:24s} {100 * value:5.1f} %" for name, value in mean.items()))
    assert mean["spiking_gated"] >= 0.85
    assert max(mean["spiking_no_gate"], mean["spiking_shuffled_gate"], mean["spiking_equal_gain"]) <= 0.60
    assert mean["softmax_attention"] >= 0.95


@pytest.mark.parametrize("name", ["attention_gain", "stdp_window"])
def test_every_check_of_the_simulation_holds(tmp_path: Path, name: str):
    summary = program("run", name, "--out", str(tmp_path / name))
    print("\n" + "\n".join(f"{'holds' if c['holds'] else 'FAILS'}  {c['name']}: {c['ours']}" for c in summary["checks"]))
    assert summary["checks"] and all(check["holds"] for check in summary["checks"])
