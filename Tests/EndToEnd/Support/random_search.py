"""Compares trials of a random search with real Keras, and prints what was found as one JSON object.

Usage: random_search.py RUN RESULTS.json MODELS.py FUNCTION TRIAL…

Each of the trials is built anew with its own numbers and seed, given the first weights that the run kept, and fitted
unshuffled. The saved models must hold the trial's numbers in their configuration.
"""

import importlib.util
import json
import os
import sys

os.environ["KERAS_BACKEND"] = "jax"

import keras
import numpy as np


def relative(ours, theirs):
    return abs(ours - theirs) / max(abs(ours), abs(theirs), 1e-30)


def configuration(model):
    optimizer = model.optimizer.get_config()
    return [[layer.get_config().get("rate") for layer in model.layers], optimizer["weight_decay"]]


def main(run, results, file, function, *wanted):
    spec = importlib.util.spec_from_file_location("models", file)
    models = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(models)
    with open(results) as opened:
        trials = json.load(opened)
    x, y = np.load("x.npy"), np.load("y.npy")
    worst, problems = 0.0, []
    for trial in (trials[int(number)] for number in wanted):
        keras.utils.set_random_seed(trial["seed"])
        model = getattr(models, function)(**trial["parameters"])
        initial = keras.models.load_model(f"{run}/models/{trial['name']}.initial.keras")
        model.set_weights(initial.get_weights())
        final = keras.models.load_model(f"{run}/{trial['model']}")
        for saved in (initial, final):
            if configuration(saved) != configuration(model):
                problems.append(f"{trial['name']}: {configuration(saved)} is saved, not {configuration(model)}")
            if relative(float(saved.optimizer.learning_rate), float(model.optimizer.learning_rate)) > 1e-7:
                problems.append(f"{trial['name']}: the saved learning rate is {float(saved.optimizer.learning_rate)}")
        history = model.fit(x, y, epochs=3, batch_size=16, shuffle=False, verbose=0).history
        for metric, values in history.items():
            for one, two in zip(trial["history"][metric], values, strict=True):
                worst = max(worst, relative(one, two))
    print(json.dumps({"worst": worst, "problems": problems}))


main(*sys.argv[1:])
