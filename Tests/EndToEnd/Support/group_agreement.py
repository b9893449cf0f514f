"""Compares sampled trials of a run by groups with `Model.fit` on each group's rows alone, and prints one JSON object.

Usage: group_agreement.py RUN RESULTS.json MODELS.py FUNCTION SHARE BATCH TRIAL...

The rows are those of `x.npy` and `y.npy` whose `group.npy` is the trial's partition. SHARE is the validation split.
"""

import importlib.util
import json
import os
import sys

os.environ["KERAS_BACKEND"] = "jax"

import keras
import numpy as np


def relative(ours, theirs):
    ours, theirs = float(ours), float(theirs)
    return 0.0 if ours == theirs else abs(ours - theirs) / max(abs(ours), abs(theirs))


def main(run, results, models, function, share, batch, *sampled):
    # The file registers the classes that the models hold.
    spec = importlib.util.spec_from_file_location("models", models)
    spec.loader.exec_module(importlib.util.module_from_spec(spec))
    with open(results) as file:
        trials = {trial["trial"]: trial for trial in json.load(file)}
    x, y, group = (np.load(name, mmap_mode="r") for name in ("x.npy", "y.npy", "group.npy"))
    worst, where, rows = 0.0, "", []
    for number in map(int, sampled):
        trial = trials[number]
        own = np.flatnonzero(group == float(trial["partition_label"]))
        rows.append(len(own))
        model = keras.models.load_model(f"{run}/models/{trial['name']}.initial.keras")
        epochs = len(trial["history"]["loss"])
        history = model.fit(
            x[own],
            y[own],
            batch_size=int(batch),
            epochs=epochs,
            validation_split=float(share),
            shuffle=False,
            verbose=0,
        ).history
        assert sorted(history) == sorted(trial["history"])
        for metric, values in history.items():
            for epoch, (one, two) in enumerate(zip(trial["history"][metric], values, strict=True)):
                if not relative(one, two) <= worst:
                    worst, where = relative(one, two), f"{trial['name']} {metric} epoch {epoch}: {one} and {two}"
    print(json.dumps({"worst": worst, "at": where, "rows": rows}))


main(*sys.argv[1:])
