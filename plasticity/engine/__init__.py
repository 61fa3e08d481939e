"""The engine: a network is compiled once and run many times; its C++ is made faster, its operations are counted."""

from __future__ import annotations

from plasticity.engine.cache import folder as cache_folder
from plasticity.engine.programs import (
    FLAGS,
    Builder,
    Model,
    Program,
    backend,
    canonical,
    compiler,
    placeholders,
    program,
)

__all__ = [
    "FLAGS", "Builder", "Model", "Program", "backend", "cache_folder", "canonical", "compiler", "placeholders", "program",
]  # fmt: skip
