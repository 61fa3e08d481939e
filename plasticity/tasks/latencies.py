"""Which line fires when: patterns of first spikes, of which rates say nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from plasticity.checked import checked
from plasticity.settings import setting
from plasticity.tasks.streams import Streams
from plasticity.tasks.task import Task
from plasticity.tasks.trials import Draw

EARLIEST, LATEST = 0.98, 0.02  # of the numbers: the latter still fires


@dataclass(frozen=True)
class Latencies(Task):
    """Every line fires exactly once in a trial; when each of them does says which pattern it is.

    A pattern is a latency for each line, drawn at random once a draw and the same in training, validation and test. In a trial
    every latency is moved by a normal number (`jitter`) and reflected at the ends of the window. All lines fire once in all
    trials, so that counts, and rates over a trial, are the same for all patterns: a rule that sees rates alone has nothing to
    learn from.

    A number x in `stimulus` stands for a spike at 1 - x of the window after the onset, the earlier the larger, as the encoder
    `latency` reads it (its window is 50 ms). A spiking classifier takes over from the task that encoder and three settings that
    suit one spike a line, chosen on validation trials of the draws 100 and 101. Other learners get the numbers x, in which a
    latency is as plain as the brightness of a pixel.

    Shapes: `stimulus` (trials, 1, lines), from 0.02 to 0.98. `image` numbers the trials.

    Source: patterns of first spikes: Thorpe, Delorme & Van Rullen (2001), Neural Networks 14, doi:10.1016/S0893-6080(01)00083-1;
    random patterns of one spike a line, to be told apart by a neuron: Guetig & Sompolinsky (2006), Nature Neuroscience 9,
    doi:10.1038/nn1643.
    """

    name: ClassVar[str] = "latencies"
    summary: ClassVar[str] = "Patterns of first spikes to be named; every line fires once, so that rates say nothing."
    source: ClassVar[str] = (
        "Thorpe, Delorme & Van Rullen 2001 doi:10.1016/S0893-6080(01)00083-1; Guetig & Sompolinsky 2006 doi:10.1038/nn1643"
    )
    encoder: ClassVar[str] = "latency"
    max_rate_hz: ClassVar[float] = 100.0  # with the gain of 2 that an attended stream has the window is used from end to end
    tau_m_ms: ClassVar[float] = 20.0  # a neuron that forgets within the window: what comes together counts
    drive: ClassVar[float] = 100.0  # one spike a line, where a rate of 120 Hz gives a dozen

    patterns: int = setting(10, "how many patterns there are to be told apart", low=2, high=1000)
    lines: int = setting(64, "lines, each of which fires once", low=2, high=10_000)
    jitter: float = setting(0.05, "standard deviation of a latency from trial to trial, as a share of the window", low=0, high=1)
    train: int = setting(1000, "training trials", "trials", low=2, high=10_000_000)
    validation: int = setting(200, "validation trials", "trials", low=2, high=10_000_000)
    test: int = setting(500, "test trials", "trials", low=2, high=10_000_000)

    @property
    def classes(self) -> int:
        return self.patterns

    @property
    def numbers(self) -> float:
        return (self.train + self.validation + self.test) * self.lines

    def draw(self, rng: np.random.Generator) -> Draw:
        seeds = self.seeds_of(rng)
        patterns = np.random.default_rng(seeds[0]).uniform(LATEST, EARLIEST, (self.patterns, self.lines))
        parts = []
        for part, (trials, seed) in enumerate(zip((self.train, self.validation, self.test), seeds[1:], strict=True)):
            parts.append(self._trials(patterns, trials, part, np.random.default_rng(seed)))
        return Draw(*parts)

    def _trials(self, patterns: np.ndarray, trials: int, part: int, rng: np.random.Generator) -> Streams:
        """Trials of balanced patterns (+-1) in random order; their numbers are apart from those of the other two parts."""
        label = rng.permutation(rng.permutation(self.patterns)[np.arange(trials) % self.patterns])
        moved = patterns[label] + rng.normal(0.0, self.jitter, (trials, self.lines)) - LATEST
        width = EARLIEST - LATEST
        stimulus = LATEST + np.abs((moved + width) % (2 * width) - width)  # reflected at both ends
        image = part + 3 * rng.permutation(trials)
        return Streams(stimulus[:, None], np.zeros(trials, np.int64), label, label[:, None], image[:, None], self.patterns)

    @checked
    def ideal(self, trials: Streams) -> np.ndarray:
        """The pattern that is shown, by an observer who knows all of them."""
        return trials.stream_label[:, 0]
