"""A comparison for TensorBoard: learning curves and histograms of weights, both sides in one place."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from plasticity.errors import PlasticityError

if TYPE_CHECKING:
    from bridges.comparison.result import Comparison

BINS = 40
HISTOGRAM = "histogram_"  # how the names of their arrays begin: then "before" or "after", and what the weights are


def histograms(estimator: Any, when: str) -> dict[str, np.ndarray]:
    """Of each group of weights how many there are of which size: edges of the bins, then counts, (2, bins + 1).

    The second row has one number less than the first, and ends with a 0.
    """
    groups = estimator.learnt() if callable(getattr(estimator, "learnt", None)) else {}
    found = {}
    for name, values in groups.items():
        numbers = np.asarray(values, dtype=np.float64).ravel()
        numbers = numbers[np.isfinite(numbers)]
        if len(numbers):
            counts, edges = np.histogram(numbers, BINS, _ends(numbers))
            found[f"{HISTOGRAM}{when}_{name}"] = np.stack([edges, np.append(counts, 0)])
    return found


def _ends(numbers: np.ndarray) -> tuple[float, float]:
    """From where to where the bins go; numbers too near to each other for so many are put into the middle of wider ones."""
    low, high = float(numbers.min()), float(numbers.max())
    least = 2 * BINS * float(np.spacing(max(abs(low), abs(high))))
    return (low, high) if high - low >= least else (low - max(0.5, least), high + max(0.5, least))


def write(comparison: Comparison, folder: str | Path) -> Path:
    """Write FOLDER/seed-NNNN/LEARNER for TensorBoard: `tensorboard --logdir FOLDER`.

    Scalars over training trials shown: `validation/accuracy`, with a gate that learns `attention/cued`, at the end
    `test/accuracy`. Histograms: `weights/NAME`, before learning (step 0) and after it.

    Raises
    ------
    PlasticityError
        TensorBoard is not installed, or the folder cannot be written.
    """
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        raise PlasticityError("this needs TensorBoard; type: pip install tensorboard") from None
    place = Path(folder)
    for (seed, learner), record in comparison.records.items():
        arrays, numbers = record.arrays, record.numbers
        trials = np.asarray(arrays["history_trials"]).astype(int)
        try:
            with SummaryWriter(str(place / f"seed-{seed:04d}" / learner)) as writer:
                for tag, key in (("validation/accuracy", "history_accuracy"), ("attention/cued", "history_attended")):
                    values = np.asarray(arrays.get(key, []))
                    for step, value in zip(trials, values, strict=False):
                        if np.isfinite(value):
                            writer.add_scalar(tag, float(value), int(step))
                writer.add_scalar("test/accuracy", numbers["accuracy"], int(trials[-1]))
                for name, both in arrays.items():
                    if not name.startswith(HISTOGRAM):
                        continue
                    when, _, of = name.removeprefix(HISTOGRAM).partition("_")
                    edges, counts = both[0], both[1, :-1]
                    middle = (edges[1:] + edges[:-1]) / 2
                    writer.add_histogram_raw(
                        f"weights/{of}", min=edges[0], max=edges[-1], num=int(counts.sum()), sum=float(counts @ middle),
                        sum_squares=float(counts @ middle**2), bucket_limits=edges[1:].tolist(), bucket_counts=counts.tolist(),
                        global_step=0 if when == "before" else int(trials[-1]),
                    )  # fmt: skip
        except OSError as error:
            raise PlasticityError(f"cannot write into {place}: {error.strerror or error}; give another folder.") from None
    return place
