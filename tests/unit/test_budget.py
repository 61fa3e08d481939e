"""Budgets: curves of records that are known, where they cross, what suffices; and one that is run."""

from __future__ import annotations

import json

import numpy as np
import pytest

from bridges.comparison.budget import Budget, _of_sizes, budgeted
from bridges.comparison.curves import Curves, Point, crossing, in_every_seed
from bridges.comparison.energy import ASSUMPTIONS, EnergyTable
from bridges.learners import NamedLearner
from plasticity.engine.operations import Costs, Operations
from plasticity.errors import PlasticityError, WrongUse
from plasticity.learners import SpikingClassifier
from plasticity.records import Record
from plasticity.settings import configure
from plasticity.tasks import CuedDigits
from simulations.command_line import main
from simulations.figures.budget import budget_figures
from simulations.frame import results

# Where curves cross


def test_a_crossing_is_where_the_mean_difference_is_zero_over_the_logarithm():
    x = np.array([10.0, 1000.0, 100_000.0])
    spread = np.array([-0.01, 0.0, 0.01])
    found = crossing(x, np.array([[-0.1], [0.1], [0.3]]) + spread)
    assert found["mean"] == pytest.approx(100)
    # a seed that is s above crosses at 100 * 100^(-s/.2); the interval is that of Student's t: 4.303 * .01/sqrt(3)
    assert found["seeds"] == pytest.approx([100 * 100 ** (-s / 0.2) for s in spread])
    half = 4.3027 * 0.01 / np.sqrt(3)
    assert [found["low"], found["high"]] == pytest.approx([100 * 100 ** (-half / 0.2), 100 * 100 ** (half / 0.2)], rel=0.03)
    wider = crossing(x, np.array([[-0.1], [0.1], [0.3]]) + spread, 0.3)  # draws that share data
    assert wider["low"] < found["low"] and wider["high"] > found["high"]


def test_without_a_crossing_there_is_none_and_the_last_of_several_counts():
    x = np.array([1.0, 10, 100, 1000])
    assert crossing(x, np.array([[1.0, 1], [2, 2], [1, 1], [1, 1]])) is None
    assert crossing(x, np.array([[0.0, 0], [2, 2], [0, 0], [1, 1]])) is None  # nobody is overtaken
    found = crossing(x, np.array([[1.0, 1], [-1, -1], [1, 1], [2, 2]]))
    assert found["mean"] == pytest.approx(10**1.5)
    one = crossing(x, np.array([[1.0], [-1], [-1], [-1]]))
    assert one["low"] is one["high"] is None  # one seed has no interval


def test_seeds_that_are_all_alike_cross_without_an_interval_and_nearly_alike_ones_within_the_places_looked_at():
    x = np.array([10.0, 1000.0])
    alike, nearly = (crossing(x, np.array([[-1.0], [2.0]]) + spread) for spread in (np.zeros(3), np.array([-1e-6, 0, 1e-6])))
    assert alike["low"] is alike["high"] is None and in_every_seed(alike) and alike["seeds"] == [alike["mean"]] * 3
    assert nearly["low"] < nearly["mean"] < nearly["high"] < 1.05 * nearly["mean"] and not in_every_seed(nearly)
    told = synthetic("trials")
    assert told.span(alike) == "46 [-]" and told.span({**nearly, "low": 46.2, "high": 46.46}) == "46 [-0.5 %, +0.1 %]"
    assert told.span({**nearly, "low": 40.0, "high": None}) == "46 [40, ?]"
    assert not in_every_seed(crossing(x, np.array([[-1.0], [2.0]])))  # one seed says nothing of others


def test_an_interval_that_goes_on_beyond_the_points_has_no_end_there():
    x = np.array([10.0, 1000.0])
    found = crossing(x, np.array([[-0.5, 0.2, -0.1], [0.9, 0.8, 0.7]]))
    assert found["low"] is None and found["mean"] < found["high"] < 1000
    assert found["seeds"][1] is None and all(one is not None for one in (found["seeds"][0], found["seeds"][2]))


# Records of which every number is known

SIDES = {"network": "spiking", "network_too": "spiking", "model": "torch"}
RIGHT = {"network": {1: 0.70, 2: 0.90, 5: 0.905}, "model": {4: 0.60, 8: 0.92, 16: 0.95, 32: 0.955}}
NJ = {"network": 100e-9, "model": 10e-9}  # for each unit of size


