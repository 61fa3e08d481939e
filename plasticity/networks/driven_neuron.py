"""Where STDP takes the weights of a neuron that its inputs drive: they compete for its output spikes.

    Poisson inputs o o o o ==plastic==> neuron

The inputs cause the output spikes, so the synapses compete for them (Song, Miller & Abbott 2000, doi:10.1038/78829). Synapses
between trains that nobody drives are in plasticity.networks.poisson_pairs.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from brian2 import Quantity, StateMonitor, ms, second

from plasticity.checked import checked
from plasticity.errors import unknown
from plasticity.networks.network import Net, Network, onto_one, run_time
from plasticity.networks.poisson_trains import poisson_trains
from plasticity.neurons import Neuron, between_steps, lif_conductance
from plasticity.rules import Landing, Rule, pair_stdp

__all__ = ["DrivenNeuron"]

TIES = ("none", "potentiate")


@checked
@dataclasses.dataclass(frozen=True)
class DrivenNeuron(Network):
    """n Poisson inputs on one neuron, all synapses plastic.

    Parameters
    ----------
    inputs : int
        How many.
    neuron : Neuron
        One with the equations of `lif_conductance`; an input spike adds g_max w.
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

    Inputs per run: `w` (inputs; uniform between 0 and 1 where not given), `rate` (hertz), `g_max` (in units of the leak), the
    start `v` (volt), and every parameter of rule (as pre.NAME, post.NAME, plastic.NAME), landing (plastic.mu) and neuron.
    Outputs: `w` (inputs), `w_history` (samples, inputs), `pre_spikes` (inputs), `post_spikes` (1), `post_t` (second), `post_i`,
    and with `trains` `pre_t`, `pre_i`.
    """

    inputs: int = 1000
    neuron: Neuron = run_time(lif_conductance, "neuron")
    rule: Rule = run_time(pair_stdp, "inputs", "neuron")
    landing: Landing = run_time(Landing(), "plastic")
    longest: Quantity = dataclasses.field(default_factory=lambda: 20_000 * second)
    sample: Quantity = dataclasses.field(default_factory=lambda: 10 * second)
    dt: Quantity = dataclasses.field(default_factory=lambda: 0.1 * ms)
    trains: bool = False
    ties: str = "none"

    def __post_init__(self) -> None:
        if self.ties not in TIES:
            raise unknown("treatment of ties", self.ties, TIES)

    def places(self) -> dict[str, tuple[str, str, str]]:
        """Where each run-time number lies; those of the rule are named by the side, and not by the group."""
        sides = {"inputs": "pre", "neuron": "post", "plastic": "plastic"}
        return {
            f"{sides[group]}.{key}" if field == "rule" else name: (field, group, key)
            for name, (field, group, key) in super().places().items()
        }

    def values(self) -> dict[str, Any]:
        """The run-time numbers, by the name of their input; with them the neuron starts at rest."""
        return super().values() | {"v": float(self.neuron.parameters["rest"])}

    def build(self, net: Net) -> None:
        inputs = poisson_trains(net, self.inputs, "inputs")
        neuron = net.neurons("neuron", between_steps(self.neuron), 1)
        plastic = net.learn(
            self.rule,
            inputs,
            neuron,
            transmit="ge_post += g_max*w",
            landing=self.landing,
            model="g_max : 1 (shared, constant)",
            connect=onto_one(self.inputs),
        )
        plastic.w = "rand()"
        if self.ties == "potentiate":
            inputs.resetter["spike"].when = "before_synapses"
            plastic.pre.order = plastic.post.order - 1
        history = net.add(StateMonitor(plastic, "w", record=True, dt=self.sample, name="history"))
        net.inputs(w=plastic.w, rate=inputs.rate, g_max=plastic.g_max, v=neuron.v)
        net.outputs(w=plastic.w, w_history=history.state("w"))
        net.spikes("pre", inputs, times=self.trains)
        net.spikes("post", neuron, times=True)
        net.lasts(self.longest)
