"""The figures of `attention_map`: the plane of gain and common fluctuation, and what follows from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from simulations.figures.kinds import Layer, Page, Panel, keyed, level, line, measured, page, panel, span
from simulations.figures.style import BLACK, BLUE, GREEN, GREY, ORANGE, SKY, VERMILION

Rows = Sequence[Mapping[str, Any]]
GAIN, FLUCTUATION = "gain on the mean rate (no unit)", "factor on the common fluctuation\n(no unit)"
DIFFERENCE = "mean weight, attended minus ignored (no unit)"
PHYSIOLOGY, V4 = (1.1, 1.5), 1.26  # gains of attention; the median in V4 (McAdams & Maunsell 1999)
HALF = 0.5  # about what attention leaves of the noise correlation there (Cohen & Maunsell 2009)
LOOKS: dict[str, dict[str, Any]] = {
    "fluctuation = 1 (mean alone)": {"color": BLUE, "marker": "v"},
    "fluctuation = gain (rates multiplied)": {"color": VERMILION, "marker": "^"},
}
COURSES = ({"color": BLACK, "marker": "o"}, {"color": ORANGE, "marker": "s"}, {"color": GREEN, "marker": "D"},
           {"color": SKY, "marker": "X"})  # fmt: skip


def decided(row: Mapping[str, Any]) -> int:
    """The sign of a difference, 0 where its interval contains 0."""
    return int(row["difference"]["low"] > 0) - int(row["difference"]["high"] < 0)


def logarithmic(axis: Any, gains: Sequence[float], fluctuations: Sequence[float] = ()) -> None:
    """Logarithmic axes with ticks at the values that were simulated."""
    for scale, places, values in (("x", axis.xaxis, gains), ("y", axis.yaxis, fluctuations)):
        if values:
            axis.set(**{f"{scale}scale": "log"})
            places.set_ticks(list(values), [f"{value:g}" for value in values])
            places.set_ticks([], minor=True)


def fluctuation_of_v4(noise_correlation: float) -> float:
    """The factor on the common fluctuation at which the gain of V4 leaves `HALF` of this noise correlation.

    c/(1 - c) goes with fluctuation^2/gain (plasticity.weight_drift.noise_correlation).
    """
    odds = [c / (1 - c) for c in (HALF * noise_correlation, noise_correlation)]
    return float(np.sqrt(V4 * odds[0] / odds[1]))


def plane(planes: Mapping[str, tuple[Rows, np.ndarray]], fine: Sequence[np.ndarray]) -> Page:
    """The difference at each gain and fluctuation, a panel for each rule, and where the theory has its sign turn."""
    rows = [row for found, _ in planes.values() for row in found]
    gains, fluctuations = (sorted({row[name] for row in rows}) for name in ("gain", "fluctuation"))
    largest = min(0.2, max(abs(row["difference"]["mean"]) for row in rows))  # most are small; beyond, the colour stays

    def points(found: Rows) -> Layer:
        def draw(axis: Any) -> Any:
            for sign, marker in ((-1, "v"), (0, "o"), (1, "^")):
                kept = [row for row in found if decided(row) == sign]
                image = axis.scatter(
                    [row["gain"] for row in kept], [row["fluctuation"] for row in kept],
                    c=[row["difference"]["mean"] for row in kept], cmap="PuOr_r", vmin=-largest, vmax=largest, marker=marker,
                    s=80, edgecolors=BLACK, linewidths=0.7, zorder=3,
                )  # fmt: skip
            return image

        return draw

    def turns(difference: np.ndarray) -> Layer:
        def draw(axis: Any) -> None:
            if difference.min() < 0 < difference.max():
                axis.contour(*fine, difference, levels=[0], colors=BLACK, linewidths=2)
            axis.plot([], [], color=BLACK, linewidth=2, label="linear theory: the sign turns")

        return draw

    there = fluctuation_of_v4(float(np.mean([row["noise_correlation_ignored"] for row in rows])))

    def v4(axis: Any) -> None:
        look = {"arrowstyle": "-", "color": BLUE, "linewidth": 2}
        axis.annotate("", (V4, there), (V4, V4**0.5), arrowprops=look, zorder=2)
        axis.plot([V4], [there], "*", color=BLUE, markersize=15, markeredgecolor=BLACK, markeredgewidth=0.7, zorder=4,
                  label="V4: gain 1.26, half of the noise\ncorrelation; line: from all of it")  # fmt: skip

    def one(rule: str, found: Rows, difference: np.ndarray) -> Panel:
        x = fine[0]
        return panel(
            span(*PHYSIOLOGY, label="gains of attention in cortex"), points(found), turns(difference),
            line(x, np.sqrt(x), color=GREY, linestyle="--", label="equal noise correlation,\nfluctuation = $\\sqrt{gain}$"),
            line(x, x, color=GREY, linestyle=":", label="rates multiplied,\nfluctuation = gain"), v4,
            x=GAIN, y=FLUCTUATION, title=rule.replace("_", " "), then=lambda axis: logarithmic(axis, gains, fluctuations),
        )  # fmt: skip

    panels = [one(rule, *found) for rule, found in planes.items()]
    told = "triangle up: attended above ignored, down: below, circle: the 95 % interval contains 0"
    wide = -(-len(panels) // 2) if len(panels) > 1 else 1
    return page(
        *(panels[k : k + wide] for k in range(0, len(panels), wide)), size=(4.2 * wide + 1.2, 3.0 * -(-len(panels) // wide) + 1),
        legend=3, caption=told, bar=DIFFERENCE, bar_look={"shrink": 0.8, "extend": "both"}, outer=True, sharex=True, sharey=True,
    )  # fmt: skip


def bars(values: Sequence[Mapping[str, float]]) -> tuple[np.ndarray, np.ndarray]:
    """Means, and how far their intervals reach to either side."""
    mean, low, high = (np.array([value[name] for value in values]) for name in ("mean", "low", "high"))
    return mean, np.nan_to_num(np.abs(np.stack([mean - low, high - mean])))


def noise(planes: Mapping[str, Rows]) -> Page:
    """The difference against the change of the noise correlation, a panel for each rule, a mark for each gain."""

    def one(rule: str, found: Rows) -> Panel:
        gains = sorted({row["gain"] for row in found})
        layers = [level(0), lambda axis: axis.axvline(0, color=GREY, linewidth=0.8) and None]
        for gain, look in zip(gains, _looks(len(gains)), strict=True):
            kept = [row for row in found if row["gain"] == gain]
            x = [row["noise_correlation"] - row["noise_correlation_ignored"] for row in kept]
            layers.append(measured(x, *bars([row["difference"] for row in kept]), **look, label=f"gain {gain:g}"))
        return panel(
            *layers, x="noise correlation of inputs,\nattended minus ignored (no unit)",
            y="mean weight,\nattended minus ignored (no unit)", title=rule.replace("_", " "),
        )  # fmt: skip

    panels = keyed([one(rule, found) for rule, found in planes.items()], "lower right")
    told = "mean and 95 % interval over seeds; marks of one gain differ by the common fluctuation"
    return page(panels, size=(3.4 * len(panels) + 0.4, 3.6), caption=told)


def _looks(n: int) -> list[dict[str, Any]]:
    colours = (BLACK, BLUE, SKY, GREEN, ORANGE, VERMILION)
    made = [{"color": colour, "fmt": fmt} for colour, fmt in zip(colours, "osvD^P", strict=True)]
    return [made[k % len(made)] for k in range(n)]


def on(found: Rows, which: str) -> Rows:
    """The rows on one of the two lines."""
    return [row for row in found if row["fluctuation"] == (1 if "alone" in which else row["gain"])]


def changes(planes: Mapping[str, Rows]) -> Page:
    """How far attention moves attended and ignored synapses each, a row for either line, a column for each rule."""

    def one(rule: str, found: Rows, which: str) -> Panel:
        rows = on(found, which)
        gains = [row["gain"] for row in rows]
        layers = [span(*PHYSIOLOGY), level(0)]
        for name, colour, marker in (("attended", VERMILION, "o"), ("ignored", BLUE, "s")):
            layers.append(measured(gains, *bars([row[name] for row in rows]), color=colour, fmt=f"-{marker}", label=name))
        title = f"{rule.replace('_', ' ')},\n{which.partition(' (')[0]}"
        return panel(*layers, x=GAIN, y="change of mean weight (no unit)", title=title,
                     then=lambda axis: logarithmic(axis, gains))  # fmt: skip

    lines = [[one(rule, found, which) for rule, found in planes.items()] for which in LOOKS]
    lines[0] = keyed(lines[0], "lower left")
    told = "change from where nothing is singled out; mean and 95 % interval over seeds; shaded: gains of attention in cortex"
    return page(*lines, size=(2.7 * len(planes) + 0.6, 5.6), caption=told, outer=True, sharey=True, sharex=True)


def further(lines: Mapping[tuple[float, float], Rows]) -> Page:
    """The difference against the gain for each time constant of the fluctuation and time step, a panel for each line."""

    def one(which: str) -> Panel:
        layers = [span(*PHYSIOLOGY), level(0)]
        gains: list[float] = []
        for k, ((tau, dt), found) in enumerate(lines.items()):
            rows = on(found, which)
            gains = [row["gain"] for row in rows]
            look = COURSES[k % len(COURSES)]
            x = np.array(gains) * (1 + 0.012 * (k - (len(lines) - 1) / 2))
            label = f"$\\tau_c$ {tau:g} ms, step {dt:g} ms"
            found_here = bars([row["difference"] for row in rows])
            layers.append(measured(x, *found_here, color=look["color"], fmt=look["marker"], label=label))
            layers.append(line(x, [row["theory"]["difference"] for row in rows], color=look["color"], linewidth=1))
        y = DIFFERENCE.replace(", att", ",\natt")
        return panel(*layers, x=GAIN, y=y, title=which, then=lambda axis: logarithmic(axis, gains))

    panels = keyed([one(which) for which in LOOKS], {"loc": "upper left", "fontsize": 7})
    return page(panels, size=(8.0, 3.8), caption="marks: mean and 95 % interval over seeds; lines: linear theory", outer=True,
                sharey=True)  # fmt: skip
