"""One digit at a time: plain recognition."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from plasticity.checked import checked
from plasticity.datasets import WITH_OWN, classes, images, own_facts, split
from plasticity.errors import WrongUse
from plasticity.settings import setting
from plasticity.tasks.streams import Streams
from plasticity.tasks.task import Task
from plasticity.tasks.trials import Draw

CLASSES = 10


@dataclass(frozen=True)
class Digits(Task):
    """One digit image is shown, in one stream; the answer is the digit.

    There is nothing to attend to but the image itself, and no cue: `Streams.X` holds the images alone. Every image is shown once
    at most. Training, validation and test images never overlap (`plasticity.datasets.split`: the same as in `CuedDigits`). Of the
    pool of a part the first so many are taken after shuffling, so that the test trials of a generator do not change with the
    number of training trials.

    With data=idx the images are those of your own in `folder`, in MNIST's format (`plasticity.datasets.read_idx`), of as many
    classes as their labels have.

    Shapes: `stimulus` (trials, 1, 64) for digits and mnist8, (trials, 1, 784) for mnist, scaled to 0 to 1.

    Raises
    ------
    WrongUse
        Fewer trials than classes in any part, more than there are images, unknown data, a folder without images.
    PlasticityError
        MNIST is missing or damaged, a file of your own is damaged.

    Source: LeCun, Bottou, Bengio & Haffner (1998), Proceedings of the IEEE 86, doi:10.1109/5.726791. Data: `plasticity.datasets`.
    """

    name: ClassVar[str] = "digits"
    summary: ClassVar[str] = "One digit at a time, to be named."
    source: ClassVar[str] = "LeCun, Bottou, Bengio & Haffner 1998 doi:10.1109/5.726791"

    data: str = setting(
        "digits", "images: scikit-learn's 8x8 scans, MNIST 28x28, or pooled to 8x8, or idx: your own", choices=WITH_OWN
    )
    folder: str = setting("", "with data=idx: the folder that holds images and labels in MNIST's format", later=True)
    train: int = setting(1200, "training trials (at most 1200 scans, 50,000 of MNIST)", "trials", low=CLASSES, high=50_000)
    validation: int = setting(197, "validation trials (at most 197 scans, 10,000 of MNIST)", "trials", low=CLASSES, high=10_000)
    test: int = setting(400, "test trials (at most 400 scans, 10,000 of MNIST)", "trials", low=CLASSES, high=10_000)

    @property
    def classes(self) -> int:
        return classes(self.data, self.folder)

    @property
    def facts(self) -> dict[str, Any]:
        """Names of the classes and SHA-256 of the files, of images of your own."""
        return own_facts(self.data, self.folder)

    @property
    def streams(self) -> int:
        return 1

    def draw(self, rng: np.random.Generator) -> Draw:
        shown = images(self.data, self.folder)
        seeds = self.seeds_of(rng)
        parts = []
        wanted = {"train": self.train, "validation": self.validation, "test": self.test}
        pools = split(shown, seeds[0])
        most = ", ".join(f"{part}={len(pool)}" for part, pool in zip(wanted, pools, strict=True))
        for (part, trials), pool, seed in zip(wanted.items(), pools, seeds[1:], strict=True):
            if trials > len(pool):
                raise WrongUse(
                    f"{self.name}: {part}={trials} is more than the {len(pool)} images of {self.data} for it; its images are"
                    f" split into at most {most}."
                )
            if trials < shown.classes:
                raise WrongUse(f"{self.name}: {part}={trials} is fewer than its {shown.classes} classes; give at least as many.")
            chosen = np.random.default_rng(seed).permutation(pool)[:trials, None]  # (trials, 1)
            label = shown.labels[chosen]
            cue = np.zeros(trials, np.int64)
            parts.append(Streams(shown.intensity(chosen), cue, label[:, 0], label, chosen, shown.classes))
        return Draw(*parts, drawn_from=shown.drawn_from, test_set=shown.test_set)

    @checked
    def ideal(self, trials: Streams) -> np.ndarray:
        """The digit that is shown."""
        return trials.stream_label[:, 0]
