"""The figures of a comparison, drawn from its records."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from bridges.comparison.energy import PREFIXES, by_kind, three_digits
from bridges.comparison.likeness import PERMUTED, UNTRAINED, WITHOUT
from bridges.comparison.measures import Calibration
from bridges.comparison.measures import calibration as calibrate
from plasticity.learners import VALIDATION
from plasticity.statistics import PERCENT, SHARE
from simulations.figures.deletion import deletion
from simulations.figures.kinds import bounds
from simulations.figures.style import (
    BLACK,
    BLUE,
    ENOUGH_SEEDS,
    GREEN,
    GREY,
    ONE_SEED,
    ORANGE,
    PURPLE,
    SIDES,
    SKY,
    VERMILION,
    YELLOW,
    caption,
    legend,
    looks_of,
    mean_of,
    new,
    style,
)  # fmt: skip

if TYPE_CHECKING:
    from bridges.comparison import Comparison


MOST_ALIKE = 10  # learners of which all pairs can be read in a figure
WHITE = {"facecolor": "white", "edgecolor": "none", "pad": 0.5}  # behind a text that a line may cross


def _means(comparison: Comparison) -> str:
    return f"means over {len(comparison.seeds)} seeds" if len(comparison.seeds) > 1 else f"seed {comparison.seeds[0]}"


def _title(name: str) -> str:
    return name.replace("_", " ")


def comparison_figures(comparison: Comparison) -> dict[str, Figure]:
    """All figures that the records of a comparison allow, by name."""
    with style():
        drawn = {
            "accuracy": accuracy(comparison),
            "learning_curves": learning_curves(comparison),
            "losses": losses(comparison),
            "weights": weights(comparison),
            "receptive_fields": receptive_fields(comparison),
            "attention": attention(comparison),
            "attended": attended(comparison),
            "costs": costs(comparison),
            "likeness": likeness(comparison),
            "calibration": calibration(comparison),
            "deletion": deletion(comparison),
        }
    return {name: figure for name, figure in drawn.items() if figure is not None}


def accuracy(comparison: Comparison) -> Figure:
    """Test accuracy of each seed as a dot, the mean with its 95 % interval, beside the bounds that the facts of the task tell."""
    looks = looks_of(comparison)
    groups = comparison.groups
    names = [name for group in groups.values() for name in group]
    room = 0.45 if len(groups) > 1 else 0.0  # in rows, above each group for what is said of it
    rows = [place + room * number for place, number in enumerate((n for n, of in enumerate(groups.values(), 1) for _ in of))]
    figure, axes = new(7.0, 1.6 + 0.42 * (len(names) + room * len(groups)))
    axis = axes[0, 0]
    numbers: list[tuple[float, tuple[float, float], str]] = []  # where the label of a learner stands, and what it says
    for row, name in zip(rows, names, strict=True):
        colour, _, marker = looks[name]
        values = 100 * comparison.numbers(name, "accuracy")
        offsets = np.linspace(-0.18, 0.18, len(values)) if len(values) > 1 else np.zeros(1)
        axis.scatter(values, row + offsets, s=14, color=colour, alpha=0.55, linewidths=0, zorder=2)
        low, high = comparison.intervals[name]
        if math.isfinite(low):
            axis.errorbar(
                values.mean(),
                row + 0.32,
                xerr=[[values.mean() - 100 * low], [100 * high - values.mean()]],
                color=colour,
                linewidth=1.6,
                capsize=3,
                zorder=3,
            )
        axis.plot(values.mean(), row + 0.32, marker=marker, color=colour, markersize=5, linestyle="", zorder=4)
        told = f"{values.mean():.1f}" + (f" [{100 * low:.1f}, {100 * high:.1f}]" if math.isfinite(low) else "")
        ends = (100 * low, 100 * high) if math.isfinite(low) else (values.mean(), values.mean())
        numbers.append((row + 0.32, ends, told))
    lines = [(comparison.chance, "chance", ":"), (comparison.ceiling, "ceiling", "-")]
    if comparison.without_attention is not None:
        lines.append((comparison.without_attention, "without\nattention", "--"))
    for value, text, line in lines:
        axis.axvline(100 * value, color=GREY, linestyle=line, linewidth=1, zorder=1)
        axis.annotate(
            text,
            (100 * value, 1),
            xycoords=("data", "axes fraction"),
            xytext=(0, 3),
            textcoords="offset points",
            ha="center",
            fontsize=8,
        )
    first = 0
    for group, of_group in groups.items() if len(groups) > 1 else ():
        if first:
            axis.axhline(rows[first] - 0.74, color=GREY, linewidth=0.5, zorder=0)
        axis.text(1, rows[first] - 0.48, group, fontsize=7, fontstyle="italic", va="center", color=BLACK, bbox=WHITE)
        first += len(of_group)
    axis.set_yticks(rows, [_title(name) for name in names])
    axis.set_ylim(rows[-1] + 0.8, rows[0] - 0.6 - room / 2)
    axis.set_xlim(0, 103)
    sides = "; ".join(told for side, (_, told) in SIDES.items() if side in map(comparison.side, names))
    seeds = len(comparison.seeds)
    what = f"test accuracy (%); {ONE_SEED if seeds < 2 else f'dots: {seeds} seeds; mark and bar: mean and 95 % interval'}"
    axis.set_xlabel(f"{what}\n{sides}")
    _beside(figure, axis, numbers, [100 * value for value, *_ in lines])
    label = axis.xaxis.label
    if label.get_window_extent().x1 > figure.bbox.width:  # long names leave the axis little room
        label.set_text(label.get_text().replace("; mark", ";\nmark"))
    return figure


def _beside(figure: Figure, axis: Any, labels: Sequence[tuple[float, tuple[float, float], str]], lines: Sequence[float]) -> None:
    """Each label (row, (low, high), text) left of low, where it would cross a vertical line right of high, else below."""
    figure.draw_without_rendering()  # only then the axes have their place
    renderer = FigureCanvasAgg(figure).get_renderer()
    for row, (low, high), text in labels:
        for at, gap, align in ((low, -6, "right"), (high, 6, "left")):
            made = axis.annotate(
                text, (at, row), (gap, 0), textcoords="offset points", ha=align, va="center", fontsize=7, bbox=WHITE
            )
            left, right = axis.transData.inverted().transform(made.get_window_extent(renderer))[:, 0]
            if 0 < left and right < axis.get_xlim()[1] and not any(left <= line <= right for line in lines):
                break
            made.remove()
        else:
            half = (right - left) / 2
            at = min(max((low + high) / 2, half + 1), axis.get_xlim()[1] - half - 4)
            axis.text(
                at, row + 0.27, text, ha="center", va="center", fontsize=7, zorder=1.5, bbox=WHITE,
            )  # fmt: skip


def _curves(comparison: Comparison, name: str, key: str) -> tuple[np.ndarray, np.ndarray]:
    """(points,) training trials and (seeds, points) values; a seed that stopped early keeps its last value."""
    records = [record for record in comparison.of(name) if key in record.arrays]
    grid = np.unique(np.concatenate([record.arrays["history_trials"] for record in records]))
    if len(grid) > 60:
        grid = np.unique(grid[np.linspace(0, len(grid) - 1, 60).round().astype(int)])
    values = np.stack([np.interp(grid, record.arrays["history_trials"], record.arrays[key]) for record in records])
    return grid, values


def _band(
    axis: Any, x: np.ndarray, values: np.ndarray, colour: str, shared: float, within: tuple[float, float], **kwargs: Any
) -> None:
    """The mean over seeds as a line and its 95 % interval as a band; a thin line for each of a few (`mean_of`)."""
    axis.plot(x, values.mean(axis=0), color=colour, **kwargs)
    if 1 < len(values) < ENOUGH_SEEDS:
        axis.plot(x, values.T, color=colour, linestyle=kwargs.get("linestyle", "-"), linewidth=0.5, alpha=0.6)
    elif len(values) > 1:
        axis.fill_between(x, *bounds(values, shared, within), color=colour, alpha=0.2, linewidth=0)


def _trials_axis(axis: Any, largest: float, smallest: float, what: str) -> None:
    """Linear from 0 to the first point of a curve, then logarithmic; ticks where there is room for their numbers."""
    linear = max(smallest, 1.0)
    decades = 10.0 ** np.arange(math.ceil(math.log10(linear)), math.log10(max(largest, 1.0)) + 1e-9)
    axis.set_xscale("symlog", linthresh=linear)
    axis.set_xlim(0, largest * 1.05)
    ticks = [0, *(decades if len(decades) else [linear])]
    if len(ticks) > 1 and math.log10(largest / ticks[-1]) < 0.5:
        ticks.pop()  # no room for it beside the last, which is where the curves end
    axis.set_xticks([*ticks, largest])
    axis.minorticks_off()
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axis.set_xlabel(f"{what} (log scale above {linear:,.0f})")


def learning_curves(comparison: Comparison) -> Figure | None:
    """Accuracy over the training trials shown; the mean over seeds with its 95 % interval.

    The axis says on what it is measured, mostly validation trials; where learners differ in that, the legend says whose is not.
    A learner that needs no training is a line.
    """
    curves = {name: _curves(comparison, name, "history_accuracy") for name in comparison.learners}
    curves = {name: curve for name, curve in curves.items() if len(curve[0]) > 1 or curve[0][0] == 0}  # others have none
    if not curves:
        return None
    looks = looks_of(comparison)
    figure, axes = new(7.0, 4.2)
    axis = axes[0, 0]
    largest, smallest = 1.0, math.inf
    on = {name: str(comparison.of(name)[0].numbers.get("curve", VALIDATION)) for name in curves}
    usual = next(iter(on.values())) if len({*on.values()}) == 1 else VALIDATION
    for name, (trials, values) in curves.items():
        colour, line, marker = looks[name]
        largest = max(largest, trials.max())
        smallest = min([smallest, *trials[trials > 0][:1]])
        every = max(1, len(trials) // 8)
        label = _title(name) if on[name] == usual else f"{_title(name)}:\n" + on[name].replace(", ", ",\n")
        if trials.max() == 0:  # it learns nothing from training trials
            axis.axhline(100 * values.mean(), color=colour, linestyle=line, linewidth=1, label=f"{label}, untrained")
            continue
        _band(
            axis,
            trials,
            100 * values,
            colour,
            comparison.shared,
            PERCENT,
            linestyle=line,
            marker=marker,
            markersize=4,
            markevery=every,
            label=label,
        )
    lines = [
        (comparison.chance, "chance", ":", 1, "right"),
        (comparison.without_attention, "without attention", "--", 0.01, "left"),
    ]
    for value, text, line, place, side in lines:
        if value is not None:
            axis.axhline(100 * value, color=GREY, linestyle=line, linewidth=1)
            axis.annotate(text, (place, 100 * value), (0, 3), ("axes fraction", "data"), "offset points", ha=side, fontsize=8)
    _trials_axis(axis, largest, smallest if math.isfinite(smallest) else 1.0, "training trials shown, repeats counted")
    axis.set_ylim(0, 103)
    measured = "validation accuracy" if usual == VALIDATION else f"accuracy on {usual}"
    axis.set_ylabel(f"{measured}{', or as the legend says' if len({*on.values()}) > 1 else ''} (%)")
    axis.set_title(mean_of(len(comparison.seeds)), loc="left")
    figure.legend(loc="outside right upper")
    return figure


def losses(comparison: Comparison) -> Figure | None:
    """Loss over the training trials shown, in training and on validation trials; of the learners that record both."""
    names = [name for name in comparison.learners if all("history_training_loss" in one.arrays for one in comparison.of(name))]
    if not names:
        return None
    looks = looks_of(comparison)
    figure, axes = new(7.0, 4.2)
    axis = axes[0, 0]
    largest = 1.0
    for name in names:
        colour, _, marker = looks[name]
        for key, line, what in (("history_loss", "-", "validation"), ("history_training_loss", ":", "training")):
            trials, values = _curves(comparison, name, key)
            known = np.isfinite(values).all(axis=0) & (trials > 0)
            trials, values = trials[known], values[:, known]
            largest = max(largest, trials.max())
            _band(
                axis, trials, values, colour, comparison.shared, (0.0, math.inf), linestyle=line,
                marker=marker if line == "-" else "", markersize=4, label=f"{_title(name)}, {what}",
            )  # fmt: skip
    axis.set_xlim(0, largest * 1.05)
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axis.set_xlabel("training trials shown, repeats counted")
    axis.set_yscale("log")
    axis.set_ylabel("cross-entropy (nats a symbol)")
    axis.set_title(mean_of(len(comparison.seeds)), loc="left")
    figure.legend(loc="outside right upper")
    return figure


def weights(comparison: Comparison) -> Figure | None:
    """Mean weight of the attended and of the ignored synapses over training, one panel for each spiking learner."""
    names = [name for name in comparison.learners if all("weights_attended" in record.arrays for record in comparison.of(name))]
    if not names:
        return None
    figure, axes = new(max(4.5, 2.4 * len(names)), 3.0, columns=len(names), sharey=True)
    for axis, name in zip(axes[0], names, strict=True):
        for key, label, colour, line in (
            ("weights_attended", "attended", VERMILION, "-"),
            ("weights_ignored", "ignored", BLUE, "--"),
        ):
            trials, values = _curves(comparison, name, key)
            _band(axis, trials, values, colour, comparison.shared, SHARE, linestyle=line, label=label)
        positive = trials[trials > 0]
        _trials_axis(axis, trials.max(), positive[0] if len(positive) else 1.0, "training trials\n")
        axis.set_title(_title(name), loc="left")
    axes[0, 0].set_ylabel("mean weight (no unit)")
    told = mean_of(len(comparison.seeds)).replace("95 % ", "95 %\n").replace("mean, ", "mean,\n")
    axes[0, 0].legend(title=f"synapses; {told}", title_fontsize=7)
    return figure


def _tile(column: np.ndarray, features: int) -> np.ndarray:
    """One neuron's weights as an image; streams side by side, features square if they can be."""
    side = math.isqrt(features)
    parts = column.reshape(-1, features) if len(column) % features == 0 else column[None]
    return np.hstack([part.reshape(side, side) if side * side == len(part) else part[None] for part in parts])


