"""Checks: a value that is known beside ours, in five sentences, each of one of five kinds.

    near            ours lies within a tolerance of the published value
    within          ours lies between two bounds, or beyond one
    every_seed      a bound holds in every seed
    beyond          the 95 % interval over seeds lies beyond a value
    no_difference   no difference is seen: the interval contains the value, or no p is small

Each has words of its own for what was expected, what came out and what is allowed; an experiment may say them better.

The kind says who stands behind the value that ours is held to (`KINDS`). They are counted apart: agreement with algebra says that
the code does what was written, agreement with a paper that what was written is what the paper found.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from plasticity.errors import unknown
from plasticity.statistics import PairedDifference, interval

KINDS = {
    "paper": "the named paper states it: a number, a figure, a theorem, what comes out of its experiment",
    "authors": "it comes from the program or the data of the named authors, or follows from these alone",
    "independent": "a named program of others, which a reader can get, gave it",
    "closed_form": "it follows from the equations on a line or two, or from their theory by quadrature",
    "own": "this project states it: a control, a condition of its own, a number that only its own programs gave",
}
"""Who stands behind the value that ours is held to; `paper`, `authors` and `independent` are others than this project."""


@dataclasses.dataclass(frozen=True)
class Check:
    """One value that is known beside ours.

    Attributes
    ----------
    name : str
        What is compared.
    published, ours : float, text or None
        Both values; `published` may be a text such as "the interval contains 0".
    tolerance : float, text or None
        How far `ours` may be from `published`; a text where the condition is not a distance.
    source : str
        Where `published` comes from (doi, name of the program), or how it follows.
    holds : bool
        Whether ours agrees.
    kind : str
        One of `KINDS`.

    Raises
    ------
    WrongUse
        An unknown kind.
    """

    name: str
    published: Any
    ours: Any
    tolerance: Any
    source: str
    holds: bool
    kind: str

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise unknown("kind of check", self.kind, KINDS)

    def to_json(self) -> dict[str, Any]:
        """name, published, ours, tolerance, source, holds, kind."""
        return dataclasses.asdict(self)


def near(
    name: str, published: float, ours: Any, tol: float | None = None, rel: float | None = None, *, kind: str, source: str
) -> Check:
    """Ours lies within `tol`, or within the share `rel` of the published value."""
    allowed = tol if tol is not None else (rel or 0.0) * abs(published)
    value = _plain(ours)
    return Check(name, published, value, allowed, source, bool(abs(value - float(published)) <= float(allowed)), kind)


def within(
    name: str,
    ours: Any,
    low: float = -math.inf,
    high: float = math.inf,
    *,
    kind: str,
    source: str,
    published: Any = None,
    told: Any = None,
    tolerance: Any = None,
    strict: bool = False,
) -> Check:
    """Ours lies between `low` and `high` (with `strict`, not on them); `told` is how ours is written, if not as it is."""
    value = _plain(ours)
    holds = low < value < high if strict else low <= value <= high
    if math.isfinite(low) and math.isfinite(high):
        wanted, allowed = f"{low:g} to {high:g}", "range"
    else:
        wanted, allowed = (f"above {low:g}" if math.isfinite(low) else f"below {high:g}"), "bound"
    return Check(
        name, wanted if published is None else published, value if told is None else told,
        allowed if tolerance is None else tolerance, source, bool(holds), kind,
    )  # fmt: skip


def every_seed(
    name: str, holds: ArrayLike, *, kind: str, source: str, published: Any, told: Any, tolerance: Any = "every seed"
) -> Check:
    """A bound, `published` in words, holds in every seed (`holds`, an array of truth values); `told` says what came out."""
    return Check(name, published, told, tolerance, source, bool(np.all(holds)), kind)


def beyond(
    name: str,
    values: ArrayLike | PairedDifference,
    *,
    above: float | None = None,
    below: float | None = None,
    kind: str,
    source: str,
    published: Any = None,
    told: Any = None,
    tolerance: Any = "interval",
    bounds: tuple[float, float] | None = None,
) -> Check:
    """The 95 % interval of the mean of `values` over seeds (or `bounds`, where it is known) lies above or below a value.

    A paired difference brings its interval along, and is told as itself.
    """
    if isinstance(values, PairedDifference):
        bounds, told, values = (values.low, values.high), told or str(values), values.mean
    low, high = bounds if bounds is not None else interval(values)
    holds = low > above if above is not None else high < below if below is not None else False
    wanted = f"95 % interval above {above:g}" if above is not None else f"95 % interval below {below:g}"
    known = np.isfinite([low, high]).all()  # one seed has no interval
    ours = f"{np.asarray(values, dtype=float).mean():.3f} " + (f"[{low:.3f}, {high:.3f}]" if known else "[-]")
    return Check(
        name, wanted if published is None else published, ours if told is None else told, tolerance, source, bool(holds), kind
    )


def no_difference(
    name: str,
    difference: PairedDifference | None = None,
    *,
    kind: str,
    source: str,
    p: ArrayLike | None = None,
    level: float = 0.05,
    bounds: tuple[float, float] | None = None,
    value: float = 0.0,
    published: Any = None,
    told: Any = None,
    tolerance: Any = None,
) -> Check:
    """No difference is seen: no p lies at or below `level`, or the interval, `bounds` or the difference's, contains `value`."""
    if difference is not None:
        bounds, told = (difference.low, difference.high), told or str(difference)
    if bounds is not None:
        low, high = bounds
        holds, wanted, allowed = low <= value <= high, f"the interval contains {value:g}", "interval"
        ours = f"[{low:.3g}, {high:.3g}]"
    else:
        smallest = float(np.min(p)) if p is not None else math.nan
        holds, wanted, allowed, ours = smallest > level, f"no p below {level:g}", "test", f"smallest p {smallest:.2g}"
    return Check(
        name, wanted if published is None else published, ours if told is None else told,
        allowed if tolerance is None else tolerance, source, bool(holds), kind,
    )  # fmt: skip


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, (np.generic, np.ndarray)) else value
