"""Models of the ways that users describe them, for test_scripting.py: layers and losses of a module of their own."""

import keras
from keras import layers, ops


class Scaled(layers.Layer):
    """A layer that Keras's registry does not know."""

    def __init__(self, factor=2.0, **named):
        super().__init__(**named)
        self.factor = factor

    def call(self, x):
        return x * self.factor

    def get_config(self):
        return {**super().get_config(), "factor": self.factor}


def rounded_error(y_true, y_pred):
    return ops.mean(ops.sqrt(ops.square(y_true - y_pred) + 0.1), axis=-1)


class Residual(keras.Model):
    """A subclassed model."""

    def __init__(self, units=6, **named):
        super().__init__(**named)
        self.units = units
        self.inner = layers.Dense(units, activation="tanh")
        self.outer = layers.Dense(1)

    def call(self, x):
        return self.outer(self.inner(x)) + ops.mean(x, axis=-1, keepdims=True)

    def get_config(self):
        return {"units": self.units, "name": self.name}


def sequential(seed=1):
    keras.utils.set_random_seed(seed)
    model = keras.Sequential([keras.Input((5,)), layers.Dense(6, activation="relu"), layers.Dense(1)])
    model.compile(keras.optimizers.Adam(0.01), loss=keras.losses.LogCosh(), metrics=[keras.metrics.MeanAbsoluteError()])
    return model


def functional(seed=2):
    keras.utils.set_random_seed(seed)
    x = keras.Input((5,))
    hidden = layers.Dense(4, activation="relu")(x)
    model = keras.Model(x, layers.Dense(1)(layers.Concatenate()([x, hidden])))
    model.compile(keras.optimizers.SGD(0.01, momentum=0.9), loss="mse", metrics=["mae"])
    return model


def normalized(units=6):
    model = keras.Sequential(
        [keras.Input((5,)), layers.Normalization(name="scale"), layers.Dense(units, activation="relu"), layers.Dense(1)]
    )
    model.compile(keras.optimizers.SGD(0.01), loss="mse")
    return model


def subclassed(seed=3):
    keras.utils.set_random_seed(seed)
    model = Residual(name="residual")
    model(keras.ops.zeros((1, 5)))
    model.compile(keras.optimizers.RMSprop(0.01), loss="mse")
    return model


def custom(seed=4):
    keras.utils.set_random_seed(seed)
    model = keras.Sequential([keras.Input((5,)), Scaled(0.5), layers.Dense(6, activation="relu"), layers.Dense(1)])
    model.compile(keras.optimizers.Adam(0.01), loss=rounded_error, metrics=["mse"])
    return model


def build(units=4, learning_rate=0.01, loss="mse"):
    model = keras.Sequential([keras.Input((5,)), layers.Dense(units, activation="relu"), layers.Dense(1)])
    model.compile(keras.optimizers.Adam(learning_rate), loss=loss, metrics=["mae"])
    return model
