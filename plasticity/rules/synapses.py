"""Brian2 `Synapses` made from a rule: what `Rule.synapses` does."""

from __future__ import annotations

import contextlib
import functools
import inspect
import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from brian2 import Equations, Group, Quantity, Synapses, second
from brian2.core.base import BrianObject
from brian2.devices.device import get_device, runtime_device
from brian2.synapses.synapses import SynapticPathway
from brian2.utils.stringtools import get_identifiers

from plasticity import given, memory
from plasticity.errors import WrongUse, unknown
from plasticity.rules.landing import Landing, compose
from plasticity.rules.short_term import ShortTerm
from plasticity.structure.law import Law, Structure
from plasticity.structure.pool import attach

if TYPE_CHECKING:
    from plasticity.rules.rule import Rule, Trace

OWN = ("model", "on_pre", "on_post", "on_event", "method", "delay", "namespace")  # of Brian2's settings: set here
FURTHER = tuple(name for name in inspect.signature(Synapses).parameters if name not in ("source", "target", *OWN))
ALIKE = 1e-12  # s: delays that differ by rounding


class RuleSynapses(Synapses):
    """Brian2's `Synapses`, whose spikes are learnt from when they arrive, also where each synapse has a delay of its own.

    A rule has two presynaptic pathways or more: what a spike does, then its count on the traces. Brian2's `S.delay = ...` sets
    the first alone. Here it sets all of them, in whichever way Brian2 takes delays, and delays that were set on single pathways
    and differ are refused before the run, as are delays that are no times, and any delay of traces that lie on neurons.
    """

    _alike: tuple[tuple[str, ...], ...] = ()  # pathways of each side that have the same delays, the first one leads
    _late: Mapping[str, tuple[str, float]] = {}  # pathways that come later than a spike arrives: by which parameter, how much (s)
    _on_neurons = False
    structure: Any = None  # the cell with the record of a structure that changes
    living_alone: tuple[str, ...] = ()  # what need not look at the silent synapses of a pool, by the names of code objects
    _ran = False
    _soft_range: float | None = None  # that soft bounds were written for, where they hold for no other

    def _first(self) -> SynapticPathway:
        """The presynaptic pathway that leads, with which all others of the rule share their delays from now on."""
        arriving = self._alike[0] if self._alike else ()
        if not arriving:
            raise AttributeError(f"{self.name} does nothing at presynaptic spikes, so that it has no delay.")
        first = getattr(self, arriving[0])
        for path in (getattr(self, name) for name in arriving[1:] if name not in self._late):
            if path._delays is not first._delays:
                path.variables._variables["delay"] = first._delays
                path._delays = first._delays
        return first

    def _get_delay(self, unit: bool) -> Any:
        first = self._first()
        variable = first._delays
        if first.objname in self._late:
            raise WrongUse(
                f"S.delay cannot be read here: this rule counts spikes after they arrive; S.{first.objname}.delay holds both."
            )
        addressable = variable.get_addressable_value_with_unit if unit else variable.get_addressable_value
        return addressable("delay", first)

    def _set_delay(self, delay: Any, unit: bool) -> None:
        number = None if isinstance(delay, str) else given.real(np.asarray(delay))
        if number is None and not isinstance(delay, str):
            raise WrongUse(f"S.delay={delay!r} is no time; write it like 2*ms, or as a text.")
        if self._on_neurons and (number is None or np.any(number)):
            raise WrongUse(_ON_NEURONS.format("S.delay"))
        if self._late and (number is None or number.ndim):
            by = " and ".join(sorted({name for name, _ in self._late.values()}))
            raise WrongUse(
                f"S.delay={delay!r} must be one time for all synapses, like 2*ms: this rule counts presynaptic spikes later than"
                f" they arrive, by {by}, and such a pathway has one delay."
            )
        if self._first().objname not in self._late:
            self._get_delay(unit).set_item("True", delay, level=2)  # names in a text are those where S.delay = ... stands
        for path, (_, later) in self._late.items() if number is not None else ():
            setattr(getattr(self, path), "delay" if unit else "delay_", delay + later * second if unit else delay + later)

    delay = property(
        functools.partial(_get_delay, unit=True),
        functools.partial(_set_delay, unit=True),
        doc="The delay of presynaptic spikes, of all pathways alike.",
    )
    delay_ = property(
        functools.partial(_get_delay, unit=False),
        functools.partial(_set_delay, unit=False),
        doc="The delay of presynaptic spikes in seconds, of all pathways alike.",
    )

    def connect(
        self, condition: Any = None, i: Any = None, j: Any = None, p: Any = 1.0, n: Any = 1, level: int = 0, **settings: Any
    ) -> None:
        """What Brian2 does, unless the memory of this machine does not hold all pairs that were asked for."""
        memory.refuse_synapses(self, condition, i, j, p, n)
        if self.structure is not None and self._connect_called:
            raise WrongUse(f"{self.name}: the pool of structure= is connected once; give all of its synapses to one connect().")
        super().connect(condition, i, j, p, n, level=level + 1, **settings)
        if self.structure is not None:
            self.alive = True  # the whole pool, until told otherwise

    def before_run(self, run_namespace: Mapping[str, Any]) -> None:
        """What Brian2 does before a run, after a look at the delays and the bounds.

        Raises
        ------
        WrongUse
            Delays of one side that differ between its pathways, that are no times of 0 s or more, or that are not 0 with traces
            on neurons; bounds of another range than soft bounds were written for. Brian2 shows it as the cause of an error of
            its own.
        """
        if self.structure is not None:
            _check_structure(self)
            if self._ran and get_device() is not runtime_device:
                raise WrongUse(
                    f"{self.name}: with structure= Brian2's standalone device takes one run(); make it one, or use runtime."
                )
            self._ran = True
        for parameter, later in self._late.values():
            if _value_of(self.variables[parameter]) not in (None, later):
                raise WrongUse(
                    f"{self.name}.{parameter} was changed, but it is the delay of a pathway, which is made with the synapses;"
                    f" change it in the rule: rule({parameter}=...).synapses(...)."
                )
        for names in self._alike:
            _check_delays(self, names)
        if self._soft_range is not None:
            low, high = (_value_of(self.variables[name]) for name in ("w_min", "w_max"))
            if low is not None and high is not None and high - low != self._soft_range:
                raise WrongUse(
                    f"{self.name}: w_min={low:g} and w_max={high:g} were set after soft bounds of the range"
                    f" {self._soft_range:g} were made; write landing=Landing({low:g}, {high:g}, mu=...) instead."
                )
        super().before_run(run_namespace)


