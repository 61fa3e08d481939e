"""The engine: compile once, run many; what it caches, restores, refuses and cleans up.

All tests share one compiled program, made in a cache folder of this session by two processes that want it at the same time,
after a third one was killed in the middle of compiling it. Where only the bookkeeping around the compiler is at stake, a
`make` that writes an empty binary stands in.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import hashlib
import importlib
import json
import os
import pickle
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import brian2
import cloudpickle
import joblib
import numpy as np
import pytest
from brian2 import (
    Hz,
    Network,
    NetworkOperation,
    NeuronGroup,
    Quantity,
    SpikeMonitor,
    StateMonitor,
    Synapses,
    TimedArray,
    ms,
    mV,
    second,
)
from brian2.devices.device import reset_device

from plasticity.encoders import poisson
from plasticity.engine import Model, Program, own
from plasticity.engine import programs as engine
from plasticity.errors import PlasticityError, WrongUse
from plasticity.meanwhile import goes_on
from plasticity.networks import diehl_cook, network
from plasticity.networks.diehl_cook import DiehlCook
from plasticity.networks.intrinsic import Intrinsic
from plasticity.neurons import lif_adaptive
from plasticity.rules import Landing
from plasticity.rules import diehl_cook as diehl_cook_rule

HERE = Path(__file__).parent
LONGEST = 1e5 * second  # days of computing: a run of it lives until someone ends it
SHORT = 200 * ms
N = 6
RATES = np.full((4, N), 80.0)

linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


@dataclasses.dataclass(frozen=True)
class Small:
    n: int = N
    note: str = ""  # not part of the network
    tau: Quantity = dataclasses.field(default_factory=lambda: 20 * ms)


def build(spec: Small) -> Model:
    """Poisson inputs, random initial potentials, and weights that grow by `step` at each input spike."""
    rates = TimedArray(np.zeros((4, spec.n)) * Hz, dt=50 * ms, name="rates")
    inputs = poisson.group(spec.n, "inputs", "rates(t, i)", 50 * ms, namespace={"rates": rates})
    cells = lif_adaptive(tau_m=spec.tau).group(spec.n, "cells", method="euler", namespace={})
    cells.v = "0.5*rand()"
    synapses = Synapses(
        inputs, cells, "w : 1\nstep : 1 (shared, constant)", on_pre="v_post += w\nw += step", name="synapses", namespace={}
    )
    synapses.connect()
    synapses.w = 0.1
    spikes = SpikeMonitor(cells, name="spikes")
    trace = StateMonitor(cells, "v", record=[0, 3], dt=1 * ms, name="trace")
    outputs = {"i": spikes.i, "t": spikes.t, "w": synapses.w, "theta": cells.theta, "trace": trace.state("v")}
    return Model(
        Network(inputs, cells, synapses, spikes, trace),
        LONGEST,
        {"rates": rates, "w": synapses.w, "v": cells.v, "theta": cells.theta, "step": synapses.step, "tau_m": cells.tau_m},
        outputs,
    )


def unwired(spec: Small) -> Model:
    """A network whose units do not fit."""
    broken = NeuronGroup(1, "dv/dt = 1*mV/second : 1", name="broken")
    return Model(Network(broken), LONGEST, {}, {"v": broken.v})


def calls_python(spec: Small) -> Model:
    return Model(Network(NetworkOperation(print, name="tell_me")), LONGEST, {}, {})


def own_clock(spec: Small) -> Model:
    brian2.defaultclock.dt = 0.5 * ms
    cell = NeuronGroup(1, "v : 1", name="cell")
    return Model(Network(cell), LONGEST, {"v": cell.v}, {"v": cell.v})


def given_clock(spec: Small) -> Model:
    cell = NeuronGroup(1, "v : 1", name="cell")
    cell.run_regularly("v += 1", name="count")
    return Model(Network(cell), LONGEST, {"v": cell.v}, {"v": cell.v})


def divide_by_zero(fraction: float) -> None:
    raise ZeroDivisionError


def digest(result: dict[str, np.ndarray]) -> str:
    return hashlib.sha256(b"".join(result[name].tobytes() for name in sorted(result))).hexdigest()


def same(a: dict[str, np.ndarray], b: dict[str, np.ndarray]) -> bool:
    return a.keys() == b.keys() and all(np.array_equal(a[name], b[name]) for name in a)


def programs(cache: Path) -> list[str]:
    """The finished programs in a cache folder."""
    return sorted(p.name for p in cache.iterdir() if not p.name.startswith(".") and p.name != "index")


def start(code: str, cache: Path, **environment: str) -> subprocess.Popen[str]:
    """A Python process with this module as `T`, in a process group of its own."""
    head = (
        f"import sys, json, time; sys.path.insert(0, {str(HERE)!r}); import test_engine as T\n"
        "from plasticity.engine import programs as engine\n"
    )
    return subprocess.Popen(
        [sys.executable, "-c", head + code],
        env={**os.environ, "PLASTICITY_CACHE": str(cache), "OMP_NUM_THREADS": "1", **environment},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip


def wait_until(true: Callable[[], Any], seconds: float = 60.0) -> Any:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := true():
            return found
        time.sleep(0.02)
    raise AssertionError(f"still not so after {seconds} s")


def running(binary: Path) -> list[int]:
    """Process ids that run this very binary; a zombie has none."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and os.readlink(entry / "exe") == str(binary):
                found.append(int(entry.name))
        except OSError:
            continue
    return found


# -- the one compiled program ----------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Compiled:
    program: Program
    cache: Path
    after_kill: list[str]
    answers: list[dict[str, Any]]


RACE = """
began = time.time(); program = engine.program(T.build, T.Small()); ready = time.time()
result = program.run(7, {"rates": T.RATES}, T.SHORT)
print(json.dumps({"began": began, "ready": ready, "folder": str(program.folder), "digest": T.digest(result),
                  "hash": T.specification_hash(), "own": T.own_hash()}))
"""


def specification_hash() -> str:
    spec = {"b": Small(), "a": [1.5, (20 * mV, np.arange(3.0))], "builder": build, "none": None, "kind": Small}
    return hashlib.sha256(json.dumps(engine.canonical(spec), sort_keys=True).encode()).hexdigest()


