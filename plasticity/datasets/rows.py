"""Rows of one's own: a table of numbers with a class for each row, from a CSV file, arrays or a pandas DataFrame."""

from __future__ import annotations

import csv
import hashlib
import io
import re
import shlex
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from plasticity import given
from plasticity.errors import PlasticityError, WrongUse
from plasticity.files import refuse_large

SHIPPED = ("wine", "iris", "breast_cancer")
"""Tables that come with scikit-learn, by the name that stands for a file."""
MOST_WORDS = 20  # different texts in a column that are encoded
FEWEST = 3  # different rows of a class: one for training, one for validation, one for the test
_DIGITS = re.compile(r"[+-]?[0-9]{1,300}")
EMPTY = frozenset({"", "na", "n/a", "nan", "null", "none", "?", "-"})


@dataclass(frozen=True, eq=False)
class Rows:
    """A table that was read: what is shown, what is answered, and what was done on the way.

    Attributes
    ----------
    values : (rows, features) float64
        Not yet scaled.
    labels : (rows,) int64
        The class of each row, from 0 on.
    classes, features : tuple of str
        What the classes and the columns of `values` are called.
    notes : tuple of str
        What was left out or encoded, a sentence each.
    sha256 : str
        Of the file; of data given in Python over values and labels.
    """

    values: np.ndarray
    labels: np.ndarray
    classes: tuple[str, ...]
    features: tuple[str, ...]
    notes: tuple[str, ...]
    sha256: str


def read_csv(file: str | Path, target: str = "", leave_out: Sequence[str] = ()) -> Rows:
    """The rows of a CSV file with a line of names on top, or of a table that scikit-learn brings (`SHIPPED`).

    Columns are separated by commas, semicolons or tabs; the text is UTF-8. `target` names the column with the classes (the last
    one where it is empty), `leave_out` columns that are not shown. Raises what `from_columns` does, and

    Raises
    ------
    WrongUse
        No such file, no line of names, an unknown or double column, a row that is shorter or longer than the line of names.
    PlasticityError
        The file cannot be read or is no text.
    """
    name = str(file)
    if name in SHIPPED and not Path(name).exists():
        from sklearn import datasets as shipped

        held = getattr(shipped, f"load_{name}")()
        names = [str(word) for word in held.feature_names]
        found = dict(zip(names, held.data.T, strict=True)) | {"class": np.asarray(held.target_names)[held.target]}
        return _chosen(found, name, target, leave_out, None)
    path = Path(file).expanduser()
    if not name.strip() or not path.is_file():
        raise WrongUse(f"table: there is no file {name!r}; give a CSV file with a line of names on top, --set file=my.csv.")
    refuse_large(path)
    try:
        content = path.read_bytes()
        if content.startswith(b"\x1f\x8b"):
            raise WrongUse(f"table: {path} is compressed; unpack it first, gunzip {shlex.quote(str(path))}.")
        text = content.decode("utf-8-sig")
    except OSError as problem:
        raise PlasticityError(f"table: {path} cannot be read ({problem.strerror}).") from None
    except UnicodeDecodeError:
        raise PlasticityError(f"table: {path} is no text in UTF-8; save it as CSV in UTF-8.") from None
    top = text.partition("\n")[0]
    between = max(",;\t", key=top.count)
    try:
        lines = [
            (number, line)
            for number, line in enumerate(csv.reader(io.StringIO(text, newline=None), delimiter=between), 1)
            if any(line)
        ]
    except csv.Error as problem:
        raise PlasticityError(f"table: {path} is no CSV file ({problem}).") from None
    if len(lines) < 2:
        raise WrongUse(f"table: {path} holds no rows; give a line of names and a row for each trial.")
    heads = [word.strip() for word in lines[0][1]]
    if not all(heads) or any(_number(word) is not None for word in heads):
        raise WrongUse(
            f"table: the first line of {path} names no columns ({between.join(heads)[:60]}); put a line of names on top."
        )
    for number, line in lines[1:]:
        if len(line) != len(heads):
            raise WrongUse(
                f"table: line {number} of {path} has {len(line)} values, its line of names {len(heads)}; mend that line."
            )
    columns: dict[str, np.ndarray] = {}
    for place, head in enumerate(heads):
        if head in columns:
            raise WrongUse(f"table: two columns of {path} are called {head!r}; rename one.")
        words = [line[place].strip() for _, line in lines[1:]]
        columns[head] = _classes(head, words) if head == (target or heads[-1]) else _typed(head, words)
    return _chosen(columns, str(path), target, leave_out, hashlib.sha256(content).hexdigest())


