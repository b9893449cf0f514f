"""Metrics beside a loss that they do not touch, all of one kind of target in one model: their logs tell them apart."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import keras
from keras import layers, metrics

from conformance.case import Case, compiled

Table = dict[str, dict[str, Callable]]
TOGETHER = 9

NUMBERS: Table = {
    "MeanSquaredError": {"plain": lambda: metrics.MeanSquaredError(), "named": lambda: metrics.MeanSquaredError("own")},
    "MeanAbsoluteError": {"plain": lambda: metrics.MeanAbsoluteError(), "by-name": lambda: "mae"},
    "MeanAbsolutePercentageError": {"plain": lambda: metrics.MeanAbsolutePercentageError(), "by-name": lambda: "mape"},
    "RootMeanSquaredError": {
        "plain": lambda: metrics.RootMeanSquaredError(),
        "named": lambda: metrics.RootMeanSquaredError("own"),
    },
    "LogCoshError": {"plain": lambda: metrics.LogCoshError(), "named": lambda: metrics.LogCoshError("own_log")},
    "CosineSimilarity": {
        "last": lambda: metrics.CosineSimilarity(),
        "first": lambda: metrics.CosineSimilarity(axis=0),
    },
    "R2Score": {
        "average": lambda: metrics.R2Score(),
        "weighted": lambda: metrics.R2Score(class_aggregation="variance_weighted_average"),
    },
    "PearsonCorrelation": {
        "last": lambda: metrics.PearsonCorrelation(),
        "axis": lambda: metrics.PearsonCorrelation(axis=1),
    },
    "ConcordanceCorrelation": {
        "last": lambda: metrics.ConcordanceCorrelation(),
        "axis": lambda: metrics.ConcordanceCorrelation(axis=1),
    },
    "MeanMetricWrapper": {
        "function": lambda: metrics.MeanMetricWrapper(keras.losses.mean_squared_error, name="wrapped"),
        "options": lambda: metrics.MeanMetricWrapper(keras.losses.huber, name="huber", delta=0.3),
    },
}
POSITIVE: Table = {
    "MeanSquaredLogarithmicError": {
        "plain": lambda: metrics.MeanSquaredLogarithmicError(),
        "by-name": lambda: "msle",
    },
    "Poisson": {"plain": lambda: metrics.Poisson(), "by-name": lambda: "poisson"},
    "KLDivergence": {"plain": lambda: metrics.KLDivergence(), "by-name": lambda: "kl_divergence"},
}
BINARY: Table = {
    "AUC": {
        "roc": lambda: metrics.AUC(num_thresholds=20),
        "pr-given": lambda: metrics.AUC(curve="PR", thresholds=[0.3, 0.45, 0.5, 0.55, 0.7]),
    },
    "BinaryAccuracy": {"half": lambda: metrics.BinaryAccuracy(), "low": lambda: metrics.BinaryAccuracy(threshold=0.4)},
    "BinaryCrossentropy": {
        "plain": lambda: metrics.BinaryCrossentropy(),
        "smoothed": lambda: metrics.BinaryCrossentropy(label_smoothing=0.2),
    },
    "BinaryIoU": {
        "both": lambda: metrics.BinaryIoU(),
        "one": lambda: metrics.BinaryIoU(target_class_ids=[1], threshold=0.45),
    },
    "FalseNegatives": {"half": lambda: metrics.FalseNegatives(), "some": lambda: metrics.FalseNegatives([0.45])},
    "FalsePositives": {"half": lambda: metrics.FalsePositives(), "some": lambda: metrics.FalsePositives([0.45])},
    "TrueNegatives": {"half": lambda: metrics.TrueNegatives(), "some": lambda: metrics.TrueNegatives([0.45])},
    "TruePositives": {"half": lambda: metrics.TruePositives(), "some": lambda: metrics.TruePositives([0.45])},
    "Precision": {"half": lambda: metrics.Precision(), "some": lambda: metrics.Precision(thresholds=0.45)},
    "Recall": {"half": lambda: metrics.Recall(), "some": lambda: metrics.Recall(thresholds=0.45)},
    "PrecisionAtRecall": {
        "half": lambda: metrics.PrecisionAtRecall(0.5, num_thresholds=10),
        "most": lambda: metrics.PrecisionAtRecall(0.8),
    },
    "RecallAtPrecision": {
        "half": lambda: metrics.RecallAtPrecision(0.5, num_thresholds=10),
        "most": lambda: metrics.RecallAtPrecision(0.6),
    },
    "SensitivityAtSpecificity": {
        "half": lambda: metrics.SensitivityAtSpecificity(0.5, num_thresholds=10),
        "most": lambda: metrics.SensitivityAtSpecificity(0.7),
    },
    "SpecificityAtSensitivity": {
        "half": lambda: metrics.SpecificityAtSensitivity(0.5, num_thresholds=10),
        "most": lambda: metrics.SpecificityAtSensitivity(0.7),
    },
    "Hinge": {"plain": lambda: metrics.Hinge(), "by-name": lambda: "hinge"},
    "SquaredHinge": {"plain": lambda: metrics.SquaredHinge(), "by-name": lambda: "squared_hinge"},
}
ONE_HOT: Table = {
    "CategoricalAccuracy": {"plain": lambda: metrics.CategoricalAccuracy(), "by-name": lambda: "accuracy"},
    "CategoricalCrossentropy": {
        "plain": lambda: metrics.CategoricalCrossentropy(),
        "smoothed": lambda: metrics.CategoricalCrossentropy(label_smoothing=0.2),
    },
    "CategoricalHinge": {"plain": lambda: metrics.CategoricalHinge(), "by-name": lambda: "categorical_hinge"},
    "F1Score": {
        "macro": lambda: metrics.F1Score(average="macro"),
        "weighted": lambda: metrics.F1Score(average="weighted", threshold=0.4),
    },
    "FBetaScore": {
        "micro": lambda: metrics.FBetaScore(average="micro", beta=2.0),
        "macro": lambda: metrics.FBetaScore(average="macro", beta=0.5, threshold=0.35),
    },
    "OneHotIoU": {
        "some": lambda: metrics.OneHotIoU(3, [0, 2]),
        "ignored": lambda: metrics.OneHotIoU(3, [0, 1], ignore_class=2),
    },
    "OneHotMeanIoU": {
        "all": lambda: metrics.OneHotMeanIoU(3),
        "ignored": lambda: metrics.OneHotMeanIoU(3, ignore_class=1),
    },
    "TopKCategoricalAccuracy": {
        "two": lambda: metrics.TopKCategoricalAccuracy(2),
        "one": lambda: metrics.TopKCategoricalAccuracy(1),
    },
    "AUC": {"labels": lambda: metrics.AUC(multi_label=True, num_thresholds=10, num_labels=3)},
    "Precision": {"class": lambda: metrics.Precision(class_id=1, top_k=2)},
    "Recall": {"top": lambda: metrics.Recall(top_k=1)},
}
CLASSES: Table = {
    "SparseCategoricalAccuracy": {"plain": lambda: metrics.SparseCategoricalAccuracy(), "by-name": lambda: "acc"},
    "SparseCategoricalCrossentropy": {
        "plain": lambda: metrics.SparseCategoricalCrossentropy(),
        "from-logits": lambda: metrics.SparseCategoricalCrossentropy(from_logits=True),
    },
    "SparseTopKCategoricalAccuracy": {
        "two": lambda: metrics.SparseTopKCategoricalAccuracy(2),
        "one": lambda: metrics.SparseTopKCategoricalAccuracy(1),
    },
    "IoU": {
        "classes": lambda: metrics.IoU(3, [0, 1], sparse_y_pred=False),
        "ignored": lambda: metrics.IoU(3, [0], ignore_class=2, sparse_y_pred=False),
    },
    "MeanIoU": {
        "classes": lambda: metrics.MeanIoU(3, sparse_y_pred=False),
        "ignored": lambda: metrics.MeanIoU(3, ignore_class=0, sparse_y_pred=False),
    },
}


@keras.saving.register_keras_serializable("conformance")
class Largest(metrics.Metric):
    """A metric of a user's that keeps an array and gives a dictionary."""

    def __init__(self, name="largest", **options):
        super().__init__(name=name, **options)
        self.errors = self.add_variable((3,), "zeros", name="errors")
        self.rows = self.add_variable((), "zeros", dtype="int32", name="rows")

    def update_state(self, y_true, y_pred, sample_weight=None):
        apart = keras.ops.max(keras.ops.abs(y_true - y_pred), axis=0)
        self.errors.assign(keras.ops.maximum(self.errors, apart))
        self.rows.assign_add(keras.ops.shape(y_true)[0])

    def result(self):
        return {"largest": keras.ops.max(self.errors), "rows_seen": self.rows.value}


