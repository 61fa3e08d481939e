"""The network of Diehl & Cook as a plain Brian2 script, one `run` for each image, Cython target: FILE IMAGES STEP_MS."""

import json
import sys
import time

import brian2
import numpy as np
from brian2 import Hz, Network, NeuronGroup, PoissonGroup, SpikeMonitor, Synapses, defaultclock, ms, mV, prefs

file, count, step_ms = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
prefs.codegen.target = "cython"
defaultclock.dt = step_ms * ms
with np.load(file) as given:
    images, weights, theta = given["images"][:count], given["weights"], given["theta"]
inputs_count, neurons = weights.shape
space: dict = {}

inputs = PoissonGroup(inputs_count, rates=0 * Hz)
excitatory = NeuronGroup(
    neurons,
    """dv/dt = (-65*mV - v + ge*(0*mV - v) + gi*(-100*mV - v))/(100*ms) : volt (unless refractory)
    dge/dt = -ge/(1*ms) : 1
    dgi/dt = -gi/(2*ms) : 1
    dtheta/dt = -theta/(1e7*ms) : volt""",
    threshold="v > theta - 72*mV", reset="v = -65*mV; theta += 0.05*mV", refractory=5 * ms,
    method="exponential_euler", namespace=space,
)  # fmt: skip
inhibitory = NeuronGroup(
    neurons,
    """dv/dt = (-60*mV - v + ge*(0*mV - v))/(10*ms) : volt (unless refractory)
    dge/dt = -ge/(1*ms) : 1""",
    threshold="v > -40*mV", reset="v = -45*mV", refractory=2 * ms, method="exponential_euler", namespace=space,
)  # fmt: skip
excitatory.v, excitatory.theta, inhibitory.v = -65 * mV, theta * brian2.volt, -60 * mV
plastic = Synapses(
    inputs, excitatory,
    """w : 1
    dpre/dt = -pre/(20*ms) : 1 (event-driven)
    dpost/dt = -post/(20*ms) : 1 (event-driven)
    dslow/dt = -slow/(40*ms) : 1 (event-driven)""",
    on_pre="ge_post += w; w = clip(w - 1e-4*post, 0, 1); pre = 1",
    on_post="w = clip(w + 0.01*pre*slow, 0, 1); post = 1; slow = 1",
    namespace=space,
)  # fmt: skip
plastic.connect()
plastic.w = weights.ravel()
excite = Synapses(excitatory, inhibitory, on_pre="ge_post += 10.4", namespace=space)
excite.connect(j="i")
inhibit = Synapses(inhibitory, excitatory, on_pre="gi_post += 17", namespace=space)
inhibit.connect(condition="i != j")
spikes, trains = SpikeMonitor(excitatory, record=False), SpikeMonitor(inputs, record=False)
network = Network(inputs, excitatory, inhibitory, plastic, excite, inhibit, spikes, trains)


def show(image: np.ndarray) -> None:
    w = np.asarray(plastic.w).reshape(inputs_count, neurons)
    plastic.w = np.clip(w * 78 / w.sum(axis=0), 0, 1).ravel()
    inputs.rates = image * Hz
    network.run(350 * ms, namespace=space)
    inputs.rates = 0 * Hz
    network.run(150 * ms, namespace=space)


show(images[0])  # compiles
before = int(trains.num_spikes), int(spikes.num_spikes)
began = time.perf_counter()
for image in images:
    show(image)
told = {"seconds": time.perf_counter() - began, "version": brian2.__version__}
told |= {"input_spikes": int(trains.num_spikes) - before[0], "output_spikes": int(spikes.num_spikes) - before[1]}
print(json.dumps(told))