def from_python(X: Any, y: Any, leave_out: Sequence[str] = ()) -> Rows:
    """The rows of arrays or of a pandas DataFrame; `y` holds the classes, or names the column of the DataFrame that does.

    Raises what `from_columns` does, and WrongUse for sparse or other things that are no table.
    """
    if hasattr(X, "toarray"):
        raise WrongUse("table: X is a sparse matrix; give X.toarray().")
    if hasattr(X, "columns") and hasattr(X, "iloc"):
        columns: dict[str, Any] = {}
        for place, head in enumerate(X.columns):
            if str(head) in columns:
                raise WrongUse(f"table: two columns of the DataFrame are called {str(head)!r}; rename one.")
            columns[str(head)] = _of_series(str(head), X.iloc[:, place])
        if isinstance(y, str):
            return _chosen(columns, "the DataFrame", y, leave_out, None)
    elif isinstance(y, str):
        raise WrongUse(f"table: {y!r} names a column, but X is no DataFrame; give the labels themselves, table(X, y).")
    else:
        try:
            matrix = np.asarray(X)
        except ValueError:
            raise WrongUse("table: X is no table of numbers; give an array (rows, columns) or a DataFrame.") from None
        if np.ma.is_masked(X):
            raise WrongUse("table: X holds masked values; fill them, or leave these rows out.")
        if matrix.ndim != 2 or 0 in matrix.shape:
            raise WrongUse(f"table: X has the shape {matrix.shape}; it must be (rows, columns), none 0.")
        columns = {f"column {place}": _of_series(f"column {place}", column) for place, column in enumerate(matrix.T)}
    if y is None:
        raise WrongUse("table: y is missing; give the classes, table(X, y), or the name of a column, table(frame, 'label').")
    if hasattr(y, "toarray"):
        raise WrongUse("table: y is a sparse matrix; give one class for each row.")
    _known(leave_out, columns, "the DataFrame" if hasattr(X, "columns") else "X")
    return from_columns({head: values for head, values in columns.items() if head not in leave_out}, y, None)


def _chosen(columns: dict[str, Any], where: str, target: str, leave_out: Sequence[str], sha256: str | None) -> Rows:
    asked = target or [*columns][-1]
    _known([asked], columns, where)
    _known(leave_out, columns, where)
    shown = {head: values for head, values in columns.items() if head != asked and head not in leave_out}
    made = from_columns(shown, columns[asked], sha256, asked)
    left = tuple(f"left out as told: {head}" for head in leave_out)
    return replace(made, notes=left + made.notes)


def _known(asked: Sequence[str], columns: dict[str, Any], where: str) -> None:
    for name in asked:
        if name not in columns:
            known = ", ".join([*columns][:20]) + (", ..." if len(columns) > 20 else "")
            raise WrongUse(f"table: {where} has no column {name!r}; it has {known}.")


