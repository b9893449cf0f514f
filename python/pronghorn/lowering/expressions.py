"""Arithmetic of build arguments.

An expression is an argument's name, a number, or a tuple of an operation and its operands. `Sources/Bundles` evaluates
the same expressions, in the same arithmetic of 64 bits.
"""

from __future__ import annotations

import itertools
import math
import operator
from collections.abc import Callable, Iterator

OPERATIONS: dict[str, Callable] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "**": operator.pow,
    "neg": operator.neg,
    "sqrt": math.sqrt,
    "exp": math.exp,
    "log": math.log,
}


def evaluate(expression, values: dict[str, float]) -> float:
    """The value of an expression, given its arguments'.

    Raises:
        ArithmeticError, ValueError: where it has no real value.
    """
    if isinstance(expression, str):
        return values[expression]
    if isinstance(expression, tuple):
        operation, *operands = expression
        value = OPERATIONS[operation](*(evaluate(operand, values) for operand in operands))
        if isinstance(value, complex):
            raise ValueError(f"{written(expression)} is no real number")
        return float(value)
    return expression


def corners(names: list[str], ends: dict[str, tuple[float, float]]) -> Iterator[dict[str, float]]:
    """Every combination of the least and the greatest value of these arguments."""
    return (dict(zip(names, corner, strict=True)) for corner in itertools.product(*map(ends.get, names)))


def defined(expression, ends: dict[str, tuple[float, float]]) -> bool:
    """Whether an expression has a finite value at every combination of its arguments' ends."""
    try:
        return all(math.isfinite(evaluate(expression, corner)) for corner in corners(arguments(expression), ends))
    except (ArithmeticError, ValueError):
        return False


def arguments(expression) -> list[str]:
    """The names of the arguments in an expression, in order of appearance."""
    if isinstance(expression, str):
        return [expression]
    if isinstance(expression, tuple):
        names = itertools.chain.from_iterable(arguments(operand) for operand in expression[1:])
        return list(dict.fromkeys(names))
    return []


def written(expression) -> str:
    """An expression for people."""
    if isinstance(expression, tuple):
        operation, *operands = expression
        parts = [f"({written(o)})" if isinstance(o, tuple) and o[0] in "+-*/**" else written(o) for o in operands]
        if len(parts) == 2:
            return f"{parts[0]} {operation} {parts[1]}"
        return f"-{parts[0]}" if operation == "neg" else f"{operation}({parts[0]})"
    return str(expression)


def as_json(expression):
    """An expression as `program.json` has it: operations are lists."""
    return [expression[0], *map(as_json, expression[1:])] if isinstance(expression, tuple) else expression
