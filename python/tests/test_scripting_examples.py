"""The example script and the notebook run as they are, and the package's types hold."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def variables():
    found = {**os.environ, "PYTHONPATH": str(ROOT / "python")}
    if os.environ.get("PRONGHORN_TEST_BINARY"):
        found["PRONGHORN_BINARY"] = os.environ["PRONGHORN_TEST_BINARY"]
    return found


def test_the_script_is_short_and_runs(tmp_path, variables):
    script = ROOT / "Examples" / "one_script.py"
    lines = [line for line in script.read_text().splitlines() if line.strip()]
    assert len(lines) < 20
    done = subprocess.run(
        [sys.executable, script], cwd=tmp_path, env=variables, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "val_loss" in done.stdout
    assert len(list((tmp_path / "runs" / "fit" / "models").iterdir())) == 3


def test_the_notebook_runs(tmp_path, variables):
    pytest.importorskip("nbconvert")
    pytest.importorskip("ipykernel")
    notebook = ROOT / "Examples" / "one_notebook.ipynb"
    command = [sys.executable, "-m", "nbconvert", "--to", "notebook", "--execute", "--output-dir", tmp_path, notebook]
    (tmp_path / "work").mkdir()
    variables |= {"IPYTHONDIR": str(tmp_path / "ipython"), "JUPYTER_RUNTIME_DIR": str(tmp_path / "jupyter")}
    # The kernel works in the notebook's folder: a copy's, so that its run does not come into the tree.
    copy = tmp_path / "work" / notebook.name
    copy.write_text(notebook.read_text())
    command[-1] = copy
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stderr
    cells = json.loads((tmp_path / notebook.name).read_text())["cells"]
    shown = json.dumps([cell.get("outputs") for cell in cells])
    assert "20/20" in shown and "val_accuracy" in shown and (tmp_path / "work" / "runs" / "build").is_dir()


def test_the_types_hold():
    pytest.importorskip("mypy")
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file", "pyproject.toml"],
        cwd=ROOT / "python",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
