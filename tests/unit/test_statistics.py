import math
import warnings
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from plasticity.errors import WrongUse
from plasticity.statistics import (
    APART,
    SHARE,
    PairedDifference,
    _half,
    _permutation_p,
    each_and_mean,
    holm,
    if_spread,
    interval,
    known_mean,
    least_p,
    mean_and_interval,
    padded,
    paired_difference,
    same_signs,
    scale_to,
    share_of,
    told_ends,
    told_p,
)

ACCURACIES = [0.912, 0.934, 0.9, 0.951, 0.928, 0.917, 0.942, 0.905, 0.93, 0.921]
accuracies = st.lists(st.integers(0, 500).map(lambda right: right / 500), min_size=2, max_size=12)
p_values = st.lists(st.floats(0, 1), min_size=1, max_size=12)


# interval


def test_the_interval_is_scipys_t_interval():
    found = stats.ttest_1samp(ACCURACIES, 0).confidence_interval()
    assert interval(ACCURACIES) == pytest.approx((found.low, found.high), rel=1e-12)


def test_draws_that_share_data_widen_the_interval_as_nadeau_and_bengio_say():
    (low, high), (narrow, _) = interval(ACCURACIES, shared=1 / 3), interval(ACCURACIES)
    mean = np.mean(ACCURACIES)
    assert (mean - low) / (mean - narrow) == pytest.approx(math.sqrt(1 + 10 / 3)) and high - mean == pytest.approx(mean - low)
    one, other = np.array(ACCURACIES), np.array(ACCURACIES[::-1]) - 0.01
    pair = paired_difference(one, other, shared=1 / 3)
    assert (pair.low, pair.high) == interval(one - other, shared=1 / 3)
    t = pair.mean / math.sqrt((0.1 + 1 / 3) * (one - other).var(ddof=1))
    assert pair.p == pytest.approx(2 * stats.t.sf(abs(t), 9))
    with pytest.raises(WrongUse, match="shared must be test items over all others"):
        interval(ACCURACIES, shared=-1)


def test_the_interval_does_not_depend_on_the_order_of_the_seeds():
    assert interval(ACCURACIES) == interval(ACCURACIES[::-1]) == interval(np.random.default_rng(0).permutation(ACCURACIES))


def test_the_interval_scales_and_shifts_with_the_values():
    low, high = interval(ACCURACIES)
    moved = interval(3 + 10 * np.array(ACCURACIES))
    assert moved == pytest.approx((3 + 10 * low, 3 + 10 * high), rel=1e-12)  # rounding of the arithmetic only


@given(accuracies)
def test_the_interval_is_ordered_and_has_the_mean_in_its_middle(values):
    low, high = interval(values)
    assert low <= high and (low + high) / 2 == pytest.approx(np.mean(values), abs=1e-12)


def test_a_higher_confidence_gives_a_longer_interval():
    lengths = [high - low for low, high in (interval(ACCURACIES, confidence) for confidence in (0.5, 0.8, 0.95, 0.99))]
    assert lengths == sorted(lengths) and lengths[0] < lengths[-1]


@pytest.mark.parametrize("value", [0.0, 0.1, -3.7, 1.0])
def test_constant_values_have_an_interval_of_length_zero(value):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert interval([value] * 7) == (value, value)


def test_values_that_differ_by_rounding_only_count_as_constant():
    low, high = interval([0.9 - 0.8, 0.8 - 0.7, 0.7 - 0.6])
    assert low == high == pytest.approx(0.1)


@pytest.mark.parametrize("values", [[], [0.9]])
def test_fewer_than_two_values_have_no_interval(values):
    assert all(math.isnan(end) for end in interval(values))


# (seeds, draws from a distribution, its mean, coverage as stated in the docstring of `interval`, experiments)
COVERAGE = [
    pytest.param(3, "normal", 0.0, 0.95, id="3-normal"),
    pytest.param(10, "normal", 0.0, 0.95, id="10-normal"),
    pytest.param(10, "exponential", 1.0, 0.90, id="10-exponential"),
    pytest.param(10, "lognormal", math.exp(0.5), 0.84, id="10-lognormal"),
]


