"""The page about a run: everything that it should hold, from the records alone, as valid HTML that a browser shows as meant."""

from __future__ import annotations

import base64
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import xml.etree.ElementTree
from dataclasses import asdict, dataclass, replace
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from sklearn.tree import DecisionTreeClassifier

import simulations
from bridges.comparison import Comparison, compare
from bridges.comparison.energy import EnergyTable
from bridges.comparison.run import configuration_of
from bridges.learners import LEARNERS, resolve
from bridges.models import MODELS
from plasticity import settings
from plasticity.errors import PlasticityError
from plasticity.files import read_sealed, write_sealed
from plasticity.gates import GATES, InputGain, NoGate
from plasticity.learners import SpikingClassifier
from plasticity.registry import Registry
from plasticity.rules import pair_stdp
from plasticity.settings import setting
from plasticity.tasks import TASKS, CuedDigits
from simulations import SIMULATIONS, figures
from simulations.command_line import main
from simulations.command_line.options import parse_seeds
from simulations.figures import comparison as drawing
from simulations.figures.kinds import line, panel
from simulations.frame import rerun, results
from simulations.frame.checks import Check, near
from simulations.frame.execute import execute
from simulations.frame.experiment import Experiment
from simulations.frame.on_task import by_owner
from simulations.frame.sweep import sweep
from simulations.report import common
from simulations.report import html as page

pytestmark = pytest.mark.full


REFERENCE = Path(__file__).parents[2] / "results" / "reference"
VOID = {"meta", "img", "br", "wbr", "hr", "input", "link"}
BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


class Reader(HTMLParser):
    """A page as what a test asks of it; a tag that closes another than the last open one is an error."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.tables: dict[str, list[list[str]]] = {}
        self.headings: list[tuple[int, str]] = []
        self.codes: list[str] = []
        self.title = ""
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "table":
            self.tables[self.title] = []
        elif tag == "tr":
            self.tables[self.title].append([])
        elif tag in ("th", "td"):
            self.tables[self.title][-1].append("")
        elif re.fullmatch(r"h[1-6]", tag):
            self.headings.append((int(tag[1]), ""))
        elif tag == "figcaption":
            self.title = ""
        elif tag == "pre":
            self.codes.append("")

    def handle_endtag(self, tag):
        assert self.open and self.open.pop() == tag, (tag, self.getpos())

    def handle_data(self, text):
        self.words.append(text)
        if "figcaption" in self.open:
            self.title += text
        if {"th", "td"} & {*self.open}:
            self.tables[self.title][-1][-1] += text
        if self.open and re.fullmatch(r"h[1-6]", self.open[-1]):
            level, before = self.headings.pop()
            self.headings.append((level, before + text))
        if "pre" in self.open:
            self.codes[-1] += text

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


@dataclass(frozen=True)
class Throw(Experiment):
    """Dice thrown for each seed.

    The mean of a die is::

        (1 + 2 + 3 + 4 + 5 + 6) / 6 = 3.5
    """

    name = "throw"
    summary = "the mean of many dice"
    source = "Pearson 1900, doi:10.1080/14786440009463897"
    default_seeds = 3
    uses = ("pair_stdp",)

    dice: int = setting(60, "dice in a throw", "dice", low=1)

    def run(self, seed):
        return {"means": np.random.default_rng(seed).integers(1, 7, self.dice).mean()}

    def numbers(self, a):
        return {"mean": float(a["means"].mean()), "parts": [{"a": 1, "b": {"mean": 2.0}}]}

    def checks(self, a):
        yield near("mean", 3.5, a["means"].mean(), 1.0, kind="closed_form", source="the mean of 1 to 6")
        yield near("six", 6.0, 3.5, 0.1, kind="own", source="never")

    def figures(self, a):
        places = range(len(a["means"]))
        return {"throws": panel(line(places, a["means"], "o"), x="seed", y=r"mean $\mathrm{die}$ (eyes)")}


@pytest.fixture
def with_throw(monkeypatch):
    monkeypatch.setattr(simulations, "SIMULATIONS", Registry("simulation", [Throw]))


@pytest.fixture(scope="module")
def cued(tmp_path_factory):
    """Three seeds of the reference run of cued digits, in a folder of their own."""
    folder = tmp_path_factory.mktemp("page") / "cued_digits"
    shutil.copytree(REFERENCE / "cued_digits", folder)
    asked = read_sealed(folder / "run.json")
    asked["configuration"]["seeds"] = [0, 1, 2]
    write_sealed(folder / "run.json", asked)
    return folder


@pytest.fixture(scope="module")
def written(cued, tmp_path_factory):
    """Its page, as the program writes it in a process of its own, where sets have an order of their own."""
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    shutil.copytree(cued, elsewhere / "cued_digits")
    command = [sys.executable, "-m", "simulations", "report", "cued_digits", "--out", "page.html", "--json"]
    environment = {**os.environ, "PYTHONHASHSEED": "12345", "PYTHONPATH": str(REFERENCE.parents[1]), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=elsewhere, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"report": "page.html", "out": "cued_digits"}
    return (elsewhere / "page.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def read(written):
    return Reader(written)


TASK = CuedDigits(train=60, validation=20, test=40)


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A comparison of learners from the registry and one that was given in Python, two seeds."""
    folder = tmp_path_factory.mktemp("small") / "run"
    chosen = {"mlp": {"epochs": "2", "hidden": "8"}}
    compare(["mlp", ("tree", DecisionTreeClassifier(max_depth=4)), "guessing"], TASK, [0, 1], 1, folder, settings=chosen)
    return folder


