"""One sitting on one machine: the network of Diehl & Cook here and by other programs, each beside our time for the same."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from plasticity.engine import compiler
from plasticity.learners import DiehlCookClassifier
from plasticity.networks.diehl_cook import DiehlCook
from plasticity.parallel import Progress, each
from simulations.frame.peer_programs import LOOPS, Peers
from simulations.frame.stopwatch import not_had, processor
from simulations.frame.timed_network import BRIGHT, network, network_starts, per_image, pixels, run_inputs, warmed


@dataclass
class Sitting:
    """What is measured, one after the other: `loop` before the other programs, which begin as it does.

    Attributes
    ----------
    folder : Path
        For what the programs are given.
    jobs : int
        Trainings at a time, side by side.
    neurons, images, slow_images, warm, repeats : int
        Of the network; images that the fast programs show, and the slow ones; images of training before; measurements of which
        the best counts.
    rows : list of dict
        `measure`, `ours`, `peer`, `unit`, `note`.
    reasons : dict
        Why a peer could not be had.
    measured : dict
        Everything else by name.
    """

    folder: Path
    jobs: int
    neurons: int
    images: int
    slow_images: int
    warm: int
    repeats: int
    rows: list[dict[str, Any]] = field(default_factory=list)
    reasons: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.pictures, source = pixels()
        self.measured: dict[str, Any] = {"images": source, "compiler": compiler(), "processor": processor(), "threads": 1}

    def row(self, measure: str, ours: float, peer: float, unit: str, note: str) -> None:
        """One more of the `rows`."""
        self.rows.append({"measure": measure, "ours": ours, "peer": peer, "unit": unit, "note": note})

    def starts(self) -> None:
        """A first start of this library, and a later one."""
        first, second = network_starts(self.neurons)
        note = "program() and one image; compilation included in the first"
        self.row("first start", second["seconds"], first["seconds"], "s", note)
        self.measured |= {"second_start_s": second["seconds"], "second_start_with_imports_s": second["whole"]}

    def loop(self) -> None:
        """The network here, and the hand-written loop in all its ways."""
        spec = network(self.neurons, self.images)
        program = spec.program()
        images = self.pictures[self.warm : self.warm + self.images] * BRIGHT
        self.start = start = {"images": images, **warmed(self.neurons, self.pictures[: self.warm])}
        self.lit = per_image(spec, start, self.repeats)
        self.dark = per_image(spec, {**start, "images": 0 * images}, self.repeats)
        self.into = float(images.sum() * 0.35 / self.images)  # input spikes at an image
        self.measured |= {
            "compile_s": program.manifest["compile_s"], "ms_per_image": 1e3 * self.lit, "ms_per_dark_image": 1e3 * self.dark,
            "input_spikes_per_image": self.into,
            "output_spikes_per_image": len(program.run(0, run_inputs(start))["spike_time"]) / self.images,
        }  # fmt: skip
        self.peers = Peers(self.folder, start, self.repeats)
        for title in LOOPS:
            self.beside(title, "g++", self.lit, self.images, self.peers.loop(title))

    def beside(self, title: str, name: str, ours: float, images: int, told: Mapping[str, Any]) -> None:
        """What a program told that shows so many images, beside our seconds for one."""
        note = f"{name} {told['version']}, {told['output_spikes'] / images:.1f} output spikes an image"
        self.row(title, 1e3 * ours, 1e3 * (told["seconds"] / images), "ms/image", note)

    def ours(self, spec: DiehlCook) -> float:
        """Seconds for an image here, with the images of the slow programs alone."""
        images = self.start["images"]
        few = np.resize(images[: self.slow_images], images.shape)
        return per_image(spec, {**self.start, "images": few}, self.repeats)

    def brian2(self) -> None:
        """A plain script in Brian2."""
        same, few = self.ours(network(self.neurons, self.images)), self.slow_images
        self.beside("Brian2, Cython target", "Brian2", same, few, self.peers.brian2(few))

    def bindsnet(self) -> None:
        """BindsNET, and the network here with its time step."""
        same, few = self.ours(network(self.neurons, self.images, 1.0, 1.0)), self.slow_images
        self.measured["ms_per_image_dt_1ms"] = 1e3 * same
        with not_had(self.reasons, "BindsNET"):
            self.beside("BindsNET, dt 1 ms", "BindsNET", same, few, self.peers.bindsnet(few))

    def nest(self) -> None:
        """NEST's plastic synapses: what they add for an event, and the whole program by its events."""
        with not_had(self.reasons, "NEST"):
            hz, count = self.measured["output_spikes_per_image"] / self.neurons / 0.5, 20
            told = self.peers.nest(count, hz)
            events, own = told["input_spikes"] * self.neurons, self.into * self.neurons
            note = f"NEST {told['version']}, {told['input_spikes'] / count:.0f} input spikes in 500 ms, ours {self.into:.0f}"
            for title, ours, peer in (
                ("NEST stdp_synapse, synaptic event", self.lit - self.dark, told["seconds"]),
                ("NEST, whole program by its events", self.lit, told["seconds_whole"]),
            ):
                self.row(title, 1e9 * ours / own, 1e9 * peer / events, "ns/event", note)

    def side_by_side(self, images: int) -> None:
        """Eight trainings on so many images one after another, and `jobs` at a time."""
        X = self.pictures[:images]
        labels = np.arange(len(X)) % 2

        def one(seed: int, tell: Progress) -> float:
            made = DiehlCookClassifier(neurons=self.neurons, label_images=10, block=max(20, len(X)), random_state=seed)
            return float(made.fit(X, labels).weights_.sum())

        def seconds(at_once: int) -> float:
            began = time.perf_counter()
            list(each(one, range(8), at_once))
            return time.perf_counter() - began

        one(0, lambda fraction: None)  # compiles
        alone, together = seconds(1), seconds(self.jobs)
        self.measured |= {"seeds_efficiency": alone / together / self.jobs, "seeds_alone_s": alone}
        self.measured |= {"seeds_together_s": together, "seeds_jobs": self.jobs}
