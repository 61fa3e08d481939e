"""The linear theory of STDP for two groups of inputs: where their mean weights drift, and when the attended group wins.

For a neuron whose rate is a linear function of its inputs, Kempter, Gerstner & van Hemmen 1999 (doi:10.1103/PhysRevE.59.4498)
average the changes of a synapse over its spikes: what is left are the mean rates times the integral of the learning window, the
covariance of input and output times the window, and what an input spike does to the output itself. Gilson, Burkitt, Grayden,
Thomas & van Hemmen 2009 (doi:10.1007/s00422-009-0319-4) do so for two pools of inputs with correlations within each. Here, for a
synapse of group k with the weight w_k, rate l_k and covariance V_k exp(-|u|/tau_c) of the rates in a group of n, and the output
rate nu = F(d), d = n (w_1 l_1 + w_2 l_2), whose answer to a spike has the area w F'(d) and the shape eps:

    dw_k/dt = (1 - w_k)^mu A_plus  [l_k nu tau_plus  + w_k F' (l_k E(tau_plus) + n V_k P)]
            -      w_k^mu  A_minus [l_k nu tau_minus + w_k F' n V_k D]               + scaling

    E(x) = int eps(s) exp(-s/x) ds,    P = int_0^inf exp(-u/tau_plus) c(u) du,    D = int_0^inf exp(-u/tau_minus) c(-u) du

with c = eps * exp(-|.|/tau_c). Triplet terms enter as amplitudes that follow the rates: A_plus = A2_plus + A3_plus tau_y nu,
A_minus = A2_minus + A3_minus tau_x l_k, correlations of three spikes left out.

What it says without a number. Divided by l_k, everything but V_k/l_k is the same for both groups (without scaling and presynaptic
triplets). At rest, the group with the larger covariance per spike has the larger weight. A gain g on the mean and a factor f on
the common fluctuation make it f^2/g times what it was: the sign turns at f = sqrt(g). So does the noise correlation of spike
counts, V_k a/(V_k a + l_k b) with the same a and b for both groups: attention favours the attended synapses if it raises the
noise correlation of their inputs, and disfavours them if it lowers it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.interpolate import PchipInterpolator
from scipy.stats import norm

Output = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
STEP_S = 0.02  # of the integration of the drift
BUMP = 1e-6  # keeps two time constants apart where a formula divides by their difference


def clipped(gain: ArrayLike, fluctuation: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance of [gain + fluctuation y]+ with a standard normal y."""
    a, b = np.broadcast_arrays(np.asarray(gain, dtype=float), np.asarray(fluctuation, dtype=float))
    z = a / np.maximum(b, 1e-12)
    mean = a * norm.cdf(z) + b * norm.pdf(z)
    return mean, (a**2 + b**2) * norm.cdf(z) + a * b * norm.pdf(z) - mean**2


def count_variance(tau_c: float, window: float) -> float:
    """Variance of the integral over a window of a process of variance 1 with the autocorrelation exp(-|u|/tau_c), seconds^2."""
    return 2 * tau_c * (window - tau_c * -np.expm1(-window / tau_c))


def noise_correlation(rate: ArrayLike, variance: ArrayLike, tau_c: float, window: float) -> np.ndarray:
    """Correlation of the spike counts of two Poisson inputs whose rates have this variance in common."""
    shared = np.asarray(variance, dtype=float) * count_variance(tau_c, window)
    return shared / (shared + np.asarray(rate, dtype=float) * window)


def share_for(noise: float, rate: float, tau_c: float, window: float) -> float:
    """The common fluctuation, as a share of the rate, that gives this noise correlation (clipping left out)."""
    return float(np.sqrt(noise / (1 - noise) * window / (rate * count_variance(tau_c, window))))


