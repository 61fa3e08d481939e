"""How alike the learners of a comparison are, pair by pair, and how well each is calibrated, as tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from bridges.comparison.columns import column
from bridges.comparison.measures import align, summarised

if TYPE_CHECKING:
    from bridges.comparison.result import Comparison


def likeness_tables(comparison: Comparison) -> list[dict[str, Any]]:
    """How alike the learners are pair by pair, and how well each is calibrated; empty where nothing was recorded for it."""
    seeds = []
    streams = int(comparison.configuration["facts"].get("streams", 1))
    for seed in comparison.seeds:
        arrays = {
            name: comparison.records[seed, name].arrays for name in comparison.learners if (seed, name) in comparison.records
        }
        if any("labels" not in held for held in arrays.values()):
            return []  # trials with many answers each: what is measured here is of one
        told = {
            name: {
                "predictions": held["predictions"],
                "labels": held["labels"],
                "probabilities": held.get("probabilities"),
                "representation": held.get("representation"),
                "conditions": held.get("conditions"),
                "attention": held.get("attention_by_trial"),
            }
            for name, held in arrays.items()
        }
        told = {name: told[name] for name in sorted(told)}  # permutations must not depend on the order of learners
        if told:
            count = streams * int(comparison.configuration["facts"]["classes"])
            seeds.append(align(told, np.random.default_rng(seed), count=count))
    if not seeds:
        return []
    found = summarised(seeds, comparison.shared)
    place = {name: k for k, name in enumerate(comparison.learners)}
    for row in found["pairs"]:
        row["a"], row["b"] = sorted((row["a"], row["b"]), key=place.__getitem__)
    found["pairs"].sort(key=lambda row: (place[row["a"]], place[row["b"]]))
    found["learners"].sort(key=lambda row: place[row["name"]])
    pairs = {
        "title": "How alike the learners are",
        "columns": [
            column("a", "learner"),
            column("b", "and"),
            column("error_consistency", "error consistency κ", format=".2f"),
            column("cka", "linear CKA", format=".2f"),
            column("rsa", "representational similarity ρ", format=".2f"),
            column("attention", "attention or gain r", format=".2f"),
        ],
        "rows": found["pairs"],
        "notes": [
            "Means with 95 % intervals over seeds, on the same test trials of each seed. 0: as permuted trials; 1: alike.",
            "κ: Cohen's kappa of right and wrong (Geirhos, Meding & Wichmann 2020, arXiv:2006.16736). CKA: Kornblith et al. 2019,"
            " arXiv:1905.00414, without bias. ρ: Spearman correlation of dissimilarities between conditions (class and cued"
            " stream; Kriegeskorte et al. 2008, doi:10.3389/neuro.06.004.2008). r: attention weights with shares of the gain.",
            "Two learners that see the same images are alike without sharing any mechanism: read a likeness beside that to a"
            " control.",
        ],
    }
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
    return [pairs, own]


def _range(ceiling: Mapping[str, float | None] | None) -> str | None:
    if not ceiling or ceiling["low"] is None or ceiling["high"] is None:
        return None
    return f"{ceiling['low']:.2f} to {ceiling['high']:.2f}"
