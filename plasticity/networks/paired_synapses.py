"""Many copies of one synapse under the same spikes, for rules with noise: how a protocol changes them is a distribution.

    source l  ======copies======>  target l        l = 0, 1, ... one pair of neurons for each train of spikes

Source l and target l spike at given times; between them lie `copies` synapses, each with noise of its own. Nothing is
transmitted.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from brian2 import Quantity, SpikeGeneratorGroup, ms, second

from plasticity.checked import checked
from plasticity.engine import placeholders
from plasticity.networks.network import Net, Network
from plasticity.rules import Landing, Rule

__all__ = ["PairedSynapses"]


@checked
@dataclasses.dataclass(frozen=True)
class PairedSynapses(Network):
    """Copies of a synapse between pairs of neurons; synapse number l*copies + c is copy c of the pair of neurons l.

    Parameters
    ----------
    rule : Rule
        Any rule. Delays of its traces are compiled, all other parameters are set per run.
    pre_s, post_s : tuple of tuples
        Spike times in seconds, for each pair of neurons.
    copies : int
        Synapses of each pair of neurons.
    seconds : float
        How long a run is.
    landing : Landing
        Bounds of the weights.
    dt : Quantity
        Time step, the grid of the spike times.

    Inputs per run: `w` (pairs*copies; the weights at the start) and the rule's parameters as synapses.NAME. Output: `w`.
    """

    rule: Rule
    pre_s: tuple[tuple[float, ...], ...]
    post_s: tuple[tuple[float, ...], ...]
    copies: int
    seconds: float
    landing: Landing = dataclasses.field(default_factory=Landing)
    dt: Quantity = dataclasses.field(default_factory=lambda: 0.1 * ms)

    def structure(self) -> PairedSynapses:
        """The same with every parameter that a run can set replaced by a 1 of its unit: what is hashed and compiled."""
        delays = {t.delay: self.rule.parameters[t.delay] for t in self.rule.traces if t.delay}
        return dataclasses.replace(self, rule=placeholders(self.rule)(**delays))

    def places(self) -> dict[str, tuple[str, str, str]]:
        """Where each parameter of the rule lies: on the synapses."""
        return {f"synapses.{name}": ("rule", "synapses", name) for name in self.rule.parameters}

    def build(self, net: Net) -> None:
        groups = []
        for name, trains in (("source", self.pre_s), ("target", self.post_s)):
            indices = np.repeat(np.arange(len(trains)), [len(train) for train in trains])
            groups.append(net.add(SpikeGeneratorGroup(len(trains), indices, np.concatenate(trains) * second, name=name)))
        source, target = groups
        each = np.repeat(np.arange(len(self.pre_s)), self.copies)
        synapses = net.learn(
            self.rule,
            source,
            target,
            name="synapses",
            landing=self.landing,
            traces="synapse",
            connect={"i": each, "j": each},
        )
        net.inputs(w=synapses.w)
        net.outputs(w=synapses.w)
        net.lasts(self.seconds * second)
