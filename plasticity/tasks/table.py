"""Rows of a table, each to be put into its class: data of one's own."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from plasticity.checked import checked
from plasticity.datasets.rows import EMPTY, Rows, alike, from_python, read_csv
from plasticity.errors import WrongUse
from plasticity.settings import setting
from plasticity.tasks.streams import Streams
from plasticity.tasks.task import Task
from plasticity.tasks.trials import Draw

GIVEN = "(given in Python)"  # stands for the file of data that came as arrays or a DataFrame


@dataclass(frozen=True)
class Table(Task):
    """A row of numbers is shown, in one stream; the answer is its class: a table of your own.

    From a CSV file with a line of names on top (`plasticity compare table --set file=my.csv --set target=label`), from arrays or
    a pandas DataFrame (`table`). Three tables of scikit-learn's need no file: wine (the default), iris, breast_cancer.

    - Each draw splits the different rows anew, every class by itself: the shares `test` and `validation` of them, at least one
      each, the rest for training. Rows that are the same in every column that is shown stay in one part and count once, for the
      class that most of them have: where many are alike, the parts hold other shares of all rows.
    - Every column is scaled to 0 to 1 by its least and largest value among the training rows alone. Values of other rows beyond
      them are set to 0 or 1; `Draw` counts them (`clipped`), and so does the record.
    - With `opposites` each column is shown twice, as x and 1 - x, so that every row drives a spiking network equally strongly:
      what is told by low values, such as negative ones, is hardly heard otherwise.
    - A column of a few texts becomes a column of 0 and 1 for each text; a constant one is left out. `facts` tells which.
    - Chance is the share of the most frequent class among all rows, what its name alone scores: 1 / classes where all are
      equally frequent. The learner `guessing` draws a class uniformly and scores 1 / classes.

    Shapes: `stimulus` (trials, 1, columns); `image` holds the number of each row, from 0.

    Raises
    ------
    WrongUse
        What `plasticity.datasets.rows` refuses: no such file or column, empty cells or NaN, a quantity instead of classes,
        several outputs, a class with too few rows; shares that leave no training rows.
    PlasticityError
        The file cannot be read.

    Source: of the default: Aeberhard & Forina (1991), Wine, UCI Machine Learning Repository, doi:10.24432/C5PC7J.
    """

    name: ClassVar[str] = "table"
    summary: ClassVar[str] = "Rows of a table of your own, each to be put into its class."
    source: ClassVar[str] = "your own; wine: Aeberhard & Forina 1991 doi:10.24432/C5PC7J"

    file: str = setting("wine", "a CSV file with a line of names on top; or wine, iris, breast_cancer of scikit-learn")
    target: str = setting("", "the column with the classes; the last one where it is left out")
    leave_out: tuple[str, ...] = setting((), "columns that are not shown, with commas between")
    test: float = setting(0.25, "share of the rows that is test", above=0, below=1)
    validation: float = setting(0.15, "share of the rows that is validation", above=0, below=1)
    opposites: bool = setting(
        False, "each column is shown twice, as x and 1 - x: a low value drives as many inputs as a high one"
    )
    rows: Rows | None = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "leave_out", tuple(name.strip() for name in self.leave_out))
        if self.test + self.validation >= 1:
            raise WrongUse(f"table: test={self.test:g} and validation={self.validation:g} leave no rows for training; give less.")
        if self.rows is None:
            if self.file == GIVEN:
                raise WrongUse("table: the data of this run were given in Python; give them again with pl.tasks.table(X, y).")
            object.__setattr__(self, "rows", read_csv(self.file, self.target, self.leave_out))

    @property
    def _read(self) -> Rows:
        assert self.rows is not None
        return self.rows

    @property
    def classes(self) -> int:
        return len(self._read.classes)

    @property
    def chance(self) -> float:
        """Share of the most frequent class: what its name alone scores."""
        return float(np.bincount(self._read.labels).max() / len(self._read.labels))

    @property
    def facts(self) -> dict[str, Any]:
        """What a record keeps of the rows: their number, classes and columns by name, SHA-256, what was encoded or left out."""
        read = self._read
        return {
            "rows": len(read.labels), "classes": list(read.classes), "columns": list(read.features),
            "chance": f"the share of the most frequent class, {read.classes[np.bincount(read.labels).argmax()]}",
            "notes": list(read.notes), "sha256": read.sha256,
        }  # fmt: skip

    @checked
    def hints(self, sides: Collection[str]) -> Iterable[str]:
        """Columns that number the rows; columns of both signs, of which a spiking network without `opposites` hears half."""
        named = [*zip(self._read.features, self._read.values.T, strict=True)]
        for name, values in named:
            if (values == np.round(values)).all() and (np.diff(values) > 0).all():
                yield f"table: column {name!r} numbers the rows; leave it out, --set leave_out={shlex.quote(name)}."
        for name in self._read.classes:
            if name.casefold() in EMPTY:
                yield f"table: {name!r} is taken for a class of its own; if it stands for no answer, leave its rows out."
        signed = [repr(name) for name, values in named if values.min() < 0 < values.max()]
        if signed and "spiking" in sides and not self.opposites:
            some = ", ".join(signed[:3]) + (f" and {len(signed) - 3} more" if len(signed) > 3 else "")
            yield (
                f"table: {some}: negative and positive values; scaled to 0 to 1 the negative ones hardly drive a spiking network,"
                " --set opposites=true shows each column as x and 1 - x."
            )

    def draw(self, rng: np.random.Generator) -> Draw:
        from sklearn.preprocessing import MinMaxScaler

        read, seeds = self._read, self.seeds_of(rng)
        group, different = alike(read.values, read.labels)
        parts = self._apart(different, np.random.default_rng(seeds[0]))
        # each part is put in random order by itself, with all rows that repeat one of its own
        chosen = [
            np.random.default_rng(seed).permutation(np.flatnonzero(np.isin(group, part)))
            for part, seed in zip(parts, seeds[1:], strict=True)
        ]
        scaler = MinMaxScaler(clip=True).fit(read.values[chosen[0]])
        outside = [
            int(((read.values[rows] < scaler.data_min_) | (read.values[rows] > scaler.data_max_)).sum()) for rows in chosen
        ]
        train, validation, test = (self._trials(scaler.transform(read.values[rows]), rows) for rows in chosen)
        return Draw(train, validation, test, clipped={"validation": outside[1], "test": outside[2]}, drawn_from=len(read.labels))

    def _apart(self, labels: np.ndarray, rng: np.random.Generator) -> list[np.ndarray]:
        """Which of the different rows are for training, validation and test: of every class at least one each."""
        parts: list[list[np.ndarray]] = [[], [], []]
        for label in range(self.classes):
            of_class = rng.permutation(np.flatnonzero(labels == label))
            test = min(max(1, round(self.test * len(of_class))), len(of_class) - 2)
            held = min(max(1, round(self.validation * len(of_class))), len(of_class) - test - 1)
            for part, rows in zip(parts, np.split(of_class, [len(of_class) - test - held, len(of_class) - test]), strict=True):
                part.append(rows)
        return [np.concatenate(part) for part in parts]

    def _trials(self, shown: np.ndarray, rows: np.ndarray) -> Streams:
        label = self._read.labels[rows]
        shown = np.hstack([shown, 1 - shown]) if self.opposites else shown
        cue = np.zeros(len(rows), np.int64)
        return Streams(shown[:, None], cue, label, label[:, None], rows[:, None].astype(np.int64), self.classes)

    @checked
    def ideal(self, trials: Streams) -> np.ndarray:
        """The class of the row. Rows of two classes may be alike, so that nobody may be able to tell them apart."""
        return trials.stream_label[:, 0]


@checked
def table(
    X: Any,
    y: Any = None,
    *,
    target: str | None = None,
    leave_out: str | Iterable[str] = (),
    test: float = 0.25,
    validation: float = 0.15,
    opposites: bool = False,
) -> Table:
    """The task of one's own rows: `table(X, y)`, `table(frame, "label")`, `table("my.csv", "label")`.

    Parameters
    ----------
    X : (rows, columns) array, pandas DataFrame, or path of a CSV file
    y : (rows,) classes: whole numbers, texts or categories; or the name of the column of X that holds them, also as `target=`
    leave_out : names of columns that are not shown
    test, validation : shares of the rows
    opposites : each column is shown twice, as x and 1 - x, so that a spiking network hears low and negative values too

    Raises
    ------
    WrongUse, PlasticityError
        As `Table`.
    """
    if target is not None and y is not None:
        raise WrongUse("table: the classes are given twice, as y and as target; give one of them.")
    y = y if target is None else target
    left = (leave_out,) if isinstance(leave_out, str) else tuple(leave_out)
    if isinstance(X, (str, Path)):
        if not (y is None or isinstance(y, str)):
            raise WrongUse("table: of a CSV file the target is the name of a column; write table('my.csv', 'label').")
        return Table(str(X), y or "", left, test, validation, opposites)
    return Table(GIVEN, y if isinstance(y, str) else "", left, test, validation, opposites, from_python(X, y, left))
