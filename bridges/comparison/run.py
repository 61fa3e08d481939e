"""Learners of both sides on the same trials, the same seeds.

For each seed the trials of a task are drawn once from a generator that depends on the seed alone, so every learner meets the very
same trials (each record holds the sha256 of them, and a comparison refuses to pair records that differ).
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import inspect
import json
import os
import sys
import time
import traceback
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from bridges.comparison.energy import EnergyTable
from bridges.comparison.reading import read
from bridges.comparison.result import Comparison, record_name
from bridges.comparison.tensorboard import histograms
from bridges.learners import NamedLearner, resolve
from plasticity import extensions, settings
from plasticity.bars import bar
from plasticity.checked import checked_but
from plasticity.engine import backend
from plasticity.errors import PlasticityError, WrongUse
from plasticity.gates import Gate
from plasticity.learners import VALIDATION, Learner
from plasticity.parallel import check_jobs, check_seeds, each, one_thread, trials_generator
from plasticity.records import Record, RunFolder, provenance
from plasticity.tasks import TASKS, Draw, Task, Tokens, table

if TYPE_CHECKING:
    from plasticity.tasks import Trials

Progress = Callable[[float, int, int], None]  # fraction of all work, finished jobs, all jobs

SHOWN = 200  # test trials whose representations are kept


class Interrupted(KeyboardInterrupt):
    """Ctrl-C, with a sentence that says what was kept and how to go on."""


class WorkerTraceback(Exception):
    """The traceback of a worker process, shown under --debug."""


class Failure(NamedTuple):
    sentence: str
    wrong_use: bool
    details: str


class Job(NamedTuple):
    """One learner on the trials of one seed; `name` of its record, what that says of it, its share of the work, and whether all
    is kept that figures and likeness need: what it says of each test trial, and what it has learnt."""

    name: str
    learner: NamedLearner
    task: Any
    seed: int
    asked: Mapping[str, Any]
    cost: float
    whole: bool = True


# One learner on the trials of one seed


@contextlib.contextmanager
def _one_thread(side: str) -> Iterator[None]:
    """BLAS, OpenMP and PyTorch on one thread: parallel over seeds, and the same sums in the same order everywhere."""
    with contextlib.ExitStack() as stack:
        if side == "torch" or "torch" in sys.modules:  # another thread of a cluster's worker may be half way through importing it
            from bridges.training import limited

            stack.enter_context(limited())
        stack.enter_context(one_thread())
        yield


@functools.cache
def _warm_up() -> None:
    """What torch imports at the first step of a process, a second, is not a learner's."""
    import torch

    from bridges.training import seeded

    with seeded(0, torch.device("cpu")):  # the generator of this process stays as it is
        layer = torch.nn.Linear(1, 1)
        step = torch.optim.AdamW(layer.parameters(), fused=True)
        layer(torch.zeros(1, 1)).sum().backward()
        step.step()


def _check_draw(task: Any, draw: Any) -> None:
    """WrongUse for trials that are not what the task says of them."""
    if not isinstance(draw, Draw):
        raise WrongUse(f"{task.name}: draw() gave a {type(draw).__name__}; it must give a Draw(train, validation, test).")
    if draw.train.family == "streams":
        shown, classes = draw.train.stimulus.shape[1], draw.train.classes
        if (shown, classes) != (task.streams, task.classes):
            raise WrongUse(
                f"{task.name}: its trials have {shown} streams and {classes} classes, the task says {task.streams} and"
                f" {task.classes}; give it the properties `streams` and `classes` that are true of its trials."
            )


