"""The cache of compiled programs: whose it is, what is whole, how large it may grow; what is said where something fails."""

from __future__ import annotations

import dataclasses
import errno
import fcntl
import json
import os
import random
import re
import shutil
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from brian2 import Network, NeuronGroup, SpikeMonitor, ms

from plasticity.engine import Model, Program, cache
from plasticity.engine import programs as engine
from plasticity.errors import PlasticityError, WrongUse
from plasticity.networks.intrinsic import Intrinsic
from simulations.command_line import main

HOUR = 3600.0


def build(spec: str) -> Model:
    cells = NeuronGroup(2, "v : 1\nu : 1", threshold="v > 1", reset="v = 0", name="cells")
    spikes = SpikeMonitor(cells, name="spikes")
    return Model(Network(cells, spikes), 10 * ms, {"v": cells.v}, {"v": cells.v, "i": spikes.i})


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache that is not there yet, and a `make` that only pretends: it writes a program that fails, and counts."""
    make = tmp_path / "tools" / "make"
    make.parent.mkdir()
    make.write_text(
        f"#!/bin/sh\necho x >> {tmp_path}/made\nprintf '#!/bin/sh\\necho ours >&2; exit 7\\n' > main; chmod +x main\n"
    )
    make.chmod(0o755)
    monkeypatch.setenv("PATH", f"{make.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PLASTICITY_CACHE", str(tmp_path / "programs"))
    monkeypatch.delenv("PLASTICITY_CACHE_LIMIT", raising=False)
    monkeypatch.setattr(engine, "backend", lambda: "cpp_standalone")
    monkeypatch.setattr(engine, "compiler", lambda: "g++ of this test")
    return tmp_path / "programs"


def times_made(home: Path) -> int:
    return (home.parent / "made").read_text().count("x")


@pytest.fixture
def indexed(home: Path) -> Path:
    """The folder of a program that the index knows."""
    return folder_of(Intrinsic().program())


def folder_of(program: Program) -> Path:
    assert program.folder is not None
    return program.folder


def made_by_hand(home: Path, letter: str, size: int = 100, used: float = 0.0) -> Path:
    """A program in the cache, without compiling or generating anything."""
    work = home / "work"
    (work / "static_arrays").mkdir(parents=True)
    (work / "main").write_bytes(b"x" * size)
    (work / "main").chmod(0o777)
    (work / "static_arrays" / "weights").write_bytes(bytes(16))
    (work / "code.cpp").write_text("int main() {}")
    entry = {"file": "v_1", "dtype": "<f8", "shape": [2]}
    noted = {"duration": 1.0, "inputs": {"v": {"argument": "cells.v", "unit": "1"}}, "outputs": {"v": entry}, "compile_s": 3.5}
    cache.keep(work, home / (letter * 64), {**noted, "network": "Small"})
    cache.make(home)
    cache.note(home, "0" * 63 + letter, letter * 64)
    moment = time.time() - used
    for path in (home / (letter * 64) / "manifest.json", home / "index" / ("0" * 63 + letter)):
        os.utime(path, (moment, moment))
    return home / (letter * 64)


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """A whole program, alone in its cache."""
    cache.make(tmp_path / "programs")
    return made_by_hand(tmp_path / "programs", "a")


# What is whole


def test_a_program_is_kept_without_its_sources_and_for_its_user_alone(program: Path):
    files = sorted(path.relative_to(program).as_posix() for path in program.rglob("*"))
    assert files == ["main", "manifest.json", "static_arrays", "static_arrays/weights"]
    assert [path.stat().st_mode & 0o022 for path in program.rglob("*")] == [0] * 4
    noted = cache.manifest(program)
    assert noted is not None and noted["outputs"]["v"]["shape"] == [2] and cache.SEAL not in noted


def keys(value: Any, *above: Any) -> Iterator[tuple[Any, ...]]:
    for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield (*above, key)
        yield from keys(value[key], *above, key)


def changes(manifest: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every key and item removed, and of another type."""
    for *above, key in keys(manifest):
        for change in ("removed", None, 1, "<f4", [], {}):
            changed = json.loads(json.dumps(manifest))
            inner = changed
            for step in above:
                inner = inner[step]
            if change == "removed":
                del inner[key]
            elif inner[key] == change:
                continue
            else:
                inner[key] = change
            yield changed


