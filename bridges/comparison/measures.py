"""How alike two learners are on the same trials: errors, representations, attention; and whether each knows when it is right.

Every likeness of two learners here is an inner product of one array per learner (its form), scaled. So a permutation of the
trials of one side is an index into an array that is there already, and all pairs of learners share one matrix product.

Beware: chance, here, is that the trials of one learner have nothing to do with those of the other. Two learners that see the same
images pass that bar without sharing any mechanism; what a mechanism adds is the difference from the likeness to a control
(`uniform_attention`, a shuffled gate).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats
from scipy.spatial.distance import squareform

from plasticity.errors import WrongUse
from plasticity.statistics import RESAMPLES, ROUNDING, SEED, SHARE, finite, interval, least_p

BINS = 15  # of confidence, as in Guo et al. (2017)


# What may be given


def _floats(name: str, given: ArrayLike) -> np.ndarray:
    try:
        return np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError):
        raise WrongUse(f"{name} must be an array of numbers, all rows of one length; got a {type(given).__name__}.") from None


def _array(name: str, given: ArrayLike, dimensions: int, least: int = 2) -> np.ndarray:
    """A finite array of floats with at least `least` rows, or a refusal."""
    array = _floats(name, given)
    if array.ndim != dimensions or 0 in array.shape[1:]:
        raise WrongUse(f"{name} must have {dimensions} dimension{'s' * (dimensions > 1)}, trials first; got shape {array.shape}.")
    if len(array) < least:
        raise WrongUse(f"{name} has {len(array)} row{'s' * (len(array) != 1)}; at least {least} are needed to compare anything.")
    if not np.isfinite(array).all():
        raise WrongUse(f"{name} holds NaN or infinity; leave the trials out that have no value, on both sides.")
    return array


def _at_least_one(name: str, given: int) -> None:
    if given < 1:
        raise WrongUse(f"{name} must be 1 or more; got {given!r}.")


def _whole(name: str, given: ArrayLike, below: float = math.inf) -> np.ndarray:
    """(trials,) whole numbers from 0 on."""
    array = _array(name, given, 1)
    if (array != np.floor(array)).any() or (array < 0).any() or (array >= below).any():
        raise WrongUse(
            f"{name} must be whole numbers from 0{'' if below == math.inf else f' to {below - 1}'};"
            f" got values from {array.min():g} to {array.max():g}."
        )
    return array.astype(np.int64)


def _same_rows(name: str, arrays: Sequence[np.ndarray]) -> None:
    rows = sorted({len(array) for array in arrays})
    if len(rows) > 1:
        raise WrongUse(
            f"{name} of {rows[0]} and of {rows[1]} trials cannot be compared; give the same trials, in the same order."
        )


def _centred(array: np.ndarray, axis: int) -> np.ndarray:
    """Less the mean along an axis; exactly 0 where only rounding would be left."""
    rest = array - array.mean(axis=axis, keepdims=True)
    return np.where(np.abs(rest).max() <= ROUNDING * np.abs(array).max(), 0.0, rest)


# The form of each likeness


def _right_and_wrong(given: Sequence[ArrayLike]) -> np.ndarray:
    """(learners, trials, 2): 1 in the first column where it was right, in the second where it was wrong."""
    right = [_array("right", array, 1) for array in given]
    _same_rows("answers", right)
    if not all(np.isin(array, (0, 1)).all() for array in right):
        raise WrongUse("right must be True or False for each trial, such as predictions == labels.")
    return np.stack([np.stack([array, 1 - array], axis=1) for array in right])


def _kappa(products: np.ndarray, forms: np.ndarray) -> np.ndarray:
    shares = forms.mean(axis=1)  # (learners, 2): share of right and of wrong answers
    expected = shares @ shares.T
    return (products / forms.shape[1] - expected) / (1 - expected)


def _u_centred_gram(given: Sequence[ArrayLike]) -> np.ndarray:
    """(learners, trials, trials): Gram matrices, U-centred (Szekely & Rizzo 2014): rows and columns sum to 0, and so does the
    diagonal, which is left out."""
    representations = [_array("a representation", array, 2, least=4) for array in given]
    _same_rows("representations", representations)
    forms = []
    for representation in representations:
        x = _centred(representation, 0)
        gram = x @ x.T
        n, size = len(gram), gram.diagonal().max()
        np.fill_diagonal(gram, 0.0)
        rows = gram.sum(axis=0) / (n - 2)
        gram += rows.sum() / (n - 1) - rows[:, None] - rows[None, :]
        np.fill_diagonal(gram, 0.0)
        forms.append(gram if np.abs(gram).max() > ROUNDING * size else np.zeros_like(gram))
    return np.stack(forms)


def _ranks(given: Sequence[ArrayLike]) -> np.ndarray:
    """(matrices, conditions, conditions): centred ranks off the diagonal, of the conditions that all matrices have."""
    matrices = [_floats("dissimilarities", matrix) for matrix in given]
    for matrix in matrices:
        if matrix.ndim != 2 or matrix.shape != matrices[0].shape or matrix.shape[0] != matrix.shape[1]:
            raise WrongUse(
                "dissimilarities must be square matrices over the same conditions; got the shapes "
                + " and ".join(str(matrix.shape) for matrix in (matrices[0], matrix))
                + "."
            )
        if np.isinf(matrix).any() or not np.array_equal(matrix, matrix.T, equal_nan=True):
            raise WrongUse("a matrix of dissimilarities must be symmetric and without infinities; make it with `rdm`.")
    present = np.all([~np.isnan(matrix).all(axis=0) for matrix in matrices], axis=0)
    kept = [matrix[np.ix_(present, present)] for matrix in matrices]
    if np.isnan(kept).any():
        raise WrongUse("dissimilarities may be NaN for all pairs of a condition, not for single pairs; make them with `rdm`.")
    above = [matrix[np.triu_indices(len(matrix), 1)] for matrix in kept]
    scales = [np.abs(pairs).max(initial=0.0) or 1.0 for pairs in above]
    ties_kept = [np.round(pairs / scale, 12) for pairs, scale in zip(above, scales, strict=True)]  # in floating point
    return np.stack([squareform(stats.rankdata(pairs) - (len(pairs) + 1) / 2) for pairs in ties_kept])


def _row_centred(given: Sequence[ArrayLike]) -> np.ndarray:
    """(learners, rows, streams): each row less its mean."""
    maps = [_array("an attention map", array, 2) for array in given]
    if len({array.shape for array in maps}) > 1:
        raise WrongUse(
            "attention maps must have the same rows (trials, or cued streams) and the same streams; got the shapes "
            + " and ".join(sorted({str(array.shape) for array in maps}))
            + "."
        )
    return np.stack([_centred(array, 1) for array in maps])


def _cosine(products: np.ndarray, forms: np.ndarray) -> np.ndarray:
    norms = np.sqrt((forms**2).sum(axis=(1, 2)))
    return products / np.outer(norms, norms)


class Measure(NamedTuple):
    """A likeness as an inner product.

    form : arrays of all learners -> (learners, rows, ...), the rows being what a permutation shuffles
    value : (inner products (..., learners, learners), forms) -> the likeness, (..., learners, learners)
    square : the form is symmetric with an empty diagonal, and a permutation shuffles its columns as it does its rows
    """

    form: Callable[[Sequence[ArrayLike]], np.ndarray]
    value: Callable[[np.ndarray, np.ndarray], np.ndarray]
    square: bool


MEASURES = {
    "error_consistency": Measure(_right_and_wrong, _kappa, square=False),
    "cka": Measure(_u_centred_gram, _cosine, square=True),
    "rsa": Measure(_ranks, _cosine, square=True),
    "attention": Measure(_row_centred, _cosine, square=False),
}
"""By name: what `null`, `align` and `summarised` know; see the function that has the name in its first line."""

POSSIBLE = dict.fromkeys(MEASURES, (-1.0, 1.0)) | {"ece": SHARE, "brier": (0.0, 2.0)}  # what each can be


def _likeness(measure: Measure, forms: np.ndarray, orders: np.ndarray) -> np.ndarray:
    """(orders, learners, learners): the likeness of the first, its rows in that order, with the second; nan if undefined."""
    learners, rows = forms.shape[:2]
    flat = forms.reshape(learners, -1)
    first, second = np.triu_indices(rows, 1) if measure.square else np.divmod(np.arange(flat.shape[1]), forms.shape[2])

    def moved(order: np.ndarray) -> np.ndarray:
        columns = order[second] if measure.square else second
        return flat.take(order[first] * forms.shape[2] + columns, axis=1)

    fixed = moved(np.arange(rows)).T
    products = np.stack([moved(order) @ fixed for order in orders])
    with np.errstate(invalid="ignore", divide="ignore"):
        return measure.value(2 * products if measure.square else products, forms)


def _one(name: str, a: ArrayLike, b: ArrayLike) -> float:
    measure = MEASURES[name]
    forms = measure.form([a, b])
    return float(_likeness(measure, forms, np.arange(forms.shape[1])[None])[0, 0, 1])


def _orders(rows: int, rng: np.random.Generator, permutations: int) -> np.ndarray:
    """(1 + permutations, rows): the order as it is, and random ones."""
    _at_least_one("permutations", permutations)
    as_is = np.arange(rows)
    return np.concatenate([as_is[None], rng.permuted(np.tile(as_is, (permutations, 1)), axis=1)])


def _p(values: np.ndarray) -> np.ndarray:
    """Share of values[1:] (draws) at or above values[0] (observed), the observed one counted; nan where that is nan."""
    p = (1 + (values[1:] >= values[0] - ROUNDING).sum(axis=0)) / len(values)
    return np.where(np.isnan(values[0]), math.nan, p)


# Likeness of two learners


class ErrorConsistency(NamedTuple):
    """Share of trials on which both were right or both wrong, that share by chance, and Cohen's kappa."""

    observed: float
    expected: float
    kappa: float


