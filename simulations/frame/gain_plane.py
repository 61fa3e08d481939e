"""What the plane of `attention_map` is made of: its rules, their linear theory, and what is said of each condition and of all."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from brian2 import Hz, ms, second

from plasticity.rules import Rule, pair_stdp, synaptic_scaling, triplet_stdp
from plasticity.statistics import paired_difference, same_signs, scale_to, told_p
from plasticity.weight_drift import LinearDrift
from simulations.frame.checks import Check, beyond, no_difference, within

RULES = ("soft_bounds", "additive", "homeostatic", "triplet")
LAW = ("soft_bounds", "additive")  # rules of which the noise correlation alone says the sign
THEORY = "linear theory, doi:10.1103/PhysRevE.59.4498; two pools: doi:10.1007/s00422-009-0319-4"
OWN = "statement of this simulation"
Row = Mapping[str, Any]


class Point(NamedTuple):
    """One condition."""

    rule: str
    tau_c_ms: float
    dt_ms: float
    gain: float
    fluctuation: float


def plane_rule(name: str, A_plus: float, alpha: float, mu: float, beta: float, rho0_hz: float) -> tuple[Rule, float]:
    """The rule of this name of `RULES` and the exponent of its bounds; parameters are the settings of `attention_map`."""
    if name in LAW:
        return pair_stdp(A_plus=A_plus, A_minus=alpha * A_plus), mu if name == "soft_bounds" else 0.0
    pair = {"A2_plus": A_plus, "A2_minus": alpha * A_plus, "A3_plus": 0.0, "A3_minus": 0.0}
    times, tau_rate = {"tau_plus": 20 * ms, "tau_minus": 20 * ms}, 1 * second
    if name == "triplet":
        times = {"tau_plus": 16.8 * ms, "tau_minus": 33.7 * ms, "tau_y": 114 * ms}
        strength = 6.5e-3 / 2
        threshold = strength * float(times["tau_plus"] * times["tau_y"] / times["tau_minus"]) * rho0_hz
        pair = {"A2_plus": 0.0, "A2_minus": threshold, "A3_plus": strength, "A3_minus": 0.0}
        mu, beta, tau_rate = 0.0, 25 * beta, 100 * ms
    both = triplet_stdp(**pair, **times) + synaptic_scaling(beta=beta, rho0=rho0_hz * Hz, tau_rate=tau_rate)
    return dataclasses.replace(both, parts=()), mu


def drift_of(of: tuple[Rule, float], drive: np.ndarray, rate: np.ndarray, **inputs: Any) -> LinearDrift:
    """The linear theory of a `plane_rule` for a neuron that fires at this rate (Hz) at this drive (Hz), in any order."""
    rule, mu = of
    p: dict[str, Any] = {name.replace("A_", "A2_"): float(value) for name, value in rule.parameters.items() if name != "tau_rate"}
    order = np.argsort(drive)
    return LinearDrift(**p, mu=mu, drive=drive[order], rate=np.maximum.accumulate(rate[order]), **inputs)


def predicted(
    points: Sequence[Point], theories: Mapping[tuple[str, float], LinearDrift], w_start: float, duration_s: float
) -> np.ndarray:
    """What the theory of its rule and time constant says of each point: mean weights of both groups, (points, 2)."""
    found = np.zeros((len(points), 2))
    for (rule, tau), theory in theories.items():
        own = [k for k, p in enumerate(points) if (p.rule, p.tau_c_ms) == (rule, tau)]
        plane = np.array([(points[k].gain, points[k].fluctuation) for k in own])
        found[own] = theory.weights(plane[:, 0], plane[:, 1], w_start, duration_s)
    return found


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


def checks(
    found: Mapping[str, Mapping[str, Any]], points: Sequence[Point], a: Mapping[str, np.ndarray], tau_c_ms: Sequence[float],
    dt_ms: Sequence[float],
) -> Iterable[Check]:  # fmt: skip
    """Those of `attention_map`: of `signs` by rule, and of the arrays of the points, the planes of all rules before the rest."""
    for rule, told in found.items():
        yield from _of_signs(rule, told)
        yield from _of_cortex(rule, points, a)
    yield from _of_times(points, a, tau_c_ms, dt_ms)


def _of_signs(rule: str, found: Mapping[str, Any]) -> Iterable[Check]:
    """What `signs` found of a rule, held to the theory and, where that says so, to the noise correlation."""
    of, least = found["decided"], 0.5 ** found["decided"]
    told = f"{found['theory']} of {of}, sign test {told_p(found['theory_p'], least, 1)}"
    yield within(
        f"{rule}: sign of the difference where its interval leaves out 0", found["theory"], 0.9 * of, kind="closed_form",
        source=THEORY, published="that of the theory at 90 % of the points or more", told=told,
    )  # fmt: skip
    if rule in LAW:
        told = f"{found['noise_correlation']} of {of}, sign test {told_p(found['noise_correlation_p'], least, 1)}"
        yield within(
            f"{rule}: the attended synapses win where attention raises the noise correlation", found["noise_correlation"],
            0.9 * of, kind="closed_form", source=THEORY, told=told, published="the same sign at 90 % of the points or more",
        )  # fmt: skip
    yield within(
        f"{rule}: difference, simulated over predicted", found["simulated_over_theory"], 0.7, 1.3, kind="closed_form",
        source=THEORY,
    )  # fmt: skip


def _of_cortex(rule: str, points: Sequence[Point], a: Mapping[str, np.ndarray]) -> Iterable[Check]:
    """Gains of cortex with a lower noise correlation favour the ignored synapses."""
    first = points[0]
    calm = [k for k, p in enumerate(points) if p[:3] == (rule, *first[1:3]) and 1 < p.gain <= 1.5 and p.fluctuation <= 1]
    if calm and rule in LAW:
        d, (attended, ignored) = paired_difference(*a["weights"][calm].mean(axis=0).T), a["noise"][calm].mean(axis=(0, 1))
        yield beyond(
            f"{rule}: gains to 1.5 with a lower noise correlation, as in V4", d, below=0, kind="own", source=OWN,
            told=f"{d} at {100 * attended / ignored:.0f} % of the noise correlation",
        )  # fmt: skip


def _of_times(
    points: Sequence[Point], a: Mapping[str, np.ndarray], tau_c_ms: Sequence[float], dt_ms: Sequence[float]
) -> Iterable[Check]:
    """Slow fluctuations favour the attended synapses less, and the time step changes nothing."""
    slow, lines = tau_c_ms[-1], [p for p in points if p.fluctuation == p.gain > 1 and p.rule == points[0].rule]
    if slow > tau_c_ms[0]:
        both = []
        for tau in (tau_c_ms[0], slow):
            own = [points.index(p) for p in lines if (p.tau_c_ms, p.dt_ms) == (tau, dt_ms[0])]
            both.append(-np.diff(a["weights"][own].mean(axis=0), axis=-1)[:, 0])
        zero = np.zeros_like(both[0])
        yield beyond(
            f"rates multiplied: a fluctuation of {slow:g} ms favours the attended less than one of {tau_c_ms[0]:g} ms",
            paired_difference(both[0], both[1]), above=0, kind="own", source=OWN,
            told=" and ".join(f"{paired_difference(found, zero)}" for found in both[::-1]),
        )  # fmt: skip
    for dt in dt_ms[1:]:
        finer = [k for k, p in enumerate(points) if p.dt_ms == dt]
        # apart, as the difference has the one sign on the one line and the other on the other
        for line, alone in (("gain on the mean alone", True), ("rates multiplied", False)):
            fine = [k for k in finer if points[k].fluctuation == (1 if alone else points[k].gain) and points[k].gain > 1]
            coarse = [points.index(points[k]._replace(dt_ms=dt_ms[0])) for k in fine]
            for name, x in (("difference", np.diff(a["weights"], axis=-1)[..., 0]), ("output rate (Hz)", a["output_hz"])):
                d = paired_difference(x[fine].mean(axis=0), x[coarse].mean(axis=0))
                yield no_difference(f"{line}: {name} with a step of {dt:g} ms against {dt_ms[0]:g} ms", d, kind="own", source=OWN)
