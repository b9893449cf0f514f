"""Keras's callback objects as an experiment file's entries: by their own arguments where there is a native twin."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pronghorn.scripting import code
from pronghorn.scripting.errors import InvalidRequest
from pronghorn.scripting.values import plain

# Attributes that hold a callback's arguments, by the class and the name that an experiment file has for it. Files have
# places of their own in the run's folder, so that `filepath` and `filename` are left out.
_ARGUMENTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "EarlyStopping": (
        "early_stopping",
        ("monitor", "min_delta", "patience", "mode", "baseline", "restore_best_weights", "start_from_epoch"),
    ),
    "ReduceLROnPlateau": (
        "reduce_lr_on_plateau",
        ("monitor", "factor", "patience", "mode", "min_delta", "cooldown", "min_lr"),
    ),
    "ModelCheckpoint": ("model_checkpoint", ("monitor", "save_best_only", "mode", "save_freq", "save_weights_only")),
    "TerminateOnNaN": ("terminate_on_nan", ("raise_error",)),
    "CSVLogger": ("csv_logger", ("append",)),
    "SwapEMAWeights": ("swap_ema_weights", ("swap_on_epoch",)),
}

# What Keras's own loop adds, or shows: a run has its history and its progress anyway.
_IDLE = ("History", "ProgbarLogger")


def entries(callbacks: Any) -> list[Any]:
    """What stands under `callbacks`; those that Pronghorn has not natively go by cloudpickle, to real `Model.fit`."""
    import keras

    if callbacks is None:
        return []
    given = [callbacks] if isinstance(callbacks, keras.callbacks.Callback) else list(callbacks)
    found: list[Any] = []
    own: list[Any] = []

    def flush() -> None:
        # Those that follow one another share a file.
        if own:
            names = ", ".join(type(one).__name__ for one in own)
            file = code.function_file("callbacks", code.CALLBACKS, _bare(own), f"the callbacks {names}")
            found.append(f"{file}:callbacks")
            own.clear()

    for callback in given:
        if not isinstance(callback, keras.callbacks.Callback):
            raise InvalidRequest(f"{callback!r} is no keras.callbacks.Callback")
        entry = _native(callback)
        if entry is None:
            own.append(callback)
        elif entry:
            flush()
            found.append(entry)
    flush()
    return found


def _native(callback: Any) -> dict[str, Any] | None:
    """The entry of one of Keras's own; None for any other, and nothing for what a run does anyway."""
    import keras

    kind = type(callback)
    # A subclass is another callback.
    if getattr(keras.callbacks, kind.__name__, None) is not kind:
        return None
    if kind.__name__ in _IDLE:
        return {}
    if kind.__name__ == "LearningRateScheduler":
        name = getattr(callback.schedule, "__name__", "schedule")
        file = code.function_file("schedule", code.SCHEDULE, callback.schedule, f"the schedule {name}")
        return {"learning_rate_scheduler": {"schedule": f"{file}:schedule"}}
    if kind.__name__ not in _ARGUMENTS:
        return None
    entry, names = _ARGUMENTS[kind.__name__]
    arguments = {name: getattr(callback, name) for name in names if hasattr(callback, name)}
    if "min_delta" in arguments:
        # Keras turns its sign round while it trains.
        arguments["min_delta"] = abs(arguments["min_delta"])
    if kind.__name__ == "ModelCheckpoint":
        arguments["initial_value_threshold"] = callback.best if _has_threshold(callback) else None
    if kind.__name__ == "CSVLogger":
        arguments["separator"] = callback.sep
    try:
        return {entry: {name: plain(value) for name, value in arguments.items()}}
    except TypeError as error:
        raise InvalidRequest(f"{kind.__name__}: {error}") from error


def _has_threshold(callback: Any) -> bool:
    best = getattr(callback, "best", None)
    return isinstance(best, (int, float)) and abs(best) != float("inf")


def _bare(callbacks: Sequence[Any]) -> list[Any]:
    """The callbacks without the model that they were last used with."""
    import copy

    bare = []
    for callback in callbacks:
        one = copy.copy(callback)
        one.__dict__.pop("_model", None)
        one._model = None
        bare.append(one)
    return bare
