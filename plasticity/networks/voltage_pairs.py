"""Pairs of neurons under bursts of forced spikes, for a rule that reads the membrane potential.

    source k  ==plastic==>  target k        k = 0, 1, ... each pair by its own schedule

Source and target spike by their schedules, the target by a current of 1 uA for one step of 1 ms. A presynaptic spike changes
nothing but the synapse. A step of 1 ms is part of the model, so that the order of operations in a step t matters:

    u(t)       the neuron, one Euler step (plasticity.neurons.forced_spike); a spike begins in the step of its current
    w          -= A_LTD X(t) [ubar_-(t - 3) - theta_-]+,  += dt A_LTP xbar(t) [u(t) - theta_+]+ [ubar_+(t - 3) - theta_-]+
    ubar, xbar (t + 1) = (1 - dt/tau) (t) + dt/tau u(t), or + X(t)/tau: what happens in a step is seen from the next one on

Lateness. The authors' program, not the paper, reads both low-passes 3 steps late, so that no spike sees itself. Here the neuron
passes on its potential of 3 steps ago, and the rule follows that (`plasticity.rules.voltage_stdp.late`): the same numbers.

Source: Clopath, Buesing, Vasilaki & Gerstner 2010, doi:10.1038/nn.2479, with ModelDB 144566.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
from brian2 import Equations, NeuronGroup, StateMonitor, ms, nA
from brian2.utils.stringtools import word_substitute

from plasticity.checked import Above0, Count, Time, checked
from plasticity.errors import WrongUse
from plasticity.networks.network import Net, Network
from plasticity.neurons import adex_clopath, forced_spike
from plasticity.protocols import UNBOUNDED
from plasticity.rules import Rule
from plasticity.rules.voltage_stdp import late

__all__ = ["Schedule", "VoltagePairs", "bursts", "counted_in_the_next_step", "schedules"]

W_START = 0.5
PULSE = 1000 * nA
FIRST_STEP = 3  # of the protocol, counted from 0: the authors' program begins with its fourth step
PAUSE = 10_000  # steps from burst to burst


@checked
@dataclasses.dataclass(frozen=True)
class Schedule:
    """When one side of a synapse spikes: `number` spikes every `interval` steps from step `first` of each of the bursts.

    Times are steps of 1 ms of the protocol; what would be before FIRST_STEP is lost.
    """

    first: int
    interval: int
    number: int
    period: int
    bursts: int

    def steps(self) -> np.ndarray:
        """The steps of all spikes, counted from the start of the simulation."""
        burst = self.first + self.interval * np.arange(self.number)
        every = (self.period * np.arange(self.bursts)[:, None] + burst).ravel() - FIRST_STEP
        return every[every >= 0]


@checked
def bursts(
    lag_ms: int, frequency_hz: Above0, extra: bool = False, pause: Count = PAUSE, repetitions: Count | None = None
) -> tuple[Schedule, Schedule]:
    """Pre- and postsynaptic spikes of the protocol: five on each side, or with `extra` those of the authors' program.

    Those are six postsynaptic ones at a negative lag, of which the very first is lost.
    """
    interval, pairs = round(1000 / frequency_hz), 5
    if not interval:
        raise WrongUse(f"frequency_hz={frequency_hz} must be 1000 at most: there is one spike in a step of 1 ms.")
    start = abs(lag_ms) + (0 if extra else FIRST_STEP)
    length = pairs * interval + abs(lag_ms) + 1
    n = repetitions or (10 if frequency_hz == 0.1 else 15)
    pre = Schedule(start, interval, pairs, max(pause, length), n)
    return pre, dataclasses.replace(pre, first=start + lag_ms, number=pairs + (extra and lag_ms < 0))


@checked
def schedules(pairs: Sequence[tuple[Schedule, Schedule]]) -> dict[str, np.ndarray]:
    """Pre- and postsynaptic schedules as inputs of the network."""
    return {
        f"{side}.{field.name}": np.array([getattr(pair[k], field.name) for pair in pairs])
        for k, side in enumerate(("pre", "post"))
        for field in dataclasses.fields(Schedule)
    }


_DUE = """
    at = t_in_timesteps + first_step : integer
    inside = at % period - first : integer
    due = at < period*bursts and inside >= 0 and inside < number*interval and inside % interval == 0 : boolean
    first_step : integer (shared, constant)
    """ + "\n".join(f"{field.name} : integer (constant)" for field in dataclasses.fields(Schedule))


@checked
def counted_in_the_next_step(equations: Equations, variables: Any = None, method_options: Any = None) -> str:
    """Euler's method for a trace that sees a spike, held in `heard`, from the next time step on, undecayed."""
    slopes = {name: expression.code for name, expression in equations.get_substituted_expressions(variables)}
    return "\n".join([*(f"{name} += dt*({slope}) + heard" for name, slope in slopes.items()), "heard = 0"])


