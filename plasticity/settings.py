"""A setting is declared once: default, meaning, unit, bounds.

    @dataclass(frozen=True)                          @estimator
    class CuedDigits(Task):                          class SpikingClassifier(Learner):
        train: int = setting(2000, "...", low=10)        tau_m_ms: float = setting(100.0, "...", "ms", above=0)

From the declaration follow what `plasticity show` lists, what `--set KEY=VALUE` takes, what is refused, what a record holds and
what has to be typed for the same again. Tasks, experiments, gates and the energy table are frozen dataclasses; a learner is a
scikit-learn estimator whose constructor, `get_params` and documented parameters come from its settings.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import inspect
import math
import numbers
import re
import sys
import textwrap
import types
import typing
from collections.abc import Collection, Iterable, Mapping
from typing import Any, TypeVar, dataclass_transform

import numpy as np

from plasticity import given
from plasticity.errors import WrongUse, unknown

T = TypeVar("T")
C = TypeVar("C", bound=type)
FINITE = sys.float_info.max
NEVER = object()
NOTHING = "none"  # how no value, and a list of none, are written
SIDES = ("spiking", "torch", "control")  # of learners; a setting of a side is one of all its learners
SEED = "random_state"  # of an estimator: it follows from the seed of a run, so that nobody sets it beside the others
MOST_SEED = 2**32 - 1  # larger ones are taken modulo this by some generators, and would repeat others


def setting(
    default: Any,
    help: str,
    unit: str = "",
    choices: Iterable[str] = (),
    low: float = -math.inf,
    high: float = FINITE,
    above: float = -math.inf,
    below: float = math.inf,
    later: bool = False,
    once: Any = NEVER,
) -> Any:
    """A dataclass field with its meaning, unit, allowed names and bounds; those of `low` and `high` are allowed themselves.

    Infinity is refused unless high=math.inf. A registry as `choices` allows whatever is in it, also what is added later. With
    `later` it was added when there were records already: `recorded` leaves it out where it is the default, so that these go on.
    `once` is how earlier records have the default (`current`).
    """
    bounds = {"low": low, "high": high, "above": above, "below": below}
    known = choices if isinstance(choices, Mapping) else tuple(choices)
    return dataclasses.field(
        default=default,
        metadata={"help": help, "unit": unit, "choices": known, **bounds, "later": later, "once": once},
    )


@dataclasses.dataclass(frozen=True)
class Setting:
    """One line of what `show` lists; `kind` is the type that was declared."""

    name: str
    default: Any
    unit: str
    help: str
    choices: Collection[str]
    kind: Any = str
    low: float = -math.inf
    high: float = FINITE
    above: float = -math.inf
    below: float = math.inf
    later: bool = False
    once: Any = NEVER

    def told(self) -> dict[str, Any]:
        """What `show --json` says of it."""
        told = {key: getattr(self, key) for key in ("name", "default", "unit", "help")}
        return {**told, "choices": tuple(self.choices)}

    @property
    def _simple(self) -> Any:
        """The type without alternatives: float of `float | None`; of a rule or its name, what the default is."""
        options = [kind for kind in _alternatives(self.kind) if kind is not type(None)]
        known = [kind for kind in options if inspect.isclass(kind) and kind is not Any and isinstance(self.default, kind)]
        return (known or options or [object])[0]

    def read(self, owner: str, value: Any) -> Any:
        """A text as a value of this kind; whatever is no text stays as it is."""
        if not isinstance(value, str):
            return value
        kind = self._simple
        if (kind is Any or type(None) in _alternatives(self.kind)) and value.strip().lower() == NOTHING:
            return None
        if hasattr(kind, "from_text"):  # a rule, a gate, a neuron: it knows its own names
            return kind.from_text(value)
        try:
            if kind is bool:
                return {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}[value.lower()]
            if kind in (int, float):
                return _number(kind, value)
            if typing.get_origin(kind) is tuple:
                inner = (*typing.get_args(kind), str)[0]
                parts = [] if value == NOTHING else [part.strip() for part in value.split(",")]
                return tuple(_number(inner, part) if inner in (int, float) else _named(part) for part in parts)
        except (ValueError, KeyError):
            example = {bool: "true or false", int: "a whole number", float: "a number without its unit"}.get(
                kind, "values with commas between, like 1,2,3"
            )
            raise WrongUse(f"{owner}: {self.name}={given.shown(value)} is not understood; give {example}.") from None
        if kind is Any:  # of an estimator from elsewhere: a number where it is one
            for number in (int, float):
                with contextlib.suppress(ValueError):
                    return _number(number, value)
        elif inspect.isclass(kind) and kind not in (object, str):
            raise WrongUse(f"{owner}: {self.name} cannot be written on the command line; set it in Python.")
        return value

    def check(self, owner: str, value: Any) -> None:
        """WrongUse where the value is of another type, outside the bounds or not among the choices."""
        if value is None and type(None) in _alternatives(self.kind):
            return
        many = typing.get_origin(self.kind) is tuple
        if many and not isinstance(value, tuple):
            raise self._refusal(owner, value, tuple)
        kind = typing.get_args(self.kind)[0] if many else self.kind
        for one in value if many else (value,):
            if not any(_is(one, option) for option in _alternatives(kind)) or not self._within(one):
                raise self._refusal(owner, one, kind)
            if self.choices and one not in self.choices:
                raise unknown(f"value for {self.name} of {owner}", str(one), self.choices)

    def _within(self, value: Any) -> bool:
        if not isinstance(value, numbers.Real) or isinstance(value, bool):
            return True
        try:
            value = float(value)
        except OverflowError:  # a whole number that no float holds
            return False
        strict = (self.above < value or self.above == -math.inf) and (value < self.below or self.below == math.inf)
        return bool(self.low <= value <= self.high and strict)  # NaN fails

    def _refusal(self, owner: str, value: Any, kind: Any) -> WrongUse:
        if not any(_is(value, option) for option in _alternatives(kind)):
            named = [getattr(typing.get_origin(option) or option, "__name__", str(option)) for option in _alternatives(kind)]
            return WrongUse(
                f"{owner}: {self.name}={given.shown(value)} is not of type {' or '.join(named)}; an example is {self.default!r}."
            )
        sides = ((self.above, "above"), (self.below, "below"))
        strict = [f"{word} {bound:g}" for bound, word in sides if math.isfinite(bound)]
        if not strict and value not in (math.inf, -math.inf):
            high = "inf" if self.high == FINITE else self.high
            return WrongUse(
                f"{owner}: {self.name}={given.shown(value)} is outside {self.low} to {high} {self.unit}".rstrip() + "."
            )
        strict += [f"{self.low:g} or more"] * (self.low > -math.inf) + [f"{self.high:g} or less"] * (self.high < FINITE)
        told = f"{owner}: {self.name}={given.shown(value)} must be {' and '.join(['finite', *strict])}"
        return WrongUse(f"{told} {self.unit}".rstrip() + ".")


def _number(kind: type, text: str) -> int | float:
    """A text as a whole number or a number; ValueError for any other."""
    found = given.whole(text) if kind is int else given.number(text)
    if found is None:
        raise ValueError
    return found


def _named(text: str) -> str:
    """One of several names; ValueError where it is empty."""
    if not text:
        raise ValueError
    return text


def _alternatives(kind: Any) -> tuple[Any, ...]:
    """(float, NoneType) of `float | None`."""
    return typing.get_args(kind) if isinstance(kind, types.UnionType) or typing.get_origin(kind) is typing.Union else (kind,)


def _is(value: Any, kind: Any) -> bool:
    if kind in (Any, object):
        return True
    kind = typing.get_origin(kind) or kind
    if isinstance(value, (bool, np.bool_)):
        return kind is bool
    wanted = {int: numbers.Integral, float: numbers.Real}.get(kind, kind)
    return isinstance(value, wanted) if inspect.isclass(wanted) else True


# What is declared


def title_of(owner: Any) -> str:
    """What messages call it: its name, else its class."""
    name = getattr(owner, "name", "")
    return name if isinstance(name, str) and name else (owner if inspect.isclass(owner) else type(owner)).__name__


def kinds(owner: Any) -> dict[str, Any]:
    """The declared type of each field of a dataclass."""
    return typing.get_type_hints(owner if inspect.isclass(owner) else type(owner))


def describe(owner: Any) -> list[Setting]:
    """The settings of a dataclass or estimator (class or instance), in the order of their declaration.

    Of an estimator that declares none (one of scikit-learn) the parameters of its constructor, as its defaults show them.
    WrongUse for a class that declares some without being a dataclass.
    """
    made = owner if inspect.isclass(owner) else type(owner)
    raw = [name for base in made.__mro__ for name, value in vars(base).items() if isinstance(value, dataclasses.Field)]
    if raw:
        above = "@estimator" if hasattr(made, "get_params") else "@dataclass(frozen=True)"
        raise WrongUse(f"{made.__name__} declares the setting {raw[0]}, but is no dataclass; write {above} above it.")
    if dataclasses.is_dataclass(owner):
        fields = [f for f in dataclasses.fields(owner) if "help" in f.metadata and f.name != SEED]
        hints = kinds(owner) if fields else {}
        return [Setting(f.name, f.default, kind=hints[f.name], **f.metadata) for f in fields]
    if hasattr(owner, "get_params") and not inspect.isclass(owner):
        held = owner.get_params(deep=False)
        return [Setting(key, value, "", "", (), _kind_of(value)) for key, value in held.items() if key != SEED]
    return []


def unsaid(made: Any) -> set[str]:
    """Settings of an instance that a record leaves out: those that came later, where they are the default."""
    return {entry.name for entry in describe(made) if entry.later and getattr(made, entry.name) == entry.default}


def recorded(made: Any) -> dict[str, Any]:
    """The settings of an instance as a record holds them."""
    left_out = unsaid(made)
    return {entry.name: plain(getattr(made, entry.name)) for entry in describe(made) if entry.name not in left_out}


def current(owner: Any, values: Mapping[str, Any]) -> dict[str, Any]:
    """Settings as a record has them, with the defaults of today where it has those of once."""
    known = {entry.name: entry for entry in describe(owner)}
    old = {key for key, value in values.items() if key in known and value == known[key].once}
    return {key: known[key].default if key in old else value for key, value in values.items()}


def _kind_of(value: Any) -> Any:
    """The type that a default suggests."""
    if value is None:
        return Any
    return tuple[type(value[0]) if value else float, ...] if isinstance(value, (tuple, list)) else type(value)  # type: ignore[misc]


def check(made: Any) -> None:
    """Refuse an instance one of whose settings is of another type or outside its bounds or choices."""
    title = title_of(made)
    for entry in describe(made):
        value = getattr(made, entry.name)
        entry.check(title, value)
        if isinstance(value, np.generic) and not hasattr(made, "get_params"):  # the sums of an int8 overflow
            object.__setattr__(made, entry.name, value.item())
    if dataclasses.is_dataclass(made) and hasattr(made, SEED):
        seed = getattr(made, SEED)
        if not _is(seed, int) or not 0 <= seed <= MOST_SEED:
            raise WrongUse(f"{title}: {SEED}={given.shown(seed)} must be a whole number of 0 or more, and {MOST_SEED} at most.")


# Text to values


def parse(assignments: Iterable[str]) -> dict[str, str]:
    """Turn `["data=mnist", "train=500"]` into a dictionary of texts.

    Raises
    ------
    WrongUse
        Something that is not key=value, nothing before or after the sign, or a key twice.
    """
    parsed: dict[str, str] = {}
    for line in assignments:
        key, equals, value = line.partition("=")
        key, value = key.strip(), value.strip()
        if not key or not value:
            none = f" (an empty one is written {NOTHING})" if equals and key else ""
            raise WrongUse(
                f"--set takes key=value, not {given.shown(line)}; write --set KEY=VALUE{none}; `plasticity show NAME` lists the"
                " keys."
            )
        if key in parsed:
            raise WrongUse(f"--set gives {key} twice, {parsed[key]} and {value}; give it once.")
        parsed[key] = value
    return parsed


def configure(owner: type[T], values: Mapping[str, Any]) -> T:
    """An instance of the dataclass `owner` with some settings replaced (texts are converted).

    Raises
    ------
    WrongUse
        An unknown setting, a value of the wrong type, outside its bounds or not among its choices.
    """
    made = owner(**_chosen(title_of(owner), {entry.name: entry for entry in describe(owner)}, values, "setting"))
    check(made)
    return made


def changed(made: T, values: Mapping[str, Any], title: str = "") -> T:
    """The same with some settings replaced (texts are converted): a new dataclass, or the estimator itself.

    A setting of a setting is written with a dot or two underscores: `gate.attended=3` changes a field of the parameter `gate`,
    `rule.A_plus=.02` a parameter of the rule, `svc.C=2` one of a step of a pipeline.
    """
    title = title or title_of(made)
    known = {entry.name: dataclasses.replace(entry, default=getattr(made, entry.name)) for entry in describe(made)}
    if hasattr(made, "get_params"):
        deep = {key: value for key, value in made.get_params(deep=True).items() if key.rpartition("__")[2] != SEED}
        known |= {key: Setting(key, value, "", "", (), _kind_of(value)) for key, value in deep.items() if key not in known}
    word = "parameter" if hasattr(made, "set_params") else "setting"
    chosen = _chosen(title, known, values, word)
    if hasattr(made, "set_params"):
        return made.set_params(**chosen)
    return dataclasses.replace(made, **chosen)  # type: ignore[type-var]


def _chosen(title: str, known: Mapping[str, Setting], values: Mapping[str, Any], word: str) -> dict[str, Any]:
    chosen: dict[str, Any] = {}
    for key, value in values.items():
        outer, _, inner = key.replace("__", ".").partition(".")
        whole = key.replace(".", "__")
        if whole in known:  # itself, or a parameter of an estimator that it is made of
            chosen[whole] = known[whole].read(title, value)
            continue
        if outer not in known:
            raise unknown(f"{word} of {title}", whole if any("__" in name for name in known) else outer, known)
        owner = chosen.get(outer, known[outer].default)
        if isinstance(owner, str):  # a rule by its name
            named = (kind for kind in _alternatives(known[outer].kind) if hasattr(kind, "from_text"))
            owner = next((kind.from_text(owner) for kind in named), owner)
        if hasattr(owner, "with_texts"):
            chosen[outer] = owner.with_texts({inner: str(value)})
            continue
        if not describe(owner):
            raise WrongUse(f"{title}: {outer} has no settings of its own; write {outer}=value.")
        names = {entry.name for entry in describe(owner)}
        if inner not in names:
            raise unknown(f"setting of {outer} of {title}", inner, names)
        chosen[outer] = changed(owner, {inner: value}, f"{title}: {outer}")
    return chosen


def refuse_owners(owners: Iterable[str], learners: Mapping[str, str]) -> None:
    """WrongUse for an owner of settings (mlp of mlp.hidden) that is neither one of these learners nor their side, by name."""
    known = {*learners, *learners.values()}
    for owner in owners:
        if owner in SIDES and owner not in known:
            raise WrongUse(
                f"{owner}.KEY is for {owner} learners, and none is compared, only {', '.join(learners)}; leave it out."
            )
        if owner not in known:
            raise unknown("learner in a setting", owner, known)


# Values to text


def text(value: Any) -> str:
    """A value as `--set` takes it and `show` tells it: 1,2,3; true; none; the name of a gate."""
    if isinstance(value, (bool, np.bool_)) or value is None:
        return str(value).lower()
    if isinstance(value, (list, tuple)):
        return ",".join(map(text, value)) or NOTHING
    if isinstance(value, Mapping) and "name" in value:  # a rule or a gate as a record holds it
        return str(value["name"])
    if hasattr(value, "name") and hasattr(value, "parameters"):
        return f"{value.name}({', '.join(f'{symbol}={written(number)}' for symbol, number in value.parameters.items())})"
    return written(value)


def written(value: Any) -> str:
    """A number or quantity as text, the same in every process; `str` writes a quantity by the units that were used before."""
    if not hasattr(value, "in_best_unit") or np.ndim(value):
        return str(value)
    return str(value.in_best_unit(8, False, *_units()))


@functools.cache
def _units() -> tuple[Any, ...]:
    from brian2 import mV
    from brian2.units.fundamentalunits import UnitRegistry, standard_unit_register

    ours = UnitRegistry()
    for power in (-1, -2):
        ours.add(mV**power)
    return standard_unit_register, ours


def plain(value: Any) -> Any:
    """A value as JSON can hold it, the same in every process (no addresses in memory)."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Mapping):
        return {str(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(entry) for entry in value]
    if hasattr(value, "name") and hasattr(value, "parameters"):
        return {"name": value.name, "parameters": {str(key): written(entry) for key, entry in dict(value.parameters).items()}}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {
            f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value) if not callable(getattr(value, f.name))
        }
        return {"name": getattr(value, "name", type(value).__name__), **fields}
    return re.sub(r" at 0x[0-9a-f]+", "", repr(value))


