"""The result of a comparison: the records of all learners and seeds, and what follows from them."""

from __future__ import annotations

import functools
import math
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bridges.comparison import tables
from bridges.comparison.answers import answers_tables
from bridges.comparison.energy import EnergyTable, cost_table, spent
from bridges.comparison.fairness import fairness_table
from bridges.comparison.ingredients import rows as ingredients
from bridges.comparison.likeness import likeness_tables
from bridges.comparison.reading import deletion
from bridges.learners import NAME
from plasticity.checked import checked
from plasticity.engine.operations import Costs
from plasticity.errors import PlasticityError, WrongUse
from plasticity.files import read_sealed, write_text
from plasticity.learners.spiking_classifier import NULLS
from plasticity.records import Record, RunFolder, refuse_no_run
from plasticity.statistics import APART, SHARE, finite, holm, if_spread, interval, least_p, over_seeds, paired_difference
from plasticity.tasks.sequences import exact
from plasticity.tasks.trials import share_right

if TYPE_CHECKING:
    import pandas


@checked
def record_name(seed: int, learner: str) -> str:
    """Where the record of one pair lies in the folder of a run: seed-0003/spiking_gated."""
    return f"seed-{seed:04d}/{learner}"


def configured(configuration: Mapping[str, Any], learner: str) -> dict[str, Any]:
    """What the record of a learner says of the configuration of its comparison."""
    told = {key: configuration[key] for key in ("task", "settings", "facts", "data") if key in configuration}
    return {**told, "learner": learner, "parameters": configuration["parameters"][learner]}


def interval_for(shared: float, tested: float = 0.0, test_set: int = 0) -> str:
    """What an interval over seeds is an interval for, by how much their data share (`Draw.shared`, `Draw.tested`)."""
    if shared:
        return "what is to be expected on new data like these, 95 %; that the seeds split one set of data anew is allowed for"
    if tested > 0.2:
        return (
            f"what is to be expected over new trainings and test images drawn from the same {test_set}, 95 %; other test images"
            " scatter it further"
        )
    return "what is to be expected over new draws of this task, 95 %"


