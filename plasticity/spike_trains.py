"""Spike trains with a pattern hidden in them that returns within noise of the same rate, drawn in NumPy.

The procedure is that of Masquelier, Guyonneau & Thorpe 2008 (doi:10.1371/journal.pone.0001377), which Hathway & Goodman 2018
(doi:10.5281/zenodo.1327348) write out. Every input fires, in each millisecond, with the probability of its rate r(t):

    dr/dt = s, 0 <= r <= 90 Hz;    s changes by a uniform number within +-360 Hz/s each millisecond, |s| <= 1800 Hz/s

and once more 50 ms after its last spike if it has not fired since, which makes 54 Hz on average. One stretch of 50 ms is the
pattern: what half of the inputs fired there replaces what they fire in other stretches, a quarter of all and never two in
succession, each spike moved by a normal number (the jitter) every time. Then each input gets Poisson noise of 10 Hz, so that
all fire at about 64 Hz within patterns and between them. Where one input has two spikes in a time step, one is left out.

As both papers do, one stretch of 150 s of these trains is made and repeated. It saves the making and the memory, and 450 s
without a repeat are a setting away.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from plasticity import given, memory
from plasticity.checked import Count, Share, checked
from plasticity.errors import WrongUse

__all__ = ["Trains", "base_trains", "check_trains", "placement", "trains"]

RATE_MAX_HZ = 90.0  # of the rate r(t) of each input
SPEED_MAX_HZ_PER_S = 1800.0  # of its change; from 0 to 90 Hz in 50 ms
KICK_HZ_PER_S = 360.0  # by how much the speed may change in a millisecond
SILENCE_MS = 50  # an input that has been silent for so long fires
NOISE_HZ = 10.0  # Poisson spikes on top


@checked
@dataclasses.dataclass(frozen=True)
class Trains:
    """Spike trains with a hidden pattern.

    Attributes
    ----------
    step, neuron : (spikes,) int32
        Time step and input of each spike, in order of time; no input twice in one step.
    steps : int
        Length of the stretch; after it the trains may be repeated.
    dt_ms : float
        The time step.
    presented : (slots,) bool
        Whether the slot (a stretch of one pattern length) holds the pattern.
    slot_ms : int
        Length of a slot, and of the pattern.
    pattern_neuron, pattern_ms : (spikes of the pattern,)
        Who fires in the pattern, and when after its onset, before jitter and noise.
    """

    step: np.ndarray
    neuron: np.ndarray
    steps: int
    dt_ms: float
    presented: np.ndarray
    slot_ms: int
    pattern_neuron: np.ndarray
    pattern_ms: np.ndarray

    def onsets_ms(self, duration_ms: float) -> np.ndarray:
        """When the pattern begins, in a run of `duration_ms` that repeats the stretch."""
        once = np.flatnonzero(self.presented) * self.slot_ms
        length = len(self.presented) * self.slot_ms
        every = (np.arange(int(np.ceil(duration_ms / length)))[:, None] * length + once).ravel()
        return every[every + self.slot_ms <= duration_ms]


@checked
def trains(
    rng: np.random.Generator,
    inputs: int = 2000,
    in_pattern: int = 1000,
    stretch_s: float = 150.0,
    share: float = 0.25,
    jitter_ms: float = 1.0,
    slot_ms: int = 50,
    dt_ms: float = 0.1,
) -> Trains:
    """Spike trains of all inputs, with the pattern hidden in those of inputs 0 to `in_pattern` - 1; see the head of this file.

    Parameters
    ----------
    rng : numpy.random.Generator
        Everything random follows from it.
    inputs, in_pattern : int
        How many, and how many of them take part in the pattern.
    stretch_s : float
        Length of the trains.
    share : float
        Of the time that the pattern is there, at most 0.4.
    jitter_ms : float
        Standard deviation of the jitter.
    slot_ms : int
        Length of the pattern.
    dt_ms : float
        The time step, a whole part of a millisecond.

    Raises
    ------
    WrongUse
        What `check_trains` refuses.
    """
    check_trains(inputs, in_pattern, stretch_s, share, jitter_ms, slot_ms, dt_ms)
    length_ms, per_ms = round(stretch_s * 1000), round(1 / dt_ms)
    presented = placement(rng, length_ms // slot_ms, share)
    neuron, at_ms = base_trains(rng, inputs, length_ms)

    slot = at_ms // slot_ms
    template = (slot == np.flatnonzero(presented)[0]) & (neuron < in_pattern)
    pattern_neuron = neuron[template].astype(np.int64)
    pattern_ms = at_ms[template] % slot_ms + rng.random(int(template.sum()))

    steps = length_ms * per_ms
    kept = ~(presented[slot] & (neuron < in_pattern))
    key = np.uint64 if steps * inputs > np.iinfo(np.uint32).max else np.uint32  # a spike as one number: step * inputs + input
    within = rng.integers(0, per_ms, size=int(kept.sum()), dtype=np.uint8 if per_ms < 256 else np.uint32)
    base = (at_ms[kept].astype(key) * key(per_ms) + within) * key(inputs) + neuron[kept]

    onset_ms = np.flatnonzero(presented)[:, None] * slot_ms
    jittered = onset_ms + pattern_ms + rng.normal(0, jitter_ms, (len(onset_ms), len(pattern_ms)))
    copies = np.clip(np.floor(jittered * per_ms), 0, steps - 1).astype(key) * key(inputs) + pattern_neuron.astype(key)

    extra = rng.poisson(NOISE_HZ * stretch_s * inputs)
    noise = rng.integers(0, steps * inputs, size=extra, dtype=key)
    spikes = np.concatenate([base, copies.ravel(), noise])
    spikes.sort()
    spikes = spikes[np.concatenate([[True], spikes[1:] != spikes[:-1]])]
    step = spikes // key(inputs)
    return Trains(
        step=step.astype(np.int32),
        neuron=(spikes - step * key(inputs)).astype(np.int32),
        steps=steps,
        dt_ms=dt_ms,
        presented=presented,
        slot_ms=slot_ms,
        pattern_neuron=pattern_neuron,
        pattern_ms=pattern_ms,
    )


@checked
def check_trains(
    inputs: int, in_pattern: int, stretch_s: float, share: float, jitter_ms: float, slot_ms: int, dt_ms: float
) -> None:
    """WrongUse for trains that cannot be made.

    More inputs in the pattern than there are, a stretch that is no whole number of patterns, more patterns than fit without two
    in succession, a negative jitter, a time step that divides no millisecond.
    """
    for name, value in (("stretch_s", stretch_s), ("dt_ms", dt_ms)):
        if not 0 < (given.one(value) or 0):
            raise WrongUse(f"{name}={value} must be finite and above 0.")
    memory.refuse(f"trains of inputs={inputs} for {stretch_s:g} s", trains_bytes(inputs, stretch_s), "take fewer or shorter ones")
    length_ms, per_ms = round(stretch_s * 1000), round(min(1 / dt_ms, 1e9))
    if not 1 <= in_pattern <= inputs:
        raise WrongUse(f"in_pattern={in_pattern} must lie between 1 and inputs={inputs}.")
    if slot_ms < 1 or length_ms < slot_ms or abs(length_ms - 1000 * stretch_s) > 1e-6 or length_ms % slot_ms:
        raise WrongUse(f"stretch_s={stretch_s:g} must be a whole number of patterns of {slot_ms} ms, for example 150.")
    if not (0 < share <= 0.4 and int(length_ms // slot_ms * share) >= 1):
        raise WrongUse(f"share={share:g} of {length_ms // slot_ms} stretches must be one pattern or more, and 0.4 at most.")
    if not 0 <= jitter_ms < np.inf:
        raise WrongUse(f"jitter_ms={jitter_ms} must be 0 or more.")
    if per_ms < 1 or abs(per_ms * dt_ms - 1) > 1e-9:
        raise WrongUse(f"dt_ms={dt_ms:g} must be a whole part of a millisecond, for example 0.1.")


def trains_bytes(inputs: int, stretch_s: float) -> float:
    """About how much memory the making of trains takes."""
    return 1e3 * inputs * stretch_s


@checked
def placement(rng: np.random.Generator, slots: Count, share: Share) -> np.ndarray:
    """Which slots hold the pattern: one after the other drawn at random, unless a neighbour has it, until there are enough.

    Raises
    ------
    WrongUse
        There is no free slot left before there are enough.
    """
    wanted = int(slots * share)
    presented = np.zeros(slots + 2, dtype=bool)  # with a border on either side
    for slot in rng.permutation(slots) + 1:
        presented[slot] = not presented[slot - 1 : slot + 2].any()
        wanted -= presented[slot]
        if not wanted:
            break
    if wanted:
        raise WrongUse(f"share={share:g} does not fit into {slots} slots without two patterns in succession; take 0.25.")
    return presented[1:-1]


@checked
def base_trains(
    rng: np.random.Generator, inputs: Count, length_ms: Count, block_ms: Count = 500
) -> tuple[np.ndarray, np.ndarray]:
    """Trains of randomly changing rate without pattern and noise: input and millisecond of each spike, by input and time.

    The rates need one step after the other, for all inputs at once; everything else is done for blocks of time. A spike that
    is fired out of silence starts the count anew and changes nothing else, so that all of these can be filled in at the end.
    """
    f = np.float32
    top, fastest, kick = f(RATE_MAX_HZ / 1e3), f(SPEED_MAX_HZ_PER_S / 1e6), f(KICK_HZ_PER_S / 1e6)  # per millisecond
    rate = rng.random(inputs, dtype=f) * top
    speed = (2 * rng.random(inputs, dtype=f) - 1) * fastest
    chances = np.empty((block_ms, inputs), dtype=f)
    kicks, draws = np.empty_like(chances), np.empty_like(chances)
    found = []
    for start in range(0, length_ms, block_ms):
        rng.random(dtype=f, out=kicks)
        rng.random(dtype=f, out=draws)
        kicks -= f(0.5)
        kicks *= 2 * kick
        for chance, change in zip(chances, kicks, strict=True):
            chance[:] = rate
            rate += speed
            np.maximum(rate, f(0), out=rate)
            np.minimum(rate, top, out=rate)
            speed += change
            np.maximum(speed, -fastest, out=speed)
            np.minimum(speed, fastest, out=speed)
        found.append(np.flatnonzero(draws[: length_ms - start] < chances[: length_ms - start]) + start * inputs)
    at_ms, neuron = np.divmod(np.concatenate(found), inputs)
    # One number for each spike, and for each input a spike before the beginning, at -50 to -1 ms, and one at the end
    width = length_ms + SILENCE_MS + 1
    first = np.arange(inputs) * width
    before = first + rng.integers(0, SILENCE_MS, inputs)
    spikes = np.concatenate([neuron * width + at_ms + SILENCE_MS, before, first + width - 1])
    key = np.uint32 if inputs * width < np.iinfo(np.uint32).max else np.uint64
    spikes = np.sort(spikes.astype(key)).astype(np.int64)
    gap = np.diff(spikes, append=spikes[-1])
    gap[spikes % width == width - 1] = 0  # from one input to the next
    missing = np.maximum(gap - 1, 0) // SILENCE_MS
    order = np.arange(missing.sum()) - np.repeat(np.cumsum(missing) - missing, missing)
    forced = np.repeat(spikes, missing) + SILENCE_MS * (order + 1)
    spikes = np.sort(np.concatenate([spikes, forced]).astype(key))
    neuron, at = np.divmod(spikes, key(width))
    inside = (at >= SILENCE_MS) & (at < width - 1)
    return neuron[inside].astype(np.uint32), at[inside].astype(np.uint32) - np.uint32(SILENCE_MS)
