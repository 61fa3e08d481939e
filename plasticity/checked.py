"""Whatever a public function or class is given is held to its annotations, in one place and in one sentence.

    @checked
    def late_mean(values: ArrayLike, parts: int, axis: int = -1) -> np.ndarray: ...

An annotation says what a value may be: `int` a whole number, `float` a number without unit, `np.ndarray` real numbers (lists
become arrays), `Quantity` a value with its unit, a class one of its instances, `Sequence[...]` several. The names below, like
`Row` and `Count`, say more. Others say nothing. What several arguments must be together, `alike` says; a name that a mapping of
arrays lacks is refused where it is looked up.
"""

from __future__ import annotations

import functools
import inspect
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import numpy as np
from numpy.typing import ArrayLike

from plasticity import given
from plasticity.errors import WrongUse

if TYPE_CHECKING:
    from brian2 import Quantity

F = TypeVar("F", bound=Callable[..., Any])
Test = Callable[[Any], bool]
Row = np.ndarray  # numbers, (n,)
Grid = np.ndarray  # numbers, (n, m)
Indices = np.ndarray  # whole numbers of 0 or more, (n,)
Count = int  # 1 or more
Number = float  # finite, of a size that can be multiplied with others
Above0 = float  # such a number, above 0
From0 = float  # or 0
Share = float  # from 0 to 1
Time: TypeAlias = "Quantity"  # above 0
MOST = 1e100  # of a number
LARGEST = 2**63  # a whole number below it fits into every array
FEW = 1000  # of several values so many are looked at


def checked(made: F) -> F:
    """The function, or the class, that refuses what its annotations exclude by a WrongUse that names the argument."""
    return _checked(made, frozenset())


def checked_but(*names: str) -> Callable[[F], F]:
    """`checked` without these arguments, of which the function says more itself."""
    return functools.partial(_checked, but=frozenset(names))


def _checked(made: F, but: frozenset[str]) -> F:
    if inspect.isclass(made):
        setattr(made, "__init__", _checked(vars(made)["__init__"], but))  # noqa: B010  (mypy knows no other way)
        return made
    parameters = inspect.signature(made).parameters
    places = [name for name, one in parameters.items() if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)]
    tests: dict[str, tuple[Test, str, Callable[[Any, str], Any]]] = {}

    def known() -> dict[str, tuple[Test, str, Callable[[Any, str], Any]]]:
        nonlocal tests
        if not tests:  # at the first call, when everything is imported; several threads may be here at once
            found: dict[str, tuple[Test, str, Callable[[Any, str], Any]]] = {"": (lambda value: True, "", _as_it_is)}
            for name, one in parameters.items():
                if name in but or one.kind in (one.VAR_POSITIONAL, one.VAR_KEYWORD):
                    continue
                test = _test(one.annotation, _names(made))
                if test is not None:
                    makes = _MADE.get(str(one.annotation), _as_it_is)
                    found[name] = (functools.partial(_passes, test[0], one.default), test[1], makes)
            tests = found
        return tests

    def looked_at(name: str, value: Any) -> Any:
        test, words, makes = known().get(name, known()[""])
        title = getattr(made, "__qualname__", "").removesuffix(".__init__")
        if not test(value):
            raise WrongUse(f"{title}: {name}={given.shown(value)} must be {words}.")
        if isinstance(value, np.integer):  # an int8 overflows in sums
            return int(value)
        return value if value is None else makes(value, f"{title}: {name}")

    @functools.wraps(made)
    def call(*args: Any, **kwargs: Any) -> Any:
        named = zip(places, args, strict=False)
        return made(
            *[looked_at(name, value) for name, value in named], *args[len(places) :],
            **{name: looked_at(name, value) for name, value in kwargs.items()},
        )  # fmt: skip

    return call  # type: ignore[return-value]


def alike(**arrays: ArrayLike) -> None:
    """WrongUse for arrays that have not all the same shape."""
    shapes = {name: np.shape(array) for name, array in arrays.items()}
    if len(set(shapes.values())) > 1:
        told = ", ".join(f"{name} {shape}" for name, shape in shapes.items())
        raise WrongUse(f"{' and '.join(shapes)} must have the same shape, a number of each for everything; given were {told}.")


