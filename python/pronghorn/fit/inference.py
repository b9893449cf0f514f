"""Uses the model of a unit's one trial, loaded by Keras: `Model.predict` and `Model.evaluate` themselves."""

from __future__ import annotations

import json
import os

import keras
import numpy as np

from pronghorn.fit.data import Data
from pronghorn.fit.protocol import Events
from pronghorn.lowering import importing, sources
from pronghorn.lowering.failures import LoweringFailure, failure_from
from pronghorn.lowering.model import Builder


class Inference:
    """One unit of the work `predict` or `evaluate`."""

    def __init__(self, unit: dict, folder: str, events: Events):
        self.unit = unit
        self.folder = folder
        self.events = events
        (self.lane,) = unit["lanes"]
        self.engine = unit["engine"]["fit"]["_0"]

    def run(self) -> None:
        """Leaves the outputs, or says what was measured.

        Raises: `LoweringFailure` for what is wrong with the model or the files.
        """
        data = Data(self.unit, self.folder, self.engine["roles"])
        model = self._model(data)
        x, y, sample_weight = data.training
        batch_size = self.unit["fit"]["batchSize"]
        try:
            if self.unit["work"] == "predict":
                outputs = model.predict(x, batch_size=batch_size, verbose=0)
            else:
                metrics = model.evaluate(
                    x, y, sample_weight=sample_weight, batch_size=batch_size, verbose=0, return_dict=True
                )
        except (Exception, SystemExit) as error:
            raise failure_from(error, "fit_raised", sources.belongs_to_user) from error
        if self.unit["work"] == "predict":
            self._write(model, outputs)
        else:
            self.events.say("evaluated", metrics={name: [float(value)] for name, value in metrics.items()})

    def _model(self, data: Data):
        path = self.lane["start"]["model"]["file"]
        request = json.loads(self.engine["model"])
        is_built = request["kind"] == "function"
        if is_built:
            # Its classes register themselves with Keras.
            importing.module(os.path.realpath(request["file"]), "build_raised")
        try:
            return keras.models.load_model(path, safe_mode=not is_built)
        except Exception as error:
            if not is_built:
                raise failure_from(error, "not_a_model", sources.belongs_to_user) from error
            return self._rebuilt(request, path, data, error)

    def _rebuilt(self, request: dict, path: str, data: Data, reason: Exception):
        """The model as its function builds it, with the file's weights: its classes are not registered with Keras."""
        builder = Builder(request, data.inputs, self.unit["fit"]["batchSize"])
        offered = {name: value for name, value in json.loads(self.engine["offered"]).items() if builder.takes(name)}
        try:
            model = builder.make(**offered)
            if not model.built:
                model(keras.tree.map_structure(lambda array: array[:1], data.training[0]))
            model.load_weights(path)
        except Exception as error:
            # What kept Keras from loading the file as it is says more than what came of the second try.
            raise failure_from(reason, "not_a_model", sources.belongs_to_user) from error
        return model

    def _write(self, model, outputs) -> None:
        leaves = keras.tree.flatten(outputs)
        # As lowering names them (`lowering/functions.py`).
        names = sorted(outputs) if isinstance(outputs, dict) else list(getattr(model, "output_names", None) or [])
        if not isinstance(outputs, (dict, list, tuple)):
            names = ["output"]
        elif len(names) != len(leaves):
            names = [f"output_{number}" for number in range(len(leaves))]
        folder = os.path.join(self.folder, "outputs")
        os.makedirs(folder, exist_ok=True)
        try:
            for number, leaf in enumerate(leaves):
                _placed(os.path.join(folder, f"{number}.npy"), lambda file, leaf=leaf: np.save(file, np.asarray(leaf)))
            _placed(os.path.join(folder, "names.json"), lambda file: file.write(json.dumps(names).encode()))
        except OSError as error:
            raise LoweringFailure("files", f"predictions cannot be written to {folder}: {error}") from error


def _placed(path: str, write) -> None:
    """Has a file written under another name, then renamed."""
    draft = f"{path}.draft"
    with open(draft, "wb") as file:
        write(file)
    os.replace(draft, path)
