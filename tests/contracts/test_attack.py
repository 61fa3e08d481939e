"""Wrong values for everything that takes one: every command with every option, every public callable with every parameter.

What is attacked is found by asking the registries, the typer app and `__all__`, so that what is added later is attacked too. A
refusal is one sentence; whatever would begin to work is stopped there (`Began`) and counts as accepted.
"""

from __future__ import annotations

import builtins
import contextlib
import datetime
import functools
import importlib
import inspect
import io
import math
import os
import pkgutil
import re
import signal
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import hypothesis
import joblib
import numpy as np
import pooch
import pytest
import torch
import typer
from brian2 import Network, ms, mV
from hypothesis import strategies as st
from matplotlib.figure import Figure
from sklearn.exceptions import NotFittedError

import bridges
import plasticity
import plasticity.networks.two_groups
import plasticity.pair_fit
import plasticity.parallel
import plasticity.spike_trains
import simulations
from bridges.learners import LEARNERS
from plasticity import settings
from plasticity.encoders import ENCODERS
from plasticity.engine.programs import Program
from plasticity.errors import PlasticityError
from plasticity.neurons import NEURONS
from plasticity.settings import describe
from simulations.command_line import listing, main, program, running, showing  # noqa: F401  (their commands)
from simulations.frame.experiment import Experiment
from simulations.frame.known import everything
from simulations.frame.on_task import on_task
from simulations.frame.sweep import sweep

SECONDS = 5.0  # that one attack may take
REFERENCE = Path(__file__).resolve().parents[2] / "results" / "reference"
HUGE = 10**400
LIBRARY = re.compile(r"^error: \w+: .*|\(--debug shows where\)|Traceback|\bmemory at 0x")


class Began(BaseException):
    """Work would begin: whatever was to be refused is past."""


class Late(BaseException):
    """An attack has taken too long."""


def _begins(*_: Any, **__: Any) -> None:
    raise Began


@pytest.fixture(autouse=True)
def nothing_runs(monkeypatch, tmp_path):
    """No job, network, training or download, no likeness of 18 learners; the working folder is an empty one."""
    from bridges.comparison import likeness
    from simulations.frame import experiment

    for owner, name in (
        *((plasticity.parallel._Meter, "__init__"), (experiment.Session, "__init__"), (joblib.Parallel, "__call__")),
        *((Network, "run"), (Program, "run"), (torch.optim.Optimizer, "__init__"), (pooch, "retrieve"), (Figure, "__init__")),
        (likeness, "_aligned"),
    ):
        monkeypatch.setattr(owner, name, _begins)
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setenv("PLASTICITY_DATA", str(tmp_path / "no_data"))
    monkeypatch.setenv("PLASTICITY_CACHE", str(tmp_path / "cache"))


@contextlib.contextmanager
def at_most(seconds: float) -> Iterator[None]:
    def late(*_: Any) -> None:
        raise Late

    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def held(faults: list[str]) -> None:
    """No fault, or all of them by kind and number."""
    listed = "\n".join(f"  {number} x {fault}" for fault, number in Counter(faults).most_common())
    assert not faults, f"{len(faults)} faults:\n{listed}"


# Command lines

NUMBERS_WRITTEN_ODDLY = ("1_000", "+5", "٣", "1e400", "9" * 401, "nan", "0x10", "1,", "- 1", "true")
WORDS = (
    *(
        "",
        " ",
        ",",
        "no_such_name",
        "a\x1b[31mb",
        "\udcff",
        "x" * 5000,
        "a,a",
        "-1",
        "0",
        "1e300",
        "1 000",
        "'",
        "%s",
        "{}",
        "=",
        "a=",
    ),
    *("=a", "none", "None", "../..", "\n", "1;2", "--", "-", "0-5", "5-0", "0-999999999", *NUMBERS_WRITTEN_ODDLY),
)


@dataclass(frozen=True)
class Line:
    """A command line, and whether it is wrong whatever the program knows."""

    words: tuple[str, ...]
    wrong: bool

    def __str__(self) -> str:
        return " ".join(repr(word[:40]) for word in self.words)


def commands() -> dict[str, Any]:
    return dict(typer.main.get_command(program.app).commands)