def error_consistency(right_a: ArrayLike, right_b: ArrayLike) -> ErrorConsistency:
    """`error_consistency`: whether two learners err on the same trials more often than their accuracies alone make them.

    With the accuracies p_a and p_b and the share c_obs of trials on which both were right or both wrong:

        c_exp = p_a p_b + (1 - p_a)(1 - p_b)
        kappa = (c_obs - c_exp) / (1 - c_exp)

    kappa is 1 for the same errors, 0 for independent ones, below 0 for errors on different trials. Under permutation of the
    trials of one side n_11, the number of trials that both got right, has the hypergeometric distribution.

    Parameters
    ----------
    right_a, right_b : (trials,)
        True where the learner was right.

    Returns
    -------
    ErrorConsistency
        kappa is nan if both were right on every trial, or both wrong on every trial: there is nothing to be consistent about.

    Beware: 1 cannot be reached where the accuracies differ. Near the ceiling a few trials decide kappa.

    Raises
    ------
    WrongUse
        Values other than 0 and 1, different numbers of trials, fewer than two.

    Source: Geirhos, Meding & Wichmann (2020), Beyond accuracy: quantifying trial-by-trial behaviour of CNNs and humans by
    measuring error consistency, arXiv:2006.16736.
    """
    right = _right_and_wrong([right_a, right_b])
    shares = right.mean(axis=1)
    observed, expected = (right[0] * right[1]).sum() / right.shape[1], shares[0] @ shares[1]
    return ErrorConsistency(float(observed), float(expected), _one("error_consistency", right_a, right_b))