def own_hash() -> str:
    """What the index knows a network of the package by."""
    known = own.dependencies(network.build, DiehlCook(inputs=9, neurons=4).structure())
    return hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Compiled]:
    if not engine.compiler():
        pytest.skip("builds programs: needs a C++ compiler and make")
    cache = tmp_path_factory.mktemp("compiled programs")  # with a space
    victim = start("engine.program(T.build, T.Small())", cache)
    wait_until(lambda: list(cache.glob(".building-*/**/*.o")))  # in the middle of compiling
    os.killpg(victim.pid, signal.SIGKILL)
    victim.communicate()
    after_kill = programs(cache)
    racers = [start(RACE, cache, PYTHONHASHSEED=str(k)) for k in (1, 2)]
    answers = []
    for racer in racers:
        out, complaint = racer.communicate(timeout=300)
        assert racer.returncode == 0, complaint
        answers.append(json.loads(out))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PLASTICITY_CACHE", str(cache))
        made = engine.program(build, Small())
    yield Compiled(made, cache, after_kill, answers)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache folder of this test, with a `make` that only pretends; it notes the compiler that it was told."""
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "make").write_text("#!/bin/sh\necho program > main; chmod +x main\necho $CXX > ../../../told\n")
    (tools / "make").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PLASTICITY_CACHE", str(tmp_path / "programs"))
    monkeypatch.setattr(engine, "backend", lambda: "cpp_standalone")
    monkeypatch.setattr(engine, "compiler", lambda: "g++ of this test")
    return tmp_path / "programs"


@pytest.fixture
def without_compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("PATH", str(tmp_path))
    engine.compiler.cache_clear()
    engine.backend.cache_clear()
    yield
    engine.compiler.cache_clear()
    engine.backend.cache_clear()


# -- seeds and inputs ------------------------------------------------------------------------------------------------------


@pytest.mark.full
def test_the_same_seed_gives_the_same_result_to_the_bit_serial_and_parallel_and_another_seed_another_one(compiled: Compiled):
    serial = [compiled.program.run(seed, {"rates": RATES}, SHORT) for seed in (1, 2, 1)]
    assert len(serial[0]["t"]) > 5 and same(serial[0], serial[2])
    assert not np.array_equal(serial[0]["trace"][0], serial[1]["trace"][0])  # the initial potentials
    assert not np.array_equal(serial[0]["t"], serial[1]["t"])
    run = joblib.delayed(compiled.program.run)
    parallel = joblib.Parallel(n_jobs=2)(run(seed, {"rates": RATES}, SHORT) for seed in (1, 2, 1))
    assert all(same(a, b) for a, b in zip(serial, parallel, strict=True))


def unclocked(_: None) -> Model:
    """A network that sets no time step."""
    group = brian2.NeuronGroup(1, "dv/dt = (2 - v)/(10*ms) : 1", threshold="v > 1", reset="v = 0", method="exact")
    spikes = brian2.SpikeMonitor(group)
    return Model(brian2.Network(group, spikes), 1 * brian2.second, {}, {"t": spikes.t})


@pytest.mark.full
@pytest.mark.skipif(not engine.compiler(), reason="needs a C++ compiler")
def test_a_network_that_sets_no_time_step_has_that_of_brian2_whatever_the_session_has():
    before = brian2.defaultclock.dt
    try:
        brian2.defaultclock.dt = 1 * brian2.ms
        compiled = engine.program(unclocked, None).run(0, {}, duration=0.1 * brian2.second)["t"]
        numpy = Program(unclocked, None, None, {}).run(0, {}, duration=0.1 * brian2.second)["t"]
        assert float(brian2.defaultclock.dt) == 1e-3
    finally:
        brian2.defaultclock.dt = before
    np.testing.assert_allclose(compiled, numpy, rtol=0, atol=1e-12)
    np.testing.assert_allclose(np.diff(numpy), 0.007, atol=2e-4)  # 10 ms times ln 2


def test_a_seed_below_zero_or_beyond_64_bits_is_a_seed_like_any_other(compiled: Compiled):
    results = [compiled.program.run(seed, {"rates": RATES}, SHORT) for seed in (-1, 2**70 + 1, 2**70 + 2, 1)]
    assert not same(results[0], results[1]) and not same(results[1], results[2])
    assert same(results[1], results[3])  # seeds count modulo 2**32


def test_inputs_set_for_one_run_change_that_run_alone_and_compile_nothing(compiled: Compiled):
    def run(**inputs: Any) -> dict[str, np.ndarray]:
        return compiled.program.run(3, {"rates": RATES, "step": 0.0, "w": 0.1, **inputs}, SHORT)

    usual, before = run(), programs(compiled.cache)
    weights = np.linspace(0.0, 0.3, N * N)
    assert np.array_equal(run(w=weights)["w"], weights) and not np.array_equal(run(w=weights)["t"], usual["t"])
    assert np.array_equal(run(w=0.25)["w"], np.full(N * N, 0.25))
    assert np.array_equal(run(w=weights, step=0.5)["w"] > weights, np.ones(N * N, bool))
    assert len(run(tau_m=5e-3)["t"]) < len(usual["t"]) < len(run(rates=3 * RATES)["t"])
    assert np.array_equal(run(theta=np.arange(N) + 100.0)["theta"] >= 99.0, np.ones(N, bool))
    assert np.array_equal(run(v=np.arange(N) / 10)["trace"][0], [0.0, 0.3])
    assert same(run(), usual)
    assert programs(compiled.cache) == before


def test_missing_rows_of_a_timed_array_are_zero_and_missing_values_of_a_variable_are_refused(compiled: Compiled):
    cut = compiled.program.run(3, {"rates": RATES[:2]}, SHORT)
    assert same(cut, compiled.program.run(3, {"rates": RATES * [[1], [1], [0], [0]]}, SHORT))
    with pytest.raises(WrongUse, match=r"'theta' has shape \(5,\); it needs \(6,\)"):
        compiled.program.run(3, {"theta": np.zeros(N - 1)}, SHORT)


def test_a_shorter_run_is_the_beginning_of_the_longer_one(compiled: Compiled):
    long, short = (compiled.program.run(5, {"rates": RATES, "step": 0.0}, t) for t in (SHORT, SHORT / 2))
    kept = long["t"] < float(SHORT / 2)
    assert 0 < len(short["t"]) < len(long["t"])
    assert np.array_equal(short["t"], long["t"][kept]) and np.array_equal(short["i"], long["i"][kept])
    assert np.array_equal(short["trace"], long["trace"][: len(short["trace"])]) and len(short["trace"]) == 100
    assert len(compiled.program.run(5, {"rates": RATES}, 0 * ms)["t"]) == 0


def test_spikes_are_in_time_order_and_monitored_variables_are_times_by_neurons(compiled: Compiled):
    result = compiled.program.run(5, {"rates": RATES}, SHORT)
    assert (np.diff(result["t"]) >= 0).all() and result["trace"].shape == (200, 2)


def test_progress_rises_to_one(compiled: Compiled):
    told: list[float] = []
    compiled.program.run(1, {"rates": RATES}, 60 * second, progress=told.append)  # the program reports five times a second
    assert len(told) >= 2 and told == sorted(told) and told[0] >= 0 and told[-1] == 1.0


# -- the cache -------------------------------------------------------------------------------------------------------------


def test_a_build_killed_half_way_leaves_nothing_that_is_mistaken_for_a_program(compiled: Compiled):
    assert compiled.after_kill == [] and list(compiled.cache.glob(".building-*")) == []  # the next process deletes it
    assert (compiled.program.folder or Path()).parent == compiled.cache  # and the next build was not hindered


def test_two_processes_that_want_the_same_build_at_once_end_with_one_and_both_run(compiled: Compiled):
    a, b = compiled.answers
    assert max(a["began"], b["began"]) < min(a["ready"], b["ready"])  # they did overlap
    assert a["folder"] == b["folder"] == str(compiled.program.folder) and a["digest"] == b["digest"]
    assert programs(compiled.cache) == [Path(a["folder"]).name]
    assert a["digest"] == digest(compiled.program.run(7, {"rates": RATES}, SHORT))


def test_equal_specifications_hash_alike_in_every_process(compiled: Compiled):
    assert {answer["hash"] for answer in compiled.answers} == {specification_hash()}  # each with another PYTHONHASHSEED


@pytest.mark.full
def test_a_second_start_takes_under_half_a_second(compiled: Compiled, monkeypatch: pytest.MonkeyPatch):
    """`program()` and a run of 0.2 s of a network of the package; the best of five, because others may take the processor."""
    monkeypatch.setenv("PLASTICITY_CACHE", str(compiled.cache))
    Intrinsic().program()
    took = []
    for _ in range(5):
        own.source_hash.cache_clear()  # what a fresh process has to read again
        engine.compiler.cache_clear()
        started = time.perf_counter()
        Intrinsic().program().run(1, duration=SHORT)
        took.append(time.perf_counter() - started)
    assert min(took) < 0.5


def test_the_same_code_under_another_specification_is_compiled_once(cache: Path):
    first, second_ = (engine.program(build, Small(note=note)) for note in ("one", "two"))
    assert first.folder == second_.folder and first.manifest["compile_s"] == second_.manifest["compile_s"]
    assert engine.program(build, Small(tau=21 * ms)).folder != first.folder


def test_another_flag_or_compiler_is_another_program(cache: Path, monkeypatch: pytest.MonkeyPatch):
    folders = {engine.program(build, Small()).folder}
    monkeypatch.setattr(engine, "FLAGS", (*engine.FLAGS, "-DANOTHER"))
    folders.add(engine.program(build, Small()).folder)
    monkeypatch.setattr(engine, "compiler", lambda: "g++ of tomorrow")
    folders.add(engine.program(build, Small()).folder)
    assert len(folders) == 3 and len(programs(cache)) == 3


@pytest.fixture
def generated(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The folders in which code was generated in this test."""
    made: list[Any] = []
    device = brian2.all_devices["cpp_standalone"]
    build_device = device.build

    def noted(**settings: Any) -> None:
        made.append(settings["directory"])
        build_device(**settings)

    monkeypatch.setattr(device, "build", noted)
    return made


