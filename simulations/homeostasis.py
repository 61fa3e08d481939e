"""What keeps a neuron at its working point: scaled synapses, its own gain and threshold, and tiring synapses.

Four experiments under one name, with one record:

    scaled_neuron        synaptic scaling: one neuron finds back to its rate when its inputs change
    scaled_network       scaling beside STDP: a recurrent network, which runs away without it
    exponential_output   intrinsic plasticity: gain and threshold make the output of a sigmoid exponential
    short_term_release   short-term plasticity: what a depressing and a facilitating synapse release

Sources: Turrigiano, Leslie, Desai, Rutherford & Nelson 1998, doi:10.1038/36103; van Rossum, Bi & Turrigiano 2000,
doi:10.1523/JNEUROSCI.20-23-08812.2000 (scaling); Triesch 2005, doi:10.1007/11550822_11 (intrinsic plasticity); Tsodyks & Markram
1997, doi:10.1073/pnas.94.2.719; Tsodyks, Pawelzik & Markram 1998, doi:10.1162/089976698300017502 (short-term plasticity).
"""

from __future__ import annotations

from simulations.exponential_output import TRIESCH, ExponentialOutput
from simulations.frame.execute import script
from simulations.frame.experiment import suite
from simulations.scaled_network import ScaledNetwork
from simulations.scaled_neuron import MULTIPLICATIVE, SCALING, ScaledNeuron
from simulations.short_term_release import RELEASE, ShortTermRelease

Homeostasis = suite(
    "Homeostasis",
    [ScaledNeuron, ScaledNetwork, ExponentialOutput, ShortTermRelease],
    __doc__ or "",
    name="homeostasis",
    summary="synaptic scaling, intrinsic plasticity and short-term plasticity keep a neuron at its working point",
    source=f"{MULTIPLICATIVE}; {SCALING}; {TRIESCH}; {RELEASE['depressing']}; {RELEASE['facilitating']}",
)

if __name__ == "__main__":
    script(Homeostasis.name)
