"""Two groups of inputs with the same statistics meet on one neuron; every synapse is plastic, attention is a gain on a group.

    group 0  o o o o ==plastic==\
                                  >--> neuron
    group 1  o o o o ==plastic==/

Input i of group k is a Poisson process with the rate

    r_i(t) = base [gain_k(t) + correlation fluctuation_k(t) y_k(t)]+,     dy_k/dt = -y_k/tau_c + sqrt(2/tau_c) xi_k(t)

so that the inputs of one group rise and fall together (y_k has mean 0, variance 1, correlation time tau_c) and the groups are
independent of each other: the inputs of Song & Abbott 2001, Cortical development and remapping through spike timing-dependent
plasticity (doi:10.1016/S0896-6273(01)00451-2), with an Ornstein-Uhlenbeck process for the common signal. A gain that multiplies
the rates has fluctuation = gain; one on the mean alone leaves fluctuation = 1. The neuron is that of Song, Miller & Abbott 2000
(doi:10.1038/78829); a presynaptic spike adds g_max w to its conductance, and each of 5000 background spikes per second (Poisson,
not plastic) adds g_background.

Time step. What the neuron gets from a spike must not depend on it. Two things made it do so, and are mended: the neuron is
advanced by `plasticity.neurons.between_steps`, which says what is wrong without it; and an Euler step makes the variance of y too
large by dt/(2 tau_c), so that y is advanced exactly. What is left goes with dt: a spike acts at the end of its step.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np
from brian2 import Hz, PoissonInput, Quantity, SpikeMonitor, StateMonitor, linked_var, ms, second

from plasticity.checked import checked
from plasticity.encoders import poisson
from plasticity.errors import WrongUse
from plasticity.networks.network import Net, Network, onto_one, run_time
from plasticity.neurons import Neuron, between_steps, lif_conductance
from plasticity.rules import Landing, Rule, pair_stdp
from plasticity.spike_statistics import mean_correlation
from plasticity.structure import Structure

__all__ = ["TwoGroups"]

GROUPS = 2
# How a gain singles out a group, or does not
SINGLED_OUT = ("attention", "mean_only", "redistributed", "equal_gain", "shuffled", "learning_gate")


@checked
@dataclasses.dataclass(frozen=True)
class TwoGroups(Network):
    """Two groups of inputs on one neuron; inputs 0 to n-1 are group 0, n to 2n-1 group 1.

    Parameters
    ----------
    inputs : int
        In each of the two groups.
    rule, landing : Rule, Landing
        Of all synapses; weights without unit. The exponent mu of soft bounds can be set per run, but hard bounds (mu 0) are
        another program.
    neuron : Neuron
        One with the equations of `lif_conductance`.
    pool : Structure or None
        Which of the synapses are alive changes by a law; its factors may name `growth_pre` and `survival_pre`, one number for
        each input.
    epoch, epochs : Quantity, int
        The gains may change every so often, and the most epochs in one run.
    sample, window, dt : Quantity
        How often the weights are recorded, the window in which input spikes are counted, and the time step.

    Inputs per run: `gain` and `fluctuation` (epochs, 2), `learning` (2 n; what multiplies each synapse's change), `w` (2 n),
    `base` (hertz), `correlation`, `tau_c` (second), `g_max` and `g_background` (in units of the leak), and every parameter of
    rule, soft landing and neuron. Outputs: `w` (2 n), `w_history` (samples x 2 n, flat), `input_counts` (windows, 2 n: how many
    spikes so far), `input_spikes` (2 n), `spikes` (1: how many). With a pool the inputs `alive`, `growth` and `survival` (2 n
    each) and what else `Net.follow` says of a pool.
    """

    inputs: int
    rule: Rule = run_time(pair_stdp, "inputs", "neuron")
    landing: Landing = run_time(Landing(), "plastic")
    neuron: Neuron = run_time(lif_conductance, "neuron")
    pool: Structure | None = None
    epoch: Quantity = dataclasses.field(default_factory=lambda: 500 * ms)
    epochs: int = 1000
    sample: Quantity = dataclasses.field(default_factory=lambda: 1 * second)
    window: Quantity = dataclasses.field(default_factory=lambda: 100 * ms)
    dt: Quantity = dataclasses.field(default_factory=lambda: 0.5 * ms)

    def run_time_fields(self) -> dict[str, tuple[str, ...]]:
        """The fields whose parameters are set per run; hard bounds have none."""
        return {name: groups for name, groups in super().run_time_fields().items() if name != "landing" or self.landing.mu}

    def singled_out(self, how: str, gain: float, seed: int) -> dict[str, np.ndarray]:
        """The inputs `gain`, `fluctuation` and `learning` by which group 0 is singled out, or neither is.

        attention       the gain on the rates of group 0
        mean_only       the gain on the mean rate of group 0, whose common fluctuation stays as large as it was
        redistributed   2 g/(1 + g) on group 0, 2/(1 + g) on group 1: the total of no gain
        equal_gain      the gain on those of both
        shuffled        the gain on one of the two, drawn anew for each epoch
        learning_gate   no gain on rates; the changes of the synapses of group 0 are multiplied by it
        """
        gains, learning = np.ones((self.epochs, GROUPS)), np.ones(GROUPS * self.inputs)
        if how in ("attention", "mean_only"):
            gains[:, 0] = gain
        elif how == "redistributed":
            gains[:] = 2 * gain / (1 + gain), 2 / (1 + gain)
        elif how == "equal_gain":
            gains[:] = gain
        elif how == "shuffled":
            gains[np.arange(len(gains)), np.random.default_rng([seed, 1]).integers(GROUPS, size=len(gains))] = gain
        elif how == "learning_gate":
            learning[: self.inputs] = gain
        else:
            raise WrongUse(f"unknown way to single out a group, {how!r}; known: {', '.join(SINGLED_OUT)}.")
        return {"gain": gains, "fluctuation": np.ones_like(gains) if how == "mean_only" else gains, "learning": learning}

    def by_group(self, found: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Outputs of a run by group: `history` (samples, groups) mean weight, `weights` and `input_spikes` (groups, inputs).

        And `noise_correlation` (groups): of the spike counts in windows, the mean over all pairs of inputs of a group.
        """
        each = {"weights": found["w"], "input_spikes": found["input_spikes"]}
        history = found["w_history"].reshape(-1, GROUPS, self.inputs).mean(axis=2)
        counts = np.diff(found["input_counts"], axis=0).reshape(-1, GROUPS, self.inputs)
        noise = np.array([mean_correlation(counts[:, k]) for k in range(GROUPS)])
        by_group = {name: array.reshape(GROUPS, self.inputs) for name, array in each.items()}
        return {"history": history, "noise_correlation": noise} | by_group

    def build(self, net: Net) -> None:
        n = GROUPS * self.inputs
        gain = net.table("gain", np.ones((self.epochs, GROUPS)), self.epoch)
        fluctuation = net.table("fluctuation", np.ones((self.epochs, GROUPS)), self.epoch)
        common = net.group(
            "common",
            GROUPS,
            """y : 1
            level : 1
            tau_c : second (shared, constant)
            correlation : 1 (shared, constant)""",
            namespace={"gain": gain, "fluctuation": fluctuation},
        )
        common.tau_c = 1 * ms
        common.y = "randn()"
        common.run_regularly(
            """y = y*exp(-dt/tau_c) + sqrt(1 - exp(-2*dt/tau_c))*randn()
            level = clip(gain(t, i) + correlation*fluctuation(t, i)*y, 0, inf)""",
            when="before_groups",
            name="common_level",
        )
        inputs = net.encode(
            poisson,
            n,
            "inputs",
            "base*level",
            self.epoch,
            equations="level : 1 (linked)\nbase : Hz (shared, constant)\nlearning : 1 (constant)\ncount : 1"
            + "\ngrowth : 1 (constant)\nsurvival : 1 (constant)" * (self.pool is not None),
            reset="count += 1",
            values={"level": linked_var(common, "level", index=np.repeat(np.arange(GROUPS), self.inputs)), "learning": 1},
            method="exact",
        )
        neuron = net.neurons(
            "neuron",
            between_steps(self.neuron),
            1,
            equations="g_background : 1 (shared, constant)",
        )
        net.add(PoissonInput(neuron, "ge", N=1000, rate=5 * Hz, weight="g_background"))
        plastic = net.learn(
            self.rule,
            inputs,
            neuron,
            transmit="ge_post += g_max*w",
            gate="learning_pre",
            landing=self.landing,
            model="g_max : 1 (shared, constant)",
            connect=onto_one(n),
            structure=self.pool,
        )
        if self.pool:
            inputs.growth = inputs.survival = 1
            net.follow(plastic)
            net.inputs(growth=inputs.growth, survival=inputs.survival)
        input_spikes = SpikeMonitor(inputs, record=False, name="input_spikes")
        spikes = SpikeMonitor(neuron, record=False, name="spikes")
        history = StateMonitor(plastic, "w", record=np.arange(n), dt=self.sample, name="history")
        counts = StateMonitor(inputs, "count", record=True, dt=self.window, name="counts")
        net.add(input_spikes, spikes, history, counts)

        net.inputs(
            learning=inputs.learning, base=inputs.base, correlation=common.correlation, tau_c=common.tau_c,
            w=plastic.w, g_max=plastic.g_max, g_background=neuron.g_background,
        )  # fmt: skip
        net.outputs(
            w=plastic.w, w_history=history.state("w"), input_counts=counts.state("count"), input_spikes=input_spikes.count,
            spikes=spikes.count,
        )  # fmt: skip
        net.lasts(self.epochs * self.epoch)
