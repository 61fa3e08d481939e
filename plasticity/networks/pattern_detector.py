"""One neuron and 2000 plastic synapses that find a pattern of spikes which returns within noise of the same rate.

    inputs in the pattern   | | |  |   | |==============\\
    ...                      |  |  | ||   |              \\
    inputs outside of it    |  ||    | |  ==plastic========> neuron
    ...                       | |  |   ||===============/

Masquelier, Guyonneau & Thorpe 2008, doi:10.1371/journal.pone.0001377. The trains and their pattern are inputs of a run: NumPy
draws them (plasticity.spike_trains), and a `SpikeTape` in the compiled network plays them.

Time step. In the original, spikes have any time and two never coincide. Here about 13 of the 2000 inputs fire in the very step of
an output spike, and what becomes of them decides how soon the pattern is found (Hathway & Goodman 2018,
doi:10.5281/zenodo.1327348, section "Effect of learning rule at dt = 0"). `simultaneous="before"` is their way: such an input
counts as before the output spike and is potentiated. `simultaneous="apart"` is that of every rule in this library: the two do
not pair.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from brian2 import Quantity, SpikeMonitor, ms, second
from brian2.core.spikesource import SpikeSource
from brian2.core.variables import Variables
from brian2.groups.group import CodeRunner, Group

from plasticity import memory
from plasticity.checked import Count, Time, checked
from plasticity.errors import WrongUse, unknown
from plasticity.networks.network import Net, Network, onto_one, run_time
from plasticity.neurons import Neuron, srm_lif
from plasticity.rules import Landing, Rule, pair_stdp
from plasticity.spike_trains import Trains, trains_bytes

__all__ = ["PatternDetector"]

MOST_HZ = 70.0  # a tape has room for this mean rate
SIMULTANEOUS = ("before", "apart")
NEVER = np.iinfo(np.int32).max  # a step that does not come: the end of a tape

masquelier = pair_stdp(A_plus=2**-5, A_minus=0.85 * 2**-5, tau_plus=16.8 * ms, tau_minus=33.7 * ms)
"""pair_stdp with the paper's numbers; which of its pairs count (`with_traces`) is what the simulation asks."""


class SpikeTape(Group, CodeRunner, SpikeSource):
    """Sources that spike as an array says, which is an input of a run: Brian2's spike generator with room for any trains.

    Brian2's `SpikeGeneratorGroup` compiles its spikes in. Here `tape_step` (in order) and `tape_neuron` hold them, as many as
    `room`, the rest filled with `NEVER`; after `period` steps the tape starts again.
    """

    add_to_magic_network = True

    def __init__(self, n: int, room: int, period: int, name: str, dt: Quantity) -> None:
        Group.__init__(self, dt=dt, when="thresholds", order=0, name=name)
        self.start, self.stop = 0, n
        self.events = {"spike": None}
        self.codeobj_class = None
        self.variables = Variables(self)
        self.variables.create_clock_variables(self._clock)
        self.variables.add_constant("N", value=n)
        self.variables.add_arange("i", n)
        for array, size in (("neuron_index", room), ("_timebins", room), ("_spikespace", n + 1)):
            self.variables.add_array(array, size=size, dtype=np.int32)
        for number in ("_period_bins", "_lastindex"):
            self.variables.add_array(number, size=1, dtype=np.int32, scalar=True)
        CodeRunner.__init__(self, self, code="", template="spikegenerator", clock=self._clock, when="thresholds", order=0)
        self._enable_group_attributes()
        self.variables["_period_bins"].set_value(period)

    @property
    def spikes(self) -> np.ndarray:
        space = self.variables["_spikespace"].get_value()
        return space[: space[-1]]


@checked
@dataclasses.dataclass(frozen=True)
class PatternDetector(Network):
    """Inputs that a tape plays, and the neuron that finds the pattern in them.

    Parameters
    ----------
    rule, landing : Rule, Landing
        Of all synapses.
    inputs : int
        How many.
    stretch, duration : Quantity
        The trains are so long and are repeated until the end of the longest run.
    neuron : Neuron
        One whose synaptic input is a variable `x`.
    dt : Quantity
        The time step.
    simultaneous : str
        An input and an output spike in one time step: "before" (the input counts as earlier) or "apart" (they do not pair).

    Inputs per run: `tape_step` and `tape_neuron` (see `tape`), `w` (inputs), and every parameter of rule and neuron. Outputs: `w`
    (inputs), `spike_s` (when the neuron fired, seconds).
    """

    rule: Rule = run_time(lambda: masquelier.with_traces("reduced"), "plastic")
    inputs: Count = 2000
    stretch: Time = dataclasses.field(default_factory=lambda: 150 * second)
    duration: Time = dataclasses.field(default_factory=lambda: 450 * second)
    landing: Landing = dataclasses.field(default_factory=Landing)
    neuron: Neuron = run_time(srm_lif, "neuron")
    dt: Time = dataclasses.field(default_factory=lambda: 0.1 * ms)
    simultaneous: str = "before"

    def __post_init__(self) -> None:
        if self.simultaneous not in SIMULTANEOUS:
            raise unknown("way with simultaneous spikes", self.simultaneous, SIMULTANEOUS)

    @property
    def bytes(self) -> float:
        return trains_bytes(self.inputs, float(self.stretch)) + 8.0 * memory.COPIES * self.room()

    def room(self) -> int:
        """How many spikes the tape holds."""
        return int(MOST_HZ * self.inputs * float(self.stretch)) + 100

    def tape(self, made: Trains) -> dict[str, np.ndarray]:
        """Trains as inputs of a run; WrongUse where they do not fit this network."""
        steps = round(float(self.stretch) / float(self.dt))
        if made.steps != steps or len(made.step) > self.room():
            raise WrongUse(
                f"trains of {made.steps} steps and {len(made.step)} spikes do not fit a tape of {steps} steps and {self.room()}"
                " spikes; give both the same inputs, stretch and dt."
            )
        rest = self.room() - len(made.step)
        return {
            "tape_step": np.concatenate([made.step, np.full(rest, NEVER, dtype=np.int32)]),
            "tape_neuron": np.concatenate([made.neuron, np.zeros(rest, dtype=np.int32)]),
        }

    def build(self, net: Net) -> None:
        tape = net.add(SpikeTape(self.inputs, self.room(), round(float(self.stretch) / float(self.dt)), "tape", self.dt))
        neuron = net.neurons("neuron", self.neuron, 1, method="exact")
        plastic = net.learn(
            self.rule,
            tape,
            neuron,
            transmit="x_post += w",
            landing=self.landing,
            traces="synapse",
            connect=onto_one(self.inputs),
        )
        if self.simultaneous == "before":  # input spikes are read and counted before the output spike of their step is looked at
            for order, path in enumerate(("pre", "pre_count", "post", "post_count")):
                getattr(plastic, path).order = order
        spikes = net.add(SpikeMonitor(neuron, name="spikes"))
        net.inputs(tape_step=tape._timebins, tape_neuron=tape.neuron_index, w=plastic.w)
        net.outputs(w=plastic.w, spike_s=spikes.t)
        net.lasts(self.duration)
