"""Whole models: several inputs and outputs, shared and nested layers, subclasses, own steps, frozen layers, weights."""

from __future__ import annotations

from collections.abc import Callable

import keras
from keras import layers, ops

from conformance.case import RATE, Case, compiled

SCOPE = "conformance"
register = keras.saving.register_keras_serializable(SCOPE)


@register
class Scaled(layers.Layer):
    """A layer of a user's, with a loss and a state of its own."""

    def __init__(self, units, **options):
        super().__init__(**options)
        self.units = units

    def build(self, shape):
        self.kernel = self.add_weight(shape=(shape[-1], self.units), name="kernel")
        self.scale = self.add_weight(shape=(), initializer="ones", name="scale")
        self.calls = self.add_weight(shape=(), initializer="zeros", dtype="int32", trainable=False, name="calls")
        self.trained = self.add_weight(shape=(), initializer="zeros", dtype="bool", trainable=False, name="trained")

    def call(self, x, training=False):
        if training:
            self.calls.assign_add(1)
            self.trained.assign(True)
        self.add_loss(0.01 * ops.sum(ops.square(self.kernel)))
        return ops.tanh(x @ self.kernel) * self.scale

    def get_config(self):
        return {**super().get_config(), "units": self.units}


@register
class Noisy(layers.Layer):
    """A layer of a user's that draws with a seed generator."""

    def __init__(self, **options):
        super().__init__(**options)
        self.generator = keras.random.SeedGenerator()

    def call(self, x, training=False):
        return x + 0.1 * keras.random.normal(ops.shape(x), seed=self.generator) if training else x


@register
class Unseeded(layers.Layer):
    """A layer of a user's that draws without a seed: from Keras's global generator."""

    def call(self, x, training=False):
        return x + 0.1 * keras.random.normal(ops.shape(x)) if training else x


@register
class Doubled(layers.Wrapper):
    """A wrapper of a user's."""

    def call(self, x):
        return self.layer(x) + self.layer(x * 0.5)


@register
class Trunk(keras.Model):
    """A model of a user's with its own `call`."""

    def __init__(self, units=4, **options):
        super().__init__(**options)
        self.units = units
        self.first = layers.Dense(units, activation="tanh")
        self.drop = layers.Dropout(0.2)
        self.last = layers.Dense(1)

    def build(self, shape):
        self.first.build(shape)
        self.last.build((None, self.units))

    def call(self, x, training=False):
        return self.last(self.drop(self.first(x), training=training))

    def get_config(self):
        return {"name": self.name, "units": self.units}


@register
class OwnStep(Trunk):
    """A model of a user's with its own `train_step`, of the JAX backend's signature."""

    def own_loss(self, trainable, non_trainable, x, y):
        y_pred, non_trainable, losses = self.stateless_call(
            trainable, non_trainable, x, training=True, return_losses=True
        )
        return ops.mean(ops.abs(y - y_pred)) + sum(losses), (y_pred, non_trainable)

    def train_step(self, state, data):
        import jax

        trainable, non_trainable, optimizer, metrics = state
        x, y = data
        step = jax.value_and_grad(self.own_loss, has_aux=True)
        (loss, (_, non_trainable)), gradients = step(trainable, non_trainable, x, y)
        trainable, optimizer = self.optimizer.stateless_apply(optimizer, gradients, trainable)
        return {"loss": loss, "twice": loss * 2}, (trainable, non_trainable, optimizer, metrics)


@register
class OwnLoss(Trunk):
    """A model of a user's with its own `compute_loss` and `test_step`."""

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        return ops.mean(ops.square(y - y_pred)) + 0.1 * ops.mean(ops.square(y_pred))

    def test_step(self, state, data):
        logs, state = super().test_step(state, data)
        return {**logs, "checked": logs["loss"] + 1}, state


@register
class Paths(keras.Model):
    """A model of a user's that takes and gives dictionaries."""

    def __init__(self, **options):
        super().__init__(**options)
        self.embed = layers.Embedding(9, 3)
        self.mix = layers.Dense(4, activation="tanh")
        self.number, self.kind = layers.Dense(1), layers.Dense(3, activation="softmax")

    def build(self, shapes):
        self.embed.build(())
        self.mix.build((None, 13))
        self.number.build((None, 4))
        self.kind.build((None, 4))

    def call(self, given):
        x = self.mix(ops.concatenate([given["left"], given["right"], self.embed(given["word"])], axis=-1))
        return {"number": self.number(x), "kind": self.kind(x)}


def _several(**options) -> keras.Model:
    left, right = keras.Input((6,), name="left"), keras.Input((4,), name="right")
    word = keras.Input((), name="word", dtype="int32")
    x = layers.Concatenate()([layers.Dense(3)(left), layers.Dense(3)(right), layers.Embedding(9, 2)(word)])
    x = layers.Dense(4, activation="tanh")(x)
    number, kind = layers.Dense(1, name="number")(x), layers.Dense(3, "softmax", name="kind")(x)
    losses = {"number": "mse", "kind": "sparse_categorical_crossentropy"}
    outputs = {"number": number, "kind": kind}
    given = {"left": left, "right": right, "word": word}
    return compiled(given, outputs, loss=losses, **options)


def _paths() -> keras.Model:
    model = Paths()
    model.build({"left": (None, 6), "right": (None, 4), "word": (None,)})
    losses = {"number": "mse", "kind": "sparse_categorical_crossentropy"}
    model.compile(keras.optimizers.SGD(RATE), losses, metrics={"kind": ["accuracy"]})
    return model


def _shared() -> keras.Model:
    inputs = keras.Input((6,))
    dense = layers.Dense(6, activation="tanh", name="shared")
    return compiled(inputs, layers.Dense(1)(layers.Add()([dense(inputs), dense(dense(inputs))])))


