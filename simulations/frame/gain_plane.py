"""Rows of `attention_map`: what is said of each condition, and of how many of them a theory has the sign."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from plasticity.statistics import paired_difference, same_signs, scale_to

Row = Mapping[str, Any]


class Point(NamedTuple):
    """One condition."""

    rule: str
    tau_c_ms: float
    dt_ms: float
    gain: float
    fluctuation: float


def told(a: np.ndarray, b: np.ndarray | float = 0.0) -> dict[str, float]:
    """The mean of a - b over seeds with its interval."""
    d = paired_difference(a, np.broadcast_to(b, a.shape))
    return {"mean": d.mean, "low": d.low, "high": d.high}


def rows(points: Sequence[Point], a: Mapping[str, np.ndarray], theory: np.ndarray) -> list[Row]:
    """A row for each point, of the arrays (points, seeds, ...) and what a theory says of its weights (points, 2).

    Intervals are 95 % over seeds, each for itself. `attended` and `ignored` are changes from the mean weight at gain and
    fluctuation 1.
    """
    at = {point: k for k, point in enumerate(points)}
    found: list[Row] = []
    for k, (point, w, said) in enumerate(zip(points, a["weights"], theory, strict=True)):
        rest = a["weights"][at[point._replace(gain=1.0, fluctuation=1.0)]].mean(axis=-1)
        noise = a["noise"][k].mean(axis=0).tolist()
        found.append({
            **point._asdict(), "noise_correlation": noise[0], "noise_correlation_ignored": noise[1],
            "attended": told(w[:, 0], rest), "ignored": told(w[:, 1], rest), "difference": told(w[:, 0], w[:, 1]),
            "weights": w.mean(axis=0).tolist(),
            "theory": {"attended": float(said[0]), "ignored": float(said[1]), "difference": float(said[0] - said[1])},
            "output_hz": told(a["output_hz"][k]),
        })  # fmt: skip
    return found


def signs(plane: Sequence[Row]) -> dict[str, Any]:
    """Of the rows whose interval leaves out 0: how many, and how many have the sign of the theory and of the noise correlation.

    Each with the p of a sign test (one-sided); and by which factor the differences are larger than those of the theory. `won` is
    in how many the attended synapses end above the ignored ones; in `rising` of these they rise, in `falling` the ignored fall.
    """
    own = [row for row in plane if row["difference"]["low"] > 0 or row["difference"]["high"] < 0]
    d = np.array([row["difference"]["mean"] for row in own])
    said = np.array([row["theory"]["difference"] for row in own])
    noise = [row["noise_correlation"] - row["noise_correlation_ignored"] for row in own]
    same, law = (same_signs(d, other) if own else (0, 0, 1.0) for other in (said, noise))
    won = [row for row in own if row["difference"]["mean"] > 0]
    size = scale_to(said, d)[0] if len(own) > 1 else np.nan
    return {
        "decided": len(own), "theory": same[0], "theory_p": same[2], "noise_correlation": law[0], "noise_correlation_p": law[2],
        "simulated_over_theory": size, "won": len(won), "rising": sum(row["attended"]["low"] > 0 for row in won),
        "falling": sum(row["ignored"]["high"] < 0 for row in won),
    }  # fmt: skip
