"""Attention as a gain on the input."""

from __future__ import annotations

import dataclasses
import numbers
from typing import ClassVar

import numpy as np

from plasticity import given
from plasticity.errors import WrongUse
from plasticity.gates.gate import MOST_GAIN, Gate
from plasticity.settings import setting


@dataclasses.dataclass(frozen=True)
class InputGain(Gate):
    """The cue multiplies the firing rates of the attended stream and of the ignored ones.

    Parameters
    ----------
    attended, ignored : float
        The two gains, without unit.
    """

    name: ClassVar[str] = "input_gain"
    summary: ClassVar[str] = "attention multiplies the input's firing rate: attended up, ignored down"
    source: ClassVar[str] = (
        "McAdams & Maunsell 1999, doi:10.1523/JNEUROSCI.19-01-00431.1999; Wimmer et al. 2015, doi:10.1038/nature15398"
    )
    selects: ClassVar[bool] = True

    attended: float = setting(2.0, "gain of the attended stream", low=0, high=MOST_GAIN)
    ignored: float = setting(0.2, "gain of every other stream", low=0, high=MOST_GAIN)

    def gains(self, cue: np.ndarray, streams: int, rng: np.random.Generator) -> np.ndarray:
        return self.favour(cue, streams)

    def favour(self, chosen: np.ndarray, streams: int) -> np.ndarray:
        """`attended` for the chosen stream of each trial and `ignored` for the others, shape (trials, streams).

        WrongUse for a number of streams that is none, and for a cue that names no stream.
        """
        if isinstance(streams, bool) or not isinstance(streams, numbers.Integral) or streams < 1:
            raise WrongUse(f"streams={streams!r} must be a whole number of at least 1.")
        cues = given.real(chosen)
        if cues is None or cues.ndim != 1 or np.asarray(chosen).dtype == bool:
            raise WrongUse(f"cue={chosen!r} must name a stream for each trial, as whole numbers from 0 to {streams - 1}.")
        if not np.isin(chosen, np.arange(streams)).all():
            raise WrongUse(f"a cue names a stream from 0 to {streams - 1}; these run from {np.min(chosen)} to {np.max(chosen)}.")
        return np.where(np.arange(streams) == np.asarray(chosen)[:, None], self.attended, self.ignored).astype(float)
