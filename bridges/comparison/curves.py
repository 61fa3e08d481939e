"""What follows from a budget: curves with intervals, where they cross, the smallest that suffices, what equal accuracy costs."""

from __future__ import annotations

import csv
import dataclasses
import functools
import io
import itertools
import math
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bridges.comparison.energy import ASSUMPTIONS, EnergyTable, joules, of_training, prices, values
from bridges.comparison.result import interval_for, read_configuration, record_name
from bridges.comparison.tables import many
from plasticity.checked import checked
from plasticity.errors import PlasticityError, WrongUse
from plasticity.parallel import FEW_SEEDS
from plasticity.records import Record
from plasticity.settings import changed
from plasticity.statistics import (
    AMOUNT,
    APART,
    ROUNDING,
    SHARE,
    finite,
    if_spread,
    interval,
    mean_and_interval,
    over_seeds,
    told_ends,
)

if TYPE_CHECKING:
    import pandas

BUDGETS: Mapping[str, str] = {  # what lies along the axis
    "trials": "distinct training trials",
    "energy": "energy of a decision, estimated (J)",
    "parameters": "numbers that learning changes",
}
WHAT: Mapping[str, str] = {"trials": "trials", "energy": "a decision", "parameters": "numbers"}
ONCE = ".one_pass"  # ending of the name of a learner that meets each trial once
SPENT = ("decision", "decision_together", "bound", "training", "training_alone")
OTHERS: tuple[Mapping[str, str], ...] = (  # tables of prices beside the one that was asked for
    {}, {"bits": "8"}, {"memory": "banks"}, {"weights": "dram"}, {"sums": "sram"}, {"chip": "loihi"}, {"chip": "truenorth"},
)  # fmt: skip
PLACES = 400  # of an axis, at which an interval of a crossing is looked for


@dataclasses.dataclass(frozen=True)
class Point:
    """A learner at one place of the budget: of one size, or with so many training trials."""

    learner: str
    size: int | None = None
    trials: int | None = None

    @property
    def name(self) -> str:
        """Of its records."""
        return ".".join(str(part) for part in (self.learner, self.size, self.trials) if part is not None)


@checked
def crossing(x: np.ndarray, difference: np.ndarray, shared: float = 0.0) -> dict[str, Any] | None:
    """Where the mean of `difference` (points, seeds) changes its sign for the last time, with a 95 % interval.

    Between points the differences follow straight lines over log x. The interval holds the places around the crossing at which
    that of the mean difference over seeds holds 0 (`plasticity.statistics.interval`), to the next of `PLACES` on either side; an
    end that lies beyond the points is None, and so are both where every seed crosses at one place (`in_every_seed`).

    Returns
    -------
    dict or None
        `mean` (of the mean difference), `low`, `high`, `seeds` (the last crossing of each seed, None where it has none); None
        where the mean does not change its sign.
    """
    place = np.log(np.asarray(x, dtype=float))

    def last(rows: np.ndarray) -> float | None:
        known = np.flatnonzero(rows)  # where it is exactly 0, nobody is ahead
        changes = [(a, b) for a, b in itertools.pairwise(known) if rows[a] * rows[b] < 0]
        if not changes:
            return None
        a, b = changes[-1]
        return float(place[a] + (place[b] - place[a]) * rows[a] / (rows[a] - rows[b]))

    mean = difference.mean(axis=1)
    at = last(mean)
    if at is None:
        return None
    grid = np.union1d(np.linspace(place[0], place[-1], PLACES), [at])
    between = np.array([np.interp(grid, place, seed) for seed in difference.T])
    ends = np.array([interval(column, shared=shared) for column in between.T])
    ends[np.searchsorted(grid, at)] = (-1, 1)  # 0 itself, but for rounding
    unsure = ~((ends[:, 0] > 0) | (ends[:, 1] < 0))
    low = high = int(np.searchsorted(grid, at))
    while low >= 0 and unsure[low]:
        low -= 1
    while high < len(grid) and unsure[high]:
        high += 1
    each = [last(seed) for seed in difference.T]
    found = {"mean": math.exp(at), "low": None, "high": None, "seeds": [None if one is None else math.exp(one) for one in each]}
    if len(each) > 1 and not in_every_seed(found):
        found["low"] = math.exp(grid[low]) if low >= 0 else None
        found["high"] = math.exp(grid[high]) if high < len(grid) else None
    return found


