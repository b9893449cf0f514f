"""Drives Keras's own callback classes over random metric sequences, and prints what they decide as one JSON list.

Usage: keras_callbacks.py SEED COUNT

A case is a callback's name and arguments, a value an epoch (null: not measured; "NaN" and "Infinity" as text), and the
decisions. The model that the callbacks are given counts its saves and the epochs whose weights are asked for.
"""

import json
import os
import random
import sys
import tempfile
import warnings

os.environ["KERAS_BACKEND"] = "jax"
import keras
import numpy as np

warnings.simplefilter("ignore")

EPOCHS = 25


class Optimizer:
    """A learning rate in a float32 variable, as `keras.optimizers.Optimizer` has it."""

    def __init__(self, rate):
        self._rate = keras.Variable(rate, dtype="float32")

    @property
    def learning_rate(self):
        return self._rate

    @learning_rate.setter
    def learning_rate(self, value):
        self._rate.assign(value)


class Model:
    def __init__(self, rate):
        self.optimizer = Optimizer(rate)
        self.metrics = []
        self.stop_training = False
        self.epoch = 0
        self.saved = []
        self.restored = None

    def get_weights(self):
        return self.epoch

    def set_weights(self, weights):
        self.restored = weights

    def save(self, path, overwrite):
        self.saved.append(self.epoch)


def sequence(chance):
    """A metric that falls or rises in fits and starts, with ties, gaps, NaN and infinities now and then."""
    kind, value = chance.choice(["walk", "walk", "coarse", "falling", "hostile"]), chance.uniform(-1, 2)
    values = []
    for _ in range(EPOCHS):
        value += chance.gauss(0, 0.1) - (0.05 if kind == "falling" else 0)
        number = round(value, 1) if kind == "coarse" else value
        if kind == "hostile" and chance.random() < 0.15:
            number = chance.choice([None, float("nan"), float("inf"), float("-inf")])
        # Logs are float32 numbers in Python's floats.
        values.append(None if number is None else float(np.float32(number)))
    if chance.random() < 0.2:
        values = [v if epoch % 3 == 2 else None for epoch, v in enumerate(values)]
    return values


def arguments(name, chance):
    found = {"monitor": "val_loss", "mode": chance.choice(["min", "max"])}
    delta = chance.choice([0, 0, 0.01, 0.1, -0.05, 1e-4])
    if name == "EarlyStopping":
        found |= {
            "min_delta": delta,
            "patience": chance.choice([0, 1, 2, 3, 5]),
            "baseline": chance.choice([None, None, 0.0, 0.5, 1.5]),
            "restore_best_weights": chance.choice([True, False]),
            "start_from_epoch": chance.choice([0, 0, 0, 3, 8]),
        }
    elif name == "ReduceLROnPlateau":
        found |= {
            "min_delta": delta,
            "patience": chance.choice([0, 1, 2, 3]),
            "cooldown": chance.choice([0, 0, 1, 3]),
            "factor": chance.choice([0.1, 0.3, 0.5, 0.97, 0.0]),
            "min_lr": chance.choice([0.0, 0.0, 1e-4, 0.00123, 0.5]),
        }
    else:
        found |= {
            "save_best_only": chance.choice([True, True, False]),
            "initial_value_threshold": chance.choice([None, None, 0.0, 0.7]),
        }
    return found


def case(name, chance, folder):
    given, values, rate = arguments(name, chance), sequence(chance), chance.choice([0.1, 0.01, 0.003, 1e-4])
    further = {"filepath": f"{folder}/model.keras"} if name == "ModelCheckpoint" else {}
    callback = getattr(keras.callbacks, name)(**given, **further)
    model = Model(rate)
    callback.set_model(model)
    callback.on_train_begin()
    rates, stopped = [], None
    for epoch, value in enumerate(values):
        model.epoch = epoch
        callback.on_epoch_begin(epoch)
        logs = {"loss": 1.0} if value is None else {"loss": 1.0, "val_loss": value}
        callback.on_epoch_end(epoch, logs)
        if "learning_rate" in logs:
            rates.append(logs["learning_rate"])
        if model.stop_training:
            stopped = epoch
            break
    callback.on_train_end()
    return {
        "name": name,
        "arguments": {key: value for key, value in given.items() if value is not None},
        "values": [text(value) for value in values],
        "rate": rate,
        "stopped": stopped,
        "best": getattr(callback, "best_epoch", None),
        "restored": model.restored,
        "rates": [*rates, float(np.asarray(model.optimizer.learning_rate))],
        "saved": model.saved,
    }


def text(value):
    if value is None or np.isfinite(value):
        return value
    return "NaN" if np.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def main(seed, count):
    chance = random.Random(int(seed))
    names = ["EarlyStopping", "ReduceLROnPlateau", "ModelCheckpoint"]
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps([case(names[number % 3], chance, folder) for number in range(int(count))]))


main(*sys.argv[1:])
