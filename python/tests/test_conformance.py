"""A fixed third of the conformance sweep, and that its list of cases leaves out nothing that Keras exports."""

import os
import subprocess
import sys
from pathlib import Path

import keras
import pytest

from conformance.cases import all_cases
from conformance.exports import missing

ROOT = Path(__file__).parents[1]
BINARY = os.environ.get("PRONGHORN_TEST_BINARY", "")


def test_everything_that_keras_exports_has_a_case():
    assert missing(all_cases()) == []


def test_a_new_export_without_a_case_is_noticed(monkeypatch):
    monkeypatch.setattr(keras.layers, "Invented", type("Invented", (keras.layers.Layer,), {}), raising=False)
    assert missing(all_cases()) == ["layers.Invented has 0 cases"]


@pytest.mark.skipif(not BINARY, reason="needs PRONGHORN_TEST_BINARY")
def test_a_third_of_all_cases_trains_as_keras_trains_it(tmp_path):
    done = subprocess.run(
        [
            *(sys.executable, "-m", "conformance.sweep", "--binary", BINARY, "--output", str(tmp_path)),
            *("--third", "--without-fit"),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={
            **os.environ,
            "PRONGHORN_CACHE": str(tmp_path / "cache"),
            "PRONGHORN_PYTHON": sys.executable,
            "PRONGHORN_CPU_PLUGIN": os.environ["PRONGHORN_TEST_PLUGIN"],
        },
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
