"""The wheel holds the program and the module, and both work from where pip puts them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def run(*command, **variables):
    clean = {"PATH": "/usr/bin:/bin", "HOME": os.environ.get("HOME", "/"), **variables}
    # Away from the checkout, whose module would be found first.
    return subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, env=clean, check=False, cwd="/"
    )


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    binary = os.environ.get("PRONGHORN_TEST_BINARY")
    if not binary:
        pytest.skip("there is no binary to put into a wheel")
    place = tmp_path_factory.mktemp("wheel")
    # The debug build, which finds Swift's libraries on this machine alone.
    made = run(ROOT / "Scripts" / "make-wheel", "--binary", binary, "--output", place / "dist", PATH=os.environ["PATH"])
    assert made.returncode == 0, made.stderr
    (wheel,) = (place / "dist").iterdir()
    assert str(wheel) == made.stdout.strip()
    assert wheel.name.startswith("pronghorn-") and "-py3-none-linux_" in wheel.name
    created = run(sys.executable, "-m", "venv", place / "venv")
    assert created.returncode == 0, created.stderr
    python = place / "venv" / "bin" / "python"
    done = run(python, "-m", "pip", "install", "--no-deps", "--no-index", wheel)
    assert done.returncode == 0, done.stderr
    return place / "venv"


def test_the_program_finds_its_python_files_beside_itself(installed):
    version = run(installed / "bin" / "pronghorn", "--version")
    assert version.returncode == 0 and version.stdout.strip() == "0.1.0", version.stderr
    demo = run(installed / "bin" / "pronghorn", "plan", "nowhere.yaml")
    assert "there is no experiment file" in demo.stderr
    share = installed / "share" / "pronghorn" / "python"
    assert (share / "requirements.txt").is_file() and (share / "pronghorn" / "demo" / "experiment.yaml").is_file()


def test_the_module_finds_the_program_that_came_with_it(installed):
    code = (
        "from pronghorn.scripting import process; import pronghorn; print(process.binary()); print(pronghorn.__file__)"
    )
    # The packages that the module needs are those of the tests.
    packages = str(Path(sys.prefix) / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages")
    done = run(installed / "bin" / "python", "-c", code, PYTHONPATH=packages)
    assert done.returncode == 0, done.stderr
    binary, module = done.stdout.split()
    assert binary == str(installed / "bin" / "pronghorn")
    assert module.startswith(str(installed / "lib"))
