"""Experiments that hold the rows of parameters of triplet STDP, and the best pair rule, against measured changes.

Error. E = mean over the points of ((model - data)/sem)^2.

The pair rule beside it (`plasticity.pair_fit`) is the one of least E, the time constants in two ways: those of the measured
window (16.8 and 33.7 ms, as in the triplet rule), or free between 1 ms and 1 s.

Source: Pfister & Gerstner 2006, doi:10.1523/JNEUROSCI.1425-06.2006.
"""

from __future__ import annotations

import dataclasses
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from plasticity import protocols
from plasticity.errors import WrongUse, unknown
from plasticity.pair_fit import LONGEST_MS, PairFit, best_pair_rule, error
from plasticity.rules import triplet_stdp
from plasticity.settings import setting
from simulations.figures.kinds import Page, Panel, page
from simulations.frame.checks import Check, near, within
from simulations.frame.experiment import Arrays, Experiment, Measure, Session

if TYPE_CHECKING:
    from plasticity.protocols import Trains
    from plasticity.published import Table
    from simulations.figures.kinds import Drawing

PAPER = "Pfister & Gerstner 2006, doi:10.1523/JNEUROSCI.1425-06.2006"
ROWS = tuple(triplet_stdp.presets)
WINDOW_MS = (16.8, 33.7)
PAIRS = {"pair_window": "with the window's time constants", "pair_free": "with free time constants, 1 ms to 1 s"}
FIT = "_fit"  # of the name of the array that holds a pair rule


def of_rows(numbers: Mapping[str, Any]) -> list[float]:
    """E of each row, without the pair rules."""
    return [E for name, E in numbers["error"].items() if name in ROWS]


