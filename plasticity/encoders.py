"""How a firing rate becomes spikes: encoders as data.

Each is the Brian2 text of a neuron with the variable `rate` (hertz), which the network declares, and `since` (seconds since
the stimulus came on).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
from brian2 import Hz, NeuronGroup, Quantity, ms

from plasticity import given
from plasticity.checked import checked
from plasticity.errors import WrongUse
from plasticity.neurons import check_group
from plasticity.registry import Registry


@checked
def check_rates(rates_hz: Any, name: str = "rates") -> np.ndarray:
    """Firing rates in hertz as an array; WrongUse for a negative, infinite or NaN one. The engine checks every input in hertz."""
    rates = given.real(np.asarray(rates_hz) if getattr(rates_hz, "dim", None) is Hz.dim else rates_hz)
    if rates is None:
        raise WrongUse(f"{name}={rates_hz!r} must be firing rates in hertz, as an array of numbers of 0 or more.")
    if not (np.isfinite(rates) & (rates >= 0)).all():
        wrong = rates[~(np.isfinite(rates) & (rates >= 0))].flat[0]
        raise WrongUse(f"{name} holds the rate {wrong} Hz; a firing rate is a finite number of 0 or more.")
    return rates


@dataclasses.dataclass(frozen=True)
class Encoder:
    """Rates to spikes.

    Parameters
    ----------
    name, summary, source : str
        Its name in the registry, one line, the paper with doi.
    equations, threshold, reset : str
        Brian2 text around `rate` and `since`.
    onset : str
        What happens when a new stimulus comes on.
    start : dict
        Initial values.
    """

    name: str
    summary: str
    source: str
    threshold: str
    equations: str = ""
    reset: str = ""
    onset: str = ""
    start: dict[str, Any] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("name", "summary", "source", "threshold", "equations", "reset", "onset"):
            if not isinstance(value := getattr(self, name), str):
                raise WrongUse(f"{self.name}: {name}={value!r} must be a text; copy an encoder of plasticity/encoders.py.")
        if not isinstance(self.start, Mapping):
            raise WrongUse(f"{self.name}: start={self.start!r} must be a dictionary of initial values.")

    def __repr__(self) -> str:
        return self.name

    @classmethod
    def from_text(cls, text: str) -> Encoder:
        """An encoder by its name; WrongUse for an unknown one."""
        return ENCODERS[str(text).strip()]

    def group(
        self, n: int, name: str, rate: str, period: Quantity, equations: str = "", reset: str = "", **settings: Any
    ) -> NeuronGroup:
        """An ordinary Brian2 `NeuronGroup` of n inputs.

        Parameters
        ----------
        n, name : int, str
            How many, and the group's name in Brian2.
        rate : str
            Expression with unit hertz, for example `"rates(t, i)"` with a `TimedArray` in `namespace`.
        period : Quantity
            A new stimulus comes on every so often, and stays on until the next.
        equations, reset : str
            What else the neurons carry (a rule's `neuron_traces`).

        Raises
        ------
        WrongUse
            The period is not a positive time, the number of inputs is none, or what should be text is not.
        """
        if not (given.seconds(period) or 0) > 0:
            raise WrongUse(f"period={period} must be a positive time, for example 100*ms.")
        check_group(n, name, {"rate": rate, "equations": equations, "reset": reset})
        if not rate.strip():
            raise WrongUse('rate is empty; it must be a Brian2 expression with unit hertz, for example "15*Hz".')
        since = f"since = t - {float(period)!r}*second*int(t/({float(period)!r}*second) + 1e-6) : second"
        text = (f"rate = {rate} : Hz", since if "since" in self.threshold else "", self.equations, equations)
        made = NeuronGroup(
            n,
            "\n".join(filter(None, text)),
            threshold=self.threshold,
            reset="\n".join(filter(None, (self.reset, reset))),
            name=name,
            **settings,
        )
        for symbol, value in self.start.items():
            setattr(made, symbol, value)
        if self.onset:
            made.run_regularly(self.onset, dt=period, when="start", name=f"{name}_onset")
        return made

    def describe(self) -> str:
        """What `plasticity show` prints."""
        lines = [f"{self.name}: {self.summary}", ""]
        lines += ["  " + line for line in self.equations.splitlines()]
        lines += [f"  spike when {self.threshold}" + (f", then {'; '.join(self.reset.splitlines())}" if self.reset else "")]
        return "\n".join([*lines, "", f"  source: {self.source}"])


poisson = Encoder(
    name="poisson",
    summary="a Poisson process: in each time step a spike with probability rate dt",
    source="Dayan & Abbott 2001, Theoretical Neuroscience, ch. 1.4, ISBN 978-0-262-04199-7",
    threshold="rand() < rate*dt",
)

regular = Encoder(
    name="regular",
    summary="evenly spaced spikes at the rate, from a random phase",
    source="perfect integrator: Gerstner et al. 2014, Neuronal Dynamics, ch. 1.3, doi:10.1017/CBO9781107447615",
    equations="dphase/dt = rate : 1",
    threshold="phase >= 1",
    reset="phase -= 1",
    start={"phase": "rand()"},
)

WINDOW = 50 * ms
"""A rate of 0 would fire this long after stimulus onset under the `latency` encoder (it does not fire)."""
RATE_MAX = 200 * Hz
"""A rate at or above this fires at once under the `latency` encoder."""

latency = Encoder(
    name="latency",
    summary="one spike per stimulus, the earlier the higher the rate: t = 50 ms (1 - rate/200 Hz)",
    source="Thorpe, Delorme & Van Rullen 2001, doi:10.1016/S0893-6080(01)00083-1",
    equations="fired : 1",
    threshold=f"(fired < 0.5) and (rate > 0*Hz) and (since >= {float(WINDOW)}*second*(1 - rate/({float(RATE_MAX)}*Hz)) - dt/2)",
    reset="fired = 1",
    onset="fired = 0",
)

ENCODERS: Registry[Encoder] = Registry(
    "encoder", [value for value in list(globals().values()) if isinstance(value, Encoder)], of=Encoder
)