def cka(a: ArrayLike, b: ArrayLike) -> float:
    """`cka`: linear centred kernel alignment of two representations of the same trials, debiased.

    With K = X X^T without its diagonal, n trials, and U-centring

        K~_ij = K_ij - sum_l K_il / (n - 2) - sum_k K_kj / (n - 2) + sum_kl K_kl / ((n - 1)(n - 2)),  i != j;  K~_ii = 0,

    the unbiased estimate of the Hilbert-Schmidt independence criterion is HSIC_1(K, L) = <K~, L~> / (n (n - 3)), and

        CKA(X, Y) = HSIC_1(K, L) / sqrt(HSIC_1(K, K) HSIC_1(L, L)) = <K~, L~> / (|K~| |L~|).

    It is 1 for a copy that is rotated, shifted or scaled as a whole, and its mean over all permutations of the trials of one side
    is exactly 0. The usual estimate (with the diagonal, centred by H K H) is not used: it approaches 1 for independent noise as
    the units outnumber the trials, and most for the learner with the most units (the representations here: hundreds of
    units, as many trials).

    Parameters
    ----------
    a, b : (trials, units)
        The same trials in the same order, at least four; the numbers of units may differ. Any unit of measurement.

    Returns
    -------
    float
        From -1 to 1; nan if a representation is the same on all trials, or equally far apart on all.

    Beware: the few directions of largest variance, or a few outlying trials, decide it (Davari et al. 2022,
    arXiv:2210.16156). The bias of having few trials is gone, that of recording few of many units is not (Chun et al. 2025,
    arXiv:2502.15104).

    Raises
    ------
    WrongUse
        NaN, infinity, different numbers of trials, fewer than four.

    Sources: Kornblith et al. (2019), arXiv:1905.00414 (CKA); Song et al. (2012), Journal of Machine Learning Research 13,
    1393-1434 (HSIC_1); Szekely & Rizzo (2014), doi:10.1214/14-AOS1255 (U-centring); Nguyen, Raghu & Kornblith (2021),
    arXiv:2010.15327 (CKA with HSIC_1); Murphy, Zylberberg & Fyshe (2024), arXiv:2405.01012 (why debiased).
    """
    return _one("cka", a, b)


