"""A reward that comes 1 to 3 seconds late finds its synapse: 1000 spontaneously active neurons, dopamine, eligibility.

    neuron 1 ==chosen synapse==> neuron 2      (two of 800 RS + 200 FS neurons, each with 100 synapses onto others)
         \\                        /
          pair: 0 < t_2 - t_1 < 20 ms  -->  1 to 3 s later a reward  -->  dopamine D += 0.5

    eligibility c     c += dw of pair STDP at each spike,  dc/dt = -c/tau_e
    weight            dw/dt = (D_tonic + D) c,  0 <= w <= 4 mV per ms
    dopamine          dD/dt = -D/tau_d

Every excitatory synapse is plastic and dopamine reaches all of them; nothing tells the network which synapse is meant.

Sources: Izhikevich 2007, Solving the distal reward problem through linkage of STDP and dopamine signaling
(doi:10.1093/cercor/bhl152, Fig. 1), numbers and order of operations as in the author's program for it; neurons: Izhikevich 2003
(doi:10.1109/TNN.2003.820440).

Order within a step: spikes are counted, learn and reach their targets in the same step of 1 ms, and the targets' membranes take
the input up in the next one; this is the paper's delay of 1 ms. With k = t_post - t_pre in steps, the change is A_plus
exp(-k/tau) for k >= 1 and -A_minus exp(k/tau) for k <= 0. So spikes in one step depress here, whereas in every other network of
this library they do not pair: the postsynaptic trace is counted before learning, the presynaptic one after it. Left out, they
would take 5 % off all depression. The author's jump of 0.1 is what a presynaptic spike is worth one step later, so A_plus = 0.1
exp(1 ms/tau). Each spike sees the last one of the other side only: traces are set, not added up.

Targets are drawn with replacement. Where a neuron has drawn the same target again (5 of 100 times), both synapses learn but
only one is heard, as in the author's program. With all of them heard, doubled synapses drive each other up, the network fires
more and the other weights end higher.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from brian2 import (
    BrianLogger,
    Network,
    NeuronGroup,
    Quantity,
    SpikeMonitor,
    StateMonitor,
    Synapses,
    TimedArray,
    defaultclock,
    ms,
    mV,
    second,
)

from plasticity.engine import Model, neutral
from plasticity.neurons import Neuron, half_steps, izhikevich
from plasticity.rules import Eligibility, Landing, Rule, pair_stdp

STEP = 1 * ms  # the neurons are defined with this time step
PENDING = 64  # rewards that may be on their way at once; the oldest is overwritten
NEVER = 1e9 * second


@dataclasses.dataclass(frozen=True)
class DistalReward:
    """What is compiled: sizes, rule and neuron. Numbers that a run can set are not part of it.

    Parameters
    ----------
    excitatory, inhibitory, fan_out : int
        Neurons of each kind, and synapses that each neuron makes; inhibitory ones go to excitatory neurons only.
    rule, landing : Rule, Landing
        Of all excitatory synapses; the landing has an eligibility whose signal reads `dopamine` and `tonic`.
    neuron : Neuron
        Of both kinds; RS and FS differ in `a` and `d`, which are inputs of a run.
    seconds : int
        The longest run.
    sample : Quantity
        How often the weights of all synapses are recorded.
    record : bool
        Keep all spikes and the eligibilities (for tests and short runs).
    """

    excitatory: int = 800
    inhibitory: int = 200
    fan_out: int = 100
    rule: Rule = dataclasses.field(default_factory=lambda: daspnet_rule())
    landing: Landing = dataclasses.field(default_factory=lambda: daspnet_landing())
    neuron: Neuron = izhikevich
    seconds: int = 3600
    sample: Quantity = dataclasses.field(default_factory=lambda: 300 * second)
    record: bool = False

    @property
    def neurons(self) -> int:
        return self.excitatory + self.inhibitory

    def structure(self) -> DistalReward:
        """The same network with every run-time number replaced by a 1 of its unit: what is hashed and compiled."""
        return dataclasses.replace(self, rule=neutral(self.rule), neuron=neutral(self.neuron))

    def values(self) -> dict[str, Any]:
        """The run-time numbers, by the name of their input: rule, and neurons of both kinds."""
        p, fast = {k: float(v) for k, v in self.neuron.parameters.items()}, np.arange(self.neurons) >= self.excitatory
        given: dict[str, Any] = {f"neurons.{k}": p[k] for k in ("b", "c", "threshold")}
        given |= {"neurons.a": np.where(fast, 0.1e3, p["a"]), "neurons.d": np.where(fast, 2e-3, p["d"])}  # FS cells
        given |= {"neurons.v": p["c"], "neurons.u": p["b"] * p["c"]}  # where they start
        taus = {f"neurons.{t.tau}": float(self.rule.parameters[t.tau]) for t in self.rule.traces}
        return given | taus | {f"plastic.{k}": float(self.rule.parameters[k]) for k in self._amplitudes()}

    def _amplitudes(self) -> list[str]:
        return sorted(set(self.rule.parameters) - {t.tau for t in self.rule.traces})


def daspnet_rule(jump: float = 0.1, depression: float = 1.5, decay_per_ms: float = 0.95) -> Rule:
    """Pair STDP as in the author's program: a jump, its decay per millisecond, and depression over potentiation."""
    tau = -STEP / np.log(decay_per_ms)
    rule = pair_stdp(A_plus=jump / decay_per_ms, A_minus=depression * jump, tau_plus=tau, tau_minus=tau)
    return rule.with_traces("nearest")


