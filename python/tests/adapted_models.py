"""Models with layers that are adapted to each trial's rows, and some with layers that cannot be."""

import keras
from keras import layers


def compiled(inputs, outputs):
    model = keras.Model(inputs, outputs)
    model.compile(keras.optimizers.SGD(0.01), "mse")
    return model


def stack(*first):
    model = keras.Sequential([*first, layers.Dense(3, activation="relu"), layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.01), "mse")
    return model


def plain(width=4):
    return stack(keras.Input((width,)), layers.Normalization())


def deferred(width=None):
    return stack(layers.Normalization())


def together():
    """One mean for all numbers, where the data's rows have no axis and Keras adds one."""
    return stack(keras.Input((1,)), layers.Normalization(axis=None))


def pictures():
    """A mean for each channel."""
    normalized = layers.Normalization(axis=-1, name="channels")
    return stack(keras.Input((3, 2, 2)), normalized, layers.Flatten())


def nested():
    scaling = keras.Sequential([keras.Input((4,)), layers.Normalization(name="scaling")])
    x = keras.Input((4,))
    return compiled(x, layers.Dense(1)(scaling(x)))


def inputs(given=False):
    """Two inputs, each with a layer of its own, in an order that is not that of their names."""
    wide, deep = keras.Input((3,), name="wide"), keras.Input((2,), name="deep")
    known = {"mean": 0.0, "variance": 1.0} if given else {}
    parts = [layers.Normalization(name="of_wide")(wide), layers.Normalization(name="of_deep", **known)(deep)]
    return compiled([wide, deep], layers.Dense(1)(layers.Concatenate()(parts)))


def named():
    wide, deep = keras.Input((3,), name="wide"), keras.Input((2,), name="deep")
    parts = [layers.Normalization(name="of_wide")(wide), layers.Normalization(name="of_deep")(deep)]
    return compiled({"wide": wide, "deep": deep}, layers.Dense(1)(layers.Concatenate()(parts)))


def binned(width=4):
    bins = layers.Discretization(num_bins=4, name="bins", output_mode="one_hot")
    return stack(keras.Input((width,)), bins, layers.Flatten())


def beyond():
    """A layer that sees what another has made of the rows."""
    x = keras.Input((4,))
    return compiled(x, layers.Dense(1)(layers.Normalization(name="late")(layers.Rescaling(2.0)(x))))


def shared():
    one, two = keras.Input((2,), name="wide"), keras.Input((2,), name="deep")
    both = layers.Normalization(name="both")
    return compiled([one, two], layers.Dense(1)(layers.Concatenate()([both(one), both(two)])))


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__()
        self.scaling, self.dense = layers.Normalization(name="scaling"), layers.Dense(1)

    def call(self, x):
        return self.dense(self.scaling(x))


def subclassed():
    model = Subclassed()
    model.compile("sgd", "mse")
    return model


def without():
    return stack(keras.Input((4,)))


def given():
    return stack(keras.Input((4,)), layers.Normalization(mean=1.0, variance=2.0, name="known"))


class Clipped(layers.Normalization):
    """One that computes in a way of its own with what it is adapted to."""

    def call(self, x):
        return keras.ops.clip((x - self.mean) / keras.ops.sqrt(self.variance), -2, 2)


def clipped():
    return stack(keras.Input((4,)), Clipped(name="clipped"))


class Learned(layers.Layer):
    """A layer of a user's with an `adapt` of its own."""

    def adapt(self, data):
        self.seen = data

    def call(self, x):
        return x


def learned():
    return stack(keras.Input((4,)), Learned(name="learned"))
