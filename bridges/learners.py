"""Who can be compared: learners of both sides by name, and what a task makes of a list of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import clone

from bridges import own_model
from bridges.models import MODELS, Model
from bridges.torch_reader import TorchReader
from bridges.torch_translator import TorchTranslator
from plasticity import settings
from plasticity.errors import WrongUse, unknown
from plasticity.given import shown as given_as
from plasticity.learners import CLASSES, Learner, LearnerEntry, entries_of
from plasticity.learners.learner import GIVEN, LEARNS
from plasticity.registry import Registry, is_entry
from plasticity.settings import SEED, SIDES
from plasticity.tasks import TASKS

if TYPE_CHECKING:
    from plasticity.tasks import Task

FACTS = ("streams", "query", "dimension")  # of a task, that an estimator is told where it has a parameter of that name
FEW = 15  # learners that a sentence can name
NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")  # of a learner; it is part of a file's name


@dataclass(frozen=True)
class _Train:
    """Makes the estimator of a model; plain data, and PyTorch is imported when it is called."""

    model: str
    settings: Mapping[str, Any]

    def __call__(self) -> Any:
        from bridges.torch_classifier import TorchClassifier

        return TorchClassifier(model=self.model, **self.settings)


def trained(model: type[Model]) -> LearnerEntry:
    """A model as a learner: trained by gradient, with the settings that suit it."""
    build = _Train(model.name, model.settings)
    return LearnerEntry(model.name, "torch", model.summary, model.source, build, model.cost, model.chosen_for)


def _entries() -> Iterator[LearnerEntry]:
    of_streams = [kind for kind in CLASSES if kind.side == "spiking" and kind.takes & {"image", "streams"}]
    for kind in of_streams:
        yield from kind.entries()
    yield from map(trained, MODELS.values())
    yield from TorchReader.entries()
    yield from TorchTranslator.entries()
    for kind in (kind for kind in CLASSES if kind not in of_streams):
        yield from kind.entries()


def _from_outside(value: Any) -> Iterator[LearnerEntry]:
    if isinstance(value, type) and issubclass(value, Model):
        if is_entry("model", value, isinstance(getattr(value, "name", None), str)):
            yield trained(value)
    yield from entries_of(value)


LEARNERS: Registry[LearnerEntry] = Registry("learner", _entries(), of=_from_outside)


@dataclass(frozen=True)
class NamedLearner:
    """A learner of one comparison, ready to be cloned for each seed."""

    name: str
    side: str
    estimator: Any
    cost: float
    given: tuple[str, ...] = ("teacher",)
    learns: tuple[str, ...] = ("classes",)

    def __post_init__(self) -> None:
        if self.side not in SIDES:
            raise unknown(f"side of the learner {self.name}", str(self.side), SIDES)

    def parameters(self) -> dict[str, Any]:
        """Its settings as JSON holds them, without its random state."""
        parameters = self.estimator.get_params(deep=False)
        unsaid = {SEED, *settings.unsaid(self.estimator)}
        return {key: own_model.plain(value) for key, value in parameters.items() if key not in unsaid}

    def seeded(self, seed: int) -> Any:
        """A clone whose random state is this seed, and that of the estimators that it is made of."""
        made = clone(self.estimator)
        states = [key for key in made.get_params(deep=True) if key.rpartition("__")[2] == SEED]
        return made.set_params(**dict.fromkeys(states, seed))


def _of_module(made: Any) -> Any:
    """A module of somebody's own, its class or a function that makes it, as an estimator; a model with its own settings."""
    from bridges.torch_classifier import TorchClassifier

    return TorchClassifier(model=made, **getattr(made, "settings", {}) if own_model.is_model(made) else {})


def chosen_for(task: Task) -> list[str]:
    """The learners that a task is put to where none are named."""
    return list(task.compared) or [name for name, entry in LEARNERS.items() if task.kind in entry.chosen_for]


def _able(task: Task) -> list[str]:
    """The learners that a task is put to where none are named, then others that can do it, where these are few."""
    chosen = chosen_for(task)
    can = [name for name, entry in LEARNERS.items() if task.kind in getattr(entry.build(), "takes", ())]
    return [*chosen, *(name for name in can if name not in chosen)] if len(can) <= FEW or not chosen else chosen


