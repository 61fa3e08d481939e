"""A result is one thing, whether of a comparison, of an experiment or of a sweep; it comes from the records in a folder alone.

    from simulations.frame import results

    result = results.load("results/cued_digits")
    result.to_frame()                                # a pandas DataFrame, one row for each learner and seed
    result.figures()["accuracy"].savefig("a.pdf")    # a matplotlib figure
    result.write_report()                            # results/cued_digits/report.html
    print(result.command("results/once_more"))       # what to type for the same again

Nothing is simulated. What the records lack is told when it is asked for: also an interrupted run can be loaded.
"""

from __future__ import annotations

import contextlib
import functools
import html
import os
import shlex
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from plasticity import extensions
from plasticity.errors import PlasticityError, WrongUse
from plasticity.files import read_sealed, refuse_foreign, refuse_link, write_text
from plasticity.parallel import FEW_SEEDS
from plasticity.records import Record, refuse_of_another
from simulations.frame import terminal

if TYPE_CHECKING:
    import pandas
    from matplotlib.figure import Figure

    from bridges.comparison import Comparison
    from bridges.comparison.curves import Curves
    from simulations.frame.experiment import Experiment
    from simulations.frame.sweep import Sweep
    from simulations.report.html import Section

REPORT = "report.html"


class Result(ABC):
    """What came out, and all that can be made of it.

    Attributes
    ----------
    folder : Path
        Where the records lie.
    configuration : dict
        What was asked: `command` (compare, run or sweep), settings, seeds.
    measures : list of str
        Of a sweep: which numbers are shown and drawn; some where empty.
    """

    TABLE = "summary.json"  # of the folder: the file with the numbers

    def __init__(self, folder: Path, configuration: dict[str, Any], measures: Sequence[str] = ()) -> None:
        self.folder, self.configuration, self.measures = folder, configuration, list(measures)

    @property
    @abstractmethod
    def title(self) -> str:
        """What it is called."""

    @abstractmethod
    def summary(self) -> dict[str, Any]:
        """The numbers as JSON holds them, and where they lie (`out`)."""

    @abstractmethod
    def tables(self, width: int, everything: bool = False) -> list[Any]:
        """What a terminal of so many columns shows, `rich` tables and sentences: what fits one screen, or everything."""

    @abstractmethod
    def figures(self) -> dict[str, Figure]:
        """The figures by name."""

    @abstractmethod
    def lead(self) -> str:
        """The sentences below the title of the report."""

    @abstractmethod
    def sections(self) -> list[Section]:
        """The sections of the report."""

    @abstractmethod
    def rows(self) -> Iterable[Mapping[str, Any]]:
        """The rows of `to_frame`."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.title}, in {self.folder}>"

    def _repr_html_(self) -> str:
        """The table of the result, for notebooks; of one that is not finished the sentence that says so."""
        try:
            return self.html()
        except PlasticityError as error:
            return f"<p>{html.escape(str(error))}</p>"

    @abstractmethod
    def html(self) -> str:
        """The table of the result as HTML."""

    def to_frame(self) -> pandas.DataFrame:
        """A tidy pandas table: a row for each learner and seed, for each point, seed and measure, or for each check.

        Raises
        ------
        PlasticityError
            pandas is not installed.
        """
        from bridges.comparison.tables import frame

        return frame(self.rows())

    def frame(self) -> pandas.DataFrame:
        """`to_frame`, by its older name."""
        return self.to_frame()

    def page(self) -> str:
        """The report: one page of HTML that needs nothing else.

        Raises
        ------
        PlasticityError
            Nothing is finished, or a record is damaged (it is named).
        """
        from simulations.report.html import render

        return render(f"plasticity: {self.title}", self.lead(), self.sections())

    def write_tensorboard(self, folder: str) -> Path:
        """Write learning curves and histograms of weights for TensorBoard; WrongUse where this run has none."""
        raise WrongUse(f"--tensorboard is for comparisons, and {self.folder} holds none; leave it out.")

    def write_report(self, out: str | os.PathLike[str] | None = None, force: bool = False) -> Path:
        """Write the page, whole or not at all, into the folder (report.html) or into the file `out`; the path comes back.

        Raises
        ------
        WrongUse
            `out` is there already, and it is no such page or not `force`.
        """
        from simulations.report.html import BEGINS

        if out is None:
            refuse_link(self.folder / REPORT)
        else:
            refuse_foreign(Path(out), force, BEGINS)
        target = Path(out) if out is not None else self.folder / REPORT
        write_text(target, self.page())
        return target

    def draw(self, out: str | os.PathLike[str] | None = None, svg: bool = False, force: bool = False) -> list[Path]:
        """Write the figures into the folder (figures/) or into the folder `out`; with `svg` as SVG too. The paths come back.

        Raises
        ------
        WrongUse
            A figure is in `out` already and not `force`, or something else has its name; `out` belongs to another run.
        """
        from simulations import figures

        if out is not None:
            refuse_of_another(Path(out), self.folder)
        refuse_link(self.folder / "figures")
        return figures.save(self.figures(), Path(out) if out is not None else self.folder / "figures", svg, force or out is None)

    def complete(self, svg: bool = False) -> None:
        """Write the figures and the page into the folder; after them, and the summary, a run is finished."""
        with shown(self.folder):
            self.draw(svg=svg)
            self.write_report()

    def command(self, out: str | os.PathLike[str]) -> str:
        """What to type for the same again, into another folder; what was given in Python is left out, and the report says so."""
        from simulations.frame.rerun import words

        return shlex.join(words(self.configuration, str(out))[0])

    def references(self) -> list[str]:
        """The dois and arXiv numbers of the papers behind it, see `plasticity.references.bibtex`."""
        from simulations.frame.citations import cited
        from simulations.frame.known import everything

        _refuse_absent(self.folder, self.configuration)
        path = self.folder / "summary.json"
        told = read_sealed(path) if path.exists() else {}
        return cited(self.configuration, everything(), [str(check.get("source", "")) for check in told.get("checks", [])])


class ComparisonResult(Result):
    """Learners on the same trials."""

    TABLE = "summary.csv"

    def write_tensorboard(self, folder: str) -> Path:
        from bridges.comparison.tensorboard import write

        return write(self.comparison, folder)

    @functools.cached_property
    def comparison(self) -> Comparison:
        """The records, and the statistics that follow from them."""
        from bridges.comparison import Comparison

        return Comparison.load(self.folder)

    @property
    def title(self) -> str:
        return str(self.configuration["task"])

    def summary(self) -> dict[str, Any]:
        return self.comparison.to_json()

    def tables(self, width: int, everything: bool = False) -> list[Any]:
        from bridges.comparison.tables import brief

        if not everything:
            return brief(self.comparison, width)
        return [*filter(None, (self.comparison.table(width), self.comparison.cost_table(width)))]

    def figures(self) -> dict[str, Figure]:
        from simulations.figures.comparison import comparison_figures

        return comparison_figures(self.comparison)

    def lead(self) -> str:
        from simulations.report import comparison as report

        return report.lead(self.comparison)

    def sections(self) -> list[Section]:
        from simulations.report import comparison as report

        return report.sections(self.comparison, self.folder)

    def rows(self) -> Iterable[Mapping[str, Any]]:
        return self.comparison.rows()

    def html(self) -> str:
        return self.comparison._repr_html_()


class AblationResult(ComparisonResult):
    """A learner as it is and without each of its ingredients."""

    @property
    def title(self) -> str:
        return f"{self.configuration['ablates']['learner']} on {self.configuration['task']}, ablated"

    def summary(self) -> dict[str, Any]:
        from bridges.comparison.ablation import summary

        return summary(self.comparison)

    def tables(self, width: int, everything: bool = False) -> list[Any]:
        from bridges.comparison.tables import protocol
        from simulations.report.ablation import HEADS, cells

        made = terminal.table(self.title, HEADS, cells(self.comparison), width)
        told = f"Chance {100 * self.comparison.chance:.3g} %. {protocol(self.comparison)}"
        return [made, told, *(super().tables(width, True) if everything else [])]

    def figures(self) -> dict[str, Figure]:
        from simulations.figures.ablation import ablations

        return {"ablations": ablations(self.comparison), **super().figures()}

    def lead(self) -> str:
        from simulations.report import ablation as report

        return report.lead(self.comparison)

    def sections(self) -> list[Section]:
        from simulations.report import ablation as report

        return report.sections(self.comparison, self.folder)

    def html(self) -> str:
        from bridges.comparison.tables import html_table
        from simulations.report.ablation import HEADS, cells

        return html_table(self.title, HEADS, cells(self.comparison))


class ExperimentResult(Result):
    """What an experiment found."""

    @functools.cached_property
    def experiment(self) -> Experiment:
        """The experiment with the settings of the run."""
        from simulations import SIMULATIONS
        from simulations.frame.execute import from_configuration

        return from_configuration(SIMULATIONS[self.title], self.configuration["settings"])

    @functools.cached_property
    def record(self) -> Record:
        """Numbers, checks and arrays."""
        from simulations.frame.execute import RECORD

        path = self.folder / "records" / RECORD
        if not path.with_suffix(".json").exists():
            raise PlasticityError(
                f"{self.folder} holds no finished run of {self.title}; give the `plasticity run` command again."
            )
        record = Record.load(path)
        record.refuse_other(path, None, self.configuration)
        return record

    @property
    def title(self) -> str:
        return str(self.configuration["simulation"])

    def summary(self) -> dict[str, Any]:
        from simulations.frame.execute import summarise

        return {**summarise(self.record), "out": str(self.folder)}

    def tables(self, width: int, everything: bool = False) -> list[Any]:
        from simulations.frame.shown import CHECKS, checked, told

        summary, made = self.summary(), list[Any]()
        numbers = summary["numbers"]
        for title, (columns, rows) in self.experiment.tables(numbers).items():
            made.append(terminal.table(title, columns, rows, width))
        if single := [(name, text) for name, value in numbers.items() if (text := told(value)) is not None]:
            made.append(terminal.table(self.title, ("number", "value"), single, width))
        if summary["checks"]:
            checks = [checked(check, few=self._few) for check in summary["checks"]]
            made.append(terminal.checks("checks", CHECKS, checks, width))
        return made + [f"note: {note}" for note in self._notes(summary)]

    @property
    def _few(self) -> str:
        from simulations.frame.shown import few_seeds

        return few_seeds(self.experiment, len(self.configuration["seeds"]))

    def _notes(self, summary: Mapping[str, Any]) -> Iterable[str]:
        from simulations.frame.shown import counted_by_kind
        from simulations.report.experiment import changes

        if summary["checks"]:
            yield f"checks that hold, by kind: {counted_by_kind([summary])}."
        if self._few:
            easily = ", and a check that wants no difference holds easily" if summary["checks"] else ""
            yield f"{FEW_SEEDS}{easily}; the default is {self.experiment.default_seeds} seeds."
        changed = changes(self.experiment, self.configuration["settings"])
        if changed and summary["checks"]:
            yield f"the checks are meant for the default settings; here {', '.join(changed)}."

    def figures(self) -> dict[str, Figure]:
        from simulations.figures import draw_all

        return draw_all(self.experiment.figures(self.experiment.arrays_of(self.record)))

    def lead(self) -> str:
        from simulations.report import experiment as report

        return report.lead(self.experiment, self.record)

    def sections(self) -> list[Section]:
        from simulations.report import experiment as report

        return report.sections(self.experiment, self.record, self.folder)

    def rows(self) -> Iterable[Mapping[str, Any]]:
        for check in self.summary()["checks"]:
            yield {"simulation": self.title, **check}

    def html(self) -> str:
        from bridges.comparison.tables import html_table
        from simulations.frame.shown import CHECKS, checked, told

        summary = self.summary()
        if summary["checks"]:
            return html_table(self.title, CHECKS, [checked(check, few=self._few) for check in summary["checks"]])
        single = [(name, text) for name, value in summary["numbers"].items() if (text := told(value)) is not None]
        return html_table(self.title, ("number", "value"), single)


class SweepResult(Result):
    """An experiment, or learners on a task, over a grid of settings."""

    TABLE = "summary.csv"

    @functools.cached_property
    def kind(self) -> type[Experiment]:
        """The experiment."""
        from simulations.frame.sweep import swept

        return swept(self.configuration)

    @functools.cached_property
    def sweep(self) -> Sweep:
        """Every number at every point and seed."""
        from simulations.frame.sweep import Sweep

        return Sweep.load(self.folder, self.kind)

    @property
    def title(self) -> str:
        return f"{self.kind.name}, a sweep"

    def summary(self) -> dict[str, Any]:
        return self.sweep.to_json() | {"out": str(self.folder)}

    def tables(self, width: int, everything: bool = False) -> list[Any]:
        made = terminal.table(f"{self.kind.name}: {self.sweep.counted}", *self.sweep.rows(self.measures), width)
        return [made, *(f"note: {note}" for note in self.sweep.notes(self.measures))]

    def figures(self) -> dict[str, Figure]:
        return self.sweep.figures(self.measures)

    def lead(self) -> str:
        from simulations.report import sweep as report

        return report.lead(self.kind, self.sweep)

    def sections(self) -> list[Section]:
        from simulations.frame.sweep import record_name
        from simulations.report import sweep as report

        places = [record_name(point.number, seed) for point in self.sweep.points for seed in self.configuration["seeds"]]
        records = [Record.load(self.folder / "records" / place) for place in places]
        return report.sections(self.kind, self.sweep, records, self.folder)

    def rows(self) -> Iterable[Mapping[str, Any]]:
        return self.sweep.tidy()

    def html(self) -> str:
        return self.sweep.html(self.measures)


class BudgetResult(Result):
    """Learners along a budget."""

    TABLE = "summary.csv"

    @functools.cached_property
    def curves(self) -> Curves:
        """The records, and the curves that follow from them."""
        from bridges.comparison.curves import Curves

        return Curves.load(self.folder)

    @property
    def title(self) -> str:
        return f"{self.configuration['task']}, a budget of {self.configuration['budget']}"

    def summary(self) -> dict[str, Any]:
        return self.curves.to_json()

    def tables(self, width: int, everything: bool = False) -> list[Any]:
        from bridges.comparison.tables import many

        curves = self.curves
        made = [terminal.table(f"{self.title}: {many(len(curves.seeds), 'seed')}", *curves.table(), width)]
        if curves.budget == "energy":
            made.append(terminal.table(f"A decision at {100 * curves.stated:.1f} % (size), by prices", *curves.prices(), width))
        return [*made, *curves.sentences(), *(f"note: {note}" for note in curves.notes(everything))]

    def figures(self) -> dict[str, Figure]:
        from simulations.figures.budget import budget_figures

        return budget_figures(self.curves)

    def lead(self) -> str:
        from simulations.report import budget as report

        return report.lead(self.curves)

    def sections(self) -> list[Section]:
        from simulations.report import budget as report

        return report.sections(self.curves, self.folder)

    def rows(self) -> Iterable[Mapping[str, Any]]:
        return self.curves.rows()

    def html(self) -> str:
        return self.curves.html()


KINDS: dict[str, type[Result]] = {
    "compare": ComparisonResult,
    "run": ExperimentResult,
    "sweep": SweepResult,
    "budget": BudgetResult,
}


def _refuse_absent(folder: Path, configuration: Mapping[str, Any]) -> None:
    """WrongUse where a file of somebody's own is not known now."""
    absent = extensions.changed(configuration)[0]
    if absent:
        again = f"give it again, with its path: --with {shlex.quote(absent[0])}"
        raise WrongUse(f"{folder} was made with {', '.join(absent)}; {again}.")


