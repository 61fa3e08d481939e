"""Film reviews: a part of the Large Movie Review Dataset, 10,000 for training and 5,000 for test."""

from __future__ import annotations

import numpy as np

from plasticity.datasets.archive import Archive
from plasticity.datasets.dataset import DataSet
from plasticity.datasets.texts import Texts, decoded

NAMES = ("neg", "pos")


def _load(data_set: DataSet) -> Texts:
    assert isinstance(data_set, Archive)
    members = dict(sorted(data_set.members().items(), key=lambda item: ("/test/" in item[0], item[0])))  # training first
    labels = np.array([NAMES.index(name.split("/")[2]) for name in members], dtype=np.int64)
    test_from = sum("/train/" in name for name in members)
    return Texts(tuple(decoded(content, name) for name, content in members.items()), labels, NAMES, test_from)


imdb = Archive(
    name="imdb",
    summary="15,000 film reviews, for and against: of the whole set those with id mod 5 < 2 for training, = 0 for test",
    source="Maas et al. 2011, https://aclanthology.org/P11-1015; the question: Pang & Lee 2008, doi:10.1561/1500000011",
    terms="none stated; cite the paper",
    load=_load,
    url="https://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz",
    picked=r"(?:^|/)(aclImdb/(?:train/(?:neg|pos)/\d*[0156]|test/(?:neg|pos)/\d*[05])_\d+\.txt)$",
    count=15_000,
    sha256="16a7374ff496c1c977f58be56601dad8bc3ace8c2195d165a92e5f32b5da8738",
    classes=2,
)
