"""Models that only `Model.fit` trains, and callbacks as users write them."""

import os
import time

import keras
from keras.src.utils import rng_utils


class TensorFlowLayer(keras.layers.Layer):
    """Running sums along a row, by an operation of TensorFlow's own."""

    def call(self, inputs):
        import tensorflow as tf

        return tf.math.cumsum(inputs, axis=1)


def tensorflow_only():
    model = keras.Sequential([keras.Input((6,)), TensorFlowLayer(), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.01), loss="mse", metrics=["mae"])
    return model


def regression(units=4):
    """With 8 units it runs each step in Python; no model has a negative number of them."""
    model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(units), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.01), loss="mse", metrics=["mae"], run_eagerly=units == 8)
    return model


class StopsAfterThree(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        if epoch == 2:
            self.model.stop_training = True


def stops():
    return [StopsAfterThree()]


class Unhurried(keras.callbacks.Callback):
    """Gives whoever watches the time to do something in the middle of a training."""

    def on_epoch_end(self, epoch, logs=None):
        time.sleep(0.05)


def unhurried():
    return Unhurried()


class Poison(keras.callbacks.Callback):
    """Ends the process, as a library that crashes would."""

    def on_train_begin(self, logs=None):
        if abs(float(self.model.layers[0].kernel[0, 0])) > 0:
            os.abort()


def poison():
    return Poison()


class CrashesOnOne(keras.callbacks.Callback):
    """Ends the process in the midst of one trial's training, as a library that crashes would."""

    def on_epoch_end(self, epoch, logs=None):
        if epoch == 1 and rng_utils.get_random_seed() == 7:
            print("a check inside the model has failed", flush=True)
            os.abort()


def crashes_on_one():
    return CrashesOnOne()


class Endless(keras.callbacks.Callback):
    """The second epoch does not come to its end."""

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 1:
            time.sleep(600)


def endless():
    return Endless()
