"""What else is to be known of answers than whether they are right: of sequences how near they come, of items how high they stand.

BLEU (Papineni et al. 2002, doi:10.3115/1073083.1073135) is 100 BP (p_1 p_2 p_3 p_4)^(1/4) over all sentences: p_n the share of
the n-grams of the answers that a reference has, each at most as often as in the reference that has it most; BP = min(1, e^(1 -
r/c)), c the length of all answers, r that of the references that are nearest in length (the shorter of two). Nothing is smoothed:
where no sequence of four symbols is right it is 0. Symbols are those of the task (lower case, punctuation apart); the unknown
symbol is right in no place. The same numbers as `sacrebleu.corpus_bleu(..., tokenize="none", smooth_method="none")`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from bridges.comparison.columns import column
from plasticity.checked import checked
from plasticity.statistics import RESAMPLES, SEED, finite, over_seeds, told_ends
from plasticity.tasks.sequences import UNKNOWN, answered, share_of_places

if TYPE_CHECKING:
    from bridges.comparison.result import Comparison

ORDERS = 4
HITS = 10
PERCENT = (0.0, 100.0)


@checked
def counted(answers: Any, references: np.ndarray) -> np.ndarray:
    """What BLEU follows from, for each sentence: length of the answer, of the nearest reference, and for n = 1 to 4 how many
    n-grams are right and how many there are; (sentences, 10)."""
    found = answered(answers, len(references))
    rows = np.zeros((len(found), 2 + 2 * ORDERS))
    for row, answer, told in zip(rows, found, references, strict=True):
        said = [int(symbol) if symbol != UNKNOWN else -2 for symbol in answer if symbol >= 0]
        several = [[int(symbol) for symbol in reference if symbol >= 0] for reference in told if reference[0] >= 0]
        row[0] = len(said)
        row[1] = min((len(one) for one in several), key=lambda length: (abs(length - len(said)), length))
        for order in range(1, ORDERS + 1):
            most: Counter[tuple[int, ...]] = Counter()
            for one in several:
                most |= _grams(one, order)
            row[2 * order] = (_grams(said, order) & most).total()
            row[2 * order + 1] = max(0, len(said) - order + 1)
    return rows


def _grams(symbols: Sequence[int], order: int) -> Counter[tuple[int, ...]]:
    return Counter(tuple(symbols[k : k + order]) for k in range(len(symbols) - order + 1))


@checked
def bleu(counts: np.ndarray) -> np.ndarray:
    """BLEU, from 0 to 100, of `counted` (sentences, 10); or of many sums of it (..., 10), for each."""
    total = counts.sum(axis=0) if counts.ndim == 2 else counts
    right, there = total[..., 2::2], total[..., 3::2]
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.where(right > 0, np.log(right / there), -np.inf).mean(axis=-1)
        short = np.minimum(0.0, 1 - total[..., 1] / total[..., 0])
    return np.where(total[..., 0] > 0, 100 * np.exp(logs + np.where(np.isfinite(short), short, -np.inf)), 0.0)


@checked
def over_sentences(seeds: Sequence[np.ndarray]) -> tuple[float, float]:
    """The 95 % interval of the mean BLEU over these trainings, for other sentences: each seed's are drawn anew, with replacement.

    Source: Koehn 2004, Statistical significance tests for machine translation evaluation, https://aclanthology.org/W04-3250.
    """
    rng = np.random.default_rng(SEED)
    drawn = []
    for counts in seeds:
        often = rng.multinomial(len(counts), np.full(len(counts), 1 / len(counts)), size=min(RESAMPLES, 1000))
        drawn.append(bleu((often @ counts)[:, None, :])[:, 0])
    low, high = np.quantile(np.mean(drawn, axis=0), [0.025, 0.975])
    return float(low), float(high)


def answers_tables(comparison: Comparison) -> list[dict[str, Any]]:
    """Of sequences exact matches, right places and BLEU; of items how often the answer is among the first 10. Else nothing."""
    arrays = [record.arrays for name in comparison.learners for record in comparison.of(name)]
    if all("references" in held for held in arrays):
        return [_of_sequences(comparison)]
    if comparison.task != "next_item":
        return []
    ranked = [name for name in comparison.learners if all(_hits(record.arrays) is not None for record in comparison.of(name))]
    return [_of_items(comparison, ranked or comparison.learners)]


def _of_sequences(comparison: Comparison) -> dict[str, Any]:
    rows = []
    for name in comparison.learners:
        held = [record.arrays for record in comparison.of(name)]
        counts = [counted(one["predictions"], one["references"]) for one in held]
        places = [float(share_of_places(one["predictions"], one["references"]).mean()) for one in held]
        scores = [float(bleu(one)) for one in counts]
        low, high = over_sentences(counts)
        rows.append(
            {
                "name": name,
                "exact": over_seeds(100 * comparison.numbers(name, "accuracy"), comparison.shared, PERCENT),
                "places": over_seeds(100 * np.array(places), comparison.shared, PERCENT),
                "bleu": over_seeds(scores, comparison.shared, PERCENT),
                "bleu_sentences": {"mean": float(np.mean(scores)), "low": finite(low), "high": finite(high)},
                "length": float(np.mean([one[:, 0].sum() / one[:, 1].sum() for one in counts])),
            }
        )
    return {
        "title": "Sequences: wholly right, right places, BLEU",
        "columns": [
            column("name", "learner"),
            column("exact", "wholly right", "%", ".1f"),
            column("places", "right places", "%", ".1f"),
            column("bleu", "BLEU, interval over seeds", "", ".1f"),
            column("bleu_sentences", "BLEU, interval over test sentences", "", ".1f"),
            column("length", "length over that of the reference", "", ".2f"),
        ],
        "rows": rows,
        "notes": [
            "95 % intervals. Right places: of as many as the longer has, answer or reference; of several references the best.",
            "BLEU: Papineni et al. 2002, doi:10.3115/1073083.1073135; up to four symbols, all references, not smoothed. Over"
            " sentences: 1,000 bootstrap samples of the test sentences of each seed (Koehn 2004,"
            " https://aclanthology.org/W04-3250).",
        ],
    }


def _hits(held: Any) -> float | None:
    """How often the right answer is among the first by probability, ties in random order; None where nothing tells it."""
    if "probabilities" not in held or "labels" not in held:
        return None
    likely, label = held["probabilities"], held["labels"]
    if likely.shape[1] <= HITS:
        return None  # every item is among the first
    own = likely[np.arange(len(label)), label][:, None]
    return float(((HITS - (likely > own).sum(axis=1)) / (likely == own).sum(axis=1)).clip(0, 1).mean())


def _of_items(comparison: Comparison, ranked: Sequence[str]) -> dict[str, Any]:
    rows = []
    for name in ranked:
        hits = [_hits(record.arrays) for record in comparison.of(name)]
        rows.append(
            {
                "name": name,
                "first": over_seeds(100 * comparison.numbers(name, "accuracy"), comparison.shared, PERCENT),
                **({} if None in hits else {"hits": over_seeds(100 * np.array(hits, dtype=float), comparison.shared, PERCENT)}),
            }
        )
    told = all("hits" in row for row in rows)
    return {
        "title": f"Items: the answer is the first, or among the first {HITS}",
        "columns": [
            column("name", "learner"),
            column("first", "first", "%", ".1f"),
            *([column("hits", f"hit rate at {HITS}", "%", ".1f")] if told else []),
        ],
        "rows": rows,
        "notes": [
            "95 % intervals over seeds. Items that are equally likely are in random order."
            if told
            else f"No hit rate at {HITS}: there are no more items than that, or learners do not tell how likely each is."
        ],
    }


def sentence(comparison: Comparison) -> str:
    """The measure beside accuracy in one sentence, for the first screen; empty where there is none."""
    for table in comparison.answers:
        key, title = (
            ("bleu_sentences", "BLEU [over sentences]")
            if "bleu_sentences" in table["rows"][0]
            else ("hits", f"Hit rate at {HITS}, %")
        )
        if key not in table["rows"][0]:
            return str(table["notes"][0])
        each = ", ".join(f"{row['name']} {_told(row[key])}" for row in table["rows"])
        return f"{title}: {each}."
    return ""


def _told(entry: Any) -> str:
    return f"{entry['mean']:.1f} {told_ends({end: None if entry[end] is None else entry[end] / 100 for end in ('low', 'high')})}"
