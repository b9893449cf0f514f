"""Data that come in batches (a `tf.data.Dataset`, a `keras.utils.PyDataset`, a generator) → arrays, in one pass.

A batch is what `Model.fit` takes for one: `x`, `(x, y)` or `(x, y, sample_weight)`, where `x` and `y` are arrays or
dictionaries of arrays, with rows as the first axis. One batch is in memory at a time.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from pronghorn.prepared import Reporter


class NotBatches(Exception):
    """The batches are not what they are to be; the text goes on from "load returned"."""


def batches(returned: object) -> Iterator | None:
    """The batches of one epoch; None if it is nothing that has any."""
    if hasattr(returned, "as_numpy_iterator") and hasattr(returned, "cardinality"):
        if int(returned.cardinality()) == -1:
            raise NotBatches("a tf.data.Dataset that never ends: leave out repeat(), or add take()")
        return iter(returned.as_numpy_iterator())
    keras = sys.modules.get("keras")
    if keras is not None and isinstance(returned, keras.utils.PyDataset):
        if returned.num_batches is None:
            raise NotBatches("a PyDataset that never ends: let it have a length")
        return (returned[number] for number in range(returned.num_batches))
    if hasattr(returned, "__next__"):
        return iter(returned)
    return None


def drain(stream: Iterator, folder: Path, check: Callable, progress: Callable[[str], None]) -> list[dict]:
    """Writes the rows of all batches, and gives the list of the arrays; `check` makes an array of a value."""
    report = Reporter(progress)
    growing: dict[tuple[str, str], GrowingArray] = {}
    folder.mkdir(parents=True, exist_ok=True)
    rows = 0
    try:
        for number, batch in enumerate(stream):
            entries = {(role, name): check(value, role, name) for role, name, value in _entries(batch)}
            if number and entries.keys() != growing.keys():
                raise NotBatches(f"batches of different arrays: batch {number} is not like the first")
            lengths = {len(array) for array in entries.values()}
            if len(lengths) != 1:
                raise NotBatches(f"a batch ({number}) whose arrays have {sorted(lengths)} rows")
            for key, array in entries.items():
                if key not in growing:
                    stem = "-".join([key[0], str(len(growing))])
                    growing[key] = GrowingArray(folder / f"{stem}.npy", array)
                growing[key].append(array, number)
            rows += lengths.pop()
            report(lambda: f"taking the batches of the data: {rows:,} rows")  # noqa: B023
    finally:
        for array in growing.values():
            array.close()
    if not rows:
        raise NotBatches("no batches")
    return [
        {
            "name": name,
            "role": role,
            "file": array.path.name,
            "shape": [array.rows, *array.row_shape],
            "dtype": str(array.dtype),
        }
        for (role, name), array in growing.items()
    ]


def _entries(batch: object) -> Iterator[tuple[str, str, object]]:
    """Each array's role and name."""
    parts = tuple(batch) if isinstance(batch, (tuple, list)) else (batch,)
    if not 1 <= len(parts) <= 3:
        raise NotBatches(f"a batch of {len(parts)} parts: one is x, (x, y) or (x, y, sample_weight)")
    for role, part in zip(("x", "y", "sample_weight"), parts, strict=False):
        if part is None:
            continue
        if isinstance(part, dict) and role != "sample_weight":
            for name, value in part.items():
                yield role, str(name), value
        elif isinstance(part, (tuple, list)) and part and hasattr(part[0], "shape"):
            raise NotBatches(f"a batch whose {role} is a {type(part).__name__} of arrays: give a dictionary of them")
        else:
            yield role, role, part


class GrowingArray:
    """An NPY file that rows are added to; NumPy leaves room in a header for the number of rows to grow."""

    def __init__(self, path: Path, first):
        self.path = path
        self.dtype = first.dtype.newbyteorder("<")
        self.row_shape = first.shape[1:]
        self.rows = 0
        self._file = open(path, "wb")  # noqa: SIM115
        self._begin = self._header()

    def append(self, array, number: int) -> None:
        import numpy

        if array.shape[1:] != self.row_shape:
            raise NotBatches(
                f"rows of different shapes: {list(array.shape[1:])} in batch {number}, {list(self.row_shape)} before"
            )
        if not numpy.can_cast(array.dtype, self.dtype, "same_kind"):
            raise NotBatches(f"arrays of different types: {array.dtype} in batch {number}, {self.dtype} before")
        self._file.write(numpy.ascontiguousarray(array, self.dtype).tobytes())
        self.rows += len(array)

    def close(self) -> None:
        self._file.seek(0)
        if self._header() != self._begin:
            raise AssertionError("the header of an NPY file has grown")
        self._file.close()

    def _header(self) -> int:
        from numpy.lib import format as npy

        shape = (self.rows, *self.row_shape)
        descr = npy.dtype_to_descr(self.dtype)
        npy.write_array_header_1_0(self._file, {"descr": descr, "fortran_order": False, "shape": shape})
        return self._file.tell()