def synthetic(budget: str = "energy", accuracy: float | None = None, **other: str) -> Curves:
    points = [Point(name, size) for name, sizes in RIGHT.items() for size in sizes]
    if budget == "trials":
        points = [Point(name, trials=10 * size) for name in RIGHT for size in (1, 10, 100)]
    seeds = [0, 1, 2]
    records = {}
    for point in points:
        for seed in seeds:
            size = point.size or 1
            right = RIGHT[point.learner][size] if point.size else {"network": 0.5, "model": 0.4}[point.learner]
            if point.trials:
                right += {"network": 0.1, "model": 0.25}[point.learner] * np.log10(point.trials / 10)
            additions = NJ[point.learner] * size / 0.9e-12
            costs = Costs(
                SIDES[point.learner], {"forward": Operations(additions)}, {"forward": Operations(additions)}, spikes=None
            )
            numbers = {
                "accuracy": right + (-0.002, 0.0, 0.002)[seed], "parameters": 10 * size, "costs": costs.plain(),
                "trials_sha256": other.get(point.learner, f"{point.trials} {seed}"), "training_trials": point.trials or 100,
                "trials_shown": 100,
            }  # fmt: skip
            records[point, seed] = Record("budget", {}, seed, numbers, {}, 0.0, "numpy", 1, {})
    configuration = {
        "command": "budget", "budget": budget, "task": "made_up", "seeds": seeds, "learners": [*RIGHT], "sides": SIDES,
        "given": {"network": ["gate"], "model": []}, "learns": {"network": ["classes"], "model": ["gate", "classes"]},
        "points": [vars(point) for point in points], "facts": {"chance": 0.1, "ceiling": 1.0},
        "measured": {"within": 0.01, "accuracy": accuracy},
    }  # fmt: skip
    return Curves(configuration, records)


def test_the_smallest_sufficient_is_the_first_size_within_a_point_of_the_best():
    told = {one["learner"]: one for one in synthetic().to_json()["sufficient"]}
    assert told["network"]["size"] == 2 and told["model"]["size"] == 16
    assert told["model"]["best"] == pytest.approx(0.955) and told["model"]["accuracy"]["mean"] == pytest.approx(0.95)
    assert told["model"]["energy"] == pytest.approx(160e-9) and told["model"]["joules"]["decision"]["mean"] == pytest.approx(
        160e-9
    )
    assert told["model"]["joules"]["all_training"]["mean"] == pytest.approx(100 * 160e-9)


def test_what_is_to_be_reached_is_within_reach_of_both_sides_and_what_it_takes_lies_between_sizes():
    curves = synthetic()
    assert curves.stated == pytest.approx(0.905 - 0.01)
    told = {one["learner"]: one for one in curves.reached}
    # between 4 and 8 units, straight over the logarithm from .60 to .92
    assert told["model"]["at"]["mean"] == pytest.approx(40e-9 * 2 ** ((0.895 - 0.60) / 0.32))
    assert told["model"]["times"] == 1 and told["network"]["times"] > 1
    assert told["model"]["point"]["size"] == 8 and told["network"]["point"]["size"] == 2
    assert told["model"]["at"]["low"] < told["model"]["at"]["mean"] < told["model"]["at"]["high"]
    high = {one["learner"]: one for one in synthetic(accuracy=0.95).reached}
    assert high["network"]["at"] is None and high["model"]["point"]["size"] == 16
    assert any(sentence == "network does not reach 95.0 %." for sentence in synthetic(accuracy=0.95).sentences())


def test_equal_accuracy_is_priced_by_other_tables_too():
    tables = {tuple(one["prices"].items()): {row["learner"]: row for row in one["rows"]} for one in synthetic().repriced}
    plain, eight, loihi = tables[()], tables[("bits", "8"),], tables[("chip", "loihi"),]
    assert plain["model"]["size"] == 8 and plain["model"]["decision"] == pytest.approx(80e-9)
    assert eight["model"]["decision"] == pytest.approx(80e-9 * 0.03 / 0.9) and plain["network"]["bound"] == pytest.approx(200e-9)
    assert set(loihi) == {"model"}  # the spikes of the network were not counted
    heads, rows = synthetic().prices()
    assert heads[:3] == ["learner", "as asked for", "bits=8"] and heads[-1] == "chip=truenorth"
    assert [row[0] for row in rows] == ["network", "network, at spikes alone", "model"]
    assert rows[2][1] == "80 nJ (8)" and rows[0][1] == "200 nJ (2)" and rows[0][-1] == "-"


