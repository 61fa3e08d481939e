"""What somebody gave, as the numbers it must be: real ones, one of them, one time; None where it is something else.

NumPy reads texts, dates and complex numbers as numbers, and drops units; here they are none. Python reads 1_000, +5 and digits of
every script; here a number is written with plain digits. Whoever asks says what is wrong.
"""

from __future__ import annotations

import math
import numbers
import re
from typing import Any

import numpy as np

DIGITS = 40  # of a whole number at most
_WHOLE = re.compile(rf"-?[0-9]{{1,{DIGITS}}}")
_NUMBER = re.compile(r"-?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?")


def whole(text: str) -> int | None:
    """A text as a whole number, written with plain digits and perhaps a minus; None for any other."""
    return int(text) if _WHOLE.fullmatch(text) else None


def number(text: str) -> float | None:
    """A text as a number, written like -0.5, 3 or 1e-4, or inf; None for any other, and for one that no float holds."""
    if text in ("inf", "-inf"):
        return float(text)
    value = float(text) if _NUMBER.fullmatch(text) and len(text) < 400 else math.inf
    return value if math.isfinite(value) else None


def shown(value: Any) -> str:
    """A value as a sentence can show it: on one line, and not too long."""
    try:
        words = " ".join(repr(value).split())
    except Exception:  # of a whole number too long for it, or of somebody's own
        words = f"a {type(value).__name__}"
    return words if len(words) <= 100 else f"{words[:90]}..."


def is_whole(given: Any) -> bool:
    """Whether it is a whole number; true and false are none."""
    return isinstance(given, numbers.Integral) and not isinstance(given, (bool, np.bool_))


def real(given: Any) -> np.ndarray | None:
    """The numbers as a float64 array of their shape, NaN and infinity too; None for texts, dates, complex numbers, units."""
    if not _without_unit(given) or given is np.ma.masked:
        return None
    try:
        values = np.asarray(given)
        if values.dtype == object and all(isinstance(one, numbers.Real) for one in values.flat):
            values = values.astype(np.float64)
    except (TypeError, ValueError, OverflowError):
        return None
    return values.astype(np.float64, copy=False) if values.dtype.kind in "biuf" else None


def array(given: Any) -> np.ndarray | None:
    """What NumPy makes of it; None for lists of unequal lengths, of which it makes nothing."""
    try:
        return np.asarray(given)
    except ValueError:
        return None


def one(given: Any) -> float | None:
    """One finite real number without unit; None for anything else, true and false too."""
    values = None if isinstance(given, (bool, np.bool_)) else real(given)
    return float(values) if values is not None and values.ndim == 0 and np.isfinite(values) else None


def times(given: Any) -> np.ndarray | None:
    """Finite times in seconds as a float64 array; None for anything else, numbers without a unit too."""
    from brian2 import get_dimensions, second  # not above: tasks need no simulator

    try:
        is_time = get_dimensions(given) == second.dim
    except (TypeError, ValueError):
        return None
    values = real(np.asarray(given)) if is_time else None
    return values if values is not None and np.isfinite(values).all() else None


def seconds(given: Any) -> float | None:
    """One finite time in seconds; None for anything else."""
    values = times(given)
    return float(values) if values is not None and values.ndim == 0 else None


def _without_unit(given: Any) -> bool:
    if isinstance(given, (list, tuple)):  # NumPy makes numbers of [1*mV, 2*mV]
        return all(_without_unit(one) for one in given if type(one) not in (int, float))
    dim = getattr(given, "dim", None)  # of a Brian2 quantity
    return dim is None or bool(getattr(dim, "is_dimensionless", True))


def unit_of(value: Any) -> str:
    """The unit of a parameter as Brian2's equations write it."""
    from brian2 import get_dimensions, get_unit

    dimensions = get_dimensions(value)
    return "1" if dimensions.is_dimensionless else repr(get_unit(dimensions))