class _Arrays(dict[str, Any]):
    """A mapping that refuses a name that it lacks."""

    def __init__(self, given: Mapping[str, Any], what: str) -> None:
        super().__init__(given)
        self.what = what

    def __missing__(self, name: str) -> Any:
        raise WrongUse(f"{self.what} lacks {name!r}; give all arrays that belong together, as a run has them.")

    def __reduce__(self) -> Any:
        return dict, (dict(self),)


def _as_it_is(value: Any, what: str) -> Any:
    return value


def _as_array(value: Any, what: str) -> Any:
    return value if isinstance(value, np.ndarray) else np.asarray(value)


def _as_indices(value: Any, what: str) -> Any:
    found = _as_array(value, what)
    return found if found.dtype.kind in "iu" else found.astype(np.int64)


_MADE: dict[str, Callable[[Any, str], Any]] = dict.fromkeys(("np.ndarray", "ndarray", "Row", "Grid"), _as_array)
_MADE |= dict.fromkeys(("Number", "Above0", "From0", "Share"), lambda value, what: float(value))
_MADE |= {"Indices": _as_indices, "Mapping[str, np.ndarray]": _Arrays}


def _passes(test: Test, default: Any, value: Any) -> bool:
    return value is default or test(value)


def _names(made: Any) -> Mapping[str, Any]:
    return getattr(made, "__globals__", {})


def _split(text: str, mark: str) -> list[str]:
    """The parts of an annotation between marks that are in no bracket."""
    parts, depth = [""], 0
    for letter in text:
        depth += (letter in "[(") - (letter in "])")
        if letter == mark and not depth:
            parts.append("")
        else:
            parts[-1] += letter
    return [part.strip() for part in parts if part.strip()]


def _test(annotation: Any, names: Mapping[str, Any]) -> tuple[Test, str] | None:
    """What a value must pass, and in words what it must be; None where everything passes."""
    text = annotation if isinstance(annotation, str) else annotation.__name__ if inspect.isclass(annotation) else str(annotation)
    if annotation is inspect.Parameter.empty:
        return None
    options = [_one(option, names) for option in _split(text.strip("'\""), "|")]
    if None in options or not options:
        return None
    tests = [option[0] for option in options if option]
    return (lambda value: any(test(value) for test in tests)), " or ".join(dict.fromkeys(o[1] for o in options if o))


def _one(text: str, names: Mapping[str, Any]) -> tuple[Test, str] | None:
    head, _, inner = text.partition("[")
    short = head.rpartition(".")[2]
    within = _split(inner.removesuffix("]"), ",")
    if short in ("Any", "object"):
        return None
    if short in ("Mapping", "dict") and len(within) == 2:
        return _mapping([_test(part, names) for part in within])
    if short in _SIMPLE:
        return _SIMPLE[short]
    if short in ("Sequence", "list", "tuple", "Iterable", "Collection", "Iterator", "set", "frozenset"):
        return _several(short, within, names)
    found = names.get(head)
    if found is None and "." in head:
        found = getattr(names.get(head.partition(".")[0]), head.partition(".")[2], None)
    if inspect.isclass(found):
        return (lambda value: isinstance(value, found)), f"a {short}"
    if found is not None and not isinstance(found, TypeVar) and str(found) != text:  # another name for an annotation
        return _test(str(found), names)
    if found is None and short.isidentifier() and short[:1].isupper() and len(short) > 1 and short != "ModuleType":
        return (lambda value: any(kind.__name__ == short for kind in type(value).__mro__)), f"a {short}"
    return None


def _mapping(of: list[tuple[Test, str] | None]) -> tuple[Test, str]:
    """A dictionary whose keys and values pass."""
    key, value = ((lambda one: True) if test is None else test[0] for test in of)
    words = " to ".join(f"{what} that are each {test[1]}" for what, test in zip(("keys", "values"), of, strict=True) if test)
    told = f"a dictionary with {words}" if words else "a dictionary"
    return (lambda given: isinstance(given, Mapping) and all(key(k) and value(v) for k, v in given.items())), told


