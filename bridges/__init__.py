"""The bridge: spiking plasticity and gradient-trained attention on the same trials. The only package that imports torch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bridges.comparison import LEARNERS, Comparison, compare
    from bridges.learner import TorchClassifier

__all__ = ["LEARNERS", "Comparison", "TorchClassifier", "compare"]


def __getattr__(name: str) -> Any:
    if name == "TorchClassifier":
        from bridges.learner import TorchClassifier

        return TorchClassifier
    if name in __all__:
        from bridges import comparison

        return getattr(comparison, name)
    raise AttributeError(f"module 'bridges' has no attribute {name!r}; it has {', '.join(__all__)}")