@checked
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
        if lacking := {"task", "learners", "seeds", "sides"} - {*self.configuration}:
            raise WrongUse(
                f"configuration lacks {', '.join(sorted(lacking))}; read a comparison from its folder, Comparison.load(DIR)."
            )
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

    def __repr__(self) -> str:
        seeds = tables.many(len(self.seeds), "seed")
        best = f"{self.best} {100 * self.numbers(self.best, 'accuracy').mean():.1f} %"
        lies = "" if self.folder is None else f", in {self.folder}"
        missing = f", {tables.many(self.missing, 'job')} missing" if self.missing else ""
        return f"<Comparison on {self.task}: {', '.join(self.learners)}; {seeds}; best {best}{missing}{lies}>"

    def _repr_html_(self) -> str:
        """The short table, for notebooks."""
        return tables.as_html(self)

    @property
    def task(self) -> str:
        """The name of the task."""
        return self.configuration["task"]

    @property
    def title(self) -> str:
        """The task, and of a table or a folder of one's own which one."""
        told = self.configuration["settings"]
        file = str(told.get("file", "") or told.get("folder", ""))
        return f"{self.task} ({Path(file).name.strip('()')})" if file else self.task

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

    def given(self, learner: str) -> list[str]:
        """What a learner is told, of `plasticity.learners.learner.GIVEN`."""
        return list(self.configuration.get("given", {}).get(learner, []))

    def learns(self, learner: str) -> list[str]:
        """What a learner has to learn, of `plasticity.learners.learner.LEARNS`."""
        return list(self.configuration.get("learns", {}).get(learner, []))

    @functools.cached_property
    def groups(self) -> dict[str, list[str]]:
        """Learners that are given the same and have to learn the same, by what that is, in words: those that may be compared.

        First those that are given the gate, then those that have to learn it, then the others.
        """
        found: dict[str, list[str]] = {}
        order = sorted(self.learners, key=lambda name: ("gate" not in self.given(name), "gate" not in self.learns(name)))
        for name in order:
            given, learns = (", ".join(words) or "nothing" for words in (self.given(name), self.learns(name)))
            found.setdefault(f"given {given}; learns {learns}", []).append(name)
        return found

    @functools.cached_property
    def shared(self) -> float:
        """Test items over all others where the seeds split one set of data anew: `plasticity.statistics.interval`."""
        return max(float(record.numbers.get("shared", 0.0)) for record in self.records.values())

    @property
    def interval_for(self) -> str:
        """What an interval over seeds is an interval for."""
        most = max(self.records.values(), key=lambda record: float(record.numbers.get("tested", 0.0)))
        return interval_for(self.shared, float(most.numbers.get("tested", 0.0)), int(most.numbers.get("test_set", 0)))

    def of(self, learner: str) -> list[Record]:
        """The records of one learner in the order of the seeds."""
        return [self.records[seed, learner] for seed in self.seeds if (seed, learner) in self.records]

    def shown(self, learner: str) -> str:
        """The name of a learner; where some of its seeds are missing, on how many it rests."""
        there = len(self.of(learner))
        return learner if there == len(self.seeds) else f"{learner} ({there} of {tables.many(len(self.seeds), 'seed')})"

    def numbers(self, learner: str, key: str) -> np.ndarray:
        """One number of a learner for every seed, (seeds,) float64; nan where there is none."""
        values = [record.numbers.get(key) for record in self.of(learner)]
        return np.array([math.nan if value is None else value for value in values], dtype=np.float64)

    @property
    def energy(self) -> EnergyTable:
        """What an operation costs."""
        return EnergyTable(**self.configuration.get("energy", {}))

    @functools.cached_property
    def likeness(self) -> list[dict[str, Any]]:
        """How alike the learners are, see `bridges.comparison.likeness`."""
        return likeness_tables(self)

    @functools.cached_property
    def costs(self) -> dict[str, Any]:
        """What each side costs, see `bridges.comparison.energy`."""
        return cost_table(self, self.energy)

    @functools.cached_property
    def fairness(self) -> dict[str, Any]:
        """What each learner was given, and in what that is not fair, see `bridges.comparison.fairness`."""
        return fairness_table(self, self.energy)

    @functools.cached_property
    def answers(self) -> list[dict[str, Any]]:
        """What is to be known of answers beside whether they are right, see `bridges.comparison.answers`."""
        return answers_tables(self)

    @functools.cached_property
    def intervals(self) -> dict[str, tuple[float, float]]:
        """The 95 % interval of the expected accuracy of each learner, see `interval_for`; nan where its seeds do not differ."""
        found = {name: interval(self.numbers(name, "accuracy"), shared=self.shared, within=SHARE) for name in self.learners}
        return {name: if_spread(*ends) for name, ends in found.items()}

    @functools.cached_property
    def best(self) -> str:
        """The learner with the highest mean accuracy."""
        return max(self.learners, key=lambda name: self.numbers(name, "accuracy").mean())

    @functools.cached_property
    def differences(self) -> dict[str, dict[str, float]]:
        """Every other learner minus the best, paired by seed: mean, low, high, effect (Hedges-corrected d_z), p, p_holm."""
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
                pair = paired_difference(a, b, shared=self.shared, within=APART)
                low, high = if_spread(pair.low, pair.high)
                found[name] = {"mean": pair.mean, "low": low, "high": high, "effect": pair.effect, "p": pair.p}
        known = [name for name, entry in found.items() if math.isfinite(entry["p"])]
        adjusted = dict(zip(known, holm([found[name]["p"] for name in known]), strict=True)) if known else {}
        for name, entry in found.items():
            entry["p_holm"] = float(adjusted.get(name, math.nan))
        return found

    @property
    def least_p(self) -> float:
        """The smallest p that the `differences` can have with so many seeds and comparisons, corrected; 0 where there is none."""
        known = min(len(self.seeds), len(self.learners)) > 1
        return least_p(len(self.seeds), len(self.learners) - 1, self.shared) if known else 0.0

    @functools.cached_property
    def strengthened(self) -> dict[str, dict[str, Any]]:
        """Mean weight of attended minus ignored synapses after training, with its interval over seeds, where it was measured;
        beside it as `nulls` what it is without plasticity, without attention, with permuted labels."""
        found: dict[str, dict[str, Any]] = {}
        for name in self.learners:
            arrays = [record.arrays for record in self.of(name)]
            if all("weights_attended" in kept for kept in arrays):
                apart = np.array([kept["weights_attended"][-1] - kept["weights_ignored"][-1] for kept in arrays])
                told = over_seeds(apart, self.shared)
                if told is not None:
                    found[name] = {**told}
                    nulls = [kept["weights_null"] for kept in arrays if "weights_null" in kept]
                    if nulls:
                        apart = np.array([null[:, 0] - null[:, 1] for null in nulls])
                        found[name]["nulls"] = {null: over_seeds(apart[:, row], self.shared) for row, null in enumerate(NULLS)}
        return found

    def to_json(self) -> dict[str, Any]:
        """The summary; a number that does not exist (an interval from one seed, or from equal ones) is null.

        `accuracy.seeds` are the accuracies in the order of `seeds`; `given` and `learns` say what a learner is told and what it
        has to learn, `for` what an interval is for; `p` of a difference is corrected (Holm) over all of them, `p_least` the
        smallest that so many seeds and comparisons allow (null where there is no such bound).
        """
        learners = []
        for name in self.learners:
            low, high = self.intervals[name]
            accuracies = self.numbers(name, "accuracy")
            parameters = self.of(name)[0].numbers["parameters"]
            learners.append(
                {
                    "name": name,
                    "side": self.side(name),
                    "given": self.given(name),
                    "learns": self.learns(name),
                    "accuracy": {
                        "mean": float(accuracies.mean()),
                        "low": finite(low),
                        "high": finite(high),
                        "seeds": [float(value) for value in accuracies],
                        "for": self.interval_for,
                    },
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
                "p_least": self.least_p or None,
                "for": self.interval_for,
            }
            for name, entry in self.differences.items()
        ]
        return {
            **self._ablated(),
            "task": self.task,
            "chance": self.chance,
            "ceiling": self.ceiling,
            "without_attention": self.without_attention,
            "seeds": self.seeds,
            "missing": self.missing,
            "learners": learners,
            "differences": differences,
            "attended_minus_ignored": self.strengthened,
            "fairness": self.fairness,
            "costs": self.costs,
            "likeness": self.likeness,
            **({"deletion": told} if (told := deletion(self)) else {}),
            **({"answers": self.answers} if self.answers else {}),
            "out": None if self.folder is None else str(self.folder),
        }

    def _ablated(self) -> dict[str, Any]:
        """Of ablations the learner and their rows, as `bridges.comparison.ingredients` has them."""
        if "ablates" not in self.configuration:
            return {}
        return {"learner": self.configuration["ablates"]["learner"], "rows": ingredients(self)}

    def rows(self) -> Iterator[dict[str, Any]]:
        """The rows of `to_frame`."""
        for (seed, name), record in self.records.items():
            single = {key: value for key, value in record.numbers.items() if not isinstance(value, (Mapping, list))}
            told = record.numbers.get("costs")
            counted = None if told is None else Costs.read(told)
            joules = {
                key: None if counted is None else finite(spent(counted, phase, self.energy))
                for key, phase in (("costs", "decision"), ("costs_training", "training"))
            }
            single.pop("learner", None)
            yield {"task": self.task, "learner": name, "side": self.side(name), "seed": seed, **single, **joules}

    def to_frame(self) -> pandas.DataFrame:
        """A pandas table with a row for each learner and seed: every number of its record.

        `costs` are the joules of one decision and `costs_training` those of one training trial, by the prices of `energy`; None
        where nothing was counted.

        Raises
        ------
        PlasticityError
            pandas is not installed.
        """
        return tables.frame(self.rows())

    def table(self, width: int | None = None) -> Any:
        """The summary as a `rich` table, see `bridges.comparison.tables.summary`."""
        return tables.summary(self, width)

    def cost_table(self, width: int | None = None) -> Any:
        """Energy as a `rich` table with its assumptions; None where nothing was counted."""
        return tables.energy(self, width)

    def caption(self) -> str:
        """How many trials, which seeds, and what is missing."""
        return tables.caption(self)

    def write_csv(self, folder: Path) -> None:
        """One line per learner: summary.csv."""
        write_text(folder / "summary.csv", tables.csv_text(self))

    def save(self, folder: str | os.PathLike[str], force: bool = False) -> None:
        """Write the records, summary.csv and summary.json into a folder, which `load` and `plasticity plot` read."""
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
                    found.refuse_other(file, seed, configured(configuration, name))
                    _check_record(found, file)
        return cls(configuration, records, source)


