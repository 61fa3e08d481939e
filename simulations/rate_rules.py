"""The rules of rates on linear units: Hebb's growth, the sign of a covariance, Oja's and Sanger's components, BCM's selectivity.

Each rule runs in Brian2 on linear rate units y = sum_i w_i x_i (plasticity.networks.rate_units). Inputs x are drawn anew in
every time step of 1 ms, one independent copy of the network for each seed. What must come out follows from the rule's own
equation:

    rate_hebb   with the input 1 the weight is multiplied by exactly 1 + eta dt in each step
    covariance  the weight changes by eta t (1 - a)^2 2/(2 - a) cov(x, y), with a = 1 - exp(-dt/tau_mean): it has the sign of the
                correlation and vanishes for independent inputs. y is imposed here, and changes are counted from 10 tau_mean on.
    oja         w goes to the first component +-e_1 of the inputs with the length 1, and the tangent of the angle between them
                falls as exp(-eta (l_1 - l_2) t). The start lies in the plane of e_1 and e_2, at a tangent of 2.
    oja, chain  Sanger's rule: unit k goes to component k, in the order of the variances
    bcm         of K independent patterns, equally often, a unit answers to one, with y = K, and to no other: selectivity
                1 - mean/max = 1 - 1/K

Inputs of oja have the covariance diag(spectrum), turned by a random rotation of each seed. The patterns of bcm have length 1:
each has one input of its own, and on top random activity up to `overlap` on all. They are shown in blocks of K, each pattern
once in random order. The threshold remembers in part the very response that it is compared with, so that the response settles a
share of (K - 1) (dt/tau_theta)/2 below K: 0.75 % for 4 patterns.

Intervals are 95 % over seeds. All of it takes half a minute on Brian2's NumPy target; compiling it would take longer.

Sources: Hebb 1949, doi:10.4324/9781410612403; Sejnowski 1977, doi:10.1007/BF00275079; Oja 1982, doi:10.1007/BF00275687; Sanger
1989, doi:10.1016/0893-6080(89)90044-0; Bienenstock, Cooper & Munro 1982, doi:10.1523/JNEUROSCI.02-01-00032.1982; Intrator &
Cooper 1992, doi:10.1016/S0893-6080(05)80003-6.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from brian2 import Hz, second
from scipy import stats

from plasticity.engine import Program
from plasticity.errors import WrongUse
from plasticity.networks.rate_units import RateUnits, build
from plasticity.parallel import Progress
from plasticity.rules.bcm import bcm
from plasticity.rules.covariance import covariance
from plasticity.rules.oja import oja
from plasticity.rules.rate_hebb import rate_hebb
from plasticity.settings import setting
from plasticity.statistics import interval
from simulations.simulation import Check, Outcome, Simulation, script

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from plasticity.records import Record

DT_S = 0.001
HEBB_STEPS = 500
FITTED = 2.0  # the alignment error is fitted over this many of its time constants
SAMPLE = 20  # weights are kept every so many steps
OJA, SANGER = "Oja 1982, doi:10.1007/BF00275687", "Sanger 1989, doi:10.1016/0893-6080(89)90044-0"
BCM = "Bienenstock, Cooper & Munro 1982, doi:10.1523/JNEUROSCI.02-01-00032.1982"
SEJNOWSKI = "Sejnowski 1977, doi:10.1007/BF00275079"


@dataclass(frozen=True)
class RateRules(Simulation):
    __doc__ = __doc__

    name: ClassVar[str] = "rate_rules"
    summary: ClassVar[str] = (
        "rate rules: Oja and Sanger find the components, BCM becomes selective, covariance has the right sign"
    )
    source: ClassVar[str] = f"{OJA}; {SANGER}; {BCM}; {SEJNOWSKI}; Hebb 1949, doi:10.4324/9781410612403"
    uses: ClassVar[tuple[str, ...]] = ("rate_hebb", "covariance", "oja", "bcm")

    eta_hebb: float = setting(10.0, "rate of learning of rate_hebb", "1/s", low=1e-3, high=100)
    correlations: tuple[float, ...] = setting((-0.8, -0.4, 0.0, 0.4, 0.8), "of the inputs with y, for covariance", low=-1, high=1)
    covariance_s: float = setting(10.0, "how long covariance learns", "s", low=1, high=1000)
    tau_mean_s: float = setting(0.1, "time constant of its running means", "s", low=0.002, high=10)
    spectrum: tuple[float, ...] = setting(
        (1.0, 0.6, 0.36, 0.2, 0.1, 0.05), "variances of the inputs' components, falling, for oja", low=1e-3, high=10
    )
    components: int = setting(3, "units in the chain of Sanger's rule", low=2, high=20)
    eta_oja: float = setting(1.0, "rate of learning of oja", "1/s", low=1e-3, high=10)
    eta_chain: float = setting(2.0, "rate of learning of oja in the chain of units", "1/s", low=1e-3, high=10)
    oja_s: float = setting(30.0, "how long oja learns", "s", low=1, high=1000)
    patterns: tuple[int, ...] = setting((2, 4, 6), "how many patterns bcm sees", low=2, high=20)
    overlap: float = setting(0.3, "largest activity of an input that is not a pattern's own", low=0, high=1)
    eta_bcm: float = setting(2.0, "rate of learning of bcm", "1/s", low=1e-3, high=10)
    tau_theta_s: float = setting(0.2, "time constant of its threshold", "s", low=0.002, high=10)
    bcm_s: float = setting(30.0, "how long bcm learns", "s", low=1, high=1000)

    def check(self) -> None:
        """Refuse settings that belong together and do not fit."""
        if len(self.spectrum) < 2 or (np.diff(self.spectrum) >= 0).any():
            raise WrongUse(f"spectrum={self.spectrum} must fall, for example --set spectrum=1,0.5,0.2.")
        if self.components >= len(self.spectrum):
            raise WrongUse(
                f"components={self.components} needs a longer spectrum than {len(self.spectrum)} values, or set components="
                f"{len(self.spectrum) - 1}."
            )
        if self.eta_oja * self.oja_s * (self.spectrum[0] - self.spectrum[1]) < FITTED:
            raise WrongUse(
                f"oja_s={self.oja_s:g} s is too short for its alignment error to be fitted; set oja_s or eta_oja higher."
            )
        if self.eta_bcm * self.tau_theta_s >= 1:
            raise WrongUse(
                f"eta_bcm*tau_theta_s={self.eta_bcm * self.tau_theta_s:g} must be below 1, or responses oscillate; lower one."
            )
        if not {0.0} < set(self.correlations) or not self.patterns:
            raise WrongUse(
                f"correlations={self.correlations} must hold 0 and others, and patterns={self.patterns} at least one number, for"
                " example --set correlations=-0.5,0,0.5 --set patterns=4."
            )
        if self.covariance_s < 20 * self.tau_mean_s:
            raise WrongUse(f"covariance_s={self.covariance_s:g} must be at least 20 times tau_mean_s={self.tau_mean_s:g}.")

    def run(self, seeds: Sequence[int], jobs: int, progress: Progress) -> Outcome:
        """All rules one after the other; every seed is a copy of its own. More `jobs` change nothing."""
        self.check()
        numbers: dict[str, Any] = {}
        checks: list[Check] = []
        arrays: dict[str, np.ndarray] = {}
        parts = (self.hebb_growth, self.covariances, self.first_component, self.leading_components, self.selectivity)
        shares = (0.0, 0.01, 0.06, 0.16, 0.5, 1.0)  # of the time that they take, about
        for part, start, end in zip(parts, shares, shares[1:], strict=False):

            def within(fraction: float, start: float = start, end: float = end) -> None:
                progress(start + (end - start) * fraction)

            found = part(seeds, within)
            numbers |= found.numbers
            checks += found.checks
            arrays |= found.arrays
        progress(1.0)
        return Outcome(numbers, checks, arrays)

    def hebb_growth(self, seeds: Sequence[int], progress: Progress) -> Outcome:
        """Hebb with the input 1 and the weight 1 at the start."""
        spec = RateUnits(rate_hebb(eta=self.eta_hebb * Hz), inputs=1, steps=HEBB_STEPS)
        found = simulate(spec, {"x": np.ones((HEBB_STEPS, 1)), "w_0": 1.0}, progress)
        growth = found["w_0"][:, 0]
        factor = 1 + self.eta_hebb * DT_S
        deviation = float(np.abs(growth / factor ** np.arange(1, HEBB_STEPS + 1) - 1).max())
        check = Check(
            f"Hebb, input 1: largest relative deviation from (1 + eta dt)^n, n up to {HEBB_STEPS}",
            0.0,
            deviation,
            1e-12,  # rounding of n products, each 1e-16
            "dw = eta y x with y = w x, Hebb 1949, doi:10.4324/9781410612403",
        )
        return Outcome({"hebb_growth": float(growth[-1])}, [check])

    def covariances(self, seeds: Sequence[int], progress: Progress) -> Outcome:
        """Change per second and eta of weights from inputs of several correlations with an imposed y."""
        rho = np.array(self.correlations)
        settle = round(10 * self.tau_mean_s / DT_S)
        steps = settle * round(self.covariance_s / DT_S / settle)
        x, y = np.empty((steps, len(seeds), len(rho))), np.empty((steps, len(seeds)))
        for c, seed in enumerate(seeds):
            rng = np.random.default_rng([seed, 1])
            y[:, c] = rng.standard_normal(steps)
            x[:, c] = rho * y[:, c, None] + np.sqrt(1 - rho**2) * rng.standard_normal((steps, len(rho)))
        rule = covariance(eta=1 * Hz, tau_mean=self.tau_mean_s * second)
        spec = RateUnits(rule, inputs=len(rho), copies=len(seeds), steps=steps, sample=settle)
        # the means of the activities, 3 and 2, make no difference once the running means have found them
        found = simulate(spec, {"x": x.reshape(steps, -1) + 3, "imposed": y + 2, "answering_0": 0.0}, progress)
        history = found["w_0"].reshape(-1, len(seeds), len(rho))
        counted = (steps - settle - 1) * DT_S  # the first two samples follow steps 1 and settle + 1
        change = (found["w_0_end"].reshape(history[1].shape) - history[1]) / counted
        a = 1 - np.exp(-DT_S / self.tau_mean_s)
        share = (1 - a) ** 2 * 2 / (2 - a)
        slopes = change @ rho / (rho @ rho)
        wrong = int((np.sign(change) != np.sign(rho))[:, rho != 0].sum())
        independent = change[:, rho == 0].ravel()
        error = float(independent.std(ddof=1) / np.sqrt(len(independent))) if len(independent) > 1 else float("nan")
        size = abs(float(independent.mean()))
        # of one seed the slope has the standard error 1/sqrt(steps sum rho^2); 4 of the mean over seeds
        tolerance = 4 / np.sqrt(counted / DT_S * (rho @ rho) * len(seeds))
        checks = [
            Check("covariance: changes without the sign of the correlation", 0, wrong, 0, SEJNOWSKI),
            Check(
                "covariance: mean change of independent inputs",
                "0 within 3 standard errors over seeds",
                f"{independent.mean():+.5f}, standard error {error:.5f}",
                "3 standard errors",
                SEJNOWSKI,
                bool(size <= 3 * error),
            ),
            Check("covariance: change per eta t and correlation", share, float(slopes.mean()), tolerance, "(1 - a)^2 2/(2 - a)"),
        ]
        numbers = {"covariance_change": change.mean(axis=0).tolist(), "covariance_slope": float(slopes.mean())}
        return Outcome(numbers, checks, {"correlation": rho, "covariance_change": change, "covariance_share": np.array(share)})

    def samples(self, seeds: Sequence[int], stream: int) -> tuple[np.ndarray, np.ndarray]:
        """Inputs (steps, seeds, inputs) with the wanted spectrum, and the components (seeds, component, inputs)."""
        steps, n = SAMPLE * round(self.oja_s / DT_S / SAMPLE), len(self.spectrum)
        x, axes = np.empty((steps, len(seeds), n)), np.empty((len(seeds), n, n))
        for c, seed in enumerate(seeds):
            rng = np.random.default_rng([seed, stream])
            axes[c] = stats.ortho_group.rvs(n, random_state=rng)
            x[:, c] = (rng.standard_normal((steps, n)) * np.sqrt(self.spectrum)) @ axes[c]
        return x, axes

    def first_component(self, seeds: Sequence[int], progress: Progress) -> Outcome:
        """Oja's rule on one unit, from a start at a tangent of 2 to the first component."""
        x, axes = self.samples(seeds, 2)
        steps, n = len(x), x.shape[-1]
        start = 0.5 * (axes[:, 0] + 2 * axes[:, 1]) / np.sqrt(5)
        spec = RateUnits(oja(eta=self.eta_oja * Hz), inputs=n, copies=len(seeds), steps=steps, sample=SAMPLE)
        found = simulate(spec, {"x": x.reshape(steps, -1), "w_0": start.ravel()}, progress)
        history = found["w_0"].reshape(-1, len(seeds), n)  # after steps 1, 1 + SAMPLE, ...
        along = np.einsum("tsi,ski->tsk", history, axes)
        time = (1 + SAMPLE * np.arange(len(history))) * DT_S
        error = np.linalg.norm(along[..., 1:], axis=2) / np.abs(along[..., 0])
        ratio = np.abs(along[..., 1] / along[..., 0])
        gap = self.spectrum[0] - self.spectrum[1]
        early = time <= FITTED / (self.eta_oja * gap)
        slopes = -np.polyfit(time[early], np.log(ratio[early]), 1)[0] / self.eta_oja
        w = found["w_0_end"].reshape(len(seeds), n)
        own = np.einsum("si,si->s", w, axes[:, 0])
        length = np.linalg.norm(w, axis=1)
        cosine = np.abs(own) / length
        low, high = _interval(slopes)
        checks = [
            Check(
                "Oja: smallest |cos| to the first component over seeds",
                "above 0.99",
                f"{cosine.min():.5f}",
                "every seed",
                OJA,
                bool(cosine.min() > 0.99),
            ),
            Check(
                "Oja: length of the weights furthest from 1 over seeds",
                1.0,
                float(length[np.abs(length - 1).argmax()]),
                0.02,
                OJA,
            ),
            Check(
                f"Oja: decay of the alignment error in units of eta (95 % interval {low:.3f} to {high:.3f})",
                gap,
                float(slopes.mean()),
                # 4 standard errors: each seed's slope scatters with the samples of two time constants, by 8 % at eta dt = 0.001
                4 * 0.08 * gap * np.sqrt(self.eta_oja / len(seeds)),
                f"l_1 - l_2; {OJA}",
            ),
        ]
        numbers = {"oja_cosine": cosine.tolist(), "oja_length": length.tolist(), "oja_decay": float(slopes.mean())}
        arrays = {
            "oja_time_s": time,
            "oja_error": error,
            "oja_weights": w * np.sign(own)[:, None],
            "oja_axis": axes[:, 0],
            "oja_gap": np.array(gap),
        }
        return Outcome(numbers, checks, arrays)

    def leading_components(self, seeds: Sequence[int], progress: Progress) -> Outcome:
        """Oja's rule on a chain of units: Sanger's rule."""
        x, axes = self.samples(seeds, 3)
        steps, n = len(x), x.shape[-1]
        start = np.stack([np.random.default_rng([seed, 4]).normal(0, 0.3, (self.components, n)) for seed in seeds], axis=1)
        rule = oja(eta=self.eta_chain * Hz)
        spec = RateUnits(rule, n, units=self.components, copies=len(seeds), steps=steps, sample=steps)
        inputs = {"x": x.reshape(steps, -1)} | {f"w_{k}": start[k].ravel() for k in range(self.components)}
        found = simulate(spec, inputs, progress)
        w = np.stack(
            [found[f"w_{k}_end"].reshape(len(seeds), n) for k in range(self.components)], axis=1
        )  # (seeds, unit, inputs)
        along = np.einsum("sui,ski->suk", w, axes)
        length = np.linalg.norm(w, axis=2)
        own = np.take_along_axis(along, np.arange(self.components)[None, :, None], axis=2)[..., 0]
        cosine = np.abs(own) / length
        order = np.abs(along).argmax(axis=2)
        wrong = int((order != np.arange(self.components)).sum())
        furthest = float(length.ravel()[np.abs(length - 1).argmax()])
        checks = [
            Check("Sanger: units that are not at the component of their own number", 0, wrong, 0, SANGER),
            Check(
                f"Sanger: smallest |cos| of {self.components} units to their components over seeds",
                "above 0.99",
                f"{cosine.min():.5f}",
                "every seed",
                SANGER,
                bool(cosine.min() > 0.99),
            ),
            Check("Sanger: length of the weights furthest from 1", 1.0, furthest, 0.02, SANGER),
        ]
        arrays = {"sanger_weights": w * np.sign(own)[..., None], "sanger_axes": axes[:, : self.components]}
        return Outcome({"sanger_cosine": cosine.min(axis=0).tolist()}, checks, arrays)

    def selectivity(self, seeds: Sequence[int], progress: Progress) -> Outcome:
        """BCM on K independent patterns, for each K."""
        steps, n = round(self.bcm_s / DT_S), max(self.patterns) + 2
        copies = [(K, seed) for K in self.patterns for seed in seeds]
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
        spec = RateUnits(rule, n, copies=len(copies), steps=steps, sample=steps)
        y = simulate(spec, {"x": x.reshape(steps, -1), "w_0": start.ravel()}, progress)["y_0"]

        windows = np.array_split(np.arange(steps), 100)
        most = max(self.patterns)
        response = np.full((len(windows), len(copies), most), np.nan)  # mean over each window, of each pattern
        for t, window in enumerate(windows):
            for k in range(most):
                here = shown[window] == k
                seen = here.sum(axis=0)
                response[t, :, k] = np.where(seen > 0, (y[window] * here).sum(axis=0) / np.maximum(seen, 1), np.nan)
        checks = []
        final = np.sort(np.nan_to_num(response[-1], nan=-np.inf), axis=1)[:, ::-1].reshape(len(self.patterns), len(seeds), most)
        numbers: dict[str, Any] = {}
        for K, values in zip(self.patterns, final, strict=True):
            best, others = values[:, 0], values[:, 1:K]
            chosen = 1 - values[:, :K].mean(axis=1) / best
            furthest = float(best[np.abs(best - K).argmax()])
            checks += [
                Check(f"BCM, {K} patterns: response to the chosen one, furthest over seeds", K, furthest, 0.05 * K, BCM),
                Check(f"BCM, {K} patterns: largest response to another", 0.0, float(np.abs(others).max()), 0.05 * K, BCM),
                # both responses within 5 % leave the selectivity within 2 % (K = 2) or less
                Check(f"BCM, {K} patterns: selectivity 1 - mean/max", 1 - 1 / K, float(chosen.mean()), 0.02, BCM),
            ]
            numbers[f"bcm_{K}"] = {"response": float(best.mean()), "selectivity": float(chosen.mean())}
        arrays = {
            "bcm_time_s": np.array([(window[0] + window[-1] + 1) / 2 * DT_S for window in windows]),
            "bcm_response": response.reshape(len(windows), len(self.patterns), len(seeds), most),
            "bcm_final": np.where(np.isfinite(final), final, np.nan),
        }
        return Outcome(numbers, checks, arrays)

    def figures(self, record: Record) -> dict[str, Figure]:
        from simulations import figures

        with figures.style():
            return {"components": components(record), "selectivity": selectivity(record), "covariance": covariances(record)}


