"""Fast weights: the streams are written into a matrix as they are, which the question reads; Hebb with learnt keys and values."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from bridges.models.backbone import StreamAttention


class FastWeights(StreamAttention):
    """Fast weights: each stream adds the outer product of its value and its key, nothing is normalised.

    `W = sum_i V_i K_i^T`, `context = W q / sqrt(hidden)`, with question q, keys K_i and values V_i as in `StreamAttention`. W is
    the correlation matrix of a Hebbian memory, written in one shot in each trial; what training finds are the keys, the values
    and the questions. The same, stream by stream: `context = sum_i a_i V_i`, `a_i = K_i q / sqrt(hidden)`: linear attention
    without a feature map and without normalisation. These weights may be negative and do not sum to one; the order of the streams
    does not matter.

    Sources
    -------
    Schmidhuber 1992, doi:10.1162/neco.1992.4.1.131. Ba, Hinton, Mnih, Leibo & Ionescu 2016, arXiv:1610.06258 (as an attention to
    what was seen, without normalisation). Schlag, Irie & Schmidhuber 2021, arXiv:2102.11174.
    """

    name = "fast_weights"
    summary = "fast weights: outer products of values and keys summed as they are; Hebb, with keys and values learnt by gradient"
    source = "Schmidhuber 1992, doi:10.1162/neco.1992.4.1.131; Ba et al. 2016, arXiv:1610.06258"
    cost = 6.0
    chosen_for = frozenset({"pairs"})

    def written(self, tokens: Tensor, cue: Tensor, mask: Tensor | None = None) -> Tensor:
        """Keys (n, streams, hidden), 0 for a stream that may not be attended."""
        there, keys = self.attended(cue, mask), self.keys(tokens)
        return keys if there is None else keys * there[:, :, None]

    def memory(self, tokens: Tensor, cue: Tensor, mask: Tensor | None = None) -> Tensor:
        """The fast weights W, (n, hidden, hidden), values by keys."""
        return self.value(tokens).transpose(1, 2) @ self.written(tokens, cue, mask)

    def weights(self, tokens: Tensor, cue: Tensor, mask: Tensor | None = None) -> Tensor:
        question = self.question(tokens, cue)  # (n, hidden)
        return torch.einsum("nd,nsd->ns", question, self.written(tokens, cue, mask)) / math.sqrt(self.hidden)
