"""How fast, and how does it grow? The network of Diehl & Cook here and by other means, in one sitting on one machine.

    plasticity bench                hand-written loop, plain Brian2, second start, seeds side by side, growth
    plasticity bench --peers        also BindsNET and NEST, each installed into an environment of its own in the cache

Every program shows the same images (MNIST where it is there, else scikit-learn's scans enlarged to 28x28), one after the other
with learning on, from the same trained weights and thresholds (`warm` images of training by the network itself). Only the loop is
timed; setup and compilation are told apart. Best of `repeats`, one thread each, while nothing else of the bench runs.

    time of an image        784 inputs to `neurons`, dt 0.5 ms, 350 ms shown and 150 ms dark
    hand-written loop       simulations/peers/loop.cpp, float32, g++ -O3 -march=native; also with -ffast-math, which this library
                            uses, and with a random number for each input and step instead of one for each spike
    Brian2, Cython          simulations/peers/brian2_cython.py: a plain script, one `run` for each part of an image, double
    BindsNET 0.3.4          DiehlAndCook2015, 350 steps of 1 ms, input spikes drawn before the clock starts; ours: 351 steps
    NEST 3.10               stdp_synapse between as many Poisson trains and neurons, at the mean rate of the images. Time for an
                            input spike and synapse: what the synapses add to the network without them (ours: what lit images add
                            to dark ones), and, told beside it, the whole time of either program by its synaptic events

The slow programs show the first `slow_images` images, and are held against ours with these alone.

Growth: time and memory against neurons and images. Memory is the largest resident size of the compiled program, less that of one
with two neurons and two images, against the bytes of its plastic state (weights, thresholds, traces) and of the images that it is
given at once: 1000, as in training, of 8 bytes a pixel. Told beside it: what is left without these images, by the plastic state.

The record says versions, compiler and processor. A peer that cannot be had is left out and its reason is told.
"""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import venv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import joblib
import numpy as np

from plasticity.datasets import LOADERS, status
from plasticity.engine import Program, backend, cache_folder, compiler, program
from plasticity.errors import PlasticityError, WrongUse
from plasticity.parallel import Progress, each
from plasticity.settings import setting
from simulations.simulation import Check, Outcome, Simulation, script

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from plasticity.networks.diehl_cook import DiehlCook
    from plasticity.records import Record

PEERS = Path(__file__).parent / "peers"
INPUTS = 784
LIT, DARK = 700, 300  # steps of 0.5 ms
ENVIRONMENTS = {  # name: what pip is told, one call after the other
    "bindsnet": (("--no-deps", "bindsnet==0.3.4"), ("torch>=2.6,<2.14", "numpy", "scipy")),
    "nest": (("nest-simulator==3.10.*", "numpy"),),
}
BARS = {  # measure: (bar, aim), of the ratio peer/ours
    "Brian2, Cython target": (50.0, 100.0),
    "BindsNET, dt 1 ms": (25.0, 60.0),
    "hand-written loop": (1 / 1.5, 1 / 1.1),
    "the same, -ffast-math": (1 / 1.5, 1 / 1.1),
    "NEST stdp_synapse, synaptic event": (40.0, 80.0),
    "first start": (20.0, None),
}


def _row(measure: str, ours: float, peer: float, unit: str, note: str) -> dict[str, Any]:
    return {"measure": measure, "ours": ours, "peer": peer, "unit": unit, "note": note}


LOOPS = {  # measure: flags
    "hand-written loop": "-O3 -march=native -std=c++17",
    "the same, -ffast-math": "-O3 -march=native -std=c++17 -ffast-math",
    "the same, a random number a step": "-O3 -march=native -std=c++17 -DPER_STEP",
}


class NotHad(Exception):
    """Why a peer could not be measured."""


