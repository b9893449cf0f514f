"""The callbacks of an experiment as Keras's own classes, and the one that tells the runner's events."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

import keras
from keras.src.utils import is_default

from pronghorn.lowering import importing, sources
from pronghorn.lowering.failures import LoweringFailure, describe_error, failure_from

# The classes by the names that an experiment file has for them; the file of `csv_logger` is written by the control
# process, from the epochs that it is told of.
CLASSES = {
    "early_stopping": keras.callbacks.EarlyStopping,
    "learning_rate_scheduler": keras.callbacks.LearningRateScheduler,
    "model_checkpoint": keras.callbacks.ModelCheckpoint,
    "reduce_lr_on_plateau": keras.callbacks.ReduceLROnPlateau,
    "swap_ema_weights": keras.callbacks.SwapEMAWeights,
    "terminate_on_nan": keras.callbacks.TerminateOnNaN,
}


# Where a callback may end training.
HOOKS = (
    "on_epoch_begin",
    "on_epoch_end",
    "on_train_batch_begin",
    "on_train_batch_end",
    "on_batch_begin",
    "on_batch_end",
)


class Progress(keras.callbacks.Callback):
    """The last callback: says each epoch, keeps the first and the best weights, and stops when asked.

    Args:
        say: Called with an epoch's number, its seconds and its metrics.
        shall_stop: Whether training shall end after the epoch.
        initial: Called before the first step, when every variable is there; None if nothing is to be kept.
        best: A metric, whether less of it is better, and what is called when an epoch is better than all before:
            strictly, and NaN never is, as in `keras.callbacks.ModelCheckpoint(save_best_only=True)`.
        epochs: The number of the last epoch, from 1.
        time_limit: Seconds of training after which it ends with the epoch at hand; None for no limit.
        diverges: Whether the trial diverges in an epoch, of its number and logs: such an epoch is never the best.
    """

    def __init__(
        self, say, shall_stop, initial, best, epochs: int, diverges=lambda epoch, logs: False, time_limit=None
    ):
        super().__init__()
        self._time_limit, self._seconds = time_limit, 0.0
        self.is_over_time = False
        self._say, self._shall_stop, self._initial, self._last = say, shall_stop, initial, epochs
        self._monitor, self._less_is_better, self._keep = best or (None, True, None)
        self._best: float | None = None
        self._diverges = diverges
        self._was_measured = False
        self.was_stopped = False
        self.epochs = 0

    def on_train_begin(self, logs=None):
        if self._initial:
            self._initial(self.model)

    def on_epoch_begin(self, epoch, logs=None):
        self._began = time.monotonic()

    def on_epoch_end(self, epoch, logs=None):
        metrics = {name: float(value) for name, value in (logs or {}).items()}
        self.epochs = epoch + 1
        seconds = time.monotonic() - self._began
        self._seconds += seconds
        self._say(epoch, seconds, metrics)
        if self._monitor in metrics:
            self._was_measured = True
            if self._improves(metrics[self._monitor]) and not self._diverges(epoch, logs):
                self._best = metrics[self._monitor]
                self._keep(self.model)
        if epoch + 1 == self._last or self._model.stop_training:
            return
        if self._time_limit is not None and self._seconds >= self._time_limit:
            self.is_over_time = True
            self.model.stop_training = True
        elif self._shall_stop():
            self.was_stopped = True
            self.model.stop_training = True

    @property
    def lacks(self) -> str | None:
        """The metric by which the best epoch was to be told, if no epoch had it."""
        return self._monitor if self._monitor is not None and not self._was_measured else None

    def _improves(self, value: float) -> bool:
        if value != value:
            return False
        return self._best is None or (value < self._best if self._less_is_better else value > self._best)


def made(entries: list[dict], models: str, name: str) -> list[tuple[str, keras.callbacks.Callback]]:
    """The callbacks of a unit in their order, each with the name that says who stopped a training.

    Args:
        entries: The unit's callbacks, one key each over Keras's own arguments (`Sources/Units/UnitCallbacks.swift`).
        models: The folder of the models that `model_checkpoint` keeps.
        name: The trial's file name.
    """
    found = []
    checkpoints = 0
    for entry in entries:
        ((kind, given),) = entry.items()
        arguments = dict(given)
        if kind == "python":
            found += [(_snake(type(one).__name__), one) for one in _own(arguments["file"], arguments["function"])]
        elif kind != "csv_logger":
            if kind == "model_checkpoint":
                checkpoints += 1
                arguments["filepath"] = os.path.join(models, _checkpoint(name, checkpoints, arguments))
            found.append((kind, _keras(kind, arguments)))
    return found


def _checkpoint(name: str, number: int, arguments: dict) -> str:
    """The file of the trial's so-many-th `model_checkpoint`, as `Unit.ModelCheckpoint` names it."""
    ending = ".weights.h5" if arguments["save_weights_only"] else ".keras"
    stem = "checkpoint" if number == 1 else f"checkpoint-{number}"
    if arguments["save_best_only"]:
        return f"{name}.{stem}{ending}"
    return f"{name}.{'' if number == 1 else f'{stem}.'}epoch-{{epoch:03d}}{ending}"


def watch(callbacks: list[tuple[str, keras.callbacks.Callback]], stopped_by: Callable[[str], None]) -> None:
    """Has `stopped_by` told which callback, by name, is the first to set `model.stop_training`."""
    for name, callback in callbacks:
        for hook in HOOKS:
            method = getattr(callback, hook)
            # A hook that does nothing stays recognizable: Keras skips the work that only such hooks need.
            if not is_default(method):
                setattr(callback, hook, _watched(callback, method, name, stopped_by))


def _watched(callback, method, name: str, stopped_by: Callable[[str], None]):
    def hook(*arguments, **named):
        # Not `callback.model`: asking for it copies the state back from JAX.
        before = callback._model.stop_training
        result = method(*arguments, **named)
        if callback._model.stop_training and not before:
            stopped_by(name)
        return result

    return hook


def _keras(name: str, arguments: dict) -> keras.callbacks.Callback:
    if name == "learning_rate_scheduler":
        schedule = arguments["schedule"]
        arguments["schedule"] = _function(schedule["file"], schedule["function"])
    try:
        return CLASSES[name](**arguments)
    except (Exception, SystemExit) as error:
        raise LoweringFailure("callback_raised", f"the callback {name}: {describe_error(error)}") from error


def _own(file: str, name: str) -> list[keras.callbacks.Callback]:
    """What the user's function returns: a callback, or a list of them."""
    function = _function(file, name)
    try:
        returned = function()
    except (Exception, SystemExit) as error:
        raise failure_from(error, "callback_raised", sources.belongs_to_user) from error
    callbacks = list(returned) if isinstance(returned, (list, tuple)) else [returned]
    for callback in callbacks:
        if not isinstance(callback, keras.callbacks.Callback):
            raise LoweringFailure(
                "callback_raised",
                f"{name}() returned {type(callback).__name__}, not a keras.callbacks.Callback",
                file=file,
            )
    return callbacks


def _function(file: str, name: str) -> Callable:
    path = os.path.realpath(file)
    if not os.path.isfile(path):
        raise LoweringFailure("no_such_file", f"there is no file {file}", file=file)
    # The model's file, imported already, is the same module with the same classes.
    return importing.function(path, name, "callback_raised")


def _snake(name: str) -> str:
    letters = [
        f"_{c.lower()}" if c.isupper() and i and not name[i - 1].isupper() else c.lower() for i, c in enumerate(name)
    ]
    return "".join(letters)
