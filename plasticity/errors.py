"""The two ways a command can end badly, each told in one sentence."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_CONTROLS = dict.fromkeys(
    (*range(9), *range(11, 32), *range(127, 160), *range(0x202A, 0x202F), *range(0x2066, 0x206A), *range(0xD800, 0xE000)), "?"
)
MANY = 25  # names beyond which a sentence does not list them
NEAR = 5  # those that it does then, the most alike


class PlasticityError(Exception):
    """Something failed although it was asked for correctly (exit status 1)."""


class WrongUse(PlasticityError, ValueError):
    """Something was asked for that does not exist or cannot be (exit status 2)."""


def printable(text: str) -> str:
    """The text with ? for every control character but tab and newline: a record may come from anyone, a terminal obeys them."""
    return text.translate(_CONTROLS)


def unknown(kind: str, given: str, known: Iterable[str]) -> WrongUse:
    """The refusal of an unknown name: what was given, the closest match, what is known."""
    names = sorted(known)
    folded = {name.casefold(): name for name in reversed(names)}
    asked = given.casefold()
    part_of = [name for name in map(str.casefold, names) if asked in name and len(asked) > 2]
    close = difflib.get_close_matches(asked, folded, n=1, cutoff=0.6) or part_of
    hint = f" Did you mean {folded[close[0]]!r}?" if close else ""
    if len(names) > MANY:
        near = [folded[name] for name in difflib.get_close_matches(asked, folded, n=NEAR, cutoff=0.0)]
        hint = hint or f" The nearest: {', '.join(near)}."
        return WrongUse(f"unknown {kind} {given!r}.{hint} `plasticity {'show NAME' if ' of ' in kind else 'list'}` shows all.")
    return WrongUse(f"unknown {kind} {given!r}.{hint} Known: {', '.join(names) or 'none'}.")
