"""Sequences to sequences by a local rule: conjunctions of what was shown and said, associated with what is said next."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from typing import Any, ClassVar

import numpy as np
from sklearn.utils.validation import check_is_fitted

from plasticity import settings
from plasticity.engine.operations import Costs, Operations
from plasticity.errors import WrongUse
from plasticity.learners import inputs
from plasticity.learners.learner import Learner
from plasticity.settings import estimator, setting
from plasticity.tasks.sequences import UNKNOWN, exact, sequences_given

NOBODY = -1  # a place at which nothing stands
PAIRED = 9  # so many symbols at the beginning of a sentence are in conjunctions of two


@estimator
class HebbianTranslator(Learner):
    """Cells that stand for conjunctions, one layer of synapses onto the symbols of the answer, and a local rule.

    The answer is said symbol by symbol. Before each of them, cells are active that stand for two or three things at once: the
    last two symbols said; a symbol shown, with its place, its neighbour, or another symbol shown and both places, each together
    with the last symbol said or with the place in the answer. Which cell a conjunction has is drawn once (a fixed random
    expansion, as of mossy fibres onto granule cells, Marr 1969): there are as many as synapses allow, so that several
    conjunctions may share one. The symbol that the active cells drive most is said, and so on to the end, a symbol of its own.

    While it learns, the right symbol is given after each answer (teacher). "delta": synapses from active cells onto the right
    symbol grow by eta, those onto the symbol that was driven most, where it is another, shrink by eta (Rosenblatt 1958; the delta
    rule with the winner as answer); the weights in the end are their mean over passes. "hebb": those onto the right symbol move
    towards 1 and all others towards 0, each by the share 1/n at the n-th time the cell is active, so that a weight is how often
    the symbol followed. No error is sent through any layer; each weight changes by what its own cells do.

    This is the outer-product memory of fast weights (Ba et al. 2016, Schlag et al. 2021), with keys that are fixed in place of
    learnt ones, kept over all trials. A pointer into the sentence, which would tell what has been said already, it has not.

    Attributes
    ----------
    weights_ : (cells, symbols + 1) float32
    parameters_ : int
        Synapses that learning has changed.
    trained_, decided_ : dict
        What a training trial and one of the last decisions took, by kind of work.
    history_ : dict
        `trials`, and `accuracy` on the probe after each pass.

    Raises
    ------
    WrongUse
        Sequences that are none; settings out of range.
    """

    name: ClassVar[str] = "hebbian_translator"
    summary: ClassVar[str] = "conjunctions of what was shown and said, associated with the next symbol by a local rule"
    source: ClassVar[str] = (
        "Marr 1969, doi:10.1113/jphysiol.1969.sp008820; Rosenblatt 1958, doi:10.1037/h0042519; Ba et al. 2016, arXiv:1610.06258;"
        " Schlag, Irie & Schmidhuber 2021, arXiv:2102.11174"
    )
    side: ClassVar[str] = "control"
    takes: ClassVar[frozenset[str]] = frozenset({"sequences"})
    chosen_for: ClassVar[frozenset[str]] = frozenset({"sequences"})
    from_task: ClassVar[tuple[str, ...]] = ()
    cost: ClassVar[float] = 30.0

    rule: str = setting("delta", "how synapses learn, see above", choices=("delta", "hebb"))
    passes: int = setting(5, "how often every training trial is shown; once with hebb", low=1, high=10_000)
    eta: float = setting(1.0, "step of a weight", above=0, high=1e6)
    synapses: int = setting(2**24, "in all: cells times symbols", low=1000, high=2**32)
    block: int = setting(16, "trials whose symbols are answered before their changes are made", low=1, high=100_000)
    reach: int = setting(3, "two symbols at most so many places apart are a conjunction; 0: none", low=0, high=PAIRED)
    longest: int = setting(60, "symbols of an answer at most", low=1, high=100_000)

    @property
    def learns(self) -> tuple[str, ...]:
        return ("sequences",)

    def fit(
        self, X: Any, y: Any, probe: tuple[Any, Any] | None = None, progress: Callable[[float], None] | None = None
    ) -> HebbianTranslator:
        """Show every pair `passes` times, in an order drawn anew; `probe` = (X, y) is for the learning curve."""
        settings.check(self)
        source = sequences_given("X", X)
        target = sequences_given("y", y)
        if len(source) != len(target):
            raise WrongUse(f"X has {len(source)} sequences and y {len(target)}; give one answer for each.")
        if probe is not None:
            inputs.pair(probe)
        rng = np.random.default_rng([self.random_state, 5])
        self.vocabulary_, self.symbols_ = int(source.max()) + 1, int(target.max()) + 1
        cells = max(1, int(self.synapses) // (self.symbols_ + 1))
        self.weights_: np.ndarray = np.zeros((cells, self.symbols_ + 1), dtype=np.float32)
        self._seen = np.zeros(cells, dtype=np.int64)
        self.trained_: dict[str, Operations] = {"forward": Operations(), "plasticity": Operations()}
        end = np.full((len(target), 1), NOBODY)
        said = np.hstack([target, end])
        said[np.arange(len(target)), (target >= 0).sum(axis=1)] = self.symbols_
        total = 1 if self.rule == "hebb" else int(self.passes)
        trials, accuracy = [0], [0.0 if probe is None else self._probed(probe)]
        mean = np.zeros_like(self.weights_)
        for one in range(total):
            order = rng.permutation(len(source))
            for first in range(0, len(order), int(self.block)):
                part = order[first : first + int(self.block)]
                self._learn(source[part], said[part])
                if progress is not None and first % (64 * int(self.block)) == 0:
                    progress((one + first / len(order)) / total)
            mean += self.weights_
            self.trained_["plasticity"] += mean.size * Operations(additions=1, weight_words=3)
            if probe is not None:
                now, self.weights_ = self.weights_, mean / (one + 1)
                trials.append((one + 1) * len(source))
                accuracy.append(self._probed(probe))
                self.weights_ = now
        self.weights_ = mean / total
        self.trained_ = {kind: (1 / (total * len(source))) * done for kind, done in self.trained_.items()}
        self.parameters_ = int(np.count_nonzero(self.weights_))
        if probe is not None:
            self.history_ = {"trials": np.array(trials), "accuracy": np.array(accuracy)}
        if progress is not None:
            progress(1.0)
        return self

    def _probed(self, probe: tuple[Any, Any]) -> float:
        return self.score(*probe)

    def score(self, X: Any, y: Any) -> float:
        """Share of the trials whose answer is wholly y."""
        return float(exact(self.predict(X), sequences_given("y", y)[:, None]).mean())

    def _learn(self, source: np.ndarray, said: np.ndarray) -> None:
        """Answer every symbol of these trials, given those before, then change the synapses."""
        before = np.hstack([np.full((len(said), 2), NOBODY), said[:, :-1]])  # the two symbols before each
        asked = said >= 0
        row, place = np.nonzero(asked)
        active = self._active(source[row], before[row, place + 1], before[row, place], place)
        right = said[row, place]
        if self.rule == "hebb":
            for cells, symbol in zip(active, right, strict=True):
                cells = cells[cells >= 0]
                self._seen[cells] += 1
                self.weights_[cells] -= self.weights_[cells] / self._seen[cells, None]
                self.weights_[cells, symbol] += 1 / self._seen[cells]
            weight, count = Operations(1, 1, 2), Operations(2, 1, 0, 2)  # its quotient and difference; one more, its share added
            self.trained_["plasticity"] += int((active >= 0).sum()) * (self.weights_.shape[1] * weight + count)
            return
        answer = self._driven(active).argmax(axis=1)
        self.trained_["forward"] += self._reading(active)
        wrong = answer != right
        there = active[wrong] >= 0
        cells = active[wrong][there]
        self.trained_["plasticity"] += 2 * len(cells) * Operations(additions=1, weight_words=2)
        for symbol, sign in ((right, 1), (answer, -1)):
            onto = np.broadcast_to(symbol[wrong][:, None], there.shape)[there]
            np.add.at(self.weights_, (cells, onto), np.float32(sign * self.eta))

    def _driven(self, active: np.ndarray) -> np.ndarray:
        """What the active cells (n, some; -1 is none) add up to at each symbol, (n, symbols + 1)."""
        total = np.zeros((len(active), self.weights_.shape[1]), dtype=np.float32)
        for cells in active.T:
            total += np.where(cells[:, None] >= 0, self.weights_[cells], 0)
        return total

    def _reading(self, active: np.ndarray) -> Operations:
        """What it takes to add up the weights of these cells, and to find the symbol that is driven most."""
        symbols = self.weights_.shape[1]
        read = int((active >= 0).sum()) * symbols
        return Operations(additions=read + len(active) * symbols, weight_words=read, sums=read)

    def _active(self, source: np.ndarray, last: np.ndarray, before: np.ndarray, place: np.ndarray) -> np.ndarray:
        """The active cells (n, some) of these moments, -1 where a conjunction is not there."""
        width = source.shape[1]
        here = source >= 0
        nobody = np.zeros(len(source), dtype=np.int64)
        found = [self._cell(0, last, before, nobody, nobody), self._cell(1, last, place, nobody, nobody)]
        there = [np.ones(len(source), dtype=bool)] * 2
        for i in range(width):
            shown = source[:, i]
            following = source[:, i + 1] if i + 1 < width else np.full(len(source), NOBODY)
            found += [
                self._cell(2, shown, nobody, last, before), self._cell(3, shown, nobody, last, following),
                self._cell(4, shown, nobody + i, place, nobody), self._cell(5, shown, nobody + i, last, before),
                self._cell(6, shown, following, place, last),
            ]  # fmt: skip
            there += [here[:, i]] * 5
        for i, j in combinations(range(min(width, PAIRED)), 2):
            if j - i > self.reach:
                continue
            found += [
                self._cell(7 + PAIRED * i + j, source[:, i], source[:, j], place, nobody),
                self._cell(7 + PAIRED * (PAIRED + i) + j, source[:, i], source[:, j], last, before),
            ]
            there += [here[:, j]] * 2
        return np.where(np.column_stack(there), np.column_stack(found), -1)

    def _cell(self, kind: int, *parts: np.ndarray) -> np.ndarray:
        """The cell of each conjunction: a fixed random function of its parts (multiply and shift, splitmix64)."""
        mixed = np.full(len(parts[0]), kind + 1, dtype=np.uint64)
        with np.errstate(over="ignore"):
            for part in parts:
                mixed = mixed * np.uint64(0x9E3779B97F4A7C15) + (part + 2).astype(np.uint64)
                mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
                mixed = mixed ^ (mixed >> np.uint64(27))
        return (mixed % np.uint64(len(self.weights_))).astype(np.int64)

    def predict(self, X: Any) -> np.ndarray:
        """The answers, (trials, longest answer) int64, -1 behind the end of each; the unknown symbol is in none."""
        check_is_fitted(self, "weights_")
        source = sequences_given("X", X)
        source = np.where(source < self.vocabulary_, source, UNKNOWN)
        answers = np.full((len(source), int(self.longest)), -1, dtype=np.int64)
        done = Operations()
        open_ = np.arange(len(source))
        last = before = np.full(len(source), NOBODY)
        for place in range(int(self.longest)):
            active = [
                self._active(source[part], last[part], before[part], np.full(len(part), place))
                for part in np.array_split(open_, -(-len(open_) // 256))
            ]
            driven = np.concatenate([self._driven(cells) for cells in active])
            done += sum(map(self._reading, active), Operations())
            driven[:, UNKNOWN] = -np.inf
            symbol = driven.argmax(axis=1)
            goes_on = symbol < self.symbols_
            open_, symbol = open_[goes_on], symbol[goes_on]
            if not len(open_):
                break
            answers[open_, place] = symbol
            before, last = last, last.copy()
            last[open_] = symbol
        self.decided_ = {"forward": (1 / len(source)) * done}
        return answers[:, : max(1, int((answers >= 0).sum(axis=1).max()))]

    def costs(self) -> Costs:
        """What a training trial and one of the last decisions took, by the cells that were active."""
        check_is_fitted(self, ("weights_", "decided_"))
        kept = {"decision": {"weights": self.weights_.size}, "training": {"weights": 2 * self.weights_.size}}
        return Costs("control", self.trained_, self.decided_, stored=kept)