def _check_record(record: Record, file: Path) -> None:
    """PlasticityError where a record of a comparison lacks something, or states an accuracy that its predictions do not give."""
    missing = [
        key for key in ("accuracy", "seconds", "trials_sha256", "parameters", "training_trials") if key not in record.numbers
    ]
    missing += [key for key in ("predictions", "history_trials", "history_accuracy") if key not in record.arrays]
    missing += [] if {"labels", "target", "right"} & {*record.arrays} else ["labels"]
    if missing:
        raise PlasticityError(f"{file} is damaged (it lacks {', '.join(missing)}); delete it and run again.")
    arrays = record.arrays
    if "references" in arrays:
        accuracy = float(np.mean(exact(arrays["predictions"], arrays["references"])))
    elif "right" in arrays:  # of episodes: their world is not kept
        accuracy = float(np.mean(arrays["right"]))
    else:
        asked, answers = arrays["target" if "target" in arrays else "labels"], arrays["predictions"]
        accuracy = float(np.mean(share_right(answers, asked))) if answers.shape == asked.shape else math.nan
    if record.numbers["accuracy"] != accuracy:
        raise PlasticityError(
            f"{file} is damaged (it states the accuracy {record.numbers['accuracy']!r}, its predictions give {accuracy!r});"
            " delete it and run again."
        )


