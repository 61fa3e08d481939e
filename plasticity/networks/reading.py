"""Spiking layers that read words and learn from reward, with a gate on every word: `AttentionGated` with word channels.

    words  o o o o o ... --x gain--> ==plastic==> hidden o o o ==plastic==> actions o o o
                 |                   <--- attention ---            <--- attention ---
    gate   o o o o o ... (a unit for each word sets its gain) <==plastic== task neuron o

A word channel is a neuron that fires for its word: in time, once at the place of each of its occurrences, or all at once, at
a rate that grows with their number. A gate unit for each word sets the gain of its channel's terminals, what a spike adds for
weight 1; at the end of a trial the channel reports the attention that its spikes met, and the weight from the task neuron
onto the gate unit follows the rule of all others: gains of words whose attention and reward agree grow, others fall. So
attention is a property of the task and the word, learned over trials, and not of the text. That it acts on the efficacy of
the terminals of an input is what Briggs, Mangun & Usrey found for attention in the thalamocortical synapse. `norm` scales all
gains of a trial by the energy of its input (divisive normalisation).

Sources: those of `plasticity.networks.attention_gated`; Briggs, Mangun & Usrey 2013, doi:10.1038/nature12276; Carandini & Heeger
2012, doi:10.1038/nrn3136.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from brian2 import Hz

from plasticity.checked import checked
from plasticity.networks.attention_gated import FACTORS, AttentionGated
from plasticity.networks.network import Net, one_to_one
from plasticity.rules import Landing

__all__ = ["Reading"]

MOST_GAIN = 4.0  # of a word


@checked
@dataclasses.dataclass(frozen=True)
class Reading(AttentionGated):
    """Word channels, hidden layers and actions; `features` is the number of words that are known, `streams` is 1.

    Parameters
    ----------
    timed : bool
        Each word fires once at its place, one place every `dt`; else words fire all at once, at rates.
    gated : bool
        Gate units set the gains of words, and learn; else they open by 1 for all words, as late in a trial as gates that learn.

    Inputs per run beside those of `AttentionGated`: `norm` (trials; factor on all gains), with `timed` in place of `rates` `word`
    (trials*steps; the word that fires in each time step, -1 for none), with `gated` `w_gate` (features), `eta_gate`, `per_spike`.
    Outputs: `w_gate`.
    """

    timed: bool = False
    gated: bool = True

    @property
    def attends(self) -> bool:
        return self.gated

    def _gain(self, layer: int) -> str:
        return "*gain_pre" if layer == 1 else ""

    def _below(self, net: Net, names, shared: str, learning):
        """Word channels, and with a gate the gate units and the task neuron."""
        steps = round(float(self.trial / self.dt))
        names["norm"] = net.table("norm", np.ones(self.block), self.trial)
        equations = f"sent : 1\ngain : 1\nattention : 1\n{shared}"
        learns = f"{self.at('outcome')} and (learning > 0.5) and (sent > 0.5)"
        events = {"outcome": learns, "report": f"{self.at('report')} and (learning > 0.5) and (sent > 0.5)"}
        if self.timed:
            names["word"] = net.table("word", np.full(self.block * steps, -1.0), self.dt)
            streams = net.group(
                "streams", self.features, equations, threshold="abs(word(t) - i) < 0.5", reset="sent += 1", namespace=names,
                events=events, method="exact",
            )  # fmt: skip
        else:
            names["rates"] = net.table("rates", np.zeros((self.block, self.features)) * Hz, self.trial)
            streams = net.encode(
                self.encoder, self.features, "streams", "rates(t, i)", self.trial, equations=equations, reset="sent += 1",
                namespace=names, events=events, method="euler",
            )  # fmt: skip
        streams.learning = learning["learning"]
        # times 0 as it stands: the program of results/reference/news and film_reviews, to the letter
        net.onset(streams, "sent = 0\nattention = 0\ngain = norm(t)*0", self.trial, forget=True)
        onset = f"timestep(t, dt) % {steps} == "
        gate = net.group("gate", self.features, "open : 1\nattention : 1", method="exact", threshold=onset + "1")
        net.onset(gate, f"open = {int(not self.gated)}\nattention = 0", self.trial, forget=True)
        net.wire("set_gain", gate, streams, "gain_post += open_pre*norm(t)", connect=one_to_one, namespace=names)
        if not self.gated:
            return None, streams
        report = net.wire(
            "report", streams, gate, {"report": "attention_post += per_spike*sent_pre*attention_pre*norm(t)"},
            "per_spike : 1 (shared, constant)", connect=one_to_one, on_event={"report": "report"}, namespace=names,
        )  # fmt: skip
        task = net.group(
            "cue", 1, shared, method="exact", threshold=onset + "0", namespace=names,
            events={"outcome": f"{self.at('outcome')} and (learning > 0.5)"},
        )  # fmt: skip
        task.learning = learning["learning"]
        net.onset(task, "", self.trial, forget=True)
        choose = net.learn(
            self.rule, task, gate, name="plastic_gate", transmit="open_post += w", landing=Landing(0, MOST_GAIN), gate=FACTORS,
            seen="outcome", plastic="1",
        )  # fmt: skip
        choose.variables.add_reference("surprise", net.groups["critic"], "surprise", index="0")
        net.inputs(w_gate=choose.w, eta_gate=choose.eta, per_spike=report.per_spike)
        net.outputs(w_gate=choose.w)
        return gate, streams