def receptive_fields(comparison: Comparison, most: int = 14) -> Figure | None:
    """The weights of the neurons of the gated spiking learner (first seed) as images, a row for each class.

    Rows of a table are no images: there it is a row for each column of the table, the neurons side by side.
    """
    named = sorted(comparison.learners, key=lambda name: name != "spiking_gated")
    record = next((r for name in named for r in comparison.of(name)[:1] if {"weights", "neuron_class"} <= r.arrays.keys()), None)
    if record is None:
        return None
    matrix, owner = record.arrays["weights"], record.arrays["neuron_class"]
    groups = [(label, np.flatnonzero(owner == label)) for label in np.unique(owner)]
    columns = min(most, max(len(neurons) for _, neurons in groups))
    more = f", at most {columns} neurons of each class" if max(len(neurons) for _, neurons in groups) > columns else ""
    title = f"{_title(record.numbers['learner'])}, seed {record.seed}{more}"
    if "columns" in comparison.configuration.get("data", {}):
        chosen = {int(label): matrix[:, neurons[:columns]] for label, neurons in groups}
        return _weights_of_columns(comparison.configuration["data"], chosen, title)
    features = int(record.numbers.get("features") or len(matrix))
    tiles = [_tile(matrix[:, neuron], features) for neuron in range(matrix.shape[1])]
    height, width = tiles[0].shape
    mosaic = np.full((len(groups) * (height + 1) + 1, columns * (width + 1) + 1), np.nan)
    for row, (_, neurons) in enumerate(groups):
        for column, neuron in enumerate(neurons[:columns]):
            top, left = row * (height + 1) + 1, column * (width + 1) + 1
            mosaic[top : top + height, left : left + width] = tiles[neuron]
    scale = 7.0 / max(mosaic.shape[1], 0.8 * mosaic.shape[0])
    figure, axes = new(max(3.6, mosaic.shape[1] * scale + 1.4), max(2.4, mosaic.shape[0] * scale + 0.8))
    axis = axes[0, 0]
    shown = axis.imshow(
        mosaic, cmap="viridis", interpolation="nearest", vmin=min(0.0, float(matrix.min())), vmax=float(matrix.max())
    )
    centres = [row * (height + 1) + 1 + (height - 1) / 2 for row in range(len(groups))]
    axis.set_yticks(centres, ["none" if label < 0 else str(label) for label, _ in groups])
    axis.set_xticks([])
    axis.tick_params(length=0)
    for spine in axis.spines.values():
        spine.set_visible(False)
    axis.set_ylabel("class that the neuron answers for")
    axis.set_title(title, loc="left")
    figure.colorbar(shown, ax=axis, shrink=0.6, label="weight (no unit)")
    return figure


