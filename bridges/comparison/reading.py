"""What a learner reads in texts: which words it attends, and whether its answers hang on them.

The test of deletion: the k most attended words are taken out of each text, every occurrence of them, and beside it k others drawn
at random. Attention that says what an answer hangs on must cost more right answers than chance does (Jain & Wallace 2019,
arXiv:1902.10186, doubt that it does; DeYoung et al. 2020, arXiv:1911.03429, call it comprehensiveness). Controls: the k words of
the text whose presence goes with the classes most in the training texts, by chi-square, which no learner is asked for (Yang &
Pedersen 1997, ICML, 412-420); and learners without attention, from which the same words are taken.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.feature_selection import chi2

from plasticity.learners import inputs
from plasticity.statistics import finite, interval

if TYPE_CHECKING:
    from bridges.comparison.result import Comparison
    from plasticity.tasks import Tokens

REMOVED = (1, 3, 10, 30)  # words that are taken out of each text
TESTED = 200  # test texts
SHOWN = 4  # of them are kept with their words
WORDS = ("attended", "chi_square", "random")  # which are taken out


def read(estimator: Any, test: Tokens, train: Tokens, seed: int) -> dict[str, np.ndarray]:
    """What a record keeps: the share of right answers with words taken out, and some texts with their attention.

    `deletion_whole` (), `deletion_attended`, `deletion_chi_square` and `deletion_random` (k,), `deletion_places_attended` and so
    on (k,), how many words of a text, with all their occurrences, that takes out on average; `read_words` (SHOWN, length) text,
    `read_attention` (SHOWN, length), `read_answer` and `read_target` (SHOWN,). Without attention only what needs none.
    """
    some = test.take(slice(0, TESTED))
    rng = np.random.default_rng([seed, 7])
    weights = estimator.attention_weights(some.X) if hasattr(estimator, "attention_weights") else None
    scores = {"attended": weights, "chi_square": speaking(train)[some.token], "random": np.zeros(some.token.shape)}
    answers = estimator.predict(some.X)
    told = {"deletion_whole": np.array(np.mean(answers == some.y))}
    for which, score in scores.items():
        if score is None:
            continue
        orders = [_ranked(text, mine, rng) for text, mine in zip(some.token, score, strict=True)]
        right, places = [], []
        for k in REMOVED:
            left = [_without(text, order[:k]) for text, order in zip(some.token, orders, strict=True)]
            right.append(np.mean(estimator.predict(_padded(left, some.token.shape[1])) == some.y))
            places.append(np.mean([(text >= 0).sum() - len(rest) for text, rest in zip(some.token, left, strict=True)]))
        told |= {f"deletion_{which}": np.array(right), f"deletion_places_{which}": np.array(places)}
    if weights is None:
        return told
    shown = slice(0, SHOWN)
    names = np.array([*(some.words or map(str, range(some.vocabulary))), ""])
    return told | {
        "read_words": names[some.token[shown]],
        "read_attention": np.asarray(weights[shown], dtype=np.float32),
        "read_answer": answers[shown].astype(np.int64),
        "read_target": some.y[shown],
    }


def speaking(train: Tokens) -> np.ndarray:
    """How much the presence of each word goes with the classes in these texts, by chi-square, (vocabulary,)."""
    present = inputs.counts(train.token, train.vocabulary)
    present.data[:] = 1
    return np.nan_to_num(chi2(present, train.y)[0])  # no number for a word that stands in no text


def _ranked(text: np.ndarray, score: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The different words of a text, those of the highest mean score over their occurrences first, equal ones in random order."""
    there = text >= 0
    known, place = np.unique(text[there], return_inverse=True)
    mean = np.bincount(place, score[there]) / np.bincount(place)
    return known[np.lexsort((rng.random(len(known)), -mean))]


def _without(text: np.ndarray, words: np.ndarray) -> np.ndarray:
    """The text without these words; one unknown word where none is left."""
    left = text[(text >= 0) & ~np.isin(text, words)]
    return left if len(left) else np.zeros(1, dtype=text.dtype)


def _padded(texts: list[np.ndarray], length: int) -> np.ndarray:
    made = np.full((len(texts), length), -1, dtype=np.int64)
    for row, text in zip(made, texts, strict=True):
        row[: len(text)] = text
    return made


def deletion(comparison: Comparison) -> list[dict[str, Any]]:
    """For each learner that reads words: by how many points its accuracy falls where words are taken out.

    A row for each number of words: `learner`, `removed`, `attended` (None without attention), `chi_square`, `random` (falls of
    accuracy, {"mean", "low", "high"} over seeds), `difference` and `beyond_chi_square` (of attended words to random ones and to
    those of chi-square, paired by seed), `attended_places` and so on (occurrences taken out of a text).
    """
    rows = []
    for name in comparison.learners:
        held = [record.arrays for record in comparison.of(name) if "deletion_chi_square" in record.arrays]
        for k, removed in enumerate(REMOVED if held else ()):
            taken = [a["deletion_places_chi_square"] for a in held]
            if k and all(places[k] == places[k - 1] for places in taken):
                break  # no text has so many
            falls = {
                which: np.array([a["deletion_whole"] - a[f"deletion_{which}"][k] for a in held])
                for which in WORDS
                if f"deletion_{which}" in held[0]
            }
            if "attended" in falls:
                falls["difference"] = falls["attended"] - falls["random"]
                falls["beyond_chi_square"] = falls["attended"] - falls["chi_square"]
            row: dict[str, Any] = {"learner": name, "removed": removed}
            for which in (*WORDS, "difference", "beyond_chi_square"):
                row[which] = _mean(falls[which], comparison.shared) if which in falls else None
            for which in WORDS:
                row[f"{which}_places"] = (
                    float(np.mean([a[f"deletion_places_{which}"][k] for a in held])) if which in falls else None
                )
            rows.append(row)
    return rows


def _mean(values: np.ndarray, shared: float) -> dict[str, float | None]:
    low, high = interval(values, shared=shared, within=(-1.0, 1.0))
    return {"mean": float(values.mean()), "low": finite(low), "high": finite(high)}
