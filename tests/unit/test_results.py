"""A result is one thing, whichever command wrote it: summary, tables, figures, sections, frame, command, references."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

import simulations
from bridges.comparison import Comparison, compare
from plasticity.errors import PlasticityError, WrongUse
from plasticity.files import write_json
from plasticity.registry import Registry
from plasticity.settings import setting
from plasticity.tasks import CuedDigits
from simulations.figures.kinds import line, panel
from simulations.frame import results, terminal
from simulations.frame.apart import SeedsApart, of
from simulations.frame.checks import near
from simulations.frame.execute import execute
from simulations.frame.experiment import Experiment
from simulations.frame.sweep import sweep

REFERENCE = Path(__file__).resolve().parents[2] / "results" / "reference"


@dataclass(frozen=True)
class Throw(Experiment):
    """Dice thrown for each seed."""

    name = "throw"
    summary = "the mean of many dice"
    source = "Pearson 1900, doi:10.1080/14786440009463897"
    default_seeds = 3
    compiled = False
    uses = ("pair_stdp",)

    dice: int = setting(60, "dice in a throw", "dice", low=1)

    def run(self, seed):
        return {"means": np.random.default_rng(seed).integers(1, 7, self.dice).mean()}

    def numbers(self, a):
        return {"mean": float(a["means"].mean()), "spread": {"mean": 1.0, "low": 0.5, "high": None}, "list": [1, 2]}

    def checks(self, a):
        yield near("mean", 3.5, a["means"].mean(), 1.0, kind="closed_form", source="the mean of 1 to 6")
        yield near("six", 6.0, 3.5, 0.1, kind="paper", source="never, doi:10.1000/Nothing")

    def figures(self, a):
        return {"throws": panel(line(range(len(a["means"])), a["means"], "o"), x="seed", y="mean")}


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """A comparison, an experiment and a sweep."""
    top = tmp_path_factory.mktemp("results")
    task = CuedDigits(train=60, validation=20, test=40)
    compare(["mlp", "guessing"], task, [0, 1], 1, top / "compare", settings={"mlp": {"epochs": "2", "hidden": "8"}})
    execute(Throw(dice=50), top / "run", [0, 1], 1)
    sweep(Throw, {"dice": ["10", "600"]}, [0, 1, 2], jobs=1, out=top / "sweep")
    return top


@pytest.fixture(autouse=True)
def with_throw(monkeypatch):
    monkeypatch.setattr(simulations, "SIMULATIONS", Registry("simulation", [Throw]))


@pytest.mark.full
@pytest.mark.parametrize("name", ["compare", "run", "sweep"])
def test_every_kind_of_result_can_be_asked_for_the_same(folders, name, tmp_path):
    result = results.load(folders / name)
    assert result.configuration["command"] == name and result.folder == folders / name
    kept = json.loads((folders / name / "summary.json").read_text())
    assert (
        kept.pop("sha256")
        and kept.pop("format")
        and json.loads(json.dumps(result.summary())) == {**kept, "out": str(folders / name)}
    )
    figures = result.figures()
    assert figures and {path.stem for path in result.draw(tmp_path)} == set(figures)
    assert {path.suffix for path in result.draw(tmp_path, svg=True, force=True)} == {".png", ".svg"}
    assert [section.name for section in result.sections()][0] == "result"
    assert result.lead() in result.page() and result.write_report(tmp_path / "page.html").read_text() == result.page()
    assert not result.frame().empty and result.references()
    console = Console(width=100)
    with console.capture() as caught:
        console.print(*result.tables(100))
    assert "\N{HORIZONTAL ELLIPSIS}" not in caught.get()


def test_the_frame_of_a_comparison_has_a_row_for_each_learner_and_seed(folders):
    frame = results.load(folders / "compare").frame()
    assert len(frame) == 4 and list(frame.columns[:4]) == ["task", "learner", "side", "seed"]
    comparison = Comparison.load(folders / "compare")
    for name in comparison.learners:
        mine = frame[frame.learner == name].set_index("seed").accuracy
        np.testing.assert_array_equal(mine[comparison.seeds], comparison.numbers(name, "accuracy"))
    assert frame.groupby("learner").accuracy.mean()["mlp"] == pytest.approx(comparison.numbers("mlp", "accuracy").mean())


def test_the_frame_of_an_experiment_has_a_row_for_each_check(folders):
    frame = results.load(folders / "run").frame()
    assert list(frame.columns) == ["simulation", "name", "published", "ours", "tolerance", "source", "holds", "kind"]
    assert list(frame.holds) == [True, False] and list(frame.name) == ["mean", "six"]


def test_the_frame_of_a_sweep_has_a_row_for_each_point_seed_and_measure(folders):
    frame = results.load(folders / "sweep").frame()
    assert list(frame.columns) == ["dice", "seed", "measure", "value"] and len(frame) == 2 * 3 * 2
    means = frame[(frame.measure == "mean") & (frame.dice == "10")].set_index("seed").value
    assert means[1] == np.random.default_rng(1).integers(1, 7, 10).mean()


def test_without_pandas_a_frame_says_what_to_type(folders, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(PlasticityError, match="type: pip install pandas"):
        results.load(folders / "run").frame()


def test_nothing_imports_pandas_before_it_is_asked_for():
    import subprocess

    code = "import sys; from simulations.frame import results; sys.exit('pandas' in sys.modules or 'torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 0


def test_a_result_says_what_to_type_for_the_same_again(folders):
    assert results.load(folders / "run").command("results/x") == "plasticity run throw --set dice=50 --seeds 2 --out results/x"
    again = results.load(folders / "sweep").command("results/x")
    assert again == "plasticity sweep throw --grid dice=10,600 --seeds 3 --out results/x"
    told = results.load(folders / "compare").command("results/x")
    assert told.startswith("plasticity compare cued_digits --learners mlp,guessing") and "--set mlp.epochs=2" in told


def test_references_are_those_of_the_parts_and_of_the_checks(folders):
    found = results.load(folders / "run").references()
    assert {"10.1038/78829", "10.1080/14786440009463897", "10.1000/Nothing"} <= set(found)


def test_the_measures_of_a_sweep_are_chosen_where_it_is_loaded(folders):
    (figure,) = results.load(folders / "sweep", ["mean"]).figures().values()
    assert [axis.get_title("left") for axis in figure.axes] == ["mean"]
    with pytest.raises(WrongUse, match="unknown measure 'height'"):
        results.load(folders / "sweep", ["height"]).figures()


def test_an_experiment_is_told_with_its_intervals_its_few_seeds_and_its_changed_settings(folders):
    console = Console(width=160)
    with console.capture() as caught:
        for thing in results.load(folders / "run").tables(160):
            console.print(thing)
    text = " ".join(caught.get().split())
    assert "the default is 3 seeds." in text and "the checks are meant for the default settings; here dice=50." in text
    assert "checks that hold, by kind: paper 0 of 1, closed form 1 of 1." in text
    assert "list" not in text  # more than one number has no line of its own


def test_what_is_not_finished_is_told_when_it_is_asked_for(folders, tmp_path):
    for name in ("run", "sweep", "compare"):
        shutil.copytree(folders / name, tmp_path / name)
        for file in (tmp_path / name / "records").rglob("*.json"):
            file.unlink()
        (tmp_path / name / "summary.json").unlink()
        result = results.load(tmp_path / name)
        assert result.references()  # what was asked for is known
        with pytest.raises(PlasticityError, match="finished"):
            result.summary()


def test_a_folder_without_a_run_is_refused(tmp_path):
    with pytest.raises(WrongUse, match="holds no run"):
        results.load(tmp_path)


def test_arrays_that_are_left_out_leave_what_to_cite(tmp_path):
    found = results.load(REFERENCE / "cued_digits_mnist8").references()
    assert "10.1109/5.726791" in [name.lower() for name in found]  # MNIST


@pytest.mark.parametrize("name", ["run", "sweep"])
def test_a_run_is_finished_after_what_completes_it_and_the_same_again_does_that_alone(tmp_path, monkeypatch, name):
    def again(complete):
        if name == "run":
            execute(Throw(), tmp_path / "a", [0, 1], 1, complete=complete)
        else:
            sweep(Throw, {"dice": ["10", "600"]}, [0, 1], jobs=1, out=tmp_path / "a", complete=complete)

    def full(*_, **__):
        raise PlasticityError("the disk is full.")

    ran = Throw.run
    with pytest.raises(PlasticityError, match="the disk is full"):
        again(full)
    assert not (tmp_path / "a" / "summary.json").exists()
    monkeypatch.setattr(Throw, "run", full)  # nothing is run again
    again(lambda: results.load(tmp_path / "a").complete())
    assert (tmp_path / "a" / "report.html").exists() and list((tmp_path / "a" / "figures").glob("*.png"))
    monkeypatch.setattr(Throw, "run", ran)
    with pytest.raises(WrongUse, match="holds a finished run"):
        again(None)


def test_a_comparison_is_finished_after_what_completes_it(tmp_path):
    task = CuedDigits(train=60, validation=20, test=40)

    def again(complete):
        return compare(["guessing"], task, [0, 1], 1, tmp_path / "a", complete=complete)

    def full(_):
        raise PlasticityError("the disk is full.")

    with pytest.raises(PlasticityError, match="the disk is full"):
        again(full)
    assert not (tmp_path / "a" / "summary.json").exists()
    seen = []
    again(lambda found: seen.append(found.seeds))
    assert seen == [[0, 1]] and (tmp_path / "a" / "summary.json").exists()


@pytest.fixture
def a_run(tmp_path):
    execute(Throw(), tmp_path / "a", [0, 1], 1)
    return results.load(tmp_path / "a")


def test_page_and_figures_go_over_nothing_but_their_own(a_run, tmp_path):
    page, drawings = tmp_path / "page.html", tmp_path / "drawings"
    assert a_run.write_report(page) == page and len(a_run.draw(drawings)) == 1
    for again in (lambda: a_run.write_report(page), lambda: a_run.draw(drawings)):
        with pytest.raises(WrongUse, match="is there already; give another name, or replace it with --force"):
            again()
    a_run.write_report(page, force=True)
    a_run.draw(drawings, force=True)
    before = (a_run.folder / "run.json").read_bytes()
    mine = tmp_path / "thesis.html"
    mine.write_text("<!DOCTYPE html> years of work")
    for target in (a_run.folder / "run.json", mine):
        with pytest.raises(WrongUse, match="is nothing that this command writes"):
            a_run.write_report(target, force=True)
    assert (a_run.folder / "run.json").read_bytes() == before and "years" in mine.read_text()
    (drawings / "throws.png").write_text("a photo")
    with pytest.raises(WrongUse, match="is nothing that this command writes"):
        a_run.draw(drawings, force=True)


@pytest.mark.parametrize("kind", ["a link", "a pipe (FIFO)", "a device", "a folder"])
def test_page_and_figures_go_to_plain_files_alone(a_run, tmp_path, kind):
    target = tmp_path / "throws.png"
    if kind == "a link":
        (tmp_path / "precious").write_text("years of work")
        target.symlink_to(tmp_path / "precious")
    elif kind == "a pipe (FIFO)":
        os.mkfifo(target)
    elif kind == "a folder":
        target.mkdir()
    else:
        target = Path(os.devnull)
    for force in (False, True):
        with pytest.raises(WrongUse, match=re.escape(f"{target} is {kind}, no plain file")):
            a_run.write_report(target, force)
        if kind != "a device":
            with pytest.raises(WrongUse, match=re.escape(f"{target} is {kind}, no plain file")):
                a_run.draw(tmp_path, force=force)
    assert kind != "a device" or Path(os.devnull).is_char_device()
    assert kind != "a link" or (tmp_path / "precious").read_text() == "years of work"


def test_links_within_the_folder_of_a_run_are_not_followed(a_run, tmp_path):
    (tmp_path / "precious").mkdir()
    for name in ("figures", "report.html"):
        place = a_run.folder / name
        shutil.rmtree(place) if place.is_dir() else place.unlink(missing_ok=True)
        place.symlink_to(tmp_path / "precious")
    for write in (a_run.draw, a_run.write_report):
        with pytest.raises(WrongUse, match="is a link; remove it"):
            write()
    assert not list((tmp_path / "precious").iterdir())


def test_what_a_terminal_would_obey_is_not_printed(capsys):
    terminal.show("a\x1b[2Jb\x07\tc", terminal.table("t\x1b", ["x"], [["d\x9b31m"]], 80))
    out = capsys.readouterr().out
    assert "a?[2Jb?" in out and "d?31m" in out and not {"\x1b", "\x07", "\x9b"} & {*out}


@dataclass(frozen=True)
class Apart(SeedsApart):
    """Seeds that are kept."""

    name, summary, source, compiled = "apart", "seeds that are kept", "test", False

    factor: float = setting(1.0, "of the seed", low=0, high=10)
    fails: int = setting(-1, "the seed that fails")

    def one(self, seed, tell, checkpoints):
        if seed == self.fails:
            raise PlasticityError("broken")
        return {"value": np.array(self.factor * seed)}

    def numbers(self, a):
        return {"value": float(sum(of(a, "value")))}

    def figures(self, a):
        return {}


def test_nothing_of_a_run_that_is_replaced_goes_into_the_new_one(tmp_path):
    with pytest.raises(PlasticityError, match="broken"):
        execute(Apart(fails=2), tmp_path / "run", [1, 2], jobs=1)
    assert list((tmp_path / "run").rglob("result.json"))
    assert execute(Apart(factor=3.0), tmp_path / "run", [1, 2], jobs=1, force=True)["numbers"] == {"value": 9}


def exchanged(one, other):
    """Two records, each under the name of the other."""
    for end in (".json", ".npz"):
        kept = one.with_suffix(end).read_bytes()
        one.with_suffix(end).write_bytes(other.with_suffix(end).read_bytes())
        other.with_suffix(end).write_bytes(kept)


@pytest.mark.parametrize(
    ("name", "one", "other"),
    [
        ("compare", "seed-0000/guessing", "seed-0001/guessing"),
        ("compare", "seed-0000/guessing", "seed-0000/mlp"),
        ("sweep", "point-000/seed-0000", "point-000/seed-0001"),
        ("sweep", "point-000/seed-0000", "point-001/seed-0000"),
    ],
)
def test_a_record_in_the_place_of_another_is_refused(tmp_path, name, one, other):
    path = tmp_path / "a"
    if name == "compare":
        task, settings = CuedDigits(train=60, validation=20, test=40), {"mlp": {"epochs": 1}}
        compare(["guessing", "mlp"], task, [0, 1], 1, path, settings=settings)
    else:
        sweep(Throw, {"dice": ["10", "600"]}, [0, 1], jobs=1, out=path)
    exchanged(path / "records" / one, path / "records" / other)
    with pytest.raises(PlasticityError, match="is the record of something else: (seed|learner|point: dice) is .* now"):
        results.load(path).summary()
    (path / "summary.json").unlink()
    with pytest.raises(PlasticityError, match="is the record of something else"):
        if name == "compare":
            compare(["guessing", "mlp"], task, [0, 1], 1, path, settings=settings)
        else:
            sweep(Throw, {"dice": ["10", "600"]}, [0, 1], jobs=1, out=path)


def test_the_record_of_another_run_is_refused(tmp_path):
    for place, dice in (("a", 10), ("b", 600)):
        execute(Throw(dice=dice), tmp_path / place, [0, 1], 1)
    exchanged(tmp_path / "a" / "records" / "outcome", tmp_path / "b" / "records" / "outcome")
    with pytest.raises(PlasticityError, match="is the record of something else: settings: dice is 600 there and 10 now"):
        results.load(tmp_path / "a").summary()
    (tmp_path / "a" / "summary.json").unlink()
    with pytest.raises(PlasticityError, match="is the record of something else"):
        execute(Throw(dice=10), tmp_path / "a", [0, 1], 1)


@pytest.mark.parametrize("key", ["seeds", "settings", "simulation", "with"])
def test_a_configuration_with_something_of_another_kind_is_damaged(tmp_path, key):
    execute(Throw(), tmp_path / "a", [0, 1], 1)
    told = json.loads((tmp_path / "a" / "run.json").read_text())
    write_json(tmp_path / "a" / "run.json", {"configuration": {**told["configuration"], key: 7}})
    with pytest.raises(PlasticityError, match=f"run.json is damaged .{key} in it cannot be"):
        results.load(tmp_path / "a")
