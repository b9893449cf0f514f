"""What is called otherwise than the installed Keras has it: classes, and arguments that they do not take."""

from __future__ import annotations

import difflib
import importlib
import inspect
from collections.abc import Iterator


def of_one(module: str, name: str, arguments: object, what: str) -> Iterator[str]:
    """What is wrong with a class of Keras's and its arguments.

    Args:
        module: Where Keras has classes of its kind: `keras.layers`.
        name: The class.
        arguments: The arguments by name; anything else is not looked at.
        what: What one of the kind is called: `layer`.
    """
    import keras

    found = importlib.import_module(module)
    known = sorted(key for key, value in vars(found).items() if isinstance(value, type))
    if name not in known:
        yield f"Keras {keras.__version__} has no {what} {name!r}{_nearest(name, known)}; it has {', '.join(known)}"
        return
    if not isinstance(arguments, dict):
        return
    accepted, required = _arguments(getattr(found, name), what)
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
    lowered = {name.lower(): name for name in known}
    near = difflib.get_close_matches(word.lower(), lowered, 1)
    return f" (did you mean {lowered[near[0]]!r}?)" if near else ""
