"""A spiking network that learns from reward what to answer, and with a learned gate also where to look."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from sklearn.utils.validation import check_is_fitted

from plasticity.learners import inputs
from plasticity.learners.brainprop import OfStreams
from plasticity.learners.learner import Variant
from plasticity.learners.spiking_layers import SpikingLayers
from plasticity.networks.attention_gated import AttentionGated
from plasticity.settings import estimator, setting

SHAPE = "(trials, streams*features + streams)"  # of X


def _variants() -> tuple[Variant, ...]:
    streams, learned = frozenset({"streams"}), "spiking_learned_gate"
    controls = {
        "cut": ("the gate units are cut off from learning: equal gains", {"gate": "cut"}),
        "feedback_cut": ("no attention is sent back: only the weights onto the actions learn", {"feedback": "cut"}),
        "feedback_shuffled": ("attention comes from an action drawn at random", {"feedback": "shuffled"}),
        "reward_shuffled": ("rewards of trials exchanged", {"reward": "shuffled"}),
        "no_prediction": ("the reward itself in place of reward minus prediction", {"reward": "unpredicted"}),
    }
    return (
        Variant(
            "spiking_brainprop",
            "spiking layers that learn from reward; feedback of the chosen action says which synapses change; no gate",
            {"gate": "none"},
            frozenset({"image"}),
        ),
        Variant(
            learned,
            "spiking layers and a gate that learn from reward; feedback of the chosen action says which synapses change",
            {"gate": "learned"},
            streams,
        ),
        *(
            Variant(f"{learned}_{name}", f"a control of {learned}: {told}", {"gate": "learned"} | changed)
            for name, (told, changed) in controls.items()
        ),
    )


@estimator
class SpikingBrainProp(OfStreams, SpikingLayers):
    """Brian2 spiking layers that learn from reward by attention-gated plasticity, as a scikit-learn classifier.

    It is never told a label: at the end of each trial it hears whether its answer was right (reward 1, or 0). The rule is
    `plasticity.rules.attention_gated`, the network is drawn in `plasticity.networks.attention_gated`; all of learning happens in
    the compiled program. No gradient anywhere; feedback weights start apart from the forward ones, and learn by the same changes.

    With a gate, X holds several streams and a cue; cue neurons drive gate units that set the gains of the streams, and weights
    from cue to gate are taught by the attention that reaches the streams. Without one, all columns of X are inputs, the cue too.

    Attributes
    ----------
    weights_, feedback_ : list of arrays (below, above)
        Of each layer, forward and back, from below.
    eta_ : array (layers,)
        Rate of learning of each layer, from below. That of a hidden layer is `eta_hidden` over the mean squared length of its
        input, so that a change moves its neurons as far whatever the size of images (normalised least mean squares: Nagumo &
        Noda 1967, doi:10.1109/TAC.1967.1098599). What all inputs share counts as length too: bright images are learnt slowly,
        but with `cells="on_off"`. Faint ones draw few spikes (`spikes` is of full intensity, 1), and are learnt less well.
    gate_weights_ : array (streams, streams)
        Gain of each stream (columns) under each cue (rows); rows sum to 1. None without a gate.
    mean_stimulus_ : array (features,), contrast_ : float
        The mean over training trials and the largest difference to it, with `cells="on_off"`; else None and 1.
    history_ : dict of arrays
        `trials` and `accuracy` (on the probe, after 1, 2, 4, ... blocks of the first pass and at the end of each).
    arrays_ : dict of arrays
        With a gate `history_attended`, the gain of the cued stream at the points of `history_`; gains sum to 1.
    activity_, backend_, compile_seconds_, parameters_
        As in `SpikingClassifier`; parameters counts weights of both directions.

    Raises
    ------
    WrongUse
        NaN in X, X of the wrong width, y of another length, fewer than two classes, inputs that would fire more than once in a
        time step, a trial too short for what happens at its end.
    """

    variants: ClassVar[tuple[Variant, ...]] = _variants()

    gate: str = setting(
        "learned",
        "what becomes of several streams. learned: gate units set their gains and learn; cut: they do not, gains stay equal;"
        " none: no gate, both streams and the cue are inputs",
        choices=("learned", "cut", "none"),
    )

    @property
    def learns(self) -> tuple[str, ...]:
        return ("gate", "classes") if self.streams > 1 and self.gate != "cut" else ("classes",)

    def _network(self, features: int, classes: int) -> AttentionGated:
        return AttentionGated(streams=self.streams if self._gated else 1, features=features, actions=classes, **self._made)

    def _read(self, X: Any, fitting: bool = False) -> np.ndarray:
        return inputs.matrix(self, X, fitting=fitting, shape=SHAPE)

    def _flat(self, X: np.ndarray, fitting: bool = False) -> tuple[np.ndarray, np.ndarray]:
        """Intensities of all inputs (trials, inputs), and the cue (trials,)."""
        shown, cue = self._shown(X, fitting)
        return shown.reshape(len(X), -1), cue

    def _inputs_of(self, shown: np.ndarray) -> tuple[int, float]:
        features = shown.shape[1] // (self.streams if self._gated else 1)
        return features, float((shown.reshape(len(shown), -1, features) ** 2).sum(axis=2).mean())  # of one stream

    def _stimuli(self, shown: np.ndarray, cue: np.ndarray) -> dict[str, np.ndarray]:
        rates = {"rates": shown * (1e3 * self.spikes / self.trial_ms)}
        return rates | ({"cue": cue.astype(float)} if self._gated else {})

    def _open(self) -> np.ndarray | None:
        return np.full((self.streams, self.streams), 1 / self.streams) if self._gated else None

    def _attended(self) -> float:
        """The share of the cued stream in the gains; NaN without a gate."""
        return float("nan") if self.gate_weights_ is None else float(np.diag(self.gate_weights_).mean())

    def attention_weights(self, X: Any) -> np.ndarray | None:
        """The gain of each stream in each trial, (trials, streams); None without a gate."""
        check_is_fitted(self, "weights_")
        if self.gate_weights_ is None:
            return None
        return self.gate_weights_[self._shown(inputs.matrix(self, X, shape=SHAPE))[1]]
