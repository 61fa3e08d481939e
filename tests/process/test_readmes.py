"""Every line that a README tells to type, and every block of code in it, is run; what would take long is run small, or read only.

Quick tests read every command to the point where work would begin: names, settings, values, options, files. Those marked `full`
run them, with small settings. `PARSED` are the commands that are read only.
"""

from __future__ import annotations

import contextlib
import importlib
import itertools
import os
import re
import shlex
import shutil
import struct
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.io import wavfile

from bridges.learners import resolve
from plasticity import datasets, extensions
from plasticity.settings import check
from simulations.command_line import main
from simulations.frame import results, tables

TOP = Path(__file__).resolve().parents[2]
PAGES = ("README.md", "plasticity/README.md", "bridges/README.md", "simulations/README.md")
STANDS_FOR = {"RULE": "oja", "TASK": "digits", "DIR": "results/cued_digits", "results/NAME": "results/cued_digits"}
NAME = {"run": "stdp_window"}  # what NAME stands for behind a command; else a rule
OWN = ("my_things.py", "my_file.py", "my_models.py")


def blocks(page: str, language: str) -> list[str]:
    """The blocks of code of a page."""
    return [text for kind, text in re.findall(r"^```(\w*)\n(.*?)^```", (TOP / page).read_text(), re.M | re.S) if kind == language]


def lines() -> list[str]:
    """What is to be typed, without the folder of the environment; one that is shown twice is there once."""
    found = []
    for page in PAGES:
        found += [line for block in blocks(page, "") for line in block.splitlines()]
        prose = re.sub(r"^```.*?^```", "", (TOP / page).read_text(), flags=re.M | re.S)
        found += [" ".join(code.split()) for code in re.findall(r"`([^`]+)`", prose)]
    words = [shlex.join(shlex.split(line, comments=True)).removeprefix(".venv/bin/") for line in found if _typed(line)]
    return list(dict.fromkeys(words))


def _typed(line: str) -> bool:
    return bool(re.match(r"(\.venv/bin/)?(plasticity (-|[a-z])|python3? |pip |make [a-z]|dask |apt )", line))


def filled(line: str) -> list[str]:
    """The words of a command, with a name for each word in capitals; `cite` alone is the command, not a line."""
    words = shlex.split(line)
    if (len(words) == 2 and words[1] == "cite") or words[1:] == ["-m", "simulations"]:
        return [*words, "--help"]
    return [STANDS_FOR.get(word, NAME.get(words[1], "pair_stdp") if word == "NAME" else word) for word in words]


