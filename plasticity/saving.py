"""A trained learner in two files: NAME.json, which says what it is, and NAME.npz with its arrays. Nothing is pickled.

    classifier.save("mine")
    again = pl.load("mine")       # predicts the same, to the bit

Both files together are a `Record`: the json holds the SHA-256 of the npz and of its own content. A file may come from anyone:
loading makes objects of a few known kinds alone (`_KINDS`, rules by their name, learners of this package or of modules that are
known already) and runs no code of the file.
"""

from __future__ import annotations

import dataclasses
import math
import os
import re
import sys
import warnings
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from brian2 import Quantity
from brian2.units.fundamentalunits import get_or_create_dimension
from sklearn.base import BaseEstimator
from sklearn.dummy import DummyClassifier
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

import plasticity
from plasticity.checked import checked
from plasticity.engine import backend
from plasticity.engine.operations import CostModel, Operations, Population
from plasticity.errors import PlasticityError, WrongUse
from plasticity.gates import GATES, Gate
from plasticity.records import Record
from plasticity.rules import RULES, Eligibility, Landing, Rule, ShortTerm
from plasticity.structure import LAWS, Law

if TYPE_CHECKING:
    from plasticity.learners import Learner

FORMAT = 1
_OWN = re.compile(r"(?:plasticity|bridges)(?:\.[a-z_]\w*)+")  # modules that may be imported for a learner
_KINDS = {kind.__name__: kind for kind in (CostModel, Population, Operations, Landing, Eligibility, ShortTerm)}
_TARGETS = ("cpp_standalone", "numpy")
KIND = "#"  # the key of what JSON cannot hold by itself


def save(learner: Learner, path: str | os.PathLike[str], force: bool = False) -> None:
    """Write a trained learner to PATH.json and PATH.npz, whole or not at all: `learner.save(path)`.

    Raises
    ------
    WrongUse
        Something is there already, and not `force`. It is not fitted, or has something of a kind that cannot be saved (a rule or
        gate that no name is known of, a model given as an object).
    PlasticityError
        The folder is full or cannot be written.
    """
    kind = type(learner)
    try:
        check_is_fitted(learner)
    except NotFittedError:
        raise WrongUse(f"this {kind.__name__} has learnt nothing that could be saved; call fit(X, y) first.") from None
    stem = _stem(path)
    there = [file for file in (stem.with_name(stem.name + end) for end in (".json", ".npz")) if file.exists()]
    if there and not force:
        raise WrongUse(f"{there[0]} is there already; give another path, or replace it with save(path, force=True).")
    arrays: dict[str, np.ndarray] = {}
    given = learner.get_params(deep=False)
    told = {
        "format": FORMAT,
        "learner": f"{kind.__module__}:{kind.__qualname__}",
        "parameters": {name: _told(value, name, arrays) for name, value in given.items()},
        "state": {name: _told(value, name, arrays) for name, value in learner.state().items()},
    }
    where = str(getattr(learner, "backend_", learner.side))
    seed = given.get("random_state")
    numbers = {"plasticity": plasticity.__version__}
    Record("learner", told, seed, numbers, arrays, 0.0, where, 1).save(stem)


