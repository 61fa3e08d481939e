"""How alike the learners of a comparison are, pair by pair, and how well each is calibrated, as tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from bridges.comparison.columns import column
from bridges.comparison.measures import align, summarised
from plasticity.statistics import LEVEL, least_p

if TYPE_CHECKING:
    from bridges.comparison.result import Comparison


PERMUTED, UNTRAINED, UNATTENDED = "trials permuted", "before learning", "without attention"
NULLS = (PERMUTED, UNTRAINED, UNATTENDED)
WITHOUT = {"spiking": "spiking_no_gate", "torch": "uniform_attention"}  # of each side the learner without attention
TITLES = {
    "error_consistency": "error consistency κ",
    "cka": "linear CKA",
    "rsa": "representational similarity ρ",
    "attention": "attention or gain r",
}


def likeness_tables(comparison: Comparison) -> list[dict[str, Any]]:
    """How alike the learners are pair by pair, and how well each is calibrated; empty where nothing was recorded for it.

    A table for each measure: of each pair its value, and beside it what it is with the trials of one side permuted, before either
    has learnt, and between the learners of both sides that have no attention, as far as these are compared.
    """
    arrays = {key: record.arrays for key, record in comparison.records.items()}
    if any("labels" not in held for held in arrays.values()):
        return []  # trials with many answers each: what is measured here is of one
    found = _aligned(comparison, arrays, "", 200)
    before = _aligned(comparison, arrays, "untrained_", 1)["pairs"]
    place = {name: k for k, name in enumerate(comparison.learners)}
    for row in (*found["pairs"], *before):
        row["a"], row["b"] = sorted((row["a"], row["b"]), key=place.__getitem__)
    found["pairs"].sort(key=lambda row: (place[row["a"]], place[row["b"]]))
    found["learners"].sort(key=lambda row: place[row["name"]])
    learnt, untrained = ({(row["a"], row["b"]): row for row in rows} for rows in (found["pairs"], before))
    tables = [
        {
            "title": f"How alike the learners are: {title}",
            "measure": key,
            "columns": [column("a", "learner"), column("b", "and"), *(column(k, t, format=".2f") for k, t in heads.items())],
            "rows": [
                {
                    "a": a, "b": b, key: {name: value for name, value in row[key].items() if name != "chance"},
                    PERMUTED: row[key]["chance"], UNTRAINED: _short(untrained.get((a, b), {}).get(key)),
                    UNATTENDED: _short(learnt.get(_without(comparison, a, b), {}).get(key)),
                }
                for (a, b), row in learnt.items() if key in row
            ],
            "notes": [],
        }
        for key, title in TITLES.items() for heads in ({key: title} | {null: null for null in NULLS},)
    ]  # fmt: skip
    tables = [table for table in tables if table["rows"]]
    few = least_p(len(comparison.seeds))
    if tables:
        tables[-1]["notes"] = [
            "Means with 95 % intervals over seeds, on the same test trials of each seed. 0: as permuted trials; 1: alike."
            + (f" With so few seeds no p of theirs is below {few:.2g}." if few > LEVEL else ""),
            "Before learning: both learners at their first weights. Without attention: between "
            + " and ".join(WITHOUT.values())
            + ", where the two learners are of different sides.",
            "κ: Cohen's kappa of right and wrong (Geirhos, Meding & Wichmann 2020, arXiv:2006.16736). CKA: Kornblith et al. 2019,"
            " arXiv:1905.00414, without bias. ρ: Spearman correlation of dissimilarities between conditions (class and cued"
            " stream; Kriegeskorte et al. 2008, doi:10.3389/neuro.06.004.2008). r: attention weights with shares of the gain.",
            "Two learners that see the same images are alike without sharing any mechanism: read a likeness beside that to a"
            " control.",
        ]
    own = {
        "title": "Whether a learner knows when it is right, and how reliable its representation is",
        "columns": [
            column("name", "learner"),
            column("ece", "calibration error", format=".3f"),
            column("ece_chance", "the same, of a perfectly calibrated learner", format=".3f"),
            column("brier", "Brier score", format=".3f"),
            column("ceiling", "noise ceiling of ρ, low to high", format=".2f"),
        ],
        "rows": [
            {
                **row,
                "ece_chance": (row.get("ece") or {}).get("chance"),
                "ceiling": _range(row.get("ceiling")),
            }
            for row in found["learners"]
        ],
        "notes": [
            "Calibration error: Guo et al. 2017, arXiv:1706.04599. A spiking learner's confidence is the share of the spikes that"
            " speak for a class, which nobody trained to be a probability.",
            "Noise ceiling: the most that a learner's dissimilarities can agree with its own from other seeds (Nili et al. 2014,"
            " doi:10.1371/journal.pcbi.1003553).",
        ],
    }
    return [*tables, own]


def _aligned(
    comparison: Comparison, arrays: Mapping[tuple[int, str], Mapping[str, Any]], state: str, permutations: int
) -> dict[str, Any]:
    """`summarised` over the seeds, of the arrays whose names begin with the state of the learners."""
    kinds = ("predictions", "probabilities", "representation")
    count = int(comparison.configuration["facts"].get("streams", 1)) * int(comparison.configuration["facts"]["classes"])
    seeds = []
    for seed in comparison.seeds:
        told = {
            name: {
                **{kind: held.get(f"{state}{kind}") for kind in kinds},
                "labels": held["labels"],
                "conditions": held.get("conditions"),
                "attention": held.get(f"{state}attention_by_trial"),
            }
            for name in sorted(comparison.learners)  # permutations must not depend on the order of learners
            if f"{state}predictions" in (held := arrays.get((seed, name), {}))
        }
        if told:
            seeds.append(align(told, np.random.default_rng(seed), permutations, count=count))
    return summarised(seeds, comparison.shared) if seeds else {"pairs": [], "learners": []}


def _without(comparison: Comparison, a: str, b: str) -> tuple[str, str]:
    """The learners without attention of the sides of two learners, in the order of the comparison."""
    found = [WITHOUT.get(comparison.side(name), "") for name in (a, b)]
    first, second = sorted(found, key=lambda name: comparison.learners.index(name) if name in comparison.learners else -1)
    return first, second


def _short(entry: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Mean and interval alone."""
    return None if entry is None else {key: entry[key] for key in ("mean", "low", "high")}


def _range(ceiling: Mapping[str, float | None] | None) -> str | None:
    if not ceiling or ceiling["low"] is None or ceiling["high"] is None:
        return None
    return f"{ceiling['low']:.2f} to {ceiling['high']:.2f}"
