"""Rules, tasks, learners and the like from outside: from somebody's own file, or from an installed package.

    plasticity compare my_task --with my_things.py         a file, for one command
    [project.entry-points.plasticity]                      an installed package, for every command
    mine = "my_package.things"

Whatever such a module defines of a kind that has a registry (a `Rule`, a subclass of `Gate`, `Task`, `Learner`, `Model`,
`Experiment`, ...) is known by its name from then on, in this process and in those that it starts.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import importlib.util
import json
import os
import sys
from collections.abc import Iterable, Mapping
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from plasticity.checked import checked
from plasticity.errors import PlasticityError, WrongUse

GROUP = "plasticity"
VARIABLE = "PLASTICITY_WITH"  # the files, as a JSON list, for processes that this one starts
PACKAGES = ("plasticity", "bridges", "simulations")  # of this project


@checked
def add(files: Iterable[str | Path]) -> None:
    """Know what these files define, here and in the processes that are started from here.

    Raises
    ------
    WrongUse
        No such file, its name is that of another module, or it defines nothing of a kind that has a registry.
    PlasticityError
        The file does not run.
    """
    for given in files:
        if not isinstance(given, (str, os.PathLike)):
            raise WrongUse(f"files={given!r} must be the paths of Python files, like ['my_rule.py'].")
        path = Path(given).expanduser().absolute()
        if path.suffix != ".py" or not path.is_file():
            raise WrongUse(f"--with {given}: there is no such Python file; give the path of a file like my_rule.py.")
        module = _load(path)
        if not any(_is_own(value, module) for value in vars(module).values()):
            raise WrongUse(
                f"--with {path}: the file defines nothing that this program knows; derive a class from Gate, Task, Learner, Model"
                " or Experiment in it, or make a Rule, Neuron, Encoder or DataSet."
            )
        known = _files()
        if path not in known:
            os.environ[VARIABLE] = json.dumps([*map(str, known), str(path)])


def modules() -> list[ModuleType]:
    """All modules from outside: of installed packages, then of files, in the order in which they were given."""
    return [*_installed(), *(_load(path) for path in _files())]


def files() -> tuple[str, ...]:
    """The files that were added, for a job that goes to another machine."""
    return tuple(map(str, _files()))


def told() -> dict[str, dict[str, str]]:
    """What a configuration says of the files: {"with": {name: SHA-256 as it was read}}; nothing where there are none."""
    found = {path.name: _sha256(path) for path in _files()}
    return {"with": found} if found else {}


@checked
def changed(configuration: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """Which files of a run are not known now, and which are known but not as they were."""
    now, then = told().get("with", {}), configuration.get("with", {})
    return [name for name in then if name not in now], [name for name in then if name in now and now[name] != then[name]]


@functools.cache
def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _files() -> list[Path]:
    told = os.environ.get(VARIABLE) or "[]"
    try:
        paths = json.loads(told)
    except ValueError:
        paths = None
    if not (isinstance(paths, list) and all(isinstance(path, str) and Path(path).is_absolute() for path in paths)):
        raise WrongUse(f'{VARIABLE}={told!r} is no JSON list of absolute paths, like ["/home/me/rule.py"]; use --with.')
    return [Path(path) for path in paths]


def _is_own(value: Any, module: ModuleType) -> bool:
    """Whether this is a class of the module's own that is derived from one of ours, or an object of ours."""
    kind = value if isinstance(value, type) else type(value)
    ours = any(base.__module__.partition(".")[0] in PACKAGES for base in kind.__mro__)
    return ours and (kind is not value or kind.__module__ == module.__name__)


@functools.cache
def _load(path: Path) -> ModuleType:
    name, folder = path.stem, str(path.parent)
    there = sys.modules.get(name)
    if there is not None and getattr(there, "__file__", None) == str(path):
        return there
    if not name.isidentifier():
        raise WrongUse(f"--with {path}: {path.name} cannot be imported; give it a name of letters, digits and _.")
    if folder not in sys.path:
        sys.path.append(folder)  # other processes import what they are sent by this name
    found = None if there is not None else importlib.util.find_spec(name)
    if found is None or found.origin is None or Path(found.origin).absolute() != path:
        raise WrongUse(f"--with {path}: another module is called {name} too; give the file another name.")
    _sha256(path)  # as it is read now
    try:
        return import_module(name)
    except PlasticityError:
        raise
    except SystemExit:
        raise PlasticityError(
            f"--with {path}: the file ends the program; put what only a script does under if __name__ == '__main__'."
        ) from None
    except Exception as error:
        sys.modules.pop(name, None)
        raise PlasticityError(f"--with {path}: the file does not run ({type(error).__name__}: {error}).") from error


@functools.cache
def _installed() -> tuple[ModuleType, ...]:
    found = []
    for entry in importlib.metadata.entry_points(group=GROUP):
        try:
            loaded = entry.load()
        except Exception as error:
            raise PlasticityError(
                f"the installed extension {entry.name} ({entry.value}) does not load ({type(error).__name__}: {error});"
                " mend or uninstall it."
            ) from error
        found.append(loaded if isinstance(loaded, ModuleType) else import_module(loaded.__module__))
    return tuple(found)