def told(*arguments):
    """Runs the program in this process."""
    try:
        main([str(argument) for argument in arguments])
    except SystemExit as end:
        return end.code or 0
    return 0


# What the page holds


def test_the_parts_of_a_comparison_stand_in_their_order(read):
    parts = ["The result", "The question", "The learners", "More figures", "Every seed", "Fairness", "Costs", "Likeness"]
    parts += ["Identity checks", "Settings of the learners", "To run it again", "References"]
    assert [text for level, text in read.headings if level == 2] == parts


def test_the_question_says_what_is_shown_what_is_asked_chance_and_ceiling(read):
    for sentence in (TASKS["cued_digits"].summary, "the answer is the digit in the cued stream", "stratified by class"):
        assert sentence in read.text
    facts = dict(row[:2] for row in read.tables["Facts of the task"][1:])
    assert facts == {"chance": "10 %", "ceiling": "100 %", "classes": "10", "streams": "2", "without attention": "50 %"}
    assert ["train", "2000", "2000", "trials", "training trials"] in read.tables["Settings of the task cued_digits"]


def test_every_learner_is_told_with_its_equations_and_a_link_to_its_paper(read):
    for side, names in {"spiking": 4, "torch": 4, "control": 10}.items():
        _, *rows = read.tables[f"Who they are: {side}"]
        assert len(rows) == names and all(row[1] == LEARNERS[row[0]].summary for row in rows)
    assert "A Brian2 spiking network that learns by a local rule" in read.text and "dw = A_plus*pre_trace" in read.text
    assert "softmax(q K^T / sqrt(d)) V" in read.text
    symbols = read.tables["Symbols of pair_stdp"]
    assert ["A_plus", "largest potentiation by one pair, in units of the weight", "0.015"] in symbols
    links = {link["href"] for link in read.all("a")}
    papers = {
        "doi.org/10.3389/fncom.2015.00099",
        "arxiv.org/abs/1706.03762",
        "doi.org/10.1038/78829",
        "doi.org/10.1038/nature15398",
    }
    assert {f"https://{paper}" for paper in papers} <= links


def test_the_table_is_that_of_the_terminal(read, cued):
    comparison = Comparison.load(cued)
    wanted = comparison.table()
    shown = read.tables[str(wanted.title)]
    assert shown[0] == [str(column.header) for column in wanted.columns]
    assert shown[1:] == [list(row) for row in zip(*(column.cells for column in wanted.columns), strict=True)]
    assert len(shown) == 1 + len(comparison.learners) + len(comparison.groups)
    for told_below in comparison.caption().splitlines():
        assert " ".join(told_below.split()) in read.text
    assert "doi:10.1023/A:1024068626366" in read.text and "Holm-corrected" in read.text


def test_every_seed_of_every_learner_is_shown(read, cued):
    comparison = Comparison.load(cued)
    title, shown = "Test accuracy of every learner at every seed, %", []
    for part in (title, *(f"{title} (part {place})" for place in (2, 3))):
        head, *rows, foot = read.tables[part]
        assert [int(row[0]) for row in rows] == comparison.seeds
        for place, name in enumerate(head[1:-1], start=1):
            accuracies = 100 * comparison.numbers(name, "accuracy")
            assert [row[place] for row in rows] == [f"{value:.1f}" for value in accuracies]
            assert foot[place] == f"{accuracies.mean():.1f}"
        for seed, row in zip(comparison.seeds, rows, strict=True):
            assert comparison.records[seed, "mlp"].numbers["trials_sha256"].startswith(row[-1]) and len(row[-1]) == 12
        shown += head[1:-1]
    assert shown == comparison.learners


