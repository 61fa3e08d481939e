"""How many pairs of a key and a value can models recall that are trained by gradient to do so?

They meet the test trials of `memory_recall`, after training trials with other pairs. Read with care: the memories there are built
for the task, the models must find out from training trials what is key, value and query. The learnt twin of the Hebbian memory is
`fast_weights`. Linear attention is another thing: its feature map elu + 1 is positive and its weights are normalised, so that no
stored pair can be called with a minus sign.

Sources: Schlag, Irie & Schmidhuber 2021, arXiv:2102.11174; Ramsauer et al. 2021, arXiv:2008.02217.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from plasticity.errors import WrongUse
from plasticity.settings import setting
from plasticity.statistics import PERCENT, SHARE, mean_and_interval
from plasticity.tasks import AssociativeRecall
from simulations.figures import BLACK, GREEN, GREY, ORANGE, SKY, over_seeds
from simulations.figures.kinds import Layer, level, log_x, means, page, panel
from simulations.frame.execute import script
from simulations.frame.experiment import Arrays, Experiment, Measure, Session, Table
from simulations.frame.recall import QUERIES, SOURCE, TRIALS, VALUES, recall_task, recalled

if TYPE_CHECKING:
    from simulations.figures.kinds import Drawing

LOOKS = {
    "linear_attention": (GREEN, "P"),
    "fast_weights": (ORANGE, "p"),
    "softmax_attention": (SKY, "X"),
    "transformer_encoder": (BLACK, "*"),
}

# settings that are those of `recall_maps` as well
MODELS = setting(
    ("linear_attention", "fast_weights", "softmax_attention", "transformer_encoder"),
    "models trained by gradient; none where empty",
)
DIMENSION = setting(32, "length d of their keys", low=8, high=1000)
TRAIN = setting(4000, "their training trials", "trials", low=10, high=10_000_000)
HIDDEN = setting(96, "their hidden units", low=1, high=10_000)


def trained_models(numbers: Mapping[str, Any]) -> list[float]:
    """The accuracy of each trained model at each number of pairs; of the memories beside them there is an error too."""
    return [row["accuracy"]["mean"] for row in numbers["results"] if "error" not in row]


@dataclass(frozen=True)
class TrainedRecall(Experiment):
    __doc__ = __doc__

    name: ClassVar[str] = "trained_recall"
    summary: ClassVar[str] = "associative recall by models trained by gradient, on the trials of the memories"
    source: ClassVar[str] = SOURCE
    compiled: ClassVar[bool] = False
    part_of: ClassVar[str] = "hebbian_attention"
    keeps: ClassVar[bool] = True
    time_share: ClassVar[float] = 0.6
    own_process: ClassVar[bool] = True
    time_step: ClassVar[str] = "None: models of PyTorch on keys and values."
    measures: ClassVar[tuple[Measure, ...]] = (
        Measure("trained", "", "share of values recalled by the trained models, mean of them", trained_models, within=SHARE),
        Measure(
            "linear_attention",
            "",
            "share recalled by linear_attention, at the most pairs",
            ("results", {"learner": "linear_attention"}, "accuracy"),
            within=SHARE,
        ),
        Measure(
            "fast_weights",
            "",
            "share recalled by fast_weights, at the most pairs",
            ("results", {"learner": "fast_weights"}, "accuracy"),
            within=SHARE,
        ),
        Measure(
            "softmax_attention",
            "",
            "share recalled by softmax_attention, at the most pairs",
            ("results", {"learner": "softmax_attention"}, "accuracy"),
            within=SHARE,
        ),
        Measure(
            "transformer_encoder",
            "",
            "share recalled by transformer_encoder, at the most pairs",
            ("results", {"learner": "transformer_encoder"}, "accuracy"),
            within=SHARE,
        ),
        Measure("chance", "", "share recalled by guessing"),
    )

    values: int = VALUES
    memories: int = TRIALS
    queries: int = QUERIES
    trained: tuple[str, ...] = MODELS
    trained_pairs: tuple[int, ...] = setting((8,), "pairs n at which they are trained and tested", low=1, high=1000)
    trained_dimension: int = DIMENSION
    train: int = TRAIN
    hidden: int = HIDDEN

    def task(self, pairs: int) -> AssociativeRecall:
        """The task with so many pairs."""
        return recall_task(pairs, self.trained_dimension, self.values, self.queries, self.memories, self.train)

    def refuse(self) -> None:
        from bridges.learners import LEARNERS

        if len({*self.trained}) < len(self.trained):
            raise WrongUse(f"trained={','.join(self.trained)} names a model twice; name each once.")
        for name in self.trained:
            if LEARNERS[name].side != "torch":
                raise WrongUse(f"{name} is no model trained by gradient; `plasticity list models` shows those.")
        for pairs in self.trained_pairs:
            self.task(pairs)

    def collect(self, session: Session) -> dict[str, np.ndarray]:
        """`trained` (models, pairs, seeds): the accuracy on test trials."""
        from bridges import compare

        trained = np.empty((len(self.trained), len(self.trained_pairs), len(session.seeds)))
        for place, pairs in enumerate(self.trained_pairs if self.trained else ()):
            part = session.part(place / len(self.trained_pairs), (place + 1) / len(self.trained_pairs))

            def tell(fraction: float, *counts: int, part: Session = part, told: str = f"training, {pairs} pairs") -> None:
                part.progress(fraction, note=told)

            found = compare(
                self.trained, self.task(pairs), session.seeds, jobs=session.jobs, progress=tell,
                out=session.folder / f"trained-{pairs}" if session.folder else None,
                settings={"torch": {"hidden": self.hidden}},
            )  # fmt: skip
            trained[:, place] = [found.numbers(name, "accuracy") for name in self.trained]
        return {"trained": trained}

    def numbers(self, a: Arrays) -> dict[str, Any]:
        rows = [
            {
                "learner": name,
                "dimension": self.trained_dimension,
                "pairs": n,
                "accuracy": mean_and_interval(accuracy, within=SHARE),
            }
            for name, of_pairs in zip(self.trained, a["trained"], strict=True)
            for n, accuracy in zip(self.trained_pairs, of_pairs, strict=True)
        ]
        return {"chance": 1 / self.values, "results": rows}

    @classmethod
    def tables(cls, numbers: Mapping[str, Any]) -> dict[str, Table]:
        return recalled(numbers)

    def marks(self, a: Arrays) -> list[Layer]:
        """The accuracy of each model at its numbers of pairs, a little apart."""
        layers: list[Layer] = []
        for place, name in enumerate(self.trained):
            colour, marker = LOOKS.get(name, (GREY, "v"))
            look: dict[str, Any] = {"color": colour, "linestyle": "", "marker": marker, "markersize": 7}
            label = f"{name.replace('_', ' ')}, trained by gradient"
            at = np.array(self.trained_pairs) * (1.06 + 0.1 * place)
            layers.append(means(at, 100 * a["trained"][place].T, PERCENT, label=label, **look))
        return layers

    def figures(self, a: Arrays) -> Mapping[str, Drawing]:
        chance = level(100 / self.values, linestyle=":", linewidth=1, label="chance")
        drawn = panel(
            *self.marks(a), chance, x="pairs n", y="value recalled (% of test trials)", ylim=(0, 103),
            title=f"keys of length d = {self.trained_dimension}", then=log_x(self.trained_pairs, base=2),
            xlim=(min(self.trained_pairs) / 2, 2 * max(self.trained_pairs)),
        )  # fmt: skip
        return {"accuracy": page([drawn], size=(6.4, 4.2), legend=2, caption=over_seeds(a["trained"].shape[2]))}


if __name__ == "__main__":
    script(TrainedRecall.name)
