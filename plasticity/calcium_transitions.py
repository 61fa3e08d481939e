"""The calcium rule under pairs of spikes, without simulation: with which probabilities a synapse changes its state.

A synapse is DOWN (rho = 0) or UP (rho = 1) at first, and after the protocol it is on either side of the border rho_star: U is the
probability to get from DOWN to UP, D that from UP to DOWN. Graupner & Brunel 2012 (Methods and SI) replace the calcium
transients by the fractions of time alpha_p, alpha_d that calcium spends above its thresholds, drop the cubic term, which is slow,
and get an Ornstein-Uhlenbeck process with

    Gamma_p = gamma_p alpha_p,   Gamma_d = gamma_d alpha_d,   rho_bar = Gamma_p/(Gamma_p + Gamma_d)
    tau_eff = tau/(Gamma_p + Gamma_d),   sigma_rho^2 = sigma^2 (alpha_p + alpha_d)/(Gamma_p + Gamma_d)
    U = (1 + erf(-z_0))/2,   D = (1 - erf(-z_1))/2
    z_s = (rho_star - rho_bar + (rho_bar - s) exp(-T/tau_eff))/(sigma_rho sqrt(1 - exp(-2 T/tau_eff)))

for a protocol of the length T (sigma_rho^2 is twice the variance of rho). With a share beta of synapses DOWN before it, and UP
synapses b times as strong as DOWN ones, the strength after over that before is

    ((1 - U) beta + D (1 - beta) + b (U beta + (1 - D)(1 - beta)))/(beta + (1 - beta) b)

Between spikes calcium c is above theta for tau_ca ln(c/theta), if that is not longer than the gap. The noise is that of the
Correction (doi:10.1073/pnas.1220044110), which has the factor sqrt(alpha_p + alpha_d) of the formula above; as first printed it
would not.

Graupner & Brunel 2012, Calcium-based plasticity model explains sensitivity of synaptic changes to spike pattern, rate, and
dendritic location, doi:10.1073/pnas.1109359109.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import erf

from plasticity import given
from plasticity.checked import Above0, Count, Number, Share, alike, checked
from plasticity.errors import WrongUse
from plasticity.rules import Rule, calcium

__all__ = ["Transitions", "fraction_above", "strength", "transitions"]

STATES = (0.0, 1.0)  # DOWN and UP


class Transitions(NamedTuple):
    """The probabilities U from DOWN to UP and D from UP to DOWN, and the mean of rho at the end, from DOWN and from UP."""

    up: float
    down: float
    from_down: float
    from_up: float


@checked
def fraction_above(threshold: Above0, times: Sequence[float], amounts: Sequence[float], tau: Above0, period: Above0) -> float:
    """The share of time that periodic calcium is above a threshold.

    Parameters
    ----------
    threshold : float
        The threshold, positive.
    times, amounts : sequences of float
        When in the period calcium rises (seconds), and by how much.
    tau, period : float
        Its decay and the period, in seconds.

    Raises
    ------
    WrongUse
        Not one amount of 0 or more for each time, or none.
    """
    alike(times=times, amounts=amounts)
    if not len(times) or not np.isfinite(times).all() or not (np.isfinite(amounts).all() and np.min(amounts) >= 0):
        raise WrongUse(f"times={given.shown(times)} and amounts={given.shown(amounts)} must be finite, the latter 0 or more.")
    order = np.argsort(np.mod(times, period), kind="stable")
    at, rise = np.mod(times, period)[order], np.asarray(amounts, dtype=float)[order]
    left = np.exp(-np.mod(np.subtract.outer(at, at), period) / tau)  # of each transient, at each rise, in the period before it
    left[np.triu_indices(len(at), 1)] = np.exp(-(period + np.subtract.outer(at, at)) / tau)[np.triu_indices(len(at), 1)]
    gap = np.append(np.diff(at), period - at[-1] + at[0])
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        peak = left @ rise / (1 - np.exp(-period / tau))  # all earlier periods: a geometric series
        above = tau * np.log(peak / threshold)
    return float(np.clip(above, 0, gap).sum() / period)


@checked
def transitions(rule: Rule, lag: Number, frequency: Above0, pairs: Count) -> Transitions:
    """What a protocol of pairs does to a synapse, as the paper derives it.

    Parameters
    ----------
    rule : Rule
        `calcium` with its parameters.
    lag, frequency : float
        t_post - t_pre in seconds, pairs in a second.
    pairs : int
        How many pairs; the protocol lasts pairs/frequency.
    """
    if lacking := sorted({*calcium.parameters} - {*rule.parameters}):
        raise WrongUse(f"rule={rule.name} has no {', '.join(lacking)}; give `calcium`, like pl.rules.calcium('DP').")
    p = {name: float(value) for name, value in rule.parameters.items()}
    rises = ((p["D"], lag), (p["Cpre"], p["Cpost"]), p["tau_ca"], 1 / frequency)
    alpha_p, alpha_d = (fraction_above(p[name], *rises) for name in ("theta_p", "theta_d"))
    drive = p["gamma_p"] * alpha_p + p["gamma_d"] * alpha_d
    if drive == 0:  # calcium reaches no threshold: nothing happens
        return Transitions(0.0, 0.0, *STATES)
    rho_bar = p["gamma_p"] * alpha_p / drive
    left = np.exp(-pairs / frequency * drive / p["tau"])
    width = np.sqrt(p["sigma"] ** 2 * (alpha_p + alpha_d) / drive * (1 - left**2))
    down, up = (rho_bar + (start - rho_bar) * left for start in STATES)
    with np.errstate(divide="ignore"):  # without noise, and without time
        U = (1 + erf((down - p["rho_star"]) / width)) / 2
        D = (1 - erf((up - p["rho_star"]) / width)) / 2
    return Transitions(float(U), float(D), float(down), float(up))


@checked
def strength(up: np.ndarray | float, down: np.ndarray | float, beta: Share, b: Above0) -> np.ndarray:
    """Mean strength after over that before, from the probabilities of both transitions."""
    alike(up=up, down=down)
    up, down = np.asarray(up), np.asarray(down)
    after = (1 - up) * beta + down * (1 - beta) + b * (up * beta + (1 - down) * (1 - beta))
    return after / (beta + (1 - beta) * b)
