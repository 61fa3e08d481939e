"""How alike two learners are: known answers, exact nulls, and what has no answer."""

from __future__ import annotations

import json
import math
import warnings
from itertools import permutations, product

import numpy as np
import pytest
from scipy import stats
from scipy.spatial.distance import squareform
from sklearn.metrics import brier_score_loss, cohen_kappa_score

from bridges.comparison.measures import (
    MEASURES,
    _exchanged,
    across_seeds,
    align,
    attention_correlation,
    calibration,
    calibration_null,
    cka,
    error_consistency,
    noise_ceiling,
    null,
    rdm,
    rdm_correlation,
    summarised,
)
from plasticity.errors import WrongUse
from plasticity.statistics import interval, paired_difference

EXACT = 1e-12  # the same numbers added in another order


@pytest.fixture(autouse=True)
def _no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def right(both: int, only_a: int, only_b: int, neither: int) -> tuple[np.ndarray, np.ndarray]:
    return np.repeat([True, True, False, False], [both, only_a, only_b, neither]), np.repeat(
        [True, False, True, False], [both, only_a, only_b, neither]
    )


def rotation(units: int, rng: np.random.Generator) -> np.ndarray:
    return np.linalg.qr(rng.normal(size=(units, units)))[0]


def matrix(rng: np.random.Generator, conditions: int = 8) -> np.ndarray:
    return squareform(rng.random(conditions * (conditions - 1) // 2))


# What each measure takes, drawn for one learner; the second without a relation to the first.
DRAWS = {
    "error_consistency": lambda rng: rng.random(60) < rng.choice([0.4, 0.7]),
    "cka": lambda rng: rng.normal(size=(15, 40)) * np.linspace(0.1, 2, 40) + 3,
    "rsa": lambda rng: rdm(rng.normal(size=(24, 30)), np.arange(24) % 8),
    "attention": lambda rng: rng.dirichlet([4, 1, 1], size=20),  # both prefer the first stream
}
VALUES = {
    "error_consistency": lambda a, b: error_consistency(a, b).kappa,
    "cka": cka,
    "rsa": rdm_correlation,
    "attention": attention_correlation,
}


def shuffled(measure: str, array: np.ndarray, order: np.ndarray) -> np.ndarray:
    return array[np.ix_(order, order)] if measure == "rsa" else array[order]


# error_consistency


def test_kappa_of_ten_trials_worked_by_hand():
    # 6 and 7 of 10 right, 5 together, 2 wrong together: observed .7, expected .6 x .7 + .4 x .3 = .54.
    assert error_consistency(*right(5, 1, 2, 2)) == pytest.approx((0.7, 0.54, 0.16 / 0.46), abs=EXACT)


def test_kappa_is_that_of_scikit_learn():
    rng = np.random.default_rng(0)
    for a, b in rng.random((20, 2, 50)) < rng.random((20, 2, 1)):
        assert error_consistency(a, b).kappa == pytest.approx(cohen_kappa_score(a, b), abs=EXACT)


def test_kappa_is_0_for_independent_errors_of_unequal_accuracy():
    # 80 % and 50 % right, 40 % together: exactly the product. Half of the trials overlap all the same.
    observed, expected, kappa = error_consistency(*right(40, 40, 10, 10))
    assert (observed, expected) == pytest.approx((0.5, 0.5), abs=EXACT) and abs(kappa) < EXACT


def test_kappa_is_1_for_the_same_errors_and_undefined_without_any():
    a, _ = right(3, 4, 0, 2)
    assert error_consistency(a, a).kappa == pytest.approx(1, abs=EXACT)
    assert math.isnan(error_consistency([1, 1, 1], [1, 1, 1]).kappa)
    assert math.isnan(error_consistency([0, 0, 0], [0, 0, 0]).kappa)
    assert error_consistency([1, 1, 1], [0, 0, 0]) == (0, 0, 0)  # never alike, as expected


def test_the_permutations_of_kappa_are_hypergeometric():
    a, b = right(14, 6, 4, 6)  # 20 and 18 of 30 right
    exact = stats.hypergeom(30, 20, 18)
    drawn = null("error_consistency", a, b, np.random.default_rng(1), 4000)
    error = math.sqrt(exact.sf(13) * exact.cdf(13) / 4000)
    assert abs(drawn.p - exact.sf(13)) < 4 * error  # four binomial standard errors
    kappas = [error_consistency(*right(n, 20 - n, 18 - n, n - 8)).kappa for n in range(8, 19)]
    counts = np.array([np.isclose(drawn.distribution, kappa).sum() for kappa in kappas])
    assert counts.sum() == 4000  # nothing lies between
    wanted = 4000 * exact.pmf(np.arange(8, 19))
    often = wanted > 5
    assert stats.chisquare(counts[often], wanted[often] * counts[often].sum() / wanted[often].sum()).pvalue > 1e-3


# cka


def test_a_rotated_scaled_and_shifted_copy_has_a_cka_of_1():
    rng = np.random.default_rng(2)
    x = rng.normal(size=(25, 60)) * np.linspace(0.1, 3, 60)
    for copy in (x, x @ rotation(60, rng), -7.5 * x, x + rng.normal(size=60), 1e-6 * x @ rotation(60, rng) - 4):
        assert cka(x, copy) == pytest.approx(1, abs=1e-9)  # 1e-6 beside a shift of 4 keeps ten digits
    assert cka(x, np.hstack([x, np.zeros((25, 9))])) == pytest.approx(1, abs=EXACT)


def hsic_1(k: np.ndarray, kk: np.ndarray) -> float:
    """Song et al. (2012), equation 5."""
    n = len(k)
    k, kk, one = k - np.diag(np.diag(k)), kk - np.diag(np.diag(kk)), np.ones(n)
    both = one @ k @ one * (one @ kk @ one) / ((n - 1) * (n - 2))
    return (np.trace(k @ kk) + both - 2 / (n - 2) * one @ k @ kk @ one) / (n * (n - 3))


def biased_cka(x: np.ndarray, y: np.ndarray) -> float:
    x, y = x - x.mean(axis=0), y - y.mean(axis=0)
    return np.sum((x.T @ y) ** 2) / math.sqrt(np.sum((x.T @ x) ** 2) * np.sum((y.T @ y) ** 2))


def test_cka_is_the_formula_of_song_and_others():
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(12, 30)) + 1, rng.normal(size=(12, 4))
    y[:, 0] += x[:, 0]
    k, kk = x @ x.T, y @ y.T
    assert cka(x, y) == pytest.approx(hsic_1(k, kk) / math.sqrt(hsic_1(k, k) * hsic_1(kk, kk)), abs=1e-11)  # not centred first


def test_the_mean_cka_over_all_permutations_is_0_and_the_biased_one_is_not():
    rng = np.random.default_rng(4)
    x, y = rng.normal(size=(5, 3)), rng.normal(size=(5, 7)) + 2
    orders = [list(order) for order in permutations(range(5))]
    assert abs(np.mean([cka(x[order], y) for order in orders])) < EXACT
    assert np.mean([biased_cka(x[order], y) for order in orders]) > 0.3


def test_more_units_than_trials_inflate_the_biased_cka_of_noise_and_not_this_one():
    rng = np.random.default_rng(5)
    draws = [(rng.normal(size=(30, 300)), rng.normal(size=(30, 200))) for _ in range(50)]
    assert np.mean([biased_cka(x, y) for x, y in draws]) > 0.8
    values = [cka(x, y) for x, y in draws]
    assert abs(np.mean(values)) < 4 * stats.sem(values)  # four standard errors


def test_half_of_the_variance_shared_gives_the_cka_of_the_population():
    # Units (s, a) and (s, b), independent of unit variance: |cov(x, y)|^2 = 1, |cov(x, x)|^2 = 2, so 1/2.
    rng = np.random.default_rng(6)
    values = [cka(np.stack([s, a], 1), np.stack([s, b], 1)) for s, a, b in rng.normal(size=(30, 3, 300))]
    assert abs(np.mean(values) - 0.5) < 4 * stats.sem(values) + 1 / 300  # and what a ratio of estimates is off by


def test_cka_is_undefined_where_no_trial_differs_or_all_differ_alike():
    rng = np.random.default_rng(7)
    x = rng.normal(size=(6, 3))
    assert math.isnan(cka(x, np.ones((6, 2)))) and math.isnan(cka(np.repeat([[0.1 + 0.2], [0.3]], 3, axis=0), x))
    assert math.isnan(cka(x, np.eye(6)))
    assert np.isnan(null("cka", x, np.ones((6, 2)), rng, 9).distribution).all()


# rdm, rdm_correlation, noise_ceiling


def test_a_distance_worked_by_hand():
    # Means 1 and 4, variances 2 and 2 over two trials each: 9 - 1 - 1.
    assert rdm([[0.0], [3.0], [2.0], [5.0]], [0, 1, 0, 1]) == pytest.approx(np.array([[0, 7.0], [7.0, 0]]), abs=EXACT)


def test_distances_are_the_average_over_all_pairs_of_different_trials():
    rng = np.random.default_rng(8)
    x, of = rng.normal(size=(9, 4)) + 2, np.array([0, 0, 1, 1, 1, 2, 2, 2, 2])

    def brute(i: int, j: int) -> float:
        pairs = [product(np.flatnonzero(of == c), repeat=2) for c in (i, j)]
        first, second = ([(t, u) for t, u in pair if t != u] for pair in pairs)
        return np.mean([(x[t] - x[u]) @ (x[s] - x[v]) / 4 for t, s in first for u, v in second])

    found = rdm(x, of)
    for i, j in ((0, 1), (0, 2), (1, 2)):
        assert found[i, j] == pytest.approx(brute(i, j), abs=EXACT)
    assert found.diagonal().tolist() == [0, 0, 0]


def test_unequal_numbers_of_trials_make_plain_distances_of_noise_alike_and_not_these():
    rng = np.random.default_rng(9)
    of = np.repeat(np.arange(10), np.arange(2, 12))

    def plain(x: np.ndarray) -> np.ndarray:
        means = np.stack([x[of == c].mean(axis=0) for c in range(10)])
        return ((means[:, None] - means) ** 2).sum(axis=2)

    draws = [(rng.normal(size=(len(of), 50)), rng.normal(size=(len(of), 50))) for _ in range(100)]
    assert np.mean([rdm_correlation(plain(x), plain(y)) for x, y in draws]) > 0.7
    values = [rdm_correlation(rdm(x, of), rdm(y, of)) for x, y in draws]
    assert abs(np.mean(values)) < 4 * stats.sem(values)  # four standard errors


def test_the_correlation_of_matrices_is_spearmans_of_the_upper_triangles():
    rng = np.random.default_rng(10)
    a, b = matrix(rng), np.round(matrix(rng), 1)  # the second with ties
    upper = np.triu_indices(8, 1)
    assert rdm_correlation(a, b) == pytest.approx(stats.spearmanr(a[upper], b[upper]).statistic, abs=EXACT)
    assert rdm_correlation(a, a**3) == pytest.approx(1, abs=EXACT)
    assert rdm_correlation(a, 1 / (a + np.eye(8)) - np.eye(8)) == pytest.approx(-1, abs=EXACT)


def test_a_rotated_representation_has_the_same_matrix_also_where_distances_tie():
    rng = np.random.default_rng(11)
    x, of = rng.normal(size=(40, 20)), np.arange(40) % 8
    assert rdm_correlation(rdm(x, of), rdm(3 * x @ rotation(20, rng) + 1, of)) == pytest.approx(1, abs=EXACT)
    codes = np.eye(20)[of // 2] / 3  # four classes, two conditions each, no noise: distances are 0 or 2/9/20
    assert rdm_correlation(rdm(codes, of), rdm(codes @ rotation(20, rng), of)) == pytest.approx(1, abs=EXACT)


def test_a_condition_of_fewer_than_two_trials_is_left_out():
    rng = np.random.default_rng(12)
    x, y, of = rng.normal(size=(17, 5)), rng.normal(size=(17, 5)), np.array([0] * 4 + [1] + [2] * 4 + [3] * 4 + [5] * 4)
    a, b = rdm(x, of, count=7), rdm(y, of, count=7)
    assert np.isnan(a[[1, 4, 6]]).all() and np.isnan(a[:, [1, 4, 6]]).all()
    kept = np.ix_([0, 2, 3, 5], [0, 2, 3, 5])
    assert rdm_correlation(a, b) == pytest.approx(rdm_correlation(a[kept], b[kept]), abs=EXACT)
    assert math.isnan(rdm_correlation(a, np.full((7, 7), np.nan)))
    assert math.isnan(rdm_correlation(a, rdm(np.ones((17, 5)), of, count=7)))


def test_identical_matrices_have_a_noise_ceiling_of_1():
    a = matrix(np.random.default_rng(13))
    assert noise_ceiling([a] * 4) == pytest.approx((1, 1), abs=EXACT)


def test_matrices_of_noise_have_a_lower_bound_near_0_and_an_upper_one_of_one_over_the_root_of_the_seeds():
    rng = np.random.default_rng(14)
    low, high = np.array([noise_ceiling([matrix(rng) for _ in range(9)]) for _ in range(40)]).T
    assert abs(low.mean()) < 4 * stats.sem(low)  # four standard errors
    assert abs(high.mean() - 1 / 3) < 4 * stats.sem(high) + 0.01  # ranks of ranks lose about a percent


def test_no_ranking_lies_closer_to_all_seeds_than_the_upper_bound():
    rng = np.random.default_rng(15)
    orders = np.array(list(permutations(np.arange(6) - 2.5)))  # of the six pairs of four conditions
    for _ in range(10):
        seeds = [matrix(rng, 4) for _ in range(5)]
        ranks = np.array([stats.rankdata(seed[np.triu_indices(4, 1)]) - 3.5 for seed in seeds])
        closest = (orders @ ranks.T / 17.5).mean(axis=1).max()  # 17.5 is the square of every row
        low, high = noise_ceiling(seeds)
        assert low < high and high >= closest - EXACT
        if len(np.unique(ranks.sum(axis=0))) == 6:
            assert high == pytest.approx(closest, abs=EXACT)


def test_the_lower_bound_is_how_well_the_other_seeds_predict_a_seed():
    rng = np.random.default_rng(16)
    seeds = [matrix(rng) for _ in range(3)]
    upper = np.triu_indices(8, 1)
    ranks = [stats.rankdata(seed[upper]) for seed in seeds]
    by_hand = np.mean([stats.spearmanr(ranks[i], ranks[i - 1] + ranks[i - 2]).statistic for i in range(3)])
    assert noise_ceiling(seeds)[0] == across_seeds(seeds, seeds) == pytest.approx(by_hand, abs=EXACT)
    assert across_seeds(seeds, [2 * seed for seed in seeds]) == pytest.approx(by_hand, abs=EXACT)
    assert all(math.isnan(bound) for bound in noise_ceiling(seeds[:1]))


# attention_correlation


def test_with_two_streams_the_correlation_is_the_cosine_of_the_differences():
    a, b = [[0.8, 0.2], [0.3, 0.7], [0.5, 0.5]], [[0.6, 0.4], [0.4, 0.6], [0.9, 0.1]]
    # Differences (.6, -.4, 0) and (.2, -.2, .8): .2 / sqrt(.52 x .72).
    assert attention_correlation(a, b) == pytest.approx(0.2 / math.sqrt(0.52 * 0.72), abs=EXACT)


def test_a_gain_may_be_shifted_in_each_row_and_scaled():
    rng = np.random.default_rng(17)
    shares, other = rng.dirichlet([1, 1, 1], size=(2, 12))
    gain = 3 * shares + rng.random((12, 1))
    assert attention_correlation(shares, gain) == pytest.approx(1, abs=EXACT)
    assert attention_correlation(other, gain) == pytest.approx(attention_correlation(other, shares), abs=EXACT)


def test_attention_that_prefers_no_stream_correlates_with_nothing():
    shares = np.random.default_rng(18).dirichlet([1, 1, 1], size=12)
    assert math.isnan(attention_correlation(shares, np.full((12, 3), 1 / 3)))
    assert math.isnan(attention_correlation(shares, np.tile([0.3, 0.1 + 0.2, 0.1 * 3], (12, 1))))  # equal but for rounding
    assert math.isnan(attention_correlation(np.ones((5, 1)), np.ones((5, 1))))  # a single stream


def test_a_preference_that_all_trials_share_is_part_of_chance():
    rng = np.random.default_rng(19)
    same = np.tile([0.6, 0.3, 0.1], (10, 1))
    found = null("attention", same, same, rng, 19)
    assert found.value == pytest.approx(1, abs=EXACT) and found.p == 1
    # The sum over trials is the same in every order, but for rounding.
    assert null("attention", rng.dirichlet([1, 1, 1], size=50), np.tile([0.6, 0.3, 0.1], (50, 1)), rng, 99).p == 1
    found = null("attention", *rng.dirichlet([8, 4, 1], size=(2, 50)), rng, 99)
    assert found.distribution.mean() > 0.7 and found.p > 0.01


# null


@pytest.mark.parametrize("measure", MEASURES)
def test_the_null_is_the_measure_of_shuffled_trials(measure):
    rng = np.random.default_rng(20)
    a, b = DRAWS[measure](rng), DRAWS[measure](rng)
    found = null(measure, a, b, np.random.default_rng(0), 25)
    orders = np.random.default_rng(0).permuted(np.tile(np.arange(len(a)), (25, 1)), axis=1)
    slow = [VALUES[measure](shuffled(measure, a, order), b) for order in orders]
    assert found.value == pytest.approx(VALUES[measure](a, b), abs=EXACT)
    assert found.distribution == pytest.approx(np.array(slow), abs=EXACT)
    assert found.p == (1 + sum(value >= found.value - EXACT for value in slow)) / 26


@pytest.mark.parametrize("measure", MEASURES)
def test_both_sides_shuffled_together_changes_nothing(measure):
    rng = np.random.default_rng(21)
    a, b = DRAWS[measure](rng), DRAWS[measure](rng)
    order = rng.permutation(len(a))
    moved = VALUES[measure](shuffled(measure, a, order), shuffled(measure, b, order))
    assert moved == pytest.approx(VALUES[measure](a, b), abs=EXACT)
    assert VALUES[measure](b, a) == pytest.approx(VALUES[measure](a, b), abs=EXACT)


@pytest.mark.parametrize("measure", MEASURES)
def test_independent_learners_are_found_alike_in_5_percent_of_experiments(measure):
    rng = np.random.default_rng(22)
    experiments = 1000
    p = np.array([null(measure, DRAWS[measure](rng), DRAWS[measure](rng), rng, 19).p for _ in range(experiments)])
    error = 4 * math.sqrt(0.05 * 0.95 / experiments)  # four binomial standard errors
    # 19 permutations and the observed order: exactly 1 of 20 is the largest, unless there are ties, which count against.
    assert np.mean(p <= 0.05) < 0.05 + error
    assert np.mean(p <= 0.05) > (0.0 if measure == "error_consistency" else 0.05 - error)


def test_unequal_numbers_of_trials_raise_the_false_alarms_of_rsa_to_what_its_docstring_says():
    rng = np.random.default_rng(33)
    of, experiments = np.repeat(np.arange(10), np.arange(2, 12)), 1000
    noise = [[rdm(rng.normal(size=(len(of), 30)), of) for _ in "ab"] for _ in range(experiments)]
    alarms = np.mean([null("rsa", a, b, rng, 19).p <= 0.05 for a, b in noise])
    assert abs(alarms - 0.09) < 4 * math.sqrt(0.09 * 0.91 / experiments)  # four binomial standard errors
    assert alarms > 0.05 + 2 * math.sqrt(0.05 * 0.95 / experiments)
    values = np.array([rdm_correlation(a, b) for a, b in noise]).reshape(-1, 10, 1)  # ten seeds each
    over = np.mean([_exchanged(value)[0][0] <= 0.05 for value in values])
    assert over < 0.05 + 4 * math.sqrt(0.05 * 0.95 / len(values))


@pytest.mark.parametrize("measure", MEASURES)
def test_a_learner_is_alike_to_itself_with_the_smallest_p_there_is(measure):
    a = DRAWS[measure](np.random.default_rng(23))
    found = null(measure, a, a, np.random.default_rng(0), 199)
    assert found.value == pytest.approx(1, abs=EXACT) and found.p == 1 / 200


# calibration


def test_a_reliability_curve_worked_by_hand():
    # Two bins. Confidence .5 is the upper edge of the first: it belongs there. Answers 0 0 1 0; right: yes no yes yes.
    found = calibration([[0.5, 0.5], [0.9, 0.1], [0.3, 0.7], [0.8, 0.2]], [0, 1, 1, 0], bins=2)
    assert found.trials.tolist() == [1, 3] and found.edges.tolist() == [0, 0.5, 1]
    assert found.confidence == pytest.approx([0.5, 0.8], abs=EXACT) and found.accuracy == pytest.approx([1, 2 / 3], abs=EXACT)
    assert found.ece == pytest.approx((0.5 + 3 * (0.8 - 2 / 3)) / 4, abs=EXACT)
    assert found.brier == pytest.approx((0.5 + 1.62 + 0.18 + 0.08) / 4, abs=EXACT)


def test_the_error_is_the_weighted_gap_of_the_curve():
    rng = np.random.default_rng(24)
    found = calibration(rng.dirichlet([0.2] * 10, 400), rng.integers(0, 10, 400))
    held = found.trials > 0
    assert found.trials.sum() == 400 and np.isnan(found.confidence[~held]).all() and not held[0]  # ten classes: at least .1
    gaps = np.abs(found.accuracy - found.confidence)[held]
    assert found.ece == pytest.approx((found.trials[held] * gaps).sum() / 400, abs=EXACT)


def test_a_learner_that_always_says_90_percent_and_is_right_in_60_is_30_off():
    labels = np.repeat([0, 1], [60, 40])
    for bins in (1, 10, 15):
        assert calibration(np.tile([0.9, 0.1], (100, 1)), labels, bins).ece == pytest.approx(0.3, abs=EXACT)


def test_the_brier_score_of_no_idea_of_certainty_and_of_scikit_learn():
    labels = np.arange(20) % 10
    assert calibration(np.full((20, 10), 0.1), labels).brier == pytest.approx(0.9, abs=EXACT)
    sure = calibration(np.eye(10)[labels], labels)
    assert (sure.brier, sure.ece) == (0, 0)
    p, labels = np.random.default_rng(25).random(50), np.arange(50) % 2
    assert calibration(np.stack([1 - p, p], 1), labels).brier == pytest.approx(2 * brier_score_loss(labels, p), abs=EXACT)


def drawn_labels(p: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return np.minimum((rng.random((len(p), 1)) > p.cumsum(axis=1)).sum(axis=1), p.shape[1] - 1)


def test_the_null_of_the_error_is_that_of_labels_drawn_from_all_probabilities():
    rng = np.random.default_rng(26)
    p = rng.dirichlet([0.3] * 10, 200)
    whole = [calibration(p, drawn_labels(p, rng)).ece for _ in range(400)]
    short = calibration_null(p, rng, 4000)
    assert stats.ks_2samp(whole, short).pvalue > 1e-3


def test_the_null_of_the_error_has_the_mean_that_the_docstring_tells():
    rng = np.random.default_rng(27)
    for alpha, low, high in ((0.3, 0.045, 0.055), (0.05, 0.035, 0.045)):
        p = rng.dirichlet([alpha] * 10, 500)
        curve = calibration(p, np.zeros(500, dtype=int))
        n, q = curve.trials[curve.trials > 0], curve.confidence[curve.trials > 0]
        found = calibration_null(p, rng, 4000).mean()
        # Half-normal gaps: off by a few percent in bins of a few trials.
        assert found == pytest.approx(np.sqrt(2 * n * q * (1 - q) / np.pi).sum() / 500, rel=0.03)
        assert low < found < high


def test_a_calibrated_learner_is_found_miscalibrated_in_5_percent_of_experiments_and_an_overconfident_one_nearly_always():
    rng = np.random.default_rng(28)
    experiments, alarms, found = 800, 0, 0
    for _ in range(experiments):
        p = rng.dirichlet([0.5] * 4, 150)
        labels, draws = drawn_labels(p, rng), calibration_null(p, rng, 19)
        alarms += calibration(p, labels).ece > draws.max()
        sharper = p**3 / (p**3).sum(axis=1, keepdims=True)
        found += calibration(sharper, labels).ece > calibration_null(sharper, rng, 19).max()
    assert abs(alarms / experiments - 0.05) < 4 * math.sqrt(0.05 * 0.95 / experiments)  # four binomial standard errors
    assert found > 0.95 * experiments


# align, summarised


def learners(seed: int, names: str = "abc", trials: int = 60, shown: int = 40) -> dict[str, dict]:
    rng = np.random.default_rng(seed)
    labels, conditions = rng.integers(0, 4, trials), np.arange(shown) % 8
    image, means = rng.normal(size=(shown, 10)), np.random.default_rng(99).normal(size=(8, 10))
    told = {}
    for name in names:
        own = np.random.default_rng([seed, ord(name)])
        p = own.dirichlet([0.5] * 4, trials)
        told[name] = {
            "predictions": np.where(own.random(trials) < 0.7, labels, own.integers(0, 4, trials)),
            "labels": labels,
            "probabilities": p,
            "representation": image + means[conditions] + own.normal(size=(shown, 10)),
            "conditions": conditions,
            "attention": own.dirichlet([1, 1], trials),
        }
    return told


def test_align_tells_of_each_pair_what_the_measures_say():
    given = learners(0)
    given["c"]["attention"], given["c"]["probabilities"] = None, None
    del given["b"]["representation"]
    found = align(given, np.random.default_rng(0), permutations=19)
    a, b, c = given.values()
    assert list(found.pairs) == [("a", "b"), ("a", "c"), ("b", "c")]
    told = error_consistency(a["predictions"] == a["labels"], b["predictions"] == b["labels"])
    ab, ac = found.pairs["a", "b"], found.pairs["a", "c"]
    keys = ("error_consistency_observed", "error_consistency_expected", "error_consistency")
    assert [ab[key] for key in keys] == pytest.approx(list(told), abs=EXACT)
    assert ab["attention"] == pytest.approx(attention_correlation(a["attention"], b["attention"]), abs=EXACT)
    assert ac["cka"] == pytest.approx(cka(a["representation"], c["representation"]), abs=EXACT)
    of_a, of_c = (rdm(one["representation"], one["conditions"]) for one in (a, c))
    assert ac["rsa"] == pytest.approx(rdm_correlation(of_a, of_c), abs=EXACT)
    assert not {"cka", "rsa"} & ab.keys() and "attention" not in ac and set(found.rdms) == {"a", "c"}
    assert ac["cka_p"] == 1 / 20 and abs(ac["cka_chance"]) < 0.1  # the trials are the same, the noise is not
    assert found.learners["a"]["ece"] == calibration(a["probabilities"], a["labels"]).ece and found.learners["c"] == {}


def test_align_does_not_change_when_trials_are_shuffled_for_all_or_a_learner_is_added():
    given = learners(1)
    order, part = np.random.default_rng(2).permutation(60), np.random.default_rng(3).permutation(40)
    shown = ("representation", "conditions")
    moved = {
        name: {key: array[part if key in shown else order] for key, array in arrays.items()} for name, arrays in given.items()
    }
    first, again = (align(one, np.random.default_rng(0), 9) for one in (given, moved))
    for pair, numbers in first.pairs.items():
        for key in MEASURES:
            assert again.pairs[pair][key] == pytest.approx(numbers[key], abs=EXACT)
    for name in "bc":
        given[name]["representation"] = None
    few, more = (align(one, np.random.default_rng(0), 9) for one in (given, learners(1, "d") | given))
    assert "cka" in more.pairs["d", "a"] and "cka" not in few.pairs["a", "b"]
    for pair, numbers in few.pairs.items():
        assert more.pairs[pair] == pytest.approx(numbers, abs=EXACT)
    assert {name: more.learners[name] for name in "abc"} == few.learners


@pytest.fixture(scope="module")
def ten_seeds():
    return [align(learners(seed, "abcdefgh"), np.random.default_rng(seed), 19, count=8) for seed in range(10)]


@pytest.fixture(scope="module")
def summary(ten_seeds):
    return summarised(ten_seeds)


def test_the_summary_over_seeds_is_made_of_intervals_and_paired_differences(ten_seeds, summary):
    assert len(summary["pairs"]) == 28 and json.dumps(summary, allow_nan=False)
    for key in MEASURES:
        rows = [alignment.pairs["a", "b"] for alignment in ten_seeds]
        told = summary["pairs"][0][key]
        assert told["seeds"] == [row[key] for row in rows] and (told["low"], told["high"]) == interval(told["seeds"])
        assert told["p"] == paired_difference(told["seeds"], [row[f"{key}_chance"] for row in rows]).p
    first = summary["learners"][0]
    assert (first["ceiling"]["low"], first["ceiling"]["high"]) == noise_ceiling([one.rdms["a"] for one in ten_seeds])
    matrices = ([one.rdms[name] for one in ten_seeds] for name in "ab")
    assert summary["pairs"][0]["rsa"]["a_by_b"] == across_seeds(*matrices)


def test_what_all_seeds_agree_on_survives_the_correction_over_28_pairs_and_noise_does_not(summary):
    pairs = summary["pairs"]
    for pair in pairs:
        assert pair["cka"]["p_corrected"] == 2 / 2**10  # the same images: the smallest p of ten seeds
        assert all(pair[key]["p_corrected"] >= pair[key]["p"] for key in MEASURES)
        assert pair["rsa"]["a_by_b"] > 0.3  # the conditions differ in the same way in every seed
    # Independent errors and attention: any of 28 pairs below .05 is one chance in 20 for each; below .002 one in 500.
    assert all(min(pair[key]["p_corrected"] for pair in pairs) > 2 / 2**10 for key in ("error_consistency", "attention"))


def test_the_chance_of_any_false_alarm_over_the_pairs_is_5_percent():
    rng = np.random.default_rng(29)
    experiments = 1500
    common = rng.normal(size=(experiments, 10, 1))
    smallest = [_exchanged(row)[1].min() for row in common + rng.normal(size=(experiments, 10, 6))]
    exact = math.floor(0.05 * 2**9) / 2**9  # p takes the values k / 2**9
    assert abs(np.mean(np.array(smallest) <= 0.05) - exact) < 4 * math.sqrt(exact * (1 - exact) / experiments)


def test_ties_that_rounding_would_break_stay_ties():
    # The differences add up to 0, but to 1e-17 in floating point: every exchange is as extreme.
    assert [float(p[0]) for p in _exchanged(np.array([[0.2], [0.7 - 0.3], [0.6 - 0.8], [-0.4]]))] == [1, 1]


def test_with_many_seeds_the_signs_are_drawn_and_p_is_never_0():
    p, corrected = _exchanged(np.random.default_rng(30).normal([3, 0], 1, (30, 2)))
    assert p[0] == corrected[0] == 1 / 10000 and corrected[1] >= p[1] > 0.001


def test_missing_learners_and_undefined_numbers_are_none_in_the_summary():
    given = [learners(seed, "ab") for seed in range(3)]
    given[1]["a"]["predictions"] = given[1]["b"]["predictions"] = given[1]["a"]["labels"]  # both always right
    del given[2]["b"]
    summary = summarised([align(one, np.random.default_rng(0), 9) for one in given])
    told = summary["pairs"][0]["error_consistency"]
    assert told["seeds"][1:] == [None, None] and told["mean"] == told["seeds"][0]
    assert told["low"] is told["p"] is told["p_corrected"] is None
    assert summary["pairs"][0]["cka"]["p"] == 0.5  # two seeds
    assert len(summary["learners"][1]["ece"]["seeds"]) == 3 and summary["learners"][1]["ece"]["seeds"][2] is None
    only = summarised([align({"a": {"predictions": [0, 1, 1], "labels": [0, 1, 0]}}, np.random.default_rng(0))])
    assert only == {"pairs": [], "learners": [{"name": "a"}]}


# refusals

X = np.random.default_rng(31).normal(size=(6, 3))
RNG = np.random.default_rng(32)
HALF = np.full((6, 2), 0.5)


@pytest.mark.parametrize(
    ("refused", "said"),
    [
        (lambda: error_consistency([1, 0, 1], [1, 0]), "answers of 2 and of 3 trials"),
        (lambda: error_consistency([1], [1]), "has 1 row; at least 2"),
        (lambda: error_consistency([0, 2, 1], [1, 0, 1]), "True or False"),
        (lambda: error_consistency([[1, 0]], [[1, 0]]), "1 dimension, trials first"),
        (lambda: error_consistency(["yes", "no"], [1, 0]), "array of numbers"),
        (lambda: cka(X, X[:5]), "representations of 5 and of 6 trials"),
        (lambda: cka(X[:3], X[:3]), "at least 4"),
        (lambda: cka(X, np.where(X == X[2, 1], np.nan, X)), "NaN or infinity"),
        (lambda: cka(X, X[:, 0]), "2 dimensions"),
        (lambda: cka(X, X[:, :0]), "2 dimensions"),
        (lambda: rdm(X, [0, 0, 1, 1, 2]), "of 5 and of 6 trials"),
        (lambda: rdm(X, [0, 0, 1, 1, 2, 2], count=2), "from 0 to 1; got values from 0 to 2"),
        (lambda: rdm(X, [0, 0, 1, 1, 2, -1]), "whole numbers from 0"),
        (lambda: rdm(X, [0, 0, 1, 1, 2, 0.5]), "whole numbers from 0"),
        (lambda: rdm_correlation(np.eye(3), np.eye(4)), r"shapes \(3, 3\) and \(4, 4\)"),
        (lambda: rdm_correlation(np.eye(3), np.triu(np.ones((3, 3)))), "symmetric"),
        (lambda: rdm_correlation(np.eye(2), [[0, np.nan], [np.nan, 0]]), "NaN for all pairs"),
        (lambda: rdm_correlation("near", np.eye(3)), "array of numbers"),
        (lambda: noise_ceiling([]), "at least one"),
        (lambda: across_seeds([np.eye(3)], [np.eye(3)] * 2), "1 and of 2 seeds"),
        (lambda: attention_correlation(HALF, HALF[:2]), r"shapes \(2, 2\) and \(6, 2\)"),
        (lambda: attention_correlation(HALF[:1], HALF[:1]), "at least 2"),
        (lambda: null("svcca", X, X, RNG), "no measure 'svcca'; choose error_consistency, cka"),
        (lambda: null("cka", X, X, RNG, permutations=0), "permutations must be 1 or more"),
        (lambda: calibration(HALF, [0, 1, 2, 0, 0, 0]), "from 0 to 1"),
        (lambda: calibration(HALF, [0, 1]), "of 2 and of 6 trials"),
        (lambda: calibration(2 * HALF, [0] * 6), "sum to 1"),
        (lambda: calibration([[1.5, -0.5]] * 2, [0, 0]), "negative"),
        (lambda: calibration(HALF, [0] * 6, bins=0), "bins must be 1 or more"),
        (lambda: calibration_null(HALF, RNG, resamples=0), "resamples must be 1 or more"),
        (lambda: align({}, RNG), "no learner"),
        (lambda: align({"a": {"predictions": [0, 1]}}, RNG), "predictions and labels"),
        (lambda: align({"a": {"predictions": [0, 1], "labels": [0, 1, 1]}}, RNG), "the same trials of every learner"),
        (lambda: align({n: {"predictions": [0, 1], "labels": [0, i]} for i, n in enumerate("ab")}, RNG), "b and a met trials"),
        (lambda: summarised([]), "no seed"),
    ],
)
def test_what_has_no_answer_is_refused_in_a_sentence(refused, said):
    with pytest.raises(WrongUse, match=said):
        refused()
