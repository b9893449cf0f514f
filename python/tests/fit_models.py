"""What the tests of the fit runner train: models and callbacks as users write them."""

import keras
import numpy as np


def build(units=4, learning_rate=0.05):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(units, activation="relu"), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(learning_rate), loss="mse", metrics=["mae"])
    return model


def eager():
    model = build()
    model.compile("sgd", "mse", run_eagerly=True)
    return model


class Failing(keras.Sequential):
    def train_step(self, *data):
        raise RuntimeError("this step cannot")


def failing():
    model = Failing([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    return model


class TensorFlowLayer(keras.layers.Layer):
    """A layer that only TensorFlow can compute."""

    def call(self, inputs):
        import tensorflow as tf

        return tf.math.cumsum(inputs, axis=1)


def tensorflow_only():
    model = keras.Sequential([keras.Input((3,)), TensorFlowLayer(), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.05), loss="mse")
    return model


class StopsAfterTwo(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        logs["seen"] = float(np.float32(epoch + 0.5))
        if epoch == 1:
            self.model.stop_training = True


def stops():
    return [StopsAfterTwo()]


def prints():
    print("a print of the user's")
    return keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: print("epoch", epoch))
