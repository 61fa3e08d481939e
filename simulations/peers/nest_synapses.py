"""NEST's stdp_synapse, all to all from Poisson trains to integrate-and-fire neurons, one thread: IMAGES STEP_MS HZ TIMES.

The network alone, without competition: inputs at the mean rates of the images, output neurons driven to a rate as in the other
programs. Measured with plastic and with no synapses; the difference is what the synapses cost.
"""

import contextlib
import json
import os
import sys
import time

import numpy as np

with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
    import nest

file, count, step_ms, neuron_hz, repeats = sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4]), int(sys.argv[5])
with np.load(file) as given:
    rates, weights = given["images"][:count].mean(axis=0) * 0.7, given["weights"]  # shown 350 of 500 ms


def simulate(plastic: bool) -> tuple[float, int, int]:
    nest.verbosity = nest.VerbosityLevel.ERROR
    nest.ResetKernel()
    nest.resolution = step_ms
    nest.local_num_threads = 1
    nest.rng_seed = 1
    trains = nest.Create("poisson_generator", 1, params={"rate": float(rates.mean())})  # one sends each target its own train
    inputs = nest.Create("parrot_neuron", len(weights))
    nest.Connect(trains, inputs, "all_to_all")
    driven = nest.Create("poisson_generator", 1, params={"rate": float(neuron_hz)})
    outputs = nest.Create("parrot_neuron" if not plastic else "iaf_psc_delta", weights.shape[1])
    if plastic:
        outputs.set(V_th=-55.0, E_L=-70.0, t_ref=step_ms)
        nest.Connect(driven, outputs, "all_to_all", {"weight": 100.0, "delay": step_ms})  # one spike makes one spike
        nest.Connect(
            inputs, outputs, "all_to_all",
            {"synapse_model": "stdp_synapse", "weight": 1e-3, "Wmax": 1.0, "lambda": 1e-4, "delay": step_ms},
        )  # fmt: skip
    else:
        nest.Connect(driven, outputs, "all_to_all", {"weight": 1.0, "delay": step_ms})
    counts = nest.Create("spike_recorder", 2, params={"record_to": "memory"})
    nest.Connect(inputs, counts[0])
    nest.Connect(outputs, counts[1])
    nest.Simulate(500.0)
    before = counts.n_events
    began = time.perf_counter()
    nest.Simulate(500.0 * count)
    seconds = time.perf_counter() - began
    return seconds, counts.n_events[0] - before[0], counts.n_events[1] - before[1]


runs = [simulate(True) for _ in range(repeats)]
whole, (_, into, out) = min(seconds for seconds, _, _ in runs), runs[0]
bare = min(simulate(False)[0] for _ in range(repeats))
print(
    json.dumps(
        {"seconds": whole - bare, "seconds_whole": whole, "input_spikes": into, "output_spikes": out, "version": nest.__version__}
    )
)
