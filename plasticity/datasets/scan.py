"""SCAN: commands in simple English, and the actions that they ask for."""

from __future__ import annotations

import numpy as np

from plasticity.datasets.archive import Archive
from plasticity.datasets.dataset import DataSet
from plasticity.datasets.pairs import Pairs
from plasticity.datasets.texts import decoded
from plasticity.errors import PlasticityError

FILES = {
    "simple": "simple_split/tasks_{}_simple.txt",
    "length": "length_split/tasks_{}_length.txt",
    "add_jump": "add_prim_split/tasks_{}_addprim_jump.txt",
}
"""The file of each split, with "train" or "test" in it."""


def _load(data_set: DataSet) -> Pairs:
    assert isinstance(data_set, Archive)
    sources: list[tuple[str, ...]] = []
    targets: list[tuple[str, ...]] = []
    parts: dict[str, np.ndarray] = {}
    members = data_set.members()
    for split, file in FILES.items():
        for part in ("train", "test"):
            name = file.format(part)
            first = len(sources)
            for number, line in enumerate(decoded(members[name], name).splitlines(), start=1):
                head, out, actions = line.strip().partition(" OUT: ")
                if not (head.startswith("IN: ") and out and actions):
                    raise PlasticityError(f"scan: line {number} of {name} is no `IN: ... OUT: ...`; replace the file.")
                sources.append(tuple(head.removeprefix("IN: ").split()))
                targets.append(tuple(actions.split()))
            parts[f"{split} {part}"] = np.arange(first, len(sources))
    return Pairs(tuple(sources), tuple(targets), parts)


scan = Archive(
    name="scan",
    summary="20,910 commands and the actions they ask for; split at random, by the length of the actions, or by a word",
    source="Lake & Baroni 2018, arXiv:1711.00350",
    terms="BSD",
    load=_load,
    url="https://github.com/brendenlake/SCAN/archive/refs/heads/master.zip",
    picked=r"(?:^|/)((?:simple|length|add_prim)_split/tasks_(?:train|test)_(?:simple|length|addprim_jump)\.txt)$",
    count=6,
    sha256="96caf0d3af86c9249aa1c92f9fc5d01cf7b739e3088292e2e5927a1572817bec",
)
