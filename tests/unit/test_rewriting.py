"""What is changed in Brian2's C++: the same results, fewer operations."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from brian2 import Hz, Network, NeuronGroup, PoissonGroup, SpikeMonitor, StateMonitor, Synapses, TimedArray, defaultclock, ms

from plasticity.engine import Model, compiler, program
from plasticity.engine import programs as engine
from plasticity.engine import rewriting as sources
from plasticity.rules import RULES, pair_stdp
from plasticity.structure import Structure, contacts, deep_r

pytestmark = [
    pytest.mark.full,
    pytest.mark.skipif(not compiler(), reason="compares compiled programs; there is no C++ compiler"),
]


def build(kind: str) -> Model:
    """Everything that is rewritten, and beside it what must stay as it is: delays, conditions, a second clock."""
    defaultclock.dt = 0.5 * ms
    names = {"rates": TimedArray(np.zeros((4, 30)) * Hz, dt=50 * ms, name="rates")}
    pre_equations, pre_spike, pre_values = pair_stdp.neuron_traces("pre")
    post_equations, post_spike, post_values = pair_stdp.neuron_traces("post")
    inputs = NeuronGroup(
        30, pre_equations, threshold="rand() < rates(t, i)*dt", reset=pre_spike, method="exact", name="inputs", namespace=names,
        events={"now_and_then": "timestep(t, dt) % 40 == 0"},
    )  # fmt: skip
    cells = NeuronGroup(
        7,
        f"dv/dt = (g - v)/(10*ms) : 1 (unless refractory)\ndg/dt = -g/(3*ms) : 1\nsum_w : 1\n{post_equations}",
        threshold="v > 0.4",
        reset=f"v = 0\n{post_spike}",
        refractory=3 * ms,
        method="exact",
        name="cells",
        namespace={},
    )
    cells.run_regularly("sum_w = 0", dt=20 * ms, when="start", name="forget")
    for group, values in ((inputs, pre_values), (cells, post_values)):
        for name, value in values.items():
            setattr(group, name, value)
    plastic = pair_stdp.synapses(
        inputs, cells, transmit="g_post += w", traces="neuron", name="plastic", namespace={},
        at_event={
            "measure": ("now_and_then", "sum_w_post += w"),
            "rescale": ("now_and_then", "w = clip(w*4/sum_w_post, w_min, w_max)"),
        },
    )  # fmt: skip
    plastic.connect()
    plastic.w = "rand()"
    random = Synapses(cells, cells, "x : 1", on_pre="g_post += 0.01*rand()\nx += 1", name="random", namespace={})
    random.connect()
    late = Synapses(cells, cells, on_pre="g_post += 0.1", delay=2 * ms, name="late", namespace={})
    late.connect()
    some = Synapses(cells, cells, on_pre="v_post -= 0.05", name="some", namespace={})
    some.connect(condition="i != j")
    spikes, seen = SpikeMonitor(cells, name="spikes"), StateMonitor(cells, "v", record=True, dt=5 * ms, name="seen")
    network = Network(inputs, cells, plastic, random, late, some, spikes, seen)
    if kind == "more":  # whose text is compared, which takes no compiling
        few = Synapses(cells, cells, on_pre="v_post -= 0.01", name="few", namespace={})
        few.connect(p=0.5)
        twice = Synapses(cells, cells, on_pre="v_post -= 0.01", name="twice", namespace={})
        twice.connect(n=2)
        other = Synapses(cells, cells, on_pre="v_post -= 0.01", name="other", namespace={})
        other.connect(j="k for k in range(1, N_post)")
        halves = Synapses(cells[:3], cells[3:], on_pre="v_post -= 0.01", name="halves", namespace={})
        halves.connect()
        network.add(few, twice, other, halves)
    outputs = {"w": plastic.w, "x": random.x, "v": cells.v, "i": spikes.i, "t": spikes.t, "seen": seen.state("v")}
    return Model(network, 200 * ms, {"rates": names["rates"], "w": plastic.w}, outputs)


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The same network as Brian2 writes it, and rewritten: folder of the sources, and what a run gives."""
    found = {}
    for name in ("plain", "faster"):
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PLASTICITY_CACHE", str(tmp_path_factory.mktemp(name)))
            if name == "plain":
                patch.setattr(engine, "faster", lambda *arguments: None)
            folder = tmp_path_factory.mktemp(f"{name}-sources")
            manifest = engine._generate(build, "more", folder)
            made = program(build, "")
            found[name] = (
                folder,
                [made.run(seed, {"rates": 400 * np.random.default_rng(seed).random((4, 30))}) for seed in (1, 2)],
                manifest["rewritten"],
            )
    return found


def test_the_results_are_the_same(both):
    for plain, faster in zip(both["plain"][1], both["faster"][1], strict=True):
        assert len(plain["t"]) > 50 and plain["x"].sum() > 50
        for name in plain:  # rounding: the compiler may fuse a multiplication and an addition in one loop and not in another
            np.testing.assert_allclose(faster[name], plain[name], rtol=1e-11, atol=1e-13, err_msg=name)


