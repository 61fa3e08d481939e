"""The name under which scripts know `TorchClassifier` from before; it lies in `bridges.torch_classifier` now."""

from __future__ import annotations

from bridges.torch_classifier import TorchClassifier

__all__ = ["TorchClassifier"]
