"""How do time and memory of the Diehl & Cook network grow with neurons and images?

Memory is the largest resident size of the compiled program, less that of one with two neurons and two images, against the bytes
of its plastic state (weights, thresholds, traces) and of the images that it is given at once: 1000, as in training, of 8 bytes a
pixel. Told beside it: what is left without these images, by the plastic state.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from plasticity.learners import DiehlCookClassifier
from plasticity.settings import setting
from simulations.figures import BLUE, VERMILION
from simulations.figures.kinds import Panel, line, log_x, page, panel
from simulations.frame.checks import Check, within
from simulations.frame.execute import script
from simulations.frame.experiment import Arrays, Experiment, Session
from simulations.frame.stopwatch import Watch, processor
from simulations.frame.timed_network import BRIGHT, INPUTS, network, per_image, pixels, refuse_numpy, run_inputs, warmed
from simulations.network_time import NEURONS, REPEATS, SOURCE, WARM

if TYPE_CHECKING:
    from simulations.figures.kinds import Drawing

SHOWN, BLOCK = 50, 1000  # images that are timed; images that a program is given at once


@dataclass(frozen=True)
class NetworkGrowth(Experiment):
    __doc__ = __doc__

    name: ClassVar[str] = "network_growth"
    summary: ClassVar[str] = "time and memory of the Diehl & Cook network against neurons and images"
    source: ClassVar[str] = SOURCE
    default_seeds: ClassVar[int] = 1
    published: ClassVar[bool] = False  # times of one machine: not part of `plasticity reproduce`
    part_of: ClassVar[str] = "bench"
    uses: ClassVar[tuple[str, ...]] = ("diehl_cook", "lif_conductance")
    time_step: ClassVar[str] = "0.5 ms, that of the learner: what is measured is what a step costs."

    neurons: int = NEURONS
    warm: int = WARM
    repeats: int = REPEATS
    grow_neurons: tuple[int, ...] = setting((100, 200, 400, 800, 1600, 3200, 6400), "neurons of the growth", low=2, high=20_000)
    grow_images: tuple[int, ...] = setting(
        (1000, 4000, 15_000, 60_000), "images of the growth, with 100 neurons", low=10, high=60_000
    )

    def collect(self, session: Session) -> dict[str, np.ndarray]:
        """`processor`; against `neurons` seconds of an image and bytes; against `images` seconds of a training and bytes."""
        refuse_numpy()
        pictures, _ = pixels()
        session.progress(0.0, note="neurons")
        arrays = {"processor": np.array(processor())} | self._in_neurons(pictures)
        session.progress(0.5, note="images")
        return arrays | self._in_images(pictures)

    def _in_neurons(self, pictures: np.ndarray) -> dict[str, np.ndarray]:
        trained = warmed(self.neurons, pictures[: self.warm])
        rng = np.random.default_rng(0)
        shown = pictures[self.warm : self.warm + SHOWN] * BRIGHT
        empty, found = 0, []
        for neurons in (2, *self.grow_neurons):
            pick = rng.integers(0, self.neurons, neurons)  # trained neurons, some of them more than once
            start = {"images": shown, "weights": trained["weights"][:, pick], "theta": trained["theta"][pick]}
            seconds = per_image(network(neurons, SHOWN), start, self.repeats) if neurons > 2 else 0.0
            spec = network(neurons, BLOCK if neurons > 2 else 2)
            given, program = run_inputs({**start, "images": np.resize(shown, (spec.images, INPUTS))}), spec.program()
            with Watch() as watch:
                program.run(0, given, duration=min(5, spec.images) * spec.presentation)
            if neurons == 2:
                empty = watch.peak
                continue
            state = 4 * (INPUTS * neurons + INPUTS + 3 * neurons)  # weights; input traces; thresholds and output traces
            found.append((neurons, seconds, watch.peak - empty, state + 8 * BLOCK * INPUTS, state))
        return _columns(("neurons", "neurons_s", "neurons_bytes", "neurons_least_bytes", "neurons_state_bytes"), found)

    def _in_images(self, pictures: np.ndarray) -> dict[str, np.ndarray]:
        found = []
        for images in self.grow_images:
            X = pictures[:images]
            with Watch() as watch:
                learner = DiehlCookClassifier(neurons=100, label_images=10).fit(X, np.arange(len(X)) % 2)
            found.append((images, learner.seconds_["training"], watch.peak))
        return _columns(("images", "images_s", "images_bytes"), found)

    def numbers(self, a: Arrays) -> dict[str, Any]:
        told: dict[str, Any] = {"processor": str(a["processor"]), **exponents(a)}
        if "neurons" in a:
            data = a["neurons_least_bytes"] - a["neurons_state_bytes"]
            left = (a["neurons_bytes"] - data) / a["neurons_state_bytes"]
            for neurons, share in zip(a["neurons"], left, strict=True):
                told[f"memory without images / plastic state, {neurons} neurons"] = float(share)
        return told

    def told(self, numbers: Mapping[str, Any]) -> dict[str, np.ndarray]:
        return {"processor": np.array(numbers["processor"])}

    def checks(self, a: Arrays) -> Iterable[Check]:
        if "neurons_bytes" in a and a["neurons_bytes"].max() > 0:
            each = zip(a["neurons"], a["neurons_bytes"], a["neurons_least_bytes"], strict=True)
            sizes = ", ".join(f"{n}: {b / 1e6:.1f} of {least / 1e6:.1f} MB" for n, b, least in each)
            yield within(
                "memory / (plastic state + images given at once)", (a["neurons_bytes"] / a["neurons_least_bytes"]).max(),
                high=1.5, published="at most 1.5", tolerance="at most", kind="own", source=f"largest over all sizes; {sizes}",
            )  # fmt: skip

    def figures(self, a: Arrays) -> Mapping[str, Drawing]:
        """Time and memory against neurons, time against images; on log scales with the fitted slope."""
        if "neurons" not in a:
            return {}
        panels = [_growth(a, "neurons", "neurons_s", 1e3, "time of an image (ms)")]
        panels.append(_growth(a, "neurons", "neurons_bytes", 1e-6, "memory of the program (MB)", "neurons_least_bytes"))
        if "images" in a:
            panels.append(_growth(a, "images", "images_s", 1.0, "training, 100 neurons (s)"))
        caption = f"dt 0.5 ms, one thread, best of {self.repeats}, {a['processor']}"
        return {"growth": page(panels, size=(9.0, 3.4), caption=caption)}


def _columns(names: Iterable[str], rows: Sequence[tuple[float, ...]]) -> dict[str, np.ndarray]:
    return {name: np.array(column) for name, column in zip(names, zip(*rows, strict=True), strict=True)} if rows else {}


def _title(y: str) -> str:
    return f"exponent: {y.replace('_s', ' time').replace('_bytes', ' memory')}"


def exponents(a: Arrays) -> dict[str, float]:
    """Slopes of log time and log memory against log size, by least squares; of neurons also over the larger half alone."""
    told = {}
    for x, y in (("neurons", "neurons_s"), ("neurons", "neurons_bytes"), ("images", "images_s")):
        if len(a.get(x, ())) > 1:
            told[_title(y)] = slope(a[x], a[y])
        if x == "neurons" and len(a.get(x, ())) > 3:
            half = len(a[x]) // 2
            told[f"{_title(y)}, larger half"] = slope(a[x][half:], a[y][half:])
    return told


def slope(x: np.ndarray, y: np.ndarray) -> float:
    """Of log y against log x."""
    return float(np.polyfit(np.log(x), np.log(np.maximum(y, 1e-12)), 1)[0])


def _growth(a: Arrays, x: str, y: str, factor: float, label: str, least: str = "") -> Panel:
    from matplotlib.ticker import LogLocator

    def ticks(axis: Any) -> None:
        log_x(a[x], [f"{size:,}" for size in a[x]], rotation=45)(axis)
        axis.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.yaxis.set_major_formatter("{x:g}")

    layers = [line(a[x], factor * a[y], "o-", color=VERMILION, label="measured")]
    if least:
        layers.append(line(a[x], factor * a[least], "s--", color=BLUE, label="plastic state and images"))
    found, half = exponents(a), ", larger half" if x == "neurons" else ""
    title = f"slope {found[_title(y) + half]:.2f}{half}" if _title(y) + half in found else ""
    return panel(*layers, x=x, y=label, title=title, legend="upper left" if least else None, yscale="log", then=ticks)


if __name__ == "__main__":
    script(NetworkGrowth.name)