OURS = [line for line in lines() if line.startswith(("plasticity ", "python simulations/", "python -m simulations"))]
OTHERS = [line for line in lines() if line not in OURS]
DEFINES = re.compile(r"^(class (?!OneNeuron)|anti_hebb =|turnover =|iris =)", re.MULTILINE)
DEFINITIONS = [
    block for page in PAGES[1:3] for block in blocks(page, "python") if DEFINES.search(block) and "compare(" not in block
]
EXPERIMENT = next(block for block in blocks("simulations/README.md", "python") if "class ChancePairs" in block)


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with the results that the pages name, and the files of one's own that they describe."""
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "reference").symlink_to(TOP / "results" / "reference")
    for name in ("cued_digits", "example"):
        shutil.copytree(TOP / "results" / "reference" / "cued_digits", tmp_path / "results" / name)
    rows = [f"{k},2026-01-0{k % 5 + 1},{k % 9},{k % 7},{'ab'[k % 2]}" for k in range(60)]
    (tmp_path / "my.csv").write_text("\n".join(["id,date,width,height,label", *rows]))
    bought = [f"u{k // 5},item {(k * k) % 7},{k}" for k in range(100)]
    (tmp_path / "my_items.csv").write_text("\n".join(["user,item,time", *bought]))
    scans = datasets.DATASETS["digits"]()
    (tmp_path / "my_images").mkdir()
    for name, values in (("images-idx3", scans.pixels[:500].reshape(-1, 8, 8)), ("labels-idx1", scans.labels[:500])):
        head = struct.pack(f">HBB{values.ndim}I", 0, 8, values.ndim, *values.shape)  # as MNIST's files begin
        (tmp_path / "my_images" / f"train-{name}-ubyte").write_bytes(head + values.astype(np.uint8).tobytes())
    for name in ("my_texts", "DIR"):
        for k in range(60):
            text = tmp_path / name / ("red", "blue", "green")[k % 3] / f"{k}.txt"
            text.parent.mkdir(parents=True, exist_ok=True)
            text.write_text(" ".join(f"word{j}" for j in (k % 3, 3 + k % 7, 10 + k)))
    (tmp_path / "my_recordings").mkdir()
    for k in range(100):
        tone = np.sin(np.arange(4000) * (0.1 + 0.2 * (k % 2) + 0.001 * k)) * 10_000
        wavfile.write(tmp_path / "my_recordings" / f"{k % 2}_{'ab'[k // 2 % 2]}_{k}.wav", 8000, tone.astype(np.int16))
    things = [block for block in DEFINITIONS if "torch" not in block]
    (tmp_path / "my_things.py").write_text("\n".join(things))
    (tmp_path / "my_models.py").write_text("\n".join(block for block in DEFINITIONS if "torch" in block))
    (tmp_path / "my_file.py").write_text(EXPERIMENT)
    (tmp_path / "simulations").symlink_to(TOP / "simulations")
    monkeypatch.chdir(tmp_path)
    return tmp_path


class Begins(Exception):
    """Everything was read, and work would begin."""


def test_the_pages_tell_to_type_what_they_should():
    assert len(OURS) > 40 and len(DEFINITIONS) == 7
    assert "plasticity sweep exponential_output --grid eta=0.5,1,2 --seeds 3" in OURS and "plasticity cite triplet_stdp" in OURS


def understood(line: str) -> Any:
    """A line that draws figures takes seconds."""
    return pytest.param(line, marks=pytest.mark.full) if line.startswith("plasticity plot") else line


@pytest.mark.parametrize("line", [understood(line) for line in OURS if not any(own in line for own in OWN)])
def test_every_line_is_understood(place, monkeypatch, capsys, line):
    words = filled(line)
    begun: list[str] = []

    def begins(*_, **__):
        begun.append(line)
        raise KeyboardInterrupt

    def compare(learners, task, *, seeds, settings, **_):
        assert resolve(learners, settings, task) and seeds
        begins()

    def ablate(learner, task, *, seeds, settings, only, **_):
        (made,) = resolve([learner], settings, task)
        assert seeds and {*only} <= {*made.estimator.ablations()}
        begins()

    def execute(experiment, *_):
        check(experiment)
        experiment.refuse()
        begins()

    def sweep(kind, grid, seeds, chosen, *_):
        for values in itertools.product(*grid.values()):
            kind.configure({**chosen, **dict(zip(grid, values, strict=True))}).refuse()
        assert seeds
        begins()

    monkeypatch.setattr("bridges.comparison.compare", compare)
    monkeypatch.setattr("plasticity.records.refuse_taken", lambda *_: None)  # they lie there for what draws them
    monkeypatch.setattr("bridges.comparison.ablate", ablate)
    monkeypatch.setattr(
        "bridges.comparison.budget.budgeted", lambda asked, learners, task, **given: compare(learners, task, **given)
    )
    monkeypatch.setattr("simulations.frame.execute.execute", execute)
    monkeypatch.setattr("simulations.frame.sweep.sweep", sweep)
    monkeypatch.setattr("plasticity.parallel.cluster", lambda address: contextlib.nullcontext())
    monkeypatch.setattr(datasets, "fetch", datasets.status)
    monkeypatch.setattr(tables, "check", lambda top: [])
    monkeypatch.setattr(tables, "checkout", lambda: TOP)
    monkeypatch.setattr(results.Result, "draw", lambda *_: [])
    monkeypatch.setattr(results.Result, "page", lambda *_: "")
    if words[:2] == ["python", "-m"]:
        words = ["plasticity", "--help"]
    if words[0] == "python":
        assert (TOP / words[1]).is_file()
        words = ["plasticity", "run", Path(words[1]).stem, *words[2:]]
    with pytest.raises(SystemExit) as ended:
        main(words[1:])
    told = capsys.readouterr()
    works = words[1] in ("compare", "ablate", "run", "sweep", "bench", "reproduce")
    assert bool(begun) == works and (ended.value.code or 0) == (130 if works else 0), told.err


