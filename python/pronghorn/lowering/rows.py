"""A number of rows that is not known while a step is traced."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator

import jax
import jax.numpy as jnp
import numpy as np
from jax import export, lax
from jax.errors import InconclusiveDimensionOperation

ROWS = "n"


class NotMaskable(Exception):
    """Why a step cannot be masked."""


def symbolic_rows():
    """A number of rows that is not known while a step is traced, but that it is two or more.

    A batch of one row is left out: batch normalization makes exact zeros of it, behind which an activation's gradient
    hangs on the last bit, and code that looks for axes of one place would find one.
    """
    return export.symbolic_shape(ROWS, constraints=[f"{ROWS} >= 2"])[0]


@contextlib.contextmanager
def questioned() -> Iterator[None]:
    """Within, a question of Python's that numbers of rows answer differently raises `NotMaskable`.

    JAX raises for orderings, but where it does not know whether two sizes are equal it says that they are not, since
    dictionaries ask too; and a size that may be 0 is true as any object is. JAX itself knows of this, and is let ask.
    """
    kind = type(symbolic_rows())
    equal, unequal, jax_folder = kind.__eq__, kind.__ne__, os.path.dirname(jax.__file__) + os.sep

    def refuse_where_open(difference, question: str, asker) -> None:
        if asker.f_code.co_filename.startswith(jax_folder):
            return
        try:
            if difference > 0 or difference < 0:
                return
        except InconclusiveDimensionOperation:
            pass
        raise NotMaskable(f"Python asks {question}, of a batch of {ROWS} rows")

    def is_equal(self, other, asker) -> bool:
        answer = equal(self, other)
        # Sizes of another trace are no answer to anything.
        is_size = isinstance(other, (int, np.integer)) or (isinstance(other, kind) and other.scope is self.scope)
        if not answer and is_size:
            refuse_where_open(self - other, f"whether {self} is {other}", asker)
        return answer

    def is_true(self) -> bool:
        refuse_where_open(self, f"whether {self} is 0", sys._getframe(1))
        return True

    kind.__eq__ = lambda self, other: is_equal(self, other, sys._getframe(1))
    kind.__ne__ = lambda self, other: not is_equal(self, other, sys._getframe(1))
    kind.__bool__ = is_true
    try:
        yield
    finally:
        kind.__eq__, kind.__ne__ = equal, unequal
        del kind.__bool__


class Batch:
    """How many places there are, and how many of them hold rows."""

    def __init__(self, places: int, count: jax.Array):
        self.places = places
        self.count = count

    def size(self, dimension) -> int:
        """The size of an axis, whose rows are its first."""
        return times_rows(dimension) * self.places if goes_through_rows(dimension) else dimension

    def filled(self, value):
        """A parameter of an operation with the sizes of axes in place of symbols."""
        if type(value) in (tuple, list):
            return type(value)(self.filled(item) for item in value)
        return self.size(value)

    def only_rows(self, value: jax.Array, shape: tuple, axes, other) -> jax.Array:
        """The array with another number wherever one of some axes has no row."""
        for axis in axes:
            if goes_through_rows(shape[axis]):
                holds = lax.broadcasted_iota("int32", value.shape, axis) < times_rows(shape[axis]) * self.count
                value = lax.select(holds, value, jnp.full(value.shape, other, value.dtype))
        return value


def goes_through_rows(dimension) -> bool:
    return export.is_symbolic_dim(dimension)


def times_rows(dimension) -> int:
    """How often an axis holds the number of rows: it must be a multiple of it."""
    factor = int(dimension._evaluate({ROWS: 1}))
    if any(int(dimension._evaluate({ROWS: n})) != factor * n for n in (2, 3, 7, 64)):
        raise NotMaskable(f"an array has {dimension} places where the batch has {ROWS} rows")
    return factor


def row_axes(aval) -> list[int]:
    """The axes of an array that go through the rows."""
    return [axis for axis, size in enumerate(getattr(aval, "shape", ())) if goes_through_rows(size)]