def _work(learner: NamedLearner, task: Any, seed: int, report: Callable[..., None], whole: bool) -> dict[str, Any]:
    """Draw the trials of the seed, fit, answer the test trials; what the record of this pair says."""
    draw = task.draw(trials_generator(seed))
    _check_draw(task, draw)
    train, validation, test = draw.train, draw.validation, draw.test
    estimator = learner.seeded(seed)
    if isinstance(estimator, Learner):
        estimator.called = learner.name
    accepted = inspect.signature(estimator.fit).parameters
    if learner.side == "torch":
        _warm_up()
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
        costs = estimator.costs() if hasattr(estimator, "costs") else None  # of the decisions just made
        history = getattr(estimator, "history_", None)
        if history is None or not len(history["trials"]):  # no learning curve, or too few trials for one: its end alone
            right = validation.right(estimator.predict(validation.X))
            shown = len(train) * int(getattr(estimator, "passes", 1))
            history = {"trials": [shown], "accuracy": [np.mean(right)], "curve": VALIDATION}
        beside = {name: np.asarray(array) for name, array in getattr(estimator, "arrays_", {}).items()} if whole else {}
        if whole:
            beside |= _beside(estimator, test) | _untrained(learner.seeded(seed), train, test)
            beside |= histograms(estimator, "after")
            if learner.learns and isinstance(test, Tokens) and test.y.ndim == 1:
                beside |= read(estimator, test, train, seed)
    return _told(learner, task, draw, estimator, predictions, history, costs, beside, (start, fitted, predicted))


def _told(
    learner: NamedLearner, task: Any, draw: Draw, estimator: Any, predictions: np.ndarray, history: Mapping[str, Any],
    costs: Any, beside: Mapping[str, np.ndarray], clock: tuple[float, float, float],
) -> dict[str, Any]:  # fmt: skip
    """Numbers and arrays of a record."""
    train, test = draw.train, draw.test
    start, fitted, predicted = clock
    history_trials = np.asarray(history["trials"], dtype=np.float64)
    history_accuracy = np.asarray(history["accuracy"], dtype=np.float64)
    parameters = getattr(estimator, "parameters_", None)
    right = test.right(predictions)
    arrays = {
        "history_trials": history_trials,
        "history_accuracy": history_accuracy,
        "predictions": predictions,
        **({"references": test.references} if test.family == "sequences" else {}),
        **({"right": right} if test.y is None else {"labels" if test.conditions() is not None else "target": test.y}),
        **beside,
    }
    compiling = getattr(estimator, "compile_seconds_", 0.0)
    numbers = {
        "learner": learner.name,
        "accuracy": float(np.mean(right)),
        "chance": float(task.chance),
        "ceiling": float(task.ceiling),
        "seconds": fitted - start - compiling,
        "seconds_compile": compiling,
        "seconds_predict": predicted - fitted,
        "parameters": None if parameters is None else int(parameters),
        "training_trials": len(train),
        "trials_shown": int(history_trials[-1]),
        "gradient_steps": getattr(estimator, "gradient_steps_", 0),
        "remark": getattr(estimator, "remark", ""),
        "curve": history.get("curve", getattr(estimator, "curve", VALIDATION)),
        "costs": None if costs is None else costs.plain(),
        **({"features": int(train.stimulus.shape[2])} if train.family == "streams" else {}),
        **({"shared": draw.shared} if draw.shared else {}),
        **({"tested": draw.tested, "test_set": draw.test_set} if draw.tested else {}),
        **({"clipped": draw.clipped} if draw.clipped else {}),  # values beyond those of the training rows
        "trials_sha256": draw.fingerprint(),
    }
    return {"numbers": numbers, "arrays": arrays, "backend": str(getattr(estimator, "backend_", learner.side))}


