"""Brain-like plasticity in Brian2: rules, gates, tasks, spiking networks that learn by them.

Submodules are imported when they are first used, so that `import plasticity` costs nothing.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

from plasticity import brian2_logs

if os.environ.get("MPLBACKEND") and "matplotlib" not in sys.modules:
    # a notebook hands its backend on; in an environment without it matplotlib, which Brian2 imports, would not be imported at all
    _backend = os.environ.pop("MPLBACKEND")
    import matplotlib

    try:
        matplotlib.rcParams["backend"] = _backend
    except ValueError:
        pass  # one that does not exist here is forgotten
    else:
        os.environ["MPLBACKEND"] = _backend

brian2_logs.install()

if TYPE_CHECKING:
    from plasticity import (
        datasets,
        encoders,
        engine,
        exchange,
        extensions,
        gates,
        learners,
        networks,
        neurons,
        protocols,
        records,
        rules,
        statistics,
        tasks,
    )
    from plasticity.learners import DiehlCookClassifier, SpikingBrainProp, SpikingClassifier
    from plasticity.saving import load

__version__ = "0.1.0"
__all__ = [
    "DiehlCookClassifier", "SpikingBrainProp", "SpikingClassifier",
    "datasets", "encoders", "engine", "exchange", "extensions", "gates", "learners", "load", "networks", "neurons", "protocols",
    "records", "rules", "statistics", "tasks",
]  # fmt: skip

_WHERE = {
    "DiehlCookClassifier": "plasticity.learners",
    "SpikingBrainProp": "plasticity.learners",
    "SpikingClassifier": "plasticity.learners",
    "load": "plasticity.saving",
}


def __getattr__(name: str) -> Any:
    if name in _WHERE:
        return getattr(import_module(_WHERE[name]), name)
    if name in __all__:
        return import_module(f"plasticity.{name}")
    raise AttributeError(f"module 'plasticity' has no attribute {name!r}; it has {', '.join(__all__)}")


def __dir__() -> list[str]:
    """What can be asked for, imported or not: for completion by the tab key."""
    return sorted({*__all__, "__version__", "__doc__"})