_ON_NEURONS = 'traces="neuron" knows no delay, and {} is not 0; use traces="synapse" with S.delay = ... or delay=.'


def _value_of(variable: Any) -> float | None:
    """The number that it holds; None where only the compiled program will know."""
    try:
        return float(np.ravel(variable.get_value())[0])
    except NotImplementedError:  # what Brian2's standalone device answers before it has run
        return None


def _assigned(path: SynapticPathway) -> list[tuple[Any, np.ndarray | None]]:
    """What was assigned to the delays of a pathway, in order: (index, seconds); None for what only the program will know."""
    device, variable = get_device(), path._delays
    if device is runtime_device:
        return [(True, np.asarray(variable.get_value()))]
    array = device.get_array_name(variable, access_data=False)
    found: list[tuple[Any, np.ndarray | None]] = []
    for kind, told in getattr(device, "main_queue", ()):
        if kind == "run_code_object" and told[0].template_name.startswith("group_variable_set"):
            if variable in told[0].variables.values():
                found.append((told, None))
        elif kind.startswith("set_") and told[0] == array:
            index, value = (True, told[1]) if kind in ("set_by_constant", "set_by_array") else told[1:3]
            index, value = (device.static_arrays.get(one, one) if isinstance(one, str) else one for one in (index, value))
            found.append((index, np.asarray(value, dtype=float)))
    return found


def _check_delays(synapses: RuleSynapses, names: tuple[str, ...]) -> None:
    """WrongUse where the delays of these pathways cannot be, or not together."""
    first, *others = (getattr(synapses, name) for name in names)
    told = _assigned(first)
    for path in (first, *others):
        for _, values in _assigned(path):
            wrong = None if values is None else values[~(np.isfinite(values) & (values >= 0))]
            if wrong is not None and wrong.size:
                raise WrongUse(
                    f"{synapses.name}: a delay of {path.objname} is {wrong.flat[0]:g} s; it must be finite and 0*ms or more."
                )
            if synapses._on_neurons and (values is None or np.any(values)):
                raise WrongUse(_ON_NEURONS.format(f"{synapses.name}.{path.objname}.delay"))
    for path in others:
        if path._delays is first._delays:
            continue
        later = synapses._late.get(path.objname)
        same, more = _assigned(path), 0.0 if later is None else later[1]
        if later is not None:
            told, same = told[-1:], same[-1:]
        if len(told) != len(same) or not all(_equal(a, b, more) for a, b in zip(told, same, strict=True)):
            both = f"{first.objname} and {path.objname}"
            remedy = f"they must be {later[0]} apart" if later else "learning would see other spike times than those that arrive"
            if path.prepost == "pre":
                way = "set S.delay = ..., which sets both"
            else:
                way = f"set both alike: S.{first.objname}.delay = S.{path.objname}.delay = ..."
            raise WrongUse(f"{synapses.name}: the delays of {both} differ, or nobody can see that they do not: {remedy}; {way}.")


