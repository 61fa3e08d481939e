"""A spiking network that learns to classify by a local rule under an attention gate."""

from __future__ import annotations

import dataclasses
import time
import warnings
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import numpy as np
from brian2 import ms, second
from sklearn.base import ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from plasticity import displaced, settings
from plasticity.ablations import WEIGHTS, Ablation, by_name, of_rule, of_timing, of_weights, prototypes
from plasticity.checked import Count, checked
from plasticity.encoders import ENCODERS, check_rates
from plasticity.engine import Program, backend
from plasticity.engine.operations import CostModel, Costs, SpikeCounts
from plasticity.errors import WrongUse, unknown
from plasticity.gates import EqualGain, Gate, InputGain, NoGate, ShuffledGate
from plasticity.learners import inputs
from plasticity.learners.learner import Learner, Variant, check_max_rate, check_rule
from plasticity.networks import competition
from plasticity.networks.competition import Competition
from plasticity.rules import Rule, named, pair_stdp
from plasticity.settings import estimator, setting
from plasticity.tasks import split_streams

Progress = Callable[[float], None]
MOST_PLACES = 4_000_000  # steps times inputs of the table of displaced spikes, 8 bytes each
SHAPE = "(trials, streams*features + streams)"  # of X

COMPETITION_STDP = pair_stdp(A_plus=0.015, A_minus=0.00015)
"""Pair STDP with weak depression, in the proportion of Diehl & Cook 2015 (doi:10.3389/fncom.2015.00099): scaling the
weights of a neuron to a fixed length is what depresses the inputs that did not take part."""

STEADY = np.arange(-10, 11) * 0.016 + 0.001
"""Input spikes at about 60 Hz around an output spike at 0, in seconds."""

CURVE = (0, 50, 100, 200, 400, 700, 1000, 1400, 2000)
"""After how many training trials the learning curve is probed; every thousand from there on, and at the end."""

NULLS = ("before learning", "labels permuted", "class means without attention", "class means of single images")
"""What the weights of attended and ignored synapses are held against: a network without plasticity, the trained one with the
labels of trials exchanged at random, and class means in place of weights: of both streams' sum, of the attended image alone."""


def selected_weights(weights: np.ndarray, stimulus: np.ndarray, cue: np.ndarray, labels: np.ndarray) -> tuple[float, float]:
    """Mean weight (features, neurons) onto the answer's neurons from what only the attended, what only the ignored stream shows.

    Neurons are as many for each class, one class after the other; `labels` (trials,) from 0.
    """
    attended = stimulus[np.arange(len(cue)), cue]
    ignored = (stimulus.sum(axis=1) - attended) / max(1, stimulus.shape[1] - 1)
    by_class = weights.reshape(weights.shape[0], int(labels.max()) + 1, -1).mean(axis=2)[:, labels].T
    only_attended, only_ignored = attended * (1 - ignored), ignored * (1 - attended)
    return float((by_class * only_attended).sum() / only_attended.sum()), float(
        (by_class * only_ignored).sum() / only_ignored.sum()
    )


