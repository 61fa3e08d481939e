"""Where a rule's `dw` lands, composed once for all rules: bounds, gate, eligibility trace.

Hard bounds          w = clip(w + g dw, w_min, w_max)
Soft bounds          the same with dw scaled by (w_max - w)^mu where dw > 0 and by (w - w_min)^mu where dw < 0
                     (Guetig, Aharonov, Rotter & Sompolinsky 2003, doi:10.1523/JNEUROSCI.23-09-03697.2003)
Eligibility          c += g dw, dc/dt = -c/tau_e, dw/dt = signal c
                     (Izhikevich 2007, doi:10.1093/cercor/bhl152)

g is the attention gate times the 0/1 switch `plastic`.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np
from brian2 import Quantity, get_dimensions, ms, second
from brian2.utils.stringtools import word_substitute

from plasticity.errors import WrongUse

if TYPE_CHECKING:
    from plasticity.rules.rule import Rule


@dataclasses.dataclass(frozen=True)
class Eligibility:
    """A change waits on a trace until a signal turns it into weight.

    dc/dt = -c/tau_e, dw/dt = signal * c

    Parameters
    ----------
    signal : str
        Brian2 expression without unit, per second: `"dopamine_post"`, `"attention_post"`, a shared variable.
    tau_e : Quantity
        How long an eligibility lasts.
    interval : Quantity
        How often the weight is updated; each time step where None. The sum over intervals approximates the integral.
    """

    signal: str
    tau_e: Quantity = dataclasses.field(default_factory=lambda: 1000 * ms)
    interval: Quantity | None = None

    def __post_init__(self) -> None:
        if get_dimensions(self.tau_e) != second.dim or not self.tau_e > 0 * second:
            raise WrongUse(f"tau_e={self.tau_e} must be a positive time, for example 1000*ms.")
        if not self.signal.strip():
            raise WrongUse("an eligibility needs a signal that turns it into weight, for example signal='reward_post'.")


@dataclasses.dataclass(frozen=True)
class Landing:
    """Where `dw` lands: between which bounds, how softly, and whether by way of an eligibility trace.

    Parameters
    ----------
    w_min, w_max : float
        Bounds of the weight; it never leaves them.
    mu : float
        Exponent of the soft bounds; 0 is hard (additive), 1 is fully multiplicative.
    eligibility : Eligibility or None
        A detour by way of a trace and a signal; directly on the weight where None.
    """

    w_min: float = 0.0
    w_max: float = 1.0
    mu: float = 0.0
    eligibility: Eligibility | None = None

    def __post_init__(self) -> None:
        if not (np.isfinite([self.w_min, self.w_max]).all() and self.w_min < self.w_max):
            raise WrongUse(f"bounds need w_min < w_max, not w_min={self.w_min} and w_max={self.w_max}.")
        if not 0 <= self.mu < np.inf:
            raise WrongUse(f"mu={self.mu} must be 0 (hard bounds) or more (soft bounds).")


@dataclasses.dataclass(frozen=True)
class SynapseText:
    """Brian2 text of one composed synapse."""

    model: str
    on_pre: dict[str, str]
    on_post: dict[str, str]
    order: dict[str, int]
    values: dict[str, Any]
    regularly: str


def compose(rule: Rule, landing: Landing, *, transmit: str, gate: str, traces: str, plastic: str) -> SynapseText:
    """Put rule, landing, gate and transmission together.

    Learning pathways run first (order 0) and the counting of spikes on traces after both (order 1), so that a spike
    is always seen with the traces as they were before it.
    """
    switch = plastic or "plastic"
    factor = f"({switch})" + (f"*({gate})" if gate else "")
    soft = ""
    if landing.mu:
        soft = "dw = dw*(int(dw > 0)*clip(w_max - w, 0, inf)**mu + int(dw <= 0)*clip(w - w_min, 0, inf)**mu)"
    if landing.eligibility is None:
        landed = f"w = clip(w + {factor}*dw, w_min, w_max)"
    else:
        landed = f"eligibility += {factor}*dw"
    on_neurons: dict[str, str] = {}  # what the groups carry instead of the synapses, as seen from the synapse
    if traces == "neuron":
        for t in rule.traces:
            side = t.name.split("_")[0]
            on_neurons |= {t.name: f"{t.name}_{side}", t.tau: f"{t.tau}_{side}"}

    def change(text: str) -> str:
        return "\n".join(filter(None, (word_substitute(text, on_neurons), soft, landed))) if text.strip() else ""

    on_pre = {"pre": "\n".join(filter(None, (transmit, change(rule.on_pre))))}
    on_post = {"post": change(rule.on_post)}
    order = {"pre": 0, "post": 0}
    values: dict[str, Any] = {"w_min": landing.w_min, "w_max": landing.w_max}
    lines = ["w : 1", "w_min : 1 (shared, constant)", "w_max : 1 (shared, constant)"]
    if not plastic:
        lines.append("plastic : 1 (shared)")
        values["plastic"] = 1
    if landing.mu:
        lines.append("mu : 1 (shared, constant)")
        values["mu"] = landing.mu
    if traces == "synapse":
        lines += [t.decay(" (event-driven)") for t in rule.traces]
        on_pre["pre_count"] = "\n".join(t.at_spike for t in rule.side("pre"))
        on_post["post_count"] = "\n".join(t.at_spike for t in rule.side("post"))
        order |= {"pre_count": 1, "post_count": 1}
    for name, value in rule.parameters.items():
        if name in on_neurons:
            continue
        unit = "1" if get_dimensions(value).is_dimensionless else "second"
        lines.append(f"{name} : {unit} (shared, constant)")
        values[name] = value
    regularly = ""
    if landing.eligibility is not None:
        lines += ["deligibility/dt = -eligibility/tau_e : 1 (clock-driven)", "tau_e : second (shared, constant)"]
        values["tau_e"] = landing.eligibility.tau_e
        interval = landing.eligibility.interval
        step = "dt" if interval is None else f"({float(interval)!r}*second)"
        regularly = f"w = clip(w + ({landing.eligibility.signal})*eligibility*{step}/second, w_min, w_max)"
    on_pre = {path: text for path, text in on_pre.items() if text}
    on_post = {path: text for path, text in on_post.items() if text}
    return SynapseText(
        "\n".join(lines), on_pre, on_post, {p: o for p, o in order.items() if p in on_pre or p in on_post}, values, regularly
    )
