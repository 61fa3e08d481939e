"""Two groups of inputs with the same statistics meet on one neuron; every synapse is plastic, attention is a gain on a group.

    group 0  o o o o ==plastic==\
                                  >--> neuron
    group 1  o o o o ==plastic==/

Input i of group k is a Poisson process with the rate

    r_i(t) = base gain_k(t) [1 + correlation y_k(t)]+,     dy_k/dt = -y_k/tau_c + sqrt(2/tau_c) xi_k(t)

so that the inputs of one group rise and fall together (y_k has mean 0, variance 1, correlation time tau_c) and the groups are
independent of each other: the inputs of Song & Abbott 2001, Cortical development and remapping through spike timing-dependent
plasticity (doi:10.1016/S0896-6273(01)00451-2), with an Ornstein-Uhlenbeck process for the common signal. The neuron is that of
Song, Miller & Abbott 2000 (doi:10.1038/78829); a presynaptic spike adds g_max w to its conductance, and each of 5000 background
spikes per second (Poisson, not plastic) adds g_background.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from brian2 import (
    Hz,
    Network,
    NeuronGroup,
    PoissonInput,
    Quantity,
    SpikeMonitor,
    StateMonitor,
    TimedArray,
    defaultclock,
    linked_var,
    ms,
    second,
)

from plasticity.encoders import poisson
from plasticity.engine import Model, neutral
from plasticity.neurons import Neuron, lif_conductance
from plasticity.rules import Landing, Rule, pair_stdp

GROUPS = 2


@dataclasses.dataclass(frozen=True)
class TwoGroups:
    """What is compiled: sizes, rule and neuron. Numbers that a run can set are not part of it.

    Parameters
    ----------
    inputs : int
        In each of the two groups.
    rule, landing : Rule, Landing
        Of all synapses; weights without unit. The exponent mu of soft bounds can be set per run, but hard bounds (mu 0) are
        another program.
    neuron : Neuron
        One with a conductance `ge`.
    epoch, epochs : Quantity, int
        The gains may change every so often, and the most epochs in one run.
    sample, dt : Quantity
        How often the weights are recorded, and the time step.
    """

    inputs: int
    rule: Rule = pair_stdp
    landing: Landing = dataclasses.field(default_factory=Landing)
    neuron: Neuron = lif_conductance
    epoch: Quantity = dataclasses.field(default_factory=lambda: 500 * ms)
    epochs: int = 1000
    sample: Quantity = dataclasses.field(default_factory=lambda: 1 * second)
    dt: Quantity = dataclasses.field(default_factory=lambda: 1 * ms)

    def structure(self) -> TwoGroups:
        """The same network with every run-time number replaced by a 1 of its unit: what is hashed and compiled."""
        landing = dataclasses.replace(self.landing, mu=1.0) if self.landing.mu else self.landing
        return dataclasses.replace(self, rule=neutral(self.rule), neuron=neutral(self.neuron), landing=landing)

    def values(self) -> dict[str, float]:
        """The run-time numbers, by the name of their input."""
        numbers = {f"neuron.{key}": float(value) for key, value in self.neuron.parameters.items()}
        numbers |= {"plastic.mu": float(self.landing.mu)} if self.landing.mu else {}
        return numbers | {name: float(self.rule.parameters[key]) for name, (_, key) in self.rule_inputs().items()}

    def rule_inputs(self) -> dict[str, tuple[str, str]]:
        """Where each parameter of the rule lies: input name -> (group, parameter)."""
        return self.rule.places("inputs", "neuron")


def build(spec: TwoGroups) -> Model:
    """The Brian2 network of a `TwoGroups`; inputs 0 to n-1 are group 0, n to 2n-1 group 1.

    Inputs per run: `gain` (epochs, 2), `learning` (2 n; what multiplies each synapse's change), `w` (2 n), `base` (hertz),
    `correlation`, `tau_c` (second), `g_max` and `g_background` (in units of the leak), and every parameter of rule, landing
    and neuron by the names in `values`. Outputs: `w` (2 n), `w_history` (samples x 2 n, flat), `input_spikes` (2 n),
    `spikes` (1: how many).
    """
    defaultclock.dt = spec.dt
    n = GROUPS * spec.inputs
    gain = TimedArray(np.ones((spec.epochs, GROUPS)), dt=spec.epoch, name="gain")
    names = {"gain": gain}
    pre_equations, pre_spike, pre_values = spec.rule.neuron_traces("pre")
    post_equations, post_spike, post_values = spec.rule.neuron_traces("post")

    common = NeuronGroup(
        GROUPS,
        """dy/dt = -y/tau_c + sqrt(2/tau_c)*xi : 1
        level : 1
        tau_c : second (shared, constant)
        correlation : 1 (shared, constant)""",
        method="euler",
        name="common",
        namespace=names,
    )
    common.tau_c = 1 * ms
    common.y = "randn()"
    common.run_regularly("level = gain(t, i)*clip(1 + correlation*y, 0, inf)", when="before_groups", name="common_level")
    inputs = poisson.group(
        n,
        "inputs",
        "base*level",
        spec.epoch,
        equations="level : 1 (linked)\nbase : Hz (shared, constant)\nlearning : 1 (constant)\n" + pre_equations,
        reset=pre_spike,
        method="exact",
        namespace={},
    )
    inputs.level = linked_var(common, "level", index=np.repeat(np.arange(GROUPS), spec.inputs))
    inputs.learning = 1
    for name, value in pre_values.items():
        setattr(inputs, name, value)
    neuron = spec.neuron.group(
        1,
        "neuron",
        equations="g_background : 1 (shared, constant)\n" + post_equations,
        reset=post_spike,
        values=post_values,
        method="exponential_euler",
        namespace={},
    )
    background = PoissonInput(neuron, "ge", N=1000, rate=5 * Hz, weight="g_background")
    plastic = spec.rule.synapses(
        inputs,
        neuron,
        transmit="ge_post += g_max*w",
        gate="learning_pre",
        landing=spec.landing,
        traces="neuron",
        model="g_max : 1 (shared, constant)",
        name="plastic",
        namespace={},
    )
    plastic.connect(i=np.arange(n), j=0)
    input_spikes = SpikeMonitor(inputs, record=False, name="input_spikes")
    spikes = SpikeMonitor(neuron, record=False, name="spikes")
    history = StateMonitor(plastic, "w", record=np.arange(n), dt=spec.sample, name="history")

    settable: dict[str, Any] = {
        "gain": gain,
        "learning": inputs.learning,
        "base": inputs.base,
        "correlation": common.correlation,
        "tau_c": common.tau_c,
        "w": plastic.w,
        "g_max": plastic.g_max,
        "g_background": neuron.g_background,
    }
    groups = {"inputs": inputs, "neuron": neuron, "plastic": plastic}
    settable |= {f"neuron.{key}": getattr(neuron, key) for key in spec.neuron.parameters}
    settable |= {"plastic.mu": plastic.mu} if spec.landing.mu else {}
    settable |= {name: getattr(groups[group], key) for name, (group, key) in spec.rule_inputs().items()}
    outputs = {"w": plastic.w, "w_history": history.state("w"), "input_spikes": input_spikes.count, "spikes": spikes.count}
    network = Network(common, inputs, background, neuron, plastic, input_spikes, spikes, history)
    return Model(network, spec.epochs * spec.epoch, settable, outputs)
