"""Records of runs: written whole or not at all, checked on reading, never overwritten by accident."""

from __future__ import annotations

import contextlib
import datetime
import difflib
import fcntl
import functools
import hashlib
import importlib.metadata
import os
import platform
import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import joblib
import numpy as np

import plasticity
from plasticity import files
from plasticity.checked import checked, checked_but
from plasticity.errors import PlasticityError, WrongUse
from plasticity.files import TEMPORARY

PACKAGES = ("brian2", "numpy", "scipy", "scikit-learn", "torch", "joblib", "matplotlib")
PARTS = "parts"  # below records/: what is finished before the whole is
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


# One record


def _with(path: str | Path, ending: str) -> Path:
    """`path` with .json or .npz; a dot inside the name (rate_0.5) stays."""
    path = Path(path)
    stem = path.name.removesuffix(".json").removesuffix(".npz")
    return path.with_name(stem + ending)


@checked_but("arrays")
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
        content = files.npz(self.arrays)
        told = files.plain({**vars(self), "arrays": sorted(self.arrays)}, "record")
        told["arrays_sha256"] = hashlib.sha256(content).hexdigest()
        try:
            text.unlink(missing_ok=True)
        except OSError as error:
            raise files.failed(text, error) from error
        files.write_bytes(data, content)
        files.write_sealed(text, told)

    @classmethod
    def load(cls, path: str | Path) -> Record:
        """The record that `save` wrote at `path` (with or without .json).

        Raises
        ------
        PlasticityError
            A file is missing or damaged, or the two do not belong together; the message names the file.
        """
        text, data = _with(path, ".json"), _with(path, ".npz")
        told = files.read_sealed(text)
        if not data.exists():
            raise PlasticityError(
                f"{data} is not there: the arrays of this run were left out or lost. Its numbers are in {text.name} and, for the"
                " whole run, in summary.json; figures need the arrays, so run it again to draw them."
            )
        content = files.read(data)
        try:
            expected = told.pop("arrays_sha256")
            made = cls(**told)
        except (AttributeError, KeyError, TypeError) as error:
            raise files.damaged(text, f"not a record: {error}") from error
        if not (isinstance(made.configuration, dict) and isinstance(made.numbers, dict)):
            raise files.damaged(text, "not a record: its configuration or its numbers are no dictionary")
        if hashlib.sha256(content).hexdigest() != expected:
            raise files.damaged(data, f"its SHA-256 is not the one in {text.name}")
        made.arrays = files.arrays(data, content)
        return made

    def refuse_other(self, path: str | Path, seed: int | None, configuration: Mapping[str, Any]) -> None:
        """PlasticityError where what lies at `path` is not the record of this seed with this in its configuration."""
        there = {"seed": self.seed, **{name: self.configuration.get(name) for name in configuration}}
        if differing := list(_differing(there, {"seed": seed, **configuration})):
            raise files.damaged(_with(path, ".json"), f"it is the record of something else: {differing[0]}")


# The folder of a run


@checked
def finished(folder: str | Path) -> bool:
    """Whether the run in a folder is finished and nothing that it had written then (`files` of run.json) was removed since."""
    place = Path(folder)
    try:
        wrote = files.read_sealed(place / "run.json").get("files", ())
    except PlasticityError:  # lost or damaged: who reads it says so
        return False
    return (place / "summary.json").exists() and all((place / name).exists() for name in wrote)


@checked
def refuse_taken(folder: str | Path, force: bool = False) -> None:
    """WrongUse where `RunFolder.open` would refuse whatever is asked for.

    Another run is writing there, one is finished, or the folder is not that of a run.
    """
    place = Path(folder)
    with contextlib.suppress(OSError):
        lock = os.open(place / ".lock", os.O_RDONLY | os.O_NOFOLLOW)
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            raise _busy(place) from None
        finally:
            os.close(lock)
    with contextlib.suppress(OSError):
        _refuse_foreign(place)
    if not force and finished(place):
        raise _is_finished(place)


def _names(place: Path) -> set[str]:
    """What lies in a folder, but for what a run killed at its very start leaves."""
    return {entry.name for entry in place.iterdir() if entry.name != ".lock" and not entry.name.startswith(TEMPORARY)}


