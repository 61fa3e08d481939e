"""An encoder and a decoder for sequences of symbols, whose attention is a softmax or a memory of fast weights."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from bridges.models.blocks import attend, heads
from bridges.models.encoder_decoder import places
from bridges.models.linear_attention import phi

ATTENTION = ("softmax", "hebb", "delta")


def remember(query: Tensor, key: Tensor, value: Tensor, causal: bool) -> tuple[Tensor, Tensor]:
    """What each query reads of the outer products written (up to its own place with `causal`), and the sum of its matches.

    `o_t = sum_i v_i (k_i . q_t)`, `z_t = sum_i k_i . q_t`; all (n, heads, tokens, d), z (n, heads, tokens, 1).
    """
    match = query @ key.transpose(2, 3)  # (n, heads, queries, tokens)
    if causal:
        match = match.tril()
    return match @ value, match.sum(dim=3, keepdim=True)


def corrections(key: Tensor, value: Tensor, rate: Tensor) -> Tensor:
    """What the delta rule writes for each token, (n, heads, tokens, d): `u_i = b_i (v_i - sum_{j<i} u_j (k_j . k_i))`.

    With them `W_i = sum_{j<=i} u_j k_j^T` is the memory of `W_i = W_{i-1} + b_i (v_i - W_{i-1} k_i) k_i^T`; the u solve a
    triangular system, so that no step waits for the one before (Yang et al. 2024, arXiv:2406.06484).
    """
    mutual = rate * (key @ key.transpose(2, 3)).tril(-1)
    one = torch.eye(key.shape[2], dtype=key.dtype, device=key.device)
    return torch.linalg.solve_triangular(one + mutual, rate * value, upper=False, unitriangular=True)


class Attention(nn.Module):
    """Attention of some tokens to others, 4 heads: by softmax, or through fast weights into which these are written.

    "softmax": `softmax(Q K^T / sqrt(d)) V`. "hebb": outer products of values and keys are summed, `o = W phi(q) / (z phi(q))`,
    `W = sum_i v_i phi(k_i)^T`, `z = sum_i phi(k_i)`, `phi(x) = elu(x) + 1`. "delta": each token corrects what its key recalls,
    `W <- W + b (v - W k) k^T`, with keys and queries of length one and a rate b of writing that is learnt; what is read is scaled
    to unit variance. A token that is not `there` writes nothing.

    Sources: Vaswani et al. 2017, arXiv:1706.03762; Katharopoulos et al. 2020, arXiv:2006.16236; Schlag, Irie & Schmidhuber 2021,
    arXiv:2102.11174; Ba et al. 2016, arXiv:1610.06258.
    """

    def __init__(self, width: int, kind: str) -> None:
        super().__init__()
        self.kind = kind
        self.query = nn.Linear(width, width, bias=False)
        self.offer = nn.Linear(width, 2 * width, bias=False)  # key and value
        self.out = nn.Linear(width, width)
        split = math.gcd(width, 4)
        self.rate = nn.Linear(width, split) if kind == "delta" else None
        self.norm = nn.LayerNorm(width // split) if kind == "delta" else None

    def forward(self, asks: Tensor, tells: Tensor, there: Tensor | None = None, causal: bool = False) -> Tensor:
        """Tokens that ask (n, queries, width) and that are attended to (n, tokens, width); `there` (n, tokens)."""
        query, (key, value) = heads(self.query(asks)), map(heads, self.offer(tells).chunk(2, dim=2))
        if self.kind == "softmax":
            return self.out(attend(query, key, value, there, causal))
        written = 1.0 if there is None else there[:, None, :, None].to(asks.dtype)  # (n, 1, tokens, 1)
        if self.rate is None or self.norm is None:
            read, match = remember(phi(query), phi(key) * written, value, causal)
            read = read / match
        else:
            query, key = functional.normalize(query, dim=3), functional.normalize(key, dim=3)
            rate = torch.sigmoid(self.rate(tells)).transpose(1, 2)[..., None] * written  # (n, heads, tokens, 1)
            read = self.norm(remember(query, key, corrections(key, value, rate), causal)[0])
        return self.out(read.transpose(1, 2).flatten(2))


class Layer(nn.Module):
    """x + attention(norm(x)), of a decoder x + attention(norm(x), memory), x + MLP(norm(x)); norms first (arXiv:2002.04745)."""

    def __init__(self, width: int, kind: str, dropout: float, decoding: bool) -> None:
        super().__init__()
        self.own = Attention(width, kind)
        self.others = Attention(width, kind) if decoding else None
        self.mlp = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(2 + decoding))
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, there: Tensor | None, memory: Tensor | None = None) -> Tensor:
        """Tokens (n, tokens, width); `there` says which of them are, of a decoder which of the memory."""
        shown = self.norms[0](x)
        x = x + self.dropout(self.own(shown, shown, there if memory is None else None, causal=memory is not None))
        if self.others is not None:
            x = x + self.dropout(self.others(self.norms[1](x), memory, there))
        return x + self.dropout(self.mlp(self.norms[-1](x)))


class SequenceModel(nn.Module):
    """Encoder and decoder: ids of a source (n, length), -1 behind its end, to logits of each next symbol of the target.

    The decoder begins with a symbol of its own, number `symbols`, and ends with the same; so it has symbols + 1 logits.
    """

    def __init__(self, vocabulary: int, symbols: int, width: int, layers: int, dropout: float, kind: str) -> None:
        super().__init__()
        self.symbols, self.width = symbols, width
        self.source = nn.Embedding(vocabulary, width)
        self.target = nn.Embedding(symbols + 1, width)
        for embedding in (self.source, self.target):
            nn.init.normal_(embedding.weight, std=1 / math.sqrt(width))
        self.encoder = nn.ModuleList(Layer(width, kind, dropout, False) for _ in range(layers))
        self.decoder = nn.ModuleList(Layer(width, kind, dropout, True) for _ in range(layers))
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(2))
        self.dropout = nn.Dropout(dropout)

    def _shown(self, embedding: nn.Embedding, ids: Tensor) -> Tensor:
        """Embedded symbols with their places, (n, tokens, width)."""
        x = embedding(ids) * math.sqrt(self.width)
        return self.dropout(x + places(ids.shape[1], self.width).to(x))

    def encode(self, source: Tensor) -> tuple[Tensor, Tensor]:
        """What the encoder makes of a source, (n, length, width), and which places of it are there."""
        there = source >= 0
        x = self._shown(self.source, source.clamp(min=0))
        for layer in self.encoder:
            x = layer(x, there)
        return self.norms[0](x), there

    def decode(self, memory: Tensor, there: Tensor, before: Tensor) -> Tensor:
        """Logits after none, one, ... of the symbols `before` (n, length): (n, 1 + length, symbols + 1)."""
        begin = before.new_full((len(before), 1), self.symbols)
        x = self._shown(self.target, torch.cat([begin, before.clamp(min=0)], dim=1))
        for layer in self.decoder:
            x = layer(x, there, memory)
        return self.norms[1](x) @ self.target.weight.T  # the embedding reads, too (Press & Wolf 2017, arXiv:1608.05859)

    def forward(self, source: Tensor, target: Tensor) -> Tensor:
        """Logits (n, length + 1, symbols + 1) of each symbol of the target and its end, given those before."""
        return self.decode(*self.encode(source), target)