@contextlib.contextmanager
def shown(folder: str | os.PathLike[str]) -> Iterator[None]:
    """PlasticityError for what fails while a folder is shown: its seals may be anybody's, and its records hold anything."""
    try:
        yield
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        if isinstance(error, PlasticityError):
            raise
        raise PlasticityError(
            f"{folder} cannot be shown ({type(error).__name__}: {' '.join(str(error).split())}): a record in it holds what no run"
            " writes, or a figure of its experiment fails; --debug says where."
        ) from error


def load(folder: str | os.PathLike[str], measures: Sequence[str] = ()) -> Result:
    """The result in a folder that `compare`, `ablate`, `run` or `sweep` wrote.

    Raises
    ------
    WrongUse
        The folder holds no run, or one of a file of somebody's own that is not known now.
    PlasticityError
        Its run.json is damaged.
    """
    from bridges.comparison import read_configuration
    from simulations import SIMULATIONS

    place = Path(folder)
    configuration = read_configuration(place)
    own = configuration.get("simulation")  # a comparison, and a sweep of learners, is drawn without the file of its task
    if own is not None and own not in SIMULATIONS:
        _refuse_absent(place, configuration)
    if measures and configuration["command"] != "sweep":
        raise WrongUse(f"{place} holds no sweep, and --measure picks the measures of one; leave it out.")
    kind = AblationResult if "ablates" in configuration else KINDS[configuration["command"]]
    return kind(place, configuration, measures)
