"""A spiking network that reads texts and learns from reward what they are about, and which words to attend to."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from scipy import sparse
from sklearn.utils.validation import check_is_fitted

from plasticity.errors import WrongUse
from plasticity.learners import inputs
from plasticity.learners.learner import Variant
from plasticity.learners.spiking_layers import SpikingLayers
from plasticity.networks.reading import Reading
from plasticity.settings import estimator, setting

BEFORE = 3  # time steps until the gate is open
MOST = 3.0  # a word that stands there 7 times or more drives its channel with full intensity


@estimator
class SpikingReader(SpikingLayers):
    """Brian2 spiking layers over word channels that learn from reward by attention-gated plasticity, with a gate on every word.

    It is never told a class: at the end of each text it hears whether its answer was right. The network is drawn in
    `plasticity.networks.reading`, the rule is `plasticity.rules.attention_gated`; all of learning is in the compiled program.

    X is what `Tokens.X` gives, (trials, length) whole numbers, -1 behind the end. With `words="at_once"` a word that stands c
    times in a text drives its channel with the intensity min(log2(1 + c)/3, 1) for the whole trial, with `words="in_time"` each
    word fires once at its place, one place a time step, and order can matter as far as `tau_m_ms` lets it. All gains of a text
    are divided by the length of its vector of intensities, so that long texts drive no more than short ones. Gates open after two
    of 50 time steps; without a gate gains are 1 from then on, too, so that both get the same spikes.

    Attributes
    ----------
    weights_, feedback_, eta_, history_, activity_, backend_, compile_seconds_, parameters_
        As those of `SpikingBrainProp`.
    gate_weights_ : array (vocabulary,)
        The gain of each word, 1 at the start. None without a gate.

    Raises
    ------
    WrongUse
        What `plasticity.learners.inputs.symbols` refuses; a trial too short for its words.
    """

    takes: ClassVar[frozenset[str]] = frozenset({"texts"})
    from_task: ClassVar[tuple[str, ...]] = ("vocabulary", "longest")
    cost: ClassVar[float] = 40.0
    variants: ClassVar[tuple[Variant, ...]] = (
        Variant(
            "spiking_reader",
            "spiking layers over words and a gate on every word that learn from reward",
            {},
            frozenset({"texts"}),
        ),
        Variant("spiking_reader_no_gate", "a control of spiking_reader: all words have the gain 1", {"gate": "none"},
                frozenset({"texts"})),
        Variant("spiking_reader_feedback_shuffled", "a control of spiking_reader: attention comes from an action drawn at random",
                {"feedback": "shuffled"}),
        Variant("spiking_reader_in_time", "spiking_reader whose words fire one after another, each at its place in the text",
                {"words": "in_time", "tau_m_ms": 1e4}, cost=80.0),
    )  # fmt: skip

    hidden: tuple[int, ...] = setting((100,), "neurons of each hidden layer, from below", low=1, high=100_000)
    passes: int = setting(8, "how often the training texts are shown", low=1, high=1000)
    levels: float = setting(30.0, "spikes of a hidden neuron that count as an activity of 1", low=0.1, high=1e4)
    eta_output: float = setting(0.02, "rate of learning of weights onto the actions", low=0, high=100)
    eta_gate: float = setting(4.0, "rate of learning of the gains of words", low=0, high=1e4)
    weight_start: float = setting(
        0.1,
        "spread of the weights at the start, 1 for that of He et al. 2015: small, so that what rare words begin with is no noise",
        low=0,
        high=100,
    )
    gate: str = setting(
        "learned", "learned: each word has a gain that learns; none: all have the gain 1", choices=("learned", "none")
    )
    words: str = setting(
        "at_once", "when words fire: at_once, for the whole trial; in_time, each at its place", choices=("at_once", "in_time")
    )
    vocabulary: int | None = setting(None, "how many symbols there are; None: those in X", low=1, high=1_000_000)
    longest: int | None = setting(None, "the most words of a text; None: those of X", low=1, high=20_000)

    @property
    def learns(self) -> tuple[str, ...]:
        return ("words", "classes") if self.gate == "learned" else ("classes",)

    @property
    def _timed(self) -> bool:
        return self.words == "in_time"

    @property
    def _spikes(self) -> float:
        return 1.0 if self._timed else self.spikes

    @property
    def _made(self) -> dict[str, Any]:
        made = super()._made
        if self._timed:  # a place a time step, and as much time around them as in a trial of its own
            made["trial"] = made["trial"] + (self._places + BEFORE) * made["dt"]
        return made

    @property
    def _places(self) -> int:
        return int(vars(self).get("longest_") or self.longest or 1)

    def _network(self, features: int, classes: int) -> Reading:
        made = Reading(
            streams=1, features=features, actions=classes, timed=self._timed, gated=self.gate == "learned", **self._made
        )
        return made

    def _read(self, X: Any, fitting: bool = False) -> np.ndarray:
        found = inputs.symbols(self, X, fitting)
        if self._timed and (found[:, self._places :] >= 0).any():
            raise WrongUse(f"X holds texts of more than {self._places} words, the most that this network was made for.")
        return found

    def _intensities(self, X: np.ndarray) -> sparse.csr_matrix:
        """How strongly each word drives its channel, (trials, vocabulary): min(log2(1 + c)/3, 1), or in time c."""
        counts = inputs.counts(X, self.vocabulary_)
        if not self._timed:
            counts.data = np.minimum(np.log2(1 + counts.data) / MOST, 1)
        return counts

    def _flat(self, X: np.ndarray, fitting: bool = False) -> tuple[Any, np.ndarray]:
        """The words of each text, and a cue that says nothing."""
        return X, np.zeros(len(X))

    def _inputs_of(self, shown: np.ndarray) -> tuple[int, float]:
        return self.vocabulary_, 1.0  # their length is divided out

    def _stimuli(self, shown: np.ndarray, cue: np.ndarray) -> dict[str, np.ndarray]:
        intensity = self._intensities(shown)
        norm = 1 / np.sqrt(np.asarray(intensity.multiply(intensity).sum(axis=1)).ravel())
        if not self._timed:
            return {"rates": intensity.toarray() * (1e3 * self.spikes / self.trial_ms), "norm": norm}
        steps = round(float(self._made["trial"] / self._made["dt"]))
        word = np.full((len(shown), steps), -1.0)
        width = min(shown.shape[1], self._places)
        word[:, BEFORE : BEFORE + width] = shown[:, :width]
        return {"word": word.ravel(), "norm": norm}

    def _open(self) -> np.ndarray | None:
        return np.ones(self.vocabulary_) if self.gate == "learned" else None

    def attention_weights(self, X: Any) -> np.ndarray | None:
        """The gain of each word in its text, as a share of all gains there, (trials, length); None without a gate."""
        check_is_fitted(self, "weights_")
        if self.gate_weights_ is None:
            return None
        X = self._read(X)
        gains = np.where(X >= 0, self.gate_weights_[np.maximum(X, 0)], 0.0)
        return gains / np.maximum(gains.sum(axis=1, keepdims=True), 1e-12)
