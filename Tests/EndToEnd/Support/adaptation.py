"""Layers that are adapted to each trial's rows: models of wines, and every trial repeated by `Model.fit`.

`adaptation.py make FOLDER` writes x.npy, y.npy and two models, store-0.keras and store-1.keras, into FOLDER.
`adaptation.py compare RUN RESULTS` trains every trial anew: from its start, adapted by Keras to its training rows.
"""

import json
import os
import pathlib
import sys

os.environ["KERAS_BACKEND"] = "jax"

import keras
import numpy as np
from keras import layers

EPOCHS, BATCH = 4, 16


def build(units=8):
    model = keras.Sequential(
        [
            keras.Input((13,)),
            layers.Normalization(name="scale"),
            layers.Dense(units, activation="relu"),
            layers.Dense(3, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.SGD(0.05, momentum=0.9), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def binned():
    first = [keras.Input((13,)), layers.Discretization(num_bins=4, name="bins", output_mode="one_hot")]
    model = keras.Sequential([*first, layers.Flatten(), layers.Dense(3, activation="softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    return model


def late():
    x = keras.Input((13,))
    outputs = layers.Dense(3, activation="softmax")(layers.Normalization(name="late")(layers.Rescaling(2.0)(x)))
    model = keras.Model(x, outputs)
    model.compile("sgd", "sparse_categorical_crossentropy")
    return model


def make(folder):
    from sklearn.datasets import load_wine

    wine = load_wine()
    # Neighbours of one class would make folds and groups alike.
    order = np.random.default_rng(5).permutation(len(wine.target))
    x, y = wine.data[order].astype("float32"), wine.target[order].astype("int32")
    np.save(f"{folder}/x.npy", x)
    np.save(f"{folder}/y.npy", y)
    for number in range(2):
        keras.utils.set_random_seed(number + 40)
        model = build()
        model.get_layer("scale").adapt(x[: 30 + number])
        model.fit(x, y, epochs=number + 1, verbose=0)
        model.save(f"{folder}/store-{number}.keras")
    print(json.dumps({"rows": len(x), "deviations": float(np.ptp(x.std(axis=0)))}))


def relative(ours, theirs):
    ours, theirs = np.asarray(ours, "float64"), np.asarray(theirs, "float64")
    return float(np.max(np.abs(ours - theirs)) / max(np.max(np.abs(theirs)), 1e-30))


def compare(run, results):
    with open(results) as file:
        trials = json.load(file)
    with open(f"{run}/partitions/partitions.json") as file:
        record = json.load(file)
    numbers = np.load(f"{run}/partitions/{record['rows']}")
    partitions = {partition["label"]: partition for partition in record["partitions"]}

    def rows(stretch):
        if "start" in stretch:
            return numbers[stretch["start"] : stretch["start"] + stretch["count"]]
        return np.arange(stretch["first"], stretch["first"] + stretch["count"])

    x, y = np.load("x.npy"), np.load("y.npy")
    worst = dict.fromkeys(("statistics", "start", "history", "weights", "predictions"), 0.0)
    means, leak = [], np.inf
    for trial in trials:
        partition = partitions[trial["partition_label"]]
        training, held_out = rows(partition["training"]), rows(partition["validation"])
        assert not set(training) & set(held_out)
        first = keras.models.load_model(f"{run}/models/{trial['name']}.initial.keras")
        scale = first.get_layer("scale")
        own = x[training].astype("float64")
        for found, expected in ((scale.adapt_mean, own.mean(axis=0)), (scale.adapt_variance, own.var(axis=0))):
            worst["statistics"] = max(worst["statistics"], float(np.max(np.abs(found - expected) / expected)))
        # How far they are from those of all rows of the partition.
        both = x[np.concatenate([training, held_out])].astype("float64")
        leak = min(leak, float(np.max(np.abs(scale.adapt_mean - both.mean(axis=0)) / both.std(axis=0))))
        means.append(tuple(np.asarray(scale.adapt_mean)))

        # The trial as Keras has it.
        keras.utils.set_random_seed(trial["seed"])
        file = trial["parameters"].get("model")
        model = keras.models.load_model(file) if file else build()
        for ours, theirs in zip(first.trainable_variables, model.trainable_variables, strict=True):
            worst["start"] = max(worst["start"], relative(ours, theirs))
            theirs.assign(ours)
        model.get_layer("scale").adapt(x[training])
        history = model.fit(
            x[training],
            y[training],
            batch_size=BATCH,
            epochs=EPOCHS,
            validation_data=(x[held_out], y[held_out]),
            shuffle=False,
            verbose=0,
        ).history
        assert sorted(history) == sorted(trial["history"])
        for metric, values in history.items():
            worst["history"] = max(worst["history"], relative(trial["history"][metric], values))
        final = keras.models.load_model(f"{run}/{trial['model']}")
        for ours, theirs in zip(final.weights, model.weights, strict=True):
            worst["weights"] = max(worst["weights"], relative(ours, theirs))
        ours, theirs = final.predict(x, verbose=0), model.predict(x, verbose=0)
        worst["predictions"] = max(worst["predictions"], relative(ours, theirs))
        np.save(f"{trial['name']}-predicted.npy", ours)
    units = [json.loads(path.read_text()) for path in pathlib.Path(run, "units").glob("*/unit.json")]
    packed = max(len({lane.get("adapted") for lane in unit["lanes"]} - {None}) for unit in units)
    means = len(set(means))
    print(json.dumps({"trials": len(trials), "worst": worst, "leak": leak, "means": means, "packed": packed}))


if __name__ == "__main__":
    {"make": make, "compare": compare}[sys.argv[1]](*sys.argv[2:])
