"""Softmax weights of (1, 2, 3), other weightings beside them, and the step at which fitting an attention-weighted sum diverges.

A widely copied text gives the softmax of (1, 2, 3) as .1, .3, .6. It is .0900, .2447, .6652, rounded .1, .2, .7. Linear weights
are the scores themselves, exponential ones exp(score); divided by their sum the latter are the softmax. A constant added to all
scores leaves the softmax as it is, and changes the shares of linear weights.

An attention-weighted sum sum_i alpha_i(w) x_i is then fitted to targets by gradient descent on its mean squared error, with the
derivatives by hand, which autograd confirms. With linear weights the error is a quadratic form, its Hessian H = X^T X/n, and the
part of the error of w along an eigenvector of H with eigenvalue lambda is multiplied by 1 - eta lambda in each step: descent
converges for eta < 2/lambda_max and diverges above, whatever the targets. For exponential and softmax weights the same holds
near the minimum, with the Hessian there.

We do not have the exact step of the text. We take .1 and .01, the two that texts begin with, on raw features, uniform from 0 to
twice `scale` (10): both are above the bound, which is about .006. On the same features, centred and divided by their spread, the
bound is about 2, and both converge. Steps a little below and above the bound (`near`) do what they should.

Sources: Bridle 1990, doi:10.1007/978-3-642-76153-9_28 (softmax); LeCun, Bottou, Orr & Mueller 1998,
doi:10.1007/3-540-49430-8_2 (largest step from the largest eigenvalue, centred inputs).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from scipy.special import softmax

from plasticity.settings import setting
from plasticity.statistics import AMOUNT, mean_and_interval
from simulations.figures.worked import descent
from simulations.frame.checks import every_seed, near
from simulations.frame.execute import script
from simulations.frame.experiment import Arrays, Measure
from simulations.frame.worked import Example, Worked

if TYPE_CHECKING:
    from simulations.figures.kinds import Drawing

BRIDLE = "Bridle 1990, doi:10.1007/978-3-642-76153-9_28"
BACKPROP = "LeCun, Bottou, Orr & Mueller 1998, doi:10.1007/3-540-49430-8_2"
SCORES = np.array([1.0, 2.0, 3.0])
STATED = (0.1, 0.3, 0.6)
KINDS = ("linear", "exponential", "softmax")
TEXTBOOK = (0.1, 0.01)
FAR = 1e150  # beyond it an error counts as without bounds, and stays there
LOCAL, NEARBY = 20, 1e-6  # steps near a minimum, few enough to stay near; the distance from it at their start
ROUNDED = float(np.finfo(float).eps)


def alpha(w: np.ndarray, kind: str) -> np.ndarray:
    """The weights of scores w."""
    return {"linear": lambda: w, "exponential": lambda: np.exp(w), "softmax": lambda: softmax(w)}[kind]()


def by_hand(w: np.ndarray, X: np.ndarray, y: np.ndarray, kind: str) -> tuple[float, np.ndarray]:
    """Mean squared error/2 of the weighted sum and its gradient by w: J^T X^T (X alpha - y)/n, J = d alpha/d w."""
    a = alpha(w, kind)
    error = X @ a - y
    back = X.T @ error / len(y)
    through = {"linear": back, "exponential": a * back, "softmax": a * (back - a @ back)}
    return float(np.mean(error**2) / 2), through[kind]


def descend(start: np.ndarray, X: np.ndarray, y: np.ndarray, kind: str, eta: float, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Losses before each step and after the last (steps + 1,), and w at the end; both stay where they leave all bounds."""
    w, losses = start.copy(), np.full(steps + 1, FAR)
    for step in range(steps + 1):
        with np.errstate(over="ignore", invalid="ignore"):
            loss, gradient = by_hand(w, X, y, kind)
        if not loss < FAR:
            break
        losses[step] = loss
        w = w - eta * gradient if step < steps else w
    return losses, w


