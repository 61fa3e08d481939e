"""Contacts that come at a steady rate and go the sooner the weaker they are.

Each silent synapse of the pool, a potential contact, comes alive at the rate `creation`. A living one dies at a rate that falls
with its weight,

    deletion exp(-w/w_hold),

and begins with the weight `w_new`. Between two neurons there may be several potential contacts. Where weights grow with the
number of contacts, because contacts together make the neuron fire, both none and several are stable
(Deger, Helias, Rotter & Diesmann 2012, doi:10.1371/journal.pcbi.1002689; Fauth, Woergoetter & Tetzlaff 2015,
doi:10.1371/journal.pcbi.1004031). The exponential is ours: Deger et al. delete a contact at weight 0, Fauth et al. by a sigmoid.
"""

from brian2 import Hz

from plasticity.structure.law import Law

contacts = Law(
    name="contacts",
    summary="contacts come at a steady rate and go the sooner the weaker they are; several for a pair of neurons",
    source=(
        "Deger, Helias, Rotter & Diesmann 2012, doi:10.1371/journal.pcbi.1002689;"
        " Fauth, Woergoetter & Tetzlaff 2015, doi:10.1371/journal.pcbi.1004031"
    ),
    parameters={"creation": 1e-3 * Hz, "deletion": 1e-2 * Hz, "w_hold": 0.2, "w_new": 0.1},
    meaning={
        "creation": "rate at which a silent synapse comes alive",
        "deletion": "rate at which a living one of weight 0 dies",
        "w_hold": "weight at which that rate is 1/e of it",
        "w_new": "first weight",
    },
    dies="1 - exp(-deletion*exp(-w/w_hold)*every)",
    grows="1 - exp(-creation*every)",
    born="w = w_new",
    holds="creation >= 0 and deletion >= 0 and w_hold > 0",
)