def test_every_figure_is_an_image_that_is_whole_and_said_in_words(read):
    images = {image["alt"].partition(":")[0].replace(" ", "_"): image for image in read.all("img")}
    assert len(images) == len(read.all("img"))
    for name in ("accuracy", "learning_curves", "weights", "receptive_fields", "attention"):
        kind, _, data = images[name]["src"].partition(",")
        drawn = xml.etree.ElementTree.fromstring(base64.b64decode(data))
        assert kind == "data:image/svg+xml;base64" and drawn.tag.endswith("svg")
        assert abs(int(images[name]["width"]) - float(drawn.get("width").removesuffix("pt")) * 96 / 72) < 1  # whole pixels
        assert " ".join(getattr(drawing, name).__doc__.split()) in read.text  # the caption says what is drawn
    assert "validation accuracy (%) over training trials shown, repeats counted" in images["learning_curves"]["alt"]
    assert "spiking gated, spiking no gate" in images["learning_curves"]["alt"]


def test_the_records_say_commit_versions_machine_and_time(read, cued):
    record = Comparison.load(cued).records[0, "mlp"].provenance
    facts = dict(read.tables["What ran it"])
    assert facts["records"] == "54" and facts["commit"] == f"{record['commit']}, no tracked file changed"
    assert f"torch {record['versions']['torch']}" in facts["versions"] and record["platform"] in facts["machine"]
    created = {found.provenance["created"] for found in Comparison.load(cued).records.values()}
    assert len(created) == 1  # one run made all of them
    assert facts["begun"] == f"{created.pop()[:19].replace('T', ' ')} UTC"


def test_the_references_are_those_of_cite_and_of_the_statistics(read, cued, capsys):
    told("cite", cued)
    wanted = set(capsys.readouterr().out.strip().split("\n\n"))
    shown = set(next(code for code in read.codes if code.startswith("@")).split("\n\n"))
    assert wanted < shown and {entry.partition("{")[2].partition(",")[0] for entry in shown - wanted} >= {
        "nadeau2003",
    }


def test_records_of_two_states_of_the_code_are_told_apart(small):
    records = list(Comparison.load(small).records.values())
    one = common.provenance(records)
    assert [block.title for block in one if block.kind == "table"] == ["What ran it"]
    other = replace(records[0], provenance={**records[0].provenance, "commit": "another"})
    two = common.provenance([other, *records[1:]])
    assert [block.title for block in two if block.kind == "table"] == ["What ran it, 1 of 2", "What ran it, 2 of 2"]
    assert any(block.kind == "text" and block.note for block in two)


def test_identity_checks_of_a_run_beside_it_are_shown_and_else_what_to_type(read, tmp_path, small):
    assert "plasticity run identities" in read.text
    shutil.copytree(small, tmp_path / "run")
    checks = [near("kernel attention without softmax = Hebb", 0.0, 1e-16, 1e-12, kind="closed_form", source="a proof").to_json()]
    write_sealed(tmp_path / "identities" / "summary.json", {"simulation": "identities", "numbers": {}, "checks": checks})
    found = Reader(results.load(tmp_path / "run").page())
    assert found.tables["identities: 1 of 1 checks hold"][1][0] == "kernel attention without softmax = Hebb"
    assert "plasticity run identities" not in found.text


# Parts that say themselves how they are shown


def test_a_part_of_the_summary_becomes_a_table_with_units_formats_and_notes():
    value = {
        "title": "Energy",
        "text": "Estimates.",
        "columns": [{"key": "learner"}, {"key": "energy", "title": "to learn", "unit": "nJ", "format": ".3g"}, {"key": "right"}],
        "rows": [
            {"learner": "mlp", "energy": {"mean": 1.23456, "low": 1.0, "high": 1.5}, "right": True},
            {"learner": "guessing", "energy": None, "right": False},
        ],
        "notes": ["One.", "Two, doi:10.1109/ISSCC.2014.6757323."],
    }
    above, table = page.given("Costs", value)
    assert above.text == "Estimates." and table.title == "Energy" and list(table.notes) == value["notes"]
    assert table.columns == ["learner", "to learn (nJ)", "right"] and table.numbers == {1, 2}
    assert table.rows == [["mlp", "1.23 [1, 1.5]", "yes"], ["guessing", "\N{EN DASH}", "no"]]


def test_rows_alone_several_tables_and_no_rows_are_understood():
    (table,) = page.given("Fairness", [{"what": "trials", "alike": True}])
    assert table.title == "Fairness" and table.columns == ["what", "alike"] and table.rows == [["trials", "yes"]]
    several = page.given("Likeness", [{"title": "A", "rows": [{"x": 1}]}, {"title": "B", "rows": []}])
    assert several[0].title == "A" and several[1].text == "Not in these records: B."
    assert page.given("Likeness", []) == []