@dataclass(frozen=True)
class TripletRows(Experiment):
    """Each row and the best pair rules under the protocols of a paper, against its data.

    Arrays: the changes of each row and pair rule, (points,), by its name; pair_window_fit and pair_free_fit, the numbers of a
    `PairFit`. All of them stand in the numbers.
    """

    default_seeds: ClassVar[int] = 1
    seeded: ClassVar[bool] = False
    compiled: ClassVar[bool] = False
    uses: ClassVar[tuple[str, ...]] = ("triplet_stdp", "pair_stdp")
    time_step: ClassVar[str] = (
        "None to converge: between spikes the traces are advanced exactly; the steps of 0.1 ms are a grid of spike times."
    )
    fitted: ClassVar[str]  # the data set that these data are: its rows were fitted to them
    elsewhere: ClassVar[str]  # the experiment that has the data of the other rows
    width: ClassVar[float]  # of a figure, in inches
    head: ClassVar[float]  # of its legend
    alone: ClassVar[tuple[float, float]]  # the size of a figure of one panel
    measures: ClassVar[tuple[Measure, ...]] = (
        Measure("error", "", "E of the rows in `presets`, their mean", of_rows),
        Measure("error_pair_window", "", "E of the best pair rule with the window's time constants", ("error", "pair_window")),
        Measure("error_pair_free", "", "E of the best pair rule with free time constants", ("error", "pair_free")),
    )

    presets: tuple[str, ...] = setting(ROWS, "rows of parameters of triplet_stdp")

    @abstractmethod
    def table(self) -> Table:
        """The data."""

    @abstractmethod
    def trains(self) -> Trains:
        """The spike times of their protocols."""

    @abstractmethod
    def panel(self, a: Arrays, name: str, title: str) -> Panel:
        """A row beside the data and the pair rules."""

    def refuse(self) -> None:
        for name in self.presets:
            if name not in ROWS:
                raise unknown("preset of triplet_stdp", name, ROWS)
        if not self.presets:
            raise WrongUse(f"presets is empty; name at least one row, for example --set presets={ROWS[0]}.")

    def collect(self, session: Session) -> dict[str, np.ndarray]:
        table, (pre, post) = self.table(), self.trains()
        found: dict[str, np.ndarray] = {}
        for name in self.presets:
            found[name] = protocols.weight_change(triplet_stdp(name), pre, post)
            session.progress(len(found) / (len(self.presets) + 4))
        for name, taus in zip(PAIRS, (WINDOW_MS, None), strict=True):
            fit = best_pair_rule(pre, post, table["change"], table["sem"], taus)
            found[name] = protocols.weight_change(fit.rule(), pre, post)
            found[name + FIT] = np.array(dataclasses.astuple(fit))
        return found

    def told(self, numbers: Mapping[str, Any]) -> dict[str, np.ndarray]:
        fits = {name + FIT: list(fit.values()) for name, fit in numbers["pair_rules"].items()}
        return {name: np.array(change) for name, change in {**numbers, **fits}.items() if name in (*ROWS, *PAIRS, *fits)}

    def error(self, a: Arrays, name: str) -> float:
        """E of a row or pair rule."""
        return error(a[name], self.table()["change"], self.table()["sem"])

    def numbers(self, a: Arrays) -> dict[str, Any]:
        changes = {name: a[name].tolist() for name in (*self.presets, *PAIRS)}
        fits = {name: dataclasses.asdict(pair_fit(a[name + FIT])) for name in PAIRS}
        return {**changes, "error": {name: self.error(a, name) for name in changes}, "pair_rules": fits}

    def exact(self, a: Arrays) -> Check:
        """What Brian2 made of the rows is what the sums over spikes say, without traces."""
        times = [(np.asarray(pre), np.asarray(post)) for pre, post in zip(*self.trains(), strict=True)]
        distances = [np.abs(a[name] - [triplet_stdp(name).change(*pair) for pair in times]).max() for name in self.presets]
        title, source = "largest |simulated - closed form| of any row", f"sums over spikes, equations of {PAPER}"
        return near(
            title, 0.0, float(max(distances)), 1e-12, kind="closed_form", source=source
        )  # rounding of sums of at most 14400 terms

    def above(self, a: Arrays, rows: Sequence[str]) -> list[Check]:
        """What no pair rule should reach: an E as low as that of the worst of these triplet rows."""
        checks, worst = [], max(self.error(a, row) for row in rows)
        for name, words in PAIRS.items():
            fit, E = pair_fit(a[name + FIT]), self.error(a, name)
            at_bound = max(fit.tau_plus_ms, fit.tau_minus_ms) > 0.999 * LONGEST_MS
            found = f"tau_plus {fit.tau_plus_ms:.3g} ms, tau_minus {fit.tau_minus_ms:.3g} ms"
            text = f"{E:.3f} ({found}{': the longest allowed, a longer one fits better' if at_bound else ''})"
            measured = name == "pair_window"
            source = f"pair rules fail: {PAPER}" if measured else "statement of this simulation: nor with a window of any length"
            checks.append(
                within(
                    f"E of the best pair rule {words}", E, worst, published=f"above {worst:.2f}, the worst triplet row",
                    told=text, tolerance=f"E >= {worst:.3g}", kind="paper" if measured else "own",
                    source=f"{source}; A_plus and A_minus by non-negative least squares",
                )
            )  # fmt: skip
        return checks

    def figures(self, a: Arrays) -> Mapping[str, Drawing]:
        """A figure for each data set that rows were fitted to, first that of these data; a panel for each row."""
        drawn: dict[str, Drawing] = {}
        for data_set in sorted(("hippocampus", "visual_cortex"), key=lambda one: one != self.fitted):
            names = [name for name in ROWS if name in a and name.startswith(data_set)]
            panels = [self.panel(a, name, f"{row_title(name)}: E = {self.error(a, name):.2f}") for name in names]
            if panels:
                drawn[data_set] = self.page(panels, data_set == self.fitted)
        return drawn

    def page(self, panels: Sequence[Panel], fitted: bool, sharey: bool = True) -> Page:
        """Two panels in a row, one legend above them: one lag after the other, first what was measured."""
        rows = [panels[k : k + 2] for k in range(0, len(panels), 2)]

        def then(axes: np.ndarray) -> None:
            if not fitted:
                were = "These rows were" if len(panels) > 1 else "This row was"
                axes[0, 0].figure.supxlabel(f"{were} fitted to other data: see {self.elsewhere}.", fontsize=8)
            if not sharey:
                of_about_the_same_range(list(axes.flat[: len(panels)]))
                for axis in axes[:-1].flat:
                    axis.set_xlabel("")
                for axis in axes[:, 1:].flat:
                    axis.set_ylabel("")

        return page(
            *rows, size=(self.width, self.head + 2.5 * len(rows)) if len(panels) > 1 else self.alone, legend=2,
            legend_key=lambda label: (label.endswith("\N{MINUS SIGN}10 ms"), not label.startswith("measured")),
            legend_look={"loc": "outside upper left"}, outer=sharey, then=then, sharex=True, sharey=sharey,
        )  # fmt: skip


def of_about_the_same_range(panels: list[Any]) -> None:
    """Panels of about the same range share it; a panel of another one says so."""
    ranges = np.array([axis.get_ylim() for axis in panels])
    usual = np.ptp(ranges, axis=1) < 1.5 * np.ptp(ranges, axis=1).min()
    for axis, alike in zip(panels, usual, strict=True):
        if alike:
            axis.set_ylim(ranges[usual, 0].min(), ranges[usual, 1].max())
        else:
            axis.set_title(f"{axis.get_title('left')} (other scale)", loc="left")


def pair_fit(numbers: np.ndarray) -> PairFit:
    """The pair rule of these six numbers."""
    E, A_plus, A_minus, tau_plus, tau_minus, nearest = numbers.tolist()
    return PairFit(E, A_plus, A_minus, tau_plus, tau_minus, bool(nearest))


def row_title(name: str) -> str:
    """A row's name in words, without its data set."""
    return name.split("_", 2 if name.startswith("visual") else 1)[-1].replace("_", " ").replace("all to all", "all-to-all")
