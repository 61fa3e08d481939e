"""Poisson trains with one random number for a spike, instead of one for a time step.

A Poisson train of rate r in steps of dt has a spike in each step with probability r dt, so the number of steps from one spike to
the next is geometric:

    steps = 1 + floor(log(1 - u)/log(1 - r dt)),    u uniform in [0, 1)

Drawn at the spike, this is the very process of the encoder `poisson` (law, not numbers): at 15 Hz and 0.1 ms 667 times fewer
random numbers.
"""

from __future__ import annotations

from brian2 import NeuronGroup, second

from plasticity.checked import checked
from plasticity.networks.network import Net
from plasticity.neurons import check_group

__all__ = ["poisson_trains"]

_STEPS = "int(floor(log(1 - rand())/log1p(-rate*dt)))"


@checked
def poisson_trains(net: Net, n: int, name: str) -> NeuronGroup:
    """A group of n independent Poisson processes of the rate `rate` (hertz, shared, set per run, above 0), with its traces.

    In each step of dt a neuron spikes with probability rate dt, independently of everything before. It holds the number of the
    step of its next spike, `next_step`, so that a run must stay below 2**31 steps.
    """
    check_group(n, name, {})
    traces, counted, values = net.spec.traces_at(name)
    made = NeuronGroup(
        n,
        f"rate : Hz (shared, constant)\nnext_step : integer\n{traces}",
        threshold="t_in_timesteps >= next_step",
        reset=f"next_step += 1 + {_STEPS}\n{counted}",
        method="exact",
        name=name,
        namespace={},
    )
    # Once, at t = 0: the rate of a run is not known when initial values are set. Not with a time step longer than any run: on the
    # NumPy target a clock whose step is 10,000 runs long may stop the others before they start.
    first = f"next_step = int(t > 0*second)*next_step + int(t == 0*second)*{_STEPS}"
    made.run_regularly(first, dt=10 * second, when="start", name=f"{name}_first")
    for key, value in values.items():
        setattr(made, key, value)
    return net.add(made)
