"""What each side costs: operations counted, and turned into joules under one table.

    spiking    operations of `activity_`, counted in the simulation itself (plasticity.engine.operations)
    torch      matrix products by PyTorch's own counter, everything between them by another one, the update by hand
               (bridges.counting)
    all        joules = additions x .9 pJ + multiplications x 3.7 pJ + random numbers x .6 pJ + words x the price of a word in
               a memory as large as what the learner has to store (45 nm; `EnergyTable`)

A comparison of estimates, not of measurements: `ASSUMPTIONS` belongs under every table and figure of it.
"""

from __future__ import annotations

import dataclasses
import json
import math
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from bridges.comparison.columns import column
from plasticity import settings
from plasticity.engine.operations import PHASES, TOGETHER, Costs, Operations
from plasticity.errors import WrongUse
from plasticity.settings import setting
from plasticity.statistics import AMOUNT, ROUNDING, finite, over_seeds

if TYPE_CHECKING:
    from bridges.comparison.result import Comparison

ASSUMPTIONS = (
    "Estimates, no measurements: operations are counted and priced by one table for both sides (45 nm, 32-bit floating point).",
    "With bits=8 every number and word is an 8-bit integer, with sums of 32 bits; the accuracy is still that of 32 bits: that so"
    " few are enough, in training above all, is not shown here.",
    "Python, idle power, leakage, control and clocks cost nothing here.",
    "Comparisons and subtractions are priced as additions, divisions and functions such as exp as multiplications.",
    "A random number is priced as the six integer operations of xorshift (Marsaglia 2003, doi:10.18637/jss.v008.i14), with its"
    " state in registers.",
    "Partial sums stay in registers on both sides: potentials while spikes of one time step are added, elements of a product of"
    " matrices. With sums=sram each addition to one reads and writes it, on both sides.",
    "Spiking: a spike costs one addition at each synapse that it reaches, and the read of a weight where the synapse has its own;"
    " constant factors are in the weight. Spikes were counted, not expected.",
    "Spiking: an input that fires faster than a neuron does stands for a pool of them; its spikes are counted as those of the"
    " pool, and are drawn at random: in each time step, or at spikes alone from one spike to the next.",
    "Spiking: a spike is routed once to each core of 1,024 neurons that it has synapses in: its address is written into a queue,"
    " read from it and looked up, three words.",
    "Spiking: the simulation is driven by a clock, so that the equations of neurons are advanced and inputs drawn in every time"
    " step; the event-driven bound leaves out neurons and traces and keeps what spikes do: drawn, routed, at synapses, and the"
    " scaling of weights.",
    "Spiking: what is constant in a run, such as dt/tau, is folded; what learning is off for, such as the decay of an adaptive"
    " threshold in a decision, is not counted.",
    "Spiking: learning (traces, weight updates, scaling of weights) costs nothing where it is off; the switch itself is free.",
    "Spiking: the teacher of a classifier, the products of its gate, and setting neurons to rest between trials are not counted.",
    "A spiking memory learns nothing from training trials and stores its pairs within a decision; queries of the same pairs share"
    " that, where a model trained by gradient reads all pairs for each query anew.",
    "Torch: an operation reads the weights that it uses once for a batch, in training as in decisions; a batch of one reads them"
    " for each trial, as spikes do.",
    "Torch: each operation reads its operands and writes its result, as in eager mode; none are fused.",
    "Torch: drawing dropout and shuffling, and the schedule of the learning rate, are not counted.",
    "Translators of torch: sequences have the mean lengths of those in training; of an answer each symbol is computed from the"
    " first one on, as they do it, and the sources of a batch are encoded once.",
    "The local translator: the weights of its active cells are read and added for each symbol, those that change are read and"
    " written, and their mean over passes is kept beside them; which cell a conjunction has is wiring, and costs nothing.",
    "Controls of scikit-learn: a decision takes the products of the gate and reads each number that is kept once; their training"
    " is not counted.",
    "Weights lie in one memory (SRAM, or DRAM with weights=dram), in training with gradients and moments, states in another (of"
    " torch, in training the results of all operations, in decisions what the largest one reads and writes); a word costs what it"
    " does in a memory of that size, of 8 KB at least. With memory=banks all is priced as memories of 8 KB, as if they were cut"
    " into banks beside the arithmetic.",
    "Measuring the learning curve is not counted on either side, even where training stops by it.",
)
"""What the numbers rest on, one sentence each."""

