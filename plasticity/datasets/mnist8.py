"""MNIST in 8x8 pixels, as scikit-learn's digits have them: data on which no setting of this package was chosen."""

from __future__ import annotations

import dataclasses

import numpy as np

from plasticity.datasets.dataset import DataSet, Images
from plasticity.datasets.mnist import mnist

SIDE, PADDED, BLOCK = 28, 32, 4


def _load(data_set: DataSet) -> Images:
    whole = mnist.load(data_set)
    border = (PADDED - SIDE) // 2
    images = np.pad(whole.pixels.reshape(-1, SIDE, SIDE), ((0, 0), (border, border), (border, border)))
    blocks = images.reshape(len(images), PADDED // BLOCK, BLOCK, PADDED // BLOCK, BLOCK).mean(axis=(2, 4))
    return dataclasses.replace(whole, pixels=np.rint(blocks).astype(np.uint8).reshape(len(images), -1))


mnist8 = dataclasses.replace(
    mnist,
    name="mnist8",
    summary="MNIST pooled to 8x8 pixels: means of 4x4 blocks in a frame of 32x32, as scikit-learn's digits were made",
    source=f"{mnist.source}; Alpaydin & Kaynak 1998, UCI Machine Learning Repository, doi:10.24432/C50P49 (the pooling)",
    load=_load,
    folder="mnist",
    features=64,
)
