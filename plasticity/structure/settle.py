"""An update of a structure: who dies and who comes alive, given what the law says of each synapse.

Written twice, in NumPy and in C++, with the same draws: `uniform` is a function of key, update, synapse and stream alone.

    dying    law_dies    each living synapse with its probability
             law_share   so many of the living ones, those of the lowest law_rank
             elements    of each neuron those that it has no element for, drawn at random (law_axons first, then law_dendrites)
    growing  law_grows   each silent synapse with its probability
             kept        as many as have died, of all that are silent then, with weights law_grows
             elements    free ones of both sides in random order, paired one by one; a pair of neurons whose synapses of the pool
                         are all alive stays unpaired
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np

STREAMS = {"dies": 1, "grows": 2, "axons": 3, "dendrites": 4, "pairs": 5}


def uniform(key: int, update: int, index: np.ndarray, stream: str) -> np.ndarray:
    """Numbers in (0, 1), each from its own index: splitmix64 (Steele, Lea & Flood 2014, doi:10.1145/2660193.2660195)."""
    with np.errstate(over="ignore"):
        x = np.asarray(index, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        for part, by in ((update, 0xBF58476D1CE4E5B9), (key, 0x94D049BB133111EB), (STREAMS[stream], 0xD6E8FEB86659FD93)):
            x = _mixed(x + np.uint64(part) * np.uint64(by))
        return ((x >> np.uint64(11)).astype(float) + 0.5) * 2.0**-53


def _mixed(x: np.ndarray) -> np.ndarray:
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


@dataclasses.dataclass(frozen=True)
class Update:
    """What an update changes: the synapses (indices in the pool, rising) that die and that come alive."""

    died: np.ndarray
    born: np.ndarray


def settle(
    alive: np.ndarray, law: Mapping[str, np.ndarray], pre: np.ndarray, post: np.ndarray, kept: bool, key: int, update: int
) -> Update:
    """One update.

    Parameters
    ----------
    alive : (pool,) bool
    law : dict
        What the law says: arrays (pool,) by the names of `Law.computed`, `law_share` (1,).
    pre, post : (pool,) int
        The neurons of each synapse.
    kept : bool
        Whether as many come alive as die.
    key, update : int
        What the draws depend on.
    """
    every = np.arange(len(alive))
    dying = np.zeros(len(alive), dtype=bool)
    if "law_dies" in law:
        dying |= alive & (uniform(key, update, every, "dies") < law["law_dies"])
    if "law_rank" in law:
        living = np.flatnonzero(alive & ~dying)
        fewer = int(np.floor(float(np.ravel(law["law_share"])[0]) * alive.sum() + 1e-9)) - int(dying.sum())
        rank = np.asarray(law["law_rank"])[living]
        order = np.lexsort((living, uniform(key, update, living, "dies"), rank))
        dying[living[order[: max(fewer, 0)]]] = True
    if "law_axons" in law:
        for side, stream, have in ((pre, "axons", law["law_axons"]), (post, "dendrites", law["law_dendrites"])):
            living = np.flatnonzero(alive & ~dying)
            order = living[np.lexsort((living, uniform(key, update, living, stream), side[living]))]
            counts = np.bincount(side[order], minlength=side.max() + 1)
            first = np.cumsum(counts) - counts
            surplus = counts - _elements(side, have)
            dying[order[np.arange(len(order)) - first[side[order]] < surplus[side[order]]]] = True
    left = alive & ~dying
    if kept:
        silent = np.flatnonzero(~left & (law["law_grows"] > 0))
        race = -np.log(uniform(key, update, silent, "grows")) / np.asarray(law["law_grows"])[silent]
        born = silent[np.lexsort((silent, race))[: int(dying.sum())]]
    elif "law_axons" in law:
        born = _paired(left, ~alive, law, pre, post, key, update)
    elif "law_grows" in law:
        born = np.flatnonzero(~alive & (uniform(key, update, every, "grows") < law["law_grows"]))
    else:
        born = every[:0]
    return Update(np.flatnonzero(dying), np.sort(born))


def _elements(side: np.ndarray, have: np.ndarray) -> np.ndarray:
    """How many whole elements each neuron has."""
    found = np.zeros(side.max() + 1, dtype=np.int64)
    found[side] = np.floor(np.maximum(have, 0)).astype(np.int64)
    return found


def _paired(
    left: np.ndarray, silent: np.ndarray, law: Mapping[str, np.ndarray], pre: np.ndarray, post: np.ndarray, key: int, update: int
) -> np.ndarray:
    """The silent synapses that free elements make."""
    free = []
    for side, stream, have in ((pre, "axons", law["law_axons"]), (post, "dendrites", law["law_dendrites"])):
        vacant = np.maximum(_elements(side, have) - np.bincount(side[left], minlength=side.max() + 1), 0)
        owners = np.repeat(np.arange(len(vacant)), vacant)
        place = np.arange(len(owners)) + len(left)  # other numbers than those of the synapses of this stream
        free.append(owners[np.lexsort((place, uniform(key, update, place, stream)))])
    pair = pre.astype(np.int64) << 32 | post
    pool = np.lexsort((np.arange(len(pair)), pair))
    taken, born = ~silent, []
    for number, (a, b) in enumerate(zip(*free, strict=False)):
        first, last = (np.searchsorted(pair, a << 32 | b, side, sorter=pool) for side in ("left", "right"))
        k = next((k for k in pool[first:last] if not taken[k]), None)
        if k is not None and uniform(key, update, np.array([number]), "pairs")[0] < law["law_grows"][k]:
            taken[k] = True
            born.append(k)
    return np.array(born, dtype=np.int64)


CPP = r"""
static inline uint64_t _structure_mixed(uint64_t x)
{
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ULL;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBULL;
    return x ^ (x >> 31);
}
static inline double _structure_uniform(uint64_t key, uint64_t update, uint64_t index, uint64_t stream)
{
    uint64_t x = index * 0x9E3779B97F4A7C15ULL;
    x = _structure_mixed(x + update * 0xBF58476D1CE4E5B9ULL);
    x = _structure_mixed(x + key * 0x94D049BB133111EBULL);
    x = _structure_mixed(x + stream * 0xD6E8FEB86659FD93ULL);
    return ((double)(x >> 11) + 0.5) / 9007199254740992.0;
}
"""
