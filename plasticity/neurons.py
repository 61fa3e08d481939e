"""Neuron models as data: equations, threshold, reset, parameters with units, the paper."""

from __future__ import annotations

import dataclasses
import numbers
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
from brian2 import Equations, NeuronGroup, Quantity, get_dimensions, get_unit, ms, mV, nS, pA, pF, second
from brian2.equations.equations import EquationError
from brian2.stateupdaters.exact import linear

from plasticity import given, memory
from plasticity.checked import checked, checked_but
from plasticity.errors import WrongUse, unknown
from plasticity.registry import Registry
from plasticity.settings import text


@dataclasses.dataclass(frozen=True)
class Neuron:
    """A point neuron as data.

    Parameters
    ----------
    name, summary, source : str
        Its name in the registry, one line, the paper with doi.
    equations, threshold, reset : str
        Brian2 text; `I` in the equations stands for further input and is an expression given to `group`. Threshold and reset
        are empty for a unit of rates, which has no spikes.
    parameters : dict
        Symbols with values (quantities where they have a unit); they become shared parameters of the group.
    start : dict
        Initial values of the state variables, texts or values.
    meaning : dict
        One line for each symbol.
    refractory : str
        Name of the parameter that is the refractory period, empty for none.
    per_neuron : tuple of str
        Parameters that may differ between the neurons of a group: `group.a[800:] = 0.1/ms`. The others are shared.
    advance : dict
        What `group` passes to Brian2 unless told otherwise: a state update of its own (`method`), its time step (`dt`).
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
    per_neuron: tuple[str, ...] = ()
    advance: dict[str, Any] = dataclasses.field(default_factory=dict)

    def __repr__(self) -> str:
        return text(self)

    def __post_init__(self) -> None:
        texts = ("name", "summary", "source", "equations", "threshold", "reset", "refractory")
        maps = ("parameters", "start", "meaning")
        for names, kind, wanted in ((texts, "a text", str), (maps, "a dictionary", Mapping)):
            for name in names:
                if not isinstance(value := getattr(self, name), wanted):
                    raise WrongUse(f"{self.name}: {name}={value!r} must be {kind}; copy a neuron of plasticity/neurons.py.")
        object.__setattr__(self, "parameters", dict(self.parameters))
        for name, value in self.parameters.items():
            number = None if isinstance(value, (str, bool)) else given.one(np.asarray(value))
            time = number is not None and get_dimensions(value) == second.dim
            if number is None or (time and (number < 0 or (number == 0 and name.startswith("tau")))):
                raise WrongUse(f"{self.name}: {name}={value} must be one finite number, and a time constant positive.")

    @classmethod
    def from_text(cls, text: str) -> Neuron:
        """A neuron by its name; WrongUse for an unknown one."""
        return NEURONS[str(text).strip()]

    def __call__(self, **changes: Any) -> Neuron:
        """The same neuron with other parameters; WrongUse for an unknown one, a wrong unit or a NaN."""
        values = dict(self.parameters)
        for name, value in changes.items():
            if name not in values:
                raise unknown(f"parameter of {self.name}", name, values)
            try:
                fits = get_dimensions(value) == get_dimensions(values[name])
            except (TypeError, ValueError):
                fits = None
            if fits is None or given.real(np.asarray(value)) is None:
                raise WrongUse(f"{self.name}: {name}={value!r} is not a number; write it like {name}={values[name]!r}.")
            if not fits:
                raise WrongUse(f"{self.name}: {name}={value} has the wrong unit; write it like {name}={values[name]!r}.")
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

        Raises
        ------
        WrongUse
            A number of neurons that is none, or what should be text or a dictionary and is not.
        """
        check_group(n, name, {"current": current, "equations": equations, "threshold": threshold, "reset": reset})
        for option, told in (("values", values), ("expressions", expressions)):
            if told is not None and not isinstance(told, Mapping):
                raise WrongUse(f"{option}={told!r} must be a dictionary of names.")
            for symbol in told or ():
                if not isinstance(symbol, str) or not symbol.isidentifier():
                    raise WrongUse(f"{option} holds the name {given.shown(symbol)}; it must be that of a variable.")
        membrane = "1" if get_dimensions(self.parameters.get("threshold", 1)).is_dimensionless else "volt"
        lines = [self.equations, f"I = {current or ('0' if membrane == '1' else '0*volt')} : {membrane}"]
        expressions = expressions or {}
        numbers = {symbol: value for symbol, value in self.parameters.items() if symbol not in expressions}
        for symbol, value in self.parameters.items():
            unit = "1" if get_dimensions(value).is_dimensionless else repr(get_unit(get_dimensions(value)))
            follows = f" = {expressions[symbol]}" if symbol in expressions else ""
            flags = [flag for flag, on in (("shared", symbol not in self.per_neuron), ("constant", not follows)) if on]
            lines.append(f"{symbol}{follows} : {unit}" + (f" ({', '.join(flags)})" if flags else ""))
        condition = f"({self.threshold}) and ({threshold})" if self.threshold and threshold else self.threshold or threshold
        made = NeuronGroup(
            n,
            "\n".join([*lines, equations]),
            threshold=condition or None,
            reset="\n".join(filter(None, (self.reset, reset))) or None,
            refractory=self.refractory or False,
            name=name,
            **{**self.advance, **settings},
        )
        for symbol, value in {**numbers, **self.start, **(values or {})}.items():
            if symbol not in made.variables:
                raise unknown("variable of the neurons", symbol, made.variables)
            setattr(made, symbol, self.parameters.get(value, value) if isinstance(value, str) else value)
        return made

    def describe(self) -> str:
        """Equations and parameters: what `plasticity show` prints."""
        lines = [f"{self.name}: {self.summary}", ""]
        lines += ["  " + line.strip() for line in self.equations.splitlines()]
        spike = f"spike when {self.threshold}, then {'; '.join(self.reset.splitlines())}"
        lines += [f"  {spike if self.threshold else 'no spikes: a unit of rates'}"]
        if self.advance:
            told = ", ".join(f"{name}={getattr(value, '__name__', value)}" for name, value in self.advance.items())
            lines += [f"  `group` sets {told}; other values of these do not hold for this neuron"]
        lines += ["", "  parameters"]
        lines += [f"    {symbol} = {value}   {self.meaning[symbol]}" for symbol, value in self.parameters.items()]
        return "\n".join([*lines, "", f"  source: {self.source}"])


