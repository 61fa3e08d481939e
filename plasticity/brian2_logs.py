"""Without Brian2's debug log and copy of the script, which it writes for every process, and which a killed one leaves behind.

Nor is a file `brian_preferences` in the working folder read: Brian2 runs what stands in it, and the folder may come from anyone.

In force in the program `plasticity` and in what it starts; in a script of your own Brian2 does as it always does.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

VARIABLE = "PLASTICITY_PROGRAM"  # of the environment: set by the program, seen by all that it starts
_MODULE = "brian2.utils.logger"


def drop() -> None:
    """From here on, in this process and those that it starts."""
    os.environ[VARIABLE] = "1"
    if _MODULE not in sys.modules and not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())


class _Finder(MetaPathFinder):
    """Sets two preferences as soon as Brian2 has them, before it opens the files; the user's preferences can set them back."""

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
            for preference in ("logging.file_log", "logging.save_script"):
                module.prefs[preference] = False
            read = module.prefs.read_preference_file
            module.prefs.read_preference_file = lambda file: None if file == "brian_preferences" else read(file)

        spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec
