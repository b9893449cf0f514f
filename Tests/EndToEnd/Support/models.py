"""The models that the end-to-end tests train: small, and of each kind that lowering treats in a way of its own."""

import keras
from keras import layers


def dense(units=12, learning_rate=0.01):
    model = keras.Sequential([keras.Input((6,)), layers.Dense(units, activation="relu"), layers.Dense(3)])
    model.compile(
        keras.optimizers.Adam(learning_rate),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    return model


def weighted():
    model = keras.Sequential([keras.Input((6,)), layers.Dense(12, activation="relu"), layers.Dense(3)])
    model.compile(
        "adam",
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        weighted_metrics=[keras.metrics.SparseCategoricalAccuracy(name="weighted_accuracy")],
    )
    return model


def weighted_one_hot():
    model = keras.Sequential([keras.Input((6,)), layers.Dense(3, activation="softmax")])
    model.compile(
        keras.optimizers.SGD(0.1),
        "categorical_crossentropy",
        metrics=["accuracy"],
        weighted_metrics=[keras.metrics.MeanSquaredError(name="weighted_error"), keras.metrics.AUC(name="auc")],
    )
    return model


def by_threes():
    model = keras.Sequential([keras.Input((6,)), layers.Dense(3, activation="softmax")])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"], steps_per_execution=3)
    return model


def convolutional(filters=3):
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(filters, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(3, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.SGD(0.05, momentum=0.9), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def recurrent(units=5):
    model = keras.Sequential([keras.Input((7, 2)), layers.LSTM(units), layers.Dense(1)])
    model.compile(keras.optimizers.RMSprop(0.01), "mse", metrics=["mae"])
    return model


def augmented():
    """Every trial begins with the same weights: what differs is drawn while it trains."""
    given = keras.initializers.GlorotUniform(seed=1)
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.RandomFlip(),
            layers.RandomContrast(0.3, value_range=(-1, 1)),
            layers.GaussianNoise(0.1),
            layers.Flatten(),
            layers.Dense(6, activation="relu", kernel_initializer=given),
            layers.Dropout(0.3),
            layers.Dense(1, kernel_initializer=given),
        ]
    )
    model.compile(keras.optimizers.SGD(0.02), "mse")
    return model


def regression(units=4):
    model = keras.Sequential([keras.Input((6,)), layers.Dense(units, activation="relu"), layers.Dense(1)])
    model.compile("adam", "mse")
    return model


def normalized(units=8):
    """Batch statistics, and a metric that is no mean over rows."""
    model = keras.Sequential(
        [
            keras.Input((6,)),
            layers.Dense(units, use_bias=False),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.Dense(1),
        ]
    )
    model.compile(keras.optimizers.SGD(0.02), "mse", metrics=["mae", keras.metrics.RootMeanSquaredError(name="rmse")])
    return model


def scheduled():
    model = keras.Sequential([keras.Input((6,)), layers.Dense(1)])
    schedule = keras.optimizers.schedules.ExponentialDecay(0.01, 100, 0.9)
    model.compile(keras.optimizers.Adam(schedule), "mse")
    return model


def uncompiled():
    return keras.Sequential([keras.Input((6,)), layers.Dense(1)])


def raises():
    raise ValueError("the store has no such shelf")


def text():
    return "not a model"


def searched(learning_rate, dropout, weight_decay):
    model = keras.Sequential(
        [
            keras.Input((6,)),
            layers.Dense(16, activation="relu"),
            layers.Dropout(dropout),
            layers.Dense(8, activation="tanh"),
            layers.Dropout(dropout / 2),
            layers.Dense(1),
        ]
    )
    model.compile(keras.optimizers.AdamW(learning_rate, weight_decay=weight_decay), "mse", metrics=["mae"])
    return model


def two_heads():
    """Two inputs and two outputs by name, batch statistics, and a layer that draws."""
    a, b = keras.Input((6,), name="a"), keras.Input((2,), name="b")
    joined = layers.BatchNormalization()(layers.Dense(8, activation="relu")(layers.Concatenate()([a, b])))
    joined = layers.Dropout(0.2)(joined)
    outputs = {"level": layers.Dense(1)(joined), "kind": layers.Dense(3, activation="softmax")(joined)}
    model = keras.Model({"a": a, "b": b}, outputs)
    model.compile("adam", {"level": "mse", "kind": "sparse_categorical_crossentropy"})
    return model
