"""One pool of jobs: seeds and conditions side by side, in threads, in processes, or on a Dask cluster.

A job is a function and an item of plain data. Compiled networks run as programs of their own, so that threads are enough to run
many of them side by side; what sets state of the whole process (PyTorch's threads and seeds) goes into processes.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import itertools
import math
import os
import re
import signal
import threading
import time
import warnings
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence, Sized
from multiprocessing import resource_tracker
from pathlib import Path
from typing import Any, TypeVar

import joblib
import numpy as np

from plasticity import extensions, given, held, memory
from plasticity.errors import PlasticityError, WrongUse
from plasticity.meanwhile import goes_on, hear, tell_parent
from plasticity.settings import MOST_SEED

Item = TypeVar("Item")
Result = TypeVar("Result")
Progress = Callable[..., None]
"""Takes the fraction that is done and, where there is something to say, `note="512 images/s"`."""

MOST_JOBS = 256  # processes at a time: each takes memory and threads, and more than there are cores are no faster
MOST_SEEDS = 100_000
FEW_SEEDS = "so few seeds that an interval says little and no p can be small"


def quiet(fraction: float, note: str = "") -> None:
    """A `Progress` that tells nobody."""


# Seeds and how many at a time


def check_seeds(seeds: int | Iterable[int]) -> list[int]:
    """The seeds as a list: how many from 0 on, or which; at least one, none negative, none twice.

    Raises
    ------
    WrongUse
        No such seeds, more than `MOST_SEEDS` of them, or one above 2**32 - 1.
    """
    counted = given.is_whole(seeds)
    if not counted and (
        not np.iterable(seeds) or isinstance(seeds, np.ndarray) and not seeds.ndim or isinstance(seeds, (str, bytes, Mapping))
    ):
        raise _no_seeds(seeds)
    if counted and seeds > MOST_SEEDS or isinstance(seeds, Sized) and len(seeds) > MOST_SEEDS:  # type: ignore[operator]
        raise WrongUse(f"{given.shown(seeds)} are more than {MOST_SEEDS} seeds, the most; give fewer.")
    wanted = list(range(seeds)) if counted else list(itertools.islice(seeds, MOST_SEEDS + 1))  # type: ignore
    if not all(map(given.is_whole, wanted)):
        raise _no_seeds(wanted)
    listed = [int(seed) for seed in wanted]
    if len(listed) > MOST_SEEDS:
        raise WrongUse(f"{MOST_SEEDS} seeds are the most; give fewer.")
    if counted and seeds < 0:  # type: ignore[operator]
        raise _no_seeds(seeds)
    if not listed:
        raise WrongUse("0 seeds were asked for; a run needs at least one, for example seeds=10 (--seeds 10 on the command line).")
    for seed in (min(listed), max(listed)):
        if not 0 <= seed <= MOST_SEED:
            raise WrongUse(
                f"a seed is a whole number from 0 on, not {given.shown(seed)}; {MOST_SEED} is the largest, above it they repeat."
            )
    if len(set(listed)) < len(listed):
        raise WrongUse(f"each seed can be given once; given were {given.shown(listed)}.")
    return listed


def _no_seeds(seeds: Any) -> WrongUse:
    return WrongUse(f"seeds={given.shown(seeds)} are no whole numbers; give a number of seeds, or which, like [0, 3, 4].")


def check_jobs(jobs: int | None, needed: float = 0.0, todo: int = 1) -> int:
    """How many processes: as many as there are cores unless stated, of jobs that take `needed` bytes as many as memory holds.

    Raises
    ------
    WrongUse
        No such number, or so many that their part of `todo` jobs at a time would take more memory than there is.
    """
    holds = memory.physical() / needed if needed else math.inf
    if not on_cluster():
        memory.refuse("one job", needed, "ask for less at a time: a smaller network, fewer trials")
    if jobs is None:
        return max(1, int(min(joblib.cpu_count(), holds)))
    if not given.is_whole(jobs) or not 1 <= jobs <= MOST_JOBS:
        raise WrongUse(f"jobs={given.shown(jobs)}: the number of processes is a whole number, 1 or more and {MOST_JOBS} at most.")
    at_once = min(int(jobs), todo)
    if not on_cluster():
        fits = int(min(holds, MOST_JOBS))
        memory.refuse(f"jobs={jobs}: {at_once} at a time", at_once * needed, f"give --jobs {fits} (in Python jobs={fits})")
    return int(jobs)


def trials_generator(seed: int) -> np.random.Generator:
    """The generator of the trials of one seed: of the seed alone, and apart from what a learner draws with that seed."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(0,)))


