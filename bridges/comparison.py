"""Learners of both sides on the same trials, the same seeds, judged the same way.

For each seed the trials of a task are drawn once from a generator that depends on the seed alone, so every learner meets the very
same trials (each record holds the sha256 of them, and a comparison refuses to pair records that differ). Accuracies are then
compared in pairs, seed by seed.
"""

from __future__ import annotations

import contextlib
import csv
import functools
import hashlib
import inspect
import io
import json
import math
import os
import re
import signal
import sys
import tempfile
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from plasticity.errors import PlasticityError, WrongUse, unknown
from plasticity.registry import Registry

if TYPE_CHECKING:
    from rich.table import Table

    from plasticity.records import Record
    from plasticity.tasks import Task

Progress = Callable[[float, int, int], None]  # fraction of all work, finished jobs, all jobs


class Interrupted(KeyboardInterrupt):
    """Ctrl-C, with a sentence that says what was kept and how to go on."""


# The learners


@dataclass(frozen=True)
class LearnerEntry:
    """One learner that `compare` knows by name.

    `build()` makes the estimator (imports happen there, so that listing learners imports neither Brian2 nor PyTorch);
    `cost` is about how long a fit takes beside the others: long jobs start first. `streams` says for which tasks it is chosen
    where no learners are named: those that show "one" image at a time, "many", or "any".
    """

    name: str
    side: str  # "spiking", "torch" or "control"
    summary: str
    source: str
    build: Callable[[], Any]
    cost: float = 1.0
    streams: str = "many"

    def factory(self, random_state: int = 0, settings: Mapping[str, Any] | None = None) -> Any:
        """The estimator with its random state and some constructor parameters set (texts are converted)."""
        estimator = configure_estimator(self.name, self.build(), settings or {})
        return estimator.set_params(random_state=random_state)


def _spiking(gate: str) -> Any:
    from plasticity import gates
    from plasticity.learners import SpikingClassifier

    made = {
        "gated": lambda: gates.InputGain(),
        "no_gate": lambda: gates.NoGate(),
        "shuffled_gate": lambda: gates.ShuffledGate(),
        "equal_gain": lambda: gates.EqualGain(),
    }
    return SpikingClassifier(gate=made[gate]())


def _unsupervised() -> Any:
    from plasticity.unsupervised import DiehlCookClassifier

    return DiehlCookClassifier(neurons=100, passes=3, block=200, readout="proportion")


def _torch(model: str, **settings: Any) -> Any:
    from bridges.learner import TorchClassifier

    return TorchClassifier(model=model, **settings)


def _guessing() -> Any:
    from sklearn.dummy import DummyClassifier

    return DummyClassifier(strategy="uniform")


FEW_SEEDS = "few seeds: an interval is hardly more than their range, and no p can be small"
GIVEN = "The gate of the spiking learners is told what the cue means; the torch learners have to learn it, over repeated passes."
FIT = "Fit: seconds of training with its learning curve, compilation apart."
"""What is not alike on the two sides stands under every table that shows both; the first where there is a cue."""

_DIEHL_COOK = "Diehl & Cook 2015, doi:10.3389/fncom.2015.00099"

LEARNERS: Registry[LearnerEntry] = Registry(
    "learner",
    [
        LearnerEntry(
            "spiking_gated",
            "spiking",
            "spiking network, local plasticity, gain of the cued stream up and of the other one down",
            _DIEHL_COOK,
            functools.partial(_spiking, "gated"),
            20.0,
            "any",
        ),
        LearnerEntry(
            "spiking_no_gate",
            "spiking",
            "the same network without a gate: gain 1 on both streams",
            _DIEHL_COOK,
            functools.partial(_spiking, "no_gate"),
            20.0,
        ),
        LearnerEntry(
            "spiking_shuffled_gate",
            "spiking",
            "the same network, the gains of the gate on a stream drawn at random",
            _DIEHL_COOK,
            functools.partial(_spiking, "shuffled_gate"),
            20.0,
        ),
        LearnerEntry(
            "spiking_equal_gain",
            "spiking",
            "the same network, the mean of the gains on both streams: the same total drive",
            _DIEHL_COOK,
            functools.partial(_spiking, "equal_gain"),
            20.0,
        ),
        LearnerEntry(
            "softmax_attention",
            "torch",
            "softmax attention over the streams, the cue as query, trained by gradient",
            "Vaswani et al. 2017, arXiv:1706.03762",
            functools.partial(_torch, "softmax_attention"),
            6.0,
        ),
        LearnerEntry(
            "uniform_attention",
            "torch",
            "the same network with equal weights on the streams",
            "control: Vaswani et al. 2017, arXiv:1706.03762",
            functools.partial(_torch, "uniform_attention"),
            5.0,
        ),
        LearnerEntry(
            "mlp",
            "torch",
            "multilayer perceptron that gets both images and the cue, trained by gradient",
            "Rumelhart, Hinton & Williams 1986, doi:10.1038/323533a0",
            functools.partial(_torch, "mlp"),
            4.0,
            "any",
        ),
        LearnerEntry(
            "diehl_cook",
            "spiking",
            "spiking network that learns from images without labels, which then name its neurons",
            _DIEHL_COOK,
            _unsupervised,
            30.0,
            "one",
        ),
        LearnerEntry(
            "patch_attention",
            "torch",
            "self-attention among the patches of the images, trained by gradient",
            "Dosovitskiy et al. 2021, arXiv:2010.11929",
            functools.partial(  # chosen on validation trials of draws 100 and 101
                _torch, "patch_attention", learning_rate=2e-3, weight_decay=0.1, epochs=100, patience=30
            ),
            30.0,
            "one",
        ),
        LearnerEntry(
            "guessing",
            "control",
            "a class drawn uniformly at random",
            "baseline: scikit-learn, sklearn.dummy.DummyClassifier",
            _guessing,
            0.1,
            "any",
        ),
    ],
)


