"""The rows of a trial: mapped arrays, by reference, and the row numbers of its partition."""

from __future__ import annotations

import contextlib
import os

import numpy as np

from pronghorn.lowering.failures import LoweringFailure
from pronghorn.lowering.tensors import Inputs


class Data:
    """What a unit's one lane trains on and validates on, as `Model.fit` takes it."""

    def __init__(self, unit: dict, folder: str, roles: list[str]):
        self._roles = roles
        # What each file was when it was mapped.
        self._files: dict[str, os.stat_result] = {}
        self._rows = np.load(os.path.join(folder, unit["rowsFile"]), mmap_mode="r")
        (lane,) = unit["lanes"]
        sources = unit["sources"]
        self.inputs = _inputs(sources[lane["source"]], roles)
        self.training = self._packed(sources[lane["source"]], lane["training"])
        self.validation = None
        if lane.get("validation") is not None:
            source = lane.get("validationSource")
            self.validation = self._packed(sources[lane["source"] if source is None else source], lane["validation"])

    def _packed(self, source: dict, stretch: dict) -> tuple:
        """(x, y, sample weights), the last two None where there are none."""
        rows = self._selection(stretch)
        arrays = [self._mapped(array)[rows] for array in source["arrays"]]
        flat = [
            array
            for kind in ("x", "y", "sample_weight")
            for array, role in zip(arrays, self._roles, strict=True)
            if role == kind
        ]
        packed = self.inputs.pack(flat)
        return packed + (None,) * (3 - len(packed))

    def check_unchanged(self) -> None:
        """Looks at the files once more, after they have been read: one that was written to is mapped as it is now.

        One that was replaced by another under its name is still mapped as it was; the next trial notices that.
        """
        for path, before in self._files.items():
            with contextlib.suppress(OSError):
                now = os.stat(path)
                if now.st_ino == before.st_ino and _stamp(now) != _stamp(before):
                    raise LoweringFailure(
                        "data_changed", f"{path} was changed while it was trained on; start a new run for it", file=path
                    )

    def _mapped(self, array: dict) -> np.ndarray:
        """The whole array, mapped read-only where it lies."""
        path = array["file"]
        try:
            status = os.stat(path)
        except OSError as error:
            raise LoweringFailure("files", f"{path} cannot be read: {error.strerror}") from error
        if _stamp(status) != (array["fileSize"], array["modified"]):
            raise LoweringFailure(
                "data_changed", f"{path} was changed after the run began; start a new run for it", file=path
            )
        self._files[path] = status
        mapped = np.memmap(path, array["dtype"], "r", array["offset"], tuple(array["shape"]))
        # Keras's adapters know arrays, of which a map is a kind that some backends treat as foreign.
        return np.asarray(mapped)

    def _selection(self, stretch: dict):
        """A slice where the rows follow one another, which copies nothing; else their numbers."""
        start, count = stretch.get("start"), stretch["count"]
        if start is None:
            return slice(0, count)
        rows = np.asarray(self._rows[start : start + count])
        if len(rows) != count:
            raise LoweringFailure("invalid_unit", f"{count} rows from {start} on are asked for, of {len(self._rows)}")
        if count and rows[-1] - rows[0] == count - 1 and bool((np.diff(rows) == 1).all()):
            return slice(int(rows[0]), int(rows[0]) + count)
        return rows


def _inputs(source: dict, roles: list[str]) -> Inputs:
    tensors: dict[str, list] = {"x": [], "y": [], "sample_weight": []}
    for array, role in zip(source["arrays"], roles, strict=True):
        tensors[role].append({"name": array["input"], "shape": array["shape"][1:], "dtype": array["dtype"]})
    return Inputs({**tensors, "sample_weight": next(iter(tensors["sample_weight"]), None)})


def _stamp(status: os.stat_result) -> tuple[int, int]:
    return status.st_size, status.st_mtime_ns
