"""Learners of both sides on the same trials, the same seeds, judged the same way.

For each seed the trials of a task are drawn once from a generator that depends on the seed alone, so every learner meets the very
same trials (each record holds the sha256 of them, and a comparison refuses to pair records that differ). Accuracies are then
compared in pairs, seed by seed.
"""

from __future__ import annotations

import contextlib
import csv
import dataclasses
import functools
import io
import json
import math
import os
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bridges import account
from bridges.account import GIVEN
from bridges.energy import EnergyTable
from bridges.jobs import (
    FEW_SEEDS,
    NAME,
    Failure,
    Job,
    Meter,
    Progress,
    WorkerTraceback,
    check_jobs,
    check_seeds,
    finish_jobs,
    finite,
)
from plasticity.errors import PlasticityError, WrongUse

if TYPE_CHECKING:
    from rich.table import Table

    from bridges.roster import Learner
    from plasticity.records import Record
    from plasticity.tasks import Task

FIT = "Fit: seconds of training with its learning curve, compilation apart."
"""What is not alike on the two sides stands under every table that shows both; the first where there is a cue."""


class Interrupted(KeyboardInterrupt):
    """Ctrl-C, with a sentence that says what was kept and how to go on."""


# The whole run


def record_name(seed: int, learner: str) -> str:
    """Where the record of one pair lies in the folder of a run: seed-0003/spiking_gated."""
    return f"seed-{seed:04d}/{learner}"


def _configuration(task: Task, learners: Sequence[Learner], seeds: list[int]) -> dict[str, Any]:
    """What was asked, as JSON can hold it: two runs are parts of one comparison exactly if these are equal."""
    from bridges.roster import kind_of, plain
    from plasticity import settings as declared

    streams = int(getattr(task, "streams", 1))
    asked = {
        "command": "compare",
        "task": task.name,
        "settings": {entry.name: plain(getattr(task, entry.name)) for entry in declared.describe(task)},
        "facts": {
            "chance": float(task.chance),
            "ceiling": float(task.ceiling),
            "classes": int(task.classes),
            "streams": streams,
            "without_attention": float(getattr(task, "without_attention", 1 / streams)) if kind_of(task) == "many" else None,
        },
        "learners": [learner.name for learner in learners],
        "sides": {learner.name: learner.side for learner in learners},
        "parameters": {learner.name: learner.parameters() for learner in learners},
        "seeds": seeds,
    }
    return json.loads(json.dumps(asked))


