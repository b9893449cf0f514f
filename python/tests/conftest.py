"""Keras is set up as the lowering process sets it up, before any test imports it."""

import os

os.environ["KERAS_BACKEND"] = "jax"
os.environ["JAX_PLATFORMS"] = "cpu"
