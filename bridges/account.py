"""What a comparison says besides accuracy: whether it is fair, what each side costs, how alike the learners are.

Each part is plain data that a table can be made of: `title`, `columns` (key, title, unit, format), `rows` and `notes`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from bridges.alignment import align, over_seeds
from bridges.energy import ASSUMPTIONS, CRITERION, Costs, EnergyTable
from bridges.jobs import VALIDATION, finite
from plasticity.statistics import interval

if TYPE_CHECKING:
    from bridges.comparison import Comparison

GIVEN = "The gate of the spiking learners is told what the cue means; the torch learners have to learn it, over repeated passes."
PREFIXES = ((1.0, "J"), (1e-3, "mJ"), (1e-6, "µJ"), (1e-9, "nJ"), (1e-12, "pJ"))
ALIKE = 2.0  # the largest may be this often the smallest and still count as alike


def over(values: np.ndarray) -> dict[str, float | None] | None:
    """Mean and 95 % interval over seeds, of those that have the number; None where none has."""
    values = np.asarray(values, dtype=np.float64)
    values = values[np.isfinite(values)]
    if not len(values):
        return None
    low, high = interval(values) if len(values) > 1 else (np.nan, np.nan)
    return {"mean": float(values.mean()), "low": finite(low), "high": finite(high)}


def _middle(values: np.ndarray) -> dict[str, float]:
    """Median and range over seeds."""
    return {"median": float(np.median(values)), "low": float(values.min()), "high": float(values.max())}


def joules(value: float | None, low: float | None = None, high: float | None = None) -> str:
    """Three digits and a prefix: 1.23 µJ; with an interval 1.23 [1.2, 1.25] µJ, where three digits show one."""
    if value is None:
        return "-"
    size, unit = next(((size, unit) for size, unit in PREFIXES if abs(value) >= size), PREFIXES[-1])
    mean, *bounds = (f"{number / size:.3g}" for number in (value, low, high) if number is not None)
    return f"{mean} [{', '.join(bounds)}] {unit}" if {*bounds} - {mean} else f"{mean} {unit}"


def _column(key: str, title: str, unit: str = "", format: str = "") -> dict[str, str]:
    return {"key": key, "title": title, "unit": unit, "format": format}


# Is it fair


def fairness(comparison: Comparison, table: EnergyTable) -> dict[str, Any]:
    """What each learner was given and took, and in what the comparison is not fair."""
    rows = []
    for name in comparison.learners:
        records = comparison.of(name)
        spent = [_spent(record.numbers, table) for record in records]
        first = records[0].numbers
        rows.append(
            {
                "learner": name,
                "side": comparison.side(name),
                "parameters": first["parameters"],
                "training_trials": first["training_trials"],
                "trials_shown": over(comparison.numbers(name, "trials_shown")),
                "gradient_steps": over(comparison.numbers(name, "gradient_steps")),
                "seconds": _middle(comparison.numbers(name, "seconds")),
                "energy": over(np.array([np.nan if value is None else value for value in spent])),
            }
        )
    notes = ["Every learner met the very same trials of every seed: the SHA-256 of the trials is in each record, and they agree."]
    notes += _unfair(comparison, rows)
    columns = [
        _column("learner", "learner"),
        _column("side", "side"),
        _column("parameters", "parameters that learning changes", format=",.0f"),
        _column("training_trials", "different training trials", format=",.0f"),
        _column("trials_shown", "training trials shown, repeats counted", format=",.0f"),
        _column("gradient_steps", "gradient steps", format=",.0f"),
        _column("seconds", "training", "s", ".2f"),
        _column("energy", "energy of training", "J", ".3g"),
    ]
    return {"title": "What each learner was given, and took", "columns": columns, "rows": rows, "notes": notes}


def _unfair(comparison: Comparison, rows: list[dict[str, Any]]) -> list[str]:
    """Sentences on what is not alike."""
    told = []
    if given_the_cue(comparison):
        told.append(f"Not fair: {GIVEN}")
    learning = [row for row in rows if row["side"] != "control" and row["trials_shown"]]
    for key, what in (("trials_shown", "training trials shown, repeats counted"), ("parameters", "parameters")):
        sizes = {row["learner"]: row[key]["mean"] if isinstance(row[key], Mapping) else row[key] for row in learning}
        known = {name: size for name, size in sizes.items() if size}
        if known and max(known.values()) > ALIKE * min(known.values()):
            least, most = min(known, key=known.__getitem__), max(known, key=known.__getitem__)
            told.append(f"Not alike: {what}, from {known[least]:,.0f} ({least}) to {known[most]:,.0f} ({most}).")
    remarks: dict[str, list[str]] = {}
    for name in comparison.learners:
        if remark := comparison.of(name)[0].numbers.get("remark"):
            remarks.setdefault(remark, []).append(name)
    told += [f"{', '.join(names)}: {remark}." for remark, names in remarks.items()]
    for name in comparison.learners:
        if (curve := comparison.of(name)[0].numbers.get("curve", VALIDATION)) != VALIDATION:
            told.append(
                f"Not alike: the learning curve of {name} is measured on {curve}, and by it how soon a level is reached and what"
                " that takes."
            )
    told.append(
        "Seconds (median and range) are those of one thread beside other jobs on the same machine, with the learning curve,"
        " compilation apart."
    )
    return told


def given_the_cue(comparison: Comparison) -> bool:
    """Whether a spiking learner's gate is told what the cue means, beside torch learners that must learn it."""
    from plasticity.gates import GATES

    if comparison.without_attention is None or "torch" not in {comparison.side(name) for name in comparison.learners}:
        return False
    gates = [comparison.configuration.get("parameters", {}).get(name, {}).get("gate") for name in comparison.learners]
    names = [gate["name"] for gate in gates if isinstance(gate, Mapping)]
    return any(name not in GATES or GATES[name].selects for name in names)


