"""The linear theory of STDP: against quadrature, and against spikes of a linear Poisson neuron without any network."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from scipy.integrate import quad

from plasticity.spike_statistics import mean_correlation
from plasticity.weight_drift import LinearDrift, clipped, noise_correlation, share_for

THEORY = LinearDrift(
    A2_plus=0.01, A2_minus=0.0105, tau_plus=0.017, tau_minus=0.034, inputs=30, base=20.0, share=0.5, tau_c=0.012,
    drive=np.array([0.0, 3000.0]), rate=np.array([5.0, 35.0]), tau_e=0.004, tau_v=0.009,
)  # fmt: skip


def answer(s):
    """The shape of the answer to a spike: rise and decay, of area 1."""
    return (np.exp(-s / THEORY.tau_v) - np.exp(-s / THEORY.tau_e)) / (THEORY.tau_v - THEORY.tau_e) if s > 0 else 0.0


def covariance(u):
    """Of input and output: the answer and the autocorrelation, folded."""
    return quad(lambda s: answer(s) * np.exp(-abs(u - s) / THEORY.tau_c), 0, 0.3, points=[max(u, 1e-9)], limit=200)[0]


def test_the_overlaps_of_window_and_covariance_are_their_integrals():
    early, late = THEORY.overlaps()
    ours = quad(lambda u: np.exp(-u / THEORY.tau_plus) * covariance(u), 0, 0.25, limit=200)[0]
    assert early == pytest.approx(ours, rel=1e-5)
    ours = quad(lambda u: np.exp(-u / THEORY.tau_minus) * covariance(-u), 0, 0.4, limit=200)[0]
    assert late == pytest.approx(ours, rel=1e-5)
    ours = quad(lambda s: answer(s) * np.exp(-s / 0.02), 0, 0.3)[0]
    assert THEORY.answer(0.02) == pytest.approx(ours, rel=1e-9)
    same, near = (dataclasses.replace(THEORY, tau_c=tau).overlaps()[0] for tau in (THEORY.tau_plus, THEORY.tau_plus * 1.0001))
    assert same == pytest.approx(near, rel=1e-3)  # where two time constants are the same


def test_moments_of_a_clipped_rate_and_the_noise_correlation_are_those_of_drawn_counts():
    rng = np.random.default_rng(0)
    drawn = np.maximum(1.5 + 2.0 * rng.standard_normal(400_000), 0)
    mean, variance = clipped(1.5, 2.0)
    assert mean == pytest.approx(drawn.mean(), rel=0.01) and variance == pytest.approx(drawn.var(), rel=0.01)
    np.testing.assert_allclose(clipped([1.0, 2.0], 0.0), [[1.0, 2.0], [0.0, 0.0]], atol=1e-12)
    share = share_for(0.1, 15.0, 0.01, 0.1)
    assert noise_correlation(15.0, (15.0 * share) ** 2, 0.01, 0.1) == pytest.approx(0.1, abs=1e-12)
    steps, dt = 100, 1e-3  # a window of 0.1 s; the fluctuation is small enough never to be clipped
    small = share_for(0.03, 60.0, 0.05, 0.1)
    y, level = rng.standard_normal(20_000), np.zeros(20_000)
    for _ in range(steps):
        y = y * np.exp(-dt / 0.05) + np.sqrt(1 - np.exp(-2 * dt / 0.05)) * rng.standard_normal(len(y))
        level += np.maximum(60.0 * (1 + small * y), 0) * dt
    counts = rng.poisson(level[:, None], (len(y), 20))
    assert mean_correlation(counts) == pytest.approx(0.03, abs=0.003)


def test_the_drift_is_that_of_spikes_of_a_linear_poisson_neuron():
    """Two pools of Poisson inputs, an output drawn from their filtered sum, and pair STDP added up at fixed weights."""
    p, rng, dt, seconds, copies = THEORY, np.random.default_rng(1), 5e-4, 12.0, 128
    gain, fluctuation, w = np.array([1.5, 1.0]), np.array([1.3, 1.0]), np.array([0.3, 0.5])
    slope, floor = (p.rate[1] - p.rate[0]) / p.drive[1], p.rate[0]
    y = rng.standard_normal((copies, 2))
    rise, decay, pre, post = (np.zeros((copies, n)) for n in (1, 1, 2, 1))
    change = np.zeros((copies, 2))
    for step in range(round(seconds / dt)):
        y = y * np.exp(-dt / p.tau_c) + np.sqrt(1 - np.exp(-2 * dt / p.tau_c)) * rng.standard_normal(y.shape)
        level = np.maximum(gain + p.share * fluctuation * y, 0) * p.base
        out = rng.poisson(np.maximum(floor + slope * (decay - rise) / (p.tau_v - p.tau_e), 0) * dt)
        spikes = rng.poisson(p.inputs * level * dt)  # of a whole pool: pair STDP is linear in the spikes of its inputs
        if step * dt > 1:
            change += p.A2_plus * pre * out - p.A2_minus * spikes * post
        rise = rise * np.exp(-dt / p.tau_e) + spikes @ w[:, None]
        decay = decay * np.exp(-dt / p.tau_v) + spikes @ w[:, None]
        pre, post = pre * np.exp(-dt / p.tau_plus) + spikes, post * np.exp(-dt / p.tau_minus) + out
    found = change / (seconds - 1) / p.inputs
    mean, variance = clipped(gain, p.share * fluctuation)
    said = p.drift(w, p.base * mean, p.base**2 * variance, p.output())
    error = found.std(axis=0, ddof=1) / np.sqrt(copies)
    assert (error < 0.1 * np.abs(said)).all()  # sharp enough to say something
    assert (np.abs(found.mean(axis=0) - said) < 4 * error + 0.02 * np.abs(said)).all(), (found.mean(axis=0), said, error)


@pytest.mark.full
def test_the_sign_turns_where_the_noise_correlation_stays_as_it_is():
    soft = dataclasses.replace(THEORY, mu=0.1, tau_plus=0.02, tau_minus=0.02, tau_c=0.01, share=0.2)
    for gain in (1.25, 2.0, 4.0):
        below, at, above = np.diff(soft.weights(gain, np.sqrt(gain) * np.array([0.8, 1.0, 1.25]), 0.5, 400.0), axis=-1)[:, 0]
        assert above < -4 * abs(at) and below > 4 * abs(at), gain  # ignored minus attended
    assert abs(np.diff(soft.weights(1.0, 1.0, 0.5, 10.0))).max() < 1e-12


def test_scaling_brings_the_rate_to_its_target_and_weights_stay_within_their_bounds():
    scaled = dataclasses.replace(THEORY, A2_plus=0.0, A2_minus=0.0, beta=0.02, rho0=15.0)
    w = scaled.weights(2.0, 1.0, 0.5, 200.0)
    rate = scaled.output()(scaled.inputs * (w * scaled.base * clipped([2.0, 1.0], [scaled.share] * 2)[0]).sum())[0]
    assert rate == pytest.approx(15.0, rel=1e-3)
    hard = dataclasses.replace(THEORY, A2_minus=0.05).weights(4.0, 1.0, 0.5, 100.0)
    assert (hard >= 0).all() and (hard <= 1).all() and hard.min() < 0.01
