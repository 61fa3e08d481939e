"""Image sets: where they lie, whether they are whole, how they are read and downloaded."""

from __future__ import annotations

import gzip
import hashlib
import math
import os
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pooch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from plasticity.errors import PlasticityError
from plasticity.registry import Registry


@dataclass(frozen=True)
class DataSet:
    """What is known of a data set before it is read.

    Attributes
    ----------
    name, summary, source, terms : str
        What it is called, what it holds, its citation with doi, under which terms it may be used.
    files : mapping from file name to MD5
        Empty if the data ships with a dependency.
    url : str
        The address in front of each file name.
    """

    name: str
    summary: str
    source: str
    terms: str
    files: Mapping[str, str] = field(default_factory=dict, hash=False)
    url: str = ""


DATASETS: Registry[DataSet] = Registry(
    "data set",
    [
        DataSet(
            name="digits",
            summary="1,797 handwritten digits, 8x8 pixels, 17 levels of grey; ships with scikit-learn",
            source="Alpaydin & Kaynak 1998, Optical Recognition of Handwritten Digits, doi:10.24432/C50P49",
            terms="CC BY 4.0 (as the UCI repository states)",
        ),
        DataSet(
            name="mnist",
            summary="70,000 handwritten digits, 28x28 pixels, 256 levels of grey; 60,000 for training, 10,000 for test",
            source="LeCun, Bottou, Bengio & Haffner 1998, Proceedings of the IEEE 86, doi:10.1109/5.726791",
            terms="CC BY-SA 3.0 (as the Keras documentation states)",
            files={
                "train-images-idx3-ubyte.gz": "f68b3c2dcbeaaa9fbdd348bbdeb94873",
                "train-labels-idx1-ubyte.gz": "d53e105ee54ea40749a09fcbcd1e9432",
                "t10k-images-idx3-ubyte.gz": "9fb629c4189551a2d022fa330f9573f3",
                "t10k-labels-idx1-ubyte.gz": "ec29112dd5afa0611ce80d1b7f02629c",
            },
            url="https://ossci-datasets.s3.amazonaws.com/mnist/",
        ),
    ],
)


@dataclass(frozen=True, eq=False)
class Images:
    """The images of a data set and their classes.

    Attributes
    ----------
    pixels : (images, features) uint8
        As stored, from 0 to `brightest`.
    labels : (images,) int64
        The class of each image.
    brightest : int
        The pixel value of full intensity.
    test_from : int or None
        Images from this number on are the data set's own test images; None if it has none.
    """

    pixels: np.ndarray
    labels: np.ndarray
    brightest: int
    test_from: int | None = None

    def intensity(self, index: np.ndarray) -> np.ndarray:
        """The images numbered `index`, scaled to 0 to 1: the shape of `index` + (features,), float64."""
        return np.divide(self.pixels[index], self.brightest, dtype=np.float64)


def digits() -> Images:
    """scikit-learn's digits: 1,797 images of 64 pixels, from 13 writers.

    Source: Alpaydin & Kaynak (1998), UCI Machine Learning Repository, doi:10.24432/C50P49.
    """
    pixels, labels = load_digits(return_X_y=True)
    return Images(pixels.astype(np.uint8), labels.astype(np.int64), brightest=16)


def mnist() -> Images:
    """MNIST: 70,000 images of 784 pixels; from number 60000 on they are the test images.

    Raises
    ------
    PlasticityError
        A file is missing or damaged (its MD5 is verified each time it is read).

    Source: LeCun, Bottou, Bengio & Haffner (1998), Proceedings of the IEEE 86, doi:10.1109/5.726791.
    """
    images, labels = [], []
    for part in ("train", "t10k"):
        images.append(_read("mnist", f"{part}-images-idx3-ubyte.gz", dimensions=3))
        labels.append(_read("mnist", f"{part}-labels-idx1-ubyte.gz", dimensions=1))
    pixels = np.concatenate(images)
    known = np.concatenate(labels).astype(np.int64)
    return Images(pixels.reshape(len(pixels), -1), known, brightest=255, test_from=len(images[0]))


