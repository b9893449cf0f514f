"""Compares what `pronghorn predict` and `evaluate` gave with what Keras itself gives for the same models and rows.

Usage: predictions.py JOB.json

JOB holds `results` (the file of `pronghorn results --json`), `run`, `x` (a path, or paths by name), and of the rest
what is to be compared: `predicted` (an NPY file) with `trials` (its first axis; one number: no such axis), `average`,
`groups` (the column's path: each row is for the trials of its group) or `held_out` (`trials` are lists then: each row
is for those of a list that it was held out from, by the record of the run's partitions); `evaluated` (the JSON of
`evaluate`) with `y`.
Prints the greatest difference, relative to 1 plus the value of Keras, and how many values were compared.
"""

import json
import os
import sys

os.environ.setdefault("KERAS_BACKEND", "jax")

import keras
import numpy as np


def main(path):
    with open(path) as file:
        job = json.load(file)
    with open(job["results"]) as file:
        trials = {trial["trial"]: trial for trial in json.load(file)}
    if job.get("imports"):
        sys.path.insert(0, os.path.dirname(job["imports"]))
        __import__(os.path.basename(job["imports"])[:-3])
    x = np.load(job["x"]) if isinstance(job["x"], str) else {name: np.load(file) for name, file in job["x"].items()}

    def model(number):
        return keras.models.load_model(os.path.join(job["run"], trials[number]["model"]), safe_mode=False)

    differences, count = [0.0], 0

    def compare(ours, theirs):
        nonlocal count
        ours, theirs = np.asarray(ours), np.asarray(theirs)
        assert ours.shape == theirs.shape, (ours.shape, theirs.shape)
        assert np.array_equal(np.isnan(ours), np.isnan(theirs)), "other values are NaN"
        count += theirs.size
        differences.append(float(np.nanmax(np.abs(ours - theirs) / (1 + np.abs(theirs)), initial=0)))

    if "predicted" in job:
        ours = np.load(job["predicted"])
        numbers = job["trials"]
        if job.get("held_out"):
            shape = ours.shape[-2:]
            theirs = np.stack([held_out(x, model, trials, job["run"], own, shape) for own in numbers])
            compare(ours, theirs if ours.ndim > 2 else theirs[0])
        elif job.get("groups"):
            keys = np.load(job["groups"])
            theirs = np.full_like(ours, np.nan)
            for number in numbers:
                label = trials[number]["partition_label"]
                rows = np.flatnonzero(keys.astype(str) == label)
                own = [n for n in numbers if trials[n]["partition_label"] == label]
                theirs[rows] = np.mean([model(n).predict(x[rows], verbose=0) for n in own], axis=0)
            compare(ours, theirs)
        else:
            each = [model(number).predict(x, batch_size=job.get("batch_size", 32), verbose=0) for number in numbers]
            output = job.get("output")
            if output is not None:
                each = [outputs[output] for outputs in each]
            theirs = np.mean(each, axis=0) if job.get("average") else each[0] if len(each) == 1 else np.stack(each)
            compare(ours, theirs)
    if "evaluated" in job:
        with open(job["evaluated"]) as file:
            evaluated = json.load(file)
        y = np.load(job["y"])
        keys = np.load(job["groups"]).astype(str) if job.get("groups") else None
        for one in evaluated:
            rows = slice(None) if keys is None else np.flatnonzero(keys == one["group"])
            metrics = model(one["trial"]).evaluate(
                x[rows], y[rows], batch_size=job.get("batch_size", 32), verbose=0, return_dict=True
            )
            assert set(metrics) == set(one["metrics"]), (metrics, one)
            for name, value in metrics.items():
                compare(one["metrics"][name], value)
    print(json.dumps({"difference": max(differences), "values": count}))


def held_out(x, model, trials, run, numbers, shape):
    """The mean, for each row, of the models that were validated on it; NaN where there is none."""
    with open(os.path.join(run, "partitions", "partitions.json")) as file:
        partitions = json.load(file)["partitions"]
    rows = np.load(os.path.join(run, "partitions", "rows.npy"))
    sums, counts = np.zeros(shape), np.zeros(shape)
    for number in numbers:
        held = partitions[trials[number]["partition"]]["validation"]
        own = rows[held["start"] : held["start"] + held["count"]]
        sums[own] += model(number).predict(x[own], verbose=0)
        counts[own] += 1
    with np.errstate(invalid="ignore"):
        return sums / counts


main(sys.argv[1])
