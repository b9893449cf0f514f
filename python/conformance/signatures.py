"""The arrays that the cases train on, a set for each signature; the same on every machine."""

from __future__ import annotations

import os
from dataclasses import dataclass

import numpy as np

ROWS, VALIDATION, BATCH, EPOCHS = 19, 8, 8, 3
"""Two full batches and one of three rows; the validation set is one batch."""

WHOLE = {"batches": 16}
"""Rows to train on where a partial batch cannot be: a stateful layer's batch size is fixed."""


@dataclass(frozen=True)
class Signature:
    """`x` and `y` are arrays or dictionaries of them, with the validation rows behind the training rows."""

    x: object
    y: object
    weight: np.ndarray | None = None
    rows: int = ROWS

    def part(self, validation: bool) -> Signature:
        rows = slice(self.rows, None) if validation else slice(0, self.rows)
        return Signature(_map(self.x, rows), _map(self.y, rows), None if self.weight is None else self.weight[rows])


def signature(name: str) -> Signature:
    """The arrays of a signature."""
    rows = WHOLE.get(name, ROWS)
    n = rows + VALIDATION
    draw = np.random.default_rng(sum(name.encode()))

    def normal(*shape):
        return draw.standard_normal((n, *shape)).astype("float32")

    def classes(count, *shape):
        return draw.integers(0, count, (n, *shape)).astype("int32")

    def one_hot(count):
        return np.eye(count, dtype="float32")[classes(count)]

    if name == "vectors":
        return Signature(normal(6), normal(1))
    if name == "weighted":
        return Signature(normal(6), normal(1), draw.uniform(0.2, 2, n).astype("float32"))
    if name == "weighted3":
        return Signature(normal(6), normal(3), draw.uniform(0.2, 2, n).astype("float32"))
    if name == "pairs":
        return Signature(normal(6), normal(3))
    if name == "classes":
        return Signature(normal(6), classes(3))
    if name == "one_hot":
        return Signature(normal(6), one_hot(3))
    if name == "binary":
        return Signature(normal(6), classes(2, 1).astype("float32"))
    if name == "positive":
        return Signature(normal(6), draw.uniform(0.1, 1, (n, 3)).astype("float32"))
    if name == "labels":
        return Signature(normal(6), classes(3, 4) + 1)
    if name == "sequences":
        x = normal(7, 4)
        for row in range(n):
            x[row, 7 - row % 4 :] = 0
        return Signature(x, normal(1))
    if name == "batches":
        return Signature(normal(7, 4), normal(1), rows=rows)
    if name == "images":
        return Signature(draw.uniform(0, 1, (n, 8, 8, 3)).astype("float32"), normal(1))
    if name == "labelled_images":
        return Signature(draw.uniform(0, 1, (n, 8, 8, 3)).astype("float32"), one_hot(3))
    if name == "volumes":
        return Signature(normal(4, 4, 4, 2), normal(1))
    if name == "integers":
        x = classes(11, 5) + 1
        for row in range(n):
            x[row, 5 - row % 3 :] = 0
        return Signature(x, normal(1))
    if name == "several":
        x = {"left": normal(6), "right": normal(4), "word": classes(9)}
        return Signature(x, {"number": normal(1), "kind": classes(3)})
    raise KeyError(name)


def write(name: str, folder: str) -> dict:
    """Writes a signature's arrays into `folder`, and returns the experiment's `data` and `fit.validation`."""
    whole = signature(name)
    described = []
    for validation in (False, True):
        part = whole.part(validation)
        entry = {"x": _written(part.x, folder, f"x{validation:d}"), "y": _written(part.y, folder, f"y{validation:d}")}
        if part.weight is not None:
            entry["sample_weight"] = _written(part.weight, folder, f"w{validation:d}")
        described.append(entry)
    return {"data": described[0], "validation": described[1]}


def _written(value, folder: str, stem: str):
    if isinstance(value, dict):
        return {key: _written(array, folder, f"{stem}-{key}") for key, array in value.items()}
    np.save(os.path.join(folder, f"{stem}.npy"), value)
    return f"{stem}.npy"


def _map(value, rows):
    return {key: array[rows] for key, array in value.items()} if isinstance(value, dict) else value[rows]
