"""The generated parts of the README files: what stands between two marks is what the references give."""

from __future__ import annotations

from pathlib import Path

import pytest

from plasticity import datasets
from plasticity.errors import WrongUse
from plasticity.files import read_json, read_sealed
from simulations.command_line import main
from simulations.frame import tables

TOP = Path(__file__).resolve().parents[2]
REFERENCE = TOP / "results" / "reference"


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A checkout with one part of one line and one of several, and one file that is generated as a whole."""
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "results" / "reference").mkdir(parents=True)
    (tmp_path / "inner").mkdir()
    (tmp_path / ".venv").mkdir()
    (tmp_path / "README.md").write_text("By <!-- gain -->?<!-- /gain --> points.\n\n<!-- rows -->\n?\n<!-- /rows -->\nThe end.\n")
    (tmp_path / "inner" / "README.md").write_text("<!-- gain --><!-- /gain --> again <!-- a comment -->\n")
    (tmp_path / ".venv" / "README.md").write_text("<!-- gain -->hidden<!-- /gain -->")
    monkeypatch.setattr(tables, "PARTS", {"gain": lambda reference: "14.7", "rows": lambda reference: "| a |\n| b |"})
    monkeypatch.setattr(tables, "FILES", {"results/README.md": lambda reference: f"all of {reference.name}\n"})
    monkeypatch.setattr(tables, "checkout", lambda: tmp_path)
    return tmp_path


def told(capsys, *words):
    with pytest.raises(SystemExit) as ended:
        main(["tables", *words])
    found = capsys.readouterr()
    return ended.value.code or 0, found.out, found.err


def test_what_differs_is_named_and_written_anew(checkout, capsys):
    status, out, err = told(capsys, "--check")
    assert (status, out) == (1, "") and err.count("\n") == 1
    for words in (
        "README.md: the part gain",
        "README.md: the part rows",
        "inner/README.md: the part gain",
        "results/README.md: the file",
    ):
        assert words in err
    status, out, _ = told(capsys, "--write")
    assert status == 0 and out.startswith("written: ") and ".venv" not in out
    text = "By <!-- gain -->14.7<!-- /gain --> points.\n\n<!-- rows -->\n| a |\n| b |\n<!-- /rows -->\nThe end.\n"
    assert (checkout / "README.md").read_text() == text
    assert (checkout / "inner" / "README.md").read_text() == "<!-- gain -->14.7<!-- /gain --> again <!-- a comment -->\n"
    assert (checkout / "results" / "README.md").read_text() == "all of reference\n"
    assert (checkout / ".venv" / "README.md").read_text() == "<!-- gain -->hidden<!-- /gain -->"
    stamps = {path: path.stat().st_mtime_ns for path in checkout.rglob("*.md")}
    assert told(capsys, "--check")[0] == 0 and told(capsys, "--write")[0] == 0
    assert {path: path.stat().st_mtime_ns for path in checkout.rglob("*.md")} == stamps


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("<!-- gian -->1<!-- /gian -->", "Did you mean 'gain'"),
        ("<!-- gain -->1", "one of the two is missing"),
        ("1<!-- /gain -->", "one of the two is missing"),
        ("<!-- gain -->1<!-- rows -->2<!-- /rows --><!-- /gain -->", "one of the two is missing"),
    ],
)
def test_a_mark_that_cannot_be_is_refused_before_anything_is_written(checkout, capsys, text, words):
    (checkout / "README.md").write_text(text)
    status, _, err = told(capsys, "--write")
    assert status == 2 and words in err and "README.md" in err and (checkout / "README.md").read_text() == text


def test_outside_of_a_checkout_it_says_so(tmp_path, monkeypatch, capsys):
    import simulations

    monkeypatch.setattr(simulations, "__file__", str(tmp_path / "site-packages" / "simulations" / "__init__.py"))
    status, out, err = told(capsys, "--check")
    assert (status, out) == (2, "") and "of a checkout of the repository" in err
    with pytest.raises(WrongUse):
        tables.checkout()


def test_every_part_of_this_checkout_is_what_the_references_give():
    told = tables.check(TOP)  # else: plasticity tables --write
    if any(datasets.status(name).state == "missing" for name in datasets.DATASETS):
        told = [line for line in told if not line.startswith("simulations/command_line/index.json: ")]  # it shows trials of them
    assert told == []


def test_every_part_says_what_it_is_and_where_it_stands(capsys):
    assert all(make.__doc__ for make in tables.PARTS.values())
    status, out, _ = told(capsys)
    assert status == 0 and "generated parts" in out and "costs" in out


@pytest.mark.parametrize("name", ["cued_digits", "digits"])
def test_the_tables_of_comparisons_say_what_the_records_say(name):
    table = tables.PARTS[name](REFERENCE)
    summary = read_json(REFERENCE / name / "summary.json")
    assert table.count("\n") == 1 + len(summary["learners"])
    for learner in summary["learners"]:
        mean, low, high = (100 * learner["accuracy"][key] for key in ("mean", "low", "high"))
        given, learns = (", ".join(learner[what]) or "nothing" for what in ("given", "learns"))
        assert f"| {learner['name']} | {given} | {learns} | {mean:.1f} [{low:.1f}, {high:.1f}] |" in table


def test_the_sentence_of_the_main_comparison_has_its_numbers():
    told = tables.brief(REFERENCE)
    summary = read_json(REFERENCE / "cued_digits" / "summary.json")
    right = {learner["name"]: learner["accuracy"]["mean"] for learner in summary["learners"]}
    for words in (
        f"{100 * right['spiking_gated']:.1f} [",
        f"{100 * right['softmax_attention']:.1f} [",
        "given the gate",
        "to be learnt",
    ):
        assert words in told
    for name, value in summary["attended_minus_ignored"].items():
        assert f"{value['mean']:.3f} [{value['low']:.3f}, {value['high']:.3f}] ({name})" in tables.weights(REFERENCE)


def test_costs_are_those_of_the_record():
    from bridges.comparison.energy import joules

    told = read_json(REFERENCE / "cued_digits" / "summary.json")["costs"]
    lines = {line.split(" | ")[0].removeprefix("| "): line for line in tables.costs(REFERENCE).splitlines()}
    for row in told["rows"]:
        for key in (column["key"] for column in told["columns"] if column["unit"] == "J"):
            assert joules(row[key] and row[key]["mean"]) in lines[row["learner"]]


def test_the_readme_of_the_results_holds_every_check_and_every_figure_of_every_reference():
    page = tables.results_readme(REFERENCE)
    for folder in sorted(path.parent for path in REFERENCE.glob("*/run.json")):
        assert f"\n## {folder.name}\n" in page
        for check in read_json(folder / "summary.json").get("checks", []):
            name = " ".join(check["name"].split()).replace("|", "\\|")
            assert f"\n| {name} | " in page, name
        for path in folder.glob("figures/*.png"):
            assert f"](reference/{folder.name}/figures/{path.name})" in page


def test_every_record_of_the_references_carries_its_checksum():
    found = list(REFERENCE.rglob("*.json"))
    assert len(found) > 200 and all(read_json(path)["sha256"] and read_sealed(path) for path in found)
