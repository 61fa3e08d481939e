"""The bench: its arithmetic, its peers where they can be had, and that a peer that cannot be had does not end it."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

from plasticity.engine import compiler
from plasticity.errors import WrongUse
from simulations.bench import Bench
from simulations.frame import timed_network
from simulations.frame.peer_programs import LOOPS, PEERS
from simulations.frame.stopwatch import NotHad, call, environment, not_had
from simulations.frame.timed_network import network, run_inputs
from simulations.network_growth import exponents, slope


def test_what_the_numbers_tell_is_not_kept_a_second_time_and_had_back_from_them():
    rows = [{"measure": "hand-written loop", "ours": 2.0, "peer": 3.0, "unit": "ms/image", "note": ""}]
    measured = {"processor": "slow, 1 cores", "threads": 1, "rows": rows, "not had": {"NEST": "no network"}}
    arrays = {"measured": np.array(json.dumps(measured)), "processor": np.array("slow, 1 cores")}
    growth = {"neurons": np.array([1, 2]), "neurons_s": np.array([1.0, 2.0]), "neurons_bytes": np.array([10.0, 20.0])}
    growth |= {"neurons_least_bytes": np.array([9.0, 18.0]), "neurons_state_bytes": np.array([5.0, 10.0])}
    numbers = Bench().numbers(arrays | growth)
    assert numbers["ratio: hand-written loop"] == 1.5 and numbers["exponent: neurons time"] == pytest.approx(1)
    told = Bench().told(numbers)
    assert told.keys() == arrays.keys() and json.loads(str(told["measured"])) == measured
    assert Bench().numbers(told | growth) == numbers
    assert set(Bench().figures(told | growth)) == {"ratios", "growth"}


def test_exponents_of_known_growth():
    neurons = np.array([100, 200, 400, 800])
    arrays = {"neurons": neurons, "neurons_s": 3e-5 * neurons**1.5, "neurons_bytes": 7.0 * neurons}
    told = exponents(arrays | {"images": np.array([10, 100]), "images_s": np.array([1.0, 10.0])})
    assert told["exponent: neurons time"] == pytest.approx(1.5) and told["exponent: neurons memory"] == pytest.approx(1)
    assert told["exponent: neurons time, larger half"] == pytest.approx(1.5)
    assert told["exponent: images time"] == pytest.approx(1) == slope(np.array([1, 2]), np.array([5, 10]))


def test_a_bar_is_held_against_the_ratio_of_the_times():
    rows = [{"measure": "Brian2, Cython target", "ours": 2.0, "peer": 90.0, "unit": "ms/image", "note": ""}]
    measured = {"rows": rows, "not had": {}, "second_start_s": 0.1, "second_start_with_imports_s": 2.0}
    arrays = {"neurons": np.array([1, 2]), "neurons_bytes": np.array([10.0, 32.0]), "neurons_least_bytes": np.array([10.0, 20.0])}
    found = {check.name: check for check in Bench().checks({"measured": np.array(json.dumps(measured)), **arrays})}
    assert found["Brian2, Cython target: time / ours"].ours == 45 and not found["Brian2, Cython target: time / ours"].holds
    assert found["second start (s), imports apart"].holds
    assert found["memory / (plastic state + images given at once)"].ours == 1.6


def test_a_peer_that_cannot_be_had_is_left_out_with_its_reason(monkeypatch):
    reasons: dict[str, str] = {}
    with not_had(reasons, "nobody"):
        call([sys.executable, "-c", "raise SystemExit('no such thing')"])
    assert "ended with status 1" in reasons["nobody"] and "no such thing" in reasons["nobody"]
    with pytest.raises(KeyError), not_had(reasons, "other"):
        raise KeyError("a mistake of ours is none of the peer")


@pytest.mark.full
def test_an_environment_that_pip_cannot_fill_is_not_had(monkeypatch, tmp_path):
    monkeypatch.setenv("PLASTICITY_CACHE", str(tmp_path))
    with pytest.raises(NotHad, match="pip install --no-index no-such-package failed"):
        environment("nest", (("--no-index", "no-such-package"),))


def test_without_a_compiler_it_is_refused(monkeypatch):
    monkeypatch.setattr(timed_network, "compiler", lambda: "")
    with pytest.raises(WrongUse, match="bench measures compiled networks"):
        Bench().outcome([0])


@pytest.mark.full
@pytest.mark.skipif(not compiler(), reason="compares compiled programs: needs a C++ compiler")
def test_the_hand_written_loop_is_the_same_network(tmp_path):
    """The same images, weights and thresholds: as many spikes, within what Poisson inputs leave to chance."""
    rng = np.random.default_rng(0)
    pictures = rng.random((40, 784)) * (rng.random((40, 784)) < 0.2)
    start = {"images": (130 * pictures).astype(np.float32), "weights": rng.random((784, 20)).astype(np.float32) * 0.2}
    start["theta"] = np.full(20, 0.03, np.float32)
    found = network(20, 40).program().run(0, run_inputs(start))
    ours = len(found["spike_time"])
    raw = tmp_path / "start.f32"
    raw.write_bytes(b"".join(start[name].tobytes() for name in ("images", "weights", "theta")))
    told = {}
    for title, flags in LOOPS.items():
        subprocess.run(["g++", *flags.split(), str(PEERS / "loop.cpp"), "-o", str(tmp_path / "loop")], check=True)
        words = [str(tmp_path / "loop"), str(raw), "40", "784", "20", "0.5", "700", "300"]
        told[title] = json.loads(subprocess.run(words, capture_output=True, text=True, check=True).stdout)
    expected = float(start["images"].sum() * 0.35)
    assert ours > 300
    for one in told.values():
        assert abs(one["input_spikes"] - expected) < 5 * np.sqrt(expected)
        assert abs(one["output_spikes"] - ours) < 0.1 * ours  # competition makes counts far more regular than Poisson