def test_all_to_all_synapses_are_rows_and_all_others_stay_as_they_are(both):
    code = both["faster"][0] / "code_objects"
    for pathway in ("plastic_pre", "plastic_post", "plastic_measure", "plastic_rescale", "random_pre"):
        assert "_spiking_synapses" not in (code / f"{pathway}_codeobject.cpp").read_text(), pathway
        assert not re.search(r"\.(push|advance)\(", (code / f"{pathway}_push_spikes.cpp").read_text()), pathway
    plain = both["plain"][0] / "code_objects"
    for pathway in ("late_pre", "some_pre", "few_pre", "twice_pre", "other_pre", "halves_pre"):
        text = (code / f"{pathway}_codeobject.cpp").read_text()
        assert "_spiking_synapses" in text and text == (plain / f"{pathway}_codeobject.cpp").read_text(), pathway
    assert "push_back" not in (code / "plastic_synapses_create_generator_codeobject.cpp").read_text()
    assert "push_back" in (code / "some_synapses_create_generator_codeobject.cpp").read_text()


def test_loops_that_share_a_sum_or_draw_numbers_are_not_called_independent(both):
    code = both["faster"][0] / "code_objects"
    assert "ivdep" in (code / "plastic_pre_codeobject.cpp").read_text()
    assert "ivdep" not in (code / "random_pre_codeobject.cpp").read_text()
    assert "ivdep" in (code / "cells_stateupdater_codeobject.cpp").read_text()


def test_only_what_is_read_back_is_written(both):
    plain, faster = ((both[name][0] / "objects.cpp").read_text().count("ofstream outfile_") for name in ("plain", "faster"))
    assert faster == 6 + 1 < plain  # the outputs, and Brian2's note on the run


@pytest.mark.parametrize("change", [sources.independent_neurons, sources.refractory_by_time, sources.two_step_threshold])
def test_text_that_is_not_as_expected_stays_as_it_is(change):
    text = "int main() { for (int i = 0; i < 3; i++) {} }\n"
    assert change(text) == text


def test_each_change_tells_where_it_was_made_and_none_was_looked_for_in_vain(both):
    assert both["plain"][2] == {}
    told = both["faster"][2]
    assert {file for files in told.values() for file, fits in files.items() if not fits} == set()
    groups = {name: sorted(file.partition("_codeobject")[0] for file in files) for name, files in told.items()}
    assert groups["plain_steps"] == ["network.cpp"] and groups["wanted_arrays"] == ["objects.cpp"]
    assert groups["headers_once"] == ["makefile"] and groups["all_to_all"] == ["plastic", "random"]
    assert groups["refractory_by_time"] == ["cells_stateupdater"]
    assert groups["independent_neurons"] == ["cells_stateupdater", "inputs_stateupdater"]
    assert groups["two_step_threshold"] == [
        "cells_spike_thresholder", "inputs_now_and_then_thresholder", "inputs_spike_thresholder",
    ]  # fmt: skip


