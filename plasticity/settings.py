"""Settings as dataclass fields: declared once, listed by `show`, set by `--set key=value`."""

from __future__ import annotations

import dataclasses
import math
import numbers
import typing
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from plasticity.errors import WrongUse, unknown

T = TypeVar("T")


def setting(
    default: Any, help: str, unit: str = "", choices: tuple[str, ...] = (), low: float = -math.inf, high: float = math.inf
) -> Any:
    """A dataclass field with its meaning, unit, allowed names and allowed range."""
    return dataclasses.field(
        default=default,
        metadata={"help": help, "unit": unit, "choices": choices, "low": low, "high": high},
    )


@dataclasses.dataclass(frozen=True)
class Setting:
    """One line of what `show` lists."""

    name: str
    default: Any
    unit: str
    help: str
    choices: tuple[str, ...]


def describe(owner: Any) -> list[Setting]:
    """The settings of a dataclass (class or instance), in the order of its fields."""
    return [
        Setting(f.name, f.default, f.metadata["unit"], f.metadata["help"], f.metadata["choices"])
        for f in dataclasses.fields(owner)
        if "help" in f.metadata
    ]


def parse(assignments: Iterable[str]) -> dict[str, str]:
    """Turn `["data=mnist", "train=500"]` into a dictionary of texts."""
    parsed: dict[str, str] = {}
    for text in assignments:
        key, equals, value = text.partition("=")
        if not equals or not key.strip():
            raise WrongUse(f"--set takes key=value, not {text!r}; write --set KEY=VALUE; `plasticity show NAME` lists the keys.")
        parsed[key.strip()] = value.strip()
    return parsed


def _convert(owner: str, name: str, kind: Any, value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        if kind is bool:
            return {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}[value.lower()]
        if kind is int:
            return int(value)
        if kind is float:
            return float(value)
        if typing.get_origin(kind) is tuple:
            inner = typing.get_args(kind)[0]
            return tuple(inner(part) for part in value.split(",") if part.strip())
    except (ValueError, KeyError):
        example = {bool: "true or false", int: "a whole number", float: "a number without its unit"}.get(
            kind, "values with commas between, like 1,2,3"
        )
        raise WrongUse(f"{owner}: {name}={value!r} is not understood; give {example}.") from None
    return value


def configure(owner: type[T], values: Mapping[str, Any]) -> T:
    """An instance of the dataclass `owner` with some settings replaced (texts are converted).

    Raises
    ------
    WrongUse
        An unknown setting, a value of the wrong type, outside its range or not among its choices.
    """
    title = getattr(owner, "name", owner.__name__)
    hints = typing.get_type_hints(owner)
    fields = {f.name: f for f in dataclasses.fields(owner) if "help" in f.metadata}  # type: ignore[arg-type]
    chosen: dict[str, Any] = {}
    for name, value in values.items():
        if name not in fields:
            raise unknown(f"setting of {title}", name, fields)
        chosen[name] = _convert(title, name, hints[name], value)
    made = owner(**chosen)
    check(made)
    return made


def check(made: Any) -> None:
    """Refuse an instance one of whose settings is of another type or outside its range or choices."""
    title = getattr(made, "name", type(made).__name__)
    hints = typing.get_type_hints(type(made))
    for f in dataclasses.fields(made):
        if "help" not in f.metadata:
            continue
        value = getattr(made, f.name)
        kind = typing.get_origin(hints[f.name]) or hints[f.name]
        wanted = {int: numbers.Integral, float: numbers.Real}.get(kind, kind)
        if isinstance(wanted, type) and (not isinstance(value, wanted) or (isinstance(value, bool) and kind is not bool)):
            raise WrongUse(f"{title}: {f.name}={value!r} is not of type {kind.__name__}; an example is {f.default!r}.")
        if f.metadata["choices"] and value not in f.metadata["choices"]:
            raise unknown(f"value for {f.name} of {title}", str(value), f.metadata["choices"])
        for number in value if isinstance(value, tuple) else (value,):
            if isinstance(number, (int, float)) and not isinstance(number, bool):
                low, high, unit = f.metadata["low"], f.metadata["high"], f.metadata["unit"]
                if not low <= number <= high:  # NaN fails as well
                    raise WrongUse(f"{title}: {f.name}={number} is outside {low} to {high} {unit}".rstrip() + ".")
