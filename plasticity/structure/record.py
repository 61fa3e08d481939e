"""What follows from the record of a structure: who lived when, how long what came has lived, how much of it is left.

The record is a number for each event (`plasticity.structure.pool`): `update` (events,), and `synapse` (events,), k + 1 where
synapse k came alive and -(k + 1) where it died.
"""

from __future__ import annotations

import numpy as np
from scipy import stats

from plasticity.checked import checked


@checked
def living(alive: np.ndarray, update: np.ndarray, synapse: np.ndarray, updates: int) -> np.ndarray:
    """Who is alive after each update, (updates, pool) bool, from who was at first, (pool,)."""
    changes = np.zeros((updates, len(alive)), dtype=np.int8)
    np.add.at(changes, (update, np.abs(synapse) - 1), np.sign(synapse).astype(np.int8))  # one may die and come again at once
    return (alive + np.cumsum(changes, axis=0, dtype=np.int8)).astype(bool)


@checked
def lasting(update: np.ndarray, synapse: np.ndarray, updates: int) -> tuple[np.ndarray, np.ndarray]:
    """For how many updates the state that each event began has lasted, (events,), and whether it had an end, (events,) bool."""
    pool = np.abs(synapse)
    order = np.lexsort((update, pool))
    again = pool[order][1:] == pool[order][:-1]
    ends, over = np.full(len(order), updates), np.zeros(len(order), dtype=bool)
    ends[order[:-1][again]], over[order[:-1][again]] = update[order[1:][again]], True
    return ends - update, over


@checked
def left(age: np.ndarray, over: np.ndarray, at: np.ndarray) -> np.ndarray:
    """The share that is left at these ages (Kaplan & Meier 1958, doi:10.1080/01621459.1958.10501452), nan where there is none.

    `age` is what each reached, or reached so far where its life is not `over`.
    """
    if not len(age):
        return np.full(len(at), np.nan)
    return stats.ecdf(stats.CensoredData(uncensored=age[over], right=age[~over])).sf.evaluate(at)
