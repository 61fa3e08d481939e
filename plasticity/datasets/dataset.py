"""A data set of images: where it lies, whether it is whole, how it is read and downloaded."""

from __future__ import annotations

import contextlib
import hashlib
import math
import os
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pooch

from plasticity import files as stored
from plasticity.checked import checked
from plasticity.errors import PlasticityError, WrongUse


@checked
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
    names : tuple of str
        What the classes are called, in the order of their numbers; empty where their numbers are their names.
    sha256 : dict
        Of files of somebody's own: SHA-256 by name.
    """

    pixels: np.ndarray
    labels: np.ndarray
    brightest: int
    test_from: int | None = None
    names: tuple[str, ...] = ()
    sha256: Mapping[str, str] = field(default_factory=dict)

    @property
    def classes(self) -> int:
        """How many classes there are."""
        return int(self.labels.max()) + 1

    @property
    def drawn_from(self) -> int:
        """How many images each draw splits anew into training and test images; 0 where test images are a set apart."""
        return 0 if self.test_from is not None else len(self.labels)

    @property
    def test_set(self) -> int:
        """How many test images there are where they are a set apart, the same for every draw; else 0."""
        return 0 if self.test_from is None else len(self.labels) - self.test_from

    def intensity(self, index: np.ndarray, dtype: type[np.floating] = np.float64) -> np.ndarray:
        """The images numbered `index`, scaled to 0 to 1: the shape of `index` + (features,)."""
        return np.divide(self.pixels[index], self.brightest, dtype=dtype)

    def apart(self, test: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Numbers of the training and the test images: the data set's own, else so many drawn at random, stratified by class."""
        from sklearn.model_selection import train_test_split  # here: whether a data set is there needs no scikit-learn

        everything = np.arange(len(self.labels))
        if self.test_from is not None:
            return everything[: self.test_from], everything[self.test_from :]
        train, drawn = train_test_split(everything, test_size=test, stratify=self.labels, random_state=seed)
        return train, drawn


@checked
@dataclass(frozen=True)
class Status:
    """Whether a data set can be used: `state` is present, missing or damaged; `detail` says it in one sentence."""

    name: str
    state: str
    folder: str | None
    detail: str


@checked
@dataclass(frozen=True)
class DataSet:
    """A set of images, say, that a task draws from: `mnist()` reads it.

    Attributes
    ----------
    name, summary, source, terms : str
        What it is called, what it holds, its citation with doi, under which terms it may be used.
    load : callable
        `(data_set) -> Images` (or Texts, sounds, ...): how it is read, with `content` for its files.
    files : mapping from file name to MD5
        Empty if the data ships with a dependency.
    unpacked : mapping from file name to MD5
        Of the content of a .gz file: it may lie there without .gz, unpacked, or packed by another program.
    url : str
        The address in front of each file name.
    ships_with : str
        The dependency that brings the data, where there are no files.
    classes : int or None
        How many there are, so that nobody has to read the images to know; None where they have to be counted.
    folder : str
        The name of the folder of its files, where it is not `name`.
    features : int
        Pixels of an image.
    """

    name: str
    summary: str
    source: str
    terms: str
    load: Callable[[DataSet], Any]
    files: Mapping[str, str] = field(default_factory=dict, hash=False)
    url: str = ""
    ships_with: str = ""
    unpacked: Mapping[str, str] = field(default_factory=dict, hash=False)
    classes: int | None = None
    folder: str = ""
    features: int = 784

    def __call__(self) -> Any:
        """What it holds, read anew.

        Raises
        ------
        PlasticityError
            A file is missing or damaged (its MD5 is verified each time it is read).
        """
        return self.load(self)

    def folders(self) -> list[Path]:
        """Where it is looked for, in this order: $PLASTICITY_DATA/name (or /folder), then the user's cache."""
        own = os.environ.get("PLASTICITY_DATA", "").strip()
        return [Path(place).expanduser() / (self.folder or self.name) for place in (own, pooch.os_cache("plasticity")) if place]

    def where(self) -> Path | None:
        """The first of the `folders` that holds any of its files; None if there is none."""
        for folder in self.folders():
            if any(os.path.exists(path) for file in self.files for path in self._places(folder, file)):
                return folder
        return None

    def _places(self, folder: Path, file: str) -> list[Path]:
        """Where a file may lie in a folder: under its name, or unpacked without .gz where that content is known."""
        return [folder / file] + ([folder / file.removesuffix(".gz")] if file in self.unpacked else [])

    def _whole(self, file: str, content: bytes) -> bool:
        """Whether this is the content of a file, as it is distributed, unpacked, or packed by another program."""
        if _md5(content) == self.files[file]:
            return True
        with contextlib.suppress(EOFError, OSError, zlib.error):
            return file in self.unpacked and _md5(_unpacked(content)) == self.unpacked[file]
        return False

    @checked
    def content(self, file: str) -> bytes:
        """The content of one of its files, packed or not, the MD5 checked.

        Raises
        ------
        PlasticityError
            It is missing, cannot be read or is damaged.
        """
        remedy = f"type: plasticity data --fetch {self.name}, or set PLASTICITY_DATA to the folder that holds {self.name}/"
        found = self.where()
        places = self._places(found or self.folders()[0], file)
        path = next(filter(os.path.exists, places), places[0])
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            looked = " and ".join(map(str, self.folders())) if found is None else str(path.parent)
            raise Missing(f"{self.name}: {file} is missing (looked in {looked}); {remedy}.") from None
        except OSError as problem:
            raise PlasticityError(f"{self.name}: {path} cannot be read ({problem.strerror}); {remedy}.") from None
        if not self._whole(file, content):
            raise PlasticityError(f"{self.name}: {path} is damaged ({len(content)} bytes, wrong MD5); {remedy}.")
        return content

    def status(self) -> Status:
        """Whether it is there and whole (MD5 of every file), and in which folder."""
        if not self.files:
            return Status(self.name, "present", None, f"ships with {self.ships_with}" if self.ships_with else "has no files")
        found = self.where()
        folder = None if found is None else str(found)
        for file in self.files:
            try:
                self.content(file)
            except Missing as problem:
                return Status(self.name, "missing", folder, str(problem))
            except PlasticityError as problem:
                return Status(self.name, "damaged", folder, str(problem))
        return Status(self.name, "present", folder, f"{len(self.files)} files, checksums hold")

    def fetch(self) -> Status:
        """Download what is missing or damaged into the first of the `folders`, checksums verified.

        Raises
        ------
        PlasticityError
            A download failed or the folder cannot be written.
        """
        folder = self.folders()[0]
        for file, md5 in self.files.items():
            with contextlib.suppress(PlasticityError):
                if self.where() == folder and self.content(file):
                    continue  # it is there, perhaps unpacked
            self._download(self.url + file, file, f"md5:{md5}")
        return self.status()

    def _download(self, address: str, file: str, known: str | None) -> None:
        """Put a file of the publisher's into the first of the `folders`; `known` is its checksum, where there is one."""
        folder = self.folders()[0]
        try:
            pooch.retrieve(address, known_hash=known, fname=file, path=folder)
        except (OSError, ValueError) as problem:  # OSError: no connection (requests' errors too) or no right to write
            raise PlasticityError(
                f"could not download {address} to {folder} ({type(problem).__name__}): check the connection and that"
                f" the folder can be written, or copy the files of {self.name} to FOLDER/{self.name} and set"
                " PLASTICITY_DATA=FOLDER."
            ) from problem


