"""The figures of `late_reward`: the target's weight over time, all weights at the end, and what comes of one reward."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np

from plasticity.networks.distal_reward import TAU_D_S, earned_by
from plasticity.spike_statistics import decayed, most_isolated
from simulations.figures.kinds import (
    Layer,
    Page,
    Panel,
    band,
    each_seed,
    for_each,
    level,
    line,
    moment,
    page,
    panel,
    raster,
    span,
    steps,
)
from simulations.figures.style import BLACK, BLUE, GREEN, GREY, VERMILION, YELLOW

Arrays = Mapping[str, np.ndarray]
TITLES = {"reward": "reward after the pair", "none": "no reward", "random": "rewards at random times"}
LOOKS = {
    "reward": {"color": VERMILION, "linestyle": "-"},
    "none": {"color": BLACK, "linestyle": ":"},
    "random": {"color": BLUE, "linestyle": "--"},
}


def target_weight(a: Arrays, shown: Sequence[str], reached: float, accepted: tuple[float, float]) -> Page:
    """The chosen synapse's weight over time: each seed, mean and interval; beside it the mean of all others."""

    def course(condition: str) -> Panel:
        values, others = a[f"{condition}_chosen"], a[f"{condition}_others"]
        every, seconds = max(1, values.shape[1] // 60), np.arange(values.shape[1])
        label = "target: each seed, mean and 95 % interval"
        at, mean = np.linspace(0, values.shape[1] - 1, others.shape[1]), others.mean(axis=0)
        layers = [
            each_seed(seconds[::every], values[:, ::every], color=VERMILION, linewidth=0.5, alpha=0.45),
            band(seconds, values, every=every, color=VERMILION, linewidth=2.2, label=label),
            line(at, mean, color=GREY, linestyle="-.", label="all others, mean"),
        ]
        if condition == "reward":
            label = f"accepted for the median crossing of {reached:g}"
            layers += [level(reached, linewidth=0.6), span(*accepted, ymax=0.03, color=GREEN, alpha=0.7, label=label)]
        y, title = "weight / largest weight" if condition == "reward" else "", f"{TITLES[condition]}, {len(values)} seeds"
        return panel(*layers, x="time (s)", y=y, title=title, ylim=(0, 1.02))

    width = max(4.2, 3.0 + 2.6 * (len(shown) - 1))
    return page([course(condition) for condition in shown], size=(width, 3.4), legend=3, sharey=True)


def weights_at_the_end(a: Arrays, shown: Sequence[str], edges: np.ndarray) -> Page:
    """The distribution of the other plastic weights at the end, and where the target is."""
    found = {name: a[f"{name}_histogram"] for name in shown}
    looks = {name: {**LOOKS[name], "label": f"{TITLES[name]} ({len(rows)} seeds)"} for name, rows in found.items()}
    means = [rows.mean(axis=0) for rows in found.values()]
    layers = for_each(partial(steps, edges=edges, baseline=None), looks, means)
    for place, name in enumerate(shown):
        end, look = a[f"{name}_chosen"][:, -1], {"color": LOOKS[name]["color"], "markersize": 4, "alpha": 0.8}
        layers.append(line(end, np.full(len(end), 1.6 * 1.8**place), "o", clip_on=False, **look))
    drawn = panel(
        *layers, x="weight / largest weight at the end", y="share of the other plastic synapses", yscale="log", xlim=(0, 1.02),
        ylim=(1e-6, 10), yticks=[1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1], title="dots: the target synapse in each seed",
    )  # fmt: skip
    return page([drawn], size=(6.4, 3.6), legend=2)


def one_reward(a: Arrays, tonic: float, dose: float) -> Page:
    """Spikes of neurons 1 and 2 and dopamine around the reward with the most room around it."""
    rewards, trains = a["reward_t"], [a["pair_t"][a["pair_i"] == cell] for cell in (0, 1)]
    above: list[Layer] = []
    below: list[Layer] = []
    if len(rewards):
        at = most_isolated(rewards)
        start, end = at - 4.0, at + 2.0  # the pair that this reward came of is 1 to 3 s earlier
        for train, row, colour in zip(trains, (1.5, 0.5), (BLUE, VERMILION), strict=True):
            shown = train[(train > start) & (train < end)] - at
            above.append(raster(shown, np.full(len(shown), row), color=colour, linewidth=1.2))
        for first, second in earned_by(at, *trains):
            above.append(span(first - at - 0.02, second - at + 0.02, color=YELLOW, alpha=0.6, zorder=0))
        t = np.arange(start, end, 0.001)
        dopamine = tonic + dose * decayed(t, rewards[rewards < end], TAU_D_S)
        below = [line(t - at, dopamine, color=GREEN), moment(0, linestyle=":")]
    title = "yellow: 2 fires within 20 ms of 1; dotted: the reward"
    spikes = panel(*above, title=title, yticks=[0.5, 1.5], yticklabels=["neuron 2", "neuron 1"], ylim=(0, 2))
    left = panel(*below, x="time from the reward (s)", y="dopamine (no unit)", ylim=(0, None))
    return page([spikes], [left], size=(6.4, 3.4), sharex=True, height_ratios=[1, 1.4])
