"""A data set that its publisher packs into one archive: found packed or unpacked, checked by what is in it."""

from __future__ import annotations

import functools
import hashlib
import io
import os
import re
import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from plasticity.checked import checked
from plasticity.datasets.dataset import DataSet, Missing, Status
from plasticity.errors import PlasticityError
from plasticity.files import MOST_BYTES

PACKED = (".zip", ".tar.gz", ".tgz")


@checked
@dataclass(frozen=True)
class Archive(DataSet):
    """Many files in one archive, under names by which they are known wherever they were packed.

    It is looked for in each of the `folders`: a .zip, .tar.gz or .tgz of any name, or its files themselves, unpacked. Archives
    are packed anew now and then, so that their bytes differ; what is checked are the files in it. Nothing is unpacked to disk.

    Attributes
    ----------
    picked : str
        A regular expression that the end of a file's path matches; what its first group matched is its name.
    count : int
        How many files there are.
    sha256 : str
        Of the files, `digest`.
    grows : bool
        The publisher goes on adding to it: other content is taken too, and said.
    url : str
        The address of the publisher's archive.
    """

    picked: str = ""
    count: int = 0
    sha256: str = ""
    grows: bool = False

    def members(self) -> dict[str, bytes]:
        """The content of each file by its name, sorted by name.

        Raises
        ------
        PlasticityError
            It is missing, cannot be read, or is not whole; an archive with a path that leaves its folder.
        """
        found = self._found()
        if found is None:
            looked = " and ".join(map(str, self.folders()))
            raise Missing(f"{self.name}: nothing of it is in {looked}; {self._remedy}.")
        path, members = found
        why = self._unlike(members)
        if why and not self.grows:
            raise PlasticityError(f"{self.name}: {path} is damaged or another version ({why}); {self._remedy}.")
        return members

    @property
    def _remedy(self) -> str:
        archive = self.url.rpartition("/")[2]
        return (
            f"type: plasticity data --fetch {self.name}, or put {archive} of {self.url.removesuffix(archive)} into"
            f" FOLDER/{self.name} and set PLASTICITY_DATA=FOLDER"
        )

    def _unlike(self, members: dict[str, bytes]) -> str:
        """In what the files are not those that are known; empty where they are."""
        if len(members) != self.count:
            return f"{len(members)} files of {self.count}"
        return "" if digest(members) == self.sha256 else f"the SHA-256 of its files is {digest(members)[:12]}..."

    def _found(self) -> tuple[Path, dict[str, bytes]] | None:
        """Where it lies, and its files; the first place that holds any of them."""
        for folder in self.folders():
            if not folder.is_dir():
                continue
            packed = sorted(path for path in folder.iterdir() if path.name.endswith(PACKED) and path.is_file())
            for path in (*packed, folder):
                try:
                    told = path.stat()
                    members = _read(str(path), self.picked, told.st_mtime_ns, told.st_size)
                except OSError as problem:
                    raise PlasticityError(f"{self.name}: {path} cannot be read ({problem.strerror}); {self._remedy}.") from None
                except _Unfit as problem:
                    raise PlasticityError(f"{self.name}: {path} {problem}; {self._remedy}.") from None
                if members:
                    return path, members
        return None

    def where(self) -> Path | None:
        """The archive, or the folder of its files; None if there is none."""
        found = self._found()
        return None if found is None else found[0]

    def status(self) -> Status:
        """Whether it is there and whole, and where."""
        try:
            why = self._unlike(self.members())
        except Missing as problem:
            return Status(self.name, "missing", None, str(problem))
        except PlasticityError as problem:
            return Status(self.name, "damaged", str(self.folders()[0]), str(problem))
        told = f"another version than the one that was tested ({why})" if why else f"{self.count} files, checksum holds"
        return Status(self.name, "present", str(self.where()), told)

    def fetch(self) -> Status:
        """Download the publisher's archive into the first of the `folders` where it is not there, and check what is in it."""
        state = self.status()
        if state.state == "present":
            return state
        self._download(self.url, self.url.rpartition("/")[2], None)  # packed anew now and then: what is in it is checked
        return self.status()


class _Unfit(Exception):
    """An archive that is not read, and why, as the end of a sentence."""


def digest(members: dict[str, bytes]) -> str:
    """SHA-256 over the names and contents of files, in the order of their names."""
    whole = hashlib.sha256()
    for name in sorted(members):
        whole.update(name.encode() + b"\0" + hashlib.sha256(members[name]).digest())
    return whole.hexdigest()


@functools.lru_cache(maxsize=4)  # one draw after another reads the same
def _read(place: str, picked: str, mtime_ns: int, size: int) -> dict[str, bytes]:
    """The picked files of an archive or a folder, by name; time and size are those of the place, so that a new one is read."""
    pattern = re.compile(picked)
    path, found, room = Path(place), dict[str, bytes](), MOST_BYTES
    for name, length, read in _listed(path):
        known = pattern.search(name)
        if known is None:
            continue
        room -= length
        if room < 0:
            raise _Unfit(f"holds more than {MOST_BYTES / 2**30:g} GiB, the most")
        try:
            found[known[1]] = read()
        except Exception as problem:  # zipfile, tarfile, zlib, lzma, bz2, a password, an unknown packing: each has its own error
            if isinstance(problem, OSError) and problem.errno is not None:
                raise  # of the disk
            raise _Unfit(f"is damaged ({name}: {problem})") from None
    return {name: found[name] for name in sorted(found)}


def _listed(path: Path) -> Iterator[tuple[str, int, Any]]:
    """Path within it, size and a function that reads it, of each file of an archive or a folder."""
    if path.is_dir():
        for folder, folders, names in os.walk(path):
            folders.sort()
            for name in sorted(names):
                one = Path(folder, name)
                if one.is_file():
                    yield one.relative_to(path).as_posix(), one.stat().st_size, one.read_bytes
        return
    with path.open("rb") as file:
        yield from _zipped(file) if path.name.endswith(".zip") else _tarred(file)


def _zipped(file: BinaryIO) -> Iterator[tuple[str, int, Any]]:
    try:
        archive = zipfile.ZipFile(file)
    except zipfile.BadZipFile as problem:
        raise _Unfit(f"is damaged ({problem})") from None
    with archive:
        entries = archive.infolist()
        _refuse_leaving(entry.filename for entry in entries)
        for entry in entries:
            if not entry.is_dir():
                yield entry.filename, entry.file_size, functools.partial(archive.read, entry)


def _tarred(file: BinaryIO) -> Iterator[tuple[str, int, Any]]:
    try:
        with tarfile.open(fileobj=file, mode="r|gz") as archive:
            for entry in archive:
                _refuse_leaving([entry.name])
                if entry.isfile():
                    content = archive.extractfile(entry) or io.BytesIO()
                    yield entry.name, entry.size, content.read
    except (tarfile.TarError, EOFError) as problem:
        raise _Unfit(f"is damaged ({problem})") from None


def _refuse_leaving(names: Any) -> None:
    for name in names:
        path = PurePosixPath(name.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts or re.match(r"[A-Za-z]:", name):
            raise _Unfit(f"holds a path that leaves its folder ({name!r}), and is not read")
