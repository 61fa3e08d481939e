"""What NEST's plastic synapses do: the numbers that `pairing_frequency` and `soft_bounds` are held to.

    python simulations/peers/nest_rules.py          where nest-simulator 3.10.0 is installed; some minutes

Triplet STDP (stdp_triplet_synapse): 60 pairs in one train between two parrot neurons, at +10 ms and -10 ms and .1, 10, 20, 40 and
50 Hz. Soft bounds (stdp_synapse): 900 synapses between two times 30 Poisson trains of 15 Hz, mu = 0.1. NEST sees a postsynaptic
spike at the synapse after the delay of the dendrite, 1 ms, for which the postsynaptic trains come so much earlier; and it adds
potentiation at the next presynaptic spike, so that the weights it tells lack lambda (1 - w)^mu r tau on average.
"""

from __future__ import annotations

import nest
import numpy as np

DELAY = 1.0  # ms
ROWS = {  # A2_plus, A3_plus, A2_minus, A3_minus, tau_x, tau_y (ms) of Pfister & Gerstner 2006
    "visual_cortex_all_to_all_minimal": (0.0, 6.5e-3, 7.1e-3, 0.0, 101.0, 114.0),
    "visual_cortex_all_to_all_full": (5e-10, 6.2e-3, 7e-3, 2.3e-4, 101.0, 125.0),
}


def triplets(row: str, lag_ms: float, hz: float) -> float:
    """The change of a weight by 60 pairs."""
    A2_plus, A3_plus, A2_minus, A3_minus, tau_x, tau_y = ROWS[row]
    nest.ResetKernel()
    pre = 120 + 1000 / hz * np.arange(60)
    sources, neurons = nest.Create("spike_generator", 2), nest.Create("parrot_neuron", 2)
    neurons[1].set({"tau_minus": 33.7, "tau_minus_triplet": tau_y})
    sources[0].spike_times = [*np.round(pre, 1), round(pre[-1] + 2000, 1)]  # the last one for what is still to be added
    sources[1].spike_times = np.round(pre + lag_ms - DELAY, 1).tolist()
    nest.Connect(sources, neurons, "one_to_one", {"delay": 1.0})
    amplitudes = {"Aplus": A2_plus, "Aplus_triplet": A3_plus, "Aminus": A2_minus, "Aminus_triplet": A3_minus}
    rule = {"synapse_model": "stdp_triplet_synapse", "tau_plus": 16.8, "tau_plus_triplet": tau_x, "Wmax": 100.0, **amplitudes}
    nest.Connect(neurons[0], neurons[1], "all_to_all", {**rule, "delay": DELAY, "weight": 50.0, "receptor_type": 1})
    nest.Simulate(float(pre[-1] + 3000))
    return float(nest.GetConnections(neurons[0], neurons[1]).weight) - 50.0


def soft_bounds(mu: float, seed: int, settle_s: int = 330, measured_s: int = 600, every_s: int = 5) -> tuple[float, float]:
    """Mean and standard deviation of the weights, as NEST tells them."""
    nest.ResetKernel()
    nest.rng_seed = seed
    drive = nest.Create("poisson_generator", 1, {"rate": 15.0})
    pre, post = nest.Create("parrot_neuron", 30), nest.Create("parrot_neuron", 30, {"tau_minus": 20.0})
    for side in (pre, post):
        nest.Connect(drive, side, "all_to_all", {"delay": 1.0})
    rule = {"synapse_model": "stdp_synapse", "lambda": 0.01, "alpha": 1.05, "mu_plus": mu, "mu_minus": mu, "tau_plus": 20.0}
    nest.Connect(pre, post, "all_to_all", {**rule, "Wmax": 1.0, "delay": DELAY, "weight": 0.385, "receptor_type": 1})
    synapses = nest.GetConnections(pre, post)
    nest.Simulate(1000.0 * settle_s)
    seen = []
    for _ in range(measured_s // every_s):
        nest.Simulate(1000.0 * every_s)
        seen.append(np.array(synapses.weight))
    return float(np.mean(seen)), float(np.std(seen))


if __name__ == "__main__":
    for name in ROWS:
        print(name, [round(triplets(name, lag, hz), 4) for lag in (10.0, -10.0) for hz in (0.1, 10, 20, 40, 50)], flush=True)
    told = np.array([soft_bounds(0.1, seed) for seed in range(1, 5)])
    print("mu = 0.1, mean and sd as told, their standard errors", told.mean(axis=0), told.std(axis=0, ddof=1) / 2)
