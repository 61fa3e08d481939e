"""Magnitude pruning: at each update the weakest of the living synapses die for good.

They are a share of the living ones, rounded down, so that the last few stay.

Han, Pool, Tran & Dally 2015, arXiv:1506.02626; gradually, as here: Zhu & Gupta 2018, arXiv:1710.01878, whose schedule is cubic in
time, while here each update takes the same share of the living ones.
"""

from plasticity.structure.law import Law

magnitude_pruning = Law(
    name="magnitude_pruning",
    summary="the weakest synapses die for good, a share of the living ones at each update",
    source="Han, Pool, Tran & Dally 2015, arXiv:1506.02626; gradually: Zhu & Gupta 2018, arXiv:1710.01878",
    parameters={"share": 0.1},
    meaning={"share": "share of the living synapses that die at an update"},
    weakest="share",
    holds="0 <= share <= 1",
)
