"""The name under which scripts know `DiehlCookClassifier` from before; it lies in `plasticity.learners` now."""

from __future__ import annotations

from plasticity.learners import DiehlCookClassifier

__all__ = ["DiehlCookClassifier"]
