"""Matrix decompositions without LAPACK.

For the CPU, JAX lowers LU, Cholesky, QR and triangular solves to calls of LAPACK, which a bare PJRT plugin lacks. For
platforms without LAPACK it has rules of plain StableHLO, and of operations that XLA itself expands everywhere; here
those rules take the place of the CPU's while a function is lowered.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from jax._src.interpreters import mlir
from jax._src.lax import linalg

REPLACED = (linalg.lu_p, linalg.triangular_solve_p, linalg.cholesky_p, linalg.geqrf_p, linalg.householder_product_p)


@contextlib.contextmanager
def without_lapack() -> Iterator[None]:
    """Has what is lowered inside the block use no LAPACK where JAX has a rule that needs none."""
    rules = mlir._platform_specific_lowerings["cpu"]
    taken = {primitive: rules.pop(primitive) for primitive in REPLACED if primitive in rules}
    try:
        yield
    finally:
        rules.update(taken)