@keras.saving.register_keras_serializable("conformance")
class Rounded(metrics.Accuracy):
    """Equality of rounded figures."""

    def update_state(self, y_true, y_pred, sample_weight=None):
        return super().update_state(y_true, keras.ops.round(y_pred), sample_weight)


@keras.saving.register_keras_serializable("conformance")
def bias(y_true, y_pred):
    """A metric of a user's that is a function."""
    return keras.ops.mean(y_pred - y_true, axis=-1)


@keras.saving.register_keras_serializable("conformance")
class Tracking(keras.Model):
    """Keeps figures of its own training, as the Keras guides do."""

    def __init__(self, **options):
        super().__init__(**options)
        self.dense = layers.Dense(3)
        self.mean = metrics.Mean(name="mean_output")
        self.sum = metrics.Sum(name="sum_output")

    def build(self, shape):
        self.dense.build(shape)

    def call(self, x):
        return self.dense(x)

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        self.mean.update_state(y_pred, sample_weight=sample_weight)
        self.sum.update_state(keras.ops.abs(y_pred))
        return super().compute_metrics(x, y, y_pred, sample_weight)


def _model(units: int, activation, loss: str, *measured, weighted: bool = False) -> keras.Model:
    inputs = keras.Input((6,))
    x = layers.Dense(4, activation="tanh")(inputs)
    outputs = layers.Dense(units, activation=activation)(x)
    return compiled(inputs, outputs, loss=loss, **{"weighted_metrics" if weighted else "metrics": list(measured)})


