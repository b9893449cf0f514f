"""From a JAX function of static shapes to a StableHLO portable artifact that a bare PJRT plugin runs."""

from __future__ import annotations

from collections.abc import Callable

import jax
from jaxlib import _jax
from jaxlib.mlir import ir, passmanager
from jaxlib.mlir.dialects import stablehlo

from pronghorn.lowering.convolutions import canonicalize
from pronghorn.lowering.decompositions import without_lapack
from pronghorn.lowering.failures import LoweringFailure


def serialize(function: Callable, shapes: list, donated: int, version: str) -> bytes:
    """Lowers `function` for flat arguments of `shapes`.

    The first `donated` arguments are aliased to the results of the same places. No argument is dropped, used or not.
    """
    jitted = jax.jit(function, donate_argnums=tuple(range(donated)), keep_unused=True)
    with without_lapack():
        module = jitted.trace(*shapes).lower(lowering_platforms=("cpu",)).compiler_ir("stablehlo")
    with module.context, ir.Location.unknown():
        _refuse_custom_calls(module)
        _alias(module, len(shapes), donated)
        canonicalize(module)
        # Locations hold this machine's paths; without them equal programs are equal bytes.
        passmanager.PassManager.parse("builtin.module(strip-debuginfo)").run(module.operation)
        module.operation.verify()
        return _jax.mlir.serialize_portable_artifact(module, _target(version), True)


def _target(version: str) -> str:
    newest = stablehlo.get_current_version()
    try:
        return stablehlo.get_smaller_version(version, newest)
    except ValueError as error:
        raise LoweringFailure("bad_request", f"not a StableHLO version: {version!r}") from error


def _alias(module: ir.Module, count: int, donated: int) -> None:
    """States the aliases outright: a plugin knows `tf.aliasing_output`, not JAX's own `jax.buffer_donor`."""
    main = ir.SymbolTable(module.operation)["main"]
    results = main.attributes["function_type"].value.results
    arguments = main.attributes["function_type"].value.inputs
    if len(arguments) != count:
        raise LoweringFailure("internal", f"the lowered function takes {len(arguments)} arguments, not {count}")
    integer = ir.IntegerType.get_signless(32)
    attributes = []
    for index in range(count):
        entry = {}
        if index < donated:
            if arguments[index] != results[index]:
                raise LoweringFailure(
                    "internal", f"argument {index} is {arguments[index]}, its result {results[index]}"
                )
            entry["tf.aliasing_output"] = ir.IntegerAttr.get(integer, index)
        attributes.append(ir.DictAttr.get(entry))
    main.attributes["arg_attrs"] = ir.ArrayAttr.get(attributes)
    main.attributes["res_attrs"] = ir.ArrayAttr.get([ir.DictAttr.get({})] * len(results))


EXPANDED_BY_XLA = {"Qr", "ProductOfElementaryHouseholderReflectors"}
"""Custom calls that XLA replaces by operations of its own on every platform."""


def _refuse_custom_calls(module: ir.Module) -> None:
    targets: set[str] = set()
    _custom_calls(module.operation, targets)
    targets -= EXPANDED_BY_XLA
    if targets:
        raise LoweringFailure(
            "not_lowerable",
            f"the model needs {', '.join(sorted(targets))}, which exists only inside JAX: leave out the matrix "
            "decomposition (singular values, eigenvalues, least squares) that a layer, loss or initializer computes",
        )


def _custom_calls(operation, targets: set[str]) -> None:
    for region in operation.regions:
        for block in region.blocks:
            for inner in block.operations:
                if inner.operation.name == "stablehlo.custom_call":
                    targets.add(ir.StringAttr(inner.attributes["call_target_name"]).value)
                _custom_calls(inner.operation, targets)
