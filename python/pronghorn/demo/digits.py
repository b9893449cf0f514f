"""The model and the data of the demo."""

import keras
from keras import layers


def load():
    """1,797 images of handwritten digits, 8 by 8 pixels each, and the digits that they show."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    return {"x": (digits.images / 16).astype("float32"), "y": digits.target}


def build(units=64, learning_rate=0.001):
    """A small network: its arguments may be axes of the experiment."""
    model = keras.Sequential(
        [
            keras.Input((8, 8)),
            layers.Flatten(),
            layers.Dense(units, activation="relu"),
            layers.Dense(units, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(
        optimizer=keras.optimizers.Adam(learning_rate),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    return model
