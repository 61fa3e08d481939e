"""Intrinsic plasticity makes the output of a sigmoid exponential, as far as a sigmoid can be.

A sigmoid y = 1/(1 + exp(-(a x + b))) adapts a and b by gradient descent on the distance of its output's distribution from the
exponential of mean mu (the units: plasticity.networks.intrinsic). The distribution is held against that exponential by
Kolmogorov and Smirnov's distance (KS). How near it can come depends on the inputs, as a sigmoid has two parameters only: for
uniform inputs no a and b whatsoever bring KS below 0.068 at mu = 0.1 (`best_possible`; every affine change of the inputs is
undone by a and b, so that this holds for uniform inputs of any range). The rule descends a different distance
(Kullback-Leibler), and its resting point follows by quadrature (`least_divergence`): KS 0.034 and a mean output of 0.103 for
normal inputs, 0.074 and 0.099 for uniform ones. The simulation is held to these. The paper says that the output becomes
approximately exponential, and not how nearly.

Source: Triesch 2005, doi:10.1007/11550822_11.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from brian2 import second
from scipy.optimize import minimize
from scipy.special import expit
from scipy.stats import norm

from plasticity.networks.intrinsic import INPUTS, Intrinsic
from plasticity.settings import setting
from plasticity.statistics import over_seeds
from simulations.figures import BLUE, ORANGE
from simulations.figures.kinds import page, panel, small_title, steps, theory
from simulations.frame.checks import Check, every_seed, near
from simulations.frame.execute import script
from simulations.frame.experiment import Arrays, Experiment, Measure, Session

if TYPE_CHECKING:
    from simulations.figures.kinds import Drawing, Panel

TRIESCH = "Triesch 2005, doi:10.1007/11550822_11"


REST = f"a sigmoid of the least divergence from the exponential, where the rule of {TRIESCH} rests"


@dataclass(frozen=True)
class ExponentialOutput(Experiment):
    __doc__ = __doc__

    name: ClassVar[str] = "exponential_output"
    summary: ClassVar[str] = "intrinsic plasticity makes the output of a sigmoid exponential, as far as a sigmoid can be"
    source: ClassVar[str] = TRIESCH
    part_of: ClassVar[str] = "homeostasis"
    uses: ClassVar[tuple[str, ...]] = ("intrinsic_rate",)
    time_share: ClassVar[float] = 0.2
    time_step: ClassVar[str] = "None to converge: an input lasts one step, and units of rates answer to it at once."
    measures: ClassVar[tuple[Measure, ...]] = tuple(
        Measure(f"{key}_{kind}", "", meaning.format(kind), ("intrinsic", kind, key))
        for kind in ("normal", "uniform")
        for key, meaning in (
            ("ks", "distance of the output from an exponential (Kolmogorov-Smirnov), {} input"),
            ("ks_before", "the same before it adapts"),
            ("mean", "mean output, {} input"),
        )
    )

    mu: float = setting(0.1, "mean output that intrinsic plasticity aims at", low=0.01, high=0.5)
    eta: float = setting(1.0, "its rate of adaptation; an input lasts 1 ms", "per s", low=0.01, high=20)
    adapt_s: int = setting(400, "how long it adapts; the last quarter counts", "s", low=4, high=2000)

    def run(self, seed: int) -> Arrays:
        """For each kind of input the outputs of the last quarter in their order, their KS and mean, and a and b every second (2,
        seconds, kinds); ending in _off, outputs and KS without adaptation."""
        program, quarter, arrays = Intrinsic().program(), max(self.adapt_s // 4, 1), {}
        for ending, eta, time in (("", self.eta, self.adapt_s), ("_off", 0.0, quarter)):
            found = program.run(seed, {"eta": eta, "mu": self.mu, "a": 1.0, "b": 0.0}, duration=time * second)
            y = np.sort(found["y"][-quarter * 1000 :], axis=0)
            arrays[f"y{ending}"] = y
            arrays[f"ks{ending}"] = np.array([ks(column, self.mu) for column in y.T])
            if not ending:
                arrays["mean_output"] = np.array([column.mean() for column in y.T])
                arrays["path"] = np.stack([found["a"][::1000], found["b"][::1000]])
        return arrays

    def collect(self, session: Session) -> dict[str, np.ndarray]:
        """Those of all seeds; of the outputs, 20,000 quantiles of all seeds together, (quantiles, kinds)."""
        arrays = super().collect(session)
        share = (np.arange(20_000) + 0.5) / 20_000
        return arrays | {name: np.quantile(arrays[name], share, axis=(0, 1)) for name in ("y", "y_off")}

    def numbers(self, a: Arrays) -> dict[str, Any]:
        told = {}
        for k, kind in enumerate(INPUTS):
            told[kind] = {
                "ks": over_seeds(a["ks"][:, k]),
                "ks_before": over_seeds(a["ks_off"][:, k]),
                "ks_best_possible": best_possible(kind, self.mu),
                "mean": over_seeds(a["mean_output"][:, k]),
                "a": over_seeds(a["path"][:, 0, -1, k]),
                "b": over_seeds(a["path"][:, 1, -1, k]),
            }
        return {"intrinsic": told}

    def checks(self, a: Arrays) -> Iterable[Check]:
        outputs = 1000 * max(self.adapt_s // 4, 1)  # of a seed, from which its distribution is taken
        for k, kind in enumerate(INPUTS):
            what, found = f"intrinsic plasticity, {kind} inputs", a["ks"][:, k]
            distance, mean = least_divergence(kind, self.mu)
            yield every_seed(
                f"{what}: the output comes nearer to the exponential, KS distance", found < a["ks_off"][:, k], kind="paper",
                published="below that without adaptation", source=f"approximately exponential: {TRIESCH}",
                told=f"largest {found.max():.3f}; without {a['ks_off'][:, k].min():.3f} or more",
            )  # fmt: skip
            yield near(
                f"{what}: KS distance from the exponential, furthest of all seeds", distance,
                found[np.abs(found - distance).argmax()],
                1.63 / float(np.sqrt(outputs)),  # beyond which KS of so many outputs comes to lie by chance in 1 % of cases
                kind="closed_form", source=REST,
            )  # fmt: skip
            error = self.mu / float(np.sqrt(outputs * len(found)))  # an exponential scatters by its mean
            ours = a["mean_output"][:, k].mean()
            yield near(f"{what}: mean output", mean, ours, 4 * error, kind="closed_form", source=REST)

    def figures(self, a: Arrays) -> Mapping[str, Drawing]:
        panels = [self._distribution(kind, a["y"][:, k], a["y_off"][:, k], k == 0) for k, kind in enumerate(INPUTS)]
        look = {"loc": "outside upper center"}
        return {"intrinsic": page(panels, size=(7.0, 3.4), legend=3, legend_look=look, sharey=True)}

    def _distribution(self, kind: str, after: np.ndarray, before: np.ndarray, first: bool) -> Panel:
        """The output before and after adaptation beside the exponential; KS is that of what is drawn, of all seeds together."""
        edges, grid, mu = np.linspace(0, 1, 41), np.linspace(0, 1, 201), self.mu
        looks = ((before, ORANGE, "--", "before"), (after, BLUE, "-", "after adaptation"))
        histograms = [
            steps(np.histogram(y, edges, density=True)[0], edges, color=colour, linestyle=stroke, label=label)
            for y, colour, stroke, label in looks
        ]
        return panel(
            *histograms,
            theory(grid, np.exp(-grid / mu) / mu, linewidth=1, linestyle=":", label=f"exponential, mean {mu:g}"),
            small_title(f"{kind} inputs: KS {ks(after, mu):.3f} (before {ks(before, mu):.2f})"),
            x="output y (no unit)", y="density (log scale)" if first else "", yscale="log", ylim=(0.005, 3 / mu),
        )  # fmt: skip


def ks(y: np.ndarray, mu: float) -> float:
    """Largest distance between the distribution of the sorted sample y and the exponential of mean mu."""
    exponential, n = -np.expm1(-y / mu), len(y)
    return float(np.maximum(exponential - np.arange(n) / n, np.arange(1, n + 1) / n - exponential).max())


@functools.cache
def best_possible(kind: str, mu: float) -> float:
    """The smallest KS distance from the exponential of mean mu that any a and b reach, by search from 12 starts."""
    x, share = _inputs(kind, 4000)

    def distance(ab: np.ndarray) -> float:
        return float(np.abs(-np.expm1(-expit(ab[0] * x + ab[1]) / mu) - share).max())

    return float(_least(distance).fun)


@functools.cache
def least_divergence(kind: str, mu: float) -> tuple[float, float]:
    """KS distance and mean of the sigmoid whose output has the least Kullback-Leibler divergence from the exponential."""
    x, share = _inputs(kind, 20_000)

    def divergence(ab: np.ndarray) -> float:  # E log p(y) + E y/mu, where p(y) is that of x over dy/dx; constants left out
        y = expit(ab[0] * x + ab[1])
        return float((y / mu - np.log(np.abs(ab[0]) * y * (1 - y) + 1e-300)).mean())

    a, b = _least(divergence).x
    y = expit(a * x + b)
    return float(np.abs(-np.expm1(-y / mu) - share).max()), float(y.mean())


def _inputs(kind: str, many: int) -> tuple[np.ndarray, np.ndarray]:
    """Quantiles of the inputs, and of which shares."""
    share = (np.arange(many) + 0.5) / many
    return norm.ppf(share) if kind == "normal" else share, share


def _least(cost: Callable[[np.ndarray], float]) -> Any:
    """The least of a cost of a and b, by search from 12 starts."""
    starts = [(a, b) for a in (0.5, 1.5, 4.0, 6.0) for b in (-5.0, -3.5, -2.0)]
    found = (minimize(cost, start, method="Nelder-Mead", options={"maxiter": 2000}) for start in starts)
    return min(found, key=lambda one: float(one.fun))


if __name__ == "__main__":
    script(ExponentialOutput.name)
