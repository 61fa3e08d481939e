"""Experiments whose seeds take long: what a seed gives is kept as soon as it is finished, and apart from that of other seeds.

Its arrays need not have the lengths of those of another seed, so that they are not stacked: a record has them as seed0_label,
seed1_label and so on, and `of(a, "label")` gives them back.
"""

from __future__ import annotations

import functools
import shutil
import time
from abc import abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from plasticity.engine import backend
from plasticity.parallel import Progress
from plasticity.records import Record
from simulations.frame.execute import seen
from simulations.frame.experiment import Arrays, Experiment, Session


@dataclass(frozen=True)
class SeedsApart(Experiment):
    """An experiment that keeps every seed that is finished, so that an interrupted run goes on with the others.

    Attributes
    ----------
    of_first : tuple of str
        Arrays of which a record has those of the first seed alone.
    """

    keeps: ClassVar[bool] = True
    of_first: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def one(self, seed: int, tell: Progress, checkpoints: Path | None) -> dict[str, np.ndarray]:
        """What one seed gives; the folder is there for checkpoints and deleted when the seed is finished."""

    def collect(self, session: Session) -> dict[str, np.ndarray]:
        """`seeds`, and of each seed what `one` gives, as seed0_NAME and so on."""
        found = dict(session.each(functools.partial(self._kept, parts=session.folder), session.seeds))
        arrays: dict[str, np.ndarray] = {"seeds": np.array(session.seeds)}
        for seed in session.seeds:
            kept = {name for name in found[seed] if name not in self.of_first or seed == session.seeds[0]}
            arrays |= {f"seed{seed}_{name}": array for name, array in found[seed].items() if name in kept}
        return arrays

    def _kept(self, seed: int, tell: Progress, parts: Path | None) -> dict[str, np.ndarray]:
        """What one seed gives, from its record where it is finished."""
        parts = seen(parts)
        if parts is None:
            return self.one(seed, tell, None)
        folder = parts / f"seed-{seed:04d}"
        if (folder / "result.json").exists():
            kept = Record.load(folder / "result")
            kept.refuse_other(folder / "result", seed, {})
            return kept.arrays
        began = time.perf_counter()
        arrays = self.one(seed, tell, folder / "blocks")
        record = Record(self.name, {"seed": seed}, seed, {}, arrays, time.perf_counter() - began, backend(), 1)
        record.save(folder / "result")
        shutil.rmtree(folder / "blocks", ignore_errors=True)
        return arrays


def of(a: Arrays, name: str) -> list[np.ndarray]:
    """What was found under a name, for each seed."""
    return [a[f"seed{seed}_{name}"] for seed in a["seeds"]]
