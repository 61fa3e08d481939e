"""How fast is the network of Diehl & Cook here, and by other means, in one sitting on one machine?

    time of an image        784 inputs to `neurons`, dt 0.5 ms, 350 ms shown and 150 ms dark
    hand-written loop       simulations/peers/loop.cpp, float32, g++ -O3 -march=native; also with -ffast-math, which this library
                            uses, and with a random number for each input and step instead of one for each spike
    Brian2, Cython          simulations/peers/brian2_cython.py: a plain script, one `run` for each part of an image, double
    BindsNET 0.3.4          DiehlAndCook2015, 350 steps of 1 ms, input spikes drawn before the clock starts; ours: 351 steps
    NEST 3.10               stdp_synapse between as many Poisson trains and neurons, at the mean rate of the images. Time for an
                            input spike and synapse: what the synapses add to the network without them (ours: what lit images add
                            to dark ones), and, told beside it, the whole time of either program by its synaptic events

The slow programs show the first `slow_images` images, and are held against ours with these alone. A peer that cannot be had is
left out and its reason is told.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from brian2 import ms

from plasticity.datasets import DATASETS, status
from plasticity.engine import compiler
from plasticity.errors import WrongUse
from plasticity.learners import DiehlCookClassifier
from plasticity.networks.diehl_cook import DiehlCook
from plasticity.parallel import Progress, each
from plasticity.settings import setting
from simulations.figures import BLACK, SKY, VERMILION
from simulations.figures.kinds import Layer, line, moment, note, page, panel
from simulations.frame.checks import Check, within
from simulations.frame.execute import script
from simulations.frame.experiment import Arrays, Experiment, Session
from simulations.frame.stopwatch import call, environment, fastest, not_had, processor, starts, timed

if TYPE_CHECKING:
    from simulations.figures.kinds import Drawing

SOURCE = "measured; network: Diehl & Cook 2015, doi:10.3389/fncom.2015.00099"
PEERS = Path(__file__).parent / "peers"
INPUTS = 784
LIT, DARK = 700, 300  # steps of 0.5 ms
ENVIRONMENTS = {  # name: what pip is told, one call after the other
    "bindsnet": (("--no-deps", "bindsnet==0.3.4"), ("torch>=2.6,<2.14", "numpy", "scipy")),
    "nest": (("nest-simulator==3.10.*", "numpy"),),
}
LOOPS = {  # measure: flags
    "hand-written loop": "-O3 -march=native -std=c++17",
    "the same, -ffast-math": "-O3 -march=native -std=c++17 -ffast-math",
    "the same, a random number a step": "-O3 -march=native -std=c++17 -DPER_STEP",
}
BARS = {  # measure: (bar, aim), of the ratio peer/ours
    "Brian2, Cython target": (50.0, 100.0),
    "BindsNET, dt 1 ms": (25.0, 60.0),
    "hand-written loop": (1 / 1.5, 1 / 1.1),
    "the same, -ffast-math": (1 / 1.5, 1 / 1.1),
    "NEST stdp_synapse, synaptic event": (40.0, 80.0),
    "first start": (20.0, None),
}
FOLLOWS = ("ratio: ", "exponent: ", "memory without images", "checks")  # numbers that follow from others

# settings that are those of `network_growth` as well
NEURONS = setting(400, "excitatory neurons", low=10, high=6400)
WARM = setting(1000, "images of training before", low=20, high=10_000)
REPEATS = setting(3, "measurements, of which the best counts", low=1, high=20)


@dataclass(frozen=True)
class NetworkTime(Experiment):
    __doc__ = __doc__

    name: ClassVar[str] = "network_time"
    summary: ClassVar[str] = "time of the Diehl & Cook network beside a hand-written loop, Brian2, BindsNET and NEST"
    source: ClassVar[str] = SOURCE
    default_seeds: ClassVar[int] = 1
    published: ClassVar[bool] = False  # times of one machine: not part of `plasticity reproduce`
    part_of: ClassVar[str] = "bench"
    uses: ClassVar[tuple[str, ...]] = ("diehl_cook", "lif_conductance")

    peers: bool = setting(False, "install BindsNET and NEST into environments of their own and measure them")
    neurons: int = NEURONS
    images: int = setting(200, "images that are timed, in the fast programs", low=20, high=1000)
    slow_images: int = setting(6, "images that are timed, in the slow ones", low=2, high=1000)
    warm: int = WARM
    repeats: int = REPEATS
    parallel_images: int = setting(
        300, "images in each of the eight trainings that run one after another and side by side; 0: none", low=0
    )

    def collect(self, session: Session) -> dict[str, np.ndarray]:
        """`measured`: everything as one text in JSON, for most of it are single numbers and words."""
        refuse_numpy()
        with tempfile.TemporaryDirectory(prefix="plasticity-bench-") as folder:
            sitting = _Sitting(self, session.jobs, Path(folder))
            steps = {"second start": sitting.starts, "loop": sitting.loop, "Brian2": sitting.brian2}
            steps |= {"BindsNET": sitting.bindsnet, "NEST": sitting.nest} if self.peers else {}
            steps |= {"seeds": sitting.side_by_side} if self.parallel_images else {}
            for k, (note, step) in enumerate(steps.items()):
                session.progress(k / len(steps), note=note)
                step()
        measured = {**sitting.measured, "rows": sitting.rows, "not had": sitting.reasons}
        return {"measured": np.array(json.dumps(measured))}

    def numbers(self, a: Arrays) -> dict[str, Any]:
        measured = json.loads(str(a["measured"]))
        last = {name: measured.pop(name) for name in ("rows", "not had")}
        return measured | {f"ratio: {row['measure']}": row["peer"] / row["ours"] for row in last["rows"]} | last

    def told(self, numbers: Mapping[str, Any]) -> dict[str, np.ndarray]:
        measured = {name: value for name, value in numbers.items() if not name.startswith(FOLLOWS)}
        return {"measured": np.array(json.dumps(measured))}

    def checks(self, a: Arrays) -> Iterable[Check]:
        told = self.numbers(a)
        for row in (row for row in told["rows"] if row["measure"] in BARS):
            bar, aim = BARS[row["measure"]]
            yield within(
                f"{row['measure']}: time / ours", row["peer"] / row["ours"], low=bar, tolerance="at least the bar",
                published=f"at least {bar:.3g}" + (f", aim {aim:.3g}" if aim else ""),
                source=f"{row['peer']:.4g} against {row['ours']:.4g} {row['unit']}; {row['note']}",
            )  # fmt: skip
        yield within(
            "second start (s), imports apart", told["second_start_s"], high=0.3, strict=True, published="under 0.3",
            tolerance="below", source=f"with Python's imports {told['second_start_with_imports_s']:.2f} s",
        )  # fmt: skip
        if "seeds_efficiency" in told:
            alone, together, jobs = (told[f"seeds_{name}"] for name in ("alone_s", "together_s", "jobs"))
            yield within(
                "eight seeds on all cores: efficiency", told["seeds_efficiency"], low=0.85, published="at least 0.85, aim 0.95",
                tolerance="at least the bar", source=f"{alone:.1f} s one after another, {together:.1f} s with {jobs} jobs",
            )  # fmt: skip

    def figures(self, a: Arrays) -> Mapping[str, Drawing]:
        """How many times slower each peer is, with the bar that was set."""
        told = self.numbers(a)
        rows = [row for row in told["rows"] if row["unit"] != "s"]
        found = np.array([row["peer"] / row["ours"] for row in rows])
        layers: list[Layer] = [lambda axis: axis.barh(range(len(rows)), found - 0.05, left=0.05, color=SKY, height=0.6) and None]
        for place, (row, ratio) in enumerate(zip(rows, found, strict=True)):
            text = f"{ratio:.3g} ({row['peer']:.3g} against {row['ours']:.3g} {row['unit']})"
            layers.append(note(text, (ratio * 1.1, place), va="center"))
            if row["measure"] in BARS:
                layers.append(line([BARS[row["measure"]][0]] * 2, [place - 0.38, place + 0.38], color=VERMILION, linewidth=2))
        drawn = panel(
            *layers, moment(1, color=BLACK), x="time of the peer / time of this library (log scale)", xscale="log",
            xlim=(0.05, 300 * found.max()), yticks=range(len(rows)), yticklabels=[row["measure"] for row in rows],
            then=lambda axis: axis.invert_yaxis(),
        )  # fmt: skip
        caption = f"{INPUTS} inputs, {self.neurons} neurons, {told['processor']}; red: the bar"
        return {"ratios": page([drawn], size=(7.2, 1.3 + 0.42 * len(rows)), caption=caption)}


@dataclass
class _Sitting:
    """What is measured, one after the other."""

    bench: NetworkTime
    jobs: int
    folder: Path
    rows: list[dict[str, Any]] = field(default_factory=list)
    reasons: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.pictures, source = pixels()
        self.measured: dict[str, Any] = {"images": source, "compiler": compiler(), "processor": processor(), "threads": 1}

    def row(self, measure: str, ours: float, peer: float, unit: str, note: str) -> None:
        self.rows.append({"measure": measure, "ours": ours, "peer": peer, "unit": unit, "note": note})

    def starts(self) -> None:
        first, second = starts(_START, self.bench.neurons)
        note = "program() and one image; compilation included in the first"
        self.row("first start", second["seconds"], first["seconds"], "s", note)
        self.measured |= {"second_start_s": second["seconds"], "second_start_with_imports_s": second["whole"]}

    def loop(self) -> None:
        b = self.bench
        spec = network(b.neurons, b.images)
        program = spec.program()
        self.measured["compile_s"] = program.manifest["compile_s"]
        images = self.pictures[b.warm : b.warm + b.images] * np.float32(255 / 4)
        self.start = start = {"images": images, **warmed(b.neurons, self.pictures[: b.warm])}
        self.lit = per_image(spec, start, b.repeats)
        self.dark = per_image(spec, {**start, "images": 0 * images}, b.repeats)
        found = program.run(0, run_inputs(start))
        self.into = float(images.sum() * 0.35 / b.images)  # input spikes at an image
        self.measured |= {"ms_per_image": 1e3 * self.lit, "ms_per_dark_image": 1e3 * self.dark}
        self.measured["input_spikes_per_image"] = self.into
        self.measured["output_spikes_per_image"] = len(found["spike_time"]) / b.images
        self.file = self.folder / "start.npz"
        np.savez(self.file, **start)  # type: ignore[arg-type]
        raw, binary = self.file.with_suffix(".f32"), self.folder / "loop"
        raw.write_bytes(b"".join(np.ascontiguousarray(start[k], np.float32).tobytes() for k in ("images", "weights", "theta")))
        for title, flags in LOOPS.items():
            subprocess.run([os.environ.get("CXX", "g++"), *flags.split(), str(PEERS / "loop.cpp"), "-o", str(binary)], check=True)
            self.beside(title, "g++", self.lit, b.images, [binary, raw, b.images, INPUTS, b.neurons, 0.5, LIT, DARK])

    def beside(self, title: str, name: str, ours: float, images: int, words: Sequence[Any]) -> None:
        """A program that shows so many images, beside our seconds for one."""
        told = fastest(words, self.bench.repeats)
        note = f"{name} {told['version']}, {told['output_spikes'] / images:.1f} output spikes an image"
        self.row(title, 1e3 * ours, 1e3 * (told["seconds"] / images), "ms/image", note)

    def ours(self, spec: DiehlCook) -> float:
        """Seconds for an image here, with the images of the slow programs alone."""
        images = self.start["images"]
        few = np.resize(images[: self.bench.slow_images], images.shape)
        return per_image(spec, {**self.start, "images": few}, self.bench.repeats)

    def brian2(self) -> None:
        same, few = self.ours(network(self.bench.neurons, self.bench.images)), self.bench.slow_images
        words = [sys.executable, PEERS / "brian2_cython.py", self.file, few, 0.5]
        self.beside("Brian2, Cython target", "Brian2", same, few, words)

    def bindsnet(self) -> None:
        same, few = self.ours(network(self.bench.neurons, self.bench.images, 1.0, 1.0)), self.bench.slow_images
        self.measured["ms_per_image_dt_1ms"] = 1e3 * same
        with not_had(self.reasons, "BindsNET"):
            python = environment("bindsnet", ENVIRONMENTS["bindsnet"])
            self.beside("BindsNET, dt 1 ms", "BindsNET", same, few, [python, PEERS / "bindsnet_model.py", self.file, few])

    def nest(self) -> None:
        with not_had(self.reasons, "NEST"):
            hz, count = self.measured["output_spikes_per_image"] / self.bench.neurons / 0.5, 20
            python = environment("nest", ENVIRONMENTS["nest"])
            told = call([python, PEERS / "nest_synapses.py", self.file, count, 0.5, hz, self.bench.repeats])
            events, own = told["input_spikes"] * self.bench.neurons, self.into * self.bench.neurons
            note = f"NEST {told['version']}, {told['input_spikes'] / count:.0f} input spikes in 500 ms, ours {self.into:.0f}"
            for title, ours, peer in (
                ("NEST stdp_synapse, synaptic event", self.lit - self.dark, told["seconds"]),
                ("NEST, whole program by its events", self.lit, told["seconds_whole"]),
            ):
                self.row(title, 1e9 * ours / own, 1e9 * peer / events, "ns/event", note)

    def side_by_side(self) -> None:
        """Eight trainings one after another, and `jobs` at a time."""
        X = self.pictures[: self.bench.parallel_images]
        labels = np.arange(len(X)) % 2

        def one(seed: int, tell: Progress) -> float:
            made = DiehlCookClassifier(neurons=self.bench.neurons, label_images=10, block=max(20, len(X)), random_state=seed)
            return float(made.fit(X, labels).weights_.sum())

        def seconds(at_once: int) -> float:
            began = time.perf_counter()
            list(each(one, range(8), at_once))
            return time.perf_counter() - began

        one(0, lambda fraction: None)  # compiles
        alone, together = seconds(1), seconds(self.jobs)
        self.measured |= {"seeds_efficiency": alone / together / self.jobs, "seeds_alone_s": alone}
        self.measured |= {"seeds_together_s": together, "seeds_jobs": self.jobs}


# The network


def network(neurons: int, images: int, dt_ms: float = 0.5, rest_ms: float = 150.0) -> DiehlCook:
    """What is measured."""
    return DiehlCook(neurons=neurons, images=images, presentations=images, dt=dt_ms * ms, rest=rest_ms * ms)


def run_inputs(start: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """Inputs of a run that shows `start["images"]` (Hz) once each, learning on."""
    numbers = {"first": 1.0, "enough": 0, "total": 78.0, "w_ei": 10.4, "w_ie": 17.0, "learn": 1.0, "plastic": 1.0}
    numbers |= {"control.image": -1, "control.count": 10**6, "control.intensity": 0.0, "last": len(start["images"])}
    return {**numbers, "plastic.w": start["weights"].ravel(), "excitatory.theta": start["theta"], "images": start["images"]}


def per_image(spec: DiehlCook, start: Mapping[str, np.ndarray], repeats: int) -> float:
    """Seconds for an image."""
    return timed(spec.program(), run_inputs(start), spec.presentation, spec.images, repeats)


def warmed(neurons: int, X: np.ndarray) -> dict[str, np.ndarray]:
    """Weights and thresholds after training on these images."""
    learner = DiehlCookClassifier(neurons=neurons, label_images=10, block=max(20, len(X)))
    learner.fit(X, np.arange(len(X)) % 2)  # classes play no part in learning
    return {"weights": learner.weights_.astype(np.float32), "theta": learner.theta_.astype(np.float32)}


def refuse_numpy() -> None:
    """WrongUse where networks are not compiled."""
    if not compiler():
        raise WrongUse("bench measures compiled networks: install g++ and make (Debian, Ubuntu: apt install g++ make).")


def pixels() -> tuple[np.ndarray, str]:
    """Images of 784 pixels from 0 to 1, and where they come from."""
    if status("mnist").state == "present":
        return DATASETS["mnist"]().pixels[:60_000] / np.float32(255), "MNIST"
    from scipy.ndimage import zoom

    scans = DATASETS["digits"]().pixels.reshape(-1, 8, 8) / 16
    large = np.clip(zoom(scans, (1, 3.5, 3.5), order=1), 0, 1).reshape(len(scans), -1)
    large *= 0.1307 / large.mean()  # as bright as MNIST
    return np.tile(large.astype(np.float32), (34, 1))[:60_000], "scikit-learn's digits, enlarged (MNIST is not here)"


_START = """
import sys, time
began = time.perf_counter()
import numpy as np
from plasticity.networks.diehl_cook import DiehlCook
imported = time.perf_counter()
spec = DiehlCook(neurons=int(sys.argv[1]), images=17, presentations=17)
spec.program().run(0, {"images": np.full((1, 784), 5.0), "last": 1}, duration=spec.presentation)
now = time.perf_counter()
print('{"seconds": %r, "whole": %r}' % (now - imported, now - began))
"""


if __name__ == "__main__":
    script(NetworkTime.name)
