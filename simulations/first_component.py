"""Under Oja's rule the weights of a unit go to the first component of its inputs, with the length 1.

A linear unit (plasticity.networks.rate_units) whose inputs have the covariance diag(spectrum), turned by a random rotation of
each seed: w goes to the first component +-e_1 with the length 1, and the tangent of the angle between them falls as
exp(-eta (l_1 - l_2) t). The start lies in the plane of e_1 and e_2, at a tangent of 2.

Source: Oja 1982, doi:10.1007/BF00275687.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from brian2 import Hz
from scipy import stats

from plasticity.errors import WrongUse
from plasticity.networks.rate_units import RateUnits
from plasticity.rules.oja import oja
from plasticity.settings import setting
from plasticity.statistics import interval
from simulations.figures import BLUE, SKY, VERMILION
from simulations.figures.kinds import each_seed, line, panel, theory
from simulations.frame.checks import Check, every_seed, near
from simulations.frame.execute import script
from simulations.frame.experiment import Arrays, Experiment, Measure, Session

if TYPE_CHECKING:
    from simulations.figures.kinds import Drawing

OJA = "Oja 1982, doi:10.1007/BF00275687"
DT_S = 0.001
FITTED = 2.0  # the alignment error is fitted over this many of its time constants
SAMPLE = 20  # weights are kept every so many steps


@dataclass(frozen=True)
class FirstComponent(Experiment):
    __doc__ = __doc__

    name: ClassVar[str] = "first_component"
    summary: ClassVar[str] = "under Oja's rule the weights of a unit go to the first component of its inputs"
    source: ClassVar[str] = OJA
    compiled: ClassVar[bool] = False
    part_of: ClassVar[str] = "rate_rules"
    uses: ClassVar[tuple[str, ...]] = ("oja",)
    time_share: ClassVar[float] = 0.1
    time_step: ClassVar[str] = "None to converge: each step shows a new random input."
    measures: ClassVar[tuple[Measure, ...]] = (
        Measure("oja_cosine", "", "cosine of the weights with the first component"),
        Measure("oja_length", "", "length of the weights at the end"),
        Measure("oja_decay", "", "rate at which the error of the direction falls, over eta_oja"),
    )

    spectrum: tuple[float, ...] = setting(
        (1.0, 0.6, 0.36, 0.2, 0.1, 0.05), "variances of the inputs' components, falling, for oja", low=1e-3, high=10
    )
    eta_oja: float = setting(1.0, "rate of learning of oja", "1/s", low=1e-3, high=10)
    oja_s: float = setting(30.0, "how long oja learns", "s", low=1, high=1000)

    def refuse(self) -> None:
        check_spectrum(self.spectrum)
        if self.eta_oja * self.oja_s * (self.spectrum[0] - self.spectrum[1]) < FITTED:
            raise WrongUse(
                f"oja_s={self.oja_s:g} s is too short for its alignment error to be fitted; set oja_s or eta_oja higher."
            )

    def collect(self, session: Session) -> dict[str, np.ndarray]:
        """Over time the tangent of the angle to the first component (samples, seeds), and how fast it falls, in units of eta
        (seeds,); the weights at the end and the component (seeds, inputs)."""
        x, axes = turned(self.spectrum, self.oja_s, session.seeds, 2)
        steps, seeds, n = x.shape
        start = 0.5 * (axes[:, 0] + 2 * axes[:, 1]) / np.sqrt(5)
        units = RateUnits(oja(eta=self.eta_oja * Hz), inputs=n, copies=seeds, steps=steps, sample=SAMPLE)
        given = {"x": x.reshape(steps, -1), "w_0": start.ravel()}
        found = units.program(compiled=False).run(0, given, progress=session.progress)
        history = found["w_0"].reshape(-1, seeds, n)  # after steps 1, 1 + SAMPLE, ...
        along = np.einsum("tsi,ski->tsk", history, axes)
        time, gap = (1 + SAMPLE * np.arange(len(history))) * DT_S, self.spectrum[0] - self.spectrum[1]
        early = time <= FITTED / (self.eta_oja * gap)
        ratio = np.abs(along[..., 1] / along[..., 0])
        w = found["w_0_end"].reshape(seeds, n)
        return {
            "oja_time_s": time,
            "oja_error": np.linalg.norm(along[..., 1:], axis=2) / np.abs(along[..., 0]),
            "oja_decay": -np.polyfit(time[early], np.log(ratio[early]), 1)[0] / self.eta_oja,
            "oja_weights": w * np.sign(np.einsum("si,si->s", w, axes[:, 0]))[:, None],
            "oja_axis": axes[:, 0],
            "oja_gap": np.array(gap),
        }

    def lengths(self, a: Arrays) -> tuple[np.ndarray, np.ndarray]:
        """Length of the weights, and |cos| of their angle to the component, (seeds,)."""
        length = np.linalg.norm(a["oja_weights"], axis=1)
        return length, np.einsum("si,si->s", a["oja_weights"], a["oja_axis"]) / length

    def numbers(self, a: Arrays) -> dict[str, Any]:
        length, cosine = self.lengths(a)
        return {"oja_cosine": cosine.tolist(), "oja_length": length.tolist(), "oja_decay": float(a["oja_decay"].mean())}

    def checks(self, a: Arrays) -> Iterable[Check]:
        (length, cosine), slopes, gap = self.lengths(a), a["oja_decay"], float(a["oja_gap"])
        yield every_seed(
            "Oja: smallest |cos| to the first component over seeds", cosine > 0.99, kind="paper", source=OJA,
            published="above 0.99", told=f"{cosine.min():.5f}",
        )  # fmt: skip
        furthest = length[np.abs(length - 1).argmax()]
        yield near("Oja: length of the weights furthest from 1 over seeds", 1.0, furthest, 0.02, kind="paper", source=OJA)
        low, high = interval(slopes)
        yield near(
            f"Oja: decay of the alignment error in units of eta (95 % interval {low:.3f} to {high:.3f})", gap, slopes.mean(),
            # 4 standard errors: each seed's slope scatters with the samples of two time constants, by 8 % at eta dt = 0.001
            4 * 0.08 * gap * float(np.sqrt(self.eta_oja / len(slopes))), kind="closed_form", source=f"l_1 - l_2; {OJA}",
        )  # fmt: skip

    def figures(self, a: Arrays) -> Mapping[str, Drawing]:
        time, error = a["oja_time_s"], a["oja_error"]
        closed = 2 * np.exp(-self.eta_oja * float(a["oja_gap"]) * time)
        shown = closed > error.min() / 3
        label = "$\\propto\\exp(-\\eta(\\lambda_1-\\lambda_2)t)$"
        return {
            "components": panel(
                each_seed(time, error.T, color=SKY, alpha=1, label="each seed"),
                line(time, error.mean(axis=1), color=BLUE, label="mean over seeds"),
                theory(time[shown], closed[shown], color=VERMILION, linestyle="--", label=label), x="time (s)",
                y="tan of the angle to component 1 (no unit)", title="Oja: alignment error", yscale="log", legend="best",
                size=(3.8, 3.5),
            )
        }  # fmt: skip


def check_spectrum(spectrum: Sequence[float]) -> None:
    """WrongUse unless there are two variances or more, and they fall."""
    if len(spectrum) < 2 or (np.diff(spectrum) >= 0).any():
        raise WrongUse(f"spectrum={spectrum} must fall, for example --set spectrum=1,0.5,0.2.")


def turned(spectrum: Sequence[float], seconds: float, seeds: Sequence[int], stream: int) -> tuple[np.ndarray, np.ndarray]:
    """Inputs (steps, seeds, inputs) with these variances along random axes, and the axes (seeds, component, inputs)."""
    steps, n = SAMPLE * round(seconds / DT_S / SAMPLE), len(spectrum)
    x, axes = np.empty((steps, len(seeds), n)), np.empty((len(seeds), n, n))
    for c, seed in enumerate(seeds):
        rng = np.random.default_rng([seed, stream])
        axes[c] = stats.ortho_group.rvs(n, random_state=rng)
        x[:, c] = (rng.standard_normal((steps, n)) * np.sqrt(spectrum)) @ axes[c]
    return x, axes


if __name__ == "__main__":
    script(FirstComponent.name)
