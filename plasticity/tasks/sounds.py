"""What tasks of sounds share: whose recordings, how they are split, what a bank of filters makes of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from plasticity import datasets
from plasticity.checked import checked
from plasticity.datasets.recordings import Recordings, read_recordings
from plasticity.errors import WrongUse
from plasticity.settings import setting
from plasticity.sounds import BANKS
from plasticity.tasks.streams import Streams
from plasticity.tasks.task import Task

OWN = "folder"


@dataclass(frozen=True)
class SoundTask(Task):
    """A sound is shown as how loud it is in each band of a bank of filters and each bin of time; the answer is what is said.

    - A map has `size` bands, from low to high frequencies, by as many bins of time: a square image.
    - What is 0 and what is 1 in each band is learnt from training recordings alone (`plasticity.sounds.Scale`).
    - Recordings of your own: --set data=folder --set folder=DIR, with DIR/CLASS/*.wav or DIR/CLASS_SPEAKER_INDEX.wav. Other rates
      are resampled and several channels averaged, and a warning says so.
    """

    family: ClassVar[str] = "streams"

    data: str = setting("spoken_digits", "the Free Spoken Digit Dataset, or folder: your own", choices=("spoken_digits", OWN))
    folder: str = setting("", "with data=folder: recordings, DIR/CLASS/*.wav or DIR/CLASS_SPEAKER_INDEX.wav")
    bank: str = setting("gammatone", "the bank of filters (plasticity.sounds.bank)", choices=BANKS)
    size: int = setting(16, "bands, and bins of time", low=2, high=100)
    seconds: float = setting(
        0.0, "how long all bins last together; 0: as long as the sound, which is stretched", "s", low=0, high=60
    )

    @property
    def read(self) -> Recordings:
        """The recordings, read once in a process."""
        if self.data == OWN:
            return read_recordings(self.folder)
        if self.folder:
            raise WrongUse(
                f"folder={self.folder!r} is for recordings of your own; with it write data={OWN}, not data={self.data}."
            )
        return datasets.recorded(self.data)

    @property
    def classes(self) -> int:
        return len(self.read.names) if self.data == OWN else 10

    @property
    def facts(self) -> dict[str, Any]:
        """Of recordings of your own: how many, classes, speakers, SHA-256, what was done to files."""
        if self.data != OWN:
            return {}
        read = self.read
        return {
            "recordings": len(read.labels), "classes": list(read.names), "speakers": list(read.voices),
            "notes": list(read.notes), "sha256": dict(read.sha256),
        }  # fmt: skip

    @checked
    def hints(self, sides: Collection[str]) -> Iterable[str]:
        """What was done to files."""
        return tuple(f"{self.name}: {note}" for note in self.read.notes)

    def _by_recording(self, read: Recordings, test: float, validation: float, seed: int) -> list[np.ndarray]:
        """Numbers of the recordings for training, validation and test, drawn anew: the same shares of each class and speaker."""
        from sklearn.model_selection import train_test_split

        kinds = read.labels * (len(read.voices) + 1) + read.speakers + 1
        least = np.bincount(read.labels).min()
        drawn, held = round(test * len(kinds)), round(validation * len(kinds))
        if least < 3 or min(drawn, held, len(kinds) - drawn - held) < self.classes:
            raise WrongUse(
                f"{self.name}: {len(kinds)} recordings of {self.classes} classes, {least} of the rarest, are too few to be split"
                f" into training, validation and test; give 10 of each class or more, or other shares."
            )
        by = kinds if np.bincount(kinds)[np.unique(kinds)].min() * min(test, validation) >= 1 else read.labels
        rest, tested = train_test_split(np.arange(len(kinds)), test_size=drawn, stratify=by, random_state=seed)
        train, checked_on = train_test_split(rest, test_size=held, stratify=by[rest], random_state=seed)
        return [train, checked_on, tested]

    @checked
    def ideal(self, trials: Streams) -> np.ndarray:
        """What the cued voice says, by an observer who never errs."""
        return trials.stream_label[np.arange(len(trials)), trials.cue]
