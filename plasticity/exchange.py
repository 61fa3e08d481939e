"""Spikes, weights and trained networks in the formats of others: Neo, NWB and NIR; each needs its package when it is used.

    recording = exchange.recorded(classifier, X)      # spikes of the class neurons, and the weights onto them
    block = exchange.to_neo(recording)                # pip install neo
    exchange.write_nwb("mine.nwb", recording)         # pip install pynwb
    graph = exchange.to_nir(classifier)               # pip install nir; nir.write("mine.nir", graph)

Sources: Neo: Garcia et al. 2014, doi:10.3389/fninf.2014.00010. NWB: Ruebel et al. 2022, doi:10.7554/eLife.78362. NIR: Pedersen et
al. 2024, doi:10.1038/s41467-024-52259-9.
"""

from __future__ import annotations

import copy
import datetime
import os
import uuid
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from brian2 import second

from plasticity.checked import checked_but
from plasticity.errors import PlasticityError, WrongUse

if TYPE_CHECKING:
    from plasticity.learners import SpikingClassifier


@checked_but("names")
@dataclass(frozen=True, eq=False)
class Recording:
    """Spikes of neurons over time, and the weights onto them.

    Attributes
    ----------
    times_s : (spikes,) float64
        When each spike was, in seconds from the beginning of the first trial, in rising order.
    neurons : (spikes,) int64
        Which neuron fired it.
    duration_s, trial_s : float
        How long all lasts, and each trial, in seconds.
    names : (neurons,) array
        What each neuron stands for: its class.
    weights : (inputs, neurons) float64
        Of the plastic synapses; no unit.

    Raises
    ------
    WrongUse
        Arrays whose shapes do not agree, spikes of neurons or at times that there are not.
    """

    times_s: np.ndarray
    neurons: np.ndarray
    duration_s: float
    trial_s: float
    names: np.ndarray
    weights: np.ndarray

    def __post_init__(self) -> None:
        times, fired = np.asarray(self.times_s, dtype=np.float64), np.asarray(self.neurons)
        if times.ndim != 1 or times.shape != fired.shape:
            raise WrongUse(f"a recording needs a neuron for each time; times are {times.shape}, neurons {fired.shape}.")
        if np.ndim(self.weights) != 2 or np.shape(self.weights)[1] != len(self.names):
            raise WrongUse(f"weights have the shape {np.shape(self.weights)}; they must be (inputs, {len(self.names)}).")
        if times.size and not (np.isfinite(times).all() and 0 <= times.min() and times.max() <= self.duration_s):
            raise WrongUse(f"spike times must lie between 0 and duration_s={self.duration_s:g} seconds.")
        if times.size and not (0 <= fired.min() and fired.max() < len(self.names)):
            raise WrongUse(f"neurons run from {fired.min()} to {fired.max()}; there are {len(self.names)}.")

    def __repr__(self) -> str:
        return f"<Recording of {len(self.names)} neurons, {len(self.times_s)} spikes in {self.duration_s:g} s>"

    def train(self, neuron: int) -> np.ndarray:
        """The times of one neuron's spikes, in seconds."""
        return self.times_s[self.neurons == neuron]


def recorded(classifier: SpikingClassifier, X: Any) -> Recording:
    """What the class neurons of a trained `SpikingClassifier` fire at the trials X, one after another, learning switched off.

    They are the spikes by which `predict` answers.

    Raises
    ------
    WrongUse
        Another learner, or X of another width.
    NotFittedError
        It is not fitted.
    """
    _check(classifier)
    shown = copy.copy(classifier)
    shown.activity_ = dict(getattr(classifier, "activity_", {}))
    runs: list[dict[str, np.ndarray]] = []

    class Kept:
        def run(self, *given: Any, **named: Any) -> dict[str, np.ndarray]:
            runs.append(classifier._program.run(*given, **named))
            return runs[-1]

    trial_s = classifier.trial_ms / 1e3
    shown.__dict__["_program"] = Kept() if hasattr(classifier, "_program") else None
    trials = len(shown.represent(X))
    starts = np.arange(len(runs)) * classifier.block * trial_s  # every run but the last has `block` trials
    times = np.concatenate([np.asarray(run["spike_time"]) + start for run, start in zip(runs, starts, strict=True)])
    fired = np.concatenate([np.asarray(run["spike_neuron"], dtype=np.int64) for run in runs])
    order = np.argsort(times, kind="stable")
    names = np.asarray(classifier.neuron_class_)
    return Recording(
        times[order], fired[order], trials * trial_s, trial_s, names, np.array(classifier.weights_, dtype=np.float64)
    )


