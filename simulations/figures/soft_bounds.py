"""The figures of `soft_bounds`: mean and scatter of the weights over the exponent, and how long both starts take to meet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from plasticity.weight_equilibrium import fixed_point
from simulations.figures.kinds import Layer, Page, Panel, bars, line, page, panel, root_x
from simulations.figures.style import BLACK, BLUE, GREEN, GREY, PURPLE, VERMILION, over_seeds

Arrays = Mapping[str, np.ndarray]
Rows = Sequence[Mapping[str, Any]]
REACHED = "starts_within_0.05_after_s"


def equilibrium(a: Arrays, rows: Rows, alpha: float, given: Mapping[float, Sequence[float]]) -> Page:
    """Mean and standard deviation over mu: theory, ours, and what is `given` by NEST for some mu."""
    mu = a["theory"][:, 0]
    fixed = line(mu, [fixed_point(at, alpha) for at in mu], color=PURPLE, linestyle=":", label="fixed point w*")
    shown: list[tuple[str, str, list[Layer]]] = [
        ("mean", "mean weight", [fixed]), ("sd", "standard deviation of the weights", []),
    ]  # fmt: skip
    look = {"color": BLACK, "markerfacecolor": "none", "markersize": 10, "label": "NEST"}
    moments = [
        _over_mu(
            line(mu, a["theory"][:, 1 + place], color=GREY, label="Fokker-Planck equation"),
            *beside,
            bars(a["mu"], a[f"pair_{name}"].T, color=BLUE, linewidth=2),
            line(a["mu"], [row[name] for row in rows], "o", color=BLUE, markersize=5, label="ours"),
            *([line([*given], [both[place] for both in given.values()], "D", **look)] if given else []),
            y=f"{title} (no unit)",
        )
        for place, (name, title, beside) in enumerate(shown)
    ]
    return page(moments, size=(7.4, 3.8), legend=4, caption=f"ours: {over_seeds(a['pair_mean'].shape[1])}")


def settling(a: Arrays, rows: Rows) -> Page:
    """Mean weight over time from either start, for three mu, and when they meet over mu."""
    relaxed = line(a["theory"][:, 0], 3 * a["theory"][:, 3], color=GREY, label="3 times the slowest relaxation (theory)")
    reached = line(a["mu"], [row[REACHED] for row in rows], "o", color=BLUE, label="both starts within 0.05 (ours)")
    return page(
        [_courses(a, rows), _over_mu(relaxed, reached, y="time to the equilibrium (s)", legend="upper right")], size=(7.4, 3.6)
    )


def _over_mu(*layers: Layer, **told: Any) -> Panel:
    """A panel over mu, on a scale of its root: most happens near 0."""
    x = "exponent of the soft bounds, mu (no unit)"
    return panel(*layers, root_x((0, 0.02, 0.1, 0.2, 0.5, 1)), x=x, ylim=(0, None), **told)


def _courses(a: Arrays, rows: Rows) -> Panel:
    """Mean weight over time from either start, for three mu."""
    shown = [k for k, mu in enumerate(a["mu"]) if len(a["mu"]) <= 3 or mu in (0.0, 0.1, 1.0)][:3] or [0]
    layers = [
        line(a["course_s"], a["course"][k], color=colour, linestyle=stroke, label=["_", f"mu = {a['mu'][k]:g}"])
        for k, (colour, stroke) in zip(shown, ((VERMILION, "-"), (BLUE, "--"), (GREEN, "-.")), strict=False)
    ]
    return panel(
        *layers, x="time (s)", y="mean weight, started at 0 and at 1 (no unit)", legend="upper right",
        xlim=(0, max(rows[k]["measured_from_s"] for k in shown)),
    )  # fmt: skip
