"""Budgets: accuracy against distinct training trials, joules of a decision, or numbers that learning changes.

    trials        every learner meets the very same distinct trials; models trained by gradient as often as they like, and once
    energy        sizes are swept on both sides and priced: what does a decision cost at equal accuracy?
    parameters    the same against the numbers that learning changes

A learner at one size, or with so many training trials, is fitted and kept like a learner of a comparison. What follows from the
records are curves, and where they cross (`bridges.comparison.curves`).
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from sklearn.base import clone

from bridges.comparison.curves import BUDGETS, ONCE, Curves, Point
from bridges.comparison.energy import EnergyTable
from bridges.comparison.result import record_name
from bridges.comparison.run import Job, Progress, configuration_of, finished
from bridges.learners import NamedLearner, resolve
from plasticity.checked import checked_but
from plasticity.engine import backend
from plasticity.errors import WrongUse, unknown
from plasticity.files import write_text
from plasticity.parallel import check_jobs, check_seeds
from plasticity.records import RunFolder
from plasticity.settings import check, plain, recorded, setting, text
from plasticity.tasks import TASKS, Task

ONE_PASS: Mapping[str, Any] = {"epochs": 1, "batch": 4, "learning_rate": 2e-3, "dropout": 0.0}
"""Each trial once, in small batches, as plasticity meets them; not tuned."""
SIZES: Mapping[str, str] = {"hidden": "hidden", "neurons_per_class": "neurons"}  # parameter of an estimator: setting of `Budget`


@dataclasses.dataclass(frozen=True)
class Budget:
    """Where a budget is measured, and what is to be reached."""

    name: ClassVar[str] = "budget"
    trials: tuple[int, ...] = setting(
        (50, 100, 200, 400, 1000, 2000), "distinct training trials, as far as the task has them", "trials", low=2
    )
    hidden: tuple[int, ...] = setting((4, 8, 16, 32, 64, 192), "hidden units of models trained by gradient", low=1, high=20_000)
    neurons: tuple[int, ...] = setting((2, 5, 10, 20, 40), "neurons for each class of a spiking network", low=1, high=20_000)
    within: float = setting(0.01, "by how much the smallest sufficient size may be right less often than the best", low=0, high=1)
    accuracy: float | None = setting(
        None,
        "share of right answers that is to be reached; none: that of the lower of the best spiking and the best torch learner,"
        " less `within`",
        low=0,
        high=1,
    )

    def __post_init__(self) -> None:
        check(self)
        for key in ("trials", "hidden", "neurons"):
            listed = getattr(self, key)
            if len(set(listed)) < max(2, len(listed)):
                raise WrongUse(f"budget: {key}={text(listed)} makes no curve; give two or more, each once, like 50,100.")
            object.__setattr__(self, key, tuple(sorted(listed)))


def _suiting(learners: Iterable[str] | None, given: Mapping[str, Mapping[str, Any]], task: Task) -> list[NamedLearner]:
    """These learners; where none are named those that suit the task, but for those that can only guess which stream is asked."""
    found = resolve(learners, given, task)
    if learners is not None:
        return found
    gated = task.kind == "streams" and getattr(task, "streams", 1) > 1
    return [one for one in found if one.learns and (not gated or "gate" in (*one.given, *one.learns)) or "code" in one.given]


def _of_trials(budget: Budget, learners: Sequence[NamedLearner], task: Any) -> dict[Point, tuple[NamedLearner, Any]]:
    most = getattr(task, "train", None)
    if not isinstance(most, int):
        raise WrongUse(f"{task.name} has no number of training trials to be varied; give --budget energy or parameters.")
    sizes = [size for size in budget.trials if size <= most]
    if len(sizes) < 2:
        raise WrongUse(
            f"budget.trials={text(budget.trials)}: fewer than two are at most train={most}; give others, or --set train=..."
        )
    variants = [*learners]
    for one in learners:
        if one.side == "torch":
            once = clone(one.estimator).set_params(**ONE_PASS)
            variants.append(dataclasses.replace(one, name=f"{one.name}{ONCE}", estimator=once, cost=one.cost / 2))
    drawn = {size: dataclasses.replace(task, train=size) for size in sizes}
    return {Point(one.name, trials=size): (one, drawn[size]) for one in variants for size in sizes}


def _of_sizes(budget: Budget, learners: Sequence[NamedLearner], task: Any) -> dict[Point, tuple[NamedLearner, Any]]:
    found: dict[Point, tuple[NamedLearner, Any]] = {}
    for one in learners:
        parameter = next((key for key in SIZES if key in one.estimator.get_params(deep=False)), "")
        for size in getattr(budget, SIZES[parameter]) if parameter else (None,):
            sized = one.estimator
            if parameter:
                suits = sized.of_size(size) if hasattr(sized, "of_size") else {parameter: size}
                sized = clone(sized).set_params(**suits)
            found[Point(one.name, size)] = (dataclasses.replace(one, estimator=sized), task)
    if not any(point.size for point in found):
        raise WrongUse(f"{', '.join(one.name for one in learners)}: no size can be swept; name a learner that has one.")
    return found


@checked_but("learners", "task", "seeds", "jobs")
def budgeted(
    asked: str,
    learners: Iterable[str] | None = None,
    task: Task | str = "cued_digits",
    seeds: int | Iterable[int] = range(10),
    jobs: int | None = None,
    out: str | os.PathLike[str] | None = None,
    force: bool = False,
    progress: Progress | None = None,
    settings: Mapping[str, Mapping[str, Any]] | None = None,
    energy: EnergyTable | None = None,
    budget: Budget | None = None,
    complete: Callable[[Curves], object] | None = None,
) -> Curves:
    """Fit learners at every point of a budget, on the same trials of every seed.

    Parameters
    ----------
    asked : "trials", "energy" or "parameters"
    learners : names of `LEARNERS`; by default those that suit the task and do not guess what is asked
    budget : trials, sizes, and what is to be reached
    task, seeds, jobs, out, force, progress, settings, energy, complete : as of `bridges.compare`

    Raises
    ------
    WrongUse
        An unknown budget, one that is no curve, and what `bridges.compare` refuses.
    PlasticityError
        A learner failed; what was finished before stays in `out`.
    """
    if asked not in BUDGETS:
        raise unknown("budget", asked, BUDGETS)
    made = TASKS[task]() if isinstance(task, str) else task
    chosen, given = budget or Budget(), dict(settings or {})
    listed, n_jobs = check_seeds(seeds), check_jobs(jobs)
    resolved = _suiting(learners, given, made)
    plan = (_of_trials if asked == "trials" else _of_sizes)(chosen, resolved, made)
    each = {point.learner: learner for point, (learner, _) in plan.items()}
    configuration = configuration_of(made, list(each.values()), listed) | {
        "command": "budget",
        "budget": asked,
        "points": [dataclasses.asdict(point) for point in plan],
        "measured": recorded(chosen),
        "asked": {"learners": [one.name for one in resolved], "settings": plain(given)},
    }
    if energy is not None and energy != EnergyTable():
        configuration["energy"] = dataclasses.asdict(energy)
    facts: dict[str, Any] = {key: configuration[key] for key in ("task", "facts", "data") if key in configuration}
    places = {(point, seed): record_name(seed, point.name) for point in plan for seed in listed}
    wanted = []
    for (point, seed), name in places.items():
        learner, of = plan[point]
        part = point.trials / made.train if point.trials else 1.0  # type: ignore[attr-defined]
        if point.size and learner.side == "spiking":  # PyTorch takes as long for a small model
            part = point.size / max(chosen.neurons)
        share = 0.2 + 0.8 * part
        told: dict[str, Any] = {**facts, "settings": recorded(of)}
        wanted.append(Job(name, dataclasses.replace(learner, name=point.name), of, seed, told, share * learner.cost, whole=False))
    spikes = backend() if any(learner.side == "spiking" for learner in resolved) else ""
    if out is None:
        found = finished(wanted, None, n_jobs, progress, "budget")
        return Curves(configuration, {place: found[name] for place, name in places.items()})
    with RunFolder.open(Path(out), configuration, force, spikes) as folder:
        found = finished(wanted, folder, n_jobs, progress, "budget")
        curves = Curves(configuration, {place: found[name] for place, name in places.items()}, Path(out))
        write_text(folder.path / "summary.csv", curves.csv())
        if complete is not None:
            complete(curves)
        folder.finish(curves.to_json())
    return curves