@pytest.mark.parametrize("line", OTHERS)
def test_what_is_typed_of_other_programs_is_there(line):
    words = shlex.split(line)
    project = tomllib.loads((TOP / "pyproject.toml").read_text())["project"]
    if words[0] == "make":
        done = subprocess.run(["make", "-n", *words[1:]], cwd=TOP, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
    elif words[:2] == ["pip", "install"]:
        extras = [name for entry in project["optional-dependencies"].values() for name in entry]
        named = {re.split(r"[\[<>=]", name)[0] for name in [*extras, *project["dependencies"]]} | {"dask", "jupyterlab"}
        if words[2] == "-e":
            assert re.fullmatch(r"\.\[(\w+)\]", words[3])[1] in project["optional-dependencies"]
        else:
            assert words[2:] and set(words[2:]) <= named - {project["name"]}
    elif words[0] == "dask":
        pytest.importorskip("distributed", reason="the extra [cluster] is not installed")
        dask = [sys.executable, "-m", "dask", words[1], "--help"]
        done = subprocess.run(dask, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0 and all(word in done.stdout for word in words if word.startswith("--")), done.stderr
    else:
        assert words[:3] in (["python3", "-m", "venv"], ["python", "-m", "pytest"]) or words[0] == "apt"


def test_what_the_pages_define_can_be_added(place, monkeypatch):
    monkeypatch.setattr(sys, "path", [str(place), *sys.path])
    for name in ("my_things", "my_models", "my_file"):
        monkeypatch.delitem(sys.modules, name, raising=False)
        module = importlib.import_module(name)
        assert any(extensions._is_own(value, module) for value in vars(module).values())
        monkeypatch.delitem(sys.modules, name)


# Run as they are typed, with small settings


TINY = ["--seeds", "1", "--jobs", "1", *(f"--set={size}" for size in ("train=40", "validation=20", "test=30"))]
OF_TASK = {task: (*TINY[:4], "--set=train=60") for task in ("film_reviews", "news", "spoken_digits")}
OF_TASK |= {"copy_sequence": TINY[:4], "table": TINY[:4], "next_item": (*TINY[:4], "--set=train=60", "--set=asked=30")}
SHORT = {"torch": "--set=torch.epochs=1", "diehl_cook": "--set=diehl_cook.passes=1"}
SMALL = {  # of an experiment, what makes it short
    "attention_gain": ["--seeds", "1", "--set=duration_s=20"],
    "attention_map": [
        "--seeds",
        "2",
        "--set=rules=soft_bounds",
        "--set=gains=1,2",
        "--set=fluctuations=1,2",
        "--set=duration_s=10",
    ],
    "homeostasis": ["--seeds", "1", "--set=adapt_s=10"],
    "exponential_output": ["--seeds", "1"],
    "cued_digits": ["--seeds", "1", "--set=validation=20", "--set=test=30", "--set=torch.epochs=1"],
    "chance_pairs": [],
    "stdp_window": [],
    "time_steps": ["--seeds", "2", "--set=experiments=stdp_window"],
    "identities": [],
}
PARSED = {  # command: why it is read only
    "bench": "measures for minutes, and installs other programs",
    "reproduce": "every experiment as published: an hour",
    "hebbian_attention": "trains models for minutes",
    "credit_assignment": "a quarter of an hour",
    "worked_examples": "minutes",
    "digits_unsupervised": "minutes for each seed on MNIST",
    "data=mnist": "35 minutes",
    "associative_recall": "trains many models",
    "film_reviews --set train=0": "reads 11,000 texts",
}


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(TOP), "OMP_NUM_THREADS": "1"}


def once(program: list[str]) -> list[str]:
    """The words of a command, of an option that is there twice the later one: what makes it small replaces what was typed."""
    kept: dict[str, list[str]] = {}
    words = iter(program)
    for number, word in enumerate(words):
        if word == "--set" or word.startswith("--set="):
            value = next(words) if word == "--set" else word.removeprefix("--set=")
            kept[f"--set {value.partition('=')[0]}"] = ["--set", value]
        elif word in ("--seeds", "--jobs", "--out", "--only"):
            kept[word] = [word, next(words)]
        else:
            kept[f"word {number}"] = [word]
    return [word for part in kept.values() for word in part]


def ended(words: list[str]) -> int:
    """The exit status of a command. What defines nothing new is run in this process, in which everything is imported already."""
    if words[0] != "plasticity" or "--with" in words:
        begin = [sys.executable, "-m", "simulations"] if words[0] == "plasticity" else [sys.executable]
        return subprocess.run([*begin, *words[1:]], env=_environment(), timeout=400).returncode
    with pytest.raises(SystemExit) as end:
        main(words[1:])
    return end.value.code or 0


@pytest.mark.full
@pytest.mark.parametrize("line", [line for line in OURS if not any(word in line for word in PARSED)])
def test_every_line_can_be_typed(place, line, monkeypatch, capfd):
    words = filled(line)
    if words[1] == "compare":
        sides = words[words.index("--learners") + 1] if "--learners" in words else "torch"
        added = [*OF_TASK.get(words[2], TINY)]
        added += [SHORT["torch"]] * bool(re.search("torch|attention|mlp", sides) and "copy_sequence" not in words)
        added += [SHORT["diehl_cook"], "--set=train=300"] * (words[2:] == ["digits"])
        places = ("trials=20,40", "hidden=4,8", "neurons=1,2")
        words += added + [f"--set=budget.{place}" for place in places] * ("--budget" in words)
    elif words[1] == "ablate":
        words += [*TINY, "--only", "order_reversed"]
    elif words[1] in ("run", "sweep"):
        words += [*SMALL[words[2]], "--jobs", "1"]
    writes = words[1] in ("compare", "ablate", "run", "sweep")
    if writes:
        words += ["--out", "results/small"]
    if words[1:3] == ["data", "--fetch"] and datasets.status("mnist").state != "present":
        pytest.skip("`plasticity data --fetch` would download MNIST; with PLASTICITY_DATA, where it is present, the line is run")
    monkeypatch.chdir(TOP if words[1:2] == ["tables"] else place)
    assert ended(once(words)) == 0, capfd.readouterr().err[-2000:]
    if writes:
        assert (place / "results" / "small" / "report.html").is_file()


ELSEWHERE = "results/example"  # in the block that tests/contracts/test_house.py runs
SCRIPTS = [block for page in PAGES for block in blocks(page, "python") if block not in (*DEFINITIONS, EXPERIMENT)]
SCRIPTS = [block for block in SCRIPTS if ELSEWHERE not in block]


@pytest.mark.full
@pytest.mark.parametrize("block", SCRIPTS, ids=lambda block: f"{block.count(chr(10))} lines")
def test_every_block_of_code_runs(place, block):
    (place / "block_of_a_page.py").write_text(block)
    command = [sys.executable, "block_of_a_page.py"]
    done = subprocess.run(command, cwd=place, env=_environment(), capture_output=True, text=True, timeout=600)
    assert done.returncode == 0 and (done.stdout or "assert " in block), done.stderr[-2000:]
