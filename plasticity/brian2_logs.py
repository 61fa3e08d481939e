"""What Brian2 makes of its process on import, and what of that is left out.

Everywhere: an error of this project that ends a script is shown as Python shows any, and is no "unexpected error" of Brian2,
which asks for a report and keeps its debug log and a copy of the script.

In the program `plasticity` and in what it starts: no debug log and no copy of the script at all, which a killed process leaves
behind. Nor is a file `brian_preferences` in the working folder read: Brian2 runs what stands in it, and the folder may come from
anyone. In a script of your own Brian2 does as it always does.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType, TracebackType
from typing import Any

from plasticity.errors import PlasticityError

VARIABLE = "PLASTICITY_PROGRAM"  # of the environment: set by the program, seen by all that it starts
_MODULE = "brian2.utils.logger"


def install() -> None:
    """From here on in this process; where Brian2 was imported before, it has opened its files, and keeps them."""
    if _MODULE in sys.modules:
        _show_own_errors(sys.modules[_MODULE])
    else:
        sys.meta_path.insert(0, _Finder())


def _show_own_errors(logger: ModuleType) -> None:
    """Python's own hook for a PlasticityError, the hook of Brian2 for all else."""
    brian2_hook = logger.brian_excepthook

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        (sys.__excepthook__ if issubclass(kind, PlasticityError) else brian2_hook)(kind, error, trace)

    logger.brian_excepthook = hook  # type: ignore[attr-defined]  # what Brian2 sets at the end of its import
    if sys.excepthook is brian2_hook:
        sys.excepthook = hook


class _Finder(MetaPathFinder):
    """Changes the hook and two preferences before Brian2 opens files; the user's preferences can set those two back."""

    def find_spec(self, name: str, path: Any, target: ModuleType | None = None) -> ModuleSpec | None:
        if name != _MODULE:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec is None or spec.loader is None:
            return spec
        load = spec.loader.exec_module

        def exec_module(module: ModuleType) -> None:
            load(module)
            _show_own_errors(module)
            if VARIABLE not in os.environ:
                return
            for preference in ("logging.file_log", "logging.save_script"):
                module.prefs[preference] = False
            read = module.prefs.read_preference_file
            module.prefs.read_preference_file = lambda file: None if file == "brian_preferences" else read(file)

        spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec
