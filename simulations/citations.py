"""What a run was made of, and whose papers that is: `plasticity cite`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from plasticity.references import identifiers

BRIAN2, TORCH = "10.7554/eLife.47314", "arXiv:1912.01703"


def _texts(value: Any) -> Iterator[str]:
    """All texts in a configuration, except names of settings."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for entry in value.values():
            yield from _texts(entry)
    elif isinstance(value, (list, tuple)):
        for entry in value:
            yield from _texts(entry)


def used(configuration: Mapping[str, Any], registries: Mapping[str, Mapping[str, Any]]) -> dict[tuple[str, str], Any]:
    """The entries of the registries that a run used, by (kind, name): those it names, and what those are made of (`uses`)."""
    found: dict[tuple[str, str], Any] = {}
    waiting = list(_texts({key: value for key, value in configuration.items() if key != "task"}))
    task = str(configuration.get("task", ""))  # apart: "digits" names a task and a data set
    if task in registries.get("tasks", {}):
        found["tasks", task] = registries["tasks"][task]
    rule = configuration.get("settings", {}).get("rule")  # chosen instead of the simulation's own
    instead = set(registries.get("rules", {})) - set(str(rule).replace(" ", "").split("+")) if rule else set()
    waiting += str(rule).replace(" ", "").split("+") if rule else []
    if "spiking" in configuration.get("sides", {}).values():
        from plasticity.learners import SpikingClassifier

        waiting += SpikingClassifier.uses
    while waiting:
        name = waiting.pop()
        for kind, registry in registries.items():
            if name in registry and (kind, name) not in found and kind != "tasks":
                found[kind, name] = registry[name]
                waiting += set(getattr(registry[name], "uses", ())) - instead
    return found


def cited(configuration: Mapping[str, Any], registries: Mapping[str, Mapping[str, Any]], sources: list[str]) -> list[str]:
    """The dois and arXiv numbers of everything a run used, of the published values it was held against, and of the simulators."""
    sources = [*(str(getattr(entry, "source", "")) for entry in used(configuration, registries).values()), *sources]
    sides = set(configuration.get("sides", {"": "spiking"}).values())
    tools = [BRIAN2] * ("spiking" in sides) + [TORCH] * ("torch" in sides)
    return list(dict.fromkeys([*tools, *(name for source in sources for name in identifiers(source))]))


def reproductions(rule: str, simulations: Mapping[str, Any]) -> list[str]:
    """What to type for the simulations of a rule, without the word `plasticity`."""
    from plasticity.rules import RULES

    found = [f"run {name}" for name, kind in simulations.items() if rule in getattr(kind, "uses", ())]
    own = "run stdp_window"
    return [*found, *([f"{own} --rule {rule}"] if RULES[rule].has_closed_form and own not in found else [])]
