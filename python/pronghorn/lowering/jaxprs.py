"""Whether two traces are the same computation, and if not, where they part."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

import numpy as np
from jax.extend.core import ClosedJaxpr, Jaxpr, Literal

ADDRESS = re.compile(r"0x[0-9a-f]+")


@dataclass(frozen=True)
class Parting:
    """Where two traces differ first: the numbers there, if they differ in a number, and the line of Python."""

    numbers: tuple[float, float] | None
    place: str | None


def parting(first: ClosedJaxpr, second: ClosedJaxpr) -> Parting | None:
    """Where two traces differ first; None if they are the same."""
    for one, other in zip(first.consts, second.consts, strict=False):
        if not _same_array(one, other):
            return Parting(None, None)
    if len(first.consts) != len(second.consts):
        return Parting(None, None)
    return _parting(first.jaxpr, second.jaxpr)


def _parting(first: Jaxpr, second: Jaxpr) -> Parting | None:
    numbering: dict[object, object] = {}

    def same_variables(mine, theirs) -> bool:
        if len(mine) != len(theirs):
            return False
        for a, b in zip(mine, theirs, strict=True):
            if str(a.aval) != str(b.aval) or numbering.setdefault(a, b) is not b:
                return False
        return True

    if not same_variables([*first.constvars, *first.invars], [*second.constvars, *second.invars]):
        return Parting(None, None)
    for mine, theirs in zip(first.eqns, second.eqns, strict=False):
        place = _place(mine)
        if mine.primitive is not theirs.primitive or len(mine.invars) != len(theirs.invars):
            return Parting(None, place)
        for a, b in zip(mine.invars, theirs.invars, strict=True):
            if isinstance(a, Literal) and isinstance(b, Literal):
                if not _same_array(a.val, b.val) or str(a.aval) != str(b.aval):
                    return Parting(_numbers(a.val, b.val), place)
            elif isinstance(a, Literal) or isinstance(b, Literal) or numbering.get(a) is not b:
                return Parting(None, place)
        inner = _parameters(mine.params, theirs.params, place)
        if inner is not None:
            return inner
        if not same_variables(mine.outvars, theirs.outvars):
            return Parting(None, place)
    if len(first.eqns) != len(second.eqns) or len(first.outvars) != len(second.outvars):
        return Parting(None, None)
    for a, b in zip(first.outvars, second.outvars, strict=True):
        if isinstance(a, Literal) and isinstance(b, Literal):
            if not _same_array(a.val, b.val):
                return Parting(_numbers(a.val, b.val), None)
        elif isinstance(a, Literal) or isinstance(b, Literal) or numbering.get(a) is not b:
            return Parting(None, None)
    return None


def _parameters(first, second, place: str | None) -> Parting | None:
    """Compares the parameters of two equations, jaxprs among them."""
    if isinstance(first, ClosedJaxpr) and isinstance(second, ClosedJaxpr):
        return parting(first, second)
    if isinstance(first, Jaxpr) and isinstance(second, Jaxpr):
        return _parting(first, second)
    if isinstance(first, dict) and isinstance(second, dict) and first.keys() == second.keys():
        pairs = [(first[key], second[key]) for key in first]
    elif isinstance(first, (tuple, list)) and type(first) is type(second) and len(first) == len(second):
        pairs = list(zip(first, second, strict=True))
    else:
        return None if _same(first, second) else Parting(_numbers(first, second), place)
    for one, other in pairs:
        found = _parameters(one, other, place)
        if found is not None:
            return found
    return None


def _same(first, second) -> bool:
    if first is second:
        return True
    if isinstance(first, np.ndarray) or hasattr(first, "__array__"):
        return _same_array(first, second)
    if callable(first) and callable(second):
        # Rules of differentiation, which were applied already.
        return getattr(first, "__qualname__", None) == getattr(second, "__qualname__", None)
    try:
        if first == second:
            return True
    except Exception:
        pass
    return ADDRESS.sub("", repr(first)) == ADDRESS.sub("", repr(second))


def _same_array(first, second) -> bool:
    if first is second:
        return True
    try:
        a, b = np.asarray(first), np.asarray(second)
    except TypeError:
        # Random keys are no arrays of numbers.
        return repr(first) == repr(second)
    return a.shape == b.shape and a.dtype == b.dtype and a.tobytes() == b.tobytes()


def _numbers(first, second) -> tuple[float, float] | None:
    try:
        return float(first), float(second)
    except (TypeError, ValueError):
        return None


def _place(equation) -> str | None:
    """The line that an equation comes from: the innermost that is not JAX's, nor that of Keras's own plumbing."""
    traceback = getattr(equation.source_info, "traceback", None)
    if traceback is None:
        return None
    keras_layer = None
    for frame in traceback.frames:
        name = frame.file_name
        if "/jax/" in name or "/jaxlib/" in name or "/pronghorn/lowering/" in name:
            continue
        if "/keras/src/" not in name:
            if "/site-packages/" in name or "/lib/python3" in name or name.startswith("<"):
                continue
            return f"{os.path.basename(name)}:{frame.line_num}"
        if keras_layer is None and re.search(
            r"/keras/src/(layers|losses|metrics|optimizers|regularizers)/(?!layer\.)", name
        ):
            keras_layer = f"{name[name.index('keras/src') :]}:{frame.line_num}"
        if name.endswith(("/trainer.py", "/layers/layer.py")) and keras_layer is not None:
            return keras_layer
    return keras_layer
