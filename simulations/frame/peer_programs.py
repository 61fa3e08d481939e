"""The programs in simulations/peers: what each needs to be built and to run, and what it tells of its time.

They are started as programs of their own, on one thread, in environments of their own where they need one.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from simulations.frame.stopwatch import call, environment, fastest

PEERS = Path(__file__).parents[1] / "peers"
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


@dataclass(frozen=True)
class Peers:
    """The peers with one start of the network (images, weights, theta), written into a folder for them.

    Each tells the `seconds` of the best of its runs, its `version` and `output_spikes`.
    """

    folder: Path
    start: Mapping[str, np.ndarray]
    repeats: int

    def __post_init__(self) -> None:
        np.savez(self.folder / "start.npz", **self.start)  # type: ignore[arg-type]
        parts = [np.ascontiguousarray(self.start[key], np.float32).tobytes() for key in ("images", "weights", "theta")]
        (self.folder / "start.f32").write_bytes(b"".join(parts))

    def loop(self, title: str) -> dict[str, Any]:
        """One of the `LOOPS`, on all images."""
        binary, (images, inputs) = self.folder / "loop", self.start["images"].shape
        compiling = [os.environ.get("CXX", "g++"), *LOOPS[title].split(), str(PEERS / "loop.cpp"), "-o", str(binary)]
        subprocess.run(compiling, check=True)
        shape = [images, inputs, len(self.start["theta"]), 0.5, LIT, DARK]
        return fastest([binary, self.folder / "start.f32", *shape], self.repeats)

    def brian2(self, images: int) -> dict[str, Any]:
        """A plain script on Brian2's Cython target, on the first images."""
        return fastest([sys.executable, PEERS / "brian2_cython.py", self.folder / "start.npz", images, 0.5], self.repeats)

    def bindsnet(self, images: int) -> dict[str, Any]:
        """BindsNET in an environment of its own, on the first images."""
        python = environment("bindsnet", ENVIRONMENTS["bindsnet"])
        return fastest([python, PEERS / "bindsnet_model.py", self.folder / "start.npz", images], self.repeats)

    def nest(self, images: int, output_hz: float) -> dict[str, Any]:
        """NEST's plastic synapses in an environment of its own, for the time of so many images; also `seconds_whole`."""
        python = environment("nest", ENVIRONMENTS["nest"])
        return call([python, PEERS / "nest_synapses.py", self.folder / "start.npz", images, 0.5, output_hz, self.repeats])
