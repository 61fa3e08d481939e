"""Neurons that find back to their working point by the weights of their synapses.

    one neuron   n Poisson inputs ==plastic==> LIF neuron
    recurrent    LIF neurons ==plastic==> LIF neurons, sparse; each has background input of its own

The neuron is that of Song, Miller & Abbott 2000 (doi:10.1038/78829): a presynaptic spike adds g_max w to its conductance, and
each of 5000 background spikes per second (Poisson, not plastic) adds g_background. Every neuron counts its spikes, and the counts
are recorded with the weights: a rate over time costs one number per neuron and sample, however fast the neurons fire.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np
from brian2 import Hz, PoissonInput, StateMonitor, ms, second

from plasticity.checked import Count, Grid, Time, checked
from plasticity.encoders import poisson
from plasticity.errors import WrongUse
from plasticity.networks.network import Net, Network, run_time
from plasticity.neurons import Neuron, between_steps, lif_conductance
from plasticity.rules import Landing, Rule, synaptic_scaling

__all__ = ["Scaled", "binned", "per_second"]


@checked
@dataclasses.dataclass(frozen=True)
class Scaled(Network):
    """One neuron with Poisson inputs, or neurons that are coupled to each other.

    Parameters
    ----------
    inputs : int
        Poisson inputs with plastic synapses onto one neuron; with `recurrent` the inputs of each neuron from the others.
    recurrent : int
        How many neurons are coupled to each other; 0 for one neuron with Poisson inputs.
    rule, landing : Rule, Landing
        Of all synapses; weights without unit.
    neuron : Neuron
        One with the equations of `lif_conductance`.
    epoch, epochs : Quantity, int
        The gain of the Poisson inputs may change every so often, and the most epochs in one run.
    sample, dt : Quantity
        How often weights and spike counts are recorded, and the time step.

    Inputs per run: `w` (synapses), `g_max` and `g_background` (in units of the leak), every parameter of rule and neuron; without
    `recurrent` also `rate` (hertz) and `gain` (epochs, 1), by which it is multiplied. Outputs: `w` (synapses) and `count`
    (neurons; how many spikes) at the end, `w_history` and `count_history` (samples, ...) before.
    """

    inputs: Count = 100
    recurrent: int = 0
    rule: Rule = run_time(synaptic_scaling, "inputs", "neurons")
    landing: Landing = dataclasses.field(default_factory=lambda: Landing(0, 100))
    neuron: Neuron = run_time(lif_conductance, "neurons")
    epoch: Time = dataclasses.field(default_factory=lambda: 10 * second)
    epochs: Count = 500
    sample: Time = dataclasses.field(default_factory=lambda: 1 * second)
    dt: Time = dataclasses.field(default_factory=lambda: 0.25 * ms)

    def structure(self) -> Scaled:
        """The same network with placeholders; what a sum of rules is made of does not matter here."""
        made = super().structure()
        return dataclasses.replace(made, rule=dataclasses.replace(made.rule, parts=()))

    def run_time_fields(self) -> dict[str, tuple[str, ...]]:
        """The fields whose parameters are set per run; recurrent neurons carry the traces of both sides."""
        return super().run_time_fields() | ({"rule": ("neurons", "neurons")} if self.recurrent else {})

    def connections(self) -> tuple[np.ndarray, np.ndarray]:
        """Source and target of each synapse; of the recurrent ones `inputs` onto each neuron, drawn once for all runs."""
        if not self.recurrent:
            return np.arange(self.inputs), np.zeros(self.inputs, dtype=int)
        rng, n = np.random.default_rng(0), self.recurrent
        drawn = [rng.choice(np.delete(np.arange(n), j), self.inputs, replace=False) for j in range(n)]
        return np.concatenate(drawn), np.repeat(np.arange(n), self.inputs)

    def build(self, net: Net) -> None:
        neurons = net.neurons(
            "neurons",
            between_steps(self.neuron),
            self.recurrent or 1,
            equations="count : 1\ng_background : 1 (shared, constant)",
            reset="count += 1",
        )
        net.add(PoissonInput(neurons, "ge", N=1000, rate=5 * Hz, weight="g_background"))
        before = neurons
        if not self.recurrent:
            gain = net.table("gain", np.ones((self.epochs, 1)), self.epoch)
            before = net.encode(
                poisson,
                self.inputs,
                "inputs",
                "base*gain(t, 0)",
                self.epoch,
                equations="base : Hz (shared, constant)",
                method="exact",
                namespace={"gain": gain},
            )
            net.inputs(rate=before.base)
        source, target = self.connections()
        plastic = net.learn(
            self.rule,
            before,
            neurons,
            transmit="ge_post += g_max*w",
            landing=self.landing,
            model="g_max : 1 (shared, constant)",
            connect={"i": source, "j": target},
        )
        weights = net.add(StateMonitor(plastic, "w", record=True, dt=self.sample, name="weights"))
        counts = net.add(StateMonitor(neurons, "count", record=True, dt=self.sample, name="counts"))
        net.inputs(w=plastic.w, g_max=plastic.g_max, g_background=neurons.g_background)
        net.outputs(w=plastic.w, w_history=weights.state("w"), count=neurons.count, count_history=counts.state("count"))
        net.lasts(self.epochs * self.epoch)


@checked
def per_second(found: Mapping[str, np.ndarray]) -> np.ndarray:
    """Spikes per neuron in each second of a run, from its outputs."""
    return np.diff(np.vstack([found["count_history"], found["count"]]), axis=0).mean(axis=1)


@checked
def binned(counts: Grid, seconds: Count) -> tuple[np.ndarray, np.ndarray]:
    """Counts per second (seeds, seconds) in bins of so many seconds: the middle of each in seconds, and rates (seeds, bins)."""
    if counts.shape[1] % seconds:
        raise WrongUse(f"seconds={seconds} must divide the {counts.shape[1]} seconds of counts.")
    rates = counts.reshape(len(counts), -1, seconds).mean(axis=2)
    return (np.arange(rates.shape[1]) + 0.5) * seconds, rates
