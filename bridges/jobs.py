"""One learner on the trials of one seed, here, in a process of its own, or on a cluster; many such pairs side by side."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import inspect
import math
import os
import re
import signal
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from plasticity.errors import PlasticityError, WrongUse

if TYPE_CHECKING:
    from bridges.roster import Learner

FEW_SEEDS = "so few seeds that an interval is hardly more than their range and no p can be small"
NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")  # of a learner; it is part of a file's name
Progress = Callable[[float, int, int], None]  # fraction of all work, finished jobs, all jobs


def finite(value: float | None) -> float | None:
    """The number, or None where there is none."""
    return float(value) if value is not None and math.isfinite(value) else None


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


class Failure(NamedTuple):
    sentence: str
    wrong_use: bool
    details: str


class Job(NamedTuple):
    learner: Learner
    task: Any
    seed: int
    progress_file: str | None  # a worker writes its fraction there


class WorkerTraceback(Exception):
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


def _work(learner: Learner, task: Any, seed: int, report: Callable[..., None]) -> dict[str, Any]:
    """Draw the trials of the seed, fit, predict the test trials; what the record of this pair says."""
    from sklearn.base import clone

    from bridges.energy import costs
    from plasticity.statistics import trials_to

    draw = task.draw(trials_generator(seed))
    train, validation, test = draw.train, draw.validation, draw.test
    estimator = clone(learner.estimator).set_params(random_state=seed)
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
        cost = costs(estimator)  # of the decisions just made
        history = getattr(estimator, "history_", None)
        if history is None:  # an estimator that keeps no learning curve: its end alone
            history = {"trials": [len(train)], "accuracy": [np.mean(estimator.predict(validation.X) == validation.y)]}
        beside = _beside(estimator, test)
    history_trials = np.asarray(history["trials"], dtype=np.float64)
    history_accuracy = np.asarray(history["accuracy"], dtype=np.float64)
    reached = float(trials_to(history_trials, history_accuracy, fraction=0.8)) if len(history_trials) > 1 else math.nan
    parameters = getattr(estimator, "parameters_", None)
    arrays = {
        "history_trials": history_trials,
        "history_accuracy": history_accuracy,
        "predictions": predictions,
        "labels": test.y,
        **beside,
        **{name: np.asarray(array) for name, array in getattr(estimator, "arrays_", {}).items()},
    }
    numbers = {
        "learner": learner.name,
        "accuracy": float(np.mean(predictions == test.y)),
        "chance": float(task.chance),
        "ceiling": float(task.ceiling),
        "trials_to_80": finite(reached),
        "seconds": fitted - start - getattr(estimator, "compile_seconds_", 0.0),
        "seconds_compile": getattr(estimator, "compile_seconds_", 0.0),
        "seconds_predict": predicted - fitted,
        "parameters": None if parameters is None else int(parameters),
        "training_trials": len(train),
        "trials_shown": int(history_trials[-1]),
        "gradient_steps": getattr(estimator, "gradient_steps_", 0),
        "remark": getattr(estimator, "remark", ""),
        "curve": getattr(estimator, "curve", VALIDATION),
        "costs": None if cost is None else cost.plain(),
        "features": int(train.stimulus.shape[2]),
        "trials_sha256": fingerprint(draw),
    }
    return {"numbers": numbers, "arrays": arrays, "backend": str(getattr(estimator, "backend_", learner.side))}


@functools.cache
def _warm_up() -> None:
    """What torch imports at the first step of a process, a second, is not a learner's."""
    import torch

    layer = torch.nn.Linear(1, 1)
    step = torch.optim.AdamW(layer.parameters(), fused=True)
    layer(torch.zeros(1, 1)).sum().backward()
    step.step()


VALIDATION = "validation trials"  # what a learning curve is measured on, unless an estimator says another thing as `curve`
SHOWN = 200  # test trials whose representations are kept


def _beside(estimator: Any, test: Any) -> dict[str, np.ndarray]:
    """What else a learner says of the test trials: probabilities, attention, and its representation of the first of them."""
    found: dict[str, np.ndarray] = {}
    if hasattr(estimator, "predict_proba"):
        found["probabilities"] = np.zeros((len(test), test.classes), dtype=np.float32)  # 0 for a class that it never met
        found["probabilities"][:, np.asarray(estimator.classes_, dtype=int)] = estimator.predict_proba(test.X)
    if hasattr(estimator, "attention_weights"):
        weights = estimator.attention_weights(test.X)
        found |= {} if weights is None else {"attention_by_trial": np.asarray(weights, dtype=np.float32)}
    if hasattr(estimator, "represent"):
        shown = np.asarray(estimator.represent(test.X[:SHOWN]), dtype=np.float64)
        if not np.isfinite(shown).all():
            raise PlasticityError("what represent(X) gives holds NaN or infinity")
        found["representation"] = (shown / (np.abs(shown).max() or 1.0)).astype(np.float16)  # no measure of it has a scale
        found["conditions"] = (test.y * test.stimulus.shape[1] + test.cue)[:SHOWN]
    return found


def _attempt(job: Job, report: Callable[..., None]) -> dict[str, Any] | Failure:
    """The work of one pair, or the sentence that names the learner and the seed that failed."""
    try:
        return _work(job.learner, job.task, job.seed, report)
    except Exception as error:
        what = str(error).strip() if isinstance(error, PlasticityError) else f"{type(error).__name__}: {error}"
        sentence = f"{job.learner.name} failed at seed {job.seed}: {' '.join(what.split()) or 'no reason given'}"
        return Failure(sentence, isinstance(error, WrongUse), traceback.format_exc())


@functools.cache
def _end_with(parent: int) -> None:
    """A worker whose parent was killed outright ends within a second, and the program that it runs ends with it."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _job_in_worker(job: Job, parent: int) -> tuple[Job, dict[str, Any] | Failure]:
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


def _job_on_cluster(job: Job, tell: Callable[..., None]) -> dict[str, Any] | Failure:
    return _attempt(job, tell)


class Meter:
    """How much of all jobs is done, weighted by their cost; reads the files of the workers from a thread."""

    def __init__(self, jobs: Sequence[Job], kept: Sequence[Learner], progress: Progress | None) -> None:
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

    def __enter__(self) -> Meter:
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

    def done(self, job: Job) -> None:
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


def finish_jobs(jobs: Sequence[Job], n_jobs: int, meter: Meter) -> Generator[tuple[Job, dict[str, Any] | Failure], None, None]:
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
