"""What a handful of seeds can say: intervals, paired differences, corrected p-values."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import special, stats

from plasticity import given
from plasticity.checked import Count, Row, alike, checked
from plasticity.errors import WrongUse

RESAMPLES = 9999  # exchanges that are drawn where there are more than so many
SEED = 20240229  # of those draws only: the same values give the same p on every call
ANY, SHARE, PERCENT = (-math.inf, math.inf), (0.0, 1.0), (0.0, 100.0)  # what a number can be, and a share
APART = (-1.0, 1.0)  # what the difference of two shares can be
AMOUNT = (0.0, math.inf)  # what a count can be, and joules
LEVEL = 0.05  # of p: what is more is noise
ROUNDING = 1e-12  # differences smaller than this share of the largest value are rounding, not data


def _values(name: str, given: ArrayLike) -> np.ndarray:
    """A finite vector of floats, or a refusal."""
    try:
        values = np.asarray(given, dtype=float)
    except (TypeError, ValueError):
        raise WrongUse(f"{name} must be numbers, one per seed; got {given!r}.") from None
    if values.ndim != 1:
        raise WrongUse(f"{name} must be one row of numbers, one per seed; got an array of shape {values.shape}.")
    if not np.isfinite(values).all():
        raise WrongUse(
            f"{name} holds NaN or infinity at position {int(np.argmin(np.isfinite(values)))}; leave failed seeds out first."
        )
    return values


def _check_confidence(confidence: float) -> None:
    if not 0 < confidence < 1:
        raise WrongUse(f"confidence must lie between 0 and 1, such as 0.95; got {confidence!r}.")


def _check_shared(shared: float) -> None:
    if not 0 <= shared < math.inf:
        raise WrongUse(f"shared must be test items over all others, 0 or more, such as 400/1397; got {shared!r}.")


def _half(values: np.ndarray, confidence: float, shared: float) -> np.ndarray:
    """Half the length of the interval of the mean along the last axis."""
    n = values.shape[-1]
    return stats.t.ppf((1 + confidence) / 2, n - 1) * np.sqrt((1 / n + shared) * values.var(axis=-1, ddof=1))


def _permutation_p(a: np.ndarray, b: np.ndarray, batch: int | None = None) -> Any:
    """Two-sided p of the mean paired difference along the last axis (scipy), exact while 2**n <= RESAMPLES."""
    scale = np.maximum(np.abs(a), np.abs(b)).max(axis=-1, keepdims=True)
    scale = np.where(scale > 0, scale, 1.0)
    return stats.permutation_test(
        (a / scale, b / scale),
        lambda x, y, axis: np.round(np.mean(x - y, axis=axis), 12),  # ties stay ties in floating point
        permutation_type="samples",
        vectorized=True,
        axis=-1,
        n_resamples=RESAMPLES,
        batch=batch,
        alternative="two-sided",
        random_state=np.random.default_rng(SEED),
    ).pvalue


@checked
def interval(
    values: ArrayLike, confidence: float = 0.95, shared: float = 0.0, within: tuple[float, float] = ANY
) -> tuple[float, float]:
    """Interval of the expected value over seeds: Student's t, corrected for draws that share data, within what is possible.

    mean -+ t_(n-1) sqrt((1/n + shared) s^2), s^2 the variance over n seeds. Draws that split one data set anew are not
    independent, so that their mean scatters more from one data set to the next than s^2/n says; `shared` is what that adds: with
    n_test of N items tested in each draw n_test/(N - n_test), as if the accuracies of two draws were correlated by the share of
    test items that they have in common (0: draws that share nothing, the plain interval of Student).

    Parameters
    ----------
    values : (seeds,)
        One number per seed.
    confidence : float
        Nominal coverage, between 0 and 1.
    shared : float
        Test items over all others where each seed splits the same data anew (`plasticity.tasks.Draw.shared`), else 0.
    within : (low, high)
        What the quantity can be, such as `SHARE` for a share of right answers. An end beyond is moved to it, which costs no
        coverage: the expected value lies within.

    Returns
    -------
    low, high : float
        `(v, v)` if all values are v; `(nan, nan)` for fewer than two values.

    Measured share of nominal 95 % intervals that hold the true mean (tests/unit/test_statistics.py): with normal values 95 % for
    any number of seeds, of strongly skewed ones less (10 seeds: exponential 90 %, lognormal 84 %); of the accuracy to be expected
    on new data, three to ten draws of one set of 1797, 93 to 97 % with `shared`; without it ten draws hold it in 67 to 80 %.

    Raises
    ------
    WrongUse
        NaN, infinity, more than one dimension, a confidence outside 0 to 1, a negative `shared`.

    Sources: Student (1908), doi:10.1093/biomet/6.1.1; Nadeau & Bengio (2003), doi:10.1023/A:1024068626366 (the correction).
    """
    vector = _values("values", values)
    _check_confidence(confidence)
    _check_shared(shared)
    if vector.size < 2:
        return math.nan, math.nan
    if np.ptp(vector) <= ROUNDING * np.abs(vector).max():
        return float(vector[0]), float(vector[0])
    vector = np.sort(vector)  # the order of the seeds does not matter, to the bit
    mean, half = float(vector.mean()), float(_half(vector, confidence, shared))
    return max(mean - half, within[0]), min(mean + half, within[1])


@checked
def if_spread(low: float, high: float) -> tuple[float, float]:
    """The ends of an interval, nan where it has no width: seeds that are all alike say no more of others than one seed does."""
    return (low, high) if low < high else (math.nan, math.nan)


@checked
def late_mean(values: ArrayLike, parts: int, axis: int = -1) -> np.ndarray:
    """The mean over the last of so many parts of a run, which is that axis: 2 for its second half, 4 for its last quarter."""
    rows = np.asarray(values, dtype=float)
    if parts < 1 or not -rows.ndim <= axis < rows.ndim or not rows.size:
        raise WrongUse(
            f"late_mean: the last of {parts} parts of {rows.shape} along axis {axis} is none; give values, and 1 part or more."
        )
    kept = [slice(None)] * rows.ndim
    kept[axis] = slice(-rows.shape[axis] // parts, None)
    return rows[tuple(kept)].mean(axis=axis)


@checked
def standard_error(values: ArrayLike) -> np.ndarray:
    """Standard error of the mean over the first axis; nan for fewer than two values."""
    rows = np.asarray(values, dtype=float)
    return rows.std(axis=0, ddof=1) / np.sqrt(len(rows)) if len(rows) > 1 else np.full(rows.shape[1:], np.nan)


@checked
def padded(rows: Sequence[np.ndarray]) -> np.ndarray:
    """Arrays of different lengths as one, (rows, longest, ...), nan where one has ended."""
    if len({np.shape(row)[1:] for row in rows}) != 1:
        raise WrongUse("rows must be one array or more that differ in their length alone, like [[1, 2], [3]].")
    made = np.full((len(rows), max(map(len, rows)), *np.shape(rows[0])[1:]), np.nan)
    for place, row in zip(made, rows, strict=True):
        place[: len(row)] = row
    return made


@checked
def scale_to(x: Row, y: Row) -> tuple[float, float]:
    """What x is multiplied by to be y, by least squares, and half of its 95 % interval; 0 where x is."""
    alike(x=x, y=y)
    power = float(x @ x)
    scale = float(x @ y) / power if power else 0.0
    return scale, 1.96 * float(np.sqrt(((y - scale * x) ** 2).sum() / (len(x) - 1) / power)) if power else 0.0


@checked
def same_signs(x: ArrayLike, y: ArrayLike) -> tuple[int, int, float]:
    """How many of the pairs have the same sign, of how many, and the p of so many or more by chance (sign test, one-sided)."""
    alike(x=x, y=y)
    same = np.sign(np.asarray(x, dtype=float)) == np.sign(np.asarray(y, dtype=float))
    return int(same.sum()), same.size, float(stats.binomtest(int(same.sum()), same.size, alternative="greater").pvalue)


@checked
@dataclass(frozen=True)
class PairedDifference:
    """The mean of `a - b` over seeds, its interval, its size in standard deviations, and its p-value."""

    mean: float
    low: float
    high: float
    effect: float
    p: float

    def __str__(self) -> str:
        known = self.low == self.low  # not of one seed
        return f"{self.mean:+.3f} [{self.low:+.3f}, {self.high:+.3f}]" if known else f"{self.mean:+.3f} [-]"


@checked
def paired_difference(
    a: ArrayLike, b: ArrayLike, confidence: float = 0.95, shared: float = 0.0, within: tuple[float, float] = ANY
) -> PairedDifference:
    """How much `a` exceeds `b` when both were measured on the same seeds.

    With d_i = a_i - b_i over n seeds:

    - `mean` = mean(d); `low`, `high`: its interval, see `interval`.
    - `effect` = J * mean(d) / sd(d), Cohen's d_z, sd with n - 1, corrected for its bias in small samples:
      J = Gamma(m/2) / (sqrt(m/2) Gamma((m-1)/2)), m = n - 1. It is nan for n = 2, where J is 0, and infinite if
      all differences are equal and not 0.
    - `p`: two-sided permutation test. Under the null hypothesis a_i and b_i may be exchanged within each seed;
      all 2**n exchanges up to n = 13 (exact), 9999 random ones above. The smallest p that n seeds can give is
      2 / 2**n: 0.002 for 10 seeds, and with 5 seeds (0.0625) nothing can be below 0.05. Draws that share data may not be
      exchanged as if they were independent: with `shared` above 0 it is that of the corrected t, mean/sqrt((1/n + shared) s^2).

    Parameters
    ----------
    a, b : (seeds,)
        One number per seed, the same seeds in the same order.
    shared, within
        As in `interval`; the difference of two shares lies within `APART`.

    Returns
    -------
    PairedDifference
        For one seed: the difference, with p = 1 and nan for the rest.

    Raises
    ------
    WrongUse
        Different lengths, no seeds, NaN or infinity.

    Sources: Hedges (1981), doi:10.3102/10769986006002107 (J); Lakens (2013), doi:10.3389/fpsyg.2013.00863 (d_z);
    Phipson & Smyth (2010), doi:10.2202/1544-6115.1585 (why a p from random permutations is never 0).
    """
    first, second = _values("a", a), _values("b", b)
    _check_confidence(confidence)
    if first.size != second.size:
        raise WrongUse(
            f"a has {first.size} seeds and b has {second.size}; a paired difference needs the same seeds on both sides."
        )
    if first.size == 0:
        raise WrongUse("a paired difference needs at least one seed; got none.")
    difference = first - second
    rounding = ROUNDING * max(np.abs(first).max(), np.abs(second).max())
    mean = float(difference.mean())
    if difference.size < 2:
        return PairedDifference(mean, math.nan, math.nan, math.nan, 1.0)
    _check_shared(shared)
    constant = np.ptp(difference) <= rounding
    if shared and not constant:
        t = mean / math.sqrt((1 / difference.size + shared) * float(difference.var(ddof=1)))
        p = float(2 * stats.t.sf(abs(t), difference.size - 1))
    else:
        p = float(_permutation_p(first, second))
    if constant:
        if abs(mean) <= rounding:
            return PairedDifference(0.0, 0.0, 0.0, 0.0, p)
        return PairedDifference(mean, mean, mean, math.copysign(math.inf, mean), p)
    low, high = interval(difference, confidence, shared, within)
    return PairedDifference(mean, low, high, _hedges(difference.size) * mean / float(difference.std(ddof=1)), p)


@checked
def among(values: ArrayLike) -> tuple[float, float]:
    """p of a difference among conditions that share their seeds, and the smallest p that so many conditions and seeds can give.

    The variance of the conditions' means against its values where the conditions are exchanged within each seed (Fisher 1935,
    "The Design of Experiments", ch. III), exact while there are at most `RESAMPLES` ways, else from as many draws. A seed in
    which a condition has no finite value is left out.

    Parameters
    ----------
    values : (conditions, seeds) array

    Returns
    -------
    p, least : float
        Both 1 where there are fewer than two conditions or seeds.

    Raises
    ------
    WrongUse
        Values that are no numbers (conditions, seeds).
    """
    found = given.real(values)
    if found is None or found.ndim != 2:
        raise WrongUse("values must be numbers (conditions, seeds), a row for each condition.")
    found = found[:, np.isfinite(found).all(axis=0)]
    conditions, seeds = found.shape
    if conditions < 2 or seeds < 2:
        return 1.0, 1.0
    least = math.exp((1 - seeds) * math.lgamma(conditions + 1))
    scale = np.abs(found).max() or 1.0

    def spread(*rows: np.ndarray, axis: int) -> np.ndarray:
        return np.round(np.var([row.mean(axis=axis) for row in rows], axis=0), 12)  # ties stay ties in floating point

    tested = stats.permutation_test(
        tuple(found / scale), spread, permutation_type="samples", vectorized=True, axis=-1, n_resamples=RESAMPLES,
        alternative="greater", random_state=np.random.default_rng(SEED),
    )  # fmt: skip
    return float(tested.pvalue), least


def _hedges(n: int) -> float:
    """Hedges' exact correction J for d_z of n pairs."""
    m = n - 1
    if m < 2:
        return math.nan
    return math.exp(special.gammaln(m / 2) - special.gammaln((m - 1) / 2)) / math.sqrt(m / 2)