@pytest.mark.parametrize(
    ("value", "pattern", "text"),
    [
        (0.123456, "", "0.1235"),
        (1200, ",.0f", "1,200"),
        (-0.001, ".2f", "0.00"),
        (-0.5, ".1f", "-0.5"),
        (float("nan"), "", "\N{EN DASH}"),
        ([1, 2.5], "", "1, 2.5"),
        (list(range(20)), "", "20 numbers from 0 to 19"),
        ({"median": 3.0, "low": None, "high": None}, "", "3"),
        ({"name": "none"}, "", "none"),
        ({"name": "pair_stdp", "parameters": {"tau_plus": "20. ms"}}, "", "pair_stdp(tau_plus=20 ms)"),
    ],
)
def test_anything_in_a_summary_has_its_text(value, pattern, text):
    assert page.cell(value, pattern) == text


# Text


def described():
    entries = {f"learner {name}": entry.build() for name, entry in LEARNERS.items() if entry.side != "control"}
    entries |= {f"gate {name}": entry for name, entry in GATES.items()}
    for registry in (MODELS, TASKS, SIMULATIONS):
        entries |= {f"{registry.kind} {name}": entry for name, entry in registry.items()}
    return entries


@pytest.mark.parametrize("name", described())
def test_no_word_of_a_description_is_lost(name):
    import inspect

    text = re.split(r"^\w[\w ]*\n-{3,}$", inspect.getdoc(described()[name]) or "", flags=re.MULTILINE)[0]
    blocks = page.prose(text)
    shown = " ".join(" ".join(block.items) if block.kind == "listing" else block.text for block in blocks)
    bare = re.sub(r"^- ", "", re.sub(r"::$", ":", text, flags=re.MULTILINE), flags=re.MULTILINE)
    assert shown.split() == bare.split()


def test_dois_become_links_with_the_brackets_that_belong_to_them():
    text = "Bi (2001, doi:10.1016/S0896-6273(01)00451-2); `x < y` & arXiv:1706.03762."
    assert page.inline(text) == (
        'Bi (2001, <a href="https://doi.org/10.1016/S0896-6273(01)00451-2"><span>doi:10.1016/S0896-6273(01)00451-2</span></a>); '
        '<code>x &lt; y</code> &amp; <a href="https://arxiv.org/abs/1706.03762"><span>arXiv:1706.03762</span></a>.'
    )


def test_a_figure_without_words_of_its_own_is_told_by_its_labels():
    with figures.style():
        figure, axes = figures.new(4, 3, columns=2)
        axes[0, 0].plot([0, 1], label="simulated")
        axes[0, 0].set(xlabel=r"lag $t_\mathrm{post} - t_\mathrm{pre}$ (ms)", ylabel="change")
        axes[0, 0].set_title("window", loc="left")
        axes[0, 1].set_axis_off()
        (picture,) = page.pictures({"two_sides": figure}, {})
    assert picture.title == "Two sides"
    assert picture.caption == "Drawn: window: change over lag t_post - t_pre (ms) (simulated)."
    assert picture.alt == "two sides: 1 panel. window: change over lag t_post - t_pre (ms) (simulated)."


# HTML


def check_html(text):
    found = Reader(text)
    assert text.startswith("<!DOCTYPE html>") and found.all("html") == [{"lang": "en"}]
    assert {"name": "viewport", "content": "width=device-width, initial-scale=1"} in found.all("meta")
    names = [attributes["id"] for _, attributes in found.tags if "id" in attributes]
    assert len(names) == len(set(names))
    for _, attributes in found.tags:
        assert attributes.get("aria-labelledby", names[0]) in names
        assert not [name for name in attributes if name.startswith("on")]
    assert all(head["scope"] in ("col", "row") for head in found.all("th")) and all(image["alt"] for image in found.all("img"))
    levels = [level for level, _ in found.headings]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after <= before + 1 for before, after in zip(levels, levels[1:], strict=False))
    for link in found.all("a"):
        assert link["href"].removeprefix("#") in names or re.match(r"https://(doi\.org|arxiv\.org)/", link["href"])
    assert not {"script", "link", "iframe", "object", "embed", "base", "form"} & {tag for tag, _ in found.tags}
    assert {image["src"][:5] for image in found.all("img")} <= {"data:"}
    style = text[text.index("<style>") : text.index("</style>")]
    assert "url(" not in style and "@import" not in style
    assert len(text) < 5e6
    return found


def test_the_page_is_valid_html_that_needs_nothing_from_elsewhere(written):
    check_html(written)


def test_a_page_that_closes_the_wrong_tag_is_not_valid(written):
    with pytest.raises(AssertionError):
        check_html(written.replace("</main>", "</div>"))
    with pytest.raises(AssertionError):
        check_html(written.replace("<h2 ", "<h4 ", 1).replace("</h2>", "</h4>", 1))


