"""Every experiment: what it says of itself, and that its numbers and checks follow from the record of its reference."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

import pytest

from plasticity import settings
from plasticity.encoders import ENCODERS
from plasticity.errors import WrongUse
from plasticity.files import read_sealed
from plasticity.neurons import NEURONS
from plasticity.records import Record
from plasticity.references import identifiers
from plasticity.rules import RULES
from plasticity.structure import LAWS
from simulations import SIMULATIONS
from simulations.frame.checks import KINDS
from simulations.frame.execute import RECORD, from_configuration
from simulations.frame.experiment import Experiment, Suite

TOP = Path(__file__).resolve().parents[2]
REFERENCE = TOP / "results" / "reference"
RUNS = [
    folder.name
    for folder in sorted(REFERENCE.iterdir())
    if (folder / "records" / f"{RECORD}.npz").exists()
    and json.loads((folder / "run.json").read_text())["configuration"]["command"] == "run"
]
PUBLIC = (  # programs that pip or a repository gives
    *("NEST 3.10.0 (nest-simulator)", "Brian2 2.9.0, examples/"),
    "Le Masson & Alexandre 2016, ReScience 2(1)",
)
every_experiment = pytest.mark.parametrize("name", SIMULATIONS)


def test_an_experiment_a_file_and_no_file_without_one():
    files = {path.stem for path in (TOP / "simulations").glob("*.py")} - {"__init__", "__main__"}
    assert {kind.__module__.rpartition(".")[2] for kind in SIMULATIONS.values()} == files
    assert len(files) == len(SIMULATIONS)


@every_experiment
def test_an_experiment_says_what_it_shows_and_whose_result_that_is(name):
    kind = SIMULATIONS[name]
    assert kind.name == name and kind.summary and "\n" not in kind.summary and kind.__doc__
    assert re.search(r"doi:10\.\d{4,}/|arXiv:\d|ISBN", kind.source), name
    assert all(entry.help for entry in settings.describe(kind))
    assert kind.uses or kind.part_of  # a member may be made of neither rules nor neurons
    assert set(kind.uses) <= {*RULES, *NEURONS, *ENCODERS, *LAWS}
    assert (
        f'if __name__ == "__main__":\n    script({kind.__name__}.name)'
        in Path(TOP / "simulations" / f"{kind.__module__.rpartition('.')[2]}.py").read_text()
    )


@every_experiment
def test_an_experiment_has_its_time_step_as_a_setting_or_says_why_not(name):
    kind = SIMULATIONS[name]
    settable = [entry for entry in settings.describe(kind) if entry.name == "dt_ms"]
    if issubclass(kind, Suite):
        assert settable or all(member.time_step in kind.time_step for member in kind.members)
        return
    assert bool(settable) != bool(kind.time_step), "either a setting dt_ms, or a sentence in time_step"
    assert bool(kind.short) == any(entry.kind is float for entry in settable), "time_steps runs it in a short form"
    assert all(entry.unit == "ms" for entry in settable) and (not kind.time_step or kind.time_step.endswith("."))


@every_experiment
def test_a_member_of_a_suite_is_in_it(name):
    kind = SIMULATIONS[name]
    if kind.part_of:
        suite = SIMULATIONS[kind.part_of]
        assert issubclass(suite, Suite) and kind in suite.members
    if issubclass(kind, Suite):
        assert all(member.part_of == name for member in kind.members)
        known = {entry.name for entry in settings.describe(kind)}
        assert known == {entry.name for member in kind.members for entry in settings.describe(member)}


def test_every_published_experiment_has_its_reference_and_every_rule_its_experiment():
    published = {name for name, kind in SIMULATIONS.items() if kind.published and not kind.part_of}
    assert published <= {folder.name for folder in REFERENCE.iterdir()}
    covered = {name for kind in SIMULATIONS.values() for name in kind.uses}
    closed = {name for name, rule in RULES.items() if rule.has_closed_form}  # `plasticity run stdp_window --rule hebb`
    assert set(RULES) - covered <= closed | {"heterosynaptic"}  # against an event loop in the tests


def alike(ours: Any, theirs: Any) -> bool:
    """The same, but for the last digits of another machine's arithmetic."""
    if isinstance(theirs, dict):
        return isinstance(ours, dict) and [*ours] == [*theirs] and all(alike(ours[key], theirs[key]) for key in theirs)
    if isinstance(theirs, list):
        return isinstance(ours, list) and len(ours) == len(theirs) and all(map(alike, ours, theirs))
    if isinstance(theirs, float) and isinstance(ours, (int, float)):
        return math.isclose(ours, theirs, rel_tol=1e-6, abs_tol=1e-12)
    return ours == theirs


def plain(value: Any) -> Any:
    def finite(entry: Any) -> Any:
        if isinstance(entry, dict):
            return {key: finite(inner) for key, inner in entry.items()}
        if isinstance(entry, list):
            return [finite(inner) for inner in entry]
        return None if isinstance(entry, float) and not math.isfinite(entry) else entry

    return finite(json.loads(json.dumps(value, default=lambda entry: entry.tolist())))


@pytest.mark.parametrize("folder", [pytest.param(run, marks=pytest.mark.full) if run == "attention_map" else run for run in RUNS])
def test_numbers_and_checks_follow_from_the_arrays_of_the_reference(folder):
    record = Record.load(REFERENCE / folder / "records" / RECORD)
    made = from_configuration(SIMULATIONS[record.simulation], record.configuration["settings"])
    a = made.arrays_of(record)
    numbers = plain(made.numbers(a))
    for name, value in record.numbers.items():
        if name != "checks":
            assert alike(numbers[name], value), name
    assert [*numbers] == [name for name in record.numbers if name != "checks"]
    checks = [plain(check.to_json()) for check in made.checks(a)]
    assert [check["name"] for check in checks] == [check["name"] for check in record.numbers["checks"]]
    for ours, theirs in zip(checks, record.numbers["checks"], strict=True):
        assert alike(ours, theirs), theirs["name"]
    assert {path.stem for path in (REFERENCE / folder / "figures").glob("*.png")} == set(made.figures(a))


@pytest.mark.parametrize("folder", RUNS)
def test_every_check_says_whose_value_it_is_held_to_and_where_that_can_be_had(folder):
    for check in read_sealed(REFERENCE / folder / "summary.json")["checks"]:
        assert check["kind"] in KINDS, check["name"]
        if check["kind"] in ("paper", "authors"):
            assert identifiers(check["source"]) or re.search(r"ModelDB \d+", check["source"]), check["name"]
        if check["kind"] == "independent":
            assert check["source"].startswith(PUBLIC), check["name"]


def test_an_experiment_that_runs_nothing_is_told_so():
    class Idle(Experiment):
        name, summary, source = "idle", "nothing", "nobody"

        def checks(self, a):
            return []

        def figures(self, a):
            return {}

    with pytest.raises(WrongUse, match="Idle has neither run"):
        Idle().run(0)
