"""Self-attention among the patches of the images: a small vision Transformer, its class token chosen by the cue."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from bridges.models.backbone import Model
from bridges.models.blocks import HEADS, Block, shares

BLOCKS = 2


class PatchAttention(Model):
    """Self-attention over square patches of all streams; what the class token gathers is the context.

    `z = [question; W x_1 + p_1 + s_1; ...]`, then `BLOCKS` pre-norm Transformer blocks of `HEADS` heads,
    `attention = softmax(Q K^T / sqrt(d)) V`; the context is a linear map of the first token. x_i a standardised patch, p_i a
    learned embedding of its place, s_i one of its stream. A patch is as large as the largest divisor of the image's side that is
    not above its square root (8 pixels: 2, 28 pixels: 4); features that make no square image are a token each.

    Source: Dosovitskiy et al. 2021, An image is worth 16x16 words, arXiv:2010.11929; Vaswani et al. 2017, arXiv:1706.03762.
    """

    name = "patch_attention"
    summary = "self-attention among the patches of the images (a small vision Transformer), the cue is the class token"
    source = "Dosovitskiy et al. 2021, arXiv:2010.11929; Vaswani et al. 2017, arXiv:1706.03762"
    settings = {  # chosen on validation trials of the digits task, draws 100 and 101
        "learning_rate": 2e-3,
        "weight_decay": 0.1,
        "epochs": 100,
        "patience": 30,
    }
    cost = 30.0
    chosen_for = frozenset({"image"})
    sums_to_one = True

    def __init__(
        self, streams: int, features: int, classes: int, hidden: int = 192, dropout: float = 0.3, query: str = "cue"
    ) -> None:
        super().__init__(streams, features, classes, hidden, dropout, query)
        side = math.isqrt(features)
        self.side = side if side * side == features else 0
        self.patch = self.patch_side(side) if self.side else 1
        patches, width = features // self.patch**2, HEADS * max(2, hidden // (3 * HEADS))
        self.ask(width)  # the class token
        self.embed = nn.Linear(self.patch**2, width)
        self.place = nn.Parameter(0.02 * torch.randn(patches, width))
        self.position = nn.Parameter(0.02 * torch.randn(streams, width))
        self.blocks = nn.ModuleList(Block(width, dropout / 3) for _ in range(BLOCKS))
        self.norm = nn.LayerNorm(width)
        self.gather = nn.Linear(width, hidden)

    def patch_side(self, side: int) -> int:
        """How many pixels a patch of an image of side x side pixels is wide."""
        return max(p for p in range(1, math.isqrt(side) + 1) if side % p == 0)

    def patches(self, tokens: Tensor) -> Tensor:
        """(n, streams, features) as (n, streams, patches, pixels of a patch)."""
        if not self.side:
            return tokens.unsqueeze(3)
        rows = self.side // self.patch
        cut = tokens.unflatten(2, (rows, self.patch, rows, self.patch))  # (n, streams, rows, patch, columns, patch)
        return cut.transpose(3, 4).flatten(4).flatten(2, 3)  # (n, streams, patches, patch * patch)

    def sequence(self, tokens: Tensor, cue: Tensor) -> Tensor:
        embedded = self.embed(self.patches(tokens)) + self.place + self.position[:, None]  # (n, streams, patches, width)
        return torch.cat(
            [self.question(tokens, cue)[:, None], embedded.flatten(1, 2)], dim=1
        )  # (n, 1 + streams * patches, width)

    def there(self, cue: Tensor, mask: Tensor | None) -> Tensor | None:
        """Which patches may be attended, (n, streams * patches), or None: all."""
        attended = self.attended(cue, mask)
        return None if attended is None else attended.repeat_interleave(len(self.place), dim=1)

    def context(self, tokens: Tensor, cue: Tensor, mask: Tensor | None = None) -> Tensor:
        x, there = self.sequence(tokens, cue), self.there(cue, mask)
        if there is not None:
            there = functional.pad(there, (1, 0), value=True)  # the class token
        for block in self.blocks:
            x = block(x, there)
        return self.gather(self.norm(x[:, 0]))  # (n, hidden)

    def weights(self, tokens: Tensor, cue: Tensor, mask: Tensor | None = None) -> Tensor:
        """How much the class token attends to each stream in the first block: mean over heads, summed over its patches."""
        first = self.blocks[0]
        assert isinstance(first, Block)
        query, key, _ = first.heads(self.sequence(tokens, cue))
        share = shares(query[:, :, :1], key[:, :, 1:], self.there(cue, mask))  # (n, heads, 1, patches)
        return share.mean(dim=(1, 2)).unflatten(1, (self.streams, -1)).sum(dim=2)  # (n, streams)
