"""The worked examples of the texts behind this project, run: what is stated, what is right, what comes out here.

One experiment an example, under one name, with one record and one table (stated, right, ours, source of the right value):

    softmax_weights     softmax of (1, 2, 3), three weightings, the largest step of a descent
    binary_classifier   100 x 10 numbers: random labels, a rule, leaks; training against held-out rows
    needs_attention     a learned gate that asks whether an input needs attention
    preprocessing       noise, missing and outlying values: medians and robust scaling
    tuning              learning rate, L2, dropout: grid, random and successive halving search
    robustness          augmentation, FGSM and PGD; the same images on both sides
    compression         adapters, pruning, 8-bit weights: accuracy against size

Where both sides meet an example they meet the same trials of the same seeds. Settings were chosen on draws of seeds from 1000 on,
which no number reported here uses. Intervals are 95 % over seeds.

Sources: those of the files.
"""

from __future__ import annotations

from simulations.binary_classifier import BinaryClassifier
from simulations.compression import Compression
from simulations.frame.execute import script
from simulations.frame.experiment import suite
from simulations.frame.worked import Worked
from simulations.needs_attention import NeedsAttention
from simulations.preprocessing import Preprocessing
from simulations.robustness import Robustness
from simulations.softmax_weights import SoftmaxWeights
from simulations.tuning import Tuning

MEMBERS: list[type[Worked]] = [SoftmaxWeights, BinaryClassifier, NeedsAttention, Preprocessing, Tuning, Robustness, Compression]

WorkedExamples = suite(
    "WorkedExamples",
    MEMBERS,
    __doc__ or "",
    name="worked_examples",
    summary="worked examples of the texts: what is stated, what is right, what comes out here, from where the right value is",
    source="; ".join(dict.fromkeys(one for member in MEMBERS for one in member.source.split("; "))),
    default_seeds=5,
)

if __name__ == "__main__":
    script(WorkedExamples.name)
