"""Training in blocks that outlives its process: the state after each block, written whole, two kept."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from plasticity.errors import PlasticityError, WrongUse
from plasticity.files import TEMPORARY
from plasticity.records import Record

KEPT = 2
_ENDINGS = (".json", ".npz")


class Checkpoints:
    """The folder of one training: block-000012.json and .npz for its last two blocks.

    A checkpoint is a `Record`: its json holds the SHA-256 of its npz, both are written to a file of another name first. A process
    that is killed leaves the checkpoint before, a full disk too. Made by `Checkpoints.open`.
    """

    def __init__(self, folder: Path, configuration: dict[str, Any]) -> None:
        self.folder = folder
        self.configuration = configuration

    @classmethod
    @contextlib.contextmanager
    def open(cls, folder: str | Path, configuration: Mapping[str, Any]) -> Iterator[Checkpoints]:
        """Hold the folder for one training of this configuration (plain data: whatever its outcome follows from).

        Raises
        ------
        WrongUse
            Another process trains there, or what lies there is of another configuration.
        PlasticityError
            The folder cannot be made.
        """
        folder = Path(folder)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            lock = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o666)
        except OSError as error:
            raise PlasticityError(
                f"cannot keep checkpoints in {folder}: {error.strerror or error}; give another folder."
            ) from None
        try:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise WrongUse(f"another process trains in {folder}; wait until it ends, or give another folder.") from None
            for leftover in folder.glob(f"{TEMPORARY}*"):  # of a writer that was killed
                leftover.unlink(missing_ok=True)
            yield cls(folder, json.loads(json.dumps(dict(configuration))))
        finally:
            os.close(lock)

    def _there(self) -> list[Path]:
        """The checkpoints by their json files, newest first."""
        return sorted(self.folder.glob("block-*.json"), reverse=True)

    def latest(self) -> Record | None:
        """The newest whole checkpoint; a damaged one is named on standard error, and the one before it is taken.

        Raises
        ------
        WrongUse
            It is of another training.
        PlasticityError
            There are checkpoints, and none of them is whole.
        """
        damaged = ""
        for path in self._there():
            try:
                found = Record.load(path)
            except PlasticityError as error:
                damaged = str(error).partition("; ")[0]
                print(f"note: {damaged}; the checkpoint before it is used.", file=sys.stderr, flush=True)
                continue
            theirs = found.configuration
            differing = sorted(k for k in {*theirs, *self.configuration} if theirs.get(k) != self.configuration.get(k))
            if differing:
                raise WrongUse(
                    f"{self.folder} holds checkpoints of another training ({', '.join(differing)} differ); give another folder,"
                    " or delete it."
                )
            return found
        if damaged:
            raise PlasticityError(f"{damaged}, and there is no other checkpoint; delete {self.folder} to begin anew.")
        return None

    def save(self, block: int, numbers: dict[str, Any], arrays: dict[str, np.ndarray], wall_s: float, backend: str) -> None:
        """Write the checkpoint after a block; of the older ones the last stays.

        Raises
        ------
        PlasticityError
            The disk is full or the folder cannot be written; the checkpoints before are still there.
        """
        record = Record("checkpoint", self.configuration, None, numbers, arrays, wall_s, backend, 1)
        record.save(self.folder / f"block-{block:06d}")
        for old in self._there()[KEPT:]:
            for ending in _ENDINGS:
                old.with_suffix(ending).unlink(missing_ok=True)

    def clear(self) -> None:
        """Delete what `save` wrote."""
        for ending in _ENDINGS:
            for path in self.folder.glob(f"block-*{ending}"):
                path.unlink(missing_ok=True)