def test_crossings_are_those_of_the_best_of_each_group():
    (told,) = synthetic("trials").crossings
    assert (told["a"], told["b"], told["before"], told["after"]) == ("network", "model", "network", "model")
    assert told["at"]["mean"] == pytest.approx(10 * 10 ** (0.1 / 0.15))  # .5 + .1 l = .4 + .25 l
    assert told["at_from"]["mean"] == pytest.approx(0.1) and told["at_to"]["mean"] == pytest.approx(-0.2)
    assert told["at_from"]["low"] is None  # all seeds are alike
    assert len(told["at"]["seeds"]) == 3
    sentence = "model overtakes network at 46 [-] trials, there in every seed: below at 10 (-10.0 [-]"
    assert any(sentence in one for one in synthetic("trials").sentences())
    (never,) = synthetic().crossings  # the model is better wherever both have a price
    assert never["at"] is None and never["before"] == never["after"] == "model"
    alone = synthetic()
    kept = {place: record for place, record in alone.records.items() if place[0].learner == "model" or place[0].size == 2}
    points = [vars(point) for point in alone.points if (point, 0) in kept]
    (single,) = Curves({**alone.configuration, "points": points}, kept).crossings  # 200 nJ lies among the sizes of the model
    assert single["at"] is None and single["from"] == single["to"] == pytest.approx(200e-9) and single["after"] == "model"
    kept = {place: record for place, record in alone.records.items() if place[0].learner == "model" or place[0].size == 5}
    points = [vars(point) for point in alone.points if (point, 0) in kept]
    (apart,) = Curves({**alone.configuration, "points": points}, kept).crossings
    assert apart["least"] == "model" and apart["from"] is None
    by_parameters = synthetic("parameters").crossings[0]
    assert by_parameters["from"] == 40 and by_parameters["to"] == 50


def test_the_summary_is_what_scripts_are_promised():
    told = json.loads(json.dumps(synthetic("trials").to_json(), allow_nan=False))
    assert {"task", "budget", "points", "crossings", "sufficient", "reached", "seeds"} <= set(told)
    for point in told["points"]:
        assert {"learner", "given", "learns", "trials", "energy", "parameters", "accuracy"} <= set(point)
        assert {"mean", "low", "high", "seeds", "for"} == set(point["accuracy"]) and len(point["accuracy"]["seeds"]) == 3
    assert set(told["crossings"][0]["at"]) == {"mean", "low", "high", "seeds", "for"}
    crossing = told["crossings"][0]
    assert all("new draws" in crossing[key]["for"] for key in ("at", "at_from", "at_to"))
    assert set(ASSUMPTIONS) < set(told["notes"])


def test_learners_that_met_other_trials_are_not_put_beside_each_other():
    with pytest.raises(PlasticityError, match="met other trials"):
        synthetic("trials", network="others")


def test_a_budget_is_drawn_with_a_ring_where_curves_cross():
    (figure,) = budget_figures(synthetic("trials")).values()
    (axis,) = figure.axes
    rings = [line for line in axis.lines if line.get_markerfacecolor() == "none"]
    assert len(rings) == 1 and rings[0].get_xdata()[0] == pytest.approx(10 * 10 ** (0.1 / 0.15))
    assert "distinct training trials" in axis.get_xlabel()


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"trials": "50"}, "makes no curve"),
        ({"hidden": "8,8"}, "makes no curve"),
        ({"trails": "50,100"}, "Did you mean 'trials'"),
        ({"within": "2"}, "outside 0 to 1"),
    ],
)
def test_a_budget_that_is_none_is_refused(values, told):
    with pytest.raises(WrongUse, match=told):
        configure(Budget, values)


def test_places_are_in_their_order_and_what_the_task_lacks_is_refused_before_any_work():
    assert Budget(trials=(100, 50)).trials == (50, 100)
    for learners, budget, told in (
        (["guessing"], "energy", "no size"),
        (["mlp"], "trials", "fewer than two"),
        (["mlp"], "x", "unknown"),
    ):
        with pytest.raises(WrongUse, match=told):
            budgeted(budget, learners, CuedDigits(train=60), [0], budget=Budget(trials=(50, 100)))


# One that is run


