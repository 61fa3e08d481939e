"""Memories of pairs, of rates and of spikes, and the simulation that compares them with attention."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from sklearn.base import clone
from torch.nn.functional import scaled_dot_product_attention

from bridges.comparison.energy import TABLE, breakdown, spent
from plasticity.errors import WrongUse
from plasticity.learners import RateMemory, SpikingMemory
from plasticity.parallel import trials_generator
from plasticity.records import Record
from plasticity.rules import pair_stdp, triplet_stdp
from plasticity.tasks import AssociativeRecall
from simulations.frame.execute import RECORD, execute
from simulations.frame.recall import recall_task
from simulations.hebbian_attention import HebbianAttention


def trials(pairs: int, dimension: int = 32, test: int = 300, queries: int = 1, seed: int = 0):
    task = AssociativeRecall(
        pairs=pairs, dimension=dimension, queries=queries, train=10 * queries, validation=10 * queries, test=test
    )
    return task.draw(np.random.default_rng(seed)).test


def errors(memory, shown) -> np.ndarray:
    """Squared error of each recall; a value has length 1."""
    return ((memory.recall(shown.X) - np.eye(shown.classes)[shown.y]) ** 2).sum(axis=1)


def unit_keys(shown, dimension: int = 32) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    signs = (2 * shown.stimulus[:, :, :dimension] - 1) / np.sqrt(dimension)
    return signs[:, :-1], shown.stimulus[:, :-1, dimension:], signs[:, -1]


def test_hebbian_recall_is_the_product_with_a_sum_of_outer_products():
    shown = trials(6)
    keys, values, query = unit_keys(shown)
    expected = [
        sum(np.outer(v, k) for v, k in zip(vs, ks, strict=True)) @ q for ks, vs, q in zip(keys, values, query, strict=True)
    ]
    found = RateMemory("hebb", streams=7).fit(shown.X, shown.y).recall(shown.X)
    np.testing.assert_allclose(found, expected, atol=1e-12)  # float64 in another order of summation


def test_delta_recall_is_the_product_with_weights_written_pair_after_pair():
    shown = trials(6)
    keys, values, query = unit_keys(shown)
    expected = []
    for ks, vs, q in zip(keys, values, query, strict=True):
        weights = np.zeros((vs.shape[1], ks.shape[1]))
        for k, v in zip(ks, vs, strict=True):
            weights += np.outer(v - weights @ k, k)
        expected.append(weights @ q)
    found = RateMemory("delta", streams=7).fit(shown.X, shown.y).recall(shown.X)
    np.testing.assert_allclose(found, expected, atol=1e-12)  # float64 in another order of summation


def test_softmax_recall_is_scaled_dot_product_attention_on_the_signs():
    shown = trials(6)
    keys, values, query = (torch.from_numpy(part) for part in unit_keys(shown))
    root = np.sqrt(32)
    expected = scaled_dot_product_attention(root * query[:, None], root * keys, values)[:, 0]
    memory = RateMemory("softmax", streams=7).fit(shown.X, shown.y)
    np.testing.assert_allclose(memory.recall(shown.X), expected, atol=1e-12)  # float64 in another order of summation
    np.testing.assert_allclose(memory.attention_weights(shown.X).sum(axis=1), 1, atol=1e-12)


@pytest.mark.parametrize(("pairs", "dimension"), [(4, 16), (16, 32), (40, 64)])
def test_the_squared_error_of_superposed_random_keys_is_n_minus_1_over_d(pairs, dimension):
    shown = trials(pairs, dimension, test=2000)
    found = errors(RateMemory("hebb", streams=pairs + 1, dimension=dimension).fit(shown.X, shown.y), shown)
    # 4 standard errors; keys of one trial must differ, which at d = 16 takes away 1 in 65,536 of the law's terms
    assert abs(found.mean() - (pairs - 1) / dimension) < 4 * found.std() / np.sqrt(len(found))


def test_the_delta_rule_recalls_the_pair_written_last_exactly():
    shown = trials(6)
    last = shown.stimulus.copy()
    last[:, -1, :32] = last[:, -2, :32]
    again = dataclasses.replace(shown, stimulus=last, label=last[:, -2, 32:].argmax(axis=1))
    assert errors(RateMemory("delta", streams=7).fit(again.X, again.y), again).max() < 1e-24  # rounding, squared
    assert errors(RateMemory("hebb", streams=7).fit(again.X, again.y), again).min() > 0  # the sum is disturbed by the others


@pytest.mark.full
def test_pairs_of_the_same_value_share_the_spikes_of_a_query():
    shown = trials(64, 64, test=400, queries=4)
    memory = SpikingMemory(streams=65, dimension=64).fit(shown.X, shown.y)
    rates = RateMemory("hebb", streams=65, dimension=64).fit(shown.X, shown.y)
    added = ((memory.recall(shown.X) - rates.recall(shown.X)) ** 2).sum(axis=1).reshape(100, 4).mean(axis=1)
    expected = memory.expected_error(64) - 63 / 64
    error = added.std() / np.sqrt(len(added))
    assert abs(added.mean() - expected) < 4 * error  # 100 memories, 4 standard errors
    c_w, c_n = memory.weight_noise_, memory.count_noise_
    assert added.mean() - (c_w + c_n + c_w * c_n) > 4 * error  # what each pair would add by itself is not enough


@pytest.mark.full
@pytest.mark.parametrize(("pairs", "dimension"), [(1, 32), (8, 32), (16, 64)])
def test_a_spiking_memory_follows_the_law_with_the_noise_that_its_spikes_add(pairs, dimension):
    shown = trials(pairs, dimension)
    memory = SpikingMemory(streams=pairs + 1, dimension=dimension, random_state=3).fit(shown.X, shown.y)
    found = errors(memory, shown)
    assert abs(found.mean() - memory.expected_error(pairs)) < 4 * found.std() / np.sqrt(len(found))  # 4 standard errors
    match = memory.recall(shown.X)[np.arange(len(shown)), shown.y]
    assert abs(match.mean() - 1) < 4 * match.std() / np.sqrt(len(match)) + 0.5 / memory.unit  # a perfect match counts as one


def test_many_short_keys_are_drawn_in_the_end_and_each_pattern_as_often():
    keys = trials(64, 7, test=800).stimulus[:, :-1, :7]  # half of all patterns: whole memories would never differ by chance
    seen = (keys @ 2 ** np.arange(7)).astype(int)
    assert all(len(set(row)) == 64 for row in seen)
    often = np.bincount(seen.ravel(), minlength=128)  # binomial of 800 and 1/2
    assert abs(often - 400).max() < 5 * np.sqrt(800 / 4)


@pytest.mark.full
def test_the_noise_of_spikes_is_not_told_where_weights_reach_their_bound():
    shown = trials(4, test=10)
    memory = SpikingMemory(streams=5).fit(shown.X, shown.y)
    error = memory.expected_error([8, 500, 700])
    np.testing.assert_array_equal(SpikingMemory().expected_error([8, 500, 700], 10), error)  # nothing has to be compiled for it
    assert np.isfinite(error[:2]).all() and np.isnan(error[2])  # 700 pairs: .0175*700/20 = .61 at a synapse, of 1 at most


@pytest.mark.full
def test_a_key_that_was_never_stored_recalls_no_value():
    shown = trials(4)
    stranger = shown.stimulus.copy()
    stranger[:, -1, :32] = np.random.default_rng(5).integers(2, size=(300, 32))
    control = dataclasses.replace(shown, stimulus=stranger)
    right = np.mean(SpikingMemory(streams=5).fit(control.X, control.y).predict(control.X) == control.y)
    # the values of 4 pairs come up by chance more often than the other 6: at most 1/4 and 4 binomial standard errors
    assert right < 0.25 + 4 * np.sqrt(0.25 * 0.75 / 300)
    assert SpikingMemory(streams=5).fit(shown.X, shown.y).score(shown.X, shown.y) > 0.95


def test_pairs_are_stored_once_for_all_queries_and_recall_leaves_the_weights_alone():
    several, single = trials(4, test=40, queries=4), trials(4, test=40)
    memory = SpikingMemory(streams=5).fit(several.X, several.y)
    memory.recall(several.X)
    together = memory.activity_["decision"]
    memory.recall(single.X)
    assert 40 * together["steps"] == 10 * 1000 * (4 * 0.05 + 4 * 0.2)  # ten memories of four pairs and four queries
    assert memory.activity_["decision"]["steps"] == 1000 * (4 * 0.05 + 0.2)
    first, all_four = several.take(slice(0, 1)), several.take(slice(0, 4))
    memory.recall(first.X)
    weights = memory.weights_
    memory.recall(all_four.X)
    np.testing.assert_array_equal(memory.weights_, weights)  # the same spikes while storing, three recalls more
    on = np.flatnonzero(first.stimulus[0, 0, :32])
    value = first.stimulus[0, 0, 32:].argmax()
    alone = [k for k in range(1, 4) if first.stimulus[0, k, 32 + value] == 0]
    if len(alone) == 3:  # of a value that no other pair has, cells that were silent have not learnt
        off = np.setdiff1d(np.arange(32), on)
        assert (weights[off, value] == 0).all() and (weights[on, value] > 0).mean() > 0.9


def test_the_same_seed_recalls_the_same_to_the_bit_and_another_seed_something_else():
    shown = trials(4, test=50)
    memory = SpikingMemory(streams=5, random_state=1).fit(shown.X, shown.y)
    np.testing.assert_array_equal(memory.recall(shown.X), clone(memory).fit(shown.X, shown.y).recall(shown.X))
    assert (memory.recall(shown.X) != memory.set_params(random_state=2).recall(shown.X)).any()


def test_a_recall_is_counted_by_its_spikes_and_storing_by_the_weights_that_it_changes():
    shown = trials(6, test=100, queries=2)  # 50 memories
    memory = SpikingMemory(streams=7).fit(shown.X, shown.y)
    assert not hasattr(memory, "activity_")
    recalled = memory.recall(shown.X)
    told = memory.activity_["decision"]
    cells = 4 * 32  # half of them on, at 100 Hz, for 50 ms a pair and 200 ms a query
    expected = cells / 2 * 100 * (6 * 0.05 / 2 + 0.2)
    assert abs(told["spikes"]["keys"] - expected) < 5 * np.sqrt(expected / 100)  # 5 standard errors of a Poisson number
    assert told["spikes"]["teacher"] == 6 / 2 and told["weight_updates"] == 6 / 2 * cells  # what comes late changes nothing
    assert told["weights_scaled"] == cells * 10 / 2 and told["steps"] == 6 * 50 / 2 + 200
    answers = (recalled * memory.unit + memory.baseline).sum() / 100
    assert told["spikes"]["value"] == pytest.approx(answers + 6 / 2)  # and one for each pair, while it is stored
    asked = (told["synaptic_operations"] - 6 / 2) / 10  # spikes of key cells that reach 10 value neurons
    assert abs(asked - cells / 2 * 100 * 0.2) < 5 * np.sqrt(cells / 2 * 100 * 0.2 / 100)
    cost = memory.costs()
    assert spent(cost, "training") == 0 and cost.spikes == sum(told["spikes"].values())
    # each key spike that arrives: an addition, a weight and a potential read, a potential written; nothing but spikes: as bound
    bound = breakdown(cost, event_driven=True)["synapses"] / (TABLE.add_pj * 1e-12)
    assert bound == pytest.approx(told["synaptic_operations"])


def test_a_run_holds_as_many_memories_as_fit_and_the_rest_comes_in_the_next(monkeypatch):
    shown = trials(4, test=40, queries=4)
    memory = SpikingMemory(streams=5).fit(shown.X, shown.y)
    runs: list[int] = []
    monkeypatch.setattr(memory, "_play", lambda tape, *_: runs.append(len(tape["stored"])) or np.zeros((counted(tape), 10)))

    def counted(tape) -> int:
        return int(tape["recall"].sum()) // 4

    for slots, wanted in ((4000, [200]), (60, [60, 60, 60, 20]), (20, [20] * 10), (12, [12] * 20)):
        runs.clear()
        memory._spec = dataclasses.replace(memory._spec, slots=slots)
        memory.recall(shown.X)
        assert runs == wanted  # 4 slots to store 4 pairs, 4 for each query; 12 slots: two queries at a time, stored again
    memory._spec = dataclasses.replace(memory._spec, slots=7)
    with pytest.raises(WrongUse, match="at most 3 pairs"):
        memory.recall(shown.X)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rule": triplet_stdp, "recall_ms": 70}, "multiple of 50"),
        ({"rule": pair_stdp(A_plus=0.0, A_minus=0.0)}, "leaves no weight"),
        ({"rule": "oja"}, "no closed form for pairs of spikes; known to fit: diehl_cook, pair_stdp, triplet_stdp"),
        ({"rule": "hebb"}, "the rule hebb has a parameter tau, .*; known to fit: diehl_cook, pair_stdp, triplet_stdp"),
        ({"max_rate_hz": 1e6}, r"max_rate_hz=1e\+06 is more than one spike in each time step of 1 ms; give at most 1000"),
        ({"encoder": "morse"}, "Known: "),
        ({"unit": 0}, "unit=0 must be finite and above 0"),
        ({"streams": 1}, "streams=1 is outside 2 to 1001"),
        ({"dimension": 41}, "at least two values must follow"),
    ],
)
def test_what_a_memory_cannot_be_is_refused_with_what_to_do(changes, message):
    shown = trials(4, test=10)
    with pytest.raises(WrongUse, match=message):
        SpikingMemory(**{"streams": 5, **changes}).fit(shown.X, shown.y)


def test_trials_that_are_no_pairs_are_refused():
    shown = trials(4, test=10)
    memory = RateMemory(streams=5)
    with pytest.raises(WrongUse, match="0 and 1"):
        memory.fit(shown.X * 0.5 + (np.arange(shown.X.shape[1]) >= 5 * 42) * 0.5 * shown.X, shown.y)
    with pytest.raises(WrongUse, match="last, cued stream"):
        memory.fit(dataclasses.replace(shown, cue=shown.cue - 1).X, shown.y)
    with pytest.raises(WrongUse, match="one-hot"):
        empty = shown.stimulus.copy()
        empty[3, 0, 32:] = 0
        memory.fit(dataclasses.replace(shown, stimulus=empty).X, shown.y)
    with pytest.raises(WrongUse, match="one label for each"):
        memory.fit(shown.X, shown.y[:-1])
    with pytest.raises(WrongUse, match="Known: delta, hebb, softmax"):
        RateMemory("oja", streams=5).fit(shown.X, shown.y)


def test_memories_and_trained_models_meet_the_same_test_trials(tmp_path):
    simulation = HebbianAttention(
        pairs=(1, 4), dimensions=(32,), memories=10, trained=("softmax_attention",), trained_pairs=(4,), train=40
    )
    summary = execute(simulation, tmp_path / "run", [0, 1], jobs=1)
    rows = {(row["learner"], row["pairs"]): row for row in summary["numbers"]["results"]}
    assert len(rows) == 4 * 2 + 1
    assert rows["hebb_memory", 1]["error"]["mean"] < 1e-24 and rows["hebb_memory", 4]["law"] == 3 / 32
    task = recall_task(4, 32, simulation.values, simulation.queries, simulation.memories, simulation.train)
    shown = [task.draw(trials_generator(seed)).test for seed in (0, 1)]
    by_hand = [errors(RateMemory("hebb", streams=5).fit(one.X, one.y), one).mean() for one in shown]
    assert rows["hebb_memory", 4]["error"]["mean"] == pytest.approx(np.mean(by_hand), rel=1e-12)
    record = Record.load(tmp_path / "run" / "records" / RECORD)
    ((title, (columns, told)),) = HebbianAttention.tables(record.numbers).items()  # what a run prints
    assert "keys of length 32" in title and columns == ["learner", "n = 1", "n = 4"]
    assert told[-1][0] == "softmax_attention, trained" and told[-1][1] == ""
    assert told[1][2].startswith(f"{100 * rows['hebb_memory', 4]['accuracy']['mean']:.1f}")
    assert record.arrays["trained"].shape == (1, 1, 2) and record.arrays["map_trained"].shape == (8, 8)
    assert {path.stem for path in (tmp_path / "run" / "figures").glob("*.png")} == {"accuracy", "error", "maps"}
    shuffled = dataclasses.replace(task, train=4 * task.train).draw(trials_generator(0)).test
    np.testing.assert_array_equal(shuffled.stimulus, shown[0].stimulus)  # more training trials, the same test trials


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"trained": ("nonsense",)}, "unknown learner 'nonsense'"),
        ({"trained": ("spiking_gated",)}, "no model trained by gradient"),
        ({"pairs": (200,), "dimensions": (8,)}, "more than half of those that there are"),
    ],
)
def test_a_simulation_that_could_not_end_does_not_begin(tmp_path, changes, message):
    with pytest.raises(WrongUse, match=message):
        execute(HebbianAttention(**changes), tmp_path / "run", [0], jobs=1)
