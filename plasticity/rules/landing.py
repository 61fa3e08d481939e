"""Where a rule's `dw` lands, composed once for all rules: bounds, gate, eligibility trace.

Hard bounds          w = clip(w + g dw, w_min, w_max)
Soft bounds          the same with dw times ((w_max - w)/(w_max - w_min))^mu where dw > 0
                     and ((w - w_min)/(w_max - w_min))^mu where dw < 0
                     (Guetig, Aharonov, Rotter & Sompolinsky 2003, doi:10.1523/JNEUROSCI.23-09-03697.2003)
Eligibility          c += g dw, dc/dt = -c/tau_e, dw/dt = signal c
                     (Izhikevich 2007, doi:10.1093/cercor/bhl152)

Amplitudes are in units of w whatever the bounds are, as in papers whose weights are millivolts or conductances: A_plus = 0.01 is
a step of 0.01 between 0 and 5 too. For a share of the range multiply them by it. Soft bounds only make steps smaller, by the
distance to the bound as a share of the range, and at the other bound a step is whole. In Guetig et al. the range is 1.

g is the attention gate times the 0/1 switch `plastic`. What a rule changes all the time (its drift) lands the same way, as
dw = drift dt in every time step.
"""

from __future__ import annotations

import dataclasses
import numbers
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from brian2 import Quantity, ms
from brian2.utils.stringtools import get_identifiers, word_substitute

from plasticity import given
from plasticity.errors import WrongUse
from plasticity.settings import check, setting