def decaying(tau: Quantity) -> Model:
    group = NeuronGroup(1, "dv/dt = -v/tau : 1", method="exact", name="group", namespace={"tau": tau})
    group.v = 1
    return Model(Network(group), 10 * ms, {}, {"v": group.v})


def closure(tau: Quantity) -> engine.Builder:
    def build(spec: Any) -> Model:
        return decaying(tau)

    return build


def nameless(tau: Quantity) -> engine.Builder:
    return lambda spec: decaying(tau)


class Holder:
    def __init__(self, tau: Quantity) -> None:
        self.tau = tau

    def build(self, spec: Any) -> Model:
        return decaying(self.tau)

    def __call__(self, spec: Any) -> Model:
        return self.build(spec)


TAU = 10 * ms


def global_constant(spec: Any) -> Model:
    return decaying(TAU)


def by_constant(tau: Quantity) -> engine.Builder:
    global TAU
    TAU = tau
    return global_constant


def by_class(tau: Quantity) -> engine.Builder:
    """The specification is of a class made anew, of the same name; what differs is the class."""

    @dataclasses.dataclass(frozen=True)
    class Spec:
        def made(self) -> Model:
            return decaying(tau)

    return functools.partial(lambda spec, ignored: spec.made(), Spec())


OUTSIDE = {
    "closure": closure,
    "lambda": nameless,
    "bound method": lambda tau: Holder(tau).build,
    "object that is called": Holder,
    "partial": lambda tau: functools.partial(lambda tau, spec: decaying(tau), tau),
    "constant of a module": by_constant,
    "class made in a function": by_class,
}


@pytest.mark.parametrize("kind", OUTSIDE)
def test_builders_of_one_name_that_make_two_networks_have_two_programs(cache: Path, kind: str):
    made = [engine.program(OUTSIDE[kind](tau), {}) for tau in (10 * ms, 40 * ms, 10 * ms)]
    assert made[0].folder != made[1].folder and made[0].folder == made[2].folder
    assert len(programs(cache)) == 2


