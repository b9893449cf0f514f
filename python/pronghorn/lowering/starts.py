"""Starting points: the weights of many files, each as the state of one lane of a program.

Models of one architecture differ in nothing but leaves, so the first of them is described as a program, and each one's
leaves are written as a safetensors file of one lane, `starts/SHA256.safetensors` in the bundle's folder. What a trial's
seed draws is left out.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import time
import zipfile
from collections.abc import Callable

import h5py
import numpy as np

from pronghorn.lowering import archives, jaxprs, parameters, recording, template
from pronghorn.lowering.failures import LoweringFailure, describe_error
from pronghorn.lowering.functions import Functions
from pronghorn.lowering.model import Builder
from pronghorn.lowering.state import State
from pronghorn.lowering.tensors import Inputs
from pronghorn.lowering.variation import FIRST_SEED

SAFETENSORS = {
    "bool": "BOOL",
    "int8": "I8",
    "int16": "I16",
    "int32": "I32",
    "int64": "I64",
    "uint8": "U8",
    "uint16": "U16",
    "uint32": "U32",
    "uint64": "U64",
    "float16": "F16",
    "bfloat16": "BF16",
    "float32": "F32",
    "float64": "F64",
}


class Starts:
    """Reads starting models, or weights for a built model, into the leaves of one program."""

    def __init__(self, request: dict, program: dict, config: str):
        self.program = program
        self.inputs = Inputs(request.get("inputs") or {})
        self.batch_size = int(request.get("batch_size") or 32)
        builder = Builder(request.get("model") or {}, self.inputs, self.batch_size)
        self.are_models = builder.kind == "keras"
        vary = {name: values[0] for name, values in (request.get("vary") or {}).items() if values}
        with recording.recorded(FIRST_SEED):
            self.model = (
                builder.configured()
                if self.are_models
                else builder.build(**{name: value for name, value in vary.items() if builder.takes(name)})
            )
        self.state = State(self.model)
        described = [(leaf["shape"], leaf["dtype"], leaf["role"]) for leaf in program["state"]]
        own = [(list(leaf.shape), leaf.dtype, leaf.role) for leaf in self.state.leaves]
        if described[: len(own)] != own:
            raise LoweringFailure("bad_request", "the model is not the one that the program describes")
        self._fresh = [leaf.variable._value for leaf in self.state.leaves]
        self._kept = self._kept_leaves()
        self._datasets = template.datasets(self.model, self.state)
        self._layout: dict | None = None
        spans = [entry["span"] for entry in program["parameters"]]
        self._config_paths = [parameters.path_at(config, span) for span in spans] if self.are_models else []

    def write(self, folder: str, files: list[dict], progress: Callable[[str], None]) -> None:
        """Writes the state of every file; `files` have the path and the SHA-256 digest of each."""
        os.makedirs(folder, exist_ok=True)
        self._prove(files)
        told = time.monotonic()
        for number, file in enumerate(files):
            if time.monotonic() - told > 1:
                told = time.monotonic()
                progress(f"reading starting models: {number} of {len(files)}")
            values, metadata = self._read(file)
            tensors = {f"state/{index:04}": values[index] for index in self._kept}
            _write_safetensors(os.path.join(folder, f"{file['sha256']}.safetensors"), tensors, metadata)

    # What is read.

    def _kept_leaves(self) -> list[int]:
        """The leaves that a file gives: neither metrics nor what is drawn; no optimizer for a model that is built.

        A seed that a layer's configuration holds is a part of the architecture, so that no generator is given.
        """
        weights = {id(variable) for variable in self.model.weights}
        return [
            index
            for index, leaf in enumerate(self.state.leaves)
            if not leaf.is_generator and (leaf.role != "metric" if self.are_models else id(leaf.variable) in weights)
        ]

    def _read(self, file: dict) -> tuple[list[np.ndarray], dict[str, str]]:
        """The values of all leaves as Keras loads them from a file, and what to note beside them."""
        path = file["file"]
        is_model = path.endswith(".keras")
        data = archives.open_model(path) if is_model else archives.open_weights(path)
        if hashlib.sha256(data).hexdigest() != file["sha256"]:
            raise LoweringFailure("bad_request", f"{path} has changed while it was read: run again", file=path)
        config, weights = None, data
        if is_model:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                weights = archive.read(archives.WEIGHTS)
                config = json.loads(archive.read(archives.CONFIG)) if self.are_models else None
        with h5py.File(io.BytesIO(weights), "r") as opened:
            layout = _layout(opened)
            values = self._direct(opened) if layout == self._layout else None
        if values is None:
            values = self._loaded(path, config)
        return values, self._metadata(config) if config is not None else {}

    def _direct(self, opened: h5py.File) -> list[np.ndarray]:
        """The leaves from the datasets that hold them: a tenth of the time that Keras's own walk takes."""
        values = [np.asarray(fresh) for fresh in self._fresh]
        for index in self._kept:
            leaf, names = self.state.leaves[index], self._datasets[index]
            if names:
                raw = np.ascontiguousarray(opened[names[0]][()])
                values[index] = raw.view(leaf.dtype).reshape(leaf.shape)
        return values

    def _loaded(self, path: str, config: dict | None) -> list[np.ndarray]:
        """The leaves after Keras itself has loaded the file into the model."""
        for leaf, fresh in zip(self.state.leaves, self._fresh, strict=True):
            leaf.variable._value = fresh
        if config is not None:
            self._take_learning_rate(config)
        try:
            self.model.load_weights(path)
        except Exception as error:
            name = os.path.basename(path)
            text = " ".join(describe_error(error).split())
            raise LoweringFailure(
                "build_raised", f"Keras cannot load {name} into the model: {text}", file=path
            ) from error
        return self.state.values()

    def _take_learning_rate(self, config: dict) -> None:
        """An optimizer that was saved before it was built has its learning rate in the configuration alone."""
        variable, _ = parameters.learning_rate(self.model)
        for entry, path in zip(self.program["parameters"], self._config_paths, strict=True):
            value = parameters.value_at(config, path)
            if entry["name"] == "learning_rate" and variable is not None and isinstance(value, float):
                variable.assign(value)

    def _metadata(self, config: dict) -> dict[str, str]:
        text = json.dumps(config)
        spans = [parameters.span_of(text, path) if path else None for path in self._config_paths]
        return {"config": text, "spans": json.dumps(spans)}

    # What is proved.

    def _prove(self, files: list[dict]) -> None:
        """Loads the first and the last file by Keras itself, to show that their difference is in leaves alone."""
        ends = files if len(files) < 2 else [files[0], files[-1]]
        traces, layouts, agree = [] if self.are_models else [self._trace()], [], True
        for file in ends:
            values, _ = self._read(file)
            traces.append(self._trace())
            with _opened(file["file"]) as opened:
                layouts.append(_layout(opened))
                agree = agree and self._holds(opened) and _same(self._direct(opened), values, self._kept)
        if any(jaxprs.parting(traces[0], trace) for trace in traces[1:]):
            names = " and ".join(os.path.basename(file["file"]) for file in ends)
            raise LoweringFailure(
                "not_lowerable",
                f"{names}: a layer computes constants from the weights that it loads, so that they cannot vary in one "
                "program" + ("" if self.are_models else ": save whole models as .keras and name them under `model`"),
                splits="model" if self.are_models else None,
            )
        if agree and all(layout == layouts[0] for layout in layouts):
            self._layout = layouts[0]

    def _trace(self):
        return Functions(self.model, self.state, self.inputs).step("train", self.batch_size).jaxpr

    def _holds(self, opened: h5py.File) -> bool:
        places = [(self._datasets[index], self.state.leaves[index].shape) for index in self._kept]
        return all(names[0] in opened and opened[names[0]].shape == shape for names, shape in places if names)