def _equal(one: tuple[Any, np.ndarray | None], other: tuple[Any, np.ndarray | None], more: float) -> bool:
    """Whether two assignments are the same, but for `more` seconds."""
    (index, values), (other_index, others) = one, other
    if values is None or others is None or not np.array_equal(index, other_index):
        return False
    return np.allclose(values + more, others, rtol=0, atol=ALIKE) if np.shape(values) == np.shape(others) else False


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
    at_post_event: Mapping[str, tuple[str, str]] | None = None,
    seen: str = "",
    reciprocal: str = "",
    structure: Structure | None = None,
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
        Expression that multiplies the change: `"attention_post"`, `"attention_pre"`, a shared variable, or a number.
    landing : Landing
        Bounds and eligibility; hard bounds 0 to 1 unless told.
    traces : str
        `"synapse"` (default, needs nothing of the groups) or `"neuron"` (the groups carry `neuron_traces`).
    delay : Quantity
        One transmission delay for all. A delay for each synapse is Brian2's `S.delay = ...` after `connect`, with traces on
        synapses; of postsynaptic spikes `S.post.delay = S.post_count.delay = ...`.
    plastic : str
        Expression of 0 or 1 that freezes learning; by default a shared parameter `plastic`, which is 1.
    short_term : ShortTerm
        Depression and facilitation of the transmission, which then may use `released`: `"ge_post += w*released"`.
    at_event : dict
        Further pathways by name: (custom event of the source group, text), run after learning in the given order.
    at_post_event : dict
        The same for events of the target group: what goes back over the synapse, such as the feedback of a chosen action.
    seen : str
        A custom event of the source group that learning takes for the presynaptic spikes; transmission stays with the spikes
        themselves: learning that waits for the end of a trial, or controls that learn from other trains.
    reciprocal : str
        A second weight of each synapse, without unit, that the same changes land on: that of the synapse in the other direction.
    structure : Structure
        Which synapses are alive changes by a law; `S.structure` then holds its record.
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
        An argument of the wrong type, `traces` that is neither "synapse" nor "neuron", a delay with traces on neurons or one
        that is no time, `seen` with a delay or short-term plasticity, or a group without what the rule needs.
    """
    gate = _as_text("gate", gate, "attention_post", number=True)
    transmit, plastic = _as_text("transmit", transmit, "ge_post += w"), _as_text("plastic", plastic, "learning_post")
    model = str(model) if isinstance(model, Equations) else _as_text("model", model, "tag : 1")
    if landing is not None and not isinstance(landing, Landing):
        raise WrongUse(f"landing={landing!r} must be a Landing, for example Landing(0, 1, mu=1) or Landing(eligibility=...).")
    if short_term is not None and not isinstance(short_term, ShortTerm):
        raise WrongUse(f"short_term={short_term!r} must be a ShortTerm, for example ShortTerm(U=0.5).")
    for name in ("w_min", "w_max", "mu", "eligibility"):
        if name in settings:
            raise WrongUse(f"{name}= belongs to the landing; write landing=Landing({name}=...).")
    if structure is not None and not isinstance(structure, Structure):
        known = structure.name if isinstance(structure, Law) else "contacts"
        told = known if isinstance(structure, Law) else repr(structure)
        raise WrongUse(f"structure={told} must be a Structure, for example Structure(LAWS[{known!r}], every=100*ms).")
    if short_term is None and "released" in get_identifiers(transmit):
        raise WrongUse("`released` in transmit needs short_term=ShortTerm(...).")
    for name in settings.keys() - {*FURTHER}:
        raise unknown("option of synapses()", name, [*_OPTIONS, *FURTHER])
    if not isinstance(traces, str) or traces not in ("synapse", "neuron"):
        raise unknown("placement of traces", str(traces), ("synapse", "neuron"))
    if delay is not None:
        arrives = given.seconds(delay)
        if arrives is None or arrives < 0:
            raise WrongUse(f"delay={delay!r} must be one finite time of 0*ms or more, like 2*ms; S.delay = ... is one for each.")
    stale = structure is not None and traces == "synapse" and {t.name for t in rule.traces} & get_identifiers(structure.text())
    if stale:
        raise WrongUse(
            f"structure: the law reads {min(stale)}, which on a synapse has the value of its last spike; put it on neurons,"
            f' traces="neuron", and let the law read {min(stale)}_pre or {min(stale)}_post.'
        )
    if traces == "neuron" and delay is not None:
        raise WrongUse('traces="neuron" knows no transmission delay; use traces="synapse" with delay=.')
    if traces == "neuron":
        check_on_neurons(rule, rule.traces)
    if namespace is not None and not isinstance(namespace, Mapping):
        raise WrongUse(f"namespace={namespace!r} must be a dictionary of names, like {{'gmax': 2*nS}}.")
    events, back = _events(at_event), _events(at_post_event)
    if not isinstance(reciprocal, str) or (reciprocal and (not reciprocal.isidentifier() or reciprocal == "w")):
        raise WrongUse(f"reciprocal={reciprocal!r} must be the name of a second weight, for example reciprocal='back'.")
    if reciprocal and landing is not None and landing.mu:
        raise WrongUse(
            "reciprocal= needs hard bounds: soft ones would give both weights other changes; write Landing(low, high)."
        )
    seen = _as_text("seen", seen, "seen")
    if seen and (delay is not None or short_term is not None):
        raise WrongUse(f"seen={seen!r} knows neither a delay nor short-term plasticity; leave these out.")
    landing = landing or Landing()
    texts = {"transmit": transmit, "gate": gate, "plastic": plastic}
    texts["signal"] = landing.eligibility.signal if landing.eligibility else ""
    _check_groups(rule, {"pre": source, "post": target}, traces, texts, structure)
    with_spikes = "" if seen else transmit
    text = compose(rule, landing, transmit=with_spikes, gate=gate, traces=traces, plastic=plastic, short_term=short_term,
                   reciprocal=reciprocal)  # fmt: skip
    own = {path: f"seen_{path}" if seen else path for path in text.on_pre}
    on_event = dict.fromkeys(own.values(), seen) if seen else {}
    on_event |= {path: event for path, (event, _) in {**events, **back}.items()}
    on_pre = {own[path]: change for path, change in text.on_pre.items()}
    on_pre |= {"pre": transmit} if seen and transmit else {}  # before what is learnt at "seen_pre", in the order of their names
    on_pre |= {path: change for path, (_, change) in events.items()}
    order = {own.get(path, path): rank for path, rank in text.order.items()}
    order |= {path: 2 + k for k, path in enumerate(events)} | {path: 2 for path in back}
    on_post = text.on_post | {path: change for path, (_, change) in back.items()}
    late = {path: rule.parameters[name] for path, name in text.late.items()}
    delays = {path: (delay if delay is not None else 0 * second) + late.get(path, 0 * second) for path in text.on_pre}
    made = RuleSynapses(
        source,
        target,
        model="\n".join(filter(None, (text.model, model, structure.equations() if structure else ""))),
        on_pre=on_pre or None,
        on_post=on_post or None,
        on_event=on_event or "spike",
        method="exponential_euler" if traces == "synapse" and any(t.of for t in rule.traces) else "exact",
        delay=delays if on_pre and (delay is not None or late) else None,
        namespace=None if namespace is None else dict(namespace),
        **settings,
    )
    made._alike = tuple(tuple(side) for side in ({} if seen else text.on_pre, text.on_post) if side)
    made._late = {path: (name, float(rule.parameters[name])) for path, name in text.late.items()}
    made._on_neurons = traces == "neuron"
    made._soft_range = text.soft_range
    for path, rank in order.items():
        getattr(made, path).order = rank
    for name, value in text.values.items():
        made.variables[name].set_value(np.asarray(value, dtype=float))  # Synapses' own setter refuses before connect
    for k, (change, interval) in enumerate(text.regularly):
        made.run_regularly(change, dt=interval, when="end", order=k)
    if structure is not None:
        begin = [t.name for t in rule.traces if traces == "synapse"] + ["eligibility"] * (landing.eligibility is not None)
        begin += [name for name in ("used", "u") if short_term is not None and name in made.variables]
        made.structure = attach(made, structure, begin, ["w", *filter(None, (reciprocal,)), *rule.state])
        regularly = ["run_regularly", *(f"run_regularly_{k}" for k in range(1, len(text.regularly)))][: len(text.regularly)]
        own_time = model and Equations(model).diff_eq_names  # goes on in silent synapses, too: it does not begin anew
        steps = regularly if own_time else ["stateupdater", *regularly]
        made.living_alone = (*steps, *(("law", "birth") if structure.uniform else ()))
    return made


_OPTIONS = tuple(name for name in inspect.signature(synapses).parameters if name not in ("rule", "settings"))


_SETS_ALIVE = re.compile(r"^\s*alive\s*[-+*/]?=[^=]", flags=re.MULTILINE)


def _check_structure(synapses: RuleSynapses) -> None:
    """WrongUse where something else than the law says who is alive, or updates do not fall into time steps."""
    for item in synapses.contained_objects:
        if _SETS_ALIVE.search(str(getattr(item, "abstract_code", None) or getattr(item, "code", ""))):
            raise WrongUse(
                f"{synapses.name}: {item.name} sets `alive`, which only the law of a structure changes during a run;"
                " let a variable of the neurons say it, and a law that reads it (dies='int(lost_post > 0)')."
            )
    every, dt = float(_value_of(synapses.variables["every"]) or 0), float(synapses.clock.dt)
    if every and abs(every / dt - max(round(every / dt), 1)) > 1e-6:
        told = f"every={every * second} of its structure must be a multiple of the time step, {dt * second}"
        raise WrongUse(f"{synapses.name}: {told}.")


def _as_text(name: str, value: Any, example: str, number: bool = False) -> str:
    """`value` where it is Brian2 text, or a finite number where those are allowed."""
    if number and given.one(value) is not None:
        return repr(given.one(value))
    if isinstance(value, str) and value.strip().lower().lstrip("+-") not in ("nan", "inf", "infinity"):
        return value
    raise WrongUse(f"{name}={value!r} must be Brian2 text{' or a finite number' * number}, for example {name}={example!r}.")


def _events(at_event: Any) -> dict[str, tuple[str, str]]:
    """`at_event` as a dictionary, checked."""
    with contextlib.suppress(AttributeError, TypeError, ValueError):
        events = {path: (event, text) for path, (event, text) in (at_event or {}).items()}
        if all(isinstance(word, str) for path, pair in events.items() for word in (path, *pair)):
            return events
    raise WrongUse(f"at_event={at_event!r} must name pathways, like {{'rewarded': ('reward', 'w = 0.5')}}.")


def _check_groups(
    rule: Rule, groups: Mapping[str, BrianObject], traces: str, texts: Mapping[str, str], structure: Structure | None
) -> None:
    """WrongUse where a group is none, or lacks a variable that the rule, one of the texts or the law of a structure reads."""
    for side, group in groups.items():
        if not isinstance(group, Group):
            what = "source" if side == "pre" else "target"
            raise WrongUse(f"{what}={group!r} must be a group of Brian2, such as a NeuronGroup or a SpikeGeneratorGroup.")
    wanted = dict(rule.needs)
    if traces == "neuron":
        wanted |= {f"{t.name}_{t.side}": f"put rule.neuron_traces({t.side!r}) into its equations" for t in rule.traces}

    def read(text: str) -> Iterable[str]:
        return (name for name in get_identifiers(text) if name.endswith(("_pre", "_post")) and name not in ("N_pre", "N_post"))

    for option, text in texts.items():
        wanted |= {name: f"used in {option}={text!r}" for name in read(text)}
    by = dict.fromkeys(wanted, rule.name)
    if structure is not None:
        law = structure.law
        asked = {name: law.needs.get(name, "a factor of growth or survival") for name in read(structure.text())}
        by |= dict.fromkeys(asked.keys() - wanted.keys(), f"the law {law.name}")
        wanted = asked | wanted
    for name, meaning in wanted.items():
        variable, _, side = name.rpartition("_")
        group = groups.get(side)
        if group is not None and variable not in getattr(group, "variables", {}):
            where = "source" if side == "pre" else "target"
            raise WrongUse(
                f"{by[name]} needs the variable {variable!r} of the {where} group ({meaning}); add it to its equations."
            )


def check_on_neurons(rule: Rule, traces: Iterable[Trace]) -> None:
    """WrongUse where one of these traces of the rule cannot lie on its neuron."""
    for t in traces:
        if t.spikes == "reduced" or t.delay:
            why = "is set to 0 by single synapses" if t.spikes == "reduced" else "counts spikes with a delay"
            raise WrongUse(f'{rule.name}: {t.name} {why}, so that it cannot lie on the neuron; use traces="synapse".')
