"""Images of one's own: a folder with images and labels in MNIST's format, IDX, packed with gzip or not."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import numpy as np

from plasticity.checked import checked
from plasticity.datasets.dataset import Images, parse_idx
from plasticity.errors import PlasticityError, WrongUse
from plasticity.files import refuse_large

_PARTS = ("train", "t10k|test")  # as their names begin
_EXAMPLE = "train-images-idx3-ubyte and train-labels-idx1-ubyte, each with .gz or without"


@checked
def read_idx(folder: str | Path) -> Images:
    """The images in a folder, read anew.

    Files are `train-images-idx3-ubyte` and `train-labels-idx1-ubyte`, and, where there are test images, the same with `t10k` or
    `test` for `train`; in front may stand the name of the set (`emnist-letters-train-...`), after `images` and `labels` a dot.
    The labels become numbers from 0 on, in their order; `names` keeps what they were. A pixel of 255 is full intensity; where no
    pixel is above 16 (images of few levels of grey) the largest is.

    Raises
    ------
    WrongUse
        No such folder, files that are missing or there twice, images of two sizes, labels of another number than images, a label
        of the test images that no training image has, fewer than two classes.
    PlasticityError
        A file is damaged or cannot be read.
    """
    place = Path(folder).expanduser()
    if not str(folder).strip():
        raise WrongUse(f"data=idx needs a folder of your own: add --set folder=DIR (in Python folder=...); it holds {_EXAMPLE}.")
    if not place.is_dir():
        raise WrongUse(f"data=idx: folder={str(folder)!r} is no folder; give the one that holds {_EXAMPLE}.")
    pixels: list[np.ndarray] = []
    labels: list[np.ndarray] = []
    sums: dict[str, str] = {}
    for part in _PARTS:
        of_images, of_labels = _file(place, part, "images", 3), _file(place, part, "labels", 1)
        if of_images is None and of_labels is None and part != _PARTS[0]:
            continue
        if of_images is None or of_labels is None:
            lacking = "images" if of_images is None else "labels"
            raise WrongUse(f"data=idx: {place} holds no {lacking} of {part.replace('|', ' or ')}; name the files {_EXAMPLE}.")
        shown, told = _array(of_images, 3, sums), _array(of_labels, 1, sums)
        if len(shown) != len(told):
            raise WrongUse(
                f"data=idx: {of_images} holds {len(shown)} images and {of_labels.name} {len(told)} labels; give as many."
            )
        pixels.append(shown)
        labels.append(told)
    if len({part.shape[1:] for part in pixels}) > 1 or 0 in pixels[0].shape:
        raise WrongUse(f"data=idx: the images in {place} are of the sizes {[part.shape[1:] for part in pixels]}; give one size.")
    classes, number = np.unique(labels[0], return_inverse=True)
    if len(classes) < 2:
        raise WrongUse(f"data=idx: all images in {place} are of the class {classes[0]}; give at least two classes.")
    numbers = [number]
    for told in labels[1:]:
        strange = np.setdiff1d(told, classes)
        if len(strange):
            raise WrongUse(f"data=idx: the test images in {place} have the class {strange[0]}, which no training image has.")
        numbers.append(np.searchsorted(classes, told))
    every = np.concatenate(pixels)
    brightest = int(every.max())
    if not brightest:
        raise WrongUse(f"data=idx: every image in {place} is dark; give images with pixels from 0 to 255.")
    return Images(
        every.reshape(len(every), -1),
        np.concatenate(numbers).astype(np.int64),
        brightest=255 if brightest > 16 else brightest,
        test_from=len(pixels[0]) if len(pixels) > 1 else None,
        names=tuple(map(str, classes)),
        sha256=sums,
    )


def _file(folder: Path, part: str, what: str, dimensions: int) -> Path | None:
    """The file of this part; None where there is none."""
    wanted = re.compile(rf"(?:.*[-_.])?(?:{part})-{what}[-.]idx{dimensions}-ubyte(?:\.gz)?")
    found = sorted(path for path in folder.iterdir() if wanted.fullmatch(path.name))
    if len(found) > 1:
        names = ", ".join(path.name for path in found)
        raise WrongUse(f"data=idx: {folder} holds {names}; leave one of them there.")
    return found[0] if found else None


def _array(path: Path, dimensions: int, sums: dict[str, str]) -> np.ndarray:
    """What the file holds; its SHA-256 is added to `sums`."""
    refuse_large(path)
    try:
        content = path.read_bytes()
    except OSError as problem:
        raise PlasticityError(f"data=idx: {path} cannot be read ({problem.strerror}).") from None
    sums[path.name] = hashlib.sha256(content).hexdigest()
    return parse_idx(content, dimensions, str(path), "")
