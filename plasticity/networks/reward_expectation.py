"""One neuron learns from reward alone which stimuli to answer; the reward may be compared with what is expected of the stimulus.

    inputs  o o o o o o ==plastic==> neuron --> did it fire?  --> reward R = 1 if that was right, -1 if not, at the trial's end
                                                                     signal S = R + offset                    (plain)
    critic  mean of (R + offset) for each stimulus                   S = R + offset - that mean               (expectation)

    eligibility c   c += dw of the rule at each spike of the trial
    weight          w -> clip(w + rate S c, 0, 1) at the trial's end, then c fades away before the next one

Fremaux, Sprekeler & Gerstner 2010, Functional requirements for reward-modulated spike-timing-dependent plasticity
(doi:10.1523/JNEUROSCI.6249-09.2010): the mean change is rate (Cov(S, c) + <S><c>). The covariance is what learns; the second
term is a drift of unsupervised STDP, in size the mean signal, unless <S> = 0 for every stimulus. This is a smaller task than the
paper's (there, spike times of five neurons are to be learnt): the statement about the rules is the same.

A trial: the stimulus, then silence as long, so that membrane and traces forget. Each stimulus is a set of inputs that fire at
`high`, the others at `low`. What is told at the trial's end is whether the neuron fired at least `needed` times.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from brian2 import Hz, Quantity, StateMonitor, linked_var, ms

from plasticity.checked import checked
from plasticity.networks.network import Net, Network, onto_one, run_time
from plasticity.neurons import Neuron, lif_current
from plasticity.rules import Eligibility, Landing, Rule, pair_stdp

__all__ = ["RewardExpectation"]


@checked
@dataclasses.dataclass(frozen=True)
class RewardExpectation(Network):
    """Inputs, the neuron that learns, and the critic that judges its answers.

    Parameters
    ----------
    inputs, stimuli, trials : int
        Input lines, stimuli, and the most trials of a run.
    rule : Rule
        Of all synapses.
    neuron : Neuron
        The one that learns.
    trial, dt : Quantity
        Half stimulus, half silence; and the time step.

    Inputs per run: `rates` (trials x inputs, hertz, of the stimulus in each trial), `stimulus` (trials; 0, 1, ...), `wanted`
    (trials; 1: fire, 0: be silent), `w` (inputs), `jump` (volt, of the membrane at a spike through a synapse of weight 1),
    `needed` (spikes that count as an answer), `rate` (of learning), `offset` (added to every reward), `expectation` (1: with,
    0: plain), `memory` (trials of a stimulus that its mean goes back), the start `neuron.v` (volt), and every parameter of rule
    and neuron. Outputs, one row at the end of each trial after a first row at time 0: `reward` (without the offset), `signal` and
    `fired` (spikes); `weights` (inputs; a row every 50 trials) and `w` (inputs; at the end).
    """

    inputs: int = 60
    stimuli: int = 4
    trials: int = 2000
    rule: Rule = run_time(pair_stdp, "inputs", "neuron")
    neuron: Neuron = run_time(lif_current, "neuron")
    trial: Quantity = dataclasses.field(default_factory=lambda: 200 * ms)
    dt: Quantity = dataclasses.field(default_factory=lambda: 1 * ms)

    def values(self) -> dict[str, Any]:
        """The run-time numbers, by the name of their input; with them the neuron starts at rest."""
        return super().values() | {"neuron.v": float(self.neuron.parameters["rest"])}

    def build(self, net: Net) -> None:
        n, trial, seconds = self.inputs, self.trial, float(self.trial)
        rates = net.table("rates", np.ones((self.trials, n)) * Hz, trial)
        stimulus = net.table("stimulus", np.zeros(self.trials), trial)
        wanted = net.table("wanted", np.zeros(self.trials), trial)

        inputs = net.group(
            "inputs",
            n,
            "rate : Hz\nshown : 1 (shared)",
            threshold="rand() < rate*shown*dt",
            method="exact",
            namespace={"rates": rates},
        )
        inputs.run_regularly("rate = rates(t, i)", dt=trial, name="inputs_rate")
        first_half = f"t % ({seconds!r}*second) < {seconds / 2 - float(self.dt) / 2!r}*second"
        inputs.run_regularly(f"shown = int({first_half})", name="inputs_shown")
        neuron = net.neurons("neuron", self.neuron, 1, equations="fired : 1", reset="fired += 1", method="exact")
        # One line of the critic for each stimulus. It looks at the trial that has just ended, one step ago.
        critic = net.group(
            "critic",
            self.stimuli,
            """fired : 1 (linked)
            mean : 1
            visits : 1
            mine : 1
            seen : 1
            reward : 1
            error : 1
            needed : 1 (shared, constant)
            offset : 1 (shared, constant)
            expectation : 1 (shared, constant)
            memory : 1 (shared, constant)""",
            namespace={"stimulus": stimulus, "wanted": wanted},
        )
        critic.fired = linked_var(neuron, "fired")
        critic.run_regularly(
            """mine = int(t > 0.5*dt)*int(abs(stimulus(t - dt) - i) < 0.5)
            seen = mine*fired
            reward = mine*(1 - 2*abs(int(fired > needed - 0.5) - wanted(t - dt)))
            known = int(visits > 0.5)
            error = mine*(reward + offset - expectation*(known*mean + (1 - known)*(reward + offset)))
            visits += mine
            mean += mine*(reward + offset - mean)/clip(visits, 1, memory)""",
            dt=trial,
            when="start",
            name="critic_judges",
        )
        outcome = net.group("outcome", 1, "signal : 1\nreward : 1\nfired : 1\nrate : 1 (shared, constant)")
        net.wire(
            "collect",
            critic,
            outcome,
            "",
            "signal_post = error_pre : 1 (summed)\nreward_post = reward_pre : 1 (summed)\nfired_post = seen_pre : 1 (summed)",
        )
        neuron.run_regularly("fired = 0", dt=trial, when="end", name="neuron_forgets")
        plastic = net.learn(
            self.rule,
            inputs,
            neuron,
            transmit="v_post += w*jump",
            landing=Landing(eligibility=Eligibility(f"rate*signal/{seconds!r}", trial / 20, trial)),
            model="jump : volt (shared, constant)",
            connect=False,
        )
        for name in ("signal", "rate"):
            plastic.variables.add_reference(name, outcome, name, index="0")
        plastic.connect(**onto_one(n))
        record = StateMonitor(outcome, ["reward", "signal", "fired"], record=[0], dt=trial, when="after_end", name="record")
        weights = StateMonitor(plastic, "w", record=np.arange(n), dt=50 * trial, when="after_end", name="weights")
        net.add(record, weights)

        net.inputs(
            net.at("neuron.v"), w=plastic.w, jump=plastic.jump, needed=critic.needed, offset=critic.offset,
            expectation=critic.expectation, memory=critic.memory, rate=outcome.rate,
        )  # fmt: skip
        net.outputs({name: record.state(name) for name in ("reward", "signal", "fired")})
        net.outputs(weights=weights.state("w"), w=plastic.w)
        net.lasts(self.trials * trial + self.dt)