@dataclass(frozen=True)
class Bench(Simulation):
    __doc__ = __doc__

    name: ClassVar[str] = "bench"
    summary: ClassVar[str] = "time and memory of the Diehl & Cook network against a hand-written loop, Brian2, BindsNET and NEST"
    source: ClassVar[str] = "measured; network: Diehl & Cook 2015, doi:10.3389/fncom.2015.00099"
    default_seeds: ClassVar[int] = 1
    published: ClassVar[bool] = False  # times of one machine: not part of `plasticity reproduce`
    uses: ClassVar[tuple[str, ...]] = ("diehl_cook", "lif_conductance")

    peers: bool = setting(False, "install BindsNET and NEST into environments of their own and measure them")
    neurons: int = setting(400, "excitatory neurons", low=10, high=6400)
    images: int = setting(200, "images that are timed, in the fast programs", low=20, high=1000)
    slow_images: int = setting(6, "images that are timed, in the slow ones", low=2, high=1000)
    warm: int = setting(1000, "images of training before", low=20, high=10_000)
    repeats: int = setting(3, "measurements, of which the best counts", low=1, high=20)
    parallel_images: int = setting(
        300, "images in each of the eight trainings that run one after another and side by side; 0: none", low=0
    )
    grow_neurons: tuple[int, ...] = setting((100, 200, 400, 800, 1600, 3200, 6400), "neurons of the growth", low=2, high=20_000)
    grow_images: tuple[int, ...] = setting(
        (1000, 4000, 15_000, 60_000), "images of the growth, with 100 neurons", low=10, high=60_000
    )

    # -- the network ----------------------------------------------------------------------------------------------------

    def spec(self, neurons: int, images: int, dt_ms: float = 0.5, rest_ms: float = 150.0) -> DiehlCook:
        from brian2 import ms

        from plasticity.networks.diehl_cook import DiehlCook

        return DiehlCook(neurons=neurons, images=images, presentations=images, dt=dt_ms * ms, rest=rest_ms * ms)

    def given(self, spec: DiehlCook, start: dict[str, np.ndarray]) -> dict[str, Any]:
        """Inputs of a run that shows `start["images"]` (Hz) once each, learning on."""
        numbers = {"first": 1.0, "enough": 0, "total": 78.0, "w_ei": 10.4, "w_ie": 17.0, "learn": 1.0, "plastic": 1.0}
        numbers |= {"control.image": -1, "control.count": 10**6, "control.intensity": 0.0, "last": len(start["images"])}
        state = {"plastic.w": start["weights"].ravel(), "excitatory.theta": start["theta"], "images": start["images"]}
        return {**spec.values(), **numbers, **state}

    def run(self, seeds: Sequence[int], jobs: int, progress: Progress) -> Outcome:
        from plasticity.networks.diehl_cook import build

        if not compiler():
            raise WrongUse("bench measures compiled networks: install g++ and make (Debian, Ubuntu: apt install g++ make).")
        steps = ["second start", "loop", "Brian2"] + ["BindsNET", "NEST"] * self.peers
        steps += ["seeds"] * bool(self.parallel_images) + ["neurons", "images"]
        done = iter(range(1, len(steps) + 1))
        progress(0.0, note=steps[0])

        def next_step() -> None:
            k = next(done)
            progress(k / len(steps), note=steps[k] if k < len(steps) else "")

        pictures, source = pixels()
        numbers: dict[str, Any] = {"images": source, "compiler": compiler(), "processor": processor(), "threads": 1}
        rows: list[dict[str, Any]] = []  # measure, ours, peer, unit, note
        reasons: dict[str, str] = {}

        first, second, whole = starts(self.neurons)
        rows.append(_row("first start", second, first, "s", "program() and one image; compilation included in the first"))
        numbers["second_start_s"], numbers["second_start_with_imports_s"] = second, whole
        next_step()

        spec = self.spec(self.neurons, self.images)
        compiled = program(build, spec.structure())
        numbers["compile_s"] = compiled.manifest["compile_s"]
        trained = warm(self, pictures[: self.warm])
        start = {"images": pictures[self.warm : self.warm + self.images] * np.float32(255 / 4), **trained}
        lit = self.timed(compiled, spec, start)
        dark = self.timed(compiled, spec, {**start, "images": 0 * start["images"]})
        found = compiled.run(0, self.given(spec, start))
        into = float(start["images"].sum() * 0.35 / self.images)  # input spikes at an image
        numbers |= {"ms_per_image": 1e3 * lit, "ms_per_dark_image": 1e3 * dark, "input_spikes_per_image": into}
        numbers["output_spikes_per_image"] = len(found["spike_time"]) / self.images

        with tempfile.TemporaryDirectory(prefix="plasticity-bench-") as folder:
            file = Path(folder) / "start.npz"
            np.savez(file, **start)  # type: ignore[arg-type]
            raw = file.with_suffix(".f32")
            raw.write_bytes(
                b"".join(np.ascontiguousarray(start[k], np.float32).tobytes() for k in ("images", "weights", "theta"))
            )
            for title, flags in LOOPS.items():
                binary = Path(folder) / "loop"
                build_it = [os.environ.get("CXX", "g++"), *flags.split(), PEERS / "loop.cpp", "-o", binary]
                subprocess.run([str(word) for word in build_it], check=True)
                words = [str(binary), str(raw), self.images, INPUTS, self.neurons, 0.5, LIT, DARK]
                peer, told = self.best(words, self.images)
                note = f"g++ {told['version']}, {told['output_spikes'] / self.images:.1f} output spikes an image"
                rows.append(_row(title, 1e3 * lit, 1e3 * peer, "ms/image", note))
            next_step()
            few = {**start, "images": np.resize(start["images"][: self.slow_images], start["images"].shape)}  # the same as theirs
            same = self.timed(compiled, spec, few)
            peer, told = self.best([sys.executable, PEERS / "brian2_cython.py", file, self.slow_images, 0.5], self.slow_images)
            note = f"Brian2 {told['version']}, {told['output_spikes'] / self.slow_images:.1f} output spikes an image"
            rows.append(_row("Brian2, Cython target", 1e3 * same, 1e3 * peer, "ms/image", note))
            next_step()
            if self.peers:
                coarse = self.spec(self.neurons, self.images, 1.0, 1.0)
                ours = self.timed(program(build, coarse.structure()), coarse, few)
                numbers["ms_per_image_dt_1ms"] = 1e3 * ours
                with not_had(reasons, "BindsNET"):
                    words = [environment("bindsnet"), PEERS / "bindsnet_model.py", file, self.slow_images]
                    peer, told = self.best(words, self.slow_images)
                    rows.append(
                        _row(
                            "BindsNET, dt 1 ms",
                            1e3 * ours,
                            1e3 * peer,
                            "ms/image",
                            f"BindsNET {told['version']}, {told['output_spikes'] / self.slow_images:.1f} output spikes an image",
                        )
                    )
                next_step()
                with not_had(reasons, "NEST"):
                    hz = numbers["output_spikes_per_image"] / self.neurons / 0.5
                    count = 20
                    words = [environment("nest"), PEERS / "nest_synapses.py", file, count, 0.5, hz, self.repeats]
                    told = call(words)
                    peer = told["seconds"]
                    events, own = told["input_spikes"] * self.neurons, into * self.neurons
                    note = f"NEST {told['version']}, {told['input_spikes'] / count:.0f} input spikes in 500 ms, ours {into:.0f}"
                    rows.append(
                        _row("NEST stdp_synapse, synaptic event", 1e9 * (lit - dark) / own, 1e9 * peer / events, "ns/event", note)
                    )
                    rows.append(
                        _row(
                            "NEST, whole program by its events",
                            1e9 * lit / own,
                            1e9 * told["seconds_whole"] / events,
                            "ns/event",
                            note,
                        )
                    )
                next_step()
        if self.parallel_images:
            efficiency, alone, together = side_by_side(self, pictures, jobs)
            numbers |= {"seeds_efficiency": efficiency, "seeds_alone_s": alone, "seeds_together_s": together, "seeds_jobs": jobs}
            next_step()
        arrays = grow(self, pictures, trained)
        next_step()
        arrays |= grow_in_images(self, pictures)
        progress(1.0)
        for row in rows:
            numbers[f"ratio: {row['measure']}"] = row["peer"] / row["ours"]
        numbers["rows"], numbers["not had"] = rows, reasons
        numbers |= exponents(arrays)
        if len(arrays.get("neurons", ())):
            data = arrays["neurons_least_bytes"] - arrays["neurons_state_bytes"]
            left = (arrays["neurons_bytes"] - data) / arrays["neurons_state_bytes"]
            for neurons, share in zip(arrays["neurons"], left, strict=True):
                numbers[f"memory without images / plastic state, {neurons} neurons"] = float(share)
        return Outcome(numbers, judge(numbers, arrays), arrays, backend())

    def timed(self, compiled: Program, spec: DiehlCook, start: dict[str, np.ndarray]) -> float:
        """Seconds for an image: of a run with all of them less one with a single image, so that starting up is left out."""
        given = self.given(spec, start)

        def seconds(images: int) -> float:
            began = time.perf_counter()
            compiled.run(0, given, duration=images * spec.presentation)
            return time.perf_counter() - began

        seconds(1)
        short = min(seconds(1) for _ in range(self.repeats))
        return (min(seconds(spec.images) for _ in range(self.repeats)) - short) / (spec.images - 1)

    def best(self, words: Sequence[Any], images: int) -> tuple[float, dict[str, Any]]:
        """The best of several runs of a peer: seconds for an image, and what it told."""
        told = [call(words) for _ in range(self.repeats)]
        fastest = min(told, key=lambda entry: entry["seconds"])
        return fastest["seconds"] / images, fastest

    def figures(self, record: Record) -> dict[str, Figure]:
        from simulations import figures

        with figures.style():
            drawn = {"ratios": ratios(record)}
            if "neurons" in record.arrays:
                drawn["growth"] = growth(record)
            return drawn


