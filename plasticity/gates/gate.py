"""A gate turns the cues of trials into gains, on the input and on the learning of each stream; the base leaves all at 1.

Attention multiplies firing rates (McAdams & Maunsell 1999, doi:10.1523/JNEUROSCI.19-01-00431.1999), and does so as early as the
thalamus (McAlonan, Cavanaugh & Wurtz 2008, doi:10.1038/nature07382; Wimmer et al. 2015, doi:10.1038/nature15398). The gains of
these gates are stronger than those measured in single neurons: they stand for the whole path up to where two stimuli compete.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from plasticity import given
from plasticity.checked import Count, checked
from plasticity.errors import WrongUse
from plasticity.settings import describe

MOST_GAIN = 1e6


@dataclasses.dataclass(frozen=True)
class Gate:
    """No attention: gain 1 on every stream, learning open for every stream."""

    name: ClassVar[str] = "none"
    summary: ClassVar[str] = "no attention: gain 1 on every stream"
    source: ClassVar[str] = "control"
    selects: ClassVar[bool] = False  # is told which stream matters, and favours it

    known: ClassVar[Mapping[str, type[Gate]]]  # all gates by name; set by plasticity.gates, which imports them

    @classmethod
    @checked
    def from_text(cls, text: str) -> Gate:
        """A gate by its name, with its default gains; WrongUse for an unknown one."""
        return cls.known[str(text).strip()]()

    def __post_init__(self) -> None:
        describe(self)  # refuses settings of what is no dataclass
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            several = given.real(value)
            if several is not None and several.ndim:
                raise WrongUse(f"{type(self).__name__}: {field.name} is one number, not an array of shape {several.shape}.")
            gain = given.one(value)
            if gain is None or not 0 <= gain <= MOST_GAIN:
                told = f"{type(self).__name__}: {field.name}={given.shown(value)}"
                raise WrongUse(f"{told} must be a finite gain of 0 or more, and {MOST_GAIN:g} at most.")

    @checked
    def gains(self, cue: np.ndarray, streams: Count, rng: np.random.Generator) -> np.ndarray:
        """The gain on the input of each stream, shape (trials, streams)."""
        return np.ones((len(cue), streams))

    @checked
    def learning(self, cue: np.ndarray, streams: Count, rng: np.random.Generator) -> np.ndarray:
        """The gain on the learning of each stream's synapses, shape (trials, streams)."""
        return np.ones((len(cue), streams))

    @checked
    def superpose(self, stimulus: np.ndarray, cue: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """The streams (trials, streams, features) times their gains, added up: what meets where they meet, (trials, features)."""
        if given.real(stimulus) is None or np.ndim(stimulus) != 3:
            raise WrongUse(f"stimulus of shape {np.shape(stimulus)} must be numbers (trials, streams, features).")
        return np.einsum("tsf,ts->tf", stimulus, self.gains(cue, stimulus.shape[1], rng))


NoGate = Gate
