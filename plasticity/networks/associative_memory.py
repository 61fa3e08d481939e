"""A spiking memory of pairs: one-shot potentiation while a pair is stored, recall by the spikes of a key.

    key cells  o o o o ==plastic==> value neurons o o o <-- teacher o o o
    (ON and OFF; exciting and inhibiting)                   (says which value, while a pair is stored)

Each element of a key has an ON cell, which fires where it is 1, and an OFF cell, which fires where it is 0. They excite the value
neurons; a second population of the same kind inhibits them. While a pair is stored both populations show its key, the teacher
makes the neuron of its value fire once, and the synapses change by the rule. While a key is recalled the exciting cells show it
and the inhibiting ones its opposite (push-pull: Ferster 1988, doi:10.1523/JNEUROSCI.08-04-01172.1988). So a value neuron is
driven by agreements minus disagreements of the key with every key stored with its value: by the inner product of the keys as
vectors of signs. Synapses learn and are silent while pairs are stored, the reverse while a key is recalled, as acetylcholine
does it (Hasselmo 2006, doi:10.1016/j.conb.2006.09.002). Value neurons are perfect integrators with a steady drive during
recall, so that their spikes count what arrives, above and below a baseline.

What is stored, sum_s v_s k_s^T, is the correlation matrix memory (Kohonen 1972, doi:10.1109/TC.1972.5008975) and the fast weights
of unnormalised linear attention (Schlag, Irie & Schmidhuber 2021, arXiv:2102.11174).
"""

from __future__ import annotations

import dataclasses

import numpy as np
from brian2 import Hz, Quantity, SpikeMonitor, ms

from plasticity.checked import checked
from plasticity.encoders import Encoder, latency, poisson
from plasticity.engine.operations import CostModel, inputs, operations, population
from plasticity.networks.network import Net, Network, one_to_one, run_time
from plasticity.neurons import Neuron, integrate_and_fire
from plasticity.rules import Landing, Rule, pair_stdp

__all__ = ["AssociativeMemory"]

TEACHER_HZ = 20.0
"""The teacher is a latency encoder: at this rate it fires 45 ms after the onset of a pair."""

_CURRENT = "I = bias : 1"  # while a key is recalled


@checked
@dataclasses.dataclass(frozen=True)
class AssociativeMemory(Network):
    """Key cells and value neurons; slot k lasts from k*slot to (k+1)*slot.

    Parameters
    ----------
    dimension, neurons : int
        Length of a key, and number of value neurons, one for each possible value. Shorter keys leave cells silent.
    rule, landing : Rule, Landing
        Of both sets of plastic synapses.
    value : Neuron
        The value neurons.
    encoder : Encoder
        Rates of the key cells to spikes.
    slot, dt : Quantity
        How long a pair is shown, and the time step. A key is recalled for as many slots as are marked so.
    slots : int
        The most slots in one run.

    Inputs per run, one row a slot: `pattern` (slots, 2*dimension; rates in hertz of the ON, then of the OFF cells), `stored` (the
    value that is stored, -1 for none), `recall` (1 while a key is recalled), `keep` (0 where all weights are cleared first) and
    `hold` (0 where the potentials begin anew: at 0, or at half the threshold for a recall, so that its counts are rounded).
    Besides `drive` (rise of the potential at a spike, per weight), `bias` (steady current during recall) and every parameter of
    rule and value neuron. Outputs: `spike_neuron`, `spike_time` of the value neurons, `key_spikes` and `key_recalls`
    (4*dimension: how many spikes, and how many of them during recall), `w` (4*dimension*neurons).
    """

    dimension: int
    neurons: int
    rule: Rule = run_time(lambda: pair_stdp(A_plus=0.01, A_minus=0.0), "keys", "value")
    landing: Landing = dataclasses.field(default_factory=Landing)
    value: Neuron = run_time(integrate_and_fire, "value")
    encoder: Encoder = poisson
    slot: Quantity = dataclasses.field(default_factory=lambda: 50 * ms)
    dt: Quantity = dataclasses.field(default_factory=lambda: 1 * ms)
    slots: int = 4000

    def costs(self, dimension: int, recall: bool) -> CostModel:
        """What is counted while pairs are stored, or recalled: synapses learn and are silent, or the reverse.

        `dimension` is the length of the keys in use. Weights are cleared as often as they are scaled.
        """
        cells = 4 * dimension
        return self.cost_model(
            {
                "keys": inputs(cells, self.neurons if recall else 0, self.encoder),
                "teacher": population(self.neurons, 1),
                "value": population(self.neurons, 0, self.value, _CURRENT) if recall else population(self.neurons, 0),
            },
            self.rule,
            "keys",
            "value",
            cells * self.neurons * operations("w = 0"),
        )

    def build(self, net: Net) -> None:
        cells = 2 * self.dimension
        names = {"pattern": net.table("pattern", np.zeros((self.slots, cells)) * Hz, self.slot)}
        names |= {name: net.table(name, np.zeros(self.slots), self.slot) for name in ("stored", "recall", "keep", "hold")}

        keys = net.encode(
            self.encoder,
            2 * cells,
            "keys",
            f"pattern(t, (i + {self.dimension}*int(i >= {cells})*int(recall(t) > 0.5)) % {cells})",
            self.slot,
            equations="effect : 1 (constant)\nrecalls : 1",
            reset="recalls += recall(t)",
            values={"effect": np.repeat([1, -1], cells)},
            method="exact",
            namespace=names,
        )
        shown = f"{TEACHER_HZ}*Hz*int(abs(stored(t) - i) < 0.5)"
        teacher = net.encode(latency, self.neurons, "teacher", shown, self.slot, method="exact", namespace=names)
        value = net.neurons(
            "value",
            self.value,
            self.neurons,
            current="bias*recall(t)",
            equations="bias : 1 (shared, constant)",
            method="euler",
            namespace=names,
        )
        net.onset(keys, "", self.slot, forget=True, name="forget")  # an encoder may have an onset of its own
        net.onset(value, "v = v*hold(t) + (1 - hold(t))*recall(t)*threshold/2", self.slot, forget=True)

        net.wire("teach", teacher, value, "v_post = threshold_post", connect=one_to_one)
        plastic = net.learn(
            self.rule,
            keys,
            value,
            transmit="v_post += effect_pre*drive*w*recall(t)",
            landing=self.landing,
            plastic="1 - recall(t)",
            model="drive : 1 (shared, constant)",
            namespace=names,
        )
        plastic.run_regularly("w = w*keep(t)", dt=self.slot, when="start", name="clear")
        spikes, key_spikes = SpikeMonitor(value, name="spikes"), SpikeMonitor(keys, record=False, name="key_spikes")
        net.add(spikes, key_spikes)

        net.inputs(drive=plastic.drive, bias=value.bias)
        net.outputs(
            spike_neuron=spikes.i, spike_time=spikes.t, key_spikes=key_spikes.count, key_recalls=keys.recalls, w=plastic.w
        )
        net.lasts(self.slots * self.slot)
