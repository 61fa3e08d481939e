"""The control without selection: the softmax attention network with equal weights on all streams."""

from __future__ import annotations

import torch
from torch import Tensor

from bridges.models.softmax_attention import SoftmaxAttention


class UniformAttention(SoftmaxAttention):
    """Mean pooling: the network of `SoftmaxAttention`, its weights fixed at 1 / streams.

    `context = (1 / streams) sum_i V_i` over the streams that may be attended. The layers for queries and keys are there, so that
    both networks start from the same parameters, but nothing reads them and no gradient reaches them: the question has no way
    into the answer. With two different digits shown, one of two guesses is right at best: accuracy 1/2.

    Source: the ablation of the attention weights of Vaswani et al. 2017, arXiv:1706.03762.
    """

    name = "uniform_attention"
    summary = "a control of softmax_attention: equal weights on all streams, so that the cue is ignored"
    source = "ablation of Vaswani et al. 2017, arXiv:1706.03762"
    cost = 5.0
    chosen_for = frozenset({"streams"})
    learns = ("classes",)

    def weights(self, tokens: Tensor, cue: Tensor, mask: Tensor | None = None) -> Tensor:
        there = self.attended(cue, mask)
        if there is None:
            return torch.full(tokens.shape[:2], 1 / self.streams, dtype=tokens.dtype, device=tokens.device)  # (n, streams)
        return there / there.sum(dim=1, keepdim=True).to(tokens.dtype)  # (n, streams)
