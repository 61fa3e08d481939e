"""Learners on a task as an experiment: what `plasticity sweep TASK` runs at every point of its grid."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from plasticity.statistics import PERCENT, SHARE, mean_and_interval
from simulations.frame.experiment import Arrays, Experiment, Measure, Session
from simulations.frame.owners import by_owner, configured

if TYPE_CHECKING:
    from plasticity.tasks import Task
    from simulations.figures.kinds import Drawing


@dataclass(frozen=True)
class OnTask(Experiment):
    """Learners on one task, made by `on_task`; `configure` takes what `--set` of a comparison takes, but for prices of energy.

    Attributes
    ----------
    made : Task
        The task with its settings.
    parameters : str
        Those of all learners, as JSON.
    given : mapping
        Those that are not the defaults, by learner or side.
    """

    task: ClassVar[type[Task]]
    learners: ClassVar[tuple[str, ...]]
    one_axis: ClassVar[str] = "accuracy (% of test trials)"
    keeps: ClassVar[bool] = True

    made: Task
    parameters: str
    given: Mapping[str, Mapping[str, Any]] = field(compare=False)

    @classmethod
    def configure(cls, values: Mapping[str, Any]) -> OnTask:
        """With the settings of the task, and LEARNER.KEY, spiking.KEY or torch.KEY those of learners."""
        from bridges.learners import resolve

        of_task, given = by_owner(values)
        made = configured(cls.task, of_task, cls.learners)
        _ = made.classes  # a folder of images that is not there, or not meant, is told before anything runs
        parameters = {learner.name: learner.parameters() for learner in resolve(cls.learners, given, made)}
        return cls(made, json.dumps(parameters, sort_keys=True), given)

    @property
    def bytes(self) -> float:
        return self.made.bytes

    def collect(self, session: Session) -> dict[str, np.ndarray]:
        """`accuracy` (learners, seeds)."""
        from bridges import compare

        def tell(fraction: float, *counts: int) -> None:
            session.progress(fraction)

        found = compare(
            list(self.learners), self.made, session.seeds, jobs=session.jobs, out=session.folder, progress=tell,
            settings=self.given,
        )  # fmt: skip
        return {"accuracy": np.array([found.numbers(name, "accuracy") for name in self.learners])}

    def numbers(self, a: Arrays) -> dict[str, Any]:
        told: dict[str, Any] = {"chance": float(self.made.chance), "ceiling": float(self.made.ceiling)}
        for key, found in a.items():
            told[key] = {name: mean_and_interval(row, within=SHARE) for name, row in zip(self.learners, found, strict=True)}
        return told

    def figures(self, a: Arrays) -> Mapping[str, Drawing]:
        return {}


def percent(learner: str, numbers: Mapping[str, Any]) -> float:
    """The accuracy of a learner in %."""
    return 100 * float(numbers["accuracy"][learner]["mean"])


def on_task(task: type[Task], learners: Sequence[str] | None = None) -> type[OnTask]:
    """The experiment of these learners on a task, by default of those that suit it; its measures are their accuracies.

    Raises
    ------
    WrongUse
        An unknown learner, one that is given twice or cannot do the task.
    """
    from bridges.learners import LEARNERS, resolve

    found = resolve(learners or None, {}, task())
    measures = tuple(
        Measure(
            one.name, "%", f"accuracy on test trials: {LEARNERS[one.name].summary}", functools.partial(percent, one.name),
            within=PERCENT,
        )
        for one in found
    )  # fmt: skip
    about = {
        "__doc__": task.__doc__, "__module__": __name__, "task": task, "name": task.name, "summary": task.summary,
        "source": task.source, "learners": tuple(one.name for one in found), "measures": measures,
        "own_process": any(one.side == "torch" for one in found),
    }  # fmt: skip
    return type(f"OnTask_{task.name}", (OnTask,), about)
