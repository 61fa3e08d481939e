"""What does each query call of the stored pairs: the spikes of value neurons beside inner products and weights of attention.

Eight pairs with a value each are stored, and each key is asked for. Shown are the spikes above the baseline over those of a
perfect match (`SpikingMemory`), the inner products of the keys, and the weights of softmax attention, on the keys as they are and
as a model gives them that was trained by gradient.

Sources: Schlag, Irie & Schmidhuber 2021, arXiv:2102.11174; Ramsauer et al. 2021, arXiv:2008.02217.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from plasticity.learners import RateMemory, SpikingMemory
from plasticity.parallel import trials_generator
from plasticity.tasks import AssociativeRecall, Streams
from plasticity.tasks.associative_recall import distinct_signs
from simulations.figures.kinds import matrix, page, panel, small_title
from simulations.frame.execute import script
from simulations.frame.experiment import Arrays, Experiment, Measure, Session
from simulations.frame.recall import QUERIES, SHOWN, SOURCE, VALUES, recall_task
from simulations.trained_recall import DIMENSION, HIDDEN, MODELS, TRAIN

if TYPE_CHECKING:
    from simulations.figures.kinds import Drawing

TITLES = {
    "map_synapses": "synapses: spikes above\nbaseline / perfect match",
    "map_hebb": "Hebb: inner product\nof the keys",
    "map_softmax": "softmax attention, fixed:\nweight",
    "map_trained": "softmax attention, trained:\nweight",
}


@dataclass(frozen=True)
class RecallMaps(Experiment):
    __doc__ = __doc__

    name: ClassVar[str] = "recall_maps"
    summary: ClassVar[str] = "what each query calls of the stored pairs, by synapses and by attention"
    source: ClassVar[str] = SOURCE
    default_seeds: ClassVar[int] = 1
    part_of: ClassVar[str] = "hebbian_attention"
    uses: ClassVar[tuple[str, ...]] = ("pair_stdp", *SpikingMemory.uses)
    time_share: ClassVar[float] = 0.01
    own_process: ClassVar[bool] = True
    time_step: ClassVar[str] = "None of its own: that of the spiking memory is a setting of this learner."
    measures: ClassVar[tuple[Measure, ...]] = ()  # maps alone

    values: int = VALUES
    queries: int = QUERIES
    trained: tuple[str, ...] = MODELS
    trained_dimension: int = DIMENSION
    train: int = TRAIN
    hidden: int = HIDDEN

    def task(self) -> AssociativeRecall:
        """What the model is trained on."""
        return recall_task(SHOWN, self.trained_dimension, self.values, self.queries, train=self.train)

    def refuse(self) -> None:
        self.task()

    def shown(self, seed: int) -> Streams:
        """Trials of the same pairs, with a value each, one for each of the keys."""
        rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(1,)))
        streams, dimension = SHOWN + 1, self.trained_dimension
        keys = distinct_signs(rng, 1, SHOWN, dimension)[0]
        stimulus = np.zeros((SHOWN, streams, dimension + self.values))
        stimulus[:, :-1, :dimension] = keys
        stimulus[:, :-1, dimension:] = np.eye(self.values)[:SHOWN]
        stimulus[:, -1, :dimension] = keys
        number = np.tile(np.arange(streams), (SHOWN, 1))
        return Streams(stimulus, np.full(SHOWN, SHOWN), np.arange(SHOWN), np.minimum(number, SHOWN - 1), number, self.values)

    def collect(self, session: Session) -> dict[str, np.ndarray]:
        """map_synapses, map_hebb, map_softmax and, where that model is trained, map_trained (queries, pairs); the first seed."""
        seed, streams, dimension = int(session.seeds[0]), SHOWN + 1, self.trained_dimension
        shown = self.shown(seed)
        spiking = SpikingMemory(streams=streams, dimension=dimension, random_state=seed).fit(shown.X, shown.y)
        maps = {"map_synapses": spiking.recall(shown.X)}
        for rule in ("hebb", "softmax"):
            memory = RateMemory(rule, streams=streams, dimension=dimension).fit(shown.X, shown.y)
            maps[f"map_{rule}"] = memory.attention_weights(shown.X)
        if "softmax_attention" in self.trained:
            from bridges.learners import resolve

            task = self.task()
            (learner,) = resolve(["softmax_attention"], {"torch": {"hidden": self.hidden}}, task)
            model, draw = learner.estimator.set_params(random_state=seed), task.draw(trials_generator(seed))
            model.fit(draw.train.X, draw.train.y, probe=(draw.validation.X, draw.validation.y))
            maps["map_trained"] = model.attention_weights(shown.X)
        return {name: calls[:, :SHOWN] for name, calls in maps.items()}

    def figures(self, a: Arrays) -> Mapping[str, Drawing]:
        known = [name for name in TITLES if name in a]
        places, numbers = range(SHOWN), [str(k + 1) for k in range(SHOWN)]
        ticks: dict[str, Any] = {"xticks": places, "xticklabels": numbers, "yticks": places, "yticklabels": numbers}
        panels = [
            panel(
                matrix(a[name], cmap="RdBu_r", vmin=-1, vmax=1), small_title(TITLES[name], 9), x="stored pair",
                y="query (key of pair)" if name == known[0] else "", **ticks,
            )
            for name in known
        ]  # fmt: skip
        size, bar = (2.3 * len(known) + 0.7, 3.1), {"shrink": 0.8}
        return {"maps": page(panels, size=size, bar="match (no unit)", bar_look=bar, sharey=True)}


if __name__ == "__main__":
    script(RecallMaps.name)
