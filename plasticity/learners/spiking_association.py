"""What follows what, by spike-timing-dependent plasticity: the next item of a history."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar

import numpy as np
from brian2 import ms
from sklearn.base import ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from plasticity import settings
from plasticity.checked import checked
from plasticity.engine import backend
from plasticity.engine.operations import Costs, SpikeCounts
from plasticity.errors import WrongUse
from plasticity.learners import inputs
from plasticity.learners.learner import Learner, check_rule
from plasticity.networks.item_association import ItemAssociation
from plasticity.parallel import quiet
from plasticity.rules import Landing, Rule, named, pair_stdp
from plasticity.settings import estimator, setting
from plasticity.tasks.sequences import sequences_given

SLOT_MS = 10.0
RULE = pair_stdp(A_plus=0.02, A_minus=0.02, tau_plus=10 * ms, tau_minus=30 * ms)
"""What comes as often before as after, such as what is popular, is not associated; depression reaches further back."""


@estimator
class SpikingAssociation(ClassifierMixin, Learner):
    """Items are neurons that fire in the order of a history; pair STDP associates each with what comes after it.

    The network is drawn in `plasticity.networks.item_association`. A training trial is its history and then its answer, 10 ms an
    item, and an empty slot; between trials traces begin anew. It is asked by showing the history without plasticity: the spikes
    of its items drive what they are associated with, with a leak, and the answer is the item that is driven most among those that
    were answers in training. No error and no comparison of the answer with the right one goes into learning.

    Attributes
    ----------
    classes_ : (classes,) array
    weights_ : (symbols, symbols)
        From an item to the one that follows.
    backend_, compile_seconds_, activity_
        As in `SpikingClassifier`.

    Raises
    ------
    WrongUse
        A rule that the network cannot have; histories that are none; settings out of range.

    Settings were chosen on validation trials of `next_item`, draw 10 of `numpy.random.default_rng` (with tau_minus of 10, 20 and
    30 ms 73, 75 and 76 % of them were right) and, tau_minus, on draw 100 of comparisons.

    Source: Abbott & Blum 1996, doi:10.1093/cercor/6.3.406.
    """

    name: ClassVar[str] = "spiking_association"
    summary: ClassVar[str] = "spiking: items as neurons, each associated by STDP with what comes after it"
    source: ClassVar[str] = "Abbott & Blum 1996, doi:10.1093/cercor/6.3.406; Song, Miller & Abbott 2000, doi:10.1038/78829"
    takes: ClassVar[frozenset[str]] = frozenset({"items"})
    chosen_for: ClassVar[frozenset[str]] = frozenset({"items"})
    from_task: ClassVar[tuple[str, ...]] = ()
    cost: ClassVar[float] = 10.0
    made_anew: ClassVar[tuple[str, ...]] = ("_program", "_spec")

    rule: Rule | str = setting(RULE, "the plasticity rule")
    mu: float = setting(0.0, "exponent of soft bounds; 0 is hard", low=0, high=10)
    leak_ms: float = setting(20.0, "how long a spike of the history drives what follows it", "ms", above=0, high=1e6)
    initial: float = setting(0.0, "weights at the start", low=0, high=1)
    passes: int = setting(1, "how often every training trial is shown", low=1, high=10_000)

    @property
    def learns(self) -> tuple[str, ...]:
        return ("items",)

    def check(self) -> None:
        """WrongUse for settings that cannot be, or a rule that the network cannot have."""
        settings.check(self)
        check_rule(self._rule(), self._network(2).unfit)

    def _rule(self) -> Rule:
        return named(self.rule) if isinstance(self.rule, str) else self.rule

    def _network(self, items: int) -> ItemAssociation:
        return ItemAssociation(items, rule=self._rule(), landing=Landing(mu=float(self.mu)))

    def _prepare(self) -> None:
        self._spec = self._network(self.symbols_)
        started = time.perf_counter()
        self._program = self._spec.program()
        self.compile_seconds_ = time.perf_counter() - started
        self.backend_ = backend()

    def fit(
        self, X: Any, y: Any, probe: tuple[Any, Any] | None = None, progress: Callable[[float], None] = quiet
    ) -> SpikingAssociation:
        """Show every history with its answer; `probe` = (X, y) is for the learning curve."""
        self.check()
        history, label = sequences_given("X", X), inputs.labels(self, X, y)
        self.classes_ = inputs.several(label)
        if label.dtype.kind not in "iu" or label.min() < 0:
            raise WrongUse("y holds no items; give the number of the next item of each history.")
        self.symbols_ = int(max(history.max(), label.max())) + 1
        self._prepare()
        self.weights_ = np.full((self.symbols_, self.symbols_), float(self.initial))
        told = np.hstack([history, np.full((len(history), 1), -1)])
        told[np.arange(len(told)), (history >= 0).sum(axis=1)] = label
        rng = np.random.default_rng([int(self.random_state), 3])
        counted = SpikeCounts()
        trials, accuracy = [0], [0.0 if probe is None else self.score(*probe)]
        for one in range(int(self.passes)):
            order = rng.permutation(len(told))
            for tape, first, last in self._tapes(told[order], recall=False):
                self.weights_ = self._run(tape, rng, counted, last - first)["w"].reshape(self.weights_.shape)
                progress((one + last / len(told)) / int(self.passes))
            if probe is not None:
                trials.append((one + 1) * len(told))
                accuracy.append(self.score(*probe))
        self.parameters_ = self.weights_.size
        if probe is not None:
            self.history_ = {"trials": np.array(trials), "accuracy": np.array(accuracy)}
        self.activity_ = {"training": self._spec.costs(recall=False).activity(counted, learning=True)}
        return self

    def _tapes(self, histories: np.ndarray, recall: bool) -> Iterator[tuple[dict[str, np.ndarray], int, int]]:
        """What is shown slot by slot, as many histories as fit into a run; and of which trials. Each ends in an empty slot."""
        lengths = (histories >= 0).sum(axis=1) + 1
        if lengths.max() > self._spec.slots:
            raise WrongUse(f"SpikingAssociation: a history has {lengths.max() - 1} items; {self._spec.slots - 1} are the most.")
        first = 0
        while first < len(histories):
            ends = np.cumsum(lengths[first:])
            last = first + int(np.searchsorted(ends, self._spec.slots, side="right"))
            part = np.hstack([histories[first:last], np.full((last - first, 1), -1)])
            there = np.arange(part.shape[1]) < lengths[first:last, None]
            keep = np.ones(part.shape)
            keep[:, 0] = 0
            item = part[there].astype(float)
            yield {"item": item, "keep": keep[there], "recall": np.full(len(item), float(recall))}, first, last
            first = last

    def _run(
        self, tape: dict[str, np.ndarray], rng: np.random.Generator, counted: SpikeCounts, trials: int
    ) -> dict[str, np.ndarray]:
        slots = len(tape["item"])
        given = {"w": self.weights_.ravel(), "leak": float(self.leak_ms) / 1e3, **tape}
        out = self._program.run(int(rng.integers(2**31)), given, duration=slots * SLOT_MS * ms)
        steps = slots * round(SLOT_MS / float(self._spec.dt / ms))
        counted.add({name: out[name] for name in ("items.spikes", "following.spikes")}, trials, steps, 0)
        return out

    def drive(self, X: Any) -> np.ndarray:
        """How strongly each history calls for each symbol, (trials, symbols)."""
        check_is_fitted(self, "weights_")
        history = sequences_given("X", X)
        history = np.where(history < self.symbols_, history, 0)
        rng, counted = np.random.default_rng([int(self.random_state), 4]), SpikeCounts()
        found = np.empty((len(history), self.symbols_))
        for tape, first, last in self._tapes(history, recall=True):
            drive = self._run(tape, rng, counted, last - first)["drive"].reshape(-1, self.symbols_)
            found[first:last] = drive[tape["item"] < 0]
        self.activity_ = {
            **getattr(self, "activity_", {}),
            "decision": self._spec.costs(recall=True).activity(counted, learning=False),
        }
        return found

    def decision_function(self, X: Any) -> np.ndarray:
        """`drive` of the items that were answers in training, (trials, classes)."""
        return inputs.decisions(self.drive(X)[:, self.classes_])

    def predict(self, X: Any) -> np.ndarray:
        """The item that is driven most, (trials,)."""
        check_is_fitted(self, "weights_")
        return self.classes_[self.drive(X)[:, self.classes_].argmax(axis=1)]

    def predict_proba(self, X: Any) -> np.ndarray:
        """Shares of the drive, (trials, classes); equal where nothing is driven."""
        check_is_fitted(self, "weights_")
        drive = self.drive(X)[:, self.classes_].clip(min=0) + 1e-12
        return drive / drive.sum(axis=1, keepdims=True)

    @checked
    def restore(self, state: Mapping[str, Any]) -> None:
        """Take over what `state` gave, and find or compile the program."""
        self._held(state, "weights_", "symbols_")
        self.symbols_ = int(state["symbols_"])
        self._prepare()
        super().restore(state)

    def costs(self) -> Costs:
        """What training and the last decisions took."""
        check_is_fitted(self, "weights_")
        return Costs.of_spiking(self.activity_)
