"""Short-term plasticity: how much a synapse releases at each spike, before any long-term weight multiplies it."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

import numpy as np
from brian2 import Quantity, ms

from plasticity import given
from plasticity.errors import WrongUse
from plasticity.settings import setting


@dataclasses.dataclass(frozen=True)
class ShortTerm:
    """Release of a synapse with depression and facilitation, part of its transmission under any long-term rule.

    Between spikes  dx/dt = (1 - x)/tau_rec,  du/dt = -u/tau_f;
    at a spike      u <- u + U (1 - u),  released = u x,  x <- x - released.

    x is the share of resources at hand (1 at rest), u the share of it that a spike uses. Without facilitation (`tau_f` 0)
    u = U at every spike. Give it as `short_term=` to `Rule.synapses` and use `released` in `transmit`, for example
    `"ge_post += w*released"`.

    Parameters
    ----------
    U : float
        Share used by a first spike, above 0 and at most 1.
    tau_rec : Quantity
        Recovery of the resources; above 0.
    tau_f : Quantity
        Decay of the facilitation; 0 for none.

    Raises
    ------
    WrongUse
        A value outside these ranges or without its unit.

    Notes
    -----
    Regular spikes at interval D without facilitation reach the release U (1 - e)/(1 - (1 - U) e), e = exp(-D/tau_rec).

    Source: Tsodyks & Markram 1997, doi:10.1073/pnas.94.2.719; facilitation: Tsodyks, Pawelzik & Markram 1998,
    doi:10.1162/089976698300017502.
    """

    name: ClassVar[str] = "short_term"
    summary: ClassVar[str] = "short-term depression and facilitation of the transmission, beside any rule"
    source: ClassVar[str] = (
        "Tsodyks & Markram 1997, doi:10.1073/pnas.94.2.719; Tsodyks, Pawelzik & Markram 1998, doi:10.1162/089976698300017502"
    )
    example: ClassVar[str] = "rule.synapses(source, target, transmit='ge_post += w*released', short_term=ShortTerm(U=0.5))"

    U: float = setting(0.5, "share used by a first spike, above 0 and at most 1", above=0, high=1)
    tau_rec: Quantity = dataclasses.field(default_factory=lambda: 800 * ms)
    tau_f: Quantity = dataclasses.field(default_factory=lambda: 0 * ms)

    def __post_init__(self) -> None:
        share = None if isinstance(self.U, Quantity) else given.one(self.U)
        if share is None or not 0 < share <= 1:
            raise WrongUse(f"U={self.U} must be above 0 and at most 1: the share of the resources that a first spike uses.")
        for name, value, zero in (("tau_rec", self.tau_rec, False), ("tau_f", self.tau_f, True)):
            time = given.seconds(value)
            if time is None or time < 0 or not (time or zero):
                raise WrongUse(f"{name}={value} must be a {'time of 0*ms or more' if zero else 'positive time'}, like 800*ms.")

    @property
    def facilitates(self) -> bool:
        return float(self.tau_f) > 0

    def equations(self) -> str:
        """Of the synapse: `used` is 1 - x, which starts at 0 as Brian2's variables do."""
        lines = ["dused/dt = -used/tau_rec : 1 (event-driven)", "tau_rec : second (shared, constant)", "U : 1 (shared, constant)"]
        if self.facilitates:
            lines += ["du/dt = -u/tau_f : 1 (event-driven)", "tau_f : second (shared, constant)"]
        return "\n".join(lines)

    def on_pre(self) -> str:
        """At a presynaptic spike, before the transmission."""
        share = "u" if self.facilitates else "U"
        grow = "u += U*(1 - u)\n" if self.facilitates else ""
        return f"{grow}released = {share}*(1 - used)\nused += released"

    def values(self) -> dict[str, float | Quantity]:
        return {"U": self.U, "tau_rec": self.tau_rec} | ({"tau_f": self.tau_f} if self.facilitates else {})

    def steady_release(self, rate_hz: float) -> float:
        """Closed form of the release at regular spikes, in the steady state.

        u (1 - e)/(1 - (1 - u) e) with e = exp(-D/tau_rec), and u = U, or U/(1 - (1 - U) exp(-D/tau_f)) with facilitation.
        WrongUse for a rate that is no positive number.
        """
        if not (given.one(rate_hz) or 0) > 0:
            raise WrongUse(f"rate_hz={rate_hz!r} must be a positive number of hertz, like 20.")
        u, left = self.U, float(np.exp(-1 / (rate_hz * float(self.tau_rec))))
        if self.facilitates:
            u = u / (1 - (1 - u) * float(np.exp(-1 / (rate_hz * float(self.tau_f)))))
        return u * (1 - left) / (1 - (1 - u) * left)
