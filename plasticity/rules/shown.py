"""A rule as text: its equations and parameters, and its curve, for `plasticity show`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from brian2 import Hz, get_dimensions, mV, second
from brian2.utils.stringtools import get_identifiers

from plasticity import settings

if TYPE_CHECKING:
    from plasticity.rules.rule import Rule

LAGS_MS = np.arange(-60, 61, 2)
ROWS = 9  # of a curve


def describe(rule: Rule) -> str:
    """Equations, parameters with units and meaning, presets, closed form, source."""
    lines = [f"{rule.name}: {rule.summary}", ""]
    for t in rule.traces:
        at = f";  at a {t.side}synaptic spike {t.at_spike}" if t.at_spike else ""
        later = f" after the delay {t.delay}" if t.delay else ""
        used = "; 0 once a spike of the other side has read it" if t.spikes == "reduced" else ""
        lines.append("  " + t.decay() + at + later + used)
    for title, text in (
        ("at a presynaptic spike  ", rule.on_pre),
        ("at a postsynaptic spike ", rule.on_post),
        ("all the time, per second", rule.drift),
    ):
        lines += [f"  {title} {line.strip()}" for line in text.splitlines() if line.strip()]
    lines += [f"  diffusion                 {rule.noise}, per square root of a second"] if rule.noise else []
    lines += [f"  d{name}/dt = {text}" for name, text in rule.state.items()]
    lines += ["", "  parameters"]
    lines += [f"    {name} = {_shown(value)}   {rule.meaning[name]}" for name, value in rule.parameters.items()]
    if rule.needs:
        lines += ["", "  needs of the neuron groups"]
        lines += [f"    {name}   {meaning}" for name, meaning in rule.needs.items()]
    if rule.factors:
        gate = "*".join(rule.factors)
        lines += ["", f'  where it lands in a network, with gate="{gate}"', f"    w = w + {gate}*dw"]
        lines += [f"    {name}   {meaning}" for name, meaning in rule.factors.items()]
    if rule.presets:
        lines += ["", "  presets, by name"]
        for name, row in rule.presets.items():
            same = all(rule.parameters[key] == value for key, value in row.items() if key != "spikes")
            values = ", ".join(f"{key}={value if key == 'spikes' else _shown(value)}" for key, value in row.items())
            lines.append(f"    {name}{' (the values above)' if same else ''}: {values}")
    known = rule.closed_form or rule.clamped
    if known is not None:
        lines += [
            "",
            "  closed form",
            *(f"    {line.strip()}" for line in (known.__doc__ or "").strip().splitlines() if line.strip()),
        ]
    return "\n".join([*lines, "", f"  source: {rule.source}"])


def preview(rule: Rule) -> str:
    """The change by spike pairs over their lag, or by held rates over the postsynaptic rate; empty where neither is known.

    From the closed form, or from the rule's own text at held averages; nothing is simulated. A rule that reads the traces of
    its own side (triplets) is shown under 60 pairs at 20 Hz, others under one pair.
    """
    if rule.has_closed_form:
        texts = {"pre": get_identifiers(rule.on_pre), "post": get_identifiers(rule.on_post)}
        own = any(t.name in texts[t.side] for t in rule.traces)
        lags = LAGS_MS[np.abs(LAGS_MS) < 25] if own else LAGS_MS
        start = 1 + np.arange(60) / 20 if own else np.ones(1)
        change = np.array([rule.change(start, start + lag / 1000) for lag in lags])
        title = f"change of the weight by {'60 pairs at 20 Hz' if own else 'one pair'}, over t_post - t_pre"
        return _draw(title, lags, np.where(lags == 0, np.nan, change), "ms")
    if rule.clamped is not None:
        rates = np.linspace(0, 2, 61)
        names = {key: float(value) for key, value in rule.parameters.items()} | {"w": 0.5, "rate_pre": 1.0, "rate_post": rates}
        names |= {trace.name: 0.5 if trace.side == "pre" else 1.0 for trace in rule.traces}
        exec(rule.drift, {}, names)  # the rule's own text, on arrays
        held = "".join(f", {trace.name} = {names[trace.name]:g}" for trace in rule.traces)
        title = f"dw/dt per second at rate_pre = 1, w = 0.5{held}, over rate_post"
        return _draw(title, rates, np.broadcast_to(np.asarray(names["dw"], dtype=float), rates.shape), "")
    return ""


def _draw(title: str, x: np.ndarray, y: np.ndarray, unit: str) -> str:
    finite = y[np.isfinite(y)]
    low, high = min(0.0, finite.min(initial=0.0)), max(0.0, finite.max(initial=0.0))
    if low == high:
        return f"  {title}: zero everywhere"
    row = np.round((high - np.nan_to_num(y)) / (high - low) * (ROWS - 1)).astype(int)
    zero = round(high / (high - low) * (ROWS - 1))
    lines = [f"  {title}"]
    for r in range(ROWS):
        left = f"{high:+.3g}" if r == 0 else f"{low:+.3g}" if r == ROWS - 1 else "0" if r == zero else ""
        dots = "".join("*" if np.isfinite(v) and row[k] == r else "-" if r == zero else " " for k, v in enumerate(y))
        lines.append(f"  {left:>9} |{dots.rstrip() if r != zero else dots}")
    ends = f"{x[0]:g}", f"{x[-1]:g} {unit}".rstrip()
    return "\n".join([*lines, " " * 12 + ends[0] + ends[1].rjust(len(x) - len(ends[0]))])


def typed(value: Any) -> str:
    """A parameter as people type it: 20*ms, 0.01."""
    if get_dimensions(value).is_dimensionless:
        return str(value)
    number, _, unit = settings.written(value).partition(" ")
    return f"{number.rstrip('.')}*{unit.replace('^', '**').replace(' ', '*')}"


def _shown(value: Any) -> str:
    """A parameter as people write it: 20 ms, 0.01, 1.4e-4 /mV."""
    if get_dimensions(value).is_dimensionless:
        return str(value)
    for base, name, low, high in ((second, "s", 1.0, np.inf), (Hz, "Hz", 0.0, 1e3)):
        if get_dimensions(value) == base.dim and low <= abs(float(value)) < high:
            return f"{float(value):g} {name}"
    for base, name in ((mV, "mV"), (second, "s")):
        for power, written in ((-1, f"/{name}"), (-2, f"/{name}^2"), (-0.5, f"/sqrt({name})")):
            if get_dimensions(value) == get_dimensions(base**power) != Hz.dim:
                return f"{float(value / base**power):g} {written}"
    number, _, unit = settings.written(value).partition(" ")
    return f"{number.rstrip('.')} {unit}"
