"""Comparing learners: `compare` runs them on the same trials, `ablate` one of them without its parts; of both a `Comparison`.

It is called `comparison` and not `compare`, for `bridges.compare` is the function.
"""

from __future__ import annotations

from bridges.comparison.ablation import ablate
from bridges.comparison.result import Comparison, read_configuration, record_name
from bridges.comparison.run import Interrupted, compare

__all__ = ["Comparison", "Interrupted", "ablate", "compare", "read_configuration", "record_name"]