# Estimators


@dataclass_transform(eq_default=False, field_specifiers=(setting,))
def estimator(cls: C) -> C:
    """A scikit-learn estimator whose parameters are its settings: constructor, and their section in its docstring.

    As in scikit-learn, all parameters but the first are given by name.
    """
    own = [vars(cls)[name] for name in inspect.get_annotations(cls) if isinstance(vars(cls).get(name), dataclasses.Field)]
    for later in own[1:]:
        later.kw_only = True
    made = typing.cast(C, dataclasses.dataclass(eq=False, repr=False)(cls))
    lines = []
    for entry in describe(made):
        kind = {bool: "bool", int: "int", float: "float", str: "str"}.get(entry.kind) or re.sub(
            r"(?:\w+\.)+(\w+)", r"\1", str(getattr(entry.kind, "__name__", entry.kind))
        )
        choices = f" Known: {', '.join(entry.choices)}." if entry.choices else ""
        meaning = f"{_sentence(entry.help)}{choices}"
        lines += [
            f"{entry.name} : {kind}{f' ({entry.unit})' if entry.unit else ''}",
            textwrap.indent(textwrap.fill(meaning, 116), "    "),
        ]
    for seed in (f for f in dataclasses.fields(made) if f.name == SEED):
        lines += [f"{SEED} : int", f"    {_sentence(seed.metadata['help'])}"]
    section = "\n".join(["Parameters", "----------", *lines])
    head, mark, rest = (inspect.getdoc(made) or "").partition("\nAttributes\n")
    if not mark:
        head, mark, rest = (inspect.getdoc(made) or "").partition("\nRaises\n")
    made.__doc__ = "\n\n".join(filter(None, (head.rstrip(), section))) + (f"\n{mark}{rest}" if mark else "")
    return made


def _sentence(words: str) -> str:
    words = words.strip()
    return words[:1].upper() + words[1:] + ("" if words.endswith((".", ":", "?")) else ".")


def whole_multiple(owner: str, name: str, value: float, of: str, step: float) -> None:
    """WrongUse unless `value` is a whole multiple of `step`."""
    with contextlib.suppress(ZeroDivisionError):
        times = value / step
        if times >= 1 and abs(times - round(times)) <= 1e-9 * times:
            return
    raise WrongUse(
        f"{owner}: {name}={value:g} must be a whole multiple of {of}={step:g}, like {round(max(1.0, value / step)) * step:g}."
    )
