"""An experiment over a grid of settings and seeds: one job for each point and seed, one tidy table, one figure."""

from __future__ import annotations

import csv
import io
import itertools
import math
import shutil
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from plasticity import extensions
from plasticity.errors import PlasticityError, WrongUse, unknown
from plasticity.parallel import Progress, each, quiet
from plasticity.records import Record, RunFolder, provenance, write_text
from plasticity.settings import describe
from plasticity.statistics import interval
from simulations.frame.execute import PARTS

if TYPE_CHECKING:
    import pandas
    from matplotlib.figure import Figure

    from simulations.frame.experiment import Experiment

MOST_PANELS = 6


def parse_grid(assignments: Sequence[str]) -> dict[str, list[str]]:
    """`["neurons=50,100", "data=digits"]` as lists of texts.

    Raises
    ------
    WrongUse
        Something that is not key=a,b,c, or the same key or value twice.
    """
    grid: dict[str, list[str]] = {}
    for text in assignments:
        key, equals, values = text.partition("=")
        listed = [value.strip() for value in values.split(",") if value.strip()]
        if not equals or not key.strip() or not listed:
            raise WrongUse(f"--grid takes key=a,b,c, not {text!r}; `plasticity show SIMULATION` lists the keys.")
        if key.strip() in grid or len(set(listed)) < len(listed):
            raise WrongUse(f"--grid {text} names a key or a value twice.")
        grid[key.strip()] = listed
    if not grid:
        raise WrongUse("a sweep needs a grid: --grid key=a,b,c, and --grid once more for each further key.")
    return grid


@dataclass(frozen=True)
class Point:
    """One combination of the grid: its number, its values as texts by key."""

    number: int
    values: tuple[tuple[str, str], ...]

    @property
    def title(self) -> str:
        return ", ".join(f"{key}={value}" for key, value in self.values)


def points(grid: Mapping[str, Sequence[str]]) -> list[Point]:
    """All combinations, the last key fastest."""
    rows = itertools.product(*grid.values())
    return [Point(number, tuple(zip(grid, row, strict=True))) for number, row in enumerate(rows)]


def measures(numbers: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, float]]:
    """Every single number in the outcome of one seed, nested names joined by dots; of one with an interval the number alone."""
    for name, value in numbers.items():
        if isinstance(value, Mapping):
            middle = next((key for key in ("mean", "value") if key in value), None)
            if middle and isinstance(value[middle], (int, float)):
                yield prefix + name, float(value[middle])
            elif not middle:
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
    progress: Progress = quiet,
) -> Sweep:
    """Run the experiment for every point of the grid and every seed; jobs that are finished in `out` are not run again.

    Raises
    ------
    WrongUse
        An unknown setting or value, no seeds, a finished sweep in `out` without `force`.
    PlasticityError
        A job failed; what was finished before stays in `out`.
    """
    fixed = dict(fixed or {})
    for key in grid:
        if key in fixed:
            raise WrongUse(f"{key} is in --grid and in --set; give it once.")
    combinations = points(grid)
    made = {
        point.number: kind.configure({**fixed, **dict(point.values)}) for point in combinations
    }  # all refusals before any work
    if not kind.published:
        raise WrongUse(f"{kind.name} measures times, each alone on the machine; it cannot be swept.")
    for one, other in itertools.combinations(combinations, 2):
        if made[one.number] == made[other.number]:
            raise WrongUse(f"--grid asks for the same twice: {one.title} and {other.title}.")
    configuration = {
        "command": "sweep", "simulation": kind.name, "settings": fixed, "grid": {k: list(v) for k, v in grid.items()},
        "seeds": list(seeds), **extensions.told(),
    }  # fmt: skip
    told = provenance()
    with RunFolder.open(Path(out), configuration, force=force) as folder:
        todo = [(p.number, seed) for p in combinations for seed in seeds if not folder.holds(record_name(p.number, seed))]
        kept = len(combinations) * len(seeds) - len(todo)
        parts = Path(out).absolute() / "records" / PARTS  # a folder for each job

        def work(job: tuple[int, int], tell: Progress) -> tuple[dict[str, Any], str]:
            number, seed = job
            outcome = made[number].outcome([seed], 1, tell, parts / record_name(number, seed))
            return {**outcome.numbers, "checks": [check.to_json() for check in outcome.checks]}, outcome.backend

        whole = len(todo) + kept
        done = kept

        def show(fraction: float, note: str = "") -> None:
            progress((kept + fraction * len(todo)) / whole, note=f"{done}/{whole} jobs")

        try:
            for (number, seed), (numbers, backend) in each(work, todo, jobs, show):
                asked = {**configuration, "point": dict(combinations[number].values)}
                record = Record(kind.name, asked, seed, numbers, {}, 0.0, backend, 1, told)
                folder.save(record_name(number, seed), record)
                done += 1
                show((done - kept) / max(1, len(todo)))
        except KeyboardInterrupt:
            raise KeyboardInterrupt(
                f"interrupted: {done} of {whole} jobs are finished and kept in {out}; the same command goes on from there."
            ) from None
        found = Sweep.load(Path(out))
        write_text(Path(out) / "summary.csv", found.csv())
        folder.finish(found.to_json())
    shutil.rmtree(parts, ignore_errors=True)
    return found


