"""The window of a plasticity rule: pair after pair of spikes on one synapse for each lag, against the rule's closed form."""

from __future__ import annotations

import dataclasses
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from brian2 import Hz, Quantity, get_dimensions, get_unit, ms, second
from scipy.stats import binomtest

from plasticity import protocols, published, settings
from plasticity.errors import WrongUse, unknown
from plasticity.parallel import Progress
from plasticity.rules import RULES, Rule, named
from plasticity.settings import setting
from simulations.simulation import Check, Outcome, Simulation, script

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from plasticity.records import Record

CLOSEST_MS = 4.0  # cells at smaller lags are left out of the fit


@dataclass(frozen=True)
class StdpWindow(Simulation):
    """The change of a synapse's weight by pairs of spikes, over the lag between them.

    One independent synapse for each lag t_post - t_pre; `repetitions` pairs at `frequency`; simulated in Brian2 and held
    against the rule's closed form, which is a sum over spikes and uses no trace. Any further `--set NAME=VALUE` is a
    parameter of the rule (times in ms, all else in SI units), see `plasticity show RULE`.

    For `pair_stdp` the cells of Bi & Poo 1998 are shown beside it, with the window scaled to them: A_plus and A_minus by least
    squares over the cells of either side, with the rule's own time constants. Cells closer than 4 ms to lag 0 are shown but left
    out of the fit: lags were read off the figure, and two cells at -2.6 and -3.6 ms are strongly potentiated, so that A_minus
    with them would be a third of what it is and its 95 % interval contain 0.
    """

    name: ClassVar[str] = "stdp_window"
    summary: ClassVar[str] = "the pairing protocol on one synapse for any rule, against the rule's closed form"
    source: ClassVar[str] = "protocol of Bi & Poo 1998, doi:10.1523/JNEUROSCI.18-24-10464.1998 (60 pairs at 1 Hz)"
    default_seeds: ClassVar[int] = 1  # nothing is drawn at random
    uses: ClassVar[tuple[str, ...]] = ("pair_stdp",)

    rule: str = setting("pair_stdp", "the plasticity rule, or a sum of two; `plasticity list rules` shows them")
    spikes: str = setting(
        "", "which spikes the traces remember; as the rule has it where empty", choices=("", "all", "nearest", "reduced")
    )
    preset: str = setting("", "a named row of the rule's parameters, for example visual_cortex_all_to_all_full")
    parameters: tuple[str, ...] = setting((), "parameters of the rule as NAME=VALUE; --set NAME=VALUE does the same")
    longest_lag: float = setting(100.0, "lags go from minus to plus this", unit="ms", low=0.1, high=10_000)
    lag_step: float = setting(5.0, "distance of the lags", unit="ms", low=0.1, high=10_000)
    repetitions: int = setting(60, "how many pairs", low=1, high=2000)
    frequency: float = setting(1.0, "pairs in a second", unit="Hz", low=1e-3, high=1000)
    dt: float = setting(1.0, "time step, the grid of spike times; the traces are exact at any", unit="ms", low=1e-3, high=100)

    @classmethod
    def configure(cls, values: Mapping[str, Any]) -> StdpWindow:
        """As of any simulation; a key that is no setting is a parameter of the rule."""
        known = {entry.name for entry in settings.describe(cls)}
        own = {name: value for name, value in values.items() if name in known}
        further = tuple(f"{name}={value}" for name, value in values.items() if name not in known)
        made = settings.configure(cls, own)
        for name in settings.parse(further):
            if name not in named(made.rule).parameters:
                both = [*named(made.rule).parameters, *known]
                raise unknown(f"setting of {cls.name} or parameter of {made.rule}", name, both)
        if abs(made.lag_step / made.dt - round(made.lag_step / made.dt)) > 1e-9:
            raise WrongUse(f"lag_step={made.lag_step:g} ms must be a multiple of dt={made.dt:g} ms; set dt=0.1, for example.")
        made = dataclasses.replace(made, parameters=(*made.parameters, *further))
        rule = made.chosen_rule()  # refuses what it does not know before anything runs
        if not rule.has_closed_form:
            exact = ", ".join(name for name, each in RULES.items() if each.has_closed_form)
            raise WrongUse(f"{rule.name} has no closed form for pairs of spikes; stdp_window takes one of {exact}.")
        return made

    def chosen_rule(self) -> Rule:
        """The rule with its preset and parameters; a number gets the unit of the parameter's default, ms for a time."""
        rule = named(self.rule)
        if self.preset:
            rule = rule(self.preset)
        if self.spikes:
            rule = rule.with_traces(self.spikes)
        changes: dict[str, float | Quantity] = {}
        for name, text in settings.parse(self.parameters).items():
            dimension = get_dimensions(rule.parameters[name]) if name in rule.parameters else second.dim
            unit = ms if dimension == second.dim else get_unit(dimension)
            try:
                value = float(text)
            except ValueError:
                of = f" of {unit}" if name in rule.parameters and not dimension.is_dimensionless else ""
                raise WrongUse(f"{self.rule}: {name}={text!r} is not a number{of}.") from None
            changes[name] = value if dimension.is_dimensionless else value * unit
        return rule(**changes)

    def run(self, seeds: Sequence[int], jobs: int, progress: Progress) -> Outcome:
        """The window by simulation and by closed form; seeds change nothing."""
        rule = self.chosen_rule()
        count = int(self.longest_lag / self.lag_step + 1e-9)
        lags = np.arange(-count, count + 1) * self.lag_step
        step = self.dt * ms
        pre, post = protocols.pairs(lags * ms, self.repetitions, self.frequency * Hz, step)
        simulated = protocols.weight_change(rule, pre, post, dt=step)
        progress(0.9)
        expected = _closed_form(rule, pre, post)
        fine = np.linspace(-1, 1, 401) * count * self.lag_step
        line = _closed_form(rule, *protocols.pairs(fine * ms, self.repetitions, self.frequency * Hz, 1e-3 * ms))
        difference = float(np.abs(simulated - expected).max())
        scale = float(np.abs(expected).max()) or 1.0
        numbers, checks, arrays = self.beside_cells(rule, line, fine) if rule.name == "pair_stdp" else ({}, [], {})
        progress(1.0)
        return Outcome(
            numbers={
                **numbers,
                "largest_potentiation": float(max(simulated.max(), 0.0)),
                "largest_depression": float(min(simulated.min(), 0.0)),
                "largest_difference": difference,
                "lags": len(lags),
                "parameters": {name: str(value) for name, value in rule.parameters.items()},
            },
            checks=[
                Check(
                    name="largest |simulated - closed form| over the largest change",
                    published=0.0,
                    ours=difference / scale,
                    tolerance=1e-12,  # rounding of a sum over the pairs
                    source=f"closed form of {rule.name}: {rule.source}",
                ),
                *checks,
            ],
            arrays={
                **arrays,
                "lag_ms": np.array([1000 * float(b[0] - a[0]) for a, b in zip(pre, post, strict=True)]),
                "simulated": simulated,
                "closed_form": expected,
                "line_lag_ms": fine,
                "line": line,
            },
        )

    def beside_cells(
        self, rule: Rule, line: np.ndarray, line_lag_ms: np.ndarray
    ) -> tuple[dict[str, Any], list[Check], dict[str, np.ndarray]]:
        """The cells of Bi & Poo 1998, and the window scaled to them by least squares, each side by itself."""
        table = published.bi_poo_1998()
        lag, change = table["lag_ms"], table["change"]
        window = _closed_form(rule, *protocols.pairs(lag * ms, self.repetitions, self.frequency * Hz, 1e-3 * ms))
        fitted = np.zeros_like(line)
        fit = {}
        for name, side, line_side in (
            ("A_plus", lag >= CLOSEST_MS, line_lag_ms > 0),
            ("A_minus", lag <= -CLOSEST_MS, line_lag_ms < 0),
        ):
            x, y = window[side], change[side]
            power = float(x @ x)
            scale = float(x @ y) / power if power else 0.0
            half = 1.96 * float(np.sqrt(((y - scale * x) ** 2).sum() / (len(x) - 1) / power)) if power else 0.0
            A = float(rule.parameters[name])
            fit[name] = {"value": scale * A, "low": (scale - half) * A, "high": (scale + half) * A}
            fitted[line_side] = scale * line[line_side]
        near = np.abs(lag) <= 20
        same, cells = int((np.sign(window[near]) == np.sign(change[near])).sum()), int(near.sum())
        p = float(binomtest(same, cells, alternative="greater").pvalue)
        check = Check(
            name="cells within 20 ms whose change has the sign of the window",
            published="potentiation within 20 ms after, depression within 20 ms before",
            ours=f"{same} of {cells}, p {p:.1g}",
            tolerance="more than by chance, p < 0.05",
            source=table.source,
            passed=p < 0.05,
        )
        return {"fit_to_cells": fit}, [check], {"cells_lag_ms": lag, "cells_change": change, "cells_line": fitted}

    def figures(self, record: Record) -> dict[str, Figure]:
        """The simulated window as dots over the closed form as a line; for the pair rule measured cells beside it."""
        from simulations import figures

        chosen = record.configuration["settings"]
        lag, line = record.arrays["line_lag_ms"], record.arrays["line"]
        with figures.style():
            beside = "cells_change" in record.arrays
            half = 500 / chosen["frequency"]  # ms
            far = max(abs(lag)) > half
            below = {"loc": "upper left", "bbox_to_anchor": (0, -0.16), "borderaxespad": 0}  # a legend covers nothing there
            figure, axes = figures.new(9.0 if beside else 5.5, 4.6 if beside else 4.3, 1, 2 if beside else 1)
            for axis in axes[0]:
                axis.axhline(0, color=figures.GREY, linewidth=0.8)
                axis.axvline(0, color=figures.GREY, linewidth=0.8)
                axis.set_xlabel("lag $t_\\mathrm{post} - t_\\mathrm{pre}$ (ms)")
            axis = axes[0, 0]
            sides = (lag < 0, lag > 0)  # a pair at lag 0 is not defined
            for k, side in enumerate(sides):
                axis.plot(lag[side], line[side], color=figures.BLUE, label="closed form" if k == 0 else None)
            dots = record.arrays["lag_ms"], record.arrays["simulated"]
            axis.plot(*dots, "o", markersize=4, color=figures.VERMILION, label="simulated in Brian2")
            axis.set_ylabel("change of the weight (no unit)")
            if far:
                note = f"beyond half a period ({half:g} ms): nearer to a neighbouring pair"
                for sign, label in ((-1, note), (1, None)):
                    axis.axvspan(
                        *sorted((sign * half, sign * max(abs(lag)))), color=figures.GREY, alpha=0.2, linewidth=0, label=label
                    )
            title = f"{chosen['rule']}, {chosen['repetitions']} pairs at {chosen['frequency']:g} Hz"
            title = ", ".join(filter(None, (title, chosen["preset"], *chosen["parameters"])))
            axis.set_title(textwrap.fill(title, 70, break_on_hyphens=False), loc="left", fontsize=8)
            axis.legend(**below)
            if beside:
                axis, fit = axes[0, 1], record.numbers["fit_to_cells"]
                at, change = record.arrays["cells_lag_ms"], record.arrays["cells_change"]
                for inside, colour, label in (
                    (np.abs(at) >= CLOSEST_MS, figures.BLACK, "one cell each"),
                    (np.abs(at) < CLOSEST_MS, figures.ORANGE, f"within {CLOSEST_MS:g} ms of 0, not in the fit"),
                ):
                    axis.plot(at[inside], change[inside], "o", markersize=4, color=colour, markerfacecolor="none", label=label)
                words = "\n".join(
                    f"{name} {one['value']:.4f}, 95 % interval {one['low']:.4f} to {one['high']:.4f}" for name, one in fit.items()
                )
                for k, side in enumerate(sides):
                    fitted = f"window, fitted by least squares:\n{words}" if k == 0 else None
                    axis.plot(lag[side], record.arrays["cells_line"][side], color=figures.BLUE, label=fitted)
                axis.set_xlim(-105, 105)
                axis.set_ylabel("relative change of the synaptic current")
                axis.set_title("measured: Bi & Poo 1998, 60 pairs at 1 Hz", loc="left", fontsize=8)
                axis.legend(**below)
        return {"window": figure}


def _closed_form(rule: Rule, pre: Sequence[Quantity], post: Sequence[Quantity]) -> np.ndarray:
    return np.array([rule.change(np.asarray(a), np.asarray(b)) for a, b in zip(pre, post, strict=True)])


if __name__ == "__main__":
    script(StdpWindow)
