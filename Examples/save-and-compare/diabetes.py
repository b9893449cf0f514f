"""The diabetes table of scikit-learn: 342 patients to train on, and 100 that no model sees."""

import keras
import numpy as np
from keras import layers


def table():
    from sklearn.datasets import load_diabetes

    table = load_diabetes()
    order = np.random.default_rng(0).permutation(len(table.target))
    return table.data[order].astype("float32"), table.target[order].astype("float32").reshape(-1, 1)


def load():
    x, y = table()
    return {"x": x[100:], "y": y[100:]}


def held_out():
    x, y = table()
    return x[:100], y[:100]


def build(learning_rate=0.05):
    model = keras.Sequential([keras.Input((10,)), layers.Dense(64, activation="relu"), layers.Dense(1)])
    model.compile(optimizer=keras.optimizers.Adam(learning_rate), loss="mse")
    return model
