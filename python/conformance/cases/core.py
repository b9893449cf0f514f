"""Dense and embedding layers, activations, noise, normalization, regularization."""

from __future__ import annotations

import keras
from keras import layers

from conformance.case import Case, layer_cases

VECTORS = {
    "Dense": {
        "plain": lambda: layers.Dense(4, activation="relu"),
        "no-bias-l2": lambda: layers.Dense(4, use_bias=False, kernel_regularizer="l2"),
        "lora": lambda: layers.Dense(4, lora_rank=2),
    },
    "EinsumDense": {
        "vectors": lambda: layers.EinsumDense("ab,bc->ac", output_shape=4, bias_axes="c"),
        "no-bias": lambda: layers.EinsumDense("ab,bcd->acd", output_shape=(2, 3), activation="tanh"),
    },
    "Activation": {
        "name": lambda: layers.Activation("gelu"),
        "function": lambda: layers.Activation(keras.activations.softplus),
    },
    "ActivityRegularization": {
        "l1": lambda: layers.ActivityRegularization(l1=0.02),
        "l1-l2": lambda: layers.ActivityRegularization(l1=0.01, l2=0.03),
    },
    "Identity": {"plain": lambda: layers.Identity(), "typed": lambda: layers.Identity(dtype="float32")},
    "Lambda": {
        "operation": lambda: layers.Lambda(lambda x: x * 2 + 1),
        "shaped": lambda: layers.Lambda(lambda x: keras.ops.sum(x, axis=1, keepdims=True), output_shape=(1,)),
    },
    "ELU": {"one": lambda: layers.ELU(), "alpha": lambda: layers.ELU(alpha=0.3)},
    "LeakyReLU": {"default": lambda: layers.LeakyReLU(), "slope": lambda: layers.LeakyReLU(negative_slope=0.1)},
    "PReLU": {
        "zero": lambda: layers.PReLU(),
        "constant": lambda: layers.PReLU(alpha_initializer=keras.initializers.Constant(0.2)),
    },
    "ReLU": {
        "plain": lambda: layers.ReLU(),
        "bounded": lambda: layers.ReLU(max_value=0.6, negative_slope=0.2, threshold=0.1),
    },
    "Softmax": {"last": lambda: layers.Softmax(), "first": lambda: layers.Softmax(axis=1)},
    "Dropout": {"half": lambda: layers.Dropout(0.5), "seed": lambda: layers.Dropout(0.3, noise_shape=(1, 5), seed=7)},
    "AlphaDropout": {"plain": lambda: layers.AlphaDropout(0.2), "seed": lambda: layers.AlphaDropout(0.4, seed=3)},
    "GaussianDropout": {
        "plain": lambda: layers.GaussianDropout(0.2),
        "seed": lambda: layers.GaussianDropout(0.4, seed=3),
    },
    "GaussianNoise": {"plain": lambda: layers.GaussianNoise(0.2), "seed": lambda: layers.GaussianNoise(0.4, seed=3)},
    "BatchNormalization": {
        "default": lambda: layers.BatchNormalization(),
        "plain": lambda: layers.BatchNormalization(momentum=0.7, center=False, scale=False),
        "renorm": lambda: layers.BatchNormalization(momentum=0.7, renorm=True),
    },
    "LayerNormalization": {
        "default": lambda: layers.LayerNormalization(),
        "plain": lambda: layers.LayerNormalization(center=False, epsilon=0.01),
    },
    "RMSNormalization": {
        "default": lambda: layers.RMSNormalization(),
        "epsilon": lambda: layers.RMSNormalization(epsilon=0.01),
    },
    "UnitNormalization": {
        "last": lambda: layers.UnitNormalization(),
        "first": lambda: layers.UnitNormalization(axis=1),
    },
    "SpectralNormalization": {
        "dense": lambda: layers.SpectralNormalization(layers.Dense(4)),
        "power": lambda: layers.SpectralNormalization(layers.Dense(3, use_bias=False), power_iterations=3),
    },
    "Rescaling": {
        "scale": lambda: layers.Rescaling(0.5),
        "offset": lambda: layers.Rescaling([0.5, 1, 2, 1, 1], offset=0.2),
    },
}
SEQUENCES = {
    "EinsumDense": {"steps": lambda: layers.EinsumDense("abc,cd->abd", output_shape=(7, 3), bias_axes="d")},
    "SpatialDropout1D": {
        "plain": lambda: layers.SpatialDropout1D(0.3),
        "seed": lambda: layers.SpatialDropout1D(0.5, seed=2),
    },
    "Softmax": {"steps": lambda: layers.Softmax(axis=(1, 2))},
    "PReLU": {"shared": lambda: layers.PReLU(shared_axes=[1])},
    "TimeDistributed": {
        "dense": lambda: layers.TimeDistributed(layers.Dense(3)),
        "nested": lambda: layers.TimeDistributed(keras.Sequential([layers.Dense(3, "tanh"), layers.Dropout(0.2)])),
    },
    "GroupNormalization": {
        "groups": lambda: layers.GroupNormalization(2),
        "instance": lambda: layers.GroupNormalization(-1, scale=False),
    },
    "LayerNormalization": {"axes": lambda: layers.LayerNormalization(axis=[1, 2])},
    "RMSNormalization": {"axis": lambda: layers.RMSNormalization(axis=[1, 2])},
    "BatchNormalization": {"axis": lambda: layers.BatchNormalization(axis=1, momentum=0.6)},
}
MASKED = {
    "BatchNormalization": {"masked": lambda: layers.BatchNormalization(momentum=0.7)},
    "Masking": {
        "recurrent": lambda: layers.GRU(3),
        "dense": lambda: layers.Dense(2),
    },
    "TimeDistributed": {"masked": lambda: layers.TimeDistributed(layers.Dense(3, activation="tanh"))},
    "Activation": {"masked": lambda: layers.Activation("tanh")},
}
IMAGES = {
    "SpatialDropout2D": {
        "plain": lambda: layers.SpatialDropout2D(0.3),
        "channels-first": lambda: layers.SpatialDropout2D(0.4, data_format="channels_first", seed=2),
    },
    "GroupNormalization": {"axis": lambda: layers.GroupNormalization(4, axis=1, center=False)},
    "SpectralNormalization": {"convolution": lambda: layers.SpectralNormalization(layers.Conv2D(2, 2))},
}
VOLUMES = {
    "SpatialDropout3D": {
        "plain": lambda: layers.SpatialDropout3D(0.3),
        "seed": lambda: layers.SpatialDropout3D(0.5, seed=2),
    },
}
INTEGERS = {
    "Embedding": {
        "plain": lambda: layers.Embedding(12, 3),
        "masked": lambda: lambda x: layers.LSTM(3)(layers.Embedding(12, 3, mask_zero=True)(x)),
        "lora": lambda: layers.Embedding(12, 3, lora_rank=2),
    },
    "ReversibleEmbedding": {
        "tied": lambda: _reversed(tie_weights=True),
        "untied": lambda: _reversed(tie_weights=False, reverse_dtype="float32"),
    },
    "InputLayer": {"typed": lambda: layers.Embedding(12, 3, embeddings_regularizer="l2")},
}


def _reversed(**options):
    embedding = layers.ReversibleEmbedding(12, 3, **options)
    return lambda x: embedding(layers.Dense(3, activation="tanh")(embedding(x)), reverse=True)


def _input_layer() -> keras.Model:
    model = keras.Sequential([layers.InputLayer(shape=(6,), name="given"), layers.Dense(3, "tanh"), layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.05), "mse")
    return model


def cases() -> list[Case]:
    return [
        *layer_cases("core", "vectors", VECTORS),
        Case("core/InputLayer-sequential", "vectors", _input_layer, ("layers.InputLayer",)),
        *layer_cases("core", "sequences", SEQUENCES),
        *layer_cases("core", "sequences", MASKED, masked=True),
        *layer_cases("core", "images", IMAGES),
        *layer_cases("core", "volumes", VOLUMES),
        *layer_cases("core", "integers", INTEGERS, first=True),
    ]
