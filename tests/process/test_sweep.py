"""Sweeps: every point and seed once, one tidy table, nothing run twice; on a cluster the very same."""

from __future__ import annotations

import contextlib
import csv
import inspect
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from bridges import compare
from plasticity.engine import Program, compiler
from plasticity.errors import PlasticityError, WrongUse
from plasticity.parallel import cluster, each
from plasticity.records import Record
from plasticity.settings import setting
from plasticity.tasks import TASKS
from simulations import SIMULATIONS
from simulations.frame import results
from simulations.frame.experiment import Experiment
from simulations.frame.on_task import on_task
from simulations.frame.owners import parse_grid
from simulations.frame.sweep import Sweep, _meaning, measures, points, sweep

pytestmark = pytest.mark.full


calls: list[tuple[float, int]] = []


@dataclass(frozen=True)
class Line(Experiment):
    """A line with noise."""

    name: ClassVar[str] = "line"
    keeps: ClassVar[bool] = True
    summary: ClassVar[str] = "a line"
    source: ClassVar[str] = "test"

    slope: float = setting(1.0, "of the line", low=-10, high=10)
    kind: str = setting("plain", "one of two", choices=("plain", "double"))
    fails: int = setting(-1, "the seed that fails")

    def collect(self, session):
        (seed,) = session.seeds
        calls.append((self.slope, seed))
        session.folder.mkdir(parents=True)  # each job has a folder of its own for what is finished before the whole
        (session.folder / "half").write_text(f"{self.slope} {seed}")
        if seed == self.fails:
            raise PlasticityError("the line broke")
        factor = 2 if self.kind == "double" else 1
        return {"height": factor * self.slope + np.random.default_rng(seed).normal(0, 0.01)}

    def numbers(self, a):
        value = float(a["height"])
        return {"height": value, "part": {"mean": 2 * value, "low": 0, "high": 1}, "seeds": [0], "same": 3, "deep": {"x": value}}

    def figures(self, a):
        return {}


@pytest.fixture(autouse=True)
def forget() -> None:
    calls.clear()


def test_all_combinations_are_points_and_the_last_key_is_fastest():
    grid = parse_grid(["a=1,2", "b=x, y"])
    assert [point.title for point in points(grid)] == ["a=1, b=x", "a=1, b=y", "a=2, b=x", "a=2, b=y"]


@pytest.mark.parametrize("wrong", [[], ["a"], ["a="], ["=1"], ["a=1,1"], ["a=1", "a=2"]])
def test_a_grid_that_says_nothing_or_says_it_twice_is_refused(wrong):
    with pytest.raises(WrongUse, match="--grid"):
        parse_grid(wrong)


def test_an_axis_says_what_a_setting_means_and_its_unit():
    assert _meaning("digits_unsupervised", "neurons").startswith("neurons: excitatory neurons")
    assert _meaning("hebbian_attention", "train").endswith("(trials)")
    assert _meaning("no such simulation", "key") == "key"


def test_numbers_of_an_outcome_become_measures():
    told = {
        "a": 1,
        "b": {"mean": 2.0, "low": 0, "high": 3},
        "c": {"d": {"e": 4}},
        "f": "text",
        "g": [1],
        "h": True,
        "i": {"mean": None},
    }
    assert dict(measures(told)) == {"a": 1.0, "b": 2.0, "c.d.e": 4.0}


def test_the_table_holds_every_point_seed_and_measure_and_the_figure_what_moves(tmp_path):
    found = sweep(Line, {"slope": ["1", "3"], "kind": ["plain", "double"]}, [0, 1, 2], jobs=2, out=tmp_path / "s")
    rows = list(csv.DictReader((tmp_path / "s" / "summary.csv").read_text().splitlines()))
    assert len(rows) == 4 * 3 * 4 and len(calls) == 12
    assert not (tmp_path / "s" / "records" / "parts").exists()
    heights = {(r["slope"], r["kind"], r["seed"]): float(r["value"]) for r in rows if r["measure"] == "height"}
    noise = np.random.default_rng(1).normal(0, 0.01)
    assert heights["3", "double", "1"] == 6 + noise
    assert found.moving == ["height", "part", "deep.x"]
    assert found.summary("height", 3)["low"] <= found.summary("height", 3)["mean"] <= found.summary("height", 3)["high"]
    assert set(found.figures()) == {"sweep"} and len(found.figures(["height"])["sweep"].axes) == 1
    again = Sweep.load(tmp_path / "s")
    np.testing.assert_array_equal(again.values["height"], found.values["height"])
    summary = json.loads((tmp_path / "s" / "summary.json").read_text())
    assert summary["points"][3]["settings"] == {"slope": "3", "kind": "double"}