# Measuring


def call(words: Sequence[Any]) -> dict[str, Any]:
    """A program on one thread; its last line, as JSON."""
    one = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, env={**os.environ, **one}, timeout=1800)
    try:
        return json.loads(done.stdout.strip().splitlines()[-1])
    except (IndexError, ValueError):
        raise NotHad(f"{Path(str(words[1])).name} ended with status {done.returncode}: {done.stderr.strip()[-200:]}") from None


@dataclasses.dataclass
class not_had:
    """Notes why a peer cannot be measured and goes on."""

    reasons: dict[str, str]
    name: str

    def __enter__(self) -> None: ...

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> bool:
        if isinstance(error, (NotHad, OSError, subprocess.SubprocessError)):
            self.reasons[self.name] = " ".join(str(error).split())[:300]
            return True
        return False


def environment(name: str) -> Path:
    """The Python of a peer's own environment in the cache, made when it is not there."""
    folder = cache_folder() / "peers" / name
    python = folder / "bin" / "python"
    if not (folder / "installed").exists():
        venv.create(folder, with_pip=True, clear=True)
        for words in ENVIRONMENTS[name]:
            made = subprocess.run(
                [str(python), "-m", "pip", "install", "--quiet", *words], capture_output=True, text=True, timeout=1800
            )
            if made.returncode:
                raise NotHad(f"pip install {' '.join(words)} failed: {made.stderr.strip()[-200:]}")
        (folder / "installed").write_text("")
    return python


