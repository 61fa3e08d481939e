"""Memories that store pairs in one shot and recall by a key, as scikit-learn estimators: a spiking one and their rate forms.

They answer the trials of `AssociativeRecall`. Nothing is carried over from one trial to the next: `fit` learns nothing but what
the classes are called, and each trial begins with empty synapses. With unit keys k_s, one-hot values v_s and the query q:

    Hebb      y = W q,  W = sum_s v_s k_s^T                                unnormalised linear attention
    delta     y = W q,  W <- W + (v_s - W k_s) k_s^T, pair after pair      attention that overwrites
    softmax   y = sum_s a_s v_s,  a = softmax(sqrt(d) k_s.q)               scaled dot-product attention, modern Hopfield network

n superposed pairs disturb a Hebbian recall by (n - 1)/d of the squared length of a value, on average over random keys.

Sources
-------
Kohonen 1972, Correlation matrix memories, IEEE Transactions on Computers C-21:353-359, doi:10.1109/TC.1972.5008975.
Schlag, Irie & Schmidhuber 2021, Linear Transformers are secretly fast weight programmers, arXiv:2102.11174.
Ramsauer et al. 2021, Hopfield networks is all you need, arXiv:2008.02217. Vaswani et al. 2017, arXiv:1706.03762.
"""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Iterator
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from brian2 import ms
from scipy.special import softmax
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from plasticity.activity import Tally, one_after_another
from plasticity.encoders import ENCODERS
from plasticity.engine import backend, program
from plasticity.errors import WrongUse, unknown
from plasticity.networks import associative_memory
from plasticity.networks.associative_memory import TEACHER_HZ, AssociativeMemory
from plasticity.parallel import Progress, quiet
from plasticity.rules import Rule, named, pair_stdp
from plasticity.tasks import split_streams

ONE_SHOT = pair_stdp(A_plus=0.01, A_minus=0.0)
"""Pair STDP without depression: what fires before the value neuron is strengthened, and nothing is weakened."""


