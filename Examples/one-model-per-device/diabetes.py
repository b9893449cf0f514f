"""Regression on the diabetes table of scikit-learn: 442 patients, 10 measurements each."""

import keras
from keras import layers


def load():
    from sklearn.datasets import load_diabetes

    table = load_diabetes()  # its inputs are scaled already
    return {"x": table.data.astype("float32"), "y": table.target.astype("float32").reshape(-1, 1)}


def build(learning_rate=0.1):
    model = keras.Sequential([keras.Input((10,)), layers.Dense(64, activation="relu"), layers.Dense(1)])
    model.compile(optimizer=keras.optimizers.Adam(learning_rate), loss="mse")
    return model
