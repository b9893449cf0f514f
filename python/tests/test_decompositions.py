"""Matrix decompositions run on a bare plugin, which has no LAPACK, and give what LAPACK gives."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from bare import Function, relative

from pronghorn.lowering.artifacts import serialize
from pronghorn.lowering.bundle import STABLEHLO
from pronghorn.lowering.failures import LoweringFailure

draw = np.random.default_rng(0)
SQUARE = draw.standard_normal((3, 8, 8)).astype("float32")
DEFINITE = SQUARE @ SQUARE.transpose(0, 2, 1) + np.eye(8, dtype="float32")
RIGHT = draw.standard_normal((3, 8, 2)).astype("float32")


def lowered(function, tmp_path, *values):
    shapes = [jax.ShapeDtypeStruct(v.shape, v.dtype) for v in values]
    path = tmp_path / "function.mlirbc"
    path.write_bytes(serialize(lambda *v: (function(*v),), shapes, 0, STABLEHLO))
    return Function(path)(list(values))[0]


@pytest.mark.parametrize(
    ("function", "values"),
    [
        (jnp.linalg.solve, (SQUARE, RIGHT)),
        (jax.grad(lambda a, b: jnp.sum(jnp.linalg.solve(a, b) ** 2)), (SQUARE, RIGHT)),
        (jnp.linalg.inv, (SQUARE,)),
        (jnp.linalg.det, (SQUARE,)),
        (jnp.linalg.cholesky, (DEFINITE,)),
        (jax.grad(lambda a: jnp.sum(jnp.linalg.cholesky(a) ** 3)), (DEFINITE,)),
        (lambda a: jnp.linalg.qr(a)[0], (SQUARE,)),
    ],
    ids=["solve", "gradient_of_solve", "inverse", "determinant", "cholesky", "gradient_of_cholesky", "qr"],
)
def test_a_decomposition_is_as_exact_as_lapacks(function, values, tmp_path):
    with jax.enable_x64(True):
        exact = np.asarray(function(*(value.astype("float64") for value in values)))
    # How far single precision is off depends on the processor: LAPACK's own error is the measure.
    allowed = max(5e-6, 4 * relative(np.asarray(function(*values)), exact))
    assert relative(lowered(function, tmp_path, *values), exact) < allowed


def test_what_needs_lapack_after_all_is_named(tmp_path):
    with pytest.raises(LoweringFailure, match=r"lapack_sgesdd_ffi.*singular values"):
        lowered(lambda a: jnp.linalg.svd(a)[1], tmp_path, SQUARE)