def _convert(owner: str, name: str, default: Any, text: Any) -> Any:
    """A text as the type that the parameter has by default; names of rules, gates and neurons become these."""
    if not isinstance(text, str) or isinstance(default, str):
        return text
    if name in ("rule", "gate", "neuron"):
        return _known_objects(name)[text]
    try:
        if isinstance(default, bool):
            return {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}[text.lower()]
        if isinstance(default, (int, np.integer)):
            return int(text)
        if isinstance(default, (float, np.floating)):
            return float(text)
        if isinstance(default, (tuple, list)):
            inner = type(default[0]) if len(default) else float
            return tuple(inner(part) for part in text.split(",") if part.strip())
    except (ValueError, KeyError):
        raise WrongUse(f"{owner}: {name}={text!r} is not of type {type(default).__name__}.") from None
    if default is None:
        for kind in (int, float):
            with contextlib.suppress(ValueError):
                return kind(text)
        return None if text.lower() == "none" else text
    raise WrongUse(f"{owner}: {name} cannot be written on the command line; set it in Python.")


def _known_objects(kind: str) -> Mapping[str, Any]:
    if kind == "rule":
        from plasticity.rules import RULES

        return RULES
    if kind == "gate":
        from plasticity.gates import GATES

        return _Instances(GATES)
    from plasticity.neurons import NEURONS

    return NEURONS


class _Instances(dict):
    """A registry of classes read as one of default instances."""

    def __init__(self, registry: Mapping[str, Any]) -> None:
        super().__init__()
        self.registry = registry

    def __missing__(self, name: str) -> Any:
        entry = self.registry[name]
        return entry() if inspect.isclass(entry) else entry


def configure_estimator(name: str, estimator: Any, settings: Mapping[str, Any]) -> Any:
    """Set constructor parameters of an estimator; an unknown one is refused with the known ones.

    A nested parameter is written with a dot or two underscores: `gate.attended=3` replaces a field of the parameter `gate`.
    """
    import dataclasses

    known = {key: value for key, value in estimator.get_params(deep=False).items() if key != "random_state"}
    chosen: dict[str, Any] = {}
    for key, value in settings.items():
        outer, _, inner = key.replace("__", ".").partition(".")
        if outer not in known:
            raise unknown(f"parameter of {name}", outer, known)
        if not inner:
            chosen[outer] = _convert(name, outer, known[outer], value)
            continue
        owner = chosen.get(outer, known[outer])
        if not dataclasses.is_dataclass(owner) or isinstance(owner, type):
            raise WrongUse(f"{name}: {outer} has no settings of its own; write {outer}=value.")
        fields = {f.name: getattr(owner, f.name) for f in dataclasses.fields(owner) if f.init}
        if inner not in fields:
            raise unknown(f"setting of {outer} of {name}", inner, fields)
        chosen[outer] = dataclasses.replace(owner, **{inner: _convert(f"{name}: {outer}", inner, fields[inner], value)})
    return estimator.set_params(**chosen)


def _plain(value: Any) -> Any:
    """A parameter as JSON can hold it, the same text in every process (no addresses in memory)."""
    import dataclasses

    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Mapping):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(entry) for entry in value]
    if hasattr(value, "name") and hasattr(value, "parameters"):
        return {"name": value.name, "parameters": {str(key): str(entry) for key, entry in dict(value.parameters).items()}}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {
            f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value) if not callable(getattr(value, f.name))
        }
        return {"name": getattr(value, "name", type(value).__name__), **fields}
    return re.sub(r" at 0x[0-9a-f]+", "", repr(value))


_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")  # of a learner; it is part of a file's name


@dataclass(frozen=True)
class _Learner:
    name: str
    side: str
    estimator: Any
    cost: float

    def parameters(self) -> dict[str, Any]:
        parameters = self.estimator.get_params(deep=False)
        return {key: _plain(value) for key, value in parameters.items() if key != "random_state"}


def _side(estimator: Any) -> str:
    package = type(estimator).__module__.partition(".")[0]
    return {"plasticity": "spiking", "bridges": "torch"}.get(package, "control")


def chosen_for(task: Task) -> list[str]:
    """The learners that a task is put to where none are named."""
    number = "one" if int(getattr(task, "streams", 1)) == 1 else "many"
    return [name for name, entry in LEARNERS.items() if entry.streams in (number, "any")]