def covered(values: np.ndarray, truth: float, shared: float = 0.0) -> float:
    """Share of the experiments (experiments, seeds) whose 95 % interval holds the truth."""
    return float((np.abs(values.mean(axis=1) - truth) <= _half(values, 0.95, shared)).mean())


@pytest.mark.parametrize(("seeds", "shape", "mean", "stated"), COVERAGE)
def test_the_95_percent_interval_covers_the_mean_as_often_as_its_docstring_says(seeds, shape, mean, stated, experiments=20_000):
    coverage = covered(getattr(np.random.default_rng(seeds), shape)(size=(experiments, seeds)), mean)
    error = math.sqrt(stated * (1 - stated) / experiments)  # binomial standard error
    assert abs(coverage - stated) < 4 * error + 0.005  # half a point because the docstring gives whole percents


def test_within_what_is_possible_the_interval_covers_what_it_covered(experiments=400):
    assert interval([0.99, 1.0, 1.0], within=SHARE)[1] == 1 < interval([0.99, 1.0, 1.0])[1]
    assert interval([0.5, 0.6, 0.7], within=SHARE) == interval([0.5, 0.6, 0.7])
    shares = np.random.default_rng(5).binomial(50, 0.98, (experiments, 6)) / 50
    plain, bounded = (np.array([interval(row, within=ends) for row in shares]) for ends in ((-math.inf, math.inf), SHARE))
    assert (plain[:, 1] > 1).any() and bounded.max() == 1 and bounded.min() >= 0
    holds = [(ends[:, 0] <= 0.98) & (0.98 <= ends[:, 1]) for ends in (plain, bounded)]
    assert np.array_equal(*holds)


CLASSES, DIMENSIONS = 10, 16


def class_means(X, y, shown):
    means = np.stack([X[y == label].mean(axis=0) for label in range(CLASSES)])
    return ((means**2).sum(axis=1) - 2 * shown @ means.T).argmin(axis=1)


def nearest(X, y, shown):
    return y[((X**2).sum(axis=1) - 2 * shown @ X.T).argmin(axis=1)]


def of_one_set(seed, draws=10, learnt=1200):
    """Accuracies of two learners in ten draws of one set of 1797, (learners, draws), and on new data, (learners,)."""
    rng = np.random.default_rng(seed)
    centres = 0.8 * np.random.default_rng(0).standard_normal((CLASSES, DIMENSIONS))

    def items(count):
        y = rng.integers(CLASSES, size=count)
        return centres[y] + rng.standard_normal((count, DIMENSIONS)), y

    (X, y), (new, labels) = items(1797), items(2000)
    found, expected = np.empty((2, draws)), np.empty(2)
    for draw in range(draws):
        train, _, test = np.split(rng.permutation(1797), (learnt, 1397))
        for place, learner in enumerate((class_means, nearest)):
            found[place, draw] = (learner(X[train], y[train], X[test]) == y[test]).mean()
            if draw == 0:
                expected[place] = (learner(X[train], y[train], new) == labels).mean()
    return found, expected


@pytest.mark.full
@pytest.mark.parametrize(
    "learnt, most, apart",  # of the 1397 that are not tested, learnt from: of few, draws are less alike than `shared` says
    [(1200, 0.97, 0.82), (300, 0.999, 0.92)],
)
def test_the_interval_of_draws_that_share_data_covers_the_accuracy_on_new_data(learnt, most, apart, sets=1000, shared=400 / 1397):
    with ProcessPoolExecutor(2) as pool:
        drawn = pool.map(partial(of_one_set, learnt=learnt), range(sets), chunksize=25)
        found, expected = (np.array(part) for part in zip(*drawn, strict=True))
    for name, values, truth in (
        ("class means", found[:, 0], expected[:, 0].mean()),
        ("nearest neighbour", found[:, 1], expected[:, 1].mean()),
        ("their difference", found[:, 0] - found[:, 1], (expected[:, 0] - expected[:, 1]).mean()),
    ):
        for draws in (3, 5, 10):
            assert 0.93 <= covered(values[:, :draws], truth, shared) <= most, (name, draws)
        assert covered(values, truth) < apart, name  # as if the draws were independent


# paired_difference


