"""One function for last partial batches of all sizes from two rows on: a step for places, of which the first hold rows.

A step is traced with a symbolic number of rows, n, so that each array of the trace says which of its axes go through
the rows, and every number that depends on n is computed from it. The trace is then made anew for a fixed number of
places, of which the first n count: whatever sums over rows, or takes their greatest, is given the others as zeros (or
as the least number), so that it computes what it would of n rows alone, but for the order of its sums. Means, and with
them batch normalization, losses and metrics, divide by n itself.

This holds operation by operation, and only operations are allowed of which it is known: places without rows may hold
anything, as long as no row sees them. What is not in `RULES` raises `NotMaskable`, and each size is then a function of
its own.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.extend.core import ClosedJaxpr, Literal

from pronghorn.lowering.rows import Batch, NotMaskable, goes_through_rows, row_axes, times_rows


def masked(jaxpr: ClosedJaxpr, places: int) -> Callable:
    """What a trace with symbolic rows computes, of so many places: its arguments, then how many places hold rows."""

    def run(*arguments):
        *values, count = arguments
        return _run(jaxpr.jaxpr, jaxpr.consts, values, Batch(places, count))

    return run


def _run(jaxpr, constants, arguments, batch: Batch) -> list:
    known = {}

    def value(variable):
        return variable.val if isinstance(variable, Literal) else known[variable]

    known.update(zip(jaxpr.constvars, constants, strict=True))
    known.update(zip(jaxpr.invars, arguments, strict=True))
    for equation in jaxpr.eqns:
        results = _computed(equation, [value(variable) for variable in equation.invars], batch)
        known.update(zip(equation.outvars, results, strict=True))
    return [value(variable) for variable in jaxpr.outvars]


def _computed(equation, values: list, batch: Batch) -> list:
    name = equation.primitive.name
    if name == "dim_as_value":
        number = times_rows(equation.params["dim"]) * batch.count
        return [lax.convert_element_type(number, equation.outvars[0].aval.dtype)]
    if name in CALLS:
        inner = equation.params["jaxpr" if "jaxpr" in equation.params else "call_jaxpr"]
        return _call(inner, values, batch)
    if name in LOOPS:
        return LOOPS[name](equation, values, batch)
    avals = [variable.aval for variable in (*equation.invars, *equation.outvars)]
    if any(map(row_axes, avals)):
        if name not in RULES:
            raise NotMaskable(f"the step computes {name} of a whole batch")
        values = RULES[name](equation, values, batch)
    parameters = {key: batch.filled(parameter) for key, parameter in equation.params.items()}
    if "indices_are_sorted" in parameters and row_axes(equation.invars[1].aval):
        # Places without rows hold to no order.
        parameters["indices_are_sorted"] = False
    results = equation.primitive.bind(*values, **parameters)
    return results if equation.primitive.multiple_results else [results]


# Operations that hold others.

CALLS = {"jit", "pjit", "closed_call", "custom_jvp_call", "custom_vjp_call", "checkpoint", "remat", "remat2"}


def _call(inner, values: list, batch: Batch) -> list:
    if isinstance(inner, ClosedJaxpr):
        return _run(inner.jaxpr, inner.consts, values, batch)
    return _run(inner, [], values, batch)


def _scan(equation, values: list, batch: Batch) -> list:
    given = equation.params
    constants, carried = given["num_consts"], given["num_consts"] + given["num_carry"]
    each = [variable.aval for variable in equation.invars[carried:]]
    _require(not goes_through_rows(given["length"]) and all(0 not in row_axes(aval) for aval in each), equation)

    def body(carry, items):
        results = _call(given["jaxpr"], [*values[:constants], *carry, *items], batch)
        return results[: given["num_carry"]], results[given["num_carry"] :]

    carry, items = lax.scan(
        body, values[constants:carried], values[carried:], given["length"], given["reverse"], given["unroll"]
    )
    return [*carry, *items]


def _while(equation, values: list, batch: Batch) -> list:
    given = equation.params
    first = given["cond_nconsts"]
    second = first + given["body_nconsts"]
    return lax.while_loop(
        lambda carry: _call(given["cond_jaxpr"], [*values[:first], *carry], batch)[0],
        lambda carry: _call(given["body_jaxpr"], [*values[first:second], *carry], batch),
        values[second:],
    )


def _cond(equation, values: list, batch: Batch) -> list:
    branches = [
        lambda *operands, inner=branch: _call(inner, list(operands), batch) for branch in equation.params["branches"]
    ]
    return lax.switch(values[0], branches, *values[1:])


LOOPS = {"scan": _scan, "while": _while, "cond": _cond}


# Operations of arrays: a rule gives the operands so that the rows of the results are those of n rows alone.


def _require(holds: bool, equation) -> None:
    if not holds:
        raise NotMaskable(f"the step computes {equation.primitive.name} across the rows of a batch")


def _row_by_row(equation, values: list, batch: Batch) -> list:
    return values


def _reducing(other: Callable) -> Callable:
    def rule(equation, values: list, batch: Batch) -> list:
        return [
            batch.only_rows(value, variable.aval.shape, equation.params["axes"], other(value.dtype))
            for value, variable in zip(values, equation.invars, strict=True)
        ]

    return rule


def _least(dtype):
    return -np.inf if jnp.issubdtype(dtype, jnp.inexact) else jnp.iinfo(dtype).min


def _greatest(dtype):
    return np.inf if jnp.issubdtype(dtype, jnp.inexact) else jnp.iinfo(dtype).max


def _product(equation, values: list, batch: Batch) -> list:
    contracted = equation.params["dimension_numbers"][0]
    return [
        batch.only_rows(value, variable.aval.shape, axes, 0)
        for value, variable, axes in zip(values, equation.invars, contracted, strict=True)
    ]


def _convolution(equation, values: list, batch: Batch) -> list:
    """The rows are the images of a batch or, in the gradient of a kernel, what is summed over."""
    order = equation.params["dimension_numbers"]
    left, right = (row_axes(variable.aval) for variable in equation.invars)
    if left == [order.lhs_spec[0]] and not right:
        _require(equation.params["batch_group_count"] == 1, equation)
        return values
    _require(left == [order.lhs_spec[1]] and right == [order.rhs_spec[1]], equation)
    _require(equation.params["feature_group_count"] == 1, equation)
    return [
        batch.only_rows(value, variable.aval.shape, axes, 0)
        for value, variable, axes in zip(values, equation.invars, (left, right), strict=True)
    ]


def _reshape(equation, values: list, batch: Batch) -> list:
    """Rows stay first among what they are merged with."""
    before, after = equation.invars[0].aval, equation.outvars[0].aval
    _require(len(row_axes(before)) == len(row_axes(after)) == 1 and len(values) == 1, equation)
    # As many blocks as before, whose first places hold the rows.
    blocks = [math.prod(aval.shape[: row_axes(aval)[0]]) for aval in (before, after)]
    _require(blocks[0] == blocks[1], equation)
    return values


def _along_other(key: str) -> Callable:
    """For operations along the axis, or the axes, that a parameter names."""

    def rule(equation, values: list, batch: Batch) -> list:
        named = equation.params[key]
        named = set(named) if isinstance(named, (tuple, list)) else {named}
        avals = [variable.aval for variable in (*equation.invars, *equation.outvars)]
        _require(not any(named & set(row_axes(aval)) for aval in avals), equation)
        return values

    return rule


def _unstack(equation, values: list, batch: Batch) -> list:
    _require(equation.params["axis"] not in row_axes(equation.invars[0].aval), equation)
    return values


def _top(equation, values: list, batch: Batch) -> list:
    aval = equation.invars[0].aval
    _require(equation.params.get("axis", len(aval.shape) - 1) not in row_axes(aval), equation)
    _require(len(aval.shape) - 1 not in row_axes(aval), equation)
    return values


def _tile(equation, values: list, batch: Batch) -> list:
    """Rows are not repeated; one place may be, once for each row."""
    for size, times in zip(equation.invars[0].aval.shape, equation.params["reps"], strict=True):
        _require(size == 1 or times == 1 or not (goes_through_rows(size) or goes_through_rows(times)), equation)
    return values


def _slice(equation, values: list, batch: Batch) -> list:
    given, shape = equation.params, equation.invars[0].aval.shape
    for axis in row_axes(equation.invars[0].aval):
        whole = given["start_indices"][axis] == 0 and given["limit_indices"][axis] == shape[axis]
        _require(whole and (given["strides"] is None or given["strides"][axis] == 1), equation)
    return values


def _pad(equation, values: list, batch: Batch) -> list:
    padding = equation.params["padding_config"]
    _require(all(tuple(padding[axis]) == (0, 0, 0) for axis in row_axes(equation.invars[0].aval)), equation)
    return values


def _dynamic_slice(equation, values: list, batch: Batch) -> list:
    aval, sizes = equation.invars[0].aval, equation.params["slice_sizes"]
    _require(all(sizes[axis] == aval.shape[axis] for axis in row_axes(aval)), equation)
    return values


def _dynamic_update(equation, values: list, batch: Batch) -> list:
    whole, part = equation.invars[0].aval, equation.invars[1].aval
    _require(all(part.shape[axis] == whole.shape[axis] for axis in {*row_axes(whole), *row_axes(part)}), equation)
    return values


def _gather(equation, values: list, batch: Batch) -> list:
    """Rows look up what is no row, or each itself."""
    aval, order = equation.invars[0].aval, equation.params["dimension_numbers"]
    sizes = equation.params["slice_sizes"]
    own = set(order.operand_batching_dims)
    for axis in row_axes(aval):
        _require(axis in own or (axis not in order.start_index_map and sizes[axis] == aval.shape[axis]), equation)
    return values


def _scatter_add(equation, values: list, batch: Batch) -> list:
    """The gradient of a look-up: rows add to what is no row, or each to itself."""
    operand, indices, updates = (variable.aval for variable in equation.invars)
    order = equation.params["dimension_numbers"]
    windows = [axis for axis in range(len(operand.shape)) if axis not in _points(order)]
    for axis in row_axes(operand):
        is_whole = (
            axis in windows and updates.shape[order.update_window_dims[windows.index(axis)]] == operand.shape[axis]
        )
        indexed = axis in order.scatter_dims_to_operand_dims
        _require(axis in order.operand_batching_dims or (is_whole and not indexed), equation)
    # Places without rows may name the same target.
    _require(not (equation.params["unique_indices"] and row_axes(indices)), equation)
    return [*values[:2], batch.only_rows(values[2], updates.shape, row_axes(updates), 0)]


def _points(order) -> set[int]:
    """The axes along which a scattering reaches single places."""
    return {*order.inserted_window_dims, *order.operand_batching_dims}


def _window(equation, values: list, batch: Batch) -> list:
    given = equation.params
    for axis in row_axes(equation.invars[0].aval):
        for key in ("window_dimensions", "window_strides", "base_dilation", "window_dilation"):
            _require(given.get(key) is None or given[key][axis] == 1, equation)
        _require(tuple(given["padding"][axis]) == (0, 0), equation)
    return values


def _random_bits(equation, values: list, batch: Batch) -> list:
    """A bit depends on its place in row-major order alone, so that rows draw what they draw in a smaller batch."""
    is_counted = jax.config.jax_threefry_partitionable and "fry" in str(equation.invars[0].aval.dtype)
    _require(is_counted and not equation.invars[0].aval.shape and row_axes(equation.outvars[0].aval) == [0], equation)
    return values


ROW_BY_ROW = """
abs acos acosh add add_any and asin asinh atan atan2 atanh bessel_i0e bessel_i1e bitcast_convert_type
broadcast_in_dim cbrt ceil clamp clz complex conj convert_element_type copy copy_p cos cosh digamma div eq erf
erf_inv erfc exp exp2 expm1 floor ge gt igamma igammac imag integer_pow iota is_finite le lgamma log log1p logistic
lt max min mul ne neg nextafter not optimization_barrier or polygamma population_count pow real reduce_precision
regularized_incomplete_beta rem round rsqrt select_n shift_left shift_right_arithmetic shift_right_logical sign sin
sinh sqrt square squeeze stack stop_gradient sub tan tanh transpose xor zeta
"""

RULES: dict[str, Callable] = {
    **dict.fromkeys(ROW_BY_ROW.split(), _row_by_row),
    "reduce_sum": _reducing(lambda dtype: 0),
    "reduce_prod": _reducing(lambda dtype: 1),
    "reduce_max": _reducing(_least),
    "reduce_min": _reducing(_greatest),
    "reduce_and": _reducing(lambda dtype: True if dtype == np.bool_ else -1),
    "reduce_or": _reducing(lambda dtype: 0),
    "reduce_xor": _reducing(lambda dtype: 0),
    "dot_general": _product,
    "conv_general_dilated": _convolution,
    "reshape": _reshape,
    **dict.fromkeys(("argmax", "argmin"), _along_other("axes")),
    **dict.fromkeys(("concatenate", "sort"), _along_other("dimension")),
    **dict.fromkeys(("cumsum", "cumprod", "cummax", "cummin", "cumlogsumexp", "split"), _along_other("axis")),
    "rev": _along_other("dimensions"),
    "unstack": _unstack,
    "top_k": _top,
    "tile": _tile,
    "slice": _slice,
    "pad": _pad,
    "dynamic_slice": _dynamic_slice,
    "dynamic_update_slice": _dynamic_update,
    "gather": _gather,
    "scatter-add": _scatter_add,
    **dict.fromkeys(
        (
            "reduce_window_sum",
            "reduce_window_max",
            "reduce_window_min",
            "select_and_scatter_add",
            "select_and_gather_add",
        ),
        _window,
    ),
    "random_bits": _random_bits,
}