def legal(command: str, kinds: dict[str, list[str]]) -> list[str]:
    """Arguments of a command that are right."""
    folder = str(REFERENCE / "cued_digits")
    return {
        "compare": [["cued_digits"], ["digits"], ["associative_recall"], ["table"]],
        "run": [[name] for name in kinds["simulations"]],
        "sweep": [["cued_digits", "--grid", "train=20,30"], ["one_trial", "--grid", "d_0=0.1,0.2"]],
        "show": [[name] for name in ("pair_stdp", "mlp", "cued_digits")],
        "reproduce": [["one_trial"]],
        "plot": [[folder]], "report": [[folder]], "cite": [["pair_stdp"]],
    }.get(command, [[]])  # type: ignore[return-value]  # fmt: skip


@functools.cache
def set_keys(command: str, first: str) -> list[tuple[str, bool]]:
    """What --set takes beside this argument, and whether it is a number."""
    known = everything()

    def of(owner: Any, before: str = "") -> list[tuple[str, bool]]:
        told = describe(owner)
        return [(before + one.name, one._simple in (int, float)) for one in told]

    if command == "bench":
        return of(known["simulations"]["bench"])
    if first in known["simulations"]:
        return of(known["simulations"][first])
    if first in known["tasks"]:
        task = known["tasks"][first]()
        from bridges.comparison.energy import EnergyTable
        from bridges.learners import chosen_for

        keys = of(type(task)) + (of(EnergyTable, "energy.") if command == "compare" else [])
        for name in chosen_for(task):
            keys += of(LEARNERS[name].build(), f"{name}.")
        return keys
    return [("a", True)]


def lines() -> Iterator[Line]:
    """Every command with every option and argument, each with every wrong text."""
    kinds = {kind: list(entries) for kind, entries in everything().items()}
    for name, command in commands().items():
        for number_of, right in enumerate(legal(name, kinds)):
            first = right[0] if right else ""
            if not number_of and any(one.param_type_name == "argument" for one in command.params):
                for word in WORDS:
                    if word != "\n":
                        yield Line((name, *(word, *right[1:])), not word.startswith("-"))
            for option in command.params:
                if option.param_type_name != "option" or option.is_flag:
                    continue
                flag = option.opts[0]
                if number_of and flag != "--set" and name != "sweep":
                    continue
                if flag in ("--with",):
                    wrongs = [(word, True) for word in WORDS]
                elif flag == "--set":
                    wrongs = []
                    for key, number in set_keys(name, first):
                        for value in (
                            "",
                            "nan",
                            "1e400",
                            *NUMBERS_WRITTEN_ODDLY,
                            "no_such_name",
                            "-1",
                            "0",
                            "1e300",
                            "1e9",
                            "a\x1bb",
                            "1e-300",
                        ):
                            odd = number and value in NUMBERS_WRITTEN_ODDLY or value == ""
                            yield Line((name, *right, flag, f"{key}={value}"), odd)
                        yield Line((name, *right, flag, f"{key}=1", flag, f"{key}=1"), True)
                    wrongs = [
                        ("", True),
                        ("=", True),
                        ("a=", True),
                        ("=a", True),
                        ("a", True),
                        ("no_such=1", True),
                        ("a.b.c=1", True),
                    ]
                elif flag == "--grid":
                    wrongs = [(word, True) for word in WORDS]
                    for key, number in set_keys(name, first)[:40]:
                        wrongs += [(f"{key}={value}", True) for value in ("", ",", "1,1", "no_such_name,x")]
                        wrongs += [(f"{key}={value}", number) for value in ("1_0,2_0", "1e400,1", "nan,1")]
                elif flag in ("--jobs", "--seeds"):
                    odd = {*NUMBERS_WRITTEN_ODDLY, "", " ", ",", "x" * 5000, "no_such_name", "5-0", "0-999999999"}
                    wrongs = [(word, word in odd - {"1,"}) for word in (*WORDS, "2000", "1000000000", "4294967296,")]
                else:
                    wrongs = [(word, word in ("", " ")) for word in WORDS]
                    if flag in ("--learners", "--measure", "--rule", "--as", "--fetch"):
                        wrongs = [(word, word not in ("\n",)) for word in WORDS]
                for word, wrong in wrongs:
                    more = () if flag == "--grid" and False else ()
                    yield Line((name, *right, *more, flag, word), wrong)
                yield Line((name, *right, flag), True)