def test_text_stands_out_from_its_ground_in_light_and_dark(written):
    def luminance(colour):
        parts = np.array([int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)])
        return np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4) @ [0.2126, 0.7152, 0.0722]

    schemes = [dict(re.findall(r"--(\w+): (#\w{6})", line)) for line in re.findall(r":root \{.*\}", written)]
    assert len(schemes) == 3  # light, dark, print
    for colours in schemes:
        for ink in ("ink", "soft", "link"):
            for ground in ("paper", "shade", "note"):
                bright, dark = sorted((luminance(colours[ink]), luminance(colours[ground])), reverse=True)
                assert (bright + 0.05) / (dark + 0.05) >= 4.5, (ink, ground, colours)  # WCAG 2.2, level AA, 1.4.3


NASTY = "<script>document.title = 'owned'</script>\"'><img src=x onerror=\"document.title = 'owned'\">"


@pytest.fixture(scope="module")
def nasty(small, tmp_path_factory):
    """Markup wherever a user can put text: settings, parameters, records; the page of that folder."""
    folder = tmp_path_factory.mktemp("nasty") / "run"
    shutil.copytree(small, folder)
    told = read_sealed(folder / "run.json")
    told["configuration"]["settings"]["data"] = NASTY
    told["configuration"]["facts"][NASTY] = 1
    told["configuration"]["parameters"]["mlp"]["device"] = NASTY
    told["configuration"]["parameters"]["tree"][NASTY] = {"name": NASTY, "parameters": {NASTY: NASTY}}
    write_sealed(folder / "run.json", told)
    for file in (folder / "records").rglob("*.json"):
        record = read_sealed(file)
        record["provenance"] |= {"platform": NASTY, "commit": NASTY, "created": NASTY}
        of_run = told["configuration"]
        record["configuration"] |= {key: of_run[key] for key in ("settings", "facts")}
        record["configuration"]["parameters"] = of_run["parameters"][record["configuration"]["learner"]]
        write_sealed(file, record)
    checks = [Check(NASTY, NASTY, NASTY, NASTY, f"{NASTY} doi:10.1000/{NASTY}", True, "own").to_json() | {"kind": NASTY}]
    write_sealed(folder / "identities" / "summary.json", {"simulation": "identities", "numbers": {}, "checks": checks})
    return results.load(folder).page()


def test_no_text_of_a_user_becomes_markup(nasty):
    found = check_html(nasty)
    assert found.text.count("document.title") >= 8  # it is shown as it was written
    assert found.all("img") and all(image["src"].startswith("data:") for image in found.all("img"))
    assert not [tag for tag, attributes in found.tags if tag == "script" or "onerror" in attributes]


# The same records, the same bytes


def test_the_same_records_give_the_same_bytes_in_another_process_and_place(written, cued):
    assert results.load(cued).write_report().read_text(encoding="utf-8") == written


# What is not there


def test_an_interrupted_comparison_says_what_is_missing(small, tmp_path):
    shutil.copytree(small, tmp_path / "run")
    for name in ("seed-0001/mlp", "seed-0000/tree", "seed-0001/tree"):
        for kind in ("json", "npz"):
            (tmp_path / "run" / "records" / f"{name}.{kind}").unlink()
    (tmp_path / "run" / "summary.json").unlink()
    found = check_html(results.load(tmp_path / "run").page())
    assert "Not finished: 3 of 6 jobs have no record yet." in found.text
    assert "mlp: seeds 1 missing" in found.text and "tree: every seed missing" in found.text and "guessing: " not in found.text
    head, *rows, _ = found.tables["Test accuracy of every learner at every seed, %"]
    assert head[1:-1] == ["mlp", "guessing"] and rows[1][1] == "missing" and rows[0][1] != "missing"
    assert "--out results/run" in found.text and "run_again" not in found.text
    for file in (tmp_path / "run" / "records").rglob("*.json"):
        file.unlink()
    with pytest.raises(PlasticityError, match="no finished record"):
        results.load(tmp_path / "run").page()


@pytest.mark.parametrize("made", [True, False], ids=["empty", "missing"])
def test_a_folder_that_holds_nothing_is_one_sentence(tmp_path, capsys, made):
    folder = tmp_path / "nothing"
    if made:
        folder.mkdir()
    assert told("report", folder) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.startswith("error: ") and "holds no run" in err and err.count("\n") == 1
    assert not (folder / "report.html").exists()


def test_a_page_that_cannot_be_written_is_one_sentence_and_the_old_one_stays(small, tmp_path, capsys):
    (tmp_path / "taken").write_text("a file where a folder should be")
    assert told("report", small, "--out", tmp_path / "taken" / "page.html") == 1
    assert "--out" in capsys.readouterr().err and (tmp_path / "taken").read_text() == "a file where a folder should be"


# The command


