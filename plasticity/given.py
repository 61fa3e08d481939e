"""What somebody gave, as the numbers it must be: real ones, one of them, one time; None where it is something else.

NumPy reads texts, dates and complex numbers as numbers, and drops units; here they are none. Whoever asks says what is wrong.
"""

from __future__ import annotations

import numbers
from typing import Any

import numpy as np


def real(given: Any) -> np.ndarray | None:
    """The numbers as a float64 array of their shape, NaN and infinity too; None for texts, dates, complex numbers, units."""
    if not _without_unit(given):
        return None
    try:
        values = np.asarray(given)
        if values.dtype == object and all(isinstance(one, numbers.Real) for one in values.flat):
            values = values.astype(np.float64)
    except (TypeError, ValueError, OverflowError):
        return None
    return values.astype(np.float64, copy=False) if values.dtype.kind in "biuf" else None


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
    dim = getattr(given, "dim", None)  # of a Brian2 quantity
    return dim is None or bool(getattr(dim, "is_dimensionless", True))