def split(images: Images, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Disjoint image numbers for training, validation and test, stratified by class.

    digits: 1200, 197 and 400 of the scans, split anew for each seed. mnist: training and validation images are 50,000 and 10,000
    of the 60,000, split anew; test images are the 10,000.
    """
    everything = np.arange(len(images.labels))
    if images.test_from is None:
        rest, test = train_test_split(everything, test_size=400, stratify=images.labels, random_state=seed)
        train, validation = train_test_split(rest, test_size=197, stratify=images.labels[rest], random_state=seed)
    else:
        rest, test = everything[: images.test_from], everything[images.test_from :]
        train, validation = train_test_split(rest, test_size=10_000, stratify=images.labels[rest], random_state=seed)
    return train, validation, test


_REMEDY = "replace it, or type: plasticity data --fetch mnist"

LOADERS: dict[str, Callable[[], Images]] = {"digits": digits, "mnist": mnist}


def folders(name: str) -> list[Path]:
    """Where a data set is looked for, in this order: $PLASTICITY_DATA/name, then the user's cache."""
    own = os.environ.get("PLASTICITY_DATA", "").strip()
    return ([Path(own).expanduser() / name] if own else []) + [Path(pooch.os_cache("plasticity")) / name]


def where(name: str) -> Path | None:
    """The first of the `folders` that holds any file of the data set; None if there is none."""
    for folder in folders(name):
        if any(os.path.exists(folder / file) for file in DATASETS[name].files):
            return folder
    return None


@dataclass(frozen=True)
class Status:
    """Whether a data set can be used: `state` is present, missing or damaged; `detail` says it in one sentence."""

    name: str
    state: str
    folder: str | None
    detail: str


def status(name: str) -> Status:
    """Whether a data set is there and whole (MD5 of every file), and in which folder.

    Raises
    ------
    WrongUse
        An unknown data set.
    """
    known = DATASETS[name]
    if not known.files:
        return Status(name, "present", None, "ships with scikit-learn")
    folder = where(name)
    place = None if folder is None else str(folder)
    for file in known.files:
        try:
            _verified(name, file)
        except _Missing as problem:
            return Status(name, "missing", place, str(problem))
        except PlasticityError as problem:
            return Status(name, "damaged", place, str(problem))
    return Status(name, "present", place, f"{len(known.files)} files, checksums hold")


def fetch(name: str) -> Status:
    """Download what is missing or damaged of a data set into the first of its `folders`, checksums verified.

    Raises
    ------
    WrongUse
        An unknown data set.
    PlasticityError
        A download failed or the folder cannot be written.
    """
    known = DATASETS[name]
    folder = folders(name)[0]
    for file, md5 in known.files.items():
        try:
            pooch.retrieve(known.url + file, known_hash=f"md5:{md5}", fname=file, path=folder)
        except (OSError, ValueError) as problem:  # OSError: no connection (requests' errors are OSErrors) or no right to write
            raise PlasticityError(
                f"could not download {known.url}{file} to {folder} ({type(problem).__name__}): check the connection and that the "
                f"folder can be written, or copy the files of {name} to FOLDER/{name} and set PLASTICITY_DATA=FOLDER."
            ) from problem
    return status(name)


def parse_idx(packed: bytes, dimensions: int, file: str) -> np.ndarray:
    """The array in a gzip-compressed IDX file of unsigned bytes.

    Header, big-endian: the bytes 0, 0, 8 (unsigned byte), number of dimensions; then the size of each dimension as
    uint32; then the values, the last dimension fastest.

    Parameters
    ----------
    packed : bytes
        The content of the file.
    dimensions : int
        How many dimensions it must have: 3 for images, 1 for labels.
    file : str
        Its name, for messages.

    Raises
    ------
    PlasticityError
        Not gzip, cut short, another magic number, more or fewer values than the header says.

    Source: LeCun, Cortes & Burges, THE MNIST DATABASE of handwritten digits, "File formats".
    """
    try:
        content = gzip.decompress(packed)
    except (EOFError, OSError, zlib.error) as problem:
        raise PlasticityError(f"{file} is damaged: not a whole gzip file ({problem}); {_REMEDY}.") from None
    magic = bytes([0, 0, 8, dimensions])
    if content[:4] != magic:
        raise PlasticityError(f"{file} is damaged: magic number {content[:4].hex()} instead of {magic.hex()}; {_REMEDY}.")
    start = 4 + 4 * dimensions
    if len(content) < start:
        raise PlasticityError(f"{file} is damaged: it ends within its header; {_REMEDY}.")
    shape = tuple(int(size) for size in np.frombuffer(content, dtype=">u4", count=dimensions, offset=4))
    found, told = len(content) - start, math.prod(shape)
    if found != told:
        raise PlasticityError(f"{file} is damaged: {found} values where its header says {told}; {_REMEDY}.")
    return np.frombuffer(content, dtype=np.uint8, offset=start).reshape(shape)


class _Missing(PlasticityError):
    """A file of a data set is not there."""


def _verified(name: str, file: str) -> bytes:
    """The content of one file of a data set, its MD5 checked."""
    remedy = f"type: plasticity data --fetch {name}, or set PLASTICITY_DATA to the folder that holds {name}/"
    path = (where(name) or folders(name)[0]) / file
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        looked = " and ".join(str(folder) for folder in folders(name)) if where(name) is None else str(path.parent)
        raise _Missing(f"{name}: {file} is missing (looked in {looked}); {remedy}.") from None
    except OSError as problem:
        raise PlasticityError(f"{name}: {path} cannot be read ({problem.strerror}); {remedy}.") from None
    if hashlib.md5(content, usedforsecurity=False).hexdigest() != DATASETS[name].files[file]:
        raise PlasticityError(f"{name}: {path} is damaged ({len(content)} bytes, wrong MD5); {remedy}.")
    return content


def _read(name: str, file: str, dimensions: int) -> np.ndarray:
    return parse_idx(_verified(name, file), dimensions, file)
