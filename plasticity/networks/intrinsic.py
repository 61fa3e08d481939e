"""Units of rates that find back to their working point by their own gain and threshold.

One unit for each kind of input, and a new input in each time step.
"""

from __future__ import annotations

import dataclasses

from brian2 import Quantity, StateMonitor, ms, second

from plasticity.checked import checked
from plasticity.networks.network import Net, Network, run_time
from plasticity.neurons import Neuron, intrinsic_rate

__all__ = ["Intrinsic"]

INPUTS = ("normal", "uniform")


@checked
@dataclasses.dataclass(frozen=True)
class Intrinsic(Network):
    """Units of rates that adapt to their inputs: unit 0 to standard normal numbers, unit 1 to uniform ones from 0 to 1.

    Parameters
    ----------
    neuron : Neuron
        One with a gain a, a threshold b and an output y.
    longest, dt : Quantity
        The longest run, and the time step: a new input each.

    Inputs per run: `eta` (hertz), `mu`, `a` and `b` (2). Outputs: `x`, `y`, `a` and `b` (steps, 2): in each step the input, the
    answer to it, and the gain and threshold with which it was given.
    """

    neuron: Neuron = run_time(intrinsic_rate, "units")
    longest: Quantity = dataclasses.field(default_factory=lambda: 2000 * second)
    dt: Quantity = dataclasses.field(default_factory=lambda: 1 * ms)

    def places(self) -> dict[str, tuple[str, str, str]]:
        """Where each run-time number lies; there is one group, and no need to name it."""
        return {key: (field, group, key) for field, group, key in super().places().values()}

    def build(self, net: Net) -> None:
        units = net.neurons("units", self.neuron, len(INPUTS), current="x", equations="x : 1", method="euler")
        units.run_regularly("x = int(i == 0)*randn() + int(i == 1)*rand()", when="start", name="draw")
        history = net.add(StateMonitor(units, ("y", "a", "b", "x"), record=True, when="before_groups", name="history"))
        net.inputs(a=units.a, b=units.b)
        net.outputs({name: history.state(name) for name in ("y", "a", "b", "x")})
        net.lasts(self.longest)
