"""A model written as Keras's own configuration: what `Model.to_json()` gives, and what the Swift library writes."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator

from pronghorn.lowering import mistakes, sources
from pronghorn.lowering.failures import LoweringFailure, describe_error, failure_from, needed_backend
from pronghorn.lowering.inline import compiled

_MODULES = {
    "keras.layers": "layer",
    "keras.optimizers": "optimizer",
    "keras.optimizers.schedules": "learning rate schedule",
    "keras.losses": "loss",
    "keras.metrics": "metric",
    "keras.initializers": "initializer",
    "keras.regularizers": "regularizer",
    "keras.constraints": "constraint",
}


def maker(request: dict, path: str | None) -> Callable:
    """A function that makes the request's model: of `config`, or of the JSON file at `path`.

    The configuration holds `compile_config`, as that of a compiled model does, or else the request has `compile`.
    """
    config = request.get("config") if path is None else _read(path)
    if not isinstance(config, dict) or not isinstance(config.get("class_name"), str):
        found = "it has no `class_name`" if isinstance(config, dict) else f"it is {json.dumps(config)[:40]}"
        raise LoweringFailure(
            "not_a_model", f"{path or '`config`'} is no configuration that Keras writes: {found}", file=path
        )
    if request.get("compile") is not None:
        config = {key: value for key, value in config.items() if key != "compile_config"}
    return lambda: _made(config, request.get("compile"), path)


def _read(path: str):
    try:
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    except (ValueError, RecursionError) as error:
        raise LoweringFailure(
            "not_a_model", f"{path} is no JSON: {describe_error(error)}; write it with `Model.to_json()`", file=path
        ) from error


def _made(config: dict, compiling: dict | None, path: str | None):
    import keras

    try:
        # Keras takes parts out of what it is given.
        model = keras.saving.deserialize_keras_object(copy.deepcopy(config), safe_mode=True)
    except Exception as error:
        text = str(error)
        if "safe_mode" in text or "unsafe" in text.lower():
            raise LoweringFailure(
                "unsafe_model",
                "the configuration holds Python code (a Lambda layer), which is not run from a file: make the model "
                "with a build function instead",
                file=path,
            ) from error
        why = next(_mistakes(config), None) or f"Keras cannot make it of its configuration: {describe_error(error)}"
        raise LoweringFailure(
            "build_raised",
            why,
            file=path,
            detail=failure_from(error, "build_raised", sources.belongs_to_user).detail,
            needs=needed_backend(error),
        ) from error
    if isinstance(model, keras.Model) and compiling is not None:
        compiled(model, compiling)
    return model


def _mistakes(config) -> Iterator[str]:
    """What the objects of a configuration are called that Keras has not, and their arguments that it does not take."""
    if isinstance(config, list):
        for value in config:
            yield from _mistakes(value)
    if not isinstance(config, dict):
        return
    what = _MODULES.get(config.get("module") or "")
    if what is not None and isinstance(config.get("class_name"), str) and not config.get("registered_name"):
        yield from mistakes.of_one(config["module"], config["class_name"], config.get("config"), what)
    for value in config.values():
        yield from _mistakes(value)
