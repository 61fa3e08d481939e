"""A plasticity rule as data: Brian2 text, parameters with units, the paper it comes from.

The text says *what the change is* (it assigns `dw`, at a spike or as a rate of change); where the change lands is the
business of `plasticity.rules.landing`. Two rules may be added: `pair_stdp + synaptic_scaling` does what both do.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar

import numpy as np
from brian2 import Hz, get_dimensions, get_unit, ms, second
from brian2.core.functions import DEFAULT_FUNCTIONS
from brian2.utils.stringtools import get_identifiers, word_substitute

from plasticity import given
from plasticity.checked import checked
from plasticity.errors import WrongUse, unknown
from plasticity.rules.ablated import reversed_order as _reversed_order
from plasticity.rules.ablated import without_depression as _without_depression
from plasticity.rules.shown import describe as _describe
from plasticity.rules.shown import typed
from plasticity.rules.synapses import check_on_neurons
from plasticity.rules.synapses import synapses as _synapses
from plasticity.rules.written import statements as _statements
from plasticity.rules.written import to_nestml as _to_nestml
from plasticity.rules.written import to_pynn as _to_pynn
from plasticity.settings import text as said

Parameters = Mapping[str, Any]
SPIKES = ("all", "nearest", "reduced")
TIE = 1e-9  # s: spikes this near are of one time step, and differ by rounding
_ALWAYS_KNOWN = {"w", "dw", "w_min", "w_max", "dt", "t", "int", "and", "or", "not", "True", "False", "pi", "e", "inf"}

_CPP = frozenset(
    "alignas alignof asm auto bool break case catch char class const constexpr continue default delete do double else enum"
    " explicit export extern false float for friend goto if inline int long mutable namespace new noexcept nullptr operator"
    " private protected public"
    " register return short signed sizeof static struct switch template this throw true try typedef typeid"
    " typename union unsigned using virtual void volatile while".split()
)
_RESERVED = _CPP | {"i", "j", "N", "lastspike", "lastupdate", "not_refractory", "xi"}  # words of C++ and variables of Brian2


def before(times: np.ndarray, at: np.ndarray, tau: Any, spikes: str = "all") -> np.ndarray:
    """What is left of the spikes at `times` at each later moment `at`: the piece closed forms are made of.

    "all": the sum over t < at of exp(-(at - t)/tau). "nearest": the exponential of the last such t alone. "reduced": of the
    last such t, unless an earlier moment of `at` has seen it. Times in seconds, both rising.
    """
    lag = np.subtract.outer(at, times)
    left = np.where(lag > 0, np.exp(-np.maximum(lag, 0) / float(tau)), 0.0)
    if spikes == "all":
        return left.sum(axis=1)
    last = left.max(axis=1, initial=0.0)
    if spikes == "reduced":
        newest = np.where(lag > 0, np.asarray(times, dtype=float), -np.inf).max(axis=1, initial=-np.inf)
        last[1:][newest[1:] < at[:-1]] = 0.0
    return last


@dataclasses.dataclass(frozen=True)
class Trace:
    """A memory of one side: of its spikes, dx/dt = -x/tau, or of a quantity of its neuron, dx/dt = (of - x)/tau.

    Parameters
    ----------
    name : str
        Its name in the rule's text; it starts with `pre_` or `post_`, the side that it remembers.
    tau : str
        The rule's parameter that is its time constant.
    spikes : str
        "all": each spike adds 1. "nearest": each spike sets it to 1, so that it remembers the last spike only. "reduced":
        nearest, and a spike of the other side that reads it sets it to 0, so that each spike pairs once
        (Morrison, Diesmann & Gerstner 2008, doi:10.1007/s00422-008-0233-1).
    of : str
        Instead of spikes: the quantity that it follows, an expression in variables of its own neuron, for example
        `"v"` or `"rate**2"`.
    unit : str
        Of that quantity, as Brian2 writes it.
    delay : str
        The rule's parameter by which presynaptic spikes are counted later than they occur; none where empty.
    """

    name: str
    tau: str
    spikes: str = "all"
    of: str = ""
    unit: str = "1"
    delay: str = ""

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            if not isinstance(value := getattr(self, field.name), str):
                raise WrongUse(f"Trace: {field.name}={value!r} must be a text, as in Trace('pre_trace', 'tau').")
        if self.spikes not in SPIKES:
            raise unknown(f"kind of trace ({self.name})", self.spikes, SPIKES)
        if self.side not in ("pre", "post"):
            raise WrongUse(f"the trace {self.name!r} must start with pre_ or post_, the side that it remembers.")

    @property
    def side(self) -> str:
        return self.name.partition("_")[0]

    @property
    def at_spike(self) -> str:
        return "" if self.of else f"{self.name} += 1" if self.spikes == "all" else f"{self.name} = 1"

    def decay(self, flag: str = "", on_synapse: Iterable[str] = ()) -> str:
        """Its equation; on a synapse the quantity's variables, other than the parameters `on_synapse`, are the neuron's."""
        if not self.of:
            return f"d{self.name}/dt = -{self.name}/{self.tau} : 1{flag}"
        of = self.of
        if flag:
            own = self.reads() - set(on_synapse)
            of = word_substitute(of, {name: f"{name}_{self.side}" for name in own})
        return f"d{self.name}/dt = ({of} - {self.name})/{self.tau} : {self.unit}{flag}"

    def reads(self) -> set[str]:
        """The variables in `of`."""
        return set(get_identifiers(self.of)) - set(DEFAULT_FUNCTIONS) - _ALWAYS_KNOWN


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
    drift : str
        Brian2 text that assigns `dw` as a rate of change (per second), for a rule that changes the weight all the time;
        it is added up with the time step of the synapses (Euler).
    noise : str
        Expression of the standard deviation of a diffusion (per square root of a second) added to the drift.
    state : dict
        Further variables of the synapse, without unit: name -> the rate of their change, an expression (Euler).
    needs : dict
        Variables that the groups must carry, by their name on the synapse (`rate_pre`, `v_post`), with their meaning.
    factors : dict
        What a network multiplies the change by before it lands, by the names on the synapse with their meaning: `gate` is their
        product. A rule that stands by itself has none.
    closed_form : callable
        `(pre_times, post_times, parameters, spikes) -> float`: the summed change of one additive synapse, spike times
        in seconds, written as sums over spikes without any trace; `change` calls it with this rule's own values.
    clamped : callable
        `(rate_pre, rate_post, w, seconds, parameters) -> float`: the weight after a time with both rates held, as the
        differential equation says; for rules of rates.
    presets : dict
        Named rows of parameters from the paper; an entry `spikes` says which spikes the row's traces remember.
    parts : tuple of Rule
        What a sum of rules is made of.
    tested : str
        What the package's own tests hold the rule against, where no experiment holds it to its paper.

    Raises
    ------
    WrongUse
        An argument of the wrong type, a time constant that is not positive, a parameter that is no finite number, text that
        never assigns `dw` or that uses a variable which is nowhere declared.
    """

    name: str
    summary: str
    source: str
    parameters: dict[str, Any]
    meaning: dict[str, str]
    traces: tuple[Trace, ...] = ()
    on_pre: str = ""
    on_post: str = ""
    closed_form: Callable[[np.ndarray, np.ndarray, Parameters, str], float] | None = None
    presets: dict[str, dict[str, Any]] = dataclasses.field(default_factory=dict)
    drift: str = ""
    noise: str = ""
    state: dict[str, str] = dataclasses.field(default_factory=dict)
    needs: dict[str, str] = dataclasses.field(default_factory=dict)
    clamped: Callable[[Any, Any, Any, float, Parameters], Any] | None = None
    parts: tuple[Rule, ...] = ()
    tested: str = ""
    factors: dict[str, str] = dataclasses.field(default_factory=dict)

    known: ClassVar[Mapping[str, Rule]]  # all rules by name; set by plasticity.rules, which imports them

    def __post_init__(self) -> None:
        self._check_types()
        object.__setattr__(self, "parameters", dict(self.parameters))
        object.__setattr__(self, "traces", tuple(self.traces))
        for name, value in self.parameters.items():
            if isinstance(value, (str, bool)) or given.one(np.asarray(value)) is None:
                raise WrongUse(f"{self.name}: {name}={value} is not a finite number.")
            if (
                name in _ALWAYS_KNOWN | _RESERVED | set(DEFAULT_FUNCTIONS)
                or name.endswith(("_pre", "_post"))
                or not name.isidentifier()
            ):
                raise WrongUse(
                    f"{self.name}: a parameter cannot be called {name!r}; Brian2 or this library uses such names, try {name}_0."
                )
            if name not in self.meaning:
                raise WrongUse(f"{self.name}: say in one line what {name} is: meaning={{{name!r}: ...}}.")
            time = get_dimensions(value) == second.dim
            if name.startswith("tau") and not time:
                raise WrongUse(f"{self.name}: the time constant {name}={value} needs a unit of time; write it like {name}=20*ms.")
            if time and name.startswith("tau") and not np.asarray(value) > 0:
                raise WrongUse(f"{self.name}: the time constant {name}={value} must be positive, for example 20*ms.")
            if (time or get_dimensions(value) == Hz.dim) and np.asarray(value) < 0:
                raise WrongUse(f"{self.name}: {name}={value} must not be negative.")
        for trace in self.traces:
            if trace.tau not in self.parameters:
                raise WrongUse(f"{self.name}: the trace {trace.name} needs its time constant {trace.tau!r} in parameters.")
            tau = self.parameters[trace.tau]
            if get_dimensions(tau) != second.dim or not np.asarray(tau) > 0:
                raise WrongUse(f"{self.name}: the time constant {trace.tau}={tau} must be positive, for example 20*ms.")
            if trace.delay and (trace.delay not in self.parameters or trace.side != "pre"):
                raise WrongUse(
                    f"{self.name}: only a presynaptic trace has a delay, and it names a parameter, not {trace.delay!r}."
                )
        for name in (
            name for name in (*self.state, *(t.name for t in self.traces)) if name in _RESERVED or not name.isidentifier()
        ):
            raise WrongUse(f"{self.name}: {name!r} cannot name a variable; Brian2 or C++ uses such names, try {name}_0.")
        self._check_text()

    def _check_types(self) -> None:
        """WrongUse for an argument of another type than it is declared."""
        kinds: dict[str, tuple[Any, tuple[str, ...]]] = {
            "a text": (str, ("name", "summary", "source", "on_pre", "on_post", "drift", "noise", "tested")),
            "a dictionary": (Mapping, ("parameters", "meaning", "presets", "state", "needs", "factors")),
            "a tuple": ((tuple, list), ("traces", "parts")),
        }
        for kind, (wanted, names) in kinds.items():
            for name in names:
                if not isinstance(value := getattr(self, name), wanted):
                    raise WrongUse(f"{self.name}: {name}={value!r} must be {kind}; copy a rule such as plasticity/rules/hebb.py.")
        for name, one, all_ in (("traces", Trace, self.traces), ("parts", Rule, self.parts)):
            for value in all_:
                if not isinstance(value, one):
                    raise WrongUse(f"{self.name}: {name} holds {value!r}, which is no {one.__name__}; give a tuple of them.")
        for name in ("parameters", "meaning", "state", "needs", "factors"):
            for key, value in getattr(self, name).items():
                if not isinstance(key, str) or (name != "parameters" and not isinstance(value, str)):
                    raise WrongUse(f"{self.name}: {name} holds {key!r}: {value!r}; it maps names to {_HOLDS[name]}.")
        for name in ("closed_form", "clamped"):
            if getattr(self, name) is not None and not callable(getattr(self, name)):
                raise WrongUse(f"{self.name}: {name}={getattr(self, name)!r} must be a function, or None.")

    def __repr__(self) -> str:
        return said(self)

    def _check_text(self) -> None:
        texts = {"on_pre": self.on_pre, "on_post": self.on_post, "drift": self.drift}
        if not any(text.strip() for text in texts.values()):
            raise WrongUse(
                f"{self.name} never assigns dw; give it on_pre, on_post or drift, for example on_post='dw = A*pre_trace'."
            )
        known = {*_ALWAYS_KNOWN, *DEFAULT_FUNCTIONS, *self.parameters, *self.state, *self.needs, *(t.name for t in self.traces)}
        for place, text in [*texts.items(), ("noise", self.noise), *self.state.items()]:
            try:
                lines = _statements(text) if place in texts else _statements(f"value = {text or 0}")
            except (ValueError, SyntaxError) as error:
                wrong = error.text if isinstance(error, SyntaxError) else error
                raise WrongUse(
                    f"{self.name}: {place} holds {str(wrong).strip()!r}, which is no line like name = expression; write what"
                    " changes as dw = ..., and what it needs in lines before."
                ) from None
            assigned: set[str] = set()
            for name, expression in lines:
                used = set(get_identifiers(expression))
                if "dw" in used - assigned:
                    raise WrongUse(f"{self.name}: {place} uses dw before it is assigned; write the whole change as dw = ....")
                for unknown_name in sorted(used - known - assigned - {"dw"}):
                    raise WrongUse(
                        f"{self.name}: {place} uses {unknown_name!r}, which is nowhere declared; make it a parameter, a trace, an"
                        " entry of needs if a neuron group carries it (with _pre or _post), or assign it in a line before."
                    )
                if name in _RESERVED:
                    raise WrongUse(f"{self.name}: {place} assigns {name!r}, a word of C++ or of Brian2; call it {name}_0.")
                if name in known - {"dw"} and place in texts:
                    raise WrongUse(
                        f"{self.name}: {place} assigns {name}; a rule assigns dw and names of its own, the rest is given."
                    )
                assigned.add(name)
            if place in texts and lines and "dw" not in assigned:
                raise WrongUse(f"{self.name}: {place} never assigns dw; let it end in a line like dw = A*pre_trace.")
        for trace in self.traces:
            for name in sorted(trace.reads() - set(self.parameters)):
                if f"{name}_{trace.side}" not in self.needs:
                    raise WrongUse(
                        f"{self.name}: the trace {trace.name} follows {name!r}; declare it as {name}_{trace.side} in needs."
                    )

    @classmethod
    def from_text(cls, text: str) -> Rule:
        """A rule by its name, or a sum of rules: "pair_stdp + synaptic_scaling".

        Raises
        ------
        WrongUse
            An unknown name.
        """
        first, *others = (cls.known[name.strip()] for name in str(text).split("+"))
        return sum(others, start=first)

    def __call__(self, preset: str | None = None, /, **changes: Any) -> Rule:
        """The same rule with other parameters: a preset by name, then single values.

        Raises
        ------
        WrongUse
            An unknown preset or parameter, or a value of the wrong unit.
        """
        values, spikes = dict(self.parameters), None
        if preset is not None:
            if not isinstance(preset, str) or preset not in self.presets:
                raise unknown(f"preset of {self.name}", str(preset), self.presets)
            values.update(self.presets[preset])
            spikes = values.pop("spikes", None)
        for name, value in changes.items():
            if name not in values:
                raise unknown(f"parameter of {self.name}", name, values)
            try:
                fits = get_dimensions(value) == get_dimensions(values[name])
            except (TypeError, ValueError):
                raise WrongUse(
                    f"{self.name}: {name}={value!r} is not a number; write it like {name}={typed(values[name])}."
                ) from None
            if not fits:
                raise WrongUse(
                    f"{self.name}: {name}={value} has the wrong unit; write it like {name}={typed(values[name])}"
                    " (units are Brian2's)."
                )
            values[name] = value
        made = dataclasses.replace(self, parameters=values)
        return made if spikes is None else made.with_traces(spikes)

    @checked
    def with_texts(self, texts: Mapping[str, str]) -> Rule:
        """The same rule with other parameters, given as texts: a number has the unit of the default, a time is in ms.

        Raises
        ------
        WrongUse
            An unknown parameter, or a text that is no number.
        """
        changes: dict[str, Any] = {}
        for name, text in texts.items():
            dimension = get_dimensions(self.parameters[name]) if name in self.parameters else second.dim
            unit = ms if dimension == second.dim else get_unit(dimension)
            try:
                value = float(text)
            except ValueError:
                of = f" of {unit}" if name in self.parameters and not dimension.is_dimensionless else ""
                raise WrongUse(f"{self.name}: {name}={text!r} is not a number{of}.") from None
            changes[name] = value if dimension.is_dimensionless else value * unit
        return self(**changes)

    def __add__(self, other: Rule) -> Rule:
        """The rule that does what both do: each line of text of one, then of the other, on the same weight.

        Parameters and traces of one name are shared, and must be the same. Gate, eligibility and the switch `plastic` act on
        the sum: where they are 0 a companion like synaptic scaling rests too.

        Raises
        ------
        WrongUse
            A parameter or trace of the same name that is not the same in both.
        """
        if not isinstance(other, Rule):
            return NotImplemented
        for name in self.parameters.keys() & other.parameters.keys():
            alike = get_dimensions(self.parameters[name]) == get_dimensions(other.parameters[name])
            if not alike or self.parameters[name] != other.parameters[name]:
                remedy = "give both the same value" if alike else "rename one of them, their units differ"
                raise WrongUse(
                    f"{self.name} and {other.name} both have a parameter {name}, {self.parameters[name]} and"
                    f" {other.parameters[name]}; {remedy}."
                )
        traces = {t.name: t for t in self.traces}
        for t in other.traces:
            if traces.setdefault(t.name, t) != t:
                raise WrongUse(f"{self.name} and {other.name} both have a trace {t.name}, and they differ; rename one of them.")

        parts = (*(self.parts or (self,)), *(other.parts or (other,)))
        return Rule(
            name=f"{self.name}+{other.name}",
            summary=f"{self.summary}; and {other.summary}",
            source=f"{self.source}; {other.source}",
            parameters={**self.parameters, **other.parameters},
            meaning={**self.meaning, **other.meaning},
            traces=tuple(traces.values()),
            on_pre=_together([part.on_pre for part in parts]),
            on_post=_together([part.on_post for part in parts]),
            drift=_together([part.drift for part in parts]),
            noise=f"sqrt(({self.noise})**2 + ({other.noise})**2)" if self.noise and other.noise else self.noise or other.noise,
            state={**self.state, **other.state},
            needs={**self.needs, **other.needs},
            factors={**self.factors, **other.factors},
            parts=parts,
        )

    @checked
    def with_traces(self, spikes: str) -> Rule:
        """The same rule with all its spike traces "all" (all-to-all), "nearest" or "reduced"; see `Trace`."""
        if spikes not in SPIKES:
            raise unknown("kind of traces", str(spikes), SPIKES)
        traces = tuple(t if t.of else dataclasses.replace(t, spikes=spikes) for t in self.traces)
        parts = tuple(part.with_traces(spikes) for part in self.parts)
        words = {"all": "all-to-all", "nearest": "nearest neighbour", "reduced": "reduced nearest neighbour"}
        summary = self.summary.partition(" (traces: ")[0] + f" (traces: {words[spikes]})"
        return dataclasses.replace(self, traces=traces, parts=parts, summary=summary)

    def change(self, pre: np.ndarray, post: np.ndarray, dt: Any = None) -> float:
        """The closed form for this rule's parameters and traces: the summed change of one additive synapse.

        Parameters
        ----------
        pre, post : array
            Spike times in seconds, or as Brian2 times. Those of the same time step do not pair: without `dt`, those that are
            equal but for rounding (1 ns).
        dt : Quantity
            The time step of a simulation. All times are then rounded to its multiples, as `protocols.weight_change` does.

        Raises
        ------
        WrongUse
            The rule has no closed form, or some traces are nearest-neighbour and some all-to-all; times that are not finite
            numbers; with `dt`, two spikes of one side in the same step.
        """
        if self.parts:
            own = [dataclasses.replace(part, parameters={k: self.parameters[k] for k in part.parameters}) for part in self.parts]
            return float(sum(part.change(pre, post, dt) for part in own))
        if self.closed_form is None:
            raise WrongUse(f"{self.name} has no closed form for spike trains; simulate it with protocols.weight_change.")
        kinds = {t.spikes for t in self.traces if not t.of}
        if len(kinds) > 1:
            raise WrongUse(f'{self.name}: the closed form needs all traces alike; see with_traces("nearest").')
        trains = []
        for side, told in (("pre", pre), ("post", post)):
            train = given.times(told) if _has_unit(told) else given.real(told)
            if train is None or train.ndim != 1 or not np.isfinite(train).all():
                raise WrongUse(
                    f"{self.name}: {side}={told!r} must be a list of finite spike times in seconds, like [0.01, 0.02]."
                )
            trains.append(np.sort(train))
        first, second_ = _together_in_steps(self.name, trains, dt)
        return self.closed_form(first, second_, self.parameters, kinds.pop() if kinds else "all")

    @property
    def has_closed_form(self) -> bool:
        """Whether `change` knows the answer."""
        return all(part.has_closed_form for part in self.parts) if self.parts else self.closed_form is not None

    @checked
    def side(self, side: str) -> tuple[Trace, ...]:
        """The traces of one side, `"pre"` or `"post"`."""
        if side not in ("pre", "post"):
            raise unknown("side of a synapse", str(side), ("pre", "post"))
        return tuple(t for t in self.traces if t.side == side)

    @checked
    def neuron_traces(self, side: str) -> tuple[str, str, dict[str, Any]]:
        """What a neuron carries for this rule: equations, text at its own spike, and parameter values.

        One number per neuron and trace, decaying linearly: put the equations into the group's model, the text
        into its reset, and pass `traces="neuron"` to `synapses`.
        """
        traces = self.side(side)
        check_on_neurons(self, traces)
        names = sorted({t.tau for t in traces}.union(*(t.reads() & set(self.parameters) for t in traces)))
        equations = [t.decay() for t in traces] + [
            f"{name} : {given.unit_of(self.parameters[name])} (shared, constant)" for name in names
        ]
        at_spike = "\n".join(filter(None, (t.at_spike for t in traces)))
        return "\n".join(equations), at_spike, {name: self.parameters[name] for name in names}

    @checked
    def places(self, pre: str, post: str, synapses: str = "plastic") -> dict[str, tuple[str, str]]:
        """Where each parameter lies in a network with traces on the neurons: "group.parameter" -> (group, parameter).

        `pre`, `post` and `synapses` are the names of the groups; time constants of traces lie on the neurons.
        """
        on_neurons = {(group, t.tau) for side, group in (("pre", pre), ("post", post)) for t in self.side(side)}
        taus = {t.tau for t in self.traces}
        on_synapses = {(synapses, key) for key in self.parameters if key not in taus}
        return {f"{group}.{key}": (group, key) for group, key in sorted(on_neurons | on_synapses)}

    synapses = _synapses  # Brian2 `Synapses` with this rule on it
    without_depression = _without_depression  # the rule without one of its ingredients
    reversed = _reversed_order
    to_nestml = _to_nestml  # the rule as text for NESTML, and
    to_pynn = _to_pynn  # for PyNN, where these can express it

    def describe(self) -> str:
        """Equations, parameters with units and meaning, presets, closed form, source: what `plasticity show` prints."""
        return _describe(self)


