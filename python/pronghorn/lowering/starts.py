"""Starting points: the weights of many files, each as the state of one lane of a program.

Models of one architecture differ in nothing but leaves, so the first of them is described as a program, and each one's
leaves are written as a safetensors file of one lane, `starts/SHA256.safetensors` in the bundle's folder. What a trial's
seed draws is left out. How leaves stand in such files is written down as well, once it is proved, so that others like
them need no Keras.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import tempfile
import time
import zipfile
from collections.abc import Callable

import h5py
import numpy as np

from pronghorn.lowering import archives, jaxprs, layouts, parameters, readings, recording, safetensors, spans, template
from pronghorn.lowering.bundle import STEPPING, write_json
from pronghorn.lowering.failures import LoweringFailure, describe_error
from pronghorn.lowering.functions import Functions
from pronghorn.lowering.model import Builder
from pronghorn.lowering.state import State
from pronghorn.lowering.tensors import Inputs
from pronghorn.lowering.variation import FIRST_SEED


class Starts:
    """Reads starting models, or weights for a built model, into the leaves of one program."""

    def __init__(self, request: dict, program: dict, config: str):
        self.program = program
        self.inputs = Inputs(request.get("inputs") or {})
        self.batch_size = int(request.get("batch_size") or 32)
        builder = Builder(request.get("model") or {}, self.inputs, self.batch_size)
        self.are_models = builder.kind == "keras"
        self._model_file = request["model"]["file"] if self.are_models else None
        self._described: list | None = None
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
        self._readings: dict[str, readings.Reading] = {}
        entries = program["parameters"] if self.are_models else []
        self._config_paths = [spans.path_at(config, entry["span"]) for entry in entries]
        self._rate_path = next(
            (p for e, p in zip(entries, self._config_paths, strict=True) if e["name"] == "learning_rate" and p), None
        )
        variable, _ = parameters.learning_rate(self.model)
        self._rate_leaf = None if variable is None else self.state.index(variable)

    def write(self, folder: str, files: list[dict], progress: Callable[[str], None]) -> None:
        """Writes the state of every file; `files` have the path and the SHA-256 digest of each.

        How files of their layouts are read is written down beside, as `LAYOUT.json`, where it could be proved.
        """
        os.makedirs(folder, exist_ok=True)
        self._prove(files)
        told = time.monotonic()
        for number, file in enumerate(files):
            if time.monotonic() - told > 1:
                told = time.monotonic()
                progress(f"reading starting models: {number} of {len(files)}")
            values, notes = self._read(file)
            # With a leading axis of one lane.
            tensors = {readings.leaf_name(index): values[index][np.newaxis] for index in self._kept}
            safetensors.write(os.path.join(folder, f"{file['sha256']}.safetensors"), tensors, notes)
        for layout, reading in self._readings.items():
            write_json(os.path.join(folder, f"{layout}.json"), reading.entry(self._config_paths))

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
        opened, config = self._opened(file)
        with opened:
            reading = self._readings.get(layouts.digest(opened))
            values = reading.values(opened, config) if reading else None
        if values is None:
            values = self._loaded(file["file"], config)
            # That the file differs from the program's in leaves alone is proved for what is read directly.
            self._traces_as_described(file["file"])
        if config is None:
            return values, {}
        text = json.dumps(config)
        found = [spans.of(text, path) if path else None for path in self._config_paths]
        return values, {"config": text, "spans": json.dumps(found)}

    def _opened(self, file: dict) -> tuple[h5py.File, dict | None]:
        """A file's weights, and the configuration of a starting model."""
        path = file["file"]
        is_model = path.endswith(".keras")
        data = archives.open_model(path) if is_model else archives.open_weights(path)
        if hashlib.sha256(data).hexdigest() != file["sha256"]:
            raise LoweringFailure("bad_request", f"{path} has changed while it was read: run again", file=path)
        config = None
        if is_model and self.are_models:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                config = json.loads(archive.read(archives.CONFIG))
        return layouts.opened_weights(path, data), config

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
        value = spans.value_at(config, self._rate_path)
        if variable is not None and isinstance(value, float):
            variable.assign(value)

    # What is proved.

    def _prove(self, files: list[dict]) -> None:
        """Loads the first and the last file by Keras itself, and finds how those of their layouts are read.

        What is found must give what Keras loads, of both; else Keras loads every file.
        """
        self._described = None if self._model_file in [file["file"] for file in files[:1]] else self._described_traces()
        found: dict[str, readings.Reading] = {}
        agree = True
        for file in files if len(files) < 2 else [files[0], files[-1]]:
            opened, config = self._opened(file)
            with opened:
                values = self._loaded(file["file"], config)
                traces = self._traces_as_described(file["file"])
                layout = layouts.digest(opened)
                if layout not in found:
                    reading = self._reading(file, opened, config, values, traces)
                    if reading is None:
                        agree = False
                        continue
                    found[layout] = reading
                direct = found[layout].values(opened, config)
                agree = agree and (direct is None or _same(direct, values, self._kept))
        self._readings = found if agree else {}

    def _described_traces(self) -> list:
        """What the program computes: for models with the numbers of the file that it was described by."""
        if self._model_file is not None:
            data = archives.open_model(self._model_file)
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                self._loaded(self._model_file, json.loads(archive.read(archives.CONFIG)))
        return self._traces()

    def _traces_as_described(self, path: str) -> list:
        """What the model computes with the numbers that it has loaded, which must be what the program does."""
        traces = self._traces()
        if self._described is None:
            self._described = traces
        if _differ(self._described, traces):
            raise LoweringFailure(
                "not_lowerable",
                f"{os.path.basename(path)}: a layer computes constants from the weights that it loads, so that they "
                "cannot vary in one program"
                + ("" if self.are_models else ": save whole models as .keras and name them under `model`"),
                splits="model" if self.are_models else None,
            )
        return traces

    def _traces(self) -> list:
        functions = Functions(self.model, self.state, self.inputs)
        return [functions.step(name, self.batch_size).jaxpr for name in STEPPING]

    def _reading(
        self, file: dict, opened: h5py.File, config: dict | None, values: list[np.ndarray], traces: list
    ) -> readings.Reading | None:
        """How files of this one's layout are read, found by having Keras load it with every number altered.

        None where that cannot be told: where a leaf is neither as the file has it nor untouched by it, or where the
        model computes something else with other numbers.
        """
        names = {index: self._datasets[index] for index in self._kept if self._datasets[index]}
        names = {index: found for index, found in names.items() if found[0] in opened}
        dtypes = {name: self.state.leaves[index].dtype for index, found in names.items() for name in found}
        drawn = {name for index in set(range(len(values))) - set(self._kept) for name in self._datasets[index]}
        altered, fixed = readings.altered(opened, dtypes, drawn)
        if altered is None:
            return None
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "altered.weights.h5")
            with open(path, "wb") as copy:
                copy.write(altered)
            try:
                changed = self._loaded(path, config)
            except LoweringFailure:
                return None
            if _differ(traces, self._traces()):
                return None
            with h5py.File(path, "r") as other:
                return self._followed(
                    readings.Reading(file["sha256"], values, self.state.leaves, fixed), names, opened, other, changed
                )

    def _followed(
        self,
        reading: readings.Reading,
        names: dict[int, list[str]],
        opened: h5py.File,
        altered: h5py.File,
        changed: list,
    ) -> readings.Reading | None:
        """What became of every leaf when numbers were altered."""
        for index in self._kept:
            leaf = self.state.leaves[index]
            follows = index in names and all(
                readings.array_of(source, names[index][0], leaf).tobytes() == loaded[index].tobytes()
                for source, loaded in [(opened, reading.first), (altered, changed)]
            )
            if follows:
                reading.datasets[index] = names[index][0]
            elif reading.first[index].tobytes() != changed[index].tobytes():
                return None
            elif index == self._rate_leaf:
                if self._rate_path is None:
                    return None
                reading.rate = (index, self._rate_path)
        return reading


def _differ(traces: list, others: list) -> bool:
    return any(jaxprs.parting(trace, other) for trace, other in zip(traces, others, strict=True))


def _same(one: list[np.ndarray], other: list[np.ndarray], kept: list[int]) -> bool:
    return all(one[i].dtype == other[i].dtype and one[i].tobytes() == other[i].tobytes() for i in kept)
