"""Loads `.keras` files with real Keras and prints how many there were, and what evaluating them gives.

Usage: load_models.py RUN RESULTS.json DATA.json

DATA holds the paths `x` and `y`; with `"evaluate": true` every model is evaluated on all of their rows.
"""

import json
import os
import sys

os.environ["KERAS_BACKEND"] = "jax"

import keras
import numpy as np


def main(run, results, data):
    with open(results) as file:
        trials = json.load(file)
    with open(data) as file:
        data = json.load(file)
    x, y = np.load(data["x"]), np.load(data["y"])
    losses = []
    for trial in trials:
        model = keras.models.load_model(f"{run}/{trial['model']}")
        if data.get("evaluate"):
            losses.append(float(model.evaluate(x, y, verbose=0, return_dict=True)["loss"]))
    print(json.dumps({"loaded": len(trials), "losses": losses}))


main(*sys.argv[1:])
