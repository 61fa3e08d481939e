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
processor time, and the mean rate over 10 s of learning differed by 0.6 %. Half the step takes 1.3 % off the rate before learning,
at which neurons fire as fast as they can (simulations/time_steps.py). The traces decay by Euler steps too, by 1 - dt/tau
instead of e^{-dt/tau}, which makes a window of 20 ms shorter by 0.25 %.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
from brian2 import PopulationRateMonitor, SpikeMonitor, StateMonitor, ms, mV, nS, pA, second

from plasticity import memory
from plasticity.checked import Time, checked
from plasticity.errors import WrongUse
from plasticity.networks.network import Net, Network, run_time
from plasticity.neurons import Neuron, lif_conductance
from plasticity.rules import Landing, Rule, inhibitory_stdp

__all__ = ["Balanced"]

# C = 200 pF and g_leak = 10 nS give tau_m = 20 ms.
lif_balanced = lif_conductance(
    tau_m=20 * ms, rest=-60 * mV, reset=-60 * mV, threshold=-50 * mV, t_ref=5 * ms, E_exc=0 * mV, tau_e=5 * ms
)
CONSTANTS = {"tau_i": 10 * ms, "E_inh": -80 * mV, "g_leak": 10 * nS, "I_background": 200 * pA}
PLASTIC = 6  # variables of a plastic synapse: weight and traces, and the weight, source and target that are handed back
STRENGTHS = {"EE": 0.3 * nS, "EI": 0.3 * nS, "II": 3 * nS}  # source and target

_EQUATIONS = """
dgi/dt = -gi/tau_i : 1
tau_i : second (shared, constant)
E_inh : volt (shared, constant)
g_leak : siemens (shared, constant)
I_background : amp (shared, constant)
"""


