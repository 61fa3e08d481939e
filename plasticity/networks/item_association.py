"""Items as neurons that fire in the order of a history: plastic synapses from what came to what comes.

    items o o o o ==plastic==> following o o o o
            |________________________^   (each makes its own fire while the network learns)

Each item has a neuron in both populations. A history is shown slot by slot, an item each; its neuron fires once, at the beginning
of the slot, and while the network learns that of the second population too. So by pair STDP a synapse i -> j grows where j
follows i, by less the later it does, and shrinks where j came before (Bi & Poo 1998, doi:10.1523/JNEUROSCI.18-24-10464.1998); as
a memory of sequences: Abbott & Blum 1996, doi:10.1093/cercor/6.3.406. While it recalls, the second population is silent and adds
up what the spikes of the history bring, with a leak: after the last item the potential of j is how strongly the history, the
last items most, calls for j.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from brian2 import Quantity, StateMonitor, ms

from plasticity.checked import checked
from plasticity.engine.operations import CostModel, operations, population
from plasticity.networks.network import Net, Network, run_time
from plasticity.rules import Landing, Rule, pair_stdp

__all__ = ["ItemAssociation"]


@checked
@dataclasses.dataclass(frozen=True)
class ItemAssociation(Network):
    """Two neurons for each item; slot k lasts from k*slot to (k+1)*slot.

    Parameters
    ----------
    items : int
        How many there are.
    rule, landing : Rule, Landing
        Of the plastic synapses, all with all.
    slot, dt : Quantity
        How long an item is shown, and the time step.
    slots : int
        The most slots in one run.

    Inputs per run, one row a slot: `item` (its number, -1 for none), `keep` (0 where traces and potentials begin anew) and
    `recall` (1 where the synapses transmit and do not learn). Besides `w` (items*items), `leak` (time constant of the potentials)
    and every parameter of the rule. Outputs: `w`, `drive` (items, slots: the potential at the beginning of each slot) and
    `items.spikes`, `following.spikes`.
    """

    items: int
    rule: Rule = run_time(pair_stdp, "items", "following")
    landing: Landing = run_time(Landing(), "plastic")
    slot: Quantity = dataclasses.field(default_factory=lambda: 10 * ms)
    dt: Quantity = dataclasses.field(default_factory=lambda: 2 * ms)
    slots: int = 20_000

    def costs(self, recall: bool) -> CostModel:
        """What is counted while histories are learnt, or recalled."""
        return self.cost_model(
            {"items": population(self.items, self.items), "following": population(self.items, 0)},
            self.rule, "items", "following", operations(""),
        )  # fmt: skip

    def build(self, net: Net) -> None:
        names = {name: net.table(name, np.zeros(self.slots), self.slot) for name in ("item", "keep", "recall")}
        fires = f"abs(item(t) - i) < 0.5 and timestep(t, dt) % {round(float(self.slot / self.dt))} == 0"
        items = net.group("items", self.items, "", method="exact", threshold=fires, namespace=names)
        following = net.group(
            "following", self.items, "ddrive/dt = -drive/leak : 1\nleak : second (shared, constant)",
            threshold=f"{fires} and recall(t) < 0.5", method="exact", namespace=names,
        )  # fmt: skip
        for group, own in ((items, ()), (following, ("drive",))):
            anew = [*own, *(trace.name for trace in self.rule_traces(group.name))]
            if anew:
                group.run_regularly(
                    "\n".join(f"{name} = {name}*keep(t)" for name in anew), dt=self.slot, when="start", order=1,
                    name=f"{group.name}_anew",
                )  # fmt: skip
        plastic = net.learn(
            self.rule, items, following, transmit="drive_post += w*recall(t)", landing=self.landing, plastic="1 - recall(t)",
            namespace=names,
        )  # fmt: skip
        told = net.add(StateMonitor(following, "drive", record=True, dt=self.slot, when="start", order=0, name="told"))
        net.inputs(w=plastic.w, leak=following.leak)
        net.outputs(w=plastic.w, drive=told.state("drive"))
        net.count(items, following)
        net.lasts(self.slots * self.slot)