def _weights_of_columns(data: Mapping[str, Any], chosen: Mapping[int, np.ndarray], title: str) -> Figure:
    """The weights (columns of a table, neurons) of each class side by side, under the names of columns and classes."""
    gap = np.full((len(next(iter(chosen.values()))), 1), np.nan)
    shown = np.hstack([part for weights in chosen.values() for part in (gap, weights)][1:])
    names = [*data["columns"], *(f"1 \N{MINUS SIGN} {name}" for name in data["columns"])][
        : len(shown)
    ]  # the second half: `opposites`
    every = -(-len(names) // 60)
    ends = np.cumsum([weights.shape[1] + 1 for weights in chosen.values()])
    centres = [end - 1 - (weights.shape[1] + 1) / 2 for end, weights in zip(ends, chosen.values(), strict=True)]
    classes = ["none" if label < 0 else textwrap.shorten(data["classes"][label], 24, placeholder="...") for label in chosen]
    figure, axes = new(7.0, min(2.0 + 0.18 * len(names), 12.0))
    axis = axes[0, 0]
    image = axis.imshow(shown, aspect="auto", interpolation="nearest", vmin=min(0.0, np.nanmin(shown)))
    axis.set_yticks(
        range(0, len(names), every), [textwrap.shorten(name, 32, placeholder="...") for name in names[::every]], fontsize=8
    )
    axis.set_xticks(centres, classes, **({"rotation": 30, "ha": "right"} if len("".join(classes)) > 50 else {}))
    axis.tick_params(length=0)
    axis.spines[:].set_visible(False)
    axis.set_xlabel("neurons, by the class that they answer for")
    axis.set_ylabel("column of the table")
    axis.set_title(title, loc="left")
    figure.colorbar(image, ax=axis, aspect=30, label="weight (no unit)")
    return figure


def attention(comparison: Comparison) -> Figure | None:
    """The attention weights of the gradient-trained model beside the gains of spiking networks, learnt and given, by cued stream.

    Gains are divided by their sum over the streams, so that all panels show shares that add up to 1; the gain itself is below.
    """
    panels: list[tuple[str, np.ndarray, np.ndarray | None]] = []  # title, (seeds, cued, stream) shares, the same of raw gains
    for name in sorted(comparison.learners, key=lambda name: name != "softmax_attention"):
        found = [record.arrays["attention"] for record in comparison.of(name) if "attention" in record.arrays]
        if found and np.isfinite(found).all():  # else some streams are never cued: it is their content that asks
            panels.append((f"{_title(name)}: attention weight", np.stack(found), None))
            break
    for first, gains_of in {"spiking_learned_gate": _learned_gains, "spiking_gated": _given_gains}.items():
        for name in sorted(comparison.learners, key=lambda name: name != first):
            gains = [matrix for record in comparison.of(name) if (matrix := gains_of(record.arrays)) is not None]
            if gains and np.isfinite(gains).all():
                raw = np.stack(gains)
                total = raw.sum(axis=2, keepdims=True)
                shares = np.divide(raw, total, out=np.full_like(raw, 1 / raw.shape[2]), where=total > 0)  # alike where all are 0
                panels.append((f"{_title(name)}: gain / sum of gains", shares, raw))
                break
    if not panels:
        return None
    figure, axes = new(0.9 + 3.3 * len(panels), 3.9, columns=len(panels))
    shown: Any = None
    for axis, (title, shares, raw_gains) in zip(axes[0], panels, strict=True):
        mean, (lows, highs) = shares.mean(axis=0), bounds(shares, comparison.shared, SHARE)
        shown = axis.imshow(mean, cmap="cividis", vmin=0, vmax=1)
        for cued in range(mean.shape[0]):
            for stream in range(mean.shape[1]):
                low, high = lows[cued, stream], highs[cued, stream]
                few = mean.shape[1] <= 4  # with more there is room for the share alone
                text = f"{mean[cued, stream]:.2f}"
                if few and math.isfinite(low):
                    text += f"\n[{low:.2f}, {high:.2f}]"
                if few and raw_gains is not None:
                    text += f"\ngain {raw_gains[:, cued, stream].mean():.2f}"
                axis.text(
                    stream,
                    cued,
                    text,
                    ha="center",
                    va="center",
                    fontsize=None if few else 7,
                    color="black" if mean[cued, stream] > 0.5 else "white",
                )
        axis.set_xticks(range(mean.shape[1]), [str(stream) for stream in range(mean.shape[1])])
        axis.set_yticks(range(mean.shape[0]), [str(cued) for cued in range(mean.shape[0])])
        axis.set_xlabel("stream")
        axis.set_ylabel("cued stream")
        axis.set_title(title, loc="left", fontsize=9)
        for spine in axis.spines.values():
            spine.set_visible(False)
    figure.colorbar(shown, ax=list(axes[0]), shrink=0.8, label="share of a stream (sums to 1 in a row)")
    return figure


def attended(comparison: Comparison) -> Figure | None:
    """How the gate opens: the share of the cued stream in attention or gains over training, of all that have to learn it."""
    names = [name for name in comparison.learners if any("history_attended" in r.arrays for r in comparison.of(name))]
    names = [name for name in names if "gate" in comparison.learns(name)]
    if not names:
        return None
    looks = looks_of(comparison)
    figure, axes = new(7.0, 3.9)
    axis = axes[0, 0]
    largest, smallest = 1.0, math.inf
    for name in names:
        trials, values = _curves(comparison, name, "history_attended")
        colour, line, marker = looks[name]
        largest, smallest = max(largest, trials.max()), min([smallest, *trials[trials > 0][:1]])
        every = max(1, len(trials) // 8)
        _band(axis, trials, values, colour, comparison.shared, SHARE, linestyle=line, marker=marker, markersize=4,
              markevery=every, label=_title(name))  # fmt: skip
    streams = comparison.configuration["facts"]["streams"]
    axis.axhline(1 / streams, color=GREY, linestyle=":", linewidth=1)
    axis.annotate("equal", (1, 1 / streams), (0, 3), ("axes fraction", "data"), "offset points", ha="right", fontsize=8)
    _trials_axis(axis, largest, smallest if math.isfinite(smallest) else 1.0, "training trials shown, repeats counted")
    axis.set_ylim(0, 1.03)
    axis.set_ylabel("share of the cued stream (no unit)")
    axis.set_title(mean_of(len(comparison.seeds)), loc="left")
    figure.legend(loc="outside right upper")
    return figure


def _given_gains(arrays: Mapping[str, np.ndarray]) -> np.ndarray | None:
    """(cued, stream): the mean gain on each stream for each cue, of a gate that is given."""
    if "gain_attended" not in arrays:
        return None
    attended, ignored = np.atleast_1d(arrays["gain_attended"]), np.atleast_1d(arrays["gain_ignored"])
    return np.where(np.eye(len(attended), dtype=bool), attended[None, :], ignored[None, :])


def _learned_gains(arrays: Mapping[str, np.ndarray]) -> np.ndarray | None:
    """The same of a gate that is learnt, over the test trials whose condition is kept; nan for a stream that is never cued."""
    if "attention" in arrays or {"history_attended", "attention_by_trial", "conditions"} - {*arrays}:
        return None
    conditions = arrays["conditions"]
    gains = arrays["attention_by_trial"][: len(conditions)].astype(float)
    cues = np.eye(gains.shape[1])[conditions % gains.shape[1]]  # (trials, streams); a condition is class * streams + cue
    with np.errstate(invalid="ignore"):
        return cues.T @ gains / cues.sum(axis=0)[:, None]


LETTER = 0.02  # of the width of a panel of costs, at the size of its numbers
_KINDS = {  # kind of work: colour, what it is called
    "synapses": (VERMILION, "spikes at synapses"),
    "plasticity": (ORANGE, "weight changes"),
    "traces": (YELLOW, "traces"),
    "neurons": (PURPLE, "neurons' equations"),
    "inputs": (BLACK, "drawing of inputs"),
    "routing": ("#8C564B", "spikes on their way"),
    "forward": (BLUE, "forward pass"),
    "backward": (SKY, "backward pass"),
    "update": (GREEN, "update of parameters"),
    "memory": (GREY, "memory traffic"),
}


def costs(comparison: Comparison) -> Figure | None:
    """Joules of a training trial and of a decision by kind of work, means over seeds, and of their sum the 95 % interval.

    Estimates at 45 nm. A batch shares the reads of the weights of a trained model: its training is priced in its batch, its
    decisions one at a time.
    """
    titles = {"training": "one training trial", "decision": "one decision"}
    found = {phase: by_kind(comparison, comparison.energy, phase) for phase in titles}
    names = list(found["decision"])
    if not names:
        return None
    trained = [name for name in names if comparison.side(name) == "torch"]
    if trained:
        asked = comparison.configuration.get("parameters", {})
        sizes = {asked.get(name, {}).get("batch") for name in trained}
        batch = "its batch" if None in sizes or len(sizes) > 1 else f"a batch of {sizes.pop()}"
        titles = {
            "training": f"{titles['training']}\n(torch: in {batch})",
            "decision": f"{titles['decision']}\n(torch: in a batch of 1)",
        }
    totals = {row["learner"]: row for row in comparison.costs["rows"]}
    figure, axes = new(8.6, 1.5 + 0.34 * len(names), columns=2, sharey=True)
    for axis, (phase, title) in zip(axes[0], titles.items(), strict=True):
        largest = max((sum(parts.values()) for parts in found[phase].values()), default=0.0)
        size, unit = next(((size, unit) for size, unit in PREFIXES if largest >= size), PREFIXES[-1])
        left, room = np.zeros(len(names)), 1.0
        for kind, (colour, label) in _KINDS.items():
            width = np.array([found[phase].get(name, {}).get(kind, 0.0) for name in names]) / size
            if width.any():
                axis.barh(range(len(names)), width, left=left, color=colour, label=label, height=0.7)
                left += width
        for place, (name, total) in enumerate(zip(names, left, strict=True)):
            if totals[name][phase] is None:
                axis.annotate("not counted", (0, place), (3, 0), textcoords="offset points", va="center", fontsize=7)
                continue
            mean, low, high = (totals[name][phase][key] for key in ("mean", "low", "high"))
            text = three_digits(mean, low, high, size)
            ends = [end / size for end in (low, high) if end is not None]
            if ends:
                axis.hlines(place, *ends, color=BLACK, linewidth=1.5)
            end = max([total, *ends])
            axis.annotate(text, (end, place), (3, 0), textcoords="offset points", va="center", fontsize=7)
            room = max(room, end / left.max() / (0.96 - LETTER * len(text)) if left.max() else 1.0)
        axis.set_xlim(0, room * left.max() or 1)
        axis.set_xlabel(f"energy, estimated ({unit})")
        axis.set_title(title, loc="left")
    axes[0, 0].set_yticks(range(len(names)), [_title(name) for name in names])
    axes[0, 0].invert_yaxis()
    handles = {label: handle for axis in axes[0] for handle, label in zip(*axis.get_legend_handles_labels(), strict=True)}
    bars = " with 95 % intervals, where three digits show one" if len(comparison.seeds) > 1 else ""
    caption(figure, f"{_means(comparison)}{bars}; operations counted and priced, no joule was measured")
    legend(figure, list(handles.values()), list(handles), columns=4)
    return figure


def likeness(comparison: Comparison) -> Figure | None:
    """Likeness of each pair of learners, of errors, representations and dissimilarities: 0 as permuted trials, 1 alike.

    Means over seeds; of several seeds the 95 % interval stands below the diagonal. The first row is of the learners as they are,
    the one below of the same pairs before learning. Of many learners those with a representation alone are shown, of many of
    these none; the tables have all.
    """
    tables = {table["measure"]: table["rows"] for table in comparison.likeness if "measure" in table}
    if len(comparison.learners) > MOST_ALIKE:
        represented = {name for row in tables.get("cka", []) for name in (row["a"], row["b"])} or {*comparison.learners}
        tables = {key: [row for row in rows if {row["a"], row["b"]} <= represented] for key, rows in tables.items()}
        if len(represented) > MOST_ALIKE:
            return None
    panels = {
        "error_consistency": "errors: Cohen's κ",
        "cka": "representations:\nlinear CKA",
        "rsa": "dissimilarities of\nconditions: ρ",
    }
    shown = {key: title for key, title in panels.items() if any(_known(row[key]) for row in tables.get(key, []))}
    if not shown:
        return None
    rows = [None, UNTRAINED] if any(_known(row[UNTRAINED]) for key in shown for row in tables[key]) else [None]
    size = 0.36 * max(len({row[end] for row in tables[key] for end in ("a", "b")}) for key in shown)
    figure, axes = new(1.2 + (1.6 + size) * len(shown), 1.4 + (0.8 + size) * len(rows), rows=len(rows), columns=len(shown))
    image: Any = None
    for place, (null, line) in enumerate(zip(rows, axes, strict=True), 1):
        for axis, (key, title) in zip(line, shown.items(), strict=True):
            names = [name for name in comparison.learners if any(name in (row["a"], row["b"]) for row in tables[key])]
            image = _alike(axis, names, [(row["a"], row["b"], row[null or key]) for row in tables[key]])
            axis.set_title(f"{title}{f',{chr(10)}{null}' if null else ''}", loc="left", fontsize=9)
            if place < len(rows):
                axis.set_xticks([])
    figure.colorbar(image, ax=list(axes.ravel()), shrink=0.7 / len(rows), label="likeness\n(0 as permuted trials, 1 alike)")
    below = ", below the diagonal their 95 % intervals" if len(comparison.seeds) > 1 else ""
    ends = [value for key in shown for row in tables[key] for value in row[PERMUTED].values() if value is not None]
    permuted = f"; trials permuted: from {min(ends):.2f} to {max(ends):.2f}, intervals included" if ends else ""
    without = [name for name in WITHOUT.values() if name in comparison.learners]
    beside = f"; without attention: {' beside '.join(map(_title, without))}" if len(without) == len(WITHOUT) else ""
    caption(figure, f"{_means(comparison)}{below}{permuted}{beside}")
    return figure


def _known(told: Mapping[str, Any] | None) -> bool:
    """Whether there is a likeness: two classes have dissimilarities of one pair of conditions, which tell none."""
    return told is not None and told["mean"] is not None


def _alike(axis: Any, names: Sequence[str], pairs: Sequence[tuple[str, str, Mapping[str, Any] | None]]) -> Any:
    """A matrix of likeness, the intervals below the diagonal; its image comes back."""
    matrix = np.full((len(names), len(names)), np.nan)
    texts: dict[tuple[int, int], str] = {}
    for first, second, told in pairs:
        if told and told["mean"] is not None:
            a, b = sorted((names.index(first), names.index(second)))
            matrix[a, b] = matrix[b, a] = told["mean"]
            mean, *ends = (
                f"{told[end]:.2f}".replace("-0.00", "0.00") for end in ("mean", "low", "high") if told[end] is not None
            )
            texts |= {(a, b): mean, (b, a): "\n".join(ends) or mean}
    image = axis.imshow(matrix, cmap="cividis", vmin=0, vmax=1)
    for (a, b), text in texts.items():
        colour = "black" if matrix[a, b] > 0.5 else "white"
        axis.text(b, a, text, ha="center", va="center", fontsize=6 if "\n" in text else 7, color=colour)
    labels = [_title(name) for name in names]
    axis.set_xticks(range(len(names)), labels, rotation=60, ha="right", rotation_mode="anchor", fontsize=8)
    axis.set_yticks(range(len(names)), labels, fontsize=8)
    return image


def calibration(comparison: Comparison) -> Figure | None:
    """How often a learner is right at each confidence: the trials of all seeds together, bars the 95 % interval over seeds."""
    names = [name for name in comparison.learners if all("probabilities" in record.arrays for record in comparison.of(name))]
    if not names:
        return None
    looks = looks_of(comparison)
    rows = -(-len(names) // 4)
    columns = -(-len(names) // rows)
    figure, axes = new(0.5 + 2.1 * max(columns, 2), 1.0 + 2.0 * rows, rows, columns, sharex=True, sharey=True)
    for axis, name in zip(axes.ravel(), names, strict=False):
        pairs = [(record.arrays["probabilities"], record.arrays["labels"]) for record in comparison.of(name)]
        probabilities, labels = (np.concatenate(arrays) for arrays in zip(*pairs, strict=True))
        curve = calibrate(probabilities, labels)
        enough = curve.trials >= 20
        colour, line, marker = looks[name]
        right, sure = 100 * curve.accuracy[enough], 100 * curve.confidence[enough]
        axis.plot([0, 100], [0, 100], color=GREY, linewidth=0.7)
        axis.plot(sure, right, color=colour, linestyle=line, marker=marker, markersize=4)
        axis.vlines(sure, *100 * _share_over_seeds([calibrate(*pair) for pair in pairs])[:, enough], color=colour, linewidth=1)
        if not enough.any():
            axis.text(50, 10, "no bin of 20 trials", ha="center", fontsize=8, color=GREY)
        axis.set_title(_title(name), loc="left", fontsize=9)
    for axis in axes.ravel()[len(names) - columns : len(names)]:
        axis.tick_params(labelbottom=True)
    for axis in axes.ravel()[len(names) :]:
        axis.set_axis_off()
    axes[0, 0].annotate("as sure as right", (4, 4), (-4, 8), textcoords="offset points", fontsize=7, color=GREY, rotation=43)
    axes[0, 0].set(xlim=(0, 102), ylim=(0, 103), xticks=(0, 50, 100))
    figure.supxlabel("confidence: probability of the answer given (%)", fontsize=9)
    figure.supylabel("answers that are right (%)", fontsize=9)
    seeds = len(comparison.seeds)
    told = f"{seeds} seeds together; bars: 95 % interval over seeds" if seeds > 1 else f"seed {comparison.seeds[0]}"
    which = "" if len(names) == len(comparison.learners) else "; learners that give probabilities"
    caption(figure, f"test trials of {told}; bins of 20 trials or more{which}")
    return figure


def _share_over_seeds(curves: Sequence[Calibration]) -> np.ndarray:
    """The 95 % interval of the share of right answers in each bin, (2, bins); nan where fewer than two seeds have trials there.

    Of the share of all trials together: what each seed adds to that ratio, to first order (its influence).
    """
    trials = np.stack([curve.trials for curve in curves])
    right = np.stack([np.nan_to_num(curve.accuracy) for curve in curves]) * trials
    share = right.sum(axis=0) / np.maximum(trials.sum(axis=0), 1)
    each = share + (right - share * trials) / np.maximum(trials.mean(axis=0), 1e-9)
    each[:, (trials > 0).sum(axis=0) < 2] = np.nan
    return bounds(each, within=SHARE)