class _Memory(ClassifierMixin, BaseEstimator):
    """What the memories share: reading trials, answering with the value recalled most."""

    takes: ClassVar[str] = "content"  # the kind of task it can do, see bridges.roster.kind_of
    remark: ClassVar[str] = (
        "is built for this: told what is key, value and query, it stores and recalls each trial by itself and learns nothing from"
        " training trials"
    )

    streams: int
    dimension: int
    random_state: int

    def _check(self) -> None:
        for name, low in (("streams", 2), ("dimension", 1), ("random_state", 0)):
            value = getattr(self, name)
            if not isinstance(value, Integral) or isinstance(value, bool) or value < low:
                raise WrongUse(f"{type(self).__name__}: {name}={value!r} must be a whole number of {low} or more.")

    def _pairs(self, X: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Keys (trials, pairs, dimension), values (trials, pairs, values) and queries (trials, dimension), each 0 or 1."""
        stimulus, cue = split_streams(X, int(self.streams))
        if stimulus.shape[2] < self.dimension + 2:
            raise WrongUse(
                f"X has {stimulus.shape[2]} features per stream; with keys of dimension={self.dimension} at least two values must"
                " follow, as in the task associative_recall."
            )
        if not ((cue == self.streams - 1).all() and np.isin(stimulus, (0.0, 1.0)).all()):
            raise WrongUse(
                "a memory takes pairs of 0 and 1 with the query as the last, cued stream; give AssociativeRecall trials."
            )
        keys, values = np.split(stimulus, [int(self.dimension)], axis=2)
        if not (values[:, :-1].sum(axis=2) == 1).all():
            raise WrongUse("the value of each pair must be one-hot; give AssociativeRecall trials.")
        return keys[:, :-1], values[:, :-1], keys[:, -1]

    def fit(self, X: Any, y: Any, probe: tuple[Any, Any] | None = None) -> Any:
        """Check the trials and note the classes; nothing is learnt from one trial for another.

        `probe` is a pair (X, y) of validation trials, for a learning curve of one point.
        """
        self._check()
        _, values, _ = self._pairs(X)
        labels = np.asarray(y)
        if labels.shape != (len(values),):
            raise WrongUse(f"y has shape {labels.shape}; it needs one label for each of the {len(values)} trials in X.")
        self.classes_ = np.arange(values.shape[2])
        if not np.isin(labels, self.classes_).all():
            raise WrongUse(f"y must hold whole numbers from 0 to {len(self.classes_) - 1}, the values that a pair can have.")
        self._prepare(len(self.classes_))
        self.parameters_ = 0  # nothing that training trials change
        self.history_ = {"trials": np.zeros(1)}
        if probe is not None:
            self.history_["accuracy"] = np.array([self.score(*probe)])
        return self

    def _prepare(self, values: int) -> None:
        """What has to be there before the first trial."""

    @abstractmethod
    def recall(self, X: Any) -> np.ndarray:
        """What is recalled, (trials, values); the one-hot value of the pair asked for, if nothing disturbed it."""

    def decision_function(self, X: Any) -> np.ndarray:
        """`recall`: what speaks for each value, (trials, values)."""
        return self.recall(X)

    def predict(self, X: Any) -> np.ndarray:
        """The value that is recalled most."""
        return self.classes_[self.recall(X).argmax(axis=1)]


class RateMemory(_Memory):
    """A memory of rates: exact arithmetic on unit keys, no noise.

    Parameters
    ----------
    rule : str
        "hebb", "delta" or "softmax".
    streams : int
        Pairs and the query.
    dimension : int
        Length of a key; the rest of a stream is the one-hot value.
    random_state : int
        Changes nothing; every learner has one.

    Raises
    ------
    WrongUse
        An unknown rule; trials that are not pairs of 0 and 1 with a query.
    """

    RULES: ClassVar[tuple[str, ...]] = ("hebb", "delta", "softmax")

    def __init__(self, rule: str = "hebb", streams: int = 9, dimension: int = 32, random_state: int = 0) -> None:
        self.rule = rule
        self.streams = streams
        self.dimension = dimension
        self.random_state = random_state

    def _check(self) -> None:
        super()._check()
        if self.rule not in self.RULES:
            raise unknown("rule of RateMemory", str(self.rule), self.RULES)

    def match(self, X: Any) -> np.ndarray:
        """How strongly the query calls each pair, (trials, pairs): y = sum_s match_s v_s."""
        keys, _, query = self._pairs(X)
        signs, asked = (2 * keys - 1) / np.sqrt(self.dimension), (2 * query - 1) / np.sqrt(self.dimension)
        inner = np.einsum("tpd,td->tp", signs, asked)
        if self.rule == "hebb":
            return inner
        if self.rule == "softmax":
            return softmax(np.sqrt(self.dimension) * inner, axis=1)
        # W = V C with one row of C a pair: writing pair s takes (k_s.k_r) of what was called by k_s from each earlier row r
        gram = np.einsum("tpd,tqd->tpq", signs, signs)
        called = inner.copy()
        for late in range(inner.shape[1] - 1, 0, -1):
            called[:, :late] -= called[:, late, None] * gram[:, late, :late]
        return called

    def recall(self, X: Any) -> np.ndarray:
        """y = sum_s match_s v_s, (trials, values)."""
        check_is_fitted(self, "classes_")
        _, values, _ = self._pairs(X)
        return np.einsum("tp,tpv->tv", self.match(X), values)

    def attention_weights(self, X: Any) -> np.ndarray:
        """`match` of every stream, (trials, streams); the query itself has 0."""
        return np.pad(self.match(X), ((0, 0), (0, 1)))


class SpikingMemory(_Memory):
    """A Hebbian memory of spikes in Brian2: pairs are stored by one-shot potentiation, a query recalls by its spikes.

    The network is drawn in `plasticity.networks.associative_memory`. Pairs are shown one after another, 50 ms each, then the
    query for `recall_ms`. What is recalled are the spikes of each value neuron above its baseline, over those that one perfect
    match is expected to give.

    With Poisson spikes a stored weight and the count of a query's spikes vary, by c_w and c_n of their means, squared. The mean
    squared error of a recall of one of n pairs, with V values and keys of length d, is then (`expected_error`)

        (n - 1)/d + [n (c_w + c_n + c_w c_n) + c_n n (n - 1)/(2 V)]/d + U/(12 unit^2):

    the law of superposition; what the spikes add, from the rates alone, the last term of the bracket because pairs with the same
    value share the spikes of the query; and the rounding of counts, at the U = V (1 - (1 - 1/V)^n) values that a trial of n pairs
    has on average. It holds while nothing saturates: a value neuron cannot
    fire less than never or more than once in a time step, so that recalls lie between -baseline/unit and (steps - baseline)/unit,
    -5 and 5 as it is; and weights end at 1, so that it is not given where n/(2 V) pairs, which share a synapse on average, are
    expected to leave more than 1/2 there (n > 57 V as it is).

    Parameters
    ----------
    rule : Rule or str
        The plasticity rule; one with a closed form.
    encoder : str
        How the rates of the key cells become spikes; what they add to an error is known for "poisson".
    max_rate_hz : float
        Rate of a key cell that is on. It stands for a small pool of cells.
    recall_ms : float
        How long a query is shown, a multiple of 50.
    unit, baseline : float
        Spikes of a value neuron that one perfect match adds, and without any.
    streams : int
        Pairs and the query.
    dimension : int
        Length of a key; the rest of a stream is the one-hot value.
    random_state : int
        Every spike follows from it.

    Attributes
    ----------
    weight_noise_, count_noise_ : float
        c_w and c_n, see above (nan unless Poisson).
    expected_ : float
        Weight that storing one pair is expected to leave at a synapse of an active key cell.
    backend_, compile_seconds_
        As in `SpikingClassifier`.
    activity_ : dict
        "decision": what happened in a trial of the last recall, pairs stored and query answered; see
        `plasticity.activity.Anatomy.activity`. Pairs that several queries ask for were stored once.

    Raises
    ------
    WrongUse
        A rule without closed form or one that leaves no weight; trials that are not pairs of 0 and 1 with a query.

    Source: Kohonen 1972, doi:10.1109/TC.1972.5008975; Hasselmo 2006, doi:10.1016/j.conb.2006.09.002.
    """

    uses: ClassVar[tuple[str, ...]] = ("integrate_and_fire", "latency")
    SLOT_MS: ClassVar[float] = 50.0

    def __init__(
        self,
        rule: Rule | str = ONE_SHOT,
        encoder: str = "poisson",
        max_rate_hz: float = 100.0,
        recall_ms: float = 200.0,
        unit: float = 20.0,
        baseline: float = 100.0,
        streams: int = 9,
        dimension: int = 32,
        random_state: int = 0,
    ) -> None:
        self.rule = rule
        self.encoder = encoder
        self.max_rate_hz = max_rate_hz
        self.recall_ms = recall_ms
        self.unit = unit
        self.baseline = baseline
        self.streams = streams
        self.dimension = dimension
        self.random_state = random_state

    def _check(self) -> None:
        super()._check()
        for name in ("max_rate_hz", "recall_ms", "unit", "baseline"):
            value = getattr(self, name)
            if not isinstance(value, Real) or isinstance(value, bool) or not 0 < float(value) < np.inf:
                raise WrongUse(f"SpikingMemory: {name}={value!r} must be a positive number.")
        if self.recall_ms % self.SLOT_MS:
            raise WrongUse(f"SpikingMemory: recall_ms={self.recall_ms} must be a multiple of {self.SLOT_MS:g}, for example 200.")
        if self.encoder not in ENCODERS:
            raise unknown("encoder", str(self.encoder), ENCODERS)
        rule = self._rule()
        if rule.closed_form is None:
            raise WrongUse(
                f"SpikingMemory: {rule.name} has no closed form for pairs of spikes; take pair_stdp or hebb, for example."
            )

    def _rule(self) -> Rule:
        return named(self.rule) if isinstance(self.rule, str) else self.rule

    def _prepare(self, values: int) -> None:
        rule = self._rule()
        dimension = max(128, int(self.dimension))  # one program for all shorter keys
        spec = AssociativeMemory(dimension, values, rule=rule, encoder=ENCODERS[self.encoder])
        started = time.perf_counter()
        self._program = program(associative_memory.build, spec.structure())
        self.compile_seconds_ = time.perf_counter() - started
        self.backend_ = backend()
        self._spec = spec
        dt, slot = float(spec.dt / ms), self.SLOT_MS
        fired = slot * (1 - TEACHER_HZ / 200) + dt  # the value neuron, one step after its teacher
        steps = np.arange(round(slot / dt)) * dt
        at_post = np.array([fired / 1e3])
        each = np.array([rule.closed_form(np.array([at / 1e3]), at_post, rule.parameters, "all") for at in steps])  # type: ignore[misc]
        chance = self.max_rate_hz * dt / 1e3
        self.expected_ = float(chance * each.sum())
        if not self.expected_ > 0:
            raise WrongUse(f"SpikingMemory: {rule.name} with these parameters leaves no weight; give it more potentiation.")
        known = 1.0 if self.encoder == "poisson" else np.nan
        self.weight_noise_ = float(known * chance * (1 - chance) * (each**2).sum() / self.expected_**2)
        self.count_noise_ = float(known * (1 - chance) / (chance * self.recall_ms / dt))
        count = self.max_rate_hz * self.recall_ms / 1e3
        self._values = {
            **spec.run_values(),
            "drive": self.unit / (self.dimension * self.expected_ * count),
            "bias": self.baseline * float(spec.value.parameters["tau"] / ms) / self.recall_ms,
        }

    def expected_error(self, pairs: Any) -> Any:
        """Mean squared error of a recall of one of so many pairs, see above; of the rates alone it is (pairs - 1)/dimension."""
        check_is_fitted(self, "classes_")
        n, values = np.asarray(pairs, dtype=float), len(self.classes_)
        c_w, c_n = self.weight_noise_, self.count_noise_
        spikes = n * (c_w + c_n + c_w * c_n) + c_n * n * (n - 1) / (2 * values)
        stored = values * (1 - (1 - 1 / values) ** n)  # a value that no pair has counts its baseline exactly
        error = (n - 1 + spikes) / self.dimension + stored / (12 * self.unit**2)
        return np.where(n / (2 * values) * self.expected_ > 0.5, np.nan, error)[()]

    def recall(self, X: Any, progress: Progress = quiet) -> np.ndarray:
        """Spikes above the baseline over those of one perfect match, (trials, values).

        Trials in a row that show the same pairs are stored once and recalled one after another.
        """
        check_is_fitted(self, "classes_")
        keys, values, queries = self._pairs(X)
        rng = np.random.default_rng([int(self.random_state), 2])
        recalled = np.empty((len(keys), len(self.classes_)))
        storing, asking = Tally(), Tally()
        for tape, first, last in self._tapes(keys, values, queries):
            recalled[first:last] = self._play(tape, int(rng.integers(2**31)), storing, asking)
            progress(last / len(keys))
        first_phase, second_phase = (
            self._spec.anatomy(int(self.dimension), recall).activity(tally, learning=not recall)
            for tally, recall in ((storing, False), (asking, True))
        )
        self.activity_ = {"decision": one_after_another(first_phase, second_phase)}
        return recalled

    def _tapes(self, keys: np.ndarray, values: np.ndarray, queries: np.ndarray) -> Iterator[tuple[dict[str, Any], int, int]]:
        """What the network is shown, slot by slot, as many memories at once as fit into a run; and of which trials."""
        again = round(self.recall_ms / self.SLOT_MS)
        same = (keys[1:] == keys[:-1]).all(axis=(1, 2)) & (values[1:] == values[:-1]).all(axis=(1, 2))
        starts = [0, *(np.flatnonzero(~same) + 1), len(keys)]
        pairs = keys.shape[1]
        if pairs + again > self._spec.slots:
            raise WrongUse(f"SpikingMemory holds at most {self._spec.slots - again} pairs in a trial, not {pairs}.")
        rows: list[tuple[np.ndarray, int, int, int, int]] = []  # pattern, stored value, recall, keep, hold
        begun = 0
        for first, last in zip(starts[:-1], starts[1:], strict=True):
            for piece in range(first, last, max(1, (self._spec.slots - pairs) // again)):  # queries of one memory may be too many
                until = min(last, piece + max(1, (self._spec.slots - pairs) // again))
                if rows and len(rows) + pairs + again * (until - piece) > self._spec.slots:
                    yield self._tape(rows), begun, piece
                    rows, begun = [], piece
                for place in range(pairs):
                    rows.append((keys[first, place], int(values[first, place].argmax()), 0, int(place > 0), 0))
                for query in queries[piece:until]:
                    rows += [(query, -1, 1, 1, int(slot > 0)) for slot in range(again)]
        yield self._tape(rows), begun, len(keys)

    def _tape(self, rows: list[tuple[np.ndarray, int, int, int, int]]) -> dict[str, Any]:
        shown, stored, recall, keep, hold = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
        pattern = np.zeros((len(rows), 2, self._spec.dimension))
        pattern[:, 0, : shown.shape[1]] = shown
        pattern[:, 1, : shown.shape[1]] = 1 - shown
        rates = self.max_rate_hz * pattern.reshape(len(rows), -1)
        return {"pattern": rates, "stored": stored, "recall": recall, "keep": keep, "hold": hold}

    def _play(self, tape: dict[str, Any], seed: int, storing: Tally, asking: Tally) -> np.ndarray:
        """One run: what each of its queries recalled, (queries, values)."""
        slots, again = len(tape["stored"]), round(self.recall_ms / self.SLOT_MS)
        out = self._program.run(seed, {**self._values, **tape}, duration=slots * self.SLOT_MS * ms)
        slot = np.minimum((out["spike_time"] * 1e3 / self.SLOT_MS + 1e-9).astype(int), slots - 1)
        flat = np.bincount(slot * len(self.classes_) + out["spike_neuron"], minlength=slots * len(self.classes_))
        fired, asked = flat.reshape(slots, -1), tape["recall"] > 0.5
        counts = fired[asked].reshape(-1, again, len(self.classes_)).sum(axis=1)
        recalls, steps = out["key_recalls"], round(self.SLOT_MS / float(self._spec.dt / ms))
        stored = {"keys.spikes": out["key_spikes"] - recalls, "teacher.spikes": ~asked, "value.spikes": fired[~asked]}
        storing.add(stored, len(counts), steps * int((~asked).sum()), int((tape["keep"] == 0).sum()))
        asking.add({"keys.spikes": recalls, "value.spikes": fired[asked]}, len(counts), steps * int(asked.sum()), 0)
        self.weights_ = out["w"].reshape(-1, len(self.classes_))
        return (counts - self.baseline) / self.unit
