"""A critical period: synapses are overproduced at first, then the weakest of them die, then structure rests.

Until `onset` silent synapses come alive at the rate `creation`; from `onset` to `until` at each update a share of the living
ones, rounded down, dies, those of the least weight first. The time counts from when the structure began.

Children of a few years have more synapses in cortex than adults (Huttenlocher 1979, doi:10.1016/0006-8993(79)90349-4). Of ways to
delete, minimal value deletion after an overgrown start serves a memory best for the synapses that it costs in the end
(Chechik, Meilijson & Ruppin 1998, doi:10.1162/089976698300017124).
"""

from brian2 import Hz, second

from plasticity.structure.law import Law

critical_period = Law(
    name="critical_period",
    summary="synapses are overproduced until an onset, then the weakest die until an end, then structure rests",
    source=(
        "Chechik, Meilijson & Ruppin 1998, doi:10.1162/089976698300017124; Huttenlocher 1979, doi:10.1016/0006-8993(79)90349-4"
    ),
    parameters={"creation": 0.05 * Hz, "onset": 30 * second, "share": 0.05, "until": 90 * second, "w_new": 0.1},
    meaning={
        "creation": "rate at which a silent synapse comes alive before the onset",
        "onset": "when growth ends and pruning begins",
        "share": "share of the living synapses that die at an update from then on",
        "until": "when pruning ends",
        "w_new": "first weight of a synapse",
    },
    weakest="share*int(age >= onset)*int(age < until)",
    grows="(1 - exp(-creation*every))*int(age < onset)",
    born="w = w_new",
    holds="0 <= share <= 1 and creation >= 0 and until > onset",
)
