"""Regression on the diabetes table of scikit-learn, its 442 patients divided among 16 clinics of unequal size."""

import keras
import numpy as np
from keras import layers


def load():
    from sklearn.datasets import load_diabetes

    table = load_diabetes()
    # The table does not say where its patients were treated: made up here, so that some clinics see many of them.
    sizes = [6, 8, 10, 12, 14, 16, 18, 20, 24, 28, 32, 36, 44, 52, 58, 64]
    clinics = np.repeat([f"clinic-{number:02}" for number in range(16)], sizes)
    return {
        "x": table.data.astype("float32"),
        "y": table.target.astype("float32").reshape(-1, 1),
        "clinic": np.random.default_rng(0).permutation(clinics),
    }


def build(units=16, learning_rate=0.1):
    model = keras.Sequential([keras.Input((10,)), layers.Dense(units, activation="relu"), layers.Dense(1)])
    model.compile(optimizer=keras.optimizers.Adam(learning_rate), loss="mse", metrics=["mae"])
    return model
