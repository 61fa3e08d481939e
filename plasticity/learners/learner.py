"""What a learner is: a scikit-learn estimator whose settings are declared once, and how `compare` knows it by name."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar, TypeVar

from sklearn.base import BaseEstimator

from plasticity import settings
from plasticity.ablations import Ablation
from plasticity.checked import checked
from plasticity.encoders import ENCODERS
from plasticity.engine.operations import Costs
from plasticity.errors import WrongUse, unknown
from plasticity.registry import is_entry
from plasticity.rules import RULES, Rule
from plasticity.settings import setting
from plasticity.tasks import KINDS

L = TypeVar("L", bound="Learner")
GIVEN = {
    "gate": "which stream matters in each trial, as gains on the streams",
    "teacher": "the label of each training trial while it learns",
    "reward": "after each training trial, whether its answer was right",
    "labels": "the labels of training trials once it has learnt, to say what each neuron stands for",
    "code": "what is key, value and query in a trial",
}
"""What a learner may be `given`."""
LEARNS = {
    "gate": "which stream the cue means",
    "words": "which words of a text, or items of a history, matter",
    "classes": "what tells the classes apart",
    "images": "what images are there, without labels",
    "code": "what is key, value and query in a trial",
    "items": "which item comes after which",
    "sequences": "which sequence asks for which",
    "memory": "what to remember of what was seen, and which action it asks for",
}
"""What a learner `learns`."""
VALIDATION = "validation trials"  # what a learning curve is measured on, unless a learner says another thing as `curve`


@checked
@dataclasses.dataclass(frozen=True)
class LearnerEntry:
    """One learner that `compare` knows by name.

    Parameters
    ----------
    name, summary, source : str
        What it is called, one line, and whose it is (with doi).
    side : str
        "spiking", "torch" or "control".
    build : callable
        Makes the estimator.
    cost : float
        About how long a fit takes beside the others: long jobs start first.
    chosen_for : frozenset of str
        The kinds of tasks (`plasticity.tasks.KINDS`) that it is put to where no learners are named.
    """

    name: str
    side: str
    summary: str
    source: str
    build: Callable[[], Any]
    cost: float = 1.0
    chosen_for: frozenset[str] = frozenset()

    def factory(self, random_state: int = 0, given: Mapping[str, Any] | None = None) -> Any:
        """The estimator with its random state and some settings replaced (texts are converted)."""
        return settings.changed(self.build(), given or {}, self.name).set_params(random_state=random_state)


@checked
@dataclasses.dataclass(frozen=True)
class Variant:
    """A name under which a learner is known: some of its settings, and what is to be said of it."""

    name: str
    summary: str
    settings: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    chosen_for: frozenset[str] = frozenset()
    source: str = ""
    cost: float = 0.0


@dataclasses.dataclass(eq=False, repr=False, kw_only=True)
class Learner(BaseEstimator):
    """A learner of either side, made of settings (`plasticity.settings.estimator`).

    A subclass has `fit(X, y)` and `predict(X)`, says as `given` and `learns` what it is told and what it has to learn, and may
    have `fit(..., probe=, progress=)`, `predict_proba`, `represent`, `attention_weights`, and after `fit` the attributes
    `history_` (arrays `trials` and `accuracy` on the probe), `arrays_` (for figures), `parameters_` (how many numbers learning
    changes), `backend_`, `compile_seconds_`.

    Attributes
    ----------
    name, summary, source : str
        As `compare` knows it; or `variants`, several names with settings of their own.
    side : str
        "spiking", "torch" or "control".
    takes : frozenset of str
        The kinds of tasks that it can do (`plasticity.tasks.KINDS`).
    chosen_for : frozenset of str
        Those that it is put to where no learners are named.
    from_task : tuple of str
        Settings that it takes over from the task.
    uses : tuple of str
        Neurons, encoders and the like that it is made of beside what its settings name: whose papers are cited with it.
    remark, curve : str
        What is to be known of it in a comparison; what its learning curve is measured on.
    cost : float
        About how long a fit takes beside other learners.
    called : str
        In a comparison: the name that it was given there, for warnings.
    made_anew : tuple of str
        Attributes of a trained one that are no data (a program): `restore` makes them.
    """

    name: ClassVar[str] = ""
    summary: ClassVar[str] = ""
    source: ClassVar[str] = ""
    variants: ClassVar[tuple[Variant, ...]] = ()
    side: ClassVar[str] = "spiking"
    takes: ClassVar[frozenset[str]] = frozenset({"image", "streams"})
    chosen_for: ClassVar[frozenset[str]] = frozenset()
    from_task: ClassVar[tuple[str, ...]] = ("streams",)
    uses: ClassVar[tuple[str, ...]] = ()
    remark: ClassVar[str] = ""
    curve: ClassVar[str] = VALIDATION
    cost: ClassVar[float] = 1.0
    made_anew: ClassVar[tuple[str, ...]] = ()
    called = ""

    random_state: int = setting(
        0, "everything random follows from it: weights, order of trials, every spike", low=0, high=settings.MOST_SEED
    )

    @property
    def given(self) -> tuple[str, ...]:
        """What it is told, of `GIVEN`; nothing where empty."""
        selects = getattr(getattr(self, "gate", None), "selects", False) and (getattr(self, "streams", 1) or 1) > 1
        return ("gate", "teacher") if selects else ("teacher",)

    @property
    def learns(self) -> tuple[str, ...]:
        """What it has to learn, of `LEARNS`; nothing where empty."""
        return ("classes",)

    @classmethod
    def entries(cls) -> Iterator[LearnerEntry]:
        """The names under which `compare` knows it; those of the class that it is derived from are not its own."""
        own = (Variant(cls.name, cls.summary, {}, cls.chosen_for),) if vars(cls).get("name") else ()
        for variant in vars(cls).get("variants") or own:
            yield LearnerEntry(
                variant.name,
                cls.side,
                variant.summary,
                variant.source or cls.source,
                _Build(cls, variant.settings),
                variant.cost or cls.cost,
                variant.chosen_for,
            )

    def suit(self: L, task: Any) -> L:
        """Take over from a task what `from_task` names."""
        facts = {name: getattr(task, name) for name in self.from_task if hasattr(task, name)}
        return self.set_params(**facts)

    def check(self) -> None:
        """WrongUse for parameters that cannot be; `compare` asks every learner before anything is drawn, compiled or trained."""
        settings.check(self)

    @property
    def _name(self) -> str:
        """What warnings call it: its name in a comparison, else its class."""
        return self.called or type(self).__name__

    def _typed(self, setting: str) -> str:
        """How a setting is given on the command line; empty outside of a comparison."""
        return f" (--set {self.called}.{setting})" if self.called else ""

    def ablations(self) -> Mapping[str, Ablation]:
        """What can be taken away of it, by name, each as settings to be changed; none where it has no rule."""
        return {}

    def learnt(self) -> dict[str, Any]:
        """The numbers that it has learnt, in groups by name, each an array; nothing where there are none."""
        found: dict[str, Any] = {}
        for name in ("weights_", "feedback_", "gate_weights_"):
            told = vars(self).get(name)
            if isinstance(told, (list, tuple)):
                found |= {f"{name.strip('_')}_{k}": part for k, part in enumerate(told, start=1)}
            elif told is not None:
                found[name.strip("_")] = told
        return found

    def _fitted_on(self, columns: int) -> str:
        """What is said of an X of so many columns after a `fit` on another number of them."""
        return f"it was fitted on {vars(self)['n_features_in_']} columns"

    @checked
    def save(self, path: str | os.PathLike[str], force: bool = False) -> None:
        """Write it, trained, to PATH.json and PATH.npz, without pickle; `plasticity.load(path)` is the inverse. What is
        there already is replaced with `force` alone.

        Raises what `plasticity.saving.save` does.
        """
        from plasticity.saving import save

        save(self, path, force)

    def state(self) -> dict[str, Any]:
        """What `save` keeps beside the settings: what `fit` made, but for the attributes that are `made_anew`."""
        given = {*self.get_params(deep=False), *self.made_anew}
        return {name: value for name, value in vars(self).items() if name not in given}

    @checked
    def restore(self, state: Mapping[str, Any]) -> None:
        """Take over what `state` gave, in a learner with the same settings; one with attributes `made_anew` makes them, too."""
        for name, value in state.items():
            setattr(self, name, value)

    def _held(self, state: Mapping[str, Any], *names: str) -> None:
        """WrongUse for a state without what is needed to make a trained one of it."""
        absent = [name for name in names if name not in state]
        if absent:
            raise WrongUse(f"state has no {absent[0]}; give what state() of a trained {type(self).__name__} gives.")

    def costs(self) -> Costs | None:
        """What it did in training and in the decisions just made; None where nothing is counted.

        Raises
        ------
        WrongUse
            It has not decided anything yet.
        """
        return None


def check_rule(rule: Rule, unfit: Callable[[Rule], str]) -> None:
    """WrongUse for a rule that a network cannot have: `unfit` says why, and nothing of a rule that fits."""
    why = unfit(rule)
    if why:
        fit = sorted(name for name, known in RULES.items() if not unfit(known))
        raise WrongUse(f"the rule {rule.name} {why}; known to fit: {', '.join(fit)}.")


def check_max_rate(title: str, encoder: str, rate_hz: float, dt_ms: float) -> None:
    """WrongUse for inputs that would fire more often than once in each time step; one spike a stimulus has no such limit."""
    if rate_hz * dt_ms > 1000 and "since" not in ENCODERS[encoder].threshold:
        most = f"one spike in each time step of {dt_ms:g} ms; give at most {int(1000 / dt_ms)}"
        raise WrongUse(f"{title}: max_rate_hz={rate_hz:g} is more than {most}.")


@dataclasses.dataclass(frozen=True)
class _Build:
    """Makes an estimator; plain data, so that it travels to other processes."""

    kind: type[Learner]
    settings: Mapping[str, Any]

    def __call__(self) -> Learner:
        return self.kind(**self.settings)


def entries_of(value: Any) -> Iterator[LearnerEntry]:
    """The entries of a learner's class; none of anything else. What a module from outside adds to a registry of learners."""
    if not (isinstance(value, type) and issubclass(value, Learner)):
        return
    if not is_entry("learner", value, bool(vars(value).get("name") or vars(value).get("variants"))):
        return
    title = f"the learner {value.__name__}"
    for method, given in (("fit", "X, y"), ("predict", "X")):
        if not callable(getattr(value, method, None)):
            raise WrongUse(f"{value.__module__}: {title} has no {method}; define {method}(self, {given}).")
    if isinstance(value.takes, str) or isinstance(value.chosen_for, str):
        raise WrongUse(f"{value.__module__}: {title} has a text as takes or chosen_for; write frozenset({{'image'}}).")
    for kind in (*value.takes, *value.chosen_for):
        if kind not in KINDS:
            raise unknown(f"kind of tasks of {title}", str(kind), KINDS)
    yield from value.entries()
