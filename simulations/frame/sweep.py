"""An experiment, or learners on a task, over a grid of settings and seeds: a job for each point and seed, a table, a figure.

What is shown are the measures that the experiment declares, with their units, as far as they differ by more than rounding; where
they differ by no more than the seeds do, a note says so. What could not be shown is refused before anything runs.
"""

from __future__ import annotations

import contextlib
import csv
import dataclasses
import io
import itertools
import json
import math
import shutil
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from plasticity import extensions, settings
from plasticity.bars import bar
from plasticity.engine import backend
from plasticity.errors import PlasticityError, WrongUse, unknown
from plasticity.files import write_text
from plasticity.parallel import Progress, check_jobs, check_seeds, each, one_thread, quiet
from plasticity.records import PARTS, Record, RunFolder, provenance
from plasticity.settings import describe
from plasticity.statistics import ANY, LEVEL, among, holm, known_mean, mean_and_interval

if TYPE_CHECKING:
    import pandas
    from matplotlib.figure import Figure

    from simulations.frame.experiment import Experiment, Measure

MOST_PANELS = 6
MOST_TICKS = 8  # of values of a setting that is a number
MOST_POINTS = 10_000
ROUNDING = 1e-9  # of the size of a measure: what differs by less does not differ


@dataclass(frozen=True)
class Point:
    """One combination of the grid: its number, its values as texts by key."""

    number: int
    values: tuple[tuple[str, str], ...]

    @property
    def title(self) -> str:
        return ", ".join(f"{key}={value}" for key, value in self.values)


def points(grid: Mapping[str, Sequence[str]]) -> list[Point]:
    """All combinations, the last key fastest; WrongUse for more than `MOST_POINTS`."""
    if (number := math.prod(len(levels) for levels in grid.values())) > MOST_POINTS:
        raise WrongUse(f"--grid asks for {number} combinations; {MOST_POINTS} are the most. Give fewer values or keys.")
    rows = itertools.product(*grid.values())
    return [Point(number, tuple(zip(grid, row, strict=True))) for number, row in enumerate(rows)]


def measures(numbers: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, float]]:
    """Every single number in the outcome of one seed, nested names joined by dots; of {"mean": ...} the mean."""
    for name, value in numbers.items():
        if isinstance(value, Mapping):
            if isinstance(value.get("mean"), (int, float)):
                yield prefix + name, float(value["mean"])
            elif "mean" not in value:
                yield from measures(value, f"{prefix}{name}.")
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            yield prefix + name, float(value)