def test_a_manifest_with_anything_missing_or_changed_is_none(program: Path):
    file = program / "manifest.json"
    text = file.read_text()
    changed = [*changes(json.loads(text)), [], None, 3, "text", {}]
    assert len(changed) > 80
    for value in changed:
        file.write_text(json.dumps(value))
        assert cache.manifest(program) is None, value
    file.write_text(json.dumps(json.loads(text), indent=1))
    assert cache.manifest(program) is not None


def test_random_damage_of_a_manifest_or_a_binary_is_noticed(program: Path):
    rng = random.Random(0)
    for name in ("manifest.json", "main", "static_arrays/weights"):
        file = program / name
        content = file.read_bytes()
        damaged = [content[:k] for k in range(0, len(content), 7)] + [content + b"x", b"[" * 100_000]
        for _ in range(200):
            place, byte = rng.randrange(len(content)), rng.randrange(256)
            damaged.append(content[:place] + bytes([byte]) + content[place + 1 :])
        expected = cache.manifest(program)
        for bad in damaged:
            file.write_bytes(bad)
            assert cache.manifest(program) in ((None, expected) if name == "manifest.json" else (None,)) or bad == content
        file.write_bytes(content)
        assert cache.manifest(program) == expected is not None


def damage(program: Path) -> Iterator[str]:
    """One kind of damage after the other, each undone."""
    main, weights = program / "main", program / "static_arrays" / "weights"
    for mode, name in ((0o600, "no run bit"), (0o777, "writable by others"), (0o775, "writable by a group")):
        main.chmod(mode)
        yield name
    main.chmod(0o700)
    for path in (main, weights, weights.parent, program / "manifest.json"):
        path.rename(program.parent / "away")
        yield f"{path.name} missing"
        path.symlink_to(program.parent / "away")
        yield f"{path.name} a link"
        path.unlink()
        os.mkfifo(path)
        yield f"{path.name} a pipe"
        path.unlink()
        (program.parent / "away").rename(path)
    (program / "more").write_text("")
    yield "a file too many"
    (program / "more").unlink()


