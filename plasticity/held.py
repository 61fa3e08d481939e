"""What belongs to a process while it lives, known by a lock that the kernel takes away when it ends.

The number of a process says nothing in another container or on another machine, which may share the disk; a lock (flock) does.
Where a disk has no locks nothing is taken for a leftover; what another machine left stays for a week, for there may be no locks
between machines (NFS mounted with `nolock`). Earlier versions named folders by the process and locked none: these go after a
week, unless a process has that number.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import functools
import os
import platform
import re
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from plasticity.errors import PlasticityError

LOCK = ".held"  # the file in a folder that its process has locked
WEEK_S = 7 * 86400.0
_NUMBERED = re.compile(r"plasticity-run-([0-9]+)-")


def full(error: OSError) -> bool:
    """Whether there was no room."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@functools.cache
def _machine() -> bytes:
    """What all containers of a machine have in common, until it is started anew."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_bytes().strip()
    except OSError:
        return platform.node().encode()


def _locked(file: int, how: int) -> bool | None:
    """Whether the lock could be had; None where the disk has no locks."""
    try:
        fcntl.flock(file, how)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def _same(path: Path, file: int) -> bool:
    """Whether the open file is still the one of this name."""
    try:
        return os.path.samestat(os.lstat(path), os.fstat(file))
    except FileNotFoundError:
        return False


# Folders


@contextlib.contextmanager
def folder(parent: str | Path, prefix: str) -> Iterator[Path]:
    """A new folder for this process alone, gone afterwards; what killed processes left there of this kind is gone before.

    Raises
    ------
    OSError
        The folder cannot be made.
    """
    clear_once(str(parent), prefix)
    made, lock = None, None
    while lock is None:
        made = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
        try:
            lock = _hold(made)
        finally:
            if lock is None:
                _remove(made)
    assert made is not None
    try:
        yield made
    finally:
        os.close(lock)
        _remove(made)


@contextlib.contextmanager
def temporary(prefix: str) -> Iterator[Path]:
    """Such a folder where temporary files go (TMPDIR).

    Raises
    ------
    PlasticityError
        It cannot be made.
    """
    with contextlib.ExitStack() as stack:
        try:
            made = stack.enter_context(folder(tempfile.gettempdir(), prefix))
        except OSError as error:
            raise no_run_files(error) from None
        yield made


def no_run_files(error: OSError) -> PlasticityError:
    """The refusal of a temporary folder in which something cannot be written."""
    other = "with room" if full(error) else "that can be written"
    where = tempfile.tempdir or "the temporary folder"
    return PlasticityError(f"cannot write run files in {where}: {error.strerror or error}; set TMPDIR to a folder {other}.")


def clear(parent: str | Path, prefix: str) -> None:
    """Delete the folders of this kind whose process has ended; never what has no lock, is a link or somebody else's."""
    for path in Path(parent).glob(f"{prefix}*"):
        with contextlib.suppress(OSError):
            _clear(path)


clear_once = functools.cache(clear)


def _clear(path: Path) -> None:
    about = os.lstat(path)
    if not stat.S_ISDIR(about.st_mode) or about.st_uid != os.geteuid():
        return
    try:
        lock = os.open(path / LOCK, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        if _long_dead(path):
            shutil.rmtree(path)
        return
    try:
        if _locked(lock, fcntl.LOCK_EX | fcntl.LOCK_NB):
            if os.read(lock, 100) == _machine() or _for_a_week(path):
                _remove(path)
    finally:
        os.close(lock)


def _for_a_week(path: Path) -> bool:
    """Whether nothing in the folder was touched since."""
    return time.time() - max(os.lstat(entry).st_mtime for entry in (path, *path.iterdir())) > WEEK_S


def _long_dead(path: Path) -> bool:
    """Whether it is of an earlier version, which named its folders by the process and locked none, and that is long ago."""
    number = _NUMBERED.match(path.name)
    if number is None or not _for_a_week(path):
        return False
    try:
        os.kill(int(number[1]), 0)
    except (ProcessLookupError, OverflowError):
        return True
    except PermissionError:  # somebody else's
        pass
    return False


def _hold(made: Path) -> int | None:
    """The lock of a new folder; None where it was taken for a leftover before it was locked."""
    try:
        lock = os.open(made / LOCK, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    except FileNotFoundError:
        return None
    try:
        if _locked(lock, fcntl.LOCK_EX | fcntl.LOCK_NB) is not False and _same(made / LOCK, lock):
            os.write(lock, _machine())
            return lock
    except BaseException:
        os.close(lock)
        raise
    os.close(lock)
    return None


def _remove(path: Path) -> None:
    """The lock goes last, so that what is left half removed is still known for a leftover."""
    with contextlib.suppress(OSError):
        for entry in os.scandir(path):
            if entry.is_dir(follow_symlinks=False):
                shutil.rmtree(entry.path, ignore_errors=True)
            elif entry.name != LOCK:
                with contextlib.suppress(OSError):
                    os.unlink(entry.path)
        (path / LOCK).unlink(missing_ok=True)
        path.rmdir()


# Files


@contextlib.contextmanager
def alone(path: Path) -> Iterator[None]:
    """No other process is inside of the same path meanwhile; the file that stands for it is gone when the last one leaves.

    Raises
    ------
    OSError
        The file cannot be made.
    """
    while True:
        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        try:
            _locked(lock, fcntl.LOCK_EX)
            if _same(path, lock):
                break
        except BaseException:
            os.close(lock)
            raise
        os.close(lock)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            path.unlink()
        os.close(lock)


@contextlib.contextmanager
def using(path: Path) -> Iterator[None]:
    """For `unused` the file is in use meanwhile; where it cannot be read, nothing is held."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        yield
        return
    try:
        _locked(file, fcntl.LOCK_SH)
        yield
    finally:
        os.close(file)


@contextlib.contextmanager
def unused(path: Path) -> Iterator[bool]:
    """Whether no process is `using` the file; none begins to meanwhile. A file that is not there is not used."""
    try:
        file = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        yield isinstance(error, FileNotFoundError)
        return
    try:
        yield _locked(file, fcntl.LOCK_EX | fcntl.LOCK_NB) is not False
    finally:
        os.close(file)
