"""Trains the one trial of a unit by `Model.fit`, and leaves its model files."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import json
import os
import time

import keras

from pronghorn.fit import callbacks
from pronghorn.fit.data import Data
from pronghorn.fit.divergence import Divergence
from pronghorn.fit.protocol import Events, Feed
from pronghorn.lowering import adaptation, archives, sources
from pronghorn.lowering.failures import LoweringFailure, failure_from
from pronghorn.lowering.model import Builder


class Stopped(Exception):
    """Training was ended early as asked, and nothing of it counts."""


class Training:
    """One unit's training. A trial always begins at its beginning: see docs/Architecture.md."""

    def __init__(self, unit: dict, folder: str, events: Events, feed: Feed):
        self.unit = unit
        self.folder = folder
        self.events = events
        self.feed = feed
        (self.lane,) = unit["lanes"]
        self.engine = unit["engine"]["fit"]["_0"]
        self.save = unit["save"]
        self._models = os.path.join(folder, "models")
        self._saved: list[tuple[str, str]] = []

    def run(self) -> None:
        """Trains, writes the models and waits until they are durable.

        Raises: `Stopped`; `LoweringFailure` for what is wrong with the unit, its model or its files.
        """
        began = time.monotonic()
        data = Data(self.unit, self.folder, self.engine["roles"])
        model = self._model(data)
        own = callbacks.made(self.unit["callbacks"], self._models, self.lane["name"])
        stops: list[str] = []
        callbacks.watch(own, stops.append)
        divergence = self._divergence()
        if divergence:
            divergence.guard([one for _, one in own])
        progress = self._progress(divergence)
        ours = [divergence, progress] if divergence else [progress]
        try:
            model.fit(**self._arguments(data), callbacks=[*(one for _, one in own), *ours], verbose=0)
        except (Exception, SystemExit) as error:
            raise failure_from(error, _code(error), sources.belongs_to_user) from error
        if progress.was_stopped:
            raise Stopped
        data.check_unchanged()
        if progress.lacks:
            raise LoweringFailure(
                "no_such_metric", f"the model measures no {progress.lacks!r}, by which to save the best"
            )
        has_model = True
        if divergence and divergence.kept is not None:
            self.events.say("diverged", lane=0, epochs=divergence.epochs, kept=divergence.kept)
            # Where no epoch left good weights there is nothing to keep.
            has_model = divergence.kept > self.unit["fit"]["firstEpoch"]
        elif progress.is_over_time:
            self.events.say("ended", lane=0, epochs=progress.epochs, by="time_limit")
        elif stops:
            self.events.say("ended", lane=0, epochs=progress.epochs, by=stops[0])
        for name, callback in own:
            if name == "early_stopping" and callback.best_epoch is not None:
                self.events.say("best", lane=0, epoch=int(callback.best_epoch))
        if self.save["final"] and has_model:
            self._write(model, "final")
        for path, kind in self._saved:
            self._place(path, kind)
        self._tell_checkpoints()
        _synchronize(self.folder)
        self.events.say("trained", seconds=time.monotonic() - began)

    def _model(self, data: Data):
        request = json.loads(self.engine["model"])
        builder = Builder(request, data.inputs, self.unit["fit"]["batchSize"])
        offered = json.loads(self.engine["offered"])
        taken = {name: value for name, value in offered.items() if builder.takes(name)}
        # As a script would that sets the seed and then builds and fits.
        keras.utils.set_random_seed(int(self.lane["seed"]))
        model = builder.make(**taken)
        if self.engine.get("weights"):
            self._load_weights(model, data)
        if self.engine.get("adapt"):
            self._adapt(model, data)
        if "learning_rate" in offered and "learning_rate" not in taken:
            try:
                model.optimizer.learning_rate = offered["learning_rate"]
            except (TypeError, ValueError, AttributeError) as error:
                raise failure_from(error, "build_raised", sources.belongs_to_user) from error
        return model

    def _load_weights(self, model, data: Data) -> None:
        path = self.engine["weights"]
        # A file from elsewhere is looked through before Keras gets it.
        _ = archives.open_model(path) if path.endswith(".keras") else archives.open_weights(path)
        try:
            if not model.built:
                model(keras.tree.map_structure(lambda array: array[:1], data.training[0]))
            model.load_weights(path)
        except Exception as error:
            raise failure_from(error, "build_raised", sources.belongs_to_user) from error

    def _adapt(self, model, data: Data) -> None:
        """Adapts layers to the rows to train on, as a script would that calls `layer.adapt` before `fit`."""
        x = data.training[0]
        layers = adaptation.chosen(model, json.loads(self.engine["adapt"]))
        if not model.built and isinstance(model, keras.Sequential) and not isinstance(x, dict):
            model.build((None, *x.shape[1:]))
        for one in adaptation.placed(model, data.inputs, layers):
            rows = x[data.inputs.x[one.input].name] if isinstance(x, dict) else x
            try:
                one.adapt(rows)
            except Exception as error:
                raise failure_from(error, "fit_raised", sources.belongs_to_user) from error

    def _arguments(self, data: Data) -> dict:
        settings = self.unit["fit"]
        x, y, sample_weight = data.training
        # Keras knows no windows: all rows in a new order are shuffled at least as well.
        shuffle = {"none": False, "rows": True, "windows": True, "batch": "batch"}[settings["shuffle"]]
        arguments = {
            "x": x,
            "y": y,
            "sample_weight": sample_weight,
            "batch_size": settings["batchSize"],
            "initial_epoch": settings["firstEpoch"],
            "epochs": settings["lastEpoch"],
            "steps_per_epoch": settings.get("stepsPerEpoch"),
            "shuffle": shuffle,
        }
        if data.validation is not None:
            arguments["validation_data"] = data.validation
            arguments["validation_batch_size"] = settings["validationBatchSize"]
            # An enumeration of Swift's: {"every": {"_0": 2}} or {"epochs": {"_0": [1, 5]}}.
            ((_, frequency),) = settings["validationFrequency"].items()
            arguments["validation_freq"] = frequency["_0"]
        return arguments

    def _divergence(self) -> Divergence | None:
        """What ends a trial that diverges; `terminate_on_nan` has a rule of its own."""
        if not self.unit.get("stopsOnDivergence") or any("terminate_on_nan" in one for one in self.unit["callbacks"]):
            return None
        return Divergence(self.unit["fit"]["firstEpoch"], self.unit["fit"]["lastEpoch"])

    def _progress(self, divergence: Divergence | None) -> callbacks.Progress:
        best = self.save.get("best")
        return callbacks.Progress(
            say=lambda epoch, seconds, metrics: self.events.say(
                "epoch",
                epoch=epoch,
                seconds=seconds,
                lanes=[0],
                metrics={name: [value] for name, value in metrics.items()},
            ),
            shall_stop=lambda: self.feed.shall_stop,
            initial=(lambda model: self._write(model, "initial")) if self.save["initial"] else None,
            best=(best["monitor"], best["lessIsBetter"], lambda model: self._write(model, "best")) if best else None,
            epochs=self.unit["fit"]["lastEpoch"],
            time_limit=self.lane.get("timeLimit"),
            **({"diverges": divergence.is_in} if divergence else {}),
        )

    # Model files.

    def _write(self, model, kind: str) -> None:
        """Writes a model under a temporary name: only what a trained unit leaves takes its place."""
        os.makedirs(self._models, exist_ok=True)
        path = os.path.join(self._models, f".{self.lane['name']}.{kind}.{os.getpid()}.keras")
        try:
            model.save(path)
        except OSError as error:
            raise LoweringFailure("files", f"models cannot be written to {self._models}: {error}") from error
        except Exception as error:
            raise failure_from(error, "save_raised", sources.belongs_to_user) from error
        if (path, kind) not in self._saved:
            self._saved.append((path, kind))

    def _place(self, path: str, kind: str) -> None:
        name = f"{self.lane['name']}{'' if kind == 'final' else f'.{kind}'}.keras"
        try:
            os.replace(path, os.path.join(self._models, name))
        except OSError as error:
            raise LoweringFailure("files", f"models cannot be written to {self.folder}: {error}") from error
        self._tell(name, kind)

    def _tell_checkpoints(self) -> None:
        """Says which files the `model_checkpoint` callbacks have left, under names that nothing else has."""
        ours = f"{self.lane['name']}."
        for name in sorted(os.listdir(self._models)) if os.path.isdir(self._models) else []:
            if name.startswith((f"{ours}checkpoint", f"{ours}epoch-")):
                self._tell(name, "checkpoint")

    def _tell(self, name: str, kind: str) -> None:
        size = os.path.getsize(os.path.join(self._models, name))
        self.events.say("saved", trial=self.lane["trial"], file=f"models/{name}", kind=kind, bytes=size)

    def discard(self) -> None:
        """Removes what a unit that does not count has written."""
        for path, _ in self._saved:
            with contextlib.suppress(OSError):
                os.unlink(path)


def clear() -> None:
    """Lets go of a trial's model and of what Keras keeps of it, so that the next begins as in a new process."""
    keras.backend.clear_session()
    gc.collect()


def _code(error: BaseException) -> str:
    text = f"{type(error).__name__} {error}".lower()
    exhausted = isinstance(error, MemoryError) or "resource_exhausted" in text or "outofmemory" in text
    return "out_of_memory" if exhausted or "out of memory" in text else "fit_raised"


def _synchronize(folder: str) -> None:
    """Makes everything on the folder's file system durable: `syncfs`, or `sync` where the C library lacks it."""
    synchronize = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        if synchronize is None:
            os.sync()
        elif synchronize(descriptor) != 0:
            number = ctypes.get_errno()
            raise LoweringFailure("files", f"models in {folder} cannot be made durable: {os.strerror(number)}")
    finally:
        os.close(descriptor)