HOROWITZ = "Horowitz 2014, doi:10.1109/ISSCC.2014.6757323"
SIZES = ((8.0, 10.0), (32.0, 20.0), (1024.0, 100.0))
"""Kilobytes of a memory on the chip, and picojoules of an access of 64 bits: Horowitz 2014 (fig. 1.1.9)."""


@dataclasses.dataclass(frozen=True)
class Chip:
    """What a published chip takes for what a spiking network does, in picojoules; its neurons and memory are in these prices.

    Parameters
    ----------
    synapse, spike, neuron : float
        A spike at a synapse, a spike on its way, a neuron in a time step.
    update : float or None
        A weight that changes; None where the chip does not learn.
    about, source : str
        What the numbers are, and where they stand.
    """

    synapse: float
    spike: float
    neuron: float
    update: float | None
    about: str
    source: str


CHIPS: Mapping[str, Chip] = {
    "loihi": Chip(
        23.6, 1.7, 81.0, 120.0,
        "simulated before there was silicon, at 0.75 V: the least of a synaptic operation, a spike within a tile, the update of"
        " an active neuron, of a weight by pair STDP",
        "Davies et al. 2018, doi:10.1109/MM.2018.112130359 (table 2)",
    ),
    "truenorth": Chip(
        26.0, 0.0, 0.0, None,
        "measured, the whole chip with what it takes to wait, over its synaptic events at 20 Hz and 128 synapses a neuron",
        "Merolla et al. 2014, doi:10.1126/science.1254642",
    ),
}  # fmt: skip
"""Spiking networks alone: what is trained by gradient stays under the table of 45 nm."""


@dataclasses.dataclass(frozen=True)
class EnergyTable:
    """What an operation costs, in picojoules, and where the weights lie.

    The numbers are those of a 45 nm process at 0.9 V. Of memory the paper gives accesses of 64 bits (`SIZES`): a 32-bit word is
    half of one, an 8-bit word an eighth. Between the sizes, and beyond 1 MB, the price follows a straight line in logarithms, up
    to that of DRAM; below 8 KB it stays as it is.

    Source: Horowitz 2014, doi:10.1109/ISSCC.2014.6757323 (fig. 1.1.9).
    """

    name: ClassVar[str] = "energy"
    add_pj: float = setting(0.9, "addition of 32-bit floating point numbers", "pJ", low=0, high=1e9)
    multiply_pj: float = setting(3.7, "multiplication of 32-bit floating point numbers", "pJ", low=0, high=1e9)
    sram_pj: float = setting(5.0, "access to a 32-bit word of a memory of 8 KB on the chip", "pJ", low=0, high=1e9)
    dram_pj: float = setting(640.0, "access to a 32-bit word of a memory outside the chip", "pJ", low=0, high=1e9)
    weights: str = setting("sram", "where weights lie, with their gradients and moments", choices=("sram", "dram"))
    sums: str = setting("registers", "where partial sums lie: registers are free", choices=("registers", "sram"))
    memory: str = setting("sized", "a word's price: by the size of its memory, or as of 8 KB", choices=("sized", "banks"))
    bits: str = setting("32", "numbers: 32-bit floating point, or 8-bit integers with 32-bit sums", choices=("32", "8"))
    add8_pj: float = setting(0.03, "addition of 8-bit integers", "pJ", low=0, high=1e9)
    multiply8_pj: float = setting(0.2, "multiplication of 8-bit integers", "pJ", low=0, high=1e9)
    sum8_pj: float = setting(0.1, "addition to a 32-bit integer: partial sums of 8-bit integers", "pJ", low=0, high=1e9)
    random_pj: float = setting(0.6, "random number of 32 bits: six operations of 32-bit integers", "pJ", low=0, high=1e9)
    chip: str = setting("none", "a published chip whose prices spiking networks have instead", choices=("none", *CHIPS))

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
        """Joules of additions, multiplications and random numbers."""
        add, multiply, sum_ = (
            (self.add_pj, self.multiply_pj, self.add_pj) if self.bits == "32" else (self.add8_pj, self.multiply8_pj, self.sum8_pj)
        )
        sums = min(done.sums, done.additions)
        single = add * (done.additions - sums) + sum_ * sums + multiply * done.multiplications
        return 1e-12 * (single + self.random_pj * done.draws)

    def word_pj(self, words: float) -> float:
        """Picojoules of an access to a word in a memory on the chip that holds so many."""
        kilobytes, prices = np.array(SIZES).T
        share = 1.0
        size = words * int(self.bits) / 8 / 1024
        if self.memory == "sized" and size > kilobytes[0]:
            last = np.log(prices[-1] / prices[-2]) / np.log(kilobytes[-1] / kilobytes[-2])
            beyond = max(size / kilobytes[-1], 1.0) ** last
            share = float(np.exp(np.interp(np.log(size), np.log(kilobytes), np.log(prices / prices[0]))) * beyond)
        return min(share * self.sram_pj, max(self.dram_pj, self.sram_pj)) * int(self.bits) / 32

    def traffic(self, done: Operations, stored: Mapping[str, float] | None = None) -> float:
        """Joules of reads and writes, where so many words of `weights` and `states` are stored; of small memories unless told."""
        weight, state = (self.word_pj((stored or {}).get(kind, 0.0)) for kind in ("weights", "states"))
        if self.weights == "dram":
            weight = self.dram_pj * int(self.bits) / 32
        sum_words = 2 * done.sums if self.sums == "sram" else 0.0  # read and written at each addition
        return 1e-12 * (weight * done.weight_words + state * (done.state_words + sum_words))


