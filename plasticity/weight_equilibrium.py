"""Where soft bounds hold the weights of pair STDP between independent Poisson trains: closed forms and a diffusion.

The rule of Guetig, Aharonov, Rotter & Sompolinsky 2003 (doi:10.1523/JNEUROSCI.23-09-03697.2003), with the traces x and y of the
pre- and postsynaptic spikes:

    potentiation  lambda (1 - w)^mu x,    depression  alpha lambda w^mu y

The drift vanishes at w* = 1/(1 + alpha^(1/mu)) (`fixed_point`). For mu = 1 the weights scatter about it with
sd = sqrt(lambda [(1 - w*)^2 + alpha^2 w*^2]/(4 (1 + alpha))), to the first order in lambda (`linear_sd`). For every mu the
Fokker-Planck equation has a stationary solution, and a slowest mode that says how long the equilibrium takes (`fokker_planck`).
What a simulation says of the same: `settled`, `pooled`, `met`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.linalg import eigh_tridiagonal
from scipy.special import expit

from plasticity import given, memory
from plasticity.checked import Above0, Count, From0, Grid, Row, Share, alike, checked
from plasticity.errors import WrongUse
from plasticity.statistics import standard_error

__all__ = ["Equilibrium", "fixed_point", "fokker_planck", "linear_sd", "met", "pooled", "settled"]

TAU_S = 0.02  # of both traces
SETTLE, MEASURE, LEAST_S = 6.0, 8.0, 400.0  # relaxation times before and during the measurement, and its least duration


class Equilibrium(NamedTuple):
    """Stationary mean and standard deviation of a weight, and the time constant of the slowest approach to them."""

    mean: float
    sd: float
    relaxation_s: float

    def measured(self, sample_s: float) -> tuple[float, float]:
        """From when to when to measure it: after six relaxation times, for eight of them but 400 s at least, in whole samples."""
        settle = np.ceil(SETTLE * self.relaxation_s / sample_s) * sample_s
        return float(settle), float(settle + np.ceil(max(MEASURE * self.relaxation_s, LEAST_S) / sample_s) * sample_s)


@checked
def fixed_point(mu: From0, alpha: Above0) -> float:
    """w* = 1/(1 + alpha^(1/mu)), where the drift vanishes; its limit for mu = 0 (hard bounds)."""
    if mu == 0:
        return float(np.select([alpha > 1, alpha < 1], [0.0, 1.0], 0.5))
    with np.errstate(over="ignore"):  # a mu of almost 0
        return float(expit(-np.log(alpha) / mu))


@checked
def linear_sd(mean: Share, alpha: Above0, rate: From0) -> float:
    """sqrt(lambda [(1 - w*)^2 + alpha^2 w*^2]/(4 (1 + alpha))): the scatter for mu = 1; `rate` is the learning rate lambda."""
    return float(np.sqrt(rate * ((1 - mean) ** 2 + alpha**2 * mean**2) / (4 * (1 + alpha))))


@checked
def fokker_planck(mu: From0, alpha: Above0, learning: Above0, rate_hz: Above0, cells: Count = 2000) -> Equilibrium:
    """The equilibrium of one synapse between independent Poisson trains, by its Fokker-Planck equation.

    dp/dt = -d(A p)/dw + (1/2) d^2(B p)/dw^2 on [0, 1], no flux through the bounds, with f+ = (1 - w)^mu, f- = alpha w^mu and

        A = lambda r^2 tau (f+ - f-)
        B = lambda^2 r [(r tau/2)(f+^2 + f-^2) + 2 (r tau)^2 (f+ - f-)^2]

    B holds the shot noise of pairs of spikes, and that of either train alone, which pairs with the mean trace of the other.
    The stationary solution is exp(integral of 2A/B)/B; the approach to it is the first eigenvalue above 0 of a birth and death
    process on a grid that has just this solution.

    Beware: a diffusion stands for jumps of up to lambda here, so it holds to the first order in lambda.

    Raises
    ------
    WrongUse
        Numbers for which it is none that a computer can hold, and fewer than two cells.

    Source: van Kampen 2007, Stochastic Processes in Physics and Chemistry, ch. VIII, ISBN 978-0-444-52965-7, for the method.
    """
    if cells < 2:
        raise WrongUse(f"cells={cells} must be 2 or more, like 2000.")
    memory.refuse(f"an equation of cells={cells}", 200.0 * cells, "take fewer")
    with np.errstate(all="ignore"):
        found = _fokker_planck(mu, alpha, learning, rate_hz, cells)
    if not np.isfinite(found).all():
        raise WrongUse(
            f"mu={mu}, alpha={alpha}, learning={learning} and rate_hz={rate_hz} have no equilibrium that can be computed; take"
            " numbers nearer to those of a neuron, like 0.5, 1.05, 0.005 and 15."
        )
    return found


def _fokker_planck(mu: float, alpha: float, learning: float, rate_hz: float, cells: int) -> Equilibrium:
    h = 1 / cells
    w = (np.arange(cells) + 0.5) * h
    up, down = (1 - w) ** mu, alpha * w**mu
    drift = learning * rate_hz**2 * TAU_S * (up - down)
    pairs, single = rate_hz * TAU_S / 2 * (up**2 + down**2), 2 * (rate_hz * TAU_S * (up - down)) ** 2
    noise = learning**2 * rate_hz * (pairs + single)
    slope = 2 * drift / noise
    step = (slope[1:] + slope[:-1]) / 2 * h
    potential = np.concatenate([[0.0], np.cumsum(step)])
    log_p = potential - np.log(noise)
    p = np.exp(log_p - log_p.max())
    p /= p.sum()
    mean = float(p @ w)
    # rates to the right and to the left between neighbours, in detailed balance with p
    right, left = np.exp(step / 2) * noise[:-1] / (2 * h**2), np.exp(-step / 2) * noise[1:] / (2 * h**2)
    if not (np.isfinite(right).all() and np.isfinite(left).all()):
        return Equilibrium(mean, np.nan, np.nan)
    leaving = np.append(right, 0.0) + np.insert(left, 0, 0.0)
    modes = eigh_tridiagonal(leaving, -np.sqrt(right * left), select="i", select_range=(0, 1), eigvals_only=True)
    return Equilibrium(mean, float(np.sqrt(p @ (w - mean) ** 2)), float(1 / modes[1]))


@checked
def settled(history: Grid, start: Row, first: int) -> dict[str, np.ndarray]:
    """What the weights (samples, synapses) of one run say, measured from the sample `first` on; some started at 0, some at 1.

    Returns
    -------
    `pair_mean`, `pair_sd` over synapses and samples of the measurement; `half_means` (2) of either start; `course` (samples, 2)
    its mean over time

    Raises
    ------
    WrongUse
        Not one start for each synapse, none that started at 0 or at 1, a first sample that there is not.
    """
    if start.shape != history.shape[1:] or set(start.tolist()) != {0, 1} or not 0 <= first < len(history):
        raise WrongUse(
            f"start={given.shown(start)} must be 0 or 1, and either once or more, for each of the {history.shape[1]} synapses of"
            f" history, and first={first} one of its {len(history)} samples."
        )
    course = np.stack([history[:, start == k].mean(axis=1) for k in (0, 1)], axis=1)
    measured = history[first:]
    return {
        "pair_mean": measured.mean(), "pair_sd": measured.std(), "half_means": course[first:].mean(axis=0), "course": course,
    }  # fmt: skip


@checked
def pooled(means: Row, sds: Row) -> dict[str, float]:
    """Mean and standard deviation of the weights from those of each seed, with their standard errors over seeds."""
    alike(means=means, sds=sds)
    return {
        "mean": float(means.mean()),
        "mean_se": float(standard_error(means)),
        "sd": float(np.sqrt((sds**2).mean())),
        "sd_se": float(standard_error(sds)),
    }


@checked
def met(course: Grid, times_s: Row, apart: float) -> float | None:
    """When the means of both starts, `course` (samples, 2), are first less `apart` than this; None if never."""
    if course.shape != (len(times_s), 2):
        raise WrongUse(f"course of shape {course.shape} must have two means for each of the {len(times_s)} times_s.")
    below = np.flatnonzero(np.abs(np.diff(course, axis=1))[:, 0] < apart)
    return float(times_s[below[0]]) if below.size else None