def _resolve(learners: Iterable[Any] | None, settings: Mapping[str, Mapping[str, Any]], task: Task) -> list[_Learner]:
    if isinstance(learners, str):
        learners = [learners]
    resolved: list[_Learner] = []
    streams = int(getattr(task, "streams", 1))
    for given in chosen_for(task) if learners is None else learners:
        if isinstance(given, str):
            entry = LEARNERS[given]
            name, side, estimator, cost = entry.name, entry.side, entry.build(), entry.cost
        else:
            name, estimator = given if isinstance(given, tuple) and len(given) == 2 else (type(given).__name__, given)
            if not (hasattr(estimator, "fit") and hasattr(estimator, "predict") and hasattr(estimator, "get_params")):
                raise WrongUse(f"a learner is a name or a scikit-learn estimator, not {given!r}; names: {', '.join(LEARNERS)}.")
            from sklearn.base import clone

            estimator, side = clone(estimator), _side(estimator)
            cost = 20.0 if side == "spiking" else 5.0
        if not _NAME.fullmatch(str(name)):
            raise WrongUse(f"the name of a learner is made of letters, digits, '_', '-' and '.', not {name!r}.")
        if any(name == other.name for other in resolved):
            raise WrongUse(
                f"two learners are named {name!r}; name estimators apart: [('first', estimator), ('second', estimator)]."
            )
        if "streams" in estimator.get_params(deep=False):  # a fact of the task
            estimator = estimator.set_params(streams=streams)
        elif name == "diehl_cook" and streams > 1:
            raise WrongUse(f"{name} sees one image at a time; {task.name} shows {streams}. Try the task digits.")
        mine = {**settings.get(side, {}), **settings.get(name, {})}
        resolved.append(_Learner(name, side, configure_estimator(name, estimator, mine), cost))
    if not resolved:
        raise WrongUse(f"no learner was given; known: {', '.join(LEARNERS)}.")
    known = {learner.name for learner in resolved} | {learner.side for learner in resolved}
    for key in settings:
        if key not in known:
            raise unknown("learner in a setting", key, known)
    return resolved


# One learner, one seed


def trials_generator(seed: int) -> np.random.Generator:
    """The generator of the trials of one seed: of the seed alone, and apart from what a learner draws with that seed."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(0,)))


def fingerprint(draw: Any) -> str:
    """sha256 over all arrays of a draw: equal exactly if the trials are equal."""
    digest = hashlib.sha256()
    for part in (draw.train, draw.validation, draw.test):
        for name in ("stimulus", "cue", "label", "stream_label", "image"):
            array = np.ascontiguousarray(getattr(part, name))
            digest.update(f"{name} {array.dtype.str} {array.shape};".encode())
            digest.update(array.tobytes())
    return digest.hexdigest()


class _Failure(NamedTuple):
    sentence: str
    wrong_use: bool
    details: str


class _Job(NamedTuple):
    learner: _Learner
    task: Any
    seed: int
    progress_file: str | None  # a worker writes its fraction there


class _WorkerTraceback(Exception):
    """The traceback of a worker process, shown under --debug."""


@contextlib.contextmanager
def _one_thread(side: str) -> Iterator[None]:
    """BLAS, OpenMP and PyTorch on one thread: parallel over seeds, and the same sums in the same order everywhere."""
    from threadpoolctl import threadpool_limits

    if side == "torch" or "torch" in sys.modules:  # another thread of a cluster's worker may be half way through importing it
        import torch  # noqa: F401  (so that its threads are limited below)
    torch_module = sys.modules.get("torch")
    before = torch_module.get_num_threads() if torch_module else 0
    with threadpool_limits(limits=1):
        if torch_module:
            torch_module.set_num_threads(1)
        try:
            yield
        finally:
            if torch_module:
                torch_module.set_num_threads(before)


def _work(learner: _Learner, task: Any, seed: int, report: Callable[..., None]) -> dict[str, Any]:
    """Draw the trials of the seed, fit, predict the test trials; what the record of this pair says."""
    from sklearn.base import clone

    from plasticity.statistics import trials_to

    draw = task.draw(trials_generator(seed))
    train, validation, test = draw.train, draw.validation, draw.test
    estimator = clone(learner.estimator).set_params(random_state=seed)
    accepted = inspect.signature(estimator.fit).parameters
    extra: dict[str, Any] = {}
    if "probe" in accepted:
        extra["probe"] = (validation.X, validation.y)
    if "progress" in accepted:
        extra["progress"] = report
    with _one_thread(learner.side):
        start = time.perf_counter()
        estimator.fit(train.X, train.y, **extra)
        fitted = time.perf_counter()
        predictions = np.asarray(estimator.predict(test.X), dtype=np.int64)
        predicted = time.perf_counter()
        history = getattr(estimator, "history_", None)
        if history is None:  # an estimator that keeps no learning curve: its end alone
            history = {"trials": [len(train)], "accuracy": [np.mean(estimator.predict(validation.X) == validation.y)]}
    history_trials = np.asarray(history["trials"], dtype=np.float64)
    history_accuracy = np.asarray(history["accuracy"], dtype=np.float64)
    reached = float(trials_to(history_trials, history_accuracy, fraction=0.8)) if len(history_trials) > 1 else math.nan
    parameters = getattr(estimator, "parameters_", None)
    arrays = {
        "history_trials": history_trials,
        "history_accuracy": history_accuracy,
        "predictions": predictions,
        "labels": test.y,
        **{name: np.asarray(array) for name, array in getattr(estimator, "arrays_", {}).items()},
    }
    numbers = {
        "learner": learner.name,
        "accuracy": float(np.mean(predictions == test.y)),
        "chance": float(task.chance),
        "ceiling": float(task.ceiling),
        "trials_to_80": _finite(reached),
        "seconds": fitted - start - getattr(estimator, "compile_seconds_", 0.0),
        "seconds_compile": getattr(estimator, "compile_seconds_", 0.0),
        "seconds_predict": predicted - fitted,
        "parameters": None if parameters is None else int(parameters),
        "training_trials": len(train),
        "features": int(train.stimulus.shape[2]),
        "trials_sha256": fingerprint(draw),
    }
    return {"numbers": numbers, "arrays": arrays, "backend": str(getattr(estimator, "backend_", learner.side))}


def _attempt(job: _Job, report: Callable[..., None]) -> dict[str, Any] | _Failure:
    """The work of one pair, or the sentence that names the learner and the seed that failed."""
    try:
        return _work(job.learner, job.task, job.seed, report)
    except Exception as error:
        what = str(error).strip() if isinstance(error, PlasticityError) else f"{type(error).__name__}: {error}"
        sentence = f"{job.learner.name} failed at seed {job.seed}: {' '.join(what.split()) or 'no reason given'}"
        return _Failure(sentence, isinstance(error, WrongUse), traceback.format_exc())


@functools.cache
def _end_with(parent: int) -> None:
    """A worker whose parent was killed outright ends within a second, and the program that it runs ends with it."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _job_in_worker(job: _Job, parent: int) -> tuple[_Job, dict[str, Any] | _Failure]:
    """One pair in a process of its own. Ctrl-C is the parent's to handle; programs started here still get it."""
    signal.signal(signal.SIGINT, lambda *_: None)
    _end_with(parent)
    last = 0.0

    def report(fraction: float, note: str = "") -> None:
        nonlocal last
        now = time.monotonic()
        if job.progress_file and (now - last > 0.1 or fraction >= 1):
            last = now
            with contextlib.suppress(OSError):
                Path(job.progress_file).write_text(f"{float(fraction):.4f}")

    return job, _attempt(job, report)


