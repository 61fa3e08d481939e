"""How many pairs of a key and a value can be recalled by memories in synapses and by attention that need no training?

Keys are random signs of length d, values one of some classes (`AssociativeRecall`). Four memories store n pairs in one shot and
are asked for some of them: spikes and synapses in Brian2 (`SpikingMemory`), Hebbian outer products of rates, which are
unnormalised linear attention, the delta rule, and softmax attention on the keys as they are (`RateMemory`).

Measured are the accuracy (chance 1/values, ceiling 1) and the squared error of what is recalled, |y - v|^2 with |v| = 1. For
superposed outer products its mean is (n - 1)/d. What Poisson spikes add follows from their rates alone
(`SpikingMemory.expected_error`).

The delta rule disturbs less and yet recalls fewer values where pairs are many: each pair takes from what the earlier ones have
left at similar keys, so that the earliest are read out ever more weakly, below the disturbance by others.

Sources: Kohonen 1972, doi:10.1109/TC.1972.5008975; Schlag, Irie & Schmidhuber 2021, arXiv:2102.11174; Ramsauer et al. 2021,
arXiv:2008.02217.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from scipy.stats import ttest_1samp

from plasticity.learners import RateMemory, SpikingMemory
from plasticity.parallel import Progress, trials_generator
from plasticity.settings import setting
from plasticity.statistics import SHARE, holm, mean_and_interval
from plasticity.tasks import AssociativeRecall
from simulations.figures.memory_recall import accuracy, error
from simulations.frame.checks import Check, near, no_difference
from simulations.frame.execute import script
from simulations.frame.experiment import Arrays, Experiment, Measure, Session, Table
from simulations.frame.recall import QUERIES, SOURCE, TRIALS, VALUES, recall_task, recalled

if TYPE_CHECKING:
    from simulations.figures.kinds import Drawing, Layer, Page

LAW = "superposition of random keys: E (k.q)^2 = 1/d; Kohonen 1972, doi:10.1109/TC.1972.5008975"
SPIKING, HEBB, DELTA, SOFTMAX = MEMORIES = ("spiking_memory", "hebb_memory", "delta_memory", "softmax_memory")
MEANT = {  # by what a memory recalls
    SPIKING: "synapses of spiking neurons", HEBB: "a sum of outer products", DELTA: "the delta rule",
    SOFTMAX: "softmax attention on the keys as they are",
}  # fmt: skip
CURVE = 200  # points of a line


@dataclass(frozen=True)
class MemoryRecall(Experiment):
    __doc__ = __doc__

    name: ClassVar[str] = "memory_recall"
    summary: ClassVar[str] = "associative recall by memories that store pairs in one shot, against the law of superposition"
    source: ClassVar[str] = SOURCE
    part_of: ClassVar[str] = "hebbian_attention"
    uses: ClassVar[tuple[str, ...]] = ("pair_stdp", *SpikingMemory.uses)
    time_share: ClassVar[float] = 0.4
    time_step: ClassVar[str] = "None of its own: that of the spiking memory is a setting of this learner."
    measures: ClassVar[tuple[Measure, ...]] = (
        *(
            Measure(name, "", f"share of values recalled by {meant}, longest keys and most pairs",
                    ("results", {"learner": name}, "accuracy"), within=SHARE)
            for name, meant in MEANT.items()
        ),
        Measure("chance", "", "share recalled by guessing"),
        Measure("hebb_error", "", "squared error of the Hebbian memory over (n - 1)/d", ("hebb_memory: error over (n - 1)/d",)),
    )  # fmt: skip

    pairs: tuple[int, ...] = setting((1, 2, 4, 8, 16, 32, 64), "pairs n that are stored", low=1, high=1000)
    dimensions: tuple[int, ...] = setting((16, 32, 64), "lengths d of the keys", low=8, high=1000)
    values: int = VALUES
    memories: int = TRIALS
    queries: int = QUERIES

    def task(self, pairs: int, dimension: int) -> AssociativeRecall:
        """The task of one condition; its test trials do not depend on how many training trials there are."""
        return recall_task(pairs, dimension, self.values, self.queries, self.memories)

    def refuse(self) -> None:
        for pairs, dimension in ((n, d) for n in self.pairs for d in self.dimensions):
            self.task(pairs, dimension)

    def recall(self, item: tuple[int, int], tell: Progress) -> tuple[np.ndarray, np.ndarray]:
        """Accuracy and error of all memories on the test trials of one length of the keys and one seed, (memories, pairs)."""
        dimension, seed = item
        accuracy, error = np.empty((2, len(MEMORIES), len(self.pairs)))
        for place, pairs in enumerate(self.pairs):
            test = self.task(pairs, dimension).draw(trials_generator(seed)).test
            wanted = np.eye(self.values)[test.y]
            for row, memory in enumerate(_memories(pairs + 1, dimension, seed)):
                recalled = memory.fit(test.X, test.y).recall(test.X)
                accuracy[row, place] = np.mean(recalled.argmax(axis=1) == test.y)
                error[row, place] = np.mean(((recalled - wanted) ** 2).sum(axis=1))
            tell(sum(self.pairs[: place + 1]) / sum(self.pairs))
        return accuracy, error

    def with_spikes(self, pairs: Any) -> np.ndarray:
        """The law of superposition and what spikes add, (dimensions, pairs)."""
        return np.stack([SpikingMemory(dimension=d).expected_error(pairs, self.values) for d in self.dimensions])

    def collect(self, session: Session) -> dict[str, np.ndarray]:
        """`accuracy` and `error` (memories, dimensions, pairs, seeds); `law_and_spikes` (dimensions, `CURVE`)."""
        items = [(dimension, seed) for dimension in self.dimensions for seed in session.seeds]
        found = dict(session.each(self.recall, items))
        shape = (len(MEMORIES), len(self.pairs), len(self.dimensions), len(session.seeds))
        accuracy, error = (np.stack([found[item][k] for item in items], axis=-1).reshape(shape) for k in range(2))
        recalled = {"accuracy": accuracy, "error": error}
        arrays = {name: np.ascontiguousarray(values.swapaxes(1, 2)) for name, values in recalled.items()}
        return arrays | {"law_and_spikes": self.with_spikes(_finely(self.pairs))}

    def _laws(self) -> list[tuple[str, str, np.ndarray]]:
        """Which memory follows which law, with its values (dimensions, pairs)."""
        law = (np.array(self.pairs) - 1) / np.array(self.dimensions)[:, None]
        return [(HEBB, "(n - 1)/d", law), (SPIKING, "(n - 1)/d and what spikes add", self.with_spikes(self.pairs))]

    def _ratios(self, a: Arrays) -> Iterator[tuple[str, str, np.ndarray]]:
        """Error over what the law says, (conditions, seeds), where that is above 0."""
        for name, what, law in self._laws():
            known = np.isfinite(law) & (law > 0)
            if known.any():
                yield name, what, (a["error"][MEMORIES.index(name)] / np.where(known, law, np.nan)[:, :, None])[known]

    def numbers(self, a: Arrays) -> dict[str, Any]:
        told: dict[str, Any] = {"chance": 1 / self.values}
        told |= {f"{name}: error over {what}": mean_and_interval(ratio.mean(axis=0)) for name, what, ratio in self._ratios(a)}
        conditions = [(i, d, j, n) for i, d in enumerate(self.dimensions) for j, n in enumerate(self.pairs)]
        for i, d, j, n in conditions:
            gain = a["accuracy"][MEMORIES.index(SOFTMAX), i, j] - a["accuracy"][MEMORIES.index(SPIKING), i, j]
            if gain.any():
                told[f"softmax_memory - spiking_memory, d {d}, n {n}"] = mean_and_interval(gain)
        (_, _, law), (_, _, with_spikes) = self._laws()
        told["results"] = [
            {
                "learner": name, "dimension": d, "pairs": n,
                "accuracy": mean_and_interval(a["accuracy"][row, i, j], within=SHARE),
                "error": mean_and_interval(a["error"][row, i, j]),
                "law": float(law[i, j]), "law_and_spikes": float(with_spikes[i, j]),
            }
            for row, name in enumerate(MEMORIES) for i, d, j, n in conditions
        ]  # fmt: skip
        return told

    def checks(self, a: Arrays) -> Iterable[Check]:
        for name, what, ratio in self._ratios(a):
            mean = ratio.mean(axis=0).mean()
            yield near(
                f"{name}: squared error over {what}, mean of all conditions", 1.0, mean, 0.05, kind="closed_form", source=LAW
            )
            if ratio.shape[1] > 2:
                yield no_difference(
                    f"{name}: no condition strays from {what}", p=holm(ttest_1samp(ratio, 1.0, axis=1).pvalue), level=0.01,
                    published=f"no Holm p below 0.01 over the {len(ratio)} conditions", tolerance="t-test", kind="closed_form",
                    source=LAW,
                )  # fmt: skip

    @classmethod
    def tables(cls, numbers: Mapping[str, Any]) -> dict[str, Table]:
        return recalled(numbers)

    def figures(self, a: Arrays) -> Mapping[str, Drawing]:
        return {"accuracy": self.accuracy(a), "error": error(a, MEMORIES, self.pairs, self.dimensions, _finely(self.pairs))}

    def accuracy(self, a: Arrays, added: Mapping[int, Sequence[Layer]] | None = None) -> Page:
        """The figure of the accuracy; `added` are layers of some of its panels, by the length of the keys."""
        return accuracy(a, MEMORIES, self.pairs, self.dimensions, 1 / self.values, added or {})


def _memories(streams: int, dimension: int, seed: int) -> Iterator[RateMemory | SpikingMemory]:
    """In the order of `MEMORIES`."""
    yield SpikingMemory(streams=streams, dimension=dimension, random_state=seed)
    for name in MEMORIES[1:]:
        yield RateMemory(name.removesuffix("_memory"), streams=streams, dimension=dimension)


def _finely(pairs: Sequence[int]) -> np.ndarray:
    """Numbers of pairs for a line, (`CURVE`,)."""
    return np.geomspace(1, max(pairs), CURVE)


if __name__ == "__main__":
    script(MemoryRecall.name)