def check_group(n: Any, name: Any, texts: Mapping[str, Any]) -> None:
    """WrongUse for a number of neurons that is none, for what can name no group, and for what is no Brian2 text."""
    if not isinstance(name, str) or not re.fullmatch(r"[_A-Za-z][_a-zA-Z0-9]*\*?", name):
        raise WrongUse(f"name={given.shown(name)} must be a name of plain letters, digits and _, like cells.")
    if isinstance(n, bool) or not isinstance(n, numbers.Integral) or n < 1:
        raise WrongUse(f"n={n!r} must be a whole number of neurons, at least 1.")
    memory.refuse(f"a group of n={n} neurons", 8.0 * min(int(n), 10**30), "take fewer")
    for option, given_text in texts.items():
        if not isinstance(given_text, str):
            raise WrongUse(f"{option}={given_text!r} must be Brian2 text.")
        if not given_text.isascii() or not given_text.isprintable() and given_text.split() == [given_text]:
            raise WrongUse(f"{option}={given.shown(given_text)} must be Brian2 text, in plain letters and digits.")
        if option == "equations":
            try:
                Equations(given_text)
            except (EquationError, SyntaxError, ValueError, TypeError) as error:
                told = " ".join(str(error).split()) or "it cannot be read"
                raise WrongUse(f"{option}={given.shown(given_text)} must be Brian2 text: {told}.") from None


@checked_but("current")
def lif_rate(current: Quantity, neuron: Neuron) -> float:
    """Closed form of the LIF neuron's rate in Hz under a constant input `current` (unit of the membrane variable).

    1/f = t_ref + tau_m ln((E_L + I - V_r)/(E_L + I - V_t)); 0 below threshold. WrongUse for a current that is no finite number.
    """
    p = neuron.parameters
    if isinstance(current, str) or given.one(np.asarray(current)) is None:
        raise WrongUse(f"current={current!r} must be one finite number in the unit of the membrane, for example 20*mV.")
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

