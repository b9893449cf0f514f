"""Calls the user's data function and keeps what it returns: ``python -m pronghorn.prepare_data FILE FUNCTION FOLDER``.

The function takes no arguments and returns a dictionary of arrays by name: ``x`` (and ``y``) an array or a dictionary
of arrays, ``sample_weight`` the weights of the rows, any other name a column. Or it returns what gives batches, which
are taken once (see ``pronghorn.draining``). Each array goes to an ``.npy`` file in FOLDER,
and ``data.json``, which is written last, lists them with the user's files that were imported or opened on the way:

    {"arrays": [{"name": "x", "role": "x", "file": "x.npy", "shape": [1797, 64], "dtype": "float32"}],
     "sources": [{"path": "/abs/digits.py", "sha256": "...", "stamp": {"size": 1, "modified": 2, ...}}]}

One line of JSON on standard output says how it ended, in the words of the lowering process: ``{"event": "done"}``, or
``{"event": "failed", "code": CODE, "message": TEXT, "file": F, "line": N, "detail": TRACEBACK}``, where CODE is one of
``no_such_file``, ``no_such_function``, ``function_raised``, ``not_arrays`` and ``internal``.
"""

from __future__ import annotations

import importlib.util
import inspect
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from pronghorn import draining, prepared
from pronghorn.lowering.failures import LoweringFailure, describe_error, failure_from
from pronghorn.lowering.sources import belongs_to_user, digests, recorded, user_modules


def prepare(file: Path, name: str, folder: Path, progress: Callable[[str], None] = lambda _: None) -> None:
    """Calls the function and writes what it returned."""
    with recorded() as opened:
        function = _function(file, name)
        place = {"file": str(file), "line": getattr(getattr(function, "__code__", None), "co_firstlineno", None)}
        listed = None
        try:
            returned = function()
            stream = draining.batches(returned)
            if stream is not None:
                listed = draining.drain(stream, folder, _array, progress)
        except (_NotArrays, draining.NotBatches) as error:
            raise LoweringFailure("not_arrays", f"{name} returned {error}", **place) from error
        except (Exception, SystemExit) as error:
            failure = failure_from(error, "function_raised", belongs_to_user, f"{name} raised {describe_error(error)}")
            # A call with too few arguments fails before any line of the user's.
            if failure.file is None:
                failure.file, failure.line = place["file"], place["line"]
            raise failure from error
        # The stamps first: a file that is changed meanwhile has another stamp then, and its digest decides.
        stamps = {path: prepared.stamp(path) for path in _user_files(opened | {str(file)})}
        sources = [{**source, "stamp": stamps.get(source["path"])} for source in digests(set(stamps))]
    if listed is None:
        listed = _written(returned, name, folder, place)
    prepared.write_list(folder, {"arrays": listed, "sources": sources})


def _written(returned: object, name: str, folder: Path, place: dict) -> list[dict]:
    """Writes the arrays of a dictionary, and lists them."""
    import numpy

    arrays = []
    try:
        for stem, role, key, value in _entries(returned):
            arrays.append((stem, role, key, _array(value, role, key)))
    except _NotArrays as error:
        raise LoweringFailure("not_arrays", f"{name} returned {error}", **place) from error
    listed = []
    folder.mkdir(parents=True, exist_ok=True)
    for stem, role, key, array in arrays:
        with prepared.replacing(folder / f"{stem}.npy") as temporary, open(temporary, "wb") as out:
            numpy.save(out, array, allow_pickle=False)
        listed.append(
            {"name": key, "role": role, "file": f"{stem}.npy", "shape": list(array.shape), "dtype": str(array.dtype)}
        )
    return listed


class _NotArrays(Exception):
    """What the function returned is not what it is to return; the text goes on from "load returned"."""


