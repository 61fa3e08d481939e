"""The calcium-based rule of Graupner & Brunel: calcium above two thresholds moves a bistable synapse.

tau drho/dt = -rho (1 - rho)(rho_star - rho) + gamma_p (1 - rho) H[c - theta_p] - gamma_d rho H[c - theta_d] + Noise
Noise       = sigma sqrt(tau) sqrt(H[c - theta_d] + H[c - theta_p]) eta(t)
c           = Cpre sum_i exp(-(t - t_i - D)/tau_ca) + Cpost sum_j exp(-(t - t_j)/tau_ca), sums over earlier spikes

rho               the weight w of this library: 0 is DOWN, 1 is UP, rho_star the border between the two
c                 calcium, no unit, at rest 0; t_i, t_j the pre- and postsynaptic spikes
tau               time constant of rho, second
gamma_p, gamma_d  rates of potentiation and depression in units of 1/tau
theta_p, theta_d  thresholds of calcium
sigma             amplitude of the noise, no unit; eta(t) white noise of density 1
Cpre, Cpost       calcium by one spike, C_pre and C_post in the paper (Brian2 keeps names that end in _pre for neurons)
tau_ca, D         decay of calcium and delay of the presynaptic one, second

Graupner & Brunel 2012, doi:10.1073/pnas.1109359109. The noise is that of the Correction, doi:10.1073/pnas.1220044110: the first
printing has it once, not twice, where both thresholds are exceeded. Presets are the curves of the paper's Fig. 2 and Table S1
(DP: depression, then potentiation from negative to positive lags), with the values of the authors' own program,
github.com/mgraupe/CalciumBasedPlasticityModel.

Beware: the paper sets no bounds, and noise carries rho beyond 0 and 1; land it with Landing(-10, 11) or so, since clipping at 0
and 1 changes the transition probabilities. D must be a multiple of the time step, or Brian2 rounds it. Calcium is looked at
once in each time step, spikes of this step included, so that the time above a threshold is rounded up to whole steps.
"""

from __future__ import annotations

from brian2 import ms, second

from plasticity.rules.rule import Rule, Trace

_CURVE = {"tau_ca": 20 * ms, "theta_d": 1.0, "sigma": 2.8284, "tau": 150 * second, "rho_star": 0.5}

calcium = Rule(
    name="calcium",
    summary="Graupner and Brunel's calcium rule: two thresholds of calcium, a bistable synapse, noise",
    source="Graupner & Brunel 2012, doi:10.1073/pnas.1109359109; Correction doi:10.1073/pnas.1220044110",
    parameters={
        "Cpre": 1.0, "Cpost": 2.0, "D": 13.7 * ms, "tau_ca": 20 * ms, "theta_d": 1.0, "theta_p": 1.3, "gamma_d": 200.0,
        "gamma_p": 321.808, "sigma": 2.8284, "tau": 150 * second, "rho_star": 0.5,
    },
    meaning={
        "Cpre": "calcium by a presynaptic spike",
        "Cpost": "calcium by a postsynaptic spike",
        "D": "delay of the presynaptic calcium; a multiple of the time step",
        "tau_ca": "decay of calcium",
        "theta_d": "calcium above which the weight is depressed",
        "theta_p": "calcium above which the weight is potentiated",
        "gamma_d": "rate of depression, in units of 1/tau",
        "gamma_p": "rate of potentiation, in units of 1/tau",
        "sigma": "amplitude of the noise",
        "tau": "time constant of the weight",
        "rho_star": "border between the states 0 and 1",
    },
    traces=(Trace("pre_trace", "tau_ca", delay="D"), Trace("post_trace", "tau_ca")),
    drift="""ca = Cpre*pre_trace + Cpost*post_trace
dw = (-w*(1 - w)*(rho_star - w) + gamma_p*(1 - w)*int(ca > theta_p) - gamma_d*w*int(ca > theta_d))/tau""",
    noise="sigma*sqrt((int(Cpre*pre_trace + Cpost*post_trace > theta_d)"
    " + int(Cpre*pre_trace + Cpost*post_trace > theta_p))/tau)",
    presets={
        "DP": {**_CURVE, "Cpre": 1.0, "Cpost": 2.0, "theta_p": 1.3, "gamma_d": 200.0, "gamma_p": 321.808, "D": 13.7 * ms},
        "DPD": {**_CURVE, "Cpre": 0.9, "Cpost": 0.9, "theta_p": 1.3, "gamma_d": 250.0, "gamma_p": 550.0, "D": 4.6 * ms},
        "DPD_prime": {**_CURVE, "Cpre": 1.0, "Cpost": 2.0, "theta_p": 2.5, "gamma_d": 50.0, "gamma_p": 600.0, "D": 2.2 * ms},
        "P": {**_CURVE, "Cpre": 2.0, "Cpost": 2.0, "theta_p": 1.3, "gamma_d": 160.0, "gamma_p": 257.447, "D": 0 * ms},
        "D": {
            **_CURVE, "Cpre": 0.6, "Cpost": 0.6, "theta_p": 1.3, "gamma_d": 500.0, "gamma_p": 550.0, "D": 0 * ms, "sigma": 5.6568,
        },
        "D_prime": {**_CURVE, "Cpre": 1.0, "Cpost": 2.0, "theta_p": 3.5, "gamma_d": 60.0, "gamma_p": 600.0, "D": 0 * ms},
    },
)  # fmt: skip
