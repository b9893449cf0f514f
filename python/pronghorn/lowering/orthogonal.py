"""A QR decomposition made of matrix products only.

XLA has no QR of its own on the CPU: JAX calls LAPACK, which a bare PJRT plugin lacks. Gram-Schmidt, done twice and
in blocks of columns, is as orthogonal as LAPACK's in float32 and gives R a positive diagonal, which is the sign rule
that `keras.initializers.Orthogonal` applies to LAPACK's result.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp

BLOCK = 32


def orthonormal_columns(matrix: jax.Array) -> jax.Array:
    """The Q of `matrix` (rows >= columns) whose R has a positive diagonal; same shape and dtype as `matrix`."""
    dtype = matrix.dtype
    working = matrix if dtype == jnp.float64 else matrix.astype(jnp.float32)
    columns = working.shape[1]
    blocks = -(-columns // BLOCK)
    padded = jnp.pad(working, ((0, 0), (0, blocks * BLOCK - columns)))
    with jax.default_matmul_precision("highest"):
        q = jax.lax.fori_loop(0, blocks, lambda i, q: _add_block(padded, q, i), jnp.zeros_like(padded))
    return q[:, :columns].astype(dtype)


def _add_block(padded: jax.Array, q: jax.Array, index: jax.Array) -> jax.Array:
    panel = jax.lax.dynamic_slice_in_dim(padded, index * BLOCK, BLOCK, 1)
    for _ in range(2):
        panel = panel - q @ (q.T @ panel)
        panel = jax.lax.fori_loop(0, BLOCK, _orthonormalize_column, panel)
    return jax.lax.dynamic_update_slice_in_dim(q, panel, index * BLOCK, 1)


def _orthonormalize_column(index: jax.Array, panel: jax.Array) -> jax.Array:
    column = jax.lax.dynamic_slice_in_dim(panel, index, 1, 1)[:, 0]
    before = jnp.where(jnp.arange(BLOCK) < index, panel, 0)
    for _ in range(2):
        column = column - before @ (before.T @ column)
    norm = jnp.sqrt(jnp.sum(column * column))
    # Columns of padding are zero and stay zero.
    column = jnp.where(norm > 0, column / jnp.where(norm > 0, norm, 1), 0)
    return jax.lax.dynamic_update_slice_in_dim(panel, column[:, None], index, 1)
