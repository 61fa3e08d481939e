"""MNIST: 70,000 images of 784 pixels; from number 60000 on they are the test images."""

from __future__ import annotations

import numpy as np

from plasticity.datasets.dataset import DataSet, Images, parse_idx


def _load(data_set: DataSet) -> Images:
    images: list[np.ndarray] = []
    labels: list[np.ndarray] = []
    for part in ("train", "t10k"):
        for dimensions, kind, into in ((3, "images", images), (1, "labels", labels)):
            file = f"{part}-{kind}-idx{dimensions}-ubyte.gz"
            into.append(parse_idx(data_set.content(file), dimensions, file, data_set.name))
    pixels = np.concatenate(images)
    known = np.concatenate(labels).astype(np.int64)
    return Images(pixels.reshape(len(pixels), -1), known, brightest=255, test_from=len(images[0]))


mnist = DataSet(
    name="mnist",
    summary="70,000 handwritten digits, 28x28 pixels, 256 levels of grey; 60,000 for training, 10,000 for test",
    source="LeCun, Bottou, Bengio & Haffner 1998, Proceedings of the IEEE 86, doi:10.1109/5.726791",
    terms="CC BY-SA 3.0 (as the Keras documentation states)",
    load=_load,
    files={
        "train-images-idx3-ubyte.gz": "f68b3c2dcbeaaa9fbdd348bbdeb94873",
        "train-labels-idx1-ubyte.gz": "d53e105ee54ea40749a09fcbcd1e9432",
        "t10k-images-idx3-ubyte.gz": "9fb629c4189551a2d022fa330f9573f3",
        "t10k-labels-idx1-ubyte.gz": "ec29112dd5afa0611ce80d1b7f02629c",
    },
    unpacked={
        "train-images-idx3-ubyte.gz": "6bbc9ace898e44ae57da46a324031adb",
        "train-labels-idx1-ubyte.gz": "a25bea736e30d166cdddb491f175f624",
        "t10k-images-idx3-ubyte.gz": "2646ac647ad5339dbf082846283269ea",
        "t10k-labels-idx1-ubyte.gz": "27ae3e4e09519cfbb04c329615203637",
    },
    classes=10,
    url="https://ossci-datasets.s3.amazonaws.com/mnist/",
)
