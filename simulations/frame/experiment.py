"""What an experiment is: settings, a run for each seed, numbers, checks and figures; each short.

    @dataclass(frozen=True)
    class OneTrial(Experiment):
        "Weight change by one pair and one late reward, against the closed form."

        name = "one_trial"
        ...
        def run(self, seed):
            return {"delay_s": DELAYS, "credit": one_trial(DELAYS)}

        def checks(self, a):
            yield near("one trial: Delta s/(c_0 d_0), T = 0.1 s", SHARE, a["credit"][1], rel=0.005, source=IZHIKEVICH)

        def figures(self, a):
            return {"one_trial": curve(a["delay_s"], dots=a["credit"], theory=closed_form, x="delay T (s)", y="change (s)")}

Arrays are all that is kept of a run: numbers, checks and figures follow from them, so that they can be had again from a record
(an array that stands in the numbers as it is may be kept there alone: `told`). A suite is several experiments under one name,
with one record.
"""

from __future__ import annotations

import dataclasses
import math
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import numpy as np

from plasticity import settings
from plasticity.engine import backend
from plasticity.errors import WrongUse
from plasticity.parallel import Progress, each, quiet
from plasticity.statistics import ANY, known_mean
from simulations.frame.checks import Check

if TYPE_CHECKING:
    from plasticity.records import Record
    from simulations.figures.kinds import Drawing

Arrays = Mapping[str, np.ndarray]
Table = tuple[list[str], list[list[str]]]  # columns and rows
E = TypeVar("E", bound="Experiment")
Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Measure:
    """A number of an experiment that `plasticity sweep` prints and draws, and `plasticity show` tells.

    Attributes
    ----------
    name : str
        As `--measure` takes it.
    unit : str
        Of its values; empty for a pure number.
    meaning : str
        What it is, in one line.
    where : tuple or callable
        How it is got from the numbers of a run: names and places, one inside the other, where {"condition": "attention"} is
        the last row of a list that has these values; or a function of the numbers. The name itself where empty.
    scale : float
        What size it has where it is no rounding: smaller differences than 1e-9 of it are. Its largest value found where 0.
    within : (low, high)
        What it can be; no end of an interval lies beyond.
    time_step : str
        Why it changes with the time step, where it may: `time_steps` shows it, and checks the others.
    """

    name: str
    unit: str
    meaning: str
    where: tuple[str | int | Mapping[str, Any], ...] | Callable[[Mapping[str, Any]], Any] = ()
    scale: float = 0.0
    within: tuple[float, float] = ANY
    time_step: str = ""

    @property
    def title(self) -> str:
        """Name and unit, the head of a column."""
        return f"{self.name} ({self.unit})" if self.unit else self.name

    def of(self, numbers: Mapping[str, Any]) -> float:
        """The number of a run; of several its mean, of one with an interval the number alone; nan where there is none."""
        try:
            found: Any = self.where(numbers) if callable(self.where) else numbers
            for step in () if callable(self.where) else self.where or (self.name,):
                if isinstance(step, Mapping):
                    found = [row for row in found if step.items() <= row.items()][-1]
                else:
                    found = found[step]
        except (LookupError, TypeError):
            return math.nan
        if isinstance(found, Mapping):
            found = found.get("mean", found.get("value"))
        values = np.array([math.nan if value is None else value for value in (found if isinstance(found, list) else [found])])
        return known_mean(values) if values.dtype.kind in "iuf" else math.nan


@dataclass(frozen=True)
class Outcome:
    """What an experiment found: numbers for the summary, checks against what is known, arrays for the figures."""

    numbers: dict[str, Any]
    checks: list[Check] = field(default_factory=list)
    arrays: dict[str, np.ndarray] = field(default_factory=dict)
    backend: str = "numpy"


