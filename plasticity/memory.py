"""How much memory something would take, told before any work begins."""

from __future__ import annotations

import os

from plasticity.errors import WrongUse

COPIES = 3  # of the trials: as they are drawn, as X, and as a learner has them


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
