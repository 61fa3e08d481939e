"""Neuron models as data: equations, threshold, reset, parameters with units, the paper."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from brian2 import NeuronGroup, Quantity, get_dimensions, get_unit, ms, mV

from plasticity.errors import WrongUse, unknown
from plasticity.registry import Registry


@dataclasses.dataclass(frozen=True)
class Neuron:
    """A point neuron as data.

    Parameters
    ----------
    name, summary, source : str
        Its name in the registry, one line, the paper with doi.
    equations, threshold, reset : str
        Brian2 text; `I` in the equations stands for further input and is an expression given to `group`.
    parameters : dict
        Symbols with values (quantities where they have a unit); they become shared parameters of the group.
    start : dict
        Initial values of the state variables, texts or values.
    meaning : dict
        One line for each symbol.
    refractory : str
        Name of the parameter that is the refractory period, empty for none.
    """

    name: str
    summary: str
    source: str
    equations: str
    threshold: str
    reset: str
    parameters: dict[str, Any]
    start: dict[str, Any]
    meaning: dict[str, str]
    refractory: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "parameters", dict(self.parameters))

    def __call__(self, **changes: Any) -> Neuron:
        """The same neuron with other parameters; WrongUse for an unknown one, a wrong unit or a NaN."""
        values = dict(self.parameters)
        for name, value in changes.items():
            if name not in values:
                raise unknown(f"parameter of {self.name}", name, values)
            try:
                fits = get_dimensions(value) == get_dimensions(values[name])
                finite = np.ndim(value) == 0 and bool(np.isfinite(float(value)))
            except (TypeError, ValueError):
                raise WrongUse(f"{self.name}: {name}={value!r} is not a number; write it like {name}={values[name]!r}.") from None
            if not fits:
                raise WrongUse(f"{self.name}: {name}={value} has the wrong unit; write it like {name}={values[name]!r}.")
            if not finite or (name.startswith("tau") and value <= 0 * values[name]):
                raise WrongUse(f"{self.name}: {name}={value} must be one finite number, and a time constant positive.")
            values[name] = value
        return dataclasses.replace(self, parameters=values)

    def group(
        self,
        n: int,
        name: str,
        current: str = "",
        equations: str = "",
        threshold: str = "",
        reset: str = "",
        values: dict[str, Any] | None = None,
        expressions: dict[str, str] | None = None,
        **settings: Any,
    ) -> NeuronGroup:
        """An ordinary Brian2 `NeuronGroup` of n such neurons.

        Parameters
        ----------
        n, name : int, str
            How many, and the group's name in Brian2.
        current : str
            Expression for `I`, what else drives the membrane (unit of the membrane variable); nothing where empty.
        equations, threshold, reset : str
            Further equations, a further condition for a spike, further text at a spike (a rule's `neuron_traces`).
        values : dict
            Initial values of what the further equations declare.
        expressions : dict
            Parameters that follow an expression instead of being a number, for example `{"adapt": "learn(t)"}`.
        """
        membrane = "1" if get_dimensions(self.parameters["threshold"]).is_dimensionless else "volt"
        lines = [self.equations, f"I = {current or ('0' if membrane == '1' else '0*volt')} : {membrane}"]
        expressions = expressions or {}
        numbers = {symbol: value for symbol, value in self.parameters.items() if symbol not in expressions}
        for symbol, value in self.parameters.items():
            unit = "1" if get_dimensions(value).is_dimensionless else repr(get_unit(get_dimensions(value)))
            follows = f" = {expressions[symbol]}" if symbol in expressions else ""
            lines.append(f"{symbol}{follows} : {unit} (shared{'' if follows else ', constant'})")
        made = NeuronGroup(
            n,
            "\n".join([*lines, equations]),
            threshold=f"({self.threshold}) and ({threshold})" if threshold else self.threshold,
            reset="\n".join(filter(None, (self.reset, reset))),
            refractory=self.refractory or False,
            name=name,
            **settings,
        )
        for symbol, value in {**numbers, **self.start, **(values or {})}.items():
            setattr(made, symbol, self.parameters.get(value, value) if isinstance(value, str) else value)
        return made

    def describe(self) -> str:
        """Equations and parameters: what `plasticity show` prints."""
        lines = [f"{self.name}: {self.summary}", ""]
        lines += ["  " + line.strip() for line in self.equations.splitlines()]
        lines += [f"  spike when {self.threshold}, then {'; '.join(self.reset.splitlines())}", "", "  parameters"]
        lines += [f"    {symbol} = {value}   {self.meaning[symbol]}" for symbol, value in self.parameters.items()]
        return "\n".join([*lines, "", f"  source: {self.source}"])


def lif_rate(current: Quantity, neuron: Neuron) -> float:
    """Closed form of the LIF neuron's rate in Hz under a constant input `current` (unit of the membrane variable).

    1/f = t_ref + tau_m ln((E_L + I - V_r)/(E_L + I - V_t)); 0 below threshold.
    """
    p = neuron.parameters
    drive, rest, reset, threshold = (float(x) for x in (current, p["rest"], p["reset"], p["threshold"]))
    if rest + drive <= threshold:
        return 0.0
    return 1.0 / (float(p["t_ref"]) + float(p["tau_m"]) * float(np.log((rest + drive - reset) / (rest + drive - threshold))))


_COMMON = {
    "tau_m": "membrane time constant",
    "rest": "resting potential",
    "reset": "potential after a spike",
    "threshold": "threshold potential",
    "t_ref": "refractory period",
}
_LIF_SOURCE = "Gerstner, Kistler, Naud & Paninski 2014, Neuronal Dynamics, ch. 1.3, doi:10.1017/CBO9781107447615"

lif_current = Neuron(
    name="lif_current",
    summary="leaky integrate-and-fire neuron, input as current or as jumps of the membrane potential",
    source=_LIF_SOURCE,
    equations="dv/dt = (rest - v + I)/tau_m : volt (unless refractory)",
    threshold="v > threshold",
    reset="v = reset",
    parameters={"tau_m": 20 * ms, "rest": -70 * mV, "reset": -70 * mV, "threshold": -54 * mV, "t_ref": 2 * ms},
    start={"v": "rest"},
    meaning=_COMMON,
    refractory="t_ref",
)

lif_conductance = Neuron(
    name="lif_conductance",
    summary="leaky integrate-and-fire neuron with an excitatory synaptic conductance (in units of the leak)",
    source="Song, Miller & Abbott 2000, doi:10.1038/78829",
    equations="dv/dt = (rest - v + ge*(E_exc - v) + I)/tau_m : volt (unless refractory)\ndge/dt = -ge/tau_e : 1",
    threshold="v > threshold",
    reset="v = reset",
    parameters={
        "tau_m": 10 * ms, "rest": -74 * mV, "reset": -60 * mV, "threshold": -54 * mV, "t_ref": 0 * ms,
        "E_exc": 0 * mV, "tau_e": 5 * ms,
    },
    start={"v": "rest"},
    meaning={**_COMMON, "E_exc": "excitatory reversal potential", "tau_e": "time constant of the conductance"},
    refractory="t_ref",
)  # fmt: skip

lif_adaptive = Neuron(
    name="lif_adaptive",
    summary="leaky integrate-and-fire neuron whose threshold rises by theta_plus at each of its spikes and decays slowly",
    source="Diehl & Cook 2015, doi:10.3389/fncom.2015.00099",
    equations="dv/dt = (rest - v + I)/tau_m : 1 (unless refractory)\ndtheta/dt = -adapt*theta/tau_theta : 1",
    threshold="v > threshold + theta",
    reset="v = reset\ntheta += adapt*theta_plus",
    parameters={
        "tau_m": 100 * ms, "rest": 0.0, "reset": 0.0, "threshold": 1.0, "t_ref": 2 * ms,
        "theta_plus": 0.05, "tau_theta": 1e7 * ms, "adapt": 1.0,
    },
    start={"v": "rest", "theta": 0.0},
    meaning={
        **_COMMON, "theta_plus": "rise of the threshold at a spike", "tau_theta": "time constant of its decay",
        "adapt": "1: the threshold adapts, 0: it is frozen",
    },
    refractory="t_ref",
)  # fmt: skip

NEURONS: Registry[Neuron] = Registry("neuron", [value for value in list(globals().values()) if isinstance(value, Neuron)])
