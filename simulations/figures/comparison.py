"""The figures of a comparison, drawn from its records."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from bridges.comparison.energy import PREFIXES, by_kind
from bridges.comparison.measures import calibration as calibrate
from plasticity.learners import VALIDATION
from simulations.figures.kinds import bounds
from simulations.figures.style import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    SKY,
    VERMILION,
    YELLOW,
    caption,
    legend,
    look,
    new,
    style,
)  # fmt: skip

if TYPE_CHECKING:
    from bridges.comparison import Comparison


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
            "weights": weights(comparison),
            "receptive_fields": receptive_fields(comparison),
            "attention": attention(comparison),
            "costs": costs(comparison),
            "alignment": alignment(comparison),
            "calibration": calibration(comparison),
        }
    return {name: figure for name, figure in drawn.items() if figure is not None}


def accuracy(comparison: Comparison) -> Figure:
    """Test accuracy of each seed as a dot, the mean with its 95 % interval, beside chance, ceiling and no attention."""
    names = comparison.learners
    looks = look(names)
    figure, axes = new(7.0, 1.6 + 0.42 * len(names))
    axis = axes[0, 0]
    numbers: list[tuple[float, tuple[float, float], str]] = []  # where the label of a learner stands, and what it says
    for row, name in enumerate(names):
        colour, _, marker = looks[name]
        values = 100 * comparison.numbers(name, "accuracy")
        offsets = np.linspace(-0.18, 0.18, len(values)) if len(values) > 1 else np.zeros(1)
        axis.scatter(
            values, row + offsets, s=14, color=colour, alpha=0.55, linewidths=0, label="one seed" if row == 0 else None, zorder=2
        )
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
        axis.plot(values.mean(), row + 0.32, marker="|", color=colour, markersize=9, linestyle="", zorder=4)
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
    axis.set_yticks(range(len(names)), [_title(name) for name in names])
    axis.set_ylim(len(names) - 0.2, -0.6)
    axis.set_xlim(0, 103)
    axis.set_xlabel(f"test accuracy (%); dots: {len(comparison.seeds)} seeds; line and bar: mean and 95 % interval")
    _beside(figure, axis, numbers, [100 * value for value, *_ in lines])
    return figure


def _beside(figure: Figure, axis: Any, labels: Sequence[tuple[float, tuple[float, float], str]], lines: Sequence[float]) -> None:
    """Each label (row, (low, high), text) to the left of low, where it would cross a vertical line to the right of high."""
    figure.draw_without_rendering()  # only then the axes have their place
    renderer = FigureCanvasAgg(figure).get_renderer()
    for row, (low, high), text in labels:
        for at, gap, align in ((low, -6, "right"), (high, 6, "left")):
            made = axis.annotate(text, (at, row), (gap, 0), textcoords="offset points", ha=align, va="center", fontsize=7)
            left, right = axis.transData.inverted().transform(made.get_window_extent(renderer))[:, 0]
            if align == "left" or (left > 0 and not any(left <= line <= right for line in lines)):
                break
            made.remove()


def _curves(comparison: Comparison, name: str, key: str) -> tuple[np.ndarray, np.ndarray]:
    """(points,) training trials and (seeds, points) values; a seed that stopped early keeps its last value."""
    records = [record for record in comparison.of(name) if key in record.arrays]
    grid = np.unique(np.concatenate([record.arrays["history_trials"] for record in records]))
    if len(grid) > 60:
        grid = np.unique(grid[np.linspace(0, len(grid) - 1, 60).round().astype(int)])
    values = np.stack([np.interp(grid, record.arrays["history_trials"], record.arrays[key]) for record in records])
    return grid, values


def _band(axis: Any, x: np.ndarray, values: np.ndarray, colour: str, **kwargs: Any) -> None:
    """The mean over seeds as a line and its 95 % interval as a band."""
    axis.plot(x, values.mean(axis=0), color=colour, **kwargs)
    if len(values) > 1:
        axis.fill_between(x, *bounds(values), color=colour, alpha=0.2, linewidth=0)


def _trials_axis(axis: Any, largest: float, smallest: float) -> None:
    axis.set_xscale("symlog", linthresh=max(smallest, 1.0))
    axis.set_xlim(0, largest * 1.05)
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axis.set_xlabel("training trials shown, repeats counted")


def learning_curves(comparison: Comparison) -> Figure:
    """Accuracy on the validation trials over the training trials shown; the mean over seeds with its 95 % interval.

    A learner whose curve is measured on other trials says so in the legend; one that needs no training is a line.
    """
    looks = look(comparison.learners)
    figure, axes = new(7.0, 4.2)
    axis = axes[0, 0]
    largest, smallest = 1.0, math.inf
    for name in comparison.learners:
        trials, values = _curves(comparison, name, "history_accuracy")
        colour, line, marker = looks[name]
        largest = max(largest, trials.max())
        smallest = min([smallest, *trials[trials > 0][:1]])
        every = max(1, len(trials) // 8)
        curve = comparison.of(name)[0].numbers.get("curve", VALIDATION)
        label = _title(name) if curve == VALIDATION else f"{_title(name)}:\n" + curve.replace(", ", ",\n")
        if trials.max() == 0:  # it learns nothing from training trials
            axis.axhline(100 * values.mean(), color=colour, linestyle=line, linewidth=1, label=f"{label}, untrained")
            continue
        _band(axis, trials, 100 * values, colour, linestyle=line, marker=marker, markersize=4, markevery=every, label=label)
    lines = [
        (comparison.chance, "chance", ":", 1, "right"),
        (comparison.without_attention, "without attention", "--", 0.01, "left"),
    ]
    for value, text, line, place, side in lines:
        if value is not None:
            axis.axhline(100 * value, color=GREY, linestyle=line, linewidth=1)
            axis.annotate(text, (place, 100 * value), (0, 3), ("axes fraction", "data"), "offset points", ha=side, fontsize=8)
    _trials_axis(axis, largest, smallest if math.isfinite(smallest) else 1.0)
    axis.set_ylim(0, 103)
    axis.set_ylabel("validation accuracy (%)")
    axis.set_title(f"mean and 95 % interval over {len(comparison.seeds)} seeds", loc="left")
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
            _band(axis, trials, values, colour, linestyle=line, label=label)
        positive = trials[trials > 0]
        _trials_axis(axis, trials.max(), positive[0] if len(positive) else 1.0)
        axis.tick_params(axis="x", rotation=45)
        axis.set_xlabel("training trials")
        axis.set_title(_title(name), loc="left")
    axes[0, 0].set_ylabel("mean weight (no unit)")
    axes[0, 0].legend(title=f"synapses; mean and 95 %\ninterval over {len(comparison.seeds)} seeds", title_fontsize=7)
    return figure


def _tile(column: np.ndarray, features: int) -> np.ndarray:
    """One neuron's weights as an image; streams side by side, features square if they can be."""
    side = math.isqrt(features)
    parts = column.reshape(-1, features) if len(column) % features == 0 else column[None]
    return np.hstack([part.reshape(side, side) if side * side == len(part) else part[None] for part in parts])