def _nested() -> keras.Model:
    inner = keras.Sequential([keras.Input((4,)), layers.Dense(4, "tanh"), layers.BatchNormalization(momentum=0.8)])
    block_in = keras.Input((6,))
    twice = keras.Sequential([keras.Input((4,)), layers.Dense(4, "tanh"), layers.UnitNormalization()], name="twice")
    block = keras.Model(block_in, inner(layers.Dense(4)(block_in)), name="block")
    inputs = keras.Input((6,))
    return compiled(inputs, layers.Dense(1)(twice(twice(block(inputs)))))


def _residual() -> keras.Model:
    inputs = keras.Input((8, 8, 3))
    x = layers.Conv2D(4, 3, padding="same", use_bias=False)(inputs)
    y = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))
    x = layers.Add()([x, layers.Conv2D(4, 3, padding="same")(y)])
    x = layers.GlobalAveragePooling2D()(layers.MaxPooling2D()(x))
    return compiled(inputs, layers.Dense(1)(x), metrics=["mae"])


def _noise_gradient() -> keras.Model:
    """A bias before a batch normalization, whose gradient is nothing but rounding."""
    inputs = keras.Input((6,))
    x = layers.BatchNormalization(momentum=0.9)(layers.Dense(4)(inputs))
    return compiled(inputs, layers.Dense(1)(x), optimizer=keras.optimizers.Adam(0.01))


def _transformer() -> keras.Model:
    inputs = keras.Input((5,), dtype="int32")
    x = layers.Embedding(12, 4, mask_zero=True)(inputs)
    attended = layers.MultiHeadAttention(2, 2, dropout=0.1)(x, x, use_causal_mask=True)
    x = layers.LayerNormalization()(layers.Add()([x, attended]))
    x = layers.LayerNormalization()(layers.Add()([x, layers.Dense(4)(layers.Dense(6, activation="gelu")(x))]))
    return compiled(inputs, layers.Dense(1)(layers.GlobalAveragePooling1D()(x)))


def _frozen() -> keras.Model:
    model = keras.Sequential(
        [
            keras.Input((6,)),
            layers.Dense(5, activation="tanh", trainable=False),
            layers.BatchNormalization(trainable=False),
            layers.Dense(4, activation="tanh"),
            layers.Dense(1),
        ]
    )
    model.compile(keras.optimizers.SGD(RATE, momentum=0.5), "mse")
    return model


def _deferred() -> keras.Model:
    model = keras.Sequential([layers.Dense(4, activation="tanh"), layers.Dense(1)])
    model.compile(keras.optimizers.SGD(RATE), "mse")
    return model


def _own(make: Callable, **options) -> Callable:
    def build() -> keras.Model:
        inputs = keras.Input((6,))
        return compiled(inputs, layers.Dense(1)(make()(layers.Dense(4, activation="tanh")(inputs))), **options)

    return build


def _trunk(cls, **options) -> Callable:
    def build() -> keras.Model:
        model = cls()
        model.build((None, 6))
        model.compile(keras.optimizers.SGD(RATE), "mse", **options)
        return model

    return build


def _double_precision() -> keras.Model:
    return compiled(given := keras.Input((6,)), layers.Dense(1, dtype="float64")(layers.Dense(4, "tanh")(given)))


def cases() -> list[Case]:
    found = {
        "several-dictionaries": ("several", lambda: _several()),
        "several-weighted": (
            "several",
            lambda: _several(
                loss_weights={"number": 0.7, "kind": 0.3},
                metrics={"kind": ["accuracy"], "number": ["mae"]},
                weighted_metrics={"number": ["mse"]},
            ),
        ),
        "several-subclassed": ("several", _paths),
        "shared-layer": ("vectors", _shared),
        "nested": ("vectors", _nested),
        "residual": ("images", _residual),
        "transformer": ("integers", _transformer),
        "noise-gradient": ("vectors", _noise_gradient),
        "frozen": ("vectors", _frozen),
        "deferred": ("vectors", _deferred),
        "own-call": ("vectors", _trunk(Trunk, metrics=["mae"])),
        "own-train-step": ("vectors", _trunk(OwnStep)),
        "own-loss-test-step": ("vectors", _trunk(OwnLoss)),
        "own-layer-add-loss": ("vectors", _own(lambda: Scaled(3))),
        "own-layer-seeded": ("vectors", _own(Noisy)),
        "own-layer-unseeded": ("vectors", _own(Unseeded)),
        "own-wrapper": ("vectors", _own(lambda: Doubled(layers.Dense(3)))),
        "own-wrapper-dropout": ("vectors", _own(lambda: Doubled(layers.Dropout(0.2)))),
        "sample-weights": ("weighted", _own(lambda: Scaled(3), metrics=["mae"], weighted_metrics=["mae"])),
        "steps-per-execution": ("vectors", _own(lambda: Scaled(3), steps_per_execution=2)),
        "no-jit": ("vectors", _own(lambda: Scaled(3), jit_compile=False)),
        "eager": ("vectors", _own(lambda: Scaled(3), run_eagerly=True)),
        "auto-scaled": ("vectors", _own(lambda: Scaled(3), auto_scale_loss=False)),
        "double-precision": ("vectors", _double_precision),
    }
    covers = {
        "own-layer-add-loss": ("layers.Layer",),
        "own-layer-seeded": ("layers.Layer",),
        "own-wrapper": ("layers.Wrapper",),
        "own-wrapper-dropout": ("layers.Wrapper",),
    }
    return [
        Case(f"models/{name}", signature, build, covers.get(name, ()), ("frozen",) if name == "frozen" else ())
        for name, (signature, build) in found.items()
    ]
