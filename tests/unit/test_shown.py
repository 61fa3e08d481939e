"""What a person at a prompt or in a notebook sees: names to complete, short texts, tables, frames."""

from __future__ import annotations

import subprocess
import sys
from html.parser import HTMLParser

import numpy as np
import pytest

import bridges
import plasticity as pl
from bridges import Comparison, compare
from bridges.comparison.energy import spent
from plasticity.engine.operations import Costs
from plasticity.gates import GATES
from plasticity.learners import SpikingClassifier
from plasticity.networks.competition import Competition
from plasticity.neurons import NEURONS
from plasticity.records import Record
from plasticity.rules import RULES
from plasticity.tasks import TASKS, CuedDigits
from simulations.frame import results
from simulations.frame.experiment import Experiment
from simulations.frame.sweep import Sweep, points

SHORT = 250


@pytest.mark.parametrize("package", ["plasticity", "bridges"])
def test_what_a_package_has_is_listed_before_it_is_imported_and_all_of_it_is_there(package):
    code = f"import sys, {package}; print(*dir({package})); sys.exit(bool({{'brian2', 'torch'}} & {{*sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    made = {"plasticity": pl, "bridges": bridges}[package]
    assert set(made.__all__) <= set(done.stdout.split())
    for name in dir(made):
        assert hasattr(made, name), name


def test_rules_and_simulations_list_what_they_have():
    import simulations

    assert set(RULES) <= set(dir(pl.rules)) and "SIMULATIONS" in dir(simulations)


@pytest.mark.parametrize(
    "made",
    [
        *RULES.values(), *NEURONS.values(), *(gate() for gate in GATES.values()), *(task() for task in TASKS.values()),
        SpikingClassifier(neurons_per_class=3), SpikingClassifier(pl.rules.triplet_stdp), RULES, TASKS,
        pl.rules.pair_stdp + pl.rules.synaptic_scaling, pl.rules.Landing(),
    ],
    ids=lambda made: str(getattr(made, "name", type(made).__name__)),
)  # fmt: skip
def test_things_are_told_in_a_line_that_names_them(made):
    text = repr(made)
    assert len(text) <= SHORT and "\n" not in text and " object at 0x" not in text
    assert getattr(made, "name", type(made).__name__) in text or type(made).__name__ in text


def test_a_network_is_told_by_the_names_of_its_parts():
    text = repr(Competition(2, 4, 3))
    assert len(text) < 700 and "rule=pair_stdp(A_plus=0.01" in text and "\n" not in text


@pytest.fixture(scope="module")
def comparison(tmp_path_factory):
    task = CuedDigits(train=40, validation=10, test=20)
    settings = {"mlp": {"epochs": 2, "hidden": 8}}
    out = tmp_path_factory.mktemp("shown") / "out"
    return compare(["mlp", "guessing"], task, seeds=[0, 1], jobs=1, settings=settings, out=out)


class Cells(HTMLParser):
    """The texts of a table, and that what is opened is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.texts: list[str] = []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)


def test_a_comparison_is_a_line_a_table_and_a_frame(comparison):
    text = repr(comparison)
    assert len(text) <= SHORT and text.startswith("<Comparison on cued_digits: mlp, guessing; 2 seeds; best ")
    texts = Cells(comparison._repr_html_()).texts
    assert {"learner", "mlp", "guessing"} <= set(texts) and "Chance 10 %" in texts[-1]
    record = comparison.records[0, "mlp"]
    assert len(repr(record)) <= SHORT and "Record of mlp, seed 0: accuracy=" in repr(record).replace("learner='mlp', ", "")
    loaded = Comparison.load(comparison.folder)
    assert repr(loaded) == text


def test_the_frame_of_a_comparison_tells_costs_in_joules(comparison):
    pytest.importorskip("pandas", reason="needs the package pandas")
    frame = comparison.to_frame()
    assert list(frame.columns[:4]) == ["task", "learner", "side", "seed"] and len(frame) == 4
    for phase, column in (("decision", "costs"), ("training", "costs_training")):
        told = frame[frame.learner == "mlp"].set_index("seed")[column]
        for seed in (0, 1):
            costs = Costs.read(comparison.records[seed, "mlp"].numbers["costs"])
            assert told[seed] == spent(costs, phase, comparison.energy) > 0
        assert frame[frame.learner == "guessing"][column].isna().all()
    np.testing.assert_array_equal(frame[frame.learner == "mlp"].accuracy, comparison.numbers("mlp", "accuracy"))
    result = results.load(comparison.folder)
    assert result.to_frame().equals(frame) and result.frame().equals(frame)
    assert len(repr(result)) <= SHORT and "ComparisonResult cued_digits" in repr(result)
    assert Cells(result._repr_html_()).texts == Cells(comparison._repr_html_()).texts


def test_a_sweep_is_a_line_a_table_and_a_frame():
    pytest.importorskip("pandas", reason="needs the package pandas")
    configuration = {"simulation": "throw <b>", "grid": {"dice": ["1", "2"]}, "seeds": [0, 1], "settings": {}}
    values = {"mean": np.array([[1.0, 2.0], [3.0, 5.0]])}
    sweep = Sweep(configuration, points(configuration["grid"]), values, Experiment)
    assert repr(sweep) == "<Sweep of throw <b> over dice=1,2: 1 measure, 2 seeds>"
    texts = Cells(sweep._repr_html_()).texts  # a name with a bracket is no tag
    assert texts[0] == "throw <b>: 2 points, 2 seeds" and {"dice", "mean"} <= set(texts) and "4" in texts[-1]
    frame = sweep.to_frame()
    assert list(frame.columns) == ["dice", "seed", "measure", "value"] and list(frame.value) == [1, 2, 3, 5]


def test_a_result_that_is_not_finished_says_so_in_a_notebook(tmp_path):
    found = results.ExperimentResult(tmp_path, {"command": "run", "simulation": "stdp_window", "settings": {}, "seeds": [0]})
    assert repr(found) == f"<ExperimentResult stdp_window, in {tmp_path}>"
    assert "holds no finished run of stdp_window" in found._repr_html_()
    Record("stdp_window", found.configuration, None, {"checks": [], "area": 0.25}, {}, 0.0, "numpy", 1).save(
        tmp_path / "records" / "outcome"
    )
    assert "area" in Cells(found._repr_html_()).texts
