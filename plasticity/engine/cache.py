"""Where compiled programs are kept: in whose folder, what is whole, how long, and how much of it.

    KEY/            a program: `main`, what it reads at its start, and `manifest.json` with a checksum over all of it
    index/NAME      which KEY the network of that NAME led to
    .building-*     what is being compiled, or deleted
    peers/          environments of other simulators (`plasticity bench --peers`)

What lies here is run, so that it counts only where nobody else can have put it there: it belongs to this user or to root, and
no others may write to it. A group is others, unless it is this user's own (of his name, with nobody else in it): with umask 002,
as in Debian, every folder is writable for that one. What is damaged in any way counts as not there and is compiled anew.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import grp
import hashlib
import json
import os
import pwd
import re
import shutil
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pooch

from plasticity import files, held
from plasticity.errors import PlasticityError, WrongUse

BUILDING = ".building-"
MANIFEST, SEAL = "manifest.json", "seal"
LIMIT = "5GB"  # where PLASTICITY_CACHE_LIMIT says nothing
GRACE_S = 3600.0  # what was used since then is not deleted: a process that lives may run it again
FORGOTTEN_S = 30 * 86400.0  # after which a name that nobody asked for is forgotten
OTHER = "or set PLASTICITY_CACHE to another folder"
_KEY = re.compile("[0-9a-f]{64}")
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt])?(i)?b?", re.IGNORECASE)


def folder() -> Path:
    """Where compiled programs lie: `PLASTICITY_CACHE`, else the user's cache folder."""
    chosen = os.environ.get("PLASTICITY_CACHE")
    try:
        return (Path(chosen).expanduser() if chosen else Path(pooch.os_cache("plasticity")) / "programs").absolute()
    except RuntimeError as error:  # of a user who is not there
        raise PlasticityError(f"PLASTICITY_CACHE={chosen} is no folder: {error}; write its whole path.") from None


def hashed(*parts: Any) -> str:
    """SHA-256 of texts and bytes."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part if isinstance(part, bytes) else str(part).encode())
        digest.update(b"\0")
    return digest.hexdigest()


# Whose it is


@functools.cache
def _own(group: int) -> bool:
    """Whether a group is this user's alone."""
    try:
        name, about = pwd.getpwuid(os.geteuid()).pw_name, grp.getgrgid(group)
    except KeyError:
        return False
    return about.gr_name == name and set(about.gr_mem) <= {name}


def _of_others(about: os.stat_result) -> bool:
    """Whether another user can have written it."""
    writes = about.st_mode & stat.S_IWOTH or (about.st_mode & stat.S_IWGRP and not _own(about.st_gid))
    return about.st_uid not in (0, os.geteuid()) or bool(writes)


def check(path: Path, link: bool = False) -> None:
    """PlasticityError where another user can have put something into this folder; `link`: or into the one that it leads to."""
    about = os.stat(path) if link else os.lstat(path)
    if not stat.S_ISDIR(about.st_mode):
        what = "a file" if stat.S_ISREG(about.st_mode) else files.kind(about.st_mode)
        raise PlasticityError(f"{path} is {what}, no folder of compiled programs; remove it, {OTHER}.")
    if about.st_uid not in (0, os.geteuid()):
        raise PlasticityError(
            f"{path} belongs to another user, and what is kept there would be run; set PLASTICITY_CACHE to a folder of your own."
        )
    if _of_others(about):
        raise PlasticityError(
            f"others may write to {path}, and what is kept there is run; type chmod -R go-w {folder()}, {OTHER}."
        )


def make(home: Path) -> None:
    """The folder of the cache with its index, for this user alone, where it is not there yet."""
    home.parent.mkdir(parents=True, exist_ok=True)
    for path in (home, home / "index"):
        path.mkdir(mode=0o700, exist_ok=True)
    check(home, link=True)
    check(home / "index")


# What is whole