def sweep(
    kind: type[Experiment],
    grid: Mapping[str, Sequence[str]],
    seeds: Sequence[int],
    fixed: Mapping[str, str] | None = None,
    jobs: int | None = None,
    out: str | Path = "results/sweep",
    force: bool = False,
    progress: Progress | None = None,
    shown: Sequence[str] = (),
    complete: Callable[[], object] | None = None,
) -> Sweep:
    """Run the experiment for every point of the grid and every seed; jobs that are finished in `out` are not run again.

    Where nothing is drawn at random the first seed stands for all. What `shown` names must be among its measures.
    `complete` is called when all is written but the summary, with which the folder counts as finished: for figures and page.

    Raises
    ------
    WrongUse
        An unknown setting or value, no seeds, nothing that could be shown, a finished sweep in `out` without `force`.
    PlasticityError
        A job failed; what was finished before stays in `out`.
    """
    kind.sweepable()
    fixed = dict(fixed or {})
    for key in grid:
        if key in fixed:
            raise WrongUse(f"{key} is in --grid and in --set; give it once.")
    declared = [one.name for one in kind.measures or ()]
    if declared and (absent := [name for name in shown if name not in declared]):
        raise unknown("measure", absent[0], declared)
    combinations = points(grid)
    made = {
        point.number: kind.configure({**fixed, **dict(point.values)}) for point in combinations
    }  # all refusals before any work
    seeds = check_seeds(seeds) if kind.seeded else check_seeds(seeds)[:1]
    first: dict[str, Point] = {}
    for point in combinations:
        other = first.setdefault(_same(made[point.number]), point)
        if other is not point:
            raise WrongUse(f"--grid asks for the same twice: {other.title} and {point.title}; give it once.")
    configuration = {
        "command": "sweep", **_subject(kind, made[0]), "settings": fixed, "grid": {k: list(v) for k, v in grid.items()},
        "seeds": seeds, **extensions.told(),
    }  # fmt: skip
    told = provenance()
    ran_by = backend() if kind.compiled else ""
    jobs = check_jobs(jobs, max(one.bytes for one in made.values()), len(made) * len(seeds))
    with (
        bar(f"sweep {kind.name}") if progress is None else contextlib.nullcontext(progress) as progress,
        RunFolder.open(Path(out), configuration, force, ran_by) as folder,
    ):
        todo = [(p.number, seed) for p in combinations for seed in seeds if not folder.holds(record_name(p.number, seed))]
        kept = len(combinations) * len(seeds) - len(todo)
        parts = folder.parts() if kind.keeps else None  # a folder for each job

        def work(job: tuple[int, int], tell: Progress) -> tuple[dict[str, Any], str]:
            number, seed = job
            with one_thread():  # the same sums in the same order as in a process of its own
                outcome = made[number].outcome([seed], 1, tell, parts and parts / record_name(number, seed))
            return {**outcome.numbers, "checks": [check.to_json() for check in outcome.checks]}, outcome.backend

        whole = len(todo) + kept
        done = kept

        def show(fraction: float, note: str = "") -> None:
            (progress or quiet)((kept + fraction * len(todo)) / whole, note=f"{done}/{whole} jobs")

        try:
            for (number, seed), (numbers, ran) in each(work, todo, jobs, show, processes=kind.own_process):
                if not declared:  # then the first job tells what there is to show
                    single = dict(measures(numbers))
                    if kind.measures is None and not single:
                        raise WrongUse(
                            f"{kind.name}: there is no single number in what numbers() gives, nothing to print or draw; give its"
                            " class `measures = (Measure(name, unit, meaning, where), ...)`, which say where to find them."
                        )
                    if absent := [name for name in shown if name not in single]:
                        raise unknown("measure", absent[0], single)
                asked = {**configuration, "point": dict(combinations[number].values)}
                record = Record(kind.name, asked, seed, numbers, {}, 0.0, ran, 1, told)
                folder.save(record_name(number, seed), record)
                done += 1
                show((done - kept) / max(1, len(todo)))
        except KeyboardInterrupt:
            raise KeyboardInterrupt(
                f"interrupted: {done} of {whole} jobs are finished and kept in {out}; the same command goes on from there."
            ) from None
        found = Sweep.load(Path(out), kind)
        shutil.rmtree(Path(out) / "records" / PARTS, ignore_errors=True)
        write_text(Path(out) / "summary.csv", found.csv())
        if complete is not None:
            complete()
        show(1.0)  # whatever was told meanwhile
        folder.finish(found.to_json())
    return found


def _same(made: Experiment) -> str:
    """A text that two experiments have in common exactly if their settings are equal."""
    fields = [field.name for field in dataclasses.fields(made) if field.compare]
    return json.dumps({name: settings.plain(getattr(made, name)) for name in fields}, sort_keys=True)


def record_name(point: int, seed: int) -> str:
    return f"point-{point:03d}/seed-{seed:04d}"


