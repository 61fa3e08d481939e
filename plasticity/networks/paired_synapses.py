"""Many copies of one synapse under the same spikes, for rules with noise: how a protocol changes them is a distribution.

    source l  ======copies======>  target l        l = 0, 1, ... one pair of neurons for each train of spikes

Source l and target l spike at given times; between them lie `copies` synapses, each with noise of its own. Nothing is
transmitted.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from brian2 import Network, Quantity, SpikeGeneratorGroup, defaultclock, ms, second

from plasticity.engine import Model, neutral
from plasticity.rules import Landing, Rule


@dataclasses.dataclass(frozen=True)
class PairedSynapses:
    """What is compiled: the spike times, how many synapses, and the rule.

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
        return dataclasses.replace(self, rule=neutral(self.rule)(**delays))

    def values(self) -> dict[str, float]:
        """The rule's parameters by the names of their inputs."""
        return {f"synapses.{name}": float(value) for name, value in self.rule.parameters.items()}


def build(spec: PairedSynapses) -> Model:
    """The Brian2 network of a `PairedSynapses`; synapse number l*copies + c is copy c of the pair of neurons l.

    Inputs per run: `w` (pairs*copies; the weights at the start) and the rule's parameters by the names in `values`. Output: `w`.
    """
    defaultclock.dt = spec.dt
    groups = []
    for name, trains in (("source", spec.pre_s), ("target", spec.post_s)):
        indices = np.repeat(np.arange(len(trains)), [len(train) for train in trains])
        groups.append(SpikeGeneratorGroup(len(trains), indices, np.concatenate(trains) * second, name=name))
    source, target = groups
    synapses = spec.rule.synapses(source, target, landing=spec.landing, name="synapses", namespace={})
    each = np.repeat(np.arange(len(spec.pre_s)), spec.copies)
    synapses.connect(i=each, j=each)
    settable: dict[str, Any] = {"w": synapses.w}
    settable |= {f"synapses.{name}": getattr(synapses, name) for name in spec.rule.parameters}
    return Model(Network(source, target, synapses), spec.seconds * second, settable, {"w": synapses.w})