lif_subtractive = Neuron(
    name="lif_subtractive",
    summary="leaky integrate-and-fire neuron from whose potential a spike takes the threshold: counts follow the drive",
    source="Rueckauer et al. 2017, doi:10.3389/fnins.2017.00682",
    equations="dv/dt = (rest - v + I)/tau_m : 1",
    threshold="v >= threshold",
    reset="v -= threshold",
    parameters={"tau_m": 20 * ms, "rest": 0.0, "threshold": 1.0},
    start={"v": "rest"},
    meaning={key: _COMMON[key] for key in ("tau_m", "rest", "threshold")},
)

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

integrate_and_fire = Neuron(
    name="integrate_and_fire",
    summary="perfect integrate-and-fire neuron; the threshold is subtracted at a spike, so that spikes count the input",
    source="Rueckauer, Lungu, Hu, Pfeiffer & Liu 2017, doi:10.3389/fnins.2017.00682",
    equations="dv/dt = I/tau : 1",
    threshold="v >= threshold",
    reset="v -= threshold",
    parameters={"tau": 1 * ms, "threshold": 1.0},
    start={"v": 0.0},
    meaning={"tau": "time in which a constant input I = 1 raises the potential by 1", "threshold": "threshold potential"},
)

izhikevich = Neuron(
    name="izhikevich",
    summary="Izhikevich's simple model of a spiking neuron; as is a regular spiking (RS) cell",
    source="Izhikevich 2003, doi:10.1109/TNN.2003.820440",
    # v' = 0.04 v^2 + 5 v + 140 - u + I and u' = a (b v - u), with v, u and I in mV and time in ms
    equations="dv/dt = ((0.04/mV)*v*v + 5*v + 140*mV - u + I)/ms : volt\ndu/dt = a*(b*v - u) : volt",
    threshold="v >= threshold",
    reset="v = c\nu += d",
    parameters={"a": 0.02 / ms, "b": 0.2, "c": -65 * mV, "d": 8 * mV, "threshold": 30 * mV},
    start={"v": "c", "u": -13 * mV},
    meaning={
        "a": "rate of the recovery variable u; fast spiking (FS) cells: 0.1/ms", "b": "how much u follows v",
        "c": "potential after a spike", "d": "rise of u at a spike; fast spiking (FS) cells: 2 mV",
        "threshold": "peak of a spike, at which it is counted and v is reset",
    },
    per_neuron=("a", "d"),
)  # fmt: skip


@checked
def half_steps(equations: Equations, variables: Any = None, method_options: Any = None) -> str:
    """State update of the `izhikevich` neuron as in its author's programs, for `group(..., method=half_steps)`.

    Two Euler steps of dt/2 for v with u held, then one of dt for u with the new v; what else the group carries (a rule's traces)
    is linear and updated exactly. With dt = 1 ms this is the published network: a spike's peak depends on the steps, so that the
    method is a part of the model. The current I must be a variable, not random text, so that both halves see the same number.
    """
    slopes = {name: expression.code for name, expression in equations.get_substituted_expressions(variables)}
    rest = Equations([equations[name] for name in equations if name not in ("v", "u", "I")])
    lines = [f"v += 0.5*dt*({slopes['v']})"] * 2 + [f"u += dt*({slopes['u']})"]
    return "\n".join([*lines, linear(rest, variables)] if rest.diff_eq_names else lines)


@checked
def between_steps(neuron: Neuron) -> Neuron:
    """A neuron with the equations of `lif_conductance`, advanced so that its rate does not hang on the time step.

    Three things made it do so. Brian2's "exponential_euler" holds the conductance over a step at its value before the step, by
    which its mean is too high by dt/(2 tau_e): 10 % at 1 ms, and a neuron that is held near threshold fires 3 times as often
    (5.8 Hz instead of 1.7; at 0.1 ms still 2.0). So it is advanced by the Runge-Kutta method of fourth order. A spike lies
    between two steps: how far the potential is above threshold says how much of the step was left, and for as long it has moved
    on from the reset, both along straight lines. And the refractory period ends between two steps: of that step the potential
    moves for the rest alone. What is left is of the second order, 0.3 % of 126 Hz at 0.5 ms, but for this: a spike acts at the
    end of its step.
    """
    slope, *others = neuron.equations.replace(" (unless refractory)", "").splitlines()
    slope = slope.replace(" : volt", "*awake : volt")
    own = ["awake = clip((t + dt - ready)/dt, 0, 1) : 1 (constant over dt)", "ready : second"]
    reset = """left = clip((v - threshold)/clip(rest - threshold + ge*(E_exc - threshold), 1*uvolt, inf*volt), 0, dt/tau_m)
ready = t + dt - left*tau_m + t_ref
v = reset + clip(left - t_ref/tau_m, 0, dt/tau_m)*(rest - reset + ge*(E_exc - reset))"""
    return dataclasses.replace(
        neuron, equations="\n".join([slope, *others, *own]), reset=reset, refractory="", advance={"method": "rk4"}
    )


