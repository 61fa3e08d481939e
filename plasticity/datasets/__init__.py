"""Data sets of images, texts and sounds by name. A new data set is one file and one import line here."""

# ruff: noqa: F401  (importing a data set registers it)

import functools
from collections.abc import Iterator, Mapping
from typing import Any

from plasticity.checked import checked
from plasticity.datasets.archive import Archive
from plasticity.datasets.bbc import bbc
from plasticity.datasets.dataset import DataSet, Images, Status, parse_idx, split
from plasticity.datasets.digits import digits
from plasticity.datasets.idx import read_idx
from plasticity.datasets.imdb import imdb
from plasticity.datasets.mnist import mnist
from plasticity.datasets.mnist8 import mnist8
from plasticity.datasets.recordings import Recordings, read_recordings
from plasticity.datasets.scan import scan
from plasticity.datasets.spoken_digits import spoken_digits
from plasticity.datasets.tatoeba import tatoeba
from plasticity.datasets.texts import Texts
from plasticity.errors import WrongUse
from plasticity.registry import Registry

DATASETS: Registry[DataSet] = Registry(
    "data set", [value for value in list(globals().values()) if isinstance(value, DataSet)], of=DataSet
)
OWN = "idx"


class _WithOwn(Mapping[str, DataSet]):
    """The data sets of images, and the name of `idx`, which is none: a folder of one's own, without terms or source."""

    def _names(self) -> list[str]:
        return [name for name, known in DATASETS.items() if not isinstance(known, Archive)]

    def __contains__(self, name: object) -> bool:
        return name == OWN or name in self._names()

    def __getitem__(self, name: str) -> DataSet:
        return DATASETS[name]

    def __iter__(self) -> Iterator[str]:
        return iter([*self._names(), OWN])

    def __len__(self) -> int:
        return len(self._names()) + 1


WITH_OWN = _WithOwn()
"""What a task of images draws from."""


@checked
def images(data: str, folder: str = "") -> Images:
    """The images of a data set, or with data="idx" those in a folder of one's own (`read_idx`).

    Raises
    ------
    WrongUse
        An unknown data set, a folder beside one, or what `read_idx` refuses.
    PlasticityError
        A file is missing or damaged.
    """
    if data == OWN:
        return read_idx(folder)
    if folder:
        raise WrongUse(f"folder={folder!r} is for images of your own; with it write data={OWN} instead of data={data}.")
    return DATASETS[data]()


@functools.lru_cache(maxsize=2)
def recorded(data: str) -> Recordings:
    """The recordings of a data set of sounds, read once in a process. Raises what `images` does."""
    found: Any = DATASETS[data]()
    return found


@checked
def classes(data: str, folder: str = "") -> int:
    """How many classes a data set has; of one that does not say it the images are read and counted. Raises what `images` does."""
    known = None if data == OWN or folder else DATASETS[data].classes
    return images(data, folder).classes if known is None else known


@checked
def features(data: str) -> int:
    """Pixels of an image; of a folder of one's own, that nobody has read yet, those of MNIST."""
    return DATASETS[data].features if data in DATASETS else DataSet.features


@checked
def own_facts(data: str, folder: str) -> dict[str, Any]:
    """What a record keeps of images of one's own: `classes`, their names, and `sha256` of the files; {} of a data set."""
    if data != OWN:
        return {}
    found = images(data, folder)
    return {"classes": list(found.names), "sha256": dict(found.sha256)}


@checked
def status(name: str) -> Status:
    """Whether a data set is there and whole; WrongUse for an unknown one."""
    return DATASETS[name].status()


@checked
def fetch(name: str) -> Status:
    """Download what is missing or damaged of a data set; WrongUse for an unknown one, PlasticityError for a failed download."""
    return DATASETS[name].fetch()
