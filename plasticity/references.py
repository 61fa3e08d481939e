"""The papers: what `plasticity cite` prints. A source anywhere in the code is a text with `doi:...` or `arXiv:...` in it."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from importlib.resources import files

from plasticity.errors import unknown


def identifiers(text: str) -> list[str]:
    """The dois and arXiv numbers that a source text names, in their order, each once; `arXiv:` stays in front of the latter."""
    found = []
    for doi, preprint in re.findall(r"doi:\s?(10\.\d{4,}/[^\s,;\"']+)|(arXiv:\d{4}\.\d{4,5})", text):
        name = preprint or doi.rstrip(".:")
        while name.endswith(")") and name.count(")") > name.count("("):  # the bracket that holds the source
            name = name[:-1].rstrip(".:")
        found.append(name)
    return list(dict.fromkeys(found))


@functools.cache
def entries() -> dict[str, str]:
    """BibTeX by doi or arXiv number (lower case), from references.bib beside this file: entries with an empty line between."""
    told = files("plasticity").joinpath("references.bib").read_text(encoding="utf-8")
    found = {}
    for entry in told.strip().split("\n\n"):
        match = re.search(r"^  (?:doi|eprint) = \{(.+?)\}", entry, re.MULTILINE)
        assert match, entry
        found[match[1].lower()] = entry.strip()
    return found


def bibtex(wanted: Iterable[str]) -> str:
    """The entries of these dois and arXiv numbers, sorted by key.

    Raises
    ------
    WrongUse
        One that references.bib lacks.
    """
    found = []
    for name in dict.fromkeys(name.lower() for name in wanted):
        if name not in entries():
            raise unknown("reference", name, entries())
        found.append(entries()[name])
    return "\n\n".join(sorted(found, key=lambda entry: entry.partition("{")[2]))