def test_a_passage_that_another_release_writes_otherwise_is_told(both, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Each passage is misspelt in what the templates write, as another release of Brian2 might."""
    code = both["plain"][0] / "code_objects"
    state = (code / "cells_stateupdater_codeobject.cpp").read_text()
    assert sources._waits_otherwise(state.replace("_timestep(t - lastspike, dt)", "_steps_since(lastspike)")) is False
    assert sources._waits_otherwise((code / "inputs_stateupdater_codeobject.cpp").read_text()) is None
    assert sources._draws(state) is False
    changed = (both["plain"][0] / "network.cpp").read_text().replace("curclocks.find", "due_clocks.find")
    (tmp_path / "network.cpp").write_text(changed)
    assert not sources.plain_steps(tmp_path)
    (tmp_path / "objects.cpp").write_text((both["plain"][0] / "objects.cpp").read_text().replace("    ofstream ", "  ofstream "))
    assert not sources.wanted_arrays(tmp_path, frozenset())
    (tmp_path / "makefile").write_text((both["plain"][0] / "makefile").read_text().replace("%.o : %.cpp", "%.o: %.cpp"))
    assert not sources.headers_once(tmp_path)
    monkeypatch.setattr(sources, "_ROWS", re.compile("no such loop"))
    assert engine._generate(build, "", tmp_path / "rows")["rewritten"]["all_to_all"] == {"plastic": False, "random": False}


def test_sources_that_are_not_as_expected_stay_as_they_are(tmp_path: Path):
    for name in ("network.cpp", "objects.cpp"):
        (tmp_path / name).write_text("void another_release() {}\n")
    assert not sources.plain_steps(tmp_path)
    assert not sources.wanted_arrays(tmp_path, frozenset({"weights"}))
    assert all((tmp_path / name).read_text() == "void another_release() {}\n" for name in ("network.cpp", "objects.cpp"))


SEES = {"": "", "delay": "*exp(-delay/second)", "model": "*z"}


def pool(spec: str) -> Model:
    """Pairs in any order, some twice, under one rule each with its own delay; `spec`: rule, how often somebody looks, more."""
    rule, looks, sees = (*spec.split(), "", "")[:3]
    defaultclock.dt = 0.5 * ms
    rng = np.random.default_rng(0)
    inputs = PoissonGroup(20, 40 * Hz, name="inputs")
    cells = NeuronGroup(
        9, "dv/dt = -v/(10*ms) : 1", threshold="v > 0.6", reset="v = 0", method="exact", name="cells", namespace={"ms": ms}
    )
    laws = {
        "heterosynaptic": contacts(creation=0.5 * Hz, deletion=3 * Hz),
        "pair_stdp": deep_r(decay=0.5 * Hz, temperature=0.01 * Hz),
    }
    plastic = RULES[rule].synapses(
        inputs,
        cells,
        transmit=f"v_post += 0.3*w{SEES[sees]}",
        model="dz/dt = (1 - z)/tau_z : 1 (clock-driven)\ntau_z : second (shared, constant)" if sees == "model" else "",
        traces="synapse",
        name="plastic",
        structure=Structure(laws[rule], every=100 * ms),
    )
    plastic.connect(i=rng.integers(20, size=260), j=rng.integers(9, size=260))
    plastic.w, plastic.alive = "0.9*rand()", np.arange(260) % 3 > 0
    if rule == "heterosynaptic":
        plastic.pre.delay = "int(8*rand())*0.5*ms"
    spikes = SpikeMonitor(cells, name="spikes")
    network = Network(inputs, cells, plastic, spikes)
    cell = plastic.structure
    outputs = {"w": plastic.w, "alive": plastic.alive, "i": spikes.i, "t": spikes.t, "event": cell.log_synapse}
    if looks:
        seen = StateMonitor(plastic, "w", record=range(0, 260, 7), dt={"seldom": 50, "often": 5}[looks] * ms, name="seen")
        network.add(seen)
        outputs["seen"] = seen.state("w")
    return Model(network, 2 * 1000 * ms, {"w": plastic.w}, outputs)


def run_twice(
    spec: str, left_out: tuple[Any, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> list[dict[str, np.ndarray]]:
    """Rewritten, and without all or a part of the rewriting."""
    found = []
    for name in ("", left_out[1]):
        monkeypatch.setenv("PLASTICITY_CACHE", str(tmp_path / f"cache{name}"))
        if name:
            monkeypatch.setattr(*left_out, lambda *_: None)
        made = program(pool, spec)
        assert made.manifest["rewritten"].get("living_together", {}).get("plastic") is (None if name else True)
        found.append(made.run(1, {}))
    assert len(found[0]["event"]) > 50 and len(found[0]["t"]) > 50
    return found


def test_living_synapses_that_lie_together_do_what_they_did_among_the_silent_ones_to_the_bit(tmp_path, monkeypatch):
    together, scattered = run_twice("pair_stdp seldom", (sources, "living_together"), tmp_path, monkeypatch)
    for output, values in scattered.items():
        np.testing.assert_array_equal(together[output], values, err_msg=output)


def test_a_pool_does_what_it_does_in_the_code_that_brian2_writes(tmp_path, monkeypatch):
    faster, plain = run_twice("heterosynaptic", (engine, "faster"), tmp_path, monkeypatch)
    for output in ("alive", "event", "i", "t"):
        np.testing.assert_array_equal(faster[output], plain[output], err_msg=output)
    np.testing.assert_allclose(faster["w"], plain["w"], rtol=0, atol=1e-12)


@pytest.mark.parametrize("spec", ["pair_stdp often", "heterosynaptic seldom delay", "pair_stdp seldom model"])
def test_a_pool_stays_scattered_where_each_step_or_spike_looks_at_more_of_it(spec, tmp_path):
    assert "living_together" not in engine._generate(pool, spec, tmp_path)["rewritten"]
    if "model" in spec:  # which goes on in silent synapses as well
        assert sources._ALL.search((tmp_path / "code_objects" / "plastic_stateupdater_codeobject.cpp").read_text())


def test_a_pool_that_another_release_writes_otherwise_stays_scattered_and_that_is_told(tmp_path, monkeypatch):
    for passage in ("_RUN", "_SAVED", "_APART", "_ALL"):
        with monkeypatch.context() as patch:
            patch.setattr(sources, passage, re.compile("no such text"))
            told = engine._generate(pool, "heterosynaptic", tmp_path / passage)["rewritten"]
        assert told["living_together"] == {"plastic": False}, passage
        assert "_gather" not in "".join(path.read_text() for path in (tmp_path / passage).rglob("*.cpp"))