@settings(deadline=None)
@given(accuracies)
def test_a_learner_does_not_differ_from_itself(values):
    assert paired_difference(values, values) == PairedDifference(mean=0.0, low=0.0, high=0.0, effect=0.0, p=1.0)


def by_enumeration(a, b):
    difference = np.subtract(a, b)
    means = [np.mean(difference * signs) for signs in product([-1, 1], repeat=len(difference))]
    return np.mean(np.abs(means) >= abs(difference.mean()) - 1e-12)  # 1e-12: equal means differ by rounding


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), min_size=2, max_size=8))
def test_p_is_the_share_of_all_exchanges_with_as_large_a_difference(pairs):
    a, b = np.array(pairs).T / 20  # coarse, so that ties are common
    assert paired_difference(a, b).p == pytest.approx(by_enumeration(a, b), abs=1e-12)


def test_p_of_three_pairs_worked_by_hand():
    # d = 1, 2, 3: of the 8 sign patterns the sums are +-6, +-4, +-2, 0, 0.
    assert paired_difference([2, 4, 6], [1, 2, 3]).p == 2 / 8
    # d = 3, 2, -1 has the sum 4: +-6 and +-4 are as large.
    assert paired_difference([3, 2, 0], [0, 0, 1]).p == 4 / 8


def test_ties_that_rounding_would_break_stay_ties():
    # The differences .2, .4, -.2, -.4 add up to 0, but to 1e-17 in floating point: every exchange is as extreme.
    assert paired_difference([0.2, 0.7, 0.6, 0.0], [0.0, 0.3, 0.8, 0.4]).p == 1


def test_ten_seeds_that_all_agree_give_the_smallest_p_of_ten_seeds():
    better = paired_difference(np.add(ACCURACIES, 0.05 + 0.001 * np.arange(10)), ACCURACIES)
    assert better.p == 2 / 2**10
    assert 0.05 < better.low < better.mean < better.high < 0.06


def test_with_many_seeds_p_is_drawn_at_random_and_never_zero():
    rng = np.random.default_rng(1)
    a, b = rng.normal(2, 1, 30), rng.normal(0, 1, 30)
    assert paired_difference(a, b).p == 2 / (9999 + 1)  # the smallest there is, counting the observed arrangement


@pytest.mark.parametrize("shape", ["normal", "lognormal"])
def test_without_a_difference_p_is_below_5_percent_in_5_percent_of_experiments(shape):
    experiments = 4000
    a, b = getattr(np.random.default_rng(5), shape)(size=(2, experiments, 10))
    false_alarms = (_permutation_p(a, b, batch=64) <= 0.05).mean()
    exact = math.floor(0.05 * 2**9) / 2**9  # p takes the values k / 2**9, whatever the distribution
    assert abs(false_alarms - exact) < 4 * math.sqrt(exact * (1 - exact) / experiments)  # binomial standard errors


def test_the_effect_is_the_mean_over_the_standard_deviation_with_hedges_correction():
    # d = 1, 2, 3: mean 2, sd 1; m = 2: J = Gamma(1) / (1 * Gamma(1/2)) = 1 / sqrt(pi).
    assert paired_difference([1, 2, 3], [0, 0, 0]).effect == pytest.approx(2 / math.sqrt(math.pi), rel=1e-12)
    # d = 1, 2, 3, 4, 5: mean 3, sd sqrt(2.5); m = 4: J = Gamma(2) / (sqrt(2) Gamma(3/2)) = sqrt(2 / pi).
    assert paired_difference([1, 2, 3, 4, 5], [0] * 5).effect == pytest.approx(
        3 / math.sqrt(2.5) * math.sqrt(2 / math.pi), rel=1e-12
    )


def test_the_effect_is_unbiased_for_five_normal_differences():
    experiments, true = 1500, 0.8
    d = np.random.default_rng(2).normal(true, 1, (experiments, 5))
    correction = paired_difference(d[0], np.zeros(5)).effect / (d[0].mean() / d[0].std(ddof=1))
    effects = d.mean(axis=1) / d.std(axis=1, ddof=1)
    error = effects.std() / math.sqrt(experiments)
    assert abs(correction * effects.mean() - true) < 4 * error  # four standard errors of the simulation
    assert effects.mean() - true > 4 * error  # which the uncorrected effect misses