# What it costs


def _costs(numbers: Mapping[str, Any]) -> Costs | None:
    return None if numbers.get("costs") is None else Costs.read(numbers["costs"])


def _spent(numbers: Mapping[str, Any], table: EnergyTable) -> float | None:
    """Joules of all of training."""
    cost = _costs(numbers)
    return None if cost is None else numbers["trials_shown"] * cost.joules("training", table) + cost.joules("once", table)


LEFT_OUT = ("spikes", "even", "even_bound")  # columns that a narrow window does not show
_FOUND = ("training", "decision", "bound", "criterion", "spikes", "even", "even_bound")


def costs(comparison: Comparison, table: EnergyTable) -> dict[str, Any]:
    """Joules per training trial, per decision and to a criterion, and the spikes at which both sides would cost the same."""
    chance, ceiling = comparison.chance, comparison.ceiling
    criterion = chance + CRITERION * (ceiling - chance)
    gradient = [name for name in comparison.learners if comparison.side(name) == "torch" and _known(comparison, name)]
    best = max(gradient, key=lambda name: comparison.numbers(name, "accuracy").mean()) if gradient else None
    rows = []
    for name in comparison.learners:
        if not _known(comparison, name):
            continue
        found: dict[str, list[float]] = {key: [] for key in _FOUND}
        for seed in comparison.seeds:
            if (seed, name) not in comparison.records:
                continue
            record = comparison.records[seed, name]
            cost = _costs(record.numbers)
            assert cost is not None
            reached = cost.to_criterion(criterion, record.arrays["history_trials"], record.arrays["history_accuracy"], table)
            other = None if best is None else comparison.records.get((seed, best))
            against = None if other is None else _costs(other.numbers)
            spiking = cost.side == "spiking"
            values = {
                "training": cost.joules("training", table),
                "decision": cost.joules("decision", table),
                "bound": cost.joules("decision", table, event_driven=True) if spiking else None,
                "criterion": reached,
                "spikes": cost.spikes,
                "even": cost.break_even(against, table) if against and spiking else None,
                "even_bound": cost.break_even(against, table, event_driven=True) if against and spiking else None,
            }
            for key, value in values.items():
                found[key].append(np.nan if value is None else value)
        row: dict[str, Any] = {"learner": name, **{key: over(np.array(values)) for key, values in found.items()}}
        row["reached"] = f"{np.isfinite(found['criterion']).sum()} of {len(found['criterion'])}"
        rows.append(row)
    columns = [
        _column("learner", "learner"),
        _column("training", "per training trial", "J", ".3g"),
        _column("decision", "per decision", "J", ".3g"),
        _column("bound", "per decision, at spikes alone", "J", ".3g"),
        _column("criterion", f"to {100 * criterion:.0f} % right", "J", ".3g"),
        _column("reached", "seeds that reach it"),
        _column("spikes", "spikes per decision", format=",.0f"),
    ]
    if best:
        columns += [
            _column("even", "break-even, spikes", format=",.0f"),
            _column("even_bound", "break-even, at spikes alone", format=",.0f"),
        ]
    prices = f"{table.add_pj:g} pJ an addition, {table.multiply_pj:g} pJ a multiplication, {table.sram_pj:g} pJ a word of SRAM"
    notes = [
        f"Prices: {prices}, {table.dram_pj:g} pJ a word of DRAM; weights in {table.weights.upper()}. Horowitz 2014,"
        " doi:10.1109/ISSCC.2014.6757323.",
        f"To {100 * criterion:.0f} % right: all training until the learning curve first reaches chance and"
        f" {100 * CRITERION:.0f} % of what lies between it and the ceiling; an upper bound, since that may have been"
        " anywhere after the point before, and the points of learners differ.",
        f"Break-even: spikes at which a decision would cost as much as one of {best}, the best model trained by gradient."
        if best
        else "",
        "No break-even number where what does not grow with spikes (neurons, traces, learning) alone costs more than the other"
        " side's decision."
        if best and any(row["spikes"] and not row["even"] for row in rows)
        else "",
        *ASSUMPTIONS,
    ]
    rest = [name for name in comparison.learners if not _known(comparison, name)]
    notes += [f"Not counted: {', '.join(rest)}."] if rest else []
    uncounted = sorted({text for name in comparison.learners for text in _uncounted(comparison, name)})
    notes += [f"Operations of PyTorch that no counter knows: {', '.join(uncounted)}."] if uncounted else []
    return {"title": "Energy: estimates", "columns": columns, "rows": rows, "notes": [note for note in notes if note]}


