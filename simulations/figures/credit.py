"""The figures of `credit_assignment`: changes against gradients, plasticity beside backprop."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from plasticity.statistics import AMOUNT, PERCENT
from simulations.figures.kinds import Page, Panel, band, columns, for_each, level, means, page, panel, root_x
from simulations.figures.style import BLACK, BLUE, GREEN, GREY, ORANGE, PURPLE, VERMILION, over_seeds

LOOKS: dict[str, dict[str, Any]] = {
    "attention_gated": {"color": VERMILION, "linestyle": "-", "marker": "o"},
    "mirrored_feedback": {"color": GREEN, "linestyle": "--", "marker": "D"},
    "random_feedback": {"color": BLUE, "linestyle": "-", "marker": "s"},
    "shuffled_feedback": {"color": PURPLE, "linestyle": "-.", "marker": "^"},
    "reward_only": {"color": ORANGE, "linestyle": "--", "marker": "v"},
    "hebbian": {"color": BLACK, "linestyle": ":", "marker": "P"},
}
SIDES: dict[str, dict[str, Any]] = {
    "plasticity": {"color": VERMILION, "linestyle": "-", "marker": "o"},
    "backprop": {"color": BLUE, "linestyle": "--", "marker": "D"},
    "plain_backprop": {"color": GREEN, "linestyle": ":", "marker": "s", "label": "backprop without dropout and decay"},
}
DELETED = ("inputs to hidden", "hidden to output")
RIGHT = "test trials answered rightly (%)"
SHOWN = "presentations (trials)"


def directions(
    at: np.ndarray,
    rules: Sequence[str],
    layers: Sequence[str],
    cosine: np.ndarray,
    permuted: np.ndarray,
    accuracy: np.ndarray,
    shared: float,
) -> Page:
    """cosine (seeds, rules, looks, layers), that of permuted changes (seeds, looks, layers), accuracy (seeds, rules, looks)."""
    looks = {rule: LOOKS[rule] | {"markersize": 5} for rule in rules}
    beside = [at * (1 - 0.015 * k) for k in range(len(rules))]
    panels = [
        panel(
            level(0, linewidth=0.6),
            *for_each(means, looks, beside, np.moveaxis(cosine[..., k], 1, 0), within=(-1, 1)),
            *([means(at, permuted[..., k], color=GREY, linestyle=":", label="permuted")] if k < 2 else []),
            x=SHOWN, y="cosine with minus the gradient", title=f"{layer} weights", ylim=(-1.05, 1.05),
            then=root_x((0, 1000, 5000)),
        )
        for k, layer in enumerate(layers)
    ]  # fmt: skip
    learnt = for_each(means, looks, beside, 100 * np.moveaxis(accuracy, 1, 0), within=PERCENT, shared=shared)
    told = panel(*learnt, x=SHOWN, y=RIGHT, title="accuracy", ylim=(0, 103), then=root_x((0, 1000, 5000)))
    rows = [[panels[0], panels[1]], [*panels[2:], told]]
    return page(*rows, size=(8.4, 6.6), legend=4, caption=over_seeds(len(cosine)))


def likeness(pairs: Sequence[str], found: np.ndarray) -> Page:
    """Centred kernel alignment of pairs, (seeds, pairs)."""
    drawn = panel(
        level(0, linestyle=":", label="trials permuted"),
        columns([textwrap.fill(name, 16) for name in pairs], list(found.T), (VERMILION, *[GREY] * 3, VERMILION, BLUE)),
        y="linear centred kernel alignment", ylim=(-0.05, 1.05), title="hidden layer, test trials", legend="best",
    )  # fmt: skip
    return page([drawn], size=(9.0, 4.2), caption="small: each seed; " + over_seeds(len(found)))


def presentations(curves: Mapping[str, np.ndarray], reached: Mapping[str, np.ndarray], levels: Sequence[float]) -> Page:
    """Curves (seeds, 2, points) of each side, and presentations until each level, (seeds, levels)."""
    lines = [
        band(of[0, 0], 100 * of[:, 1], color=SIDES[side]["color"], linestyle=SIDES[side]["linestyle"], label=_name(side))
        for side, of in curves.items()
    ]
    end = max(float(of[0, 0, -1]) for of in curves.values())
    left = panel(
        *(level(100 * one, linewidth=0.5, linestyle=":") for one in levels), *lines,
        x=SHOWN, y="validation trials answered rightly (%)", ylim=(0, 103), legend="lower right", title="mean and 95 % interval",
    )  # fmt: skip
    places = 100 * np.array(levels)
    marks = [
        means(places + shift, of, AMOUNT, **(SIDES[side] | {"linestyle": "", "label": _name(side)}))
        for shift, (side, of) in zip((-0.25, 0, 0.25), reached.items(), strict=True)
    ]
    told = [
        f"{one:.0%}\n" + " / ".join(str(int(np.isfinite(of[:, k]).sum())) for of in reached.values())
        for k, one in enumerate(levels)
    ]
    right = panel(
        *marks, x="level, and how many seeds reach it", y=SHOWN, ylim=(0, 1.05 * end), xlim=(89, 98),
        title="until a level is reached", then=lambda axis: axis.set_xticks(places, told) and None,
    )  # fmt: skip
    return page([left, right], size=(8.8, 3.8), caption=over_seeds(len(next(iter(reached.values())))))


def against(x: str, at: Sequence[float] | np.ndarray, found: np.ndarray, shared: float) -> Page:
    """Accuracy of all sides against something, (seeds, sides, places); `shared` as in `plasticity.statistics.interval`."""
    return page([_all(x, at, found, shared)], size=(5.4, 3.8), legend=2, caption=over_seeds(len(found)))


def deletion(shares: Sequence[float], found: np.ndarray, shared: float) -> Page:
    """The same for each layer, (seeds, sides, layers, shares)."""
    panels = [
        _all("synapses deleted (%)", 100 * np.array(shares), found[:, :, k], shared, name) for k, name in enumerate(DELETED)
    ]
    return page(panels, size=(8.4, 3.8), legend=2, caption=over_seeds(len(found)), outer=True, sharey=True)


def turns(found: np.ndarray) -> Page:
    """Digits learnt first and second, after each of both, (seeds, sides, after, of)."""
    names = ("0 to 4\nafter 0 to 4", "0 to 4\nafter 5 to 9", "5 to 9\nafter 5 to 9")
    panels = [
        panel(
            columns(names, [100 * found[:, k, after, of] for after, of in ((0, 0), (1, 0), (1, 1))], [look["color"]] * 3),
            y=RIGHT, ylim=(-3, 103), title=_name(side), x="digits tested, after which were learnt",
        )
        for k, (side, look) in enumerate(SIDES.items())
    ]  # fmt: skip
    return page(panels, size=(10.0, 3.8), caption="small: each seed; " + over_seeds(len(found)), outer=True, sharey=True)


def _all(x: str, at: Sequence[float] | np.ndarray, found: np.ndarray, shared: float, title: str = "") -> Panel:
    given: dict[str, Any] = {"within": PERCENT, "shared": shared, "markersize": 5}
    rows = for_each(means, SIDES, [np.asarray(at)] * len(SIDES), 100 * np.moveaxis(found, 1, 0), **given)
    return panel(*rows, level(10, linestyle=":", label="chance"), x=x, y=RIGHT, ylim=(0, 103), title=title)


def _name(side: str) -> str:
    return SIDES[side].get("label", side)