def test_exchanging_the_learners_turns_the_sign():
    a, b = ACCURACIES, [0.9, 0.94, 0.88, 0.9, 0.92, 0.9, 0.91, 0.91, 0.92, 0.9]
    forth, back = paired_difference(a, b), paired_difference(b, a)
    assert (forth.mean, forth.effect, forth.p) == pytest.approx((-back.mean, -back.effect, back.p), rel=1e-12)
    assert (forth.low, forth.high) == pytest.approx((-back.high, -back.low), rel=1e-12)


def test_a_constant_difference_has_no_spread_and_an_infinite_effect():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = paired_difference([0.9, 0.8, 0.7], [0.8, 0.7, 0.6])
    assert result.low == result.mean == result.high == pytest.approx(0.1)
    assert (result.effect, result.p) == (math.inf, 2 / 8)
    assert paired_difference([0, 0], [1, 1]).effect == -math.inf


def test_one_seed_gives_a_difference_and_no_claim():
    result = paired_difference([0.9], [0.5])
    assert (result.mean, result.p) == (0.4, 1.0)
    assert math.isnan(result.low) and math.isnan(result.high) and math.isnan(result.effect)


def test_two_seeds_have_no_effect_size():
    assert math.isnan(paired_difference([0.9, 0.8], [0.5, 0.6]).effect)


def test_a_share_of_all_or_of_none_has_an_interval_with_a_width():
    """Wilson 1927, by hand: (k + z^2/2 -+ z sqrt(k(n - k)/n + z^2/4))/(n + z^2)."""
    z = stats.norm.ppf(0.975)
    for k, n in ((0, 10), (8, 10), (50, 50), (1, 1)):
        half = z * np.sqrt(k * (n - k) / n + z**2 / 4)
        found = share_of(k, n)
        assert found["mean"] == k / n and 0 <= found["low"] < found["high"] <= 1
        assert (found["low"], found["high"]) == pytest.approx([(k + z**2 / 2 + end) / (n + z**2) for end in (-half, half)])
    with pytest.raises(WrongUse, match="11 of 10 is no share"):
        share_of(11, 10)


# holm


def test_holm_on_an_example_worked_by_hand():
    # Sorted .005 .01 .03 .04 times 4 3 2 1 = .02 .03 .06 .04, made monotone: .02 .03 .06 .06.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02], rel=1e-12)


@pytest.mark.parametrize("seeds", [2, 5, 10, 20])
def test_the_least_p_is_that_of_seeds_that_all_agree(seeds, comparisons=3):
    agreed = paired_difference(np.arange(1.0, seeds + 1), np.zeros(seeds)).p
    assert agreed == least_p(seeds) and max(holm([agreed] * comparisons)) == least_p(seeds, comparisons)
    assert least_p(seeds, comparisons, shared=0.3) == 0  # t has no bound


def test_a_p_says_where_no_small_one_was_possible():
    assert told_p(0.5, least_p(2)) == "p 0.5 (none below 0.5 is possible with so few)"
    assert told_p(0.03, least_p(10)) == "p 0.03" and told_p(0.3, least_p(10, 28)).endswith(
        "(none below 0.055 is possible with so few)"
    )


def test_holm_leaves_one_p_value_and_none_alone():
    assert holm([0.04]).tolist() == [0.04]
    assert holm([]).tolist() == []


@settings(deadline=None)
@given(p_values)
def test_holm_lies_between_no_correction_and_bonferronis(p):
    adjusted = holm(p)
    assert (adjusted >= p).all() and (adjusted <= 1).all()
    assert (adjusted <= np.minimum(1, len(p) * np.array(p))).all()
    assert adjusted[np.argmin(p)] == min(1, len(p) * min(p))


@settings(deadline=None)
@given(p_values)
def test_holm_keeps_the_order_of_the_p_values(p):
    adjusted = holm(p)
    assert (np.diff(adjusted[np.argsort(p, kind="stable")]) >= 0).all()


