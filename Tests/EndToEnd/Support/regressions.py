"""Models whose training diverges, is averaged or scheduled, for the callbacks that act on the device."""

import math

import keras
from keras import layers


def descending(learning_rate=0.01, units=8):
    model = keras.Sequential([keras.Input((10,)), layers.Dense(units, activation="relu"), layers.Dense(1)])
    model.compile(keras.optimizers.SGD(learning_rate), "mse", metrics=["mae"])
    return model


def averaged(learning_rate=0.01):
    model = keras.Sequential([keras.Input((10,)), layers.Dense(8, activation="tanh"), layers.Dense(1)])
    model.compile(keras.optimizers.SGD(learning_rate, momentum=0.5, use_ema=True, ema_momentum=0.8), "mse")
    return model


def wide(learning_rate=0.01):
    model = keras.Sequential(
        [
            keras.Input((10,)),
            layers.Dense(600, activation="relu"),
            layers.Dense(600, activation="relu"),
            layers.Dense(1),
        ]
    )
    model.compile(keras.optimizers.SGD(learning_rate), "mse")
    return model


def decay(epoch, lr):
    return lr if epoch < 2 else lr * math.exp(-0.3)


def broken(epoch, lr):
    rates = [0.1, 0.2]
    return rates[epoch]
