"""The network of softmax attention with its weights given: the cue's meaning is told, not learnt."""

from __future__ import annotations

import torch
from torch import Tensor

from bridges.models.softmax_attention import SoftmaxAttention
from plasticity.gates import InputGain


class GatedAttention(SoftmaxAttention):
    """The twin of a spiking network under a gate: the weights are the gains of `plasticity.gates.InputGain` over their sum.

    `context = sum_i g_i V_i / sum_i g_i`, g_i = 2 for the cued stream and 0.2 for every other one. Values and head are trained as
    in `SoftmaxAttention`; the layers for queries and keys are there, so that both start from the same parameters, but nothing
    reads them.

    Source: Vaswani et al. 2017, arXiv:1706.03762, with the weights given as multiplicative gains (McAdams & Maunsell 1999,
    doi:10.1523/JNEUROSCI.19-01-00431.1999).
    """

    name = "gated_attention"
    summary = "attention over the streams whose weights are given, not learnt: the gains of the gate of spiking_gated"
    source = "Vaswani et al. 2017, arXiv:1706.03762; McAdams & Maunsell 1999, doi:10.1523/JNEUROSCI.19-01-00431.1999"
    cost = 5.0
    chosen_for = frozenset({"streams"})
    given, learns = ("gate", "teacher"), ("classes",)
    gate = InputGain()

    def weights(self, tokens: Tensor, cue: Tensor, mask: Tensor | None = None) -> Tensor:
        cued = torch.nn.functional.one_hot(cue, self.streams).to(tokens.dtype)
        gains = self.gate.ignored + (self.gate.attended - self.gate.ignored) * cued  # (n, streams)
        there = self.attended(cue, mask)
        gains = gains if there is None else gains * there
        return gains / gains.sum(dim=1, keepdim=True)
