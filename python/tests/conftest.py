"""Keras is set up as the lowering process sets it up, before any test imports it."""

import os
from pathlib import Path

import pytest

os.environ["KERAS_BACKEND"] = "jax"
os.environ["JAX_PLATFORMS"] = "cpu"


@pytest.fixture(scope="module")
def workplace(tmp_path_factory):
    """Runs come into a folder of the tests' own, trained by the binary that is tested."""
    before, variables = os.getcwd(), dict(os.environ)
    os.chdir(tmp_path_factory.mktemp("scripting"))
    if os.environ.get("PRONGHORN_TEST_BINARY"):
        os.environ["PRONGHORN_BINARY"] = os.environ["PRONGHORN_TEST_BINARY"]
    yield
    os.chdir(before)
    os.environ.clear()
    os.environ.update(variables)


@pytest.fixture
def disk_steps(monkeypatch):
    """What this process brings to the disk (a path) and renames (a pair of paths), in order."""
    steps = []
    fsync, replace = os.fsync, os.replace

    def synced(descriptor):
        steps.append(Path(os.readlink(f"/proc/self/fd/{descriptor}")))
        fsync(descriptor)

    def replaced(source, target):
        steps.append((Path(source), Path(target)))
        replace(source, target)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(os, "replace", replaced)
    return steps