def _function(file: Path, name: str) -> Callable:
    if not file.is_file():
        raise LoweringFailure("no_such_file", f"there is no file {file}", file=str(file))
    sys.path.insert(0, str(file.parent))
    # Under its own name, so that another of the user's files which imports it gets the same module.
    taken = file.stem in sys.modules or file.stem in sys.stdlib_module_names
    spec = importlib.util.spec_from_file_location(f"pronghorn_{file.stem}" if taken else file.stem, file)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise failure_from(
            error, "function_raised", belongs_to_user, f"importing {file.name} raised {describe_error(error)}"
        ) from error
    function = getattr(module, name, None)
    if not callable(function):
        there = sorted(
            key
            for key, value in vars(module).items()
            if inspect.isfunction(value) and value.__module__ == module.__name__ and not key.startswith("_")
        )
        raise LoweringFailure(
            "no_such_function",
            f"{file.name} has no function '{name}'; it has {', '.join(there) or 'no functions'}",
            file=str(file),
        )
    return function


def _entries(returned) -> Iterator[tuple[str, str, str, object]]:
    """Each array's file name, role and name."""
    expected = 'return a dictionary, such as {"x": x, "y": y}, or batches'
    if not isinstance(returned, dict):
        raise _NotArrays(f"{_kind(returned)}, which is no dictionary: {expected}")
    if "x" not in returned:
        raise _NotArrays(f"no 'x', the inputs of the model: {expected}")
    columns = 0
    for key, value in returned.items():
        if not isinstance(key, str):
            raise _NotArrays(f"{key!r} as the name of an array: names are texts")
        if key in ("x", "y") and isinstance(value, dict):
            if not value:
                raise _NotArrays(f"nothing in '{key}'")
            for number, (inner, array) in enumerate(value.items()):
                yield f"{key}-{number}", key, str(inner), array
        elif key in ("x", "y", "sample_weight"):
            yield key, key, key, value
        else:
            # A column's name need not be one that a file can have.
            yield f"column-{columns}", "column", key, value
            columns += 1


def _array(value, role: str, name: str):
    import numpy

    title = f"'{name}'" if role in (name, "column") else f"'{name}' of {role}"
    advice = "return numbers, such as a NumPy array"
    try:
        array = numpy.asarray(value)
    except Exception as error:
        raise _NotArrays(
            f"{_kind(value)} as {title}, of which NumPy makes no array ({describe_error(error)})"
        ) from error
    if array.ndim == 0:
        raise _NotArrays(f"{_kind(value)} as {title}, which has no rows: {advice}")
    if array.dtype.kind == "O" and role == "column" and all(isinstance(element, str) for element in array.flat):
        array = array.astype(str)
    if array.dtype.kind in "biuf" and array.dtype.itemsize <= 8:
        return array
    if array.dtype.kind == "U" and role == "column":
        return array
    if array.dtype.kind == "U":
        raise _NotArrays(f"text as {title}: {advice}; text may stand in a column to divide by")
    if array.dtype.kind == "O":
        odd = next((element for element in array.flat if not isinstance(element, (int, float))), None)
        raise _NotArrays(f"Python objects as {title}, one of them {_kind(odd)}: {advice}")
    raise _NotArrays(f"{title} of type {array.dtype}, which no model takes: {advice}")


def _kind(value) -> str:
    if value is None:
        return "None"
    name = type(value).__name__
    return f"an {name}" if name[0] in "aeiouAEIOU" else f"a {name}"


def _user_files(opened: set[str]) -> set[str]:
    """The user's files among those that were opened, and those of the modules that were imported."""
    paths = {os.path.realpath(path) for path in [*opened, *user_modules().values()]}
    return {path for path in paths if belongs_to_user(path) and os.path.isfile(path)}


def main() -> int:
    def run(progress) -> None:
        file, name, folder = sys.argv[1:4]
        prepare(Path(file).resolve(), name, Path(folder), progress)

    return prepared.answering(run)


if __name__ == "__main__":
    sys.exit(main())