def test_a_sweep_that_failed_goes_on_with_what_is_missing(tmp_path):
    grid = {"slope": ["1", "2"]}
    with pytest.raises(PlasticityError, match="the line broke"):
        sweep(Line, grid, [0, 1], {"fails": "1"}, jobs=1, out=tmp_path / "s")
    assert (tmp_path / "s" / "records" / "point-000" / "seed-0000.json").exists()
    assert not (tmp_path / "s" / "summary.json").exists()
    calls.clear()
    parts = tmp_path / "s" / "records" / "parts"
    assert (parts / "point-000" / "seed-0000" / "half").read_text() == "1.0 0"
    assert (parts / "point-000" / "seed-0001" / "half").read_text() == "1.0 1"
    shutil.rmtree(parts / "point-000" / "seed-0001")  # this experiment does not go on from there
    with pytest.raises(PlasticityError, match="the line broke"):
        sweep(Line, grid, [0, 1], {"fails": "1"}, jobs=1, out=tmp_path / "s")
    assert (1.0, 0) not in calls
    with pytest.raises(WrongUse, match="another configuration"):
        sweep(Line, grid, [0, 1, 2], jobs=1, out=tmp_path / "s")


@pytest.mark.parametrize(
    ("grid", "fixed", "text"),
    [
        ({"steep": ["1"]}, {}, "unknown setting of line 'steep'"),
        ({"slope": ["1", "11"]}, {}, "outside -10"),
        ({"slope": ["1"]}, {"slope": "2"}, "in --grid and in --set"),
        ({"kind": ["plain", "triple"]}, {}, "unknown value for kind"),
        ({"slope": ["1", "01"]}, {}, "asks for the same twice"),
    ],
)
def test_wrong_settings_are_refused_before_anything_runs(tmp_path, grid, fixed, text):
    with pytest.raises(WrongUse, match=text):
        sweep(Line, grid, [0], fixed, out=tmp_path / "s")
    assert not calls and not (tmp_path / "s").exists()


def test_a_bench_is_not_swept(tmp_path):
    from simulations.bench import Bench

    with pytest.raises(WrongUse, match="cannot be swept"):
        sweep(Bench, {"neurons": ["10", "20"]}, [0], out=tmp_path / "s")


def test_an_unknown_measure_and_an_unfinished_sweep_are_refused(tmp_path):
    found = sweep(Line, {"slope": ["1", "2"]}, [0], out=tmp_path / "s")
    with pytest.raises(WrongUse, match="unknown measure 'width'"):
        found.chosen(["width"])
    (tmp_path / "s" / "records" / "point-001" / "seed-0000.json").unlink()
    with pytest.raises(PlasticityError, match="unfinished sweep"):
        Sweep.load(tmp_path / "s")


# Learners on a task

TINY = {"train": ["40", "80"], "mlp.hidden": ["4", "8"]}
FIXED = {"validation": "20", "test": "30", "torch.epochs": "2"}


def on_digits(out, **given):
    given = {"kind": on_task(TASKS["digits"], ["mlp", "guessing"]), "grid": TINY, "seeds": [0, 1], "fixed": FIXED, **given}
    return sweep(**given, jobs=1, out=out)


def test_learners_on_a_task_are_swept_and_their_accuracies_are_those_of_the_comparison(tmp_path):
    found = on_digits(tmp_path / "s")
    assert found.chosen(()) == ["mlp", "guessing"] and found.rows(())[0] == ["train", "mlp.hidden", "mlp (%)", "guessing (%)"]
    for point in found.points:
        given = dict(point.values)
        task = TASKS["digits"](train=int(given["train"]), validation=20, test=30)
        settings = {"torch": {"epochs": "2"}, "mlp": {"hidden": given["mlp.hidden"]}}
        same = compare(["mlp", "guessing"], task, [0, 1], 1, settings=settings)
        for name in ("mlp", "guessing"):
            np.testing.assert_array_equal(found.values[name][point.number], 100 * same.numbers(name, "accuracy"))
    assert set(found.values["chance"].ravel()) == {0.1}
    panels = [axis for axis in found.figures()["sweep"].axes if axis.get_title("left")]
    assert [axis.get_title("left") for axis in panels] == ["mlp.hidden=4", "mlp.hidden=8"]
    names = [line.get_label() for line in panels[0].lines if not str(line.get_label()).startswith("_")]
    assert names == ["mlp", "guessing", "chance"]
    for axis, line in ((panels[0], "mlp"), (panels[1], "guessing")):
        (drawn,) = (one for one in axis.lines if one.get_label() == line)
        places = [0, 2] if axis is panels[0] else [1, 3]
        np.testing.assert_allclose(drawn.get_ydata(), found.values[line][places].mean(axis=1))


