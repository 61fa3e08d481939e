"""Run an experiment into a folder: one record, the figures, the summary."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from plasticity import extensions, settings
from plasticity.bars import bar
from plasticity.engine import backend
from plasticity.files import read_sealed
from plasticity.parallel import MOST_JOBS, Progress, check_jobs, check_seeds, quiet
from plasticity.records import PARTS, Record, RunFolder, provenance
from simulations import figures
from simulations.frame.experiment import Experiment, Suite

RECORD = "outcome"


def execute(
    experiment: Experiment,
    out: str | os.PathLike[str],
    seeds: Sequence[int] | None = None,
    jobs: int | None = None,
    force: bool = False,
    progress: Progress | None = None,
    svg: bool = False,
    complete: Callable[[], object] | None = None,
) -> dict[str, Any]:
    """Run an experiment into a folder: one record, the figures, and summary.json, which comes back.

    `complete` is called before the summary is written, with which the folder counts as finished: for the page.

    Returns
    -------
    {"simulation", "numbers", "checks": [{"name", "published", "ours", "tolerance", "source", "holds", "kind"}], "out"}

    Raises
    ------
    WrongUse
        No seeds, or a finished run in the folder without `force`.
    """
    listed = check_seeds(range(experiment.default_seeds) if seeds is None else seeds)
    settings.check(experiment)
    experiment.refuse()
    n_jobs = check_jobs(jobs, experiment.bytes, MOST_JOBS)
    configuration = asked(experiment, listed)
    ran_by = backend() if experiment.compiled else ""
    with (
        bar(experiment.name) if progress is None else contextlib.nullcontext(progress) as progress,
        RunFolder.open(Path(out), configuration, force, ran_by) as folder,
    ):
        record = folder.record(RECORD)
        if record is None:
            parts = folder.parts() if experiment.keeps else None
            start = time.perf_counter()
            try:
                outcome = experiment.outcome(listed, n_jobs, progress or quiet, parts)
            except KeyboardInterrupt:
                raise KeyboardInterrupt(f"interrupted: {_goes_on(experiment, out)}.") from None
            record = Record(
                simulation=experiment.name,
                configuration=configuration,
                seed=None,
                numbers={**outcome.numbers, "checks": [check.to_json() for check in outcome.checks]},
                arrays=outcome.arrays,
                wall_s=time.perf_counter() - start,
                backend=outcome.backend,
                threads=n_jobs,
                provenance=provenance(),
            )
            folder.save(RECORD, record)
        record.refuse_other(Path(out) / "records" / RECORD, None, configuration)
        shutil.rmtree(Path(out) / "records" / PARTS, ignore_errors=True)
        with drawing(progress or quiet, out):
            figures.save(figures.draw_all(experiment.figures(experiment.arrays_of(record))), Path(out) / "figures", svg)
            if complete is not None:
                complete()
        folder.finish(summarise(record))
    return read_sealed(Path(out) / "summary.json") | {"out": str(out)}  # with null where a number does not exist


def _goes_on(experiment: Experiment, out: str | os.PathLike[str]) -> str:
    """What the same command does after an interruption."""
    if not experiment.keeps:
        return f"{experiment.name} keeps nothing before it ends; the same command begins it again"
    made = experiment.made() if isinstance(experiment, Suite) else [experiment]
    keep, rest = ([member.name for member in made if member.keeps == kept] for kept in (True, False))
    if rest:
        of = f"what is finished of {' and '.join(keep)} is kept in {out}; the same command goes on from there"
        return f"{of}, and begins {' and '.join(rest)} again"
    return f"what is finished is kept in {out}; the same command goes on from there"


@contextlib.contextmanager
def drawing(tell: Progress, out: str | os.PathLike[str]) -> Iterator[None]:
    """Figures and page are made inside, of what lies in the folder."""
    tell(1.0, note="drawing figures")
    try:
        yield
    except KeyboardInterrupt:
        raise KeyboardInterrupt(
            f"interrupted: all but figures and page is finished and kept in {out}; the same command makes them."
        ) from None
    tell(1.0)


def asked(experiment: Experiment, seeds: Sequence[int]) -> dict[str, Any]:
    """What run.json says of the run of an experiment for these seeds."""
    chosen = {entry.name: getattr(experiment, entry.name) for entry in settings.describe(experiment)}
    told = {"command": "run", "simulation": experiment.name, "settings": chosen, "seeds": list(seeds), **extensions.told()}
    return dict(json.loads(json.dumps(told, default=str)))


def seen(folder: Path | None) -> Path | None:
    """The folder for parts; None on a machine of a cluster that does not see the folder of the run."""
    run = next((above.parents[1] for above in (folder, *folder.parents) if above.name == PARTS), None) if folder else None
    return folder if run is None or (run / "run.json").exists() else None


def summarise(record: Record) -> dict[str, Any]:
    """The summary of a run, from its record."""
    numbers = {name: value for name, value in record.numbers.items() if name != "checks"}
    return {"simulation": record.simulation, "numbers": numbers, "checks": record.numbers.get("checks", [])}


def from_configuration(kind: type[Experiment], values: Mapping[str, Any]) -> Experiment:
    """The experiment with the settings that a record states (lists become tuples again)."""
    now = settings.current(kind, values)
    return kind.configure({name: tuple(value) if isinstance(value, list) else value for name, value in now.items()})


def script(name: str) -> None:
    """What `python simulations/NAME.py`, or a file of one's own, does: `plasticity run NAME` with the same options."""
    from importlib import import_module

    from simulations import SIMULATIONS

    own = [] if name in SIMULATIONS else ["--with", str(sys.modules["__main__"].__file__)]
    import_module("simulations.command_line").main(["run", name, *own, *sys.argv[1:]])
