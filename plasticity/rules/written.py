"""A rule as text for other simulators, where they can express it: a NESTML synapse, a PyNN mechanism."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Any

from brian2 import Hz, get_dimensions, ms, second

from plasticity.checked import checked
from plasticity.errors import WrongUse
from plasticity.rules.landing import Landing

if TYPE_CHECKING:
    from plasticity.rules.rule import Rule

_SAME_STEP = (
    "Not the same as here: a pre- and a postsynaptic spike in one time step do not pair here; NEST takes one after the other."
)


@checked
def to_nestml(rule: Rule, landing: Landing | None = None) -> str:
    """The rule as a NESTML synapse model (NESTML 8 and 9): the same traces, changes and bounds.

    The weight without unit stays one; times are in ms. A spike transmits the weight as it was before its change, as here.

    Parameters
    ----------
    landing : Landing
        Bounds; hard ones from 0 to 1 unless told.

    Returns
    -------
    str
        A model called NAME_synapse, for a file NAME_synapse.nestml. Its head says what NEST does otherwise.

    Raises
    ------
    WrongUse
        A rule that does more than react to spikes (drift, state, traces of a potential or late ones, functions), or an
        eligibility: such a model needs hand-written update and input blocks.

    Notes
    -----
    Source: Plotnikov et al. 2016, NESTML: a modeling language for spiking neurons, arXiv:1606.02882; nestml.readthedocs.io.
    """
    landing = _plain_landing(rule, landing, "NESTML")
    late = next((t for t in rule.traces if t.of or t.delay), None)
    if rule.drift.strip() or rule.noise or rule.state or late:
        what = f"the trace {late.name} does not count spikes as they arrive" if late else "it changes between spikes too"
        raise _cannot(rule, "NESTML", f"{what}, which takes an update block written by hand")
    lines = [f"# {rule.name}_synapse - {rule.summary}", "#", f"# Source: {rule.source}", f"# {_SAME_STEP}", "#"]
    lines += [
        f"model {rule.name.replace('+', '_and_')}_synapse:",
        "    state:",
        f"        w real = {_middle(landing)!r}  # weight",
    ]
    lines += [f"        {t.name} real = 0.0" for t in rule.traces] + ["", "    parameters:"]
    lines += [
        f"        {name} {_in_nestml(rule, name, value)}  # {rule.meaning[name]}" for name, value in rule.parameters.items()
    ]
    bounds = {"w_min": (landing.w_min, "lower bound"), "w_max": (landing.w_max, "upper bound")}
    bounds |= {"mu": (landing.mu, "exponent of the soft bounds")} if landing.mu else {}
    lines += [f"        {name} real = {float(value)!r}  # {meaning}" for name, (value, meaning) in bounds.items()]
    lines += ["", "    equations:"] * bool(rule.traces) + [f"        {t.name}' = -{t.name} / {t.tau}" for t in rule.traces]
    lines += ["", "    input:", "        pre_spikes <- spike", "        post_spikes <- spike", "", "    output:", "        spike"]
    for side, text in (("post", rule.on_post), ("pre", rule.on_pre)):
        body, known = ["emit_spike(w)"] * (side == "pre"), set()
        for name, expression in statements(text):
            _only_arithmetic(rule, expression)
            body.append(f"{name}{'' if name in known else ' real'} = {expression}")
            known.add(name)
        if body[(side == "pre") :]:
            if landing.mu:
                body += ["if dw > 0:", "    dw = dw * (max(w_max - w, 0.0) / (w_max - w_min))**mu", "else:"]
                body += ["    dw = dw * (max(w - w_min, 0.0) / (w_max - w_min))**mu"]
            body.append("w = min(w_max, max(w_min, w + dw))")
        read = {name for _, expression in statements(text) for name in _names(expression)}
        body += [f"{t.name} = 0.0" for t in rule.traces if t.spikes == "reduced" and t.side != side and t.name in read]
        body += [f"{t.name} += 1.0" if t.spikes == "all" else f"{t.name} = 1.0" for t in rule.side(side)]
        if body:
            lines += ["", f"    onReceive({side}_spikes):", *(f"        {line}" for line in body)]
    return "\n".join([*lines, "", "    update:", "        integrate_odes()", ""])


@checked
def to_pynn(rule: Rule, landing: Landing | None = None) -> str:
    """Pair STDP as Python text that makes PyNN's `STDPMechanism`; `sim` is the simulator's module, such as pyNN.nest.

    PyNN's amplitudes are shares of w_max, those of this library are in units of the weight: they are divided here.

    Parameters
    ----------
    landing : Landing
        Bounds from 0 to w_max, hard or soft; hard ones from 0 to 1 unless told.

    Raises
    ------
    WrongUse
        Any rule but all-to-all `pair_stdp` with both amplitudes above 0, bounds whose lower one is not 0, or an eligibility:
        PyNN's standard models know no others.

    Notes
    -----
    Source: Davison et al. 2009, PyNN: a common interface for neuronal network simulators, doi:10.3389/neuro.11.011.2008.
    """
    landing = _plain_landing(rule, landing, "PyNN")
    pairs = "dw = -A_minus*post_trace", "dw = A_plus*pre_trace", ""
    counted = [(trace.name, trace.tau, trace.spikes, trace.of, trace.delay) for trace in rule.traces]
    every = counted == [("pre_trace", "tau_plus", "all", "", ""), ("post_trace", "tau_minus", "all", "", "")]
    if (rule.on_pre, rule.on_post, rule.drift) != pairs or not every:
        raise _cannot(rule, "PyNN", "its standard models know pair STDP between all spikes alone; try to_nestml")
    up, down, *taus = (rule.parameters[name] for name in ("A_plus", "A_minus", "tau_plus", "tau_minus"))
    if not (up > 0 and down > 0):
        raise _cannot(rule, "PyNN", f"A_plus={up} and A_minus={down} must both be above 0 there")
    if landing.w_min != 0 or landing.w_max <= 0:
        raise _cannot(rule, "PyNN", f"its weights start at 0, not {landing.w_min:g} to {landing.w_max:g}; use Landing(0, 1)")
    pair = f"A_plus={up / landing.w_max!r}, A_minus={down / landing.w_max!r}"
    pair += "".join(f", {name}={float(tau / ms)!r}" for name, tau in zip(("tau_plus", "tau_minus"), taus, strict=True))
    kind = "Gutig" if landing.mu else "Additive"
    soft = f", mu_plus={float(landing.mu)!r}, mu_minus={float(landing.mu)!r}" if landing.mu else ""
    bounds = f"w_min={float(landing.w_min)!r}, w_max={float(landing.w_max)!r}{soft}"
    return (
        f"# {rule.name}: {rule.source}\n"
        "# Amplitudes are shares of w_max, times in ms. Here a delay comes before the synapse (dendritic_delay_fraction=0), which"
        " NEST\n# cannot do: with a delay, PyNN's default of 1 sees the postsynaptic spike late instead of the presynaptic one.\n"
        "synapse = sim.STDPMechanism(\n"
        f"    timing_dependence=sim.SpikePairRule({pair}),\n"
        f"    weight_dependence=sim.{kind}WeightDependence({bounds}),\n"
        f"    weight={_middle(landing)!r},\n"
        ")\n"
    )


def statements(text: str) -> list[tuple[str, str]]:
    """The lines of a rule's text as (name, expression); ValueError or SyntaxError for a line that is none."""
    lines = [line.partition("#")[0].strip() for line in text.splitlines()]
    found = []
    for line in filter(None, lines):
        match = re.fullmatch(r"([A-Za-z_]\w*)\s*=(?!=)\s*(.+)", line)
        if not match:
            raise ValueError(line)
        ast.parse(match[2].strip(), mode="eval")
        found.append((match[1], match[2].strip()))
    return found