def find(home: Path, name: str) -> tuple[Path, dict[str, Any]] | None:
    """The program that the network of this name led to, and its manifest, where it is there and whole.

    Raises
    ------
    PlasticityError
        Another user can have put something there.
    """
    entry = home / "index" / name
    try:
        check(home, link=True)
        check(entry.parent)
        about = os.lstat(entry)
        if not stat.S_ISREG(about.st_mode) or _of_others(about):
            return None
        key = entry.read_bytes().decode("ascii", "replace")
    except FileNotFoundError:
        return None
    noted = manifest(home / key) if _KEY.fullmatch(key) else None
    if noted is None:
        return None
    _touch(entry)
    return home / key, noted


def note(home: Path, name: str, key: str) -> None:
    """Remember which program a network led to."""
    with held.folder(home, BUILDING) as work:
        (work / name).touch(mode=0o600)
        (work / name).write_text(key)
        os.replace(work / name, home / "index" / name)


def manifest(program: Path) -> dict[str, Any] | None:
    """What was noted of the program in this folder, where all of it is as it was compiled, and it can be started.

    Raises
    ------
    PlasticityError
        Another user can have put it there.
    """
    try:
        if not _KEY.fullmatch(program.name) or stat.S_ISREG(os.lstat(program).st_mode):
            return None
        check(program)
        content = dict(_content(program))
        noted = json.loads(content.pop(MANIFEST))
        seal = noted.pop(SEAL)
        whole = seal == _seal(noted, content) and os.access(program / "main", os.X_OK)
    except PlasticityError:
        raise
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):  # whatever damage does
        return None
    _touch(program / MANIFEST)
    return noted if whole else None


def _content(program: Path) -> Iterator[tuple[str, bytes]]:
    """Every file of a program by its name; ValueError for what is no plain file of this user's."""
    for path in sorted(program.rglob("*")):
        about = os.lstat(path)
        if _of_others(about) or not (stat.S_ISREG(about.st_mode) or stat.S_ISDIR(about.st_mode)):
            raise ValueError(path)
        if stat.S_ISREG(about.st_mode):
            yield path.relative_to(program).as_posix(), path.read_bytes()


def _seal(noted: dict[str, Any], content: dict[str, bytes]) -> str:
    return hashed(json.dumps(noted, sort_keys=True), *(part for name in sorted(content) for part in (name, content[name])))


def keep(work: Path, program: Path, noted: dict[str, Any]) -> dict[str, Any]:
    """Move what was compiled into its place as a whole, without its sources; returns the manifest as it will be read."""
    for path in sorted(work.rglob("*"), reverse=True):
        if path.is_dir():
            with contextlib.suppress(OSError):
                path.rmdir()
        elif path != work / "main" and not path.is_relative_to(work / "static_arrays"):
            path.unlink()
    for path in (work, *work.rglob("*")):
        path.chmod(path.stat().st_mode & ~(stat.S_IWGRP | stat.S_IWOTH))
    noted = json.loads(json.dumps(noted))
    sealed = {**noted, SEAL: _seal(noted, dict(_content(work)))}
    (work / MANIFEST).touch(mode=0o600)
    (work / MANIFEST).write_text(json.dumps(sealed))
    if program.is_dir():  # a damaged one
        shutil.rmtree(program, ignore_errors=True)
    else:
        program.unlink(missing_ok=True)
    try:
        os.replace(work, program)
    except OSError:
        there = manifest(program)  # another process was faster, on a disk that has no locks
        if there is None:
            raise
        return there
    return noted


def _touch(path: Path) -> None:
    """That it was used now; of a folder that is only read, nobody knows."""
    with contextlib.suppress(OSError):
        os.utime(path)


@contextlib.contextmanager
def used(program: Path) -> Iterator[None]:
    """No process deletes the program meanwhile."""
    _touch(program / MANIFEST)
    with held.using(program / "main"):
        yield
    _touch(program / MANIFEST)


# How much there is


@dataclasses.dataclass(frozen=True)
class Kept:
    """Something in the cache that can be deleted: a compiled program, or an environment of another simulator."""

    path: Path
    what: str
    bytes: int
    used: float
    compile_s: float | None