def daspnet_landing(w_max: float = 4.0, decay: float = 0.99, interval: Quantity = 10 * ms) -> Landing:
    """Eligibility as in the author's program: every interval w += (tonic + dopamine) c, then c is multiplied by `decay`."""
    signal = f"(tonic + dopamine)/{float(interval)!r}"
    return Landing(0.0, w_max, eligibility=Eligibility(signal, -interval / np.log(decay), interval))


def build(spec: DistalReward) -> Model:
    """The Brian2 network of a `DistalReward`.

    Neurons 0 to excitatory-1 are RS. Neuron 1 of the paper is number 0, neuron 2 is drawn among all others, and so is every
    connection, anew for each seed. The chosen synapse is the first (0): it runs from neuron 1 to neuron 2.

    Inputs per run: `noise` (volt, the range of the uniform input in each step), `w` (at the start, of each plastic synapse, in
    the order of their sources), `w_inhibitory`, `dose` (of dopamine, of a reward that follows a pair), `unpaired` (dopamine
    that comes anyway, one value for each 100 ms), `tonic`, `tau_d`, and what `DistalReward.values` names. Outputs: `chosen`
    (weight of the chosen synapse each second), `weights` (all of them each `sample`, flat), `w` (at the end), `source`,
    `target` (of each plastic synapse), `reward_t`, `pair_t` (one step late), `pair_i` (spikes of neurons 1 and 2, as 0 and 1),
    `spikes` (how many of each neuron); with `record` also `spike_t`, `spike_i`, and `eligibility` and `dopamine` at the end.
    """
    defaultclock.dt = STEP
    n, fan = spec.neurons, spec.fan_out
    pre_equations, pre_spike, pre_values = spec.rule.neuron_traces("pre")
    post_equations, post_spike, post_values = spec.rule.neuron_traces("post")
    lines = dict.fromkeys([*pre_equations.splitlines(), *post_equations.splitlines()])  # a tau of both sides only once
    neurons = spec.neuron.group(
        n,
        "neurons",
        current="received",
        equations="\n".join(["received : volt", "noise : volt (shared, constant)", *lines]),
        reset=pre_spike,
        values=pre_values | post_values | {"noise": 13 * mV},
        method=half_steps,
        namespace={},
    )
    count_first = Synapses(neurons, neurons, on_pre=post_spike, name="count_first", namespace={})  # each neuron to itself
    count_first.connect(j="i")
    count_first.pre.order = -1
    neurons.run_regularly("received = noise*(rand() - 0.5)", when="before_synapses", name="neurons_noise")

    watches: list[Synapses] = []
    reward = NeuronGroup(
        PENDING,
        "due : second\npairs : integer\ncalled : integer\nlast_first : second",
        threshold="t > due - 0.5*dt",
        reset=f"due = {float(NEVER)!r}*second",
        name="reward",
        namespace={},
    )
    reward.due, reward.last_first = NEVER, -NEVER
    unpaired = TimedArray(np.zeros(spec.seconds * 10), dt=100 * ms, name="unpaired")
    modulator = NeuronGroup(
        1,
        """ddopamine/dt = -dopamine/tau_d : 1
        tau_d : second (shared, constant)
        tonic : 1 (shared, constant)
        second_cell : integer (constant)""",
        method="exact",
        name="modulator",
        namespace={"unpaired": unpaired},
    )
    modulator.tau_d = 1 * second
    modulator.second_cell = f"1 + int(rand()*{n - 1})"
    modulator.run_regularly("dopamine += unpaired(t)", dt=100 * ms, when="before_synapses", name="modulator_unpaired")

    plastic = spec.rule.synapses(
        neurons,
        neurons,
        transmit="received_post += int(repeat == 0)*w*mV",
        landing=spec.landing,
        traces="neuron",
        multisynaptic_index="repeat",
        name="plastic",
        namespace={},
    )
    for name in ("dopamine", "tonic", "second_cell"):  # one number for all synapses: no synapse looks up which one is its own
        plastic.variables.add_reference(name, modulator, name, index="0")
    first = "int(i == 0 and k == 0)"
    own = f"range({fan}*int(i < {spec.excitatory}))"
    plastic.connect(j=f"{first}*second_cell + (1 - {first})*int(rand()*N_post) for k in {own}")
    inhibitory = Synapses(
        neurons,
        neurons,
        "w_inhibitory : 1 (shared, constant)",
        on_pre="received_post -= int(repeat == 0)*w_inhibitory*mV",
        multisynaptic_index="repeat",
        name="inhibitory",
        namespace={},
    )
    inhibitory.connect(j=f"int(rand()*{spec.excitatory}) for k in range({fan}*int(i >= {spec.excitatory}))")

    for name, whose, text in (("first", "i == 0", "last_first_post = t"), ("second", "i == second_cell", "called_post = 1")):
        watch = Synapses(neurons, reward, on_pre=text, name=f"watch_{name}", namespace={})
        watch.variables.add_reference("second_cell", modulator, index="0")
        watch.connect(whose)
        watches.append(watch)
    reward.run_regularly(
        """hit = called*int(t - last_first > 0.5*ms)*int(t - last_first < 19.5*ms)
        called = 0
        pairs += hit
        mine = hit*int(pairs % N == i)
        due = due*(1 - mine) + mine*(t + 1*second + ceil(2000*rand())*ms)""",
        when="after_synapses",
        name="reward_judges",
    )
    pair = NeuronGroup(2, "seen : 1", threshold="seen > 0", reset="seen = 0", name="pair", namespace={})  # fire one step later
    relay = Synapses(neurons, pair, on_pre="seen_post = 1", name="relay", namespace={})
    relay.variables.add_reference("second_cell", modulator, index="0")
    relay.connect("(i == 0 and j == 0) or (i == second_cell and j == 1)")
    release = Synapses(
        reward, modulator, "dose : 1 (shared, constant)", on_pre="dopamine_post += dose", name="release", namespace={}
    )
    release.connect()

    BrianLogger.suppress_name("cannot_check_statemonitor_indices")  # Brian2 cannot know the number that is known here
    synapses = np.arange(fan * spec.excitatory)
    chosen = StateMonitor(plastic, "w", record=[0], dt=1 * second, name="chosen")
    weights = StateMonitor(plastic, "w", record=synapses, dt=spec.sample, name="weights")
    rewards, pairs = SpikeMonitor(reward, name="rewards"), SpikeMonitor(pair, name="pairs")
    count = SpikeMonitor(neurons, record=spec.record, name="count")
    settable = {
        "noise": neurons.noise,
        "w": plastic.w,
        "w_inhibitory": inhibitory.w_inhibitory,
        "dose": release.dose,
        "unpaired": unpaired,
        "tonic": modulator.tonic,
        "tau_d": modulator.tau_d,
    }
    groups = {"neurons": neurons, "plastic": plastic}
    settable |= {name: getattr(groups[name.split(".")[0]], name.split(".")[1]) for name in spec.values()}
    outputs = {
        "chosen": chosen.state("w"),
        "weights": weights.state("w"),
        "w": plastic.w,
        "source": plastic.i,
        "target": plastic.j,
        "reward_t": rewards.t,
        "pair_t": pairs.t,
        "pair_i": pairs.i,
        "spikes": count.count,
    }
    if spec.record:
        outputs |= {"spike_t": count.t, "spike_i": count.i, "eligibility": plastic.eligibility, "dopamine": modulator.dopamine}
    network = Network(
        neurons,
        reward,
        modulator,
        count_first,
        plastic,
        inhibitory,
        *watches,
        pair,
        relay,
        release,
        chosen,
        weights,
        rewards,
        pairs,
        count,
    )
    return Model(network, spec.seconds * second, settable, outputs)
