"""Words with their attention, in colour, and what it costs to take them out: of comparisons on texts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bridges.comparison.reading import TESTED, WORDS, deletion
from plasticity.statistics import told_ends
from simulations.report.html import Block, Heading, Table, Text, Words

if TYPE_CHECKING:
    from bridges.comparison import Comparison

HEADS = (
    "learner", "words taken out", "fall by attended words, points [95 % interval]", "by words of largest chi-square",
    "by random words", "attended less random", "attended less chi-square", "places, attended", "places, chi-square",
    "places, random",
)  # fmt: skip
NOTES = (
    f"The first {TESTED} test texts of each seed. So many different words are taken out of each text, with all their occurrences:"
    " those that the learner attends most (by the mean over their occurrences), those whose presence goes most with the classes"
    " in the training texts, or as many at random; accuracy falls by so many points. Of naive Bayes and logistic regression,"
    " without attention, attended are those that speak most for the answer. A learner without attention loses the other two"
    " kinds. Places: how many words of a text that takes out on average, occurrences counted.",
)

SHADES = (
    "The darker a word, the more attention it gets, as a share of the one that gets most; of naive Bayes and logistic regression,"
    " how much it speaks for the answer. `?` is a word that training texts have too rarely to be in the vocabulary."
)


def blocks(comparison: Comparison) -> list[Block]:
    """A table of the test of deletion, then some texts, as each learner attends their words; nothing of other tasks."""
    found = deletion(comparison)
    if not found:
        return []
    rows = [
        [
            row["learner"], str(row["removed"]), *(_points(row[which]) for which in (*WORDS, "difference", "beyond_chi_square")),
            *("" if row[f"{which}_places"] is None else f"{row[f'{which}_places']:.1f}" for which in WORDS),
        ]
        for row in found
    ]  # fmt: skip
    made: list[Block] = [Table("What taking words out costs", HEADS, rows, NOTES, frozenset(range(1, len(HEADS))))]
    names = list(comparison.configuration.get("data", {}).get("classes", []))
    seed = comparison.seeds[0]
    readers = dict.fromkeys(row["learner"] for row in found if row["attended"])
    held = {name: comparison.records[seed, name].arrays for name in readers if (seed, name) in comparison.records}
    if not held:
        return made
    made.append(Text(f"Test texts of seed {seed}. {SHADES}"))
    for number in range(min(len(arrays["read_target"]) for arrays in held.values())):
        made.append(Heading(f"Text {number + 1}"))
        for name, arrays in held.items():
            answer, target = (_named(names, int(arrays[key][number])) for key in ("read_answer", "read_target"))
            told = f"{name}: {answer}" + (", which is right" if answer == target else f"; right would be {target}")
            attention = arrays["read_attention"][number].astype(float)
            shares = attention / (attention.max() or 1.0)
            words = arrays["read_words"][number]
            made.append(Words(told, [(str(words[k]), float(shares[k])) for k in np.flatnonzero(words != "")]))
    return made


def _points(value: dict[str, Any] | None) -> str:
    return "" if value is None else f"{100 * value['mean']:+.1f} {told_ends(value, '+')}"


def _named(names: list[str], number: int) -> str:
    return names[number] if number < len(names) else str(number)
