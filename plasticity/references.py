"""The papers: what `plasticity cite` prints. A source anywhere in the code is a text with `doi:...` or `arXiv:...` in it."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from importlib.resources import files


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
    """The entries of these dois and arXiv numbers, sorted by key; one that references.bib lacks as a comment."""
    names = list(dict.fromkeys(name.lower() for name in wanted))
    found = sorted((entries()[name] for name in names if name in entries()), key=lambda entry: entry.partition("{")[2])
    missing = [
        f"% no entry for {name}: take it from https://doi.org/{name.replace('arxiv:', '10.48550/arXiv.')} and add it to"
        " plasticity/references.bib"
        for name in names
        if name not in entries()
    ]
    return "\n\n".join([*found, *missing])
