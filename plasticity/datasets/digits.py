"""scikit-learn's digits: 1,797 images of 64 pixels, from 13 writers."""

from __future__ import annotations

import numpy as np

from plasticity.datasets.dataset import DataSet, Images


def _load(data_set: DataSet) -> Images:
    from sklearn.datasets import load_digits

    pixels, labels = load_digits(return_X_y=True)
    return Images(pixels.astype(np.uint8), labels.astype(np.int64), brightest=16)


digits = DataSet(
    name="digits",
    summary="1,797 handwritten digits, 8x8 pixels, 17 levels of grey; ships with scikit-learn",
    source="Alpaydin & Kaynak 1998, Optical Recognition of Handwritten Digits, doi:10.24432/C50P49",
    terms="CC BY 4.0 (as the UCI repository states)",
    load=_load,
    ships_with="scikit-learn",
    classes=10,
    features=64,
)
