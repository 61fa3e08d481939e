"""Figures, drawn from records alone: style, kinds of figures for experiments, the figures of a comparison."""

from __future__ import annotations

from simulations.figures.kinds import draw_all
from simulations.figures.style import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    SKY,
    VERMILION,
    YELLOW,
    caption,
    legend,
    look,
    new,
    over_seeds,
    save,
    style,
)  # fmt: skip

__all__ = [
    "BLACK", "BLUE", "GREEN", "GREY", "ORANGE", "PURPLE", "SKY", "VERMILION", "YELLOW", "caption", "draw_all", "legend", "look",
    "new", "over_seeds", "save", "style",
]  # fmt: skip
