"""What is forgotten in a file of one's own, or in a class, is told in one sentence that names it and says what to write."""

from __future__ import annotations

import itertools
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bridges.learners import _from_outside, resolve
from bridges.models import Model
from plasticity import extensions
from plasticity.errors import PlasticityError, WrongUse
from plasticity.gates import Gate, InputGain
from plasticity.learners import Guessing
from plasticity.registry import Registry
from plasticity.rules import Rule
from plasticity.settings import setting
from plasticity.tasks import Digits, Task
from simulations.frame.experiment import Experiment

HEAD = """
from dataclasses import dataclass
import numpy as np
from bridges.models import Model
from plasticity.gates import InputGain
from plasticity.learners import Guessing, Learner, SpikingClassifier
from plasticity.rules import pair_stdp
from plasticity.settings import estimator, setting
from plasticity.tasks import Digits, Task
from simulations.frame.experiment import Experiment

ABOUT = {"name": "mine", "summary": "of my own", "source": "doi:10.1000/own"}
"""
NUMBER = itertools.count()
OF: dict[str, Any] = {
    "rule": Rule, "gate": Gate, "task": Task, "learner": _from_outside, "model": Model, "simulation": Experiment
}  # fmt: skip


@pytest.fixture
def given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """A file of one's own that is given by --with, for one test."""
    monkeypatch.setenv(extensions.VARIABLE, "")
    monkeypatch.setattr(sys, "path", list(sys.path))

    def add(text: str, folder: str = "") -> Path:
        path = tmp_path / folder / f"my_thing_{next(NUMBER)}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        extensions.add([path])
        return path

    return add


@pytest.mark.parametrize("folder", ["", "a:b", "a b", 'a"b'])
def test_files_are_handed_on_to_other_processes_whatever_their_folder_is_called(given, folder):
    paths = [given(HEAD + "rule = pair_stdp(A_plus=0.1)", folder) for _ in range(2)]
    assert extensions.files() == tuple(map(str, paths))
    assert [module.__name__ for module in extensions.modules()][-2:] == [path.stem for path in paths]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("import sys\nsys.exit()", "ends the program; put what only a script does under if __name__ == '__main__'"),
        ("raise SystemExit(3)", "ends the program"),
        ("x = 1", "defines nothing that this program knows; derive a class from Gate, Task"),
        ("from plasticity.tasks import Digits, Task", "defines nothing that this program knows"),
        ("", "defines nothing that this program knows"),
    ],
)
def test_a_file_that_ends_the_program_or_defines_nothing_is_refused(given, text, message):
    with pytest.raises(PlasticityError, match=message):
        given(text)
    assert not os.environ[extensions.VARIABLE]


TASK = "@dataclass(frozen=True)\nclass Mine(Task):\n    name = 'mine'\n    summary = 'of my own'\n    source = 'control'\n"
TASK += "    classes = 2\n    def draw(self, rng): pass\n    def ideal(self, trials): pass\n"
EXPERIMENT = "@dataclass(frozen=True)\nclass Mine(Experiment):\n    name = 'mine'\n    summary = 'of my own'\n"
EXPERIMENT += "    source = 'control'\n    factor: float = setting(0.5, 'of it')\n    def figures(self, a): return {}\n"
GATE = "@dataclass(frozen=True)\nclass Mine(InputGain):\n    name = 'mine'\n    extra: float = setting(0.5, 'of it')\n"
LEARNER = "@estimator\nclass Mine(Learner):\n    name = 'mine'\n    summary = 'of my own'\n    source = 'control'\n"
LEARNER += "    eta: float = setting(0.5, 'of it')\n    def fit(self, X, y): pass\n    def predict(self, X): pass\n"
MODEL = "class Mine(Model):\n    name = 'mine'\n    summary = 'of my own'\n    source = 'control'\n"
MODEL += "    def context(self, tokens, cue, mask=None): pass\n"
WHOLE = {"task": TASK, "simulation": EXPERIMENT, "gate": GATE, "learner": LEARNER, "model": MODEL}
VARIANT = "@estimator\nclass Mine(SpikingClassifier): pass"


@pytest.mark.parametrize(("kind", "text"), WHOLE.items())
def test_what_lacks_nothing_is_known(given, kind, text):
    given(HEAD + text)
    assert list(Registry(kind, [], of=OF[kind])) == ["mine"]


@pytest.mark.parametrize("kind", WHOLE)
def test_a_base_for_others_needs_no_name(given, kind):
    base = WHOLE[kind].replace("class Mine", "class Base").replace("    name = 'mine'\n", "")
    derived = re.sub(r"class Mine\(\w+\)", "class Mine(Base)", WHOLE[kind])
    given(HEAD + base + derived)
    assert list(Registry(kind, [], of=OF[kind])) == ["mine"]


