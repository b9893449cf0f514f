"""Losses: reductions, options, targets of every kind."""

from __future__ import annotations

from collections.abc import Callable

import keras
from keras import layers, losses

from conformance.case import RATE, Case, compiled

Table = dict[str, dict[str, Callable]]

NUMBERS: Table = {
    "MeanSquaredError": {"mean": lambda: losses.MeanSquaredError(), "sum": lambda: losses.MeanSquaredError("sum")},
    "MeanAbsoluteError": {
        "mean": lambda: losses.MeanAbsoluteError(),
        "weighted-mean": lambda: losses.MeanAbsoluteError("mean_with_sample_weight"),
    },
    "Huber": {"one": lambda: losses.Huber(), "small": lambda: losses.Huber(delta=0.3)},
    "LogCosh": {"mean": lambda: losses.LogCosh(), "sum": lambda: losses.LogCosh("sum")},
    "CosineSimilarity": {
        "last": lambda: losses.CosineSimilarity(),
        "first": lambda: losses.CosineSimilarity(axis=0),
    },
}
POSITIVE: Table = {
    "MeanAbsolutePercentageError": {
        "mean": lambda: losses.MeanAbsolutePercentageError(),
        "sum": lambda: losses.MeanAbsolutePercentageError("sum"),
    },
    "MeanSquaredLogarithmicError": {
        "mean": lambda: losses.MeanSquaredLogarithmicError(),
        "sum": lambda: losses.MeanSquaredLogarithmicError("sum"),
    },
    "Poisson": {"mean": lambda: losses.Poisson(), "sum": lambda: losses.Poisson("sum")},
    "KLDivergence": {"mean": lambda: losses.KLDivergence(), "sum": lambda: losses.KLDivergence("sum")},
    "Dice": {"all": lambda: losses.Dice(), "axis": lambda: losses.Dice(axis=(1,))},
    "Tversky": {
        "half": lambda: losses.Tversky(),
        "uneven": lambda: losses.Tversky(alpha=0.3, beta=0.7, axis=(1,)),
    },
}
BINARY: Table = {
    "BinaryCrossentropy": {
        "probabilities": lambda: losses.BinaryCrossentropy(label_smoothing=0.1),
        "logits": lambda: losses.BinaryCrossentropy(from_logits=True),
    },
    "BinaryFocalCrossentropy": {
        "plain": lambda: losses.BinaryFocalCrossentropy(),
        "balanced": lambda: losses.BinaryFocalCrossentropy(apply_class_balancing=True, gamma=1.5, from_logits=True),
    },
    "Hinge": {"mean": lambda: losses.Hinge(), "sum": lambda: losses.Hinge("sum")},
    "SquaredHinge": {"mean": lambda: losses.SquaredHinge(), "sum": lambda: losses.SquaredHinge("sum")},
}
ONE_HOT: Table = {
    "CategoricalCrossentropy": {
        "smoothed": lambda: losses.CategoricalCrossentropy(label_smoothing=0.1),
        "logits": lambda: losses.CategoricalCrossentropy(from_logits=True),
    },
    "CategoricalFocalCrossentropy": {
        "plain": lambda: losses.CategoricalFocalCrossentropy(),
        "options": lambda: losses.CategoricalFocalCrossentropy(alpha=[0.2, 0.3, 0.5], gamma=1.0, from_logits=True),
    },
    "CategoricalHinge": {"mean": lambda: losses.CategoricalHinge(), "sum": lambda: losses.CategoricalHinge("sum")},
}
CLASSES: Table = {
    "SparseCategoricalCrossentropy": {
        "probabilities": lambda: losses.SparseCategoricalCrossentropy(),
        "logits-ignored": lambda: losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=1),
    },
    "CategoricalGeneralizedCrossEntropy": {
        "half": lambda: losses.CategoricalGeneralizedCrossEntropy(),
        "q": lambda: losses.CategoricalGeneralizedCrossEntropy(q=0.8),
    },
    "Circle": {
        "default": lambda: losses.Circle(),
        "options": lambda: losses.Circle(gamma=10.0, margin=0.2, remove_diagonal=False),
    },
}
LABELS: Table = {"CTC": {"mean": lambda: losses.CTC(), "sum": lambda: losses.CTC("sum")}}


@keras.saving.register_keras_serializable("conformance")
class Quantile(losses.Loss):
    """A loss of a user's."""

    def __init__(self, quantile=0.5, **options):
        super().__init__(**options)
        self.quantile = quantile

    def call(self, y_true, y_pred):
        apart = y_true - y_pred
        return keras.ops.maximum(self.quantile * apart, (self.quantile - 1) * apart)

    def get_config(self):
        return {**super().get_config(), "quantile": self.quantile}


@keras.saving.register_keras_serializable("conformance")
def smooth_absolute(y_true, y_pred):
    """A loss of a user's that is a function."""
    return keras.ops.mean(keras.ops.sqrt(keras.ops.square(y_true - y_pred) + 0.01), axis=-1)


def _model(units: int, activation, loss, shape=None) -> keras.Model:
    inputs = keras.Input((6,))
    x = layers.Dense(4, activation="tanh")(inputs)
    x = layers.Dense(units, activation=None if getattr(loss, "_fn_kwargs", {}).get("from_logits") else activation)(x)
    if isinstance(loss, losses.Circle):
        x = layers.UnitNormalization()(x)
    if shape:
        x = layers.Reshape(shape)(x)
    rate = RATE / 10 if getattr(loss, "reduction", "") == "sum" or isinstance(loss, losses.Circle) else RATE
    if isinstance(loss, losses.MeanAbsolutePercentageError):
        rate /= 100
    return compiled(inputs, x, optimizer=keras.optimizers.SGD(rate), loss=loss)


def cases() -> list[Case]:
    found = []
    for table, signature, units, activation, shape in (
        (NUMBERS, "pairs", 3, None, None),
        (POSITIVE, "positive", 3, "softmax", None),
        (BINARY, "binary", 1, "sigmoid", None),
        (ONE_HOT, "one_hot", 3, "softmax", None),
        (CLASSES, "classes", 3, "softmax", None),
        (LABELS, "labels", 40, None, (10, 4)),
    ):
        for name, entries in table.items():
            for label, make in entries.items():

                def build(make=make, units=units, activation=activation, shape=shape):
                    return _model(units, activation, make(), shape)

                found.append(Case(f"losses/{name}-{label}", signature, build, (f"losses.{name}",)))
    own = {"own-class": lambda: Quantile(0.8), "own-function": lambda: smooth_absolute, "by-name": lambda: "log_cosh"}
    for label, make in own.items():
        covers = ("losses.Loss",) if label == "own-class" else ()
        found.append(Case(f"losses/{label}", "pairs", lambda make=make: _model(3, None, make()), covers))
    return found
