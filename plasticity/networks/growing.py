"""Two populations that connect themselves: synaptic elements grow by calcium and are paired at random; weights stay as they are.

    background ---> E, I        E ..exciting..> E, I        I ..inhibiting..> E, I        (dotted: synapses that come and go)

Every neuron is a leaky integrate-and-fire neuron whose input currents are alpha functions,

    C dv/dt = -g_leak v + I,   I(t) = w e (t/tau_s) e^{-t/tau_s} for each spike,   spike at v > theta, then v = 0 for t_ref

with a Poisson process of background spikes of its own. Calcium, elements and their pairing: `plasticity.structure.growth_curves`.
A neuron has axonal elements (exciting ones of E, inhibiting ones of I) and dendritic ones for either kind of synapse. All of one
neuron have one growth curve g(Ca), each with a rate of its own, so that the curve is followed once, in steps of `growing`.

After each update a tenth of a neuron's free elements withers; without that free dendrites pile up, which take whatever axons come
later, and the rates run away. The numbers are those of NEST's public example of structural plasticity (nest-simulator, commit
12277ce; its neurons are `iaf_psc_alpha` with their defaults). There pairs of neurons may have several synapses, here at most
one, and no neuron has one with itself.

Butz & van Ooyen 2013, doi:10.1371/journal.pcbi.1003259.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from brian2 import Hz, StateMonitor, ms, mV, pA, pF, second

from plasticity import given, memory
from plasticity.checked import Count, Time, checked
from plasticity.networks.network import Net, Network
from plasticity.rules import Landing, Rule
from plasticity.structure import Structure, growth_curves
from plasticity.structure.growth_curves import CURVE

__all__ = ["Growing"]

static = Rule(
    name="static", summary="weights that stay as they are", source="control", parameters={}, meaning={}, on_pre="dw = 0"
)
CONSTANTS = {
    "wither": 0.1, "tau_m": 10 * ms, "C": 250 * pF, "tau_s": 2 * ms, "theta": 15 * mV, "tau_Ca": 10 * second, "beta": 1e-3,
    "background": 1e4 * Hz, "left": 1.0, "until": 1e9 * second, "J_background": 6.2 * pA, "J": 585 * pA,
    "J_inhibiting": -585 * pA, "eta": 0.0,
}  # fmt: skip
GROWTH = {"axon": (0.1, 0.1), "exciting_dendrite": (0.1, 0.4), "inhibiting_dendrite": (0.1, 0.1)}  # Hz, of E and of I
SET_POINTS = (0.05, 0.2)  # calcium of E and of I: 5 and 20 Hz, for it is beta tau_Ca times the rate
_EQUATIONS = """
dv/dt = -v/tau_m + I/C : volt (unless refractory)
dI/dt = (x - I)/tau_s : amp
dx/dt = -x/tau_s : amp
dCa/dt = -Ca/tau_Ca : 1
axon : 1
exciting_dendrite : 1
inhibiting_dendrite : 1
axon_used : 1
exciting_dendrite_used : 1
inhibiting_dendrite_used : 1
eps : 1 (constant)
hit : 1 (constant)
nu_axon : Hz (constant)
nu_exciting : Hz (constant)
nu_inhibiting : Hz (constant)
spikes : 1
"""


@checked
@dataclasses.dataclass(frozen=True)
class Growing(Network):
    """E and I neurons, and the pools of all exciting and all inhibiting synapses that there can be.

    Parameters
    ----------
    excitatory, inhibitory : int
        How many neurons.
    every, growing, sample, dt : Quantity
        Time between updates of the structure, between steps of the elements, between records, and the time step.
    longest : Quantity
        The longest run.

    Inputs per run: `CONSTANTS` as neurons.NAME (from `until` on the background of the neurons that are `hit` fires at `left`
    times its rate; `eta` is the lower end of the growth curve as a share of the upper one), `hit` (neurons,; all of them unless
    told otherwise), `key` (of the structure). Outputs: `calcium`, `spikes` (samples, neurons; spikes since the start), `t`
    (samples,), `exciting_update`, `exciting_synapse`, `inhibiting_update`, `inhibiting_synapse` (events of the record of
    `plasticity.structure.pool`), `exciting_alive`, `inhibiting_alive` (of the pools, see `pool`).
    """

    excitatory: Count = 800
    inhibitory: Count = 200
    every: Time = dataclasses.field(default_factory=lambda: 1 * second)
    growing: Time = dataclasses.field(default_factory=lambda: 10 * ms)
    sample: Time = dataclasses.field(default_factory=lambda: 1 * second)
    longest: Time = dataclasses.field(default_factory=lambda: 1000 * second)
    dt: Time = dataclasses.field(default_factory=lambda: 0.1 * ms)

    @property
    def neurons(self) -> int:
        return self.excitatory + self.inhibitory

    @property
    def bytes(self) -> float:
        return memory.of_synapses(self.neurons**2, 6)

    def pool(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Of each synapse of a pool, "exciting" or "inhibiting", the neuron that it begins at and the one that it ends at."""
        number = self.excitatory if name == "exciting" else self.inhibitory
        begin, end = np.divmod(np.arange(number * self.neurons), self.neurons)
        begin += self.neurons - number if name == "inhibiting" else 0
        return begin[begin != end], end[begin != end]

    def build(self, net: Net) -> None:
        kind = np.repeat([0, 1], [self.excitatory, self.inhibitory])
        constants = "\n".join(f"{name} : {given.unit_of(value)} (shared, constant)" for name, value in CONSTANTS.items())
        neurons = net.group(
            "neurons", self.neurons, _EQUATIONS + constants, threshold="v > theta", reset="v = 0*mV\nCa += beta\nspikes += 1",
            refractory=2 * ms, method="exact", namespace={"mV": mV},
        )  # fmt: skip
        for name, value in CONSTANTS.items():
            setattr(neurons, name, value)
        neurons.eps = np.array(SET_POINTS)[kind]
        for name, rates in zip(("nu_axon", "nu_exciting", "nu_inhibiting"), GROWTH.values(), strict=True):
            setattr(neurons, name, np.array(rates)[kind] * Hz)
        neurons.hit = 1
        rate = "background*(1 - int(t >= until)*hit*(1 - left))"
        neurons.run_regularly(f"x += e*J_background*poisson({rate}*dt)", when="start", dt=self.dt, name="neurons_background")
        step = f"({float(self.growing)!r}*second)"
        grow = "\n".join(
            f"{element} = clip({element} + {nu}*g*{step}, 0, inf)"
            for element, nu in zip(GROWTH, ("nu_axon", "nu_exciting", "nu_inhibiting"), strict=True)
        )
        neurons.run_regularly(f"g = {CURVE}\n{grow}", dt=self.growing, name="neurons_growing")
        free = "\n".join(f"{element} -= wither*clip(floor({element}) - {element}_used, 0, inf)" for element in GROWTH)
        none = "\n".join(f"{element}_used = 0" for element in GROWTH)
        for text, order, name in ((none, -22, "none"), (free, -20, "wither")):  # after the update of the structure
            neurons.run_regularly(text, dt=self.every, when="start", order=order, name=f"neurons_{name}")
        excitatory = neurons[: self.excitatory]
        inhibitory = neurons[self.excitatory :]
        for name, source, strength in (("exciting", excitatory, "J"), ("inhibiting", inhibitory, "J_inhibiting")):
            law = dataclasses.replace(growth_curves, elements=("axon_pre", f"{name}_dendrite_post"))
            pool = net.learn(
                static, source, neurons, name=name, transmit=f"x_post += e*{strength}_post*w", landing=Landing(0, 1),
                structure=Structure(law, every=self.every), delay=1 * ms, traces="synapse", connect=False,
            )  # fmt: skip
            begin, end = self.pool(name)
            pool.connect(i=begin - (0 if name == "exciting" else self.excitatory), j=end)
            pool.run_regularly(
                f"axon_used_pre += int(alive)\n{name}_dendrite_used_post += int(alive)", dt=self.every, when="start", order=-21,
                name=f"{name}_used",
            )  # fmt: skip
            pool.alive = False
            pool.w = 0
            cell = net.groups[f"{name}_structure"]
            net.inputs({f"{name}_key": cell.key})
            net.outputs({f"{name}_alive": pool.alive})
            net.outputs({f"{name}_update": cell.log_update, f"{name}_synapse": cell.log_synapse})
        history = net.add(StateMonitor(neurons, ["Ca", "spikes"], record=True, dt=self.sample, name="history"))
        net.inputs(net.at(*(f"neurons.{name}" for name in CONSTANTS)), hit=neurons.hit)
        net.outputs(t=history.t, calcium=history.state("Ca"), spikes=history.state("spikes"))
        net.lasts(self.longest)

    def values(self) -> dict[str, Any]:
        """The numbers of NEST's example."""
        return super().values() | {f"neurons.{name}": float(value) for name, value in CONSTANTS.items()}