def _job_on_cluster(job: _Job, tell: Callable[..., None]) -> dict[str, Any] | _Failure:
    return _attempt(job, tell)


class _Meter:
    """How much of all jobs is done, weighted by their cost; reads the files of the workers from a thread."""

    def __init__(self, jobs: Sequence[_Job], kept: Sequence[_Learner], progress: Progress | None) -> None:
        self.progress = progress
        self.costs = {(job.seed, job.learner.name): job.learner.cost for job in jobs}
        self.fractions = dict.fromkeys(self.costs, 0.0)
        self.files = {(job.seed, job.learner.name): Path(job.progress_file) for job in jobs if job.progress_file}
        self.finished = len(kept)
        self.total = len(jobs) + len(kept)
        self.kept_cost = sum(learner.cost for learner in kept)
        self.stopped = threading.Event()
        self.lock = threading.Lock()
        self.thread = threading.Thread(target=self._poll, daemon=True)

    def __enter__(self) -> _Meter:
        self.show()
        if self.progress and self.files:
            self.thread.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self.stopped.set()
        if self.thread.is_alive():
            self.thread.join(timeout=2)

    def _poll(self) -> None:
        while not self.stopped.wait(0.25):
            for key, path in self.files.items():
                if self.fractions[key] < 1:
                    with contextlib.suppress(OSError, ValueError):
                        self.set(key, float(path.read_text()))
            self.show()

    def set(self, key: tuple[int, str], fraction: float) -> None:
        with self.lock:
            self.fractions[key] = max(self.fractions[key], min(float(fraction), 0.99))

    def done(self, job: _Job) -> None:
        with self.lock:
            self.fractions[(job.seed, job.learner.name)] = 1.0
            self.finished += 1
        self.show()

    def show(self) -> None:
        if self.progress is None:
            return
        with self.lock:
            done = self.kept_cost + sum(self.costs[key] * fraction for key, fraction in self.fractions.items())
            whole = self.kept_cost + sum(self.costs.values())
            self.progress(done / whole if whole else 1.0, self.finished, self.total)


def _finish_jobs(
    jobs: Sequence[_Job], n_jobs: int, meter: _Meter
) -> Generator[tuple[_Job, dict[str, Any] | _Failure], None, None]:
    """Each pair as soon as it is done: in this process if n_jobs is 1, else in workers that die with this generator."""
    from plasticity.parallel import each, on_cluster

    if on_cluster():
        yield from each(_job_on_cluster, jobs)
        return
    if n_jobs == 1 or len(jobs) <= 1:
        for job in jobs:
            key = (job.seed, job.learner.name)

            def report(fraction: float, note: str = "", key: tuple[int, str] = key) -> None:
                meter.set(key, fraction)
                meter.show()

            yield job, _attempt(job, report)
        return
    import joblib

    results: Any = None
    try:
        with joblib.parallel_config(backend="loky", inner_max_num_threads=1):
            parallel = joblib.Parallel(n_jobs=min(n_jobs, len(jobs)), return_as="generator_unordered", batch_size=1)
            results = parallel(joblib.delayed(_job_in_worker)(job, os.getpid()) for job in jobs)
        yield from results
    except joblib.externals.loky.process_executor.TerminatedWorkerError:
        raise PlasticityError(
            "a worker process was ended from outside, perhaps for lack of memory; run the same command again with fewer --jobs."
        ) from None
    finally:
        if results is not None:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # joblib remarks that not all results were read
                results.close()  # ends the workers, and what they started, if they still run


