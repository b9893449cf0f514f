"""How the leaves of a program are read from files of one layout, once that is proved (`starts.py`)."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass, field

import h5py
import numpy as np

from pronghorn.lowering import layouts, spans
from pronghorn.lowering.state import Leaf


@dataclass
class Reading:
    """How the leaves are read from files of one layout: from datasets, or as in the first such file.

    Attributes:
        base: The digest of the file that it was found by.
        first: Its leaves.
        leaves: What they are.
        fixed: Digests of arrays that are no leaves: in files that are read so they are the same.
        datasets: The dataset that holds each leaf which a file gives.
        rate: The leaf that the configuration gives, and where.
    """

    base: str
    first: list[np.ndarray]
    leaves: list[Leaf]
    fixed: dict[str, str]
    datasets: dict[int, str] = field(default_factory=dict)
    rate: tuple[int, tuple] | None = None

    def values(self, opened: h5py.File, config: dict | None) -> list[np.ndarray] | None:
        """The leaves from the datasets that hold them, a tenth of the time that Keras's own walk takes.

        None where the file is not one of those that are read so.
        """
        if any(_digest(opened[name]) != digest for name, digest in self.fixed.items()):
            return None
        values = list(self.first)
        for index, name in self.datasets.items():
            values[index] = array_of(opened, name, self.leaves[index])
        if self.rate is not None:
            index, path = self.rate
            values[index] = np.asarray(spans.value_at(config, path), values[index].dtype)
        return values

    def entry(self, config_paths: list[tuple | None]) -> dict:
        """What is written down of it."""
        rate = self.rate and {"leaf": leaf_name(self.rate[0]), "number": spans.word(self.rate[1])}
        return {
            "base": f"{self.base}.safetensors",
            "fixed": self.fixed,
            "leaves": {leaf_name(index): name for index, name in self.datasets.items()},
            "rate": rate,
            "numbers": [None if path is None else spans.word(path) for path in config_paths],
        }


def leaf_name(leaf: int) -> str:
    return f"state/{leaf:04}"


def array_of(opened: h5py.File, name: str, leaf: Leaf) -> np.ndarray:
    raw = np.ascontiguousarray(opened[name][()])
    return raw.view(leaf.dtype).reshape(leaf.shape)


def _digest(dataset: h5py.Dataset) -> str:
    return hashlib.sha256(dataset[()].tobytes()).hexdigest()


def altered(opened: h5py.File, dtypes: dict[str, str], drawn: set[str]) -> tuple[bytes | None, dict[str, str]]:
    """The bytes of a file with the numbers of its leaves changed, and the digests of what is no leaf and stays.

    None where that is not possible.

    Args:
        dtypes: what the elements of datasets are, where they are leaves.
        drawn: datasets of leaves that no file gives.
    """
    buffer, fixed = io.BytesIO(), {}
    with h5py.File(buffer, "w") as file:
        for name in opened:
            opened.copy(name, file)
        for name, dataset in layouts.walk(file):
            dtype = np.dtype(dtypes.get(name, dataset.dtype))
            if dataset.dtype.kind == "O" or dataset.dtype.itemsize != dtype.itemsize:
                return None, {}
            if name in drawn:
                continue
            if name not in dtypes:
                fixed[name] = _digest(dataset)
                continue
            value = np.ascontiguousarray(dataset[()]).view(dtype)
            if dtype.kind == "b":
                value = ~value
            elif dtype.kind in "iu":
                value = value + np.ones((), dtype)
            else:
                value = (value.astype("float32") * 1.25 + 0.5).astype(dtype)
            dataset[()] = np.ascontiguousarray(value).view(dataset.dtype).reshape(dataset.shape)
    return buffer.getvalue(), fixed