def _several(short: str, within: list[str], names: Mapping[str, Any]) -> tuple[Test, str]:
    each = [_test(part, names) for part in within if part != "..."]
    fixed = short == "tuple" and "..." not in within

    def several(value: Any) -> bool:
        if isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Iterable) or inspect.isclass(value):
            return False
        if isinstance(value, np.ndarray) and not value.ndim:
            return False
        if isinstance(value, Iterator):
            return short in ("Iterable", "Iterator")  # it can be gone through once
        if short in ("Sequence", "list", "tuple") and not hasattr(value, "__getitem__"):
            return False
        if fixed:
            return len(value) == len(each) and all(t is None or t[0](one) for t, one in zip(each, value, strict=True))  # type: ignore
        return all(each[0][0](one) for one in list(value)[:FEW]) if each and each[0] else True

    kinds = {part[1] for part in each if part}
    words = f"several values, each {' or '.join(sorted(kinds))}" if kinds else "several values, like a list"
    return several, f"{len(each)} values, each {' or '.join(sorted(kinds))}" if fixed and kinds else words


def _is_int(value: Any) -> bool:
    return given.is_whole(value) and -LARGEST <= int(value) < LARGEST


def _is_float(value: Any) -> bool:
    found = None if isinstance(value, (bool, np.bool_)) else given.real(value)
    return found is not None and not found.ndim


def _is_array(value: Any, least: int = 1) -> bool:
    found = given.real(value)
    return found is not None and found.ndim >= least


def _is_shaped(value: Any, dimensions: int) -> bool:
    found = given.real(value)
    return found is not None and found.ndim == dimensions


def _is_indices(value: Any) -> bool:
    found = given.real(value)
    return found is not None and found.ndim == 1 and bool(((found >= 0) & (found < LARGEST) & (found == np.floor(found))).all())


def _is_number(value: Any, low: float = -MOST, high: float = MOST, above: bool = False) -> bool:
    found = given.one(value)
    return found is not None and (low < found if above else low <= found) and found <= high


def _is_quantity(value: Any) -> bool:
    return hasattr(value, "dim") and given.real(np.asarray(value)) is not None


_SIMPLE: dict[str, tuple[Test, str]] = {
    "None": (lambda value: value is None, "None"),
    "int": (_is_int, "a whole number, like 3"),
    "float": (_is_float, "a number without unit, like 0.5"),
    "str": (lambda value: isinstance(value, str), "a text"),
    "bool": (lambda value: isinstance(value, (bool, np.bool_)), "True or False"),
    "bytes": (lambda value: isinstance(value, bytes), "bytes"),
    "ndarray": (_is_array, "an array of real numbers without unit"),
    "ArrayLike": (_is_array, "an array of real numbers without unit"),
    "Row": (lambda value: _is_shaped(value, 1), "a row of real numbers without unit, like [0.1, 0.2]"),
    "Grid": (lambda value: _is_shaped(value, 2), "rows of real numbers without unit, all of one length"),
    "Indices": (_is_indices, "whole numbers of 0 or more, like [0, 2, 1]"),
    "Count": (lambda value: _is_int(value) and value >= 1, "a whole number of 1 or more, like 3"),
    "Number": (_is_number, f"a number without unit and {MOST:g} at most, like 0.5"),
    "Above0": (
        functools.partial(_is_number, low=0, above=True),
        f"a number above 0, without unit and {MOST:g} at most, like 0.5",
    ),
    "From0": (functools.partial(_is_number, low=0), f"a number of 0 or more, without unit and {MOST:g} at most, like 0.5"),
    "Share": (functools.partial(_is_number, low=0, high=1), "a number from 0 to 1, like 0.5"),
    "Time": (lambda value: (given.seconds(value) or 0) > 0, "a finite time above 0, like 10*ms"),
    "Quantity": (_is_quantity, "a quantity with its unit, like 10*ms"),
    "Callable": (callable, "a function"),
    "Mapping": (lambda value: isinstance(value, Mapping), "a dictionary"),
    "dict": (lambda value: isinstance(value, Mapping), "a dictionary"),
    "type": (inspect.isclass, "a class"),
    "Path": (lambda value: isinstance(value, (str, os.PathLike)) and bool(str(value).strip()), "the path of a file or folder"),
    "PathLike": (lambda value: isinstance(value, os.PathLike), "the path of a file or folder"),
}
