"""Linear attention: the streams are written into a matrix of fast weights, which the question reads."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from bridges.models.backbone import StreamAttention


def phi(x: Tensor) -> Tensor:
    """`elu(x) + 1`: a feature map that is positive everywhere."""
    return functional.elu(x) + 1


class LinearAttention(StreamAttention):
    """Linear attention, computed as fast weights: each stream adds the outer product of its value and its key.

    `S = sum_i V_i phi(K_i)^T`, `z = sum_i phi(K_i)`, `context = S phi(q) / (z phi(q))`, `phi(x) = elu(x) + 1`, with question q,
    keys K_i and values V_i as in `StreamAttention`. S is a Hebbian matrix of synapses that is written once, and z the sum of what
    came in; memory does not grow with the number of streams, whose order does not matter. The same, stream by stream:
    `context = sum_i a_i V_i`, `a_i = phi(q) phi(K_i) / sum_j phi(q) phi(K_j)`.

    Sources
    -------
    Katharopoulos, Vyas, Pappas & Fleuret 2020, Transformers are RNNs, arXiv:2006.16236.
    Schlag, Irie & Schmidhuber 2021, Linear Transformers are secretly fast weight programmers, arXiv:2102.11174.
    """

    name = "linear_attention"
    summary = "linear attention: outer products of values and keys summed in fast weights, which the question reads"
    source = "Katharopoulos et al. 2020, arXiv:2006.16236; Schlag, Irie & Schmidhuber 2021, arXiv:2102.11174"
    cost = 17.0
    chosen_for = frozenset({"pairs"})
    sums_to_one = True

    def written(self, tokens: Tensor, cue: Tensor, mask: Tensor | None = None) -> Tensor:
        """phi(K), (n, streams, hidden), 0 for a stream that may not be attended."""
        there, keys = self.attended(cue, mask), phi(self.keys(tokens))
        return keys if there is None else keys * there[:, :, None]

    def memory(self, tokens: Tensor, cue: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """S (n, hidden, hidden), values by keys, and z (n, hidden)."""
        keys = self.written(tokens, cue, mask)
        return self.value(tokens).transpose(1, 2) @ keys, keys.sum(dim=1)

    def weights(self, tokens: Tensor, cue: Tensor, mask: Tensor | None = None) -> Tensor:
        question = phi(self.question(tokens, cue))  # (n, hidden)
        score = torch.einsum("nd,nsd->ns", question, self.written(tokens, cue, mask))  # (n, streams)
        return score / score.sum(dim=1, keepdim=True)

    def context(self, tokens: Tensor, cue: Tensor, mask: Tensor | None = None) -> Tensor:
        question = phi(self.question(tokens, cue))  # (n, hidden)
        S, z = self.memory(tokens, cue, mask)
        return torch.einsum("ned,nd->ne", S, question) / (z * question).sum(dim=1, keepdim=True)  # (n, hidden)