def test_a_sweep_of_learners_is_a_result_like_others_and_its_command_gives_the_same(tmp_path):
    on_digits(tmp_path / "s")
    result = results.load(tmp_path / "s")
    assert result.title == "digits, a sweep" and [path.name for path in result.draw()] == ["sweep.png"]
    assert repr(result.sweep).startswith("<Sweep of digits over train=") and "digits: 4 points" in result.html()
    page = result.page()
    assert "2 learners on a task over a grid of settings, 4 points, 2 seeds" in page.replace("\n", " ")
    told = result.summary()
    assert (
        told["task"] == "digits" and told["learners"] == ["mlp", "guessing"] and told["points"][1]["measures"]["mlp"]["low"] >= 0
    )
    assert "10.1038/323533a0" in " ".join(result.references())  # of the multilayer perceptron
    assert len(result.frame()) == 4 * 2 * len(result.sweep.values)
    words = result.command(str(tmp_path / "again")).split()
    assert words[:5] == ["plasticity", "sweep", "digits", "--learners", "mlp,guessing"]
    again = command(*words[1:], "--jobs", "2")
    assert again.wait(200) == 0, again.stderr.read()[-2000:]
    first, second = ((tmp_path / name / "summary.csv").read_text() for name in ("s", "again"))
    assert first == second  # in this process and in two others


def test_a_sweep_of_learners_goes_on_within_a_point(tmp_path, monkeypatch):
    whole = on_digits(tmp_path / "whole").csv()
    from plasticity.learners import Guessing

    seeds, predict = [], Guessing.predict

    def once_wrong(self, X):
        seeds.append(self.random_state)
        if len(seeds) == 5:
            raise PlasticityError("the guesser broke")
        return predict(self, X)

    monkeypatch.setattr(Guessing, "predict", once_wrong)
    with pytest.raises(PlasticityError, match="the guesser broke"):
        on_digits(tmp_path / "s")
    kept = [path.parent.name for path in (tmp_path / "s" / "records" / "parts").rglob("mlp.json")]
    assert on_digits(tmp_path / "s").csv() == whole and kept  # the model that was trained is not trained again


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"grid": {"neurons": ["1"]}}, "unknown setting of digits 'neurons'"),
        ({"grid": {"mlp.width": ["1"]}}, "unknown parameter of mlp 'width'"),
        ({"grid": {"lstm.hidden": ["1"]}}, "unknown learner in a setting 'lstm'"),
        ({"grid": {"torch.hidden": ["8", "08"]}}, "asks for the same twice"),
        ({"grid": {"train": ["40"]}, "fixed": {"train": "50"}}, "in --grid and in --set"),
        ({"seeds": []}, "0 seeds were asked for"),
    ],
)
def test_a_wrong_sweep_of_learners_is_refused_before_anything_runs(tmp_path, given, text):
    with pytest.raises(WrongUse, match=text):
        on_digits(tmp_path / "s", **given)
    assert not (tmp_path / "s").exists()


# What is shown


def test_rounding_in_the_window_is_no_effect_and_its_one_seed_stands_for_all(tmp_path):
    found = sweep(SIMULATIONS["stdp_window"], {"dt_ms": ["1", "0.5"]}, [0, 1, 2], {"longest_lag": "20"}, 1, tmp_path / "s")
    assert found.configuration["seeds"] == [0] and found.moving == [] and found.figures() == {}
    assert found.values["largest_difference"].max() < 1e-12  # which was drawn as one
    heads, rows = found.rows(())
    assert len(heads) == 5 and len(rows) == 2 and len(found.notes()) == 2
    moved = sweep(SIMULATIONS["stdp_window"], {"A_plus": ["0.01", "0.02"]}, [0], {"longest_lag": "20"}, 1, tmp_path / "t")
    assert "largest_potentiation" in moved.moving and "largest_difference" not in moved.chosen(())


