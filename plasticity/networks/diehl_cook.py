"""Digits learnt without labels, by competition: inputs, excitatory neurons, and an inhibitory partner for each of them.

    inputs o o o ==plastic==> excitatory o o o --one to one--> inhibitory o o o --to all others--> excitatory o o o
                                   ^ thresholds rise with each spike and fall back slowly

An image is shown for `shown`, then nothing for `rest`; together a presentation. At the start of each presentation the weights
onto each neuron are scaled to the sum `total`. If an image drew fewer than `enough` spikes from all neurons together, it is
shown again with the intensity raised by 1. All this happens inside the network: a neuron named `control` holds the number of the
image and the intensity.

Pixels fire as Poisson processes in steps of dt, at their rate times the intensity. The number of steps to the next spike is drawn
at a spike (see plasticity.networks.poisson_trains), one random number for a spike and not one for a step.

Diehl & Cook 2015, doi:10.3389/fncom.2015.00099. Numbers as in the authors' public program, with these differences:

- The membrane is integrated by exponential Euler and not by Euler: the latter runs away where many neurons spike in one step.
- No transmission delays. The program draws one for each synapse, up to 10 ms.
- After a spike a neuron is refractory for 5 ms, as the paper says.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from brian2 import Hz, NeuronGroup, Quantity, SpikeMonitor, StateMonitor, linked_var, ms, mV, second

from plasticity import memory
from plasticity.checked import Count, Time, checked
from plasticity.engine.operations import CostModel, inputs, operations, population, summed
from plasticity.errors import WrongUse
from plasticity.networks.network import Net, Network, one_to_one, run_time
from plasticity.neurons import Neuron, lif_conductance
from plasticity.rules import Landing, Rule, diehl_cook

__all__ = ["DiehlCook"]

# thresholds are 20 mV below the paper's -52 mV, and theta starts at 20 mV
EXCITATORY = lif_conductance(
    tau_m=100 * ms, rest=-65 * mV, reset=-65 * mV, threshold=-72 * mV, t_ref=5 * ms, E_exc=0 * mV, tau_e=1 * ms
)
INHIBITORY = lif_conductance(
    tau_m=10 * ms, rest=-60 * mV, reset=-45 * mV, threshold=-40 * mV, t_ref=2 * ms, E_exc=0 * mV, tau_e=1 * ms
)
CONSTANTS = {"tau_i": 2 * ms, "E_inh": -100 * mV, "theta_plus": 0.05 * mV, "tau_theta": 1e7 * ms}
PLASTIC = 3  # variables of a plastic synapse: its weight, as it is given, held and handed back
THETA = 20 * mV  # at the start
BRIGHTEST = 20  # an image that draws too few spikes at this multiple of its first intensity is given up
_INHIBITION = """dgi/dt = -gi/tau_i : 1
theta : volt
sum_w : 1
tau_i : second (shared, constant)
E_inh : volt (shared, constant)
theta_plus : volt (shared, constant)
tau_theta : second (shared, constant)
learn : 1 (shared, constant)"""
_CURRENT = "gi*(E_inh - v)"
_THRESHOLD = "v > threshold + theta"
_SPIKE = "theta += learn*theta_plus"
_MEASURE = "sum_w_post += w"
_FACTOR = "(1 + plastic*(total/sum_w_post - 1))"
_RESCALE = f"w = clip(w*{_FACTOR}, w_min, w_max)"
_NEVER = 2_000_000_000  # number of a step that no run reaches
_STEPS = "int(clip(log(1 - rand())*scale, 0, 1e8))"  # scale = 1/log(1 - rate dt)


@checked
@dataclasses.dataclass(frozen=True)
class DiehlCook(Network):
    """Inputs, excitatory and inhibitory neurons, and the control that shows the images.

    Parameters
    ----------
    inputs, neurons : int
        Pixels, and excitatory (as many inhibitory) neurons.
    images, presentations : int
        The most images and presentations in one run.
    rule, landing : Rule, Landing
        Of the plastic synapses; weights without unit.
    excitatory, inhibitory : Neuron
        With a conductance `ge`, in units of the leak.
    shown, rest, dt : Quantity
        How long an image is shown, how long nothing, and the time step; both multiples of it.
    precision : str
        "single" or "double": of every number but time, in compiled programs; Brian2's NumPy target knows double only.
    trains : bool
        Hand back the input spikes too (many).
    apart : bool
        For controls: plasticity sees other Poisson spikes than those that are transmitted, at the same rates.

    Inputs per run: `images` (images, inputs; hertz at intensity 1), `last` (how many of them there are), `learn` (0 or 1:
    thresholds), `plastic` (the same: weights), `first` (intensity at which an image is first shown), `enough` (spikes), `total`,
    `w_ei`, `w_ie`, the state (see `state`), `CONSTANTS` as excitatory.NAME, and every parameter of rule and neurons. Outputs: the
    state, `spike_neuron`, `spike_time`, for each presentation `shown_image` and `shown_intensity`, shape (presentations, 1), and
    how often each neuron of a population fired: `inputs.spikes`, `excitatory.spikes`, `inhibitory.spikes`; with `trains` also
    `input_neuron` and `input_time`.
    """

    inputs: Count = 784
    neurons: Count = 400
    images: Count = 1000
    presentations: Count = 1000
    rule: Rule = run_time(diehl_cook, "inputs", "excitatory")
    landing: Landing = dataclasses.field(default_factory=Landing)
    excitatory: Neuron = run_time(EXCITATORY, "excitatory")
    inhibitory: Neuron = run_time(INHIBITORY, "inhibitory")
    shown: Time = dataclasses.field(default_factory=lambda: 350 * ms)
    rest: Time = dataclasses.field(default_factory=lambda: 150 * ms)
    dt: Time = dataclasses.field(default_factory=lambda: 0.5 * ms)
    precision: str = "single"
    trains: bool = False
    apart: bool = False

    def __post_init__(self) -> None:
        for name in ("shown", "rest"):
            steps = float(getattr(self, name) / self.dt)
            if abs(steps - round(steps)) > 1e-6 or round(steps) < 1:
                raise WrongUse(f"{name}={getattr(self, name)} must be a multiple of the time step dt={self.dt}.")

    @property
    def bytes(self) -> float:
        pictures = 8.0 * memory.COPIES * self.images * self.inputs
        return memory.of_synapses(self.neurons**2) + memory.of_synapses(self.inputs * self.neurons, PLASTIC) + pictures

    @property
    def presentation(self) -> Quantity:
        return self.shown + self.rest

    def values(self) -> dict[str, Any]:
        """The run-time numbers, by the name of their input; with them the network starts at rest."""
        rests = {f"{name}.v": float(getattr(self, name).parameters["rest"]) for name in ("excitatory", "inhibitory")}
        constants = {f"excitatory.{key}": float(value) for key, value in CONSTANTS.items()}
        return super().values() | constants | rests | {"excitatory.theta": float(THETA)}

    def state(self) -> tuple[str, ...]:
        """What a later run needs to go on where this one stopped, as `group.variable`."""
        traces = [f"{group}.{trace.name}" for group in ("inputs", "excitatory") for trace in self.rule_traces(group)]
        neurons = ["excitatory.v", "excitatory.ge", "excitatory.gi", "excitatory.theta", "inhibitory.v", "inhibitory.ge"]
        return ("plastic.w", *neurons, *traces, "control.image", "control.intensity", "control.count")

    def costs(self) -> CostModel:
        """What is counted to say what an image costs; `control`, which chooses the image, is not."""
        plastic = self.inputs * self.neurons
        inhibited = f"{_INHIBITION}\nI = {_CURRENT} : volt"
        return self.cost_model(
            {
                "inputs": inputs(self.inputs, self.neurons, None),
                "excitatory": population(self.neurons, 1, self.excitatory, inhibited, _THRESHOLD, _SPIKE, switch="learn"),
                "inhibitory": population(self.neurons, self.neurons - 1, self.inhibitory),
            },
            self.rule,
            "inputs",
            "excitatory",
            plastic * (summed(_MEASURE, {"sum_w"}) + operations(_RESCALE.replace(_FACTOR, "factor"), {"factor"}))
            + self.neurons * operations(f"factor = {_FACTOR}\ntheta = theta*decay", {"sum_w", "factor", "theta"}),
        )

    def build(self, net: Net) -> None:
        period, step = self.presentation, float(self.dt)
        steps, lit = round(float(period / self.dt)), round(float(self.shown / self.dt))
        # A table: row k is looked up as if it were a time, so that a presentation can show any image.
        images = net.table("images", np.zeros((self.images, self.inputs)) * Hz, 1 * second)

        control = net.group(
            "control",
            1,
            """image : integer
            intensity : 1
            count : 1
            first : 1 (constant)
            enough : 1 (constant)
            last : integer (constant)""",
        )
        control.run_regularly(
            f"""again = int(count < enough)*int(intensity < {BRIGHTEST}*first)
            intensity = again*(intensity + 1) + (1 - again)*first
            image = image + 1 - again
            count = 0""",
            dt=period,
            when="start",
            order=-2,
            name="control_next",
        )

        traces, counted, values = self.traces_at("inputs")
        inputs = NeuronGroup(
            self.inputs,
            f"""next_step : integer
            scale : 1
            image : integer (linked)
            intensity : 1 (linked)
            last : integer (linked)
            {traces}"""
            + "\nseen_step : integer" * self.apart,
            threshold="t_in_timesteps >= next_step",
            reset=f"next_step += 1 + {_STEPS}\n{'' if self.apart else counted}",
            events={
                "onset": f"timestep(t, dt) % {steps} == 0",
                **({"seen": "t_in_timesteps >= seen_step"} if self.apart else {}),
            },
            method="exact",
            name="inputs",
            namespace={"images": images},
        )
        net.add(inputs)
        if self.apart:
            inputs.run_on_event("seen", f"seen_step += 1 + {_STEPS}\n{counted}", when="resets")
        for name in ("image", "intensity", "last"):
            setattr(inputs, name, linked_var(control, name))
        inputs.run_regularly(
            f"""p = images((image + 0.5)*second, i)*intensity*int(image >= 0)*int(image < last)*{step!r}*second
            scale = 1/log1p(-clip(p, 1e-12, 0.999))
            next_step = t_in_timesteps + int(p > 0)*{_STEPS} + int(p <= 0)*{_NEVER}"""
            + f"\nseen_step = t_in_timesteps + int(p > 0)*{_STEPS} + int(p <= 0)*{_NEVER}" * self.apart,
            dt=period,
            when="start",
            order=-1,
            name="inputs_lit",
        )
        inputs.run_regularly(
            f"next_step += int(timestep(t, dt) % {steps} == {lit})*({_NEVER} - next_step)"
            + f"\nseen_step += int(timestep(t, dt) % {steps} == {lit})*({_NEVER} - seen_step)" * self.apart,
            dt=int(np.gcd(steps, lit)) * self.dt,
            when="start",
            order=0,
            name="inputs_dark",
        )
        excitatory = net.neurons(
            "excitatory",
            self.excitatory,
            self.neurons,
            current=_CURRENT,
            equations=_INHIBITION,
            threshold=_THRESHOLD,
            reset=_SPIKE,
            values=CONSTANTS,
            method="exponential_euler",
        )
        # once a presentation: in single precision a decay by 5e-8 a step would be lost
        decay = f"theta = theta*(1 - learn*(1 - exp(-{float(period)!r}*second/tau_theta)))"
        net.onset(excitatory, f"sum_w = 0\n{decay}", period, order=-1)
        inhibitory = net.neurons("inhibitory", self.inhibitory, self.neurons, method="exponential_euler")
        for name, value in values.items():
            setattr(inputs, name, value)

        plastic = net.learn(
            self.rule,
            inputs,
            excitatory,
            transmit="ge_post += w",
            landing=self.landing,
            at_event={"measure": ("onset", _MEASURE), "rescale": ("onset", _RESCALE)},
            model="total : 1 (shared, constant)",
            **({"seen": "seen"} if self.apart else {}),
        )
        excite = net.wire("excite", excitatory, inhibitory, "ge_post += w_ei", "w_ei : 1 (shared, constant)", connect=one_to_one)
        inhibit = net.wire("inhibit", inhibitory, excitatory, "gi_post += w_ie*int(i != j)", "w_ie : 1 (shared, constant)")
        net.wire("tell", excitatory, control, "count_post += 1")
        spikes = net.add(SpikeMonitor(excitatory, name="spikes"))
        net.count(inputs, inhibitory)
        shown = StateMonitor(control, ["image", "intensity"], record=True, dt=period, when="before_groups", name="shown")
        net.add(shown)

        state = net.at(*self.state())
        net.inputs(state, **net.at(*(f"excitatory.{key}" for key in CONSTANTS)))
        net.inputs(
            last=control.last, first=control.first, enough=control.enough, learn=excitatory.learn, plastic=plastic.plastic,
            total=plastic.total, w_ei=excite.w_ei, w_ie=inhibit.w_ie,
        )  # fmt: skip
        net.outputs(state, spike_neuron=spikes.i, spike_time=spikes.t)
        net.outputs(shown_image=shown.state("image"), shown_intensity=shown.state("intensity"))
        net.outputs({"excitatory.spikes": spikes.count})
        if self.trains:
            trains = net.add(SpikeMonitor(inputs, name="trains"))
            net.outputs(input_neuron=trains.i, input_time=trains.t)
        net.lasts(self.presentations * period)
