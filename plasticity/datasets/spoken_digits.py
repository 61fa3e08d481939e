"""Spoken digits: 3000 recordings, six speakers, ten digits, fifty times each."""

from __future__ import annotations

from plasticity.datasets.archive import Archive
from plasticity.datasets.dataset import DataSet
from plasticity.datasets.recordings import Recordings, recordings


def _load(data_set: DataSet) -> Recordings:
    assert isinstance(data_set, Archive)
    return recordings(data_set.members())


spoken_digits = Archive(
    name="spoken_digits",
    summary="3000 recordings of spoken digits, six speakers, 8 kHz: the Free Spoken Digit Dataset",
    source="Jackson et al. 2018, Free Spoken Digit Dataset, doi:10.5281/zenodo.1342401",
    terms="CC BY-SA 4.0",
    load=_load,
    url="https://github.com/Jakobovski/free-spoken-digit-dataset/archive/refs/tags/v1.0.10.zip",
    picked=r"(?:^|/)(recordings/\d_[a-z]+_\d+\.wav)$",
    count=3000,
    sha256="954ea1cf5c26624532853cc6ef905de1efeb89365398c0ce58fe829927db0667",
    classes=10,
)