@pytest.mark.parametrize(
    ("task", "learners", "chosen"),
    [
        (CuedDigits(), None, {}),
        (CuedDigits(data="mnist", train=5000), ["spiking_gated", "mlp"], {"mlp": {"hidden": "8", "learning_rate": "0.001"}}),
        (TASKS["digits"](), None, {"torch": {"epochs": "3"}, "diehl_cook": {"neurons": "49"}}),
        (CuedDigits(), ["spiking_gated", "spiking_no_gate"], {"spiking": {"max_rate_hz": "60", "passes": "2"}}),
        (CuedDigits(), ["spiking_gated"], {"spiking_gated": {"gate": "shuffled_gate", "gate.attended": "3"}}),
        (CuedDigits(), ["spiking_gated", "spiking_equal_gain"], {"spiking": {"gate.attended": "3"}}),
        (CuedDigits(), ["spiking_gated", "guessing"], {"spiking": {"rule": "triplet_stdp"}, "guessing": {"strategy": "prior"}}),
        (CuedDigits(), ["spiking_gated"], {"spiking": {"rule": "pair_stdp"}}),
        (CuedDigits(), ["spiking_gated"], {"spiking_gated": {"rule.A_plus": "0.02", "rule.tau_minus": "25.5"}}),
        (CuedDigits(), ["spiking_gated"], {"spiking_gated": {"rule": "triplet_stdp", "rule.tau_x": "90"}}),
        (TASKS["digits"](), ["diehl_cook"], {"diehl_cook": {"rule.A_plus": "0.02", "neurons": "49"}}),
    ],
)
def test_the_command_gives_the_same_configuration_again(task, learners, chosen):
    configuration = configuration_of(task, resolve(learners, chosen, task), [0, 3, 4, 9])
    table = EnergyTable(sram_pj=2.5)
    configuration["energy"] = asdict(table)
    command, unsaid = rerun.words(configuration, "results/x")
    assert not unsaid and command[:3] == ["plasticity", "compare", task.name] and command[-2:] == ["--out", "results/x"]
    options = list(zip(command[3::2], command[4::2], strict=True))
    given = settings.parse(value for option, value in options if option == "--set")
    own, of_others = by_owner(given)
    assert settings.configure(EnergyTable, of_others.pop("energy")) == table
    made = settings.configure(type(task), own)
    named = dict(options)["--learners"].split(",")
    seeds = parse_seeds(dict(options)["--seeds"])
    assert configuration_of(made, resolve(named, of_others, made), seeds) == {
        key: value for key, value in configuration.items() if key != "energy"
    }


def test_what_was_given_in_python_is_said_to_be_missing_from_the_command():
    learners = [
        ("mlp", DecisionTreeClassifier()),
        ("mine", DecisionTreeClassifier()),
        "guessing",
        ("spiking_gated", SpikingClassifier(rule=pair_stdp(A_plus=0.5), gate=InputGain(attended=4))),
        ("spiking_no_gate", SpikingClassifier(rule=replace(pair_stdp, name="mine"), gate=NoGate())),
    ]
    command, unsaid = rerun.words(configuration_of(CuedDigits(), resolve(learners, {}, CuedDigits()), [5]), "x")
    assert unsaid == ["the learner mlp", "the learner mine", "the learner spiking_no_gate"]
    rule = "--set spiking_gated.rule.A_plus=0.5 --set spiking_gated.rule.A_minus=0.0105"
    wanted = f"--learners guessing,spiking_gated --set spiking_gated.gate.attended=4 {rule} --seeds 5, --out x"
    assert shlex.join(command) == f"plasticity compare cued_digits {wanted}"


def test_the_command_on_the_page_can_be_typed(small, tmp_path, monkeypatch, capsys):
    found = Reader(results.load(small).page())
    command = next(code for code in found.codes if code.startswith("plasticity compare"))
    assert "the learner tree" in found.text
    monkeypatch.chdir(tmp_path)
    assert told(*shlex.split(command)[1:], "--jobs", "1") == 0
    assert "report:  results/run_again/report.html" in capsys.readouterr().out
    before, after = (read_sealed(folder / "run.json")["configuration"] for folder in (small, tmp_path / "results" / "run_again"))
    assert after.pop("learners") == ["mlp", "guessing"]
    for key, value in after.items():
        wanted = {name: before[key][name] for name in value} if key in ("sides", "parameters", "given", "learns") else before[key]
        assert value == wanted
    one, other = Comparison.load(small), Comparison.load(tmp_path / "results" / "run_again")
    np.testing.assert_array_equal(one.numbers("mlp", "accuracy"), other.numbers("mlp", "accuracy"))
    check_html((tmp_path / "results" / "run_again" / "report.html").read_text(encoding="utf-8"))


def test_a_run_that_replaces_another_takes_its_page_away(small, tmp_path):
    shutil.copytree(small, tmp_path / "run")
    page_ = results.load(tmp_path / "run").write_report()
    compare(["guessing"], TASK, [0], 1, tmp_path / "run", force=True)
    assert not page_.exists() and (tmp_path / "run" / "summary.json").exists()


