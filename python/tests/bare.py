"""Runs a bundle's functions as the runner does: through a plugin's C API, without JAX's own lowering or rules.

The plugin is `PRONGHORN_TEST_PLUGIN`, else that of `xla-cpu-pjrt`.
"""

from __future__ import annotations

import functools
import importlib.util
import os
import random
from pathlib import Path

import jax
import numpy as np
from jax._src.interpreters import mlir
from jaxlib import xla_client
from jaxlib.mlir.dialects import stablehlo

from pronghorn.lowering.adapted import read_adapted_weights
from pronghorn.lowering.bundle import Bundle, read_json
from pronghorn.lowering.randomness import draw_flat

draw_flat()
read_adapted_weights()


@functools.cache
def client():
    path = os.environ.get("PRONGHORN_TEST_PLUGIN")
    if not path:
        folder = Path(importlib.util.find_spec("xla_plugins.xla_cpu_pjrt").submodule_search_locations[0])
        path = str(next(folder.glob("*.so")))
    xla_client.load_pjrt_plugin_dynamically("bare", path)
    if not xla_client._xla.pjrt_plugin_initialized("bare"):
        xla_client.initialize_pjrt_plugin("bare")
    return xla_client.make_c_api_client("bare", {"cpu_device_count": 1})


def _on(device, value: np.ndarray):
    aval = jax.core.ShapedArray(value.shape, value.dtype)
    sharding = jax.sharding.SingleDeviceSharding(device)
    return xla_client.batched_device_put(aval, sharding, [value], [device], True, force_copy=True)


class Function:
    """One compiled function of a bundle."""

    def __init__(self, path: Path):
        with mlir.make_ir_context() as context:
            self.text = str(stablehlo.deserialize_portable_artifact(context, path.read_bytes()))
        self._compiled = client().compile_and_load(self.text, client().devices(), xla_client.CompileOptions())

    def __call__(self, arguments: list) -> list[np.ndarray]:
        device = client().devices()[0]
        buffers = [_on(device, np.asarray(a)) for a in arguments]
        results = self._compiled.execute_sharded(buffers)
        self.deleted = [buffer.is_deleted() for buffer in buffers]
        return [np.asarray(arrays[0]) for arrays in results.disassemble_into_single_device_arrays()]


class Program:
    """A bundle in a folder, described and lowered on demand."""

    def __init__(self, folder: Path, request: dict):
        self.folder = folder
        self.bundle = Bundle(request, lambda message: None)
        self.bundle.write(str(folder))
        self._functions: dict[tuple, Function] = {}

    @property
    def json(self) -> dict:
        return read_json(str(self.folder / "program.json"))

    def function(self, name: str, lanes: int, **shape) -> Function:
        key = (name, lanes, *shape.items())
        if key not in self._functions:
            self.bundle.lower(str(self.folder), {"name": name, "lanes": lanes, **shape})
            entry = self.json["functions"][-1]
            self._functions[key] = Function(self.folder / entry["file"])
        return self._functions[key]

    def seeds(self, seeds: list[int]) -> np.ndarray:
        """The seeds of lanes, drawn as the contract says."""
        program = self.json
        draws = program["draws"] - int(program["seed_column"])
        rows = []
        for seed in seeds:
            source = random.Random(seed)
            row = [source.randint(1, 10**9) for _ in range(draws)] + ([seed] if program["seed_column"] else [])
            rows.append(row or [0])
        return np.asarray(rows, "uint32")

    def initialize(self, seeds: list[int]) -> list[np.ndarray]:
        return self.function("initialize", len(seeds))([self.seeds(seeds)])

    def epoch(self, name: str, state: list, data: list[np.ndarray], rows: int, form: str = "auto"):
        """One epoch over `data` in order, every lane on all of it, the tail by a function of its own shape."""
        lanes, count = len(state[0]), len(data[0])
        full, tail = divmod(count, rows)
        logs, reset = None, 1
        for steps, size, start in ((full, rows, 0), (1, tail, full * rows)):
            if steps == 0 or size == 0:
                continue
            shape = {"steps": steps, "rows": size, "form": form}
            batches = [
                np.broadcast_to(
                    a[start : start + steps * size].reshape(steps, size, *a.shape[1:]),
                    (lanes, steps, size, *a.shape[1:]),
                )
                for a in data
            ]
            counts = [] if name == "predict" else [np.full(lanes, steps, "int32"), np.int32(reset)]
            results = self.function(name, lanes, **shape)([*state, *batches, *counts])
            reset = 0
            if name == "predict":
                flat = [r.reshape(lanes, steps * size, *r.shape[3:]) for r in results]
                logs = flat if logs is None else [np.concatenate(p, 1) for p in zip(logs, flat, strict=True)]
            else:
                state, logs = results[:-1], results[-1]
        return state, logs


def request(function, file=None, x=(10,), y=(1,), dtypes=("float32", "float32"), batch_size=8, **more) -> dict:
    """A describe request for a function of a file of models."""
    file = str(file or Path(__file__).with_name("models.py"))
    weight = more.pop("sample_weight", None)
    arguments = more.pop("arguments", {})
    return {
        "model": {"kind": "function", "file": file, "function": function, "arguments": arguments},
        "inputs": {
            "x": [{"name": "x", "shape": list(x), "dtype": dtypes[0]}],
            "y": [{"name": "y", "shape": list(y), "dtype": dtypes[1]}],
            "sample_weight": {"name": "w", "shape": [], "dtype": "float32"} if weight else None,
        },
        "batch_size": batch_size,
        **more,
    }


def relative(a, b) -> float:
    """The largest difference, relative to the largest number."""
    a, b = np.asarray(a, "float64"), np.asarray(b, "float64")
    assert a.shape == b.shape, (a.shape, b.shape)
    return float(np.max(np.abs(a - b), initial=0) / max(np.max(np.abs(b), initial=0), 1e-6))


__all__ = ["Function", "Program", "client", "relative", "request"]