def _opened(path: str) -> h5py.File:
    if not path.endswith(".keras"):
        return h5py.File(path, "r")
    with zipfile.ZipFile(path) as archive:
        return h5py.File(io.BytesIO(archive.read(archives.WEIGHTS)), "r")


def _layout(opened: h5py.File) -> dict:
    """Every dataset of a file with its shape and type: files that agree in it were written by one architecture."""
    return {name: (dataset.shape, dataset.dtype.str) for name, dataset in template.walk(opened)}


def _same(one: list[np.ndarray], other: list[np.ndarray], kept: list[int]) -> bool:
    return all(one[i].dtype == other[i].dtype and one[i].tobytes() == other[i].tobytes() for i in kept)


def _write_safetensors(path: str, tensors: dict[str, np.ndarray], metadata: dict[str, str]) -> None:
    """Writes tensors with a leading axis of one lane, and the digest of their data."""
    # By falling size of element, so that every tensor is aligned to its elements.
    order = sorted(tensors, key=lambda name: (-tensors[name].dtype.itemsize, name))
    header, data, end = {}, [], 0
    for name in order:
        value = np.ascontiguousarray(tensors[name])
        header[name] = {
            "dtype": SAFETENSORS[value.dtype.name],
            "shape": [1, *value.shape] if tensors[name].shape else [1],
            "data_offsets": [end, end + value.nbytes],
        }
        data.append(value.tobytes())
        end += value.nbytes
    body = b"".join(data)
    header["__metadata__"] = {**metadata, "sha256": hashlib.sha256(body).hexdigest()}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    temporary = f"{path}.{os.getpid()}.temporary"
    try:
        with open(temporary, "wb") as file:
            file.write(len(text).to_bytes(8, "little") + text + body)
        os.replace(temporary, path)
    except OSError:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise
