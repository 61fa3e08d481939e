"""What a comparison says besides accuracy: fairness, costs, likeness."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from rich.console import Console
from sklearn.tree import DecisionTreeClassifier

from bridges import compare
from bridges.comparison import Comparison
from bridges.comparison.energy import ASSUMPTIONS, EnergyTable, cost_table, joules, spent
from bridges.comparison.fairness import fairness_table
from bridges.comparison.likeness import likeness_tables
from plasticity.engine.operations import Costs, Operations
from plasticity.errors import WrongUse
from plasticity.gates import GATES
from plasticity.learners import SpikingClassifier
from plasticity.tasks import CuedDigits, Digits

TASK = CuedDigits(train=60, validation=20, test=40)
NETWORK = Costs(  # of a network of which every count is known
    "spiking",
    training={"synapses": Operations(additions=100), "neurons": Operations(multiplications=50)},
    decision={"synapses": Operations(additions=1000), "neurons": Operations(additions=200)},
    spikes=20.0,
)


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Comparison:
    out = tmp_path_factory.mktemp("account") / "run"
    learners = ["softmax_attention", "mlp", ("tree", DecisionTreeClassifier(max_depth=3)), "guessing"]
    return compare(learners, TASK, seeds=[0, 1, 2], jobs=1, out=out, settings={"torch": {"epochs": 3}})


def with_a_network(run: Comparison, gate: str = "input_gain", **changes) -> Comparison:
    """The same comparison, the tree told to be a spiking network with this gate, whose counts are known."""
    records = dict(run.records)
    for seed in run.seeds:
        old = records[seed, "tree"]
        arrays = {**old.arrays, "history_trials": np.array([0.0, 30, 60]), "history_accuracy": np.array([0.1, 0.83, 0.9])}
        numbers = {**old.numbers, "costs": NETWORK.plain(), "trials_shown": 60, **changes}
        records[seed, "tree"] = dataclasses.replace(old, numbers=numbers, arrays=arrays)
    network = SpikingClassifier(gate=GATES[gate]())
    told = {"sides": "spiking", "given": list(network.given), "learns": list(network.learns)}
    configuration = run.configuration | {key: {**run.configuration[key], "tree": value} for key, value in told.items()}
    return Comparison(configuration, records)


def of(rows: list[dict], name: str) -> dict:
    return next(row for row in rows if name in (row.get("learner"), row.get("name")))


def test_gates_with_other_numbers_are_told_apart():
    learners = ["class_means_gated", "nearest_neighbour_gated", "class_means"]
    with pytest.warns(
        UserWarning, match=r"ignored=0.5\) is given to class_means_gated; InputGain.* is given to nearest_neighbour_gated"
    ):
        compare(learners, TASK, seeds=1, jobs=1, settings={"class_means_gated": {"gate": GATES["input_gain"](ignored=0.5)}})


def test_on_larger_images_a_learning_rate_of_the_torch_side_is_asked_for():
    (told,) = CuedDigits(data="mnist").hints({"torch", "spiking"})
    assert "torch.learning_rate=0.002" in told
    assert not list(CuedDigits(data="mnist").hints({"spiking"})) and not list(CuedDigits().hints({"torch"}))


def test_a_task_that_cannot_be_drawn_is_refused_before_any_learner(monkeypatch):
    monkeypatch.setattr("bridges.comparison.run.carry_out", None)
    with pytest.raises(WrongUse, match="more than the 197 images"):
        compare(["guessing"], Digits(validation=300), seeds=1, jobs=1)


def test_fairness_counts_trials_shown_steps_and_parameters(run):
    told = fairness_table(run, EnergyTable())
    mlp, tree = of(told["rows"], "mlp"), of(told["rows"], "tree")
    assert mlp["trials_shown"]["mean"] == 3 * 60 and mlp["gradient_steps"]["mean"] == 3  # 60 trials in one batch of 64
    assert tree["training_trials"] == 60 and tree["gradient_steps"]["mean"] == 0 and tree["energy"] is None
    cost = Costs.read(run.records[0, "mlp"].numbers["costs"])
    assert mlp["energy"]["mean"] == pytest.approx(180 * spent(cost, "training"), rel=1e-12)  # three seeds, the same counts


def test_counts_and_joules_that_differ_much_between_seeds_have_intervals_that_end_at_zero(run):
    records = dict(run.records)
    for seed, shown in zip(run.seeds, (1, 1, 900), strict=True):
        for name in ("mlp", "softmax_attention"):
            numbers = {**records[seed, name].numbers, "trials_shown": shown, "gradient_steps": shown}
            records[seed, name] = dataclasses.replace(records[seed, name], numbers=numbers)
    row = of(fairness_table(dataclasses.replace(run, records=records), EnergyTable())["rows"], "mlp")
    for key in ("trials_shown", "gradient_steps", "energy"):
        assert row[key]["low"] == 0 < row[key]["mean"] < row[key]["high"], key


def test_a_learning_curve_on_other_trials_is_told_as_unlike(run):
    changed = dataclasses.replace(run, records={**run.records})
    name = run.learners[0]
    for key, kept in run.records.items():
        if key[1] == name:
            changed.records[key] = dataclasses.replace(kept, numbers={**kept.numbers, "curve": "training images"})
    told, before = (" ".join(fairness_table(one, EnergyTable())["notes"]) for one in (changed, run))
    assert f"the learning curve of {name} is measured on training images" in told and "learning curve of" not in before


def test_what_is_not_fair_is_said(run):
    notes = " ".join(fairness_table(with_a_network(run, parameters=10), EnergyTable())["notes"])
    assert (
        "tree are told by their gate what the cue means; softmax_attention, mlp have to learn it" in notes
    )  # a gate that selects, beside torch learners
    for control in ("none", "shuffled_gate", "equal_gain"):
        told = " ".join(fairness_table(with_a_network(run, gate=control), EnergyTable())["notes"])
        assert "told by their gate" not in told
    assert "from 60 (tree) to 180 (softmax_attention)" in notes
    assert "parameters, from 10 (tree) to" in notes
    assert "softmax_attention, mlp: stops by validation trials" in notes
    alone = " ".join(fairness_table(run, EnergyTable())["notes"])
    assert "told by their gate" not in alone and "from 60" not in alone


def test_a_counted_network_costs_what_the_table_says(run):
    told = cost_table(with_a_network(run), EnergyTable(add_pj=2, multiply_pj=4))
    row = of(told["rows"], "tree")
    assert row["training"]["mean"] == pytest.approx((100 * 2 + 50 * 4) * 1e-12)
    assert row["decision"]["mean"] == pytest.approx(1200 * 2e-12) and row["bound"]["mean"] == pytest.approx(1000 * 2e-12)
    assert (
        row["spikes"]["mean"] == 20 and row["decision_together"] == row["decision"] and row["training_alone"] == row["training"]
    )
    mlp = of(told["rows"], "mlp")
    assert mlp["training_alone"]["mean"] > mlp["training"]["mean"] and mlp["bound"] is None
    assert any(note.endswith("by an earlier version: tree.") for note in told["notes"])
    assert not any(row["learner"] == "guessing" for row in told["rows"])  # scikit-learn is not counted


def test_partial_sums_are_free_in_registers_and_a_read_and_a_write_each_in_memory():
    done = Operations(additions=2, sums=3)
    assert EnergyTable().traffic(done) == 0
    assert EnergyTable(sums="sram", sram_pj=5).traffic(done) == pytest.approx(3 * 2 * 5e-12)


def test_joules_have_three_digits_a_prefix_and_an_interval_where_it_shows():
    assert joules(1.234e-6) == "1.23 µJ" and joules(None) == "-"
    assert joules(5.1e-6, 5.0999e-6, 5.1001e-6) == "5.1 µJ"
    assert joules(5.1e-6, 5.04e-6, 5.2e-6) == "5.1 [5.04, 5.2] µJ"


@pytest.mark.parametrize(("width", "gone"), [(None, ()), (110, ("chance", "ceiling")), (80, ("chance", "ceiling", "fit"))])
def test_no_number_of_the_table_is_cut_in_a_narrow_window(run, width, gone):
    console = Console(width=width or 200)
    with console.capture() as caught:
        console.print(run.table(width), run.cost_table(width))
    text = caught.get()
    assert "\N{HORIZONTAL ELLIPSIS}" not in text and max(map(len, text.splitlines())) <= (width or 200)
    titles = " ".join(str(column.header) for column in run.table(width).columns)
    assert all((word in titles) != (word in gone) for word in ("chance", "ceiling", "fit"))
    assert f"{100 * run.to_json()['learners'][0]['accuracy']['mean']:.1f}" in text


def test_assumptions_and_prices_stand_under_the_table_of_costs(run):
    assert set(ASSUMPTIONS) < set(run.costs["notes"])
    console = Console(width=400, record=True, file=open("/dev/null", "w"))
    console.print(run.cost_table())
    text = console.export_text()
    assert "0.9 pJ an addition" in text and ASSUMPTIONS[0] in text and "µJ" in text


def test_another_energy_table_is_kept_with_the_run_and_changes_joules_alone(run, tmp_path):
    dear = compare(
        ["mlp"],
        TASK,
        [0],
        jobs=1,
        out=tmp_path / "run",
        settings={"torch": {"epochs": 3}},
        energy=EnergyTable(add_pj=9, sram_pj=50),
    )
    again = Comparison.load(tmp_path / "run")
    assert again.energy == EnergyTable(add_pj=9, sram_pj=50)
    plain = Costs.read(run.records[0, "mlp"].numbers["costs"])
    assert dear.costs["rows"][0]["decision"]["mean"] == pytest.approx(spent(plain, "decision", EnergyTable(add_pj=9, sram_pj=50)))
    np.testing.assert_array_equal(dear.records[0, "mlp"].arrays["predictions"], run.records[0, "mlp"].arrays["predictions"])
    with pytest.raises(WrongUse, match="finished run"):
        compare(["mlp"], TASK, [0], jobs=1, out=tmp_path / "run", settings={"torch": {"epochs": 3}})


def test_a_learner_is_as_like_its_copy_as_can_be_and_guesses_are_like_nothing(run):
    records = {key: record for key, record in run.records.items() if key[1] in ("mlp", "guessing")}
    records |= {(seed, "tree"): run.records[seed, "mlp"] for seed in run.seeds}  # the same records under another name
    *tables, own = likeness_tables(Comparison(run.configuration, records))
    rows = {table["measure"]: {frozenset((row["a"], row["b"])): row for row in table["rows"]} for table in tables}
    for key in ("error_consistency", "cka", "rsa"):
        alike = rows[key][frozenset(("mlp", "tree"))]
        assert alike[key]["mean"] == pytest.approx(1) and alike["before learning"]["mean"] == pytest.approx(1)
        assert abs(alike["trials permuted"]["mean"]) < 0.2 and alike["without attention"] is None
    other = rows["error_consistency"][frozenset(("mlp", "guessing"))]
    # kappa of independent errors has mean 0 and, with 3 x 40 trials, a standard error of about 0.1; 4 of them
    assert abs(other["error_consistency"]["mean"]) < 0.4
    assert of(own["rows"], "guessing")["brier"]["mean"] == pytest.approx(0.9)  # ten classes at 0.1 each
    assert {"name", "ece", "ece_chance", "brier", "ceiling"} == {column["key"] for column in own["columns"]}


def test_what_is_said_of_two_learners_does_not_depend_on_their_order(run):
    turned = Comparison({**run.configuration, "learners": run.configuration["learners"][::-1]}, run.records)
    pairs, again = (
        {(table.get("measure"), frozenset((row["a"], row["b"]))): row for table in tables[:-1] for row in table["rows"]}
        for tables in map(likeness_tables, (run, turned))
    )
    assert pairs.keys() == again.keys()
    for both, row in pairs.items():
        assert {key: value for key, value in row.items() if key not in "ab"} == {
            key: value for key, value in again[both].items() if key not in "ab"
        }


def test_records_without_what_likeness_needs_leave_it_out(run):
    records = {}
    for key, record in run.records.items():
        arrays = {name: record.arrays[name] for name in ("predictions", "labels", "history_trials", "history_accuracy")}
        numbers = {name: value for name, value in record.numbers.items() if name not in ("costs", "trials_shown", "remark")}
        records[key] = dataclasses.replace(record, numbers=numbers, arrays=arrays)
    old = Comparison(run.configuration, records)  # as those were that earlier versions wrote
    summary = old.to_json()
    assert summary["costs"]["rows"] == [] and old.cost_table() is None
    assert {row["a"] for row in summary["likeness"][0]["rows"]} and {table.get("measure") for table in summary["likeness"]} == {
        "error_consistency",
        None,
    }
    assert summary["likeness"][0]["rows"][0]["before learning"] is None
    assert summary["fairness"]["rows"][0]["trials_shown"] is None


@pytest.mark.parametrize(
    ("value", "text"), [(1.234e-6, "1.23 µJ"), (2e-3, "2 mJ"), (5e-13, "0.5 pJ"), (0.0, "0 pJ"), (None, "-")]
)
def test_joules_are_written_with_a_prefix(value, text):
    assert joules(value) == text