@dataclass(frozen=True)
class LinearDrift:
    """The drift of the mean weights of two groups; times in seconds, rates in hertz.

    Parameters
    ----------
    A2_plus, A2_minus, A3_plus, A3_minus, tau_plus, tau_minus, tau_x, tau_y : float
        Of triplet STDP; pair STDP where A3 is 0.
    mu : float
        Exponent of the soft bounds, 0 for hard ones.
    beta, rho0 : float
        Speed and target of synaptic scaling; none where beta is 0.
    inputs, base, share, tau_c : int, float
        Inputs in a group, their rate at gain 1, their common fluctuation as a share of it, and its time constant.
    tau_e, tau_v : float
        Of the rise and the decay of the answer to an input spike.
    drive, rate : arrays
        F as it was measured: the weighted rate of all inputs together, and the neuron's rate there.
    """

    A2_plus: float
    A2_minus: float
    tau_plus: float
    tau_minus: float
    inputs: int
    base: float
    share: float
    tau_c: float
    drive: np.ndarray
    rate: np.ndarray
    A3_plus: float = 0.0
    A3_minus: float = 0.0
    tau_x: float = 0.1
    tau_y: float = 0.1
    mu: float = 0.0
    beta: float = 0.0
    rho0: float = 10.0
    tau_e: float = 0.005
    tau_v: float = 0.0075

    def answer(self, tau: float) -> float:
        """E: the answer to a spike under exp(-s/tau)."""
        return 1 / ((1 + self.tau_e / tau) * (1 + self.tau_v / tau))

    def overlaps(self) -> tuple[float, float]:
        """P and D: the covariance of input and output under either side of the learning window, in seconds."""
        tau_c = self.tau_c * (1 + BUMP if self.tau_c == self.tau_plus else 1)
        early = (self.answer(self.tau_plus) - self.answer(tau_c)) / (1 / tau_c - 1 / self.tau_plus)
        late = self.answer(self.tau_plus) / (1 / self.tau_plus + 1 / tau_c)
        return early + late, self.answer(tau_c) / (1 / self.tau_minus + 1 / tau_c)

    def output(self) -> Output:
        """F and its slope, through the measured points."""
        curve = PchipInterpolator(self.drive, self.rate)
        slope, low, high = curve.derivative(), self.drive[0], self.drive[-1]
        return lambda d: (curve(np.clip(d, low, high)), slope(np.clip(d, low, high)))

    def drift(self, w: np.ndarray, rates: np.ndarray, variance: np.ndarray, output: Output) -> np.ndarray:
        """dw/dt per second, groups last; rates and their variances in Hz and Hz^2."""
        nu, gain = (x[..., None] for x in output(self.inputs * (w * rates).sum(axis=-1)))
        P, D = self.overlaps()
        linked = w * gain * self.inputs * variance
        up = self.A2_plus + self.A3_plus * self.tau_y * nu
        down = self.A2_minus + self.A3_minus * self.tau_x * rates
        rise = up * (rates * nu * self.tau_plus + w * gain * rates * self.answer(self.tau_plus) + linked * P)
        fall = down * (rates * nu * self.tau_minus + linked * D)
        scaling = self.beta * w * (self.rho0 - nu)
        rise, fall = rise + np.maximum(scaling, 0), fall + np.maximum(-scaling, 0)
        return (1 - w) ** self.mu * rise - w**self.mu * fall

    def weights(self, gain: ArrayLike, fluctuation: ArrayLike, start: float, seconds: float) -> np.ndarray:
        """Mean weights (..., 2) over the second half of a run in which group 0 has this gain and factor of the fluctuation."""
        g, f = np.broadcast_arrays(np.asarray(gain, dtype=float), np.asarray(fluctuation, dtype=float))
        one = np.ones_like(g)
        mean, variance = clipped(np.stack([g, one], axis=-1), self.share * np.stack([f, one], axis=-1))
        rates, variance, output = self.base * mean, self.base**2 * variance, self.output()
        w, late, steps = np.full(rates.shape, start), np.zeros(rates.shape), round(seconds / STEP_S)
        for step in range(steps):
            w = np.clip(w + STEP_S * self.drift(w, rates, variance, output), 0, 1)
            late += w * (2 * step >= steps)
        return late / (steps - (steps + 1) // 2)
