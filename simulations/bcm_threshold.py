"""The BCM threshold of the triplet rule: above which postsynaptic rate do Poisson trains potentiate?

With independent Poisson trains of rates rx (pre) and ry (post), all-to-all,

    dw/dt = A3_plus tau_plus tau_y rx ry (ry - theta),
    theta = (A2_minus tau_minus + A3_minus tau_minus tau_x rx - A2_plus tau_plus)/(A3_plus tau_plus tau_y)

theta (Hz) is the postsynaptic rate at which depression turns into potentiation (Bienenstock, Cooper & Munro 1982). Here many
synapses see trains of rates around theta; dw/dt / ry is a straight line over ry, and a regression says where it crosses 0.
In discrete time a spike sees no other of its own time step, which moves theta by dt/2 (1/tau_plus + 1/tau_y - 1/tau_minus),
0.5 % at 0.25 ms.

Sources: Pfister & Gerstner 2006, doi:10.1523/JNEUROSCI.1425-06.2006; Bienenstock, Cooper & Munro 1982,
doi:10.1523/JNEUROSCI.02-01-00032.1982.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from brian2 import Hz, Quantity, get_dimensions, ms, second

from plasticity import protocols
from plasticity.rules import Rule, triplet_stdp
from plasticity.settings import setting
from plasticity.statistics import zero_crossing
from simulations.figures import BLUE, ORANGE, VERMILION
from simulations.figures.kinds import level, measured, moment, panel, span, theory
from simulations.frame.checks import Check, near
from simulations.frame.execute import script
from simulations.frame.experiment import Arrays, Experiment, Measure, Session
from simulations.frame.triplet_rows import PAPER, row_title

if TYPE_CHECKING:
    from simulations.figures.kinds import Drawing

BCM_ROW = "visual_cortex_all_to_all_minimal"
SETTLE = 0.6 * second  # five times the slowest trace: 0.5 % of it is missing at the start


@dataclass(frozen=True)
class BcmThreshold(Experiment):
    __doc__ = __doc__

    name: ClassVar[str] = "bcm_threshold"
    summary: ClassVar[str] = "the postsynaptic rate above which Poisson trains potentiate by triplet STDP, against theory"
    source: ClassVar[str] = f"{PAPER}; Bienenstock, Cooper & Munro 1982, doi:10.1523/JNEUROSCI.02-01-00032.1982"
    default_seeds: ClassVar[int] = 1
    compiled: ClassVar[bool] = False
    part_of: ClassVar[str] = "triplet_frequency"
    uses: ClassVar[tuple[str, ...]] = ("triplet_stdp",)
    time_share: ClassVar[float] = 0.25
    short: ClassVar[Mapping[str, Any]] = {"bcm_synapses": 1000}
    measures: ClassVar[tuple[Measure, ...]] = (
        Measure("threshold_hz", "Hz", "postsynaptic rate above which the trains potentiate", ("bcm", "crossing_hz")),
        Measure("theory_hz", "Hz", "the same by theory", ("bcm", "theta_hz")),
        Measure("slope", "", "of dw/dt = slope ry (ry - theta), by theory", ("bcm", "slope")),
    )

    bcm_synapses: int = setting(16_000, "synapses with Poisson trains, for the BCM threshold", low=100, high=1_000_000)
    bcm_s: float = setting(0.6, "how long each of them is watched, after 0.6 s for its traces to settle", "s", low=0.1, high=100)
    bcm_pre_hz: float = setting(10.0, "presynaptic rate rx there", "Hz", low=0.1, high=100)
    dt_ms: float = setting(0.25, "time step of these trains", "ms", low=0.01, high=5)

    def collect(self, session: Session) -> dict[str, np.ndarray]:
        """Over all seeds: mean speed at each rate and its standard error, (rates,); the crossing and its 95 % interval, (3,)."""
        rule, theta = triplet_stdp(BCM_ROW), self.theta()
        post_hz = np.repeat(theta * np.linspace(0.8, 1.2, 5), -(-self.bcm_synapses // 5))
        step, whole = self.dt_ms * ms, SETTLE + self.bcm_s * second
        found = []
        for k, seed in enumerate(session.seeds):
            rng = np.random.default_rng(seed)
            pre = protocols.poisson(np.full(len(post_hz), self.bcm_pre_hz) * Hz, whole, rng, step)
            post = protocols.poisson(post_hz * Hz, whole, rng, step)
            found.append(protocols.weight_change(rule, pre, post, dt=step, settle=SETTLE) / self.bcm_s)
            session.progress((k + 1) / len(session.seeds))
        speed = np.stack(found)  # (seeds, synapses), per second
        rates = np.unique(post_hz)
        groups = [speed[:, post_hz == rate].ravel() for rate in rates]
        return {
            "bcm_post_hz": rates,
            "bcm_speed": np.array([group.mean() for group in groups]),
            "bcm_sem": np.array([group.std(ddof=1) / np.sqrt(len(group)) for group in groups]),
            "bcm_crossing": np.array(zero_crossing(np.tile(post_hz, len(found)), (speed / post_hz).ravel(), theta)),
        }

    def told(self, numbers: Mapping[str, Any]) -> dict[str, np.ndarray]:
        return {"bcm_crossing": np.array([numbers["bcm"][key] for key in ("crossing_hz", "low_hz", "high_hz")])}

    def numbers(self, a: Arrays) -> dict[str, Any]:
        crossing, low, high = a["bcm_crossing"].tolist()
        told = {"theta_hz": self.theta(), "crossing_hz": crossing, "low_hz": low, "high_hz": high, "slope": self.slope()}
        return {"bcm": told}

    def checks(self, a: Arrays) -> Iterable[Check]:
        theta = self.theta()
        yield near(
            f"zero crossing of dw/dt under Poisson trains, {BCM_ROW}, rx = {self.bcm_pre_hz:g} Hz (Hz)", theta,
            a["bcm_crossing"][0], 0.03 * theta, kind="closed_form",
            source=f"theory of independent Poisson trains, {PAPER}",
        )  # fmt: skip

    def figures(self, a: Arrays) -> Mapping[str, Drawing]:
        theta, slope, rate = self.theta(), self.slope(), a["bcm_post_hz"]
        fine = np.linspace(rate[0] * 0.97, rate[-1] * 1.03, 100)
        found = panel(
            level(0),
            span(*a["bcm_crossing"][1:], color=ORANGE, alpha=0.35, label="measured crossing, 95 %"),
            theory(fine, lambda post: slope * post * (post - theta), color=BLUE, label="theory"),
            moment(theta, color=BLUE, linestyle=":", linewidth=1, label=f"theta = {theta:.2f} Hz"),
            measured(rate, a["bcm_speed"], 1.96 * a["bcm_sem"], color=VERMILION, label="simulated in Brian2, 95 %"),
            x="postsynaptic rate (Hz)", y="change of the weight per second", legend="best", size=(5.2, 3.4),
            title=f"{row_title(BCM_ROW)}, presynaptic rate {self.bcm_pre_hz:g} Hz",
        )  # fmt: skip
        return {"bcm_threshold": found}

    def theta(self) -> float:
        """In Hz, of the row and presynaptic rate here."""
        return bcm_threshold(triplet_stdp(BCM_ROW), self.bcm_pre_hz * Hz)

    def slope(self) -> float:
        """Of dw/dt = slope ry (ry - theta), with ry and theta in Hz."""
        p = triplet_stdp(BCM_ROW).parameters
        return float(p["A3_plus"] * p["tau_plus"] * p["tau_y"] * self.bcm_pre_hz * Hz * Hz * Hz * second)


def bcm_threshold(rule: Rule, pre_rate: Quantity) -> float:
    """theta in Hz: where dw/dt of the all-to-all triplet rule is 0 under independent Poisson trains (docstring above)."""
    p = rule.parameters
    down = p["A2_minus"] * p["tau_minus"] + p["A3_minus"] * p["tau_minus"] * p["tau_x"] * pre_rate
    theta = (down - p["A2_plus"] * p["tau_plus"]) / (p["A3_plus"] * p["tau_plus"] * p["tau_y"])
    assert get_dimensions(theta) == Hz.dim
    return float(theta / Hz)


if __name__ == "__main__":
    script(BcmThreshold.name)