TABLE = EnergyTable()
CLOCKED = ("neurons", "traces", "inputs")  # kinds of work that a clock asks for, not a spike
AT_SPIKES = ("input_events",)  # and what is done instead where there is none
PREFIXES = ((1.0, "J"), (1e-3, "mJ"), (1e-6, "µJ"), (1e-9, "nJ"), (1e-12, "pJ"))


# What one learner spent
#
# A fair remark. The spiking side is a clock-driven digital simulation, and its full count says what such a simulation costs.
# Neuromorphic hardware that is driven by events does no work where nothing happens; `event_driven=True` counts only what
# happens at spikes (synaptic operations and weight updates) and is a bound from below, since such hardware must also make
# potentials and traces decay. The truth for a chip lies between the two.


def breakdown(costs: Costs, phase: str = "decision", table: EnergyTable = TABLE, event_driven: bool = False) -> dict[str, float]:
    """Joules of the arithmetic of each kind, and of all reads and writes as `memory`: a stack that sums to `spent`.

    Empty where it was not counted. On a chip that has prices of its own: `synapses`, `routing`, `neurons`, `plasticity`.
    """
    if phase not in PHASES:
        raise WrongUse(f"phase={phase!r} must be one of {', '.join(PHASES)}.")
    phase = costs.phase(phase)
    if costs.side == "spiking" and table.chip != "none":
        return _on_chip(costs, phase, CHIPS[table.chip], event_driven)
    left_out = CLOCKED if event_driven else AT_SPIKES
    kinds = {kind: done for kind, done in getattr(costs, phase).items() if kind not in left_out}
    stored = costs.stored.get(phase)
    memory = sum(table.traffic(done, stored) for done in kinds.values())
    return {**{kind: table.arithmetic(done) for kind, done in kinds.items()}, "memory": memory} if kinds else {}


def _on_chip(costs: Costs, phase: str, chip: Chip, event_driven: bool) -> dict[str, float]:
    """Joules on a published chip; empty where its counts are not known, or where it cannot learn."""
    counted = costs.counted.get(phase)
    if not counted or (counted["weight_updates"] and chip.update is None):
        return {}
    return {
        "synapses": 1e-12 * chip.synapse * counted["synaptic_operations"],
        "routing": 1e-12 * chip.spike * counted["spikes"],
        "neurons": 0.0 if event_driven else 1e-12 * chip.neuron * counted["neuron_steps"],
        "plasticity": 1e-12 * (chip.update or 0.0) * counted["weight_updates"],
    }


def spent(costs: Costs, phase: str = "decision", table: EnergyTable = TABLE, event_driven: bool = False) -> float:
    """Joules per training trial ("training", "training_alone"), per decision ("decision", "decision_together"), or once ("once").

    nan where that was not counted; nothing is spent once by those that do nothing once.
    """
    parts = breakdown(costs, phase, table, event_driven)
    nothing = phase == "once" or phase == "training" and costs.side == "spiking" and table.chip == "none"
    return sum(parts.values()) if parts or nothing else math.nan


def joules(value: float | None, low: float | None = None, high: float | None = None) -> str:
    """Three digits and a prefix: 1.23 µJ; with an interval 1.23 [1.2, 1.25] µJ, where three digits show one."""
    if value is None or value != value:
        return "-"
    size, unit = next(((size, unit) for size, unit in PREFIXES if abs(value) >= size), PREFIXES[-1])
    return f"{three_digits(value, low, high, size)} {unit}"


