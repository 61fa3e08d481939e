"""Where STDP takes the weights under Poisson input: one neuron that its inputs drive, and synapses between spike trains.

    Competition   n inputs ==plastic==> one neuron. The inputs cause the output spikes, so the synapses compete for them
                  (Song, Miller & Abbott 2000, doi:10.1038/78829).
    PoissonPairs  p x q synapses between p presynaptic and q postsynaptic Poisson trains; nobody drives anybody
                  (Guetig, Aharonov, Rotter & Sompolinsky 2003, doi:10.1523/JNEUROSCI.23-09-03697.2003, uncorrelated trains).

A Poisson train of rate r in steps of dt has a spike in each step with probability r dt, so the number of steps from one spike to
the next is geometric:

    steps = 1 + floor(log(1 - u)/log(1 - r dt)),    u uniform in [0, 1)

Drawn at the spike, this is the very process of the encoder `poisson` (law, not numbers) with one random number for a spike
instead of one for a step: at 15 Hz and 0.1 ms 667 times fewer.

In `PoissonPairs` every synapse sees a pair of independent Poisson trains, which is all that its own weight depends on. Synapses
that share a train are not independent of each other, though: judge by the scatter over seeds.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
from brian2 import Network, NeuronGroup, Quantity, SpikeMonitor, StateMonitor, Synapses, defaultclock, ms, second

from plasticity.engine import Model, neutral
from plasticity.errors import unknown
from plasticity.neurons import Neuron, lif_conductance
from plasticity.rules import Landing, Rule, pair_stdp

TIES = ("none", "potentiate")
_STEPS = "int(floor(log(1 - rand())/log1p(-rate*dt)))"


def poisson_trains(n: int, name: str, equations: str = "", reset: str = "") -> NeuronGroup:
    """A group of n independent Poisson processes of the rate `rate` (hertz, shared, set per run, above 0).

    In each step of dt a neuron spikes with probability rate dt, independently of everything before. It holds the number of the
    step of its next spike, `next_step`, so that a run must stay below 2**31 steps.

    Parameters
    ----------
    n, name : int, str
        How many, and the group's name in Brian2.
    equations, reset : str
        What else the neurons carry (a rule's `neuron_traces`).
    """
    made = NeuronGroup(
        n,
        "\n".join(filter(None, ("rate : Hz (shared, constant)", "next_step : integer", equations))),
        threshold="t_in_timesteps >= next_step",
        reset="\n".join(filter(None, (f"next_step += 1 + {_STEPS}", reset))),
        method="exact",
        name=name,
        namespace={},
    )
    # Once, at t = 0: the rate of a run is not known when initial values are set. Not with a time step longer than any run: on the
    # NumPy target a clock whose step is 10,000 runs long may stop the others before they start.
    first = f"next_step = int(t > 0*second)*next_step + int(t == 0*second)*{_STEPS}"
    made.run_regularly(first, dt=10 * second, when="start", name=f"{name}_first")
    return made


@dataclasses.dataclass(frozen=True)
class _Plastic:
    """What both networks have in common: rule, bounds, and how long, how often and how finely."""

    rule: Rule = pair_stdp
    landing: Landing = dataclasses.field(default_factory=Landing)
    longest: Quantity = dataclasses.field(default_factory=lambda: 20_000 * second)
    sample: Quantity = dataclasses.field(default_factory=lambda: 10 * second)
    dt: Quantity = dataclasses.field(default_factory=lambda: 0.1 * ms)
    trains: bool = False

    def structure(self) -> Any:
        """The same network with every run-time number replaced by a 1 of its unit: what is hashed and compiled."""
        return dataclasses.replace(self, rule=neutral(self.rule), landing=dataclasses.replace(self.landing, mu=1.0))

    def values(self) -> dict[str, float]:
        """The run-time numbers, by the name of their input."""
        return {"plastic.mu": float(self.landing.mu)} | {
            name: float(self.rule.parameters[key]) for name, (_, key) in self.rule_inputs().items()
        }

    def rule_inputs(self) -> dict[str, tuple[str, str]]:
        """Where each parameter of the rule lies: input name -> (group, parameter)."""
        return self.rule.places("pre", "post")


@dataclasses.dataclass(frozen=True)
class Competition(_Plastic):
    """n Poisson inputs on one neuron, all synapses plastic. Numbers that a run can set are not part of what is compiled.

    Parameters
    ----------
    inputs : int
        How many.
    neuron : Neuron
        One with a conductance `ge`; an input spike adds g_max w.
    rule, landing : Rule, Landing
        Of all synapses; weights without unit. The exponent mu of the soft bounds can be set per run; with mu = 0 the factors
        w^0 and (1 - w)^0 are 1, which is hard bounds.
    longest, sample, dt : Quantity
        The longest run, how often the weights are recorded, and the time step.
    trains : bool
        Record the input spikes too (many).
    ties : str
        What a pair of spikes in the very same time step does: `"none"`, as everywhere in this library, or `"potentiate"`: a
        presynaptic spike is counted before an output spike of its step is seen. That is the order of the published code
        (Brian2's example of Song, Miller & Abbott 2000), and at 0.1 ms it weighs as much as a tenth of the surplus of
        depression: see simulations/stdp_equilibrium.py.
    """

    inputs: int = 1000
    neuron: Neuron = lif_conductance
    ties: str = "none"

    def __post_init__(self) -> None:
        if self.ties not in TIES:
            raise unknown("treatment of ties", self.ties, TIES)

    def structure(self) -> Competition:
        return dataclasses.replace(super().structure(), neuron=neutral(self.neuron))

    def values(self) -> dict[str, float]:
        numbers = {f"neuron.{key}": float(value) for key, value in self.neuron.parameters.items()}
        return super().values() | numbers | {"v": float(self.neuron.parameters["rest"])}


@dataclasses.dataclass(frozen=True)
class PoissonPairs(_Plastic):
    """Synapses from each of `pre` Poisson trains to each of `post` Poisson trains, which are independent.

    Parameters
    ----------
    pre, post : int
        How many trains on either side; pre x post synapses, synapse (i, j) at position i post + j.
    rule, landing, longest, sample, dt, trains
        As of `Competition`.
    """

    pre: int = 30
    post: int = 30


def _finish(
    spec: _Plastic, groups: Mapping[str, NeuronGroup], plastic: Synapses, settable: Mapping[str, Any], times_of: tuple[str, ...]
) -> Model:
    """Monitors, inputs and outputs that both networks have."""
    monitors = {side: SpikeMonitor(group, record=side in times_of, name=f"{side}_spikes") for side, group in groups.items()}
    history = StateMonitor(plastic, "w", record=True, dt=spec.sample, name="history")
    holders = {**groups, "plastic": plastic}
    inputs = {
        "w": plastic.w,
        **settable,
        "plastic.mu": plastic.mu,
        **{name: getattr(holders[group], key) for name, (group, key) in spec.rule_inputs().items()},
    }
    outputs = {"w": plastic.w, "w_history": history.state("w")}
    outputs |= {f"{side}_spikes": monitor.count for side, monitor in monitors.items()}
    for side in times_of:
        outputs |= {f"{side}_t": monitors[side].t, f"{side}_i": monitors[side].i}
    return Model(Network(*groups.values(), plastic, *monitors.values(), history), spec.longest, inputs, outputs)


def competition(spec: Competition) -> Model:
    """The Brian2 network of a `Competition`.

    Inputs per run: `w` (inputs; uniform between 0 and 1 where not given), `rate` (hertz), `g_max` (in units of the leak), and
    by the names in `values` the start `v` (volt) and every parameter of rule, landing and neuron. Outputs: `w` (inputs),
    `w_history` (samples, inputs), `pre_spikes` (inputs), `post_spikes` (1), `post_t` (second), `post_i`, and with `trains`
    `pre_t`, `pre_i`.
    """
    defaultclock.dt = spec.dt
    pre_equations, pre_spike, pre_values = spec.rule.neuron_traces("pre")
    post_equations, post_spike, post_values = spec.rule.neuron_traces("post")
    inputs = poisson_trains(spec.inputs, "inputs", pre_equations, pre_spike)
    for name, value in pre_values.items():
        setattr(inputs, name, value)
    neuron = spec.neuron.group(
        1, "neuron", equations=post_equations, reset=post_spike, values=post_values, method="exponential_euler", namespace={}
    )
    plastic = spec.rule.synapses(
        inputs,
        neuron,
        transmit="ge_post += g_max*w",
        landing=spec.landing,
        traces="neuron",
        model="g_max : 1 (shared, constant)",
        name="plastic",
        namespace={},
    )
    plastic.connect(i=np.arange(spec.inputs), j=0)
    plastic.w = "rand()"
    if spec.ties == "potentiate":
        inputs.resetter["spike"].when = "before_synapses"
        plastic.pre.order = plastic.post.order - 1
    settable = {"rate": inputs.rate, "g_max": plastic.g_max, "v": neuron.v}
    settable |= {f"neuron.{key}": getattr(neuron, key) for key in spec.neuron.parameters}
    times_of = ("pre", "post") if spec.trains else ("post",)
    return _finish(spec, {"pre": inputs, "post": neuron}, plastic, settable, times_of)


def poisson_pairs(spec: PoissonPairs) -> Model:
    """The Brian2 network of `PoissonPairs`.

    Inputs per run: `w` (pre x post), `pre_rate`, `post_rate` (hertz), and every parameter of rule and landing by the names in
    `values`. Outputs: `w` (pre x post), `w_history` (samples, pre x post), `pre_spikes` (pre), `post_spikes` (post), and with
    `trains` `pre_t`, `post_t` (second), `pre_i`, `post_i`.
    """
    defaultclock.dt = spec.dt
    groups = {}
    for side, n in (("pre", spec.pre), ("post", spec.post)):
        equations, spike, values = spec.rule.neuron_traces(side)
        groups[side] = poisson_trains(n, f"{side}_trains", equations, spike)
        for name, value in values.items():
            setattr(groups[side], name, value)
    plastic = spec.rule.synapses(
        groups["pre"], groups["post"], landing=spec.landing, traces="neuron", name="plastic", namespace={}
    )
    plastic.connect(i=np.repeat(np.arange(spec.pre), spec.post), j=np.tile(np.arange(spec.post), spec.pre))
    settable = {"pre_rate": groups["pre"].rate, "post_rate": groups["post"].rate}
    return _finish(spec, groups, plastic, settable, ("pre", "post") if spec.trains else ())
