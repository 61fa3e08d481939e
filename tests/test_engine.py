"""The engine: compile once, run many; what it caches, restores, refuses and cleans up.

All tests share one compiled program, made in a cache folder of this session by two processes that want it at the same time,
after a third one was killed in the middle of compiling it. Where only the bookkeeping around the compiler is at stake, a
`make` that writes an empty binary stands in.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import brian2
import joblib
import numpy as np
import pytest
from brian2 import Hz, Network, NetworkOperation, NeuronGroup, Quantity, SpikeMonitor, StateMonitor, Synapses, TimedArray, ms, mV, second

from plasticity import engine
from plasticity.encoders import poisson
from plasticity.engine import Model, Program
from plasticity.errors import PlasticityError, WrongUse
from plasticity.neurons import lif_adaptive

HERE = Path(__file__).parent
LONGEST = 1e5 * second  # days of computing: a run of it lives until someone ends it
SHORT = 200 * ms
N = 6
RATES = np.full((4, N), 80.0)

needs_compiler = pytest.mark.skipif(not engine.compiler(), reason="no C++ compiler and make here")
linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


@dataclasses.dataclass(frozen=True)
class Small:
    n: int = N
    note: str = ""  # not part of the network
    tau: Quantity = dataclasses.field(default_factory=lambda: 20 * ms)


def build(spec: Small) -> Model:
    """Poisson inputs, random initial potentials, and weights that grow by `step` at each input spike."""
    rates = TimedArray(np.zeros((4, spec.n)) * Hz, dt=50 * ms, name="rates")
    inputs = poisson.group(spec.n, "inputs", "rates(t, i)", 50 * ms, namespace={"rates": rates})
    cells = lif_adaptive(tau_m=spec.tau).group(spec.n, "cells", method="euler", namespace={})
    cells.v = "0.5*rand()"
    synapses = Synapses(
        inputs, cells, "w : 1\nstep : 1 (shared, constant)", on_pre="v_post += w\nw += step", name="synapses", namespace={}
    )
    synapses.connect()
    synapses.w = 0.1
    spikes = SpikeMonitor(cells, name="spikes")
    trace = StateMonitor(cells, "v", record=[0, 3], dt=1 * ms, name="trace")
    outputs = {"i": spikes.i, "t": spikes.t, "w": synapses.w, "theta": cells.theta, "v": trace.variables_view("v")} if False else {
        "i": spikes.i, "t": spikes.t, "w": synapses.w, "theta": cells.theta,
    }  # fmt: skip
    return Model(
        Network(inputs, cells, synapses, spikes, trace),
        LONGEST,
        {"rates": rates, "w": synapses.w, "v": cells.v, "theta": cells.theta, "step": synapses.step, "tau_m": cells.tau_m},
        outputs,
    )
