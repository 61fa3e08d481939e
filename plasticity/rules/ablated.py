"""A rule without one of its ingredients: no depression, or the order of spikes reversed. Text in, text out."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from plasticity.errors import WrongUse

if TYPE_CHECKING:
    from plasticity.rules.rule import Rule

_OTHER = {"pre": "post", "post": "pre"}
_ONLY_UP = "dw = clip(dw, 0, inf)"


@dataclasses.dataclass(frozen=True)
class Exchanged:
    """The closed form of a reversed rule: that of the rule itself, with each train in the place of the other."""

    closed_form: Callable[..., float]

    def __call__(self, pre: np.ndarray, post: np.ndarray, parameters: Any, spikes: str = "all") -> float:
        return self.closed_form(post, pre, parameters, spikes)


def without_depression(rule: Rule) -> Rule:
    """The same rule, of whose changes those that weaken are left out: dw is never below 0.

    At a spike it is the change at that spike, of a drift the rate of change, of a sum of rules the change of each part. Noise
    stays. There is no closed form.
    """
    if rule.parts:
        return _of_parts(rule, without_depression, "without_depression")
    on_pre, on_post, drift = (f"{text}\n{_ONLY_UP}" * bool(text.strip()) for text in (rule.on_pre, rule.on_post, rule.drift))
    return dataclasses.replace(
        rule, name=f"{rule.name}_without_depression", summary=f"{rule.summary}; depression left out", on_pre=on_pre,
        on_post=on_post, drift=drift, closed_form=None, clamped=None, presets={},
    )  # fmt: skip


def reversed_order(rule: Rule) -> Rule:
    """The same rule with pre and post exchanged: what a lag of d did, a lag of -d does.

    Traces change sides, and so does what happens at a spike. A rule that is symmetric in time stays what it is, and so does a
    companion in a sum that changes weights all the time and not at spikes, such as synaptic scaling.

    Raises
    ------
    WrongUse
        The rule changes nothing at spikes, reads a variable of a neuron, or counts spikes late, which the other side does not.
    """
    if any(map(_at_spikes, rule.parts)):
        return _of_parts(rule, lambda part: reversed_order(part) if _at_spikes(part) else part, "reversed")
    if not _at_spikes(rule):
        raise WrongUse(f"{rule.name} cannot be reversed: it changes nothing at spikes, so that there is no order of them.")
    followed = [trace.name for trace in rule.traces if trace.of]
    late = [trace.name for trace in rule.traces if trace.delay]
    if rule.needs or followed:
        what = next(iter([*rule.needs, *followed]))
        raise WrongUse(f"{rule.name} cannot be reversed: it reads {what}, and the neuron on the other side is another one.")
    if late:
        raise WrongUse(f"{rule.name} cannot be reversed: {late[0]} counts presynaptic spikes late, and only these have a delay.")
    names = {trace.name: f"{_OTHER[trace.side]}{trace.name.removeprefix(trace.side)}" for trace in rule.traces}
    if clash := sorted({*names.values()} & {*rule.parameters, *rule.state}):
        raise WrongUse(f"{rule.name} cannot be reversed: {clash[0]} would name a trace and something else; rename one of them.")
    return dataclasses.replace(
        rule,
        name=f"{rule.name}_reversed",
        summary=f"{rule.summary}; pre and post exchanged",
        traces=tuple(dataclasses.replace(trace, name=names[trace.name]) for trace in rule.traces),
        on_pre=_renamed(rule.on_post, names),
        on_post=_renamed(rule.on_pre, names),
        drift=_renamed(rule.drift, names),
        noise=_renamed(rule.noise, names),
        state={name: _renamed(text, names) for name, text in rule.state.items()},
        closed_form=None if rule.closed_form is None else Exchanged(rule.closed_form),
        clamped=None,
        presets={},
    )


def _at_spikes(rule: Rule) -> bool:
    return bool(rule.on_pre.strip() or rule.on_post.strip())


def _of_parts(rule: Rule, change: Callable[[Rule], Rule], word: str) -> Rule:
    """The sum of the changed parts, each with the parameters that it has in the sum."""
    own = [dataclasses.replace(part, parameters={key: rule.parameters[key] for key in part.parameters}) for part in rule.parts]
    first, *others = map(change, own)
    made = sum(others, start=first)
    return dataclasses.replace(made, name=f"{rule.name}_{word}")


def _renamed(text: str, names: Mapping[str, str]) -> str:
    """The text with all these names replaced at once; Brian2's `word_substitute` replaces one after the other."""
    return re.sub(r"\b[A-Za-z_]\w*\b", lambda found: names.get(found[0], found[0]), text)