def simulate(spec: RateUnits, inputs: Mapping[str, Any], progress: Progress) -> dict[str, np.ndarray]:
    """One run on Brian2's NumPy target: with all copies in one network it takes seconds, compiling would take longer."""
    return Program(build, spec, None, {}).run(0, spec.values() | dict(inputs), progress=progress)


def _interval(values: np.ndarray) -> tuple[float, float]:
    """95 % over seeds; nan with a single one."""
    return interval(values) if len(values) > 1 else (float("nan"), float("nan"))


def _bars(values: np.ndarray) -> np.ndarray:
    """How far the 95 % interval reaches below and above the mean of each column."""
    bounds = np.array([_interval(column) for column in values.T]).T
    return np.nan_to_num(np.abs(bounds - values.mean(axis=0)))


def components(record: Record) -> Figure:
    """Alignment error of Oja's rule over time; final weights against the components they should be."""
    from simulations import figures

    data = record.arrays
    units = data["sanger_weights"].shape[1]
    figure, axes = figures.new(7.6, 3.5, columns=2)
    left, right = axes[0]
    time, error = data["oja_time_s"], data["oja_error"]
    eta = record.configuration["settings"]["eta_oja"]
    for seed in range(error.shape[1]):
        left.semilogy(time, error[:, seed], color=figures.SKY, linewidth=0.6, label="each seed" if seed == 0 else None)
    left.semilogy(time, error.mean(axis=1), color=figures.BLUE, label="mean over seeds")
    theory = 2 * np.exp(-eta * float(data["oja_gap"]) * time)
    shown = theory > error.min() / 3
    left.semilogy(
        time[shown], theory[shown], "--", color=figures.VERMILION, label="$\\propto\\exp(-\\eta(\\lambda_1-\\lambda_2)t)$"
    )
    left.set_xlabel("time (s)")
    left.set_ylabel("tan of the angle to component 1 (no unit)")
    left.set_title("Oja: alignment error", loc="left")
    left.legend()
    right.plot([-1, 1], [-1, 1], color=figures.GREY, linewidth=0.8)
    looks = zip((figures.BLUE, figures.VERMILION, figures.GREEN, figures.PURPLE, figures.ORANGE) * 4, "os^Dv" * 4, strict=True)
    for k, (colour, marker) in zip(range(units), looks, strict=False):
        at, ours = data["sanger_axes"][:, k].ravel(), data["sanger_weights"][:, k].ravel()
        right.plot(at, ours, marker, color=colour, markersize=3.5, fillstyle="none", linestyle="none", label=f"unit {k + 1}")
    right.set_xlabel("component of the unit's number (length 1)")
    right.set_ylabel("weight at the end (no unit)")
    right.set_title("Sanger: weights, all inputs and seeds", loc="left")
    right.legend()
    return figure


