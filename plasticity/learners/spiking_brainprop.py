"""A spiking network that learns from reward what to answer, and with a learned gate also where to look."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import numpy as np
from brian2 import ms
from sklearn.utils.validation import check_is_fitted

from plasticity import settings
from plasticity.checked import checked
from plasticity.encoders import ENCODERS
from plasticity.engine import Program, backend
from plasticity.engine.operations import CostModel, Costs, SpikeCounts
from plasticity.errors import WrongUse
from plasticity.learners import inputs
from plasticity.learners.brainprop import BrainProp
from plasticity.learners.learner import Variant
from plasticity.networks.attention_gated import AttentionGated
from plasticity.neurons import lif_subtractive
from plasticity.rules import attention_gated
from plasticity.settings import estimator, setting

Progress = Callable[[float], None]
SHAPE = "(trials, streams*features + streams)"  # of X
POOLED = {"gate": "learned"}


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
class SpikingBrainProp(BrainProp):
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

    source: ClassVar[str] = (
        "Pozzi, Bohte & Roelfsema 2018, arXiv:1811.01768 (rate units); Roelfsema & van Ooyen 2005, doi:10.1162/0899766054615699"
    )
    cost: ClassVar[float] = 30.0
    uses: ClassVar[tuple[str, ...]] = (attention_gated.name, lif_subtractive.name)
    made_anew: ClassVar[tuple[str, ...]] = ("_program",)
    variants: ClassVar[tuple[Variant, ...]] = _variants()

    gate: str = setting(
        "learned",
        "what becomes of several streams. learned: gate units set their gains and learn; cut: they do not, gains stay equal;"
        " none: no gate, both streams and the cue are inputs",
        choices=("learned", "cut", "none"),
    )
    spikes: float = setting(12.0, "spikes of an input of full intensity in a trial", low=0.1, high=1e4)
    levels: float = setting(8.0, "spikes of a hidden neuron that count as an activity of 1", low=0.1, high=1e4)
    feedback_start: float = setting(
        0.1, "spread of the feedback weights at the start, drawn apart, as a share of that of the forward ones", low=0, high=100
    )
    feedback: str = setting(
        "learned",
        "weights back: learned by the same changes as the forward ones; mirrored: equal to them from the start; fixed: as drawn,"
        " with the spread of the forward ones; controls: cut; shuffled: from an action drawn at random; uniform: fixed and all"
        " the same, so that the reward alone teaches",
        choices=("learned", "mirrored", "fixed", "cut", "shuffled", "uniform"),
    )
    reward: str = setting(
        "predicted",
        "what is broadcast: reward minus what the chosen action predicted; controls: unpredicted, the reward itself; shuffled:"
        " rewards of trials exchanged; constant: 1 in every trial, so that nothing but activity counts",
        choices=("predicted", "unpredicted", "shuffled", "constant"),
    )
    encoder: str = setting("regular", "how rates become spikes (plasticity.encoders)")
    tau_m_ms: float = setting(20.0, "membrane time constant of hidden neurons", "ms", above=0, high=1e7)
    trial_ms: float = setting(50.0, "length of a trial", "ms", above=0, high=1e5)
    dt_ms: float = setting(1.0, "time step", "ms", low=1e-3, high=1e5)
    block: int = setting(500, "the most trials in one run of the compiled program", low=1, high=1_000_000)

    @property
    def given(self) -> tuple[str, ...]:
        return () if self.reward == "constant" else ("reward",)

    @property
    def learns(self) -> tuple[str, ...]:
        return ("gate", "classes") if self.streams > 1 and self.gate != "cut" else ("classes",)

    def _network(self, features: int, classes: int) -> AttentionGated:
        return AttentionGated(
            streams=self.streams if self._gated else 1,
            features=features,
            hidden=tuple(self.hidden),
            actions=classes,
            neuron=lif_subtractive(tau_m=self.tau_m_ms * ms),
            encoder=ENCODERS[self.encoder],
            trial=self.trial_ms * ms,
            dt=self.dt_ms * ms,
            block=self.block,
            fixed=self.feedback in ("fixed", "uniform"),
        )

    def check(self) -> None:
        """WrongUse for parameters that cannot be."""
        settings.check(self)
        settings.whole_multiple("SpikingBrainProp", "trial_ms", self.trial_ms, "dt_ms", self.dt_ms)
        ENCODERS[self.encoder]
        if self.spikes * self.dt_ms > self.trial_ms and "since" not in ENCODERS[self.encoder].threshold:
            raise WrongUse(
                f"SpikingBrainProp: spikes={self.spikes:g} in trial_ms={self.trial_ms:g} are more than one in each time step of"
                f" dt_ms={self.dt_ms:g}; give at most {self.trial_ms / self.dt_ms:g} spikes or a longer trial."
            )
        self._network(1, 2)

    # -- running ------------------------------------------------------------------------------------------------------

    def _flat(self, X: np.ndarray, fitting: bool = False) -> tuple[np.ndarray, np.ndarray]:
        """Intensities of all inputs (trials, inputs), and the cue (trials,)."""
        shown, cue = self._shown(X, fitting)
        return shown.reshape(len(X), -1), cue

    def _start(self, shown: np.ndarray, classes: int, rng: np.random.Generator) -> None:
        """Weights of all layers at the start."""
        features = shown.shape[1] // (self.streams if self._gated else 1)
        length = float((shown.reshape(len(shown), -1, features) ** 2).sum(axis=2).mean())  # squared, of one stream
        if not length > 0:
            same = "empty" if self.mean_stimulus_ is None else "the same"
            raise WrongUse(f"every stimulus in X is {same}; nothing would fire.")
        sizes = (features, *self.hidden, classes)
        self.eta_, spread = self._start_of(length)
        self.weights_: list[np.ndarray] = []
        self.feedback_: list[np.ndarray] = []
        for n, m, sd in zip(sizes[:-1], sizes[1:], spread, strict=True):
            w, back = sd * rng.standard_normal((2, n, m))
            self.weights_.append(w)
            start = {"mirrored": w.copy(), "fixed": back, "uniform": np.full((n, m), sd)}
            self.feedback_.append(start.get(self.feedback, self.feedback_start * back))
        equal = np.full((self.streams, self.streams), 1 / self.streams) if self._gated else None
        self.gate_weights_: np.ndarray | None = equal

    def _run(
        self, shown: np.ndarray, cue: np.ndarray, labels: np.ndarray | None, scale: float, seed: int, counts: SpikeCounts,
        progress: Progress | None = None,
    ) -> Mapping[str, np.ndarray]:  # fmt: skip
        """One block of trials; weights change where there are labels."""
        trials, learning = len(shown), labels is not None
        given = {
            "rates": shown * (1e3 * self.spikes / self.trial_ms),
            "label": labels.astype(float) if labels is not None and self.reward != "constant" else np.full(trials, -1.0),
            "explore": self.explore * learning,
            "learning": float(learning),
            "feedback": float(self.feedback != "cut"),
            "misled": float(self.feedback == "shuffled"),
            "predicts": float(self.reward not in ("unpredicted", "constant")),
            "always": float(self.reward == "constant"),
        }
        top = len(self.weights_)
        for k, (w, back) in enumerate(zip(self.weights_, self.feedback_, strict=True), start=1):
            size = self.spikes if k == 1 else self.levels  # spikes below that are an activity of 1
            given |= {f"w_{k}": w.ravel(), f"back_{k}": back.ravel(), f"eta_{k}": self.eta_[k - 1] * scale / size}
            given[f"drive_{k}"] = 1 / size if k == top else self.levels / size
        if self.gate_weights_ is not None:
            given |= {"cue": cue.astype(float), "w_gate": self.gate_weights_.ravel(), "per_spike": 1 / self.spikes}
            given["eta_gate"] = self.eta_gate * scale * (self.gate == "learned")
        out = self._program.run(seed, given, duration=trials * self.trial_ms * ms, progress=progress)
        counts.add(out, trials, trials * round(self.trial_ms / self.dt_ms), trials)
        if learning:
            self.weights_ = [out[f"w_{k}"].reshape(w.shape) for k, w in enumerate(self.weights_, start=1)]
            self.feedback_ = [out[f"back_{k}"].reshape(w.shape) for k, w in enumerate(self.weights_, start=1)]
            if self.gate_weights_ is not None:
                self.gate_weights_ = out["w_gate"].reshape(self.gate_weights_.shape)
        return out

    def fit(self, X: Any, y: Any, probe: tuple[Any, Any] | None = None, progress: Progress | None = None) -> SpikingBrainProp:
        """Learn from the trials, in their order at first and then in a new one in each pass; X (trials, columns), y (trials,).

        `probe` is a pair (X, y) on which the learning curve is measured; what is learnt does not depend on it.
        """
        return self._passed(X, y, self.passes, probe, progress)

    def untrained(self, X: Any, y: Any) -> SpikingBrainProp:
        """The control: everything that `fit` does but learning; the weights are those at its start."""
        return self._passed(X, y, 0)

    def learn_more(self, X: Any, y: Any, scale: float = 1.0, seed: int = 0) -> SpikingBrainProp:
        """Learn from these trials, in their order, from the weights as they are: those that `fit` or `untrained` left.

        All rates of learning are multiplied by `scale`; phases of input spikes and actions at random follow from `seed`. WrongUse
        for a label that it does not know.
        """
        check_is_fitted(self, "weights_")
        self._check_layers(vars(self))
        shown, cue = self._flat(inputs.matrix(self, X, shape=SHAPE))
        y = inputs.labels(self, X, y)
        if not np.isin(y, self.classes_).all():
            raise WrongUse(f"y has labels beside {self.classes_.tolist()}, which it was fitted on; leave out their trials.")
        labels = np.searchsorted(self.classes_, y)
        rng = np.random.default_rng([self.random_state, 4, seed])
        for begin in range(0, len(labels), self.block):
            part = slice(begin, begin + self.block)
            self._learn(shown[part], cue[part], labels[part], scale, rng, SpikeCounts())
        return self

    def _learn(
        self, shown: np.ndarray, cue: np.ndarray, labels: np.ndarray, scale: float, rng: np.random.Generator, counts: SpikeCounts,
        progress: Progress | None = None,
    ) -> None:  # fmt: skip
        """One block of trials, as the reward is."""
        right = labels if self.reward != "shuffled" else rng.permutation(labels)
        self._run(shown, cue, right, scale, int(rng.integers(2**31)), counts, progress)

    def _passed(
        self, X: Any, y: Any, passes: int, probe: tuple[Any, Any] | None = None, progress: Progress | None = None
    ) -> SpikingBrainProp:
        """Shown the trials so many times."""
        self.check()
        given, X = X, inputs.matrix(self, X, fitting=True, shape=SHAPE)
        y = inputs.labels(self, given, y)
        if probe is not None:
            inputs.pair(probe)
            probe = inputs.matrix(self, probe[0], shape=SHAPE), inputs.probed(self, probe, y)
        self.classes_ = inputs.several(y)
        labels = np.searchsorted(self.classes_, y)
        rng = np.random.default_rng([self.random_state, 1])
        probing = np.random.default_rng([self.random_state, 3])  # of its own: measuring must not change what is learnt
        shown, cue = self._flat(X, fitting=True)
        self._start(shown, len(self.classes_), rng)
        started = time.perf_counter()
        network = self._network(len(self.weights_[0]), len(self.classes_))
        self._cost_model: CostModel = network.costs()
        self._program: Program = network.program()
        self.compile_seconds_ = time.perf_counter() - started
        self.backend_ = backend()

        total, done, counts = passes * len(X), 0, SpikeCounts()
        trials: list[int] = [0]
        accuracy: list[float] = [] if probe is None else [self._score(probe, probing)]
        attended = [self._attended()]
        for number in range(passes):
            order = np.arange(len(X)) if number == 0 else rng.permutation(len(X))
            for begin in range(0, len(X), self.block):
                chosen = order[begin : begin + self.block]
                share = len(chosen)
                tell = None if progress is None else (lambda f, a=done, n=share: progress((a + f * n) / total))
                scale = self.eta_end ** (done / total)
                self._learn(shown[chosen], cue[chosen], labels[chosen], scale, rng, counts, tell)
                done += len(chosen)
                blocks = begin // self.block + 1
                if begin + self.block < len(X) and (number or blocks & (blocks - 1)):
                    continue  # measured after 1, 2, 4, ... blocks of the first pass, and at the end of each
                trials.append(done)
                attended.append(self._attended())
                if probe is not None:
                    accuracy.append(self._score(probe, probing))
        self.activity_ = {"training": self._cost_model.activity(counts, learning=True)}
        self.history_ = {"trials": np.array(trials)}
        if probe is not None:
            self.history_["accuracy"] = np.array(accuracy)
        self.arrays_ = {"history_attended": np.array(attended)} if self._gated else {}
        self.parameters_ = int(sum(w.size for w in (*self.weights_, *self.feedback_)))
        return self

    def _attended(self) -> float:
        """The share of the cued stream in the gains; NaN without a gate."""
        return float("nan") if self.gate_weights_ is None else float(np.diag(self.gate_weights_).mean())

    def _score(self, probe: tuple[np.ndarray, np.ndarray], rng: np.random.Generator) -> float:
        answers = self.classes_[self._decide(probe[0], rng, SpikeCounts())["choice"].astype(int)]
        return float(np.mean(answers == probe[1]))

    def _decide(self, X: np.ndarray, rng: np.random.Generator, counts: SpikeCounts) -> dict[str, np.ndarray]:
        """`choice` (trials,) and `counts` (trials, neurons) of the highest hidden layer; nothing is learnt."""
        shown, cue = self._flat(X)
        choice, spikes, top = [], [], len(self.hidden)
        for begin in range(0, len(X), self.block):
            part = slice(begin, begin + self.block)
            out = self._run(shown[part], cue[part], None, 0.0, int(rng.integers(2**31)), counts)
            choice.append(out["choice"])
            spikes.append(np.vstack([out[f"counts_{top}"][1:], out[f"last_{top}"]]))
        return {"choice": np.concatenate(choice), "counts": np.concatenate(spikes)}

    # -- answering ----------------------------------------------------------------------------------------------------

    def _answered(self, X: Any) -> dict[str, np.ndarray]:
        check_is_fitted(self, "weights_")
        counts = SpikeCounts()
        made = self._decide(inputs.matrix(self, X, shape=SHAPE), np.random.default_rng([self.random_state, 2]), counts)
        self.activity_["decision"] = self._cost_model.activity(counts, learning=False)
        return made

    def predict(self, X: Any) -> np.ndarray:
        """The action that is chosen in each trial, without exploring."""
        chosen = self._answered(X)["choice"].astype(int)
        return self.classes_[chosen]

    def represent(self, X: Any) -> np.ndarray:
        """Spikes of the highest hidden layer in each trial, (trials, neurons)."""
        return self._answered(X)["counts"]

    def attention_weights(self, X: Any) -> np.ndarray | None:
        """The gain of each stream in each trial, (trials, streams); None without a gate."""
        check_is_fitted(self, "weights_")
        if self.gate_weights_ is None:
            return None
        return self.gate_weights_[self._shown(inputs.matrix(self, X, shape=SHAPE))[1]]

    def costs(self) -> Costs:
        """What `fit` and the last decisions took."""
        check_is_fitted(self, "activity_")
        return Costs.of_spiking(self.activity_)

    @checked
    def restore(self, state: Mapping[str, Any]) -> None:
        """Take over what `state` gave, and find or compile the program."""
        self._held(state, "feedback_")
        super().restore(state)
        self._program = self._network(len(self.weights_[0]), len(self.classes_)).program()
