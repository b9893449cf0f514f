"""Writes scikit-learn's tables as CSV files, and as the arrays that they hold: `tables.py FOLDER`."""

import csv
import json
import sys
from pathlib import Path

import numpy as np
from sklearn import datasets

folder = Path(sys.argv[1])
sizes = {}
for name in ("digits", "diabetes", "wine", "breast_cancer"):
    bunch = getattr(datasets, f"load_{name}")()
    sizes[name] = list(bunch.data.shape)
    classes = None if name == "diabetes" else [str(label) for label in bunch.target_names]
    with open(folder / f"{name}.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*bunch.feature_names, "target"])
        for row, target in zip(bunch.data.tolist(), bunch.target.tolist(), strict=True):
            writer.writerow([*row, target if classes is None else classes[target]])
    target = bunch.target
    if classes is not None:
        # Classes have the numbers of their labels in order.
        order = sorted(classes, key=float) if name == "digits" else sorted(classes)
        target = np.array([order.index(classes[number]) for number in target], np.int32)
    np.save(folder / f"{name}-x.npy", bunch.data.astype(np.float32))
    np.save(folder / f"{name}-y.npy", target)
print(json.dumps(sizes))
