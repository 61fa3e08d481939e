"""Sounds: a WAV file as samples, and samples as what a bank of filters like the cochlea's lets through, over time.

A map of a sound has as many bands as bins of time, so that whatever takes a square image takes it too: bands from low (row 0) to
high frequencies, bins from the beginning to the end.
"""

from __future__ import annotations

import functools
import io
import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from plasticity.checked import checked
from plasticity.errors import PlasticityError

RATE = 8000  # samples a second that everything is brought to
LOWEST, HIGHEST = 100.0, 3500.0  # centre frequencies of the lowest and the highest band, hertz
WINDOW, HOP = 200, 64  # samples of a frame (25 ms), and from one to the next (8 ms)
FLOOR_DB = 50.0  # what lies so far below the loudest band and bin of a sound is not heard
MOST_RATE = 1_000_000  # samples a second that a file may have
SHORTEST = 0.02  # seconds
_WINDOW = np.hanning(WINDOW)
BANKS = ("gammatone", "mel")


@dataclass(frozen=True, eq=False)
class Sound:
    """Samples (n,) float64 from -1 to 1, `RATE` of them a second, and what was done to the file to get them."""

    samples: np.ndarray
    done: tuple[str, ...] = ()


@checked
def read_wav(content: bytes, name: str) -> Sound:
    """The sound in the bytes of a WAV file; `name` is what messages call it.

    Samples of 8, 16, 24 or 32 bits or floats, any rate, any number of channels. Another rate than `RATE` is resampled, several
    channels are averaged, and `done` says so.

    Raises
    ------
    PlasticityError
        Nothing in the file, no WAV file or a damaged one, no samples, NaN, silence, shorter than `SHORTEST`.
    """
    from scipy.io import wavfile
    from scipy.signal import resample_poly

    if not content:
        raise PlasticityError(f"{name} is empty; replace it, or leave it out.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # chunks beside the samples, such as the name of the recorder
            rate, values = wavfile.read(io.BytesIO(content))
    except Exception as problem:  # SciPy raises ValueError, struct.error, EOFError and others
        why = str(problem).strip().rstrip(".") or type(problem).__name__
        raise PlasticityError(f"{name} is no WAV file that can be read ({why}); save it as WAV with PCM samples.") from None
    if not 0 < rate <= MOST_RATE:
        raise PlasticityError(f"{name} says {rate} samples a second; save it with 8000 to 48000.")
    if not values.size:
        raise PlasticityError(f"{name} holds no samples; record it again, or leave it out.")
    samples = _scaled(values)
    if not np.isfinite(samples).all():
        raise PlasticityError(f"{name} holds NaN or infinity; record it again, or leave it out.")
    done = []
    if samples.ndim == 2:
        if samples.shape[1] > 1:
            done.append(f"{samples.shape[1]} channels averaged")
        samples = samples.mean(axis=1)
    if rate != RATE:
        done.append(f"resampled from {rate} to {RATE} Hz")
        common = math.gcd(rate, RATE)
        samples = resample_poly(samples, RATE // common, rate // common).clip(-1, 1)
    if len(samples) < SHORTEST * RATE:
        raise PlasticityError(f"{name} lasts {1e3 * len(samples) / RATE:.0f} ms; give {1e3 * SHORTEST:.0f} ms or more.")
    if np.ptp(samples) == 0:
        raise PlasticityError(f"{name} is silent; record it again, or leave it out.")
    return Sound(samples, tuple(done))


def _scaled(values: np.ndarray) -> np.ndarray:
    """Samples as -1 to 1 float64; SciPy gives 24 bits in the upper part of 32."""
    if values.dtype.kind == "f":
        return values.astype(np.float64).clip(-1, 1)  # NaN stays
    if values.dtype.kind == "u":
        return values / 2.0 ** (8 * values.itemsize - 1) - 1
    return values / 2.0 ** (8 * values.itemsize - 1)


@functools.cache
def bank(kind: str, bands: int) -> np.ndarray:
    """Gain on the power at each frequency of a frame in each band, (bands, WINDOW//2 + 1), from the lowest band up.

    gammatone: |H(f)|^2 of SciPy's gammatone filters of order 4, their centres evenly spaced on the scale of equivalent
    rectangular bandwidths. mel: triangles evenly spaced on the mel scale, each from the centre below to the centre above.

    Sources: Patterson et al. 1992, in Auditory Physiology and Perception, doi:10.1016/B978-0-08-041847-6.50054-X (gammatone);
    Glasberg & Moore 1990, doi:10.1016/0378-5955(90)90170-T (the scale); Davis & Mermelstein 1980,
    doi:10.1109/TASSP.1980.1163420 (mel).
    """
    from scipy.signal import freqz, gammatone

    at = np.fft.rfftfreq(WINDOW, 1 / RATE)
    if kind == "mel":
        low, high = (2595 * np.log10(1 + f / 700) for f in (LOWEST / 2, RATE / 2))
        centres = 700 * (10 ** (np.linspace(low, high, bands + 2) / 2595) - 1)
        below, centre, above = (centres[k : bands + k, None] for k in range(3))
        return np.clip(np.minimum((at - below) / (centre - below), (above - at) / (above - centre)), 0, None)
    low, high = (21.4 * np.log10(1 + 0.00437 * f) for f in (LOWEST, HIGHEST))
    scale = np.linspace(low, high, bands)
    centres = (10 ** (scale / 21.4) - 1) / 0.00437
    return np.array([np.abs(freqz(*gammatone(f, "iir", fs=RATE), worN=at, fs=RATE)[1]) ** 2 for f in centres])


@checked
def loudness(samples: np.ndarray, bands: int, bins: int, kind: str = "gammatone", seconds: float = 0.0) -> np.ndarray:
    """How loud a sound is in each band and bin of time: (bands, bins) decibels under its loudest, 0 down to -`FLOOR_DB`.

    Frames of 25 ms (Hann) go through the bank of filters; their mean power in a bin is taken to decibels, as loudness grows
    about with the logarithm of power. `seconds` is how long all bins last together, with silence after the end of a
    shorter sound; 0: as long as the sound does, so that it is stretched to its bins.
    """
    if seconds:
        wanted = round(seconds * RATE)
        samples = np.pad(samples[:wanted], (0, max(0, wanted - len(samples))))
    samples = np.pad(samples, WINDOW // 2)
    frames = np.lib.stride_tricks.sliding_window_view(samples, WINDOW)[::HOP] * _WINDOW
    power = np.square(np.abs(np.fft.rfft(frames, axis=1))) @ bank(kind, bands).T  # (frames, bands)
    level = _shares(len(power), bins) @ power  # (bins, bands)
    return np.maximum(10 * np.log10(np.maximum(level / level.max(), 1e-30)), -FLOOR_DB).T


@functools.lru_cache(maxsize=512)
def _shares(frames: int, bins: int) -> np.ndarray:
    """What each frame counts in the mean of each bin, (bins, frames), rows summing to 1; a frame may lie in two bins."""
    edges = np.linspace(0, frames, bins + 1)
    first, last = edges[:-1, None], edges[1:, None]
    lies = np.minimum(last, np.arange(1, frames + 1)) - np.maximum(first, np.arange(frames))
    return lies.clip(0) / (last - first)


@dataclass(frozen=True, eq=False)
class Scale:
    """What is 0 and what is 1 in each band, learnt from maps of training sounds alone."""

    low: np.ndarray
    high: np.ndarray

    @classmethod
    def of(cls, maps: Sequence[np.ndarray] | np.ndarray) -> Scale:
        """Of maps (sounds, bands, bins): the median and the 99th percentile over all of them in each band.

        So half of all inputs are silent: a network whose inputs have much in common learns slowly.
        """
        low, high = np.percentile(np.asarray(maps), (50, 99), axis=(0, 2))
        return cls(low, np.where(high > low, high, low + 1))

    def __call__(self, maps: np.ndarray) -> np.ndarray:
        """Maps (sounds, bands, bins) as 0 to 1; what lies beyond is clipped."""
        return ((maps - self.low[:, None]) / (self.high - self.low)[:, None]).clip(0, 1)