def selectivity(record: Record) -> Figure:
    """Responses of BCM units to each pattern, over time and at the end."""
    from simulations import figures

    data, listed = record.arrays, list(record.configuration["settings"]["patterns"])
    which = listed.index(4) if 4 in listed else len(listed) - 1
    K = listed[which]
    figure, axes = figures.new(7.6, 3.5, columns=2)
    left, right = axes[0]
    time, response = data["bcm_time_s"], data["bcm_response"][:, which]
    for seed in range(response.shape[1]):
        chosen = int(np.nanargmax(response[-1, seed]))
        for k in range(K):
            colour = figures.VERMILION if k == chosen else figures.BLUE
            words = ("the chosen pattern" if k == chosen else "the others") if seed == 0 and k in (chosen, chosen == 0) else None
            left.plot(
                time, response[:, seed, k], color=colour, linewidth=0.7, linestyle="-" if k == chosen else "--", label=words
            )
    for level in (0, K):
        left.axhline(level, color=figures.GREY, linewidth=0.8, zorder=0)
    left.set_xlabel("time (s)")
    left.set_ylabel("response y (no unit)")
    left.set_title(f"BCM: {K} patterns, all seeds", loc="left")
    left.legend()
    right.plot([0, max(listed) + 0.5], [0, max(listed) + 0.5], color=figures.GREY, linewidth=0.8, label="y = K and y = 0")
    right.axhline(0, color=figures.GREY, linewidth=0.8)
    for row, size in zip(data["bcm_final"], listed, strict=True):
        best, others = row[:, :1], row[:, 1:size].mean(axis=1, keepdims=True)
        for values, colour, marker, words in (
            (best, figures.VERMILION, "o", "the chosen pattern"),
            (others, figures.BLUE, "s", "mean of the others"),
        ):
            label = words if size == listed[0] else None
            right.errorbar([size], values.mean(axis=0), yerr=_bars(values), fmt=marker, color=colour, markersize=5, label=label)
    right.set_xlabel("number of patterns K")
    right.set_xticks(listed)
    right.set_ylabel("response at the end (no unit)")
    right.set_title("BCM: selectivity", loc="left")
    figures.caption(figure, f"right: {figures.over_seeds(response.shape[1])}")
    right.legend()
    return figure


def covariances(record: Record) -> Figure:
    """Change of the weight against the correlation of the input with the unit."""
    from simulations import figures

    data = record.arrays
    rho, change = data["correlation"], data["covariance_change"]
    figure, axes = figures.new(4.6, 3.5)
    axis = axes[0, 0]
    axis.axhline(0, color=figures.GREY, linewidth=0.8)
    axis.axvline(0, color=figures.GREY, linewidth=0.8)
    line = np.array([rho.min(), rho.max()])
    axis.plot(line, float(data["covariance_share"]) * line, color=figures.BLUE, label="closed form")
    axis.errorbar(
        rho,
        change.mean(axis=0),
        yerr=_bars(change),
        fmt="o",
        color=figures.VERMILION,
        markersize=5,
        label="mean and 95 % interval",
    )
    axis.set_xlabel("correlation of input and unit")
    axis.set_ylabel("change of the weight / ($\\eta\\,t$) (no unit)")
    axis.set_title("Covariance rule", loc="left")
    axis.legend(loc="lower right")
    return figure


if __name__ == "__main__":
    script(RateRules)
