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

Time step. How much fires must not depend on it. What made it do so, and how it is kept from that:

- Several class neurons that pass their threshold in one step would all fire, since inhibition acts at its end. The first one
  alone fires, the one farthest above threshold, unless inhibition leaves another one above it.
- What a class neuron gets in a step after it has passed its threshold stays: the threshold is subtracted at a spike.
- A spike acts at the end of its step and leaks from the beginning: weights and inhibition are those of its middle.
- A relay neuron answers every spike with one, at once or in the next step, if both streams fire in the same.
- Two layers are two steps: inputs are silent in the last 2 ms of a trial, so that all that they sent arrives within it.

What is left goes with dt: inputs fire at most once a step, with less variance than a Poisson process by the factor 1 - rate dt.
"""

from __future__ import annotations

import dataclasses
import logging
from typing import Any

import numpy as np
from brian2 import Hz, SpikeMonitor, linked_var, ms

from plasticity.checked import Time, checked
from plasticity.encoders import Encoder, poisson
from plasticity.engine.operations import CostModel, inputs, operations, population, summed
from plasticity.errors import WrongUse
from plasticity.networks.network import Net, Network, run_time
from plasticity.neurons import Neuron, integrate_and_fire, lif_adaptive
from plasticity.rules import Landing, Rule, pair_stdp
from plasticity.structure import Structure
from plasticity.structure.new_neurons import AT_SPIKE, CONSTANTS, NEURONS, TURNOVER

__all__ = ["Competition"]

# Brian2 warns that `lead_post` may depend on the order in which spikes are worked through; a maximum does not
logging.getLogger("brian2.codegen.generators.base").addFilter(lambda told: "lead_post" not in told.getMessage())

OUTPUT = dataclasses.replace(
    lif_adaptive(tau_m=100 * ms, theta_plus=0.01, tau_theta=1e7 * ms),
    reset="v = reset + v - (threshold + theta)\ntheta += adapt*theta_plus",
)
RELAY = dataclasses.replace(integrate_and_fire, equations="v : 1", parameters={"threshold": 1.0})  # spikes alone drive it
DARK = 2 * ms  # at the end of a trial, when its inputs are silent: what they sent has arrived by then
_OVER = "v{0} - (threshold{0} + theta{0})"
_HALF = "exp(dt/(2*tau_m_post))"  # of a step, of leak
_MEASURE = "length_squared_post += w**2"
_FACTOR = "length/sqrt(length_squared_post)"
_RESCALE = f"w = clip(w*{_FACTOR}, w_min, w_max)"
_RESCALE_ALIVE = _RESCALE.replace("(length_squared_post)", "(clip(length_squared_post, 1e-12, inf))")  # a neuron may have none


@checked
@dataclasses.dataclass(frozen=True)
class Competition(Network):
    """Relay and competing class neurons; trial k lasts from k*trial to (k+1)*trial.

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
        How long one trial lasts, its last 2 ms without inputs, and the time step.
    block : int
        The most trials in one run.
    pool : Structure or None
        Which of the plastic synapses are alive changes by a law.
    apart : bool
        For controls: plasticity takes the table `seen` for the spikes of the relay, and has a switch of its own.

    Inputs per run: `rates` (trials, streams*features; hertz), `teacher` (class that may win, -1 for none), `learn` (0 or 1 per
    trial), `w` (features*neurons), `theta`, `label` (neurons), `drive`, `relay_weight`, `inhibition`, `teaching`, `length`, and
    every parameter of rule, output and relay. Outputs: `spike_neuron`, `spike_time`, `w`, `theta`, and how often each neuron of a
    population fired: `streams.spikes`, `relay.spikes`, `output.spikes`. With `apart` further inputs `seen` (steps, features; 1
    for a spike) and `changing` (0 or 1: whether weights change), and outputs `relay_neuron` and `relay_time`. Which spikes the
    relay fires depends on seed and rates alone, so that a second run can be given those of a first one, displaced. With a pool
    what `Net.follow` says of it.
    """

    streams: int
    features: int
    neurons: int
    rule: Rule = run_time(pair_stdp, "relay", "output")
    landing: Landing = dataclasses.field(default_factory=Landing)
    output: Neuron = run_time(OUTPUT, "output", apart=("adapt",))
    relay: Neuron = run_time(RELAY, "relay")
    encoder: Encoder = poisson
    trial: Time = dataclasses.field(default_factory=lambda: 100 * ms)
    dt: Time = dataclasses.field(default_factory=lambda: 1 * ms)
    block: int = 500
    pool: Structure | None = None
    apart: bool = False

    def __post_init__(self) -> None:
        steps, lit = self.steps()
        if lit < 1:
            raise WrongUse(f"trial={self.trial} must be longer than {(steps - lit) * self.dt}, in which its last spikes arrive.")

    @property
    def turnover(self) -> bool:
        """Whether class neurons come from a reserve, and go back."""
        return self.pool is not None and "there_post" in self.pool.law.needs

    def steps(self) -> tuple[int, int]:
        """Time steps of a trial, and those of them in which its inputs fire."""
        steps = round(float(self.trial / self.dt))
        return steps, steps - max(2, round(float(DARK / self.dt)))

    def costs(self) -> CostModel:
        """What is counted to say what a trial costs; teacher, rest between trials, and who is first in a step are not."""
        plastic = self.features * self.neurons
        return self.cost_model(
            {
                "streams": inputs(self.streams * self.features, 1, self.encoder),
                "relay": population(self.features, self.neurons, self.relay),
                "output": population(self.neurons, self.neurons - 1, self.output, switch="adapt"),
            },
            self.rule,
            "relay",
            "output",
            plastic * (summed(_MEASURE, {"length_squared"}) + operations(_RESCALE.replace(_FACTOR, "factor"), {"factor"}))
            + self.neurons * operations(f"factor = {_FACTOR}", {"length_squared", "factor"}),
        )

    def build(self, net: Net) -> None:
        rates = net.table("rates", np.zeros((self.block, self.streams * self.features)) * Hz, self.trial)
        teacher = net.table("teacher", np.zeros(self.block), self.trial)
        learn = net.table("learn", np.zeros(self.block), self.trial)
        names = {"rates": rates, "teacher": teacher, "learn": learn}
        steps, lit = self.steps()
        displaced: dict[str, Any] = {}
        switch = "learn(t)"
        if self.apart:
            names["seen"] = net.table("seen", np.zeros((self.block * steps, self.features)), self.dt)
            displaced, switch = {"seen": "seen_spike"}, "learn(t)*changing"

        streams = net.encode(
            self.encoder, self.streams * self.features, "streams", f"rates(t, i)*int(timestep(t, dt) % {steps} < {lit})",
            self.trial, namespace=names, method="euler",
        )  # fmt: skip
        relay = net.neurons(
            "relay",
            self.relay,
            self.features,
            events={
                "scale": f"(timestep(t, dt) % {steps} == {steps - 1}) and (learn(t) > 0.5)",
                **({"seen_spike": "seen(t, i) > 0.5"} if self.apart else {}),
            },
            method="exact",
            namespace=names,
            **displaced,
        )
        first = net.group("first", 1, "lead : 1")  # how far above threshold the first one is
        first.run_regularly("lead = 0", when="start", name="first_anew")
        output = net.neurons(
            "output",
            self.output,
            self.neurons,
            current="-teaching*int(teacher(t) > -0.5)*int(abs(teacher(t) - label) > 0.5)",
            equations="""label : 1 (constant)
            length_squared : 1
            teaching : 1 (shared, constant)
            inhibition : 1 (shared, constant)
            lead : 1 (linked)"""
            + NEURONS * self.turnover,
            reset=AT_SPIKE * self.turnover,
            threshold=f"{_OVER.format('')} >= clip(inhibition, 0, lead) - 1e-9",  # rounding
            events={"ready": self.output.threshold},
            method="exponential_euler",
            namespace=names,
            expressions={"adapt": "learn(t)"},
        )
        output.lead = linked_var(first, "lead")
        output.set_event_schedule("ready", when="after_groups")
        race = net.wire("race", output, first, f"lead_post = clip({_OVER.format('_pre')}, lead_post, inf)", on_event="ready")
        race.pre.when = "before_thresholds"
        net.onset(relay, "v = 0", self.trial, forget=True)
        net.onset(output, "v = rest\nlength_squared = 0", self.trial, forget=True)

        project = net.wire(
            "project", streams, relay, "v_post += relay_weight", "relay_weight : 1 (shared, constant)",
            connect={"j": f"i % {self.features}"},
        )  # fmt: skip
        plastic = net.learn(
            self.rule,
            relay,
            output,
            transmit=f"v_post += drive*{_HALF}*w",
            landing=self.landing,
            plastic=switch,
            at_event={"measure": ("scale", _MEASURE), "rescale": ("scale", _RESCALE if self.pool is None else _RESCALE_ALIVE)},
            model="drive : 1 (shared, constant)\nlength : 1 (shared, constant)"
            + "\nchanging : 1 (shared, constant)" * self.apart,
            namespace=names,
            structure=self.pool,
            **displaced,
        )
        if self.pool:
            net.follow(plastic)
        if self.pool and self.turnover:
            every = f"({float(self.pool.every)!r}*second)"
            output.run_regularly(
                TURNOVER.format(every=every), dt=self.pool.every, when="start", order=-32, name="output_turnover"
            )
            output.run_regularly(
                f"elapsed = elapsed + {every}", dt=self.pool.every, when="start", order=-31, name="output_elapsed"
            )
            state = net.at("output.there", "output.lived", "output.used")
            net.inputs({**state, **net.at("output.elapsed", *(f"output.{name}" for name in CONSTANTS))})
            net.outputs(state)
        net.wire("compete", output, output, f"v_post -= inhibition_pre/{_HALF}", connect="i != j")
        spikes = net.add(SpikeMonitor(output, name="spikes"))

        net.inputs(
            w=plastic.w, theta=output.theta, label=output.label, teaching=output.teaching, drive=plastic.drive,
            length=plastic.length, relay_weight=project.relay_weight, inhibition=output.inhibition,
        )  # fmt: skip
        net.outputs(spike_neuron=spikes.i, spike_time=spikes.t, w=plastic.w, theta=output.theta)
        net.count(streams, relay)
        net.outputs({"output.spikes": spikes.count})
        if self.apart:
            trains = net.add(SpikeMonitor(relay, name="trains"))
            net.inputs(changing=plastic.changing)
            net.outputs(relay_neuron=trains.i, relay_time=trains.t)
        net.lasts(self.block * self.trial)
