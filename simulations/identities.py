"""Plasticity and attention as the same computation: exact identities, and the law of superposed memories.

Two experiments under one name, with one record:

    exact_identities    both sides of each identity, and the largest difference between them
    superposition_law   the error of Hebbian memories of random pairs against (n - 1)/d

Sources: those of the two files.
"""

from __future__ import annotations

from simulations.exact_identities import SOURCE, ExactIdentities
from simulations.frame.execute import script
from simulations.frame.experiment import suite
from simulations.superposition_law import SuperpositionLaw

IdentitiesSuite = suite(
    "IdentitiesSuite",
    [ExactIdentities, SuperpositionLaw],
    __doc__ or "",
    name="identities",
    summary="exact identities between plasticity and attention: both sides computed, the largest difference of each",
    source=SOURCE,
    default_seeds=1,
)

if __name__ == "__main__":
    script(IdentitiesSuite.name)
