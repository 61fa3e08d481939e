"""The bridge: spiking plasticity and gradient-trained attention on the same trials. The only package that imports torch."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bridges.comparison import Comparison, ablate, compare
    from bridges.learners import LEARNERS
    from bridges.torch_classifier import TorchClassifier

_WHERE = {"LEARNERS": "learners", "Comparison": "comparison", "TorchClassifier": "torch_classifier"}
_WHERE |= dict.fromkeys(("ablate", "compare"), "comparison")

__all__ = ["LEARNERS", "Comparison", "TorchClassifier", "ablate", "compare"]


def __getattr__(name: str) -> Any:
    if name in _WHERE:
        return getattr(import_module(f"bridges.{_WHERE[name]}"), name)
    raise AttributeError(f"module 'bridges' has no attribute {name!r}; it has {', '.join(__all__)}")


def __dir__() -> list[str]:
    """What can be asked for, imported or not."""
    return sorted({*__all__, "__doc__"})
