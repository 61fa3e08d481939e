"""A mapping from names to things that answers an unknown name with the known ones."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import ModuleType
from typing import Any, Generic, TypeVar

from plasticity import extensions, settings
from plasticity.errors import WrongUse, unknown

T = TypeVar("T")


def is_entry(kind: str, made: type, named: bool) -> bool:
    """Whether a class from outside is known by its name; WrongUse for one that lacks something.

    A base for others is abstract, or it has no name and others are derived from it, or it begins with an underscore.
    """
    lacks = ", ".join(sorted(getattr(made, "__abstractmethods__", ())))
    if lacks and named:
        raise WrongUse(f"{made.__module__}: the {kind} {vars(made).get('name')!r} lacks {lacks}; define it.")
    settings.describe(made)  # refuses settings of what is no dataclass
    if not (lacks or named or made.__subclasses__() or made.__name__.startswith("_")):
        raise WrongUse(
            f"{made.__module__}: the {kind} {made.__name__} has no name; write name = '...' in it, or, if it is a base of others,"
            f" call it _{made.__name__}."
        )
    return named


def unknown_entry(kind: str, name: str, known: Iterable[str]) -> WrongUse:
    """The refusal of a name that is neither built in nor in a file from outside."""
    files = ", ".join(extensions.files())
    where = f"{files} defines none of that name." if files else "One of your own needs --with FILE."
    return WrongUse(f"{unknown(kind, name, known)} {where}")


class Registry(Mapping[str, T], Generic[T]):
    """Everything of one kind by its `name`: what is built in, and what comes from outside (`plasticity.extensions`).

    Parameters
    ----------
    kind : str
        What one entry is called in messages: "rule", "task", ...
    entries : iterable
        Objects (or classes) with an attribute `name`.
    of : type or callable
        What a module from outside may add: instances of this type, or its subclasses; or what a function of the module's
        objects makes of them. Nothing from outside where None.

    Raises
    ------
    WrongUse
        On looking up a name that is not there; a name from outside that is taken.
    ValueError
        Two different entries of one name.
    """

    def __init__(self, kind: str, entries: Iterable[T], of: type | Callable[[Any], Iterable[T]] | None = None) -> None:
        self.kind = kind
        self._entries: dict[str, Any] = {}
        self._of = of
        self._seen: set[str] = set()  # modules from outside
        for entry in entries:
            name = entry.name  # type: ignore[attr-defined]
            if self._entries.setdefault(name, entry) is not entry:
                raise ValueError(f"two {kind}s are called {name!r}")
        self.built_in = frozenset(self._entries)

    def __repr__(self) -> str:
        return f"<Registry of {len(self._entries)} {self.kind}s: {', '.join(self._entries)}>"

    def _known(self) -> dict[str, Any]:
        """The entries, with those of modules from outside that were not read yet."""
        if self._of is not None:
            for module in extensions.modules():
                if module.__name__ not in self._seen:
                    for entry in self._defined(module):
                        for about in ("summary", "source"):
                            if not getattr(entry, about, ""):
                                raise WrongUse(f"{module.__name__}: the {self.kind} {entry.name!r} has no {about}; give it one.")
                        there = self._entries.setdefault(entry.name, entry)
                        if there is not entry and (isinstance(self._of, type) or there != entry):
                            raise WrongUse(
                                f"{module.__name__}: a {self.kind} called {entry.name!r} is there already; rename yours."
                            )
                    self._seen.add(module.__name__)
        return self._entries

    def _defined(self, module: ModuleType) -> Iterator[Any]:
        built_in = {id(entry) for entry in self._entries.values()}
        for value in list(vars(module).values()):
            if isinstance(value, type) and value.__module__ != module.__name__:
                continue  # imported there
            if not isinstance(self._of, type):
                assert self._of is not None
                yield from self._of(value)
            elif isinstance(value, type) and issubclass(value, self._of):
                if is_entry(self.kind, value, isinstance(vars(value).get("name"), str)) and id(value) not in built_in:
                    yield value
            elif isinstance(value, self._of) and id(value) not in built_in and not self._variation(value):
                yield value

    def _variation(self, value: Any) -> bool:
        """Whether this is a known entry with other parameters or traces, such as `pair_stdp(A_plus=0.02)` or a preset."""
        known = self._entries.get(value.name)
        if known is None or not dataclasses.is_dataclass(value):
            return False
        same = [f.name for f in dataclasses.fields(value) if f.name not in ("parameters", "traces", "summary")]
        return type(value) is type(known) and all(getattr(value, name) == getattr(known, name) for name in same)

    def __getitem__(self, name: str) -> T:
        try:
            return self._known()[name]
        except KeyError:
            refusal = unknown if self._of is None else unknown_entry
            raise refusal(self.kind, str(name), self._entries) from None

    def __contains__(self, name: object) -> bool:
        return name in self._known()

    def __iter__(self) -> Iterator[str]:
        return iter(self._known())

    def __len__(self) -> int:
        return len(self._known())
