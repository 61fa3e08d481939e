"""The law of superposed memories, which is statistical and no identity: n random pairs disturb each other by (n - 1)/d."""

from __future__ import annotations

import numpy as np

from bridges.identities.identity import fitting, units


@fitting
def memory_errors(n: int, d: int, draws: int, rng: np.random.Generator) -> np.ndarray:
    """How badly W = sum v_s k_s^T recalls n random pairs: the mean over its n keys of |W k_s - v_s|^2/|v_s|^2, (draws,).

    Keys are uniform on the unit sphere in d dimensions, so that E (k . k')^2 = 1/d and each of the other n - 1 pairs adds
    1/d: the expected error is (n - 1)/d. Values are unit vectors in d dimensions. The memory is that of Kohonen 1972,
    doi:10.1109/TC.1972.5008975.
    """
    k, v = units(rng.normal(size=(draws, n, d))), units(rng.normal(size=(draws, n, d)))
    W = np.einsum("rso,rsi->roi", v, k)
    recalled = np.einsum("roi,rsi->rso", W, k)
    return np.square(recalled - v).sum(axis=2).mean(axis=1)