def _beside(estimator: Any, test: Trials) -> dict[str, np.ndarray]:
    """What else a learner says of the test trials: probabilities, attention, and its representation of the first of them."""
    conditions = test.conditions()
    if conditions is None:
        return {}
    found: dict[str, np.ndarray] = {}
    of_words = test.family == "tokens"  # a weight for each word: `read` keeps what is told of them
    if hasattr(estimator, "predict_proba"):
        found["probabilities"] = np.zeros((len(test), test.classes), dtype=np.float32)  # 0 for a class that it never met
        found["probabilities"][:, np.asarray(estimator.classes_, dtype=int)] = estimator.predict_proba(test.X)
    if hasattr(estimator, "attention_weights") and not of_words:
        weights = estimator.attention_weights(test.X)
        found |= {} if weights is None else {"attention_by_trial": np.asarray(weights, dtype=np.float32)}
    if hasattr(estimator, "represent"):
        shown = np.asarray(estimator.represent(test.X[:SHOWN]), dtype=np.float64)
        if not np.isfinite(shown).all():
            raise PlasticityError("what represent(X) gives holds NaN or infinity")
        found["representation"] = (shown / (np.abs(shown).max() or 1.0)).astype(np.float16)  # no measure of it has a scale
        found["conditions"] = conditions[:SHOWN]
    return found