def _exact() -> keras.Model:
    """Figures are equal to targets only where they are whole."""
    inputs = keras.Input((6,))
    outputs = layers.Dense(1, activation="sigmoid")(layers.Dense(4, activation="tanh")(inputs))
    return compiled(inputs, outputs, loss="binary_crossentropy", metrics=[Rounded(), Rounded(name="again")])


def _tracking() -> keras.Model:
    model = Tracking()
    model.build((None, 6))
    model.compile(keras.optimizers.SGD(0.05), "mse")
    return model


def _grouped(table: Table) -> Iterator[tuple[str, dict[str, Callable]]]:
    """The first configuration of every metric, then the second, at most so many at once."""
    for index, which in enumerate(("first", "second")):
        chosen = [(name, [*entries.values()][index]) for name, entries in table.items() if index < len(entries)]
        for start in range(0, len(chosen), TOGETHER):
            yield f"{which}-{start // TOGETHER}", dict(chosen[start : start + TOGETHER])


def cases() -> list[Case]:
    found = []
    for kind, table, signature, units, activation, loss in (
        ("numbers", NUMBERS, "pairs", 3, None, "mse"),
        ("positive", POSITIVE, "positive", 3, "softmax", "mse"),
        ("binary", BINARY, "binary", 1, "sigmoid", "binary_crossentropy"),
        ("one-hot", ONE_HOT, "one_hot", 3, "softmax", "categorical_crossentropy"),
        ("classes", CLASSES, "classes", 3, "softmax", "sparse_categorical_crossentropy"),
    ):
        for label, makes in _grouped(table):

            def build(makes=makes, units=units, activation=activation, loss=loss):
                return _model(units, activation, loss, *(make() for make in makes.values()))

            covers = tuple(f"metrics.{name}" for name in makes)
            found.append(Case(f"metrics/{kind}-{label}", signature, build, covers))
    found.append(
        Case("metrics/R2Score-adjusted", "pairs", lambda: _model(3, None, "mse", metrics.R2Score(num_regressors=2)))
    )
    found.append(Case("metrics/exact", "binary", _exact, ("metrics.Accuracy",)))
    found.append(Case("metrics/own", "pairs", lambda: _model(3, None, "mse", Largest(), bias), ("metrics.Metric",)))
    found.append(
        Case(
            "metrics/weighted",
            "weighted",
            lambda: _model(1, None, "mse", "mae", metrics.R2Score(), bias, weighted=True),
        )
    )
    found.append(Case("metrics/tracked", "pairs", _tracking, ("metrics.Mean", "metrics.Sum")))
    found.append(Case("metrics/tracked-weighted", "weighted3", _tracking, ("metrics.Mean", "metrics.Sum")))
    return found
