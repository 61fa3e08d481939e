"""Things of one's own from a file beside the package: one of each kind goes through list, show, run or compare and report."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from plasticity import extensions
from plasticity.errors import PlasticityError, WrongUse

pytestmark = pytest.mark.full


TOP = Path(__file__).resolve().parents[2]
DOI = "Somebody 2026, doi:10.1000/own"

OWN = f'''
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from brian2 import ms

from bridges.models import Model
from plasticity.datasets import DataSet, Images
from plasticity.encoders import Encoder
from plasticity.gates import InputGain
from plasticity.learners import Learner
from plasticity.neurons import Neuron
from plasticity.rules import Rule, Trace, pair_stdp
from plasticity.settings import estimator, setting
from plasticity.tasks import Draw, Episodes, Streams, Task, Timelines, Tokens
from simulations.figures.kinds import curve
from simulations.frame.checks import near
from simulations.frame.experiment import Experiment

weaker = pair_stdp(A_plus=0.001)  # another of what is there, not a rule of its own

own_rule = Rule(
    name="own_rule", summary="potentiation alone", source="{DOI}", parameters={{"A": 0.01, "tau": 20 * ms}},
    meaning={{"A": "potentiation", "tau": "trace"}}, traces=(Trace("pre_trace", "tau"),), on_post="dw = A*pre_trace",
)
own_neuron = Neuron(
    name="own_neuron", summary="leaky", source="{DOI}", equations="dv/dt = (I - v)/tau : 1", threshold="v > 1", reset="v = 0",
    parameters={{"tau": 10 * ms}}, start={{"v": 0.0}}, meaning={{"tau": "membrane"}},
)
own_encoder = Encoder(name="own_encoder", summary="a process", source="{DOI}", threshold="rand() < rate*dt")


def one_pixel_a_class(data_set):
    classes = np.arange(2000) % 10
    return Images((np.eye(10)[classes] * 9).astype(np.uint8), classes, brightest=9)


own_data = DataSet(name="own_data", summary="one pixel a class", source="{DOI}", terms="free", load=one_pixel_a_class)


@dataclass(frozen=True)
class OwnGate(InputGain):
    name: ClassVar[str] = "own_gate"
    summary: ClassVar[str] = "three times the attended stream"
    source: ClassVar[str] = "{DOI}"
    attended: float = setting(3.0, "gain of the attended stream", low=0)


class _Own(Task):
    summary: ClassVar[str] = "a task of one's own"
    source: ClassVar[str] = "{DOI}"
    classes = 2

    def draw(self, rng):
        return Draw(*(self.some(np.random.default_rng(seed), 40 * k) for k, seed in enumerate(self.seeds_of(rng)[1:])))

    def ideal(self, trials):
        return trials.y


@dataclass(frozen=True)
class OwnStreams(_Own):
    name: ClassVar[str] = "own_streams"
    trials: int = setting(40, "trials of each part", "trials", low=4)

    @property
    def streams(self):
        return 2

    def some(self, rng, first):
        shown = rng.integers(2, size=(self.trials, 2))
        cue = rng.integers(2, size=self.trials)
        stimulus = np.eye(2)[shown]
        number = first + np.arange(2 * self.trials).reshape(-1, 2)
        return Streams(stimulus, cue, shown[np.arange(self.trials), cue], shown, number, 2)


@dataclass(frozen=True)
class OwnTimelines(_Own):
    name: ClassVar[str] = "own_timelines"
    family: ClassVar[str] = "timelines"

    def some(self, rng, first):
        signal = rng.integers(2, size=(40, 6, 1)).astype(float)
        target = np.where(np.arange(6) == 5, signal[:, 0, :1].astype(int), -1)
        return Timelines(signal, target, first + np.arange(40), 2)


@dataclass(frozen=True)
class OwnTokens(_Own):
    name: ClassVar[str] = "own_tokens"
    family: ClassVar[str] = "tokens"

    def some(self, rng, first):
        token = rng.integers(2, size=(40, 5))
        return Tokens(token, np.roll(token, 1, axis=1), first + np.arange(40), 2, 2)


@dataclass(frozen=True)
class OwnEpisodes(_Own):
    name: ClassVar[str] = "own_episodes"
    family: ClassVar[str] = "episodes"

    def some(self, rng, first):
        places = np.arange(4)
        ahead = np.stack([np.maximum(places - 1, 0), np.minimum(places + 1, 3)], axis=1)
        return Episodes(np.eye(4), ahead, np.zeros((4, 2)), places == 3, places == 3, rng.integers(3, size=40), 3, 2)


@estimator
class OwnLearner(Learner):
    """It knows the answer where one can."""

    name: ClassVar[str] = "own_learner"
    summary: ClassVar[str] = "copies what it sees"
    source: ClassVar[str] = "{DOI}"
    takes: ClassVar[frozenset] = frozenset({{"streams", "timelines", "tokens", "episodes"}})
    chosen_for: ClassVar[frozenset] = frozenset({{"timelines", "tokens", "episodes"}})
    from_task: ClassVar[tuple] = ()
    strength: float = setting(1.0, "of nothing", above=0)

    def fit(self, X, y):
        self.parameters_ = 0
        return self

    def predict(self, X):
        if isinstance(X, Episodes):
            return np.ones((len(X), X.longest), int)
        if X.ndim == 3:
            return np.repeat(X[:, :1, 0].astype(int), X.shape[1], axis=1)
        if X.dtype == np.int64:
            return np.roll(X, 1, axis=1)
        cue = X[:, -2:].argmax(axis=1)
        return X[:, :4].reshape(-1, 2, 2)[np.arange(len(X)), cue].argmax(axis=1)


class OwnModel(Model):
    """The mean of all streams."""

    name = "own_model"
    summary = "the mean of all streams"
    source = "{DOI}"

    def __init__(self, streams, features, classes, hidden=192, dropout=0.3, query="cue"):
        super().__init__(streams, features, classes, hidden, dropout, query)
        self.value = torch.nn.Linear(features, hidden)

    def context(self, tokens, cue, mask=None):
        return self.value(tokens).mean(dim=1)


@dataclass(frozen=True)
class OwnExperiment(Experiment):
    """Half of a number."""

    name: ClassVar[str] = "own_experiment"
    summary: ClassVar[str] = "halves"
    source: ClassVar[str] = "{DOI}"
    default_seeds: ClassVar[int] = 3
    compiled: ClassVar[bool] = False
    uses: ClassVar[tuple] = ("own_rule",)
    factor: float = setting(0.5, "of the number", low=0, high=1)

    def run(self, seed):
        return {{"x": np.arange(4.0), "y": self.factor * np.arange(4.0) + seed}}

    def numbers(self, a):
        return {{"mean": float(a["y"].mean())}}

    def checks(self, a):
        yield near("slope", 0.5, np.diff(a["y"][0])[0], 0.01, kind="paper", source="{DOI}")

    def figures(self, a):
        return {{"halves": curve(a["x"][0], dots=a["y"], theory=lambda x: x / 2, x="number (no unit)", y="half (no unit)")}}
'''
NAMES = {
    "rules": "own_rule", "gates": "own_gate", "neurons": "own_neuron", "encoders": "own_encoder", "tasks": "own_streams",
    "models": "own_model", "learners": "own_learner", "simulations": "own_experiment",
}  # fmt: skip


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("own") / "things_of_my_own.py"
    path.write_text(OWN)
    return path


def program(own: Path, *words: object) -> tuple[int, str, str]:
    """The command line in a process of its own, above the folder of the file (Python itself would import from there)."""
    command = [sys.executable, "-m", "simulations", *map(str, words)]
    environment = {**os.environ, "PYTHONPATH": str(TOP)}
    done = subprocess.run(command, cwd=own.parent.parent, capture_output=True, text=True, timeout=300, env=environment)
    return done.returncode, done.stdout, done.stderr


def test_list_and_show_know_one_of_each_kind(own: Path):
    status, out, err = program(own, "list", "--with", own, "--json")
    assert status == 0, err
    listed = {(row["kind"], row["name"]) for row in json.loads(out)}
    assert set(NAMES.items()) <= listed and ("learners", "own_model") in listed
    assert ("rules", "weaker") not in listed and sum(name == "pair_stdp" for _, name in listed) == 1
    status, out, err = program(own, "show", "own_rule", "--with", own)
    assert status == 0 and "potentiation alone" in out and DOI in out, err
    status, out, err = program(own, "show", "own_learner", "--with", own, "--json")
    assert status == 0 and [line["name"] for line in json.loads(out)["settings"]] == ["strength"], err


def test_a_task_is_compared_with_learner_rule_gate_and_model_of_its_own(own: Path):
    words = ["compare", "own_streams", "--with", own, "--seeds", 2, "--jobs", 2, "--json", "--out", own.parent / "streams"]
    words += ["--learners", "own_learner,own_model,guessing", "--set", "own_model.epochs=1"]
    status, out, err = program(own, *words)
    assert status == 0, err
    mean = {learner["name"]: learner["accuracy"]["mean"] for learner in json.loads(out)["learners"]}
    assert mean["own_learner"] == 1.0 and set(mean) == {"own_learner", "own_model", "guessing"}
    page = (own.parent / "streams" / "report.html").read_text()
    assert "copies what it sees" in page and "own_model" in page and "own task" not in page
    assert (own.parent / "streams" / "figures" / "accuracy.png").stat().st_size > 1000
    status, out, err = program(own, "cite", own.parent / "streams", "--with", own)
    assert status == 0 and "10.1000/own" in out, err
    assert f"--with {own.parent.name}/{own.name}" in page
    status, out, err = program(own, "report", own.parent / "streams")  # a comparison is drawn without the file
    page = (own.parent / "streams" / "report.html").read_text()
    assert status == 0 and f"where {own.name} is known by --with" in page and f"--with {own.name}" in page, err


def test_a_data_set_of_ones_own_is_what_the_tasks_show(own: Path):
    words = ["compare", "digits", "--with", own, "--set", "data=own_data", "--set", "train=100", "--set", "test=50", "--seeds", 1]
    words += ["--out", own.parent / "data"]
    status, out, err = program(own, *words, "--set", "validation=20", "--learners", "guessing,mlp", "--json", "--jobs", 1)
    assert status == 0, err
    assert {learner["name"]: learner["accuracy"]["mean"] for learner in json.loads(out)["learners"]}["mlp"] == 1.0


@pytest.mark.parametrize("family", ["timelines", "tokens", "episodes"])
def test_a_task_of_any_family_is_one_class(own: Path, family: str):
    out_folder = own.parent / family
    status, out, err = program(own, "compare", f"own_{family}", "--with", own, "--seeds", 2, "--json", "--out", out_folder)
    assert status == 0, err
    mean = {learner["name"]: learner["accuracy"]["mean"] for learner in json.loads(out)["learners"]}
    assert mean["own_learner"] == 1.0 and mean["guessing"] < 1.0
    assert (out_folder / "report.html").exists() and (out_folder / "figures" / "accuracy.png").exists()
    status, out, err = program(own, "plot", out_folder, "--with", own)
    assert status == 0 and "own_learner" in out, err


def test_an_experiment_is_run_swept_drawn_and_reported(own: Path):
    status, out, err = program(own, "run", "own_experiment", "--with", own, "--json", "--out", own.parent / "run")
    assert status == 0, err
    told = json.loads(out)
    assert told["checks"][0]["holds"] and told["numbers"]["mean"] == pytest.approx(1.75)
    assert (own.parent / "run" / "figures" / "halves.png").exists()
    status, out, err = program(own, "report", own.parent / "run", "--with", own)
    assert status == 0 and "1 of 1 checks hold" in (own.parent / "run" / "report.html").read_text(), err
    status, out, err = program(own, "report", own.parent / "run")
    assert status == 2 and f"was made with {own.name}; give it again, with its path: --with {own.name}." in err, err
    words = ["sweep", "own_experiment", "--with", own, "--grid", "factor=0.25,0.5", "--seeds", 2, "--out", own.parent / "swept"]
    status, out, err = program(own, *words)
    assert status == 0 and "0.25" in out, err


def test_a_rule_and_a_gate_of_ones_own_go_into_the_spiking_learner(own: Path):
    words = ["compare", "own_streams", "--with", own, "--seeds", 1, "--jobs", 1, "--json", "--out", own.parent / "gate"]
    words += ["--learners", "spiking_gated", "--set", "spiking.rule=own_rule", "--set", "spiking.gate=own_gate"]
    status, out, err = program(own, *words, "--set", "spiking.neurons_per_class=2")
    assert status == 0, err
    configuration = json.loads((own.parent / "gate" / "run.json").read_text())["configuration"]
    told = configuration["parameters"]["spiking_gated"]
    assert told["rule"]["name"] == "own_rule" and told["gate"] == {"name": "own_gate", "attended": 3.0, "ignored": 0.2}


HALVES = """
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from simulations.figures.kinds import curve
from simulations.frame.execute import script
from simulations.frame.experiment import Experiment


