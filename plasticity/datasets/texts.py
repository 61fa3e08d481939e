"""Texts and their classes, and how a text becomes words."""

from __future__ import annotations

import functools
import hashlib
import html
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from plasticity.checked import checked
from plasticity.errors import PlasticityError, WrongUse

WORD = re.compile(r"\w+(?:['’]\w+)*")
TAG = re.compile(r"<[^<>]{1,40}>")


@checked
@dataclass(frozen=True, eq=False)
class Texts:
    """The texts of a data set and their classes.

    Attributes
    ----------
    texts : tuple of str
    labels : (texts,) int64
        The class of each text.
    names : tuple of str
        What the classes are called, in the order of their numbers.
    test_from : int or None
        Texts from this number on are the data set's own test texts; None if it has none.
    sha256 : dict
        Of texts of somebody's own: SHA-256 of all.
    """

    texts: tuple[str, ...]
    labels: np.ndarray
    names: tuple[str, ...]
    test_from: int | None = None
    sha256: Mapping[str, str] = field(default_factory=dict)


@checked
def words(text: str) -> list[str]:
    """The words of a text, in lower case, in order; marks of HTML and punctuation are left out."""
    return WORD.findall(html.unescape(TAG.sub(" ", text)).lower().replace("’", "'"))


@checked
def decoded(content: bytes, name: str, fallback: str = "") -> str:
    """A text from its bytes, UTF-8, or in the encoding `fallback` where it is not.

    Raises
    ------
    WrongUse
        It is not UTF-8, and there is no `fallback`.
    """
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        if fallback:
            return content.decode(fallback)
        raise WrongUse(
            f"{name} is not UTF-8 (byte {content[problem.start]:#04x} at {problem.start}); save it as UTF-8, for example with"
            f" iconv -f latin1 -t utf-8."
        ) from None


@checked
def read_texts(folder: str | os.PathLike[str]) -> Texts:
    """Texts of one's own: FOLDER/CLASS/*.txt, or FOLDER/train/CLASS/*.txt and FOLDER/test/CLASS/*.txt. All UTF-8.

    Raises
    ------
    WrongUse
        No folder, no texts in it, fewer than two classes, a class in the test that training lacks, a text that is not UTF-8.
    PlasticityError
        A file cannot be read.
    """
    if not str(folder).strip():
        raise WrongUse("data=folder needs the folder of your texts: --set folder=DIR, with DIR/CLASS/*.txt in it.")
    place = Path(folder).expanduser()
    if not place.is_dir():
        raise WrongUse(f"there is no folder {place}; give one with CLASS/*.txt in it.")
    parts = ("train", "test") if (place / "train").is_dir() and (place / "test").is_dir() else ("",)
    found: list[tuple[str, str]] = []  # class and text
    ends, whole = [], hashlib.sha256()
    for part in parts:
        for path in sorted((place / part).glob("*/*.txt")):
            try:
                content = path.read_bytes()
            except OSError as problem:
                raise PlasticityError(f"{path} cannot be read ({problem.strerror}); give another folder.") from None
            whole.update(f"{path.relative_to(place).as_posix()}\0".encode() + hashlib.sha256(content).digest())
            found.append((path.parent.name, decoded(content, str(path))))
        ends.append(len(found))
    names = tuple(sorted({name for name, _ in found[: ends[0]]}))
    if len(names) < 2:
        flat = " (there are .txt files beside them, in no folder of a class)" if any(place.glob("*.txt")) else ""
        raise WrongUse(f"{place} holds texts of {len(names)} classes{flat}, and a choice needs 2; put them into DIR/CLASS/*.txt.")
    for name in {name for name, _ in found} - set(names):
        raise WrongUse(f"{place}: the class {name!r} has test texts and none for training; give texts of it for training.")
    labels = np.array([names.index(name) for name, _ in found], dtype=np.int64)
    test_from = ends[0] if len(parts) == 2 else None
    return Texts(tuple(text for _, text in found), labels, names, test_from, {"texts": whole.hexdigest()})


@functools.lru_cache(maxsize=4)
def tokenised(texts: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    """The words of each text."""
    return tuple(tuple(words(text)) for text in texts)


@checked
def vocabulary(documents: Sequence[Sequence[str]], most: int) -> tuple[str, ...]:
    """The `most` words that stand in most documents, of those in two or more (in any where none is); ties by alphabet."""
    counts: dict[str, int] = {}
    for document in documents:
        for word in dict.fromkeys(document):
            counts[word] = counts.get(word, 0) + 1
    often = {word: count for word, count in counts.items() if count > 1} or counts
    return tuple(sorted(often, key=lambda word: (-often[word], word))[:most])