@checked
@dataclasses.dataclass(frozen=True)
class Balanced(Network):
    """Excitatory (E) and inhibitory (I) neurons, connected at random.

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

    Inputs per run: `E.v`, `I.v` (volt, one for each neuron), `w` (a number for all plastic synapses, or one for each in the order
    of the output `synapse_i`, `synapse_j` of the same seed), `learn_from`, `learn_until` (second; the rule works in between), the
    `CONSTANTS` as E.NAME and I.NAME, the fixed strengths as EE.strength, EI.strength, II.strength (siemens), and every parameter
    of the neuron (of E and of I) and of the rule, the latter as rule.GROUP.NAME.

    Outputs: `w`, `synapse_i`, `synapse_j` of the plastic synapses; `count` (E: spikes since the start) and `inhibition` (E: sum
    of the plastic weights onto a neuron, in the last step of a sample), both also as history at the start of each sample
    (samples, E); `rate_E`, `rate_I` (population rate in hertz at each time step); `spike_i_E`, `spike_t_E`, `spike_i_I`,
    `spike_t_I` of the recorded neurons.

    Raises
    ------
    WrongUse
        Fewer neurons than are recorded, or none; a probability outside 0 to 1; a sample that is no multiple of dt.
    """

    excitatory: int = 8000
    inhibitory: int = 2000
    p: float = 0.02
    rule: Rule = run_time(inhibitory_stdp, "I", "E")
    landing: Landing = dataclasses.field(default_factory=lambda: Landing(0, 100))
    neuron: Neuron = run_time(lif_balanced, "E", "I")
    recorded_E: int = 800
    recorded_I: int = 500
    longest: Time = dataclasses.field(default_factory=lambda: 10000 * second)
    sample: Time = dataclasses.field(default_factory=lambda: 1 * second)
    dt: Time = dataclasses.field(default_factory=lambda: 0.1 * ms)

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

    @property
    def bytes(self) -> float:
        plastic = self.p * self.excitatory * self.inhibitory
        fixed = self.p * (self.excitatory + self.inhibitory) ** 2 - plastic
        return memory.of_synapses(fixed) + memory.of_synapses(plastic, PLASTIC)

    def places(self) -> dict[str, tuple[str, str, str]]:
        """Where each run-time number lies; those of the rule begin with `rule.`."""
        return {f"rule.{name}" if place[0] == "rule" else name: place for name, place in super().places().items()}

    def values(self) -> dict[str, Any]:
        """The run-time numbers, by the name of their input: those of the paper for what is neither rule nor neuron."""
        constants = {f"{group}.{key}": float(x) for group in ("E", "I") for key, x in CONSTANTS.items()}
        return super().values() | constants | {f"{pair}.strength": float(x) for pair, x in STRENGTHS.items()}

    def start(self, seed: int, w: float, strengths: Mapping[str, float], learn: tuple[float, float]) -> dict[str, Any]:
        """Inputs of a run with this seed: potentials at random between reset and threshold, all else as told.

        Parameters
        ----------
        w : float
            All plastic weights, nS.
        strengths : mapping
            The fixed strengths, nS, by the names of `STRENGTHS`.
        learn : (float, float)
            Between which seconds the rule works.
        """
        rng = np.random.default_rng([seed, 1])
        low, high = (float(self.neuron.parameters[key]) for key in ("reset", "threshold"))
        potentials = {kind: rng.uniform(low, high, n) for kind, n in (("E.v", self.excitatory), ("I.v", self.inhibitory))}
        fixed = {f"{pair}.strength": 1e-9 * value for pair, value in strengths.items()}
        return potentials | {"w": w} | fixed | {"learn_from": learn[0], "learn_until": learn[1]}

    def build(self, net: Net) -> None:
        membrane: dict[str, Any] = {
            "current": "gi*(E_inh - v) + I_background/g_leak", "values": CONSTANTS, "method": "euler",
        }  # fmt: skip
        counted = f"{_EQUATIONS}count : 1\ninhibition : 1"
        excitatory = net.neurons("E", self.neuron, self.excitatory, equations=counted, reset="count += 1", **membrane)
        summing = {"summing": f"timestep(t, dt) % {self.every} == {self.every - 1}"}  # the last step of each sample
        inhibitory = net.neurons("I", self.neuron, self.inhibitory, equations=_EQUATIONS, events=summing, **membrane)
        net.onset(excitatory, "inhibition = 0", self.sample, order=1, name="inhibition")
        groups = {"E": excitatory, "I": inhibitory}

        plastic = net.learn(
            self.rule,
            inhibitory,
            excitatory,
            transmit="gi_post += w*nS/g_leak_post",
            landing=self.landing,
            plastic="int(t >= learn_from)*int(t < learn_until)",
            model="learn_from : second (shared, constant)\nlearn_until : second (shared, constant)",
            at_event={"summing": ("summing", "inhibition_post += w")},
            connect=False,  # after the fixed synapses: the order in which connections are drawn
            namespace={"nS": nS},
        )
        strength = "strength : siemens (shared, constant)"
        for pair in STRENGTHS:
            arrives = f"g{pair[0].lower()}_post += strength/g_leak_post"
            net.wire(pair, groups[pair[0]], groups[pair[1]], arrives, strength, connect={"p": self.p})
        plastic.connect(p=self.p)
        for pair, value in STRENGTHS.items():
            net.groups[pair].strength = value

        spikes, rates = {}, {}
        for name, recorded in (("E", self.recorded_E), ("I", self.recorded_I)):
            spikes[name] = net.add(SpikeMonitor(groups[name][:recorded], name=f"spikes_{name}"))
            rates[name] = net.add(PopulationRateMonitor(groups[name], name=f"rate_{name}"))
        history = net.add(StateMonitor(excitatory, ["count", "inhibition"], record=True, dt=self.sample, name="history"))

        net.inputs(net.at(*(f"{name}.{key}" for name in groups for key in ("v", *CONSTANTS))))
        net.inputs(net.at(*(f"{pair}.strength" for pair in STRENGTHS)))
        net.inputs(w=plastic.w, learn_from=plastic.learn_from, learn_until=plastic.learn_until)
        net.outputs(w=plastic.w, synapse_i=plastic.i, synapse_j=plastic.j)
        net.outputs(count=excitatory.count, inhibition=excitatory.inhibition)
        net.outputs(count_history=history.state("count"), inhibition_history=history.state("inhibition"))
        net.outputs({f"rate_{name}": monitor.rate for name, monitor in rates.items()})
        for name, monitor in spikes.items():
            net.outputs({f"spike_i_{name}": monitor.i, f"spike_t_{name}": monitor.t})
        net.lasts(self.longest)
