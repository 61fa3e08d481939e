"""A spoken digit, to be named."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from plasticity.datasets.recordings import Recordings
from plasticity.errors import WrongUse
from plasticity.settings import setting
from plasticity.sounds import Scale, loudness
from plasticity.tasks.sounds import SoundTask
from plasticity.tasks.streams import Streams
from plasticity.tasks.trials import Draw


@dataclass(frozen=True)
class SpokenDigits(SoundTask):
    """One recording is shown, as a map of bands by bins of time, in one stream; the answer is the digit that is spoken.

    split=recording: recordings are split anew in each draw, of each digit and speaker the same shares. Who speaks in the test has
    spoken in training. split=speaker: one speaker is the test, recordings of the others are training and validation; a generator
    that was made of seed k has speaker k (modulo their number) as its test, so that as many seeds as there are speakers leave out
    each of them once. Intervals are then over speakers, as if speakers were drawn independently; their training speakers overlap.

    Shapes: `stimulus` (trials, 1, size*size), 0 to 1; `image` counts the recordings of the data set.

    Raises
    ------
    WrongUse
        Too few recordings, unknown speakers or fewer than two with split=speaker, more training trials than recordings.
    PlasticityError
        The data set is missing or damaged, a file is no WAV file.

    Sources: Davis & Mermelstein 1980, doi:10.1109/TASSP.1980.1163420 (words recognised by a bank of filters); Patterson et al.
    1992, doi:10.1016/B978-0-08-041847-6.50054-X (gammatone). What tasks of sounds share: `plasticity.tasks.sounds.SoundTask`.
    """

    name: ClassVar[str] = "spoken_digits"
    summary: ClassVar[str] = "A spoken digit, to be named; or recordings of your own."
    default_seeds: ClassVar[int] = 3
    source: ClassVar[str] = (
        "Davis & Mermelstein 1980 doi:10.1109/TASSP.1980.1163420; Patterson et al. 1992 doi:10.1016/B978-0-08-041847-6.50054-X"
    )

    split: str = setting("recording", "what is new in the test: a recording, or a speaker", choices=("recording", "speaker"))
    train: int = setting(0, "the most training trials; 0: all recordings", "trials", low=0, high=10_000_000)
    test: float = setting(0.2, "by recording: share of the recordings that is test", above=0, below=1)
    validation: float = setting(0.1, "share of the recordings that is validation", above=0, below=1)

    @property
    def compared(self) -> Mapping[str, Mapping[str, Any]]:
        """Settings were chosen on validation trials of draw 100, by recording, which no number that is told uses."""
        return {
            "spiking_brainprop": {"passes": 20, "eta_output": 0.02},
            "conv_attention": {"learning_rate": 0.002, "epochs": 20},
            "column_lstm": {"epochs": 20},
            "nearest_neighbour": {},
            "logistic_regression": {},
            "guessing": {},
        }

    @property
    def facts(self) -> dict[str, Any]:
        over = {"intervals": "over speakers, of whom each seed leaves out another"} if self.split == "speaker" else {}
        return super().facts | over

    def draw(self, rng: np.random.Generator) -> Draw:
        seeds = self.seeds_of(rng)
        read = self.read
        if self.split == "recording":
            parts = self._by_recording(read, self.test, self.validation, seeds[0])
        else:
            parts = self._by_speaker(read, _seed(rng))
        parts = [np.random.default_rng(seed).permutation(part) for part, seed in zip(parts, seeds[1:], strict=True)]
        if self.train > len(parts[0]):
            raise WrongUse(
                f"{self.name}: train={self.train} is more than the {len(parts[0])} recordings for training; give fewer."
            )
        parts[0] = parts[0][: self.train or None]
        maps = _maps(self.data, self.folder, self.bank, self.size, self.seconds, tuple(read.sha256.values()))
        scale = Scale.of(maps[parts[0]])
        made = (self._trials(read, scale(maps[part]), part) for part in parts)
        return Draw(*made, drawn_from=len(read.labels) if self.split == "recording" else 0)

    def _by_speaker(self, read: Recordings, seed: int) -> list[np.ndarray]:
        """Numbers of the recordings for training, validation and test: one speaker is the test, of the others are the rest.

        With another speaker as validation, trials on which training stops and weights are chosen, models trained by gradient may
        keep the weights that they began with: how one new speaker is understood says little of another.
        """
        count = len(read.voices)
        if count < 2:
            raise WrongUse(
                f"{self.name}: split=speaker needs two speakers or more, and these recordings name {count}; name files"
                " CLASS_SPEAKER_INDEX.wav, or give split=recording."
            )
        test = seed % count
        held = np.zeros(len(read.labels), dtype=bool)
        rng = np.random.default_rng([seed, 1])
        for group in np.unique(read.labels * count + read.speakers):
            of = np.flatnonzero(read.labels * count + read.speakers == group)
            held[rng.permutation(of)[: max(1, round(self.validation * len(of)))]] = True
        mine = read.speakers == test
        return [np.flatnonzero(some) for some in (~mine & ~held, ~mine & held, mine)]

    def _trials(self, read: Recordings, maps: np.ndarray, part: np.ndarray) -> Streams:
        label = read.labels[part]
        shown = maps.reshape(len(part), 1, -1)
        return Streams(shown, np.zeros(len(part), np.int64), label, label[:, None], part[:, None].astype(np.int64), self.classes)


def _seed(rng: np.random.Generator) -> int:
    """The seed that a generator was made of."""
    entropy = getattr(rng.bit_generator.seed_seq, "entropy", 0)
    return int(np.ravel(entropy)[0])


@functools.lru_cache(maxsize=4)
def _maps(data: str, folder: str, bank: str, size: int, seconds: float, sums: tuple[str, ...]) -> np.ndarray:
    """Of all recordings, (recordings, size, size) decibels; `sums` are those of the files, so that other files are read anew."""
    read = SpokenDigits(data=data, folder=folder).read
    return np.array([loudness(samples, size, size, bank, seconds) for samples in read.samples])
