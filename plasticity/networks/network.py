"""A spiking network that lists itself: what it is made of is declared once, and from that follow inputs, traces and costs.

    @dataclass(frozen=True)
    class OneNeuron(Network):
        rule: Rule = run_time(pair_stdp, "inputs", "neuron")       # its traces lie there; every parameter is set per run
        neuron: Neuron = run_time(lif_conductance, "neuron")

        def build(self, net: Net) -> None:
            inputs = poisson_trains(net, 100, "inputs")
            neuron = net.neurons("neuron", between_steps(self.neuron), 1)
            plastic = net.learn(self.rule, inputs, neuron, transmit="ge_post += w")
            net.inputs(w=plastic.w, rate=inputs.rate)
            net.outputs(w=plastic.w)
            net.lasts(10 * second)

    found = OneNeuron().program().run(seed=1, inputs={"w": 0.5, "rate": 15.0})

What is declared with `run_time` is no part of what is compiled: a program is kept for a network with every such number replaced
by a placeholder, and a run gets the numbers as inputs named GROUP.PARAMETER. Traces of a rule are spliced into the groups that
the rule names, wherever `Net` makes them.
"""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

import numpy as np
from brian2 import Network as Brian2Network
from brian2 import NeuronGroup, Quantity, SpikeMonitor, Synapses, TimedArray, defaultclock, second
from brian2.core.base import BrianObject

from plasticity import memory
from plasticity.checked import checked
from plasticity.encoders import Encoder
from plasticity.engine import Model, Program, placeholders, program
from plasticity.engine.operations import COUNTER, CostModel, Population, drift, learning
from plasticity.errors import WrongUse
from plasticity.neurons import Neuron, check_group
from plasticity.rules import Landing, Rule, Trace
from plasticity.structure import Law, Structure

__all__ = ["Net", "Network", "build", "one_to_one", "onto_one", "run_time"]

N = TypeVar("N", bound="Network")


@checked
def run_time(default: Any, *groups: str, apart: tuple[str, ...] = ()) -> Any:
    """A field of a network whose parameters are set per run, and the names of the groups that hold them.

    Of a neuron the groups that are made of it; `apart` are parameters that follow an expression there. Of a rule the groups that
    carry its traces, pre and post, and the name of the synapses where it is not "plastic"; or the synapses alone, where they
    carry the traces themselves. Of a landing the synapses, and the number is its exponent mu: with mu = 0 the factors of the
    soft bounds are 1, so that one program has hard and soft bounds.
    """
    made = {"run_time": groups, "apart": apart}
    if callable(default) and not dataclasses.is_dataclass(default):
        return dataclasses.field(default_factory=default, metadata=made)
    return dataclasses.field(default=default, metadata=made)