srm_lif = Neuron(
    name="srm_lif",
    summary="integrate-and-fire neuron of the spike response model: alpha-shaped potentials, an undershoot after each spike",
    source="Masquelier, Guyonneau & Thorpe 2008, doi:10.1371/journal.pone.0001377; as differential equations: "
    "Hathway & Goodman 2018, doi:10.5281/zenodo.1327348",
    # A presynaptic spike adds its weight to x: a potential whose peak is the weight. After a spike the neuron's own potential is
    # threshold (K1 e^{-s/tau_m} - K2 (e^{-s/tau_m} - e^{-s/tau_s})), s the time since then, and earlier input is forgotten.
    equations="dv/dt = ((tau_m/tau_s)**(tau_m/(tau_m - tau_s))*x - v + I)/tau_m - K2*threshold*(1/tau_s - 1/tau_m)*a : 1\n"
    "dx/dt = -x/tau_s : 1\n"
    "da/dt = -a/tau_s : 1",
    threshold="v > threshold",
    reset="v = K1*threshold\nx = 0\na = 1",
    parameters={"tau_m": 10 * ms, "tau_s": 2.5 * ms, "threshold": 500.0, "K1": 2.0, "K2": 4.0, "t_ref": 1 * ms},
    start={"v": 0.0, "x": 0.0, "a": 0.0},
    meaning={
        "tau_m": "membrane time constant", "tau_s": "time constant of rise of potentials; not the same as tau_m",
        "threshold": "threshold T, in peaks of the potential by one input of weight 1",
        "K1": "potential after a spike, in thresholds", "K2": "depth of the undershoot, in thresholds",
        "t_ref": "refractory period (it blocks spikes, the potential goes on)",
    },
    refractory="t_ref",
)  # fmt: skip

intrinsic_rate = Neuron(
    name="intrinsic_rate",
    summary="sigmoid unit of rates whose gain and threshold adapt until its output is exponentially distributed",
    source="Triesch 2005, doi:10.1007/11550822_11",
    # Gradient descent on the distance (Kullback-Leibler) of the output's distribution from the exponential of mean mu. y stays
    # between 0 and 1. One I per time step: hold it in a variable, as random text would be drawn anew in each place.
    equations="y = 1/(1 + exp(-(a*I + b))) : 1\n"
    "da/dt = eta*(1/a + I - (2 + 1/mu)*I*y + I*y**2/mu) : 1\n"
    "db/dt = eta*(1 - (2 + 1/mu)*y + y**2/mu) : 1",
    threshold="",
    reset="",
    parameters={"eta": 1 / second, "mu": 0.1},
    start={"a": 1.0, "b": 0.0},
    meaning={
        "eta": "rate of adaptation; times the time step, the paper's learning rate",
        "mu": "mean of the output that it aims at",
    },
)