@checked
def load(path: str | os.PathLike[str]) -> Learner:
    """The learner that `save` wrote; its answers are the same to the bit on the same kind of machine.

    Spiking learners find or compile their program anew. One that was trained by a compiled program and meets no compiler now (or
    the other way round) warns, since the two draw other spikes.

    Raises
    ------
    WrongUse
        What lies there is no saved learner, or one of a class, rule or gate that is not known here.
    PlasticityError
        Nothing lies there, or a file is damaged (it is named).
    """
    stem = _stem(path)
    file = stem.with_name(stem.name + ".json")
    if not file.exists():
        raise PlasticityError(f"there is no saved learner {file}; give the path that learner.save(path) was given.")
    record = Record.load(stem)
    told = record.configuration
    if record.simulation != "learner" or "learner" not in told:
        raise WrongUse(f"{file} is the record of {record.simulation!r}, no saved learner; give what learner.save(path) wrote.")
    if told.get("format") != FORMAT:
        raise WrongUse(f"{file} is of the format {told.get('format')!r}, this version reads {FORMAT}; load it by the version that"
                       " saved it.")  # fmt: skip
    kind = _kind(str(told["learner"]), file)
    try:
        parameters = {str(name): _made(value, record.arrays) for name, value in told["parameters"].items()}
        state = {str(name): _made(value, record.arrays) for name, value in told["state"].items()}
        learner = kind(**parameters)
    except WrongUse:
        raise
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        what = f"{type(error).__name__}: {error}"
        raise PlasticityError(
            f"{file} is damaged or of another version ({what}); restore it from a copy, or save anew."
        ) from None
    learner.restore(state)
    if record.backend in _TARGETS and record.backend != backend():
        warnings.warn(
            f"{file} was trained on {record.backend} and runs on {backend()} here, which draws other spikes: answers may differ.",
            stacklevel=2,
        )
    return learner


def _stem(path: str | os.PathLike[str]) -> Path:
    """The path without .json or .npz."""
    place = Path(path)
    name = place.name.removesuffix(".json").removesuffix(".npz")
    if not name:
        raise WrongUse(f"path={str(path)!r} names no file; give the name of one that is to hold the learner, like mine.")
    return place.with_name(name)


def _kind(name: str, file: Path) -> type[Learner]:
    """The class of a learner: of this package, or of a module that is there already."""
    module, _, title = name.partition(":")
    if module not in sys.modules and _OWN.fullmatch(module):
        try:
            import_module(module)
        except ImportError:
            pass  # told below
    found: Any = sys.modules.get(module)
    for part in title.split("."):
        found = getattr(found, part, None)
    if not (isinstance(found, type) and issubclass(found, BaseEstimator) and hasattr(found, "restore")):
        raise WrongUse(
            f"{file} holds a learner of the class {title} of {module}, which is not known here; import that module first"
            " (a file of your own: plasticity.extensions.add(['my_file.py']))."
        )
    return found


# What JSON cannot hold by itself


def _told(value: Any, where: str, arrays: dict[str, np.ndarray]) -> Any:
    """A value as JSON; arrays go into `arrays`, and a reference stays."""

    def inner(each: Any, name: Any) -> Any:
        return _told(each, f"{where}.{name}", arrays)

    if isinstance(value, os.PathLike):
        value = os.fspath(value)
    if value is None or isinstance(value, (bool, int, str)) and not isinstance(value, np.generic):
        return value
    if isinstance(value, float) and not isinstance(value, (np.generic, Quantity)):
        return value if math.isfinite(value) else {KIND: "float", "value": repr(value)}
    if isinstance(value, Quantity):
        dimension = [float(power) for power in value.dim._dims]
        return {KIND: "quantity", "value": inner(np.asarray(value), "value"), "dimension": dimension}
    if isinstance(value, (np.ndarray, np.generic)):
        array = np.asarray(value)
        if array.dtype.hasobject:
            return {KIND: "objects", "values": [inner(each, "") for each in array.ravel().tolist()], "shape": list(array.shape)}
        name = f"array_{len(arrays)}"
        arrays[name] = array
        return {KIND: "scalar" if isinstance(value, np.generic) else "array", "name": name}
    if isinstance(value, list):
        return [inner(each, place) for place, each in enumerate(value)]
    if isinstance(value, tuple):
        return {KIND: "tuple", "values": [inner(each, place) for place, each in enumerate(value)]}
    if isinstance(value, Mapping):
        return {KIND: "dict", "items": [[inner(key, "key"), inner(each, key)] for key, each in value.items()]}
    if isinstance(value, Rule):
        return _told_rule(value, where, arrays)
    if isinstance(value, Law) and value.name in LAWS and LAWS[value.name](**value.parameters) == value:
        return {KIND: "law", "name": value.name, "parameters": inner(value.parameters, "parameters")}
    if dataclasses.is_dataclass(value) and type(value) in (*_KINDS.values(), *GATES.values()):
        fields = {f.name: inner(getattr(value, f.name), f.name) for f in dataclasses.fields(value)}
        if isinstance(value, Gate):
            return {KIND: "gate", "name": value.name, "fields": fields}
        return {KIND: "data", "name": type(value).__name__, "fields": fields}
    if type(value) is DummyClassifier:
        state = {name: inner(each, name) for name, each in vars(value).items()}
        return {KIND: "dummy", "state": state}
    raise WrongUse(
        f"{where} is {type(value).__name__}, which cannot be saved without pickle; give a rule, gate or model by a name that is"
        " known (of your own: from a file given with --with), numbers, texts or arrays."
    )


