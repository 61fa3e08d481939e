"""Does a number depend on the time step? Every experiment that has one, in a short form, at its step and at half of it.

A difference that is no noise says that the step is too long. Each experiment whose step is its setting `dt_ms` runs in a form of
seconds (`Experiment.short`) for every seed at both steps, and every one of its measures is compared: the difference of each seed,
its mean with the 95 % interval (Student), the p of the paired t-test, and these corrected by Holm over the measures of the
experiment. The check fails where a corrected p is 0.05 or less. It shows the measure of the smallest p; how narrow the intervals
are, which is how much could have been seen, stands in the table and in the figure.

The runs of a seed at both steps share what is drawn before a run begins, such as weights at the start and connections. Spikes are
drawn anew in each step, so that single runs differ at both steps as those of two seeds do.

Left out of the check is what is the same in every seed at both steps, as a number of theory is, and a measure that says itself
why it may change (`Measure.time_step`); both are shown. Why the other experiments have no such setting, `plasticity show NAME`
says.

Source of the comparison at half the step: Richardson 1911, doi:10.1098/rsta.1911.0009.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from scipy.stats import ttest_1samp

from bridges.comparison.tables import many
from plasticity.errors import unknown
from plasticity.files import read_npz, write_npz
from plasticity.parallel import Progress
from plasticity.settings import setting
from plasticity.statistics import finite, holm, interval
from simulations.figures import BLUE, GREY
from simulations.figures.kinds import moment, page, panel
from simulations.frame.checks import Check, no_difference
from simulations.frame.execute import script
from simulations.frame.experiment import Arrays, Experiment, Measure, Session, Table

if TYPE_CHECKING:
    from simulations.figures.kinds import Drawing

OWN = "statement of this project: its numbers are not those of its time step; Richardson 1911, doi:10.1098/rsta.1911.0009"
ROUNDING = 1e-9  # of a number: what differs by less does not differ
STEPS = (1.0, 0.5)  # in units of an experiment's own


@dataclass(frozen=True)
class TimeSteps(Experiment):
    __doc__ = __doc__

    name: ClassVar[str] = "time_steps"
    summary: ClassVar[str] = (
        "every experiment with a time step, in a short form, at its step and at half of it: no measure changes"
    )
    source: ClassVar[str] = "Richardson 1911, doi:10.1098/rsta.1911.0009"
    default_seeds: ClassVar[int] = 6
    keeps: ClassVar[bool] = True
    uses: ClassVar[tuple[str, ...]] = ("pair_stdp", "lif_conductance")
    measures: ClassVar[tuple[Measure, ...]] = ()
    time_step: ClassVar[str] = "None of its own: those of the experiments that it runs."

    experiments: tuple[str, ...] = setting((), "which experiments; empty: all that have a time step")

    def refuse(self) -> None:
        known = [kind.name for kind in stepped()]
        for name in self.experiments:
            if name not in known:
                raise unknown("experiment with a time step", name, known)

    def chosen(self) -> list[type[Experiment]]:
        """Those that are run, in their order."""
        return [kind for kind in stepped() if not self.experiments or kind.name in self.experiments]

    def collect(self, session: Session) -> dict[str, np.ndarray]:
        """Of each experiment, by its name, its measures at its step and at half of it, (2, measures, seeds)."""
        found: dict[str, np.ndarray] = {}
        chosen = self.chosen()
        for k, kind in enumerate(chosen):
            kept = session.folder and session.folder / f"{kind.name}.npz"
            if kept and kept.exists():
                found |= read_npz(kept)
                continue
            seeds = list(session.seeds) if kind.seeded else list(session.seeds)[:1]

            def run(item: tuple[float, int], tell: Progress, kind: type[Experiment] = kind) -> list[float]:
                made = kind.configure({**kind.short, "dt_ms": item[0] * step_of(kind)})
                numbers = made.numbers(made.collect(Session([item[1]])))
                return [measure.of(numbers) for measure in kind.measures or ()]

            items = [(step, seed) for step in STEPS for seed in seeds]
            part = session.part(k / len(chosen), (k + 1) / len(chosen))
            part = replace(part, jobs=session.jobs if kind.compiled else 1)  # Brian2's NumPy target has one thread inside
            runs = dict(part.each(run, items, cost=lambda item: 1 / item[0]))
            found[kind.name] = np.array([[runs[step, seed] for seed in seeds] for step in STEPS]).swapaxes(1, 2)
            if kept:
                write_npz(kept, {kind.name: found[kind.name]})
        return found

    def numbers(self, a: Arrays) -> dict[str, Any]:
        return {"changes": [row for kind in self.chosen() for row in changes(kind, a[kind.name])]}

    def checks(self, a: Arrays) -> Iterable[Check]:
        for kind in self.chosen():
            rows = changes(kind, a[kind.name])
            held = [row for row in rows if row["holm"] is not None]
            if kind.seeded and not held:  # in too few runs
                continue
            if held:
                worst = min(held, key=lambda row: (row["holm"], row["p"]))
                told = f"{worst['measure']} {in_words(worst)}, Holm p {worst['holm']:.2g}"
                told += f", the smallest of {many(len(held), 'measure')}"
                p = [row["holm"] for row in held]
            else:  # nothing is drawn at random
                worst = max(rows, key=lambda row: abs(row["percent"] or 0.0))
                told, p = f"{worst['measure']} {in_words(worst)}", [float(abs(worst["percent"] or 0.0) <= 100 * ROUNDING)]
            yield no_difference(
                f"{kind.name}: half of its {step_of(kind):g} ms changes no measure", p=p, told=told, kind="own", source=OWN,
                published="no difference to the step itself", tolerance="no p of Holm below 0.05",
            )  # fmt: skip

    @classmethod
    def tables(cls, numbers: Mapping[str, Any]) -> dict[str, Table]:
        heads = ["experiment", "step (ms)", "measure", "value and change at half the step", "Holm p"]
        body = [
            [row["experiment"], f"{row['dt_ms']:g}", row["measure"], in_words(row), row["left_out"] or f"{row['holm']:.2g}"]
            for row in numbers["changes"]
        ]
        return {"change of every measure at half the step": (heads, body)}

    def figures(self, a: Arrays) -> Mapping[str, Drawing]:
        rows = [row for row in self.numbers(a)["changes"] if row["percent"] is not None][::-1]
        seeds = max(array.shape[2] for array in a.values())

        def draw(axis: Any) -> None:
            for place, row in enumerate(rows):
                colour = GREY if row["left_out"] else BLUE
                if row["low"] is not None:
                    axis.hlines(
                        place, *(100 * row[end] / abs(row["value"]) for end in ("low", "high")), color=colour, linewidth=1.5
                    )
                axis.plot(row["percent"], place, "o", color=colour, markersize=3.5)
            axis.set_yticks(range(len(rows)), [f"{row['experiment']}: {row['measure']}" for row in rows], fontsize=6)
            axis.set_ylim(-1, len(rows))
            axis.set_xscale("symlog", linthresh=1)
            axis.set_xticks([-100, -10, -1, 0, 1, 10, 100], ["-100", "-10", "-1", "0", "1", "10", "100"])

        caption = f"blue: checked, grey: shown alone; mean and 95 % interval, {seeds} seeds"
        shown = panel(draw, moment(0), x="change at half the step (% of the number; linear within 1 %)")
        return {"changes": page([shown], size=(7.2, 1.2 + 0.135 * len(rows)), caption=caption)}


def stepped() -> list[type[Experiment]]:
    """The experiments that have a short form, in their order."""
    from simulations import SIMULATIONS

    return [kind for kind in SIMULATIONS.values() if kind.short]


def step_of(kind: type[Experiment]) -> float:
    """The time step of an experiment by default, in ms."""
    return float(kind().dt_ms)  # type: ignore[attr-defined]


def changes(kind: type[Experiment], values: np.ndarray) -> list[dict[str, Any]]:
    """What half the step does to each measure, from their `values` (2, measures, seeds); low, high, p None where unknown."""
    rows: list[dict[str, Any]] = []
    for measure, (coarse, fine) in zip(kind.measures or (), values.swapaxes(0, 1), strict=True):
        known = np.isfinite(coarse) & np.isfinite(fine)
        apart, mean = (fine - coarse)[known], float(coarse[known].mean()) if known.any() else math.nan
        same = bool(known.any() and np.ptp([coarse[known], fine[known]]) <= ROUNDING * abs(mean))
        low, high = interval(apart)
        told = len(apart) > 2 and not same
        rows.append({
            "experiment": kind.name, "dt_ms": step_of(kind), "measure": measure.name, "unit": measure.unit, "value": finite(mean),
            "difference": finite(apart.mean() if known.any() else math.nan), "low": finite(low), "high": finite(high),
            "percent": finite(100 * float(apart.mean()) / abs(mean)) if known.any() and mean else None,
            "p": float(ttest_1samp(apart, 0.0).pvalue) if told else None,
            "left_out": measure.time_step or ("" if told else "the same in all runs" if same else "in too few runs"),
        })  # fmt: skip
    held = [row for row in rows if not row["left_out"]]
    corrected = iter(holm([row["p"] for row in held])) if held else iter(())
    return [row | {"holm": None if row["left_out"] else float(next(corrected))} for row in rows]


def table(numbers: Mapping[str, Any]) -> Table:
    """Of each experiment the measure that changes most surely at half the step, and how narrow the intervals are."""
    heads = ["experiment", "step, ms", "measures", "most surely changes", "value, change at half the step [95 %]"]
    heads += ["Holm p", "half the interval, % of the number"]
    body = []
    for name in dict.fromkeys(row["experiment"] for row in numbers["changes"]):
        rows = [row for row in numbers["changes"] if row["experiment"] == name]
        held = [row for row in rows if not row["left_out"]] or rows
        worst = min(held, key=lambda row: math.inf if row["p"] is None else row["p"])
        wide = [50 * (row["high"] - row["low"]) / abs(row["value"]) for row in held if row["low"] is not None and row["value"]]
        told = [
            "-" if worst["p"] is None else f"{worst['holm']:.2g}",
            " to ".join(f"{x:.2g}" if x < 10 else f"{x:.0f}" for x in sorted({min(wide), max(wide)})) if wide else "exact",
        ]
        body.append([f"`{name}`", f"{worst['dt_ms']:g}", str(len(held)), worst["measure"], in_words(worst), *told])
    return heads, body


def in_words(row: Mapping[str, Any]) -> str:
    """A number at its step, and by how much it changes at half of it, with the interval."""
    if row["value"] is None or row["difference"] is None:
        return "no number"
    change = f"{row['difference']:+.3g}"
    change += "" if row["low"] is None else f" [{row['low']:+.3g}, {row['high']:+.3g}]"
    return f"{row['value']:.4g}{' ' if row['unit'] else ''}{row['unit']}, {change}"


if __name__ == "__main__":
    script(TimeSteps.name)