def attacked(line: Line, out: Path) -> str:
    """What is wrong with the answer to a command line; empty where nothing is."""
    told, complaints = io.StringIO(), io.StringIO()
    words = list(line.words)
    takes_out = any("--out" in option.opts for option in commands()[words[0]].params)
    if takes_out and "--out" not in words:
        words += ["--out", str(out)]
    code: Any = 0
    out.parent.mkdir(exist_ok=True)
    os.chdir(tempfile.mkdtemp(dir=out.parent))  # an empty one for each
    before = {*out.parent.rglob("*")}
    try:
        with at_most(SECONDS), contextlib.redirect_stdout(told), contextlib.redirect_stderr(complaints):
            main(words)
    except SystemExit as end:
        code = end.code or 0
    except Began:
        code = "began"
    except Late:
        return "took too long"
    except BaseException as error:
        return f"raised {type(error).__name__}: {error}"[:150]
    err = complaints.getvalue()
    after = {*out.parent.rglob("*")} - before
    if code in (0, "began"):
        return "was accepted" if line.wrong else ""
    if code not in (1, 2):
        return f"ended with {code}"
    if after:
        return "wrote something although it was refused"
    if code == 2 and err.startswith(("Usage:", "Error: Option")):  # click's own
        return ""
    said = [text for text in err.splitlines() if text.strip() and not text.startswith("warning: ")]
    if len(said) != 1 or not said[0].startswith("error: ") or len(said[0]) < 15:
        return f"said {said[:3]!r}"[:150]
    if LIBRARY.search(said[0]) and not re.match(r"^error: [\w.+ ()-]+: \w+", said[0]) or "(--debug" in said[0]:
        return f"said what a library says: {said[0]}"[:200]
    return "" if said[0].isprintable() else "printed control characters"


def command_faults(number: int, out: Path) -> list[str]:
    every = list(lines())
    faults: list[str] = []

    @hypothesis.settings(
        max_examples=number, derandomize=True, database=None, deadline=None, suppress_health_check=list(hypothesis.HealthCheck)
    )
    @hypothesis.given(st.integers(0, len(every) - 1))
    def attack(place: int) -> None:
        line = every[place * 7919 % len(every)]  # neighbours are alike
        if fault := attacked(line, out):
            faults.append(f"{line} {fault}")

    attack()
    return faults


# Calls

ARRAY = np.array([[0.1, 0.5], [0.3, 0.2], [0.9, 0.4]])
WRONG: tuple[Any, ...] = (
    None, "", "no_such_name", "1_000", "a\x1b[31mb", 1 + 2j, b"bytes", datetime.date(2020, 1, 1), np.datetime64("2020-01-01"),
    math.nan, math.inf, -math.inf, -1, 0, -0.5, True, False, HUGE, -HUGE, 1e300, 2**63, [], {}, (), [[1, 2], [3]], [[[]]], [None],
    ["a"], [1 + 2j], {"a": 1}, {1: None}, {"": ""}, set(), object(), object, len, lambda: 1, np.zeros(0), np.zeros((2, 0)),
    np.zeros((1, 2, 3)), np.float64(2), np.array(3), np.array([1, math.nan]), np.array(["a"]), np.array([None]), np.array([2j]),
    np.array([2**62, 1]), np.ma.masked, 3 * mV, [1, 2] * mV, [1, 2] * ms, -1 * ms, Ellipsis, NotImplemented, range(0), iter([]),
    slice(1), ValueError("x"), sys, float, np.int8(3), [True], "٣", Path("no_such_file"), [1.5], "12", frozenset({"x"}), 3, 0.5,
)  # fmt: skip


@dataclass(frozen=True)
class Call:
    """A public callable, what is given to it rightly, and the parameter that is attacked."""

    title: str
    what: Callable[..., Any]
    right: tuple[tuple[str, Any], ...]
    parameter: str
    annotation: str

    def __str__(self) -> str:
        return f"{self.title}({self.parameter}=...)"


def public() -> Iterator[ModuleType]:
    """The packages that anyone may import, what they name in `__all__`, and every module that has such a list of its own."""
    for package in (plasticity, bridges, simulations):
        yield package
        for name in getattr(package, "__all__", ()):
            if isinstance(getattr(package, name), ModuleType):
                yield getattr(package, name)
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not found.name.startswith("simulations.peers") and not found.name.endswith("__main__"):
                module = importlib.import_module(found.name)
                if hasattr(module, "__all__"):
                    yield module


