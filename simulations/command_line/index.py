"""What `list`, `show` and `cite` say of everything built in, kept in index.json, so that a name costs no simulator.

The file is one of the generated ones: `plasticity tables --write` writes it, and a test holds it to what the things say. A kind
whose files have changed since, and whatever is known from outside, is asked itself.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from plasticity.errors import unknown
from plasticity.registry import unknown_entry

FILE = Path(__file__).with_name("index.json")
TOP = Path(__file__).resolve().parents[2]
MADE_IN = {
    "rules": ["plasticity/rules/*.py", "simulations/*.py"],
    "landings": ["plasticity/rules/*.py", "plasticity/structure/*.py"],
    "laws": ["plasticity/structure/*.py"],
    "gates": ["plasticity/gates/*.py"],
    "neurons": ["plasticity/neurons.py"],
    "encoders": ["plasticity/encoders.py"],
    "tasks": ["plasticity/tasks/*.py"],
    "datasets": ["plasticity/datasets/*.py"],
    "models": ["bridges/models/*.py"],
    "learners": ["plasticity/learners/*.py", "bridges/models/*.py", "bridges/learners.py", "bridges/torch_classifier.py"],
    "simulations": ["simulations/*.py", "simulations/frame/*.py"],
}
"""The files in which the things of a kind are written."""
ASKED_BY = "simulations/command_line/described.py"


def known(kind: str) -> dict[str, dict[str, Any]]:
    """All of a kind by name, in its order: what `show --json` says of each, and `references` (dois and arXiv numbers)."""
    return _entries(kind) or asked(kind)


def about(kind: str, name: str) -> dict[str, Any] | None:
    """The same of one thing; None where none has this name. No other is asked: one that reads its data would take seconds."""
    from simulations.command_line.described import described
    from simulations.frame.known import registries

    if kept := _entries(kind):
        return kept.get(name)
    there = registries()[kind]()
    return described(kind, name, there[name]) if name in there else None


def names(kind: str) -> list[str]:
    """The names of all of a kind."""
    from simulations.frame.known import registries

    return [*(_entries(kind) or registries()[kind]())]


def _entries(kind: str) -> dict[str, dict[str, Any]]:
    """What is kept of a kind; nothing where it is not what there is."""
    from plasticity import extensions

    kept = _kept().get(kind, {})
    return dict(kept["entries"]) if kept.get("files") == _digest(kind) and not extensions.modules() else {}


def require(kind: str, wanted: Iterable[str]) -> None:
    """WrongUse for a name that is none of this kind."""
    there = names(kind)
    for name in wanted:
        if name not in there:
            raise unknown_entry(kind[:-1], name, there)


def require_settings(kind: str, name: str, wanted: Iterable[str]) -> None:
    """WrongUse for a setting that this one does not have; where it takes further keys, or nothing is kept, it says so itself."""
    about = _entries(kind).get(name)
    if about is None or about.get("further"):
        return
    there = [row["name"] for row in about["settings"]]
    for key in (key.replace("__", ".").partition(".")[0] for key in wanted):
        if key not in there:
            raise unknown(f"setting of {name}", key, there)


def asked(kind: str) -> dict[str, dict[str, Any]]:
    """The same from the things themselves."""
    from simulations.command_line.described import described
    from simulations.frame.known import registries

    return {name: described(kind, name, entry) for name, entry in registries()[kind]().items()}


def text() -> str:
    """What index.json holds, one line for each thing."""

    def line(name: str, about: Any) -> str:
        return f"{json.dumps(name)}: {json.dumps(about, ensure_ascii=False)}"

    kinds = []
    for kind in MADE_IN:
        entries = ",\n".join(line(name, about) for name, about in asked(kind).items())
        kinds.append(f'"{kind}": {{{line("files", _digest(kind))}, "entries": {{\n{entries}\n}}}}')
    return "{\n" + ",\n".join(kinds) + "\n}\n"


@functools.cache
def _kept() -> Mapping[str, Any]:
    try:
        return json.loads(FILE.read_text(encoding="utf-8"))
    except (OSError, ValueError):  # a checkout in the middle of something
        return {}


def _digest(kind: str) -> str:
    """SHA-256 of the files of a kind."""
    digest = hashlib.sha256()
    for path in (path for pattern in [*MADE_IN[kind], ASKED_BY] for path in sorted(TOP.glob(pattern))):
        digest.update(f"{path.relative_to(TOP)} ".encode() + path.read_bytes())
    return digest.hexdigest()