# Threads of a job


_COUNT = threading.Lock()
_inside = 0  # how many threads of this process are inside of `one_thread`
_blas: Any = None  # what sets BLAS back


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """BLAS and OpenMP work on one thread inside: the same sums in the same order everywhere, and jobs do not fight for cores.

    Several threads of a process may be inside at once. BLAS, which has one number of threads for all of them, gets its own back
    when the last one leaves; OpenMP has one for each.
    """
    global _inside, _blas
    from threadpoolctl import ThreadpoolController

    pools = ThreadpoolController()
    with pools.select(user_api="openmp").limit(limits=1):  # leaving it also lets another thread set BLAS back
        with _COUNT:
            if not _inside:
                _blas = pools.select(user_api="blas").limit(limits=1)
            _inside += 1
        try:
            yield
        finally:
            with _COUNT:
                _inside -= 1
                if not _inside:
                    _blas.restore_original_limits()


# A cluster


def on_cluster() -> bool:
    """Whether jobs go to a Dask cluster (inside `cluster`)."""
    return joblib.parallel.get_active_backend()[0].__class__.__name__.startswith("Dask")


_NO_TLS = (
    "no Dask scheduler answers at {} with the certificates that are configured here ({}); set"
    " DASK_DISTRIBUTED__COMM__TLS__CA_FILE, DASK_DISTRIBUTED__COMM__TLS__CLIENT__CERT and"
    " DASK_DISTRIBUTED__COMM__TLS__CLIENT__KEY to those that the scheduler was started with (--tls-ca-file, --tls-cert,"
    " --tls-key)."
)


@contextlib.contextmanager
def cluster(address: str | None) -> Iterator[None]:
    """Within it all jobs go to the Dask scheduler at `address`, such as tcp://10.0.0.1:8786; without an address they stay here.

    Every job gets its seed and its settings, and hands back its result; a compiled network is found in the worker's own cache or
    compiled there. Dask runs the jobs of a worker that dies again on another one.

    Jobs and results travel as pickles: who reaches the port of the scheduler or of a worker can run anything there, and with
    tcp:// read all of it. With tls:// everybody shows a certificate, this process that of Dask's configuration
    (distributed.comm.tls).

    Raises
    ------
    PlasticityError
        dask.distributed is not installed, or nobody answers at that address.
    """
    if address is None:
        yield
        return
    if not isinstance(address, str) or not re.fullmatch(r"[a-z]+://[!-~]+:[0-9]{1,5}", address):
        raise WrongUse(f"--cluster {given.shown(address)} is no address of a Dask scheduler; write it like tcp://10.0.0.1:8786.")
    try:
        from distributed import Client
    except ImportError:
        raise PlasticityError("--cluster needs dask.distributed; type: pip install distributed") from None
    client, refusal = None, ""
    try:
        client = Client(address, timeout=5, set_as_default=False)
    except Exception as error:  # of any of its protocols: OSError, ValueError, TypeError (TLS), RuntimeError, ...
        refusal = type(error).__name__
    if client is None:
        gc.collect()  # a client that failed ends now; at any other time it could be while the next one holds distributed's lock
        if address.startswith("tls://"):
            raise PlasticityError(_NO_TLS.format(address, refusal))
        raise PlasticityError(
            f"no Dask scheduler answers at {address} ({refusal}); start one with `dask scheduler`, workers with"
            " `dask worker ADDRESS --nthreads 1`, and give the address that it prints."
        )
    try:
        if not client.scheduler_info()["workers"]:
            raise PlasticityError(
                f"the Dask scheduler at {address} has no workers; start some: dask worker {address} --nthreads 1"
            )
        if extensions.files():  # scheduler and workers read what is sent to them: they must know these modules before
            client.run_on_scheduler(extensions.add, extensions.files())
            client.register_worker_callbacks(functools.partial(extensions.add, extensions.files()))
        with joblib.parallel_config(backend="dask", client=client, wait_for_workers_timeout=10):
            yield
    finally:
        client.close()


