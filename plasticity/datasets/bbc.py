"""BBC news: 2225 articles of five classes."""

from __future__ import annotations

import numpy as np

from plasticity.datasets.archive import Archive
from plasticity.datasets.dataset import DataSet
from plasticity.datasets.texts import Texts, decoded

NAMES = ("business", "entertainment", "politics", "sport", "tech")


def _load(data_set: DataSet) -> Texts:
    assert isinstance(data_set, Archive)
    members = data_set.members()
    labels = np.array([NAMES.index(name.split("/")[1]) for name in members], dtype=np.int64)
    texts = tuple(decoded(content, name, "cp1252") for name, content in members.items())  # one of them is not UTF-8
    return Texts(texts, labels, NAMES)


bbc = Archive(
    name="bbc",
    summary="2225 news articles of the BBC, 2004 and 2005: business, entertainment, politics, sport, tech",
    source="Greene & Cunningham 2006, doi:10.1145/1143844.1143892",
    terms="non-commercial and research use; the articles are copyright BBC",
    load=_load,
    url="http://mlg.ucd.ie/files/datasets/bbc-fulltext.zip",
    picked=rf"(?:^|/)(bbc/(?:{'|'.join(NAMES)})/\d+\.txt)$",
    count=2225,
    sha256="14eb0d5ca9a35eea12c146510f1f434d8c1eb2cb892cbdd5d22b0a8ace019e7a",
    classes=5,
)
