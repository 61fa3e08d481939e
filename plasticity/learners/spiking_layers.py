"""Spiking layers that learn from reward by attention-gated plasticity: what learners on streams and on texts share."""

from __future__ import annotations

import dataclasses
import time
from abc import abstractmethod
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
from plasticity.networks.attention_gated import AttentionGated
from plasticity.neurons import lif_subtractive
from plasticity.rules import attention_gated
from plasticity.settings import setting

Progress = Callable[[float], None]


@dataclasses.dataclass(eq=False, repr=False, kw_only=True)
class SpikingLayers(BrainProp):
    """A compiled network that is shown trials in blocks; a subclass says what is shown, and makes the network."""

    source: ClassVar[str] = (
        "Pozzi, Bohte & Roelfsema 2018, arXiv:1811.01768 (rate units); Roelfsema & van Ooyen 2005, doi:10.1162/0899766054615699"
    )
    cost: ClassVar[float] = 30.0
    uses: ClassVar[tuple[str, ...]] = (attention_gated.name, lif_subtractive.name)
    made_anew: ClassVar[tuple[str, ...]] = ("_program",)

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

    @abstractmethod
    def _network(self, features: int, classes: int) -> AttentionGated:
        """The network of so many inputs (of a stream) and actions."""

    @abstractmethod
    def _read(self, X: Any, fitting: bool = False) -> np.ndarray:
        """X as it must be."""

    @abstractmethod
    def _flat(self, X: np.ndarray, fitting: bool = False) -> tuple[Any, np.ndarray]:
        """What is shown, a row a trial, and the cue (trials,)."""

    @abstractmethod
    def _inputs_of(self, shown: Any) -> tuple[int, float]:
        """How many inputs the lowest layer has, and the mean of their squared length."""

    @abstractmethod
    def _stimuli(self, shown: Any, cue: np.ndarray) -> dict[str, np.ndarray]:
        """What the program is given of a block of trials."""

    @abstractmethod
    def _open(self) -> np.ndarray | None:
        """The gains of the gate at the start; None without a gate."""

    def _attended(self) -> float:
        """The share of what is cued in the gains; NaN where nothing is."""
        return float("nan")

    @property
    def _spikes(self) -> float:
        """Spikes of an input that count as an intensity of 1."""
        return self.spikes

    @property
    def _made(self) -> dict[str, Any]:
        """What the networks of all have in common."""
        return {
            "hidden": tuple(self.hidden), "neuron": lif_subtractive(tau_m=self.tau_m_ms * ms), "encoder": ENCODERS[self.encoder],
            "trial": self.trial_ms * ms, "dt": self.dt_ms * ms, "block": self.block,
            "fixed": self.feedback in ("fixed", "uniform"),
        }  # fmt: skip

    def check(self) -> None:
        """WrongUse for parameters that cannot be."""
        settings.check(self)
        settings.whole_multiple(type(self).__name__, "trial_ms", self.trial_ms, "dt_ms", self.dt_ms)
        ENCODERS[self.encoder]
        if self.spikes * self.dt_ms > self.trial_ms and "since" not in ENCODERS[self.encoder].threshold:
            raise WrongUse(
                f"{type(self).__name__}: spikes={self.spikes:g} in trial_ms={self.trial_ms:g} are more than one in each time step"
                f" of dt_ms={self.dt_ms:g}; give at most {self.trial_ms / self.dt_ms:g} spikes or a longer trial."
            )
        self._network(1, 2)

    def _start(self, shown: Any, classes: int, rng: np.random.Generator) -> None:
        """Weights of all layers at the start."""
        features, length = self._inputs_of(shown)
        if not length > 0:
            same = "empty" if vars(self).get("mean_stimulus_") is None else "the same"
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
        self.gate_weights_: np.ndarray | None = self._open()

    def _run(
        self, shown: Any, cue: np.ndarray, labels: np.ndarray | None, scale: float, seed: int, counts: SpikeCounts,
        progress: Progress | None = None,
    ) -> Mapping[str, np.ndarray]:  # fmt: skip
        """One block of trials; weights change where there are labels."""
        trials, learning = len(cue), labels is not None
        given = {
            **self._stimuli(shown, cue),
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
            size = self._spikes if k == 1 else self.levels  # spikes below that are an activity of 1
            given |= {f"w_{k}": w.ravel(), f"back_{k}": back.ravel(), f"eta_{k}": self.eta_[k - 1] * scale / size}
            given[f"drive_{k}"] = 1 / size if k == top else self.levels / size
        if self.gate_weights_ is not None:
            given |= {"w_gate": self.gate_weights_.ravel(), "per_spike": 1 / self._spikes}
            given["eta_gate"] = self.eta_gate * scale * (self.gate == "learned")
        out = self._program.run(seed, given, duration=trials * self._made["trial"], progress=progress)
        counts.add(out, trials, trials * round(float(self._made["trial"] / ms) / self.dt_ms), trials)
        if learning:
            self.weights_ = [out[f"w_{k}"].reshape(w.shape) for k, w in enumerate(self.weights_, start=1)]
            self.feedback_ = [out[f"back_{k}"].reshape(w.shape) for k, w in enumerate(self.weights_, start=1)]
            if self.gate_weights_ is not None:
                self.gate_weights_ = out["w_gate"].reshape(self.gate_weights_.shape)
        return out

    def fit(self, X: Any, y: Any, probe: tuple[Any, Any] | None = None, progress: Progress | None = None) -> Any:
        """Learn from the trials, in their order at first and then in a new one in each pass; X (trials, columns), y (trials,).

        `probe` is a pair (X, y) on which the learning curve is measured; what is learnt does not depend on it.
        """
        return self._passed(X, y, self.passes, probe, progress)

    def untrained(self, X: Any, y: Any) -> Any:
        """The control: everything that `fit` does but learning; the weights are those at its start."""
        return self._passed(X, y, 0)

    def learn_more(self, X: Any, y: Any, scale: float = 1.0, seed: int = 0) -> Any:
        """Learn from these trials, in their order, from the weights as they are: those that `fit` or `untrained` left.

        All rates of learning are multiplied by `scale`; phases of input spikes and actions at random follow from `seed`. WrongUse
        for a label that it does not know.
        """
        check_is_fitted(self, "weights_")
        self._check_layers(vars(self))
        shown, cue = self._flat(self._read(X))
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
        self, shown: Any, cue: np.ndarray, labels: np.ndarray, scale: float, rng: np.random.Generator, counts: SpikeCounts,
        progress: Progress | None = None,
    ) -> None:  # fmt: skip
        """One block of trials, as the reward is."""
        right = labels if self.reward != "shuffled" else rng.permutation(labels)
        self._run(shown, cue, right, scale, int(rng.integers(2**31)), counts, progress)

    def _passed(self, X: Any, y: Any, passes: int, probe: tuple[Any, Any] | None = None, progress: Progress | None = None) -> Any:
        """Shown the trials so many times."""
        self.check()
        given, X = X, self._read(X, fitting=True)
        y = inputs.labels(self, given, y)
        if probe is not None:
            inputs.pair(probe)
            probe = self._read(probe[0]), inputs.probed(self, probe, y)
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
        self.arrays_ = {"history_attended": np.array(attended)} if self.gate_weights_ is not None else {}
        self.parameters_ = int(sum(w.size for w in (*self.weights_, *self.feedback_)))
        return self

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
        made = self._decide(self._read(X), np.random.default_rng([self.random_state, 2]), counts)
        self.activity_["decision"] = self._cost_model.activity(counts, learning=False)
        return made

    def predict(self, X: Any) -> np.ndarray:
        """The action that is chosen in each trial, without exploring."""
        chosen = self._answered(X)["choice"].astype(int)
        return self.classes_[chosen]

    def represent(self, X: Any) -> np.ndarray:
        """Spikes of the highest hidden layer in each trial, (trials, neurons)."""
        return self._answered(X)["counts"]

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
