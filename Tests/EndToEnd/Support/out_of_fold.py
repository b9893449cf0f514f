"""Compares predictions out of fold with those of Keras: `out_of_fold.py RUN X.npy PREDICTED.npy TRIAL...`.

Every row that partitions of the trials held out is predicted by each of their models, loaded by Keras; several give
their mean. NaN in X, whose columns are a to f, is filled as the run's record of partitions says.
"""

import json
import os
import sys
from pathlib import Path

os.environ["KERAS_BACKEND"] = "jax"

import keras
import numpy as np

run, x, predicted = Path(sys.argv[1]), np.load(sys.argv[2]), np.load(sys.argv[3])
record = json.loads((run / "partitions" / "partitions.json").read_text())
numbers = np.load(run / "partitions" / record["rows"])
partitions = {partition["label"]: partition for partition in record["partitions"]}
results = {result["trial"]: result for result in json.loads(Path("results.json").read_text())}


def rows(stretch):
    if "start" in stretch:
        return numbers[stretch["start"] : stretch["start"] + stretch["count"]]
    return np.arange(stretch["first"], stretch["first"] + stretch["count"])


sums = np.zeros(predicted.shape, "float64")
counts = np.zeros(len(x), "int64")
for number in map(int, sys.argv[4:]):
    partition = partitions[results[number]["partition_label"]]
    assert not set(rows(partition["training"])) & set(rows(partition["validation"])), "a row trains and is held out"
    own = x.copy()
    for fill in partition.get("fills", []):
        column = "abcdef".index(fill["column"])
        own[np.isnan(own[:, column]), column] = fill["value"]
    model = keras.models.load_model(run / results[number]["model"])
    held_out = rows(partition["validation"])
    sums[held_out] += model.predict(own[held_out], verbose=0)
    counts[held_out] += 1

assert (np.isnan(predicted).all(axis=1) == (counts == 0)).all(), "other rows have no value"
known = counts > 0
expected = sums[known] / counts[known][:, None]
difference = np.abs(predicted[known] - expected) / (1 + np.abs(expected))
print(json.dumps({"difference": float(difference.max()), "values": int(known.sum())}))
