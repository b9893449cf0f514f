"""Custom objects: the classes and functions that saved models name and that are not Keras's own."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from typing import Any

from pronghorn.scripting.errors import InvalidRequest


def needed(config: Any, live: dict[str, Any], given: dict[str, Any], what: str) -> dict[str, Any]:
    """The classes and functions that a configuration names and that are not Keras's own."""
    import keras

    found: dict[str, Any] = {}
    for module, class_name, registered in _named(config):
        value = (
            given.get(class_name)
            or given.get(registered)
            or live.get(class_name)
            or keras.saving.get_registered_object(registered)
            or getattr(sys.modules.get(module or ""), class_name, None)
        )
        if value is None:
            raise InvalidRequest(
                f"{what} uses {class_name}, which was not found: define or import it, or give it as custom_objects"
            )
        found[registered] = found[class_name] = value
    return found


def join(known: dict[str, Any], others: dict[str, Any]) -> None:
    """Adds the objects of a further model to those that are known.

    Raises:
        InvalidRequest: two that differ have one name, by which Keras finds either.
    """
    for name, value in others.items():
        if name in known and not _alike(known[name], value):
            raise InvalidRequest(
                f"two different objects are called {name} in the models: give them names of their own, or train the "
                "models in calls of their own"
            )
        known[name] = value


def _alike(one: Any, other: Any, asked: frozenset = frozenset()) -> bool:
    """Whether two objects do the same as far as can be seen: functions and classes that the same lines made twice."""
    # What is being asked further out is not asked again: a class stands in the closures of its own methods.
    if one is other or (id(one), id(other)) in asked:
        return True
    if type(one) is not type(other):
        return False
    asked |= {(id(one), id(other))}
    if inspect.isfunction(one):
        own, others = ([function.__defaults__, _enclosed(function)] for function in (one, other))
        return one.__code__ == other.__code__ and _alike(own, others, asked)
    if isinstance(one, (classmethod, staticmethod)):
        return _alike(one.__func__, other.__func__, asked)
    if isinstance(one, type):
        return one.__bases__ == other.__bases__ and _alike(_members(one), _members(other), asked)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_alike(one[key], other[key], asked) for key in one)
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(_alike(a, b, asked) for a, b in zip(one, other, strict=True))
    try:
        return bool(one == other)
    except Exception:
        return False


def _members(kind: type) -> dict[str, Any]:
    """What a class holds but for what Python adds to each."""
    return {name: value for name, value in vars(kind).items() if name not in ("__dict__", "__weakref__", "_abc_impl")}


def _enclosed(function: Any) -> list[Any]:
    """What a function's closure holds; a name that has no value yet is an empty list."""
    found = []
    for cell in function.__closure__ or ():
        try:
            found.append(cell.cell_contents)
        except ValueError:
            found.append([])
    return found


def _named(config: Any) -> Iterator[tuple[str | None, str, str]]:
    """Module, name and registered name of everything in a configuration that is not of Keras or Python."""
    if isinstance(config, list | tuple):
        for element in config:
            yield from _named(element)
    if not isinstance(config, dict):
        return
    name, module = config.get("class_name"), config.get("module")
    if isinstance(name, str) and "registered_name" in config:
        if name == "function" and isinstance(config.get("config"), str):
            if module == "builtins" or not str(module).startswith("keras"):
                yield None, config["config"], config.get("registered_name") or config["config"]
        elif (module is None or module.split(".")[0] not in ("keras", "builtins")) and not name.startswith("__"):
            yield module, name, config.get("registered_name") or name
    for value in config.values():
        yield from _named(value)


def live(model: Any) -> dict[str, Any]:
    """Classes and functions that a model is made of, by name."""
    import keras

    found: dict[str, Any] = {}
    seen: set[int] = set()

    def visit(value: Any, depth: int) -> None:
        if depth > 6 or id(value) in seen or isinstance(value, (str, bytes, int, float, bool, type(None))):
            return
        seen.add(id(value))
        if isinstance(value, dict):
            value = list(value.values())
        if isinstance(value, (list, tuple, set)):
            for element in value:
                visit(element, depth + 1)
            return
        if inspect.isfunction(value):
            found.setdefault(value.__name__, value)
            return
        kind = type(value)
        if isinstance(value, type) or kind.__module__.split(".")[0] in (
            "numpy",
            "jax",
            "jaxlib",
            "tensorflow",
            "torch",
        ):
            return
        if kind.__module__.split(".")[0] not in ("keras", "builtins"):
            found.setdefault(kind.__name__, kind)
        if isinstance(value, keras.Variable):
            return
        inner = getattr(value, "__dict__", None)
        if isinstance(inner, dict):
            for element in list(inner.values()):
                visit(element, depth + 1)

    for layer in model._flatten_layers(include_self=True):
        visit(layer, 0)
    visit(model.optimizer, 0)
    compile_config = getattr(model, "_compile_config", None)
    visit(getattr(compile_config, "config", None), 0)
    return found
