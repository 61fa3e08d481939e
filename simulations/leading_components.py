"""Sanger's rule, which is Oja's on a chain of units: each unit goes to the component of its own number.

Units in a chain, each of which learns from what those before have left over (plasticity.networks.rate_units), on inputs of the
covariance diag(spectrum), turned by a random rotation of each seed: unit k goes to component k, in the order of the variances.

Source: Sanger 1989, doi:10.1016/0893-6080(89)90044-0.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import cycle
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from brian2 import Hz

from plasticity.errors import WrongUse
from plasticity.networks.rate_units import RateUnits
from plasticity.rules.oja import oja
from plasticity.settings import setting
from simulations.figures import BLUE, GREEN, GREY, ORANGE, PURPLE, VERMILION
from simulations.figures.kinds import line, panel
from simulations.first_component import check_spectrum, turned
from simulations.frame.checks import Check, every_seed, near
from simulations.frame.execute import script
from simulations.frame.experiment import Arrays, Experiment, Measure, Session

if TYPE_CHECKING:
    from simulations.figures.kinds import Drawing

SANGER = "Sanger 1989, doi:10.1016/0893-6080(89)90044-0"


@dataclass(frozen=True)
class LeadingComponents(Experiment):
    __doc__ = __doc__

    name: ClassVar[str] = "leading_components"
    summary: ClassVar[str] = "under Sanger's rule each unit of a chain goes to the component of its own number"
    source: ClassVar[str] = SANGER
    compiled: ClassVar[bool] = False
    part_of: ClassVar[str] = "rate_rules"
    uses: ClassVar[tuple[str, ...]] = ("oja",)
    time_share: ClassVar[float] = 0.34
    time_step: ClassVar[str] = "None to converge: each step shows a new random input."
    measures: ClassVar[tuple[Measure, ...]] = (
        Measure(
            "worst_cosine",
            "",
            "smallest cosine of a unit's weights with its own component",
            lambda numbers: min(numbers["sanger_cosine"]),
        ),
    )

    spectrum: tuple[float, ...] = setting(
        (1.0, 0.6, 0.36, 0.2, 0.1, 0.05), "variances of the inputs' components, falling, for oja", low=1e-3, high=10
    )
    components: int = setting(3, "units in the chain of Sanger's rule", low=2, high=20)
    eta_chain: float = setting(2.0, "rate of learning of oja in the chain of units", "1/s", low=1e-3, high=10)
    oja_s: float = setting(30.0, "how long oja learns", "s", low=1, high=1000)

    def refuse(self) -> None:
        check_spectrum(self.spectrum)
        if self.components >= len(self.spectrum):
            raise WrongUse(
                f"components={self.components} needs a longer spectrum than {len(self.spectrum)} values, or set components="
                f"{len(self.spectrum) - 1}."
            )

    def collect(self, session: Session) -> dict[str, np.ndarray]:
        """Weights at the end and the components of the units' numbers, (seeds, units, inputs); which component, counted from 0,
        each unit is nearest to, (seeds, units)."""
        x, axes = turned(self.spectrum, self.oja_s, session.seeds, 3)
        (steps, seeds, n), many = x.shape, self.components
        start = np.stack([np.random.default_rng([seed, 4]).normal(0, 0.3, (many, n)) for seed in session.seeds], axis=1)
        chain = RateUnits(oja(eta=self.eta_chain * Hz), n, units=many, copies=seeds, steps=steps, sample=steps)
        given = {"x": x.reshape(steps, -1)} | {f"w_{k}": start[k].ravel() for k in range(many)}
        found = chain.program(compiled=False).run(0, given, progress=session.progress)
        w = np.stack([found[f"w_{k}_end"].reshape(seeds, n) for k in range(many)], axis=1)
        along = np.einsum("sui,ski->suk", w, axes)
        own = np.einsum("sui,sui->su", w, axes[:, :many])
        nearest = np.abs(along).argmax(axis=2)
        return {"sanger_weights": w * np.sign(own)[..., None], "sanger_axes": axes[:, :many], "sanger_nearest": nearest}

    def lengths(self, a: Arrays) -> tuple[np.ndarray, np.ndarray]:
        """Length of each unit's weights, and |cos| of their angle to its component, (seeds, units)."""
        length = np.linalg.norm(a["sanger_weights"], axis=2)
        return length, np.einsum("sui,sui->su", a["sanger_weights"], a["sanger_axes"]) / length

    def numbers(self, a: Arrays) -> dict[str, Any]:
        return {"sanger_cosine": self.lengths(a)[1].min(axis=0).tolist()}

    def checks(self, a: Arrays) -> Iterable[Check]:
        length, cosine = self.lengths(a)
        wrong = (a["sanger_nearest"] != np.arange(self.components)).sum()
        yield near("Sanger: units that are not at the component of their own number", 0, wrong, 0, kind="paper", source=SANGER)
        yield every_seed(
            f"Sanger: smallest |cos| of {self.components} units to their components over seeds", cosine > 0.99, kind="paper",
            source=SANGER, published="above 0.99", told=f"{cosine.min():.5f}",
        )  # fmt: skip
        furthest = length.ravel()[np.abs(length - 1).argmax()]
        yield near("Sanger: length of the weights furthest from 1", 1.0, furthest, 0.02, kind="paper", source=SANGER)

    def figures(self, a: Arrays) -> Mapping[str, Drawing]:
        looks = zip(cycle((BLUE, VERMILION, GREEN, PURPLE, ORANGE)), cycle("os^Dv"), strict=False)
        units = []
        for (colour, marker), k in zip(looks, range(self.components), strict=False):
            look = {"color": colour, "markersize": 3.5, "fillstyle": "none", "linestyle": "none", "label": f"unit {k + 1}"}
            units.append(line(a["sanger_axes"][:, k].ravel(), a["sanger_weights"][:, k].ravel(), marker, **look))
        return {
            "components": panel(
                line([-1, 1], [-1, 1], color=GREY, linewidth=0.8), *units, x="component of the unit's number (length 1)",
                y="weight at the end (no unit)", title="Sanger: weights, all inputs and seeds", legend="best", size=(3.8, 3.5),
            )
        }  # fmt: skip


if __name__ == "__main__":
    script(LeadingComponents.name)
