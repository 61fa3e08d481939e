"""Sparse evolutionary training: at each update the weakest synapses die and as many others, drawn alike, come alive.

Mocanu et al. 2018, doi:10.1038/s41467-018-04316-3: a share `turnover` of the living ones, those of the smallest magnitude.
"""

from plasticity.structure.law import Law

sparse_evolution = Law(
    name="sparse_evolution",
    summary="the weakest synapses die and as many others come alive, drawn at random",
    source="Mocanu et al. 2018, doi:10.1038/s41467-018-04316-3",
    parameters={"turnover": 0.3, "w_new": 0.1},
    meaning={"turnover": "share of the living synapses that die at an update", "w_new": "first weight of a synapse"},
    weakest="turnover",
    kept=True,
    born="w = w_new",
    holds="0 <= turnover <= 1",
)
