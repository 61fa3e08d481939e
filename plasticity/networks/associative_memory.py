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
from typing import Any

import numpy as np
from brian2 import Hz, Network, Quantity, SpikeMonitor, Synapses, TimedArray, defaultclock, ms

from plasticity.activity import Anatomy, drift, learning, operations, population
from plasticity.encoders import Encoder, latency, poisson
from plasticity.engine import Model, neutral
from plasticity.neurons import Neuron, integrate_and_fire
from plasticity.rules import Landing, Rule, pair_stdp

TEACHER_HZ = 20.0
"""The teacher is a latency encoder: at this rate it fires 45 ms after the onset of a pair."""

_CURRENT = "I = bias : 1"  # while a key is recalled


@dataclasses.dataclass(frozen=True)
class AssociativeMemory:
    """What is compiled: sizes, rule, neuron and encoder. Numbers that a run can set are not part of it.

    Parameters
    ----------
    dimension, values : int
        Length of a key, and number of possible values. Shorter keys leave cells silent.
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
    """

    dimension: int
    values: int
    rule: Rule = dataclasses.field(default_factory=lambda: pair_stdp(A_plus=0.01, A_minus=0.0))
    landing: Landing = dataclasses.field(default_factory=Landing)
    value: Neuron = integrate_and_fire
    encoder: Encoder = poisson
    slot: Quantity = dataclasses.field(default_factory=lambda: 50 * ms)
    dt: Quantity = dataclasses.field(default_factory=lambda: 1 * ms)
    slots: int = 4000

    def structure(self) -> AssociativeMemory:
        """The same network with every run-time number replaced by a 1 of its unit: what is hashed and compiled."""
        return dataclasses.replace(self, rule=neutral(self.rule), value=neutral(self.value))

    def run_values(self) -> dict[str, float]:
        """The run-time numbers, by the name of their input."""
        numbers = {f"value.{key}": float(number) for key, number in self.value.parameters.items()}
        return numbers | {name: float(self.rule.parameters[key]) for name, (_, key) in self.rule_inputs().items()}

    def rule_inputs(self) -> dict[str, tuple[str, str]]:
        """Where each parameter of the rule lies: input name -> (group, parameter)."""
        return self.rule.places("keys", "value")

    def anatomy(self, dimension: int, recall: bool) -> Anatomy:
        """What is counted while pairs are stored, or recalled: synapses learn and are silent, or the reverse.

        `dimension` is the length of the keys in use. Weights are cleared as often as they are scaled.
        """
        cells = 4 * dimension
        keys = population(cells, self.values if recall else 0)
        value = population(self.values, 0, self.value, _CURRENT) if recall else population(self.values, 0)
        return Anatomy(
            {
                "keys": learning(self.rule, "pre", keys, self.values),
                "teacher": population(self.values, 1),
                "value": learning(self.rule, "post", value, cells),
            },
            cells * self.values,
            drift(self.rule),
            cells * self.values * operations("w = 0"),
        )


def build(spec: AssociativeMemory) -> Model:
    """The Brian2 network of an `AssociativeMemory`; slot k lasts from k*slot to (k+1)*slot.

    Inputs per run, one row a slot: `pattern` (slots, 2*dimension; rates in hertz of the ON, then of the OFF cells), `stored` (the
    value that is stored, -1 for none), `recall` (1 while a key is recalled), `keep` (0 where all weights are cleared first) and
    `hold` (0 where the potentials begin anew: at 0, or at half the threshold for a recall, so that its counts are rounded).
    Besides `drive` (rise of the potential at a spike, per weight), `bias` (steady current during recall) and every parameter of
    rule and value neuron by the names in `run_values`.
    Outputs: `spike_neuron`, `spike_time` of the value neurons, `key_spikes` and `key_recalls` (4*dimension: how many spikes, and
    how many of them during recall), `w` (4*dimension*values).
    """
    defaultclock.dt = spec.dt
    cells = 2 * spec.dimension
    names: dict[str, Any] = {"pattern": TimedArray(np.zeros((spec.slots, cells)) * Hz, dt=spec.slot, name="pattern")}
    names |= {key: TimedArray(np.zeros(spec.slots), dt=spec.slot, name=key) for key in ("stored", "recall", "keep", "hold")}
    pre_equations, pre_spike, pre_values = spec.rule.neuron_traces("pre")
    post_equations, post_spike, post_values = spec.rule.neuron_traces("post")

    keys = spec.encoder.group(
        2 * cells,
        "keys",
        f"pattern(t, (i + {spec.dimension}*int(i >= {cells})*int(recall(t) > 0.5)) % {cells})",
        spec.slot,
        equations="effect : 1 (constant)\nrecalls : 1\n" + pre_equations,
        reset=f"recalls += recall(t)\n{pre_spike}",
        method="exact",
        namespace=names,
    )
    keys.effect = np.repeat([1, -1], cells)
    for name, number in pre_values.items():
        setattr(keys, name, number)
    teacher = latency.group(
        spec.values, "teacher", f"{TEACHER_HZ}*Hz*int(abs(stored(t) - i) < 0.5)", spec.slot, method="exact", namespace=names
    )
    value = spec.value.group(
        spec.values,
        "value",
        current="bias*recall(t)",
        equations="bias : 1 (shared, constant)\n" + post_equations,
        reset=post_spike,
        values=post_values,
        method="euler",
        namespace=names,
    )
    forget = {
        "keys": [f"{t.name} = 0" for t in spec.rule.side("pre")],
        "value": [f"{t.name} = 0" for t in spec.rule.side("post")],
    }
    if forget["keys"]:
        keys.run_regularly("\n".join(forget["keys"]), dt=spec.slot, when="start", name="keys_forget")
    value.run_regularly(
        "\n".join(["v = v*hold(t) + (1 - hold(t))*recall(t)*threshold/2", *forget["value"]]),
        dt=spec.slot,
        when="start",
        name="value_onset",
    )

    teach = Synapses(teacher, value, on_pre="v_post = threshold_post", name="teach", namespace={})
    teach.connect(j="i")
    plastic = spec.rule.synapses(
        keys,
        value,
        transmit="v_post += effect_pre*drive*w*recall(t)",
        landing=spec.landing,
        traces="neuron",
        plastic="1 - recall(t)",
        model="drive : 1 (shared, constant)",
        namespace=names,
        name="plastic",
    )
    plastic.connect()
    plastic.run_regularly("w = w*keep(t)", dt=spec.slot, when="start", name="clear")
    spikes = SpikeMonitor(value, name="spikes")
    key_spikes = SpikeMonitor(keys, record=False, name="key_spikes")

    inputs: dict[str, Any] = {**names, "drive": plastic.drive, "bias": value.bias}
    inputs |= {f"value.{key}": getattr(value, key) for key in spec.value.parameters}
    groups = {"keys": keys, "value": value, "plastic": plastic}
    inputs |= {name: getattr(groups[group], key) for name, (group, key) in spec.rule_inputs().items()}
    outputs = {"spike_neuron": spikes.i, "spike_time": spikes.t, "key_spikes": key_spikes.count}
    outputs |= {"key_recalls": keys.recalls, "w": plastic.w}
    network = Network(keys, teacher, value, teach, plastic, spikes, key_spikes)
    return Model(network, spec.slots * spec.slot, inputs, outputs)