def stack(runs: Sequence[Arrays], *shape: int) -> dict[str, np.ndarray]:
    """The arrays of several runs, each name as one array: the runs first, in the shape of their grid where one is given."""
    stacked = {name: np.stack([np.asarray(run[name]) for run in runs]) for name in runs[0]}
    return {name: array.reshape(*shape, *array.shape[1:]) for name, array in stacked.items()} if shape else stacked


@dataclass(frozen=True)
class Session:
    """For which seeds an experiment runs, how many jobs at a time, whom it tells how far it is, where it may keep parts.

    Attributes
    ----------
    seeds : list of int
    jobs : int
    progress : callable
        Takes the fraction that is done, and `note="..."`.
    folder : Path or None
        For what is finished before the whole is; it is there again when an interrupted run goes on, and deleted at the end.
    """

    seeds: Sequence[int]
    jobs: int = 1
    progress: Progress = quiet
    folder: Path | None = None

    def part(self, begin: float, end: float) -> Session:
        """The same, whose progress is told as this part of the whole."""

        def tell(fraction: float, note: str = "") -> None:
            self.progress(begin + (end - begin) * fraction, note=note)

        return dataclasses.replace(self, progress=tell)

    def each(
        self, work: Callable[[Item, Progress], Result], items: Iterable[Item], cost: Callable[[Item], float] = lambda item: 1.0
    ) -> Iterator[tuple[Item, Result]]:
        """`(item, work(item, tell))` for every item, side by side; see `plasticity.parallel.each`."""
        return each(work, items, self.jobs, self.progress, cost)


