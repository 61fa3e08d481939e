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
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from brian2 import BrianLogger, Quantity, SpikeMonitor, StateMonitor, ms, mV, second

from plasticity import memory
from plasticity.checked import Above0, Count, Number, Row, Time, checked
from plasticity.errors import WrongUse
from plasticity.networks.network import Net, Network, one_to_one, run_time
from plasticity.neurons import Neuron, half_steps, izhikevich
from plasticity.rules import Eligibility, Landing, Rule, pair_stdp

__all__ = ["DistalReward", "daspnet_landing", "daspnet_rule", "earned_by"]

STEP = 1 * ms  # the neurons are defined with this time step
PLASTIC = 8  # variables of a plastic synapse: weight, eligibility, traces, and what is given and handed back
PENDING = 64  # rewards that may be on their way at once; the oldest is overwritten
NEVER = 1e9 * second
TAU_D_S = -0.001 / np.log(0.995)  # of dopamine, as in the author's program
EARNED_S, TOGETHER_S = (1.0, 3.0), 0.020  # how late a reward comes, and how soon neuron 2 must fire after neuron 1


@checked
def daspnet_rule(jump: Number = 0.1, depression: Number = 1.5, decay_per_ms: Number = 0.95) -> Rule:
    """Pair STDP as in the author's program: a jump, its decay per millisecond, and depression over potentiation."""
    _decays("decay_per_ms", decay_per_ms)
    tau = -STEP / np.log(decay_per_ms)
    rule = pair_stdp(A_plus=jump / decay_per_ms, A_minus=depression * jump, tau_plus=tau, tau_minus=tau)
    return rule.with_traces("nearest")


@checked
def daspnet_landing(w_max: Above0 = 4.0, decay: Number = 0.99, interval: Time = 10 * ms) -> Landing:
    """Eligibility as in the author's program: every interval w += (tonic + dopamine) c, then c is multiplied by `decay`."""
    _decays("decay", decay)
    signal = f"(tonic + dopamine)/{float(interval)!r}"
    return Landing(0.0, w_max, eligibility=Eligibility(signal, -interval / np.log(decay), interval))


def _decays(name: str, decay: float) -> None:
    if not 0 < decay < 1:
        raise WrongUse(f"{name}={decay} must lie between 0 and 1, like 0.95.")


@checked
def earned_by(reward_s: Number, ones: Row, twos: Row) -> list[tuple[float, float]]:
    """The pairs that this reward may have come of, (when neuron 1 fired, when neuron 2 did), given the spikes of both."""
    half = 0.0005  # of a time step
    (soonest, latest), found = EARNED_S, []
    for second_s in twos[(twos > reward_s - latest - 3 * half) & (twos < reward_s - soonest + half)]:
        before = ones[(ones < second_s - half) & (ones > second_s - TOGETHER_S + half)]
        found += [(float(before[-1]), float(second_s))] if len(before) else []
    return found