@settings(deadline=None)
@given(p_values, st.randoms(use_true_random=False))
def test_holm_does_not_depend_on_the_order_of_the_comparisons(p, random):
    order = list(range(len(p)))
    random.shuffle(order)
    assert holm(np.array(p)[order]).tolist() == holm(p)[order].tolist()


@settings(deadline=None)
@given(p_values, st.integers(0, 11), st.floats(0, 1))
def test_holm_is_monotone_a_smaller_p_never_raises_an_adjusted_one(p, place, share):
    smaller = np.array(p)
    smaller[place % len(p)] *= share
    assert (holm(smaller) <= holm(p)).all()


def test_holm_keeps_the_chance_of_any_false_alarm_at_its_level():
    experiments = 5000
    p = np.random.default_rng(4).random((experiments, 6))
    family = np.mean([holm(row).min() <= 0.05 for row in p])
    exact = 1 - (1 - 0.05 / 6) ** 6  # six independent tests, the smallest p at .05 / 6
    assert abs(family - exact) < 4 * math.sqrt(exact * (1 - exact) / experiments)  # binomial standard errors


# refusals


# what experiments share


def test_least_squares_of_a_scale_are_those_of_numpy():
    rng = np.random.default_rng(3)
    x = rng.normal(size=30)
    y = 2.5 * x + rng.normal(size=30)
    (slope,), (rest,), *_ = np.linalg.lstsq(x[:, None], y, rcond=None)
    scale, half = scale_to(x, y)
    assert scale == pytest.approx(slope) and half == pytest.approx(1.96 * math.sqrt(rest / 29 / (x @ x)))
    assert scale_to(np.zeros(3), y[:3]) == (0.0, 0.0)


def test_the_sign_test_counts_pairs_of_one_sign():
    same, pairs, p = same_signs([1.0, 2.0, -3.0, 4.0], [5.0, 1.0, -1.0, -2.0])
    assert (same, pairs) == (3, 4) and p == pytest.approx(5 / 16)  # 3 or 4 of 4 coins


def test_what_is_not_known_counts_for_no_mean_and_what_has_ended_is_nan():
    assert known_mean([1.0, math.nan, 3.0]) == 2 and math.isnan(known_mean([math.nan])) and math.isnan(known_mean([]))
    rows = padded([np.ones((3, 2)), np.zeros((1, 2))])
    assert rows.shape == (2, 3, 2) and (rows[0] == 1).all() and (rows[1, 0] == 0).all() and np.isnan(rows[1, 1:]).all()
    assert each_and_mean(ACCURACIES) == {**mean_and_interval(ACCURACIES), "each": ACCURACIES}


@pytest.mark.parametrize(
    "refused",
    [
        lambda: interval([0.9, math.nan]),
        lambda: interval([0.9, math.inf]),
        lambda: interval([[0.9, 0.8]]),
        lambda: interval(["high", "low"]),
        lambda: interval([0.9, 0.8], confidence=95),
        lambda: paired_difference([0.9, math.nan], [0.8, 0.7]),
        lambda: paired_difference([0.9, 0.8], [0.8, 0.7], confidence=0),
        lambda: paired_difference([], []),
        lambda: holm([0.1, math.nan]),
        lambda: holm([0.1, 1.2]),
        lambda: holm([-0.1]),
    ],
)
def test_what_has_no_answer_is_refused(refused):
    with pytest.raises(WrongUse):
        refused()


def test_different_lengths_are_refused_with_both_lengths():
    with pytest.raises(WrongUse, match="a has 3 seeds and b has 2"):
        paired_difference([1, 2, 3], [1, 2])


def test_seeds_that_are_all_alike_have_no_ends_and_a_difference_of_shares_stays_within_what_is_possible():
    assert if_spread(0.4, 0.5) == (0.4, 0.5) and all(map(math.isnan, if_spread(*interval([0.96, 0.96]))))
    assert told_ends({"low": 0.947, "high": 0.976}) == "[94.7, 97.6]"
    assert told_ends({"low": None, "high": None}) == told_ends({"low": 0.96, "high": 0.96}) == "[-]"
    wide = paired_difference([0.9, 0.5], [0.1, 0.3], within=APART)
    assert (wide.low, wide.high) == APART and paired_difference([0.9, 0.5], [0.1, 0.3]).high > 1