@dataclasses.dataclass(frozen=True)
class Network(ABC):
    """What is compiled: sizes, rules, neurons, times. Numbers that a run can set are not part of it.

    A subclass is a frozen dataclass with a method `build`; a field `dt` is the time step, `precision` ("single" or "double") the
    type of numbers. An input that a run does not give has the value that `build` gave it, and 0 where it gave none: so a run may
    begin at rest, or with weights that the network draws, without naming them. A name that is no input is refused.
    """

    @abstractmethod
    def build(self, net: Net) -> None:
        """Make the groups, synapses and monitors in `net`; say what is set per run and read back, and how long a run may be."""

    @property
    def bytes(self) -> float:
        """About how much memory its synapses, and what it keeps beside them, take in a run; 0 where it does not say."""
        return 0.0

    def structure(self: N) -> N:
        """The same network with every run-time number replaced by a 1 of its unit: what is hashed and compiled."""
        return dataclasses.replace(
            self, **{name: _placeholders(getattr(self, name)) for name in (*self.run_time_fields(), *self._laws())}
        )

    def _laws(self) -> dict[str, Law]:
        """The law of the structure of each field that has one."""
        found = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        laws = {name: one.law if isinstance(one, Structure) else one for name, one in found.items()}
        return {name: law for name, law in laws.items() if isinstance(law, Law)}

    def run_time_fields(self) -> dict[str, tuple[str, ...]]:
        """The fields whose parameters are set per run, with the groups that hold them."""
        return {f.name: f.metadata["run_time"] for f in dataclasses.fields(self) if "run_time" in f.metadata}

    def places(self) -> dict[str, tuple[str, str, str]]:
        """Where each run-time number lies: name of the input -> (field, group, parameter)."""
        apart = {f.name: f.metadata.get("apart", ()) for f in dataclasses.fields(self)}
        found: dict[str, tuple[str, str, str]] = {}
        for field, groups in self.run_time_fields().items():
            owner = getattr(self, field)
            if isinstance(owner, Rule) and len(groups) > 1:
                found |= {name: (field, *place) for name, place in owner.places(*groups).items()}
            else:
                keys = [key for key in _numbers(owner) if key not in apart[field]]
                found |= {f"{group}.{key}": (field, group, key) for group in groups for key in keys}
        return found

    def values(self) -> dict[str, Any]:
        """The run-time numbers, by the name of their input; of the law of a structure as law.NAME."""
        laws = {f"law.{key}": float(value) for law in self._laws().values() for key, value in law.parameters.items()}
        return laws | {name: float(_numbers(getattr(self, field))[key]) for name, (field, _, key) in self.places().items()}

    def program(self, compiled: bool = True) -> Program:
        """The program of this network, which has its run-time numbers: `program().run(seed, inputs)`.

        With compiled=False it runs on Brian2's NumPy target: for what takes less time than compiling would.
        """
        made = program(build, self.structure()) if compiled else Program(build, self.structure(), None, {})
        return dataclasses.replace(made, defaults=self.values())

    def unfit(self, rule: Rule) -> str:
        """Why this network cannot have a rule in its field `rule`, as the end of a sentence; empty where it can."""
        places = self.run_time_fields()
        held = {
            group: neuron
            for name, groups in places.items()
            for group in groups
            if isinstance(neuron := getattr(self, name), Neuron)
        }
        ends = {side: held[group] for side, group in zip(("pre", "post"), places["rule"], strict=False) if group in held}
        if rule.needs.keys() - {f"{key}_{side}" for side, neuron in ends.items() for key in (*neuron.start, *neuron.parameters)}:
            return "needs more than spikes, which this network does not have"
        if any(trace.delay or trace.spikes == "reduced" for trace in rule.traces):
            return "remembers spikes at its synapses, this network at its neurons"
        taken = sorted(rule.parameters.keys() & {key for neuron in ends.values() for key in neuron.parameters})
        return f"has a parameter {taken[0]}, as the neurons of this network have" if taken else ""

    def _rules_at(self, group: str) -> Iterator[tuple[Rule, str]]:
        """The rules whose traces lie on a group, each with the side that it is for them."""
        for name, groups in self.run_time_fields().items():
            rule = getattr(self, name)
            if isinstance(rule, Rule) and len(groups) > 1:
                yield from ((rule, side) for side, where in zip(("pre", "post"), groups, strict=False) if where == group)

    def rule_traces(self, group: str) -> list[Trace]:
        """The traces that lie on a group."""
        return [trace for rule, side in self._rules_at(group) for trace in rule.side(side)]

    def traces_at(self, group: str) -> tuple[str, str, dict[str, Any]]:
        """What a group carries for the rules of this network: equations, text at its own spike, values; nothing where none."""
        equations: list[str] = []
        at_spike: list[str] = []
        values: dict[str, Any] = {}
        for rule, side in self._rules_at(group):
            lines, spike, own = rule.neuron_traces(side)
            clash = sorted(key for key in values.keys() & own.keys() if values[key] != own[key])
            if clash:
                raise WrongUse(
                    f"two rules of {type(self).__name__} have a {clash[0]} of their own in the group {group!r}, which holds one:"
                    f" {values[clash[0]]} and {own[clash[0]]}. Give one of them a group of its own, or both the same."
                )
            equations += [line for line in lines.splitlines() if line not in equations]
            at_spike += [spike] if spike else []
            values |= own
        return "\n".join(equations), "\n".join(at_spike), values

    def cost_model(
        self,
        populations: Mapping[str, Population],
        rule: Rule,
        pre: str,
        post: str,
        scaling: Any,
    ) -> CostModel:
        """What is counted: these populations, those at either end of the plastic synapses with what learning adds to them."""
        sources, targets = populations[pre].neurons, populations[post].neurons
        told = {
            name: learning(rule, "pre" if name == pre else "post", one, targets if name == pre else sources)
            if name in (pre, post)
            else one
            for name, one in populations.items()
        }
        return CostModel(told, sources * targets, drift(rule), scaling, len(rule.state))


def _numbers(owner: Any) -> Mapping[str, Any]:
    """The numbers of a rule, neuron or landing that a run can set."""
    return {"mu": owner.mu} if isinstance(owner, Landing) else owner.parameters


