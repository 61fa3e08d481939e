"""A Hebbian memory of spikes: pairs stored by one-shot potentiation, recalled by the spikes of a key."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import numpy as np
from brian2 import ms
from sklearn.utils.validation import check_is_fitted

from plasticity import settings
from plasticity.checked import checked
from plasticity.encoders import ENCODERS
from plasticity.engine import backend
from plasticity.engine.operations import Costs, SpikeCounts, one_after_another
from plasticity.errors import WrongUse, unknown
from plasticity.learners.learner import check_max_rate, check_rule
from plasticity.learners.memory import Memory
from plasticity.networks.associative_memory import TEACHER_HZ, AssociativeMemory
from plasticity.parallel import Progress, quiet
from plasticity.rules import Rule, named, pair_stdp
from plasticity.settings import estimator, setting

ONE_SHOT = pair_stdp(A_plus=0.01, A_minus=0.0)
"""Pair STDP without depression: what fires before the value neuron is strengthened, and nothing is weakened."""


@estimator
class SpikingMemory(Memory):
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
        `plasticity.engine.operations.CostModel.activity`. Pairs that several queries ask for were stored once.

    Raises
    ------
    WrongUse
        A rule without closed form, one that the network cannot have or one that leaves no weight; key cells that would fire more
        than once in a time step; trials that are not pairs of 0 and 1 with a query.

    Source: Kohonen 1972, doi:10.1109/TC.1972.5008975; Hasselmo 2006, doi:10.1016/j.conb.2006.09.002.
    """

    name: ClassVar[str] = "spiking_memory"
    summary: ClassVar[str] = "spiking memory: pairs stored by one-shot Hebbian potentiation, recalled by the spikes of the query"
    source: ClassVar[str] = "Kohonen 1972, doi:10.1109/TC.1972.5008975; Hasselmo 2006, doi:10.1016/j.conb.2006.09.002"
    cost: ClassVar[float] = 10.0
    uses: ClassVar[tuple[str, ...]] = ("integrate_and_fire", "latency")
    made_anew: ClassVar[tuple[str, ...]] = ("_program", "_spec")
    SLOT_MS: ClassVar[float] = 50.0

    rule: Rule | str = setting(ONE_SHOT, "the plasticity rule; one with a closed form")
    encoder: str = setting(
        "poisson", 'how the rates of the key cells become spikes; what they add to an error is known for "poisson"'
    )
    max_rate_hz: float = setting(
        100.0, "rate of a key cell that is on. It stands for a small pool of cells", "Hz", above=0, high=1e7
    )
    recall_ms: float = setting(200.0, "how long a query is shown, a multiple of 50", "ms", above=0, high=1e6)
    unit: float = setting(20.0, "spikes of a value neuron that one perfect match adds", above=0, high=1e6)
    baseline: float = setting(100.0, "spikes of a value neuron without any match", above=0, high=1e6)
    dt_ms: float = setting(1.0, "time step, a whole part of 50", "ms", low=1e-3, high=50)

    def check(self) -> None:
        """WrongUse for parameters that cannot be, or a rule that the network cannot have."""
        super().check()
        if self.recall_ms % self.SLOT_MS:
            raise WrongUse(f"SpikingMemory: recall_ms={self.recall_ms} must be a multiple of {self.SLOT_MS:g}, for example 200.")
        if self.encoder not in ENCODERS:
            raise unknown("encoder", str(self.encoder), ENCODERS)
        settings.whole_multiple("SpikingMemory", "the time of a pair (ms)", self.SLOT_MS, "dt_ms", self.dt_ms)
        network = self._network(2)
        check_max_rate("SpikingMemory", self.encoder, self.max_rate_hz, self.dt_ms)
        check_rule(
            self._rule(), lambda rule: network.unfit(rule) if rule.closed_form else "has no closed form for pairs of spikes"
        )

    def _rule(self) -> Rule:
        return named(self.rule) if isinstance(self.rule, str) else self.rule

    def _network(self, values: int) -> AssociativeMemory:
        dimension = max(128, int(self.dimension))  # one program for all shorter keys
        return AssociativeMemory(dimension, values, rule=self._rule(), encoder=ENCODERS[self.encoder], dt=self.dt_ms * ms)

    def _noise(self, spec: AssociativeMemory) -> tuple[float, float, float]:
        """Weight that storing one pair is expected to leave, c_w and c_n: from the rates alone."""
        rule, dt, slot = spec.rule, self.dt_ms, self.SLOT_MS
        fired = slot * (1 - TEACHER_HZ / 200) + dt  # the value neuron, one step after its teacher
        steps = np.arange(round(slot / dt)) * dt
        at_post = np.array([fired / 1e3])
        each = np.array([rule.closed_form(np.array([at / 1e3]), at_post, rule.parameters, "all") for at in steps])  # type: ignore[misc]
        chance = self.max_rate_hz * dt / 1e3
        expected = float(chance * each.sum())
        if not expected > 0:
            raise WrongUse(f"SpikingMemory: {rule.name} with these parameters leaves no weight; give it more potentiation.")
        known = 1.0 if self.encoder == "poisson" else np.nan
        weight_noise = float(known * chance * (1 - chance) * (each**2).sum() / expected**2)
        return expected, weight_noise, float(known * (1 - chance) / (chance * self.recall_ms / dt))

    def _prepare(self, values: int) -> None:
        spec = self._spec = self._network(values)
        self.expected_, self.weight_noise_, self.count_noise_ = self._noise(spec)
        started = time.perf_counter()
        self._program = spec.program()
        self.compile_seconds_ = time.perf_counter() - started
        self.backend_ = backend()
        count = self.max_rate_hz * self.recall_ms / 1e3
        self._values = {
            "drive": self.unit / (self.dimension * self.expected_ * count),
            "bias": self.baseline * float(spec.value.parameters["tau"] / ms) / self.recall_ms,
        }

    @checked
    def restore(self, state: Mapping[str, Any]) -> None:
        """Take over what `state` gave, and find or compile the program."""
        self._held(state, "classes_")
        self._prepare(len(state["classes_"]))
        super().restore(state)

    @checked
    def expected_error(self, pairs: Any, values: int | None = None) -> Any:
        """Mean squared error of a recall of one of so many pairs, see above; of the rates alone it is (pairs - 1)/dimension.

        `values` is how many values there are: those of `fit` where None. With it, nothing has to be fitted.
        """
        if values is None:
            check_is_fitted(self, "classes_")
            values = len(self.classes_)
        if values < 1:
            raise WrongUse(f"values={values} must be how many values there are, 1 or more.")
        n = np.asarray(pairs, dtype=float)
        expected, c_w, c_n = self._noise(self._network(values))
        spikes = n * (c_w + c_n + c_w * c_n) + c_n * n * (n - 1) / (2 * values)
        stored = values * (1 - (1 - 1 / values) ** n)  # a value that no pair has counts its baseline exactly
        error = (n - 1 + spikes) / self.dimension + stored / (12 * self.unit**2)
        return np.where(n / (2 * values) * expected > 0.5, np.nan, error)[()]

    @checked
    def recall(self, X: Any, progress: Progress = quiet) -> np.ndarray:
        """Spikes above the baseline over those of one perfect match, (trials, values).

        Trials in a row that show the same pairs are stored once and recalled one after another.
        """
        check_is_fitted(self, "classes_")
        keys, values, queries = self._pairs(X)
        rng = np.random.default_rng([int(self.random_state), 2])
        recalled = np.empty((len(keys), len(self.classes_)))
        storing, asking = SpikeCounts(), SpikeCounts()
        for tape, first, last in self._tapes(keys, values, queries):
            recalled[first:last] = self._play(tape, int(rng.integers(2**31)), storing, asking)
            progress(last / len(keys))
        first_phase, second_phase = (
            self._spec.costs(int(self.dimension), recall).activity(counts, learning=not recall)
            for counts, recall in ((storing, False), (asking, True))
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
        most = (self._spec.slots - pairs) // again  # queries of one memory in a run
        rows: list[tuple[np.ndarray, int, int, int, int]] = []  # pattern, stored value, recall, keep, hold
        begun = 0
        for first, last in zip(starts[:-1], starts[1:], strict=True):
            for piece in range(first, last, most):
                until = min(last, piece + most)
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

    def _play(self, tape: dict[str, Any], seed: int, storing: SpikeCounts, asking: SpikeCounts) -> np.ndarray:
        """One run: what each of its queries recalled, (queries, values)."""
        slots, again = len(tape["stored"]), round(self.recall_ms / self.SLOT_MS)
        out = self._program.run(seed, {**self._values, **tape}, duration=slots * self.SLOT_MS * ms)
        slot = np.minimum((out["spike_time"] * 1e3 / self.SLOT_MS + 1e-9).astype(int), slots - 1)
        flat = np.bincount(slot * len(self.classes_) + out["spike_neuron"], minlength=slots * len(self.classes_))
        fired, asked = flat.reshape(slots, -1), tape["recall"] > 0.5
        counts = fired[asked].reshape(-1, again, len(self.classes_)).sum(axis=1)
        recalls, steps = out["key_recalls"], round(self.SLOT_MS / self.dt_ms)
        stored = {"keys.spikes": out["key_spikes"] - recalls, "teacher.spikes": ~asked, "value.spikes": fired[~asked]}
        storing.add(stored, len(counts), steps * int((~asked).sum()), int((tape["keep"] == 0).sum()))
        asking.add({"keys.spikes": recalls, "value.spikes": fired[asked]}, len(counts), steps * int(asked.sum()), 0)
        self.weights_ = out["w"].reshape(-1, len(self.classes_))
        return (counts - self.baseline) / self.unit

    def costs(self) -> Costs:
        """What the last recall took, pairs stored and queries answered."""
        check_is_fitted(self, "classes_")
        return Costs.of_spiking(getattr(self, "activity_", {}))
