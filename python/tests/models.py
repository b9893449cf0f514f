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
