"""Scaled dot-product attention over the streams, the cue as the query."""

from __future__ import annotations

import math

from torch import Tensor

from bridges.models.backbone import StreamAttention, masked_softmax


class SoftmaxAttention(StreamAttention):
    """Scaled dot-product attention: the cue asks, each stream offers a key and a value.

    `context = softmax(q K^T / sqrt(d)) V`, with
    `q = W_q onehot(cue)`, `K_i = W_k x_i + p_i`, `V_i = W_v x_i + b_v`;
    x_i the standardised image in stream i, p_i a learned embedding of the stream (its position), d = `hidden`.

    Sources
    -------
    Vaswani et al. 2017, Attention is all you need, arXiv:1706.03762 (the scaled dot product, eq. 1).
    Bahdanau, Cho & Bengio 2015, Neural machine translation by jointly learning to align and translate, arXiv:1409.0473
    (a query weighs values by a softmax over scores).
    """

    name = "softmax_attention"
    summary = "scaled dot-product softmax attention over the streams, the cue is the query"
    source = "Vaswani et al. 2017, arXiv:1706.03762; Bahdanau, Cho & Bengio 2015, arXiv:1409.0473"
    cost = 6.0
    chosen_for = frozenset({"pairs", "streams"})
    sums_to_one = True

    def score(self, query: Tensor, keys: Tensor) -> Tensor:
        """How well the keys (n, streams, hidden) answer the query (n, hidden): (n, streams)."""
        return (query.unsqueeze(1) * keys).sum(dim=2) / math.sqrt(self.hidden)

    def weights(self, tokens: Tensor, cue: Tensor, mask: Tensor | None = None) -> Tensor:
        score = self.score(self.question(tokens, cue), self.keys(tokens))  # (n, streams)
        return masked_softmax(score, self.attended(cue, mask))  # (n, streams)