# The pool


def each(
    work: Callable[[Item, Progress], Result],
    items: Iterable[Item],
    jobs: int | None = None,
    progress: Progress = quiet,
    cost: Callable[[Item], float] = lambda item: 1.0,
    processes: bool = False,
) -> Generator[tuple[Item, Result], None, None]:
    """`(item, work(item, tell))` for every item, as soon as it is done.

    Parameters
    ----------
    work : callable
        Called with an item and with what takes the fraction of it that is done. To another process it travels with all that it
        refers to; from a cluster its fractions are not told.
    items : iterable
        Plain data that can be told apart (`==`).
    jobs : int
        How many at a time; as many as there are cores if None. On a cluster, as many as it has threads.
    progress : callable
        Takes the fraction of all work.
    cost : callable
        How long an item takes beside the others.
    processes : bool
        Each job in a process, for work that sets state of the whole process; with one job at a time, and with one item, in this
        process. Otherwise in threads, one at a time where networks run on Brian2's NumPy target.

    Raises
    ------
    PlasticityError
        A process was ended from outside.
    """
    todo = list(items)
    meter = _Meter([cost(item) for item in todo], progress)
    at_once = check_jobs(jobs)
    if on_cluster():
        found = _on_cluster(work, todo)
    elif not processes:
        from plasticity.engine import backend  # not above: a seed that is refused needs no simulator

        found = _in_threads(work, todo, 1 if backend() == "numpy" else at_once, meter)
    elif at_once == 1 or len(todo) <= 1:
        found = ((place, work(item, functools.partial(meter.tell, place))) for place, item in enumerate(todo))
    else:
        found = _in_processes(work, todo, at_once, meter)
    progress(0.0)
    with contextlib.closing(found):
        for place, result in found:
            meter.tell(place, 1.0)
            yield todo[place], result


class _Meter:
    """How much of all jobs is done, weighted by their cost."""

    def __init__(self, costs: Sequence[float], progress: Progress) -> None:
        self.costs, self.progress = costs, progress
        self.done, self.notes = [0.0] * len(costs), [""] * len(costs)
        self.whole = sum(costs) or 1.0
        self.lock = threading.Lock()

    def tell(self, place: int, fraction: float, note: str = "") -> None:
        with self.lock:
            self.done[place], self.notes[place] = max(float(fraction), 0.0), note
            total = min(sum(share * price for share, price in zip(self.done, self.costs, strict=True)) / self.whole, 1.0)
            running = [text for text, share in zip(self.notes, self.done, strict=True) if text and share < 1]
            if running:
                self.progress(total, note=(note or running[0]) + (f" (1 of {len(running)})" if len(running) > 1 else ""))
            else:
                self.progress(total)


class _Stopped(BaseException):
    """Ends a job whose result nobody waits for."""


def _in_threads(work: Callable[..., Any], todo: Sequence[Any], at_once: int, meter: _Meter) -> Generator[tuple[int, Any]]:
    stopped, running, ended = threading.Event(), set(), threading.Condition()

    def here(place: int) -> tuple[int, Any]:
        def told(fraction: float, note: str = "") -> None:
            if stopped.is_set():  # nobody waits for the result any more: end the network that runs
                raise _Stopped
            meter.tell(place, fraction, note)

        with ended:
            running.add(place)
        try:
            return place, work(todo[place], told)
        finally:
            with ended:
                running.remove(place)
                ended.notify_all()

    parallel = joblib.Parallel(at_once, prefer="threads", return_as="generator_unordered", batch_size=1)
    results = parallel(joblib.delayed(here)(place) for place in range(len(todo)))
    try:
        yield from results
    finally:
        stopped.set()
        _close(results)
        with ended:  # those that still run remove their files, which a process that ends now would leave behind
            ended.wait_for(lambda: not running, timeout=1)


def _on_cluster(work: Callable[..., Any], todo: Sequence[Any]) -> Generator[tuple[int, Any]]:
    parallel = joblib.Parallel(return_as="generator_unordered", batch_size=1)
    results = parallel(joblib.delayed(_there)(work, place, item) for place, item in enumerate(todo))
    try:
        for place, result, error in results:
            if error is not None:
                raise error
            yield place, result
    finally:
        _close(results)


