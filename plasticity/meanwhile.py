"""What is done without a fraction that could be told, such as compiling: here, and in the processes of jobs.

Who shows how far a run is asks `goes_on` whenever it draws.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Hashable, Iterator

_doing: dict[Hashable, str] = {}  # what, by whom
_tell: Callable[[], None] | None = None  # in a process of a job: what tells its parent


@contextlib.contextmanager
def going_on(what: str) -> Iterator[None]:
    """It goes on inside."""
    own = object()
    hear(own, what)
    try:
        yield
    finally:
        hear(own, "")


def goes_on() -> str:
    """What goes on just now; mostly nothing, an empty text."""
    return ", ".join(sorted(set(list(_doing.values()))))


def hear(who: Hashable, what: str) -> None:
    """What somebody does now, a thread or a job in another process; an empty text for nothing any more."""
    if what:
        _doing[who] = what
    else:
        _doing.pop(who, None)
    if _tell is not None:
        _tell()


def tell_parent(tell: Callable[[], None]) -> None:
    """In a process of a job: `tell` is called whenever something begins or ends here."""
    global _tell
    _tell = tell
