"""A Transformer encoder over the streams: self-attention with a multilayer perceptron after each layer."""

from __future__ import annotations

from bridges.models.self_attention import SelfAttention


class TransformerEncoder(SelfAttention):
    """Transformer encoder for classification: the network of `SelfAttention`, each layer followed by `z <- z + MLP(norm(z))`.

    The MLP has one hidden layer of 2 `hidden` GELU units; norms come before attention and MLP, not after.

    Sources
    -------
    Vaswani et al. 2017, Attention is all you need, arXiv:1706.03762 (section 3.1, the encoder).
    Xiong et al. 2020, On layer normalization in the Transformer architecture, arXiv:2002.04745 (the place of the norms).
    """

    name = "transformer_encoder"
    summary = "a Transformer encoder of two blocks over the streams and a class token that brings the question"
    source = "Vaswani et al. 2017, arXiv:1706.03762; Xiong et al. 2020, arXiv:2002.04745"
    settings = {"learning_rate": 1e-3, "weight_decay": 0.1}  # chosen on validation trials of CuedDigits, draws 100 and 101
    cost = 12.0
    chosen_for = frozenset({"pairs"})
    mlp = True
