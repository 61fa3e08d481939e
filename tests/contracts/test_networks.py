"""Every network: its C++ is what it was, every number that it declares can be set, it runs, and a pickle of it is itself."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import pickle
import textwrap
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import brian2
import numpy as np
import pytest
from brian2 import ms, second

from plasticity import memory, networks, rules
from plasticity.encoders import regular
from plasticity.engine import canonical, placeholders, programs
from plasticity.errors import WrongUse
from plasticity.networks import network as base
from plasticity.networks.associative_memory import AssociativeMemory
from plasticity.networks.attention_gated import AttentionGated
from plasticity.networks.augment import AugmentNetwork
from plasticity.networks.balanced import Balanced
from plasticity.networks.competition import Competition
from plasticity.networks.contacts import Contacts
from plasticity.networks.diehl_cook import DiehlCook
from plasticity.networks.distal_reward import DistalReward
from plasticity.networks.driven_neuron import DrivenNeuron
from plasticity.networks.growing import Growing
from plasticity.networks.intrinsic import Intrinsic
from plasticity.networks.item_association import ItemAssociation
from plasticity.networks.network import Network, build, run_time
from plasticity.networks.paired_synapses import PairedSynapses
from plasticity.networks.pattern_detector import PatternDetector
from plasticity.networks.poisson_pairs import PoissonPairs
from plasticity.networks.poisson_trains import poisson_trains
from plasticity.networks.rate_units import RateUnits
from plasticity.networks.reading import Reading
from plasticity.networks.reward_expectation import RewardExpectation
from plasticity.networks.scaled import Scaled
from plasticity.networks.two_groups import TwoGroups
from plasticity.networks.voltage_pairs import VoltagePairs
from plasticity.neurons import between_steps, lif_conductance
from plasticity.rules import Landing, Rule, pair_stdp, synaptic_scaling, triplet_stdp
from plasticity.structure import Structure, contacts, magnitude_pruning, new_neurons
from simulations import SIMULATIONS
from simulations.frame.execute import execute
from simulations.frame.sweep import sweep

NETWORKS: dict[str, Callable[[], Network]] = {
    "associative_memory": lambda: AssociativeMemory(128, 10),
    "attention_gated": lambda: AttentionGated(2, 8, (10,), 4),
    "attention_gated_deep": lambda: AttentionGated(1, 8, (10, 6), 4, record=True, fixed=True),
    "augment": lambda: AugmentNetwork(2, 4, 3, 3, 4, states=20, starts=10),
    "balanced": lambda: Balanced(800, 200, recorded_E=100, recorded_I=50),
    "competition": lambda: Competition(2, 64, 200),
    "competition_one_stream": lambda: Competition(1, 64, 200, block=100),
    "competition_apart": lambda: Competition(2, 16, 30, block=50, apart=True),
    "competition_pool": lambda: Competition(1, 16, 30, block=50, pool=Structure(magnitude_pruning)),
    "competition_turnover": lambda: Competition(1, 16, 30, block=50, pool=Structure(new_neurons)),
    "competition_triplet": lambda: Competition(2, 16, 30, rule=triplet_stdp, encoder=regular),
    "diehl_cook": lambda: DiehlCook(inputs=64, neurons=100, images=200, presentations=200),
    "diehl_cook_apart": lambda: DiehlCook(inputs=16, neurons=20, images=50, presentations=50, apart=True),
    "diehl_cook_trains": lambda: DiehlCook(inputs=16, neurons=20, images=50, presentations=50, trains=True, precision="double"),
    "reading": lambda: Reading(1, 12, (10,), 4),
    "reading_in_time": lambda: Reading(1, 12, (10,), 4, timed=True, gated=False),
    "item_association": lambda: ItemAssociation(20, slots=200),
    "distal_reward": lambda: DistalReward(80, 20, 10, seconds=60),
    "distal_reward_record": lambda: DistalReward(80, 20, 10, seconds=60, record=True),
    "driven_neuron": lambda: DrivenNeuron(inputs=100),
    "driven_neuron_ties": lambda: DrivenNeuron(inputs=100, ties="potentiate", trains=True),
    "intrinsic": lambda: Intrinsic(),
    "paired_synapses": lambda: PairedSynapses(rules.calcium, ((0.1, 0.2),), ((0.11, 0.21),), 5, 1.0),
    "pattern_detector": lambda: PatternDetector(inputs=100, stretch=15 * second, duration=45 * second),
    "pattern_detector_apart": lambda: PatternDetector(
        inputs=100, stretch=15 * second, duration=45 * second, simultaneous="apart"
    ),
    "growing": lambda: Growing(16, 4),
    "contacts": lambda: Contacts(8, 5),
    "poisson_pairs": lambda: PoissonPairs(pre=10, post=10),
    "poisson_pairs_trains": lambda: PoissonPairs(pre=10, post=10, trains=True, rule=triplet_stdp),
    "rate_units": lambda: RateUnits(rules.oja, inputs=6, units=3, copies=2, steps=100, sample=20),
    "rate_units_bcm": lambda: RateUnits(rules.bcm, inputs=4, steps=100),
    "reward_expectation": lambda: RewardExpectation(),
    "scaled": lambda: Scaled(),
    "scaled_recurrent": lambda: Scaled(recurrent=30, inputs=10),
    "scaled_recurrent_sum": lambda: Scaled(recurrent=30, inputs=10, rule=pair_stdp + synaptic_scaling),
    "two_groups": lambda: TwoGroups(60),
    "two_groups_soft": lambda: TwoGroups(60, landing=Landing(mu=0.1)),
    "two_groups_pool": lambda: TwoGroups(
        10, landing=Landing(mu=0.1), pool=Structure(contacts, growth="growth_pre", survival="survival_pre")
    ),
    "voltage_pairs": lambda: VoltagePairs(30, (12, 17), 1000),
}
ALL_TO_ALL = {"diehl_cook": {"plastic", "inhibit", "tell"}, "competition": {"plastic", "race"}, "associative_memory": {"plastic"}}
GOLDENS = Path(__file__).with_name("goldens.json")


def code(network: Network, folder: Path) -> tuple[str, dict]:
    """sha256 of the C++ of a network, and the manifest of its inputs and outputs."""
    manifest = programs._generate(build, network.structure(), folder)
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix in (".cpp", ".h") and "brianlib" not in path.parts:
            for part in (str(path.relative_to(folder)).encode(), path.read_bytes()):
                digest.update(part + b"\0")
    return digest.hexdigest(), manifest


def test_every_network_is_here():
    files = {path.stem for path in Path(networks.__file__).parent.glob("*.py")} - {"__init__", "network", "poisson_trains"}
    found = {type(make()).__module__.rpartition(".")[2] for make in NETWORKS.values()}
    assert found == files
    for file in files:
        own = vars(import_module(f"plasticity.networks.{file}")).values()
        classes = [c for c in own if isinstance(c, type) and issubclass(c, Network) and c.__module__.endswith(file)]
        assert len(classes) == 1, file  # a network a file


LONG = ("pattern_detector", "attention_gated", "reward_expectation", "diehl_cook_trains")  # to generate them takes seconds


@pytest.mark.parametrize("name", [pytest.param(name, marks=pytest.mark.full) if name in LONG else name for name in NETWORKS])
def test_the_generated_code_is_what_it_was_and_every_declared_number_is_an_input(name, tmp_path):
    known = json.loads(GOLDENS.read_text())
    network = NETWORKS[name]()
    found, manifest = code(network, tmp_path)
    assert set(network.values()) <= set(manifest["inputs"])
    assert all(np.isfinite(np.asarray(value, dtype=float)).all() for value in network.values().values())
    rewritten = manifest["rewritten"]
    assert [name for files in rewritten.values() for name, fits in files.items() if not fits] == []  # of any Brian2
    assert {"plain_steps", "wanted_arrays", "headers_once"} <= rewritten.keys()
    if name in ALL_TO_ALL:
        assert set(rewritten["all_to_all"]) == ALL_TO_ALL[name]
    if brian2.__version__ not in known:
        pytest.skip(f"the code of Brian2 {brian2.__version__} was not kept: {', '.join(known)}")
    assert found == known[brian2.__version__][name]


@pytest.mark.parametrize("name", NETWORKS)
def test_a_program_does_not_depend_on_run_time_numbers_but_its_values_do(name):
    network = NETWORKS[name]()
    for field in network.run_time_fields():
        owner = getattr(network, field)
        if isinstance(owner, Landing):
            continue
        fixed = {t.delay for t in getattr(owner, "traces", ())}
        key = next((k for k in owner.parameters if k not in fixed and k not in ("threshold", "rest", "reset")), "threshold")
        other = dataclasses.replace(network, **{field: owner(**{key: 1.5 * owner.parameters[key] + 0 * owner.parameters[key]})})
        assert canonical(other.structure()) == canonical(network.structure())
        if owner.parameters[key] != 0 and any(place[0] == field and place[2] == key for place in network.places().values()):
            assert repr(other.values()) != repr(network.values())
        changed = getattr(other, field)
        assert placeholders(changed).parameters != changed.parameters or not owner.parameters


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_travels_to_another_process_as_itself(name):
    network = NETWORKS[name]()
    again = pickle.loads(pickle.dumps(network))
    assert canonical(again) == canonical(network) and repr(again.values()) == repr(network.values())


def test_the_example_of_the_base_runs_as_it_is_written_and_what_is_not_given_is_what_build_made_it():
    lines = [line for line in base.__doc__.splitlines() if not line or line.startswith("    ")]
    text = textwrap.dedent("\n".join(lines)).replace("program()", "program(compiled=False)").replace("10 * second", "20 * ms")
    names = {
        **vars(base),
        "dataclass": dataclasses.dataclass,
        "pair_stdp": pair_stdp,
        "lif_conductance": lif_conductance,
        "between_steps": between_steps,
    }
    names |= {"poisson_trains": poisson_trains, "second": second, "ms": ms, "__name__": __name__}
    exec(text, names)
    assert names["found"]["w"].shape == (100,) and (names["found"]["w"] == 0.5).any()
    bare = names["OneNeuron"]().program(compiled=False).run(1, {"rate": 15.0}, duration=2 * ms)
    assert (bare["w"] == 0).all()


def test_a_network_that_never_says_how_long_it_runs_is_an_error_that_says_what_to_type():
    @dataclasses.dataclass(frozen=True)
    class Endless(Network):
        def build(self, net):
            net.group("cells", 1, "v : 1")

    with pytest.raises(WrongUse, match=r"net\.lasts"):
        build(Endless())


@dataclasses.dataclass(frozen=True)
class TwoRules(Network):
    """Two rules between the same groups."""

    first: Rule = run_time(pair_stdp, "a", "b", "one")
    second: Rule = run_time(pair_stdp(A_plus=0.02), "a", "b", "two")
    taken: str = ""

    def build(self, net):
        a, b = (net.group(name, 2, "v : 1", threshold="v > 1") for name in "ab")
        one = net.learn(self.first, a, b, name="one")
        net.learn(self.second, a, b, name="two")
        net.inputs({"w": one.w})
        if self.taken:
            net.inputs({self.taken: b.v})
        net.outputs(w=one.w)
        net.lasts(10 * ms)


def test_two_rules_share_a_group_only_where_they_agree():
    both = TwoRules()
    assert both.program(compiled=False).run(0, {"w": 0.5})["w"].shape == (4,)  # amplitudes are the synapses' own
    with pytest.raises(WrongUse, match="two rules of TwoRules have a tau_plus of their own in the group 'a'"):
        build(TwoRules(second=pair_stdp(tau_plus=5 * ms)))


@pytest.mark.parametrize("name", ["w", "one.A_plus"])
def test_an_input_has_a_name_of_its_own(name):
    with pytest.raises(WrongUse, match=f"two inputs called '{name}'"):
        build(TwoRules(taken=name))


@dataclasses.dataclass(frozen=True)
class AllToAll(Network):
    n: int
    wired: bool = False

    def build(self, net):
        inputs = poisson_trains(net, self.n, "inputs")
        cells = net.neurons("cells", lif_conductance, self.n, method="exponential_euler")
        if self.wired:
            net.wire("plastic", inputs, cells, "ge_post += 0.1", connect={"p": 0.5})
        else:
            net.learn(rules.pair_stdp, inputs, cells, transmit="ge_post += w", traces="synapse")
        net.lasts(second)


@pytest.mark.parametrize(
    ("n", "wired", "what"), [(10**6, False, "1e[+]12 syn"), (10**6, True, "5e[+]11 syn"), (10**13, False, "group")]
)
def test_a_network_that_memory_does_not_hold_is_refused_before_it_is_made(n, wired, what):
    with pytest.raises(WrongUse, match=f"{what}.* would take about .* GB of memory"):
        AllToAll(n, wired).program(compiled=False).run(seed=1)


DRAWN = (
    {}, {"p": 0.1}, {"n": 3}, {"condition": "i != j"}, {"condition": "i < j", "p": 0.5}, {"j": "i"}, {"i": [1, 2, 2], "j": 0},
    {"condition": "(i + j) % 3 == 0 and not i > 100"}, {"condition": "abs(i - j) < N_pre/10"}, {"j": "k for k in range(3)"},
    {"j": "k for k in range(i % 5)"}, {"j": "k for k in sample(N_post, p=0.1)"}, {"j": "k for k in sample(N_post, size=7)"},
)  # fmt: skip


@pytest.mark.parametrize("asked", DRAWN, ids=str)
def test_how_many_synapses_brian2_will_make_is_known_before(asked):
    brian2.prefs.codegen.target, before = "numpy", brian2.prefs.codegen.target
    try:
        made = brian2.Synapses(brian2.NeuronGroup(200, "v : 1"), brian2.NeuronGroup(300, "v : 1"))
        made.connect(**asked)
        assert memory.synapses_drawn(200, 300, **asked) == pytest.approx(len(made), rel=0.1)
    finally:
        brian2.prefs.codegen.target = before


def test_a_condition_that_asks_for_more_than_numbers_of_neurons_is_left_to_brian2():
    assert memory.synapses_drawn(200, 300, "x_pre < x_post") == 0 and memory.synapses_drawn(200, 300, j="k for k in what(3)") == 0


def test_jobs_whose_networks_memory_does_not_hold_side_by_side_are_refused_or_fewer(monkeypatch, tmp_path):
    large = SIMULATIONS["inhibitory_balance"].configure({"excitatory": "80000", "inhibitory": "20000"})
    assert large.bytes > 100_000**2 * large.p * memory.PER_SYNAPSE
    monkeypatch.setattr("plasticity.memory.physical", lambda: 2.5 * large.bytes)
    told = "jobs=4: 4 at a time would take about .* GB of memory, and this machine has .* GB; give --jobs 2 "
    with pytest.raises(WrongUse, match=told):
        execute(large, tmp_path / "out", [0, 1], jobs=4)
    with pytest.raises(WrongUse, match=told):
        sweep(type(large), {"inhibitory": ["19999", "20000"], "excitatory": ["80000"]}, [0, 1], jobs=4, out=tmp_path / "out")
    monkeypatch.setattr("plasticity.memory.physical", lambda: 0.5 * large.bytes)
    with pytest.raises(WrongUse, match="one job would take about .* GB of memory"):
        execute(large, tmp_path / "out", [0, 1])
    assert not (tmp_path / "out").exists()
    for name in ("late_reward", "digits_unsupervised", "pattern_detection", "soft_bounds"):
        assert SIMULATIONS[name].configure({}).bytes > 1e6


def test_synapses_in_a_script_of_ones_own_are_held_to_memory_too(monkeypatch):
    source, target = (
        brian2.PoissonGroup(1000, 20 * brian2.Hz),
        brian2.NeuronGroup(1000, "v : 1", threshold="v > 1", reset="v = 0"),
    )
    made = rules.pair_stdp.synapses(source, target)
    monkeypatch.setattr("plasticity.memory.physical", lambda: 1e6)
    for pairs in ({}, {"p": 0.5}):
        with pytest.raises(WrongUse, match="synapses would take about"):
            made.connect(**pairs)
    made.connect(j="i")
