"""New neurons: they come from a reserve, are hyperexcitable while they are young, and survive where they are used.

A neuron is there or in the reserve, where it has no living synapses and is silent. From `begin` on each one in the reserve is
born at the rate `birth`: its threshold is `excess` lower than that of a neuron that has not fired yet, all of its synapses come
alive with weights drawn between w_new/2 and 3 w_new/2, and they learn as all others do. When it is as old as `youth`, and has
fired less than `enough` spikes, it goes back to the reserve with all of its synapses; else it stays for good. Its threshold comes
back by the adaptation that all neurons have.

The law is what synapses do; what neurons do are `NEURONS`, `AT_SPIKE` and, before each update, `TURNOVER`.

Young granule cells are more excitable (Schmidt-Hieber, Jonas & Bischofberger 2004, doi:10.1038/nature02553) and survive by their
activity (Tashiro, Sandler, Toni, Zhao & Gage 2006, doi:10.1038/nature05028). What they may be good for: less interference
(Wiskott, Rasch & Kempermann 2006, doi:10.1002/hipo.20167), pattern separation (Sahay et al. 2011, doi:10.1038/nature09817).
"""

from brian2 import Hz, second

from plasticity.structure.law import Law

new_neurons = Law(
    name="new_neurons",
    summary="neurons come from a reserve with all of their synapses, hyperexcitable, and go back if they are not used",
    source=(
        "Wiskott, Rasch & Kempermann 2006, doi:10.1002/hipo.20167; Tashiro et al. 2006, doi:10.1038/nature05028;"
        " Schmidt-Hieber, Jonas & Bischofberger 2004, doi:10.1038/nature02553"
    ),
    parameters={"w_new": 0.1},
    meaning={"w_new": "mean of the first weights of a new neuron"},
    dies="int(there_post < 0.5)",
    grows="int(there_post > 0.5)",
    born="w = w_new*(0.5 + rand())",
    needs={"there_post": "1 for a neuron that is there, 0 for one in the reserve"},
)

CONSTANTS = {"birth": 0.1 * Hz, "begin": 0 * second, "excess": 0.5, "youth": 20 * second, "enough": 1.0}
"""Of the neurons: rate of birth, when births begin, by how much the threshold is lower, how long youth is, spikes to survive."""

NEURONS = """
there : 1
lived : second
used : 1
elapsed : second (shared)
birth : Hz (shared, constant)
begin : second (shared, constant)
excess : 1 (shared, constant)
youth : second (shared, constant)
enough : 1 (shared, constant)
"""
AT_SPIKE = "used += 1"
TURNOVER = """
come = int(there < 0.5)*int(elapsed >= begin)*int(rand() < 1 - exp(-birth*{every}))
go = int(there > 0.5)*int(lived < youth)*int(lived + {every} >= youth)*int(used < enough)
lived = (lived + {every})*int(there > 0.5)*(1 - go)
used = used*(1 - come)
theta = theta*(1 - come) - come*excess
there = there + come - go
"""
