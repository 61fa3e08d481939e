"""A plasticity rule as data: Brian2 text, parameters with units, the paper it comes from.

The text says *what the change is* (it assigns `dw`); where the change lands is the business of
`plasticity.rules.landing`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from brian2 import Quantity, Synapses, get_dimensions
from brian2.core.base import BrianObject

from plasticity.errors import WrongUse, unknown
from plasticity.rules.landing import Landing, compose

Parameters = Mapping[str, Any]


def before(times: np.ndarray, at: np.ndarray, tau: Any, nearest: bool = False) -> np.ndarray:
    """What is left of the spikes at `times` at each later moment `at`: the piece closed forms are made of.

    sum over t < at of exp(-(at - t)/tau), or the exponential of the last such t alone if `nearest`; times in seconds.
    """
    lag = np.subtract.outer(at, times)
    left = np.where(lag > 0, np.exp(-np.maximum(lag, 0) / float(tau)), 0.0)
    return left.max(axis=1, initial=0.0) if nearest else left.sum(axis=1)


@dataclasses.dataclass(frozen=True)
class Trace:
    """A memory of one side's spikes: dx/dt = -x/tau, and at each spike x += 1 (x = 1 if `nearest`).

    Parameters
    ----------
    name : str
        Its name in the rule's text; it starts with `pre_` or `post_`, the side whose spikes it counts.
    tau : str
        The rule's parameter that is its time constant.
    nearest : bool
        Remember the last spike only (nearest neighbour) instead of all of them.
    """

    name: str
    tau: str
    nearest: bool = False

    @property
    def at_spike(self) -> str:
        return f"{self.name} = 1" if self.nearest else f"{self.name} += 1"

    def decay(self, flag: str = "") -> str:
        return f"d{self.name}/dt = -{self.name}/{self.tau} : 1{flag}"


@dataclasses.dataclass(frozen=True)
class Rule:
    """What a synapse's change is, as data.

    A spike is seen with the traces as they were *before* it, and a pre- and a postsynaptic spike in the very
    same time step do not pair (the papers define d > 0 and d < 0 only). The weight `w` has no unit.

    Parameters
    ----------
    name, summary, source : str
        Its name in the registry, one line, and the paper with doi.
    parameters : dict
        The paper's symbols with their values (Brian2 quantities where they have a unit).
    meaning : dict
        One line for each symbol.
    traces : tuple of Trace
        What each side remembers.
    on_pre, on_post : str
        Brian2 text that assigns `dw` at a pre- or postsynaptic spike; empty where nothing happens.
    closed_form : callable
        `(pre_times, post_times, parameters, nearest) -> float`: the summed change of one additive synapse, spike times
        in seconds, written as sums over spikes without any trace; `change` calls it with this rule's own values.
    presets : dict
        Named rows of parameters from the paper; an entry `nearest` says which spikes the row's traces remember.
    """

    name: str
    summary: str
    source: str
    parameters: dict[str, Any]
    meaning: dict[str, str]
    traces: tuple[Trace, ...]
    on_pre: str
    on_post: str
    closed_form: Callable[[np.ndarray, np.ndarray, Parameters, bool], float]
    presets: dict[str, dict[str, Any]] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "parameters", dict(self.parameters))
        for name, value in self.parameters.items():
            try:
                finite = bool(np.isfinite(float(value)))
            except (TypeError, ValueError):
                finite = False
            if not finite:
                raise WrongUse(f"{self.name}: {name}={value} is not a finite number.")
        for trace in self.traces:
            tau = self.parameters[trace.tau]
            if not np.asarray(tau) > 0:
                raise WrongUse(f"{self.name}: the time constant {trace.tau}={tau} must be positive.")

    def __call__(self, preset: str | None = None, /, **changes: Any) -> Rule:
        """The same rule with other parameters: a preset by name, then single values.

        Raises
        ------
        WrongUse
            An unknown preset or parameter, or a value of the wrong unit.
        """
        values, nearest = dict(self.parameters), None
        if preset is not None:
            if preset not in self.presets:
                raise unknown(f"preset of {self.name}", preset, self.presets)
            values.update(self.presets[preset])
            nearest = values.pop("nearest", None)
        for name, value in changes.items():
            if name not in values:
                raise unknown(f"parameter of {self.name}", name, values)
            try:
                fits = get_dimensions(value) == get_dimensions(values[name])
            except TypeError:
                raise WrongUse(f"{self.name}: {name}={value!r} is not a number; write it like {name}={values[name]!r}.") from None
            if not fits:
                raise WrongUse(
                    f"{self.name}: {name}={value} has the wrong unit; write it like {name}={values[name]!r}"
                    " (times need brian2's ms or second)."
                )
            values[name] = value
        made = dataclasses.replace(self, parameters=values)
        return made if nearest is None else made.with_traces(nearest=nearest)

    def with_traces(self, *, nearest: bool) -> Rule:
        """The same rule with all traces nearest-neighbour, or all of them all-to-all."""
        return dataclasses.replace(self, traces=tuple(dataclasses.replace(t, nearest=nearest) for t in self.traces))

    def change(self, pre: np.ndarray, post: np.ndarray) -> float:
        """The closed form for this rule's parameters and traces: the summed change of one additive synapse.

        Parameters
        ----------
        pre, post : array
            Spike times in seconds; a pair of equal times is left out, so take both from one grid of time steps.

        Raises
        ------
        WrongUse
            Some traces are nearest-neighbour and some all-to-all: there is no closed form for that.
        """
        kinds = {t.nearest for t in self.traces}
        if len(kinds) > 1:
            raise WrongUse(f"{self.name}: the closed form needs all traces alike; see with_traces(nearest=...).")
        return self.closed_form(np.asarray(pre, float), np.asarray(post, float), self.parameters, kinds == {True})

    def side(self, side: str) -> tuple[Trace, ...]:
        """The traces of one side, `"pre"` or `"post"`."""
        return tuple(t for t in self.traces if t.name.startswith(side + "_"))

    def neuron_traces(self, side: str) -> tuple[str, str, dict[str, Any]]:
        """What a neuron carries for this rule: equations, text at its own spike, and parameter values.

        One number per neuron and trace, decaying linearly: put the equations into the group's model, the text
        into its reset, and pass `traces="neuron"` to `synapses`.
        """
        traces = self.side(side)
        taus = sorted({t.tau for t in traces})
        equations = [t.decay() for t in traces] + [f"{tau} : second (shared, constant)" for tau in taus]
        return "\n".join(equations), "\n".join(t.at_spike for t in traces), {tau: self.parameters[tau] for tau in taus}

    def synapses(
        self,
        source: BrianObject,
        target: BrianObject,
        transmit: str = "",
        gate: str = "",
        landing: Landing | None = None,
        traces: str = "synapse",
        delay: Quantity | None = None,
        plastic: str = "",
        at_event: Mapping[str, tuple[str, str]] | None = None,
        model: str = "",
        namespace: Mapping[str, Any] | None = None,
        **settings: Any,
    ) -> Synapses:
        """An ordinary Brian2 `Synapses` with this rule on it, for any script; connect it and set `w`.

        Parameters
        ----------
        source, target : Group
            Any Brian2 groups that spike.
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
            `traces` is neither "synapse" nor "neuron", or a delay with traces on neurons.
        """
        if traces not in ("synapse", "neuron"):
            raise unknown("placement of traces", traces, ("synapse", "neuron"))
        if traces == "neuron" and delay is not None:
            raise WrongUse('traces="neuron" knows no transmission delay; use traces="synapse" with delay=.')
        landing = landing or Landing()
        text = compose(self, landing, transmit=transmit, gate=gate, traces=traces, plastic=plastic)
        events = dict(at_event or {})
        on_pre = text.on_pre | {path: change for path, (_, change) in events.items()}
        order = text.order | {path: 2 + k for k, path in enumerate(events)}
        made = Synapses(
            source,
            target,
            model="\n".join(filter(None, (text.model, model))),
            on_pre=on_pre or None,
            on_post=text.on_post or None,
            on_event={path: event for path, (event, _) in events.items()} or "spike",
            method="exact",
            delay=None if delay is None else {path: delay for path in text.on_pre},
            namespace=None if namespace is None else dict(namespace),
            **settings,
        )
        for path, rank in order.items():
            getattr(made, path).order = rank
        for name, value in text.values.items():
            made.variables[name].set_value(np.asarray(value, dtype=float))  # Synapses' own setter refuses before connect
        if text.regularly:
            made.run_regularly(text.regularly, dt=landing.eligibility.interval if landing.eligibility else None, when="end")
        return made

    def describe(self) -> str:
        """Equations, parameters with units and meaning, presets, source: what `plasticity show` prints."""
        lines = [f"{self.name}: {self.summary}", ""]
        lines += ["  " + t.decay() + f";  at a {t.name.split('_')[0]}synaptic spike {t.at_spike}" for t in self.traces]
        lines += [f"  at a presynaptic spike   {line.strip()}" for line in self.on_pre.splitlines() if line.strip()]
        lines += [f"  at a postsynaptic spike  {line.strip()}" for line in self.on_post.splitlines() if line.strip()]
        lines += ["", "  parameters"]
        lines += [f"    {name} = {value}   {self.meaning[name]}" for name, value in self.parameters.items()]
        if self.presets:
            lines += ["", "  presets: " + ", ".join(self.presets)]
        return "\n".join([*lines, "", f"  source: {self.source}"])