def resolve(learners: Iterable[Any] | None, given: Mapping[str, Mapping[str, Any]], task: Task) -> list[NamedLearner]:
    """Names and estimators as learners of this task, with the settings given by learner or side.

    Raises
    ------
    WrongUse
        An unknown name, something that is no estimator, two of one name, one that cannot do the task, an unknown setting, and
        whatever else a learner refuses before it sees a trial (`Learner.check`), such as a device that is not there.
    """
    if isinstance(learners, str):
        learners = [learners]
    if learners is not None and not np.iterable(learners) or isinstance(learners, (Mapping, np.ndarray)):
        raise WrongUse(f'learners={given_as(learners)} are no list of learners; give names, like ["mlp", "guessing"].')
    resolved: list[NamedLearner] = []
    for asked in chosen_for(task) if learners is None else learners:
        if isinstance(asked, str):
            entry = LEARNERS[asked]
            name, side, estimator, cost = entry.name, entry.side, entry.build(), entry.cost
        else:
            name, estimator = asked if isinstance(asked, tuple) and len(asked) == 2 else (type(asked).__name__, asked)
            if own_model.is_own(estimator):
                name = name if isinstance(asked, tuple) else own_model.name_of(estimator)
                estimator = _of_module(estimator)
            if not (hasattr(estimator, "fit") and hasattr(estimator, "predict") and hasattr(estimator, "get_params")):
                raise WrongUse(
                    f"a learner is a name or a scikit-learn estimator or a torch module, not {asked!r};"
                    f" names: {', '.join(LEARNERS)}."
                )
            if isinstance(estimator, type):
                raise WrongUse(f"the learner {estimator.__name__} is a class; give an estimator: {estimator.__name__}().")
            estimator, side = clone(estimator), getattr(estimator, "side", "control")
            cost = getattr(estimator, "cost", 5.0)
        if not NAME.fullmatch(str(name)):
            raise WrongUse(f"the name of a learner is made of letters, digits, '_', '-' and '.', not {name!r}.")
        if any(name == other.name for other in resolved):
            raise WrongUse(
                f"two learners are named {name!r}; name estimators apart: [('first', estimator), ('second', estimator)]."
            )
        takes = getattr(estimator, "takes", frozenset({"image", "pairs", "streams"}))
        if task.kind not in takes:
            fitting = [other for other, kind in TASKS.items() if kind().kind in takes]
            suit = _able(task)
            alike = max((other.endswith(f"_{name}"), LEARNERS[other].side == side, -place) for place, other in enumerate(suit))
            raise WrongUse(
                f"{name} cannot do {task.name}; it is for tasks like {', '.join(fitting)}, and for {task.name} there are"
                f" {', '.join(suit)}; write {suit[-alike[-1]]} instead, say."
            )
        if hasattr(estimator, "suit"):
            estimator.suit(task)
        else:  # an estimator of scikit-learn's kind, told what it has a parameter for
            asks = {key: key.rpartition("__")[2] for key in estimator.get_params(deep=True)}  # those of its parts too
            facts = {key: getattr(task, fact) for key, fact in asks.items() if fact in FACTS and hasattr(task, fact)}
            estimator.set_params(**facts)
        suited = task.compared.get(name, {}) if isinstance(asked, str) else {}
        mine = {**suited, **given.get(side, {}), **given.get(name, {})}
        estimator = settings.changed(estimator, mine, name)
        if isinstance(estimator, Learner):
            estimator.check()
        # what it is given and has to learn; one that does not say is told the label of each trial and has to learn all
        told = tuple(getattr(estimator, "given", ("teacher",)))
        learns = tuple(getattr(estimator, "learns", ("gate", "classes") if getattr(task, "streams", 1) > 1 else ("classes",)))
        for what, words, known_words in (("given", told, GIVEN), ("learns", learns, LEARNS)):
            for word in words:
                if word not in known_words:
                    raise unknown(f"word in what {name} says as `{what}`", str(word), known_words)
        resolved.append(NamedLearner(name, side, estimator, cost, told, learns))
    if not resolved:
        raise WrongUse(f"no learner was given; known: {', '.join(LEARNERS)}.")
    settings.refuse_owners(given, {learner.name: learner.side for learner in resolved})
    return resolved