@dataclass(frozen=True)
class Experiment(ABC):
    """One question, answered by running something: a frozen dataclass whose fields are its settings.

    Attributes
    ----------
    name, summary, source : str
        What it is called, what it shows in one line, and whose result that is (with doi).
    default_seeds : int
        How many seeds it runs for unless told.
    seeded : bool
        Something in it is drawn at random. Where nothing is, it runs once, and its arrays have no axis of seeds.
    compiled : bool
        Its networks run as compiled programs.
    published : bool
        Its checks are of published or derived values: `plasticity reproduce`.
    part_of : str
        The suite that it belongs to, with which it is reproduced.
    uses : tuple of str
        Names of the rules, neurons, encoders that it is made of: `plasticity cite` gives their papers.
    keeps : bool
        It keeps what is finished in `Session.folder`, so that an interrupted run goes on there.
    own_process : bool
        It trains torch models, which works for one thread of a process at a time: a sweep gives each of its jobs a process.
    measures : tuple of Measure, or None
        The numbers that a sweep prints and draws, the most telling first; where empty it is not swept. None, for one of
        somebody's own: all single numbers of its `numbers`.
    one_axis : str
        The label of the axis that all measures share; each has an axis of its own where empty.
    time_share : float
        Of the time of its suite.
    time_step : str
        Why it has no setting `dt_ms`, in a sentence: no time step lies in what it does, or that of the published model is part of
        it. Empty where it has the setting.
    short : mapping
        The settings with which a run takes a second or so: `time_steps` runs it so, at its `dt_ms` and at half of it.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    source: ClassVar[str]
    default_seeds: ClassVar[int] = 10
    seeded: ClassVar[bool] = True
    compiled: ClassVar[bool] = True
    published: ClassVar[bool] = True
    part_of: ClassVar[str] = ""
    uses: ClassVar[tuple[str, ...]] = ()
    keeps: ClassVar[bool] = False
    own_process: ClassVar[bool] = False
    measures: ClassVar[tuple[Measure, ...] | None] = None
    one_axis: ClassVar[str] = ""
    time_share: ClassVar[float] = 1.0
    time_step: ClassVar[str] = ""
    short: ClassVar[Mapping[str, Any]] = {}

    @classmethod
    def configure(cls: type[E], values: Mapping[str, Any]) -> E:
        """An instance with some settings replaced, as `--set` gives them; an experiment may take further keys."""
        made = settings.configure(cls, values)
        made.refuse()
        return made

    @property
    def bytes(self) -> float:
        """About how much memory one of its jobs takes, mostly that of its network; 0 where it does not say."""
        return 0.0

    def run(self, seed: int) -> Arrays:
        """What one seed gives, arrays by name. An experiment whose jobs are not one a seed overrides `collect` instead."""
        raise WrongUse(f"{type(self).__name__} has neither run(seed) nor collect(session); define one of them.")

    def collect(self, session: Session) -> dict[str, np.ndarray]:
        """The arrays of all seeds, the seeds first: (seeds, ...)."""
        if not self.seeded:
            found = self._named("run", self.run(session.seeds[0]))
            session.progress(1.0)
            return {name: np.asarray(array) for name, array in found.items()}
        by_seed = dict(session.each(lambda seed, tell: self._named("run", self.run(seed)), session.seeds))
        return stack([by_seed[seed] for seed in session.seeds])

    def numbers(self, a: Arrays) -> dict[str, Any]:
        """Numbers for the summary."""
        return {}

    def checks(self, a: Arrays) -> Iterable[Check]:
        """Ours beside what is published or derived."""
        return ()

    @abstractmethod
    def figures(self, a: Arrays) -> Mapping[str, Drawing]:
        """The figures by name."""

    @classmethod
    def sweepable(cls) -> None:
        """WrongUse where there is nothing of it that a sweep could print, with what to do instead."""
        if not cls.published:
            raise WrongUse(f"{cls.name} measures times, each alone on the machine; it cannot be swept.")
        has_numbers = cls.numbers is not Experiment.numbers
        if not (cls.measures if cls.measures is not None else has_numbers):
            raise WrongUse(
                f"{cls.name} has no measures, numbers of it that a sweep could print and draw; type `plasticity run {cls.name}"
                " --set KEY=VALUE` for each value, or give its class `measures = (Measure(name, unit, meaning), ...)`."
            )

    def told(self, numbers: Mapping[str, Any]) -> dict[str, np.ndarray]:
        """Arrays that stand in the numbers already: a record keeps them there alone, and here they are had back."""
        return {}

    def arrays_of(self, found: Outcome | Record) -> dict[str, np.ndarray]:
        """All arrays of an outcome or a record: those that it keeps, and those that its numbers tell."""
        return {**found.arrays, **self.told(found.numbers)}

    @classmethod
    def tables(cls, numbers: Mapping[str, Any]) -> dict[str, Table]:
        """Tables of the numbers that are lists, for people: title, then columns and rows; single numbers are shown anyway."""
        return {}

    def refuse(self) -> None:  # noqa: B027  (most have nothing to refuse)
        """WrongUse for settings that do not go together, before anything runs."""

    def outcome(self, seeds: Sequence[int], jobs: int = 1, progress: Progress = quiet, folder: Path | None = None) -> Outcome:
        """Run it for these seeds: arrays, and what follows from them."""
        settings.check(self)
        self.refuse()
        progress(0.0)
        found = self._named("collect", self.collect(Session(seeds, jobs, progress, folder)))
        arrays = {name: np.asarray(array) for name, array in found.items()}
        progress(1.0)
        numbers = self._named("numbers", self.numbers(arrays))
        told = self.told(numbers)
        kept = {name: array for name, array in arrays.items() if name not in told}
        given = self.checks(arrays)
        checks = list(given) if isinstance(given, Iterable) else [given]
        for one in checks:
            if not isinstance(one, Check):
                raise WrongUse(f"{self.name}: checks() gave a {type(one).__name__}; let it give Checks, as in yield near(...).")
        return Outcome(numbers, checks, kept, backend() if self.compiled else "numpy")

    def _named(self, method: str, given: Any) -> dict[str, Any]:
        """What a method gave, by name; WrongUse for anything else."""
        if not isinstance(given, Mapping):
            raise WrongUse(f"{self.name}: {method}() gave a {type(given).__name__}; let it give values by name, like {{'x': x}}.")
        return dict(given)


@dataclass(frozen=True)
class Suite(Experiment):
    """Several experiments under one name, with one record; its settings are theirs.

    Made by `suite`.
    """

    members: ClassVar[tuple[type[Experiment], ...]] = ()

    def made(self) -> list[Experiment]:
        """The members with the settings of this suite."""
        return [
            member(**{entry.name: getattr(self, entry.name) for entry in settings.describe(member)}) for member in self.members
        ]

    def collect(self, session: Session) -> dict[str, np.ndarray]:
        arrays: dict[str, np.ndarray] = {}
        made, begun = self.made(), 0.0
        whole = sum(member.time_share for member in made)
        for member in made:
            folder = None if session.folder is None else session.folder / member.name
            part = dataclasses.replace(session.part(begun / whole, (begun + member.time_share) / whole), folder=folder)
            arrays |= member.collect(part)
            begun += member.time_share
        return arrays

    def numbers(self, a: Arrays) -> dict[str, Any]:
        """Those of the members; lists of the same name are joined."""
        found: dict[str, Any] = {}
        for member in self.made():
            for name, value in member.numbers(a).items():
                both = isinstance(value, list) and isinstance(found.get(name), list)
                found[name] = [*found[name], *value] if both else value
        return found

    def checks(self, a: Arrays) -> Iterable[Check]:
        for member in self.made():
            yield from member.checks(a)

    def figures(self, a: Arrays) -> Mapping[str, Drawing]:
        """Those of the members; where two have one of the same name, they stand side by side."""
        from simulations.figures.kinds import beside

        drawn: dict[str, Drawing] = {}
        for member in self.made():
            for name, drawing in member.figures(a).items():
                drawn[name] = beside(drawn[name], drawing) if name in drawn else drawing
        return drawn

    def told(self, numbers: Mapping[str, Any]) -> dict[str, np.ndarray]:
        return {name: array for member in self.made() for name, array in member.told(numbers).items()}

    @classmethod
    def tables(cls, numbers: Mapping[str, Any]) -> dict[str, Table]:
        found: dict[str, Table] = {}
        for member in cls.members:
            found |= member.tables(numbers)
        return found

    @property
    def bytes(self) -> float:
        return max(member.bytes for member in self.made())

    def refuse(self) -> None:
        for member in self.made():
            member.refuse()


def suite(title: str, members: Sequence[type[Experiment]], doc: str, **about: Any) -> type[Suite]:
    """A suite of these experiments; `about` are `name`, `summary`, `source`, `default_seeds` and the like.

    Its settings are those of the members, in their order. Two members may declare the same setting, alike.
    """
    fields: dict[str, tuple[str, Any, Any]] = {}
    for member in members:
        for f in dataclasses.fields(member):
            if f.name in fields and (fields[f.name][2].default, fields[f.name][2].metadata) != (f.default, f.metadata):
                raise ValueError(f"{title}: two members declare the setting {f.name!r}, and not alike")
            declared = dataclasses.field(default=f.default, metadata=f.metadata)
            fields.setdefault(f.name, (f.name, settings.kinds(member)[f.name], declared))
    frame = sys._getframe(1).f_globals["__name__"]  # the file that makes it, where it is found again by other processes
    uses = tuple(dict.fromkeys(name for member in members for name in member.uses))
    steps = " ".join(dict.fromkeys(f"{member.name}: {member.time_step}" for member in members if member.time_step))
    body = {
        "__doc__": doc, "__module__": frame, "members": tuple(members), "uses": uses,
        "compiled": any(member.compiled for member in members), "keeps": any(member.keeps for member in members),
        "own_process": any(member.own_process for member in members), "measures": _joined(members), "time_step": steps, **about,
    }  # fmt: skip
    return dataclasses.make_dataclass(title, fields.values(), bases=(Suite,), namespace=body, frozen=True)


def _joined(members: Sequence[type[Experiment]]) -> tuple[Measure, ...] | None:
    """The measures of all members; None where one declares none."""
    declared = [member.measures for member in members]
    return None if None in declared else tuple({one.name: one for some in declared for one in some or ()}.values())