@dataclass(frozen=True)
class Where(Experiment):
    """In which process it runs."""

    name: ClassVar[str] = "where"
    summary: ClassVar[str] = "its process"
    source: ClassVar[str] = "test"
    own_process: ClassVar[bool] = True
    size: int = setting(1, "of nothing")

    def run(self, seed):
        time.sleep(0.5)
        return {"process": np.array(os.getpid())}

    def numbers(self, a):
        return {"process": int(a["process"][0])}

    def figures(self, a):
        return {}


def test_what_trains_torch_models_gets_processes_and_everything_that_does_says_so(tmp_path):
    found = sweep(Where, {"size": ["1", "2", "3", "4"]}, [0], jobs=2, out=tmp_path / "s")
    assert os.getpid() not in found.values["process"] and len(set(found.values["process"].ravel())) == 2
    trainers = ("bridges.learners", "bridges.sparse_training")
    sources = {name: inspect.getsource(inspect.getmodule(kind)) for name, kind in SIMULATIONS.items()}
    training = {name for name, source in sources.items() if any(trainer in source for trainer in trainers)}
    assert {"trained_recall", "recall_maps", "sparse_digits"} <= training
    assert {name for name, kind in SIMULATIONS.items() if kind.own_process} == training | {
        "credit_assignment",
        "hebbian_attention",
        "worked_examples",
    }


def test_trained_models_are_the_same_to_the_bit_with_one_job_with_two_and_on_a_worker_of_two_threads(tmp_path, monkeypatch):
    distributed = pytest.importorskip("distributed", reason="the extra [cluster] is not installed")
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).resolve().parents[2]))
    fixed = {"trained": "fast_weights,transformer_encoder", "trained_pairs": "2", "trained_dimension": "16", "train": "60"}
    asked = (SIMULATIONS["trained_recall"], {"hidden": ["8", "12"]}, [0, 1], {**fixed, "memories": "20"})
    one, two = (sweep(*asked, jobs=jobs, out=tmp_path / str(jobs)).csv() for jobs in (1, 2))
    assert one == two
    monkeypatch.setattr(SIMULATIONS["trained_recall"], "own_process", False)
    assert sweep(*asked, jobs=2, out=tmp_path / "threads").csv() == one
    with (
        distributed.LocalCluster(
            n_workers=1, threads_per_worker=2, dashboard_address=":0", local_directory=str(tmp_path / "local")
        ) as local,
        cluster(local.scheduler_address),
    ):
        assert sweep(*asked, out=tmp_path / "there").csv() == one


# Jobs


def test_jobs_come_back_with_their_items_and_progress_reaches_one():
    told: list[float] = []
    found = dict(each(lambda item, tell: item * item, range(5), 2, lambda fraction, note="": told.append(fraction)))
    assert found == {0: 0, 1: 1, 2: 4, 3: 9, 4: 16}
    assert told[0] == 0 and told[-1] == 1 and all(a <= b for a, b in zip(told, told[1:], strict=False))


def test_an_error_in_a_job_ends_the_others_at_their_next_word():
    ended = []

    def work(item, tell):
        if item == 0:
            time.sleep(0.1)
            raise PlasticityError("job 0 broke")
        try:
            for _ in range(100):
                tell(0.5)
                time.sleep(0.05)
        except BaseException:
            ended.append(item)
            raise

    began = time.perf_counter()
    with pytest.raises(PlasticityError, match="job 0 broke"):
        list(each(work, range(2), 2))
    time.sleep(0.2)
    assert time.perf_counter() - began < 3 and ended == [1]


def test_nobody_at_the_address_is_said_in_one_sentence():
    pytest.importorskip("distributed", reason="the extra [cluster] is not installed")
    with pytest.raises(PlasticityError, match="no Dask scheduler answers at tcp://127.0.0.1:9"), cluster("tcp://127.0.0.1:9"):
        pass


@pytest.mark.parametrize("address", ["nonsense", "tcp://", "tcp://::", "10.0.0.1:8786"])
def test_what_is_no_address_is_refused(address):
    with pytest.raises(WrongUse, match="write it like tcp://"), cluster(address):
        pass


# A cluster of two worker processes, each with a cache of its own

SMALL = ["--set", "images=120", "--set", "neurons=12", "--set", "control=0", "--set", "labels=60", "--set", "test=60"]