# The whole run


def record_name(seed: int, learner: str) -> str:
    """Where the record of one pair lies in the folder of a run: seed-0003/spiking_gated."""
    return f"seed-{seed:04d}/{learner}"


def check_seeds(seeds: Iterable[int]) -> list[int]:
    """The seeds as a list: at least one, none negative, none twice."""
    listed = [int(seed) for seed in seeds]
    if not listed:
        raise WrongUse("0 seeds were asked for; a comparison needs at least one, for example --seeds 10.")
    if min(listed) < 0:
        raise WrongUse(f"a seed is a whole number from 0 on, not {min(listed)}.")
    if len(set(listed)) < len(listed):
        raise WrongUse(f"each seed can be given once; given were {', '.join(map(str, listed))}.")
    return listed


def check_jobs(jobs: int | None) -> int:
    """How many processes: as many as there are cores unless stated."""
    import joblib

    if jobs is None:
        return joblib.cpu_count()
    if jobs < 1:
        raise WrongUse(f"--jobs is the number of processes, 1 or more, not {jobs}.")
    return int(jobs)


def _configuration(task: Task, learners: Sequence[_Learner], seeds: list[int]) -> dict[str, Any]:
    """What was asked, as JSON can hold it: two runs are parts of one comparison exactly if these are equal."""
    from plasticity import settings as declared

    streams = int(getattr(task, "streams", 1))
    asked = {
        "command": "compare",
        "task": task.name,
        "settings": {entry.name: _plain(getattr(task, entry.name)) for entry in declared.describe(task)},
        "facts": {
            "chance": float(task.chance),
            "ceiling": float(task.ceiling),
            "classes": int(task.classes),
            "streams": streams,
            "without_attention": float(getattr(task, "without_attention", 1 / streams)) if streams > 1 else None,
        },
        "learners": [learner.name for learner in learners],
        "sides": {learner.name: learner.side for learner in learners},
        "parameters": {learner.name: learner.parameters() for learner in learners},
        "seeds": seeds,
    }
    return json.loads(json.dumps(asked))


def compare(
    learners: Iterable[Any] | None = None,
    task: Task | str = "cued_digits",
    seeds: Iterable[int] = range(10),
    jobs: int | None = None,
    out: str | os.PathLike[str] | None = None,
    force: bool = False,
    progress: Progress | None = None,
    settings: Mapping[str, Mapping[str, Any]] | None = None,
) -> Comparison:
    """Fit every learner on the same trials of every seed and compare them in pairs.

    Parameters
    ----------
    learners : names of `LEARNERS`, scikit-learn estimators (named by their class), pairs (name, estimator); by default
        those that suit the task (`chosen_for`)
    task : a task or the name of one
    seeds : whole numbers; the trials of a seed, and the random state of every learner, follow from it alone
    jobs : processes; as many as there are cores by default. 1 runs in this process, with the same numbers to the bit
    out : folder for the records; without one they are kept in memory only. An interrupted run goes on where it stopped
    force : replace a finished run in `out`
    progress : called with (fraction of the work, finished jobs, all jobs)
    settings : constructor parameters by learner or side: {"spiking": {...}, "mlp": {...}}

    Raises
    ------
    WrongUse
        Unknown names, no seeds, a finished run in `out` without `force`.
    PlasticityError
        A learner failed; what was finished before stays in `out`.
    """
    from plasticity.records import Record, RunFolder, provenance

    if isinstance(task, str):
        from plasticity.tasks import TASKS

        task = TASKS[task]()
    seed_list, n_jobs = check_seeds(seeds), check_jobs(jobs)
    resolved = _resolve(learners, settings or {}, task)
    configuration = _configuration(task, resolved, seed_list)
    told = provenance()
    records: dict[tuple[int, str], Record] = {}

    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(RunFolder.open(Path(out), configuration, force=force)) if out is not None else None
        files = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="plasticity-progress-")))
        todo: list[_Job] = []
        kept: list[_Learner] = []
        for learner in resolved:
            for seed in seed_list:
                found = folder.record(record_name(seed, learner.name)) if folder is not None else None
                if found is None:
                    todo.append(_Job(learner, task, seed, str(files / f"{seed}-{learner.name}") if n_jobs > 1 else None))
                else:
                    records[seed, learner.name] = found
                    kept.append(learner)
        todo.sort(key=lambda job: -job.learner.cost)  # the long ones first, so that no core waits at the end
        meter = stack.enter_context(_Meter(todo, kept, progress))
        results = _finish_jobs(todo, n_jobs, meter)
        stack.callback(results.close)
        try:
            for job, result in results:
                if isinstance(result, _Failure):
                    stays = f" (the finished ones stay in {out})" if folder is not None and records else ""
                    raise (WrongUse if result.wrong_use else PlasticityError)(
                        result.sentence.rstrip(".") + stays + "."
                    ) from _WorkerTraceback("\n" + result.details)
                numbers = result["numbers"]
                record = Record(
                    simulation="compare",
                    configuration={
                        **{key: configuration[key] for key in ("task", "settings", "facts")},
                        "learner": job.learner.name,
                        "parameters": configuration["parameters"][job.learner.name],
                    },
                    seed=job.seed,
                    numbers=numbers,
                    arrays=result["arrays"],
                    wall_s=numbers["seconds"] + numbers["seconds_predict"],
                    backend=result["backend"],
                    threads=1,
                    provenance=told,
                )
                if folder is not None:
                    folder.save(record_name(job.seed, job.learner.name), record)
                records[job.seed, job.learner.name] = record
                meter.done(job)
        except KeyboardInterrupt:
            if folder is None:
                raise Interrupted("interrupted; nothing was kept, because no output folder was given (out=...).") from None
            written = (record_name(job.seed, job.learner.name) for job in todo)  # one may be written and not yet counted
            finished = len(kept) + sum(folder.holds(name) for name in written)
            raise Interrupted(
                f"interrupted: {finished} of {len(todo) + len(kept)} jobs are finished and kept in {out}; "
                "the same command goes on from there."
            ) from None
        comparison = Comparison(configuration, records, None if out is None else Path(out))
        if folder is not None:
            comparison.write_csv(folder.path)
            folder.finish(comparison.to_json())
    return comparison