class Missing(PlasticityError):
    """A file of a data set is not there."""


def _md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def _unpacked(content: bytes) -> bytes:
    """The content of a gzip file, or of one that is not packed (it begins with two zero bytes, as IDX files do)."""
    return content if content.startswith(b"\0\0") else stored.unpacked(content)


@checked
def split(images: Images, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Disjoint image numbers for training, validation and test, stratified by class.

    Without test images of its own (digits) 400 of 1797 images are test, 197 validation and the rest (1200) training, split anew
    for each seed. With them (mnist) training and validation images are 50,000 and 10,000 of the 60,000, split anew; test images
    are the 10,000. Of a set with more or fewer images it is the same shares.

    Raises
    ------
    WrongUse
        Too few images: a class that cannot be in every part.
    """
    from sklearn.model_selection import train_test_split

    own = images.test_from is not None
    count = len(images.labels) if images.test_from is None else images.test_from
    drawn, held = round(count * 400 / 1797), round(count / 6 if own else count * 197 / 1797)
    rarest = int(np.bincount(images.labels[:count], minlength=images.classes).min())
    if rarest < 3 or min(drawn, held) < images.classes:
        raise WrongUse(
            f"{count} images of {images.classes} classes, {rarest} of the rarest, are too few to be split into training,"
            f" validation and test images; give at least 3 of each class and about {10 * images.classes} in all."
        )
    rest, test = images.apart(drawn, seed)
    train, validation = train_test_split(rest, test_size=held, stratify=images.labels[rest], random_state=seed)
    return train, validation, test


@checked
def parse_idx(packed: bytes, dimensions: int, file: str, data_set: str = "mnist") -> np.ndarray:
    """The array in an IDX file of unsigned bytes, gzip-compressed or not.

    Header, big-endian: the bytes 0, 0, 8 (unsigned byte), number of dimensions; then the size of each dimension as
    uint32; then the values, the last dimension fastest.

    Parameters
    ----------
    packed : bytes
        The content of the file.
    dimensions : int
        How many dimensions it must have: 3 for images, 1 for labels.
    file, data_set : str
        Its name and that of its data set, for messages; "" for a file of somebody's own.

    Raises
    ------
    PlasticityError
        Not gzip, cut short, another magic number, more or fewer values than the header says.

    Source: LeCun, Cortes & Burges, THE MNIST DATABASE of handwritten digits, "File formats".
    """
    remedy = f"replace it, or type: plasticity data --fetch {data_set}" if data_set else "replace it"
    try:
        content = _unpacked(packed)
    except (EOFError, OSError, zlib.error) as problem:
        raise PlasticityError(f"{file} is damaged: not a whole gzip file ({problem}); {remedy}.") from None
    magic = bytes([0, 0, 8, dimensions])
    if content[:4] != magic:
        raise PlasticityError(f"{file} is damaged: magic number {content[:4].hex()} instead of {magic.hex()}; {remedy}.")
    start = 4 + 4 * dimensions
    if len(content) < start:
        raise PlasticityError(f"{file} is damaged: it ends within its header; {remedy}.")
    shape = tuple(int(size) for size in np.frombuffer(content, dtype=">u4", count=dimensions, offset=4))
    found, told = len(content) - start, math.prod(shape)
    if found != told:
        raise PlasticityError(f"{file} is damaged: {found} values where its header says {told}; {remedy}.")
    return np.frombuffer(content, dtype=np.uint8, offset=start).reshape(shape)
