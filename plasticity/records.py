"""Records of runs: written whole or not at all, checked on reading, never overwritten by accident."""

from __future__ import annotations

import contextlib
import datetime
import fcntl
import functools
import hashlib
import importlib.metadata
import io
import json
import math
import os
import platform
import re
import secrets
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import joblib
import numpy as np

import plasticity
from plasticity.errors import PlasticityError, WrongUse

PACKAGES = ("brian2", "numpy", "scipy", "scikit-learn", "torch", "joblib", "matplotlib")
TEMPORARY = ".unfinished-write-"  # how the name of a file begins while it is being written
# Everything that a run writes into its folder, and so everything that force removes. The summary goes first:
# a removal that is cut short then leaves an unfinished run, never one that looks finished.
RUN_FILES = (
    "summary.json",
    "summary.csv",
    "report.html",
    "records/**/*.json",
    "records/**/*.npz",
    *(f"figures/**/*.{kind}" for kind in ("png", "svg", "pdf")),
    f"**/{TEMPORARY}*",
)


# Where the numbers came from


def _checkout(folder: Path) -> tuple[str, bool | None]:
    """Commit of the git checkout that tracks the package in `folder`, and whether its tracked files are unchanged."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    environment["GIT_OPTIONAL_LOCKS"] = "0"  # many processes may look at the same time

    def git(*arguments: str) -> str:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments], env=environment, capture_output=True, text=True, timeout=20, check=True
        )
        return done.stdout.strip()

    try:
        git("ls-files", "--error-unmatch", "__init__.py")  # an installed copy inside some checkout is not that checkout
        return git("rev-parse", "HEAD"), not git("status", "--porcelain", "--untracked-files=no")
    except (OSError, subprocess.SubprocessError):
        return "unknown", None


@functools.cache
def _this_process() -> dict[str, Any]:
    commit, clean = _checkout(Path(__file__).resolve().parent)
    versions = {"python": platform.python_version(), "plasticity": getattr(plasticity, "__version__", "unknown")}
    for package in PACKAGES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            versions[package] = importlib.metadata.version(package)
    return {"commit": commit, "clean": clean, "versions": versions, "platform": platform.platform(), "cpus": joblib.cpu_count()}


def provenance() -> dict[str, Any]:
    """Which code on which machine: `commit`, `clean`, `versions`, `platform`, `cpus`, `created` (UTC, ISO 8601).

    `commit` is that of the git checkout this package lies in, "unknown" if there is none (an installed wheel) or
    no git. `clean` is False if a tracked file differs from the commit, None if the commit is unknown. All but
    `created` is looked up once per process.
    """
    known = _this_process()
    created = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    return {**known, "versions": dict(known["versions"]), "created": created}


# Files


def _failed(path: Path, error: OSError) -> PlasticityError:
    if isinstance(error, FileExistsError | NotADirectoryError):
        return PlasticityError(f"{path.parent} is no folder, so {path.name} cannot be written there; give a folder with --out.")
    return PlasticityError(
        f"cannot write {path.name} in the folder {path.parent}: {error.strerror or error}. "
        "Make room there or make it writable, or choose another folder with --out."
    )


def _write(path: str | Path, content: bytes) -> None:
    path = Path(path)
    temporary = path.parent / f"{TEMPORARY}{os.getpid()}-{secrets.token_hex(4)}"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with open(temporary, "xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        except BaseException:  # Ctrl-C as well
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise _failed(path, error) from error


def write_text(path: str | Path, text: str) -> None:
    """Write a text file (UTF-8) whole or not at all; missing folders are made.

    The text goes to a temporary file in the same folder, to the disk (fsync), and then takes the name in one step,
    so a reader sees the old file or the new one even if the writer is killed.

    Raises
    ------
    PlasticityError
        The folder is full or cannot be written; the old file, if any, is still there.
    """
    _write(path, text.encode(errors="backslashreplace"))  # a path may hold bytes that are no UTF-8


def _plain(value: Any, where: str) -> Any:
    """`value` as JSON knows it: numpy scalars and arrays as numbers and lists, NaN and infinity as null."""
    if isinstance(value, np.generic) or type(value) is np.ndarray:
        value = value.tolist()
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, (list, tuple)):
        return [_plain(item, f"{where}[{place}]") for place, item in enumerate(value)]
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str):
                raise WrongUse(f"{where} has the key {key!r}; keys in a record must be text, such as {str(key)!r}.")
        return {str(key): _plain(item, f"{where}.{key}") for key, item in value.items()}
    raise WrongUse(
        f"{where} is {value!r} of type {type(value).__name__}, which JSON cannot hold; "
        "give a number, text, list or dictionary (of a quantity with a unit: divide by the unit)."
    )


def write_json(path: str | Path, value: Any) -> None:
    """Write JSON whole or not at all, see `write_text`.

    NumPy scalars and arrays become plain numbers and lists; NaN and infinity, which JSON does not have, become null.

    Raises
    ------
    WrongUse
        Something that JSON cannot hold (an object, a quantity with a unit, a key that is no text).
    PlasticityError
        The folder is full or cannot be written.
    """
    _write(path, (json.dumps(_plain(value, "value"), indent=2, allow_nan=False) + "\n").encode())


def _npz(arrays: Mapping[str, Any]) -> bytes:
    whole: dict[str, Any] = {name: np.asarray(array) for name, array in arrays.items()}
    for name, array in whole.items():
        if array.dtype.hasobject:
            raise WrongUse(
                f"array {name!r} holds Python objects; a record keeps numbers and texts of one type and one shape only."
            )
        if name in ("file", "allow_pickle") or not re.fullmatch(r"\w+", name):
            raise WrongUse(f"{name!r} cannot name an array; use letters, digits and _ (and neither 'file' nor 'allow_pickle').")
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **whole)
    return buffer.getvalue()


def write_npz(path: str | Path, arrays: Mapping[str, Any]) -> None:
    """Write named arrays (compressed npz) whole or not at all, see `write_text`. The same arrays give the same bytes.

    Raises
    ------
    WrongUse
        An array of Python objects, or a name that is not made of letters, digits and `_`.
    PlasticityError
        The folder is full or cannot be written.
    """
    _write(path, _npz(arrays))


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise PlasticityError(f"there is no file {path}; was the run finished, and is this its folder?") from None
    except OSError as error:
        raise PlasticityError(f"cannot read {path}: {error.strerror or error}.") from error


def _damaged(path: Path, why: object) -> PlasticityError:
    return PlasticityError(f"{path} is damaged ({why}); delete it and run again, or restore it from a copy.")


def read_json(path: str | Path) -> Any:
    """What `write_json` wrote. A missing or damaged file is a PlasticityError that names it."""
    path = Path(path)
    content = _read(path)
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise _damaged(path, error) from error


def read_npz(path: str | Path) -> dict[str, np.ndarray]:
    """What `write_npz` wrote, all of it in memory. Pickled objects are never loaded: a file may come from anyone.

    Raises
    ------
    PlasticityError
        The file is missing, damaged, no npz, or holds Python objects; the message names it.
    """
    path = Path(path)
    return _arrays(path, _read(path))


def _arrays(path: Path, content: bytes) -> dict[str, np.ndarray]:
    if not content.startswith(b"PK"):
        raise _damaged(path, "not an npz file")
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except Exception as error:  # zipfile, zlib, struct, tokenize, ...: damage has no single exception
        raise _damaged(path, error) from error


# One record


def _with(path: str | Path, ending: str) -> Path:
    """`path` with .json or .npz; a dot inside the name (rate_0.5) stays."""
    path = Path(path)
    stem = path.name.removesuffix(".json").removesuffix(".npz")
    return path.with_name(stem + ending)


@dataclass
class Record:
    """Everything about one run of one simulation or learner: what was asked, what came out, where and how long.

    Attributes
    ----------
    simulation : str
        Name of the simulation or learner.
    configuration : dict
        All settings, so that the run can be repeated.
    seed : int or None
        The seed that all randomness of the run came from.
    numbers : dict
        Results that fit in a table. NaN is saved as null and comes back as None.
    arrays : dict of arrays
        What the figures are drawn from.
    wall_s : float
        Wall time in seconds.
    backend : str
        What ran it, such as "cpp_standalone", "numpy" or "torch".
    threads : int
        Threads it ran on.
    provenance : dict
        See `provenance`.
    """

    simulation: str
    configuration: dict[str, Any]
    seed: int | None
    numbers: dict[str, Any]
    arrays: dict[str, np.ndarray]
    wall_s: float
    backend: str
    threads: int
    provenance: dict[str, Any] = field(default_factory=lambda: provenance())

    def __repr__(self) -> str:
        told = [f"{name}={value!r}" for name, value in self.numbers.items() if isinstance(value, (int, float, str))][:4]
        named = self.configuration.get("learner", self.simulation)
        return f"<Record of {named}, seed {self.seed}: {', '.join(told)}; {len(self.arrays)} arrays>"

    def save(self, path: str | Path) -> None:
        """Write `path`.npz and then `path`.json, which holds the npz file's SHA-256: with it the record is whole.

        A record of that name is removed first; a writer killed on the way leaves no record rather than half a one.

        Raises
        ------
        WrongUse, PlasticityError
            As `write_json` and `write_npz`; what cannot be written is refused before anything is touched.
        """
        text, data = _with(path, ".json"), _with(path, ".npz")
        content = _npz(self.arrays)
        told = _plain({**vars(self), "arrays": sorted(self.arrays)}, "record")
        told["arrays_sha256"] = hashlib.sha256(content).hexdigest()
        try:
            text.unlink(missing_ok=True)
        except OSError as error:
            raise _failed(text, error) from error
        _write(data, content)
        write_json(text, told)

    @classmethod
    def load(cls, path: str | Path) -> Record:
        """The record that `save` wrote at `path` (with or without .json).

        Raises
        ------
        PlasticityError
            A file is missing or damaged, or the two do not belong together; the message names the file.
        """
        text, data = _with(path, ".json"), _with(path, ".npz")
        told = read_json(text)
        if not data.exists():
            raise PlasticityError(
                f"{data} is not there: the arrays of this run were left out or lost. Its numbers are in {text.name} and, for the"
                " whole run, in summary.json; figures need the arrays, so run it again to draw them."
            )
        content = _read(data)
        try:
            expected = told.pop("arrays_sha256")
            made = cls(**told)
        except (AttributeError, KeyError, TypeError) as error:
            raise _damaged(text, f"not a record: {error}") from error
        if not (isinstance(made.configuration, dict) and isinstance(made.numbers, dict)):
            raise _damaged(text, "not a record: its configuration or its numbers are no dictionary")
        if hashlib.sha256(content).hexdigest() != expected:
            raise _damaged(data, f"its SHA-256 is not the one in {text.name}")
        made.arrays = _arrays(data, content)
        return made


# The folder of a run


class RunFolder:
    """The output folder of one run: run.json, records/NAME.json and .npz, and summary.json once it is finished.

    Made by `RunFolder.open`. Needs file locks (Linux, macOS); on a network folder without them it is refused.
    """

    def __init__(self, path: Path, replaces: Mapping[str, Any] | None = None) -> None:
        self.path = path
        self._replaces = replaces  # run.json of a run that replaces the one which is still there

    @classmethod
    @contextlib.contextmanager
    def open(cls, path: str | Path, configuration: Mapping[str, Any], force: bool = False) -> Iterator[RunFolder]:
        """Hold the folder for one run; `with RunFolder.open(...) as folder`.

        An empty or new folder begins a run. An unfinished run with the same configuration goes on: ask `record`
        which parts are there. A finished one is kept unless `force`, which removes what a run writes (RUN_FILES)
        and nothing else, and that when the first record of the new run is saved: a run that is refused, or fails before, costs
        nothing. The lock ends with the process, however it ends.

        Raises
        ------
        WrongUse
            A finished run is there; an unfinished one with another configuration; another process is writing there;
            the folder holds files and no run.json, so it is not the folder of a run (with `force` as well).
        PlasticityError
            The folder cannot be made or written.
        """
        path = Path(path)
        new = not path.exists()
        asked = _plain(configuration, "configuration")
        try:
            path.mkdir(parents=True, exist_ok=True)
            names = {entry.name for entry in path.iterdir() if entry.name != ".lock" and not entry.name.startswith(TEMPORARY)}
            fresh = not names
            if names and "run.json" not in names:
                raise WrongUse(
                    f"{path} holds files but no run.json, so it is not the folder of a run; give a new folder with --out."
                )
            lock = os.open(path / ".lock", os.O_RDWR | os.O_CREAT, 0o666)
        except OSError as error:
            raise _failed(path / "run.json", error) from error
        try:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise WrongUse(
                    f"another run is writing to {path}; wait until it ends, or give another folder with --out."
                ) from None
            except OSError as error:
                raise _failed(path / ".lock", error) from error
            try:
                yield cls(path, cls._claim(path, asked, force))
            except WrongUse:  # refused before anything was saved: as if it had not been asked for
                if {entry.name for entry in path.iterdir()} <= {".lock", "run.json"} and (fresh or new):
                    (path / "run.json").unlink(missing_ok=True)
                    (path / ".lock").unlink(missing_ok=True)
                    if new:
                        path.rmdir()
                raise
        finally:
            os.close(lock)

    @staticmethod
    def _claim(path: Path, asked: Any, force: bool) -> Mapping[str, Any] | None:
        """Write run.json; or hand back its content, where there is something to be replaced first."""
        told, content = path / "run.json", {"configuration": asked, "provenance": provenance()}
        if force and told.exists():
            return content
        if (path / "summary.json").exists():
            raise WrongUse(
                f"{path} holds a finished run. Give another folder with --out, replace the run with --force (in Python "
                f"force=True), or draw its figures again with `plasticity plot {path}`."
            )
        if told.exists():
            there = read_json(told)
            there = there.get("configuration") if isinstance(there, dict) else None
            if not isinstance(there, dict):
                raise _damaged(told, "no configuration in it")
            differing = list(_differing(there, asked))
            begun = any((path / "records").glob("**/*.json"))
            if differing and begun:
                raise WrongUse(
                    f"{path} holds an unfinished run with another configuration: {'; '.join(differing[:3])}. "
                    "Ask for the same to go on with it, give another folder with --out, or replace it with --force."
                )
            _remove(path, (f"**/{TEMPORARY}*",))  # of a writer that was killed
            if not differing:
                return None
        write_json(told, content)
        return None

    def _begin(self) -> None:
        """Make room for the first thing that is saved."""
        if self._replaces is not None:
            _remove(self.path, RUN_FILES)
            write_json(self.path / "run.json", self._replaces)
            self._replaces = None

    def _at(self, name: str) -> Path:
        if not all(re.fullmatch(r"\w[\w.+-]*", part) for part in name.split("/")):
            raise WrongUse(f"{name!r} cannot name a record; use letters, digits, _ and -, such as seed-0003/spiking_gated.")
        return self.path / "records" / name

    def record(self, name: str) -> Record | None:
        """The record of that name, or None if it is not there yet. A damaged one is a PlasticityError."""
        return Record.load(self._at(name)) if self.holds(name) else None

    def holds(self, name: str) -> bool:
        """Whether this run has saved a record of that name."""
        return self._replaces is None and _with(self._at(name), ".json").exists()

    def save(self, name: str, record: Record) -> None:
        """Save a record; `name` may hold a slash, such as seed-0003/spiking_gated. May be called by many processes."""
        path = self._at(name)
        self._begin()
        record.save(path)

    def finish(self, summary: Mapping[str, Any]) -> None:
        """Write summary.json: with it the run is finished. A folder may be moved, so where it lay is left out."""
        self._begin()
        write_json(self.path / "summary.json", {key: value for key, value in summary.items() if key != "out"})


def _differing(there: Mapping[str, Any], asked: Mapping[str, Any]) -> Iterator[str]:
    """What differs between two configurations; of settings and files each by its own name."""
    for name in sorted({*there, *asked}):
        old, new = there.get(name), asked.get(name)
        if name in there and name in asked and old == new:
            continue
        if isinstance(old or {}, Mapping) and isinstance(new or {}, Mapping) and (old or new):
            yield from (f"{name}: {inner}" for inner in _differing(old or {}, new or {}))
        else:
            yield f"{name} is {_brief(old)} there and {_brief(new)} now"


def _brief(value: Any, most: int = 80) -> str:
    text = repr(value)
    return text if len(text) <= most else f"{text[:most]}..."


def _remove(folder: Path, patterns: tuple[str, ...]) -> None:
    """Delete the files that match, then the folders this left empty; nothing beyond a link is touched."""
    home = folder.resolve()
    try:
        emptied = set()
        for pattern in patterns:
            for file in sorted(folder.glob(pattern)):
                if file.parent.resolve().is_relative_to(home) and (file.is_symlink() or file.is_file()):
                    file.unlink()
                    emptied.add(file.parent)
        for parent in sorted(emptied, key=lambda path: -len(path.parts)):
            while parent != folder and not any(parent.iterdir()):
                parent.rmdir()
                parent = parent.parent
    except OSError as error:
        raise PlasticityError(f"cannot remove the old run in {folder}: {error}. Delete it by hand or use --out.") from error