def _refuse_foreign(place: Path) -> None:
    """WrongUse for a folder with files of which none is known for a run's; where run.json is damaged, its other records tell."""
    names = _names(place)
    if not names:
        return
    why = "there is no run.json"
    if "run.json" in names:
        files.refuse_link(place / "run.json")
        if any(map(files.sealed, (place / "run.json", place / "summary.json", *(place / "records").glob("**/*.json")))):
            return
        why = "its run.json is not that of a run, or is damaged"
    raise WrongUse(f"{place} holds no run ({why}) but other files; give another folder with --out, or delete this one by hand.")


@checked
def refuse_no_run(folder: str | Path) -> None:
    """WrongUse for a folder without run.json; one above it, or one of a name like it, that has one is named."""
    place = Path(folder)
    if (place / "run.json").exists():
        return
    above = next((one for one in place.absolute().parents if (one / "run.json").exists()), None)
    beside = {one.parent.name: one.parent for one in sorted(place.parent.glob("*/run.json"))}
    near = [beside[name] for name in difflib.get_close_matches(place.name, beside, n=1, cutoff=0.6)]
    if above is not None:
        with contextlib.suppress(ValueError):
            above = above.relative_to(Path.cwd()) if not place.is_absolute() else above
        near = [above]
    hint = f"did you mean {near[0]}?" if near else "give a folder that `plasticity compare` or `plasticity run` wrote."
    raise WrongUse(f"{folder} holds no run (there is no run.json); {hint}")


@checked
def refuse_of_another(folder: str | Path, own: str | Path | None = None) -> None:
    """WrongUse for the folder of a run, and for one below it, but for that of the run `own`."""
    place = Path(os.path.realpath(folder))
    run = next((one for one in (place, *place.parents) if (one / "run.json").exists()), None)
    if run is not None and (own is None or str(run) != os.path.realpath(own)):
        raise WrongUse(f"{folder} belongs to the run in {run}; give another folder with --out.")


@checked
def refuse_other_run(folder: str | Path, configuration: Mapping[str, Any]) -> None:
    """WrongUse where the run in a folder is another one; settings that it does not know came later."""
    file = Path(folder) / "run.json"
    there = files.read_sealed(file).get("configuration") if file.exists() else None
    if not isinstance(there, dict):
        return
    known = there.get("settings") or {}
    asked = {**configuration, "settings": {name: value for name, value in configuration["settings"].items() if name in known}}
    if differing := list(_differing(there, files.plain(asked, "configuration"))):
        raise WrongUse(f"{folder} holds another run: {'; '.join(differing[:3])}; give another folder with --out.")


def _busy(path: Path) -> WrongUse:
    return WrongUse(f"another run is writing to {path}; wait until it ends, or give another folder with --out.")


def _is_finished(path: Path) -> WrongUse:
    return WrongUse(
        f"{path} holds a finished run. Give another folder with --out, replace the run with --force (in Python "
        f"force=True), or draw its figures again with `plasticity plot {path}`."
    )


