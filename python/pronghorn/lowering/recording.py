"""Watches Keras build a model: which variables it makes, from which initializers, and which seeds it draws.

Keras draws the seed of every unseeded initializer and dropout layer from Python's `random`. Here each such number
becomes a `Seed`: the same integer, which also remembers which draw of the stream it is. Replaying the initializers
with other numbers in those places gives the weights that another seed would have given.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator

LIMIT = int(1e9)
"""Keras draws its seeds with `random.randint(1, LIMIT)`."""


class Seed(int):
    """A seed that knows its column in the seeds of a trial: an ordinal of the stream, or `ARGUMENT`."""

    column: int = 0

    ARGUMENT = -1
    """The column of the trial's seed itself, where the build function takes it as an argument."""

    @classmethod
    def at(cls, value: int, column: int) -> Seed:
        seed = cls(value)
        seed.column = column
        return seed

    # A copied seed (`copy.deepcopy`, pickling) is still the same draw.
    def __reduce__(self):
        return (Seed.at, (int(self), self.column))


def stream(seed: int, count: int) -> list[int]:
    """The first `count` seeds that Keras draws after `keras.utils.set_random_seed(seed)`."""
    source = random.Random(seed)
    return [source.randint(1, LIMIT) for _ in range(count)]


class Recording:
    """What was watched: variables with their initializers in the order they got their values, and the draws."""

    def __init__(self, seed: int):
        self.seed = seed
        self.variables: list[tuple[object, object]] = []
        self.draws = 0
        self.global_generator = None
        self._expected = random.Random(seed)
        self._position = 0

    def columns(self, seed: int) -> dict[int, int]:
        """The value of every column for a trial of `seed`."""
        return {**dict(enumerate(stream(seed, self.draws))), Seed.ARGUMENT: seed}

    def draw(self) -> int:
        """Draws as Keras does; a number that is not the trial's stream (the user reseeded) stays a plain constant."""
        value = random.randint(1, LIMIT)
        before = self._expected.getstate()
        if value != self._expected.randint(1, LIMIT):
            self._expected.setstate(before)
            return value
        seed = Seed.at(value, self._position)
        self._position += 1
        self.draws = max(self.draws, self._position)
        return seed

    def reseed(self, seed) -> None:
        """The user seeded Python's `random`; with the trial's own seed that begins its stream again."""
        if isinstance(seed, int) and int(seed) == self.seed:
            self._expected = random.Random(self.seed)
            self._position = 0


@contextlib.contextmanager
def recorded(seed: int) -> Iterator[Recording]:
    """Seeds everything as `keras.utils.set_random_seed(seed)` does, and watches what is built inside the block."""
    import keras
    from keras.src.backend.common import global_state
    from keras.src.backend.jax.core import JaxVariable
    from keras.src.random import seed_generator

    keras.utils.set_random_seed(seed)
    recording = Recording(seed)
    initialize = JaxVariable._initialize_with_initializer
    python_random, reseed = seed_generator.python_random, random.seed

    def initialize_and_record(self, initializer):
        initialize(self, initializer)
        recording.variables.append((self, initializer))

    def reseed_and_record(a=None, version=2):
        reseed(a, version)
        recording.reseed(a)

    class Draws:
        @staticmethod
        def randint(low, high):
            return recording.draw() if (low, high) == (1, LIMIT) else python_random.randint(low, high)

    JaxVariable._initialize_with_initializer = initialize_and_record
    seed_generator.python_random = Draws
    random.seed = reseed_and_record
    try:
        yield recording
    finally:
        JaxVariable._initialize_with_initializer = initialize
        seed_generator.python_random = python_random
        random.seed = reseed
        recording.global_generator = global_state.get_global_attribute(seed_generator.GLOBAL_SEED_GENERATOR)
