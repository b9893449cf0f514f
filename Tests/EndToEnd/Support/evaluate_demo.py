"""Loads every saved model of a run with real Keras and evaluates it on the rows that it was validated on.

Usage: evaluate_demo.py RUN RESULTS.json

Prints the worst relative difference of the losses, and the worst difference of the accuracies, from what was reported.
"""

import json
import os
import sys
from pathlib import Path

os.environ["KERAS_BACKEND"] = "jax"

import keras
import numpy as np


def mapped(array):
    return np.memmap(array["file"], dtype=array["dtype"], mode="r", offset=array["offset"], shape=tuple(array["shape"]))


def validation_rows(run):
    """For each trial the inputs and the targets of its validation rows, as the run's units name them."""
    found = {}
    for file in sorted(run.glob("units/*/unit.json")):
        unit = json.loads(file.read_text())
        rows = np.load(file.parent / unit["rowsFile"])
        sources = [{array["input"]: mapped(array) for array in source["arrays"]} for source in unit["sources"]]
        for lane in unit["lanes"]:
            arrays, stretch = sources[lane["validationSource"]], lane["validation"]
            chosen = rows[stretch["start"] : stretch["start"] + stretch["count"]]
            training = rows[lane["training"]["start"] :][: lane["training"]["count"]]
            found[lane["trial"]] = arrays["x"][chosen], arrays["y"][chosen], set(chosen) & set(training)
    return found


def main(run, results):
    run = Path(run)
    trials = json.loads(Path(results).read_text())
    rows = validation_rows(run)
    worst = {"val_loss": 0.0, "val_accuracy": 0.0}
    worst_at = {}
    leaks = []
    for trial in trials:
        x, y, leaked = rows[trial["trial"]]
        if leaked:
            leaks.append(trial["name"])
        model = keras.models.load_model(run / trial["model"])
        # Eagerly, since to compile each of the models would take most of the time.
        model.run_eagerly = True
        found = model.evaluate(x, y, verbose=0, return_dict=True)
        loss, accuracy = trial["metrics"]["val_loss"], trial["metrics"]["val_accuracy"]
        differences = {
            "val_loss": abs(found["loss"] - loss) / abs(loss),
            "val_accuracy": abs(found["accuracy"] - accuracy),
        }
        for name, difference in differences.items():
            # Written so that a difference that is not a number counts as the worst.
            if not difference <= worst[name]:
                worst[name], worst_at[name] = float(difference), trial["name"]
    print(json.dumps({"evaluated": len(trials), "worst": worst, "at": worst_at, "leaks": leaks}))


main(*sys.argv[1:])
