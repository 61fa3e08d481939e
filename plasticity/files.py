"""Files: written whole or not at all, over nothing that is not one's own; read where they are plain, whole and not too large."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import math
import os
import re
import secrets
import stat
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from plasticity.errors import PlasticityError, WrongUse

TEMPORARY = ".unfinished-write-"  # how the name of a file begins while it is being written
MOST_BYTES = 2**30  # that the arrays of one npz, what a gzip file holds, or a table may take
FORMAT, CHECKSUM = "format", "sha256"  # what a sealed file has beside its content; where one of the two is lost, the other tells


# Writing


def failed(path: Path, error: OSError) -> PlasticityError:
    """The refusal of a file that cannot be written."""
    if isinstance(error, FileExistsError | NotADirectoryError):
        return PlasticityError(f"{path.parent} is no folder, so {path.name} cannot be written there; give a folder with --out.")
    return PlasticityError(
        f"cannot write {path.name} in the folder {path.parent}: {error.strerror or error}. "
        "Make room there or make it writable, or choose another folder with --out."
    )


def kind(mode: int) -> str:
    """What something is that is no plain file."""
    kinds = {"a link": stat.S_ISLNK, "a folder": stat.S_ISDIR, "a pipe (FIFO)": stat.S_ISFIFO, "a socket": stat.S_ISSOCK}
    return next((name for name, is_it in kinds.items() if is_it(mode)), "a device")


def refuse_foreign(path: Path, force: bool, begins: bytes = b"") -> None:
    """WrongUse unless there is nothing at `path` yet, or, with `force`, a plain file that begins so."""
    try:
        mode = os.lstat(path).st_mode
    except FileNotFoundError:
        return
    except OSError as error:
        raise failed(path, error) from error
    if not stat.S_ISREG(mode):
        raise WrongUse(f"{path} is {kind(mode)}, no plain file; give the name of a file that is not there yet.")
    if not force:
        raise WrongUse(f"{path} is there already; give another name, or replace it with --force (in Python force=True).")
    with open(path, "rb") as file:
        if file.read(len(begins)) != begins:
            raise WrongUse(f"{path} is there already and is nothing that this command writes; give another name.")


def refuse_link(path: Path) -> None:
    """WrongUse where what is written below a folder would go elsewhere, or wait for ever."""
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        mode = os.lstat(path).st_mode
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            raise WrongUse(f"{path} is {kind(mode)}; remove it, or give another folder with --out.")


def write_bytes(path: str | Path, content: bytes) -> None:
    """Write a file whole or not at all, see `write_text`."""
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
        raise failed(path, error) from error


def write_text(path: str | Path, text: str) -> None:
    """Write a text file (UTF-8) whole or not at all; missing folders are made.

    The text goes to a temporary file in the same folder, to the disk (fsync), and then takes the name in one step,
    so a reader sees the old file or the new one even if the writer is killed.

    Raises
    ------
    PlasticityError
        The folder is full or cannot be written; the old file, if any, is still there.
    """
    write_bytes(path, text.encode(errors="backslashreplace"))  # a path may hold bytes that are no UTF-8


def plain(value: Any, where: str) -> Any:
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
        return [plain(item, f"{where}[{place}]") for place, item in enumerate(value)]
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str):
                raise WrongUse(f"{where} has the key {key!r}; keys in a record must be text, such as {str(key)!r}.")
        return {str(key): plain(item, f"{where}.{key}") for key, item in value.items()}
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
    write_bytes(path, (json.dumps(plain(value, "value"), indent=2, allow_nan=False) + "\n").encode())


def write_sealed(path: str | Path, value: Mapping[str, Any]) -> None:
    """Write JSON as `write_json` does, with the SHA-256 of its content as one more key, which `read_sealed` looks at."""
    told = {**plain(value, "record"), FORMAT: 2}
    write_json(path, {**told, CHECKSUM: digest(told)})


def digest(told: Mapping[str, Any]) -> str:
    """SHA-256 of what JSON holds, whatever the order of its keys."""
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def npz(arrays: Mapping[str, Any]) -> bytes:
    """The content of an npz file; the same arrays give the same bytes."""
    whole: dict[str, Any] = {name: np.asarray(array) for name, array in arrays.items()}
    for name, array in whole.items():
        if array.dtype.hasobject:
            raise WrongUse(
                f"array {name!r} holds Python objects; a record keeps numbers and texts of one type and one shape only."
            )
        if name in ("file", "allow_pickle") or not re.fullmatch(r"\w+", name):
            raise WrongUse(f"{name!r} cannot name an array; use letters, digits and _ (and neither 'file' nor 'allow_pickle').")
    if (size := sum(array.nbytes for array in whole.values())) > MOST_BYTES:
        raise WrongUse(f"the arrays of one record take {size / 2**30:.1f} GiB, and {MOST_BYTES / 2**30:g} GiB is the most.")
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **whole)
    return buffer.getvalue()


def write_npz(path: str | Path, arrays: Mapping[str, Any]) -> None:
    """Write named arrays (compressed npz) whole or not at all, see `write_text`. The same arrays give the same bytes.

    Raises
    ------
    WrongUse
        An array of Python objects, a name that is not made of letters, digits and `_`, more than 1 GiB.
    PlasticityError
        The folder is full or cannot be written.
    """
    write_bytes(path, npz(arrays))


# Reading


def read(path: Path) -> bytes:
    """The content of a plain file; a PlasticityError that names it where it is missing, no plain file, or cannot be read."""
    try:
        mode = os.stat(path).st_mode
        if not stat.S_ISREG(mode):  # a pipe would wait for ever
            raise PlasticityError(f"cannot read {path}: it is {kind(mode)}, no plain file; restore the file from a copy.")
        return path.read_bytes()
    except FileNotFoundError:
        raise PlasticityError(f"there is no file {path}; was the run finished, and is this its folder?") from None
    except OSError as error:
        raise PlasticityError(f"cannot read {path}: {error.strerror or error}.") from error


def unpacked(content: bytes) -> bytes:
    """The content of a gzip file, one part after the other.

    Raises
    ------
    EOFError, zlib.error
        It is no gzip file, or cut short.
    PlasticityError
        It would take more than 1 GiB; no more than that is unpacked to see it.
    """
    parts: list[bytes] = []
    room = MOST_BYTES
    while content:
        one = zlib.decompressobj(wbits=31)
        parts.append(one.decompress(content, room + 1))
        room -= len(parts[-1])
        if room < 0:
            raise PlasticityError(f"a gzip file holds more than {MOST_BYTES / 2**30:g} GiB, the most; give fewer images.")
        if not one.eof:
            raise EOFError("it ends too early")
        content = one.unused_data.lstrip(b"\0")
    return b"".join(parts)


def refuse_large(path: Path) -> None:
    """WrongUse for a file of data that is larger than 1 GiB."""
    if (size := path.stat().st_size) > MOST_BYTES:
        raise WrongUse(f"{path} has {size / 2**30:.1f} GiB, and {MOST_BYTES / 2**30:g} GiB is the most; give a part of it.")


def damaged(path: Path, why: object) -> PlasticityError:
    """The refusal of a damaged file; without its run.json a folder is no longer taken for that of a run."""
    again = "run again with --force or into another folder" if path.name == "run.json" else "delete it and run again"
    return PlasticityError(f"{path} is damaged ({why}); {again}, or restore it from a copy.")


def _no_number(word: str) -> Any:
    raise ValueError(f"{word} in it, which JSON does not have")


def _whole(digits: str) -> int:
    if len(digits) > 40:
        raise ValueError(f"a whole number of {len(digits)} digits in it")
    return int(digits)


def read_json(path: str | Path) -> Any:
    """What `write_json` wrote. A missing or damaged file is a PlasticityError that names it."""
    path = Path(path)
    content = read(path)
    try:
        return json.loads(content, parse_constant=_no_number, parse_int=_whole)
    except (ValueError, RecursionError) as error:
        raise damaged(path, error) from error


def read_sealed(path: str | Path) -> dict[str, Any]:
    """What `write_sealed` wrote, without the checksum; a file of an older version has none.

    Raises
    ------
    PlasticityError
        It is missing or damaged, or its content is not the one that the checksum is of.
    """
    path = Path(path)
    told = read_json(path)
    if not isinstance(told, dict):
        raise damaged(path, "not a record")
    expected = told.pop(CHECKSUM, None)
    if (expected is not None or FORMAT in told) and expected != digest(told):
        raise damaged(path, "its content is not the one that its SHA-256 is of")
    told.pop(FORMAT, None)
    return told


def sealed(path: Path) -> bool:
    """Whether it is what `write_sealed` or an older version of it wrote, though it may have been changed since."""
    with contextlib.suppress(PlasticityError):
        told = read_json(path)
        return isinstance(told, dict) and (CHECKSUM in told or FORMAT in told or {"configuration", "provenance"} <= told.keys())
    return False


def read_npz(path: str | Path) -> dict[str, np.ndarray]:
    """What `write_npz` wrote, all of it in memory. Pickled objects are never loaded: a file may come from anyone.

    Raises
    ------
    PlasticityError
        The file is missing, damaged, no npz, holds Python objects or more than 1 GiB; the message names it.
    """
    path = Path(path)
    return arrays(path, read(path))


def arrays(path: Path, content: bytes) -> dict[str, np.ndarray]:
    """The arrays of an npz file whose content this is."""
    if not content.startswith(b"PK"):
        raise damaged(path, "not an npz file")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
        if size > MOST_BYTES:
            raise ValueError(f"{size / 2**30:.1f} GiB when unpacked, {MOST_BYTES / 2**30:g} GiB is the most")
        with np.load(io.BytesIO(content), allow_pickle=False) as archive:
            found = {name: archive[name] for name in archive.files}
        if odd := [name for name, array in found.items() if not isinstance(array, np.ndarray)]:  # its bytes, as they are
            raise ValueError(f"{odd[0]!r} in it is no array")
        return found
    except Exception as error:  # zipfile, zlib, struct, tokenize, ...: damage has no single exception
        raise damaged(path, error) from error
