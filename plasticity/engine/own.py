"""What a program that is made wholly of this project's own packages depends on, told without running its builder.

Nothing short of running a builder tells what it depends on: a closure, the object of a bound method, a constant of a module, a
module that was loaded anew. So a program is looked up by a name only where builder and specification, with every class and
function in them, are this project's own: their source is hashed whole, and what a process can change without touching a file,
the constants and functions of modules and classes, is described as it is now.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np
from brian2 import Quantity

from plasticity.extensions import PACKAGES as _PACKAGES

_HOME = Path(__file__).parent.parent.parent

# what they are built on; anything else among their names was put there by somebody
_LIBRARIES = {*sys.stdlib_module_names, "brian2", "joblib", "numpy", "pooch", "scipy", "sklearn", "sympy"}
_STARTED = time.time()


class _Outside(Exception):
    """Something is not this project's own."""


def found_by_name(thing: Any) -> bool:
    """Whether a function or class is what its module holds under its name: no lambda, closure, bound method or older version."""
    try:
        found: Any = sys.modules[thing.__module__]
        for part in thing.__qualname__.split("."):
            found = getattr(found, part)
    except (AttributeError, KeyError, TypeError):
        return False
    return found is thing


def dependencies(*things: Any) -> Any | None:
    """Plain data for all that these functions, classes and specifications depend on; None where something is from outside."""
    walk = _Walk()
    try:
        told = [walk.describe(thing) for thing in things]
        constants = {name: walk.module(name) for name in walk.modules()}
        sources = {package: _source(package) for package in sorted({name.partition(".")[0] for name in constants})}
    except _Outside:
        return None
    return [told, constants, sources]


def _files(package: str) -> list[Path]:
    return sorted((_HOME / package).rglob("*.py"))


def _source(package: str) -> str:
    if max(file.stat().st_ctime for file in _files(package)) > _STARTED:  # what was loaded may be older or newer
        raise _Outside
    return source_hash(package)


@functools.cache
def source_hash(package: str) -> str:
    """Hash of all source files of one of this project's packages."""
    digest = hashlib.sha256()
    for file in _files(package):
        digest.update(str(file.relative_to(_HOME)).encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()


@functools.cache
def _code(code: CodeType) -> str:
    """Hash of what a function does, without where it is written."""
    constants = [_code(part) if isinstance(part, CodeType) else _constant(part) for part in code.co_consts]
    return hashlib.sha256(repr((code.co_code, code.co_names, code.co_varnames, constants)).encode()).hexdigest()


def _constant(value: Any) -> str:
    return str(sorted(map(_constant, value))) if isinstance(value, frozenset) else repr(value)


def _root(thing: Any) -> str:
    return str(getattr(thing, "__module__", None) or "").partition(".")[0]


class _Walk:
    """Describes values, and gathers the modules of the functions and classes that it meets."""

    def __init__(self) -> None:
        self._waiting: dict[str, None] = {}
        self._known: set[type] = set()

    def modules(self) -> Iterator[str]:
        """The modules met so far and those that are met while these are described, each once."""
        parts = (
            "engine.cache",
            "engine.own",
            "engine.programs",
            "engine.rewriting",
            "checked",
        )  # their settings are in the key, or
        seen = {f"plasticity.{part}" for part in parts}  # they make nothing
        while new := sorted(self._waiting.keys() - seen):
            seen.update(new)
            yield from new

    def module(self, name: str) -> dict[str, Any]:
        """What a module of the project holds under its names, as plain data."""
        module = sys.modules[name]
        if not (getattr(module, "__file__", None) and Path(module.__file__ or "").is_relative_to(_HOME)):
            raise _Outside
        package = hasattr(module, "__path__")  # its submodules are names of it when somebody has imported them
        names = {key: value for key, value in vars(module).items() if not (key.startswith("__") and key.endswith("__"))}
        return {
            key: self.describe(value, held=True)
            for key, value in sorted(names.items())
            if not (package and isinstance(value, ModuleType))
        }

    def describe(self, value: Any, held: bool = False) -> Any:
        """Plain data for a value; `held` by a module or class, where what is no data goes by its type."""
        kind = type(value)
        if value is None or kind in (bool, int, float, complex, str, bytes):
            return [kind.__name__, repr(value)]
        if isinstance(value, Quantity):
            return ["quantity", repr(value.dim), self.describe(np.asarray(value))]
        if isinstance(value, np.ndarray | np.generic) and value.dtype != object:
            array = np.ascontiguousarray(value)
            return ["array", array.dtype.str, list(np.shape(value)), hashlib.sha256(array.tobytes()).hexdigest()]
        if kind in (list, tuple):
            return [kind.__name__, [self.describe(part, held) for part in value]]
        if kind is dict:
            return ["dict", [[self.describe(key, held), self.describe(part, held)] for key, part in value.items()]]
        if kind in (set, frozenset):
            return ["set", sorted(str(self.describe(part, held)) for part in value)]
        if isinstance(value, type):
            return self._class(value)
        if kind is FunctionType:
            if _root(value) in _PACKAGES and not found_by_name(value):
                raise _Outside
            return self._function(value)
        if dataclasses.is_dataclass(value):
            return [self._class(kind), [[key, self.describe(part, held)] for key, part in sorted(vars(value).items())]]
        if not held:
            raise _Outside
        if isinstance(inner := getattr(value, "__wrapped__", None), FunctionType):  # of functools.cache
            return [self._name(kind), self._function(inner)]
        if isinstance(value, ModuleType) and value.__name__.partition(".")[0] in _PACKAGES:
            self._waiting[value.__name__] = None
            return value.__name__
        return self._name(kind)

    def _name(self, thing: Any) -> str:
        root = _root(thing)
        if root not in _LIBRARIES and root not in _PACKAGES:
            raise _Outside
        return f"{thing.__module__}.{getattr(thing, '__qualname__', '')}"

    def _function(self, function: FunctionType) -> Any:
        """Its name; of one of the project's own also its code and defaults as they are now, and what it wraps."""
        name = self._name(function)
        if _root(function) not in _PACKAGES:
            return name
        home = str(function.__globals__.get("__name__")).partition(".")[0]
        if home not in _LIBRARIES and home not in _PACKAGES:  # somebody's, under the name of ours
            raise _Outside
        self._waiting[function.__module__] = None
        given = self.describe(function.__defaults__, held=True), self.describe(function.__kwdefaults__, held=True)
        wrapped = getattr(function, "__wrapped__", None)
        return [name, _code(function.__code__), given, self._function(wrapped) if isinstance(wrapped, FunctionType) else None]

    def _class(self, made: type) -> Any:
        name = self._name(made)
        if made in self._known or _root(made) not in _PACKAGES:
            return name
        if not found_by_name(made):
            raise _Outside
        self._known.add(made)
        self._waiting[made.__module__] = None
        own = {key: value for key, value in vars(made).items() if key not in ("__dict__", "__weakref__", "__doc__", "_abc_impl")}
        parts = {key: self._member(value) for key, value in sorted(own.items())}
        return [name, parts, [self._class(base) for base in made.__mro__[1:]]]

    def _member(self, member: Any) -> Any:
        for inner in ("__func__", "fget", "func"):  # of a static or class method, a property, a cached property
            member = getattr(member, inner, member)
        return self._function(member) if isinstance(member, FunctionType) else self.describe(member, held=True)