def callables() -> dict[str, Callable[..., Any]]:
    """Every public callable by its name: functions, classes, what is in the registries and its public methods."""
    found: dict[str, Callable[..., Any]] = {}
    seen: set[int] = set()

    def add(title: str, what: Any) -> None:
        one = getattr(what, "__func__", what)  # a method that is known under several names once
        if callable(what) and id(one) not in seen:
            seen.add(id(one))
            found[title] = what

    for module in public():
        for name in getattr(module, "__all__", None) or [name for name in vars(module) if not name.startswith("_")]:
            thing = getattr(module, name)
            ours = getattr(thing, "__module__", "") or ""
            if ours.startswith(
                module.__name__ if not hasattr(module, "__all__") else ("plasticity", "bridges", "simulations")
            ) and (inspect.isfunction(thing) or inspect.isclass(thing)):
                if not (inspect.isclass(thing) and (inspect.isabstract(thing) or issubclass(thing, BaseException))):
                    add(f"{module.__name__}.{name}", thing)
    for kind, entries in everything().items():
        for name, entry in entries.items():
            if kind == "learners":
                made = entry.build()
                add(f"{kind}.{name}", type(made))
            elif inspect.isclass(entry):
                add(f"{kind}.{name}", entry)
                if kind in ("simulations", "models"):
                    continue
                try:
                    made = entry()
                except TypeError:
                    continue
            else:
                made = entry
                add(f"{kind}.{name}.__call__", made) if kind != "datasets" else None
            for method, _ in inspect.getmembers(type(made), inspect.isroutine):
                own = getattr(getattr(type(made), method), "__module__", "") or ""
                if not method.startswith("_") and own.startswith(("plasticity", "bridges", "simulations")):
                    add(f"{kind}.{name}.{method}", getattr(made, method))
    return found


def _samples() -> dict[str, Any]:
    """Something right for an annotation."""
    from plasticity.balance import Stretches
    from plasticity.networks.balanced import Balanced
    from plasticity.rules import Eligibility, Landing, pair_stdp

    row, which = ARRAY[:, 0], np.array([0, 2, 1])

    return {
        "int": 3, "float": 0.5, "str": "x", "bool": False, "np.ndarray": ARRAY, "ArrayLike": ARRAY[:, 0], "Quantity": 10 * ms,
        "np.random.Generator": np.random.default_rng(0), "Rule": pair_stdp, "Landing": Landing(), "Eligibility": Eligibility("x"),
        "Sequence[Quantity]": [[10, 30] * ms], "Sequence[np.ndarray]": [ARRAY], "Task": plasticity.tasks.CuedDigits(train=20),
        "Mapping[str, Any]": {}, "dict[str, Any]": {}, "Iterable[str]": ["x"], "Sequence[float]": [0.5], "Path": Path("x"),
        "str | Path": "x", "Sequence[ArrayLike]": [ARRAY], "list[Any]": [], "Any": ARRAY, "type": int, "Callable": len,
        "Row": row, "Grid": ARRAY, "Indices": which, "Count": 3, "Above0": 0.5, "From0": 0.5, "Number": 0.5, "Share": 0.5,
        "Time": 10 * ms, "tuple[Indices, Row]": (which[:2], row[:2]), "tuple[float, float]": (0.0, 1.0),
        "Stretches": Stretches(1, 2, 1), "Balanced": Balanced(excitatory=800, inhibitory=500), "Mapping[str, np.ndarray]": {},
        "np.ndarray | float": row,
    }  # fmt: skip


SOON = {"plasticity.spike_trains.trains": {"inputs": 20, "in_pattern": 10, "stretch_s": 5.0}}  # given too: 150 s take long


def calls() -> list[Call]:
    samples = _samples()
    found = []
    for title, what in callables().items():
        try:
            parameters = inspect.signature(what).parameters
        except (TypeError, ValueError):
            continue
        taken = {
            name: one for name, one in parameters.items()
            if one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD) and name not in ("self", "cls")
        }  # fmt: skip
        notes = {
            name: one.annotation if isinstance(one.annotation, str) else getattr(one.annotation, "__name__", str(one.annotation))
            for name, one in taken.items()
        }
        right = tuple(
            (name, samples.get(notes[name], ARRAY)) for name, one in taken.items() if one.default is inspect.Parameter.empty
        )
        right += tuple(SOON.get(title, {}).items())
        for name in taken:
            found.append(Call(title, what, right, name, notes[name]))
        if isinstance(getattr(what, "parameters", None), dict):  # a rule or neuron, called for another one
            found += [Call(title, what, (), name, "") for name in what.parameters]
    return found


SIMPLE = {"int": (int, np.integer), "float": (int, float, np.integer, np.floating), "str": (str,), "bool": (bool,)}
SIMPLE |= {"Count": SIMPLE["int"], **dict.fromkeys(("Number", "Above0", "From0", "Share"), SIMPLE["float"])}
ANYTHING = ("with_options",)


