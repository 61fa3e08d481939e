"""What a simulation is: settings, a run that ends in numbers and checks, and figures drawn from its record alone."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from plasticity import settings

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from plasticity.parallel import Progress
    from plasticity.records import Record


@dataclass(frozen=True)
class Check:
    """One published or derived value beside ours.

    Attributes
    ----------
    name : str
        What is compared.
    published, ours : float, text or None
        Both values; `published` may be a text such as "the interval contains 0".
    tolerance : float, text or None
        How far `ours` may be from `published`; a text where the condition is not a distance.
    source : str
        Where `published` comes from (doi), or how it follows.
    passed : bool or None
        Given where the condition is not |ours - published| <= tolerance.
    """

    name: str
    published: Any
    ours: Any
    tolerance: Any
    source: str
    passed: bool | None = None

    @property
    def holds(self) -> bool:
        """Whether ours agrees: `passed` if it was given, else |ours - published| <= tolerance."""
        if self.passed is not None:
            return bool(self.passed)
        return bool(abs(float(self.ours) - float(self.published)) <= float(self.tolerance))

    def to_json(self) -> dict[str, Any]:
        """name, published, ours, tolerance, source, holds."""
        values = {f.name: getattr(self, f.name) for f in dataclasses.fields(self) if f.name != "passed"}
        return {**values, "holds": self.holds}


@dataclass(frozen=True)
class Outcome:
    """What a simulation found: numbers for the summary, checks against what is known, arrays for the figures."""

    numbers: dict[str, Any]
    checks: list[Check] = field(default_factory=list)
    arrays: dict[str, np.ndarray] = field(default_factory=dict)
    backend: str = "numpy"


@dataclass(frozen=True)
class Simulation(ABC):
    """One question, answered by running something: a frozen dataclass whose fields are its settings.

    `figures` reads the settings in `record.configuration["settings"]`, and what `run` found in `record.numbers` and
    `record.arrays`. `uses` names the entries of the registries whose papers `plasticity cite` gives, and under which
    `plasticity show` lists this simulation. One that takes long has a field `parts: str = ""` that is no setting: a folder for
    what is finished before the whole is.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    source: ClassVar[str]
    default_seeds: ClassVar[int] = 10
    published: ClassVar[bool] = True  # whether its checks are of published or derived values: `plasticity reproduce`
    uses: ClassVar[tuple[str, ...]] = ()  # names of the rules, neurons, encoders ... that it is made of

    @classmethod
    def configure(cls, values: Mapping[str, Any]) -> Simulation:
        """An instance with some settings replaced, as `--set` gives them; a simulation may take further keys."""
        return settings.configure(cls, values)

    @abstractmethod
    def run(self, seeds: Sequence[int], jobs: int, progress: Progress) -> Outcome:
        """Simulate for these seeds in at most `jobs` processes; `progress` takes the fraction that is done."""

    @abstractmethod
    def figures(self, record: Record) -> dict[str, Figure]:
        """The figures by name, from the record alone."""

    @classmethod
    def tables(cls, numbers: Mapping[str, Any]) -> dict[str, tuple[list[str], list[list[str]]]]:
        """Tables of the numbers that are lists, for people: title, then columns and rows; single numbers are shown anyway."""
        return {}


RECORD = "outcome"
PARTS = "parts"


def execute(
    simulation: Simulation,
    out: str | os.PathLike[str],
    seeds: Sequence[int] | None = None,
    jobs: int | None = None,
    force: bool = False,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Run a simulation into a folder: one record, summary.json and the figures; the summary comes back.

    Returns
    -------
    {"simulation", "numbers", "checks": [{"name", "published", "ours", "tolerance", "source", "holds"}], "out"}

    Raises
    ------
    WrongUse
        No seeds, or a finished run in the folder without `force`.
    """
    from bridges.jobs import check_jobs, check_seeds
    from plasticity.parallel import quiet
    from plasticity.records import Record, RunFolder, provenance, read_json
    from simulations import figures

    listed = check_seeds(range(simulation.default_seeds) if seeds is None else seeds)
    n_jobs = check_jobs(jobs)
    settings.check(simulation)
    chosen = {entry.name: getattr(simulation, entry.name) for entry in settings.describe(simulation)}
    if hasattr(simulation, "parts"):
        simulation = dataclasses.replace(simulation, parts=str(Path(out).absolute() / "records" / PARTS))  # type: ignore[call-arg]
    configuration = json.loads(
        json.dumps({"command": "run", "simulation": simulation.name, "settings": chosen, "seeds": listed}, default=str)
    )
    with RunFolder.open(Path(out), configuration, force=force) as folder:
        record = folder.record(RECORD)
        if record is None:
            start = time.perf_counter()
            try:
                outcome = simulation.run(listed, n_jobs, progress or quiet)
            except KeyboardInterrupt:
                if not hasattr(simulation, "parts"):
                    raise
                raise KeyboardInterrupt(
                    f"interrupted: what is finished is kept in {out}; the same command goes on from there."
                ) from None
            record = Record(
                simulation=simulation.name,
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
        shutil.rmtree(Path(out) / "records" / PARTS, ignore_errors=True)
        folder.finish(summarise(record))
    figures.save(simulation.figures(record), Path(out) / "figures")
    return read_json(Path(out) / "summary.json") | {"out": str(out)}  # with null where a number does not exist


def summarise(record: Record) -> dict[str, Any]:
    """The summary of a run, from its record."""
    numbers = {name: value for name, value in record.numbers.items() if name != "checks"}
    return {"simulation": record.simulation, "numbers": numbers, "checks": record.numbers.get("checks", [])}


def from_configuration(kind: type[Simulation], values: Mapping[str, Any]) -> Simulation:
    """The simulation with the settings that a record states (lists become tuples again)."""
    return kind.configure({name: tuple(value) if isinstance(value, list) else value for name, value in values.items()})


def script(kind: type[Simulation]) -> None:
    """What `python simulations/NAME.py` does: `plasticity run NAME` with the same options."""
    from simulations.cli import main

    main(["run", kind.name, *sys.argv[1:]])
