"""A small convolutional network, and images for it that need no download."""

import keras
import numpy as np


def load():
    """4,096 images of 28 by 28 in 10 classes: a class is a smooth pattern, an image one that is shifted and noisy."""
    generator = np.random.default_rng(0)
    patterns = generator.standard_normal((10, 7, 7)).repeat(4, axis=1).repeat(4, axis=2)
    labels = generator.integers(0, 10, 4096)
    shifts = generator.integers(-3, 4, (4096, 2))
    images = np.stack([np.roll(patterns[label], shift, (0, 1)) for label, shift in zip(labels, shifts, strict=True)])
    images += 3 * generator.standard_normal(images.shape)
    return {"x": images[..., None].astype("float32"), "y": labels.astype("int32")}


def build():
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            keras.layers.Conv2D(32, 3, activation="relu"),
            keras.layers.MaxPooling2D(),
            keras.layers.Conv2D(64, 3, activation="relu"),
            keras.layers.MaxPooling2D(),
            keras.layers.Flatten(),
            keras.layers.Dense(128, activation="relu"),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model
