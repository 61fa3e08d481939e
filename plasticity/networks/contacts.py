"""Pairs of neurons with several potential contacts: contacts of a pair help each other, for together they make it fire.

    Poisson train o =====K potential contacts, some alive====> o Poisson neuron       (as many pairs as one likes, apart)

The neuron fires with the rate nu_0 + x, where x falls with tau_m and rises by g w at each spike that a living contact of weight w
passes on: the linear Poisson neuron of Deger et al. Its weights follow a rule. Depression by chance pairs outweighs potentiation
by chance pairs, so that only contacts that together drive the neuron enough are strengthened.

Deger, Helias, Rotter & Diesmann 2012, doi:10.1371/journal.pcbi.1002689.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from brian2 import Hz, ms, second

from plasticity import given, memory
from plasticity.checked import Count, Time, checked
from plasticity.networks.network import Net, Network, run_time
from plasticity.networks.poisson_trains import poisson_trains
from plasticity.rules import Landing, Rule, pair_stdp
from plasticity.structure import Law, Structure, contacts

__all__ = ["Contacts"]

CONSTANTS = {"nu_0": 5 * Hz, "g": 15 * Hz, "tau_m": 10 * ms}


@checked
@dataclasses.dataclass(frozen=True)
class Contacts(Network):
    """`pairs` pairs of neurons with `potential` synapses each, of which those that are alive come and go by a law.

    Parameters
    ----------
    pairs, potential : int
        How many pairs, and how many synapses each may have; synapse k of pair p at position p*potential + k.
    law : Law
        Of the contacts.
    rule, landing : Rule, Landing
        Of their weights.
    every, longest, dt : Quantity
        Time between updates of the structure, the longest run, and the time step.

    Inputs per run: `alive` (pairs*potential), `w` (pairs*potential), `rate` (of the trains, hertz), `key` (of the structure),
    `CONSTANTS` as post.NAME, every parameter of the rule and, as law.NAME, of the law. Outputs: `w`, `alive`, the record of
    `plasticity.structure.pool`, `update` and `synapse` (events,), and `post.spikes`.
    """

    pairs: Count = 200
    potential: Count = 10
    law: Law = contacts
    rule: Rule = run_time(pair_stdp, "pre", "post")
    landing: Landing = Landing()
    every: Time = dataclasses.field(default_factory=lambda: 1 * second)
    longest: Time = dataclasses.field(default_factory=lambda: 100_000 * second)
    dt: Time = dataclasses.field(default_factory=lambda: 1 * ms)

    @property
    def bytes(self) -> float:
        return memory.of_synapses(self.pairs * self.potential, 6)

    def build(self, net: Net) -> None:
        pre = poisson_trains(net, self.pairs, "pre")
        constants = "\n".join(f"{name} : {given.unit_of(value)} (shared, constant)" for name, value in CONSTANTS.items())
        post = net.group(
            "post", self.pairs, f"dx/dt = -x/tau_m : Hz\n{constants}", threshold="rand() < (nu_0 + x)*dt", method="exact"
        )
        for name, value in CONSTANTS.items():
            setattr(post, name, value)
        each = np.repeat(np.arange(self.pairs), self.potential)
        pool = net.learn(
            self.rule, pre, post, transmit="x_post += g_post*w", landing=self.landing,
            structure=Structure(self.law, every=self.every), connect={"i": each, "j": each},
        )  # fmt: skip
        net.follow(pool)
        net.inputs(net.at(*(f"post.{name}" for name in CONSTANTS)), w=pool.w, rate=pre.rate)
        net.outputs(w=pool.w)
        net.count(post)
        net.lasts(self.longest)

    def values(self) -> dict[str, Any]:
        return super().values() | {f"post.{name}": float(value) for name, value in CONSTANTS.items()}
