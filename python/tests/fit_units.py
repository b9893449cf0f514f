"""Units for the fit runner, and the process that works on them."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import subprocess
import sys

import numpy as np

TESTS = pathlib.Path(__file__).parent
MODELS = TESTS / "fit_models.py"
ROWS = 37


class Unit:
    """The folder of a unit of one trial on random numbers, as the control process would write it."""

    def __init__(self, root: pathlib.Path, name: str = "0003", **changes):
        self.folder = root / "units" / name
        self.folder.mkdir(parents=True)
        random = np.random.default_rng(5)
        self.x = random.normal(size=(ROWS, 3)).astype("float32")
        self.y = random.normal(size=(ROWS, 1)).astype("float32")
        rows = np.concatenate([np.arange(2, 25), random.permutation(np.arange(25, ROWS))]).astype("int32")
        np.save(self.folder / "rows.npy", rows)
        self.training, self.validation = rows[:23], rows[23:]
        arrays = [_reference(root, name, array) for name, array in (("x", self.x), ("y", self.y))]
        model = {"kind": "function", "file": str(MODELS), "function": "build", "arguments": {"units": 5}}
        model.update(changes.pop("model", {}))
        engine = {
            "backend": changes.pop("backend", "jax"),
            "model": json.dumps(model),
            "offered": json.dumps(changes.pop("offered", {"seed": 11})),
            "roles": ["x", "y"],
            **({"weights": str(changes.pop("weights"))} if "weights" in changes else {}),
            **({"adapt": json.dumps(changes.pop("adapt"))} if "adapt" in changes else {}),
        }
        lane = {
            "trial": 7,
            "name": "0007",
            "seed": 11,
            "parameters": {},
            "start": {"initialize": {}},
            "source": 0,
            "training": {"start": 0, "count": 23},
            "validation": {"start": 23, "count": len(rows) - 23},
        }
        fit = {
            "firstEpoch": 0,
            "lastEpoch": 3,
            "batchSize": 8,
            "validationBatchSize": 8,
            "validationFrequency": {"every": {"_0": 1}},
            "shuffle": "none",
            "initialEpoch": 0,
        }
        self.fit = {**fit, **changes.pop("fit", {})}
        unit = {
            "version": 2,
            "id": name,
            "work": "train",
            "engine": {"fit": {"_0": engine}},
            "lanes": [lane],
            "sources": [{"arrays": arrays}],
            "rowsFile": "rows.npy",
            "fit": self.fit,
            "callbacks": changes.pop("callbacks", []),
            "stopsOnDivergence": changes.pop("stops_on_divergence", True),
            "save": {"final": True, "initial": False, **changes.pop("save", {})},
        }
        assert not changes, changes
        (self.folder / "unit.json").write_text(json.dumps(unit))

    @property
    def events(self) -> list[dict]:
        return [json.loads(line) for line in (self.folder / "events.ndjson").read_text().splitlines()]

    @property
    def models(self) -> list[str]:
        folder = self.folder / "models"
        return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


class Runner:
    """A fit runner's process."""

    def __init__(self, backend: str = "jax", python: str = sys.executable):
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": os.environ.get("HOME", "/"),
            "PYTHONPATH": str(TESTS.parent),
            "KERAS_BACKEND": backend,
            "JAX_PLATFORMS": "cpu",
            "TF_CPP_MIN_LOG_LEVEL": "2",
        }
        self.process = subprocess.Popen(
            [python, "-m", "pronghorn.fit_runner", "--device", "cpu:0"],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Runner:
        return self

    def __exit__(self, *_) -> None:
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            with contextlib.suppress(BrokenPipeError):
                stream.close()

    def tell(self, line: object) -> None:
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()

    def until(self, *kinds: str) -> list[dict]:
        """The events up to the first of some kinds."""
        events = []
        for line in self.process.stdout:
            events.append(json.loads(line))
            if kind(events[-1]) in kinds:
                return events
            assert kind(events[-1]) != "failed", events[-1]
        raise AssertionError(f"the runner ended without saying {kinds}: {self.process.stderr.read()}")

    def work(self, unit: Unit) -> list[dict]:
        """Has a unit worked on; its events."""
        self.tell(unit.folder)
        events = self.until("finished", "failed", "stopped")
        return [event for event in events if event.get("unit")]

    def end(self) -> int:
        self.process.stdin.close()
        return self.process.wait(60)


def kind(event: dict) -> str:
    ((name, _),) = event["what"].items()
    return name


def said(events: list[dict], name: str) -> list[dict]:
    return [event["what"][name] for event in events if kind(event) == name]


def _reference(root: pathlib.Path, name: str, array: np.ndarray) -> dict:
    path = root / f"{name}.npy"
    np.save(path, array)
    status = path.stat()
    return {
        "input": name,
        "file": str(path),
        "offset": 128,
        "dtype": array.dtype.name,
        "shape": list(array.shape),
        "fileSize": status.st_size,
        "modified": status.st_mtime_ns,
    }