def receptive_fields(comparison: Comparison, most: int = 14) -> Figure | None:
    """The weights of the neurons of the gated spiking learner (first seed) as images, a row for each class."""
    named = sorted(comparison.learners, key=lambda name: name != "spiking_gated")
    record = next((r for name in named for r in comparison.of(name)[:1] if {"weights", "neuron_class"} <= r.arrays.keys()), None)
    if record is None:
        return None
    matrix, owner = record.arrays["weights"], record.arrays["neuron_class"]
    features = int(record.numbers.get("features") or len(matrix))
    tiles = [_tile(matrix[:, neuron], features) for neuron in range(matrix.shape[1])]
    height, width = tiles[0].shape
    groups = [(label, np.flatnonzero(owner == label)) for label in np.unique(owner)]
    columns = min(most, max(len(neurons) for _, neurons in groups))
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
    more = f", at most {columns} neurons of each class" if max(len(neurons) for _, neurons in groups) > columns else ""
    axis.set_title(f"{_title(record.numbers['learner'])}, seed {record.seed}{more}", loc="left")
    figure.colorbar(shown, ax=axis, shrink=0.6, label="weight (no unit)")
    return figure


def attention(comparison: Comparison) -> Figure | None:
    """The attention weights of the gradient-trained model beside the gain in the spiking network, by cued stream.

    Gains are divided by their sum over the streams, so that both panels show shares that add up to 1; the gain itself is below.
    """
    panels: list[tuple[str, np.ndarray, np.ndarray | None]] = []  # title, (seeds, cued, stream) shares, the same of raw gains
    for name in sorted(comparison.learners, key=lambda name: name != "softmax_attention"):
        found = [record.arrays["attention"] for record in comparison.of(name) if "attention" in record.arrays]
        if found and np.isfinite(found).all():  # else some streams are never cued: it is their content that asks
            panels.append((f"{_title(name)}: attention weight", np.stack(found), None))
            break
    for name in sorted(comparison.learners, key=lambda name: name != "spiking_gated"):
        gains = [_gain_matrix(record.arrays) for record in comparison.of(name) if "gain_attended" in record.arrays]
        if gains:
            raw = np.stack(gains)
            panels.append((f"{_title(name)}: gain / sum of gains", raw / raw.sum(axis=2, keepdims=True), raw))
            break
    if not panels:
        return None
    figure, axes = new(0.9 + 3.3 * len(panels), 3.9, columns=len(panels))
    shown: Any = None
    for axis, (title, shares, raw_gains) in zip(axes[0], panels, strict=True):
        mean, (lows, highs) = shares.mean(axis=0), bounds(shares)
        shown = axis.imshow(mean, cmap="cividis", vmin=0, vmax=1)
        for cued in range(mean.shape[0]):
            for stream in range(mean.shape[1]):
                low, high = lows[cued, stream], highs[cued, stream]
                text = f"{mean[cued, stream]:.2f}"
                if math.isfinite(low):
                    text += f"\n[{low:.2f}, {high:.2f}]"
                if raw_gains is not None:
                    text += f"\ngain {raw_gains[:, cued, stream].mean():.2f}"
                axis.text(stream, cued, text, ha="center", va="center", color="black" if mean[cued, stream] > 0.5 else "white")
        axis.set_xticks(range(mean.shape[1]), [str(stream) for stream in range(mean.shape[1])])
        axis.set_yticks(range(mean.shape[0]), [str(cued) for cued in range(mean.shape[0])])
        axis.set_xlabel("stream")
        axis.set_ylabel("cued stream")
        axis.set_title(title, loc="left", fontsize=9)
        for spine in axis.spines.values():
            spine.set_visible(False)
    figure.colorbar(shown, ax=list(axes[0]), shrink=0.8, label="share of a stream (sums to 1 in a row)")
    return figure