def _placeholders(owner: Any) -> Any:
    """The same with a 1 in place of each of these numbers."""
    if isinstance(owner, Structure):
        return dataclasses.replace(owner, law=placeholders(owner.law))
    return dataclasses.replace(owner, mu=1.0) if isinstance(owner, Landing) else placeholders(owner)


@checked
def build(network: Network) -> Model:
    """The Brian2 network of a `Network`, for the engine."""
    if hasattr(network, "dt"):
        defaultclock.dt = network.dt
    net = Net(network)
    network.build(net)
    return net.model()


class Net:
    """What a network is built into: it makes groups with the traces that lie on them, and keeps lists of what there is."""

    def __init__(self, network: Network) -> None:
        self.spec = network
        self.groups: dict[str, Any] = {}
        self.objects: list[BrianObject] = []
        self._inputs: dict[str, Any] = {}
        self._outputs: dict[str, Any] = {}
        self._longest: Quantity | None = None

    def add(self, *objects: Any) -> Any:
        """Put Brian2 objects into the network; the (first) object comes back."""
        self.objects += objects
        self.groups |= {made.name: made for made in objects}
        return objects[0]

    def table(self, name: str, values: Any, dt: Quantity) -> TimedArray:
        """A `TimedArray` that is an input of a run."""
        made = TimedArray(values, dt=dt, name=name)
        self.inputs({name: made})
        return made

    def neurons(
        self, name: str, neuron: Neuron, n: int, *, equations: str = "", reset: str = "", values: Mapping[str, Any] | None = None,
        seen: str = "", **settings: Any,
    ) -> NeuronGroup:  # fmt: skip
        """n neurons of this kind, with the traces that lie on them; see `Neuron.group`.

        `seen` is an event of theirs that the traces count instead of the spikes.
        """
        lines, spike, own = self.spec.traces_at(name)
        at_spike = _join(reset, "" if seen else spike)
        made = neuron.group(
            n, name, equations=_join(equations, lines), reset=at_spike, values={**(values or {}), **own},
            **{"namespace": {}, **settings},
        )  # fmt: skip
        if seen and spike:
            made.run_on_event(seen, spike, when="resets")  # when a spike would be counted
        return self.add(made)

    def encode(
        self, encoder: Encoder, n: int, name: str, rate: str, period: Quantity, *, equations: str = "", reset: str = "",
        values: Mapping[str, Any] | None = None, **settings: Any,
    ) -> NeuronGroup:  # fmt: skip
        """n inputs that fire at a rate, with the traces that lie on them; see `Encoder.group`."""
        lines, spike, own = self.spec.traces_at(name)
        made = encoder.group(n, name, rate, period, _join(equations, lines), _join(reset, spike), **{"namespace": {}, **settings})
        return self.add(_set(made, {**(values or {}), **own}))

    def group(self, name: str, n: int, equations: str, *, reset: str = "", **settings: Any) -> NeuronGroup:
        """Any other n neurons by their equations, with the traces that lie on them."""
        check_group(n, name, {})
        lines, spike, own = self.spec.traces_at(name)
        given = {"namespace": {}, "reset": _join(reset, spike) or None, **settings}
        return self.add(_set(NeuronGroup(n, _join(equations, lines), name=name, **given), own))

    def onset(
        self, group: Any, text: str, period: Quantity, *, forget: bool = False, order: int = 0, name: str = "onset"
    ) -> None:
        """Text that runs at the start of each trial; with `forget` the traces that lie on the group are 0 again."""
        lines = [f"{trace.name} = 0" for trace in self.spec.rule_traces(group.name)] if forget else []
        if text or lines:
            group.run_regularly(_join(text, *lines), dt=period, when="start", order=order, name=f"{group.name}_{name}")

    def learn(
        self, rule: Rule, source: Any, target: Any, *, name: str = "plastic", connect: Any = None, **settings: Any
    ) -> Synapses:
        """Synapses that follow a rule, all with all unless `connect` says otherwise; see `Rule.synapses`."""
        made = rule.synapses(source, target, name=name, **{"traces": "neuron", "namespace": {}, **settings})
        if made.structure is not None:
            self.groups[made.structure.name] = made.structure
        return self.add(_connected(made, connect))

    def follow(self, pool: Synapses) -> None:
        """The structure of a pool, set per run and read back.

        Inputs: `alive` (pool,), `key`, `updates` and `past` (both: how many there were before, 0 where a run begins anew) and the
        parameters of the law as law.NAME. Outputs: `alive`, and the record of `plasticity.structure.pool` as `update` and
        `synapse` (events,).
        """
        cell = pool.structure
        laws = self.spec._laws().values()
        self.inputs({f"law.{name}": getattr(pool, name) for law in laws for name in law.parameters})
        self.inputs(alive=pool.alive, key=cell.key, updates=cell.updates, past=pool.past)
        self.outputs(alive=pool.alive, update=cell.log_update, synapse=cell.log_synapse)

    def wire(
        self, name: str, source: Any, target: Any, on_pre: str | Mapping[str, str], model: str = "", *, connect: Any = None,
        **settings: Any,
    ) -> Synapses:  # fmt: skip
        """Synapses that do not learn."""
        made = Synapses(source, target, model, on_pre=on_pre or None, name=name, **{"namespace": {}, **settings})
        return self.add(_connected(made, connect))

    def count(self, *groups: Any) -> None:
        """Count how often each neuron of these groups fires: the outputs `GROUP.spikes`, from which costs follow."""
        for group in groups:
            monitor = self.add(SpikeMonitor(group, record=False, name=f"{group.name}_counter"))
            self._outputs[f"{group.name}{COUNTER}"] = monitor.count

    def spikes(self, name: str, group: Any, *, times: bool) -> None:
        """Count the spikes of a group as the output NAME_spikes; with `times` record them, as NAME_t and NAME_i."""
        monitor = self.add(SpikeMonitor(group, record=times, name=f"{name}_spikes"))
        self.outputs({f"{name}_spikes": monitor.count})
        if times:
            self.outputs({f"{name}_t": monitor.t, f"{name}_i": monitor.i})

    def at(self, *names: str) -> dict[str, Any]:
        """Variables by the name GROUP.VARIABLE, for `inputs` and `outputs`."""
        return {name: getattr(self.groups[group], key) for name in names for group, _, key in [name.partition(".")]}

    def inputs(self, named: Mapping[str, Any] | None = None, /, **more: Any) -> None:
        """What can be set per run, by name; the parameters declared with `run_time` are there anyway."""
        for name, variable in [*(named or {}).items(), *more.items()]:
            if name in self._inputs or name in self.spec.places():
                raise WrongUse(f"{type(self.spec).__name__}.build has two inputs called {name!r}; give one another name.")
            self._inputs[name] = variable

    def outputs(self, named: Mapping[str, Any] | None = None, /, **more: Any) -> None:
        """What is read back after a run, by name."""
        self._outputs |= {**(named or {}), **more}

    def lasts(self, longest: Quantity) -> None:
        """The longest run, a time above 0."""
        if not (isinstance(longest, Quantity) and longest.dim == second.dim and 0 < longest < np.inf * second):
            raise WrongUse(f"{type(self.spec).__name__}.build says net.lasts({longest}); a run lasts a time, like 10*second.")
        self._longest = longest

    def model(self) -> Model:
        """What the engine takes."""
        if self._longest is None:
            raise WrongUse(f"{type(self.spec).__name__}.build never said how long a run lasts; end it in net.lasts(10*second).")
        declared = {name: getattr(self.groups[group], key) for name, (_, group, key) in self.spec.places().items()}
        return Model(Brian2Network(*self.objects), self._longest, {**self._inputs, **declared}, self._outputs)


def _join(*texts: str) -> str:
    return "\n".join(filter(None, texts))


def _set(group: NeuronGroup, values: Mapping[str, Any]) -> NeuronGroup:
    for name, value in values.items():
        setattr(group, name, value)
    return group


_DRAWN = ("condition", "i", "j", "p", "n")  # of the arguments of Brian2's `connect`


def _connected(synapses: Synapses, connect: Any) -> Synapses:
    """Connect by keyword arguments of Brian2's `connect`, by a condition, or (None) all with all."""
    if connect is not False:
        asked = connect if isinstance(connect, Mapping) else {"condition": connect}
        memory.refuse_synapses(synapses, **{name: value for name, value in asked.items() if name in _DRAWN})
    if isinstance(connect, Mapping):
        synapses.connect(**connect)
    elif connect is not False:
        synapses.connect(connect) if connect is not None else synapses.connect()
    return synapses


one_to_one: Mapping[str, str] = {"j": "i"}


@checked
def onto_one(n: int) -> dict[str, Any]:
    """Each of n sources with the only target."""
    return {"i": np.arange(n), "j": 0}
