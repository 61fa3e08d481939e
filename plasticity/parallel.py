"""Jobs side by side: in threads here, each waiting for a compiled network in a process of its own, or on a Dask cluster."""

from __future__ import annotations

import contextlib
import re
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

import joblib

from plasticity.engine import backend
from plasticity.errors import PlasticityError, WrongUse

Item = TypeVar("Item")
Result = TypeVar("Result")


Progress = Callable[..., None]
"""Takes the fraction that is done and, where there is something to say, `note="512 images/s"`."""


def quiet(fraction: float, note: str = "") -> None:
    """A `Progress` that tells nobody."""


def on_cluster() -> bool:
    """Whether jobs go to a Dask cluster (inside `cluster`)."""
    return joblib.parallel.get_active_backend()[0].__class__.__name__.startswith("Dask")


@contextlib.contextmanager
def cluster(address: str | None) -> Iterator[None]:
    """Within it all jobs go to the Dask scheduler at `address`, such as tcp://10.0.0.1:8786; without an address they stay here.

    Every job gets its seed and its settings, and hands back its result; a compiled network is found in the worker's own cache or
    compiled there. Dask runs the jobs of a worker that dies again on another one.

    Raises
    ------
    PlasticityError
        dask.distributed is not installed, or nobody answers at that address.
    """
    if not address:
        yield
        return
    try:
        from distributed import Client
    except ImportError:
        raise PlasticityError("--cluster needs dask.distributed; type: pip install 'plasticity[cluster]'") from None
    if not re.fullmatch(r"[a-z]+://\S+:\d+", address):
        raise WrongUse(f"--cluster {address!r} is no address of a Dask scheduler; write it like tcp://10.0.0.1:8786.")
    try:
        client = Client(address, timeout=5, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        raise PlasticityError(
            f"no Dask scheduler answers at {address} ({type(error).__name__}); start one with `dask scheduler`, workers with"
            " `dask worker ADDRESS --nthreads 1`, and give the address that it prints."
        ) from None
    try:
        if not client.scheduler_info()["workers"]:
            raise PlasticityError(
                f"the Dask scheduler at {address} has no workers; start some: dask worker {address} --nthreads 1"
            )
        with joblib.parallel_config(backend="dask", client=client, wait_for_workers_timeout=10):
            yield
    finally:
        client.close()


def each(
    work: Callable[[Item, Progress], Result],
    items: Iterable[Item],
    jobs: int | None = None,
    progress: Progress = quiet,
    cost: Callable[[Item], float] = lambda item: 1.0,
) -> Iterator[tuple[Item, Result]]:
    """`(item, work(item, tell))` for every item, as soon as it is done.

    Parameters
    ----------
    work : callable
        Called with an item and with what takes the fraction of it that is done. On a cluster it travels there, with all that it
        refers to, and its fractions are not told.
    items : iterable
        Plain data that can be told apart (`==`).
    jobs : int
        How many at a time; as many as there are cores if None. One where networks run on Brian2's NumPy target, in this process;
        on a cluster, as many as it has threads.
    progress : callable
        Takes the fraction of all work.
    cost : callable
        How long an item takes beside the others.
    """
    todo = list(items)
    costs = [cost(item) for item in todo]
    done, notes = [0.0] * len(todo), [""] * len(todo)
    whole, lock = sum(costs) or 1.0, threading.Lock()

    def tell(place: int, fraction: float, note: str = "") -> None:
        with lock:
            done[place], notes[place] = fraction, note
            total = sum(share * price for share, price in zip(done, costs, strict=True)) / whole
            running = [text for text, share in zip(notes, done, strict=True) if text and share < 1]
            if running:
                progress(min(total, 1.0), note=(note or running[0]) + (f" (1 of {len(running)})" if len(running) > 1 else ""))
            else:
                progress(min(total, 1.0))

    progress(0.0)
    stopped = threading.Event()
    if on_cluster():
        parallel = joblib.Parallel(return_as="generator_unordered", batch_size=1)
        results = parallel(joblib.delayed(_there)(work, place, item) for place, item in enumerate(todo))
    else:
        at_once = 1 if backend() == "numpy" else jobs if jobs is not None else joblib.cpu_count()

        def here(place: int, item: Item) -> tuple[int, Result | None, Exception | None]:
            def told(fraction: float, note: str = "") -> None:
                if stopped.is_set():  # nobody waits for the result any more: end the network that runs
                    raise _Stopped
                tell(place, fraction, note)

            return place, work(item, told), None

        parallel = joblib.Parallel(at_once, prefer="threads", return_as="generator_unordered", batch_size=1)
        results = parallel(joblib.delayed(here)(place, item) for place, item in enumerate(todo))
    try:
        for place, result, error in results:
            if error is not None:
                raise error
            tell(place, 1.0)
            yield todo[place], result
    finally:
        stopped.set()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # joblib remarks that not all results were read
            results.close()


class _Stopped(BaseException):
    """Ends a job whose result nobody waits for."""


def _there(work: Callable[[Any, Progress], Any], place: int, item: Any) -> tuple[int, Any, Exception | None]:
    """On a worker; an error comes back as a value, for joblib waits for ever for a job that raised one on Dask."""
    try:
        return place, work(item, quiet), None
    except Exception as error:
        return place, None, error