def pixels() -> tuple[np.ndarray, str]:
    """Images of 784 pixels from 0 to 1, and where they come from."""
    if status("mnist").state == "present":
        return LOADERS["mnist"]().pixels[:60_000] / np.float32(255), "MNIST"
    from scipy.ndimage import zoom

    scans = LOADERS["digits"]().pixels.reshape(-1, 8, 8) / 16
    large = np.clip(zoom(scans, (1, 3.5, 3.5), order=1), 0, 1).reshape(len(scans), -1)
    large *= 0.1307 / large.mean()  # as bright as MNIST
    return np.tile(large.astype(np.float32), (34, 1))[:60_000], "scikit-learn's digits, enlarged (MNIST is not here)"


def processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []:
        if line.startswith("model name"):
            return f"{line.partition(':')[2].strip()}, {joblib.cpu_count()} cores"
    return f"{joblib.cpu_count()} cores"


def warm(bench: Bench, X: np.ndarray) -> dict[str, np.ndarray]:
    """Weights and thresholds after some training."""
    from plasticity.unsupervised import DiehlCookClassifier

    learner = DiehlCookClassifier(neurons=bench.neurons, label_images=10, block=max(20, len(X)))
    learner.fit(X, np.arange(len(X)) % 2)  # classes play no part in learning
    return {"weights": learner.weights_.astype(np.float32), "theta": learner.theta_.astype(np.float32)}


