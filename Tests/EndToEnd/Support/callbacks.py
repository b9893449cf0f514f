"""Repeats a run's trials in Keras with Keras's own callbacks, and prints what was found as one JSON object.

Usage: callbacks.py RUN RESULTS.json SETTINGS.json

Each trial is trained by `Model.fit` from the first weights that the run kept, unshuffled. Decisions (epochs of
stopping, best epochs, learning rates, which models are saved) must be equal, figures and weights to a relative
difference.
"""

import csv
import json
import os
import sys
import tempfile

os.environ["KERAS_BACKEND"] = "jax"

import keras
import numpy as np


def relative(ours, theirs):
    ours, theirs = np.asarray(ours, np.float64), np.asarray(theirs, np.float64)
    scale = max(float(np.max(np.abs(theirs), initial=0)), 1e-30)
    return float(np.max(np.abs(ours - theirs), initial=0)) / scale


def given(compiled, model):
    """The compiled model with the state of another of its kind; that other if there is none."""
    if compiled is None:
        return model
    for one, two in zip(compiled.variables, model.variables, strict=True):
        one.assign(two)
    for one, two in zip(compiled.optimizer.variables, model.optimizer.variables, strict=True):
        one.assign(two)
    return compiled


def distance(file, model):
    """The largest difference of a saved model's weights and optimizer to a model's."""
    saved = keras.models.load_model(file)
    pairs = zip(
        [*saved.get_weights(), *(np.asarray(v) for v in saved.optimizer.variables)],
        [*model.get_weights(), *(np.asarray(v) for v in model.optimizer.variables)],
        strict=True,
    )
    # A learning rate is a decision of a callback, so that the config must show it too.
    ours, theirs = (m.optimizer.get_config()["learning_rate"] for m in (saved, model))
    return max([relative(ours, theirs), *(relative(one, two) for one, two in pairs)])


def made(settings, folder):
    callbacks = []
    for name, arguments in settings["callbacks"]:
        if name == "ModelCheckpoint":
            suffix = "checkpoint" if arguments.get("save_best_only") else "epoch-{epoch:03d}"
            arguments = {**arguments, "filepath": f"{folder}/{suffix}.keras"}
        if name == "CSVLogger":
            arguments = {**arguments, "filename": f"{folder}/log.csv"}
        callbacks.append(getattr(keras.callbacks, name)(**arguments))
    return callbacks


def main(run, results, settings):
    with open(results) as file:
        trials = json.load(file)
    with open(settings) as file:
        settings = json.load(file)
    x, y = np.load(settings["x"]), np.load(settings["y"])
    problems, table = [], []
    worst = {"history": 0.0, "weights": 0.0, "saved": 0.0, "csv": 0.0}

    def note(kind, value):
        worst[kind] = max(worst[kind], value if np.isfinite(value) else np.inf)

    model = None
    for trial in trials:
        name = trial["name"]
        model = given(model, keras.models.load_model(f"{run}/models/{name}.initial.keras"))
        with tempfile.TemporaryDirectory() as folder:
            callbacks = made(settings, folder)
            history = model.fit(
                x, y, epochs=settings["epochs"], batch_size=settings["batch_size"], shuffle=False, verbose=0,
                validation_split=settings["validation"], callbacks=callbacks,
            ).history  # fmt: skip
            stopping = next((c for c in callbacks if isinstance(c, keras.callbacks.EarlyStopping)), None)
            epochs = len(history["loss"])
            theirs = {
                "epochs": epochs,
                "stopped_epoch": epochs - 1 if model.stop_training else None,
                "best_epoch": stopping.best_epoch if stopping else trial["best_epoch"],
                "learning_rate": history.get("learning_rate"),
            }
            if stopping and stopping.stopped_epoch:
                theirs["stopped_epoch"] = stopping.stopped_epoch
            ours = {key: trial[key] for key in ("epochs", "stopped_epoch", "best_epoch")}
            ours["learning_rate"] = trial["history"].get("learning_rate")
            table.append({"trial": name, **theirs})
            if ours != theirs:
                problems.append(f"{name}: {ours}, and Keras {theirs}")
                continue
            if sorted(history) != sorted(trial["history"]):
                problems.append(f"{name}: history has {sorted(trial['history'])}, Keras has {sorted(history)}")
            for metric, values in history.items():
                for one, two in zip(trial["history"].get(metric, []), values, strict=True):
                    note("history", relative(one, two))
            note("weights", distance(f"{run}/models/{name}.keras", model))
            saved = sorted(f for f in os.listdir(folder) if f.endswith(".keras"))
            own = sorted(
                f.removeprefix(f"{name}.")
                for f in os.listdir(f"{run}/models")
                if f.startswith(f"{name}.") and f not in (f"{name}.keras", f"{name}.initial.keras")
            )
            if own != saved:
                problems.append(f"{name}: saved {own}, Keras {saved}")
                continue
            # Of every epoch's models the first and the last stand for all.
            for file in {saved[0], saved[-1]} if saved else []:
                note("saved", distance(f"{run}/models/{name}.{file}", keras.models.load_model(f"{folder}/{file}")))
            if os.path.exists(f"{folder}/log.csv"):
                with open(f"{folder}/log.csv", newline="") as file:
                    expected = file.read()
                with open(f"{run}/csv/{name}.csv", newline="") as file:
                    found = file.read()
                compare_tables(name, found, expected, note, problems)
    print(json.dumps({"trials": len(trials), "problems": problems, "worst": worst, "table": table}))


def compare_tables(name, found, expected, note, problems):
    ours, theirs = (list(csv.reader(text.splitlines(), delimiter=";")) for text in (found, expected))
    if ours[0] != theirs[0] or len(ours) != len(theirs) or found.count("\r\n") != expected.count("\r\n"):
        problems.append(f"{name}: a CSV file of {ours[0]} and {len(ours)} lines, Keras's {theirs[0]} and {len(theirs)}")
        return
    for one, two in zip(ours[1:], theirs[1:], strict=True):
        for a, b in zip(one, two, strict=True):
            if "NA" in (a, b):
                if a != b:
                    problems.append(f"{name}: {a} in the CSV file, Keras {b}")
            else:
                note("csv", relative(float(a), float(b)))


main(*sys.argv[1:])
