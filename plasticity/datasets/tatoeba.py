"""Short English sentences and their translations into French."""

from __future__ import annotations

import re

from plasticity.datasets.archive import Archive
from plasticity.datasets.dataset import DataSet
from plasticity.datasets.pairs import Pairs
from plasticity.datasets.texts import decoded
from plasticity.errors import PlasticityError

ENGLISH = re.compile(r"\w+(?:['-]\w+)*|[^\w\s]")
FRENCH = re.compile(r"\w+(?:-\w+)*'?|[^\w\s]")
"""A word, in French with the apostrophe that it ends in (l', qu'); or a mark of punctuation."""


def _words(text: str, symbol: re.Pattern[str]) -> tuple[str, ...]:
    """The words of a sentence in lower case, and its marks of punctuation apart."""
    return tuple(symbol.findall(text.lower().replace("’", "'")))


def _load(data_set: DataSet) -> Pairs:
    assert isinstance(data_set, Archive)
    pairs: list[tuple[tuple[str, ...], tuple[str, ...]]] = []
    for number, line in enumerate(decoded(data_set.members()["fra.txt"], "fra.txt").split("\n"), start=1):
        columns = line.split("\t")  # newer versions tell in a third one whose they are
        if len(columns) > 1:
            pairs.append((_words(columns[0], ENGLISH), _words(columns[1], FRENCH)))
        elif line.strip():
            raise PlasticityError(f"tatoeba: line {number} of fra.txt has no tab between two languages; replace the file.")
    return Pairs(tuple(source for source, _ in pairs), tuple(target for _, target in pairs))


tatoeba = Archive(
    name="tatoeba",
    summary="142,787 pairs of an English and a French sentence, short ones first",
    source="https://tatoeba.org, as https://www.manythings.org/anki offers it; in research: Tiedemann 2020, arXiv:2010.06354",
    terms="CC BY 2.0",
    load=_load,
    url="http://www.manythings.org/anki/fra-eng.zip",
    picked=r"(?:^|/)(fra\.txt)$",
    count=1,
    sha256="ebee917da7eea3dc19814c5f2a9a8fa8fbdb5bed844ee64d58acc2099aab86f9",
    grows=True,
)
