"""The window of a plasticity rule: pair after pair of spikes on one synapse for each lag, and the rule's closed form if any."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from brian2 import Hz, ms, second
from numpy.typing import ArrayLike

from plasticity import protocols, published, settings
from plasticity.errors import WrongUse, unknown
from plasticity.rules import RULES, Rule, named
from plasticity.settings import setting
from plasticity.statistics import same_signs, scale_to
from simulations.figures.kinds import page
from simulations.figures.stdp_window import cells_over_lag, weight_over_lag
from simulations.frame.checks import Check, near, within
from simulations.frame.execute import script
from simulations.frame.experiment import Arrays, Experiment, Measure

if TYPE_CHECKING:
    from simulations.figures.kinds import Drawing

CLOSEST_MS = 4.0  # cells at smaller lags are left out of the fit


@dataclass(frozen=True)
class StdpWindow(Experiment):
    """The change of a synapse's weight by pairs of spikes, over the lag between them.

    One independent synapse for each lag t_post - t_pre; `repetitions` pairs at `frequency`; simulated in Brian2 and held
    against the rule's closed form, which is a sum over spikes and uses no trace. A rule without one, also one of your own by
    --with, has its window without that check. The weight starts at `w`, has no bounds, and a rule that depends on it has another
    window for another `w`. What a rule does between spikes counts until one period after the last pair, and its noise is left
    out. A rule that needs more of its neurons than spikes (a rate, a membrane potential) has no window.

    Any further `--set NAME=VALUE` is a
    parameter of the rule (times in ms, all else in SI units), see `plasticity show RULE`.

    For `pair_stdp` the cells of Bi & Poo 1998 are shown beside it, with the window scaled to them: A_plus and A_minus by least
    squares over the cells of either side, with the rule's own time constants. Cells closer than 4 ms to lag 0 are shown but left
    out of the fit: lags were read off the figure, and two cells at -2.6 and -3.6 ms are strongly potentiated, so that A_minus
    with them would be a third of what it is and its 95 % interval contain 0.
    """

    name: ClassVar[str] = "stdp_window"
    summary: ClassVar[str] = (
        "the pairing protocol on one synapse for any rule of spikes alone, against the rule's closed form if it has one"
    )
    source: ClassVar[str] = "protocol of Bi & Poo 1998, doi:10.1523/JNEUROSCI.18-24-10464.1998 (60 pairs at 1 Hz)"
    default_seeds: ClassVar[int] = 1
    seeded: ClassVar[bool] = False
    compiled: ClassVar[bool] = False
    uses: ClassVar[tuple[str, ...]] = ("pair_stdp",)
    short: ClassVar[Mapping[str, Any]] = {"longest_lag": 20.0}
    measures: ClassVar[tuple[Measure, ...]] = (
        Measure("largest_potentiation", "", "largest rise of the weight at any lag"),
        Measure("largest_depression", "", "largest fall of the weight at any lag, negative"),
        Measure(
            "fitted_A_plus",
            "",
            "A_plus of the window fitted to the cells of Bi & Poo 1998; of pair_stdp alone",
            ("fit_to_cells", "A_plus"),
        ),
        Measure("fitted_A_minus", "", "A_minus of that window", ("fit_to_cells", "A_minus")),
    )

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
    w: float = setting(0.0, "the weight at the start, which matters to rules that depend on it", low=-1e6, high=1e6)
    dt_ms: float = setting(1.0, "time step, the grid of spike times; the traces are exact at any", "ms", low=1e-3, high=100)

    @classmethod
    def configure(cls, values: Mapping[str, Any]) -> StdpWindow:
        """As of any experiment; a key that is no setting is a parameter of the rule."""
        known = {entry.name for entry in settings.describe(cls)}
        own = {name: value for name, value in values.items() if name in known}
        further = tuple(f"{name}={value}" for name, value in values.items() if name not in known)
        made = settings.configure(cls, own)
        parameters = named(made.rule).parameters
        for name in (name for name in settings.parse(further) if name not in parameters):
            raise unknown(f"setting of {cls.name} or parameter of {made.rule}", name, [*parameters, *known])
        if abs(made.lag_step / made.dt_ms - round(made.lag_step / made.dt_ms)) > 1e-9:
            raise WrongUse(
                f"lag_step={made.lag_step:g} ms must be a multiple of dt_ms={made.dt_ms:g}; set dt_ms=0.1, for example."
            )
        made = replace(made, parameters=(*made.parameters, *further))
        rule = made.chosen_rule()  # refuses what it does not know before anything runs
        if rule.needs:
            fit = ", ".join(name for name, each in RULES.items() if not each.needs)
            raise WrongUse(
                f"{rule.name} needs {', '.join(rule.needs)} of its neurons, not spikes alone; stdp_window takes one of {fit}."
            )
        return made

    def chosen_rule(self) -> Rule:
        """The rule with its preset and parameters; a number gets the unit of the parameter's default, ms for a time."""
        rule = named(self.rule)(self.preset or None)
        return (rule.with_traces(self.spikes) if self.spikes else rule).with_texts(settings.parse(self.parameters))

    def pairs(self, lag_ms: ArrayLike, dt_ms: float = 1e-3) -> protocols.Trains:
        """Spike times of the pairs, one synapse for each lag."""
        return protocols.pairs(np.asarray(lag_ms) * ms, self.repetitions, self.frequency * Hz, dt_ms * ms)

    def run(self, seed: int) -> Arrays:
        """The window by simulation and, where there is one, by closed form; for the pair rule the cells of Bi & Poo 1998."""
        rule, count = self.chosen_rule(), int(self.longest_lag / self.lag_step + 1e-9)
        pre, post = self.pairs(np.arange(-count, count + 1) * self.lag_step, self.dt_ms)
        fine = np.linspace(-1, 1, 401) * count * self.lag_step
        until = (max(float(train[-1]) for train in (*pre, *post)) + 1 / self.frequency) * second if rule.drift.strip() else None
        quiet = replace(rule, noise="")
        found = {
            "lag_ms": np.array([1000 * float(b[0] - a[0]) for a, b in zip(pre, post, strict=True)]),
            "simulated": protocols.weight_change(quiet, pre, post, w=self.w, dt=self.dt_ms * ms, until=until),
        }
        if rule.has_closed_form:
            found |= {
                "closed_form": protocols.closed_form(rule, pre, post),
                "line_lag_ms": fine,
                "line": protocols.closed_form(rule, *self.pairs(fine)),
            }
        if rule.name == "pair_stdp":
            table = published.bi_poo_1998()
            found |= {"cells_lag_ms": table["lag_ms"], "cells_change": table["change"]}
            sides = [scale * found["line"] for scale, _ in self.scales(found).values()]
            found["cells_line"] = np.select([fine > 0, fine < 0], sides)
        return found

    def at_cells(self, a: Arrays) -> np.ndarray:
        """The closed form at the lags of the cells."""
        return protocols.closed_form(self.chosen_rule(), *self.pairs(a["cells_lag_ms"]))

    def scales(self, a: Arrays) -> dict[str, tuple[float, float]]:
        """What the window of either side is multiplied by to fit the cells, and half of its 95 % interval."""
        window, lag, change = self.at_cells(a), a["cells_lag_ms"], a["cells_change"]
        sides = {"A_plus": lag >= CLOSEST_MS, "A_minus": lag <= -CLOSEST_MS}
        return {name: scale_to(window[side], change[side]) for name, side in sides.items()}

    def numbers(self, a: Arrays) -> dict[str, Any]:
        rule, fitted = self.chosen_rule(), {}
        for name, (scale, half) in self.scales(a).items() if "cells_change" in a else ():
            A = float(rule.parameters[name])
            fitted[name] = {"value": scale * A, "low": (scale - half) * A, "high": (scale + half) * A}
        exact = "closed_form" in a
        return ({"fit_to_cells": fitted} if fitted else {}) | {
            "largest_potentiation": float(max(a["simulated"].max(), 0.0)),
            "largest_depression": float(min(a["simulated"].min(), 0.0)),
            **({"largest_difference": float(np.abs(a["simulated"] - a["closed_form"]).max())} if exact else {}),
            "lags": len(a["lag_ms"]),
            "parameters": {name: settings.written(value) for name, value in rule.parameters.items()},
        }

    def checks(self, a: Arrays) -> Iterable[Check]:
        rule = self.chosen_rule()
        if "closed_form" not in a:
            return
        difference, scale = np.abs(a["simulated"] - a["closed_form"]).max(), np.abs(a["closed_form"]).max() or 1.0
        yield near(
            "largest |simulated - closed form| over the largest change", 0.0, difference / scale,
            1e-12,  # rounding of a sum over the pairs
            kind="closed_form", source=f"closed form of {rule.name}: {rule.source}",
        )  # fmt: skip
        if "cells_change" in a:
            closer = np.abs(a["cells_lag_ms"]) <= 20
            same, cells, p = same_signs(self.at_cells(a)[closer], a["cells_change"][closer])
            yield within(
                "cells within 20 ms whose change has the sign of the window", p, high=0.05, strict=True,
                published="potentiation within 20 ms after, depression within 20 ms before",
                told=f"{same} of {cells}, p {p:.1g}", tolerance="more than by chance, p < 0.05",
                kind="authors", source=published.bi_poo_1998().source,
            )  # fmt: skip

    def figures(self, a: Arrays) -> Mapping[str, Drawing]:
        """The simulated window as dots, the closed form as a line if there is one; for the pair rule measured cells too."""
        title = f"{self.rule}, {self.repetitions} pairs at {self.frequency:g} Hz" + (f", w = {self.w:g}" if self.w else "")
        shown = [weight_over_lag(a, ", ".join(filter(None, (title, self.preset, *self.parameters))), 500 / self.frequency)]
        if "cells_change" not in a:
            return {"window": page(shown, size=(5.5, 4.3))}
        return {"window": page([*shown, cells_over_lag(a, self.numbers(a)["fit_to_cells"], CLOSEST_MS)], size=(9.0, 4.6))}


if __name__ == "__main__":
    script(StdpWindow.name)