def compare(
    learners: Iterable[Any] | None = None,
    task: Task | str = "cued_digits",
    seeds: Iterable[int] = range(10),
    jobs: int | None = None,
    out: str | os.PathLike[str] | None = None,
    force: bool = False,
    progress: Progress | None = None,
    settings: Mapping[str, Mapping[str, Any]] | None = None,
    energy: EnergyTable | None = None,
) -> Comparison:
    """Fit every learner on the same trials of every seed and compare them in pairs.

    Parameters
    ----------
    learners : names of `LEARNERS`, scikit-learn estimators (named by their class), pairs (name, estimator); by default
        those that suit the task (`chosen_for`)
    task : a task or the name of one
    seeds : whole numbers; the trials of a seed, and the random state of every learner, follow from it alone
    jobs : processes; as many as there are cores by default. 1 runs in this process, with the same numbers to the bit
    out : folder for the records; without one they are kept in memory only. An interrupted run goes on where it stopped
    force : replace a finished run in `out`
    progress : called with (fraction of the work, finished jobs, all jobs)
    settings : constructor parameters by learner or side: {"spiking": {...}, "mlp": {...}}
    energy : what an operation costs; 45 nm by default (`bridges.energy.EnergyTable`)

    Raises
    ------
    WrongUse
        Unknown names, no seeds, a finished run in `out` without `force`.
    PlasticityError
        A learner failed; what was finished before stays in `out`.
    """
    from bridges.roster import resolve
    from plasticity.records import Record, RunFolder, provenance

    if isinstance(task, str):
        from plasticity.tasks import TASKS

        task = TASKS[task]()
    seed_list, n_jobs = check_seeds(seeds), check_jobs(jobs)
    resolved = resolve(learners, settings or {}, task)
    configuration = _configuration(task, resolved, seed_list)
    if energy is not None and energy != EnergyTable():
        configuration["energy"] = dataclasses.asdict(energy)
    told = provenance()
    records: dict[tuple[int, str], Record] = {}

    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(RunFolder.open(Path(out), configuration, force=force)) if out is not None else None
        files = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="plasticity-progress-")))
        todo: list[Job] = []
        kept: list[Learner] = []
        for learner in resolved:
            for seed in seed_list:
                found = folder.record(record_name(seed, learner.name)) if folder is not None else None
                if found is None:
                    todo.append(Job(learner, task, seed, str(files / f"{seed}-{learner.name}") if n_jobs > 1 else None))
                else:
                    records[seed, learner.name] = found
                    kept.append(learner)
        todo.sort(key=lambda job: -job.learner.cost)  # the long ones first, so that no core waits at the end
        meter = stack.enter_context(Meter(todo, kept, progress))
        results = finish_jobs(todo, n_jobs, meter)
        stack.callback(results.close)
        try:
            for job, result in results:
                if isinstance(result, Failure):
                    stays = f" (the finished ones stay in {out})" if folder is not None and records else ""
                    raise (WrongUse if result.wrong_use else PlasticityError)(
                        result.sentence.rstrip(".") + stays + "."
                    ) from WorkerTraceback("\n" + result.details)
                numbers = result["numbers"]
                record = Record(
                    simulation="compare",
                    configuration={
                        **{key: configuration[key] for key in ("task", "settings", "facts")},
                        "learner": job.learner.name,
                        "parameters": configuration["parameters"][job.learner.name],
                    },
                    seed=job.seed,
                    numbers=numbers,
                    arrays=result["arrays"],
                    wall_s=numbers["seconds"] + numbers["seconds_predict"],
                    backend=result["backend"],
                    threads=1,
                    provenance=told,
                )
                if folder is not None:
                    folder.save(record_name(job.seed, job.learner.name), record)
                records[job.seed, job.learner.name] = record
                meter.done(job)
        except KeyboardInterrupt:
            if folder is None:
                raise Interrupted("interrupted; nothing was kept, because no output folder was given (out=...).") from None
            written = (record_name(job.seed, job.learner.name) for job in todo)  # one may be written and not yet counted
            finished = len(kept) + sum(folder.holds(name) for name in written)
            raise Interrupted(
                f"interrupted: {finished} of {len(todo) + len(kept)} jobs are finished and kept in {out}; "
                "the same command goes on from there."
            ) from None
        comparison = Comparison(configuration, records, None if out is None else Path(out))
        if folder is not None:
            comparison.write_csv(folder.path)
            folder.finish(comparison.to_json())
    return comparison


# Its result