def size(text: str, name: str = "PLASTICITY_CACHE_LIMIT") -> int:
    """ "5GB", "500 MB", "2GiB" in bytes; WrongUse for anything else."""
    found = _SIZE.fullmatch(text.strip())
    if not found or not (found[2] or float(found[1]) == 0):
        raise WrongUse(f"{name}={text} is no size; write a number and a unit, such as {LIMIT} or 500MB.")
    power = " kmgt".index((found[2] or " ").lower())
    return int(float(found[1]) * (1024 if found[3] else 1000) ** power)


def limit() -> int:
    """How many bytes the cache may hold: PLASTICITY_CACHE_LIMIT, else `LIMIT`."""
    return size(os.environ.get("PLASTICITY_CACHE_LIMIT") or LIMIT)


def kept(home: Path) -> list[Kept]:
    """What the cache holds, the longest unused first.

    Raises
    ------
    PlasticityError
        Another user can have put something there.
    """
    try:
        check(home, link=True)
        programs = [path for path in home.iterdir() if _KEY.fullmatch(path.name)]
        peers = [path for path in (home / "peers").iterdir()] if (home / "peers").is_dir() else []
    except FileNotFoundError:
        return []
    found = []
    for path in [*programs, *peers]:
        with contextlib.suppress(OSError):
            about = os.lstat(path)
            if stat.S_ISDIR(about.st_mode) and about.st_uid == os.geteuid():
                found.append(_kept(path, peer=path in peers))
    return sorted(found, key=lambda one: one.used)


def _kept(path: Path, peer: bool) -> Kept:
    names = [os.path.join(top, name) for top, _, inside in os.walk(path) for name in inside]
    weight = sum(os.lstat(name).st_size for name in names)
    marks = [mark for mark in (path / MANIFEST, path / "installed", path) if mark.exists()]
    noted: Any = {}
    if not peer:
        with contextlib.suppress(OSError, ValueError, RecursionError):
            noted = json.loads((path / MANIFEST).read_bytes())
    noted = noted if isinstance(noted, dict) else {}
    seconds = noted.get("compile_s")
    return Kept(
        path,
        f"environment of {path.name}" if peer else str(noted.get("network", "unknown")),
        weight,
        marks[0].stat().st_mtime,
        float(seconds) if isinstance(seconds, int | float) else None,
    )


def shrink(home: Path, most: int) -> list[Kept]:
    """Delete what was unused longest until no more than `most` bytes are there, and what killed processes left.

    What is in use, or was since an hour, stays, and so does whatever else lies in that folder.

    Returns
    -------
    list of Kept
        What was deleted.
    """
    everything = kept(home)
    total, gone = sum(one.bytes for one in everything), []
    for one in everything:
        if total <= most:
            break
        if _delete(home, one):
            total -= one.bytes
            gone.append(one)
    _clear(home)
    return gone


def _delete(home: Path, one: Kept) -> bool:
    if time.time() - one.used < GRACE_S:
        return False
    try:
        with held.folder(home, BUILDING) as trash, held.unused(one.path / "main") as free:
            if free:
                os.replace(one.path, trash / one.path.name)
            return free
    except OSError:
        return False


def _clear(home: Path) -> None:
    """Files of killed processes, and names of programs that are gone or that nobody asked for in a month."""
    held.clear(home, BUILDING)
    now = time.time()
    for path in [*home.glob("index/*"), *home.glob(f"{BUILDING}*")]:
        with contextlib.suppress(OSError):
            about = os.lstat(path)
            old = now - about.st_mtime
            if about.st_uid != os.geteuid():
                continue
            if stat.S_ISDIR(about.st_mode):
                if path.parent == home and old > held.WEEK_S and not (path / held.LOCK).exists():  # of earlier versions
                    shutil.rmtree(path, ignore_errors=True)
            elif re.fullmatch(r"[0-9a-f]{64}\.lock", path.name):
                with held.unused(path) as free:
                    if free and old > GRACE_S:
                        path.unlink()
            elif re.fullmatch(r"[0-9a-f]{64}\.\d+", path.name):  # of earlier versions, there for a moment only
                if old > GRACE_S:
                    path.unlink()
            elif _KEY.fullmatch(path.name) and stat.S_ISREG(about.st_mode):
                if old > FORGOTTEN_S or (old > GRACE_S and not (home / path.read_text()).is_dir()):
                    path.unlink()
