"""Functions and classes of the caller's, as files that Pronghorn's Python processes import.

Each goes by cloudpickle: by name where its module can be imported from `sys.path`, else by value (a function of
`__main__`, of a notebook's cell, a lambda, a closure). The files are named by what they hold, so that the same function
has the same file, and its program is found in the cache.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.machinery
import os
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import cloudpickle

from pronghorn.scripting.errors import InvalidRequest

HEAD = '''"""Written by pronghorn.fit: what a script has handed over, by cloudpickle."""

import pathlib
import pickle
import sys

sys.path.extend(path for path in {paths!r} if path not in sys.path)
_data = pathlib.Path(__file__).with_name("code.pkl").read_bytes()
'''

# A build function, whose arguments may stand for objects of the caller's: each build gets an object of its own.
BUILD = """
import functools
import inspect

_function, _values = pickle.loads(_data)


def _decoded(name, value):
    kept = _values.get(name, {}).get(value) if isinstance(value, str) else None
    return value if kept is None else pickle.loads(kept)


@functools.wraps(_function)
def build(*arguments, **named):
    return _function(*arguments, **{name: _decoded(name, value) for name, value in named.items()})


build.__signature__ = inspect.signature(_function)
"""

# Callbacks: each trial gets one of its own.
CALLBACKS = """

def callbacks():
    return pickle.loads(_data)
"""

SCHEDULE = """
schedule = pickle.loads(_data)
"""

# Classes and functions that `.keras` files name, as Keras's registry knows them in the caller's process.
OBJECTS = """
import keras

for _name, _object in pickle.loads(_data).items():
    _package, _, _plain = _name.rpartition(">")
    if _package and keras.saving.get_registered_object(_name) is None:
        keras.saving.register_keras_serializable(_package, _plain)(_object)
    keras.saving.get_custom_objects()[_name] = _object
"""


def cache_folder() -> Path:
    """Pronghorn's cache (`Sources/Files/CacheFolder.swift`)."""
    if own := os.environ.get("PRONGHORN_CACHE"):
        return Path(own)
    shared = os.environ.get("XDG_CACHE_HOME", "")
    if shared.startswith("/"):
        return Path(shared) / "pronghorn"
    return Path.home() / ".cache" / "pronghorn"


def kept(files: dict[str, bytes]) -> Path:
    """The folder in the cache that holds these files, named by what they hold."""
    digest = hashlib.sha256()
    for name, data in sorted(files.items()):
        digest.update(f"{name} {len(data)}\n".encode() + data)
    place = cache_folder() / "scripts" / digest.hexdigest()[:24]
    if not place.is_dir():
        place.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=".", dir=place.parent))
        try:
            for name, data in files.items():
                (temporary / name).write_bytes(data)
            # Where another process was faster, its files are the same.
            with contextlib.suppress(FileExistsError, OSError):
                temporary.rename(place)
        finally:
            if temporary.is_dir():
                shutil.rmtree(temporary)
    return place


def function_file(name: str, tail: str, value: Any, what: str) -> str:
    """Where `NAME.py` lies, whose last lines `tail` make something of the pickled `value`.

    Raises:
        InvalidRequest: `value` cannot be pickled; `what` says what it is.
    """
    data = pickled(value, what)
    text = HEAD.format(paths=_paths()) + tail
    return str(kept({f"{name}.py": text.encode(), "code.pkl": data}) / f"{name}.py")


def pickled(value: Any, what: str) -> bytes:
    """A pickle that another interpreter with the caller's packages can load."""
    with _unreachable_by_value():
        try:
            return cloudpickle.dumps(value)
        except Exception as error:
            raise InvalidRequest(
                f"{what} cannot be handed to another process: {type(error).__name__}: {error}"
            ) from error


def _paths() -> list[str]:
    """The folders that the caller imports from, but for Python's own and those of installed packages."""
    ours = str(Path(__file__).resolve().parents[2])
    found = []
    for entry in sys.path:
        path = os.path.abspath(entry or os.getcwd())
        parts = Path(path).parts
        installed = "site-packages" in parts or "dist-packages" in parts
        standard = path.startswith((os.path.join(sys.base_prefix, "lib"), os.path.join(sys.prefix, "lib")))
        if os.path.isdir(path) and not installed and not standard and path != ours and path not in found:
            found.append(path)
    return found


@contextlib.contextmanager
def _unreachable_by_value() -> Iterator[None]:
    """Has modules pickled by value that another process could not import by their name."""
    registered = []
    for module in _unreachable(list(sys.modules.items())):
        # A module that the caller has registered stays so.
        if module.__name__ not in cloudpickle.list_registry_pickle_by_value():
            cloudpickle.register_pickle_by_value(module)
            registered.append(module)
    try:
        yield
    finally:
        for module in registered:
            cloudpickle.unregister_pickle_by_value(module)


def _unreachable(modules: Iterable[tuple[str, Any]]) -> Iterator[ModuleType]:
    """Modules from files of the caller's that `sys.path` does not lead to: loaded by path, or by a test's runner."""
    paths = set(_paths())
    for name, module in modules:
        file = getattr(module, "__file__", None)
        if name == "__main__" or "." in name or not isinstance(file, str) or not isinstance(module, ModuleType):
            continue
        if module.__name__ != name or not file.endswith(".py"):
            continue
        path = os.path.realpath(file)
        if "site-packages" in path or "dist-packages" in path or path.startswith(os.path.realpath(sys.base_prefix)):
            continue
        folders = {os.path.dirname(os.path.abspath(file)), os.path.dirname(os.path.dirname(os.path.abspath(file)))}
        if folders & paths:
            continue
        spec = importlib.machinery.PathFinder.find_spec(name, sys.path)
        if spec is None or spec.origin is None or os.path.realpath(spec.origin) != path:
            yield module