def _known(comparison: Comparison, name: str) -> bool:
    return all(record.numbers.get("costs") is not None for record in comparison.of(name))


def _uncounted(comparison: Comparison, name: str) -> list[str]:
    return list((comparison.of(name)[0].numbers.get("costs") or {}).get("uncounted", ()))


def breakdown(comparison: Comparison, table: EnergyTable, phase: str) -> dict[str, dict[str, float]]:
    """Joules by kind of work for each learner, means over seeds; phase "training" (a trial) or "decision"."""
    found: dict[str, dict[str, float]] = {}
    for name in comparison.learners:
        if _known(comparison, name):
            each = [Costs.read(record.numbers["costs"]).breakdown(phase, table) for record in comparison.of(name)]
            found[name] = {kind: float(np.mean([one[kind] for one in each])) for kind in each[0]}
    return found


# How alike


def alignment(comparison: Comparison) -> list[dict[str, Any]]:
    """How alike the learners are pair by pair, and how well each is calibrated; empty where nothing was recorded for it."""
    seeds = []
    streams = int(comparison.configuration["facts"].get("streams", 1))
    for seed in comparison.seeds:
        arrays = {
            name: comparison.records[seed, name].arrays for name in comparison.learners if (seed, name) in comparison.records
        }
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
    found = over_seeds(seeds)
    place = {name: k for k, name in enumerate(comparison.learners)}
    for row in found["pairs"]:
        row["a"], row["b"] = sorted((row["a"], row["b"]), key=place.__getitem__)
    found["pairs"].sort(key=lambda row: (place[row["a"]], place[row["b"]]))
    found["learners"].sort(key=lambda row: place[row["name"]])
    pairs = {
        "title": "How alike the learners are",
        "columns": [
            _column("a", "learner"),
            _column("b", "and"),
            _column("error_consistency", "error consistency κ", format=".2f"),
            _column("cka", "linear CKA", format=".2f"),
            _column("rsa", "representational similarity ρ", format=".2f"),
            _column("attention", "attention or gain r", format=".2f"),
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
            _column("name", "learner"),
            _column("ece", "calibration error", format=".3f"),
            _column("ece_chance", "the same, of a perfectly calibrated learner", format=".3f"),
            _column("brier", "Brier score", format=".3f"),
            _column("ceiling", "noise ceiling of ρ, low to high", format=".2f"),
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
