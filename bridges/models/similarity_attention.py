"""Softmax attention by four other similarities of query and key: dot product, cosine, Euclidean distance, bilinear form."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from bridges.models.softmax_attention import SoftmaxAttention


class DotAttention(SoftmaxAttention):
    """Softmax attention by the plain dot product: `context = softmax(q K^T) V`.

    q, K and V as in `SoftmaxAttention`, whose score is this one over sqrt(d). Beware: without that factor scores grow with
    `hidden`, and the softmax begins nearly as a choice of one stream, where its gradient is small.

    Source: Luong, Pham & Manning 2015, arXiv:1508.04025 (section 3.1, "dot").
    """

    name = "dot_attention"
    summary = "softmax attention by the plain dot product of query and key"
    source = "Luong, Pham & Manning 2015, arXiv:1508.04025"
    cost = 6.0
    chosen_for = frozenset()

    def score(self, query: Tensor, keys: Tensor) -> Tensor:
        return (query.unsqueeze(1) * keys).sum(dim=2)  # (n, streams)


class CosineAttention(SoftmaxAttention):
    """Softmax attention by the angle: `context = softmax(beta q K^T / (|q| |K|)) V`.

    A cosine lies between -1 and 1, so that a softmax of two of them never gives one more than 0.88; the learned strength
    `beta = exp(log_beta)`, 10 at the start, makes it as sharp as it has to be.

    Source: Graves, Wayne & Danihelka 2014, Neural Turing machines, arXiv:1410.5401 (addressing by content).
    """

    name = "cosine_attention"
    summary = "softmax attention by the cosine of query and key, with a learned strength"
    source = "Graves, Wayne & Danihelka 2014, arXiv:1410.5401"
    cost = 6.0
    chosen_for = frozenset()

    def __init__(
        self, streams: int, features: int, classes: int, hidden: int = 192, dropout: float = 0.3, query: str = "cue"
    ) -> None:
        super().__init__(streams, features, classes, hidden, dropout, query)
        self.log_beta = nn.Parameter(torch.tensor(math.log(10.0)))

    def score(self, query: Tensor, keys: Tensor) -> Tensor:
        return self.log_beta.exp() * functional.cosine_similarity(query.unsqueeze(1), keys, dim=2)  # (n, streams)


class EuclideanAttention(SoftmaxAttention):
    """Softmax attention by nearness: `context = softmax(-beta |q - K|) V`.

    The learned strength `beta = exp(log_beta)`, 1 at the start, says over which distance the weight falls by a factor of e.
    With the squared distance it would be the dot product again for keys of equal length: |q - k|^2 = |q|^2 - 2 q k + |k|^2.

    Source: Snell, Swersky & Zemel 2017, arXiv:1703.05175 (a softmax over negative distances, there squared).
    """

    name = "euclidean_attention"
    summary = "softmax attention by the negative Euclidean distance of query and key, with a learned strength"
    source = "Snell, Swersky & Zemel 2017, arXiv:1703.05175"
    cost = 6.0
    chosen_for = frozenset()

    def __init__(
        self, streams: int, features: int, classes: int, hidden: int = 192, dropout: float = 0.3, query: str = "cue"
    ) -> None:
        super().__init__(streams, features, classes, hidden, dropout, query)
        self.log_beta = nn.Parameter(torch.tensor(0.0))

    def score(self, query: Tensor, keys: Tensor) -> Tensor:
        return -self.log_beta.exp() * torch.linalg.vector_norm(query.unsqueeze(1) - keys, dim=2)  # (n, streams)


class BilinearAttention(SoftmaxAttention):
    """Softmax attention by a bilinear form: `context = softmax(q W K^T) V`, W a learned matrix.

    W is the identity over sqrt(d) at the start, which makes it `SoftmaxAttention`. Beware: q is a learned vector for each cue
    already, so that W adds another way to learn the same weights and no new ones.

    Source: Luong, Pham & Manning 2015, arXiv:1508.04025 (section 3.1, "general").
    """

    name = "bilinear_attention"
    summary = "softmax attention by a learned bilinear form of query and key"
    source = "Luong, Pham & Manning 2015, arXiv:1508.04025"
    cost = 7.0
    chosen_for = frozenset()

    def __init__(
        self, streams: int, features: int, classes: int, hidden: int = 192, dropout: float = 0.3, query: str = "cue"
    ) -> None:
        super().__init__(streams, features, classes, hidden, dropout, query)
        self.form = nn.Linear(hidden, hidden, bias=False)
        with torch.no_grad():
            self.form.weight.copy_(torch.eye(hidden) / math.sqrt(hidden))

    def score(self, query: Tensor, keys: Tensor) -> Tensor:
        return (query.unsqueeze(1) * self.form(keys)).sum(dim=2)  # (n, streams)
