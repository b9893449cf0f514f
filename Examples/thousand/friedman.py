"""A million rows of Friedman's first regression problem: 10 inputs, 5 of which matter."""

import keras
from keras import layers


def load():
    from sklearn.datasets import make_friedman1

    x, y = make_friedman1(1_000_000, n_features=10, noise=1.0, random_state=0)
    return {"x": x.astype("float32"), "y": y.astype("float32").reshape(-1, 1)}


def build():
    model = keras.Sequential([keras.Input((10,)), layers.Dense(64, activation="relu"), layers.Dense(1)])
    model.compile(optimizer="adam", loss="mse")
    return model