@checked
def holm(p_values: Sequence[float] | np.ndarray) -> np.ndarray:
    """p-values corrected for their number, so that the chance of any false alarm stays below the level.

    With the p-values sorted, p_(1) <= ... <= p_(m): adjusted_(i) = max over j <= i of min(1, (m - j + 1) p_(j)).

    Parameters
    ----------
    p_values : (comparisons,)
        In any order.

    Returns
    -------
    (comparisons,) array
        In the order given.

    Raises
    ------
    WrongUse
        A value outside 0 to 1, or NaN.

    Source: Holm (1979), A simple sequentially rejective multiple test procedure, Scandinavian Journal of
    Statistics 6, 65-70.
    """
    p = _values("p_values", p_values)
    if ((p < 0) | (p > 1)).any():
        raise WrongUse(f"p-values lie between 0 and 1; got {p[(p < 0) | (p > 1)][0]}.")
    order = np.argsort(p, kind="stable")
    adjusted = np.empty_like(p)
    adjusted[order] = np.maximum.accumulate(np.minimum(1.0, np.arange(p.size, 0, -1) * p[order]))
    return adjusted


@checked
def least_p(seeds: int, comparisons: int = 1, shared: float = 0.0) -> float:
    """The smallest p of a `paired_difference` over so many seeds, the smallest of so many comparisons after `holm`.

    Where it is above .05, no p can be small, and a large one says nothing for equality. 0 with `shared`, where p is that of t.
    """
    return 0.0 if shared else min(1.0, comparisons * max(2.0 / 2**seeds, 2 / (RESAMPLES + 1)))


