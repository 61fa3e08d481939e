"""Under the BCM rule a unit comes to answer to one of its patterns and to no other.

A linear unit (plasticity.networks.rate_units) and K independent patterns, equally often: it answers to one of them, with y = K,
and to no other: selectivity 1 - mean/max = 1 - 1/K. The patterns have length 1: each has one input of its own, and on top random
activity up to `overlap` on all. They are shown in blocks of K, each pattern once in random order. The threshold remembers in part
the very response that it is compared with, so that the response settles a share of (K - 1) (dt/tau_theta)/2 below K: 0.75 % for
4 patterns.

Sources: Bienenstock, Cooper & Munro 1982, doi:10.1523/JNEUROSCI.02-01-00032.1982; Intrator & Cooper 1992,
doi:10.1016/S0893-6080(05)80003-6.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from brian2 import Hz, second

from plasticity.errors import WrongUse
from plasticity.networks.rate_units import RateUnits
from plasticity.rules.bcm import bcm
from plasticity.settings import setting
from simulations.figures import BLUE, GREY, VERMILION, over_seeds
from simulations.figures.kinds import Layer, dots, level, line, page, panel
from simulations.frame.checks import Check, near
from simulations.frame.execute import script
from simulations.frame.experiment import Arrays, Experiment, Measure, Session

if TYPE_CHECKING:
    from simulations.figures.kinds import Drawing, Panel

BCM = "Bienenstock, Cooper & Munro 1982, doi:10.1523/JNEUROSCI.02-01-00032.1982"
FIXED = f"fixed point y = theta = <y^2> = y^2/K of the rule of {BCM}"
DT_S = 0.001
WINDOWS = 100  # over which responses are averaged


def of_most_patterns(numbers: Mapping[str, Any]) -> Mapping[str, Any]:
    """Response and selectivity of the unit that saw the most patterns."""
    return numbers[max((name for name in numbers if name.startswith("bcm_")), key=lambda name: int(name.removeprefix("bcm_")))]


@dataclass(frozen=True)
class BcmSelectivity(Experiment):
    __doc__ = __doc__

    name: ClassVar[str] = "bcm_selectivity"
    summary: ClassVar[str] = "under the BCM rule a unit comes to answer to one of its patterns and to no other"
    source: ClassVar[str] = BCM
    compiled: ClassVar[bool] = False
    part_of: ClassVar[str] = "rate_rules"
    uses: ClassVar[tuple[str, ...]] = ("bcm",)
    time_share: ClassVar[float] = 0.5
    time_step: ClassVar[str] = (
        "None to converge: each step shows one pattern; the module says what a threshold of so many steps moves."
    )
    measures: ClassVar[tuple[Measure, ...]] = (
        Measure(
            "response",
            "",
            "rate of a unit to its best pattern, of the most patterns",
            lambda numbers: of_most_patterns(numbers)["response"],
        ),
        Measure(
            "selectivity",
            "",
            "selectivity there: 1 - mean response / largest",
            lambda numbers: of_most_patterns(numbers)["selectivity"],
        ),
    )

    patterns: tuple[int, ...] = setting((2, 4, 6), "how many patterns bcm sees", low=2, high=20)
    overlap: float = setting(0.3, "largest activity of an input that is not a pattern's own", low=0, high=1)
    eta_bcm: float = setting(2.0, "rate of learning of bcm", "1/s", low=1e-3, high=10)
    tau_theta_s: float = setting(0.2, "time constant of its threshold", "s", low=0.002, high=10)
    bcm_s: float = setting(30.0, "how long bcm learns", "s", low=1, high=1000)

    def refuse(self) -> None:
        if not self.patterns:
            raise WrongUse(f"patterns={self.patterns} must hold at least one number, for example --set patterns=4.")
        if self.eta_bcm * self.tau_theta_s >= 1:
            raise WrongUse(
                f"eta_bcm*tau_theta_s={self.eta_bcm * self.tau_theta_s:g} must be below 1, or responses oscillate; lower one."
            )

    def collect(self, session: Session) -> dict[str, np.ndarray]:
        """Mean response in each window to each pattern, (windows, numbers of patterns, seeds, patterns), nan where it was not
        shown; and those of the last window, the largest first."""
        steps, most = round(self.bcm_s / DT_S), max(self.patterns)
        n, copies = most + 2, [(K, seed) for K in self.patterns for seed in session.seeds]
        x, start = np.empty((steps, len(copies), n)), np.empty((len(copies), n))
        shown = np.empty((steps, len(copies)), dtype=int)
        for c, (K, seed) in enumerate(copies):
            rng = np.random.default_rng([seed, 5, K])
            pattern = np.eye(K, n) + self.overlap * rng.random((K, n))
            pattern /= np.linalg.norm(pattern, axis=1)[:, None]
            shown[:, c] = rng.permuted(np.tile(np.arange(K), (steps // K + 1, 1)), axis=1).ravel()[:steps]
            x[:, c] = pattern[shown[:, c]]
            start[c] = rng.uniform(0, 0.5, n)
        rule = bcm(eta=self.eta_bcm * Hz, tau_theta=self.tau_theta_s * second)
        units = RateUnits(rule, n, copies=len(copies), steps=steps, sample=steps)
        given = {"x": x.reshape(steps, -1), "w_0": start.ravel()}
        y = units.program(compiled=False).run(0, given, progress=session.progress)["y_0"]
        windows = np.array_split(np.arange(steps), WINDOWS)
        response = np.full((len(windows), len(copies), most), np.nan)
        for t, window in enumerate(windows):
            for k in range(most):
                here = shown[window] == k
                seen = here.sum(axis=0)
                response[t, :, k] = np.where(seen > 0, (y[window] * here).sum(axis=0) / np.maximum(seen, 1), np.nan)
        final = np.sort(np.nan_to_num(response[-1], nan=-np.inf), axis=1)[:, ::-1]
        shape = (len(self.patterns), len(session.seeds), most)
        return {
            "bcm_time_s": np.array([(window[0] + window[-1] + 1) / 2 * DT_S for window in windows]),
            "bcm_response": response.reshape(len(windows), *shape),
            "bcm_final": np.where(np.isfinite(final), final, np.nan).reshape(shape),
        }

    def selectivities(self, a: Arrays) -> Iterable[tuple[int, np.ndarray, np.ndarray, float]]:
        """For each K the response to the chosen pattern (seeds,) and to the others (seeds, K - 1), and the mean selectivity."""
        for K, values in zip(self.patterns, a["bcm_final"], strict=True):
            best = values[:, 0]
            yield K, best, values[:, 1:K], float((1 - values[:, :K].mean(axis=1) / best).mean())

    def numbers(self, a: Arrays) -> dict[str, Any]:
        return {f"bcm_{K}": {"response": float(best.mean()), "selectivity": s} for K, best, _, s in self.selectivities(a)}

    def checks(self, a: Arrays) -> Iterable[Check]:
        for K, best, others, selectivity in self.selectivities(a):
            furthest = best[np.abs(best - K).argmax()]
            what = f"BCM, {K} patterns"
            yield near(
                f"{what}: response to the chosen one, furthest over seeds",
                K,
                furthest,
                0.05 * K,
                kind="closed_form",
                source=FIXED,
            )
            yield near(
                f"{what}: largest response to another", 0.0, np.abs(others).max(), 0.05 * K, kind="closed_form", source=FIXED
            )
            # both responses within 5 % leave the selectivity within 2 % (K = 2) or less
            yield near(f"{what}: selectivity 1 - mean/max", 1 - 1 / K, selectivity, 0.02, kind="paper", source=BCM)

    def figures(self, a: Arrays) -> Mapping[str, Drawing]:
        seeds = a["bcm_response"].shape[2]
        drawn = [self._over_time(a), self._at_the_end(a)]
        return {"selectivity": page(drawn, size=(7.6, 3.5), caption=f"right: {over_seeds(seeds)}")}

    def _over_time(self, a: Arrays) -> Panel:
        """Responses to each of 4 patterns, or of as many as there are."""
        which = self.patterns.index(4) if 4 in self.patterns else len(self.patterns) - 1
        K, time, response = self.patterns[which], a["bcm_time_s"], a["bcm_response"][:, which]
        layers: list[Layer] = []
        for seed in range(response.shape[1]):
            chosen = int(np.nanargmax(response[-1, seed]))
            for k in range(K):
                look = {"color": VERMILION, "linestyle": "-"} if k == chosen else {"color": BLUE, "linestyle": "--"}
                words = ("the chosen pattern" if k == chosen else "the others") if k in (chosen, chosen == 0) else None
                layers.append(line(time, response[:, seed, k], linewidth=0.7, label=None if seed else words, **look))
        layers += [level(value, zorder=0) for value in (0, K)]
        title = f"BCM: {K} patterns, all seeds"
        return panel(*layers, x="time (s)", y="response y (no unit)", title=title, legend="best")

    def _at_the_end(self, a: Arrays) -> Panel:
        """Responses at the end against how many patterns there are."""
        ends = [0, max(self.patterns) + 0.5]
        layers = [line(ends, ends, color=GREY, linewidth=0.8, label="y = K and y = 0"), level(0)]
        for K, row in zip(self.patterns, a["bcm_final"], strict=True):
            others = row[:, 1:K].mean(axis=1, keepdims=True)
            first = K == self.patterns[0]
            layers.append(dots([K], row[:, :1], label="the chosen pattern" if first else None))
            layers.append(dots([K], others, fmt="s", color=BLUE, label="mean of the others" if first else None))
        return panel(
            *layers, x="number of patterns K", y="response at the end (no unit)", title="BCM: selectivity",
            xticks=list(self.patterns), legend="best",
        )  # fmt: skip


if __name__ == "__main__":
    script(BcmSelectivity.name)