@checked
def in_every_seed(at: Mapping[str, Any]) -> bool:
    """Whether every one of several seeds has a `crossing` at the same place, which then has no interval."""
    seeds = at["seeds"]
    return len(seeds) > 1 and None not in seeds and bool(np.ptp(seeds) <= ROUNDING * max(seeds))


@checked
@dataclasses.dataclass(eq=False)
class Curves:
    """The records of a budget, and what follows from them.

    configuration : what was asked, as of a comparison; `budget`, `points`, what is `measured` and what was `asked`
    records : by (point, seed)
    folder : where they lie, or None
    """

    configuration: dict[str, Any]
    records: dict[tuple[Point, int], Record]
    folder: Path | None = None

    def __post_init__(self) -> None:
        self.budget = str(self.configuration["budget"])
        self.seeds = [int(seed) for seed in self.configuration["seeds"]]
        points = [Point(**told) for told in self.configuration["points"]]
        missing = [point for point in points if any((point, seed) not in self.records for seed in self.seeds)]
        if missing:
            raise PlasticityError(
                f"{self.folder or 'this budget'} is not finished ({len(missing)} of {len(points)} points lack a seed); give the"
                " same command again."
            )
        alike: dict[tuple[int | None, int], str] = {}
        for (point, seed), record in self.records.items():
            if alike.setdefault((point.trials, seed), record.numbers["trials_sha256"]) != record.numbers["trials_sha256"]:
                raise PlasticityError(f"seed {seed}: {point.name} met other trials than the others; run it again with --force.")
        self.points = [point for point in points if math.isfinite(self.x(point))]

    def __repr__(self) -> str:
        return f"<Budget of {self.budget} on {self.task}: {', '.join(self.curves)}; {len(self.seeds)} seeds>"

    def _repr_html_(self) -> str:
        return self.html()

    @property
    def task(self) -> str:
        """The name of the task."""
        return str(self.configuration["task"])

    @property
    def energy(self) -> EnergyTable:
        """What an operation costs."""
        return EnergyTable(**self.configuration.get("energy", {}))

    @property
    def within(self) -> float:
        """By how much the smallest sufficient size may be right less often than the best."""
        return float(self.configuration["measured"]["within"])

    @property
    def margin(self) -> str:
        """`within` in words: 1 point, 0.5 points."""
        return f"{100 * self.within:g} point{'' if round(100 * self.within, 9) == 1 else 's'}"

    @functools.cached_property
    def shared(self) -> float:
        """As of a comparison: test items over all others where the seeds split one set of data anew."""
        return max(float(record.numbers.get("shared", 0.0)) for record in self.records.values())

    def side(self, learner: str) -> str:
        """spiking, torch or control."""
        return str(self.configuration["sides"][learner])

    def of(self, point: Point) -> list[Record]:
        """The records of a point in the order of the seeds."""
        return [self.records[point, seed] for seed in self.seeds]

    def accuracy(self, point: Point) -> np.ndarray:
        """Of each seed."""
        return np.array([record.numbers["accuracy"] for record in self.of(point)])

    @functools.cache  # noqa: B019  (lives as long as the curves)
    def spent(self, point: Point) -> dict[str, np.ndarray]:
        """Joules at each seed, nan where they were not counted: of a decision, of a training trial, of all of training."""
        found: dict[str, list[float]] = {key: [] for key in (*SPENT, "all_training")}
        for record in self.of(point):
            told = values(record.numbers, self.energy) if record.numbers.get("costs") else {}
            everything = of_training(record.numbers, self.energy)
            for key, row in found.items():
                row.append((math.nan if everything is None else everything) if key == "all_training" else told.get(key, math.nan))
        return {key: np.array(row) for key, row in found.items()}

    def x(self, point: Point) -> float:
        """Where a point lies along the budget, mean over seeds; nan where that is not known."""
        if self.budget == "trials":
            return float(point.trials or math.nan)
        if self.budget == "energy":
            return float(self.spent(point)["decision"].mean()) or math.nan
        return float(self.of(point)[0].numbers["parameters"] or math.nan)

    @functools.cached_property
    def curves(self) -> dict[str, list[Point]]:
        """The points of each learner along the budget."""
        found: dict[str, list[Point]] = {}
        for point in sorted(self.points, key=self.x):
            found.setdefault(point.learner, []).append(point)
        return {name: found[name] for name in self.configuration["learners"] if name in found}

    @functools.cached_property
    def groups(self) -> dict[str, list[str]]:
        """Learners of one side that are given the same and have to learn the same, by what that is in words."""
        found: dict[str, list[str]] = {}
        for name in self.curves:
            given, learns = (", ".join(self.configuration[key][name]) or "nothing" for key in ("given", "learns"))
            once = "; each trial once" if name.endswith(ONCE) else ""
            found.setdefault(f"{self.side(name)}: given {given}; learns {learns}{once}", []).append(name)
        return found

    @functools.cached_property
    def best(self) -> dict[str, str]:
        """The best learner of each group: of trials the highest mean over the points; else that which reaches what is `stated`
        with the least, or, where none does, that with the best size."""
        least = {one["learner"]: one["at"]["mean"] if one["at"] else math.inf for one in self.reached}

        def rank(name: str) -> tuple[float, float]:
            right = [float(self.accuracy(point).mean()) for point in self.curves[name]]
            return (0.0, -float(np.mean(right))) if self.budget == "trials" else (least[name], -max(right))

        return {group: min(names, key=rank) for group, names in self.groups.items()}

    # Where curves cross

    def line(self, learner: str, x: np.ndarray) -> np.ndarray:
        """Accuracy at these places, (places, seeds), straight over log x."""
        points = self.curves[learner]
        at = np.log([self.x(point) for point in points])
        rows = np.array([self.accuracy(point) for point in points])
        return np.array([np.interp(np.log(x), at, seed) for seed in rows.T]).T

    @functools.cached_property
    def crossings(self) -> list[dict[str, Any]]:
        """Each two of the best learners of the groups: where the one overtakes the other for the last time, or who is ahead."""
        found = [self._crossing(a, b) for a, b in itertools.combinations(self.best.values(), 2)]
        return [one | {"told": self._overtaking(one)} for one in found]

    @property
    def asked_for(self) -> list[dict[str, Any]]:
        """The crossings of spiking learners with others; all of them where no learner spikes."""
        spiking = {name for name in self.curves if self.side(name) == "spiking"}
        found = [one for one in self.crossings if len(spiking & {one["a"], one["b"]}) == 1]
        return found or self.crossings

    def _crossing(self, a: str, b: str) -> dict[str, Any]:
        places = [np.array([self.x(point) for point in self.curves[name]]) for name in (a, b)]
        low, high = max(x.min() for x in places), min(x.max() for x in places)
        told: dict[str, Any] = {"a": a, "b": b, "at": None, "from": float(low), "to": float(high), "before": None, "after": None}
        if low > high:
            return told | {"from": None, "to": None, "least": a if places[0].max() < places[1].min() else b}
        x = np.unique(np.clip(np.concatenate(places), low, high))
        apart = self.line(a, x) - self.line(b, x)
        mean = apart.mean(axis=1)
        known = mean[np.flatnonzero(mean)]
        if not len(known):
            return told
        told["at"] = self._place(x, apart) if low < high else None
        last = a if known[-1] > 0 else b
        first = last if told["at"] is None else (b if last == a else a)
        purpose = {"for": interval_for(self.shared)}

        def end(apart: np.ndarray) -> dict[str, Any]:
            found = mean_and_interval(apart, self.shared, APART)
            low, high = if_spread(found["low"], found["high"])
            return {"mean": found["mean"], "low": finite(low), "high": finite(high), **purpose}

        return told | {"before": first, "after": last, "at_from": end(apart[0]), "at_to": end(apart[-1])}

    @property
    def place_for(self) -> str:
        """What the interval of a crossing is for."""
        of = interval_for(self.shared)
        return f"where the mean difference is 0; of that difference: {of}"

    def _place(self, x: np.ndarray, apart: np.ndarray) -> dict[str, Any] | None:
        """A `crossing`, and what its interval is for."""
        at = crossing(x, apart, self.shared)
        return at and at | {"for": self.place_for}

    # What suffices

    @functools.cached_property
    def stated(self) -> float:
        """The share of right answers that is to be reached."""
        told = self.configuration["measured"]["accuracy"]
        if told is not None:
            return float(told)
        sides = {side: [n for n in self.curves if self.side(n) == side] for side in ("spiking", "torch")}
        listed = [names for names in sides.values() if names] or [list(self.curves)]
        top = (max(self.accuracy(point).mean() for name in names for point in self.curves[name]) for names in listed)
        return float(min(top)) - self.within

    @functools.cached_property
    def sufficient(self) -> list[dict[str, Any]]:
        """Of each learner the first point whose mean is at most `within` below that of its best."""
        found = []
        for points in self.curves.values():
            top = max(self.accuracy(point).mean() for point in points)
            enough = top - self.within - 1e-12
            found.append(
                self.told(next(point for point in points if self.accuracy(point).mean() >= enough)) | {"best": float(top)}
            )
        return found

    @functools.cached_property
    def reached(self) -> list[dict[str, Any]]:
        """Of each learner where its curve first reaches what is `stated`, with an interval, how many times the least of all that
        is, and its first point there."""
        found = []
        for name, points in self.curves.items():
            above = np.array([self.accuracy(point) for point in points]) - self.stated
            there = next((place for place, row in enumerate(above) if row.mean() >= -1e-12), None)
            told: dict[str, Any] = {"learner": name, "accuracy": self.stated, "at": None, "point": None}
            if there is not None:
                x = np.array([self.x(point) for point in points])
                told["point"] = self.told(points[there])
                if there and above[there].mean() > 0:
                    told["at"] = self._place(x[: there + 1], above[: there + 1])
                else:
                    told["at"] = {"mean": float(x[there]), "low": None, "high": None, "seeds": [], "for": self.place_for}
            found.append(told)
        least = min((one["at"]["mean"] for one in found if one["at"]), default=math.nan)
        return [one | {"times": one["at"]["mean"] / least if one["at"] else None} for one in found]

    @functools.cached_property
    def repriced(self) -> list[dict[str, Any]]:
        """What a decision takes at the least where a learner reaches what is `stated`, under other tables of prices too.

        `bound` is at spikes alone; a learner stands in a table as far as it reaches that and has a price there.
        """
        enough = [point for point in self.points if self.accuracy(point).mean() >= self.stated - 1e-12]
        found = []
        for other in OTHERS:
            table = changed(self.energy, other)
            rows: dict[str, dict[str, Any]] = {}
            for point in enough:
                told = [values(record.numbers, table) for record in self.of(point) if record.numbers.get("costs")]
                mean, bound = (float(np.mean([one[key] for one in told])) if told else math.nan for key in ("decision", "bound"))
                if math.isfinite(mean) and mean < rows.get(point.learner, {"decision": math.inf})["decision"]:
                    rows[point.learner] = {
                        "learner": point.learner, "size": point.size, "decision": mean, "bound": finite(bound)
                    }  # fmt: skip
            found.append({"prices": dict(other), "rows": list(rows.values())})
        return found

    def prices(self) -> tuple[list[str], list[list[str]]]:
        """`repriced` as heads and rows: a column for each table of prices; of spiking learners a row more, at spikes alone."""
        tables = [{row["learner"]: row for row in table["rows"]} for table in self.repriced]
        heads = [", ".join(f"{key}={value}" for key, value in table["prices"].items()) for table in self.repriced]
        body = []
        for name in (name for name in self.curves if any(name in table for table in tables)):
            found = [table.get(name, {}) for table in tables]
            sizes = ["" if row.get("size") is None else f" ({row['size']})" for row in found]
            body.append([name, *(joules(row.get("decision")) + size for row, size in zip(found, sizes, strict=True))])
            if any(row.get("bound") for row in found):
                body.append([f"{name}, at spikes alone", *(joules(row.get("bound")) for row in found)])
        return ["learner", heads[0] or "as asked for", *heads[1:]], body

    # As data

    def told(self, point: Point) -> dict[str, Any]:
        """A point as JSON holds it."""
        right, numbers = self.accuracy(point), self.of(point)[0].numbers
        low, high = if_spread(*interval(right, shared=self.shared, within=SHARE))
        spent = {key: over_seeds(row, self.shared, AMOUNT) for key, row in self.spent(point).items()}
        return {
            "learner": point.learner,
            "side": self.side(point.learner),
            "given": self.configuration["given"][point.learner],
            "learns": self.configuration["learns"][point.learner],
            "one_pass": point.learner.endswith(ONCE),
            "size": point.size,
            "trials": numbers["training_trials"],
            "parameters": numbers["parameters"],
            "energy": finite(float(self.spent(point)["decision"].mean())),
            "joules": spent,
            "accuracy": {
                "mean": float(right.mean()), "low": finite(low), "high": finite(high),
                "seeds": [float(value) for value in right],
                "for": interval_for(self.shared),
            },
        }  # fmt: skip

    def to_json(self) -> dict[str, Any]:
        """The summary: `points` with what each is at (`trials`, `energy`, `parameters`), `crossings`, `sufficient`, `reached`."""
        return {
            "task": self.task,
            "budget": self.budget,
            "chance": float(self.configuration["facts"]["chance"]),
            "ceiling": float(self.configuration["facts"]["ceiling"]),
            "seeds": self.seeds,
            "points": [self.told(point) for points in self.curves.values() for point in points],
            "crossings": self.crossings,
            "sufficient": self.sufficient,
            "reached": self.reached,
            "repriced": self.repriced,
            "notes": self.notes(True),
            "out": None if self.folder is None else str(self.folder),
        }

    def rows(self) -> Iterator[dict[str, Any]]:
        """One for each point and seed."""
        for point in self.points:
            for seed, right in zip(self.seeds, self.accuracy(point), strict=True):
                yield {
                    "task": self.task, "learner": point.learner, "size": point.size, self.budget: self.x(point), "seed": seed,
                    "accuracy": float(right),
                }  # fmt: skip

    def to_frame(self) -> pandas.DataFrame:
        """`rows` as a pandas table; PlasticityError where pandas is not installed."""
        from bridges.comparison.tables import frame

        return frame(self.rows())

    def csv(self) -> str:
        """A line for each point and seed."""
        out = io.StringIO()
        rows = list(self.rows())
        writer = csv.DictWriter(out, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        return out.getvalue()

    # For people

    def amount(self, value: float | None) -> str:
        """A place along the budget: 1,200 trials, 41 nJ."""
        if value is None:
            return "?"
        return joules(value) if self.budget == "energy" else f"{value:,.0f}"

    def span(self, at: Mapping[str, Any]) -> str:
        """A place with its interval, in % of it where both ends read alike, [-] where every seed is there; ? is no end."""
        mean, ends = at["mean"], [at["low"], at["high"]]
        if len(self.seeds) == 1:
            return self.amount(mean)
        if in_every_seed(at):
            return f"{self.amount(mean)} [-]"
        low, high = (self.amount(end) for end in ends)
        if low == high != "?":
            low, high = (f"{100 * (end / mean - 1):+.1g} %" for end in ends)
        return f"{self.amount(mean)} [{low}, {high}]"

    def table(self) -> tuple[list[str], list[list[str]]]:
        """Heads and rows: of trials a row for each learner, else one for each of its sizes."""

        def right(point: Point) -> str:
            told = self.told(point)["accuracy"]
            return f"{100 * told['mean']:.1f} {told_ends(told)}"

        if self.budget == "trials":
            heads = ["learner", *(f"{point.trials:,}" for point in next(iter(self.curves.values())))]
            body = [[name, *map(right, points)] for name, points in self.curves.items()]
            return heads, body
        heads = ["learner", "size", "accuracy %", "a decision", "of 64", "at spikes alone", "all of training", "numbers learnt"]
        keys = ("decision", "decision_together", "bound", "all_training")
        body = []
        for name, points in self.curves.items():
            enough = {entry["learner"]: entry["size"] for entry in self.sufficient}[name]
            for point in points:
                told = self.told(point)
                size = "-" if point.size is None else f"{point.size}{' *' if point.size == enough else ''}"
                spent = ["-" if told["joules"][key] is None else joules(told["joules"][key]["mean"]) for key in keys]
                body.append([name, size, right(point), *spent, f"{told['parameters']:,}" if told["parameters"] else "-"])
        return heads, body

    def sentences(self) -> list[str]:
        """Who is ahead from where on, what suffices, and what equal accuracy takes."""
        what = WHAT[self.budget]
        told = [f"{group}: {', '.join(names)}." for group, names in self.groups.items()]
        told += [one["told"] for one in self.asked_for]
        if self.budget != "trials":
            for one in self.sufficient:
                if one["size"] is not None:
                    cost = one["joules"]["decision"]
                    told.append(
                        f"The smallest {one['learner']} within {self.margin} of its best:"
                        f" size {one['size']}, {100 * one['accuracy']['mean']:.1f} %, {joules(cost and cost['mean'])} a decision."
                    )
        for one in sorted(self.reached, key=lambda one: one["times"] or math.inf):
            if one["at"] is None:
                told.append(f"{one['learner']} does not reach {100 * self.stated:.1f} %.")
                continue
            spent = one["point"]["joules"]
            titles = {"decision": "a decision", "bound": "at spikes alone", "all_training": "all of training"}
            parts = [f"{joules(spent[key]['mean'])} {title}" for key, title in titles.items() if spent[key]]
            there = f" (first point there: {', '.join(parts)})" if parts else ""
            times = "the least" if one["times"] == 1 else f"{one['times']:.3g} times the least"
            told.append(f"{one['learner']} reaches {100 * self.stated:.1f} % at {self.span(one['at'])} {what}, {times}{there}.")
        return told

    def _overtaking(self, one: Mapping[str, Any]) -> str:
        """Where two cross, and at both ends of what they have in common who is ahead, as far as the intervals tell, by how much.

        Ahead and behind are said where the interval leaves 0 out; where there is no interval, above and below.
        """
        what = WHAT[self.budget]
        if "least" in one:
            other = one["b"] if one["least"] == one["a"] else one["a"]
            return f"{one['least']} takes less at each of its sizes than {other} at any: no crossing."
        if one["after"] is None:
            return f"{one['a']} and {one['b']} are right equally often."
        ahead, other = one["after"], one["b"] if one["after"] == one["a"] else one["a"]
        sign = 1 if ahead == one["a"] else -1

        def end(key: str, place: str) -> tuple[str, str]:
            found = one[key]
            mean, ends = sign * found["mean"], sorted(sign * found[of] for of in ("low", "high") if found[of] is not None)
            if ends and ends[0] <= 0 <= ends[1]:
                word = "not told apart"
            else:
                word = ("ahead" if mean > 0 else "behind") if ends else ("above" if mean > 0 else "below" if mean else "equal")
            interval = f"[{100 * ends[0]:+.1f}, {100 * ends[1]:+.1f}]" if ends else "[-]"
            return word, f"{word} at {place} ({100 * mean:+.1f} {interval} points)"

        (_, first), (word, last) = end("at_from", self.amount(one["from"])), end("at_to", f"{self.amount(one['to'])} {what}")
        told = f"{first}, {last}" if one["from"] < one["to"] else last
        if one["at"] is None:
            return f"{ahead} beside {other}, without a crossing: {told}."
        some = sum(seed is not None for seed in one["at"]["seeds"])
        seeds = f", in {some} of {many(len(self.seeds), 'seed')}" if some < len(self.seeds) else ""
        seeds = ", there in every seed" if in_every_seed(one["at"]) else seeds
        how = "crosses" if word == "not told apart" else "overtakes"
        return f"{ahead} {how} {other} at {self.span(one['at'])} {what}{seeds}: {told}."

    def notes(self, everything: bool = False) -> list[str]:
        """What the numbers are, and what they rest on."""
        told = ["Means with 95 % intervals over seeds, in % of test trials; an end marked ? lies beyond what was measured."]
        if self.budget == "trials":
            told.append(
                f"Every learner meets the same distinct trials. {ONCE[1:]}: each once, 4 in a batch, learning rate .002, no"
                " dropout, not tuned; other models trained by gradient see them up to `epochs` times. All of these use the"
                " validation trials of the task to stop or to keep weights; plasticity and controls do not."
            )
        else:
            told.append(f"*: the smallest size within {self.margin} of the best.")
            rest = {point["learner"] for point in self.configuration["points"]} - {*self.curves}
            told += [f"Not counted, so not shown: {', '.join(sorted(rest))}."] if rest else []
        told += [*prices(self.energy), *ASSUMPTIONS] if everything else prices(self.energy)
        few = [f"{FEW_SEEDS[0].upper()}{FEW_SEEDS[1:]}."] if len(self.seeds) < 6 else []
        return told + few

    def html(self) -> str:
        """The table as HTML, for notebooks."""
        from bridges.comparison.tables import html_table

        return html_table(f"{self.task}, by {BUDGETS[self.budget]}", *self.table(), " ".join(self.notes()[:1]))

    @classmethod
    def load(cls, folder: str | os.PathLike[str]) -> Curves:
        """From the records in a folder.

        Raises
        ------
        WrongUse
            The folder holds no budget.
        PlasticityError
            It is not finished, or a record is damaged.
        """
        source = Path(folder)
        configuration = read_configuration(source)
        if configuration.get("command") != "budget":
            raise WrongUse(f"{source} holds no budget; give a folder that `plasticity compare --budget` wrote.")
        records = {}
        for point in (Point(**told) for told in configuration["points"]):
            for seed in configuration["seeds"]:
                path = source / "records" / record_name(seed, point.name)
                if path.with_name(path.name + ".json").exists():
                    records[point, int(seed)] = found = Record.load(path)
                    found.refuse_other(path, seed, {"learner": point.name})
        return cls(configuration, records, source)