@checked
def told_p(p: float, least: float, digits: Count = 2) -> str:
    """A p, and beside it the smallest that was possible where that is above .05."""
    return f"p {p:.{digits}g}" + (f" (none below {least:.2g} is possible with so few)" if least > LEVEL else "")


@checked
def told_ends(entry: Mapping[str, Any], sign: str = "") -> str:
    """`low` and `high` of a share in percent, such as [94.7, 97.6]; [-] where they are not known or have no width."""
    if not {"low", "high"} <= entry.keys() or sign not in ("", "+"):
        raise WrongUse("told_ends needs an entry with `low` and `high`, and a sign that is '' or '+'.")
    if entry["low"] is None or entry["high"] is None or entry["low"] == entry["high"]:
        return "[-]"
    return f"[{100 * entry['low']:{sign}.1f}, {100 * entry['high']:{sign}.1f}]"


@checked
def finite(value: float | None) -> float | None:
    """The number, or None where there is none."""
    return float(value) if value is not None and math.isfinite(value) else None


@checked
def known_mean(values: ArrayLike) -> float:
    """The mean of those values that are known; nan where none is."""
    rows = np.asarray(values, dtype=float)
    return float(np.nanmean(rows)) if np.isfinite(rows).any() else math.nan


@checked
def mean_and_interval(values: ArrayLike, shared: float = 0.0, within: tuple[float, float] = ANY) -> dict[str, float]:
    """Mean and 95 % `interval` over seeds, of those that have the number: `mean`, `low`, `high`, each nan where there is none."""
    known = np.asarray(values, dtype=np.float64)
    known = known[np.isfinite(known)]
    low, high = interval(known, shared=shared, within=within)
    return {"mean": float(known.mean()) if len(known) else math.nan, "low": low, "high": high}