def _there(work: Callable[..., Any], place: int, item: Any) -> tuple[int, Any, Exception | None]:
    """On a worker; an error comes back as a value, for joblib waits for ever for a job that raised one on Dask."""
    try:
        return place, work(item, quiet), None
    except Exception as error:
        return place, None, error


def _in_processes(work: Callable[..., Any], todo: Sequence[Any], at_once: int, meter: _Meter) -> Generator[tuple[int, Any]]:
    """Processes that die with this generator; their fractions come back by way of small files."""
    results: Any = None
    stopped = threading.Event()
    with held.temporary("plasticity-progress-") as folder, _unheard():
        told = [folder / str(place) for place in range(len(todo))]

        def poll() -> None:
            while not stopped.wait(0.25):
                for place, path in enumerate(told):
                    if meter.done[place] < 1:
                        with contextlib.suppress(OSError, ValueError):
                            fraction, _, what = path.read_text().partition(" ")
                            if float(fraction) > meter.done[place]:
                                meter.tell(place, min(float(fraction), 0.99))
                            hear(path, what)
                    else:
                        hear(path, "")

        watcher = threading.Thread(target=poll, daemon=True)
        watcher.start()
        try:
            with joblib.parallel_config(backend="loky", inner_max_num_threads=1), _held_back():
                parallel = joblib.Parallel(min(at_once, len(todo)), return_as="generator_unordered", batch_size=1)
                results = parallel(
                    joblib.delayed(_job)(work, place, item, str(told[place]), os.getpid()) for place, item in enumerate(todo)
                )
            yield from results
        except joblib.externals.loky.process_executor.TerminatedWorkerError:
            raise PlasticityError(
                "a worker process was ended from outside, perhaps for lack of memory; run the same command again with fewer"
                " --jobs."
            ) from None
        finally:
            stopped.set()
            watcher.join(timeout=2)
            for path in told:
                hear(path, "")
            if results is not None:
                _close(results)  # ends the workers, and what they started, if they still run


STOPPING = (signal.SIGINT, signal.SIGHUP, signal.SIGQUIT)


@contextlib.contextmanager
def _held_back() -> Iterator[None]:
    """Signals to stop wait until this is left; processes that are started meanwhile hold them back until they are told not to."""
    resource_tracker.ensure_running()  # as it starts it would let them through again
    came: list[int] = []  # another thread may be given one, and Python then calls its handler in the main thread nevertheless
    main = threading.current_thread() is threading.main_thread()
    handlers = {number: signal.signal(number, lambda number, _: came.append(number)) for number in STOPPING if main}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        for number, handler in handlers.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)  # None: not set by Python
        if came:
            signal.raise_signal(came[0])


def _job(work: Callable[..., Any], place: int, item: Any, told: str, parent: int) -> tuple[int, Any]:
    """In a process of its own. Ctrl-C and the like are the parent's to handle; programs started here still get it."""
    for number in STOPPING:
        signal.signal(number, lambda *_: None)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPPING)
    _end_with(parent)
    last = done = 0.0

    def write() -> None:
        with contextlib.suppress(OSError):
            Path(told).write_text(f"{done:.4f} {goes_on()}")

    def tell(fraction: float, note: str = "") -> None:
        nonlocal last, done
        now = time.monotonic()
        if now - last > 0.1 or fraction >= 1:
            last, done = now, float(fraction)
            write()

    tell_parent(write)
    return place, work(item, tell)


@functools.cache
def _end_with(parent: int) -> None:
    """A worker whose parent was killed outright ends within a second, and the program that it runs ends with it."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _close(results: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # joblib remarks that not all results were read
        results.close()


@contextlib.contextmanager
def _unheard() -> Iterator[None]:
    """Loky's thread stumbles over a job that was taken away before it had given it to a process; that is not told."""
    before = threading.excepthook

    def told(what: threading.ExceptHookArgs) -> None:
        if not (what.exc_type is KeyError and what.thread is not None and what.thread.name == "ExecutorManagerThread"):
            before(what)

    threading.excepthook = told
    try:
        yield
    finally:
        if threading.excepthook is told:
            threading.excepthook = before