@dataclass
class Comparison:
    """The records of all learners and seeds, and what follows from them.

    configuration : what was asked: task, settings, facts (chance, ceiling, ...), learners, sides, parameters, seeds
    records : by (seed, learner)
    folder : where they lie, or None
    """

    configuration: dict[str, Any]
    records: dict[tuple[int, str], Record]
    folder: Path | None = None
    learners: list[str] = field(init=False)
    seeds: list[int] = field(init=False)

    def __post_init__(self) -> None:
        present = {name for _, name in self.records}
        self.learners = [name for name in self.configuration["learners"] if name in present]
        self.seeds = [int(seed) for seed in self.configuration["seeds"]]
        if not self.learners:
            raise PlasticityError(
                f"there is no finished record in {self.folder or 'this comparison'}; run `plasticity compare` first."
            )
        for seed in self.seeds:
            prints = {
                name: self.records[seed, name].numbers["trials_sha256"] for name in self.learners if (seed, name) in self.records
            }
            if len(set(prints.values())) > 1:
                first = self.learners[0]
                odd = next(name for name, text in prints.items() if text != next(iter(prints.values())))
                raise PlasticityError(
                    f"seed {seed}: {odd} met other trials than {next(iter(prints), first)} (their sha256 differ), so they cannot "
                    "be compared in pairs; run the comparison again with --force."
                )

    @property
    def task(self) -> str:
        """The name of the task."""
        return self.configuration["task"]

    @property
    def chance(self) -> float:
        """Accuracy of guessing."""
        return float(self.configuration["facts"]["chance"])

    @property
    def ceiling(self) -> float:
        """Accuracy of an ideal observer."""
        return float(self.configuration["facts"]["ceiling"])

    @property
    def without_attention(self) -> float | None:
        """Accuracy of one that reads every stream but not the cue, or None if the task has a single stream."""
        return self.configuration["facts"]["without_attention"]

    @property
    def missing(self) -> int:
        """How many pairs of seed and learner have no record yet."""
        return len(self.seeds) * len(self.configuration["learners"]) - len(self.records)

    def side(self, learner: str) -> str:
        """Which side a learner is on: spiking, torch or control."""
        return self.configuration["sides"][learner]

    def of(self, learner: str) -> list[Record]:
        """The records of one learner in the order of the seeds."""
        return [self.records[seed, learner] for seed in self.seeds if (seed, learner) in self.records]

    def numbers(self, learner: str, key: str) -> np.ndarray:
        """One number of a learner for every seed, (seeds,) float64; nan where there is none."""
        values = [record.numbers.get(key) for record in self.of(learner)]
        return np.array([math.nan if value is None else value for value in values], dtype=np.float64)

    @property
    def energy(self) -> EnergyTable:
        """What an operation costs."""
        return EnergyTable(**self.configuration.get("energy", {}))

    @functools.cached_property
    def alignment(self) -> list[dict[str, Any]]:
        """How alike the learners are, see `bridges.account.alignment`."""
        return account.alignment(self)

    @functools.cached_property
    def costs(self) -> dict[str, Any]:
        """What each side costs, see `bridges.account.costs`."""
        return account.costs(self, self.energy)

    @functools.cached_property
    def intervals(self) -> dict[str, tuple[float, float]]:
        """The 95 % interval (BCa bootstrap over seeds) of the mean accuracy of each learner."""
        from plasticity.statistics import interval

        return {name: interval(self.numbers(name, "accuracy")) for name in self.learners}

    @functools.cached_property
    def best(self) -> str:
        """The learner with the highest mean accuracy."""
        return max(self.learners, key=lambda name: self.numbers(name, "accuracy").mean())

    @functools.cached_property
    def differences(self) -> dict[str, dict[str, float]]:
        """Every other learner minus the best, paired by seed: mean, low, high, effect (Hedges-corrected d_z), p, p_holm."""
        from plasticity.statistics import holm, paired_difference

        found: dict[str, dict[str, float]] = {}
        for name in self.learners:
            if name == self.best:
                continue
            common = [seed for seed in self.seeds if (seed, name) in self.records and (seed, self.best) in self.records]
            a = np.array([self.records[seed, name].numbers["accuracy"] for seed in common], dtype=np.float64)
            b = np.array([self.records[seed, self.best].numbers["accuracy"] for seed in common], dtype=np.float64)
            if len(common) < 2:  # one seed says nothing about the spread
                mean = float((a - b).mean()) if common else math.nan
                found[name] = {"mean": mean, "low": math.nan, "high": math.nan, "effect": math.nan, "p": math.nan}
            else:
                pair = paired_difference(a, b)
                found[name] = {"mean": pair.mean, "low": pair.low, "high": pair.high, "effect": pair.effect, "p": pair.p}
        known = [name for name, entry in found.items() if math.isfinite(entry["p"])]
        adjusted = dict(zip(known, holm([found[name]["p"] for name in known]), strict=True)) if known else {}
        for name, entry in found.items():
            entry["p_holm"] = float(adjusted.get(name, math.nan))
        return found

    @functools.cached_property
    def strengthened(self) -> dict[str, dict[str, float | None]]:
        """Mean weight of attended minus ignored synapses after training, with its interval over seeds, where it was measured."""
        found: dict[str, dict[str, float | None]] = {}
        for name in self.learners:
            arrays = [record.arrays for record in self.of(name)]
            if all("weights_attended" in kept for kept in arrays):
                told = account.over(np.array([kept["weights_attended"][-1] - kept["weights_ignored"][-1] for kept in arrays]))
                found |= {} if told is None else {name: told}
        return found

    def to_json(self) -> dict[str, Any]:
        """The summary; a number that does not exist (an interval from one seed) is null.

        `accuracy.seeds` are the accuracies in the order of `seeds`; a learner that ends less than a tenth of the way from chance
        to the ceiling has no `trials_to_80`; `p` of a difference is corrected (Holm) over all of them.
        """
        learners = []
        for name in self.learners:
            low, high = self.intervals[name]
            accuracies, trials = self.numbers(name, "accuracy"), self.numbers(name, "trials_to_80")
            above = accuracies.mean() - self.chance > 0.1 * (self.ceiling - self.chance)  # something was learnt
            trials = trials[np.isfinite(trials) & above]
            parameters = self.of(name)[0].numbers["parameters"]
            learners.append(
                {
                    "name": name,
                    "side": self.side(name),
                    "accuracy": {
                        "mean": float(accuracies.mean()),
                        "low": finite(low),
                        "high": finite(high),
                        "seeds": [float(value) for value in accuracies],
                    },
                    "trials_to_80": (
                        {"median": float(np.median(trials)), "low": float(trials.min()), "high": float(trials.max())}
                        if len(trials)
                        else None
                    ),
                    "seconds": float(np.median(self.numbers(name, "seconds"))),
                    "seconds_predict": float(np.median(self.numbers(name, "seconds_predict"))),
                    "parameters": parameters,
                    "training_trials": self.of(name)[0].numbers["training_trials"],
                }
            )
        differences = [
            {
                "a": name,
                "b": self.best,
                "mean": finite(entry["mean"]),
                "low": finite(entry["low"]),
                "high": finite(entry["high"]),
                "effect": finite(entry["effect"]),
                "p": finite(entry["p_holm"]),
                "p_uncorrected": finite(entry["p"]),
            }
            for name, entry in self.differences.items()
        ]
        return {
            "task": self.task,
            "chance": self.chance,
            "ceiling": self.ceiling,
            "without_attention": self.without_attention,
            "seeds": self.seeds,
            "missing": self.missing,
            "learners": learners,
            "differences": differences,
            "attended_minus_ignored": self.strengthened,
            "fairness": account.fairness(self, self.energy),
            "costs": self.costs,
            "alignment": self.alignment,
            "out": None if self.folder is None else str(self.folder),
        }

    def table(self, width: int | None = None) -> Table:
        """The summary as a `rich` table; accuracies in percent, intervals 95 % over seeds.

        In fewer than 132 columns of text (`width`) an interval stands below its mean, chance and ceiling below the table; in
        fewer than 97 the effect and the time of a fit are left to summary.csv. No number is cut.
        """
        from rich.table import Table

        count = len(self.seeds)
        wide, narrow = width is None or width >= 132, width is not None and width < 97
        table = Table(
            title=f"{self.task}: {len(self.learners)} learners, {count} seed{'s' if count != 1 else ''}", title_justify="left"
        )
        columns = {  # title, and whether it is shown
            "learner": True,
            "accuracy %\n[95 % interval]": True,
            "chance\n%": wide,
            "ceiling\n%": wide,
            "to the best, points\n[95 % interval]": True,
            "effect\ng_z": not narrow,
            "p\n(Holm)": True,
            "trials to 80 %\nof the end (range)": True,
            "fit\ns": not narrow,
        }
        for title in (title for title, shown in columns.items() if shown):
            plain = title if wide or title == "learner" else title.replace("\n", " ")
            table.add_column(plain, justify="left" if title == "learner" else "right", no_wrap=wide or title == "learner")
        summary = self.to_json()
        apart = {entry["a"]: entry for entry in summary["differences"]}
        for learner in summary["learners"]:
            name, accuracy, trials = learner["name"], learner["accuracy"], learner["trials_to_80"]
            difference, gap = apart.get(name), " " if wide else "\n"
            cells = [
                name,
                f"{100 * accuracy['mean']:.1f}{gap}{_bracket(accuracy)}",
                f"{100 * self.chance:.0f}",
                f"{100 * self.ceiling:.0f}",
                f"{100 * difference['mean']:+.1f}{gap}{_bracket(difference, '+')}"
                if difference and difference["mean"] is not None
                else "best",
                "" if difference is None else _short(difference["effect"], "+.1f"),
                "" if difference is None else (_short(difference["p"], ".3f")),
                "-" if trials is None else f"{trials['median']:.0f}{gap}({trials['low']:.0f}-{trials['high']:.0f})",
                f"{learner['seconds']:.1f}",
            ]
            kept = [cell for cell, shown in zip(cells, columns.values(), strict=True) if shown]
            table.add_row(*kept, style="bold" if name == self.best else None)
        below = [] if wide else [f"Chance {100 * self.chance:.0f} %, ceiling {100 * self.ceiling:.0f} %."]
        below += ["Effects and times of a fit: summary.csv, or a wider window."] if narrow else []
        table.caption = "\n".join([*below, self.caption()])
        table.caption_justify = "left"
        return table

    def cost_table(self, width: int | None = None) -> Table | None:
        """Energy as a `rich` table with its assumptions; None where nothing was counted.

        In fewer than 132 columns of text (`width`) spikes and break-even are left to summary.json.
        """
        from rich.table import Table

        told = self.costs
        if not told["rows"]:
            return None
        narrow = width is not None and width < 132
        columns = [column for column in told["columns"] if not (narrow and column["key"] in account.LEFT_OUT)]
        table = Table(title=told["title"], title_justify="left")
        for place, column in enumerate(columns):
            table.add_column(column["title"], justify="right" if place else "left", overflow="fold", no_wrap=not place)
        for row in told["rows"]:
            cells = []
            for column in columns:
                value = row[column["key"]]
                if isinstance(value, Mapping):
                    value = account.joules(value["mean"]) if column["unit"] == "J" else format(value["mean"], column["format"])
                cells.append("-" if value is None else str(value))
            table.add_row(*cells)
        left = ["Spikes and break-even: summary.json, report.html, or a wider window."] if narrow else []
        table.caption = "\n".join(["Means over seeds.", *left, *told["notes"]])
        table.caption_justify = "left"
        return table

    def caption(self) -> str:
        """How many trials, which seeds, and what is missing."""
        settings = self.configuration["settings"]
        records = [record for name in self.learners for record in self.of(name)]
        test = len(records[0].arrays["labels"])
        parts = [f"{records[0].numbers['training_trials']} training trials"]
        if "validation" in settings:
            parts.append(f"{settings['validation']} for validation")
        parts.append(f"{test} for the test; seeds {_ranges(self.seeds)}; one thread each")
        if self.missing:
            parts.append(f"{self.missing} of {len(self.seeds) * len(self.configuration['learners'])} jobs are not finished yet")
        if len(self.seeds) < 6:
            parts.append(FEW_SEEDS)
        told = [", ".join(parts) + "."]
        if account.given_the_cue(self):
            told.append(GIVEN)
        if {self.side(name) for name in self.learners} >= {"spiking", "torch"}:
            told.append(FIT)
        if self.strengthened:
            each = (
                f"{name} {entry['mean']:.3f}" + ("" if entry["low"] is None else f" [{entry['low']:.3f}, {entry['high']:.3f}]")
                for name, entry in self.strengthened.items()
            )
            told.append(f"Weight of attended minus ignored synapses after training, mean: {', '.join(each)}.")
        return "\n".join(told)

    def write_csv(self, folder: Path) -> None:
        """One line per learner: summary.csv."""
        from plasticity.records import write_text

        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(
            "learner side seeds accuracy accuracy_low accuracy_high chance ceiling best difference difference_low "
            "difference_high effect_gz p_holm trials_to_80_median trials_to_80_min trials_to_80_max seconds seconds_predict "
            "parameters training_trials".split()
        )
        summary = self.to_json()
        apart = {entry["a"]: entry for entry in summary["differences"]}
        for learner in summary["learners"]:
            accuracy, trials, other = learner["accuracy"], learner["trials_to_80"] or {}, apart.get(learner["name"], {})
            row = [learner["name"], learner["side"], len(accuracy["seeds"]), accuracy["mean"], accuracy["low"], accuracy["high"]]
            row += [self.chance, self.ceiling, self.best, *(other.get(key) for key in ("mean", "low", "high", "effect", "p"))]
            row += [*(trials.get(key) for key in ("median", "low", "high")), learner["seconds"], learner["seconds_predict"]]
            row += [learner["parameters"], learner["training_trials"]]
            writer.writerow(["" if value is None else value for value in row])
        write_text(folder / "summary.csv", text.getvalue())

    def save(self, folder: str | os.PathLike[str], force: bool = False) -> None:
        """Write the records, summary.csv and summary.json into a folder, which `load` and `plasticity plot` read."""
        from plasticity.records import RunFolder

        target = Path(folder)
        if self.folder is not None and target.resolve() == self.folder.resolve():
            return  # everything is there already
        self.folder = target
        with RunFolder.open(target, self.configuration, force=force) as run:
            for (seed, name), record in self.records.items():
                run.save(record_name(seed, name), record)
            self.write_csv(target)
            run.finish(self.to_json())

    @classmethod
    def load(cls, folder: str | os.PathLike[str]) -> Comparison:
        """A comparison from the records in a folder; an interrupted one holds what is finished.

        Raises
        ------
        WrongUse
            The folder holds no comparison.
        PlasticityError
            A record is damaged (it is named).
        """
        from plasticity.records import Record

        source = Path(folder)
        configuration = read_configuration(source)
        if configuration.get("command") != "compare":
            raise WrongUse(f"{source} holds a run of {configuration.get('simulation', 'something else')}, not a comparison.")
        records = {}
        for name in configuration["learners"]:
            for seed in configuration["seeds"]:
                path = source / "records" / record_name(seed, name)
                file = path.with_name(path.name + ".json")
                if file.exists():
                    records[int(seed), str(name)] = found = Record.load(path)
                    _check_record(found, file)
        return cls(configuration, records, source)


