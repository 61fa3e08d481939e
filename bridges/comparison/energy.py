"""What each side costs: operations counted, and turned into joules under one table.

    spiking    operations of `activity_`, counted in the simulation itself (plasticity.engine.operations)
    torch      matrix products by PyTorch's own counter, everything between them by another one, the update by hand
               (bridges.counting)
    both       joules = additions x .9 pJ + multiplications x 3.7 pJ + words x 5 pJ (45 nm; `EnergyTable`)

A comparison of estimates, not of measurements: `ASSUMPTIONS` belongs under every table and figure of it.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from bridges.comparison.columns import column
from plasticity import settings
from plasticity.engine.operations import PHASES, Costs, Operations
from plasticity.errors import WrongUse
from plasticity.settings import setting
from plasticity.statistics import over_seeds

if TYPE_CHECKING:
    from bridges.comparison.result import Comparison

ASSUMPTIONS = (
    "Estimates, no measurements: operations are counted and priced by one table for both sides (45 nm, 32-bit floating point).",
    "Python, idle power, leakage, control, clocks and networks on the chip cost nothing here.",
    "Comparisons and subtractions are priced as additions, divisions and functions such as exp as multiplications.",
    "Partial sums stay in registers on both sides: potentials while spikes of one time step are added, elements of a product of"
    " matrices. With sums=sram each addition to one reads and writes it, on both sides.",
    "Spiking: a spike costs one addition at each synapse that it reaches, and the read of a weight where the synapse has its own;"
    " constant factors are in the weight. Spikes were counted, not expected.",
    "Spiking: the simulation is driven by a clock, so that the equations of neurons are advanced in every time step; the"
    " event-driven bound leaves out neurons and traces and keeps what spikes do to synapses, and the scaling of weights.",
    "Spiking: what is constant in a run, such as dt/tau, is folded; what learning is off for, such as the decay of an adaptive"
    " threshold in a decision, is not counted.",
    "Spiking: learning (traces, weight updates, scaling of weights) costs nothing where it is off; the switch itself is free.",
    "Spiking: drawing input spikes, random numbers, the teacher of a classifier, and setting neurons to rest between trials are"
    " not counted.",
    "A spiking memory learns nothing from training trials and stores its pairs within a decision; queries of the same pairs share"
    " that, where a model trained by gradient reads all pairs for each query anew.",
    "Torch: an operation reads the weights that it uses once for a batch in training, and for each decision (a batch of one).",
    "Torch: each operation reads its operands and writes its result, as in eager mode; none are fused.",
    "Torch: drawing dropout and shuffling, and the schedule of the learning rate, are not counted.",
    "Weights lie in one memory on both sides (SRAM, or DRAM with weights=dram), all else in SRAM; a small SRAM (8 KB) as if"
    " memory were cut into banks beside the arithmetic.",
    "Measuring the learning curve is not counted on either side, even where training stops by it.",
)
"""What the numbers rest on, one sentence each."""


@dataclasses.dataclass(frozen=True)
class EnergyTable:
    """What an operation costs, in picojoules, and where the weights lie.

    The numbers are those of a 45 nm process at 0.9 V; memory per 32-bit word, which is half of the 64-bit access that the paper
    gives (10 pJ for a cache of 8 KB, 1.3 nJ or more for DRAM).

    Source: Horowitz 2014, doi:10.1109/ISSCC.2014.6757323 (fig. 1.1.9).
    """

    name: ClassVar[str] = "energy"
    add_pj: float = setting(0.9, "addition of 32-bit floating point numbers", "pJ", low=0, high=1e9)
    multiply_pj: float = setting(3.7, "multiplication of 32-bit floating point numbers", "pJ", low=0, high=1e9)
    sram_pj: float = setting(5.0, "access to a 32-bit word of a memory of 8 KB on the chip", "pJ", low=0, high=1e9)
    dram_pj: float = setting(640.0, "access to a 32-bit word of a memory outside the chip", "pJ", low=0, high=1e9)
    weights: str = setting("sram", "where weights lie, with their gradients and moments", choices=("sram", "dram"))
    sums: str = setting("registers", "where partial sums lie: registers are free", choices=("registers", "sram"))

    def __post_init__(self) -> None:
        settings.check(self)

    @classmethod
    def parse(cls, text: str) -> EnergyTable:
        """The table with some entries replaced: `"sram_pj=2.5 weights=dram"` (spaces, commas or lines between), or JSON.

        Raises
        ------
        WrongUse
            An unknown entry (the known ones are told), a value that is no number or negative, JSON that is no object.
        """
        if text.lstrip().startswith(("{", "[")):
            try:
                values = json.loads(text)
            except json.JSONDecodeError as error:
                raise WrongUse(f'the energy table is no JSON ({error}); write {{"sram_pj": 2.5}} or sram_pj=2.5.') from None
            if not isinstance(values, dict):
                raise WrongUse('the energy table is a JSON list; write an object, {"sram_pj": 2.5}.')
        else:
            values = settings.parse(filter(None, re.split(r"[\s,;]+", text)))
        return settings.configure(cls, {str(key).removeprefix(f"{cls.name}."): value for key, value in values.items()})

    def arithmetic(self, done: Operations) -> float:
        """Joules of additions and multiplications."""
        return 1e-12 * (self.add_pj * done.additions + self.multiply_pj * done.multiplications)

    def memory(self, done: Operations) -> float:
        """Joules of reads and writes."""
        weight_pj = {"sram": self.sram_pj, "dram": self.dram_pj}[self.weights]
        sum_words = 2 * done.sums if self.sums == "sram" else 0.0  # read and written at each addition
        return 1e-12 * (weight_pj * done.weight_words + self.sram_pj * (done.state_words + sum_words))


TABLE = EnergyTable()
CRITERION = 0.8  # how far from chance to ceiling a learning curve must come
CLOCKED = ("neurons", "traces")  # kinds of work that a clock asks for, not a spike
PREFIXES = ((1.0, "J"), (1e-3, "mJ"), (1e-6, "µJ"), (1e-9, "nJ"), (1e-12, "pJ"))


# What one learner spent
#
# A fair remark. The spiking side is a clock-driven digital simulation, and its full count says what such a simulation costs.
# Neuromorphic hardware that is driven by events does no work where nothing happens; `event_driven=True` counts only what
# happens at spikes (synaptic operations and weight updates) and is a bound from below, since such hardware must also make
# potentials and traces decay. The truth for a chip lies between the two.


def breakdown(costs: Costs, phase: str = "decision", table: EnergyTable = TABLE, event_driven: bool = False) -> dict[str, float]:
    """Joules of the arithmetic of each kind, and of all reads and writes as `memory`: a stack that sums to `spent`."""
    if phase not in PHASES:
        raise WrongUse(f"phase={phase!r} must be one of {', '.join(PHASES)}.")
    kinds = {kind: done for kind, done in getattr(costs, phase).items() if not (event_driven and kind in CLOCKED)}
    return {kind: table.arithmetic(done) for kind, done in kinds.items()} | {"memory": sum(map(table.memory, kinds.values()))}


def spent(costs: Costs, phase: str = "decision", table: EnergyTable = TABLE, event_driven: bool = False) -> float:
    """Joules per training trial ("training"), per decision ("decision"), or once ("once")."""
    return sum(breakdown(costs, phase, table, event_driven).values())


def to_criterion(
    costs: Costs, criterion: float, trials: ArrayLike, accuracy: ArrayLike, table: EnergyTable = TABLE, event_driven: bool = False
) -> float | None:
    """Joules until the learning curve (`trials` shown, rising; `accuracy` there) first reaches the accuracy `criterion`.

    Trials needed x joules per training trial, and what is spent once. None where it is never reached. Nothing is
    interpolated: the answer is as fine as the points of the curve.
    """
    reached = np.asarray(trials, dtype=float)[np.asarray(accuracy, dtype=float) >= criterion]
    if not reached.size:
        return None
    each, once = (spent(costs, phase, table, event_driven) for phase in ("training", "once"))
    return float(reached[0]) * each + once


def break_even(costs: Costs, other: Costs, table: EnergyTable = TABLE, event_driven: bool = False) -> float | None:
    """Spikes per decision, of all populations, at which this network's decision would cost as much as that of `other`.

    s* = s (E_other - E_fixed) / E_synapses: the synaptic operations grow with the number of spikes s (all populations in
    proportion), the rest is taken to stay. None where the rest alone costs more, or where spikes cost nothing.
    """
    if not costs.spikes:
        return None
    done = costs.decision["synapses"]
    synapses = table.arithmetic(done) + table.memory(done)
    left = spent(other, "decision", table) - (spent(costs, "decision", table, event_driven) - synapses)
    return costs.spikes * left / synapses if left > 0 and synapses > 0 else None


def joules(value: float | None, low: float | None = None, high: float | None = None) -> str:
    """Three digits and a prefix: 1.23 µJ; with an interval 1.23 [1.2, 1.25] µJ, where three digits show one."""
    if value is None:
        return "-"
    size, unit = next(((size, unit) for size, unit in PREFIXES if abs(value) >= size), PREFIXES[-1])
    mean, *bounds = (f"{number / size:.3g}" for number in (value, low, high) if number is not None)
    return f"{mean} [{', '.join(bounds)}] {unit}" if {*bounds} - {mean} else f"{mean} {unit}"


# What all learners of a comparison spent


def _costs(numbers: Mapping[str, Any]) -> Costs | None:
    return None if numbers.get("costs") is None else Costs.read(numbers["costs"])


def of_training(numbers: Mapping[str, Any], table: EnergyTable) -> float | None:
    """Joules of all of training."""
    cost = _costs(numbers)
    return None if cost is None else numbers["trials_shown"] * spent(cost, "training", table) + spent(cost, "once", table)


LEFT_OUT = ("spikes", "even", "even_bound")  # columns that a narrow window does not show
_FOUND = ("training", "decision", "bound", "criterion", "spikes", "even", "even_bound")


def cost_table(comparison: Comparison, table: EnergyTable) -> dict[str, Any]:
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
            reached = to_criterion(cost, criterion, record.arrays["history_trials"], record.arrays["history_accuracy"], table)
            other = None if best is None else comparison.records.get((seed, best))
            against = None if other is None else _costs(other.numbers)
            spiking = cost.side == "spiking"
            values = {
                "training": spent(cost, "training", table),
                "decision": spent(cost, "decision", table),
                "bound": spent(cost, "decision", table, event_driven=True) if spiking else None,
                "criterion": reached,
                "spikes": cost.spikes,
                "even": break_even(cost, against, table) if against and spiking else None,
                "even_bound": break_even(cost, against, table, event_driven=True) if against and spiking else None,
            }
            for key, value in values.items():
                found[key].append(np.nan if value is None else value)
        row: dict[str, Any] = {
            "learner": name,
            **{key: over_seeds(np.array(values), comparison.shared) for key, values in found.items()},
        }
        row["reached"] = f"{np.isfinite(found['criterion']).sum()} of {len(found['criterion'])}"
        rows.append(row)
    columns = [
        column("learner", "learner"),
        column("training", "per training trial", "J", ".3g"),
        column("decision", "per decision", "J", ".3g"),
        column("bound", "per decision, at spikes alone", "J", ".3g"),
        column("criterion", f"to {100 * criterion:.0f} % right", "J", ".3g"),
        column("reached", "seeds that reach it"),
        column("spikes", "spikes per decision", format=",.0f"),
    ]
    if best:
        columns += [
            column("even", "break-even, spikes", format=",.0f"),
            column("even_bound", "break-even, at spikes alone", format=",.0f"),
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


def by_kind(comparison: Comparison, table: EnergyTable, phase: str) -> dict[str, dict[str, float]]:
    """Joules by kind of work for each learner, means over seeds; phase "training" (a trial) or "decision"."""
    found: dict[str, dict[str, float]] = {}
    for name in comparison.learners:
        if _known(comparison, name):
            each = [breakdown(Costs.read(record.numbers["costs"]), phase, table) for record in comparison.of(name)]
            found[name] = {kind: float(np.mean([one[kind] for one in each])) for kind in each[0]}
    return found
