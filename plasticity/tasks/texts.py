"""What tasks of texts share: which words are known, which texts are in which part, their trials."""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np

from plasticity import datasets
from plasticity.checked import checked
from plasticity.datasets.texts import Texts, read_texts, tokenised, vocabulary
from plasticity.errors import WrongUse
from plasticity.settings import setting
from plasticity.tasks.task import Task
from plasticity.tasks.tokens import Tokens
from plasticity.tasks.trials import Draw

UNKNOWN = "?"  # the symbol 0: every word that is not in the vocabulary
OWN = "folder"


class Read(NamedTuple):
    """Texts as words: `documents`, how many `different` words, `labels` and `names` of the classes, `group` (the same number for
    copies), `test_from`, and `notes`, what is to be known of them."""

    documents: tuple[tuple[str, ...], ...]
    different: int
    labels: np.ndarray
    names: tuple[str, ...]
    group: np.ndarray
    test_from: int | None
    notes: tuple[str, ...]
    sha256: Mapping[str, str]


@dataclass(frozen=True)
class TextTask(Task):
    """A text is shown, word by word; the answer is its class.

    - Symbols are words in lower case, without punctuation. The vocabulary is that of the training texts alone, the `words` that
      stand in most of them; every other word is the symbol 0, "?". It is frozen: validation and test texts add nothing.
    - Of a text longer than `longest` the first half and the last half of so many words are shown.
    - Texts of the same words are copies, and stay in one part together. Where the data set has test texts of its own, training
      texts that are copies of these are left out; `facts` and a warning say how many.
    - Training, validation and test texts are drawn anew for each seed, each class by itself (validation and training alone where
      test texts are a set apart).
    - Chance is the share of the most frequent class.

    Shapes: `token` (trials, longest), -1 behind the end; `target` (trials,); `number` counts the texts of the data set.
    """

    family: ClassVar[str] = "tokens"

    data: str = setting(OWN, "texts of your own", choices=(OWN,))
    folder: str = setting("", "with data=folder: your texts, DIR/CLASS/*.txt, or DIR/train/CLASS/*.txt and DIR/test/CLASS/*.txt")
    against: str = setting("", "a class against the rest, such as entertainment; empty: every class")
    train: int = setting(0, "the most training texts; 0: all", "texts", low=0, high=10_000_000)
    test: float = setting(0.25, "share of the texts that is test", above=0, below=1)
    validation: float = setting(0.15, "share of the texts that is validation", above=0, below=1)
    words: int = setting(5000, "words of the vocabulary, those that stand in most training texts", low=1, high=1_000_000)
    longest: int = setting(256, "words of a text that are shown, from its beginning and its end", low=1, high=100_000)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.test + self.validation >= 1:
            raise WrongUse(
                f"{getattr(self, 'name', 'texts')}: test={self.test:g} and validation={self.validation:g} leave no texts for"
                " training; give less."
            )

    @classmethod
    @checked
    def about(cls, settings: Mapping[str, Any]) -> tuple[str, str]:
        own = settings.get("data") == OWN
        return ("Texts of your own, each to be put into its class.", "") if own else super().about(settings)

    @property
    def kind(self) -> str:
        return "texts"

    @property
    def read(self) -> Read:
        """The texts, once for all draws."""
        return _read(self.data, self.folder, self.against)

    @property
    def names(self) -> tuple[str, ...]:
        """What the classes are called."""
        return self.read.names

    @property
    def classes(self) -> int:
        return len(self.names)

    @property
    def vocabulary(self) -> int:
        """The most symbols there are: of texts of one's own no more than these have different words."""
        return (min(self.words, self.read.different) if self.data == OWN else self.words) + 1

    @property
    def chance(self) -> float:
        """The share of the most frequent class."""
        return float(np.bincount(self.read.labels).max() / len(self.read.labels))

    @property
    def facts(self) -> dict[str, Any]:
        read = self.read
        return {
            "texts": len(read.labels), "classes": list(read.names),
            "chance": f"the share of the most frequent class, {read.names[int(np.bincount(read.labels).argmax())]}",
            "notes": list(read.notes), **({"sha256": dict(read.sha256)} if read.sha256 else {}),
        }  # fmt: skip

    @checked
    def hints(self, sides: Collection[str]) -> Iterable[str]:
        """What is to be known of the texts: copies, empty ones."""
        return tuple(f"{self.name}: {note}" for note in self.read.notes if "left out" in note or "no words" in note)

    def draw(self, rng: np.random.Generator) -> Draw:
        seeds, read = self.seeds_of(rng), self.read
        parts = self._apart(read, seeds[0])
        known = vocabulary([read.documents[k] for k in parts[0]], self.words)
        symbols = {word: k for k, word in enumerate(known, start=1)}
        made = [
            self._trials(read, np.random.default_rng(seed).permutation(part), symbols)
            for part, seed in zip(parts, seeds[1:], strict=True)
        ]
        own = read.test_from is not None
        tests = len(read.labels) - (read.test_from or 0)
        return Draw(*made, drawn_from=0 if own else len(read.labels), test_set=tests if own else 0)

    def _apart(self, read: Read, seed: int) -> list[np.ndarray]:
        """Numbers of the texts for training, validation and test; copies stay together."""
        rng = np.random.default_rng(seed)
        count = len(read.labels)
        own = np.arange(count) if read.test_from is None else np.arange(read.test_from)
        apart = np.zeros(0, dtype=int) if read.test_from is None else np.arange(read.test_from, count)
        own = own[~np.isin(read.group[own], read.group[apart])]
        first, counts = np.unique(read.group[own], return_index=True)[0], np.bincount(read.group[own])
        of_group = np.zeros(len(counts), dtype=int)
        of_group[read.group[own][::-1]] = read.labels[own][::-1]  # that of its first text
        drawn: list[list[np.ndarray]] = [[], [], []]
        for label in range(len(read.names)):
            groups = rng.permutation(first[of_group[first] == label])
            ends = np.cumsum(counts[groups])
            test = 0 if len(apart) else max(1, round(self.test * ends[-1])) if len(ends) else 0
            held = max(1, round(self.validation * ends[-1])) if len(ends) else 0
            cuts = (
                np.searchsorted(ends, [test, test + held], side="left") + 1 if test else [0, int(np.searchsorted(ends, held)) + 1]
            )
            if len(groups) < 3 or cuts[1] >= len(groups):
                raise WrongUse(
                    f"{self.name}: the class {read.names[label]!r} has {len(groups)} texts that are no copies of others, too few"
                    " for training, validation and test; give more texts of it, or smaller shares."
                )
            for part, some in zip(drawn, (groups[cuts[1] :], groups[cuts[0] : cuts[1]], groups[: cuts[0]]), strict=True):
                part.append(some)
        groups_of = [np.concatenate(part) for part in drawn]
        chosen = [own[np.isin(read.group[own], groups)] for groups in groups_of]
        if len(apart):
            chosen[2] = apart
        if self.train and self.train < len(chosen[0]):
            chosen[0] = rng.permutation(chosen[0])[: self.train]
        return chosen

    def _trials(self, read: Read, chosen: np.ndarray, symbols: Mapping[str, int]) -> Tokens:
        longest = self.longest
        shown = []
        for number in chosen:
            document = read.documents[number] or (UNKNOWN,)
            if len(document) > longest:
                document = (*document[: longest - longest // 2], *document[len(document) - longest // 2 :])
            shown.append([symbols.get(word, 0) for word in document])
        token = np.full((len(shown), max(map(len, shown))), -1, dtype=np.int64)
        for row, symbols_of in zip(token, shown, strict=True):
            row[: len(symbols_of)] = symbols_of
        return Tokens(token, read.labels[chosen], chosen.astype(np.int64), len(symbols) + 1, len(read.names), (UNKNOWN, *symbols))

    @checked
    def ideal(self, trials: Tokens) -> np.ndarray:
        """The class of the text, by an observer who never errs."""
        return trials.target


@functools.lru_cache(maxsize=4)
def _read(data: str, folder: str, against: str) -> Read:
    found: Texts
    if data == OWN:
        found = read_texts(folder)
    elif folder:
        raise WrongUse(f"folder={folder!r} is for texts of your own; with it write data={OWN} instead of data={data}.")
    else:
        found = datasets.DATASETS[data]()
    documents = tokenised(found.texts)
    if not any(documents):
        raise WrongUse(f"data={data}: none of the {len(documents)} texts holds a word; give texts with words in them.")
    first: dict[tuple[str, ...], int] = {}
    group = np.array([first.setdefault(document, len(first)) for document in documents])
    labels, names = found.labels, found.names
    if against:
        if against not in names:
            raise WrongUse(f"against={against!r} is no class of {data}; give one of {', '.join(names)}, or leave it out.")
        labels, names = (labels == names.index(against)).astype(np.int64), ("rest", against)
    notes = []
    copies = len(group) - len(np.unique(group))
    if copies:
        notes.append(f"{copies} texts are copies of others, and stay in one part with them")
    if found.test_from is not None:
        both = int(np.isin(group[: found.test_from], group[found.test_from :]).sum())
        if both:
            notes.append(f"{both} training texts are copies of test texts, and are left out")
    empty = sum(not document for document in documents)
    if empty:
        notes.append(f"{empty} texts have no words, and are shown as one unknown word")
    different = len(set().union(*documents))
    return Read(documents, different, labels, names, group, found.test_from, tuple(notes), found.sha256)
