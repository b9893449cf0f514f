"""The tensors of a batch, as a request names them and as Keras is passed them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pronghorn.lowering.failures import LoweringFailure

if TYPE_CHECKING:
    import jax

# What JAX makes of the types that it does not compute with unless asked to; `fit` runners have no JAX to ask.
_NARROWED = {"float64": "float32", "int64": "int32", "uint64": "uint32", "complex128": "complex64"}


@dataclass(frozen=True)
class Tensor:
    """One tensor of a batch; `shape` is that of one row."""

    name: str
    role: str
    shape: tuple[int, ...]
    dtype: str

    def entry(self) -> dict:
        """The tensor as `program.json` lists it."""
        return {"name": self.name, "role": self.role, "shape": list(self.shape), "dtype": self.dtype}


class Inputs:
    """What a batch is made of: `x`, `y` and sample weights, flat in the order of the functions' arguments."""

    def __init__(self, request: dict):
        self.x = [_tensor(entry, "x") for entry in request.get("x") or []]
        self.y = [_tensor(entry, "y") for entry in request.get("y") or []]
        weight = request.get("sample_weight")
        self.sample_weight = [_tensor(weight, "sample_weight")] if weight else []
        if not self.x:
            raise LoweringFailure("bad_request", "`inputs` names no tensor of role x")

    @property
    def all(self) -> list[Tensor]:
        return [*self.x, *self.y, *self.sample_weight]

    def shapes(self, rows: int) -> list[jax.ShapeDtypeStruct]:
        """The shapes of one batch of so many rows, flat."""
        import jax

        return [jax.ShapeDtypeStruct((rows, *t.shape), t.dtype) for t in self.all]

    def pack(self, flat: list) -> tuple:
        """Arranges flat tensors as the `data` that Keras's steps take."""
        count_x, count_y = len(self.x), len(self.y)
        x = _arrange(self.x, flat[:count_x], "x")
        y = _arrange(self.y, flat[count_x : count_x + count_y], "y") if self.y else None
        if self.sample_weight:
            return (x, y, flat[count_x + count_y])
        return (x,) if y is None else (x, y)


def _arrange(tensors: list[Tensor], values: list, bare: str):
    if len(tensors) == 1 and tensors[0].name == bare:
        return values[0]
    return {t.name: value for t, value in zip(tensors, values, strict=True)}


def _tensor(entry: dict, role: str) -> Tensor:
    try:
        dtype = np.dtype(entry["dtype"]).name
        shape = tuple(int(n) for n in entry["shape"])
        return Tensor(entry["name"], role, shape, _NARROWED.get(dtype, dtype))
    except (KeyError, TypeError, ValueError) as error:
        raise LoweringFailure("bad_request", f"not a tensor of `inputs`: {entry!r} ({error})") from error
