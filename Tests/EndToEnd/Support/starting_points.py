"""Starting points of trials: writes models and weights to start from, and repeats the trials of a run by `Model.fit`.

`starting_points.py make FOLDER COUNT` writes FOLDER/store-N.keras (each adapted to data of its own, trained for N + 1
epochs, with a learning rate of its own) and FOLDER/store-N.weights.h5.
`starting_points.py compare RUN RESULTS SETTINGS` trains every trial anew, from the file that it started from.
"""

import json
import os
import sys
import zipfile

os.environ["KERAS_BACKEND"] = "jax"

import keras
import numpy as np
from keras import layers


def build(units=5):
    """Given to trials that start from weights; those files hold an optimizer too, which stays unused."""
    model = keras.Sequential(
        [
            keras.Input((6,)),
            layers.Normalization(),
            layers.Dense(units, activation="relu"),
            layers.Dense(1),
        ]
    )
    model.compile(keras.optimizers.SGD(0.01, momentum=0.9), "mse", metrics=["mae"])
    return model


def adapted(number, x, y, units=5):
    keras.utils.set_random_seed(number)
    normalization = layers.Normalization()
    normalization.adapt(x * (number + 1) + number)
    model = keras.Sequential(
        [
            keras.Input((6,)),
            normalization,
            layers.Dense(units, activation="relu", kernel_initializer=keras.initializers.GlorotUniform(number)),
            layers.Dense(1),
        ],
        name=f"store_{number}",
    )
    model.compile(keras.optimizers.Adam(0.002 * (number + 1)), "mse", metrics=["mae"])
    model.fit(x, y, epochs=number % 4 + 1, batch_size=8, verbose=0)
    return model


def make(folder, count):
    os.makedirs(folder)
    generator = np.random.default_rng(7)
    x, y = generator.normal(size=(40, 6)).astype("float32"), generator.normal(size=(40, 1)).astype("float32")
    for number in range(int(count)):
        model = adapted(number, x, y)
        model.save(f"{folder}/store-{number}.keras")
        model.save_weights(f"{folder}/store-{number}.weights.h5")
    print(json.dumps({"made": int(count)}))


def relative(ours, theirs):
    ours, theirs = np.asarray(ours, "float64"), np.asarray(theirs, "float64")
    return float(np.max(np.abs(ours - theirs)) / max(np.max(np.abs(theirs)), 1e-30))


def started(trial, settings):
    """The model that a trial begins with, as Keras makes it."""
    parameters = trial["parameters"]
    keras.utils.set_random_seed(trial["seed"])
    if "model" in parameters:
        model = keras.models.load_model(f"{settings['folder']}/{parameters['model']}")
    else:
        model = build()
        model.load_weights(f"{settings['folder']}/{parameters['start']}")
        # Keras leaves the optimizer alone when the file's has another number of slots, as here.
    if "learning_rate" in parameters:
        model.optimizer.learning_rate = parameters["learning_rate"]
    return model


def configuration(path):
    with zipfile.ZipFile(path) as archive:
        return json.loads(archive.read("config.json"))


def compare(run, results, settings):
    with open(results) as file:
        trials = json.load(file)
    with open(settings) as file:
        settings = json.load(file)
    x, y = np.load("x.npy"), np.load("y.npy")
    worst = {"history": 0.0, "weights": 0.0, "optimizer": 0.0}
    problems = []
    for trial in trials:
        model = started(trial, settings)
        kept = [np.array(v) for v in model.layers[0].variables]
        steps = int(model.optimizer.iterations)
        rows = slice(None)
        if settings.get("partitions"):
            size = len(x) // settings["partitions"]
            rows = slice(trial["partition"] * size, (trial["partition"] + 1) * size)
        history = model.fit(x[rows], y[rows], epochs=3, batch_size=16, shuffle=False, verbose=0).history
        for metric, values in history.items():
            worst["history"] = max(worst["history"], relative(trial["history"][metric], values))
        final = keras.models.load_model(f"{run}/{trial['model']}")
        for ours, theirs in zip(final.trainable_variables, model.trainable_variables, strict=True):
            worst["weights"] = max(worst["weights"], relative(ours, theirs))
        for ours, theirs in zip(final.optimizer.variables, model.optimizer.variables, strict=True):
            worst["optimizer"] = max(worst["optimizer"], relative(ours, theirs))
        if int(final.optimizer.iterations) <= steps or int(final.optimizer.iterations) != int(
            model.optimizer.iterations
        ):
            problems.append(f"{trial['name']}: the optimizer has taken {int(final.optimizer.iterations)} steps")
        if any(not np.array_equal(a, b) for a, b in zip(final.layers[0].variables, kept, strict=True)):
            problems.append(f"{trial['name']}: the normalization was changed")
        if "model" in trial["parameters"]:
            own, ours = configuration(f"{settings['folder']}/{trial['parameters']['model']}"), final.get_config()
            if own["config"]["name"] != ours["name"]:
                problems.append(f"{trial['name']}: the model is called {ours['name']}")
        rate = trial["parameters"].get("learning_rate", float(model.optimizer.learning_rate))
        saved = configuration(f"{run}/{trial['model']}")["compile_config"]["optimizer"]["config"]["learning_rate"]
        if relative(saved, rate) > 1e-6:
            problems.append(f"{trial['name']}: the saved configuration has the learning rate {saved}, not {rate}")
    print(json.dumps({"trials": len(trials), "worst": worst, "problems": problems}))


if __name__ == "__main__":
    {"make": make, "compare": compare}[sys.argv[1]](*sys.argv[2:])