@pytest.mark.parametrize(
    ("kind", "text", "message"),
    [
        ("task", TASK.replace("name = 'mine'", "train = 3"), "the task Mine has no name; write name = "),
        ("simulation", EXPERIMENT.replace("name = 'mine'", "x = 3"), "the simulation Mine has no name; write name = "),
        ("model", MODEL.replace("name = 'mine'", "x = 3"), "the model Mine has no name; write name = "),
        ("learner", MODEL.replace("name = 'mine'", "x = 3"), "the model Mine has no name; write name = "),
        ("learner", LEARNER.replace("name = 'mine'", "x = 3"), "the learner Mine has no name; write name = "),
        ("learner", VARIANT, "the learner Mine has no name; write name = "),
        ("task", TASK.replace("summary = 'of my own'", "x = 3"), "the task 'mine' has no summary; give it one"),
        ("task", TASK.replace("source = 'control'", "x = 3"), "the task 'mine' has no source; give it one"),
        ("simulation", EXPERIMENT.replace("source = 'control'", "x = 3"), "the simulation 'mine' has no source; give it one"),
        ("simulation", EXPERIMENT.replace("'of my own'", "''"), "the simulation 'mine' has no summary; give it one"),
        ("learner", LEARNER.replace("source = 'control'", "x = 3"), "the learner 'mine' has no source; give it one"),
        ("model", MODEL.replace("source = 'control'", "x = 3"), "the model 'mine' has no source; give it one"),
        ("learner", MODEL.replace("source = 'control'", "x = 3"), "the learner 'mine' has no source; give it one"),
        ("task", TASK.replace("@dataclass(frozen=True)\n", "") + "    train: int = setting(3, 'of it')\n",
         r"Mine declares the setting train, but is no dataclass; write @dataclass\(frozen=True\) above it"),
        ("simulation", EXPERIMENT.replace("@dataclass(frozen=True)\n", ""), "Mine declares the setting factor, but is no"),
        ("gate", GATE.replace("@dataclass(frozen=True)\n", ""), "Mine declares the setting extra, but is no dataclass"),
        ("learner", LEARNER.replace("@estimator\n", ""), "Mine declares the setting eta, but .* write @estimator above it"),
        ("learner", LEARNER.replace("def fit", "def fitted"), "the learner Mine has no fit; define fit"),
        ("learner", LEARNER.replace("def predict", "def tell"), "the learner Mine has no predict; define predict"),
        ("learner", LEARNER + "    takes = frozenset({'images'})", "unknown kind of tasks of the learner Mine 'images'"),
    ],
)  # fmt: skip
def test_what_a_class_of_ones_own_lacks_is_told(given, kind, text, message):
    path = given(HEAD + text)
    with pytest.raises(WrongUse, match=message) as refused:
        list(Registry(kind, [], of=OF[kind]))
    assert not message.startswith("the ") or str(refused.value).startswith(f"{path.stem}: ")


def test_settings_of_a_class_that_is_no_dataclass_are_told_at_first_use():
    class Forgotten(InputGain):
        name = "forgotten"
        extra: float = setting(0.5, "of it", low=0)

    with pytest.raises(WrongUse, match="Forgotten declares the setting extra, but is no dataclass"):
        Forgotten()


def test_a_family_that_there_is_not_is_told_at_first_use():
    class Pictures(Digits):
        name = "pictures"
        family = "images"

    known = "episodes, sequences, streams, timelines, tokens"
    with pytest.raises(WrongUse, match=f"unknown family of pictures 'images'. Known: {known}"):
        _ = Pictures().kind


@pytest.mark.parametrize(("given", "hint"), [("spikes", " Did you mean 'spiking'."), ("neither", ""), (None, "")])
def test_a_learner_of_no_known_side_is_refused(given, hint):
    odd = type("Odd", (Guessing,), {"side": given})()
    with pytest.raises(WrongUse, match=f"unknown side of the learner Odd '{given}'.{hint} Known: control, spiking, torch"):
        resolve([odd], {}, Digits())


class Wrong(Experiment):
    """Each method as a test wants it."""

    name = "wrong"
    seeded = True
    compiled = False

    def figures(self, a):
        return {}


@pytest.mark.parametrize(
    ("methods", "message"),
    [
        ({"run": lambda self, seed: np.zeros(3)}, r"wrong: run\(\) gave a ndarray; let it give values by name, like \{'x': x\}"),
        ({"run": lambda self, seed: None}, r"wrong: run\(\) gave a NoneType"),
        ({"run": lambda self, seed: np.zeros(3), "seeded": False}, r"wrong: run\(\) gave a ndarray"),
        ({"collect": lambda self, session: [1.0]}, r"wrong: collect\(\) gave a list"),
        ({"run": lambda self, seed: {"x": 1.0}, "checks": lambda self, a: [True]}, r"wrong: checks\(\) gave a bool"),
        ({"run": lambda self, seed: {"x": 1.0}, "checks": lambda self, a: None}, r"wrong: checks\(\) gave a NoneType"),
        ({"run": lambda self, seed: {"x": 1.0}, "numbers": lambda self, a: 1.0}, r"wrong: numbers\(\) gave a float"),
    ],
)
def test_what_an_experiment_gives_that_it_must_not_is_told(methods, message):
    made = type("Wrong", (Wrong,), methods)()
    with pytest.raises(WrongUse, match=message):
        made.outcome([0, 1])


def test_a_base_for_others_that_is_derived_from_a_named_class_is_no_entry(given):
    made = "@dataclass(frozen=True)\nclass "
    given(
        HEAD + "from abc import abstractmethod\n"
        f"{made}Harder(Digits):\n    @abstractmethod\n    def extra(self): ...\n{made}Plain(Digits):\n    pass\n"
        f"{made}Hardest(Harder):\n    name = 'hardest'\n    def extra(self): return 1\n"
        f"{made}Plainest(Plain):\n    name = 'plainest'\n"
    )
    known = Registry("task", [Digits], of=Task)
    assert {*known} == {"digits", "hardest", "plainest"} and known["digits"] is Digits