def _untrained(estimator: Any, train: Trials, test: Trials) -> dict[str, np.ndarray]:
    """What a learner that has a representation says of the test trials before it has learnt anything: its control."""
    if not (hasattr(estimator, "untrained") and hasattr(estimator, "represent")) or test.conditions() is None:
        return {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # such as of networks in which nothing fires
        estimator.untrained(train.X, train.y)
        found = _beside(estimator, test) | {"predictions": np.asarray(estimator.predict(test.X), dtype=np.int64)}
    drawn = histograms(estimator, "before")
    kept = ("predictions", "representation", "attention_by_trial")
    return drawn | {f"untrained_{name}": found[name] for name in kept if name in found}


def _attempt(job: Job, report: Callable[..., None]) -> dict[str, Any] | Failure:
    """The work of one pair and what it warned of, or the sentence that names the learner and the seed that failed."""
    try:
        with warnings.catch_warnings(record=True) as caught:  # another process would tell it anew for each seed
            made = _work(job.learner, job.task, job.seed, report, job.whole)
        return made | {"warnings": {str(one.message): one.category for one in caught}}
    except Exception as error:
        what = str(error).strip() if isinstance(error, PlasticityError) else f"{type(error).__name__}: {error}"
        sentence = f"{job.learner.name} failed at seed {job.seed}: {' '.join(what.split()) or 'no reason given'}"
        return Failure(sentence, isinstance(error, WrongUse), traceback.format_exc())


# The whole run


def configuration_of(task: Task, learners: Sequence[NamedLearner], seeds: list[int]) -> dict[str, Any]:
    """What was asked, as JSON can hold it: two runs are parts of one comparison exactly if these are equal."""
    streams = int(getattr(task, "streams", 1))
    asked = {
        "command": "compare",
        "task": task.name,
        "settings": settings.recorded(task),
        "facts": {
            "chance": float(task.chance),
            "ceiling": float(task.ceiling),
            "classes": int(task.classes),
            "streams": streams,
            "without_attention": float(getattr(task, "without_attention", 1 / streams)) if task.kind == "streams" else None,
        },
        "learners": [learner.name for learner in learners],
        "sides": {learner.name: learner.side for learner in learners},
        "given": {learner.name: list(learner.given) for learner in learners},
        "learns": {learner.name: list(learner.learns) for learner in learners},
        "parameters": {learner.name: learner.parameters() for learner in learners},
        "seeds": seeds,
        **({"data": told} if (told := task.facts) else {}),
        **extensions.told(),
    }
    return json.loads(json.dumps(asked))


@checked_but("learners", "task", "seeds", "jobs")
def compare(
    learners: Iterable[Any] | None = None,
    task: Task | str | tuple[Any, Any] = "cued_digits",
    seeds: int | Iterable[int] = range(10),
    jobs: int | None = None,
    out: str | os.PathLike[str] | None = None,
    force: bool = False,
    progress: Progress | None = None,
    settings: Mapping[str, Mapping[str, Any]] | None = None,
    energy: EnergyTable | None = None,
    complete: Callable[[Comparison], object] | None = None,
) -> Comparison:
    """Fit every learner on the same trials of every seed and compare them in pairs.

    Parameters
    ----------
    learners : names of `LEARNERS`, scikit-learn estimators (named by their class), torch modules, their classes or functions that
        make them (`bridges.own_model`), pairs (name, any of these); by default those that suit the task (`chosen_for`)
    task : a task, the name of one, or a pair (X, y) of one's own: rows and their classes (`plasticity.tasks.table`)
    seeds : whole numbers, or how many, from 0; the trials of a seed and the random state of every learner follow from it alone
    jobs : processes; as many as there are cores by default. 1 runs in this process, with the same numbers to the bit
    out : folder for the records; without one they are kept in memory only. An interrupted run goes on where it stopped.
        `plasticity report OUT` writes its page, `plasticity plot OUT` its figures (the command `compare` writes both)
    force : replace a finished run in `out`
    progress : called with (fraction of the work, finished jobs, all jobs); if None a bar, where standard error is a terminal
    settings : constructor parameters by learner or side: {"spiking": {...}, "mlp": {...}}
    energy : what an operation costs; 45 nm by default (`bridges.comparison.energy.EnergyTable`)
    complete : called when all is written into `out` but the summary, with which the folder counts as finished: for figures

    Raises
    ------
    WrongUse
        Unknown names, a device that is not there, no seeds, a finished run in `out` without `force`.
    PlasticityError
        A learner failed; what was finished before stays in `out`.
    """
    if isinstance(task, str):
        task = TASKS[task]()
    elif isinstance(task, tuple) and len(task) == 2:
        task = table(*task)
    elif isinstance(task, type):
        raise WrongUse(f"{task.__name__} is a class; give a task that is made of it, {task.__name__}().")
    elif not isinstance(task, Task):
        raise WrongUse(f"a task is a name, a Task or a pair (X, y), not a {type(task).__name__}; names: {', '.join(TASKS)}.")
    check_jobs(jobs)
    seed_list = check_seeds(seeds)
    resolved = resolve(learners, settings or {}, task)
    n_jobs = check_jobs(jobs, task.bytes, len(resolved) * len(seed_list))
    task.draw(trials_generator(seed_list[0]))  # what cannot be drawn, such as more trials than images, is said before the work
    said = {"torch"} if "learning_rate" in (settings or {}).get("torch", {}) else set()  # what is hinted at is done
    for hint in task.hints({learner.side for learner in resolved} - said):
        warnings.warn(hint, stacklevel=2)
    for told in _gates_apart(resolved):
        warnings.warn(told, stacklevel=2)
    return carry_out(resolved, task, seed_list, n_jobs, out, force, progress, energy, complete)


def _gates_apart(learners: Sequence[NamedLearner]) -> list[str]:
    """A sentence for each kind of gate that some are given with other numbers than the rest."""
    found: dict[str, dict[str, list[str]]] = {}
    for one in learners:
        gate = getattr(one.estimator, "gate", None)
        if isinstance(gate, Gate) and "gate" in one.given:
            found.setdefault(type(gate).__name__, {}).setdefault(repr(gate), []).append(one.name)
    apart = [by for by in found.values() if len(by) > 1]
    told = [
        ("; ".join(f"{gate} is given to {', '.join(names)}" for gate, names in by.items()), next(iter(by.values()))[0])
        for by in apart
    ]
    return [
        f"not alike: {each}. Give all that have such a gate the same, as in --set {first}.gate.attended=2."
        for each, first in told
    ]


def carry_out(
    resolved: Sequence[NamedLearner],
    task: Task,
    seed_list: list[int],
    n_jobs: int,
    out: str | os.PathLike[str] | None = None,
    force: bool = False,
    progress: Progress | None = None,
    energy: EnergyTable | None = None,
    complete: Callable[[Comparison], object] | None = None,
    told_too: Mapping[str, Any] | None = None,
) -> Comparison:
    """What `compare` does with learners that are ready; `told_too` is what else the configuration says."""
    configuration = configuration_of(task, resolved, seed_list) | dict(told_too or {})
    if energy is not None and energy != EnergyTable():
        configuration["energy"] = dataclasses.asdict(energy)
    facts: dict[str, Any] = {key: configuration[key] for key in ("task", "settings", "facts", "data") if key in configuration}
    wanted = [
        Job(record_name(seed, learner.name), learner, task, seed, facts, learner.cost)
        for learner in resolved
        for seed in seed_list
    ]
    with contextlib.ExitStack() as stack:
        spikes = backend() if any(learner.side == "spiking" for learner in resolved) else ""
        folder = stack.enter_context(RunFolder.open(Path(out), configuration, force, spikes)) if out is not None else None
        found = finished(wanted, folder, n_jobs, progress)
        records = {(job.seed, job.learner.name): found[job.name] for job in wanted}
        comparison = Comparison(configuration, records, None if out is None else Path(out))
        if folder is not None:
            comparison.write_csv(folder.path)
            if complete is not None:
                complete(comparison)
            folder.finish(comparison.to_json())
    return comparison


def finished(
    jobs: Sequence[Job], folder: RunFolder | None, n_jobs: int, progress: Progress | None, simulation: str = "compare"
) -> dict[str, Record]:
    """The record of each job by its name: those that lie in the folder, the others as they get done.

    Raises
    ------
    PlasticityError
        A learner failed; what was finished before stays in the folder.
    Interrupted
        Ctrl-C, with what was kept.
    """
    told, place = provenance(), None if folder is None else folder.path
    about = {job.name: {**job.asked, "learner": job.learner.name, "parameters": told_parameters(job.learner)} for job in jobs}
    records: dict[str, Record] = {}
    warned: set[str] = set()
    for job in jobs:
        record = None if folder is None else folder.record(job.name)
        if folder is not None and record is not None:
            record.refuse_other(folder.path / "records" / job.name, job.seed, about[job.name])
            records[job.name] = record
    kept = len(records)
    todo = sorted((job for job in jobs if job.name not in records), key=lambda job: -job.cost)  # so that no core waits at the end
    whole, rest = (sum(job.cost for job in some) for some in (jobs, todo))

    def show(fraction: float, note: str = "") -> None:
        if progress is not None:
            progress((whole - rest + fraction * rest) / whole if whole else 1.0, len(records), len(jobs))

    with (
        bar(simulation) if progress is None else contextlib.nullcontext(progress) as progress,
        contextlib.closing(each(_attempt, todo, n_jobs, show, cost=lambda job: job.cost, processes=True)) as results,
    ):
        try:
            for job, result in results:
                if isinstance(result, Failure):
                    stays = f" (the finished ones stay in {place})" if folder is not None and records else ""
                    raise (WrongUse if result.wrong_use else PlasticityError)(
                        result.sentence.rstrip(".") + stays + "."
                    ) from WorkerTraceback("\n" + result.details)
                for sentence, category in result["warnings"].items():
                    if sentence not in warned:
                        warned.add(sentence)
                        warnings.warn(sentence, category, stacklevel=4)
                numbers = result["numbers"]
                record = Record(
                    simulation=simulation,
                    configuration=about[job.name],
                    seed=job.seed,
                    numbers=numbers,
                    arrays=result["arrays"],
                    wall_s=numbers["seconds"] + numbers["seconds_predict"],
                    backend=result["backend"],
                    threads=1,
                    provenance=told,
                )
                if folder is not None:
                    folder.save(job.name, record)
                records[job.name] = record
        except KeyboardInterrupt:
            if folder is None:
                raise Interrupted("interrupted; nothing was kept, because no output folder was given (out=...).") from None
            done = kept + sum(folder.holds(job.name) for job in todo)  # one may be written and not yet counted
            raise Interrupted(
                f"interrupted: {done} of {len(jobs)} jobs are finished and kept in {place}; the same command goes on from there."
            ) from None
    show(1.0)
    return records


def told_parameters(learner: NamedLearner) -> dict[str, Any]:
    """Its settings as a record holds them."""
    return json.loads(json.dumps(learner.parameters()))
