"""Synaptic scaling: all synapses of a neuron grow or shrink by one factor until the neuron fires at its target rate."""

from __future__ import annotations

from brian2 import Hz, second

from plasticity.rules.rule import Rule, Trace

# dw/dt = beta w (rho0 - r), where r = post_scaling/tau_rate: each postsynaptic spike adds 1 to a trace of time constant tau_rate,
# whose mean is tau_rate times the rate.
#
# In van Rossum, Bi & Turrigiano a slow integral of the same difference, with a factor gamma of its own, is added to this
# proportional term. It is left out here (gamma = 0): dividing by w shows that d(log w)/dt = beta (rho0 - r) is itself an integral
# control of the rate, so that the mean of r is rho0 once log w stands still.
#
# Beware. Changes by another rule shift the balance: with a mean drift D of the weight, r = rho0 + D/(beta w). The estimate lags
# by tau_rate; with a slope s = d rate/d log w the weights ring unless 4 beta s tau_rate < 1. A weight of 0 stays 0, and a bound
# that is reached ends the common factor: the ratios of weights are kept between the bounds only. The preset has the paper's
# speed and time, which take hours.
synaptic_scaling = Rule(
    name="synaptic_scaling",
    summary="synaptic scaling: every weight grows or shrinks by the same factor, towards a target rate of the neuron",
    source="Turrigiano, Leslie, Desai, Rutherford & Nelson 1998, doi:10.1038/36103; "
    "van Rossum, Bi & Turrigiano 2000, doi:10.1523/JNEUROSCI.20-23-08812.2000",
    parameters={"beta": 2e-3, "rho0": 10 * Hz, "tau_rate": 5 * second},
    meaning={
        "beta": "speed: share of the weight per second and per hertz of the rate's error",
        "rho0": "target rate of the postsynaptic neuron",
        "tau_rate": "time over which the neuron's rate is estimated",
    },
    traces=(Trace("post_scaling", "tau_rate"),),
    drift="dw = beta*w*(rho0 - post_scaling/tau_rate)",
    presets={"van_rossum_2000": {"beta": 4e-5, "tau_rate": 100 * second}},
)