# Its result


def _finite(value: float) -> float | None:
    return float(value) if value is not None and math.isfinite(value) else None


@dataclass
class Comparison:
    """The records of all learners and seeds, and what follows from them.

    configuration : what was asked: task, settings, facts (chance, ceiling, ...), learners, sides, parameters, seeds
    records : by (seed, learner)
    folder : where they lie, or None
    """

    configuration: dict[str, Any]
    records: dict[tuple[int, str], Record]
    folder: Path | None = None
    learners: list[str] = field(init=False)
    seeds: list[int] = field(init=False)

    def __post_init__(self) -> None:
        present = {name for _, name in self.records}
        self.learners = [name for name in self.configuration["learners"] if name in present]
        self.seeds = [int(seed) for seed in self.configuration["seeds"]]
        if not self.learners:
            raise PlasticityError(
                f"there is no finished record in {self.folder or 'this comparison'}; run `plasticity compare` first."
            )
        for seed in self.seeds:
            prints = {
                name: self.records[seed, name].numbers["trials_sha256"] for name in self.learners if (seed, name) in self.records
            }
            if len(set(prints.values())) > 1:
                first = self.learners[0]
                odd = next(name for name, text in prints.items() if text != next(iter(prints.values())))
                raise PlasticityError(
                    f"seed {seed}: {odd} met other trials than {next(iter(prints), first)} (their sha256 differ), so they cannot "
                    "be compared in pairs; run the comparison again with --force."
                )

    @property
    def task(self) -> str:
        """The name of the task."""
        return self.configuration["task"]

    @property
    def chance(self) -> float:
        """Accuracy of guessing."""
        return float(self.configuration["facts"]["chance"])

    @property
    def ceiling(self) -> float:
        """Accuracy of an ideal observer."""
        return float(self.configuration["facts"]["ceiling"])

    @property
    def without_attention(self) -> float | None:
        """Accuracy of one that reads every stream but not the cue, or None if the task has a single stream."""
        return self.configuration["facts"]["without_attention"]

    @property
    def missing(self) -> int:
        """How many pairs of seed and learner have no record yet."""
        return len(self.seeds) * len(self.configuration["learners"]) - len(self.records)

    def side(self, learner: str) -> str:
        """Which side a learner is on: spiking, torch or control."""
        return self.configuration["sides"][learner]

    def of(self, learner: str) -> list[Record]:
        """The records of one learner in the order of the seeds."""
        return [self.records[seed, learner] for seed in self.seeds if (seed, learner) in self.records]

    def numbers(self, learner: str, key: str) -> np.ndarray:
        """One number of a learner for every seed, (seeds,) float64; nan where there is none."""
        values = [record.numbers.get(key) for record in self.of(learner)]
        return np.array([math.nan if value is None else value for value in values], dtype=np.float64)

    @functools.cached_property
    def intervals(self) -> dict[str, tuple[float, float]]:
        """The 95 % interval (BCa bootstrap over seeds) of the mean accuracy of each learner."""
        from plasticity.statistics import interval

        return {name: interval(self.numbers(name, "accuracy")) for name in self.learners}

    @functools.cached_property
    def best(self) -> str:
        """The learner with the highest mean accuracy."""
        return max(self.learners, key=lambda name: self.numbers(name, "accuracy").mean())

    @functools.cached_property
    def differences(self) -> dict[str, dict[str, float]]:
        """Every other learner minus the best, paired by seed: mean, low, high, effect (Hedges-corrected d_z), p, p_holm."""
        from plasticity.statistics import holm, paired_difference

        found: dict[str, dict[str, float]] = {}
        for name in self.learners:
            if name == self.best:
                continue
            common = [seed for seed in self.seeds if (seed, name) in self.records and (seed, self.best) in self.records]
            a = np.array([self.records[seed, name].numbers["accuracy"] for seed in common], dtype=np.float64)
            b = np.array([self.records[seed, self.best].numbers["accuracy"] for seed in common], dtype=np.float64)
            if len(common) < 2:  # one seed says nothing about the spread
                mean = float((a - b).mean()) if common else math.nan
                found[name] = {"mean": mean, "low": math.nan, "high": math.nan, "effect": math.nan, "p": math.nan}
            else:
                pair = paired_difference(a, b)
                found[name] = {"mean": pair.mean, "low": pair.low, "high": pair.high, "effect": pair.effect, "p": pair.p}
        known = [name for name, entry in found.items() if math.isfinite(entry["p"])]
        adjusted = dict(zip(known, holm([found[name]["p"] for name in known]), strict=True)) if known else {}
        for name, entry in found.items():
            entry["p_holm"] = float(adjusted.get(name, math.nan))
        return found

    def to_json(self) -> dict[str, Any]:
        """The summary; a number that does not exist (an interval from one seed) is null.

        `accuracy.seeds` are the accuracies in the order of `seeds`; `p` of a difference is corrected (Holm) over all of them.
        """
        learners = []
        for name in self.learners:
            low, high = self.intervals[name]
            accuracies, trials = self.numbers(name, "accuracy"), self.numbers(name, "trials_to_80")
            trials = trials[np.isfinite(trials)]
            parameters = self.of(name)[0].numbers["parameters"]
            learners.append(
                {
                    "name": name,
                    "side": self.side(name),
                    "accuracy": {
                        "mean": float(accuracies.mean()),
                        "low": _finite(low),
                        "high": _finite(high),
                        "seeds": [float(value) for value in accuracies],
                    },
                    "trials_to_80": (
                        {"median": float(np.median(trials)), "low": float(trials.min()), "high": float(trials.max())}
                        if len(trials)
                        else None
                    ),
                    "seconds": float(np.median(self.numbers(name, "seconds"))),
                    "seconds_predict": float(np.median(self.numbers(name, "seconds_predict"))),
                    "parameters": parameters,
                    "training_trials": self.of(name)[0].numbers["training_trials"],
                }
            )
        differences = [
            {
                "a": name,
                "b": self.best,
                "mean": _finite(entry["mean"]),
                "low": _finite(entry["low"]),
                "high": _finite(entry["high"]),
                "effect": _finite(entry["effect"]),
                "p": _finite(entry["p_holm"]),
                "p_uncorrected": _finite(entry["p"]),
            }
            for name, entry in self.differences.items()
        ]
        return {
            "task": self.task,
            "chance": self.chance,
            "ceiling": self.ceiling,
            "without_attention": self.without_attention,
            "seeds": self.seeds,
            "missing": self.missing,
            "learners": learners,
            "differences": differences,
            "out": None if self.folder is None else str(self.folder),
        }

    def table(self) -> Table:
        """The summary as a `rich` table; accuracies in percent, intervals 95 % over seeds."""
        from rich.table import Table

        count = len(self.seeds)
        table = Table(
            title=f"{self.task}: {len(self.learners)} learners, {count} seed{'s' if count != 1 else ''}", title_justify="left"
        )
        table.add_column("learner", no_wrap=True)
        for title in (
            "accuracy %\n[95 % interval]",
            "chance\n%",
            "ceiling\n%",
            "to the best, points\n[95 % interval]",
            "effect\ng_z",
            "p\n(Holm)",
            "trials to 80 %\nof the end (range)",
            "fit\ns",
        ):
            table.add_column(title, justify="right", no_wrap=True)
        summary = self.to_json()
        apart = {entry["a"]: entry for entry in summary["differences"]}
        for learner in summary["learners"]:
            name, accuracy, trials = learner["name"], learner["accuracy"], learner["trials_to_80"]
            difference = apart.get(name)
            table.add_row(
                name,
                f"{100 * accuracy['mean']:.1f} {_bracket(accuracy)}",
                f"{100 * self.chance:.0f}",
                f"{100 * self.ceiling:.0f}",
                f"{100 * difference['mean']:+.1f} {_bracket(difference, '+')}"
                if difference and difference["mean"] is not None
                else "best",
                "" if difference is None else _short(difference["effect"], "+.1f"),
                "" if difference is None else (_short(difference["p"], ".3f")),
                "-" if trials is None else f"{trials['median']:.0f} ({trials['low']:.0f}-{trials['high']:.0f})",
                f"{learner['seconds']:.1f}",
                style="bold" if name == self.best else None,
            )
        table.caption = self.caption()
        table.caption_justify = "left"
        return table

    def caption(self) -> str:
        """How many trials, which seeds, and what is missing."""
        settings = self.configuration["settings"]
        records = [record for name in self.learners for record in self.of(name)]
        known = [LEARNERS[name] for name in self.learners if name in LEARNERS]
        test = len(records[0].arrays["labels"])
        parts = [f"{records[0].numbers['training_trials']} training trials"]
        if "validation" in settings:
            parts.append(f"{settings['validation']} for validation")
        parts.append(f"{test} for the test; seeds {_ranges(self.seeds)}; one thread each")
        if self.missing:
            parts.append(f"{self.missing} of {len(self.seeds) * len(self.configuration['learners'])} jobs are not finished yet")
        if len(self.seeds) < 6:
            parts.append(FEW_SEEDS)
        told = [", ".join(parts) + "."]
        if {entry.side for entry in known} >= {"spiking", "torch"}:
            told += ([GIVEN] if self.without_attention is not None else []) + [FIT]
        return "\n".join(told)

    def write_csv(self, folder: Path) -> None:
        """One line per learner: summary.csv."""
        from plasticity.records import write_text

        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(
            "learner side seeds accuracy accuracy_low accuracy_high chance ceiling best difference difference_low "
            "difference_high effect_gz p_holm trials_to_80_median trials_to_80_min trials_to_80_max seconds seconds_predict "
            "parameters training_trials".split()
        )
        summary = self.to_json()
        apart = {entry["a"]: entry for entry in summary["differences"]}
        for learner in summary["learners"]:
            accuracy, trials, other = learner["accuracy"], learner["trials_to_80"] or {}, apart.get(learner["name"], {})
            row = [learner["name"], learner["side"], len(accuracy["seeds"]), accuracy["mean"], accuracy["low"], accuracy["high"]]
            row += [self.chance, self.ceiling, self.best, *(other.get(key) for key in ("mean", "low", "high", "effect", "p"))]
            row += [*(trials.get(key) for key in ("median", "low", "high")), learner["seconds"], learner["seconds_predict"]]
            row += [learner["parameters"], learner["training_trials"]]
            writer.writerow(["" if value is None else value for value in row])
        write_text(folder / "summary.csv", text.getvalue())

    def save(self, folder: str | os.PathLike[str], force: bool = False) -> None:
        """Write the records, summary.csv and summary.json into a folder, which `load` and `plasticity plot` read."""
        from plasticity.records import RunFolder

        target = Path(folder)
        if self.folder is not None and target.resolve() == self.folder.resolve():
            return  # everything is there already
        self.folder = target
        with RunFolder.open(target, self.configuration, force=force) as run:
            for (seed, name), record in self.records.items():
                run.save(record_name(seed, name), record)
            self.write_csv(target)
            run.finish(self.to_json())

    @classmethod
    def load(cls, folder: str | os.PathLike[str]) -> Comparison:
        """A comparison from the records in a folder; an interrupted one holds what is finished.

        Raises
        ------
        WrongUse
            The folder holds no comparison.
        PlasticityError
            A record is damaged (it is named).
        """
        from plasticity.records import Record

        source = Path(folder)
        configuration = read_configuration(source)
        if configuration.get("command") != "compare":
            raise WrongUse(f"{source} holds a run of {configuration.get('simulation', 'something else')}, not a comparison.")
        records = {}
        for name in configuration["learners"]:
            for seed in configuration["seeds"]:
                path = source / "records" / record_name(seed, name)
                file = path.with_name(path.name + ".json")
                if file.exists():
                    records[int(seed), str(name)] = found = Record.load(path)
                    _check_record(found, file)
        return cls(configuration, records, source)


