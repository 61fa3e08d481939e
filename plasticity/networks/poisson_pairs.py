"""Where STDP takes the weights between Poisson trains: nobody drives anybody.

    Poisson trains o o o ==plastic, all to all==> Poisson trains o o o

Every synapse sees a pair of independent Poisson trains, which is all that its own weight depends on (Guetig, Aharonov, Rotter &
Sompolinsky 2003, doi:10.1523/JNEUROSCI.23-09-03697.2003, uncorrelated trains). Synapses that share a train are not independent
of each other, though: judge by the scatter over seeds.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from brian2 import Quantity, StateMonitor, ms, second

from plasticity import memory
from plasticity.checked import checked
from plasticity.networks.network import Net, Network, run_time
from plasticity.networks.poisson_trains import poisson_trains
from plasticity.rules import Landing, Rule, pair_stdp

__all__ = ["PoissonPairs"]


@checked
@dataclasses.dataclass(frozen=True)
class PoissonPairs(Network):
    """Synapses from each of `pre` Poisson trains to each of `post` Poisson trains, which are independent.

    Parameters
    ----------
    pre, post : int
        How many trains on either side; pre x post synapses, synapse (i, j) at position i post + j.
    rule, landing : Rule, Landing
        Of all synapses; weights without unit. The exponent mu of the soft bounds can be set per run; with mu = 0 the factors
        w^0 and (1 - w)^0 are 1, which is hard bounds.
    longest, sample, dt : Quantity
        The longest run, how often the weights are recorded, and the time step.
    trains : bool
        Record the spikes too (many).

    Inputs per run: `w` (pre x post), `pre_rate`, `post_rate` (hertz), and every parameter of rule (as pre.NAME, post.NAME,
    plastic.NAME) and landing (plastic.mu). Outputs: `w` (pre x post), `w_history` (samples, pre x post), `pre_spikes` (pre),
    `post_spikes` (post), and with `trains` `pre_t`, `post_t` (second), `pre_i`, `post_i`.
    """

    pre: int = 30
    post: int = 30
    rule: Rule = run_time(pair_stdp, "pre_trains", "post_trains")
    landing: Landing = run_time(Landing(), "plastic")
    longest: Quantity = dataclasses.field(default_factory=lambda: 20_000 * second)
    sample: Quantity = dataclasses.field(default_factory=lambda: 10 * second)
    dt: Quantity = dataclasses.field(default_factory=lambda: 0.1 * ms)
    trains: bool = False

    @property
    def bytes(self) -> float:
        samples = float(self.longest) / float(self.sample)
        return memory.of_synapses(self.pre * self.post) + 8.0 * memory.COPIES * self.pre * self.post * samples

    def places(self) -> dict[str, tuple[str, str, str]]:
        """Where each run-time number lies, named by the side, and not by the group."""
        return {name.replace("_trains.", "."): place for name, place in super().places().items()}

    def half_at_each_bound(self) -> np.ndarray:
        """Weights of which every other one is 1 and the others 0, as on a chequerboard of the trains: half of each train's."""
        return np.add.outer(np.arange(self.pre), np.arange(self.post)).ravel() % 2

    def build(self, net: Net) -> None:
        pre, post = (poisson_trains(net, n, f"{side}_trains") for side, n in (("pre", self.pre), ("post", self.post)))
        plastic = net.learn(
            self.rule,
            pre,
            post,
            landing=self.landing,
            connect={"i": np.repeat(np.arange(self.pre), self.post), "j": np.tile(np.arange(self.post), self.pre)},
        )
        history = net.add(StateMonitor(plastic, "w", record=True, dt=self.sample, name="history"))
        net.inputs(w=plastic.w, pre_rate=pre.rate, post_rate=post.rate)
        net.outputs(w=plastic.w, w_history=history.state("w"))
        net.spikes("pre", pre, times=self.trains)
        net.spikes("post", post, times=self.trains)
        net.lasts(self.longest)
