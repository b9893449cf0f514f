"""Has JAX draw random bits in one dimension.

The bits are those JAX draws anyway (with `jax_threefry_partitionable`, a number depends on its place in row-major
order alone), but XLA's CPU compiler takes 6 s for a draw in four dimensions and 0.4 s for the same draw in one.
"""

from __future__ import annotations

import math


def draw_flat() -> None:
    """Replaces JAX's drawing of bits, for the whole process."""
    from jax._src.random import threefry2x32

    drawn = threefry2x32._threefry_random_bits_partitionable
    if getattr(drawn, "is_flat", False):
        return

    def flat(key, bit_width, shape):
        return drawn(key, bit_width, (math.prod(shape),)).reshape(shape)

    flat.is_flat = True
    threefry2x32._threefry_random_bits_partitionable = flat
