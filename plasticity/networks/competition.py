"""Streams meet in a relay, compete for spiking neurons, and a teacher says which class may win.

    stream 0  o o o --\
                       >-- relay o o o ==plastic==> class neurons o o o --inhibition--> each other
    stream 1  o o o --/                                  ^ teacher silences the other classes (training only)

Attention acts as a gain on the streams' firing rates (plasticity.gates), so that the attended image dominates where both
meet, as in biased competition (Reynolds, Chelazzi & Desimone 1999, doi:10.1523/JNEUROSCI.19-05-01736.1999).
Winner-take-all competition with adaptive thresholds and STDP follows Diehl & Cook 2015
(doi:10.3389/fncom.2015.00099) and Querlioz, Bichler, Dollfus & Gamrat 2013 (doi:10.1109/TNANO.2013.2250995).
The weights of each neuron are scaled to a fixed length once a trial, the multiplicative form of
synaptic scaling (Turrigiano et al. 1998, doi:10.1038/36103) with the Euclidean norm to which Oja's rule converges
(Oja 1982, doi:10.1007/BF00275687).
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from brian2 import Hz, Network, Quantity, SpikeMonitor, Synapses, TimedArray, defaultclock, ms

from plasticity.activity import Anatomy, drift, learning, operations, population, summed
from plasticity.encoders import Encoder, poisson
from plasticity.engine import Model, neutral
from plasticity.neurons import Neuron, lif_adaptive
from plasticity.rules import Landing, Rule, pair_stdp

OUTPUT = lif_adaptive(tau_m=100 * ms, theta_plus=0.01, tau_theta=1e7 * ms)
RELAY = lif_adaptive(tau_m=5 * ms, t_ref=1 * ms, adapt=0.0)
_MEASURE = "length_squared_post += w**2"
_FACTOR = "length/sqrt(length_squared_post)"
_RESCALE = f"w = clip(w*{_FACTOR}, w_min, w_max)"


@dataclasses.dataclass(frozen=True)
class Competition:
    """What is compiled: sizes, rule, neuron and encoder. Numbers that a run can set are not part of it.

    Parameters
    ----------
    streams, features, neurons : int
        How many streams, inputs in each of them, and class neurons.
    rule, landing : Rule, Landing
        Of the plastic synapses from the relay to the class neurons; weights without unit.
    output, relay : Neuron
        The two spiking layers.
    encoder : Encoder
        Rates to spikes.
    trial, dt : Quantity
        How long one trial lasts, and the time step.
    block : int
        The most trials in one run.
    """

    streams: int
    features: int
    neurons: int
    rule: Rule = pair_stdp
    landing: Landing = dataclasses.field(default_factory=Landing)
    output: Neuron = OUTPUT
    relay: Neuron = RELAY
    encoder: Encoder = poisson
    trial: Quantity = dataclasses.field(default_factory=lambda: 100 * ms)
    dt: Quantity = dataclasses.field(default_factory=lambda: 1 * ms)
    block: int = 500

    def structure(self) -> Competition:
        """The same network with every run-time number replaced by a 1 of its unit: what is hashed and compiled."""
        return dataclasses.replace(self, rule=neutral(self.rule), output=neutral(self.output), relay=neutral(self.relay))

    def values(self) -> dict[str, float]:
        """The run-time numbers, by the name of their input."""
        numbers = {f"output.{key}": float(value) for key, value in self.output.parameters.items() if key != "adapt"}
        numbers |= {f"relay.{key}": float(value) for key, value in self.relay.parameters.items()}
        return numbers | {name: float(self.rule.parameters[key]) for name, (_, key) in self.rule_inputs().items()}

    def rule_inputs(self) -> dict[str, tuple[str, str]]:
        """Where each parameter of the rule lies: input name -> (group, parameter)."""
        return self.rule.places("relay", "output")

    def anatomy(self) -> Anatomy:
        """What is counted to say what a trial costs; the teacher and the rest between trials are not."""
        plastic = self.features * self.neurons
        relay = population(self.features, self.neurons, self.relay)
        output = population(self.neurons, self.neurons - 1, self.output, switch="adapt")
        return Anatomy(
            {
                "streams": population(self.streams * self.features, 1),
                "relay": learning(self.rule, "pre", relay, self.neurons),
                "output": learning(self.rule, "post", output, self.features),
            },
            plastic,
            drift(self.rule),
            plastic * (summed(_MEASURE, {"length_squared"}) + operations(_RESCALE.replace(_FACTOR, "factor"), {"factor"}))
            + self.neurons * operations(f"factor = {_FACTOR}", {"length_squared", "factor"}),
        )


def build(spec: Competition) -> Model:
    """The Brian2 network of a `Competition`; trial k lasts from k*trial to (k+1)*trial.

    Inputs per run: `rates` (trials, streams*features; hertz), `teacher` (class that may win, -1 for none), `learn` (0 or 1 per
    trial), `w` (features*neurons), `theta`, `label` (neurons), `drive`, `relay_weight`, `inhibition`, `teaching`, `length`, and
    every parameter of rule, output and relay. Outputs: `spike_neuron`, `spike_time`, `w`, `theta`, and how often each neuron of a
    population fired: `streams.spikes`, `relay.spikes`, `output.spikes`.
    """
    defaultclock.dt = spec.dt
    rates = TimedArray(np.zeros((spec.block, spec.streams * spec.features)) * Hz, dt=spec.trial, name="rates")
    teacher = TimedArray(np.zeros(spec.block), dt=spec.trial, name="teacher")
    learn = TimedArray(np.zeros(spec.block), dt=spec.trial, name="learn")
    names = {"rates": rates, "teacher": teacher, "learn": learn}
    steps = round(float(spec.trial / spec.dt))

    pre_equations, pre_spike, pre_values = spec.rule.neuron_traces("pre")
    post_equations, post_spike, post_values = spec.rule.neuron_traces("post")
    forget_pre = "\n".join(f"{t.name} = 0" for t in spec.rule.side("pre"))
    forget_post = "\n".join(f"{t.name} = 0" for t in spec.rule.side("post"))

    streams = spec.encoder.group(
        spec.streams * spec.features, "streams", "rates(t, i)", spec.trial, namespace=names, method="euler"
    )
    relay = spec.relay.group(
        spec.features,
        "relay",
        equations=pre_equations,
        reset=pre_spike,
        values=pre_values,
        events={"scale": f"(timestep(t, dt) % {steps} == {steps - 1}) and (learn(t) > 0.5)"},
        method="exact",
        namespace=names,
    )
    output = spec.output.group(
        spec.neurons,
        "output",
        current="-teaching*int(teacher(t) > -0.5)*int(abs(teacher(t) - label) > 0.5)",
        equations="label : 1 (constant)\nlength_squared : 1\nteaching : 1 (shared, constant)\n" + post_equations,
        reset=post_spike,
        values=post_values,
        method="euler",
        namespace=names,
        expressions={"adapt": "learn(t)"},
    )
    relay.run_regularly("v = rest\n" + forget_pre, dt=spec.trial, when="start", name="relay_onset")
    output.run_regularly("v = rest\nlength_squared = 0\n" + forget_post, dt=spec.trial, when="start", name="output_onset")

    project = Synapses(
        streams, relay, "relay_weight : 1 (shared, constant)", on_pre="v_post += relay_weight", name="project", namespace={}
    )
    project.connect(j=f"i % {spec.features}")
    plastic = spec.rule.synapses(
        relay,
        output,
        transmit="v_post += drive*w",
        landing=spec.landing,
        traces="neuron",
        plastic="learn(t)",
        at_event={
            "measure": ("scale", _MEASURE),
            "rescale": ("scale", _RESCALE),
        },
        model="drive : 1 (shared, constant)\nlength : 1 (shared, constant)",
        namespace=names,
        name="plastic",
    )
    plastic.connect()
    compete = Synapses(
        output, output, "inhibition : 1 (shared, constant)", on_pre="v_post -= inhibition", name="compete", namespace={}
    )
    compete.connect(condition="i != j")
    spikes = SpikeMonitor(output, name="spikes")
    counters = [SpikeMonitor(group, record=False, name=f"{group.name}_counter") for group in (streams, relay)]

    inputs: dict[str, Any] = {
        **names,
        "w": plastic.w,
        "theta": output.theta,
        "label": output.label,
        "teaching": output.teaching,
        "drive": plastic.drive,
        "length": plastic.length,
        "relay_weight": project.relay_weight,
        "inhibition": compete.inhibition,
    }
    groups = {"relay": relay, "output": output, "plastic": plastic}
    inputs |= {f"output.{key}": getattr(output, key) for key in spec.output.parameters if key != "adapt"}
    inputs |= {f"relay.{key}": getattr(relay, key) for key in spec.relay.parameters}
    inputs |= {name: getattr(groups[group], key) for name, (group, key) in spec.rule_inputs().items()}
    outputs = {"spike_neuron": spikes.i, "spike_time": spikes.t, "w": plastic.w, "theta": output.theta}
    outputs |= {f"{counter.source.name}.spikes": counter.count for counter in (*counters, spikes)}
    network = Network(streams, relay, output, project, plastic, compete, spikes, counters)
    return Model(network, spec.block * spec.trial, inputs, outputs)