def _check_record(record: Record, file: Path) -> None:
    """PlasticityError where a record of a comparison lacks something, or states an accuracy that its predictions do not give."""
    missing = [
        key for key in ("accuracy", "seconds", "trials_sha256", "parameters", "training_trials") if key not in record.numbers
    ]
    missing += [key for key in ("predictions", "labels", "history_trials", "history_accuracy") if key not in record.arrays]
    if missing:
        raise PlasticityError(f"{file} is damaged (it lacks {', '.join(missing)}); delete it and run again.")
    accuracy = float(np.mean(record.arrays["predictions"] == record.arrays["labels"]))
    if record.numbers["accuracy"] != accuracy:
        raise PlasticityError(
            f"{file} is damaged (it states the accuracy {record.numbers['accuracy']!r}, its predictions give {accuracy!r});"
            " delete it and run again."
        )


def read_configuration(folder: Path) -> dict[str, Any]:
    """The configuration of the run in a folder (its run.json)."""
    from plasticity.records import read_json

    path = folder / "run.json"
    if not path.exists():
        raise WrongUse(
            f"{folder} holds no run (there is no run.json); give a folder that `plasticity compare` or `plasticity run` wrote."
        )
    content = read_json(path)
    configuration = content.get("configuration") if isinstance(content, dict) else None
    wanted = {
        "compare": ("task", "settings", "facts", "learners", "sides", "parameters", "seeds"),
        "run": ("simulation", "settings", "seeds"),
        "sweep": ("simulation", "settings", "grid", "seeds"),
    }
    command = configuration.get("command") if isinstance(configuration, dict) else None
    lacking = [key for key in wanted.get(str(command), ("command",)) if key not in (configuration or {})]
    if configuration is None or lacking:
        raise PlasticityError(
            f"{path} is damaged (it lacks {', '.join(lacking)}); give another folder, or run again with --force."
        )
    names, seeds = configuration.get("learners", []), configuration["seeds"]
    if not all(isinstance(name, str) and _NAME.fullmatch(name) for name in names) or not all(type(seed) is int for seed in seeds):
        raise PlasticityError(f"{path} is damaged (a learner's name or a seed in it cannot be); run again with --force.")
    return configuration


def _bracket(entry: Mapping[str, Any], sign: str = "") -> str:
    if entry["low"] is None or entry["high"] is None:
        return "[-]"
    return f"[{100 * entry['low']:{sign}.1f}, {100 * entry['high']:{sign}.1f}]"


def _short(value: float | None, pattern: str) -> str:
    return "-" if value is None else format(value, pattern)


def _ranges(numbers: Sequence[int]) -> str:
    """[0, 1, 2, 5] as "0-2, 5"."""
    parts: list[list[int]] = []
    for number in sorted(numbers):
        if parts and number == parts[-1][-1] + 1:
            parts[-1].append(number)
        else:
            parts.append([number])
    return ", ".join(str(part[0]) if len(part) == 1 else f"{part[0]}-{part[-1]}" for part in parts)
