"""Finds a trial that diverges, and gives it its last good weights back.

The rule is that of `Sources/Training/Divergence.swift`: an epoch is good when its loss is finite and so are the weights
that it leaves; weights are looked at after the last epoch, and once a loss has told.
"""

from __future__ import annotations

import math

import keras
import numpy as np
from keras.src.utils import is_default


class Divergence(keras.callbacks.Callback):
    """Stands behind the trial's own callbacks, which hear nothing of the end of an epoch in which the trial diverges.

    Args:
        first: The first epoch's number.
        last: The last epoch's number, from 1.

    `epochs` and `kept` say, once the trial has diverged, how many epochs it trained and how many of them are in its
    weights: `first` where none left good ones.
    """

    def __init__(self, first: int, last: int):
        super().__init__()
        self.epochs = 0
        self.kept: int | None = None
        self._first, self._last = first, last
        # Before the epoch at hand, and before the one before it: the epochs in it and the values of all variables.
        self._states: list[tuple[int, list[np.ndarray]]] = []
        self._judged: tuple[int, bool] | None = None

    def guard(self, callbacks: list[keras.callbacks.Callback]) -> None:
        """Keeps the end of an epoch in which the trial diverges from callbacks: none saves or counts its weights."""
        for callback in callbacks:
            # A hook that does nothing stays recognizable: Keras skips the work that only such hooks need.
            if not is_default(callback.on_epoch_end):
                callback.on_epoch_end = self._guarded(callback.on_epoch_end)

    def _guarded(self, method):
        def hook(epoch, logs=None):
            if not self.is_in(epoch, logs):
                method(epoch, logs)

        return hook

    def is_in(self, epoch: int, logs) -> bool:
        """Whether the trial diverges in the epoch that has just ended."""
        if self._judged is None or self._judged[0] != epoch:
            loss = (logs or {}).get("loss")
            bad = loss is not None and not math.isfinite(float(loss))
            if not bad and epoch + 1 == self._last:
                model = self.model
                bad = not _are_finite([_value(one) for one in model.trainable_variables])
            self._judged = (epoch, bad)
        return self._judged[1]

    def on_epoch_begin(self, epoch, logs=None):
        self._states = [*self._states[-1:], (epoch, [_value(one) for one in self._variables()])]

    def on_epoch_end(self, epoch, logs=None):
        if not self.is_in(epoch, logs):
            return
        model = self.model
        self.epochs, self.kept = epoch + 1, self._first
        places = {id(one): place for place, one in enumerate(self._variables())}
        trainable = [places[id(one)] for one in model.trainable_variables]
        for epochs, values in reversed(self._states):
            if _are_finite([values[place] for place in trainable]):
                for variable, value in zip(self._variables(), values, strict=True):
                    variable.assign(value)
                self.kept = epochs
                break
        model.stop_training = True

    def _variables(self) -> list:
        """Everything that a `.keras` file holds of the model: weights, and the optimizer's numbers."""
        model = self.model
        return [*model.variables, *model.optimizer.variables]


def _value(variable) -> np.ndarray:
    # A copy: some backends' arrays are views of memory that the next step overwrites.
    return np.array(keras.ops.convert_to_numpy(variable.value))


def _are_finite(values: list[np.ndarray]) -> bool:
    return all(bool(np.isfinite(value.astype("float64")).all()) for value in values if value.dtype.kind in "fV")
