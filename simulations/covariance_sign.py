"""Under the covariance rule a weight changes with the sign of its input's correlation with the unit.

A linear rate unit (plasticity.networks.rate_units) whose activity y is imposed, and inputs x of several correlations with it. The
weight changes by eta t (1 - a)^2 2/(2 - a) cov(x, y), with a = 1 - exp(-dt/tau_mean): it has the sign of the correlation and
vanishes for independent inputs. Changes are counted from 10 tau_mean on.

Source: Sejnowski 1977, doi:10.1007/BF00275079.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from brian2 import Hz, second

from plasticity.errors import WrongUse
from plasticity.networks.rate_units import RateUnits
from plasticity.rules.covariance import covariance
from plasticity.settings import setting
from simulations.figures import BLUE
from simulations.figures.kinds import dots, level, moment, panel, theory
from simulations.frame.checks import Check, near, within
from simulations.frame.execute import script
from simulations.frame.experiment import Arrays, Experiment, Measure, Session

if TYPE_CHECKING:
    from simulations.figures.kinds import Drawing

SEJNOWSKI = "Sejnowski 1977, doi:10.1007/BF00275079"
MEAN = f"(1 - a)^2 2/(2 - a) cov(x, y), mean of the rule of {SEJNOWSKI}"
DT_S = 0.001


@dataclass(frozen=True)
class CovarianceSign(Experiment):
    __doc__ = __doc__

    name: ClassVar[str] = "covariance_sign"
    summary: ClassVar[str] = "under the covariance rule a weight changes with the sign of its input's correlation with the unit"
    source: ClassVar[str] = SEJNOWSKI
    compiled: ClassVar[bool] = False
    part_of: ClassVar[str] = "rate_rules"
    uses: ClassVar[tuple[str, ...]] = ("covariance",)
    time_share: ClassVar[float] = 0.05
    time_step: ClassVar[str] = (
        "None to converge: each step shows new random activities, and the rule's closed form is that of steps."
    )
    measures: ClassVar[tuple[Measure, ...]] = (
        Measure("covariance_slope", "", "change of a weight over the correlation of its input, times eta t"),
    )

    correlations: tuple[float, ...] = setting((-0.8, -0.4, 0.0, 0.4, 0.8), "of the inputs with y, for covariance", low=-1, high=1)
    covariance_s: float = setting(10.0, "how long covariance learns", "s", low=1, high=1000)
    tau_mean_s: float = setting(0.1, "time constant of its running means", "s", low=0.002, high=10)

    def refuse(self) -> None:
        if not {0.0} < set(self.correlations):
            raise WrongUse(f"correlations={self.correlations} must hold 0 and others, for example --set correlations=-0.5,0,0.5.")
        if self.covariance_s < 20 * self.tau_mean_s:
            raise WrongUse(f"covariance_s={self.covariance_s:g} must be at least 20 times tau_mean_s={self.tau_mean_s:g}.")

    def times(self) -> tuple[int, int, float]:
        """Steps until changes are counted, steps of a run, and seconds that are counted."""
        settle = round(10 * self.tau_mean_s / DT_S)
        steps = settle * round(self.covariance_s / DT_S / settle)
        return settle, steps, (steps - settle - 1) * DT_S  # the first two samples follow steps 1 and settle + 1

    def collect(self, session: Session) -> dict[str, np.ndarray]:
        """`covariance_change` (seeds, inputs) per second and eta, beside `covariance_share`, the closed form per correlation."""
        rho, seeds, (settle, steps, counted) = np.array(self.correlations), session.seeds, self.times()
        x, y = np.empty((steps, len(seeds), len(rho))), np.empty((steps, len(seeds)))
        for c, seed in enumerate(seeds):
            rng = np.random.default_rng([seed, 1])
            y[:, c] = rng.standard_normal(steps)
            x[:, c] = rho * y[:, c, None] + np.sqrt(1 - rho**2) * rng.standard_normal((steps, len(rho)))
        rule = covariance(eta=1 * Hz, tau_mean=self.tau_mean_s * second)
        units = RateUnits(rule, inputs=len(rho), copies=len(seeds), steps=steps, sample=settle)
        # the means of the activities, 3 and 2, make no difference once the running means have found them
        given = {"x": x.reshape(steps, -1) + 3, "imposed": y + 2, "answering_0": 0.0}
        found = units.program(compiled=False).run(0, given, progress=session.progress)
        settled = found["w_0"].reshape(-1, len(seeds), len(rho))[1]
        change = (found["w_0_end"].reshape(settled.shape) - settled) / counted
        a = 1 - np.exp(-DT_S / self.tau_mean_s)
        return {"correlation": rho, "covariance_change": change, "covariance_share": np.array((1 - a) ** 2 * 2 / (2 - a))}

    def slope(self, a: Arrays) -> float:
        """Change per eta t and correlation, mean over seeds."""
        rho = a["correlation"]
        return float((a["covariance_change"] @ rho / (rho @ rho)).mean())

    def numbers(self, a: Arrays) -> dict[str, Any]:
        return {"covariance_change": a["covariance_change"].mean(axis=0).tolist(), "covariance_slope": self.slope(a)}

    def checks(self, a: Arrays) -> Iterable[Check]:
        rho, change = a["correlation"], a["covariance_change"]
        wrong = (np.sign(change) != np.sign(rho))[:, rho != 0].sum()
        yield near("covariance: changes without the sign of the correlation", 0, wrong, 0, kind="closed_form", source=MEAN)
        independent = change[:, rho == 0].ravel()
        mean, error = independent.mean(), np.nan
        if len(independent) > 1:
            error = independent.std(ddof=1) / np.sqrt(len(independent))
        yield within(
            "covariance: mean change of independent inputs", abs(mean), high=3 * error, kind="closed_form", source=MEAN,
            published="0 within 3 standard errors over seeds", told=f"{mean:+.5f}, standard error {error:.5f}",
            tolerance="3 standard errors",
        )  # fmt: skip
        # of one seed the slope has the standard error 1/sqrt(steps sum rho^2); 4 of the mean over seeds
        tolerance = 4 / np.sqrt(self.times()[2] / DT_S * (rho @ rho) * len(change))
        what = "covariance: change per eta t and correlation"
        yield near(what, float(a["covariance_share"]), self.slope(a), float(tolerance), kind="closed_form", source=MEAN)

    def figures(self, a: Arrays) -> Mapping[str, Drawing]:
        rho = a["correlation"]
        ends = np.array([rho.min(), rho.max()])
        return {
            "covariance": panel(
                level(0), moment(0), theory(ends, float(a["covariance_share"]) * ends, color=BLUE),
                dots(rho, a["covariance_change"], label="mean and 95 % interval"), title="Covariance rule",
                x="correlation of input and unit", y="change of the weight / ($\\eta\\,t$) (no unit)", legend="lower right",
                size=(4.6, 3.5),
            )
        }  # fmt: skip


if __name__ == "__main__":
    script(CovarianceSign.name)
