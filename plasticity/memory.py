"""How much memory something would take, told before any work begins."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from plasticity import given
from plasticity.errors import WrongUse

COPIES = 3  # of the trials: as they are drawn, as X, and as a learner has them
PER_SYNAPSE = 16  # bytes beside its variables: where it begins and ends, and its place in the list of either side


def physical() -> float:
    """Bytes of memory of this machine; infinity where it does not say."""
    try:
        return float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    except (AttributeError, OSError, ValueError):
        return float("inf")


def refuse(what: str, needed: float, remedy: str) -> None:
    """WrongUse where it would take more bytes than this machine has."""
    if needed > physical():
        raise WrongUse(
            f"{what} would take about {needed / 1e9:.3g} GB of memory, and this machine has {physical() / 1e9:.3g} GB; {remedy}."
        )


def refuse_synapses(synapses: Any, p: Any = 1.0) -> None:
    """The same for as many Brian2 synapses as there are pairs of neurons, each with the probability p."""
    from brian2.core.variables import DynamicArrayVariable  # not above: tasks need no simulator

    share = given.one(p)
    number = (1.0 if share is None else share) * len(synapses.source) * len(synapses.target)
    each = sum(np.dtype(one.dtype).itemsize for one in synapses.variables.values() if isinstance(one, DynamicArrayVariable))
    refuse(f"{synapses.name}: its {number:.3g} synapses", number * (PER_SYNAPSE + each), "take fewer neurons, or connect(p=...)")