_HOLDS = {
    "parameters": "numbers", "meaning": "texts, one line each", "state": "expressions, as texts", "needs": "texts, one line each",
    "factors": "texts, one line each",
}  # fmt: skip


def _has_unit(given_times: Any) -> bool:
    try:
        return not get_dimensions(given_times).is_dimensionless
    except (TypeError, ValueError):  # texts, dates
        return False


def _together_in_steps(rule: str, trains: list[np.ndarray], dt: Any) -> list[np.ndarray]:
    """Both trains with times of one time step made equal: multiples of dt, or, where None, what differs by rounding alone."""
    if dt is None:
        every = np.unique(np.concatenate(trains))
        firsts = every[np.diff(every, prepend=-np.inf) > TIE]
        return [firsts[np.searchsorted(firsts, train, side="right") - 1] for train in trains]
    step = given.seconds(dt)
    if step is None or step <= 0:
        raise WrongUse(f"{rule}: dt={dt!r} must be a positive time, for example 0.1*ms.")
    steps = [np.round(train / step) for train in trains]
    if any((np.diff(train) == 0).any() for train in steps):
        raise WrongUse(f"{rule}: two spikes of one neuron fall into the same step of {1000 * step:g} ms; give a smaller dt.")
    return [train * step for train in steps]


def _together(texts: Iterable[str]) -> str:
    """The texts one after the other, each with names of its own for what it assigns, and dw as the sum."""
    some = [text for text in texts if text.strip()]
    if len(some) < 2:
        return "".join(some)
    apart = []
    for k, text in enumerate(some):
        own = {name for name, _ in _statements(text)}
        apart.append(word_substitute(text, {name: f"{name}_{k}" for name in own}))
    return "\n".join([*apart, "dw = " + " + ".join(f"dw_{k}" for k in range(len(some)))])