@pytest.fixture(scope="module")
def address(tmp_path_factory) -> Iterator[str]:
    pytest.importorskip("distributed", reason="the extra [cluster] is not installed")
    if not compiler():
        pytest.skip("the jobs are compiled networks: needs a C++ compiler")
    folder = tmp_path_factory.mktemp("cluster")
    root = Path(__file__).resolve().parents[2]
    here = {**os.environ, "PYTHONPATH": f"{root}{os.pathsep}{Path(__file__).resolve().parent}"}
    scheduler = (sys.executable, "-m", "distributed.cli.dask_scheduler")
    started = [
        subprocess.Popen(
            [*scheduler, "--port", "0", "--no-dashboard", "--scheduler-file", folder / "s.json"],
            env=here, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
    ]  # fmt: skip
    try:
        for _ in range(300):
            with contextlib.suppress(OSError, ValueError):
                found = json.loads((folder / "s.json").read_text())["address"]
                break
            time.sleep(0.1)
        for k in range(2):
            own = {**here, "PLASTICITY_CACHE": str(folder / "cache")} if k else here  # one compiles, the other finds
            words = [
                sys.executable,
                "-m",
                "distributed.cli.dask_worker",
                found,
                "--nthreads",
                "1",
                "--no-dashboard",
                "--no-nanny",
            ]
            words += ["--local-directory", str(folder / f"work{k}")]
            started.append(subprocess.Popen(words, env=own, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        from distributed import Client

        with Client(found, timeout=30, set_as_default=False) as client:
            client.wait_for_workers(2, timeout=60)
        yield found
    finally:
        for process in started:
            process.kill()  # a worker that is asked to end takes its time on a busy machine
        for process in started:
            process.wait(20)


def command(*words: str) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", "simulations", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def told(folder: Path) -> dict[str, dict]:
    """The numbers of all jobs, but for times."""
    found = {}
    for path in sorted((folder / "records").glob("point-*/seed-*.json")):
        numbers = Record.load(path).numbers
        found[str(path.relative_to(folder))] = {k: v for k, v in numbers.items() if k != "training_ms_per_image"}
    return found


OWN = """
from typing import ClassVar

from plasticity.learners import Guessing
from plasticity.settings import estimator


@estimator
class Elsewhere(Guessing):
    name: ClassVar[str] = "elsewhere"
    summary: ClassVar[str] = "known from a file alone"
"""


def test_a_cluster_knows_what_a_file_from_outside_defines(tmp_path, address):
    (tmp_path / "own_on_cluster.py").write_text(OWN)
    words = ["compare", "cued_digits", "--learners", "elsewhere", "--seeds", "2", "--with", str(tmp_path / "own_on_cluster.py")]
    running = command(*words, "--out", str(tmp_path / "there"), "--cluster", address)
    try:
        assert running.wait(120) == 0, running.stderr.read()[-2000:]
    finally:
        running.kill()
    assert len(list((tmp_path / "there" / "records").glob("seed-*/elsewhere.json"))) == 2


def test_a_cluster_gives_the_same_records_and_a_worker_that_is_killed_costs_only_its_job(tmp_path, address):
    from distributed import Client

    words = ["sweep", "digits_unsupervised", *SMALL, "--grid", "passes=1,2", "--seeds", "2"]
    here = command(*words, "--out", str(tmp_path / "here"), "--jobs", "2")
    assert here.wait(300) == 0, here.stderr.read()[-2000:]
    there = command(*words, "--out", str(tmp_path / "there"), "--cluster", address)
    with Client(address, timeout=30, set_as_default=False) as client:
        killed = 0
        while there.poll() is None and not killed:
            busy = [worker for worker, keys in client.processing().items() if keys]
            if busy:
                pid = client.run(os.getpid, workers=[busy[0]])[busy[0]]
                os.kill(pid, signal.SIGKILL)
                killed = pid
            time.sleep(0.05)
    assert there.wait(300) == 0, there.stderr.read()[-2000:]
    assert killed and len(told(tmp_path / "here")) == 4
    assert told(tmp_path / "there") == told(tmp_path / "here")


def test_a_compiled_program_travels_as_what_it_was_made_of():
    import pickle

    if not compiler():
        pytest.skip("sends a compiled program: needs a C++ compiler")
    from plasticity.networks.diehl_cook import DiehlCook

    made = DiehlCook(inputs=4, neurons=2, images=2, presentations=2).program()
    again = pickle.loads(pickle.dumps(made))
    assert isinstance(again, Program) and again.folder == made.folder