def _gain_matrix(arrays: Mapping[str, np.ndarray]) -> np.ndarray:
    """(cued, stream): the mean gain on each stream for each cue."""
    attended, ignored = np.atleast_1d(arrays["gain_attended"]), np.atleast_1d(arrays["gain_ignored"])
    return np.where(np.eye(len(attended), dtype=bool), attended[None, :], ignored[None, :])


_KINDS = {  # kind of work: colour, what it is called
    "synapses": (VERMILION, "spikes at synapses"),
    "plasticity": (ORANGE, "weight changes"),
    "traces": (YELLOW, "traces"),
    "neurons": (PURPLE, "neurons' equations"),
    "forward": (BLUE, "forward pass"),
    "backward": (SKY, "backward pass"),
    "update": (GREEN, "update of parameters"),
    "memory": (GREY, "memory traffic"),
}


def costs(comparison: Comparison) -> Figure | None:
    """Joules of a training trial and of a decision by kind of work, means over seeds; estimates at 45 nm."""
    phases = {
        "training": "one training trial",
        "decision": "one decision",
    }
    found = {phase: by_kind(comparison, comparison.energy, phase) for phase in phases}
    names = list(found["training"])
    if not names:
        return None
    figure, axes = new(8.2, 1.5 + 0.34 * len(names), columns=2, sharey=True)
    for axis, (phase, title) in zip(axes[0], phases.items(), strict=True):
        largest = max(sum(parts.values()) for parts in found[phase].values())
        size, unit = next(((size, unit) for size, unit in PREFIXES if largest >= size), PREFIXES[-1])
        left = np.zeros(len(names))
        for kind, (colour, label) in _KINDS.items():
            width = np.array([found[phase][name].get(kind, 0.0) for name in names]) / size
            if width.any():
                axis.barh(range(len(names)), width, left=left, color=colour, label=label, height=0.7)
                left += width
        for place, total in enumerate(left):
            axis.annotate(f"{total:.3g}", (total, place), (3, 0), textcoords="offset points", va="center", fontsize=8)
        axis.set_xlim(0, 1.15 * left.max() or 1)
        axis.set_xlabel(f"energy, estimated ({unit})")
        axis.set_title(title, loc="left")
    axes[0, 0].set_yticks(range(len(names)), [_title(name) for name in names])
    axes[0, 0].invert_yaxis()
    handles = {label: handle for axis in axes[0] for handle, label in zip(*axis.get_legend_handles_labels(), strict=True)}
    caption(figure, f"{_means(comparison)}; operations counted and priced, no joule was measured")
    legend(figure, list(handles.values()), list(handles), columns=4)
    return figure


