"""Pairs of texts, of which one asks for the other."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from plasticity.checked import checked


@checked
@dataclass(frozen=True, eq=False)
class Pairs:
    """Pairs of texts, as words.

    Attributes
    ----------
    sources, targets : tuple of tuples of str
        What is shown, and what it asks for.
    parts : dict from str to (pairs,) int64
        Where the publisher has parts of its own: the numbers of their pairs by name, such as "simple train".
    """

    sources: tuple[tuple[str, ...], ...]
    targets: tuple[tuple[str, ...], ...]
    parts: dict[str, np.ndarray] = field(default_factory=dict)