@checked
class RunFolder:
    """The output folder of one run: run.json, records/NAME.json and .npz, and summary.json once it is finished.

    Made by `RunFolder.open`. Needs file locks (Linux, macOS); on a network folder without them it is refused.
    """

    def __init__(self, path: Path, lock: int, replaces: Mapping[str, Any] | None = None) -> None:
        self.path = path
        self._lock = lock
        self._replaces = replaces  # run.json of a run that replaces the one which is still there

    @classmethod
    @contextlib.contextmanager
    def open(
        cls, path: str | Path, configuration: Mapping[str, Any], force: bool = False, backend: str = ""
    ) -> Iterator[RunFolder]:
        """Hold the folder for one run; `with RunFolder.open(...) as folder`.

        An empty or new folder begins a run. An unfinished run with the same configuration goes on: ask `record`
        which parts are there; so does a finished one of which something was removed since. A finished one is kept unless
        `force`, which removes what a run writes (RUN_FILES) and nothing else, and that when the first record or part of
        the new run is saved: a run that is refused, or fails before, costs nothing. The lock ends with the process, however it
        ends. `backend` is what runs its networks: a run does not go on with another one, whose numbers differ.

        Raises
        ------
        WrongUse
            A finished run is there; an unfinished one with another configuration or of another backend; another process is
            writing there; what a run writes is a link or a device; the folder holds files and no run.json, or one that no run
            wrote, so it is not the folder of a run (with `force` as well).
        PlasticityError
            The folder cannot be made or written.
        """
        path = Path(path)
        new = not path.exists()
        asked = {"configuration": files.plain(configuration, "configuration"), **({"backend": backend} if backend else {})}
        try:
            path.mkdir(parents=True, exist_ok=True)
            fresh = not _names(path)
            for name in ("run.json", "summary.json", "summary.csv", "report.html", "records", "figures", ".lock"):
                files.refuse_link(path / name)
            _refuse_foreign(path)
            lock = os.open(path / ".lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)
        except OSError as error:
            raise files.failed(path / "run.json", error) from error
        try:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise _busy(path) from None
            except OSError as error:
                raise files.failed(path / ".lock", error) from error
            try:
                yield cls(path, lock, cls._claim(path, asked, force))
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
    def _claim(path: Path, asked: dict[str, Any], force: bool) -> Mapping[str, Any] | None:
        """Write run.json; or hand back its content, where there is something to be replaced first."""
        file, content = path / "run.json", {**asked, "provenance": provenance()}
        if force and file.exists():
            return content
        if finished(path):
            raise _is_finished(path)
        if file.exists():
            told = files.read_sealed(file)
            if not isinstance(told.get("configuration"), dict):
                raise files.damaged(file, "no configuration in it")
            differing = list(_differing(told["configuration"], asked["configuration"]))
            if "backend" in told:
                differing += _differing({"backend": told["backend"]}, {"backend": asked.get("backend")})
            begun = any((path / "records").glob("**/*.json"))
            if differing and begun:
                raise WrongUse(
                    f"{path} holds an unfinished run with another configuration: {'; '.join(differing[:3])}. "
                    "Ask for the same to go on with it, give another folder with --out, or replace it with --force."
                )
            _remove(path, (f"**/{TEMPORARY}*",))  # of a writer that was killed
            if not differing:
                return None
            if (path / "summary.json").exists():  # of a run whose records are gone
                return content
        files.write_sealed(file, content)
        return None

    def _begin(self) -> None:
        """Look that the folder is the one that is held, and make room for the first thing that is saved."""
        try:
            held = os.path.samestat(os.fstat(self._lock), os.stat(self.path / ".lock"))
        except OSError:
            held = False
        if not held or not (self.path / "run.json").exists():
            raise PlasticityError(
                f"{self.path} was removed or replaced during the run, with what was finished; give the same command again, with"
                " another folder if something lies there."
            )
        if self._replaces is not None:
            _remove(self.path, RUN_FILES)
            files.write_sealed(self.path / "run.json", self._replaces)
            self._replaces = None
        _remove(self.path, ("summary.json",))  # of a run that lost something: it is no longer finished

    def parts(self) -> Path:
        """A folder for what is finished before a record is; a run that is replaced goes now, so that none of it stays there."""
        self._begin()
        return (self.path / "records" / PARTS).absolute()

    def _at(self, name: str) -> Path:
        if not all(re.fullmatch(r"\w[\w.+-]*", part) for part in name.split("/")):
            raise WrongUse(f"{name!r} cannot name a record; use letters, digits, _ and -, such as seed-0003/spiking_gated.")
        return self.path / "records" / name

    def record(self, name: str) -> Record | None:
        """The record of that name, or None if it is not there yet. A damaged one is a PlasticityError."""
        return Record.load(self._at(name)) if self.holds(name) else None

    def holds(self, name: str) -> bool:
        """Whether this run has saved a record of that name."""
        return self._replaces is None and all(_with(self._at(name), kind).exists() for kind in (".json", ".npz"))

    def save(self, name: str, record: Record) -> None:
        """Save a record; `name` may hold a slash, such as seed-0003/spiking_gated. May be called by many processes."""
        path = self._at(name)
        self._begin()
        record.save(path)

    def finish(self, summary: Mapping[str, Any]) -> None:
        """Write summary.json: with it the run is finished, so it comes after all else. Where the folder lay is left out.

        All that the run wrote is listed in run.json: where some of it is removed later, the same command makes it again.
        """
        self._begin()
        wrote = {str(file.relative_to(self.path)) for pattern in RUN_FILES[1:-1] for file in self.path.glob(pattern)}
        told = files.read_sealed(self.path / "run.json")
        files.write_sealed(self.path / "run.json", {**told, "files": sorted(wrote)})
        files.write_sealed(self.path / "summary.json", {key: value for key, value in summary.items() if key != "out"})


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