_START = """
import sys, time
began = time.perf_counter()
import numpy as np
from plasticity.engine import program
from plasticity.networks.diehl_cook import DiehlCook, build
imported = time.perf_counter()
spec = DiehlCook(neurons=int(sys.argv[1]), images=17, presentations=17)
made = program(build, spec.structure())
made.run(0, {**spec.values(), "images": np.full((1, 784), 5.0), "last": 1}, duration=spec.presentation)
now = time.perf_counter()
print('{"seconds": %r, "whole": %r}' % (now - imported, now - began))
"""


def starts(neurons: int) -> tuple[float, float, float]:
    """Seconds of a first start (empty cache, compilation included) and of a second, imports apart; the second with imports."""
    with tempfile.TemporaryDirectory(prefix="plasticity-bench-") as cache:
        environment = {**os.environ, "PLASTICITY_CACHE": cache}

        def start() -> dict[str, float]:
            words = [sys.executable, "-c", _START, str(neurons)]
            done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=600)
            if done.returncode:
                raise PlasticityError(f"the start that was to be timed failed: {done.stderr.strip()[-300:]}")
            return json.loads(done.stdout)

        first = start()["seconds"]
        again = min((start() for _ in range(3)), key=lambda told: told["seconds"])
        return first, again["seconds"], again["whole"]


def side_by_side(bench: Bench, pictures: np.ndarray, jobs: int) -> tuple[float, float, float]:
    """Eight trainings one after another, and `jobs` at a time: efficiency, seconds, seconds."""
    from plasticity.unsupervised import DiehlCookClassifier

    X = pictures[: bench.parallel_images]
    labels = np.arange(len(X)) % 2

    def one(seed: int, tell: Progress) -> float:
        learner = DiehlCookClassifier(neurons=bench.neurons, label_images=10, block=max(20, len(X)), random_state=seed)
        return float(learner.fit(X, labels).weights_.sum())

    def seconds(at_once: int) -> float:
        began = time.perf_counter()
        list(each(one, range(8), at_once))
        return time.perf_counter() - began

    one(0, lambda fraction: None)  # compiles
    alone, together = seconds(1), seconds(jobs)
    return alone / together / jobs, alone, together


class Watch(threading.Thread):
    """The largest resident size, in bytes, of any compiled program that this process has running (Linux)."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.peak, self.over = 0, threading.Event()

    def __enter__(self) -> Watch:
        self.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self.over.set()
        self.join()

    def run(self) -> None:
        while not self.over.wait(0.002):
            for pid in children():
                try:
                    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
                except OSError:
                    continue
                told = dict(line.split(":", 1) for line in lines if ":" in line)
                if told.get("Name", "").strip() == "main" and "VmHWM" in told:
                    self.peak = max(self.peak, 1024 * int(told["VmHWM"].split()[0]))


def children() -> Iterator[str]:
    for listed in Path("/proc/self/task").glob("*/children"):
        try:
            yield from listed.read_text().split()
        except OSError:
            continue


def grow(bench: Bench, pictures: np.ndarray, trained: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Time of an image and memory of the program against neurons."""
    from plasticity.networks.diehl_cook import build

    images, block = 50, 1000
    rng = np.random.default_rng(0)
    shown = pictures[bench.warm : bench.warm + images] * np.float32(255 / 4)
    empty = 0.0
    found = []
    for neurons in (2, *bench.grow_neurons):
        pick = rng.integers(0, bench.neurons, neurons)  # trained neurons, some of them more than once
        start = {"images": shown, "weights": trained["weights"][:, pick], "theta": trained["theta"][pick]}
        spec = bench.spec(neurons, images)
        seconds = bench.timed(program(build, spec.structure()), spec, start) if neurons > 2 else 0.0
        spec = bench.spec(neurons, block if neurons > 2 else 2)
        full = {**start, "images": np.resize(shown, (spec.images, INPUTS))}
        compiled = program(build, spec.structure())
        with Watch() as watch:
            compiled.run(0, bench.given(spec, full), duration=min(5, spec.images) * spec.presentation)
        if neurons == 2:
            empty = watch.peak
            continue
        state = 4 * (INPUTS * neurons + INPUTS + 3 * neurons)  # weights; input traces; thresholds and output traces
        found.append((neurons, seconds, watch.peak - empty, state + 8 * block * INPUTS, state))
    names = ("neurons", "neurons_s", "neurons_bytes", "neurons_least_bytes", "neurons_state_bytes")
    return {name: np.array(column) for name, column in zip(names, zip(*found, strict=True), strict=True)} if found else {}