def test_any_damage_to_the_files_of_a_program_is_noticed(program: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(cache, "_own", lambda group: False)
    for what in damage(program):
        assert cache.manifest(program) is None, what
    assert cache.manifest(program) is not None


def test_what_is_damaged_is_compiled_anew_and_runs_as_before(indexed: Path, home: Path):
    manifest = json.loads((indexed / "manifest.json").read_text())
    manifest["outputs"] = {name: {**entry, "dtype": "<f4"} for name, entry in manifest["outputs"].items()}
    before = Intrinsic().program().manifest
    assert times_made(home) == 1
    (indexed / "manifest.json").write_text(json.dumps(manifest))
    again = Intrinsic().program()
    assert times_made(home) == 2 and again.folder == indexed and again.manifest["outputs"] == before["outputs"]
    (indexed / "main").chmod(0o600)
    Intrinsic().program()
    assert times_made(home) == 3
    shutil.rmtree(indexed)
    indexed.write_text("a file in its place")
    assert Intrinsic().program().folder == indexed and times_made(home) == 4


# The index


@pytest.mark.parametrize(
    "entry", ["../x", "/tmp", "", ".", "index", "A" * 64, "a" * 63, "a" * 64 + "\n", "a" * 64 + "/main", "\0" * 64]
)
def test_an_entry_of_the_index_is_a_hash_and_nothing_else(program: Path, entry: str):
    home, name = program.parent, "1" * 64
    cache.note(home, name, program.name)
    assert cache.find(home, name) is not None
    (home / "index" / name).write_text(entry)
    assert cache.find(home, name) is None


def test_random_damage_of_an_entry_finds_nothing(program: Path):
    home, name, rng = program.parent, "0" * 63 + "a", random.Random(1)
    entry = home / "index" / name
    for _ in range(200):
        content = bytearray(b"a" * 64)
        content[rng.randrange(64)] = byte = rng.randrange(256)
        entry.write_bytes(content)
        assert (cache.find(home, name) is None) == (byte != ord("a"))
    entry.unlink()
    os.mkfifo(entry)
    assert cache.find(home, name) is None  # and does not wait


def test_the_program_of_an_entry_that_leads_outside_is_not_run(indexed: Path, home: Path):
    """A whole program in another folder, by a path in the index."""
    (entry,) = (home / "index").iterdir()
    outside = home.parent / "outside"
    indexed.rename(outside)
    entry.write_text("../outside")
    assert folder_of(Intrinsic().program()) == indexed and times_made(home) == 2 and entry.read_text() == indexed.name


# Whose it is


def test_a_cache_is_made_for_its_user_alone_whatever_the_umask(home: Path):
    before = os.umask(0)
    try:
        folder = folder_of(Intrinsic().program())
    finally:
        os.umask(before)
    assert [path.stat().st_mode & 0o777 for path in (home, home / "index", folder)] == [0o700] * 3
    assert len(list((home / "index").iterdir())) == 1
    assert all(not path.stat().st_mode & 0o022 for path in home.rglob("*"))
    assert cache.find(home, next((home / "index").iterdir()).name) is not None


@pytest.mark.parametrize("mode", [0o777, 0o1777, 0o775, 0o702])
@pytest.mark.parametrize("place", ["", "index", "program"])
def test_what_others_may_write_to_is_refused_with_what_to_type(indexed: Path, home: Path, mode: int, place: str, monkeypatch):
    monkeypatch.setattr(cache, "_own", lambda group: False)
    path = indexed if place == "program" else home / place
    before = stat.S_IMODE(path.stat().st_mode)
    path.chmod(mode)
    with pytest.raises(PlasticityError, match="others may write to .*; type chmod -R go-w .*programs, or set PLASTICITY_CACHE"):
        Intrinsic().program()
    path.chmod(before)
    assert Intrinsic().program().folder == indexed and times_made(home) == 1


def test_a_group_of_the_user_alone_may_write(indexed: Path, home: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(cache, "_own", lambda group: group == home.stat().st_gid)
    for path in (home, home / "index", indexed):
        path.chmod(0o775)
    assert Intrinsic().program().folder == indexed and times_made(home) == 1


@pytest.mark.parametrize(
    ("name", "members", "own"), [("ada", [], True), ("ada", ["ada"], True), ("ada", ["eve"], False), ("staff", [], False)]
)
def test_a_group_of_the_users_name_with_nobody_else_in_it_is_his_own(name, members, own, monkeypatch):
    cache._own.cache_clear()
    user, group = dataclasses.make_dataclass("U", ["pw_name"])("ada"), dataclasses.make_dataclass("G", ["gr_name", "gr_mem"])
    monkeypatch.setattr(cache.pwd, "getpwuid", lambda number: user)
    monkeypatch.setattr(cache.grp, "getgrgid", lambda number: group(name, members))
    assert cache._own(7) is own
    cache._own.cache_clear()


def test_what_belongs_to_another_user_is_refused_and_what_belongs_to_root_is_not(indexed: Path, home: Path, monkeypatch):
    real = os.getuid()
    monkeypatch.setattr(os, "geteuid", lambda: real + 1)
    if real == 0:
        assert Intrinsic().program().folder == indexed  # as in an image with programs that root compiled
        for path in (home, home / "index", indexed):
            os.chown(path, 12345, -1)
            with pytest.raises(PlasticityError, match="belongs to another user.*; set PLASTICITY_CACHE to a folder of your own"):
                Intrinsic().program()
            os.chown(path, 0, -1)
    else:
        with pytest.raises(PlasticityError, match="belongs to another user.*; set PLASTICITY_CACHE to a folder of your own"):
            Intrinsic().program()


@pytest.mark.parametrize("what", ["index", "program"])
def test_a_link_in_the_cache_is_refused(indexed: Path, home: Path, what: str):
    path = home / "index" if what == "index" else indexed
    path.rename(home.parent / "elsewhere")
    path.symlink_to(home.parent / "elsewhere")
    with pytest.raises(PlasticityError, match=f"{path} is a link, no folder of compiled programs; remove it, or set"):
        Intrinsic().program()


def test_the_cache_itself_may_be_a_link_to_a_folder_of_ones_own(indexed: Path, home: Path):
    home.rename(home.parent / "on another disk")
    home.symlink_to(home.parent / "on another disk")
    assert Intrinsic().program().folder == indexed and times_made(home) == 1


def test_a_program_that_travels_is_found_in_a_cache_of_ones_own_alone(indexed: Path, home: Path, monkeypatch):
    monkeypatch.setattr(cache, "_own", lambda group: False)
    how, arguments = Intrinsic().program().__reduce__()[:2]
    assert how(*arguments).folder == indexed and times_made(home) == 1
    home.chmod(0o777)
    with pytest.raises(PlasticityError, match="others may write"):
        how(*arguments)


# How much there is


@pytest.mark.parametrize(
    ("text", "size"),
    [("5GB", 5 * 10**9), ("500 MB", 5 * 10**8), ("2GiB", 2**31), ("1.5g", 15 * 10**8), ("0", 0), ("7 kb", 7000), ("1TB", 10**12)],
)
def test_a_size_is_a_number_and_a_unit(text: str, size: int):
    assert cache.size(text) == size


@pytest.mark.parametrize("text", ["5", "much", "-1GB", "GB", "1e3MB", "nan GB", "5 G B"])
def test_what_is_no_size_is_refused(text: str, home: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PLASTICITY_CACHE_LIMIT", text)
    with pytest.raises(WrongUse, match=f"PLASTICITY_CACHE_LIMIT={text} is no size; write a number and a unit, such as 5GB"):
        engine.program(build, "")
    assert not home.exists()


@pytest.fixture
def four(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache with four programs of 10 kB, used one to four hours ago, one now, and with what is not ours."""
    home = tmp_path / "programs"
    monkeypatch.setenv("PLASTICITY_CACHE", str(home))
    cache.make(home)
    for hours, letter in ((3, "c"), (1.1, "a"), (4, "d"), (2, "b"), (0, "e")):
        made_by_hand(home, letter, 10_000, hours * HOUR)
    (home / "notes.txt").write_text("mine")
    (home / "thesis" / "a").mkdir(parents=True)
    (home / ("f" * 64)).write_text("mine")
    (home / "index" / "mine").write_text("mine")
    for path in (home / "notes.txt", home / "thesis", home / ("f" * 64), home / "index" / "mine"):
        os.utime(path, (0, 0))
    return home


def letters(home: Path) -> str:
    return "".join(sorted(path.name[0] for path in home.iterdir() if path.is_dir() and len(path.name) == 64))


def test_what_was_unused_longest_goes_first_and_nothing_that_is_not_ours(four: Path):
    assert "".join(one.path.name[0] for one in cache.kept(four)) == "dcbae"
    gone = cache.shrink(four, 35_000)
    assert letters(four) == "abe" and [one.path.name[0] for one in gone] == ["d", "c"]
    assert sorted(path.name[-1] for path in (four / "index").iterdir() if len(path.name) == 64) == ["a", "b", "e"]
    assert cache.shrink(four, 35_000) == []
    cache.shrink(four, 0)
    assert letters(four) == "e"  # used within an hour
    assert (four / "notes.txt").read_text() == (four / ("f" * 64)).read_text() == (four / "index" / "mine").read_text() == "mine"
    assert (four / "thesis" / "a").is_dir() and not list(four.glob(".building-*"))


def test_a_program_that_runs_is_not_deleted(four: Path):
    with open(four / ("d" * 64) / "main", "rb") as file:
        fcntl.flock(file, fcntl.LOCK_SH)  # as of a run in another process
        cache.shrink(four, 0)
        assert letters(four) == "de"
    cache.shrink(four, 0)
    assert letters(four) == "e"
    with cache.used(made_by_hand(four, "a", 10, 5 * HOUR)):
        cache.shrink(four, 0)
    assert letters(four) == "ae"


def test_a_use_is_noted(four: Path):
    for use in (lambda: cache.find(four, "0" * 63 + "d"), lambda: cache.manifest(four / ("c" * 64))):
        assert use() is not None
    assert "".join(one.path.name[0] for one in cache.kept(four))[:2] == "ba"


def test_after_a_compilation_the_cache_is_no_larger_than_its_limit(home: Path, monkeypatch: pytest.MonkeyPatch):
    cache.make(home)
    for letter in "abc":
        made_by_hand(home, letter, 10_000, 2 * HOUR)
    shutil.rmtree(folder_of(engine.program(build, "")))
    assert len(cache.kept(home)) == 3  # 5 GB are enough
    monkeypatch.setenv("PLASTICITY_CACHE_LIMIT", "15kB")
    made = folder_of(engine.program(build, ""))
    assert len(cache.kept(home)) == 2 and made.is_dir()


def test_an_environment_of_another_simulator_counts_and_can_go(four: Path):
    (four / "peers" / "nest").mkdir(parents=True)
    (four / "peers" / "nest" / "installed").write_text("x" * 30_000)
    assert any(one.what == "environment of nest" and one.bytes == 30_000 for one in cache.kept(four))
    cache.shrink(four, 0)
    assert (four / "peers" / "nest").is_dir()
    os.utime(four / "peers" / "nest" / "installed", (0, 0))
    cache.shrink(four, 0)
    assert not (four / "peers" / "nest").exists()


def test_leftovers_of_earlier_versions_go_and_what_is_locked_stays(four: Path):
    index, name = four / "index", "9" * 64
    for path in (index / f"{name}.lock", index / f"{name}.123", index / f"{'8' * 64}.lock"):
        path.write_text("")
        os.utime(path, (0, 0))
    (index / f"{name}.456").write_text("")  # just now
    (four / ".building-abcdefgh" / "code_objects").mkdir(parents=True)
    os.utime(four / ".building-abcdefgh", (0, 0))
    (four / ".building-ijklmnop").mkdir()
    with open(index / f"{'8' * 64}.lock") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        cache.shrink(four, 10**9)
    left = {path.name for path in index.iterdir() if not cache._KEY.fullmatch(path.name)}
    assert left == {f"{name}.456", f"{'8' * 64}.lock", "mine"}
    assert [path.name for path in four.glob(".building-*")] == [".building-ijklmnop"]


def told(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(["cache", *words])
    out, err = capsys.readouterr()
    return int(ended.value.code or 0), out, err


def test_the_command_lists_and_cleans(four: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    status, out, _ = told(capsys, "--json")
    listed = json.loads(out)
    assert status == 0 and len(listed["kept"]) == 5 and listed["limit"] == 5 * 10**9 and listed["folder"] == str(four)
    assert listed["bytes"] == sum(one["bytes"] for one in listed["kept"]) > 50_000 and listed["deleted"] == []
    status, out, _ = told(capsys)
    assert status == 0 and "Small" in out and "5 kept, 0.1 MB of at most 5000 MB" in out and "deleted" not in out
    assert re.search(r"e{12}.*\n.*a{12}", out)  # the last one first
    status, out, _ = told(capsys, "--limit", "25kB", "--json")
    assert status == 0 and len(json.loads(out)["deleted"]) == 3 and letters(four) == "ae"
    status, out, _ = told(capsys, "--clean")
    assert status == 0 and letters(four) == "e" and "deleted: 1, 0.0 MB" in out
    status, out, _ = told(capsys, "--clean")
    assert status == 0 and "deleted: 0, 0.0 MB; what stays is in use, or was within the last 60 minutes" in out


@pytest.mark.parametrize(
    ("words", "limit", "sentence"),
    [
        (["--limit", "lots"], "", "--limit=lots is no size"),
        (["--clean", "--limit", "1GB"], "", "give one of the two"),
        ([], "5", "PLASTICITY_CACHE_LIMIT=5 is no size"),
    ],
)
def test_a_wrong_size_is_wrong_use(words, limit, sentence, four: Path, capsys, monkeypatch):
    monkeypatch.setenv("PLASTICITY_CACHE_LIMIT", limit)
    status, out, err = told(capsys, *words)
    assert status == 2 and sentence in err and out == "" and letters(four) == "abcde"


def test_the_command_refuses_a_cache_of_others_and_lists_nothing_where_there_is_none(four: Path, capsys, monkeypatch):
    monkeypatch.setattr(cache, "_own", lambda group: False)
    four.chmod(0o777)
    status, _, err = told(capsys, "--clean")
    assert status == 1 and "chmod -R go-w" in err and letters(four) == "abcde"
    monkeypatch.setenv("PLASTICITY_CACHE", str(four / "not there"))
    for words in ([], ["--clean"]):
        status, out, _ = told(capsys, *words)
        assert status == 0 and "0 kept" in out and not (four / "not there").exists()


# What is said


SAID = {
    "as.s:12: No space left on device": "there is no room; type plasticity cache --clean, or set PLASTICITY_CACHE .* with room",
    "g++: fatal error: Killed signal terminated program cc1plus": "for lack of memory; give the same command again when more",
    "cc1plus: out of memory allocating 65536 bytes": "for lack of memory",
    "main.cpp: error: expected ';'": "compiling build failed: main.cpp: error: expected ';'$",
}


@pytest.mark.parametrize("told", SAID)
def test_why_a_compilation_failed_is_said(told: str, home: Path):
    (home.parent / "tools" / "make").write_text(f'#!/bin/sh\necho "{told}" >&2; exit 2\n')
    with pytest.raises(PlasticityError, match=SAID[told]):
        engine.program(build, "")
    assert [path.name for path in home.iterdir()] == ["index"] and list((home / "index").iterdir()) == []


def test_a_compiler_that_cannot_be_started_is_said(home: Path, monkeypatch: pytest.MonkeyPatch):
    def fails(*_: Any, **__: Any) -> None:
        raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    monkeypatch.setattr(engine, "_cxx", lambda: (["g++"], "g++ of this test"))
    monkeypatch.setattr(engine.subprocess, "run", fails)
    with pytest.raises(PlasticityError, match="cannot start make: Resource temporarily unavailable; run fewer at a time"):
        engine.program(build, "")


def test_a_compiler_of_another_machine_is_none(home: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CXX", str(home.parent / "g++"))
    monkeypatch.setenv("PATH", str(home.parent / "tools"))
    (home.parent / "g++").write_bytes(b"\x7fELF of another machine")
    (home.parent / "g++").chmod(0o700)
    assert engine._cxx() == ([], "")


def test_where_a_disk_has_no_locks_the_program_of_the_faster_process_is_taken(program: Path, monkeypatch: pytest.MonkeyPatch):
    noted = cache.manifest(program)
    (program.parent / "other").mkdir()
    (program.parent / "other" / "main").write_text("x")
    monkeypatch.setattr(shutil, "rmtree", lambda *_, **__: None)  # the other one puts it there again at once
    assert cache.keep(program.parent / "other", program, {"duration": 2.0}) == noted
    (program / "main").unlink()
    with pytest.raises(OSError, match="not empty"):
        cache.keep(program.parent / "other", program, {"duration": 2.0})


def test_a_disk_that_is_full_is_not_said_of_another_failure(home: Path, monkeypatch: pytest.MonkeyPatch):
    def fails(code: int) -> Any:
        def keep(*_: Any) -> None:
            raise OSError(code, os.strerror(code))

        return keep

    monkeypatch.setattr(cache, "keep", fails(errno.ENOSPC))
    with pytest.raises(PlasticityError, match="No space left.*; set PLASTICITY_CACHE to a folder with room, or type plast"):
        engine.program(build, "")
    monkeypatch.setattr(cache, "keep", fails(errno.EACCES))
    with pytest.raises(PlasticityError, match="Permission denied; set PLASTICITY_CACHE to another folder"):
        engine.program(build, "")


def test_a_file_that_the_builder_cannot_read_is_no_matter_of_the_cache(home: Path):
    def reads(spec: str) -> Model:
        raise FileNotFoundError(errno.ENOENT, "No such file or directory", "my_weights.npy")

    with pytest.raises(PlasticityError, match="reads does not build: .*my_weights.npy") as caught:
        engine.program(reads, "")
    assert "PLASTICITY_CACHE" not in str(caught.value)


OUTPUTS = {"v": {"file": "v_1", "dtype": "<f8", "shape": [2]}, "i": {"file": "i_2", "dtype": "<i4", "shape": [-1]}}
FILES = "head -c 16 /dev/zero > $2/v_1; head -c 8 /dev/zero > $2/i_2; echo 2 > $2/i_2.length; "
RUNS = {
    "kill -KILL $$": "ended with signal SIGKILL, perhaps for lack of memory; run fewer at a time, with --jobs 1",
    "echo \"terminate called after throwing 'std::bad_alloc'\" >&2; kill -ABRT $$": "signal SIGABRT, it says for lack of memory",
    "exit 3": "ended with status 3\\.",
    "true": "ended well, but its output 'v' is not in .*; something else seems to delete files there",
    FILES + "rm $2/i_2.length": "ended well, but its output 'i' is not in",
    FILES + ": > $2/i_2.length": "only 2 values of 'i' are there; set TMPDIR to a folder with room",
    FILES + "echo 3 > $2/i_2.length": "only 2 values of 'i' are there; set TMPDIR to a folder with room",
    FILES + "echo two > $2/i_2.length": "only 2 values of 'i' are there; set TMPDIR",
    FILES + "head -c 9 /dev/zero > $2/v_1": "only 1 values of 'v' are there; set TMPDIR",
}


def scripted(folder: Path, script: str) -> Program:
    folder.mkdir()
    (folder / "main").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "main").chmod(0o700)
    return Program(build, "", folder, {"duration": 1.0, "inputs": {}, "outputs": OUTPUTS})


@pytest.mark.parametrize("script", RUNS)
def test_why_a_run_failed_is_said(script: str, tmp_path: Path):
    with pytest.raises(PlasticityError, match=RUNS[script]):
        scripted(tmp_path / "program", script).run(1)
    assert scripted(tmp_path / "whole", FILES).run(1)["i"].tolist() == [0, 0]


def test_where_the_disk_is_full_a_missing_output_is_a_matter_of_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    of = os.statvfs(tmp_path)
    fields = [getattr(of, f"f_{name}") for name in "bsize frsize blocks bfree bavail files ffree favail flag namemax".split()]
    fields[4] = 0
    monkeypatch.setattr(os, "statvfs", lambda path: os.statvfs_result(fields))
    with pytest.raises(PlasticityError, match="cannot write run files in .*No space left.*; set TMPDIR to a folder with room"):
        scripted(tmp_path / "program", "true").run(1)


def test_what_cannot_be_started_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    program = scripted(tmp_path / "program", "true")
    (tmp_path / "program" / "main").write_bytes(b"\x7fELF damaged")
    with pytest.raises(PlasticityError, match="cannot start .*main: Exec format error; give the same command again, which"):
        program.run(1)

    def fails(*_: Any, **__: Any) -> None:
        raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    monkeypatch.setattr(engine.subprocess, "Popen", fails)
    with pytest.raises(PlasticityError, match="Resource temporarily unavailable; run fewer at a time, with --jobs 1"):
        program.run(1)


def test_an_error_of_what_takes_the_progress_is_no_matter_of_run_files(tmp_path: Path):
    def full(fraction: float) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match="No space left on device"):
        scripted(tmp_path / "program", "echo 0.5; " + FILES).run(1, progress=full)
