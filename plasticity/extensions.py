"""Rules, tasks, learners and the like from outside: from somebody's own file, or from an installed package.

    plasticity compare my_task --with my_things.py         a file, for one command
    [project.entry-points.plasticity]                      an installed package, for every command
    mine = "my_package.things"

Whatever such a module defines of a kind that has a registry (a `Rule`, a subclass of `Gate`, `Task`, `Learner`, `Model`,
`Experiment`, ...) is known by its name from then on, in this process and in those that it starts.
"""

from __future__ import annotations

import functools
import importlib.metadata
import importlib.util
import os
import sys
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from types import ModuleType

from plasticity.errors import PlasticityError, WrongUse

GROUP = "plasticity"
VARIABLE = "PLASTICITY_WITH"  # the files, for processes that this one starts


def add(files: Iterable[str | Path]) -> None:
    """Know what these files define, here and in the processes that are started from here.

    Raises
    ------
    WrongUse
        No such file, or its name is that of another module.
    PlasticityError
        The file does not run.
    """
    for given in files:
        path = Path(given).expanduser().absolute()
        if path.suffix != ".py" or not path.is_file():
            raise WrongUse(f"--with {given}: there is no such Python file; give the path of a file like my_rule.py.")
        _load(path)
        known = _files()
        if path not in known:
            os.environ[VARIABLE] = os.pathsep.join(map(str, [*known, path]))


def modules() -> list[ModuleType]:
    """All modules from outside: of installed packages, then of files, in the order in which they were given."""
    return [*_installed(), *(_load(path) for path in _files())]


def files() -> tuple[str, ...]:
    """The files that were added, for a job that goes to another machine."""
    return tuple(map(str, _files()))


def _files() -> list[Path]:
    return [Path(path) for path in os.environ.get(VARIABLE, "").split(os.pathsep) if path]


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
    try:
        return import_module(name)
    except PlasticityError:
        raise
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
