"""What each ingredient of a learner is worth: the learner as it is and without each of them, on the same trials and seeds."""

from __future__ import annotations

import dataclasses
import os
import warnings
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sklearn.base import clone

from bridges.comparison.ingredients import rows
from bridges.comparison.result import Comparison
from bridges.comparison.run import Progress, carry_out
from bridges.learners import LEARNERS, resolve
from plasticity.ablations import INTACT
from plasticity.checked import checked, checked_but
from plasticity.errors import WrongUse, unknown
from plasticity.learners import Learner
from plasticity.parallel import check_jobs, check_seeds
from plasticity.tasks import TASKS, Task


@checked_but("learner", "task", "seeds", "jobs")
def ablate(
    learner: Any = "spiking_gated",
    task: Task | str = "cued_digits",
    seeds: int | Iterable[int] = range(5),
    jobs: int | None = None,
    out: str | os.PathLike[str] | None = None,
    force: bool = False,
    progress: Progress | None = None,
    settings: Mapping[str, Mapping[str, Any]] | None = None,
    only: Iterable[str] = (),
    complete: Callable[[Comparison], object] | None = None,
) -> Comparison:
    """Fit a learner as it is and without each of its ingredients on the same trials of every seed.

    Parameters
    ----------
    learner : a name of `LEARNERS`, a learner of this package, or a pair (name, learner)
    task : a task or the name of one
    only : names of ablations; all that the learner has where none is given
    seeds, jobs, out, force, progress, settings, complete : as `compare` has them

    Returns
    -------
    Comparison
        Of "intact" and the ablations by name; `rows` makes a table of it.

    Raises
    ------
    WrongUse
        A learner that has no ablations, an unknown name, and whatever `compare` refuses.
    PlasticityError
        A learner failed; what was finished before stays in `out`.
    """
    made: Any = TASKS[task]() if isinstance(task, str) else task
    if not isinstance(made, Task):
        raise WrongUse(f"a task is a name or a Task, not a {type(task).__name__}; names: {', '.join(TASKS)}.")
    seed_list, n_jobs = check_seeds(seeds), check_jobs(jobs)
    (base,) = resolve([learner], settings or {}, made)
    known = base.estimator.ablations() if isinstance(base.estimator, Learner) else {}
    if not known:
        able = [name for name, entry in LEARNERS.items() if entry.side == "spiking" and entry.build().ablations()]
        raise WrongUse(f"{base.name} has no rule that could be ablated; learners that have one: {', '.join(able)}.")
    asked = list(only) or [*known]
    for name in asked:
        if name not in known:
            raise unknown(f"ablation of {base.name}", str(name), known)
    for hint in made.hints({base.side}):
        warnings.warn(hint, stacklevel=2)
    learners = [dataclasses.replace(base, name=INTACT)]
    for name in asked:
        estimator = clone(base.estimator).set_params(**known[name].settings)
        estimator.check()
        learners.append(dataclasses.replace(base, name=name, estimator=estimator))
    told = {"ablates": {"learner": base.name, "ablations": {name: known[name].summary for name in asked}}}
    return carry_out(learners, made, seed_list, n_jobs, out, force, progress, None, complete, told)


@checked
def summary(comparison: Comparison) -> dict[str, Any]:
    """What `plasticity ablate --json` prints."""
    return {
        "learner": comparison.configuration["ablates"]["learner"],
        "task": comparison.task,
        "chance": comparison.chance,
        "ceiling": comparison.ceiling,
        "seeds": comparison.seeds,
        "missing": comparison.missing,
        "rows": rows(comparison),
        "out": None if comparison.folder is None else str(comparison.folder),
    }