@dataclass
class Sweep:
    """What a sweep found: `values[measure]` is an array (points, seeds), nan where a run gave no such number.

    First come the measures that the experiment declares, then all other single numbers of its runs.
    """

    configuration: dict[str, Any]
    points: list[Point]
    values: dict[str, np.ndarray]
    kind: type[Experiment]

    @classmethod
    def load(cls, folder: Path, kind: type[Experiment] | None = None) -> Sweep:
        """From the records in a folder; of the experiment that its configuration names, unless told.

        Raises
        ------
        PlasticityError
            A job is not finished, or its record is damaged.
        """
        from bridges.comparison import read_configuration

        configuration = read_configuration(folder)
        combinations, seeds = points(configuration["grid"]), configuration["seeds"]
        kind = kind or swept(configuration)
        declared = kind.measures or ()
        values = {one.name: np.full((len(combinations), len(seeds)), np.nan) for one in declared}
        for point in combinations:
            for place, seed in enumerate(seeds):
                path = folder / "records" / record_name(point.number, seed)
                if not path.with_name(f"{path.name}.json").exists():
                    raise PlasticityError(f"{folder} holds an unfinished sweep; give the `plasticity sweep` command again.")
                record = Record.load(path)
                record.refuse_other(path, seed, {**configuration, "point": dict(point.values)})
                numbers = record.numbers
                found = dict(measures(numbers)) | {one.name: one.of(numbers) for one in declared}
                for name, value in found.items():
                    values.setdefault(name, np.full((len(combinations), len(seeds)), np.nan))[point.number, place] = value
        return cls(configuration, combinations, values, kind)

    @property
    def name(self) -> str:
        """Of the experiment or task."""
        return str(self.configuration.get("task") or self.configuration["simulation"])

    @property
    def declared(self) -> dict[str, Measure]:
        """The measures that the experiment declares, by name; of the others nothing but the name is known."""
        return {one.name: one for one in self.kind.measures or ()}

    def title(self, name: str) -> str:
        """A measure with its unit."""
        return self.declared[name].title if name in self.declared else name

    def moves(self, name: str) -> bool:
        """Whether the mean over seeds differs between points by more than rounding; of a single point, whether the seeds do."""
        values = self.values[name]
        known = values[np.isfinite(values)]
        scale = (self.declared[name].scale if name in self.declared else 0.0) or np.abs(known).max(initial=0.0)
        compared = np.array([known_mean(row) for row in values]) if len(self.points) > 1 else known
        compared = compared[np.isfinite(compared)]
        return bool(len(compared) and np.ptp(compared) > ROUNDING * scale)

    @property
    def shown(self) -> list[str]:
        """The measures that stand for the experiment; of one that declares none all numbers but times and those of the grid."""
        still = {*self.configuration["grid"], *(name for name in self.values if name.endswith(("_s", "ms_per_image")))}
        names = list(self.declared) or [name for name in self.values if name not in still] or list(self.values)
        return [name for name in names if np.isfinite(self.values[name]).any()]

    @property
    def counted(self) -> str:
        """2 points, 3 seeds."""
        from bridges.comparison.tables import many

        return f"{many(len(self.points), 'point')}, {many(len(self.configuration['seeds']), 'seed')}"

    def __repr__(self) -> str:
        from bridges.comparison.tables import many

        grid = ", ".join(f"{key}={','.join(levels)}" for key, levels in self.configuration["grid"].items())
        told = f"{many(len(self.values), 'measure')}, {many(len(self.configuration['seeds']), 'seed')}"
        return f"<Sweep of {self.name} over {grid}: {told}>"

    def _repr_html_(self) -> str:
        return self.html()

    def html(self, names: Sequence[str] = ()) -> str:
        """A row for each point as HTML, for notebooks: the mean of these measures over seeds, or of the first few that move."""
        from bridges.comparison.tables import html_table

        return html_table(f"{self.name}: {self.counted}", *self.rows(names))

    def to_frame(self) -> pandas.DataFrame:
        """`tidy` as a pandas table; PlasticityError where pandas is not installed."""
        from bridges.comparison.tables import frame

        return frame(self.tidy())

    @property
    def moving(self) -> list[str]:
        """Those of the shown measures that differ by more than rounding."""
        return [name for name in self.shown if self.moves(name)]

    def notes(self, names: Sequence[str] = ()) -> list[str]:
        """What is to be known of the table of these measures: which differ by rounding alone, or by no more than the seeds do."""
        picked = self.chosen(names)
        still = [name for name in picked if not self.moves(name)]
        told = [f"the same at all points, but for rounding: {', '.join(still)}."] if still and len(self.points) > 1 else []
        if self.kind.seeded and len(self.points) > 1:
            tests = {name: among(self.values[name]) for name in picked if name not in still}
            few = [name for name, (_, least) in tests.items() if least * len(tests) > LEVEL]
            p_values = {name: p for name, (p, _) in tests.items() if name not in few}
            alike = [name for name, p in zip(p_values, holm([*p_values.values()]), strict=True) if p > LEVEL]
            if alike:
                told.append(
                    f"no more than the seeds' noise (points exchanged within each seed, p > {LEVEL:g}): {', '.join(alike)}."
                )
            if few:
                told.append(f"too few seeds to tell from noise, whatever it looks like: {', '.join(few)}.")
        if not self.kind.seeded:
            told.append("nothing in it is drawn at random: one seed stands for all, and there are no intervals.")
        return told

    def summary(self, name: str, point: int) -> dict[str, float]:
        """Mean over seeds and its 95 % interval; nan where there are fewer than two."""
        within = self.declared[name].within if name in self.declared else ANY
        return mean_and_interval(self.values[name][point], within=within)

    def to_json(self) -> dict[str, Any]:
        rows = [
            {"settings": dict(point.values), "measures": {name: self.summary(name, point.number) for name in self.values}}
            for point in self.points
        ]
        about = {
            name: {"unit": one.unit, "meaning": one.meaning, "p": among(self.values[name])[0], "moves": self.moves(name)}
            for name, one in self.declared.items()
        }
        asked = ("simulation", "task", "learners", "settings", "grid", "seeds")
        return {
            **{key: self.configuration[key] for key in asked if key in self.configuration}, "points": rows, "measures": about,
        }  # fmt: skip

    def tidy(self) -> Iterator[dict[str, Any]]:
        """A row for each point, seed and measure: the settings of the grid, `seed`, `measure`, `value`."""
        for point in self.points:
            for place, seed in enumerate(self.configuration["seeds"]):
                for name, found in self.values.items():
                    yield {**dict(point.values), "seed": seed, "measure": name, "value": float(found[point.number, place])}

    def csv(self) -> str:
        """Tidy: one line for each point, seed and measure."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow([*self.configuration["grid"], "seed", "measure", "value"])
        for row in self.tidy():
            *told, value = row.values()
            writer.writerow([*told, "" if math.isnan(value) else repr(value)])
        return out.getvalue()

    def chosen(self, names: Sequence[str]) -> list[str]:
        """These measures, or the first few that move; where none does, the first few. All accuracies of learners on a task."""
        for name in names:
            if name not in self.values:
                raise unknown("measure", name, self.values)
        return list(names) or (self.shown if self.kind.one_axis else (self.moving or self.shown)[:MOST_PANELS])

    def rows(self, names: Sequence[str]) -> tuple[list[str], list[list[str]]]:
        """Heads and cells of a table: a row for each point."""

        def cell(told: dict[str, float]) -> str:
            if math.isnan(told["mean"]):
                return "-"
            known = math.isfinite(told["low"]) and math.isfinite(told["high"])
            return f"{told['mean']:.4g}" + (f" [{told['low']:.4g}, {told['high']:.4g}]" if known else "")

        picked = self.chosen(names)
        body = [
            [*(text for _, text in point.values), *(cell(self.summary(name, point.number)) for name in picked)]
            for point in self.points
        ]
        return [*self.configuration["grid"], *map(self.title, picked)], body

    def figures(self, names: Sequence[str] = ()) -> dict[str, Figure]:
        """Each measure against the first key of the grid, a line for each combination of the others.

        Of learners on a task a panel for each such combination instead, with a line for each learner. No figure where nothing
        but rounding differs and no measure was named.
        """
        from simulations import figures

        (key, levels), *others = self.configuration["grid"].items()
        x, numeric = _axis(levels)
        picked = self.chosen(names) if names or self.moving else []
        if not picked:
            return {}
        per_line = len(self.points) // len(levels)
        parts = [", ".join(f"{k}={v}" for k, v in self.points[part].values if k != key) for part in range(per_line)]
        together = bool(self.kind.one_axis)
        panels, lines = (parts, picked) if together else (picked, parts)
        columns = min(3, len(panels))
        rows = -(-len(panels) // columns)
        looks = [*figures.look(lines).values()]
        labelled = together or bool(others)
        with figures.style():
            figure, axes = figures.new(3.2 * columns + 0.6, 2.8 * rows + 0.8, rows=rows, columns=columns)
            for axis, panel in zip(axes.flat, range(len(panels)), strict=False):
                for line, (colour, style, marker) in enumerate(looks):
                    name, part = (picked[line], panel) if together else (picked[panel], line)
                    told = [self.summary(name, level * per_line + part) for level in range(len(levels))]
                    mean = np.array([entry["mean"] for entry in told])
                    look = {"linestyle": style, "marker": marker, "color": colour, "label": lines[line] if labelled else None}
                    axis.plot(x, mean, **look)
                    for place, entry in zip(x, told, strict=True):
                        if math.isfinite(entry["low"]):
                            axis.plot([place, place], [entry["low"], entry["high"]], color=colour, linewidth=1)
                if together:
                    axis.set_title(panels[panel], loc="left")
                    axis.set_ylabel(self.kind.one_axis)
                    if "chance" in self.values:
                        chance = 100 * self.values["chance"].mean(axis=1).reshape(len(levels), per_line)[:, panel]
                        axis.plot(x, chance, color=figures.GREY, linestyle=":", linewidth=1, label="chance")
                else:
                    name = picked[panel]
                    axis.set_title(textwrap.fill(name.replace("_", " "), 40), loc="left")
                    axis.set_ylabel(self.declared[name].unit if name in self.declared else "")
                    if not self.moves(name):  # rounding is not drawn as an effect
                        middle = float(np.nanmean(self.values[name])) if np.isfinite(self.values[name]).any() else 0.0
                        axis.set_ylim(middle - 0.1 * (abs(middle) or 1.0), middle + 0.1 * (abs(middle) or 1.0))
                axis.set_xlabel(_meaning(self.name, key))
                if numeric and min(x) > 0 and max(x) >= 8 * min(x):
                    axis.set_xscale("log")
                if not numeric or len(x) <= MOST_TICKS:
                    axis.set_xticks(x, levels)
                    axis.minorticks_off()
            for axis in axes.flat[len(panels) :]:
                axis.set_axis_off()
            if labelled:
                figures.legend(figure, *axes[0, 0].get_legend_handles_labels(), columns=4)
            figures.caption(figure, f"{self.name}; {figures.over_seeds(len(self.configuration['seeds']))}")
            return {"sweep": figure}


def swept(configuration: Mapping[str, Any]) -> type[Experiment]:
    """The experiment of a sweep: that of its name, or its learners on its task; `Experiment` for one that is not known here."""
    if "task" in configuration:
        from plasticity.tasks import TASKS
        from simulations.frame.on_task import on_task

        return on_task(TASKS[configuration["task"]], configuration["learners"])
    from simulations import SIMULATIONS
    from simulations.frame.experiment import Experiment

    name = configuration["simulation"]
    return SIMULATIONS[name] if name in SIMULATIONS else Experiment


def _subject(kind: type[Experiment], made: Experiment) -> dict[str, Any]:
    """What a configuration says of what is swept; of learners on a task their sides and parameters at the first point too."""
    from simulations.frame.on_task import OnTask

    if not isinstance(made, OnTask):
        return {"simulation": kind.name}
    from bridges.learners import LEARNERS

    sides = {name: LEARNERS[name].side for name in made.learners}
    return {
        "task": kind.name, "learners": list(made.learners), "sides": sides, "parameters": json.loads(made.parameters),
    }  # fmt: skip


def _meaning(subject: str, key: str) -> str:
    """A setting of an experiment or task as the label of an axis, with what it means and its unit."""
    from plasticity.tasks import TASKS
    from simulations import SIMULATIONS

    owner: Any = SIMULATIONS[subject] if subject in SIMULATIONS else TASKS[subject] if subject in TASKS else None
    found = {entry.name: entry for entry in describe(owner)} if owner is not None else {}
    if key not in found:
        return key
    unit = found[key].unit
    return textwrap.fill(f"{key}: {found[key].help}{f' ({unit})' if unit else ''}", 40)


def _axis(levels: Sequence[str]) -> tuple[list[float], bool]:
    try:
        return [float(level) for level in levels], True
    except ValueError:
        return [float(place) for place in range(len(levels))], False
