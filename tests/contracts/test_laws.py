"""Every structural law, under every rule: what lives and what is silent, draws by a key, both targets, runs that go on."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest
from brian2 import (
    BrianObjectException,
    Hz,
    Network,
    NeuronGroup,
    SpikeGeneratorGroup,
    SpikeMonitor,
    defaultclock,
    ms,
    second,
    seed,
    start_scope,
)

from plasticity.engine import compiler
from plasticity.errors import WrongUse
from plasticity.networks import network
from plasticity.rules import RULES, Eligibility, Landing, ShortTerm, pair_stdp
from plasticity.structure import LAWS, Law, Structure, contacts, deep_r, growth_curves, record
from plasticity.structure.growth_curves import CURVE, growth
from plasticity.structure.settle import settle, uniform

SOURCES, TARGETS = 12, 6
LIVELY = {
    "contacts": {"creation": 2 * Hz, "deletion": 6 * Hz}, "deep_r": {"decay": 2 * Hz, "temperature": 0 * Hz},
    "new_neurons": {"w_new": 0.0},  # or their first weights are drawn, by each target in its own way
    "critical_period": {"creation": 2 * Hz, "onset": 0.4 * second, "share": 0.1, "until": 0.8 * second},
}  # fmt: skip
THERE = "there = int((int(t/(100*ms) + 0.5) + i) % 4 < 2)"  # neurons that come and go
every_law = pytest.mark.parametrize("name", LAWS)


def few(names: Iterable[str], *quick: str) -> Any:
    """All of them, most in the full tests alone."""
    return [name if name in quick else pytest.param(name, marks=pytest.mark.full) for name in names]


some_laws = pytest.mark.parametrize("name", few(LAWS, "contacts", "growth_curves"))


def law_of(name: str) -> Law:
    """With numbers by which something happens in a second."""
    return LAWS[name](**LIVELY.get(name, {}))


@pytest.fixture(autouse=True)
def coarse_steps():
    before, defaultclock.dt = defaultclock.dt, 0.5 * ms
    yield
    defaultclock.dt = before


class Pool:
    """Inputs with given spikes, neurons, and a pool of all pairs of them."""

    def __init__(
        self, law: Law, rule: Any = pair_stdp, key: int = 3, structure: bool = True, chosen: Any = None, times: Any = None,
        every: Any = 100 * ms, **settings: Any,
    ) -> None:  # fmt: skip
        start_scope()
        rng = np.random.default_rng(0)
        number = rng.integers(SOURCES, size=300)
        at = (1 + 3 * np.arange(300)) * ms if times is None else times
        self.source = SpikeGeneratorGroup(SOURCES, number[: len(at)], at)
        if law.elements:
            self.fed, self.source = (
                self.source,
                NeuronGroup(SOURCES, "axon : 1\nfire : 1", threshold="fire > 0", reset="fire = 0"),
            )
            self.source.axon = "2 + 0.3*i"
        self.target = NeuronGroup(
            TARGETS,
            "dv/dt = -v/(10*ms) : 1\ndendrite : 1\nreward : 1\nthere : 1",
            threshold="v > 0.8",
            reset="v = 0",
            method="exact",
        )
        self.target.run_regularly(THERE, dt=100 * ms, when="start", order=-40)
        self.target.dendrite, self.target.reward = "2 + i", 0.5
        given = {"structure": Structure(law, every=every)} if structure else {}
        self.synapses = rule.synapses(self.source, self.target, transmit="v_post += w", **{**given, **settings})
        self.alive = np.arange(SOURCES * TARGETS) % 3 > 0 if chosen is None else chosen
        if structure:
            self.synapses.connect()
            self.synapses.alive = self.alive
            self.synapses.structure.key = key
            self.synapses.w = 0.2 + 0.005 * np.arange(SOURCES * TARGETS)
        else:
            where = np.flatnonzero(self.alive)
            self.synapses.connect(i=where // TARGETS, j=where % TARGETS)
            self.synapses.w = 0.2 + 0.005 * where
        self.fired = SpikeMonitor(self.target)
        self.network = Network(self.source, self.target, self.synapses, self.fired)
        if law.elements:
            self.network.add(self.fed)

    def run(self, duration: Any) -> Pool:
        seed(1)
        self.network.run(duration, namespace={})
        return self

    def structure(self) -> dict[str, np.ndarray]:
        cell, synapses = self.synapses.structure, self.synapses
        told = {name: np.array(cell.variables[name].get_value()) for name in ("updates", "log_update", "log_synapse")}
        return told | {"alive": np.array(synapses.alive[:]), "w": np.array(synapses.w[:])}


def same(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> bool:
    return all(np.array_equal(one[name], other[name]) for name in one)


@every_law
def test_the_record_tells_who_lives_and_nobody_lives_outside_of_the_pool(name):
    pool = Pool(law_of(name)).run(950 * ms)
    told, alive = pool.structure(), pool.alive.copy()
    assert told["updates"][0] == 10 and len(told["log_synapse"]) > 3  # at 0, where nothing happens, and at nine multiples
    assert len(alive) == len(told["alive"]) == SOURCES * TARGETS
    for update, event in zip(told["log_update"], told["log_synapse"], strict=True):
        assert 1 <= update <= 9 and 1 <= abs(event) <= len(alive)
        if event > 0:
            assert not alive[event - 1]
        else:
            assert alive[-event - 1]
        alive[abs(event) - 1] = event > 0
    np.testing.assert_array_equal(alive, told["alive"])


@some_laws
def test_one_key_gives_one_structure_and_another_key_another_one(name):
    one, again, other = (Pool(law_of(name), key=key).run(950 * ms).structure() for key in (3, 3, 4))
    assert same(one, again)
    drawn = (law_of(name).kept or law_of(name).grows or law_of(name).elements) and name != "new_neurons"  # its neurons draw
    assert np.array_equal(one["log_synapse"], other["log_synapse"]) != bool(drawn)


@some_laws
def test_a_run_that_goes_on_is_that_of_one_piece(name):
    whole = Pool(law_of(name)).run(950 * ms).structure()
    pieces = Pool(law_of(name))
    for part in (330 * ms, 170 * ms, 450 * ms):  # the second ends where an update is due
        pieces.run(part)
    assert same(whole, pieces.structure())


def test_a_critical_period_grows_until_its_onset_prunes_the_weakest_until_its_end_and_then_rests():
    told = Pool(law_of("critical_period")).run(1450 * ms).structure()
    born, died = (sorted({*told["log_update"][told["log_synapse"] * sign > 0]}) for sign in (1, -1))
    assert born == [1, 2, 3] and died == [4, 5, 6, 7]  # at .1 to .3 s, and at .4 to .7 s


@pytest.mark.parametrize("name", [name for name, law in LAWS.items() if law.kept])
def test_the_number_alive_is_kept_at_each_update(name):
    pool = Pool(law_of(name)).run(950 * ms)
    told = pool.structure()
    for update in range(1, 10):
        events = told["log_synapse"][told["log_update"] == update]
        assert (events > 0).sum() == (events < 0).sum() > 0
    assert told["alive"].sum() == pool.alive.sum()


SPIKING = [name for name, rule in RULES.items() if not rule.needs]
NEVER = Law("never", "nothing happens in a run", "test", dies="0", grows="0")
VARIANTS = {
    "bounds": {}, "soft": {"landing": Landing(mu=0.5)}, "delay": {"delay": 2.5 * ms}, "gate": {"gate": "reward_post"},
    "eligibility": {"landing": Landing(eligibility=Eligibility("reward_post"))},
    "short_term": {"short_term": ShortTerm(), "transmit": "v_post += w*released"},
}  # fmt: skip


@pytest.mark.parametrize("rule", few(SPIKING, "pair_stdp", "calcium"))
def test_the_living_learn_and_transmit_as_if_they_were_all_there_is_and_the_silent_stay_as_they_are_to_the_bit(rule):
    pool = Pool(NEVER, RULES[rule]).run(900 * ms)
    w = pool.synapses.w[:]
    if not RULES[rule].noise:  # a pool draws other noise than its living synapses would
        alone = Pool(NEVER, RULES[rule], structure=False).run(900 * ms)
        assert alone.fired.count[:].sum() > 5
        np.testing.assert_array_equal(pool.fired.t, alone.fired.t)
        np.testing.assert_array_equal(pool.fired.i, alone.fired.i)
        np.testing.assert_array_equal(w[pool.alive], alone.synapses.w[:])
    np.testing.assert_array_equal(w[~pool.alive], (0.2 + 0.005 * np.arange(len(w)))[~pool.alive])


@pytest.mark.parametrize("variant", few(VARIANTS, "delay", "eligibility"))
def test_the_same_beside_every_landing(variant):
    given = dict(VARIANTS[variant])
    transmit = given.pop("transmit", None)
    rule = pair_stdp
    if transmit:

        def synapses(source, target, transmit, **settings):
            return pair_stdp.synapses(source, target, transmit="v_post += w*released", **settings)

        rule = type("WithRelease", (), {"synapses": staticmethod(synapses)})
    alone, pool = (Pool(NEVER, rule, structure=there, **given).run(900 * ms) for there in (False, True))
    np.testing.assert_array_equal(pool.fired.t, alone.fired.t)
    w = pool.synapses.w[:]
    np.testing.assert_array_equal(w[pool.alive], alone.synapses.w[:])
    np.testing.assert_array_equal(w[~pool.alive], (0.2 + 0.005 * np.arange(len(w)))[~pool.alive])


def test_a_drift_moves_no_silent_weight():
    fading = type(pair_stdp)(
        name="fading", summary="a weight that fades", source="test", parameters={"rate": 1 * Hz}, meaning={"rate": "of fading"},
        drift="dw = -rate*w",
    )  # fmt: skip
    pool = Pool(NEVER, fading).run(300 * ms)
    w, first = pool.synapses.w[:], 0.2 + 0.005 * np.arange(SOURCES * TARGETS)
    np.testing.assert_array_equal(w[~pool.alive], first[~pool.alive])
    assert (w[pool.alive] < 0.8 * first[pool.alive]).all()


def test_what_is_on_its_way_to_a_synapse_that_dies_is_lost_and_one_that_comes_alive_begins_with_no_trace():
    dying = Law("dying", "all die at the first update", "test", dies="1")
    chosen = np.ones(SOURCES * TARGETS, dtype=bool)
    early = Pool(dying, chosen=chosen, times=[99 * ms], delay=3 * ms).run(150 * ms)
    late = Pool(NEVER, chosen=chosen, times=[99 * ms], delay=3 * ms).run(150 * ms)
    assert early.target.v[:].max() == 0 < late.target.v[:].max()  # it would have arrived at 102 ms
    coming = Law("coming", "all come alive at each update", "test", parameters={"w_new": 0.25}, grows="1", born="w = w_new")
    pool = Pool(coming, chosen=~chosen, times=[50 * ms]).run(101 * ms)
    np.testing.assert_array_equal(pool.synapses.w[:], 0.25)
    np.testing.assert_array_equal(pool.synapses.pre_trace[:], 0)
    assert pool.synapses.alive[:].all()


def test_another_time_step_has_the_same_structure():
    """Of a law that reads no weight, whose updates come at the same times."""
    blind = Law("blind", "comes and goes", "test", dies="0.2", grows="0.1", born="w = 0.1")
    found = []
    for dt in (0.5 * ms, 0.1 * ms):
        defaultclock.dt = dt
        found.append(Pool(blind).run(950 * ms).structure())
    for name in ("updates", "log_update", "log_synapse", "alive"):
        np.testing.assert_array_equal(found[0][name], found[1][name])


@dataclasses.dataclass(frozen=True)
class Small(network.Network):
    """A pool as above, as a network of the engine."""

    law: str = "contacts"
    rule: str = "pair_stdp"
    rewarded: bool = False
    dt: Any = dataclasses.field(default_factory=lambda: 0.5 * ms)

    def build(self, net: network.Net) -> None:
        law = law_of(self.law)
        rng = np.random.default_rng(0)
        source = net.add(
            SpikeGeneratorGroup(SOURCES, rng.integers(SOURCES, size=300), (1 + 3 * np.arange(300)) * ms, name="source")
        )
        if law.elements:
            source = net.group("axons", SOURCES, "axon : 1\nfire : 1", threshold="fire > 0", reset="fire = 0")
            source.axon = "2 + 0.3*i"
        target = net.group(
            "target", TARGETS, "dv/dt = -v/(10*ms) : 1\ndendrite : 1\nthere : 1", threshold="v > 0.8", reset="v = 0",
            method="exact", namespace={"ms": ms},
        )  # fmt: skip
        target.run_regularly(THERE, dt=100 * ms, when="start", order=-40, name="target_there")
        target.dendrite = "2 + i"
        plastic = net.learn(
            RULES[self.rule], source, target, transmit="v_post += w", traces="synapse", delay=2.5 * ms,
            structure=Structure(law, every=100 * ms),
            landing=Landing(eligibility=Eligibility(signal="1")) if self.rewarded else Landing(),
        )  # fmt: skip
        cell = net.groups["plastic_structure"]
        net.inputs(w=plastic.w, alive=plastic.alive, key=cell.key, updates=cell.updates)
        net.outputs(w=plastic.w, alive=plastic.alive, updates=cell.updates, update=cell.log_update, synapse=cell.log_synapse)
        net.spikes("target", target, times=True)
        net.lasts(10 * second)


@pytest.mark.full
@pytest.mark.skipif(not compiler(), reason="needs a C++ compiler")
@every_law
def test_compiled_programs_and_numpy_agree_to_the_bit(name):
    size = SOURCES * TARGETS
    given = {"w": 0.2 + 0.005 * np.arange(size), "alive": np.arange(size) % 3 > 0, "key": 3}
    compiled, numpy = (Small(name).program(compiled=how).run(1, given, duration=0.95 * second) for how in (True, False))
    assert len(compiled["synapse"]) > 3
    for output in ("alive", "updates", "update", "synapse", "target_t", "target_i"):
        np.testing.assert_array_equal(compiled[output], numpy[output], err_msg=output)
    np.testing.assert_allclose(compiled["w"], numpy["w"], rtol=0, atol=1e-13)
    again = Small(name).program().run(1, given, duration=0.95 * second)
    for output, found in compiled.items():
        np.testing.assert_array_equal(again[output], found, err_msg=output)
    first = Small(name).program().run(1, given, duration=0.5 * second)  # the next update is due where this one ends
    assert first["updates"][0] == 5


@pytest.mark.full
@pytest.mark.skipif(not compiler(), reason="needs a C++ compiler")
@pytest.mark.parametrize(("rule", "rewarded"), [("heterosynaptic", False), ("pair_stdp", True)])
def test_what_goes_on_all_the_time_goes_on_in_the_living_alone_and_in_them_as_ever(rule, rewarded):
    size = SOURCES * TARGETS
    given = {"w": 0.2 + 0.005 * np.arange(size), "alive": np.arange(size) % 3 > 0, "key": 3}
    program = Small("contacts", rule, rewarded).program()
    compiled = program.run(1, given, duration=0.95 * second)
    numpy = Small("contacts", rule, rewarded).program(compiled=False).run(1, given, duration=0.95 * second)
    np.testing.assert_array_equal(compiled["synapse"], numpy["synapse"])
    np.testing.assert_allclose(compiled["w"], numpy["w"], rtol=0, atol=1e-12)
    assert (compiled["w"][compiled["alive"] > 0] != given["w"][compiled["alive"] > 0]).any()


def test_a_first_weight_lies_within_the_bounds():
    pool = Pool(law_of("contacts")(w_new=5.0), landing=Landing(0, 0.7)).run(950 * ms).structure()
    born = pool["log_synapse"][pool["log_synapse"] > 0] - 1
    assert len(born) and pool["w"].max() <= 0.7 and (pool["w"][born] == 0.7).any()


# The update itself


def shuffled(size: int = 4000, seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {"alive": rng.random(size) < 0.4, "pre": rng.integers(40, size=size), "post": rng.integers(30, size=size)}


def test_draws_are_uniform_and_those_of_other_updates_keys_and_streams_are_others():
    from scipy.stats import kstest

    index = np.arange(20000)
    one = uniform(1, 1, index, "dies")
    assert kstest(one, "uniform").pvalue > 1e-3 and 0 < one.min() and one.max() < 1
    for other in (uniform(2, 1, index, "dies"), uniform(1, 2, index, "dies"), uniform(1, 1, index, "grows")):
        assert abs(np.corrcoef(one, other)[0, 1]) < 0.03


def test_the_share_that_dies_or_comes_alive_is_what_the_law_says():
    pool = shuffled()
    law = {"law_dies": np.where(pool["pre"] < 20, 0.1, 0.5), "law_grows": np.full(4000, 0.25)}
    found = settle(pool["alive"], law, pool["pre"], pool["post"], False, 0, 1)
    for part, share in ((pool["pre"] < 20, 0.1), (pool["pre"] >= 20, 0.5)):
        there = (pool["alive"] & part).sum()
        dead = np.isin(np.flatnonzero(pool["alive"] & part), found.died).sum()
        assert abs(dead - share * there) < 4 * np.sqrt(share * (1 - share) * there)
    silent = (~pool["alive"]).sum()
    assert abs(len(found.born) - 0.25 * silent) < 4 * np.sqrt(0.25 * 0.75 * silent)


def test_the_weakest_die_and_the_drawn_follow_their_weights():
    pool = shuffled()
    rank = np.random.default_rng(1).random(4000)
    weight = np.where(pool["post"] < 15, 3.0, 1.0)
    law = {"law_rank": rank, "law_share": np.array([0.3]), "law_grows": weight}
    found = settle(pool["alive"], law, pool["pre"], pool["post"], True, 0, 1)
    living = np.flatnonzero(pool["alive"])
    assert len(found.died) == int(0.3 * len(living)) == len(found.born)
    assert rank[found.died].max() <= np.sort(rank[living])[len(found.died)]
    candidates = np.setdiff1d(np.arange(4000), np.setdiff1d(living, found.died))
    heavy = (pool["post"][candidates] < 15).mean()
    expected = 3 * heavy / (3 * heavy + 1 - heavy)
    assert abs((pool["post"][found.born] < 15).mean() - expected) < 4 * np.sqrt(expected * (1 - expected) / len(found.born))


def test_elements_bound_the_synapses_of_either_side_and_free_ones_are_paired():
    pre, post = np.repeat(np.arange(20), 20), np.tile(np.arange(20), 20)
    rng = np.random.default_rng(0)
    axons, dendrites = rng.uniform(0, 8, 20), rng.uniform(0, 8, 20)
    alive, law = rng.random(400) < 0.5, {"law_axons": axons[pre], "law_dendrites": dendrites[post], "law_grows": np.ones(400)}
    for update in range(1, 60):
        found = settle(alive, law, pre, post, False, 0, update)
        alive[found.died], alive[found.born] = False, True
        out, into = np.bincount(pre[alive], minlength=20), np.bincount(post[alive], minlength=20)
        assert (out <= np.floor(axons)).all() and (into <= np.floor(dendrites)).all()
    free = np.floor(axons).sum() - out.sum(), np.floor(dendrites).sum() - into.sum()
    open_pairs = (out < np.floor(axons))[pre] & (into < np.floor(dendrites))[post] & ~alive
    assert min(free) < 5 and not (min(free) > 0 and open_pairs.sum() > 20)


def test_who_is_too_many_dies_and_who_is_free_is_paired_by_lot():
    """Over many keys every one of equal candidates has the same share; axons and dendrites are drawn apart."""
    pre, post = np.repeat(np.arange(6), 6), np.tile(np.arange(6), 6)
    full = {"law_axons": np.full(36, 3.0), "law_dendrites": np.full(36, 6.0), "law_grows": np.ones(36)}
    died, born = np.zeros(36), np.zeros(36)
    for key in range(400):
        died[settle(np.ones(36, dtype=bool), full, pre, post, False, key, 1).died] += 1
        born[settle(np.zeros(36, dtype=bool), {**full, "law_dendrites": np.full(36, 3.0)}, pre, post, False, key, 1).born] += 1
    assert np.abs(died / 400 - 0.5).max() < 4 * 0.5 / 20  # 3 of 6 of each axon
    share = born.sum() / 400 / 36
    assert np.abs(born / 400 - share).max() < 4.5 * np.sqrt(share * (1 - share)) / 20 and 0.3 < share < 0.5


@pytest.mark.parametrize("eta", [0.0, -0.2, 0.3])
def test_the_curve_that_networks_follow_is_the_growth_curve(eta):
    start_scope()
    group = NeuronGroup(6, "Ca : 1\neps : 1\neta : 1 (shared)\ng : 1")
    group.eta = eta
    group.Ca, group.eps = [0, 0.05, 0.1, 0.2, 0.3, 0.025], [0.2, 0.2, 0.2, 0.2, 0.2, 0.05]
    group.g = CURVE
    for k in range(6):
        eps = float(group.eps[k])
        np.testing.assert_allclose(group.g[k], growth([group.Ca[k]], 1.0, eta * eps, eps), rtol=0, atol=1e-12)


def test_a_key_may_be_negative_and_a_pool_is_connected_once():
    one, other = (Pool(law_of("contacts"), key=key).run(450 * ms) for key in (-1, 1))
    assert not same(one.structure(), other.structure())
    with pytest.raises(WrongUse, match="is connected once"):
        one.synapses.connect()


def test_a_growth_curve_is_0_at_both_ends_and_largest_in_the_middle():
    for eta in (0.0, 0.01, -0.01):
        assert growth([eta, 0.05], 1.0, eta, 0.05).tolist() == [0, 0]
    assert growth([0.025], 1e-4, 0.0, 0.05) == 1e-4 and growth([0.2], 1.0, 0.0, 0.05) < 0


# What is refused


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: Structure("contacts"), "must be a law; `plasticity list laws`"),
        (lambda: Structure(contacts, every=3), "every=3 must be a positive time"),
        (lambda: Structure(contacts, survival=0), "survival=0 must be Brian2 text or a number above 0"),
        (lambda: Structure(contacts, growth="-1"), "growth='-1' must be"),
        (lambda: contacts(speed=3), "has no parameter|parameter of contacts"),
        (lambda: contacts(creation=3), "creation=3 must be one number like"),
        (lambda: contacts(creation=-1 * Hz), "it needs creation >= 0"),
        (lambda: deep_r(temperature=-1 * Hz), "it needs decay >= 0 and temperature >= 0"),
        (lambda: Law("none", "nothing", "test"), "lets nothing die or grow"),
        (lambda: Law("both", "x", "test", dies="1", elements=("a_pre", "b_post")), "has elements"),
        (lambda: Law("full", "x", "test", kept=True, grows="1"), "lets none die"),
        (lambda: Law("w", "x", "test", parameters={"w": 1.0}, dies="1"), "variable of every pool"),
        (lambda: growth([0.1], 1.0, 0.2, 0.1), "needs eta < eps and eps > 0, not eta=0.2"),
        (lambda: Pool(NEVER, structure=False).synapses and pair_stdp.synapses(*groups(), structure=3), "must be a Structure"),
        (
            lambda: pair_stdp.synapses(*groups(), structure=Structure(growth_curves)),
            "needs the variable '(axon|dendrite)' of the (source|target)",
        ),
        (lambda: pair_stdp.synapses(*groups(), structure=Structure(deep_r, survival="charm_post")), "needs the variable 'charm'"),
        (
            lambda: pair_stdp.synapses(*groups(), structure=Structure(Law("t", "x", "test", dies="int(pre_trace < 0.1)"))),
            "reads pre_trace, which on a synapse has the value of its last spike",
        ),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(make, told):
    with pytest.raises(WrongUse, match=told):
        make()


@pytest.mark.parametrize(
    ("given", "regularly", "told"),
    [
        ({"at_event": {"kill": ("spike", "alive = alive and i > 3")}}, "", "sets `alive`, which only the law"),
        ({}, "alive = alive and i > 3", "sets `alive`, which only the law"),
        ({"every": 0.7 * ms}, "", "every=0.7 ms of its structure must be a multiple of the time step"),
        ({"every": 0.1 * ms}, "", "every=100. us of its structure must be a multiple of the time step"),
    ],
)
def test_what_cannot_be_in_a_run_is_refused_when_it_begins(given, regularly, told):
    pool = Pool(contacts, **given)
    if regularly:
        pool.synapses.run_regularly(regularly, dt=200 * ms)
    with pytest.raises(BrianObjectException) as found:
        pool.run(1 * ms)
    assert isinstance(found.value.__cause__, WrongUse) and re.search(told, str(found.value.__cause__))


def groups() -> tuple[NeuronGroup, NeuronGroup]:
    return tuple(NeuronGroup(2, "v : 1", threshold="v > 1", reset="v = 0") for _ in range(2))


def test_a_synapse_that_dies_and_comes_again_at_one_update_is_alive_once():
    alive, update, synapse = np.array([True, False]), np.array([1, 1, 2]), np.array([-1, 1, -1])
    np.testing.assert_array_equal(record.living(alive, update, synapse, 4)[:, 0], [True, True, False, False])
    age, over = record.lasting(update, synapse, 4)
    assert age.tolist() == [0, 1, 2] and over.tolist() == [True, True, False]


def test_what_the_record_tells_of_lives_is_what_a_loop_over_events_finds():
    rng = np.random.default_rng(3)
    alive, updates = rng.random(12) < 0.5, 40
    now, update, synapse, history = alive.copy(), [], [], []
    for k in range(updates):
        for s in np.flatnonzero(rng.random(12) < 0.1) if k else ():
            now[s] = not now[s]
            update.append(k)
            synapse.append(s + 1 if now[s] else -(s + 1))
        history.append(now.copy())
    events = np.array(update), np.array(synapse)
    np.testing.assert_array_equal(record.living(alive, *events, updates), history)
    age, over = record.lasting(*events, updates)
    for event, (k, s) in enumerate(zip(*events, strict=True)):
        later = [other for other, t in zip(*events, strict=True) if other > k and abs(t) == abs(s)]
        assert (age[event], over[event]) == ((later[0] if later else updates) - k, bool(later))
    np.testing.assert_allclose(
        record.left(np.array([2, 4, 4, 6]), np.array([1, 1, 0, 1], bool), np.array([1, 2, 5, 6])), [1, 0.75, 0.5, 0]
    )
    assert np.isnan(record.left(np.zeros(0), np.zeros(0, bool), np.arange(3))).all()