@checked
@dataclasses.dataclass(frozen=True)
class VoltagePairs(Network):
    """Independent pairs of neurons, one synapse each, that spike by their schedules.

    Parameters
    ----------
    synapses : int
        How many.
    watched : tuple of int
        Those that are recorded, step by step.
    steps : int
        The longest run.
    rule : Rule
        Its amplitudes are set per run, its other parameters are compiled.
    dt : Quantity
        Time step.

    Inputs per run, one value for each synapse: the numbers of `Schedule` as `pre.first` and so on, `b` (ampere); `A_LTD` (per
    volt) and `A_LTP` (per volt squared) of all. Outputs: `w`, and of the watched synapses (steps, synapses) `v`, `u_minus`
    and `u_plus` (volt, above theta_minus) and `w_watched`, each at the end of its step.
    """

    synapses: Count
    watched: tuple[int, ...]
    steps: Count
    rule: Rule = dataclasses.field(default_factory=late)
    dt: Time = dataclasses.field(default_factory=lambda: 1 * ms)

    def places(self) -> dict[str, tuple[str, str, str]]:
        """The rule's amplitudes, on the synapses."""
        return {name: ("rule", "plastic", name) for name in ("A_LTD", "A_LTP")}

    def build(self, net: Net) -> None:
        n, rule = self.synapses, self.rule
        pre_equations, pre_spike, pre_values = rule.neuron_traces("pre")
        post_equations, post_spike, post_values = rule.neuron_traces("post")
        heard = word_substitute(pre_spike, {trace.name: "heard" for trace in rule.side("pre")})
        source = net.add(
            NeuronGroup(
                n,
                f"{pre_equations}\nheard : 1\n{_DUE}",
                threshold="due",
                reset=heard,
                method=counted_in_the_next_step,
                name="source",
                namespace={},
            )
        )
        target = net.neurons(
            "target",
            adex_clopath,
            n,
            current="int(due)*pulse/g_L",
            equations=f"{post_equations}\npulse : amp (shared, constant)\n{_DUE}",
            reset=post_spike,
            values=post_values | {"pulse": PULSE, "first_step": FIRST_STEP},
            method=forced_spike,
        )
        for name, value in (pre_values | {"first_step": FIRST_STEP}).items():
            setattr(source, name, value)
        for group in (source, target):
            group.interval = group.period = 1
        plastic = net.learn(rule, source, target, landing=UNBOUNDED, connect={"i": np.arange(n), "j": np.arange(n)})
        plastic.w = W_START
        recorded = {"record": list(self.watched), "when": "end", "order": 9}
        cells = net.add(StateMonitor(target, ["v", "post_u_minus", "post_u_plus"], name="cells", **recorded))
        weights = net.add(StateMonitor(plastic, "w", name="weights", **recorded))
        net.inputs(b=target.b)
        for side, group in (("pre", source), ("post", target)):
            net.inputs({f"{side}.{field.name}": getattr(group, field.name) for field in dataclasses.fields(Schedule)})
        net.outputs(w=plastic.w, v=cells.state("v"), u_minus=cells.state("post_u_minus"), u_plus=cells.state("post_u_plus"))
        net.outputs(w_watched=weights.state("w"))
        net.lasts(self.steps * self.dt)
