"""A recurrent network of excitatory and inhibitory neurons, sparse and random; inhibition onto excitation is plastic.

    E ---w_E---> E, I        I ---w_II---> I        I ==plastic==> E

Every neuron is a leaky integrate-and-fire neuron under a constant background current,

    C dv/dt = g_leak (E_leak - v) + g_E (0 - v) + g_I (E_I - v) + I_background,     spike at v > threshold, then v = E_leak

written with both conductances in units of the leak (ge = g_E/g_leak, gi = g_I/g_leak, tau_m = C/g_leak), which decay with tau_e
and tau_i. A spike of an excitatory neuron adds w_E to g_E of its targets; one of an inhibitory neuron adds w_II to g_I of
inhibitory and w nS to g_I of excitatory ones. Any ordered pair of neurons, a neuron and itself included, is connected with the
probability p; the program draws the connections from its seed. There are no transmission delays: a spike acts in the next step.

The recurrent network of Vogels, Sprekeler, Zenke, Clopath & Gerstner 2011, doi:10.1126/science.1211095, with the numbers of
Brian2's public example of it. Integrated, as there, by Euler steps of 0.1 ms: exponential Euler steps took 2.3 times the
processor time, and the mean rate over 10 s of learning differed by 0.6 %. The traces decay by Euler steps too, by 1 - dt/tau
instead of e^{-dt/tau}, which makes a window of 20 ms shorter by 0.25 %.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from brian2 import (
    Network,
    NeuronGroup,
    PopulationRateMonitor,
    Quantity,
    SpikeMonitor,
    StateMonitor,
    Synapses,
    defaultclock,
    ms,
    mV,
    nS,
    pA,
    second,
)

from plasticity.engine import Model, neutral
from plasticity.errors import WrongUse
from plasticity.neurons import Neuron, lif_conductance
from plasticity.rules import Landing, Rule, inhibitory_stdp

# C = 200 pF and g_leak = 10 nS give tau_m = 20 ms.
lif_balanced = lif_conductance(
    tau_m=20 * ms, rest=-60 * mV, reset=-60 * mV, threshold=-50 * mV, t_ref=5 * ms, E_exc=0 * mV, tau_e=5 * ms
)
CONSTANTS = {"tau_i": 10 * ms, "E_inh": -80 * mV, "g_leak": 10 * nS, "I_background": 200 * pA}
STRENGTHS = {"EE": 0.3 * nS, "EI": 0.3 * nS, "II": 3 * nS}  # source and target

_EQUATIONS = """
dgi/dt = -gi/tau_i : 1
tau_i : second (shared, constant)
E_inh : volt (shared, constant)
g_leak : siemens (shared, constant)
I_background : amp (shared, constant)
"""


@dataclasses.dataclass(frozen=True)
class Balanced:
    """What is compiled: sizes, rule and neuron. Numbers that a run can set are not part of it.

    Parameters
    ----------
    excitatory, inhibitory : int
        How many neurons.
    p : float
        Probability of a connection.
    rule, landing : Rule, Landing
        Of the synapses from inhibitory to excitatory neurons; a weight of 1 is a conductance of 1 nS.
    neuron : Neuron
        One with an excitatory conductance `ge` in units of the leak.
    recorded_E, recorded_I : int
        Of how many excitatory and inhibitory neurons, the first ones, the spikes are kept.
    longest, sample, dt : Quantity
        The longest run, how often counts and inhibition are recorded (a multiple of dt), and the time step.

    Raises
    ------
    WrongUse
        Fewer neurons than are recorded, or none; a probability outside 0 to 1; a sample that is no multiple of dt.
    """

    excitatory: int = 8000
    inhibitory: int = 2000
    p: float = 0.02
    rule: Rule = inhibitory_stdp
    landing: Landing = dataclasses.field(default_factory=lambda: Landing(0, 100))
    neuron: Neuron = lif_balanced
    recorded_E: int = 800
    recorded_I: int = 500
    longest: Quantity = dataclasses.field(default_factory=lambda: 10000 * second)
    sample: Quantity = dataclasses.field(default_factory=lambda: 1 * second)
    dt: Quantity = dataclasses.field(default_factory=lambda: 0.1 * ms)

    def __post_init__(self) -> None:
        for kind, n, recorded in (
            ("excitatory", self.excitatory, self.recorded_E),
            ("inhibitory", self.inhibitory, self.recorded_I),
        ):
            if not 1 <= recorded <= n:
                raise WrongUse(
                    f"{recorded} recorded of {n} {kind} neurons: give at least one neuron, and record at most all of them."
                )
        if not 0 < self.p <= 1:
            raise WrongUse(f"p={self.p} must be a probability above 0, for example 0.02.")
        if self.every < 1 or abs(self.every * float(self.dt) - float(self.sample)) > 1e-9 * float(self.sample):
            raise WrongUse(f"sample={self.sample} must be a multiple of dt={self.dt}, for example 1*second.")

    @property
    def every(self) -> int:
        """Time steps in a sample."""
        return round(float(self.sample) / float(self.dt))

    def structure(self) -> Balanced:
        """The same network with every run-time number replaced by a 1 of its unit: what is hashed and compiled."""
        return dataclasses.replace(self, rule=neutral(self.rule), neuron=neutral(self.neuron))

    def values(self) -> dict[str, float]:
        """The run-time numbers, by the name of their input: those of the paper for what is neither rule nor neuron."""
        numbers = {f"{group}.{key}": float(x) for group in ("E", "I") for key, x in self.neuron.parameters.items()}
        numbers |= {f"{group}.{key}": float(x) for group in ("E", "I") for key, x in CONSTANTS.items()}
        numbers |= {f"{pair}.strength": float(x) for pair, x in STRENGTHS.items()}
        return numbers | {name: float(self.rule.parameters[key]) for name, (_, key) in self.rule_inputs().items()}

    def rule_inputs(self) -> dict[str, tuple[str, str]]:
        """Where each parameter of the rule lies: input name -> (group, parameter)."""
        return {f"rule.{name}": place for name, place in self.rule.places("I", "E").items()}


def build(spec: Balanced) -> Model:
    """The Brian2 network of a `Balanced`.

    Inputs per run: `E.v`, `I.v` (volt, one for each neuron), `w` (a number for all plastic synapses, or one for each in the order
    of the output `synapse_i`, `synapse_j` of the same seed), `learn_from`, `learn_until` (second; the rule works in between), and
    by the names in `values` the constants, the fixed strengths (siemens) and every parameter of rule and neuron.

    Outputs: `w`, `synapse_i`, `synapse_j` of the plastic synapses; `count` (E: spikes since the start) and `inhibition` (E: sum
    of the plastic weights onto a neuron, in the last step of a sample), both also as history at the start of each sample
    (samples, E); `rate_E`, `rate_I` (population rate in hertz at each time step); `spike_i_E`, `spike_t_E`, `spike_i_I`,
    `spike_t_I` of the recorded neurons.
    """
    defaultclock.dt = spec.dt
    pre_equations, pre_spike, pre_values = spec.rule.neuron_traces("pre")
    post_equations, post_spike, post_values = spec.rule.neuron_traces("post")

    def group(n: int, name: str, equations: str, reset: str, values: dict[str, Any], **settings: Any) -> NeuronGroup:
        return spec.neuron.group(
            n,
            name,
            current="gi*(E_inh - v) + I_background/g_leak",
            equations=_EQUATIONS + equations,
            reset=reset,
            values=CONSTANTS | values,
            method="euler",
            namespace={},
            **settings,
        )

    excitatory = group(
        spec.excitatory, "E", "count : 1\ninhibition : 1\n" + post_equations, "count += 1\n" + post_spike, post_values
    )
    summing = {"summing": f"timestep(t, dt) % {spec.every} == {spec.every - 1}"}  # the last step of each sample
    inhibitory = group(spec.inhibitory, "I", pre_equations, pre_spike, pre_values, events=summing)
    excitatory.run_regularly("inhibition = 0", dt=spec.sample, when="start", order=1, name="E_inhibition")
    groups = {"E": excitatory, "I": inhibitory}

    plastic = spec.rule.synapses(
        inhibitory,
        excitatory,
        transmit="gi_post += w*nS/g_leak_post",
        landing=spec.landing,
        traces="neuron",
        plastic="int(t >= learn_from)*int(t < learn_until)",
        model="learn_from : second (shared, constant)\nlearn_until : second (shared, constant)",
        at_event={"summing": ("summing", "inhibition_post += w")},
        name="plastic",
        namespace={"nS": nS},
    )
    fixed = {
        pair: Synapses(
            groups[pair[0]],
            groups[pair[1]],
            "strength : siemens (shared, constant)",
            on_pre=f"g{pair[0].lower()}_post += strength/g_leak_post",
            name=pair,
            namespace={},
        )
        for pair in STRENGTHS
    }
    for synapses in (*fixed.values(), plastic):
        synapses.connect(p=spec.p)
    for pair, strength in STRENGTHS.items():
        fixed[pair].strength = strength
    spikes = {
        name: SpikeMonitor(groups[name][:n], name=f"spikes_{name}")
        for name, n in (("E", spec.recorded_E), ("I", spec.recorded_I))
    }
    rates = {name: PopulationRateMonitor(made, name=f"rate_{name}") for name, made in groups.items()}
    history = StateMonitor(excitatory, ["count", "inhibition"], record=True, dt=spec.sample, name="history")

    settable: dict[str, Any] = {"w": plastic.w, "learn_from": plastic.learn_from, "learn_until": plastic.learn_until}
    settable |= {f"{pair}.strength": synapses.strength for pair, synapses in fixed.items()}
    for name, made in groups.items():
        settable |= {f"{name}.{key}": getattr(made, key) for key in ("v", *CONSTANTS, *spec.neuron.parameters)}
    owners = {**groups, "plastic": plastic}
    settable |= {name: getattr(owners[owner], key) for name, (owner, key) in spec.rule_inputs().items()}
    outputs = {
        "w": plastic.w,
        "synapse_i": plastic.i,
        "synapse_j": plastic.j,
        "count": excitatory.count,
        "inhibition": excitatory.inhibition,
        "count_history": history.state("count"),
        "inhibition_history": history.state("inhibition"),
        "rate_E": rates["E"].rate,
        "rate_I": rates["I"].rate,
    }
    for name, monitor in spikes.items():
        outputs |= {f"spike_i_{name}": monitor.i, f"spike_t_{name}": monitor.t}
    network = Network(*groups.values(), *fixed.values(), plastic, *spikes.values(), *rates.values(), history)
    return Model(network, spec.longest, settable, outputs)