@pytest.mark.full
def test_a_budget_goes_on_where_it_stopped_and_is_made_again_from_its_records(tmp_path):
    task = CuedDigits(train=60, validation=20, test=40)
    given = {"torch": {"epochs": 2, "hidden": 8}}
    wanted = (["mlp", "class_means_gated"], task, [0, 1])
    made = budgeted("trials", *wanted, jobs=1, out=tmp_path / "a", settings=given, budget=Budget(trials=(20, 60, 600)))
    assert list(made.curves) == ["mlp", "class_means_gated", "mlp.one_pass"]
    assert [point.trials for point in made.curves["mlp"]] == [20, 60]
    for seed in (0, 1):
        prints = {made.records[point, seed].numbers["trials_sha256"] for point in made.points if point.trials == 20}
        assert len(prints) == 1
    once = made.records[Point("mlp.one_pass", trials=60), 0].numbers
    assert once["trials_shown"] == 60 and once["gradient_steps"] == 15
    again = results.load(tmp_path / "a")
    assert again.summary()["points"] == made.to_json()["points"] and set(again.figures()) == {"budget"}
    page = again.page()
    assert "each trial once" in page and "class_means_gated" in page
    command = again.command("x")
    assert "--budget trials" in command and "budget.trials=20,60,600" in command and "torch.hidden=8" in command
    assert len(list(again.rows())) == 12
    with pytest.raises(WrongUse, match="finished run"):
        budgeted("trials", *wanted, jobs=1, out=tmp_path / "a", settings=given, budget=Budget(trials=(20, 60, 600)))
    (tmp_path / "a" / "summary.json").unlink()
    (tmp_path / "a" / "records" / "seed-0000" / "mlp.20.json").unlink()
    with pytest.raises(PlasticityError, match="not finished"):
        Curves.load(tmp_path / "a")
    resumed = budgeted("trials", *wanted, jobs=1, out=tmp_path / "a", settings=given, budget=Budget(trials=(20, 60, 600)))
    assert [point["accuracy"] for point in resumed.to_json()["points"]] == [p["accuracy"] for p in made.to_json()["points"]]


@pytest.mark.full
def test_sizes_are_swept_on_both_sides_and_each_has_its_price():
    task = CuedDigits(train=40, validation=20, test=20)
    made = budgeted(
        "energy", ["spiking_gated", "softmax_attention", "nearest_neighbour_gated", "guessing"], task, [0], jobs=1,
        settings={"torch": {"epochs": 1}}, budget=Budget(hidden=(4, 8), neurons=(1, 2)), energy=EnergyTable(bits="8"),
    )  # fmt: skip
    assert [[point.size for point in points] for points in made.curves.values()] == [[1, 2], [4, 8], [None]]
    assert "guessing" in " ".join(made.notes())  # nothing was counted
    for points in made.curves.values():
        assert np.all(np.diff([made.x(point) for point in points]) > 0)
    told = {(one["learner"], one["size"]): one for one in made.to_json()["points"]}
    assert told["spiking_gated", 1]["parameters"] == 64 * 10 and told["spiking_gated", 2]["parameters"] == 2 * 64 * 10
    assert told["spiking_gated", 1]["joules"]["bound"]["mean"] < told["spiking_gated", 1]["energy"]
    assert "8 bits" in " ".join(made.notes())


@pytest.mark.full
def test_on_the_command_line_a_budget_is_json_and_an_unknown_one_a_sentence(tmp_path, capsys):
    small = ["--set=train=40", "--set=validation=20", "--set=test=20", "--set=torch.epochs=1", "--jobs=1", "--seeds=2"]
    words = ["compare", "cued_digits", "--budget", "parameters", "--learners", "mlp,class_means_gated", "--set=budget.hidden=4,8"]
    with pytest.raises(SystemExit) as ended:
        main([*words, *small, "--out", str(tmp_path / "a"), "--json"])
    out = capsys.readouterr().out
    told = json.loads(out)
    assert not ended.value.code and told["budget"] == "parameters" and told["task"] == "cued_digits"
    assert [point["size"] for point in told["points"]] == [4, 8, None] and len(told["points"][0]["accuracy"]["seeds"]) == 2
    assert {path.name for path in (tmp_path / "a").iterdir()} >= {
        "report.html",
        "summary.csv",
        "summary.json",
        "figures",
        "run.json",
    }
    for wrong, sentence in ((["--budget", "money"], "unknown budget"), (["--set", "budget.trials=2,3"], "not given")):
        with pytest.raises(SystemExit) as ended:
            main(["compare", "cued_digits", *wrong, "--out", str(tmp_path / "b")])
        error = capsys.readouterr().err
        assert ended.value.code == 2 and sentence in error and error.count("\n") == 1
    for command in (["plot", str(tmp_path / "a")], ["report", str(tmp_path / "a")], ["cite", str(tmp_path / "a")]):
        with pytest.raises(SystemExit) as ended:
            main(command)
        assert not ended.value.code, capsys.readouterr().err


def test_a_smaller_network_has_thresholds_that_rise_by_as_much_less():
    """Each of fewer neurons wins more often; with the same rise half of the trials would draw no spike from a small network."""
    chosen = [NamedLearner("spiking_gated", "spiking", SpikingClassifier(), 1.0)]
    found = _of_sizes(Budget(neurons=(5, 20)), chosen, CuedDigits())
    rises = {point.size: one.estimator.theta_plus for point, (one, _) in found.items()}
    assert rises == {5: pytest.approx(0.02), 20: pytest.approx(0.08)}