def _of_the_call_itself(error: TypeError) -> bool:
    """Whether Python refused the call: an argument that is lacking or that the callable does not have."""
    return bool(re.search(r"^\S+\(\) (got an unexpected keyword|missing \d+ required|takes .* positional)", str(error)))


def fault_of(call: Call, value: Any) -> str:
    """What is wrong with the answer to a call; empty where nothing is.

    A refusal is a sentence of this project, a PlasticityError: one of NumPy, SciPy, Brian2 or torch names no argument of ours.
    """
    given = {**dict(call.right), call.parameter: value}
    try:
        with at_most(SECONDS), warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
                signature = inspect.signature(call.what).parameters
                first = [given.pop(name) for name, one in signature.items() if one.kind is one.POSITIONAL_ONLY and name in given]
                made = call.what(*first, **given)
                if hasattr(made, "get_params") and hasattr(made, "check"):  # an estimator's settings are looked at later
                    made.check()
                elif isinstance(made, Experiment):  # and an experiment's
                    settings.check(made)
                    made.refuse()
                if inspect.isgenerator(made):
                    next(made, None)
                elif hasattr(made, "__enter__") and not isinstance(made, Path):
                    with made:
                        pass
    except (Began, KeyboardInterrupt):
        return ""
    except Late:
        return "took too long"
    except PlasticityError as error:
        return "" if len(str(error).split()) >= 3 else f"said {str(error)!r}"
    except NotFittedError:  # which scikit-learn's own checks ask for
        return ""
    except TypeError as error:
        return "" if _of_the_call_itself(error) else f"raised TypeError: {error}"[:140]
    except BaseException as error:
        return f"raised {type(error).__name__}: {error}"[:140]
    if any(issubclass(one.category, RuntimeWarning) for one in told):
        return f"went on with a warning: {next(one.message for one in told if issubclass(one.category, RuntimeWarning))}"
    kinds = SIMPLE.get(call.annotation)
    if kinds and (not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds)):
        default = inspect.signature(call.what).parameters.get(call.parameter)
        if default is None or value is not default.default:
            if not (hasattr(value, "dtype") and np.asarray(value).dtype.kind in "biuf" and kinds is not SIMPLE["str"]):
                return f"accepted {type(value).__name__} for {call.annotation}"
    return ""


