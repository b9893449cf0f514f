"""The state of a model: every variable that training reads or writes, in one flat order."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import jax
import numpy as np


@dataclass(frozen=True)
class Leaf:
    """One variable of the state; `role` is trainable, non_trainable, optimizer, metric or parameter.

    A parameter is no variable of the model's: a `lifting.Number` stands for it.
    """

    variable: object
    role: str

    @property
    def path(self) -> str:
        return self.variable.path

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.variable._shape)

    @property
    def dtype(self) -> str:
        return np.dtype(self.variable._value.dtype).name

    @property
    def is_generator(self) -> bool:
        """Whether this is the state of a `keras.random.SeedGenerator`."""
        return self.role == "non_trainable" and self.variable.name == "seed_generator_state"

    def aval(self) -> jax.ShapeDtypeStruct:
        return jax.ShapeDtypeStruct(self.shape, self.variable._value.dtype)


class State:
    """The leaves of a built and compiled model, numbers that are inputs last, and how Keras takes them."""

    def __init__(self, model, numbers: Iterable = ()):
        groups = {
            "trainable": model.trainable_variables,
            "non_trainable": model.non_trainable_variables,
            "optimizer": model.optimizer.variables,
            "metric": model.metrics_variables,
        }
        self.leaves = [Leaf(variable, role) for role, group in groups.items() for variable in group]
        self._bounds = []
        start = 0
        for group in groups.values():
            self._bounds.append((start, start + len(group)))
            start += len(group)
        self.leaves += [Leaf(number, "parameter") for number in numbers]
        self.variables = start

    def groups(self, flat: list) -> list[list]:
        """The flat values as trainable, non-trainable, optimizer and metric lists."""
        return [list(flat[start:end]) for start, end in self._bounds]

    def mapping(self, flat: list) -> list[tuple]:
        """The flat values as a `keras.StatelessScope` takes them."""
        pairs = zip(self.leaves, flat, strict=True)
        return [(leaf.variable, value) for leaf, value in pairs if leaf.role != "parameter"]

    def numbers(self, flat: list) -> list:
        """The values of the numbers that are inputs."""
        return list(flat[self.variables :])

    def values(self) -> list[np.ndarray]:
        """What the leaves hold now."""
        return [np.asarray(leaf.variable._value) for leaf in self.leaves]

    def index(self, variable) -> int | None:
        """Where a variable stands, by identity."""
        return next((i for i, leaf in enumerate(self.leaves) if leaf.variable is variable), None)

    @property
    def trainable_parameters(self) -> int:
        return sum(int(np.prod(leaf.shape)) for leaf in self.leaves if leaf.role == "trainable")