@checked
@dataclasses.dataclass(frozen=True)
class DistalReward(Network):
    """Excitatory (RS) and inhibitory (FS) neurons, dopamine, and the rewards that are on their way.

    Neurons 0 to excitatory-1 are RS. Neuron 1 of the paper is number 0, neuron 2 is drawn among all others, and so is every
    connection, anew for each seed. The chosen synapse is the first (0): it runs from neuron 1 to neuron 2.

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

    Inputs per run: `noise` (volt, the range of the uniform input in each step), `w` (at the start, of each plastic synapse, in
    the order of their sources), `w_inhibitory`, `dose` (of dopamine, of a reward that follows a pair), `unpaired` (dopamine
    that comes anyway, one value for each 100 ms), `tonic`, `tau_d`, and what `values` names. Outputs: `chosen`
    (weight of the chosen synapse each second), `weights` (all of them each `sample`, flat), `w` (at the end), `source`,
    `target` (of each plastic synapse), `reward_t`, `pair_t` (one step late), `pair_i` (spikes of neurons 1 and 2, as 0 and 1),
    `spikes` (how many of each neuron); with `record` also `spike_t`, `spike_i`, and `eligibility` and `dopamine` at the end.
    """

    dt: ClassVar[Quantity] = STEP

    excitatory: Count = 800
    inhibitory: Count = 200
    fan_out: Count = 100
    rule: Rule = run_time(daspnet_rule, "neurons", "neurons")
    landing: Landing = dataclasses.field(default_factory=daspnet_landing)
    neuron: Neuron = run_time(izhikevich, "neurons")
    seconds: Count = 3600
    sample: Time = dataclasses.field(default_factory=lambda: 300 * second)
    record: bool = False

    @property
    def bytes(self) -> float:
        plastic, samples = self.excitatory * self.fan_out, 1 + self.seconds / float(self.sample)
        return memory.of_synapses(self.neurons * self.fan_out) + 8.0 * plastic * (PLASTIC + 2 * samples)

    @property
    def neurons(self) -> int:
        return self.excitatory + self.inhibitory

    def values(self) -> dict[str, Any]:
        """The run-time numbers, by the name of their input: rule, and neurons of both kinds."""
        given, fast = super().values(), np.arange(self.neurons) >= self.excitatory
        given["neurons.v"], given["neurons.u"] = given["neurons.c"], given["neurons.b"] * given["neurons.c"]  # where they start
        given["neurons.a"] = np.where(fast, 0.1e3, given["neurons.a"])  # FS cells
        given["neurons.d"] = np.where(fast, 2e-3, given["neurons.d"])
        return given

    def daspnet(self, dose: float, tonic: float, unpaired: np.ndarray | None = None) -> dict[str, Any]:
        """Inputs of a run as in the author's program: weights of 1 but for the chosen one, 0, and dopamine's decay."""
        w = np.ones(self.excitatory * self.fan_out)
        w[0] = 0.0
        rows = np.zeros(10 * self.seconds) if unpaired is None else unpaired
        given = {"dose": dose, "unpaired": rows, "tonic": tonic, "tau_d": TAU_D_S}
        return {"noise": 0.013, "w": w, "w_inhibitory": 1.0} | given

    def at_random(self, rng: np.random.Generator, rewards: int, seconds: int, dose: float) -> np.ndarray:
        """`unpaired`: so many rewards at random times of a run."""
        drawn = rng.integers(1, 10 * seconds, size=rewards)
        return dose * np.bincount(drawn, minlength=10 * self.seconds)

    def shares(self, found: Mapping[str, np.ndarray], edges: np.ndarray) -> dict[str, np.ndarray]:
        """Weights of a run as shares of the largest.

        `chosen`, each second and at the end; `others`, their mean at each sample and at the end; `histogram`, what share of the
        others lies between these edges at the end.
        """
        largest, end = self.landing.w_max, found["w"]
        samples = found["weights"].reshape(-1, len(end))
        return {
            "chosen": np.append(found["chosen"].ravel(), end[0]) / largest,
            "others": np.append(samples[:, 1:].mean(axis=1), end[1:].mean()) / largest,
            "histogram": np.histogram(end[1:] / largest, edges)[0] / (len(end) - 1),
        }

    def build(self, net: Net) -> None:
        fan = self.fan_out
        traces, _, values = self.traces_at("neurons")
        at_pre, at_post = (self.rule.neuron_traces(side)[1] for side in ("pre", "post"))
        neurons = self.neuron.group(
            self.neurons,
            "neurons",
            current="received",
            equations=f"received : volt\nnoise : volt (shared, constant)\n{traces}",
            reset=at_pre,
            values=values | {"noise": 13 * mV},
            method=half_steps,
            namespace={},
        )
        net.add(neurons)
        count_first = net.wire("count_first", neurons, neurons, at_post, connect=one_to_one)  # each neuron to itself
        count_first.pre.order = -1
        neurons.run_regularly("received = noise*(rand() - 0.5)", when="before_synapses", name="neurons_noise")

        reward = net.group(
            "reward",
            PENDING,
            "due : second\npairs : integer\ncalled : integer\nlast_first : second",
            threshold="t > due - 0.5*dt",
            reset=f"due = {float(NEVER)!r}*second",
        )
        reward.due, reward.last_first = NEVER, -NEVER
        unpaired = net.table("unpaired", np.zeros(self.seconds * 10), 100 * ms)
        modulator = net.group(
            "modulator",
            1,
            """ddopamine/dt = -dopamine/tau_d : 1
            tau_d : second (shared, constant)
            tonic : 1 (shared, constant)
            second_cell : integer (constant)""",
            method="exact",
            namespace={"unpaired": unpaired},
        )
        modulator.tau_d = 1 * second
        modulator.second_cell = f"1 + int(rand()*{self.neurons - 1})"
        modulator.run_regularly("dopamine += unpaired(t)", dt=100 * ms, when="before_synapses", name="modulator_unpaired")

        plastic = net.learn(
            self.rule,
            neurons,
            neurons,
            transmit="received_post += int(repeat == 0)*w*mV",
            landing=self.landing,
            multisynaptic_index="repeat",
            connect=False,
        )
        for name in ("dopamine", "tonic", "second_cell"):  # one number for all synapses: no synapse looks up which one is its own
            plastic.variables.add_reference(name, modulator, name, index="0")
        first = "int(i == 0 and k == 0)"
        own = f"range({fan}*int(i < {self.excitatory}))"
        plastic.connect(j=f"{first}*second_cell + (1 - {first})*int(rand()*N_post) for k in {own}")
        inhibitory = net.wire(
            "inhibitory",
            neurons,
            neurons,
            "received_post -= int(repeat == 0)*w_inhibitory*mV",
            "w_inhibitory : 1 (shared, constant)",
            multisynaptic_index="repeat",
            connect={"j": f"int(rand()*{self.excitatory}) for k in range({fan}*int(i >= {self.excitatory}))"},
        )

        for name, whose, text in (
            ("first", "i == 0", "last_first_post = t"),
            ("second", "i == second_cell", "called_post = 1"),
        ):
            watch = net.wire(f"watch_{name}", neurons, reward, text, connect=False)
            watch.variables.add_reference("second_cell", modulator, index="0")
            watch.connect(whose)
        reward.run_regularly(
            """hit = called*int(t - last_first > 0.5*ms)*int(t - last_first < 19.5*ms)
            called = 0
            pairs += hit
            mine = hit*int(pairs % N == i)
            due = due*(1 - mine) + mine*(t + 1*second + ceil(2000*rand())*ms)""",
            when="after_synapses",
            name="reward_judges",
        )
        pair = net.group("pair", 2, "seen : 1", threshold="seen > 0", reset="seen = 0")  # fire one step later
        relay = net.wire("relay", neurons, pair, "seen_post = 1", connect=False)
        relay.variables.add_reference("second_cell", modulator, index="0")
        relay.connect("(i == 0 and j == 0) or (i == second_cell and j == 1)")
        release = net.wire("release", reward, modulator, "dopamine_post += dose", "dose : 1 (shared, constant)")

        BrianLogger.suppress_name("cannot_check_statemonitor_indices")  # Brian2 cannot know the number that is known here
        synapses = np.arange(fan * self.excitatory)
        chosen = StateMonitor(plastic, "w", record=[0], dt=1 * second, name="chosen")
        weights = StateMonitor(plastic, "w", record=synapses, dt=self.sample, name="weights")
        rewards, pairs = SpikeMonitor(reward, name="rewards"), SpikeMonitor(pair, name="pairs")
        count = SpikeMonitor(neurons, record=self.record, name="count")
        net.add(chosen, weights, rewards, pairs, count)

        net.inputs(net.at("neurons.v", "neurons.u"), noise=neurons.noise, w=plastic.w, w_inhibitory=inhibitory.w_inhibitory)
        net.inputs(dose=release.dose, tonic=modulator.tonic, tau_d=modulator.tau_d)
        net.outputs(chosen=chosen.state("w"), weights=weights.state("w"), w=plastic.w, source=plastic.i, target=plastic.j)
        net.outputs(reward_t=rewards.t, pair_t=pairs.t, pair_i=pairs.i, spikes=count.count)
        if self.record:
            net.outputs(spike_t=count.t, spike_i=count.i, eligibility=plastic.eligibility, dopamine=modulator.dopamine)
        net.lasts(self.seconds * second)
