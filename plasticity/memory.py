"""How much memory something would take, told before any work begins."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from plasticity import given
from plasticity.errors import WrongUse

COPIES = 3  # of the trials: as they are drawn, as X, and as a learner has them
SAMPLE = 10_000  # pairs of neurons at which a condition is looked at
PER_SYNAPSE = 40  # bytes beside its variables, as measured: where it begins and ends, and its place in the lists, which double


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


def of_synapses(number: float, variables: int = 0) -> float:
    """About how many bytes so many synapses take, each with so many variables."""
    return number * (PER_SYNAPSE + 8.0 * variables)


def refuse_synapses(synapses: Any, condition: Any = None, i: Any = None, j: Any = None, p: Any = 1.0, n: Any = 1) -> None:
    """The same for the Brian2 synapses that `connect` with these arguments makes."""
    from brian2.core.variables import DynamicArrayVariable  # not above: tasks need no simulator

    number = synapses_drawn(len(synapses.source), len(synapses.target), condition, i, j, p, n)
    each = sum(np.dtype(one.dtype).itemsize for one in synapses.variables.values() if isinstance(one, DynamicArrayVariable))
    refuse(f"{synapses.name}: its {number:.3g} synapses", number * (PER_SYNAPSE + each), "take fewer neurons, or connect(p=...)")


def synapses_drawn(
    sources: int, targets: int, condition: Any = None, i: Any = None, j: Any = None, p: Any = 1.0, n: Any = 1
) -> float:
    """About how many synapses Brian2's `connect` makes with these arguments.

    A condition and the range of a generator (`k for k in range(...)`) are looked at for some pairs or neurons, drawn at random;
    0 where they ask for more than i, j and the numbers of neurons.
    """
    share, times = (1.0 if (told := given.one(value)) is None else told for value in (p, n))
    if isinstance(condition, str):
        number = _mean(condition, sources, targets) * sources * targets
    elif isinstance(j, str) or isinstance(i, str):
        here, text = (sources, j) if isinstance(j, str) else (targets, i)
        number = here * (_mean_of_generator(text, sources, targets) if " for " in text else 1.0)
    elif i is not None or j is not None:
        number = float(np.broadcast(*[np.asarray(one) for one in (i, j) if one is not None]).size)
    else:
        number = float(sources) * targets
    return number * share * times


def _mean(text: str, sources: int, targets: int) -> float:
    """The mean of a Brian2 expression of i, j, N_pre and N_post over pairs of neurons; 0 where it needs more."""
    from brian2.parsing.sympytools import str_to_sympy
    from sympy import lambdify

    rng = np.random.default_rng(0)
    known: dict[str, Any] = {"i": rng.integers(0, sources, SAMPLE), "j": rng.integers(0, targets, SAMPLE)}
    known |= {"N_pre": sources, "N_post": targets, "N": targets}
    try:
        expression = str_to_sympy(text)
        asked = sorted(expression.free_symbols, key=str)
        with np.errstate(all="ignore"):
            found = given.real(lambdify(asked, expression, "numpy")(*(known[str(symbol)] for symbol in asked)))
    except Exception:  # of whatever it asks for; Brian2 says what is wrong with it
        return 0.0
    return 0.0 if found is None else float(np.nan_to_num(np.maximum(found, 0)).mean())


def _mean_of_generator(text: str, sources: int, targets: int) -> float:
    """How many synapses each neuron makes by `k for k in range(...)` or `sample(...)`; 0 where it cannot be read."""
    from brian2.synapses.parse_synaptic_generator_syntax import parse_synapse_generator

    try:
        told = parse_synapse_generator(text)["iterator_kwds"]
    except Exception:
        return 0.0
    if told.get("size") is not None:
        return _mean(str(told["size"]), sources, targets)
    length = _mean(f"(({told['high']}) - ({told['low']}))/({told['step']})", sources, targets)
    return length * (_mean(str(told["p"]), sources, targets) if told.get("p") is not None else 1.0)
