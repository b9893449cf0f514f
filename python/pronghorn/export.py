"""Writes the trials of a run in other formats: ``python -m pronghorn.export``.

One JSON object comes on standard input: ``to`` (weights, h5, savedmodel, onnx, tensorboard, mlflow), ``run`` (the
run's folder), ``output`` (a folder), ``force`` (whether what is there is replaced), ``imports`` (Python files of the
user's, whose registered classes the models may hold), ``trials``, as ``pronghorn results --json`` prints them, and
``epochs``, for each of them the epochs of each metric's values. One JSON object a trial goes to standard output,
``{"trial": 3}`` or ``{"trial": 3, "error": TEXT}``: a model that a format cannot hold keeps no other from being
written.
"""

from __future__ import annotations

import functools
import importlib.util
import json
import os
import shutil
import sys
import time

from pronghorn import lifeline, tracking


def main() -> int:
    lifeline.watch()
    # What Keras and the converters print must not come between the answers.
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    job = json.load(sys.stdin)
    if job["to"] == "mlflow":
        # One store holds all trials.
        for number, reason in tracking.write(job, _placed).items():
            error = {} if reason is None else {"error": reason}
            answers.write(json.dumps({"trial": number, **error}) + "\n")
        return 0
    write, ending = FORMATS[job["to"]]
    for path in job["imports"]:
        _import(path)
    if job["to"] == "tensorboard":
        write_comparison(job)
    for trial in job["trials"]:
        answer = {"trial": trial["trial"]}
        try:
            place = os.path.join(job["output"], trial["name"] + ending)
            _placed(place, job["force"], functools.partial(write, trial=trial, job=job))
        except Exception as error:
            answer["error"] = _reason(error)
        answers.write(json.dumps(answer) + "\n")
    return 0


# Formats: each writes one trial to a path that is not there yet.


def write_weights(path: str, trial: dict, job: dict) -> None:
    """What ``Model.load_weights`` reads."""
    _model(trial, job).save_weights(path)


def write_h5(path: str, trial: dict, job: dict) -> None:
    """Keras's older format of whole models in HDF5."""
    _model(trial, job).save(path)


def write_saved_model(path: str, trial: dict, job: dict) -> None:
    """A TensorFlow SavedModel for serving, with the endpoint ``serve``."""
    _called(_model(trial, job)).export(path, format="tf_saved_model", verbose=False)


def write_onnx(path: str, trial: dict, job: dict) -> None:
    """An ONNX graph of the forward pass."""
    _called(_model(trial, job)).export(path, format="onnx", verbose=False)


def write_events(path: str, trial: dict, job: dict) -> None:
    """A folder of event files: tags and runs as ``keras.callbacks.TensorBoard`` names them."""
    from tensorboard.plugins.hparams import summary_v2

    if not trial["history"]:
        raise ValueError("it has ended no epoch")
    _write_summaries(path, [(summary_v2.hparams_pb(_plain(trial["parameters"]), trial["name"]), 0)])
    epochs = job["epochs"][str(trial["trial"])]
    for run, prefix in (("train", ""), ("validation", "val_")):
        metrics = {
            name.removeprefix("val_"): values
            for name, values in trial["history"].items()
            if name.startswith("val_") == bool(prefix)
        }
        scalars = [
            (_scalar(f"epoch_{name}", value), epoch)
            for name, values in metrics.items()
            for epoch, value in zip(epochs[f"{prefix}{name}"], values, strict=True)
            if value is not None
        ]
        if scalars:
            _write_summaries(os.path.join(path, run), scalars)


def write_comparison(job: dict) -> None:
    """What TensorBoard's table of hyperparameters compares the runs by, beside them."""
    from tensorboard.plugins.hparams import summary_v2

    names = sorted({name for trial in job["trials"] for name in trial["parameters"]})
    metrics = sorted({name for trial in job["trials"] for name in trial["history"]})
    experiment = summary_v2.hparams_config_pb(
        [summary_v2.HParam(name) for name in names],
        [
            summary_v2.Metric(
                f"epoch_{name.removeprefix('val_')}",
                group="validation" if name.startswith("val_") else "train",
                display_name=name,
            )
            for name in metrics
        ],
    )
    _placed(os.path.join(job["output"], "hparams"), True, lambda path: _write_summaries(path, [(experiment, 0)]))


FORMATS = {
    "weights": (write_weights, ".weights.h5"),
    "h5": (write_h5, ".h5"),
    "savedmodel": (write_saved_model, ""),
    "onnx": (write_onnx, ".onnx"),
    "tensorboard": (write_events, ""),
}


# How they do it.


def _import(path: str) -> None:
    """Imports a user's file, so that what it registers with Keras is there."""
    folder, stem = os.path.dirname(path), os.path.splitext(os.path.basename(path))[0]
    if folder not in sys.path:
        sys.path.insert(0, folder)
    spec = importlib.util.spec_from_file_location(stem, path)
    module = importlib.util.module_from_spec(spec)
    # A file called `random.py` must not take the place of Python's own module.
    if stem not in sys.modules and stem not in sys.stdlib_module_names:
        sys.modules[stem] = module
    spec.loader.exec_module(module)


def _model(trial: dict, job: dict):
    import keras

    # The code of a model that the user's own file built is the user's.
    return keras.models.load_model(os.path.join(job["run"], trial["model"]), safe_mode=not job["imports"])


def _called(model):
    """The model after a call, which exporting needs to know its inputs by."""
    import keras
    from keras.src.export.export_utils import get_input_signature

    def zeros(spec):
        return keras.ops.zeros([1 if length is None else length for length in spec.shape], spec.dtype)

    model(*keras.tree.map_structure(zeros, get_input_signature(model)))
    return model


def _placed(path: str, force: bool, write) -> None:
    """Has a file or folder written under another name beside its place, then renamed."""
    folder, name = os.path.split(path)
    if os.path.lexists(path) and not force:
        raise FileExistsError(f"{path} is there already; --force replaces it")
    # The ending stays: Keras tells formats by it.
    draft = os.path.join(folder, f".{os.getpid()}-{name}")
    try:
        write(draft)
        if os.path.isdir(path):
            aside = os.path.join(folder, f".{os.getpid()}-old-{name}")
            os.rename(path, aside)
            try:
                os.rename(draft, path)
            except OSError:
                os.rename(aside, path)
                raise
            shutil.rmtree(aside)
        else:
            os.replace(draft, path)
    finally:
        if os.path.isdir(draft):
            shutil.rmtree(draft)
        elif os.path.lexists(draft):
            os.unlink(draft)


def _write_summaries(folder: str, summaries: list[tuple]) -> None:
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.summary.writer.event_file_writer import EventFileWriter

    writer = EventFileWriter(folder)
    for summary, step in summaries:
        writer.add_event(Event(step=step, summary=summary, wall_time=time.time()))
    writer.close()


def _scalar(tag: str, value: float):
    from tensorboard.compat.proto.summary_pb2 import Summary

    return Summary(value=[Summary.Value(tag=tag, simple_value=value)])


def _plain(parameters: dict) -> dict:
    plain = (bool, int, float, str)
    return {name: value if isinstance(value, plain) else json.dumps(value) for name, value in parameters.items()}


def _reason(error: Exception) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


if __name__ == "__main__":
    sys.exit(main())
