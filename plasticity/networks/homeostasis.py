"""Neurons that find back to their working point: by the weights of their synapses, or by their own gain and threshold.

    Scaled      one neuron:  n Poisson inputs ==plastic==> LIF neuron
                recurrent:   LIF neurons ==plastic==> LIF neurons, sparse; each has background input of its own
    Intrinsic   one unit of rates for each kind of input, a new input in each time step

The neuron is that of Song, Miller & Abbott 2000 (doi:10.1038/78829): a presynaptic spike adds g_max w to its conductance, and
each of 5000 background spikes per second (Poisson, not plastic) adds g_background. Every neuron counts its spikes, and the counts
are recorded with the weights: a rate over time costs one number per neuron and sample, however fast the neurons fire.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from brian2 import Hz, Network, NeuronGroup, PoissonInput, Quantity, StateMonitor, TimedArray, defaultclock, ms, second

from plasticity.encoders import poisson
from plasticity.engine import Model, neutral
from plasticity.neurons import Neuron, intrinsic_rate, lif_conductance
from plasticity.rules import Landing, Rule, synaptic_scaling

INPUTS = ("normal", "uniform")


@dataclasses.dataclass(frozen=True)
class Scaled:
    """What is compiled: sizes, rule and neuron. Numbers that a run can set are not part of it.

    Parameters
    ----------
    inputs : int
        Poisson inputs with plastic synapses onto one neuron; with `recurrent` the inputs of each neuron from the others.
    recurrent : int
        How many neurons are coupled to each other; 0 for one neuron with Poisson inputs.
    rule, landing : Rule, Landing
        Of all synapses; weights without unit.
    neuron : Neuron
        One with a conductance `ge`.
    epoch, epochs : Quantity, int
        The gain of the Poisson inputs may change every so often, and the most epochs in one run.
    sample, dt : Quantity
        How often weights and spike counts are recorded, and the time step.
    """

    inputs: int = 100
    recurrent: int = 0
    rule: Rule = synaptic_scaling
    landing: Landing = dataclasses.field(default_factory=lambda: Landing(0, 100))
    neuron: Neuron = lif_conductance
    epoch: Quantity = dataclasses.field(default_factory=lambda: 10 * second)
    epochs: int = 500
    sample: Quantity = dataclasses.field(default_factory=lambda: 1 * second)
    dt: Quantity = dataclasses.field(default_factory=lambda: 1 * ms)

    def structure(self) -> Scaled:
        """The same network with every run-time number replaced by a 1 of its unit: what is hashed and compiled."""
        rule = dataclasses.replace(neutral(self.rule), parts=())  # what a sum is made of does not matter here
        return dataclasses.replace(self, rule=rule, neuron=neutral(self.neuron))

    def values(self) -> dict[str, float]:
        """The run-time numbers, by the name of their input."""
        numbers = {f"neurons.{key}": float(value) for key, value in self.neuron.parameters.items()}
        return numbers | {name: float(self.rule.parameters[key]) for name, (_, key) in self.rule_inputs().items()}

    def rule_inputs(self) -> dict[str, tuple[str, str]]:
        """Where each parameter of the rule lies: input name -> (group, parameter)."""
        return self.rule.places("neurons" if self.recurrent else "inputs", "neurons")

    def connections(self) -> tuple[np.ndarray, np.ndarray]:
        """Source and target of each synapse; of the recurrent ones `inputs` onto each neuron, drawn once for all runs."""
        if not self.recurrent:
            return np.arange(self.inputs), np.zeros(self.inputs, dtype=int)
        rng, n = np.random.default_rng(0), self.recurrent
        drawn = [rng.choice(np.delete(np.arange(n), j), self.inputs, replace=False) for j in range(n)]
        return np.concatenate(drawn), np.repeat(np.arange(n), self.inputs)


def scaled(spec: Scaled) -> Model:
    """The Brian2 network of a `Scaled`.

    Inputs per run: `w` (synapses), `g_max` and `g_background` (in units of the leak), every parameter of rule and neuron by the
    names in `values`; without `recurrent` also `rate` (hertz) and `gain` (epochs, 1), by which it is multiplied. Outputs: `w`
    (synapses) and `count` (neurons; how many spikes) at the end, `w_history` and `count_history` (samples, ...) before.
    """
    defaultclock.dt = spec.dt
    traces = {side: spec.rule.neuron_traces(side) for side in ("pre", "post")}
    carried = ("pre", "post") if spec.recurrent else ("post",)
    equations = ["count : 1", "g_background : 1 (shared, constant)"]
    for side in carried:  # both sides may name the same time constant
        equations += [line for line in traces[side][0].splitlines() if line not in equations]
    neurons = spec.neuron.group(
        spec.recurrent or 1,
        "neurons",
        equations="\n".join(equations),
        reset="\n".join(["count += 1", *(traces[side][1] for side in carried)]),
        values={name: value for side in carried for name, value in traces[side][2].items()},
        method="exponential_euler",
        namespace={},
    )
    background = PoissonInput(neurons, "ge", N=1000, rate=5 * Hz, weight="g_background")
    groups: dict[str, Any] = {"neurons": neurons}
    settable: dict[str, Any] = {"g_background": neurons.g_background}
    if not spec.recurrent:
        gain = TimedArray(np.ones((spec.epochs, 1)), dt=spec.epoch, name="gain")
        inputs = poisson.group(
            spec.inputs,
            "inputs",
            "base*gain(t, 0)",
            spec.epoch,
            equations="base : Hz (shared, constant)\n" + traces["pre"][0],
            reset=traces["pre"][1],
            method="exact",
            namespace={"gain": gain},
        )
        for name, value in traces["pre"][2].items():
            setattr(inputs, name, value)
        groups["inputs"] = inputs
        settable |= {"gain": gain, "rate": inputs.base}
    plastic = spec.rule.synapses(
        groups.get("inputs", neurons),
        neurons,
        transmit="ge_post += g_max*w",
        landing=spec.landing,
        traces="neuron",
        model="g_max : 1 (shared, constant)",
        name="plastic",
        namespace={},
    )
    source, target = spec.connections()
    plastic.connect(i=source, j=target)
    weights = StateMonitor(plastic, "w", record=True, dt=spec.sample, name="weights")
    counts = StateMonitor(neurons, "count", record=True, dt=spec.sample, name="counts")
    holders = {**groups, "plastic": plastic}
    settable |= {"w": plastic.w, "g_max": plastic.g_max}
    settable |= {f"neurons.{key}": getattr(neurons, key) for key in spec.neuron.parameters}
    settable |= {name: getattr(holders[group], key) for name, (group, key) in spec.rule_inputs().items()}
    outputs = {"w": plastic.w, "w_history": weights.state("w"), "count": neurons.count, "count_history": counts.state("count")}
    network = Network(*groups.values(), background, plastic, weights, counts)
    return Model(network, spec.epochs * spec.epoch, settable, outputs)


@dataclasses.dataclass(frozen=True)
class Intrinsic:
    """Units of rates that adapt to their inputs: unit 0 to standard normal numbers, unit 1 to uniform ones from 0 to 1.

    Parameters
    ----------
    neuron : Neuron
        One with a gain a, a threshold b and an output y.
    longest, dt : Quantity
        The longest run, and the time step: a new input each.
    """

    neuron: Neuron = intrinsic_rate
    longest: Quantity = dataclasses.field(default_factory=lambda: 2000 * second)
    dt: Quantity = dataclasses.field(default_factory=lambda: 1 * ms)

    def structure(self) -> Intrinsic:
        return dataclasses.replace(self, neuron=neutral(self.neuron))


def intrinsic(spec: Intrinsic) -> Model:
    """The Brian2 network of an `Intrinsic`.

    Inputs per run: `eta` (hertz), `mu`, `a` and `b` (2). Outputs: `x`, `y`, `a` and `b` (steps, 2): in each step the input, the
    answer to it, and the gain and threshold with which it was given.
    """
    defaultclock.dt = spec.dt
    units: NeuronGroup = spec.neuron.group(len(INPUTS), "units", current="x", equations="x : 1", method="euler", namespace={})
    units.run_regularly("x = int(i == 0)*randn() + int(i == 1)*rand()", when="start", name="draw")
    history = StateMonitor(units, ("y", "a", "b", "x"), record=True, when="before_groups", name="history")
    settable = {name: getattr(units, name) for name in ("eta", "mu", "a", "b")}
    outputs = {name: history.state(name) for name in ("y", "a", "b", "x")}
    return Model(Network(units, history), spec.longest, settable, outputs)