@pytest.mark.parametrize(
    ("seeds", "text"), [([0], "1"), ([0, 1, 2], "3"), ([4], "4,"), ([1, 2, 3], "1-3"), ([3, 1], "3,1"), ([0, 2, 3], "0,2-3")]
)
def test_seeds_are_told_as_they_are_typed(seeds, text):
    assert rerun.seeds(seeds) == text and parse_seeds(text) == seeds


# Simulations and sweeps


def test_the_page_of_a_simulation_tells_its_checks_numbers_and_figures(tmp_path, with_throw):
    execute(Throw(dice=50), tmp_path / "run", [0, 1], 1)
    found = check_html(results.load(tmp_path / "run").page())
    parts = ["The result", "The question", "What it is made of", "Numbers", "To run it again", "References"]
    assert [text for level, text in found.headings if level == 2] == parts
    assert (
        "The mean of many dice. A simulation, 2 seeds; 1 of 2 checks hold. By kind: closed form 1 of 1, own 0 of 1." in found.text
    )
    assert "The checks are meant for the default settings; here dice=50." in found.text
    assert "(1 + 2 + 3 + 4 + 5 + 6) / 6 = 3.5" in found.codes[0] and "dw = A_plus*pre_trace" in found.text
    assert [row[4] for row in found.tables["throw: 1 of 2 checks hold"][1:]] == ["yes", "NO: too few\nseeds to tell"]
    assert found.tables["What the run found"][1][0] == "mean" and found.tables["parts"] == [["a", "b"], ["1", "2"]]
    assert found.all("img")[0]["alt"] == "throws: 1 panel. mean die (eyes) over seed."
    assert any(code == "plasticity run throw --set dice=50 --seeds 2 --out results/run_again" for code in found.codes)
    assert "https://doi.org/10.1080/14786440009463897" in {link["href"] for link in found.all("a")}


@pytest.mark.parametrize("seeds, failed", [(2, "NO: too few\nseeds to tell"), (3, "NO")])
def test_a_check_that_fails_for_too_few_seeds_says_so_in_its_line(tmp_path, with_throw, seeds, failed):
    execute(Throw(), tmp_path / "run", range(seeds), 1)  # its default is 3 seeds
    result = results.load(tmp_path / "run")
    *_, checks = (table for table in result.tables(200) if not isinstance(table, str))
    holds = next(column for column in checks.columns if column.header == "holds")
    assert [str(cell) for cell in holds.cells] == ["yes", failed] and f"<td>{failed}</td>" in result.html()


def test_the_page_of_a_sweep_shows_every_point_and_seed(tmp_path, with_throw):
    swept = sweep(Throw, {"dice": ["10", "600"]}, [0, 1, 2], jobs=1, out=tmp_path / "sweep")
    found = check_html(results.load(tmp_path / "sweep").page())
    rows = found.tables["Each run"]
    assert rows[0] == ["dice", "seed", "mean"] and len(rows) == 1 + 2 * 3
    np.testing.assert_allclose([float(row[2]) for row in rows[1:]], swept.values["mean"].ravel(), rtol=5e-4)  # 4 digits
    assert [row[0] for row in found.tables["throw: 2 points, 3 seeds"][1:]] == ["10", "600"]
    assert any(code == "plasticity sweep throw --grid dice=10,600 --seeds 3 --out results/sweep_again" for code in found.codes)


@pytest.mark.parametrize("name", ["run", "sweep"])
def test_an_unfinished_run_is_one_sentence(tmp_path, with_throw, name):
    if name == "run":
        execute(Throw(), tmp_path / name, [0], 1)
    else:
        sweep(Throw, {"dice": ["10"]}, [0], jobs=1, out=tmp_path / name)
    for file in (tmp_path / name / "records").rglob("*.json"):
        file.unlink()
    with pytest.raises(PlasticityError, match="finished"):
        results.load(tmp_path / name).page()


def test_a_reference_run_of_a_simulation_has_its_page():
    found = check_html(results.load(REFERENCE / "stdp_window").page())
    assert "meant for the default settings" not in found.text
    checks = read_sealed(REFERENCE / "stdp_window" / "summary.json")["checks"]
    assert [row[0] for row in found.tables["stdp_window: 2 of 2 checks hold"][1:]] == [check["name"] for check in checks]


# In a browser

