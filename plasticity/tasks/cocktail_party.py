"""Two digits spoken at once by two speakers; a cue says whom to follow."""

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

EARS = 2
TEST, VALIDATION = 0.2, 0.1  # shares of the recordings


@dataclass(frozen=True)
class CocktailParty(SoundTask):
    """Two voices speak at once, one at each ear; the answer is the digit that the cued voice says.

    Two speakers, two different digits, equally loud, both from the beginning. Each ear is a stream. It hears its own voice, and
    with `mix` above 0 the other one as well: of the samples (1 - mix) its own + mix the other, before the filters. No gain on
    whole ears takes the two apart then. mix=0 is dichotic listening, as in Cherry 1953::

        voice 0  ---(1 - mix)---> ear 0 ---> filters ---> stream 0        cue: 0 or 1, whose digit is asked for
                 ---  mix  ---\\/
        voice 1  ---  mix  ---/\\
                 ---(1 - mix)---> ear 1 ---> filters ---> stream 1

    - The other digit is always another one: without the cue the best is a guess between the two, .5 (`without_attention`).
    - Cues are balanced (+-1), within each class of answer too; so are the classes of the answer.
    - Recordings are split anew in each draw, as by split=recording of `SpokenDigits`: training, validation and test share none.
    - The test trials of a generator do not change with the number of training trials.

    Shapes: `stimulus` (trials, 2, size*size), 0 to 1; `image` counts the recordings of the data set, of the voice of each ear.

    Raises
    ------
    WrongUse
        Recordings that name fewer than two speakers, or too few of them; fewer trials than classes.
    PlasticityError
        The data set is missing or damaged, a file is no WAV file.

    Source: Cherry 1953, doi:10.1121/1.1907229. What tasks of sounds share: `plasticity.tasks.sounds.SoundTask`.
    """

    name: ClassVar[str] = "cocktail_party"
    summary: ClassVar[str] = "Two digits spoken at once by two speakers, a cue says whom to follow."
    default_seeds: ClassVar[int] = 3
    source: ClassVar[str] = "Cherry 1953 doi:10.1121/1.1907229"

    mix: float = setting(0.0, "share of the other voice in each ear", low=0, below=0.5)
    train: int = setting(2000, "training trials", "trials", low=1, high=1_000_000)
    validation: int = setting(300, "validation trials", "trials", low=1, high=1_000_000)
    test: int = setting(500, "test trials", "trials", low=1, high=1_000_000)

    @property
    def compared(self) -> Mapping[str, Mapping[str, Any]]:
        """Settings were chosen on validation trials of draws 100 and 101, dichotic, which no number that is told uses."""
        spiking = {"passes": 15, "eta_output": 0.02, "eta_gate": 0.03}
        return {
            "spiking_learned_gate": spiking,
            "spiking_learned_gate_cut": spiking,
            "softmax_attention": {},
            "column_lstm": {"epochs": 20},
            "uniform_attention": {},
            "support_vectors_of_a_reading": {},
            "guessing": {},
        }

    @property
    def numbers(self) -> float:
        return (self.train + self.validation + self.test) * EARS * self.size**2

    @property
    def streams(self) -> int:
        return EARS

    @property
    def without_attention(self) -> float:
        """Best accuracy without the cue: a guess between the two digits."""
        return 1 / EARS

    def draw(self, rng: np.random.Generator) -> Draw:
        seeds = tuple(self.seeds_of(rng))
        read = self.read
        if len(read.voices) < 2:
            raise WrongUse(f"{self.name}: recordings of two speakers or more are needed; name files CLASS_SPEAKER_INDEX.wav.")
        least = min(self.train, self.validation, self.test)
        if least < self.classes:
            raise WrongUse(f"{self.name}: {least} trials are fewer than its {self.classes} classes; give at least as many.")
        return _drawn(self, seeds, tuple(read.sha256.values()))

    def _deal(self, read: Recordings, pool: np.ndarray, trials: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Whose ear is cued (trials,), and the recordings at both ears (trials, 2)."""
        number, each = self.classes, np.arange(trials)
        label = np.sort(rng.permutation(number)[each % number])
        cue = (each + rng.integers(EARS)) % EARS
        order = rng.permutation(trials)
        label, cue = label[order], cue[order]
        number_of = np.empty((trials, EARS), dtype=np.int64)
        for digit in range(number):
            asked = np.flatnonzero(label == digit)
            of_digit, other = pool[read.labels[pool] == digit], pool[read.labels[pool] != digit]
            rounds = -(-len(asked) // len(of_digit))
            chosen = np.concatenate([rng.permutation(of_digit) for _ in range(rounds)])[: len(asked)]
            number_of[asked, cue[asked]] = chosen
            for trial, recording in zip(asked, chosen, strict=True):
                strangers = other[read.speakers[other] != read.speakers[recording]]
                if not len(strangers):
                    raise WrongUse(
                        f"{self.name}: all other digits are of the same speaker; give more recordings of each speaker."
                    )
                number_of[trial, 1 - cue[trial]] = rng.choice(strangers)
        return cue, number_of

    def _ears(self, read: Recordings, number_of: np.ndarray) -> np.ndarray:
        """What the filters make of both ears, (trials, 2, size, size) decibels."""
        voices = [samples / np.sqrt(np.mean(samples**2)) for samples in read.samples]  # equally loud
        maps = np.empty((*number_of.shape, self.size, self.size))
        for trial, both in enumerate(number_of):
            heard = np.zeros((EARS, max(len(voices[k]) for k in both)))
            for ear, k in enumerate(both):
                heard[ear, : len(voices[k])] = voices[k]
            for ear in range(EARS):
                mixed = (1 - self.mix) * heard[ear] + self.mix * heard[1 - ear]
                maps[trial, ear] = loudness(mixed, self.size, self.size, self.bank, self.seconds)
        return maps


@functools.lru_cache(maxsize=8)  # a comparison draws the same trials for each learner
def _drawn(task: CocktailParty, seeds: tuple[int, ...], sums: tuple[str, ...]) -> Draw:
    read = task.read
    pools = task._by_recording(read, TEST, VALIDATION, seeds[0])
    parts = []
    scale = None
    for pool, trials, seed in zip(pools, (task.train, task.validation, task.test), seeds[1:], strict=True):
        cue, number_of = task._deal(read, pool, trials, np.random.default_rng(seed))
        maps = task._ears(read, number_of)
        scale = Scale.of(maps.reshape(-1, task.size, task.size)) if scale is None else scale  # the first part is training
        shown = scale(maps.reshape(-1, task.size, task.size)).reshape(trials, EARS, -1)
        said = read.labels[number_of]
        parts.append(Streams(shown, cue, said[np.arange(trials), cue], said, number_of, task.classes))
    return Draw(*parts, drawn_from=len(read.labels))