@dataclass(frozen=True)
class SoftmaxWeights(Worked):
    __doc__ = __doc__

    name: ClassVar[str] = "softmax_weights"
    summary: ClassVar[str] = "softmax of (1, 2, 3), three weightings, and the largest step that fits an attention-weighted sum"
    source: ClassVar[str] = f"{BRIDLE}; {BACKPROP}"
    compiled: ClassVar[bool] = False
    time_share: ClassVar[float] = 0.05
    time_step: ClassVar[str] = "None: weights and steps of a descent."
    measures: ClassVar[tuple[Measure, ...]] = (
        Measure("largest_step", "", "2/lambda_max of raw features, linear weights", within=AMOUNT),
        Measure("largest_step_standardised", "", "the same of centred features divided by their spread", within=AMOUNT),
    )

    rows: int = setting(100, "rows of features", low=10, high=100_000)
    scale: float = setting(10.0, "mean of raw features, which are uniform from 0 to twice this", above=0, high=1e6)
    descent_steps: int = setting(200, "steps of each descent", low=20, high=100_000)
    near: tuple[float, ...] = setting((0.9, 0.98, 1.02, 1.1), "steps that are tried, in units of the bound", above=0, high=100)

    def run(self, seed: int) -> Arrays:
        """What one seed gives.

        bound (raw, standardised), descents (raw or not, steps tried: near then textbook, descent_steps + 1), factor and predicted
        (raw or not, near): by how much the error along the first eigenvector is multiplied in a step; local (kinds, near):
        distance to the minimum at the end over that at the start; slopes (kinds,): by hand against autograd.
        """
        from bridges.worked.weighted_sum import by_autograd

        rng = np.random.default_rng([seed, 0])
        raw = rng.uniform(0, 2 * self.scale, (self.rows, len(SCORES)))
        true = softmax(SCORES)
        bound, losses, factor, predicted = [], [], [], []
        for X in (raw, (raw - raw.mean(axis=0)) / raw.std(axis=0)):
            y = X @ true + rng.normal(0, 0.1, self.rows)
            values, vectors = np.linalg.eigh(X.T @ X / self.rows)
            best, start = np.linalg.lstsq(X, y)[0], np.zeros(len(SCORES))
            bound.append(2 / values[-1])
            ends = [descend(start, X, y, "linear", k * bound[-1], self.descent_steps) for k in self.near]
            texts = [descend(start, X, y, "linear", eta, self.descent_steps) for eta in TEXTBOOK]
            losses.append([found for found, _ in (*ends, *texts)])
            grown = [(w - best) @ vectors[:, -1] / ((start - best) @ vectors[:, -1]) for _, w in ends]
            factor.append(np.abs(grown) ** (1 / self.descent_steps))
            predicted.append([abs(1 - 2 * k) for k in self.near])
        local, derivatives = np.empty((len(KINDS), len(self.near))), np.empty(len(KINDS))
        for row, kind in enumerate(KINDS):
            w = rng.normal(0, 1, len(SCORES))
            _, gradient, _ = by_autograd(w, raw, raw @ true, kind)
            derivatives[row] = np.abs(by_hand(w, raw, raw @ true, kind)[1] - gradient).max() / np.abs(gradient).max()
            least = {"linear": true, "exponential": np.log(true), "softmax": np.log(true)}[kind]  # where the error is 0
            values, vectors = np.linalg.eigh(by_autograd(least, raw, raw @ true, kind)[2])
            start = least + NEARBY * vectors[:, -1]
            for column, k in enumerate(self.near):
                _, end = descend(start, raw, raw @ true, kind, k * 2 / values[-1], LOCAL)
                local[row, column] = np.linalg.norm(end - least) / NEARBY
        told = {"bound": bound, "descents": losses, "factor": factor, "predicted": predicted}
        return {**{name: np.array(value) for name, value in told.items()}, "local": local, "slopes": derivatives}

    def found(self, a: Arrays) -> dict[str, Any]:
        shares = {kind: alpha(SCORES, kind) / alpha(SCORES, kind).sum() for kind in KINDS}
        shifted = {kind: alpha(SCORES + 1, kind) / alpha(SCORES + 1, kind).sum() for kind in KINDS}
        return {
            **{f"{kind} weights of (1, 2, 3)": alpha(SCORES, kind).tolist() for kind in KINDS},
            **{f"shares of {kind} weights": found.tolist() for kind, found in shares.items()},
            **{f"shares of {kind} weights of (2, 3, 4)": found.tolist() for kind, found in shifted.items()},
            "largest_step": mean_and_interval(a["bound"][:, 0], within=AMOUNT),
            "largest_step_standardised": mean_and_interval(a["bound"][:, 1], within=AMOUNT),
        }

    def examples(self, a: Arrays) -> Iterable[Example]:
        from bridges.worked.weighted_sum import weights

        ours, formula = weights(SCORES, "softmax"), f"exp(s_i)/sum_j exp(s_j); {BRIDLE}"
        for score, stated, right, value in zip(SCORES, STATED, (0.0900, 0.2447, 0.6652), ours, strict=True):
            name = f"softmax weight of {score:g} among (1, 2, 3)"
            yield Example(f"{stated:g}", near(name, right, float(value), 5e-5, kind="closed_form", source=formula))
        yield Example("derivatives by hand", near(
            "largest relative difference of the gradient by hand and by autograd, three weightings", 0.0,
            float(a["slopes"].max()), self.rows * ROUNDED, kind="closed_form",
            source="the chain rule; PyTorch's autograd; rounding of a sum over rows",
        ))  # fmt: skip
        finite, stable = a["descents"][:, :, :, -1] < a["descents"][:, :, :, 0], np.array(self.near) < 1
        k, at = len(self.near), "converges below 2/lambda_max, diverges above"
        told = ", ".join(
            f"{share:g}: {'down' if down.all() else 'up'}" for share, down in zip(self.near, finite.T[:k], strict=True)
        )
        yield Example("none", every_seed(
            "descent on raw and on standardised features by steps near the bound", finite[:, :, :k] == stable, published=at,
            told=told, kind="closed_form", source=f"a step multiplies the error by 1 - eta lambda; {BACKPROP}",
        ))  # fmt: skip
        known = np.abs(a["factor"] / a["predicted"] - 1)[:, :, ~stable]
        yield Example("none", near(
            "growth of the error in a step above the bound over |1 - eta lambda_max|, largest |ratio - 1|", 0.0,
            float(known.max()), self.descent_steps * ROUNDED, kind="closed_form",
            source=f"the same; rounding of as many products; {BACKPROP}",
        ))  # fmt: skip
        for column, eta in enumerate(TEXTBOOK, start=k):
            bound = f"2/lambda_max is {a['bound'][:, 0].mean():.2g} raw, {a['bound'][:, 1].mean():.2g} standardised"
            worst, best = a["descents"][:, 0, column, -1].min(), a["descents"][:, 1, column, -1].max()
            yield Example("the fit converges", every_seed(
                f"a step of {eta:g}: diverges on raw features, converges on standardised ones",
                ~finite[:, 0, column] & finite[:, 1, column], published=bound,
                told=f"error at the end: raw {worst:.1g} at least, standardised {best:.2g} at most",
                kind="closed_form", source=BACKPROP,
            ))  # fmt: skip
        grown = np.abs(1 - 2 * np.array(self.near)) ** LOCAL
        apart = np.abs(a["local"] - grown) / np.maximum(grown, 1)
        yield Example("none", near(
            f"near the minimum, all three weightings: distance after over before, off |1 - eta lambda_max|^{LOCAL}",
            0.0, float(apart.max()), LOCAL * NEARBY * max(1.0, float(grown.max())), kind="closed_form",
            source=f"the Hessian at the minimum; in each step off by about the distance; {BACKPROP}",
        ))  # fmt: skip

    def figures(self, a: Arrays) -> Mapping[str, Drawing]:
        shares = {kind: alpha(SCORES, kind) / alpha(SCORES, kind).sum() for kind in ("linear", "softmax")}
        return {"softmax_weights": descent(SCORES, shares, STATED, a["descents"], a["bound"].mean(axis=0), self.near, TEXTBOOK)}


if __name__ == "__main__":
    script(SoftmaxWeights.name)
