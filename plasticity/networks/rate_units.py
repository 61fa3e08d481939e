"""A chain of linear rate units on the same inputs: one unit for the rules of rates, several for the principal components.

    x -------------w_1--> y_1        y_k = sum_i w_ki x_i + imposed_k
    |         <-----'
    x - y_1 w_1 ---w_2--> y_2
    |         <-----'
    x - y_1 w_1 - y_2 w_2 ...

Every unit answers to the inputs x themselves; its rule sees, as the activity of the input, what the units before have left over:

    r_1 = x,     r_k = r_{k-1} - y_{k-1} w_{k-1}

With Oja's rule, dw_ki/dt = eta y_k (r_ki - y_k w_ki), this is Sanger's rule dw_ki/dt = eta y_k (x_i - sum_{j<=k} y_j w_ji)
(Sanger 1989, doi:10.1016/0893-6080(89)90044-0), whose weights go to the leading components in their order. The sum over the units
before needs their weights, which no synapse of unit k knows. Here the synapses of a unit take their share off the inputs that the
next unit's rule sees (a sum on the presynaptic side), so that the rule stays that of a single synapse and is written once.

A unit is a plain neuron group with a variable `rate` and without spikes. In each time step x is looked up, y_k and r_{k+1} are
summed unit by unit, traces are updated with the activities of this step, and at its end the rule changes the weights.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from brian2 import NeuronGroup, StateMonitor, linked_var, ms

from plasticity.checked import Count, Time, checked
from plasticity.engine import placeholders
from plasticity.errors import WrongUse
from plasticity.networks.network import Net, Network
from plasticity.rules import Landing, Rule

__all__ = ["RateUnits"]

WIDE = Landing(-1e6, 1e6)  # bounds that no weight comes near: these rules limit themselves, or are to be seen without limit


@checked
@dataclasses.dataclass(frozen=True)
class RateUnits(Network):
    """Chains of units; copies lie one after the other, so that input i of copy c is number c*inputs + i.

    Parameters
    ----------
    rule : Rule
        A rule of rates, whose `needs` are rate_pre and rate_post.
    inputs, units : int
        How many inputs, and how many units in the chain.
    copies : int
        How many such chains side by side, each with inputs of its own.
    steps : int
        The most time steps in one run; the inputs x are given for each of them.
    landing : Landing
        Bounds; none that matter unless told.
    sample : int
        Weights are recorded every so many steps, activities in every step. A divisor of `steps`: Brian2 may end a run one step
        early where a slow clock ticks just before the end.
    dt : Quantity
        Time step.

    Inputs per run: `x` (steps, copies*inputs), `imposed` (steps, units*copies; added to the activity of copy c of unit k, in
    the column k*copies + c), and of each unit k `answering_k` (multiplies the sum of w x; 0 leaves the imposed activity alone),
    `w_k` (copies*inputs; its weights at the start) and the rule's parameters as w_k.NAME. Outputs: `w_k` (samples,
    copies*inputs), after the change of each sampled step, `w_k_end` (copies*inputs) and `y_k` (steps, copies).
    """

    rule: Rule
    inputs: Count
    units: Count = 1
    copies: Count = 1
    steps: Count = 1000
    landing: Landing = WIDE
    sample: Count = 1
    dt: Time = dataclasses.field(default_factory=lambda: 1 * ms)

    def __post_init__(self) -> None:
        if self.steps % self.sample:
            raise WrongUse(f"steps={self.steps} must be a multiple of sample={self.sample}.")

    def structure(self) -> RateUnits:
        return dataclasses.replace(self, rule=placeholders(self.rule))

    def places(self) -> dict[str, tuple[str, str, str]]:
        """Where each parameter of the rule lies: on the synapses of every unit."""
        return {f"w_{k}.{name}": ("rule", f"w_{k}", name) for k in range(self.units) for name in self.rule.parameters}

    def build(self, net: Net) -> None:
        many = self.copies * self.inputs
        x = net.table("x", np.zeros((self.steps, many)), self.dt)
        imposed = net.table("imposed", np.zeros((self.steps, self.units * self.copies)), self.dt)
        before: NeuronGroup | None = None
        for k in range(self.units):
            # order within a step: x and r_k; sum of w x (one before the unit's own); y_k; sum of y w (one before the inputs')
            first = 5 * k
            lines = "stimulus : 1\nrate : 1\ntaken : 1"
            lines += "" if before is None else "\nearlier : 1 (linked)\nearlier_taken : 1 (linked)"
            inputs = net.group(f"inputs_{k}", many, lines, order=first + 4, namespace={"x": x})
            if before is not None:
                inputs.earlier, inputs.earlier_taken = linked_var(before, "rate"), linked_var(before, "taken")
            left = "stimulus" if before is None else "earlier - earlier_taken"
            inputs.run_regularly(f"stimulus = x(t, i)\nrate = {left}", when="groups", order=first, name=f"inputs_{k}_rate")
            unit = net.group(
                f"unit_{k}",
                self.copies,
                "rate : 1\nanswer : 1\nanswering : 1 (shared, constant)",
                order=first + 2,
                namespace={"imposed": imposed},
            )
            unit.answering = 1
            activity = f"rate = answering*answer + imposed(t, i + {k * self.copies})"
            unit.run_regularly(activity, when="groups", order=first + 2, name=f"unit_{k}_rate")
            plastic = net.learn(
                self.rule,
                inputs,
                unit,
                name=f"w_{k}",
                landing=self.landing,
                traces="synapse",
                model="answer_post = w*stimulus_pre : 1 (summed)\ntaken_pre = w*rate_post : 1 (summed)",
                order=5 * self.units,  # traces, after all activities
                connect={"i": np.arange(many), "j": np.repeat(np.arange(self.copies), self.inputs)},
            )
            weights = StateMonitor(
                plastic, "w", record=np.arange(many), dt=self.sample * self.dt, when="end", order=2, name=f"w_{k}_watched"
            )
            rates = StateMonitor(unit, "rate", record=np.arange(self.copies), when="end", order=2, name=f"y_{k}_watched")
            net.add(weights, rates)
            net.inputs({f"w_{k}": plastic.w, f"answering_{k}": unit.answering})
            net.outputs({f"w_{k}": weights.state("w"), f"w_{k}_end": plastic.w, f"y_{k}": rates.state("rate")})
            before = inputs
        net.lasts(self.steps * self.dt)
