"""What to type for the same run again, from its configuration alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from plasticity import extensions, settings
from plasticity.errors import PlasticityError, WrongUse
from plasticity.settings import text

MS = {"s": 1e3, "ms": 1.0, "us": 1e-3, "ns": 1e-6}


def words(configuration: Mapping[str, Any], out: str) -> tuple[list[str], list[str]]:
    """The words of the command, and what of the run they cannot say, because it was given in Python.

    Whatever is said by words is made anew from them and held against the configuration: the command gives the same settings.
    """
    ways = {"compare": _ablate if "ablates" in configuration else _compare, "run": _run, "sweep": _sweep, "budget": _budget}
    said, unsaid = ways[configuration["command"]](configuration)
    unsaid += [f"{name} as it was then" for name in extensions.changed(configuration)[1]]
    own = [word for name in configuration.get("with", ()) for word in ("--with", _place(name))]
    return ["plasticity", *said, *own, "--seeds", seeds(configuration["seeds"]), "--out", out], unsaid


def seeds(listed: Sequence[int]) -> str:
    """As --seeds takes them: 10 for 0 to 9, else a list, in the order given."""
    if list(listed) == list(range(len(listed))):
        return str(len(listed))
    return ranges(listed) if len(listed) > 1 else f"{listed[0]},"


def ranges(numbers: Sequence[int]) -> str:
    """[0, 1, 2, 5] as 0-2,5."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ",".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)


def _place(name: str) -> str:
    """Where a file from outside lies, told from this folder where it lies below it; its name alone where it is not known now."""
    path, here = next((path for path in map(Path, extensions.files()) if path.name == name), Path(name)), Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def _options(option: str, values: Mapping[str, str]) -> list[str]:
    return [word for key, value in values.items() for word in (option, f"{key}={value}")]


def _declared(kind: Any, values: Mapping[str, Any]) -> tuple[Any, dict[str, str], list[str]]:
    """The task or experiment with these settings, those that are not its defaults as texts, and those that no text gives."""
    values = settings.current(kind, values)
    defaults = {entry.name: settings.plain(entry.default) for entry in settings.describe(kind)}
    chosen = {key: text(value) for key, value in values.items() if defaults.get(key) != value}
    made = kind.configure(chosen) if hasattr(kind, "configure") else settings.configure(kind, chosen)
    told = {key: settings.plain(getattr(made, key)) for key in values}
    return made, chosen, [f"{key}={text(value)}" for key, value in values.items() if told[key] != value]


