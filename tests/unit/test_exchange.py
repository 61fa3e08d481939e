"""Spikes, weights and trained networks in the formats of others, held against their own libraries."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from plasticity import exchange
from plasticity.errors import PlasticityError, WrongUse
from plasticity.exchange import Recording
from plasticity.learners import Guessing, SpikingClassifier
from plasticity.tasks import CuedDigits

RNG = np.random.default_rng(0)


def a_recording(names=None):
    times = np.sort(RNG.integers(0, 400, 60) * 1e-3)
    names = np.array(["a", "a", "b", "b", "c"]) if names is None else names
    return Recording(times, RNG.integers(0, 4, 60), 0.4, 0.1, names, RNG.random((7, 5)))  # neuron 4 is silent


def same(first: Recording, second: Recording) -> None:
    assert (first.duration_s, first.trial_s) == (pytest.approx(second.duration_s), pytest.approx(second.trial_s))
    for neuron in range(len(first.names)):
        np.testing.assert_array_equal(first.train(neuron), second.train(neuron))
    np.testing.assert_array_equal(first.names.astype(str), second.names.astype(str))
    np.testing.assert_array_equal(first.weights, second.weights)


@pytest.fixture(scope="module")
def trained():
    draw = CuedDigits(train=60, validation=10, test=45).draw(np.random.default_rng(0))
    learner = SpikingClassifier(neurons_per_class=2, block=40, trial_ms=100.0).fit(draw.train.X, draw.train.y)
    return learner, draw.test.X


def test_neo_gives_back_the_recording():
    neo = pytest.importorskip("neo", reason="needs the package neo")
    recording = a_recording()
    block = exchange.to_neo(recording)
    assert isinstance(block, neo.Block) and len(block.segments[0].spiketrains) == 5
    assert len(block.segments[0].epochs[0]) == 4 and str(block.segments[0].spiketrains[0].units.dimensionality) == "s"
    same(recording, exchange.from_neo(block))
    with pytest.raises(WrongUse, match="was not made by to_neo"):
        exchange.from_neo(neo.Block())


@pytest.mark.parametrize("names", [None, np.arange(5)], ids=["texts", "numbers"])
def test_nwb_gives_back_the_recording_and_its_own_validator_finds_no_fault(tmp_path, names):
    pynwb = pytest.importorskip("pynwb", reason="needs the package pynwb")
    recording = a_recording(names)
    exchange.write_nwb(tmp_path / "mine.nwb", recording)
    same(recording, exchange.read_nwb(tmp_path / "mine.nwb"))
    assert not pynwb.validate(path=str(tmp_path / "mine.nwb"))
    (tmp_path / "text.nwb").write_text("no NWB")
    with pytest.raises(PlasticityError, match="text.nwb is damaged or no NWB file"):
        exchange.read_nwb(tmp_path / "text.nwb")
    with pytest.raises(PlasticityError, match="there is no file"):
        exchange.read_nwb(tmp_path / "none.nwb")
    with pytest.raises(PlasticityError, match="cannot write"):
        exchange.write_nwb(tmp_path / "none" / "mine.nwb", recording)


@pytest.mark.full
def test_a_recording_holds_the_spikes_by_which_the_learner_answers(trained):
    learner, X = trained
    before = dict(learner.activity_)
    recording = exchange.recorded(learner, X)
    assert learner.activity_ == before
    trial = np.minimum((recording.times_s / 0.1 + 1e-9).astype(int), len(X) - 1)
    counts = np.zeros((len(X), 20), int)
    np.add.at(counts, (trial, recording.neurons), 1)
    np.testing.assert_array_equal(counts, learner.represent(X))  # two runs: 40 trials, then 5
    assert counts.sum() > 0 and recording.weights.shape == (64, 20) and (np.diff(recording.times_s) >= 0).all()


@pytest.mark.full
def test_nir_gives_back_the_network_and_a_spike_moves_a_potential_by_its_weight(trained, tmp_path):
    nir = pytest.importorskip("nir", reason="needs the package nir")
    learner, _ = trained
    graph = exchange.to_nir(learner)
    nir.write(tmp_path / "mine.nir", graph)
    found = nir.read(tmp_path / "mine.nir")
    assert set(found.nodes) == set(graph.nodes) and sorted(map(tuple, found.edges)) == sorted(graph.edges)
    np.testing.assert_array_equal(found.nodes["plastic"].weight, learner._values["drive"] * learner.weights_.T)
    output, relay = found.nodes["output"], found.nodes["relay"]
    np.testing.assert_allclose(output.tau, 0.1)
    np.testing.assert_allclose(output.v_threshold, 1 + learner.theta_.mean())
    np.testing.assert_array_equal(output.r, output.tau)  # tau dv/dt = v_leak - v + r I: I = w delta(t) is a step of w
    assert not hasattr(relay, "tau") and (relay.v_threshold == 1).all()  # it does not leak
    project = found.nodes["project"].weight
    assert project.shape == (64, 128) and (project.sum(axis=1) == 2 * learner.relay_weight).all()
    compete = found.nodes["compete"].weight
    assert (np.diag(compete) == 0).all() and set(compete[~np.eye(20, dtype=bool)]) == {-learner.inhibition}


@pytest.mark.full
def test_a_simulation_of_the_nir_graph_answers_as_the_network_does(trained):
    """Euler steps of the graph on spikes drawn as the encoder draws them: other Poisson spikes, so alike but not the same."""
    pytest.importorskip("nir", reason="needs the package nir")
    learner, X = trained
    nodes = exchange.to_nir(learner).nodes
    rng, dt, fired = np.random.default_rng(1), 1e-3, np.zeros((len(X), 20))
    rates, _ = learner._rates(np.asarray(X), rng)
    for trial in range(len(X)):
        v, u, spiked = np.zeros(64), np.zeros(20), np.zeros(20)
        rest_u = np.zeros(20)  # steps until a refractory neuron moves again
        for _ in range(100):
            u += np.where(rest_u > 0, 0, -u * dt / nodes["output"].tau)
            rest_u = rest_u - 1
            v += nodes["project"].weight @ (rng.random(128) < rates[trial] * dt)
            relay = v >= nodes["relay"].v_threshold
            v[relay] -= nodes["relay"].v_threshold[relay]
            u += nodes["plastic"].weight @ relay + nodes["compete"].weight @ spiked
            spiked = ((u > nodes["output"].v_threshold) & (rest_u < 1)).astype(float)
            u[spiked > 0], rest_u[spiked > 0] = 0, 2
            fired[trial] += spiked
    own = learner.represent(X)
    assert 0.7 < fired.sum() / own.sum() < 1.4
    together = np.corrcoef(fired.ravel(), own.ravel())[0, 1]
    assert together > 0.7  # Poisson noise of two draws; unrelated counts are near 0


def test_what_cannot_be_written_is_refused():
    for ask in (exchange.to_nir, lambda learner: exchange.recorded(learner, np.zeros((1, 130)))):
        with pytest.raises(WrongUse, match="Guessing cannot be written in these formats; give a trained SpikingClassifier"):
            ask(Guessing())
    good = a_recording()
    for changes, message in (
        ({"neurons": good.neurons[:-1]}, "a neuron for each time"),
        ({"neurons": good.neurons + 3}, "neurons run from"),
        ({"times_s": good.times_s + 1}, "between 0 and duration_s=0.4"),
        ({"weights": good.weights[:, :3]}, r"must be \(inputs, 5\)"),
    ):
        with pytest.raises(WrongUse, match=message):
            Recording(**({**vars(good)} | changes))


@pytest.mark.parametrize(("module", "ask"), [("neo", exchange.to_neo), ("pynwb", lambda r: exchange.write_nwb("x.nwb", r))])
def test_a_package_that_is_missing_is_named(monkeypatch, module, ask):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(PlasticityError, match=f"this needs {module}; type: pip install {module}"):
        ask(a_recording())


@pytest.mark.full
def test_nothing_of_others_is_imported_before_it_is_asked_for():
    code = "import sys, plasticity.exchange; sys.exit(bool({'neo', 'pynwb', 'nir', 'quantities'} & {*sys.modules}))"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
