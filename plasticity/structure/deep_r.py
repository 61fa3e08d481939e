"""DEEP R: a random walk of the weights, in which a synapse that reaches 0 dies and another one comes alive.

At each update a living weight falls by `decay` (an L1 penalty, per second) and takes a random step of variance 2 `temperature`
per second; one that is at 0 then dies, and as many silent ones, drawn alike, come alive with the weight `w_new`: the number alive
is constant. A weight has the sign of its synapse, which the transmission gives it: here it is 0 or more.

Bellec, Kappel, Maass & Legenstein 2018, arXiv:1711.05136 (there the rule is the gradient of a loss, here it is any rule).
"""

from brian2 import Hz

from plasticity.structure.law import Law

deep_r = Law(
    name="deep_r",
    summary="a synapse whose weight reaches 0 dies and another one comes alive: the number alive is constant",
    source="Bellec, Kappel, Maass & Legenstein 2018, arXiv:1711.05136",
    parameters={"decay": 1e-3 * Hz, "temperature": 1e-6 * Hz, "w_new": 0.01},
    meaning={
        "decay": "by how much a weight falls in a second",
        "temperature": "half the variance of its random walk in a second",
        "w_new": "first weight of a synapse",
    },
    each="w = clip(w - decay*every + sqrt(2*temperature*every)*randn(), 0, w_max)",
    dies="int(w <= 0)",
    kept=True,
    born="w = w_new",
    holds="decay >= 0 and temperature >= 0",
)
