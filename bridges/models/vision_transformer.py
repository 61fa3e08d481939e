"""A vision Transformer over a whole scene: its patches are as large as the things in it."""

from __future__ import annotations

from bridges.models.patch_attention import PatchAttention

PATCH = 8  # pixels; of an image whose side that does not divide as `patch_attention`


class VisionTransformer(PatchAttention):
    """`patch_attention` with patches of 8 x 8 pixels: a place of a scene of 3 x 3 digits is one token.

    With nine streams of 8 x 8 pixels, or one scene of 24 x 24, that is nine tokens beside the class token, which the cue is;
    smaller patches are a hundred and more, and attention among them takes their square.

    Source: Dosovitskiy et al. 2021, An image is worth 16x16 words, arXiv:2010.11929.
    """

    name = "vision_transformer"
    summary = "a vision Transformer over the whole scene, patches of 8x8 pixels, the cue is the class token"
    source = "Dosovitskiy et al. 2021, arXiv:2010.11929"
    settings = {"learning_rate": 2e-3, "weight_decay": 0.1, "epochs": 40, "patience": 20}
    cost = 15.0
    chosen_for = frozenset()

    def patch_side(self, side: int) -> int:
        return PATCH if side % PATCH == 0 else super().patch_side(side)
