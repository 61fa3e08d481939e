"""The pair rule that comes closest to measured changes: what a rule of pairs can do at best.

A_plus and A_minus by non-negative least squares, the time constants given, or free within bounds, by `scipy.optimize` from
several starts; all-to-all and nearest neighbour, the better of both. Errors are in units of the standard error of the mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from brian2 import Quantity, ms
from scipy.optimize import minimize, nnls

from plasticity import given
from plasticity.checked import alike, checked
from plasticity.errors import WrongUse
from plasticity.rules import Rule, pair_stdp

__all__ = ["PairFit", "best_amplitudes", "best_pair_rule", "error"]

LONGEST_MS = 1000.0  # of the time constants that a free pair rule may take

_Lags = tuple[list[np.ndarray], list[np.ndarray]]


@checked
def error(model: Sequence[float] | np.ndarray, data: np.ndarray, sem: np.ndarray) -> float:
    """E = mean over the points of ((model - data)/sem)^2."""
    alike(model=model, data=data, sem=sem)
    return float(np.mean(((np.asarray(model) - data) / sem) ** 2))


@checked
@dataclass(frozen=True)
class PairFit:
    """The pair rule that comes closest to data: its error E, amplitudes, time constants (ms), which spikes pair."""

    error: float
    A_plus: float
    A_minus: float
    tau_plus_ms: float
    tau_minus_ms: float
    nearest: bool

    def rule(self) -> Rule:
        """As a rule that Brian2 can simulate."""
        made = pair_stdp(
            A_plus=self.A_plus, A_minus=self.A_minus, tau_plus=self.tau_plus_ms * ms, tau_minus=self.tau_minus_ms * ms
        )
        return made.with_traces("nearest") if self.nearest else made


@checked
def best_pair_rule(
    pre: Sequence[Quantity],
    post: Sequence[Quantity],
    data: np.ndarray,
    sem: np.ndarray,
    taus_ms: tuple[float, float] | None = None,
    bounds_ms: tuple[float, float] = (1.0, LONGEST_MS),
    starts: int = 4,
) -> PairFit:
    """The additive pair rule of least error E on a set of protocols, all-to-all or nearest neighbour.

    For given time constants the amplitudes follow from non-negative least squares, exactly.

    Parameters
    ----------
    pre, post : lists of Quantity
        Spike times of each protocol.
    data, sem : arrays
        Measured change and standard error of each.
    taus_ms : (tau_plus, tau_minus)
        Fixed time constants; None leaves both free within `bounds_ms`.
    starts : int
        The search starts from starts x starts time constants, spread over the bounds.

    Raises
    ------
    WrongUse
        Not as many changes or errors as protocols, or one that is no finite number; an error or a time constant that is not
        positive.
    """
    data, sem = _measured(len(pre), data, sem)
    for name, pair in (("taus_ms", taus_ms), ("bounds_ms", bounds_ms)):
        if pair is not None and not ((two := given.real(pair)) is not None and two.shape == (2,) and (two > 0).all()):
            raise WrongUse(f"{name}={pair!r} must be two positive numbers of milliseconds, like (20, 20).")
    best: PairFit | None = None
    for nearest in (False, True):
        lags = [_pair_lags(np.asarray(a), np.asarray(b), nearest) for a, b in zip(pre, post, strict=True)]

        def fit(taus: tuple[float, float], lags: list[_Lags] = lags, nearest: bool = nearest) -> PairFit:
            up, down = (
                [float(count[side] @ np.exp(-lag[side] / (tau / 1000))) for lag, count in lags] for side, tau in enumerate(taus)
            )
            (A_plus, A_minus), residual = nnls(np.array([up, down]).T * [1, -1] / sem[:, None], data / sem)
            return PairFit(residual**2 / len(data), float(A_plus), float(A_minus), float(taus[0]), float(taus[1]), nearest)

        if taus_ms is not None:
            found = [fit(taus_ms)]
        else:
            low, high = np.log(bounds_ms)
            grid = np.linspace(low, high, starts + 2)[1:-1]
            found = []
            for start in ((a, b) for a in grid for b in grid):
                ended = minimize(lambda x, fit=fit: fit(tuple(np.exp(x))).error, start, bounds=[(low, high)] * 2)
                found.append(fit(tuple(np.exp(ended.x))))
        best = min([*found, *([best] if best else [])], key=lambda one: one.error)
    assert best is not None
    return best


@checked
def best_amplitudes(
    pre: Sequence[np.ndarray], post: Sequence[np.ndarray], data: np.ndarray, sem: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The amplitudes of `pair_stdp` of least error E, its time constants as they are, by its closed form.

    Parameters
    ----------
    pre, post : lists of arrays
        Spike times of each protocol in seconds.
    data, sem : arrays
        Measured change and standard error of each.

    Returns
    -------
    (protocols, 2), (2,)
        The change of each protocol by potentiation alone and by depression alone, both of amplitude 1, and the amplitudes
        (A_plus, A_minus); the change of the fitted rule is their product.

    Raises
    ------
    WrongUse
        As of `best_pair_rule`.
    """
    data, sem = _measured(len(pre), data, sem)
    rules = [pair_stdp(A_plus=up, A_minus=1 - up) for up in (1, 0)]
    parts = np.array([[rule.change(a, b) for rule in rules] for a, b in zip(pre, post, strict=True)])
    amplitudes, _ = nnls(parts / sem[:, None], data / sem)
    return parts, amplitudes


def _measured(protocols: int, data: np.ndarray, sem: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Measured changes and their standard errors, checked."""
    values = []
    for name, told in (("data", data), ("sem", sem)):
        one = given.real(told)
        if one is None or one.shape != (protocols,) or not np.isfinite(one).all() or (name == "sem" and not (one > 0).all()):
            above = " above 0" if name == "sem" else ""
            raise WrongUse(f"{name}={told!r} must be a finite number{above} for each of the {protocols} protocols.")
        values.append(one)
    return values[0], values[1]


def _pair_lags(pre: np.ndarray, post: np.ndarray, nearest: bool) -> _Lags:
    """How long before each spike those of the other side were, in seconds, and how often; post after pre, pre after post."""
    lags, counts = [], []
    for first, then in ((pre, post), (post, pre)):
        all_lags = np.subtract.outer(then, first)
        all_lags[all_lags <= 1e-9] = np.inf  # spikes of one time step do not pair
        wanted = all_lags.min(axis=1, initial=np.inf) if nearest else all_lags
        lag, count = np.unique(np.round(wanted[np.isfinite(wanted)], 9), return_counts=True)
        lags.append(lag)
        counts.append(count)
    return lags, counts
