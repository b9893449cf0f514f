"""Holds two Parquet files of predictions to the NPY files of the same, and prints their columns as a JSON list.

Usage: parquet_predictions.py GROUPED APART KEYS.npy

GROUPED and APART are the files' names without their ending; in APART each trial has predictions of its own.
"""

import json
import sys

import numpy as np
import pyarrow.parquet as pq


def main(grouped, apart, keys):
    table = pq.read_table(f"{grouped}.parquet")
    expected = np.load(f"{grouped}.npy")[:, 0]
    keys = np.load(keys)
    assert table["row"].to_pylist() == list(range(len(keys)))
    assert [int(key) for key in table["store"].to_pylist()] == keys.tolist()
    assert np.array_equal(table["output"].to_numpy(), expected, equal_nan=True)
    assert np.isnan(expected).any() and not np.isnan(expected).all()
    columns = table.column_names

    table = pq.read_table(f"{apart}.parquet")
    expected = np.load(f"{apart}.npy")[..., 0]
    trials, rows = expected.shape
    assert table["trial"].to_pylist() == [trial for trial in range(trials) for _ in range(rows)]
    assert table["row"].to_pylist() == list(range(rows)) * trials
    assert np.array_equal(table["output"].to_numpy(), expected.reshape(-1))
    print(json.dumps(columns + table.column_names))


main(*sys.argv[1:])
