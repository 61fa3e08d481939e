"""A mapping from names to things that answers an unknown name with the known ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Generic, TypeVar

from plasticity.errors import unknown

T = TypeVar("T")


class Registry(Mapping[str, T], Generic[T]):
    """Everything of one kind by its `name`.

    Parameters
    ----------
    kind : str
        What one entry is called in messages: "rule", "task", ...
    entries : iterable
        Objects (or classes) with an attribute `name`.

    Raises
    ------
    WrongUse
        On looking up a name that is not there.
    ValueError
        Two different entries of one name.
    """

    def __init__(self, kind: str, entries: Iterable[T]) -> None:
        self.kind = kind
        self._entries: dict[str, Any] = {}
        for entry in entries:
            name = entry.name  # type: ignore[attr-defined]
            if self._entries.setdefault(name, entry) is not entry:
                raise ValueError(f"two {kind}s are called {name!r}")

    def __getitem__(self, name: str) -> T:
        try:
            return self._entries[name]
        except KeyError:
            raise unknown(self.kind, str(name), self._entries) from None

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)