def grow_in_images(bench: Bench, pictures: np.ndarray) -> dict[str, np.ndarray]:
    """Time of a training and memory of its program against images."""
    from plasticity.unsupervised import DiehlCookClassifier

    found = []
    for images in bench.grow_images:
        X = pictures[:images]
        with Watch() as watch:
            learner = DiehlCookClassifier(neurons=100, label_images=10).fit(X, np.arange(len(X)) % 2)
        found.append((images, learner.seconds_["training"], watch.peak))
    names = ("images", "images_s", "images_bytes")
    return {name: np.array(column) for name, column in zip(names, zip(*found, strict=True), strict=True)} if found else {}


def exponents(arrays: dict[str, np.ndarray]) -> dict[str, float]:
    """Slopes of log time and log memory against log size, by least squares; of neurons also over the larger half alone."""
    told = {}
    for x, y in (("neurons", "neurons_s"), ("neurons", "neurons_bytes"), ("images", "images_s")):
        if len(arrays.get(x, ())) > 1:
            told[f"exponent: {y.replace('_s', ' time').replace('_bytes', ' memory')}"] = slope(arrays[x], arrays[y])
        if x == "neurons" and len(arrays.get(x, ())) > 3:
            half = len(arrays[x]) // 2
            title = f"exponent: {y.replace('_s', ' time').replace('_bytes', ' memory')}, larger half"
            told[title] = slope(arrays[x][half:], arrays[y][half:])
    return told


def slope(x: np.ndarray, y: np.ndarray) -> float:
    return float(np.polyfit(np.log(x), np.log(np.maximum(y, 1e-12)), 1)[0])


def judge(numbers: dict[str, Any], arrays: dict[str, np.ndarray]) -> list[Check]:
    """The bars, as ratios measured in this sitting."""
    checks = []
    for row in numbers["rows"]:
        ratio, text = row["peer"] / row["ours"], f"{row['measure']}: time / ours"
        if row["measure"] in BARS:
            bar, aim = BARS[row["measure"]]
            wanted = f"at least {bar:.3g}" + (f", aim {aim:.3g}" if aim else "")
            source = f"{row['peer']:.4g} against {row['ours']:.4g} {row['unit']}; {row['note']}"
            checks.append(Check(text, wanted, ratio, "at least the bar", source, bool(ratio >= bar)))
    second = numbers["second_start_s"]
    whole = f"with Python's imports {numbers['second_start_with_imports_s']:.2f} s"
    checks.append(Check("second start (s), imports apart", "under 0.3", second, "below", whole, bool(second < 0.3)))
    if "seeds_efficiency" in numbers:
        alone, together, jobs = (numbers[f"seeds_{name}"] for name in ("alone_s", "together_s", "jobs"))
        told = f"{alone:.1f} s one after another, {together:.1f} s with {jobs} jobs"
        share = numbers["seeds_efficiency"]
        checks.append(
            Check(
                "eight seeds on all cores: efficiency",
                "at least 0.85, aim 0.95",
                share,
                "at least the bar",
                told,
                bool(share >= 0.85),
            )
        )
    if len(arrays.get("neurons_bytes", ())) and arrays["neurons_bytes"].max() > 0:
        worst = float((arrays["neurons_bytes"] / arrays["neurons_least_bytes"]).max())
        told = "largest over all sizes; " + ", ".join(
            f"{n}: {b / 1e6:.1f} of {least / 1e6:.1f} MB"
            for n, b, least in zip(arrays["neurons"], arrays["neurons_bytes"], arrays["neurons_least_bytes"], strict=True)
        )
        checks.append(
            Check("memory / (plastic state + images given at once)", "at most 1.5", worst, "at most", told, bool(worst <= 1.5))
        )
    return checks