def record_name(point: int, seed: int) -> str:
    return f"point-{point:03d}/seed-{seed:04d}"


@dataclass
class Sweep:
    """What a sweep found: `values[measure]` is an array (points, seeds), nan where a run gave no such number."""

    configuration: dict[str, Any]
    points: list[Point]
    values: dict[str, np.ndarray]

    @classmethod
    def load(cls, folder: Path) -> Sweep:
        """From the records in a folder.

        Raises
        ------
        PlasticityError
            A job is not finished, or its record is damaged.
        """
        from bridges.comparison import read_configuration

        configuration = read_configuration(folder)
        combinations, seeds = points(configuration["grid"]), configuration["seeds"]
        values: dict[str, np.ndarray] = {}
        for point in combinations:
            for place, seed in enumerate(seeds):
                path = folder / "records" / record_name(point.number, seed)
                if not path.with_name(f"{path.name}.json").exists():
                    raise PlasticityError(f"{folder} holds an unfinished sweep; give the `plasticity sweep` command again.")
                for name, value in measures(Record.load(path).numbers):
                    values.setdefault(name, np.full((len(combinations), len(seeds)), np.nan))[point.number, place] = value
        return cls(configuration, combinations, values)

    def __repr__(self) -> str:
        grid = ", ".join(f"{key}={','.join(levels)}" for key, levels in self.configuration["grid"].items())
        told = f"{len(self.values)} measures, {len(self.configuration['seeds'])} seeds"
        return f"<Sweep of {self.configuration['simulation']} over {grid}: {told}>"

    def _repr_html_(self) -> str:
        return self.html()

    def html(self, names: Sequence[str] = ()) -> str:
        """A row for each point as HTML, for notebooks: the mean of these measures over seeds, or of the first few that move."""
        from bridges.comparison.tables import html_table

        seeds = len(self.configuration["seeds"])
        return html_table(f"{self.configuration['simulation']}: {len(self.points)} points, {seeds} seeds", *self.rows(names))

    def to_frame(self) -> pandas.DataFrame:
        """`tidy` as a pandas table; PlasticityError where pandas is not installed."""
        from bridges.comparison.tables import frame

        return frame(self.tidy())

    @property
    def moving(self) -> list[str]:
        """The measures that differ between runs, but for times and for what the grid itself sets."""
        still = {*self.configuration["grid"], *(name for name in self.values if name.endswith(("_s", "ms_per_image")))}
        known = {name: found[np.isfinite(found)] for name, found in self.values.items() if name not in still}
        return [name for name, found in known.items() if len(found) and found.min() < found.max()]

    def summary(self, name: str, point: int) -> dict[str, float]:
        """Mean over seeds and its 95 % interval (BCa bootstrap); nan where there are fewer than two."""
        known = self.values[name][point]
        known = known[np.isfinite(known)]
        low, high = interval(known)
        return {"mean": float(known.mean()) if len(known) else math.nan, "low": low, "high": high}

    def to_json(self) -> dict[str, Any]:
        rows = [
            {"settings": dict(point.values), "measures": {name: self.summary(name, point.number) for name in self.values}}
            for point in self.points
        ]
        return {**{key: self.configuration[key] for key in ("simulation", "settings", "grid", "seeds")}, "points": rows}

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
        """These measures, or the first few that move."""
        for name in names:
            if name not in self.values:
                raise unknown("measure", name, self.values)
        return list(names) or self.moving[:MOST_PANELS]

    def rows(self, names: Sequence[str]) -> tuple[list[str], list[list[str]]]:
        """Heads and cells of a table: a row for each point."""

        def cell(told: dict[str, float]) -> str:
            known = math.isfinite(told["low"]) and math.isfinite(told["high"])
            return f"{told['mean']:.4g}" + (f" [{told['low']:.4g}, {told['high']:.4g}]" if known else "")

        picked = self.chosen(names)
        body = [
            [*(text for _, text in point.values), *(cell(self.summary(name, point.number)) for name in picked)]
            for point in self.points
        ]
        return [*self.configuration["grid"], *picked], body

    def figures(self, names: Sequence[str] = ()) -> dict[str, Figure]:
        """Each measure against the first key of the grid, a line for each combination of the others."""
        from simulations import figures

        grid = self.configuration["grid"]
        (key, levels), *others = grid.items()
        x, numeric = _axis(levels)
        picked = self.chosen(names)
        if not picked:
            return {}
        columns = min(3, len(picked))
        rows = -(-len(picked) // columns)
        per_line = len(self.points) // len(levels)
        looks = [*figures.look([str(k) for k in range(per_line)]).values()]
        with figures.style():
            figure, axes = figures.new(3.2 * columns + 0.6, 2.8 * rows + 0.8, rows=rows, columns=columns)
            for axis, name in zip(axes.flat, picked, strict=False):
                for line in range(per_line):
                    label = ", ".join(f"{k}={v}" for k, v in self.points[line].values if k != key) if others else None
                    told = [self.summary(name, level * per_line + line) for level in range(len(levels))]
                    colour, style, marker = looks[line]
                    mean = np.array([entry["mean"] for entry in told])
                    axis.plot(x, mean, linestyle=style, marker=marker, color=colour, label=label)
                    for place, entry in zip(x, told, strict=True):
                        if math.isfinite(entry["low"]):
                            axis.plot([place, place], [entry["low"], entry["high"]], color=colour, linewidth=1)
                axis.set_title(name.replace("_", " "), loc="left")
                axis.set_xlabel(_meaning(self.configuration["simulation"], key))
                if not numeric:
                    axis.set_xticks(x, levels)
                elif min(x) > 0 and max(x) >= 8 * min(x):
                    axis.set_xscale("log")
                    axis.set_xticks(x, levels)
                    axis.minorticks_off()
            for axis in axes.flat[len(picked) :]:
                axis.set_axis_off()
            if others:
                figures.legend(figure, *axes[0, 0].get_legend_handles_labels(), columns=4)
            caption = f"{self.configuration['simulation']}; {figures.over_seeds(len(self.configuration['seeds']))}"
            figures.caption(figure, textwrap.fill(caption, int(16 * figure.get_figwidth())))
            return {"sweep": figure}


def _meaning(simulation: str, key: str) -> str:
    """A setting as the label of an axis, with what it means and its unit."""
    from simulations import SIMULATIONS

    found = {entry.name: entry for entry in describe(SIMULATIONS[simulation])} if simulation in SIMULATIONS else {}
    if key not in found:
        return key
    unit = found[key].unit
    return textwrap.fill(f"{key}: {found[key].help}{f' ({unit})' if unit else ''}", 40)


def _axis(levels: Sequence[str]) -> tuple[list[float], bool]:
    try:
        return [float(level) for level in levels], True
    except ValueError:
        return [float(place) for place in range(len(levels))], False
