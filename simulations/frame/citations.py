"""What a run was made of, and whose papers that is: `plasticity cite`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from plasticity import settings
from plasticity.references import identifiers

BRIAN2, TORCH = "10.7554/eLife.47314", "arXiv:1912.01703"
Registries = Mapping[str, Mapping[str, Any]]


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


def estimator(name: str, parameters: Mapping[str, Any], learners: Mapping[str, Any]) -> Any:
    """A learner as the registry makes it; None for one that was given in Python, also under a known name."""
    if name not in learners:
        return None
    made = learners[name].build()
    return made if {*parameters} <= {*made.get_params(deep=False)} else None


def _given(name: str, parameters: Mapping[str, Any]) -> Any:
    """The class of a learner that was given in Python, by its name or its parameters; None for one from elsewhere."""
    from plasticity.learners import CLASSES

    def fits(kind: Any) -> bool:
        told = settings.describe(kind)
        always = {entry.name for entry in told if not entry.later}
        return kind.__name__ == name or always <= {*parameters} <= {entry.name for entry in told}

    return next(filter(fits, CLASSES), None)


def _naming(name: str, parameters: Mapping[str, Any], learners: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters but those that are one of a few words of the learner's own, which may be the name of a rule too."""
    kind = estimator(name, parameters, learners) or _given(name, parameters)
    told = settings.describe(kind) if kind else ()
    words = {entry.name for entry in told if isinstance(entry.choices, tuple) and entry.choices}
    return {key: value for key, value in parameters.items() if key not in words}


def used(configuration: Mapping[str, Any], registries: Registries) -> dict[tuple[str, str], Any]:
    """The entries of the registries that a run used, by (kind, name): those it names, and what those are made of (`uses`)."""
    found: dict[tuple[str, str], Any] = {}
    learners = registries.get("learners", {})
    given = {name: _naming(name, values, learners) for name, values in configuration.get("parameters", {}).items()}
    texts = {**configuration, **({"parameters": given} if given else {})}
    waiting = list(_texts({key: value for key, value in texts.items() if key not in ("task", "learners", "data")}))
    task = str(configuration.get("task", ""))  # apart: "digits" names a task and a data set
    if task in registries.get("tasks", {}):
        found["tasks", task] = registries["tasks"][task]
    rule = configuration.get("settings", {}).get("rule")  # chosen instead of the simulation's own
    instead = set(registries.get("rules", {})) - set(str(rule).replace(" ", "").split("+")) if rule else set()
    waiting += str(rule).replace(" ", "").split("+") if rule else []
    for name, parameters in configuration.get("parameters", {}).items():
        made = estimator(name, parameters, learners)
        if made is not None:
            waiting.append(name)
            waiting += getattr(made, "uses", ())
        elif (kind := _given(name, parameters)) is not None:
            found["learners", name] = kind
            waiting += kind.uses
    while waiting:
        name = waiting.pop()
        for kind, registry in registries.items():
            if name in registry and (kind, name) not in found and kind != "tasks":
                found[kind, name] = registry[name]
                waiting += [part for part in getattr(registry[name], "uses", ()) if part not in instead]
    return found


def cited(configuration: Mapping[str, Any], registries: Registries, sources: list[str]) -> list[str]:
    """The dois and arXiv numbers of everything a run used, of the published values it was held against, and of the simulators."""
    chosen = configuration.get("settings", {})
    sources = [
        *(
            entry.about(chosen)[1] if kind == "tasks" else str(getattr(entry, "source", ""))
            for (kind, _), entry in used(configuration, registries).items()
        ),
        *sources,
    ]
    sides = set(configuration.get("sides", {"": "spiking"}).values())
    tools = [BRIAN2] * ("spiking" in sides) + [TORCH] * ("torch" in sides)
    return list(dict.fromkeys([*tools, *(name for source in sources for name in identifiers(source))]))


def papers(kind: str, name: str, entry: Any) -> list[str]:
    """The dois and arXiv numbers of one thing by its name, and of what it is made of as it is by default."""
    from simulations.frame.known import everything, registries

    if kind in PARTS:
        return cited({"name": name, "sides": {}}, {kind: registries()[kind]()}, [str(entry.source)])
    told: dict[str, Any]
    if kind == "tasks":
        told = {"task": name, "settings": _defaults(entry), "sides": {}}
    elif kind == "simulations":
        told = {"simulation": name, "settings": _defaults(entry)}
    else:
        given = {key: settings.plain(value) for key, value in entry.build().get_params(deep=False).items()}
        told = {"learners": [name], "parameters": {name: given}, "sides": {name: entry.side}}
    return cited(told, everything(), [str(entry.source)])


PARTS = ("rules", "landings", "laws", "gates", "neurons", "encoders", "datasets", "models")  # whose papers are their own alone


def _defaults(kind: Any) -> dict[str, Any]:
    return {one.name: settings.plain(one.default) for one in settings.describe(kind)}


def reproductions(rule: str, simulations: Mapping[str, Any]) -> list[str]:
    """What to type for the simulations of a rule, without the word `plasticity`."""
    from plasticity.rules import RULES

    found = [f"run {name}" for name, kind in simulations.items() if rule in kind.uses and not kind.part_of]
    own = "run stdp_window"
    return [*found, *([f"{own} --rule {rule}"] if RULES[rule].has_closed_form and own not in found else [])]
