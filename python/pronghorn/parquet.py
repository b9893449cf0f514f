"""Writes predictions as one Parquet file: ``python -m pronghorn.parquet``.

One JSON object comes on standard input: ``output`` (the file), ``rows`` (of the data), ``trials`` (numbers, where each
trial has predictions of its own: the arrays then have an axis of trials before that of the rows), ``group`` (``name``,
``labels`` and the file ``codes`` of each row's number in them; may be left out, as ``trials`` may) and ``columns``
(``name`` and ``file``, an NPY array each). The table has the columns ``trial``, ``row``, the group's, and one for each
array: numbers where a row is one number, else lists of so many numbers as a row has, in C order. A value that is NaN
stays NaN.
"""

from __future__ import annotations

import json
import os
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pronghorn import lifeline

# Rows that are in memory at a time, times the numbers of a row.
NUMBERS = 1 << 22


def main() -> int:
    lifeline.watch()
    job = json.load(sys.stdin)
    folder, name = os.path.split(job["output"])
    draft = os.path.join(folder, f".{os.getpid()}-{name}")
    try:
        write(job, draft)
        os.replace(draft, job["output"])
    finally:
        if os.path.lexists(draft):
            os.unlink(draft)
    return 0


def write(job: dict, path: str) -> None:
    """Writes the table, some rows at a time."""
    arrays = {column["name"]: _mapped(column["file"]) for column in job["columns"]}
    group = job.get("group")
    has_trials = job.get("trials") is not None
    fields = ([("trial", pa.int64())] if has_trials else []) + [("row", pa.int64())]
    if group:
        codes = np.load(group["codes"], mmap_mode="r")
        labels = pa.array(group["labels"], pa.string())
        fields.append((_free(group["name"], arrays), pa.dictionary(pa.int32(), pa.string())))
    first = 2 if has_trials else 1
    shapes = {name: array.shape[first:] for name, array in arrays.items()}
    for name, array in arrays.items():
        number = pa.from_numpy_dtype(_plain(array[:0]).dtype)
        count = int(np.prod(shapes[name]))
        fields.append((name, number if count == 1 else pa.list_(number, count)))
    schema = pa.schema(fields)
    chunk = max(1, NUMBERS // max(1, sum(int(np.prod(shape)) for shape in shapes.values())))
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for place, trial in enumerate(job["trials"] if has_trials else [None]):
            for start in range(0, job["rows"], chunk):
                rows = slice(start, min(start + chunk, job["rows"]))
                count = rows.stop - rows.start
                columns = [pa.array(np.full(count, trial, np.int64))] if has_trials else []
                columns.append(pa.array(np.arange(rows.start, rows.stop, dtype=np.int64)))
                if group:
                    columns.append(pa.DictionaryArray.from_arrays(pa.array(np.asarray(codes[rows])), labels))
                for array in arrays.values():
                    part = _plain(array[place, rows] if has_trials else array[rows]).reshape(count, -1)
                    flat = pa.array(part.reshape(-1), from_pandas=False)
                    size = part.shape[1]
                    columns.append(flat if size == 1 else pa.FixedSizeListArray.from_arrays(flat, size))
                writer.write_batch(pa.record_batch(columns, schema=schema))


def _mapped(path: str) -> np.ndarray:
    return np.load(path, mmap_mode="r")


def _plain(array: np.ndarray) -> np.ndarray:
    """The array in a type that Parquet has: bfloat16, two bytes to NumPy, becomes float32."""
    if array.dtype.kind == "V":
        return (np.asarray(array).view(np.uint16).astype(np.uint32) << 16).view(np.float32)
    return np.asarray(array)


def _free(name: str, taken) -> str:
    """The name, or one like it that no other column has."""
    while name in ("trial", "row") or name in taken:
        name = f"{name}_"
    return name


if __name__ == "__main__":
    lifeline.leave(main())
