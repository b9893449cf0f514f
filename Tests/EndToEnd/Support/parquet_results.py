"""Holds a Parquet file of results to the CSV table of the same: their columns and rows."""

import csv
import json
import sys

import pyarrow.parquet as pq

parquet, text = sys.argv[1:]
table = pq.read_table(parquet)
with open(text, newline="") as file:
    header, *rows = list(csv.reader(file))
assert table.column_names == header, (table.column_names, header)
for mine, theirs in zip(table.to_pylist(), rows, strict=True):
    for name, value in zip(header, theirs, strict=True):
        same = (
            float(value) == mine[name]
            if isinstance(mine[name], float)
            else str(mine[name] if mine[name] is not None else "") == value
        )
        assert same, (name, mine[name], value)
print(json.dumps(table.num_rows))