def three_digits(value: float, low: float | None, high: float | None, size: float) -> str:
    """A mean by a unit of this size, with its interval where it has a width that three digits show."""
    spread = low is not None and high is not None and high - low > ROUNDING * abs(value)
    mean, *ends = (f"{number / size:.3g}" for number in (value, low, high) if number is not None)
    return f"{mean} [{', '.join(ends)}]" if spread and {*ends} - {mean} else mean


# What all learners of a comparison spent


def _costs(numbers: Mapping[str, Any]) -> Costs | None:
    return None if numbers.get("costs") is None else Costs.read(numbers["costs"])


def of_training(numbers: Mapping[str, Any], table: EnergyTable) -> float | None:
    """Joules of all of training."""
    cost = _costs(numbers)
    return None if cost is None else finite(numbers["trials_shown"] * spent(cost, "training", table) + spent(cost, "once", table))


LEFT_OUT = ("training_alone", "decision_together", "spikes")  # columns that a narrow window does not show


def values(numbers: Mapping[str, Any], table: EnergyTable) -> dict[str, float]:
    """What one learner spent at one seed, joules and spikes; nan where it was not counted."""
    cost = _costs(numbers)
    assert cost is not None
    bound = spent(cost, "decision", table, event_driven=True) if cost.side == "spiking" else math.nan
    phases = {phase: spent(cost, phase, table) for phase in PHASES if phase != "once"}
    return {**phases, "bound": bound, "spikes": math.nan if cost.spikes is None else cost.spikes}


def cost_table(comparison: Comparison, table: EnergyTable) -> dict[str, Any]:
    """Joules per training trial and per decision, alone and in a batch, and at spikes alone."""
    columns = [
        column("learner", "learner"),
        column("training", "per training trial", "J", ".3g"),
        column("training_alone", "in a batch of 1", "J", ".3g"),
        column("decision", "per decision", "J", ".3g"),
        column("decision_together", f"in a batch of {TOGETHER}", "J", ".3g"),
        column("bound", "per decision, at spikes alone", "J", ".3g"),
        column("spikes", "spikes per decision", format=",.0f"),
    ]
    known = {name: comparison.of(name)[0].numbers["costs"] for name in comparison.learners if _known(comparison, name)}
    rows: list[dict[str, Any]] = []
    for name in known:
        found = [values(record.numbers, table) for record in comparison.of(name)]
        told = {key: over_seeds([one[key] for one in found], comparison.shared, AMOUNT) for key in found[0]}
        rows.append({"learner": name, **told})
    rest = [name for name in comparison.learners if name not in known]
    older = [name for name, told in known.items() if not told.get("stored")]
    notes = [*prices(table), *ASSUMPTIONS]
    notes += [f"Not counted: {', '.join(rest)}."] if rest else []
    notes += [f"Counted without inputs, routing and sizes of memory, by an earlier version: {', '.join(older)}."] if older else []
    uncounted = sorted({text for name in comparison.learners for text in _uncounted(comparison, name)})
    notes += [f"Operations of PyTorch that no counter knows: {', '.join(uncounted)}."] if uncounted else []
    return {"title": "Energy: estimates", "columns": columns, "rows": rows, "notes": notes}


def prices(table: EnergyTable) -> list[str]:
    """The table in sentences, with sources."""
    add, multiply = (table.add_pj, table.multiply_pj) if table.bits == "32" else (table.add8_pj, table.multiply8_pj)
    words = ", ".join(
        f"{table.word_pj(size * 1024 * 8 / int(table.bits)):.3g} in {size:g} KB"
        for size, _ in (SIZES if table.memory == "sized" else SIZES[:1])
    )
    told = [
        f"Prices at {table.bits} bits: {add:g} pJ an addition, {multiply:g} pJ a multiplication, {table.random_pj:g} pJ a random"
        f" number; a word of SRAM {words}, of DRAM {table.dram_pj * int(table.bits) / 32:g}; weights in {table.weights.upper()}."
        f" {HOROWITZ}."
    ]
    if table.chip != "none":
        chip = CHIPS[table.chip]
        update = "it does not learn" if chip.update is None else f"{chip.update:g} pJ a weight change"
        told.append(
            f"Spiking networks at the prices of {table.chip}: {chip.synapse:g} pJ a spike at a synapse, {chip.spike:g} pJ a"
            f" spike on its way, {chip.neuron:g} pJ a neuron and time step, {update} ({chip.about}). {chip.source}. Random"
            " numbers are not in them, and processes of other sizes are not alike."
        )
    return told


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
            if all(each):
                found[name] = {kind: float(np.mean([one[kind] for one in each])) for kind in each[0]}
    return found
