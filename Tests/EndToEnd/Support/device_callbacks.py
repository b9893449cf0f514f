"""Repeats trials in Keras with callbacks that Pronghorn carries out on the device, and prints one JSON object.

Usage: device_callbacks.py RUN RESULTS.json SETTINGS.json

Each trial is trained by `Model.fit` from the first weights that the run kept, unshuffled. Where a training diverged,
what is NaN or infinite must be so in the same places; the finite figures just before it hold rounding that every step
has multiplied.
"""

import importlib.util
import json
import os
import sys

os.environ["KERAS_BACKEND"] = "jax"

import keras
import numpy as np


def difference(ours, theirs):
    """The largest relative difference of finite numbers; infinite when other numbers are finite."""
    ours, theirs = np.asarray(ours, np.float64), np.asarray(theirs, np.float64)
    if ours.shape != theirs.shape or not np.array_equal(np.isfinite(ours), np.isfinite(theirs)):
        return float("inf")
    finite = np.isfinite(theirs)
    scale = max(float(np.max(np.abs(theirs[finite]), initial=0)), 1e-30)
    return float(np.max(np.abs(ours[finite] - theirs[finite]), initial=0)) / scale


def numbers(values):
    return [float("nan") if value is None else float(value) for value in values]


def callback(settings, name, arguments):
    if name == "LearningRateScheduler":
        spec = importlib.util.spec_from_file_location("schedules", settings["file"])
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return keras.callbacks.LearningRateScheduler(getattr(module, arguments["schedule"]))
    return getattr(keras.callbacks, name)(**arguments)


def main(run, results, settings):
    with open(results) as file:
        trials = json.load(file)
    with open(settings) as file:
        settings = json.load(file)
    x, y = np.load(settings["x"]), np.load(settings["y"])
    problems, table = [], []
    worst = {"history": 0.0, "weights": 0.0, "diverged": 0.0}
    for trial in trials:
        name = trial["name"]
        if settings["only"] and trial["trial"] not in settings["only"]:
            continue
        model = keras.models.load_model(f"{run}/models/{name}.initial.keras")
        history = model.fit(
            x, y, epochs=settings["epochs"], batch_size=settings["batch_size"], shuffle=False, verbose=0,
            validation_split=settings["validation"],
            callbacks=[callback(settings, *each) for each in settings["callbacks"]],
        ).history  # fmt: skip
        theirs = {
            "epochs": len(history["loss"]),
            "stopped_epoch": len(history["loss"]) - 1 if model.stop_training else None,
        }
        ours = {key: trial[key] for key in theirs}
        table.append({"trial": trial["trial"], **theirs, "by": trial["stopped_by"]})
        if ours != theirs or sorted(history) != sorted(trial["history"]):
            problems.append(f"{name}: {ours} {sorted(trial['history'])}, and Keras {theirs} {sorted(history)}")
            continue
        diverged = not np.all(np.isfinite(history["loss"]))
        for metric, values in history.items():
            found = difference(numbers(trial["history"][metric]), numbers(values))
            kind = "diverged" if diverged else "history"
            worst[kind] = max(worst[kind], found)
            if found == float("inf"):
                problems.append(f"{name}: {metric} {trial['history'][metric]}, Keras {values}")
        saved = keras.models.load_model(f"{run}/models/{name}.keras")
        pairs = zip(
            [*saved.get_weights(), *(np.asarray(v) for v in saved.optimizer.variables)],
            [*model.get_weights(), *(np.asarray(v) for v in model.optimizer.variables)],
            strict=True,
        )
        for one, two in pairs:
            found = difference(one, two)
            # Weights that have exploded differ by more than rounding; whether they are finite still must agree.
            if found == float("inf"):
                problems.append(f"{name}: a weight is finite in one and not in the other")
            elif not diverged:
                worst["weights"] = max(worst["weights"], found)
    print(json.dumps({"trials": len(table), "problems": problems, "worst": worst, "table": table}))


main(*sys.argv[1:])
