"""Attention models, one mechanism per file around the same small backbone, and `MODELS`, all of them by name.

A new model is one file and its class in this list.
"""

from __future__ import annotations

from bridges.models.additive_attention import AdditiveAttention
from bridges.models.backbone import Model, StreamAttention
from bridges.models.column_lstm import ColumnLSTM
from bridges.models.conv_attention import ConvAttention
from bridges.models.delta_attention import DeltaAttention
from bridges.models.encoder_decoder import EncoderDecoder
from bridges.models.fast_weights import FastWeights
from bridges.models.feature_attention import FeatureExponential, FeatureLinear, FeatureSoftmax
from bridges.models.gated_attention import GatedAttention
from bridges.models.hopfield_attention import HopfieldAttention
from bridges.models.linear_attention import LinearAttention
from bridges.models.lstm_attention import LSTMAttention
from bridges.models.mlp import MLP, SigmoidMLP
from bridges.models.multi_head_attention import MultiHeadAttention
from bridges.models.patch_attention import PatchAttention
from bridges.models.relu_backprop import ReluBackprop
from bridges.models.self_attention import SelfAttention
from bridges.models.similarity_attention import BilinearAttention, CosineAttention, DotAttention, EuclideanAttention
from bridges.models.softmax_attention import SoftmaxAttention
from bridges.models.surrogate_twin import SurrogateTwin
from bridges.models.transformer_encoder import TransformerEncoder
from bridges.models.uniform_attention import UniformAttention
from bridges.models.vision_transformer import VisionTransformer
from plasticity.registry import Registry

# Settings: a few learning rates, weight decays, dropouts and lengths were tried for each on validation trials of CuedDigits,
# draws 100 and 101. A model that has none of its own did no better with any of them than with the defaults of TorchClassifier.
MODELS: Registry[type[Model]] = Registry(
    "model",
    [
        *(GatedAttention, SoftmaxAttention, UniformAttention, MLP, PatchAttention, VisionTransformer),
        *(FeatureSoftmax, FeatureExponential, FeatureLinear),
        *(AdditiveAttention, DotAttention, CosineAttention, EuclideanAttention, BilinearAttention, MultiHeadAttention),
        *(SelfAttention, TransformerEncoder, EncoderDecoder, LSTMAttention, ColumnLSTM, ConvAttention),
        *(LinearAttention, FastWeights, DeltaAttention, HopfieldAttention),
        *(SigmoidMLP, ReluBackprop, SurrogateTwin),
    ],
    of=Model,
)

__all__ = ["MODELS", "Model", "StreamAttention", *sorted(model.__name__ for model in MODELS.values())]
