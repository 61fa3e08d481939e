"""Spiking layers that learn from reward: the chosen action sends attention back, and says which synapses may change.

    stream 0  o o o --\\ x gain 0                       ==plastic==> hidden o o o ==plastic==> actions o o o
                       >-------------- relay o o o                        <----- attention -----    | one is chosen
    stream 1  o o o --/ x gain 1                       <--- attention ---                            v
                                                                              reward - prediction -> all synapses
    cue neurons o o ==plastic==> gate units o o (they set the gains)

A trial is one stimulus. Input spikes drive leaky integrate-and-fire neurons, whose spikes drive the next layer; units for the
actions add up what they get. Towards the end of the trial, one time step each:

    compare   each action unit counts the units that got more than itself
    choose    the unit that is second to none fires (or, to explore, one drawn at random); its spike goes back over the feedback
              weights, which makes the attention of the highest hidden layer, and tells the critic what it had predicted
    echo      active neurons of a layer send their attention on to the layer below, down to the relay
    report    each stream tells its gate unit about the attention that its spikes met
    outcome   reward minus prediction is broadcast, and every synapse follows the rule: presynaptic count x activity of the
              postsynaptic neuron x its attention x (reward - prediction)

The gain of a stream is a gate unit's drive: a cue neuron fires at the start of a trial, and its weights onto the gate units,
whose sum stays 1, are the gains. It is the form that a disinhibitory circuit gives to attention, in which VIP neurons that are
driven from above silence the inhibition of one group of pyramidal neurons and so multiply its gain (Zhang et al. 2014,
doi:10.1126/science.1254126; Pi et al. 2013, doi:10.1038/nature12676); that the sum of gains stays the same is normalisation
(Reynolds & Heeger 2009, doi:10.1016/j.neuron.2009.01.002).

Source: Pozzi, Bohte & Roelfsema 2020, Attention-Gated Brain Propagation, NeurIPS 33 (rate units; what becomes of the gradient);
Roelfsema & van Ooyen 2005, doi:10.1162/0899766054615699.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np
from brian2 import Hz, Quantity, SpikeMonitor, StateMonitor, linked_var, ms

from plasticity.checked import checked
from plasticity.encoders import Encoder, regular
from plasticity.engine.operations import LAND, CostModel, Operations, inputs, learning, operations, population
from plasticity.errors import WrongUse
from plasticity.networks.network import Net, Network, run_time
from plasticity.neurons import Neuron, lif_subtractive
from plasticity.rules import Landing, Rule
from plasticity.rules.attention_gated import attention_gated

__all__ = ["AttentionGated"]

FACTORS = "*".join(attention_gated.factors)  # the gate of every plastic synapse
MOST = 50.0  # no weight is larger
GIVEN = ("explore", "learning", "feedback", "misled", "predicts", "always")  # numbers that the critic is told for a run
_FACTORS = {"pre_count", "post_active", "attention", "surprise", "back"}


@checked
@dataclasses.dataclass(frozen=True)
class AttentionGated(Network):
    """Streams, hidden layers and actions; trial k lasts from k*trial to (k+1)*trial.

    Parameters
    ----------
    streams, features : int
        How many streams, and inputs in each. With one stream its inputs are the lowest layer; with several they meet in a relay.
    hidden : tuple of int
        Neurons of each hidden layer, from below.
    actions : int
        Units to choose from.
    rule : Rule
        Of all plastic synapses.
    neuron : Neuron
        Of the hidden layers.
    encoder : Encoder
        Rates to spikes.
    trial, dt : Quantity
        How long one trial lasts, and the time step.
    block : int
        The most trials in one run.
    fixed : bool
        Feedback weights do not learn.
    record : bool
        Keep all spikes, as the outputs GROUP.i and GROUP.t.

    Inputs per run: `rates` (trials, streams*features; hertz), `label` (trials), with several streams `cue` (trials), `explore`
    (probability of a choice at random), `learning` (0 or 1), `feedback` (1; 0 cuts it), `misled` (1 sends the feedback of an
    action drawn at random instead of the chosen one), `predicts` (1; 0 leaves the reward as it is), `always` (0; a reward that
    comes with every trial); for layer k from 1, the actions the last: `w_k`, `back_k` (below*above; weights forward and back),
    `eta_k`, `drive_k` (what a spike of the layer below adds for weight 1); `w_gate` (streams*streams, cue by gate unit),
    `eta_gate`, `per_spike` (of a stream's report). Outputs: `w_k`, `back_k`, `w_gate`, `choice` (trials; the spikes of the
    action units), `predicted`, `surprise` (each trial but the last), `counts_k` (trials, neurons; spikes of hidden layer k in
    the trial before) and `last_k` (in the last one), and `streams.spikes` etc.
    """

    streams: int
    features: int
    hidden: tuple[int, ...]
    actions: int
    rule: Rule = attention_gated
    neuron: Neuron = run_time(lif_subtractive, "hidden_1")
    encoder: Encoder = regular
    trial: Quantity = dataclasses.field(default_factory=lambda: 50 * ms)
    dt: Quantity = dataclasses.field(default_factory=lambda: 1 * ms)
    block: int = 500
    fixed: bool = False
    record: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "hidden", tuple(map(int, self.hidden)))
        if not self.hidden:
            raise WrongUse("hidden=() has no layer; give the neurons of each hidden layer, for example hidden=(200,).")
        if round(float(self.trial / self.dt)) < 2 * len(self.phases):
            raise WrongUse(f"trial={self.trial} is too short for {len(self.phases)} phases of dt={self.dt}; give a longer one.")

    def run_time_fields(self) -> dict[str, tuple[str, ...]]:
        """The neurons of every hidden layer have the same parameters."""
        return {"neuron": tuple(f"hidden_{k + 1}" for k in range(len(self.hidden)))}

    @property
    def layers(self) -> tuple[str, ...]:
        """The groups from below: what the lowest plastic synapses start from, hidden layers, actions."""
        return ("relay" if self.streams > 1 else "streams", *(f"hidden_{k + 1}" for k in range(len(self.hidden))), "action")

    @property
    def phases(self) -> tuple[str, ...]:
        """What happens in the last time steps of a trial, in this order."""
        return ("compare", "choose", *(f"echo_{k}" for k in range(len(self.hidden), 0, -1)), "echo_0", "report", "outcome")

    @property
    def attends(self) -> bool:
        """Whether gate units set gains of the inputs, and learn."""
        return self.streams > 1

    def _gain(self, layer: int) -> str:
        """By what a spike of the layer below counts, for those onto this layer: nothing where all count alike."""
        return ""

    def _rules_at(self, group: str) -> Iterator[tuple[Rule, str]]:
        if group in (*self.layers[:-1], "cue"):
            yield self.rule, "pre"
        if group in (*self.layers[1:], "gate"):
            yield self.rule, "post"

    def at(self, phase: str) -> str:
        """The condition that a phase is due."""
        steps = round(float(self.trial / self.dt))
        return f"(timestep(t, dt) % {steps} == {steps - len(self.phases) + self.phases.index(phase)})"

    def _learns(self) -> dict[str, str]:
        return {"outcome": f"{self.at('outcome')} and (learning > 0.5) and (pre_count > 0.5)"}

    def costs(self) -> CostModel:
        """What is counted to say what a trial costs. Every weight is counted as changed once a trial, in both directions.

        Synapses whose presynaptic neuron was silent are not changed, so that learning is an upper bound; gate units, the
        comparison of actions and the rest between trials are not counted.
        """
        sizes = (self.features, *self.hidden, self.actions)
        lowest = {"streams": inputs(self.streams * self.features, 1 if self.streams > 1 else self.hidden[0], self.encoder)}
        if self.streams > 1:
            lowest["relay"] = population(self.features, self.hidden[0], self.neuron)
        above = {name: population(n, m, self.neuron) for name, n, m in zip(self.layers[1:], sizes[1:], sizes[2:], strict=False)}
        told = {
            name: dataclasses.replace(one if name not in self.layers else learning(self.rule, "pre", one, 0), updates=0)
            for name, one in {**lowest, **above}.items()
        }
        plastic = sum(n * m for n, m in zip(sizes, sizes[1:], strict=False))
        change = operations(
            f"{self.rule.on_pre}\ndw = dw*surprise*attention\n{LAND}\n{LAND.replace('w =', 'back =', 1)}", _FACTORS
        )
        sent = Operations(additions=1, multiplications=1, weight_words=1, sums=1)
        return CostModel(told, (2 - self.fixed) * plastic, Operations(), plastic * (change + sent))

    def build(self, net: Net) -> None:
        names = {
            "label": net.table("label", np.zeros(self.block), self.trial),
        }
        if self.streams > 1:
            names["cue"] = net.table("cue", np.zeros(self.block), self.trial)
        critic = net.group(
            "critic",
            1,
            """surprise : 1
            predicted : 1
            other : 1
            drawn : 1
            explore : 1 (constant)
            learning : 1 (constant)
            feedback : 1 (constant)
            misled : 1 (constant)
            predicts : 1 (constant)
            always : 1 (constant)""",
            namespace=names,
            method="exact",
        )
        critic.feedback = critic.predicts = 1
        net.onset(
            critic,
            f"""surprise = always
            predicted = 0
            lucky = rand()
            drawn = int(lucky < explore)*(1 + int(rand()*{self.actions})) - 1
            other = int(rand()*{self.actions})""",
            self.trial,
        )
        shared = "learning : 1 (linked)"
        learning = {"learning": linked_var(critic, "learning")}
        gate, lowest = self._below(net, names, shared, learning)

        layers = [lowest]
        for k, n in enumerate(self.hidden, start=1):
            events = self._learns() | {"echo": f"{self.at(f'echo_{k}')} and (learning > 0.5) and (post_active > 0.5)"}
            layer = net.neurons(
                f"hidden_{k}", self.neuron, n, equations=f"attention : 1\ncount : 1\n{shared}", reset="count += 1",
                events=events, method="exact",
            )  # fmt: skip
            layer.learning = learning["learning"]
            net.onset(layer, "v = 0.5*threshold\nattention = 0\ncount = 0", self.trial, forget=True)
            layers.append(layer)
        linked = ("learning", "drawn", "other", "misled")
        action = net.group(
            "action",
            self.actions,
            "v : 1\nbeaten : 1\nattention : 1\n" + "\n".join(f"{name} : 1 (linked)" for name in linked),
            method="exact",
            threshold=f"{self.at('choose')} and (int(drawn >= 0)*abs(drawn - i) + int(drawn < 0)*beaten < 0.5)",
            events={
                "compare": self.at("compare"),
                "send": f"{self.at('choose')} and (learning > 0.5) and (int(misled > 0.5)*abs(other - i)"
                " + int(misled <= 0.5)*(int(drawn >= 0)*abs(drawn - i) + int(drawn < 0)*beaten) < 0.5)",
            },
        )
        for name in linked:
            setattr(action, name, linked_var(critic, name))
        net.onset(action, "v = 0\nbeaten = 0\nattention = 1", self.trial, forget=True)
        layers.append(action)
        net.wire(
            "compete", action, action, {"compare": "beaten_post += int(v_pre > v_post) + int(v_pre == v_post)*int(i < j)"},
            connect="i != j", on_event={"compare": "compare"},
        )  # fmt: skip
        net.wire(
            "judge", action, critic,
            "predicted_post += v_pre\nsurprise_post += int(abs(label(t) - i) < 0.5) - predicts_post*v_pre", namespace=names,
        )  # fmt: skip

        for k, (below, above) in enumerate(zip(layers, layers[1:], strict=False), start=1):
            taught = k > 1 or self.attends  # whether anything below this layer learns from its attention
            top = above is action
            event = {"sent_back": ("send" if top else "echo", "attention_pre += feedback*back" + "*attention_post" * (not top))}
            plastic = net.learn(
                self.rule, below, above, name=f"plastic_{k}", transmit=f"v_post += drive*w{self._gain(k)}",
                landing=Landing(-MOST, MOST), gate=FACTORS + self._gain(k), seen="outcome",
                reciprocal="" if self.fixed else "back", at_post_event=event if taught else {}, plastic="1",
                model="drive : 1 (shared, constant)" + "\nback : 1" * self.fixed,
            )  # fmt: skip
            for name in ("surprise", "feedback"):
                plastic.variables.add_reference(name, critic, name, index="0")
            net.inputs({f"w_{k}": plastic.w, f"back_{k}": plastic.back, f"eta_{k}": plastic.eta, f"drive_{k}": plastic.drive})
            net.outputs({f"w_{k}": plastic.w, f"back_{k}": plastic.back})
        for k, layer in enumerate(layers[1:-1], start=1):
            counts = net.add(StateMonitor(layer, "count", record=True, dt=self.trial, when="start", order=-1, name=f"counts_{k}"))
            net.outputs({f"counts_{k}": counts.state("count"), f"last_{k}": layer.count})
        for group in dict.fromkeys([net.groups["streams"], *layers[:-1]]) if self.record else ():
            every = net.add(SpikeMonitor(group, name=f"{group.name}_spikes"))
            net.outputs({f"{group.name}.i": every.i, f"{group.name}.t": every.t})
        choices = net.add(SpikeMonitor(action, name="choices"))
        told = net.add(
            StateMonitor(critic, ["predicted", "surprise"], record=[0], dt=self.trial, when="start", order=-1, name="told")
        )
        net.count(*([net.groups["streams"]] if self.streams > 1 else []), *layers[:-1])
        net.inputs({name: getattr(critic, name) for name in GIVEN})
        net.outputs(choice=choices.i, predicted=told.state("predicted"), surprise=told.state("surprise"))
        net.lasts(self.block * self.trial)

    def _below(self, net: Net, names, shared: str, learning):
        """Streams, and where there are several the gate units and the relay in which they meet: the lowest layer."""
        n = self.streams * self.features
        names["rates"] = net.table("rates", np.zeros((self.block, n)) * Hz, self.trial)
        if self.streams == 1:
            streams = net.encode(
                self.encoder, n, "streams", "rates(t, i)", self.trial, equations=shared, values=learning,
                namespace=names, events=self._learns(), method="euler",
            )  # fmt: skip
            net.onset(streams, "", self.trial, forget=True)
            return None, streams
        gate = net.group("gate", self.streams, "open : 1\nattention : 1", method="exact", threshold="timestep(t, dt) % "
                         f"{round(float(self.trial / self.dt))} == 1")  # fmt: skip
        net.onset(gate, "open = 0\nattention = 0", self.trial, forget=True)
        relay = net.neurons(
            "relay", lif_subtractive(tau_m=1e7 * ms), self.features, equations=f"attention : 1\n{shared}", method="exact",
            events=self._learns() | {"echo": f"{self.at('echo_0')} and (learning > 0.5)"},
        )  # fmt: skip
        relay.learning = learning["learning"]
        net.onset(relay, "v = 0.5*threshold\nattention = 0", self.trial, forget=True)
        streams = net.encode(
            self.encoder, n, "streams", "rates(t, i)", self.trial, equations=f"sent : 1\ngain : 1\nattention : 1\n{shared}",
            reset="sent += 1", namespace=names, values=learning, method="euler",
            events={"report": f"{self.at('report')} and (learning > 0.5) and (sent > 0.5)"},
        )  # fmt: skip
        net.onset(streams, "sent = 0\nattention = 0\ngain = 0", self.trial)
        net.wire(
            "set_gain",
            gate,
            streams,
            "gain_post += open_pre",
            connect={"j": f"k for k in range(i*{self.features}, (i + 1)*{self.features})"},
        )
        net.wire(
            "project", streams, relay, "v_post += gain_pre", connect={"j": f"i % {self.features}"},
            on_post={"carry": "attention_pre += attention_post"}, on_event={"pre": "spike", "carry": "echo"},
        )  # fmt: skip
        report = net.wire(
            "report", streams, gate, {"report": "attention_post += per_spike*sent_pre*attention_pre"},
            "per_spike : 1 (shared, constant)", connect={"j": f"int(i/{self.features})"}, on_event={"report": "report"},
        )  # fmt: skip
        cue = net.group(
            "cue", self.streams, f"total : 1\n{shared}", method="exact",
            threshold=f"(timestep(t, dt) % {round(float(self.trial / self.dt))} == 0) and (abs(cue(t) - i) < 0.5)",
            namespace=names, events=self._learns(),
        )  # fmt: skip
        cue.learning = learning["learning"]
        net.onset(cue, "total = 0", self.trial, forget=True)
        shut = "int(total_pre <= 0)"  # gate units that all closed are equal again
        choose = net.learn(
            self.rule, cue, gate, name="plastic_gate", transmit="open_post += w", landing=Landing(0, 1), gate=FACTORS,
            seen="outcome", plastic="1",
            at_event={
                "measure": ("outcome", "total_pre += w"),
                "rescale": ("outcome", f"w = (w + {shut})/(total_pre + N_post*{shut})"),
            },
        )  # fmt: skip
        choose.variables.add_reference("surprise", net.groups["critic"], "surprise", index="0")
        net.inputs(w_gate=choose.w, eta_gate=choose.eta, per_spike=report.per_spike)
        net.outputs(w_gate=choose.w)
        return gate, relay