if TYPE_CHECKING:
    from plasticity.rules.rule import Rule
    from plasticity.rules.short_term import ShortTerm


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
        How often the trace decays and the weight is updated; each time step where None. The sum over intervals approximates
        the integral. An interval of many time steps costs that many times less, which counts with many synapses; what
        enters the trace within an interval decays from its end on.
    """

    name: ClassVar[str] = "eligibility"
    summary: ClassVar[str] = "a change waits on a trace until a reward or attention signal turns it into weight"
    source: ClassVar[str] = "Izhikevich 2007, doi:10.1093/cercor/bhl152"
    example: ClassVar[str] = "rule.synapses(source, target, landing=Landing(eligibility=Eligibility('reward_post')))"

    signal: str
    tau_e: Quantity = dataclasses.field(default_factory=lambda: 1000 * ms)
    interval: Quantity | None = setting(None, "how often the trace decays and the weight is updated; each time step where none")

    def __post_init__(self) -> None:
        if not isinstance(self.signal, str):
            raise WrongUse(f"signal={self.signal!r} must be Brian2 text, for example signal='reward_post'.")
        if not (given.seconds(self.tau_e) or 0) > 0:
            raise WrongUse(f"tau_e={self.tau_e} must be a positive time, for example 1000*ms.")
        if not self.signal.strip():
            raise WrongUse("an eligibility needs a signal that turns it into weight, for example signal='reward_post'.")
        if self.interval is not None and not (given.seconds(self.interval) or 0) > 0:
            raise WrongUse(f"interval={self.interval} must be a positive time, for example 10*ms.")


@dataclasses.dataclass(frozen=True)
class Landing:
    """Where `dw` lands: between which bounds, how softly, and whether by way of an eligibility trace.

    hard bounds (mu = 0)   w <- clip(w + g dw, w_min, w_max)
    soft bounds            the same with dw times ((w_max - w)/(w_max - w_min))^mu where dw > 0,
                           and times ((w - w_min)/(w_max - w_min))^mu where dw < 0

    g is the gate times the switch `plastic`. dw, and with it A_plus and every amplitude, is in units of w and is not scaled by
    the range: A_plus = 0.01 is a step of 0.01 between 0 and 5 too; multiply it by w_max - w_min for a share of the range. Soft
    bounds make a step smaller and never larger: at the other bound it is dw, halfway 2^-mu dw, at the bound itself 0.

    Parameters
    ----------
    w_min, w_max : float
        Bounds of the weight; it never leaves them.
    mu : float
        Exponent of the soft bounds; 0 is hard (additive), 1 is fully multiplicative.
    eligibility : Eligibility or None
        A detour by way of a trace and a signal; directly on the weight where None.

    Raises
    ------
    WrongUse
        Bounds that are no finite numbers or not in this order, a negative exponent, an eligibility that is none.

    Notes
    -----
    Source: Guetig, Aharonov, Rotter & Sompolinsky 2003, doi:10.1523/JNEUROSCI.23-09-03697.2003, where w goes from 0 to 1.
    """

    name: ClassVar[str] = "bounds"
    summary: ClassVar[str] = "hard bounds, or soft ones with an exponent mu: additive, power law, multiplicative"
    source: ClassVar[str] = "Guetig, Aharonov, Rotter & Sompolinsky 2003, doi:10.1523/JNEUROSCI.23-09-03697.2003"
    example: ClassVar[str] = "rule.synapses(source, target, landing=Landing(w_min=0, w_max=1, mu=0.1))"

    w_min: float = setting(0.0, "lower bound of the weight; it never leaves the bounds", low=-1e12, high=1e12)
    w_max: float = setting(1.0, "upper bound of the weight", low=-1e12, high=1e12)
    mu: float = setting(0.0, "exponent of the soft bounds; 0 is hard (additive), 1 is fully multiplicative", low=0, high=100)
    eligibility: Eligibility | None = setting(None, "a detour by way of a trace and a signal; directly on the weight where none")

    def __post_init__(self) -> None:
        for name in ("w_min", "w_max", "mu"):
            value = getattr(self, name)
            if isinstance(value, (bool, Quantity)) or not isinstance(value, numbers.Real) or given.real(value) is None:
                raise WrongUse(f"{name}={given.shown(value)} must be a number without unit, for example {name}=1.")
        if not (np.isfinite([self.w_min, self.w_max]).all() and self.w_min < self.w_max):
            raise WrongUse(f"bounds need w_min < w_max, not w_min={self.w_min} and w_max={self.w_max}.")
        if not 0 <= self.mu < np.inf:
            raise WrongUse(f"mu={self.mu} must be 0 (hard bounds) or more (soft bounds).")
        check(self)
        if self.eligibility is not None and not isinstance(self.eligibility, Eligibility):
            raise WrongUse(f"eligibility={self.eligibility!r} must be an Eligibility, for example Eligibility('reward_post').")


@dataclasses.dataclass(frozen=True)
class SynapseText:
    """Brian2 text of one composed synapse."""

    model: str
    on_pre: dict[str, str]
    on_post: dict[str, str]
    order: dict[str, int]
    values: dict[str, Any]
    regularly: list[tuple[str, Quantity | None]]
    late: dict[str, str]
    soft_range: float | None  # the range of the bounds, where the text holds for no other


def compose(
    rule: Rule,
    landing: Landing,
    *,
    transmit: str,
    gate: str,
    traces: str,
    plastic: str,
    short_term: ShortTerm | None = None,
    reciprocal: str = "",
) -> SynapseText:
    """Put rule, landing, gate and transmission together; what lands on `w` lands on the weight `reciprocal` as well.

    Learning pathways run first (order 0) and the counting of spikes on traces after both (order 1), so that a spike
    is always seen with the traces as they were before it. At the end of a time step come the rule's drift, then the eligibility.
    """
    switch = plastic or "plastic"
    factor = f"({switch})" + (f"*({gate})" if gate else "")
    soft, landing_dw = "", "dw"
    weights = ("w", reciprocal) if reciprocal else ("w",)
    unit_range = landing.w_max - landing.w_min == 1
    if landing.mu:
        up, down = "clip(w_max - w, 0, inf)", "clip(w - w_min, 0, inf)"
        if not unit_range:
            up, down = f"({up}/(w_max - w_min))", f"({down}/(w_max - w_min))"
        soft = f"dw_soft = dw*(int(dw > 0)*{up}**mu + int(dw <= 0)*{down}**mu)"
        landing_dw = "dw_soft"  # a new name: Brian2 lets no scalar (dw = delta) become a vector
    if landing.eligibility is None:
        landed = "\n".join(f"{w} = clip({w} + {factor}*{landing_dw}, w_min, w_max)" for w in weights)
    else:
        landed = f"eligibility += {factor}*{landing_dw}"
    on_neurons: dict[str, str] = {}  # what the groups carry instead of the synapses, as seen from the synapse
    if traces == "neuron":
        for t in rule.traces:
            on_neurons |= {t.name: f"{t.name}_{t.side}", t.tau: f"{t.tau}_{t.side}"}
            on_neurons |= {name: f"{name}_{t.side}" for name in t.reads() & set(rule.parameters)}

    def change(text: str) -> str:
        return "\n".join(filter(None, (word_substitute(text, on_neurons), soft, landed))) if text.strip() else ""

    def spend(text: str, side: str) -> str:
        """Reduced traces of the other side that the text reads."""
        read = get_identifiers(text)
        return "\n".join(f"{t.name} = 0" for t in rule.traces if t.spikes == "reduced" and t.side != side and t.name in read)

    release = short_term.on_pre() if short_term else ""
    on_pre = {"pre": "\n".join(filter(None, (release, transmit, change(rule.on_pre), spend(rule.on_pre, "pre"))))}
    on_post = {"post": "\n".join(filter(None, (change(rule.on_post), spend(rule.on_post, "post"))))}
    order = {"pre": 0, "post": 0}
    values: dict[str, Any] = {"w_min": landing.w_min, "w_max": landing.w_max}
    lines = [*(f"{w} : 1" for w in weights), "w_min : 1 (shared, constant)", "w_max : 1 (shared, constant)"]
    late: dict[str, str] = {}
    if not plastic:
        lines.append("plastic : 1 (shared)")
        values["plastic"] = 1
    if landing.mu:
        lines.append("mu : 1 (shared, constant)")
        values["mu"] = landing.mu
    if short_term:
        lines.append(short_term.equations())
        values |= short_term.values()
    if traces == "synapse":
        all_the_time = get_identifiers("\n".join((rule.drift, rule.noise, *rule.state.values())))
        for t in rule.traces:
            flag = "clock-driven" if t.of or t.name in all_the_time else "event-driven"
            lines.append(t.decay(f" ({flag})", on_synapse=rule.parameters))
        for t in rule.side("pre"):
            path = f"pre_count_{t.delay}" if t.delay else "pre_count"
            on_pre[path] = "\n".join(filter(None, (on_pre.get(path, ""), t.at_spike)))
            late |= {path: t.delay} if t.delay else {}
        on_post["post_count"] = "\n".join(filter(None, (t.at_spike for t in rule.side("post"))))
        order |= {path: 1 for path in (*on_pre, *on_post) if path not in order}
    for name, value in rule.parameters.items():
        if name not in on_neurons:
            lines.append(f"{name} : {given.unit_of(value)} (shared, constant)")
            values[name] = value
    regularly: list[tuple[str, Quantity | None]] = []
    if rule.drift.strip() or rule.state:
        steps = [f"d_{name} = ({text})*dt" for name, text in rule.state.items()]
        if rule.drift.strip():
            diffusion = f" + ({rule.noise})*sqrt(dt)*randn()" if rule.noise else ""
            steps += [word_substitute(rule.drift, {"dw": "dw_dt"}), f"dw = dw_dt*dt{diffusion}", soft, landed]
        steps += [f"{name} += d_{name}" for name in rule.state]
        lines += [f"{name} : 1" for name in rule.state]
        regularly.append((word_substitute("\n".join(filter(None, steps)), on_neurons), None))
    if landing.eligibility is not None:
        interval = landing.eligibility.interval
        lines += ["tau_e : second (shared, constant)"]
        values["tau_e"] = landing.eligibility.tau_e
        step = "dt" if interval is None else f"({float(interval)!r}*second)"
        signal = f"({switch})*({landing.eligibility.signal})"
        update = "\n".join(f"{w} = clip({w} + {signal}*eligibility*{step}/second, w_min, w_max)" for w in weights)
        if interval is None:
            lines.append("deligibility/dt = -eligibility/tau_e : 1 (clock-driven)")
        else:
            lines.append("eligibility : 1")
            update += f"\neligibility = eligibility*exp(-{step}/tau_e)"
        regularly.append((update, interval))
    on_pre = {path: text for path, text in on_pre.items() if text}
    on_post = {path: text for path, text in on_post.items() if text}
    order = {path: rank for path, rank in order.items() if path in on_pre or path in on_post}
    soft_range = 1.0 if landing.mu and unit_range else None
    return SynapseText("\n".join(lines), on_pre, on_post, order, values, regularly, late, soft_range)
