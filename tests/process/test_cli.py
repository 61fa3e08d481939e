"""The program `plasticity`: what it prints where, how it ends, and that nothing is left behind."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import typer
from rich.console import Console

import bridges
import simulations
from plasticity.errors import WrongUse
from plasticity.files import read_sealed, write_sealed
from plasticity.meanwhile import goes_on, going_on
from plasticity.parallel import each
from plasticity.registry import Registry
from plasticity.settings import setting
from plasticity.tasks import CuedDigits
from simulations.command_line import index, main
from simulations.command_line.options import parse_seeds
from simulations.figures.kinds import line, panel
from simulations.first_component import FirstComponent
from simulations.frame import known, results, terminal
from simulations.frame.checks import Check, near
from simulations.frame.execute import execute
from simulations.frame.experiment import Experiment, suite
from simulations.frame.shown import CHECKS, checked

REFERENCE = Path(__file__).resolve().parents[2] / "results" / "reference"
TINY = ["--set", "train=60", "--set", "validation=20", "--set", "test=40", "--jobs", "1"]
LIGHT = ["--learners", "mlp,guessing", "--set", "mlp.epochs=2", "--set", "mlp.hidden=8", *TINY]


@pytest.fixture
def program(capsys):
    """Runs the program in this process; gives exit status, standard output, standard error."""

    def run(*arguments):
        try:
            main([str(argument) for argument in arguments])
            status = 0
        except SystemExit as end:
            status = end.code or 0
        told = capsys.readouterr()
        return status, told.out, told.err

    return run


def compare(program, out, *more):
    return program("compare", "cued_digits", *LIGHT, "--seeds", 2, "--out", out, *more)


@dataclass(frozen=True)
class Throw(Experiment):
    """Dice thrown for each seed."""

    name = "throw"
    summary = "the mean of many dice"
    source = "test"
    default_seeds = 3
    compiled = False

    dice: int = setting(600, "dice in a throw", "dice", low=1)

    def run(self, seed):
        return {"means": np.random.default_rng(seed).integers(1, 7, self.dice).mean()}

    def numbers(self, a):
        return {"mean": float(a["means"].mean()), "unknown": np.nan}

    def checks(self, a):
        yield near("mean", 3.5, a["means"].mean(), 0.3, kind="closed_form", source="the mean of 1 to 6")

    def figures(self, a):
        return {"throws": panel(line(range(len(a["means"])), a["means"], "o"), x="seed", y="mean")}


@dataclass(frozen=True)
class Broken(Throw):
    """One that fails."""

    name = "broken"

    def run(self, seed):
        raise ZeroDivisionError("a bug")


@pytest.fixture
def with_throw(monkeypatch):
    monkeypatch.setattr(simulations, "SIMULATIONS", Registry("simulation", [Throw, Broken]))
    monkeypatch.setattr(index, "names", lambda kind: [*known.registries()[kind]()])  # these are not in index.json


# compare


def test_compare_prints_its_table_and_says_where_everything_lies(program, tmp_path):
    status, out, err = compare(program, tmp_path / "run")
    assert status == 0 and "Traceback" not in err
    for words in (
        "guessing",
        "mlp",
        "ceiling",
        "95 % interval",
        "60 training trials",
        "summary.csv",
        "accuracy.png",
        "plasticity plot",
    ):
        assert words in out
    assert "4/4 jobs" in err and "jobs" not in out
    drawn = tmp_path / "run" / "figures"
    assert (drawn / "learning_curves.png").exists() and not list(drawn.glob("*.svg")) and "SVG" not in out


@pytest.mark.full
def test_all_of_a_comparison_is_printed_when_asked_for(program, tmp_path):
    short = compare(program, tmp_path / "run")[1]
    status, out, _ = program("plot", tmp_path / "run", "--all")
    assert status == 0 and "Prices at 32 bits: " in out and "Means over seeds." in out
    assert "Prices: " not in short and "--all" in short
    whole = compare(program, tmp_path / "run", "--force", "--all")[1]
    assert "Prices at 32 bits: " in whole and "--all" not in whole


@pytest.mark.full
def test_figures_come_as_svg_when_asked_for(program, tmp_path, with_throw):
    drawn = tmp_path / "run" / "figures"
    assert "also as SVG" in program("run", "throw", "--out", tmp_path / "run", "--svg")[1]
    assert (drawn / "throws.svg").exists() and (drawn / "throws.png").exists()
    (drawn / "throws.svg").unlink()
    assert "SVG" not in program("plot", tmp_path / "run")[1] and not (drawn / "throws.svg").exists()
    status, out, _ = program("plot", tmp_path / "run", "--svg", "--json")
    assert status == 0 and len(json.loads(out)["figures"]) == 2 and (drawn / "throws.svg").exists()
    assert "also as SVG" in program("plot", tmp_path / "run", "--svg")[1]


@pytest.mark.full
@pytest.mark.parametrize("width", [80, 120])
def test_the_default_comparison_fits_a_screen_of_24_lines(program, tmp_path, monkeypatch, width):
    shutil.copytree(REFERENCE / "cued_digits", tmp_path / "results" / "cued_digits")
    (tmp_path / "results" / "cued_digits" / "summary.json").unlink()  # all jobs are there, so that nothing is run
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(terminal, "console", lambda: Console(width=width, force_terminal=True, color_system=None))
    status, out, _ = program("compare", "cued_digits")
    assert status == 0
    lines = out.splitlines()
    assert len(lines) <= 24 and max(map(len, lines)) <= width
    text = " ".join(" ".join(lines).split())
    told = json.loads((REFERENCE / "cued_digits" / "summary.json").read_text())
    for learner in told["learners"]:
        mean, low, high = (100 * learner["accuracy"][key] for key in ("mean", "low", "high"))
        assert any(line.startswith(learner["name"]) and f" {mean:.1f} [{low:.1f}, {high:.1f}] " in line for line in lines)
    for gap in told["differences"] if width >= 100 else ():
        mean, low, high = (100 * gap[key] for key in ("mean", "low", "high"))
        assert any(line.startswith(gap["a"]) and f" {mean:+.1f} [{low:+.1f}, {high:+.1f}]" in line for line in lines)
    for words in (
        "gate, teacher classes",
        "teacher gate, classes",
        "18 learners, 10 seeds, 2000 training trials; 95 % intervals",
        "Attended minus ignored weights of spiking_gated: 0.087 [0.085, 0.089]",
        "control: 0.102" + " in class means of single images" * (width > 100),
        "Chance 10 %, ceiling 100 %, without attention at most 50 %",
        "results/cued_digits/report.html",
        "summary.csv",
        "accuracy.png",
        "plasticity plot results/cued_digits --all",
    ):
        assert words in text, words


@pytest.mark.full
@pytest.mark.parametrize("width", [100, 60, 40])
def test_no_number_of_a_comparison_is_cut_in_any_window(width):
    out = io.StringIO()
    for thing in results.load(REFERENCE / "cued_digits").tables(width):
        Console(file=out, width=width).print(thing, highlight=False)
    assert "\N{HORIZONTAL ELLIPSIS}" not in out.getvalue()
    told = json.loads((REFERENCE / "cued_digits" / "summary.json").read_text())
    for learner in told["learners"]:
        for key in ("mean", "low", "high"):
            assert re.search(rf"(?<![\d.]){100 * learner['accuracy'][key]:.1f}(?![\d.])", out.getvalue())


def test_json_is_all_there_is_on_standard_output(program, tmp_path):
    status, out, err = compare(program, tmp_path / "run", "--json")
    summary = json.loads(out)
    assert status == 0 and summary == {
        **read_sealed(tmp_path / "run" / "summary.json"),
        "out": str(tmp_path / "run"),
    }
    assert {"task", "chance", "ceiling", "learners", "differences", "out"} <= summary.keys()
    assert {"mean", "low", "high", "seeds", "for"} == summary["learners"][0]["accuracy"].keys()
    assert {"a", "b", "mean", "low", "high", "p"} <= summary["differences"][0].keys()
    assert summary["out"] == str(tmp_path / "run")


@pytest.mark.full
def test_settings_reach_the_task_and_the_learners(program, tmp_path):
    compare(program, tmp_path / "run")
    configuration = json.loads((tmp_path / "run" / "run.json").read_text())["configuration"]
    assert configuration["settings"]["train"] == 60 and configuration["parameters"]["mlp"]["hidden"] == 8
    assert configuration["seeds"] == [0, 1]


@pytest.mark.full
def test_seeds_for_what_draws_nothing_are_said_to_change_nothing(program, tmp_path):
    words = ["run", "stdp_window", "--set", "longest_lag=10", "--set", "repetitions=2", "--json", "--jobs", 1, "--out"]
    alone = program(*words, tmp_path / "a")
    asked = program(*words, tmp_path / "b", "--seeds", 3)
    sentence = "note: nothing in stdp_window is drawn at random, so --seeds changes nothing; leave it out."
    assert asked[0] == alone[0] and sentence not in alone[2] and asked[2].splitlines().count(sentence) == 1
    assert json.loads(asked[1])["numbers"] == json.loads(alone[1])["numbers"]


def test_a_second_run_into_the_same_folder_is_refused_and_forced(program, tmp_path):
    compare(program, tmp_path / "run")
    status, out, err = compare(program, tmp_path / "run")
    assert status == 2 and out == "" and "--force" in err and "--out" in err and err.count("\n") == 1
    assert compare(program, tmp_path / "run", "--force")[0] == 0


@pytest.mark.full
def test_a_finished_run_that_lost_something_is_completed_by_the_same_command(program, tmp_path):
    path = tmp_path / "run"
    compare(program, path)
    before = {file: file.stat().st_mtime_ns for file in path.glob("records/*/*")}
    (path / "records" / "seed-0001" / "mlp.json").unlink()
    drawn = program("plot", path)[1]
    assert "mlp (1 of 2 seeds)" in drawn and "1 of 4 jobs are not finished yet" in drawn and "guessing (1" not in drawn
    lost = ["records/seed-0000/guessing.npz", "figures/accuracy.png", "report.html"]
    for name in lost:
        (path / name).unlink()
    status, _, err = compare(program, path)
    assert status == 0 and "4/4 jobs" in err and all((path / name).exists() for name in lost)
    made = {*path.glob("records/seed-0001/mlp.*"), *path.glob("records/seed-0000/guessing.*")}
    assert {file for file, when in before.items() if file.stat().st_mtime_ns != when} == made
    assert compare(program, path)[0] == 2


@pytest.mark.parametrize("kind", ["run", "sweep"])
def test_a_finished_experiment_that_lost_its_records_is_completed(program, tmp_path, with_throw, kind):
    path = tmp_path / "run"
    words = [kind, "throw", *["--grid", "dice=10,20"] * (kind == "sweep"), "--seeds", 2, "--jobs", 1, "--out", path]
    assert program(*words)[0] == 0 and program(*words)[0] == 2
    gone = next(path.glob("records/**/*.json"))
    gone.unlink()
    assert program(*words)[0] == 0 and gone.exists() and program(*words)[0] == 2


@pytest.mark.full
def test_plot_draws_the_same_bytes_again_and_simulates_nothing(program, tmp_path, monkeypatch):
    compare(program, tmp_path / "run")
    before = {path.name: path.read_bytes() for path in (tmp_path / "run" / "figures").iterdir()}
    for path in (tmp_path / "run" / "figures").iterdir():
        path.unlink()
    monkeypatch.setattr("bridges.comparison.run._work", None)  # whatever would be run fails
    status, out, _ = program("plot", tmp_path / "run", "--json")
    assert status == 0 and len(json.loads(out)["figures"]) == len(before)
    assert {path.name: path.read_bytes() for path in (tmp_path / "run" / "figures").iterdir()} == before


@pytest.mark.full
def test_a_damaged_record_is_named_in_one_sentence(program, tmp_path):
    compare(program, tmp_path / "run")
    (tmp_path / "run" / "records" / "seed-0001" / "guessing.npz").write_bytes(b"PK damaged")
    status, out, err = program("plot", tmp_path / "run")
    assert status == 1 and out == "" and "guessing.npz is damaged" in err and err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["compare", "cued_digit"], "Did you mean 'cued_digits'? Known: associative_recall, cocktail_party, cued_digits"),
        (["compare", "cued_digits", "--learners", "mpl"], "Did you mean 'mlp'"),
        (["compare", "cued_digits", "--set", "trian=60"], "Did you mean 'train'"),
        (["compare", "cued_digits", "--set", "train=few"], "is not understood; give a whole number"),
        (["compare", "cued_digits", "--set", "train=5"], "10 classes"),
        (["compare", "cued_digits", "--set", "train"], "--set takes key=value"),
        (["compare", "cued_digits", "--learners", "mlp", "--set", "mlp.hiden=3"], "Did you mean 'hidden'"),
        (["compare", "cued_digits", "--learners", "mlp", "--set", "mpl.hidden=3"], "Did you mean 'mlp'"),
        (["compare", "cued_digits", "--seeds", "0"], "0 seeds"),
        (["run", "stdp_window", "--seeds", "0"], "a run needs at least one"),
        (["compare", "cued_digits", "--seeds", "ten"], "such as 10 or 0,3,5 or 5-9"),
        (["compare", "cued_digits", "--learners", "guessing", "--jobs", "0"], "1 or more"),
        (["compare", "cued_digits", "--seeds", "99999999999999999999"], "100000 is the most"),
        (["compare", "cued_digits", "--seeds", "5-1"], "ends before it begins"),
        (["compare", "attention_gain"], "type `plasticity run attention_gain`"),
        (["run", "cued_digits"], "type `plasticity compare cued_digits`"),
        (["run", "stdp_windo"], "unknown simulation 'stdp_windo'"),
        (["list", "ruels"], "Did you mean 'rules'"),
        (["show", "landings"], "`plasticity list landings` has the names"),
        (["show", "suites"], "`plasticity list simulations` has the names"),
        (["show"], "show what? Such as `plasticity show pair_stdp`"),
        (["ablate"], "Such as `plasticity ablate spiking_gated --task cued_digits`"),
        (["show", "triplet"], "Did you mean 'triplet_stdp'"),
        (["plot", "nowhere"], "holds no run"),
        (["data", "--fetch", "mnst"], "Did you mean 'mnist'"),
        (["compare"], "Name a task: cued_digits, spatial_attention, cocktail_party, digits"),
        (["compare", "cued_digits", "--learners", "spiking_gated", "--set", "gate=none"], "did you mean spiking.gate=none?"),
        (["compare", "cued_digits", "--set", "epochs=3"], "did you mean torch.epochs=3?"),
        (["compare", "cued_digits", "--learners", "mlp", "--set", "spiking.gate=none"], "for spiking learners, and none is"),
        (["compare", "cued_digits", "--set", "data=foo"], "Known: digits, idx, mnist, mnist8."),
        (["sweep", "exponential_output"], "plasticity sweep exponential_output --grid mu="),
        (["sweep", "digits"], "plasticity sweep digits --grid train="),
        (["cache", "list"], "`plasticity cache --clean` deletes it"),
        (["cite", "foo"], "The nearest: "),
    ],
)
def test_wrong_use_is_one_sentence_and_exit_status_2(program, tmp_path, monkeypatch, arguments, told):
    monkeypatch.chdir(tmp_path)
    status, out, err = program(*arguments)
    assert (status, out) == (2, "") and told in err and err.startswith("error: ") and err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("arguments", [["compere"], ["compare", "cued_digits", "--sedes", "3"]])
def test_unknown_commands_and_options_are_wrong_use(program, arguments):
    status, out, err = program(*arguments)
    assert (status, out) == (2, "") and "Traceback" not in err


def test_a_folder_that_cannot_be_written_is_a_failure_in_one_sentence(program, tmp_path):
    (tmp_path / "taken").write_text("a file where a folder should be")
    status, out, err = compare(program, tmp_path / "taken")
    assert (status, out) == (1, "") and "--out" in err and err.count("\n") == 1


@pytest.mark.parametrize(
    ("text", "seeds"), [("3", [0, 1, 2]), ("0,3,5", [0, 3, 5]), ("5-7", [5, 6, 7]), ("0-2, 9", [0, 1, 2, 9]), ("7,", [7])]
)
def test_seeds_are_a_number_a_list_or_a_range(text, seeds):
    assert parse_seeds(text) == seeds


@pytest.mark.parametrize("text", ["0", "", "9-5", "1,1", "-3", "1.5"])
def test_seeds_that_are_none_or_no_seeds_are_refused(text):
    with pytest.raises(WrongUse):
        parse_seeds(text)


# run


def test_run_prints_numbers_and_checks_and_keeps_a_record(program, tmp_path, with_throw):
    status, out, err = program("run", "throw", "--out", tmp_path / "run", "--set", "dice=900", "--json")
    summary = json.loads(out)
    assert status == 0 and summary["simulation"] == "throw" and summary["out"] == str(tmp_path / "run")
    (check,) = summary["checks"]
    assert check.keys() == {"name", "published", "ours", "tolerance", "source", "holds", "kind"} and check["holds"] is True
    kept = read_sealed(tmp_path / "run" / "summary.json")  # without its place: a folder may be moved
    assert summary == {**kept, "out": summary["out"]} and "out" not in kept and kept["numbers"]["unknown"] is None
    told = json.loads((tmp_path / "run" / "records" / "outcome.json").read_text())
    assert told["configuration"]["settings"] == {"dice": 900} and told["configuration"]["seeds"] == [0, 1, 2]


def test_run_shows_people_a_table_and_plot_draws_it_again(program, tmp_path, with_throw, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")  # room for the sources, whatever terminal the tests are started from
    status, out, _ = program("run", "throw", "--out", tmp_path / "run", "--seeds", 2)
    assert status == 0 and "the mean of 1 to 6" in out and "throws.png" in out
    assert f"report:  {tmp_path / 'run' / 'report.html'}" in out
    page = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert page.index("the mean of 1 to 6") < page.index('id="question"') and page.index("<img ") < page.index('id="question"')
    before = (tmp_path / "run" / "figures" / "throws.png").read_bytes()
    (tmp_path / "run" / "figures" / "throws.png").unlink()
    status, out, _ = program("plot", tmp_path / "run")
    assert status == 0 and (tmp_path / "run" / "figures" / "throws.png").read_bytes() == before


@pytest.mark.parametrize("what", ["configuration", "command", "numbers"])
def test_what_is_sealed_anew_with_something_odd_in_it_is_refused_in_one_sentence(program, tmp_path, with_throw, what):
    assert program("run", "throw", "--out", tmp_path / "run", "--seeds", 2)[0] == 0
    file = tmp_path / "run" / ("records/outcome.json" if what == "numbers" else "run.json")
    told = {key: value for key, value in read_sealed(file).items() if key not in ("sha256", "format")}
    if what == "configuration":
        told["configuration"] = 1e308
    elif what == "command":
        told["configuration"]["command"] = -1
    else:
        told["numbers"]["checks"] = [1]
    write_sealed(file, told)
    for command in ("plot", "report"):
        status, out, err = program(command, tmp_path / "run")
        assert (status, out) == (1, "") and err.count("\n") == 1 and not err.startswith("error: TypeError")
        assert ("cannot be shown" if what == "numbers" else "run.json is damaged (it lacks a command)") in err


def test_nothing_goes_into_the_folder_of_another_run(program, tmp_path, with_throw):
    for name in ("one", "other"):
        assert program("run", "throw", "--out", tmp_path / name, "--seeds", 2)[0] == 0
    before = sorted(tmp_path.rglob("*"))
    for place in ("other", "other/figures", "other/new/place"):
        status, out, err = program("plot", tmp_path / "one", "--out", tmp_path / place, "--force")
        assert (status, out) == (2, "") and f"belongs to the run in {tmp_path / 'other'}; give another folder" in err
    assert program("reproduce", "throw", "--out", tmp_path / "other")[0] == 2
    status, out, err = program("reproduce", "throw", "--out", tmp_path / "other" / "records")
    assert (status, out) == (2, "") and f"belongs to the run in {tmp_path / 'other'}" in err
    (tmp_path / "one").rename(tmp_path / "throw")
    status, out, err = program("reproduce", "throw", "--out", tmp_path)
    assert (status, out) == (2, "") and "holds another run: seeds is [0, 1] there and [0, 1, 2] now" in err
    assert len(before) == len(sorted(tmp_path.rglob("*")))
    assert program("plot", tmp_path / "throw", "--out", tmp_path / "throw" / "drawn")[0] == 0


def test_sweep_prints_a_table_and_plot_draws_it_again(program, tmp_path, with_throw):
    out_folder = tmp_path / "sweep"
    status, out, err = program("sweep", "throw", "--grid", "dice=10,600", "--seeds", 3, "--out", out_folder)
    assert status == 0 and "Traceback" not in err and "6/6 jobs" in err
    for words in ("throw: 2 points, 3 seeds", "dice", "mean", "[", "summary.csv", "sweep.png", "plasticity plot"):
        assert words in out
    drawn = out_folder / "figures" / "sweep.png"
    before = drawn.read_bytes()
    drawn.unlink()
    status, out, _ = program("plot", out_folder)
    assert status == 0 and drawn.read_bytes() == before and "throw: 2 points" in out
    status, _, err = program("sweep", "throw", "--grid", "dice=10,600", "--seeds", 3, "--out", out_folder)
    assert status == 2 and "holds a finished run" in err
    status, out, _ = program("sweep", "throw", "--grid", "dice=10", "--seeds", 2, "--out", tmp_path / "j", "--json")
    assert status == 0 and json.loads(out)["points"][0]["settings"] == {"dice": "10"}


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("sweep", "throw", "--grid", "sides=1,2"), "unknown setting of throw 'sides'"),
        (("sweep", "throw", "--grid", "dice"), "--grid takes key=a,b,c"),
        (("sweep", "nothing", "--grid", "dice=1"), "unknown simulation 'nothing'"),
        (("sweep", "throw", "--grid", "dice=1,2", "--measure", "height"), "unknown measure 'height'"),
        (("sweep", "throw", "--grid", "dice=1,2", "--learners", "mlp"), "throw is a simulation, --learners goes with a task"),
        (("sweep", "digits", "--grid", "train=20,30", "--learners", "nobody"), "unknown learner 'nobody'"),
    ],
)
def test_a_wrong_sweep_is_refused(program, tmp_path, with_throw, words, text):
    status, out, err = program(*words, "--out", tmp_path / "s")
    assert status == 2 and out == "" and text in err


def test_progress_is_a_line_now_and_then_where_standard_error_is_no_terminal(capsys, monkeypatch):
    from simulations.command_line import program as ends

    monkeypatch.setattr(ends, "EVERY_S", 0.2)
    with ends.bar("run it") as show:
        time.sleep(0.3)  # nothing was begun: nothing is told
        show(0.25, note="12 images/s")
        time.sleep(0.7)  # nothing is heard, and yet it is told
        show(0.5, 1, 2)
        show(1.0, 2, 2)
        show(1.0, note="drawing figures")
        show(1.0)
    *early, last = capsys.readouterr().err.splitlines()
    assert 2 <= len(early) <= 4 and set(early) <= {f"run it: 25 %, 12 images/s, {s} s elapsed" for s in (0, 1, 2)}
    assert re.fullmatch(r"run it: 100 %, 2/2 jobs, \d+ s elapsed", last)
    with pytest.raises(ZeroDivisionError), ends.bar("run it") as show:
        raise ZeroDivisionError
    assert capsys.readouterr().err == ""
    assert [ends._elapsed(seconds) for seconds in (59.9, 60, 125, 3900)] == ["59 s", "1 min", "2 min", "1 h 5 min"]


@pytest.mark.parametrize("how", ["processes", "threads", "one"])
def test_what_goes_on_without_a_fraction_is_told_while_it_does(how):
    said = set()

    def compiles(place, tell):  # in here, so that another process does not import all of this file
        tell(0.5)
        with going_on("compiling"):
            time.sleep(1.5)
        return place

    def listen():
        while not over.wait(0.05):
            said.add(goes_on())

    over = threading.Event()
    listener = threading.Thread(target=listen)
    listener.start()
    try:
        assert dict(each(compiles, range(2), 1 if how == "one" else 2, processes=how == "processes")) == {0: 0, 1: 1}
    finally:
        over.set()
        listener.join()
    assert "compiling" in said <= {"", "compiling"} and goes_on() == ""


@pytest.mark.parametrize("terminal", ["xterm", "dumb", ""], ids=["terminal", "dumb terminal", "pipe"])
def test_the_progress_says_what_goes_on_without_a_fraction(capsys, monkeypatch, terminal):
    from simulations.command_line import program as ends

    monkeypatch.setattr(ends, "EVERY_S", 0.1)
    monkeypatch.setenv("TERM", terminal)
    for name in ("FORCE_COLOR", "TTY_COMPATIBLE") if terminal else ():
        monkeypatch.setenv(name, "1")
    with ends.bar("run it") as show:
        show(0.25, 1, 4)
        with going_on("compiling"):
            time.sleep(0.5)
        show(0.5, 2, 4)
    told = capsys.readouterr().err.splitlines()
    assert any("25" in line and "compiling" in line for line in told)
    last = next(line for line in reversed(told) if "run it" in line)
    assert "2/4 jobs" in last and "compiling" not in last


@pytest.mark.parametrize("terminal", [True, pytest.param(False, marks=pytest.mark.full)])
def test_in_python_there_is_a_bar_where_standard_error_is_a_terminal(capsys, monkeypatch, tmp_path, terminal):
    for name in ("FORCE_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.setenv(name, "1" if terminal else "0")
    monkeypatch.setenv("TERM", "xterm")
    bridges.compare(["guessing"], CuedDigits(train=40, validation=10, test=10), seeds=1, jobs=1)
    assert ("compare" in (err := capsys.readouterr().err) and "100%" in err) if terminal else capsys.readouterr().err == ""
    execute(FirstComponent.configure({}), tmp_path / "run", [0], 1)
    assert ("first_component" in capsys.readouterr().err) is terminal


@pytest.mark.full
def test_a_cluster_that_does_not_answer_is_one_sentence(program, tmp_path, with_throw):
    pytest.importorskip("distributed", reason="the extra [cluster] is not installed")
    status, out, err = program("run", "throw", "--out", tmp_path / "run", "--cluster", "tcp://127.0.0.1:9")
    assert status == 1 and out == "" and "no Dask scheduler answers at tcp://127.0.0.1:9" in err and "Traceback" not in err
    assert not (tmp_path / "run").exists()


def test_a_learner_of_single_images_is_refused_for_two_streams(program, tmp_path):
    status, _, err = program("compare", "cued_digits", "--learners", "diehl_cook", *TINY, "--out", tmp_path / "c")
    assert status == 2 and "diehl_cook cannot do cued_digits; it is for tasks like digits" in err


@pytest.mark.full
def test_plain_digits_are_compared_with_the_learners_that_suit_them(program, tmp_path):
    few = ["--set", "train=40", "--set", "validation=20", "--set", "test=30", "--jobs", "1", "--seeds", "2"]
    few += ["--set", "torch.epochs=1", "--set", "torch.hidden=24", "--learners", "mlp,patch_attention,guessing"]
    status, out, err = program("compare", "digits", *few, "--out", tmp_path / "d")
    assert status == 0, err
    assert "patch_attention" in out and "40 training trials" in out and "cue" not in out
    from bridges.learners import chosen_for
    from plasticity.tasks import TASKS

    assert chosen_for(TASKS["digits"]()) == [
        "spiking_brainprop", "spiking_gated", "diehl_cook", "mlp", "patch_attention", "relu_backprop",
        "nearest_neighbour", "class_means", "kmeans_prototypes", "logistic_regression", "guessing",
    ]  # fmt: skip
    assert chosen_for(TASKS["cued_digits"]())[:4] == [
        "spiking_learned_gate", "spiking_gated", "spiking_no_gate", "spiking_shuffled_gate",
    ]  # fmt: skip


def test_every_summary_in_a_list_can_be_read_alone():
    told = {name: about["summary"] for kind in known.registries() for name, about in index.known(kind).items()}
    assert len(told) > 100
    assert not [name for name, summary in told.items() if re.search(r"^(the )?same\b|\bthe same (network|with)\b", summary)]


def test_a_bug_is_one_sentence_and_its_traceback_waits_for_debug(program, tmp_path, with_throw):
    status, out, err = program("run", "broken", "--out", tmp_path / "run")
    assert (status, out) == (1, "") and "ZeroDivisionError: a bug" in err and "Traceback" not in err
    status, _, err = program("run", "broken", "--out", tmp_path / "run", "--debug")
    assert status == 1 and "Traceback" in err and "in run" in err


def interrupted(*_):
    raise KeyboardInterrupt


@pytest.mark.parametrize("keeps", [True, False])
def test_an_interrupted_run_says_what_the_same_command_does_and_ends_with_130(program, tmp_path, with_throw, monkeypatch, keeps):
    monkeypatch.setattr(Throw, "run", interrupted)
    monkeypatch.setattr(Throw, "keeps", keeps)
    status, out, err = program("run", "throw", "--out", tmp_path / "run")
    assert (status, out) == (130, "")
    goes_on = f"what is finished is kept in {tmp_path / 'run'}; the same command goes on from there"
    begins = "throw keeps nothing before it ends; the same command begins it again"
    assert err.splitlines()[-1] == f"interrupted: {goes_on if keeps else begins}."


def test_an_interrupted_suite_says_which_of_its_members_begin_again(tmp_path, monkeypatch):
    monkeypatch.setattr(Throw, "keeps", True)
    monkeypatch.setattr(Broken, "keeps", False)
    monkeypatch.setattr(Broken, "run", interrupted)
    both = suite("Both", (Throw, Broken), "Two.", name="both", summary="two", source="test")
    with pytest.raises(KeyboardInterrupt) as stopped:
        execute(both(), tmp_path / "run", jobs=1)
    goes_on = f"what is finished of throw is kept in {tmp_path / 'run'}; the same command goes on from there"
    assert str(stopped.value) == f"interrupted: {goes_on}, and begins broken again."


@pytest.mark.parametrize("command", ["run", pytest.param("compare", marks=pytest.mark.full)])
def test_an_interruption_of_the_drawing_says_that_nothing_else_is_missing(program, tmp_path, with_throw, monkeypatch, command):
    asked = ("run", "throw") if command == "run" else ("compare", "cued_digits", *TINY, "--seeds", 1, "--learners", "guessing")
    with monkeypatch.context() as patch:
        patch.setattr(simulations.figures, "save", interrupted)
        status, out, err = program(*asked, "--out", tmp_path / "run")
    all_but = f"all but figures and page is finished and kept in {tmp_path / 'run'}; the same command makes them"
    assert (status, out) == (130, "") and err.splitlines()[-1] == f"interrupted: {all_but}."
    monkeypatch.setattr(Throw, "run", None)  # it is not run again
    assert program(*asked, "--out", tmp_path / "run")[0] == 0 and (tmp_path / "run" / "report.html").exists()


def test_a_check_holds_within_its_tolerance_and_not_beyond():
    said = {"kind": "own", "source": "s"}
    assert near("a", 1.0, 1.25, 0.25, **said).holds and not near("a", 1.0, 1.26, 0.25, **said).holds
    assert not near("a", 1.0, float("nan"), 0.25, **said).holds
    assert Check("a", "contains 0", "[-1, 1]", "-", "s", holds=True, kind="own").to_json()["holds"] is True
    with pytest.raises(WrongUse, match="unknown kind of check 'papr'. Did you mean 'paper'"):
        near("a", 1.0, 1.0, 0.1, kind="papr", source="s")


# list, show, data


@pytest.mark.full
def test_everything_listed_can_be_shown_with_its_source(program):
    status, out, _ = program("list", "--json")
    rows = json.loads(out)
    assert status == 0 and {"rules", "gates", "tasks", "models", "learners"} <= {row["kind"] for row in rows}
    assert all(row["summary"] and row["source"] for row in rows), [row for row in rows if not (row["summary"] and row["source"])]
    for name in {row["name"] for row in rows}:
        assert program("show", name)[0] == 0, name
        assert program("show", name, "--json")[0] == 0, name


def test_list_shows_one_kind(program):
    status, out, _ = program("list", "learners")
    assert status == 0 and "spiking_shuffled_gate" in out and "triplet_stdp" not in out


def test_show_lists_settings_with_default_unit_and_meaning(program):
    out = program("show", "cued_digits")[1]
    assert "2000" in out and "training trials" in out and "digits, mnist" in out and "--set" in out
    (setting_,) = [row for row in json.loads(program("show", "cued_digits", "--json")[1])["settings"] if row["name"] == "train"]
    assert setting_["default"] == 2000 and setting_["unit"] == "trials"
    assert "A_plus" in program("show", "pair_stdp")[1]
    assert "neurons_per_class" in program("show", "spiking_gated")[1]


def test_data_says_what_is_there_and_what_is_missing(program, tmp_path, monkeypatch):
    monkeypatch.setenv("PLASTICITY_DATA", str(tmp_path))
    status, out, _ = program("data", "--json")
    states = {row["name"]: row for row in json.loads(out)}
    assert status == 0 and states["digits"]["state"] == "present" and states["mnist"]["state"] in ("missing", "present")
    assert "doi" in states["mnist"]["source"]
    assert program("data")[0] == 0


# as a program


ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}


def test_help_needs_no_simulator():
    code = (
        "import sys\nfrom simulations.command_line import main\n"
        "try: main(['compare', '--help'])\nexcept SystemExit: pass\n"
        "sys.exit(', '.join({'torch', 'brian2', 'matplotlib', 'sklearn'} & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=ENVIRONMENT, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "--learners" in done.stdout


def test_a_mistake_needs_no_simulator(tmp_path):
    """What is wrong with names, numbers and folders is said before anything heavy is imported."""
    for name, command in (("c", "compare"), ("r", "run"), ("s", "sweep")):
        (tmp_path / name).mkdir()
        write_sealed(tmp_path / name / "run.json", {"configuration": {"command": command}})
        write_sealed(tmp_path / name / "summary.json", {})
    lines = (
        "report nowhere", "plot nowhere", "cite no/where", "compare", "compare cued_digts", "compare digits --learners mlpp",
        "compare digits --seeds a", "compare digits --set trian=3", "compare cued_digits --set gate=none",
        "compare digits --out c", "compare digits --learners mlp --set spiking.gate=none", "run stdp_windw",
        "run stdp_window --seeds a", "run stdp_window --out r", "run digits", "compare stdp_window", "sweep digits",
        "sweep stdp_window --grid a=1 --out s", "sweep stdp_windw", "show nothing", "list nothing", "cite foo",
        "cache list", "run bcm_threshold --set nosuch=1", "sweep bcm_threshold --grid nosuch=1,2",
        "sweep cued_digits --grid trian=20,30", "sweep cued_digits --grid train=20,30 --set nosuch=1",
        "sweep cued_digits --grid a",
        "ablate mlpp --task digits", "ablate spiking_gated --task digitz", "ablate spiking_gated --task digits --set trian=3",
    )  # fmt: skip
    code = (
        "import sys\nfrom simulations.command_line import main\nfor line in sys.argv[1:]:\n"
        "    try: main(line.split())\n    except SystemExit as end: assert end.code == 2, (line, end.code)\n"
        "    heavy = {'torch', 'brian2', 'matplotlib', 'sklearn', 'scipy'} & set(sys.modules)\n"
        "    assert not heavy, (line, heavy)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *lines], capture_output=True, text=True, env=ENVIRONMENT, timeout=120, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("holds a finished run") == 3 and done.stderr.count("\n") == len(lines)


def test_a_folder_without_a_run_names_the_one_that_may_be_meant(program, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "results" / "example" / "records" / "seed-0000").mkdir(parents=True)
    write_sealed(tmp_path / "results" / "example" / "run.json", {"configuration": {}})
    for given in ("results/exampl", "results/example/records", "results/example/records/seed-0000"):
        assert "did you mean results/example?" in program("plot", given)[2]
    assert f"did you mean {tmp_path}/results/example?" in program("report", tmp_path / "results" / "example" / "records")[2]
    assert "give a folder that" in program("plot", "results/other")[2]


@pytest.mark.parametrize("width", [40, 60, 80, 100, 119, 120, 121, 150])
def test_no_table_of_checks_is_cut_at_the_edge_of_the_window(width):
    for name in ("stdp_window", "triplet_frequency", "identities", "bench"):
        checks = read_sealed(REFERENCE / name / "summary.json")["checks"]
        out = io.StringIO()
        Console(file=out, width=3 * width).print(
            terminal.checks("checks", CHECKS, [checked(one) for one in checks], width), width=width
        )
        lines = out.getvalue().splitlines()
        assert max(map(len, lines)) <= width and all(
            line[-1] in "\u2513\u2503\u2529\u2502\u2518" for line in lines if line[0] in "\u2503\u2502"
        )
        words = " ".join("".join(out.getvalue().split()).replace("\u2502", " ").split())
        sources = {word for one in checks for word in one["source"].split() if word.startswith("doi:")}
        told = "summary.json, or a wider window" in " ".join(out.getvalue().split())
        assert told != all(source in words for source in sources) or not sources


@pytest.mark.full
def test_the_module_is_the_same_program():
    done = subprocess.run(
        [sys.executable, "-m", "simulations", "list", "tasks"], capture_output=True, text=True, env=ENVIRONMENT, timeout=60
    )
    assert done.returncode == 0 and "cued_digits" in done.stdout


SLEEPERS = '''
import os, subprocess, sys, time
import bridges.learners as bridge
from plasticity.registry import Registry
from sklearn.tree import DecisionTreeClassifier

class Sleeper(DecisionTreeClassifier):
    """Takes long at every seed but 0, with a program of its own running beside it."""

    def fit(self, X, y):
        if self.random_state and os.environ.get("SLEEP") == "1":
            subprocess.run(["sleep", "60"])
        elif self.random_state and os.environ.get("SLEEP") == "alone":
            time.sleep(60)
        return super().fit(X, y)

entry = bridge.LearnerEntry("sleeper", "control", "sleeps", "test", Sleeper, chosen_for=frozenset({"streams"}))
bridge.LEARNERS = Registry("learner", [entry])
'''


needs_groups = pytest.mark.skipif(
    not hasattr(os, "killpg"), reason="finds orphans by their process group, which this system has not"
)


@contextlib.contextmanager
def begun(folder: Path, sleep: str, ends_within: float) -> Iterator[tuple[subprocess.Popen, Callable[[], None]]]:
    """A comparison of which one job of four is finished, and what holds of the same command then.

    No process of it is left behind when the `with` ends, whatever happened in it.
    """
    (folder / "sleepers.py").write_text(SLEEPERS)
    (folder / "tmp").mkdir()
    program = "import sleepers; from simulations.command_line import main; main()"
    command = [sys.executable, "-c", program, "compare", "cued_digits"]
    command += ["--jobs", "2", "--seeds", "4", "--out", str(folder / "run"), *TINY[:-2]]
    environment = {**ENVIRONMENT, "PYTHONPATH": str(folder), "TMPDIR": str(folder / "tmp")}
    running = subprocess.Popen(
        command,
        env={**environment, "SLEEP": sleep},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    kept = folder / "run" / "records" / "seed-0000" / "sleeper.json"

    def goes_on() -> None:
        stamp = kept.stat().st_mtime_ns
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        assert "4/4 jobs" in done.stderr and kept.stat().st_mtime_ns == stamp

    try:
        _wait(lambda: kept.exists() or running.poll() is not None, 60)
        yield running, goes_on
        _wait(lambda: not _alive(running.pid), ends_within)
        assert not _alive(running.pid), "processes are left behind"
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(running.pid, signal.SIGKILL)


@pytest.mark.full
@needs_groups
@pytest.mark.parametrize("to_all", [True, False], ids=["as a terminal does, to all processes", "to the program alone"])
def test_ctrl_c_leaves_no_process_and_the_same_command_goes_on(tmp_path, to_all):
    with begun(tmp_path, "1", ends_within=10) as (running, goes_on):
        (os.killpg if to_all else os.kill)(running.pid, signal.SIGINT)
        out, err = running.communicate(timeout=30)
    assert running.returncode == 130 and out == "" and "Traceback" not in err
    assert "interrupted: 1 of 4 jobs are finished" in err and "the same command goes on" in err
    assert not (tmp_path / "run" / "summary.json").exists()
    if not to_all:
        goes_on()


def test_an_interruption_that_a_library_turned_into_another_error_is_still_one(capsys, monkeypatch):
    from simulations.command_line import stopping
    from simulations.command_line.program import guarded

    @guarded
    def command() -> None:
        try:
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(10)
        except KeyboardInterrupt:
            raise ValueError("no broadcasting of half a thing") from None

    before = signal.getsignal(signal.SIGINT)
    monkeypatch.setattr(stopping, "_unsafe", lambda frame: False)  # a worker of pytest-xdist is the text of an exec itself
    with pytest.raises(typer.Exit) as left, stopping.interrupting(last=False):
        command()
    assert left.value.exit_code == 130 and capsys.readouterr().err == "interrupted.\n"
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.full
@needs_groups
def test_a_compare_killed_outright_leaves_no_process_and_the_same_command_goes_on(tmp_path):
    with begun(tmp_path, "alone", ends_within=20) as (running, goes_on):
        running.kill()
        running.wait()
    assert len(list((tmp_path / "tmp").glob("plasticity-*"))) == 1
    goes_on()
    assert list((tmp_path / "tmp").glob("plasticity-*")) == []


def _alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def _wait(condition, seconds: float) -> None:
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.05)