def from_columns(columns: dict[str, Any], y: Any, sha256: str | None, target: str = "y") -> Rows:
    """Columns of numbers as they are, columns of a few texts as a column of 0 and 1 for each, constant ones left out.

    Raises
    ------
    WrongUse
        No column, empty cells, NaN or infinity, complex numbers or dates, text of more than `MOST_WORDS` different words; a
        target that is no class of each row (a quantity, several outputs, empty cells); one class, or a class with fewer than
        `FEWEST` different rows.
    """
    labels, classes = _labels(y, target)
    features: list[np.ndarray] = []
    names: list[str] = []
    notes: list[str] = []
    for head, values in columns.items():
        if len(values) != len(labels):
            raise WrongUse(f"table: {len(values)} rows and {len(labels)} labels; give one label for each row.")
        made, called = _encoded(head, values)
        if len(called) > 1:
            notes.append(f"{head}: text, encoded as a column of 0 and 1 for each of its {len(called)} values")
        elif (made == made[0]).all():
            notes.append(f"{head}: the same in every row, left out")
            continue
        features.append(made)
        names += called
    if not features:
        raise WrongUse(f"table: there is no column to show beside {target!r} that differs from row to row; give one at least.")
    table = np.hstack(features)
    _, different = alike(table, labels)
    if len(different) < len(table):
        notes.append(f"{len(table) - len(different)} of {len(table)} rows repeat another; repeated rows stay in one part")
    counts = np.bincount(different, minlength=len(classes))
    if counts.min() < FEWEST:
        rare = int(counts.argmin())
        many = len(classes) > MOST_WORDS and all(_number(name) is not None for name in classes)
        regression = "; a quantity is no class: regression is not done here" if many else ""
        raise WrongUse(
            f"table: the class {classes[rare]!r} of {target!r} has {counts[rare]} different rows, and at least {FEWEST} are"
            f" needed, one each for training, validation and test (rows that are alike count once, for their most frequent"
            f" class); give more of them or leave that class out{regression}."
        )
    told = sha256 or hashlib.sha256(table.tobytes() + labels.tobytes() + "\n".join(classes).encode()).hexdigest()
    return Rows(table, labels, classes, tuple(names), tuple(notes), told)