def to_neo(recording: Recording) -> Any:
    """A `neo.Block` of one segment: a spike train for each neuron, an epoch for each trial, the weights as an annotation.

    Neo has no object for synapses: the block is annotated with `weights` (inputs, neurons), each train with `neuron` and `name`.

    Raises
    ------
    PlasticityError
        Neo is not installed.
    """
    neo = _package("neo")
    quantities = _package("quantities", "neo")
    block = neo.Block(name="plasticity", weights=recording.weights, trial_s=recording.trial_s)
    segment = neo.Segment(name="trials")
    block.segments.append(segment)
    for neuron, name in enumerate(recording.names):
        train = neo.SpikeTrain(
            recording.train(neuron), units="s", t_stop=recording.duration_s, name=str(name), neuron=neuron, neuron_class=name
        )
        segment.spiketrains.append(train)
    starts = np.arange(round(recording.duration_s / recording.trial_s)) * recording.trial_s
    lasting = np.full(len(starts), recording.trial_s)
    labels = np.arange(len(starts)).astype(str)
    segment.epochs.append(neo.Epoch(starts * quantities.s, lasting * quantities.s, labels, name="trials"))
    return block


def from_neo(block: Any) -> Recording:
    """The recording in a block that `to_neo` made.

    Raises
    ------
    WrongUse
        The block is no such one.
    """
    try:
        trains = list(block.segments[0].spiketrains)
        times = [np.asarray(train.rescale("s").magnitude, dtype=np.float64) for train in trains]
        names = np.array([train.annotations["neuron_class"] for train in trains])
        weights, trial_s = np.asarray(block.annotations["weights"]), float(block.annotations["trial_s"])
        duration_s = float(trains[0].t_stop.rescale("s"))
    except (AttributeError, IndexError, KeyError, TypeError):
        raise WrongUse("this block was not made by to_neo: it lacks trains with neuron_class, weights or trial_s.") from None
    return _gathered(times, duration_s, trial_s, names, weights)


@checked_but("recording")
def write_nwb(path: str | os.PathLike[str], recording: Recording, force: bool = False) -> None:
    """Write an NWB file: the neurons as units with their class, the trials as intervals, the weights as a table `weights`.

    Raises
    ------
    WrongUse
        A file is there already, and not `force`.
    PlasticityError
        PyNWB is not installed, or the file cannot be written.
    """
    if Path(path).exists() and not force:
        raise WrongUse(f"{path} is there already; give another path, or replace it with force=True.")
    pynwb, common = _package("pynwb"), _package("hdmf.common", "pynwb")
    began = datetime.datetime.now(datetime.UTC)
    file = pynwb.NWBFile("spikes and weights of a simulated network", str(uuid.uuid4()), began)
    file.add_unit_column("neuron_class", "what the neuron stands for")
    for neuron, name in enumerate(recording.names):
        file.add_unit(spike_times=recording.train(neuron), obs_intervals=[[0.0, recording.duration_s]], neuron_class=str(name))
    for trial in range(round(recording.duration_s / recording.trial_s)):
        file.add_trial(trial * recording.trial_s, (trial + 1) * recording.trial_s)
    column = common.VectorData(
        name="weight", description="of the synapses of one input onto every neuron, in the order of the units; no unit",
        data=recording.weights,
    )  # fmt: skip
    table = common.DynamicTable(name="weights", description="plastic synapses, a row for each input", columns=[column])
    file.create_processing_module("synapses", "weights after training").add(table)
    try:
        with pynwb.NWBHDF5IO(str(path), "w") as out:
            out.write(file)
    except OSError as problem:
        raise PlasticityError(f"cannot write {path} ({problem.strerror or problem}); give another place.") from None


def read_nwb(path: str | os.PathLike[str]) -> Recording:
    """The recording in a file that `write_nwb` wrote; the classes come back as texts.

    Raises
    ------
    WrongUse
        The file is no such one.
    PlasticityError
        It is missing or damaged, or PyNWB is not installed.
    """
    pynwb = _package("pynwb")
    if not Path(path).is_file():
        raise PlasticityError(f"there is no file {path}; give one that write_nwb wrote.")
    try:
        with pynwb.NWBHDF5IO(str(path), "r") as held:
            file = held.read()
            units, trials = file.units, file.trials
            times = [np.asarray(units["spike_times"][k], dtype=np.float64) for k in range(len(units))]
            names = np.array([str(name) for name in units["neuron_class"][:]])
            weights = np.asarray(file.processing["synapses"]["weights"]["weight"][:], dtype=np.float64)
            duration_s, trial_s = float(trials["stop_time"][-1]), float(trials["stop_time"][0])
    except (AttributeError, IndexError, KeyError, TypeError):
        raise WrongUse(f"{path} was not written by write_nwb: it lacks units with neuron_class, trials or weights.") from None
    except OSError as problem:
        first = " ".join(str(problem).split())
        raise PlasticityError(f"{path} is damaged or no NWB file ({first}); restore it from a copy.") from None
    return _gathered(times, duration_s, trial_s, names, weights)


