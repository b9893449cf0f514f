"""A model written as Keras's own configuration: what `Model.to_json()` gives, and what the Swift library writes."""

from __future__ import annotations

import copy
import difflib
import inspect
import json
from collections.abc import Callable, Iterator

from pronghorn.lowering import sources
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
        yield from _mistakes_of_one(config, what)
    for value in config.values():
        yield from _mistakes(value)


def _mistakes_of_one(config: dict, what: str) -> Iterator[str]:
    import importlib

    import keras

    name = config["class_name"]
    module = importlib.import_module(config["module"])
    known = sorted(key for key, value in vars(module).items() if isinstance(value, type))
    if name not in known:
        yield f"Keras {keras.__version__} has no {what} {name!r}{_nearest(name, known)}; it has {', '.join(known)}"
        return
    arguments = config.get("config")
    if not isinstance(arguments, dict):
        return
    accepted, required = _arguments(getattr(module, name), what)
    for argument in arguments:
        if argument not in accepted:
            yield (
                f"{name} of Keras {keras.__version__} has no argument {argument!r}{_nearest(argument, accepted)}; "
                f"it takes {', '.join(accepted)}"
            )
    for argument in required:
        if argument not in arguments:
            yield f"{name} needs the argument {argument!r}; it takes {', '.join(accepted)}"


def _arguments(made: type, what: str) -> tuple[list[str], list[str]]:
    """The names of the arguments that a class takes, and of those that have no default."""
    parameters = [p for p in inspect.signature(made).parameters.values() if p.kind is not p.VAR_POSITIONAL]
    names = [p.name for p in parameters if p.kind is not p.VAR_KEYWORD]
    if what == "layer" and len(names) < len(parameters):
        # What every layer takes: `keras.layers.Layer.__init__`.
        names += [name for name in ("activity_regularizer", "trainable", "dtype", "name") if name not in names]
    required = [p.name for p in parameters if p.default is p.empty and p.kind is not p.VAR_KEYWORD]
    return names, required


def _nearest(word: str, known: list[str]) -> str:
    near = difflib.get_close_matches(word, known, 1)
    return f" (did you mean {near[0]!r}?)" if near else ""
