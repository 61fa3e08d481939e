"""The shell around the program: any environment, what a name costs, versions, the wheel."""

from __future__ import annotations

import json
import os
import re
import resource
import shutil
import subprocess
import sys
import tomllib
import venv
from pathlib import Path

import pytest

import plasticity
from plasticity import extensions
from plasticity.references import bibtex, entries
from simulations.command_line import described as telling
from simulations.command_line import index, main
from simulations.command_line.listing import named
from simulations.command_line.program import print_json
from simulations.frame import terminal

TOP = Path(__file__).resolve().parents[2]
REFERENCE = TOP / "results" / "reference"
PROJECT = tomllib.loads((TOP / "pyproject.toml").read_text())


def program(*words: object, cwd: Path = TOP, without: tuple[str, ...] = (), encoding: str = "utf-8", **variables: str):
    """The program in a process of its own, with these variables of the environment."""
    kept = {name: value for name, value in os.environ.items() if name not in without}
    environment = {**kept, "PYTHONPATH": str(TOP), "OMP_NUM_THREADS": "1", **variables}
    command = [sys.executable, "-m", "simulations", *map(str, words)]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, encoding=encoding, timeout=300)


def told(capsys, *words: object) -> tuple[int, str, str]:
    """The program in this process."""
    with pytest.raises(SystemExit) as ended:
        main([str(word) for word in words])
    return ended.value.code or 0, *capsys.readouterr()


# The environment


@pytest.mark.parametrize("backend", ["module://matplotlib_inline.backend_inline", "module://no.such", "TkAgg", "nonsense"])
def test_a_plotting_backend_of_the_environment_changes_nothing(backend):
    done = program("list", "rules", MPLBACKEND=backend)
    assert done.returncode == 0 and "pair_stdp" in done.stdout and done.stderr == ""


@pytest.mark.full
@pytest.mark.parametrize("backend", ["module://matplotlib_inline.backend_inline", "module://no.such", "TkAgg", "nonsense"])
def test_a_backend_that_does_not_exist_is_forgotten_in_python_too(backend):
    code = "import os, plasticity as pl; print(pl.rules.pair_stdp.name, os.environ.get('MPLBACKEND'))"
    environment = {**os.environ, "PYTHONPATH": str(TOP), "MPLBACKEND": backend}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=120)
    kept = None if backend == "nonsense" else backend  # one that works in a notebook stays its own
    assert done.returncode == 0 and done.stdout == f"pair_stdp {kept}\n", done.stderr


@pytest.mark.full
@pytest.mark.parametrize("backend", ["module://no.such", "TkAgg", "nonsense"])
def test_figures_are_drawn_whatever_the_backend(tmp_path, backend):
    done = program("plot", REFERENCE / "stdp_window", "--out", tmp_path, MPLBACKEND=backend, without=("DISPLAY",))
    assert done.returncode == 0 and (tmp_path / "window.png").stat().st_size > 1000, done.stderr


@pytest.mark.parametrize("encoding", ["ascii", *(pytest.param(name, marks=pytest.mark.full) for name in ("latin-1", "cp1252"))])
def test_an_output_that_is_not_utf_8_gets_what_it_can_hold(encoding):
    listed = [program(*words, encoding=encoding, PYTHONIOENCODING=encoding) for words in (["list"], ["list", "--json"])]
    assert all(done.returncode == 0 and done.stderr == "" for done in listed)
    table, lossless = (done.stdout for done in listed)
    assert "pair_stdp" in table and "?" not in table.replace("it?", "")
    assert json.loads(lossless) == json.loads(program("list", "--json").stdout)


