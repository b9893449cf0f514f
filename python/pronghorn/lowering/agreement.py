"""Whether a program with numbers as inputs computes what a build with those numbers computes by itself."""

from __future__ import annotations

import jax
import numpy as np
from jax.extend.core import jaxpr_as_fun

TOLERANCE = 1e-6
"""The largest difference, relative to the largest number of an array, that rounding may make."""

OPTIONS = {"xla_backend_optimization_level": 0, "xla_llvm_disable_expensive_passes": True}
"""A step runs once here: compiling it is all the time it takes."""


def difference(lifted, baked, rows: int, numbers: list[float], changed: dict[int, float]) -> float:
    """The largest relative difference of one training step and one evaluation on a random batch.

    Args:
        lifted: functions with the numbers as inputs.
        baked: those of a build that holds the numbers as constants.
        rows: how many a batch has.
        numbers: the values of the inputs.
        changed: the values of those leaves of the state that start differently in this build, by their places.
    """
    random = np.random.default_rng(0)
    state = [_moved(leaf, random) for leaf in baked.state.leaves]
    for index, value in changed.items():
        state[index] = np.asarray(value, "float32")
    batch = [_drawn(aval, random) for aval in lifted.inputs.shapes(rows)]
    inputs = [np.asarray(number, "float32") for number in numbers]

    def both(state, batch):
        # The inputs are constants here, and both computations in one module: what is the same becomes the same
        # instructions, which round alike.
        ours, theirs = _computed(lifted, rows, [*state, *inputs], batch), _computed(baked, rows, state, batch)
        # The inputs come out as they went in.
        count = len(state)
        return [*ours[:count], *ours[count + len(inputs) :]], theirs

    compiled = jax.jit(both).lower(state, batch).compile(compiler_options=OPTIONS)
    pairs = zip(*compiled(state, batch), strict=True)
    return max((_relative(_array(a), _array(b)) for a, b in pairs), default=0.0)


def _computed(functions, rows: int, state: list, batch: list) -> list:
    """The state after a training step, its logs, and those of an evaluation that follows."""
    train, evaluate = (jaxpr_as_fun(functions.step(name, rows).jaxpr) for name in ("train", "evaluate"))
    trained = train(*state, *batch)
    return [*trained, *evaluate(*trained[: len(state)], *batch)[len(state) :]]


def _moved(leaf, random: np.random.Generator) -> np.ndarray:
    """A leaf's value in the middle of training, where no slot is zero and every number has its effect."""
    value = np.asarray(leaf.variable._value)
    if leaf.role == "metric" or leaf.is_generator:
        return value
    if leaf.variable.name == "iteration":
        return np.asarray(7, value.dtype)
    if not jax.numpy.issubdtype(value.dtype, np.floating) or value.shape == ():
        return value
    noise = random.standard_normal(value.shape) * 0.01
    # Moments and variances are never negative.
    noise = noise if leaf.role == "trainable" else np.abs(noise)
    return (value.astype("float32") + noise).astype(value.dtype)


def _drawn(aval, random: np.random.Generator) -> np.ndarray:
    kind = np.dtype(aval.dtype).kind
    if kind in "iub":
        # Valid as a class and as a row of an embedding, whatever their number.
        return random.integers(0, 2, aval.shape).astype(aval.dtype)
    return random.uniform(0.05, 1, aval.shape).astype(aval.dtype)


def _array(value) -> np.ndarray:
    array = np.asarray(value)
    return array if array.dtype.kind in "iub" else array.astype("float64")


def _relative(a: np.ndarray, b: np.ndarray) -> float:
    if a.dtype.kind in "iub":
        return 0.0 if np.array_equal(a, b) else np.inf
    if not np.array_equal(np.isfinite(a), np.isfinite(b)):
        return np.inf
    finite = np.isfinite(b)
    scale = np.abs(b, where=finite, out=np.zeros_like(b)).max(initial=0)
    gap = np.abs(np.where(finite, a, 0) - np.where(finite, b, 0)).max(initial=0)
    return float(gap / max(scale, 1e-6))
