"""Pooling: sizes, strides, padding, kept axes, masks."""

from __future__ import annotations

from keras import layers

from conformance.case import Case, layer_cases

SEQUENCES = {
    "AveragePooling1D": {
        "valid": lambda: layers.AveragePooling1D(2),
        "same-strides": lambda: layers.AveragePooling1D(3, strides=2, padding="same"),
    },
    "MaxPooling1D": {
        "valid": lambda: layers.MaxPooling1D(2),
        "same-strides": lambda: layers.MaxPooling1D(3, strides=1, padding="same"),
    },
    "GlobalAveragePooling1D": {
        "plain": lambda: layers.GlobalAveragePooling1D(),
        "kept-channels-first": lambda: layers.GlobalAveragePooling1D(data_format="channels_first", keepdims=True),
    },
    "GlobalMaxPooling1D": {
        "plain": lambda: layers.GlobalMaxPooling1D(),
        "kept": lambda: layers.GlobalMaxPooling1D(keepdims=True),
    },
    "AdaptiveAveragePooling1D": {
        "divides": lambda: layers.AdaptiveAveragePooling1D(1),
        "overlaps": lambda: layers.AdaptiveAveragePooling1D(3),
    },
    "AdaptiveMaxPooling1D": {
        "one": lambda: layers.AdaptiveMaxPooling1D(1),
        "overlaps": lambda: layers.AdaptiveMaxPooling1D(3),
    },
}
MASKED = {"GlobalAveragePooling1D": {"masked": lambda: layers.GlobalAveragePooling1D()}}
IMAGES = {
    "AveragePooling2D": {
        "valid": lambda: layers.AveragePooling2D(2),
        "same-strides": lambda: layers.AveragePooling2D((3, 2), strides=3, padding="same"),
    },
    "MaxPooling2D": {
        "valid": lambda: layers.MaxPooling2D(2),
        "same-strides": lambda: layers.MaxPooling2D(3, strides=2, padding="same"),
        "channels-first": lambda: layers.MaxPooling2D(2, data_format="channels_first", padding="same"),
    },
    "GlobalAveragePooling2D": {
        "plain": lambda: layers.GlobalAveragePooling2D(),
        "kept": lambda: layers.GlobalAveragePooling2D(keepdims=True),
    },
    "GlobalMaxPooling2D": {
        "plain": lambda: layers.GlobalMaxPooling2D(),
        "channels-first": lambda: layers.GlobalMaxPooling2D(data_format="channels_first"),
    },
    "AdaptiveAveragePooling2D": {
        "divides": lambda: layers.AdaptiveAveragePooling2D(4),
        "overlaps": lambda: layers.AdaptiveAveragePooling2D((3, 5)),
    },
    "AdaptiveMaxPooling2D": {
        "divides": lambda: layers.AdaptiveMaxPooling2D(2),
        "overlaps": lambda: layers.AdaptiveMaxPooling2D((3, 5)),
    },
}
VOLUMES = {
    "AveragePooling3D": {
        "valid": lambda: layers.AveragePooling3D(2),
        "same-strides": lambda: layers.AveragePooling3D(2, strides=3, padding="same"),
    },
    "MaxPooling3D": {
        "valid": lambda: layers.MaxPooling3D(2),
        "same-strides": lambda: layers.MaxPooling3D(3, strides=2, padding="same"),
    },
    "GlobalAveragePooling3D": {
        "plain": lambda: layers.GlobalAveragePooling3D(),
        "kept": lambda: layers.GlobalAveragePooling3D(keepdims=True),
    },
    "GlobalMaxPooling3D": {
        "plain": lambda: layers.GlobalMaxPooling3D(),
        "kept": lambda: layers.GlobalMaxPooling3D(keepdims=True),
    },
    "AdaptiveAveragePooling3D": {
        "divides": lambda: layers.AdaptiveAveragePooling3D(2),
        "overlaps": lambda: layers.AdaptiveAveragePooling3D((3, 2, 1)),
    },
    "AdaptiveMaxPooling3D": {
        "divides": lambda: layers.AdaptiveMaxPooling3D(2),
        "overlaps": lambda: layers.AdaptiveMaxPooling3D((3, 2, 1)),
    },
}


def cases() -> list[Case]:
    return [
        *layer_cases("pooling", "sequences", SEQUENCES),
        *layer_cases("pooling", "sequences", MASKED, masked=True),
        *layer_cases("pooling", "images", IMAGES),
        *layer_cases("pooling", "volumes", VOLUMES),
    ]