NOT_IN_NIR = (
    "the refractory period of class neurons (2 ms)",
    "which of the class neurons that pass threshold in one time step is first, and fires alone",
    "resets that subtract the threshold",
    "potentials that are set back at the beginning of each trial",
    "the encoder: rates become spikes before `input`",
    "the gate: gains are on the rates before `input`",
    "learning, the teacher, and thresholds that adapt: this is the network as it answers",
)
"""What the network does and NIR has no word for; `to_nir` writes it into the metadata of the graph."""


def to_nir(classifier: SpikingClassifier) -> Any:
    """A trained `SpikingClassifier` as it answers, as a `nir.NIRGraph`; `nir.write(path, graph)` keeps it in a file.

    input -> project -> relay -> plastic -> output -> answer, and output -> compete -> output.

    `input` are the spikes of all streams; `project` a weight from each input to the relay neuron of its place; `relay`
    perfect and `output` leaky integrate-and-fire neurons, with `r` such that a spike of weight w moves a potential by w;
    `plastic` the trained weights times `drive`; `compete` inhibition among the class neurons. Thresholds of `output` are at the
    mean of all adapted ones, as when it answers. Answers are the classes (`metadata["classes"]`) whose neurons (`neuron_class`)
    fire most. What NIR has no word for is told in `metadata["left_out"]` (`NOT_IN_NIR`).

    Raises
    ------
    WrongUse
        Another learner.
    NotFittedError
        It is not fitted.
    PlasticityError
        NIR is not installed.
    """
    _check(classifier)
    nir = _package("nir")
    features, neurons = classifier.weights_.shape
    network = classifier._network(features, len(classifier.classes_))
    values: dict[str, Any] = classifier._values
    streams = classifier.streams

    def leaky(neuron: Any, count: int, raised: float) -> Any:
        told = neuron.parameters
        tau = np.full(count, float(told["tau_m"] / second))
        rest, reset = (np.full(count, float(told[name])) for name in ("rest", "reset"))
        return nir.LIF(tau=tau, r=tau, v_leak=rest, v_threshold=np.full(count, float(told["threshold"]) + raised), v_reset=reset)

    nodes = {
        "input": nir.Input({"input": np.array([streams * features])}),
        "project": nir.Linear(values["relay_weight"] * np.tile(np.eye(features), streams)),
        "relay": nir.IF(r=np.ones(features), v_threshold=np.full(features, float(network.relay.parameters["threshold"]))),
        "plastic": nir.Linear(values["drive"] * classifier.weights_.T),
        "output": leaky(network.output, neurons, float(classifier.theta_.mean())),
        "compete": nir.Linear(-values["inhibition"] * (1 - np.eye(neurons))),
        "answer": nir.Output({"output": np.array([neurons])}),
    }
    edges = [
        ("input", "project"), ("project", "relay"), ("relay", "plastic"), ("plastic", "output"), ("output", "compete"),
        ("compete", "output"), ("output", "answer"),
    ]  # fmt: skip
    told = {
        "classes": ",".join(map(str, classifier.classes_)),
        "neuron_class": ",".join(map(str, classifier.neuron_class_)),
        "trial_ms": float(classifier.trial_ms),
        "max_rate_hz": float(classifier.max_rate_hz),
        "left_out": "; ".join(NOT_IN_NIR),
    }
    return nir.NIRGraph(nodes, edges, metadata=told)


def _check(classifier: Any) -> None:
    from sklearn.utils.validation import check_is_fitted

    from plasticity.learners import SpikingClassifier

    if not isinstance(classifier, SpikingClassifier):
        raise WrongUse(f"{type(classifier).__name__} cannot be written in these formats; give a trained SpikingClassifier.")
    check_is_fitted(classifier, "weights_")


def _package(module: str, package: str = "") -> Any:
    """A module of somebody else's; PlasticityError where it is not installed."""
    try:
        return import_module(module)
    except ImportError:
        raise PlasticityError(f"this needs {package or module}; type: pip install {package or module}") from None


def _gathered(times: list[np.ndarray], duration_s: float, trial_s: float, names: np.ndarray, weights: np.ndarray) -> Recording:
    """A recording of the spike trains of all neurons."""
    every = np.concatenate(times) if times else np.zeros(0)
    fired = np.repeat(np.arange(len(times)), [len(train) for train in times])
    order = np.lexsort((fired, every))
    return Recording(every[order], fired[order], duration_s, trial_s, names, weights)
