"""Rewrites every convolution to channels-last order, with the transposes it needs written out.

XLA's CPU compiler turns a convolution into fast Eigen calls only in NHWC/HWIO order, and puts it in that order only
in the entry computation. Ours are inside a loop, where a gradient's convolution would stay a naive loop, six times
slower. The rewriting changes no number of the result but by the order of sums.
"""

from __future__ import annotations

from jaxlib.mlir import ir
from jaxlib.mlir.dialects import stablehlo


def canonicalize(module: ir.Module) -> int:
    """Rewrites the convolutions of a StableHLO module in place, and says how many there were."""
    found: list[ir.OpView] = []
    _collect(module.operation, found)
    for operation in found:
        with ir.InsertionPoint(operation), operation.location:
            result = _rewritten(operation)
        operation.results[0].replace_all_uses_with(result)
        operation.operation.erase()
    return len(found)


def _collect(operation, found: list) -> None:
    for region in operation.regions:
        for block in region.blocks:
            for inner in block.operations:
                if inner.operation.name == "stablehlo.convolution":
                    found.append(inner)
                else:
                    _collect(inner.operation, found)


def _rewritten(operation) -> ir.Value:
    attributes = operation.attributes
    order = stablehlo.ConvDimensionNumbers(attributes["dimension_numbers"])
    spatial = len(order.input_spatial_dimensions)
    lhs_order = [order.input_batch_dimension, *order.input_spatial_dimensions, order.input_feature_dimension]
    rhs_order = [
        *order.kernel_spatial_dimensions,
        order.kernel_input_feature_dimension,
        order.kernel_output_feature_dimension,
    ]
    out_order = [order.output_batch_dimension, *order.output_spatial_dimensions, order.output_feature_dimension]

    lhs = _transposed(operation.operands[0], lhs_order)
    rhs = _transposed(operation.operands[1], rhs_order)
    if "window_reversal" in attributes:
        flags = ir.DenseBoolArrayAttr(attributes["window_reversal"])
        reversed_dimensions = [i for i, flag in enumerate(flags) if flag]
        if reversed_dimensions:
            rhs = stablehlo.ReverseOp(rhs, ir.DenseI64ArrayAttr.get(reversed_dimensions)).result

    result_type = ir.RankedTensorType(operation.results[0].type)
    shape = [result_type.shape[dimension] for dimension in out_order]
    window = list(range(1, spatial + 1))
    canonical = stablehlo.ConvDimensionNumbers.get(
        0, spatial + 1, window, spatial, spatial + 1, list(range(spatial)), 0, spatial + 1, window
    )
    kept = ("window_strides", "padding", "lhs_dilation", "rhs_dilation", "precision_config")
    convolved = stablehlo.ConvolutionOp(
        ir.RankedTensorType.get(shape, result_type.element_type),
        lhs,
        rhs,
        canonical,
        attributes["feature_group_count"],
        attributes["batch_group_count"],
        **{name: attributes[name] for name in kept if name in attributes},
    ).result
    back = [out_order.index(dimension) for dimension in range(spatial + 2)]
    return _transposed(convolved, back)


def _transposed(value: ir.Value, permutation: list[int]) -> ir.Value:
    if permutation == sorted(permutation):
        return value
    return stablehlo.TransposeOp(value, ir.DenseI64ArrayAttr.get(permutation)).result