MEASURE = """<script>
addEventListener("load", () => parent.postMessage({
  page: location.pathname.split("/").pop(), title: document.title, inner: innerWidth, width: document.documentElement.scrollWidth,
  images: [...document.images].map(image => image.naturalWidth), rows: document.querySelectorAll("tbody tr").length,
  scripts: document.scripts.length, fetched: performance.getEntriesByType("resource").map(entry => entry.name),
  beyond: [...document.querySelectorAll("td, th")].filter(cell => cell.closest("thead") === null
    && cell.getBoundingClientRect().right > innerWidth).map(cell => cell.textContent),
  heads: [...new Set([...document.querySelectorAll("td")].map(cell => getComputedStyle(cell, "::before").content))]
    .filter(text => text !== "none"),
  top: [...document.querySelectorAll("main > section:first-child :is(table, img)")].map(part => part.tagName),
  sliding: [...document.querySelectorAll(".scroll")].filter(part => part.scrollWidth > part.clientWidth).length,
}, "*"));
</script>"""
FRAMES = """<!DOCTYPE html><title>frames</title><pre id="told"></pre>
<script>addEventListener("message", event => { told.textContent += JSON.stringify(event.data) + "\\n" })</script>"""
ALIEN = '<img src="http://report.invalid/a.png" alt="">'


@pytest.fixture(scope="module")
def measured(written, nasty, tmp_path_factory):
    """What one real browser says of the page as wide as a phone, a screen and (in its print style) a sheet of paper."""
    if BROWSER is None:
        pytest.skip("no chromium, chromium-browser or google-chrome is installed")
    folder = tmp_path_factory.mktemp("browser")
    pages = {
        "phone": (375, written),
        "screen": (1280, written),
        "sheet": (680, written.replace("@media print", "@media all")),  # A4 without its margins, 180 mm
        "nasty": (1280, nasty),
        "alien": (1280, written.replace("</main>", f"{ALIEN}</main>")),  # a page that does fetch something
    }
    policy = re.search(r'<meta http-equiv="Content-Security-Policy"[^>]*>', written)[0]  # forbids scripts, also ours
    frames = FRAMES
    for name, (width, text) in pages.items():
        assert text.count(policy) == 1
        (folder / f"{name}.html").write_text(text.replace(policy, "").replace("</body>", f"{MEASURE}</body>"), encoding="utf-8")
        frames += f'<iframe src="{name}.html" style="border: 0; width: {width}px; height: 844px"></iframe>'
    (folder / "frames.html").write_text(frames, encoding="utf-8")
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
    flags += [
        "--disable-component-update",
        "--disable-sync",
        "--host-resolver-rules=MAP * ~NOTFOUND",
        "--virtual-time-budget=20000",
    ]
    command = [BROWSER, *flags, f"--user-data-dir={folder / 'profile'}", "--dump-dom", (folder / "frames.html").as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    lines = unescape(re.search(r'<pre id="told">(.*?)</pre>', done.stdout, re.DOTALL)[1])
    found = {told["page"].removesuffix(".html"): told for told in map(json.loads, lines.splitlines())}
    assert found.keys() == pages.keys(), done.stderr[-2000:]
    return found


def test_a_browser_shows_every_figure_and_every_row(measured, read):
    assert len(measured["screen"]["images"]) == len(read.all("img")) >= 5 and min(measured["screen"]["images"]) > 100
    heads, feet = len(read.all("thead")), len(read.all("tfoot"))  # one row each
    assert measured["screen"]["rows"] == len(read.all("tr")) - heads - feet > 80


def test_on_a_phone_no_column_is_out_of_sight(measured, read):
    assert measured["phone"]["inner"] == 375 and measured["phone"]["width"] <= 375
    assert measured["phone"]["sliding"] == 0 and measured["phone"]["beyond"] == []
    heads = [head for head in measured["phone"]["heads"] if head]
    assert '"accuracy % [95 % interval]: "' in heads and '"fit s: "' in heads  # each cell says what it is
    assert measured["screen"]["sliding"] > 0 and not any(measured["screen"]["heads"])
    assert measured["screen"]["inner"] == 1280 and measured["screen"]["width"] <= 1280


def test_the_result_and_its_first_figure_come_first(measured):
    assert measured["screen"]["top"] == ["TABLE", "IMG"]


def test_nothing_is_wider_than_a_printed_sheet(measured):
    assert measured["sheet"]["inner"] == 680 and measured["sheet"]["width"] <= 680 and measured["sheet"]["sliding"] == 0


def test_nothing_leaves_the_page(measured):
    assert measured["alien"]["fetched"] == ["http://report.invalid/a.png"]  # it would be seen
    assert all(measured[name]["fetched"] == [] for name in ("phone", "screen", "sheet", "nasty"))


def test_no_text_of_a_user_runs_in_a_browser(measured):
    assert measured["nasty"]["title"] == "plasticity: cued_digits"
    assert measured["nasty"]["scripts"] == 1  # the one that measures
    assert all(width > 0 for width in measured["nasty"]["images"])


def test_a_page_holds_no_control_characters():
    made = page.render("a\x1b[31mb", "lead\x07", [page.Section("one", "One", [page.Text("c\x9bd\n")])])
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", made) and "a?[31mb" in made