def _told_rule(rule: Rule, where: str, arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    told = {KIND: "rule", **_facts_of_rule(rule, where, arrays)}
    try:
        known = _rule(told, arrays) == rule
    except WrongUse:
        known = False
    if not known:
        raise WrongUse(
            f"{where}={rule.name} is a rule that is not known by its name, so it cannot be saved; give it in a file of your own,"
            " plasticity.extensions.add(['my_file.py'])."
        )
    return told


def _facts_of_rule(rule: Rule, where: str, arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    return {
        "name": rule.name,
        "parts": [_facts_of_rule(part, where, arrays) for part in rule.parts],
        "parameters": {name: _told(value, f"{where}.{name}", arrays) for name, value in rule.parameters.items()},
        "spikes": [trace.spikes for trace in rule.traces],
        "summary": rule.summary,
    }


def _rule(told: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Rule:
    parts = [_rule(part, arrays) for part in told["parts"]] or [RULES[told["name"]]]
    made = sum(parts[1:], start=parts[0])(**{name: _made(value, arrays) for name, value in told["parameters"].items()})
    traces = tuple(dataclasses.replace(t, spikes=s) for t, s in zip(made.traces, told["spikes"], strict=True))
    return dataclasses.replace(made, traces=traces, summary=told["summary"])


def _made(told: Any, arrays: Mapping[str, np.ndarray]) -> Any:
    """The value that `_told` told."""
    if isinstance(told, list):
        return [_made(each, arrays) for each in told]
    if not isinstance(told, dict):
        return told
    kind = told[KIND]
    if kind == "float":
        return float(told["value"])
    if kind == "array":
        return arrays[told["name"]].copy()
    if kind == "scalar":
        return arrays[told["name"]][()]
    if kind == "quantity":
        return Quantity(_made(told["value"], arrays)[()], dim=get_or_create_dimension(told["dimension"]))
    if kind == "objects":
        made = np.empty(len(told["values"]), dtype=object)
        made[:] = [_made(each, arrays) for each in told["values"]]
        return made.reshape(told["shape"])
    if kind == "tuple":
        return tuple(_made(each, arrays) for each in told["values"])
    if kind == "dict":
        return {_made(key, arrays): _made(each, arrays) for key, each in told["items"]}
    if kind == "rule":
        return _rule(told, arrays)
    if kind == "law":
        return LAWS[told["name"]](**_made(told["parameters"], arrays))
    if kind in ("gate", "data"):
        known: Any = GATES if kind == "gate" else _KINDS
        return known[told["name"]](**{name: _made(value, arrays) for name, value in told["fields"].items()})
    if kind == "dummy":
        dummy = DummyClassifier()
        vars(dummy).update({name: _made(value, arrays) for name, value in told["state"].items()})
        return dummy
    raise WrongUse(f"a saved learner holds something of the kind {kind!r}, which this version does not know; take a newer one.")