def rdm(representation: ArrayLike, conditions: ArrayLike, count: int | None = None) -> np.ndarray:
    """Representational dissimilarity matrix: how far apart the conditions lie in a representation, cross-validated.

    d_ij = the unbiased estimate of |mu_i - mu_j|^2 / units, mu_i the mean of condition i: the average of
    (x_t - x_u) . (x_t' - x_u') / units over all pairs of different trials t, t' of condition i and u, u' of condition j. It has
    mean 0 for conditions that do not differ, whatever the noise and the number of trials, and can be negative. A distance between
    means of trials is too large instead, the more so the fewer trials a condition has; as all learners meet the same trials,
    this alone would make their matrices alike.

    Parameters
    ----------
    representation : (trials, units)
    conditions : (trials,)
        Condition of each trial, from 0 on, such as label * streams + cue.
    count : int
        How many conditions there are; by default the largest one + 1. State it where trials are drawn at random: a seed may
        lack the last condition.

    Returns
    -------
    (count, count) array
        Symmetric, diagonal 0; squared units of the representation. NaN (diagonal too) for a condition of fewer than two trials.

    Raises
    ------
    WrongUse
        NaN, infinity, different numbers of trials, conditions that are not whole numbers from 0 to count - 1.

    Sources: Kriegeskorte, Mur & Bandettini (2008), doi:10.3389/neuro.06.004.2008; Walther et al. (2016),
    doi:10.1016/j.neuroimage.2015.12.012 (cross-validated distances).
    """
    x = _array("a representation", representation, 2)
    of = _whole("conditions", conditions, math.inf if count is None else count)
    _same_rows("a representation and conditions", [x, of])
    x = _centred(x, 0)
    belongs = np.eye(of.max() + 1 if count is None else count)[of]  # (trials, conditions)
    trials = belongs.sum(axis=0)
    trials[trials < 2] = math.nan
    sums = belongs.T @ x
    products = sums @ sums.T
    own = (products.diagonal() - belongs.T @ (x**2).sum(axis=1)) / (trials * (trials - 1))
    distances = (own[:, None] + own[None, :] - 2 * products / np.outer(trials, trials)) / x.shape[1]
    np.fill_diagonal(distances, np.where(np.isnan(trials), math.nan, 0.0))
    return (distances + distances.T) / 2  # symmetric to the last digit


def rdm_correlation(a: ArrayLike, b: ArrayLike) -> float:
    """`rsa`: Spearman's rank correlation of two matrices of dissimilarities, over the pairs of conditions.

    Spearman's and not Kendall's tau_a, which is for models that predict ties; cross-validated distances have none. A permutation
    shuffles the conditions of one side, rows together with columns.

    Parameters
    ----------
    a, b : (conditions, conditions)
        As `rdm` makes them. Conditions that are NaN in either are left out.

    Returns
    -------
    float
        nan if all dissimilarities of a side are equal, or fewer than three conditions are left.

    Beware: two learners that met the same trials share the accidents of those trials; see `across_seeds`. Conditions of few
    trials have noisier distances in both matrices, and a permutation puts them elsewhere: p of pure noise is below .05 in 9 % of
    experiments with 2 to 11 trials a condition, in 7 % with 200 trials drawn at random over 20 conditions, in 5 % with equal
    numbers. So show as many trials of each condition; the p over seeds (`summarised`) does not suffer from this.

    Raises
    ------
    WrongUse
        Matrices of different shapes, not square, not symmetric.

    Sources: Kriegeskorte, Mur & Bandettini (2008), doi:10.3389/neuro.06.004.2008; Nili et al. (2014),
    doi:10.1371/journal.pcbi.1003553.
    """
    return _one("rsa", a, b)


def across_seeds(rdms: Sequence[ArrayLike], others: Sequence[ArrayLike]) -> float:
    """How well the mean matrix of other seeds predicts that of a seed: the mean over seeds of its rank correlation.

    mean over s of spearman(rdms[s], mean over s' != s of the ranks in others[s']). No trial and no initial weight is shared.
    With another learner's matrices as `others` it may be held against the noise ceiling of `rdms`; with the same matrices it
    is the lower bound of that ceiling.

    Parameters
    ----------
    rdms, others : (seeds, conditions, conditions)
        As `rdm` makes them, the same seeds in the same order. Conditions that are NaN in any of them are left out.

    Returns
    -------
    float
        nan for one seed, or where a matrix has no spread.

    Raises
    ------
    WrongUse
        Different shapes.

    Source: Nili et al. (2014), doi:10.1371/journal.pcbi.1003553.
    """
    seeds = len(rdms)
    if seeds != len(others) or not seeds:
        raise WrongUse(f"matrices of {seeds} and of {len(others)} seeds; give the same seeds, at least one, on both sides.")
    ranks = _ranks([*rdms, *others])
    rest = ranks[seeds:].sum(axis=0) - ranks[seeds:]
    return float(np.mean([rdm_correlation(own, mean) for own, mean in zip(ranks[:seeds], rest, strict=True)]))