def _check_record(record: Record, file: Path) -> None:
    """PlasticityError where a record of a comparison lacks something, or states an accuracy that its predictions do not give."""
    missing = [
        key for key in ("accuracy", "seconds", "trials_sha256", "parameters", "training_trials") if key not in record.numbers
    ]
    missing += [key for key in ("predictions", "labels", "history_trials", "history_accuracy") if key not in record.arrays]
    if missing:
        raise PlasticityError(f"{file} is damaged (it lacks {', '.join(missing)}); delete it and run again.")
    accuracy = float(np.mean(record.arrays["predictions"] == record.arrays["labels"]))
    if record.numbers["accuracy"] != accuracy:
        raise PlasticityError(
            f"{file} is damaged (it states the accuracy {record.numbers['accuracy']!r}, its predictions give {accuracy!r});"
            " delete it and run again."
        )


def read_configuration(folder: Path) -> dict[str, Any]:
    """The configuration of the run in a folder (its run.json)."""
    from plasticity.records import read_json

    path = folder / "run.json"
    if not path.exists():
        raise WrongUse(
            f"{folder} holds no run (there is no run.json); give a folder that `plasticity compare` or `plasticity run` wrote."
        )
    content = read_json(path)
    configuration = content.get("configuration") if isinstance(content, dict) else None
    wanted = {
        "compare": ("task", "settings", "facts", "learners", "sides", "parameters", "seeds"),
        "run": ("simulation", "settings", "seeds"),
        "sweep": ("simulation", "settings", "grid", "seeds"),
    }
    command = configuration.get("command") if isinstance(configuration, dict) else None
    lacking = [key for key in wanted.get(str(command), ("command",)) if key not in (configuration or {})]
    if configuration is None or lacking:
        raise PlasticityError(
            f"{path} is damaged (it lacks {', '.join(lacking)}); give another folder, or run again with --force."
        )
    names, seeds = configuration.get("learners", []), configuration["seeds"]
    if not all(isinstance(name, str) and NAME.fullmatch(name) for name in names) or not all(type(seed) is int for seed in seeds):
        raise PlasticityError(f"{path} is damaged (a learner's name or a seed in it cannot be); run again with --force.")
    return configuration


def _bracket(entry: Mapping[str, Any], sign: str = "") -> str:
    if entry["low"] is None or entry["high"] is None:
        return "[-]"
    return f"[{100 * entry['low']:{sign}.1f}, {100 * entry['high']:{sign}.1f}]"


def _short(value: float | None, pattern: str) -> str:
    return "-" if value is None else format(value, pattern)


def _ranges(numbers: Sequence[int]) -> str:
    """[0, 1, 2, 5] as "0-2, 5"."""
    parts: list[list[int]] = []
    for number in sorted(numbers):
        if parts and number == parts[-1][-1] + 1:
            parts[-1].append(number)
        else:
            parts.append([number])
    return ", ".join(str(part[0]) if len(part) == 1 else f"{part[0]}-{part[-1]}" for part in parts)