@pytest.mark.parametrize(
    ("text", "encoding", "written"),
    [
        ("4.02 \N{MICRO SIGN}J", "ascii", b"4.02 uJ"),
        ("4.02 \N{MICRO SIGN}J", "latin-1", b"4.02 \xb5J"),
        ("0.5 \N{PLUS-MINUS SIGN} 1 \N{EN DASH} \N{VULGAR FRACTION ONE HALF} \N{MINUS SIGN}2", "ascii", b"0.5 +- 1 - 1/2 -2"),
        ("Guétig, Pfister & Sjöström", "ascii", b"Guetig, Pfister & Sjostrom"),
        ("\N{SNOWMAN}", "cp1252", b"?"),
        ("results/\udcff", "utf-8", b"results/\xff"),  # the name of a folder that is no UTF-8
    ],
)
def test_a_character_that_cannot_be_written_is_written_closely(text, encoding, written):
    assert text.encode(encoding, errors="plasticity.plainly") == written


def test_json_is_whole_in_every_encoding(monkeypatch, tmp_path):
    value = {"energy": "4 \N{MICRO SIGN}J", "out": "results/\udcff"}
    for encoding in ("ascii", "cp1252", "utf-8"):
        with open(tmp_path / encoding, "w", encoding=encoding) as out:
            monkeypatch.setattr(sys, "stdout", out)
            print_json(value)
        assert json.loads((tmp_path / encoding).read_text(encoding=encoding)) == value


@pytest.mark.full
@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_a_comparison_does_not_fail_at_its_end_for_a_character(tmp_path, encoding):
    few = [f"--set={size}" for size in ("train=60", "validation=20", "test=40", "mlp.epochs=1")]
    words = ["compare", "cued_digits", "--seeds", 1, "--jobs", 1, *few, "--learners", "mlp,guessing", "--all"]
    done = program(*words, "--out", tmp_path / "run", encoding=encoding, PYTHONIOENCODING=encoding)
    assert done.returncode == 0 and "guessing" in done.stdout, done.stderr
    assert re.search(r"\d [un\xb5]J" if encoding == "latin-1" else r"\d [un]J", done.stdout)
    assert "</html>" in (tmp_path / "run" / "report.html").read_text(encoding="utf-8")


