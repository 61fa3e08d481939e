"""Pairs stored in synapses, or attended to: associative recall by Hebbian memories, softmax attention and trained models.

Three experiments under one name, with one record:

    memory_recall    memories that need no training, against the law of superposition
    trained_recall   models trained by gradient on the same trials
    recall_maps      what each of eight queries calls

Sources: Schlag, Irie & Schmidhuber 2021, arXiv:2102.11174; Ramsauer et al. 2021, arXiv:2008.02217.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from simulations.frame.execute import script
from simulations.frame.experiment import Arrays, suite
from simulations.frame.recall import SOURCE, recalled
from simulations.memory_recall import MemoryRecall
from simulations.recall_maps import RecallMaps
from simulations.trained_recall import TrainedRecall

if TYPE_CHECKING:
    from simulations.figures.kinds import Drawing

Together = suite(
    "Together",
    [MemoryRecall, TrainedRecall, RecallMaps],
    __doc__ or "",
    name="hebbian_attention",
    summary="associative recall: synapses that store pairs in one shot against attention, fixed and trained",
    source=SOURCE,
    default_seeds=10,
)


@dataclass(frozen=True)
class HebbianAttention(Together):  # type: ignore[misc, valid-type]
    __doc__ = __doc__

    def figures(self, a: Arrays) -> Mapping[str, Drawing]:
        """Those of the members, the trained models among the memories."""
        memories, models, maps = self.made()
        assert isinstance(memories, MemoryRecall) and isinstance(models, TrainedRecall)
        added = {models.trained_dimension: models.marks(a)} if models.trained else {}
        return {**memories.figures(a), "accuracy": memories.accuracy(a, added), **maps.figures(a)}


def markdown(numbers: Mapping[str, Any], dimension: int = 32) -> str:
    """Accuracy of every learner at one length of the keys, as a table in markdown."""
    columns, rows = next(table for title, table in recalled(numbers).items() if title.endswith(f"length {dimension}"))
    return "\n".join(f"| {' | '.join(cells)} |" if cells else "|---" * len(columns) + "|" for cells in (columns, [], *rows))


if __name__ == "__main__":
    script(HebbianAttention.name)
