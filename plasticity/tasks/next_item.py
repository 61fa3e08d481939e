"""The next item that a user takes: users of a stated law, or a table of one's own."""

from __future__ import annotations

import csv
import functools
import hashlib
import io
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np

from plasticity import given
from plasticity.checked import checked
from plasticity.errors import PlasticityError, WrongUse
from plasticity.files import refuse_large
from plasticity.settings import setting
from plasticity.tasks.task import Task
from plasticity.tasks.tokens import Tokens
from plasticity.tasks.trials import Draw

UNKNOWN = "?"  # the symbol 0: an item that no training user has
FEWEST = 3  # items of a user of a table


@dataclass(frozen=True)
class NextItem(Task):
    """The items that a user took are shown, in their order; the answer is the next one.

    Without a `file` users follow a law. Half of the `items` tell what comes, the others are asides. Each step is, with
    probability `aside`, an aside, drawn by popularity among these. Else it is, with probability `follows`, the successor of the
    last item that was none, however far back that is, or an item that tells, drawn by popularity. Successors are one cycle
    through the items that tell; popularity is proportional to 1/rank (Zipf) on both sides; both are fixed by the seed
    `law`. What is asked for is never an aside. So the best answer is the item x with the largest

        follows [x = successor(last item that tells)] + (1 - follows) popularity(x),

    and what that scores is the ceiling, computed exactly from how likely each item is the last one that told at each length of a
    history. `chance` is what the most frequent next item scores, computed likewise. Who looks at the last item alone knows what
    counts in 1 - `aside` of the trials.

    With a `file`, a CSV file with the columns user, item, time, each user is in one part, drawn anew for each seed. So it is
    asked for users that nobody has seen, and not for later items of known ones. Users with fewer than 3 items are left out.
    Times are numbers, or dates and times by ISO 8601, such as 2026-11-30 or 2026-11-30T12:00:00Z; items of one time stay in the
    order of the file.

    - A training user is a trial for each item but the first two; a validation or test user is one trial, for the last item. Of a
      history the last `longest` items are shown.
    - Items are those of training users; 0 is every other one, which as an answer is never right.

    Shapes: `token` (trials, up to longest), -1 behind the end; `target` (trials,); `number` counts the users.

    Source: the question is that of Kang & McAuley 2018, arXiv:1808.09781; the law is our own.
    """

    name: ClassVar[str] = "next_item"
    summary: ClassVar[str] = "To name the item that is next: of users of a stated law, or of a table of your own."
    source: ClassVar[str] = "Kang & McAuley 2018, arXiv:1808.09781; users: our own law"
    family: ClassVar[str] = "tokens"
    default_seeds: ClassVar[int] = 5

    file: str = setting("", "a CSV file with the columns user, item, time; empty: users of the law")
    items: int = setting(50, "items of the law", "items", low=4, high=2000)
    follows: float = setting(0.8, "probability that an item that tells follows from the last one that did", low=0, high=1)
    aside: float = setting(0.4, "probability that an item is an aside", low=0, below=1)
    law: int = setting(0, "seed of the law: of successors and popularity", low=0, high=2**32 - 1)
    shortest: int = setting(4, "items of a user at least, of the law", "items", low=3, high=1000)
    longest: int = setting(12, "items of a history at most", "items", low=2, high=1000)
    train: int = setting(400, "training users of the law", "users", low=1, high=1_000_000)
    validation: float = setting(0.15, "share of the users of a file that is validation", above=0, below=1)
    test: float = setting(0.25, "share of the users of a file that is test", above=0, below=1)
    asked: int = setting(500, "validation users, and test users, of the law", "users", low=1, high=1_000_000)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.validation + self.test >= 1:
            raise WrongUse(
                f"next_item: validation={self.validation:g} and test={self.test:g} leave no users for training; give less."
            )
        if self.shortest > self.longest + 1:
            raise WrongUse(f"next_item: shortest={self.shortest} is more than longest={self.longest} and the next; give less.")
        if self.file:
            self._table  # noqa: B018  (a file that cannot be is refused before anything is drawn)

    @property
    def kind(self) -> str:
        return "items"

    @property
    def _table(self) -> _Users:
        return _read(self.file, Path(self.file).expanduser().stat().st_mtime_ns if Path(self.file).expanduser().exists() else 0)

    @property
    def classes(self) -> int:
        return (len(self._table.items) if self.file else self.items) + 1

    @property
    def vocabulary(self) -> int:
        """Symbols at most: items and the unknown one."""
        return self.classes

    @property
    def chance(self) -> float:
        """What the most frequent next item scores: of the law exactly, of a file among the last items of its users."""
        if self.file:
            last = np.array([history[-1] for history in self._table.histories])
            return float(np.bincount(last).max() / len(last))
        return float(self._next().max())

    @property
    def ceiling(self) -> float:
        """What the best answer scores under the law; of a file, whose law nobody knows, 1."""
        if self.file:
            return 1.0
        return float(np.mean([state @ self._likely().max(axis=1) for state in self._states()]))

    @property
    def facts(self) -> dict[str, Any]:
        if not self.file:
            return {"chance": "what the most frequent next item scores"}
        table = self._table
        return {
            "users": len(table.histories), "items": len(table.items), "notes": list(table.notes), "sha256": table.sha256,
            "chance": "the share of the most frequent last item",
        }  # fmt: skip

    @property
    def compared(self) -> Mapping[str, Mapping[str, Any]]:
        """Settings of the models were chosen on validation trials of draw 100, which no number that is told uses."""
        whole = {"forget": 0.0, "epochs": 40, "learning_rate": 0.01}  # each item counts: none is left out while training
        return {
            "words_softmax_attention": whole,
            "words_lstm_attention": whole,
            "words_self_attention": {"forget": 0.0, "epochs": 60, "patience": 10, "learning_rate": 0.005},
            "spiking_association": {},
            "most_popular": {},
            "successor_counts": {},
            "last_answer_counts": {},
            "nearest_history": {},
            "guessing": {},
        }

    @checked
    def hints(self, sides: Collection[str]) -> Iterable[str]:
        if not self.file:
            return ()
        of_law = [
            name
            for name in ("items", "follows", "aside", "law", "train", "asked")
            if getattr(self, name) != getattr(NextItem, name)
        ]
        ignored = (f"{', '.join(of_law)}: of users of the law; with file= they say nothing",) if of_law else ()
        there = len(self._table.histories)
        least = min(round(share * there) for share in (self.test, self.validation))
        few = (f"{there} users leave {max(1, least)} for validation or test, where a comparison needs 2",) if least < 2 else ()
        return tuple(f"next_item: {note}" for note in (*self._table.notes, *ignored, *few))

    # The law

    @functools.cached_property
    def rules(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Popularity of the items that tell (from 0 on), their successors, and popularity of the asides (the numbers after)."""
        rng = np.random.default_rng([self.law, 17])
        tell = (self.items + 1) // 2
        one, other = (1 / (1 + rng.permutation(size)) for size in (tell, self.items - tell))
        round_trip = rng.permutation(tell)
        successor = np.empty(tell, dtype=np.int64)
        successor[round_trip] = np.roll(round_trip, -1)
        return one / one.sum(), successor, other / other.sum()

    def _likely(self) -> np.ndarray:
        """How likely each item that tells is next (tell + 1, tell), by the last one; the last row is before any."""
        popularity, successor, _ = self.rules
        likely = np.tile((1 - self.follows) * popularity, (len(popularity) + 1, 1))
        likely[np.arange(len(popularity)), successor] += self.follows
        likely[-1] = popularity
        return likely

    def _states(self) -> list[np.ndarray]:
        """How likely each item is the last one that told (tell + 1,), for each length of a history that is asked for."""
        likely = self._likely()
        state, found = np.eye(len(likely))[-1], []
        for length in range(1, self.longest + 1):
            state = self.aside * state + (1 - self.aside) * np.append(state @ likely, 0.0)
            if length >= self.shortest - 1:
                found.append(state)
        return found

    def _next(self) -> np.ndarray:
        """How often each item that tells is the one that is asked for, (tell,)."""
        return np.mean([state @ self._likely() for state in self._states()], axis=0)

    def _users(self, users: int, rng: np.random.Generator) -> list[np.ndarray]:
        """The items of so many users of the law, from 0; each has from `shortest` to `longest` + 1, the last no aside."""
        popularity, successor, asides = self.rules
        tell = len(popularity)
        lengths = rng.integers(self.shortest, self.longest + 2, size=users)
        made = rng.choice(tell, p=popularity, size=(users, self.longest + 1))  # what popularity alone would give
        follows = rng.random(made.shape) < self.follows
        aside = (rng.random(made.shape) < self.aside) & (np.arange(self.longest + 1) != lengths[:, None] - 1)
        made[aside] = tell + rng.choice(self.items - tell, p=asides, size=int(aside.sum()))
        last = np.full(users, -1)
        for place in range(self.longest + 1):
            told = follows[:, place] & (last >= 0) & ~aside[:, place]
            made[told, place] = successor[last[told]]
            last = np.where(aside[:, place], last, made[:, place])
        return [row[:length] for row, length in zip(made, lengths, strict=True)]

    @property
    def _names(self) -> tuple[str, ...]:
        return tuple(f"item {k}" for k in range(self.items))

    @property
    def _asides(self) -> set[str]:
        return set(self._names[len(self.rules[0]) :])

    # Trials

    def draw(self, rng: np.random.Generator) -> Draw:
        seeds = self.seeds_of(rng)
        if self.file:
            there = len(self._table.histories)
            order = np.random.default_rng(seeds[0]).permutation(there)
            test, held = (max(1, round(share * there)) for share in (self.test, self.validation))
            if test + held >= there:
                raise WrongUse(
                    f"next_item: {there} users are too few for training, validation and test; give more, or smaller shares."
                )
            cut = order[test + held :], order[test : test + held], order[:test]
            parts = [[self._table.histories[k] for k in part] for part in cut]
            numbers, names = list(cut), self._table.items
        else:
            sizes = (self.train, self.asked, self.asked)
            parts = [self._users(size, np.random.default_rng(seed)) for size, seed in zip(sizes, seeds[1:], strict=True)]
            numbers = np.split(np.arange(sum(sizes)), np.cumsum(sizes)[:2])
            names = self._names
            there = 0
        known = np.unique(np.concatenate(parts[0]))
        symbol = np.zeros(len(names), dtype=np.int64)
        symbol[known] = np.arange(1, len(known) + 1)
        words = (UNKNOWN, *(names[k] for k in known))
        made = [
            self._trials([symbol[history] for history in part], number, words, every=part is parts[0])
            for part, number in zip(parts, numbers, strict=True)
        ]
        return Draw(*made, drawn_from=there)

    def _trials(self, histories: list[np.ndarray], number: np.ndarray, words: tuple[str, ...], every: bool) -> Tokens:
        """Of each user a trial for the last item, or for `every` item but the first two; of the law for no aside."""
        asides = [place for place, word in enumerate(words) if not self.file and word in self._asides]
        shown = [
            (history[max(0, place - self.longest) : place], history[place], user)
            for history, user in zip(histories, number, strict=True)
            for place in (range(2, len(history)) if every else [len(history) - 1])
            if history[place] not in asides
        ]
        token = np.full((len(shown), self.longest), -1, dtype=np.int64)
        for row, (history, _, _) in zip(token, shown, strict=True):
            row[: len(history)] = history
        asked, users = (np.array([one[k] for one in shown], dtype=np.int64) for k in (1, 2))
        return Tokens(token, asked, users, len(words), len(words), words)

    @checked
    def ideal(self, trials: Tokens) -> np.ndarray:
        """The most likely next item under the law; of a file the answer itself, by one who knows it."""
        if self.file:
            return trials.target
        number = {word: place for place, word in enumerate(trials.words)}
        items = np.array([-1, *(int(word.removeprefix("item ")) for word in trials.words[1:])])
        symbols = np.array([number.get(f"item {k}", 0) for k in range(self.items)])
        answers, likely = np.zeros(len(trials), dtype=np.int64), self._likely()
        best = symbols[likely.argmax(axis=1)]
        for trial, row in enumerate(trials.token):
            shown = items[row[row >= 0]]
            told = shown[(shown >= 0) & (shown < len(likely) - 1)]
            answers[trial] = best[told[-1] if len(told) else -1]
        return answers


class _Users(NamedTuple):
    """The items of each user in the order of their times, by number; the names of the items, what was left out, SHA-256."""

    histories: list[np.ndarray]
    items: tuple[str, ...]
    notes: tuple[str, ...]
    sha256: str


@functools.lru_cache(maxsize=2)
def _read(file: str, changed_ns: int) -> _Users:
    """A table of users, items and times.

    Raises
    ------
    WrongUse
        No such file, no such columns, a cell that is empty, a time that is none or of another kind than the first, fewer than 3
        users with 3 items, one item alone.
    PlasticityError
        The file cannot be read or is no text.
    """
    path = Path(file).expanduser()
    if not path.is_file():
        raise WrongUse(f"next_item: there is no file {file!r}; give a CSV file with the columns user, item, time.")
    refuse_large(path)
    try:
        content = path.read_bytes()
        text = content.decode("utf-8-sig")
    except OSError as problem:
        raise PlasticityError(f"next_item: {path} cannot be read ({problem.strerror}).") from None
    except UnicodeDecodeError:
        raise PlasticityError(f"next_item: {path} is no text in UTF-8; save it as CSV in UTF-8.") from None
    between = max(",;\t", key=text.partition("\n")[0].count)
    rows = csv.reader(io.StringIO(text, newline=None), delimiter=between)
    names = [name.strip().lower() for name in next(rows, [])]
    wanted = ("user", "item", "time")
    if missing := [name for name in wanted if names.count(name) != 1]:
        raise WrongUse(
            f"next_item: {path} has no single column {missing[0]!r} (it has {', '.join(names) or 'none'}); give user, item, time."
        )
    place = [names.index(name) for name in wanted]
    by_user: dict[str, list[tuple[Any, str]]] = {}
    first = ""  # the kind of the times
    for line, row in enumerate(rows, start=2):
        if not any(row):
            continue
        cells = [row[k].strip() if k < len(row) else "" for k in place]
        if len(row) != len(names) or not all(cells):
            what = f"{len(row)} cells for {len(names)} columns" if len(row) != len(names) else "an empty cell"
            raise WrongUse(f"next_item: line {line} of {path} has {what}; complete it, or leave it out.")
        kind, time = _time(cells[2])
        if kind not in (first or kind, ""):
            raise WrongUse(
                f"next_item: time {cells[2]!r} in line {line} of {path} is {kind}, the time before it {first}; write all times in"
                " one way."
            )
        if not kind:
            raise WrongUse(
                f"next_item: time {cells[2]!r} in line {line} of {path} is neither a number nor a time like"
                " 2026-11-30T12:00:00Z; give one of these."
            )
        first = kind
        by_user.setdefault(cells[0], []).append((time, cells[1]))
    enough = [history for history in by_user.values() if len(history) >= FEWEST]
    if len(enough) < 3:
        raise WrongUse(
            f"next_item: {path} has {len(enough)} users with {FEWEST} items or more, too few for training, validation and test."
        )
    number: dict[str, int] = {}
    histories = [
        np.array([number.setdefault(item, len(number)) for _, item in sorted(history, key=lambda one: one[0])])
        for history in enough
    ]
    if len(number) < 2:
        raise WrongUse(f"next_item: {path} has one item alone, so that there is nothing to learn; give at least 2 items.")
    few = len(by_user) - len(enough)
    notes = (f"{few} users with fewer than {FEWEST} items are left out",) if few else ()
    return _Users(histories, tuple(number), notes, hashlib.sha256(content).hexdigest())


def _time(text: str) -> tuple[str, Any]:
    """What kind of time a text is, "" for none; and what times of its kind are ordered by."""
    number = given.number(text)
    if number is not None:
        return ("a number", number) if np.isfinite(number) else ("", None)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return "", None
    return ("a date without zone", moment) if moment.tzinfo is None else ("a date with a zone", moment)