WAYS = {"nestml": to_nestml, "pynn": to_pynn}


def _cannot(rule: Rule, simulator: str, why: str) -> WrongUse:
    return WrongUse(f"{rule.name} cannot be written for {simulator}: {why}.")


def _plain_landing(rule: Rule, landing: Landing | None, simulator: str) -> Landing:
    if landing is not None and not isinstance(landing, Landing):
        raise WrongUse(f"landing={landing!r} must be a Landing, for example Landing(0, 1, mu=1).")
    if landing is not None and landing.eligibility is not None:
        raise _cannot(rule, simulator, "an eligibility needs a signal, which only a model written by hand can receive")
    return landing or Landing()


def _middle(landing: Landing) -> float:
    return (landing.w_min + landing.w_max) / 2


def _in_nestml(rule: Rule, name: str, value: Any) -> str:
    """Type and value of a parameter: without unit, in ms, or in kHz, so that a rate times a time is a number as it is."""
    dim = get_dimensions(value)
    if dim.is_dimensionless:
        return f"real = {float(value)!r}"
    if dim == second.dim:
        return f"ms = {float(f'{float(value / ms):.15g}')!r} ms"
    if dim == Hz.dim:
        return f"kHz = {float(f'{float(value / Hz) / 1000:.15g}')!r} kHz"
    raise _cannot(rule, "NESTML", f"{name}={value} has a unit other than that of a time or a rate")


def _names(expression: str) -> set[str]:
    return {node.id for node in ast.walk(ast.parse(expression)) if isinstance(node, ast.Name)}


def _only_arithmetic(rule: Rule, expression: str) -> None:
    """WrongUse for a function or a comparison, which NESTML writes in its own way."""
    fine = (ast.Expression, ast.BinOp, ast.UnaryOp, ast.operator, ast.unaryop, ast.Name, ast.Constant, ast.expr_context)
    if not all(isinstance(node, fine) for node in ast.walk(ast.parse(expression, mode="eval"))):
        raise _cannot(rule, "NESTML", f"{expression!r} is more than sums, products and powers")