def alignment(comparison: Comparison) -> Figure | None:
    """How alike the learners are: errors, representations and their dissimilarities, pair by pair; means over seeds."""
    if not comparison.alignment:
        return None
    rows = comparison.alignment[0]["rows"]
    panels = {
        "error_consistency": "errors: Cohen's κ",
        "cka": "representations:\nlinear CKA",
        "rsa": "dissimilarities of\nconditions: ρ",
    }
    shown = {key: title for key, title in panels.items() if any(row.get(key) for row in rows)}
    if not shown:
        return None
    size = 0.36 * len(comparison.learners)
    figure, axes = new(1.2 + (1.6 + size) * len(shown), 2.2 + size, columns=len(shown))
    image: Any = None
    for axis, (key, title) in zip(axes[0], shown.items(), strict=True):
        present = [name for name in comparison.learners if any(row.get(key) and name in (row["a"], row["b"]) for row in rows)]
        matrix = np.full((len(present), len(present)), np.nan)
        for row in rows:
            told = row.get(key)
            if told and told["mean"] is not None:
                a, b = present.index(row["a"]), present.index(row["b"])
                matrix[a, b] = matrix[b, a] = told["mean"]
        image = axis.imshow(matrix, cmap="cividis", vmin=0, vmax=1)
        for a, b in np.argwhere(np.isfinite(matrix)):
            colour = "black" if matrix[a, b] > 0.5 else "white"
            text = f"{matrix[a, b]:.2f}".replace("-0.00", "0.00")
            axis.text(b, a, text, ha="center", va="center", fontsize=7, color=colour)
        labels = [_title(name) for name in present]
        axis.set_xticks(range(len(present)), labels, rotation=60, ha="right", rotation_mode="anchor", fontsize=8)
        axis.set_yticks(range(len(present)), labels, fontsize=8)
        axis.set_title(title, loc="left", fontsize=9)
    figure.colorbar(image, ax=list(axes[0]), shrink=0.7, label="0 as permuted trials, 1 alike")
    caption(figure, f"{_means(comparison)}; intervals and permutation tests: tables of likeness")
    return figure


def calibration(comparison: Comparison) -> Figure | None:
    """How often a learner is right at each confidence; the trials of all seeds together."""
    names = [name for name in comparison.learners if all("probabilities" in record.arrays for record in comparison.of(name))]
    if not names:
        return None
    looks = look(comparison.learners)
    figure, axes = new(6.6, 4.0)
    axis = axes[0, 0]
    axis.plot([0, 100], [0, 100], color=GREY, linewidth=0.7)
    axis.annotate("as sure as right", (4, 4), (-4, 8), textcoords="offset points", fontsize=8, color=GREY, rotation=43)
    for name in names:
        records = comparison.of(name)
        stacked = (np.concatenate([record.arrays[key] for record in records]) for key in ("probabilities", "labels"))
        curve = calibrate(*stacked)
        enough = curve.trials >= 20
        colour, line, marker = looks[name]
        right, sure = 100 * curve.accuracy[enough], 100 * curve.confidence[enough]
        axis.plot(sure, right, color=colour, linestyle=line, marker=marker, markersize=4, label=_title(name))
    axis.set_xlim(0, 102)
    axis.set_ylim(0, 103)
    axis.set_xlabel("confidence: probability of the answer given (%)")
    axis.set_ylabel("answers that are right (%)")
    axis.set_title(f"test trials of {len(comparison.seeds)} seeds together; bins of 20 trials or more", loc="left")
    figure.legend(loc="outside right upper")
    return figure
