"""Two digits at once; a cue says which one matters."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from numbers import Integral
from typing import Any, ClassVar

import numpy as np

from plasticity import given
from plasticity.checked import checked
from plasticity.datasets import WITH_OWN, Images, classes, features, images, own_facts, split
from plasticity.errors import WrongUse
from plasticity.settings import setting
from plasticity.tasks.streams import Streams
from plasticity.tasks.task import Task
from plasticity.tasks.trials import Draw

CLASSES = 10
STREAMS = 2


@dataclass(frozen=True)
class CuedDigits(Task):
    """Two digit images are shown at once, in two streams; the answer is the digit in the cued stream.

    One trial::

            stream 0            stream 1          cue      answer

        . . # # # . . .     . . . # # . . .      [1 0]       3
        . # . . # # . .     . . # # # . . .
        . . . . # . . .     . # . # # . . .        |
        . . . # # . . .     . . . # # . . .        v
        . . . . # # . .     . . . # # . . .     "stream 0"
        . . . . . # . .     . . . # # . . .
        . # . . # # . .     . . . # # . . .
        . . # # # . . .     . . # # # # . .

        stimulus[t, 0]      stimulus[t, 1]       cue[t]    label[t]

    - The digit in the other stream is always of another class, so that attention alone decides: without the cue
      the best is a guess between the two digits shown, accuracy 0.5 (`without_attention`).
    - Each stream is cued in half of the trials (+-1), in random order, and so it is within each class of answer (+-1).
    - The classes of the attended digit are balanced (+-1); so are those of the other digit within each of them.
    - Images of a class are used evenly: its pool is shuffled, dealt out, and shuffled again when exhausted.
    - Training, validation and test images never overlap. digits: the 1797 scans are split anew in each draw, 1200/197/400,
      stratified by class (new images of the same 13 writers). mnist: training and validation images are 50,000 and 10,000
      of the 60,000, split anew in each draw; test images are the 10,000, numbered from 60000 on.
    - The test trials of a generator do not change with the number of training trials.
    - With data=idx the images are those of your own in `folder`, in MNIST's format (`plasticity.datasets.read_idx`), of as many
      classes as their labels have.

    Shapes: `stimulus` (trials, 2, 64) for digits and mnist8, (trials, 2, 784) for mnist, scaled to 0 to 1.

    Raises
    ------
    WrongUse
        Fewer trials than classes in any part, unknown data, a folder without images.
    PlasticityError
        MNIST is missing or damaged, a file of your own is damaged.

    Source: selective attention as competition that a cue biases: Desimone & Duncan (1995), Annual Review of Neuroscience 18,
    doi:10.1146/annurev.ne.18.030195.001205. Two streams of which one is to be followed: Cherry (1953), Journal of the
    Acoustical Society of America 25, doi:10.1121/1.1907229. Data: see `plasticity.datasets`.
    """

    name: ClassVar[str] = "cued_digits"
    summary: ClassVar[str] = "Two digits at once, a cue says which one to name."
    source: ClassVar[str] = "Desimone & Duncan 1995 doi:10.1146/annurev.ne.18.030195.001205; Cherry 1953 doi:10.1121/1.1907229"

    data: str = setting(
        "digits", "images: scikit-learn's 8x8 scans, MNIST 28x28, or pooled to 8x8, or idx: your own", choices=WITH_OWN
    )
    folder: str = setting("", "with data=idx: the folder that holds images and labels in MNIST's format", later=True)
    train: int = setting(2000, "training trials", "trials", low=CLASSES, high=10_000_000)
    validation: int = setting(300, "validation trials", "trials", low=CLASSES, high=10_000_000)
    test: int = setting(500, "test trials", "trials", low=CLASSES, high=10_000_000)

    def __post_init__(self) -> None:
        for part in ("train", "validation", "test"):
            trials = getattr(self, part)
            if not isinstance(trials, Integral) or isinstance(trials, bool):
                raise WrongUse(f"{self.name}: {part}={given.shown(trials)} is not a whole number of trials.")
            if trials < CLASSES:
                raise WrongUse(
                    f"{self.name}: {part}={given.shown(trials)} is fewer than its {CLASSES} classes; give at least {CLASSES}."
                )
            object.__setattr__(self, part, int(trials))
        super().__post_init__()

    @property
    def numbers(self) -> float:
        return (self.train + self.validation + self.test) * self.streams * features(self.data)

    @property
    def classes(self) -> int:
        return classes(self.data, self.folder)

    @property
    def facts(self) -> dict[str, Any]:
        """Names of the classes and SHA-256 of the files, of images of your own."""
        return own_facts(self.data, self.folder)

    @property
    def streams(self) -> int:
        return STREAMS

    @property
    def without_attention(self) -> float:
        """Best accuracy without the cue: a guess between the two digits shown."""
        return 1 / STREAMS

    @checked
    def hints(self, sides: Collection[str]) -> Iterable[str]:
        """On images larger than those of the defaults a model trained by gradient may fail to find out where to look."""
        larger = "torch" in sides and self.data in ("mnist", "idx")
        features = 784 if self.data == "mnist" else images(self.data, self.folder).pixels.shape[1] if larger else 0
        if larger and features > 64:
            yield (
                f"cued_digits: settings of the torch side were chosen on images of 64 pixels; of these, which have {features},"
                " attention may not be learnt at all. Give more training trials, or choose a learning rate on validation trials,"
                " such as --set torch.learning_rate=0.002."
            )

    def draw(self, rng: np.random.Generator) -> Draw:
        shown = images(self.data, self.folder)
        least = min(self.train, self.validation, self.test)
        if least < shown.classes:
            raise WrongUse(f"{self.name}: {least} trials are fewer than its {shown.classes} classes; give at least as many.")
        seeds = self.seeds_of(rng)
        pools = split(shown, seeds[0])
        parts = zip(pools, (self.train, self.validation, self.test), seeds[1:], strict=True)
        return Draw(
            *(_deal(shown, pool, trials, np.random.default_rng(seed)) for pool, trials, seed in parts),
            drawn_from=shown.drawn_from,
            test_set=shown.test_set,
        )

    @checked
    def ideal(self, trials: Streams) -> np.ndarray:
        """The digit in the cued stream, by an observer who recognises both digits without error."""
        return trials.stream_label[np.arange(len(trials)), trials.cue]


def _deal(shown: Images, pool: np.ndarray, trials: int, rng: np.random.Generator) -> Streams:
    """Balanced trials from the images of `pool`, in random order."""
    number = shown.classes
    label = np.sort(rng.permutation(number)[np.arange(trials) % number])
    cue = (np.arange(trials) + rng.integers(STREAMS)) % STREAMS  # takes turns along the sorted labels: balanced in each class
    other = np.empty(trials, dtype=np.int64)
    for digit in range(number):
        rest = rng.permutation(np.delete(np.arange(number), digit))
        of_digit = np.flatnonzero(label == digit)
        other[of_digit] = rest[np.arange(len(of_digit)) % len(rest)]
    order = rng.permutation(trials)
    label, cue, other = label[order], cue[order], other[order]

    stream_label = np.empty((trials, STREAMS), dtype=np.int64)
    stream_label[np.arange(trials), cue] = label
    stream_label[np.arange(trials), 1 - cue] = other
    image = np.empty((trials, STREAMS), dtype=np.int64)
    for digit in range(number):
        places = stream_label == digit
        of_digit = pool[shown.labels[pool] == digit]
        rounds = -(-places.sum() // len(of_digit))
        image[places] = np.concatenate([rng.permutation(of_digit) for _ in range(rounds)])[: places.sum()]
    return Streams(shown.intensity(image), cue, label, stream_label, image, number)