def call_faults(number: int) -> list[str]:
    """Of so many calls, drawn from all with every wrong value."""
    every = calls()
    faults: list[str] = []

    @hypothesis.settings(
        max_examples=number, derandomize=True, database=None, deadline=None, suppress_health_check=list(hypothesis.HealthCheck)
    )
    @hypothesis.given(st.integers(0, len(every) * len(WRONG) - 1))
    def attack(place: int) -> None:
        place = place * 7919 % (len(every) * len(WRONG))
        call, value = every[place % len(every)], WRONG[place // len(every)]
        if fault := fault_of(call, value):
            faults.append(f"{call} {builtins.type(value).__name__} {fault}")

    attack()
    return faults


def test_a_few_wrong_command_lines_are_refused_in_one_sentence(tmp_path):
    held(command_faults(30, tmp_path / "out" / "run"))


def test_a_few_wrong_calls_are_refused_in_a_sentence():
    held(call_faults(500))


@pytest.mark.full
def test_wrong_command_lines_are_refused_in_one_sentence_and_write_nothing(tmp_path):
    held(command_faults(600, tmp_path / "out" / "run"))


@pytest.mark.full
def test_every_wrong_call_is_refused_in_a_sentence():
    found = ((call, value, fault_of(call, value)) for call in calls() for value in WRONG)
    held([f"{call} {builtins.type(value).__name__} {fault}" for call, value, fault in found if fault])


def test_every_number_that_can_be_set_has_bounds():
    """One without would fill the memory, or say nothing of a slip of the hand; infinity is allowed where it is meant."""
    unbounded = []
    for kind, entries in everything().items():
        for name, entry in entries.items():
            for one in describe(entry.build() if kind == "learners" else entry):
                kinds = {*settings._alternatives(one.kind)} & {int, float}
                if kinds and one.high == settings.FINITE and one.below == math.inf:
                    unbounded.append(f"{name}.{one.name}")
    assert not unbounded


def test_a_task_that_memory_does_not_hold_is_refused_before_it_is_drawn():
    with pytest.raises(PlasticityError, match="about .* GB of memory, and this machine has"):
        plasticity.tasks.AssociativeRecall(train=9_000_000, pairs=1000)


def test_jobs_whose_trials_memory_does_not_hold_side_by_side_are_refused_or_fewer(monkeypatch, tmp_path):
    task = plasticity.tasks.CuedDigits(train=1000)
    monkeypatch.setattr("plasticity.memory.physical", lambda: 2.5 * task.bytes)
    monkeypatch.setattr(joblib, "cpu_count", lambda: 64)
    assert plasticity.parallel.check_jobs(None, task.bytes, 100) == 2
    with pytest.raises(PlasticityError, match="jobs=8: 4 at a time would take about"):
        bridges.compare(["guessing"], task, seeds=4, jobs=8)
    with pytest.raises(PlasticityError, match="jobs=8: 4 at a time would take about"):
        sweep(on_task(type(task), ["guessing"]), {"train": ["1000", "999"]}, [0, 1], jobs=8, out=tmp_path / "out")


@pytest.mark.parametrize("seeds", [[1.5], "12", True, [True], 2**32 * 10, [2**32], None, {}, [[1]], 1.0], ids=repr)
def test_seeds_that_are_none_are_refused_everywhere(seeds):
    with pytest.raises(PlasticityError, match="seed"):
        bridges.compare(["guessing"], plasticity.tasks.CuedDigits(train=20), seeds=seeds)


@pytest.mark.parametrize("name", ["double", "int", "for", "N", "lastspike"])
def test_a_parameter_has_no_name_that_the_simulator_keeps(name):
    with pytest.raises(PlasticityError, match=f"cannot be called {name!r}"):
        plasticity.rules.Rule("r", "s", "s", {name: 1.0}, {name: "one"}, on_post=f"dw = {name}")


def test_a_probe_has_labels_of_the_kind_of_those_of_training():
    trials = plasticity.tasks.CuedDigits(train=20, validation=10, test=10).draw(np.random.default_rng(0))
    for learner in (plasticity.SpikingClassifier(), bridges.TorchClassifier()):
        with pytest.raises(PlasticityError, match="labels of one type"):
            learner.fit(trials.train.X, trials.train.y, probe=(trials.validation.X, trials.validation.y.astype(str)))


def test_a_gzip_file_that_unpacks_to_too_much_is_refused_without_unpacking_it(monkeypatch):
    import gzip

    from plasticity import files

    monkeypatch.setattr(files, "MOST_BYTES", 2**16)
    assert files.unpacked(gzip.compress(bytes(100)) + gzip.compress(b"x")) == bytes(100) + b"x"
    with pytest.raises(PlasticityError, match="holds more than"):
        files.unpacked(gzip.compress(bytes(2**20)))


def test_bytes_that_are_no_text_are_printable():
    assert plasticity.errors.printable("a\udcffb") == "a?b"


FOUND = {  # by longer runs of the generator
    "a comparison of nothing": (lambda: bridges.Comparison({}, {}), "configuration lacks learners, seeds"),
    "no expression": (lambda: ENCODERS["poisson"].group(3, "inputs", rate=" ", period=10 * ms), "rate is empty"),
    "no values": (lambda: plasticity.learners.SpikingMemory().expected_error(3, values=0), "values=0 must be"),
    "no such variable": (
        lambda: NEURONS["lif_current"].group(3, "cells", values={"u": 1}),
        "unknown variable of the neurons 'u'",
    ),
    "trains without end": (
        lambda: plasticity.spike_trains.trains(np.random.default_rng(0), stretch_s=math.inf),
        "stretch_s=inf must be finite",
    ),
    "trains that memory does not hold": (
        lambda: plasticity.spike_trains.trains(np.random.default_rng(0), inputs=10**9),
        "trains of inputs=1000000000 for 150 s would take about",
    ),
    "a network of no number": (
        lambda: plasticity.networks.two_groups.TwoGroups([1]),
        "must be",
    ),
    "spikes of no fit": (lambda: plasticity.pair_fit.best_pair_rule(1.0, [], ARRAY, ARRAY), "pre=1.0 must be"),
    "a time for trains": (
        lambda: plasticity.protocols.weight_change(plasticity.rules.pair_stdp, [[1] * ms], -1 * ms),
        "must hold a list of spike times",
    ),
}


@pytest.mark.parametrize("call", FOUND)
def test_what_was_found_once_is_refused_in_its_own_words(call):
    calls, words = FOUND[call]
    with pytest.raises(PlasticityError, match=re.escape(words)):
        calls()
