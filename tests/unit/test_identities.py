"""Exact identities between plasticity and attention, each beside a wrong version that must differ, and the simulation of them."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
import torch
from brian2 import ms

from bridges.identities import (
    DT,
    IDENTITIES,
    Recurrent,
    as_triplet,
    backprop,
    biased_competition,
    bptt,
    brainprop,
    competition_as_attention,
    cosine,
    delta_rule,
    difference,
    eligibility,
    fields,
    gaussian_weights,
    hebb,
    hopfield_energy,
    hopfield_update,
    linear_attention,
    memory_errors,
    network_weights,
    normalisation,
    normalisation_as_attention,
    pairs_sum,
    positive,
    sgd,
    softmax_attention,
    spike_attention,
    spikes,
    trained_layer,
    trials,
)
from plasticity import protocols
from plasticity.references import entries, identifiers
from plasticity.rules import pair_stdp
from simulations.figures.kinds import draw
from simulations.identities import IdentitiesSuite

WRONG = 1e-3  # a wrong version differs by more than this share of the largest value: a billion times any tolerance


def largest(name: str, instances: int = 20) -> float:
    """The largest difference of an identity over random instances of random size."""
    rng = np.random.default_rng([11, *IDENTITIES[name].name.encode()])
    return float(np.max([IDENTITIES[name].largest_difference(rng) for _ in range(instances)]))


@pytest.fixture
def rng():
    return np.random.default_rng(5)


@pytest.fixture
def tokens(rng):
    """Queries, keys and values of 50 steps."""
    return rng.normal(size=(50, 6)), rng.normal(size=(50, 6)), rng.normal(size=(50, 4))


# Hebb, traces, delta rule. 1e-12: both sides add up to a few hundred products, in another order, each rounded at 1e-16.


def test_hebbian_outer_products_are_unnormalised_linear_attention(tokens):
    assert largest("I1") <= 1e-12
    assert difference(hebb(*tokens, decay=0.9), linear_attention(*tokens)) > WRONG


def test_with_a_presynaptic_trace_that_does_not_decay_a_hebbian_memory_is_normalised_linear_attention(tokens):
    assert largest("I2") <= 1e-12
    q, k, v = positive(tokens[0]), positive(tokens[1]), tokens[2]
    attention = linear_attention(q, k, v, normalised=True)
    assert difference(hebb(q, k, v, trace=0.9), attention) > WRONG
    assert difference(hebb(q, k, v), attention) > WRONG


def test_a_hebbian_memory_that_decays_is_linear_attention_with_recency_weights(tokens):
    assert largest("I3a") <= 1e-12
    assert difference(hebb(*tokens, decay=0.9), linear_attention(*tokens, decay=0.91)) > WRONG


@pytest.mark.full
def test_pair_stdp_without_depression_in_brian2_is_linear_attention_over_spikes_with_recency_weights(rng):
    assert largest("I3b", 2) <= 1e-12
    pre, post = spikes(rng, 4), spikes(rng, 3)
    attention = spike_attention(pre, post, 0.01, 20 * ms)
    assert attention.shape == (4, 3) and attention.min() > 0
    depressing = network_weights(pair_stdp(A_plus=0.01, tau_plus=20 * ms), pre, post)
    assert difference(depressing, attention) > WRONG
    assert difference(spike_attention(pre, post, 0.01, 21 * ms), attention) > WRONG


def test_two_spikes_before_one_leave_the_weight_that_follows_by_hand():
    pre, post = [[10, 30] * ms, [45] * ms], [[40] * ms]
    by_hand = np.array([[0.01 * (math.exp(-30 / 20) + math.exp(-10 / 20))], [0.0]])
    assert by_hand[0, 0] == pytest.approx(0.008296608198610632, rel=1e-15)
    rule = pair_stdp(A_plus=0.01, A_minus=0.0, tau_plus=20 * ms)
    # 1e-15: the rounding of times such as 0.03 s, on a weight of 0.008
    assert network_weights(rule, pre, post) == pytest.approx(by_hand, abs=1e-15)
    assert spike_attention(pre, post, 0.01, 20 * ms) == pytest.approx(by_hand, abs=1e-15)


def test_the_delta_rule_is_one_sgd_step_on_half_the_squared_error(rng, tokens):
    assert largest("I4a") <= 1e-12
    _, k, v = tokens
    k, W = k / 3, rng.normal(size=(4, 6))
    without_error = W + np.cumsum(0.3 * np.einsum("to,ti->toi", v, k), axis=0)  # Hebb
    assert difference(without_error, sgd(W, k, v, 0.3)) > WRONG
    assert difference(delta_rule(W, k, v, 0.15), sgd(W, k, v, 0.3)) > WRONG


def test_the_delta_rule_with_beta_1_overwrites_exactly_if_the_key_has_length_1(rng):
    assert largest("I4b") <= 1e-12
    W, v, k = rng.normal(size=(4, 6)), rng.normal(size=(1, 4)), rng.normal(size=(1, 6))
    k *= 1.2 / np.linalg.norm(k)
    left = v[0] - delta_rule(W, k, v, 1.0)[0] @ k[0]
    assert difference(left, (1 - 1.2**2) * (v[0] - W @ k[0])) <= 1e-12  # what theory leaves of the error
    assert np.abs(left).max() > WRONG


def test_the_delta_rule_leaves_alone_what_was_stored_under_orthogonal_keys_and_hebb_adds_up(rng):
    keys = np.linalg.qr(rng.normal(size=(6, 6)))[0]
    v = rng.normal(size=(12, 4))
    twice = np.concatenate([keys, keys])  # every key is written again, with another value
    assert difference(delta_rule(np.zeros((4, 6)), twice, v, 1.0)[-1] @ keys.T, v[6:].T) <= 1e-12
    assert difference(np.einsum("to,ti->oi", v, twice) @ keys.T, (v[:6] + v[6:]).T) <= 1e-12


def test_a_linear_layer_trained_by_gradient_is_linear_attention_over_its_training_examples(rng):
    assert largest("I5", 2) <= 1e-10  # rounding of 1000 steps that build on each other
    W, x, labels = rng.normal(size=(3, 8)), rng.normal(size=(200, 8)), rng.integers(3, size=200)
    q = rng.normal(size=(10, 8))
    for momentum, same in ((0.0, True), (0.5, False)):  # with momentum an example acts in many steps, not in its own alone
        W_T, e = trained_layer(W, x, labels, 0.1, momentum)
        assert (difference(q @ W_T.T, q @ W.T + (q @ x.T) @ e) <= 1e-10) == same
        assert difference(W_T, W) > 0.1  # it learnt something
    assert difference(q @ W_T.T, q @ W.T + (q @ x.T) @ e) > WRONG


# Associative memories


def test_the_update_of_a_modern_hopfield_network_is_softmax_attention_with_patterns_as_keys_and_values(rng):
    assert largest("I6a", 100) <= 1e-12  # rounding of an exponential and of sums
    patterns, state = rng.normal(size=(20, 8)), rng.normal(size=8)
    attention = softmax_attention(state[None], patterns, patterns, scale=0.5)[0]
    assert difference(hopfield_update(patterns, state, 0.6), attention) > WRONG
    assert difference(attention, softmax_attention(state[None], patterns, -patterns, scale=0.5)[0]) > WRONG


def test_the_update_of_a_modern_hopfield_network_is_a_gradient_step_of_size_1_on_its_energy(rng):
    patterns, state, beta = rng.normal(size=(20, 8)), rng.normal(size=8), 0.5
    X, xi = torch.from_numpy(patterns), torch.from_numpy(state).requires_grad_()
    energy = -torch.logsumexp(beta * X @ xi, 0) / beta + 0.5 * xi @ xi + math.log(20) / beta + 0.5 * X.square().sum(1).max()
    assert energy.item() == pytest.approx(hopfield_energy(patterns, state, beta), rel=1e-12)  # rounding
    (gradient,) = torch.autograd.grad(energy, xi)
    assert difference(hopfield_update(patterns, state, beta), state - gradient.numpy()) <= 1e-12  # rounding


def test_no_update_of_a_modern_hopfield_network_raises_its_energy_and_one_that_overshoots_does(rng):
    assert largest("I6b", 100) <= 1e-12  # at a minimum the energy is rounded up or down
    rises = []
    for _ in range(20):
        patterns, state, beta = rng.normal(size=(20, 8)), rng.normal(size=8), 0.3
        energy = hopfield_energy(patterns, state, beta)
        updated = hopfield_update(patterns, state, beta)
        assert hopfield_energy(patterns, updated, beta) < energy
        rises.append(hopfield_energy(patterns, state + 4 * (updated - state), beta) / energy - 1)
    assert min(rises) > WRONG


def test_softmax_attention_is_gaussian_kernel_regression_if_all_keys_have_the_same_norm():
    assert largest("I7a", 100) <= 1e-12  # rounding of exponentials of at most about 100


def test_softmax_attention_is_not_gaussian_kernel_regression_if_norms_differ_and_by_how_much_follows_from_them(tokens):
    assert largest("I7b", 100) <= 1e-12  # rounding of logarithms of at most about 100
    q, k, v = tokens
    k = 2 * k / np.linalg.norm(k, axis=1, keepdims=True)
    assert difference(gaussian_weights(q, k) @ v, softmax_attention(q, k, v)) <= 1e-12
    k[0] *= 1.1  # a single one
    assert difference(gaussian_weights(q, k) @ v, softmax_attention(q, k, v)) > WRONG


def test_a_hebbian_memory_of_n_random_keys_in_d_dimensions_has_the_mean_squared_relative_error_n_minus_1_over_d(rng):
    for n, d in ((1, 10), (5, 10), (40, 20)):
        errors = memory_errors(n, d, 1000, rng)
        # 4 standard errors; 1e-12 for rounding, where there is no other key and so no error
        assert abs(errors.mean() - (n - 1) / d) <= 4 * errors.std() / math.sqrt(1000) + 1e-12
    # Keys whose length is 1 on average only have a second source of error: the variance 2/d of |k|^2
    k, v = rng.normal(size=(1000, 5, 10)) / math.sqrt(10), rng.normal(size=(1000, 5, 10))
    v /= np.linalg.norm(v, axis=2, keepdims=True)
    errors = np.square(np.einsum("rso,rsi,rti->rto", v, k, k) - v).sum(axis=2).mean(axis=1)
    assert abs(errors.mean() - 6 / 10) <= 4 * errors.std() / math.sqrt(1000)
    assert abs(errors.mean() - 4 / 10) > 4 * errors.std() / math.sqrt(1000)


# Attention in cortex. 1e-14: terms are positive, so that only the rounding of exp(log x) is left, 1e-16 times a logit below 20.


def test_divisive_normalisation_is_softmax_attention_with_a_null_key_of_logit_log_sigma(rng):
    assert largest("I8a", 100) <= 1e-14
    E, A, S, sigma = fields(rng)
    S[:], A[:], sigma = 1.0, 1.0, E.sum() / 10
    assert difference(normalisation(E, A, S, sigma), normalisation_as_attention(E, A, S, 1e-12 * sigma)) > WRONG


def test_an_attention_field_is_an_additive_bias_on_the_logits(rng):
    assert largest("I8b", 100) <= 1e-14
    E, A, S, sigma = fields(rng)
    without = normalisation_as_attention(E, np.ones_like(A), S, sigma)
    multiplied = normalisation_as_attention(E**A, np.ones_like(A), S, sigma)  # the gain times the logit
    assert difference(without, normalisation(E, A, S, sigma)) > WRONG
    assert difference(multiplied, normalisation(E, A, S, sigma)) > WRONG


def test_biased_competition_is_softmax_attention_over_two_tokens_with_the_values_r1_and_r2():
    assert largest("I9", 50) <= 1e-14
    r, w = np.array([40.0, 10.0]), np.array([0.5, 0.8])
    response = biased_competition(r, w, 5.0, 0.1)
    assert abs(competition_as_attention(r, w, 1.0, 0.1) / response - 1) > WRONG  # no bias
    assert abs(competition_as_attention(r, w, 5.0, 0.0) / response - 1) > WRONG  # no null token
    assert abs(competition_as_attention(r[::-1], w, 5.0, 0.1) / response - 1) > WRONG  # the values exchanged


@pytest.mark.parametrize("b", [1.0, 5.0])
def test_the_response_to_a_pair_follows_the_attended_stimulus_with_the_slope_b_over_b_plus_1(b, rng):
    """Reynolds, Chelazzi & Desimone 1999: interaction against selectivity, over cells, at equal strength of both stimuli."""
    r = rng.uniform(1, 100, size=(50, 2))
    pair = np.array([biased_competition(cell, np.ones(2), b, 0.0) for cell in r])
    slope, offset = np.polyfit(r[:, 0] - r[:, 1], pair - r[:, 1], 1)
    assert slope == pytest.approx(b / (b + 1), rel=1e-12)  # rounding of a least-squares fit
    assert offset == pytest.approx(0, abs=1e-11)  # of responses up to 100


# Gradients


def test_the_brainprop_update_is_the_backprop_gradient_of_the_selected_unit(rng):
    assert largest("I10", 100) <= 1e-12  # rounding of sums over up to 40 units and 32 trials
    weights, x, action, reward = trials(rng)
    mirrored = [W.T for W in weights]
    gradient = backprop(weights, x, action, reward)
    assert cosine(brainprop(weights, mirrored, x, action, reward), gradient) == pytest.approx(1, abs=1e-12)  # rounding
    another = (action + 1) % len(weights[-1])
    assert cosine(brainprop(weights, mirrored, x, another, reward), gradient) < 0.9
    unmirrored = [rng.normal(size=B.shape) / math.sqrt(len(B)) for B in mirrored]
    changes = brainprop(weights, unmirrored, x, action, reward)
    assert cosine(changes[-1:], gradient[-1:]) == pytest.approx(1, abs=1e-12)  # the last layer needs no feedback
    assert cosine(changes[:-1], gradient[:-1]) < 0.5


def test_eligibility_traces_times_the_total_learning_signal_are_the_gradient_of_backprop_through_time(rng):
    assert largest("I11", 10) <= 1e-10  # rounding that 50 steps may amplify
    net = Recurrent.draw(rng)
    gradient, signal = bptt(net)
    direct = bptt(net, total=False)[1]

    def factorised(signal: np.ndarray, traces: np.ndarray) -> np.ndarray:
        return np.einsum("tj,tji->ji", signal, traces)

    z, traces = eligibility(net)
    assert difference(factorised(signal, traces), gradient) <= 1e-10
    assert z[:, :4].sum() >= 3 and z[:, 4:].sum() >= 3  # both kinds of neurons fire
    after = np.argwhere(z[:-1]) + [1, 0]
    assert not z[tuple(after.T)].any() and not traces[tuple(after.T)].any()  # refractory
    assert difference(factorised(direct, traces), gradient) > WRONG  # the approximation that e-prop learns by
    without_adaptation = eligibility(dataclasses.replace(net, beta=0.0))[1]
    assert difference(factorised(signal, without_adaptation), gradient) > WRONG
    assert difference(factorised(signal, np.roll(traces, 1, axis=0)), gradient) > WRONG


def test_the_direct_learning_signal_gives_the_gradient_with_spikes_that_pass_none_on(rng):
    """What e-prop learns by: exact again if recurrent weights and reset are left out of the gradient on the other side too."""
    net = Recurrent.draw(rng)
    gradient, signal = bptt(net, total=False)
    assert difference(np.einsum("tj,tji->ji", signal, eligibility(net)[1]), gradient) <= 1e-10  # as above


# Spikes


@pytest.mark.full
def test_pair_stdp_by_traces_in_brian2_is_the_double_sum_over_pairs(rng):
    assert largest("I12a", 2) <= 1e-12  # rounding of sums of a few hundred terms
    pre, post = spikes(rng, 5), spikes(rng, 5)
    by_pairs = np.array([pairs_sum(a, b, pair_stdp) for a, b in zip(pre, post, strict=True)])
    nearest = protocols.weight_change(pair_stdp.with_traces("nearest"), pre, post, dt=DT)
    assert difference(nearest, by_pairs) > WRONG


@pytest.mark.full
def test_triplet_stdp_without_triplet_terms_is_pair_stdp_bit_for_bit(rng):
    assert largest("I12b", 1) == 0
    pre, post = spikes(rng, 5), spikes(rng, 5)
    triplet = protocols.weight_change(as_triplet(pair_stdp, A3_plus=1e-4), pre, post, dt=DT)
    assert difference(triplet, protocols.weight_change(pair_stdp, pre, post, dt=DT)) > WRONG


# All of them, and the simulation


def test_sides_of_different_shapes_are_not_compared():
    with pytest.raises(ValueError, match=r"shapes \(3,\) and \(3, 3\)"):
        difference(np.ones(3), np.ones((3, 3)))


def test_identities_of_all_files_stand_in_the_order_of_their_numbers():
    assert list(IDENTITIES) == (
        "I1 I2 I3a I3b I4a I4b I5 I6a I6b I7a I7b I8a I8b I9 I10 I11 I12a I12b".split()  # their random numbers follow from it
    )


@pytest.mark.parametrize("name", IDENTITIES)
def test_every_identity_cites_its_source(name):
    found = identifiers(IDENTITIES[name].source)
    assert found and {text.lower() for text in found} <= set(entries())


@pytest.fixture(scope="module")
def outcome():
    fractions: list[float] = []
    made = IdentitiesSuite(instances=1, memories=100).outcome([0], 1, lambda fraction, note="": fractions.append(fraction))
    assert fractions == sorted(fractions) and fractions[-1] == 1
    return made


@pytest.mark.full
def test_all_identities_hold_in_the_simulation(outcome):
    assert [row["name"] for row in outcome.numbers["identities"]] == list(IDENTITIES)
    assert len(outcome.checks) == len(IDENTITIES) + 4 and all(check.holds for check in outcome.checks)
    assert outcome.arrays["difference"].shape == (len(IDENTITIES), 1)


def test_each_identity_is_drawn_in_the_figure_with_its_tolerance_and_a_difference_of_0_at_the_0(outcome):
    figure = draw(IdentitiesSuite().figures(outcome.arrays)["identities"])
    figure.draw_without_rendering()
    axis = figure.axes[0]
    labels = [label.get_text().split()[0] for label in axis.get_yticklabels()]
    assert labels == list(IDENTITIES)
    drawn = {line.get_label().split()[0]: np.asarray(line.get_xdata()) for line in axis.lines}
    zero = axis.get_xticks()[0]
    assert [text.get_text() for text in axis.get_xticklabels()][0] == "0" and axis.get_xlim()[0] < zero
    for mark, key in (("largest", "largest_difference"), ("tolerance", "tolerance")):
        values = np.array([row[key] for row in outcome.numbers["identities"]])
        assert np.array_equal(drawn[mark], np.where(values > 0, values, zero)) and (values == 0).any()
    box = figure.get_tightbbox()
    assert box.x0 > -0.01 and box.x1 < figure.get_size_inches()[0] + 0.01  # nothing is cut off, to 1 or 2 pixels
