"""Fast weights written by the delta rule: each stream corrects what its key recalls, then the question reads."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from bridges.models.backbone import StreamAttention


class DeltaAttention(StreamAttention):
    """Delta attention: streams are written into fast weights in order, each over what its key recalled before.

    `W_0 = 0`, `W_i = W_{i-1} + b_i (V_i - W_{i-1} k_i) k_i^T`, `context = W_n u`, n the last stream, with `k_i = K_i / |K_i|`,
    `u = q / |q|`, a rate of writing `b_i = sigmoid(w_b x_i + c_b)`, and question q, keys K_i and values V_i as in
    `StreamAttention`. The delta rule is one step down the gradient of |V - W k|^2 / 2; with b = 1 a key recalls exactly what was
    written last with it.

    Reading is linear in the values: `context = sum_i a_i V_i`, `a_i = b_i k_i^T P_{i+1} ... P_n u`, `P_j = I - b_j k_j k_j^T`. It
    is computed so, from the last stream to the first, without a matrix for each trial; `memory` writes that matrix, and W_n u is
    the same context. These weights may be negative and do not sum to one, and the order of the streams matters.

    Sources
    -------
    Schlag, Irie & Schmidhuber 2021, Linear Transformers are secretly fast weight programmers, arXiv:2102.11174.
    Yang, Wang, Zhang, Shen & Kim 2024, arXiv:2406.06484 (keys of length one, in place of keys that sum to one).
    """

    name = "delta_attention"
    summary = "fast weights written by the delta rule, stream after stream, which the question reads"
    source = "Schlag, Irie & Schmidhuber 2021, arXiv:2102.11174; Yang et al. 2024, arXiv:2406.06484"
    cost = 6.0
    chosen_for = frozenset({"pairs"})

    def __init__(
        self, streams: int, features: int, classes: int, hidden: int = 192, dropout: float = 0.3, query: str = "cue"
    ) -> None:
        super().__init__(streams, features, classes, hidden, dropout, query)
        self.rate = nn.Linear(features, 1)

    def written(self, tokens: Tensor, cue: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Keys of length one (n, streams, hidden) and rates (n, streams), 0 for a stream that may not be attended."""
        rates, there = torch.sigmoid(self.rate(tokens)).squeeze(2), self.attended(cue, mask)
        return functional.normalize(self.keys(tokens), dim=2), rates if there is None else rates * there

    def memory(self, tokens: Tensor, cue: Tensor, mask: Tensor | None = None) -> Tensor:
        """The fast weights after the last stream, (n, hidden, hidden), values by keys."""
        keys, rates = self.written(tokens, cue, mask)
        values = self.value(tokens)  # (n, streams, hidden)
        W = values.new_zeros(len(values), self.hidden, self.hidden)
        for k, v, rate in zip(keys.unbind(1), values.unbind(1), rates.unbind(1), strict=True):
            error = v - torch.einsum("ned,nd->ne", W, k)  # (n, hidden)
            W = W + torch.einsum("n,ne,nd->ned", rate, error, k)
        return W

    def weights(self, tokens: Tensor, cue: Tensor, mask: Tensor | None = None) -> Tensor:
        keys, rates = self.written(tokens, cue, mask)
        asked = functional.normalize(self.question(tokens, cue), dim=1)  # (n, hidden)
        weights = []
        for k, rate in zip(reversed(keys.unbind(1)), reversed(rates.unbind(1)), strict=True):
            weight = rate * (k * asked).sum(dim=1)  # (n,)
            asked = asked - weight[:, None] * k  # what later streams left of the question
            weights.append(weight)
        return torch.stack(weights[::-1], dim=1)  # (n, streams)
