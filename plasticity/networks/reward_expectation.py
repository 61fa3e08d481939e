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

import numpy as np
from brian2 import (
    Hz,
    Network,
    NeuronGroup,
    Quantity,
    StateMonitor,
    Synapses,
    TimedArray,
    defaultclock,
    linked_var,
    ms,
)

from plasticity.engine import Model, neutral
from plasticity.neurons import Neuron, lif_current
from plasticity.rules import Eligibility, Landing, Rule, pair_stdp


@dataclasses.dataclass(frozen=True)
class RewardExpectation:
    """What is compiled: sizes, rule and neuron. Numbers that a run can set are not part of it.

    Parameters
    ----------
    inputs, stimuli, trials : int
        Input lines, stimuli, and the most trials of a run.
    rule : Rule
        Of all synapses.
    neuron : Neuron
        The one that learns.
    trial : Quantity
        Half stimulus, half silence.
    """

    inputs: int = 60
    stimuli: int = 4
    trials: int = 2000
    rule: Rule = pair_stdp
    neuron: Neuron = lif_current
    trial: Quantity = dataclasses.field(default_factory=lambda: 200 * ms)

    def structure(self) -> RewardExpectation:
        """The same network with every run-time number replaced by a 1 of its unit: what is hashed and compiled."""
        return dataclasses.replace(self, rule=neutral(self.rule), neuron=neutral(self.neuron))

    def values(self) -> dict[str, float]:
        """The run-time numbers, by the name of their input."""
        given = {f"neuron.{k}": float(v) for k, v in self.neuron.parameters.items()}
        given["neuron.v"] = float(self.neuron.parameters["rest"])
        sides = {"pre": "inputs", "post": "neuron"}
        given |= {f"{group}.{t.tau}": float(self.rule.parameters[t.tau]) for s, group in sides.items() for t in self.rule.side(s)}
        taus = {t.tau for t in self.rule.traces}
        return given | {f"plastic.{k}": float(v) for k, v in self.rule.parameters.items() if k not in taus}


def build(spec: RewardExpectation) -> Model:
    """The Brian2 network of a `RewardExpectation`.

    Inputs per run: `rates` (trials x inputs, hertz, of the stimulus in each trial), `stimulus` (trials; 0, 1, ...), `wanted`
    (trials; 1: fire, 0: be silent), `w` (inputs), `jump` (volt, of the membrane at a spike through a synapse of weight 1),
    `needed` (spikes that count as an answer), `rate` (of learning), `offset` (added to every reward), `expectation` (1: with,
    0: plain), `memory` (trials of a stimulus that its mean goes back), and what `RewardExpectation.values` names. Outputs, one
    row at the end of each trial after a first row at time 0: `reward` (without the offset), `signal` and `fired` (spikes).
    """
    defaultclock.dt = 1 * ms
    n, trial = spec.inputs, spec.trial
    rates = TimedArray(np.ones((spec.trials, n)) * Hz, dt=trial, name="rates")
    stimulus = TimedArray(np.zeros(spec.trials), dt=trial, name="stimulus")
    wanted = TimedArray(np.zeros(spec.trials), dt=trial, name="wanted")
    pre_equations, pre_spike, pre_values = spec.rule.neuron_traces("pre")
    post_equations, post_spike, post_values = spec.rule.neuron_traces("post")

    inputs = NeuronGroup(
        n,
        "rate : Hz\nshown : 1 (shared)\n" + pre_equations,
        threshold="rand() < rate*shown*dt",
        reset=pre_spike,
        method="exact",
        name="inputs",
        namespace={"rates": rates},
    )
    for name, value in pre_values.items():
        setattr(inputs, name, value)
    inputs.run_regularly("rate = rates(t, i)", dt=trial, name="inputs_rate")
    inputs.run_regularly(
        f"shown = int(t % ({float(trial)!r}*second) < {float(trial) / 2 - 0.0005!r}*second)", name="inputs_shown"
    )
    neuron = spec.neuron.group(
        1,
        "neuron",
        equations="fired : 1\n" + post_equations,
        reset=f"fired += 1\n{post_spike}",
        values=post_values,
        method="exact",
        namespace={},
    )
    # One line of the critic for each stimulus. It looks at the trial that has just ended, one step ago.
    critic = NeuronGroup(
        spec.stimuli,
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
        name="critic",
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
    outcome = NeuronGroup(1, "signal : 1\nreward : 1\nfired : 1\nrate : 1 (shared, constant)", name="outcome", namespace={})
    collect = Synapses(
        critic,
        outcome,
        "signal_post = error_pre : 1 (summed)\nreward_post = reward_pre : 1 (summed)\nfired_post = seen_pre : 1 (summed)",
        name="collect",
        namespace={},
    )
    collect.connect()
    neuron.run_regularly("fired = 0", dt=trial, when="end", name="neuron_forgets")
    seconds = float(trial)
    plastic = spec.rule.synapses(
        inputs,
        neuron,
        transmit="v_post += w*jump",
        landing=Landing(eligibility=Eligibility(f"rate*signal/{seconds!r}", trial / 20, trial)),
        traces="neuron",
        model="jump : volt (shared, constant)",
        name="plastic",
        namespace={},
    )
    for name in ("signal", "rate"):
        plastic.variables.add_reference(name, outcome, name, index="0")
    plastic.connect(i=np.arange(n), j=0)
    record = StateMonitor(outcome, ["reward", "signal", "fired"], record=[0], dt=trial, when="after_end", name="record")
    weights = StateMonitor(plastic, "w", record=np.arange(n), dt=50 * trial, when="after_end", name="weights")
    settable = {
        "rates": rates,
        "stimulus": stimulus,
        "wanted": wanted,
        "w": plastic.w,
        "jump": plastic.jump,
        "needed": critic.needed,
        "offset": critic.offset,
        "expectation": critic.expectation,
        "memory": critic.memory,
        "rate": outcome.rate,
    }
    groups = {"neuron": neuron, "inputs": inputs, "plastic": plastic}
    settable |= {name: getattr(groups[name.split(".")[0]], name.split(".")[1]) for name in spec.values()}
    outputs = {name: record.state(name) for name in ("reward", "signal", "fired")}
    outputs |= {"weights": weights.state("w"), "w": plastic.w}
    network = Network(inputs, neuron, critic, outcome, collect, plastic, record, weights)
    return Model(network, spec.trials * trial + defaultclock.dt, settable, outputs)
