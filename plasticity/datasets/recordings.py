"""Recordings and their classes: sounds of a data set, or WAV files of one's own."""

from __future__ import annotations

import functools
import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from plasticity.checked import checked
from plasticity.errors import PlasticityError, WrongUse
from plasticity.files import refuse_large
from plasticity.sounds import read_wav

NAMED = re.compile(r"(?P<label>\d+)_(?P<speaker>.+)_(?P<index>\d+)\.wav", re.IGNORECASE)  # as in the Free Spoken Digit Dataset
OWN = re.compile(r"(?P<label>[^_]+)_(?P<speaker>.+)_(?P<index>\d+)\.wav", re.IGNORECASE)  # where no folder names the class
EXAMPLE = "DIR/CLASS/*.wav, or DIR/CLASS_SPEAKER_INDEX.wav such as 7_jackson_32.wav"


@checked
@dataclass(frozen=True, eq=False)
class Recordings:
    """Sounds, what is said in them, and by whom.

    Attributes
    ----------
    samples : tuple of (n,) arrays
        `plasticity.sounds.RATE` of them a second.
    labels, speakers : (recordings,) int64
        The class and the speaker of each; speaker -1 where nobody says who it is.
    names, voices : tuple of str
        What the classes and the speakers are called, in the order of their numbers.
    notes : tuple of str
        What was done to files: resampled, channels averaged.
    sha256 : dict
        Of recordings of somebody's own: SHA-256 of all.
    """

    samples: tuple[np.ndarray, ...]
    labels: np.ndarray
    speakers: np.ndarray
    names: tuple[str, ...]
    voices: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    sha256: Mapping[str, str] = field(default_factory=dict)


@checked
def recordings(members: Mapping[str, bytes]) -> Recordings:
    """The recordings in WAV files by name: CLASS_SPEAKER_INDEX.wav, or else in a folder with the name of their class.

    In a folder names may be SPEAKER_INDEX.wav; where one tells no speaker nobody says who speaks. Files that are copies of
    others, to the byte, are left out, and `notes` says how many.

    Raises
    ------
    WrongUse
        No file, fewer than two classes.
    PlasticityError
        What `read_wav` refuses.
    """
    if not members:
        raise WrongUse(f"there is no .wav file; give recordings as {EXAMPLE}.")
    different = dict[bytes, str]()  # of copies the first
    for name, content in members.items():
        different.setdefault(content, name)
    copies = len(members) - len(different)
    members = {name: content for content, name in different.items()}
    told = [_told(name) for name in members]
    names = tuple(sorted({label for label, _ in told}))
    voices = tuple(sorted({voice for _, voice in told if voice})) if all(voice for _, voice in told) else ()
    if len(names) < 2:
        raise WrongUse(f"all recordings are of the class {names[0]!r}, and a choice needs 2; give recordings as {EXAMPLE}.")
    samples, done = [], dict[str, int]()
    for name, content in members.items():
        sound = read_wav(content, name)
        samples.append(sound.samples)
        for each in sound.done:
            done[each] = done.get(each, 0) + 1
    labels = np.array([names.index(label) for label, _ in told], dtype=np.int64)
    speakers = np.array([voices.index(voice) if voices else -1 for _, voice in told], dtype=np.int64)
    notes = [f"{count} recordings: {each}" for each, count in done.items()]
    if copies:
        notes.append(f"{copies} recordings are copies of others and left out, so that none is in training and in the test")
    return Recordings(tuple(samples), labels, speakers, names, voices, tuple(notes))


def _told(name: str) -> tuple[str, str]:
    """Class and speaker of a file by its path; the speaker is empty where it is not told."""
    *folders, file = name.split("/")
    if known := NAMED.fullmatch(file):
        return known["label"], known["speaker"]
    if not folders and (known := OWN.fullmatch(file)):
        return known["label"], known["speaker"]
    if not folders:
        raise WrongUse(f"{name} tells no class; name recordings {EXAMPLE}.")
    speaker = re.fullmatch(r"(.+)_\d+\.wav", file, re.IGNORECASE)
    return folders[-1], speaker[1] if speaker else ""


@checked
def read_recordings(folder: str | os.PathLike[str]) -> Recordings:
    """Recordings of one's own: FOLDER/CLASS/*.wav, named SPEAKER_INDEX.wav where speakers are to be told apart, or
    FOLDER/CLASS_SPEAKER_INDEX.wav.

    Raises
    ------
    WrongUse
        No folder, no recordings in it, fewer than two classes.
    PlasticityError
        A file cannot be read, or what `plasticity.sounds.read_wav` refuses.
    """
    if not str(folder).strip():
        raise WrongUse(f"data=folder needs the folder of your recordings: --set folder=DIR, with {EXAMPLE}.")
    place = Path(folder).expanduser()
    if not place.is_dir():
        raise WrongUse(f"there is no folder {place}; give one with {EXAMPLE}.")
    found = sorted(path for path in place.rglob("*") if path.suffix.lower() == ".wav" and path.is_file())
    return _read(tuple((str(path), path.stat().st_mtime_ns, path.stat().st_size) for path in found), str(place))


@functools.lru_cache(maxsize=2)
def _read(found: tuple[tuple[str, int, int], ...], place: str) -> Recordings:
    members, whole = dict[str, bytes](), hashlib.sha256()
    for path, _, _ in found:
        name = Path(path).relative_to(place).as_posix()
        refuse_large(Path(path))
        try:
            members[name] = Path(path).read_bytes()
        except OSError as problem:
            raise PlasticityError(f"{path} cannot be read ({problem.strerror}); give another folder.") from None
        whole.update(f"{name}\0".encode() + hashlib.sha256(members[name]).digest())
    made = recordings(members)
    return Recordings(
        made.samples, made.labels, made.speakers, made.names, made.voices, made.notes, {"recordings": whole.hexdigest()}
    )