def markdown(numbers: dict[str, Any]) -> str:
    """The measured ratios to others as a table for the README."""
    lines = ["| measure | theirs | ours | theirs / ours | wanted at least, aim |", "|---|---|---|---|---|"]
    for row in numbers["rows"]:
        if row["unit"] == "s":  # this library against itself
            continue
        bar, aim = BARS.get(row["measure"], (None, None))
        wanted = "-" if bar is None else f"{bar:.3g}" + (f", {aim:.3g}" if aim else "")
        unit, ratio = row["unit"], row["peer"] / row["ours"]
        lines.append(f"| {row['measure']} | {row['peer']:.3g} {unit} | {row['ours']:.3g} {unit} | {ratio:.3g} | {wanted} |")
    return "\n".join(lines)


# Figures


def ratios(record: Record) -> Figure:
    """How many times slower each peer is, with the bar that was set."""
    from simulations import figures

    rows = [row for row in record.numbers["rows"] if row["unit"] != "s"]
    figure, axes = figures.new(7.2, 1.3 + 0.42 * len(rows))
    axis = axes[0, 0]
    for place, row in enumerate(rows):
        ratio = row["peer"] / row["ours"]
        axis.barh(place, ratio - 0.05, left=0.05, color=figures.SKY, height=0.6)
        text = f"{ratio:.3g} ({row['peer']:.3g} against {row['ours']:.3g} {row['unit']})"
        axis.text(ratio * 1.1, place, text, va="center", fontsize=8)
        if row["measure"] in BARS:
            axis.plot([BARS[row["measure"]][0]] * 2, [place - 0.38, place + 0.38], color=figures.VERMILION, linewidth=2)
    axis.set_xscale("log")
    axis.set_xlim(0.05, 300 * max(row["peer"] / row["ours"] for row in rows))
    axis.axvline(1, color=figures.BLACK, linewidth=0.8)
    axis.set_yticks(range(len(rows)), [row["measure"] for row in rows])
    axis.invert_yaxis()
    axis.set_xlabel("time of the peer / time of this library (log scale)")
    figures.caption(
        figure,
        f"784 inputs, {record.configuration['settings']['neurons']} neurons, {record.numbers['processor']}; red: the bar",
    )
    return figure


def growth(record: Record) -> Figure:
    """Time and memory against neurons, time against images; on log scales with the fitted slope."""
    from matplotlib.ticker import LogLocator

    from simulations import figures

    arrays, told = record.arrays, record.numbers
    figure, axes = figures.new(9.0, 3.4, columns=3)
    panels = [("neurons", "neurons_s", 1e3, "neurons", "time of an image (ms)", "exponent: neurons time, larger half")]
    panels += [
        ("neurons", "neurons_bytes", 1e-6, "neurons", "memory of the program (MB)", "exponent: neurons memory, larger half")
    ]
    if "images" in arrays:
        panels += [("images", "images_s", 1.0, "images", "training, 100 neurons (s)", "exponent: images time")]
    for axis, (x, y, factor, label, title, exponent) in zip(axes[0], panels, strict=False):
        axis.loglog(arrays[x], factor * arrays[y], "o-", color=figures.VERMILION, label="measured")
        if y == "neurons_bytes":
            axis.loglog(
                arrays[x], factor * arrays["neurons_least_bytes"], "s--", color=figures.BLUE, label="plastic state and images"
            )
            axis.legend(loc="upper left")
        axis.set_xticks(arrays[x], [f"{size:,}" for size in arrays[x]], rotation=45)
        axis.minorticks_off()
        axis.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.yaxis.set_major_formatter("{x:g}")
        axis.set_xlabel(label)
        axis.set_ylabel(title)
        if exponent in told:
            axis.set_title(f"slope {told[exponent]:.2f}" + (", larger half" if "half" in exponent else ""), loc="left")
    figures.caption(figure, f"dt 0.5 ms, one thread, best of {record.configuration['settings']['repeats']}, {told['processor']}")
    return figure


if __name__ == "__main__":
    script(Bench)
