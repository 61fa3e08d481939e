"""What each side costs: operations counted, and turned into joules under one table.

    spiking    operations of `activity_`, counted in the simulation itself (plasticity.activity)
    torch      matrix products by PyTorch's own counter, everything between them by another one, the update by hand (bridges.macs)
    both       joules = additions x .9 pJ + multiplications x 3.7 pJ + words x 5 pJ (45 nm; `EnergyTable`)

A comparison of estimates, not of measurements: `ASSUMPTIONS` belongs under every table and figure of it.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils.validation import check_is_fitted

from plasticity import settings
from plasticity.activity import Operations
from plasticity.errors import WrongUse
from plasticity.settings import setting

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
PHASES = ("training", "decision", "once")


@dataclasses.dataclass(frozen=True)
class Costs:
    """What one learner did for a training trial and for a decision, by kind of work; joules follow from a table.

    A fair remark. The spiking side is a clock-driven digital simulation, and its full count says what such a simulation costs.
    Neuromorphic hardware that is driven by events does no work where nothing happens; `event_driven=True` counts only what
    happens at spikes (synaptic operations and weight updates) and is a bound from below, since such hardware must also make
    potentials and traces decay. The truth for a chip lies between the two.

    Parameters
    ----------
    side : str
        "spiking" or "torch".
    training, decision : dict of Operations
        Of one training trial and of one decision. Kinds of the spiking side: synapses, neurons, traces, plasticity (see
        `plasticity.activity`); of the torch side: forward, backward, update.
    once : dict of Operations
        Once for all of training: naming the neurons of a network that learns without labels. Empty elsewhere.
    spikes : float or None
        In one decision, of all populations.
    uncounted : tuple of str
        Operations of PyTorch that no counter knows.
    """

    side: str
    training: Mapping[str, Operations]
    decision: Mapping[str, Operations]
    once: Mapping[str, Operations] = dataclasses.field(default_factory=dict)
    spikes: float | None = None
    uncounted: tuple[str, ...] = ()

    def breakdown(self, phase: str = "decision", table: EnergyTable = TABLE, event_driven: bool = False) -> dict[str, float]:
        """Joules of the arithmetic of each kind, and of all reads and writes as `memory`: a stack that sums to `joules`."""
        if phase not in PHASES:
            raise WrongUse(f"phase={phase!r} must be one of {', '.join(PHASES)}.")
        kinds = {kind: done for kind, done in getattr(self, phase).items() if not (event_driven and kind in CLOCKED)}
        return {kind: table.arithmetic(done) for kind, done in kinds.items()} | {"memory": sum(map(table.memory, kinds.values()))}

    def joules(self, phase: str = "decision", table: EnergyTable = TABLE, event_driven: bool = False) -> float:
        """Joules per training trial ("training"), per decision ("decision"), or once ("once")."""
        return sum(self.breakdown(phase, table, event_driven).values())

    def to_criterion(
        self, criterion: float, trials: ArrayLike, accuracy: ArrayLike, table: EnergyTable = TABLE, event_driven: bool = False
    ) -> float | None:
        """Joules until the learning curve (`trials` shown, rising; `accuracy` there) first reaches the accuracy `criterion`.

        Trials needed x joules per training trial, and what is spent once. None where it is never reached. Nothing is
        interpolated: the answer is as fine as the points of the curve.
        """
        reached = np.asarray(trials, dtype=float)[np.asarray(accuracy, dtype=float) >= criterion]
        if not reached.size:
            return None
        each, once = (self.joules(phase, table, event_driven) for phase in ("training", "once"))
        return float(reached[0]) * each + once

    def break_even(self, other: Costs, table: EnergyTable = TABLE, event_driven: bool = False) -> float | None:
        """Spikes per decision, of all populations, at which this network's decision would cost as much as that of `other`.

        s* = s (E_other - E_fixed) / E_synapses: the synaptic operations grow with the number of spikes s (all populations in
        proportion), the rest is taken to stay. None where the rest alone costs more, or where spikes cost nothing.
        """
        if not self.spikes:
            return None
        done = self.decision["synapses"]
        synapses = table.arithmetic(done) + table.memory(done)
        left = other.joules("decision", table) - (self.joules("decision", table, event_driven) - synapses)
        return self.spikes * left / synapses if left > 0 and synapses > 0 else None

    def plain(self) -> dict[str, Any]:
        """As plain data for a record; `Costs.read` is the inverse."""
        return {**dataclasses.asdict(self), "uncounted": list(self.uncounted)}

    @classmethod
    def read(cls, told: Mapping[str, Any]) -> Costs:
        """From what `plain` gave, so that another table can be applied to a record."""
        kinds = {phase: {kind: Operations(**done) for kind, done in told[phase].items()} for phase in PHASES}
        return cls(told["side"], **kinds, spikes=told["spikes"], uncounted=tuple(told["uncounted"]))


def costs(estimator: Any) -> Costs | None:
    """What a fitted learner costs; None for an estimator whose work is not counted (one of scikit-learn).

    `SpikingClassifier`, `DiehlCookClassifier`, `SpikingMemory`: what `fit` and the last `predict` did. `TorchClassifier`: a
    training step and a decision of its model are run on zeros (the counts do not depend on the numbers); the estimator stays as
    it is.

    Raises
    ------
    WrongUse
        A spiking network that has not answered anything yet.
    NotFittedError
        The estimator was not fitted.
    """
    packages = {owner.__module__.partition(".")[0] for owner in type(estimator).__mro__}
    if "bridges" in packages:
        from bridges.learner import TorchClassifier
        from bridges.macs import decided, trained

        if isinstance(estimator, TorchClassifier):
            training, unknown_training = trained(estimator)
            decision, unknown_decision = decided(estimator)
            return Costs("torch", training, decision, uncounted=tuple(sorted(unknown_training | unknown_decision)))
    if "plasticity" in packages:
        from plasticity.learners import SpikingClassifier
        from plasticity.memory import SpikingMemory
        from plasticity.unsupervised import DiehlCookClassifier

        if isinstance(estimator, (SpikingClassifier, DiehlCookClassifier, SpikingMemory)):
            return _spiking(estimator)
    return None


def _spiking(estimator: Any) -> Costs:
    check_is_fitted(estimator, "activity_")
    if "decision" not in estimator.activity_:
        raise WrongUse("this network has not decided anything yet, so that no spikes were counted; call predict(X) first.")
    told = estimator.activity_
    one, naming = (_kinds(told.get(phase, {})) for phase in ("training", "naming"))
    shown = told.get("naming", {}).get("trials", 0)
    return Costs(
        "spiking",
        one,
        _kinds(told["decision"]),
        {kind: shown * done for kind, done in naming.items()},
        spikes=float(sum(told["decision"]["spikes"].values())),
    )


def _kinds(activity: Mapping[str, Any]) -> dict[str, Operations]:
    return {kind: Operations(**done) for kind, done in activity.get("operations", {}).items()}