@dataclass(frozen=True)
class Halves(Experiment):
    name: ClassVar[str] = "halves"
    summary: ClassVar[str] = "halves"
    source: ClassVar[str] = "Somebody 2026, doi:10.1000/own"
    default_seeds: ClassVar[int] = 2
    compiled: ClassVar[bool] = False
    keeps: ClassVar[bool] = True

    def run(self, seed):
        return {"x": np.arange(4.0), "y": 0.5 * np.arange(4.0)}

    def numbers(self, a):
        return {"mean": float(a["y"].mean())}

    def figures(self, a):
        return {"halves": curve(a["x"][0], dots=a["y"], x="number (no unit)", y="half (no unit)")}


if __name__ == "__main__":
    script(Halves.name)
"""


def test_the_file_of_an_experiment_of_ones_own_is_a_script_too_and_its_record_says_which_file_it_was(tmp_path: Path):
    path, folder = tmp_path / "halves_of_my_own.py", tmp_path / "run"
    path.write_text(HALVES)
    environment = {**os.environ, "PYTHONPATH": str(TOP)}
    command = [sys.executable, str(path), "--json", "--out", str(folder)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, env=environment)
    assert done.returncode == 0 and json.loads(done.stdout)["numbers"] == {"mean": 0.75}, done.stderr
    configuration = json.loads((folder / "run.json").read_text())["configuration"]
    assert configuration["with"] == {path.name: hashlib.sha256(HALVES.encode()).hexdigest()}
    for finished in ("summary.json", "records/outcome.json"):  # as if it had been interrupted, and the file edited since
        (folder / finished).unlink()
    path.write_text(HALVES.replace("0.5 *", "0.25 *"))
    (folder / "records" / "parts").mkdir()
    (folder / "records" / "parts" / "one.json").write_text("{}")
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, env=environment)
    assert done.returncode == 2 and "an unfinished run with another configuration: with: halves_of_my_own.py is" in done.stderr, (
        done.stderr
    )


CHANGED = """
import dataclasses
from plasticity.rules import pair_stdp
pair_stdp = dataclasses.replace(pair_stdp, on_post="dw = 100*A_plus*pre_trace")
"""


@pytest.mark.parametrize(
    ("name", "text", "status", "words"),
    [
        ("nothing.py", None, 2, "there is no such Python file"),
        ("not a name.py", "x = 1", 2, "give it a name of letters"),
        ("json.py", "x = 1", 2, "another module is called json"),
        ("broken_thing.py", "import nothing_of_that_name", 1, "does not run"),
        ("taken_thing.py", OWN.replace("own_rule", "pair_stdp"), 2, "there already; rename yours"),
        ("changed_thing.py", CHANGED, 2, "a rule called 'pair_stdp' is there already; rename yours"),
    ],
)
def test_a_file_that_cannot_be_is_one_sentence(tmp_path: Path, name: str, text: str | None, status: int, words: str):
    path = tmp_path / name
    if text is not None:
        path.write_text(text)
    found, _, err = program(path, "list", "rules", "--with", path)
    assert found == status and words in err and err.count("\n") == 1, err


def test_an_entry_point_of_an_installed_package_is_known_without_a_word(tmp_path: Path):
    site = tmp_path / "site"
    (site / "own_package-1.dist-info").mkdir(parents=True)
    (site / "own_package.py").write_text(OWN)
    (site / "own_package-1.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: own-package\nVersion: 1\n")
    (site / "own_package-1.dist-info" / "entry_points.txt").write_text("[plasticity]\nmine = own_package\n")
    command = [sys.executable, "-m", "simulations", "list", "tasks", "--json"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(TOP), str(site)])}
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, env=environment)
    assert done.returncode == 0 and "own_tokens" in done.stdout, done.stderr


def test_a_task_that_lacks_something_is_told_so(tmp_path: Path):
    path = tmp_path / "lacking.py"
    path.write_text("from plasticity.tasks import Task\nclass Bars(Task):\n    name = 'bars'\n    def draw(self, rng): pass\n")
    found, _, err = program(path, "compare", "bars", "--with", path)
    assert (found, err) == (2, "error: lacking: the task 'bars' lacks classes, ideal; define it.\n")


def test_a_task_whose_trials_are_not_what_it_says_is_refused_at_the_first_draw(tmp_path: Path):
    path = tmp_path / "two_streams.py"
    assert OWN.count("        return 2\n") == 1
    path.write_text(OWN.replace("        return 2\n", "        return 1\n"))
    words = ("compare", "own_streams", "--learners", "guessing", "--seeds", "1", "--out", tmp_path / "run", "--with", path)
    found, _, err = program(path, *words)
    assert found == 2 and "its trials have 2 streams and 2 classes, the task says 1 and 2" in err, err
    assert not list((tmp_path / "run").rglob("guessing.json"))


def test_a_missing_file_is_refused_in_python_too():
    with pytest.raises(WrongUse, match="no such Python file"):
        extensions.add(["nowhere.py"])
    assert issubclass(WrongUse, PlasticityError)