@estimator
class SpikingClassifier(ClassifierMixin, Learner):
    """A Brian2 spiking network that learns by a local rule under an attention gate, as a scikit-learn classifier.

    Two streams of Poisson spikes, their rates multiplied by the gate, meet in relay neurons; plastic synapses lead from
    there to spiking neurons that compete, a fixed number for each class. While it learns, a teacher silences the neurons of
    the other classes, and the winner's synapses change by the rule. No gradient anywhere. The answer is the class whose
    neurons fire most. The network is drawn in `plasticity.networks.competition`.

    Attributes
    ----------
    weights_ : array (features, neurons)
    theta_ : array (neurons,)
    history_ : dict of arrays `trials` and `accuracy` (on the probe)
    arrays_ : dict of arrays for figures
    activity_ : dict
        What the network did, means over trials as plain numbers: "training" (of `fit`, its learning curve apart), and
        "decision" (of the last call of `decision_function` or `predict`). See `plasticity.engine.operations.CostModel.activity`.
    parameters_ : int, number of plastic synapses
    backend_ : str, `cpp_standalone` or `numpy`
    compile_seconds_ : float, what finding or compiling the program took before learning began

    Raises
    ------
    WrongUse
        NaN in X, X of the wrong width, y of another length, fewer trials than classes, an unknown rule or one that needs what the
        network lacks, inputs that would fire more than once in a time step.
    """

    source: ClassVar[str] = "Diehl & Cook 2015, doi:10.3389/fncom.2015.00099"
    cost: ClassVar[float] = 20.0
    from_task: ClassVar[tuple[str, ...]] = ("streams", "encoder", "max_rate_hz", "tau_m_ms", "drive")
    uses: ClassVar[tuple[str, ...]] = (competition.OUTPUT.name, competition.RELAY.name)
    made_anew: ClassVar[tuple[str, ...]] = ("_program",)
    variants: ClassVar[tuple[Variant, ...]] = (
        Variant(
            "spiking_gated",
            "spiking network, local plasticity, gain of the cued stream up and of the other one down",
            {"gate": InputGain()},
            frozenset({"image", "streams"}),
        ),
        Variant(
            "spiking_no_gate",
            "a control of spiking_gated: no gate, gain 1 on both streams",
            {"gate": NoGate()},
            frozenset({"streams"}),
        ),
        Variant(
            "spiking_shuffled_gate",
            "a control of spiking_gated: the high gain on a stream drawn at random in each trial",
            {"gate": ShuffledGate()},
            frozenset({"streams"}),
        ),
        Variant(
            "spiking_equal_gain",
            "a control of spiking_gated: the mean of its gains on both streams, the same total drive",
            {"gate": EqualGain()},
        ),
    )

    rule: Rule | str = setting(
        COMPETITION_STDP,
        "the plasticity rule of the synapses; by default pair STDP with depression 100 times weaker than potentiation. It must"
        " strengthen, on balance, the inputs that fire around the few spikes of a winner: with depression as strong as"
        " potentiation (`pair_stdp` as in Song et al. 2000) a prototype is unlearnt as fast as it is learnt, since inputs are"
        " Poisson and go on firing after the winner's spike",
    )
    gate: Gate = setting(InputGain(), "where attention acts (plasticity.gates)")
    encoder: str = setting("poisson", "how rates become spikes (plasticity.encoders)")
    neurons_per_class: int = setting(20, "competing neurons for each class", low=1, high=10_000)
    passes: int = setting(1, "how often the training trials are shown", low=1, high=1000)
    max_rate_hz: float = setting(
        300.0, "firing rate of a stream's input at full intensity in a typical image alone, at gain 1", "Hz", above=0, high=1e5
    )
    semisaturation: float = setting(
        0.3,
        "of divisive normalisation: all rates of a trial are divided by their sum over the streams and this, in units of a"
        " typical image, and multiplied by 1 and this. So two images drive the relay about as much as one, each the less the less"
        " its gain is, and a faint image about as much as a bright one; a large value leaves the rates as they are",
        above=0,
        high=1e9,
    )
    drive: float = setting(
        4.0,
        "what a typical image adds in one trial, at gain 1 and without leak, to the potential of a neuron whose weights have the"
        " very pattern of that image; in units of the threshold",
        low=0,
        high=1000,
    )
    inhibition: float = setting(
        1.5, "drop of all other class neurons' potential at a spike, in units of the threshold", low=0, high=1000
    )
    weight_scale: float = setting(
        0.4,
        "once a trial the weights of a neuron are scaled to this multiple of a typical image's Euclidean length, so that a weight"
        " is about this times the pixel it stands for",
        above=0,
        high=1000,
    )
    theta_plus: float = setting(
        0.08,
        "rise of a class neuron's threshold at each of its spikes while learning. Answers are given with every threshold at the"
        " mean of all: the level says how strong the input is, the differences are fatigue",
        low=0,
        high=1000,
    )
    tau_theta_s: float = setting(100.0, "how slowly the threshold falls back", "s", above=0, high=1e6)
    tau_m_ms: float = setting(100.0, "membrane time constant of the class neurons", "ms", above=0, high=1e6)
    relay_weight: float = setting(
        1.0,
        "jump of a relay neuron's potential at a spike of its stream, in units of the threshold: 1, one spike makes one spike",
        low=0,
        high=1000,
    )
    teaching: float = setting(
        20.0,
        "how strongly the teacher hyperpolarises the neurons of the other classes, in units of the threshold",
        low=0,
        high=1e4,
    )
    trial_ms: float = setting(100.0, "length of a trial", "ms", above=0, high=1e5)
    dt_ms: float = setting(1.0, "time step", "ms", low=1e-3, high=1e5)
    block: int = setting(500, "the most trials in one run of the compiled program", low=1, high=1_000_000)
    streams: int = setting(2, "streams in X; the rest of X is the cue, one column a stream", low=1, high=1001)
    weights: str = setting(
        "learnt",
        "where the weights come from; a control where they are not learnt. frozen: as drawn at random; class_means, examples,"
        " k_means: patterns of the gated training trials, scaled like learnt ones. Thresholds adapt as ever",
        choices=WEIGHTS,
        later=True,
    )
    jitter_ms: float = setting(
        0.0,
        "a control: standard deviation of the normal number by which presynaptic spikes are moved, within their trial, before"
        " plasticity sees them; transmission stays as it is",
        "ms",
        low=0,
        high=1e5,
        later=True,
    )
    rates_only: bool = setting(False, "a control: plasticity sees the presynaptic trains shuffled within their trial", later=True)

    # -- building -----------------------------------------------------------------------------------------------------

    def _rule(self) -> Rule:
        return named(self.rule) if isinstance(self.rule, str) else self.rule

    def ablations(self) -> Mapping[str, Ablation]:
        """Of its rule, of the timing that plasticity sees, of its weights, of competition and of adaptation."""
        shared = {"theta_plus": self.theta_plus / self.neurons_per_class}  # a class's thresholds rise by as much at each spike
        weights = [*of_weights()]
        means = weights.index(next(one for one in weights if one.settings["weights"] == "class_means"))
        weights[means] = dataclasses.replace(
            weights[means],
            summary="weights are the mean training trial of each class, one neuron for each",
            settings={**weights[means].settings, **shared, "neurons_per_class": 1},  # alike, they would all fire at once
        )
        others = [
            Ablation(
                "competition_off",
                "a spike inhibits no other neuron, and thresholds rise by as much less as more neurons fire",
                {"inhibition": 0.0, **shared},
            ),
            Ablation("adaptation_off", "thresholds do not rise", {"theta_plus": 0.0}),
        ]
        return by_name([*of_rule(self._rule()), *of_timing(), *weights, *others])

    @checked
    def of_size(self, neurons: Count) -> dict[str, Any]:
        """The settings that suit so many neurons for each class.

        Each of fewer neurons wins as much more often, so that its threshold is to rise by as much less at each spike.
        """
        return {"neurons_per_class": neurons, "theta_plus": self.theta_plus * neurons / self.neurons_per_class}

    @property
    def _displaces(self) -> bool:
        return self.rates_only or self.jitter_ms > 0

    def _block(self, features: int) -> int:
        """The most trials in a run; fewer than `block` where a table of all their spikes would be too large."""
        if not self._displaces:
            return self.block
        return max(1, min(self.block, MOST_PLACES // (features * round(self.trial_ms / self.dt_ms))))

    def _network(self, features: int, classes: int) -> Competition:
        return Competition(
            streams=self.streams,
            features=features,
            neurons=self.neurons_per_class * classes,
            rule=self._rule(),
            output=competition.OUTPUT(theta_plus=self.theta_plus, tau_theta=self.tau_theta_s * second, tau_m=self.tau_m_ms * ms),
            encoder=ENCODERS[self.encoder],
            trial=self.trial_ms * ms,
            dt=self.dt_ms * ms,
            block=self._block(features),
            apart=self._displaces or self.weights != "learnt",
        )

    def check(self) -> None:
        """WrongUse for parameters that cannot be, a rule that the network cannot have, a gate that it cannot be given."""
        self._check_settings()
        self._check_gate(np.arange(self.streams))

    def _check_settings(self) -> None:
        if not isinstance(self.gate, Gate):
            raise WrongUse(f"SpikingClassifier: gate={self.gate!r} is no gate; write gate=plasticity.gates.InputGain(2, 0.2).")
        settings.check(self)
        settings.whole_multiple("SpikingClassifier", "trial_ms", self.trial_ms, "dt_ms", self.dt_ms)
        if self.encoder not in ENCODERS:
            raise unknown("encoder", str(self.encoder), ENCODERS)
        check_max_rate("SpikingClassifier", self.encoder, self.max_rate_hz, self.dt_ms)
        check_rule(self._rule(), self._network(1, 2).unfit)

    def _check_gate(self, cue: np.ndarray) -> None:
        """WrongUse for a gate that this network cannot have."""
        rng = np.random.default_rng(0)
        gain = self.gate.gains(cue, self.streams, rng)
        if np.shape(gain) != (len(cue), self.streams):
            raise WrongUse(
                f"the gate gave gains of shape {np.shape(gain)}; it must be (trials, streams) = {(len(cue), self.streams)}."
            )
        check_rates(self.max_rate_hz * np.asarray(gain), "rates")
        if not (self.gate.learning(cue, self.streams, rng) == 1).all():
            raise WrongUse(
                f"the gate {self.gate.name!r} acts on the learning of each stream's own synapses, but here the streams share"
                " theirs; use input_gain, or `plasticity run attention_gain` for that gate."
            )

    # -- running ------------------------------------------------------------------------------------------------------

    def _run(
        self, rates: np.ndarray, teacher: np.ndarray, seed: int, counts: SpikeCounts, progress: Progress | None = None
    ) -> np.ndarray:
        """One block of trials; updates weights and thresholds where there is a teacher; returns spikes (trials, neurons)."""
        trials = len(rates)
        given = {
            **self._values,
            "rates": rates,
            "teacher": teacher,
            "learn": (teacher >= 0).astype(float),
            "w": self.weights_.ravel(),
            "theta": self.theta_ if teacher[0] >= 0 else self.theta_.mean(),
        }
        duration, learning = trials * self.trial_ms * ms, bool(teacher[0] >= 0)
        if learning and self._displaces:
            given["seen"] = self._seen(self._program.run(seed, given, duration=duration), trials, seed)
        out = self._simulated(given, learning, seed, trials, counts, progress)
        if learning:
            self.weights_: np.ndarray = out["w"].reshape(self.weights_.shape)
            self.theta_: np.ndarray = out["theta"]
        trial = np.minimum((out["spike_time"] * 1e3 / self.trial_ms + 1e-9).astype(int), trials - 1)
        flat = np.bincount(trial * len(self.theta_) + out["spike_neuron"], minlength=trials * len(self.theta_))
        return flat.reshape(trials, -1)

    def _compile(self, network: Competition) -> None:
        """Find or compile what it runs."""
        self._program: Program = network.program()

    def _simulated(
        self, given: dict[str, Any], learning: bool, seed: int, trials: int, counts: SpikeCounts, progress: Progress | None
    ) -> Mapping[str, np.ndarray]:
        """A run of the program, counted."""
        out = self._program.run(seed, given, duration=trials * self.trial_ms * ms, progress=progress)
        counts.add(out, trials, trials * round(self.trial_ms / self.dt_ms), trials)
        return out

    def _boundary(self, trials: int, total: int) -> int:
        """After how many trials a run may end, at so many or a few more."""
        return trials

    def _seen(self, out: Mapping[str, np.ndarray], trials: int, seed: int) -> np.ndarray:
        """The spikes of the relay in a run, displaced within their trials, as a table (trials*steps, features)."""
        steps, features = round(self.trial_ms / self.dt_ms), self.weights_.shape[0]
        trains = np.zeros((trials, steps, features))
        at = (out["relay_time"] * 1e3 / self.dt_ms + 0.5).astype(int)
        trains[at // steps, at % steps, out["relay_neuron"]] = 1
        rng = np.random.default_rng([seed, 4])
        if self.rates_only:
            trains = displaced.shuffled(trains, rng)
        else:
            trains = displaced.jittered(trains, self.jitter_ms / self.dt_ms, rng)
        return trains.reshape(trials * steps, features)

    def _rates(self, X: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        stimulus, cue = split_streams(X, self.streams)
        gain = self.gate.gains(cue, self.streams, rng)
        driven = stimulus * gain[:, :, None]
        pool = driven.sum(axis=(1, 2)) / self._typical_sum
        factor = self.max_rate_hz * (1 + self.semisaturation) / (pool + self.semisaturation)
        return (factor[:, None, None] * driven).reshape(len(cue), -1), gain

    def _decide(
        self, X: np.ndarray, rng: np.random.Generator, counts: SpikeCounts, progress: Progress | None = None
    ) -> np.ndarray:
        """Spikes of each class neuron in each trial, (trials, neurons)."""
        rates, _ = self._rates(X, rng)
        spikes = []
        block = self._block(self.weights_.shape[0])
        for start in range(0, len(rates), block):
            part = rates[start : start + block]
            spikes.append(self._run(part, np.full(len(part), -1.0), int(rng.integers(2**31)), counts))
            if progress is not None:
                progress(min(1.0, (start + len(part)) / len(rates)))
        return np.concatenate(spikes)

    def _by_class(self, spikes: np.ndarray) -> np.ndarray:
        return spikes.reshape(len(spikes), len(self.classes_), -1).sum(axis=2)

    def fit(self, X: Any, y: Any, probe: tuple[Any, Any] | None = None, progress: Progress | None = None) -> SpikingClassifier:
        """Learn from the trials in their order; X (trials, streams*features + streams), y (trials,).

        `probe` is a pair (X, y) on which the learning curve is measured; what is learnt does not depend on it.
        """
        self._warn_of_rule()
        return self._shown(X, y, self.passes, probe, progress)

    def _warn_of_rule(self) -> None:
        """Of a rule by which one output spike amid steady input spikes weakens its synapse, so that nothing is learnt."""
        rule = self._rule()
        if rule.has_closed_form and rule.change(STEADY, np.zeros(1)) <= 0:
            warnings.warn(
                f"{self._name}: under the rule {rule.name} an output spike weakens, on balance, inputs that fire around it, and"
                f" what is learnt is unlearnt; give it less depression{self._typed('rule.A_minus=...')}. The default is"
                f" {settings.text(COMPETITION_STDP)}.",
                stacklevel=3,
            )

    def untrained(self, X: Any, y: Any) -> SpikingClassifier:
        """The control: everything that `fit` does but learning; the weights are those at its start."""
        return self._shown(X, y, 0)

    def _shown(
        self, X: Any, y: Any, passes: int, probe: tuple[Any, Any] | None = None, progress: Progress | None = None
    ) -> SpikingClassifier:
        """Shown the trials so many times."""
        self._check_settings()  # the gate is asked below, of the cues of these trials
        given, X = X, inputs.matrix(self, X, fitting=True, shape=SHAPE)
        y = inputs.labels(self, given, y)
        stimulus, cue = split_streams(X, self.streams)
        if probe is not None:
            inputs.pair(probe)
            if np.shape(probe[1])[:1] != np.shape(probe[0])[:1] or np.shape(probe[0])[1:] != X.shape[1:]:
                raise WrongUse(
                    f"the probe has shapes {np.shape(probe[0])} and {np.shape(probe[1])}; it needs rows like X, a label for each."
                )
            probe = inputs.matrix(self, probe[0], shape=SHAPE), inputs.probed(self, probe, y)
            split_streams(probe[0], self.streams)
        self.classes_, labels = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise WrongUse("learning to classify needs trials of at least two classes; y holds 1 class.")
        features, classes = stimulus.shape[2], len(self.classes_)
        typical = float(np.linalg.norm(stimulus, axis=2).mean())  # Euclidean length of a typical image
        if not typical > 0:
            raise WrongUse("every stimulus in X is empty; nothing would fire.")
        self._typical_sum = float(stimulus.sum(axis=2).mean())
        self._check_gate(cue)
        length = self.weight_scale * typical
        rng = np.random.default_rng([self.random_state, 1])
        probing = np.random.default_rng([self.random_state, 3])  # of its own: measuring must not change what is learnt
        network = self._network(features, classes)
        started = time.perf_counter()
        self._cost_model: CostModel = network.costs()
        self._compile(network)
        self.compile_seconds_ = time.perf_counter() - started
        self.backend_ = backend()
        self._values = {
            "label": np.repeat(np.arange(classes), self.neurons_per_class),
            "drive": self.drive / (length * typical * self.max_rate_hz * network.steps()[1] * self.dt_ms / 1e3),
            "inhibition": self.inhibition,
            "length": length,
            "relay_weight": self.relay_weight,
            "teaching": self.teaching,
        }
        self.neuron_class_ = np.repeat(self.classes_, self.neurons_per_class)
        start = rng.uniform(0.2, 0.8, (features, classes * self.neurons_per_class))
        self.weights_ = start * length / np.linalg.norm(start, axis=0)
        self.theta_ = np.zeros(classes * self.neurons_per_class)

        order = np.concatenate(
            [np.arange(len(X)) if k == 0 else rng.permutation(len(X)) for k in range(passes)] or [np.zeros(0, int)]
        )
        gated, gain = self._rates(X, rng)
        if network.apart:
            self._values["changing"] = float(self.weights == "learnt")
        if self.weights not in ("learnt", "frozen"):
            patterns = gated.reshape(len(X), self.streams, features).sum(axis=1)  # what the relay sees
            per_class = np.full(classes, self.neurons_per_class)
            start = prototypes(self.weights, patterns, labels, per_class, np.random.default_rng([self.random_state, 5]))
            self.weights_ = np.clip(start * length / np.maximum(np.linalg.norm(start, axis=0), 1e-12), 0, 1)
        total = len(order)
        curve = {self._boundary(k, total) for k in (*CURVE, *range(CURVE[-1], total, 1000), total) if k <= total}
        stops = sorted(curve | set(range(0, total, network.block)))
        history: dict[str, list[float]] = {"trials": [], "accuracy": [], "attended": [], "ignored": []}

        done, counts = 0, SpikeCounts()
        for stop in stops:
            if stop > done:
                chosen = order[done:stop]
                scale = (stop - done) / total
                tell = None if progress is None else (lambda f, a=done / total, b=scale: progress(a + b * f))
                self._run(gated[chosen], labels[chosen].astype(float), int(rng.integers(2**31)), counts, tell)
                done = stop
            if stop in curve:
                history["trials"].append(stop)
                if self.streams > 1:
                    attended, ignored = selected_weights(self.weights_, stimulus, cue, labels)
                    history["attended"].append(attended)
                    history["ignored"].append(ignored)
                if probe is not None:
                    found = self.classes_[self._by_class(self._decide(probe[0], probing, SpikeCounts())).argmax(axis=1)]
                    history["accuracy"].append(float(np.mean(found == probe[1])))
        self.activity_ = {"training": self._cost_model.activity(counts, learning=True)}
        self.history_ = {"trials": np.array(history["trials"])}
        if probe is not None:
            self.history_["accuracy"] = np.array(history["accuracy"])
        cued = np.arange(self.streams) == cue[:, None]
        self.arrays_ = {
            "weights": self.weights_.astype(np.float32),
            "neuron_class": self.neuron_class_,
        }
        if self.streams > 1:
            self.arrays_ |= {
                "history_trials_weights": np.array(history["trials"]),
                "weights_attended": np.array(history["attended"]),
                "weights_ignored": np.array(history["ignored"]),
                "weights_null": self._null(stimulus, cue, labels, history, rng),
                "gain_attended": np.array([gain[:, s][cued[:, s]].mean() for s in range(self.streams)]),
                "gain_ignored": np.array([gain[:, s][~cued[:, s]].mean() for s in range(self.streams)]),
            }
        self.parameters_ = int(self.weights_.size)
        return self

    @checked
    def restore(self, state: Mapping[str, Any]) -> None:
        """Take over what `state` gave, and find or compile the program."""
        self._held(state, "weights_", "classes_")
        super().restore(state)
        self._compile(self._network(self.weights_.shape[0], len(self.classes_)))

    def _null(
        self,
        stimulus: np.ndarray,
        cue: np.ndarray,
        labels: np.ndarray,
        history: Mapping[str, list[float]],
        rng: np.random.Generator,
    ) -> np.ndarray:
        """What `selected_weights` is without what it should measure, (len(NULLS), 2), by the rows of `NULLS`."""
        shown = stimulus[np.arange(len(cue)), cue]
        made = []
        for images in (stimulus.mean(axis=1), shown):
            means = np.stack([images[labels == label].mean(axis=0) for label in range(len(self.classes_))], axis=1)
            means *= np.linalg.norm(self.weights_, axis=0).mean() / np.linalg.norm(means, axis=0)
            made.append(selected_weights(np.repeat(means, self.neurons_per_class, axis=1), stimulus, cue, labels))
        exchanged = selected_weights(self.weights_, stimulus, cue, rng.permutation(labels))
        return np.array([(history["attended"][0], history["ignored"][0]), exchanged, *made])

    def represent(self, X: Any) -> np.ndarray:
        """Spikes of each class neuron in each trial, (trials, neurons): those by which `predict` answers.

        The same at each call with the same X. The Poisson spikes of all trials are one stream of random numbers, so that a trial
        at another place in X meets other noise.
        """
        X = self._checked(X)
        counts = SpikeCounts()
        spikes = self._decide(X, self._deciding(), counts)
        self.activity_["decision"] = self._cost_model.activity(counts, learning=False)
        return spikes

    def _fired(self, X: Any) -> np.ndarray:
        """Spikes of each class's neurons in each trial, (trials, classes); a warning where many trials drew none."""
        spikes = self._by_class(self.represent(X))
        inputs.warn_of_silence(
            self,
            spikes,
            lambda: self._why_silent(X),
        )
        return spikes

    def _why_silent(self, X: Any) -> str:
        """What to change where nothing fires."""
        rates, gain = self._rates(self._checked(X), self._deciding())
        if not rates.any():
            silent = f"the gains of the gate {self.gate.name} are" if not gain.any() else "the intensities in X are"
            return f"No input fires, {silent} 0; give larger ones."
        return (
            f"Give a smaller theta_plus (it is {self.theta_plus:g}; thresholds rose by {self.theta_.mean():.2g}) or a larger"
            f" drive (it is {self.drive:g})."
        )

    def decision_function(self, X: Any) -> np.ndarray:
        """Spikes of each class's neurons in each trial, (trials, classes); learning is switched off.

        Of two classes it is how many more the second one's neurons fired, (trials,), as in scikit-learn.
        """
        return inputs.decisions(self._fired(X).astype(float))

    def predict_proba(self, X: Any) -> np.ndarray:
        """Each class's share of the spikes in each trial, (trials, classes); equal shares where nothing fired."""
        spikes = self._fired(X)
        total = spikes.sum(axis=1, keepdims=True)
        return np.where(total > 0, spikes / np.maximum(total, 1), 1 / spikes.shape[1])

    def attention_weights(self, X: Any) -> np.ndarray | None:
        """The gate's gain on each stream over their sum in each trial, (trials, streams); equal shares where all are 0.

        None with a single stream.
        """
        if self.streams == 1:
            return None
        _, gain = self._rates(self._checked(X), self._deciding())
        total = gain.sum(axis=1, keepdims=True)
        return np.where(total > 0, gain / np.where(total > 0, total, 1.0), 1 / self.streams)

    def _checked(self, X: Any) -> np.ndarray:
        check_is_fitted(self, "weights_")
        return inputs.matrix(self, X, shape=SHAPE)

    def _deciding(self) -> np.random.Generator:
        """What draws gates and spikes of decisions: the same at every call."""
        return np.random.default_rng([self.random_state, 2])

    def costs(self) -> Costs:
        """What `fit` and the last decisions took."""
        check_is_fitted(self, "activity_")
        return Costs.of_spiking(self.activity_)

    def predict(self, X: Any) -> np.ndarray:
        """The class whose neurons fire most in each trial; the first of those that fire as much.

        Where many trials drew no spike, so that nothing speaks for any class, a warning says how many and what to do.
        """
        winner = self._fired(X).argmax(axis=1)
        return self.classes_[winner]
