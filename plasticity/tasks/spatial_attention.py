"""A digit in one of nine places among distractors; a cue names its place, or a feature that it has wherever it is."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.polynomial import polynomial

from plasticity.checked import checked
from plasticity.datasets import WITH_OWN, Images, classes, features, images, own_facts, split
from plasticity.errors import WrongUse
from plasticity.settings import setting
from plasticity.tasks.streams import Streams
from plasticity.tasks.task import Task
from plasticity.tasks.trials import Draw

GRID = 3  # places in a row, and in a column
PLACES = GRID * GRID


@dataclass(frozen=True)
class SpatialAttention(Task):
    """Digits stand in a scene of 3 x 3 places; the answer is the one in the cued place, or the one that has the cued feature.

    by=place: nine streams, one for each place, with a digit each; the cue names a place (Posner 1980)::

        3 8 1
        0 4 7     cue: place 5 (right, in the middle)     answer: 7
        9 2 5

    by=feature: a stream for each of some colours. Each spans the whole scene and holds one digit of that colour, at a place drawn
    at random; no two stand in the same place. The cue names a colour and says nothing of the place: a gain on a feature all over
    the visual field (Treue & Martinez-Trujillo 1999). What is asked for must be recognised wherever it stands.

    - Every other digit is drawn from all classes, that of the answer too, so that without the cue the best is to name the digit
      that is shown most often: right in the mean of the largest count over all digits (`without_attention`, 29 % by place).
    - Cues are balanced (+-1), and so they are within each class of answer (+-1); so are the classes of the answer.
    - Images of a class are used evenly: its pool is shuffled, dealt out, and shuffled again when exhausted.
    - Training, validation and test images never overlap; they are split as in `CuedDigits`.
    - The test trials of a generator do not change with the number of training trials.

    Shapes, with images of f pixels: `stimulus` (trials, 9, f) by place, (trials, colours, 9 f) by feature.

    Raises
    ------
    WrongUse
        Fewer trials than classes in any part, by feature images that are no squares.
    PlasticityError
        MNIST is missing or damaged, a file of your own is damaged.

    Sources: Posner (1980), Quarterly Journal of Experimental Psychology 32, doi:10.1080/00335558008248231 (a place is cued);
    Treue & Martinez-Trujillo (1999), Nature 399, doi:10.1038/21176 (a feature is). Data: see `plasticity.datasets`.
    """

    name: ClassVar[str] = "spatial_attention"
    summary: ClassVar[str] = "A digit in one of nine places among distractors, a cue names its place or its colour."
    default_seeds: ClassVar[int] = 3
    source: ClassVar[str] = "Posner 1980 doi:10.1080/00335558008248231; Treue & Martinez-Trujillo 1999 doi:10.1038/21176"

    by: str = setting("place", "what the cue names: one of nine places, or the colour of a digit", choices=("place", "feature"))
    colours: int = setting(3, "by feature: how many colours there are, each with one digit", low=2, high=PLACES)
    data: str = setting(
        "digits", "images: scikit-learn's 8x8 scans, MNIST 28x28, or pooled to 8x8, or idx: your own", choices=WITH_OWN
    )
    folder: str = setting("", "with data=idx: the folder that holds images and labels in MNIST's format")
    train: int = setting(2000, "training trials", "trials", low=1, high=10_000_000)
    validation: int = setting(300, "validation trials", "trials", low=1, high=10_000_000)
    test: int = setting(500, "test trials", "trials", low=1, high=10_000_000)

    @property
    def numbers(self) -> float:
        pixels = features(self.data) * (1 if self.by == "place" else PLACES)
        return (self.train + self.validation + self.test) * self.streams * pixels

    @property
    def classes(self) -> int:
        return classes(self.data, self.folder)

    @property
    def facts(self) -> dict[str, Any]:
        """Names of the classes and SHA-256 of the files, of images of your own."""
        return own_facts(self.data, self.folder)

    @property
    def streams(self) -> int:
        return PLACES if self.by == "place" else self.colours

    @property
    def compared(self) -> Mapping[str, Mapping[str, Any]]:
        """Settings were chosen on validation trials of draws 100 and 101, which no number that is told uses."""
        spiking = {"passes": 10 if self.by == "place" else 20, "eta_gate": 0.1, "eta_output": 0.02}
        by_feature = {"learning_rate": 0.001} if self.by == "feature" else {}  # with more it mostly never begins to attend
        return {
            "spiking_learned_gate": spiking,
            "spiking_learned_gate_cut": spiking,
            "softmax_attention": by_feature,
            "conv_attention": {"learning_rate": 0.002, "epochs": 12},
            "vision_transformer": {"epochs": 25},
            "uniform_attention": by_feature,
            "support_vectors_of_a_reading": {},
            "guessing": {},
        }

    @property
    def without_attention(self) -> float:
        """Best accuracy without the cue: the digit that is shown most often, the largest of its counts over all digits shown.

        With n digits of k classes a share n!/k^n [x^n] (sum_(i <= m) x^i/i!)^k of the trials has no count above m.
        """
        n, k = self.streams, self.classes
        upto = [0.0]
        for m in range(1, n + 1):
            terms = [1 / math.factorial(i) for i in range(m + 1)]
            upto.append(math.factorial(n) / k**n * polynomial.polypow(terms, k)[n])
        return sum(m * (upto[m] - upto[m - 1]) for m in range(1, n + 1)) / n

    def draw(self, rng: np.random.Generator) -> Draw:
        shown = images(self.data, self.folder)
        least = min(self.train, self.validation, self.test)
        if least < shown.classes:
            raise WrongUse(f"{self.name}: {least} trials are fewer than its {shown.classes} classes; give at least as many.")
        pixels = shown.pixels.shape[1]
        if self.by == "feature" and math.isqrt(pixels) ** 2 != pixels:
            raise WrongUse(f"{self.name}: images of {pixels} pixels are no squares, which a scene is made of; give by=place.")
        seeds = self.seeds_of(rng)
        pools = split(shown, seeds[0])
        parts = zip(pools, (self.train, self.validation, self.test), seeds[1:], strict=True)
        made = (self._deal(shown, pool, trials, np.random.default_rng(seed)) for pool, trials, seed in parts)
        return Draw(*made, drawn_from=shown.drawn_from, test_set=shown.test_set)

    def _deal(self, shown: Images, pool: np.ndarray, trials: int, rng: np.random.Generator) -> Streams:
        """Balanced trials from the images of `pool`, in random order."""
        number, each = shown.classes, np.arange(trials)
        label = np.sort(rng.permutation(number)[each % number])
        cue = (each + rng.integers(self.streams)) % self.streams  # takes turns along the sorted labels: balanced in each class
        order = rng.permutation(trials)
        label, cue = label[order], cue[order]
        stream_label = rng.integers(number, size=(trials, self.streams))
        stream_label[each, cue] = label

        image = np.empty((trials, self.streams), dtype=np.int64)
        for digit in range(number):
            places = stream_label == digit
            of_digit = pool[shown.labels[pool] == digit]
            rounds = -(-places.sum() // len(of_digit))
            image[places] = np.concatenate([rng.permutation(of_digit) for _ in range(rounds)])[: places.sum()]
        stimulus = shown.intensity(image)  # (trials, streams, pixels)
        if self.by == "feature":
            stimulus = _scenes(stimulus, rng.permuted(np.tile(np.arange(PLACES), (trials, 1)), axis=1)[:, : self.streams])
        return Streams(stimulus, cue, label, stream_label, image, number)

    @checked
    def ideal(self, trials: Streams) -> np.ndarray:
        """The digit that is cued, by an observer who recognises every digit without error."""
        return trials.stream_label[np.arange(len(trials)), trials.cue]


def _scenes(stimulus: np.ndarray, place: np.ndarray) -> np.ndarray:
    """Images (trials, streams, pixels), each at its place (trials, streams) in an empty scene: (trials, streams, 9*pixels)."""
    trials, streams, pixels = stimulus.shape
    side = math.isqrt(pixels)
    scene = np.zeros((trials, streams, GRID, GRID, side, side))
    t, s = np.indices(place.shape)
    scene[t, s, place // GRID, place % GRID] = stimulus.reshape(trials, streams, side, side)
    return scene.swapaxes(3, 4).reshape(trials, streams, PLACES * pixels)