@checked
def share_of(k: int, n: Count) -> dict[str, float]:
    """`mean`, the share k of n that are independent, and its 95 % interval `low`, `high` by its score.

    It has a width also where all are so or none, and lies within 0 to 1. WrongUse for k outside 0 to n.

    Source: Wilson (1927), doi:10.1080/01621459.1927.10502953.
    """
    if not 0 <= k <= n:
        raise WrongUse(f"share_of: {k} of {n} is no share; give k from 0 to n.")
    low, high = stats.binomtest(k, n).proportion_ci(method="wilson")
    return {"mean": k / n, "low": float(low), "high": float(high)}


@checked
def each_and_mean(values: ArrayLike, within: tuple[float, float] = ANY) -> dict[str, Any]:
    """`mean_and_interval`, and in `each` the value of each seed."""
    return {**mean_and_interval(values, within=within), "each": np.asarray(values, dtype=float).tolist()}


@checked
def over_seeds(values: ArrayLike, shared: float = 0.0, within: tuple[float, float] = ANY) -> dict[str, float | None] | None:
    """Mean and 95 % interval over seeds, of those that have the number; None where none has.

    Returns
    -------
    {"mean", "low", "high"}; low and high are None with a single value
    """
    found = mean_and_interval(values, shared, within)
    return None if math.isnan(found["mean"]) else {key: finite(value) for key, value in found.items()}


@checked
def zero_crossing(x: np.ndarray, y: np.ndarray, centre: float) -> tuple[float, float, float]:
    """Where the regression line of y over x is 0, with its 95 % interval (delta method); `centre` is a place near it."""
    if x.shape != y.shape or x.ndim != 1 or len(np.unique(x)) < 3:
        raise WrongUse(
            f"zero_crossing: x and y of shapes {x.shape} and {y.shape}; give one y for each of at least 3 different x."
        )
    A = np.column_stack([np.ones_like(x), x - centre])
    (level, slope), *_ = np.linalg.lstsq(A, y, rcond=None)
    covariance = np.linalg.inv(A.T @ A) * ((y - A @ [level, slope]) ** 2).sum() / (len(x) - 2)
    gradient = np.array([-1 / slope, level / slope**2])
    half = 1.96 * float(np.sqrt(gradient @ covariance @ gradient))
    crossing = float(centre - level / slope)
    return crossing, crossing - half, crossing + half
