"""The notebooks beside the experiments: each runs from top to bottom, and what it asserts is asserted."""

from __future__ import annotations

import ast
import os
import re
import shutil
from pathlib import Path

import pytest

pytestmark = pytest.mark.full


nbformat = pytest.importorskip("nbformat", reason="nbformat is missing; type: pip install nbformat")

TOP = Path(__file__).resolve().parents[2]
FOLDER = TOP / "simulations" / "notebooks"
NAMES = ("rule_in_your_brian2_script", "your_data_and_task", "comparing", "reading_records")
QUICKEST = "rule_in_your_brian2_script"
SECONDS = 300  # for a cell, with programs to compile and a machine that does other things as well


def asserts(source: str) -> bool:
    """Whether the cell asserts something, or lets NumPy do it."""
    lines = (line for line in source.splitlines() if not line.startswith("%"))
    return any(
        isinstance(node, ast.Assert) or (isinstance(node, ast.Attribute) and node.attr == "assert_allclose")
        for node in ast.walk(ast.parse("\n".join(lines)))
    )


def test_every_notebook_is_listed_here():
    assert {path.stem for path in FOLDER.glob("*.ipynb")} == {*NAMES}


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_is_kept_without_output_and_always_the_same(name):
    path = FOLDER / f"{name}.ipynb"
    notebook = nbformat.read(path, as_version=nbformat.NO_CONVERT)
    nbformat.validate(notebook)
    assert 8 <= len(notebook.cells) <= 15
    assert path.read_text() == nbformat.writes(notebook, indent=1).rstrip("\n") + "\n"
    assert {*notebook.metadata} == {"kernelspec", "language_info"} and notebook.metadata.kernelspec.name == "python3"
    ids = [cell.id for cell in notebook.cells]
    assert len({*ids}) == len(ids) and all(re.fullmatch(r"[a-z]+(-[a-z]+)*", name) for name in ids)  # words, not random
    for cell in notebook.cells:
        assert not cell.metadata
        if cell.cell_type == "code":
            assert cell.outputs == [] and cell.execution_count is None
    assert any(asserts(cell.source) for cell in notebook.cells if cell.cell_type == "code")


@pytest.mark.parametrize("name", [pytest.param(name, marks=[] if name == QUICKEST else [pytest.mark.full]) for name in NAMES])
def test_a_notebook_runs(name, tmp_path, monkeypatch):
    nbclient = pytest.importorskip("nbclient", reason="nbclient is missing; type: pip install nbclient")
    kernelspec = pytest.importorskip("ipykernel.kernelspec", reason="ipykernel is missing; type: pip install ipykernel")

    # A kernel of this very interpreter, whatever kernels and settings of Jupyter the user has.
    kernelspec.write_kernel_spec(tmp_path / "jupyter" / "kernels" / "python3")
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, (str(TOP), os.environ.get("PYTHONPATH")))))

    work = tmp_path / "work"
    work.mkdir()
    copy = shutil.copy(FOLDER / f"{name}.ipynb", work)
    notebook = nbformat.read(copy, as_version=4)
    place = {"metadata": {"path": str(work)}}
    nbclient.NotebookClient(notebook, timeout=SECONDS, kernel_name="python3", resources=place).execute()

    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))  # those that assert, too
    shown = [output for cell in code for output in cell.outputs]
    assert not [output for output in shown if output.output_type == "error"]
    assert any("image/png" in output.get("data", {}) for output in shown)
