"""Under Hebb's rule a weight grows by the same factor in each step, without limit.

A linear unit y = w x (plasticity.networks.rate_units) with the input 1 and the weight 1 at the start: dw = eta y x multiplies the
weight by exactly 1 + eta dt in each step.

Source: Hebb 1949, doi:10.4324/9781410612403.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from brian2 import Hz

from plasticity.networks.rate_units import RateUnits
from plasticity.rules.rate_hebb import rate_hebb
from plasticity.settings import setting
from simulations.frame.checks import Check, near
from simulations.frame.execute import script
from simulations.frame.experiment import Arrays, Experiment, Measure

if TYPE_CHECKING:
    from simulations.figures.kinds import Drawing

HEBB = "Hebb 1949, doi:10.4324/9781410612403"
DT_S = 0.001
STEPS = 500


@dataclass(frozen=True)
class HebbianGrowth(Experiment):
    __doc__ = __doc__

    name: ClassVar[str] = "hebbian_growth"
    summary: ClassVar[str] = "under Hebb's rule a weight grows by the same factor in each step"
    source: ClassVar[str] = HEBB
    default_seeds: ClassVar[int] = 1
    seeded: ClassVar[bool] = False
    compiled: ClassVar[bool] = False
    part_of: ClassVar[str] = "rate_rules"
    uses: ClassVar[tuple[str, ...]] = ("rate_hebb",)
    time_share: ClassVar[float] = 0.01
    time_step: ClassVar[str] = "None to converge: the growth of a weight is counted in steps, by a factor of 1 + eta dt in each."
    measures: ClassVar[tuple[Measure, ...]] = (Measure("hebb_growth", "", "the weight at the end over that at the start"),)

    eta_hebb: float = setting(10.0, "rate of learning of rate_hebb", "1/s", low=1e-3, high=100)

    def run(self, seed: int) -> Arrays:
        """`hebb_weight` (steps,) after each step."""
        unit = RateUnits(rate_hebb(eta=self.eta_hebb * Hz), inputs=1, steps=STEPS)
        found = unit.program(compiled=False).run(seed, {"x": np.ones((STEPS, 1)), "w_0": 1.0})
        return {"hebb_weight": found["w_0"][:, 0]}

    def numbers(self, a: Arrays) -> dict[str, Any]:
        return {"hebb_growth": float(a["hebb_weight"][-1])}

    def checks(self, a: Arrays) -> Iterable[Check]:
        deviation = np.abs(a["hebb_weight"] / (1 + self.eta_hebb * DT_S) ** np.arange(1, STEPS + 1) - 1).max()
        yield near(
            f"Hebb, input 1: largest relative deviation from (1 + eta dt)^n, n up to {STEPS}", 0.0, deviation,
            1e-12,  # rounding of n products, each 1e-16
            kind="closed_form", source=f"dw = eta y x with y = w x, {HEBB}",
        )  # fmt: skip

    def figures(self, a: Arrays) -> Mapping[str, Drawing]:
        """None: the deviation is rounding."""
        return {}


if __name__ == "__main__":
    script(HebbianGrowth.name)
