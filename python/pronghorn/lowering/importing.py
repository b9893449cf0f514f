"""Imports the user's Python files, each once a request."""

from __future__ import annotations

import importlib.util
import inspect
import os
import sys
from types import ModuleType

from pronghorn.lowering import sources
from pronghorn.lowering.failures import LoweringFailure, failure_from


def module(path: str, code: str) -> ModuleType:
    """The module of a file, whose path is real; the one that is imported already, if there is one.

    What it raises is a failure of the code `code`.
    """
    for name, file in sources.user_modules().items():
        if os.path.realpath(file) == path:
            return sys.modules[name]
    folder = os.path.dirname(path)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    stem = os.path.splitext(os.path.basename(path))[0]
    # A file called `random.py` must not take the place of Python's own module.
    name = f"pronghorn_{stem}" if stem in sys.modules or stem in sys.stdlib_module_names else stem
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise LoweringFailure("bad_request", f"{path} is not a Python file")
    made = importlib.util.module_from_spec(spec)
    sys.modules[name] = made
    try:
        spec.loader.exec_module(made)
    except (Exception, SystemExit) as error:
        sys.modules.pop(name, None)
        raise failure_from(error, code, sources.belongs_to_user) from error
    return made


def function(path: str, name: str, code: str):
    """A function of a file; the failure that there is none names those that there are."""
    found = module(path, code)
    wanted = getattr(found, name, None)
    if not callable(wanted):
        functions = sorted(
            key
            for key, value in vars(found).items()
            if inspect.isfunction(value) and value.__module__ == found.__name__ and not key.startswith("_")
        )
        has = f"it has {', '.join(functions)}" if functions else "it has no functions"
        raise LoweringFailure("no_such_function", f"{path} has no function {name!r}; {has}", file=path)
    return wanted
