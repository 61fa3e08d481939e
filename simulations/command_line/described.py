"""What `show` says of one thing: equations, settings, measures, a trial of a task, what to type."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Mapping
from typing import Any


def _line(entry: Any) -> tuple[str, str]:
    summary = getattr(entry, "summary", "") or (inspect.getdoc(entry) or "").partition("\n")[0]
    return str(summary), str(getattr(entry, "source", ""))


def _tells_itself(entry: Any) -> bool:
    return not inspect.isclass(entry) and callable(getattr(entry, "describe", None))


def described(kind: str, name: str, entry: Any) -> dict[str, Any]:
    """What `show` says of one thing, as plain data; beside what --json prints: `itself`, `use`, `references`, `side`, and
    of a simulation whether it takes `further` keys than its settings.
    """
    from simulations.frame.citations import papers

    summary, source = _line(entry)
    if _tells_itself(entry):
        text = entry.describe()
    else:
        text = inspect.getdoc(entry.build() if kind == "learners" else entry) or ""
    if kind == "rules":
        text = _of_a_rule(name, entry, text)
    elif kind == "landings":
        text += f"\n\nin Python, for every rule alike:\n    {entry.example}"
    elif kind == "laws":
        text = _of_a_law(name, entry)
    elif kind == "tasks":
        text += f"\n\n{_trial(entry)}"
    elif kind == "datasets":
        text = f"terms: {entry.terms}"
    measures = getattr(entry, "measures", None) if kind == "simulations" else None
    told: dict[str, Any] = {
        "measures": [{"name": one.name, "unit": one.unit, "meaning": one.meaning} for one in measures or ()],
        "time_step": getattr(entry, "time_step", ""),
    }
    if kind == "simulations" and "configure" in vars(entry):
        told["further"] = True
    return {
        "kind": kind[:-1], "name": name, "summary": summary, "source": source, "settings": _settings(kind, entry),
        **(told if kind == "simulations" else {}), **({"side": entry.side} if kind == "learners" else {}),
        "description": str(text), "itself": _tells_itself(entry),
        "use": _use(kind, name, entry), "references": papers(kind, name, entry),
    }  # fmt: skip


NUMBERS = ("image", "number")  # arrays of trials that say which trial it is, not what is shown
SMALL = ("train", "validation", "test")  # how the sizes of a task are called


def _trial(kind: Any) -> str:
    """What one trial holds: of each array its shape and range, or its values where they are few."""
    from plasticity import settings
    from plasticity.errors import PlasticityError
    from plasticity.parallel import trials_generator

    few = {one.name: min(one.default, 100) for one in settings.describe(kind) if one.name in SMALL}
    try:
        made = settings.configure(kind, few)
        trials = made.draw(trials_generator(0)).test
    except PlasticityError:  # too few for it, or its data are not there
        return f"a trial is of the family {kind.family}"
    own = {name: array[0] for name, array in trials.arrays().items() if name not in (*trials.shared, *NUMBERS)}
    parts = [f"{name} {_values(array)}" for name, array in own.items()]
    shared = [f"{name} {_values(trials.arrays()[name])}" for name in trials.shared]
    return f"one trial: {'; '.join(parts)}" + (f"\nin all trials: {'; '.join(shared)}" if shared else "")


def _values(array: Any) -> str:
    if array.size > 8:
        return f"{array.shape} from {array.min():g} to {array.max():g}"
    return str(array.tolist())


def _of_a_rule(name: str, rule: Any, text: str) -> str:
    """Its equations, its curve, the simulations that are made of it, how it is used in Python."""
    from plasticity.rules import RULES
    from plasticity.rules.shown import preview
    from simulations import SIMULATIONS
    from simulations.frame.citations import reproductions

    each = [part.name for part in rule.parts] or [name]
    lines = dict.fromkeys(line for part in each for line in reproductions(part, SIMULATIONS))
    told = ", ".join(f"plasticity {line}" for line in lines)
    tested = {RULES[part].tested for part in each if part in RULES.built_in} if RULES.built_in.issuperset(each) else {""}
    held = "" if "" in tested else f"; the tests hold it against {' and '.join(sorted(tested))}"
    runs = f"  reproductions: {told or 'none' + held}"
    curve = preview(rule) or "  no curve here: the rule states no formula of the lag of two spikes, or of two held rates, alone"
    code = " + ".join(f"pl.rules.{part}" for part in each)
    use = f"  in Python: rule = {code}; help(rule.synapses) says what goes with it (gate, landing, short_term, traces)"
    return "\n\n".join([text, curve, runs, use])


def _of_a_law(name: str, law: Any) -> str:
    """What it says of a synapse, and how it is used in Python."""
    ways = [("each update", law.each), ("dies, with probability", law.dies), ("die, this share of the living", law.weakest)]
    ways += [("ranked by", law.rank if law.weakest else ""), ("comes alive, with probability", "" if law.kept else law.grows)]
    ways += [("come alive", "as many as have died" if law.kept else "")]
    ways += [("is made of", " and ".join(law.elements) if law.elements else ""), ("begins with", law.born)]
    told = "\n".join(f"  {what}: {text}" for what, text in ways if text)
    use = f"rule.synapses(source, target, structure=Structure(LAWS[{name!r}], every=1*second))"
    return f"{told}\n\n  in Python: {use}"


def _settings(kind: str, entry: Any) -> list[dict[str, Any]]:
    """What can be set: name, default, unit, meaning, choices."""
    from plasticity import settings

    if kind == "learners":
        made = entry.build()
        told = [dataclasses.replace(one, default=getattr(made, one.name)).told() for one in settings.describe(made)]
    elif isinstance(getattr(entry, "parameters", None), Mapping):
        meaning = getattr(entry, "meaning", {})
        told = [_plain(key, value, meaning.get(key, "")) for key, value in entry.parameters.items()]
    elif not dataclasses.is_dataclass(entry):
        return []
    else:
        told = [one.told() for one in settings.describe(entry)]
    simple = (bool, int, float, str, type(None))
    return [
        {**row, "default": row["default"] if isinstance(row["default"], simple) else settings.text(row["default"])}
        for row in told
    ]


def _plain(name: str, default: Any, meaning: str = "") -> dict[str, Any]:
    return {"name": name, "default": default, "unit": "", "help": meaning, "choices": ()}


def _use(kind: str, name: str, entry: Any) -> str:
    """What to type."""
    if kind == "tasks":
        return f"plasticity compare {name} --set KEY=VALUE"
    if kind == "simulations":
        return f"plasticity run {name} --set KEY=VALUE"
    if kind == "learners":
        from plasticity.tasks import TASKS

        takes = entry.build().takes
        task = next((title for title, task in TASKS.items() if task().kind in takes), "TASK")
        return f"plasticity compare {task} --learners {name} --set {name}.KEY=VALUE"
    if kind == "datasets":
        return "--set data=" + name + " of a task or simulation; `plasticity data` tells of all data sets"
    return ""
