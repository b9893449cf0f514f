"""Finds where two builds of a model hold different numbers: attributes, elements, defaults and closures.

The two builds are walked side by side from the model on. What both share (modules, classes, globals) cannot differ and
is not entered; arrays and variables are the state's business.
"""

from __future__ import annotations

import functools
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import jax
import numpy as np

MOST_OBJECTS = 2_000_000
"""A walk that meets more is given up: the numbers that it did not reach then show in the traced step."""


@dataclass(frozen=True)
class Slot:
    """A place in the first build that holds a number, and what either build holds there."""

    path: str
    first: float
    second: float
    get: Callable[[], object]
    put: Callable[[object], None]


def differing(first, second) -> Iterator[Slot]:
    """Every place where two builds hold different floats, or arrays of one float each."""
    from keras.src import backend

    leaves = (str, bytes, bool, int, type, types.ModuleType, np.ndarray, np.generic, jax.Array, backend.Variable)
    seen: set[tuple[int, int]] = set()
    waiting = [_Place("", first, second, lambda: first, lambda value: None)]
    while waiting and len(seen) < MOST_OBJECTS:
        place = waiting.pop()
        a, b = place.first, place.second
        if a is b or a is None or b is None:
            continue
        if _is_float(a) and _is_float(b):
            if float(a) != float(b):
                yield Slot(place.path, float(a), float(b), place.get, place.put)
            continue
        if isinstance(a, leaves) or type(a) is not type(b) or (id(a), id(b)) in seen:
            continue
        seen.add((id(a), id(b)))
        waiting.extend(_inside(place))


def _is_float(value) -> bool:
    if isinstance(value, (np.ndarray, np.generic, jax.Array)):
        return value.ndim == 0 and np.issubdtype(value.dtype, np.floating)
    return isinstance(value, float)


@dataclass
class _Place:
    path: str
    first: object
    second: object
    get: Callable[[], object]
    put: Callable[[object], None]

    def inner(self, name: str, first, second, get, put) -> _Place:
        return _Place(f"{self.path}{name}", first, second, get, put)


def _inside(place: _Place) -> Iterator[_Place]:
    a, b = place.first, place.second
    if isinstance(a, tuple):
        if len(a) == len(b):
            for index in range(len(a)):
                yield place.inner(f"[{index}]", a[index], b[index], *_of_tuple(place, index))
    elif isinstance(a, list):
        if len(a) == len(b):
            for index in range(len(a)):
                yield place.inner(
                    f"[{index}]", a[index], b[index], functools.partial(list.__getitem__, a, index),
                    functools.partial(list.__setitem__, a, index),
                )  # fmt: skip
    elif isinstance(a, dict):
        yield from _entries(place, a, b, "[{!r}]")
    elif isinstance(a, types.FunctionType):
        if a.__code__ == b.__code__:
            yield from _of_function(place, a, b)
    elif isinstance(a, types.MethodType):
        yield place.inner("", a.__self__, b.__self__, lambda: a.__self__, lambda value: None)
        yield place.inner("", a.__func__, b.__func__, lambda: a.__func__, lambda value: None)
    elif isinstance(a, functools.partial):
        yield place.inner("", a.func, b.func, lambda: a.func, lambda value: None)
        yield from _entries(place, a.keywords, b.keywords, "({})")
    if isinstance(getattr(a, "__dict__", None), dict) and isinstance(getattr(b, "__dict__", None), dict):
        yield from _entries(place, vars(a), vars(b), ".{}")


def _entries(place: _Place, a: dict, b: dict, form: str) -> Iterator[_Place]:
    for key, value in list(dict.items(a)):
        if isinstance(key, (str, int)) and dict.__contains__(b, key):
            yield place.inner(
                form.format(key), value, dict.__getitem__(b, key), functools.partial(dict.__getitem__, a, key),
                functools.partial(dict.__setitem__, a, key),
            )  # fmt: skip


def _of_tuple(place: _Place, index: int):
    def put(value) -> None:
        whole = place.get()
        changed = [*whole[:index], value, *whole[index + 1 :]]
        place.put(type(whole)(*changed) if hasattr(whole, "_fields") else tuple(changed))

    return (lambda: place.get()[index]), put


def _of_function(place: _Place, a, b) -> Iterator[_Place]:
    for name, mine, theirs in zip(a.__code__.co_freevars, a.__closure__ or (), b.__closure__ or (), strict=True):
        try:
            values = mine.cell_contents, theirs.cell_contents
        except ValueError:
            # A cell that was never filled.
            continue
        yield place.inner(
            f"<{name}>", *values, functools.partial(getattr, mine, "cell_contents"),
            functools.partial(setattr, mine, "cell_contents"),
        )  # fmt: skip
    for attribute in ("__defaults__", "__kwdefaults__"):
        yield place.inner(
            f".{attribute}", getattr(a, attribute), getattr(b, attribute), functools.partial(getattr, a, attribute),
            functools.partial(setattr, a, attribute),
        )  # fmt: skip
