"""Build arguments as inputs of a program: the places that hold them are given traced numbers while a step is traced."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jax._src.lax.lax import _convert_element_type

from pronghorn.lowering.expressions import OPERATIONS, arguments, evaluate, written
from pronghorn.lowering.following import Traced, Watch, mathematics
from pronghorn.lowering.slots import Slot


@dataclass(eq=False)
class Number:
    """Stands in the state where a variable stands: a number that is an input of the program and of no variable."""

    expression: object
    value: float

    @property
    def path(self) -> str:
        return f"parameter/{written(self.expression)}"

    @property
    def name(self) -> str:
        return written(self.expression)

    @property
    def _shape(self) -> tuple:
        return ()

    @property
    def _value(self) -> np.ndarray:
        return np.asarray(self.value, "float32")


class Lifting:
    """The places of one build that hold numbers of its arguments, and the inputs that take their place.

    Every expression that a step makes an array of is an input of its own: it is evaluated in 64 bits for each trial, as
    Python would have before it became a constant, so that `1 - beta_2` loses nothing.
    """

    def __init__(self, watch: Watch, places: list[tuple[Slot, object]]):
        self.watch = watch
        self.places = places
        names = dict.fromkeys(name for _, expression in places for name in arguments(expression))
        self.expressions: list = list(names)
        self._discovering = False

    @property
    def numbers(self) -> list[Number]:
        """The inputs, with the values of the build."""
        return [Number(expression, evaluate(expression, self.watch.values)) for expression in self.expressions]

    @contextlib.contextmanager
    def discovering(self) -> Iterator[None]:
        """What is traced inside the block adds the expressions that it needs to the inputs."""
        self._discovering = True
        try:
            yield
        finally:
            self._discovering = False

    @contextlib.contextmanager
    def bound(self, values: list) -> Iterator[None]:
        """Inside the block every place holds a number whose value is traced; `values` are those of the inputs."""
        if not self.places:
            yield
            return
        inputs = dict(zip(self.expressions, values, strict=False))

        def source(expression) -> jax.Array:
            # Weakly typed, as Python's own numbers are: a bfloat16 layer stays one.
            return _convert_element_type(jnp.asarray(value(expression)), np.dtype("float32"), weak_type=True)

        def value(expression):
            if self._discovering:
                if expression not in self.expressions:
                    self.expressions.append(expression)
                return np.float32(evaluate(expression, self.watch.values))
            if expression in inputs:
                return inputs[expression]
            # A batch of another size can bring another constant into an expression.
            operation, *operands = expression
            function = {"sqrt": jnp.sqrt, "exp": jnp.exp, "log": jnp.log}.get(operation, OPERATIONS[operation])
            return function(*(o if isinstance(o, float) else value(o) for o in operands))

        before = [slot.get() for slot, _ in self.places]
        with mathematics():
            try:
                for slot, expression in self.places:
                    slot.put(Traced(expression, self.watch, source))
                yield
            finally:
                # Backwards, since one place may lie inside another's tuple.
                for (slot, _), number in zip(reversed(self.places), reversed(before), strict=True):
                    slot.put(number)


NOTHING = Lifting(Watch({}), [])
"""Of a program whose trials differ in no number but the learning rate."""


def matches(watch: Watch, other: Watch) -> dict[tuple[float, float], object]:
    """The expressions of two builds by their values in either: what a place that holds these two numbers comes from."""
    found: dict[tuple[float, float], object] = {}
    for expression, value in watch.expressions.items():
        with contextlib.suppress(ArithmeticError, ValueError):
            theirs = evaluate(expression, other.values)
            if value != theirs:
                found.setdefault((value, theirs), expression)
    return found


def as_single(found: dict[tuple[float, float], object]) -> dict[tuple[float, float], object]:
    """The same, by the values rounded to 32 bits."""
    return {single(pair): expression for pair, expression in found.items()}


def single(pair: tuple[float, float]) -> tuple[float, float]:
    """Two numbers rounded to 32 bits."""
    return float(np.float32(pair[0])), float(np.float32(pair[1]))