def noise_ceiling(rdms: Sequence[ArrayLike]) -> tuple[float, float]:
    """Between which bounds the mean rank correlation of the best possible matrix with those of the seeds lies.

    Upper bound: the mean over seeds of the correlation of a seed's matrix with the mean ranks of all seeds, itself included; no
    matrix without ties reaches a higher mean. Lower bound: each seed left out of the mean that it is compared with.

    Parameters
    ----------
    rdms : (seeds, conditions, conditions)
        Of one learner, as `rdm` makes them. Conditions that are NaN in any of them are left out.

    Returns
    -------
    low, high : float
        nan for fewer than two seeds.

    Raises
    ------
    WrongUse
        Different shapes.

    Source: Nili et al. (2014), doi:10.1371/journal.pcbi.1003553.
    """
    low = across_seeds(rdms, rdms)
    if len(rdms) < 2:
        return math.nan, math.nan
    ranks = _ranks(rdms)
    return low, float(np.mean([rdm_correlation(own, ranks.sum(axis=0)) for own in ranks]))


def attention_correlation(a: ArrayLike, b: ArrayLike) -> float:
    """`attention`: correlation of two maps of what each stream is worth: attention weights, or gains of synapses.

    r = sum_ti a'_ti b'_ti / sqrt(sum a'^2 sum b'^2) with a'_ti = a_ti - mean over streams of a_t. Rows of shares sum to 1, so a
    row of S streams has S - 1 degrees of freedom; without centring even uniform rows would correlate. With two streams it
    is the cosine between the differences of the streams.

    Parameters
    ----------
    a, b : (trials, streams) or (cued streams, streams)
        Shares, or gains: a constant added to a row, or a factor on the whole map, changes nothing.

    Returns
    -------
    float
        nan if all streams of each row are equal on a side (uniform attention, equal gain).

    Beware: two maps that follow the same cue correlate for that reason alone. A permutation shuffles rows: a preference for
    one stream that is the same in all rows on both sides is part of chance, which is then not 0. Few rows allow few
    permutations: with two cued streams no p is below about 1/2, so give trials where there are any.

    Raises
    ------
    WrongUse
        NaN, infinity, different shapes, fewer than two rows.
    """
    return _one("attention", a, b)


class Null(NamedTuple):
    """A likeness, what it is with the trials of one side shuffled, (permutations,), and the p-value."""

    value: float
    distribution: np.ndarray
    p: float


def null(measure: str, a: ArrayLike, b: ArrayLike, rng: np.random.Generator, permutations: int = 999) -> Null:
    """A likeness beside its distribution if the trials of `a` had nothing to do with those of `b`.

    p = (1 + number of permutations at least as alike as observed) / (1 + permutations), one-sided: more alike than chance.

    Parameters
    ----------
    measure : str
        A name of `MEASURES`: error_consistency (kappa), cka, rsa, attention.
    a, b : arrays
        What the function of that measure takes.
    rng : Generator
        The permutations follow from it alone, not from a and b.
    permutations : int
        p is never below 1 / (1 + permutations).

    Returns
    -------
    Null
        All nan where the measure is undefined.

    Raises
    ------
    WrongUse
        An unknown measure; what the function of that measure refuses.

    Source: Phipson & Smyth (2010), doi:10.2202/1544-6115.1585 (why a p from random permutations is never 0).
    """
    if measure not in MEASURES:
        raise WrongUse(f"there is no measure {measure!r}; choose {', '.join(MEASURES)}.")
    forms = MEASURES[measure].form([a, b])
    values = _likeness(MEASURES[measure], forms, _orders(forms.shape[1], rng, permutations))[:, 0, 1]
    return Null(float(values[0]), values[1:], float(_p(values)))


# How well a learner knows when it is right


class Calibration(NamedTuple):
    """Reliability curve, expected calibration error and Brier score of one learner.

    edges : (bins + 1,) of confidence
    trials, confidence, accuracy : (bins,) how many trials are in a bin, their mean confidence and their share of right answers
        (nan in an empty bin)
    ece, brier : float
    """

    edges: np.ndarray
    trials: np.ndarray
    confidence: np.ndarray
    accuracy: np.ndarray
    ece: float
    brier: float


