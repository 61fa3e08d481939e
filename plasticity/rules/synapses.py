"""Brian2 `Synapses` made from a rule: what `Rule.synapses` does."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from brian2 import Quantity, Synapses, second
from brian2.core.base import BrianObject
from brian2.utils.stringtools import get_identifiers

from plasticity.errors import WrongUse, unknown
from plasticity.rules.landing import Landing, compose
from plasticity.rules.short_term import ShortTerm

if TYPE_CHECKING:
    from plasticity.rules.rule import Rule, Trace


def synapses(
    rule: Rule,
    source: BrianObject,
    target: BrianObject,
    transmit: str = "",
    gate: str = "",
    landing: Landing | None = None,
    traces: str = "synapse",
    delay: Quantity | None = None,
    plastic: str = "",
    short_term: ShortTerm | None = None,
    at_event: Mapping[str, tuple[str, str]] | None = None,
    model: str = "",
    namespace: Mapping[str, Any] | None = None,
    **settings: Any,
) -> Synapses:
    """An ordinary Brian2 `Synapses` with this rule on it, for any script; connect it and set `w`.

    Parameters
    ----------
    source, target : Group
        Any Brian2 groups that spike, or that carry what the rule `needs`.
    transmit : str
        What a presynaptic spike does besides learning, for example `"ge_post += w*nS"`.
    gate : str
        Expression that multiplies the change: `"attention_post"`, `"attention_pre"`, a number, a shared variable.
    landing : Landing
        Bounds and eligibility; hard bounds 0 to 1 unless told.
    traces : str
        `"synapse"` (default, needs nothing of the groups) or `"neuron"` (the groups carry `neuron_traces`).
    delay : Quantity
        One transmission delay for all. For a delay per synapse set `S.pre.delay` and `S.pre_count.delay` alike.
    plastic : str
        Expression of 0 or 1 that freezes learning; by default a shared parameter `plastic`, which is 1.
    short_term : ShortTerm
        Depression and facilitation of the transmission, which then may use `released`: `"ge_post += w*released"`.
    at_event : dict
        Further pathways by name: (custom event of the source group, text), run after learning in the given order.
    model, namespace
        Further equations and names for Brian2.

    Returns
    -------
    Synapses
        With the variable `w`, the rule's parameters as shared parameters (`S.A_plus = 0.02` changes one)
        and, unless `plastic` was given, `plastic`.

    Raises
    ------
    WrongUse
        `traces` is neither "synapse" nor "neuron", a delay with traces on neurons, or a group without what the rule needs.
    """
    if landing is not None and not isinstance(landing, Landing):
        raise WrongUse(f"landing={landing!r} must be a Landing, for example Landing(0, 1, mu=1) or Landing(eligibility=...).")
    if short_term is not None and not isinstance(short_term, ShortTerm):
        raise WrongUse(f"short_term={short_term!r} must be a ShortTerm, for example ShortTerm(U=0.5).")
    for name in ("w_min", "w_max", "mu", "eligibility"):
        if name in settings:
            raise WrongUse(f"{name}= belongs to the landing; write landing=Landing({name}=...).")
    if short_term is None and "released" in get_identifiers(transmit):
        raise WrongUse("`released` in transmit needs short_term=ShortTerm(...).")
    if traces not in ("synapse", "neuron"):
        raise unknown("placement of traces", traces, ("synapse", "neuron"))
    if traces == "neuron" and delay is not None:
        raise WrongUse('traces="neuron" knows no transmission delay; use traces="synapse" with delay=.')
    if traces == "neuron":
        check_on_neurons(rule, rule.traces)
    landing = landing or Landing()
    texts = {"transmit": transmit, "gate": gate, "plastic": plastic}
    texts["signal"] = landing.eligibility.signal if landing.eligibility else ""
    _check_groups(rule, {"pre": source, "post": target}, traces, texts)
    text = compose(rule, landing, transmit=transmit, gate=gate, traces=traces, plastic=plastic, short_term=short_term)
    events = dict(at_event or {})
    on_pre = text.on_pre | {path: change for path, (_, change) in events.items()}
    order = text.order | {path: 2 + k for k, path in enumerate(events)}
    late = {path: rule.parameters[name] for path, name in text.late.items()}
    delays = {path: (delay if delay is not None else 0 * second) + late.get(path, 0 * second) for path in text.on_pre}
    made = Synapses(
        source,
        target,
        model="\n".join(filter(None, (text.model, model))),
        on_pre=on_pre or None,
        on_post=text.on_post or None,
        on_event={path: event for path, (event, _) in events.items()} or "spike",
        method="exponential_euler" if traces == "synapse" and any(t.of for t in rule.traces) else "exact",
        delay=delays if on_pre and (delay is not None or late) else None,
        namespace=None if namespace is None else dict(namespace),
        **settings,
    )
    for path, rank in order.items():
        getattr(made, path).order = rank
    for name, value in text.values.items():
        made.variables[name].set_value(np.asarray(value, dtype=float))  # Synapses' own setter refuses before connect
    for k, (change, interval) in enumerate(text.regularly):
        made.run_regularly(change, dt=interval, when="end", order=k)
    return made


def _check_groups(rule: Rule, groups: Mapping[str, BrianObject], traces: str, texts: Mapping[str, str]) -> None:
    """WrongUse where a group lacks a variable that the rule or one of the texts reads."""
    wanted = dict(rule.needs)
    if traces == "neuron":
        wanted |= {f"{t.name}_{t.side}": f"put rule.neuron_traces({t.side!r}) into its equations" for t in rule.traces}
    for option, text in texts.items():
        names = (name for name in get_identifiers(text) if name.endswith(("_pre", "_post")) and name not in ("N_pre", "N_post"))
        wanted |= {name: f"used in {option}={text!r}" for name in names}
    for name, meaning in wanted.items():
        variable, _, side = name.rpartition("_")
        group = groups.get(side)
        if group is not None and variable not in getattr(group, "variables", {}):
            where = "source" if side == "pre" else "target"
            raise WrongUse(
                f"{rule.name} needs the variable {variable!r} of the {where} group ({meaning}); add it to its equations."
            )


def check_on_neurons(rule: Rule, traces: Iterable[Trace]) -> None:
    """WrongUse where one of these traces of the rule cannot lie on its neuron."""
    for t in traces:
        if t.spikes == "reduced" or t.delay:
            why = "is set to 0 by single synapses" if t.spikes == "reduced" else "counts spikes with a delay"
            raise WrongUse(f'{rule.name}: {t.name} {why}, so that it cannot lie on the neuron; use traces="synapse".')
