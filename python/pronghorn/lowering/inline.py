"""A model written as `layers:` in an experiment file."""

from __future__ import annotations

import contextlib

from pronghorn.lowering import mistakes
from pronghorn.lowering.failures import LoweringFailure, describe_error
from pronghorn.lowering.tensors import Inputs


def sequential(request: dict, inputs: Inputs):
    """A compiled `keras.Sequential` of the request's layers on the data's one input."""
    import keras

    if len(inputs.x) != 1:
        raise LoweringFailure("bad_request", "`layers` makes a model of one input: name one array as x")
    tensor = inputs.x[0]
    layers = [keras.Input(tensor.shape, dtype=tensor.dtype, name=None if tensor.name == "x" else tensor.name)]
    for index, entry in enumerate(request.get("layers") or []):
        layers.append(_made(keras.layers, entry, "layer", f"layers[{index}]"))
    return compiled(keras.Sequential(layers), dict(request.get("compile") or {}))


def compiled(model, compiling: dict):
    """The model, compiled with what `compile:` of an experiment file names."""
    import keras

    compiling = dict(compiling)
    if "optimizer" not in compiling:
        raise LoweringFailure("not_compiled", "`compile` names no optimizer")
    compiling["optimizer"] = _named(keras.optimizers, compiling["optimizer"], "optimizer", "compile.optimizer")
    for key, module in (("loss", keras.losses), ("metrics", keras.metrics), ("weighted_metrics", keras.metrics)):
        if key in compiling:
            value = compiling[key]
            what = "loss" if key == "loss" else "metric"
            place = f"compile.{key}"
            if isinstance(value, list):
                compiling[key] = [_named(module, one, what, f"{place}[{i}]") for i, one in enumerate(value)]
            else:
                compiling[key] = _named(module, value, what, place)
    model.compile(**compiling)
    return model


def _named(module, entry, what: str, key: str):
    """A string stays Keras's own name for a thing; one key over arguments is made."""
    return entry if isinstance(entry, str) or entry is None else _made(module, entry, what, key)


def _made(module, entry, what: str, key: str):
    """What a name over arguments stands for; `key` is where it does, as `layers[1]`."""
    if isinstance(entry, str):
        name, arguments = entry, {}
    elif isinstance(entry, dict) and len(entry) == 1:
        ((name, arguments),) = entry.items()
        arguments = dict(arguments or {})
    else:
        raise LoweringFailure("bad_request", f"a {what} is one Keras name over its arguments, not {entry!r}", key=key)
    made = getattr(module, name, None)
    if made is None and hasattr(module, "get"):
        # Keras's own names in snake case, such as `adam`.
        with contextlib.suppress(ValueError):
            made = type(module.get(name))
    if not isinstance(made, type):
        message = _mistake(module, name, None, what) or f"Keras has no {what} {name!r}"
        raise LoweringFailure("bad_request", message, key=key)
    try:
        return made(**arguments)
    except Exception as error:
        is_known = getattr(module, made.__name__, None) is made
        why = _mistake(module, made.__name__, arguments, what) if is_known else None
        raise LoweringFailure("build_raised", why or f"{name}: {describe_error(error)}", key=key) from error


def _mistake(module, name: str, arguments: dict | None, what: str) -> str | None:
    return next(mistakes.of_one(module.__name__, name, arguments, what), None)
