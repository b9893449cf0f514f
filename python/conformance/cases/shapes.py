"""Reshaping, padding, cropping, upsampling, merging."""

from __future__ import annotations

from keras import layers

from conformance.case import Case, layer_cases

VECTORS = {
    "Flatten": {"vectors": lambda: layers.Flatten()},
    "RepeatVector": {"three": lambda: layers.RepeatVector(3), "one": lambda: layers.RepeatVector(1)},
    "Add": {
        "two": lambda: _two(layers.Add()),
        "three": lambda: _three(layers.Add()),
    },
    "Subtract": {"two": lambda: _two(layers.Subtract()), "broadcast": lambda: _broadcast(layers.Subtract())},
    "Multiply": {"two": lambda: _two(layers.Multiply()), "three": lambda: _three(layers.Multiply())},
    "Average": {"two": lambda: _two(layers.Average()), "three": lambda: _three(layers.Average())},
    "Maximum": {"two": lambda: _two(layers.Maximum()), "three": lambda: _three(layers.Maximum())},
    "Minimum": {"two": lambda: _two(layers.Minimum()), "broadcast": lambda: _broadcast(layers.Minimum())},
    "Concatenate": {"last": lambda: _two(layers.Concatenate()), "first": lambda: _three(layers.Concatenate(axis=1))},
    "Dot": {"plain": lambda: _two(layers.Dot(1)), "normalized": lambda: _two(layers.Dot(axes=1, normalize=True))},
}
SEQUENCES = {
    "Flatten": {"channels-first": lambda: layers.Flatten(data_format="channels_first")},
    "Permute": {"swap": lambda: layers.Permute((2, 1)), "keep": lambda: layers.Permute((1, 2))},
    "Reshape": {"flat": lambda: layers.Reshape((28,)), "inferred": lambda: layers.Reshape((2, -1, 7))},
    "Cropping1D": {"both": lambda: layers.Cropping1D(2), "uneven": lambda: layers.Cropping1D((0, 3))},
    "ZeroPadding1D": {"both": lambda: layers.ZeroPadding1D(2), "uneven": lambda: layers.ZeroPadding1D((0, 3))},
    "UpSampling1D": {"two": lambda: layers.UpSampling1D(2), "three": lambda: layers.UpSampling1D(3)},
    "Dot": {"steps": lambda: _two(layers.Dot(axes=(2, 2)))},
    "Concatenate": {"steps": lambda: _two(layers.Concatenate(axis=1))},
}
MASKED = {
    "Concatenate": {"masked": lambda: lambda x: layers.GRU(2)(layers.Concatenate()([x, x]))},
    "Add": {"masked": lambda: lambda x: layers.GRU(2)(layers.Add()([x, layers.Dense(4)(x)]))},
}
IMAGES = {
    "Permute": {"axes": lambda: layers.Permute((3, 1, 2))},
    "Cropping2D": {
        "both": lambda: layers.Cropping2D(2),
        "channels-first": lambda: layers.Cropping2D(((1, 0), (1, 1)), data_format="channels_first"),
    },
    "ZeroPadding2D": {
        "both": lambda: layers.ZeroPadding2D(1),
        "uneven": lambda: layers.ZeroPadding2D(((1, 0), (0, 2))),
    },
    "UpSampling2D": {
        "nearest": lambda: layers.UpSampling2D(2),
        "bilinear": lambda: lambda x: layers.UpSampling2D((2, 3), interpolation="bilinear")(x) / 3,
        "bicubic": lambda: layers.UpSampling2D(2, interpolation="bicubic"),
    },
    "Resizing": {
        "smaller": lambda: layers.Resizing(5, 6),
        "nearest-crop": lambda: layers.Resizing(4, 6, interpolation="nearest", crop_to_aspect_ratio=True),
        "bicubic-pad": lambda: layers.Resizing(10, 12, interpolation="bicubic", pad_to_aspect_ratio=True),
        "lanczos": lambda: layers.Resizing(6, 7, interpolation="lanczos3", antialias=True),
    },
    "CenterCrop": {"smaller": lambda: layers.CenterCrop(4, 6), "larger": lambda: layers.CenterCrop(10, 10)},
}
VOLUMES = {
    "Cropping3D": {"both": lambda: layers.Cropping3D(1), "uneven": lambda: layers.Cropping3D(((0, 1), (1, 2), (0, 0)))},
    "ZeroPadding3D": {
        "both": lambda: layers.ZeroPadding3D(1),
        "uneven": lambda: layers.ZeroPadding3D(((0, 1), (1, 0), (0, 0))),
    },
    "UpSampling3D": {"two": lambda: layers.UpSampling3D(2), "uneven": lambda: layers.UpSampling3D((1, 2, 1))},
}


def _two(merge):
    def apply(x):
        units = x.shape[-1]
        return merge([layers.Dense(units)(x), layers.Dense(units, activation="tanh")(x)])

    return apply


def _three(merge):
    return lambda x: merge([layers.Dense(4, activation=name)(x) for name in ("tanh", "sigmoid", "softplus")])


def _broadcast(merge):
    return lambda x: merge([layers.Dense(4)(x), layers.Dense(1, activation="tanh")(x)])


def cases() -> list[Case]:
    return [
        *layer_cases("shapes", "vectors", VECTORS),
        *layer_cases("shapes", "sequences", SEQUENCES),
        *layer_cases("shapes", "sequences", MASKED, masked=True),
        *layer_cases("shapes", "images", IMAGES),
        *layer_cases("shapes", "volumes", VOLUMES),
    ]
