"""Models that the tests build."""

import keras
from keras import layers


def dense(units=64, learning_rate=0.001):
    model = keras.Sequential([keras.Input((10,)), layers.Dense(units, activation="relu"), layers.Dense(1)])
    model.compile(keras.optimizers.Adam(learning_rate), "mse", metrics=["mae"])
    return model


def conv(learning_rate=0.001):
    model = keras.Sequential(
        [
            keras.Input((12, 12, 1)),
            layers.Conv2D(8, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(8, 3, use_bias=False),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.GlobalAveragePooling2D(),
            layers.Dropout(0.2),
            layers.Dense(4, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.Adam(learning_rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def lstm(learning_rate=0.001):
    model = keras.Sequential([keras.Input((8, 4)), layers.LSTM(16), layers.Dense(1)])
    model.compile(keras.optimizers.RMSprop(learning_rate), "mse")
    return model


def normalized():
    model = keras.Sequential(
        [
            keras.Input((10,)),
            layers.Dense(16, use_bias=False),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.Dropout(0.3),
            layers.Dense(1, kernel_regularizer="l2", kernel_initializer="orthogonal"),
        ]
    )
    model.compile(keras.optimizers.SGD(0.05, momentum=0.9), "mse", metrics=["mae", "r2_score"])
    return model


def averaged():
    model = keras.Sequential([keras.Input((10,)), layers.Dense(8, activation="tanh"), layers.Dense(1)])
    model.compile(keras.optimizers.AdamW(0.01, use_ema=True, ema_momentum=0.9, clipnorm=1.0), "mse")
    return model


def adafactor():
    model = keras.Sequential([keras.Input((10,)), layers.Dense(8, activation="gelu"), layers.Dense(1)])
    model.compile(keras.optimizers.Adafactor(0.01), "mse")
    return model


class OwnStep(keras.Sequential):
    """Logs a number of its last batch, which no metric holds."""

    def train_step(self, state, data):
        logs, state = super().train_step(state, data)
        return {**logs, "largest": keras.ops.max(keras.ops.abs(data[0]))}, state


def own_step():
    model = OwnStep([keras.Input((10,)), layers.Dense(8, activation="tanh"), layers.Dense(1)])
    model.compile(keras.optimizers.Adam(0.01), "mse", metrics=["mae"])
    return model


@keras.saving.register_keras_serializable("tests")
class Subclassed(keras.Model):
    def __init__(self, units=6, **options):
        super().__init__(**options)
        self.units = units
        self.first = layers.Dense(units, activation="tanh")
        self.drop = layers.Dropout(0.2)
        self.second = layers.Dense(1)

    def call(self, x, training=False):
        return self.second(self.drop(self.first(x), training=training))

    def get_config(self):
        return {**super().get_config(), "units": self.units}


def subclassed():
    model = Subclassed()
    model.compile(keras.optimizers.Adam(0.01), "mse")
    return model


def convolutions():
    x = keras.Input((6, 6, 6, 2))
    volume = layers.Conv3D(4, 2, strides=2, activation="relu")(x)
    plane = layers.Reshape((6, 6, 12))(x)
    plane = layers.Conv2D(6, 3, groups=3, dilation_rate=2, padding="same", activation="relu")(plane)
    plane = layers.DepthwiseConv2D(2)(plane)
    plane = layers.Conv2DTranspose(3, 3, strides=2, activation="tanh")(plane)
    line = layers.Reshape((36, 12))(x)
    line = layers.Conv1D(4, 3, activation="relu")(line)
    line = layers.SeparableConv1D(3, 3)(line)
    flat = [layers.Flatten()(volume), layers.GlobalAveragePooling2D()(plane), layers.GlobalMaxPooling1D()(line)]
    model = keras.Model(x, layers.Dense(1)(layers.Concatenate()(flat)))
    model.compile(keras.optimizers.SGD(0.01), "mse")
    return model


def descent():
    model = keras.Sequential([keras.Input((10,)), layers.Dense(8, activation="relu"), layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.01), "mse", metrics=["mae"])
    return model


def several_steps():
    model = keras.Sequential([keras.Input((10,)), layers.Dense(1)])
    model.compile("sgd", "mse", steps_per_execution=2)
    return model


class OwnLoss(keras.Sequential):
    """Logs another loss than its metrics hold."""

    def train_step(self, state, data):
        logs, state = super().train_step(state, data)
        return {**logs, "loss": keras.ops.sum(keras.ops.square(data[1]))}, state


def own_loss():
    model = OwnLoss([keras.Input((10,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    return model
