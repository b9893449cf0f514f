"""`initialize`: from seeds to the state that Keras itself would have built with them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import jax
import jax.numpy as jnp
import numpy as np

from pronghorn.lowering.failures import LoweringFailure
from pronghorn.lowering.orthogonal import orthonormal_columns
from pronghorn.lowering.recording import Recording, Seed
from pronghorn.lowering.state import Leaf

TOLERANCE = 1e-4
"""Replayed and built weights differ by rounding only (orthogonal matrices most, by 1e-5); other draws by everything."""


class Initialization:
    """Which leaves are drawn anew for every seed, and how.

    `copied` are leaves that begin as copies of drawn ones, as the slots of `ScheduleFreeAdamW` do: by place, the place
    of the original.
    """

    def __init__(
        self,
        recording: Recording,
        leaves: list[Leaf],
        drawn: list[bool],
        takes_seed: bool,
        copied: dict[int, int],
    ):
        self.recording = recording
        self.leaves = leaves
        self.drawn = drawn
        self.takes_seed = takes_seed
        self.copied = copied
        self._constants = [_constant(np.asarray(leaf.variable._value)) for leaf in leaves]

    @property
    def draws(self) -> int:
        """How many numbers of a trial's stream the columns of `seeds` hold, the trial's own seed included."""
        return self.recording.draws + (1 if self.takes_seed else 0)

    def extended(self, leaves: list[Leaf]) -> Initialization:
        """The same for a state with further leaves, which no seed draws."""
        drawn = [*self.drawn, *[False] * (len(leaves) - len(self.drawn))]
        return Initialization(self.recording, leaves, drawn, self.takes_seed, self.copied)

    def __call__(self, seeds: jax.Array) -> list[jax.Array]:
        """The state of one lane from its seeds, u32[draws]."""
        columns = {i: seeds[i] for i in range(self.recording.draws)}
        if self.takes_seed:
            columns[Seed.ARGUMENT] = seeds[self.recording.draws]
        values = replay(self.recording, columns)[0] if any(self.drawn) else {}
        state = [
            values[id(leaf.variable)] if drawn else constant()
            for leaf, drawn, constant in zip(self.leaves, self.drawn, self._constants, strict=True)
        ]
        for place, original in self.copied.items():
            state[place] = state[original]
        return state


def classify(
    recording: Recording,
    leaves: list[Leaf],
    second: tuple[int, list[np.ndarray]] | None,
    *,
    only_generators: bool = False,
) -> Initialization:
    """Finds the leaves that a seed draws, and proves it on a second build.

    Args:
        recording: what was watched while the model was built.
        leaves: its state.
        second: another seed and the state a second build gave with it; none for a model that is not built twice.
        only_generators: whether weights stay as they are and only the seeds of dropout and the like are drawn (a model
            that was loaded from a file).
    """
    first, asked = replay(recording, _eager(recording.columns(recording.seed)))
    other = replay(recording, _eager(recording.columns(second[0])))[0] if second else {}
    values = [np.asarray(leaf.variable._value) for leaf in leaves]
    drawn: list[bool] = []
    copied: dict[int, int] = {}
    repeated: dict[int, jax.Array] = {}

    def again(leaf: Leaf):
        if not repeated:
            repeated.update(replay(recording, _eager(recording.columns(recording.seed)))[0])
        return repeated[id(leaf.variable)]

    for index, leaf in enumerate(leaves):
        value = values[index]
        replayed = first.get(id(leaf.variable))
        if only_generators and not leaf.is_generator:
            drawn.append(False)
            continue
        reproduced = replayed is not None and _agree(value, replayed)
        if second is not None:
            built = second[1][index]
            if reproduced and _agree(built, other[id(leaf.variable)]):
                drawn.append(True)
            elif np.array_equal(value, built, equal_nan=value.dtype.kind == "f"):
                drawn.append(False)
            elif (original := _original(index, drawn, values, second[1])) is not None:
                drawn.append(False)
                copied[index] = original
            else:
                raise LoweringFailure(
                    "not_lowerable",
                    f"the start value of {leaf.path} depends on the seed in a way that cannot be repeated: draw it "
                    "with a Keras initializer instead of numpy, and let only Keras use Python's `random` in the build",
                )
        else:
            if replayed is not None and not reproduced and not _agree(np.asarray(replayed), again(leaf)):
                raise LoweringFailure(
                    "not_lowerable",
                    f"the initializer of {leaf.path} gives something else every time: draw with a Keras initializer, "
                    "not with numpy",
                )
            drawn.append(reproduced)
    return Initialization(recording, leaves, drawn, asked, copied)


def _original(index: int, drawn: list[bool], first: list[np.ndarray], second: list[np.ndarray]) -> int | None:
    """The drawn leaf before `index` that it equals in both builds."""
    for other, is_drawn in enumerate(drawn):
        if is_drawn and all(
            one[other].dtype == one[index].dtype and np.array_equal(one[other], one[index]) for one in (first, second)
        ):
            return other
    return None


def replay(recording: Recording, columns: dict) -> tuple[dict[int, jax.Array], bool]:
    """Runs every recorded initializer again, with `columns` in the place of the seeds that were drawn.

    Returns the values by the variable's identity, and whether the trial's own seed was asked for.
    """
    from keras.src import backend

    values: dict[int, jax.Array] = {}
    asked: set[int] = set()

    def pair(seed: Seed):
        asked.add(seed.column)
        return jnp.stack([jnp.asarray(columns[seed.column], "uint32"), jnp.zeros((), "uint32")])

    with _seeds_drawn_by(pair, recording), backend.StatelessScope() as scope:
        for variable, initializer in recording.variables:
            seed = _generator_seed(initializer)
            if isinstance(seed, Seed):
                value = pair(seed)
            else:
                value = backend.convert_to_tensor(initializer(variable._shape, dtype=variable._dtype))
            scope.add_update((variable, jnp.asarray(value, variable._dtype)))
        # An initializer can move a seed generator on, hence the values at the end.
        for variable, _ in recording.variables:
            values[id(variable)] = scope.get_current_value(variable)
    return values, Seed.ARGUMENT in asked


@contextlib.contextmanager
def _seeds_drawn_by(pair, recording: Recording) -> Iterator[None]:
    from keras.src import ops
    from keras.src.backend.jax import random as backend_random
    from keras.src.random import seed_generator

    draw_seed, qr = backend_random.jax_draw_seed, ops.qr

    def draw(seed):
        if isinstance(seed, Seed):
            return pair(seed)
        if seed is None and recording.global_generator is not None:
            return recording.global_generator.next(ordered=False)
        if isinstance(seed, seed_generator.SeedGenerator):
            return seed.next()
        return draw_seed(seed)

    def qr_without_lapack(x, mode="reduced"):
        if mode != "reduced" or x.ndim != 2 or x.shape[0] < x.shape[1]:
            return qr(x, mode=mode)
        return orthonormal_columns(x), jnp.eye(x.shape[1], dtype=x.dtype)

    backend_random.jax_draw_seed, ops.qr = draw, qr_without_lapack
    try:
        yield
    finally:
        backend_random.jax_draw_seed, ops.qr = draw_seed, qr


def _generator_seed(initializer):
    """The seed of a `SeedGenerator`, which Keras keeps in the closure of its variable's initializer."""
    if getattr(initializer, "__name__", "") != "seed_initializer" or not initializer.__closure__:
        return None
    cells = dict(zip(initializer.__code__.co_freevars, initializer.__closure__, strict=True))
    return cells["seed"].cell_contents if "seed" in cells else None


def _eager(columns: dict[int, int]) -> dict[int, np.ndarray]:
    return {column: np.asarray(value & 0xFFFFFFFF, "uint32") for column, value in columns.items()}


def _agree(value: np.ndarray, replayed) -> bool:
    replayed = np.asarray(replayed)
    if value.shape != replayed.shape:
        return False
    if value.dtype.kind in "iub":
        return np.array_equal(value, replayed)
    value, replayed = value.astype("float64"), replayed.astype("float64")
    scale = np.abs(value).max(initial=0)
    return bool(np.allclose(value, replayed, rtol=0, atol=TOLERANCE * scale, equal_nan=True))


def _constant(value: np.ndarray):
    """A leaf that is the same for every seed; one number suffices for slots of zeros, however large."""
    if value.size > 1 and (value == value.flat[0]).all():
        return lambda: jnp.full(value.shape, value.flat[0], value.dtype)
    return lambda: jnp.asarray(value)