def _confidence(probabilities: ArrayLike, bins: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Probabilities, the largest one of each trial, (trials, bins) membership, and the edges of the bins."""
    p = _array("probabilities", probabilities, 2, least=1)
    if (p < 0).any() or (np.abs(p.sum(axis=1) - 1) > 1e-4).any():  # float32 rounds to 1e-7 a class
        raise WrongUse("probabilities must not be negative and must sum to 1 in each trial, a column for each class.")
    _at_least_one("bins", bins)
    confidence = p.max(axis=1)
    edges = np.linspace(0, 1, bins + 1)
    return p, confidence, np.eye(bins)[np.digitize(confidence, edges[1:-1], right=True)], edges


def _ece(right: np.ndarray, confidence: np.ndarray, belongs: np.ndarray) -> np.ndarray:
    return np.abs((right - confidence) @ belongs).sum(axis=-1) / len(confidence)


def calibration(probabilities: ArrayLike, labels: ArrayLike, bins: int = BINS) -> Calibration:
    """Whether a learner is right as often as it says: reliability curve, expected calibration error (ECE), Brier score.

    The answer of a trial is its most probable class, its confidence that probability. Bin m of M holds the n_m trials with a
    confidence in ((m - 1)/M, m/M]; over N trials

        ECE = sum_m n_m / N |accuracy_m - confidence_m|,    Brier = mean over trials of sum_k (p_k - [k is the label])^2.

    Parameters
    ----------
    probabilities : (trials, classes)
        Rows sum to 1.
    labels : (trials,)
        The column of the true class.
    bins : int
        M, of equal width; 15 as in the paper.

    Returns
    -------
    Calibration
        ECE from 0 to 1, Brier from 0 to 2 (for K classes without any idea: 1 - 1/K). For a curve over several seeds,
        give the trials of all of them one after the other.

    Beware: ECE is too large. An absolute value turns noise into error, so that a perfectly calibrated learner shows about
    sum_m sqrt(2 n_m q_m (1 - q_m) / pi) / N, q_m the mean confidence in a bin: 4 to 5 % for 500 trials of ten classes (mean
    confidence .8 to .5), 6 to 8 % for 200. It falls as 1/sqrt(N) and rises with the number of bins. Hold ECE against
    `calibration_null`. The Brier score has no bins and no such bias, but mixes calibration with accuracy.

    Raises
    ------
    WrongUse
        Rows that do not sum to 1, labels that are no columns, different numbers of trials.

    Sources: Guo et al. (2017), arXiv:1706.04599 (ECE); Brier (1950), Monthly Weather Review 78, 1-3; Roelofs et al. (2022),
    arXiv:2012.08668 (bias).
    """
    p, confidence, belongs, edges = _confidence(probabilities, bins)
    truth = _whole("labels", labels, p.shape[1])
    _same_rows("probabilities and labels", [p, truth])
    right = (p.argmax(axis=1) == truth).astype(np.float64)
    trials = belongs.sum(axis=0)
    held = np.where(trials > 0, trials, math.nan)
    brier = float(np.mean(((p - np.eye(p.shape[1])[truth]) ** 2).sum(axis=1)))
    return Calibration(
        edges,
        trials.astype(np.int64),
        confidence @ belongs / held,
        right @ belongs / held,
        float(_ece(right, confidence, belongs)),
        brier,
    )


def calibration_null(probabilities: ArrayLike, rng: np.random.Generator, resamples: int = 999, bins: int = BINS) -> np.ndarray:
    """What ECE a perfectly calibrated learner with these confidences would show on as many trials, (resamples,).

    Labels are drawn from the learner's own probabilities. Its answer is then right with a probability equal to its confidence,
    which is all that ECE depends on.

    Sources: Brocker & Smith (2007), doi:10.1175/WAF993.1; Vaicenavicius et al. (2019), arXiv:1902.06977.
    """
    _at_least_one("resamples", resamples)
    _, confidence, belongs, _ = _confidence(probabilities, bins)
    right = rng.random((resamples, len(confidence))) < confidence
    return _ece(right, confidence, belongs)


# All pairs of a comparison


class Alignment(NamedTuple):
    """Learners of one seed beside each other.

    pairs : by (learner, learner): for each measure of `MEASURES` that both allow its value, its mean under permutation
        (`cka_chance`) and its p-value (`cka_p`); error_consistency_observed and error_consistency_expected
    learners : by learner: ece, ece_chance, ece_p, brier, for those with probabilities
    rdms : by learner: (conditions, conditions), for those with a representation
    """

    pairs: dict[tuple[str, str], dict[str, float]]
    learners: dict[str, dict[str, float]]
    rdms: dict[str, np.ndarray]


def align(
    learners: Mapping[str, Mapping[str, Any]],
    rng: np.random.Generator,
    permutations: int = 200,
    bins: int = BINS,
    count: int | None = None,
) -> Alignment:
    """How alike the learners of one seed are, pair by pair, and how well each is calibrated.

    Parameters
    ----------
    learners : by name, the arrays of a learner; what is absent or None is left out:
        predictions, labels : (trials,); the labels are the same for all
        probabilities : (trials, classes), column k for label k
        representation : (shown, units), of as many trials as one likes, the same for all learners
        conditions : (shown,), condition of each trial of the representation, the same for all; see `rdm`
        attention : (trials, streams) or (cued streams, streams)
    rng : Generator
        A measure's permutations are the same for all pairs, and do not change when a learner is added.
    permutations : int
        Also the number of draws for the calibration error.
    bins : int
        Of confidence; see `calibration`.
    count : int
        Number of conditions; see `rdm`.

    Returns
    -------
    Alignment
        nan where a measure is undefined, see the function of that measure.

    Raises
    ------
    WrongUse
        Labels or conditions that differ between learners, and what the measures refuse.
    """
    if not learners:
        raise WrongUse("there is no learner to compare; give the arrays of at least one.")

    def held(key: str) -> dict[str, Any]:
        return {name: arrays[key] for name, arrays in learners.items() if arrays.get(key) is not None}

    def shared(key: str) -> np.ndarray | None:
        found = {name: _whole(key, array) for name, array in held(key).items()}
        first = next(iter(found), None)
        for name, array in found.items():
            if not np.array_equal(array, found[first]):  # type: ignore[index]
                raise WrongUse(f"{name} and {first} met trials with different {key}; give the same trials, in the same order.")
        return None if first is None else found[first]

    labels, conditions = shared("labels"), shared("conditions")
    predictions, representations, probabilities = held("predictions"), held("representation"), held("probabilities")
    if labels is None or any(np.shape(array) != labels.shape for array in predictions.values()):
        raise WrongUse("predictions and labels must be there for the same trials of every learner.")
    right = {name: _array("predictions", array, 1) == labels for name, array in predictions.items()}
    rdms = {} if conditions is None else {name: rdm(array, conditions, count) for name, array in representations.items()}
    given = {"error_consistency": right, "cka": representations, "rsa": rdms, "attention": held("attention")}
    *generators, resampling = rng.spawn(len(MEASURES) + 1)

    names = list(learners)
    pairs: dict[tuple[str, str], dict[str, float]] = {(a, b): {} for i, a in enumerate(names) for b in names[i + 1 :]}
    for (key, measure), generator in zip(MEASURES.items(), generators, strict=True):
        present = list(given[key])
        if len(present) < 2:
            continue
        forms = measure.form([given[key][name] for name in present])
        values = _likeness(measure, forms, _orders(forms.shape[1], generator, permutations))
        chance, p = values[1:].mean(axis=0), _p(values)
        for i, a in enumerate(present):
            for j, b in enumerate(present[i + 1 :], i + 1):
                pairs[a, b] |= {key: float(values[0, i, j]), f"{key}_chance": float(chance[i, j]), f"{key}_p": float(p[i, j])}
    for a, b in pairs:
        if a in right and b in right:
            observed, expected, _ = error_consistency(right[a], right[b])
            pairs[a, b] |= {"error_consistency_observed": observed, "error_consistency_expected": expected}

    own: dict[str, dict[str, float]] = {name: {} for name in names}
    seed = int(resampling.integers(2**63))
    for name, array in probabilities.items():
        curve = calibration(array, labels, bins)
        draws = calibration_null(array, np.random.default_rng(seed), permutations, bins)
        p_ece = float(_p(np.concatenate([[curve.ece], draws])))
        own[name] = {"ece": curve.ece, "ece_chance": float(draws.mean()), "ece_p": p_ece, "brier": curve.brier}
    return Alignment(pairs, own, rdms)


def _exchanged(differences: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """p and corrected p of (seeds, comparisons) differences, 0 where a seed has none; see `summarised`."""
    seeds = len(differences)
    if 2**seeds <= RESAMPLES:
        signs = 1.0 - 2 * (np.arange(2**seeds)[:, None] >> np.arange(seeds) & 1)
    else:
        signs = np.random.default_rng(SEED).choice((-1.0, 1.0), (RESAMPLES + 1, seeds))
        signs[0] = 1
    sizes = np.sqrt((differences**2).sum(axis=0))
    sums = np.abs(signs @ (differences / np.where(sizes > 0, sizes, 1.0)))  # grows with |t|; the first row is as observed
    largest = sums.max(axis=1, keepdims=True)
    return (sums >= sums[0] - ROUNDING).mean(axis=0), (largest >= sums[0] - ROUNDING).mean(axis=0)


def _summaries(rows: Sequence[Sequence[Mapping[str, float]]], key: str, shared: float) -> list[dict[str, Any] | None]:
    """What `summarised` says of a number, for each list of seeds; None where no seed has it."""

    def column(name: str) -> np.ndarray:
        return np.array([[row.get(name, math.nan) for row in seeds] for seeds in rows]).reshape(len(rows), -1)

    def mean(values: np.ndarray) -> float | None:
        return float(values.mean()) if len(values) else None

    values, chance = column(key), column(f"{key}_chance")
    extra = {word: column(f"{key}_{word}") for word in ("observed", "expected")}
    p, corrected = _exchanged(np.nan_to_num(values - chance).T)
    told: list[dict[str, Any] | None] = []
    for i, seeds in enumerate(rows):
        if not any(key in row for row in seeds):
            told.append(None)
            continue
        defined = np.isfinite(values[i])
        low, high = interval(values[i, defined], shared=shared, within=POSSIBLE[key])
        entry: dict[str, Any] = {"mean": mean(values[i, defined]), "low": finite(low), "high": finite(high)}
        entry |= {word: mean(array[i, defined]) for word, array in extra.items() if np.isfinite(array[i]).any()}
        if any(f"{key}_chance" in row for row in seeds):
            several = defined.sum() > 1
            low, high = interval(chance[i, defined], shared=shared)
            entry["chance"] = {"mean": mean(chance[i, defined]), "low": finite(low), "high": finite(high)}
            entry["p"], entry["p_corrected"] = (float(p[i]), float(corrected[i])) if several else (None, None)
            entry["p_least"] = least_p(int(defined.sum())) if several else None
        entry["seeds"] = [finite(value) for value in values[i]]
        told.append(entry)
    return told


def summarised(alignments: Sequence[Alignment], shared: float = 0.0) -> dict[str, Any]:
    """The alignments of all seeds as one summary that JSON can hold; a number that does not exist is None.

    Parameters
    ----------
    alignments : one for each seed
        A learner may be missing in some of them.
    shared : as in `plasticity.statistics.interval`, where the seeds split the same data anew

    Returns
    -------
    dict
        pairs : a list of {a, b, and for each measure that both allow:
            mean, low, high : over seeds, with its 95 % interval (`plasticity.statistics.interval`)
            chance : the same (mean, low, high) of the mean under permutation
            p : two-sided; value minus chance is as likely below 0 as above it from seed to seed (exchange of signs, as in
                `paired_difference`)
            p_corrected : the same against the largest of all pairs for this measure, the signs of a seed exchanged for all pairs
                together
            p_least : the smallest that either can be with so many seeds
            seeds : the value of each seed
            observed, expected : share of trials on which both were right or both wrong (error_consistency)
            a_by_b, b_by_a : `across_seeds` of the first learner's matrices by the second's, and the reverse (rsa)}
        learners : a list of {name, ece and brier (as above; ece with chance and p), ceiling {low, high}: `noise_ceiling`}

    The p of a single seed says that the two are alike on those trials; p here, that they are so from seed to seed. It is
    corrected by the largest and not by Holm: with 10 seeds no p is below 2/2**10, and 28 times that, for all pairs of 8
    learners, is 0.055. The correction by the largest can reach 2/2**10 for any number of pairs.

    Raises
    ------
    WrongUse
        No seed; matrices of dissimilarities of different shapes (state `count` to `align`).

    Source: Nichols & Holmes (2002), doi:10.1002/hbm.1058 (correction by the largest).
    """
    if not alignments:
        raise WrongUse("there is no seed to summarise; give at least one alignment.")
    couples = list(dict.fromkeys(pair for alignment in alignments for pair in alignment.pairs))
    names = list(dict.fromkeys(name for alignment in alignments for name in alignment.learners))
    pairs: list[dict[str, Any]] = [{"a": a, "b": b} for a, b in couples]
    learners: list[dict[str, Any]] = [{"name": name} for name in names]
    of_pairs = [[alignment.pairs.get(pair, {}) for alignment in alignments] for pair in couples]
    of_learners = [[alignment.learners.get(name, {}) for alignment in alignments] for name in names]
    for entries, rows, keys in ((pairs, of_pairs, tuple(MEASURES)), (learners, of_learners, ("ece", "brier"))):
        for key in keys if rows else ():
            for entry, told in zip(entries, _summaries(rows, key, shared), strict=True):
                entry |= {} if told is None else {key: told}
    for entry in pairs:
        if "rsa" in entry:
            both = [alignment.rdms for alignment in alignments if {entry["a"], entry["b"]} <= alignment.rdms.keys()]
            of_a, of_b = [rdms[entry["a"]] for rdms in both], [rdms[entry["b"]] for rdms in both]
            entry["rsa"] |= {"a_by_b": finite(across_seeds(of_a, of_b)), "b_by_a": finite(across_seeds(of_b, of_a))}
    for entry in learners:
        own = [alignment.rdms[entry["name"]] for alignment in alignments if entry["name"] in alignment.rdms]
        if own:
            entry["ceiling"] = dict(zip(("low", "high"), map(finite, noise_ceiling(own)), strict=True))
    return {"pairs": pairs, "learners": learners}
