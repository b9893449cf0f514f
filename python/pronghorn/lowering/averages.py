"""The moving averages of weights that an optimizer with `use_ema` keeps."""

from __future__ import annotations

from pronghorn.lowering.state import State


def pairs(model, state: State) -> list[list[int]]:
    """The `averages` of `program.json`: which leaf holds a variable, and which its average.

    They are what `keras.callbacks.SwapEMAWeights` exchanges (`_apply_to_ema_optimizers`).
    """
    optimizer = getattr(model.optimizer, "inner_optimizer", model.optimizer)
    found = []
    for one in getattr(optimizer, "optimizers", [optimizer]):
        averages = getattr(one, "_model_variables_moving_average", [])
        for variable, average in zip(one._trainable_variables, averages, strict=False):
            if average is not None:
                found.append([state.index(variable), state.index(average)])
    return found