@pytest.mark.full
def test_the_numbers_of_a_closure_are_its_own(compiled: Compiled, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PLASTICITY_CACHE", str(compiled.cache))
    for tau in (10 * ms, 40 * ms):  # an exact method: one rounding in each of 100 steps
        assert engine.program(closure(tau), {}).run(0)["v"][0] == pytest.approx(float(np.exp(-10 * ms / tau)), rel=1e-13)


def test_a_constant_in_another_file_and_a_module_that_was_loaded_anew_are_another_program(
    cache: Path, tmp_path: Path, monkeypatch
):
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    (tmp_path / "far_network.py").write_text(
        "import far_params\nfrom brian2 import *\nfrom plasticity.engine import Model\n"
        "def build(spec):\n"
        "    g = NeuronGroup(1, f'dv/dt = -v/({far_params.TAU_MS}*ms) : 1', method='exact', name='g', namespace={'ms': ms})\n"
        "    return Model(Network(g), 10*ms, {}, {'v': g.v})\n"
    )
    (tmp_path / "far_params.py").write_text("TAU_MS = 10\n")
    module, params = (importlib.import_module(name) for name in ("far_network", "far_params"))
    first = engine.program(module.build, {"n": 1}).folder
    (tmp_path / "far_params.py").write_text("TAU_MS = 4000\n")
    importlib.reload(params)
    second_ = engine.program(module.build, {"n": 1}).folder
    file = tmp_path / "far_network.py"
    file.write_text(file.read_text().replace("-v/", "-2*v/"))
    third = engine.program(importlib.reload(module).build, {"n": 1}).folder
    assert len({first, second_, third}) == 3
    for name in ("far_network", "far_params"):
        del sys.modules[name]


SPEC = DiehlCook(inputs=9, neurons=4)


def test_a_network_of_the_package_is_generated_once_and_found_by_name_afterwards(cache: Path, generated: list[Any]):
    made = SPEC.program()
    assert SPEC.program().folder == made.folder and len(generated) == 1
    assert DiehlCook(inputs=9, neurons=5).program().folder != made.folder and len(generated) == 2


def test_the_index_knows_a_network_of_the_package_by_the_same_key_in_every_process(compiled: Compiled):
    assert {answer["own"] for answer in compiled.answers} == {own_hash()}


def exchanged(self: DiehlCook, net: network.Net) -> None:
    """Another `build`, put into a class of the package."""
    net.group("cells", 1, "v : 1")
    net.lasts(1 * second)


@dataclasses.dataclass(frozen=True)
class Derived(DiehlCook):
    """A network derived from one of the package."""


CHANGES = {
    "the code of a function": lambda patch: patch.setattr(network._connected, "__code__", (lambda synapses, connect: 1).__code__),
    "the defaults of a function": lambda patch: patch.setattr(Landing.__init__, "__defaults__", (0.0, 0.5, 0.0, None)),
    "a constant of its module": lambda patch: patch.setattr(diehl_cook, "BRIGHTEST", 21),
    "a constant of its class": lambda patch: patch.setattr(DiehlCook, "share", 0.5, raising=False),
    "a function of its module": lambda patch: patch.setattr(diehl_cook, "operations", diehl_cook.summed),
    "a quantity in a table of its module": lambda patch: patch.setitem(diehl_cook.CONSTANTS, "tau_i", 3 * ms),
    "a parameter of a rule": lambda patch: patch.setitem(diehl_cook_rule.parameters, "A_plus", 0.02),
}


def wrapped(function: Callable[..., Any]) -> Callable[..., Any]:
    """Somebody's function under the name of one of the package."""

    @functools.wraps(function)
    def inner(*arguments: Any) -> Any:
        return function(*arguments)

    return inner


FROM_OUTSIDE = {
    "a method that wraps the one of its class": lambda patch: patch.setattr(DiehlCook, "build", wrapped(DiehlCook.build)),
    "a function that wraps the one of its module": lambda patch: patch.setattr(
        network, "_connected", wrapped(network._connected)
    ),
    "a method put into its class": lambda patch: patch.setattr(DiehlCook, "unfit", exchanged),
    "a function put into its module": lambda patch: patch.setattr(diehl_cook, "Network", closure(TAU)),
    "a source file written since it was loaded": lambda patch: patch.setattr(own, "_STARTED", 0.0),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_a_process_changed_in_the_package_is_told_apart(change: str, monkeypatch: pytest.MonkeyPatch):
    before = own.dependencies(network.build, SPEC)
    assert before is not None and own.dependencies(network.build, SPEC) == before
    CHANGES[change](monkeypatch)
    assert own.dependencies(network.build, SPEC) not in (before, None)


@pytest.mark.parametrize("change", FROM_OUTSIDE)
def test_what_a_process_put_into_the_package_from_outside_is_never_found_by_name(change: str, monkeypatch: pytest.MonkeyPatch):
    FROM_OUTSIDE[change](monkeypatch)
    assert own.dependencies(network.build, SPEC) is None


@pytest.mark.parametrize(
    "things",
    [
        (build, SPEC),
        (network.build, Derived(inputs=9)),
        (network.build, dataclasses.replace(SPEC, rule=dataclasses.replace(SPEC.rule, closed_form=exchanged))),
        (network.build, {"deep": [(Small(),)]}),
        (network.build.__get__(SPEC), None),
    ],
    ids=["builder", "derived network", "function in a rule", "class within", "bound method"],
)
def test_whatever_holds_something_from_outside_is_never_found_by_name(things: tuple[Any, ...]):
    assert own.dependencies(*things) is None


def test_a_program_travels_as_the_network_that_it_is(cache: Path, monkeypatch: pytest.MonkeyPatch):
    made = engine.program(by_constant(10 * ms), {})
    by_constant(40 * ms)  # in a process where the constant is another one
    again = pickle.loads(pickle.dumps(made))
    assert again.folder == made.folder and again.manifest == made.manifest
    enclosed = cloudpickle.loads(cloudpickle.dumps(engine.program(closure(30 * ms), {})))
    assert enclosed.folder == engine.program(closure(30 * ms), {}).folder
    kept = pickle.dumps(made)
    shutil.rmtree(cache)  # on another machine
    with pytest.raises(PlasticityError, match="global_constant makes another network in this process"):
        pickle.loads(kept)
    by_constant(10 * ms)
    assert pickle.loads(kept).folder == made.folder


def test_a_program_without_a_compiled_one_stays_so_where_it_travels(cache: Path):
    again = pickle.loads(pickle.dumps(Program(build, Small(), None, {}, {"step": 0.5})))
    assert again.folder is None and again.defaults == {"step": 0.5} and not cache.exists()


def test_a_builder_without_a_name_is_called_by_its_type_in_messages(cache: Path):
    with pytest.raises(PlasticityError, match="partial does not build: .*units"):
        engine.program(functools.partial(unwired), Small())


def test_another_float_type_in_the_preferences_is_another_program(cache: Path):
    double = engine.program(build, Small())
    brian2.prefs["core.default_float_dtype"] = np.float32
    try:
        single = engine.program(build, Small())
    finally:
        brian2.prefs["core.default_float_dtype"] = np.float64
    assert single.folder != double.folder and single.manifest["outputs"]["theta"]["dtype"] == "<f4"


def test_a_damaged_program_is_compiled_again(cache: Path):
    made = engine.program(build, Small())
    assert made.folder is not None
    (made.folder / "main").unlink()
    with pytest.raises(PlasticityError, match="cannot start"):
        made.run(1)
    assert engine.program(build, Small()).folder == made.folder and (made.folder / "main").exists()


@pytest.mark.parametrize(
    ("file", "content"), [("main", b"\x7fELF"), ("main", b""), ("manifest.json", b"{"), ("manifest.json", b"[]")]
)
def test_a_program_that_is_not_the_one_that_was_compiled_is_compiled_again(cache: Path, file: str, content: bytes):
    folder = engine.program(build, Small()).folder
    assert folder is not None
    whole = (folder / "main").read_bytes()
    (folder / file).write_bytes(content)
    again = engine.program(build, Small())
    assert again.folder == folder and (folder / "main").read_bytes() == whole
    assert engine.program(build, Small()).manifest == again.manifest  # found, not compiled once more


def test_a_cache_folder_given_relative_to_the_current_one_works_from_anywhere(cache: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(cache.parent)
    monkeypatch.setenv("PLASTICITY_CACHE", "near")
    assert engine.program(build, Small()).folder == cache.parent / "near" / programs(cache.parent / "near")[0]


def test_a_failing_compiler_is_told_and_leaves_nothing_behind(cache: Path):
    (cache.parent / "tools" / "make").write_text("#!/bin/sh\necho 'no such header: sky.h' >&2\nexit 2\n")
    with pytest.raises(PlasticityError, match="compiling build failed: no such header: sky.h"):
        engine.program(build, Small())
    assert [p.name for p in cache.iterdir()] == ["index"]


def test_a_run_much_shorter_than_the_slowest_clock_is_refused_where_brian2_would_run_nothing():
    def network(spec: None) -> engine.Model:
        cell = brian2.NeuronGroup(1, "x : 1", name="cell")
        cell.run_regularly("x += 1", dt=10 * brian2.second, name="rarely")
        return engine.Model(brian2.Network(cell), 100 * brian2.second, {}, {"x": cell.x})

    made = engine.Program(network, None, None, {})
    assert made.run(1, duration=2 * brian2.ms)["x"] == 1
    with pytest.raises(WrongUse, match="ten-thousandth of the network's slowest clock"):
        made.run(1, duration=0.5 * brian2.ms)


@pytest.mark.parametrize(
    "value",
    [object(), {1, 2}, lambda spec: spec, b"raw", np.array([object()]), poisson.group, closure(TAU), Holder(TAU)],
    ids=["object", "set", "lambda", "bytes", "objects", "bound method", "closure", "object that is called"],
)
def test_a_specification_of_anything_but_data_is_refused(value: Any):
    with pytest.raises(WrongUse, match="plain data"):
        engine.canonical({"x": [value]})


@pytest.mark.parametrize("other", [Small(n=N + 1), Small(note="x"), Small(tau=21 * ms), {"n": N}], ids=str)
def test_different_specifications_differ(other: Any):
    assert engine.canonical(other) != engine.canonical(Small())


# -- what the engine refuses, and leaves as it was -------------------------------------------------------------------------


@pytest.mark.parametrize("compiling", [True, False], ids=["compiled", "numpy"])
def test_a_network_operation_is_refused_by_its_name(compiling: bool, request: pytest.FixtureRequest):
    request.getfixturevalue("cache" if compiling else "without_compiler")
    with pytest.raises(WrongUse, match="NetworkOperation 'tell_me'"):
        engine.program(calls_python, Small()).run(1, duration=SHORT)


def test_that_a_network_is_compiled_is_told_meanwhile(cache: Path):
    told = []

    def build(spec: Small) -> Model:
        told.append(goes_on())
        return calls_python(spec)

    with pytest.raises(WrongUse, match="NetworkOperation 'tell_me'"):
        engine.program(build, Small())
    assert told[0] == "compiling" and goes_on() == ""


@pytest.mark.parametrize("compiling", [True, False], ids=["compiled", "numpy"])
def test_a_network_that_does_not_fit_together_is_told_with_its_cause(compiling: bool, request: pytest.FixtureRequest):
    request.getfixturevalue("cache" if compiling else "without_compiler")
    with pytest.raises(PlasticityError, match="unwired does not (build|run): .*units"):
        engine.program(unwired, Small()).run(1, duration=SHORT)


@pytest.mark.parametrize("compiling", [True, False], ids=["compiled", "numpy"])
@pytest.mark.parametrize("builder", [own_clock, unwired, calls_python], ids=lambda b: b.__name__)
def test_brian2_is_left_as_it_was_after_a_build_and_after_a_failing_one(
    builder: engine.Builder, compiling: bool, request: pytest.FixtureRequest
):
    request.getfixturevalue("cache" if compiling else "without_compiler")
    before, dt = brian2.defaultclock.dt, 0.7 * ms
    preferences, device, state = dict(brian2.prefs), brian2.get_device(), pickle.dumps(np.random.get_state())  # noqa: NPY002
    brian2.defaultclock.dt = dt
    try:
        with contextlib.suppress(PlasticityError):  # of the two networks that do not build, and of the binary that is none
            engine.program(builder, Small()).run(1, duration=SHORT)
        assert brian2.defaultclock.dt == dt and brian2.get_device() is device and dict(brian2.prefs) == preferences
        assert pickle.dumps(np.random.get_state()) == state  # noqa: NPY002
    finally:
        brian2.defaultclock.dt = before


def test_the_time_step_of_the_callers_own_work_does_not_enter_the_network(without_compiler: None):
    before = brian2.defaultclock.dt
    brian2.defaultclock.dt = 2 * ms
    try:
        assert engine.program(given_clock, Small()).run(1, duration=10 * ms)["v"] == 100  # 10 ms of Brian2's own 0.1 ms
    finally:
        brian2.defaultclock.dt = before


def test_the_callers_own_runtime_objects_work_before_and_after_a_build(cache: Path):
    own = NeuronGroup(1, "dv/dt = 1/second : 1", name="own", method="euler", namespace={})
    network = Network(own)
    network.run(10 * ms, namespace={})
    engine.program(build, Small())
    network.run(10 * ms, namespace={})
    assert own.v[0] == pytest.approx(0.02, rel=1e-12)  # a sum of 200 steps, each rounded


@pytest.mark.parametrize("compiling", [True, False], ids=["compiled", "numpy"])
def test_a_caller_in_standalone_mode_is_refused(compiling: bool, request: pytest.FixtureRequest):
    request.getfixturevalue("cache" if compiling else "without_compiler")
    brian2.set_device("cpp_standalone", build_on_run=False)
    try:
        with pytest.raises(WrongUse, match=r"set_device\('runtime'\)"):
            engine.program(build, Small())
    finally:
        reset_device()
        brian2.all_devices["cpp_standalone"].reinit()


WRONG = {
    "unknown": ({"ratez": RATES}, SHORT, "unknown input 'ratez'. Did you mean 'rates'"),
    "shape": ({"rates": np.zeros((4, N + 1))}, SHORT, r"'rates' has shape \(4, 7\); it needs \(4, 6\)"),
    "rows": ({"rates": np.zeros((5, N))}, SHORT, r"'rates' has shape \(5, 6\)"),
    "weights": ({"w": np.zeros(N)}, SHORT, "'w' has 6 values; it needs 36"),
    "NaN": ({"theta": np.full(N, np.nan)}, SHORT, "'theta' holds NaN"),
    "infinite": ({"rates": np.full((4, N), np.inf)}, SHORT, "'rates' holds NaN or infinite"),
    "negative rate": ({"rates": -RATES}, SHORT, "rates holds the rate -80.0 Hz"),
    "text": ({"w": "big"}, SHORT, "'w' is 'big'; it needs numbers"),
    "a number as text": ({"w": "0.5"}, SHORT, "'w' is '0.5'; it needs numbers"),
    "complex": ({"w": np.full(N * N, 0.1 + 1j)}, SHORT, "'w' is an array of complex128; it needs numbers"),
    "dates": ({"theta": np.full(N, np.datetime64("2026-01-01"))}, SHORT, "'theta' is an array of datetime64.*; it needs numbers"),
    "times without Brian2": ({"tau_m": np.timedelta64(5, "ms")}, SHORT, "'tau_m' is .*; it needs numbers"),
    "nothing": ({"w": None}, SHORT, "'w' holds NaN"),
    "unit": ({"tau_m": 5 * mV}, SHORT, r"'tau_m' has the unit .*; it needs s\."),
    "too long": ({}, 2 * LONGEST, "outside 0 to 100000.0 s"),
    "before time": ({}, -SHORT, "outside 0 to 100000.0 s"),
    "no time": ({}, 0.2, "duration=0.2 is not a time"),
    "time as text": ({}, "200*ms", r"duration=200\*ms is not a time"),
    "no number": ({}, np.nan * second, "outside 0 to 100000.0 s"),
    "several times": ({}, [1, 2] * ms, "is not a time"),
}


@pytest.mark.parametrize("compiling", [True, False], ids=["compiled", "numpy"])
@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_input_or_duration_is_refused(case: str, compiling: bool, request: pytest.FixtureRequest):
    if compiling:
        made = request.getfixturevalue("compiled").program
    else:
        request.getfixturevalue("without_compiler")
        made = engine.program(build, Small())
    inputs, duration, message = WRONG[case]
    with pytest.raises(WrongUse, match=message):
        made.run(1, inputs, duration)


@pytest.mark.parametrize("seed", [1.5, np.nan, "1", None, [1]], ids=str)
@pytest.mark.parametrize("compiling", [True, False], ids=["compiled", "numpy"])
def test_a_seed_that_is_no_whole_number_is_refused(seed: Any, compiling: bool, request: pytest.FixtureRequest):
    request.getfixturevalue("cache" if compiling else "without_compiler")
    with pytest.raises(WrongUse, match="seed=.* is not a whole number; give one, like 1"):
        engine.program(own_clock, Small()).run(seed, duration=SHORT)


@pytest.mark.parametrize(("kind", "value"), [("<i4", 0.5), ("<i4", 3e9), ("<f4", 1e300), ("|b1", 0.5)])
def test_a_number_that_its_variable_cannot_hold_is_refused(kind: str, value: float):
    entry = {"dtype": kind, "shape": [2], "rows": False, "rate": False, "unit": "1"}
    assert engine._fit("x", [1, 0], entry).dtype.str == kind
    with pytest.raises(WrongUse, match=r"'x' holds .*, which is no number of its type"):
        engine._fit("x", [1, value], entry)


@pytest.mark.parametrize("longest", [10, np.nan * second, np.inf * second, -1 * second, 0 * second, 5 * mV], ids=str)
def test_a_network_lasts_a_time(longest: Any):
    with pytest.raises(WrongUse, match=r"DiehlCook\.build says net\.lasts\(.*\); a run lasts a time"):
        network.Net(SPEC).lasts(longest)


# -- failures --------------------------------------------------------------------------------------------------------------


def with_binary(compiled: Compiled, folder: Path, script: str) -> Program:
    """The program in a copied folder, its binary replaced by a script; `$REAL` is the real one."""
    assert compiled.program.folder is not None
    shutil.copytree(compiled.program.folder, folder)
    (folder / "main").rename(folder / "real")
    (folder / "main").write_text(f"#!/bin/sh\nREAL={folder / 'real'}\n{script}\n")
    (folder / "main").chmod(0o755)
    return dataclasses.replace(compiled.program, folder=folder)


def test_a_program_that_fails_is_told_with_its_status_and_its_last_words(compiled: Compiled, tmp_path: Path):
    loud = "yes fuel | head -c 200000 >&2"  # more than a pipe holds: the one who reads must not wait for the end
    with pytest.raises(PlasticityError, match="(?s)build ended with status 3. .*out of fuel") as caught:
        with_binary(compiled, tmp_path / "a", f"{loud}; echo out of fuel >&2; exit 3").run(1, duration=SHORT)
    assert not isinstance(caught.value, WrongUse)
    with pytest.raises(PlasticityError, match="ended with signal SIGSEGV"):
        with_binary(compiled, tmp_path / "b", "kill -SEGV $$").run(1, duration=SHORT)


def test_a_result_that_was_cut_off_by_a_full_folder_is_not_taken_for_a_result(compiled: Compiled, tmp_path: Path):
    # files end at 1 or 2 blocks of 512 bytes and a write beyond that fails, as on a full disk; the trace needs 3200 bytes
    small = with_binary(compiled, tmp_path / "a", 'trap "" XFSZ; ulimit -f 1; exec "$REAL" "$@"')
    with pytest.raises(PlasticityError, match="cannot write run files .*; set TMPDIR to a folder with room"):
        small.run(1, {"rates": RATES}, SHORT)


@pytest.fixture
def full_disk() -> Iterator[None]:
    """No file of this process can grow beyond 100 bytes: a write beyond fails, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_temporary_folder_is_told(compiled: Compiled, full_disk: None):
    with pytest.raises(PlasticityError, match="cannot write run files .*; set TMPDIR to a folder with room"):
        compiled.program.run(1, {"rates": RATES}, SHORT)


def test_a_temporary_folder_that_cannot_be_written_is_told(compiled: Compiled, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "file" / "below"))
    with pytest.raises(PlasticityError, match="cannot write run files in .*: Not a dir.*; set TMPDIR to a folder that can be"):
        compiled.program.run(1, {"rates": RATES}, SHORT)


def test_a_full_cache_folder_is_told(cache: Path, full_disk: None):
    with pytest.raises(PlasticityError, match="cannot keep compiled programs in .*; set PLASTICITY_CACHE"):
        engine.program(build, Small())


def test_a_cache_folder_that_cannot_be_written_is_told(cache: Path, monkeypatch: pytest.MonkeyPatch):
    (cache.parent / "file").write_text("")
    monkeypatch.setenv("PLASTICITY_CACHE", str(cache.parent / "file" / "below"))
    with pytest.raises(PlasticityError, match="cannot keep compiled programs in .*below: .*; set PLASTICITY_CACHE"):
        engine.program(build, Small())


def test_a_program_that_may_not_be_started_is_told_with_what_to_set(compiled: Compiled, tmp_path: Path, monkeypatch):
    made = with_binary(compiled, tmp_path / "a", "exit 0")
    assert made.folder is not None
    (made.folder / "main").chmod(0o644)
    with pytest.raises(PlasticityError, match="cannot start .*main: Permission denied; give the same command again, which"):
        made.run(1, duration=SHORT)
    monkeypatch.setattr(engine, "_starts_nothing", lambda folder: True)  # on a disk mounted noexec
    with pytest.raises(PlasticityError, match="no program can be started from .*; set PLASTICITY_CACHE to a folder on another"):
        made.run(1, duration=SHORT)


def test_a_cache_on_a_disk_from_which_nothing_starts_is_told_before_anything_is_compiled(cache: Path, generated, monkeypatch):
    of = os.statvfs(cache.parent)
    fields = {name: getattr(of, name) for name in dir(of) if name.startswith("f_")}
    monkeypatch.setattr(os, "statvfs", lambda path: SimpleNamespace(**fields | {"f_flag": of.f_flag | os.ST_NOEXEC}))
    with pytest.raises(PlasticityError, match="no program can be started from .*; set PLASTICITY_CACHE to a folder on another"):
        engine.program(build, Small())
    assert generated == []


def test_a_cache_folder_below_the_home_of_the_user_and_with_spaces_is_meant(cache: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HOME", str(cache.parent))
    monkeypatch.setenv("PLASTICITY_CACHE", "~/my programs")
    assert (engine.program(build, Small()).folder or Path()).parent == cache.parent / "my programs"
    monkeypatch.setenv("PLASTICITY_CACHE", "~nobody-of-this-name/x")
    with pytest.raises(PlasticityError, match="PLASTICITY_CACHE=~nobody-of-this-name/x is no folder: .*; write its whole path"):
        engine.cache_folder()


LONG_RUN = "engine.program(T.build, T.Small()).run(1, {'rates': T.RATES})"


@pytest.mark.full
@linux
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL], ids=lambda s: s.name)
def test_ending_the_caller_ends_the_program_that_it_started(how: signal.Signals, compiled: Compiled):
    """Ctrl-C and kill -9; the signal goes to the Python process alone."""
    assert compiled.program.folder is not None
    binary = compiled.program.folder / "main"
    assert running(binary) == []
    caller = start(LONG_RUN, compiled.cache)
    wait_until(lambda: running(binary))
    caller.send_signal(how)
    caller.communicate(timeout=60)
    assert caller.returncode == -how
    wait_until(lambda: not running(binary), seconds=10)


@pytest.mark.full
@linux
def test_a_program_interrupted_by_itself_is_a_failure_and_not_half_a_result(compiled: Compiled):
    assert compiled.program.folder is not None
    binary = compiled.program.folder / "main"
    caller = start(f"try: {LONG_RUN}\nexcept engine.PlasticityError as e: print(e)", compiled.cache)
    os.kill(wait_until(lambda: running(binary))[0], signal.SIGINT)
    out, _ = caller.communicate(timeout=60)
    assert "ended with signal SIGINT" in out


@linux
def test_an_error_in_the_progress_callback_ends_the_program(compiled: Compiled):
    assert compiled.program.folder is not None
    with pytest.raises(ZeroDivisionError):
        compiled.program.run(1, {"rates": RATES}, progress=divide_by_zero)
    assert running(compiled.program.folder / "main") == []


def test_a_passage_that_this_brian2_writes_otherwise_is_told_in_one_sentence(cache: Path, monkeypatch, capfd):
    rewrite = engine.faster

    def misfit(*given: Any) -> None:
        rewrite(*given[:-1], lambda change, file, fits: given[-1](change, file, fits and change != "plain_steps"))

    monkeypatch.setattr(engine, "faster", misfit)
    for _ in range(2):
        engine.program(build, Small())
    told = capfd.readouterr().err
    assert told.count("\n") == 1  # when it is compiled
    assert f"Brian2 {brian2.__version__} writes its C++ otherwise" in told and "without plain_steps (network.cpp);" in told


# -- which compiler --------------------------------------------------------------------------------------------------------


@pytest.fixture
def launcher(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder in PATH with a launcher of compilers, and one that has a space in its name."""
    if not engine.compiler():
        pytest.skip("there is no C++ compiler")
    for name in ("ccache", "my cache"):
        (tmp_path / name).write_text('#!/bin/sh\nexec "$@"\n')
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    engine.compiler.cache_clear()
    engine.backend.cache_clear()
    yield tmp_path
    engine.compiler.cache_clear()
    engine.backend.cache_clear()


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ("ccache g++", ["ccache", "g++"]),
        ("g++ -std=c++17", ["g++", "-std=c++17"]),
        ("'my cache' g++ -DNAME='two words'", ["my cache", "g++", "-DNAME=two words"]),
        ("", ["g++"]),
        (" ", ["g++"]),
    ],
)
def test_cxx_may_have_a_launcher_flags_and_spaces(asked: str, words: list[str], launcher: Path, monkeypatch, capfd):
    monkeypatch.setenv("CXX", asked)
    assert engine.backend() == "cpp_standalone" and engine._cxx()[0] == words
    assert capfd.readouterr().err == ""


def test_cxx_may_be_a_path_with_a_space(launcher: Path, monkeypatch: pytest.MonkeyPatch):
    path = launcher / "my compiler"
    path.symlink_to(shutil.which("g++") or "")
    monkeypatch.setenv("CXX", str(path))
    assert engine._cxx()[0] == [str(path)] and engine.compiler()


@pytest.mark.parametrize("asked", ["no-such-compiler", "no-such-compiler -O2", "ccache no-such-compiler", "g++ '-O2", "false"])
def test_where_cxx_cannot_be_started_the_compiler_that_is_there_is_used_and_said_once(asked, launcher, monkeypatch, capfd):
    monkeypatch.setenv("CXX", asked)
    assert [engine.backend() for _ in range(2)] == ["cpp_standalone"] * 2 and engine._cxx()[0] == ["g++"]
    told = capfd.readouterr().err
    assert told.count("\n") == 1 and f"CXX={asked} cannot be started, so g++ is used" in told


def test_make_is_told_the_compiler_that_was_found(cache: Path, monkeypatch: pytest.MonkeyPatch):
    if not shutil.which("g++"):
        pytest.skip("there is no g++")
    for asked, told in (("g++ '-DA=b c'", "g++ '-DA=b c'"), ("no-such-compiler", "g++")):
        monkeypatch.setenv("CXX", asked)
        engine.program(build, Small())
        assert (cache.parent / "told").read_text().strip() == told


@pytest.mark.full
@pytest.mark.parametrize(("asked", "told"), [('g++ "', "exp(-1)"), ("true", "true made no program of closure")])
def test_a_cxx_that_is_no_compiler_is_named_or_replaced(asked: str, told: str, launcher: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CXX", asked)
    monkeypatch.setenv("PLASTICITY_CACHE", str(launcher / "programs"))
    if told == "exp(-1)":
        assert engine.program(closure(10 * ms), {}).run(0)["v"][0] == pytest.approx(np.exp(-1), rel=1e-13)
        assert os.environ["CXX"] == asked
    else:
        with pytest.raises(PlasticityError, match=told):
            engine.program(closure(10 * ms), {})


@pytest.mark.full
def test_a_network_is_compiled_with_a_launcher_and_quoted_flags(launcher: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CXX", "'my cache' g++ -DPLASTICITY_NAME='two words' -D'DOLLAR=$x'")
    monkeypatch.setenv("PLASTICITY_CACHE", str(launcher / "programs"))
    assert engine.program(closure(10 * ms), {}).run(0)["v"][0] == pytest.approx(np.exp(-1), rel=1e-13)


# -- without a compiler ----------------------------------------------------------------------------------------------------


def test_without_a_compiler_one_line_says_so_and_what_to_install(
    without_compiler: None, capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("PLASTICITY_CACHE", str(tmp_path / "unused"))
    for seed in (1, 2):
        engine.program(build, Small()).run(seed, {"rates": RATES}, SHORT)
    out, told = capfd.readouterr()
    assert engine.backend() == "numpy" and not (tmp_path / "unused").exists()
    assert out == "" and told.count("\n") == 1 and "NumPy target" in told and "apt install g++ make" in told


@pytest.mark.full
def test_without_a_compiler_the_same_seed_gives_the_same_result(without_compiler: None):
    made = engine.program(build, Small())
    a, b, c = (made.run(seed, {"rates": RATES}, SHORT) for seed in (1, 1, 2))
    assert len(a["t"]) > 0 and same(a, b) and not same(a, c)


def test_without_a_compiler_progress_rises_to_one(without_compiler: None):
    told: list[float] = []
    engine.program(build, Small()).run(1, {"rates": RATES}, SHORT, progress=told.append)
    assert len(told) >= 2 and told == sorted(told) and told[-1] == 1.0


def test_without_a_compiler_the_numbers_are_those_of_the_compiled_program(compiled: Compiled, without_compiler: None):
    """Nothing is random here: an input fires in every step (rate 1/dt) or never. Absolute difference: 1e-12, some thousand
    roundings of numbers around 1, because the compiler may reorder sums (-ffast-math)."""
    rates = np.zeros((4, N))
    rates[::2, ::2] = 1e4
    inputs = {"rates": rates, "v": np.linspace(0, 0.9, N), "w": np.linspace(1e-3, 7e-3, N * N), "step": 1e-7, "tau_m": 0.017}
    ours = compiled.program.run(1, inputs, SHORT)
    numpy = engine.program(build, Small()).run(1, inputs, SHORT)
    assert ours.keys() == numpy.keys() and len(ours["t"]) > 20 and np.ptp(ours["w"]) > 1e-3
    for name in ours:
        assert ours[name].shape == numpy[name].shape and np.abs(ours[name] - numpy[name]).max() <= 1e-12, name


def test_an_interrupt_of_a_run_without_compiler_hands_back_no_half_of_it():
    def struck(spec: None) -> Model:
        group = NeuronGroup(1, "x : 1", name="struck")
        return Model(Network(group), 1000 * second, {}, {"x": group.x})

    def strike(fraction: float, note: str = "") -> None:
        os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        Program(struck, None, None, {}).run(0, {}, progress=strike)
    assert brian2.prefs["core.stop_on_keyboard_interrupt"]  # as it was


@pytest.mark.parametrize(
    ("builder", "told"),
    [
        (float, "must be a function that builds a network, not a class"),
        (lambda spec: None, "builds no network but gives a .*; let it return an engine.Model"),
    ],
)
def test_a_builder_that_makes_no_network_is_refused_in_a_sentence(builder, told):
    with pytest.raises(WrongUse, match=told):
        engine.program(builder, 1.0)
