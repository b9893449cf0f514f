"""Prints how far the weights of two models are apart at most, or how large those of one are at most."""

import os
import sys

os.environ["KERAS_BACKEND"] = "jax"

import keras
import numpy as np

loaded = [keras.models.load_model(path).get_weights() for path in sys.argv[1:]]
first, second = loaded if len(loaded) == 2 else (loaded[0], [np.zeros_like(one) for one in loaded[0]])
scale = max(1.0, *(float(np.abs(one).max()) for one in first)) if len(loaded) == 2 else 1.0
print(max(float(np.abs(a.astype("float64") - b).max()) for a, b in zip(first, second, strict=True)) / scale)