def _run(configuration: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    from simulations import SIMULATIONS

    kind = SIMULATIONS[configuration["simulation"]]
    _, chosen, unsaid = _declared(kind, configuration["settings"])
    return ["run", kind.name, *_options("--set", chosen)], unsaid


def _sweep(configuration: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    grid = {key: text(values) for key, values in configuration["grid"].items()}
    name = configuration.get("task") or configuration["simulation"]
    learners = ["--learners", ",".join(configuration["learners"])] if "learners" in configuration else []
    return ["sweep", name, *learners, *_options("--grid", grid), *_options("--set", configuration["settings"])], []


def _budget(configuration: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    from bridges.comparison.budget import Budget
    from bridges.comparison.energy import EnergyTable
    from plasticity.tasks import TASKS

    name, asked = configuration["task"], configuration["asked"]
    _, chosen, unsaid = _declared(TASKS[name], configuration["settings"])
    for kind, values in ((EnergyTable, configuration.get("energy", {})), (Budget, configuration["measured"])):
        _, said, strange = _declared(kind, values)
        chosen |= {f"{kind.name}.{key}": value for key, value in said.items()}
        unsaid += strange
    chosen |= {f"{owner}.{key}": text(value) for owner, values in asked["settings"].items() for key, value in values.items()}
    words = ["compare", name, "--budget", configuration["budget"], "--learners", ",".join(asked["learners"])]
    return [*words, *_options("--set", chosen)], unsaid


def _compare(configuration: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    from bridges.comparison.energy import EnergyTable
    from plasticity.tasks import TASKS

    name = configuration["task"]
    if name not in TASKS:
        absent = extensions.changed(configuration)[0]
        known = f" (where {', '.join(absent)} is known by --with, they are)" if absent else ""
        return ["compare", name], [f"the task {name}, its settings and its learners{known}"]
    try:
        task, chosen, unsaid = _declared(TASKS[name], configuration["settings"])
    except PlasticityError as refusal:  # its file is not here now, or it was given in Python: the records tell the rest
        task, chosen = TASKS[name](), {}
        unsaid = [f"the data of the task ({str(refusal).rstrip('.')})"]
    _, prices, strange = _declared(EnergyTable, configuration.get("energy", {}))
    unsaid += strange
    sides, said = configuration["sides"], {}
    for learner in configuration["learners"]:
        parameters = configuration["parameters"][learner]
        try:
            said[learner], lost = _learner(learner, parameters, task)
            unsaid += [f"{key} of {learner}" for key in lost]
        except WrongUse:
            unsaid.append(f"the learner {learner}")
    shared = {side: _alike([values for learner, values in said.items() if sides[learner] == side]) for side in sides.values()}
    chosen |= {f"energy.{key}": value for key, value in prices.items()}
    chosen |= {f"{side}.{key}": value for side, values in shared.items() for key, value in values.items()}
    for learner, values in said.items():
        chosen |= {f"{learner}.{key}": value for key, value in values.items() if key not in shared[sides[learner]]}
    named = ["--learners", ",".join(said)] if said else []
    return ["compare", name, *named, *_options("--set", chosen)], unsaid


def _ablate(configuration: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """As of a comparison of the learner as it is alone."""
    from bridges.learners import resolve
    from plasticity.ablations import INTACT
    from plasticity.tasks import TASKS

    name, asked = configuration["ablates"]["learner"], [*configuration["ablates"]["ablations"]]
    alone = {
        key: {name: value[INTACT]} if key in ("parameters", "sides") else value
        for key, value in configuration.items()
        if key not in ("ablates", "energy")
    }
    said, unsaid = _compare({**alone, "learners": [name]})
    task, options = said[1], said[2:]
    if options[:1] == ["--learners"]:
        options = options[2:]
    try:
        made = _declared(TASKS[task], configuration["settings"])[0]
        whole = [*resolve([name], {}, made)[0].estimator.ablations()] == asked
    except PlasticityError:
        whole = False
    return ["ablate", name, "--task", task, *([] if whole else ["--only", ",".join(asked)]), *options], unsaid


def _number(told: str) -> str:
    """A parameter of a rule as `--set` takes it: a time in ms, without its unit."""
    number, _, unit = told.partition(" ")
    return repr(float(number) * MS[unit]) if unit in MS else told


def _alike(several: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """What two or more learners all have; parts of a gate stay with its learner, where they come after the gate."""
    alike = {*several[0].items()}.intersection(*(values.items() for values in several)) if len(several) > 1 else set()
    return {key: value for key, value in (several[0] if alike else {}).items() if (key, value) in alike and "." not in key}


def _learner(name: str, parameters: Mapping[str, Any], task: Any) -> tuple[dict[str, str], Iterable[str]]:
    """What differs from the learner of that name, as --set takes it, and what no text gives. WrongUse: it is another learner."""
    from bridges.learners import resolve

    def made(said: Mapping[str, str]) -> dict[str, Any]:
        return resolve([name], {name: said}, task)[0].parameters()

    def differing(said: Mapping[str, str]) -> dict[str, Any]:
        told = made(said)
        return {key: value for key, value in parameters.items() if key not in told or told[key] != value}

    def parts(value: Any) -> dict[str, Any]:
        return dict(value) if isinstance(value, Mapping) else {}

    defaults, said = made({}), dict[str, str]()
    for key, value in differing(said).items():
        if not isinstance(value, Mapping):
            said[key] = text(value)
        elif value.get("name") != parts(defaults.get(key)).get("name"):  # a rule or gate, by name
            said[key] = text(value)
    defaults = made(said)
    for key, value in differing(said).items():  # what is special about the gate or the rule
        known, numbers = parts(defaults[key]), parts(value)
        if "parameters" in numbers:
            known, numbers = parts(known.get("parameters")), {part: _number(one) for part, one in numbers["parameters"].items()}
            known = {part: _number(one) for part, one in known.items()}
        said |= {f"{key}.{part}": text(number) for part, number in numbers.items() if known.get(part) != number}
    lost = differing(said)
    return {key: told for key, told in said.items() if key.partition(".")[0] not in lost}, lost