@pytest.mark.full
def test_a_page_of_a_folder_whose_name_is_no_utf_8_is_utf_8(tmp_path):
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/run\xff"))
    shutil.copytree(REFERENCE / "stdp_window", folder)
    done = program("report", folder, encoding="latin-1")
    assert done.returncode == 0, done.stderr
    assert "</html>" in (folder / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("variables", "without"),
    [
        ({"NO_COLOR": "1"}, ()),
        ({"TERM": "dumb"}, ()),
        ({"TMPDIR": "/nonexistent"}, ()),
        ({"HOME": "/nonexistent/home"}, ("PLASTICITY_CACHE", "PLASTICITY_DATA")),
        ({}, ("HOME", "PLASTICITY_CACHE", "PLASTICITY_DATA")),
        ({"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}, ()),
        ({"COLUMNS": "0"}, ()),
        ({"COLUMNS": "1"}, ()),
        ({"COLUMNS": "20"}, ()),
        ({"COLUMNS": "wide"}, ()),
    ],
    ids=str,
)
def test_data_is_shown_in_any_environment(variables, without):
    done = program("data", without=without, **variables)
    assert done.returncode == 0 and done.stderr == "" and "\x1b" not in done.stdout
    assert "mnist" in done.stdout or variables.get("COLUMNS") == "1"


# How wide


@pytest.mark.parametrize("width", [80, 100, 120])
def test_no_doi_of_a_list_is_broken(monkeypatch, capsys, width):
    monkeypatch.setenv("COLUMNS", str(width))
    status, out, _ = told(capsys, "list")
    assert status == 0 and max(map(len, out.splitlines())) <= width
    found = set(re.findall(r"(?:doi:\s?10\.\d{4,}/|arXiv:)[^\s,;]+", " ".join(out.split())))
    whole = {paper.lower() for paper in entries()}
    lost = {name for name in found if name.split("doi:")[-1].strip().rstrip(".):").lower() not in whole and "(" not in name}
    assert len(found) > 50 and not lost


def test_what_goes_into_a_file_is_120_wide_and_folds_no_command(monkeypatch, capsys):
    monkeypatch.delenv("COLUMNS", raising=False)
    sizes: dict[int, int] = {}

    def size(stream: int = 1) -> os.terminal_size:
        if stream not in sizes:
            raise OSError
        return os.terminal_size((sizes[stream], 40))

    monkeypatch.setattr(os, "get_terminal_size", size)
    assert terminal.console().width == 120
    sizes[2] = 93  # `plasticity list | less`
    assert terminal.console().width == 93
    monkeypatch.setenv("COLUMNS", "0")
    assert terminal.console().width == 93
    monkeypatch.setenv("COLUMNS", "70")
    assert terminal.console().width == 70
    terminal.show("plasticity compare " + "x" * 50 + " --set " + "y" * 50)
    assert capsys.readouterr().out.count("\n") == 1


# What a name costs


def seconds(*words: object) -> float:
    """Processor time of the program."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = program(*words)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode == 0, done.stderr
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


@pytest.mark.parametrize(
    ("words", "most"),
    [
        (["--help"], 0.3),
        (["--version"], 1.0),
        (["list"], 1.0),
        (["show", "triplet_stdp"], 1.0),
        (["show", "spiking_gated"], 1.0),
        (["show", "mnist"], 1.0),
        (["cite", "softmax_attention"], 1.0),
    ],
    ids=str,
)
def test_a_name_costs_no_simulator(words, most):
    assert any(seconds(*words) <= most for _ in range(3))  # a third to a half of it on an idle machine


@pytest.mark.parametrize("words", [["list"], ["show", "pair_stdp"], ["show", "cued_digits"], ["cite", "mlp"], ["--version"]])
def test_no_simulator_is_imported_for_a_name(words):
    code = (
        f"import sys\nfrom simulations.command_line import main\ntry: main({words!r})\nexcept SystemExit: pass\n"
        "sys.exit(', '.join({'torch', 'brian2', 'matplotlib', 'sklearn'} & set(sys.modules)) or 0)"
    )
    environment = {**os.environ, "PYTHONPATH": str(TOP)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, env=environment)
    assert done.returncode == 0, done.stderr


def test_what_a_changed_file_says_is_asked_anew(monkeypatch, tmp_path):
    (tmp_path / "plasticity" / "gates").mkdir(parents=True)
    (tmp_path / "plasticity" / "gates" / "one.py").write_text("# one\n")
    monkeypatch.setattr(index, "TOP", tmp_path)
    monkeypatch.setattr(index, "asked", lambda kind: {"asked": kind})
    assert index.known("gates") == {"asked": "gates"}


def test_own_things_are_asked_themselves(monkeypatch):
    monkeypatch.setattr(extensions, "modules", lambda: [plasticity])
    monkeypatch.setattr(index, "asked", lambda kind: {"asked": kind})
    assert index.known("gates") == {"asked": "gates"}


# show


def test_show_asks_nothing_but_what_is_named(monkeypatch, capsys):
    """Beside a file of somebody's own, or where the index is not of these files: other tasks would read their data."""
    shown, described = [], telling.described

    def one(kind, name, entry):
        shown.append((kind, name))
        return described(kind, name, entry)

    monkeypatch.setattr(index, "_kept", dict)
    monkeypatch.setattr(telling, "described", one)
    status, out, _ = told(capsys, "show", "next_item")
    assert status == 0 and shown == [("tasks", "next_item")] and "next_item (task)" in out
    assert told(capsys, "show", "next_thing")[0] == 2 and len(shown) == 1


def test_show_tells_what_a_trial_is(capsys):
    out = told(capsys, "show", "cued_digits")[1]
    assert re.search(r"one trial: stimulus \(2, 64\) from 0 to 1; cue [01]; label \d; stream_label \[\d, \d\]\n", out)
    assert "one trial: stimulus (9, " in told(capsys, "show", "associative_recall")[1]


def test_show_tells_what_is_known_of_a_data_set(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("PLASTICITY_DATA", str(tmp_path))
    monkeypatch.setattr("pooch.os_cache", lambda name: tmp_path / "cache")
    out = told(capsys, "show", "mnist")[1]
    assert "mnist (dataset): 70,000" in out and "state: missing" in out and "plasticity data --fetch mnist" in out
    assert "terms: CC BY-SA 3.0" in out and "doi:10.1109/5.726791" in out
    shown = json.loads(told(capsys, "show", "digits", "--json")[1])  # the name of a task first
    assert shown["kind"] == "task" and {*shown} == {"kind", "name", "summary", "source", "settings", "description"}


# cite, --version


@pytest.mark.parametrize(
    ("name", "papers", "not_there"),
    [
        ("triplet_stdp", {"10.1523/JNEUROSCI.1425-06.2006"}, {"10.7554/eLife.47314"}),
        ("lif_conductance", set(), {"10.7554/eLife.47314"}),
        ("softmax_attention", {"arXiv:1706.03762", "arXiv:1912.01703"}, {"10.7554/eLife.47314"}),
        ("spiking_gated", {"10.3389/fncom.2015.00099", "10.7554/eLife.47314"}, {"arXiv:1912.01703"}),
        ("attention_gain", {"10.7554/eLife.47314", "10.1038/78829"}, set()),
        ("cued_digits", {"10.24432/C50P49"}, {"10.1109/5.726791"}),
        ("mnist", {"10.1109/5.726791"}, set()),
        ("input_gain", {"10.1523/JNEUROSCI.19-01-00431.1999"}, set()),
        ("oja + synaptic_scaling", {"10.1007/BF00275687", "10.1038/36103"}, set()),
    ],
)
def test_any_name_can_be_cited(capsys, name, papers, not_there):
    status, out, err = told(capsys, "cite", name, "--json")
    found = json.loads(out)
    assert status == 0 and found["name"] == name and papers <= {*found["references"]} and not not_there & {*found["references"]}
    assert found["bibtex"] == bibtex(found["references"]) and "% no entry" not in found["bibtex"]
    assert told(capsys, "cite", name)[1] == (found["bibtex"] or f"% {name} names no paper") + "\n"


def test_every_name_of_the_list_has_papers_or_is_a_control():
    for kind in index.MADE_IN:
        for name, about in index.known(kind).items():
            assert about["references"] or re.search("control|baseline|ISBN|book", about["source"]), (kind, name, about["source"])
            assert "% no entry" not in bibtex(about["references"])


def test_what_is_neither_a_folder_nor_a_name_is_refused(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "oja").mkdir()
    for what, sentence in (
        ("triplet", "Did you mean 'triplet_stdp'"),
        ("results/nowhere", "holds no run"),
        ("oja", "holds no run"),
    ):
        status, out, err = told(capsys, "cite", what)
        assert (status, out) == (2, "") and sentence in err and err.count("\n") == 1
    assert named("oja")[0]["references"]


def test_version_says_which_code_on_what_it_stands(capsys):
    import brian2
    import numpy
    import torch

    status, out, err = told(capsys, "--version")
    first, second = out.splitlines()
    assert status == 0 and err == ""
    assert re.fullmatch(rf"plasticity {re.escape(plasticity.__version__)}( \(commit [0-9a-f]{{12}}(, with changes)?\))?", first)
    commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=TOP, capture_output=True, text=True)
    assert commit.returncode or commit.stdout[:12] in first
    for words in (f"Brian2 {brian2.__version__}", f"NumPy {numpy.__version__}", f"PyTorch {torch.__version__}"):
        assert words in second


# The distribution


def test_nobody_is_told_to_install_the_project_of_somebody_else():
    assert PROJECT["project"]["name"] != "plasticity"
    files = [path for folder in ("plasticity", "bridges", "simulations") for path in (TOP / folder).rglob("*") if path.is_file()]
    told = [path for path in [*files, TOP / "README.md"] if path.suffix in (".py", ".md", ".html", ".ipynb")]
    texts = {path: path.read_text(encoding="utf-8") for path in told}
    assert len(texts) > 150
    for path, text in texts.items():
        assert not re.search(r"pip install[^\n`]*\bplasticity\b", text), path
        assert not re.search(r"metadata\.version\([\"']plasticity[\"']", text), path


def test_a_record_tells_the_version_of_this_code_not_of_what_has_its_name(monkeypatch):
    import importlib.metadata

    from plasticity import records

    monkeypatch.setattr(importlib.metadata, "version", lambda name: "0.0.15")  # as if the other project were installed
    assert records._this_process.__wrapped__()["versions"]["plasticity"] == plasticity.__version__


def test_every_file_that_is_read_at_run_time_is_in_the_distribution():
    tracked = subprocess.run(["git", "ls-files", "plasticity", "bridges", "simulations"], cwd=TOP, capture_output=True, text=True)
    if tracked.returncode:
        pytest.skip("asks git what is tracked, and this copy is no git checkout")
    data = PROJECT["tool"]["setuptools"]["package-data"]
    globs = [(TOP / package.replace(".", "/"), pattern) for package, patterns in data.items() for pattern in patterns]
    packed = {path for folder, pattern in globs for path in folder.glob(pattern)}
    for line in tracked.stdout.split():
        if not line.endswith((".py", ".md", ".ipynb", ".gitignore")):
            assert TOP / line in packed, line
    folders = {path.parent for package in ("plasticity", "bridges", "simulations") for path in (TOP / package).rglob("*.py")}
    assert all((folder / "__init__.py").exists() for folder in folders)


@pytest.mark.full
def test_a_wheel_works_from_an_empty_folder(tmp_path):
    source = tmp_path / "source"
    subprocess.run(["git", "clone", "--quiet", str(TOP), str(source)], check=True, timeout=120)
    pip = [sys.executable, "-m", "pip"]
    wheel = [*pip, "wheel", "--no-deps", "-w", tmp_path / "dist", source]
    built = subprocess.run(wheel, capture_output=True, text=True, timeout=300)
    if built.returncode and re.search("connection|resolve|No matching distribution", built.stderr, re.IGNORECASE):
        pytest.skip("builds a wheel, for which pip needs setuptools from its index")
    assert built.returncode == 0, built.stderr
    venv.create(tmp_path / "v", with_pip=False)
    python = tmp_path / "v" / "bin" / "python"
    (made,) = (tmp_path / "dist").glob("*.whl")
    subprocess.run([*pip, "--python", python, "install", "--no-deps", "--quiet", made], check=True, timeout=300)
    (site,) = (tmp_path / "v" / "lib").glob("python*/site-packages")
    (site / "what_it_needs.pth").write_text(f"{Path(pytest.__file__).parents[1]}\n")
    (tmp_path / "empty").mkdir()
    few = [f"--set={size}" for size in ("train=60", "validation=20", "test=40", "mlp.epochs=1")]
    for words in (
        ["--version"],
        ["list"],
        ["show", "triplet_stdp"],
        ["cite", "oja"],
        ["run", "stdp_window"],
        ["compare", "cued_digits", "--seeds", "1", "--jobs", "1", *few, "--learners", "mlp,guessing"],
        ["report", "results/stdp_window"],
    ):
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        command = [tmp_path / "v" / "bin" / "plasticity", *words]
        done = subprocess.run(command, cwd=tmp_path / "empty", env=environment, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0 and done.stdout, (words, done.stderr)
    assert (tmp_path / "empty" / "results" / "stdp_window" / "report.html").is_file()
