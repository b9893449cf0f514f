"""Convolutions: strides, padding, dilation, groups, order of axes."""

from __future__ import annotations

from keras import layers

from conformance.case import Case, layer_cases

SEQUENCES = {
    "Conv1D": {
        "causal-dilated": lambda: layers.Conv1D(3, 3, padding="causal", dilation_rate=2),
        "strides-groups": lambda: layers.Conv1D(4, 2, strides=2, groups=2, use_bias=False),
    },
    "Conv1DTranspose": {
        "same-strides": lambda: layers.Conv1DTranspose(3, 3, strides=2, padding="same"),
        "valid-output-padding": lambda: layers.Conv1DTranspose(2, 4, strides=3, output_padding=1),
    },
    "DepthwiseConv1D": {
        "multiplier": lambda: layers.DepthwiseConv1D(3, depth_multiplier=2, padding="same"),
        "strides": lambda: layers.DepthwiseConv1D(3, strides=2),
    },
    "SeparableConv1D": {
        "same": lambda: layers.SeparableConv1D(3, 3, padding="same"),
        "strides-multiplier": lambda: layers.SeparableConv1D(2, 3, strides=2, depth_multiplier=2),
    },
}
IMAGES = {
    "Conv2D": {
        "valid-strides": lambda: layers.Conv2D(3, 3, strides=2),
        "same-dilated-groups": lambda: layers.Conv2D(3, (2, 3), padding="same", dilation_rate=2, groups=3),
    },
    "Conv2DTranspose": {
        "same-strides": lambda: layers.Conv2DTranspose(2, 3, strides=2, padding="same"),
        "valid-dilated": lambda: layers.Conv2DTranspose(2, 2, dilation_rate=2, use_bias=False),
    },
    "DepthwiseConv2D": {
        "valid-strides": lambda: layers.DepthwiseConv2D(3, strides=2),
        "same-multiplier": lambda: layers.DepthwiseConv2D((2, 3), padding="same", depth_multiplier=2),
    },
    "SeparableConv2D": {
        "valid": lambda: layers.SeparableConv2D(3, 3),
        "same-dilated": lambda: layers.SeparableConv2D(2, 3, padding="same", dilation_rate=2),
    },
}
VOLUMES = {
    "Conv3D": {
        "valid": lambda: layers.Conv3D(2, 2),
        "same-strides": lambda: layers.Conv3D(2, (1, 2, 3), padding="same", strides=2),
    },
    "Conv3DTranspose": {
        "same-strides": lambda: layers.Conv3DTranspose(2, 2, strides=2, padding="same"),
        "valid": lambda: layers.Conv3DTranspose(1, 2),
    },
}


def cases() -> list[Case]:
    return [
        *layer_cases("convolution", "sequences", SEQUENCES),
        *layer_cases("convolution", "images", IMAGES),
        *layer_cases("convolution", "volumes", VOLUMES),
    ]
