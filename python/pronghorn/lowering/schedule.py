"""The learning rates that `keras.callbacks.LearningRateScheduler` would set, as a table over the epochs."""

from __future__ import annotations

import os

import numpy as np

from pronghorn.lowering import importing, parameters, sources
from pronghorn.lowering.failures import LoweringFailure, failure_from

RAISED = "callback_raised"


def tables(model, request: dict) -> list[dict]:
    """The `schedules` of `program.json`: for each run of epochs that is asked for, the rate that the variable holds.

    Keras's own callback calls the user's function, and the optimizer's own variable rounds what it returns.
    """
    import keras

    path = os.path.realpath(request["file"])
    if not os.path.isfile(path):
        raise LoweringFailure(RAISED, f"there is no file {request['file']}", file=request["file"])
    try:
        schedule = importing.function(path, request["function"], RAISED)
    except LoweringFailure as failure:
        # Whatever is wrong with this function is no fault of the model's.
        failure.code = RAISED
        raise
    if hasattr(model.optimizer, "optimizers"):
        raise LoweringFailure(
            "not_lowerable", "the optimizer is made of several, each with a learning rate that the schedule sets"
        )
    variable, _ = parameters.learning_rate(model)
    own = None if variable is None else np.asarray(variable._value)

    def follow(asked: dict) -> list[float]:
        callback = keras.callbacks.LearningRateScheduler(schedule)
        callback.set_model(model)
        if variable is not None:
            variable.assign(own if asked["rate"] is None else asked["rate"])
        rates = []
        for epoch in range(asked["first_epoch"], asked["last_epoch"]):
            # Keras takes logs that are empty for none.
            logs = {"loss": 0.0}
            callback.on_epoch_begin(epoch)
            callback.on_epoch_end(epoch, logs)
            rates.append(logs["learning_rate"])
        return rates

    asked = request["runs"]
    try:
        first = [follow(run) for run in asked]
        # Once more: a schedule that goes by chance, or by what it was asked before, is no table.
        again = [follow(run) for run in asked]
    except Exception as error:
        raise failure_from(error, RAISED, sources.belongs_to_user) from error
    finally:
        if variable is not None:
            variable.assign(own)
    if first != again:
        raise LoweringFailure(
            "not_lowerable",
            f"the schedule {request['function']} gives other learning rates when it is called again",
        )
    return [{**run, "rates": rates} for run, rates in zip(asked, first, strict=True)]