def alike(table: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which of the different rows each row is, and of each of these the class that most of its rows have."""
    found, group = np.unique(table, axis=0, return_inverse=True)
    counts = np.zeros((len(found), labels.max() + 1), np.int64)
    np.add.at(counts, (group.ravel(), labels), 1)
    return group.ravel(), counts.argmax(axis=1)


def _typed(head: str, words: list[str]) -> np.ndarray:
    """A column of a file: numbers where every cell is one, else texts."""
    for place, word in enumerate(words):
        if word.casefold() in EMPTY:
            raise _missing(head, sum(each.casefold() in EMPTY for each in words), place)
    numbers = [_number(word) for word in words]
    return np.array(words) if None in numbers else np.array(numbers, dtype=np.float64)


def _classes(head: str, words: list[str]) -> np.ndarray:
    """The column of a file that holds the classes: numbers, or names as they are written, such as 007."""
    if empty := [place for place, word in enumerate(words) if word.casefold() in ("", "nan")]:
        raise _missing(head, len(empty), empty[0], target=True)
    numbers = {word: int(word) if _DIGITS.fullmatch(word) else _number(word) for word in words}
    if None in numbers.values():
        return np.array(words)
    written: dict[Any, str] = {}
    for word, number in numbers.items():
        if (other := written.setdefault(number, word)) != word:
            raise WrongUse(
                f"table: {head!r} holds the classes {other!r} and {word!r}, which are one number; write a class in one way, or"
                " give them names."
            )
    codes = any(_DIGITS.fullmatch(word) and str(int(float(word))) != word for word in numbers)
    return np.array(words) if codes else np.array([*map(numbers.get, words)], dtype=np.float64)


def _number(word: str) -> float | None:
    try:
        return float(word) if word.isascii() and "_" not in word else None  # 1_0 is a name, though Python reads 10
    except ValueError:
        return None


def _missing(head: str, count: int, first: int, target: bool = False) -> WrongUse:
    many = "1 empty cell" if count == 1 else f"{count} empty cells"
    if target:
        return WrongUse(
            f"table: {head!r} has {many} or NaN (the first in row {first + 1}), which name no class; leave these rows out."
        )
    return WrongUse(
        f"table: {head!r} has {many} or NaN (the first in row {first + 1}); fill them, leave these rows out, or leave the column"
        f" out: --set leave_out={head!r}, in Python leave_out=({head!r},)."
    )


def _of_series(head: str, values: Any) -> np.ndarray:
    """A column of a DataFrame or an array: numbers, or texts."""
    if np.ma.is_masked(values):
        raise WrongUse(f"table: {head!r} holds masked values; fill them, or leave these rows out.")
    found = np.asarray(values)
    if found.dtype.kind == "O":
        empty = np.array([each is None or type(each).__name__ in ("NAType", "NaTType") or each != each for each in found])
        if empty.any():
            raise _missing(head, int(empty.sum()), int(empty.argmax()))
        if all(isinstance(each, (bool, int, float, np.number, np.bool_)) for each in found):
            made = found.astype(np.float64)
            if len(set(made)) < len(set(found)):
                raise WrongUse(f"table: {head!r} holds whole numbers that float64 cannot tell apart; give texts.")
            return made
        if not all(isinstance(each, str) for each in found):
            kinds = " and ".join(sorted({type(each).__name__ for each in found}))
            raise WrongUse(f"table: {head!r} holds {kinds}; give numbers or texts alone.")
        return found.astype(str)
    return found


def _encoded(head: str, values: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """A column as numbers (rows, 1), or as a column of 0 and 1 for each text (rows, texts); and what these are called."""
    if values.dtype.kind in "biuf":
        made = values.astype(np.float64)[:, None]
        if not np.isfinite(made).all():
            if np.isnan(made).any():
                raise _missing(head, int(np.isnan(made).sum()), int(np.isnan(made).argmax()))
            raise WrongUse(f"table: {head!r} holds infinity; give finite numbers.")
        return made, [head]
    if values.dtype.kind not in "US":
        kind = {"c": "complex numbers", "M": "dates", "m": "times"}.get(values.dtype.kind, f"values of type {values.dtype}")
        raise WrongUse(f"table: {head!r} holds {kind}; give numbers, or leave the column out with leave_out.")
    words, number = np.unique(values, return_inverse=True)
    if len(words) > MOST_WORDS:
        raise WrongUse(
            f"table: {head!r} holds {len(words)} different texts (such as {str(words[0])!r}); at most {MOST_WORDS} are encoded:"
            f" give numbers with a decimal point, or leave the column out: --set leave_out={head!r}."
        )
    if len(words) == 1:
        return np.zeros((len(values), 1)), [head]
    return np.eye(len(words))[number], [f"{head}={word}" for word in words]


def _labels(y: Any, target: str) -> tuple[np.ndarray, tuple[str, ...]]:
    """The class of each row as a number, and the names of the classes in order."""
    from sklearn.utils.multiclass import type_of_target

    found = y if np.ma.is_masked(y) else given.array(y)
    if found is None:
        raise WrongUse("table: the target holds lists of unequal lengths; give one class a row.")
    if found.ndim == 2 and found.shape[1] == 1:
        found = found[:, 0]
    if found.ndim != 1:
        raise WrongUse(f"table: the target has the shape {found.shape}; several outputs are not done here: give one class a row.")
    if not len(found):
        raise WrongUse("table: there are no rows; give one for each trial.")
    found = _of_series(target, found)
    if found.dtype.kind in "cMm":
        kind = {"c": "complex numbers", "M": "dates", "m": "times"}[found.dtype.kind]
        raise WrongUse(f"table: {target!r} holds {kind}, which name no class; give whole numbers or texts.")
    if found.dtype.kind == "f" and not np.isfinite(found).all():
        if np.isinf(found).any():
            raise WrongUse(f"table: {target!r} holds infinity, which names no class; give whole numbers or texts.")
        raise _missing(target, int(np.isnan(found).sum()), int(np.isnan(found).argmax()))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # many classes: told below
        kind = type_of_target(found)
    if kind.startswith("continuous"):
        raise WrongUse(f"table: {target!r} holds fractions, a quantity: regression is not done here; give a class for each row.")
    if kind not in ("binary", "multiclass"):
        raise WrongUse(f"table: {target!r} holds no classes ({kind}); give whole numbers or texts, one for each row.")
    if found.dtype.kind == "f":
        found = found.astype(np.int64)
    classes, number = np.unique(found, return_inverse=True)
    if len(classes) < 2:
        raise WrongUse(f"table: every row is of the class {str(classes[0])!r}; give rows of two classes at least.")
    return number.astype(np.int64), tuple(map(str, classes))
