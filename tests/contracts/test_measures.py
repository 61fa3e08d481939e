"""What a sweep follows of each experiment: declared, found in its reference, shown with unit; or refused at once."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from plasticity import settings
from plasticity.errors import WrongUse
from plasticity.records import Record
from plasticity.statistics import among
from simulations import SIMULATIONS
from simulations.frame.execute import RECORD, from_configuration
from simulations.frame.experiment import Experiment, Measure, Outcome, Suite
from simulations.frame.sweep import Point, Sweep, sweep

REFERENCE = Path(__file__).resolve().parents[2] / "results" / "reference"
NOT_SWEPT = {  # and why
    "structure_time": "measures times",
    "bench": "measures times", "network_time": "measures times", "network_growth": "measures times",
    "recall_maps": "has no measures", "voltage_window": "has no measures", "time_steps": "has no measures",
}  # fmt: skip
every_experiment = pytest.mark.parametrize("name", SIMULATIONS)


def told(name: str) -> dict:
    """The numbers of an experiment as its reference has them, of a member of a suite from the arrays of the suite."""
    kind = SIMULATIONS[name]
    record = Record.load(REFERENCE / (kind.part_of or name) / "records" / RECORD)
    made = from_configuration(SIMULATIONS[kind.part_of or name], record.configuration["settings"])
    a = made.arrays_of(record)
    if isinstance(made, Suite) and kind.part_of:
        (made,) = (member for member in made.made() if type(member) is kind)
    return json.loads(json.dumps(made.numbers(a), default=lambda entry: entry.tolist()))


LONG = ("attention_map", "attention_gain", "robustness")  # to read their arrays takes seconds


@pytest.mark.parametrize("name", [pytest.param(name, marks=pytest.mark.full) if name in LONG else name for name in SIMULATIONS])
def test_every_experiment_can_be_swept_with_a_table_or_is_refused_before_anything_runs(name, tmp_path, monkeypatch):
    kind = SIMULATIONS[name]
    ran = []

    def outcome(self, seeds, jobs, progress, folder):  # what takes minutes: its reference stands for it
        ran.append(seeds)
        return Outcome(told(name))

    monkeypatch.setattr(Experiment, "outcome", outcome)
    keys = [entry for entry in settings.describe(kind) if settings.text(entry.default)]
    grid = {keys[0].name: [settings.text(keys[0].default)]} if keys else {"nothing": ["1"]}
    if name in NOT_SWEPT:
        with pytest.raises(WrongUse, match=f"^{name} {NOT_SWEPT[name]}"):
            sweep(kind, grid, [0, 1], jobs=1, out=tmp_path / "s")
    elif not keys:
        with pytest.raises(WrongUse, match=f"unknown setting of {name} 'nothing'"):
            sweep(kind, grid, [0, 1], jobs=1, out=tmp_path / "s")
    else:
        found = sweep(kind, grid, [0, 1], jobs=1, out=tmp_path / "s")
        assert len(ran) == (2 if kind.seeded else 1)
        declared = [one.name for one in kind.measures]
        assert found.shown == declared  # every one of them is a number in the reference
        heads, rows = found.rows(declared)
        assert heads[1:] == [one.title for one in kind.measures] and all(re.match(r"-?\d", cell) for cell in rows[0][1:])
        assert len(found.rows(())[0]) > 1 and found.figures(declared)
        return
    assert not ran and not (tmp_path / "s").exists()


@every_experiment
def test_measures_have_a_meaning_and_one_name_each(name):
    declared = SIMULATIONS[name].measures
    assert (declared is None) == (name in ("structure_time", "bench", "network_time", "network_growth"))
    for one in declared or ():
        assert one.meaning and not one.meaning.endswith(".") and re.fullmatch(r"[\w.]+", one.name)
    if issubclass(SIMULATIONS[name], Suite) and declared is not None:
        of_members = [one.name for member in SIMULATIONS[name].members for one in member.measures]
        assert [one.name for one in declared] == list(dict.fromkeys(of_members))
        meant: dict[str, str] = {}
        for member in SIMULATIONS[name].members:  # a name that two share means the same
            for one in member.measures:
                assert meant.setdefault(one.name, one.meaning) == one.meaning


def test_a_measure_is_a_path_the_last_row_that_fits_or_a_function():
    numbers = {
        "a": {"b": [1.0, 3.0, None]}, "f": {"mean": 2.0, "low": None, "high": None}, "g": {"value": 5}, "t": "text", "n": None,
        "rows": [{"c": "x", "v": 1.0}, {"c": "x", "v": {"mean": 2.0}}, {"c": "y", "v": 9.0}],
    }  # fmt: skip
    wanted = {
        ("a", "b"): 2.0, ("a", "b", 1): 3.0, ("f",): 2.0, ("g",): 5.0, ("rows", -1, "v"): 9.0,
        ("t",): math.nan, ("n",): math.nan, ("a", "c"): math.nan, ("a", "b", 7): math.nan,
    }  # fmt: skip
    for where, value in wanted.items():
        np.testing.assert_equal(Measure("m", "", "a test", where).of(numbers), value)
    assert Measure("m", "", "a test", ("rows", {"c": "x"}, "v")).of(numbers) == 2.0
    np.testing.assert_equal(Measure("m", "", "a test", ("rows", {"c": "z"}, "v")).of(numbers), math.nan)
    assert Measure("m", "", "a test", lambda found: max(found["a"]["b"][:2])).of(numbers) == 3.0
    assert Measure("g", "", "a test").of(numbers) == 5.0 and Measure("g", "Hz", "a test").title == "g (Hz)"


# Effects


@dataclass(frozen=True)
class Several(Experiment):
    name, summary, source = "several", "several measures", "test"
    measures: ClassVar = (
        Measure("rises", "mV", "with the grid"), Measure("noise", "", "of the seeds alone"),
        Measure("rounds", "", "of the seeds, but the same at all points"), Measure("nothing", "", "of size 1", scale=1.0),
    )  # fmt: skip

    def figures(self, a):
        return {}


def made(kind: type[Experiment] = Several, seeds: int = 3, **values: list[list[float]]) -> Sweep:
    points = [Point(0, (("x", "1"),)), Point(1, (("x", "2"),))]
    asked = {"simulation": "several", "settings": {}, "grid": {"x": ["1", "2"]}, "seeds": list(range(seeds))}
    unknown = {one.name: np.full((2, seeds), np.nan) for one in kind.measures or ()}
    return Sweep(asked, points, unknown | {name: np.array(rows) for name, rows in values.items()}, kind)


def test_an_effect_is_more_than_rounding_and_a_table_says_where_seeds_are_too_few():
    found = made(
        rises=[[1.0, 1.1, 1.2], [2.0, 2.1, 2.2]], noise=[[1.0, 2.0, 3.0], [1.5, 2.5, 2.3]],
        rounds=[[7.0, 8.0, 9.0], [7.0 + 1e-12, 8.0, 9.0]], nothing=[[5e-14, 5e-14, 5e-14], [8e-14, 8e-14, 8e-14]],
    )  # fmt: skip
    assert found.moving == ["rises", "noise"] and found.chosen(()) == ["rises", "noise"]
    assert found.rows(())[0] == ["x", "rises (mV)", "noise"]
    few = "too few seeds to tell from noise, whatever it looks like:"
    assert found.notes() == [f"{few} rises, noise."]
    first, second = found.notes(["rounds", "nothing", "rises"]), found.to_json()["measures"]
    assert first == ["the same at all points, but for rounding: rounds, nothing.", f"{few} rises."]
    assert second["rises"] == {"unit": "mV", "meaning": "with the grid", "p": 0.25, "moves": True}
    axes = found.figures()["sweep"].axes
    assert [axis.get_title("left") for axis in axes[:2]] == ["rises", "noise"] and axes[0].get_ylabel() == "mV"
    (axis,) = found.figures(["rounds"])["sweep"].axes  # asked for by name: drawn, but not as if rounding were an effect
    low, high = axis.get_ylim()
    assert high - low > 1


def test_an_effect_is_more_than_what_exchanging_the_points_within_each_seed_gives():
    rng = np.random.default_rng(0)
    level = rng.normal(size=8) * 10  # of the seeds, alike at both points
    found = made(seeds=8, rises=[level, level + 1 + rng.normal(size=8) / 10], noise=[level, level + rng.normal(size=8)])
    assert found.notes() == ["no more than the seeds' noise (points exchanged within each seed, p > 0.05): noise."]
    assert found.to_json()["measures"]["rises"]["p"] == 2 / 2**8


def test_pure_noise_at_two_seeds_and_eight_points_is_called_an_effect_as_often_as_the_level_says():
    rng = np.random.default_rng(1)
    p = np.array([among(rng.normal(size=(8, 2)))[0] for _ in range(200)])
    assert 0.01 < (p <= 0.05).mean() < 0.10 and 0.4 < (p <= 0.5).mean() < 0.6
    assert among(np.arange(8.0)[:, None] + rng.normal(size=(8, 2)) / 100)[0] < 0.01
    assert among([[1.0, 2.0], [3.0, np.nan]]) == (1.0, 1.0) and among([[1.0, 2.0]]) == (1.0, 1.0)
    assert among([[1.0] * 5, [2.0] * 5]) == pytest.approx((2 / 32, 2 / 32))


def test_where_only_rounding_differs_there_is_a_table_and_no_figure():
    found = made(seeds=1, rises=[[1.0], [1.0 + 1e-13]], nothing=[[5e-14], [8e-14]])
    assert found.moving == [] and found.figures() == {}
    heads, rows = found.rows(())
    assert heads == ["x", "rises (mV)", "nothing"] and rows[0][1] == "1"
    assert found.notes() == ["the same at all points, but for rounding: rises, nothing."]


@dataclass(frozen=True)
class Undeclared(Experiment):
    """One that declares no measures."""

    name, summary, source = "undeclared", "no measures", "test"
    size: int = settings.setting(1, "of it", low=1)

    def run(self, seed):
        return {"x": np.arange(3.0) * self.size}

    def figures(self, a):
        return {}


def test_what_gives_no_numbers_is_refused_and_what_gives_no_single_number_stops_at_the_first(tmp_path):
    with pytest.raises(WrongUse, match=r"undeclared has no measures.*`plasticity run undeclared --set KEY=VALUE`"):
        sweep(Undeclared, {"size": ["1", "2"]}, [0], jobs=1, out=tmp_path / "s")
    assert not (tmp_path / "s").exists()
    ran = []

    class Lists(Undeclared):
        def run(self, seed):
            ran.append(seed)
            return super().run(seed)

        def numbers(self, a):
            return {"list": a["x"].tolist()}

    with pytest.raises(WrongUse, match=r"no single number in what numbers\(\) gives"):
        sweep(Lists, {"size": ["1", "2", "3", "4"]}, [0, 1], jobs=1, out=tmp_path / "t")
    assert len(ran) <= 2  # of 8