@checked
def read_configuration(folder: Path) -> dict[str, Any]:
    """The configuration of the run in a folder (its run.json)."""
    path = Path(folder) / "run.json"
    refuse_no_run(folder)
    told = read_sealed(path).get("configuration")
    configuration = told if isinstance(told, dict) else {}
    wanted = {
        "compare": ("task", "settings", "facts", "learners", "sides", "parameters", "seeds"),
        "run": ("simulation", "settings", "seeds"),
        "sweep": ("simulation", "settings", "grid", "seeds"),
        "budget": (
            "task",
            "settings",
            "facts",
            "learners",
            "sides",
            "parameters",
            "seeds",
            "budget",
            "points",
            "measured",
            "asked",
        ),
    }
    command = str(configuration.get("command"))
    if command == "sweep" and "task" in configuration:
        wanted["sweep"] = ("task", "learners", "settings", "grid", "seeds")
    lacking = [key for key in wanted[command] if key not in configuration] if command in wanted else ["a command"]
    if lacking:
        raise PlasticityError(
            f"{path} is damaged (it lacks {', '.join(lacking)}); give another folder, or run again with --force."
        )
    kinds: dict[str, type] = {"task": str, "simulation": str, "learners": list, "seeds": list}
    kinds |= dict.fromkeys(("settings", "facts", "sides", "parameters", "grid", "with"), dict)
    if odd := [key for key, kind in kinds.items() if key in configuration and not isinstance(configuration[key], kind)]:
        raise PlasticityError(f"{path} is damaged ({', '.join(odd)} in it cannot be); run again with --force.")
    names, seeds = configuration.get("learners", []), configuration["seeds"]
    if not all(isinstance(name, str) and NAME.fullmatch(name) for name in names) or not all(type(seed) is int for seed in seeds):
        raise PlasticityError(f"{path} is damaged (a learner's name or a seed in it cannot be); run again with --force.")
    return configuration