@checked
def forced_spike(equations: Equations, variables: Any = None, method_options: Any = None) -> str:
    """State update of the `adex_clopath` neuron as in its authors' program; its `group` uses it, with dt=1*ms.

    One Euler step for everything, a rule's traces too, from the values of the step before. A spike is v_first in its own step
    and v_second in the next; the step after that begins at v_third, with w_ad, z and V_T raised. Meanwhile the potential ignores
    its equation, and w_ad waits for one step. The traces come first, then v_late takes over what v was 3 steps before. Three
    values stand for a spike of 2 ms: the integral over them, and with it the rule's parameters, holds for steps of 1 ms only.
    """
    own = ("v", "w_ad", "z", "V_T")
    slopes = {name: expression.code for name, expression in equations.get_substituted_expressions(variables)}
    others = [name for name in slopes if name not in own]
    lines = [f"_step_{name} = dt*({slopes[name]})" for name in others] + [f"{name} += _step_{name}" for name in others]
    lines += ["v_late = v_2", "v_2 = v_1", "v_1 = v"]
    lines += [
        "_ends = int(phase == 2)",
        "v = _ends*v_third + (1 - _ends)*v",
        "w_ad = w_ad + _ends*b",
        "z = _ends*z_jump + (1 - _ends)*z",
        "V_T = _ends*(V_rest + V_jump) + (1 - _ends)*V_T",
    ]
    lines += [f"_step_{name} = dt*({slopes[name]})" for name in own]
    lines += [
        "_goes_on = int(phase == 1)",
        "v = _goes_on*v_second + (1 - _goes_on)*(v + _step_v)",
        "w_ad = w_ad + (1 - _goes_on)*_step_w_ad",
        "z = z + _step_z",
        "V_T = V_T + _step_V_T",
        "phase = 2*_goes_on",
    ]
    return "\n".join(lines)


adex_clopath = Neuron(
    name="adex_clopath",
    summary="adaptive exponential neuron with an after-spike current, an adaptive threshold and a spike of forced shape",
    source="Clopath, Buesing, Vasilaki & Gerstner 2010, doi:10.1038/nn.2479; shape of the spike from the authors' program, "
    "ModelDB 144566; adaptive exponential neuron: Brette & Gerstner 2005, doi:10.1152/jn.00686.2005",
    # C dv/dt = -g_L (v - E_L) + g_L Delta_T exp((v - V_T)/Delta_T) - w_ad + z + g_L I; I is a current over g_L.
    # phase: 0 between spikes, 1 in the step of a spike, 2 in the next. v_late: the potential of 3 steps ago.
    equations="dv/dt = (g_L*(E_L - v + Delta_T*exp((v - V_T)/Delta_T) + I) - w_ad + z)/C : volt\n"
    "dw_ad/dt = (a*(v - E_L) - w_ad)/tau_w : amp\n"
    "dz/dt = -z/tau_z : amp\n"
    "dV_T/dt = (V_rest - V_T)/tau_V : volt\n"
    "phase : 1\nv_1 : volt\nv_2 : volt\nv_late : volt",
    threshold="v > threshold and phase == 0",
    reset="v = v_first\nphase = 1",
    parameters={
        "C": 281 * pF, "g_L": 30 * nS, "E_L": -70.6 * mV, "V_rest": -50.4 * mV, "Delta_T": 2 * mV, "tau_w": 144 * ms, "a": 4 * nS,
        "b": 80.5 * pA, "z_jump": 400 * pA, "tau_z": 40 * ms, "V_jump": 20 * mV, "tau_V": 50 * ms, "threshold": 20 * mV,
        "v_first": 29.4 * mV, "v_second": 32.862 * mV, "v_third": -49.5016 * mV,
    },
    start={
        "v": "E_L", "w_ad": 0 * pA, "z": 0 * pA, "V_T": "V_rest", "phase": 0, "v_1": "E_L", "v_2": "E_L", "v_late": "E_L",
    },
    meaning={
        "C": "capacitance", "g_L": "leak conductance", "E_L": "resting potential", "V_rest": "threshold V_T long after a spike",
        "Delta_T": "slope factor", "tau_w": "adaptation current w_ad", "a": "how much w_ad follows the potential",
        "b": "rise of w_ad at a spike; the authors' program states 0.0805 nA and adds 0.0805 to a current in pA",
        "z_jump": "after-spike current z at the end of a spike", "tau_z": "its decay",
        "V_jump": "rise of V_T over V_rest at the end of a spike", "tau_V": "its decay",
        "threshold": "potential at which a spike is counted and its shape begins",
        "v_first": "potential in the step of a spike", "v_second": "one step later",
        "v_third": "two steps later, from where the equations go on",
    },
    per_neuron=("b",),
    advance={"method": forced_spike, "dt": 1 * ms},
)  # fmt: skip


NEURONS: Registry[Neuron] = Registry(
    "neuron", [value for value in list(globals().values()) if isinstance(value, Neuron)], of=Neuron
)
