"""Writes the results of a run as a Parquet file: ``python -m pronghorn.results_table``.

One JSON object comes on standard input: ``output`` (the file), ``table``, the results as ``pronghorn results --format
csv`` prints them, and ``types``, for each column whose type is known ``integer``, ``seed`` (of 64 bits), ``number`` or
``text``. A column that ``types`` does not name is a hyperparameter: it becomes whole numbers, numbers, true and false,
or text, whatever all its values are. What is empty in the table is null.
"""

from __future__ import annotations

import io
import json
import os
import sys

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import csv

from pronghorn import lifeline

TYPES = {"integer": pa.int64(), "seed": pa.uint64(), "number": pa.float64(), "text": pa.string()}


def main() -> int:
    lifeline.watch()
    job = json.load(sys.stdin)
    folder, name = os.path.split(job["output"])
    draft = os.path.join(folder, f".{os.getpid()}-{name}")
    try:
        pq.write_table(table(job["table"], job["types"]), draft, compression="zstd")
        os.replace(draft, job["output"])
    except OSError as error:
        print(error.strerror or error, file=sys.stderr)
        return 1
    finally:
        if os.path.lexists(draft):
            os.unlink(draft)
    return 0


def table(text: str, types: dict[str, str]) -> pa.Table:
    """The table with each column in its type."""
    return csv.read_csv(
        io.BytesIO(text.encode()),
        read_options=csv.ReadOptions(block_size=max(1 << 20, len(text.encode()) + 1)),
        parse_options=csv.ParseOptions(newlines_in_values=True),
        convert_options=csv.ConvertOptions(
            column_types={name: TYPES[kind] for name, kind in types.items()},
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        ),
    )


if __name__ == "__main__":
    lifeline.leave(main())
